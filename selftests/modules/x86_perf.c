// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the counters that an emulated CPU has not got: perf_guest_get_msrs()
 * names an MSR that the guest can read, IA32_TSC_AUX, as one to be exchanged.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/perf_event.h>

#include <asm/msr.h>
#include <asm/perf_event.h>

static bool on;
module_param(on, bool, 0644);

static uint guest_value;
module_param(guest_value, uint, 0644);

static DEFINE_PER_CPU(struct perf_guest_switch_msr, listed);

static struct perf_guest_switch_msr *get_msrs(int *nr, void *data)
{
	struct perf_guest_switch_msr *msr = this_cpu_ptr(&listed);

	msr->msr = MSR_TSC_AUX;
	rdmsrl(MSR_TSC_AUX, msr->host);
	msr->guest = READ_ONCE(on) ? READ_ONCE(guest_value) : msr->host;
	*nr = 1;
	return msr;
}

static int call_ours(struct kprobe *probe, struct pt_regs *regs)
{
	regs->ip = (unsigned long)get_msrs;
	return 1;
}

static struct kprobe probe = {
	.symbol_name	= "perf_guest_get_msrs",
	.pre_handler	= call_ours,
};

static int __init x86_perf_init(void)
{
	return register_kprobe(&probe);
}
module_init(x86_perf_init);

static void __exit x86_perf_exit(void)
{
	unregister_kprobe(&probe);
}
module_exit(x86_perf_exit);

MODULE_DESCRIPTION("Has perf exchange an MSR, for a test");
MODULE_LICENSE("GPL");
