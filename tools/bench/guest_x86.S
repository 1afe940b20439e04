/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's programs, for 64-bit mode with memory at its own address. They
 * run wherever the image is put. RSI is the first argument, RDI the second.
 */
#define PORT	0x10		/* any: an OUT is an exit to userspace */
#define VECTOR	0x40		/* GUEST_VECTOR */

	.section .rodata
	.globl	guest_image, guest_image_end, guest_programs

	.balign	4096
guest_image:

program_empty:
	xor	%eax, %eax
	nop
	dec	%rsi
	jnz	program_empty
	out	%al, $PORT
	jmp	.

program_kernel_exit:
	xor	%eax, %eax
	cpuid
	dec	%rsi
	jnz	program_kernel_exit
	out	%al, $PORT
	jmp	.

program_user_exit:
	out	%al, $PORT
	jmp	program_user_exit

program_touch:
	movb	$1, (%rdi)
	add	$4096, %rdi
	dec	%rsi
	jnz	program_touch
	out	%al, $PORT
	jmp	.

program_sysreg:
	mov	$0x12345678, %ecx
1:	rdmsr
	jmp	1b

/*
 * Interrupts are off. Bochs forgets at each entry that the host's come all the
 * same, until the guest turns its own off again.
 */
program_spin:
	cli
	incq	(%rdi)
	jmp	program_spin

program_interrupts:
	lea	stack_top(%rip), %rsp
	lea	idt + VECTOR * 16(%rip), %rdi
	lea	handler(%rip), %rax
	mov	%ax, (%rdi)
	movl	$8, 2(%rdi)
	movb	$0x8e, 5(%rdi)
	shr	$16, %rax
	mov	%ax, 6(%rdi)
	shr	$16, %rax
	mov	%eax, 8(%rdi)
	lea	idt(%rip), %rax
	mov	%rax, idtr + 2(%rip)
	lidt	idtr(%rip)
	lea	gdt(%rip), %rax
	mov	%rax, gdtr + 2(%rip)
	lgdt	gdtr(%rip)
	/* What the handler returns to must be in the table. */
	push	$8
	lea	2f(%rip), %rax
	push	%rax
	lretq
2:	sti
1:	out	%al, $PORT
	jmp	1b

handler:
	out	%al, $PORT
	iretq

	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
gdtr:
	.word	15
	.quad	0
idtr:
	.word	256 * 16 - 1
	.quad	0

	.balign	4096
idt:
	.fill	256 * 16
	.fill	4096
stack_top:
guest_image_end:

	.balign	4
guest_programs:
	.long	program_empty - guest_image
	.long	program_kernel_exit - guest_image
	.long	program_user_exit - guest_image
	.long	program_touch - guest_image
	.long	program_spin - guest_image
	.long	program_interrupts - guest_image
	.long	program_sysreg - guest_image

	.section .note.GNU-stack, "", @progbits
