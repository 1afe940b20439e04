// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest could read out of the CPU's buffers must not be there at an entry.
 *
 * L1TF (CVE-2018-3646): what the host has in the L1 data cache, whosever it is.
 * MMIO stale data: what accesses to a device's memory leave. MDS and TAA are seen
 * to in entry.S.
 */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "vmx.h"
#include "vmx_buffers.h"
#include "vmx_insn.h"

/** vmx_l1d_flush_due - L1TF: this CPU has done other things than handle an exit */
DEFINE_PER_CPU(bool, vmx_l1d_flush_due);

/* The L1 data cache is flushed before entries. */
static bool flush_l1d __ro_after_init;

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
 * vmx_buffers_init() - find out whether the L1 data cache must be flushed, and how
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_buffers_exit() is due in any case.
 */
int __init vmx_buffers_init(void)
{
	unsigned int i;

	flush_l1d = is_affected();
	if (!flush_l1d || boot_cpu_has(X86_FEATURE_FLUSH_L1D))
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
 * vmx_buffers_exit() - undo vmx_buffers_init()
 *
 * Context: module unload.
 */
void vmx_buffers_exit(void)
{
	free_pages((unsigned long)fill, FILL_ORDER);
}

static void read_at_steps_of(unsigned int step)
{
	unsigned int i;

	for (i = 0; i < FILL_SIZE; i += step)
		(void)READ_ONCE(fill[i]);
}

static void do_flush_l1d(void)
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

/**
 * vmx_buffers_matter() - is vmx_flush_buffers() due before each entry?
 * @vmx: the vCPU, with its EPT pointer
 *
 * A raw root may lead to devices' memory, an address space does not.
 *
 * Context: any.
 * Return: whether it is.
 */
bool vmx_buffers_matter(const struct vmx_vcpu *vmx)
{
	return flush_l1d ||
	       (static_branch_unlikely(&mmio_stale_data_clear) && !vmx->vcpu.aspace);
}

/**
 * vmx_flush_buffers() - nothing of the host's is there for the guest to read
 *
 * Context: interrupts off, right before an entry.
 */
void vmx_flush_buffers(void)
{
	bool always = l1tf_mitigation == L1TF_MITIGATION_FULL ||
		      l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;

	if (!flush_l1d) {
		x86_clear_cpu_buffers();
	} else if (always || __this_cpu_read(vmx_l1d_flush_due) || kvm_get_cpu_l1tf_flush_l1d()) {
		__this_cpu_write(vmx_l1d_flush_due, false);
		kvm_clear_cpu_l1tf_flush_l1d();
		do_flush_l1d();
	}
}
