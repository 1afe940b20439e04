// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's instructions are trapped by: all that EL2 has for it is made in
 * vhe_load_traps(), of the bits that are listed here.
 *
 * Not ours, but the host's while a guest runs: HSTR_EL2, which is about AArch32, and
 * HAFGRTR_EL2, of activity monitors, which CPTR_EL2 traps.
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/init.h>

#include <asm/cpufeature.h>
#include <asm/kvm_arm.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_host.h"
#include "vhe_insn.h"
#include "vhe_traps.h"

/*
 * HCR_EL2. TGE is off. So is ATA: memory tagging is trapped, or does nothing; and
 * API and APK, until the guest has its keys.
 */
#define HCR_GUEST	(							\
	HCR_E2H |	/* the host's: it stays at EL2 */			\
	HCR_RW |	/* EL1 is AArch64 */					\
	HCR_VM |	/* stage 2 is on */					\
	HCR_IMO |	/* IRQs exit; EL1 has virtual ones */			\
	HCR_FMO |	/* FIQs */						\
	HCR_AMO |	/* SErrors */						\
	HCR_FB |	/* its TLB and cache maintenance reaches CPUs it was on */	\
	HCR_BSU_IS |	/* its barriers too */					\
	HCR_TSC |	/* SMC: firmware is the host's */			\
	HCR_TWI |	/* WFI; but not WFE */					\
	HCR_TSW |	/* caches by set and way */				\
	HCR_SWIO |	/* an invalidation by set and way would clean too */	\
	HCR_TID1 |	/* REVIDR_EL1, AIDR_EL1, SMIDR_EL1 */			\
	HCR_TID3 |	/* ID registers: the guest has fewer features */	\
	HCR_TID5 |	/* GMID_EL1, of memory tagging */			\
	HCR_TIDCP |	/* implementation defined registers */			\
	HCR_TACR |	/* ACTLR_EL1 */						\
	HCR_TLOR |	/* LORegions */						\
	HCR_TERR |	/* error records, RAS */				\
	HCR_TEA)	/* external aborts come to EL2 */

/* With FEAT_S2FWB: stage 2 makes memory write-back, see stage2.c */
#define HCR_CACHED	HCR_FWB

/* The guest has its keys: neither they (APK) nor the instructions (API) exit. */
#define HCR_PAUTH	(HCR_API | HCR_APK)

/*
 * CPTR_EL2, which has CPACR_EL1's layout with E2H. Without ZEN and SMEN, SVE and
 * SME exit.
 */
#define CPTR_GUEST	(							\
	BIT(28) |	/* TTA: trace registers */				\
	BIT(30))	/* TAM: activity monitors */

/* FPEN: FP and AdvSIMD don't exit, once the guest has its registers */
#define CPTR_FP		(3UL << 20)

/*
 * MDCR_EL2. HPMN is the host's: with less, it would lose counters. E2PB and E2TB
 * are 0: buffers for profiling and trace are EL2's.
 */
#define MDCR_HOST	GENMASK(4, 0)	/* HPMN */
#define MDCR_GUEST	(							\
	MDCR_EL2_TPM |	/* performance monitors */				\
	MDCR_EL2_TPMCR | /* PMCR_EL0 */						\
	MDCR_EL2_TDRA |	/* debug ROM */						\
	MDCR_EL2_TDOSA | /* OS lock */						\
	MDCR_EL2_TDA |	/* debug registers */					\
	MDCR_EL2_TPMS |	/* statistical profiling */				\
	MDCR_EL2_TTRF)	/* trace filter */

/* Debug exceptions come to EL2: there is a debugger. */
#define MDCR_DEBUG	MDCR_EL2_TDE

/*
 * CNTHCTL_EL2: the physical counter and timer exit, by bits that are off:
 * EL1PCTEN and EL1PCEN, which with E2H are not where the kernel's headers have
 * them. All others are the host's own EL0's.
 */
#define CNTHCTL_OFF	(BIT(10) | BIT(11))

/*
 * HCRX_EL2: what it would enable is undefined, or exits: 64-byte stores,
 * TCR2_EL1, SCTLR2_EL1, memory copy instructions.
 */
#define HCRX_GUEST	0

/*
 * HFGRTR_EL2, HFGWTR_EL2: none by bits that trap when they are 1. Those that
 * trap when they are 0 do: TPIDR2_EL0, SMPRI_EL1 and POR_EL0, in which the host
 * would find what the guest left, PIR_EL1 and PIRE0_EL1.
 */
#define HFGRTR_GUEST	0
#define HFGWTR_GUEST	0

/*
 * The same of HFGITR_EL2, HDFGRTR_EL2, HDFGWTR_EL2, and of FEAT_FGT2's five: branch
 * records of the host's, guarded control stacks, and what those of FGT2 have, all of
 * which trap when they are 0. Performance monitors are trapped by MDCR_EL2.
 */
#define FGT_GUEST	0

/* MPAM2_EL2: MPAM0_EL1, which labels the host's EL0, and MPAM1_EL1; MPAMHCR_EL2: MPAMIDR_EL1 */
#define MPAM2_TRAPS	(BIT_ULL(48) | BIT_ULL(49))
#define MPAMHCR_TRAPS	BIT_ULL(31)

/* The kernel's headers do not have all of them. */
#define HFGITR_EL2	sys_reg(3, 4, 1, 1, 6)
#define HDFGRTR_EL2	sys_reg(3, 4, 3, 1, 4)
#define HDFGWTR_EL2	sys_reg(3, 4, 3, 1, 5)
#define HFGRTR2_EL2	sys_reg(3, 4, 3, 1, 2)
#define HFGWTR2_EL2	sys_reg(3, 4, 3, 1, 3)
#define HFGITR2_EL2	sys_reg(3, 4, 3, 1, 7)
#define HDFGRTR2_EL2	sys_reg(3, 4, 3, 1, 0)
#define HDFGWTR2_EL2	sys_reg(3, 4, 3, 1, 1)
#define MPAM2_EL2	sys_reg(3, 4, 10, 5, 0)
#define MPAMHCR_EL2	sys_reg(3, 4, 10, 4, 0)

static u64 hcr_guest __ro_after_init;

/**
 * vhe_traps_init() - look what the CPUs have
 *
 * Context: module load.
 */
void __init vhe_traps_init(void)
{
	u64 mmfr2 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR2_EL1);
	bool has_fwb = cpuid_feature_extract_unsigned_field(mmfr2, 40);

	hcr_guest = HCR_GUEST | (has_fwb ? HCR_CACHED : 0);
}

/* What only newer CPUs have */
static noinline void load_rare_traps(const struct vhe_vcpu *vhe)
{
	const u64 *host = vhe->host.regs;
	u32 has = __this_cpu_read(vhe_host_has);

	if (has & VHE_HAS_FGT) {
		vhe_write_s(FGT_GUEST, HFGITR_EL2);
		vhe_write_s(FGT_GUEST, HDFGRTR_EL2);
		vhe_write_s(FGT_GUEST, HDFGWTR_EL2);
	}
	if (has & VHE_HAS_FGT2) {
		vhe_write_s(FGT_GUEST, HFGRTR2_EL2);
		vhe_write_s(FGT_GUEST, HFGWTR2_EL2);
		vhe_write_s(FGT_GUEST, HFGITR2_EL2);
		vhe_write_s(FGT_GUEST, HDFGRTR2_EL2);
		vhe_write_s(FGT_GUEST, HDFGWTR2_EL2);
	}
	if (has & VHE_HAS_MPAM)
		vhe_write_s(host[VHE_HOST_MPAM2] | MPAM2_TRAPS, MPAM2_EL2);
	if (has & VHE_HAS_MPAMHCR)
		vhe_write_s(host[VHE_HOST_MPAMHCR] | MPAMHCR_TRAPS, MPAMHCR_EL2);
}

/**
 * vhe_load_traps() - what a guest's instructions are trapped by from its next entry on
 * @vhe: the vCPU, whose host state is saved
 *
 * MDCR_EL2, CNTHCTL_EL2, HCRX_EL2, the registers of fine-grained traps and MPAM's are
 * written for the section; HCR_EL2 and CPTR_EL2, which disturb the host, by each entry.
 *
 * Context: preemption off; again when the guest gets FP registers or keys.
 */
void vhe_load_traps(struct vhe_vcpu *vhe)
{
	const u64 *host = vhe->host.regs;
	u64 debug = vhe->attached * MDCR_DEBUG;
	u32 has = __this_cpu_read(vhe_host_has);

	vhe->traps.hcr = hcr_guest | (vhe->pauth_on ? HCR_PAUTH : 0);
	vhe->traps.cptr = CPTR_GUEST | (vhe->fp_on ? CPTR_FP : 0);
	vhe_write((host[VHE_HOST_MDCR] & MDCR_HOST) | MDCR_GUEST | debug, mdcr_el2);
	vhe_write(host[VHE_HOST_CNTHCTL] & ~CNTHCTL_OFF, cnthctl_el2);
	if (has & VHE_HAS_HCX)
		vhe_write_s(HCRX_GUEST, SYS_HCRX_EL2);
	if (has & VHE_HAS_FGT) {
		vhe_write_s(HFGRTR_GUEST, SYS_HFGRTR_EL2);
		vhe_write_s(HFGWTR_GUEST, SYS_HFGWTR_EL2);
	}
	if (unlikely(has & VHE_HAS_RARE))
		load_rare_traps(vhe);
}
