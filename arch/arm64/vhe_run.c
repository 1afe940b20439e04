// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into the guest and back.
 *
 * The guest's registers are in the hardware from the first entry of a section to
 * its end, or until somebody asks for them. What disturbs the host is switched in
 * a stretch, which has one entry here.
 */
#include <linux/lockdep.h>
#include <linux/percpu.h>

#include <asm/alternative.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>
#include <asm/esr.h>
#include <asm/exception.h>
#include <asm/kvm_arm.h>
#include <asm/neon.h>

#include "entry.h"
#include "stage2.h"
#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_event.h"
#include "vhe_gic.h"
#include "vhe_host.h"
#include "vhe_insn.h"
#include "vhe_irq.h"
#include "vhe_regs.h"
#include "vhe_run.h"
#include "vhe_spectre.h"
#include "vhe_timer.h"
#include "vhe_tlb.h"
#include "vhe_traps.h"

static_assert(offsetof(struct axvcpu_arm64_gprs, x[30]) == 30 * 8); /* entry.S */

#define VSESR_EL2	sys_reg(3, 4, 5, 2, 3)
#define VDISR_EL2	sys_reg(3, 4, 12, 1, 1)
#define ISR_A		BIT(8)

bool vhe_has_nmi __ro_after_init;

/**
 * vhe_run_init() - look what the CPUs have
 *
 * Context: module load.
 */
void __init vhe_run_init(void)
{
	/* The kernel does not know of it. */
	vhe_has_nmi = cpuid_feature_extract_unsigned_field(read_sysreg_s(SYS_ID_AA64PFR1_EL1), 36);
}

/* --- a section --------------------------------------------------------------- */

#define LOAD(name, guest, at_el2, ...)						\
	vhe_write_s(vhe->sys[VHE_##name], VHE_AT_##at_el2(guest));
#define SAVE(name, guest, at_el2, ...)						\
	vhe->sys[VHE_##name] = vhe_read_s(VHE_AT_##at_el2(guest));

static void load_controls(struct vhe_vcpu *vhe)
{
	vhe_write(vhe->vttbr, vttbr_el2);
	vhe_write(vhe_s2_vtcr, vtcr_el2);
	vhe_write(read_cpuid_id(), vpidr_el2);
	vhe_write(vhe->mpidr, vmpidr_el2);
	vhe_write(vhe->timer.voff, cntvoff_el2);
	vhe_load_traps(vhe);
	/* Speculative walks find all of stage 2 or none: ARM64_WORKAROUND_SPECULATIVE_AT. */
	isb();
}

#define SAVE_HOST_KEY(name, encoding, ...)					\
	vhe->host.keys[VHE_##name - VHE_APIBLO] = vhe_read_s(encoding);
#define RESTORE_HOST_KEY(name, encoding, ...)					\
	vhe_write_s(vhe->host.keys[VHE_##name - VHE_APIBLO], encoding);

static void load_keys(struct vhe_vcpu *vhe)
{
	VHE_KEYS(SAVE_HOST_KEY)
	VHE_KEYS(LOAD)
	vhe->pauth_on = true;
}

/* The guest's registers into the hardware, at the first entry of a section. */
static void load_guest(struct vhe_vcpu *vhe)
{
	vhe_host_save(&vhe->host);
	if (vhe->pauth_used)
		load_keys(vhe);
	load_controls(vhe);
	VHE_SECTION_SYSREGS(LOAD)
	if (unlikely(vhe->disr))
		vhe_write_s(vhe->disr, VDISR_EL2);
	vhe_timer_load(&vhe->timer);
	vhe_gic_load(vhe);
	vhe->in_hw = true;
}

/**
 * vhe_use_pauth() - the guest has its keys from its next entry on
 * @vhe: the vCPU, its registers in the hardware
 *
 * What the kernel itself signs with is switched by entry.S. The other keys are
 * those of the thread in userspace. Who has used them once has them in each section.
 *
 * Context: preemption off.
 * Return: whether guests have pointer authentication.
 */
bool vhe_use_pauth(struct vhe_vcpu *vhe)
{
	if (!system_supports_address_auth() || !system_supports_generic_auth())
		return false;
	load_keys(vhe);
	vhe->pauth_used = true;
	vhe_load_traps(vhe);
	return true;
}

static void stop_pauth(struct vhe_vcpu *vhe)
{
	if (!vhe->pauth_on)
		return;
	VHE_KEYS(SAVE)
	VHE_KEYS(RESTORE_HOST_KEY)
	vhe->pauth_on = false;
}

/* Around a read of PAR_EL1: erratum 1508412, see read_sysreg_par() */
static __always_inline void fence_par(void)
{
	asm volatile(ALTERNATIVE("nop", "dmb sy", ARM64_WORKAROUND_1508412) : : : "memory");
}

/* Mostly, there is no error that an ESB of the guest's has found. */
static void save_disr(struct vhe_vcpu *vhe)
{
	vhe->disr = vhe_read_s(VDISR_EL2);
	if (unlikely(vhe->disr))
		vhe_write_s(0, VDISR_EL2);
}

/**
 * vhe_unload_guest() - the guest's registers out of the hardware; see vhe_save()
 * @vhe: the vCPU
 *
 * What the host or KVM had there is there again. The next entry loads the
 * guest's again.
 *
 * Context: preemption off, on the CPU of vhe_enter().
 */
void vhe_unload_guest(struct vhe_vcpu *vhe)
{
	vhe->in_hw = false;
	vhe_timer_save(&vhe->timer);
	vhe_timer_drop(&vhe->timer, vhe_gic_save(vhe));
	stop_pauth(vhe);
	/* PAR_EL1 is among them. */
	fence_par();
	VHE_SECTION_SYSREGS(SAVE)
	fence_par();
	if (vhe_has_ras())
		save_disr(vhe);
	vhe_host_restore(&vhe->host);
	isb();
}

/**
 * vhe_load() - see &struct axvcpu_arch_ops.load
 * @vcpu: the vCPU
 *
 * The registers follow at the first entry, so that looking at them costs
 * nothing.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0.
 */
int vhe_load(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(vhe->timer.armed))
		vhe_timer_wake(&vhe->timer);
	if (READ_ONCE(vcpu->run->regs_dirty))
		vhe_take_page(vhe);
	return 0;
}

/**
 * vhe_put() - see &struct axvcpu_arch_ops.put
 * @vcpu: the vCPU, its registers not in the hardware: who entered it has synced them
 *
 * Context: preemption off, on the CPU of vhe_load().
 */
void vhe_put(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vhe->fp_on = false;
	/* The VMM has looked at registers, or changed them, while the guest waits. */
	if (unlikely(vcpu->halted))
		vhe_timer_sleep(&vhe->timer);
}

static __always_inline void show_queue(struct vhe_vcpu *vhe)
{
	if (unlikely(READ_ONCE(vhe->irq.show)))
		vhe_irq_show(vhe);
}

/**
 * vhe_show_queue() - see &struct axvcpu_arch_ops.show_queue
 * @vcpu: the vCPU, its registers not in the hardware
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vhe_show_queue(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	show_queue(to_vhe(vcpu));
}

/**
 * vhe_sync_regs() - see &struct axvcpu_arch_ops.sync_regs
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_sync_regs(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vhe_save(vhe);
	vhe_sync_page(vhe);
	show_queue(vhe);
}

/* --- FP ---------------------------------------------------------------------- */

/**
 * vhe_use_fp() - the guest has FP registers from its next entry on
 * @vhe: the vCPU
 *
 * The task's own are put into memory, the kernel then holds nothing in the
 * registers, and expects nothing there until it returns to userspace. What
 * runs in interrupts may use them: the guest's are out of them by then.
 *
 * Context: preemption off, interrupts on.
 */
void vhe_use_fp(struct vhe_vcpu *vhe)
{
	kernel_neon_begin();
	kernel_neon_end();
	vhe->fp_on = true;
	vhe_load_traps(vhe);
}

/* --- a stretch --------------------------------------------------------------- */

/* An abort's IPA is not recorded when permission is missing but at the last level. */
static __always_inline bool hpfar_is_valid(u64 esr)
{
	return esr & ESR_ELx_S1PTW || (esr & ESR_ELx_FSC_TYPE) != ESR_ELx_FSC_PERM;
}

/* The walk of stage 1 again, into PAR_EL1, which is the guest's. */
static __always_inline u64 translate(u64 far)
{
	u64 par = read_sysreg_par(), result;

	asm volatile("at s1e1r, %0" : : "r" (far));
	isb();
	result = read_sysreg_par();
	vhe_write(par, par_el1);
	/* The guest changed its tables meanwhile: nothing is wrong at 0, it tries again. */
	if (result & SYS_PAR_EL1_F)
		return U64_MAX;
	return (result & GENMASK_ULL(47, 12)) >> 8;
}

static __always_inline void finish_stores(void)
{
	dsb(sy);
	isb();
}

/*
 * An error that the vectors' ESB found waiting is the guest's, whatever the
 * exit was. Without RAS, it must be taken to be found.
 */
static __always_inline bool take_deferred_error(struct vhe_vcpu *vhe)
{
	bool ras = vhe_has_ras();
	u64 disr;

	/* Without the ESB, what the guest has stored is waited for. */
	if (unlikely(!ras))
		finish_stores();
	disr = ras ? vhe_read_s(SYS_DISR_EL1) : vhe_read(isr_el1) & ISR_A;
	if (likely(!disr))
		return false;
	if (ras) {
		vhe_write_s(0, SYS_DISR_EL1);
		vhe->esr = disr_to_esr(disr);
	} else if (vhe_take_serror()) {
		vhe->esr = vhe_read(esr_el2);
	}
	vhe->exit = VHE_EXIT_SERROR;
	return true;
}

static __always_inline void read_syndrome(struct vhe_vcpu *vhe)
{
	unsigned int class;

	if (take_deferred_error(vhe) || vhe->exit == VHE_EXIT_IRQ || vhe->exit == VHE_EXIT_FIQ)
		return;
	vhe->esr = vhe_read(esr_el2);
	class = ESR_ELx_EC(vhe->esr);
	if (class == ESR_ELx_EC_DABT_LOW || class == ESR_ELx_EC_IABT_LOW) {
		vhe->far = vhe_read(far_el2);
		vhe->hpfar = hpfar_is_valid(vhe->esr) ? vhe_read(hpfar_el2) :
							translate(vhe->far);
	} else {
		vhe->far = class == ESR_ELx_EC_WATCHPT_LOW ? vhe_read(far_el2) : 0;
	}
}

/* Errata 1165522 (Cortex-A76) and 1530923 (Cortex-A55) */
static __always_inline void fence_regimes(void)
{
	asm volatile(ALTERNATIVE("nop", "isb", ARM64_WORKAROUND_SPECULATIVE_AT) : : : "memory");
}

/*
 * An exception here, of a probe for example, would be taken with the guest's
 * HCR_EL2 or by our vectors, so nothing may be put in.
 */
static noinstr void switch_worlds(struct vhe_vcpu *vhe, bool flush)
{
	const struct vhe_host *host = &vhe->host;
	u64 mdscr = vhe_read(mdscr_el1);
	u64 debug = ((mdscr | vhe->mdscr) & ~VHE_MDSCR_TDCC) | vhe->attached;
	u64 hcr = vhe->traps.hcr | vhe_event_hcr(vhe);

	if (unlikely(hcr & HCR_VSE) && vhe_has_ras())
		vhe_write_s(vhe->serror & ESR_ELx_ISS_MASK, VSESR_EL2);
	/* Which registers a speculative walk uses is settled before the regime changes. */
	fence_regimes();
	vhe_write_hcr(hcr);
	vhe_tlb_own(vhe->tag, flush);
	vhe_write(vhe->traps.cptr, cpacr_el1);
	if (vhe->fp_on)
		vhe_fp_load(&vhe->fp);
	if (unlikely(debug))
		vhe_debug_enter(vhe, mdscr);
	vhe_write(vhe_vectors, vbar_el1);
	vhe_write(vhe->pc, elr_el2);
	vhe_write(vhe->pstate, spsr_el2);
	/* SP_EL0, and the key: the guest's and the host's, each read and written */
	axvcpu_count_many(SYSREG, vhe->pauth_on ? 4 + 8 : 4);

	vhe->exit = vhe_world_switch(&vhe->vcpu.run->regs.arm64, &vhe->sp_el0,
				     __this_cpu_read(vhe_mitigation),
				     vhe->pauth_on ? &vhe->sys[VHE_APIALO] : NULL);

	vhe->pc = vhe_read(elr_el2);
	vhe->pstate = vhe_read(spsr_el2);
	read_syndrome(vhe);
	/* Taken; one that came while the guest ran waits for the next entry. */
	if (unlikely(hcr & HCR_VSE) && !(vhe_read(hcr_el2) & HCR_VSE))
		vhe->serror = 0;
	if (vhe->fp_on)
		vhe_fp_save(&vhe->fp);
	if (unlikely(debug))
		vhe_debug_exit(vhe, mdscr);
	vhe_write_hcr(host->hcr);
	fence_regimes();
	vhe_write(host->cpacr, cpacr_el1);
	vhe_write(host->vbar, vbar_el1);
	vhe_timer_exit(&vhe->timer);
	isb();
}

/*
 * What INJECT has queued; WITHDRAW may have been quicker. Else the guest's own step, done by
 * an instruction that was done here. With a debugger, hardware makes it come in turn.
 */
static noinline void take_exception(struct vhe_vcpu *vhe)
{
	u64 esr;

	vhe_save(vhe);
	esr = xchg(&vhe->exception, 0);
	if (!esr && !vhe->attached) {
		esr = vhe_debug_own_step(vhe);
		vhe->own_step = 0;
	}
	if (esr)
		vhe_take_exception(vhe, esr);
}

/**
 * vhe_enter() - see &struct axvcpu_arch_ops.enter
 * @vcpu: the vCPU
 * @flush: forget this CPU's translations first
 *
 * Context: interrupts off.
 * Return: 0, or -EINVAL: it was never set up.
 */
int vhe_enter(struct axvcpu *vcpu, bool flush)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_irqs_disabled();
	/* Within a section, handle_exit() has ended what can't go on. */
	if (!vhe->in_hw) {
		if (unlikely(!vhe->is_setup))
			return -EINVAL;
		if (unlikely(vhe->exit == VHE_EXIT_BAD_PSTATE || !vhe_mode_ok(vhe->pstate))) {
			vhe->exit = VHE_EXIT_BAD_PSTATE;
			/* It still has to be done. */
			if (flush)
				vcpu->tlb_gen = 0;
			return 0;
		}
	}
	/* What the host has pending would end the guest's stay at once, or be taken for its own. */
	if (unlikely(vhe_read(isr_el1))) {
		vhe->exit = VHE_EXIT_IRQ;
		if (flush)
			vcpu->tlb_gen = 0;
		return 0;
	}
	if (unlikely(READ_ONCE(vhe->exception) | vhe->own_step))
		take_exception(vhe);
	/* D and A are on whenever interrupts may be. */
	asm volatile("msr daifset, #0xc" : : : "memory");
	if (!vhe->in_hw)
		load_guest(vhe);
	if (unlikely(vhe_irq_has_work(&vhe->irq, &vhe->timer)))
		vhe_irq_enter(vhe);
	vhe_timer_enter(&vhe->timer);
	switch_worlds(vhe, flush);
	if (unlikely(vhe->gic.wants_room))
		vhe_gic_stop_wanting(&vhe->gic);
	asm volatile("msr daifclr, #0xc" : : : "memory");
	if (unlikely(!vhe_mode_ok(vhe->pstate)))
		vhe->exit = VHE_EXIT_BAD_PSTATE;
	return 0;
}
