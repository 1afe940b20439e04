// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions that a debugger or the VMM wants to see before the guest does, or
 * instead of it.
 */
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_exception.h"
#include "vmx_insn.h"

/* #DE, #TS, #NP, #SS, #GP: SDM vol. 3, table 6-4 */
#define CONTRIBUTORY								\
	(BIT(X86_TRAP_DE) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) |	\
	 BIT(X86_TRAP_GP))

static int exception_exit(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason, u32 vector,
			  u64 payload)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->exception.vector = vector;
	run->exception.error_code = vmx->seen.error_code;
	run->exception.payload = payload;
	run->exception.deliver = 0;
	return vmx_to_vmm(vmx, reason);
}

static int debug_exit(struct vmx_vcpu *vmx, u32 vector, u64 payload)
{
	return exception_exit(vmx, AXVCPU_EXIT_DEBUG, vector, payload);
}

/**
 * vmx_exit_step() - an instruction of the guest's is done
 * @vmx: the vCPU
 *
 * Context: after an exit, or instead of an entry.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_step(struct vmx_vcpu *vmx)
{
	vmx->once &= ~VMX_ONCE_STEPPED;
	vmx->seen = (struct vmx_event){};
	return debug_exit(vmx, X86_TRAP_DB, DR_STEP);
}

/* One of the debugger's. An instruction with a breakpoint on it is done next time. */
static int exit_breakpoint(struct vmx_vcpu *vmx, u64 events)
{
	unsigned int i;

	for (i = 0; i < VMX_NR_BREAKPOINTS; i++) {
		u64 kind = vmx->debug.dr7 >> (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE) & 3;

		if ((events & BIT(i)) && kind == DR_RW_EXECUTE)
			vmx_set_rf(vmx);
	}
	/* The guest's own single step comes along, and is its own. */
	if ((events & DR_STEP) && (vmx_rflags(vmx) & X86_EFLAGS_TF))
		vmx_add_traps(vmx, DR_STEP);
	return debug_exit(vmx, X86_TRAP_DB, events & DR_TRAP_BITS);
}

/**
 * vmx_exit_watched() - an exception that a debugger or the VMM may want
 * @vmx: the vCPU; the event that this has interrupted is taken
 * @info: VM-exit interruption information
 * @next: what to do then
 *
 * Context: after an exit, loaded.
 * Return: whether it goes to the VMM.
 */
bool vmx_exit_watched(struct vmx_vcpu *vmx, u32 info, int *next)
{
	u32 vector = info & INTR_INFO_VECTOR_MASK, type = info & INTR_INFO_INTR_TYPE_MASK;
	bool page_fault_or_debug = vector == X86_TRAP_PF || vector == X86_TRAP_DB;

	vmx->seen = (struct vmx_event){ .info = vmx_event_info(info) };
	vmx->seen_payload = page_fault_or_debug ? vmread(EXIT_QUALIFICATION) : 0;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		vmx->seen.error_code = vmread(VM_EXIT_INTR_ERROR_CODE);
	if (type == INTR_TYPE_SOFT_EXCEPTION || type == INTR_TYPE_PRIV_SW_EXCEPTION)
		vmx->seen.insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);

	if (vector == X86_TRAP_BP && (vmx->debug.flags & AXVCPU_DEBUG_SOFT_BREAKPOINTS)) {
		*next = debug_exit(vmx, vector, vmx_rip(vmx));
		return true;
	}
	if (vector == X86_TRAP_DB && vmx->debug.dr7 && (vmx->seen_payload & DR_TRAP_BITS)) {
		vmx->seen = (struct vmx_event){};
		*next = exit_breakpoint(vmx, vmx->seen_payload);
		return true;
	}
	if (vector == X86_TRAP_DB && (vmx->debug.flags & AXVCPU_DEBUG_STEP) &&
	    (vmx->seen_payload & DR_STEP)) {
		if (vmx->guest_tf)
			vmx_add_traps(vmx, DR_STEP);
		*next = vmx_exit_step(vmx);
		return true;
	}
	if (!(vmx->exceptions & BIT(vector)))
		return false;
	/* An entry with TF and a shadow wants a trap pending, and this one is not. */
	if (vector == X86_TRAP_DB)
		vmx_end_shadow();
	*next = exception_exit(vmx, AXVCPU_EXIT_EXCEPTION, vector, vmx->seen_payload);
	return true;
}

/* One that the kernel would raise is for the VMM to see first. */
static int tell_vmm(struct vmx_vcpu *vmx, u8 vector, u64 payload)
{
	vmx->seen = (struct vmx_event){ .info = vmx_exception_info(vector) };
	vmx->seen_payload = payload;
	return exception_exit(vmx, AXVCPU_EXIT_EXCEPTION, vector, payload);
}

/**
 * vmx_raise_next() - an instruction that exited is an exception
 * @vmx: the vCPU
 * @vector: without an error code, or with one of 0
 *
 * The VMM sees it first, where it wants to, with RF as the frame will have it.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_raise_next(struct vmx_vcpu *vmx, u8 vector)
{
	if (vector != X86_TRAP_DB)
		vmx_set_rf(vmx);
	if (unlikely(vmx->exceptions & BIT(vector)))
		return tell_vmm(vmx, vector, 0);
	vmx_raise(vmx, vector, 0);
	return AXVCPU_NEXT_ENTER;
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
	/* The access to a debug register has not been made. */
	if (events & VMX_DR6_BD)
		vmx_set_rf(vmx);
	if (vmx->exceptions & BIT(X86_TRAP_DB))
		return tell_vmm(vmx, X86_TRAP_DB, events);
	vmx->dr[6] = vmx_dr6(vmx->dr[6], events);
	vmx_set_dr(vmx, 7, vmx->dr[7] & ~VMX_DR7_GD);
	return vmx_raise_next(vmx, X86_TRAP_DB);
}

/* Does @second in the delivery of @first make a double fault? SDM vol. 3, table 6-5 */
static bool doubles(u32 first, u32 second)
{
	u32 faults = CONTRIBUTORY | BIT(X86_TRAP_PF);

	if (first == X86_TRAP_PF || first == X86_TRAP_DF)
		return faults & BIT(second);
	return (CONTRIBUTORY & BIT(first)) && (CONTRIBUTORY & BIT(second));
}

/**
 * vmx_complete_exception() - the VMM has seen an exception; the guest may get it
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_exception(struct vmx_vcpu *vmx)
{
	u32 first = vmx->event.info, vector = vmx->seen.info & INTR_INFO_VECTOR_MASK;
	bool nested = (first & INTR_INFO_VALID_MASK) &&
		      (first & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION &&
		      doubles(first & INTR_INFO_VECTOR_MASK, vector);
	struct vmx_event seen = vmx->seen;

	vmx->seen = (struct vmx_event){};
	if (!seen.info || !READ_ONCE(vmx->vcpu.run->exception.deliver))
		return;
	if (vector == X86_TRAP_PF)
		vmx->cr2 = vmx->seen_payload;
	if (nested && (first & INTR_INFO_VECTOR_MASK) == X86_TRAP_DF)
		vmx->once |= VMX_ONCE_SHUTDOWN;
	else if (nested)
		vmx_raise(vmx, X86_TRAP_DF, 0);
	else
		vmx_raise_event(vmx, seen);
	if (vector == X86_TRAP_DB && !nested && !seen.insn_len) {
		vmx->dr[6] = vmx_dr6(vmx->dr[6], vmx->seen_payload);
		vmx->dr[7] &= ~VMX_DR7_GD;
		vmx->once |= VMX_ONCE_DEBUG;
	}
}
