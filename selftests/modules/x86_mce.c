// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the machine checks that no emulated CPU raises: an exit for another
 * exception looks as a machine check would have left it, and so do its MSRs.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

#include <asm/mce.h>
#include <asm/trapnr.h>

#include "arch/x86/vmx.h"

/* What the next exit for an exception becomes */
enum { ITSELF, MACHINE_CHECK, FAILED_ENTRY };

static uint next;
module_param(next, uint, 0644);

/* IA32_MCG_STATUS, as the host's handler finds it */
static ulong status;
module_param(status, ulong, 0644);

/* rare_exit(vmx, reason), interrupts off, before anything is read of the exit but its reason */
static int change_exit(struct kprobe *probe, struct pt_regs *regs)
{
	struct vmx_vcpu *vmx = (struct vmx_vcpu *)regs->di;

	if ((u32)regs->si != EXIT_REASON_EXCEPTION_NMI || !next)
		return 0;

	if (next == MACHINE_CHECK) {
		vmwrite(VM_EXIT_INTR_INFO, INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION |
			X86_TRAP_MC | (vmread(VM_EXIT_INTR_INFO) & INTR_INFO_UNBLOCK_NMI));
	} else {
		regs->si = EXIT_REASON_MCE_DURING_VMENTRY | VMX_EXIT_REASONS_FAILED_VMENTRY;
		vmx->vcpu.hw_reason = regs->si;
	}
	this_cpu_write(injectm.mcgstatus, status);
	this_cpu_write(injectm.finished, 1);
	next = ITSELF;
	return 0;
}

static struct kprobe probe = {
	.symbol_name	= "axvcpu:rare_exit",
	.pre_handler	= change_exit,
};

static int __init x86_mce_init(void)
{
	u64 misc;

	rdmsrl(MSR_IA32_VMX_MISC, misc);
	return misc & VMX_MISC_VMWRITE_SHADOW_RO_FIELDS ? register_kprobe(&probe) : -EOPNOTSUPP;
}
module_init(x86_mce_init);

static void __exit x86_mce_exit(void)
{
	int cpu;

	unregister_kprobe(&probe);
	for_each_possible_cpu(cpu)
		per_cpu(injectm.finished, cpu) = 0;
}
module_exit(x86_mce_exit);

MODULE_DESCRIPTION("Has VMX exits look like machine checks, for a test");
MODULE_LICENSE("GPL");
