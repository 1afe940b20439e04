// SPDX-License-Identifier: GPL-2.0-only
/* A running vCPU, and others at work on it: threads that inject, a vCPU that rewrites its code. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define NR_INJECTORS	5
#define NR_VECTORS	3
#define ROUNDS		200
#define FLOOD		0xf0
#define WRITER		(CODE_GPA + 0x400)
#define PORT		0xa2
#define IO_READ		(CODE_EXIT + AXVCPU_EXIT_IO_READ)
#define IO_WRITE	(CODE_EXIT + AXVCPU_EXIT_IO_WRITE)

/* Interrupts are on for two instructions, and there is an exit each time. */
CODE(take, "sti; nop; nop; cli; xor %eax, %eax; cpuid");
CODE(count, "incq 0x81000(,%r15,8)");		/* CODE_DATA */

/*
 * At "runner" + 6, an instruction of two bytes that becomes another one again and again.
 * Only its first byte changes: what a CPU makes of more is its own affair (SDM vol. 3, 9.1.3).
 */
CODE(runner, "mov $4000, %ebp; nop; 1: cpuid; dec %ebp; jnz 1b");
#define WRITE(code)	"movb $" #code ", 0x80006\n mov $300, %ecx\n 2: dec %ecx\n jnz 2b\n"
CODE(writer, "1: cli\n"
	WRITE(0x0f)		/* cpuid */
	WRITE(0xe6)		/* out %al, $PORT */
	WRITE(0xe4)		/* in $PORT, %al */
	"jmp 1b");

FIXTURE(x86_smp) {
	struct guest g;
	struct guest_vcpu v;
	struct vcpu_thread t;
	volatile uint64_t *counters;
};

FIXTURE_SETUP(x86_smp)
{
	struct guest_prog p;
	int handler, loop;

	self->v.fd = -1;
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
	self->counters = (volatile uint64_t *)(self->g.mem + CODE_DATA);
	g_begin(&p, &self->g, GUEST_PROG(0));
	handler = g_label(&p);
	g_irq_handler(&p, handler);
	loop = g_here(&p);
	g_emit(&p, take, take_end - take);
	g_jmp(&p, loop);
	g_place(&p, handler);
	g_emit(&p, count, count_end - count);
	g_iret(&p);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, g_end(&p)));
}

FIXTURE_TEARDOWN(x86_smp)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* The thread has a CPU for itself: who shares one with a guest waits for its time to be over. */
static int start_elsewhere(struct vcpu_thread *t, struct guest_vcpu *v)
{
	int err = pin_to_cpu(1);

	return err ?: thread_start(t, v, 0) ?: pin_to_cpu(0);
}

/* One that injects, and waits until the guest has taken it */
struct injector {
	pthread_t thread;
	int fd;
	volatile uint64_t *counters;
	uint32_t type;
	uint32_t vectors[NR_VECTORS];	/* as the guest sees them; nobody else's */
	int err;
};

static int inject(int fd, uint32_t type, uint32_t vector)
{
	return inject_event(fd, type, type == AXVCPU_EVENT_NMI ? 0 : vector);
}

static int wait_for_count(volatile uint64_t *counter, uint64_t count)
{
	unsigned long long began = now_ns();

	while (*counter < count) {
		if (now_ns() - began > PATIENCE_NS)
			return -ETIMEDOUT;
		sched_yield();
	}
	return *counter == count ? 0 : -EPROTO;
}

static void *injector(void *arg)
{
	struct injector *inj = arg;

	for (int i = 0; i < ROUNDS && !inj->err; i++) {
		uint32_t vector = inj->vectors[i % NR_VECTORS];
		uint64_t count = inj->counters[vector];

		inj->err = inject(inj->fd, inj->type, vector);
		if (!inj->err)
			inj->err = wait_for_count(&inj->counters[vector], count + 1);
	}
	return NULL;
}

/* What INJECT has taken arrives: the guest counts each, no more and no less. */
TEST_F(x86_smp, events_from_many_threads)
{
	struct injector inj[NR_INJECTORS];
	uint64_t total = 0, queued;
	struct axvcpu_stats stats;
	int floods = 0;

	ASSERT_EQ(0, start_elsewhere(&self->t, &self->v));
	for (int i = 0; i < NR_INJECTORS; i++) {
		bool nmi = i == NR_INJECTORS - 1;

		inj[i] = (struct injector){ .fd = self->v.fd, .counters = self->counters };
		inj[i].type = nmi ? AXVCPU_EVENT_NMI : AXVCPU_EVENT_INTERRUPT;
		for (int n = 0; n < NR_VECTORS; n++)
			inj[i].vectors[n] = nmi ? 2 : 0x40 + 0x20 * n + i;
		ASSERT_EQ(0, pthread_create(&inj[i].thread, NULL, injector, &inj[i]));
	}
	/* One that does not wait; what is pending already is not pending twice. */
	for (; floods < 2000; floods++)
		ASSERT_EQ(0, inject_irq(self->v.fd, FLOOD));
	for (int i = 0; i < NR_INJECTORS; i++) {
		pthread_join(inj[i].thread, NULL);
		EXPECT_EQ(0, inj[i].err) TH_LOG("thread %d", i);
	}
	EXPECT_EQ(-EINTR, thread_stop(&self->t));
	for (int n = 0; n < 4; n++) {
		ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_X86_REG_QUEUED_IRQS(n), &queued));
		EXPECT_EQ(0, queued);
	}
	EXPECT_LE(1, self->counters[FLOOD]);
	EXPECT_GE(floods, self->counters[FLOOD]);
	for (int vector = 0; vector < 256; vector++)
		total += vector == FLOOD ? 0 : self->counters[vector];
	EXPECT_EQ(NR_INJECTORS * ROUNDS, total);
	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_EQ(NR_INJECTORS * ROUNDS + floods, stats.injections);
}

/*
 * E20: an instruction that exits is another one by the time that it is carried out.
 * The hardware has told all about it: nobody reads it again.
 */
TEST(another_vcpu_rewrites_the_instruction)
{
	int ret, reads = 0, writes = 0;
	struct axvcpu_stats stats;
	struct guest_vcpu w;
	struct vcpu_thread t;
	struct x86_code c;

	ret = code_start(&c, 0);
	if (ret == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, ret);
	memcpy(c.g.mem + WRITER, writer, writer_end - writer);
	code_place(&c, runner, runner_end - runner);
	ASSERT_EQ(0, vcpu_start(&c.g, &w, 1, WRITER));
	ASSERT_EQ(0, start_elsewhere(&t, &w));
	while ((ret = code_go_on(&c)) != CODE_DONE) {
		ASSERT_TRUE(ret == IO_READ || ret == IO_WRITE)
			TH_LOG("%x at %llx", ret, (unsigned long long)c.rip);
		ASSERT_EQ(PORT, c.v.run->io.port);
		ASSERT_EQ(1, c.v.run->io.width);
		ASSERT_EQ(CODE_GPA + (ret == IO_WRITE ? 8 : 6), c.v.run->regs.x86.rip);
		reads += ret == IO_READ;
		writes += ret == IO_WRITE;
	}
	EXPECT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(0, c.v.run->regs.x86.gpr[AXVCPU_X86_RBP]);
	ASSERT_EQ(0, get_stats(c.v.fd, &stats));
	EXPECT_LT(10, reads);
	EXPECT_LT(10, writes);
	EXPECT_LT(10, stats.kernel_exits) TH_LOG("CPUID");
	EXPECT_GT(4000, reads + writes) TH_LOG("some were CPUID");
	vcpu_destroy(&w);
	code_destroy(&c);
}

TEST_HARNESS_MAIN
