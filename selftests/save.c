// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole state of a vCPU by register ids: a guest that is stopped anywhere
 * goes on in another vCPU, or in another process, and does not notice.
 */
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define STEP_PORT	0x10
#define IRQ_PORT	0x20
#define FACTOR		0x1357
#define NR_MOVES	20
#define GO_ON		(GUEST_DATA + 8)

FIXTURE(save) {
	struct guest g;
	struct guest_vcpu v, w;
	struct guest_vcpu *from, *to;
	struct guest_prog p;
	uint64_t entry;
	struct axvcpu_reg regs[GUEST_MAX_STATE];
	int count;
};

FIXTURE_SETUP(save)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->w, 1));
	self->from = &self->v;
	self->to = &self->w;
	g_begin(&self->p, &self->g, GUEST_PROG(0));
}

FIXTURE_TEARDOWN(save)
{
	vcpu_destroy(&self->w);
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static int setup(FIXTURE_DATA(save) *self, struct guest_vcpu *v)
{
	int err = vcpu_setup(&self->g, v, self->entry);

	return err ? err : bind_vcpu(v->fd, -1);
}

/* The one that stopped is forgotten; the other one takes over. */
static int move(FIXTURE_DATA(save) *self)
{
	struct guest_vcpu *old = self->from;
	int err;

	self->count = get_state_of(old, self->regs);
	if (self->count < 0)
		return self->count;
	err = unbind_vcpu(old->fd);
	if (!err)
		err = reset_vcpu(old->fd);
	if (!err)
		err = setup(self, self->to);
	if (!err)
		err = set_state_of(self->to, self->regs, self->count);
	self->from = self->to;
	self->to = old;
	return err;
}

/* G1 = rounds * FACTOR, by way of memory; each round is told. */
static void write_sum(FIXTURE_DATA(save) *self, uint64_t rounds)
{
	struct guest_prog *p = &self->p;
	int loop;

	g_movi(p, G0, rounds);
	g_movi(p, G1, 0);
	g_movi(p, G3, GUEST_DATA);
	loop = g_here(p);
	g_addi(p, G1, FACTOR);
	g_store(p, G1, G3, 8);
	g_movi(p, G1, 0);
	g_out(p, STEP_PORT, G0, 1);
	g_load(p, G1, G3, 8);
	g_addi(p, G0, -1);
	g_spin(p);
	g_jnz(p, G0, loop);
	loop = g_here(p);
	g_out(p, GUEST_DONE, G1, 4);
	g_jmp(p, loop);
	self->entry = g_end(p);
}

TEST_F(save, goes_on_elsewhere)
{
	const int rounds = 40;
	struct guest_vcpu *v;

	write_sum(self, rounds);
	ASSERT_EQ(0, setup(self, self->from));
	for (int i = 0; i < rounds; i++) {
		v = self->from;
		ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(STEP_PORT, v->run->io.port);
		ASSERT_EQ(0, move(self));
	}
	ASSERT_EQ(0, run_until_done(self->from));
	EXPECT_EQ(rounds * FACTOR, *greg(self->from, G1));
}

/* G2 = rounds, G1 = rounds * FACTOR, by way of memory; for as long as the host wants. */
static void write_endless_sum(FIXTURE_DATA(save) *self)
{
	struct guest_prog *p = &self->p;
	int loop;

	g_movi(p, G1, 0);
	g_movi(p, G2, 0);
	g_movi(p, G3, GUEST_DATA);
	g_movi(p, G4, GO_ON);
	loop = g_here(p);
	g_addi(p, G1, FACTOR);
	g_store(p, G1, G3, 8);
	g_movi(p, G1, 0);
	g_load(p, G1, G3, 8);
	g_addi(p, G2, 1);
	g_spin(p);
	g_load(p, G0, G4, 8);
	g_jnz(p, G0, loop);
	loop = g_here(p);
	g_out(p, GUEST_DONE, G1, 4);
	g_jmp(p, loop);
	self->entry = g_end(p);
}

/* Stopped by kicks, wherever it is then */
TEST_F(save, goes_on_from_anywhere)
{
	volatile uint64_t *sum = (uint64_t *)(self->g.mem + GUEST_DATA);
	volatile uint64_t *go_on = (uint64_t *)(self->g.mem + GO_ON);
	struct vcpu_thread thread;

	write_endless_sum(self);
	*go_on = 1;
	ASSERT_EQ(0, setup(self, self->from));
	for (int i = 0; i < NR_MOVES; i++) {
		uint64_t enough = *sum + (1 + i * 37 % 100) * FACTOR;

		ASSERT_EQ(0, thread_start(&thread, self->from, 0));
		while (*sum < enough && !thread.done)
			sched_yield();
		ASSERT_EQ(-EINTR, thread_stop(&thread));
		ASSERT_EQ(0, move(self));
	}
	*go_on = 0;
	ASSERT_EQ(0, run_until_done(self->from));
	EXPECT_LT(NR_MOVES, *greg(self->from, G2));
	EXPECT_EQ(*greg(self->from, G2) * FACTOR, *greg(self->from, G1));
	EXPECT_EQ(*sum, *greg(self->from, G1));
}

/* The child has a copy of the memory, and makes everything else anew. */
static int go_on_in_child(FIXTURE_DATA(save) *self, uint64_t expected)
{
	struct guest *g = &self->g;
	struct guest_vcpu v;
	int err;

	g->aspace = create_aspace(g->dev);
	err = map_memory(g->aspace, 0, g->size, g->mem, AXVCPU_MAP_ALL);
	if (!err)
		err = vcpu_create(g, &v, 2);
	if (!err)
		err = setup(self, &v);
	if (!err)
		err = set_state_of(&v, self->regs, self->count);
	while (!err && run_until_done(&v))
		err = v.run->io.port == STEP_PORT ? 0 : -EPROTO;
	return err || *greg(&v, G1) != expected;
}

TEST_F(save, goes_on_in_another_process)
{
	const int rounds = 10;
	pid_t child;
	int status;

	write_sum(self, rounds);
	ASSERT_EQ(0, setup(self, self->from));
	for (int i = 0; i < rounds; i++) {
		ASSERT_EQ(0, run_until(self->from, AXVCPU_EXIT_IO_WRITE));
		self->count = get_state_of(self->from, self->regs);
		ASSERT_LT(0, self->count);
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			_exit(go_on_in_child(self, rounds * FACTOR));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* The main program waits with interrupts off, then on; the handler tells each vector. */
static void write_irqs(FIXTURE_DATA(save) *self, bool halt)
{
	struct guest_prog *p = &self->p;
	int handler = g_label(p), loop;

	g_irq_handler(p, handler);
	g_out(p, STEP_PORT, G0, 1);
	g_out(p, STEP_PORT, G0, 1);
	g_sti(p);
	loop = g_here(p);
	if (halt)
		g_halt(p);
	g_out(p, STEP_PORT, G0, 1);
	g_jmp(p, loop);
	g_place(p, handler);
	g_get_vector(p, G2);
	g_out(p, IRQ_PORT, G2, 1);
	g_iret(p);
	self->entry = g_end(p);
}

#define EXPECT_PORT(number)							\
do {										\
	ASSERT_EQ(0, run_until(self->from, AXVCPU_EXIT_IO_WRITE));		\
	EXPECT_EQ(number, self->from->run->io.port);				\
} while (0)

/* Those that wait go along, in their order, and those that are being handled. */
TEST_F(save, pending_interrupts)
{
	static const uint32_t order[] = { 0xe1, 0x85, 0x45 };

	write_irqs(self, false);
	ASSERT_EQ(0, setup(self, self->from));
	EXPECT_PORT(STEP_PORT);
	ASSERT_EQ(0, inject_irq(self->from->fd, 0x45));
	ASSERT_EQ(0, inject_irq(self->from->fd, 0xe1));
	ASSERT_EQ(0, move(self));
	EXPECT_PORT(STEP_PORT);
	ASSERT_EQ(0, inject_irq(self->from->fd, 0x85));
	ASSERT_EQ(0, move(self));
	for (int i = 0; i < ARRAY_SIZE(order); i++) {
		EXPECT_PORT(IRQ_PORT);
		EXPECT_EQ(order[i], *greg(self->from, G2));
		ASSERT_EQ(0, move(self));
	}
	for (int i = 0; i < 5; i++) {
		EXPECT_PORT(STEP_PORT);
		ASSERT_EQ(0, move(self));
	}
}

TEST_F(save, halted)
{
	write_irqs(self, true);
	ASSERT_EQ(0, setup(self, self->from));
	EXPECT_PORT(STEP_PORT);
	EXPECT_PORT(STEP_PORT);
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, run_until(self->from, AXVCPU_EXIT_HALT));
		ASSERT_EQ(0, move(self));
		ASSERT_EQ(0, inject_irq(self->from->fd, 0x50));
		EXPECT_PORT(IRQ_PORT);
		EXPECT_EQ(0x50, *greg(self->from, G2));
		EXPECT_PORT(STEP_PORT);
	}
}

TEST_HARNESS_MAIN
