# SPDX-License-Identifier: GPL-2.0-only
"""Checks that compile."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import sources
from problem import BUILD, ROOT, Problem, Skip, failed, parse, run

sys.path.append(str(ROOT / "tools" / "testbed"))
import deps  # noqa: E402, pylint: disable=wrong-import-position
import kernels  # noqa: E402, pylint: disable=wrong-import-position

# The kernels that axvcpu supports: the newest headers of each are used.
RELEASES = ("6.1", "6.12")
PROGRAMS = ("tools/lib", "tools/vmm", "tools/bench", "guests", "selftests")

WARNING = r"^(?P<file>[^:\s]+):(?P<line>\d+):(\d+:)? (?P<text>(warning|error): .*)$"


def headers():
    """Where the headers of each supported release lie."""
    for release in RELEASES:
        found = [path for path in pathlib.Path("/lib/modules").glob(f"{release}.*/build")
                 if (path / "Makefile").exists()]
        if not found:
            raise Skip(f"no headers of Linux {release}")
        yield max(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parent.name)])


def targets():
    """What to build: a kernel's headers, its architecture, the module."""
    native = deps.native()
    for kdir in headers():
        for module in ("axvcpu", "axvcpu_mock"):
            yield kdir, native, module
    # Debian's kernels have no KUnit, and headers of another architecture's are not asked for.
    for arch, module in ((native, "axvcpu_kunit"), ("arm64", "axvcpu"), ("arm64", "selftests")):
        lean = kernels.Kernel(arch, "lean")
        if lean.complete():
            yield lean.dir, arch, module


def in_tree(problem, prefix):
    """The same problem with its file as it is called here; None: not our file."""
    name = problem.file.removeprefix(f"{prefix}/")
    if prefix.name == "selftests":
        name = f"selftests/modules/{name}"
    return Problem(name, problem.line, problem.text) if (ROOT / name).is_file() else None


def objtool(output, prefix):
    """What objtool says. It can't be told to fail: its object is removed, to be judged again."""
    for name, said in re.findall(r"^(\S+\.o): warning: (objtool: .*)$", output, re.M):
        (prefix / name).unlink(missing_ok=True)
        yield Problem(name.removeprefix(f"{prefix}/"), 0, said)


def module(build, *options):
    """Build each module for each kernel; what the compiler says about our files."""
    problems = []
    for kdir, arch, name in targets():
        release = (kdir / "include/config/kernel.release").read_text().strip()
        top = build / arch
        goal = ("test-modules",) if name == "selftests" else ("module", f"AXVCPU_MODULE={name}")
        status, output = run("make", "-s", "-k", *goal, f"KDIR={kdir}", f"BUILD={top}",
                             f"ARCH={arch}", f"CROSS_COMPILE={kernels.cross(arch)}",
                             "W=1", "KCFLAGS=-Werror", *options)
        prefix = top / release / name
        ours = [in_tree(problem, prefix) for problem in parse(output, WARNING)]
        ours = [p for p in ours if p] + list(objtool(output, prefix))
        problems += failed(f"{name} for {arch} {release}", status, output, ours)
    # The same warning comes from several kernels.
    return list(dict.fromkeys(problems))


def module_gcc():
    """The modules with gcc, W=1 and sparse, for both kernels."""
    return module(BUILD / "gcc", "C=1", "CF=-Wsparse-error")


def module_clang():
    """The modules with clang and W=1, for both kernels; objtool can't judge it."""
    return module(BUILD / "clang", f"CC={ROOT}/tools/lint/clang-kbuild", "objtool=true")


def programs(compiler):
    """The libraries and programs."""
    problems = []
    kselftest = f"{sources.kernel_source()}/tools/testing/selftests"
    for directory in PROGRAMS:
        if not (ROOT / directory / "Makefile").exists():
            continue
        # What the kernel's header does is not ours to mend: it is a system header.
        status, output = run("make", "-s", "-k", "-C", directory, f"CC={compiler}",
                             f"CFLAGS=-O2 -g -Werror -isystem {kselftest}",
                             f"KSELFTEST_DIR={kselftest}", f"O={BUILD}/programs-{compiler}", "all")
        found = [Problem(os.path.normpath(os.path.join(directory, p.file)), p.line, p.text)
                 for p in parse(output, WARNING)]
        problems += failed(f"{directory} with {compiler}", status, output,
                           list(dict.fromkeys(found)))
    return problems


def programs_gcc():
    """The programs with gcc."""
    return programs("gcc")


def programs_clang():
    """The programs with clang."""
    return programs("clang")


def kernel_headers(directory):
    """A directory with the kernel's headers alone, of those that glibc's package has among its own.

    musl-gcc looks for headers where musl's are, and there are no others.
    """
    multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True,
                               check=True).stdout.strip()
    directory.mkdir(parents=True, exist_ok=True)
    for name, target in (("linux", "linux"), ("asm-generic", "asm-generic"),
                         ("asm", f"{multiarch}/asm")):
        link = directory / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/include/{target}")
    return directory


def programs_musl():
    """The library and axvmm with musl, and their tests; axvmm is linked statically."""
    if not shutil.which("musl-gcc"):
        raise Skip("no musl-gcc")
    include = kernel_headers(BUILD / "musl-include")
    problems = []
    for directory, *options in (("tools/lib",), ("tools/vmm", "STATIC=1")):
        status, output = run("make", "-s", "-k", "-C", directory, "CC=musl-gcc",
                             f"CFLAGS=-O2 -g -Werror -idirafter {include}", *options,
                             f"O={BUILD}/programs-musl", "all", "check")
        found = [Problem(os.path.normpath(os.path.join(directory, p.file)), p.line, p.text)
                 for p in parse(output, WARNING)]
        problems += failed(f"{directory} with musl", status, output, found)
    return problems


def readme():
    """The VMM in README.md compiles and links as it is told there."""
    blocks = re.findall(r"^```c\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    complete = [block for block in blocks if "int main(" in block]
    if not complete:
        return [Problem("README.md", 0, "has no program in C")]
    BUILD.mkdir(parents=True, exist_ok=True)
    objects = BUILD / "readme-lib"
    status, output = run("make", "-s", "-C", "tools/lib", f"O={objects}", "STATIC=1", "all")
    problems = failed("tools/lib", status, output, [])
    for number, block in enumerate(complete):
        program = BUILD / f"readme{number}.c"
        program.write_text(block)
        status, output = run("gcc", "-Wall", "-Wextra", "-Werror", "-Itools/lib/include", "-Iuapi",
                             "-o", program.with_suffix(""), program, objects / "libaxvcpu.a")
        problems += failed("README.md", status, output, [])
    return problems
