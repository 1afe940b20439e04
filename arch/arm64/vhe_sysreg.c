// SPDX-License-Identifier: GPL-2.0-only
/*
 * System register accesses that exit: ID registers, what the kernel keeps for
 * the guest, and what the VMM is asked for.
 */
#include <linux/bitfield.h>

#include <asm/cpufeature.h>
#include <asm/esr.h>
#include <asm/sysreg.h>

#include "vhe.h"

/* Unlinked breakpoints and watchpoints on addresses, at EL0 and EL1 */
#define DBGBCR_WRITABLE	0x1e7ULL	/* BAS, PMC, E */
#define DBGWCR_WRITABLE	0x1f001fffULL	/* MASK, BAS, LSC, PAC, E */
#define MDSCR_WRITABLE	(BIT(0) | BIT(12) | BIT(13) | BIT(15))	/* SS, TDCC, KDE, MDE */

#define FIELDS(n)	GENMASK_ULL((n) + 3, n)

/* ID_AA64PFR0_EL1: EL0 and EL1, AArch64 only; CSV2 without SCXTNUM_EL1 */
#define PFR0_LEVELS	0x11ULL
#define PFR0_GIC	FIELDS(24)

/* ID_AA64DFR0_EL1: Armv8 debug, two breakpoints, two watchpoints */
#define DFR0_GUEST	(0x6ULL | 1ULL << 12 | 1ULL << 20)

/* Pointer authentication: APA, API, GPA and GPI; GPA3 and APA3 */
#define ISAR1_PAUTH	(FIELDS(4) | FIELDS(8) | FIELDS(24) | FIELDS(28))
#define ISAR2_PAUTH	(FIELDS(8) | FIELDS(12))

/* HAFDBS: access flags, dirty state; what is beyond needs TCR2_EL1 */
#define HAFDBS_DBM	2

#define ID_AA64ISAR2	sys_reg(3, 0, 0, 6, 2)

/**
 * struct id_register - an ID register that is not zero
 * @encoding: sys_reg()
 * @keep: fields that the guest sees as the host does; all others are 0
 *
 * Left out is what the backend does not switch (SVE, SME, MTE, PMU, SPE, trace,
 * RAS, AMU, MPAM) or does not give (virtualization, and what needs HCRX_EL2).
 * CnP is left out because all guests share a VMID.
 */
struct id_register {
	u32 encoding;
	u64 keep;
};

static const struct id_register id_registers[] = {
	/* FP, AdvSIMD, GIC, DIT, CSV2, CSV3 */
	{ SYS_ID_AA64PFR0_EL1, FIELDS(16) | FIELDS(20) | PFR0_GIC | FIELDS(48) | FIELDS(56) |
			       FIELDS(60) },
	/* BT, SSBS */
	{ SYS_ID_AA64PFR1_EL1, FIELDS(0) | FIELDS(4) },
	{ SYS_ID_AA64DFR0_EL1, 0 },
	/* all but TME and what is not allocated */
	{ SYS_ID_AA64ISAR0_EL1, ~(FIELDS(0) | FIELDS(24)) },
	/* DPB, pointer authentication, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, DGH, I8MM */
	{ SYS_ID_AA64ISAR1_EL1, FIELDS(0) | ISAR1_PAUTH | FIELDS(12) | FIELDS(16) | FIELDS(20) |
				GENMASK_ULL(55, 32) },
	/* RPRES, pointer authentication, BC, CLRBHB */
	{ ID_AA64ISAR2, FIELDS(4) | ISAR2_PAUTH | FIELDS(20) | FIELDS(28) },
	/* PARange, ASIDBits, BigEnd, SNSMem, BigEndEL0, TGran */
	{ SYS_ID_AA64MMFR0_EL1, GENMASK_ULL(31, 0) },
	/* HAFDBS, HPDS, PAN, SpecSEI, ETS, nTLBPA, ECBHB */
	{ SYS_ID_AA64MMFR1_EL1, FIELDS(0) | FIELDS(12) | FIELDS(20) | FIELDS(24) | FIELDS(36) |
				FIELDS(48) | FIELDS(60) },
	/* UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD */
	{ SYS_ID_AA64MMFR2_EL1, FIELDS(4) | FIELDS(8) | FIELDS(16) | FIELDS(20) |
				GENMASK_ULL(39, 28) | GENMASK_ULL(55, 48) | FIELDS(60) },
};

static u64 parange(void)
{
	unsigned int range = 0;

	while (range < 5 && id_aa64mmfr0_parange_to_phys_shift(range + 1) <= vhe_s2_format.gpa_bits)
		range++;
	return range;
}

static u64 limit(u64 value, unsigned int shift, u64 most)
{
	return (value & ~FIELDS(shift)) | min(value >> shift & 0xf, most) << shift;
}

static u64 adjust(u32 encoding, u64 value)
{
	bool pauth = system_supports_address_auth() && system_supports_generic_auth();

	switch (encoding) {
	case SYS_ID_AA64PFR0_EL1:
		value = limit(value, 56, 1) | PFR0_LEVELS;
		return vhe_gic_present() ? value : value & ~PFR0_GIC;
	case SYS_ID_AA64DFR0_EL1:
		return DFR0_GUEST;
	case SYS_ID_AA64ISAR1_EL1:
		return pauth ? value : value & ~ISAR1_PAUTH;
	case ID_AA64ISAR2:
		return pauth ? value : value & ~ISAR2_PAUTH;
	case SYS_ID_AA64MMFR0_EL1:
		return (value & ~FIELDS(0)) | parange();
	case SYS_ID_AA64MMFR1_EL1:
		return limit(value, 0, HAFDBS_DBM);
	default:
		return value;
	}
}

/* Op0 3, op1 0, CRn 0, CRm 1 to 7 */
static bool is_id_space(u32 encoding)
{
	return encoding >= sys_reg(3, 0, 0, 1, 0) && encoding <= sys_reg(3, 0, 0, 7, 7);
}

/**
 * vhe_id_register() - an ID register as the guest reads it
 * @encoding: sys_reg()
 * @value: its value
 *
 * Context: any.
 * Return: whether it is one; those that nobody knows read as zero.
 */
bool vhe_id_register(u32 encoding, u64 *value)
{
	unsigned int i;

	if (!is_id_space(encoding))
		return false;
	*value = 0;
	for (i = 0; i < ARRAY_SIZE(id_registers); i++) {
		if (id_registers[i].encoding != encoding)
			continue;
		*value = id_registers[i].keep ?
			 read_sanitised_ftr_reg(encoding) & id_registers[i].keep : 0;
		*value = adjust(encoding, *value);
	}
	return true;
}

/* --- registers --------------------------------------------------------------- */

static bool read_zero(struct vhe_vcpu *vhe, u64 *value)
{
	*value = 0;
	return true;
}

static bool write_ignored(struct vhe_vcpu *vhe, u64 value)
{
	return true;
}

/* OSLSR_EL1: the OS lock is there and is not locked. */
static bool read_oslsr(struct vhe_vcpu *vhe, u64 *value)
{
	*value = BIT(3);
	return true;
}

/* ICC_SRE_EL1: system registers, no bypass; nothing else is possible. */
static bool read_sre(struct vhe_vcpu *vhe, u64 *value)
{
	*value = 7;
	return vhe_gic_present();
}

static bool read_cntpct(struct vhe_vcpu *vhe, u64 *value)
{
	*value = vhe_timer_now(vhe);
	return true;
}

/**
 * struct handled - registers that the kernel answers for
 * @encoding: sys_reg()
 * @mask: bits of it that count
 * @read: MRS; NULL: undefined. False: undefined after all
 * @write: MSR
 */
struct handled {
	u32 encoding;
	u32 mask;
	bool (*read)(struct vhe_vcpu *vhe, u64 *value);
	bool (*write)(struct vhe_vcpu *vhe, u64 value);
};

#define ALL		sys_reg(3, 7, 15, 15, 7)
#define ANY_OP2		sys_reg(3, 7, 15, 15, 0)
#define ANY_DEBUG	sys_reg(3, 7, 0, 0, 0)

static const struct handled handled[] = {
	/* Debug: but for those in vhe_sys(), registers are there, and have no effect */
	{ sys_reg(2, 0, 1, 0, 4), ALL, NULL, write_ignored },		/* OSLAR */
	{ sys_reg(2, 0, 1, 1, 4), ALL, read_oslsr, NULL },		/* OSLSR */
	{ sys_reg(2, 0, 0, 0, 0), ANY_DEBUG, read_zero, write_ignored },
	{ sys_reg(2, 3, 0, 0, 0), ANY_DEBUG, read_zero, write_ignored },
	/* Set and way: caches are the host's, and guest memory is coherent */
	{ sys_reg(1, 0, 7, 6, 2), ALL, NULL, write_ignored },		/* DC ISW */
	{ sys_reg(1, 0, 7, 10, 2), ALL, NULL, write_ignored },		/* DC CSW */
	{ sys_reg(1, 0, 7, 14, 2), ALL, NULL, write_ignored },		/* DC CISW */
	{ sys_reg(3, 0, 1, 0, 1), ALL, read_zero, write_ignored },	/* ACTLR */
	{ sys_reg(3, 0, 12, 12, 5), ALL, read_sre, write_ignored },	/* ICC_SRE */
	{ sys_reg(3, 3, 14, 0, 1), ALL, read_cntpct, NULL },		/* CNTPCT */
	{ sys_reg(3, 3, 14, 0, 5), ALL, read_cntpct, NULL },		/* CNTPCTSS */
};

static const struct handled *find_handled(u32 encoding)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handled); i++) {
		if ((encoding & handled[i].mask) == handled[i].encoding)
			return &handled[i];
	}
	return NULL;
}

/* Undefined rather than the VMM's: features that the ID registers deny */
static bool is_denied(u32 encoding)
{
	static const struct {
		u32 encoding, mask;
	} denied[] = {
		{ sys_reg(3, 0, 1, 0, 0), ANY_OP2 },		/* SCTLR2, RGSR, GCR */
		{ sys_reg(3, 0, 1, 2, 0), ANY_OP2 },		/* ZCR, TRFCR, SMPRI, SMCR */
		{ sys_reg(3, 0, 2, 0, 3), ALL },		/* TCR2 */
		{ sys_reg(3, 0, 2, 5, 0), ANY_OP2 },		/* guarded control stacks */
		{ sys_reg(3, 0, 5, 3, 0), ANY_OP2 },		/* ERRIDR, ERRSELR */
		{ sys_reg(3, 0, 5, 4, 0), sys_reg(3, 7, 15, 12, 0) },	/* ERX*: RAS; TFSR */
		{ sys_reg(3, 0, 9, 9, 0), ANY_OP2 },		/* statistical profiling */
		{ sys_reg(3, 0, 9, 10, 0), ANY_OP2 },
		{ sys_reg(3, 0, 10, 2, 0), sys_reg(3, 7, 15, 14, 0) },	/* (A)MAIR2, PIR, POR */
		{ sys_reg(3, 0, 10, 4, 0), ANY_OP2 },		/* LOR */
		{ sys_reg(3, 0, 13, 0, 0), ANY_OP2 },		/* RCWMASK, SCXTNUM_EL1 */
		{ sys_reg(3, 1, 0, 0, 0), ANY_OP2 },		/* GMID, SMIDR */
		{ sys_reg(3, 3, 2, 5, 0), ANY_OP2 },		/* GCSPR_EL0 */
		{ sys_reg(3, 3, 13, 0, 0), ANY_OP2 },		/* TPIDR2, SCXTNUM_EL0 */
		{ sys_reg(3, 3, 13, 2, 0), ANY_OP2 },		/* activity monitors */
		{ sys_reg(2, 1, 0, 0, 0), ANY_DEBUG },		/* trace */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		if ((encoding & denied[i].mask) == denied[i].encoding)
			return true;
	}
	return false;
}

/* --- software-generated interrupts ------------------------------------------- */

#define SGI_TARGETS	GENMASK_ULL(15, 0)
#define SGI_AFF1	GENMASK_ULL(23, 16)
#define SGI_INTID	GENMASK_ULL(27, 24)
#define SGI_AFF2	GENMASK_ULL(39, 32)
#define SGI_IRM		BIT_ULL(40)
#define SGI_RS		GENMASK_ULL(47, 44)
#define SGI_AFF3	GENMASK_ULL(55, 48)

#define ICC_SGI1R	sys_reg(3, 0, 12, 11, 5)

/* The target is an affinity whose level 0 is the first of the 16 in the list. */
static int send_ipi(struct vhe_vcpu *vhe, u64 value)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	vhe_skip_insn(vhe);
	run->ipi.target = FIELD_GET(SGI_AFF3, value) << 32 | FIELD_GET(SGI_AFF2, value) << 16 |
			  FIELD_GET(SGI_AFF1, value) << 8 | FIELD_GET(SGI_RS, value) << 4;
	run->ipi.target_aux = FIELD_GET(SGI_TARGETS, value);
	run->ipi.vector = FIELD_GET(SGI_INTID, value);
	run->ipi.flags = value & SGI_IRM ? AXVCPU_IPI_TO_ALL : 0;
	run->ipi.reserved = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_SEND_IPI);
}

/* --- registers that are kept in memory --------------------------------------- */

static u64 writable_bits(u32 encoding)
{
	switch (encoding) {
	case sys_reg(2, 0, 0, 2, 2):
		return MDSCR_WRITABLE;
	case sys_reg(2, 0, 0, 0, 5):
	case sys_reg(2, 0, 0, 1, 5):
		return DBGBCR_WRITABLE;
	case sys_reg(2, 0, 0, 0, 7):
	case sys_reg(2, 0, 0, 1, 7):
		return DBGWCR_WRITABLE;
	case sys_reg(3, 3, 14, 3, 1):		/* CNTV_CTL */
		return 3;
	default:
		return U64_MAX;
	}
}

/* Pointer authentication keys, CRm 1 to 3 */
static bool is_key(u32 encoding)
{
	return encoding >= sys_reg(3, 0, 2, 1, 0) && encoding <= sys_reg(3, 0, 2, 3, 7);
}

/* --- exits ------------------------------------------------------------------- */

static int ask_vmm(struct vhe_vcpu *vhe, unsigned int rt, bool read)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->sysreg.addr = vhe->esr & ESR_ELx_SYS64_ISS_SYS_MASK;
	run->sysreg.reg = rt;
	run->sysreg.value = read ? 0 : vhe_get_x(vhe, rt);
	run->sysreg.fault = 0;
	vhe->skip_due = true;
	return vhe_exit_to_vmm(vhe, read ? AXVCPU_EXIT_SYSREG_READ : AXVCPU_EXIT_SYSREG_WRITE);
}

/**
 * vhe_sys_value_ok() - may this be written to a register that is kept in memory?
 * @encoding: sys_reg()
 * @value: the value
 *
 * Where hardware would see it while the host runs, or it exits when the guest
 * writes it, only what a guest can have; else, what Arm calls RES0 may be set.
 *
 * Context: any.
 * Return: whether.
 */
bool vhe_sys_value_ok(u32 encoding, u64 value)
{
	return !(value & ~writable_bits(encoding));
}

static int handle_read(struct vhe_vcpu *vhe, u32 encoding, unsigned int rt)
{
	const struct handled *reg = find_handled(encoding);
	u64 *slot = vhe_sys(vhe, encoding);
	u64 value;

	if (slot) {
		value = *slot;
	} else if (reg) {
		if (!reg->read || !reg->read(vhe, &value))
			return vhe_undefined(vhe);
	} else if (!vhe_id_register(encoding, &value)) {
		return is_denied(encoding) ? vhe_undefined(vhe) : ask_vmm(vhe, rt, true);
	}
	vhe_set_x(vhe, rt, value);
	vhe_skip_insn(vhe);
	return AXVCPU_NEXT_ENTER;
}

static int handle_write(struct vhe_vcpu *vhe, u32 encoding, unsigned int rt)
{
	const struct handled *reg = find_handled(encoding);
	u64 *slot = vhe_sys(vhe, encoding);
	u64 value = vhe_get_x(vhe, rt);

	if (encoding == ICC_SGI1R)
		return send_ipi(vhe, value);
	if (slot) {
		*slot = value & writable_bits(encoding);
	} else if (!reg) {
		return is_denied(encoding) || is_id_space(encoding) ?
		       vhe_undefined(vhe) : ask_vmm(vhe, rt, false);
	} else if (!reg->write || !reg->write(vhe, value)) {
		return vhe_undefined(vhe);
	}
	vhe_skip_insn(vhe);
	return AXVCPU_NEXT_ENTER;
}

/**
 * vhe_handle_sysreg() - MRS, MSR or SYS was trapped
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_sysreg(struct vhe_vcpu *vhe)
{
	u32 encoding = esr_sys64_to_sysreg(vhe->esr);
	unsigned int rt = ESR_ELx_SYS64_ISS_RT(vhe->esr);

	if (is_key(encoding))
		return vhe_use_pauth(vhe) ? AXVCPU_NEXT_ENTER : vhe_undefined(vhe);
	if (vhe->esr & ESR_ELx_SYS64_ISS_DIR_READ)
		return handle_read(vhe, encoding, rt);
	return handle_write(vhe, encoding, rt);
}
