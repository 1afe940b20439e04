# SPDX-License-Identifier: GPL-2.0-only
"""The oracle on x86: programs by name, and what they leave in Bochs."""

import x86_bare
import x86_catalogue
import x86_generated
import x86_programs

MODES = x86_programs.MODES
shown = x86_programs.shown
catalogue = x86_catalogue.catalogue
generated = x86_generated.generated
image = x86_programs.image
report = x86_bare.report


def named(name):
    return x86_generated.named(name) or x86_catalogue.named(name)


def runner_of(mode):
    """The name of the runner's file, and what it is called beside the test."""
    return f"runner-{x86_programs.RUNNER[mode]}", str(x86_programs.RUNNER[mode])
