// SPDX-License-Identifier: GPL-2.0-only
/* The ELF loader against malformed files, and files that are no guests. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "array_size.h"
#include "image.h"
#include "tap.h"
#include "tests.h"

/* A file of 64 bits: headers, two segments, their bytes. */
struct elf64 {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	uint8_t text[64];
	uint8_t data[32];
};

struct elf32 {
	Elf32_Ehdr e;
	Elf32_Phdr p[1];
	uint8_t text[64];
};

#define TEXT_GPA	0x100000ULL
#define DATA_GPA	0x102000ULL
#define DATA_MEMSZ	0x800ULL
#define MEM_SIZE	0x103000ULL

static void make_elf64(struct elf64 *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->e.e_ident, ELFMAG, SELFMAG);
	f->e.e_ident[EI_CLASS] = ELFCLASS64;
	f->e.e_ident[EI_DATA] = ELFDATA2LSB;
	f->e.e_type = ET_EXEC;
	f->e.e_machine = EM_X86_64;
	f->e.e_entry = TEXT_GPA + 4;
	f->e.e_phoff = offsetof(struct elf64, p);
	f->e.e_phentsize = sizeof(f->p[0]);
	f->e.e_phnum = 2;
	f->p[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = offsetof(struct elf64, text),
		.p_vaddr = TEXT_GPA, .p_paddr = TEXT_GPA,
		.p_filesz = sizeof(f->text), .p_memsz = sizeof(f->text),
	};
	f->p[1] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = offsetof(struct elf64, data),
		.p_vaddr = DATA_GPA, .p_paddr = DATA_GPA,
		.p_filesz = sizeof(f->data), .p_memsz = DATA_MEMSZ,
	};
	memset(f->text, 0xf4, sizeof(f->text));
	memset(f->data, 0x5a, sizeof(f->data));
}

static void make_elf32(struct elf32 *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->e.e_ident, ELFMAG, SELFMAG);
	f->e.e_ident[EI_CLASS] = ELFCLASS32;
	f->e.e_ident[EI_DATA] = ELFDATA2LSB;
	f->e.e_type = ET_EXEC;
	f->e.e_machine = EM_386;
	f->e.e_entry = TEXT_GPA;
	f->e.e_phoff = offsetof(struct elf32, p);
	f->e.e_phentsize = sizeof(f->p[0]);
	f->e.e_phnum = 1;
	f->p[0] = (Elf32_Phdr){
		.p_type = PT_LOAD, .p_offset = offsetof(struct elf32, text),
		.p_vaddr = TEXT_GPA, .p_paddr = TEXT_GPA,
		.p_filesz = sizeof(f->text), .p_memsz = sizeof(f->text),
	};
}

/* The file in memory of just its size, so that a sanitizer sees each step beyond. */
static const char *parse_copy(const void *file, size_t size, struct image *image, uint8_t **copy)
{
	*copy = malloc(size ? size : 1);
	memcpy(*copy, file, size);
	return image_parse(*copy, size, x86_arch.elf_machines, image);
}

static void test_good_files(void)
{
	struct elf64 f64;
	struct elf32 f32;
	struct image image;
	uint8_t *mem = calloc(1, MEM_SIZE);
	bool zero = true;
	uint64_t first, end;
	uint8_t *copy;

	make_elf64(&f64);
	ok(!parse_copy(&f64, sizeof(f64), &image, &copy) && image.elf_bits == 64 &&
	   image.nr_segments == 2 && image.entry == TEXT_GPA + 4, "ELF of 64 bits");
	ok(image_fits(&image, 0, DATA_GPA + DATA_MEMSZ) &&
	   !image_fits(&image, 0, DATA_GPA + DATA_MEMSZ - 1),
	   "memory may end with the last segment, not before");
	image_extent(&image, &first, &end);
	ok(first == TEXT_GPA && end == DATA_GPA + DATA_MEMSZ, "its extent");
	image_load(&image, 0, mem);
	for (uint64_t i = sizeof(f64.data); i < DATA_MEMSZ; i++)
		zero = zero && !mem[DATA_GPA + i];
	ok(!memcmp(mem + TEXT_GPA, f64.text, sizeof(f64.text)) &&
	   !memcmp(mem + DATA_GPA, f64.data, sizeof(f64.data)) && zero, "its segments are loaded");
	free(copy);
	free(mem);

	f64.p[0].p_vaddr = f64.e.e_entry = 0xffffffff80000000;
	ok(!parse_copy(&f64, sizeof(f64), &image, &copy) && image.entry == TEXT_GPA,
	   "a virtual entry becomes physical");
	free(copy);

	make_elf32(&f32);
	ok(!parse_copy(&f32, sizeof(f32), &image, &copy) && image.elf_bits == 32 &&
	   image.entry == TEXT_GPA, "ELF of 32 bits");
	free(copy);

	ok(!parse_copy("\177EL", 3, &image, &copy) && !image.elf_bits, "three bytes are flat");
	image_place(&image, 0x7c00);
	ok(image.entry == 0x7c00 && image_fits(&image, 0, 0x7c03) && !image_fits(&image, 0, 0x7c02),
	   "a flat file is placed");
	image_extent(&image, &first, &end);
	ok(first == 0x7c00 && end == 0x7c03, "and has an extent");
	image_place(&image, UINT64_MAX);
	image_extent(&image, &first, &end);
	ok(!image_fits(&image, 0, UINT64_MAX) && end == UINT64_MAX,
	   "but not beyond the last address");
	free(copy);
}

static void test_arm64_files(void)
{
	const uint64_t base = arm64_arch.mem_base;
	struct elf64 f64;
	struct elf32 f32;
	struct image image;
	uint8_t *mem = calloc(1, MEM_SIZE);

	make_elf64(&f64);
	ok(image_parse(&f64, sizeof(f64), arm64_arch.elf_machines, &image), "x86's is refused");
	make_elf32(&f32);
	ok(image_parse(&f32, sizeof(f32), arm64_arch.elf_machines, &image),
	   "32 bits are refused");
	f32.e.e_machine = EM_NONE;
	ok(image_parse(&f32, sizeof(f32), arm64_arch.elf_machines, &image),
	   "no machine is none");

	f64.e.e_machine = EM_AARCH64;
	f64.e.e_entry += base;
	f64.p[0].p_vaddr += base;
	f64.p[0].p_paddr += base;
	f64.p[1].p_paddr += base;
	ok(!image_parse(&f64, sizeof(f64), arm64_arch.elf_machines, &image) &&
	   image.entry == base + TEXT_GPA + 4, "ELF of arm64");
	ok(image_fits(&image, base, DATA_GPA + DATA_MEMSZ) &&
	   !image_fits(&image, base, DATA_GPA + DATA_MEMSZ - 1) &&
	   image_fits(&image, base + TEXT_GPA, MEM_SIZE) &&
	   !image_fits(&image, base + TEXT_GPA + 1, MEM_SIZE), "memory has a start, too");
	image_load(&image, base, mem);
	ok(!memcmp(mem + TEXT_GPA, f64.text, sizeof(f64.text)) &&
	   !memcmp(mem + DATA_GPA, f64.data, sizeof(f64.data)), "it is loaded from there on");
	free(mem);
}

/* Is a file refused, and does @text tell why? */
static void refused(const void *file, size_t size, const char *text)
{
	struct image image;
	uint8_t *copy;
	const char *why = parse_copy(file, size, &image, &copy);
	bool right = why && strstr(why, text);

	ok(right, "refused: %s", text);
	if (!right)
		printf("# it said: %s\n", why ? why : "nothing");
	free(copy);
}

/* @statement spoils the good file @f. */
#define MALFORMED(f, text, statement)			\
	do {						\
		make_elf64(&(f));			\
		statement;				\
		refused(&(f), sizeof(f), text);		\
	} while (0)

#define NO_PHDRS	"its program headers lie beyond the end of the file"
#define NOT_IN_FILE	"a segment lies beyond the end of the file"
#define NOT_IN_SPACE	"a segment goes beyond the last address"
#define NO_ENTRY	"its entry lies in no segment"

static void test_malformed_files(void)
{
	struct image image;
	bool right = true;
	struct elf64 f;
	uint8_t *copy;

	refused("", 0, "it is empty");
	make_elf64(&f);
	for (size_t size = SELFMAG; size < offsetof(struct elf64, data) + sizeof(f.data); size++) {
		right = right && parse_copy(&f, size, &image, &copy);
		free(copy);
	}
	ok(right, "refused: cut at any byte");
	refused(&f, SELFMAG, "it ends within the ELF header");
	refused(&f, sizeof(f.e) - 1, "it ends within the ELF header");

	MALFORMED(f, "its ELF class is unknown", f.e.e_ident[EI_CLASS] = 3);
	MALFORMED(f, "not little-endian", f.e.e_ident[EI_DATA] = ELFDATA2MSB);
	MALFORMED(f, "ELF header is malformed", f.e.e_phentsize = 1);
	MALFORMED(f, "no loadable segment", f.e.e_phnum = 0);
	MALFORMED(f, NO_PHDRS, f.e.e_phnum = 100);
	MALFORMED(f, NO_PHDRS, f.e.e_phnum = PN_XNUM);
	MALFORMED(f, NO_PHDRS, f.e.e_phoff = sizeof(f));
	MALFORMED(f, NO_PHDRS, f.e.e_phoff = UINT64_MAX - 8);
	MALFORMED(f, NOT_IN_FILE, f.p[0].p_offset = sizeof(f) - 63);
	MALFORMED(f, NOT_IN_FILE, f.p[0].p_offset = UINT64_MAX);
	MALFORMED(f, NOT_IN_FILE, f.p[0].p_filesz = f.p[0].p_memsz = UINT64_MAX);
	MALFORMED(f, "longer in the file than in memory", f.p[0].p_memsz = 1);
	MALFORMED(f, NOT_IN_SPACE, f.p[0].p_paddr = UINT64_MAX);
	MALFORMED(f, NOT_IN_SPACE, f.p[1].p_memsz = UINT64_MAX - 8);
	MALFORMED(f, "two segments overlap", f.p[1].p_paddr = TEXT_GPA + 63);
	MALFORMED(f, "no loadable segment", (f.p[0].p_type = PT_NOTE, f.p[1].p_type = PT_NULL));
	MALFORMED(f, NO_ENTRY, f.e.e_entry = TEXT_GPA - 1);
	MALFORMED(f, NO_ENTRY, f.e.e_entry = TEXT_GPA + 64);
}

#define ALL_OF_X86	"guests here are 32-bit ones for i386 or 64-bit ones for x86-64"

/* Well-formed, but of a kind that is no guest here */
static void test_other_elf_files(void)
{
	struct image image;
	const char *why;
	struct elf64 f;

	MALFORMED(f, "it is a 64-bit ELF file for AArch64; " ALL_OF_X86,
		  f.e.e_machine = EM_AARCH64);
	MALFORMED(f, "it is a 64-bit ELF file for RISC-V; " ALL_OF_X86, f.e.e_machine = EM_RISCV);
	MALFORMED(f, "it is a 64-bit ELF file for i386; " ALL_OF_X86, f.e.e_machine = EM_386);
	MALFORMED(f, "for an unknown machine; " ALL_OF_X86, f.e.e_machine = 0xffff);
	MALFORMED(f, "it is a 32-bit ELF file for x86-64; " ALL_OF_X86,
		  f.e.e_ident[EI_CLASS] = ELFCLASS32);
	MALFORMED(f, "it is an object file", f.e.e_type = ET_REL);
	MALFORMED(f, "it is an object file", (f.e.e_type = ET_REL, f.e.e_phentsize = 0));
	MALFORMED(f, "it is a core dump", f.e.e_type = ET_CORE);
	MALFORMED(f, "not of type EXEC); link it with -static -no-pie", f.e.e_type = ET_DYN);
	MALFORMED(f, "dynamically linked; link a guest with -static -nostdlib",
		  f.p[1].p_type = PT_INTERP);
	MALFORMED(f, "dynamically linked", (f.p[1].p_type = PT_INTERP, f.e.e_type = ET_DYN));

	make_elf64(&f);
	why = image_parse(&f, sizeof(f), arm64_arch.elf_machines, &image);
	ok(why && strstr(why, "for x86-64; guests here are 64-bit ones for AArch64"),
	   "x86's on arm64");
}

static void put_note(struct elf64 *f, const char *name, uint32_t type, uint32_t namesz,
		     uint32_t descsz)
{
	Elf64_Nhdr note = { .n_namesz = namesz, .n_descsz = descsz, .n_type = type };

	f->p[1].p_type = PT_NOTE;
	f->p[1].p_offset = offsetof(struct elf64, data);
	memcpy(f->data, &note, sizeof(note));
	snprintf((char *)f->data + sizeof(note), sizeof(f->data) - sizeof(note), "%s", name);
}

static bool is_guest(const struct elf64 *f)
{
	struct image image;
	uint8_t *copy;
	const char *why = parse_copy(f, sizeof(*f), &image, &copy);

	free(copy);
	return !why;
}

static void test_notes(void)
{
	struct elf64 f;

	MALFORMED(f, "it is a Linux kernel (vmlinux)", put_note(&f, "Linux", 0x100, 6, 8));
	MALFORMED(f, "it is a program for an operating system",
		  put_note(&f, "GNU", NT_GNU_ABI_TAG, 4, 16));
	make_elf64(&f);
	put_note(&f, "GNU", NT_GNU_BUILD_ID, 4, 16);
	ok(is_guest(&f), "a guest may have a build id");
	put_note(&f, "Linux", 0x100, 6, 1000);
	ok(is_guest(&f), "a note that is cut says nothing");
	put_note(&f, "Linux", 0x100, UINT32_MAX, UINT32_MAX);
	ok(is_guest(&f), "nor does one of sizes that add up to nothing");
	f.p[1].p_offset = UINT64_MAX;
	ok(is_guest(&f), "nor does one that is not in the file");
}

/* Bytes at an offset of a file that is zero otherwise */
static const struct {
	size_t offset;
	const char *bytes;
	size_t len;
	const char *text;
} other_kinds[] = {
	{ 0x202, "HdrS", 4, "it is a Linux kernel for x86 (bzImage)" },
	{ 0x38, "ARM\x64", 4, "it is a Linux kernel for arm64 (Image)" },
	{ 0x38, "RSC\x05", 4, "it is a Linux kernel for RISC-V (Image)" },
	{ 0, "\x1f\x8b\x08", 3, "it is compressed by gzip: unpack it first" },
	{ 0, "\xfd\x37zXZ\0", 6, "it is compressed by xz" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "it is compressed by zstd" },
	{ 0, "070701", 6, "it is a cpio archive (initramfs)" },
	{ 0x8001, "CD001", 5, "it is a CD image" },
	{ 0, "#!", 2, "it is a script" },
};

static void test_other_files(void)
{
	static char file[0x9000];
	uint32_t pe = 0x80;
	struct image image;

	for (size_t i = 0; i < ARRAY_SIZE(other_kinds); i++) {
		size_t end = other_kinds[i].offset + other_kinds[i].len;
		uint8_t *copy;

		memset(file, 0, sizeof(file));
		memcpy(file + other_kinds[i].offset, other_kinds[i].bytes, other_kinds[i].len);
		refused(file, sizeof(file), other_kinds[i].text);
		refused(file, end, other_kinds[i].text);
		ok(!parse_copy(file, end - 1, &image, &copy), "a byte less is a flat file");
		free(copy);
	}

	memset(file, 0, sizeof(file));
	memcpy(file, "MZ", 2);
	ok(!image_parse(file, sizeof(file), x86_arch.elf_machines, &image), "MZ alone is a flat file");
	memcpy(file + 0x3c, &pe, sizeof(pe));
	memcpy(file + pe, "PE\0\0", 4);
	refused(file, sizeof(file), "it is a program for EFI or Windows (PE)");
	memcpy(file + 0x38, "ARM\x64", 4);
	refused(file, sizeof(file), "it is a Linux kernel for arm64 (Image)");
	memcpy(file + 0x202, "HdrS", 4);
	refused(file, sizeof(file), "it is a Linux kernel for x86 (bzImage)");
}

static void test_many_segments(void)
{
	enum { COUNT = IMAGE_MAX_SEGMENTS + 1 };
	size_t size = sizeof(Elf64_Ehdr) + COUNT * sizeof(Elf64_Phdr);
	uint8_t *file = calloc(1, size);
	struct image image;
	struct elf64 f;

	make_elf64(&f);
	f.e.e_phnum = COUNT;
	memcpy(file, &f.e, sizeof(f.e));
	for (unsigned int i = 0; i < COUNT; i++) {
		Elf64_Phdr p = {
			.p_type = PT_LOAD, .p_memsz = 1,
			.p_paddr = TEXT_GPA + 4 * i, .p_vaddr = TEXT_GPA + 4 * i,
		};

		memcpy(file + sizeof(f.e) + i * sizeof(p), &p, sizeof(p));
	}
	ok(image_parse(file, size, x86_arch.elf_machines, &image), "refused: too many segments");
	f.e.e_phnum = COUNT - 1;
	memcpy(file, &f.e, sizeof(f.e));
	ok(!image_parse(file, size, x86_arch.elf_machines, &image) &&
	   image.nr_segments == IMAGE_MAX_SEGMENTS,
	   "the most segments");
	free(file);
}

/* What must hold of whatever the parser lets through. */
static bool is_sound(const struct image *image)
{
	bool has_entry = false;

	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct image_segment *s = &image->segments[i];

		if (s->filesz > s->memsz || s->offset > image->size ||
		    s->filesz > image->size - s->offset || s->memsz > UINT64_MAX - s->gpa)
			return false;
		has_entry |= image->entry >= s->gpa && image->entry - s->gpa < s->memsz;
	}
	return has_entry || !image->elf_bits;
}

/* Files with a few bytes changed: whatever is accepted is sound, and loads. */
static void test_mutations(void)
{
	enum { ROUNDS = 200000 };
	uint8_t *mem = calloc(1, MEM_SIZE);
	uint64_t seed = 88172645463325252ULL;
	unsigned int accepted = 0;
	bool right = true;

	for (int round = 0; round < ROUNDS; round++) {
		struct image image;
		uint8_t *copy;
		struct elf64 f;

		make_elf64(&f);
		for (int n = 0; n < 1 + round % 4; n++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			((uint8_t *)&f)[seed % offsetof(struct elf64, text)] = seed >> 32;
		}
		if (!parse_copy(&f, sizeof(f), &image, &copy)) {
			accepted++;
			right = right && is_sound(&image);
			if (image_fits(&image, 0, MEM_SIZE))
				image_load(&image, 0, mem);
		}
		free(copy);
	}
	ok(right, "what is accepted is sound");
	ok(accepted && accepted < ROUNDS, "some of %u are accepted, some refused: %u", ROUNDS,
	   accepted);
	free(mem);
}

void test_images(void)
{
	test_good_files();
	test_arm64_files();
	test_malformed_files();
	test_other_elf_files();
	test_notes();
	test_other_files();
	test_many_segments();
	test_mutations();
}
