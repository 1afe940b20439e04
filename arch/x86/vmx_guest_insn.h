/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's instruction that exited: its operands, and going on behind it. */
#ifndef _AXVCPU_VMX_GUEST_INSN_H
#define _AXVCPU_VMX_GUEST_INSN_H

#include <linux/compiler.h>

#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_insn.h"

static inline bool vmx_is_64bit(void)
{
	return vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

/* Outside of 64-bit mode a register may have something left in its upper half. */
static inline u64 vmx_read_operand(struct vmx_vcpu *vmx, unsigned int n)
{
	u64 value = vmx_read_gpr(vmx, n);

	return vmx_is_64bit() ? value : (u32)value;
}

/*
 * Look at the instruction that exited, so that it can be gone behind, now or
 * when its answer is there. The shadow of an STI or MOV SS before it ends.
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

/* Behind the instruction, a single step that the guest asked for is over. */
static __always_inline void vmx_go_on(struct vmx_vcpu *vmx, u64 next)
{
	u32 once = VMX_ONCE_RIP;

	if (unlikely(vmx->rflags & vmx->step_mask)) {
		if (vmx->rflags & X86_EFLAGS_TF)
			once |= VMX_ONCE_STEP;
		if (vmx->debug.flags & AXVCPU_DEBUG_STEP)
			once |= VMX_ONCE_STEPPED;
	}
	vmx->rip = next;
	vmx->once |= once;
}

static inline int vmx_skip(struct vmx_vcpu *vmx)
{
	vmx_go_on(vmx, vmx_fetch_insn(vmx));
	return AXVCPU_NEXT_ENTER;
}

/* Go behind the instruction when the VMM's answer is there. */
static inline void vmx_skip_later(struct vmx_vcpu *vmx)
{
	vmx->next_rip = vmx_fetch_insn(vmx);
	vmx->skip_due = true;
}

#endif /* _AXVCPU_VMX_GUEST_INSN_H */
