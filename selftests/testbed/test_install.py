#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does what "make install-tools" leaves serve a VMM's author? Without kernel headers."""

import os
import pathlib
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build/install"
PREFIX, LIBDIR = "/opt/axvcpu", "/opt/axvcpu/lib64"

HEADERS = ("libaxvcpu.h", "linux/axvcpu.h", "asm-x86/axvcpu.h", "asm-arm64/axvcpu.h")
FILES = (*(f"include/{header}" for header in HEADERS), "bin/axvmm", "lib64/libaxvcpu.a",
         "lib64/libaxvcpu.so", "lib64/pkgconfig/axvcpu.pc", "share/man/man1/axvmm.1",
         "share/man/man3/libaxvcpu.3", "share/man/man4/axvcpu.4", "share/axvcpu/guests/run.list")

PROGRAM = """\
#include <stdio.h>
#include <libaxvcpu.h>

int main(void)
{
	struct axvcpu_device *dev;

	if (!axvcpu_device_open("/dev/null", &dev))
		return 1;
	puts(axvcpu_error_text());
	return 0;
}
"""


class Tap:
    def __init__(self):
        self.count = 0
        print("TAP version 13")

    def result(self, good, name, output=""):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} {name}", flush=True)
        if not good:
            for line in output.splitlines()[-20:]:
                print(f"# {line}")
        return good


def run(*command, **environment):
    """Whether it went well, and what it printed."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "O")} | environment
    done = subprocess.run([str(word) for word in command], cwd=TOP, env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout


def flags(root, *options):
    """What pkg-config says of the library below @root."""
    return run("pkg-config", *options, "axvcpu", PKG_CONFIG_SYSROOT_DIR=str(root),
               PKG_CONFIG_LIBDIR=f"{root}{LIBDIR}/pkgconfig", PKG_CONFIG_PATH="")


def compiles(tap, root, scratch, name, *options):
    """A program is compiled as pkg-config says, and runs."""
    good, said = flags(root, "--cflags", "--libs")
    if good:
        good, said = run("gcc", "-Wall", "-Wextra", "-Werror", *options, "-o", scratch / "program",
                         scratch / "program.c", *said.split())
    if good:
        good, said = run(scratch / "program", LD_LIBRARY_PATH=f"{root}{LIBDIR}")
    tap.result(good and "not an axvcpu device" in said, name, said)


def install(root, prefix, *variables):
    """make install-tools, with relative paths; whether it went well, and what it printed."""
    return run("make", "install-tools", "KDIR=/nonexistent", f"BUILD={BUILD.relative_to(TOP)}",
               f"DESTDIR={root.relative_to(TOP)}", f"PREFIX={prefix}", *variables)


def main():
    tap = Tap()
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "program.c").write_text(PROGRAM)
        root = scratch / "root"
        good, said = install(root, PREFIX, f"LIBDIR={LIBDIR}")
        tap.result(good, "make install-tools without kernel headers, into a DESTDIR", said)
        for name in FILES:
            tap.result((root / PREFIX[1:] / name).is_file(), f"{name} is there")
        for header in HEADERS:
            (scratch / "header.c").write_text(f"#include <{header}>\n")
            good, said = run("gcc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                             f"-I{root}{PREFIX}/include", scratch / "header.c")
            tap.result(good, f"{header} compiles by itself", said)
        compiles(tap, root, scratch, "pkg-config, linked with the shared library")
        compiles(tap, root, scratch, "pkg-config, linked statically", "-static")

        _, said = install(root, "/usr")
        said += (root / "usr/lib/pkgconfig/axvcpu.pc").read_text()
        tap.result("prefix=/usr\n" in said, "another PREFIX after that", said)
    print(f"1..{tap.count}")


if __name__ == "__main__":
    main()
