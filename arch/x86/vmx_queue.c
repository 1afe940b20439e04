// SPDX-License-Identifier: GPL-2.0-only
/*
 * What INJECT has queued: an exception, an NMI, external interrupts. Any thread queues
 * and withdraws, the thread inside RUN takes (vmx_event.c); whoever clears a bit has it.
 */
#include <linux/bitops.h>
#include <linux/lockdep.h>
#include <linux/nospec.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_queue.h"

static int queue_interrupt(struct vmx_vcpu *vmx, const struct axvcpu_inject *event)
{
	if (event->vector > 255 || event->flags || event->error_code)
		return -EINVAL;
	set_bit(array_index_nospec(event->vector, 256), vmx->irr);
	smp_mb__after_atomic();	/* pairs with take_interrupt()'s */
	set_bit(VMX_QUEUED_IRQ, &vmx->queued);
	return 0;
}

static int queue_exception(struct vmx_vcpu *vmx, const struct axvcpu_inject *event)
{
	bool has_error_code = event->flags & AXVCPU_INJECT_ERROR_CODE;
	u64 exception;

	if (event->vector > 31 || has_error_code != vmx_has_error_code(event->vector))
		return -EINVAL;
	exception = vmx_exception_info(event->vector) | (u64)event->error_code << 32;
	if (!vmx_exception_valid(exception))
		return -EINVAL;
	if (cmpxchg64(&vmx->exception, 0, exception))
		return -EBUSY;
	set_bit(VMX_QUEUED_EXCEPTION, &vmx->queued);
	return 0;
}

static int queue_nmi(struct vmx_vcpu *vmx, const struct axvcpu_inject *event)
{
	if (event->vector || event->flags || event->error_code)
		return -EINVAL;
	set_bit(VMX_QUEUED_NMI, &vmx->queued);
	return 0;
}

static int withdraw_interrupt(struct vmx_vcpu *vmx, u32 vector)
{
	if (vector > 255)
		return -EINVAL;
	return test_and_clear_bit(array_index_nospec(vector, 256), vmx->irr) ? 0 : -ENOENT;
}

/* The flag stays: one that is queued meanwhile has set it already. */
static int withdraw_exception(struct vmx_vcpu *vmx, u32 vector)
{
	u64 exception = READ_ONCE(vmx->exception);

	if (vector > 31)
		return -EINVAL;
	if (!exception || (exception & INTR_INFO_VECTOR_MASK) != vector)
		return -ENOENT;
	return cmpxchg64(&vmx->exception, exception, 0) == exception ? 0 : -ENOENT;
}

static int withdraw_nmi(struct vmx_vcpu *vmx, u32 vector)
{
	if (vector)
		return -EINVAL;
	return test_and_clear_bit(VMX_QUEUED_NMI, &vmx->queued) ? 0 : -ENOENT;
}

/**
 * vmx_inject() - queue an event
 * @vcpu: the vCPU
 * @event: the VMM's
 *
 * Context: any, the vCPU may run.
 * Return: 0, -EINVAL: there is no such event, or -EBUSY: an exception is queued.
 */
int vmx_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	static int (*const queue[])(struct vmx_vcpu *, const struct axvcpu_inject *) = {
		[AXVCPU_EVENT_INTERRUPT]	= queue_interrupt,
		[AXVCPU_EVENT_EXCEPTION]	= queue_exception,
		[AXVCPU_EVENT_NMI]		= queue_nmi,
	};

	if (event->type >= ARRAY_SIZE(queue) || event->priority ||
	    event->flags & AXVCPU_INJECT_PRIORITY)
		return -EINVAL;
	return queue[array_index_nospec(event->type, ARRAY_SIZE(queue))](to_vmx(vcpu), event);
}

/**
 * vmx_withdraw() - take a queued event back
 * @vcpu: the vCPU
 * @event: the VMM's
 *
 * Context: any, the vCPU may run.
 * Return: 0, -EINVAL: there is no such event, or -ENOENT: it is not queued.
 */
int vmx_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	switch (event->type) {
	case AXVCPU_EVENT_INTERRUPT:
		return withdraw_interrupt(vmx, event->vector);
	case AXVCPU_EVENT_EXCEPTION:
		return withdraw_exception(vmx, event->vector);
	case AXVCPU_EVENT_NMI:
		return withdraw_nmi(vmx, event->vector);
	default:
		return -EINVAL;
	}
}

/**
 * vmx_set_queued_exception() - SET_REGS of the queued exception
 * @vmx: the vCPU
 * @exception: as &struct vmx_vcpu.exception has it; 0: none
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_set_queued_exception(struct vmx_vcpu *vmx, u64 exception)
{
	lockdep_assert_held(&vmx->vcpu.mutex);
	/* One that INJECT queues meanwhile is replaced, or stays and has its flag. */
	clear_bit(VMX_QUEUED_EXCEPTION, &vmx->queued);
	xchg(&vmx->exception, exception);
	if (exception)
		set_bit(VMX_QUEUED_EXCEPTION, &vmx->queued);
}

/**
 * vmx_set_queued_irqs() - SET_REGS of queued interrupts
 * @vmx: the vCPU
 * @n: vectors from 64 * @n on
 * @irqs: a bit for each
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_set_queued_irqs(struct vmx_vcpu *vmx, unsigned int n, u64 irqs)
{
	lockdep_assert_held(&vmx->vcpu.mutex);
	xchg(&vmx->irr[n], irqs);
	/* It stays set, maybe in vain, when the last one goes. */
	if (irqs)
		set_bit(VMX_QUEUED_IRQ, &vmx->queued);
}

/**
 * vmx_queue_keep() - copy what is queued
 * @vmx: the vCPU
 * @queue: the copy
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_queue_keep(const struct vmx_vcpu *vmx, struct vmx_queue *queue)
{
	unsigned int i;

	lockdep_assert_held(&vmx->vcpu.mutex);
	for (i = 0; i < ARRAY_SIZE(queue->irqs); i++)
		queue->irqs[i] = READ_ONCE(vmx->irr[i]);
	queue->exception = READ_ONCE(vmx->exception);
	queue->nmi = test_bit(VMX_QUEUED_NMI, &vmx->queued);
}

/**
 * vmx_queue_restore() - put a copy of the queue back
 * @vmx: the vCPU
 * @queue: the copy
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_queue_restore(struct vmx_vcpu *vmx, const struct vmx_queue *queue)
{
	unsigned int i;

	lockdep_assert_held(&vmx->vcpu.mutex);
	for (i = 0; i < ARRAY_SIZE(queue->irqs); i++) {
		if (READ_ONCE(vmx->irr[i]) != queue->irqs[i])
			vmx_set_queued_irqs(vmx, i, queue->irqs[i]);
	}
	if (READ_ONCE(vmx->exception) != queue->exception)
		vmx_set_queued_exception(vmx, queue->exception);
	if (test_bit(VMX_QUEUED_NMI, &vmx->queued) != queue->nmi)
		assign_bit(VMX_QUEUED_NMI, &vmx->queued, queue->nmi);
}

/**
 * vmx_queue_show() - the run page has what is queued
 * @vmx: the vCPU, something is or was queued
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_queue_show(struct vmx_vcpu *vmx)
{
	struct axvcpu_x86_queue *page = &vmx->vcpu.run->queue.x86;
	struct vmx_queue queue;
	u64 any;
	unsigned int i;

	lockdep_assert_held(&vmx->vcpu.mutex);
	vmx_queue_keep(vmx, &queue);
	any = queue.exception | queue.nmi;
	for (i = 0; i < ARRAY_SIZE(queue.irqs); i++) {
		WRITE_ONCE(page->irqs[i], queue.irqs[i]);
		any |= queue.irqs[i];
	}
	WRITE_ONCE(page->exception, queue.exception);
	WRITE_ONCE(page->nmi, queue.nmi);
	/* As long as something stands there, it is written once more. */
	assign_bit(VMX_QUEUE_SHOWN, &vmx->queued, any);
}
