// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's walk of stage 1 against the CPU's own: AT in a guest, over tables that a
 * seed has made. QEMU 7.2 takes blocks at level 1 of 16 KiB granules, which are FEAT_LPA2's
 * with TCR_EL1.DS (Arm ARM, D8.3.1): a newer one is the oracle.
 */
#include "arm64.h"

#include "../../tools/lib/include/libaxvcpu.h"

#define SEEDS		200
#define NR_VAS		32
#define TABLES_GPA	GUEST_HOLE
#define NR_TABLES	8
#define TABLES_SIZE	(NR_TABLES * 65536ULL)
#define ADDRESS		0x0000fffffffff000ULL

#define SCTLR_M		(1ULL << 0)
#define TCR_HPD1	(1ULL << 42)
#define TCR_TBI1	(1ULL << 38)
#define PAR_F		1
#define LEVEL1		5	/* translation fault, level 1 */

/*
 * x20: addresses, x21: how many; each is followed by room for four results. x22 to x25: SCTLR,
 * TCR, TTBR1, TTBR0 while it looks; the code is mapped by the first block of TTBR0's table.
 */
PROGRAM(at_program,
	"1:" MEET(0x70)
	"msr tcr_el1, x23\n msr ttbr1_el1, x24\n msr ttbr0_el1, x25\n isb\n"
	"tlbi vmalle1\n dsb ish\n isb\n mrs x10, sctlr_el1\n msr sctlr_el1, x22\n isb\n"
	"mov x3, x20\n"
	"2: ldr x1, [x3], #8\n"
	".irp op, s1e1r, s1e1w, s1e0r, s1e0w\n"
	"at \\op, x1\n isb\n mrs x2, par_el1\n str x2, [x3], #8\n"
	".endr\n"
	"sub x21, x21, #1\n cbnz x21, 2b\n"
	"msr sctlr_el1, x10\n isb\n tlbi vmalle1\n dsb ish\n isb\n b 1b\n");

static uint64_t state;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t one_in(unsigned int n, uint64_t value)
{
	return any() % n ? 0 : value;
}

static uint64_t any_attributes(void)
{
	return one_in(2, 1ULL << 6) | one_in(2, 1ULL << 7) | (any() % 8 ? 1ULL << 10 : 0) |
	       one_in(4, 1ULL << 53) | one_in(4, 1ULL << 54) | one_in(8, 1ULL << 51) | 3ULL << 8;
}

/* A table, or a page where no table can be; a block; or nothing */
static uint64_t any_entry(unsigned int granule)
{
	uint64_t kind = any() % 8;

	if (!kind)
		return any() & ~1ULL;
	if (kind < 5)
		return (TABLES_GPA + any() % NR_TABLES * 65536) | 3 | any_attributes() |
		       one_in(6, 1ULL << 59) | one_in(6, 1ULL << 60) | one_in(6, 1ULL << 61) |
		       one_in(6, 1ULL << 62);
	return (any() & 0xffffffffffULL & ~((1ULL << granule) - 1)) | any_attributes() | 1;
}

static void *memory_at(void *data, uint64_t gpa, size_t size)
{
	uint64_t at = gpa - TABLES_GPA;

	return at < TABLES_SIZE && size <= TABLES_SIZE - at ? (uint8_t *)data + at : NULL;
}

struct kind {
	unsigned int access;
	const char *name;
};

static const struct kind kinds[] = {
	{ 0, "s1e1r" }, { AXVCPU_ARM64_WRITE, "s1e1w" }, { AXVCPU_ARM64_EL0, "s1e0r" },
	{ AXVCPU_ARM64_EL0 | AXVCPU_ARM64_WRITE, "s1e0w" },
};

/* Granules by TG1: 16, 4 and 64 KiB */
static const unsigned char granules[] = { 0, 14, 12, 16 };

static void make_tables(uint64_t *mem, unsigned int granule)
{
	memset(mem, 0, TABLES_SIZE);
	for (unsigned int table = 0; table < NR_TABLES; table++) {
		for (unsigned int i = 0; i < 1U << (granule - 3); i++)
			mem[table * 8192 + i] = any_entry(granule);
	}
}

/* Near the beginning, the middle and the end, and some that are in no half */
static uint64_t any_va(unsigned int size_bits)
{
	uint64_t va = any() & ((1ULL << size_bits) - 1);

	if (any() % 4)
		va |= ~((1ULL << size_bits) - 1);
	else
		va |= any() << size_bits;
	return va | 1ULL << 55;
}

TEST_F(arm64, walks_as_the_cpu_does)
{
	struct axvcpu_arm64_paging p = { .pstate = 5 };
	volatile uint64_t *list = self->results;
	unsigned int done = 0, faults = 0;
	uint64_t *tables, *identity, gpa, par;
	uint32_t status;

	if (sysconf(_SC_PAGESIZE) != 4096)
		SKIP(return, "guests of small pages");
	tables = mmap(NULL, TABLES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, tables);
	ASSERT_EQ(0, map_memory(self->g.aspace, TABLES_GPA, TABLES_SIZE, tables,
				AXVCPU_MAP_READ | AXVCPU_MAP_WRITE));
	ASSERT_EQ(0, start(self, at_program, at_program_end));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 7, 0), &p.mmfr0));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 7, 1), &p.mmfr1));
	/* Normal memory, write-back; a block of 1 GiB at level 1 */
	ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 0, 10, 2, 0), 0xff));
	identity = (uint64_t *)(self->g.mem + GUEST_DATA + 0x10000);
	identity[0] = 1 | 1ULL << 10 | 3ULL << 8;
	EXPECT_MEET(0x70);
	for (unsigned int seed = 1; seed <= SEEDS; seed++) {
		unsigned int tg, size_bits;

		state = seed * 0x9e3779b97f4a7c15ULL;
		tg = 1 + any() % 3;
		size_bits = 25 + any() % 24;
		make_tables(tables, granules[tg]);
		/* TTBR0: 39 bits of 4 KiB pages; write-back, inner shareable */
		p.tcr = 25 | 1ULL << 8 | 1ULL << 10 | 3ULL << 12 | (64ULL - size_bits) << 16 |
			1ULL << 24 | 1ULL << 26 | 3ULL << 28 | (uint64_t)tg << 30 | 2ULL << 32 |
			one_in(3, TCR_HPD1) | one_in(3, TCR_TBI1);
		p.sctlr = 0x30d00800 | SCTLR_M;
		p.ttbr[0] = GUEST_DATA + 0x10000;
		p.ttbr[1] = TABLES_GPA;
		for (int i = 0; i < NR_VAS; i++)
			list[5 * i] = any_va(size_bits);
		self->x[20] = RESULTS;
		self->x[21] = NR_VAS;
		self->x[22] = p.sctlr;
		self->x[23] = p.tcr;
		self->x[24] = p.ttbr[1];
		self->x[25] = p.ttbr[0];
		EXPECT_MEET(0x70);
		for (int i = 0; i < NR_VAS * 4; i++) {
			const struct kind *kind = &kinds[i % 4];
			uint64_t va = list[5 * (i / 4)];
			int ret = axvcpu_arm64_walk(&p, va, kind->access, memory_at, tables, &gpa,
						    &status);

			par = list[5 * (i / 4) + 1 + i % 4];
			ASSERT_LE(0, ret);
			/* With FEAT_LPA, which guests aren't shown, there are blocks of 4 TiB. */
			if (granules[tg] == 16 && ret && status == LEVEL1)
				continue;
			ASSERT_EQ(par & PAR_F, ret)
				TH_LOG("seed %u, %s %#llx: PAR %#llx, status %#x", seed, kind->name,
				       (unsigned long long)va, (unsigned long long)par, status);
			if (ret) {
				ASSERT_EQ(par >> 1 & 0x3f, status)
					TH_LOG("seed %u, %s %#llx", seed, kind->name,
					       (unsigned long long)va);
			} else {
				ASSERT_EQ((par & ADDRESS) | (va & 0xfff), gpa)
					TH_LOG("seed %u, %s %#llx", seed, kind->name,
					       (unsigned long long)va);
			}
			done++;
			faults += ret;
		}
	}
	TH_LOG("%u walks, %u of them faults", done, faults);
	EXPECT_LT(100, faults);
	EXPECT_LT(100, done - faults);
	munmap(tables, TABLES_SIZE);
}

TEST_HARNESS_MAIN
