// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which interrupts a guest has in list registers: those that INJECT queues, the
 * highest priority first, and the virtual timer's.
 */
#include <linux/atomic.h>
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <asm/barrier.h>

#include "axvcpu_run.h"
#include "vhe.h"
#include "vhe_gic.h"
#include "vhe_irq.h"
#include "vhe_timer.h"

/* That its interrupt comes is all there is to it. */
static enum hrtimer_restart make_exit(struct hrtimer *hrtimer)
{
	return HRTIMER_NORESTART;
}

/**
 * vhe_irq_create() - before anything is queued
 * @irq: the queue, all 0
 *
 * Context: the vCPU is new.
 */
void vhe_irq_create(struct vhe_irq *irq)
{
	mutex_init(&irq->withdraw_mutex);
	hrtimer_init(&irq->poll, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	irq->poll.function = make_exit;
}

/**
 * vhe_irq_destroy() - the vCPU goes
 * @irq: the queue
 *
 * Context: nobody else knows the vCPU.
 */
void vhe_irq_destroy(struct vhe_irq *irq)
{
	hrtimer_cancel(&irq->poll);
	mutex_destroy(&irq->withdraw_mutex);
}

/**
 * vhe_irq_reset() - nothing is queued
 * @irq: the queue
 *
 * INJECT may queue something meanwhile: it comes before, and is gone, or after. A request
 * of WITHDRAW stays, and is in vain.
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_irq_reset(struct vhe_irq *irq)
{
	WRITE_ONCE(irq->queued, false);
	WRITE_ONCE(irq->show, false);
	smp_mb(); /* the flags before the queue, as in place_queued() */
	bitmap_zero(irq->pending, VHE_NR_INTIDS);
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
	intid = array_index_nospec(intid, AXVCPU_ARM64_MAX_INTID + 1);
	WRITE_ONCE(irq->priority[intid], priority);
	set_bit(intid, irq->pending);
	/* The queue before the flag; pairs with place_queued(). */
	smp_mb__after_atomic();
	WRITE_ONCE(irq->queued, true);
	WRITE_ONCE(irq->show, true);
	return 0;
}

/*
 * What is in a list register only the thread inside RUN can take back, or who holds the
 * mutex while there is none. It may be there and in the queue as well.
 */
static bool take_back(struct vhe_vcpu *vhe, unsigned int request, bool in_hw)
{
	bool queued;

	if (request == VHE_WITHDRAW_SERROR)
		return xchg(&vhe->serror, 0);
	queued = test_and_clear_bit(request, vhe->irq.pending);
	return vhe_gic_recall(&vhe->gic, request, in_hw) || queued;
}

static bool has_request(const struct vhe_irq *irq)
{
	return atomic_read(&irq->request_state) == VHE_REQUEST_WAITS;
}

/* Whoever takes the request up answers it. */
static noinline void meet_request(struct vhe_vcpu *vhe, bool in_hw)
{
	struct vhe_irq *irq = &vhe->irq;
	bool met;

	lockdep_assert_held(&vhe->vcpu.mutex);
	if (atomic_cmpxchg(&irq->request_state, VHE_REQUEST_WAITS, VHE_REQUEST_TAKEN_UP) !=
	    VHE_REQUEST_WAITS)
		return;
	met = take_back(vhe, irq->request, in_hw);
	atomic_set_release(&irq->request_state, met ? VHE_REQUEST_MET : VHE_REQUEST_IN_VAIN);
}

static void meet_idle(struct vhe_vcpu *vhe)
{
	if (!mutex_trylock(&vhe->vcpu.mutex))
		return;
	meet_request(vhe, false);
	mutex_unlock(&vhe->vcpu.mutex);
}

/* Returns &enum vhe_request: MET, IN_VAIN; NONE: a signal came before anybody took it up. */
static int wait_for_answer(struct vhe_vcpu *vhe)
{
	struct vhe_irq *irq = &vhe->irq;
	int state;

	for (;;) {
		meet_idle(vhe);
		state = atomic_read_acquire(&irq->request_state);
		if (state >= VHE_REQUEST_MET)
			return state;
		if (signal_pending(current) &&
		    atomic_cmpxchg(&irq->request_state, VHE_REQUEST_WAITS, VHE_REQUEST_NONE) ==
		    VHE_REQUEST_WAITS)
			return VHE_REQUEST_NONE;
		/* An entry may have cleared it and not seen the request. */
		WRITE_ONCE(irq->queued, true);
		axvcpu_poke(&vhe->vcpu);
		schedule_timeout_uninterruptible(1);
	}
}

/**
 * vhe_irq_withdraw() - take an interrupt or an SError back
 * @vhe: the vCPU
 * @request: INTID or %VHE_WITHDRAW_SERROR
 *
 * Context: process context, any thread, without &struct axvcpu.mutex.
 * Return: 0, -ENOENT: the guest has it, or it never was there; -EINTR: a signal.
 */
int vhe_irq_withdraw(struct vhe_vcpu *vhe, unsigned int request)
{
	struct vhe_irq *irq = &vhe->irq;
	int state;

	if (mutex_lock_interruptible(&irq->withdraw_mutex))
		return -EINTR;
	irq->request = request;
	atomic_set_release(&irq->request_state, VHE_REQUEST_WAITS);
	state = wait_for_answer(vhe);
	atomic_set(&irq->request_state, VHE_REQUEST_NONE);
	mutex_unlock(&irq->withdraw_mutex);
	if (state == VHE_REQUEST_NONE)
		return -EINTR;
	return state == VHE_REQUEST_MET ? 0 : -ENOENT;
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
	if (vhe_user_gic(vhe))
		return !vhe_timer_is_held(timer);
	return vhe_timer_is_enabled(timer) &&
	       vhe_gic_unmasked(&vhe->gic, READ_ONCE(timer->irq) & VHE_TIMER_PRIORITY);
}

/**
 * vhe_irq_pending() - is there an interrupt that ends a halt?
 * @vhe: the vCPU, halted, its registers not in the hardware
 *
 * Context: the thread inside RUN, &struct axvcpu.mutex held.
 * Return: whether.
 */
bool vhe_irq_pending(struct vhe_vcpu *vhe)
{
	/* Nobody else can, while the thread inside RUN waits. */
	if (has_request(&vhe->irq))
		meet_request(vhe, false);
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
 * pending too, one that is pending already is so. WITHDRAW may have been quicker.
 */
static bool place(struct vhe_vcpu *vhe, u32 intid)
{
	struct vhe_irq *irq = &vhe->irq;
	u32 priority = READ_ONCE(irq->priority[intid]);
	int n = vhe_gic_find(&vhe->gic, intid);

	if (!test_and_clear_bit(intid, irq->pending))
		return true;
	if (n >= 0) {
		/* The timer's can't be active and pending; its level brings it back. */
		if (!vhe_timer_is_listed(&vhe->timer) || n != vhe->timer.lr)
			vhe_gic_pend(&vhe->gic, n);
		return true;
	}
	n = vhe_gic_free(&vhe->gic);
	if (n < 0)
		n = make_room(vhe, priority);
	if (n < 0) {
		set_bit(intid, irq->pending);
		return false;
	}
	vhe_gic_put(&vhe->gic, n, vhe_gic_lr(intid, priority));
	return true;
}

static void place_queued(struct vhe_vcpu *vhe)
{
	struct vhe_irq *irq = &vhe->irq;
	int intid, i;

	/* The flag before the queue; pairs with vhe_irq_queue(). */
	smp_store_mb(irq->queued, false);
	/* Threads that go on queueing can't keep the CPU here. */
	for (i = 0; i < VHE_NR_INTIDS; i++) {
		intid = next_pending(irq);
		if (intid < 0)
			return;
		if (!place(vhe, intid))
			break;
	}
	WRITE_ONCE(irq->queued, true);
	/* They come in when there is room, and not with an exit that has another reason. */
	if (!vhe_gic_want_room(&vhe->gic))
		hrtimer_start(&irq->poll, ms_to_ktime(1), HRTIMER_MODE_REL_PINNED_HARD);
}

static bool place_timer(struct vhe_vcpu *vhe)
{
	u32 priority = vhe->timer.irq & VHE_TIMER_PRIORITY;
	int n;

	if (!vhe_gic_present() || !vhe_timer_is_enabled(&vhe->timer))
		return false;
	/* One that INJECT brought; the timer is looked at again when it is gone. */
	n = vhe_gic_find(&vhe->gic, VHE_VTIMER_INTID);
	if (n >= 0)
		return false;
	n = vhe_gic_free(&vhe->gic);
	if (n < 0) {
		n = make_room(vhe, priority);
		WRITE_ONCE(vhe->irq.queued, true);
	}
	if (n < 0)
		return false;
	vhe_gic_put(&vhe->gic, n,
		    vhe_gic_tied(vhe_gic_lr(VHE_VTIMER_INTID, priority), vhe_timer_intid));
	vhe_timer_list(&vhe->timer, n);
	return true;
}

/*
 * Is what the guest has not seen over, or masked, or of another priority? Then it is out
 * of its list register now.
 */
static bool takes_back(struct vhe_vcpu *vhe)
{
	const struct vhe_timer *timer = &vhe->timer;
	bool stays = vhe_timer_is_high(timer) && vhe_timer_is_enabled(timer) &&
		     vhe_gic_has_priority(&vhe->gic, timer->lr, timer->irq & VHE_TIMER_PRIORITY);

	return !stays && vhe_gic_unpend(&vhe->gic, timer->lr);
}

/*
 * While the timer's interrupt is asserted, the host's is active: by a list
 * register, or for itself, or the guest would exit again at once. When it is no longer, and
 * the guest has not seen it, it never was: a level, not an edge.
 */
static void update_timer(struct vhe_vcpu *vhe)
{
	struct vhe_timer *timer = &vhe->timer;
	bool held = vhe_timer_is_held(timer);

	if (vhe_timer_is_listed(timer) && !takes_back(vhe))
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
	if (has_request(&vhe->irq))
		meet_request(vhe, true);
	if (READ_ONCE(vhe->irq.queued))
		place_queued(vhe);
	WRITE_ONCE(vhe->irq.show, true);
}

/* --- in the run page ---------------------------------------------------------- */

static u32 show(struct axvcpu_arm64_queue *page, u32 count, u32 intid, u8 state, u8 priority)
{
	if (count < ARRAY_SIZE(page->irqs))
		page->irqs[count] = (struct axvcpu_arm64_irq){ intid, state, priority };
	return count + 1;
}

static u32 show_lrs(struct axvcpu_arm64_queue *page, const struct vhe_gic *gic)
{
	u32 count = 0;
	unsigned int i;

	for_each_set_bit(i, &gic->used, VHE_MAX_LRS) {
		if (gic->lr[i] & LR_STATE)
			count = show(page, count, FIELD_GET(LR_INTID, gic->lr[i]),
				     FIELD_GET(LR_STATE, gic->lr[i]),
				     FIELD_GET(LR_PRIORITY, gic->lr[i]));
	}
	return count;
}

/**
 * vhe_irq_show() - the run page has what is queued
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_irq_show(struct vhe_vcpu *vhe)
{
	struct axvcpu_arm64_queue *page = &vhe->vcpu.run->queue.arm64;
	const struct vhe_irq *irq = &vhe->irq;
	u64 exception, serror;
	unsigned int intid;
	u32 count;

	/* The flag before the queue, as in place_queued(). */
	smp_store_mb(vhe->irq.show, false);
	count = show_lrs(page, &vhe->gic);
	for_each_set_bit(intid, irq->pending, VHE_NR_INTIDS)
		count = show(page, count, intid, AXVCPU_ARM64_IRQ_WAITS,
			     READ_ONCE(irq->priority[intid]));
	exception = READ_ONCE(vhe->exception);
	serror = READ_ONCE(vhe->serror);
	WRITE_ONCE(page->exception, exception);
	WRITE_ONCE(page->serror, serror);
	WRITE_ONCE(page->count, count);
	/* As long as something stands there, it is written once more. */
	if (count || exception || serror)
		WRITE_ONCE(vhe->irq.show, true);
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

	if (reg) {
		*value = *reg & bits;
	} else if (is_queued(id)) {
		intid = array_index_nospec(intid, VHE_NR_INTIDS);
		*value = test_bit(intid, irq->pending) ? irq->priority[intid] | 0x100 : 0;
	} else {
		return -EINVAL;
	}
	return 0;
}

static void set_lr(struct vhe_vcpu *vhe, unsigned int n, u64 value)
{
	struct vhe_gic *gic = &vhe->gic;

	vhe_timer_drop(&vhe->timer, vhe_gic_set_lr(gic, n, value));
	WRITE_ONCE(vhe->irq.show, true);
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
	intid = array_index_nospec(intid, VHE_NR_INTIDS);
	if (value)
		vhe_irq_queue(vhe, intid, value & 0xff);
	else
		clear_bit(intid, vhe->irq.pending);
}

/**
 * vhe_irq_check_reg() - may a register have a value?
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: the value
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_irq_check_reg(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	u64 bits, *reg = vhe_gic_reg(&vhe->gic, id, &bits);

	if (reg ? value & ~bits :
		  !is_queued(id) || (value && (value >> 8 != 1 || !vhe_gic_present())))
		return -EINVAL;
	return is_lr(id) && FIELD_GET(LR_INTID, value) > AXVCPU_ARM64_MAX_INTID ? -EINVAL : 0;
}

/**
 * vhe_irq_set_reg() - SET_REGS
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: what vhe_irq_check_reg() has passed
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_irq_set_reg(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	u64 bits, *reg = vhe_gic_reg(&vhe->gic, id, &bits);

	if (is_lr(id))
		set_lr(vhe, id - AXVCPU_ARM64_REG_GIC_LR(0), value);
	else if (reg)
		*reg = value;
	else
		set_queued(vhe, id - AXVCPU_ARM64_REG_GIC_QUEUED(0), value);
}
