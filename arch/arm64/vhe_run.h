/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the guest and back, see vhe_run.c */
#ifndef _AXVCPU_VHE_RUN_H
#define _AXVCPU_VHE_RUN_H

#include <linux/types.h>

#include "vhe.h"

void vhe_run_init(void);
int vhe_load(struct axvcpu *vcpu);
void vhe_put(struct axvcpu *vcpu);
int vhe_enter(struct axvcpu *vcpu, bool flush);
void vhe_show_queue(struct axvcpu *vcpu);
void vhe_sync_regs(struct axvcpu *vcpu);
void vhe_unload_guest(struct vhe_vcpu *vhe);
void vhe_use_fp(struct vhe_vcpu *vhe);
bool vhe_use_pauth(struct vhe_vcpu *vhe);

/**
 * vhe_save() - the guest's registers out of the hardware, if they are there
 * @vhe: the vCPU
 *
 * Context: preemption off, on the CPU of vhe_enter(); or the vCPU is not loaded.
 */
static inline void vhe_save(struct vhe_vcpu *vhe)
{
	if (vhe->in_hw)
		vhe_unload_guest(vhe);
}

#endif /* _AXVCPU_VHE_RUN_H */
