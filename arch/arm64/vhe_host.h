/* SPDX-License-Identifier: GPL-2.0-only */
/* The host state, see vhe_host.c */
#ifndef _AXVCPU_VHE_HOST_H
#define _AXVCPU_VHE_HOST_H

#include <linux/percpu.h>
#include <linux/types.h>

#include <asm/sysreg.h>

#include "vhe_sysregs.h"

/*
 * Host state that a section changes, and that no list of vhe_sysregs.h switches:
 * H(name, encoding, does the CPU have it?).
 */
#define VHE_HOST_REGS(H)							\
	H(VTTBR,	sys_reg(3, 4, 2, 1, 0),	 true)				\
	H(VTCR,		sys_reg(3, 4, 2, 1, 2),	 true)				\
	H(VPIDR,	sys_reg(3, 4, 0, 0, 0),	 true)				\
	H(VMPIDR,	sys_reg(3, 4, 0, 0, 5),	 true)				\
	H(MDCR,		sys_reg(3, 4, 1, 1, 1),	 true)				\
	H(CNTHCTL,	sys_reg(3, 4, 14, 1, 0), true)				\
	H(CNTVOFF,	sys_reg(3, 4, 14, 0, 3), true)				\
	H(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2), true)				\
	H(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3), true)				\
	H(HCRX,		sys_reg(3, 4, 1, 2, 2),	 vhe_has_hcx)			\
	H(HFGRTR,	sys_reg(3, 4, 1, 1, 4),	 vhe_has_fgt)			\
	H(HFGWTR,	sys_reg(3, 4, 1, 1, 5),	 vhe_has_fgt)

#define VHE_HOST_ENUM(name, ...)	VHE_HOST_##name,
enum vhe_host_reg {
	VHE_HOST_REGS(VHE_HOST_ENUM)
	VHE_NR_HOST_REGS,
};

#undef VHE_HOST_ENUM

/**
 * struct vhe_host - what was found, to be put back
 * @regs: see VHE_HOST_REGS
 * @icc_sre: ICC_SRE_EL2
 * @keys: see VHE_KEYS
 * @debug: see VHE_DEBUG; this and what follows is put back at each exit
 * @hcr: HCR_EL2
 * @cpacr: CPTR_EL2
 * @vbar: VBAR_EL2
 */
struct vhe_host {
	u64 regs[VHE_NR_HOST_REGS];
	u64 icc_sre;
	u64 keys[VHE_NR_KEYS];
	u64 debug[VHE_NR_DEBUG];
	u64 hcr, cpacr, vbar;
};

extern bool vhe_has_hcx, vhe_has_fgt;
DECLARE_PER_CPU(u64, vhe_host_vbar);

void vhe_host_init(void);
void vhe_host_save(struct vhe_host *host);
void vhe_host_restore(const struct vhe_host *host);

#endif /* _AXVCPU_VHE_HOST_H */
