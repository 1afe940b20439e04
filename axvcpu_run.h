/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop. */
#ifndef _AXVCPU_RUN_H
#define _AXVCPU_RUN_H

#include <linux/compiler.h>

#include "axvcpu_arch.h"
#include "axvcpu_percpu.h"
#include "axvcpu_vcpu.h"

void axvcpu_run_init(void);
int axvcpu_run(struct axvcpu *vcpu, unsigned long flags);
int axvcpu_run_locked(struct axvcpu *vcpu, unsigned long flags);	/* in KUnit's module */
void axvcpu_poke(struct axvcpu *vcpu);
void axvcpu_kick(struct axvcpu *vcpu);

/**
 * axvcpu_load() - make the vCPU this CPU's
 * @vcpu: the vCPU
 * @cpu: this CPU
 *
 * Context: preemption off, the vCPU is current, &struct axvcpu.mutex held.
 * Ends with the backend's put.
 * Return: 0 or a negative errno; -EXDEV: virtualization is off on this CPU, and stays off.
 */
static __always_inline int axvcpu_load(struct axvcpu *vcpu, int cpu)
{
	int ret = axvcpu_hw_ready();

	if (unlikely(ret))
		return ret;
	ret = static_call(axvcpu_arch_load)(vcpu);
	if (ret || likely(vcpu->last_cpu == cpu))
		return ret;
	if (vcpu->last_cpu >= 0)
		vcpu->stats.migrations++;
	WRITE_ONCE(vcpu->last_cpu, cpu);
	vcpu->tlb_gen = 0;
	return 0;
}

#endif /* _AXVCPU_RUN_H */
