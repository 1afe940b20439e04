/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An option ROM that boots Linux in Bochs: reads the parts of a kernel and its
 * initramfs from the first disk to where the x86 boot protocol wants them, and
 * enters the kernel's real-mode code. bochs.py fills in the table of parts and
 * the checksum.
 *
 * A ROM, because the BIOS runs it before it waits for somebody to press F12;
 * and it talks to the IDE ports itself, because the BIOS takes seconds for that.
 */
	.set ROM_BASE, 0xd0000
	.set SETUP_SEG, 0x9000
	.set STACK_TOP, 0xde00
	.set MAX_SECTORS, 256

	.code16
	.globl _start
_start:
	.byte	0x55, 0xaa, 1		/* a ROM of one sector, entered here: */
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds

	/* A20 on, through the fast gate. */
	inb	$0x92, %al
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92

	/* ES: base 0 and a 4 GiB limit, which outlive protected mode. */
	lgdt	gdt_desc
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	jmp	1f
1:	movw	$8, %bx
	movw	%bx, %es
	andb	$0xfe, %al
	movl	%eax, %cr0
	jmp	1f
1:
	movw	$parts, %si

	/* %ebx: the next sector, %ebp: sectors to go, %edi: where to */
next_part:
	lodsl
	movl	%eax, %ebx
	lodsl
	movl	%eax, %ebp
	lodsl
	movl	%eax, %edi
	testl	%ebp, %ebp
	jz	enter_kernel

next_command:
	movl	$MAX_SECTORS, %ecx
	cmpl	%ecx, %ebp
	jae	1f
	movl	%ebp, %ecx
1:	subl	%ecx, %ebp
	movw	$0x1f2, %dx
	movb	%cl, %al		/* 0 means 256 */
	outb	%al, %dx
	movl	%ebx, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	orb	$0xe0, %al		/* LBA, the first disk */
	incw	%dx
	outb	%al, %dx
	movb	$0x20, %al		/* READ SECTORS */
	incw	%dx
	outb	%al, %dx
	addl	%ecx, %ebx

next_sector:
	movw	$0x1f7, %dx
1:	inb	%dx, %al
	testb	$0x80, %al		/* busy */
	jnz	1b
	testb	$0x08, %al		/* data is there */
	jz	1b
	pushl	%ecx
	movl	$256, %ecx
	movw	$0x1f0, %dx
	addr32 rep insw
	popl	%ecx
	decl	%ecx
	jnz	next_sector
	testl	%ebp, %ebp
	jnz	next_command
	jmp	next_part

enter_kernel:
	movw	$SETUP_SEG, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movw	$STACK_TOP, %sp
	ljmp	$SETUP_SEG + 0x20, $0

	.balign 4
gdt:	.quad	0
	.quad	0x00cf92000000ffff
gdt_desc:
	.word	. - gdt - 1
	.long	ROM_BASE + gdt

	/* Four entries of: first sector, sectors, address. Zero sectors end it. */
	.org	448
parts:
	.org	512
