// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which interrupts a guest has in list registers: those that INJECT queues, the
 * highest priority first, and the virtual timer's.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>

#include <asm/barrier.h>

#include "vhe.h"
#include "vhe_gic.h"
#include "vhe_irq.h"
#include "vhe_timer.h"

/* What Linux gives its interrupts, too */
#define TIMER_PRIORITY		0xa0

/**
 * vhe_irq_reset() - nothing is queued
 * @irq: the queue
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_irq_reset(struct vhe_irq *irq)
{
	bitmap_zero(irq->pending, VHE_NR_INTIDS);
	irq->queued = false;
}

/**
 * vhe_irq_queue() - pend an interrupt
 * @vhe: the vCPU
 * @intid: INTID
 * @priority: its priority
 *
 * Context: any thread.
 * Return: 0, -EINVAL, or -EOPNOTSUPP: the guest has no virtual GIC.
 */
int vhe_irq_queue(struct vhe_vcpu *vhe, u32 intid, u32 priority)
{
	struct vhe_irq *irq = &vhe->irq;

	if (intid > AXVCPU_ARM64_MAX_INTID || priority > 0xff)
		return -EINVAL;
	if (!vhe_gic_present() || vhe_user_gic(vhe))
		return -EOPNOTSUPP;
	WRITE_ONCE(irq->priority[intid], priority);
	set_bit(intid, irq->pending);
	/* The queue before the flag; pairs with place_queued(). */
	smp_mb__after_atomic();
	WRITE_ONCE(irq->queued, true);
	return 0;
}

static bool queue_pending(const struct vhe_irq *irq, const struct vhe_gic *gic)
{
	unsigned int i;

	if (!READ_ONCE(irq->queued))
		return false;
	for_each_set_bit(i, irq->pending, VHE_NR_INTIDS) {
		if (vhe_gic_unmasked(gic, READ_ONCE(irq->priority[i])))
			return true;
	}
	return false;
}

static bool timer_due(const struct vhe_vcpu *vhe)
{
	const struct vhe_timer *timer = &vhe->timer;

	if (vhe_timer_is_listed(timer) || !vhe_timer_expired(timer))
		return false;
	return vhe_user_gic(vhe) ? !vhe_timer_is_held(timer) :
				   vhe_gic_unmasked(&vhe->gic, TIMER_PRIORITY);
}

/**
 * vhe_irq_pending() - is there an interrupt that ends a halt?
 * @vhe: the vCPU, halted, its registers not in the hardware
 *
 * Context: any.
 * Return: whether.
 */
bool vhe_irq_pending(const struct vhe_vcpu *vhe)
{
	return vhe_gic_pending(&vhe->gic) || timer_due(vhe) ||
	       queue_pending(&vhe->irq, &vhe->gic);
}

/* --- at an entry ------------------------------------------------------------- */

/* The queue's best: the lowest number is the highest priority. */
static int next_pending(const struct vhe_irq *irq)
{
	unsigned int i, best = 256;
	int intid = -1;

	for_each_set_bit(i, irq->pending, VHE_NR_INTIDS) {
		if (READ_ONCE(irq->priority[i]) < best) {
			best = READ_ONCE(irq->priority[i]);
			intid = i;
		}
	}
	return intid;
}

/* One that the guest has not seen yet makes room for one of higher priority. */
static int make_room(struct vhe_vcpu *vhe, u32 priority)
{
	struct vhe_irq *irq = &vhe->irq;
	u64 lr;
	int n = vhe_gic_lowest(&vhe->gic, &lr);

	if (n < 0 || FIELD_GET(LR_PRIORITY, lr) <= priority)
		return -1;
	/* INJECT may have queued it again meanwhile, and its priority counts then. */
	if (!test_and_set_bit(FIELD_GET(LR_INTID, lr), irq->pending))
		irq->priority[FIELD_GET(LR_INTID, lr)] = FIELD_GET(LR_PRIORITY, lr);
	vhe_gic_withdraw(&vhe->gic, n);
	return n;
}

/*
 * Returns whether the interrupt left the queue: one that is active becomes
 * pending too, one that is pending already is so.
 */
static bool place(struct vhe_vcpu *vhe, u32 intid)
{
	struct vhe_irq *irq = &vhe->irq;
	u32 priority = READ_ONCE(irq->priority[intid]);
	int n = vhe_gic_find(&vhe->gic, intid);

	if (n >= 0) {
		clear_bit(intid, irq->pending);
		/* The timer's can't be active and pending; its level brings it back. */
		if (!vhe_timer_is_listed(&vhe->timer) || n != vhe->timer.lr)
			vhe_gic_pend(&vhe->gic, n);
		return true;
	}
	n = vhe_gic_free(&vhe->gic);
	if (n < 0)
		n = make_room(vhe, priority);
	if (n < 0)
		return false;
	clear_bit(intid, irq->pending);
	vhe_gic_put(&vhe->gic, n, vhe_gic_lr(intid, priority));
	return true;
}

static void place_queued(struct vhe_vcpu *vhe)
{
	struct vhe_irq *irq = &vhe->irq;
	int intid;

	/* The flag before the queue; pairs with vhe_irq_queue(). */
	smp_store_mb(irq->queued, false);
	while ((intid = next_pending(irq)) >= 0) {
		if (!place(vhe, intid)) {
			WRITE_ONCE(irq->queued, true);
			return;
		}
	}
}

static bool place_timer(struct vhe_vcpu *vhe)
{
	int n;

	if (!vhe_gic_present())
		return false;
	/* One that INJECT brought; the timer is looked at again when it is gone. */
	n = vhe_gic_find(&vhe->gic, VHE_VTIMER_INTID);
	if (n >= 0)
		return false;
	n = vhe_gic_free(&vhe->gic);
	if (n < 0) {
		n = make_room(vhe, TIMER_PRIORITY);
		WRITE_ONCE(vhe->irq.queued, true);
	}
	if (n < 0)
		return false;
	vhe_gic_put(&vhe->gic, n, vhe_gic_tied(vhe_gic_lr(VHE_VTIMER_INTID, TIMER_PRIORITY),
					       vhe_timer_intid));
	vhe_timer_list(&vhe->timer, n);
	return true;
}

/*
 * While the timer's interrupt is asserted, the host's is active: by a list
 * register, or for itself, or the guest would exit again at once.
 */
static void update_timer(struct vhe_vcpu *vhe)
{
	struct vhe_timer *timer = &vhe->timer;
	bool held = vhe_timer_is_held(timer);

	if (vhe_timer_is_listed(timer))
		return;
	if (!vhe_timer_is_high(timer))
		WRITE_ONCE(timer->state, VHE_TIMER_LOW);
	else if (!vhe_user_gic(vhe) && !place_timer(vhe))
		WRITE_ONCE(timer->state, VHE_TIMER_SILENT_HIGH);
	if (held != vhe_timer_is_held(timer))
		vhe_timer_set_active(!held);
}

/**
 * vhe_irq_enter() - put what waits into list registers
 * @vhe: the vCPU, its registers in the hardware, with vhe_irq_has_work()
 *
 * Context: interrupts off.
 */
void vhe_irq_enter(struct vhe_vcpu *vhe)
{
	vhe_timer_drop(&vhe->timer, vhe_gic_drop(&vhe->gic));
	update_timer(vhe);
	if (READ_ONCE(vhe->irq.queued))
		place_queued(vhe);
}

/* --- GET_REGS, SET_REGS ------------------------------------------------------ */

static bool is_lr(u64 id)
{
	return id - AXVCPU_ARM64_REG_GIC_LR(0) < VHE_MAX_LRS;
}

static bool is_queued(u64 id)
{
	return id - AXVCPU_ARM64_REG_GIC_QUEUED(0) < VHE_NR_INTIDS;
}

/**
 * vhe_irq_get_reg() - GET_REGS
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: its value
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_irq_get_reg(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	const struct vhe_irq *irq = &vhe->irq;
	unsigned int intid = id - AXVCPU_ARM64_REG_GIC_QUEUED(0);
	u64 bits, *reg = vhe_gic_reg(&vhe->gic, id, &bits);

	if (reg)
		*value = *reg & bits;
	else if (is_queued(id))
		*value = test_bit(intid, irq->pending) ? irq->priority[intid] | 0x100 : 0;
	else
		return -EINVAL;
	return 0;
}

static void set_lr(struct vhe_vcpu *vhe, unsigned int n, u64 value)
{
	struct vhe_gic *gic = &vhe->gic;

	vhe_timer_drop(&vhe->timer, vhe_gic_set_lr(gic, n, value));
	if (vhe_user_gic(vhe) || !vhe_timer_intid)
		return;
	/* The timer's, as it was when it was read: tied to the host's again. */
	if (value & LR_STATE && FIELD_GET(LR_INTID, value) == VHE_VTIMER_INTID &&
	    (value & LR_STATE) != LR_STATE) {
		gic->lr[n] = vhe_gic_tied(value, vhe_timer_intid);
		vhe_timer_list(&vhe->timer, n);
	}
}

static void set_queued(struct vhe_vcpu *vhe, unsigned int intid, u64 value)
{
	if (value)
		vhe_irq_queue(vhe, intid, value & 0xff);
	else
		clear_bit(intid, vhe->irq.pending);
}

/**
 * vhe_irq_set_reg() - SET_REGS
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: the value
 * @commit: false: only check
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_irq_set_reg(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	u64 bits, *reg = vhe_gic_reg(&vhe->gic, id, &bits);

	if (reg ? value & ~bits :
		  !is_queued(id) || (value && (value >> 8 != 1 || !vhe_gic_present())))
		return -EINVAL;
	if (is_lr(id) && FIELD_GET(LR_INTID, value) > AXVCPU_ARM64_MAX_INTID)
		return -EINVAL;
	if (!commit)
		return 0;
	if (is_lr(id))
		set_lr(vhe, id - AXVCPU_ARM64_REG_GIC_LR(0), value);
	else if (reg)
		*reg = value;
	else
		set_queued(vhe, id - AXVCPU_ARM64_REG_GIC_QUEUED(0), value);
	return 0;
}
