/* SPDX-License-Identifier: GPL-2.0-only */
/* The instructions that save and load x87, SSE and AVX, each wrapped once. */
#ifndef _AXVCPU_VMX_XSAVE_H
#define _AXVCPU_VMX_XSAVE_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>

/* All but PKRU, which the kernel switches apart, and which it needs itself. */
#define VMX_FPU_ALL	(~(u64)XFEATURE_MASK_PKRU)

/**
 * vmx_xsave() - XSAVE, or what there is of it
 * @area: 64-byte aligned
 * @mask: which parts
 *
 * Context: interrupts off.
 */
static __always_inline void vmx_xsave(struct xregs_state *area, u64 mask)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile(ALTERNATIVE("xsave64 %0", "xsaveopt64 %0", X86_FEATURE_XSAVEOPT)
			     : "+m" (*area) : "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsaveq %0" : "=m" (*area));
}

/**
 * vmx_xrstor() - XRSTOR, or what there is of it
 * @area: what it loads; parts that it lacks are initial afterwards
 *
 * Context: interrupts off.
 */
static __always_inline void vmx_xrstor(struct xregs_state *area)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0"
			     : : "m" (*area), "a" ((u32)VMX_FPU_ALL),
				 "d" ((u32)(VMX_FPU_ALL >> 32)) : "memory");
	else
		asm volatile("fxrstorq %0" : : "m" (*area));
}

#endif /* _AXVCPU_VMX_XSAVE_H */
