/* SPDX-License-Identifier: GPL-2.0-only */
/* The handlers of exits, file by file, and what completes them with the VMM's answer. */
#ifndef _AXVCPU_VMX_EXIT_HANDLERS_H
#define _AXVCPU_VMX_EXIT_HANDLERS_H

struct vmx_vcpu;

/* vmx_exit_cr.c: control and debug registers, XSETBV */
int vmx_exit_cr(struct vmx_vcpu *vmx);
int vmx_exit_dr(struct vmx_vcpu *vmx);
int vmx_exit_xsetbv(struct vmx_vcpu *vmx);

/* vmx_exit_event.c: what no instruction asked for */
int vmx_exit_exception(struct vmx_vcpu *vmx);
int vmx_exit_interrupt(struct vmx_vcpu *vmx);
int vmx_exit_window(struct vmx_vcpu *vmx);
int vmx_exit_shutdown(struct vmx_vcpu *vmx);
int vmx_exit_timer(struct vmx_vcpu *vmx);
int vmx_exit_task_switch(struct vmx_vcpu *vmx);

/* vmx_exit_io.c: IN, OUT, INS and OUTS */
int vmx_exit_io(struct vmx_vcpu *vmx);
void vmx_complete_in(struct vmx_vcpu *vmx);
void vmx_complete_string(struct vmx_vcpu *vmx);

/* vmx_exit_msr.c: RDMSR and WRMSR */
int vmx_exit_rdmsr(struct vmx_vcpu *vmx);
int vmx_exit_wrmsr(struct vmx_vcpu *vmx);
void vmx_complete_msr(struct vmx_vcpu *vmx);

/* vmx_exit_insn.c: other instructions */
int vmx_exit_undefined(struct vmx_vcpu *vmx);
int vmx_exit_protection(struct vmx_vcpu *vmx);
int vmx_exit_nothing(struct vmx_vcpu *vmx);
int vmx_exit_cpuid(struct vmx_vcpu *vmx);
int vmx_exit_hlt(struct vmx_vcpu *vmx);
int vmx_exit_vmcall(struct vmx_vcpu *vmx);
void vmx_complete_vmcall(struct vmx_vcpu *vmx);

/* vmx_exit_memory.c: the second stage */
int vmx_exit_ept_violation(struct vmx_vcpu *vmx);
int vmx_exit_ept_misconfig(struct vmx_vcpu *vmx);

/* vmx_exit_unknown.c: what there is no handler for */
int vmx_exit_unknown(struct vmx_vcpu *vmx);
int vmx_exit_fail_entry(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_EXIT_HANDLERS_H */
