# SPDX-License-Identifier: GPL-2.0-only
"""Spaces, indentation and braces, by clang-format.

Where it is not asked:

- columns, and where a long statement breaks (checkpatch looks at the alignment
  of what follows);
- macros, asm statements, and the tables of initializers, which are made to be
  read from top to bottom;
- attributes on a line of their own.
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
        before = lines[number - 1] if number else ""
        if re.match(r"\s*#", line) or before.endswith("\\"):
            found.add(number)
        if line.startswith("__attribute__") or before.startswith("__attribute__"):
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


def indentation(line):
    return len(re.match(r"[ \t]*", line)[0].expandtabs(8))


def shape(line):
    """A line without its columns."""
    return " " * indentation(line) + re.sub(r"\s+", " ", line.strip())


def unbroken(lines):
    """The same on one line."""
    return re.sub(r"([(]) ", r"\1", " ".join(shape(line).strip() for line in lines))


def continues(before):
    """Is the line before one that a statement goes on behind?"""
    return before.strip() and \
        not re.search(r"([;{}]|\*/|\b(case .*|default|^\w+):)$", before.strip()) and \
        not re.match(r"\s*((}? ?else|if|for|while|do|switch)\b|#)", before)


def is_break(ours, theirs, before):
    """Is it only that a statement breaks elsewhere?"""
    return ours and theirs and unbroken(ours) == unbroken(theirs) and \
        (continues(before) or indentation(ours[0]) == indentation(theirs[0])) and \
        not any(line.strip() in "{}" for line in ours + theirs)


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
        if tag != "equal" and not free.issuperset(range(first, max(last, first + 1))) and \
           not is_break(ours[first:last], theirs[begin:end], ours[first - 1] if first else ""):
            yield first + 1, ours[first:last], theirs[begin:end]


def problems(name):
    for line, ours, theirs in differences(name):
        text = "clang-format would write"
        text += "".join(f"\n\t{row.rstrip()}" for row in theirs) if theirs else " nothing here"
        yield Problem(name, line, text + ("\n    instead of" + "".join(
            f"\n\t{row.rstrip()}" for row in ours) if ours else ""))
