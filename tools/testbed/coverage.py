# SPDX-License-Identifier: GPL-2.0-only
"""Which lines and branches of the module the tests reach: gcov's counts, of all machines."""

import collections
import dataclasses
import itertools
import json
import os
import re
import shutil
import subprocess

import build
import check
import qemu
from build import say

FLAVOUR = "distro"      # the kernel with CONFIG_GCOV_KERNEL
MACHINES = ("vmx", "vmx2", "vmx-old", "vmx-avx512", "vmx-distro", "mock", "kunit")
COVERAGE = build.BUILD / "coverage"

# Costs are another kernel's, and figures of a counting module say nothing.
UNSUITED = ("bench",)
# QEMU may execute what was there before the kernel patched itself, for a tracer.
UNSUITED_TO_QEMU = ("host_events",)
# A kernel that is locked down does not tell what it has counted.
LEAVE_OUT = {"raw_root": ("-T", "kernel_is_locked_down")}

STAMPED = re.compile(r" *\d+\.\d\d  ")     # as check.py writes logs
FILE = re.compile(r"@[0-9a-f]{8} file (\S+\.gcda) (-?\d+)$")
DATA = re.compile(r"(?:[0-9a-f]{2}|%\d+(?: |$))+$")


def counting(machine):
    """The machine with the kernel and the module that count."""
    return dataclasses.replace(machine, flavour=FLAVOUR, coverage=True)


def suited(machine, tests):
    """Without those that coverage is no place for."""
    unsuited = UNSUITED + (UNSUITED_TO_QEMU if machine.emulator is qemu else ())
    return [dataclasses.replace(test, args=test.args + LEAVE_OUT.get(test.name, ()))
            for test in tests if test.name not in unsuited]


def decode(text):
    """What init's print_hex() printed."""
    data = bytearray()
    for word in re.findall(r"%\d+|[0-9a-f]{2}", text):
        data += bytes(int(word[1:])) if word[0] == "%" else bytes.fromhex(word)
    return bytes(data)


def dumps(log, problems):
    """(path, bytes) of each file that a console's log has; @problems: what is not whole."""
    path, size, text = None, 0, []
    for line in [*log.read_text(errors="replace").splitlines(), "@ end"]:
        line = STAMPED.sub("", line).strip()
        if path and DATA.match(line):
            text.append(line)
            continue
        found = FILE.search(line)
        if (found or line.startswith("@")) and path:
            data = decode(" ".join(text))
            if len(data) != size:
                problems.append(f"{path}: {len(data)} bytes of {size} in {log.name}")
            else:
                yield path, data
            path = None
        if found:
            path, size, text = found[1], int(found[2]), []


class Counts:
    """Of a source file: how often each line ran, how often each branch was taken."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = {}

    def add(self, lines):
        here = collections.defaultdict(list)
        for line in lines:
            self.lines[line["line_number"]] += line["count"]
            here[line["line_number"]] += [branch["count"] for branch in line["branches"]]
        for number, counts in here.items():
            both = itertools.zip_longest(self.branches.get(number, ()), counts, fillvalue=0)
            self.branches[number] = [sum(pair) for pair in both]

    def figures(self):
        taken = [count for counts in self.branches.values() for count in counts]
        return {"lines": len(self.lines), "lines_run": sum(map(bool, self.lines.values())),
                "branches": len(taken), "branches_taken": sum(map(bool, taken))}


def collect(machine, logs, kernel, files):
    """Add what the boots of a machine left to @files; the answer is what could not be read."""
    problems = []
    directory = build.module_dir(machine.module, kernel, "COVERAGE=1")
    work = COVERAGE / machine.name
    for number, log in enumerate(sorted(logs.glob("console*.log"))):
        for path, data in dumps(log, problems):
            path = path.partition(str(directory) + "/")[2]
            gcda = work / str(number) / path
            gcda.parent.mkdir(parents=True, exist_ok=True)
            gcda.write_bytes(data)
            shutil.copy((directory / path).with_suffix(".gcno"), gcda.with_suffix(".gcno"))
            out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                                  gcda.name], cwd=gcda.parent, check=True, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            for line in out.splitlines():
                for file in json.loads(line)["files"]:
                    name = os.path.normpath(file["file"]).partition(str(directory) + "/")[2]
                    if name and wanted(name):
                        files[name].add(file["lines"])
    return problems


def wanted(name):
    return not name.startswith("arch/mock/") and "kunit" not in name


def group(name):
    return os.path.dirname(name) if name.startswith("arch/") else "common"


def report(jobs, kernel, tally):
    """Print a table of files; the whole of it and what was missed in build/coverage.

    A machine whose counts are not all there has failed.
    """
    shutil.rmtree(COVERAGE, ignore_errors=True)
    files = collections.defaultdict(Counts)
    for machine, logs in jobs:
        problems = collect(machine, logs, kernel, files)
        if problems:
            tally.tell(check.Result(machine.name, "coverage", problems=problems))
    table = {name: counts.figures() for name, counts in sorted(files.items())}
    totals = collections.defaultdict(collections.Counter)
    for name, figures in table.items():
        totals[group(name)].update(figures)
    say(f"\n{'':28} {'lines run':>20} {'branches taken':>22}")
    for name, figures in [*table.items(), *sorted(totals.items())]:
        say(f"{name:28} {part(figures, 'lines', 'lines_run'):>20} "
            f"{part(figures, 'branches', 'branches_taken'):>22}")
    COVERAGE.mkdir(parents=True, exist_ok=True)
    (COVERAGE / "coverage.json").write_text(json.dumps(table | totals, indent=1) + "\n")
    (COVERAGE / "missed.txt").write_text("".join(missed(name, files[name]) for name in table))
    say(f"\n{os.path.relpath(COVERAGE)}/coverage.json; missed.txt beside it lists the rest\n")


def part(figures, whole, some):
    if not figures[whole]:
        return "-"
    return f"{figures[some]}/{figures[whole]} {100 * figures[some] / figures[whole]:5.1f} %"


def missed(name, counts):
    """The lines that never ran, and those with a branch that was never taken."""
    source = (build.TOP / name).read_text().splitlines()
    text = ""
    for number in sorted(counts.lines):
        branches = counts.branches.get(number, [])
        if not counts.lines[number]:
            mark = "never"
        elif not all(branches):
            mark = f"{sum(map(bool, branches))}/{len(branches)}"
        else:
            continue
        text += f"{name}:{number}: {mark:6} {source[number - 1]}\n"
    return text
