/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits that nobody here knows, and entries that failed. */
#ifndef _AXVCPU_VMX_EXIT_UNKNOWN_H
#define _AXVCPU_VMX_EXIT_UNKNOWN_H

struct vmx_vcpu;

int vmx_exit_unknown(struct vmx_vcpu *vmx);
int vmx_exit_fail_entry(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_UNKNOWN_H */
