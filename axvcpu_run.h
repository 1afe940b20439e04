/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop. */
#ifndef _AXVCPU_RUN_H
#define _AXVCPU_RUN_H

#include "axvcpu_vcpu.h"

void axvcpu_run_init(void);
int axvcpu_load(struct axvcpu *vcpu);
int axvcpu_run(struct axvcpu *vcpu, unsigned long flags);
int axvcpu_run_locked(struct axvcpu *vcpu, unsigned long flags);	/* in KUnit's module */
void axvcpu_poke(struct axvcpu *vcpu);
void axvcpu_kick(struct axvcpu *vcpu);

#endif /* _AXVCPU_RUN_H */
