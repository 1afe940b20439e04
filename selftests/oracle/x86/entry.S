/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's way from real mode to where programs run, into a program, and out again.
 * Built three times: BITS is the width that handlers run in.
 */
#include "runner.h"

	.section .head, "ax"
	.code16
	.globl _start
_start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movl	$ORACLE_RUNNER_STACK, %esp
	lgdtl	gdt_desc
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $in_32

	.code32
in_32:
	movw	$SEL_DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
#if BITS == 16
	/* Real mode again; data segments keep their limit of 4 GiB. */
	ljmpl	$SEL_CODE16 + 0x70, $in_16
	.code16
in_16:
	movw	$SEL_STACK16, %ax
	movw	%ax, %ss
	movl	%cr0, %eax
	andb	$0xfe, %al
	movl	%eax, %cr0
	ljmpw	$0, $in_real
in_real:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$ORACLE_RUNNER_STACK, %esp
	lidtl	idt_desc
	calll	run_all
#else
	movw	%ax, %ss
	movl	$tss, %eax		/* its base, in the descriptor */
	movw	%ax, gdt + SEL_TSS + 2
	shrl	$16, %eax
	movb	%al, gdt + SEL_TSS + 4
	movb	%ah, gdt + SEL_TSS + 7
	cmpl	$ORACLE_PAE, ORACLE_PROGRAMS + 4
	jb	1f
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$pdpt, %eax
#if BITS == 64
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax		/* EFER.LME */
	wrmsr
	movl	$pml4, %eax
#endif
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$0x80010000, %eax	/* PG, WP */
	movl	%eax, %cr0
1:
#if BITS == 64
	ljmpl	$SEL_CODE64, $in_64
	.code64
in_64:
	lidt	idt_desc
	movw	$SEL_TSS, %ax
	ltr	%ax
	movl	$ORACLE_RUNNER_STACK, %esp
	call	run_all
#else
	lidt	idt_desc
	movw	$SEL_TSS, %ax
	ltr	%ax
	movl	$ORACLE_RUNNER_STACK, %esp
	call	run_all
#endif
#endif

	/* A vCPU has ended by now; a PC is to be turned off. */
	.globl	power_off
power_off:
	movw	$0x8900, %dx
	movl	$shutdown, %esi
	movl	$8, %ecx
1:
#if BITS == 16
	lodsb	%ds:(%esi)
#else
	lodsb
#endif
	outb	%al, %dx
	decl	%ecx
	jnz	1b
2:	hlt
	jmp	2b

#if BITS == 64
	.code64
#elif BITS == 32
	.code32
#else
	.code16
#endif

/* One of 16 bytes for each vector; those with an error code have one less to push. */
	.text
	.balign	16
	.globl	stubs
stubs:
	.set	vector, 0
	.rept	NR_STUBS
	.balign	16
#if BITS != 16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	push	$0
	.endif
#endif
#if BITS == 16
	pushw	$vector
#else
	push	$vector
#endif
	jmp	common
	.set	vector, vector + 1
	.endr

/* An NMI's handler that returns without IRET: NMIs stay blocked. */
	.globl	block_nmis
block_nmis:
#if BITS == 64
	pop	resume
	add	$8, %rsp
	popfq
	pop	%rsp
	jmp	*resume
#elif BITS == 32
	popl	resume
	addl	$4, %esp
	popfl
	jmp	*resume
#else
	popw	resume
	addw	$2, %sp
	popfw
	jmpw	*resume
#endif

#if BITS == 64
common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	on_event
restore:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.globl	enter
enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, runner_sp
	mov	%rdi, %rsp
	jmp	restore

/* By IRET, which also lets NMIs in again. */
	.globl	end_program
end_program:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	runner_sp, %rax
	push	$SEL_DATA
	push	%rax
	push	$2
	push	$SEL_CODE64
	push	$1f
	iretq
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

#elif BITS == 32
common:
	pushal
	push	%ds
	push	%es
	push	%fs
	push	%gs
	push	%ss
	/* Another stack: what is on the program's is compared, and it may be a narrow one. */
	mov	%esp, %eax
	mov	$SEL_DATA, %edx
	mov	%edx, %ds
	mov	%edx, %es
	mov	%edx, %ss
	mov	$ORACLE_RUNNER_STACK - 0x800, %esp
	cld
	push	%eax
	push	%eax
	call	on_event
	mov	4(%esp), %eax
restore:
	mov	(%eax), %ss
	mov	%eax, %esp
	add	$4, %esp
	pop	%gs
	pop	%fs
	pop	%es
	pop	%ds
	popal
	add	$8, %esp
	iretl

	.globl	enter
enter:
	mov	4(%esp), %eax
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	mov	%esp, runner_sp
	jmp	restore

	.globl	end_program
end_program:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	runner_sp, %esp
	push	$2
	push	$SEL_CODE32
	push	$1f
	iretl
1:	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	ret

#else
common:
	movl	%edi, %cs:saved
	movl	%esi, %cs:saved + 4
	movl	%ebp, %cs:saved + 8
	movl	%ebx, %cs:saved + 16
	movl	%edx, %cs:saved + 20
	movl	%ecx, %cs:saved + 24
	movl	%eax, %cs:saved + 28
	popw	%cs:saved + 50
	popw	%cs:saved + 36
	popw	%cs:saved + 38
	popw	%cs:saved + 32
	movw	$0, %cs:saved + 34
	movl	%esp, %cs:saved + 12
	movw	%ss, %cs:saved + 40
	movw	%ds, %cs:saved + 42
	movw	%es, %cs:saved + 44
	movw	%fs, %cs:saved + 46
	movw	%gs, %cs:saved + 48
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$ORACLE_RUNNER_STACK - 0x800, %esp
	cld
	movl	$saved, %eax
	pushl	%eax
	calll	on_event
restore:
	movw	saved + 40, %ss
	movl	saved + 12, %esp
	pushl	saved + 32
	pushw	$0
	pushw	saved + 38
	pushw	$0
	pushw	saved + 36
	movl	saved, %edi
	movl	saved + 4, %esi
	movl	saved + 8, %ebp
	movl	saved + 16, %ebx
	movl	saved + 20, %edx
	movl	saved + 24, %ecx
	movl	saved + 28, %eax
	movw	saved + 44, %es
	movw	saved + 46, %fs
	movw	saved + 48, %gs
	movw	saved + 42, %ds
	iretl

	.globl	enter
enter:
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	movl	%esp, runner_sp
	jmp	restore

	.globl	end_program
end_program:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	runner_sp, %esp
	pushl	$2
	pushl	$0
	pushl	$1f
	iretl
1:	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
	retl
#endif

	.data
	.balign	16
	.globl	saved
saved:	.skip	64
runner_sp: .quad 0
resume:	.quad	0
shutdown: .ascii "Shutdown"

	.balign	8
	.globl	gdt
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE32 */
	.quad	0x00cf93000000ffff	/* DATA */
	.quad	0x00009b020000ffff	/* CODE16, based at ORACLE_CODE */
	.quad	0x000093030000ffff	/* DATA16, based at ORACLE_DATA */
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cffb000000ffff	/* USER32 */
	.quad	0x00cff3000000ffff	/* USER_DATA */
	.quad	0x00affb000000ffff	/* USER64 */
	.quad	0x0000fb020000ffff	/* USER16 */
	.quad	0x0000f3030000ffff	/* USER_DATA16 */
	.quad	0x000093000000ffff	/* STACK16 */
	.quad	0x0000890000000067	/* TSS */
	.quad	0
	.quad	0x0000f3000000ffff	/* USER_STACK16 */
	.quad	0
	.quad	0xffcff3ffe000ffff	/* HIGH */
	.quad	0x00009b000000ffff	/* code of 16 bits at 0, on the way back to real mode */
	.quad	0x0000e90500000067	/* TASK, at ORACLE_TASK */
	.quad	0
gdt_desc:
	.word	. - gdt - 1
	.long	gdt

#if BITS == 16
idt_desc:
	.word	0x3ff
	.long	0
#else
idt_desc:
	.word	0x7ff
	.quad	0x58000

	.balign	8
	.globl	tss
tss:
#if BITS == 64
	.long	0
	.quad	HANDLER_STACK, 0, 0, 0
	.quad	HANDLER_STACK, NMI_STACK, 0, 0, 0, 0, 0
	.quad	0
	.word	0, 0x68			/* no bitmap of ports */
#else
	.long	0, HANDLER_STACK, SEL_DATA
	.skip	100 - 12
	.word	0, 0x68
#endif

	.section .tables, "aw"
	.balign	4096
pml4:	.long	pdpt64 + 7, 0
	.skip	4088
/* The last GiB is the first, but for what programs put into its last entry. */
pdpt64:	.long	pd + 7, 0, 0, 0, 0, 0, pd + 7, 0
	.skip	4064
pd:	.long	pt + 7, 0
	.set	page, 1
	.rept	511
	.quad	(page << 21) + 0x87
	.set	page, page + 1
	.endr
pt:	.set	page, 0
	.rept	512
	.if	page == ORACLE_ABSENT >> 12
	.quad	0
	.else
	.quad	(page << 12) + 7
	.endif
	.set	page, page + 1
	.endr
pdpt:	.long	pd + 1, 0, pd + 1, 0, 0, 0, pd + 1, 0
#endif
