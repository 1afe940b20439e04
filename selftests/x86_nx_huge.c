// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages that a guest may execute, for CPUs with the iTLB multihit bug: large
 * leaves for its data, small ones where it does execute.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PORT		0x80
#define HUGE_SIZE	0x200000ULL
#define HUGE_PAGES	(HUGE_SIZE / 4096)
#define GPA		(2 * GUEST_HOLE)
#define CODE		0x81000		/* in a huge page; the same in each */
#define WORD		0x180000
#define ROUNDS		10

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

FIXTURE(nx_huge) {
	struct guest g;
	struct guest_vcpu poker;	/* [G0] = G1, and an exit */
	struct guest_vcpu runner;
	uint64_t code;			/* offset of what it is to execute */
	uint8_t *area;
	uint8_t *mem;			/* two huge pages */
};

static int reload(const char *args)
{
	return module_unload("axvcpu") ?: module_load("axvcpu", args);
}

FIXTURE_SETUP(nx_huge)
{
	struct guest_prog p;
	int start;

	self->poker.fd = -1;
	self->runner.fd = -1;
	self->area = MAP_FAILED;
	ASSERT_EQ(0, reload("nx_huge_pages=1"));
	ASSERT_EQ(0, guest_create(&self->g, 0));
	g_begin(&p, &self->g, GUEST_PROG(0));
	start = g_here(&p);
	g_store(&p, G1, G0, 8);
	g_out(&p, PORT, G1, 1);
	g_jmp(&p, start);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->poker, 0, g_end(&p)));

	self->area = mmap(NULL, 3 * HUGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	self->mem = self->area + (-(uintptr_t)self->area % HUGE_SIZE);
	memset(self->mem, 0, 2 * HUGE_SIZE);
	if (madvise(self->mem, 2 * HUGE_SIZE, MADV_COLLAPSE))
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_memory(self->g.aspace, GPA, 2 * HUGE_SIZE, self->mem, AXVCPU_MAP_ALL));
}

FIXTURE_TEARDOWN(nx_huge)
{
	vcpu_destroy(&self->poker);
	vcpu_destroy(&self->runner);
	guest_destroy(&self->g);
	munmap(self->area, 3 * HUGE_SIZE);
	EXPECT_EQ(0, reload(""));
}

static int poke(FIXTURE_DATA(nx_huge) *self, uint64_t gpa, uint64_t value)
{
	*greg(&self->poker, G0) = gpa;
	*greg(&self->poker, G1) = value;
	return run_until(&self->poker, AXVCPU_EXIT_IO_WRITE);
}

static struct axvcpu_aspace_stats stats(FIXTURE_DATA(nx_huge) *self)
{
	struct axvcpu_aspace_stats stats = {};

	ioctl(self->g.aspace, AXVCPU_GET_ASPACE_STATS, &stats);
	return stats;
}

/* A program goes to both huge pages, and a vCPU to run it. It has no address in it. */
static int put_code(FIXTURE_DATA(nx_huge) *self, struct guest_prog *p)
{
	uint64_t entry = g_end(p);

	for (int i = 0; i < 2; i++)
		memcpy(self->mem + i * HUGE_SIZE + CODE, self->g.mem + p->gpa, GUEST_PROG_SIZE);
	self->code = CODE + entry - p->gpa;
	return vcpu_start(&self->g, &self->runner, 1, entry);
}

/* An exit each time it is run */
static int put_exits(FIXTURE_DATA(nx_huge) *self)
{
	struct guest_prog p;
	int start;

	g_begin(&p, &self->g, GUEST_PROG(1));
	start = g_here(&p);
	g_out(&p, PORT, G1, 1);
	g_jmp(&p, start);
	return put_code(self, &p);
}

static int execute_in(FIXTURE_DATA(nx_huge) *self, int page)
{
	uint64_t id = self->runner.isa->reg_id(self->runner.isa->pc);

	return set_reg(self->runner.fd, id, GPA + page * HUGE_SIZE + self->code) ?:
	       run_until(&self->runner, AXVCPU_EXIT_IO_WRITE);
}

TEST_F(nx_huge, small_where_it_executes)
{
	struct axvcpu_aspace_stats before, now;

	ASSERT_EQ(0, put_exits(self));
	ASSERT_EQ(0, run_until(&self->runner, AXVCPU_EXIT_IO_WRITE));
	ASSERT_EQ(0, poke(self, GUEST_DATA, 1));
	before = stats(self);

	/* Data: a leaf for each. */
	ASSERT_EQ(0, poke(self, GPA, 1));
	ASSERT_EQ(0, poke(self, GPA + HUGE_SIZE, 2));
	now = stats(self);
	EXPECT_EQ(before.mapped_pages + 2 * HUGE_PAGES, now.mapped_pages);
	EXPECT_EQ(before.faults + 2, now.faults);

	/* The one that is executed has a table from then on, for its data too. */
	ASSERT_EQ(0, execute_in(self, 1));
	EXPECT_EQ(now.table_pages + 1, stats(self).table_pages);
	EXPECT_LE(before.mapped_pages + HUGE_PAGES, stats(self).mapped_pages);
	ASSERT_EQ(0, poke(self, GPA + 2 * HUGE_SIZE - 8, 3));
	ASSERT_EQ(0, execute_in(self, 1));
	EXPECT_EQ(now.table_pages + 1, stats(self).table_pages);
	EXPECT_EQ(2, *(uint64_t *)(self->mem + HUGE_SIZE));
	EXPECT_EQ(3, *(uint64_t *)(self->mem + 2 * HUGE_SIZE - 8));

	/* The other one has not lost its leaf. */
	now = stats(self);
	ASSERT_EQ(0, poke(self, GPA + WORD, 4));
	EXPECT_EQ(now.faults, stats(self).faults);
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_EQ(now.table_pages + 1, stats(self).table_pages);
	ASSERT_EQ(0, poke(self, GPA + WORD, 5));
	EXPECT_EQ(5, *(uint64_t *)(self->mem + WORD));

	/* The host makes a new one of it: that is data again. */
	ASSERT_EQ(0, madvise(self->mem, 4096, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem, HUGE_SIZE, MADV_COLLAPSE));
	ASSERT_EQ(0, poke(self, GPA + WORD, 6));
	EXPECT_EQ(now.table_pages, stats(self).table_pages);
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_EQ(6, *(uint64_t *)(self->mem + WORD));
}

/* Who may only execute has small leaves from the start, and who may not, large ones. */
TEST_F(nx_huge, access_of_the_range)
{
	struct axvcpu_aspace_stats before;

	ASSERT_EQ(0, put_exits(self));
	ASSERT_EQ(0, poke(self, GUEST_DATA, 1));
	before = stats(self);
	ASSERT_EQ(0, protect_memory(self->g.aspace, GPA, 2 * HUGE_SIZE,
				    AXVCPU_MAP_READ | AXVCPU_MAP_EXEC));
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_LT(before.table_pages, stats(self).table_pages);
	ASSERT_EQ(0, protect_memory(self->g.aspace, GPA, 2 * HUGE_SIZE,
				    AXVCPU_MAP_READ | AXVCPU_MAP_WRITE));
	ASSERT_EQ(0, poke(self, GPA, 1));
	EXPECT_EQ(-EPROTO, execute_in(self, 0));
	EXPECT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, self->runner.run->exit_reason);
	EXPECT_LE(before.mapped_pages + HUGE_PAGES, stats(self).mapped_pages);
}

#define WAIT_FOR_MORE(count)					\
do {								\
	uint64_t old_ = (count);				\
								\
	while ((count) == old_ && !t[0].done && !t[1].done)	\
		usleep(1000);					\
	ASSERT_NE(old_, (count));				\
} while (0)

/* Two vCPUs, one of which executes there, while the host takes it apart and joins it. */
TEST_F_TIMEOUT(nx_huge, code_and_data_in_one, 120)
{
	volatile uint64_t *words = (uint64_t *)(self->mem + WORD);
	struct vcpu_thread t[2];
	struct guest_prog p;
	int loop;

	g_begin(&p, &self->g, GUEST_PROG(4));
	loop = g_here(&p);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_spin(&p);
	g_jmp(&p, loop);
	ASSERT_EQ(0, put_code(self, &p));
	for (int i = 0; i < 2; i++) {
		struct guest_vcpu *v = i ? &self->runner : &self->poker;

		*greg(v, G0) = GPA + WORD + 8 * i;
		*greg(v, G1) = 0;
		ASSERT_EQ(0, set_reg(v->fd, v->isa->reg_id(v->isa->pc),
				     i ? GPA + self->code : p.gpa + self->code - CODE));
		ASSERT_EQ(0, thread_start(&t[i], v, 0));
	}
	for (int i = 0; i < ROUNDS; i++) {
		WAIT_FOR_MORE(words[0]);
		WAIT_FOR_MORE(words[1]);
		ASSERT_EQ(0, madvise(self->mem, 4096, MADV_DONTNEED));
		WAIT_FOR_MORE(words[i % 2]);
		ASSERT_EQ(0, madvise(self->mem, HUGE_SIZE, MADV_COLLAPSE));
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, kick_vcpu(t[i].v->fd));
		EXPECT_EQ(-EINTR, thread_join(&t[i]));
	}
}

TEST_HARNESS_MAIN
