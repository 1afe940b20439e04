// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages that a guest may execute, for CPUs with the iTLB multihit bug: large
 * leaves for its data, small ones where it does execute.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "memory_access.h"

#define PORT		0x80
#define HUGE_PAGES	(HUGE_SIZE / 4096)
#define GPA		(2 * GUEST_HOLE)
#define CODE		0x81000		/* in a huge page; the same in each */
#define WORD		0x180000
#define ROUNDS		10

FIXTURE(nx_huge) {
	struct memory_guest m;
	struct guest_vcpu runner;
	uint64_t code;			/* offset of what it is to execute */
	uint8_t *mem;			/* two huge pages */
};

static int reload(const char *args)
{
	return module_unload("axvcpu") ?: module_load("axvcpu", args);
}

FIXTURE_SETUP(nx_huge)
{
	self->runner.fd = -1;
	ASSERT_EQ(0, reload("nx_huge_pages=1"));
	ASSERT_EQ(0, memory_guest_create(&self->m));
	self->mem = huge_memory();
	if (!self->mem)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_memory(self->m.g.aspace, GPA, 2 * HUGE_SIZE, self->mem, AXVCPU_MAP_ALL));
}

FIXTURE_TEARDOWN(nx_huge)
{
	vcpu_destroy(&self->runner);
	memory_guest_destroy(&self->m);
	EXPECT_EQ(0, reload(""));
}

/* A program goes to both huge pages, and a vCPU to run it. It has no address in it. */
static int put_code(FIXTURE_DATA(nx_huge) *self, struct guest_prog *p)
{
	uint64_t entry = g_end(p);

	for (int i = 0; i < 2; i++)
		memcpy(self->mem + i * HUGE_SIZE + CODE, self->m.g.mem + p->gpa, GUEST_PROG_SIZE);
	self->code = CODE + entry - p->gpa;
	return vcpu_start(&self->m.g, &self->runner, 1, entry);
}

/* An exit each time it is run */
static int put_exits(FIXTURE_DATA(nx_huge) *self)
{
	struct guest_prog p;
	int start;

	g_begin(&p, &self->m.g, GUEST_PROG(2));
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
	ASSERT_EQ(0, poke(&self->m, GUEST_DATA, 1));
	before = aspace_stats(&self->m);

	/* Data: a leaf for each. */
	ASSERT_EQ(0, poke(&self->m, GPA, 1));
	ASSERT_EQ(0, poke(&self->m, GPA + HUGE_SIZE, 2));
	now = aspace_stats(&self->m);
	EXPECT_EQ(before.mapped_pages + 2 * HUGE_PAGES, now.mapped_pages);
	EXPECT_EQ(before.faults + 2, now.faults);

	/* The one that is executed has a table from then on, for its data too. */
	ASSERT_EQ(0, execute_in(self, 1));
	EXPECT_EQ(now.table_pages + 1, aspace_stats(&self->m).table_pages);
	EXPECT_LE(before.mapped_pages + HUGE_PAGES, aspace_stats(&self->m).mapped_pages);
	ASSERT_EQ(0, poke(&self->m, GPA + 2 * HUGE_SIZE - 8, 3));
	ASSERT_EQ(0, execute_in(self, 1));
	EXPECT_EQ(now.table_pages + 1, aspace_stats(&self->m).table_pages);
	EXPECT_EQ(2, *(uint64_t *)(self->mem + HUGE_SIZE));
	EXPECT_EQ(3, *(uint64_t *)(self->mem + 2 * HUGE_SIZE - 8));

	/* The other one has not lost its leaf. */
	now = aspace_stats(&self->m);
	ASSERT_EQ(0, poke(&self->m, GPA + WORD, 4));
	EXPECT_EQ(now.faults, aspace_stats(&self->m).faults);
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_EQ(now.table_pages + 1, aspace_stats(&self->m).table_pages);
	ASSERT_EQ(0, poke(&self->m, GPA + WORD, 5));
	EXPECT_EQ(5, *(uint64_t *)(self->mem + WORD));

	/* The host makes a new one of it: that is data again. */
	ASSERT_EQ(0, madvise(self->mem, 4096, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem, HUGE_SIZE, MADV_COLLAPSE));
	ASSERT_EQ(0, poke(&self->m, GPA + WORD, 6));
	EXPECT_EQ(now.table_pages, aspace_stats(&self->m).table_pages);
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_EQ(6, *(uint64_t *)(self->mem + WORD));
}

/* Who may only execute has small leaves from the start, and who may not, large ones. */
TEST_F(nx_huge, access_of_the_range)
{
	struct axvcpu_aspace_stats before;

	ASSERT_EQ(0, put_exits(self));
	ASSERT_EQ(0, poke(&self->m, GUEST_DATA, 1));
	before = aspace_stats(&self->m);
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GPA, 2 * HUGE_SIZE,
				    AXVCPU_MAP_READ | AXVCPU_MAP_EXEC));
	ASSERT_EQ(0, execute_in(self, 0));
	EXPECT_LT(before.table_pages, aspace_stats(&self->m).table_pages);
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GPA, 2 * HUGE_SIZE,
				    AXVCPU_MAP_READ | AXVCPU_MAP_WRITE));
	ASSERT_EQ(0, poke(&self->m, GPA, 1));
	EXPECT_EQ(-EPROTO, execute_in(self, 0));
	EXPECT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, self->runner.run->exit_reason);
	EXPECT_LE(before.mapped_pages + HUGE_PAGES, aspace_stats(&self->m).mapped_pages);
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
TEST_F(nx_huge, code_and_data_in_one)
{
	volatile uint64_t *words = (uint64_t *)(self->mem + WORD);
	struct vcpu_thread t[2];
	struct guest_prog p;
	int loop;

	g_begin(&p, &self->m.g, GUEST_PROG(2));
	loop = g_here(&p);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_spin(&p);
	g_jmp(&p, loop);
	ASSERT_EQ(0, put_code(self, &p));
	for (int i = 0; i < 2; i++) {
		struct guest_vcpu *v = i ? &self->runner : &self->m.poker;

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
