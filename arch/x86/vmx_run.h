/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the guest and back. */
#ifndef _AXVCPU_VMX_RUN_H
#define _AXVCPU_VMX_RUN_H

#include <linux/types.h>

#include "../../axvcpu_arch.h"

int vmx_load(struct axvcpu *vcpu);
void vmx_put(struct axvcpu *vcpu);
int vmx_enter(struct axvcpu *vcpu, bool flush);

#endif /* _AXVCPU_VMX_RUN_H */
