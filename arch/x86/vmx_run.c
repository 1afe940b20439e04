// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into the guest and back. A section is the time from load to put; a stretch is
 * one enter(), with interrupts off, of one or more entries.
 */
#include <linux/lockdep.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "../../axvcpu_trace.h"
#include "ept.h"
#include "vmx.h"
#include "vmx_buffers.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_exception.h"
#include "vmx_exit.h"
#include "vmx_exit_handlers.h"
#include "vmx_fpu.h"
#include "vmx_host.h"
#include "vmx_hw.h"
#include "vmx_insn.h"
#include "vmx_msr.h"
#include "vmx_perf.h"
#include "vmx_regs.h"
#include "vmx_run.h"

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

/**
 * vmx_load() - a section starts: the vCPU is this CPU's
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EIO: this CPU is not in VMX operation.
 */
int vmx_load(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	ret = vmx_make_current(vmx);
	if (unlikely(ret))
		return ret;

	vmx_host_load(&vmx->host);
	vmx_msrs_load(vmx);

	if (unlikely(READ_ONCE(vcpu->run->regs_dirty)))
		vmx_take_regs(vmx);
	__this_cpu_write(vmx_l1d_flush_due, true);
	return 0;
}

/**
 * vmx_put() - a section ends: what the host needs outside of sections is the host's
 * @vcpu: the vCPU, after vmx_load()
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_put(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vmx_msrs_put(vmx);
	vmx_host_put(&vmx->host);
}

/* What comes instead of an entry */
static int do_not_enter(struct vmx_vcpu *vmx)
{
	if (vmx->once & VMX_ONCE_STEPPED)
		return vmx_exit_step(vmx);
	vmx->once &= ~(VMX_ONCE_SHUTDOWN | VMX_ONCE_EVENT);
	vmx->event = (struct vmx_event){};
	vmx->vcpu.exit_reason = AXVCPU_EXIT_SHUTDOWN;
	return AXVCPU_NEXT_EXIT;
}

/*
 * All that is not to do before every entry. Returns &enum axvcpu_next: ENTER, or
 * an exit instead.
 */
static noinline int prepare(struct vmx_vcpu *vmx)
{
	unsigned long always;
	u32 once;

	if (unlikely(vmx->once & VMX_ONCE_DEBUG))
		vmx_apply_debug(vmx);
	once = vmx->once;
	always = vmx->always;
	if (unlikely(once & (VMX_ONCE_STEPPED | VMX_ONCE_SHUTDOWN)))
		return do_not_enter(vmx);
	if (once & VMX_ONCE_END_SHADOW)
		vmx_end_shadow();
	if ((once & VMX_ONCE_EVENT) || READ_ONCE(vmx->queued))
		vmx_put_events(vmx);
	if (once & VMX_ONCE_RIP)
		vmwrite(GUEST_RIP, vmx->rip);
	/* An event sets RF in them. */
	if (vmx->once & VMX_ONCE_RFLAGS)
		vmwrite(GUEST_RFLAGS, vmx->rflags);
	if (once & VMX_ONCE_TRAPS)
		vmx_put_traps(vmx);
	if (always & VMX_ALWAYS_BREAKPOINTS)
		vmx_load_breakpoints(vmx);
	if (always & VMX_ALWAYS_BUFFERS)
		vmx_flush_buffers();
	if (always & VMX_ALWAYS_STEPPING)
		vmx_show_tf(vmx);
	if (always & VMX_ALWAYS_SPEC_CTRL)
		vmx_put_spec_ctrl(vmx);
	vmx->once = 0;
	return AXVCPU_NEXT_ENTER;
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

static noinline int entry_failed(struct vmx_vcpu *vmx)
{
	vmx->vcpu.arch_code = vmread_if_current(VM_INSTRUCTION_ERROR);
	return -EIO;
}

/* NMIs and machine checks, which can't wait; entries that failed; what there is not */
static noinline int rare_exit(struct vmx_vcpu *vmx, u32 reason)
{
	if (reason & VMX_EXIT_REASONS_FAILED_VMENTRY) {
		if ((u16)reason == EXIT_REASON_MCE_DURING_VMENTRY)
			machine_check();
		/* A failed entry leaves it: SDM vol. 3, 27.8. What is due is written again. */
		vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
		if (vmx->event.info)
			vmx->once |= VMX_ONCE_EVENT;
		return vmx_exit_fail_entry(vmx);
	}
	vmx->launched = true;
	vmx->event = (struct vmx_event){};
	if (reason != EXIT_REASON_EXCEPTION_NMI)
		return vmx_exit_unknown(vmx);
	handle_host_exception();
	return vmx_exit_exception(vmx);
}

/*
 * vmx_world_switch() leaves no register as it was but RBP: the compiler knows
 * what of the others is still needed, and saves no more.
 */
static __always_inline bool world_switch(struct vmx_vcpu *vmx)
{
	unsigned long *host_rsp = &vmx->host.rsp;
	unsigned int launched = vmx->launched;
	u64 *gpr = vmx_gprs(vmx);
	bool failed;

	asm volatile("call vmx_world_switch"
		     : "=a" (failed), "+D" (gpr), "+S" (host_rsp), "+d" (launched),
		       ASM_CALL_CONSTRAINT
		     : : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			 "cc", "memory");
	return failed;
}

static __always_inline int enter_prepared(struct vmx_vcpu *vmx, bool may_step)
{
	u32 reason;

	if (unlikely(world_switch(vmx)))
		return entry_failed(vmx);

	vmx->cached = 0;
	if (may_step && unlikely(vmx->always & VMX_ALWAYS_STEPPING))
		vmx_hide_tf(vmx);
	reason = vmread(VM_EXIT_REASON);
	vmx->vcpu.hw_reason = reason;
	if (unlikely(reason - 1 >= VMX_NR_EXITS - 1))
		return rare_exit(vmx, reason);
	vmx->launched = true;
	vmx->event = (struct vmx_event){};
	return vmx_handle_exit(vmx, reason);
}

static noinline int prepare_and_enter(struct vmx_vcpu *vmx)
{
	return prepare(vmx) ? AXVCPU_NEXT_EXIT : enter_prepared(vmx, true);
}

static __always_inline int enter_once(struct vmx_vcpu *vmx)
{
	/* Mostly, RIP is all that there is to write. */
	if (unlikely(vmx->once != VMX_ONCE_RIP || (vmx->always | READ_ONCE(vmx->queued))))
		return prepare_and_enter(vmx);
	vmwrite(GUEST_RIP, vmx->rip);
	vmx->once = 0;
	return enter_prepared(vmx, false);
}

/* CR2 is nobody's while interrupts are off. */
static __always_inline void begin_stretch(struct vmx_vcpu *vmx)
{
	vmx_host_begin_stretch(&vmx->host);
	if (vmx->cr2 != native_read_cr2())
		native_write_cr2(vmx->cr2);
	vmx_fpu_load(vmx);
	if (static_branch_unlikely(&vmx_has_pmu))
		vmx_perf_begin(vmx);
}

static __always_inline void end_stretch(struct vmx_vcpu *vmx)
{
	vmx->cr2 = native_read_cr2();
	vmx_fpu_put(vmx);
	vmx_host_end_stretch(&vmx->host);
	if (static_branch_unlikely(&vmx_has_pmu))
		vmx_perf_end(vmx);
	/* Userspace, where the VMM is, must not run on the guest's predictions. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
}

/* A tracer may use the FPU, which has the guest's registers inside a stretch. */
static __always_inline bool is_traced(void)
{
	return trace_axvcpu_exit_enabled() || trace_axvcpu_entry_enabled();
}

/*
 * Exits in a row, with interrupts off. One of the host's ends it: it makes the
 * guest exit, on hardware always. Bochs does not let it while the guest's are
 * off, so there is an end to it anyway. And so do NMIs and machine checks: one
 * may have left work that must be done before the guest goes on.
 */
#define STRETCH	32

static __always_inline bool may_go_on(const struct vmx_vcpu *vmx, int next)
{
	return next == AXVCPU_NEXT_ENTER &&
	       vmx->vcpu.hw_reason != EXIT_REASON_EXTERNAL_INTERRUPT &&
	       vmx->vcpu.hw_reason != EXIT_REASON_EXCEPTION_NMI;
}

static noinline int enter_again(struct vmx_vcpu *vmx)
{
	unsigned int left = STRETCH - 1;
	int next;

	do {
		axvcpu_count_handled(&vmx->vcpu);
		vmx->vcpu.stats.entries++;
		next = enter_once(vmx);
	} while (--left && may_go_on(vmx, next));
	return next;
}

/**
 * vmx_enter() - a stretch: enter the guest, and again while the kernel handles its exits
 * @vcpu: the vCPU, loaded
 * @flush: forget what the CPU knows of the second stage
 *
 * Context: interrupts off, &struct axvcpu.mutex held.
 * Return: &enum axvcpu_next, or -EIO: the entry instruction failed.
 */
int vmx_enter(struct axvcpu *vcpu, bool flush)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int next;

	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_irqs_disabled();
	if (unlikely(flush))
		ept_flush(vmx->eptp);
	begin_stretch(vmx);
	next = enter_once(vmx);
	/* PEBS stops for each entry anew. */
	if (may_go_on(vmx, next) && !vmx->perf.nr && !is_traced())
		next = enter_again(vmx);
	end_stretch(vmx);
	return next;
}
