// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what INJECT queues, and how a guest takes an exception.
 *
 * All here works on what is saved of a vCPU. What an entry brings to the
 * hardware is in vhe_event.h and vhe_irq.c.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/nospec.h>

#include <asm/esr.h>
#include <asm/ptrace.h>

#include "vhe.h"
#include "vhe_event.h"
#include "vhe_irq.h"

/* Of an interrupt whose VMM names none: what Linux and others give to all of them */
#define DEFAULT_PRIORITY	0xa0

/* Vector offsets, and a return from EL1's point of view */
#define VECTOR_CURRENT_SPX	0x200
#define VECTOR_LOWER_A64	0x400
#define SCTLR_SPAN		BIT(23)
#define SCTLR_DSSBS		BIT_ULL(44)
#define SCTLR_SPINTMASK		BIT_ULL(62)

/**
 * vhe_event_reset() - nothing is queued, the lines are low
 * @vhe: the vCPU
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_event_reset(struct vhe_vcpu *vhe)
{
	vhe->lines = 0;
	vhe->exception = 0;
	vhe->serror = 0;
	vhe->disr = 0;
}

/**
 * vhe_has_event() - see &struct axvcpu_arch_ops.has_event
 * @vcpu: the vCPU
 *
 * Context: the thread inside RUN, &struct axvcpu.mutex held.
 * Return: whether.
 */
bool vhe_has_event(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	return READ_ONCE(vhe->lines) || READ_ONCE(vhe->exception) || READ_ONCE(vhe->serror) ||
	       vhe_irq_pending(vhe);
}

static int set_line(struct vhe_vcpu *vhe, u32 line, bool high)
{
	if (line != AXVCPU_ARM64_LINE_IRQ && line != AXVCPU_ARM64_LINE_FIQ)
		return -EINVAL;
	assign_bit(ilog2(line), &vhe->lines, high);
	return 0;
}

static int inject_interrupt(struct vhe_vcpu *vhe, const struct axvcpu_inject *event)
{
	bool has_priority = event->flags & AXVCPU_INJECT_PRIORITY;
	u32 vector = event->vector;

	if (event->flags & ~AXVCPU_INJECT_PRIORITY || event->error_code ||
	    (event->priority && !has_priority))
		return -EINVAL;
	if (vector <= AXVCPU_ARM64_MAX_INTID)
		return vhe_irq_queue(vhe, vector,
				     has_priority ? event->priority : DEFAULT_PRIORITY);
	if (has_priority)
		return -EINVAL;
	if (vector >= AXVCPU_ARM64_LOWER_LINE(0))
		return set_line(vhe, vector - AXVCPU_ARM64_LOWER_LINE(0), false);
	return set_line(vhe, vector - AXVCPU_ARM64_RAISE_LINE(0), true);
}

static int inject_exception(struct vhe_vcpu *vhe, const struct axvcpu_inject *event)
{
	u64 esr;

	if (event->vector > AXVCPU_ARM64_MAX_EC || event->priority ||
	    event->flags & AXVCPU_INJECT_PRIORITY || event->error_code & ~ESR_ELx_ISS_MASK ||
	    (event->error_code && !(event->flags & AXVCPU_INJECT_ERROR_CODE)))
		return -EINVAL;
	esr = (u64)event->vector << ESR_ELx_EC_SHIFT | ESR_ELx_IL | event->error_code;
	if (cmpxchg64(event->vector == ESR_ELx_EC_SERROR ? &vhe->serror : &vhe->exception, 0, esr))
		return -EBUSY;
	WRITE_ONCE(vhe->irq.show, true);
	return 0;
}

static int withdraw_exception(struct vhe_vcpu *vhe, u32 class)
{
	u64 esr = READ_ONCE(vhe->exception);

	if (class > AXVCPU_ARM64_MAX_EC)
		return -EINVAL;
	if (class == ESR_ELx_EC_SERROR)
		return READ_ONCE(vhe->serror) ? vhe_irq_withdraw(vhe, VHE_WITHDRAW_SERROR) :
						-ENOENT;
	if (!esr || ESR_ELx_EC(esr) != class)
		return -ENOENT;
	return cmpxchg64(&vhe->exception, esr, 0) == esr ? 0 : -ENOENT;
}

/**
 * vhe_withdraw() - see &struct axvcpu_arch_ops.withdraw
 * @vcpu: the vCPU
 * @event: the VMM's
 *
 * Context: process context, any thread.
 * Return: 0, -EINVAL, -ENOENT, -EINTR.
 */
int vhe_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (event->type == AXVCPU_EVENT_EXCEPTION)
		return withdraw_exception(vhe, event->vector);
	if (event->type != AXVCPU_EVENT_INTERRUPT || event->vector > AXVCPU_ARM64_MAX_INTID)
		return -EINVAL;
	return vhe_irq_withdraw(vhe, array_index_nospec(event->vector,
							AXVCPU_ARM64_MAX_INTID + 1));
}

/**
 * vhe_inject() - see &struct axvcpu_arch_ops.inject
 * @vcpu: the vCPU
 * @event: the VMM's
 *
 * Context: any thread.
 * Return: 0, -EINVAL, -EBUSY, or -EOPNOTSUPP: the guest has no virtual GIC.
 */
int vhe_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	switch (event->type) {
	case AXVCPU_EVENT_INTERRUPT:
		return inject_interrupt(to_vhe(vcpu), event);
	case AXVCPU_EVENT_EXCEPTION:
		return inject_exception(to_vhe(vcpu), event);
	default:
		return -EINVAL;
	}
}

static u64 vector_offset(u64 pstate)
{
	if ((pstate & PSR_MODE_MASK) == PSR_MODE_EL0t)
		return VECTOR_LOWER_A64;
	return (pstate & PSR_MODE_MASK) == PSR_MODE_EL1h ? VECTOR_CURRENT_SPX : 0;
}

/**
 * vhe_take_exception() - the guest takes an exception to EL1
 * @vhe: the vCPU, its registers not in the hardware
 * @esr: syndrome for ESR_EL1
 *
 * Arm ARM, AArch64.TakeException().
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_take_exception(struct vhe_vcpu *vhe, u64 esr)
{
	u64 sctlr = vhe->sys[VHE_SCTLR], pstate;

	pstate = VHE_PSTATE_RESET | (vhe->pstate & (PSR_PAN_BIT | PSR_DIT_BIT));
	if (!(sctlr & SCTLR_SPAN))
		pstate |= PSR_PAN_BIT;
	if (sctlr & SCTLR_DSSBS)
		pstate |= PSR_SSBS_BIT;
	if (vhe_has_nmi && !(sctlr & SCTLR_SPINTMASK))
		pstate |= VHE_PSTATE_ALLINT;
	vhe->sys[VHE_ELR] = vhe->pc;
	vhe->sys[VHE_SPSR] = vhe->pstate;
	vhe->sys[VHE_ESR] = esr;
	vhe->pc = vhe->sys[VHE_VBAR] + vector_offset(vhe->pstate);
	vhe->pstate = pstate;
	vhe->step_due = true;
	vhe->own_step = 0;
}
