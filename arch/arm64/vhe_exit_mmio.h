/* SPDX-License-Identifier: GPL-2.0-only */
/* Aborts, see vhe_exit_mmio.c */
#ifndef _AXVCPU_VHE_EXIT_MMIO_H
#define _AXVCPU_VHE_EXIT_MMIO_H

struct axvcpu;
struct vhe_vcpu;

int vhe_handle_data_abort(struct vhe_vcpu *vhe);
int vhe_handle_instruction_abort(struct vhe_vcpu *vhe);
int vhe_fault_exit(struct axvcpu *vcpu);
void vhe_complete_mmio_read(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_EXIT_MMIO_H */
