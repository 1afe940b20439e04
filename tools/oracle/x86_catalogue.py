# SPDX-License-Identifier: GPL-2.0-only
"""Situations that hypervisors get wrong, crossed with each other."""

import dataclasses

from x86_programs import (ABSENT, CR4_DE, CR4_OSXSAVE, DATA, IF, IRQ, MODES, NMI, NOTHING, PAGED,
                          PD, PDPT, PDPT64, PML4, PORT, PT, RAX, RCX, RDI, RDX, RING3, SEL_HIGH,
                          SEL_TASK, TASK_CODE, TASK_VECTOR, TASKS, TF, TIMER, WIDTH, Program)


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
    only: tuple = ()        # situations, by name; none: all
    stack: bool = False     # something is left on it
    at: int = 0             # where that memory is, if not in the data
    after: str = ""         # if not two NOPs
    flags: int = 0


NOT_LONG = tuple(mode for mode in MODES if mode != "long")
PROTECTED, FLAT = MODES[1:], MODES[2:]

# The other task's code
IN_TASK = f".skip {TASK_CODE:#x} - (. - 77b), 0x90\n"
SWITCHES = {"flags": TASKS, "before": "77:"}
SWITCH_SITUATIONS = ("plain", "step", "exec_bp", "exec_bp_step", "sti_shadow", "sti_shadow_step",
                     "interrupt_before", "interrupt_step", "mov_ss", "mov_ss_step", "mov_ss_bp",
                     "user", "user_step", "user_bp", "nmi", "nmi_interrupt")

NMI_TO_SELF = "mov $0x830, %ecx\nmov $0x4400, %eax\nxor %edx, %edx\nwrmsr"
HLT_IN_NMI = NMI_TO_SELF + "\nsti\nhlt"

INSNS = (
    Insn("nop", "nop"),
    Insn("mov-from", "mov D, %eax", memory="di"),
    Insn("mov-to", "mov %eax, D", memory="di"),
    Insn("add-to", "addl $1, D", memory="di"),
    Insn("push", "push A", stack=True),
    Insn("pushf", "pushf", stack=True),
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
    Insn("rep-insb-0", "rep insb", regs=((RCX, 0),)),
    Insn("rep-outsb-0", "rep outsb", regs=((RCX, 0),)),
    Insn("rep-insl", "rep insl", io=PORT, memory="di"),
    # What a walk leaves in the entries is looked at by a MOV to CR3.
    Insn("insb-cr3", "insb\nmov %cr3, R\nmov R, %cr3", io=PORT, memory="di", modes=PAGED,
         only=("plain",)),
    Insn("outsb", "outsb", io=PORT, memory="si"),
    Insn("rep-outsb", "rep outsb", io=PORT, memory="si"),
    Insn("rdmsr", "rdmsr", regs=((RCX, 0x174),)),
    Insn("wrmsr", "wrmsr", regs=((RCX, 0x174), (RAX, 0x10), (RDX, 0))),
    Insn("rdmsr-none", "rdmsr", regs=((RCX, 0x12345),)),
    Insn("wrmsr-none", "wrmsr", regs=((RCX, 0x12345),)),
    Insn("mov-from-cr0", "mov %cr0, R"),
    Insn("mov-to-cr0", "mov R, %cr0", "mov %cr0, R"),
    Insn("mov-to-cr0-bad", "mov R, %cr0", "mov %cr0, R\nor $0x20000000, %eax"),
    Insn("mov-to-cr0-cd", "mov R, %cr0", "mov %cr0, R\nor $0x40000000, %eax"),
    Insn("mov-to-cr4-xsave", "mov R, %cr4", "mov %cr4, R\nor $0x40000, %eax"),
    Insn("mov-to-cr4-mce", "mov R, %cr4", "mov %cr4, R\nor $0x40, %eax"),
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
    Insn("vmcall", "vmcall", modes=PROTECTED, only=("plain", "user", "junk", "sti_shadow")),
    Insn("monitor", "monitor", modes=("long",)),
    Insn("mwait", "mwait", modes=("long",), hangs=True),
    Insn("rdtscp", "rdtscp\nxor %eax, %eax\nxor %edx, %edx",
         only=("plain", "exec_bp", "mov_ss", "user", "user_bp")),
    Insn("nothing-from", "mov D, %eax", memory="di", at=NOTHING + 0x10, modes=FLAT),
    Insn("nothing-from-al", "mov D, %al", memory="di", at=NOTHING + 0x10, modes=FLAT),
    Insn("nothing-to", "mov %eax, D", memory="di", at=NOTHING + 0x10, modes=FLAT),
    Insn("hlt-in-nmi", HLT_IN_NMI, hangs=True, only=("nmi_handler_timer",)),
    Insn("hlt-timer", "sti\nhlt", hangs=True, only=("timer",)),
    Insn("sidt", "sidt D"),
    Insn("sti", "sti"),
    Insn("cli", "cli"),
    Insn("mov-to-ds", "mov %ax, %ds", "mov %ds, %ax"),
    Insn("task-jmp", f"ljmp ${SEL_TASK:#x}, $0", after=IN_TASK + "nop", **SWITCHES,
         modes=("prot32", "pae", "compat"), only=SWITCH_SITUATIONS),
    Insn("task-call", f"lcall ${SEL_TASK:#x}, $0", after=IN_TASK + "nop", **SWITCHES,
         modes=("prot32", "pae", "compat"), only=SWITCH_SITUATIONS),
    Insn("task-return", f"lcall ${SEL_TASK:#x}, $0", **SWITCHES,
         after=f"nop\nint $0x30\n{IN_TASK}iret\nnop",
         modes=("prot32", "pae"), only=SWITCH_SITUATIONS),
    Insn("task-gate", f"int ${TASK_VECTOR:#x}", after=IN_TASK + "nop", **SWITCHES,
         modes=("prot32", "pae"), only=SWITCH_SITUATIONS),
    Insn("task-gate-return", f"int ${TASK_VECTOR:#x}", **SWITCHES,
         after=f"nop\nint $0x30\n{IN_TASK}iret\nnop",
         modes=("prot32", "pae"), only=SWITCH_SITUATIONS),
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
    return insn.at or DATA + (0x10 if insn.memory == "di" else 0x40)


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


def nmi(insn, mode):
    return {"flags": NMI}


def nmi_step(insn, mode):
    return {"flags": NMI, "eflags": TF}


def nmi_interrupt(insn, mode):
    return {"flags": NMI | IRQ, "eflags": IF}


# IRET from where the CPU has pushed the frame of its gates
IRET = {"real": "iret", "prot16": "iretl", "prot32": "iret", "pae": "iret", "long": "iretq"}


def nmi_handler(insn, mode):
    return mode in IRET and not insn.stack and {
        "flags": NMI, "handles_nmi": True, "before": "jmp 9f\nnop",
        "after": f"{IRET[mode]}\n9: nop\nnop"}


def nmi_handler_bp(insn, mode):
    return nmi_handler(insn, mode) and nmi_handler(insn, mode) | exec_bp(insn, mode)


def nmi_handler_timer(insn, mode):
    return nmi_handler(insn, mode) and nmi_handler(insn, mode) | {"flags": NMI | TIMER}


def timer(insn, mode):
    return {"flags": TIMER}


def junk(insn, mode):
    return mode == "compat" and {"regs": {RAX: 0x1234567800000005, RDI: 0xabcdef0100030010,
                                          RDX: 0xfedcba9876543210}}


ABSENT_ENTRY = PT + 8 * (ABSENT >> 12)


def in_absent(mode, entry):
    return mode in PAGED and {"regs": {RDI: ABSENT + 0x10}, "poke": (ABSENT_ENTRY, ABSENT | entry)}


def pte_present(insn, mode):
    return insn.memory == "di" and in_absent(mode, 7)


def pte_readonly(insn, mode):
    return insn.memory == "di" and in_absent(mode, 5)


def pte_supervisor(insn, mode):
    return insn.memory == "di" and mode in PAGED and in_absent(mode, 3) | {"flags": RING3}


def pte_nx(insn, mode):
    return insn.memory == "di" and in_absent(mode, 7 | 1 << 63)


def pte_reserved(insn, mode):
    return insn.memory == "di" and in_absent(mode, 7 | 1 << 51)


def pde_reserved(insn, mode):
    page = 31 << 21
    return insn.memory == "di" and mode in PAGED and {
        "regs": {RDI: page + 0x10}, "poke": (PD + 8 * 31, page | 0x87 | 1 << 13)}


def pml4e_reserved(insn, mode):
    return insn.memory == "di" and mode == "long" and {
        "regs": {RDI: (1 << 39) + DATA + 0x10}, "poke": (PML4 + 8, PDPT64 | 0x87)}


def pdpte_in_cpu(insn, mode):
    return insn.memory == "di" and mode == "pae" and {
        "regs": {RDI: (1 << 30) + DATA + 0x10}, "poke": (PDPT + 8, 0)}


# ES begins 8 KiB below 4 GiB.
def segment_wraps(insn, mode):
    return insn.text.split()[-1] in ("insb", "insl", "movsb") and mode in FLAT[:-1] and {
        "before": f"mov ${SEL_HIGH:#x}, %bp\nmov %bp, %es", "regs": {RDI: 0x2000 + DATA + 0x10}}


# From two bytes below 4 GiB on: the last page is somewhere in memory.
def string_wraps(insn, mode):
    return insn.name in ("rep-insb", "rep-insl", "rep-movsb") and mode in ("pae", "compat") and {
        "before": f"mov ${SEL_HIGH:#x}, %bp\nmov %bp, %es", "regs": {RDI: 0x1ffe},
        "poke": (PD + 8 * 511, 0x1e00000 | 0x87)}


def general_detect(insn, mode):
    return "-dr" in insn.name and {"dr7": 1 << 13}


def general_detect_bp(insn, mode):
    return "-dr" in insn.name and exec_bp(insn, mode) | {"dr7": 1 << 13 | exec_breakpoint(0)}


SITUATIONS = (plain, step, exec_bp, exec_bp_step, data_bp, data_bp_step, io_bp, io_bp_step,
              sti_shadow, sti_shadow_step, sti_shadow_bp, interrupt_before, interrupt_step,
              mov_ss, mov_ss_step, mov_ss_bp, mov_ss_hit, mov_ss_hit_step, mov_ss_interrupt,
              absent, absent_step, absent_bp, user, user_step, user_bp,
              nmi, nmi_step, nmi_interrupt, nmi_handler, nmi_handler_bp, nmi_handler_timer,
              timer, junk, pte_present, pte_readonly, pte_supervisor, pte_nx, pte_reserved,
              pde_reserved, pml4e_reserved, pdpte_in_cpu, segment_wraps, string_wraps,
              general_detect, general_detect_bp)
# These come for instructions alone that ask for them.
ASKED = (nmi_handler_timer, timer, junk)
# Those in which HLT ends: the interrupt does not come before it.
WAKES = (sti_shadow,)


def program(insn, situation, mode):
    """A Program, or None where they do not go together."""
    if mode not in insn.modes:
        return None
    if insn.only:
        if situation.__name__ not in insn.only:
            return None
    elif situation in ASKED or (insn.hangs and situation not in WAKES + (user,)):
        return None
    fields = situation(insn, mode)
    if fields is None or fields is False or fields in ("", 0):
        return None
    fields = dict(fields)
    fields["flags"] = fields.get("flags", 0) | insn.flags
    if insn.after:
        fields["after"] = insn.after
    # What stands between a shadow and the instruction would take it.
    before, text = [insn.before, fields.pop("before", "")], insn.text
    if fields.get("handles_nmi"):
        text = "\n".join([before.pop(0), text])
    regs = dict(insn.regs)
    if insn.at:
        regs[RDI] = insn.at
    regs |= fields.pop("regs", {})
    cr4 = insn.cr4 | fields.pop("cr4", 0)
    return Program(f"{insn.name}/{situation.__name__}/{mode}", mode,
                   substitute("\n".join(before), mode), substitute(text, mode),
                   regs=regs, cr4=cr4, **fields)


def named(name):
    """The program of a name, or None."""
    mode = name.rsplit("/", 1)[-1]
    return next((one for one in catalogue(mode) if one.name == name), None)


def catalogue(mode):
    found = (program(insn, situation, mode) for insn in INSNS for situation in SITUATIONS)
    return [one for one in found if one]
