// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host state of a section: what the host, or KVM, has in EL2's registers is
 * saved as it was found, and restored.
 */
#include <linux/bits.h>
#include <linux/percpu.h>

#include <asm/cpufeature.h>

#include "vhe_host.h"

DEFINE_PER_CPU(u32, vhe_host_has);

DEFINE_PER_CPU(u64, vhe_host_vbar);

#define MPAMIDR_EL1	sys_reg(3, 0, 10, 4, 4)
#define MPAMIDR_HAS_HCR	BIT(17)

static unsigned int field(u64 reg, unsigned int shift)
{
	return cpuid_feature_extract_unsigned_field(reg, shift);
}

static u32 mpam(u64 pfr0, u64 pfr1)
{
	if (!field(pfr0, 40) && !field(pfr1, 16))
		return 0;
	return VHE_HAS_MPAM |
	       (read_sysreg_s(MPAMIDR_EL1) & MPAMIDR_HAS_HCR ? VHE_HAS_MPAMHCR : 0);
}

/**
 * vhe_host_enable() - look which registers this CPU has
 *
 * The CPU's own ID registers: what the kernel has of them is what all CPUs have, and what
 * it knows of.
 *
 * Context: on each CPU, interrupts off.
 */
void vhe_host_enable(void)
{
	u64 pfr0 = read_sysreg_s(SYS_ID_AA64PFR0_EL1), pfr1 = read_sysreg_s(SYS_ID_AA64PFR1_EL1);
	unsigned int fgt = field(read_sysreg_s(SYS_ID_AA64MMFR0_EL1), 56);
	u32 has = mpam(pfr0, pfr1);

	if (field(read_sysreg_s(SYS_ID_AA64MMFR1_EL1), 40))
		has |= VHE_HAS_HCX;
	if (fgt)
		has |= VHE_HAS_FGT;
	if (fgt > 1)
		has |= VHE_HAS_FGT2;
	if (field(pfr0, 28))
		has |= VHE_HAS_RAS;
	__this_cpu_write(vhe_host_has, has);
}

/**
 * vhe_host_save_rare() - the part of vhe_host_save() that older CPUs don't need
 * @host: where to
 *
 * Context: DAIF masked.
 */
void vhe_host_save_rare(struct vhe_host *host)
{
	u32 has = __this_cpu_read(vhe_host_has);

	VHE_RARE_HOST_REGS(VHE_SAVE_HOST)
}

/**
 * vhe_host_restore_rare() - the part of vhe_host_restore() that older CPUs don't need
 * @host: what vhe_host_save_rare() found
 *
 * Context: preemption off, on the CPU of vhe_host_save_rare().
 */
void vhe_host_restore_rare(const struct vhe_host *host)
{
	u32 has = __this_cpu_read(vhe_host_has);

	VHE_RARE_HOST_REGS(VHE_RESTORE_HOST)
}
