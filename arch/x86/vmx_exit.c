// SPDX-License-Identifier: GPL-2.0-only
/* What the guest exited for: handled here, or put into the run page. */
#include <linux/sched.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx_cpuid.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_exit.h"
#include "vmx_regs.h"
#include "vmx_timer.h"

/**
 * vmx_exit_unknown() - an exit of which the VMM is told what the hardware says
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_unknown(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->unknown.hw_reason = vmx->exit_reason;
	run->unknown.qualification = vmread(EXIT_QUALIFICATION);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_UNKNOWN);
}

/* The VM-instruction error is not for these: the instruction was in order. */
static int exit_fail_entry(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->fail_entry.hw_reason = vmx->exit_reason;
	run->fail_entry.hw_error = 0;
	run->fail_entry.qualification = vmread(EXIT_QUALIFICATION);
	run->fail_entry.cpu = smp_processor_id();
	run->fail_entry.reg = vmx_bad_reg(vmx);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_FAIL_ENTRY);
}

static int exit_undefined(struct vmx_vcpu *vmx)
{
	return vmx_raise_next(vmx, X86_TRAP_UD);
}

static int exit_protection(struct vmx_vcpu *vmx)
{
	return vmx_raise_next(vmx, X86_TRAP_GP);
}

static int exit_vectoring_unknown(struct vmx_vcpu *vmx)
{
	vmx_take_vectoring(vmx);
	return vmx_exit_unknown(vmx);
}

/*
 * The IRET that let NMIs in again was not done: they stay blocked, unless the
 * exit was in the delivery of an event.
 */
static void undo_nmi_unblocking(struct vmx_vcpu *vmx, u64 info)
{
	if ((info & INTR_INFO_UNBLOCK_NMI) && !vmx->event.info)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);
}

/**
 * vmx_raise_debug() - the guest takes a #DB next
 * @vmx: the vCPU
 * @events: what of DR6 it is for
 *
 * SDM vol. 3, 28.2.1: an intercepted #DB has not touched the debug registers.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_raise_debug(struct vmx_vcpu *vmx, u64 events)
{
	vmx_end_shadow();
	if (vmx->exceptions & BIT(X86_TRAP_DB))
		return vmx_tell_exception(vmx, X86_TRAP_DB, events);
	vmx->dr[6] = vmx_dr6(vmx->dr[6], events);
	vmx_set_dr7(vmx, vmx->dr[7] & ~VMX_DR7_GD);
	return vmx_raise_next(vmx, X86_TRAP_DB);
}

/* NMIs and machine checks have been seen to by vmx_enter(). */
static int exit_exception(struct vmx_vcpu *vmx)
{
	u32 info = vmread(VM_EXIT_INTR_INFO);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;
	u32 vector = info & INTR_INFO_VECTOR_MASK;
	int next;

	if (type == INTR_TYPE_NMI_INTR)
		return AXVCPU_NEXT_ENTER;

	vmx_take_vectoring(vmx);
	undo_nmi_unblocking(vmx, info);
	if (vector == X86_TRAP_MC)
		return AXVCPU_NEXT_ENTER;
	if (vmx_exit_watched(vmx, info, &next))
		return next;
	if (vector == X86_TRAP_AC)
		return vmx_raise_next(vmx, X86_TRAP_AC);
	if (vector != X86_TRAP_DB)
		return vmx_exit_unknown(vmx);
	if (type != INTR_TYPE_PRIV_SW_EXCEPTION)
		return vmx_raise_debug(vmx, vmread(EXIT_QUALIFICATION));
	/* INT1 is behind when its #DB comes, and leaves DR6 alone. */
	vmx->rip = vmx_fetch_insn(vmx);
	vmx->todo |= VMX_TODO_RIP;
	return vmx_raise_next(vmx, X86_TRAP_DB);
}

static int exit_interrupt(struct vmx_vcpu *vmx)
{
	vmx->vcpu.stats.interrupts++;
	return AXVCPU_NEXT_ENTER;
}

static int exit_shutdown(struct vmx_vcpu *vmx)
{
	return vmx_to_vmm(vmx, AXVCPU_EXIT_SHUTDOWN);
}

static int exit_timer(struct vmx_vcpu *vmx)
{
	vmx_set_timer(vmx, 0);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_PREEMPTION_TIMER);
}

/* SDM vol. 3, table 28-2; what came through a gate is due again, unless the VMM says else. */
static int exit_task_switch(struct vmx_vcpu *vmx)
{
	u32 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_run *run = vmx->vcpu.run;

	vmx_take_vectoring(vmx);
	run->task_switch.selector = (u16)qualification;
	run->task_switch.source = qualification >> 30;
	run->task_switch.event = vmx_event_bits(&vmx->event);
	run->task_switch.insn_len = vmx->event.info ? vmx->event.insn_len :
				    vmread(VM_EXIT_INSTRUCTION_LEN);
	run->task_switch.reserved = 0;
	return vmx_to_vmm(vmx, AXVCPU_EXIT_TASK_SWITCH);
}

static int exit_window(struct vmx_vcpu *vmx)
{
	vmx_set_exec(vmx, 0, CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	return AXVCPU_NEXT_ENTER;
}

static int exit_cpuid(struct vmx_vcpu *vmx)
{
	vmx_cpuid(vmx);
	return vmx_skip(vmx);
}

static int exit_hlt(struct vmx_vcpu *vmx)
{
	vmx_skip(vmx);
	WRITE_ONCE(vmx->halt_if, vmx->rflags & X86_EFLAGS_IF);
	/* The trap behind the HLT ends it at once. */
	if (vmx->todo & (VMX_TODO_STEP | VMX_TODO_STEPPED))
		return AXVCPU_NEXT_ENTER;
	return vmx_has_event(&vmx->vcpu) ? AXVCPU_NEXT_ENTER : AXVCPU_NEXT_HALT;
}

static int exit_vmcall(struct vmx_vcpu *vmx)
{
	static const u8 args[] = {
		AXVCPU_X86_RDI, AXVCPU_X86_RSI, AXVCPU_X86_RDX,
		AXVCPU_X86_RCX, AXVCPU_X86_R8, AXVCPU_X86_R9,
	};
	struct axvcpu_run *run = vmx->vcpu.run;
	unsigned int i;

	run->hypercall.nr = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]);
	for (i = 0; i < ARRAY_SIZE(args); i++)
		run->hypercall.args[i] = READ_ONCE(vmx_gprs(vmx)[args[i]]);
	run->hypercall.ret = 0;
	vmx_skip(vmx);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_HYPERCALL);
}

static int ask_vmm(struct vmx_vcpu *vmx, u32 index, u64 value, enum axvcpu_exit_reason reason)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->sysreg.addr = index;
	run->sysreg.value = value;
	run->sysreg.reg = 0;
	run->sysreg.fault = 0;
	vmx_skip_later(vmx);
	return vmx_to_vmm(vmx, reason);
}

static int exit_rdmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value;

	if (vmx_get_reg(&vmx->vcpu, AXVCPU_X86_REG_MSR(index), &value))
		return ask_vmm(vmx, index, 0, AXVCPU_EXIT_SYSREG_READ);
	vmx_write_edx_eax(vmx, value);
	return vmx_skip(vmx);
}

/* The mode must not change under a guest that uses it. */
static bool changes_mode(struct vmx_vcpu *vmx, u32 index, u64 value)
{
	return index == MSR_EFER && ((value ^ vmx->efer) & EFER_LME) &&
	       (vmread(GUEST_CR0) & X86_CR0_PG);
}

static int exit_wrmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value = vmx_read_edx_eax(vmx);
	u64 id = AXVCPU_X86_REG_MSR(index);
	u64 old;

	if (vmx_get_reg(&vmx->vcpu, id, &old))
		return ask_vmm(vmx, index, value, AXVCPU_EXIT_SYSREG_WRITE);
	if (changes_mode(vmx, index, value) || vmx_set_reg(&vmx->vcpu, id, value, true))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	return vmx_skip(vmx);
}

static int exit_ept_violation(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_fault *fault = &vmx->vcpu.fault;

	vmx_take_vectoring(vmx);
	undo_nmi_unblocking(vmx, qualification);
	*fault = (struct axvcpu_fault){
		.gpa = axvcpu_gpa(vmread(GUEST_PHYSICAL_ADDRESS)),
		/* Read, write and fetch are in the order of AXVCPU_MAP_*. */
		.access = qualification & AXVCPU_MAP_ALL,
	};
	if (qualification & EPT_VIOLATION_GVA_IS_VALID) {
		fault->gva = vmread(GUEST_LINEAR_ADDRESS);
		fault->flags = AXVCPU_FAULT_GVA_VALID;
		if (!(qualification & EPT_VIOLATION_GVA_TRANSLATED))
			fault->flags |= AXVCPU_FAULT_WALK;
	}
	return AXVCPU_NEXT_FAULT;
}

#define EXIT_REASON_GETSEC	11

/** vmx_exits - by the exit's reason */
int (*const vmx_exits[VMX_NR_EXITS])(struct vmx_vcpu *vmx) = {
	[EXIT_REASON_EXCEPTION_NMI]		= exit_exception,
	[EXIT_REASON_EXTERNAL_INTERRUPT]	= exit_interrupt,
	[EXIT_REASON_TRIPLE_FAULT]		= exit_shutdown,
	[EXIT_REASON_INTERRUPT_WINDOW]		= exit_window,
	[EXIT_REASON_NMI_WINDOW]		= exit_window,
	[EXIT_REASON_TASK_SWITCH]		= exit_task_switch,
	[EXIT_REASON_CPUID]			= exit_cpuid,
	[EXIT_REASON_GETSEC]			= exit_undefined,
	[EXIT_REASON_HLT]			= exit_hlt,
	[EXIT_REASON_INVD]			= vmx_skip,
	[EXIT_REASON_RDPMC]			= exit_protection,
	[EXIT_REASON_VMCALL]			= exit_vmcall,
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMON] = exit_undefined,
	[EXIT_REASON_CR_ACCESS]			= vmx_exit_cr,
	[EXIT_REASON_DR_ACCESS]			= vmx_exit_dr,
	[EXIT_REASON_IO_INSTRUCTION]		= vmx_exit_io,
	[EXIT_REASON_MSR_READ]			= exit_rdmsr,
	[EXIT_REASON_MSR_WRITE]			= exit_wrmsr,
	[EXIT_REASON_MWAIT_INSTRUCTION]		= exit_undefined,
	[EXIT_REASON_MONITOR_INSTRUCTION]	= exit_undefined,
	[EXIT_REASON_EPT_VIOLATION]		= exit_ept_violation,
	[EXIT_REASON_EPT_MISCONFIG]		= exit_vectoring_unknown,
	[EXIT_REASON_INVEPT]			= exit_undefined,
	[EXIT_REASON_PREEMPTION_TIMER]		= exit_timer,
	[EXIT_REASON_INVVPID]			= exit_undefined,
	[EXIT_REASON_WBINVD]			= vmx_skip,
	[EXIT_REASON_XSETBV]			= vmx_exit_xsetbv,
	[EXIT_REASON_ENCLS]			= exit_undefined,
};

/**
 * vmx_odd_exit() - an exit that is not in the table, or a failed entry
 * @vmx: the vCPU
 *
 * Context: interrupts off, loaded.
 * Return: %AXVCPU_NEXT_EXIT.
 */
int vmx_odd_exit(struct vmx_vcpu *vmx)
{
	if (vmx->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return exit_fail_entry(vmx);
	return vmx_exit_unknown(vmx);
}

static void complete_sysreg(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	if (READ_ONCE(run->sysreg.fault)) {
		vmx_raise(vmx, X86_TRAP_GP, 0);
		return;
	}
	if (vmx->vcpu.exit_reason == AXVCPU_EXIT_SYSREG_READ)
		vmx_write_edx_eax(vmx, READ_ONCE(run->sysreg.value));
	vmx_go_on(vmx, vmx->next_rip);
}

/* Nothing is done about an instruction that SET_REGS has taken RIP away from. */
void vmx_complete(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vcpu->exit_reason == AXVCPU_EXIT_HYPERCALL) {
		WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], READ_ONCE(vcpu->run->hypercall.ret));
	} else if (BIT(vcpu->exit_reason) & (BIT(AXVCPU_EXIT_EXCEPTION) | BIT(AXVCPU_EXIT_DEBUG))) {
		vmx_complete_exception(vmx);
	} else if (vmx->skip_due) {
		vmx->skip_due = false;
		if (vcpu->exit_reason == AXVCPU_EXIT_IO_READ)
			vmx_complete_in(vmx);
		else if (vcpu->exit_reason == AXVCPU_EXIT_IO_STRING)
			vmx_complete_string(vmx);
		else
			complete_sysreg(vmx);
	}
}
