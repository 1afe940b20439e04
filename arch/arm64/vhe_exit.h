/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits and their answers, see vhe_exit.c */
#ifndef _AXVCPU_VHE_EXIT_H
#define _AXVCPU_VHE_EXIT_H

struct axvcpu;

int vhe_handle_exit(struct axvcpu *vcpu);
void vhe_complete(struct axvcpu *vcpu);

#endif /* _AXVCPU_VHE_EXIT_H */
