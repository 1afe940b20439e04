/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's registers as the VMM sees them, see vhe_regs.c */
#ifndef _AXVCPU_VHE_REGS_H
#define _AXVCPU_VHE_REGS_H

#include <linux/types.h>

struct axvcpu;
struct vhe_vcpu;

void vhe_take_page(struct vhe_vcpu *vhe);
void vhe_sync_page(struct vhe_vcpu *vhe);
int vhe_get_reg(struct axvcpu *vcpu, u64 id, u64 *value);
int vhe_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit);

#endif /* _AXVCPU_VHE_REGS_H */
