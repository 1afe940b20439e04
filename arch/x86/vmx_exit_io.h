/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits for IN, OUT, INS and OUTS. */
#ifndef _AXVCPU_VMX_EXIT_IO_H
#define _AXVCPU_VMX_EXIT_IO_H

struct vmx_vcpu;

int vmx_exit_io(struct vmx_vcpu *vmx);
void vmx_complete_in(struct vmx_vcpu *vmx);
void vmx_complete_string(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_IO_H */
