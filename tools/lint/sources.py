# SPDX-License-Identifier: GPL-2.0-only
"""Checks that read the sources."""

import fnmatch
import functools
import hashlib
import re
import statistics
import subprocess

import layout
from problem import BUILD, ROOT, Problem, failed, parse, run

COLUMNS = 100

# The common code is read in an afternoon, a backend in another.
COMMON = ("axvcpu*.[ch]",)
COMMON_LINES = 5000
BACKEND_LINES = 5300
# A function fits a screen, and most are much smaller.
FUNCTION_LINES = 50
FUNCTION_MEDIAN = 6

# Greps: name, files, files that are exempt, pattern, what is wrong with it.
RULES = (
    ("state", ("axvcpu*.[ch]", "arch/*", "kunit/*"), ("axvcpu_state.c",),
     r"vcpu->state\s*=[^=]|WRITE_ONCE\(\s*vcpu->state|&vcpu->state",
     "only axvcpu_state.c writes the state"),
    ("architecture", COMMON, ("axvcpu_compat.h",),
     r"\bCONFIG_(X86|ARM64|RISCV)\w*|\b__(x86_64|i386|aarch64|riscv)\w*__\b|#include <asm/",
     "the common code does not know the architecture"),
    ("version", ("*.[chS]", "Kbuild"), (), r"\b(KERNEL_VERSION|LINUX_VERSION_CODE)\b",
     "kernels are told apart by probes of their headers, never by version"),
    ("probes", ("*.[chS]",), ("axvcpu_compat.h",), r"#.*\bAXVCPU_HAVE_",
     "axvcpu_compat.h alone uses the probes"),
)


@functools.cache
def files(*patterns, without=()):
    """The tree's own files: known to git, or new and not ignored."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout.splitlines()
    return tuple(sorted(
        name for name in listed
        if (ROOT / name).is_file() and any(fnmatch.fnmatch(name, p) for p in patterns)
        and not any(fnmatch.fnmatch(name, p) for p in without)))


@functools.cache
def scripts(interpreter):
    """Files that name an interpreter in their first line."""
    found = []
    for name in files("*"):
        with open(ROOT / name, "rb") as file:
            if re.match(rb"#!.*\b" + interpreter.encode() + rb"\b", file.readline()):
                found.append(name)
    return tuple(found)


@functools.cache
def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


@functools.cache
def kernel_source():
    status, output = run("tools/lint/kernel-source")
    if status:
        raise RuntimeError(output)
    return output.splitlines()[-1]


def each(tool, command, names):
    """What a slow tool says about each file; kept until the file changes."""
    kept = BUILD / tool
    kept.mkdir(parents=True, exist_ok=True)
    for name in names:
        digest = hashlib.sha256("\0".join([*command, name, text(name)]).encode()).hexdigest()
        if not (kept / digest).exists():
            # checkpatch leaves a file of its own where it runs.
            _, output = run(*command, ROOT / name, cwd=kept)
            (kept / digest).write_text(output.replace(f"{ROOT}/", ""))
        yield (kept / digest).read_text()


def checkpatch():
    """The kernel's style, strictly."""
    command = ("perl", f"{kernel_source()}/scripts/checkpatch.pl", "--no-tree", "--strict",
               "--terse", "--no-summary", "--show-types", f"--max-line-length={COLUMNS}", "-f")
    for output in each("checkpatch", command, files("*.[chS]")):
        yield from parse(output, r"^(?P<file>[^:\s]+):(?P<line>\d+): (?P<text>\w+:.*)$")


def clang_format():
    """The layout that .clang-format asks for."""
    for name in files("*.[ch]"):
        yield from layout.problems(name)


def kernel_doc():
    """Kernel-doc comments that don't fit what they describe."""
    command = ("perl", f"{kernel_source()}/scripts/kernel-doc", "-none", "-Wall")
    for output in each("kernel-doc", command, files("*.[ch]")):
        yield from parse(output,
                         r"^(?P<file>[^:\s]+):(?P<line>\d+): (?P<text>(warning|error): .*)$")


def shellcheck():
    """Shell scripts."""
    status, output = run("shellcheck", "--format=gcc", *scripts("sh"), *scripts("bash"))
    return failed("shellcheck", status, output, list(parse(
        output, r"^(?P<file>[^:\s]+):(?P<line>\d+):\d+: (?P<text>.*)$")))


def python():
    """Python that does not compile, or has names that don't exist or aren't used."""
    names = sorted({*files("*.py"), *scripts("python3")})
    status, output = run("pyflakes3", *names)
    problems = list(parse(output, r"^(?P<file>[^:\s]+):(?P<line>\d+):(\d+:?)? (?P<text>.*)$"))
    long = [Problem(name, number, f"line over {COLUMNS} columns")
            for name in names for number, line in enumerate(text(name).splitlines(), 1)
            if len(line) > COLUMNS]
    return failed("pyflakes3", status, output, problems) + long


def codespell():
    """Common misspellings, in code and documents."""
    status, output = run("codespell", "--ignore-words", "tools/lint/words", *files("*"))
    return failed("codespell", status, output, list(parse(
        output, r"^(?P<file>[^:\s]+):(?P<line>\d+): (?P<text>.*)$")))


def licence():
    """Each file says its licence at its top."""
    commentable = files("*.[chS]", "*.py", "*.rst", "*.config", "*Makefile", "*Kbuild", "*.objs")
    for name in sorted({*commentable, *scripts("sh"), *scripts("python3")}):
        # The library may be linked with a VMM of another licence.
        wanted = "(GPL-2.0-only|LGPL-2.1-or-later)" if name.startswith("tools/lib/") \
            else "GPL-2.0-only"
        if not re.search(f"SPDX-License-Identifier: {wanted}",
                         "\n".join(text(name).splitlines()[:3])):
            yield Problem(name, 1, f"no SPDX-License-Identifier: {wanted} in its first lines")


def rules():
    """The project's own rules."""
    for _, patterns, without, pattern, message in RULES:
        for name in files(*patterns, without=without):
            for number, line in enumerate(text(name).splitlines(), 1):
                if re.search(pattern, line):
                    yield Problem(name, number, f"{message}: {line.strip()}")


def code(name):
    """The lines of a C file that are neither comment nor blank."""
    stripped = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), text(name),
                      flags=re.S)
    return [line for line in re.sub(r"//.*", "", stripped).splitlines() if line.strip()]


def functions(name):
    """The functions of a C file: number of the first line, lines between the braces."""
    start = None
    for number, line in enumerate(text(name).splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = None


def budget():
    """Lines of code of each part of the module, and of its functions."""
    groups = {"common": (files(*COMMON), COMMON_LINES)}
    for name in sorted({name.split("/")[1] for name in files("arch/*")}):
        groups[f"arch/{name}"] = (files(f"arch/{name}/*.[chS]"), BACKEND_LINES)
    for group, (names, limit) in groups.items():
        lines = sum(len(code(name)) for name in names)
        if lines >= limit:
            yield Problem(group, 0, f"{lines} lines of code, the limit is {limit}")
        lengths = []
        for name in names:
            for number, length in functions(name):
                lengths.append(length)
                if length > FUNCTION_LINES:
                    yield Problem(name, number, f"a function of {length} lines, "
                                                f"the limit is {FUNCTION_LINES}")
        if statistics.median(lengths) > FUNCTION_MEDIAN:
            yield Problem(group, 0, f"functions of {statistics.median(lengths)} lines in the "
                                    f"median, the limit is {FUNCTION_MEDIAN}")
