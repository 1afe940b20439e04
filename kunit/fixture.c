// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the KUnit suites share: guest memory, vCPUs in a given state, threads.
 *
 * The second-stage table here is made by hand and handed over as a raw root:
 * a test's thread has no memory of its own that an address space could mirror.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>

#include "fixture.h"

#define MAX_VCPUS	512

/* One test runs at a time. */
static struct {
	struct axvcpu *vcpus[MAX_VCPUS];
	unsigned int nr_vcpus;
	u64 *tables[AXVCPU_S2_MAX_LEVELS];
	void *ram;
} fixture;

/**
 * axvcpu_kunit_suite_init() - for &struct kunit_suite.suite_init
 * @suite: the suite
 *
 * Sets the module parameter that the administrator would have to set.
 *
 * Return: 0, or -ENOENT.
 */
int axvcpu_kunit_suite_init(struct kunit_suite *suite)
{
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, "raw_root"))
			return param_set_bool("1", &THIS_MODULE->kp[i]);
	return -ENOENT;
}

static int alloc_tables(struct kunit *test)
{
	const struct axvcpu_s2_format *s2 = axvcpu_arch.s2;
	unsigned int level, i;

	for (level = 0; level < s2->levels; level++) {
		fixture.tables[level] = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!fixture.tables[level])
			return -ENOMEM;
		if (level)
			fixture.tables[level][0] = virt_to_phys(fixture.tables[level - 1]) |
				s2->table_bits;
	}
	for (i = 0; i < AXVCPU_KUNIT_RAM_PAGES; i++)
		*axvcpu_kunit_leaf(i) = virt_to_phys(fixture.ram + i * PAGE_SIZE) |
			s2->leaf_bits[0] | s2->prot[AXVCPU_MAP_ALL];
	return 0;
}

/**
 * axvcpu_kunit_init() - for &struct kunit_suite.init
 * @test: the test
 *
 * The guest's program is HALT, over and over.
 *
 * Return: 0 or -ENOMEM.
 */
int axvcpu_kunit_init(struct kunit *test)
{
	static const struct axvcpu_mock_insn halt[] = {
		{ .op = MOCK_HALT },
		{ .op = MOCK_JMP, .imm = 0 },
	};

	memset(&fixture, 0, sizeof(fixture));
	fixture.ram = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, AXVCPU_KUNIT_RAM_ORDER);
	if (!fixture.ram || alloc_tables(test)) {
		axvcpu_kunit_exit(test);
		return -ENOMEM;
	}
	axvcpu_kunit_program(halt, ARRAY_SIZE(halt));
	return 0;
}

/**
 * axvcpu_kunit_exit() - for &struct kunit_suite.exit
 * @test: the test
 *
 * Whatever the test did, no CPU may be left with a current vCPU. R29 to R31.
 */
void axvcpu_kunit_exit(struct kunit *test)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < AXVCPU_MOCK_NR_OPS; i++)
		WRITE_ONCE(axvcpu_mock_hooks[i], NULL);
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_NULL(test, per_cpu(axvcpu_current, cpu));
	while (fixture.nr_vcpus)
		axvcpu_vcpu_destroy(fixture.vcpus[--fixture.nr_vcpus]);
	for (i = 0; i < AXVCPU_S2_MAX_LEVELS; i++)
		free_page((unsigned long)fixture.tables[i]);
	free_pages((unsigned long)fixture.ram, AXVCPU_KUNIT_RAM_ORDER);
}

/**
 * axvcpu_kunit_root() - the root of the table made by hand
 *
 * Return: its address.
 */
struct axvcpu_hpa axvcpu_kunit_root(void)
{
	return axvcpu_hpa(virt_to_phys(fixture.tables[axvcpu_arch.s2->levels - 1]));
}

/**
 * axvcpu_kunit_leaf() - the leaf of a page in the table made by hand
 * @gfn: guest page number, any that the lowest table covers
 *
 * Return: where it is.
 */
u64 *axvcpu_kunit_leaf(unsigned int gfn)
{
	return &fixture.tables[0][gfn];
}

/**
 * axvcpu_kunit_ram() - guest memory as the host sees it
 * @gpa: guest-physical address
 *
 * Return: where it is.
 */
void *axvcpu_kunit_ram(u64 gpa)
{
	return fixture.ram + gpa;
}

/**
 * axvcpu_kunit_program() - put a program at guest-physical 0
 * @insns: the program
 * @count: its instructions
 */
void axvcpu_kunit_program(const struct axvcpu_mock_insn *insns, unsigned int count)
{
	memcpy(fixture.ram, insns, count * sizeof(*insns));
}

/**
 * axvcpu_kunit_create() - a vCPU, Created, that is destroyed after the test
 * @test: the test
 * @fail_call: the mock's call that is to fail, 0: none
 * @error: positive errno
 * @fail_after: calls of it that still succeed
 *
 * Return: the vCPU or ERR_PTR().
 */
struct axvcpu *axvcpu_kunit_create(struct kunit *test, enum axvcpu_call fail_call, int error,
				   unsigned int fail_after)
{
	struct axvcpu_mock_setup_config config = {
		.fail_call = fail_call,
		.fail_error = error,
		.fail_after = fail_after,
	};
	struct axvcpu_create_vcpu args = {
		.vm_id = 7,
		.vcpu_id = fixture.nr_vcpus,
		.favor_phys_cpu = -1,
	};
	struct axvcpu *vcpu;

	KUNIT_ASSERT_LT(test, fixture.nr_vcpus, MAX_VCPUS);
	memcpy(args.config.raw, &config, sizeof(config));
	vcpu = axvcpu_vcpu_create(&args, cpu_possible_mask);
	if (!IS_ERR(vcpu))
		fixture.vcpus[fixture.nr_vcpus++] = vcpu;
	return vcpu;
}

/**
 * axvcpu_kunit_vcpu() - a vCPU in a given state
 * @test: the test
 * @state: reached by real operations; Running and Blocked, which RUN alone
 *	reaches, are set in a Ready vCPU
 *
 * Return: the vCPU.
 */
struct axvcpu *axvcpu_kunit_vcpu(struct kunit *test, enum axvcpu_state state)
{
	struct axvcpu *vcpu = axvcpu_kunit_create(test, 0, 0, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
	if (state == AXVCPU_STATE_INVALID)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), -EBADFD);
	if (state >= AXVCPU_STATE_FREE)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), 0);
	if (state >= AXVCPU_STATE_READY)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), 0);
	if (state > AXVCPU_STATE_READY) {
		mutex_lock(&vcpu->mutex);
		axvcpu_set_state(vcpu, state);
		mutex_unlock(&vcpu->mutex);
	}
	KUNIT_ASSERT_EQ(test, axvcpu_state(vcpu), state);
	return vcpu;
}

static int do_setup(struct axvcpu *vcpu)
{
	struct axvcpu_setup args = {
		.raw_root = axvcpu_kunit_root().val,
		.aspace_fd = -1,
		.flags = AXVCPU_SETUP_RAW_ROOT,
	};

	return axvcpu_setup(vcpu, &args, NULL);
}

static int do_bind(struct axvcpu *vcpu)
{
	struct axvcpu_bind args = { .cpu = -1 };

	return axvcpu_bind(vcpu, &args);
}

static int do_run(struct axvcpu *vcpu)
{
	return axvcpu_run_locked(vcpu, 0);
}

static int do_wait(struct axvcpu *vcpu)
{
	return axvcpu_transition_state(vcpu, AXVCPU_OP_WAIT, AXVCPU_STATE_RUNNING,
				       AXVCPU_STATE_BLOCKED);
}

static int do_wake(struct axvcpu *vcpu)
{
	return axvcpu_transition_state(vcpu, AXVCPU_OP_WAKE, AXVCPU_STATE_BLOCKED,
				       AXVCPU_STATE_READY);
}

static int do_set_entry(struct axvcpu *vcpu)
{
	return axvcpu_set_entry(vcpu, axvcpu_gpa(0));
}

static int do_set_ept_root(struct axvcpu *vcpu)
{
	struct axvcpu_set_ept_root args = {
		.raw_root = axvcpu_kunit_root().val,
		.aspace_fd = -1,
		.flags = AXVCPU_SETUP_RAW_ROOT,
	};

	return axvcpu_set_ept_root(vcpu, &args, NULL);
}

static int do_reset(struct axvcpu *vcpu)
{
	return axvcpu_reset(vcpu, 0);
}

/**
 * axvcpu_kunit_do_locked() - an operation, with arguments that are good
 * @vcpu: the vCPU
 * @op: an operation with a transition of its own
 *
 * Context: &struct axvcpu.mutex held, or inside another operation.
 * Return: the operation's value.
 */
int axvcpu_kunit_do_locked(struct axvcpu *vcpu, enum axvcpu_op op)
{
	static int (*const ops[])(struct axvcpu *vcpu) = {
		[AXVCPU_OP_SETUP]	= do_setup,
		[AXVCPU_OP_BIND]	= do_bind,
		[AXVCPU_OP_RUN]		= do_run,
		[AXVCPU_OP_UNBIND]	= axvcpu_unbind,
		[AXVCPU_OP_WAIT]	= do_wait,
		[AXVCPU_OP_WAKE]	= do_wake,
		[AXVCPU_OP_RESET]	= do_reset,
		[AXVCPU_OP_SET_ENTRY]	= do_set_entry,
		[AXVCPU_OP_SET_EPT_ROOT] = do_set_ept_root,
	};

	return ops[op](vcpu);
}

/**
 * axvcpu_kunit_do() - an operation, with arguments that are good
 * @vcpu: the vCPU
 * @op: an operation with a transition of its own
 *
 * Context: process context.
 * Return: the operation's value.
 */
int axvcpu_kunit_do(struct axvcpu *vcpu, enum axvcpu_op op)
{
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_kunit_do_locked(vcpu, op);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * axvcpu_kunit_setup() - SETUP with an entry and a root
 * @vcpu: the vCPU
 * @entry: guest-physical address
 * @root: host-physical address
 *
 * Return: as axvcpu_setup().
 */
int axvcpu_kunit_setup(struct axvcpu *vcpu, u64 entry, u64 root)
{
	struct axvcpu_setup args = {
		.entry = entry,
		.raw_root = root,
		.aspace_fd = -1,
		.flags = AXVCPU_SETUP_RAW_ROOT,
	};
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_setup(vcpu, &args, NULL);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * axvcpu_kunit_keep() - KEEP_STATE
 * @vcpu: the vCPU
 *
 * Context: process context.
 * Return: as axvcpu_keep_state().
 */
int axvcpu_kunit_keep(struct axvcpu *vcpu)
{
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_keep_state(vcpu);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * axvcpu_kunit_bind() - BIND to a CPU
 * @vcpu: the vCPU
 * @cpu: as in &struct axvcpu_bind
 *
 * Return: as axvcpu_bind().
 */
int axvcpu_kunit_bind(struct axvcpu *vcpu, int cpu)
{
	struct axvcpu_bind args = { .cpu = cpu };
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_bind(vcpu, &args);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * axvcpu_kunit_run() - RUN
 * @vcpu: the vCPU
 * @flags: ``AXVCPU_RUN_*``
 *
 * Return: as axvcpu_run().
 */
int axvcpu_kunit_run(struct axvcpu *vcpu, unsigned long flags)
{
	return axvcpu_run(vcpu, flags);
}

/**
 * axvcpu_kunit_inject() - INJECT
 * @vcpu: the vCPU
 * @type: what
 * @vector: which
 *
 * Return: as axvcpu_inject().
 */
int axvcpu_kunit_inject(struct axvcpu *vcpu, enum axvcpu_event type, u32 vector)
{
	struct axvcpu_inject event = { .type = type, .vector = vector };

	return axvcpu_inject(vcpu, &event);
}

/**
 * axvcpu_kunit_guest_exit() - what a hook of enter returns for the guest's exit
 * @vcpu: the vCPU
 * @reason: the exit
 *
 * Return: %AXVCPU_MOCK_DONE.
 */
int axvcpu_kunit_guest_exit(struct axvcpu *vcpu, enum axvcpu_exit_reason reason)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);

	mock->exit = (struct axvcpu_mock_exit){ .reason = reason, .pc = mock->pc };
	return AXVCPU_MOCK_DONE;
}

/**
 * axvcpu_kunit_expect_calls() - compare the whole call log
 * @test: the test
 * @vcpu: the vCPU
 * @calls: &enum axvcpu_call, in order
 * @count: of @calls
 */
void axvcpu_kunit_expect_calls(struct kunit *test, struct axvcpu *vcpu, const u32 *calls,
			       unsigned int count)
{
	struct axvcpu_call_entry *log = kunit_kcalloc(test, AXVCPU_MOCK_LOG_LEN, sizeof(*log),
						      GFP_KERNEL);
	unsigned int n, i;
	u64 total;

	KUNIT_ASSERT_NOT_NULL(test, log);
	n = axvcpu_mock_calls(vcpu, log, AXVCPU_MOCK_LOG_LEN, &total);
	KUNIT_EXPECT_EQ(test, total, count);
	for (i = 0; i < n && i < count; i++) {
		KUNIT_EXPECT_EQ_MSG(test, log[i].call, calls[i], "call %u", i + 1);
		KUNIT_EXPECT_EQ(test, log[i].seq, i + 1);
	}
}

static int thread_fn(void *data)
{
	struct axvcpu_kunit_thread *thread = data;

	thread->result = thread->fn(thread->arg);
	kthread_complete_and_exit(&thread->done, 0);
}

/**
 * axvcpu_kunit_start() - start a thread
 * @thread: filled in
 * @cpu: CPU that it runs on, -1: any
 * @fn: what it does
 * @arg: for @fn
 *
 * Return: 0 or a negative errno. A thread that was started must be joined.
 */
int axvcpu_kunit_start(struct axvcpu_kunit_thread *thread, int cpu, int (*fn)(void *arg),
		       void *arg)
{
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->done);
	thread->task = kthread_create(thread_fn, thread, "axvcpu_kunit");
	if (IS_ERR(thread->task))
		return PTR_ERR(thread->task);
	get_task_struct(thread->task);
	if (cpu >= 0)
		kthread_bind(thread->task, cpu);
	wake_up_process(thread->task);
	return 0;
}

/**
 * axvcpu_kunit_join() - wait for a thread
 * @thread: started
 *
 * Return: the value of its function; -ETIMEDOUT: it hangs, and so do the
 * thread, the test's memory and the module.
 */
int axvcpu_kunit_join(struct axvcpu_kunit_thread *thread)
{
	if (!wait_for_completion_timeout(&thread->done, AXVCPU_KUNIT_PATIENCE))
		return -ETIMEDOUT;
	put_task_struct(thread->task);
	return thread->result;
}

/**
 * axvcpu_kunit_wait() - wait until something has come about
 * @done: tells
 * @arg: for @done
 *
 * Return: false: in vain.
 */
bool axvcpu_kunit_wait(bool (*done)(void *arg), void *arg)
{
	unsigned long end = jiffies + AXVCPU_KUNIT_PATIENCE;

	while (!done(arg)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 100);
	}
	return true;
}
