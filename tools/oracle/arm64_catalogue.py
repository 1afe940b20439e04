# SPDX-License-Identifier: GPL-2.0-only
"""Situations of arm64 that hypervisors get wrong, crossed with each other."""

import dataclasses

from arm64_programs import (ABSENT, DATA, EL0, MDSCR_KDE, MDSCR_MDE, MDSCR_SS, PSTATE_DAIF,
                            PSTATE_SS, READ_ONLY, Program)


@dataclasses.dataclass(frozen=True)
class Insn:
    name: str
    text: str
    before: str = ""
    memory: bool = False    # at X0
    regs: tuple = ()
    alone: bool = False     # an exception between what is before it and it would spoil it


INSNS = (
    Insn("nop", "nop"),
    Insn("add", "adds x3, x3, x4"),
    Insn("ldr", "ldr x3, [x0]", memory=True),
    Insn("ldrb", "ldrb w3, [x0]", memory=True),
    Insn("ldrsw", "ldrsw x3, [x0]", memory=True),
    Insn("ldr-post", "ldr x3, [x0], #8", memory=True),
    Insn("ldr-pre", "ldr x3, [x0, #8]!", memory=True),
    Insn("ldp", "ldp x3, x4, [x0]", memory=True),
    Insn("ldp-post", "ldp x3, x4, [x0], #16", memory=True),
    Insn("str", "str x3, [x0]", memory=True),
    Insn("strb", "strb w3, [x0]", memory=True),
    Insn("str-post", "str x3, [x0], #8", memory=True),
    Insn("stp", "stp x3, x4, [x0]", memory=True),
    Insn("ldr-unaligned", "ldr x3, [x0, #1]", memory=True),
    Insn("ldxr", "ldxr x3, [x0]", memory=True),
    Insn("stxr", "stxr w5, x3, [x0]", "ldxr x4, [x0]", memory=True),
    Insn("ldxr-unaligned", "ldxr x3, [x6]", "add x6, x0, #1", memory=True),
    Insn("cas", "cas x3, x4, [x0]", memory=True),
    Insn("ldadd", "ldadd x3, x4, [x0]", memory=True),
    Insn("ldtr", "ldtr x3, [x0]", memory=True),
    Insn("dc-zva", "dc zva, x0", memory=True),
    Insn("dc-civac", "dc civac, x0", memory=True),
    Insn("ic-ivau", "ic ivau, x0", memory=True),
    Insn("at-s1e1r", "at s1e1r, x0"),
    Insn("tlbi", "tlbi vmalle1"),
    Insn("svc", "svc #0x123"),
    Insn("hvc", "hvc #0x123", regs=((0, 0x12345678),)),
    Insn("brk", "brk #0x42"),
    Insn("hlt", "hlt #0x42"),
    Insn("udf", "udf #0x42"),
    Insn("undefined", ".inst 0x02000000"),
    Insn("blr", "bl 1f\n1:"),
    Insn("br-absent", "br x3", regs=((3, ABSENT),)),
    Insn("br-unaligned", "br x3", regs=((3, DATA + 2),)),
    Insn("br-data", "br x3", regs=((3, DATA),)),
    Insn("pacia", "pacia x3, x4"),
    Insn("paciasp", "paciasp"),
    Insn("autia", "autia x3, x4"),
    Insn("msr-daif", "msr daifset, #2"),
    Insn("msr-nzcv", "msr nzcv, x3"),
    Insn("mrs-daif", "mrs x3, daif"),
    Insn("msr-spsel", "msr spsel, #0"),
    Insn("mrs-currentel", "mrs x3, currentel"),
    Insn("mrs-mdscr", "mrs x3, mdscr_el1"),
    Insn("mrs-sctlr", "mrs x3, sctlr_el1"),
    Insn("msr-sctlr", "msr sctlr_el1, x3", "mrs x3, sctlr_el1"),
    Insn("msr-tpidr", "msr tpidr_el1, x3"),
    Insn("mrs-tpidr-el0", "mrs x3, tpidr_el0"),
    Insn("mrs-ctr", "mrs x3, ctr_el0"),
    Insn("mrs-dczid", "mrs x3, dczid_el0"),
    Insn("mrs-midr", "mrs x3, midr_el1"),
    Insn("mrs-id-pfr0", "mrs x3, id_aa64pfr0_el1"),
    Insn("mrs-id-isar0", "mrs x3, id_aa64isar0_el1"),
    Insn("mrs-id-mmfr0", "mrs x3, id_aa64mmfr0_el1"),
    Insn("mrs-id-dfr0", "mrs x3, id_aa64dfr0_el1"),
    Insn("mrs-id-unallocated", "mrs x3, s3_0_c0_c7_7"),
    Insn("mrs-pmcr", "mrs x3, pmcr_el0"),
    Insn("mrs-clidr", "mrs x3, clidr_el1"),
    Insn("mrs-ccsidr", "mrs x3, ccsidr_el1"),
    Insn("mrs-smidr", "mrs x3, s3_1_c0_c0_6"),
    Insn("mrs-el2", "mrs x3, hcr_el2"),
    Insn("mrs-none", "mrs x3, s3_3_c15_c2_7"),
    Insn("msr-dbgbvr", "msr dbgbvr1_el1, x3"),
    Insn("mrs-dbgbvr", "mrs x3, dbgbvr0_el1"),
    Insn("mrs-oslsr", "mrs x3, oslsr_el1"),
    Insn("mrs-mpamidr", "mrs x3, s3_0_c10_c4_4"),
    Insn("fmov", "fmov d0, x3"),
    Insn("fadd", "fadd d0, d1, d2", "fmov d1, x3\nfmov d2, x4"),
    Insn("eret", "eret", "adr x3, 1f\nmsr elr_el1, x3\nmov x3, #0x3c4\nmsr spsr_el1, x3",
         alone=True),
    Insn("isb", "isb"),
    Insn("yield", "yield"),
    Insn("clrex", "clrex"),
    Insn("self-modifying", "1: nop", "adr x3, 1f\nic ivau, x3\ndsb ish\nisb"),
)


def plain(insn):
    return {}


def step(insn):
    return {"pstate": PSTATE_SS | (PSTATE_DAIF & ~0x200), "mdscr": MDSCR_SS | MDSCR_KDE}


def step_inactive(insn):
    """The step is due before the first instruction."""
    return {"mdscr": MDSCR_SS | MDSCR_KDE}


def breakpoint_(insn):
    return {"mdscr": MDSCR_KDE | MDSCR_MDE, "bvr": "text", "bcr": 0x1e7}


def breakpoint_step(insn):
    return breakpoint_(insn) | {"pstate": PSTATE_SS | (PSTATE_DAIF & ~0x200),
                                "mdscr": MDSCR_KDE | MDSCR_MDE | MDSCR_SS}


def watchpoint(insn):
    return insn.memory and {"mdscr": MDSCR_KDE | MDSCR_MDE, "wvr": DATA + 0x10, "wcr": 0x1fff}


def watchpoint_step(insn):
    return insn.memory and watchpoint(insn) | {
        "pstate": PSTATE_SS | (PSTATE_DAIF & ~0x200), "mdscr": MDSCR_KDE | MDSCR_MDE | MDSCR_SS}


def absent(insn):
    return insn.memory and {"regs": {0: ABSENT}}


def absent_step(insn):
    return insn.memory and absent(insn) | step(insn)


def read_only(insn):
    return insn.memory and {"regs": {0: READ_ONLY}}


def user(insn):
    return {"flags": EL0}


def user_step(insn):
    return {"flags": EL0} | step(insn)


def user_breakpoint(insn):
    return {"flags": EL0} | breakpoint_(insn)


def user_watchpoint(insn):
    return insn.memory and {"flags": EL0} | watchpoint(insn)


def masked_step(insn):
    """PSTATE.D holds debug exceptions back at EL1."""
    return {"pstate": PSTATE_SS | PSTATE_DAIF, "mdscr": MDSCR_SS | MDSCR_KDE}


SITUATIONS = (plain, step, step_inactive, breakpoint_, breakpoint_step, watchpoint,
              watchpoint_step, absent, absent_step, read_only, user, user_step, user_breakpoint,
              user_watchpoint, masked_step)


def program(insn, situation):
    """A Program, or None where they do not go together."""
    fields = situation(insn)
    if fields is False or (insn.alone and situation is not plain):
        return None
    fields = dict(fields)
    regs = dict(insn.regs) | fields.pop("regs", {})
    after = "1: nop" if insn.name == "eret" else "nop"
    return Program(f"{insn.name}/{situation.__name__.rstrip('_')}", insn.before, insn.text,
                   after, regs=regs, **fields)


def catalogue():
    found = (program(insn, situation) for insn in INSNS for situation in SITUATIONS)
    return [one for one in found if one]
