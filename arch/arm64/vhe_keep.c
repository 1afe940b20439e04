// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole state of a vCPU, kept and put back. All of it is in memory outside of the
 * guest; the CPU or SET_REGS has made it, so nothing is checked.
 */
#include <linux/bitmap.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "vhe.h"
#include "vhe_keep.h"
#include "vhe_regs.h"

/**
 * struct vhe_kept - a copy of a vCPU's state
 * @gprs: x0 to x30, of the run page
 * @guest: what &struct vhe_vcpu has of the guest
 * @timer_ctl: CNTV_CTL_EL0
 * @timer_cval: CNTV_CVAL_EL0
 * @timer_irq: the redistributor's part of it
 * @timer_state: of the timer's interrupt
 * @timer_lr: its list register
 * @voff: CNTVOFF_EL2
 * @count: what the guest read of the virtual counter
 * @lines: interrupt lines that are high
 * @exception: that is queued
 * @serror: that is queued
 * @pending: interrupts that wait for list registers
 * @priority: of each of them
 */
struct vhe_kept {
	u64 gprs[31];
	struct vhe_guest guest;
	u64 timer_ctl;
	u64 timer_cval;
	u64 timer_irq;
	enum vhe_timer_state timer_state;
	unsigned int timer_lr;
	u64 voff;
	u64 count;
	unsigned long lines;
	u64 exception;
	u64 serror;
	DECLARE_BITMAP(pending, VHE_NR_INTIDS);
	u8 priority[VHE_NR_INTIDS];
};

/**
 * vhe_kept_size() - see &struct axvcpu_arch_ops.kept_size
 *
 * Context: any.
 * Return: bytes.
 */
size_t vhe_kept_size(void)
{
	return sizeof(struct vhe_kept);
}

/**
 * vhe_keep() - see &struct axvcpu_arch_ops.keep
 * @vcpu: the vCPU
 * @to: where the copy goes
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_keep(struct axvcpu *vcpu, void *to)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	const struct vhe_timer *timer = &vhe->timer;
	struct vhe_kept *kept = to;

	lockdep_assert_held(&vcpu->mutex);
	memcpy(kept->gprs, vcpu->run->regs.arm64.x, sizeof(kept->gprs));
	kept->guest = vhe->guest;
	kept->timer_ctl = timer->ctl;
	kept->timer_cval = timer->cval;
	kept->timer_irq = timer->irq;
	kept->timer_state = timer->state;
	kept->timer_lr = timer->lr;
	kept->voff = timer->voff;
	kept->count = vhe_timer_now(timer);
	kept->lines = READ_ONCE(vhe->lines);
	kept->exception = READ_ONCE(vhe->exception);
	kept->serror = READ_ONCE(vhe->serror);
	bitmap_copy(kept->pending, vhe->irq.pending, VHE_NR_INTIDS);
	memcpy(kept->priority, vhe->irq.priority, sizeof(kept->priority));
}

static void restore_timer(struct vhe_timer *timer, const struct vhe_kept *kept, bool time)
{
	WRITE_ONCE(timer->ctl, kept->timer_ctl);
	WRITE_ONCE(timer->cval, kept->timer_cval);
	WRITE_ONCE(timer->irq, kept->timer_irq);
	timer->lr = kept->timer_lr;
	WRITE_ONCE(timer->state, kept->timer_state);
	WRITE_ONCE(timer->voff, time ? timer->voff + vhe_timer_now(timer) - kept->count :
				       kept->voff);
}

/*
 * Mostly, nothing waits, and there is nothing to write. What INJECT queues meanwhile
 * comes before the copy, which replaces it, or after.
 */
static void restore_queue(struct vhe_irq *irq, const struct vhe_kept *kept)
{
	unsigned int intid;

	if (bitmap_equal(irq->pending, kept->pending, VHE_NR_INTIDS) &&
	    bitmap_empty(kept->pending, VHE_NR_INTIDS))
		return;
	for_each_set_bit(intid, kept->pending, VHE_NR_INTIDS)
		WRITE_ONCE(irq->priority[intid], kept->priority[intid]);
	bitmap_copy(irq->pending, kept->pending, VHE_NR_INTIDS);
	smp_mb(); /* the queue before the flag, as in vhe_irq_queue() */
	WRITE_ONCE(irq->queued, true);
}

/**
 * vhe_restore() - see &struct axvcpu_arch_ops.restore
 * @vcpu: the vCPU, loaded, its registers not in the hardware
 * @from: the copy
 * @time: the virtual counter goes on from where it was, too
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_restore(struct axvcpu *vcpu, const void *from, bool time)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	const struct vhe_kept *kept = from;

	lockdep_assert_held(&vcpu->mutex);
	memcpy(vcpu->run->regs.arm64.x, kept->gprs, sizeof(kept->gprs));
	vhe->guest = kept->guest;
	restore_timer(&vhe->timer, kept, time);
	WRITE_ONCE(vhe->lines, kept->lines);
	xchg(&vhe->exception, kept->exception);
	xchg(&vhe->serror, kept->serror);
	restore_queue(&vhe->irq, kept);
	vhe_sync_page(vhe);
	vhe_irq_show(vhe);
}
