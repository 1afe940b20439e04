/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits for instructions that have no file of their own. */
#ifndef _AXVCPU_VMX_EXIT_INSN_H
#define _AXVCPU_VMX_EXIT_INSN_H

struct vmx_vcpu;

int vmx_exit_undefined(struct vmx_vcpu *vmx);
int vmx_exit_protection(struct vmx_vcpu *vmx);
int vmx_exit_nothing(struct vmx_vcpu *vmx);
int vmx_exit_cpuid(struct vmx_vcpu *vmx);
int vmx_exit_hlt(struct vmx_vcpu *vmx);
int vmx_exit_vmcall(struct vmx_vcpu *vmx);
void vmx_complete_vmcall(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_INSN_H */
