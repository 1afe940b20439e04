# SPDX-License-Identifier: GPL-2.0-only
"""Where lines break and how they are indented, by clang-format.

Columns inside a line are the author's, and so are the lines of a macro and of
an initializer's table: clang-format would pull tables apart that are made to be
read from top to bottom.
"""

import difflib
import re
import subprocess

from problem import ROOT, Problem, environment


def tables(lines):
    """Numbers of the lines, from 0, that are in a macro, an initializer or an asm statement."""
    found = set()
    end = None
    for number, line in enumerate(lines):
        if re.match(r"\s*#", line) or (number and lines[number - 1].endswith("\\")):
            found.add(number)
        if end is not None:
            found.add(number)
            if re.match(end, line):
                end = None
        elif re.search(r"= \{$", line):
            found.add(number)
            end = re.match(r"\s*", line)[0] + r"\}"
        elif re.search(r"\basm\b.*\(", line) and not line.endswith(";"):
            found.add(number)
            end = r".*;$"
    return found


def shape(line):
    """A line without what is the author's."""
    indent = re.match(r"[ \t]*", line)[0]
    rest = re.sub(r"\s+", " ", line[len(indent):])
    return indent.expandtabs(8) + rest.strip()


def differences(name):
    """What clang-format would change in a file: (line, its lines, clang-format's)."""
    text = (ROOT / name).read_text(encoding="utf-8")
    done = subprocess.run(["clang-format", "--style=file", f"--assume-filename={ROOT / name}"],
                          input=text, cwd=ROOT, env=environment(), text=True,
                          capture_output=True, check=True)
    ours, theirs = text.splitlines(), done.stdout.splitlines()
    free = tables(ours)
    matcher = difflib.SequenceMatcher(None, [shape(line) for line in ours],
                                      [shape(line) for line in theirs], autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag != "equal" and not free.issuperset(range(first, max(last, first + 1))):
            yield first + 1, ours[first:last], theirs[begin:end]


def problems(name):
    for line, ours, theirs in differences(name):
        text = "clang-format would write"
        text += "".join(f"\n\t{row.strip()}" for row in theirs) if theirs else " nothing here"
        yield Problem(name, line, text + ("\n    instead of" + "".join(
            f"\n\t{row.strip()}" for row in ours) if ours else ""))
