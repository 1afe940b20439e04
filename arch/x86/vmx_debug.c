// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers, the guest's and a debugger's, and single steps. The guest's are
 * kept apart, as accesses to them exit. Steps are RFLAGS.TF, which is there only
 * inside the guest: PUSHF and the frames of its handlers show it.
 */
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_insn.h"

/*
 * Exceptions that always exit. A guest can make #DB and #AC follow each other
 * without end in their own delivery, where no interrupt gets in (CVE-2015-8104,
 * 5307); a machine check is the host's.
 */
#define ALWAYS_EXIT	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/* One of the debugger's, in the bits of DR7. Returns 0 for none, or -EINVAL. */
static int breakpoint_bits(const struct axvcpu_breakpoint *b)
{
	static const u8 kinds[] = {
		[AXVCPU_BREAK_EXEC]	= DR_RW_EXECUTE,
		[AXVCPU_BREAK_WRITE]	= DR_RW_WRITE,
		[AXVCPU_BREAK_ACCESS]	= DR_RW_READ,
	};
	static const u8 lengths[] = {
		[1] = DR_LEN_1, [2] = DR_LEN_2, [4] = DR_LEN_4, [8] = DR_LEN_8,
	};
	u32 kind, len;

	if (!b->kind)
		return 0;
	if (b->kind >= ARRAY_SIZE(kinds) || b->len >= ARRAY_SIZE(lengths) || !b->len)
		return -EINVAL;
	kind = array_index_nospec(b->kind, ARRAY_SIZE(kinds));
	len = array_index_nospec(b->len, ARRAY_SIZE(lengths));
	if ((len & (len - 1)) || (b->addr & (len - 1)))
		return -EINVAL;
	if (kind == AXVCPU_BREAK_EXEC && len != 1)
		return -EINVAL;
	return kinds[kind] | lengths[len] | BIT(8);
}

/**
 * vmx_set_debug() - what a debugger wants from the next entry on
 * @vcpu: the vCPU
 * @debug: the VMM's
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL: no such breakpoint, or more than there are.
 */
int vmx_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmx_debug new = { .flags = debug->flags };
	unsigned int i;
	int bits;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < AXVCPU_NR_BREAKPOINTS; i++) {
		bits = breakpoint_bits(&debug->breakpoints[i]);
		if (bits < 0 || (bits && i >= VMX_NR_BREAKPOINTS))
			return -EINVAL;
		if (!bits)
			continue;
		new.addr[i] = debug->breakpoints[i].addr;
		new.dr7 |= VMX_DR7_RESET | DR_GLOBAL_ENABLE << (i * DR_ENABLE_SIZE) |
			   (u64)(bits & 0xf) << (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE);
	}
	vmx->debug = new;
	vmx->once |= VMX_ONCE_DEBUG;
	return 0;
}

/* Addresses of those that the CPU has: the debugger's, or the guest's. */
static const u64 *breakpoints(const struct vmx_vcpu *vmx)
{
	return vmx->debug.dr7 ? vmx->debug.addr : vmx->dr;
}

/* The guest's breakpoints, or the debugger's, are on or off from the next entry on. */
static void vmx_set_dr7(struct vmx_vcpu *vmx, u64 value)
{
	value = (value & VMX_DR7_WRITABLE) | VMX_DR7_RESET;
	vmx->dr[7] = value;
	if (vmx->debug.dr7)
		value = vmx->debug.dr7;
	vmwrite(GUEST_DR7, value);
	if (value & VMX_DR7_ENABLED)
		vmx->always |= VMX_ALWAYS_BREAKPOINTS;
	else
		vmx->always &= ~VMX_ALWAYS_BREAKPOINTS;
	/* By RFLAGS, of which one bit is always 1. */
	vmx->step_mask = X86_EFLAGS_TF | X86_EFLAGS_RF;
	if (vmx->always & (VMX_ALWAYS_STEPPING | VMX_ALWAYS_BREAKPOINTS))
		vmx->step_mask |= X86_EFLAGS_FIXED;
}

/**
 * vmx_set_dr() - change a debug register of the guest's
 * @vmx: the vCPU, loaded
 * @n: its number, not 4 or 5
 * @value: its value; of DR6 and DR7 what can be changed counts
 *
 * Context: preemption off.
 */
void vmx_set_dr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n == 7)
		vmx_set_dr7(vmx, value);
	else if (n == 6)
		vmx->dr[6] = (value & (VMX_DR6_EVENTS | DR_SWITCH)) | DR6_RESERVED;
	else
		vmx->dr[n] = value;
}

/**
 * vmx_apply_debug() - the controls for what the debugger and the VMM want
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off.
 */
void vmx_apply_debug(struct vmx_vcpu *vmx)
{
	bool step = vmx->debug.flags & AXVCPU_DEBUG_STEP;
	u32 exceptions = ALWAYS_EXIT | vmx->exceptions;

	if (vmx->debug.flags & AXVCPU_DEBUG_SOFT_BREAKPOINTS)
		exceptions |= BIT(X86_TRAP_BP);
	vmwrite(EXCEPTION_BITMAP, exceptions);
	if (step) {
		vmx->always |= VMX_ALWAYS_STEPPING;
	} else {
		vmx->always &= ~VMX_ALWAYS_STEPPING;
		vmx->once &= ~VMX_ONCE_STEPPED;
	}
	vmx_set_dr7(vmx, vmx->dr[7]);
}

/**
 * vmx_show_tf() - the guest is about to do one instruction
 * @vmx: the vCPU, loaded
 *
 * With a shadow of STI or MOV SS, an entry wants the trap pending already.
 *
 * Context: preemption off.
 */
void vmx_show_tf(struct vmx_vcpu *vmx)
{
	u64 rflags = vmx_rflags(vmx);

	vmx_end_shadow();
	vmx->guest_tf = rflags & X86_EFLAGS_TF;
	vmwrite(GUEST_RFLAGS, rflags | X86_EFLAGS_TF);
}

/**
 * vmx_hide_tf() - RFLAGS are the guest's own again
 * @vmx: the vCPU, after an exit
 *
 * A trap that is due behind an instruction comes before all that could have
 * ended it otherwise; some CPUs keep one for an instruction that has not been done.
 *
 * Context: preemption off.
 */
void vmx_hide_tf(struct vmx_vcpu *vmx)
{
	if (vmx->guest_tf)
		return;
	vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) & ~X86_EFLAGS_TF);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS,
		vmread(GUEST_PENDING_DBG_EXCEPTIONS) & ~(u64)DR_STEP);
}

/**
 * vmx_load_breakpoints() - addresses for the entry, which turns breakpoints on by DR7
 * @vmx: the vCPU
 *
 * Context: interrupts off.
 */
void vmx_load_breakpoints(const struct vmx_vcpu *vmx)
{
	const u64 *addr = breakpoints(vmx);

	set_debugreg(VMX_DR7_RESET, 7);
	set_debugreg(addr[0], 0);
	set_debugreg(addr[1], 1);
	set_debugreg(addr[2], 2);
	set_debugreg(addr[3], 3);
}

/**
 * vmx_hit_breakpoints() - which breakpoints does an access meet that the kernel carries out?
 * @vmx: the vCPU
 * @kinds: bits of those that look at it, by the numbers in DR7
 * @addr: its linear address, or the port
 * @len: its bytes
 *
 * Context: &struct axvcpu.mutex held.
 * Return: bits of DR6: all that match, if one of them is enabled (SDM vol. 3, 18.2.3).
 */
u32 vmx_hit_breakpoints(const struct vmx_vcpu *vmx, u32 kinds, u64 addr, u64 len)
{
	static const u8 sizes[] = { 1, 2, 8, 4 };
	u64 dr7 = vmx->debug.dr7 ?: vmx->dr[7];
	const u64 *first = breakpoints(vmx);
	u32 hits = 0;
	bool enabled = false;
	unsigned int i;

	for (i = 0; i < VMX_NR_BREAKPOINTS; i++) {
		u32 control = dr7 >> (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE) & 0xf;
		u64 size = sizes[control >> 2], start = first[i] & ~(size - 1);

		if (!(kinds & BIT(control & 3)) || addr + len <= start || addr >= start + size)
			continue;
		hits |= BIT(i);
		enabled |= dr7 >> i * DR_ENABLE_SIZE & (DR_GLOBAL_ENABLE | DR_LOCAL_ENABLE);
	}
	return enabled ? hits : 0;
}
