# SPDX-License-Identifier: GPL-2.0-only
"""Programs from a seed: what exits, page tables, flags, PSTATE and debug registers."""

import random

import seeds
import arm64_catalogue as catalogue
from arm64_catalogue import Insn
from arm64_programs import (ABSENT, DATA, DEVICE, EL0, IRQ, MDSCR_KDE, MDSCR_MDE, MDSCR_SS,
                            PSTATE, PSTATE_D, PSTATE_I, PSTATE_SS, READ_ONLY, STACK, USES_DEVICE,
                            WINDOW, Program)

# Besides the catalogue's: what leaves flags and registers that matter later
COMMON = (
    Insn("subs", "subs x3, x3, x4"),
    Insn("adcs", "adcs x4, x4, x3"),
    Insn("lsr", "lsr x3, x3, #7"),
    Insn("eor", "eor x4, x4, x3, ror #9"),
    Insn("csinc", "csinc x3, x4, x3, vs"),
    Insn("b-cond", "b.mi 1f\nadd x9, x9, #1\n1:"),
    Insn("tbz", "tbz x3, #5, 1f\nadd x9, x9, #2\n1:"),
    Insn("loop", "1: subs x8, x8, #1\nb.ne 1b", "mov x8, #2"),
    Insn("mov-sp", "mov x9, sp"),
    Insn("push-pop", "ldp x4, x3, [sp], #16", "stp x3, x4, [sp, #-16]!"),
    Insn("svc", "svc #0x45"),
    Insn("eoi", "msr s3_0_c12_c12_1, x9", "mrs x9, s3_0_c12_c12_0"),
    Insn("mrs-spsr", "mrs x9, spsr_el1"),
    Insn("mrs-esr", "mrs x9, esr_el1"),
    Insn("mrs-far", "mrs x9, far_el1"),
    Insn("mrs-elr", "mrs x9, elr_el1"),
)

# In the catalogue alone: what ends a program; what may leave something to the next one; the
# timer, and what waits for it, for an interrupt may have turned it off. And LDTR and STTR: with
# two stages of translation, QEMU 7.2 takes a watchpoint's access for one of EL1.
LEFT_OUT = ("ldtr", "sttr-w", "mrs-iar", "timer", "timer-fallen", "mrs-cntv-ctl", "msr-cpacr",
            "br-absent", "br-unaligned", "br-data", "window-execute", "window-execute-never",
            "retaa-bad", "msr-spsel", "mrs-midr")


def _usable(insn):
    return not (insn.alone or insn.masked or insn.unlike or insn.name in LEFT_OUT)


EXITING = tuple(insn for insn in catalogue.SYSTEM + catalogue.PAUTH + catalogue.IDENTITY
                if _usable(insn))
MEMORY = tuple(insn for insn in catalogue.MEMORY if insn.memory and _usable(insn))
DECODED = tuple(insn for insn in MEMORY if insn.decoded)
TABLES = tuple(insn for insn in catalogue.MEMORY if not insn.memory and _usable(insn))
GENERAL = tuple(insn for insn in catalogue.GENERAL if _usable(insn))
POOLS = ((COMMON, 0.2), (EXITING, 0.3), (MEMORY, 0.15), (DECODED, 0.15), (TABLES, 0.1),
         (GENERAL, 0.1))

WHERE = (DATA + 0x10, DATA + 0x20, DATA + 0x41, ABSENT, READ_ONLY, STACK - 4, WINDOW)


def _constant(register, value):
    """Assembly that loads a number of 32 bits."""
    return f"mov {register}, #{value & 0xffff:#x}\nmovk {register}, #{value >> 16:#x}, lsl #16"


DEVICE_IN_X0 = _constant("x0", DEVICE)


def _text(rng):
    """An instruction, as assembly: what it needs in registers, it, and what shows more of it."""
    pool = rng.choices([pool for pool, _ in POOLS], [weight for _, weight in POOLS])[0]
    insn = rng.choice(pool)
    lines = [_constant(f"x{n}", value) for n, value in insn.regs]
    if pool is DECODED and rng.random() < 0.6:
        lines.append(DEVICE_IN_X0)
    elif insn.memory and rng.random() < 0.4:
        lines.append(_constant("x0", rng.choice(WHERE)))
    lines += [insn.before, insn.text]
    if rng.random() < 0.5 or "1:" in insn.after:
        lines.append(insn.after)
    # What follows may be an access that can't be one to a device.
    if DEVICE_IN_X0 in lines or 0 in dict(insn.regs):
        lines.append(_constant("x0", DATA + 0x10))
    return "\n".join(lines)


def _debug(rng):
    """A breakpoint or a watchpoint, or both."""
    fields = {"mdscr": MDSCR_MDE | rng.choice((0, MDSCR_KDE, MDSCR_KDE))}
    if rng.random() < 0.6:
        fields |= {"bvr": "text", "bcr": 0x1e1 | rng.choice((2, 4, 6))}
    if rng.random() < 0.6:
        fields |= {"wvr": rng.choice((DATA + 0x10, DATA + 0x20, DATA + 0x40, DEVICE)),
                   "wcr": 1 | rng.choice((2, 4, 6)) | rng.choice((8, 0x10, 0x18)) |
                   rng.choice((0xff, 0xff, 0x0f, 0x01, 0xf0)) << 5}
    return fields


def _step(rng, fields):
    mdscr = fields.get("mdscr", 0) | MDSCR_SS | rng.choice((0, MDSCR_KDE, MDSCR_KDE))
    return fields | {"mdscr": mdscr}


def _pstate(rng, step):
    """Flags, masks, what else there is; with SS in a step."""
    pstate = PSTATE | rng.getrandbits(4) << 28
    if rng.random() < 0.3:
        pstate &= ~PSTATE_I
    if rng.random() < 0.1:
        pstate |= PSTATE_D
    if rng.random() < 0.2:
        pstate |= catalogue.PSTATE_DRESSED & ~(0xf << 28)
    if rng.random() < 0.1:
        pstate |= catalogue.PSTATE_PAN
    return pstate | (PSTATE_SS if step and rng.random() < 0.8 else 0)


def _sctlr(rng, flags):
    sctlr = 0
    if rng.random() < 0.3:
        sctlr |= catalogue.SCTLR_PAUTH
    if rng.random() < 0.1:
        sctlr |= catalogue.SCTLR_A
    if rng.random() < 0.15:
        sctlr |= catalogue.SCTLR_E0E if flags & EL0 else catalogue.SCTLR_EE
    if flags & EL0 and rng.random() < 0.5:
        sctlr |= catalogue.SCTLR_UMA | catalogue.SCTLR_UCT | catalogue.SCTLR_UCI | \
            catalogue.SCTLR_DZE
    return sctlr


def program(seed, without=()):
    """The program of a seed, always the same; @without some of its instructions."""
    rng = random.Random(seed)
    texts = [_text(rng) for _ in range(rng.randrange(2, 6))]
    about = rng.randrange(len(texts))
    flags = USES_DEVICE | (EL0 if rng.random() < 0.25 else 0) | (IRQ if rng.random() < 0.3 else 0)
    fields = _debug(rng) if rng.random() < 0.3 else {}
    step = rng.random() < 0.35
    if step:
        fields = _step(rng, fields)
    pstate, sctlr = _pstate(rng, step), _sctlr(rng, flags)
    regs = {0: rng.choice(WHERE[:2]), 3: rng.getrandbits(64), 4: rng.getrandbits(64)}
    for n in without:
        texts[n] = ""
    return Program(seeds.name_of(seed, without), "\n".join(texts[:about]),
                   texts[about], "\n".join([*texts[about + 1:], "nop", "nop"]), flags=flags,
                   pstate=pstate, sctlr=sctlr, regs=regs, parts=len(texts), **fields)


def named(name):
    """The program of a name, or None."""
    parsed = seeds.parse(name)
    return program(*parsed) if parsed else None


def generated(first, last):
    """Those of the seeds from @first to @last."""
    return [program(seed) for seed in range(first, last + 1)]
