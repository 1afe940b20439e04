/* SPDX-License-Identifier: GPL-2.0-only */
/* What a new guest starts with. */
#ifndef _AXVCPU_VMX_SETUP_H
#define _AXVCPU_VMX_SETUP_H

#include "../../axvcpu_arch.h"

int vmx_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config);

#endif /* _AXVCPU_VMX_SETUP_H */
