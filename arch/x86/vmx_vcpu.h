/* SPDX-License-Identifier: GPL-2.0-only */
/* The vCPU's life. */
#ifndef _AXVCPU_VMX_VCPU_H
#define _AXVCPU_VMX_VCPU_H

#include "../../axvcpu_arch.h"

int vmx_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config);
void vmx_vcpu_destroy(struct axvcpu *vcpu);
int vmx_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry);
int vmx_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root);
int vmx_bind(struct axvcpu *vcpu);
int vmx_unbind(struct axvcpu *vcpu);
void vmx_reset(struct axvcpu *vcpu, bool keep_machine);

#endif /* _AXVCPU_VMX_VCPU_H */
