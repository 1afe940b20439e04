/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's system registers: a row is all that we know of one. */
#ifndef _AXVCPU_VHE_SYSREGS_H
#define _AXVCPU_VHE_SYSREGS_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hashtable.h>
#include <linux/types.h>

#include <asm/sysreg.h>

struct vhe_vcpu;

/**
 * enum vhe_access - what it yields when a guest's access exits
 * @VHE_ACCESS_VMM: the VMM is asked; most are in no row at all
 * @VHE_ACCESS_KEPT: MRS and MSR of what is kept in memory
 * @VHE_ACCESS_RO: MRS; MSR is undefined
 * @VHE_ACCESS_WI: MSR does nothing; MRS is undefined
 * @VHE_ACCESS_RAZ_WI: MRS of 0, or what the row's function says; MSR does nothing
 * @VHE_ACCESS_KEYS: the guest gets its keys, and does it again
 * @VHE_ACCESS_SGI: MSR is a %AXVCPU_EXIT_SEND_IPI
 * @VHE_ACCESS_DENIED: undefined, because the ID registers deny the feature
 */
enum vhe_access {
	VHE_ACCESS_VMM,
	VHE_ACCESS_KEPT,
	VHE_ACCESS_RO,
	VHE_ACCESS_WI,
	VHE_ACCESS_RAZ_WI,
	VHE_ACCESS_KEYS,
	VHE_ACCESS_SGI,
	VHE_ACCESS_DENIED,
};

/* EL1's register by its own name is EL2's here; this is how EL1's is reached. */
#define VHE_EL12(encoding)	((encoding) | sys_reg(0, 5, 0, 0, 0))

/*
 * R(name, encoding, at EL2, home, bits, access, value)
 *
 * name: of VHE_<name>, a number for each
 * encoding: the guest's, by sys_reg()
 * at EL2: where EL2 finds it, for those of a list that is switched: EL12, by VHE_EL12(),
 *	or SAME, by the guest's encoding
 * home: of its value while it is not in the hardware: SLOT, in &struct vhe_vcpu.sys;
 *	IN, another field; MACHINE, the same for all, nearly, and read only; NOWHERE: neither
 *	hardware nor the VMM knows it, only a guest's access
 * bits: that can be written; of a MACHINE's, those that the guest sees as the host does
 * access: &enum vhe_access, without its prefix
 * value: NULL, or the function in vhe_sysregs.c that reads it, or adjusts what was read
 *
 * Registers that can be written without an exit may have all bits: what Arm calls RES0
 * may be set. What hardware would see while the host runs, or what exits, only those
 * that a guest can have.
 */

/* Loaded at the first entry of a section, saved at its end */
#define VHE_SECTION_SYSREGS(R)									\
	R(SCTLR,	sys_reg(3, 0, 1, 0, 0),  EL12, SLOT(SCTLR), ~0ULL, KEPT, NULL)		\
	R(CPACR,	sys_reg(3, 0, 1, 0, 2),  EL12, SLOT(CPACR), ~0ULL, KEPT, NULL)		\
	R(TTBR0,	sys_reg(3, 0, 2, 0, 0),  EL12, SLOT(TTBR0), ~0ULL, KEPT, NULL)		\
	R(TTBR1,	sys_reg(3, 0, 2, 0, 1),  EL12, SLOT(TTBR1), ~0ULL, KEPT, NULL)		\
	R(TCR,		sys_reg(3, 0, 2, 0, 2),  EL12, SLOT(TCR), ~0ULL, KEPT, NULL)		\
	R(SPSR,		sys_reg(3, 0, 4, 0, 0),  EL12, SLOT(SPSR), ~0ULL, KEPT, NULL)		\
	R(ELR,		sys_reg(3, 0, 4, 0, 1),  EL12, SLOT(ELR), ~0ULL, KEPT, NULL)		\
	R(AFSR0,	sys_reg(3, 0, 5, 1, 0),  EL12, SLOT(AFSR0), ~0ULL, KEPT, NULL)		\
	R(AFSR1,	sys_reg(3, 0, 5, 1, 1),  EL12, SLOT(AFSR1), ~0ULL, KEPT, NULL)		\
	R(ESR,		sys_reg(3, 0, 5, 2, 0),  EL12, SLOT(ESR), ~0ULL, KEPT, NULL)		\
	R(FAR,		sys_reg(3, 0, 6, 0, 0),  EL12, SLOT(FAR), ~0ULL, KEPT, NULL)		\
	R(PAR,		sys_reg(3, 0, 7, 4, 0),  SAME, SLOT(PAR), ~0ULL, KEPT, NULL)		\
	R(MAIR,		sys_reg(3, 0, 10, 2, 0), EL12, SLOT(MAIR), ~0ULL, KEPT, NULL)		\
	R(AMAIR,	sys_reg(3, 0, 10, 3, 0), EL12, SLOT(AMAIR), ~0ULL, KEPT, NULL)		\
	R(VBAR,		sys_reg(3, 0, 12, 0, 0), EL12, SLOT(VBAR), ~0ULL, KEPT, NULL)		\
	R(CONTEXTIDR,	sys_reg(3, 0, 13, 0, 1), EL12, SLOT(CONTEXTIDR), ~0ULL, KEPT, NULL)	\
	R(TPIDR_EL1,	sys_reg(3, 0, 13, 0, 4), SAME, SLOT(TPIDR_EL1), ~0ULL, KEPT, NULL)	\
	R(CNTKCTL,	sys_reg(3, 0, 14, 1, 0), EL12, SLOT(CNTKCTL), ~0ULL, KEPT, NULL)	\
	R(CSSELR,	sys_reg(3, 2, 0, 0, 0),  SAME, SLOT(CSSELR), ~0ULL, KEPT, NULL)		\
	R(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2), SAME, SLOT(TPIDR_EL0), ~0ULL, KEPT, NULL)	\
	R(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3), SAME, SLOT(TPIDRRO_EL0), ~0ULL, KEPT, NULL)	\
	R(SP_EL1,	sys_reg(3, 4, 4, 1, 0),  SAME, SLOT(SP_EL1), ~0ULL, KEPT, NULL)

/* Pointer authentication: the key that the kernel uses too, by entry.S at each entry */
#define VHE_KERNEL_KEY(R)									\
	R(APIALO,	sys_reg(3, 0, 2, 1, 0),  SAME, SLOT(APIALO), ~0ULL, KEYS, NULL)		\
	R(APIAHI,	sys_reg(3, 0, 2, 1, 1),  SAME, SLOT(APIAHI), ~0ULL, KEYS, NULL)

/* The others, for a section, once the guest has used one */
#define VHE_KEYS(R)										\
	R(APIBLO,	sys_reg(3, 0, 2, 1, 2),  SAME, SLOT(APIBLO), ~0ULL, KEYS, NULL)		\
	R(APIBHI,	sys_reg(3, 0, 2, 1, 3),  SAME, SLOT(APIBHI), ~0ULL, KEYS, NULL)		\
	R(APDALO,	sys_reg(3, 0, 2, 2, 0),  SAME, SLOT(APDALO), ~0ULL, KEYS, NULL)		\
	R(APDAHI,	sys_reg(3, 0, 2, 2, 1),  SAME, SLOT(APDAHI), ~0ULL, KEYS, NULL)		\
	R(APDBLO,	sys_reg(3, 0, 2, 2, 2),  SAME, SLOT(APDBLO), ~0ULL, KEYS, NULL)		\
	R(APDBHI,	sys_reg(3, 0, 2, 2, 3),  SAME, SLOT(APDBHI), ~0ULL, KEYS, NULL)		\
	R(APGALO,	sys_reg(3, 0, 2, 3, 0),  SAME, SLOT(APGALO), ~0ULL, KEYS, NULL)		\
	R(APGAHI,	sys_reg(3, 0, 2, 3, 1),  SAME, SLOT(APGAHI), ~0ULL, KEYS, NULL)

/* Unlinked breakpoints and watchpoints on addresses, at EL0 and EL1 */
#define DBGBCR_BITS		0x1e7ULL	/* BAS, PMC, E */
#define DBGWCR_BITS		0x1f001fffULL	/* MASK, BAS, LSC, PAC, E */

/* Two breakpoints and two watchpoints; at each entry while MDSCR_EL1.MDE is set */
#define VHE_DEBUG(R)										\
	R(DBGBVR0,	sys_reg(2, 0, 0, 0, 4),  SAME, SLOT(DBGBVR0), ~0ULL, KEPT, NULL)	\
	R(DBGBVR1,	sys_reg(2, 0, 0, 1, 4),  SAME, SLOT(DBGBVR1), ~0ULL, KEPT, NULL)	\
	R(DBGBCR0,	sys_reg(2, 0, 0, 0, 5),  SAME, SLOT(DBGBCR0), DBGBCR_BITS, KEPT, NULL)	\
	R(DBGBCR1,	sys_reg(2, 0, 0, 1, 5),  SAME, SLOT(DBGBCR1), DBGBCR_BITS, KEPT, NULL)	\
	R(DBGWVR0,	sys_reg(2, 0, 0, 0, 6),  SAME, SLOT(DBGWVR0), ~0ULL, KEPT, NULL)	\
	R(DBGWVR1,	sys_reg(2, 0, 0, 1, 6),  SAME, SLOT(DBGWVR1), ~0ULL, KEPT, NULL)	\
	R(DBGWCR0,	sys_reg(2, 0, 0, 0, 7),  SAME, SLOT(DBGWCR0), DBGWCR_BITS, KEPT, NULL)	\
	R(DBGWCR1,	sys_reg(2, 0, 0, 1, 7),  SAME, SLOT(DBGWCR1), DBGWCR_BITS, KEPT, NULL)

#define MDSCR_BITS		(BIT(0) | BIT(12) | BIT(13) | BIT(15))	/* SS, TDCC, KDE, MDE */

/* Switched by code of their own */
#define VHE_OWN_SYSREGS(R)									\
	R(SP_EL0,	sys_reg(3, 0, 4, 1, 0),  NONE, IN(sp_el0), ~0ULL, KEPT, NULL)		\
	R(DISR,		sys_reg(3, 0, 12, 1, 1), NONE, IN(disr), ~0ULL, KEPT, NULL)		\
	R(MDSCR,	sys_reg(2, 0, 0, 2, 2),  NONE, IN(mdscr), MDSCR_BITS, KEPT, NULL)	\
	R(CNTV_CTL,	sys_reg(3, 3, 14, 3, 1), NONE, IN(timer.ctl),				\
	  CNTV_CTL_WRITABLE, KEPT, NULL)							\
	R(CNTV_CVAL,	sys_reg(3, 3, 14, 3, 2), NONE, IN(timer.cval), ~0ULL, KEPT, NULL)

/* What the CPU is, and its counter: no access exits but of the last two */
#define VHE_CPU_SYSREGS(R)									\
	R(MIDR,		sys_reg(3, 0, 0, 0, 0),  NONE, MACHINE, 0, VMM, read_midr)		\
	R(MPIDR,	sys_reg(3, 0, 0, 0, 5),  NONE, MACHINE, 0, VMM, read_mpidr)		\
	R(CNTVCT,	sys_reg(3, 3, 14, 0, 2), NONE, MACHINE, 0, VMM, read_counter)		\
	R(REVIDR,	sys_reg(3, 0, 0, 0, 6),  NONE, MACHINE, 0, RO, read_revidr)		\
	R(AIDR,		sys_reg(3, 1, 0, 0, 7),  NONE, MACHINE, 0, RO, read_aidr)

/* A field of an ID register, by its lowest bit */
#define VHE_FIELD(n)		GENMASK_ULL((n) + 3, n)

/* Pointer authentication: APA, API, GPA and GPI; GPA3 and APA3 */
#define VHE_ISAR1_PAUTH		(VHE_FIELD(4) | VHE_FIELD(8) | VHE_FIELD(24) | VHE_FIELD(28))
#define VHE_ISAR2_PAUTH		(VHE_FIELD(8) | VHE_FIELD(12))

/*
 * ID registers; all others of op0 3, op1 0, CRn 0, CRm 1 to 7 are zero.
 *
 * Left out is what the backend does not switch (SVE, SME, MTE, PMU, SPE, trace,
 * RAS, AMU, MPAM) or does not give (virtualization, and what needs HCRX_EL2).
 * CnP is left out because all guests share a VMID.
 */
#define VHE_ID_SYSREGS(R)									\
	/* FP, AdvSIMD, GIC, DIT, CSV2, CSV3 */							\
	R(ID_AA64PFR0, sys_reg(3, 0, 0, 4, 0), NONE, MACHINE,					\
	  VHE_FIELD(16) | VHE_FIELD(20) | VHE_FIELD(24) | VHE_FIELD(48) | VHE_FIELD(56) |	\
	  VHE_FIELD(60), RO, adjust_pfr0)							\
	/* BT, SSBS */										\
	R(ID_AA64PFR1, sys_reg(3, 0, 0, 4, 1), NONE, MACHINE,					\
	  VHE_FIELD(0) | VHE_FIELD(4), RO, NULL)						\
	/* made up */										\
	R(ID_AA64DFR0, sys_reg(3, 0, 0, 5, 0), NONE, MACHINE,					\
	  0, RO, read_dfr0)									\
	/* all but TME and what is not allocated */						\
	R(ID_AA64ISAR0, sys_reg(3, 0, 0, 6, 0), NONE, MACHINE,					\
	  ~(VHE_FIELD(0) | VHE_FIELD(24)), RO, NULL)						\
	/* DPB, pointer authentication, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, */	\
	/* DGH, I8MM */										\
	R(ID_AA64ISAR1, sys_reg(3, 0, 0, 6, 1), NONE, MACHINE,					\
	  VHE_FIELD(0) | VHE_ISAR1_PAUTH | VHE_FIELD(12) | VHE_FIELD(16) | VHE_FIELD(20) |	\
	  GENMASK_ULL(55, 32), RO, adjust_isar1)						\
	/* RPRES, pointer authentication, BC, CLRBHB */						\
	R(ID_AA64ISAR2, sys_reg(3, 0, 0, 6, 2), NONE, MACHINE,					\
	  VHE_FIELD(4) | VHE_ISAR2_PAUTH | VHE_FIELD(20) | VHE_FIELD(28), RO, adjust_isar2)	\
	/* PARange, ASIDBits, BigEnd, SNSMem, BigEndEL0, TGran */				\
	R(ID_AA64MMFR0, sys_reg(3, 0, 0, 7, 0), NONE, MACHINE,					\
	  GENMASK_ULL(31, 0), RO, adjust_mmfr0)							\
	/* HAFDBS, HPDS, PAN, SpecSEI, ETS, nTLBPA, ECBHB */					\
	R(ID_AA64MMFR1, sys_reg(3, 0, 0, 7, 1), NONE, MACHINE,					\
	  VHE_FIELD(0) | VHE_FIELD(12) | VHE_FIELD(20) | VHE_FIELD(24) | VHE_FIELD(36) |	\
	  VHE_FIELD(48) | VHE_FIELD(60), RO, adjust_mmfr1)					\
	/* UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD */				\
	R(ID_AA64MMFR2, sys_reg(3, 0, 0, 7, 2), NONE, MACHINE,					\
	  VHE_FIELD(4) | VHE_FIELD(8) | VHE_FIELD(16) | VHE_FIELD(20) | GENMASK_ULL(39, 28) |	\
	  GENMASK_ULL(55, 48) | VHE_FIELD(60), RO, NULL)

/*
 * The OS lock; caches by set and way: they are the host's, and guest memory is coherent;
 * ICC_SGI1R and the physical counter
 */
#define VHE_EMULATED_SYSREGS(R)									\
	R(OSLAR,	sys_reg(2, 0, 1, 0, 4),  NONE, NOWHERE, 0, WI, NULL)			\
	R(OSLSR,	sys_reg(2, 0, 1, 1, 4),  NONE, NOWHERE, 0, RO, read_oslsr)		\
	R(DC_ISW,	sys_reg(1, 0, 7, 6, 2),  NONE, NOWHERE, 0, WI, NULL)			\
	R(DC_CSW,	sys_reg(1, 0, 7, 10, 2), NONE, NOWHERE, 0, WI, NULL)			\
	R(DC_CISW,	sys_reg(1, 0, 7, 14, 2), NONE, NOWHERE, 0, WI, NULL)			\
	R(ACTLR,	sys_reg(3, 0, 1, 0, 1),  NONE, NOWHERE, 0, RAZ_WI, NULL)		\
	R(ICC_SGI1R,	sys_reg(3, 0, 12, 11, 5), NONE, NOWHERE, 0, SGI, NULL)			\
	R(ICC_SRE,	sys_reg(3, 0, 12, 12, 5), NONE, NOWHERE, 0, RAZ_WI, read_sre)		\
	R(CNTPCT,	sys_reg(3, 3, 14, 0, 1), NONE, NOWHERE, 0, RO, read_counter)		\
	R(CNTPCTSS,	sys_reg(3, 3, 14, 0, 5), NONE, NOWHERE, 0, RO, read_counter)

#define VHE_SLOT_SYSREGS(R)	VHE_SECTION_SYSREGS(R) VHE_KERNEL_KEY(R) VHE_KEYS(R) VHE_DEBUG(R)
#define VHE_OTHER_SYSREGS(R)	VHE_OWN_SYSREGS(R) VHE_CPU_SYSREGS(R) VHE_ID_SYSREGS(R)		\
				VHE_EMULATED_SYSREGS(R)

#define VHE_ENUM(name, ...)	VHE_##name,
#define VHE_COUNT(...)		+ 1
enum vhe_sysreg_nr {
	VHE_SLOT_SYSREGS(VHE_ENUM)
	VHE_OTHER_SYSREGS(VHE_ENUM)
	VHE_NR_SYSREGS,
	VHE_NR_SLOTS	= 0 VHE_SLOT_SYSREGS(VHE_COUNT),
	VHE_NR_KEYS	= 0 VHE_KEYS(VHE_COUNT),
};

#undef VHE_ENUM
#undef VHE_COUNT

/* Column "at EL2" */
#define VHE_AT_EL12(encoding)	VHE_EL12(encoding)
#define VHE_AT_SAME(encoding)	(encoding)

/**
 * struct vhe_sysreg - a system register, or some whose encodings follow each other
 * @first: encoding, sys_reg()
 * @last: of the last one
 * @home: offset in &struct vhe_vcpu, or ``VHE_HOME_*``
 * @access: &enum vhe_access
 * @bits: see column "bits" above
 * @value: see column "value"; false: it is undefined after all
 */
struct vhe_sysreg {
	u32 first;
	u32 last;
	u16 home;
	u8 access;
	u64 bits;
	bool (*value)(const struct vhe_vcpu *vhe, u64 *value);
};

/* Before any field of &struct vhe_vcpu that has a register */
#define VHE_HOME_NOWHERE	0
#define VHE_HOME_MACHINE	1

void vhe_sysregs_init(void);
void vhe_sysregs_reset(struct vhe_vcpu *vhe);
const struct vhe_sysreg *vhe_sysreg_find_range(u32 encoding);
void vhe_sysregs_each(void (*fn)(void *arg, const struct vhe_sysreg *reg), void *arg);
bool vhe_sysreg_read(const struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, u64 *value);
void vhe_sysreg_write(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, u64 value);

#define VHE_SYSREGS_HASH_BITS	9

/**
 * struct vhe_sysreg_hashed - a register that has a row of its own, by its encoding
 * @node: in vhe_sysregs_hash
 * @encoding: sys_reg()
 * @reg: the row
 */
struct vhe_sysreg_hashed {
	struct hlist_node node;
	u32 encoding;
	const struct vhe_sysreg *reg;
};

extern struct hlist_head vhe_sysregs_hash[1 << VHE_SYSREGS_HASH_BITS];

/**
 * vhe_sysreg_find() - the row of a register
 * @encoding: sys_reg()
 *
 * Context: any.
 * Return: the row, or NULL: nothing is known of it.
 */
static inline const struct vhe_sysreg *vhe_sysreg_find(u32 encoding)
{
	const struct vhe_sysreg_hashed *found;

	hash_for_each_possible(vhe_sysregs_hash, found, node, encoding) {
		if (likely(found->encoding == encoding))
			return found->reg;
	}
	return vhe_sysreg_find_range(encoding);
}

/**
 * vhe_sysreg_is_kept() - is it in &struct vhe_vcpu, and the VMM's to write?
 * @reg: its row
 *
 * Context: any.
 * Return: whether.
 */
static inline bool vhe_sysreg_is_kept(const struct vhe_sysreg *reg)
{
	return reg->home > VHE_HOME_MACHINE;
}

/**
 * vhe_sysreg_home() - where a register that is kept stands
 * @vhe: the vCPU
 * @reg: its row, of vhe_sysreg_is_kept()
 *
 * Context: any.
 * Return: where.
 */
static inline u64 *vhe_sysreg_home(const struct vhe_vcpu *vhe, const struct vhe_sysreg *reg)
{
	return (u64 *)((unsigned long)vhe + reg->home);
}

#endif /* _AXVCPU_VHE_SYSREGS_H */
