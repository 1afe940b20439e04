// SPDX-License-Identifier: GPL-2.0-only
/* The table of the guest's system registers, see vhe_sysregs.h */
#include <linux/compiler.h>
#include <linux/hashtable.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/cputype.h>

#include "stage2.h"
#include "vhe.h"
#include "vhe_gic.h"
#include "vhe_sysregs.h"
#include "vhe_timer.h"

/* nTLSMD, LSMAOE, SPAN, EIS, nTWE, nTWI, EOS, CP15BEN, SA0: MMU and caches off */
#define SCTLR_RESET	0x30c50830ULL

/* FPEN: compilers make use of the FP registers. */
#define CPACR_RESET	(3ULL << 20)

/* ID_AA64PFR0_EL1: EL0 and EL1, AArch64 only; CSV2 without SCXTNUM_EL1 */
#define PFR0_LEVELS	0x11ULL
#define PFR0_CSV2	56
#define CSV2_ALONE	1
#define PFR0_GIC	VHE_FIELD(24)

/* ID_AA64DFR0_EL1: Armv8 debug, two breakpoints, two watchpoints */
#define DFR0_GUEST	(0x6ULL | 1ULL << 12 | 1ULL << 20)

/* ID_AA64MMFR1_EL1.HAFDBS: access flags, dirty state; what is beyond needs TCR2_EL1 */
#define HAFDBS_DBM	2

#define OSLSR_GUEST	BIT(3)	/* the OS lock is there and is not locked */
#define SRE_GUEST	7	/* system registers, no bypass; nothing else is possible */

/* --- values ------------------------------------------------------------------ */

static bool read_midr(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = read_cpuid_id();
	return true;
}

static bool read_revidr(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = read_sysreg(revidr_el1);
	return true;
}

static bool read_aidr(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = read_sysreg(aidr_el1);
	return true;
}

static bool read_mpidr(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = vhe->mpidr;
	return true;
}

static bool read_counter(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = vhe_timer_now(&vhe->timer);
	return true;
}

static bool read_oslsr(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = OSLSR_GUEST;
	return true;
}

static bool read_sre(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = SRE_GUEST;
	return vhe_gic_present();
}

static bool read_dfr0(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = DFR0_GUEST;
	return true;
}

static u64 limit(u64 value, unsigned int shift, u64 most)
{
	return (value & ~VHE_FIELD(shift)) | min(value >> shift & 0xf, most) << shift;
}

static bool adjust_pfr0(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = limit(*value, PFR0_CSV2, CSV2_ALONE) | PFR0_LEVELS;
	if (!vhe_gic_present())
		*value &= ~PFR0_GIC;
	return true;
}

/* Pointer authentication in whole or not at all */
static bool has_pauth(void)
{
	return system_supports_address_auth() && system_supports_generic_auth();
}

static bool adjust_isar1(const struct vhe_vcpu *vhe, u64 *value)
{
	if (!has_pauth())
		*value &= ~VHE_ISAR1_PAUTH;
	return true;
}

static bool adjust_isar2(const struct vhe_vcpu *vhe, u64 *value)
{
	if (!has_pauth())
		*value &= ~VHE_ISAR2_PAUTH;
	return true;
}

/* PARange: what stage 2 translates */
static bool adjust_mmfr0(const struct vhe_vcpu *vhe, u64 *value)
{
	unsigned int range = 0;

	while (range < 5 && id_aa64mmfr0_parange_to_phys_shift(range + 1) <= vhe_s2_format.gpa_bits)
		range++;
	*value = (*value & ~VHE_FIELD(0)) | range;
	return true;
}

static bool adjust_mmfr1(const struct vhe_vcpu *vhe, u64 *value)
{
	*value = limit(*value, 0, HAFDBS_DBM);
#ifdef CONFIG_AMPERE_ERRATUM_AC03_CPU_38
	/* It may set a flag and lose it. */
	if (cpus_have_cap(ARM64_WORKAROUND_AMPERE_AC03_CPU_38))
		*value = limit(*value, 0, 0);
#endif
	return true;
}

/* --- the table --------------------------------------------------------------- */

#define VHE_HOME_SLOT(name)	offsetof(struct vhe_vcpu, sys[VHE_##name])
#define VHE_HOME_IN(field)	offsetof(struct vhe_vcpu, field)

#define ROW(name, encoding, at_el2, home, bits, access, value)			\
	[VHE_##name] = { encoding, encoding, VHE_HOME_##home, VHE_ACCESS_##access, bits, value },

static const struct vhe_sysreg registers[VHE_NR_SYSREGS] = {
	VHE_SLOT_SYSREGS(ROW)
	VHE_OTHER_SYSREGS(ROW)
};

#define RANGE(first, last, home, access)					\
	{ first, last, VHE_HOME_##home, VHE_ACCESS_##access }
#define ANY_OP2(op0, op1, crn, crm, home, access)				\
	RANGE(sys_reg(op0, op1, crn, crm, 0), sys_reg(op0, op1, crn, crm, 7), home, access)

/* Registers without a row of their own; no two of these have one in common. */
static const struct vhe_sysreg ranges[] = {
	/* BRB INJ, BRB IALL */
	RANGE(sys_reg(1, 1, 7, 2, 4), sys_reg(1, 1, 7, 2, 5), NOWHERE, DENIED),
	/* Debug: but for those above, registers are there, and have no effect */
	RANGE(sys_reg(2, 0, 0, 0, 0), sys_reg(2, 0, 15, 15, 7), NOWHERE, RAZ_WI),
	RANGE(sys_reg(2, 1, 0, 0, 0), sys_reg(2, 1, 15, 15, 7), NOWHERE, DENIED), /* trace */
	RANGE(sys_reg(2, 3, 0, 0, 0), sys_reg(2, 3, 15, 15, 7), NOWHERE, RAZ_WI),
	/* ID registers that are zero */
	RANGE(sys_reg(3, 0, 0, 1, 0), sys_reg(3, 0, 0, 7, 7), MACHINE, RO),
	ANY_OP2(3, 0, 1, 0, NOWHERE, DENIED),		/* SCTLR2, RGSR, GCR */
	ANY_OP2(3, 0, 1, 2, NOWHERE, DENIED),		/* ZCR, TRFCR, SMPRI, SMCR */
	RANGE(sys_reg(3, 0, 2, 0, 3), sys_reg(3, 0, 2, 0, 3), NOWHERE, DENIED), /* TCR2 */
	RANGE(sys_reg(3, 0, 2, 1, 0), sys_reg(3, 0, 2, 3, 7), NOWHERE, KEYS),
	ANY_OP2(3, 0, 2, 5, NOWHERE, DENIED),		/* guarded control stacks */
	ANY_OP2(3, 0, 5, 3, NOWHERE, DENIED),		/* ERRIDR, ERRSELR */
	/* ERX*: RAS; TFSR */
	RANGE(sys_reg(3, 0, 5, 4, 0), sys_reg(3, 0, 5, 7, 7), NOWHERE, DENIED),
	/* performance monitors */
	ANY_OP2(3, 0, 9, 14, NOWHERE, DENIED),
	RANGE(sys_reg(3, 3, 9, 12, 0), sys_reg(3, 3, 9, 14, 7), NOWHERE, DENIED),
	RANGE(sys_reg(3, 3, 14, 8, 0), sys_reg(3, 3, 14, 15, 7), NOWHERE, DENIED),
	/* statistical profiling */
	RANGE(sys_reg(3, 0, 9, 9, 0), sys_reg(3, 0, 9, 10, 7), NOWHERE, DENIED),
	/* (A)MAIR2, PIR, POR */
	RANGE(sys_reg(3, 0, 10, 2, 0), sys_reg(3, 0, 10, 3, 7), NOWHERE, DENIED),
	ANY_OP2(3, 0, 10, 4, NOWHERE, DENIED),		/* LOR, MPAMIDR */
	ANY_OP2(3, 0, 10, 5, NOWHERE, DENIED),		/* MPAM0, MPAM1 */
	ANY_OP2(3, 0, 13, 0, NOWHERE, DENIED),		/* RCWMASK, SCXTNUM_EL1 */
	ANY_OP2(3, 1, 0, 0, NOWHERE, DENIED),		/* GMID, SMIDR */
	ANY_OP2(3, 3, 2, 5, NOWHERE, DENIED),		/* GCSPR_EL0 */
	ANY_OP2(3, 3, 13, 0, NOWHERE, DENIED),		/* TPIDR2, SCXTNUM_EL0 */
	ANY_OP2(3, 3, 13, 2, NOWHERE, DENIED),		/* activity monitors */
};

/**
 * vhe_sysregs_reset() - what is in slots, as it is after a reset
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_sysregs_reset(struct vhe_vcpu *vhe)
{
	memset(vhe->sys, 0, sizeof(vhe->sys));
	vhe->sys[VHE_SCTLR] = SCTLR_RESET;
	vhe->sys[VHE_CPACR] = CPACR_RESET;
}

/* Registers by encoding: GET_REGS and SET_REGS must not pay for a search. */
struct hlist_head vhe_sysregs_hash[1 << VHE_SYSREGS_HASH_BITS];
static struct vhe_sysreg_hashed hashed[VHE_NR_SYSREGS];

/**
 * vhe_sysregs_init() - make registers known to vhe_sysreg_find()
 *
 * Context: module load.
 */
void __init vhe_sysregs_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		hashed[i].encoding = registers[i].first;
		hashed[i].reg = &registers[i];
		hash_add(vhe_sysregs_hash, &hashed[i].node, registers[i].first);
	}
}

/**
 * vhe_sysreg_find_range() - the row of a register that shares one with others
 * @encoding: sys_reg()
 *
 * Context: any.
 * Return: the row, or NULL: nothing is known of it.
 */
const struct vhe_sysreg *vhe_sysreg_find_range(u32 encoding)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (encoding >= ranges[i].first && encoding <= ranges[i].last)
			return &ranges[i];
	}
	return NULL;
}

/**
 * vhe_sysregs_each() - look at each register that has a row of its own
 * @fn: called for each
 * @arg: its first argument
 *
 * Context: any.
 */
void vhe_sysregs_each(void (*fn)(void *arg, const struct vhe_sysreg *reg), void *arg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		fn(arg, &registers[i]);
}

/**
 * vhe_sysreg_read() - a register as the guest has it
 * @vhe: the vCPU
 * @reg: its row
 * @value: its value
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether it exists.
 */
bool vhe_sysreg_read(const struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, u64 *value)
{
	if (vhe_sysreg_is_kept(reg))
		*value = READ_ONCE(*vhe_sysreg_home(vhe, reg));
	else
		*value = reg->bits ? read_sanitised_ftr_reg(reg->first) & reg->bits : 0;
	return !reg->value || reg->value(vhe, value);
}

/**
 * vhe_sysreg_write() - the guest or the VMM writes a register that is kept
 * @vhe: the vCPU
 * @reg: its row
 * @value: the value, with bits of the row only
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_sysreg_write(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, u64 value)
{
	WRITE_ONCE(*vhe_sysreg_home(vhe, reg), value);
}
