# SPDX-License-Identifier: GPL-2.0-only
"""Reports of the oracle's runner for a person to read: selftests/oracle/x86/oracle.h."""

import struct

import x86_programs as programs

HEAD = struct.Struct("<4I4Q256s")
EVENT = struct.Struct("<IIQQI6HQQ16Q")
HEAD_FIELDS = ("id", "count", "dr7", "reserved", "cr0", "cr4", "poked", "stack")
REGS = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
EVENT_FIELDS = ("vector", "error", "ip", "sp", "flags", "cs", "ss", "ds", "es", "fs", "gs",
                "dr6", "cr2", *REGS)


def _event(fields):
    return "vector {vector} error {error:#x} ip {cs:x}:{ip:x} sp {ss:x}:{sp:x} flags {flags:x} " \
        "dr6 {dr6:x} cr2 {cr2:x}".format(**fields)


def parse(reports):
    """For each program, its fields by name: those of an event, and those at its end."""
    _, count, _, _ = programs.REPORTS.unpack_from(reports)
    at, found = programs.REPORTS.size, []
    for _ in range(count):
        *head, data = HEAD.unpack_from(reports, at)
        fields = dict(zip(HEAD_FIELDS, head)) | {"data": data.hex()}
        at += HEAD.size
        events = []
        for _ in range(fields["count"]):
            events.append(dict(zip(EVENT_FIELDS, EVENT.unpack_from(reports, at))))
            at += EVENT.size
        found.append((fields, events))
    return found


def _differing(ours, theirs):
    return [f"{name} {ours[name]} and {theirs[name]}" if isinstance(ours[name], str) else
            f"{name} {ours[name]:#x} and {theirs[name]:#x}"
            for name in ours if ours[name] != theirs[name]]


def compared(ours, theirs):
    """Lines: what happened in ours, and where theirs is another."""
    (our_end, our_events), (their_end, their_events) = ours, theirs
    lines, differ = [], False
    for n, event in enumerate(our_events):
        other = their_events[n] if n < len(their_events) else None
        lines.append(f"  {_event(event)}")
        if other is None:
            lines.append("      not there in the other")
        elif other != event:
            lines.append("      " + ", ".join(_differing(event, other)))
        differ |= other != event
    for event in their_events[len(our_events):]:
        lines.append(f"  only in the other: {_event(event)}")
        differ = True
    rest = _differing({**our_end, "id": 0}, {**their_end, "id": 0})
    if rest:
        lines.append("  at the end: " + ", ".join(rest))
    return lines, differ or bool(rest)
