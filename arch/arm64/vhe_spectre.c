// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done after each exit so that the guest's branches don't lead the
 * host's: Spectre v2 and Spectre-BHB.
 *
 * The kernel does it in KVM's vectors, by what it knows of each core, and
 * exports neither. Here a core that the kernel's lists would tell is known by
 * what its firmware and ID registers say, and the longest of the loops is taken.
 */
#include <linux/arm-smccc.h>
#include <linux/cpu.h>
#include <linux/percpu.h>

#include <asm/cpufeature.h>

#include "vhe_spectre.h"

/* Enough for every core that needs the loop. */
#define BHB_LOOPS	132

/* See vhe_world_switch(): of this CPU */
DEFINE_PER_CPU(u64, vhe_mitigation);

static unsigned int field(u64 reg, unsigned int shift)
{
	return cpuid_feature_extract_unsigned_field(reg, shift);
}

static bool firmware_has(u32 fn)
{
	struct arm_smccc_res res;

	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC)
		return false;
	arm_smccc_1_1_smc(ARM_SMCCC_ARCH_FEATURES_FUNC_ID, fn, &res);
	return !(s32)res.a0;
}

static bool v2_wanted(void)
{
	return cpus_have_cap(ARM64_SPECTRE_V2) && !cpu_mitigations_off() &&
	       !field(read_sysreg_s(SYS_ID_AA64PFR0_EL1), 56);	/* CSV2 */
}

static bool bhb_wanted(void)
{
	return IS_ENABLED(CONFIG_MITIGATE_SPECTRE_BRANCH_HISTORY) &&
	       cpus_have_cap(ARM64_SPECTRE_BHB) && !cpu_mitigations_off() &&
	       field(read_sysreg_s(SYS_ID_AA64PFR0_EL1), 56) < 3 &&
	       !field(read_sysreg_s(SYS_ID_AA64MMFR1_EL1), 60);	/* ECBHB */
}

/**
 * vhe_spectre_enable() - find out what this CPU needs
 *
 * Context: on each CPU, interrupts off.
 */
void vhe_spectre_enable(void)
{
	u64 what = 0;

	if (bhb_wanted() && field(read_sysreg_s(sys_reg(3, 0, 0, 6, 2)), 28))	/* CLRBHB */
		what = VHE_MITIGATE_CLEARBHB;
	else if (bhb_wanted() && firmware_has(ARM_SMCCC_ARCH_WORKAROUND_3))
		what = ARM_SMCCC_ARCH_WORKAROUND_3;
	else if (bhb_wanted())
		what = BHB_LOOPS;
	/* The third workaround does the first's work too; no loop does. */
	if (v2_wanted() && !(what & VHE_MITIGATE_FIRMWARE) &&
	    firmware_has(ARM_SMCCC_ARCH_WORKAROUND_1))
		what = ARM_SMCCC_ARCH_WORKAROUND_1;
	__this_cpu_write(vhe_mitigation, what);
}

/*
 * Spectre v4: must the guest see to it, by PSTATE.SSBS, which the ID registers show? In the
 * firmware's way, without SSBS, the kernel has it done at EL2, and so for guests.
 */
static bool needs_ssbs(void)
{
	return cpus_have_cap(ARM64_SPECTRE_V4) &&
	       (cpu_mitigations_off() ||
		field(read_sanitised_ftr_reg(SYS_ID_AA64PFR1_EL1), 4));
}

/**
 * vhe_spectre_features() - answer to a guest's SMCCC_ARCH_FEATURES
 * @fn: the function that the guest asks for
 *
 * A guest that calls one of the workarounds exits, and has it done thereby. Where a loop
 * or an instruction does, the guest has these itself, for less than a call.
 *
 * Context: preemption off.
 * Return: %SMCCC_RET_SUCCESS, %SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
 * %SMCCC_RET_NOT_REQUIRED or %SMCCC_RET_NOT_SUPPORTED.
 */
u64 vhe_spectre_features(u32 fn)
{
	bool affected;

	switch (fn) {
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		affected = cpus_have_cap(ARM64_SPECTRE_V2);
		break;
	case ARM_SMCCC_ARCH_WORKAROUND_2:
		return needs_ssbs() ? SMCCC_RET_NOT_SUPPORTED : SMCCC_RET_NOT_REQUIRED;
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		affected = cpus_have_cap(ARM64_SPECTRE_BHB);
		break;
	default:
		return SMCCC_RET_NOT_SUPPORTED;
	}
	if (__this_cpu_read(vhe_mitigation) & VHE_MITIGATE_FIRMWARE)
		return SMCCC_RET_SUCCESS;
	return affected ? SMCCC_RET_NOT_SUPPORTED : SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED;
}
