/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest exited for: who handles it. */
#ifndef _AXVCPU_VMX_EXIT_H
#define _AXVCPU_VMX_EXIT_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_exit_handlers.h"

#define VMX_NR_EXITS	128	/* above all reasons */

/**
 * struct vmx_exit - an exit's reason
 * @handle: returns &enum axvcpu_next
 * @class: &enum axvcpu_exit_class; 0: mostly the VMM's
 */
struct vmx_exit {
	int (*handle)(struct vmx_vcpu *vmx);
	u8 class;
};

extern const struct vmx_exit vmx_exits[VMX_NR_EXITS];
extern u8 vmx_exit_classes[AXVCPU_NR_HW_REASONS];

void vmx_exit_init(void);
void vmx_complete(struct axvcpu *vcpu);

/**
 * vmx_handle_exit() - handle an exit, or fill in the run page
 * @vmx: the vCPU, loaded
 * @reason: of the exit, below VMX_NR_EXITS
 *
 * An indirect call costs much where it must not be predicted: not for what comes
 * most.
 *
 * Context: interrupts off.
 * Return: &enum axvcpu_next.
 */
static __always_inline int vmx_handle_exit(struct vmx_vcpu *vmx, u32 reason)
{
	if (likely(reason == EXIT_REASON_IO_INSTRUCTION))
		return vmx_exit_io(vmx);
	return likely(vmx_exits[reason].handle) ? vmx_exits[reason].handle(vmx) :
						  vmx_exit_unknown(vmx);
}

#endif /* _AXVCPU_VMX_EXIT_H */
