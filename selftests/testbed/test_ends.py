#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does a machine end well while guests run on all its CPUs?

A CPU that is left in VMX operation takes no INIT: the next kernel could not
start it. So kexec must bring one up with all its CPUs, even if somebody makes
vCPUs to the last.
"""

import concurrent.futures
import contextlib
import dataclasses
import io
import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import bochs        # noqa: E402
import build        # noqa: E402
import check        # noqa: E402
import deps         # noqa: E402
import initramfs    # noqa: E402
import machines     # noqa: E402

LIMIT = 240     # of an end, and a boot, in seconds of CPU time


@dataclasses.dataclass(frozen=True)
class Way:
    """One of machine_end.c's, and what is to come of it."""
    name: str
    machine: machines.Machine
    panics: bool = False
    next_kernel: bool = False       # does another one come up?
    options: str = bochs.OPTIONS    # its command line
    next_test: str = ""             # that it is to pass


WAYS = tuple(Way(machine=machines.MACHINES["vmx2"], **way) for way in (
    {"name": "kexec", "next_kernel": True},
    {"name": "reboot"},
    {"name": "panic", "panics": True},
))


class Ends:
    """What the machines of some ways have in common."""

    def __init__(self, machine):
        self.builder = build.Builder(machine.arch, False)
        self.kernel = self.builder.kernel(machine.flavour)
        self.builder.userspace(self.kernel)
        self.modules = [self.builder.module(machine.module, self.kernel)]

    def image(self, conf, tests):
        modules = [*self.modules, *self.builder.test_modules(self.kernel, tests)]
        return self.builder.initramfs(self.kernel, modules, tests)(conf)

    def next_image(self, token, way):
        """An initramfs that is small unless it has a test in it."""
        if way.next_test:
            test = f"test {way.next_test} /selftests/{way.next_test}"
            return self.image(check.configuration(way.machine, token, [test]), [way.next_test])
        inner = initramfs.Archive()
        inner.add("init", self.builder.programs / "init")
        inner.add_bytes("testbed.conf",
                        f"token {token}\nport {bochs.POWER_PORT:#x}\n".encode())
        return inner.finish()

    def next_kernel(self, token, way):
        """What machine_end.c looks for, as an archive behind the first one."""
        outer = initramfs.Archive()
        outer.add("kexec/kernel", self.kernel.image)
        outer.add_bytes("kexec/initramfs", self.next_image(token, way))
        outer.add_bytes("kexec/options", way.options.encode())
        return outer.finish()

    def end(self, way):
        """What is wrong with it, or nothing, and the console's lines."""
        token, next_token = check.new_token(), check.new_token()
        test = f"test {way.name} /selftests/machine_end {way.name}"
        blob = self.image(check.configuration(way.machine, token, [test]), ["machine_end"]) + \
            self.next_kernel(next_token, way)
        with machines.Run(way.machine, self.kernel, blob) as run, io.StringIO() as log:
            session = check.Session(run, log)
            try:
                problem = watch(session, token, next_token, way)
            except TimeoutError as error:
                problem = str(error)
            except EOFError:
                problem = "it stopped too early"
            lines = log.getvalue().splitlines()
        return problem or "; ".join([] if way.panics else session.boot.problems), lines


def watch(session, token, next_token, way):
    """What is wrong with this way to end the machine."""
    session.until(token, "health", way.machine.boot_limit, "boot")
    session.until(token, "begin", way.machine.load_limit, "load the module")
    try:
        session.until(next_token, "health", max(LIMIT, way.machine.boot_limit), "another kernel")
        if way.next_test:
            name, how, *_ = session.until(next_token, "end", LIMIT, way.next_test)
            if how != "exit=0":
                return f"{name} ended with {how} in the next kernel"
        session.until(next_token, "bye", LIMIT, "its end")
    except EOFError:
        if any(f"{token} end" in line for line in session.boot.output):
            return "it was refused"
        return "no other kernel came up" if way.next_kernel else None
    return None if way.next_kernel else "the machine did not end"


def main(ways=WAYS):
    if deps.native() not in os.environ.get("AXVCPU_ARCHES", deps.native()).split():
        print("TAP version 13\n1..0 # SKIP not of this architecture")
        return
    with contextlib.redirect_stdout(io.StringIO()):
        ends = Ends(ways[0].machine)
    print(f"TAP version 13\n1..{len(ways)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(ends.end, ways)
        for number, (way, (problem, lines)) in enumerate(zip(ways, results), 1):
            print(f"{'not ok' if problem else 'ok'} {number} {way.name}", flush=True)
            if problem:
                print(f"# {problem}", *lines, sep="\n# ", flush=True)


if __name__ == "__main__":
    main()
