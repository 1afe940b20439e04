/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the guest, see vhe_exit_psci.c */
#ifndef _AXVCPU_VHE_EXIT_PSCI_H
#define _AXVCPU_VHE_EXIT_PSCI_H

#include <linux/compiler.h>

#include "vhe.h"

int vhe_handle_hvc(struct vhe_vcpu *vhe);
int vhe_handle_smc(struct vhe_vcpu *vhe);

/**
 * vhe_complete_hypercall() - the VMM's answer goes to x0
 * @vhe: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
static inline void vhe_complete_hypercall(struct vhe_vcpu *vhe)
{
	vhe_set_x(vhe, 0, READ_ONCE(vhe->vcpu.run->hypercall.ret));
}

/**
 * vhe_complete_cpu_up() - the VMM's answer to CPU_ON goes to x0
 * @vhe: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
static inline void vhe_complete_cpu_up(struct vhe_vcpu *vhe)
{
	vhe_set_x(vhe, 0, READ_ONCE(vhe->vcpu.run->cpu_up.ret));
}

#endif /* _AXVCPU_VHE_EXIT_PSCI_H */
