/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest MSRs: which of them exit, and those that the CPU has only at times. */
#ifndef _AXVCPU_VMX_MSR_H
#define _AXVCPU_VMX_MSR_H

#include <linux/compiler.h>

#include <asm/msr.h>

#include "vmx.h"
#include "vmx_host.h"
#include "vmx_insn.h"

int vmx_msr_init(void);
void vmx_msr_exit(void);
u64 vmx_msr_bitmap(const struct vmx_vcpu *vmx);
void vmx_syscall_msrs_load(struct vmx_vcpu *vmx);
void vmx_syscall_msrs_put(struct vmx_vcpu *vmx);
void vmx_tsc_aux_load(struct vmx_vcpu *vmx);

/**
 * vmx_msrs_load() - put into the CPU those MSRs that the guest can use now
 * @vmx: the vCPU
 *
 * SYSCALL needs EFER.SCE and SWAPGS 64-bit mode; a change of EFER exits, and
 * RDMSR and WRMSR of them do at all times.
 *
 * Context: preemption off.
 */
static __always_inline void vmx_msrs_load(struct vmx_vcpu *vmx)
{
	u64 base = vmx->msrs[VMX_MSR_KERNEL_GS_BASE];

	if (vmx->efer & EFER_LME) {
		if (base != vmx_host_take_kernel_gs_base(&vmx->host))
			vmx_wrmsr(MSR_KERNEL_GS_BASE, base);
		vmx->msrs_live = BIT(VMX_MSR_KERNEL_GS_BASE);
	}
	if (vmx->efer & EFER_SCE)
		vmx_syscall_msrs_load(vmx);
	if (unlikely(vmx->tsc_aux))
		vmx_tsc_aux_load(vmx);
}

/**
 * vmx_msrs_put() - the CPU has the host's MSRs again
 * @vmx: the vCPU
 *
 * Context: preemption off, on the CPU of vmx_msrs_load().
 */
static __always_inline void vmx_msrs_put(struct vmx_vcpu *vmx)
{
	u64 base;

	if (!vmx->msrs_live)
		return;
	if (vmx->msrs_live & BIT(VMX_MSR_KERNEL_GS_BASE)) {
		base = vmx_rdmsr(MSR_KERNEL_GS_BASE);
		vmx->msrs[VMX_MSR_KERNEL_GS_BASE] = base;
		vmx_host_restore_kernel_gs_base(&vmx->host, base);
	}
	if (unlikely(vmx->msrs_live & ~BIT(VMX_MSR_KERNEL_GS_BASE)))
		vmx_syscall_msrs_put(vmx);
	vmx->msrs_live = 0;
}

#endif /* _AXVCPU_VMX_MSR_H */
