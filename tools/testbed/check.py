# SPDX-License-Identifier: GPL-2.0-only
"""Tests on a machine: boot, watch the console, tell what became of each."""

import contextlib
import dataclasses
import re
import secrets
import time

import machines
import report

ASK_STATE, ASK_KILL = b"\x14", b"\x0b"      # as init.c has them

KSFT_SKIP = 4

# A machine that has been idle for IDLE seconds, as its kernel tells, waits for something
# that will not come. If nobody is left who could tell, it has said nothing for DEAD
# seconds, and used less than HARDLY_ANY of a processor.
IDLE = 300
DEAD, HARDLY_ANY = 1800, 0.1


@dataclasses.dataclass(frozen=True)
class Test:
    name: str
    machines: tuple
    limit: int              # in seconds of CPU time; see Limit
    args: tuple = ()
    raw: bool = False       # no TAP: the exit status is the result
    show: object = None     # called with each line that comes while it runs

    @property
    def command(self):
        return self.args if self.raw else (f"/selftests/{self.name}", *self.args)


def manifest(path):
    """The tests of a tests.conf: name, machines, limit, arguments."""
    tests = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 3 or not words[2].isdigit():
            raise SystemExit(f"{path}:{number}: not \"name machines seconds [arguments]\"")
        unknown = set(words[1].split(",")) - set(machines.MACHINES)
        if unknown:
            raise SystemExit(f"{path}:{number}: no such machine: {', '.join(sorted(unknown))}")
        tests.append(Test(words[0], tuple(words[1].split(",")), int(words[2]), tuple(words[3:])))
    return tests


@dataclasses.dataclass
class Result:
    machine: str
    test: str
    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)      # names of subtests
    skipped: list = dataclasses.field(default_factory=list)     # (name, reason)
    problems: list = dataclasses.field(default_factory=list)    # beyond the subtests
    seconds: float = 0
    output: list = dataclasses.field(default_factory=list)
    log: object = None
    note: str = ""
    damaged: bool = False       # is the machine, for the tests that come after?
    shown: bool = False         # was its output printed already?

    @property
    def failures(self):
        """A program that fails counts once, even if each of its subtests passed."""
        return len(self.failed) or bool(self.problems)

    def take(self, tap):
        self.passed, self.failed, self.skipped = tap.passed, tap.failed, tap.skipped
        if tap.skip_all is not None:
            self.skipped = [("all", tap.skip_all)]
        self.problems += tap.problems


class Limit:
    """When does a machine count as hung? However slow and busy this computer is.

    The clock would tell how busy it is. So the limit is CPU time of the emulator: @seconds
    for each CPU of the machine.
    """

    def __init__(self, run, seconds):
        self.run, self.seconds = run, seconds
        self.began = run.cpu_seconds()
        self.looked = time.monotonic()
        self.alive()

    def alive(self):
        """It has just done something."""
        self.alive_at, self.alive_cpu = time.monotonic(), self.run.cpu_seconds()

    def reached(self):
        """What was reached, or None."""
        now = time.monotonic()
        if now - self.looked < 0.5:
            return None
        self.looked = now
        used = self.run.cpu_seconds()
        if used - self.began > self.seconds * self.run.machine.cpus:
            return f"{self.seconds} s of CPU time"
        if used - self.alive_cpu > HARDLY_ANY * DEAD:
            self.alive()
        elif now - self.alive_at > DEAD:
            return f"{DEAD} s in which it did nothing"
        return None


class Session:
    """One boot of a machine with some tests; results as they come."""

    def __init__(self, run, log):
        self.run = run
        self.log = log
        self.lines = report.Lines()
        self.queue = []
        self.result = None          # the test that is running
        self.boot = Result(run.machine.name, "machine")
        self.first_test = None

    # --- lines from the console

    def next_line(self, timeout):
        """(from the kernel?, text), or None after @timeout seconds."""
        until = time.monotonic() + timeout
        while not self.queue:
            data = self.run.read(max(0, until - time.monotonic()))
            if data is None:
                self.queue += self.lines.rest()
                if not self.queue:
                    raise EOFError
            elif data:
                self.queue += self.lines.feed(data)
            elif time.monotonic() >= until:
                return None
        kernel, text = self.queue.pop(0)
        self.log.write(f"{self.run.elapsed():7.2f}  {text}\n")
        self._keep(kernel, text)
        return kernel, text

    def _keep(self, kernel, text):
        target = self.result or self.boot
        target.output.append(text)
        if kernel and report.BAD.search(text):
            target.damaged = True
            if sum(p.startswith("kernel: ") for p in target.problems) < 5:
                target.problems.append("kernel: " + report.STAMP.sub("", text).strip())

    def line(self, limit, what):
        """The next line, as next_line() has it; TimeoutError at the limit."""
        while True:
            got = self.next_line(1)
            reached = limit.reached()
            if reached:
                raise TimeoutError(f"no answer within {reached}: {what}")
            if got is not None:
                limit.alive()
                return got

    def until(self, token, word, seconds, what, show=None):
        """Read on to init's line "TOKEN word ..."; its other words."""
        limit = Limit(self.run, seconds)
        while True:
            text = self.line(limit, what)[1]
            at = text.find(token + " ")
            if show and at:
                show(text if at < 0 else text[:at])
            if at < 0:
                continue
            words = text[at:].split()
            if words[1] == "health":
                self._health(words[2:])
            if words[1] == "idle":
                raise TimeoutError(f"the machine has been idle for {words[2]} s: {what}")
            if words[1] == word:
                return words[2:]

    def _health(self, words):
        health = dict(word.split("=") for word in words)
        target = self.result or self.boot
        before = len(target.problems)
        if int(health["cpus"]) != self.run.machine.cpus:
            target.problems.append(f"{health['cpus']} CPUs are online, "
                                   f"{self.run.machine.cpus} were asked for")
        bad = report.taints(int(health["tainted"]))
        if bad:
            target.problems.append(f"the kernel is tainted: {', '.join(bad)}")
        if health["debug_locks"] == "0":
            target.problems.append("lockdep has switched itself off")
        target.damaged |= len(target.problems) > before


def configuration(machine, token, middle, leaks=False, idle=0):
    """/testbed.conf, for init, with the lines of @middle while the module is loaded."""
    kunit = machine.module == "axvcpu_kunit"
    lines = [f"token {token}", f"loglevel {7 if kunit else 5}"]
    if machine.emulator.POWER_PORT is not None:
        lines.append(f"port {machine.emulator.POWER_PORT:#x}")
    if idle:
        lines.append(f"idle {idle}")
    if machine.module:
        lines.append(f"load {machine.module}")
    lines += middle
    if machine.module:
        lines.append(f"unload {machine.module}")
    if leaks:
        lines.append("leaks")
    if machine.coverage:
        lines.append("dump /sys/kernel/debug/gcov")
    return "\n".join(lines) + "\n"


def scans_for_leaks(machine):
    return machine.flavour == "sanitizer" and "kmemleak=off" not in machine.options


def new_token():
    return "@" + secrets.token_hex(4)


def run_tests(machine, kernel, make_initramfs, tests, log_dir, tell, verbose=False, idle=IDLE):
    """Run @tests on @machine; tell(result) of each as it ends.

    A machine that a test has damaged is booted again for the tests that are
    left. The result named "machine" stands for the boots themselves.
    """
    waiting = list(tests)
    boot = 0
    while True:
        token = new_token()
        conf = configuration(machine, token, [" ".join(("test", test.name, *test.command))
                                              for test in waiting],
                             scans_for_leaks(machine), idle)
        log_dir.mkdir(parents=True, exist_ok=True)
        path = log_dir / f"console{f'-{boot}' if boot else ''}.log"
        with open(path, "w", encoding="utf-8", buffering=1) as log, \
                machines.Run(machine, kernel, make_initramfs(conf), verbose) as run:
            session = Session(run, log)
            left = _watch(session, token, waiting, log_dir, tell)
            for line in run.emulator_output():
                log.write(f"emulator: {line}\n")
        session.boot.seconds = run.elapsed()
        session.boot.log = path
        session.boot.passed = 0 if session.boot.problems else 1
        if session.first_test:
            session.boot.note = f"first test after {session.first_test:.1f} s"
        if session.boot.problems or boot == 0:
            tell(session.boot)
        boot += 1
        if not left:
            return
        if len(left) == len(waiting):
            # Not one test was reached: another boot would not do better.
            for test in left:
                tell(Result(machine.name, test.name, problems=["the machine did not reach it"],
                            log=path))
            return
        waiting = left


def _watch(session, token, tests, log_dir, tell):
    """Follow a boot to its end; the tests that another boot must run."""
    machine = session.run.machine
    boot = session.boot
    left = list(tests)
    try:
        session.until(token, "health", machine.boot_limit, "boot")
        if machine.module == "axvcpu_kunit":
            session.first_test = session.run.elapsed()
            if _kunit(session, token, log_dir, tell).damaged:
                return left
        elif machine.module:
            _loaded(session, token, "load", machine.load_limit)
        while left and not boot.problems:
            result = _test(session, token, left[0], log_dir)
            left.pop(0)
            tell(result)
            if result.damaged:
                return left
        if left:
            return left
        if machine.module:
            _loaded(session, token, "unload", 30)
        if scans_for_leaks(machine):
            status = session.until(token, "leaks", 60, "the scan for leaks")
            if status[0] == "found":
                boot.problems += [line for line in boot.output
                                  if line.startswith("unreferenced object")][:5] or ["leaks"]
            elif status[0] != "ok":
                boot.problems.append("the scan for leaks failed: " + " ".join(status))
        if machine.coverage:
            if session.until(token, "dumped", 300, "what was executed")[0] != "ok":
                boot.problems.append("the kernel did not tell all that was executed")
        session.until(token, "bye", 30, "power off")
        limit = Limit(session.run, 30)
        while True:
            session.line(limit, "the end of the emulator")
    except TimeoutError as error:
        boot.problems.append(str(error))
    except EOFError:
        if not any(f"{token} bye" in line for line in boot.output):
            boot.problems.append("the machine stopped before its closing line" +
                                 session.run.how_it_ended())
    return left


def _loaded(session, token, word, limit):
    name, *status = session.until(token, word, limit, f"{word} the module")
    if status != ["ok"]:
        session.boot.problems.append(f"{word} {name}: {' '.join(status)}")


def _kunit(session, token, log_dir, tell):
    """KUnit's suites run while their module is loaded; KTAP is in the kernel's log."""
    result = session.result = Result(session.run.machine.name, "kunit")
    began = time.monotonic()
    tap = report.Tap()
    try:
        name, *status = session.until(token, "load", session.run.machine.load_limit, "KUnit")
        if status != ["ok"]:
            result.problems.append(f"load {name}: {' '.join(status)}")
    except TimeoutError as error:
        result.problems.append(str(error))
        result.damaged = True
        _ask_state(session)
    except EOFError:
        result.problems.append("the machine is gone: it stopped")
        result.damaged = True
    for line in result.output:
        stamp = report.STAMP.match(line)
        if stamp:
            tap.line(line[stamp.end():])
    tap.finish()
    result.take(tap)
    _finish(session, result, began, log_dir)
    tell(result)
    return result


def _test(session, token, test, log_dir):
    session.until(token, "begin", 30, f"begin of {test.name}")
    session.first_test = session.first_test or session.run.elapsed()
    result = session.result = Result(session.run.machine.name, test.name, shown=bool(test.show))
    began = time.monotonic()
    how = None
    try:
        try:
            how = session.until(token, "end", test.limit, test.name, test.show)
        except TimeoutError as error:
            result.problems.append(str(error))
            how = _kill(session, token, test)
        session.until(token, "health", 30, "the kernel's health")
    except (TimeoutError, EOFError) as error:
        result.problems.append("the machine is gone: " +
                               (str(error) or "it stopped" + session.run.how_it_ended()))
        result.damaged = True
    output = [line for line in result.output if token not in line]
    if not test.raw:
        tap = report.Tap()
        for line in output:
            tap.line(line)
        totals = any(line.startswith("# Totals:") for line in output)
        tap.finish(totals)
        result.take(tap)
    status = how[1] if how else "none"
    if status not in ("exit=0", "none") and not result.failed and \
            not (status == f"exit={KSFT_SKIP}" and result.skipped):
        result.problems.append("it ended with " + status.replace("=", " "))
    if test.raw and not result.problems:
        result.passed = 1
    _finish(session, result, began, log_dir)
    return result


def _kill(session, token, test):
    """A test that hangs: have the kernel say where, then kill it."""
    _ask_state(session)
    session.run.write(ASK_KILL)
    return session.until(token, "end", 15, f"killing {test.name}")


def _ask_state(session):
    """Have the kernel say what is blocked, and what the CPUs are at."""
    session.run.write(ASK_STATE)
    until = time.monotonic() + 3
    with contextlib.suppress(EOFError):
        while time.monotonic() < until:
            session.next_line(until - time.monotonic())


def _finish(session, result, began, log_dir):
    session.result = None
    result.seconds = time.monotonic() - began
    result.log = log_dir / f"{re.sub('[^A-Za-z0-9_.-]', '-', result.test)}.log"
    result.log.write_text("\n".join(result.output) + "\n")
