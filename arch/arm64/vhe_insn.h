/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to system registers while there is a guest, which the counting build
 * counts. Those of entry.S are counted by its caller; not counted are PSTATE's
 * fields, and what every kernel function does: the per-CPU base, current.
 */
#ifndef _AXVCPU_VHE_INSN_H
#define _AXVCPU_VHE_INSN_H

#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/types.h>

#include <asm/barrier.h>
#include <asm/sysreg.h>

#include "../../axvcpu_count.h"

/* By name */
#define vhe_read(reg)								\
({										\
	axvcpu_count(SYSREG);							\
	read_sysreg(reg);							\
})

#define vhe_write(value, reg)							\
do {										\
	axvcpu_count(SYSREG);							\
	write_sysreg(value, reg);						\
} while (0)

/* By sys_reg() */
#define vhe_read_s(encoding)							\
({										\
	axvcpu_count(SYSREG);							\
	read_sysreg_s(encoding);						\
})

#define vhe_write_s(value, encoding)						\
do {										\
	axvcpu_count(SYSREG);							\
	write_sysreg_s(value, encoding);					\
} while (0)

/* AmpereOne, erratum AC04_CPU_23: accesses under way meet the new value, or an old one. */
DECLARE_STATIC_KEY_FALSE(vhe_fences_hcr);

/**
 * vhe_write_hcr() - write HCR_EL2
 * @hcr: the value
 *
 * Context: DAIF masked.
 */
static __always_inline void vhe_write_hcr(u64 hcr)
{
	if (static_branch_unlikely(&vhe_fences_hcr))
		dsb(nsh);
	vhe_write(hcr, hcr_el2);
	if (static_branch_unlikely(&vhe_fences_hcr))
		isb();
}

#endif /* _AXVCPU_VHE_INSN_H */
