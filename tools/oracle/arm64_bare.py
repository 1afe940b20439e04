# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a bare CPU of arm64: QEMU, without an operating system."""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testbed"))
import qemu         # noqa: E402  pylint: disable=wrong-import-position

PROGRAMS, RAM = 0x41000000, 128

# With two CPUs that run at the same time, as in the machine where the vCPU is, QEMU executes
# atomic instructions in another way than with one. The second stays off.
CPUS = ("-accel", "tcg,thread=multi", "-smp", "2")


def report(runner, image, cpu=""):
    """What @runner, a path, leaves, executing the programs of @image: struct oracle_reports."""
    program, board, _, default = qemu.BOARDS["arm64"]
    with tempfile.TemporaryDirectory(prefix="axvcpu-oracle-") as name:
        directory = pathlib.Path(name)
        (directory / "programs").write_bytes(image)
        subprocess.run([program, *CPUS, "-machine", board, "-cpu", cpu or default,
                        "-m", str(RAM), "-kernel", pathlib.Path(runner).resolve(),
                        "-device", f"loader,file=programs,addr={PROGRAMS:#x},force-raw=on",
                        "-semihosting", "-nodefaults", "-no-user-config", "-display", "none",
                        "-monitor", "none", "-no-reboot"], cwd=directory, check=False, timeout=120,
                       stdin=subprocess.DEVNULL)
        path = directory / "report"
        if not path.exists():
            sys.exit("The oracle's runner left no report.")
        return path.read_bytes()
