/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits for the second stage. */
#ifndef _AXVCPU_VMX_EXIT_MEMORY_H
#define _AXVCPU_VMX_EXIT_MEMORY_H

struct vmx_vcpu;

int vmx_exit_ept_violation(struct vmx_vcpu *vmx);
int vmx_exit_ept_misconfig(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_MEMORY_H */
