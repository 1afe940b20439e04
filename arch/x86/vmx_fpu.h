/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's FPU into the CPU and out: what each stretch of entries does. */
#ifndef _AXVCPU_VMX_FPU_H
#define _AXVCPU_VMX_FPU_H

#include <linux/percpu.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>

#include "vmx.h"

/* All but PKRU, which the kernel switches apart, and which it needs itself. */
#define VMX_FPU_ALL	(~(u64)XFEATURE_MASK_PKRU)

extern struct xregs_state __percpu *vmx_host_fpu;
extern u64 vmx_host_xcr0;

static __always_inline void vmx_xsave(struct xregs_state *area, u64 mask)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile(ALTERNATIVE("xsave64 %0", "xsaveopt64 %0", X86_FEATURE_XSAVEOPT)
			     : "+m" (*area) : "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsaveq %0" : "=m" (*area));
}

static __always_inline void vmx_xrstor(struct xregs_state *area)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0"
			     : : "m" (*area), "a" ((u32)VMX_FPU_ALL),
				 "d" ((u32)(VMX_FPU_ALL >> 32)) : "memory");
	else
		asm volatile("fxrstorq %0" : : "m" (*area));
}

/**
 * vmx_fpu_load() - the CPU has the guest's registers
 * @vmx: the vCPU
 *
 * All others become initial, so that nothing of the host's is left.
 *
 * Context: interrupts off, until vmx_fpu_put().
 */
static __always_inline void vmx_fpu_load(struct vmx_vcpu *vmx)
{
	vmx_xsave(this_cpu_ptr(vmx_host_fpu), VMX_FPU_ALL);
	vmx_xrstor(vmx->fpu);
	if (unlikely(vmx->osxsave))
		vmx_xcr0_changed(vmx);
}

/**
 * vmx_fpu_put() - the CPU has again what it had before vmx_fpu_load()
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
	vmx_xrstor(this_cpu_ptr(vmx_host_fpu));
}

#endif /* _AXVCPU_VMX_FPU_H */
