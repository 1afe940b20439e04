/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's registers of x87, SSE and AVX. */
#ifndef _AXVCPU_VMX_FPU_H
#define _AXVCPU_VMX_FPU_H

#include <linux/compiler.h>

#include <asm/fpu/xcr.h>

#include "vmx.h"
#include "vmx_host.h"
#include "vmx_xsave.h"

extern u64 vmx_xcr0;

/* Those that a guest may have */
#define VMX_XFEATURES	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

/**
 * struct vmx_part - where XSAVE has an extended part, as CPUID leaf 0xd says
 * @size: bytes
 * @offset: from the area's beginning, in the standard format
 * @aligned: in the compacted format
 */
struct vmx_part {
	u32 size;
	u32 offset;
	bool aligned;
};

extern struct vmx_part vmx_parts[XFEATURE_Hi16_ZMM + 1];

void vmx_fpu_init(void);
int vmx_fpu_create(struct vmx_vcpu *vmx);
void vmx_fpu_destroy(struct vmx_vcpu *vmx);
void vmx_fpu_reset(struct vmx_vcpu *vmx);
void vmx_xcr0_changed(struct vmx_vcpu *vmx);
bool vmx_xcr0_valid(const struct vmx_vcpu *vmx, u64 xcr0);
void vmx_set_xcr0(struct vmx_vcpu *vmx, u64 xcr0);
u32 vmx_xsave_size(u64 xcr0);
u32 vmx_xsavec_size(u64 xcr0);
void vmx_fxsave_expand(struct vmx_vcpu *vmx);
void vmx_xstate_expand(struct vmx_vcpu *vmx, unsigned int part);

/**
 * vmx_fxsave() - the guest's registers of x87 and SSE, to read or write
 * @vmx: the vCPU, not between vmx_fpu_load() and vmx_fpu_put()
 *
 * Context: &struct axvcpu.mutex held.
 * Return: what FXSAVE writes.
 */
static __always_inline u64 *vmx_fxsave(struct vmx_vcpu *vmx)
{
	if (unlikely(~vmx->fpu->header.xfeatures & XFEATURE_MASK_FPSSE))
		vmx_fxsave_expand(vmx);
	return (u64 *)&vmx->fpu->i387;
}

/**
 * vmx_xstate() - an extended part of the guest's registers, to read or write
 * @vmx: the vCPU, not between vmx_fpu_load() and vmx_fpu_put()
 * @part: its number; vmx_xcr0 has it
 *
 * Context: &struct axvcpu.mutex held.
 * Return: where it stands.
 */
static __always_inline u64 *vmx_xstate(struct vmx_vcpu *vmx, unsigned int part)
{
	if (unlikely(!(vmx->fpu->header.xfeatures & BIT(part))))
		vmx_xstate_expand(vmx, part);
	return (void *)vmx->fpu + vmx_parts[part].offset;
}

/**
 * vmx_fpu_load() - a stretch starts: the CPU has the guest's registers
 * @vmx: the vCPU
 *
 * All others become initial, so that nothing of the host's is left.
 *
 * Context: interrupts off, until vmx_fpu_put().
 */
static __always_inline void vmx_fpu_load(struct vmx_vcpu *vmx)
{
	vmx_host_save_fpu();
	vmx_xrstor(vmx->fpu);
	if (unlikely(vmx->osxsave))
		vmx_xcr0_changed(vmx);
}

/**
 * vmx_fpu_put() - a stretch ends: the CPU has what it had before vmx_fpu_load()
 * @vmx: the vCPU
 *
 * Context: interrupts off.
 */
static __always_inline void vmx_fpu_put(struct vmx_vcpu *vmx)
{
	if (unlikely(vmx->xcr0_live)) {
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vmx_host_xcr0);
		vmx->xcr0_live = 0;
	}
	vmx_xsave(vmx->fpu, vmx->xfeatures);
	vmx_host_restore_fpu();
}

#endif /* _AXVCPU_VMX_FPU_H */
