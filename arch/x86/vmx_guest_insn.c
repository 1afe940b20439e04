// SPDX-License-Identifier: GPL-2.0-only
/* The end of an instruction that the kernel or the VMM has carried out for the guest. */
#include <asm/debugreg.h>
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
