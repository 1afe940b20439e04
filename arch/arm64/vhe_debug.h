/* SPDX-License-Identifier: GPL-2.0-only */
/* A debugger's steps and breakpoints, see vhe_debug.c */
#ifndef _AXVCPU_VHE_DEBUG_H
#define _AXVCPU_VHE_DEBUG_H

#include <linux/bits.h>
#include <linux/types.h>

struct axvcpu;
struct axvcpu_set_debug;
struct vhe_vcpu;

/* MDSCR_EL1 */
#define VHE_MDSCR_SS		BIT(0)	/* software step */
#define VHE_MDSCR_TDCC		BIT(12)
#define VHE_MDSCR_KDE		BIT(13)	/* debug exceptions of EL1 itself */
#define VHE_MDSCR_MDE		BIT(15)	/* breakpoints and watchpoints */

/* The most that the architecture has of each kind */
#define VHE_MAX_BREAKPOINTS	16

enum vhe_debug_kind {
	VHE_BREAKPOINTS,
	VHE_WATCHPOINTS,
	VHE_NR_DEBUG_KINDS,
};

/**
 * struct vhe_breakpoints - breakpoints, or watchpoints
 * @value: DBGBVR<n>_EL1, DBGWVR<n>_EL1
 * @control: DBGBCR<n>_EL1, DBGWCR<n>_EL1
 */
struct vhe_breakpoints {
	u64 value[VHE_MAX_BREAKPOINTS];
	u64 control[VHE_MAX_BREAKPOINTS];
};

/**
 * struct vhe_wish - what a debugger wants
 * @flags: ``AXVCPU_DEBUG_*``
 * @count: how many breakpoints, of each kind
 * @breakpoints: they
 */
struct vhe_wish {
	u32 flags;
	u32 count[VHE_NR_DEBUG_KINDS];
	struct vhe_breakpoints breakpoints[VHE_NR_DEBUG_KINDS];
};

/**
 * struct vhe_debug - a debugger, and where its step is
 * @wish: what it wants
 * @over: bits of the kinds that are off until the instruction at @over_pc is done
 * @over_pc: where the guest stopped
 * @stepping: of the entry: the hardware steps, for the debugger, over a breakpoint, or
 *	in place of the guest
 * @mdscr: of the entry: MDSCR_EL1
 * @pc: of the entry: ELR_EL2
 * @pstate: of the entry: SPSR_EL2
 * @own_ss: PSTATE.SS as it is in the guest's own step
 * @host: of the entry: all that the host has
 */
struct vhe_debug {
	struct vhe_wish wish;
	u32 over;
	u64 over_pc;

	bool stepping;
	u64 mdscr;
	u64 pc;
	u64 pstate;
	u64 own_ss;
	struct vhe_breakpoints host[VHE_NR_DEBUG_KINDS];
};

void vhe_debug_init(void);
void vhe_debug_reset(struct vhe_vcpu *vhe);
int vhe_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug);
void vhe_debug_enter(struct vhe_vcpu *vhe, u64 host_mdscr);
void vhe_debug_exit(struct vhe_vcpu *vhe, u64 host_mdscr);
bool vhe_debug_is_guests(const struct vhe_vcpu *vhe, u64 pstate);
u64 vhe_debug_syndrome(const struct vhe_vcpu *vhe, u64 esr);
u64 vhe_debug_own_step(const struct vhe_vcpu *vhe);
void vhe_debug_step_over(struct vhe_vcpu *vhe, enum vhe_debug_kind kind);
int vhe_debug_watched_byte(const struct vhe_vcpu *vhe, unsigned int bytes, bool is_store);

#endif /* _AXVCPU_VHE_DEBUG_H */
