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

#include "vmx.h"

#define BASIC_REVISION		GENMASK_ULL(30, 0)
#define BASIC_TYPE_WB		(6ULL << 50)
#define BASIC_TYPE		GENMASK_ULL(53, 50)
#define BASIC_TRUE_CONTROLS	BIT_ULL(55)

#define CONTROL(word, bit, msr, need, name) \
	{ offsetof(struct vmx_caps, word), bit, MSR_IA32_VMX_##msr, need, name }

#define NEEDED true
#define LIKED false

static const struct vmx_control {
	size_t word;
	u32 bit;
	u32 msr;
	bool needed;
	const char *name;
} vmx_controls[] = {
#define PIN(bit, need, name)	CONTROL(pin, PIN_BASED_##bit, TRUE_PINBASED_CTLS, need, name)
	PIN(EXT_INTR_MASK,		NEEDED, "external-interrupt exiting"),
	PIN(NMI_EXITING,		NEEDED, "NMI exiting"),
	PIN(VIRTUAL_NMIS,		NEEDED, "virtual NMIs"),
#define CPU(bit, need, name)	CONTROL(cpu, CPU_BASED_##bit, TRUE_PROCBASED_CTLS, need, name)
	CPU(INTR_WINDOW_EXITING,	NEEDED, "interrupt-window exiting"),
	CPU(NMI_WINDOW_EXITING,		NEEDED, "NMI-window exiting"),
	CPU(HLT_EXITING,		NEEDED, "HLT exiting"),
	CPU(MWAIT_EXITING,		NEEDED, "MWAIT exiting"),
	CPU(MONITOR_EXITING,		NEEDED, "MONITOR exiting"),
	CPU(RDPMC_EXITING,		NEEDED, "RDPMC exiting"),
	CPU(CR8_LOAD_EXITING,		NEEDED, "CR8-load exiting"),
	CPU(CR8_STORE_EXITING,		NEEDED, "CR8-store exiting"),
	CPU(MOV_DR_EXITING,		NEEDED, "MOV-DR exiting"),
	CPU(UNCOND_IO_EXITING,		NEEDED, "unconditional I/O exiting"),
	CPU(USE_MSR_BITMAPS,		NEEDED, "MSR bitmaps"),
	CPU(ACTIVATE_SECONDARY_CONTROLS, NEEDED, "secondary controls"),
#define CPU2(bit, need, name)	CONTROL(cpu2, SECONDARY_EXEC_##bit, PROCBASED_CTLS2, need, name)
	CPU2(ENABLE_EPT,		NEEDED, "EPT"),
	CPU2(ENABLE_VPID,		NEEDED, "VPID"),
	CPU2(UNRESTRICTED_GUEST,	NEEDED, "unrestricted guest"),
	CPU2(WBINVD_EXITING,		LIKED, "WBINVD exiting"),
	CPU2(ENABLE_INVPCID,		LIKED, "INVPCID"),
	CPU2(ENCLS_EXITING,		LIKED, "ENCLS exiting"),
#define EXIT(bit, need, name)	CONTROL(exit, VM_EXIT_##bit, TRUE_EXIT_CTLS, need, name)
	EXIT(HOST_ADDR_SPACE_SIZE,	NEEDED, "64-bit host"),
	EXIT(SAVE_DEBUG_CONTROLS,	NEEDED, "save debug controls"),
	EXIT(SAVE_IA32_EFER,		NEEDED, "save EFER"),
	EXIT(LOAD_IA32_EFER,		NEEDED, "load EFER on exit"),
	EXIT(LOAD_IA32_PAT,		NEEDED, "load PAT on exit"),
#define ENTRY(bit, need, name)	CONTROL(entry, VM_ENTRY_##bit, TRUE_ENTRY_CTLS, need, name)
	ENTRY(IA32E_MODE,		NEEDED, "64-bit guests"),
	ENTRY(LOAD_DEBUG_CONTROLS,	NEEDED, "load debug controls"),
	ENTRY(LOAD_IA32_EFER,		NEEDED, "load EFER on entry"),
	ENTRY(LOAD_IA32_PAT,		NEEDED, "load PAT on entry"),
};

/* Each has some use that is always there, or comes with unrestricted guest. */
static const struct {
	u64 bits;
	const char *name;
} ept_needs[] = {
	{ VMX_EPT_PAGE_WALK_4_BIT,	"EPT with four levels" },
	{ VMX_EPTP_WB_BIT,		"EPT in write-back memory" },
	{ VMX_EPT_INVEPT_BIT,		"INVEPT" },
	{ VMX_EPT_EXTENT_GLOBAL_BIT,	"INVEPT of all contexts" },
};

/* What the guest may do with CR4, as far as our CPUID shows the feature. */
#define CR4_GUEST							\
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |	\
	 X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR |		\
	 X86_CR4_OSXMMEXCPT | X86_CR4_UMIP | X86_CR4_FSGSBASE | X86_CR4_SMEP |	\
	 X86_CR4_SMAP)

struct vmx_caps vmx_caps __ro_after_init;

static const char *read_controls(struct vmx_caps *caps)
{
	const char *missing = NULL;
	u32 must, may;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vmx_controls); i++) {
		const struct vmx_control *c = &vmx_controls[i];
		u32 *word = (void *)caps + c->word;

		rdmsr(c->msr, must, may);
		*word |= must | (c->bit & may);
		if (c->needed && !(may & c->bit) && !missing)
			missing = c->name;
	}
	caps->cpu &= ~(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	caps->entry &= ~VM_ENTRY_IA32E_MODE;
	return missing;
}

static const char *read_ept(struct vmx_caps *caps)
{
	size_t i;

	rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, caps->ept);
	for (i = 0; i < ARRAY_SIZE(ept_needs); i++) {
		if (!(caps->ept & ept_needs[i].bits))
			return ept_needs[i].name;
	}
	return NULL;
}

static const char *read_basic(struct vmx_caps *caps)
{
	u64 basic, fixed1;

	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	caps->revision = basic & BASIC_REVISION;
	if (!(basic & BASIC_TRUE_CONTROLS))
		return "true VMX control MSRs";
	if ((basic & BASIC_TYPE) != BASIC_TYPE_WB)
		return "VMCS in write-back memory";

	rdmsrl(MSR_IA32_VMX_CR4_FIXED1, fixed1);
	caps->cr4_allowed = CR4_GUEST & fixed1;
	return NULL;
}

/* Returns what this CPU lacks, or NULL. */
static const char *read_caps(struct vmx_caps *caps)
{
	const u64 enabled = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	const char *missing;
	u64 feat_ctl;

	memset(caps, 0, sizeof(*caps));
	if (!cpu_has(this_cpu_ptr(&cpu_info), X86_FEATURE_VMX) || !(cpuid_ecx(1) & BIT(5)))
		return "VMX";
	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &feat_ctl) || (feat_ctl & enabled) != enabled)
		return "VMX allowed by the firmware";
	missing = read_basic(caps);
	if (!missing)
		missing = read_controls(caps);
	if (!missing)
		missing = read_ept(caps);
	if (!missing && (caps->cpu2 & SECONDARY_EXEC_ENABLE_INVPCID) && boot_cpu_has(X86_FEATURE_PCID))
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

static int check_cpu(int cpu, struct check *check)
{
	int ret = smp_call_function_single(cpu, check_this_cpu, check, 1);

	if (ret)
		return ret;
	if (check->missing) {
		pr_err("CPU %d can't run guests: no %s\n", cpu, check->missing);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * vmx_caps_init() - find out what the CPUs can
 *
 * Logs one line if any of them can't do what we need.
 *
 * Context: module load.
 * Return: 0 or -EOPNOTSUPP.
 */
int __init vmx_caps_init(void)
{
	bool first = true;
	struct check check;
	int cpu, ret = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		ret = check_cpu(cpu, &check);
		if (ret)
			break;
		if (first)
			vmx_caps = check.caps;
		first = false;
		if (memcmp(&vmx_caps, &check.caps, sizeof(vmx_caps))) {
			pr_err("CPU %d can't run guests: its VMX differs from CPU 0's\n", cpu);
			ret = -EOPNOTSUPP;
			break;
		}
	}
	cpus_read_unlock();
	return ret;
}

/**
 * vmx_caps_match() - may a vCPU come to this CPU?
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
