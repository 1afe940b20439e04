/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that wait, see vhe_exit_halt.c */
#ifndef _AXVCPU_VHE_EXIT_HALT_H
#define _AXVCPU_VHE_EXIT_HALT_H

struct vhe_vcpu;

int vhe_halt(struct vhe_vcpu *vhe);
int vhe_handle_wfx(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_EXIT_HALT_H */
