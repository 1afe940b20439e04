# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a bare CPU of QEMU, whose faults are others than Bochs'."""

import pathlib
import subprocess
import sys
import tempfile

import x86_bare

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testbed"))
import deps         # noqa: E402  pylint: disable=wrong-import-position
import kernels      # noqa: E402  pylint: disable=wrong-import-position

# A BIOS that is nothing but the way to the runner: all else is in memory at the reset.
BIOS_SIZE, RESET = 65536, 65536 - 16
# Writing to the port that ends Bochs ends QEMU, too.
POWER_OFF = "isa-debug-exit,iobase=0x8900,iosize=4"


def _load(path, address):
    return ("-device", f"loader,file={path},addr={address:#x},force-raw=on")


def report(runner, image, limit):
    """As x86_bare.report()."""
    root = deps.newer_qemu("x86", kernels.cache())
    with tempfile.TemporaryDirectory(prefix="axvcpu-oracle-") as name:
        directory = pathlib.Path(name)
        bios = bytearray(b"\xf4" * BIOS_SIZE)
        bios[RESET:RESET + len(x86_bare.JUMP)] = x86_bare.JUMP
        (directory / "bios").write_bytes(bios)
        (directory / "runner").write_bytes(runner.read_bytes())
        (directory / "programs").write_bytes(image)
        with open(directory / "disk.img", "wb") as disk:
            disk.truncate(x86_bare.REPORT_SECTORS * 512)
        subprocess.run([root / "usr/bin/qemu-system-x86_64", "-L", root / "usr/share/qemu",
                        "-machine", "pc", "-accel", "tcg", "-cpu", "max", "-m", str(x86_bare.RAM),
                        "-bios", "bios", *_load("runner", x86_bare.RUNNER),
                        *_load("programs", x86_bare.PROGRAMS),
                        "-drive", "file=disk.img,format=raw,if=ide", "-device", POWER_OFF,
                        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
                        "-no-reboot"], cwd=directory, check=False, stdin=subprocess.DEVNULL,
                       preexec_fn=lambda: x86_bare.begin(limit))
        return x86_bare.read_report(directory / "disk.img")
