/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of a 32-bit guest: flat segments, no paging, no stack. guest_main()
 * takes its arguments on the stack.
 */
	.code32
	.section .text.start, "ax"
	.globl	_start
_start:
	mov	$stack_end, %esp
	push	%edx
	push	%esi
	push	%edi
	call	guest_main

	/* outb: PORT_EXIT */
	out	%al, $0xf4
1:
	cli
	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits
