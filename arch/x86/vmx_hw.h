/* SPDX-License-Identifier: GPL-2.0-only */
/* VMX operation of each CPU, and the VMCSs that are active there. */
#ifndef _AXVCPU_VMX_HW_H
#define _AXVCPU_VMX_HW_H

#include <linux/compiler.h>
#include <linux/percpu.h>

#include "vmx.h"

/* The vCPU whose VMCS is current; written by this CPU only. */
DECLARE_PER_CPU(struct vmx_vcpu *, vmx_current);

int vmx_hw_init(void);
void vmx_hw_exit(void);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);
bool vmx_is_on(void);
void vmx_emergency_disable(void);
void vmx_init_region(void *region);
int vmx_fetch(struct vmx_vcpu *vmx);
void vmx_clear(struct vmx_vcpu *vmx);

/**
 * vmx_make_current() - make a vCPU's VMCS this CPU's current one
 * @vmx: the vCPU
 *
 * Context: preemption off, interrupts on, &struct axvcpu.mutex held.
 * Return: 0, or -EIO: this CPU is not in VMX operation.
 */
static __always_inline int vmx_make_current(struct vmx_vcpu *vmx)
{
	return likely(this_cpu_read(vmx_current) == vmx) ? 0 : vmx_fetch(vmx);
}

#endif /* _AXVCPU_VMX_HW_H */
