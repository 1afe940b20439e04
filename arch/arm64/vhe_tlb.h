/* SPDX-License-Identifier: GPL-2.0-only */
/* Forgetting translations, see vhe_tlb.c */
#ifndef _AXVCPU_VHE_TLB_H
#define _AXVCPU_VHE_TLB_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "axvcpu_s2.h"

DECLARE_PER_CPU(u64, vhe_tlb_owner);

void vhe_tlb_init(void);
void vhe_flush_tlbs(const struct axvcpu_s2_zap *zap);
void vhe_flush_this_cpu(void);

/**
 * vhe_tlb_forget_owner() - what this CPU has in its TLB may be of any vCPU, or none
 *
 * Context: interrupts off.
 */
static inline void vhe_tlb_forget_owner(void)
{
	__this_cpu_write(vhe_tlb_owner, 0);
}

/**
 * vhe_tlb_own() - this CPU has a vCPU's translations, and no other's
 * @tag: &struct vhe_vcpu.tag
 * @flush: forget the vCPU's too
 *
 * Context: interrupts off; VTTBR_EL2 and HCR_EL2 are the guest's.
 */
static __always_inline void vhe_tlb_own(u64 tag, bool flush)
{
	if (!flush && __this_cpu_read(vhe_tlb_owner) == tag)
		return;
	__this_cpu_write(vhe_tlb_owner, tag);
	vhe_flush_this_cpu();
}

#endif /* _AXVCPU_VHE_TLB_H */
