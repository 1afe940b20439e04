/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of a 64-bit guest. axvmm starts it in long mode on an identity map,
 * with RDI, RSI and RDX as guest_main() takes them, and without a stack or
 * descriptor tables. Each vCPU gets a stack of its own and the same GDT:
 * interrupts and IRET load CS from it.
 */
#define STACK_SHIFT	14
#define MAX_CPUS	8

#define SELECTOR_CODE	0x08
#define SELECTOR_DATA	0x10

	.code64
	.section .text.start, "ax"
	.globl	_start
_start:
	cmp	$MAX_CPUS, %rdi
	jae	stop

	lea	1(%rdi), %rax
	shl	$STACK_SHIFT, %rax
	lea	stacks(%rax), %rsp

	lgdt	gdt_descriptor
	mov	$SELECTOR_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	push	$SELECTOR_CODE
	push	$1f
	lretq
1:
	call	guest_main

	/* outb: PORT_EXIT */
	out	%al, $0xf4
stop:
	cli
	hlt
	jmp	stop

	.section .rodata
	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* code: 64-bit, ring 0 */
	.quad	0x00cf93000000ffff	/* data: flat, ring 0 */
gdt_end:

gdt_descriptor:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign	16
stacks:
	.skip	MAX_CPUS << STACK_SHIFT

	.section .note.GNU-stack, "", @progbits
