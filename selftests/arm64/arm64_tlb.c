// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an arm64 guest's CPU remembers of memory that is taken away, while the guest
 * runs on and has no reason to exit.
 */
#include "arm64.h"

/*
 * Stage 1 on. Again and again, what X21 points at goes to X23, with a number. X22
 * says whether the guest forgets its own translations before. It touches X26 places
 * from X24 on, X25 apart, one each time.
 */
PROGRAM(watch_program,
	"ldr x0, =0x200803519\n msr tcr_el1, x0\n"	/* 39 bits, 4 KiB */
	"mov x0, #0xff\n msr mair_el1, x0\n msr ttbr0_el1, x20\n isb\n"
	"mrs x0, sctlr_el1\n orr x0, x0, #1\n msr sctlr_el1, x0\n isb\n"
	"1: cbz x22, 2f\n tlbi vmalle1\n dsb nsh\n isb\n"
	"2: add x13, x13, #1\n cmp x13, x26\n csel x13, xzr, x13, hs\n"
	"madd x14, x13, x25, x24\n ldr x15, [x14]\n"
	"ldr x9, [x21]\n str x9, [x23]\n add x10, x10, #1\n dmb ish\n str x10, [x23, #8]\n"
	"ldr x11, [x23, #16]\n cbz x11, 1b\n" MEET(0x70) ".ltorg\n");

/* Where things are for the guest */
#define AREA		GUEST_HOLE	/* memory that comes and goes */
#define L1		0xa0000
#define L2		0xa1000
#define L3		0xa2000
#define SEEN		0xb0000		/* what it saw, the number of times, whether to stop */
#define DATA		0xc0000

#define WATCHED		(2ULL << 30)
#define BLOCK		0x701
#define PAGE		0x703
#define TABLE		3
/* The more rounds, the surer */
#define LEAST_ROUNDS	20
#define ENOUGH_NS	2000000000ULL

FIXTURE(tlb) {
	struct guest g;
	struct guest_vcpu v;
	volatile uint64_t *seen;
	size_t page;
	uint64_t watched;	/* address of the page below */
	uint8_t *mem[2];	/* one of the two is behind the area */
	pthread_t thread;
	int err;
};

FIXTURE_VARIANT(tlb) {
	unsigned int pages;	/* of the area */
	unsigned int step;	/* of these, every so many-th is there */
	unsigned int watched;	/* and this is looked at: as data, or */
	bool table;		/* as the last table that leads to the data */
};

/* What a CPU has made of both stages; more than are forgotten one by one */
FIXTURE_VARIANT_ADD(tlb, one) { .pages = 1, .step = 1 };
FIXTURE_VARIANT_ADD(tlb, many) { .pages = 64, .step = 2 };
/* What it has made of the second one, for walks of the first; and as parts of ranges */
FIXTURE_VARIANT_ADD(tlb, table) { .pages = 1, .step = 1, .table = true };
FIXTURE_VARIANT_ADD(tlb, table_low) { .pages = 81, .step = 1, .watched = 5, .table = true };
FIXTURE_VARIANT_ADD(tlb, table_high) { .pages = 81, .step = 1, .watched = 70, .table = true };

static volatile uint64_t *memory(FIXTURE_DATA(tlb) *self, uint64_t gpa)
{
	return (volatile uint64_t *)(self->g.mem + gpa);
}

static int map_area(FIXTURE_DATA(tlb) *self, const FIXTURE_VARIANT(tlb) *variant, unsigned int i)
{
	return map_memory(self->g.aspace, AREA, variant->pages * self->page, self->mem[i % 2],
			  AXVCPU_MAP_ALL);
}

/* 1000 + i will be seen behind the area's memory @i. */
static void write_area(FIXTURE_DATA(tlb) *self, const FIXTURE_VARIANT(tlb) *variant,
		       unsigned int i)
{
	uint64_t data = DATA + i % 16 * 0x1000;

	memory(self, data)[0] = 1000 + i;
	*(volatile uint64_t *)(self->mem[i % 2] + variant->watched * self->page) =
		variant->table ? data | PAGE : 1000 + i;
}

static int make_area(FIXTURE_DATA(tlb) *self, const FIXTURE_VARIANT(tlb) *variant)
{
	size_t size = variant->pages * self->page;

	for (int i = 0; i < 2; i++) {
		self->mem[i] = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (self->mem[i] == MAP_FAILED)
			return -errno;
		for (size_t at = 0; at < size; at += variant->step * self->page)
			self->mem[i][at] = 1;
	}
	write_area(self, variant, 0);
	return map_area(self, variant, 0);
}

static void init_registers(FIXTURE_DATA(tlb) *self, const FIXTURE_VARIANT(tlb) *variant)
{
	volatile __u64 *x = self->v.run->regs.arm64.x;

	x[20] = L1;
	x[21] = WATCHED;
	x[22] = variant->table;
	x[23] = SEEN;
	x[24] = variant->table ? DATA : AREA;
	x[25] = variant->step * self->page;
	/* A table is only walked, or else its neighbours' faults would tell of it. */
	x[26] = variant->table ? 1 : variant->pages / variant->step;
}

FIXTURE_SETUP(tlb)
{
	struct axvcpu_setup setup;

	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VHE)
		SKIP(return, "not on arm64");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	memcpy(self->g.mem + ENTRY, watch_program, watch_program_end - watch_program);
	self->page = sysconf(_SC_PAGESIZE);
	self->watched = AREA + variant->watched * self->page;
	self->seen = memory(self, SEEN);
	memory(self, L1)[0] = BLOCK;		/* 1 GiB, as it is */
	memory(self, L1)[WATCHED >> 30] = L2 | TABLE;
	memory(self, L2)[0] = (variant->table ? self->watched : L3) | TABLE;
	memory(self, L3)[0] = self->watched | PAGE;
	ASSERT_EQ(0, make_area(self, variant));
	setup_init(&self->g, &setup, ENTRY);
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	init_registers(self, variant);
}

FIXTURE_TEARDOWN(tlb)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* What the guest sees @later rounds from now; 0: it does not get there. */
static uint64_t see(FIXTURE_DATA(tlb) *self, uint64_t later)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	uint64_t number = self->seen[1];

	while (self->seen[1] < number + later) {
		if (now_ns() > end)
			return 0;
	}
	__sync_synchronize();
	return self->seen[0];
}

/* Where nothing is for a moment, it tries again. */
static void *run_on(void *arg)
{
	FIXTURE_DATA(tlb) *self = arg;

	do {
		self->err = run_vcpu(self->v.fd, 0);
	} while (!self->err && self->v.run->exit_reason != AXVCPU_EXIT_HYPERCALL);
	return NULL;
}

/*
 * What was there keeps its contents: a guest that has not forgotten it sees them.
 * Often the host's timer comes first, and has the emulator forget everything.
 */
TEST_F(tlb, moved)
{
	size_t size = variant->pages * self->page;
	unsigned long long began;
	unsigned int stale = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	/* The thread stays where this one is when it is made. */
	ASSERT_EQ(0, pin_to_cpu(1));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_on, self));
	ASSERT_EQ(0, pin_to_cpu(0));
	EXPECT_EQ(1000, see(self, 2));
	began = now_ns();
	for (unsigned int i = 1; i < LEAST_ROUNDS || now_ns() - began < ENOUGH_NS; i++) {
		write_area(self, variant, i);
		/* All that there is has been touched. */
		EXPECT_NE(0, see(self, variant->pages));
		EXPECT_EQ(0, unmap_memory(self->g.aspace, AREA, size));
		EXPECT_EQ(0, map_area(self, variant, i));
		stale += see(self, 2) != 1000 + i;
	}
	EXPECT_EQ(0, stale);
	self->seen[2] = 1;
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->err);
	munmap(self->mem[0], size);
	munmap(self->mem[1], size);
}

TEST_HARNESS_MAIN
