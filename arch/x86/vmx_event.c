// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events on their way into the guest (SDM vol. 3, 25.8.3 and 27.6): one that
 * an instruction raised or whose delivery was interrupted, then what INJECT
 * queued: an exception, an NMI, the external interrupt of the highest vector.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_event.h"
#include "vmx_insn.h"

/* Exceptions that push an error code outside of real mode */
#define HAS_ERROR_CODE	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) |	\
			 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) |	\
			 BIT(X86_TRAP_AC))

/* Those that can be injected; an NMI has a type of its own. */
#define EXCEPTIONS	(GENMASK(X86_TRAP_VE, 0) & ~BIT(X86_TRAP_NMI) & ~BIT(X86_TRAP_SPURIOUS))

/* Of the pending debug exceptions: an enabled breakpoint was met. */
#define PENDING_BREAKPOINT	BIT(12)

#define MAX_ERROR_CODE	AXVCPU_X86_ERROR_CODE_MASK

/* Those that come instead of an instruction (SDM vol. 3, table 6-1); a #DB may be either. */
#define FAULTS		(EXCEPTIONS &							\
			 ~(BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP) | BIT(X86_TRAP_OF) |	\
			   BIT(X86_TRAP_DF) | BIT(X86_TRAP_MC)))

/**
 * vmx_has_error_code() - does an exception push an error code, outside of real mode?
 * @vector: the exception, below 32
 *
 * Context: any.
 * Return: whether.
 */
bool vmx_has_error_code(u32 vector)
{
	return HAS_ERROR_CODE & BIT(vector);
}

/**
 * vmx_exception_info() - an exception as an entry takes it
 * @vector: the exception
 *
 * Return: interruption information.
 */
u32 vmx_exception_info(u8 vector)
{
	return vector | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID_MASK |
	       (HAS_ERROR_CODE & BIT(vector) ? INTR_INFO_DELIVER_CODE_MASK : 0);
}

/**
 * vmx_exception_valid() - is it one that can be queued?
 * @exception: interruption information, and error code << 32
 *
 * Context: any.
 * Return: whether it is.
 */
bool vmx_exception_valid(u64 exception)
{
	u32 info = exception, code = exception >> 32;
	u32 vector = info & INTR_INFO_VECTOR_MASK;

	return vector < 32 && EXCEPTIONS & BIT(vector) && info == vmx_exception_info(vector) &&
	       code <= (HAS_ERROR_CODE & BIT(vector) ? MAX_ERROR_CODE : 0);
}

/* The vector that is next, as far as the guest's CR8 lets it; -1: none. */
static int next_vector(const struct vmx_vcpu *vmx)
{
	int vector = find_last_bit(vmx->irr, 256);

	return vector < 256 && (!vmx->cr8 || vector >> 4 > vmx->cr8) ? vector : -1;
}

/**
 * vmx_has_event() - is an event queued that ends a halt?
 * @vcpu: the vCPU
 *
 * Context: any.
 * Return: whether there is.
 */
bool vmx_has_event(struct axvcpu *vcpu)
{
	const struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned long queued = READ_ONCE(vmx->queued);

	if (READ_ONCE(vmx->exception))
		return true;
	if (queued & BIT(VMX_QUEUED_NMI) && !READ_ONCE(vmx->halt_nmi_blocked))
		return true;
	return queued && READ_ONCE(vmx->halt_if) && next_vector(vmx) >= 0;
}

/**
 * vmx_halt_is_masked() - see &struct axvcpu_arch_ops.halt_is_masked
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: whether.
 */
bool vmx_halt_is_masked(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	return !to_vmx(vcpu)->halt_if;
}

/* An event that gives way to an exception in its delivery comes again. */
static void give_way(struct vmx_vcpu *vmx)
{
	u32 info = vmx->event.info;

	if (!(info & INTR_INFO_VALID_MASK))
		return;
	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
		set_bit(info & INTR_INFO_VECTOR_MASK, vmx->irr);
		set_bit(VMX_QUEUED_IRQ, &vmx->queued);
		break;
	case INTR_TYPE_NMI_INTR:
		set_bit(VMX_QUEUED_NMI, &vmx->queued);
		break;
	default:
		/* The instruction does it again. */
		break;
	}
}

/**
 * vmx_raise() - the guest takes an exception next
 * @vmx: the vCPU
 * @vector: the exception
 * @error_code: where it has one
 *
 * Context: process context or preemption off, &struct axvcpu.mutex held.
 */
void vmx_raise(struct vmx_vcpu *vmx, u8 vector, u16 error_code)
{
	vmx_raise_event(vmx, (struct vmx_event){ vmx_exception_info(vector), error_code });
}

/**
 * vmx_raise_event() - the guest takes an event next, before any other
 * @vmx: the vCPU
 * @event: as an entry takes it
 *
 * Context: process context or preemption off, &struct axvcpu.mutex held.
 */
void vmx_raise_event(struct vmx_vcpu *vmx, struct vmx_event event)
{
	give_way(vmx);
	vmx->event = event;
	vmx->once |= VMX_ONCE_EVENT;
}

/**
 * vmx_event_info() - interruption information of an exit, as an entry takes it
 * @info: VM-exit interruption information or IDT-vectoring information
 *
 * In real mode, an exception comes without an error code; the entry sees to that.
 *
 * Return: the same for an event that is due.
 */
u32 vmx_event_info(u32 info)
{
	u32 vector = info & INTR_INFO_VECTOR_MASK;

	info &= INTR_INFO_VECTOR_MASK | INTR_INFO_INTR_TYPE_MASK |
		INTR_INFO_DELIVER_CODE_MASK | INTR_INFO_VALID_MASK;
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION && vector < 32)
		info |= vmx_exception_info(vector);
	return info;
}

/**
 * vmx_take_vectoring() - keep the event whose delivery this exit interrupted
 * @vmx: the vCPU, after an exit that can do so
 *
 * Context: preemption off, loaded.
 */
void vmx_take_vectoring(struct vmx_vcpu *vmx)
{
	u32 info = vmread(IDT_VECTORING_INFO_FIELD);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;

	if (!(info & INTR_INFO_VALID_MASK))
		return;
	vmx->event = (struct vmx_event){ .info = vmx_event_info(info) };
	vmx->once |= VMX_ONCE_EVENT;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		vmx->event.error_code = vmread(IDT_VECTORING_ERROR_CODE);
	if (type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION ||
	    type == INTR_TYPE_PRIV_SW_EXCEPTION)
		vmx->event.insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	/* The NMI that blocks others is the one that will be delivered again. */
	if (type == INTR_TYPE_NMI_INTR)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) & ~GUEST_INTR_STATE_NMI);
}

/**
 * vmx_undo_nmi_unblocking() - an IRET that let NMIs in again was not done
 * @vmx: the vCPU, after an exit; the event that this has interrupted is taken
 * @info: VM-exit interruption information, or the qualification of an EPT violation
 *
 * They stay blocked, unless the exit was in the delivery of an event.
 *
 * Context: preemption off, loaded.
 */
void vmx_undo_nmi_unblocking(struct vmx_vcpu *vmx, u64 info)
{
	if ((info & INTR_INFO_UNBLOCK_NMI) && !vmx->event.info)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);
}

/* Each: whether there is one; what WITHDRAW has taken meanwhile is not there. */

static bool take_exception(struct vmx_vcpu *vmx)
{
	u64 exception;

	clear_bit(VMX_QUEUED_EXCEPTION, &vmx->queued);
	exception = xchg(&vmx->exception, 0);
	vmx->event = (struct vmx_event){ .info = exception, .error_code = exception >> 32 };
	return exception;
}

static bool take_nmi(struct vmx_vcpu *vmx)
{
	if (!test_and_clear_bit(VMX_QUEUED_NMI, &vmx->queued))
		return false;
	vmx->event = (struct vmx_event){
		.info = X86_TRAP_NMI | INTR_TYPE_NMI_INTR | INTR_INFO_VALID_MASK,
	};
	return true;
}

/* Whoever sets a bit sets the flag afterwards, so that none is overlooked. */
static bool take_interrupt(struct vmx_vcpu *vmx, int vector)
{
	bool taken;

	clear_bit(VMX_QUEUED_IRQ, &vmx->queued);
	smp_mb__after_atomic();	/* pairs with queue_interrupt()'s */
	taken = test_and_clear_bit(vector, vmx->irr);
	if (!bitmap_empty(vmx->irr, 256))
		set_bit(VMX_QUEUED_IRQ, &vmx->queued);
	if (taken)
		vmx->event = (struct vmx_event){
			.info = vector | INTR_TYPE_EXT_INTR | INTR_INFO_VALID_MASK,
		};
	return taken;
}

/* The flag stays when WITHDRAW takes the last one. */
static void forget_withdrawn(struct vmx_vcpu *vmx)
{
	clear_bit(VMX_QUEUED_IRQ, &vmx->queued);
	smp_mb__after_atomic();	/* pairs with queue_interrupt()'s */
	if (!bitmap_empty(vmx->irr, 256))
		set_bit(VMX_QUEUED_IRQ, &vmx->queued);
}

/**
 * vmx_pending_debug() - traps that are due before the next instruction
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off.
 * Return: as the VMCS has them (SDM vol. 3, table 25-4): the CPU's, and the kernel's.
 */
u64 vmx_pending_debug(const struct vmx_vcpu *vmx)
{
	u64 pending = vmread(GUEST_PENDING_DBG_EXCEPTIONS);

	if (!(vmx->once & VMX_ONCE_TRAPS))
		return pending;
	if (vmx->traps & DR_TRAP_BITS)
		pending |= PENDING_BREAKPOINT;
	return pending | vmx->traps;
}

/**
 * vmx_put_traps() - the guest has the traps that are due
 * @vmx: the vCPU, about to be entered
 *
 * Context: interrupts off, loaded.
 */
void vmx_put_traps(struct vmx_vcpu *vmx)
{
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, vmx_pending_debug(vmx));
	vmx->traps = 0;
}

/* A trap behind the last instruction comes first, and an entry with an event drops it. */
static bool trap_is_due(const struct vmx_vcpu *vmx)
{
	return vmx_pending_debug(vmx) & (DR_STEP | PENDING_BREAKPOINT);
}

static bool take_queued(struct vmx_vcpu *vmx)
{
	unsigned long queued = READ_ONCE(vmx->queued);
	u32 blocked = vmread(GUEST_INTERRUPTIBILITY_INFO);
	bool shadow = blocked & VMX_SHADOW;
	int vector;

	if ((queued & BIT(VMX_QUEUED_EXCEPTION)) && take_exception(vmx))
		return true;
	if (trap_is_due(vmx))
		return false;
	if ((queued & BIT(VMX_QUEUED_NMI)) && !shadow && !(blocked & GUEST_INTR_STATE_NMI) &&
	    take_nmi(vmx))
		return true;
	vector = next_vector(vmx);
	if (vector < 0 && queued & BIT(VMX_QUEUED_IRQ))
		forget_withdrawn(vmx);
	return vector >= 0 && !shadow && (vmx_rflags(vmx) & X86_EFLAGS_IF) &&
	       take_interrupt(vmx, vector);
}

#define WINDOWS		(CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_INTR_WINDOW_EXITING)

/**
 * vmx_set_windows() - the guest exits as soon as it can take an event
 * @vmx: the vCPU, loaded
 * @windows: which kinds of events, as the primary controls have them; 0: none
 *
 * Context: preemption off.
 */
void vmx_set_windows(struct vmx_vcpu *vmx, u32 windows)
{
	u32 exec = (vmx->exec & ~WINDOWS) | windows;

	if (exec != vmx->exec) {
		vmx->exec = exec;
		vmwrite(CPU_BASED_VM_EXEC_CONTROL, exec);
	}
}

/*
 * What could not go into the guest now makes it exit as soon as it can. After
 * STI, some CPUs open the NMI window where an NMI can't go in yet; interrupts
 * are on then, so the other window opens one instruction later.
 */
static void open_windows(struct vmx_vcpu *vmx)
{
	u32 windows = 0;

	if (READ_ONCE(vmx->queued) & BIT(VMX_QUEUED_NMI)) {
		if (vmread(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_STI)
			windows |= CPU_BASED_INTR_WINDOW_EXITING;
		else
			windows |= CPU_BASED_NMI_WINDOW_EXITING;
	}
	if (next_vector(vmx) >= 0)
		windows |= CPU_BASED_INTR_WINDOW_EXITING;
	vmx_set_windows(vmx, windows);
}

static bool is_fault(u32 info)
{
	return (info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION &&
	       FAULTS & BIT(info & INTR_INFO_VECTOR_MASK);
}

/**
 * vmx_put_events() - put the next event into the guest
 * @vmx: the vCPU, about to be entered; something is queued or due
 *
 * The event stays due until the entry has succeeded.
 *
 * Context: interrupts off, loaded.
 */
void vmx_put_events(struct vmx_vcpu *vmx)
{
	struct vmx_event *event = &vmx->event;
	u32 info;

	if (event->info || take_queued(vmx)) {
		info = event->info;
		/* The frame has RF (SDM vol. 3, 18.3.1.1), and the entry takes what is there. */
		if (is_fault(info))
			vmx_set_rf(vmx);
		if (info & INTR_INFO_DELIVER_CODE_MASK) {
			/* Real mode has no error codes, and the entry would fail. */
			if (vmread(GUEST_CR0) & X86_CR0_PE)
				vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, event->error_code);
			else
				info &= ~INTR_INFO_DELIVER_CODE_MASK;
		}
		if (event->insn_len)
			vmwrite(VM_ENTRY_INSTRUCTION_LEN, event->insn_len);
		vmwrite(VM_ENTRY_INTR_INFO_FIELD, info);
	}
	open_windows(vmx);
}
