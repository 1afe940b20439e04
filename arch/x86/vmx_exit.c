// SPDX-License-Identifier: GPL-2.0-only
/* What the guest exited for: who handles it, and who completes it with the VMM's answer. */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/lockdep.h>

#include <asm/vmx.h>

#include "vmx.h"
#include "vmx_exception.h"
#include "vmx_exit.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"

#define EXIT_REASON_GETSEC	11

/** vmx_exits - by the exit's reason */
const struct vmx_exit vmx_exits[VMX_NR_EXITS] = {
	[EXIT_REASON_EXCEPTION_NMI]		= { vmx_exit_exception, AXVCPU_CLASS_INTERRUPT },
	[EXIT_REASON_EXTERNAL_INTERRUPT]	= { vmx_exit_interrupt, AXVCPU_CLASS_INTERRUPT },
	[EXIT_REASON_TRIPLE_FAULT]		= { vmx_exit_shutdown },
	[EXIT_REASON_INTERRUPT_WINDOW]		= { vmx_exit_window, AXVCPU_CLASS_WINDOW },
	[EXIT_REASON_NMI_WINDOW]		= { vmx_exit_window, AXVCPU_CLASS_WINDOW },
	[EXIT_REASON_TASK_SWITCH]		= { vmx_exit_task_switch },
	[EXIT_REASON_CPUID]			= { vmx_exit_cpuid, AXVCPU_CLASS_CPUID },
	[EXIT_REASON_GETSEC]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_HLT]			= { vmx_exit_hlt, AXVCPU_CLASS_HALT },
	[EXIT_REASON_INVD]			= { vmx_exit_nothing, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_RDPMC]			= { vmx_exit_protection, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_VMCALL]			= { vmx_exit_vmcall },
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMON] = {
		vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION
	},
	[EXIT_REASON_CR_ACCESS]			= { vmx_exit_cr, AXVCPU_CLASS_SYSREG },
	[EXIT_REASON_DR_ACCESS]			= { vmx_exit_dr, AXVCPU_CLASS_SYSREG },
	[EXIT_REASON_IO_INSTRUCTION]		= { vmx_exit_io, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_MSR_READ]			= { vmx_exit_rdmsr, AXVCPU_CLASS_SYSREG },
	[EXIT_REASON_MSR_WRITE]			= { vmx_exit_wrmsr, AXVCPU_CLASS_SYSREG },
	[EXIT_REASON_MWAIT_INSTRUCTION]		= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_MONITOR_INSTRUCTION]	= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_EPT_VIOLATION]		= { vmx_exit_ept_violation, AXVCPU_CLASS_MEMORY },
	[EXIT_REASON_EPT_MISCONFIG]		= { vmx_exit_ept_misconfig, AXVCPU_CLASS_MEMORY },
	[EXIT_REASON_INVEPT]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_PREEMPTION_TIMER]		= { vmx_exit_timer },
	[EXIT_REASON_INVVPID]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_WBINVD]			= { vmx_exit_nothing, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_XSETBV]			= { vmx_exit_xsetbv, AXVCPU_CLASS_SYSREG },
	[EXIT_REASON_RDRAND]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_ENCLS]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
	[EXIT_REASON_RDSEED]			= { vmx_exit_undefined, AXVCPU_CLASS_INSTRUCTION },
};

/** vmx_exit_classes - what kinds of exits they are, for statistics */
u8 vmx_exit_classes[AXVCPU_NR_HW_REASONS] __ro_after_init;

/**
 * vmx_exit_init() - fill in the classes
 *
 * Context: module load.
 */
void __init vmx_exit_init(void)
{
	unsigned int i;

	for (i = 0; i < VMX_NR_EXITS; i++)
		vmx_exit_classes[i] = vmx_exits[i].class;
}

static void complete_open(struct vmx_vcpu *vmx)
{
	vmx->skip_due = false;
	if (vmx->vcpu.exit_reason == AXVCPU_EXIT_IO_READ)
		vmx_complete_in(vmx);
	else if (vmx->vcpu.exit_reason == AXVCPU_EXIT_IO_STRING)
		vmx_complete_string(vmx);
	else
		vmx_complete_msr(vmx);
}

static void apply_answer(struct vmx_vcpu *vmx)
{
	u32 reason = vmx->vcpu.exit_reason;

	if (unlikely(READ_ONCE(vmx->exception)) && reason != AXVCPU_EXIT_HYPERCALL) {
		vmx->skip_due = false;
		vmx->seen = (struct vmx_event){};
	} else if (vmx->skip_due) {
		complete_open(vmx);
	} else if (reason == AXVCPU_EXIT_HYPERCALL) {
		vmx_complete_vmcall(vmx);
	} else if (BIT(reason) & (BIT(AXVCPU_EXIT_EXCEPTION) | BIT(AXVCPU_EXIT_DEBUG))) {
		vmx_complete_exception(vmx);
	}
}

/**
 * vmx_complete() - the exit has the VMM's answer
 * @vcpu: the vCPU, not loaded
 *
 * Of an instruction that the VMM has done there is nothing to complete, and an exception
 * that it has queued takes the instruction's place.
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete(struct axvcpu *vcpu)
{
	u32 dirty = READ_ONCE(vcpu->run->regs_dirty);
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(vmx_vmm_says_done(vmx, dirty, READ_ONCE(vcpu->run->regs.x86.rip)))) {
		vmx_vmm_did_insn(vmx);
		return;
	}
	apply_answer(vmx);
	/* A VMM that has changed flags alone goes on where the answer leads to. */
	if (unlikely(dirty & AXVCPU_REGS_PC))
		WRITE_ONCE(vcpu->run->regs.x86.rip, vmx->rip);
}
