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

void vmx_fpu_init(void);
int vmx_fpu_create(struct vmx_vcpu *vmx);
void vmx_fpu_destroy(struct vmx_vcpu *vmx);
void vmx_fpu_reset(struct vmx_vcpu *vmx);
void vmx_xcr0_changed(struct vmx_vcpu *vmx);
bool vmx_xcr0_valid(const struct vmx_vcpu *vmx, u64 xcr0);
void vmx_set_xcr0(struct vmx_vcpu *vmx, u64 xcr0);
u32 vmx_xsave_size(u64 xcr0);
u32 vmx_xsavec_size(u64 xcr0);
u64 *vmx_fxsave(struct vmx_vcpu *vmx);
u64 *vmx_xstate(struct vmx_vcpu *vmx, unsigned int part);

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
