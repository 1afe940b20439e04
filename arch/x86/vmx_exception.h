/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions that a debugger or the VMM wants to see. */
#ifndef _AXVCPU_VMX_EXCEPTION_H
#define _AXVCPU_VMX_EXCEPTION_H

#include <linux/types.h>

struct vmx_vcpu;

int vmx_exit_step(struct vmx_vcpu *vmx);
bool vmx_exit_watched(struct vmx_vcpu *vmx, u32 info, int *next);
int vmx_raise_next(struct vmx_vcpu *vmx, u8 vector);
int vmx_raise_debug(struct vmx_vcpu *vmx, u64 events);
void vmx_complete_exception(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXCEPTION_H */
