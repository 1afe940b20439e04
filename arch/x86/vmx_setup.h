/* SPDX-License-Identifier: GPL-2.0-only */
/* What a new guest starts with. */
#ifndef _AXVCPU_VMX_SETUP_H
#define _AXVCPU_VMX_SETUP_H

#include "vmx.h"

int vmx_init_vmcs(struct vmx_vcpu *vmx, const struct axvcpu_x86_setup_config *config);

#endif /* _AXVCPU_VMX_SETUP_H */
