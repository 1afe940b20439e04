# SPDX-License-Identifier: GPL-2.0-only
"""A cpio archive of the "newc" format, as the kernel takes for an initramfs."""

import pathlib
import stat

LINK = stat.S_IFLNK | 0o777


class Archive:
    def __init__(self):
        self.blob = bytearray()
        self.inode = 0
        self.dirs = set()

    def _entry(self, name, mode, data=b""):
        self.inode += 1
        name = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        self.blob += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._align()
        self.blob += data
        self._align()

    def _align(self):
        self.blob += b"\0" * (-len(self.blob) % 4)

    def _parents(self, name):
        for parent in reversed(pathlib.PurePosixPath(name).parents):
            parent = str(parent)
            if parent != "." and parent not in self.dirs:
                self.dirs.add(parent)
                self._entry(parent, stat.S_IFDIR | 0o755)

    def directory(self, name):
        self._parents(f"{name}/.")

    def add(self, name, path, program=False):
        """Add the file at @path under @name; programs stay executable."""
        path = pathlib.Path(path)
        mode = 0o755 if program or path.stat().st_mode & stat.S_IXUSR else 0o644
        self.add_bytes(name, path.read_bytes(), mode)

    def add_bytes(self, name, data, mode=0o644):
        self._parents(name)
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._parents(name)
        self._entry(name, LINK, target.encode())

    def finish(self):
        self._entry("TRAILER!!!", 0)
        self.blob += b"\0" * (-len(self.blob) % 512)
        return bytes(self.blob)
