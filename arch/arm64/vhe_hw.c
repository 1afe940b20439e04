// SPDX-License-Identifier: GPL-2.0-only
/* What the machine must be, and what each CPU needs before it has guests. */
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/time64.h>

#include <asm/arch_timer.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>
#include <asm/virt.h>

#include "stage2.h"
#include "vhe_debug.h"
#include "vhe_gic.h"
#include "vhe_host.h"
#include "vhe_hw.h"
#include "vhe_run.h"
#include "vhe_spectre.h"
#include "vhe_sysregs.h"
#include "vhe_timer.h"
#include "vhe_tlb.h"
#include "vhe_traps.h"

/* The interrupt of kick_cpu(): that it comes is all there is to it. */
static DEFINE_PER_CPU(call_single_data_t, kicks);

static void take_kick(void *info)
{
}

DEFINE_STATIC_KEY_FALSE(vhe_fences_hcr);

#define IMPLEMENTER_AMPERE	0xc0
#define PART_AMPERE1A		0xac4

/* What has errata that the kernel does not tell modules of */
static void __init look_for_errata(void)
{
	u32 midr = read_cpuid_id();

	if (MIDR_IMPLEMENTOR(midr) == IMPLEMENTER_AMPERE && MIDR_PARTNUM(midr) == PART_AMPERE1A)
		static_branch_enable(&vhe_fences_hcr);
}

/**
 * vhe_hw_init() - see &struct axvcpu_arch_ops.init
 *
 * Context: module load.
 * Return: 0, or -EOPNOTSUPP: the machine is none for guests.
 */
int __ref vhe_hw_init(void)
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
	/* Its guests' writes of TTBR and so on would have to be trapped and made here. */
	if (cpus_have_cap(ARM64_WORKAROUND_CAVIUM_TX2_219_TVM)) {
		pr_err("not on ThunderX2 with SMT (erratum 219)\n");
		return -EOPNOTSUPP;
	}
	ret = vhe_s2_init();
	if (ret)
		return ret;
	look_for_errata();
	for_each_possible_cpu(cpu)
		INIT_CSD(&per_cpu(kicks, cpu), take_kick, NULL);
	vhe_sysregs_init();
	vhe_traps_init();
	vhe_debug_init();
	vhe_run_init();
	vhe_tlb_init();
	ret = vhe_gic_init();
	if (ret)
		return ret;
	ret = vhe_timer_init();
	if (ret)
		vhe_gic_fini();
	return ret;
}

/**
 * vhe_hw_exit() - see &struct axvcpu_arch_ops.exit
 *
 * Context: module unload.
 */
void vhe_hw_exit(void)
{
	int cpu;

	vhe_timer_fini();
	vhe_gic_fini();
	/* take_kick() must be over everywhere before its code goes. */
	for_each_online_cpu(cpu) {
		while (READ_ONCE(per_cpu(kicks.node.u_flags, cpu)) & CSD_FLAG_LOCK)
			cpu_relax();
	}
	kick_all_cpus_sync();
}

/**
 * vhe_kick_cpu() - see &struct axvcpu_arch_ops.kick_cpu
 * @cpu: the CPU
 *
 * Context: preemption off.
 */
void vhe_kick_cpu(int cpu)
{
	/* -EBUSY: one is on its way, which is as good. */
	smp_call_function_single_async(cpu, &per_cpu(kicks, cpu));
}

/**
 * vhe_cpu_enable() - see &struct axvcpu_arch_ops.cpu_enable
 *
 * EL2 is on, and the host's.
 *
 * Context: on each CPU, interrupts off.
 * Return: 0.
 */
int vhe_cpu_enable(void)
{
	lockdep_assert_irqs_disabled();
	vhe_host_enable();
	vhe_spectre_enable();
	vhe_tlb_forget_owner();
	vhe_timer_cpu_enable();
	vhe_gic_cpu_enable();
	return 0;
}

/**
 * vhe_cpu_disable() - see &struct axvcpu_arch_ops.cpu_disable
 *
 * No CPU holds anything of a vCPU outside of a section, and EL2 stays the host's.
 *
 * Context: on each CPU, interrupts off.
 */
void vhe_cpu_disable(void)
{
	lockdep_assert_irqs_disabled();
	vhe_timer_cpu_disable();
	vhe_gic_cpu_disable();
}

/**
 * vhe_caps() - see &struct axvcpu_arch_ops.caps
 *
 * Context: any.
 * Return: ``AXVCPU_CAP_*``.
 */
u64 vhe_caps(void)
{
	return AXVCPU_CAP_DEBUG;
}

/**
 * vhe_counter_hz() - see &struct axvcpu_arch_ops.counter_hz
 *
 * Context: any.
 * Return: CNTFRQ_EL0.
 */
u64 vhe_counter_hz(void)
{
	return arch_timer_get_cntfrq();
}

/**
 * vhe_cycles_to_ns() - see &struct axvcpu_arch_ops.cycles_to_ns
 * @cycles: of the system counter, CNTVCT_EL0
 *
 * Context: any.
 * Return: nanoseconds, by CNTFRQ_EL0.
 */
u64 vhe_cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, NSEC_PER_SEC, arch_timer_get_cntfrq());
}
