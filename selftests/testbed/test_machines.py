#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does the testbed notice? Machines on which something goes wrong on purpose.

Each case boots the lean kernel in QEMU and has a shell do the damage; it passes
when the testbed reports a failure, for the right reason, and goes on with the
test that comes after.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import build        # noqa: E402
import check        # noqa: E402
import machines     # noqa: E402

CRASH = "/sys/kernel/debug/provoke-crash/DIRECT"

# Limits in seconds of CPU time, of a program that is to end, and of one that hangs;
# and in seconds by the clock, of one that does nothing.
ENDS, HANGS, IDLE = 60, 2, 5

# What a kernel prints, and a guest's on this machine, whose console a VMM shows.
LINES = (
    "[    1.234567] WARNING: CPU: 0 PID: 1 at kernel/panic.c:1 panic+0x1/0x2",
    "[    1.234567][    T1] BUG: kernel NULL pointer dereference, address: 0000000000000010",
    "[    1.234567] Kernel panic - not syncing: Attempted to kill init!",
    "unreferenced object 0xffff888003c5a000 (size 64):",
)
# Arguments of init's commands have no blanks in them: printf makes them.
PRINTED = tuple(line.replace(" ", "\\040") for line in LINES)
GUEST = "".join(f"printf '{line}\\n'; printf '{line}\\r\\n' >&2; " for line in PRINTED)

# What is done, what the testbed must say about it.
CASES = (
    ("a healthy machine", "true", None),
    ("an exit status", "exit 3", "it ended with exit 3"),
    ("a crash of the program", "kill -SEGV $$", "it ended with signal 11"),
    ("a program that does nothing", "sleep 1000", "the machine has been idle for 5 s"),
    ("one that says something now and then", "for i in 1 2 3 4; do sleep 2; echo $i; done", None),
    ("a program that hangs", "while :; do :; done", "no answer within 2 s of CPU time"),
    ("a program that cannot be run", None, "it ended with exit 127"),
    ("a guest's reports", GUEST, None),
    ("a WARN among a guest's reports",
     f"{GUEST} printf '{PRINTED[0]}'; echo WARNING >{CRASH}; printf '{PRINTED[0]}'; {GUEST}",
     "kernel: WARNING: CPU: "),
    ("a WARN with no program", f"{{ sleep 1; echo WARNING >{CRASH}; }} >/dev/null 2>&1 & "
     "exec >/dev/null 2>&1; sleep 2", "kernel: WARNING: "),
    ("an Oops that is the end", "echo 1 >/proc/sys/kernel/panic_on_oops; "
     f"echo EXCEPTION >{CRASH}", "kernel: BUG: kernel NULL pointer"),
    ("a WARN", f"echo WARNING >{CRASH}", "kernel: WARNING: "),
    ("a tainted kernel", "dmesg -n 1; echo WARNING >" + CRASH, "the kernel is tainted: warning"),
    ("an Oops", f"echo EXCEPTION >{CRASH}", "kernel: BUG: kernel NULL pointer"),
    ("a panic", f"echo PANIC >{CRASH}", "the machine is gone: it stopped"),
    ("a kernel that hangs", "taskset 1 true; for i in 1 2; do echo HARDLOCKUP >" + CRASH +
     " & done; wait", "the machine is gone: no answer"),
    ("a CPU that is gone", "echo 0 >/sys/devices/system/cpu/cpu1/online",
     "1 CPUs are online, 2 were asked for"),
    ("a machine that ends early", "echo b >/proc/sysrq-trigger; sleep 9",
     "the machine is gone: it stopped"),
)


def boot(machine, kernel, image, tests, idle=check.IDLE):
    """Run @tests; their results by name."""
    results = {}
    with tempfile.TemporaryDirectory() as logs:
        check.run_tests(machine, kernel, image, tests, pathlib.Path(logs),
                        lambda result: results.setdefault(result.test, result), idle=idle)
    return results


def case(machine, kernel, image, script, message):
    """(did the testbed notice and go on?, results)"""
    limit = HANGS if message and "no answer" in message else ENDS
    idle = IDLE if "sleep" in str(script) else check.IDLE
    args = ("/bin/sh", "-c", script.replace(" ", "\t")) if script else ("/nothing",)
    tests = [check.Test("test", (), limit, args, raw=True),
             check.Test("after", (), ENDS, ("/bin/busybox", "true"), raw=True)]
    results = boot(machine, kernel, image, tests, idle)
    problems = results["test"].problems
    if message:
        good = any(problem.startswith(message) for problem in problems)
    else:
        good = not any(result.problems for result in results.values())
    return good and results["after"].passed == 1 and not results["after"].problems, results


def no_boot(machine, kernel):
    """An initramfs without an init."""
    results = boot(machine, kernel, lambda conf: b"", [])
    return bool(results["machine"].problems), results


def no_module(machine, kernel, image):
    machine = dataclasses.replace(machine, module="absent")
    results = boot(machine, kernel, image, [])
    return "load absent: No such file or directory" in results["machine"].problems, results


def main():
    builder = build.Builder("x86_64", False)
    kernel = builder.kernel("lean")
    builder.userspace_init()
    image = builder.initramfs(kernel, [], [])
    machine = dataclasses.replace(machines.MACHINES["mock-lean"], name="testbed", module="")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [(name, pool.submit(case, machine, kernel, image, script, message))
                for name, script, message in CASES]
        runs.append(("a kernel that does not boot", pool.submit(no_boot, machine, kernel)))
        runs.append(("a module that does not load",
                     pool.submit(no_module, machine, kernel, image)))
        print(f"TAP version 13\n1..{len(runs)}")
        for number, (name, run) in enumerate(runs, 1):
            good, results = run.result()
            print(f"{'ok' if good else 'not ok'} {number} {name}", flush=True)
            for result in () if good else results.values():
                print(f"# {result.test}: {result.passed} passed, {result.problems}")
                for line in result.output:
                    print(f"#   {line}")


if __name__ == "__main__":
    main()
