/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 16-bit real mode, loaded and entered at 0x7c00 as a boot sector is: prints a
 * greeting, and who CPUID says is below.
 */
#define PORT_CONSOLE		0x3f8
#define PORT_EXIT		0xf4
#define CPUID_1_ECX_HYPERVISOR	(1 << 31)
#define CPUID_HYPERVISOR	0x40000000

	.code16
	.globl	_start
_start:
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$_start, %sp

	mov	$greeting, %si
	call	print

	mov	$1, %eax
	cpuid
	test	$CPUID_1_ECX_HYPERVISOR, %ecx
	jz	no_hypervisor

	/* EBX, ECX and EDX are the twelve letters of its name. */
	mov	$CPUID_HYPERVISOR, %eax
	cpuid
	mov	%ebx, name
	mov	%ecx, name + 4
	mov	%edx, name + 8
	mov	$hypervisor, %si
	call	print
	xor	%al, %al
	out	%al, $PORT_EXIT

no_hypervisor:
	mov	$alone, %si
	call	print
	mov	$1, %al
	out	%al, $PORT_EXIT

/* Print the string at SI. */
print:
	mov	$PORT_CONSOLE, %dx
1:
	lodsb
	test	%al, %al
	jz	2f
	out	%al, %dx
	jmp	1b
2:
	ret

greeting:
	.asciz	"Hello from real mode.\n"
alone:
	.asciz	"CPUID shows no hypervisor.\n"
hypervisor:
	.ascii	"CPUID says the hypervisor is "
name:
	.skip	12
	.asciz	".\n"

	.section .note.GNU-stack, "", @progbits
