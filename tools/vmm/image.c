// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's file. The headers of both ELF classes are copied out into one
 * form, then checked by one code.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "array_size.h"
#include "foreign.h"
#include "image.h"

/* The fields of an ELF header and of a program header that count here. */
struct elf_header {
	uint16_t type;
	uint16_t machine;
	uint64_t entry;
	uint64_t phoff;
	uint16_t phentsize;
	uint16_t phnum;
};

struct elf_phdr {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
};

/* Do @len bytes from @offset lie within @size? */
static bool within(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

/* The file need not be aligned in memory: copy each header before reading it. */
#define COPY_HEADER(dst, src)					\
	(*(dst) = (struct elf_header){				\
		.type = (src).e_type,				\
		.machine = (src).e_machine,			\
		.entry = (src).e_entry,				\
		.phoff = (src).e_phoff,				\
		.phentsize = (src).e_phentsize,			\
		.phnum = (src).e_phnum,				\
	})

#define COPY_PHDR(dst, src)					\
	(*(dst) = (struct elf_phdr){				\
		.type = (src).p_type,				\
		.offset = (src).p_offset,			\
		.vaddr = (src).p_vaddr,				\
		.paddr = (src).p_paddr,				\
		.filesz = (src).p_filesz,			\
		.memsz = (src).p_memsz,				\
	})

static bool read_header(const struct image *image, struct elf_header *header)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	if (image->elf_bits == 64) {
		if (image->size < sizeof(e64))
			return false;
		memcpy(&e64, image->data, sizeof(e64));
		COPY_HEADER(header, e64);
		return true;
	}
	if (image->size < sizeof(e32))
		return false;
	memcpy(&e32, image->data, sizeof(e32));
	COPY_HEADER(header, e32);
	return true;
}

static bool phdrs_are_there(const struct image *image, const struct elf_header *header)
{
	return header->phnum != PN_XNUM &&
	       within(header->phoff, (uint64_t)header->phnum * header->phentsize, image->size);
}

static void read_phdr(const struct image *image, const struct elf_header *header, unsigned int n,
		      struct elf_phdr *phdr)
{
	const uint8_t *at = image->data + header->phoff + (uint64_t)n * header->phentsize;
	Elf64_Phdr p64;
	Elf32_Phdr p32;

	if (image->elf_bits == 64) {
		memcpy(&p64, at, sizeof(p64));
		COPY_PHDR(phdr, p64);
	} else {
		memcpy(&p32, at, sizeof(p32));
		COPY_PHDR(phdr, p32);
	}
}

static bool overlaps(const struct image *image, uint64_t gpa, uint64_t size)
{
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct image_segment *s = &image->segments[i];

		if (gpa < s->gpa + s->memsz && s->gpa < gpa + size)
			return true;
	}
	return false;
}

static const char *add_segment(struct image *image, const struct elf_phdr *phdr)
{
	if (image->nr_segments == IMAGE_MAX_SEGMENTS)
		return "it has too many loadable segments";
	if (phdr->filesz > phdr->memsz)
		return "a segment is longer in the file than in memory";
	if (!within(phdr->offset, phdr->filesz, image->size))
		return "a segment lies beyond the end of the file";
	if (!within(phdr->paddr, phdr->memsz, UINT64_MAX))
		return "a segment goes beyond the last address";
	if (overlaps(image, phdr->paddr, phdr->memsz))
		return "two segments overlap in memory";

	image->segments[image->nr_segments++] = (struct image_segment){
		.gpa = phdr->paddr,
		.offset = phdr->offset,
		.filesz = phdr->filesz,
		.memsz = phdr->memsz,
	};
	return NULL;
}

/*
 * The entry is a virtual address; memory is loaded by physical ones. Images
 * linked for one address and loaded at another start where the entry's segment
 * went.
 */
static bool translate_entry(uint64_t entry, const struct elf_phdr *phdr, uint64_t *gpa)
{
	if (entry < phdr->vaddr || entry - phdr->vaddr >= phdr->memsz)
		return false;
	*gpa = phdr->paddr + (entry - phdr->vaddr);
	return true;
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_386, "i386" }, { EM_X86_64, "x86-64" }, { EM_ARM, "Arm" },
		{ EM_AARCH64, "AArch64" }, { EM_RISCV, "RISC-V" }, { EM_PPC64, "PowerPC" },
		{ EM_S390, "s390" }, { EM_MIPS, "MIPS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return "an unknown machine";
}

static const char *other_machine(struct image *image, uint16_t machine,
				 const uint16_t machines[2])
{
	snprintf(image->why, sizeof(image->why),
		 "it is a %u-bit ELF file for %s; guests here are %s64-bit ones for %s",
		 image->elf_bits, machine_name(machine),
		 machines[0] != EM_NONE ? "32-bit ones for i386 or " : "",
		 machine_name(machines[1]));
	return image->why;
}

static const char *other_type(uint16_t type)
{
	switch (type) {
	case ET_REL:
		return "it is an object file, not linked to fixed addresses; link it with ld";
	case ET_CORE:
		return "it is a core dump";
	default:
		return "it is not linked to fixed addresses (not of type EXEC); link it with "
		       "-static -no-pie";
	}
}

/* A program for an operating system would find none. */
static const char *foreign_program(const struct image *image, const struct elf_header *header)
{
	const char *what = NULL;
	struct elf_phdr phdr;

	for (unsigned int i = 0; i < header->phnum && !what; i++) {
		read_phdr(image, header, i, &phdr);
		if (phdr.type == PT_INTERP)
			return "it is a program for Linux, dynamically linked; link a guest with "
			       "-static -nostdlib";
		if (phdr.type == PT_NOTE && within(phdr.offset, phdr.filesz, image->size))
			what = foreign_notes(image->data + phdr.offset, phdr.filesz);
	}
	return what;
}

static const char *check_header(struct image *image, const struct elf_header *header,
				const uint16_t machines[2])
{
	size_t phentsize = image->elf_bits == 64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const char *why;

	if (header->machine != machines[image->elf_bits == 64] || header->machine == EM_NONE)
		return other_machine(image, header->machine, machines);
	if (header->type == ET_REL || header->type == ET_CORE)
		return other_type(header->type);
	if (header->phentsize != phentsize)
		return "its ELF header is malformed";
	if (!phdrs_are_there(image, header))
		return "its program headers lie beyond the end of the file";
	why = foreign_program(image, header);
	if (why)
		return why;
	return header->type == ET_EXEC ? NULL : other_type(header->type);
}

static const char *take_segments(struct image *image, const struct elf_header *header)
{
	bool has_entry = false;
	struct elf_phdr phdr;
	const char *why;

	for (unsigned int i = 0; i < header->phnum; i++) {
		read_phdr(image, header, i, &phdr);
		if (phdr.type != PT_LOAD || !phdr.memsz)
			continue;
		why = add_segment(image, &phdr);
		if (why)
			return why;
		if (!has_entry)
			has_entry = translate_entry(header->entry, &phdr, &image->entry);
	}
	if (!image->nr_segments)
		return "it has no loadable segment";
	return has_entry ? NULL : "its entry lies in no segment";
}

static const char *parse_elf(struct image *image, const uint16_t machines[2])
{
	struct elf_header header;
	const char *why;

	if (image->size < EI_NIDENT)
		return "it ends within the ELF header";
	if (image->data[EI_CLASS] != ELFCLASS32 && image->data[EI_CLASS] != ELFCLASS64)
		return "its ELF class is unknown";
	if (image->data[EI_DATA] != ELFDATA2LSB)
		return "it is not little-endian, as guests are";

	image->elf_bits = image->data[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	if (!read_header(image, &header))
		return "it ends within the ELF header";
	why = check_header(image, &header, machines);
	return why ? why : take_segments(image, &header);
}

const char *image_parse(const void *data, size_t size, const uint16_t machines[2],
			struct image *image)
{
	const char *why;

	*image = (struct image){ .data = data, .size = size };
	if (!size)
		return "it is empty";
	if (size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG))
		return parse_elf(image, machines);
	why = foreign_file(data, size);
	if (why)
		return why;

	image->segments[0] = (struct image_segment){ .filesz = size, .memsz = size };
	image->nr_segments = 1;
	return NULL;
}

void image_place(struct image *image, uint64_t gpa)
{
	image->segments[0].gpa = gpa;
	image->entry = gpa;
}

bool image_fits(const struct image *image, uint64_t base, uint64_t size)
{
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct image_segment *s = &image->segments[i];

		if (s->gpa < base || !within(s->gpa - base, s->memsz, size))
			return false;
	}
	return true;
}

void image_extent(const struct image *image, uint64_t *first, uint64_t *end)
{
	*first = UINT64_MAX;
	*end = 0;
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct image_segment *s = &image->segments[i];
		uint64_t room = UINT64_MAX - s->gpa;
		uint64_t behind = s->gpa + (s->memsz < room ? s->memsz : room);

		if (s->gpa < *first)
			*first = s->gpa;
		if (behind > *end)
			*end = behind;
	}
}

void image_load(const struct image *image, uint64_t base, void *mem)
{
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct image_segment *s = &image->segments[i];

		memcpy((uint8_t *)mem + (s->gpa - base), image->data + s->offset, s->filesz);
	}
}
