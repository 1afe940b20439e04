// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that INJECT queues, as the guest sees them: when, in which order, and
 * how often.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define MAIN_PORT	0x10
#define IRQ_PORT	0x20

/*
 * G0 counts what the main program does, G1 the handler's calls, G2 is the last
 * vector, G3 is for the test. Each call of the handler is an exit.
 */
FIXTURE(interrupts) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_prog p;
	int handler;
};

FIXTURE_SETUP(interrupts)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	self->handler = g_begin_with_irqs(&self->p, &self->g);
}

FIXTURE_TEARDOWN(interrupts)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* The main program is written; the handler follows. */
static int start(FIXTURE_DATA(interrupts) *self)
{
	return g_start_with_irqs(&self->p, &self->g, &self->v, self->handler, IRQ_PORT);
}

/* Exits of the main program, for ever. */
static void outs(struct guest_prog *p)
{
	int loop = g_here(p);

	g_addi(p, G0, 1);
	g_out(p, MAIN_PORT, G0, 1);
	g_jmp(p, loop);
}

/* Interrupts are off for the first three exits. */
static int start_masked(FIXTURE_DATA(interrupts) *self)
{
	for (int i = 0; i < 3; i++) {
		g_addi(&self->p, G0, 1);
		g_out(&self->p, MAIN_PORT, G0, 1);
	}
	g_sti(&self->p);
	outs(&self->p);
	return start(self);
}

#define EXPECT_MAIN()								\
do {										\
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));		\
	EXPECT_EQ(MAIN_PORT, self->v.run->io.port);				\
} while (0)

#define EXPECT_VECTOR(vector)							\
do {										\
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));		\
	EXPECT_EQ(IRQ_PORT, self->v.run->io.port);				\
	EXPECT_EQ((uint64_t)(vector), *greg(&self->v, G2));			\
} while (0)

TEST_F(interrupts, taken)
{
	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	for (int vector = 32; vector < 256; vector += 13) {
		ASSERT_EQ(0, inject_irq(self->v.fd, vector));
		EXPECT_VECTOR(vector);
		EXPECT_MAIN();
	}
	EXPECT_MAIN();
}

/* With interrupts off it waits until the guest turns them on. */
TEST_F(interrupts, window)
{
	ASSERT_EQ(0, start_masked(self));
	EXPECT_MAIN();
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x41));
	EXPECT_MAIN();
	EXPECT_MAIN();
	EXPECT_EQ(0, *greg(&self->v, G1));
	EXPECT_VECTOR(0x41);
	EXPECT_EQ(1, *greg(&self->v, G1));
	EXPECT_EQ(3, *greg(&self->v, G0));
	EXPECT_MAIN();
}

TEST_F(interrupts, window_opens_and_closes)
{
	int loop = g_here(&self->p);

	g_sti(&self->p);
	g_cli(&self->p);
	g_addi(&self->p, G0, 1);
	g_out(&self->p, MAIN_PORT, G0, 1);
	g_jmp(&self->p, loop);
	ASSERT_EQ(0, start(self));
	for (int i = 0; i < 20; i++) {
		EXPECT_MAIN();
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x50 + i));
		EXPECT_VECTOR(0x50 + i);
	}
	EXPECT_EQ(20, *greg(&self->v, G1));
}

/* Several that are pending come one by one, the highest vector first. */
TEST_F(interrupts, several)
{
	/* No two of the same eight: there may be no more than 32 priorities. */
	static const int vectors[] = { 0x30, 0xfe, 0x20, 0x88, 0x80, 0x38 };
	static const int order[] = { 0xfe, 0x88, 0x80, 0x38, 0x30, 0x20 };

	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	for (int i = 0; i < ARRAY_SIZE(vectors); i++) {
		ASSERT_EQ(0, inject_irq(self->v.fd, vectors[i]));
	}
	for (int i = 0; i < ARRAY_SIZE(order); i++) {
		EXPECT_VECTOR(order[i]);
	}
	EXPECT_MAIN();
	EXPECT_EQ(ARRAY_SIZE(order), *greg(&self->v, G1));
}

/* One that is pending already is not pended twice. */
TEST_F(interrupts, same_again)
{
	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x77));
	}
	EXPECT_VECTOR(0x77);
	EXPECT_MAIN();
	EXPECT_MAIN();
	EXPECT_EQ(1, *greg(&self->v, G1));
}

/* In every state but Invalid; what is pending lives until RESET. */
TEST_F(interrupts, states)
{
	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x61));
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x69));
	EXPECT_VECTOR(0x69);
	EXPECT_VECTOR(0x61);
	EXPECT_MAIN();

	ASSERT_EQ(0, inject_irq(self->v.fd, 0x63));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_VECTOR(0x63);

	ASSERT_EQ(0, inject_irq(self->v.fd, 0x64));
	ASSERT_EQ(-EBADFD, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(-EBADFD, inject_irq(self->v.fd, 0x65));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_PROG(0)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_MAIN();
	EXPECT_MAIN();
}

TEST_F(interrupts, halted_guest_wakes)
{
	int loop;

	g_sti(&self->p);
	loop = g_here(&self->p);
	g_halt(&self->p);
	g_addi(&self->p, G0, 1);
	g_jmp(&self->p, loop);
	ASSERT_EQ(0, start(self));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
		EXPECT_EQ(i, *greg(&self->v, G0));
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x20 + i));
		EXPECT_VECTOR(0x20 + i);
	}
}

/* An interrupt that the guest does not take does not end a halt, but on some machines. */
TEST_F(interrupts, halted_with_interrupts_off)
{
	struct vcpu_thread t;

	if (self->g.isa->masked_wakes) {
		g_halt(&self->p);
		outs(&self->p);
		ASSERT_EQ(0, start(self));
		ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
		ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x45));
		EXPECT_EQ(0, thread_join(&t));
		EXPECT_EQ(MAIN_PORT, self->v.run->io.port);
		EXPECT_EQ(0, *greg(&self->v, G1));
		return;
	}

	g_halt(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x44));
	ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x45));
	sleep_ns(20000000);
	EXPECT_EQ(AXVCPU_STATE_BLOCKED, get_state(self->v.fd));
	EXPECT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(0, *greg(&self->v, G1));
}

static int inject_exception(int fd, uint32_t vector, bool has_code, uint32_t code)
{
	struct axvcpu_inject args = {
		.type = AXVCPU_EVENT_EXCEPTION,
		.vector = vector,
		.error_code = code,
		.flags = has_code ? AXVCPU_INJECT_ERROR_CODE : 0,
	};

	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

/* Exceptions are taken in spite of interrupts being off. */
TEST_F(interrupts, exception)
{
	const uint32_t *exceptions = self->g.isa->exceptions;
	uint64_t gp = self->g.isa->gp_vector;

	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x90));
	ASSERT_EQ(0, inject_exception(self->v.fd, exceptions[0], true, 0x18));
	EXPECT_EQ(-EBUSY, inject_exception(self->v.fd, exceptions[0], true, 0));
	EXPECT_VECTOR(gp);
	ASSERT_EQ(0, inject_exception(self->v.fd, exceptions[1], false, 0));
	EXPECT_VECTOR(gp - exceptions[0] + exceptions[1]);
}

static int inject_nmi(int fd)
{
	return inject_event(fd, AXVCPU_EVENT_NMI, 0);
}

TEST_F(interrupts, nmi)
{
	if (self->g.isa->no_nmi) {
		EXPECT_EQ(-EINVAL, inject_nmi(self->v.fd));
		return;
	}
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	for (int i = 1; i < 5; i++) {
		ASSERT_EQ(0, inject_nmi(self->v.fd));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(IRQ_PORT, self->v.run->io.port);
		EXPECT_EQ(i, *greg(&self->v, G1));
		EXPECT_MAIN();
	}
}

TEST_F(interrupts, nmi_wakes)
{
	struct vcpu_thread t;

	if (self->g.isa->no_nmi)
		SKIP(return, "no non-maskable interrupts");
	g_halt(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, inject_nmi(self->v.fd));
	EXPECT_EQ(0, thread_join(&t));
	EXPECT_EQ(IRQ_PORT, self->v.run->io.port);
}

struct injector {
	int fd;
	atomic_bool stop;
	atomic_long sent;
	int err;
};

static void *inject_many(void *arg)
{
	struct injector *in = arg;

	while (!in->stop && !in->err) {
		for (int vector = 32; vector < 256 && !in->err; vector++) {
			in->err = inject_irq(in->fd, vector);
			in->sent++;
		}
	}
	return NULL;
}

/* A storm: the guest does nothing else, the host goes on. */
TEST_F(interrupts, storm)
{
	int rounds = guest_is_fast(&self->g) ? 20000 : 1000;
	struct injector in = { self->v.fd };
	unsigned long long began = now_ns();
	pthread_t thread;
	int seen = 0;

	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, inject_many, &in));
	for (int i = 0; (i < rounds && time_for_another(i, 1000, began)) || !seen; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		if (self->v.run->io.port != IRQ_PORT)
			continue;
		seen++;
		ASSERT_LE(32, *greg(&self->v, G2));
		ASSERT_GT(256, *greg(&self->v, G2));
	}
	in.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, in.err);
	EXPECT_LE(seen, atomic_load(&in.sent));
	EXPECT_EQ(seen, *greg(&self->v, G1));
}

/* The guest computes; another thread's interrupts reach it without an exit of its own. */
TEST_F(interrupts, while_running)
{
	int rounds = guest_is_fast(&self->g) ? 500 : 50;
	struct vcpu_thread t;
	int loop;

	g_sti(&self->p);
	loop = g_here(&self->p);
	g_addi(&self->p, G0, 1);
	g_jmp(&self->p, loop);
	ASSERT_EQ(0, start(self));
	for (int i = 0; i < rounds; i++) {
		ASSERT_EQ(0, thread_start(&t, &self->v, 0));
		if (i % 2) {
			ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
		}
		ASSERT_EQ(0, inject_irq(self->v.fd, 32 + i % 224));
		ASSERT_EQ(0, thread_join(&t));
		ASSERT_EQ(AXVCPU_EXIT_IO_WRITE, self->v.run->exit_reason);
		EXPECT_EQ(32 + i % 224, *greg(&self->v, G2));
		EXPECT_EQ(i + 1, *greg(&self->v, G1));
	}
}

/* Does the run page have this vector as queued, and nothing else? */
static bool only_queued(FIXTURE_DATA(interrupts) *self, int vector)
{
	const struct axvcpu_arm64_queue *arm64 = &self->v.run->queue.arm64;
	const struct axvcpu_x86_queue *x86 = &self->v.run->queue.x86;
	uint64_t irqs[4] = { 0 };

	if (self->g.info.backend == AXVCPU_BACKEND_VHE)
		return arm64->count == 1 && arm64->irqs[0].intid == (uint32_t)vector;
	irqs[vector / 64] = 1ULL << vector % 64;
	return !memcmp(irqs, x86->irqs, sizeof(irqs)) && !x86->exception && !x86->nmi;
}

static bool nothing_queued(FIXTURE_DATA(interrupts) *self)
{
	static const struct axvcpu_x86_queue none;

	if (self->g.info.backend == AXVCPU_BACKEND_VHE)
		return !self->v.run->queue.arm64.count;
	return !memcmp(&none, &self->v.run->queue.x86, sizeof(none));
}

/* The run page lists the events that the guest has yet to take. */
TEST_F(interrupts, queue_in_the_run_page)
{
	ASSERT_EQ(0, start_masked(self));
	EXPECT_MAIN();
	EXPECT_TRUE(nothing_queued(self));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x45));
	EXPECT_MAIN();
	EXPECT_TRUE(only_queued(self, 0x45));
	EXPECT_MAIN();
	EXPECT_TRUE(only_queued(self, 0x45));
	EXPECT_VECTOR(0x45);
	/* On arm64 it is there until the handler has ended it. */
	EXPECT_MAIN();
	EXPECT_TRUE(nothing_queued(self));
	EXPECT_MAIN();
	EXPECT_TRUE(nothing_queued(self));
}

/* Taken back before the guest lets interrupts in, at once and after an entry. */
TEST_F(interrupts, withdrawn)
{
	ASSERT_EQ(0, start_masked(self));
	EXPECT_MAIN();
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x43));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x43));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x44));
	EXPECT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x43));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x43));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x47));
	EXPECT_MAIN();
	EXPECT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x47));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x51));
	EXPECT_MAIN();
	EXPECT_TRUE(only_queued(self, 0x51));
	EXPECT_VECTOR(0x51);
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x51));
	EXPECT_MAIN();
	EXPECT_EQ(1, *greg(&self->v, G1));
	EXPECT_EQ(-EINVAL, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT,
					  self->g.isa->max_vector + 1));
	EXPECT_EQ(-EINVAL, withdraw_event(self->v.fd, AXVCPU_EVENT_NMI + 1, 0));
}

/* RUN that leaves without an entry shows it, too. */
TEST_F(interrupts, queue_without_an_entry)
{
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x46));
	self->v.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	self->v.run->immediate_exit = 0;
	EXPECT_TRUE(only_queued(self, 0x46));
	EXPECT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x46));
	self->v.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	self->v.run->immediate_exit = 0;
	EXPECT_TRUE(nothing_queued(self));
}

/* What would end a halt comes and goes: RUN does not return for it. */
TEST_F(interrupts, withdrawn_from_a_halted_guest)
{
	struct guest_prog *p = &self->p;
	struct vcpu_thread thread;
	int loop, err;

	g_sti(p);
	loop = g_here(p);
	g_halt(p);
	g_jmp(p, loop);
	g_place(p, self->handler);
	g_get_vector(p, G2);
	g_iret(p);
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, g_end(p)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, thread_start(&thread, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x67));
		err = withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x67);
		ASSERT_TRUE(!err || err == -ENOENT) {
			TH_LOG("WITHDRAW: %d", err);
		}
	}
	EXPECT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	EXPECT_EQ(-EINTR, thread_stop(&thread));
}

TEST_F(interrupts, exception_withdrawn)
{
	uint32_t vector = self->g.isa->exceptions[0];

	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN();
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, vector));
	ASSERT_EQ(0, inject_exception(self->v.fd, vector, true, 0));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, vector ^ 1));
	EXPECT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, vector));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, vector));
	EXPECT_MAIN();
	EXPECT_EQ(0, *greg(&self->v, G1));
}

/* From another thread, while the guest runs: it has each interrupt, or we have it back. */
TEST_F(interrupts, withdrawn_from_a_running_guest)
{
	volatile uint64_t *seen = (uint64_t *)(self->g.mem + GUEST_DATA);
	struct guest_prog *p = &self->p;
	struct vcpu_thread thread;
	uint64_t back = 0;
	int loop, err, spurious = g_label(p);

	/* Counted in memory, so that the handler does not exit. */
	g_movi(p, G3, GUEST_DATA);
	loop = g_here(p);
	g_cli(p);
	g_addi(p, G0, 1);
	g_spin(p);
	g_sti(p);
	g_spin(p);
	g_jmp(p, loop);
	g_place(p, self->handler);
	g_get_vector(p, G2);
	/* On arm64, one that is withdrawn before it is acknowledged leaves INTID 1023. */
	g_addi(p, G2, -0x66);
	g_jnz(p, G2, spurious);
	g_addi(p, G1, 1);
	g_store(p, G1, G3, 8);
	g_place(p, spurious);
	g_iret(p);
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, g_end(p)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x66));
		err = withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 0x66);
		ASSERT_TRUE(!err || err == -ENOENT) {
			TH_LOG("WITHDRAW: %d", err);
		}
		back += !err;
		/* The guest's: one that is pending already would not be pended twice. */
		while (err && *seen + back < (uint64_t)i + 1)
			sched_yield();
	}
	EXPECT_EQ(-EINTR, thread_stop(&thread));
	EXPECT_EQ(200, *seen + back);
}

static void *inject_and_withdraw(void *arg)
{
	struct injector *in = arg;

	while (!in->stop && !in->err) {
		in->err = inject_irq(in->fd, 0x68);
		if (!in->err)
			in->err = withdraw_event(in->fd, AXVCPU_EVENT_INTERRUPT, 0x68);
		in->sent++;
	}
	return NULL;
}

/* On arm64, what is queued is in the list. One that comes meanwhile has room, too. */
TEST_F(interrupts, listed_while_it_comes)
{
	struct injector in = { self->v.fd };
	uint64_t ids[GUEST_MAX_STATE];
	pthread_t thread;

	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, inject_and_withdraw, &in));
	for (int i = 0; i < 2000 || in.sent < 100; i++) {
		ASSERT_LT(0, list_regs(self->v.fd, ids, GUEST_MAX_STATE));
		/* The other thread's calls wait for the same lock. */
		sched_yield();
	}
	in.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, in.err);
}

TEST_HARNESS_MAIN
