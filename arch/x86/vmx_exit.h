/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of exits share. */
#ifndef _AXVCPU_VMX_EXIT_H
#define _AXVCPU_VMX_EXIT_H

#include <linux/compiler.h>

#include <asm/processor-flags.h>

#include "vmx.h"

static inline bool vmx_is_64bit(void)
{
	return vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

static inline u64 vmx_read_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return n == AXVCPU_X86_RSP ? vmread(GUEST_RSP) : READ_ONCE(vmx_gprs(vmx)[n]);
}

/* Outside of 64-bit mode a register may have something left in its upper half. */
static inline u64 vmx_read_operand(struct vmx_vcpu *vmx, unsigned int n)
{
	u64 value = vmx_read_gpr(vmx, n);

	return vmx_is_64bit() ? value : (u32)value;
}

static inline void vmx_write_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n == AXVCPU_X86_RSP)
		vmwrite(GUEST_RSP, value);
	else
		WRITE_ONCE(vmx_gprs(vmx)[n], value);
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
	vmx->cached = VMX_TODO_RIP | VMX_TODO_RFLAGS;
	return next;
}

/* Behind the instruction, a single step that the guest asked for is over. */
static __always_inline void vmx_go_on(struct vmx_vcpu *vmx, u64 next)
{
	u32 todo = VMX_TODO_RIP;

	if (unlikely(vmx->rflags & vmx->step_mask)) {
		if (vmx->rflags & X86_EFLAGS_TF)
			todo |= VMX_TODO_STEP;
		if (vmx->debug.flags & AXVCPU_DEBUG_STEP)
			todo |= VMX_TODO_STEPPED;
	}
	vmx->rip = next;
	vmx->todo |= todo;
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

/* An instruction that exited is an exception: the VMM's first where it wants to see it. */
static inline int vmx_raise_next(struct vmx_vcpu *vmx, u8 vector)
{
	if (unlikely(vmx->exceptions & BIT(vector)))
		return vmx_tell_exception(vmx, vector, 0);
	vmx_raise(vmx, vector, 0);
	return AXVCPU_NEXT_ENTER;
}

static inline int vmx_to_vmm(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason)
{
	vmx->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

static inline u64 vmx_read_edx_eax(struct vmx_vcpu *vmx)
{
	return (u32)READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]) |
	       READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX]) << 32;
}

static inline void vmx_write_edx_eax(struct vmx_vcpu *vmx, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], (u32)value);
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX], value >> 32);
}

/* vmx_exit.c */
#define VMX_NR_EXITS	128	/* above all reasons */
extern int (*const vmx_exits[VMX_NR_EXITS])(struct vmx_vcpu *vmx);
void vmx_complete(struct axvcpu *vcpu);
int vmx_odd_exit(struct vmx_vcpu *vmx);
int vmx_exit_unknown(struct vmx_vcpu *vmx);
int vmx_raise_debug(struct vmx_vcpu *vmx, u64 events);

/* vmx_exit_cr.c */
int vmx_exit_cr(struct vmx_vcpu *vmx);
int vmx_exit_dr(struct vmx_vcpu *vmx);
int vmx_exit_xsetbv(struct vmx_vcpu *vmx);
void vmx_set_dr7(struct vmx_vcpu *vmx, u64 value);

/* vmx_exit_io.c */
int vmx_exit_io(struct vmx_vcpu *vmx);
void vmx_complete_in(struct vmx_vcpu *vmx);
void vmx_complete_string(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_H */
