/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of host_state.c: the guest, which fills all registers that it can reach, and
 * the thread that runs it, which does the same.
 */
#include <asm/unistd.h>

#include "host_state.h"

#define CR4_OSFXSR	(1 << 9)
#define CR4_OSXMMEXCPT	(1 << 10)
#define TSS_TYPE	0x89	/* present, available 64-bit TSS */

	.section .rodata
	.code64

/* MOV each GPR but the stack pointer, in the order of instruction encodings. */
.macro EACH_GPR op, to
	\op	rax, \to + 0x00
	\op	rcx, \to + 0x08
	\op	rdx, \to + 0x10
	\op	rbx, \to + 0x18
	\op	rsp, \to + 0x20
	\op	rbp, \to + 0x28
	\op	rsi, \to + 0x30
	\op	rdi, \to + 0x38
	\op	r8, \to + 0x40
	\op	r9, \to + 0x48
	\op	r10, \to + 0x50
	\op	r11, \to + 0x58
	\op	r12, \to + 0x60
	\op	r13, \to + 0x68
	\op	r14, \to + 0x70
	\op	r15, \to + 0x78
.endm

.macro LOAD reg, at
	mov	\at(%rip), %\reg
.endm

.macro STORE reg, at
	mov	%\reg, \at(%rip)
.endm

/* Each debug register and segment register with its place in the state */
.macro EACH_DR op, to
	\op	db0, \to + 0x00
	\op	db1, \to + 0x08
	\op	db2, \to + 0x10
	\op	db3, \to + 0x18
	\op	db6, \to + 0x20
	\op	db7, \to + 0x28
.endm

.macro LOAD_SYSTEM reg, at
	mov	\at(%rip), %rax
	mov	%rax, %\reg
.endm

.macro STORE_SYSTEM reg, at
	mov	%\reg, %rax
	mov	%rax, \at(%rip)
.endm

.macro EACH_SEG op, to
	\op	ds, \to + 0
	\op	es, \to + 2
	\op	fs, \to + 4
	\op	gs, \to + 6
	\op	ss, \to + 8
.endm

	.balign	64
	.globl	guest_image
guest_image:

.macro ENABLE_SSE
	mov	%cr4, %rax
	or	$(CR4_OSFXSR | CR4_OSXMMEXCPT), %rax
	mov	%rax, %cr4
.endm

/* The tables that the test has filled in; interrupts push a CS, IRET takes it. */
.macro USE_TABLES
	lea	.Lstack(%rip), %rsp
	lgdt	guest_gdtr(%rip)
	lidt	guest_idtr(%rip)
	push	$GUEST_CODE_SEL
	lea	.Lcode\@(%rip), %rax
	push	%rax
	lretq
.Lcode\@:
.endm

/* Load all of guest_want, exit, store all to guest_got, exit, over and over. */
	.globl	guest_registers
guest_registers:
	ENABLE_SSE
.Lagain:
	lea	.Lstack(%rip), %rsp
	lgdt	guest_want + GS_GDTR(%rip)
	lidt	guest_want + GS_IDTR(%rip)
	EACH_SEG LOAD, guest_want + GS_SEG
	/* It is busy since the last time. */
	movb	$TSS_TYPE, guest_gdt + GUEST_TSS_SEL + 5(%rip)
	ltr	guest_want + GS_SEG + 10(%rip)
	lldt	guest_want + GS_SEG + 12(%rip)

	lea	guest_want + GS_MSR(%rip), %rsi
	lea	guest_msrs(%rip), %rdi
	mov	$GUEST_NR_MSRS, %ebx
1:	mov	(%rdi), %ecx
	mov	(%rsi), %eax
	mov	4(%rsi), %edx
	wrmsr
	add	$4, %rdi
	add	$8, %rsi
	dec	%ebx
	jnz	1b
	/* This changes two of them without an exit. */
	swapgs

	LOAD_SYSTEM cr2, guest_want + GS_CR2
	LOAD_SYSTEM cr8, guest_want + GS_CR8
	EACH_DR LOAD_SYSTEM, guest_want + GS_DR
	fxrstor64 guest_want + GS_FXSAVE(%rip)
	push	guest_want + GS_RFLAGS(%rip)
	popfq
	EACH_GPR LOAD, guest_want + GS_GPR
	out	%al, $PORT_LOADED

	EACH_GPR STORE, guest_got + GS_GPR
	lea	.Lstack(%rip), %rsp
	pushfq
	pop	guest_got + GS_RFLAGS(%rip)
	fxsave64 guest_got + GS_FXSAVE(%rip)
	EACH_DR STORE_SYSTEM, guest_got + GS_DR
	STORE_SYSTEM cr8, guest_got + GS_CR8
	STORE_SYSTEM cr2, guest_got + GS_CR2

	swapgs
	lea	guest_got + GS_MSR(%rip), %rsi
	lea	guest_msrs(%rip), %rdi
	mov	$GUEST_NR_MSRS, %ebx
2:	mov	(%rdi), %ecx
	rdmsr
	mov	%eax, (%rsi)
	mov	%edx, 4(%rsi)
	add	$4, %rdi
	add	$8, %rsi
	dec	%ebx
	jnz	2b

	sldt	guest_got + GS_SEG + 12(%rip)
	str	guest_got + GS_SEG + 10(%rip)
	EACH_SEG STORE, guest_got + GS_SEG
	sidt	guest_got + GS_IDTR(%rip)
	sgdt	guest_got + GS_GDTR(%rip)
	out	%al, $PORT_STORED
	jmp	.Lagain

/*
 * Hold the FPU's registers of guest_want for guest_args[0] rounds, without an
 * exit of its own. CLI: see g_spin() in guest.h.
 */
	.globl	guest_fpu
guest_fpu:
	ENABLE_SSE
	fxrstor64 guest_want + GS_FXSAVE(%rip)
	out	%al, $PORT_LOADED
	mov	guest_args(%rip), %rbx
3:	cli
	fxsave64 guest_got + GS_FXSAVE(%rip)
	lea	guest_want + GS_FXSAVE + 32(%rip), %rsi
	lea	guest_got + GS_FXSAVE + 32(%rip), %rdi
	mov	$(384 / 8), %ecx
	repe cmpsq
	jne	.Lbad
	mov	guest_want + GS_FXSAVE + 24(%rip), %eax
	cmp	guest_got + GS_FXSAVE + 24(%rip), %eax
	jne	.Lbad
	dec	%rbx
	jnz	3b
.Lgood:
	out	%al, $PORT_GOOD
	jmp	.Lgood
.Lbad:
	out	%al, $PORT_BAD
	jmp	.Lbad

/* SYSCALL leads to the guest's own LSTAR, which it set long ago. */
	.globl	guest_syscall
guest_syscall:
	ENABLE_SSE
	mov	$0xc0000080, %ecx		/* EFER */
	rdmsr
	or	$1, %eax			/* SCE */
	wrmsr
	mov	$0xc0000081, %ecx		/* STAR */
	xor	%eax, %eax
	mov	$GUEST_CODE_SEL, %edx
	wrmsr
	mov	$0xc0000082, %ecx		/* LSTAR */
	lea	guest_syscall_target(%rip), %rax
	xor	%edx, %edx
	wrmsr
	out	%al, $PORT_LOADED
	mov	guest_args(%rip), %rbx
	syscall
	jmp	.Lbad
	.globl	guest_syscall_target
guest_syscall_target:
	cmp	guest_args(%rip), %rbx
	jne	.Lbad
	out	%al, $PORT_GOOD
	jmp	guest_syscall

/*
 * Write to the address guest_args[0], watching it (guest_args[1] is DR7) or
 * not; tell how many #DB there were, in %eax.
 */
	.globl	guest_watch
guest_watch:
	ENABLE_SSE
	USE_TABLES
	LOAD_SYSTEM db0, guest_args
	LOAD_SYSTEM db7, guest_args + 8
	xor	%ebx, %ebx
4:	mov	%ebx, %eax
	out	%eax, $PORT_LOADED
	mov	guest_args(%rip), %rsi
	movb	$1, (%rsi)
	jmp	4b
	.globl	guest_debug
guest_debug:
	inc	%ebx
	iretq

	.balign	16
	.globl	guest_msrs
guest_msrs:
	.long	0xc0000080			/* EFER */
	.long	0xc0000081			/* STAR */
	.long	0xc0000082			/* LSTAR */
	.long	0xc0000083			/* CSTAR */
	.long	0xc0000084			/* SFMASK */
	.long	0xc0000100			/* FS_BASE */
	.long	0xc0000101			/* GS_BASE */
	.long	0xc0000102			/* KERNEL_GS_BASE */
	.long	0x174				/* SYSENTER_CS */
	.long	0x175				/* SYSENTER_ESP */
	.long	0x176				/* SYSENTER_EIP */
	.long	0x277				/* PAT */

	.balign	16
	.globl	guest_gdt
guest_gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* 64-bit code */
	.quad	0x00cf93000000ffff		/* data */
	.quad	0x0000820000000fff, 0		/* LDT */
	.quad	0x0000890000000067, 0		/* TSS */

/* The test fills in the bases, and the gates. */
	.balign	16
	.globl	guest_gdtr
guest_gdtr:
	.word	GUEST_GDT_SIZE - 1
	.quad	0
	.balign	16
	.globl	guest_idtr
guest_idtr:
	.word	GUEST_NR_GATES * 16 - 1
	.quad	0
	.balign	16
	.globl	guest_idt
guest_idt:
	.fill	GUEST_NR_GATES * 16

	.balign	16
	.globl	guest_args
guest_args:
	.fill	4 * 8
	.balign	64
	.globl	guest_want
guest_want:
	.fill	GS_SIZE
	.balign	64
	.globl	guest_got
guest_got:
	.fill	GS_SIZE
	.balign	16
	.fill	256
.Lstack:
	.globl	guest_image_end
guest_image_end:

	.text

/*
 * long run_with_registers(int fd, const struct thread_state *want,
 *			   struct thread_state *got, unsigned int cmd)
 */
	.globl	run_with_registers
	.type	run_with_registers, @function
run_with_registers:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%edi, %r12d
	mov	%rsi, %r13
	mov	%rdx, %r14
	/* Where the C library has its variables; it isn't called before that is back. */
	rdfsbase %r15
	rdgsbase %rbp

	mov	TS_SEG + 0(%r13), %ds
	mov	TS_SEG + 2(%r13), %es
	mov	TS_SEG + 4(%r13), %fs
	mov	TS_SEG + 6(%r13), %gs
	mov	TS_FS_BASE(%r13), %rax
	wrfsbase %rax
	mov	TS_GS_BASE(%r13), %rax
	wrgsbase %rax
	mov	$7, %eax			/* x87, SSE, AVX */
	xor	%edx, %edx
	xrstor64 TS_XSAVE(%r13)

	mov	%r12d, %edi
	mov	%ecx, %esi
	push	TS_RFLAGS(%r13)
	popfq
	mov	$__NR_ioctl, %eax
	syscall
	pushfq
	pop	TS_RFLAGS(%r14)
	push	$0x202
	popfq

	mov	%rax, %rbx
	mov	$7, %eax
	xor	%edx, %edx
	xsave64	TS_XSAVE(%r14)
	rdgsbase %rax
	mov	%rax, TS_GS_BASE(%r14)
	rdfsbase %rax
	mov	%rax, TS_FS_BASE(%r14)
	mov	%gs, TS_SEG + 6(%r14)
	mov	%fs, TS_SEG + 4(%r14)
	mov	%es, TS_SEG + 2(%r14)
	mov	%ds, TS_SEG + 0(%r14)

	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	wrfsbase %r15
	wrgsbase %rbp
	fninit
	ldmxcsr	.Lmxcsr(%rip)
	mov	%rbx, %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	run_with_registers, . - run_with_registers

	.section .rodata
	.balign	4
.Lmxcsr:
	.long	0x1f80

	.section .note.GNU-stack, "", @progbits
