/* SPDX-License-Identifier: GPL-2.0-only */
/* What each CPU has: its current vCPU, and whether virtualization is on. */
#ifndef _AXVCPU_PERCPU_H
#define _AXVCPU_PERCPU_H

#include <linux/percpu.h>
#include <linux/preempt.h>

#include "axvcpu_vcpu.h"

DECLARE_PER_CPU(struct axvcpu *, axvcpu_current);
DECLARE_PER_CPU(bool, axvcpu_hw_on);

/**
 * axvcpu_get_current() - the vCPU that this CPU operates on
 *
 * Context: preemption off, or the answer is only good for comparing with NULL.
 * Return: the vCPU, or NULL.
 */
static inline struct axvcpu *axvcpu_get_current(void)
{
	return this_cpu_read(axvcpu_current);
}

/**
 * axvcpu_nested() - would an operation started here be inside another one?
 *
 * An operation runs with preemption off, so a thread that finds this CPU's
 * current pointer set is inside it, or interrupts it.
 *
 * Context: any.
 * Return: true when the operation must be refused with -EDEADLK.
 */
static inline bool axvcpu_nested(void)
{
	return axvcpu_get_current() || !in_task();
}

/* axvcpu_with_current_cpu_set() where it is known that nothing is nested */
#define __axvcpu_with_current_cpu_set(vcpu, call)	\
({							\
	int __call_ret;					\
							\
	preempt_disable();				\
	__this_cpu_write(axvcpu_current, vcpu);		\
	__call_ret = (call);				\
	__this_cpu_write(axvcpu_current, NULL);		\
	preempt_enable();				\
	__call_ret;					\
})

/**
 * axvcpu_with_current_cpu_set() - call a function with the vCPU as this CPU's current one
 * @vcpu: the vCPU
 * @call: the call, an expression; evaluated with preemption off
 *
 * Context: &struct axvcpu.mutex held.
 * Return: @call's value, or -EDEADLK when an operation on a vCPU is under way
 * on this CPU already, or when this is no task.
 * Source: AxVCpu::with_current_cpu_set.
 */
#define axvcpu_with_current_cpu_set(vcpu, call) \
	(axvcpu_nested() ? -EDEADLK : __axvcpu_with_current_cpu_set(vcpu, call))

int axvcpu_percpu_init(void);
void axvcpu_percpu_exit(void);
int axvcpu_hw_get(void);
void axvcpu_hw_put(void);
int axvcpu_hw_turn_on(void);
void axvcpu_percpu_go_down(void);	/* in KUnit's module, as the next one */
void axvcpu_percpu_stay_up(void);

/**
 * axvcpu_hw_ready() - turn virtualization on here, unless it is
 *
 * Context: preemption off; the caller's vCPU holds axvcpu_hw_get().
 * Return: 0 or -EXDEV, as axvcpu_hw_turn_on().
 */
static __always_inline int axvcpu_hw_ready(void)
{
	return likely(__this_cpu_read(axvcpu_hw_on)) ? 0 : axvcpu_hw_turn_on();
}

#endif /* _AXVCPU_PERCPU_H */
