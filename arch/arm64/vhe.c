// SPDX-License-Identifier: GPL-2.0-only
/* The arm64 backend: what the machine must be, and the life of a vCPU. */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/arch_timer.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>
#include <asm/virt.h>

#include "vhe.h"

/* The interrupt of kick_cpu(): that it comes is all there is to it. */
static DEFINE_PER_CPU(call_single_data_t, kicks);

static atomic64_t last_tag;

static void take_kick(void *info)
{
}

static int __ref vhe_init(void)
{
	int cpu, ret;

	if (!is_kernel_in_hyp_mode()) {
		pr_err("the kernel does not run at EL2 with VHE\n");
		return -EOPNOTSUPP;
	}
	if (system_uses_irq_prio_masking()) {
		pr_err("not with pseudo-NMIs (irqchip.gicv3_pseudo_nmi=1)\n");
		return -EOPNOTSUPP;
	}
	ret = vhe_s2_init();
	if (ret)
		return ret;
	for_each_possible_cpu(cpu)
		INIT_CSD(&per_cpu(kicks, cpu), take_kick, NULL);
	vhe_switch_init();
	vhe_tlb_init();
	vhe_gic_init();
	vhe_timer_init();
	return 0;
}

static void vhe_exit(void)
{
	int cpu;

	/* take_kick() must be over everywhere before its code goes. */
	for_each_online_cpu(cpu) {
		while (READ_ONCE(per_cpu(kicks.node.u_flags, cpu)) & CSD_FLAG_LOCK)
			cpu_relax();
	}
	kick_all_cpus_sync();
}

static void vhe_kick_cpu(int cpu)
{
	/* -EBUSY: one is on its way, which is as good. */
	smp_call_function_single_async(cpu, &per_cpu(kicks, cpu));
}

/* EL2 is on, and the host's. */
static int vhe_cpu_enable(void)
{
	vhe_spectre_enable();
	vhe_forget_vcpus();
	return 0;
}

static void vhe_cpu_disable(void)
{
}

static u64 vhe_caps(void)
{
	return 0;
}

static u64 vhe_cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, NSEC_PER_SEC, arch_timer_get_cntfrq());
}

/* --- the life of a vCPU ------------------------------------------------------ */

static void new_tag(struct vhe_vcpu *vhe)
{
	vhe->tag = atomic64_inc_return(&last_tag);
}

static void reset_registers(struct vhe_vcpu *vhe)
{
	memset(vhe->vcpu.run->regs.raw, 0, sizeof(vhe->vcpu.run->regs.raw));
	memset(vhe->sys, 0, sizeof(vhe->sys));
	vhe->sys[VHE_SCTLR] = VHE_SCTLR_RESET;
	memset(&vhe->fp, 0, sizeof(vhe->fp));
	vhe->pc = 0;
	vhe->pstate = VHE_PSTATE_RESET;
	vhe->sp_el0 = 0;
	vhe->mdscr = 0;
	vhe->timer.ctl = 0;
	vhe->timer.cval = 0;
	vhe->timer.voff = 0;
	vhe->timer.silent = false;
	vhe->lines = 0;
	vhe->exception = 0;
	vhe->serror = 0;
	vhe->flags = 0;
	vhe->exit = VHE_EXIT_IRQ;
	vhe->skip_due = false;
	vhe_gic_reset(vhe);
}

static int vhe_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config)
{
	const struct axvcpu_arm64_create_config *arm64 = &config->arm64;
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (arm64->mpidr & ~MPIDR_HWID_BITMASK ||
	    memchr_inv(arm64->reserved, 0, sizeof(arm64->reserved)))
		return -EINVAL;
	/* Bit 31 is RES1. */
	vhe->mpidr = arm64->mpidr | BIT(31);
	vhe->dtb = arm64->dtb;
	new_tag(vhe);
	vhe_timer_create(vhe);
	reset_registers(vhe);
	return 0;
}

static void vhe_vcpu_destroy(struct axvcpu *vcpu)
{
	vhe_timer_destroy(to_vhe(vcpu));
}

static int vhe_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (vhe->has_entry)
		return -EEXIST;
	if (entry.val >> vhe_s2_format.gpa_bits || !IS_ALIGNED(entry.val, 4))
		return -EINVAL;
	vhe->entry = entry.val;
	vhe->has_entry = true;
	return 0;
}

static int vhe_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	int ret;

	if (vhe->has_root)
		return -EEXIST;
	ret = vhe_s2_vttbr(root, &vhe->vttbr);
	if (ret)
		return ret;
	new_tag(vhe);
	vhe->has_root = true;
	return 0;
}

#define SETUP_FLAGS	((u64)(AXVCPU_ARM64_SETUP_DEBUG | AXVCPU_ARM64_SETUP_USER_GIC))

static int vhe_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config)
{
	const struct axvcpu_arm64_setup_config *arm64 = &config->arm64;
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (arm64->flags & ~SETUP_FLAGS ||
	    memchr_inv(arm64->reserved, 0, sizeof(arm64->reserved)) ||
	    !vhe->has_entry || !vhe->has_root || vhe->is_setup)
		return -EINVAL;
	vhe->flags = arm64->flags;
	vhe->pc = vhe->entry;
	vhe->pstate = VHE_PSTATE_RESET;
	if (vhe->dtb)
		vhe_set_x(vhe, 0, vhe->dtb);
	vhe->is_setup = true;
	return 0;
}

/* No CPU holds anything of a vCPU outside of RUN. */
static int vhe_bind_or_unbind(struct axvcpu *vcpu)
{
	return 0;
}

static void vhe_reset(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	vhe_timer_wake(vhe);
	vhe->has_entry = false;
	vhe->has_root = false;
	vhe->is_setup = false;
	reset_registers(vhe);
}

/* --- events ------------------------------------------------------------------ */

static bool vhe_has_event(struct axvcpu *vcpu)
{
	const struct vhe_vcpu *vhe = to_vhe(vcpu);

	return READ_ONCE(vhe->lines) || READ_ONCE(vhe->exception) || READ_ONCE(vhe->serror) ||
	       vhe_gic_has_event(vhe);
}

static int set_line(struct vhe_vcpu *vhe, u32 line, bool high)
{
	if (line != AXVCPU_ARM64_LINE_IRQ && line != AXVCPU_ARM64_LINE_FIQ)
		return -EINVAL;
	assign_bit(ilog2(line), &vhe->lines, high);
	return 0;
}

static int inject_interrupt(struct vhe_vcpu *vhe, const struct axvcpu_inject *event)
{
	u32 vector = event->vector;

	if (event->flags || event->error_code)
		return -EINVAL;
	if (vector <= AXVCPU_ARM64_MAX_INTID)
		return vhe_gic_queue(vhe, vector, event->priority);
	if (event->priority)
		return -EINVAL;
	if (vector >= AXVCPU_ARM64_LOWER_LINE(0))
		return set_line(vhe, vector - AXVCPU_ARM64_LOWER_LINE(0), false);
	return set_line(vhe, vector - AXVCPU_ARM64_RAISE_LINE(0), true);
}

static int inject_exception(struct vhe_vcpu *vhe, const struct axvcpu_inject *event)
{
	u64 esr;

	if (event->vector > AXVCPU_ARM64_MAX_EC || event->priority ||
	    event->error_code & ~ESR_ELx_ISS_MASK ||
	    (event->error_code && !(event->flags & AXVCPU_INJECT_ERROR_CODE)))
		return -EINVAL;
	esr = (u64)event->vector << ESR_ELx_EC_SHIFT | ESR_ELx_IL | event->error_code;
	return cmpxchg64(event->vector == ESR_ELx_EC_SERROR ? &vhe->serror : &vhe->exception,
			 0, esr) ? -EBUSY : 0;
}

static int vhe_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	switch (event->type) {
	case AXVCPU_EVENT_INTERRUPT:
		return inject_interrupt(to_vhe(vcpu), event);
	case AXVCPU_EVENT_EXCEPTION:
		return inject_exception(to_vhe(vcpu), event);
	default:
		return -EINVAL;
	}
}

const struct axvcpu_arch_ops axvcpu_arch = {
	.name = "vhe",
	.backend = AXVCPU_BACKEND_VHE,
	.vcpu_size = sizeof(struct vhe_vcpu),
	.s2 = &vhe_s2_format,
	.caps = vhe_caps,
	.init = vhe_init,
	.exit = vhe_exit,
	.cpu_enable = vhe_cpu_enable,
	.cpu_disable = vhe_cpu_disable,
	.vcpu_create = vhe_vcpu_create,
	.vcpu_destroy = vhe_vcpu_destroy,
	.set_entry = vhe_set_entry,
	.set_ept_root = vhe_set_ept_root,
	.setup = vhe_setup,
	.bind = vhe_bind_or_unbind,
	.unbind = vhe_bind_or_unbind,
	.reset = vhe_reset,
	.load = vhe_load,
	.put = vhe_put,
	.complete = vhe_complete,
	.enter = vhe_enter,
	.handle_exit = vhe_handle_exit,
	.fault_exit = vhe_fault_exit,
	.sync_regs = vhe_sync_regs,
	.has_event = vhe_has_event,
	.inject = vhe_inject,
	.kick_cpu = vhe_kick_cpu,
	.flush_tlbs = vhe_flush_tlbs,
	.get_reg = vhe_get_reg,
	.set_reg = vhe_set_reg,
	.cycles_to_ns = vhe_cycles_to_ns,
};
