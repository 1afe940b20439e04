# SPDX-License-Identifier: GPL-2.0-only
"""What a console says: kernel reports, TAP and KTAP."""

import dataclasses
import re

# What stands for a program's "[" on the console; init.c sees to that. So nothing but
# what the kernel prints has a time in brackets.
BRACKET = "\x02"

# A line of the kernel's, which may stand in the middle of a program's.
STAMP = re.compile(r"\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ?")

# What a healthy kernel never prints.
BAD = re.compile("|".join((
    r"\bBUG\b",
    r"WARNING: ",
    r"Oops\b",
    r"Kernel panic",
    r"general protection fault",
    r"Unable to handle kernel",
    r"Internal error: ",
    r"SError Interrupt",
    r"unable to handle page fault",
    r"KASAN: ",
    r"UBSAN: ",
    r"ODEBUG: ",
    r"kernel BUG at",
    r"INFO: (?:task|rcu|trying|lockdep|HARDIRQ|SOFTIRQ|possible|inconsistent)",
    r"rcu: INFO",
    r"possible (?:circular|recursive|irq|unsafe)",
    r"inconsistent lock state",
    r"suspicious RCU usage",
    r"turning off the locking correctness validator",
    r"bad unlock balance",
    r"held lock freed",
    r"lock held when returning to user space",
    r"sleeping function called",
    r"scheduling while atomic",
    r"blocked for more than",
    r"soft lockup|hard LOCKUP",
    r"rcu_(?:preempt|sched) (?:self-)?detected (?:expedited )?stall",
    r"memory leaks?\b|unreferenced object",
    r"refcount_t: ",
    r"list_(?:add|del) corruption",
)))

# Bits of /proc/sys/kernel/tainted that are no fault: a CPU out of spec (Bochs;
# clearcpuid=), our module is out of the tree and not signed, KUnit ran.
TAINTS_EXPECTED = 1 << 2 | 1 << 12 | 1 << 13 | 1 << 18
TAINTS = {0: "proprietary module", 1: "forced load", 4: "machine check", 5: "bad page",
          7: "oops or BUG", 9: "warning", 14: "soft lockup", 17: "randstruct"}


def taints(value):
    """What a value of "tainted" says beyond what is expected."""
    value &= ~TAINTS_EXPECTED
    return [TAINTS.get(bit, f"bit {bit}") for bit in range(64) if value >> bit & 1]


class Lines:
    """Puts lines together again that the kernel's messages have torn.

    The console is one line for everybody: a message of the kernel's may come
    in the middle of a program's line. It is whole itself.
    """

    def __init__(self):
        self.pending = b""
        self.torn = ""

    def feed(self, data):
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            stamp = STAMP.search(text)
            if not stamp:
                yield False, self._program(text)
                continue
            self.torn += text[:stamp.start()]
            yield True, text[stamp.start():]

    def _program(self, text):
        text, self.torn = self.torn + text, ""
        return text.replace(BRACKET, "[")

    def rest(self):
        if self.pending or self.torn:
            yield False, self._program(self.pending.decode(errors="replace"))
        self.pending = b""


RESULT = re.compile(r"( *)(not )?ok (\d+)(?: -)? *(.*?)(?: *# *(SKIP|XFAIL|TODO)\b *(.*))?$")
PLAN = re.compile(r"( *)1\.\.(\d+)(?: *# *SKIP *(.*))?$")


@dataclasses.dataclass
class Tap:
    """Counts of a TAP or KTAP document, whatever its nesting: leaves count."""

    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)     # (name, reason)
    problems: list = dataclasses.field(default_factory=list)
    skip_all: str = None
    # By depth of indentation: the plan, results so far, failures so far.
    levels: dict = dataclasses.field(default_factory=dict)

    def line(self, text):
        plan = PLAN.match(text)
        if plan:
            depth = len(plan[1])
            # A plan may also come behind the results that it announces.
            late = self.levels.get(depth, [0])[0] is None
            self._close(depth + 1 if late else depth)
            self.levels.setdefault(depth, [None, 0, 0])[0] = int(plan[2])
            if plan[2] == "0" and depth == 0:
                self.skip_all = plan[3] or "no reason given"
            return
        result = RESULT.match(text)
        if result:
            self._result(result)

    def _result(self, result):
        depth, bad, name = len(result[1]), bool(result[2]), result[4] or f"#{result[3]}"
        children = [level for at, level in self.levels.items() if at > depth]
        summary = any(level[1] for level in children)
        failed_inside = any(level[2] for level in children)
        self._close(depth + 1)
        level = self.levels.setdefault(depth, [None, 0, 0])
        level[1] += 1
        level[2] += bad
        if result[5] == "SKIP":
            self.skipped.append((name, result[6] or "no reason given"))
        elif bad and result[5] not in ("XFAIL", "TODO"):
            if not (summary and failed_inside):
                self.failed.append(name)
        elif not summary:
            self.passed += 1
        if int(result[3]) != level[1]:
            self.problems.append(f"result {result[3]} ({name}) came where {level[1]} was due")
            level[1] = int(result[3])

    def _close(self, depth):
        """Levels from @depth on have ended: were their plans met?"""
        for at in sorted(at for at in self.levels if at >= depth):
            plan, count, _ = self.levels.pop(at)
            if plan is not None and plan != count:
                self.problems.append(f"{plan} results were announced, {count} came")

    def finish(self, totals=None):
        """@totals: whether the closing "# Totals" was seen, None if it needn't."""
        if not self.levels:
            self.problems.append("no TAP came")
        elif self.levels.get(0, [None])[0] is None:
            self.problems.append("no plan came")
        elif totals is False and self.skip_all is None:
            self.problems.append("the closing \"# Totals\" is missing")
        self._close(0)
