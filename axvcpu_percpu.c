// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU: the current vCPU; virtualization on with the first vCPU and off
 * with the last, over CPU hotplug, suspend and reboot.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
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

/*
 * Protects hw_users and the order of enabling. Taken inside cpus_read_lock(),
 * so that CPUs don't come or go meanwhile; the hotplug callbacks hold
 * cpus_write_lock() in its stead.
 */
static DEFINE_MUTEX(hw_mutex);
static unsigned int hw_users;
static int hotplug_state;

static int enable_this_cpu(void)
{
	unsigned long flags;
	int ret = 0;

	local_irq_save(flags);
	if (!__this_cpu_read(axvcpu_hw_on)) {
		ret = axvcpu_arch.cpu_enable();
		if (!ret)
			__this_cpu_write(axvcpu_hw_on, true);
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
		axvcpu_arch.cpu_disable();
	}
	local_irq_restore(flags);
}

static void enable_on_cpu(void *error)
{
	int ret = enable_this_cpu();

	if (ret)
		atomic_cmpxchg((atomic_t *)error, 0, ret);
}

static int enable_all(void)
{
	atomic_t error = ATOMIC_INIT(0);

	on_each_cpu(enable_on_cpu, &error, 1);
	if (!atomic_read(&error)) {
		if (axvcpu_arch.enabled)
			axvcpu_arch.enabled(true);
		return 0;
	}
	on_each_cpu(disable_this_cpu, NULL, 1);
	return atomic_read(&error);
}

static void disable_all(void)
{
	if (axvcpu_arch.enabled)
		axvcpu_arch.enabled(false);
	on_each_cpu(disable_this_cpu, NULL, 1);
}

/**
 * axvcpu_hw_get() - a vCPU needs virtualization on
 *
 * The first one turns it on, on all CPUs or on none.
 *
 * Context: process context.
 * Return: 0, -EBUSY when another hypervisor holds it, another errno of the
 * backend.
 */
int axvcpu_hw_get(void)
{
	int ret = 0;

	cpus_read_lock();
	mutex_lock(&hw_mutex);
	if (!hw_users)
		ret = enable_all();
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
		disable_all();
	mutex_unlock(&hw_mutex);
	cpus_read_unlock();
}

/* A CPU that can't virtualize doesn't come up while there are vCPUs. */
static int cpu_online_callback(unsigned int cpu)
{
	return hw_users ? enable_this_cpu() : 0;
}

static int cpu_offline_callback(unsigned int cpu)
{
	disable_this_cpu(NULL);
	return 0;
}

/* Suspend: the other CPUs are offline, this one has interrupts off. */
static int syscore_suspend_callback(AXVCPU_SYSCORE_ARG)
{
	disable_this_cpu(NULL);
	return 0;
}

static void syscore_resume_callback(AXVCPU_SYSCORE_ARG)
{
	if (hw_users)
		WARN_ON(enable_this_cpu());
}

/* Reboot and kexec: INIT must find no CPU in VMX operation. */
static void system_goes_down(void)
{
	on_each_cpu(disable_this_cpu, NULL, 1);
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

AXVCPU_SYSCORE(axvcpu_syscore, syscore_suspend_callback, syscore_resume_callback,
	       syscore_shutdown_callback);

/**
 * axvcpu_percpu_init() - follow the CPUs
 *
 * Context: module load.
 * Return: 0 or a negative errno.
 */
int axvcpu_percpu_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "virt/axvcpu:online",
					cpu_online_callback, cpu_offline_callback);
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
	cpuhp_remove_state_nocalls(hotplug_state);
}
