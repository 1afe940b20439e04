/* SPDX-License-Identifier: GPL-2.0-only */
/* The world switch. */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#define VMCS_HOST_RSP	0x6c14

/*
 * Offsets into &struct axvcpu_x86_gprs, in the order of instruction encodings;
 * vmx_run.c checks them. RAX is apart, at 0; RSP, at 0x20, is the VMCS's.
 */
.macro EACH_GPR op
	\op	rcx, 0x08
	\op	rdx, 0x10
	\op	rbx, 0x18
	\op	rbp, 0x28
	\op	rsi, 0x30
	\op	rdi, 0x38
	\op	r8, 0x40
	\op	r9, 0x48
	\op	r10, 0x50
	\op	r11, 0x58
	\op	r12, 0x60
	\op	r13, 0x68
	\op	r14, 0x70
	\op	r15, 0x78
.endm

.macro LOAD reg, offset
	mov	\offset(%rax), %\reg
.endm

.macro STORE reg, offset
	mov	%\reg, \offset(%rax)
.endm

/* Speculation that returns to one of them is caught by INT3. */
.macro FILL_RETURN_SLOTS nr
	.rept	\nr
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.+6
	int3
	.endr
	add	$8 * \nr, %rsp
	lfence
.endm

	.section .noinstr.text, "ax"	/* nobody traces or probes this */

/**
 * vmx_world_switch() - enter the guest, come back at its exit
 * @gpr:	%rdi: the guest's general-purpose registers, &struct axvcpu_x86_gprs
 * @host_rsp:	%rsi: HOST_RSP as the VMCS has it; written where it changes
 * @launched:	%dl: VMRESUME rather than VMLAUNCH
 *
 * The stack of the caller's thread stays the stack throughout: the VMCS has
 * it as HOST_RSP, with @gpr on top. On return no register holds anything of
 * the guest's, nor of the caller's but for %rbp: what it still needs it saves
 * itself, see world_switch() in vmx_run.c.
 *
 * Context: interrupts off, a VMCS is current.
 * Return: %al: 0 after an exit, 1 when the entry instruction failed (VMfail,
 * or a fault: this CPU is not in VMX operation).
 */
SYM_FUNC_START(vmx_world_switch)
	push	%rbp
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
	EACH_GPR LOAD
	mov	(%rax), %rax

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
.Lfail:
	mov	$1, %ebx
	jmp	.Lhost

	_ASM_EXTABLE(.Lresume, .Lfail)
	_ASM_EXTABLE(.Llaunch, .Lfail)

SYM_INNER_LABEL_ALIGN(vmx_vmexit, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rax
	mov	8(%rsp), %rax
	pop	(%rax)
	EACH_GPR STORE

	/* %ebx is the result from here on. */
	xor	%ebx, %ebx

.Lhost:
	/*
	 * Nothing of the guest's stays in a register, not even in %rbp, which
	 * is popped below: speculation may run ahead of the pop.
	 */
	.irp reg, eax, ecx, edx, ebp, esi, edi, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d
	xor	%\reg, %\reg
	.endr

	/*
	 * No RET may come before this: the guest has filled the return stack,
	 * and until one call has retired, enhanced IBRS does not help.
	 * FILL_RETURN_BUFFER of the kernel's does the same by a loop, in more
	 * than twice as many instructions.
	 */
	ALTERNATIVE_2 "jmp .Lrsb_done", "", X86_FEATURE_RSB_VMEXIT, \
		      "jmp .Lrsb_one", X86_FEATURE_RSB_VMEXIT_LITE
	FILL_RETURN_SLOTS RSB_CLEAR_LOOPS
.Lrsb_done:

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
	pop	%rbp
	RET

.Lrsb_one:
	FILL_RETURN_SLOTS 1
	jmp	.Lrsb_done
SYM_FUNC_END(vmx_world_switch)
