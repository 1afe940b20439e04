// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory barriers of kicks, one at a time: what must be visible before each
 * is, and what another CPU does at that very moment is seen behind it.
 */
#include <linux/irqflags.h>
#include <linux/smp.h>

#include "fixture.h"

#include "barrier.h"

/** axvcpu_kunit_at_barrier - what happens at the next barrier; NULL: nothing */
void (*axvcpu_kunit_at_barrier)(void);

/**
 * axvcpu_kunit_barrier() - smp_mb() in axvcpu_run.c
 *
 * Context: any.
 */
void axvcpu_kunit_barrier(void)
{
	void (*fn)(void);

	virt_mb(); /* as smp_mb(), which is this function here */
	fn = xchg(&axvcpu_kunit_at_barrier, NULL);
	if (fn)
		fn();
	virt_mb(); /* what @fn does is before what follows */
}

static struct {
	struct axvcpu *vcpu;
	unsigned int barriers;
	int guest_cpu;
	unsigned long requests;
	bool irqs_off;
	int kicked_cpu;
} at;

static void note(void)
{
	at.barriers++;
	at.guest_cpu = READ_ONCE(at.vcpu->guest_cpu);
	at.requests = READ_ONCE(at.vcpu->requests);
	at.irqs_off = irqs_disabled();
}

static void prepare(struct kunit *test, void (*fn)(void))
{
	memset(&at, 0, sizeof(at));
	at.kicked_cpu = -1;
	at.vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	WRITE_ONCE(axvcpu_kunit_at_barrier, fn);
}

static void kick_here(void)
{
	note();
	set_bit(AXVCPU_REQ_KICK, &at.vcpu->requests);
}

/*
 * Entry: the kicker finds no guest if guest_cpu is not set before the barrier,
 * and the guest is entered if the look at the requests is not behind it.
 */
static void kick_at_the_barrier_of_the_entry(struct kunit *test)
{
	prepare(test, kick_here);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(at.vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, at.barriers, 1);
	KUNIT_EXPECT_TRUE(test, at.irqs_off);
	KUNIT_EXPECT_GE(test, at.guest_cpu, 0);
	KUNIT_EXPECT_EQ(test, at.vcpu->stats.entries, 0);
	KUNIT_EXPECT_EQ(test, at.vcpu->guest_cpu, -1);
}

static int note_kick(struct axvcpu *vcpu, u64 cpu)
{
	at.kicked_cpu = cpu;
	return 0;
}

static int another_cpu(void)
{
	return cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
}

static void enter_here(void)
{
	note();
	WRITE_ONCE(at.vcpu->guest_cpu, another_cpu());
}

/*
 * Kick: a guest that is entered at the barrier has either seen the request,
 * which is there, or is interrupted.
 */
static void entry_at_the_barrier_of_the_kick(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	prepare(test, enter_here);
	WRITE_ONCE(axvcpu_mock_hooks[AXVCPU_MOCK_KICK_CPU], note_kick);
	migrate_disable();
	axvcpu_kick(at.vcpu);
	KUNIT_EXPECT_EQ(test, at.kicked_cpu, another_cpu());
	migrate_enable();
	WRITE_ONCE(at.vcpu->guest_cpu, -1);
	KUNIT_EXPECT_EQ(test, at.barriers, 1);
	KUNIT_EXPECT_EQ(test, at.requests, BIT(AXVCPU_REQ_KICK));
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(at.vcpu, 0), -EINTR);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(kick_at_the_barrier_of_the_entry),
	KUNIT_CASE(entry_at_the_barrier_of_the_kick),
	{}
};

static void barrier_exit(struct kunit *test)
{
	WRITE_ONCE(axvcpu_kunit_at_barrier, NULL);
	axvcpu_kunit_exit(test);
}

static struct kunit_suite suite = {
	.name = "axvcpu_barrier",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = barrier_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
