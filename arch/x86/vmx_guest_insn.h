/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's instruction that exited: its operands, and going on behind it. */
#ifndef _AXVCPU_VMX_GUEST_INSN_H
#define _AXVCPU_VMX_GUEST_INSN_H

#include <linux/compiler.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_insn.h"

/**
 * vmx_is_64bit() - does the guest execute 64-bit code?
 *
 * Context: preemption off, the vCPU is loaded.
 * Return: whether it does.
 */
static inline bool vmx_is_64bit(void)
{
	return vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

/**
 * vmx_read_operand() - a register as an instruction reads it
 * @vmx: the vCPU, loaded
 * @n: ``AXVCPU_X86_*``
 *
 * Outside of 64-bit mode it may have something left in its upper half.
 *
 * Context: after an exit, loaded.
 * Return: its value.
 */
static inline u64 vmx_read_operand(struct vmx_vcpu *vmx, unsigned int n)
{
	u64 value = vmx_read_gpr(vmx, n);

	return vmx_is_64bit() ? value : (u32)value;
}

/**
 * vmx_fetch_insn() - look at the instruction that exited
 * @vmx: the vCPU
 *
 * So that it can be gone behind, now or when its answer is there. The shadow of an
 * STI or MOV SS before it ends. Who knows of breakpoints that the instruction's end
 * meets sets &struct vmx_vcpu.insn_traps afterwards.
 *
 * Context: after an exit, loaded.
 * Return: where the next one is.
 */
static __always_inline u64 vmx_fetch_insn(struct vmx_vcpu *vmx)
{
	u64 rip = vmread(GUEST_RIP);
	u64 next = rip + vmread(VM_EXIT_INSTRUCTION_LEN);

	if (unlikely((next ^ rip) >> 32) && !vmx_is_64bit())
		next = (u32)next;
	vmx_end_shadow();
	vmx->rip = rip;
	vmx->rflags = vmread(GUEST_RFLAGS);
	vmx->cached = VMX_ONCE_RIP | VMX_ONCE_RFLAGS;
	return next;
}

void vmx_end_insn(struct vmx_vcpu *vmx);
int vmx_do_again(struct vmx_vcpu *vmx);

/**
 * vmx_go_on() - the guest goes on behind the instruction
 * @vmx: the vCPU, after vmx_fetch_insn()
 * @next: where
 *
 * Context: &struct axvcpu.mutex held.
 */
static __always_inline void vmx_go_on(struct vmx_vcpu *vmx, u64 next)
{
	if (unlikely(vmx->rflags & vmx->step_mask))
		vmx_end_insn(vmx);
	vmx->once |= VMX_ONCE_RIP;
	vmx->rip = next;
}

/**
 * vmx_insn_is_open() - has the last exit left an instruction that is not done?
 * @vmx: the vCPU; the VMM has not let it go on
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether: of HYPERCALL it is done, of DEBUG there is none, and a single step's
 * EXCEPTION comes when it is done.
 */
static inline bool vmx_insn_is_open(const struct vmx_vcpu *vmx)
{
	bool is_step = (vmx->seen.info & INTR_INFO_VECTOR_MASK) == X86_TRAP_DB &&
		       vmx->seen_payload & DR_STEP;

	if (vmx->vcpu.exit_reason == AXVCPU_EXIT_EXCEPTION && is_step)
		return false;
	return !(BIT(vmx->vcpu.exit_reason) &
		 (BIT(AXVCPU_EXIT_HYPERCALL) | BIT(AXVCPU_EXIT_DEBUG)));
}

/**
 * vmx_vmm_did_insn() - the VMM has done the instruction that exited
 * @vmx: the vCPU, after an exit with &struct axvcpu.answer_due
 *
 * What it answers does not count. The rest of the instruction's end is left: the shadow
 * of an STI or MOV SS before it, and what vmx_end_insn() does.
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vmx_vmm_did_insn(struct vmx_vcpu *vmx)
{
	/* Of an access to memory, nobody has looked at breakpoints. */
	if (!vmx->skip_due)
		vmx->insn_traps = 0;
	vmx->skip_due = false;
	if (vmx_insn_is_open(vmx)) {
		vmx->once |= VMX_ONCE_END_SHADOW;
		vmx_end_insn(vmx);
	}
	vmx->seen = (struct vmx_event){};
}

/**
 * vmx_skip() - the instruction that exited is done
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: %AXVCPU_NEXT_ENTER.
 */
static inline int vmx_skip(struct vmx_vcpu *vmx)
{
	vmx_go_on(vmx, vmx_fetch_insn(vmx));
	return AXVCPU_NEXT_ENTER;
}

/**
 * vmx_skip_later() - it will be, when the VMM's answer is there
 * @vmx: the vCPU
 *
 * A completion goes on behind it, unless SET_REGS has moved RIP.
 *
 * Context: after an exit, loaded.
 */
static inline void vmx_skip_later(struct vmx_vcpu *vmx)
{
	vmx->next_rip = vmx_fetch_insn(vmx);
	vmx->skip_due = true;
}

/**
 * vmx_vmm_says_done() - does the VMM say that it has done the instruction that exited?
 * @vmx: the vCPU, whose RIP is known
 * @dirty: &struct axvcpu_run.regs_dirty
 * @rip: what the run page has of RIP
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether: by %AXVCPU_REGS_DONE, or by another RIP.
 */
static inline bool vmx_vmm_says_done(const struct vmx_vcpu *vmx, u32 dirty, u64 rip)
{
	return dirty & AXVCPU_REGS_DONE || (dirty & AXVCPU_REGS_PC && rip != vmx->rip);
}

#endif /* _AXVCPU_VMX_GUEST_INSN_H */
