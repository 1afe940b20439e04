/* SPDX-License-Identifier: GPL-2.0-only */
/* What the CPUs can. */
#ifndef _AXVCPU_VMX_CAPS_H
#define _AXVCPU_VMX_CAPS_H

#include <linux/types.h>

#include <asm/vmx.h>

/**
 * struct vmx_caps - what the CPUs can, and the controls that we run with
 * @revision: VMCS revision identifier
 * @pin: pin-based controls
 * @cpu: primary processor-based controls
 * @cpu2: secondary processor-based controls
 * @exit: VM-exit controls
 * @entry: VM-entry controls, but for "IA-32e mode guest"
 * @cr4_allowed: bits of CR4 that a guest may set
 * @ept: IA32_VMX_EPT_VPID_CAP
 * @timer: there is a VMX-preemption timer
 * @timer_shift: which counts when this bit of the TSC changes
 */
struct vmx_caps {
	u32 revision;
	u32 pin;
	u32 cpu;
	u32 cpu2;
	u32 exit;
	u32 entry;
	u64 cr4_allowed;
	u64 ept;
	u32 timer;
	u32 timer_shift;
};

extern struct vmx_caps vmx_caps;

int vmx_caps_init(void);
bool vmx_caps_match(void);

#endif /* _AXVCPU_VMX_CAPS_H */
