// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's stops, and exceptions that the VMM wants to see. Debug registers
 * of the guest's are kept apart, as accesses to them exit. Steps are RFLAGS.TF,
 * which is there only inside the guest: PUSHF and the frames of its handlers show it.
 */
#include <linux/lockdep.h>

#include <asm/debugreg.h>
#include <asm/trapnr.h>

#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_exit.h"

#define NR_BREAKPOINTS	4

/* #DE, #TS, #NP, #SS, #GP: SDM vol. 3, table 6-4 */
#define CONTRIBUTORY								\
	(BIT(X86_TRAP_DE) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) |	\
	 BIT(X86_TRAP_GP))

/*
 * Exceptions that always exit. A guest can make #DB and #AC follow each other
 * without end in their own delivery, where no interrupt gets in (CVE-2015-8104,
 * 5307); a machine check is the host's.
 */
#define ALWAYS_EXIT	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/* One of the debugger's, in the bits of DR7. Returns 0 for none, or -EINVAL. */
static int breakpoint_bits(const struct axvcpu_breakpoint *b)
{
	static const u8 kinds[] = {
		[AXVCPU_BREAK_EXEC]	= DR_RW_EXECUTE,
		[AXVCPU_BREAK_WRITE]	= DR_RW_WRITE,
		[AXVCPU_BREAK_ACCESS]	= DR_RW_READ,
	};
	static const u8 lengths[] = {
		[1] = DR_LEN_1, [2] = DR_LEN_2, [4] = DR_LEN_4, [8] = DR_LEN_8,
	};

	if (!b->kind)
		return b->addr || b->len ? -EINVAL : 0;
	if (b->kind >= ARRAY_SIZE(kinds) || b->len >= ARRAY_SIZE(lengths) || !b->len)
		return -EINVAL;
	if ((b->len & (b->len - 1)) || (b->addr & (b->len - 1)))
		return -EINVAL;
	if (b->kind == AXVCPU_BREAK_EXEC && b->len != 1)
		return -EINVAL;
	return kinds[b->kind] | lengths[b->len] | BIT(8);
}

int vmx_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmx_debug new = { .flags = debug->flags };
	unsigned int i;
	int bits;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < AXVCPU_NR_BREAKPOINTS; i++) {
		bits = breakpoint_bits(&debug->breakpoints[i]);
		if (bits < 0 || (bits && i >= NR_BREAKPOINTS))
			return -EINVAL;
		if (!bits)
			continue;
		new.addr[i] = debug->breakpoints[i].addr;
		new.dr7 |= VMX_DR7_RESET | DR_GLOBAL_ENABLE << (i * DR_ENABLE_SIZE) |
			   (u64)(bits & 0xf) << (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE);
	}
	vmx->debug = new;
	vmx->todo |= VMX_TODO_DEBUG;
	return 0;
}

/**
 * vmx_apply_debug() - the controls for what the debugger and the VMM want
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off.
 */
void vmx_apply_debug(struct vmx_vcpu *vmx)
{
	bool step = vmx->debug.flags & AXVCPU_DEBUG_STEP;
	u32 exceptions = ALWAYS_EXIT | vmx->exceptions;

	if (vmx->debug.flags & AXVCPU_DEBUG_SOFT_BREAKPOINTS)
		exceptions |= BIT(X86_TRAP_BP);
	vmwrite(EXCEPTION_BITMAP, exceptions);
	vmx->step_mask = X86_EFLAGS_TF | (step ? X86_EFLAGS_FIXED : 0);
	if (step)
		vmx->todo |= VMX_TODO_STEPPING;
	else
		vmx->todo &= ~(VMX_TODO_STEPPED | VMX_TODO_STEPPING);
	vmx_set_dr7(vmx, vmx->dr[7]);
}

/**
 * vmx_show_tf() - the guest is about to do one instruction
 * @vmx: the vCPU, loaded
 *
 * With a shadow of STI or MOV SS, an entry wants the trap pending already.
 *
 * Context: preemption off.
 */
void vmx_show_tf(struct vmx_vcpu *vmx)
{
	u64 rflags = vmx_rflags(vmx);

	vmx_end_shadow();
	vmx->guest_tf = rflags & X86_EFLAGS_TF;
	vmwrite(GUEST_RFLAGS, rflags | X86_EFLAGS_TF);
}

/**
 * vmx_hide_tf() - RFLAGS are the guest's own again
 * @vmx: the vCPU, after an exit
 *
 * A trap that is due behind an instruction comes before all that could have
 * ended it otherwise; some CPUs keep one for an instruction that has not been done.
 *
 * Context: preemption off.
 */
void vmx_hide_tf(struct vmx_vcpu *vmx)
{
	if (vmx->guest_tf)
		return;
	vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) & ~X86_EFLAGS_TF);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS,
		vmread(GUEST_PENDING_DBG_EXCEPTIONS) & ~(u64)DR_STEP);
}

static int exception_exit(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason, u32 vector,
			  u64 payload)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	run->exception.vector = vector;
	run->exception.error_code = vmx->seen.error_code;
	run->exception.payload = payload;
	run->exception.deliver = 0;
	return vmx_to_vmm(vmx, reason);
}

static int debug_exit(struct vmx_vcpu *vmx, u32 vector, u64 payload)
{
	return exception_exit(vmx, AXVCPU_EXIT_DEBUG, vector, payload);
}

/**
 * vmx_exit_step() - an instruction of the guest's is done
 * @vmx: the vCPU
 *
 * Context: after an exit, or instead of an entry.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_step(struct vmx_vcpu *vmx)
{
	vmx->todo &= ~VMX_TODO_STEPPED;
	vmx->seen = (struct vmx_event){};
	return debug_exit(vmx, X86_TRAP_DB, DR_STEP);
}

/* One of the debugger's. An instruction with a breakpoint on it is done next time. */
static int exit_breakpoint(struct vmx_vcpu *vmx, u64 events)
{
	unsigned int i;

	for (i = 0; i < NR_BREAKPOINTS; i++) {
		u64 kind = vmx->debug.dr7 >> (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE) & 3;

		if ((events & BIT(i)) && kind == DR_RW_EXECUTE) {
			vmx->rflags = vmx_rflags(vmx) | X86_EFLAGS_RF;
			vmx->todo |= VMX_TODO_RFLAGS;
		}
	}
	/* The guest's own single step comes along, and is its own. */
	if ((events & DR_STEP) && (vmx_rflags(vmx) & X86_EFLAGS_TF))
		vmx->todo |= VMX_TODO_STEP;
	return debug_exit(vmx, X86_TRAP_DB, events & DR_TRAP_BITS);
}

/**
 * vmx_exit_watched() - an exception that a debugger or the VMM may want
 * @vmx: the vCPU; the event that this has interrupted is taken
 * @info: VM-exit interruption information
 * @next: what to do then
 *
 * Context: after an exit, loaded.
 * Return: whether it goes to the VMM.
 */
bool vmx_exit_watched(struct vmx_vcpu *vmx, u32 info, int *next)
{
	u32 vector = info & INTR_INFO_VECTOR_MASK, type = info & INTR_INFO_INTR_TYPE_MASK;
	bool page_fault_or_debug = vector == X86_TRAP_PF || vector == X86_TRAP_DB;

	vmx->seen = (struct vmx_event){ .info = vmx_event_info(info) };
	vmx->seen_payload = page_fault_or_debug ? vmread(EXIT_QUALIFICATION) : 0;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		vmx->seen.error_code = vmread(VM_EXIT_INTR_ERROR_CODE);
	if (type == INTR_TYPE_SOFT_EXCEPTION || type == INTR_TYPE_PRIV_SW_EXCEPTION)
		vmx->seen.insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);

	if (vector == X86_TRAP_BP && (vmx->debug.flags & AXVCPU_DEBUG_SOFT_BREAKPOINTS)) {
		*next = debug_exit(vmx, vector, vmx_rip(vmx));
		return true;
	}
	if (vector == X86_TRAP_DB && vmx->debug.dr7 && (vmx->seen_payload & DR_TRAP_BITS)) {
		vmx->seen = (struct vmx_event){};
		*next = exit_breakpoint(vmx, vmx->seen_payload);
		return true;
	}
	if (vector == X86_TRAP_DB && (vmx->debug.flags & AXVCPU_DEBUG_STEP) &&
	    (vmx->seen_payload & DR_STEP)) {
		if (vmx->guest_tf)
			vmx->todo |= VMX_TODO_STEP;
		*next = vmx_exit_step(vmx);
		return true;
	}
	if (!(vmx->exceptions & BIT(vector)))
		return false;
	/* An entry with TF and a shadow wants a trap pending, and this one is not. */
	if (vector == X86_TRAP_DB)
		vmx_end_shadow();
	*next = exception_exit(vmx, AXVCPU_EXIT_EXCEPTION, vector, vmx->seen_payload);
	return true;
}

/**
 * vmx_tell_exception() - one that the kernel would raise is for the VMM to see first
 * @vmx: the vCPU
 * @vector: without an error code, or with one of 0
 * @payload: bits of DR6 of #DB
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_tell_exception(struct vmx_vcpu *vmx, u8 vector, u64 payload)
{
	vmx->seen = (struct vmx_event){ .info = vmx_exception_info(vector) };
	vmx->seen_payload = payload;
	return exception_exit(vmx, AXVCPU_EXIT_EXCEPTION, vector, payload);
}

/* Does @second in the delivery of @first make a double fault? SDM vol. 3, table 6-5 */
static bool doubles(u32 first, u32 second)
{
	u32 faults = CONTRIBUTORY | BIT(X86_TRAP_PF);

	if (first == X86_TRAP_PF || first == X86_TRAP_DF)
		return faults & BIT(second);
	return (CONTRIBUTORY & BIT(first)) && (CONTRIBUTORY & BIT(second));
}

/**
 * vmx_complete_exception() - the VMM has seen an exception; the guest may get it
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_exception(struct vmx_vcpu *vmx)
{
	u32 first = vmx->event.info, vector = vmx->seen.info & INTR_INFO_VECTOR_MASK;
	bool nested = (first & INTR_INFO_VALID_MASK) &&
		      (first & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION &&
		      doubles(first & INTR_INFO_VECTOR_MASK, vector);
	struct vmx_event seen = vmx->seen;

	vmx->seen = (struct vmx_event){};
	if (!seen.info || !READ_ONCE(vmx->vcpu.run->exception.deliver))
		return;
	if (vector == X86_TRAP_PF)
		vmx->cr2 = vmx->seen_payload;
	if (nested && (first & INTR_INFO_VECTOR_MASK) == X86_TRAP_DF)
		vmx->todo |= VMX_TODO_SHUTDOWN;
	else if (nested)
		vmx_raise(vmx, X86_TRAP_DF, 0);
	else
		vmx_raise_event(vmx, seen);
	if (vector == X86_TRAP_DB && !nested && !seen.insn_len) {
		vmx->dr[6] = vmx_dr6(vmx->dr[6], vmx->seen_payload);
		vmx->dr[7] &= ~VMX_DR7_GD;
		vmx->todo |= VMX_TODO_DEBUG;
	}
}
