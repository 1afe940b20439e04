// SPDX-License-Identifier: GPL-2.0-only
/* Into the guest and back: load and put around a section, entry and exit. */
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
#include <asm/trapnr.h>

#include "vmx.h"

/* The offsets in entry.S */
#define ASSERT_GPR(name, offset) \
	static_assert(offsetof(struct axvcpu_x86_gprs, gpr[AXVCPU_X86_##name]) == (offset))
ASSERT_GPR(RAX, 0x00);
ASSERT_GPR(RCX, 0x08);
ASSERT_GPR(RDX, 0x10);
ASSERT_GPR(RBX, 0x18);
ASSERT_GPR(RBP, 0x28);
ASSERT_GPR(RSI, 0x30);
ASSERT_GPR(RDI, 0x38);
ASSERT_GPR(R8, 0x40);
ASSERT_GPR(R15, 0x78);

/* L1TF: this CPU has done other things than handle an exit. */
static DEFINE_PER_CPU(bool, l1d_flush_due);

static void flush_buffers(void)
{
	bool always = l1tf_mitigation == L1TF_MITIGATION_FULL ||
		      l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;

	if (!vmx_flush_l1d) {
		x86_clear_cpu_buffers();
	} else if (always || __this_cpu_read(l1d_flush_due) || kvm_get_cpu_l1tf_flush_l1d()) {
		__this_cpu_write(l1d_flush_due, false);
		kvm_clear_cpu_l1tf_flush_l1d();
		native_wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	}
}

static void save_host_segments(struct vmx_host *host)
{
	savesegment(ds, host->ds);
	savesegment(es, host->es);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
	store_ldt(host->ldt);
	host->selectors = host->ds | host->es | host->fs | host->gs | host->ldt;
}

/* Null selectors are what an exit leaves; a 32-bit thread has others. */
static void restore_host_segments(const struct vmx_host *host)
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
		u64 base = __rdmsr(MSR_KERNEL_GS_BASE);

		load_gs_index(host->gs);
		native_wrmsrl(MSR_KERNEL_GS_BASE, base);
	}
}

int vmx_load(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned long base;
	u64 rsp;
	int ret;

	ret = vmx_make_current(vmx);
	if (unlikely(ret))
		return ret;

	save_host_segments(&vmx->host);
	base = x86_fsbase_read_cpu();
	if (unlikely(base != vmx->host.fs_base)) {
		vmx->host.fs_base = base;
		vmwrite(HOST_FS_BASE, base);
	}
	vmx_msrs_load(vmx);

	if (unlikely(READ_ONCE(vcpu->run->regs_dirty)))
		vmx_take_regs(vmx);
	rsp = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RSP]);
	if (unlikely(rsp != vmx->rsp)) {
		vmx->rsp = rsp;
		vmwrite(GUEST_RSP, rsp);
	}
	__this_cpu_write(l1d_flush_due, true);
	return 0;
}

/* An exit leaves the limits of GDT, IDT and TSS other than they are. */
void vmx_put(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_msrs_put(vmx);
	load_gdt(&vmx->host.gdt);
	load_idt(&vmx->host.idt);
	if (unlikely(vmx->host.selectors))
		restore_host_segments(&vmx->host);
	invalidate_tss_limit();
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

/* The entry turns the guest's breakpoints on, by its DR7. */
static void load_breakpoints(const struct vmx_vcpu *vmx)
{
	set_debugreg(VMX_DR7_RESET, 7);
	set_debugreg(vmx->dr[0], 0);
	set_debugreg(vmx->dr[1], 1);
	set_debugreg(vmx->dr[2], 2);
	set_debugreg(vmx->dr[3], 3);
}

/* All that is not to do before every entry */
static noinline void prepare(struct vmx_vcpu *vmx)
{
	u32 todo = vmx->todo;

	if ((todo & VMX_TODO_EVENT) || READ_ONCE(vmx->queued))
		vmx_put_events(vmx);
	if (todo & VMX_TODO_RIP)
		vmwrite(GUEST_RIP, vmx->rip);
	if (todo & VMX_TODO_RFLAGS)
		vmwrite(GUEST_RFLAGS, vmx->rflags);
	if (todo & VMX_TODO_STEP)
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);
	if (todo & VMX_TODO_BREAKPOINTS)
		load_breakpoints(vmx);
	if (todo & VMX_TODO_BUFFERS)
		flush_buffers();
	vmx->todo = todo & (VMX_TODO_BREAKPOINTS | VMX_TODO_BUFFERS);
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
 * An NMI's exit blocks further NMIs until IRET, which the NMI's own handler
 * does; machine checks are urgent too.
 */
static void handle_host_exception(void)
{
	u32 info = vmread(VM_EXIT_INTR_INFO);

	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		asm volatile("int $2");
	else if ((info & INTR_INFO_VECTOR_MASK) == X86_TRAP_MC)
		machine_check();
}

static int entry_failed(struct vmx_vcpu *vmx)
{
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
	vmx->vcpu.arch_code = vmread(VM_INSTRUCTION_ERROR);
	return -EIO;
}

/* The exit has cleared DEBUGCTL, and DR7 but for its fixed bit. */
static void restore_host(u32 debugctl)
{
	if (unlikely(debugctl))
		update_debugctlmsr(debugctl);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
	/* Userspace, where the VMM is, must not run on the guest's predictions. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
}

int vmx_enter(struct axvcpu *vcpu, bool flush)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 debugctl, reason;

	if (unlikely(flush))
		ept_flush(vmx->eptp);
	if (likely(vmx->todo == VMX_TODO_RIP && !READ_ONCE(vmx->queued))) {
		vmwrite(GUEST_RIP, vmx->rip);
		vmx->todo = 0;
	} else {
		prepare(vmx);
	}
	set_host_cr(&vmx->host);
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (vmx->cr2 != native_read_cr2())
		native_write_cr2(vmx->cr2);

	if (unlikely(vmx_world_switch(vmx_gprs(vmx), &vmx->host.rsp, vmx->launched)))
		return entry_failed(vmx);

	vmx->cr2 = native_read_cr2();
	restore_host(debugctl);
	vmx->cached = 0;
	reason = vmread(VM_EXIT_REASON);
	vmx->exit_reason = reason;
	if (unlikely(reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		if ((u16)reason == EXIT_REASON_MCE_DURING_VMENTRY)
			machine_check();
		if (vmx->event.info)
			vmx->todo |= VMX_TODO_EVENT;
		return 0;
	}
	vmx->launched = true;
	vmx->event = (struct vmx_event){};
	if (reason == EXIT_REASON_EXCEPTION_NMI)
		handle_host_exception();
	return 0;
}
