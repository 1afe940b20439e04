// SPDX-License-Identifier: GPL-2.0-only
/* Exits for RDMSR and WRMSR. */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_exception.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"
#include "vmx_msr.h"
#include "vmx_regs.h"

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

/* Returns whether CPUID shows what the MSR belongs to, as far as the backend holds it. */
static bool has_msr(const struct vmx_vcpu *vmx, u32 index)
{
	if (index == MSR_TSC_AUX)
		return vmx->tsc_aux;
	return index != MSR_IA32_SPEC_CTRL || vmx->spec_ctrl_allowed;
}

/* One bit of CPUID shows IBRS and IBPB. */
static bool has_ibpb(const struct vmx_vcpu *vmx)
{
	return vmx->spec_ctrl_allowed & SPEC_CTRL_IBRS;
}

static int write_pred_cmd(struct vmx_vcpu *vmx, u64 value)
{
	if (value & ~(u64)PRED_CMD_IBPB)
		return vmx_raise_next(vmx, X86_TRAP_GP);
	if (value)
		vmx_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return vmx_skip(vmx);
}

/**
 * vmx_exit_rdmsr() - RDMSR: of an MSR that the backend holds, or the VMM's
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_rdmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value;

	if (index == MSR_IA32_PRED_CMD && has_ibpb(vmx))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	if (!has_msr(vmx, index) ||
	    vmx_get_reg(&vmx->vcpu, AXVCPU_X86_REG_MSR(index), &value))
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

/**
 * vmx_exit_wrmsr() - WRMSR: of an MSR that the backend holds, or the VMM's
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_wrmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	struct axvcpu_reg reg = {
		.id = AXVCPU_X86_REG_MSR(index),
		.value = vmx_read_edx_eax(vmx),
	};
	u32 refused;
	u64 old;

	if (index == MSR_IA32_PRED_CMD && has_ibpb(vmx))
		return write_pred_cmd(vmx, reg.value);
	if (!has_msr(vmx, index) || vmx_get_reg(&vmx->vcpu, reg.id, &old))
		return ask_vmm(vmx, index, reg.value, AXVCPU_EXIT_SYSREG_WRITE);
	if (changes_mode(vmx, index, reg.value) || vmx_check_regs(&vmx->vcpu, &reg, 1, &refused))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmx_msrs_put(vmx);
	vmx_commit_regs(&vmx->vcpu, &reg, 1);
	vmx_msrs_load(vmx);
	return vmx_skip(vmx);
}

/**
 * vmx_complete_msr() - RDMSR or WRMSR has the VMM's answer
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_msr(struct vmx_vcpu *vmx)
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
