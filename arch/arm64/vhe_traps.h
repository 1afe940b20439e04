/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's instructions are trapped by, see vhe_traps.c */
#ifndef _AXVCPU_VHE_TRAPS_H
#define _AXVCPU_VHE_TRAPS_H

#include <linux/types.h>

struct vhe_vcpu;

/**
 * struct vhe_traps - those that are written at each entry
 * @hcr: HCR_EL2, without events
 * @cptr: CPTR_EL2
 */
struct vhe_traps {
	u64 hcr;
	u64 cptr;
};

void vhe_traps_init(void);
void vhe_load_traps(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_TRAPS_H */
