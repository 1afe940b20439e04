// SPDX-License-Identifier: GPL-2.0-only
/* Virtualization on where a vCPU is, off with the last, and CPUs that come and go. */
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

/* On one CPU, as if a vCPU were loaded there */
static int turn_on(void *arg)
{
	int ret;

	preempt_disable();
	ret = axvcpu_hw_ready();
	preempt_enable();
	return ret;
}

static int turn_on_at(int cpu)
{
	struct axvcpu_kunit_thread thread;

	return axvcpu_kunit_start(&thread, cpu, turn_on, NULL) ?: axvcpu_kunit_join(&thread);
}

static int get_here(void *arg)
{
	return axvcpu_hw_get();
}

/* A user whose creator is on @cpu */
static int hw_get_at(int cpu)
{
	struct axvcpu_kunit_thread thread;

	return axvcpu_kunit_start(&thread, cpu, get_here, NULL) ?: axvcpu_kunit_join(&thread);
}

/* C11: CPUs that no vCPU comes to are left alone. */
static void on_where_it_is_needed(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask), other = cpumask_last(cpu_online_mask);
	unsigned int i;

	expect_on(test, cpu_none_mask);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, hw_get_at(cpu), 0);
		expect_on(test, cpumask_of(cpu));
		axvcpu_hw_put();
		expect_on(test, cpu_none_mask);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), 3);

	KUNIT_ASSERT_EQ(test, hw_get_at(cpu), 0);
	KUNIT_ASSERT_EQ(test, hw_get_at(other), 0);
	expect_on(test, cpumask_of(cpu));
	KUNIT_EXPECT_EQ(test, turn_on_at(other), 0);
	KUNIT_EXPECT_EQ(test, turn_on_at(other), 0);
	KUNIT_EXPECT_EQ(test, cpumask_weight(&hw.on), cpu == other ? 1 : 2);
	axvcpu_hw_put();
	KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(other, &hw.on));
	axvcpu_hw_put();
	expect_on(test, cpu_none_mask);
}

/* A vCPU holds it for its life. */
static void a_vcpu_holds_it(struct kunit *test)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, axvcpu_kunit_create(test, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, cpumask_weight(&hw.on), 1);
	KUNIT_ASSERT_EQ(test, axvcpu_hw_get(), 0);
	axvcpu_hw_put();
	KUNIT_EXPECT_EQ(test, cpumask_weight(&hw.on), 1);
}

/* G04: a CPU that refuses: no vCPU is made or loaded there, and the next try is a fresh one. */
static void a_cpu_refuses(struct kunit *test)
{
	int cpu;

	for_each_online_cpu(cpu) {
		hw.error = -EBUSY;
		WRITE_ONCE(hw.fail_cpu, cpu);
		KUNIT_EXPECT_EQ(test, hw_get_at(cpu), -EBUSY);
		expect_on(test, cpu_none_mask);
		KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), atomic_read(&hw.disables));

		/* The reason is the creator's to hear; RUN's is that the CPU is not for it. */
		hw.error = -EOPNOTSUPP;
		KUNIT_EXPECT_EQ(test, hw_get_at(cpu), -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, turn_on_at(cpu), -EXDEV);
		expect_on(test, cpu_none_mask);

		WRITE_ONCE(hw.fail_cpu, -1);
		KUNIT_EXPECT_EQ(test, hw_get_at(cpu), 0);
		expect_on(test, cpumask_of(cpu));
		axvcpu_hw_put();
		expect_on(test, cpu_none_mask);
	}
}

/* G03: a vCPU that the backend refuses holds nothing. */
static void failed_creation_lets_go(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, AXVCPU_CALL_NEW, ENOMEM, 0)),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, atomic_read(&hw.enables), 1);
	expect_on(test, cpu_none_mask);
}

/* C4: the system goes down, and threads still try. */
static void goes_down(struct kunit *test)
{
	int cpu = cpumask_last(cpu_online_mask);

	KUNIT_ASSERT_EQ(test, hw_get_at(cpu), 0);
	KUNIT_EXPECT_EQ(test, turn_on_at(cpumask_first(cpu_online_mask)), 0);
	axvcpu_percpu_go_down();
	expect_on(test, cpu_none_mask);
	KUNIT_EXPECT_EQ(test, turn_on_at(cpu), -EXDEV);
	expect_on(test, cpu_none_mask);
	axvcpu_hw_put();
	KUNIT_EXPECT_EQ(test, hw_get_at(cpu), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, 0, 0, 0)), -ESHUTDOWN);
	expect_on(test, cpu_none_mask);
	axvcpu_percpu_stay_up();
	KUNIT_EXPECT_EQ(test, hw_get_at(cpu), 0);
	axvcpu_hw_put();
}

static int churn(void *arg)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		if (axvcpu_hw_get())
			return -EIO;
		/* As long as somebody holds it, a CPU that has it on keeps it. */
		if (turn_on(NULL) || cpumask_empty(&hw.on))
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
	KUNIT_ASSERT_EQ(test, turn_on_at(cpu), 0);
	KUNIT_ASSERT_EQ(test, remove_cpu(cpu), 0);
	KUNIT_EXPECT_FALSE(test, cpumask_test_cpu(cpu, &hw.on));
	/* Bound to a CPU that is gone: it waits for better times. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EXDEV);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_ASSERT_EQ(test, add_cpu(cpu), 0);
	KUNIT_EXPECT_FALSE(test, cpumask_test_cpu(cpu, &hw.on));
	KUNIT_EXPECT_EQ(test, turn_on_at(cpu), 0);
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
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(on_where_it_is_needed),
	KUNIT_CASE(a_vcpu_holds_it),
	KUNIT_CASE(a_cpu_refuses),
	KUNIT_CASE(failed_creation_lets_go),
	KUNIT_CASE(goes_down),
	KUNIT_CASE(many_users_at_once),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(cpu_goes_and_comes),
	KUNIT_CASE(cpu_without_vcpus),
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
