// SPDX-License-Identifier: GPL-2.0-only
/* Exits: by the exception class of ESR_EL2 (Arm ARM, D24.2.37). */
#include <linux/arm-smccc.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/ratelimit.h>

#include <asm/esr.h>
#include <asm/virt.h>

#include "vhe.h"

/* Data abort, ISS */
#define ISS_ISV		BIT(24)
#define ISS_SAS		GENMASK(23, 22)
#define ISS_SSE		BIT(21)
#define ISS_SRT		GENMASK(20, 16)
#define ISS_SF		BIT(15)
#define ISS_FNV		BIT(10)
#define ISS_CM		BIT(8)
#define ISS_S1PTW	BIT(7)
#define ISS_WNR		BIT(6)

#define ISS_WFX_TI	GENMASK(1, 0)
#define WFX_WFI		0
#define ISS_IMM16	GENMASK(15, 0)

/* Vector offsets, and a return from EL1's point of view */
#define VECTOR_CURRENT_SPX	0x200
#define VECTOR_LOWER_A64	0x400
#define SCTLR_SPAN		BIT(23)
#define SCTLR_DSSBS		BIT_ULL(44)

/**
 * vhe_exit_to_vmm() - leave the run loop
 * @vhe: the vCPU; the run page is filled in
 * @reason: why
 *
 * Return: %AXVCPU_NEXT_EXIT.
 */
int vhe_exit_to_vmm(struct vhe_vcpu *vhe, enum axvcpu_exit_reason reason)
{
	vhe->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

static int exit_unknown(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->unknown.hw_reason = vhe->esr;
	run->unknown.qualification = vhe->far;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_UNKNOWN);
}

/* --- exceptions for the guest ------------------------------------------------ */

static u64 vector_offset(u64 pstate)
{
	if ((pstate & PSR_MODE_MASK) == PSR_MODE_EL0t)
		return VECTOR_LOWER_A64;
	return (pstate & PSR_MODE_MASK) == PSR_MODE_EL1h ? VECTOR_CURRENT_SPX : 0;
}

/**
 * vhe_take_exception() - the guest takes an exception to EL1
 * @vhe: the vCPU
 * @esr: syndrome for ESR_EL1
 *
 * Arm ARM, AArch64.TakeException().
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_take_exception(struct vhe_vcpu *vhe, u64 esr)
{
	u64 pstate, sctlr;

	vhe_save(vhe);
	sctlr = vhe->sys[VHE_SCTLR];
	pstate = VHE_PSTATE_RESET | (vhe->pstate & (PSR_PAN_BIT | PSR_DIT_BIT));
	if (!(sctlr & SCTLR_SPAN))
		pstate |= PSR_PAN_BIT;
	if (sctlr & SCTLR_DSSBS)
		pstate |= PSR_SSBS_BIT;
	vhe->sys[VHE_ELR] = vhe->pc;
	vhe->sys[VHE_SPSR] = vhe->pstate;
	vhe->sys[VHE_ESR] = esr;
	vhe->pc = vhe->sys[VHE_VBAR] + vector_offset(vhe->pstate);
	vhe->pstate = pstate;
}

/**
 * vhe_undefined() - the guest's instruction is undefined
 * @vhe: the vCPU
 *
 * Context: &struct axvcpu.mutex held.
 * Return: %AXVCPU_NEXT_ENTER.
 */
int vhe_undefined(struct vhe_vcpu *vhe)
{
	vhe_take_exception(vhe, ESR_ELx_IL);
	return AXVCPU_NEXT_ENTER;
}

/* --- instructions ------------------------------------------------------------ */

/* CPTR_EL2 trapped what the guest's own CPACR_EL1 allows. */
static int handle_fp(struct vhe_vcpu *vhe)
{
	vhe_use_fp(vhe);
	return AXVCPU_NEXT_ENTER;
}

/**
 * vhe_halt() - the guest waits for an interrupt
 * @vhe: the vCPU, the instruction is behind
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_halt(struct vhe_vcpu *vhe)
{
	vhe_save(vhe);
	if (axvcpu_arch.has_event(&vhe->vcpu))
		return AXVCPU_NEXT_ENTER;
	vhe_timer_sleep(vhe);
	return AXVCPU_NEXT_HALT;
}

/* WFIT, with its time-out, may end at any time. */
static int handle_wfx(struct vhe_vcpu *vhe)
{
	vhe_skip_insn(vhe);
	if (FIELD_GET(ISS_WFX_TI, vhe->esr) != WFX_WFI)
		return AXVCPU_NEXT_ENTER;
	return vhe_halt(vhe);
}

/* The keys' own traps and those of the instructions: once in a section */
static int handle_pauth(struct vhe_vcpu *vhe)
{
	return vhe_use_pauth(vhe) ? AXVCPU_NEXT_ENTER : vhe_undefined(vhe);
}

/**
 * vhe_hypercall() - ask the VMM
 * @vhe: the vCPU, the instruction is behind
 *
 * Return: %AXVCPU_NEXT_EXIT.
 */
int vhe_hypercall(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;
	unsigned int i;

	run->hypercall.nr = vhe_get_x(vhe, 0);
	for (i = 0; i < ARRAY_SIZE(run->hypercall.args); i++)
		run->hypercall.args[i] = vhe_get_x(vhe, 1 + i);
	run->hypercall.ret = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_HYPERCALL);
}

static int handle_hvc(struct vhe_vcpu *vhe)
{
	int next = vhe_psci_call(vhe);

	return next >= 0 ? next : vhe_hypercall(vhe);
}

/* Firmware is the host's: what PSCI does not answer does not exist. */
static int handle_smc(struct vhe_vcpu *vhe)
{
	int next;

	if (vhe->esr & ISS_IMM16)
		return exit_unknown(vhe);
	vhe_skip_insn(vhe);
	next = vhe_psci_call(vhe);
	if (next >= 0)
		return next;
	vhe_set_x(vhe, 0, SMCCC_RET_NOT_SUPPORTED);
	return AXVCPU_NEXT_ENTER;
}

/* Only with %AXVCPU_ARM64_SETUP_DEBUG; else EL1 takes them. */
static int handle_debug(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->exception.vector = ESR_ELx_EC(vhe->esr);
	run->exception.error_code = vhe->esr & ESR_ELx_ISS_MASK;
	run->exception.payload = vhe->far;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_DEBUG);
}

/* --- aborts ------------------------------------------------------------------ */

static int handle_abort(struct vhe_vcpu *vhe, u32 access)
{
	struct axvcpu_fault *fault = &vhe->vcpu.fault;
	u64 type = vhe->esr & ESR_ELx_FSC_TYPE;

	if (type != ESR_ELx_FSC_FAULT && type != ESR_ELx_FSC_PERM)
		return exit_unknown(vhe);
	if (vhe->hpfar == U64_MAX)
		return AXVCPU_NEXT_ENTER;
	/* A CPU may keep what has less access than the table will have. */
	if (type == ESR_ELx_FSC_PERM)
		vhe->flush = true;
	*fault = (struct axvcpu_fault){
		.gpa = axvcpu_gpa((vhe->hpfar & GENMASK_ULL(43, 4)) << 8 |
				  (vhe->esr & ISS_S1PTW ? 0 : vhe->far & 0xfff)),
		.gva = vhe->esr & ISS_FNV ? 0 : vhe->far,
		.access = access,
		.flags = (vhe->esr & ISS_FNV ? 0 : AXVCPU_FAULT_GVA_VALID) |
			 (vhe->esr & ISS_S1PTW ? AXVCPU_FAULT_WALK : 0),
	};
	return AXVCPU_NEXT_FAULT;
}

/*
 * The walk of stage 1 reads, but it writes access flags and dirty state; cache
 * maintenance, always reported as a write, reads, but DC IVAC is a write: each
 * of them only lacks permission if it is the latter.
 */
static u32 permission_write(const struct vhe_vcpu *vhe)
{
	return (vhe->esr & ESR_ELx_FSC_TYPE) == ESR_ELx_FSC_PERM ? AXVCPU_MAP_WRITE :
								    AXVCPU_MAP_READ;
}

static int handle_data_abort(struct vhe_vcpu *vhe)
{
	if (vhe->esr & (ISS_S1PTW | ISS_CM))
		return handle_abort(vhe, permission_write(vhe));
	return handle_abort(vhe, vhe->esr & ISS_WNR ? AXVCPU_MAP_WRITE : AXVCPU_MAP_READ);
}

static int handle_instruction_abort(struct vhe_vcpu *vhe)
{
	return handle_abort(vhe, vhe->esr & ISS_S1PTW ? permission_write(vhe) : AXVCPU_MAP_EXEC);
}

static unsigned int mmio_width(u64 esr)
{
	return 1U << FIELD_GET(ISS_SAS, esr);
}

static u64 narrow(u64 value, unsigned int bytes)
{
	return bytes < 8 ? value & (BIT_ULL(8 * bytes) - 1) : value;
}

/**
 * vhe_fault_exit() - see &struct axvcpu_arch_ops.fault_exit
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: &enum axvcpu_exit_reason; %AXVCPU_EXIT_NESTED_PAGE_FAULT: the
 * hardware did not decode the access.
 */
int vhe_fault_exit(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	struct axvcpu_run *run = vcpu->run;
	u64 esr = vhe->esr;

	if (ESR_ELx_EC(esr) != ESR_ELx_EC_DABT_LOW || !(esr & ISS_ISV) ||
	    esr & (ISS_S1PTW | ISS_CM))
		return AXVCPU_EXIT_NESTED_PAGE_FAULT;
	run->mmio.gpa = vcpu->fault.gpa.val;
	run->mmio.width = mmio_width(esr);
	run->mmio.reg = FIELD_GET(ISS_SRT, esr);
	run->mmio.reg_width = esr & ISS_SF ? 8 : 4;
	run->mmio.sign_extend = !!(esr & ISS_SSE);
	run->mmio.data = 0;
	if (!(esr & ISS_WNR)) {
		vhe->skip_due = true;
		return AXVCPU_EXIT_MMIO_READ;
	}
	run->mmio.data = narrow(vhe_get_x(vhe, FIELD_GET(ISS_SRT, esr)), mmio_width(esr));
	vhe_skip_insn(vhe);
	WRITE_ONCE(run->regs.arm64.pc, vhe->pc);
	return AXVCPU_EXIT_MMIO_WRITE;
}

/* --- answers ----------------------------------------------------------------- */

static void complete_mmio_read(struct vhe_vcpu *vhe)
{
	u64 data = READ_ONCE(vhe->vcpu.run->mmio.data);
	unsigned int width = mmio_width(vhe->esr);

	data = vhe->esr & ISS_SSE ? sign_extend64(data, 8 * width - 1) : narrow(data, width);
	vhe_set_x(vhe, FIELD_GET(ISS_SRT, vhe->esr), narrow(data, vhe->esr & ISS_SF ? 8 : 4));
	vhe_skip_insn(vhe);
}

static void complete_sysreg(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	if (READ_ONCE(run->sysreg.fault)) {
		vhe_undefined(vhe);
		return;
	}
	if (vhe->vcpu.exit_reason == AXVCPU_EXIT_SYSREG_READ)
		vhe_set_x(vhe, ESR_ELx_SYS64_ISS_RT(vhe->esr), READ_ONCE(run->sysreg.value));
	vhe_skip_insn(vhe);
}

/**
 * vhe_complete() - see &struct axvcpu_arch_ops.complete
 * @vcpu: the vCPU
 *
 * Nothing is done about an instruction that SET_REGS has taken the program
 * counter away from.
 *
 * Context: process context, &struct axvcpu.mutex held, not loaded.
 */
void vhe_complete(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (vcpu->exit_reason == AXVCPU_EXIT_HYPERCALL) {
		vhe_set_x(vhe, 0, READ_ONCE(vcpu->run->hypercall.ret));
	} else if (vcpu->exit_reason == AXVCPU_EXIT_CPU_UP) {
		vhe_set_x(vhe, 0, READ_ONCE(vcpu->run->cpu_up.ret));
	} else if (vhe->skip_due) {
		vhe->skip_due = false;
		if (vcpu->exit_reason == AXVCPU_EXIT_MMIO_READ)
			complete_mmio_read(vhe);
		else
			complete_sysreg(vhe);
	}
}

/* --- dispatch ---------------------------------------------------------------- */

/* What is not here is UNKNOWN to the VMM. */
static int (*const handlers[ESR_ELx_EC_MAX + 1])(struct vhe_vcpu *vhe) = {
	[ESR_ELx_EC_WFx]	= handle_wfx,
	[ESR_ELx_EC_FP_ASIMD]	= handle_fp,
	[ESR_ELx_EC_PAC]	= handle_pauth,
	[ESR_ELx_EC_HVC64]	= handle_hvc,
	[ESR_ELx_EC_SMC64]	= handle_smc,
	[ESR_ELx_EC_SYS64]	= vhe_handle_sysreg,
	[ESR_ELx_EC_SVE]	= vhe_undefined,
	[ESR_ELx_EC_SME]	= vhe_undefined,
	[ESR_ELx_EC_IABT_LOW]	= handle_instruction_abort,
	[ESR_ELx_EC_DABT_LOW]	= handle_data_abort,
	[ESR_ELx_EC_BREAKPT_LOW] = handle_debug,
	[ESR_ELx_EC_SOFTSTP_LOW] = handle_debug,
	[ESR_ELx_EC_WATCHPT_LOW] = handle_debug,
	[ESR_ELx_EC_BRK64]	= handle_debug,
};

static int handle_sync(struct vhe_vcpu *vhe)
{
	int (*handler)(struct vhe_vcpu *vhe) = handlers[ESR_ELx_EC(vhe->esr)];

	return handler ? handler(vhe) : exit_unknown(vhe);
}

/* The host takes its interrupt when the run loop lets it. */
static int handle_interrupt(struct vhe_vcpu *vhe)
{
	vhe->vcpu.stats.interrupts++;
	return vhe_timer_tell(vhe) ? vhe_exit_to_vmm(vhe, AXVCPU_EXIT_EXTERNAL_INTERRUPT) :
				     AXVCPU_NEXT_ENTER;
}

static int handle_serror(struct vhe_vcpu *vhe)
{
	pr_warn_ratelimited("SError in a guest, ESR %#llx\n", vhe->esr);
	vhe->esr |= (u64)ESR_ELx_EC_SERROR << ESR_ELx_EC_SHIFT;
	return exit_unknown(vhe);
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
	return kinds[vhe->exit](vhe);
}
