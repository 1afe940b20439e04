/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a vCPU, see vhe_vcpu.c */
#ifndef _AXVCPU_VHE_VCPU_H
#define _AXVCPU_VHE_VCPU_H

#include "axvcpu_arch.h"

int vhe_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config);
void vhe_vcpu_destroy(struct axvcpu *vcpu);
int vhe_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry);
int vhe_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root);
int vhe_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config);
int vhe_bind(struct axvcpu *vcpu);
int vhe_unbind(struct axvcpu *vcpu);
void vhe_reset(struct axvcpu *vcpu, bool keep_machine);

#endif /* _AXVCPU_VHE_VCPU_H */
