/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers by id, and those that travel in the run page. */
#ifndef _AXVCPU_VMX_REGS_H
#define _AXVCPU_VMX_REGS_H

#include <linux/bits.h>
#include <linux/types.h>

#include "vmx.h"

/* &struct vmx_reg.flags: another id has the same state. */
#define VMX_REG_ALIAS		BIT(0)

/* &struct vmx_reg.reserved: a value has only these bits. */
#define VMX_REG_ONLY(bits)	(~(u64)(bits))

/**
 * struct vmx_reg - a register by id; in a table, some that are numbered on from the first
 * @id: of the first
 * @count: how many
 * @n: number of the first, for @get and @set
 * @field: in the VMCS, at steps of 2, where there is no @get or @set
 * @flags: ``VMX_REG_*``
 * @reserved: bits that a value must not have
 * @valid: may it have this value? NULL: any
 * @get: its value
 * @set: change it
 * @xfeatures: parts of XSAVE's that guests must have for it to exist
 * @next: the register that follows in the list, the first after the last; not in a table
 * @next_id: its id
 *
 * Context: @get and @set have preemption off and the vCPU loaded, and hold
 * &struct axvcpu.mutex.
 */
struct vmx_reg {
	u64 id;
	u32 count;
	u32 n;
	u32 field;
	u32 flags;
	u64 reserved;
	bool (*valid)(const struct vmx_vcpu *vmx, u64 value);
	u64 (*get)(struct vmx_vcpu *vmx, unsigned int n);
	void (*set)(struct vmx_vcpu *vmx, unsigned int n, u64 value);
	u64 xfeatures;
	const struct vmx_reg *next;
	u64 next_id;
};

void vmx_regs_init(void);
int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value);
int vmx_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
int vmx_check_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
void vmx_commit_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count);
u32 vmx_list_regs(struct axvcpu *vcpu, u64 *ids, u32 max);
void vmx_sync_regs(struct axvcpu *vcpu);
void vmx_take_regs(struct vmx_vcpu *vmx);
u64 vmx_bad_reg(struct vmx_vcpu *vmx);

#endif /* _AXVCPU_VMX_REGS_H */
