#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does the testbed read consoles right? TAP, KTAP, torn lines, kernel reports."""

import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools/testbed"))

import coverage     # noqa: E402
import report       # noqa: E402


def tap(text, totals=None):
    result = report.Tap()
    for line in text.splitlines():
        result.line(line)
    result.finish(totals)
    return result


class TapTest(unittest.TestCase):
    def test_good(self):
        t = tap("TAP version 13\n1..2\nok 1 one\nok 2 - two # SKIP no hardware\n", True)
        self.assertEqual((t.passed, t.failed, t.skipped, t.problems),
                         (1, [], [("two", "no hardware")], []))

    def test_not_ok(self):
        t = tap("1..2\nnot ok 1 one\nok 2 two\n# Totals: x", True)
        self.assertEqual((t.passed, t.failed, t.problems), (1, ["one"], []))

    def test_plan_not_met(self):
        self.assertTrue(tap("1..3\nok 1 a\nok 2 b\n", True).problems)
        self.assertTrue(tap("1..1\nok 1 a\nok 2 b\n", True).problems)

    def test_plan_comes_last(self):
        t = tap("ok 1 a\nok 2 b\n1..2\n")
        self.assertEqual((t.passed, t.problems), (2, []))
        self.assertTrue(tap("ok 1 a\nok 2 b\n1..3\n").problems)
        self.assertTrue(tap("ok 1 a\n1..1\n1..1\n").problems)

    def test_no_plan(self):
        self.assertTrue(tap("ok 1 a\n", True).problems)

    def test_nothing(self):
        self.assertTrue(tap("", True).problems)

    def test_no_totals(self):
        self.assertTrue(tap("1..1\nok 1 a\n", False).problems)

    def test_skip_all(self):
        t = tap("TAP version 13\n1..0 # SKIP no VMX\n", False)
        self.assertEqual((t.skip_all, t.problems), ("no VMX", []))

    def test_numbers(self):
        self.assertTrue(tap("1..2\nok 1 a\nok 1 b\n", True).problems)

    def test_xfail(self):
        t = tap("1..1\nnot ok 1 a # XFAIL known\n", True)
        self.assertEqual((t.failed, t.problems), ([], []))

    KTAP = """\
KTAP version 1
1..2
    KTAP version 1
    # Subtest: state
    # module: axvcpu_kunit
    1..2
    ok 1 create
        KTAP version 1
        # Subtest: matrix
        ok 1 Free BIND
        {inner}ok 2 Free RUN
    # matrix: pass:2 fail:0 skip:0 total:2
    {inner}ok 2 matrix
# state: pass:2 fail:0 skip:0 total:2
{inner}ok 1 state
    KTAP version 1
    1..1
    ok 1 only # SKIP later
ok 2 other
"""

    def test_ktap(self):
        t = tap(self.KTAP.format(inner=""))
        self.assertEqual((t.passed, t.failed, t.skipped, t.problems),
                         (3, [], [("only", "later")], []))

    def test_ktap_failure(self):
        t = tap(self.KTAP.format(inner="not "))
        self.assertEqual((t.passed, t.failed, t.problems), (2, ["Free RUN"], []))

    def test_ktap_cut_short(self):
        text = self.KTAP.format(inner="").replace("    ok 2 matrix\n", "")
        self.assertTrue(tap(text).problems)


class LinesTest(unittest.TestCase):
    def test_torn(self):
        lines = report.Lines()
        got = list(lines.feed(b"ok 3 fo[    1.234567] axvcpu: hello\r\no ba"))
        got += list(lines.feed(b"r\r\nnext\r\n"))
        self.assertEqual(got, [(True, "[    1.234567] axvcpu: hello"),
                               (False, "ok 3 foo bar"), (False, "next")])

    def test_programs_brackets(self):
        lines = report.Lines()
        b = report.BRACKET.encode()
        oops = b"    1.234567] WARNING: CPU: 0 PID: 52 at kernel/panic.c:1"
        self.assertEqual(list(lines.feed(b + oops + b"\r\n")), [(False, "[" + oops.decode())])
        # The kernel's own, in the middle of a program's copy of it
        got = list(lines.feed(b"ok " + b + oops + b" [" + oops + b"\r\n" + b"more\r\n"))
        self.assertEqual(got, [(True, "[" + oops.decode()),
                               (False, "ok [" + oops.decode() + " more")])
        self.assertEqual(list(lines.feed(b + b"half")), [])
        self.assertEqual(list(lines.rest()), [(False, "[half")])

    def test_rest(self):
        lines = report.Lines()
        self.assertEqual(list(lines.feed(b"half")), [])
        self.assertEqual(list(lines.rest()), [(False, "half")])


class BadTest(unittest.TestCase):
    BAD = (
        "WARNING: CPU: 0 PID: 52 at drivers/misc/lkdtm/bugs.c:112 lkdtm_WARNING+0x14/0x20",
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "Oops: Oops: 0002 [#1] PREEMPT SMP KASAN",
        "BUG: KASAN: slab-use-after-free in foo+0x1/0x2 [axvcpu_mock]",
        "BUG: KCSAN: data-race in foo+0x1/0x2 [axvcpu_mock] / bar+0x3/0x4 [axvcpu_mock]",
        "UBSAN: shift-out-of-bounds in axvcpu_s2.c:12:3",
        "WARNING: possible circular locking dependency detected",
        "WARNING: inconsistent lock state",
        "WARNING: suspicious RCU usage",
        "BUG: sleeping function called from invalid context at kernel/mutex.c:1",
        "INFO: task init:1 blocked for more than 60 seconds.",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [init:1]",
        "kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
        "Kernel panic - not syncing: hello",
        "refcount_t: underflow; use-after-free.",
        "INFO: trying to register non-static key.",
        "DEBUG_LOCKS_WARN_ON(1): turning off the locking correctness validator.",
        "ODEBUG: free active (active state 0) object type: timer_list",
        "BUG: scheduling while atomic: init/1/0x00000002",
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010",
        "Internal error: Oops: 0000000096000004 [#1] SMP",
        "Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP",
        "SError Interrupt on CPU1, code 0x00000000be000411 -- SError",
    )
    GOOD = (
        "axvcpu: VMX, EPT 4-level, VPID",
        "random: crng init done",
        "DEBUG: everything is fine",
        "x86/fpu: Enabled xstate features 0x7",
    )

    def test_bad(self):
        for line in self.BAD:
            self.assertTrue(report.BAD.search(line), line)

    def test_good(self):
        for line in self.GOOD:
            self.assertFalse(report.BAD.search(line), line)

    def test_taints(self):
        self.assertEqual(report.taints(1 << 12 | 1 << 13 | 1 << 18 | 1 << 2), [])
        self.assertEqual(report.taints(1 << 9), ["warning"])
        self.assertEqual(report.taints(1 << 11), ["bit 11"])


class Coverage(unittest.TestCase):
    """What init's dump leaves in a console's log, as check.py writes it."""

    LOG = """\
   7.10  @0123abcd dump
   7.20  @0123abcd file /sys/kernel/debug/gcov/build/a.gcda 9
   7.21  6164%4
   7.22  [    7.220000] a message of the kernel's
   7.23  00ff10
1007.30  @0123abcd file /sys/kernel/debug/gcov/build/short.gcda 5
1007.31  %3 01
1007.40  @0123abcd dumped ok
"""

    def test_dumps(self):
        with tempfile.TemporaryDirectory() as name:
            log = pathlib.Path(name) / "console.log"
            log.write_text(self.LOG)
            problems = []
            whole = list(coverage.dumps(log, problems))
        self.assertEqual(whole, [("/sys/kernel/debug/gcov/build/a.gcda",
                                  b"ad\0\0\0\0\0\xff\x10")])
        self.assertEqual(problems, ["/sys/kernel/debug/gcov/build/short.gcda: "
                                    "4 bytes of 5 in console.log"])


class Results(unittest.TestResult):
    """TAP instead of unittest's own words."""

    def _tell(self, test, good, reason=""):
        print(f"{'ok' if good else 'not ok'} {self.testsRun} {test.id().split('.', 1)[1]}")
        for line in reason.splitlines():
            print("# " + line)

    def addSuccess(self, test):
        self._tell(test, True)

    def addFailure(self, test, err):
        self._tell(test, False, self._exc_info_to_string(err, test))

    addError = addFailure


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    print(f"TAP version 13\n1..{suite.countTestCases()}")
    suite.run(Results())


if __name__ == "__main__":
    main()
