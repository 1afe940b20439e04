/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of registers by id, without a search. */
#ifndef _AXVCPU_VMX_REGS_FIND_H
#define _AXVCPU_VMX_REGS_FIND_H

#include "vmx_regs.h"

#define VMX_MAX_REG_ROWS	64

extern const struct vmx_reg *vmx_reg_rows[VMX_MAX_REG_ROWS];

void vmx_regs_add(const struct vmx_reg *rows, unsigned int count);
unsigned int vmx_regs_find(u64 id);

/**
 * vmx_regs_row() - a row by its number
 * @n: vmx_regs_find()'s
 *
 * Context: any.
 * Return: the row, or NULL if @n is 0.
 */
static inline const struct vmx_reg *vmx_regs_row(unsigned int n)
{
	return vmx_reg_rows[n];
}

#endif /* _AXVCPU_VMX_REGS_FIND_H */
