/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits that no instruction asked for. */
#ifndef _AXVCPU_VMX_EXIT_EVENT_H
#define _AXVCPU_VMX_EXIT_EVENT_H

struct vmx_vcpu;

int vmx_exit_exception(struct vmx_vcpu *vmx);
int vmx_exit_interrupt(struct vmx_vcpu *vmx);
int vmx_exit_window(struct vmx_vcpu *vmx);
int vmx_exit_shutdown(struct vmx_vcpu *vmx);
int vmx_exit_timer(struct vmx_vcpu *vmx);
int vmx_exit_task_switch(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_EVENT_H */
