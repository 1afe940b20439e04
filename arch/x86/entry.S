/* SPDX-License-Identifier: GPL-2.0-only */
/* The world switch. */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

/* Offsets into &struct axvcpu_x86_gprs; vmx_run.c checks them. RSP is the VMCS's. */
#define RAX	0x00
#define RCX	0x08
#define RDX	0x10
#define RBX	0x18
#define RBP	0x28
#define RSI	0x30
#define RDI	0x38
#define R8	0x40
#define R9	0x48
#define R10	0x50
#define R11	0x58
#define R12	0x60
#define R13	0x68
#define R14	0x70
#define R15	0x78

#define VMCS_HOST_RSP	0x6c14

	.text

/**
 * vmx_world_switch() - enter the guest, come back at its exit
 * @gpr:	%rdi: the guest's general-purpose registers, &struct axvcpu_x86_gprs
 * @host_rsp:	%rsi: HOST_RSP as the VMCS has it; written where it changes
 * @launched:	%dl: VMRESUME rather than VMLAUNCH
 *
 * The stack of the caller's thread stays the stack throughout: the VMCS has
 * it as HOST_RSP, with @gpr on top. On return all registers but the callee's
 * to save hold nothing of the guest's.
 *
 * Context: interrupts off, a VMCS is current.
 * Return: %al: 0 after an exit, 1 when the entry instruction failed (VMfail,
 * or a fault: this CPU is not in VMX operation).
 */
SYM_FUNC_START(vmx_world_switch)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	/* The VMCS finds this stack again; mostly it is where it was. */
	cmp	%rsp, (%rsi)
	je	1f
	mov	%rsp, (%rsi)
	mov	$VMCS_HOST_RSP, %eax
.Lhost_rsp:
	vmwrite	%rsp, %rax
	_ASM_EXTABLE(.Lhost_rsp, .Lfail)
1:
	/* CF = @launched; neither mov nor VERW changes it. */
	bt	$0, %edx

	mov	%rdi, %rax
	mov	RCX(%rax), %rcx
	mov	RDX(%rax), %rdx
	mov	RBX(%rax), %rbx
	mov	RBP(%rax), %rbp
	mov	RSI(%rax), %rsi
	mov	RDI(%rax), %rdi
	mov	R8(%rax), %r8
	mov	R9(%rax), %r9
	mov	R10(%rax), %r10
	mov	R11(%rax), %r11
	mov	R12(%rax), %r12
	mov	R13(%rax), %r13
	mov	R14(%rax), %r14
	mov	R15(%rax), %r15
	mov	RAX(%rax), %rax

	/*
	 * MDS, TAA, MMIO stale data: nothing of the host's may go through the
	 * CPU's buffers from here to the entry.
	 */
	CLEAR_CPU_BUFFERS

	jnc	.Llaunch

	/* The exit comes back below, with this stack. */
	UNWIND_HINT_SAVE

.Lresume:
	vmresume
	jmp	.Lfail
.Llaunch:
	vmlaunch
	jmp	.Lfail

	_ASM_EXTABLE(.Lresume, .Lfail)
	_ASM_EXTABLE(.Llaunch, .Lfail)

SYM_INNER_LABEL_ALIGN(vmx_vmexit, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rax
	mov	8(%rsp), %rax
	pop	RAX(%rax)
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)
	mov	%rbp, RBP(%rax)
	mov	%rsi, RSI(%rax)
	mov	%rdi, RDI(%rax)
	mov	%r8, R8(%rax)
	mov	%r9, R9(%rax)
	mov	%r10, R10(%rax)
	mov	%r11, R11(%rax)
	mov	%r12, R12(%rax)
	mov	%r13, R13(%rax)
	mov	%r14, R14(%rax)
	mov	%r15, R15(%rax)

	/* %ebx is the result from here on. */
	xor	%ebx, %ebx

.Lhost:
	/*
	 * Nothing of the guest's stays in a register, not even in those that
	 * are popped below: speculation may run ahead of the pop.
	 */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

	/*
	 * No RET may come before this: the guest has filled the return stack,
	 * and until one call has retired, enhanced IBRS does not help.
	 */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/*
	 * Where IBRS is switched with the privilege level, the write is what
	 * keeps the guest's predictions out, although the value is the same:
	 * the guest can't reach the MSR. Nor may a RET come before this.
	 */
	ALTERNATIVE "jmp .Librs_done", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	movq	PER_CPU_VAR(x86_spec_ctrl_current), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	wrmsr
.Librs_done:

	CLEAR_BRANCH_HISTORY_VMEXIT
	mov	%ebx, %eax

	add	$8, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

.Lfail:
	mov	$1, %ebx
	jmp	.Lhost
SYM_FUNC_END(vmx_world_switch)
