# SPDX-License-Identifier: GPL-2.0-only
"""The emulated machines: the table of them, and a run of one."""

import contextlib
import ctypes
import dataclasses
import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import tty

import bochs
import qemu

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    about: str
    arch: str
    emulator: object        # a module: bochs or qemu
    cpus: int
    flavour: str            # of kernel
    module: str             # loaded before the tests
    memory: int             # MiB; below 640, the kernel has no transparent huge pages
    boot_limit: int         # to init, in seconds of CPU time; see check.Limit
    load_limit: int         # the same, for loading the module; KUnit runs in there
    figures: str = ""       # make bench measures here; the file that it leaves
    cpu: str = ""           # of the emulator's, if not its default
    newer: bool = False     # QEMU of Debian's backports, not Debian's
    options: str = ""       # more for the kernel's command line
    coverage: bool = False  # the module counts what is executed of it
    by_name: bool = False   # make check does without it, unless M= names it

    def threads(self):
        """Processors that the emulator keeps busy: CPUs in turns are one's work."""
        return 1 if self.emulator is bochs or self.figures else self.cpus


# A test machine is a row. An architecture's first is the one of make run and make shell.
MACHINES = {m.name: m for m in (
    Machine("vmx", "VMX and EPT, one CPU", "x86_64", bochs, 1,
            "lean", "axvcpu", 256, 120, 60, figures="vmx"),
    Machine("vmx2", "VMX and EPT, two CPUs", "x86_64", bochs, 2,
            "lean", "axvcpu", 256, 180, 60, figures="vmx"),
    Machine("vmx-distro", "VMX and EPT, one CPU, mitigations on", "x86_64", bochs, 1,
            "distro", "axvcpu", 512, 300, 60, figures="vmx-distro",
            # Bochs' CPU has not got the microcode: reading 64 KiB instead, as KVM
            # does too, would take longer than all else.
            options="l1tf=off", by_name=True),
    Machine("vmx-avx512", "VMX and EPT, a CPU with AVX-512 and protection keys", "x86_64", bochs,
            1, "lean", "axvcpu", 2304, 120, 60, cpu="corei7_icelake_u",
            # CPUID's leaf 0xd has no size for PKRU in Bochs, and another one for
            # the compacted format than its parts add up to: the kernel would
            # turn all of XSAVE off.
            options="nopku clearcpuid=erms,fsrm,ht,aperfmperf,xsaves,xsavec "
                    "hugepagesz=1G hugepages=1 hugepagesz=2M"),
    Machine("vmx-old", "VMX and EPT, a CPU of 2010", "x86_64", bochs, 1,
            "lean", "axvcpu", 256, 120, 60, cpu="corei5_arrandale_m520"),
    Machine("vmx-san", "VMX and EPT, one CPU, sanitizers", "x86_64", bochs, 1,
            "sanitizer", "axvcpu", 512, 600, 120, options="kmemleak=off"),
    Machine("mock", "the mock backend, two CPUs, sanitizers", "x86_64", qemu, 2,
            "sanitizer", "axvcpu_mock", 1024, 180, 60),
    Machine("mock-lean", "the mock backend, two CPUs", "x86_64", qemu, 2,
            "lean", "axvcpu_mock", 1024, 90, 60),
    Machine("mock-kcsan", "the mock backend, two CPUs, looks for data races", "x86_64", qemu, 2,
            "kcsan", "axvcpu_mock", 1024, 300, 120,
            # One access in 50 is watched. There are none but the module's.
            options="kcsan.skip_watch=50", by_name=True),
    Machine("kunit", "KUnit, two CPUs", "x86_64", qemu, 2,
            "lean", "axvcpu_kunit", 1024, 90, 300),
    Machine("kunit-san", "KUnit, two CPUs, sanitizers", "x86_64", qemu, 2,
            "sanitizer", "axvcpu_kunit", 1024, 180, 900),
    Machine("vhe", "VHE and GICv3, two CPUs", "arm64", qemu, 2,
            "lean", "axvcpu", 1024, 90, 30),
    Machine("vhe1", "VHE and GICv3, one CPU that counts instructions", "arm64", qemu, 1,
            "lean", "axvcpu", 1024, 120, 30, figures="vhe"),
    Machine("vhe2", "VHE and GICv3, two CPUs that count instructions", "arm64", qemu, 2,
            "lean", "axvcpu", 1024, 120, 30, figures="vhe"),
    Machine("vhe-64k", "VHE and GICv3, two CPUs, pages of 64 KiB", "arm64", qemu, 2,
            "64k", "axvcpu", 1024, 90, 30, cpu="neoverse-n1", by_name=True),
    Machine("vhe-n1", "VHE and GICv3, two CPUs of 2019, no KVM", "arm64", qemu, 2,
            "lean", "axvcpu", 1024, 90, 30, cpu="neoverse-n1", options="kvm-arm.mode=none"),
    Machine("vhe-new", "VHE and GICv3, two CPUs of a newer QEMU", "arm64", qemu, 2,
            "lean", "axvcpu", 1024, 90, 30, newer=True),
    Machine("kunit-arm64", "KUnit on arm64, two CPUs", "arm64", qemu, 2,
            "lean", "axvcpu_kunit", 1024, 90, 300),
)}


SO_SNDBUFFORCE = 32             # Python has no name for it.
CONSOLE_BUFFER = 1 << 28


def die_with_us():
    """For a process that is begun, before it executes its program."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


RUNNING = set()
STOPPING = threading.Event()


def stop_all():
    """End every emulator of this process, and start no other."""
    STOPPING.set()
    for run in list(RUNNING):
        run.stop()


class Run:
    """One boot of a machine: a process, and its console as a file descriptor."""

    def __init__(self, machine, kernel, initramfs, verbose=False):
        if STOPPING.is_set():
            raise RuntimeError("interrupted")
        self.machine = machine
        self.began = time.monotonic()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="axvcpu-"))
        self.process = None
        self.used = 0.0
        self.fds = []
        RUNNING.add(self)
        try:
            self._start(kernel, initramfs, verbose)
        except BaseException:
            self.stop()
            raise

    def _start(self, kernel, initramfs, verbose):
        # Bochs wants a terminal to draw the PC's screen on. Nobody looks at
        # it, but it must be read.
        ours, screen = self._pty()
        self.screens = [ours]
        if self.machine.emulator.CONSOLE == "pty":
            self.console, self.guest_end = self._pty()
            stdio = screen
        else:
            ours, theirs = socket.socketpair()
            # QEMU writes a byte at a time, each of which takes a kilobyte here, and
            # drops what it can't write soon.
            with contextlib.suppress(OSError):
                theirs.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, CONSOLE_BUFFER)
            self.console, stdio = ours.detach(), theirs.detach()
            self.fds += [self.console, stdio]
            self.guest_end = None
        name = os.ttyname(self.guest_end) if self.guest_end is not None else None
        command = self.machine.emulator.command(self.machine, kernel, initramfs, self.dir, name)
        if verbose:
            print(" ".join(map(str, command)), flush=True)
        with open(self.dir / "emulator.log", "wb") as errors:
            errors = screen if self.machine.emulator.CONSOLE == "pty" else errors
            self.process = subprocess.Popen(
                command, stdin=stdio, stdout=stdio, stderr=errors, cwd=self.dir,
                env=os.environ | {"TERM": "vt100"}, start_new_session=True,
                preexec_fn=die_with_us)
        self._close(stdio)

    def _pty(self):
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.fds += [ours, theirs]
        return ours, theirs

    def _close(self, fd):
        self.fds.remove(fd)
        os.close(fd)

    def elapsed(self):
        return time.monotonic() - self.began

    def cpu_seconds(self):
        """What the emulator has used of this computer's processors, by now."""
        with contextlib.suppress(OSError, AttributeError):
            stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii",
                                                                             errors="replace")
            user, system = stat.rpartition(")")[2].split()[11:13]
            self.used = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return self.used

    def read(self, timeout, also=()):
        """What the console printed: b"" when the time is over, None at the end.

        When a descriptor of @also can be read, the answer is b"", too.
        """
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            ready = select.select([self.console, *self.screens, *also], [], [],
                                  max(0, min(left, 0.2)))[0]
            if set(self.screens) & set(ready):
                self._drain()
                continue
            if self.console in ready:
                with contextlib.suppress(OSError):
                    data = os.read(self.console, 65536)
                    if data:
                        return data
                return None
            if not ready and self.process.poll() is not None and \
                    not select.select([self.console], [], [], 0)[0]:
                return None         # its last words did not come in between
            if left <= 0 or set(also) & set(ready):
                return b""

    def _drain(self):
        try:
            os.read(self.screens[0], 65536)
        except OSError:
            self.screens = []       # the emulator has closed it

    def write(self, data):
        with contextlib.suppress(OSError):
            os.write(self.console, data)

    def how_it_ended(self):
        """Of the emulator, which says no more: what to add to that, if it did not end well."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self.process.wait(5)
            if status < 0:
                return f", and the emulator was killed by signal {-status}"
            if status > 0:
                return f", and the emulator ended with status {status}"
        return ""

    def emulator_output(self):
        for name in self.machine.emulator.LOGS:
            with contextlib.suppress(OSError):
                yield from (self.dir / name).read_text(errors="replace").splitlines()

    def stop(self):
        """End the emulator if it still runs, and leave nothing behind."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        while self.fds:
            os.close(self.fds.pop())
        shutil.rmtree(self.dir, ignore_errors=True)
        RUNNING.discard(self)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
