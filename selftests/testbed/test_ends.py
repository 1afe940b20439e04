#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does a machine end well while guests run on all its CPUs?

A CPU that is left in VMX operation takes no INIT: the next kernel could not
start it. So kexec must bring one up with all its CPUs.
"""

import concurrent.futures
import contextlib
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

MACHINE = machines.MACHINES["vmx2"]
LIMIT = 120     # seconds, of an end, and a boot; on a machine with nothing else to do

# Does another kernel come up?
WAYS = {"kexec": True, "reboot": False, "panic": False}


def next_kernel(builder, kernel, token, options):
    """What machine_end.c looks for, as an archive behind the first one."""
    inner = initramfs.Archive()
    inner.add("init", builder.programs / "init")
    inner.add_bytes("testbed.conf",
                    f"token {token}\nport {bochs.POWER_PORT:#x}\n".encode())
    outer = initramfs.Archive()
    outer.add("kexec/kernel", kernel.image)
    outer.add_bytes("kexec/initramfs", inner.finish())
    outer.add_bytes("kexec/options", options.encode())
    return outer.finish()


def watch(session, token, next_token, way):
    """What is wrong with this way to end the machine."""
    session.until(token, "health", MACHINE.boot_limit, "boot")
    session.until(token, "begin", MACHINE.load_limit, "load the module")
    try:
        session.until(next_token, "health", LIMIT, "another kernel")
        session.until(next_token, "bye", LIMIT, "its end")
    except EOFError:
        if any(f"{token} end" in line for line in session.boot.output):
            return "it was refused"
        return "no other kernel came up" if WAYS[way] else None
    return None if WAYS[way] else "the machine did not end"


def end(builder, kernel, image, way):
    """What is wrong with it, or nothing, and the console's lines."""
    token, next_token = check.new_token(), check.new_token()
    conf = check.configuration(MACHINE, token, [f"test {way} /selftests/machine_end {way}"])
    blob = image(conf) + next_kernel(builder, kernel, next_token, bochs.OPTIONS)
    with machines.Run(MACHINE, kernel, blob) as run, io.StringIO() as log:
        session = check.Session(run, log)
        try:
            problem = watch(session, token, next_token, way)
        except TimeoutError as error:
            problem = str(error)
        except EOFError:
            problem = "it stopped too early"
        lines = log.getvalue().splitlines()
    # A panic is not to be reported here.
    return problem or "; ".join(session.boot.problems if way != "panic" else []), lines


def main():
    if deps.native() not in os.environ.get("AXVCPU_ARCHES", deps.native()).split():
        print("TAP version 13\n1..0 # SKIP not of this architecture")
        return
    builder = build.Builder(MACHINE.arch, False)
    with contextlib.redirect_stdout(io.StringIO()):
        kernel = builder.kernel(MACHINE.flavour)
        builder.userspace(kernel)
        module = builder.module(MACHINE.module, kernel)
    image = builder.initramfs(kernel, [module], ["machine_end"])
    print(f"TAP version 13\n1..{len(WAYS)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ends = pool.map(lambda way: end(builder, kernel, image, way), WAYS)
        for number, (way, (problem, lines)) in enumerate(zip(WAYS, ends), 1):
            print(f"{'not ok' if problem else 'ok'} {number} {way}", flush=True)
            if problem:
                print(f"# {problem}", *lines, sep="\n# ", flush=True)


if __name__ == "__main__":
    main()
