// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers and EFER. Of some bits the guest sees its own value and the
 * CPU has another (SDM vol. 3, 25.6.6).
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "ept.h"
#include "vmx_caps.h"
#include "vmx_cr.h"
#include "vmx_insn.h"

/**
 * vmx_cr0() - CR0 as the guest sees it
 *
 * Context: preemption off, the vCPU is loaded.
 * Return: its value.
 */
u64 vmx_cr0(void)
{
	return (vmread(GUEST_CR0) & ~VMX_CR0_OWNED) | (vmread(CR0_READ_SHADOW) & VMX_CR0_OWNED);
}

/**
 * vmx_set_cr0() - change CR0, and what the guest sees of it
 * @vmx: the vCPU, loaded
 * @value: a value that the guest may have
 *
 * Context: preemption off.
 */
void vmx_set_cr0(struct vmx_vcpu *vmx, u64 value)
{
	vmwrite(CR0_READ_SHADOW, value);
	vmwrite(GUEST_CR0, (value & ~VMX_CR0_OWNED) | X86_CR0_ET | X86_CR0_NE);
	vmx_update_lma(vmx);
}

/**
 * vmx_cr3_valid() - may the guest have this CR3?
 * @vmx: the vCPU
 * @value: the value
 *
 * Context: any.
 * Return: whether it may.
 */
bool vmx_cr3_valid(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value >> ept_format.gpa_bits);
}

/**
 * vmx_cr4() - CR4 as the guest sees it
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off.
 * Return: its value.
 */
u64 vmx_cr4(const struct vmx_vcpu *vmx)
{
	u64 owned = vmx_cr4_owned(vmx);

	return (vmread(GUEST_CR4) & ~owned) | (vmread(CR4_READ_SHADOW) & owned);
}

/**
 * vmx_set_cr4() - change CR4, and what the guest sees of it
 * @vmx: the vCPU, loaded
 * @value: a value that the guest may have
 *
 * Without MCE, a machine check in the guest would shut the CPU down: the host's
 * is in force, and the guest sees its own.
 *
 * Context: preemption off.
 */
void vmx_set_cr4(struct vmx_vcpu *vmx, u64 value)
{
	vmwrite(CR4_READ_SHADOW, value);
	vmwrite(GUEST_CR4, (value & ~X86_CR4_MCE) | X86_CR4_VMXE |
			   (cr4_read_shadow() & X86_CR4_MCE));
	vmx->osxsave = value & X86_CR4_OSXSAVE;
}

/**
 * vmx_update_lma() - EFER.LMA and the mode at entry follow LME and paging
 * @vmx: the vCPU, loaded; efer or CR0 has changed
 *
 * Context: preemption off.
 */
void vmx_update_lma(struct vmx_vcpu *vmx)
{
	bool lma = vmx_long_mode_active(vmx);

	vmwrite(GUEST_IA32_EFER, vmx->efer | (lma ? EFER_LMA : 0));
	vmwrite(VM_ENTRY_CONTROLS, vmx_caps.entry | (lma ? VM_ENTRY_IA32E_MODE : 0));
}
