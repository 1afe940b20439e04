// SPDX-License-Identifier: GPL-2.0-only
/* Files that are no guests but are often taken for one. */
#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "array_size.h"
#include "foreign.h"

#define NOTE_ALIGN	4ULL

/* Where a PE file says where its header is. */
#define PE_OFFSET	0x3c

/* Kernels that are EFI programs too come before the row for these. */
static const struct {
	size_t offset;
	const char *magic;
	size_t len;
	const char *what;
} kinds[] = {
#define KIND(offset, magic, what)	{ offset, magic, sizeof(magic) - 1, what }
#define UNPACK(name)	"it is compressed by " name ": unpack it first"
	KIND(0x202, "HdrS", "it is a Linux kernel for x86 (bzImage)"),
	KIND(0x38, "ARM\x64", "it is a Linux kernel for arm64 (Image)"),
	KIND(0x38, "RSC\x05", "it is a Linux kernel for RISC-V (Image)"),
	KIND(0, "\x27\x05\x19\x56", "it is an image for U-Boot (uImage)"),
	KIND(0, "\xd0\x0d\xfe\xed", "it is a device tree, or a FIT image"),
	KIND(0, "\x1f\x8b\x08", UNPACK("gzip")),
	KIND(0, "\xfd\x37zXZ\0", UNPACK("xz")),
	KIND(0, "\x28\xb5\x2f\xfd", UNPACK("zstd")),
	KIND(0, "\x04\x22\x4d\x18", UNPACK("lz4")),
	KIND(0, "\x02\x21\x4c\x18", UNPACK("lz4")),
	KIND(0, "BZh", UNPACK("bzip2")),
	KIND(0, "070701", "it is a cpio archive (initramfs)"),
	KIND(0, "!<arch>\n", "it is a library of object files (ar)"),
	KIND(0, "PK\3\4", "it is a zip archive"),
	KIND(257, "ustar", "it is a tar archive"),
	KIND(0, "QFI\xfb", "it is a disk image (qcow2)"),
	KIND(0x8001, "CD001", "it is a CD image (ISO 9660)"),
	KIND(0, "#!", "it is a script"),
#undef UNPACK
#undef KIND
};

static bool has(const uint8_t *data, size_t size, size_t offset, const char *magic, size_t len)
{
	return offset <= size && len <= size - offset && !memcmp(data + offset, magic, len);
}

static bool is_pe(const uint8_t *data, size_t size)
{
	uint32_t offset;

	if (!has(data, size, 0, "MZ", 2) || size < PE_OFFSET + sizeof(offset))
		return false;
	memcpy(&offset, data + PE_OFFSET, sizeof(offset));
	return has(data, size, offset, "PE\0\0", 4);
}

const char *foreign_file(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (has(data, size, kinds[i].offset, kinds[i].magic, kinds[i].len))
			return kinds[i].what;
	}
	return is_pe(data, size) ? "it is a program for EFI or Windows (PE)" : NULL;
}

static uint64_t aligned(uint32_t bytes)
{
	return (bytes + NOTE_ALIGN - 1) & ~(NOTE_ALIGN - 1);
}

const char *foreign_notes(const uint8_t *notes, size_t size)
{
	Elf64_Nhdr note;	/* of 32 bits it is the same */

	while (size >= sizeof(note)) {
		const uint8_t *name = notes + sizeof(note);
		uint64_t len;

		memcpy(&note, notes, sizeof(note));
		len = sizeof(note) + aligned(note.n_namesz) + aligned(note.n_descsz);
		if (len > size)
			break;
		if (note.n_namesz == sizeof("Linux") && !memcmp(name, "Linux", sizeof("Linux")))
			return "it is a Linux kernel (vmlinux)";
		if (note.n_namesz == sizeof("GNU") && !memcmp(name, "GNU", sizeof("GNU")) &&
		    note.n_type == NT_GNU_ABI_TAG)
			return "it is a program for an operating system, which a guest has not";
		notes += len;
		size -= len;
	}
	return NULL;
}
