# SPDX-License-Identifier: GPL-2.0-only
"""Situations of arm64 that hypervisors get wrong, crossed with each other."""

import dataclasses

from arm64_programs import (ABSENT, CODE, CODE_ALIAS, DATA, DEVICE, EL0, IRQ, MDSCR_KDE,
                            MDSCR_MDE, MDSCR_SS, PSTATE, PSTATE_DAIF, PSTATE_I, PSTATE_SS,
                            READ_ONLY, STACK, USES_DEVICE, WINDOW, WINDOW_ENTRY, Program)

# SCTLR_EL1
SCTLR_A, SCTLR_UMA, SCTLR_DZE, SCTLR_UCT, SCTLR_UCI = 1 << 1, 1 << 9, 1 << 14, 1 << 15, 1 << 26
SCTLR_NTWI, SCTLR_NTWE, SCTLR_E0E, SCTLR_EE = 1 << 16, 1 << 18, 1 << 24, 1 << 25
SCTLR_PAUTH = 1 << 31 | 1 << 30 | 1 << 27 | 1 << 13

# N, C, TCO, DIT, UAO, SSBS, BTYPE: what a trap must leave alone, but for the last
PSTATE_DRESSED = 1 << 31 | 1 << 29 | 1 << 25 | 1 << 24 | 1 << 23 | 1 << 12 | 2 << 10
PSTATE_PAN = 1 << 22
PSTATE_NO_I = PSTATE & ~PSTATE_I


@dataclasses.dataclass(frozen=True)
class Insn:
    name: str
    text: str
    before: str = ""
    after: str = "nop"
    memory: bool = False    # at X0
    decoded: bool = False   # an abort of stage 2 says all about the access
    pauth: bool = False
    regs: tuple = ()
    alone: bool = False     # an exception between what is before it and it would spoil it
    masked: bool = False    # it waits for an interrupt, which must not be taken before it
    few: bool = False       # one of many that are alike
    unlike: bool = False    # what it reads is another value in a vCPU


def read(name, register="", **kinds):
    """MRS of a register that is one of many."""
    return Insn(f"mrs-{name}", f"mrs x3, {register or name}", few=True, **kinds)


def access(name, text, **kinds):
    """A load or a store whose syndrome is valid."""
    return Insn(name, text, memory=True, decoded=True, **kinds)


def window(name, change):
    """A load from a page whose descriptor, in X7, is changed before."""
    return Insn(f"window-{name}", "ldr x3, [x0]",
                f"ldr x7, [x6]\n{change}\nstr x7, [x6]\ndsb ish\nlsr x8, x0, #12\n"
                "tlbi vaae1is, x8\ndsb ish\nisb",
                regs=((0, WINDOW), (6, WINDOW_ENTRY)), few=True)


SGI_TO_SELF = "mov x3, #1\nmovk x3, #0x{:x}00, lsl #16\nmsr s3_0_c12_c11_5, x3"
TIMER_IS_DUE = "mov x3, #1\nmsr cntv_cval_el0, x3\nmsr cntv_ctl_el0, x3\nisb"
# What is at the label 1 becomes MOV X9, #0x55 by the alias of the page.
MODIFY = "adr x3, 1f\nadd x6, x3, #" + hex(CODE_ALIAS - CODE) + \
    "\nmov w7, #0x0aa9\nmovk w7, #0xd280, lsl #16\nstr w7, [x6]\n"

GENERAL = (
    Insn("nop", "nop"),
    Insn("add", "adds x3, x3, x4"),
    Insn("ands", "ands x3, x3, xzr"),
    Insn("ccmp", "ccmp x3, x4, #3, eq"),
    Insn("csel", "csel x3, x4, x3, ne"),
    Insn("svc", "svc #0x123"),
    Insn("hvc", "hvc #0x123", regs=((0, 0x12345678),)),
    Insn("smc", "smc #0", regs=((0, 0x12345678),)),
    Insn("brk", "brk #0x42"),
    Insn("hlt", "hlt #0x42"),
    Insn("udf", "udf #0x42"),
    Insn("undefined", ".inst 0x02000000"),
    Insn("cbz", "cbz x3, 1f\n1:"),
    Insn("blr", "blr x3", "adr x3, 1f", "1: nop"),
    Insn("br", "br x3", "adr x3, 1f", "1: nop"),
    Insn("ret", "ret", "adr x30, 1f", "1: nop"),
    Insn("bl", "bl 1f\n1:"),
    Insn("br-absent", "br x3", regs=((3, ABSENT),)),
    Insn("br-unaligned", "br x3", regs=((3, DATA + 2),)),
    Insn("br-data", "br x3", regs=((3, DATA),)),
    Insn("fmov", "fmov d0, x3"),
    Insn("fadd", "fadd d0, d1, d2", "fmov d1, x3\nfmov d2, x4", "fmov x9, d0"),
    Insn("isb", "isb"),
    Insn("dsb", "dsb sy"),
    Insn("yield", "yield"),
    Insn("sb", "sb"),
    Insn("bti", "bti j"),
    Insn("eret", "eret", "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x3c4\nmsr spsr_el1, x3",
         "1: nop", alone=True),
    Insn("eret-el0", "eret", "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x1c0\nmsr spsr_el1, x3",
         "1: nop", alone=True),
    Insn("eret-unmasks", "eret",
         "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x144\nmsr spsr_el1, x3", "1: nop\nnop",
         alone=True),
    Insn("eret-illegal", "eret",
         "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x3c8\nmsr spsr_el1, x3", "1: nop", alone=True),
    Insn("eret-steps", "eret",
         "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x144\nmovk x3, #0x20, lsl #16\n"
         "msr spsr_el1, x3\nmov x3, #0x2001\nmsr mdscr_el1, x3", "1: nop\nnop", alone=True),
    Insn("self-modifying", "1: mov x9, #0x11",
         MODIFY + "dc cvau, x6\ndsb ish\nic ivau, x3\ndsb ish\nisb"),
    Insn("self-modifying-iallu", "1: mov x9, #0x11", MODIFY + "dsb ish\nic iallu\ndsb ish\nisb"),
    Insn("self-modifying-isb", "1: mov x9, #0x11", MODIFY + "isb"),
)

MEMORY = (
    access("ldr", "ldr x3, [x0]"),
    access("ldr-w", "ldr w3, [x0]"),
    access("ldrb", "ldrb w3, [x0]"),
    access("ldrh", "ldrh w3, [x0]"),
    access("ldrsb", "ldrsb x3, [x0]"),
    access("ldrsh-w", "ldrsh w3, [x0]"),
    access("ldrsw", "ldrsw x3, [x0]"),
    access("ldr-xzr", "ldr xzr, [x0]"),
    access("ldar", "ldar x3, [x0]"),
    access("str", "str x3, [x0]", after="ldr x9, [x0]"),
    access("str-w", "str w3, [x0]", after="ldr w9, [x0]"),
    access("strb", "strb w3, [x0]", after="ldr w9, [x0]"),
    access("strh", "strh w3, [x0]", after="ldr w9, [x0]"),
    access("str-xzr", "str xzr, [x0]", after="ldr x9, [x0]"),
    access("stlr-w", "stlr w3, [x0]", after="ldr w9, [x0]"),
    access("ldtr", "ldtr x3, [x0]"),
    access("sttr-w", "sttr w3, [x0]"),
    Insn("ldr-post", "ldr x3, [x0], #8", memory=True),
    Insn("ldr-pre", "ldr x3, [x0, #8]!", memory=True),
    Insn("str-post", "str x3, [x0], #8", memory=True),
    Insn("str-pre", "str x3, [x0, #-8]!", memory=True),
    Insn("ldp", "ldp x3, x4, [x0]", memory=True),
    Insn("ldp-post", "ldp x3, x4, [x0], #16", memory=True),
    Insn("ldp-pre", "ldp x3, x4, [x0, #16]!", memory=True),
    Insn("ldpsw", "ldpsw x3, x4, [x0]", memory=True),
    Insn("stp", "stp x3, x4, [x0]", memory=True),
    Insn("stp-pre", "stp x3, x4, [x0, #-16]!", memory=True),
    Insn("ldr-q", "ldr q1, [x0]", "", "fmov x9, d1", memory=True),
    Insn("str-q", "str q1, [x0]", "fmov d1, x3", memory=True),
    Insn("ld1", "ld1 {v1.4s}, [x0]", "", "fmov x9, d1", memory=True),
    Insn("ldr-unaligned", "ldr x3, [x0, #1]", memory=True),
    Insn("str-unaligned", "str x3, [x0, #3]", memory=True),
    Insn("ldp-unaligned", "ldp x3, x4, [x6]", "add x6, x0, #4", memory=True),
    Insn("ldar-unaligned", "ldar x3, [x6]", "add x6, x0, #1", memory=True),
    Insn("ldxr", "ldxr x3, [x0]", memory=True),
    Insn("ldaxp", "ldaxp x3, x4, [x0]", memory=True),
    Insn("stxr", "stxr w5, x3, [x0]", "ldxr x4, [x0]", memory=True),
    Insn("stxp", "stxp w5, x3, x4, [x0]", "ldxp x8, x9, [x0]", memory=True),
    Insn("stxr-alone", "stxr w5, x3, [x0]", "clrex", memory=True),
    Insn("stxr-other", "stxr w5, x3, [x1]", "ldxr x4, [x0]", memory=True),
    Insn("stxr-svc", "stxr w5, x3, [x0]", "ldxr x4, [x0]\nsvc #1", memory=True),
    Insn("stxr-exit", "stxr w5, x3, [x0]", "ldxr x4, [x0]\nmsr oslar_el1, xzr", memory=True,
         unlike=True),
    Insn("ldxr-unaligned", "ldxr x3, [x6]", "add x6, x0, #1", memory=True),
    Insn("cas", "cas x3, x4, [x0]", memory=True),
    Insn("casp", "casp x4, x5, x6, x7, [x0]", memory=True),
    Insn("ldadd", "ldadd x3, x4, [x0]", memory=True),
    Insn("swp", "swp x3, x4, [x0]", memory=True),
    Insn("stset", "stset x3, [x0]", memory=True),
    Insn("prfm", "prfm pldl1keep, [x0]", memory=True),
    Insn("dc-zva", "dc zva, x0", memory=True),
    Insn("dc-civac", "dc civac, x0", memory=True),
    Insn("dc-ivac", "dc ivac, x0", memory=True),
    Insn("ic-ivau", "ic ivau, x0", memory=True),
    Insn("at-s1e1r", "at s1e1r, x0", "", "isb\nmrs x9, par_el1", memory=True),
    Insn("at-s1e0w", "at s1e0w, x0", "", "isb\nmrs x9, par_el1", memory=True),
    window("same", "nop"),
    window("invalid", "mov x7, #0"),
    window("no-access-flag", "bic x7, x7, #0x400"),
    window("no-user", "bic x7, x7, #0x40"),
    window("device", "orr x7, x7, #4"),
    window("bad-address", "orr x7, x7, #0x800000000000"),
    Insn("window-write", "str x3, [x0]",
         "ldr x7, [x6]\norr x7, x7, #0x80\nstr x7, [x6]\ndsb ish\ntlbi vmalle1is\n"
         "dsb ish\nisb", regs=((0, WINDOW), (6, WINDOW_ENTRY)), few=True),
    Insn("window-execute", "blr x0", "ldr x7, [x6]\nmov x8, #0x0060000000000000\n"
         "bic x7, x7, x8\nbic x7, x7, #0x40\nstr x7, [x6]\nmov w8, #0x03c0\n"
         "movk w8, #0xd65f, lsl #16\ndsb ish\ntlbi vmalle1is\ndsb ish\nisb\n"
         "str w8, [x0]\ndc cvau, x0\ndsb ish\nic ivau, x0\ndsb ish\nisb",
         regs=((0, WINDOW), (6, WINDOW_ENTRY)), few=True),
    Insn("window-execute-never", "blr x0", regs=((0, WINDOW),), few=True),
)

SYSTEM = (
    Insn("tlbi", "tlbi vmalle1"),
    Insn("clrex", "clrex"),
    Insn("msr-daifset", "msr daifset, #2"),
    Insn("msr-daifclr", "msr daifclr, #2", "", "nop\nnop"),
    Insn("msr-daif", "msr daif, x3", regs=((3, 0x40),)),
    Insn("msr-nzcv", "msr nzcv, x3"),
    Insn("mrs-nzcv", "mrs x3, nzcv"),
    Insn("mrs-daif", "mrs x3, daif"),
    Insn("msr-pan", "msr pan, #1"),
    Insn("msr-dit", "msr dit, #1"),
    Insn("msr-ssbs", "msr ssbs, #0"),
    Insn("msr-uao", "msr uao, #1"),
    Insn("msr-spsel", "msr spsel, #0"),
    Insn("mrs-currentel", "mrs x3, currentel"),
    Insn("mrs-mdscr", "mrs x3, mdscr_el1"),
    Insn("mrs-sctlr", "mrs x3, sctlr_el1"),
    Insn("msr-sctlr", "msr sctlr_el1, x3", "mrs x3, sctlr_el1"),
    Insn("msr-tpidr", "msr tpidr_el1, x3"),
    Insn("mrs-tpidr-el0", "mrs x3, tpidr_el0"),
    Insn("msr-contextidr", "msr contextidr_el1, x3"),
    Insn("msr-cpacr", "msr cpacr_el1, x3", "mrs x3, cpacr_el1\nmsr cpacr_el1, xzr\nisb\n"
         "fmov d1, x4"),
    Insn("msr-spsr", "msr spsr_el1, x3", "", "mrs x9, spsr_el1"),
    Insn("mrs-isr", "mrs x3, isr_el1"),
    # These are trapped, and are what they are bare.
    Insn("mrs-id-xzr", "mrs xzr, id_aa64pfr0_el1"),
    Insn("msr-oslar", "msr oslar_el1, xzr"),
    Insn("mrs-oslsr", "mrs x3, oslsr_el1"),
    Insn("msr-dbgbvr", "msr dbgbvr1_el1, x3"),
    Insn("mrs-dbgbvr", "mrs x3, dbgbvr0_el1"),
    Insn("mrs-cntpct-xzr", "mrs xzr, cntpct_el0"),
    Insn("dc-cisw", "dc cisw, x3", regs=((3, 0),)),
    Insn("msr-cntp-cval", "msr cntp_cval_el0, x3", "", "mrs x9, cntp_cval_el0"),
    Insn("mrs-cntp-ctl", "mrs x3, cntp_ctl_el0"),
    Insn("mrs-none", "mrs x3, s3_3_c15_c2_7"),
    Insn("msr-none", "msr s3_3_c15_c2_7, x3"),
    Insn("mrs-el2", "mrs x3, hcr_el2"),
    # Interrupts: to itself, the timer's, waiting for them
    Insn("sgi", SGI_TO_SELF.format(2), "", "nop\nnop"),
    Insn("sgi-unmasks", "msr daifclr, #2", SGI_TO_SELF.format(3), "nop\nnop"),
    Insn("timer", "msr daifclr, #2", TIMER_IS_DUE, "nop\nnop"),
    Insn("timer-fallen", "msr daifclr, #2", TIMER_IS_DUE + "\nmsr cntv_ctl_el0, xzr\nisb",
         "nop\nnop"),
    Insn("mrs-cntv-ctl", "mrs x3, cntv_ctl_el0", TIMER_IS_DUE),
    Insn("wfi-sgi", "wfi", SGI_TO_SELF.format(4), "msr daifclr, #2\nnop\nnop", masked=True),
    Insn("wfi-timer", "wfi", TIMER_IS_DUE, "msr daifclr, #2\nnop\nnop", masked=True),
    Insn("wfi-timer-later", "wfi", "mrs x3, cntvct_el0\nadd x3, x3, #0x4000\n"
         "msr cntv_cval_el0, x3\nmov x3, #1\nmsr cntv_ctl_el0, x3",
         "msr daifclr, #2\nnop\nnop", alone=True, masked=True),
    Insn("wfe", "wfe", "sevl"),
    Insn("sev", "sev"),
    Insn("mrs-iar", "mrs x3, s3_0_c12_c12_0", "", "msr s3_0_c12_c12_1, x3"),
    Insn("mrs-hppir", "mrs x3, s3_0_c12_c12_2", SGI_TO_SELF.format(5)),
    Insn("mrs-rpr", "mrs x3, s3_0_c12_c11_3"),
    Insn("msr-pmr", "msr s3_0_c4_c6_0, x3", SGI_TO_SELF.format(6) + "\nmov x3, #0x80",
         "msr daifclr, #2\nnop\nmov x3, #0xf0\nmsr s3_0_c4_c6_0, x3\nnop\nnop"),
    Insn("mrs-pmr", "mrs x3, s3_0_c4_c6_0"),
)

KEYS = "ia ib da db".split()
PAUTH = (
    *(Insn(f"pac{key}", f"pac{key} x3, x4", pauth=True, regs=((3, DATA),)) for key in KEYS),
    *(Insn(f"aut{key}", f"aut{key} x3, x4", f"pac{key} x3, x4", pauth=True, regs=((3, DATA),))
      for key in KEYS),
    *(Insn(f"aut{key}-bad", f"aut{key} x3, x1", f"pac{key} x3, x4", pauth=True,
           regs=((3, DATA),)) for key in KEYS),
    Insn("pacga", "pacga x3, x4, x1", pauth=True),
    Insn("paciasp", "paciasp", pauth=True),
    Insn("autiasp", "autiasp", "paciasp", pauth=True),
    Insn("xpaci", "xpaci x3", "pacia x3, x4", pauth=True),
    Insn("ldraa", "ldraa x3, [x6]", "mov x6, x0\npacdza x6", pauth=True),
    Insn("ldraa-bad", "ldraa x3, [x6]", "mov x6, x0\npacdzb x6", pauth=True),
    Insn("braa", "braa x3, x4", "adr x3, 1f\npacia x3, x4", "1: nop", pauth=True),
    Insn("retaa-bad", "retaa", "adr x30, 1f", "1: nop", pauth=True),
    Insn("mrs-apiakey", "mrs x3, apiakeylo_el1", pauth=True),
)

IDENTITY = (
    *(read(f"id-{name}", f"id_aa64{name}_el1", unlike=True)
      for name in "pfr0 pfr1 dfr0 isar0 isar1 mmfr0 mmfr1 mmfr2".split()),
    read("id-zfr0", "s3_0_c0_c4_4", unlike=True),
    read("id-smfr0", "s3_0_c0_c4_5", unlike=True),
    read("id-dfr1", "s3_0_c0_c5_1"),
    read("id-isar2", "s3_0_c0_c6_2", unlike=True),
    read("id-aarch32", "s3_0_c0_c1_0", unlike=True),
    read("id-mvfr0", "s3_0_c0_c3_0", unlike=True),
    read("id-unallocated", "s3_0_c0_c7_7"),
    *(read(name, f"{name}_el1") for name in
      "midr mpidr revidr aidr clidr ccsidr csselr actlr tcr mair vbar cntkctl".split()),
    *(read(name, f"{name}_el0") for name in "ctr dczid cntfrq tpidrro".split()),
    read("smidr", "s3_1_c0_c0_6", unlike=True),
    read("mpamidr", "s3_0_c10_c4_4", unlike=True),
    *(read(name, f"{name}_el0", unlike=True) for name in
      "pmcr pmcntenset pmccntr pmselr pmuserenr pmovsclr pmceid0".split()),
    read("pmintenset", "pmintenset_el1", unlike=True),
    Insn("msr-pmcr", "msr pmcr_el0, xzr", few=True, unlike=True),
    Insn("oslock", "mrs x3, oslsr_el1", "mov x3, #1\nmsr oslar_el1, x3", "msr oslar_el1, xzr",
         few=True, unlike=True),
    Insn("msr-dbgbcr", "mrs x3, dbgbcr1_el1", "mov x3, #0x1e6\nmsr dbgbcr1_el1, x3",
         "msr dbgbcr1_el1, xzr", few=True),
    Insn("mrs-dbgbcr5", "mrs x3, dbgbcr5_el1", "mov x3, #0x1e6\nmsr dbgbcr5_el1, x3",
         "msr dbgbcr5_el1, xzr", few=True, unlike=True),
)

INSNS = GENERAL + MEMORY + SYSTEM + PAUTH + IDENTITY


# --- situations ---------------------------------------------------------------

def plain(insn):
    return {}


def step(insn):
    return {"pstate": PSTATE | PSTATE_SS, "mdscr": MDSCR_SS | MDSCR_KDE}


def step_inactive(insn):
    """The step is due before the first instruction."""
    return {"mdscr": MDSCR_SS | MDSCR_KDE}


def masked_step(insn):
    """PSTATE.D holds debug exceptions back at EL1."""
    return {"pstate": PSTATE_SS | PSTATE_DAIF, "mdscr": MDSCR_SS | MDSCR_KDE}


def breakpoint_(insn):
    return {"mdscr": MDSCR_KDE | MDSCR_MDE, "bvr": "text", "bcr": 0x1e7}


def breakpoint_step(insn):
    return breakpoint_(insn) | {"pstate": PSTATE | PSTATE_SS,
                                "mdscr": MDSCR_KDE | MDSCR_MDE | MDSCR_SS}


def watch(insn, address):
    return insn.memory and {"mdscr": MDSCR_KDE | MDSCR_MDE, "wvr": address, "wcr": 0x1fff}


def watchpoint(insn):
    return watch(insn, DATA + 0x10)


def watchpoint_step(insn):
    return insn.memory and watchpoint(insn) | {
        "pstate": PSTATE | PSTATE_SS, "mdscr": MDSCR_KDE | MDSCR_MDE | MDSCR_SS}


def absent(insn):
    return insn.memory and {"regs": {0: ABSENT}}


def absent_step(insn):
    return insn.memory and absent(insn) | step(insn)


def crossing(insn):
    """It begins in the last bytes of a page, behind which there is none."""
    return insn.memory and {"regs": {0: STACK - 4}}


def read_only(insn):
    return insn.memory and {"regs": {0: READ_ONLY}}


def aligned(insn):
    """Alignment is checked."""
    return insn.memory and {"sctlr": SCTLR_A}


def pan(insn):
    return insn.memory and {"pstate": PSTATE | PSTATE_PAN}


def user(insn):
    return {"flags": EL0}


def user_step(insn):
    return {"flags": EL0} | step(insn)


def user_breakpoint(insn):
    return {"flags": EL0} | breakpoint_(insn)


def user_watchpoint(insn):
    return insn.memory and {"flags": EL0} | watchpoint(insn)


def user_may(insn):
    """What EL1 may let EL0 do; an interrupt is pending, so that WFI ends."""
    return {"flags": EL0 | IRQ, "sctlr": SCTLR_UMA | SCTLR_DZE | SCTLR_UCT | SCTLR_UCI |
            SCTLR_NTWI | SCTLR_NTWE}


def dressed(insn):
    """Fields of PSTATE that an instruction which is trapped must leave as they are."""
    return {"pstate": PSTATE | PSTATE_DRESSED}


def dressed_step(insn):
    return step(insn) | {"pstate": PSTATE | PSTATE_DRESSED | PSTATE_SS}


def interrupt(insn):
    """It is taken before the first instruction."""
    return not insn.masked and {"flags": IRQ, "pstate": PSTATE_NO_I}


def interrupt_step(insn):
    return not insn.masked and {"flags": IRQ} | step(insn) | {"pstate": PSTATE_NO_I | PSTATE_SS}


def interrupt_masked(insn):
    return {"flags": IRQ}


def interrupt_masked_step(insn):
    return {"flags": IRQ} | step(insn)


def unmasked_step(insn):
    """None is pending, until the instruction pends one."""
    return not insn.masked and step(insn) | {"pstate": PSTATE_NO_I | PSTATE_SS}


def user_interrupt(insn):
    return {"flags": EL0 | IRQ, "pstate": PSTATE_NO_I}


def user_interrupt_step(insn):
    return {"flags": EL0 | IRQ} | step(insn) | {"pstate": PSTATE_NO_I | PSTATE_SS}


def mmu_off(insn):
    return insn.memory and {"sctlr": 1}


def big_endian(insn):
    return insn.memory and {"sctlr": SCTLR_EE}


def user_big_endian(insn):
    return insn.memory and {"flags": EL0, "sctlr": SCTLR_E0E}


def device(insn):
    return insn.decoded and {"flags": USES_DEVICE, "regs": {0: DEVICE}}


def device_step(insn):
    return insn.decoded and device(insn) | step(insn)


def device_watchpoint(insn):
    return insn.decoded and device(insn) | watch(insn, DEVICE)


def device_watchpoint_step(insn):
    return insn.decoded and device_watchpoint(insn) | {
        "pstate": PSTATE | PSTATE_SS, "mdscr": MDSCR_KDE | MDSCR_MDE | MDSCR_SS}


def device_watchpoint_beside(insn):
    """Of the four bytes behind the first four."""
    return insn.decoded and device(insn) | watch(insn, DEVICE) | {"wcr": 0x1e1f}


def user_device_watchpoint(insn):
    return insn.decoded and {"flags": USES_DEVICE | EL0, "regs": {0: DEVICE}} | \
        watch(insn, DEVICE)


def device_interrupt(insn):
    return insn.decoded and {"flags": USES_DEVICE | IRQ, "pstate": PSTATE_NO_I,
                             "regs": {0: DEVICE}}


def device_dressed(insn):
    return insn.decoded and device(insn) | dressed(insn)


def device_big_endian(insn):
    return insn.decoded and device(insn) | {"sctlr": SCTLR_EE}


def user_device(insn):
    return insn.decoded and device(insn) | {"flags": USES_DEVICE | EL0}


def user_device_step(insn):
    return insn.decoded and user_device(insn) | step(insn)


def user_device_big_endian(insn):
    return insn.decoded and user_device(insn) | {"sctlr": SCTLR_E0E}


def keys(insn):
    return insn.pauth and {"sctlr": SCTLR_PAUTH}


def keys_step(insn):
    return insn.pauth and keys(insn) | step(insn)


def user_keys(insn):
    return insn.pauth and {"flags": EL0} | keys(insn)


FEW = (plain, step, user, user_step)
SITUATIONS = FEW + (
    step_inactive, masked_step, breakpoint_, breakpoint_step, watchpoint, watchpoint_step, absent,
    absent_step, crossing, read_only, aligned, pan, user_breakpoint, user_watchpoint, user_may,
    dressed, dressed_step, interrupt, interrupt_step, interrupt_masked, interrupt_masked_step,
    unmasked_step, user_interrupt, user_interrupt_step, mmu_off, big_endian, user_big_endian,
    device, device_step, device_watchpoint, device_watchpoint_step, device_watchpoint_beside,
    user_device_watchpoint, device_interrupt, device_dressed, device_big_endian,
    user_device, user_device_step, user_device_big_endian, keys, keys_step, user_keys)


def program(insn, situation):
    """A Program, or None where they do not go together."""
    fields = situation(insn)
    alone = (plain,) if insn.masked else (plain, interrupt_masked)
    if fields is False or (insn.alone and situation not in alone) or \
            (insn.few and situation not in FEW):
        return None
    fields = dict(fields)
    regs = dict(insn.regs) | fields.pop("regs", {})
    return Program(f"{insn.name}/{situation.__name__.rstrip('_')}", insn.before, insn.text,
                   insn.after, regs=regs, **fields)


def named(name):
    """The program of a name, or None."""
    return next((one for one in catalogue() if one.name == name), None)


def catalogue():
    found = (program(insn, situation) for insn in INSNS for situation in SITUATIONS)
    return [one for one in found if one]
