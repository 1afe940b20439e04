// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's steps and breakpoints, beside the guest's own.
 *
 * With a debugger, MDCR_EL2.TDE brings all debug exceptions to EL2. What is the
 * guest's own goes on to EL1 from there. But EL2 is above EL1, so that PSTATE.D and
 * MDSCR_EL1.KDE no longer hold exceptions of EL1 back, and hardware takes no SS
 * from SPSR_EL1. So hardware steps through a guest that steps itself, and what its
 * own PSTATE.SS would be is computed here: @own_ss, which the VMM sees in PSTATE.
 *
 * An instruction that stopped for a breakpoint or a watchpoint is done by a step
 * with these turned off.
 */
#include <linux/bitfield.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/esr.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_insn.h"

/* DBGBCR<n>_EL1, DBGWCR<n>_EL1: at EL0 and EL1 */
#define CONTROL_ON	0x7UL			/* PMC or PAC, E */
#define CONTROL_E	BIT(0)
#define CONTROL_EL1	BIT(1)
#define CONTROL_EL0	BIT(2)
#define CONTROL_LOAD	BIT(3)
#define CONTROL_STORE	BIT(4)
#define CONTROL_LSC	GENMASK(4, 3)
#define LSC_STORE	2
#define LSC_BOTH	3
#define CONTROL_BAS	GENMASK(12, 5)
#define BAS_INSN	0xf
#define BAS_ALL		0xff
#define CONTROL_MASK	GENMASK(28, 24)

/* ID_AA64DFR0_EL1: one less than there are */
#define DFR0_BRPS	12
#define DFR0_WRPS	20

/* ESR_ELx of a software step: whether an instruction was stepped, and what it was */
#define ISS_STEP	(VHE_STEP_ISV | BIT(6))	/* EX */
#define ISS_DEBUG	0x22			/* IFSC: debug exception */

#define SIZE_OF_VECTORS	0x800

/* PSTATE that every CPU has */
#define PSTATE_KNOWN	(GENMASK(31, 28) | VHE_PSTATE_SS | GENMASK(9, 6) | PSR_MODE_MASK)

/* How many all CPUs have; the guest has two of each. */
static u32 present[VHE_NR_DEBUG_KINDS] __ro_after_init;

#define NR_GUESTS	2
static_assert(VHE_DBGBVR1 == VHE_DBGBVR0 + 1 && VHE_DBGBCR1 == VHE_DBGBCR0 + 1);
static_assert(VHE_DBGWVR1 == VHE_DBGWVR0 + 1 && VHE_DBGWCR1 == VHE_DBGWCR0 + 1);

/**
 * vhe_debug_init() - look what the CPUs have
 *
 * Context: module load.
 */
void __init vhe_debug_init(void)
{
	u64 dfr0 = read_sanitised_ftr_reg(SYS_ID_AA64DFR0_EL1);

	present[VHE_BREAKPOINTS] = cpuid_feature_extract_unsigned_field(dfr0, DFR0_BRPS) + 1;
	present[VHE_WATCHPOINTS] = cpuid_feature_extract_unsigned_field(dfr0, DFR0_WRPS) + 1;
}

/**
 * vhe_debug_reset() - there is no debugger
 * @vhe: the vCPU
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_debug_reset(struct vhe_vcpu *vhe)
{
	memset(&vhe->debug, 0, sizeof(vhe->debug));
	vhe->attached = false;
	vhe->step_due = false;
}

/* --- what it wants ----------------------------------------------------------- */

/* DBGBCR<n>_EL1, or 0: there is no such breakpoint. */
static u64 break_control(const struct axvcpu_breakpoint *b)
{
	if (b->len != 4 || b->addr & 3)
		return 0;
	return CONTROL_ON | FIELD_PREP(CONTROL_BAS, BAS_INSN);
}

/* Some bytes of a doubleword, or a block that is aligned to its size */
static u64 watch_control(const struct axvcpu_breakpoint *b)
{
	u64 control = CONTROL_ON |
		      FIELD_PREP(CONTROL_LSC, b->kind == AXVCPU_BREAK_WRITE ? LSC_STORE : LSC_BOTH);
	unsigned int first = b->addr & 7;

	if (b->len && b->len <= 8 - first)
		return control | FIELD_PREP(CONTROL_BAS, GENMASK(b->len - 1, 0) << first);
	if (b->len <= 8 || !is_power_of_2(b->len) || b->addr & (b->len - 1))
		return 0;
	return control | FIELD_PREP(CONTROL_BAS, BAS_ALL) |
	       FIELD_PREP(CONTROL_MASK, ilog2(b->len));
}

static int add_breakpoint(struct vhe_wish *wish, const struct axvcpu_breakpoint *b)
{
	bool is_watch = b->kind != AXVCPU_BREAK_EXEC;
	enum vhe_debug_kind kind = is_watch ? VHE_WATCHPOINTS : VHE_BREAKPOINTS;
	u64 control = is_watch ? watch_control(b) : break_control(b);
	u32 n = wish->count[kind];

	/* Addresses have a sign: TTBR0's and TTBR1's. */
	if (b->kind > AXVCPU_BREAK_ACCESS || !control || n == present[kind] ||
	    sign_extend64(b->addr, 55) != b->addr)
		return -EINVAL;
	wish->breakpoints[kind].value[n] = is_watch ? b->addr & ~7ULL : b->addr;
	wish->breakpoints[kind].control[n] = control;
	wish->count[kind]++;
	return 0;
}

/* It begins to step in front of an instruction, unless the guest's own step is done there. */
static bool step_is_due(const struct vhe_vcpu *vhe)
{
	if (vhe->debug.wish.flags & AXVCPU_DEBUG_STEP && vhe->step_due)
		return true;
	return vhe_debug_own_step(vhe);
}

/* What it wants is known to be good. What the guest stopped at is still to be done. */
static void attach(struct vhe_vcpu *vhe, const struct vhe_wish *wish)
{
	vhe->attached = true;
	vhe->step_due = step_is_due(vhe);
	vhe->debug.wish = *wish;
}

/**
 * vhe_set_debug() - see &struct axvcpu_arch_ops.set_debug
 * @vcpu: the vCPU
 * @args: the VMM's
 *
 * Context: process context, &struct axvcpu.mutex held, not loaded.
 * Return: 0, or -EINVAL: no such breakpoint, or more than there are.
 */
int vhe_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *args)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	struct vhe_wish wish = { .flags = args->flags };
	unsigned int i;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < AXVCPU_NR_BREAKPOINTS; i++) {
		if (!args->breakpoints[i].kind)
			continue;
		ret = add_breakpoint(&wish, &args->breakpoints[i]);
		if (ret)
			return ret;
	}
	if (wish.flags || wish.count[VHE_BREAKPOINTS] || wish.count[VHE_WATCHPOINTS])
		attach(vhe, &wish);
	else
		vhe_debug_reset(vhe);
	return 0;
}

/* --- whose an exception is --------------------------------------------------- */

/**
 * vhe_debug_is_guests() - would EL1 take debug exceptions here?
 * @vhe: the vCPU
 * @pstate: where the guest is
 *
 * Arm ARM, AArch64.GenerateDebugExceptionsFrom(), without EL2.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether; BRK is always taken.
 */
noinstr bool vhe_debug_is_guests(const struct vhe_vcpu *vhe, u64 pstate)
{
	return (pstate & PSR_MODE_MASK) == PSR_MODE_EL0t ||
	       (vhe->mdscr & VHE_MDSCR_KDE && !(pstate & PSR_D_BIT));
}

/**
 * vhe_debug_syndrome() - a debug exception that came to EL2, as EL1 has it
 * @vhe: the vCPU
 * @esr: ESR_EL2
 *
 * Context: &struct axvcpu.mutex held.
 * Return: ESR_EL1, whose class tells whether it comes from EL1 itself.
 */
u64 vhe_debug_syndrome(const struct vhe_vcpu *vhe, u64 esr)
{
	bool is_current = (vhe->pstate & PSR_MODE_MASK) != PSR_MODE_EL0t;

	if (ESR_ELx_EC(esr) == ESR_ELx_EC_BRK64 || !is_current)
		return esr;
	return esr + (1UL << ESR_ELx_EC_SHIFT);
}

/**
 * vhe_debug_own_step() - is the guest's own step done?
 * @vhe: the vCPU, before an entry
 *
 * Context: &struct axvcpu.mutex held.
 * Return: syndrome of the exception that it takes then, or 0.
 */
u64 vhe_debug_own_step(const struct vhe_vcpu *vhe)
{
	u64 esr = (u64)ESR_ELx_EC_SOFTSTP_LOW << ESR_ELx_EC_SHIFT | ESR_ELx_IL | ISS_DEBUG;

	if (!(vhe->mdscr & VHE_MDSCR_SS) || vhe->pstate & VHE_PSTATE_SS ||
	    !vhe_debug_is_guests(vhe, vhe->pstate))
		return 0;
	return vhe_debug_syndrome(vhe, esr | vhe->own_step);
}

/**
 * vhe_debug_step_over() - the next instruction is done without breakpoints of a kind
 * @vhe: the vCPU, which stopped for one
 * @kind: the kind
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_debug_step_over(struct vhe_vcpu *vhe, enum vhe_debug_kind kind)
{
	struct vhe_debug *debug = &vhe->debug;

	if (debug->over_pc != vhe->pc)
		debug->over = 0;
	debug->over |= BIT(kind);
	debug->over_pc = vhe->pc;
}

/* --- the registers ----------------------------------------------------------- */

#define EACH(R)									\
	R(0) R(1) R(2) R(3) R(4) R(5) R(6) R(7)					\
	R(8) R(9) R(10) R(11) R(12) R(13) R(14) R(15)

#define READ_PAIR(n, kind, letter)						\
	if ((n) < present[kind]) {						\
		to[kind].value[n] = vhe_read_s(SYS_DBG##letter##VRn_EL1(n));	\
		to[kind].control[n] = vhe_read_s(SYS_DBG##letter##CRn_EL1(n));	\
	}
#define READ_BREAKPOINT(n)	READ_PAIR(n, VHE_BREAKPOINTS, B)
#define READ_WATCHPOINT(n)	READ_PAIR(n, VHE_WATCHPOINTS, W)

static noinstr void read_all(struct vhe_breakpoints *to)
{
	EACH(READ_BREAKPOINT)
	EACH(READ_WATCHPOINT)
}

/* @count of them; the others are off. */
#define WRITE_PAIR(n, kind, letter)						\
	if ((n) < present[kind]) {						\
		if ((n) < count)						\
			vhe_write_s(value[n], SYS_DBG##letter##VRn_EL1(n));	\
		vhe_write_s((n) < count ? control[n] : 0, SYS_DBG##letter##CRn_EL1(n)); \
	}
#define WRITE_BREAKPOINT(n)	WRITE_PAIR(n, VHE_BREAKPOINTS, B)
#define WRITE_WATCHPOINT(n)	WRITE_PAIR(n, VHE_WATCHPOINTS, W)

static noinstr void write_breakpoints(const u64 *value, const u64 *control, u32 count)
{
	EACH(WRITE_BREAKPOINT)
}

static noinstr void write_watchpoints(const u64 *value, const u64 *control, u32 count)
{
	EACH(WRITE_WATCHPOINT)
}

static noinstr void write_back(const struct vhe_breakpoints *from)
{
	write_breakpoints(from[VHE_BREAKPOINTS].value, from[VHE_BREAKPOINTS].control,
			  present[VHE_BREAKPOINTS]);
	write_watchpoints(from[VHE_WATCHPOINTS].value, from[VHE_WATCHPOINTS].control,
			  present[VHE_WATCHPOINTS]);
}

static noinstr u32 count_in_force(const struct vhe_vcpu *vhe, enum vhe_debug_kind kind)
{
	const struct vhe_debug *debug = &vhe->debug;

	if (debug->over & BIT(kind))
		return 0;
	if (debug->wish.count[kind])
		return debug->wish.count[kind];
	return vhe->mdscr & VHE_MDSCR_MDE ? NR_GUESTS : 0;
}

/* The debugger's; of a kind that it has none of, the guest's. */
static noinstr void write_those_in_force(const struct vhe_vcpu *vhe)
{
	const struct vhe_breakpoints *b = &vhe->debug.wish.breakpoints[VHE_BREAKPOINTS];
	const struct vhe_breakpoints *w = &vhe->debug.wish.breakpoints[VHE_WATCHPOINTS];
	u32 breakpoints = count_in_force(vhe, VHE_BREAKPOINTS);
	u32 watchpoints = count_in_force(vhe, VHE_WATCHPOINTS);
	const u32 *count = vhe->debug.wish.count;
	const u64 *sys = vhe->sys;

	if (count[VHE_BREAKPOINTS])
		write_breakpoints(b->value, b->control, breakpoints);
	else
		write_breakpoints(&sys[VHE_DBGBVR0], &sys[VHE_DBGBCR0], breakpoints);
	if (count[VHE_WATCHPOINTS])
		write_watchpoints(w->value, w->control, watchpoints);
	else
		write_watchpoints(&sys[VHE_DBGWVR0], &sys[VHE_DBGWCR0], watchpoints);
}

/* --- watchpoints of accesses that are emulated ------------------------------- */

static bool is_about(const struct vhe_vcpu *vhe, u64 control, bool is_store)
{
	bool is_el0 = (vhe->pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;
	u64 wanted = CONTROL_E | (is_el0 ? CONTROL_EL0 : CONTROL_EL1) |
		     (is_store ? CONTROL_STORE : CONTROL_LOAD);

	return (control & wanted) == wanted;
}

/* A block, or some bytes from @value on */
static bool is_in(u64 value, u64 control, u64 addr)
{
	u64 block = (1ULL << FIELD_GET(CONTROL_MASK, control)) - 1;
	u64 offset = addr - value;

	if (block)
		return !((addr ^ value) & ~block);
	return offset < 8 && FIELD_GET(CONTROL_BAS, control) & BIT(offset);
}

static int first_byte(u64 value, u64 control, u64 addr, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++) {
		if (is_in(value, control, addr + i))
			return i;
	}
	return -1;
}

/**
 * vhe_debug_watched_byte() - does an access meet a watchpoint?
 * @vhe: the vCPU, with the address of the access
 * @bytes: of the access
 * @is_store: whether it writes
 *
 * Hardware does not say, as stage 2 comes first. What EL1 accesses as if it were EL0 is
 * taken for an access of EL1.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: the first byte that does, or -1.
 */
int vhe_debug_watched_byte(const struct vhe_vcpu *vhe, unsigned int bytes, bool is_store)
{
	const struct vhe_breakpoints *wish = &vhe->debug.wish.breakpoints[VHE_WATCHPOINTS];
	bool is_debuggers = vhe->debug.wish.count[VHE_WATCHPOINTS];
	const u64 *control = is_debuggers ? wish->control : &vhe->sys[VHE_DBGWCR0];
	const u64 *value = is_debuggers ? wish->value : &vhe->sys[VHE_DBGWVR0];
	u32 i, count = count_in_force(vhe, VHE_WATCHPOINTS);
	int byte = -1;

	if (!is_debuggers && !vhe_debug_is_guests(vhe, vhe->pstate))
		return -1;
	for (i = 0; i < count && byte < 0; i++) {
		if (is_about(vhe, control[i], is_store))
			byte = first_byte(value[i], control[i], vhe->far, bytes);
	}
	return byte;
}

/* --- an entry, and its exit -------------------------------------------------- */

static noinstr void start_step(struct vhe_vcpu *vhe)
{
	struct vhe_debug *debug = &vhe->debug;

	debug->mdscr |= VHE_MDSCR_SS;
	debug->own_ss = vhe->mdscr & VHE_MDSCR_SS && vhe_debug_is_guests(vhe, vhe->pstate) ?
			vhe->pstate & VHE_PSTATE_SS : 0;
	vhe->pstate &= ~VHE_PSTATE_SS;
	if (!vhe->step_due)
		vhe->pstate |= VHE_PSTATE_SS;
	debug->pc = vhe->pc;
	debug->pstate = vhe->pstate;
}

static noinstr void enter_attached(struct vhe_vcpu *vhe)
{
	struct vhe_debug *debug = &vhe->debug;

	if (debug->over_pc != vhe->pc)
		debug->over = 0;
	debug->stepping = debug->wish.flags & AXVCPU_DEBUG_STEP || debug->over ||
			  vhe->mdscr & VHE_MDSCR_SS;
	debug->mdscr &= ~VHE_MDSCR_SS;
	if (debug->wish.count[VHE_BREAKPOINTS] || debug->wish.count[VHE_WATCHPOINTS])
		debug->mdscr |= VHE_MDSCR_MDE;
	if (debug->stepping)
		start_step(vhe);
}

/**
 * vhe_debug_enter() - the guest's debug registers into the hardware
 * @vhe: the vCPU
 * @host_mdscr: MDSCR_EL1 as found
 *
 * The guest's writes of them exit, so that there is nothing to save.
 *
 * Context: DAIF masked; PSTATE and program counter are not in the hardware yet.
 */
noinstr void vhe_debug_enter(struct vhe_vcpu *vhe, u64 host_mdscr)
{
	struct vhe_debug *debug = &vhe->debug;

	debug->mdscr = vhe->mdscr;
	if (vhe->attached)
		enter_attached(vhe);
	if (debug->mdscr & VHE_MDSCR_MDE) {
		read_all(debug->host);
		write_those_in_force(vhe);
	}
	vhe_write(debug->mdscr | (host_mdscr & VHE_MDSCR_TDCC), mdscr_el1);
}

/* An instruction is done, or an exception was taken: either ends a step. */
static noinstr bool step_ended(const struct vhe_vcpu *vhe)
{
	return vhe->debug.pstate & ~vhe->pstate & VHE_PSTATE_SS;
}

/*
 * Has the guest taken an exception to EL1 in front of its instruction? Then SPSR_EL1
 * has the SS that we entered with.
 */
static noinstr bool took_exception(const struct vhe_vcpu *vhe)
{
	const struct vhe_debug *debug = &vhe->debug;

	return (step_ended(vhe) || vhe->pc != debug->pc) &&
	       (vhe->pstate & PSR_MODE_MASK) == PSR_MODE_EL1h &&
	       vhe->pc - vhe_read_s(SYS_VBAR_EL12) < SIZE_OF_VECTORS &&
	       vhe_read_s(SYS_ELR_EL12) == debug->pc &&
	       !((vhe_read_s(SYS_SPSR_EL12) ^ debug->pstate) & PSTATE_KNOWN);
}

/*
 * PSTATE.SS of the guest's own, behind an instruction: 0, unless it was an ERET to where
 * a step begins. Arm ARM, DebugExceptionReturnSS().
 */
static noinstr u64 own_ss_behind(const struct vhe_vcpu *vhe)
{
	u64 spsr = vhe_read_s(SYS_SPSR_EL12);

	if (!(vhe->mdscr & VHE_MDSCR_SS) || vhe_debug_is_guests(vhe, vhe->debug.pstate) ||
	    !vhe_debug_is_guests(vhe, vhe->pstate))
		return 0;
	if (vhe->pc != vhe_read_s(SYS_ELR_EL12) ||
	    (vhe->pstate ^ spsr) & (PSR_MODE_MASK | PSR_D_BIT))
		return 0;
	return spsr & VHE_PSTATE_SS;
}

/*
 * Cortex-A510 has SPSR_EL1 in SPSR_EL2 when it steps to an instruction of pointer
 * authentication that is trapped, erratum 2077057.
 */
static noinstr bool pstate_is_lost(const struct vhe_vcpu *vhe)
{
	return vhe->exit == VHE_EXIT_SYNC && ESR_ELx_EC(vhe->esr) == ESR_ELx_EC_PAC &&
	       vhe->debug.pstate & VHE_PSTATE_SS;
}

static noinstr void finish_step(struct vhe_vcpu *vhe)
{
	bool took_step = vhe->exit == VHE_EXIT_SYNC &&
			 ESR_ELx_EC(vhe->esr) == ESR_ELx_EC_SOFTSTP_LOW;
	struct vhe_debug *debug = &vhe->debug;
	u64 own_ss = debug->own_ss;

	if (pstate_is_lost(vhe))
		vhe->pstate = debug->pstate;
	if (took_exception(vhe)) {
		vhe_write_s((vhe_read_s(SYS_SPSR_EL12) & ~VHE_PSTATE_SS) | own_ss, SYS_SPSR_EL12);
		own_ss = 0;
		debug->over = 0;
	} else if (step_ended(vhe)) {
		vhe->own_step = own_ss && took_step ? vhe->esr & ISS_STEP : 0;
		own_ss = own_ss_behind(vhe);
		debug->over = 0;
	}
	vhe->step_due = !took_step && !(vhe->pstate & VHE_PSTATE_SS);
	vhe->pstate = (vhe->pstate & ~VHE_PSTATE_SS) | own_ss;
}

/**
 * vhe_debug_exit() - the host's debug registers into the hardware
 * @vhe: the vCPU, with PSTATE, program counter and syndrome of the exit
 * @host_mdscr: MDSCR_EL1 as vhe_debug_enter() was given it
 *
 * Context: DAIF masked; EL1's registers are still the guest's.
 */
noinstr void vhe_debug_exit(struct vhe_vcpu *vhe, u64 host_mdscr)
{
	struct vhe_debug *debug = &vhe->debug;

	if (debug->stepping)
		finish_step(vhe);
	if (debug->mdscr & VHE_MDSCR_MDE)
		write_back(debug->host);
	vhe_write(host_mdscr, mdscr_el1);
}
