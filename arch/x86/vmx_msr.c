// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs that the backend holds for the guest; all others are the VMM's. */
#include <linux/gfp.h>
#include <linux/string.h>

#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"

static bool any(u64 value)
{
	return true;
}

static bool is_canonical(u64 value)
{
	return (u64)((s64)(value << 16) >> 16) == value;
}

static bool is_u32(u64 value)
{
	return !(value >> 32);
}

/* Each byte is a memory type: UC, WC, WT, WP, WB or UC-. */
static bool is_pat(u64 value)
{
	return !(value & 0xf8f8f8f8f8f8f8f8ULL) &&
	       !((value >> 1) & ~(value >> 2) & 0x0101010101010101ULL);
}

static bool is_efer(u64 value)
{
	u64 valid = EFER_SCE | EFER_LME | EFER_LMA | (boot_cpu_has(X86_FEATURE_NX) ? EFER_NX : 0);

	return !(value & ~valid);
}

/* Where an MSR of the guest is: a field of the VMCS, or vmx->msrs[slot]. */
struct held_msr {
	u32 index;
	u32 field;
	u32 slot;
	bool (*valid)(u64 value);
	bool open;	/* the guest reads and writes it without an exit */
};

static const struct held_msr held_msrs[] = {
	{ MSR_EFER,		 0,			0,			 is_efer },
	{ MSR_IA32_CR_PAT,	 GUEST_IA32_PAT,	0,			 is_pat },
	{ MSR_FS_BASE,		 GUEST_FS_BASE,		0,			 is_canonical, true },
	{ MSR_GS_BASE,		 GUEST_GS_BASE,		0,			 is_canonical, true },
	{ MSR_IA32_SYSENTER_CS,	 GUEST_SYSENTER_CS,	0,			 is_u32, true },
	{ MSR_IA32_SYSENTER_ESP, GUEST_SYSENTER_ESP,	0,			 is_canonical, true },
	{ MSR_IA32_SYSENTER_EIP, GUEST_SYSENTER_EIP,	0,			 is_canonical, true },
	{ MSR_STAR,		 0,			VMX_MSR_STAR,		 any },
	{ MSR_LSTAR,		 0,			VMX_MSR_LSTAR,		 is_canonical },
	{ MSR_CSTAR,		 0,			VMX_MSR_CSTAR,		 is_canonical },
	{ MSR_SYSCALL_MASK,	 0,			VMX_MSR_SFMASK,		 is_u32 },
	{ MSR_KERNEL_GS_BASE,	 0,			VMX_MSR_KERNEL_GS_BASE,	 is_canonical },
};

static const u32 syscall_msrs[] = {
	[VMX_MSR_STAR]		= MSR_STAR,
	[VMX_MSR_LSTAR]		= MSR_LSTAR,
	[VMX_MSR_CSTAR]		= MSR_CSTAR,
	[VMX_MSR_SFMASK]	= MSR_SYSCALL_MASK,
};

/* The host's, the same on all CPUs and at all times. */
static u64 host_syscall_msrs[ARRAY_SIZE(syscall_msrs)] __ro_after_init;

/*
 * What MSR accesses exit, for all guests: all but a few. 1 KiB each for reads
 * of low MSRs, reads of high ones, writes of low, writes of high (SDM vol. 3,
 * 25.6.9).
 */
unsigned long *vmx_msr_bitmap __ro_after_init;

#define HIGH_MSRS	0xc0000000
#define BITMAP_HIGH	(1024 * BITS_PER_BYTE)
#define BITMAP_WRITE	(2048 * BITS_PER_BYTE)

static unsigned int __init bitmap_bit(u32 index)
{
	return index >= HIGH_MSRS ? BITMAP_HIGH + (index - HIGH_MSRS) : index;
}

/**
 * vmx_msr_init() - make the bitmap, look at the host's MSRs
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_msr_exit() is due in any case.
 */
int __init vmx_msr_init(void)
{
	size_t i;

	vmx_msr_bitmap = (unsigned long *)__get_free_page(GFP_KERNEL);
	if (!vmx_msr_bitmap)
		return -ENOMEM;
	memset(vmx_msr_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(held_msrs); i++) {
		if (!held_msrs[i].open)
			continue;
		__clear_bit(bitmap_bit(held_msrs[i].index), vmx_msr_bitmap);
		__clear_bit(bitmap_bit(held_msrs[i].index) + BITMAP_WRITE, vmx_msr_bitmap);
	}
	__clear_bit(bitmap_bit(MSR_IA32_TSC), vmx_msr_bitmap);

	for (i = 0; i < ARRAY_SIZE(syscall_msrs); i++)
		rdmsrl(syscall_msrs[i], host_syscall_msrs[i]);
	return 0;
}

/**
 * vmx_msr_exit() - undo vmx_msr_init()
 *
 * Context: module unload.
 */
void vmx_msr_exit(void)
{
	free_page((unsigned long)vmx_msr_bitmap);
}

static const struct held_msr *find(u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(held_msrs); i++) {
		if (held_msrs[i].index == index)
			return &held_msrs[i];
	}
	return NULL;
}

/**
 * vmx_msr_known() - is this MSR the backend's?
 * @index: its number
 *
 * Context: any.
 * Return: whether vmx_msr_get(), vmx_msr_valid() and vmx_msr_set() may be
 * called for it.
 */
bool vmx_msr_known(u32 index)
{
	return find(index);
}

static bool is_lma(struct vmx_vcpu *vmx)
{
	return (vmx->efer & EFER_LME) && (vmread(GUEST_CR0) & X86_CR0_PG);
}

/**
 * vmx_msr_get() - the guest's value of an MSR
 * @vmx: the vCPU, loaded
 * @index: a known one
 *
 * Context: preemption off.
 * Return: the value.
 */
u64 vmx_msr_get(struct vmx_vcpu *vmx, u32 index)
{
	const struct held_msr *msr = find(index);

	if (index == MSR_EFER)
		return vmx->efer | (is_lma(vmx) ? EFER_LMA : 0);
	if (msr->field)
		return vmread(msr->field);
	/* SWAPGS changes it without an exit. */
	if (index == MSR_KERNEL_GS_BASE && (vmx->msrs_live & BIT(VMX_MSR_KERNEL_GS_BASE)))
		return __rdmsr(MSR_KERNEL_GS_BASE);
	return vmx->msrs[msr->slot];
}

/**
 * vmx_msr_valid() - does the guest's CPU take this value?
 * @index: a known MSR
 * @value: the value
 *
 * Context: any.
 * Return: false where WRMSR is #GP whatever else the state is.
 */
bool vmx_msr_valid(u32 index, u64 value)
{
	return find(index)->valid(value);
}

/**
 * vmx_update_lma() - EFER.LMA and the mode at entry follow LME and paging
 * @vmx: the vCPU, loaded; efer or CR0 has changed
 *
 * Context: preemption off.
 */
void vmx_update_lma(struct vmx_vcpu *vmx)
{
	bool lma = is_lma(vmx);

	vmwrite(GUEST_IA32_EFER, vmx->efer | (lma ? EFER_LMA : 0));
	vmwrite(VM_ENTRY_CONTROLS, vmx_caps.entry | (lma ? VM_ENTRY_IA32E_MODE : 0));
}

/**
 * vmx_msr_set() - set the guest's value of an MSR
 * @vmx: the vCPU, loaded
 * @index: a known one
 * @value: a valid one; LMA in EFER is ignored
 *
 * Context: preemption off.
 */
void vmx_msr_set(struct vmx_vcpu *vmx, u32 index, u64 value)
{
	const struct held_msr *msr = find(index);

	if (msr->field) {
		vmwrite(msr->field, value);
		return;
	}
	/* What is in the CPU may be another choice afterwards. */
	vmx_msrs_put(vmx);
	if (index == MSR_EFER) {
		vmx->efer = value & ~EFER_LMA;
		vmx_update_lma(vmx);
	} else {
		vmx->msrs[msr->slot] = value;
	}
	vmx_msrs_load(vmx);
}

static void load_syscall_msrs(struct vmx_vcpu *vmx)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(syscall_msrs); i++) {
		if (vmx->msrs[i] == host_syscall_msrs[i])
			continue;
		native_wrmsrl(syscall_msrs[i], vmx->msrs[i]);
		vmx->msrs_live |= BIT(i);
	}
}

static void put_syscall_msrs(struct vmx_vcpu *vmx)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(syscall_msrs); i++) {
		if (vmx->msrs_live & BIT(i))
			native_wrmsrl(syscall_msrs[i], host_syscall_msrs[i]);
	}
}

/**
 * vmx_msrs_load() - put into the CPU those MSRs that the guest can use now
 * @vmx: the vCPU
 *
 * SYSCALL needs EFER.SCE and SWAPGS 64-bit mode; a change of EFER exits, and
 * RDMSR and WRMSR of them do at all times.
 *
 * Context: preemption off.
 */
void vmx_msrs_load(struct vmx_vcpu *vmx)
{
	u64 base = vmx->msrs[VMX_MSR_KERNEL_GS_BASE];

	if (vmx->efer & EFER_SCE)
		load_syscall_msrs(vmx);
	if (vmx->efer & EFER_LME) {
		vmx->host.kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
		if (base != vmx->host.kernel_gs_base)
			native_wrmsrl(MSR_KERNEL_GS_BASE, base);
		vmx->msrs_live |= BIT(VMX_MSR_KERNEL_GS_BASE);
	}
}

/**
 * vmx_msrs_put() - the CPU has the host's MSRs again
 * @vmx: the vCPU
 *
 * Context: preemption off, on the CPU of vmx_msrs_load().
 */
void vmx_msrs_put(struct vmx_vcpu *vmx)
{
	u64 base;

	if (vmx->msrs_live & BIT(VMX_MSR_KERNEL_GS_BASE)) {
		base = __rdmsr(MSR_KERNEL_GS_BASE);
		vmx->msrs[VMX_MSR_KERNEL_GS_BASE] = base;
		if (base != vmx->host.kernel_gs_base)
			native_wrmsrl(MSR_KERNEL_GS_BASE, vmx->host.kernel_gs_base);
	}
	if (unlikely(vmx->msrs_live & ~BIT(VMX_MSR_KERNEL_GS_BASE)))
		put_syscall_msrs(vmx);
	vmx->msrs_live = 0;
}
