# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx directives that draw from headers what would otherwise be told twice.

    .. axvcpu-transitions::     the transitions, a row each
    .. axvcpu-diagram::         the same as a picture
    .. axvcpu-ioctls::          the vCPU's ioctls; the content has a line
                                "NAME: errors" for each of them
    .. axvcpu-constants:: FILE  the constants of a uapi header, with their comments
    .. axvcpu-selftests::       the tests of selftests/tests.conf, with the comment at
                                the top of each
"""

import pathlib
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.ext.graphviz import graphviz

TOP = pathlib.Path(__file__).resolve().parents[1]
TABLE = TOP / "axvcpu_table.h"

ARGUMENTS = {"STRUCT": "a struct", "FLAGS": "an integer", "NONE": "0"}
LOCKS = {"NONE": "no lock", "IDLE": "EBUSY", "WAIT": "waits"}


def words(name):
    """CREATED as people write it."""
    return name.capitalize()


def macro(name):
    """The lines of a macro of the table, without its first."""
    match = re.search(rf"#define {name}\(.*?\\\n((?:.*\\\n)*.*)\n", TABLE.read_text())
    return match[1].splitlines()


def transitions():
    found = [re.match(r"\s*T\((\w+),\s*(\w+),\s*(\w+)\)", line)
             for line in macro("AXVCPU_TRANSITIONS")]
    return [match.groups() for match in found if match]


def states(expression):
    """The states that an expression of AXVCPU_S() macros names."""
    found = []
    for name, suffix in re.findall(r"AXVCPU_S(?:\((\w+)\)|_(\w+))", expression):
        if name:
            found.append(words(name))
        else:
            definition = re.search(rf"#define AXVCPU_S_{suffix}\s+\((.*)\)\n", TABLE.read_text())
            found += states(definition[1])
    return found


def ioctls():
    rows = " ".join(line.rstrip("\\ ") for line in macro("AXVCPU_VCPU_IOCTLS"))
    row = re.compile(r"I\((\w+),\s*(\w+),\s*[^,]*,\s*(\w+),\s*([^,]*),\s*([^,]*),\s*\w+\)")
    for name, argument, lock, busy, bad in row.findall(rows):
        yield name, ARGUMENTS[argument], LOCKS[lock], states(busy), states(bad)


class Drawn(Directive):
    """A directive whose result depends on the table."""

    def depend(self):
        self.state.document.settings.env.note_dependency(str(TABLE))

    def table(self, header, rows):
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in [header, *rows]:
            lines += [f"   {'*' if not n else ' '} - {cell}" for n, cell in enumerate(row)]
        node = nodes.container()
        self.state.nested_parse(StringList(lines, source=str(TABLE)), self.content_offset, node)
        return node.children


class Transitions(Drawn):
    def run(self):
        self.depend()
        return self.table(("operation", "from", "to"),
                          [(f"``{op}``", words(old), words(new)) for op, old, new in transitions()])


class Diagram(Drawn):
    def run(self):
        self.depend()
        lines = ["digraph states {", "rankdir=LR; node [shape=box style=rounded fontname=sans];",
                 "edge [fontname=sans fontsize=10];",
                 "new [shape=point]; new -> Created [label=CREATE];"]
        for op, old, new in transitions():
            lines.append(f'{words(old)} -> {words(new)} [label="{op}"];')
        for name in dict.fromkeys(old for _, old, _ in transitions() if old != "INVALID"):
            lines.append(f"{words(name)} -> Invalid [style=dashed color=gray];")
        node = graphviz()
        node["code"] = "\n".join([*lines, "}"])
        node["options"] = {}
        node["alt"] = "the states of a vCPU"
        return [node]


class Ioctls(Drawn):
    has_content = True

    def run(self):
        self.depend()
        errors = dict(line.split(":", 1) for line in self.content if line.strip())
        rows = []
        for name, argument, lock, busy, bad in ioctls():
            if name not in errors:
                raise self.error(f"{name} is in axvcpu_table.h, and its errors are not told")
            rows.append((f"``{name}``", argument, lock, ", ".join(busy) or "--",
                         ", ".join(bad) or "--", errors.pop(name).strip()))
        if errors:
            raise self.error(f"not in axvcpu_table.h: {', '.join(errors)}")
        return self.table(("ioctl", "argument", "while another thread runs it",
                           "EBUSY when", "EBADFD, no effect, when", "other errors"), rows)


def constants(text):
    """Groups of #defines: (comment above, [(name, value, comment behind)])."""
    block = re.compile(r"/\*\*? (?P<title>[^*]*?) \*/\n(?P<rows>(?:#define \S+[ \t]+.*\n)+)"
                       r"|^#define.*\n", re.M)
    row = re.compile(r"#define (\S+?)(?:\(\w+\))?\s+(.*?)(?:\s*/\* (.*) \*/)?$", re.M)
    for match in block.finditer(text):
        if match["title"] and "_IO" not in match["rows"]:
            yield match["title"], row.findall(match["rows"])


class Constants(Drawn):
    required_arguments = 1

    def run(self):
        header = TOP / self.arguments[0]
        self.state.document.settings.env.note_dependency(str(header))
        rows = []
        for title, group in constants(header.read_text()):
            # "NAME - what it is" above a constant, or what the group is for.
            title = re.sub(r"[&%](?:struct |enum )?([\w.]+)", r"``\1``", title.split(" - ")[-1])
            rows += [(f"``{name}``", f"``{value}``", f"{comment} ({title})" if comment else title)
                     for name, value, comment in group]
        return self.table(("constant", "value", "meaning"), rows)


class Selftests(Drawn):
    def run(self):
        environment = self.state.document.settings.env
        conf = TOP / "selftests/tests.conf"
        environment.note_dependency(str(conf))
        rows = []
        for line in conf.read_text().splitlines():
            words = line.split("#")[0].split()
            source = TOP / f"selftests/{words[0]}.c" if words else None
            if source and source.exists():
                environment.note_dependency(str(source))
                comment = re.search(r"/\*(.*?)\*/", source.read_text(), re.S)[1]
                about = re.sub(r"\s*\n \*\s*", " ", comment).strip()
                about = re.sub(r"([*`|_\\])", r"\\\1", about)
                rows.append((f"``{words[0]}``", words[1].replace(",", ", "), about))
        return self.table(("test", "machines", "about"), rows)


def setup(app):
    app.add_directive("axvcpu-transitions", Transitions)
    app.add_directive("axvcpu-diagram", Diagram)
    app.add_directive("axvcpu-ioctls", Ioctls)
    app.add_directive("axvcpu-constants", Constants)
    app.add_directive("axvcpu-selftests", Selftests)
    return {"version": "1", "parallel_read_safe": True}
