/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual timer, and what entries and exits do with it; see vhe_timer.c */
#ifndef _AXVCPU_VHE_TIMER_H
#define _AXVCPU_VHE_TIMER_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

#include <asm/arch_timer.h>

#include "axvcpu_arch.h"
#include "vhe_insn.h"

struct vhe_vcpu;

#define VHE_VTIMER_INTID	27

/* Of &struct vhe_timer.irq */
#define VHE_TIMER_PRIORITY	GENMASK(7, 0)
#define VHE_TIMER_IRQ_RESET	(AXVCPU_ARM64_VTIMER_ENABLED | 0xa0)

#define CNTV_CTL_EL02		sys_reg(3, 5, 14, 3, 1)
#define CNTV_CVAL_EL02		sys_reg(3, 5, 14, 3, 2)

#define CNTV_CTL_WRITABLE	(ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK)

/*
 * What becomes of the timer's interrupt: who knows of it, and the timer's output
 * when it was last looked at.
 *
 *					output low	output high
 *	nobody knows			LOW		HIGH
 *	the VMM, or nobody can yet	SILENT_LOW	SILENT_HIGH
 *	the guest, by a list register	LISTED_LOW	LISTED_HIGH
 *
 * The output is looked at when the timer is loaded, and at each exit: that leads
 * from a column to the other. Rows change
 *
 *	at an entry	LISTED_LOW -> LOW, the guest has not seen it, and it is over
 *			HIGH -> LISTED_HIGH, a list register is free or made so
 *			HIGH -> SILENT_HIGH, none is; not where the GIC is the VMM's
 *			SILENT_HIGH -> LISTED_HIGH, one has become free
 *			SILENT_LOW -> LOW
 *	at an exit	HIGH -> SILENT_HIGH, where the GIC is the VMM's: it is told
 *	when list	LISTED_LOW -> LOW, LISTED_HIGH -> HIGH: the guest is done with
 *	registers are	it (at an entry, and at the end of a section), or the VMM has
 *	looked at	put something else there
 *	SET_REGS	any -> LISTED_*, of a list register with INTID 27
 *	RESET		any -> LOW
 *
 * In SILENT_* and LISTED_* the host's interrupt is active as long as the timer is
 * in the hardware: it does not make the guest exit again.
 *
 * No part of it is whether the guest halts and is to be woken by its timer: it may
 * in each of these states.
 */
enum vhe_timer_state {
	VHE_TIMER_LOW		= 0,
	VHE_TIMER_HIGH		= 1,	/* this bit: the output is high */
	VHE_TIMER_SILENT_LOW	= 2,
	VHE_TIMER_SILENT_HIGH	= 3,
	VHE_TIMER_LISTED_LOW	= 4,
	VHE_TIMER_LISTED_HIGH	= 5,
};

/**
 * struct vhe_timer - the virtual timer
 * @ctl: CNTV_CTL_EL0, the two bits that can be written
 * @cval: CNTV_CVAL_EL0
 * @voff: CNTVOFF_EL2
 * @irq: the VMM's redistributor: %VHE_TIMER_PRIORITY, %AXVCPU_ARM64_VTIMER_ENABLED; read
 *	anywhere with READ_ONCE()
 * @state: of its interrupt; read anywhere with READ_ONCE()
 * @lr: in VHE_TIMER_LISTED_*: the list register
 * @armed: @wake was started
 * @wake: while the guest is halted
 */
struct vhe_timer {
	u64 ctl;
	u64 cval;
	u64 voff;
	u64 irq;
	enum vhe_timer_state state;
	unsigned int lr;
	bool armed;
	struct hrtimer wake;
};

extern u32 vhe_timer_intid;

int vhe_timer_init(void);
void vhe_timer_fini(void);
void vhe_timer_cpu_enable(void);
void vhe_timer_cpu_disable(void);
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
 * vhe_timer_is_high() - was its output high when it was last looked at?
 * @timer: the timer
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether.
 */
static __always_inline bool vhe_timer_is_high(const struct vhe_timer *timer)
{
	return timer->state & VHE_TIMER_HIGH;
}

/**
 * vhe_timer_is_listed() - does the guest know by a list register?
 * @timer: the timer
 *
 * Context: any.
 * Return: whether.
 */
static __always_inline bool vhe_timer_is_listed(const struct vhe_timer *timer)
{
	return READ_ONCE(timer->state) >= VHE_TIMER_LISTED_LOW;
}

/**
 * vhe_timer_is_held() - is the host's interrupt active while the timer is in the hardware?
 * @timer: the timer
 *
 * Context: any.
 * Return: whether.
 */
static __always_inline bool vhe_timer_is_held(const struct vhe_timer *timer)
{
	return READ_ONCE(timer->state) >= VHE_TIMER_SILENT_LOW;
}

/**
 * vhe_timer_is_moving() - may the state be another after an entry?
 * @timer: the timer
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether.
 */
static __always_inline bool vhe_timer_is_moving(const struct vhe_timer *timer)
{
	return timer->state != VHE_TIMER_LOW;
}

/**
 * vhe_timer_is_enabled() - does the VMM's redistributor let its interrupt through?
 * @timer: the timer
 *
 * Context: any.
 * Return: whether.
 */
static inline bool vhe_timer_is_enabled(const struct vhe_timer *timer)
{
	return READ_ONCE(timer->irq) & AXVCPU_ARM64_VTIMER_ENABLED;
}

/* Its output, as it is now */
static __always_inline void vhe_timer_look(struct vhe_timer *timer, bool high)
{
	WRITE_ONCE(timer->state, (timer->state & ~VHE_TIMER_HIGH) | high);
}

/**
 * vhe_timer_list() - the guest knows by a list register
 * @timer: the timer
 * @lr: the list register
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_timer_list(struct vhe_timer *timer, unsigned int lr)
{
	timer->lr = lr;
	WRITE_ONCE(timer->state, VHE_TIMER_LISTED_LOW | (timer->state & VHE_TIMER_HIGH));
}

/**
 * vhe_timer_drop() - list registers are empty: has the timer's been among them?
 * @timer: the timer
 * @lrs: a bit for each
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_timer_drop(struct vhe_timer *timer, unsigned long lrs)
{
	if (unlikely(lrs) && vhe_timer_is_listed(timer) && lrs & BIT(timer->lr))
		WRITE_ONCE(timer->state, timer->state & VHE_TIMER_HIGH);
}

/**
 * vhe_timer_load() - the timer into the hardware, still off
 * @timer: the timer
 *
 * Context: interrupts off.
 */
static inline void vhe_timer_load(struct vhe_timer *timer)
{
	vhe_timer_look(timer, timer->ctl && vhe_timer_expired(timer));
	vhe_write_s(timer->cval, CNTV_CVAL_EL02);
	if (unlikely(vhe_timer_is_held(timer)))
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
	if (unlikely(vhe_timer_is_held(timer)))
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
	bool high = (ctl & (asserted | ARCH_TIMER_CTRL_IT_MASK)) == asserted && vhe_timer_intid;

	WRITE_ONCE(timer->ctl, ctl & CNTV_CTL_WRITABLE);
	vhe_timer_look(timer, high);
	if (ctl & ARCH_TIMER_CTRL_ENABLE)
		vhe_write_s(0, CNTV_CTL_EL02);
}

#endif /* _AXVCPU_VHE_TIMER_H */
