/* SPDX-License-Identifier: GPL-2.0-only */
/* Events on their way into the guest. */
#ifndef _AXVCPU_VMX_EVENT_H
#define _AXVCPU_VMX_EVENT_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/vmx.h>

#include "vmx_insn.h"

struct axvcpu;
struct vmx_vcpu;

/* Bits of &struct vmx_vcpu.queued */
enum vmx_queued {
	VMX_QUEUED_IRQ,		/* there may be a bit in &struct vmx_vcpu.irr */
	VMX_QUEUED_NMI,
	VMX_QUEUED_EXCEPTION,	/* there may be one in &struct vmx_vcpu.exception */
	VMX_QUEUE_SHOWN,	/* the run page has some of these, and they may be gone */
};

/**
 * struct vmx_event - an event in VM-entry format
 * @info: interruption information; 0: none
 * @error_code: where @info says that there is one
 * @insn_len: of the instruction that raised it, for software events
 */
struct vmx_event {
	u32 info;
	u16 error_code;
	u16 insn_len;
};

/* In a register or the run page, AXVCPU_X86_REG_EVENT */
#define VMX_EVENT_CODE	32
#define VMX_EVENT_LEN	48

/**
 * vmx_event_bits() - an event in a register or the run page
 * @event: the event
 *
 * Context: any.
 * Return: ``AXVCPU_X86_REG_EVENT``.
 */
static inline u64 vmx_event_bits(const struct vmx_event *event)
{
	return event->info | (u64)event->error_code << VMX_EVENT_CODE |
	       (u64)event->insn_len << VMX_EVENT_LEN;
}

/* Interrupts wait for the instruction behind an STI or MOV SS. */
#define VMX_SHADOW	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

/**
 * vmx_end_shadow() - what an STI or MOV SS holds off may come
 *
 * Context: preemption off, the vCPU is loaded.
 */
static __always_inline void vmx_end_shadow(void)
{
	u32 blocked = vmread(GUEST_INTERRUPTIBILITY_INFO);

	if (unlikely(blocked & VMX_SHADOW))
		vmwrite(GUEST_INTERRUPTIBILITY_INFO, blocked & ~VMX_SHADOW);
}

bool vmx_has_event(struct axvcpu *vcpu);
bool vmx_halt_is_masked(struct axvcpu *vcpu);
bool vmx_has_error_code(u32 vector);
bool vmx_exception_valid(u64 exception);
u32 vmx_exception_info(u8 vector);
u32 vmx_event_info(u32 info);
void vmx_raise(struct vmx_vcpu *vmx, u8 vector, u16 error_code);
void vmx_raise_event(struct vmx_vcpu *vmx, struct vmx_event event);
void vmx_take_vectoring(struct vmx_vcpu *vmx);
u64 vmx_pending_debug(const struct vmx_vcpu *vmx);
void vmx_put_traps(struct vmx_vcpu *vmx);
void vmx_put_events(struct vmx_vcpu *vmx);
void vmx_undo_nmi_unblocking(struct vmx_vcpu *vmx, u64 info);
void vmx_set_windows(struct vmx_vcpu *vmx, u32 windows);

#endif /* _AXVCPU_VMX_EVENT_H */
