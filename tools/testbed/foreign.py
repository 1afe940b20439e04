# SPDX-License-Identifier: GPL-2.0-only
"""Somebody's program as a test: make check FILES=DIR CMD="PROGRAM ARGUMENTS"."""

import dataclasses
import os
import shlex
import sys

import check
import files
from build import say

SCRIPT = "command"
LIMIT = 7200        # in seconds of CPU time: it may be a system that boots


class Program(files.Files):
    """The files, and what of them to run."""

    def __init__(self, options):
        if not options.program:
            sys.exit("FILES=DIR: make check wants to know what to run: CMD=\"PROGRAM ...\". "
                     "make shell FILES=DIR leaves it to you.")
        if not options.files:
            sys.exit("CMD runs a program of a directory: name that, too, by FILES=DIR.")
        if options.test:
            sys.exit("T names a test, and CMD what to run instead: which of them?")
        super().__init__(options.files)
        self.command = options.program
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            sys.exit(f"CMD: {error}.")
        if not words:
            sys.exit("CMD names no program.")
        self.path = self.program(words[0])
        self.elf = files.Elf.read(self.path)

    def fits(self, machine):
        """A script may do anywhere."""
        return not self.elf or self.elf.arch() == machine.arch

    def check(self, where):
        """Can these machines run it?"""
        for machine in where:
            if machine.module == "axvcpu_kunit":
                sys.exit(f"The machine {machine.name} runs KUnit, and no programs.")
            if not self.fits(machine):
                sys.exit(f"CMD: {self.path.name} is a program for {self.elf.machine}, "
                         f"and {machine.name} is {machine.arch}.")

    def test(self, machine, alone):
        """What init is to run there; @alone: it is the only machine."""
        prefix = "" if alone else f"{machine.name}: "
        return check.Test(self.path.name, (), LIMIT, ("/bin/sh", f"/{SCRIPT}"), raw=True,
                          show=lambda text: say(prefix + text))

    def room(self, machine):
        return dataclasses.replace(machine, memory=machine.memory + self.memory())

    def add_to(self, archive, arch):
        super().add_to(archive, arch)
        archive.add_bytes(SCRIPT, (files.ENVIRONMENT + self.command + os.linesep).encode())
