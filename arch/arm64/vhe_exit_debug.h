/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug exceptions, see vhe_exit_debug.c */
#ifndef _AXVCPU_VHE_EXIT_DEBUG_H
#define _AXVCPU_VHE_EXIT_DEBUG_H

struct vhe_vcpu;

int vhe_handle_step(struct vhe_vcpu *vhe);
int vhe_handle_breakpoint(struct vhe_vcpu *vhe);
int vhe_handle_watchpoint(struct vhe_vcpu *vhe);
int vhe_handle_brk(struct vhe_vcpu *vhe);
void vhe_complete_debug(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_EXIT_DEBUG_H */
