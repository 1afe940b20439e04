/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that axvcpu supports, and between their architectures
 * where the kernel has no word for it. Kernels are told apart by what the headers hold
 * (the AXVCPU_HAVE_* probes in Kbuild), not by version: stable kernels carry backports.
 *
 * Probes: AXVCPU_HAVE_VM_FLAGS_SET   vm_flags_set in linux/mm.h
 *         AXVCPU_HAVE_SYSCORE_DATA   register_syscore in linux/syscore_ops.h
 *         AXVCPU_HAVE_EMERGENCY_VIRT cpu_emergency_register_virt_callback in
 *                                    asm/reboot.h (x86)
 *         AXVCPU_HAVE_KVM_ENABLES_LATE kvm_arch_enable_virtualization in
 *                                    linux/kvm_host.h: an idle KVM holds nothing (x86)
 */
#ifndef _AXVCPU_COMPAT_H
#define _AXVCPU_COMPAT_H

#include <linux/mm.h>
#include <linux/syscore_ops.h>
#include <linux/timex.h>

#ifndef AXVCPU_HAVE_VM_FLAGS_SET
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/*
 * axvcpu_thread_work() does what waits for this thread on its way to userspace,
 * signals excepted, and reschedules if need be: -EINTR: a signal is pending.
 * The one function that the kernel exports for it counts the signals of a KVM
 * vCPU, so it gets one to count in.
 */
#if IS_ENABLED(CONFIG_KVM_XFER_TO_GUEST_WORK)
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

static inline int axvcpu_thread_work(void)
{
	static struct kvm_run run;
	static struct kvm_vcpu sink = { .run = &run };

	return xfer_to_guest_mode_handle_work(&sink);
}
#elif IS_ENABLED(CONFIG_VIRT_XFER_TO_GUEST_WORK)
#include <linux/entry-virt.h>

static inline int axvcpu_thread_work(void)
{
	return xfer_to_guest_mode_handle_work();
}
#else
#include <linux/sched/signal.h>

#pragma message("A kernel without KVM: RUN returns EINTR more often than it must (run-page.rst)")

static inline int axvcpu_thread_work(void)
{
	cond_resched();
	return test_thread_flag(TIF_NOTIFY_RESUME) || signal_pending(current) ? -EINTR : 0;
}
#endif

/* Since 6.12, KVM takes hold of the CPUs when it is first used, not when it is loaded (x86). */
#ifdef AXVCPU_HAVE_KVM_ENABLES_LATE
#define AXVCPU_KVM_ENABLES_LATE	1
#else
#define AXVCPU_KVM_ENABLES_LATE	0
#endif

/* Since 6.6 */
#ifdef VM_SHADOW_STACK
#define AXVCPU_VM_SHADOW_STACK	VM_SHADOW_STACK
#else
#define AXVCPU_VM_SHADOW_STACK	0
#endif

/* A wish of the scheduler's that can wait for the way to userspace, since 6.13 */
#ifdef _TIF_NEED_RESCHED_LAZY
#define AXVCPU_TIF_LAZY	_TIF_NEED_RESCHED_LAZY
#else
#define AXVCPU_TIF_LAZY	0
#endif

/*
 * AXVCPU_SYSCORE(name, suspend, shutdown) defines the two callbacks'
 * registration; axvcpu_syscore_register() and _unregister() use it. The
 * callbacks are declared with AXVCPU_SYSCORE_ARG as their parameter.
 */
#ifdef AXVCPU_HAVE_SYSCORE_DATA
#define AXVCPU_SYSCORE_ARG	void *data
#define AXVCPU_SYSCORE(name, suspend_fn, shutdown_fn)		\
static const struct syscore_ops name##_ops = {				\
	.suspend = suspend_fn,						\
	.shutdown = shutdown_fn,					\
};									\
static struct syscore name = { .ops = &name##_ops }
#define axvcpu_syscore_register(s)	register_syscore(s)
#define axvcpu_syscore_unregister(s)	unregister_syscore(s)
#else
#define AXVCPU_SYSCORE_ARG	void
#define AXVCPU_SYSCORE(name, suspend_fn, shutdown_fn)		\
static struct syscore_ops name = {					\
	.suspend = suspend_fn,						\
	.shutdown = shutdown_fn,					\
}
#define axvcpu_syscore_register(s)	register_syscore_ops(s)
#define axvcpu_syscore_unregister(s)	unregister_syscore_ops(s)
#endif

/**
 * axvcpu_cycles() - the counter that &struct axvcpu.guest_cycles is in
 *
 * That is get_cycles(), but on arm64 without the barrier and the call that errata of
 * counters need: statistics can do without.
 *
 * Context: any.
 * Return: what the counter says.
 */
static __always_inline u64 axvcpu_cycles(void)
{
#ifdef CONFIG_ARM64
	return read_sysreg(cntvct_el0);
#else
	return get_cycles();
#endif
}

#endif /* _AXVCPU_COMPAT_H */
