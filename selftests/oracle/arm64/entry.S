/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's way from where a CPU or a vCPU starts to EL1 with the MMU on, into a
 * program, and out again. On a bare CPU a stub stays behind at EL2 and answers HVC as a
 * VMM does that knows no call: with -1.
 */
#include "oracle.h"

#define SCTLR_EL1_OFF	0x30d00800
#define SCTLR_EL1_ON	0x30d0199d	/* M, C, I, SA, SA0; UCT, UCI and the like as at reset */
#define MAIR		0xff		/* 0: normal memory, write-back */
#define TCR		0x00803519	/* 4 KiB, 39 bits, TTBR0 alone, inner shareable */

#define TABLE		3
#define BLOCK		0x701		/* inner shareable, accessed */
#define PAGE		0x703
#define NOX		0x0060000000000000	/* UXN, PXN */
#define EL1_ONLY	0x0040000000000000	/* UXN */
#define USER		0x40
#define READ_ONLY	0x80

	.section .head, "ax"
	.globl	_start
_start:
	b	1f			/* Linux's header, as QEMU knows it */
	.word	0
	.quad	0x80000			/* where, from the start of memory */
	.quad	0
	.quad	0xa
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0

1:	mrs	x0, CurrentEL
	cmp	x0, #8
	b.ne	in_el1

	/* Bare: EL1 is AArch64, nothing is trapped. */
	mov	x0, #1
	lsl	x0, x0, #31
	mov	x1, #3
	lsl	x1, x1, #40		/* APK, API */
	orr	x0, x0, x1
	msr	hcr_el2, x0
	mov	x0, #0x33ff
	msr	cptr_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #3
	msr	cnthctl_el2, x0
	msr	mdcr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	adr	x0, el2_vectors
	msr	vbar_el2, x0
	ldr	x0, =SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	adr	x0, in_el1
	msr	elr_el2, x0
	mov	x0, #0x3c5		/* EL1h, all masked */
	msr	spsr_el2, x0
	isb
	eret

in_el1:
	adr	x0, level1
	msr	ttbr0_el1, x0
	ldr	x0, =TCR
	msr	tcr_el1, x0
	mov	x0, #MAIR
	msr	mair_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	mov	x0, #3 << 20
	msr	cpacr_el1, x0
	msr	oslar_el1, xzr
	isb
	tlbi	vmalle1
	dsb	ish
	ic	iallu
	dsb	ish
	ldr	x0, =SCTLR_EL1_ON
	msr	sctlr_el1, x0
	isb
	ldr	x0, =ORACLE_RUNNER_STACK
	mov	sp, x0
	bl	run_all
2:	wfi
	b	2b

/* X0: the SMCCC's function: none is known. */
	.balign	2048
el2_vectors:
	.rept	8
	.balign	128
	b	.
	.endr
	.balign	128			/* synchronous, from EL1 */
	mov	x0, #-1
	eret
	.rept	7
	.balign	128
	b	.
	.endr

	.macro	vector offset
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x0, #\offset
	b	common
	.endm

	.balign	2048
vectors:
	.set	at, 0
	.rept	16
	vector	at
	.set	at, at + 128
	.endr

/* struct frame: X0 to X30, vector */
common:
	sub	sp, sp, #256
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	stp	x30, x0, [sp, #240]
	ldp	x2, x3, [sp, #256]
	stp	x2, x3, [sp]
	mov	x0, sp
	bl	on_event
	mov	x0, sp
	add	x1, sp, #272
	b	restore

/* X0: the frame; X1: the stack pointer then */
restore:
	mov	sp, x1
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret

/* enter(frame): ELR_EL1, SPSR_EL1 and SP_EL0 are set */
	.globl	enter
enter:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	adr	x1, runner_sp
	mov	x2, sp
	str	x2, [x1]
	mov	x1, sp
	b	restore

	.globl	end_program
end_program:
	adr	x1, runner_sp
	ldr	x1, [x1]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	.balign	8
runner_sp:
	.quad	0
	.ltorg

	.section .tables, "aw"
	.balign	4096
level1:
	.quad	0
	.quad	level2 + TABLE
	.skip	4096 - 16
level2:
	.quad	ORACLE_BASE + BLOCK + EL1_ONLY
	.quad	level3 + TABLE
	.set	block, 2
	.rept	510
	.quad	ORACLE_BASE + (block << 21) + BLOCK + NOX
	.set	block, block + 1
	.endr
level3:
	.quad	ORACLE_CODE + PAGE + USER + READ_ONLY
	.quad	ORACLE_CODE + PAGE + NOX
	.quad	ORACLE_DATA + PAGE + USER + NOX
	.quad	ORACLE_DATA + 0x1000 + PAGE + USER + NOX
	.skip	4 * 8
	.quad	0
	.quad	ORACLE_READ_ONLY + PAGE + USER + READ_ONLY + NOX
	.skip	4096 - 10 * 8
