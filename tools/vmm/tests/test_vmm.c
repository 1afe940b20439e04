// SPDX-License-Identifier: GPL-2.0-only
/* axvmm's command lines, and its ELF loader against malformed files. */
#include <argp.h>
#include <elf.h>
#include <stdlib.h>

#include "array_size.h"
#include "image.h"
#include "options.h"
#include "tap.h"

/* --- command lines ---------------------------------------------------------- */

#define MAX_WORDS	16

static int parse_for(const struct guest_arch *arch, const char *line, struct run_options *opt)
{
	static char copy[256];
	char *argv[MAX_WORDS], *save, *word;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return parse_run_options(argc, argv, arch, opt, ARGP_SILENT);
}

static int parse(const char *line, struct run_options *opt)
{
	return parse_for(&x86_arch, line, opt);
}

static const char * const bad_lines[] = {
	"run",
	"run a b",
	"run --nothing a",
	"run --mode a",
	"run --mode Real a",
	"run --mem 0 a",
	"run --mem -1 a",
	"run --mem 1X a",
	"run --mem 1MM a",
	"run --mem M a",
	"run --mem 18446744073709551616 a",
	"run --mem 16777216T a",
	"run --mem 0x a",
	"run --entry -1 a",
	"run --entry 0x10000000000000000 a",
	"run --load 1K a",
	"run --cpus 0 a",
	"run --cpus 65 a",
	"run --cpus 4294967297 a",
	"run --cpus 1, a",
	"run --cpu , a",
	"run --cpu 1, a",
	"run --cpu 1,,2 a",
	"run --cpu -1 a",
	"run --cpu 2147483648 a",
	"run --cpu 0-3 a",
	"run --cpuid 1 a",
	"run --cpuid PC a",
	"run --cpuid pcs a",
	"run --cpuid pc,1:ecx=1 a",
	"run --cpuid 1: a",
	"run --cpuid 1:ecx a",
	"run --cpuid 1:ecx= a",
	"run --cpuid 1:esi=1 a",
	"run --cpuid 1:ecxx=1 a",
	"run --cpuid 1:ecx=1, a",
	"run --cpuid 1:ecx=1,ecx=1 a",
	"run --cpuid 1:ecx=1;edx=1 a",
	"run --cpuid 1:ecx=0x100000000 a",
	"run --cpuid 1:ecx=-1 a",
	"run --cpuid .1:ecx=1 a",
	"run --cpuid 1.:ecx=1 a",
	"run --cpuid 0x100000000:ecx=1 a",
	"run --cpuid 1.0x100000000:ecx=1 a",
	"run --timer 0 a",
	"run --timer 10001 a",
	"run --timer 1.5 a",
	"run --timer-vector 256 a",
	"run --timer-vector -1 a",
	"run --timeout 0 a",
	"run --timeout 0.0 a",
	"run --timeout .5 a",
	"run --timeout 1s a",
	"run --timeout 1.0000000001 a",
	"run --timeout 31536001 a",
	"run --timeout 1e3 a",
};

static bool is_mode(const struct run_options *opt, const char *name)
{
	return opt->mode != MODE_GUESS && !strcmp(opt->arch->modes[opt->mode], name);
}

static void test_options(void)
{
	struct run_options opt;

	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++)
		ok(parse(bad_lines[i], &opt) != 0, "refused: %s", bad_lines[i]);

	ok(!parse("run a", &opt) && !strcmp(opt.file, "a") && opt.mode == MODE_GUESS &&
	   opt.mem == 32 << 20 && opt.cpus == 1 && !opt.has_load && !opt.has_entry &&
	   !opt.nr_pins && !opt.trace && !opt.stats && !opt.timer_hz && opt.timer_vector == 32 &&
	   !opt.timeout_ns && !opt.device, "defaults");
	ok(!parse("run --mode long --mem 2g a", &opt) && is_mode(&opt, "long") &&
	   opt.mem == 2ULL << 30, "mode and memory");
	ok(!parse("run --mem 0x1000 a", &opt) && opt.mem == 0x1000, "hexadecimal memory");
	ok(!parse("run --load 0 --entry 0x100 a", &opt) && opt.has_load && opt.load == 0 &&
	   opt.has_entry && opt.entry == 0x100, "addresses, 0 is one");
	ok(!parse("run --cpus 3 --cpu 0,2 a", &opt) && opt.cpus == 3 && opt.nr_pins == 2 &&
	   opt.pins[0] == 0 && opt.pins[1] == 2, "CPUs");
	ok(!parse("run a --trace --stats", &opt) && opt.trace && opt.stats, "options behind the file");
	ok(!parse("run --timer 100 --timer-vector 255 a", &opt) && opt.timer_hz == 100 &&
	   opt.timer_vector == 255, "timer");
	ok(!parse_for(&arm64_arch, "run --timer-vector 1019 --mode el1 a", &opt) &&
	   opt.timer_vector == 1019 && is_mode(&opt, "el1"), "arm64's vectors and mode");
	ok(parse_for(&arm64_arch, "run --timer-vector 1020 a", &opt) &&
	   parse_for(&arm64_arch, "run --mode long a", &opt), "and not more");
	ok(!parse("run --timeout 1.25 a", &opt) && opt.timeout_ns == 1250000000, "fraction");
	ok(!parse("run --timeout 0.000000001 a", &opt) && opt.timeout_ns == 1, "nanosecond");
	ok(!parse("run -- --trace", &opt) && !strcmp(opt.file, "--trace") && !opt.trace,
	   "a file that looks like an option");
}

static void test_cpuid(void)
{
	struct run_options opt;
	const struct cpuid_option *c = opt.cpuids;

	ok(!parse("run a", &opt) && !opt.nr_cpuids && opt.preset == AXVCPU_X86_PRESET_MINIMAL,
	   "CPUID as it is");
	ok(!parse("run --cpuid 1:ecx=0 --cpuid host a", &opt) && opt.nr_cpuids == 1 &&
	   opt.preset == AXVCPU_X86_PRESET_HOST, "the host's CPUID but for a leaf");
	ok(!parse("run --cpuid host --cpuid pc a", &opt) && !opt.nr_cpuids &&
	   opt.preset == AXVCPU_X86_PRESET_PC, "the last preset counts");
	ok(!parse("run --cpuid minimal a", &opt) && opt.preset == AXVCPU_X86_PRESET_MINIMAL,
	   "the smallest CPUID");
	ok(!parse("run --cpuid 0x40000000:eax=0x40000001,EDX=4294967295 --cpuid 0xd.1:ecx=0 a",
		  &opt) && opt.nr_cpuids == 2 &&
	   c[0].leaf == 0x40000000 && !c[0].subleaf && c[0].given == 9 &&
	   c[0].regs[0] == 0x40000001 && c[0].regs[3] == UINT32_MAX &&
	   c[1].leaf == 0xd && c[1].subleaf == 1 && c[1].given == 4 && !c[1].regs[2],
	   "leaves of CPUID");
	ok(parse_for(&arm64_arch, "run --cpuid 1:eax=1 a", &opt) &&
	   parse_for(&arm64_arch, "run --cpuid pc a", &opt), "arm64 has no CPUID");
}

/* --- ELF -------------------------------------------------------------------- */

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
	uint8_t *copy;

	make_elf64(&f64);
	ok(!parse_copy(&f64, sizeof(f64), &image, &copy) && image.elf_bits == 64 &&
	   image.nr_segments == 2 && image.entry == TEXT_GPA + 4, "ELF of 64 bits");
	ok(image_fits(&image, 0, DATA_GPA + DATA_MEMSZ) &&
	   !image_fits(&image, 0, DATA_GPA + DATA_MEMSZ - 1),
	   "memory may end with the last segment, not before");
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
	image_place(&image, UINT64_MAX);
	ok(!image_fits(&image, 0, UINT64_MAX), "but not beyond the last address");
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

static void refused(const struct elf64 *f, const char *what)
{
	struct image image;
	uint8_t *copy;
	const char *why = parse_copy(f, sizeof(*f), &image, &copy);

	ok(why, "refused: %s (%s)", what, why ? why : "it was not");
	free(copy);
}

/* @statement spoils the good file @f. */
#define MALFORMED(f, what, statement)	\
	do {				\
		make_elf64(&(f));	\
		statement;		\
		refused(&(f), what);	\
	} while (0)

static void test_malformed_files(void)
{
	struct image image;
	bool right = true;
	struct elf64 f;
	uint8_t *copy;

	ok(parse_copy("", 0, &image, &copy), "refused: empty");
	free(copy);
	make_elf64(&f);
	for (size_t size = SELFMAG; size < offsetof(struct elf64, data) + sizeof(f.data); size++) {
		right = right && parse_copy(&f, size, &image, &copy);
		free(copy);
	}
	ok(right, "refused: cut at any byte");

	MALFORMED(f, "unknown class", f.e.e_ident[EI_CLASS] = 3);
	MALFORMED(f, "the other class", f.e.e_ident[EI_CLASS] = ELFCLASS32);
	MALFORMED(f, "big-endian", f.e.e_ident[EI_DATA] = ELFDATA2MSB);
	MALFORMED(f, "arm64", f.e.e_machine = EM_AARCH64);
	MALFORMED(f, "relocatable", f.e.e_type = ET_REL);
	MALFORMED(f, "position-independent", f.e.e_type = ET_DYN);
	MALFORMED(f, "size of program headers", f.e.e_phentsize = 1);
	MALFORMED(f, "no program headers", f.e.e_phnum = 0);
	MALFORMED(f, "too many program headers", f.e.e_phnum = 100);
	MALFORMED(f, "extended numbering", f.e.e_phnum = PN_XNUM);
	MALFORMED(f, "headers behind the file", f.e.e_phoff = sizeof(f));
	MALFORMED(f, "headers that wrap", f.e.e_phoff = UINT64_MAX - 8);
	MALFORMED(f, "segment behind the file", f.p[0].p_offset = sizeof(f) - 63);
	MALFORMED(f, "offset that wraps", f.p[0].p_offset = UINT64_MAX);
	MALFORMED(f, "size that wraps", f.p[0].p_filesz = f.p[0].p_memsz = UINT64_MAX);
	MALFORMED(f, "file larger than memory", f.p[0].p_memsz = 1);
	MALFORMED(f, "address that wraps", f.p[0].p_paddr = UINT64_MAX);
	MALFORMED(f, "memory that wraps", f.p[1].p_memsz = UINT64_MAX - 8);
	MALFORMED(f, "overlap", f.p[1].p_paddr = TEXT_GPA + 63);
	MALFORMED(f, "nothing to load", (f.p[0].p_type = PT_NOTE, f.p[1].p_type = PT_NULL));
	MALFORMED(f, "entry before the segments", f.e.e_entry = TEXT_GPA - 1);
	MALFORMED(f, "entry behind a segment", f.e.e_entry = TEXT_GPA + 64);
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

int main(void)
{
	printf("TAP version 13\n");
	test_options();
	test_cpuid();
	test_good_files();
	test_arm64_files();
	test_malformed_files();
	test_many_segments();
	test_mutations();
	return tap_finish();
}
