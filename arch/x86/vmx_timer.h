/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX-preemption timer. */
#ifndef _AXVCPU_VMX_TIMER_H
#define _AXVCPU_VMX_TIMER_H

#include <linux/types.h>

struct vmx_vcpu;

void vmx_set_timer(struct vmx_vcpu *vmx, u64 ticks);
u64 vmx_timer(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_TIMER_H */
