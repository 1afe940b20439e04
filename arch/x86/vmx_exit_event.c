// SPDX-License-Identifier: GPL-2.0-only
/* Exits that no instruction asked for: exceptions, interrupts, windows, timer, task switches. */
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_exception.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"
#include "vmx_timer.h"

/**
 * vmx_exit_exception() - an exception, or an NMI of the host's
 * @vmx: the vCPU
 *
 * NMIs and machine checks have been seen to by rare_exit().
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_exception(struct vmx_vcpu *vmx)
{
	u32 info = vmread(VM_EXIT_INTR_INFO);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;
	u32 vector = info & INTR_INFO_VECTOR_MASK;
	int next;

	if (type == INTR_TYPE_NMI_INTR)
		return AXVCPU_NEXT_ENTER;

	vmx_take_vectoring(vmx);
	vmx_undo_nmi_unblocking(vmx, info);
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
	/* INT1 has completed when its #DB comes, and leaves DR6 alone. */
	vmx->rip = vmx_fetch_insn(vmx);
	vmx->once |= VMX_ONCE_RIP;
	return vmx_raise_next(vmx, X86_TRAP_DB);
}

/**
 * vmx_exit_interrupt() - an interrupt of the host's, which waits until interrupts are on
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_interrupt(struct vmx_vcpu *vmx)
{
	vmx->vcpu.stats.interrupts++;
	return AXVCPU_NEXT_ENTER;
}

/**
 * vmx_exit_window() - the guest can take an event
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_window(struct vmx_vcpu *vmx)
{
	vmx_set_windows(vmx, 0);
	return AXVCPU_NEXT_ENTER;
}

/**
 * vmx_exit_shutdown() - a triple fault
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_shutdown(struct vmx_vcpu *vmx)
{
	return vmx_to_vmm(vmx, AXVCPU_EXIT_SHUTDOWN);
}

/**
 * vmx_exit_timer() - the preemption timer has run out
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_timer(struct vmx_vcpu *vmx)
{
	vmx_set_timer(vmx, 0);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_PREEMPTION_TIMER);
}

/**
 * vmx_exit_task_switch() - a task switch, which the VMM may carry out
 * @vmx: the vCPU
 *
 * SDM vol. 3, table 28-2; what came through a gate is due again, unless the VMM
 * says else.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_task_switch(struct vmx_vcpu *vmx)
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
