/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's way from where a CPU or a vCPU starts to EL1 with the MMU on, into a
 * program, and out again. On a bare CPU a stub stays behind at EL2 and answers HVC and SMC
 * as a VMM does that knows no call: with -1.
 */
#include "runner.h"

#define SCTLR_EL1_OFF	0x30d00800
#define MAIR		0xff		/* 0: normal memory, write-back; 1: a device */
#define TCR		0x00803519	/* 4 KiB, 39 bits, TTBR0 alone, inner shareable */

#define TABLE		3
#define BLOCK		0x701		/* inner shareable, accessed */
#define DEVICE_BLOCK	0x405
#define EL1_ONLY	0x0040000000000000	/* UXN */

/* The GIC: registers and their bits */
#define ICC_SRE_EL2	s3_4_c12_c9_5
#define ICC_SRE_EL1	s3_0_c12_c12_5
#define ICC_PMR_EL1	s3_0_c4_c6_0
#define ICC_IGRPEN1_EL1	s3_0_c12_c12_7
#define GICD_GROUP1	0x12		/* ARE, EnableGrp1 */
#define GICR_WAKER	0x14
#define GICR_SGIS	0x10000		/* SGIs and PPIs, from here on: */
#define GICR_IGROUPR0	0x80
#define GICR_ISENABLER0	0x100
#define GICR_IPRIORITYR	0x400
#define VTIMER_AND_SGIS	0x0800ffff
#define PRIORITIES	(ORACLE_PRIORITY * 0x01010101)
#define SGI_PRIORITIES	(ORACLE_SGI_PRIORITY(0) * 0x01010101 + 0x18100800)	/* 0 to 3 */

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

	/* Bare: EL1 is AArch64, nothing but SMC is trapped. */
	ldr	x0, =0x30080080000	/* API, APK, RW, TSC */
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
	bl	start_gic
	ldr	x0, =SCTLR_EL1_OFF
	msr	sctlr_el1, x0
	adr	x0, in_el1
	msr	elr_el2, x0
	mov	x0, #0x3c5		/* EL1h, all masked */
	msr	spsr_el2, x0
	isb
	eret

in_el1:
	/* What is there already is not filled in between a program's LDXR and its STXR. */
	ldr	x0, =ORACLE_STACK
	mov	x1, #8
1:	str	xzr, [x0]
	add	x0, x0, #0x1000
	sub	x1, x1, #1
	cbnz	x1, 1b
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
	mov	x0, #7
	msr	ICC_SRE_EL1, x0
	isb
	mov	x0, #0xff
	msr	ICC_PMR_EL1, x0
	mov	x0, #1
	msr	ICC_IGRPEN1_EL1, x0
	isb
	tlbi	vmalle1
	dsb	ish
	ic	iallu
	dsb	ish
	ldr	x0, =RUNNER_SCTLR
	msr	sctlr_el1, x0
	isb
	ldr	x0, =ORACLE_RUNNER_STACK
	mov	sp, x0
	bl	run_all
2:	wfi
	b	2b

/* Interrupts of this CPU's own; SGIs 0 to 7 have priorities. */
start_gic:
	mov	x0, #0xf		/* Enable, DIB, DFB, SRE */
	msr	ICC_SRE_EL2, x0
	isb
	ldr	x0, =ORACLE_GICD
	mov	w1, #GICD_GROUP1
	str	w1, [x0]
	ldr	x0, =ORACLE_GICR
	str	wzr, [x0, #GICR_WAKER]
	add	x0, x0, #GICR_SGIS
	mov	w1, #-1
	str	w1, [x0, #GICR_IGROUPR0]
	ldr	w1, =PRIORITIES
	.set	at, 0
	.rept	8
	str	w1, [x0, #GICR_IPRIORITYR + at]
	.set	at, at + 4
	.endr
	ldr	w1, =SGI_PRIORITIES
	str	w1, [x0, #GICR_IPRIORITYR]
	ldr	w1, =SGI_PRIORITIES + 0x20202020
	str	w1, [x0, #GICR_IPRIORITYR + 4]
	ldr	w1, =VTIMER_AND_SGIS
	str	w1, [x0, #GICR_ISENABLER0]
	dsb	sy
	ret

/* X0: the SMCCC's function: none is known. An SMC that is trapped is not behind us yet. */
	.balign	2048
el2_vectors:
	.rept	8
	.balign	128
	b	.
	.endr
	.balign	128			/* synchronous, from EL1 */
	msr	tpidr_el2, x1
	mov	x0, #-1
	mrs	x1, esr_el2
	tbz	x1, #26, 1f		/* HVC: class 0x16, SMC: 0x17 */
	mrs	x1, elr_el2
	add	x1, x1, #4
	msr	elr_el2, x1
	mrs	x1, spsr_el2
	and	x1, x1, #~(1 << 21)	/* SS: a step is done */
	and	x1, x1, #~(3 << 10)	/* BTYPE */
	msr	spsr_el2, x1
1:	mrs	x1, tpidr_el2
	eret
	.rept	7
	.balign	128
	b	.
	.endr

/* A program may have data big-endian. The MMU is off then, and stays so in the handler. */
	.macro	vector offset
	.balign	128
	msr	tpidrro_el0, x0
	mrs	x0, sctlr_el1
	tbz	x0, #25, 1f		/* EE */
	and	x0, x0, #~SCTLR_EE
	msr	sctlr_el1, x0
	isb
1:	mrs	x0, tpidrro_el0
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
	ldr	x1, [x0]
	msr	tpidrro_el0, x1
	ldr	x1, [x0, #8]
	ldr	x0, program_sctlr
	msr	sctlr_el1, x0
	isb
	mrs	x0, tpidrro_el0
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
	.globl	program_sctlr
program_sctlr:
	.quad	0
	.ltorg

	.section .tables, "aw"
	.balign	4096
level3:
	.quad	ORACLE_CODE + PAGE + USER + READ_ONLY
	.quad	ORACLE_CODE + PAGE + NOX
	.quad	ORACLE_DATA + PAGE + USER + NOX
	.quad	ORACLE_DATA + 0x1000 + PAGE + USER + NOX
	.skip	4 * 8
	.quad	0
	.quad	ORACLE_READ_ONLY + PAGE + USER + READ_ONLY + NOX
	.quad	ORACLE_WINDOW_PAGE + PAGE + USER + NOX
	.skip	4096 - 11 * 8
level1:
	.quad	level2_devices + TABLE
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
level2_devices:
	.skip	(ORACLE_DEVICE >> 21) * 8
	.quad	(ORACLE_DEVICE >> 21 << 21) + DEVICE_BLOCK + USER + NOX
	.skip	4096 - ((ORACLE_DEVICE >> 21) + 1) * 8
