// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1TF (CVE-2018-3646): a guest on an affected CPU can read what the host has in
 * the L1 data cache, whosever it is; so it must not be there at an entry.
 */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "vmx_insn.h"
#include "vmx_l1d.h"

/** vmx_flush_l1d - it is flushed before entries */
bool vmx_flush_l1d __ro_after_init;

/*
 * Without microcode that flushes it, reading takes what it holds out. Twice its
 * 32 KiB: the least recently used line is not quite what it replaces.
 */
#define FILL_ORDER	4
#define FILL_SIZE	(PAGE_SIZE << FILL_ORDER)
static u8 *fill __ro_after_init;

static bool is_affected(void)
{
	u64 arch_caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, arch_caps);
	return boot_cpu_has_bug(X86_BUG_L1TF) && l1tf_mitigation != L1TF_MITIGATION_OFF &&
	       !(arch_caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH);
}

/**
 * vmx_l1d_init() - find out whether it must be flushed, and how
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_l1d_exit() is due in any case.
 */
int __init vmx_l1d_init(void)
{
	unsigned int i;

	vmx_flush_l1d = is_affected();
	if (!vmx_flush_l1d || boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	fill = (u8 *)__get_free_pages(GFP_KERNEL, FILL_ORDER);
	if (!fill)
		return -ENOMEM;
	/* Pages that are not alike stay apart, where a hypervisor below merges pages. */
	for (i = 0; i < 1 << FILL_ORDER; i++)
		memset(fill + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	return 0;
}

/**
 * vmx_l1d_exit() - undo vmx_l1d_init()
 *
 * Context: module unload.
 */
void vmx_l1d_exit(void)
{
	free_pages((unsigned long)fill, FILL_ORDER);
}

static void read_at_steps_of(unsigned int step)
{
	unsigned int i;

	for (i = 0; i < FILL_SIZE; i += step)
		(void)READ_ONCE(fill[i]);
}

/**
 * vmx_l1d_flush() - the L1 data cache has nothing of the host's secrets
 *
 * Context: interrupts off, right before an entry.
 */
void vmx_l1d_flush(void)
{
	if (boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		vmx_wrmsr(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* The TLB first: page walks leave something in the cache, too. */
	read_at_steps_of(PAGE_SIZE);
	(void)cpuid_eax(0);	/* serializes */
	read_at_steps_of(L1_CACHE_BYTES);
	rmb(); /* all of it is read before the entry */
}
