// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU: the current vCPU; virtualization on where a vCPU is used, off with the last
 * vCPU, over CPU hotplug, suspend and reboot.
 *
 * A CPU turns virtualization on when a vCPU is first loaded there. CPUs that no vCPU
 * comes to are never interrupted.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include "axvcpu_arch.h"
#include "axvcpu_compat.h"
#include "axvcpu_percpu.h"

/*
 * The vCPU that this CPU operates on; set and cleared with preemption off by
 * axvcpu_with_current_cpu_set().
 */
DEFINE_PER_CPU(struct axvcpu *, axvcpu_current);

/* Virtualization is on; written on its own CPU with interrupts off. */
DEFINE_PER_CPU(bool, axvcpu_hw_on);

/* It may be turned on: the CPU is online, and the system stays up. Written likewise. */
static DEFINE_PER_CPU(bool, hw_allowed);

/* CPUs with axvcpu_hw_on; each sets and clears its own bit. */
static struct cpumask hw_cpus;

/* Set once, before hw_allowed is cleared everywhere. */
static bool going_down;

/*
 * Protects hw_users. Taken inside cpus_read_lock(), so that CPUs don't come or go
 * meanwhile.
 */
static DEFINE_MUTEX(hw_mutex);
static unsigned int hw_users;
static int hotplug_state;

static int enable_this_cpu(void)
{
	unsigned long flags;
	int ret = 0;

	local_irq_save(flags);
	if (!__this_cpu_read(hw_allowed)) {
		ret = -ESHUTDOWN;
	} else if (!__this_cpu_read(axvcpu_hw_on)) {
		ret = axvcpu_arch.cpu_enable();
		if (!ret) {
			__this_cpu_write(axvcpu_hw_on, true);
			cpumask_set_cpu(smp_processor_id(), &hw_cpus);
		}
	}
	local_irq_restore(flags);
	return ret;
}

static void disable_this_cpu(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	if (__this_cpu_read(axvcpu_hw_on)) {
		__this_cpu_write(axvcpu_hw_on, false);
		cpumask_clear_cpu(smp_processor_id(), &hw_cpus);
		axvcpu_arch.cpu_disable();
	}
	local_irq_restore(flags);
}

/**
 * axvcpu_hw_turn_on() - a vCPU is to be loaded on a CPU where virtualization is off
 *
 * Context: preemption off; the caller's vCPU holds axvcpu_hw_get().
 * Return: 0, or -EXDEV: this CPU can't, as another hypervisor holds it or it goes offline.
 */
int axvcpu_hw_turn_on(void)
{
	return enable_this_cpu() ? -EXDEV : 0;
}

/* Whoever holds the hardware holds that of this CPU, too. */
static int first_user(void)
{
	int ret;

	preempt_disable();
	ret = enable_this_cpu();
	preempt_enable();
	if (!ret && axvcpu_arch.enabled)
		axvcpu_arch.enabled(true);
	return ret;
}

static void last_user_gone(void)
{
	if (axvcpu_arch.enabled)
		axvcpu_arch.enabled(false);
	on_each_cpu_mask(&hw_cpus, disable_this_cpu, NULL, 1);
}

/**
 * axvcpu_hw_get() - a vCPU needs virtualization
 *
 * The first one turns it on, on this CPU.
 *
 * Context: process context.
 * Return: 0, -EBUSY when another hypervisor holds it, -ESHUTDOWN when the system goes
 * down, another errno of the backend.
 */
int axvcpu_hw_get(void)
{
	int ret = 0;

	cpus_read_lock();
	mutex_lock(&hw_mutex);
	if (!hw_users)
		ret = first_user();
	if (!ret)
		hw_users++;
	mutex_unlock(&hw_mutex);
	cpus_read_unlock();
	return ret;
}

/**
 * axvcpu_hw_put() - a vCPU is gone
 *
 * Context: process context; pairs with a successful axvcpu_hw_get().
 */
void axvcpu_hw_put(void)
{
	cpus_read_lock();
	mutex_lock(&hw_mutex);
	if (!--hw_users)
		last_user_gone();
	mutex_unlock(&hw_mutex);
	cpus_read_unlock();
}

/* Interrupts are off from the look to the write: system_goes_down() comes before or after. */
static int cpu_online_callback(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	__this_cpu_write(hw_allowed, !READ_ONCE(going_down));
	local_irq_restore(flags);
	return 0;
}

static void forbid_this_cpu(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	__this_cpu_write(hw_allowed, false);
	disable_this_cpu(NULL);
	local_irq_restore(flags);
}

static int cpu_offline_callback(unsigned int cpu)
{
	forbid_this_cpu(NULL);
	return 0;
}

/* Suspend: the other CPUs are offline, this one has interrupts off. */
static int syscore_suspend_callback(AXVCPU_SYSCORE_ARG)
{
	disable_this_cpu(NULL);
	return 0;
}

/*
 * Reboot and kexec: INIT must find no CPU in VMX operation. Threads still run: they
 * may make vCPUs, and run those that there are, but none finds a CPU for it.
 */
static void system_goes_down(void)
{
	WRITE_ONCE(going_down, true);
	on_each_cpu(forbid_this_cpu, NULL, 1);
}

static void syscore_shutdown_callback(AXVCPU_SYSCORE_ARG)
{
	system_goes_down();
}

/* Linux 6.1 starts another kernel, by kexec, without syscore's callback. */
static int reboot_callback(struct notifier_block *nb, unsigned long action, void *data)
{
	system_goes_down();
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = reboot_callback,
};

AXVCPU_SYSCORE(axvcpu_syscore, syscore_suspend_callback, syscore_shutdown_callback);

#ifdef AXVCPU_KUNIT
void axvcpu_percpu_go_down(void)
{
	system_goes_down();
}

static void allow_this_cpu(void *unused)
{
	__this_cpu_write(hw_allowed, true);
}

/* As if nothing had been. */
void axvcpu_percpu_stay_up(void)
{
	WRITE_ONCE(going_down, false);
	on_each_cpu(allow_this_cpu, NULL, 1);
}
#endif

/**
 * axvcpu_percpu_init() - follow the CPUs
 *
 * Context: module load.
 * Return: 0 or a negative errno.
 */
int axvcpu_percpu_init(void)
{
	int ret;

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/axvcpu:online", cpu_online_callback,
				cpu_offline_callback);
	if (ret < 0)
		return ret;
	hotplug_state = ret;
	axvcpu_syscore_register(&axvcpu_syscore);
	register_reboot_notifier(&reboot_notifier);
	return 0;
}

/**
 * axvcpu_percpu_exit() - stop following the CPUs
 *
 * Context: module unload; there is no vCPU any more.
 */
void axvcpu_percpu_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	axvcpu_syscore_unregister(&axvcpu_syscore);
	cpuhp_remove_state(hotplug_state);
}
