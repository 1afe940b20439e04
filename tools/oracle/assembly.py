# SPDX-License-Identifier: GPL-2.0-only
"""Programs' code, whatever the architecture: assembled all at once."""

import dataclasses
import pathlib
import re
import struct
import subprocess
import tempfile

MAGIC = 0x6c63726f          # ORACLE_MAGIC

SCRIPT = "SECTIONS { . = 0; .text : { *(.text) } .table : { *(.table) } " \
         "/DISCARD/ : { *(.note*) } }"


@dataclasses.dataclass(frozen=True)
class Tools:
    """Commands: the assembler and the linker with their options."""
    assembler: tuple
    linker: tuple
    objcopy: str


def _source(programs, head, end):
    """What a program is made of is between labels; a table says where they are."""
    lines = [head]
    for n, one in enumerate(programs):
        lines += [f"begin_{n}:", one.before, f"text_{n}:", one.text, one.after, end, f"end_{n}:"]
    lines += [".section .table, \"a\""]
    lines += [f".long begin_{n} - begin_0, text_{n} - begin_0, end_{n} - begin_0"
              for n in range(len(programs))]
    return "\n".join(lines) + "\n"


def _sections(source, tools):
    """The code, and the table."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "p.s").write_text(source)
        (directory / "p.ld").write_text(SCRIPT)
        for command in ((*tools.assembler, "-o", "p.o", "p.s"),
                        (*tools.linker, "-T", "p.ld", "-o", "p.elf", "p.o")):
            subprocess.run(command, cwd=directory, check=True)
        parts = []
        for section in (".text", ".table"):
            subprocess.run((tools.objcopy, "-O", "binary", "-j", section, "p.elf", "part"),
                           cwd=directory, check=True)
            parts.append((directory / "part").read_bytes())
        return parts


def assemble(programs, head, end, tools):
    """
    Fill in the code of programs, and the offset in it of the instruction that they are about.
    @head stands before all of them, @end behind each.
    """
    text, table = _sections(_source(programs, head, end), tools)
    for one, (begin, about, end_of_it) in zip(programs, struct.iter_unpack("<3I", table)):
        one.code = text[begin:end_of_it]
        one.offset = about - begin


def disassemble(code, base, objdump):
    """Lines for a person to read; @objdump: the command, and which machine."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(code)
        file.flush()
        done = subprocess.run([*objdump, "-D", "-z", "-b", "binary", f"--adjust-vma={base:#x}",
                               file.name], check=True, text=True, stdout=subprocess.PIPE)
    return [line.expandtabs() for line in done.stdout.splitlines()
            if re.match(r" *[0-9a-f]+:", line)]


def image(programs, *header):
    """struct oracle_programs, whose @header begins with the magic number."""
    return struct.pack(f"<{1 + len(header)}I", MAGIC, *header) + \
        b"".join(one.pack(n) for n, one in enumerate(programs))
