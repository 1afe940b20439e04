/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits for control and debug registers and XSETBV. */
#ifndef _AXVCPU_VMX_EXIT_CR_H
#define _AXVCPU_VMX_EXIT_CR_H

struct vmx_vcpu;

int vmx_exit_cr(struct vmx_vcpu *vmx);
int vmx_exit_dr(struct vmx_vcpu *vmx);
int vmx_exit_xsetbv(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_CR_H */
