/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU's registers by id, and the whole of its state. */
#ifndef _AXVCPU_REGS_H
#define _AXVCPU_REGS_H

#include "axvcpu_vcpu.h"

int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count);
int axvcpu_set_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count);
int axvcpu_keep_state(struct axvcpu *vcpu);
int axvcpu_restore_state(struct axvcpu *vcpu, unsigned long flags);
void axvcpu_forget_state(struct axvcpu *vcpu);

#endif /* _AXVCPU_REGS_H */
