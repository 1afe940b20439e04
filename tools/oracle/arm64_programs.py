# SPDX-License-Identifier: GPL-2.0-only
"""Programs for the arm64 oracle's runner: selftests/oracle/arm64/oracle.h."""

import dataclasses
import struct

import assembly

MODES = ("el1",)

# As in oracle.h
CODE, CODE_ALIAS, DATA = 0x40200000, 0x40201000, 0x40202000
STACK, ABSENT, READ_ONLY, WINDOW = 0x40204000, 0x40208000, 0x40209000, 0x4020a000
WINDOW_ENTRY = 0x40090000 + (WINDOW >> 12 & 511) * 8
DEVICE = 0x09010008
EL0, IRQ, USES_DEVICE = 1, 2, 4
CODE_WORDS = 128

END = "brk #0x777"
PSTATE_SS, PSTATE_D, PSTATE_I, PSTATE_DAIF = 1 << 21, 0x200, 0x80, 0x3c0
# Of programs that say nothing: debug exceptions are taken, interrupts are masked.
PSTATE = PSTATE_DAIF & ~PSTATE_D
MDSCR_SS, MDSCR_KDE, MDSCR_MDE = 1, 1 << 13, 1 << 15
TOOLS = assembly.Tools(("aarch64-linux-gnu-as",), ("aarch64-linux-gnu-ld",),
                       "aarch64-linux-gnu-objcopy")


@dataclasses.dataclass
class Program:
    name: str
    before: str             # assembly: up to the instruction that it is about
    text: str               # that instruction
    after: str = "nop"
    flags: int = 0
    pstate: int = PSTATE
    mdscr: int = 0
    bcr: int = 0
    wcr: int = 0
    sctlr: int = 0          # bits that are not as the runner has them
    bvr: object = 0         # a number; "text": where that instruction is
    wvr: int = 0
    regs: dict = dataclasses.field(default_factory=dict)
    code: bytes = b""
    offset: int = 0
    parts: int = 0          # instructions that it can go without

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
        return struct.pack("<6I3Q31Q", number, self.flags, self.pstate, self.mdscr, self.bcr,
                           self.wcr, self.sctlr, bvr, self.wvr, *self.registers()) + \
            self.code + bytes(4 * (CODE_WORDS - words))


FLAGS = ((EL0, "EL0"), (IRQ, "an interrupt is pending"))


def shown(program):
    """A program for a person to read."""
    _assemble([program])
    state = [text for flag, text in FLAGS if program.flags & flag] + \
        [f"{name} {getattr(program, name):#x}"
         for name in ("pstate", "mdscr", "bcr", "wcr", "sctlr") if getattr(program, name)]
    return "\n".join([", ".join(state)] + assembly.disassemble(
        program.code, CODE, ("aarch64-linux-gnu-objdump", "-m", "aarch64")))


def _assemble(programs):
    assembly.assemble(programs, ".arch armv8.5-a+pauth+lse", END, TOOLS)


def image(programs):
    """struct oracle_programs."""
    _assemble(programs)
    return assembly.image(programs, len(programs))
