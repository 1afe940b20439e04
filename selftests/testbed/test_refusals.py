#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Machines without what axvcpu needs: it must not load, and say why in one line."""

import os
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import build        # noqa: E402
import check        # noqa: E402
import machines     # noqa: E402
import qemu         # noqa: E402

# The architecture, what its machine lacks, what the kernel's log must say.
CASES = (
    ("x86_64", "VMX", "axvcpu: CPU 0 can't run guests: no VMX"),
    ("arm64", "EL2", "axvcpu: the kernel does not run at EL2"),
)


def boot(arch):
    """What became of the machine itself, with the module loaded in it."""
    program, board, options, cpu = qemu.BOARDS[arch]
    qemu.BOARDS[arch] = (program, board.replace("virtualization=on,", ""), options, cpu)
    builder = build.Builder(arch, False)
    kernel = builder.kernel("lean")
    builder.userspace_init()
    machine = machines.Machine(f"bare-{arch}", "", arch, qemu, 2, "lean", "axvcpu", 512, 90, 30)
    image = builder.initramfs(kernel, [builder.module("axvcpu", kernel)], [])
    results = []
    with tempfile.TemporaryDirectory() as logs:
        check.run_tests(machine, kernel, image, [], pathlib.Path(logs), results.append)
    return results[0]


def main():
    arches = os.environ.get("AXVCPU_ARCHES", "x86_64 arm64").split()
    cases = [case for case in CASES if case[0] in arches]
    print(f"TAP version 13\n1..{len(cases)}")
    for number, (arch, lack, line) in enumerate(cases, 1):
        result = boot(arch)
        said = [text for text in result.output if "axvcpu: " in text and "taints" not in text]
        good = any(problem.startswith("load axvcpu: ") for problem in result.problems) and \
            len(said) == 1 and line in said[0]
        print(f"{'ok' if good else 'not ok'} {number} {arch} without {lack}", flush=True)
        for text in [] if good else result.problems + result.output:
            print(f"# {text}")


if __name__ == "__main__":
    main()
