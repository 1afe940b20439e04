/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's registers as the VMM sees them, see vhe_regs.c */
#ifndef _AXVCPU_VHE_REGS_H
#define _AXVCPU_VHE_REGS_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/ptrace.h>

#include "vhe.h"

void vhe_take_page(struct vhe_vcpu *vhe);
int vhe_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
int vhe_check_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
void vhe_commit_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count);
u32 vhe_list_regs(struct axvcpu *vcpu, u64 *ids, u32 max);

/**
 * vhe_sp() - the stack pointer in use
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Context: &struct axvcpu.mutex held.
 * Return: SP_EL0 or SP_EL1.
 */
static inline u64 *vhe_sp(struct vhe_vcpu *vhe)
{
	return (vhe->pstate & (PSR_MODE32_BIT | PSR_MODE_MASK)) == PSR_MODE_EL1h ?
	       &vhe->sys[VHE_SP_EL1] : &vhe->sp_el0;
}

/**
 * vhe_sync_page() - stack pointer, program counter and PSTATE into the run page
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_sync_page(struct vhe_vcpu *vhe)
{
	struct axvcpu_arm64_gprs *regs = &vhe->vcpu.run->regs.arm64;

	WRITE_ONCE(regs->sp, *vhe_sp(vhe));
	WRITE_ONCE(regs->pc, vhe->pc);
	WRITE_ONCE(regs->pstate, vhe->pstate);
}

#endif /* _AXVCPU_VHE_REGS_H */
