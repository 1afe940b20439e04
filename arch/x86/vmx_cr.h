/* SPDX-License-Identifier: GPL-2.0-only */
/* Control registers and EFER, and what the guest sees of them. */
#ifndef _AXVCPU_VMX_CR_H
#define _AXVCPU_VMX_CR_H

#include <linux/types.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_insn.h"

/* CR0 bits that the guest sees but does not get: its caches stay on. */
#define VMX_CR0_OWNED	(X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)

/**
 * vmx_cr4_owned() - bits of CR4 whose change exits
 * @vmx: the vCPU
 *
 * Context: any.
 * Return: a mask.
 */
static inline u64 vmx_cr4_owned(const struct vmx_vcpu *vmx)
{
	return ~vmx->cr4_allowed | X86_CR4_OSXSAVE | X86_CR4_MCE;
}

/**
 * vmx_long_mode_active() - is paging that of long mode?
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off, loaded.
 * Return: EFER.LMA.
 */
static inline bool vmx_long_mode_active(const struct vmx_vcpu *vmx)
{
	return (vmx->efer & EFER_LME) && (vmread(GUEST_CR0) & X86_CR0_PG);
}

/**
 * vmx_cr4_valid() - may the guest have this CR4, by its CPUID?
 * @vmx: the vCPU
 * @value: the value
 *
 * What a MOV to CR4 wants besides stands in vmx_exit_cr.c.
 *
 * Context: any.
 * Return: whether it may.
 */
static inline bool vmx_cr4_valid(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value & ~vmx->cr4_allowed);
}

u64 vmx_cr0(void);
void vmx_set_cr0(struct vmx_vcpu *vmx, u64 value);
bool vmx_cr3_valid(const struct vmx_vcpu *vmx, u64 value);
u64 vmx_cr4(const struct vmx_vcpu *vmx);
void vmx_set_cr4(struct vmx_vcpu *vmx, u64 value);
void vmx_update_lma(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_CR_H */
