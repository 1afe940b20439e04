/* SPDX-License-Identifier: GPL-2.0-only */
/* Events, see vhe_event.c */
#ifndef _AXVCPU_VHE_EVENT_H
#define _AXVCPU_VHE_EVENT_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/kvm_arm.h>

#include "axvcpu_arch.h"
#include "vhe.h"

void vhe_event_reset(struct vhe_vcpu *vhe);
int vhe_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event);
int vhe_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
bool vhe_has_event(struct axvcpu *vcpu);
void vhe_take_exception(struct vhe_vcpu *vhe, u64 esr);

/**
 * vhe_event_hcr() - the events that an entry brings by bits of HCR_EL2
 * @vhe: the vCPU
 *
 * Context: interrupts off.
 * Return: VI and VF, the lines that are high, and VSE, an SError that waits.
 */
static __always_inline u64 vhe_event_hcr(const struct vhe_vcpu *vhe)
{
	unsigned long lines = READ_ONCE(vhe->lines);
	u64 serror = READ_ONCE(vhe->serror);
	u64 hcr = 0;

	if (likely(!(lines | serror)))
		return 0;
	if (lines & AXVCPU_ARM64_LINE_IRQ)
		hcr |= HCR_VI;
	if (lines & AXVCPU_ARM64_LINE_FIQ)
		hcr |= HCR_VF;
	if (serror)
		hcr |= HCR_VSE;
	return hcr;
}

#endif /* _AXVCPU_VHE_EVENT_H */
