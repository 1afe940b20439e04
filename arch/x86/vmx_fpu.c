// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's x87 and SSE registers. It can reach no others: CR4.OSXSAVE and
 * CR4.PKE stay clear in the guest.
 *
 * They are in the CPU with interrupts off only, and whatever else was in there
 * comes back, be it this thread's or what the kernel left from another one. So
 * nobody notices, and there is nothing to tell the kernel's own FPU code.
 */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xstate.h>
#include <asm/processor.h>

#include "vmx.h"

/* A guest's: room for the legacy region and the header; all else is initial. */
#define AREA_SIZE	1024
static_assert(sizeof(struct xregs_state) <= AREA_SIZE);

/* As the CPU has them after reset. */
static void reset_area(struct xregs_state *area)
{
	memset(area, 0, AREA_SIZE);
	area->i387.cwd = 0x37f;
	area->i387.mxcsr = MXCSR_DEFAULT;
	area->header.xfeatures = XFEATURE_MASK_FPSSE;
}

/**
 * vmx_fpu_create() - make a new guest's registers
 * @vmx: the vCPU
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int vmx_fpu_create(struct vmx_vcpu *vmx)
{
	/* A power of two, which makes its alignment the same. */
	vmx->fpu = kmalloc(AREA_SIZE, GFP_KERNEL_ACCOUNT);
	if (!vmx->fpu)
		return -ENOMEM;
	reset_area(vmx->fpu);
	return 0;
}

/**
 * vmx_fpu_destroy() - free a guest's registers
 * @vmx: the vCPU
 */
void vmx_fpu_destroy(struct vmx_vcpu *vmx)
{
	kfree(vmx->fpu);
}

/**
 * vmx_fpu_reset() - the registers of a CPU after reset
 * @vmx: the vCPU, not loaded
 */
void vmx_fpu_reset(struct vmx_vcpu *vmx)
{
	reset_area(vmx->fpu);
}

/* All but PKRU, which the kernel switches apart, and which it needs itself. */
#define EVERYTHING	(~(u64)XFEATURE_MASK_PKRU)

/* What the CPU had before, while it has a guest's */
static struct xregs_state __percpu *host_area __ro_after_init;

/**
 * vmx_fpu_init() - make room for the host's registers
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_fpu_exit() is due in any case.
 */
int __init vmx_fpu_init(void)
{
	size_t size = sizeof(struct xregs_state);

	if (boot_cpu_has(X86_FEATURE_XSAVE))
		size = cpuid_ebx(XSTATE_CPUID);	/* of all that XCR0 has on */
	host_area = __alloc_percpu(size, 64);
	return host_area ? 0 : -ENOMEM;
}

/**
 * vmx_fpu_exit() - undo vmx_fpu_init()
 *
 * Context: module unload.
 */
void vmx_fpu_exit(void)
{
	free_percpu(host_area);
}

static __always_inline void save(struct xregs_state *area, u64 mask)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile(ALTERNATIVE("xsave64 %0", "xsaveopt64 %0", X86_FEATURE_XSAVEOPT)
			     : "+m" (*area) : "a" ((u32)mask), "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsaveq %0" : "=m" (*area));
}

static __always_inline void restore(struct xregs_state *area)
{
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0"
			     : : "m" (*area), "a" ((u32)EVERYTHING),
				 "d" ((u32)(EVERYTHING >> 32)) : "memory");
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
void vmx_fpu_load(struct vmx_vcpu *vmx)
{
	save(this_cpu_ptr(host_area), EVERYTHING);
	restore(vmx->fpu);
}

/**
 * vmx_fpu_put() - the CPU has again what it had before vmx_fpu_load()
 * @vmx: the vCPU
 *
 * Context: interrupts off.
 */
void vmx_fpu_put(struct vmx_vcpu *vmx)
{
	save(vmx->fpu, XFEATURE_MASK_FPSSE);
	restore(this_cpu_ptr(host_area));
}
