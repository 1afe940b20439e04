/* SPDX-License-Identifier: GPL-2.0-only */
/* Says so, and runs forever: --timeout or Ctrl-C ends it. */
#define PORT_CONSOLE	0x3f8

	.code16
	.globl	_start
_start:
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	mov	$text, %si
	mov	$PORT_CONSOLE, %dx
1:
	lodsb
	test	%al, %al
	jz	forever
	out	%al, %dx
	jmp	1b
forever:
	/*
	 * Interrupts are off since the start, and the host's come all the same.
	 * Bochs forgets that at each entry, until the guest says so itself.
	 */
	cli
	jmp	forever

text:
	.asciz	"Looping.\n"

	.section .note.GNU-stack, "", @progbits
