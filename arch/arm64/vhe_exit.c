// SPDX-License-Identifier: GPL-2.0-only
/* Exits: by the exception class of ESR_EL2 (Arm ARM, D24.2.37). And their answers. */
#include <linux/lockdep.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/esr.h>

#include "vhe.h"
#include "vhe_exit.h"
#include "vhe_exit_debug.h"
#include "vhe_exit_halt.h"
#include "vhe_exit_mmio.h"
#include "vhe_exit_psci.h"
#include "vhe_exit_sysreg.h"
#include "vhe_regs.h"
#include "vhe_run.h"
#include "vhe_timer.h"

/* 64-byte loads and stores; MRRS and MSRR */
#define EC_LS64		0x0a
#define EC_SYSREG128	0x14

/* CPTR_EL2 trapped what the guest's own CPACR_EL1 allows. */
static int handle_fp(struct vhe_vcpu *vhe)
{
	vhe_use_fp(vhe);
	return AXVCPU_NEXT_ENTER;
}

/* What is not here is UNKNOWN to the VMM. */
static int (*const handlers[ESR_ELx_EC_MAX + 1])(struct vhe_vcpu *vhe) = {
	[ESR_ELx_EC_WFx]	= vhe_handle_wfx,
	[ESR_ELx_EC_FP_ASIMD]	= handle_fp,
	[ESR_ELx_EC_PAC]	= vhe_handle_pauth,
	[EC_LS64]		= vhe_undefined,
	[EC_SYSREG128]		= vhe_undefined,
	[ESR_ELx_EC_HVC64]	= vhe_handle_hvc,
	[ESR_ELx_EC_SMC64]	= vhe_handle_smc,
	[ESR_ELx_EC_SYS64]	= vhe_handle_sysreg,
	[ESR_ELx_EC_SVE]	= vhe_undefined,
	[ESR_ELx_EC_SME]	= vhe_undefined,
	[ESR_ELx_EC_IABT_LOW]	= vhe_handle_instruction_abort,
	[ESR_ELx_EC_DABT_LOW]	= vhe_handle_data_abort,
	[ESR_ELx_EC_BREAKPT_LOW] = vhe_handle_breakpoint,
	[ESR_ELx_EC_SOFTSTP_LOW] = vhe_handle_step,
	[ESR_ELx_EC_WATCHPT_LOW] = vhe_handle_watchpoint,
	[ESR_ELx_EC_BRK64]	= vhe_handle_brk,
};

/* Reasons behind the exception classes */
#define REASON_OTHER(exit)	(ESR_ELx_EC_MAX + 1 + (exit))

/** vhe_exit_classes - what kinds of exits they are, for statistics */
const u8 vhe_exit_classes[AXVCPU_NR_HW_REASONS] = {
	[ESR_ELx_EC_WFx]	= AXVCPU_CLASS_HALT,
	[ESR_ELx_EC_FP_ASIMD]	= AXVCPU_CLASS_FPU,
	[ESR_ELx_EC_PAC]	= AXVCPU_CLASS_FPU,
	[EC_LS64]		= AXVCPU_CLASS_INSTRUCTION,
	[EC_SYSREG128]		= AXVCPU_CLASS_INSTRUCTION,
	[ESR_ELx_EC_HVC64]	= AXVCPU_CLASS_HYPERCALL,
	[ESR_ELx_EC_SMC64]	= AXVCPU_CLASS_HYPERCALL,
	[ESR_ELx_EC_SYS64]	= AXVCPU_CLASS_SYSREG,
	[ESR_ELx_EC_SVE]	= AXVCPU_CLASS_INSTRUCTION,
	[ESR_ELx_EC_SME]	= AXVCPU_CLASS_INSTRUCTION,
	[ESR_ELx_EC_IABT_LOW]	= AXVCPU_CLASS_MEMORY,
	[ESR_ELx_EC_DABT_LOW]	= AXVCPU_CLASS_MEMORY,
	[ESR_ELx_EC_BREAKPT_LOW] = AXVCPU_CLASS_INTERRUPT,
	[ESR_ELx_EC_SOFTSTP_LOW] = AXVCPU_CLASS_INTERRUPT,
	[ESR_ELx_EC_WATCHPT_LOW] = AXVCPU_CLASS_INTERRUPT,
	[ESR_ELx_EC_BRK64]	= AXVCPU_CLASS_INTERRUPT,
	[REASON_OTHER(VHE_EXIT_IRQ)] = AXVCPU_CLASS_INTERRUPT,
	[REASON_OTHER(VHE_EXIT_FIQ)] = AXVCPU_CLASS_INTERRUPT,
};

static int handle_sync(struct vhe_vcpu *vhe)
{
	unsigned int class = ESR_ELx_EC(vhe->esr);
	int (*handler)(struct vhe_vcpu *vhe) = handlers[class];

	vhe->vcpu.hw_reason = class;
	return handler ? handler(vhe) : vhe_exit_unknown(vhe);
}

/* The host takes its interrupt when the run loop lets it. */
static int handle_interrupt(struct vhe_vcpu *vhe)
{
	vhe->vcpu.stats.interrupts++;
	return vhe_timer_tell(vhe) ? vhe_exit_to_vmm(vhe, AXVCPU_EXIT_EXTERNAL_INTERRUPT) :
				     AXVCPU_NEXT_ENTER;
}

/* AET 0: the host's own state may be lost with the guest's. What IDS says is the CPU's affair. */
static bool is_uncontainable(u64 esr)
{
	return vhe_has_ras() && !(esr & (ESR_ELx_IDS | ESR_ELx_AET)) &&
	       (esr & ESR_ELx_FSC) == ESR_ELx_FSC_SERROR;
}

/* As the kernel does with its own, and KVM with its guests'. */
static int handle_serror(struct vhe_vcpu *vhe)
{
	if (is_uncontainable(vhe->esr))
		panic("uncontainable SError in a guest, ESR %#llx\n", vhe->esr);
	pr_warn_ratelimited("SError in a guest, ESR %#llx\n", vhe->esr);
	vhe->esr |= (u64)ESR_ELx_EC_SERROR << ESR_ELx_EC_SHIFT;
	return vhe_exit_unknown(vhe);
}

/*
 * AArch32 is hidden from the guest, and not every CPU of the host need have it.
 * The VMM may repair PSTATE, or give up.
 */
static int handle_bad_pstate(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	vhe->exit = VHE_EXIT_IRQ;
	memset(&run->fail_entry, 0, sizeof(run->fail_entry));
	run->fail_entry.hw_reason = ESR_ELx_EC_ILL;
	run->fail_entry.cpu = smp_processor_id();
	run->fail_entry.reg = AXVCPU_ARM64_REG_PSTATE;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_FAIL_ENTRY);
}

/**
 * vhe_handle_exit() - see &struct axvcpu_arch_ops.handle_exit
 * @vcpu: the vCPU
 *
 * Context: preemption off, interrupts on.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_exit(struct axvcpu *vcpu)
{
	static int (*const kinds[])(struct vhe_vcpu *vhe) = {
		[VHE_EXIT_IRQ]		= handle_interrupt,
		[VHE_EXIT_FIQ]		= handle_interrupt,
		[VHE_EXIT_SERROR]	= handle_serror,
		[VHE_EXIT_BAD_PSTATE]	= handle_bad_pstate,
	};
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (likely(vhe->exit == VHE_EXIT_SYNC))
		return handle_sync(vhe);
	vcpu->hw_reason = REASON_OTHER(vhe->exit);
	return kinds[vhe->exit](vhe);
}

/* By an exception that INJECT has queued: not where the instruction has completed. Rare. */
static noinline bool is_replaced(u32 reason)
{
	return reason != AXVCPU_EXIT_HYPERCALL && reason != AXVCPU_EXIT_CPU_UP;
}

static void apply_answer(struct vhe_vcpu *vhe)
{
	u32 reason = vhe->vcpu.exit_reason;

	if (unlikely(READ_ONCE(vhe->exception)) && is_replaced(reason)) {
		vhe->skip_due = false;
	} else if (vhe->skip_due) {
		vhe->skip_due = false;
		if (reason == AXVCPU_EXIT_MMIO_READ)
			vhe_complete_mmio_read(vhe);
		else
			vhe_complete_sysreg(vhe);
	} else if (reason == AXVCPU_EXIT_HYPERCALL) {
		vhe_complete_hypercall(vhe);
	} else if (reason == AXVCPU_EXIT_CPU_UP) {
		vhe_complete_cpu_up(vhe);
	} else if (reason == AXVCPU_EXIT_DEBUG) {
		vhe_complete_debug(vhe);
	}
}

/**
 * vhe_complete() - see &struct axvcpu_arch_ops.complete
 * @vcpu: the vCPU
 *
 * Of an instruction that the VMM has done there is nothing to complete, and an exception
 * that it has queued takes the instruction's place.
 *
 * Context: process context, &struct axvcpu.mutex held, not loaded.
 */
void vhe_complete(struct axvcpu *vcpu)
{
	u32 dirty = READ_ONCE(vcpu->run->regs_dirty);
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(dirty)) {
		if (vhe_vmm_says_done(vhe, dirty, READ_ONCE(vcpu->run->regs.arm64.pc))) {
			vhe->skip_due = false;
			vhe->insn_done = vhe_insn_is_open(vhe);
			return;
		}
		/* With PSTATE or SP alone changed, the guest goes on where the answer leads to. */
		if (dirty & AXVCPU_REGS_PC)
			vhe_take_page(vhe);
	}
	apply_answer(vhe);
}
