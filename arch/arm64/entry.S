/* SPDX-License-Identifier: GPL-2.0-only */
/* The world switch, and the vectors while a guest runs. */
#include <linux/linkage.h>

#include <asm/alternative.h>
#include <asm/assembler.h>
#include <asm/cpucaps.h>
#include <asm/fpsimdmacros.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

/* The frame of vhe_world_switch() */
#define FRAME_X19	16
#define FRAME_X18	96	/* and the host's SP_EL0, which is its current task */
#define FRAME_GPRS	112	/* and where the guest's SP_EL0 stands */
#define FRAME_ARGS	128	/* mitigation, key */
#define FRAME_KEY	144	/* the host's */
#define FRAME_SIZE	160

/* struct axvcpu_arm64_gprs is an array of x0 to x30. */
#define X(n)		((n) * 8)

#define CLEARBHB	hint #22

/* Bits of what is to be done after an exit, see vhe_spectre.c */
#define CLEARBHB_BIT	63
#define FIRMWARE_BIT	31

#define APIAKEYLO_EL1	sys_reg(3, 0, 2, 1, 0)
#define APIAKEYHI_EL1	sys_reg(3, 0, 2, 1, 1)

/* @op: ldp or stp */
.macro gprs_4_to_27 op, base
	\op	x4, x5, [\base, #X(4)]
	\op	x6, x7, [\base, #X(6)]
	\op	x8, x9, [\base, #X(8)]
	\op	x10, x11, [\base, #X(10)]
	\op	x12, x13, [\base, #X(12)]
	\op	x14, x15, [\base, #X(14)]
	\op	x16, x17, [\base, #X(16)]
	\op	x18, x19, [\base, #X(18)]
	\op	x20, x21, [\base, #X(20)]
	\op	x22, x23, [\base, #X(22)]
	\op	x24, x25, [\base, #X(24)]
	\op	x26, x27, [\base, #X(26)]
.endm

.macro callee_saved op
	\op	x19, x20, [sp, #FRAME_X19]
	\op	x21, x22, [sp, #FRAME_X19 + 16]
	\op	x23, x24, [sp, #FRAME_X19 + 32]
	\op	x25, x26, [sp, #FRAME_X19 + 48]
	\op	x27, x28, [sp, #FRAME_X19 + 64]
.endm

	.section .noinstr.text, "ax"	/* nobody traces or probes this */

/**
 * vhe_world_switch() - enter the guest, come back at its exit
 * @gprs:	x0: struct axvcpu_arm64_gprs, x0 to x30 are used
 * @sp_el0:	x1: the guest's SP_EL0, loaded and stored
 * @mitigation:	x2: what makes the host's branches safe from the guest:
 *		0, a number of branches, a bit of the above with a function of
 *		the firmware's, or the bit for the instruction
 * @key:	x3: the guest's APIAKey, loaded and stored, or NULL
 *
 * The stack stays the thread's: SP_EL2 of the guest's exceptions is where this
 * function left it.
 *
 * Context: all of DAIF masked; HCR_EL2, VBAR_EL2, ELR_EL2 and SPSR_EL2 are the
 * guest's.
 * Return: VHE_EXIT_*.
 */
SYM_FUNC_START(vhe_world_switch)
	stp	x29, x30, [sp, #-FRAME_SIZE]!
	mov	x29, sp
	callee_saved stp
	mrs	x4, sp_el0
	stp	x18, x4, [sp, #FRAME_X18]
	stp	x0, x1, [sp, #FRAME_GPRS]
	stp	x2, x3, [sp, #FRAME_ARGS]

	// The kernel's key, with which it signs return addresses
	cbz	x3, 1f
	mrs_s	x4, APIAKEYLO_EL1
	mrs_s	x5, APIAKEYHI_EL1
	stp	x4, x5, [sp, #FRAME_KEY]
	ldp	x4, x5, [x3]
	msr_s	APIAKEYLO_EL1, x4
	msr_s	APIAKEYHI_EL1, x5
1:
	// From here on there is no current task.
	ldr	x4, [x1]
	msr	sp_el0, x4
	mov	x29, x0
	ldp	x0, x1, [x29, #X(0)]
	ldp	x2, x3, [x29, #X(2)]
	gprs_4_to_27 ldp, x29
	ldr	x30, [x29, #X(30)]
	ldp	x28, x29, [x29, #X(28)]
	eret
	sb

	// x0: VHE_EXIT_*; the guest's x0 and x1 are on the stack.
SYM_INNER_LABEL(vhe_guest_exit, SYM_L_LOCAL)
	ldr	x1, [sp, #16 + FRAME_GPRS]
	stp	x2, x3, [x1, #X(2)]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x1, #X(0)]
	gprs_4_to_27 stp, x1
	stp	x28, x29, [x1, #X(28)]
	str	x30, [x1, #X(30)]

	// The hardware sets PAN only for exceptions from the host's own EL0.
	ALTERNATIVE(nop, SET_PSTATE_PAN(1), ARM64_HAS_PAN, CONFIG_ARM64_PAN)
	ALTERNATIVE(nop, SET_PSTATE_TCO(0), ARM64_MTE, CONFIG_ARM64_MTE)

	ldr	x3, [sp, #FRAME_GPRS + 8]
	ldp	x18, x4, [sp, #FRAME_X18]
	mrs	x5, sp_el0
	str	x5, [x3]
	msr	sp_el0, x4

	ldp	x2, x3, [sp, #FRAME_ARGS]
	cbz	x3, 1f
	mrs_s	x4, APIAKEYLO_EL1
	mrs_s	x5, APIAKEYHI_EL1
	stp	x4, x5, [x3]
	ldp	x4, x5, [sp, #FRAME_KEY]
	msr_s	APIAKEYLO_EL1, x4
	msr_s	APIAKEYHI_EL1, x5
	isb
1:
	// Nothing of the guest's stays in a register. x19 to x30 are popped below.
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
	mov	x\n, xzr
	.endr

	// Spectre v2 and BHB: no indirect branch, and no return, may come before this.
	cbz	x2, 4f
	tbnz	x2, #CLEARBHB_BIT, 2f
	tbnz	x2, #FIRMWARE_BIT, 3f
1:	b	. + 4
	subs	x2, x2, #1
	b.ne	1b
	sb
	b	4f
2:	CLEARBHB
	isb
	b	4f
3:	mov	x4, x0
	mov	w0, w2
	smc	#0			// x0 to x3 are lost
	mov	x0, x4
4:
	callee_saved ldp
	ldp	x29, x30, [sp], #FRAME_SIZE
	ret
SYM_FUNC_END(vhe_world_switch)

/**
 * vhe_fp_load() - FP registers from memory
 * @fp:	x0: struct user_fpsimd_state
 */
SYM_FUNC_START(vhe_fp_load)
	fpsimd_restore x0, 8
	ret
SYM_FUNC_END(vhe_fp_load)

/**
 * vhe_fp_save() - FP registers into memory
 * @fp:	x0: struct user_fpsimd_state
 */
SYM_FUNC_START(vhe_fp_save)
	fpsimd_save x0, 8
	ret
SYM_FUNC_END(vhe_fp_save)

.macro guest_vector exit
	.align	7
	esb
	stp	x0, x1, [sp, #-16]!
	mov	x0, #\exit
	b	vhe_guest_exit
.endm

.macro host_vector
	.align	7
	b	vhe_host_exception
.endm

/* Order: Arm ARM, table D1-5. */
	.align	11
SYM_CODE_START(vhe_vectors)
	.rept	7			// from EL2 itself
	host_vector
	.endr
	.align	7
	b	vhe_host_serror
	.rept	2			// AArch64, AArch32
	guest_vector 0			// VHE_EXIT_SYNC
	guest_vector 1			// VHE_EXIT_IRQ
	guest_vector 2			// VHE_EXIT_FIQ
	guest_vector 3			// VHE_EXIT_SERROR
	.endr
SYM_CODE_END(vhe_vectors)

/**
 * vhe_take_serror() - take a pending SError, the guest's, where it does no harm
 *
 * For CPUs without RAS, whose ESB does nothing.
 *
 * Context: all of DAIF masked, the vectors are ours; changes ELR_EL2, SPSR_EL2
 * and ESR_EL2.
 * Return: whether there was one.
 */
SYM_FUNC_START(vhe_take_serror)
	mov	x0, xzr
	dsb	sy
	msr	daifclr, #4
SYM_INNER_LABEL(vhe_serror_window, SYM_L_LOCAL)
	isb
	msr	daifset, #4
	ret
SYM_FUNC_END(vhe_take_serror)

SYM_CODE_START_LOCAL(vhe_host_serror)
	stp	x0, x1, [sp, #-16]!
	mrs	x0, elr_el2
	adr	x1, vhe_serror_window
	sub	x0, x0, x1
	cmp	x0, #4
	ldp	x0, x1, [sp], #16
	b.hi	vhe_host_exception
	mrs	x0, spsr_el2
	orr	x0, x0, #PSR_A_BIT
	msr	spsr_el2, x0
	mov	x0, #1
	eret
	sb
SYM_CODE_END(vhe_host_serror)

/*
 * With DAIF masked, only a bug leads here. The instruction is done again with
 * the host's vectors, which know how to report it.
 */
SYM_CODE_START_LOCAL(vhe_host_exception)
	stp	x0, x1, [sp, #-16]!
	adr_this_cpu x0, vhe_host_vbar, x1
	ldr	x0, [x0]
	msr	vbar_el2, x0
	isb
	ldp	x0, x1, [sp], #16
	eret
	sb
SYM_CODE_END(vhe_host_exception)
