# SPDX-License-Identifier: GPL-2.0-only
"""Programs for the oracle's runner: what selftests/oracle/oracle.h has, and how to write it."""

import dataclasses
import struct

import assembly

MODES = ("real", "prot16", "prot32", "pae", "compat", "long")
WIDTH = {"real": 16, "prot16": 16, "prot32": 32, "pae": 32, "compat": 32, "long": 64}
# Of the runner, in whose handlers exceptions end.
RUNNER = {"real": 16, "prot16": 32, "prot32": 32, "pae": 32, "compat": 64, "long": 64}
PAGED = ("pae", "compat", "long")

# As in selftests/oracle/oracle.h
CODE, DATA, ABSENT, NOTHING = 0x20000, 0x30000, 0x3f000, 0xde000
# The runner's page tables, as in selftests/oracle/x86/runner.ld
PML4, PDPT64, PD, PT, PDPT = 0xa000, 0xb000, 0xc000, 0xd000, 0xe000
SEL_HIGH = 0x80
SEL_TASK, TASK_VECTOR, TASK_CODE = 0x90, 0x21, 0x40
RING3, IRQ, NMI, TIMER, TASKS = 1, 2, 4, 8, 16
CODE_SIZE = 96
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(8)

PORT = 0x600                # nothing there in a PC
END = "int $0x30"
TF, IF = 0x100, 0x200
CR4_DE, CR4_OSXSAVE = 1 << 3, 1 << 18


def based(mode, offset):
    """The offset, in the programs' data segment, of one in ORACLE_DATA."""
    return offset if mode in ("real", "prot16") else DATA + offset


@dataclasses.dataclass
class Program:
    name: str
    mode: str
    before: str             # assembly: up to the instruction that it is about
    text: str               # that instruction
    after: str = "nop\nnop"
    flags: int = 0
    eflags: int = 0
    cr4: int = 0
    dr7: int = 0
    handles_nmi: bool = False   # the first NMI leads to a NOP before that instruction
    poke: tuple = (0, 0)        # an entry of the page tables, and its value meanwhile
    dr: tuple = (None, None, None, None)    # numbers; "text": where that instruction is
    regs: dict = dataclasses.field(default_factory=dict)
    code: bytes = b""
    offset: int = 0         # of the instruction, in code
    parts: int = 0          # instructions that it can go without

    def registers(self):
        values = [0x1111111111111111 * (n + 1) & 0x7fffffffffffffff for n in range(16)]
        if WIDTH[self.mode] != 64:
            values = [value & 0xffffffff for value in values]
        values[RDI] = based(self.mode, 0x10)
        values[RSI] = based(self.mode, 0x40)
        values[RDX] = PORT
        values[RCX] = 3
        values[RBX] = 0x12345678
        values[RAX] = 0x5a5a5a5a
        values[RBP] = 0
        for n, value in self.regs.items():
            values[n] = value
        if RUNNER[self.mode] != 64:
            values = [value & 0xffffffff for value in values]
        return values

    def pack(self, number):
        where = [CODE + self.offset if value == "text" else value or 0 for value in self.dr]
        assert len(self.code) <= CODE_SIZE, self.name
        handler = self.offset - 1 if self.handles_nmi else 0
        return struct.pack("<6I4Q2Q16Q", number, self.flags, self.eflags, self.cr4, self.dr7,
                           handler, *where, *self.poke, *self.registers()) + \
            self.code.ljust(CODE_SIZE, b"\xf4")


def assemble(programs):
    """Fill in the code of programs, all of one mode."""
    width = WIDTH[programs[0].mode]
    tools = assembly.Tools(("as", f"--{64 if width == 64 else 32}"),
                           ("ld", "-m", "elf_x86_64" if width == 64 else "elf_i386"), "objcopy")
    assembly.assemble(programs, f".code{width}", END, tools)


def image(programs):
    """struct oracle_programs: all of one mode."""
    assemble(programs)
    return assembly.image(programs, MODES.index(programs[0].mode), len(programs), 0)


FLAGS = ((RING3, "ring 3"), (IRQ, "an interrupt is pending"), (NMI, "an NMI is pending"),
         (TIMER, "the timer runs"), (TASKS, f"another task begins at {CODE + TASK_CODE:#x}"))


def shown(program):
    """A program for a person to read."""
    assemble([program])
    state = [program.mode] + [text for flag, text in FLAGS if program.flags & flag]
    for name in ("eflags", "cr4", "dr7"):
        if getattr(program, name):
            state.append(f"{name} {getattr(program, name):#x}")
    state += [f"dr{n} {CODE + program.offset if value == 'text' else value:#x}"
              for n, value in enumerate(program.dr) if value]
    if any(program.poke):
        state.append("{:#x} in the entry at {:#x}".format(*reversed(program.poke)))
    machine = {16: ("-m", "i386", "-Mi8086"), 32: ("-m", "i386"), 64: ("-m", "i386:x86-64")}
    base = 0 if program.mode in ("real", "prot16") else CODE
    return "\n".join([", ".join(state)] + assembly.disassemble(
        program.code, base, ("objdump", *machine[WIDTH[program.mode]])))


# struct oracle_reports: magic, how many, bytes, 0
REPORTS = struct.Struct("<4I")
