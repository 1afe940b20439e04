# SPDX-License-Identifier: GPL-2.0-only
"""Programs from a seed: what exits, and what touches flags, segments and debug registers."""

import random
import re

import seeds
import x86_catalogue as catalogue
from x86_programs import (ABSENT, CR4_DE, DATA, IF, IRQ, MODES, NMI, PAGED, PORT, RAX, RBX, RCX,
                          RDI, RING3, RSI, TF, Program, based)

# Besides the catalogue's: what leaves flags and registers that matter later
COMMON = (
    catalogue.Insn("add", "add %ecx, %eax"),
    catalogue.Insn("sub", "sub %eax, %ebx"),
    catalogue.Insn("inc", "inc %ecx"),
    catalogue.Insn("shl", "shl $3, %eax"),
    catalogue.Insn("bts", "btsl $5, D", memory="di"),
    catalogue.Insn("xchg", "xchg %eax, D", memory="di"),
    catalogue.Insn("cmpsb", "cmpsb", memory="di"),
    catalogue.Insn("stosb", "rep stosb", memory="di"),
    catalogue.Insn("std", "std"),
    catalogue.Insn("cld", "cld"),
    catalogue.Insn("push-pop", "pop A", "push A"),
    catalogue.Insn("popf", "popf", "pushf"),
    catalogue.Insn("mov-ss", "mov %bp, %ss", "mov %ss, %bp"),
    catalogue.Insn("mov-from-dr6", "mov %dr6, R"),
    catalogue.Insn("jump", "jmp 1f\n1:"),
    catalogue.Insn("loop", "1: loop 1b", "mov $3, R".replace("R", "%ecx")),
)
# MONITOR is the host's; without a count, or with no port in DX, Bochs has devices there.
EXITING = tuple(insn for insn in catalogue.INSNS if not insn.hangs and not insn.only and
                insn.name not in ("popf-tf", "monitor", "rep-insb-0", "rep-outsb-0"))

# What an instruction wants in a register, where the program before it may have left another
# value
NEEDS = {RAX: "%eax", RCX: "%ecx"}


def _text(rng, mode):
    """An instruction, as assembly."""
    pool = COMMON if rng.random() < 0.35 else EXITING
    insn = rng.choice([insn for insn in pool if mode in insn.modes])
    lines = [f"mov ${value:#x}, {NEEDS[n]}" for n, value in insn.regs if n in NEEDS]
    if insn.io and insn.io == PORT:
        lines.append(f"mov ${PORT:#x}, %dx")
    if insn.text.startswith("rep "):
        # Bochs' ports are accessed even without an element: no program may see that.
        lines.append(f"mov ${rng.randrange(1 if insn.io else 0, 5)}, %ecx")
    lines += [insn.before, insn.text]
    return catalogue.substitute("\n".join(lines), mode)


def _debug(rng, text):
    """DR0 to DR3, DR7: on an instruction, on data, on the port."""
    dr, dr7, cr4 = [0, 0, 0, 0], 0, 0
    # Bochs meets one on a repeated INS or OUTS at each element.
    if rng.random() < 0.4 and not re.search("rep (ins|outs)", text):
        dr[0] = "text"
        dr7 |= catalogue.exec_breakpoint(0)
    if rng.random() < 0.3:
        dr[1] = DATA + rng.choice((0x10, 0x11, 0x40))
        dr7 |= catalogue.breakpoint_on(1, rng.choice((1, 3)), 1)
    if rng.random() < 0.3:
        dr[2] = PORT
        dr7 |= catalogue.breakpoint_on(2, 2, 1)
        cr4 = CR4_DE
    return {"dr": tuple(dr), "dr7": dr7, "cr4": cr4}


# Of the entry for ABSENT: writable, read-only, the supervisor's, NX without EFER.NXE, reserved
ENTRIES = (7, 5, 3, 7 | 1 << 63, 7 | 1 << 51)


def _page(rng):
    """What the page is that is absent otherwise, as Program.poke has it."""
    if rng.random() < 0.3:
        return (0, 0)
    return (catalogue.ABSENT_ENTRY, ABSENT | rng.choice(ENTRIES))


def program(seed, without=()):
    """The program of a seed, always the same; @without some of its instructions."""
    rng = random.Random(seed)
    mode = MODES[seed % len(MODES)]
    texts = [_text(rng, mode) for _ in range(rng.randrange(2, 6))]
    about = rng.randrange(len(texts))
    fields = _debug(rng, texts[about]) if rng.random() < 0.4 else {}
    flags = RING3 if mode != "real" and rng.random() < 0.15 else 0
    if rng.random() < 0.3:
        flags |= IRQ
    regs = {RDI: based(mode, rng.choice((0x10, 0x20))), RSI: based(mode, 0x40),
            RAX: rng.getrandbits(32), RBX: rng.getrandbits(32), RCX: rng.randrange(6)}
    poke = (0, 0)
    if rng.random() < 0.1:
        flags |= NMI
    if mode in PAGED and rng.random() < 0.2:
        poke = _page(rng)
        regs[RDI] = ABSENT + 0x10
    for n in without:
        texts[n] = ""
    return Program(seeds.name_of(seed, without), mode,
                   "\n".join(texts[:about]), texts[about],
                   "\n".join([*texts[about + 1:], "nop", "nop"]), flags=flags,
                   parts=len(texts),
                   eflags=rng.choice((0, 0, TF, IF, TF | IF)), regs=regs,
                   poke=poke, **fields)


def named(name):
    """The program of a name, or None."""
    parsed = seeds.parse(name)
    return program(*parsed) if parsed else None


def generated(mode, first, last):
    """Those of the seeds from @first to @last that are of @mode."""
    return [program(seed) for seed in range(first, last + 1)
            if seed % len(MODES) == MODES.index(mode)]
