#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Machines without what axvcpu needs: it must not load, and say why in one line."""

import dataclasses
import os
import pathlib
import re
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import bochs        # noqa: E402
import build        # noqa: E402
import check        # noqa: E402
import machines     # noqa: E402
import qemu         # noqa: E402

# In Bochs' BIOS: rdmsr of IA32_FEATURE_CONTROL; or $(lock | VMX outside of SMX); wrmsr
FEATURE_CONTROL = re.compile(rb"(\xb9\x3a\0\0\0\x0f\x32\x66?\x83\xc8)\x05(?=\x0f\x30)")


def bare(arch):
    """QEMU's own machine, whose CPU has no virtualization."""
    program, board, options, cpu = qemu.BOARDS[arch]
    qemu.BOARDS[arch] = (program, board.replace("virtualization=on,", ""), options, cpu)
    return machines.Machine(f"bare-{arch}", "", arch, qemu, 2, "lean", "axvcpu", 512, 90, 30)


def locked(_arch):
    """Bochs with a firmware that locks VMX off: SDM vol. 3, 24.7."""
    image, found = FEATURE_CONTROL.subn(lambda match: match[1] + b"\x01",
                                        pathlib.Path(bochs.BIOS).read_bytes())
    if found != 2:
        raise SystemExit("Bochs' BIOS is not the one that this test knows")
    bios = build.BUILD / "locked-bios"
    build.BUILD.mkdir(exist_ok=True)
    bios.write_bytes(image)
    bochs.BIOS = bios
    return dataclasses.replace(machines.MACHINES["vmx"], name="locked-x86_64")


# The architecture, what its machine lacks, how to get one, what the kernel's log must say.
CASES = (
    ("x86_64", "VMX", bare, "axvcpu: CPU 0 can't run guests: no VMX"),
    ("x86_64", "VMX, which is locked off", locked,
     "axvcpu: CPU 0 can't run guests: no VMX, or the firmware keeps it off"),
    ("arm64", "EL2", bare, "axvcpu: the kernel does not run at EL2"),
)


def boot(arch, machine):
    """What became of the machine itself, with the module loaded in it."""
    builder = build.Builder(arch, False)
    kernel = builder.kernel("lean")
    builder.userspace_init()
    image = builder.initramfs(kernel, [builder.module("axvcpu", kernel)], [])
    results = []
    with tempfile.TemporaryDirectory() as logs:
        check.run_tests(machine, kernel, image, [], pathlib.Path(logs), results.append)
    return results[0]


def main():
    arches = os.environ.get("AXVCPU_ARCHES", "x86_64 arm64").split()
    cases = [case for case in CASES if case[0] in arches]
    print(f"TAP version 13\n1..{len(cases)}")
    for number, (arch, lack, machine, line) in enumerate(cases, 1):
        result = boot(arch, machine(arch))
        said = [text for text in result.output if "axvcpu: " in text and "taints" not in text]
        good = any(problem.startswith("load axvcpu: ") for problem in result.problems) and \
            len(said) == 1 and line in said[0]
        print(f"{'ok' if good else 'not ok'} {number} {arch} without {lack}", flush=True)
        for text in [] if good else result.problems + result.output:
            print(f"# {text}")


if __name__ == "__main__":
    main()
