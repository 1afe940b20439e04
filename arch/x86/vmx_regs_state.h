/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers by id that are no field of the VMCS. */
#ifndef _AXVCPU_VMX_REGS_STATE_H
#define _AXVCPU_VMX_REGS_STATE_H

#include "vmx_regs.h"

#define VMX_NR_STATE_REGS	23

extern const struct vmx_reg vmx_state_regs[VMX_NR_STATE_REGS];

#endif /* _AXVCPU_VMX_REGS_STATE_H */
