#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does a crash kernel come up, and find VMX off, when guests run on all CPUs?

With KVM loaded, but idle, as without it.

It needs a kernel that make check does without: only make check T=testbed-crash
runs it.
"""

import dataclasses

import test_ends
from test_ends import bochs, machines

CRASHES = tuple(test_ends.Way(
    name=name, panics=True, next_kernel=True, next_test="x86_hw",
    machine=dataclasses.replace(machines.MACHINES["vmx-distro"], cpus=2, memory=768,
                                options="l1tf=off crashkernel=256M"),
    options=f"{bochs.OPTIONS} l1tf=off") for name in ("crash", "crash-beside-kvm"))

if __name__ == "__main__":
    test_ends.main(CRASHES)
