/* SPDX-License-Identifier: GPL-2.0-only */
/* The state machine: its operations on a vCPU are axvcpu_table.h's transitions. */
#ifndef _AXVCPU_STATE_H
#define _AXVCPU_STATE_H

#include "axvcpu_percpu.h"
#include "axvcpu_vcpu.h"

void axvcpu_state_init(struct axvcpu *vcpu);
int axvcpu_state_running(struct axvcpu *vcpu);
int axvcpu_state_ran(struct axvcpu *vcpu);
int axvcpu_state_failed(struct axvcpu *vcpu, int error);
int axvcpu_begin_transition(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			    enum axvcpu_state to);
int axvcpu_end_transition(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			  enum axvcpu_state to, int error);
int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			    enum axvcpu_state to);
void axvcpu_reg_refused(struct axvcpu *vcpu, enum axvcpu_op op, u64 reg, int error);
void axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state);
void axvcpu_get_failure(struct axvcpu *vcpu, struct axvcpu_state_info *info);
u32 axvcpu_get_history(struct axvcpu *vcpu, struct axvcpu_history_entry *entries, u32 max);

/**
 * axvcpu_state() - the state, at any time
 * @vcpu: the vCPU
 *
 * Context: any; takes no lock.
 * Return: the state.
 */
static inline enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu)
{
	return READ_ONCE(vcpu->state);
}

/**
 * axvcpu_with_state_transition() - verify, call, commit
 * @vcpu: the vCPU
 * @op: operation, for the record
 * @from: state that the vCPU must be in
 * @to: state after success
 * @call: what to do in between, an expression
 *
 * A vCPU in another state than @from, or a transition that is not in
 * AXVCPU_TRANSITIONS: Invalid, -EBADFD, and @call is not evaluated. @call
 * fails: Invalid, @call's error.
 *
 * Context: &struct axvcpu.mutex held; otherwise as @call wants.
 * Return: 0 or a negative errno.
 * Source: AxVCpu::with_state_transition.
 */
#define axvcpu_with_state_transition(vcpu, op, from, to, call)			\
({										\
	struct axvcpu *__vcpu = (vcpu);						\
	enum axvcpu_op __op = (op);						\
	enum axvcpu_state __from = (from), __to = (to);				\
										\
	axvcpu_begin_transition(__vcpu, __op, __from, __to) ?:			\
		axvcpu_end_transition(__vcpu, __op, __from, __to, (call));	\
})

/**
 * axvcpu_manipulate_arch_vcpu() - a transition whose work is the backend's
 * @vcpu: the vCPU
 * @op: operation
 * @from: state that the vCPU must be in
 * @to: state after success
 * @call: the work, an expression; evaluated with preemption off and the vCPU current
 *
 * Inside another operation on this CPU, or outside of task context, nothing
 * starts and no state changes.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or a negative errno; -EDEADLK: nested.
 * Source: AxVCpu::manipulate_arch_vcpu.
 */
#define axvcpu_manipulate_arch_vcpu(vcpu, op, from, to, call)				\
({											\
	struct axvcpu *__arch_vcpu = (vcpu);						\
											\
	axvcpu_nested() ? -EDEADLK :							\
		axvcpu_with_state_transition(__arch_vcpu, op, from, to,			\
			axvcpu_with_current_cpu_set(__arch_vcpu, call));		\
})

#endif /* _AXVCPU_STATE_H */
