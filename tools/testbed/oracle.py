# SPDX-License-Identifier: GPL-2.0-only
"""What leaves something else in a vCPU than on the bare CPU, in its smallest form."""

import os
import re
import subprocess

import build
import kernels

GENERATE = build.TOP / "tools/oracle/generate"
MOST = 6                    # failures that are reduced

# Of so many seeds, programs and reports fit into a machine's initramfs.
SEEDS_A_BOOT = 10000

DIFFERS = re.compile(r"# (\S+): bare\|vCPU:(.*)")


def chunks():
    """SEEDS, in parts that a boot can take: [] where it does not say which."""
    match = re.fullmatch(r"(\d+)-(\d+)", os.environ.get("SEEDS", ""))
    if not match:
        return []
    first, last = int(match[1]), int(match[2])
    return [f"{at}-{min(at + SEEDS_A_BOOT - 1, last)}"
            for at in range(first, last + 1, SEEDS_A_BOOT)]


def _set(name, value):
    """A variable of selftests/Makefile, whose value may come by make's command line."""
    os.environ[name] = value
    flags = os.environ.get("MAKEFLAGS", "")
    os.environ["MAKEFLAGS"] = re.sub(rf"\b{name}=\S+", f"{name}={value}", flags)


def seeds(chunk):
    """From now on, selftests are built with the programs of these seeds."""
    _set("SEEDS", chunk)


def differences(result):
    """{name of a program: what differs}, as the test prints them."""
    found = (DIFFERS.search(line) for line in result.output)
    return {match[1]: match[2].strip() for match in found if match}


def _ask(arch, option, names):
    """What tools/oracle/generate says of programs."""
    done = subprocess.run([GENERATE, option, ",".join(names),
                           kernels.ARCHES[arch].get("srcarch", arch)], check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout


def only(names):
    """From now on, selftests are built with these programs alone."""
    os.environ["ORACLE"] = "1"
    _set("ONLY", ",".join(names))


def not_only():
    """All of them again."""
    _set("ONLY", "")


def candidates(arch, failed):
    """Names of all that the generated programs among @failed can be reduced to."""
    seeds = [name for name in failed if name.startswith("seed-")][:MOST]
    return _ask(arch, "--candidates", seeds).split() if seeds else []


def smallest(failed, reduced):
    """{name: (what it is reduced to, what differs there)}; those of the catalogue as they are."""
    found = {}
    for name, text in list(failed.items())[:2 * MOST]:
        tries = [(other, reduced[other]) for other in reduced
                 if other.split("~")[0] == name] or [(name, text)]
        found[name] = max(tries, key=lambda one: one[0].count("~"))
    return found


def explain(arch, found):
    """The programs' instructions beside what differs, as lines."""
    for name, (least, text) in found.items():
        yield f"{name}, reduced to {least}:" if least != name else f"{name}:"
        yield f"  bare|vCPU: {text}"
        for line in _ask(arch, "--show", [least]).splitlines():
            yield f"  {line}"
