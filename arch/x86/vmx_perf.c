// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that entries and exits load by lists (SDM vol. 3, 27.4 and 28.6), so that no NMI
 * comes in between. Mostly, the lists are empty.
 *
 * IA32_SPEC_CTRL: for a guest whose CPUID shows it, as the first of a list.
 *
 * The host's performance counters: perf tells which of them are to stop while a guest
 * runs: those that count the host alone, and those that write records by PEBS, at linear
 * addresses, which the guest's page tables would translate.
 */
#include <linux/kvm_host.h>
#include <linux/perf_event.h>

#include <asm/nospec-branch.h>
#include <asm/perf_event.h>

#include "vmx.h"
#include "vmx_insn.h"
#include "vmx_perf.h"

/** vmx_has_pmu - is there anything to ask perf for? */
DEFINE_STATIC_KEY_FALSE(vmx_has_pmu);

/* Of the guest, perf wants to know this: it has no counters. Not const, to be of no size. */
static struct kvm_pmu no_pmu;

/**
 * vmx_perf_init() - find out whether there are counters
 *
 * Context: module load.
 */
void __init vmx_perf_init(void)
{
	bool has_pmu;
	int count;

	preempt_disable();
	has_pmu = perf_guest_get_msrs(&count, &no_pmu);
	preempt_enable();
	if (has_pmu)
		static_branch_enable(&vmx_has_pmu);
}

static void set_counts(struct vmx_vcpu *vmx)
{
	u32 nr = vmx->perf.nr + !!vmx->spec_ctrl_allowed;

	vmwrite(VM_ENTRY_MSR_LOAD_COUNT, nr);
	vmwrite(VM_EXIT_MSR_LOAD_COUNT, nr);
}

/**
 * vmx_perf_init_vmcs() - lists without a counter
 * @vmx: the vCPU, loaded
 *
 * Context: setup.
 */
void vmx_perf_init_vmcs(struct vmx_vcpu *vmx)
{
	vmx->perf.nr = 0;
	vmwrite(VM_ENTRY_MSR_LOAD_ADDR, __pa(vmx->perf.guest));
	vmwrite(VM_EXIT_MSR_LOAD_ADDR, __pa(vmx->perf.host));
	set_counts(vmx);
}

static void set_entry(struct vmx_msr_entry *entry, u32 msr, u64 value)
{
	*entry = (struct vmx_msr_entry){ .index = msr, .value = value };
}

/**
 * vmx_put_spec_ctrl() - the entry loads the guest's IA32_SPEC_CTRL, the exit the host's
 * @vmx: the vCPU, about to be entered, which has the MSR
 *
 * The host's changes when threads change places.
 *
 * Context: interrupts off, loaded.
 */
void vmx_put_spec_ctrl(struct vmx_vcpu *vmx)
{
	set_entry(&vmx->perf.guest[0], MSR_IA32_SPEC_CTRL, vmx->msrs[VMX_MSR_SPEC_CTRL]);
	set_entry(&vmx->perf.host[0], MSR_IA32_SPEC_CTRL, this_cpu_read(x86_spec_ctrl_current));
}

/*
 * Where PEBS writes, and what: without PEBS_ENABLE nothing, so the host's may stay. Linux
 * 6.1 names them whenever there is an event of the hardware's, such as its watchdog's.
 */
static bool is_unused(u32 msr)
{
	return msr == MSR_IA32_DS_AREA || msr == MSR_PEBS_DATA_CFG;
}

/**
 * vmx_perf_begin() - a stretch starts: see to what perf has in the counters now
 * @vmx: the vCPU, about to be entered
 *
 * The events on a CPU change with interrupts on, or by NMIs, which stop some early.
 * A record that PEBS is about to write needs time: that much comes by writing the MSR
 * here, before the entry does it again.
 *
 * Context: interrupts off, loaded.
 */
void vmx_perf_begin(struct vmx_vcpu *vmx)
{
	const struct perf_guest_switch_msr *msrs;
	u32 first = !!vmx->spec_ctrl_allowed, nr = first;
	struct vmx_perf *perf = &vmx->perf;
	int i, count;

	msrs = perf_guest_get_msrs(&count, &no_pmu);
	for (i = 0; msrs && i < count && nr < VMX_NR_LISTED_MSRS; i++) {
		if (msrs[i].host == msrs[i].guest || is_unused(msrs[i].msr))
			continue;
		if (msrs[i].msr == MSR_IA32_PEBS_ENABLE)
			vmx_wrmsr(MSR_IA32_PEBS_ENABLE, msrs[i].guest);
		set_entry(&perf->guest[nr], msrs[i].msr, msrs[i].guest);
		set_entry(&perf->host[nr], msrs[i].msr, msrs[i].host);
		nr++;
	}
	nr -= first;
	if (nr == perf->nr)
		return;
	perf->nr = nr;
	set_counts(vmx);
}

/**
 * vmx_perf_end() - a stretch ends: undo what no exit has undone
 * @vmx: the vCPU, which may not have been entered after vmx_perf_begin()
 *
 * Context: interrupts off, loaded.
 */
void vmx_perf_end(struct vmx_vcpu *vmx)
{
	u32 first = !!vmx->spec_ctrl_allowed, i;

	for (i = first; i < first + vmx->perf.nr; i++) {
		if (vmx->perf.host[i].index == MSR_IA32_PEBS_ENABLE)
			vmx_wrmsr(MSR_IA32_PEBS_ENABLE, vmx->perf.host[i].value);
	}
}
