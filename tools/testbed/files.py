# SPDX-License-Identifier: GPL-2.0-only
"""A directory of somebody's, on a machine: with the libraries that its programs need."""

import dataclasses
import os
import pathlib
import re
import stat
import subprocess
import sys

import deps
import kernels
from build import say

PLACE = "files"

# What readelf calls the machines whose programs a kernel executes, the 32-bit ones last.
MACHINES = {
    "x86_64": ("Advanced Micro Devices X86-64", "Intel 80386"),
    "arm64": ("AArch64", "ARM"),
}

# Where the loaders of the machines look by default; and where this computer has what they
# would find, for programs of its own architecture and of others.
LIBRARIES = "lib"
PLACES = ("lib", "usr/lib", "lib64", "usr/local/lib")

ENVIRONMENT = f"""\
cd /{PLACE}
export PATH=/{PLACE}:$PATH LD_LIBRARY_PATH=/{PLACE}:/{PLACE}/lib
"""


@dataclasses.dataclass(frozen=True)
class Elf:
    """What a program or a library is for, and what it needs."""
    machine: str
    interpreter: str
    needs: tuple
    paths: tuple        # where it says that they are

    @classmethod
    def read(cls, path):
        """None: it is no ELF file."""
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                return None
        text = subprocess.run(["readelf", "-W", "-h", "-l", "-d", path], check=False, text=True,
                              env=os.environ | {"LC_ALL": "C"}, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

        def all_of(pattern):
            return re.findall(pattern, text)
        return cls((all_of(r"Machine: +(.*)") or [""])[0].strip(),
                   (all_of(r"program interpreter: (.*)\]") or [""])[0],
                   tuple(all_of(r"\(NEEDED\).*\[(.*)\]")),
                   tuple(path for paths in all_of(r"\(R(?:UN)?PATH\).*\[(.*)\]")
                         for path in paths.split(":")))

    def arch(self):
        """The architecture whose kernel executes it, or None."""
        return next((arch for arch, names in MACHINES.items() if self.machine in names), None)


def roots(arch):
    """Directories that are, or have, what a system of that architecture has in its root."""
    prefix = kernels.ARCHES[arch]["cross"].rstrip("-")
    return [pathlib.Path("/")] if arch == deps.native() else [pathlib.Path("/usr") / prefix]


def library_places(arch):
    triplet = kernels.ARCHES[arch]["cross"].rstrip("-")
    for root in roots(arch):
        for place in PLACES:
            yield root / place / triplet
            yield root / place
    for place in ("/lib", "/usr/lib"):      # of a foreign architecture's packages
        yield pathlib.Path(place) / triplet


class Files:
    """What FILES= names."""

    environment = ENVIRONMENT

    def __init__(self, directory):
        self.top = pathlib.Path(directory)
        if not self.top.is_dir():
            sys.exit(f"FILES={directory}: there is no such directory.")
        self.top = self.top.resolve()
        self.paths = sorted(self.top.rglob("*"))
        self.size = sum(path.stat().st_size for path in self.paths if path.is_file())

    def memory(self):
        """MiB that a machine needs for them: an archive, the files, and room to read them."""
        return -(-3 * self.size // (64 << 20)) * 64

    def program(self, name):
        """The path of a program, which must be one."""
        path = self.top / name
        if not path.is_file():
            sys.exit(f"CMD: there is no {name} in {self.top}.")
        if not os.access(path, os.X_OK):
            sys.exit(f"CMD: {path} can't be executed: chmod +x, if it is a program.")
        return path

    def add_to(self, archive, arch):
        """Put them into an initramfs, and what they need beside."""
        for path in self.paths:
            name = f"{PLACE}/{path.relative_to(self.top)}"
            if path.is_symlink() and self._inside(path):
                archive.link(name, os.readlink(path))
            elif path.is_dir():
                archive.directory(name)
            elif path.is_file():
                archive.add(name, path)
            elif not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
                say(f"FILES: {path} is left out: it is no file")
        archive.directory(PLACE)
        added = set()
        for path in self.paths:
            if path.is_file() and not path.is_symlink():
                self._add_needs(archive, arch, path, added)

    def _inside(self, link):
        target = os.readlink(link)
        return not os.path.isabs(target) and link.exists() and \
            link.resolve().is_relative_to(self.top)

    def _add_needs(self, archive, arch, path, added):
        elf = Elf.read(path)
        if not elf or elf.arch() != arch:
            return
        wanted = [(name, LIBRARIES) for name in elf.needs]
        if elf.interpreter:     # first: libraries need it, too, and would have it elsewhere
            wanted.insert(0, (os.path.basename(elf.interpreter),
                              os.path.dirname(elf.interpreter).lstrip("/")))
        for name, place in wanted:
            if name in added:
                continue
            added.add(name)
            found = self._find(name, elf, path, arch)
            if not found:
                say(f"FILES: {path.name} needs {name}, which is neither in {self.top} nor among "
                    f"the {arch} libraries of this computer: put it there, or link statically")
            elif not found.is_relative_to(self.top):
                archive.add(f"{place}/{name}", found, program=True)
                self._add_needs(archive, arch, found, added)

    def _find(self, name, elf, path, arch):
        own = [pathlib.Path(place.replace("$ORIGIN", str(path.parent))
                            .replace("${ORIGIN}", str(path.parent))) for place in elf.paths]
        for place in (*own, self.top, self.top / "lib", *library_places(arch)):
            candidate = place / name
            if candidate.is_file():
                other = Elf.read(candidate)
                if other and other.machine == elf.machine:
                    return pathlib.Path(os.path.normpath(candidate))
        return None
