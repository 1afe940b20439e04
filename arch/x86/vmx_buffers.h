/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest could read out of the CPU's buffers. */
#ifndef _AXVCPU_VMX_BUFFERS_H
#define _AXVCPU_VMX_BUFFERS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct vmx_vcpu;

DECLARE_PER_CPU(bool, vmx_l1d_flush_due);

int vmx_buffers_init(void);
void vmx_buffers_exit(void);
bool vmx_buffers_matter(const struct vmx_vcpu *vmx);
void vmx_flush_buffers(void);

#endif /* _AXVCPU_VMX_BUFFERS_H */
