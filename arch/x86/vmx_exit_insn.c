// SPDX-License-Identifier: GPL-2.0-only
/* Exits for instructions that have no file of their own. */
#include <linux/kernel.h>

#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_cpuid.h"
#include "vmx_event.h"
#include "vmx_exception.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"

/**
 * vmx_exit_undefined() - an instruction that the guest lacks is #UD
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_undefined(struct vmx_vcpu *vmx)
{
	return vmx_raise_next(vmx, X86_TRAP_UD);
}

/**
 * vmx_exit_protection() - an instruction that the guest may not use is #GP
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_protection(struct vmx_vcpu *vmx)
{
	return vmx_raise_next(vmx, X86_TRAP_GP);
}

/**
 * vmx_exit_nothing() - an instruction that does nothing in a guest: the caches are the host's
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_nothing(struct vmx_vcpu *vmx)
{
	return vmx_skip(vmx);
}

/**
 * vmx_exit_cpuid() - CPUID
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_cpuid(struct vmx_vcpu *vmx)
{
	vmx_cpuid(vmx);
	return vmx_skip(vmx);
}

/**
 * vmx_exit_hlt() - HLT
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_hlt(struct vmx_vcpu *vmx)
{
	vmx_skip(vmx);
	WRITE_ONCE(vmx->halt_if, vmx->rflags & X86_EFLAGS_IF);
	WRITE_ONCE(vmx->halt_nmi_blocked,
		   vmread(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI);
	/* The trap behind the HLT ends it at once. */
	if (vmx->once & (VMX_ONCE_TRAPS | VMX_ONCE_STEPPED))
		return AXVCPU_NEXT_ENTER;
	return vmx_has_event(&vmx->vcpu) ? AXVCPU_NEXT_ENTER : AXVCPU_NEXT_HALT;
}

/**
 * vmx_exit_vmcall() - VMCALL is a hypercall
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_vmcall(struct vmx_vcpu *vmx)
{
	static const u8 args[] = {
		AXVCPU_X86_RDI, AXVCPU_X86_RSI, AXVCPU_X86_RDX,
		AXVCPU_X86_RCX, AXVCPU_X86_R8, AXVCPU_X86_R9,
	};
	struct axvcpu_run *run = vmx->vcpu.run;
	unsigned int i;

	run->hypercall.nr = vmx_read_operand(vmx, AXVCPU_X86_RAX);
	for (i = 0; i < ARRAY_SIZE(args); i++)
		run->hypercall.args[i] = vmx_read_operand(vmx, args[i]);
	run->hypercall.ret = 0;
	vmx_skip(vmx);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_HYPERCALL);
}

/**
 * vmx_complete_vmcall() - VMCALL has the VMM's answer
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_vmcall(struct vmx_vcpu *vmx)
{
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], READ_ONCE(vmx->vcpu.run->hypercall.ret));
}
