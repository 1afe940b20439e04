/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits for RDMSR and WRMSR. */
#ifndef _AXVCPU_VMX_EXIT_MSR_H
#define _AXVCPU_VMX_EXIT_MSR_H

struct vmx_vcpu;

int vmx_exit_rdmsr(struct vmx_vcpu *vmx);
int vmx_exit_wrmsr(struct vmx_vcpu *vmx);
void vmx_complete_msr(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_MSR_H */
