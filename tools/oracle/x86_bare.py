# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a bare CPU: Bochs, without an operating system, by the testbed's option ROM."""

import contextlib
import os
import pathlib
import pty
import resource
import subprocess
import sys
import tempfile

import assembly
import x86_programs as programs

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testbed"))
import bochs        # noqa: E402  pylint: disable=wrong-import-position
import machines     # noqa: E402  pylint: disable=wrong-import-position

RUNNER, PROGRAMS, RAM = 0x8000, 0x100000, 64
# Executed first: what the ROM jumps to jumps to the runner.
ENTRY, JUMP = 0x90200, bytes((0xea, 0x00, 0x80, 0x00, 0x00))
# The disk begins with room for the report.
REPORT_SECTORS = 32 << 20 >> 9

# An MSR that is not there is #GP, as the manual has it.
CONFIG = bochs.CONFIG.replace("com1: enabled=1, mode=term, dev={console}", "com1: enabled=0") \
    .replace("ips={ips}", "ips={ips}, ignore_bad_msrs=0")


def _disk(path, parts):
    """Write a disk with @parts on it; the ROM's table of them."""
    at, table = REPORT_SECTORS, []
    with open(path, "wb") as disk:
        for address, part in parts:
            sectors = -(-len(part) // bochs.SECTOR)
            disk.seek(at * bochs.SECTOR)
            disk.write(part)
            table += [at, sectors, address]
            at += sectors
        cylinders = -(-at // (bochs.HEADS * bochs.TRACK))
        disk.truncate(cylinders * bochs.HEADS * bochs.TRACK * bochs.SECTOR)
    return table + [0, 0, 0], cylinders


def begin(limit):
    machines.die_with_us()
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))


def _run(directory, limit):
    ours, screen = pty.openpty()
    with subprocess.Popen(["bochs-bin", "-q", "-f", "bochsrc", "-rc", "go"], cwd=directory,
                          stdin=screen, stdout=screen, stderr=screen,
                          env=os.environ | {"TERM": "vt100"},
                          # Ctrl-C would take Bochs to its debugger's prompt.
                          start_new_session=True,
                          preexec_fn=lambda: begin(limit)) as process:
        os.close(screen)
        with contextlib.suppress(OSError):
            while os.read(ours, 65536):
                pass
        os.close(ours)
        process.wait()


def read_report(path):
    """What the runner has left on a disk: struct oracle_reports, or None."""
    with open(path, "rb") as disk:
        head = disk.read(programs.REPORTS.size)
        magic, _, size, _ = programs.REPORTS.unpack(head)
        return head + disk.read(size - len(head)) if magic == assembly.MAGIC else None


def report(runner, image, limit, cpu=""):
    """What @runner, a path, leaves, executing the programs of @image: struct oracle_reports.

    None, if it has not come to an end within @limit seconds of CPU time.
    """
    with tempfile.TemporaryDirectory(prefix="axvcpu-oracle-") as name:
        directory = pathlib.Path(name)
        table, cylinders = _disk(directory / "disk.img",
                                 ((ENTRY, JUMP), (RUNNER, runner.read_bytes()), (PROGRAMS, image)))
        (directory / "boot.rom").write_bytes(bochs.rom(directory, table))
        (directory / "bochsrc").write_text(CONFIG.format(
            bios=bochs.BIOS, memory=RAM, host_memory=RAM, rom_base=bochs.ROM_BASE,
            cpu=cpu or bochs.CPU, cpus=1, ips=bochs.IPS, cylinders=cylinders,
            heads=bochs.HEADS, track=bochs.TRACK))
        (directory / "go").write_text("continue\n")
        _run(directory, limit)
        return read_report(directory / "disk.img")
