// SPDX-License-Identifier: GPL-2.0-only
/* Host state: what the VMCS has for an exit, and what is saved and restored beside it. */
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/cpu_entry_area.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "entry.h"
#include "vmx_host.h"
#include "vmx_insn.h"

/** vmx_host_msrs - the host's MSRs for SYSCALL, by &enum vmx_switched_msr */
struct vmx_host_msr vmx_host_msrs[VMX_NR_SYSCALL_MSRS] __ro_after_init = {
	[VMX_MSR_STAR]		= { MSR_STAR },
	[VMX_MSR_LSTAR]		= { MSR_LSTAR },
	[VMX_MSR_CSTAR]		= { MSR_CSTAR },
	[VMX_MSR_SFMASK]	= { MSR_SYSCALL_MASK },
};

/** vmx_host_fpu - what the CPU had before, while it has a guest's */
struct xregs_state __percpu *vmx_host_fpu __ro_after_init;

/** vmx_host_xcr0 - the host's own XCR0, the same on all CPUs and at all times */
u64 vmx_host_xcr0 __ro_after_init;

/**
 * vmx_host_init() - look at what does not change, make room for the rest
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_host_exit() is due in any case.
 */
int __init vmx_host_init(void)
{
	size_t i, size = sizeof(struct xregs_state);

	for (i = 0; i < ARRAY_SIZE(vmx_host_msrs); i++)
		rdmsrl(vmx_host_msrs[i].index, vmx_host_msrs[i].value);
	if (boot_cpu_has(X86_FEATURE_XSAVE)) {
		vmx_host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		size = cpuid_ebx(XSTATE_CPUID);	/* of all that XCR0 has on */
	}
	vmx_host_fpu = __alloc_percpu(size, 64);
	return vmx_host_fpu ? 0 : -ENOMEM;
}

/**
 * vmx_host_exit() - undo vmx_host_init()
 *
 * Context: module unload.
 */
void vmx_host_exit(void)
{
	free_percpu(vmx_host_fpu);
}

/**
 * vmx_host_init_vmcs() - write the host state that is the same on all CPUs
 * @host: the vCPU's, its VMCS current
 *
 * Selectors that are not null would have to be of the kernel's privilege;
 * vmx_host_put() restores what a thread has in them.
 *
 * Context: preemption off.
 */
void vmx_host_init_vmcs(struct vmx_host *host)
{
	u64 msr;

	/* What a section or stretch finds changed, it writes. */
	host->rsp = 0;
	host->cr3 = 0;
	host->cr4 = 0;
	host->fs_base = 0;
	host->debugctl = 0;
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, 0);
	vmwrite(HOST_CR4, 0);
	vmwrite(HOST_RSP, 0);
	vmwrite(HOST_RIP, (unsigned long)vmx_vmexit);
	vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	vmwrite(HOST_DS_SELECTOR, 0);
	vmwrite(HOST_ES_SELECTOR, 0);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmwrite(HOST_FS_BASE, 0);

	rdmsrl(MSR_IA32_SYSENTER_CS, msr);
	vmwrite(HOST_IA32_SYSENTER_CS, msr);
	rdmsrl(MSR_IA32_SYSENTER_EIP, msr);
	vmwrite(HOST_IA32_SYSENTER_EIP, msr);
	rdmsrl(MSR_IA32_CR_PAT, msr);
	vmwrite(HOST_IA32_PAT, msr);
	rdmsrl(MSR_EFER, msr);
	vmwrite(HOST_IA32_EFER, msr);
}

/**
 * vmx_host_move() - write the host state that each CPU has its own of
 * @host: of the vCPU that came to this CPU, its VMCS current
 *
 * Context: preemption off.
 */
void vmx_host_move(struct vmx_host *host)
{
	int cpu = smp_processor_id();

	vmwrite(HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	host->gdt.size = GDT_SIZE - 1;
	host->gdt.address = (unsigned long)get_current_gdt_ro();
	vmwrite(HOST_GDTR_BASE, host->gdt.address);
	store_idt(&host->idt);
	vmwrite(HOST_IDTR_BASE, host->idt.address);
	vmwrite(HOST_GS_BASE, cpu_kernelmode_gs_base(cpu));
	vmwrite(HOST_IA32_SYSENTER_ESP, (unsigned long)(cpu_entry_stack(cpu) + 1));
}

/**
 * vmx_host_restore_msrs() - the CPU has the host's MSRs for SYSCALL and RDTSCP
 * @host: the vCPU's
 * @live: bit n: it has the guest's MSR n of &enum vmx_switched_msr
 *
 * Context: preemption off.
 */
void vmx_host_restore_msrs(const struct vmx_host *host, u32 live)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmx_host_msrs); i++) {
		if (live & BIT(i))
			vmx_wrmsr(vmx_host_msrs[i].index, vmx_host_msrs[i].value);
	}
	if (live & BIT(VMX_MSR_TSC_AUX))
		vmx_wrmsr(MSR_TSC_AUX, host->tsc_aux);
}

/**
 * vmx_host_restore_segments() - a thread's that are not null; an exit leaves null selectors
 * @host: the vCPU's; KERNEL_GS_BASE is the thread's
 *
 * Context: preemption off.
 */
void vmx_host_restore_segments(const struct vmx_host *host)
{
	if (host->ldt)
		asm volatile("lldt %0" : : "m" (host->ldt));
	loadsegment(ds, host->ds);
	loadsegment(es, host->es);
	if (host->fs) {
		/* A base that the thread has written itself is not the selector's. */
		loadsegment(fs, host->fs);
		x86_fsbase_write_cpu(host->fs_base);
	}
	if (host->gs) {
		/* This loads the inactive base too, which is the thread's already. */
		u64 base = vmx_rdmsr(MSR_KERNEL_GS_BASE);

		load_gs_index(host->gs);
		vmx_wrmsr(MSR_KERNEL_GS_BASE, base);
	}
}

/**
 * vmx_host_reload_tss() - a thread may use ports: the TSS is as long as it was
 *
 * Context: preemption off.
 */
void vmx_host_reload_tss(void)
{
	invalidate_tss_limit();
}
