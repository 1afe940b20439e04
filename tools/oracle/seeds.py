# SPDX-License-Identifier: GPL-2.0-only
"""Names of programs from seeds: seed-7, and seed-7~0~2 without two of its instructions."""

import itertools
import re

NAME = re.compile(r"seed-(\d+)((?:~\d+)*)")


def name_of(seed, without):
    return "~".join([f"seed-{seed}", *map(str, without)])


def parse(name):
    """(seed, without), or None: it is not the name of such a program."""
    match = NAME.fullmatch(name)
    return (int(match[1]), tuple(map(int, match[2].split("~")[1:]))) if match else None


def candidates(name, parts):
    """Names of a program of @parts instructions with less of them, down to none."""
    return ["~".join([name, *map(str, without)]) for count in range(1, parts + 1)
            for without in itertools.combinations(range(parts), count)]
