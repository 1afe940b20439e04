# SPDX-License-Identifier: GPL-2.0-only
"""Checks of documents against the tree: MAINTAINERS, the manual pages."""

import fnmatch
import re

import sources
from problem import failed, parse, run, Problem

MAINTAINERS = "Documentation/MAINTAINERS"
DEVICE_PAGE = "tools/lib/man/axvcpu.4"
UAPI = "uapi/linux/axvcpu.h"


def covers(pattern, name):
    """Whether a pattern of MAINTAINERS means a file."""
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern)


def maintainers():
    """Each pattern is for files that there are, and each file has one."""
    patterns = [(number, line.split()[1])
                for number, line in enumerate(sources.text(MAINTAINERS).splitlines(), 1)
                if line.startswith("F:\t")]
    names = sources.files("*")
    for number, pattern in patterns:
        if not any(covers(pattern, name) for name in names):
            yield Problem(MAINTAINERS, number, f"{pattern} matches no file")
    for name in names:
        if not any(covers(pattern, name) for _, pattern in patterns):
            yield Problem(MAINTAINERS, 0, f"{name} has no entry")


def device_page():
    """axvcpu(4) has each ioctl."""
    for command in re.findall(r"^#define (AXVCPU_\w+)\s+_IO[RW]*\(", sources.text(UAPI), re.M):
        if not re.search(rf"^{command}\t", sources.text(DEVICE_PAGE), re.M):
            yield Problem(DEVICE_PAGE, 0, f"{command} is not in its tables")


def manual_pages():
    """What groff has to say of the manual pages."""
    for name in sources.files("tools/*/man/*"):
        status, output = run("groff", "-t", "-man", "-ww", "-Wbreak", "-z", "-Tutf8", name)
        yield from failed(name, status or output, output, list(parse(
            output, r"^\w+: ?(?P<file>[^:]+):(?P<line>\d+): (?P<text>.*)$")))


def documents():
    """MAINTAINERS and the manual pages."""
    return [*maintainers(), *device_page(), *manual_pages()]
