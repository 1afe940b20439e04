// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's registers of x87, SSE and AVX, as far as its XCR0 has them. It can
 * reach no others: XSETBV exits, CR4.PKE stays clear, and XSAVES is #UD.
 *
 * They are in the CPU with interrupts off only, and whatever else was in there
 * comes back, be it this thread's or what the kernel left from another one. So
 * nobody notices, and there is nothing to tell the kernel's own FPU code.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/processor.h>

#include "vmx_fpu.h"
#include "vmx_host.h"

/** vmx_xcr0 - the parts of XCR0 that guests may have; 0: no XSAVE */
u64 vmx_xcr0 __ro_after_init;

/* A guest's: a power of two, which makes its alignment the same. */
static size_t area_size __ro_after_init = 1024;
static_assert(sizeof(struct xregs_state) <= 1024);

/** vmx_parts - XSAVE's extended parts by number */
struct vmx_part vmx_parts[XFEATURE_Hi16_ZMM + 1] __ro_after_init;

#define FIRST_PART	XFEATURE_YMM

/* The control word of x87: all exceptions masked, 64 bits of precision */
#define FCW_RESET	0x37f

/**
 * vmx_fpu_create() - make a new guest's registers
 * @vmx: the vCPU
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int vmx_fpu_create(struct vmx_vcpu *vmx)
{
	vmx->fpu = kmalloc(area_size, GFP_KERNEL_ACCOUNT);
	if (!vmx->fpu)
		return -ENOMEM;
	vmx_fpu_reset(vmx);
	return 0;
}

/**
 * vmx_fpu_destroy() - free a guest's registers
 * @vmx: the vCPU
 *
 * Context: process context.
 */
void vmx_fpu_destroy(struct vmx_vcpu *vmx)
{
	kfree(vmx->fpu);
}

/**
 * vmx_fpu_reset() - the registers of a CPU after reset
 * @vmx: the vCPU, not between vmx_fpu_load() and vmx_fpu_put()
 *
 * Context: &struct axvcpu.mutex held, or nobody else knows the vCPU yet.
 */
void vmx_fpu_reset(struct vmx_vcpu *vmx)
{
	struct xregs_state *area = vmx->fpu;

	memset(area, 0, area_size);
	area->i387.cwd = FCW_RESET;
	area->i387.mxcsr = MXCSR_DEFAULT;
	area->header.xfeatures = XFEATURE_MASK_FPSSE;
	vmx->xcr0 = XFEATURE_MASK_FP;
	vmx->xfeatures = XFEATURE_MASK_FPSSE;
}

/**
 * vmx_fpu_init() - find out what guests may have
 *
 * Context: module load, after vmx_host_init().
 */
void __init vmx_fpu_init(void)
{
	u32 ecx, edx;
	int i;

	vmx_xcr0 = vmx_host_xcr0 & VMX_XFEATURES;
	if ((vmx_xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512)
		vmx_xcr0 &= ~(u64)XFEATURE_MASK_AVX512;
	for (i = FIRST_PART; i < ARRAY_SIZE(vmx_parts); i++) {
		if (!(vmx_xcr0 & BIT(i)))
			continue;
		cpuid_count(XSTATE_CPUID, i, &vmx_parts[i].size, &vmx_parts[i].offset, &ecx, &edx);
		vmx_parts[i].aligned = ecx & BIT(1);
	}
	area_size = max_t(size_t, area_size, roundup_pow_of_two(vmx_xsave_size(vmx_xcr0)));
}

/**
 * vmx_xcr0_changed() - the CPU has the XCR0 that the guest now has
 * @vmx: the vCPU; xcr0 or osxsave may have changed
 *
 * Without CR4.OSXSAVE nothing that the guest can do depends on it.
 *
 * Context: interrupts off, between vmx_fpu_load() and vmx_fpu_put().
 */
void vmx_xcr0_changed(struct vmx_vcpu *vmx)
{
	u64 xcr0 = vmx->osxsave ? vmx->xcr0 : vmx_host_xcr0;

	if (xcr0 != (vmx->xcr0_live ?: vmx_host_xcr0))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
	vmx->xcr0_live = xcr0 == vmx_host_xcr0 ? 0 : xcr0;
}

/**
 * vmx_xcr0_valid() - may the guest have this XCR0? (SDM vol. 1, 13.3)
 * @vmx: the vCPU
 * @xcr0: the value
 *
 * Context: any.
 * Return: whether it may.
 */
bool vmx_xcr0_valid(const struct vmx_vcpu *vmx, u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP) || (xcr0 & ~vmx->xcr0_allowed))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && (xcr0 & XFEATURE_MASK_YMM));
}

/**
 * vmx_set_xcr0() - change the guest's XCR0
 * @vmx: the vCPU
 * @xcr0: a value that vmx_xcr0_valid() takes
 *
 * What it once had on is saved from then on, although it may turn it off.
 *
 * Context: preemption off.
 */
void vmx_set_xcr0(struct vmx_vcpu *vmx, u64 xcr0)
{
	vmx->xcr0 = xcr0;
	vmx->xfeatures |= xcr0;
}

/**
 * vmx_xsave_size() - bytes that XSAVE writes
 * @xcr0: what is on
 *
 * Context: any.
 * Return: bytes in the standard format.
 */
u32 vmx_xsave_size(u64 xcr0)
{
	u32 size = FXSAVE_SIZE + XSAVE_HDR_SIZE;
	int i;

	for (i = FIRST_PART; i < ARRAY_SIZE(vmx_parts); i++) {
		if (xcr0 & BIT(i))
			size = max(size, vmx_parts[i].offset + vmx_parts[i].size);
	}
	return size;
}

/**
 * vmx_xsavec_size() - bytes that XSAVEC writes
 * @xcr0: what is on
 *
 * Context: any.
 * Return: bytes in the compacted format.
 */
u32 vmx_xsavec_size(u64 xcr0)
{
	u32 size = FXSAVE_SIZE + XSAVE_HDR_SIZE;
	int i;

	for (i = FIRST_PART; i < ARRAY_SIZE(vmx_parts); i++) {
		if (!(xcr0 & BIT(i)))
			continue;
		if (vmx_parts[i].aligned)
			size = ALIGN(size, 64);
		size += vmx_parts[i].size;
	}
	return size;
}

/*
 * What the CPU has found in its initial state, it need not have written: whoever
 * looks at it writes it then, and it is valid from now on. Without XSAVE all is
 * valid: RESET says so in the header, which FXSAVE leaves alone.
 */
static bool was_initial(struct xregs_state *area, unsigned int part)
{
	bool initial = !(area->header.xfeatures & BIT(part));

	area->header.xfeatures |= BIT(part);
	return initial;
}

/**
 * vmx_fxsave_expand() - write what XSAVE has left out of x87's and SSE's registers
 * @vmx: the vCPU, not between vmx_fpu_load() and vmx_fpu_put()
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_fxsave_expand(struct vmx_vcpu *vmx)
{
	struct fxregs_state *regs = &vmx->fpu->i387;

	if (was_initial(vmx->fpu, XFEATURE_FP)) {
		memset(regs, 0, offsetof(struct fxregs_state, mxcsr));
		memset(regs->st_space, 0, sizeof(regs->st_space));
		regs->cwd = FCW_RESET;
	}
	if (was_initial(vmx->fpu, XFEATURE_SSE))
		memset(regs->xmm_space, 0, sizeof(regs->xmm_space));
}

/**
 * vmx_xstate_expand() - write what XSAVE has left out of an extended part
 * @vmx: the vCPU, not between vmx_fpu_load() and vmx_fpu_put()
 * @part: its number; vmx_xcr0 has it
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_xstate_expand(struct vmx_vcpu *vmx, unsigned int part)
{
	if (was_initial(vmx->fpu, part))
		memset((void *)vmx->fpu + vmx_parts[part].offset, 0, vmx_parts[part].size);
}
