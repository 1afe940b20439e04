// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the CPUs can: the controls that we need and those that we like, found
 * in the capability MSRs (SDM vol. 3, appendix A).
 */
#include <linux/cpu.h>
#include <linux/printk.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx_caps.h"

#define BASIC_REVISION		GENMASK_ULL(30, 0)
#define BASIC_TYPE		GENMASK_ULL(53, 50)
#define BASIC_TYPE_WB		(6ULL << 50)
#define BASIC_INFO_OF_INS_OUTS	BIT_ULL(54)
#define BASIC_TRUE_CONTROLS	BIT_ULL(55)

#define MISC_TIMER_RATE		GENMASK_ULL(4, 0)

#define WORD(word)	offsetof(struct vmx_caps, word)

/* A word of the controls: what we can't do without, and what we like. */
static const struct controls {
	const char *name;
	u32 msr;
	u32 word;	/* in struct vmx_caps */
	u32 needed;
	u32 liked;
} controls[] = {
	{
		"pin-based controls", MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		offsetof(struct vmx_caps, pin),
		PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS,
		PIN_BASED_VMX_PREEMPTION_TIMER,
	}, {
		"primary controls", MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		WORD(cpu),
		CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING |
		CPU_BASED_HLT_EXITING | CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |
		CPU_BASED_RDPMC_EXITING | CPU_BASED_CR8_LOAD_EXITING |
		CPU_BASED_CR8_STORE_EXITING | CPU_BASED_MOV_DR_EXITING |
		CPU_BASED_UNCOND_IO_EXITING | CPU_BASED_USE_MSR_BITMAPS |
		CPU_BASED_USE_TSC_OFFSETTING |
		CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
	}, {
		"EPT", MSR_IA32_VMX_PROCBASED_CTLS2, WORD(cpu2),
		SECONDARY_EXEC_ENABLE_EPT,
		SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_ENABLE_INVPCID |
		SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENCLS_EXITING |
		SECONDARY_EXEC_RDRAND_EXITING | SECONDARY_EXEC_RDSEED_EXITING,
	}, {
		"VPID", MSR_IA32_VMX_PROCBASED_CTLS2, WORD(cpu2),
		SECONDARY_EXEC_ENABLE_VPID,
	}, {
		"unrestricted guest", MSR_IA32_VMX_PROCBASED_CTLS2, WORD(cpu2),
		SECONDARY_EXEC_UNRESTRICTED_GUEST,
	}, {
		"exit controls", MSR_IA32_VMX_TRUE_EXIT_CTLS, WORD(exit),
		VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_SAVE_DEBUG_CONTROLS |
		VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT,
		VM_EXIT_SAVE_VMX_PREEMPTION_TIMER,
	}, {
		"entry controls", MSR_IA32_VMX_TRUE_ENTRY_CTLS, WORD(entry),
		VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_DEBUG_CONTROLS |
		VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT,
	},
};

/* These are in use only at times. */
#define CPU_WINDOWS	(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING)

static const struct {
	u64 bit;
	const char *name;
} ept_needs[] = {
	{ VMX_EPT_PAGE_WALK_4_BIT,	"EPT with four levels" },
	{ VMX_EPTP_WB_BIT,		"EPT in write-back memory" },
	{ VMX_EPT_INVEPT_BIT,		"INVEPT" },
	{ VMX_EPT_EXTENT_GLOBAL_BIT,	"INVEPT of all contexts" },
};

/* What the guest may do with CR4, where the CPU can; CPUID shows it. */
#define CR4_GUEST							\
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |	\
	 X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |		\
	 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_UMIP |			\
	 X86_CR4_FSGSBASE | X86_CR4_OSXSAVE | X86_CR4_SMEP | X86_CR4_SMAP)

/** vmx_caps - what all CPUs can; constant after vmx_caps_init() */
struct vmx_caps vmx_caps __ro_after_init;

static const char *read_controls(struct vmx_caps *caps)
{
	const char *missing = NULL;
	u32 must, may;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		const struct controls *c = &controls[i];

		rdmsr(c->msr, must, may);
		*(u32 *)((void *)caps + c->word) |= must | ((c->needed | c->liked) & may);
		if ((c->needed & ~may) && !missing)
			missing = c->name;
	}
	caps->timer = (caps->pin & PIN_BASED_VMX_PREEMPTION_TIMER) &&
		      (caps->exit & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
	caps->pin &= ~PIN_BASED_VMX_PREEMPTION_TIMER;
	caps->exit &= ~VM_EXIT_SAVE_VMX_PREEMPTION_TIMER;
	caps->cpu &= ~CPU_WINDOWS;
	caps->entry &= ~VM_ENTRY_IA32E_MODE;
	return missing;
}

static const char *read_ept(struct vmx_caps *caps)
{
	size_t i;

	rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, caps->ept);
	for (i = 0; i < ARRAY_SIZE(ept_needs); i++) {
		if (!(caps->ept & ept_needs[i].bit))
			return ept_needs[i].name;
	}
	return NULL;
}

/* The host's handler of NMIs is called as the IDT has it. */
static bool has_fred(void)
{
#ifdef X86_FEATURE_FRED
	return boot_cpu_has(X86_FEATURE_FRED);
#else
	return false;
#endif
}

/* Returns what this CPU lacks, or NULL. */
static const char *read_caps(struct vmx_caps *caps)
{
	const u64 enabled = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	const char *missing;
	u64 value;

	memset(caps, 0, sizeof(*caps));
	if (!boot_cpu_has(X86_FEATURE_VMX) || !(cpuid_ecx(1) & BIT(5)))
		return "VMX, or the firmware keeps it off";
	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &value) || (value & enabled) != enabled)
		return "VMX allowed by the firmware";
	if (has_fred())
		return "IDT: boot without fred=on";
	rdmsrl(MSR_IA32_VMX_BASIC, value);
	caps->revision = value & BASIC_REVISION;
	if (!(value & BASIC_TRUE_CONTROLS))
		return "true VMX control MSRs";
	if (!(value & BASIC_INFO_OF_INS_OUTS))
		return "VM-exit information of INS and OUTS";
	if ((value & BASIC_TYPE) != BASIC_TYPE_WB)
		return "VMCS in write-back memory";
	missing = read_controls(caps) ?: read_ept(caps);
	rdmsrl(MSR_IA32_VMX_MISC, value);
	caps->timer_shift = value & MISC_TIMER_RATE;

	rdmsrl(MSR_IA32_VMX_CR4_FIXED1, value);
	caps->cr4_allowed = CR4_GUEST & value;
	if ((caps->cpu2 & SECONDARY_EXEC_ENABLE_INVPCID) && boot_cpu_has(X86_FEATURE_PCID))
		caps->cr4_allowed |= X86_CR4_PCIDE;
	return missing;
}

struct check {
	const char *missing;
	struct vmx_caps caps;
};

static void check_this_cpu(void *arg)
{
	struct check *check = arg;

	check->missing = read_caps(&check->caps);
}

/**
 * vmx_caps_init() - find out what the CPUs can
 *
 * Logs one line if any of them can't do what we need.
 *
 * Context: module load.
 * Return: 0, -EOPNOTSUPP, or what kept a CPU from answering.
 */
int __init vmx_caps_init(void)
{
	struct check check;
	int cpu, ret = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		ret = smp_call_function_single(cpu, check_this_cpu, &check, 1);
		if (ret)
			break;
		if (!vmx_caps.pin)
			vmx_caps = check.caps;
		if (!check.missing && memcmp(&vmx_caps, &check.caps, sizeof(vmx_caps)))
			check.missing = "VMX like the other CPUs'";
		if (check.missing) {
			pr_err("CPU %d can't run guests: no %s\n", cpu, check.missing);
			ret = -EOPNOTSUPP;
			break;
		}
	}
	cpus_read_unlock();
	return ret;
}

/**
 * vmx_caps_match() - may vCPUs come to this CPU?
 *
 * A CPU that was not online at load may be another than the rest.
 *
 * Context: interrupts off.
 * Return: whether it can what the others can.
 */
bool vmx_caps_match(void)
{
	struct vmx_caps caps;

	return !read_caps(&caps) && !memcmp(&vmx_caps, &caps, sizeof(caps));
}
