# SPDX-License-Identifier: GPL-2.0-only
"""Situations that hypervisors get wrong, crossed with each other."""

import dataclasses

from x86_programs import (ABSENT, CR4_DE, CR4_OSXSAVE, DATA, IF, IRQ, MODES, PAGED, PORT, RAX,
                          RCX, RDI, RDX, RING3, TF, WIDTH, Program)


@dataclasses.dataclass(frozen=True)
class Insn:
    """An instruction: D stands for (%rdi) by the mode's width, A for its accumulator."""
    name: str
    text: str
    before: str = ""
    io: int = 0             # the port that it accesses
    memory: str = ""        # "di" or "si": what it accesses
    regs: tuple = ()
    cr4: int = 0
    modes: tuple = MODES
    hangs: bool = False     # without an interrupt
    moves_on: bool = True   # the next instruction follows


NOT_LONG = tuple(mode for mode in MODES if mode != "long")
PROTECTED = MODES[1:]

INSNS = (
    Insn("nop", "nop"),
    Insn("mov-from", "mov D, %eax", memory="di"),
    Insn("mov-to", "mov %eax, D", memory="di"),
    Insn("add-to", "addl $1, D", memory="di"),
    Insn("push", "push A"),
    Insn("pushf", "pushf"),
    Insn("movsb", "movsb", memory="di"),
    Insn("rep-movsb", "rep movsb", memory="di"),
    Insn("ud2", "ud2"),
    Insn("int3", "int3"),
    Insn("int-0x21", "int $0x21"),
    Insn("icebp", ".byte 0xf1"),
    Insn("into", "into", modes=NOT_LONG),
    Insn("div", "divl %ebp"),
    Insn("cpuid", "cpuid", regs=((RAX, 0), (RCX, 0))),
    Insn("in-al", "in %dx, %al", io=PORT),
    Insn("in-eax", "in %dx, %eax", io=PORT),
    Insn("out-al", "out %al, %dx", io=PORT),
    Insn("out-eax", "out %eax, %dx", io=PORT),
    Insn("out-imm", "out %al, $0x80", io=0x80),
    Insn("insb", "insb", io=PORT, memory="di"),
    Insn("rep-insb", "rep insb", io=PORT, memory="di"),
    Insn("rep-insl", "rep insl", io=PORT, memory="di"),
    Insn("outsb", "outsb", io=PORT, memory="si"),
    Insn("rep-outsb", "rep outsb", io=PORT, memory="si"),
    Insn("rdmsr", "rdmsr", regs=((RCX, 0x174),)),
    Insn("wrmsr", "wrmsr", regs=((RCX, 0x174), (RAX, 0x10), (RDX, 0))),
    Insn("rdmsr-none", "rdmsr", regs=((RCX, 0x12345),)),
    Insn("wrmsr-none", "wrmsr", regs=((RCX, 0x12345),)),
    Insn("mov-from-cr0", "mov %cr0, R"),
    Insn("mov-to-cr0", "mov R, %cr0", "mov %cr0, R"),
    Insn("mov-to-cr0-bad", "mov R, %cr0", "mov %cr0, R\nor $0x20000000, %eax"),
    Insn("mov-to-cr3", "mov R, %cr3", "mov %cr3, R"),
    Insn("mov-from-cr4", "mov %cr4, R"),
    Insn("mov-to-cr4", "mov R, %cr4", "mov %cr4, R"),
    Insn("mov-to-cr4-bad", "mov R, %cr4", "mov %cr4, R\nor $0x80000000, %eax"),
    Insn("mov-from-cr8", "mov %cr8, %rax", modes=("long",)),
    Insn("mov-to-cr8", "mov %rax, %cr8", regs=((RAX, 0),), modes=("long",)),
    Insn("mov-to-cr8-bad", "mov %rax, %cr8", regs=((RAX, 16),), modes=("long",)),
    Insn("clts", "clts"),
    Insn("smsw", "smsw %ax"),
    Insn("lmsw", "lmsw %ax", "smsw %ax"),
    Insn("mov-from-dr0", "mov %dr0, R"),
    Insn("mov-from-dr7", "mov %dr7, R"),
    Insn("mov-to-dr3", "mov R, %dr3"),
    Insn("hlt", "hlt", hangs=True),
    Insn("invd", "invd"),
    Insn("wbinvd", "wbinvd"),
    Insn("invlpg", "invlpg D"),
    Insn("xsetbv-off", "xsetbv", regs=((RCX, 0), (RAX, 3), (RDX, 0))),
    Insn("xsetbv", "xsetbv", regs=((RCX, 0), (RAX, 3), (RDX, 0)), cr4=CR4_OSXSAVE),
    Insn("xsetbv-bad", "xsetbv", regs=((RCX, 0), (RAX, 2), (RDX, 0)), cr4=CR4_OSXSAVE),
    Insn("xgetbv", "xgetbv", regs=((RCX, 0),), cr4=CR4_OSXSAVE),
    Insn("rdpmc", "rdpmc", regs=((RCX, 0x1234),)),
    Insn("rsm", "rsm"),
    Insn("getsec", ".byte 0x0f, 0x37"),
    Insn("vmlaunch", "vmlaunch"),
    Insn("vmxoff", "vmxoff"),
    Insn("sidt", "sidt D"),
    Insn("sti", "sti"),
    Insn("cli", "cli"),
    Insn("mov-to-ds", "mov %ax, %ds", "mov %ds, %ax"),
    Insn("popf-tf", "popf", "pushf\norw $0x100, (%esp)", modes=("prot32", "pae", "compat")),
)


def substitute(text, mode):
    width = WIDTH[mode]
    pointer = {16: "(%di)", 32: "(%edi)", 64: "(%rdi)"}[width]
    text = text.replace("D", pointer)
    text = text.replace("A", {16: "%ax", 32: "%eax", 64: "%rax"}[width])
    return text.replace("R", "%rax" if width == 64 else "%eax")


def exec_breakpoint(n):
    return 1 << 2 * n


def breakpoint_on(n, kind, size):
    """DR7's bits: kind 1: writes, 2: I/O, 3: accesses; size 1, 2, 4."""
    return 1 << 2 * n | (kind | (size - 1) << 2) << 16 + 4 * n


def data_address(insn):
    return DATA + (0x10 if insn.memory == "di" else 0x40)


# name: what of a Program it sets, or None: not for this one
def plain(insn, mode):
    return {}


def step(insn, mode):
    return {"eflags": TF}


def exec_bp(insn, mode):
    return {"dr": ("text", 0, 0, 0), "dr7": exec_breakpoint(0)}


def exec_bp_step(insn, mode):
    return exec_bp(insn, mode) | {"eflags": TF}


def data_bp(insn, mode):
    return insn.memory and {"dr": (0, data_address(insn), 0, 0),
                            "dr7": breakpoint_on(1, 3, 1)}


def data_bp_step(insn, mode):
    return insn.memory and data_bp(insn, mode) | {"eflags": TF}


def io_bp(insn, mode):
    return insn.io and {"dr": (0, 0, insn.io, 0), "dr7": breakpoint_on(2, 2, 1), "cr4": CR4_DE}


def io_bp_step(insn, mode):
    return insn.io and io_bp(insn, mode) | {"eflags": TF}


def sti_shadow(insn, mode):
    return {"before": "sti", "flags": IRQ}


def sti_shadow_step(insn, mode):
    return {"before": "sti", "flags": IRQ, "eflags": TF}


def sti_shadow_bp(insn, mode):
    return sti_shadow(insn, mode) | exec_bp(insn, mode)


def interrupt_before(insn, mode):
    return {"eflags": IF, "flags": IRQ}


def interrupt_step(insn, mode):
    return {"eflags": IF | TF, "flags": IRQ}


MOVSS = "mov %ss, %bp\nmov %bp, %ss"
# DR3 hits at the load of SS: what it leaves waits until the instruction after.
MOVSS_HIT = {16: "mov 0x80, %ss", 32: f"mov {DATA + 0x80:#x}, %ss",
             64: f"mov {DATA + 0x80:#x}, %ss"}


def mov_ss(insn, mode):
    return {"before": MOVSS}


def mov_ss_step(insn, mode):
    return {"before": MOVSS, "eflags": TF}


def mov_ss_bp(insn, mode):
    return {"before": MOVSS} | exec_bp(insn, mode)


def mov_ss_hit(insn, mode):
    return {"before": MOVSS_HIT[WIDTH[mode]], "dr": (0, 0, 0, DATA + 0x80),
            "dr7": breakpoint_on(3, 3, 2)}


def mov_ss_hit_step(insn, mode):
    return mov_ss_hit(insn, mode) | {"eflags": TF}


def mov_ss_interrupt(insn, mode):
    return {"before": "sti\n" + MOVSS, "flags": IRQ}


def absent(insn, mode):
    return insn.memory == "di" and mode in PAGED and {"regs": {RDI: ABSENT}}


def absent_step(insn, mode):
    return absent(insn, mode) and absent(insn, mode) | {"eflags": TF}


def absent_bp(insn, mode):
    return absent(insn, mode) and absent(insn, mode) | exec_bp(insn, mode)


def user(insn, mode):
    return mode != "real" and {"flags": RING3}


def user_step(insn, mode):
    return mode != "real" and {"flags": RING3, "eflags": TF}


def user_bp(insn, mode):
    return mode != "real" and {"flags": RING3} | exec_bp(insn, mode)


SITUATIONS = (plain, step, exec_bp, exec_bp_step, data_bp, data_bp_step, io_bp, io_bp_step,
              sti_shadow, sti_shadow_step, sti_shadow_bp, interrupt_before, interrupt_step,
              mov_ss, mov_ss_step, mov_ss_bp, mov_ss_hit, mov_ss_hit_step, mov_ss_interrupt,
              absent, absent_step, absent_bp, user, user_step, user_bp)
# Those in which HLT ends: the interrupt does not come before it.
WAKES = (sti_shadow,)


def program(insn, situation, mode):
    """A Program, or None where they do not go together."""
    if mode not in insn.modes or (insn.hangs and situation not in WAKES + (user,)):
        return None
    fields = situation(insn, mode)
    if fields is None or fields is False or fields in ("", 0):
        return None
    fields = dict(fields)
    before = [fields.pop("before", ""), insn.before]
    # What stands between the shadow and the instruction would take it.
    if insn.before:
        before.reverse()
    regs = dict(insn.regs) | fields.pop("regs", {})
    cr4 = insn.cr4 | fields.pop("cr4", 0)
    return Program(f"{insn.name}/{situation.__name__}/{mode}", mode,
                   substitute("\n".join(before), mode), substitute(insn.text, mode),
                   regs=regs, cr4=cr4, **fields)


def catalogue(mode):
    found = (program(insn, situation, mode) for insn in INSNS for situation in SITUATIONS)
    return [one for one in found if one]
