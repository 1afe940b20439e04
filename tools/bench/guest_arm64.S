/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's programs, for EL1 with the MMU off. They run wherever the image
 * is put. X0 is the first argument, X1 the second. A load from the address in
 * X20, behind all memory, is an exit to userspace.
 */
#define NOWHERE		0x20000000
#define SMCCC_VERSION	0x80000000

	.section .rodata
	.globl	guest_image, guest_image_end, guest_programs

	.balign	4096
guest_image:

program_empty:
	mov	x20, #NOWHERE
1:	mov	w2, #SMCCC_VERSION
	nop
	sub	x0, x0, #1
	cbnz	x0, 1b
	ldr	w2, [x20]
	b	.

/* The answer comes in X0, so the rounds are counted elsewhere. */
program_kernel_exit:
	mov	x20, #NOWHERE
	mov	x19, x0
1:	mov	w0, #SMCCC_VERSION
	hvc	#0
	sub	x19, x19, #1
	cbnz	x19, 1b
	ldr	w2, [x20]
	b	.

program_user_exit:
	mov	x20, #NOWHERE
1:	ldr	w2, [x20]
	b	1b

program_touch:
	mov	x20, #NOWHERE
	mov	w2, #1
1:	strb	w2, [x1], #1
	add	x1, x1, #4095
	sub	x0, x0, #1
	cbnz	x0, 1b
	ldr	w2, [x20]
	b	.

program_sysreg:
	mrs	x2, cntp_cval_el0
	b	program_sysreg

/* CPUs that take turns give theirs away. */
program_spin:
	ldr	x2, [x1]
	add	x2, x2, #1
	str	x2, [x1]
	yield
	b	program_spin

/* The handler leaves the interrupt as it is: the VMM takes it back. */
	.balign	2048
vectors:
	.skip	0x280		/* IRQ from this level, with its own SP */
handler:
	ldr	w2, [x20]
	eret
	.balign	2048

program_interrupts:
	mov	x20, #NOWHERE
	adr	x2, vectors
	msr	vbar_el1, x2
	isb
	msr	daifclr, #2
1:	ldr	w2, [x20]
	b	1b

	.balign	4096
guest_image_end:

guest_programs:
	.long	program_empty - guest_image
	.long	program_kernel_exit - guest_image
	.long	program_user_exit - guest_image
	.long	program_touch - guest_image
	.long	program_spin - guest_image
	.long	program_interrupts - guest_image
	.long	program_sysreg - guest_image

	.section .note.GNU-stack, "", @progbits
