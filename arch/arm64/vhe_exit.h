/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits and their answers, see vhe_exit.c */
#ifndef _AXVCPU_VHE_EXIT_H
#define _AXVCPU_VHE_EXIT_H

#include "axvcpu_vcpu.h"

extern const u8 vhe_exit_classes[AXVCPU_NR_HW_REASONS];

int vhe_handle_exit(struct axvcpu *vcpu);
void vhe_complete(struct axvcpu *vcpu);

#endif /* _AXVCPU_VHE_EXIT_H */
