// SPDX-License-Identifier: GPL-2.0-only
/* Exits that nobody here knows, and entries that failed: the VMM gets what the hardware says. */
#include <linux/smp.h>

#include "vmx.h"
#include "vmx_exit_handlers.h"
#include "vmx_insn.h"
#include "vmx_regs.h"

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

	run->unknown.hw_reason = vmx->vcpu.hw_reason;
	run->unknown.qualification = vmread(EXIT_QUALIFICATION);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_UNKNOWN);
}

/**
 * vmx_exit_fail_entry() - the guest's state is none that an entry takes
 * @vmx: the vCPU
 *
 * The VM-instruction error is not for these: the instruction was in order.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_fail_entry(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->fail_entry.hw_reason = vmx->vcpu.hw_reason;
	run->fail_entry.hw_error = 0;
	run->fail_entry.qualification = vmread(EXIT_QUALIFICATION);
	run->fail_entry.cpu = smp_processor_id();
	run->fail_entry.reg = vmx_bad_reg(vmx);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_FAIL_ENTRY);
}
