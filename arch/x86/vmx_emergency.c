// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's emergency callback, which turns VMX off when the machine
 * crashes.
 *
 * There is one slot for it in the kernel, which warns when a second one wants
 * it, and does not tell whether it is taken. KVM takes it when it turns VMX
 * on, or, in older kernels, for as long as it is loaded, and it takes it before
 * it finds out that VMX is on already. So, as long as all is well, it is ours
 * only while KVM is not even loaded. The callback of an older kernel's KVM turns
 * off our VMX, too. With a newer KVM, we take the slot in the crash, before the
 * other CPUs are stopped: KVM, which has none of it while VMX is ours, can want it no more.
 *
 * From the first vCPU on we keep it: giving it back takes a grace period, which
 * is not for the end of each last vCPU.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/string.h>

#include <asm/reboot.h>
#include <asm/smp.h>

#include "../../axvcpu_compat.h"
#include "vmx_emergency.h"
#include "vmx_hw.h"

#ifdef AXVCPU_HAVE_EMERGENCY_VIRT
/* Protects the three below. */
static DEFINE_MUTEX(slot_mutex);
static bool slot_is_wanted;
static bool kvm_is_loaded;
static bool slot_is_ours;

static void update_slot(void)
{
	bool wanted = slot_is_wanted && !kvm_is_loaded;

	lockdep_assert_held(&slot_mutex);
	if (wanted == slot_is_ours)
		return;
	if (wanted)
		cpu_emergency_register_virt_callback(vmx_emergency_disable);
	else
		cpu_emergency_unregister_virt_callback(vmx_emergency_disable);
	slot_is_ours = wanted;
}

/**
 * vmx_enabled() - a CPU has VMX on, or all that have it are about to turn it off
 * @on: which of it
 *
 * Context: process context.
 */
void vmx_enabled(bool on)
{
	mutex_lock(&slot_mutex);
	slot_is_wanted |= on;
	update_slot();
	mutex_unlock(&slot_mutex);
}

/* kvm.ko comes before kvm_intel.ko, which takes the slot, and goes after it. */
static int module_changes(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "kvm") ||
	    (state != MODULE_STATE_COMING && state != MODULE_STATE_GOING))
		return NOTIFY_DONE;
	mutex_lock(&slot_mutex);
	kvm_is_loaded = state == MODULE_STATE_COMING;
	update_slot();
	mutex_unlock(&slot_mutex);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_changes };

/* The kernel's own; NULL: it has no crash kernels. */
static void (*kernels_stop)(void);

static void crash_stop_other_cpus(void)
{
	if (!slot_is_ours && vmx_is_on())
		cpu_emergency_register_virt_callback(vmx_emergency_disable);
	kernels_stop();
}

static void hook_crash(void)
{
	if (!AXVCPU_KVM_ENABLES_LATE)
		return;
	kernels_stop = smp_ops.crash_stop_other_cpus;
	if (kernels_stop)
		smp_ops.crash_stop_other_cpus = crash_stop_other_cpus;
}

static void unhook_crash(void)
{
	if (kernels_stop)
		smp_ops.crash_stop_other_cpus = kernels_stop;
}

/**
 * vmx_emergency_init() - look out for KVM and for crashes
 *
 * Context: module load, VMX is off.
 * Return: 0 or a negative errno.
 */
int __init vmx_emergency_init(void)
{
	int ret = register_module_notifier(&module_nb);

	if (ret)
		return ret;
	mutex_lock(&slot_mutex);
	if (__symbol_get("kvm_rebooting")) {
		__symbol_put("kvm_rebooting");
		kvm_is_loaded = true;
	}
	mutex_unlock(&slot_mutex);
	hook_crash();
	return 0;
}

/**
 * vmx_emergency_exit() - undo vmx_emergency_init(), whether it succeeded or not
 *
 * Context: module unload, VMX is off.
 */
void vmx_emergency_exit(void)
{
	unhook_crash();
	unregister_module_notifier(&module_nb);
	mutex_lock(&slot_mutex);
	slot_is_wanted = false;
	update_slot();
	mutex_unlock(&slot_mutex);
}
#else
void vmx_enabled(bool on)
{
}

int __init vmx_emergency_init(void)
{
	return 0;
}

void vmx_emergency_exit(void)
{
}
#endif
