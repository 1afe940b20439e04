# SPDX-License-Identifier: GPL-2.0-only
"""Machines for people: the example guests, and a shell."""

import dataclasses
import os
import pathlib
import shlex
import shutil
import sys
import termios
import tty

import build
import check
import files
import kernels
import machines
from build import TOP, say

ESCAPE = b"\x1d"        # ^]
GUEST_LIMIT = 600       # of one guest, in seconds of CPU time


def _boot(options, machine, token, middle, directory=None):
    builder = build.Builder(machine.arch, options.verbose)
    kernel = builder.kernel(machine.flavour)
    say(f"building {machine.module} for the {kernel.name} kernel, and the programs")
    builder.userspace(kernel)
    modules = [builder.module(machine.module, kernel)]
    tests = [test.name for test in check.manifest(TOP / "selftests/tests.conf")]
    image = builder.initramfs(kernel, modules, tests, directory)
    say(f"booting {machine.name}: {machine.about}")
    conf = check.configuration(machine, token, middle)
    return machines.Run(machine, kernel, image(conf), options.verbose)


@dataclasses.dataclass
class Example:
    title: str
    words: list
    status: int


def _examples(directory):
    """run.list: a command a line; the comment above it is its title.

    expected/NAME.code, here or in ../common, has the status that axvmm ends with.
    """
    title = ""
    path = directory / "run.list"
    for line in path.read_text().splitlines() if path.exists() else ():
        words = line.split()
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif words:
            name = pathlib.PurePath(words[-1]).stem
            code = next(path for path in (directory / f"expected/{name}.code",
                                          directory.parent / f"common/expected/{name}.code")
                        if path.exists())
            if words[:2] == ["axvmm", "run"] and "--stats" not in words:
                words.insert(2, "--stats")
            yield Example(title, words, int(code.read_text()))
        else:
            title = ""


def guests(options, machine):
    """Run the example guests on the terminal; 0 if each of them ended well."""
    directory = TOP / "guests" / kernels.ARCHES[machine.arch]["srcarch"]
    examples = list(_examples(directory))
    if not examples:
        say(f"There are no example guests: {directory}/run.list has none.")
        return 1
    token = check.new_token()
    middle = [" ".join(("test", f"guest-{number}", *example.words))
              for number, example in enumerate(examples)]
    failed = []
    build.LOGS.mkdir(parents=True, exist_ok=True)
    log_path = build.LOGS / "run.log"
    with open(log_path, "w", encoding="utf-8", buffering=1) as log, \
            _boot(options, machine, token, middle) as run:
        session = check.Session(run, log)
        try:
            session.until(token, "health", machine.boot_limit, "boot")
            name, *status = session.until(token, "load", machine.load_limit, "load")
            if status != ["ok"]:
                failed.append(f"load {name}: {' '.join(status)}")
            for example in examples if not failed else ():
                command = shlex.join(example.words)
                session.until(token, "begin", 30, "begin")
                say(f"\n--- {example.title}\n$ {command}")
                how = _show(session, token)
                if how != f"exit={example.status}":
                    failed.append(f"{command}: {how.replace('=', ' ')}"
                                  f" instead of exit {example.status}")
            session.until(token, "bye", 60, "power off")
        except TimeoutError as error:
            failed.append(str(error))
        except EOFError:
            failed.append("the machine stopped")
        failed += session.boot.problems
    for problem in failed:
        say(f"FAILED: {problem}")
    if failed:
        say(f"log: {os.path.relpath(log_path)}")
    return 1 if failed else 0


def _show(session, token):
    """Print a guest's lines until init tells how it ended."""
    limit = check.Limit(session.run, GUEST_LIMIT)
    while True:
        text = session.line(limit, "the end of the guest")[1]
        at = text.find(token + " end ")
        if at != 0:
            say(text if at < 0 else text[:at])
        if at >= 0:
            return text[at:].split()[3]


def shell(options, machine):
    """A shell on the machine; its exit powers the machine off."""
    size = shutil.get_terminal_size()
    token = check.new_token()
    middle = [f"window {size.lines} {size.columns}", "shell"]
    directory = files.Files(options.files) if options.files else None
    if directory:
        machine = dataclasses.replace(machine, memory=machine.memory + directory.memory())
    with _boot(options, machine, token, middle, directory) as run, Terminal():
        session = check.Session(run, open(os.devnull, "w", encoding="ascii"))
        try:
            limit = check.Limit(run, machine.boot_limit)
            while True:
                got = session.line(limit, "boot")
                if token not in got[1]:
                    _out(got[1].encode() + b"\r\n")
                elif " load " in got[1]:
                    _out(got[1].split(" ", 2)[2].encode() + b"\r\n")
                elif " begin shell" in got[1]:
                    break
            _out(b"exit or ^D powers off; ^] ends the emulator at once\r\n")
            for _, text in session.queue:
                _out(text.encode() + b"\r\n")
            _out(session.lines.pending)
            _relay(run, token.encode())
        except EOFError:
            _out(b"the machine stopped\r\n")
            return 1
        except TimeoutError:
            _out(b"the machine does not answer\r\n")
            return 1
    return 0


def _out(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _relay(run, token):
    """Console to terminal and back, until init speaks again or the machine ends."""
    stdin = [sys.stdin.fileno()]
    held = b""
    while True:
        data = run.read(0 if held else 3600, stdin)
        if data is None:
            return
        data = held + data
        at = data.find(token)
        if at >= 0:
            _out(data[:at])
            while run.read(30):     # init's last words, and the power-off
                pass
            return
        # The token itself may come in two pieces.
        keep = max((n for n in range(1, len(token)) if data.endswith(token[:n])), default=0)
        if not data[len(held):]:
            keep = 0
        held = data[len(data) - keep:] if keep else b""
        _out(data[:len(data) - keep] if keep else data)
        if stdin and _readable(stdin[0]):
            keys = os.read(stdin[0], 4096)
            if ESCAPE in keys:
                return
            run.write(keys or b"\x04")
            if not keys:
                stdin = []


def _readable(fd):
    return bool(machines.select.select([fd], [], [], 0)[0])


class Terminal:
    """The terminal in raw mode for a while, if standard input is one."""

    def __enter__(self):
        self.saved = termios.tcgetattr(0) if sys.stdin.isatty() else None
        if self.saved:
            tty.setraw(0)

    def __exit__(self, *exc):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
