# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a bare CPU of arm64: QEMU, without an operating system."""

import pathlib
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testbed"))
import machines     # noqa: E402  pylint: disable=wrong-import-position
import qemu         # noqa: E402  pylint: disable=wrong-import-position

PROGRAMS, RAM = 0x41000000, 128

# With two CPUs that run at the same time, as in the machine where the vCPU is, QEMU executes
# atomic instructions in another way than with one. The second stays off.
CPUS = ("-accel", "tcg,thread=multi", "-smp", "2")


def _begin(limit):
    machines.die_with_us()
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))


def report(runner, image, limit, cpu=""):
    """What @runner, a path, leaves, executing the programs of @image: struct oracle_reports.

    None, if it has not come to an end within @limit seconds of CPU time.
    """
    program, board, _, default = qemu.BOARDS["arm64"]
    with tempfile.TemporaryDirectory(prefix="axvcpu-oracle-") as name:
        directory = pathlib.Path(name)
        (directory / "programs").write_bytes(image)
        subprocess.run([program, *CPUS, "-machine", board, "-cpu", cpu or default,
                        "-m", str(RAM), "-kernel", pathlib.Path(runner).resolve(),
                        "-device", f"loader,file=programs,addr={PROGRAMS:#x},force-raw=on",
                        "-semihosting", "-nodefaults", "-no-user-config", "-display", "none",
                        "-monitor", "none", "-no-reboot"], cwd=directory, check=False,
                       stdin=subprocess.DEVNULL, preexec_fn=lambda: _begin(limit))
        path = directory / "report"
        return path.read_bytes() if path.exists() else None
