#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do somebody's programs run on a machine? make shell and make check, with FILES=DIR."""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import deps         # noqa: E402

MACHINE = "mock-lean"
CRASH = "/sys/kernel/debug/provoke-crash/DIRECT"

PRINTS = """\
Hello, you there, in /files
device: yes
loopback: yes
tunnel: yes
filter: yes
[    1.234567] WARNING: CPU: 0 PID: 1 at kernel/panic.c:1
"""


def gcc(*arguments, text=None):
    if text:
        arguments += ("-x", "c", "-")
    subprocess.run(["gcc", "-Wall", "-Wextra", *arguments], input=text, text=True, check=True)


def fill(top):
    """Programs, libraries, scripts: what people have in a directory."""
    (top / "lib").mkdir()
    (top / "bin").mkdir()
    library, absent = top / "lib/libgreeting.so", top / "libabsent.so"
    for name in library, absent:
        gcc("-shared", "-fPIC", "-o", name,
            text='const char *greeting(void);\nconst char *greeting(void) { return "Hello"; }\n')
    for name, needs in ("foreign", library), ("broken", absent):
        gcc("-o", top / name, HERE / "foreign.c", f"-L{needs.parent}",
            "-l" + needs.stem.removeprefix("lib"))
    absent.unlink()
    (top / "bin/link").symlink_to("../foreign")
    (top / "other").write_bytes(bytes.fromhex("7f454c4602010100") + bytes(8) +
                                bytes.fromhex("0200b70001000000") + bytes(40))
    (top / "harm").write_text(f"#!/bin/sh\necho harm\necho WARNING >{CRASH}\nexit 3\n")
    for name in "harm", "other":
        (top / name).chmod(0o755)
    (top / "text").write_text("no program\n")


def testbed(*arguments, text=""):
    """Exit status, and what is printed."""
    done = subprocess.run([TOP / "tools/testbed/testbed", "--arch", "x86_64,arm64", *arguments],
                          input=text, text=True, check=False, cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def check(top, command, *more):
    return testbed("check", "--machine", MACHINE, "--files", str(top), "--program", command, *more)


def good_program(top):
    status, text = check(top, "bin/link 'you there'")
    return status == 0 and PRINTS in text and "\n2 passed, 0 failed\n" in text and \
        "broken needs libabsent.so, which is neither" in text, text


def bad_program(top):
    status, text = check(top, "harm")
    return status == 1 and "it ended with exit 3" in text and "kernel: WARNING: " in text and \
        "\nharm\n" in text and "\n1 passed, 1 failed\n" in text, text


def shell(top):
    status, text = testbed("shell", "--machine", MACHINE, "--files", str(top),
                           text="foreign 'you there'; cat text\nexit\n")
    text = text.replace("\r", "")
    return status == 0 and PRINTS in text and "\nno program\n" in text, text


ERRORS = (
    (("--files", "TOP/nowhere", "--program", "x"), "there is no such directory"),
    (("--files", "TOP/text", "--program", "x"), "there is no such directory"),
    (("--files", "TOP"), 'what to run: CMD="PROGRAM ...".'),
    (("--program", "foreign"), "name that, too, by FILES=DIR"),
    (("--files", "TOP", "--program", ""), "what to run"),
    (("--files", "TOP", "--program", "absent x"), "there is no absent in "),
    (("--files", "TOP", "--program", "text"), "text can't be executed"),
    (("--files", "TOP", "--program", "foreign 'x"), "CMD: No closing quotation"),
    (("--files", "TOP", "--program", "foreign", "--test", "exits"), "which of them?"),
    (("--files", "TOP", "--program", "foreign", "--machine", "vhe"), "and vhe is arm64"),
    (("--files", "TOP", "--program", "other", "--machine", "vmx"), "for AArch64, and vmx is"),
    (("--files", "TOP", "--program", "foreign", "--machine", "kunit"), "runs KUnit"),
)


def errors(top):
    said = []
    for arguments, message in ERRORS:
        status, text = testbed("check", *(word.replace("TOP", str(top)) for word in arguments))
        if status != 1 or message not in text or "Traceback" in text:
            said.append(f"{arguments}: {status}\n{text}")
    return not said, "".join(said)


def main():
    if deps.native() != "x86_64" or "x86_64" not in os.environ.get("AXVCPU_ARCHES",
                                                                   "x86_64").split():
        print("TAP version 13\n1..0 # SKIP not of this architecture")
        return
    cases = (good_program, bad_program, shell, errors)
    print(f"TAP version 13\n1..{len(cases)}")
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        fill(top)
        for number, case in enumerate(cases, 1):
            good, text = case(top)
            print(f"{'ok' if good else 'not ok'} {number} {case.__name__}", flush=True)
            if not good:
                print("# " + text.replace("\n", "\n# "), flush=True)


if __name__ == "__main__":
    main()
