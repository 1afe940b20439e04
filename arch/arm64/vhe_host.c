// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host state of a section: what the host, or KVM, has in EL2's registers is
 * saved as it was found, and restored.
 */
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/percpu.h>

#include <asm/cpufeature.h>

#include "vhe_host.h"

u32 vhe_host_has __ro_after_init;

DEFINE_PER_CPU(u64, vhe_host_vbar);

/**
 * vhe_host_init() - look which registers the CPUs have
 *
 * Context: module load.
 */
void __init vhe_host_init(void)
{
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	u64 mmfr1 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1);

	if (cpuid_feature_extract_unsigned_field(mmfr1, 40))
		vhe_host_has |= VHE_HAS_HCX;
	if (cpuid_feature_extract_unsigned_field(mmfr0, 56))
		vhe_host_has |= VHE_HAS_FGT;
}
