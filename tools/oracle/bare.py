# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a bare CPU, whatever the architecture, and which of them does not end there."""

import sys


def _limit(found):
    """Seconds of the emulator's CPU time, many times what programs need."""
    return 10 + len(found) // 100


def run(arch, runner, found):
    """The image of programs, and the report that they leave bare."""
    def once(some):
        image = arch.image(some)
        return image, arch.report(runner, image, _limit(some))

    image, report = once(found)
    if report:
        return image, report
    while len(found) > 1:
        half = found[:len(found) // 2]
        found = found[len(half):] if once(half)[1] else half
    return sys.exit(f"{found[0].name}: does not come to an end on the bare CPU.")
