/* SPDX-License-Identifier: GPL-2.0-only */
/* MSRs that entries and exits load by lists. */
#ifndef _AXVCPU_VMX_PERF_H
#define _AXVCPU_VMX_PERF_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include <asm/vmx.h>

struct vmx_vcpu;

/* IA32_SPEC_CTRL, and of perf's three at most, on CPUs with EPT */
#define VMX_NR_LISTED_MSRS	4

/**
 * struct vmx_perf - see vmx_perf.c
 * @guest: what an entry loads; IA32_SPEC_CTRL first, if the guest has it
 * @host: what an exit loads
 * @nr: of the host's counters; 0: these are for guest and host alike
 */
struct vmx_perf {
	struct vmx_msr_entry guest[VMX_NR_LISTED_MSRS];
	struct vmx_msr_entry host[VMX_NR_LISTED_MSRS];
	u32 nr;
};

DECLARE_STATIC_KEY_FALSE(vmx_has_pmu);

void vmx_perf_init(void);
void vmx_perf_init_vmcs(struct vmx_vcpu *vmx);
void vmx_put_spec_ctrl(struct vmx_vcpu *vmx);
void vmx_perf_begin(struct vmx_vcpu *vmx);
void vmx_perf_end(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_PERF_H */
