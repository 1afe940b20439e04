// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine. This file alone writes axvcpu.state, in one function.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "axvcpu_state.h"
#include "axvcpu_table.h"
#include "axvcpu_trace.h"

/* For each operation and state: the state that it may lead to, as a bit. */
static const u8 transitions[AXVCPU_OP_GET_REGS + 1][AXVCPU_STATE_BLOCKED + 1] = {
#define T(op, from, to) [AXVCPU_OP_##op][AXVCPU_STATE_##from] = BIT(AXVCPU_STATE_##to),
	AXVCPU_TRANSITIONS(T)
#undef T
};

static bool transition_exists(enum axvcpu_op op, enum axvcpu_state from, enum axvcpu_state to)
{
	return transitions[op][from] & BIT(to);
}

/**
 * axvcpu_state_init() - a new vCPU is Created
 * @vcpu: nobody else knows it yet
 *
 * Source: AxVCpu::new.
 */
void axvcpu_state_init(struct axvcpu *vcpu)
{
	mutex_init(&vcpu->mutex);
	seqcount_mutex_init(&vcpu->seq, &vcpu->mutex);
	vcpu->state = AXVCPU_STATE_CREATED;
}

static __always_inline u64 history_key(enum axvcpu_op op, enum axvcpu_state from,
				       enum axvcpu_state to, int error)
{
	return op | from << 8 | to << 16 | (u64)(u32)error << 32;
}

static struct axvcpu_history_entry *history_entry(struct axvcpu *vcpu, u64 n)
{
	return &vcpu->history[n % AXVCPU_HISTORY_LEN];
}

/* The last two entries have come again @turns times, the older one first. */
static void count_turns(struct axvcpu_history_entry *older, struct axvcpu_history_entry *newer,
			u64 turns)
{
	older->repeat += (turns + 1) / 2;
	newer->repeat += turns / 2;
}

static noinline void record_new(struct axvcpu *vcpu, u64 key)
{
	u64 len = vcpu->history_len, turns = vcpu->history_turns;

	if (turns)
		count_turns(history_entry(vcpu, len - 2), history_entry(vcpu, len - 1), turns);
	vcpu->history_seq += turns + 1;
	*history_entry(vcpu, len) = (struct axvcpu_history_entry){
		.seq = vcpu->history_seq,
		.time_ns = ktime_get_ns(),
		.op = (u8)key,
		.from = (u8)(key >> 8),
		.to = (u8)(key >> 16),
		.error = key >> 32,
		.tid = task_pid_vnr(current),
		.cpu = raw_smp_processor_id(),
	};
	/* The newer one of a pair that has come again is in no other. */
	vcpu->history_keys[0] = turns ? 0 : vcpu->history_keys[1];
	vcpu->history_keys[1] = key;
	vcpu->history_turns = 0;
	vcpu->history_len = len + 1;
}

/*
 * A run loop alternates between Ready -> Running and Running -> Ready: such a
 * pair is counted, or it would wash all else out of the ring. An entry is in
 * one pair at most, and the two stand side by side: that makes the counts
 * readable, see &struct axvcpu_history_entry.repeat.
 */
static __always_inline void record(struct axvcpu *vcpu, u64 key)
{
	if (unlikely(key != vcpu->history_keys[0])) {
		record_new(vcpu, key);
		return;
	}
	vcpu->history_keys[0] = vcpu->history_keys[1];
	vcpu->history_keys[1] = key;
	vcpu->history_turns++;
}

/* Inside axvcpu.seq, with the state that the operation found */
static void record_failure(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state expected,
			   int error, u64 reg)
{
	vcpu->failure = (struct axvcpu_failure){
		.seq = vcpu->failure.seq + 1,
		.op = op,
		.expected = expected,
		.actual = vcpu->state,
		.error = error,
		.arch_code = vcpu->arch_code,
		.reg = reg,
		.tid = task_pid_vnr(current),
	};
	vcpu->arch_code = 0;
}

/* Inside axvcpu.seq. Of several failures in a row, the first one is the cause. */
static void record_cause(struct axvcpu *vcpu)
{
	if (vcpu->state != AXVCPU_STATE_INVALID)
		vcpu->cause = vcpu->failure;
}

/*
 * The one writer of the state. These are the transitions that come here with
 * no error (axvcpu_table.h); with one, all lead to Invalid:
 *
 *   Created -> Free             SETUP
 *   Free -> Ready               BIND
 *   Ready -> Running -> Ready   RUN
 *   Running -> Blocked          WAIT, inside RUN
 *   Blocked -> Ready            WAKE, inside RUN
 *   Ready -> Free               UNBIND
 *   Invalid, Free -> Created    RESET
 *   any -> any                  SET_STATE
 */
static __always_inline void commit(struct axvcpu *vcpu, enum axvcpu_op op,
				   enum axvcpu_state expected, enum axvcpu_state to, int error)
{
	enum axvcpu_state from = vcpu->state;

	lockdep_assert_held(&vcpu->mutex);
	write_seqcount_begin(&vcpu->seq);
	if (unlikely(error)) {
		record_failure(vcpu, op, expected, error, 0);
		record_cause(vcpu);
	} else if (unlikely(op == AXVCPU_OP_RESET)) {
		vcpu->cause = (struct axvcpu_failure){};
	}
	WRITE_ONCE(vcpu->state, to);
	record(vcpu, history_key(op, from, to, error));
	write_seqcount_end(&vcpu->seq);

	trace_axvcpu_transition(vcpu, op, from, to);
	if (unlikely(error))
		trace_axvcpu_failure(vcpu, &vcpu->failure);
}

static noinline int fail(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state expected,
			 int error)
{
	commit(vcpu, op, expected, AXVCPU_STATE_INVALID, error);
	return error;
}

/**
 * axvcpu_begin_transition() - may it take place?
 * @vcpu: the vCPU
 * @op: operation
 * @from: state that the vCPU must be in
 * @to: state after success
 *
 * First half of axvcpu_with_state_transition().
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0; -EBADFD: the vCPU is Invalid now.
 */
int axvcpu_begin_transition(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			    enum axvcpu_state to)
{
	lockdep_assert_held(&vcpu->mutex);
	if (vcpu->state != from || !transition_exists(op, from, to))
		return fail(vcpu, op, from, -EBADFD);
	return 0;
}

/**
 * axvcpu_end_transition() - commit it, or the failure
 * @vcpu: the vCPU
 * @op: operation
 * @from: state that axvcpu_begin_transition() found it in
 * @to: state after success
 * @error: 0, or why the vCPU becomes Invalid
 *
 * Context: &struct axvcpu.mutex held since axvcpu_begin_transition().
 * Return: 0 or a negative errno; a positive @error is -EIO.
 */
int axvcpu_end_transition(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			  enum axvcpu_state to, int error)
{
	if (error)
		return fail(vcpu, op, from, error < 0 ? error : -EIO);
	commit(vcpu, op, from, to, 0);
	return 0;
}

static __always_inline int transition(struct axvcpu *vcpu, enum axvcpu_op op,
				      enum axvcpu_state from, enum axvcpu_state to)
{
	if (unlikely(vcpu->state != from || !transition_exists(op, from, to)))
		return fail(vcpu, op, from, -EBADFD);
	commit(vcpu, op, from, to, 0);
	return 0;
}

/**
 * axvcpu_transition_state() - a transition without work
 * @vcpu: the vCPU
 * @op: operation
 * @from: state that the vCPU must be in
 * @to: state after success
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or a negative errno.
 * Source: AxVCpu::transition_state.
 */
int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			    enum axvcpu_state to)
{
	return transition(vcpu, op, from, to);
}

/**
 * axvcpu_state_running() - RUN begins: Ready -> Running
 * @vcpu: the vCPU
 *
 * axvcpu_transition_state() for the one operation that comes all the time.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or a negative errno.
 */
int axvcpu_state_running(struct axvcpu *vcpu)
{
	return transition(vcpu, AXVCPU_OP_RUN, AXVCPU_STATE_READY, AXVCPU_STATE_RUNNING);
}

/**
 * axvcpu_state_failed() - RUN ends with an error: Running -> Invalid
 * @vcpu: the vCPU
 * @error: a negative errno
 *
 * Context: &struct axvcpu.mutex held.
 * Return: @error.
 */
int axvcpu_state_failed(struct axvcpu *vcpu, int error)
{
	return fail(vcpu, AXVCPU_OP_RUN, AXVCPU_STATE_RUNNING, error);
}

/**
 * axvcpu_state_ran() - RUN ends: Running -> Ready
 * @vcpu: the vCPU
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or a negative errno.
 */
int axvcpu_state_ran(struct axvcpu *vcpu)
{
	return transition(vcpu, AXVCPU_OP_RUN, AXVCPU_STATE_RUNNING, AXVCPU_STATE_READY);
}

/**
 * axvcpu_reg_refused() - a register's id or value is refused; the state stays
 * @vcpu: the vCPU
 * @op: %AXVCPU_OP_SET_REGS or %AXVCPU_OP_GET_REGS
 * @reg: the id
 * @error: what the operation returns
 *
 * Context: &struct axvcpu.mutex held.
 */
void axvcpu_reg_refused(struct axvcpu *vcpu, enum axvcpu_op op, u64 reg, int error)
{
	lockdep_assert_held(&vcpu->mutex);
	write_seqcount_begin(&vcpu->seq);
	record_failure(vcpu, op, vcpu->state, error, reg);
	write_seqcount_end(&vcpu->seq);
	trace_axvcpu_failure(vcpu, &vcpu->failure);
}

/**
 * axvcpu_set_state() - set the state without any check
 * @vcpu: the vCPU
 * @state: new state
 *
 * For KUnit and SET_STATE only.
 *
 * Context: &struct axvcpu.mutex held.
 * Source: AxVCpu::set_state.
 */
void axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state)
{
	commit(vcpu, AXVCPU_OP_SET_STATE, vcpu->state, state, 0);
}

/**
 * axvcpu_get_failure() - state and failures, consistent with each other
 * @vcpu: the vCPU
 * @info: state, failure and cause are written, the rest is left alone
 *
 * Context: process context; never waits for an operation.
 */
void axvcpu_get_failure(struct axvcpu *vcpu, struct axvcpu_state_info *info)
{
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&vcpu->seq);
		info->state = vcpu->state;
		info->failure = vcpu->failure;
		info->cause = vcpu->cause;
	} while (read_seqcount_retry(&vcpu->seq, seq));
}

/**
 * axvcpu_get_history() - the last transitions, oldest first
 * @vcpu: the vCPU
 * @entries: room for @max
 * @max: at most %AXVCPU_HISTORY_LEN; of more transitions the last ones are taken
 *
 * Context: process context; never waits for an operation.
 * Return: entries written.
 */
u32 axvcpu_get_history(struct axvcpu *vcpu, struct axvcpu_history_entry *entries, u32 max)
{
	struct axvcpu_history_entry unseen;
	unsigned int seq;
	u64 len;
	u32 n, i;

	do {
		seq = read_seqcount_begin(&vcpu->seq);
		len = vcpu->history_len;
		n = min3(len, (u64)max, (u64)AXVCPU_HISTORY_LEN);
		for (i = 0; i < n; i++)
			entries[i] = *history_entry(vcpu, len - n + i);
		if (n && vcpu->history_turns)
			count_turns(n > 1 ? &entries[n - 2] : &unseen, &entries[n - 1],
				    vcpu->history_turns);
	} while (read_seqcount_retry(&vcpu->seq, seq));
	return n;
}
