# SPDX-License-Identifier: GPL-2.0-only
"""What goes into the machines: modules, programs, the initramfs."""

import contextlib
import copy
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import deps
import initramfs
import kernels

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = TOP / "build"
LOGS = BUILD / "logs"


def say(text):
    print(text, flush=True)


@contextlib.contextmanager
def lock(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def module_dir(name, kernel, *variables):
    """Where the Makefile builds a module."""
    suffixes = {"COUNT=1": "-count", "COVERAGE=1": "-gcov"}
    return BUILD / kernel.id / (name + "".join(suffixes[v] for v in variables))


class Builder:
    """Builds for one architecture, each thing once."""

    def __init__(self, arch, verbose):
        self.arch = arch
        self.verbose = verbose
        self.cross = kernels.cross(arch)
        self.programs = BUILD / f"testbed-{arch}"
        self.kernels = {}

    def kernel(self, flavour):
        if flavour not in self.kernels:
            kernel = kernels.Kernel(self.arch, flavour)
            kernel.build(LOGS)
            self.kernels[flavour] = kernel
        return self.kernels[flavour]

    def make(self, what, *args):
        command = ["make", "--no-print-directory", f"-j{os.cpu_count()}",
                   f"ARCH={self.arch}", f"CROSS_COMPILE={self.cross}", *map(str, args)]
        env = {k: v for k, v in os.environ.items()
               if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
        if self.verbose:
            say(" ".join(command))
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"build-{self.arch}-{what.replace(' ', '-').replace('/', '-')}.log"
        done = subprocess.run(command, cwd=TOP, env=env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        log.write_text(done.stdout)
        if done.returncode:
            sys.stdout.write(done.stdout[-4000:])
            raise kernels.BuildError(f"{what} does not build for {self.arch}; "
                                     f"the whole log is {log}")
        for line in done.stdout.splitlines():
            if self.verbose or "warning:" in line:
                say(line)

    def module(self, name, kernel, *variables):
        directory = module_dir(name, kernel, *variables)
        with lock(BUILD / ".lock"):
            self.make(f"{directory.name} {kernel.flavour}", "module", f"KDIR={kernel.dir}",
                      f"KERNEL_ID={kernel.id}", f"AXVCPU_MODULE={name}", *variables)
        return directory / f"{name}.ko"

    def counting_module(self, kernel):
        """axvcpu.ko that counts costly instructions, as axvcpu-count.ko."""
        made = self.module("axvcpu", kernel, "COUNT=1")
        return shutil.copy(made, made.with_name("axvcpu-count.ko"))

    def test_modules(self, kernel, tests):
        """selftests/modules/TEST.c: what a test inserts besides."""
        names = [test for test in tests if (TOP / f"selftests/modules/{test}.c").exists()]
        if names:
            with lock(BUILD / ".lock"):
                self.make(f"test-modules {kernel.flavour}", "test-modules",
                          f"KDIR={kernel.dir}", f"KERNEL_ID={kernel.id}")
        return [BUILD / kernel.id / "selftests" / f"{name}.ko" for name in names]

    def userspace(self, kernel):
        """Our programs, statically linked: the library, axvmm, axbench, guests, selftests."""
        self.userspace_init()
        with lock(BUILD / ".lock"):
            for directory in ("tools/lib", "tools/vmm", "tools/bench", "guests", "selftests"):
                if (TOP / directory / "Makefile").exists():
                    self.make(directory, "-C", directory, "STATIC=1",
                              f"O={self.output(directory)}",
                              f"KSELFTEST_DIR={kernel.kselftest}", "all")

    def userspace_init(self):
        init, source = self.programs / "init", HERE / "init.c"
        with lock(BUILD / ".lock"):
            self.programs.mkdir(parents=True, exist_ok=True)
            if not init.exists() or init.stat().st_mtime < source.stat().st_mtime:
                subprocess.run([self.cross + "gcc", "-Wall", "-Wextra", "-O2", "-static", "-s",
                                "-o", init, source], check=True)

    def output(self, directory):
        """Guests and selftests have a directory each; the rest shares one."""
        name = directory if directory in ("guests", "selftests") else "."
        return self.programs / name

    def _stripped(self, path):
        """Debugging information would only make the initramfs slow to load."""
        slim = self.programs / "stripped" / path.name
        if not slim.exists() or slim.stat().st_mtime < path.stat().st_mtime:
            slim.parent.mkdir(exist_ok=True)
            # Threads of this process may be at it, too.
            new = slim.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            done = subprocess.run([self.cross + "strip", "-o", new, path],
                                  stderr=subprocess.DEVNULL, check=False)
            if done.returncode:
                return path     # a script
            new.rename(slim)
        return slim

    def programs_of(self, test):
        """The program of a selftest, and its helpers: NAME-*; or a script NAME.sh."""
        built = self.output("selftests")
        script = TOP / "selftests" / f"{test}.sh"
        found = {test: built / test} if (built / test).exists() else {}
        if not found and script.exists():
            found = {test: script}
        found |= {path.name: path for path in built.glob(f"{test}-*") if "." not in path.name}
        return found

    def initramfs(self, kernel, modules, tests, files=None):
        """All of an initramfs but its /testbed.conf, which differs by boot.

        @files: somebody's, to be there too; see files.py.
        """
        archive = initramfs.Archive()
        archive.add("init", self.programs / "init")
        archive.add("bin/busybox", deps.busybox(self.arch, kernels.cache()))
        archive.link("bin/sh", "busybox")
        archive.add_bytes("etc/profile", (PROFILE + (files.environment if files else "")).encode())
        archive.add_bytes("etc/passwd", b"root::0:0:root:/:/bin/sh\n"
                                        b"nobody::65534:65534:nobody:/:/bin/sh\n")
        for path in [*modules, *kernel.modules()]:
            archive.add(f"modules/{path.name}", path)
        for name in ("axvmm", "axbench"):
            if (self.programs / name).exists():
                archive.add(f"bin/{name}", self._stripped(self.programs / name))
        guests = self.output("guests")
        for path in sorted(guests.rglob("*")) if guests.exists() else []:
            if path.is_file() and path.suffix not in (".o", ".d"):
                archive.add(f"guests/{path.relative_to(guests)}", path)
        for test in tests:
            for name, path in self.programs_of(test).items():
                archive.add(f"selftests/{name}", self._stripped(path))
        if files:
            files.add_to(archive, self.arch)
        head = bytes(archive.blob)

        def with_configuration(text):
            whole = copy.copy(archive)      # machines start side by side
            whole.blob = bytearray(head)
            whole.add_bytes("testbed.conf", text.encode())
            return whole.finish()
        return with_configuration


PROFILE = """\
export PATH=/bin:/selftests
PS1='axvcpu # '
"""
