/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID tells the guest. */
#ifndef _AXVCPU_VMX_CPUID_H
#define _AXVCPU_VMX_CPUID_H

#include <linux/types.h>

struct vmx_vcpu;

void vmx_cpuid_init(void);
int vmx_cpuid_create(struct vmx_vcpu *vmx);
void vmx_cpuid_commit(struct vmx_vcpu *vmx);
void vmx_cpuid(struct vmx_vcpu *vmx);
int vmx_get_cpuid(const struct vmx_vcpu *vmx, u64 id, u64 *value);
int vmx_check_cpuid(u64 id, u64 value);
void vmx_set_cpuid(struct vmx_vcpu *vmx, u64 id, u64 value);

#endif /* _AXVCPU_VMX_CPUID_H */
