// SPDX-License-Identifier: GPL-2.0-only
/* The end of an instruction that the kernel or the VMM has carried out for the guest. */
#include <asm/processor-flags.h>

#include "vmx.h"
#include "vmx_debug.h"
#include "vmx_guest_insn.h"

/**
 * vmx_end_insn() - all of an instruction's end that is not the next instruction
 * @vmx: the vCPU, after vmx_fetch_insn()
 *
 * RF ends with it; a single step of the guest's, or breakpoints that it met, are traps
 * behind it; and a debugger that steps is told.
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_end_insn(struct vmx_vcpu *vmx)
{
	u32 traps = vmx->insn_traps;

	vmx->insn_traps = 0;
	if (vmx->rflags & X86_EFLAGS_RF) {
		vmx->rflags &= ~X86_EFLAGS_RF;
		vmx->once |= VMX_ONCE_RFLAGS;
	}
	if (vmx->rflags & X86_EFLAGS_TF)
		traps |= DR_STEP;
	vmx_add_traps(vmx, traps);
	if (vmx->debug.flags & AXVCPU_DEBUG_STEP)
		vmx->once |= VMX_ONCE_STEPPED;
}

/**
 * vmx_do_again() - the instruction that exited is executed again, and will not exit
 * @vmx: the vCPU
 *
 * Some CPUs have a single-step trap pending for it already. Behind a shadow it is there by
 * right, and waits for the instruction.
 *
 * Context: after an exit, loaded.
 * Return: %AXVCPU_NEXT_ENTER.
 */
int vmx_do_again(struct vmx_vcpu *vmx)
{
	u64 pending = vmread(GUEST_PENDING_DBG_EXCEPTIONS);

	vmx_set_rf(vmx);
	if (pending & DR_STEP && !(vmread(GUEST_INTERRUPTIBILITY_INFO) & VMX_SHADOW))
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, pending & ~(u64)DR_STEP);
	return AXVCPU_NEXT_ENTER;
}
