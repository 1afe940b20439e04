/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of a guest. axvmm starts vCPU 0 at _start, with X0, X1 and X2 as
 * guest_main() takes them; guest_main() starts the others at secondary_start,
 * with their number in X0. All of them are at EL1 with the MMU off and without a
 * stack. Until the MMU is on, nothing of memory is read or written: what one
 * vCPU has in its cache would not be seen by another.
 */
#include "machine.h"

#define STACK_SHIFT	14
#define MAX_CPUS	8

/* Memory attributes 0: devices, 1: normal, write-back */
#define MAIR		0xff00
/* 4 KiB granule, 39 bits of address by TTBR0, walks cached and shareable */
#define TCR_T0SZ	(64 - 39)
#define TCR_WALKS	(1 << 8 | 1 << 10 | 3 << 12)
#define TCR_EPD1	(1 << 23)
/* What is to be one, and MMU, data cache, instruction cache */
#define SCTLR		(0x30c50830 | 1 << 0 | 1 << 2 | 1 << 12)

/* Blocks of 1 GiB: access flag, inner shareable, and the attributes' number */
#define BLOCK_DEVICE	(1 | 0 << 2 | 1 << 10)
#define BLOCK_NORMAL	(1 | 1 << 2 | 3 << 8 | 1 << 10)
#define BLOCK_NO_EXEC	(3 << 53)

	.macro	set reg, value
	movz	\reg, #(\value) & 0xffff
	movk	\reg, #(\value) >> 16 & 0xffff, lsl #16
	.endm

	.macro	address reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

	.section .text.start, "ax"
	.globl	_start
_start:
	mov	x20, x1
	mov	x21, x2
	bl	mmu_on
	address	x9, machine
	stp	x20, x21, [x9]
	b	1f

	.globl	secondary_start
secondary_start:
	bl	mmu_on
	address	x9, machine
	ldp	x20, x21, [x9]
1:
	cmp	x0, #MAX_CPUS
	b.hs	stop
	add	x9, x0, #1
	address	x10, stacks
	add	x9, x10, x9, lsl #STACK_SHIFT
	mov	sp, x9
	mov	x29, xzr
	mov	x1, x20
	mov	x2, x21
	bl	guest_main

	cbz	w0, 2f
	set	x9, EXIT_REGISTER
	str	w0, [x9]
2:
	set	x0, PSCI_SYSTEM_OFF
	hvc	#0
stop:
	wfi
	b	stop

/* X0 stays; X9 and X10 don't. */
mmu_on:
	set	x9, MAIR
	msr	mair_el1, x9
	set	x9, TCR_T0SZ | TCR_WALKS | TCR_EPD1
	msr	tcr_el1, x9
	address	x9, tables
	msr	ttbr0_el1, x9
	isb
	tlbi	vmalle1
	dsb	nsh
	set	x9, SCTLR
	msr	sctlr_el1, x9
	isb
	ret

	.data
	.balign	4096
tables:	/* the first 4 GiB, each to itself */
	.quad	0x00000000 | BLOCK_DEVICE | BLOCK_NO_EXEC
	.quad	0x40000000 | BLOCK_NORMAL
	.quad	0x80000000 | BLOCK_NORMAL
	.quad	0xc0000000 | BLOCK_NORMAL
	.fill	508, 8, 0

	.bss
	.balign	16
machine:
	.skip	16
stacks:
	.skip	MAX_CPUS << STACK_SHIFT

	.section .note.GNU-stack, "", @progbits
