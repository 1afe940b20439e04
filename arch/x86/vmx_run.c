// SPDX-License-Identifier: GPL-2.0-only
/* Into the guest and back: load and put around a section, entry and exit. */
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <linux/sched.h>

#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/mce.h>
#include <asm/mmu_context.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/sync_core.h>
#include <asm/trapnr.h>

#include "vmx.h"

#define ASSERT_GPR(name, offset) \
	static_assert(offsetof(struct axvcpu_x86_gprs, gpr[AXVCPU_X86_##name]) == (offset))

/* entry.S */
ASSERT_GPR(RAX, 0x00);
ASSERT_GPR(RCX, 0x08);
ASSERT_GPR(RDX, 0x10);
ASSERT_GPR(RBX, 0x18);
ASSERT_GPR(RBP, 0x28);
ASSERT_GPR(RSI, 0x30);
ASSERT_GPR(RDI, 0x38);
ASSERT_GPR(R8, 0x40);
ASSERT_GPR(R15, 0x78);

/*
 * L1TF: the L1 data cache is flushed before an entry that comes after the
 * kernel has done other things than handle an exit, or before every one.
 */
static bool l1d_flush __ro_after_init;
static bool l1d_flush_always __ro_after_init;
static DEFINE_PER_CPU(bool, l1d_flush_due);

/* Read to displace the cache where the CPU has no command for it. */
#define L1D_PAGES_ORDER	4
static const u8 *l1d_pages __ro_after_init;

/**
 * vmx_run_init() - prepare the mitigations that need it
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_run_exit() is due in any case.
 */
int __init vmx_run_init(void)
{
	u64 arch_caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, arch_caps);
	l1d_flush = boot_cpu_has_bug(X86_BUG_L1TF) && l1tf_mitigation != L1TF_MITIGATION_OFF &&
		    !(arch_caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH);
	l1d_flush_always = l1tf_mitigation == L1TF_MITIGATION_FULL ||
			   l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;
	if (!l1d_flush || boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	l1d_pages = (const u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, L1D_PAGES_ORDER);
	return l1d_pages ? 0 : -ENOMEM;
}

/**
 * vmx_run_exit() - undo vmx_run_init()
 *
 * Context: module unload.
 */
void vmx_run_exit(void)
{
	free_pages((unsigned long)l1d_pages, L1D_PAGES_ORDER);
}

static void flush_l1d(void)
{
	size_t i;

	if (!l1d_flush_always && !__this_cpu_read(l1d_flush_due) && !kvm_get_cpu_l1tf_flush_l1d())
		return;
	__this_cpu_write(l1d_flush_due, false);
	kvm_clear_cpu_l1tf_flush_l1d();
	if (!l1d_pages) {
		native_wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* Into the TLB first, so that page walks don't disturb the second round. */
	for (i = 0; i < PAGE_SIZE << L1D_PAGES_ORDER; i += PAGE_SIZE)
		(void)READ_ONCE(l1d_pages[i]);
	sync_core();
	for (i = 0; i < PAGE_SIZE << L1D_PAGES_ORDER; i += 64)
		(void)READ_ONCE(l1d_pages[i]);
	rmb();
}

static void save_host_segments(struct vmx_host *host)
{
	savesegment(ds, host->ds);
	savesegment(es, host->es);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
	store_ldt(host->ldt);
}

/* Null selectors are what an exit leaves; a 32-bit thread has others. */
static void restore_host_segments(const struct vmx_host *host)
{
	if (likely(!(host->ldt | host->ds | host->es | host->fs | host->gs)))
		return;
	if (host->ldt)
		asm volatile("lldt %0" : : "m" (host->ldt));
	loadsegment(ds, host->ds);
	loadsegment(es, host->es);
	if (host->fs)
		loadsegment(fs, host->fs);
	if (host->gs) {
		/* This loads the inactive base too, which is the thread's already. */
		load_gs_index(host->gs);
		wrmsrl(MSR_KERNEL_GS_BASE, host->kernel_gs_base);
	}
}

/**
 * vmx_load() - see &struct axvcpu_arch_ops.load
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EIO: this CPU is not in VMX operation.
 */
int vmx_load(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmx_host *host = &vmx->host;
	unsigned long base;
	u64 rsp;
	int ret;

	ret = vmx_make_current(vmx);
	if (unlikely(ret))
		return ret;

	save_host_segments(host);
	base = x86_fsbase_read_cpu();
	if (unlikely(base != host->fs_base)) {
		host->fs_base = base;
		vmwrite(HOST_FS_BASE, base);
	}
	if (unlikely(host->gs))
		rdmsrl(MSR_KERNEL_GS_BASE, host->kernel_gs_base);
	vmx_msrs_load(vmx);

	if (unlikely(READ_ONCE(vcpu->run->regs_dirty)))
		vmx_take_regs(vmx);
	rsp = READ_ONCE(*vmx_gpr(vmx, AXVCPU_X86_RSP));
	if (unlikely(rsp != vmx->rsp)) {
		vmx->rsp = rsp;
		vmwrite(GUEST_RSP, rsp);
	}
	if (l1d_flush)
		__this_cpu_write(l1d_flush_due, true);
	return 0;
}

/**
 * vmx_put() - see &struct axvcpu_arch_ops.put
 * @vcpu: the vCPU
 *
 * An exit leaves the limits of GDT and TSS larger than they are.
 *
 * Context: preemption off, on the CPU of vmx_load().
 */
void vmx_put(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_msrs_put(vmx);
	restore_host_segments(&vmx->host);
	invalidate_tss_limit();
	load_fixmap_gdt(smp_processor_id());
}

/**
 * vmx_fpu_begin() - see &struct axvcpu_arch_ops.fpu_begin
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_fpu_begin(struct axvcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&to_vmx(vcpu)->fpu, true);
}

/**
 * vmx_fpu_end() - see &struct axvcpu_arch_ops.fpu_end
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_fpu_end(struct axvcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&to_vmx(vcpu)->fpu, false);
}

/* The host's control registers may change between any two entries. */
static void set_host_cr(struct vmx_host *host)
{
	unsigned long cr3 = __read_cr3();
	unsigned long cr4 = native_read_cr4();

	if (unlikely(cr3 != host->cr3)) {
		host->cr3 = cr3;
		vmwrite(HOST_CR3, cr3);
	}
	if (unlikely(cr4 != host->cr4)) {
		host->cr4 = cr4;
		vmwrite(HOST_CR4, cr4);
	}
}

static void write_dirty(struct vmx_vcpu *vmx)
{
	if (vmx->dirty & VMX_DIRTY_RIP)
		vmwrite(GUEST_RIP, vmx->rip);
	if (unlikely(vmx->dirty & VMX_DIRTY_RFLAGS))
		vmwrite(GUEST_RFLAGS, vmx->rflags);
	if (unlikely(vmx->dirty & VMX_DIRTY_STEP))
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);
	vmx->dirty = 0;
}

#define DR7_ENABLED	(DR_GLOBAL_ENABLE_MASK | DR_LOCAL_ENABLE_MASK)

/* The entry turns the guest's breakpoints on, by its DR7. */
static void load_breakpoints(const struct vmx_vcpu *vmx)
{
	set_debugreg(VMX_DR7_RESET, 7);
	set_debugreg(vmx->dr[0], 0);
	set_debugreg(vmx->dr[1], 1);
	set_debugreg(vmx->dr[2], 2);
	set_debugreg(vmx->dr[3], 3);
}

static bool world_switch(struct vmx_vcpu *vmx)
{
	u64 debugctl = get_debugctlmsr();
	bool failed;

	if (unlikely(vmx->dr7 & DR7_ENABLED))
		load_breakpoints(vmx);
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	if (l1d_flush)
		flush_l1d();
	else if (static_branch_unlikely(&mmio_stale_data_clear) && !vmx->vcpu.aspace)
		x86_clear_cpu_buffers();
	if (vmx->cr2 != native_read_cr2())
		native_write_cr2(vmx->cr2);

	failed = vmx_world_switch(vmx->vcpu.run->regs.x86.gpr, &vmx->host.rsp, vmx->launched);

	vmx->cr2 = native_read_cr2();
	/* The exit has cleared DEBUGCTL, and DR7 but for its fixed bit. */
	if (unlikely(debugctl))
		update_debugctlmsr(debugctl);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
	/* Userspace, where the VMM is, must not run on the guest's predictions. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
	return failed;
}

/* Like one that came while the CPU was in userspace. */
static void machine_check(void)
{
	struct pt_regs regs = {
		.cs = 3,
		.flags = X86_EFLAGS_IF,
	};

	if (IS_ENABLED(CONFIG_X86_MCE))
		do_machine_check(&regs);
}

/*
 * An NMI exit blocks further NMIs until IRET, which the NMI's own handler
 * does; machine checks are urgent too.
 */
static void handle_host_event(u32 reason)
{
	u32 info;

	if (reason == EXIT_REASON_EXCEPTION_NMI) {
		info = vmread(VM_EXIT_INTR_INFO);
		if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
			asm volatile("int $2");
		else if ((info & INTR_INFO_VECTOR_MASK) == X86_TRAP_MC)
			machine_check();
	} else if ((u16)reason == EXIT_REASON_MCE_DURING_VMENTRY) {
		machine_check();
	}
}

static int vmfail(struct vmx_vcpu *vmx)
{
	vmx->vcpu.arch_code = vmread(VM_INSTRUCTION_ERROR);
	return -EIO;
}

/**
 * vmx_enter() - see &struct axvcpu_arch_ops.enter
 * @vcpu: the vCPU
 * @flush: forget stale second-stage translations
 *
 * Context: interrupts off, loaded.
 * Return: 0, or -EIO: the entry instruction failed.
 */
int vmx_enter(struct axvcpu *vcpu, bool flush)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (unlikely(flush))
		ept_flush(vmx->eptp);
	if (unlikely(vmx->event.info | READ_ONCE(vmx->queued)))
		vmx_put_events(vmx);
	write_dirty(vmx);
	set_host_cr(&vmx->host);

	if (unlikely(world_switch(vmx)))
		return vmfail(vmx);

	vmx->cached = 0;
	vmx->exit_reason = vmread(VM_EXIT_REASON);
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		handle_host_event(vmx->exit_reason);
		return 0;
	}
	vmx->launched = true;
	vmx->event = (struct vmx_event){};
	if (vmx->exit_reason == EXIT_REASON_EXCEPTION_NMI)
		handle_host_event(vmx->exit_reason);
	return 0;
}
