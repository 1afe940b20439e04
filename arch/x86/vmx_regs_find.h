/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers by id, without a search. */
#ifndef _AXVCPU_VMX_REGS_FIND_H
#define _AXVCPU_VMX_REGS_FIND_H

#include <linux/compiler.h>

#include "vmx_regs.h"

#define VMX_MAX_REGS	512

extern struct vmx_reg vmx_regs[VMX_MAX_REGS];

/* What no id is found at */
#define VMX_NO_REG	(&vmx_regs[0])

void vmx_regs_add(const struct vmx_reg *rows, unsigned int count);
const struct vmx_reg *vmx_regs_find(u64 id);

/**
 * vmx_regs_next() - find a register, most likely the one after another
 * @reg: the other one, or %VMX_NO_REG; afterwards this one
 * @id: of the register; CPUID is none
 *
 * The list of GET_REG_LIST is in the order of the table.
 *
 * Context: any.
 * Return: whether there is such a register.
 */
static __always_inline bool vmx_regs_next(const struct vmx_reg **reg, u64 id)
{
	if (likely((*reg)->next_id == id)) {
		*reg = (*reg)->next;
		return true;
	}
	*reg = vmx_regs_find(id);
	return *reg != VMX_NO_REG;
}

#endif /* _AXVCPU_VMX_REGS_FIND_H */
