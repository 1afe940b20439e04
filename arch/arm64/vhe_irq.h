/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts on their way into list registers, see vhe_irq.c */
#ifndef _AXVCPU_VHE_IRQ_H
#define _AXVCPU_VHE_IRQ_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "axvcpu_arch.h"
#include "vhe_timer.h"

struct vhe_vcpu;

#define VHE_NR_INTIDS		(AXVCPU_ARM64_MAX_INTID + 1)

/* What WITHDRAW may ask for beside INTIDs */
#define VHE_WITHDRAW_SERROR	VHE_NR_INTIDS

/**
 * enum vhe_request - where a request of WITHDRAW is
 * @VHE_REQUEST_NONE: there is none
 * @VHE_REQUEST_WAITS: for the thread inside RUN, or whoever holds the vCPU's mutex
 * @VHE_REQUEST_TAKEN_UP: the answer follows at once
 * @VHE_REQUEST_MET: the event is taken back
 * @VHE_REQUEST_IN_VAIN: there was no such event
 */
enum vhe_request {
	VHE_REQUEST_NONE,
	VHE_REQUEST_WAITS,
	VHE_REQUEST_TAKEN_UP,
	VHE_REQUEST_MET,
	VHE_REQUEST_IN_VAIN,
};

/**
 * struct vhe_irq - interrupts that wait for a list register
 * @pending: INTIDs that INJECT queued
 * @priority: of each of them
 * @queued: there may be some in @pending; set after them
 * @show: the run page lacks some of what is queued, or has what is gone
 * @poll: makes the guest exit while something waits, without a maintenance interrupt
 * @withdraw_mutex: one WITHDRAW at a time; protects @request
 * @request: INTID that WITHDRAW asks for, or %VHE_WITHDRAW_SERROR
 * @request_state: &enum vhe_request
 */
struct vhe_irq {
	DECLARE_BITMAP(pending, VHE_NR_INTIDS);
	u8 priority[VHE_NR_INTIDS];
	bool queued;
	bool show;
	struct hrtimer poll;
	struct mutex withdraw_mutex;	/* one WITHDRAW at a time; not taken in RUN */
	unsigned int request;
	atomic_t request_state;
};

void vhe_irq_create(struct vhe_irq *irq);
void vhe_irq_destroy(struct vhe_irq *irq);
void vhe_irq_reset(struct vhe_irq *irq);
int vhe_irq_queue(struct vhe_vcpu *vhe, u32 intid, u32 priority);
bool vhe_irq_pending(struct vhe_vcpu *vhe);
void vhe_irq_enter(struct vhe_vcpu *vhe);
int vhe_irq_get_reg(struct vhe_vcpu *vhe, u64 id, u64 *value);
int vhe_irq_check_reg(struct vhe_vcpu *vhe, u64 id, u64 value);
void vhe_irq_set_reg(struct vhe_vcpu *vhe, u64 id, u64 value);
int vhe_irq_withdraw(struct vhe_vcpu *vhe, unsigned int request);
void vhe_irq_show(struct vhe_vcpu *vhe);

/**
 * vhe_irq_has_work() - is there something to be put into list registers, or looked for in them?
 * @irq: the queue
 * @timer: the timer
 *
 * Context: interrupts off.
 * Return: whether vhe_irq_enter() is due.
 */
static __always_inline bool vhe_irq_has_work(const struct vhe_irq *irq,
					     const struct vhe_timer *timer)
{
	return vhe_timer_is_moving(timer) || READ_ONCE(irq->queued);
}

#endif /* _AXVCPU_VHE_IRQ_H */
