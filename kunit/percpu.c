// SPDX-License-Identifier: GPL-2.0-only
/* Virtualization on with the first vCPU, off with the last, and CPUs that come and go. */
#include <linux/cpu.h>
#include <linux/err.h>

#include "fixture.h"

static struct {
	cpumask_t on;			/* enabled and not disabled */
	atomic_t enables, disables;
	atomic_t twice;			/* enabled or disabled a second time */
	int fail_cpu;			/* CPU that refuses, -1: none */
	int error;
} hw;

static int enable(struct axvcpu *vcpu, u64 arg)
{
	int cpu = smp_processor_id();

	if (cpu == READ_ONCE(hw.fail_cpu))
		return hw.error;
	atomic_inc(&hw.enables);
	if (cpumask_test_and_set_cpu(cpu, &hw.on))
		atomic_inc(&hw.twice);
	return 0;
}

static int disable(struct axvcpu *vcpu, u64 arg)
{
	atomic_inc(&hw.disables);
	if (!cpumask_test_and_clear_cpu(smp_processor_id(), &hw.on))
		atomic_inc(&hw.twice);
	return 0;
}

static void expect_on(struct kunit *test, const struct cpumask *cpus)
{
	int cpu;

	KUNIT_EXPECT_TRUE(test, cpumask_equal(&hw.on, cpus));
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ_MSG(test, per_cpu(axvcpu_hw_on, cpu), cpumask_test_cpu(cpu, cpus),
				    "CPU %d", cpu);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.twice), 0);
}

static int hw_init(struct kunit *test)
{
	int cpu;

	memset(&hw, 0, sizeof(hw));
	hw.fail_cpu = -1;
	for_each_possible_cpu(cpu)
		if (per_cpu(axvcpu_hw_on, cpu))
			return -EBUSY;
	WRITE_ONCE(axvcpu_mock_hooks[AXVCPU_MOCK_CPU_ENABLE], enable);
	WRITE_ONCE(axvcpu_mock_hooks[AXVCPU_MOCK_CPU_DISABLE], disable);
	return axvcpu_kunit_init(test);
}

static void first_on_last_off(struct kunit *test)
{
	int online = num_online_cpus();

	expect_on(test, cpu_none_mask);
	KUNIT_ASSERT_EQ(test, axvcpu_hw_get(), 0);
	expect_on(test, cpu_online_mask);
	KUNIT_ASSERT_EQ(test, axvcpu_hw_get(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), online);
	axvcpu_hw_put();
	expect_on(test, cpu_online_mask);
	axvcpu_hw_put();
	expect_on(test, cpu_none_mask);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.disables), online);

	/* A vCPU holds it for its life. */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, axvcpu_kunit_create(test, 0, 0, 0));
	expect_on(test, cpu_online_mask);
}

/* G04: one CPU of several refuses: the others are off again, and the next try is a fresh one. */
static void all_cpus_or_none(struct kunit *test)
{
	int cpu;

	for_each_online_cpu(cpu) {
		hw.error = -EBUSY;
		WRITE_ONCE(hw.fail_cpu, cpu);
		KUNIT_EXPECT_EQ(test, axvcpu_hw_get(), -EBUSY);
		expect_on(test, cpu_none_mask);
		KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), atomic_read(&hw.disables));

		/* The reason is the creator's to hear. */
		hw.error = -EOPNOTSUPP;
		KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, 0, 0, 0)), -EOPNOTSUPP);
		expect_on(test, cpu_none_mask);

		WRITE_ONCE(hw.fail_cpu, -1);
		KUNIT_EXPECT_EQ(test, axvcpu_hw_get(), 0);
		expect_on(test, cpu_online_mask);
		axvcpu_hw_put();
		expect_on(test, cpu_none_mask);
	}
}

/* G03: a vCPU that the backend refuses holds nothing. */
static void failed_creation_lets_go(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, AXVCPU_CALL_NEW, ENOMEM, 0)),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), num_online_cpus());
	expect_on(test, cpu_none_mask);
}

static int churn(void *arg)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		if (axvcpu_hw_get())
			return -EIO;
		/* As long as somebody holds it, it is on everywhere. */
		if (!cpumask_equal(&hw.on, cpu_online_mask))
			return -EBADFD;
		axvcpu_hw_put();
	}
	return 0;
}

static void many_users_at_once(struct kunit *test)
{
	struct axvcpu_kunit_thread threads[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&threads[i], -1, churn, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&threads[i]), 0);
	expect_on(test, cpu_none_mask);
}

#ifdef CONFIG_HOTPLUG_CPU
static int a_cpu_to_unplug(struct kunit *test)
{
	int cpu = cpumask_last(cpu_online_mask);

	if (num_online_cpus() < 2 || !get_cpu_device(cpu))
		kunit_skip(test, "needs a CPU that can go offline");
	return cpu;
}

/* F05: a CPU goes and comes back while there is a vCPU, and while there is none. */
static void cpu_goes_and_comes(struct kunit *test)
{
	int cpu = a_cpu_to_unplug(test);
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);

	KUNIT_ASSERT_EQ(test, axvcpu_kunit_bind(vcpu, cpu), 0);
	KUNIT_ASSERT_EQ(test, remove_cpu(cpu), 0);
	expect_on(test, cpu_online_mask);
	/* Bound to a CPU that is gone: it waits for better times. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EXDEV);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_ASSERT_EQ(test, add_cpu(cpu), 0);
	expect_on(test, cpu_online_mask);
	KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(cpu, &hw.on));
}

static void cpu_without_vcpus(struct kunit *test)
{
	int cpu = a_cpu_to_unplug(test);

	KUNIT_ASSERT_EQ(test, remove_cpu(cpu), 0);
	KUNIT_ASSERT_EQ(test, add_cpu(cpu), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.disables), 0);
	expect_on(test, cpu_none_mask);
}

/* G04: a CPU that can't virtualize does not come up while there are vCPUs. */
static void cpu_that_refuses(struct kunit *test)
{
	int cpu = a_cpu_to_unplug(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, axvcpu_kunit_create(test, 0, 0, 0));
	KUNIT_ASSERT_EQ(test, remove_cpu(cpu), 0);
	/* Not EBUSY, for which the kernel tries again. */
	hw.error = -EOPNOTSUPP;
	WRITE_ONCE(hw.fail_cpu, cpu);
	KUNIT_EXPECT_EQ(test, add_cpu(cpu), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, cpu_online(cpu));
	expect_on(test, cpu_online_mask);
	WRITE_ONCE(hw.fail_cpu, -1);
	KUNIT_ASSERT_EQ(test, add_cpu(cpu), 0);
	expect_on(test, cpu_online_mask);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(first_on_last_off),
	KUNIT_CASE(all_cpus_or_none),
	KUNIT_CASE(failed_creation_lets_go),
	KUNIT_CASE(many_users_at_once),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(cpu_goes_and_comes),
	KUNIT_CASE(cpu_without_vcpus),
	KUNIT_CASE(cpu_that_refuses),
#endif
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_percpu",
	.suite_init = axvcpu_kunit_suite_init,
	.init = hw_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
