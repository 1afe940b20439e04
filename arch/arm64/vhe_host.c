// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host state of a section: what the host, or KVM, has in EL2's registers is
 * saved as it was found, and restored.
 */
#include <linux/percpu.h>

#include <asm/cpufeature.h>

#include "vhe_host.h"
#include "vhe_insn.h"

/* Optional registers of VHE_HOST_REGS: FEAT_HCX and FEAT_FGT */
bool vhe_has_hcx __ro_after_init;
bool vhe_has_fgt __ro_after_init;

/* The host's vectors, while ours are in use; for entry.S. */
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

	vhe_has_hcx = cpuid_feature_extract_unsigned_field(mmfr1, 40);
	vhe_has_fgt = cpuid_feature_extract_unsigned_field(mmfr0, 56);
}

#define SAVE(name, encoding, has)						\
	if (has)								\
		host->regs[VHE_HOST_##name] = vhe_read_s(encoding);
#define RESTORE(name, encoding, has)						\
	if (has)								\
		vhe_write_s(host->regs[VHE_HOST_##name], encoding);

/**
 * vhe_host_save() - save the host state of a section
 * @host: where to
 *
 * Context: DAIF masked.
 */
void vhe_host_save(struct vhe_host *host)
{
	VHE_HOST_REGS(SAVE)
	host->hcr = vhe_read(hcr_el2);
	host->cpacr = vhe_read(cpacr_el1);
	host->vbar = vhe_read(vbar_el1);
	__this_cpu_write(vhe_host_vbar, host->vbar);
}

/**
 * vhe_host_restore() - restore the host state of a section
 * @host: what vhe_host_save() found
 *
 * HCR_EL2, CPTR_EL2 and VBAR_EL2 are the host's again since the exit.
 *
 * Context: preemption off, on the CPU of vhe_host_save().
 */
void vhe_host_restore(const struct vhe_host *host)
{
	VHE_HOST_REGS(RESTORE)
}
