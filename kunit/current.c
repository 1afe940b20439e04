// SPDX-License-Identifier: GPL-2.0-only
/*
 * The current vCPU: set before the backend is called, cleared on every way
 * out, and what refuses nested operations.
 */
#include <linux/irq_work.h>
#include <linux/sched/signal.h>

#include "fixture.h"
#include "axvcpu_trace.h"

/* What a hook saw in the backend's op. */
static struct {
	unsigned int calls;
	struct axvcpu *vcpu;
	struct axvcpu *current_vcpu;
	enum axvcpu_state state;
	bool locked;
	bool preemptible;
} seen;

/* What the commit of the transition saw, and when. */
static struct {
	unsigned int calls;
	struct axvcpu *current_vcpu;
	unsigned int ops_before;
} committed;

static int look(struct axvcpu *vcpu, u64 arg)
{
	seen.calls++;
	seen.vcpu = vcpu;
	seen.current_vcpu = axvcpu_get_current();
	seen.state = axvcpu_state(vcpu);
	seen.locked = mutex_is_locked(&vcpu->mutex);
	seen.preemptible = preemptible();
	return 0;
}

static int look_and_fail(struct axvcpu *vcpu, u64 arg)
{
	look(vcpu, arg);
	return -ENXIO;
}

static void look_at_commit(void *unused, const struct axvcpu *vcpu, u32 op, u32 from, u32 to)
{
	committed.calls++;
	committed.current_vcpu = axvcpu_get_current();
	committed.ops_before = seen.calls;
}

/* Each op of the backend that an operation calls, and the states around it. */
static const struct {
	enum axvcpu_mock_op_id hook;
	enum axvcpu_op op;
	enum axvcpu_state from, inside, to;
	bool can_fail;
} ops[] = {
	{ AXVCPU_MOCK_SET_ENTRY, AXVCPU_OP_SET_ENTRY, AXVCPU_STATE_CREATED,
	  AXVCPU_STATE_CREATED, AXVCPU_STATE_CREATED, true },
	{ AXVCPU_MOCK_SET_EPT_ROOT, AXVCPU_OP_SET_EPT_ROOT, AXVCPU_STATE_CREATED,
	  AXVCPU_STATE_CREATED, AXVCPU_STATE_CREATED, true },
	{ AXVCPU_MOCK_SET_ENTRY, AXVCPU_OP_SETUP, AXVCPU_STATE_CREATED,
	  AXVCPU_STATE_CREATED, AXVCPU_STATE_FREE, true },
	{ AXVCPU_MOCK_SET_EPT_ROOT, AXVCPU_OP_SETUP, AXVCPU_STATE_CREATED,
	  AXVCPU_STATE_CREATED, AXVCPU_STATE_FREE, true },
	{ AXVCPU_MOCK_SETUP, AXVCPU_OP_SETUP, AXVCPU_STATE_CREATED,
	  AXVCPU_STATE_CREATED, AXVCPU_STATE_FREE, true },
	{ AXVCPU_MOCK_BIND, AXVCPU_OP_BIND, AXVCPU_STATE_FREE,
	  AXVCPU_STATE_FREE, AXVCPU_STATE_READY, true },
	{ AXVCPU_MOCK_UNBIND, AXVCPU_OP_UNBIND, AXVCPU_STATE_READY,
	  AXVCPU_STATE_READY, AXVCPU_STATE_FREE, true },
	{ AXVCPU_MOCK_RESET, AXVCPU_OP_RESET, AXVCPU_STATE_FREE,
	  AXVCPU_STATE_FREE, AXVCPU_STATE_CREATED, false },
	{ AXVCPU_MOCK_LOAD, AXVCPU_OP_RUN, AXVCPU_STATE_READY,
	  AXVCPU_STATE_RUNNING, AXVCPU_STATE_READY, true },
	{ AXVCPU_MOCK_ENTER, AXVCPU_OP_RUN, AXVCPU_STATE_READY,
	  AXVCPU_STATE_RUNNING, AXVCPU_STATE_READY, true },
	{ AXVCPU_MOCK_HANDLE_EXIT, AXVCPU_OP_RUN, AXVCPU_STATE_READY,
	  AXVCPU_STATE_RUNNING, AXVCPU_STATE_READY, true },
	{ AXVCPU_MOCK_PUT, AXVCPU_OP_RUN, AXVCPU_STATE_READY,
	  AXVCPU_STATE_RUNNING, AXVCPU_STATE_READY, false },
};

static void hook(enum axvcpu_mock_op_id op, axvcpu_mock_hook_fn fn)
{
	WRITE_ONCE(axvcpu_mock_hooks[op], fn);
}

static void expect_inside(struct kunit *test, unsigned int i, struct axvcpu *vcpu)
{
	/* RUN may be interrupted, and does it again. */
	if (ops[i].op == AXVCPU_OP_RUN)
		KUNIT_EXPECT_GE_MSG(test, seen.calls, 1, "case %u", i);
	else
		KUNIT_EXPECT_EQ_MSG(test, seen.calls, 1, "case %u", i);
	KUNIT_EXPECT_PTR_EQ_MSG(test, seen.vcpu, vcpu, "case %u", i);
	KUNIT_EXPECT_PTR_EQ_MSG(test, seen.current_vcpu, vcpu, "case %u", i);
	KUNIT_EXPECT_EQ_MSG(test, seen.state, ops[i].inside, "case %u", i);
	KUNIT_EXPECT_TRUE_MSG(test, seen.locked, "case %u", i);
	KUNIT_EXPECT_FALSE_MSG(test, seen.preemptible, "case %u", i);
	KUNIT_EXPECT_NULL_MSG(test, axvcpu_get_current(), "case %u", i);
}

/* R5, R28, R29, R37, R40: in every op the owner is current, alone, in the right state. */
static void current_in_every_op(struct kunit *test)
{
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		vcpu = axvcpu_kunit_vcpu(test, ops[i].from);
		memset(&seen, 0, sizeof(seen));
		hook(ops[i].hook, look);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_do(vcpu, ops[i].op), 0, "case %u", i);
		hook(ops[i].hook, NULL);
		expect_inside(test, i, vcpu);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(vcpu), ops[i].to, "case %u", i);
	}
}

/* R30, R31: cleared as well when the op fails. */
static void current_cleared_after_failure(struct kunit *test)
{
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!ops[i].can_fail)
			continue;
		vcpu = axvcpu_kunit_vcpu(test, ops[i].from);
		memset(&seen, 0, sizeof(seen));
		hook(ops[i].hook, look_and_fail);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_do(vcpu, ops[i].op), -ENXIO, "case %u", i);
		hook(ops[i].hook, NULL);
		expect_inside(test, i, vcpu);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(vcpu), AXVCPU_STATE_INVALID, "case %u", i);
	}
}

/* R35: check, set current, call, clear current, commit, in that order. */
static void steps_in_order(struct kunit *test)
{
	static const enum axvcpu_mock_op_id hooks[] = {
		AXVCPU_MOCK_SETUP, AXVCPU_MOCK_BIND, AXVCPU_MOCK_UNBIND,
	};
	static const enum axvcpu_op operations[] = {
		AXVCPU_OP_SETUP, AXVCPU_OP_BIND, AXVCPU_OP_UNBIND,
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, register_trace_axvcpu_transition(look_at_commit, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		memset(&seen, 0, sizeof(seen));
		memset(&committed, 0, sizeof(committed));
		hook(hooks[i], look);
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, operations[i]), 0);
		hook(hooks[i], NULL);
		KUNIT_EXPECT_EQ(test, seen.calls, 1);
		KUNIT_EXPECT_PTR_EQ(test, seen.current_vcpu, vcpu);
		KUNIT_EXPECT_EQ(test, committed.calls, 1);
		KUNIT_EXPECT_EQ(test, committed.ops_before, 1);
		KUNIT_EXPECT_NULL(test, committed.current_vcpu);
	}
	unregister_trace_axvcpu_transition(look_at_commit, NULL);
	tracepoint_synchronize_unregister();
}

/* R36: in the wrong state current is not set and no op is called. */
static void wrong_state_reaches_no_op(struct kunit *test)
{
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_BLOCKED);
		memset(&seen, 0, sizeof(seen));
		hook(ops[i].hook, look);
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, ops[i].op), -EBADFD);
		hook(ops[i].hook, NULL);
		KUNIT_EXPECT_EQ(test, seen.calls, 0);
	}
}

static int count_call(unsigned int *calls)
{
	++*calls;
	return 0;
}

/* Operations that a nested attempt may be. */
static const enum axvcpu_op attempts[] = {
	AXVCPU_OP_SETUP, AXVCPU_OP_BIND, AXVCPU_OP_RUN, AXVCPU_OP_UNBIND, AXVCPU_OP_RESET,
	AXVCPU_OP_SET_ENTRY, AXVCPU_OP_SET_EPT_ROOT,
};

/*
 * What a nested operation met. The op's context does not allow to sleep, so
 * the other vCPU's mutex is tried for.
 */
static struct {
	struct axvcpu *other;
	int results[ARRAY_SIZE(attempts)];
	int regs_result;
	int plain_result;
	unsigned int plain_calls;
	struct axvcpu *current_after;
	bool done;
} nested;

static int get_one_reg(struct axvcpu *vcpu)
{
	struct axvcpu_reg reg = { .id = AXVCPU_MOCK_REG(0) };

	return axvcpu_get_regs(vcpu, &reg, 1);
}

static void attempt_all(struct axvcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attempts); i++)
		nested.results[i] = axvcpu_kunit_do_locked(vcpu, attempts[i]);
	nested.regs_result = get_one_reg(vcpu);
	nested.plain_result = axvcpu_with_current_cpu_set(vcpu, count_call(&nested.plain_calls));
	nested.current_after = axvcpu_get_current();
	nested.done = true;
}

static int nest(struct axvcpu *vcpu, u64 arg)
{
	if (nested.done)
		return 0;
	if (nested.other == vcpu) {
		attempt_all(vcpu);
	} else if (mutex_trylock(&nested.other->mutex)) {
		attempt_all(nested.other);
		mutex_unlock(&nested.other->mutex);
	}
	return 0;
}

static void expect_all_refused(struct kunit *test)
{
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, nested.done);
	for (i = 0; i < ARRAY_SIZE(attempts); i++)
		KUNIT_EXPECT_EQ_MSG(test, nested.results[i], -EDEADLK, "attempt %u", i);
	KUNIT_EXPECT_EQ(test, nested.regs_result, -EDEADLK);
	KUNIT_EXPECT_EQ(test, nested.plain_result, -EDEADLK);
	KUNIT_EXPECT_EQ(test, nested.plain_calls, 0);
}

/* R32, D04: in each op, each operation on another vCPU, in each state: nothing happens. */
static void nested_on_another(struct kunit *test)
{
	struct axvcpu_call_entry entries[2];
	struct axvcpu_state_info info = {};
	struct axvcpu *vcpu, *other;
	unsigned int i, state;
	u64 before, after;

	for (state = 0; state <= AXVCPU_STATE_READY; state++) {
		other = axvcpu_kunit_vcpu(test, state);
		for (i = 0; i < ARRAY_SIZE(ops); i++) {
			vcpu = axvcpu_kunit_vcpu(test, ops[i].from);
			memset(&nested, 0, sizeof(nested));
			nested.other = other;
			axvcpu_mock_calls(other, entries, ARRAY_SIZE(entries), &before);
			hook(ops[i].hook, nest);
			/* The outer operation goes on as if nothing had been. */
			KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_do(vcpu, ops[i].op), 0, "case %u",
					    i);
			hook(ops[i].hook, NULL);
			KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), ops[i].to);
			expect_all_refused(test);
			KUNIT_EXPECT_PTR_EQ(test, nested.current_after, vcpu);

			axvcpu_get_failure(other, &info);
			KUNIT_EXPECT_EQ(test, info.state, state);
			KUNIT_EXPECT_EQ(test, info.failure.seq, state == AXVCPU_STATE_INVALID);
			axvcpu_mock_calls(other, entries, ARRAY_SIZE(entries), &after);
			KUNIT_EXPECT_EQ(test, before, after);
		}
	}
}

/* R32: the same vCPU. */
static void nested_on_itself(struct kunit *test)
{
	struct axvcpu_state_info info = {};
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		vcpu = axvcpu_kunit_vcpu(test, ops[i].from);
		memset(&nested, 0, sizeof(nested));
		nested.other = vcpu;
		hook(ops[i].hook, nest);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_do(vcpu, ops[i].op), 0, "case %u", i);
		hook(ops[i].hook, NULL);
		expect_all_refused(test);
		KUNIT_EXPECT_PTR_EQ(test, nested.current_after, vcpu);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ(test, info.state, ops[i].to);
		KUNIT_EXPECT_EQ(test, info.failure.seq, 0);
	}
}

static void attempt_in_irq(struct irq_work *work)
{
	attempt_all(nested.other);
}

static bool interrupt_and_wait(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(attempt_in_irq);
	bool queued = irq_work_queue(&work);

	irq_work_sync(&work);
	return queued;
}

/* R32, and the seeds' own example: an operation from an interrupt handler. */
static void refused_in_interrupt(struct kunit *test)
{
	struct axvcpu_state_info info = {};
	struct axvcpu *vcpu;
	unsigned int state;

	for (state = 0; state <= AXVCPU_STATE_READY; state++) {
		vcpu = axvcpu_kunit_vcpu(test, state);
		memset(&nested, 0, sizeof(nested));
		nested.other = vcpu;
		mutex_lock(&vcpu->mutex);
		KUNIT_EXPECT_TRUE(test, interrupt_and_wait());
		mutex_unlock(&vcpu->mutex);
		expect_all_refused(test);
		KUNIT_EXPECT_NULL(test, nested.current_after);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ(test, info.state, state);
	}
}

/* R33, R34: two CPUs inside RUN at the same time, each with its own. */
static struct {
	struct axvcpu *vcpus[2];
	struct axvcpu *seen_current[2];
	atomic_t inside;
	bool met;
} pair;

/*
 * With interrupts off: bounded, short of what a CPU may keep an IPI waiting,
 * and in rounds, as this CPU may be the one that makes the clock advance.
 */
#define MEET_ROUNDS	20000

static int meet(struct axvcpu *vcpu, u64 arg)
{
	unsigned int me = vcpu == pair.vcpus[1];
	unsigned int i;

	atomic_inc(&pair.inside);
	for (i = 0; i < MEET_ROUNDS && !READ_ONCE(pair.met); i++) {
		if (atomic_read(&pair.inside) == 2)
			WRITE_ONCE(pair.met, true);
		cpu_relax();
	}
	pair.seen_current[me] = axvcpu_get_current();
	atomic_dec(&pair.inside);
	return axvcpu_kunit_guest_exit(vcpu, READ_ONCE(pair.met) ? AXVCPU_EXIT_SHUTDOWN :
				       AXVCPU_EXIT_EXTERNAL_INTERRUPT);
}

static int run_one(void *arg)
{
	return axvcpu_kunit_run(arg, 0);
}

static void each_cpu_has_its_own(struct kunit *test)
{
	struct axvcpu_kunit_thread threads[2];
	unsigned int i, cpus[2];

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	cpus[0] = cpumask_first(cpu_online_mask);
	cpus[1] = cpumask_next(cpus[0], cpu_online_mask);
	memset(&pair, 0, sizeof(pair));
	for (i = 0; i < 2; i++)
		pair.vcpus[i] = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	hook(AXVCPU_MOCK_ENTER, meet);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&threads[i], cpus[i], run_one,
							 pair.vcpus[i]), 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&threads[i]), 0);
	KUNIT_EXPECT_TRUE(test, pair.met);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_PTR_EQ(test, pair.seen_current[i], pair.vcpus[i]);
		KUNIT_EXPECT_EQ(test, pair.vcpus[i]->last_cpu, cpus[i]);
		KUNIT_EXPECT_EQ(test, axvcpu_state(pair.vcpus[i]), AXVCPU_STATE_READY);
	}
}

static int run_until_killed(void *arg)
{
	int ret;

	allow_signal(SIGKILL);
	ret = axvcpu_kunit_run(arg, 0);
	flush_signals(current);
	return ret;
}

static bool is_running(void *arg)
{
	return axvcpu_state(arg) == AXVCPU_STATE_RUNNING;
}

/* R31: a thread killed inside RUN; its CPU is free for the next vCPU. */
static void killed_inside_run(struct kunit *test)
{
	static const struct axvcpu_mock_insn loop[] = {
		{ .op = MOCK_JMP, .imm = 0 },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu *next = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	int cpu = cpumask_last(cpu_online_mask);
	struct axvcpu_kunit_thread thread;

	axvcpu_kunit_program(loop, ARRAY_SIZE(loop));
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, cpu, run_until_killed, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_running, vcpu));
	send_sig(SIGKILL, thread.task, 1);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_EXPECT_NULL(test, per_cpu(axvcpu_current, cpu));

	((struct axvcpu_mock_insn *)axvcpu_kunit_ram(0))->op = MOCK_HALT;
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, cpu, run_one, next), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(current_in_every_op),
	KUNIT_CASE(current_cleared_after_failure),
	KUNIT_CASE(steps_in_order),
	KUNIT_CASE(wrong_state_reaches_no_op),
	KUNIT_CASE(nested_on_another),
	KUNIT_CASE(nested_on_itself),
	KUNIT_CASE(refused_in_interrupt),
	KUNIT_CASE(each_cpu_has_its_own),
	KUNIT_CASE(killed_inside_run),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_current",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
