/* SPDX-License-Identifier: GPL-2.0-only */
/* System register accesses that exit, see vhe_exit_sysreg.c */
#ifndef _AXVCPU_VHE_EXIT_SYSREG_H
#define _AXVCPU_VHE_EXIT_SYSREG_H

struct vhe_vcpu;

int vhe_undefined(struct vhe_vcpu *vhe);
int vhe_handle_pauth(struct vhe_vcpu *vhe);
int vhe_handle_sysreg(struct vhe_vcpu *vhe);
void vhe_complete_sysreg(struct vhe_vcpu *vhe);

#endif /* _AXVCPU_VHE_EXIT_SYSREG_H */
