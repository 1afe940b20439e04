/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug registers, the guest's and a debugger's, and single steps. */
#ifndef _AXVCPU_VMX_DEBUG_H
#define _AXVCPU_VMX_DEBUG_H

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <asm/debugreg.h>

struct axvcpu;
struct axvcpu_set_debug;
struct vmx_vcpu;

#define VMX_NR_BREAKPOINTS	4

/**
 * struct vmx_debug - what a debugger wants
 * @flags: ``AXVCPU_DEBUG_*``
 * @dr7: its breakpoints, instead of the guest's; 0: none
 * @addr: their addresses
 */
struct vmx_debug {
	u32 flags;
	u64 dr7;
	u64 addr[VMX_NR_BREAKPOINTS];
};

/* Debug registers: what <asm/debugreg.h> has no names for */
#define VMX_DR6_BD		BIT(13)		/* access detected */
#define VMX_DR6_EVENTS		(DR_TRAP_BITS | VMX_DR6_BD | DR_STEP)
#define VMX_DR_RW_IO		2		/* in DR7: a port, with CR4.DE */
#define VMX_DR7_GD		BIT(13)		/* detect access */
#define VMX_DR7_RESET		0x400UL		/* the bit that is always 1 */
#define VMX_DR7_WRITABLE	0xffff23ffUL
#define VMX_DR7_ENABLED		(DR_GLOBAL_ENABLE_MASK | DR_LOCAL_ENABLE_MASK)

/**
 * vmx_dr6() - DR6 behind a #DB
 * @dr6: before it
 * @events: what it is for
 *
 * Context: any.
 * Return: DR6.
 */
static inline u64 vmx_dr6(u64 dr6, u64 events)
{
	return (dr6 & ~DR_TRAP_BITS) | DR6_RESERVED | (events & VMX_DR6_EVENTS);
}

int vmx_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug);
void vmx_apply_debug(struct vmx_vcpu *vmx);
u32 vmx_hit_breakpoints(const struct vmx_vcpu *vmx, u32 kinds, u64 addr, u64 len);
void vmx_show_tf(struct vmx_vcpu *vmx);
void vmx_hide_tf(struct vmx_vcpu *vmx);
void vmx_load_breakpoints(const struct vmx_vcpu *vmx);
void vmx_set_dr(struct vmx_vcpu *vmx, unsigned int n, u64 value);

#endif /* _AXVCPU_VMX_DEBUG_H */
