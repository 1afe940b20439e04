// SPDX-License-Identifier: GPL-2.0-only
/* Exits for the second stage. */
#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"

/**
 * vmx_exit_ept_violation() - an access that the second stage has no memory for
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_ept_violation(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_fault *fault = &vmx->vcpu.fault;

	vmx_take_vectoring(vmx);
	vmx_undo_nmi_unblocking(vmx, qualification);
	if (unlikely(vmx_rflags(vmx) & vmx->step_mask) && !vmx->event.info)
		vmx_do_again(vmx);
	*fault = (struct axvcpu_fault){
		.gpa = axvcpu_gpa(vmread(GUEST_PHYSICAL_ADDRESS)),
		/* Read, write and fetch are in the order of AXVCPU_MAP_*. */
		.access = qualification & AXVCPU_MAP_ALL,
		.syndrome = qualification,
	};
	if (qualification & EPT_VIOLATION_GVA_IS_VALID) {
		fault->gva = vmread(GUEST_LINEAR_ADDRESS);
		fault->flags = AXVCPU_FAULT_GVA_VALID;
		if (!(qualification & EPT_VIOLATION_GVA_TRANSLATED))
			fault->flags |= AXVCPU_FAULT_WALK;
	}
	return AXVCPU_NEXT_FAULT;
}

/**
 * vmx_exit_ept_misconfig() - an entry of the second stage that is none
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_ept_misconfig(struct vmx_vcpu *vmx)
{
	vmx_take_vectoring(vmx);
	return vmx_exit_unknown(vmx);
}
