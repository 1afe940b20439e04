# SPDX-License-Identifier: GPL-2.0-only
"""QEMU, always with TCG: the machine's own KVM is not ours to use."""

CONSOLE = "stdio"
LOGS = ("emulator.log",)
POWER_PORT = None

# Without ACPI, the pc machine brings up one CPU; microvm has an MP table.
BOARDS = {
    "x86_64": ("qemu-system-x86_64", "microvm,acpi=off,isa-serial=on,pit=on,pic=on,rtc=on",
               "console=ttyS0 reboot=t"),
}


def command(machine, kernel, initramfs, directory, _console):
    program, board, options = BOARDS[machine.arch]
    (directory / "initramfs").write_bytes(initramfs)
    return [program, "-accel", "tcg,thread=multi", "-machine", board, "-cpu", "max",
            "-smp", str(machine.cpus), "-m", str(machine.memory),
            "-kernel", kernel.image, "-initrd", "initramfs",
            "-append", f"{options} quiet loglevel=4 panic=-1 kunit.enable=1",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-monitor", "none", "-no-reboot"]
