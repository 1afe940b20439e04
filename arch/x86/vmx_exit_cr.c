// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits for control and debug registers and XSETBV: what the guest may write,
 * and what a CPU would say to it (SDM vol. 2).
 */
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_cr.h"
#include "vmx_debug.h"
#include "vmx_exception.h"
#include "vmx_exit_handlers.h"
#include "vmx_fpu.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"

/* Exit qualification of a control-register access, SDM vol. 3, table 28-3 */
#define CR_MOV_TO(cr)			(cr)
#define CR_MOV_FROM(cr)			((cr) | 1 << 4)
#define CR_ACCESS(qualification)	((qualification) & 0x3f)
#define ACCESS_GPR(qualification)	((qualification) >> 8 & 0xf)

/* SDM vol. 2, MOV to control registers: what is #GP */
static bool may_set_cr0(struct vmx_vcpu *vmx, u64 value)
{
	u64 cr4 = vmread(GUEST_CR4);

	if (value >> 32 || ((value & X86_CR0_NW) && !(value & X86_CR0_CD)))
		return false;
	if (!(value & X86_CR0_PG))
		return !(cr4 & X86_CR4_PCIDE) &&
		       !(vmx_is_64bit() && (vmread(GUEST_CR0) & X86_CR0_PG));
	return (value & X86_CR0_PE) && (!(vmx->efer & EFER_LME) || (cr4 & X86_CR4_PAE));
}

static bool may_set_cr4(struct vmx_vcpu *vmx, u64 value)
{
	u64 old = vmread(GUEST_CR4);

	if (!vmx_cr4_valid(vmx, value))
		return false;
	if (vmx_long_mode_active(vmx) && !(value & X86_CR4_PAE))
		return false;
	return !(value & ~old & X86_CR4_PCIDE) ||
	       (vmx_long_mode_active(vmx) && !(vmread(GUEST_CR3) & X86_CR3_PCID_MASK));
}

/*
 * The guest changes a bit of CR0 that it only sees. It sees it changed from
 * now on; the instruction runs again, does not exit, and does the rest.
 */
static int mov_to_cr0(struct vmx_vcpu *vmx, u64 value)
{
	if (!may_set_cr0(vmx, value))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmwrite(CR0_READ_SHADOW, value);
	return vmx_do_again(vmx);
}

/* The same with CR4: OSXSAVE becomes real here, the rest by the instruction. */
static int mov_to_cr4(struct vmx_vcpu *vmx, u64 value)
{
	u64 owned = vmx_cr4_owned(vmx);

	if (!may_set_cr4(vmx, value))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmx_set_cr4(vmx, (value & owned) | (vmread(GUEST_CR4) & ~owned));
	vmx_xcr0_changed(vmx);
	return vmx_do_again(vmx);
}

static int mov_to_cr8(struct vmx_vcpu *vmx, u64 value)
{
	if (value > 15)
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmx->cr8 = value;
	return vmx_skip(vmx);
}

/**
 * vmx_exit_cr() - MOV to or from a control register
 * @vmx: the vCPU
 *
 * CLTS, LMSW and SMSW don't exit: they reach no bit that is not the guest's.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_cr(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	unsigned int gpr = ACCESS_GPR(qualification);

	switch (CR_ACCESS(qualification)) {
	case CR_MOV_TO(0):
		return mov_to_cr0(vmx, vmx_read_operand(vmx, gpr));
	case CR_MOV_TO(4):
		return mov_to_cr4(vmx, vmx_read_operand(vmx, gpr));
	case CR_MOV_TO(8):
		return mov_to_cr8(vmx, vmx_read_gpr(vmx, gpr));
	case CR_MOV_FROM(8):
		vmx_write_gpr(vmx, gpr, vmx->cr8);
		return vmx_skip(vmx);
	default:
		return vmx_exit_unknown(vmx);
	}
}

/**
 * vmx_exit_xsetbv() - XSETBV
 * @vmx: the vCPU
 *
 * That CR4.OSXSAVE is on goes without saying: #UD comes before the exit.
 *
 * Context: after an exit, interrupts off.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_xsetbv(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value = vmx_read_edx_eax(vmx);

	if (index || VMX_AR_DPL(vmread(GUEST_SS_AR_BYTES)) || !vmx_xcr0_valid(vmx, value))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmx_set_xcr0(vmx, value);
	vmx_xcr0_changed(vmx);
	return vmx_skip(vmx);
}

static int write_dr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n >= 6 && value >> 32)
		return vmx_raise_next(vmx, X86_TRAP_GP);
	vmx_set_dr(vmx, n, value);
	return vmx_skip(vmx);
}

/**
 * vmx_exit_dr() - MOV to or from a debug register
 * @vmx: the vCPU
 *
 * All accesses exit; the guest's breakpoints are in the CPU while any is on.
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_dr(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	unsigned int gpr = ACCESS_GPR(qualification);
	unsigned int n = qualification & DEBUG_REG_ACCESS_NUM;

	/* Some CPUs look at the privilege later. */
	if (VMX_AR_DPL(vmread(GUEST_SS_AR_BYTES)))
		return vmx_raise_next(vmx, X86_TRAP_GP);
	if (n == 4 || n == 5) {
		if (vmread(GUEST_CR4) & X86_CR4_DE)
			return vmx_raise_next(vmx, X86_TRAP_UD);
		n += 2;
	}
	if (vmx->dr[7] & VMX_DR7_GD)
		return vmx_raise_debug(vmx, VMX_DR6_BD);
	if (!(qualification & TYPE_MOV_FROM_DR))
		return write_dr(vmx, n, vmx_read_operand(vmx, gpr));
	vmx_write_gpr(vmx, gpr, vmx->dr[n]);
	return vmx_skip(vmx);
}
