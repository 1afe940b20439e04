# SPDX-License-Identifier: GPL-2.0-only
"""The oracle on arm64: programs by name, and what they leave in QEMU."""

import arm64_bare
import arm64_catalogue
import arm64_generated
import arm64_programs

MODES = arm64_programs.MODES
shown = arm64_programs.shown
image = arm64_programs.image
report = arm64_bare.report


def named(name):
    return arm64_generated.named(name) or arm64_catalogue.named(name)


def catalogue(_mode):
    return arm64_catalogue.catalogue()


def generated(_mode, first, last):
    return arm64_generated.generated(first, last)


def runner_of(mode):
    """The name of the runner's file, and what it is called beside the test."""
    return "runner", mode
