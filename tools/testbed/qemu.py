# SPDX-License-Identifier: GPL-2.0-only
"""QEMU, always with TCG: the machine's own KVM is not ours to use."""

import deps
import kernels

CONSOLE = "stdio"
LOGS = ("emulator.log",)
POWER_PORT = None

# Without ACPI, the pc machine brings up one CPU; microvm has an MP table.
# arm64: EL2 is the kernel's; an authentication algorithm that is cheap to emulate.
BOARDS = {
    "x86_64": ("qemu-system-x86_64", "microvm,acpi=off,isa-serial=on,pit=on,pic=on,rtc=on",
               "console=ttyS0 reboot=t", "max"),
    "arm64": ("qemu-system-aarch64", "virt,virtualization=on,gic-version=3",
              "console=ttyAMA0", "max,pauth-impdef=on"),
}

# Where the machine's time is this computer's, a watchdog of its kernel would tell how
# busy that is. What hangs, hangs for five minutes, too.
WATCHDOGS = "rcupdate.rcu_cpu_stall_timeout=300"
SANITIZERS = ("watchdog_thresh=60 workqueue.watchdog_thresh=300 "
              "sysctl.kernel.hung_task_timeout_secs=300")

# An instruction takes a nanosecond, waiting takes none, and a tick of the counter
# is a nanosecond: it counts instructions. The CPUs take turns then.
COUNTING = ["-icount", "shift=0,sleep=off", "-seed", "1"]
COUNTING_CPU = ",cntfrq=1000000000"


def command(machine, kernel, initramfs, directory, _console):
    program, board, options, cpu = BOARDS[machine.arch]
    cpu = machine.cpu or cpu
    (directory / "initramfs").write_bytes(initramfs)
    options += f" {WATCHDOGS}"
    if machine.flavour == "sanitizer":
        options += f" {SANITIZERS}"
    if machine.newer:
        root = deps.newer_qemu("arm" if machine.arch == "arm64" else "x86", kernels.cache())
        program = root / "usr/bin" / program
    threads = ["-accel", "tcg,thread=multi"]
    if machine.figures:
        threads, cpu = COUNTING, cpu + COUNTING_CPU
    return [program, *threads, "-machine", board, "-cpu", cpu,
            "-smp", str(machine.cpus), "-m", str(machine.memory),
            "-kernel", kernel.image, "-initrd", "initramfs",
            "-append", f"{options} quiet loglevel=4 panic=-1 kunit.enable=1 {machine.options}",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-monitor", "none", "-no-reboot"]
