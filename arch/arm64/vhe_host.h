/* SPDX-License-Identifier: GPL-2.0-only */
/* The host state, see vhe_host.c */
#ifndef _AXVCPU_VHE_HOST_H
#define _AXVCPU_VHE_HOST_H

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <asm/sysreg.h>

#include "vhe_insn.h"
#include "vhe_sysregs.h"

/* Bits of vhe_host_has: what this CPU has, and others may lack */
#define VHE_HAS_HCX		BIT(0)	/* FEAT_HCX */
#define VHE_HAS_FGT		BIT(1)	/* FEAT_FGT */
#define VHE_HAS_FGT2		BIT(2)	/* FEAT_FGT2 */
#define VHE_HAS_MPAM		BIT(3)	/* FEAT_MPAM */
#define VHE_HAS_MPAMHCR		BIT(4)	/* MPAMHCR_EL2, MPAMIDR_EL1.HAS_HCR */
#define VHE_HAS_RAS		BIT(5)	/* FEAT_RAS: ESB, DISR_EL1, VSESR_EL2, VDISR_EL2 */

/* There is something of VHE_RARE_HOST_REGS(). */
#define VHE_HAS_RARE	(VHE_HAS_FGT | VHE_HAS_FGT2 | VHE_HAS_MPAM | VHE_HAS_MPAMHCR)

/*
 * Host state that a section changes, and that no list of vhe_sysregs.h switches:
 * H(name, encoding, 0 or what the CPUs must have).
 */
#define VHE_HOST_REGS(H)							\
	H(VTTBR,	sys_reg(3, 4, 2, 1, 0),	 0)				\
	H(VTCR,		sys_reg(3, 4, 2, 1, 2),	 0)				\
	H(VPIDR,	sys_reg(3, 4, 0, 0, 0),	 0)				\
	H(VMPIDR,	sys_reg(3, 4, 0, 0, 5),	 0)				\
	H(MDCR,		sys_reg(3, 4, 1, 1, 1),	 0)				\
	H(CNTHCTL,	sys_reg(3, 4, 14, 1, 0), 0)				\
	H(CNTVOFF,	sys_reg(3, 4, 14, 0, 3), 0)				\
	H(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2), 0)				\
	H(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3), 0)				\
	H(HCRX,		sys_reg(3, 4, 1, 2, 2),	 VHE_HAS_HCX)			\
	H(HFGRTR,	sys_reg(3, 4, 1, 1, 4),	 VHE_HAS_FGT)			\
	H(HFGWTR,	sys_reg(3, 4, 1, 1, 5),	 VHE_HAS_FGT)

/* The same of what only newer CPUs have */
#define VHE_RARE_HOST_REGS(H)							\
	H(HFGITR,	sys_reg(3, 4, 1, 1, 6),	 VHE_HAS_FGT)			\
	H(HDFGRTR,	sys_reg(3, 4, 3, 1, 4),	 VHE_HAS_FGT)			\
	H(HDFGWTR,	sys_reg(3, 4, 3, 1, 5),	 VHE_HAS_FGT)			\
	H(HFGRTR2,	sys_reg(3, 4, 3, 1, 2),	 VHE_HAS_FGT2)			\
	H(HFGWTR2,	sys_reg(3, 4, 3, 1, 3),	 VHE_HAS_FGT2)			\
	H(HFGITR2,	sys_reg(3, 4, 3, 1, 7),	 VHE_HAS_FGT2)			\
	H(HDFGRTR2,	sys_reg(3, 4, 3, 1, 0),	 VHE_HAS_FGT2)			\
	H(HDFGWTR2,	sys_reg(3, 4, 3, 1, 1),	 VHE_HAS_FGT2)			\
	H(MPAM2,	sys_reg(3, 4, 10, 5, 0), VHE_HAS_MPAM)			\
	H(MPAMHCR,	sys_reg(3, 4, 10, 4, 0), VHE_HAS_MPAMHCR)

#define VHE_HOST_ENUM(name, ...)	VHE_HOST_##name,
enum vhe_host_reg {
	VHE_HOST_REGS(VHE_HOST_ENUM)
	VHE_RARE_HOST_REGS(VHE_HOST_ENUM)
	VHE_NR_HOST_REGS,
};

#undef VHE_HOST_ENUM

/**
 * struct vhe_host - what was found, to be put back
 * @regs: see VHE_HOST_REGS
 * @icc_sre: ICC_SRE_EL2
 * @keys: see VHE_KEYS
 * @hcr: HCR_EL2; this and what follows is put back at each exit
 * @cpacr: CPTR_EL2
 * @vbar: VBAR_EL2
 */
struct vhe_host {
	u64 regs[VHE_NR_HOST_REGS];
	u64 icc_sre;
	u64 keys[VHE_NR_KEYS];
	u64 hcr, cpacr, vbar;
};

DECLARE_PER_CPU(u32, vhe_host_has);

/* The host's vectors, while ours are in use; for entry.S. */
DECLARE_PER_CPU(u64, vhe_host_vbar);

void vhe_host_enable(void);
void vhe_host_save_rare(struct vhe_host *host);
void vhe_host_restore_rare(const struct vhe_host *host);

/**
 * vhe_has_ras() - has this CPU FEAT_RAS?
 *
 * Context: preemption off.
 * Return: whether.
 */
static __always_inline bool vhe_has_ras(void)
{
	return __this_cpu_read(vhe_host_has) & VHE_HAS_RAS;
}

#define VHE_SAVE_HOST(name, encoding, feature)					\
	if (!(feature) || has & (feature))					\
		host->regs[VHE_HOST_##name] = vhe_read_s(encoding);
#define VHE_RESTORE_HOST(name, encoding, feature)				\
	if (!(feature) || has & (feature))					\
		vhe_write_s(host->regs[VHE_HOST_##name], encoding);

/**
 * vhe_host_save() - save the host state of a section
 * @host: where to
 *
 * Context: DAIF masked.
 */
static __always_inline void vhe_host_save(struct vhe_host *host)
{
	u32 has = __this_cpu_read(vhe_host_has);

	VHE_HOST_REGS(VHE_SAVE_HOST)
	if (unlikely(has & VHE_HAS_RARE))
		vhe_host_save_rare(host);
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
static __always_inline void vhe_host_restore(const struct vhe_host *host)
{
	u32 has = __this_cpu_read(vhe_host_has);

	VHE_HOST_REGS(VHE_RESTORE_HOST)
	if (unlikely(has & VHE_HAS_RARE))
		vhe_host_restore_rare(host);
}

#endif /* _AXVCPU_VHE_HOST_H */
