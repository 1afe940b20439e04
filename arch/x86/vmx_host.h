/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host state: what the host has in a CPU's registers, and a guest's takes the
 * place of. An exit loads what the VMCS has. The rest is saved and restored beside
 * it: what only userspace and other tasks use, around a section; what the kernel
 * uses while interrupts are on, around a stretch.
 */
#ifndef _AXVCPU_VMX_HOST_H
#define _AXVCPU_VMX_HOST_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <linux/types.h>

#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/vmx.h>

#include "vmx_insn.h"
#include "vmx_xsave.h"

/*
 * MSRs that the hardware does not switch with the VMCS. The host needs them
 * only outside of sections, the guest not always, see vmx_msrs_load().
 */
enum vmx_switched_msr {
	VMX_MSR_STAR,
	VMX_MSR_LSTAR,
	VMX_MSR_CSTAR,
	VMX_MSR_SFMASK,
	VMX_NR_SYSCALL_MSRS,
	VMX_MSR_KERNEL_GS_BASE = VMX_NR_SYSCALL_MSRS,
	VMX_MSR_TSC_AUX,
	VMX_MSR_SPEC_CTRL,	/* by lists of the VMCS, see vmx_perf.c */
	VMX_NR_SWITCHED_MSRS,
};

/**
 * struct vmx_host - host state that belongs to a thread or a CPU
 * @rsp: HOST_RSP, as the VMCS has it
 * @cr3: HOST_CR3, the same
 * @cr4: HOST_CR4, the same
 * @fs_base: HOST_FS_BASE, the same
 * @gdt: the CPU's
 * @idt: the same
 * @kernel_gs_base: the thread's MSR_KERNEL_GS_BASE, in a section
 * @tsc_aux: the CPU's MSR_TSC_AUX, in a section
 * @selectors: not 0: the thread has a selector that is not null
 * @ldt: its LDT
 * @ds: its DS
 * @es: its ES
 * @fs: its FS
 * @gs: its GS
 * @debugctl: the CPU's IA32_DEBUGCTL, in a stretch
 */
struct vmx_host {
	unsigned long rsp;
	unsigned long cr3;
	unsigned long cr4;
	unsigned long fs_base;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	u64 kernel_gs_base;
	u64 tsc_aux;
	u16 selectors;
	u16 ldt;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
	u32 debugctl;
};

/**
 * struct vmx_host_msr - an MSR of the host's for SYSCALL
 * @index: its number
 * @value: the same on all CPUs and at all times
 */
struct vmx_host_msr {
	u32 index;
	u64 value;
};

extern struct vmx_host_msr vmx_host_msrs[VMX_NR_SYSCALL_MSRS];
extern struct xregs_state __percpu *vmx_host_fpu;
extern u64 vmx_host_xcr0;

int vmx_host_init(void);
void vmx_host_exit(void);
void vmx_host_init_vmcs(struct vmx_host *host);
void vmx_host_move(struct vmx_host *host);
void vmx_host_restore_msrs(const struct vmx_host *host, u32 live);
void vmx_host_restore_segments(const struct vmx_host *host);
void vmx_host_reload_tss(void);

/* Mostly, a thread has null selectors and no LDT. */
static __always_inline void vmx_host_save_segments(struct vmx_host *host)
{
	unsigned int ds, es, fs, gs, ldt;

	asm("mov %%ds, %0" : "=r" (ds));
	asm("mov %%es, %0" : "=r" (es));
	asm("mov %%fs, %0" : "=r" (fs));
	asm("mov %%gs, %0" : "=r" (gs));
	asm("sldt %0" : "=r" (ldt));
	host->selectors = ds | es | fs | gs | ldt;
	if (unlikely(host->selectors)) {
		host->ds = ds;
		host->es = es;
		host->fs = fs;
		host->gs = gs;
		host->ldt = ldt;
	}
}

/**
 * vmx_host_load() - save what a section takes away from the thread
 * @host: the vCPU's, its VMCS current
 *
 * Context: preemption off; vmx_host_put() is due.
 */
static __always_inline void vmx_host_load(struct vmx_host *host)
{
	unsigned long base;

	vmx_host_save_segments(host);
	base = cpu_feature_enabled(X86_FEATURE_FSGSBASE) ? rdfsbase() : x86_fsbase_read_cpu();
	if (unlikely(base != host->fs_base)) {
		host->fs_base = base;
		vmwrite(HOST_FS_BASE, base);
	}
}

/**
 * vmx_host_put() - the thread and the CPU have again what they had before the section
 * @host: the vCPU's, after vmx_host_load(); KERNEL_GS_BASE is the thread's
 *
 * An exit leaves the limits of GDT, IDT and TSS other than they are.
 *
 * Context: preemption off.
 */
static __always_inline void vmx_host_put(const struct vmx_host *host)
{
	load_gdt(&host->gdt);
	load_idt(&host->idt);
	if (unlikely(host->selectors))
		vmx_host_restore_segments(host);
	if (unlikely(test_thread_flag(TIF_IO_BITMAP)))
		vmx_host_reload_tss();
	else
		this_cpu_write(__tss_limit_invalid, true);
}

/**
 * vmx_host_take_kernel_gs_base() - the guest's is about to replace the thread's
 * @host: where that goes
 *
 * Context: preemption off.
 * Return: the thread's.
 */
static __always_inline u64 vmx_host_take_kernel_gs_base(struct vmx_host *host)
{
	host->kernel_gs_base = vmx_rdmsr(MSR_KERNEL_GS_BASE);
	return host->kernel_gs_base;
}

/**
 * vmx_host_restore_kernel_gs_base() - it is the thread's again
 * @host: the vCPU's
 * @guest: what the CPU has
 *
 * Context: preemption off.
 */
static __always_inline void vmx_host_restore_kernel_gs_base(const struct vmx_host *host, u64 guest)
{
	if (guest != host->kernel_gs_base)
		vmx_wrmsr(MSR_KERNEL_GS_BASE, host->kernel_gs_base);
}

/**
 * vmx_host_take_tsc_aux() - the guest's is about to replace the CPU's
 * @host: where that goes
 *
 * Context: preemption off.
 * Return: the CPU's.
 */
static inline u64 vmx_host_take_tsc_aux(struct vmx_host *host)
{
	host->tsc_aux = vmx_rdmsr(MSR_TSC_AUX);
	return host->tsc_aux;
}

/**
 * vmx_host_begin_stretch() - save what is the host's only while interrupts are on
 * @host: the vCPU's, its VMCS current
 *
 * The control registers may change whenever interrupts are on.
 *
 * Context: interrupts off, until vmx_host_end_stretch().
 */
static __always_inline void vmx_host_begin_stretch(struct vmx_host *host)
{
	unsigned long cr3 = __read_cr3();
	unsigned long cr4 = native_read_cr4();
	u32 debugctl;

	if (unlikely(cr3 != host->cr3)) {
		host->cr3 = cr3;
		vmwrite(HOST_CR3, cr3);
	}
	if (unlikely(cr4 != host->cr4)) {
		host->cr4 = cr4;
		vmwrite(HOST_CR4, cr4);
	}
	/* Of the guest's own there is none; but the host's counters stand still in SMM. */
	debugctl = vmx_rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely((debugctl ^ host->debugctl) & DEBUGCTLMSR_FREEZE_IN_SMM))
		vmwrite(GUEST_IA32_DEBUGCTL, debugctl & DEBUGCTLMSR_FREEZE_IN_SMM);
	host->debugctl = debugctl;
}

/**
 * vmx_host_end_stretch() - the CPU has that again
 * @host: the vCPU's
 *
 * An exit has cleared DEBUGCTL, and DR7 but for its fixed bit.
 *
 * Context: interrupts off.
 */
static __always_inline void vmx_host_end_stretch(const struct vmx_host *host)
{
	if (unlikely(host->debugctl))
		update_debugctlmsr(host->debugctl);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}

/**
 * vmx_host_save_fpu() - save x87, SSE and AVX, whosever they are
 *
 * Context: interrupts off, until vmx_host_restore_fpu().
 */
static __always_inline void vmx_host_save_fpu(void)
{
	vmx_xsave(this_cpu_ptr(vmx_host_fpu), VMX_FPU_ALL);
}

/**
 * vmx_host_restore_fpu() - the CPU has what vmx_host_save_fpu() has saved
 *
 * Context: interrupts off, XCR0 is the host's.
 */
static __always_inline void vmx_host_restore_fpu(void)
{
	vmx_xrstor(this_cpu_ptr(vmx_host_fpu));
}

#endif /* _AXVCPU_VMX_HOST_H */
