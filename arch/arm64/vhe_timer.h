/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual timer, and what entries and exits do with it; see vhe_timer.c */
#ifndef _AXVCPU_VHE_TIMER_H
#define _AXVCPU_VHE_TIMER_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

#include <asm/arch_timer.h>

#include "vhe_insn.h"

struct vhe_vcpu;

#define VHE_VTIMER_INTID	27

#define CNTV_CTL_EL02		sys_reg(3, 5, 14, 3, 1)
#define CNTV_CVAL_EL02		sys_reg(3, 5, 14, 3, 2)

#define CNTV_CTL_WRITABLE	(ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK)

/**
 * struct vhe_timer - the virtual timer
 * @ctl: CNTV_CTL_EL0, the two bits that can be written
 * @cval: CNTV_CVAL_EL0
 * @voff: CNTVOFF_EL2
 * @high: its interrupt was asserted at the last exit
 * @silent: and the host's is active, although no list register is tied to it:
 *	the VMM has been told, or all of them are in use
 * @lr: the list register with its interrupt, -1: none
 * @armed: @wake was started
 * @wake: while the guest is halted
 */
struct vhe_timer {
	u64 ctl;
	u64 cval;
	u64 voff;
	bool high;
	bool silent;
	int lr;
	bool armed;
	struct hrtimer wake;
};

extern u32 vhe_timer_intid;

void vhe_timer_init(void);
void vhe_timer_create(struct vhe_vcpu *vhe);
void vhe_timer_destroy(struct vhe_timer *timer);
void vhe_timer_reset(struct vhe_timer *timer);
u64 vhe_timer_now(const struct vhe_timer *timer);
bool vhe_timer_expired(const struct vhe_timer *timer);
void vhe_timer_sleep(struct vhe_timer *timer);
void vhe_timer_wake(struct vhe_timer *timer);
void vhe_timer_set_active(bool active);
bool vhe_timer_tell(struct vhe_vcpu *vhe);

/**
 * vhe_timer_drop() - list registers are empty: has the timer's been among them?
 * @timer: the timer
 * @lrs: a bit for each
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_timer_drop(struct vhe_timer *timer, unsigned long lrs)
{
	if (timer->lr >= 0 && lrs & BIT(timer->lr))
		timer->lr = -1;
}

/**
 * vhe_timer_load() - the timer into the hardware, still off
 * @timer: the timer
 *
 * Context: interrupts off.
 */
static inline void vhe_timer_load(struct vhe_timer *timer)
{
	timer->high = timer->ctl && vhe_timer_expired(timer);
	vhe_write_s(timer->cval, CNTV_CVAL_EL02);
	if (unlikely(timer->lr >= 0 || timer->silent))
		vhe_timer_set_active(true);
}

/**
 * vhe_timer_save() - the timer out of the hardware, where it is off already
 * @timer: the timer
 *
 * Context: preemption off, before vhe_gic_save().
 */
static inline void vhe_timer_save(struct vhe_timer *timer)
{
	if (unlikely(timer->lr >= 0 || timer->silent))
		vhe_timer_set_active(false);
	WRITE_ONCE(timer->cval, vhe_read_s(CNTV_CVAL_EL02));
}

/**
 * vhe_timer_enter() - the timer on, as the guest has it
 * @timer: the timer
 *
 * Context: interrupts off, after vhe_irq_enter().
 */
static __always_inline void vhe_timer_enter(const struct vhe_timer *timer)
{
	/* Without a host interrupt, nobody would stop it from firing. */
	u64 mask = vhe_timer_intid ? 0 : ARCH_TIMER_CTRL_IT_MASK;

	if (timer->ctl)
		vhe_write_s(timer->ctl | mask, CNTV_CTL_EL02);
}

/**
 * vhe_timer_exit() - the timer off, before the host takes interrupts
 * @timer: the timer
 *
 * Context: interrupts off.
 */
static __always_inline void vhe_timer_exit(struct vhe_timer *timer)
{
	const u64 asserted = ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_STAT;
	u64 ctl = vhe_read_s(CNTV_CTL_EL02);

	WRITE_ONCE(timer->ctl, ctl & CNTV_CTL_WRITABLE);
	timer->high = (ctl & (asserted | ARCH_TIMER_CTRL_IT_MASK)) == asserted && vhe_timer_intid;
	if (ctl & ARCH_TIMER_CTRL_ENABLE)
		vhe_write_s(0, CNTV_CTL_EL02);
}

#endif /* _AXVCPU_VHE_TIMER_H */
