# SPDX-License-Identifier: GPL-2.0-only
"""Bochs, which emulates VMX and EPT.

The kernel and the initramfs lie on a disk, and an option ROM of ours loads them
(bochs-rom.S). The console is a serial line on a pseudo-terminal.
"""

import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

CONSOLE = "pty"
LOGS = ("bochs.log",)
# Writing "Shutdown" here ends the emulator.
POWER_PORT = 0x8900

BIOS = "/usr/share/bochs/BIOS-bochs-latest"

# Instructions a second, as the PC's timers count them, and the TSC's frequency.
IPS = 50_000_000

CPU = "corei7_haswell_4770"

# Where the boot protocol has the parts of a kernel. The initramfs may be
# anywhere above what the kernel needs to decompress itself.
SETUP, COMMAND_LINE, KERNEL, INITRAMFS = 0x90000, 0x9e000, 0x100000, 0x8000000
ROM_BASE, ROM_SIZE, ROM_PARTS = 0xd0000, 512, 448
SECTOR, HEADS, TRACK = 512, 16, 63
# MiB; Bochs keeps more than that in a file.
MAX_HOST_MEMORY = 2048

OPTIONS = (
    "console=ttyS0,115200 quiet loglevel=4 panic=-1 reboot=t "
    f"tsc_early_khz={IPS // 1000} tsc=reliable no_timer_check "
    # Bochs counts a REP iteration as an instruction. One CPU does not go
    # with the threads that this CPU model claims.
    "clearcpuid=erms,fsrm,ht,aperfmperf")

CONFIG = """\
display_library: term
memory: guest={memory}, host={host_memory}
romimage: file={bios}
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
optromimage1: file=boot.rom, address={rom_base:#x}
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0
clock: sync=none
com1: enabled=1, mode=term, dev={console}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=disk.img, mode=flat, cylinders={cylinders}, heads={heads}, spt={track}
boot: disk
plugin_ctrl: speaker=0, sb16=0, es1370=0, gameport=0, parallel=0, usb_uhci=0, e1000=0, ne2k=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


def command(machine, kernel, initramfs, directory, console):
    image = kernel.image.read_bytes()
    setup_size = ((image[0x1f1] or 4) + 1) * SECTOR
    setup = bytearray(image[:setup_size])
    setup[0x210] = 0xff                                     # type_of_loader: unknown
    setup[0x211] |= 0x80                                    # loadflags: CAN_USE_HEAP
    struct.pack_into("<II", setup, 0x218, INITRAMFS, len(initramfs))
    struct.pack_into("<H", setup, 0x224, 0xde00 - 0x200)    # heap_end_ptr
    struct.pack_into("<I", setup, 0x228, COMMAND_LINE)

    options = f"{OPTIONS} {machine.options}"
    disk, table = bytearray(), []
    for address, part in ((SETUP, setup), (COMMAND_LINE, options.encode() + b"\0"),
                          (KERNEL, image[setup_size:]), (INITRAMFS, initramfs)):
        start = len(disk) // SECTOR
        disk += part
        disk += bytes(-len(disk) % SECTOR)
        table += [start, len(disk) // SECTOR - start, address]
    disk += bytes(-len(disk) % (SECTOR * HEADS * TRACK))
    (directory / "disk.img").write_bytes(disk)
    (directory / "boot.rom").write_bytes(rom(directory, table))
    (directory / "bochsrc").write_text(CONFIG.format(
        bios=BIOS, memory=machine.memory, host_memory=min(machine.memory, MAX_HOST_MEMORY),
        rom_base=ROM_BASE, cpu=machine.cpu or CPU, cpus=machine.cpus, ips=IPS, console=console,
        cylinders=len(disk) // (SECTOR * HEADS * TRACK), heads=HEADS, track=TRACK))
    # Debian's Bochs has its debugger compiled in: it waits to be told to go.
    (directory / "go").write_text("continue\n")
    return ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "go"]


def rom(directory, table):
    """bochs-rom.S with a table of parts in it."""
    subprocess.run(["gcc", "-m32", "-c", "-o", "rom.o", HERE / "bochs-rom.S"],
                   cwd=directory, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0", "--oformat", "binary",
                    "-o", "rom.bin", "rom.o"], cwd=directory, check=True)
    rom = bytearray((directory / "rom.bin").read_bytes())
    assert len(rom) == ROM_SIZE
    struct.pack_into("<12I", rom, ROM_PARTS, *table)
    rom[-1] = -sum(rom) & 0xff                              # all bytes add up to 0
    return rom
