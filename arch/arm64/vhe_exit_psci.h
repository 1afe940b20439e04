/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the guest, see vhe_exit_psci.c */
#ifndef _AXVCPU_VHE_EXIT_PSCI_H
#define _AXVCPU_VHE_EXIT_PSCI_H

struct vhe_vcpu;

int vhe_handle_hvc(struct vhe_vcpu *vhe);
int vhe_handle_smc(struct vhe_vcpu *vhe);
void vhe_complete_hypercall(struct vhe_vcpu *vhe);
void vhe_complete_cpu_up(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_EXIT_PSCI_H */
