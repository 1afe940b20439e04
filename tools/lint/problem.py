# SPDX-License-Identifier: GPL-2.0-only
"""What a check has to say, and how it runs a tool."""

import dataclasses
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "lint"


@dataclasses.dataclass(frozen=True)
class Problem:
    file: str       # from the top of the tree
    line: int       # 0: the file as a whole
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class Skip(Exception):
    """A check that can't be made here, and why."""


def environment():
    # A make above us must not hand down its variables.
    return {k: v for k, v in os.environ.items()
            if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH", "BUILD",
                         "CROSS_COMPILE", "DESTDIR", "KDIR", "O", "PREFIX", "V", "M", "T")
            } | {"LC_ALL": "C.UTF-8"}


def run(*command, cwd=ROOT):
    """Run a tool; its exit status and all that it printed."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace", check=False)
    return done.returncode, done.stdout


def parse(output, pattern):
    """Problems out of a tool's output; pattern has the groups file, line and text."""
    for match in re.finditer(pattern, output, re.M):
        yield Problem(match["file"], int(match["line"]), match["text"])


def failed(tool, status, output, problems):
    """A tool that failed without a word that parse() knows is a problem too."""
    if status and not problems:
        problems.append(Problem(tool, 0, "failed:\n" + output.strip()[-3000:]))
    return problems
