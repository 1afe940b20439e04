// SPDX-License-Identifier: GPL-2.0-only
/* What the guest exited for: handled here, or put into the run page. */
#include <linux/sched.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"

static bool is_64bit(void)
{
	return vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

static u64 read_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return n == AXVCPU_X86_RSP ? vmread(GUEST_RSP) : READ_ONCE(vmx_gprs(vmx)[n]);
}

/* Outside of 64-bit mode a register may have something left in its upper half. */
static u64 read_operand(struct vmx_vcpu *vmx, unsigned int n)
{
	u64 value = read_gpr(vmx, n);

	return is_64bit() ? value : (u32)value;
}

static void write_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n == AXVCPU_X86_RSP)
		vmwrite(GUEST_RSP, value);
	else
		WRITE_ONCE(vmx_gprs(vmx)[n], value);
}

/*
 * Look at the instruction that exited, so that it can be gone behind, now or
 * when its answer is there. The shadow of an STI or MOV SS before it ends.
 */
static __always_inline u64 fetch(struct vmx_vcpu *vmx)
{
	u32 blocked = vmread(GUEST_INTERRUPTIBILITY_INFO);
	u64 rip = vmread(GUEST_RIP);
	u64 next = rip + vmread(VM_EXIT_INSTRUCTION_LEN);

	if (unlikely((next ^ rip) >> 32) && !is_64bit())
		next = (u32)next;
	if (unlikely(blocked & VMX_SHADOW))
		vmwrite(GUEST_INTERRUPTIBILITY_INFO, blocked & ~VMX_SHADOW);
	vmx->rip = rip;
	vmx->rflags = vmread(GUEST_RFLAGS);
	vmx->cached = VMX_TODO_RIP | VMX_TODO_RFLAGS;
	return next;
}

/* Behind the instruction, a single step that the guest asked for is over. */
static __always_inline void go_on(struct vmx_vcpu *vmx, u64 next)
{
	u32 todo = VMX_TODO_RIP;

	if (vmx->rflags & X86_EFLAGS_TF)
		todo = VMX_TODO_RIP | VMX_TODO_STEP;
	vmx->rip = next;
	vmx->todo |= todo;
}

static int skip(struct vmx_vcpu *vmx)
{
	go_on(vmx, fetch(vmx));
	return AXVCPU_NEXT_ENTER;
}

/* Go behind the instruction when the VMM's answer is there. */
static void skip_later(struct vmx_vcpu *vmx)
{
	vmx->next_rip = fetch(vmx);
	vmx->skip_due = true;
}

static int raise(struct vmx_vcpu *vmx, u8 vector)
{
	vmx_raise(vmx, vector, 0);
	return AXVCPU_NEXT_ENTER;
}

static int to_vmm(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason)
{
	vmx->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

static int exit_nothing(struct vmx_vcpu *vmx)
{
	return AXVCPU_NEXT_ENTER;
}

static int exit_unknown(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->unknown.hw_reason = vmx->exit_reason;
	run->unknown.qualification = vmread(EXIT_QUALIFICATION);
	return to_vmm(vmx, AXVCPU_EXIT_UNKNOWN);
}

/* The VM-instruction error is not for these: the instruction was in order. */
static int exit_fail_entry(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->fail_entry.hw_reason = vmx->exit_reason;
	run->fail_entry.hw_error = 0;
	run->fail_entry.qualification = vmread(EXIT_QUALIFICATION);
	run->fail_entry.cpu = smp_processor_id();
	return to_vmm(vmx, AXVCPU_EXIT_FAIL_ENTRY);
}

static int exit_undefined(struct vmx_vcpu *vmx)
{
	return raise(vmx, X86_TRAP_UD);
}

static int exit_protection(struct vmx_vcpu *vmx)
{
	return raise(vmx, X86_TRAP_GP);
}

static int exit_vectoring_unknown(struct vmx_vcpu *vmx)
{
	vmx_take_vectoring(vmx);
	return exit_unknown(vmx);
}

/*
 * The IRET that let NMIs in again was not done: they stay blocked, unless the
 * exit was in the delivery of an event.
 */
static void undo_nmi_unblocking(struct vmx_vcpu *vmx, u64 info)
{
	if ((info & INTR_INFO_UNBLOCK_NMI) && !vmx->event.info)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);
}

/**
 * vmx_set_dr7() - the guest's breakpoints are on or off from the next entry on
 * @vmx: the vCPU, loaded
 * @value: DR7
 *
 * Context: preemption off.
 */
void vmx_set_dr7(struct vmx_vcpu *vmx, u64 value)
{
	value = (value & VMX_DR7_WRITABLE) | VMX_DR7_RESET;
	vmx->dr[7] = value;
	vmwrite(GUEST_DR7, value);
	if (value & VMX_DR7_ENABLED)
		vmx->todo |= VMX_TODO_BREAKPOINTS;
	else
		vmx->todo &= ~VMX_TODO_BREAKPOINTS;
}

/* SDM vol. 3, 28.2.1: an intercepted #DB has not touched the debug registers. */
static int raise_debug(struct vmx_vcpu *vmx, u64 events)
{
	vmx->dr[6] = (vmx->dr[6] & ~DR_TRAP_BITS) | DR6_RESERVED | (events & VMX_DR6_EVENTS);
	vmx_set_dr7(vmx, vmx->dr[7] & ~VMX_DR7_GD);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, vmread(GUEST_INTERRUPTIBILITY_INFO) & ~VMX_SHADOW);
	return raise(vmx, X86_TRAP_DB);
}

/* NMIs and machine checks have been seen to by vmx_enter(). */
static int exit_exception(struct vmx_vcpu *vmx)
{
	u32 info = vmread(VM_EXIT_INTR_INFO);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;
	u32 vector = info & INTR_INFO_VECTOR_MASK;

	if (type == INTR_TYPE_NMI_INTR || vector == X86_TRAP_MC)
		return AXVCPU_NEXT_ENTER;

	vmx_take_vectoring(vmx);
	undo_nmi_unblocking(vmx, info);
	if (vector == X86_TRAP_AC)
		return raise(vmx, X86_TRAP_AC);
	if (vector != X86_TRAP_DB)
		return exit_unknown(vmx);
	if (type != INTR_TYPE_PRIV_SW_EXCEPTION)
		return raise_debug(vmx, vmread(EXIT_QUALIFICATION));
	/* INT1 is behind when its #DB comes, and leaves DR6 alone. */
	vmx->rip = fetch(vmx);
	vmx->todo |= VMX_TODO_RIP;
	return raise(vmx, X86_TRAP_DB);
}

static int exit_interrupt(struct vmx_vcpu *vmx)
{
	vmx->vcpu.stats.interrupts++;
	return AXVCPU_NEXT_ENTER;
}

static int exit_shutdown(struct vmx_vcpu *vmx)
{
	return to_vmm(vmx, AXVCPU_EXIT_SHUTDOWN);
}

static int exit_window(struct vmx_vcpu *vmx)
{
	vmx_set_exec(vmx, 0, CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	return AXVCPU_NEXT_ENTER;
}

static int exit_cpuid(struct vmx_vcpu *vmx)
{
	vmx_cpuid(vmx);
	return skip(vmx);
}

static int exit_hlt(struct vmx_vcpu *vmx)
{
	skip(vmx);
	WRITE_ONCE(vmx->halt_if, vmx->rflags & X86_EFLAGS_IF);
	return vmx_has_event(&vmx->vcpu) ? AXVCPU_NEXT_ENTER : AXVCPU_NEXT_HALT;
}

static int exit_vmcall(struct vmx_vcpu *vmx)
{
	static const u8 args[] = {
		AXVCPU_X86_RDI, AXVCPU_X86_RSI, AXVCPU_X86_RDX,
		AXVCPU_X86_RCX, AXVCPU_X86_R8, AXVCPU_X86_R9,
	};
	struct axvcpu_run *run = vmx->vcpu.run;
	unsigned int i;

	run->hypercall.nr = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]);
	for (i = 0; i < ARRAY_SIZE(args); i++)
		run->hypercall.args[i] = READ_ONCE(vmx_gprs(vmx)[args[i]]);
	run->hypercall.ret = 0;
	skip(vmx);
	return to_vmm(vmx, AXVCPU_EXIT_HYPERCALL);
}

/* Exit qualification of an I/O instruction, SDM vol. 3, table 28-5 */
#define IO_WIDTH(qualification)	(((qualification) & 7) + 1)
#define IO_IN			BIT(3)
#define IO_STRING		BIT(4)
#define IO_PORT(qualification)	((u16)((qualification) >> 16))

/* By the width as it is in the qualification */
static const u32 io_masks[] = { U8_MAX, U16_MAX, 0, U32_MAX };

static int exit_io(struct vmx_vcpu *vmx)
{
	u32 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_run *run = vmx->vcpu.run;

	if (unlikely(qualification & IO_STRING))
		return exit_unknown(vmx);
	run->io.port = IO_PORT(qualification);
	run->io.width = IO_WIDTH(qualification);
	run->io.count = 1;
	if (qualification & IO_IN) {
		skip_later(vmx);
		vmx->io_mask = io_masks[qualification & 3];
		run->io.data = 0;
		return to_vmm(vmx, AXVCPU_EXIT_IO_READ);
	}
	run->io.data = (u32)READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]) & io_masks[qualification & 3];
	go_on(vmx, fetch(vmx));
	return to_vmm(vmx, AXVCPU_EXIT_IO_WRITE);
}

static u64 read_edx_eax(struct vmx_vcpu *vmx)
{
	return (u32)READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]) |
	       READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX]) << 32;
}

static void write_edx_eax(struct vmx_vcpu *vmx, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], (u32)value);
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX], value >> 32);
}

static int ask_vmm(struct vmx_vcpu *vmx, u32 index, u64 value, enum axvcpu_exit_reason reason)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->sysreg.addr = index;
	run->sysreg.value = value;
	run->sysreg.reg = 0;
	run->sysreg.fault = 0;
	skip_later(vmx);
	return to_vmm(vmx, reason);
}

static int exit_rdmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value;

	if (vmx_get_reg(&vmx->vcpu, AXVCPU_X86_REG_MSR(index), &value))
		return ask_vmm(vmx, index, 0, AXVCPU_EXIT_SYSREG_READ);
	write_edx_eax(vmx, value);
	return skip(vmx);
}

/* The mode must not change under a guest that uses it. */
static bool changes_mode(struct vmx_vcpu *vmx, u32 index, u64 value)
{
	return index == MSR_EFER && ((value ^ vmx->efer) & EFER_LME) &&
	       (vmread(GUEST_CR0) & X86_CR0_PG);
}

static int exit_wrmsr(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value = read_edx_eax(vmx);
	u64 id = AXVCPU_X86_REG_MSR(index);
	u64 old;

	if (vmx_get_reg(&vmx->vcpu, id, &old))
		return ask_vmm(vmx, index, value, AXVCPU_EXIT_SYSREG_WRITE);
	if (changes_mode(vmx, index, value) || vmx_set_reg(&vmx->vcpu, id, value, true))
		return raise(vmx, X86_TRAP_GP);
	return skip(vmx);
}

/* Exit qualification of a control-register access, SDM vol. 3, table 28-3 */
#define CR_MOV_TO(cr)			(cr)
#define CR_MOV_FROM(cr)			((cr) | 1 << 4)
#define CR_ACCESS(qualification)	((qualification) & 0x3f)
#define ACCESS_GPR(qualification)	((qualification) >> 8 & 0xf)

static bool long_mode_active(struct vmx_vcpu *vmx)
{
	return (vmx->efer & EFER_LME) && (vmread(GUEST_CR0) & X86_CR0_PG);
}

/* SDM vol. 2, MOV to control registers: what is #GP */
static bool is_cr0(struct vmx_vcpu *vmx, u64 value)
{
	u64 cr4 = vmread(GUEST_CR4);

	if (value >> 32 || ((value & X86_CR0_NW) && !(value & X86_CR0_CD)))
		return false;
	if (!(value & X86_CR0_PG))
		return !(cr4 & X86_CR4_PCIDE) && !(is_64bit() && (vmread(GUEST_CR0) & X86_CR0_PG));
	return (value & X86_CR0_PE) && (!(vmx->efer & EFER_LME) || (cr4 & X86_CR4_PAE));
}

static bool is_cr4(struct vmx_vcpu *vmx, u64 value)
{
	u64 old = vmread(GUEST_CR4);

	if (value & ~vmx->cr4_allowed)
		return false;
	if (long_mode_active(vmx) && !(value & X86_CR4_PAE))
		return false;
	return !(value & ~old & X86_CR4_PCIDE) ||
	       (long_mode_active(vmx) && !(vmread(GUEST_CR3) & X86_CR3_PCID_MASK));
}

/*
 * The guest changes a bit of CR0 that it only sees. It sees it changed from
 * now on; the instruction runs again, does not exit, and does the rest.
 */
static int mov_to_cr0(struct vmx_vcpu *vmx, u64 value)
{
	if (!is_cr0(vmx, value))
		return raise(vmx, X86_TRAP_GP);
	vmwrite(CR0_READ_SHADOW, value);
	return AXVCPU_NEXT_ENTER;
}

/* The same with CR4: OSXSAVE becomes real here, the rest by the instruction. */
static int mov_to_cr4(struct vmx_vcpu *vmx, u64 value)
{
	u64 owned = vmx_cr4_owned(vmx);

	if (!is_cr4(vmx, value))
		return raise(vmx, X86_TRAP_GP);
	vmx_set_cr4(vmx, (value & owned) | (vmread(GUEST_CR4) & ~owned));
	vmx_xcr0_changed(vmx);
	return AXVCPU_NEXT_ENTER;
}

static int mov_to_cr8(struct vmx_vcpu *vmx, u64 value)
{
	if (value > 15)
		return raise(vmx, X86_TRAP_GP);
	vmx->cr8 = value;
	return skip(vmx);
}

static int exit_cr(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	unsigned int gpr = ACCESS_GPR(qualification);

	switch (CR_ACCESS(qualification)) {
	case CR_MOV_TO(0):
		return mov_to_cr0(vmx, read_operand(vmx, gpr));
	case CR_MOV_TO(4):
		return mov_to_cr4(vmx, read_operand(vmx, gpr));
	case CR_MOV_TO(8):
		return mov_to_cr8(vmx, read_gpr(vmx, gpr));
	case CR_MOV_FROM(8):
		write_gpr(vmx, gpr, vmx->cr8);
		return skip(vmx);
	default:
		return exit_unknown(vmx);
	}
}

/* CPL 0 and CR4.OSXSAVE go without saying: their faults come before the exit. */
static int exit_xsetbv(struct vmx_vcpu *vmx)
{
	u32 index = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]);
	u64 value = read_edx_eax(vmx);

	if (index || VMX_AR_DPL(vmread(GUEST_SS_AR_BYTES)) || !vmx_xcr0_valid(vmx, value))
		return raise(vmx, X86_TRAP_GP);
	vmx_set_xcr0(vmx, value);
	vmx_xcr0_changed(vmx);
	return skip(vmx);
}

static int write_dr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n >= 6 && value >> 32)
		return raise(vmx, X86_TRAP_GP);
	if (n == 7)
		vmx_set_dr7(vmx, value);
	else if (n == 6)
		vmx->dr[6] = (value & (VMX_DR6_EVENTS | DR_SWITCH)) | DR6_RESERVED;
	else
		vmx->dr[n] = value;
	return skip(vmx);
}

/* All accesses exit; the guest's breakpoints are in the CPU while any is on. */
static int exit_dr(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	unsigned int gpr = ACCESS_GPR(qualification);
	unsigned int n = qualification & DEBUG_REG_ACCESS_NUM;

	if (n == 4 || n == 5) {
		if (vmread(GUEST_CR4) & X86_CR4_DE)
			return raise(vmx, X86_TRAP_UD);
		n += 2;
	}
	if (vmx->dr[7] & VMX_DR7_GD)
		return raise_debug(vmx, VMX_DR6_BD);
	if (!(qualification & TYPE_MOV_FROM_DR))
		return write_dr(vmx, n, read_operand(vmx, gpr));
	write_gpr(vmx, gpr, vmx->dr[n]);
	return skip(vmx);
}

static int exit_ept_violation(struct vmx_vcpu *vmx)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_fault *fault = &vmx->vcpu.fault;

	vmx_take_vectoring(vmx);
	undo_nmi_unblocking(vmx, qualification);
	*fault = (struct axvcpu_fault){
		.gpa = axvcpu_gpa(vmread(GUEST_PHYSICAL_ADDRESS)),
		/* Read, write and fetch are in the order of AXVCPU_MAP_*. */
		.access = qualification & AXVCPU_MAP_ALL,
	};
	if (qualification & EPT_VIOLATION_GVA_IS_VALID) {
		fault->gva = vmread(GUEST_LINEAR_ADDRESS);
		fault->flags = AXVCPU_FAULT_GVA_VALID;
		if (!(qualification & EPT_VIOLATION_GVA_TRANSLATED))
			fault->flags |= AXVCPU_FAULT_WALK;
	}
	return AXVCPU_NEXT_FAULT;
}

#define EXIT_REASON_GETSEC	11
#define NR_EXITS		128	/* a power of two, above all reasons */

static int (*const exits[NR_EXITS])(struct vmx_vcpu *vmx) = {
	[EXIT_REASON_EXCEPTION_NMI]		= exit_exception,
	[EXIT_REASON_EXTERNAL_INTERRUPT]	= exit_interrupt,
	[EXIT_REASON_TRIPLE_FAULT]		= exit_shutdown,
	[EXIT_REASON_INTERRUPT_WINDOW]		= exit_window,
	[EXIT_REASON_NMI_WINDOW]		= exit_window,
	[EXIT_REASON_TASK_SWITCH]		= exit_vectoring_unknown,
	[EXIT_REASON_CPUID]			= exit_cpuid,
	[EXIT_REASON_GETSEC]			= exit_undefined,
	[EXIT_REASON_HLT]			= exit_hlt,
	[EXIT_REASON_INVD]			= skip,
	[EXIT_REASON_RDPMC]			= exit_protection,
	[EXIT_REASON_VMCALL]			= exit_vmcall,
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMON] = exit_undefined,
	[EXIT_REASON_CR_ACCESS]			= exit_cr,
	[EXIT_REASON_DR_ACCESS]			= exit_dr,
	[EXIT_REASON_IO_INSTRUCTION]		= exit_io,
	[EXIT_REASON_MSR_READ]			= exit_rdmsr,
	[EXIT_REASON_MSR_WRITE]			= exit_wrmsr,
	[EXIT_REASON_MWAIT_INSTRUCTION]		= exit_undefined,
	[EXIT_REASON_MONITOR_INSTRUCTION]	= exit_undefined,
	[EXIT_REASON_MCE_DURING_VMENTRY]	= exit_nothing,
	[EXIT_REASON_EPT_VIOLATION]		= exit_ept_violation,
	[EXIT_REASON_EPT_MISCONFIG]		= exit_vectoring_unknown,
	[EXIT_REASON_INVEPT]			= exit_undefined,
	[EXIT_REASON_INVVPID]			= exit_undefined,
	[EXIT_REASON_WBINVD]			= skip,
	[EXIT_REASON_XSETBV]			= exit_xsetbv,
	[EXIT_REASON_ENCLS]			= exit_undefined,
};

/**
 * vmx_dispatch_exit() - handle an exit, or fill in the run page
 * @vmx: the vCPU
 *
 * Context: interrupts off, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_dispatch_exit(struct vmx_vcpu *vmx)
{
	u32 n = vmx->exit_reason & (NR_EXITS - 1);

	if (unlikely(n != vmx->exit_reason)) {
		if (vmx->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
			return exit_fail_entry(vmx);
		return exit_unknown(vmx);
	}
	return likely(exits[n]) ? exits[n](vmx) : exit_unknown(vmx);
}

static void complete_in(struct vmx_vcpu *vmx)
{
	u64 *rax = &vmx_gprs(vmx)[AXVCPU_X86_RAX];
	u64 mask = vmx->io_mask;
	u64 value = READ_ONCE(vmx->vcpu.run->io.data) & mask;

	/* A write of EAX clears the upper half, one of AX or AL does not. */
	if (mask != U32_MAX)
		value |= READ_ONCE(*rax) & ~mask;
	WRITE_ONCE(*rax, value);
	go_on(vmx, vmx->next_rip);
}

static void complete_sysreg(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	if (READ_ONCE(run->sysreg.fault)) {
		raise(vmx, X86_TRAP_GP);
		return;
	}
	if (vmx->vcpu.exit_reason == AXVCPU_EXIT_SYSREG_READ)
		write_edx_eax(vmx, READ_ONCE(run->sysreg.value));
	go_on(vmx, vmx->next_rip);
}

/* Nothing is done about an instruction that SET_REGS has taken RIP away from. */
void vmx_complete(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vcpu->exit_reason == AXVCPU_EXIT_HYPERCALL) {
		WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], READ_ONCE(vcpu->run->hypercall.ret));
	} else if (vmx->skip_due) {
		vmx->skip_due = false;
		if (vcpu->exit_reason == AXVCPU_EXIT_IO_READ)
			complete_in(vmx);
		else
			complete_sysreg(vmx);
	}
}
