# SPDX-License-Identifier: GPL-2.0-only
"""What axvcpu costs, and KVM on the same machine: axbench's figures, and charts of them."""

import json
import os

import build
import chart
import check
import machines
from build import say

BENCH = build.BUILD / "bench"
LIMIT = 1200        # of one program, in seconds of CPU time
FILE = "/tmp/bench.json"


def run(options, where):
    """Measure on some machines; 0 if everything is within its budget.

    Machines that leave one file of figures share it: one has a CPU, one has two.
    """
    status = 0
    for name in dict.fromkeys(machine.figures for machine in where):
        figures = []
        for machine in where:
            if machine.figures == name:
                good, more = _measure(options, machine)
                status |= not good
                figures += more
        scales = [figure for figure in figures if "idle" in figure]
        rows = [figure for figure in figures if "idle" not in figure]
        for what, some, draw in ((name, rows, chart.ratios), (f"{name}-scale", scales,
                                                              chart.scales)):
            if some:
                _write(BENCH / f"{what}.json", json.dumps(some, indent=1) + "\n")
                _write(BENCH / f"{what}.svg", draw(some, what))
    return status


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    say(f"written: {os.path.relpath(path)}")


def _programs(options, machine):
    """What to run: axbench's arguments."""
    programs = [options.arguments]
    if not options.arguments and machine.cpus == 1:
        programs.append(["--scale"])
    return programs


def _measure(options, machine):
    """Whether all is good, and the figures."""
    builder = build.Builder(machine.arch, options.verbose)
    kernel = builder.kernel(machine.flavour)
    say(f"building {machine.module} for the {kernel.name} kernel, and the programs")
    builder.userspace(kernel)
    modules = [builder.module(machine.module, kernel), builder.counting_module(kernel)]
    image = builder.initramfs(kernel, modules, [])
    token = check.new_token()
    programs = _programs(options, machine)
    conf = check.configuration(machine, token, [
        line for arguments in programs for line in (
            " ".join(("test axbench /bin/axbench --json", FILE, *arguments)),
            f"test json /bin/busybox cat {FILE}")])
    say(f"booting {machine.name}: {machine.about}\n")
    BENCH.mkdir(parents=True, exist_ok=True)
    log_path = BENCH / f"{machine.name}.log"
    with open(log_path, "w", encoding="utf-8", buffering=1) as log, \
            machines.Run(machine, kernel, image(conf), options.verbose) as boot:
        session = check.Session(boot, log)
        try:
            problems, figures = _watch(session, token, len(programs))
        except (TimeoutError, EOFError) as error:
            problems, figures = [str(error) or "the machine stopped"], []
    for problem in problems + session.boot.problems:
        say(f"FAILED: {problem}")
    say("")
    if problems:
        say(f"log: {os.path.relpath(log_path)}")
    return not problems and not session.boot.problems, figures


def _watch(session, token, count):
    """What went wrong, and the figures of all programs."""
    machine = session.run.machine
    session.until(token, "health", machine.boot_limit, "boot")
    name, *status = session.until(token, "load", machine.load_limit, "load")
    if status != ["ok"]:
        return [f"load {name}: {' '.join(status)}"], []
    problems, figures = [], []
    for _ in range(count):
        how, _ = _program(session, token, say)
        _, lines = _program(session, token, lambda text: None)
        if how != "exit=0":
            problems.append(f"axbench ended with {how}")
        try:
            figures += json.loads("\n".join(lines))
        except ValueError:
            problems.append("axbench left no figures")
    session.until(token, "bye", 60, "power off")
    return problems, figures


def _program(session, token, show):
    """How init's next program ended, and its lines."""
    session.until(token, "begin", 30, "begin")
    lines = []
    limit = check.Limit(session.run, LIMIT)
    while True:
        kernel, text = session.line(limit, "the end of the program")
        at = text.find(token + " end ")
        if at >= 0:
            return text[at:].split()[3], lines
        if not kernel:
            lines.append(text)
            show(text)
