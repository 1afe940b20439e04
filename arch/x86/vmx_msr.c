// SPDX-License-Identifier: GPL-2.0-only
/* Guest MSRs: which of them exit, and those that the CPU has only at times. */
#include <linux/gfp.h>
#include <linux/string.h>

#include <asm/msr.h>

#include "vmx_host.h"
#include "vmx_insn.h"
#include "vmx_msr.h"

/* The guest reads and writes these without an exit: they are the VMCS's. */
static const u32 open_msrs[] __initconst = {
	MSR_FS_BASE, MSR_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

/*
 * What MSR accesses exit: all but a few. 1 KiB each for reads of low MSRs, reads of
 * high ones, writes of low, writes of high (SDM vol. 3, 25.6.9). There are two pages,
 * the second for guests that have IA32_SPEC_CTRL: they read it.
 */
static unsigned long *bitmaps __ro_after_init;

#define HIGH_MSRS	0xc0000000
#define BITMAP_HIGH	(1024 * BITS_PER_BYTE)
#define BITMAP_WRITE	(2048 * BITS_PER_BYTE)

static unsigned int __init bitmap_bit(u32 index)
{
	return index >= HIGH_MSRS ? BITMAP_HIGH + (index - HIGH_MSRS) : index;
}

/**
 * vmx_msr_init() - make the bitmap
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_msr_exit() is due in any case.
 */
int __init vmx_msr_init(void)
{
	void *second;
	size_t i;

	bitmaps = (unsigned long *)__get_free_pages(GFP_KERNEL, 1);
	if (!bitmaps)
		return -ENOMEM;
	memset(bitmaps, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(open_msrs); i++) {
		__clear_bit(bitmap_bit(open_msrs[i]), bitmaps);
		__clear_bit(bitmap_bit(open_msrs[i]) + BITMAP_WRITE, bitmaps);
	}
	__clear_bit(bitmap_bit(MSR_IA32_TSC), bitmaps);
	second = (void *)bitmaps + PAGE_SIZE;
	memcpy(second, bitmaps, PAGE_SIZE);
	__clear_bit(bitmap_bit(MSR_IA32_SPEC_CTRL), second);
	return 0;
}

/**
 * vmx_msr_exit() - undo vmx_msr_init()
 *
 * Context: module unload.
 */
void vmx_msr_exit(void)
{
	free_pages((unsigned long)bitmaps, 1);
}

/**
 * vmx_msr_bitmap() - what MSR accesses of a vCPU exit
 * @vmx: the vCPU, after vmx_cpuid_commit()
 *
 * Context: any.
 * Return: the bitmap's physical address.
 */
u64 vmx_msr_bitmap(const struct vmx_vcpu *vmx)
{
	return __pa(bitmaps) + (vmx->spec_ctrl_allowed ? PAGE_SIZE : 0);
}

/**
 * vmx_syscall_msrs_load() - the CPU has the guest's MSRs for SYSCALL
 * @vmx: the vCPU
 *
 * Context: preemption off.
 */
void vmx_syscall_msrs_load(struct vmx_vcpu *vmx)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmx_host_msrs); i++) {
		if (vmx->msrs[i] == vmx_host_msrs[i].value)
			continue;
		vmx_wrmsr(vmx_host_msrs[i].index, vmx->msrs[i]);
		vmx->msrs_live |= BIT(i);
	}
}

/**
 * vmx_syscall_msrs_put() - the CPU has the host's MSRs for SYSCALL and RDTSCP
 * @vmx: the vCPU
 *
 * Context: preemption off.
 */
void vmx_syscall_msrs_put(struct vmx_vcpu *vmx)
{
	vmx_host_restore_msrs(&vmx->host, vmx->msrs_live);
}

/**
 * vmx_tsc_aux_load() - the CPU has what RDTSCP tells the guest
 * @vmx: the vCPU
 *
 * The host's is each CPU's own; vmx_syscall_msrs_put() puts it back.
 *
 * Context: preemption off.
 */
void vmx_tsc_aux_load(struct vmx_vcpu *vmx)
{
	if (vmx->msrs[VMX_MSR_TSC_AUX] == vmx_host_take_tsc_aux(&vmx->host))
		return;
	vmx_wrmsr(MSR_TSC_AUX, vmx->msrs[VMX_MSR_TSC_AUX]);
	vmx->msrs_live |= BIT(VMX_MSR_TSC_AUX);
}
