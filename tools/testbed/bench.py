# SPDX-License-Identifier: GPL-2.0-only
"""What axvcpu costs, and KVM on the same machine: axbench's figures."""

import json
import os

import build
import check
import machines
from build import say

BENCH = build.BUILD / "bench"
LIMIT = 1200
FILE = "/tmp/bench.json"


def run(options, machine):
    """Measure on a machine; 0 if everything is within its budget."""
    builder = build.Builder(machine.arch, options.verbose)
    kernel = builder.kernel(machine.flavour)
    say(f"building {machine.module} for the {kernel.name} kernel, and the programs")
    builder.userspace(kernel)
    modules = [builder.module(machine.module, kernel), builder.counting_module(kernel)]
    image = builder.initramfs(kernel, modules, [])
    token = check.new_token()
    conf = check.configuration(machine, token, [
        " ".join(("test axbench /bin/axbench --json", FILE, *options.arguments)),
        f"test json /bin/busybox cat {FILE}"])
    say(f"booting {machine.name}: {machine.about}\n")
    BENCH.mkdir(parents=True, exist_ok=True)
    log_path = BENCH / f"{machine.name}.log"
    with open(log_path, "w", encoding="utf-8", buffering=1) as log, \
            machines.Run(machine, kernel, image(conf), options.verbose) as boot:
        session = check.Session(boot, log)
        try:
            problems, how, results = _watch(session, token)
        except (TimeoutError, EOFError) as error:
            problems, how, results = [str(error) or "the machine stopped"], None, None
    for problem in problems + session.boot.problems:
        say(f"FAILED: {problem}")
    if results is None:
        say(f"log: {os.path.relpath(log_path)}")
        return 1
    path = BENCH / f"{machine.figures}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    say(f"\nfigures: {os.path.relpath(path)}")
    return 0 if how == "exit=0" and not problems else 1


def _watch(session, token):
    """What went wrong, how axbench ended, and its figures."""
    machine = session.run.machine
    session.until(token, "health", machine.boot_limit, "boot")
    name, *status = session.until(token, "load", machine.load_limit, "load")
    if status != ["ok"]:
        return [f"load {name}: {' '.join(status)}"], None, None
    how, _ = _program(session, token, say)
    _, lines = _program(session, token, lambda text: None)
    session.until(token, "bye", 60, "power off")
    try:
        return [], how, json.loads("\n".join(lines))
    except ValueError:
        return [f"axbench left no figures: {how}"], how, None


def _program(session, token, show):
    """How init's next program ended, and its lines."""
    session.until(token, "begin", 30, "begin")
    lines = []
    while True:
        got = session.next_line(LIMIT)
        if got is None:
            raise TimeoutError(f"no line for {LIMIT} s")
        kernel, text = got
        at = text.find(token + " end ")
        if at >= 0:
            return text[at:].split()[3], lines
        if not kernel:
            lines.append(text)
            show(text)
