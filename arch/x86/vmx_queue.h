/* SPDX-License-Identifier: GPL-2.0-only */
/* What INJECT has queued. */
#ifndef _AXVCPU_VMX_QUEUE_H
#define _AXVCPU_VMX_QUEUE_H

#include <linux/types.h>

struct axvcpu;
struct axvcpu_inject;
struct vmx_vcpu;

/**
 * struct vmx_queue - a copy of what is queued
 * @irqs: external interrupts, a bit each
 * @exception: as &struct vmx_vcpu.exception
 * @nmi: an NMI
 */
struct vmx_queue {
	u64 irqs[4];
	u64 exception;
	bool nmi;
};

int vmx_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
int vmx_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event);
void vmx_set_queued_exception(struct vmx_vcpu *vmx, u64 exception);
void vmx_set_queued_irqs(struct vmx_vcpu *vmx, unsigned int n, u64 irqs);
void vmx_queue_keep(const struct vmx_vcpu *vmx, struct vmx_queue *queue);
void vmx_queue_restore(struct vmx_vcpu *vmx, const struct vmx_queue *queue);
void vmx_queue_show(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_QUEUE_H */
