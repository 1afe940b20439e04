/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual timer at entries and exits, see vhe_timer.c */
#ifndef _AXVCPU_VHE_TIMER_H
#define _AXVCPU_VHE_TIMER_H

#include <asm/arch_timer.h>

#include "vhe.h"
#include "vhe_insn.h"

#define CNTV_CTL_EL02	sys_reg(3, 5, 14, 3, 1)
#define CNTV_CVAL_EL02	sys_reg(3, 5, 14, 3, 2)

#define CNTV_CTL_WRITABLE	(ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK)

/**
 * vhe_timer_load() - the timer into the hardware, still off
 * @vhe: the vCPU
 *
 * Context: interrupts off.
 */
static inline void vhe_timer_load(struct vhe_vcpu *vhe)
{
	vhe->timer.high = vhe->timer.ctl && vhe_timer_expired(vhe);
	vhe_write_s(vhe->timer.cval, CNTV_CVAL_EL02);
}

/**
 * vhe_timer_save() - the timer out of the hardware, where it is off already
 * @vhe: the vCPU
 *
 * Context: preemption off.
 */
static inline void vhe_timer_save(struct vhe_vcpu *vhe)
{
	WRITE_ONCE(vhe->timer.cval, vhe_read_s(CNTV_CVAL_EL02));
}

/**
 * vhe_timer_enter() - the timer on, as the guest has it
 * @vhe: the vCPU
 *
 * Context: interrupts off, after vhe_gic_enter().
 */
static __always_inline void vhe_timer_enter(const struct vhe_vcpu *vhe)
{
	/* Without a host interrupt, nobody would stop it from firing. */
	u64 mask = vhe_timer_intid ? 0 : ARCH_TIMER_CTRL_IT_MASK;

	if (vhe->timer.ctl)
		vhe_write_s(vhe->timer.ctl | mask, CNTV_CTL_EL02);
}

/**
 * vhe_timer_exit() - the timer off, before the host takes interrupts
 * @vhe: the vCPU
 *
 * Context: interrupts off.
 */
static __always_inline void vhe_timer_exit(struct vhe_vcpu *vhe)
{
	const u64 asserted = ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_STAT;
	u64 ctl = vhe_read_s(CNTV_CTL_EL02);

	WRITE_ONCE(vhe->timer.ctl, ctl & CNTV_CTL_WRITABLE);
	vhe->timer.high = (ctl & (asserted | ARCH_TIMER_CTRL_IT_MASK)) == asserted &&
			  vhe_timer_intid;
	if (ctl & ARCH_TIMER_CTRL_ENABLE)
		vhe_write_s(0, CNTV_CTL_EL02);
}

#endif /* _AXVCPU_VHE_TIMER_H */
