# SPDX-License-Identifier: GPL-2.0-only
"""Programs for the arm64 oracle's runner: selftests/oracle/arm64/oracle.h."""

import dataclasses
import pathlib
import struct
import subprocess
import tempfile

# As in oracle.h
CODE, DATA = 0x40200000, 0x40202000
ABSENT, READ_ONLY = 0x40208000, 0x40209000
EL0 = 1
MAGIC, CODE_WORDS = 0x6c63726f, 24

END = "brk #0x777"
PSTATE_SS, PSTATE_DAIF, PSTATE_D = 1 << 21, 0x3c0, 0x200
MDSCR_SS, MDSCR_KDE, MDSCR_MDE = 1, 1 << 13, 1 << 15


@dataclasses.dataclass
class Program:
    name: str
    before: str             # assembly: up to the instruction that it is about
    text: str               # that instruction
    after: str = "nop"
    flags: int = 0
    pstate: int = PSTATE_DAIF & ~PSTATE_D
    mdscr: int = 0
    bcr: int = 0
    wcr: int = 0
    bvr: object = 0         # a number; "text": where that instruction is
    wvr: int = 0
    regs: dict = dataclasses.field(default_factory=dict)
    code: bytes = b""
    offset: int = 0

    def registers(self):
        values = [0x1111111111111111 * (n % 15 + 1) & 0xffffffffffffffff for n in range(31)]
        values[0] = DATA + 0x10
        values[1] = DATA + 0x40
        values[2] = 3
        for n, value in self.regs.items():
            values[n] = value
        return values

    def pack(self, number):
        bvr = CODE + self.offset if self.bvr == "text" else self.bvr
        words = len(self.code) // 4
        assert words <= CODE_WORDS, self.name
        return struct.pack("<6I2Q31Q", number, self.flags, self.pstate, self.mdscr, self.bcr,
                           self.wcr, bvr, self.wvr, *self.registers()) + \
            self.code + bytes(4 * (CODE_WORDS - words))


def assemble(programs, prefix="aarch64-linux-gnu-"):
    """Fill in the code of programs."""
    lines = [".arch armv8.5-a+pauth+lse"]
    for n, program in enumerate(programs):
        lines += [f"begin_{n}:", program.before, f"text_{n}:", program.text, program.after, END,
                  f"end_{n}:"]
    lines += [".section .table, \"a\""]
    lines += [f".word begin_{n} - begin_0, text_{n} - begin_0, end_{n} - begin_0"
              for n in range(len(programs))]
    with tempfile.TemporaryDirectory() as directory:
        base = pathlib.Path(directory)
        (base / "p.s").write_text("\n".join(lines) + "\n")
        subprocess.run([f"{prefix}as", "-o", base / "p.o", base / "p.s"], check=True)
        subprocess.run([f"{prefix}ld", "-Ttext=0", "-e", "0", "-o", base / "p.elf",
                        base / "p.o"], check=True)
        parts = {}
        for section in (".text", ".table"):
            subprocess.run([f"{prefix}objcopy", "-O", "binary", "-j", section, base / "p.elf",
                            base / "part"], check=True)
            parts[section] = (base / "part").read_bytes()
    for n, program in enumerate(programs):
        begin, text, end = struct.unpack_from("<3I", parts[".table"], 12 * n)
        program.code = parts[".text"][begin:end]
        program.offset = text - begin


def image(programs):
    """struct oracle_programs."""
    assemble(programs)
    return struct.pack("<2I", MAGIC, len(programs)) + \
        b"".join(program.pack(n) for n, program in enumerate(programs))
