// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX operation of each CPU, and the VMCSs that are active there.
 *
 * An active VMCS is partly inside the CPU. It comes out by VMCLEAR on that
 * CPU only: by an interrupt, when its vCPU goes on elsewhere or ends, and by
 * vmx_cpu_disable().
 */
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/smp.h>

#include <asm/io.h>
#include <asm/nospec-branch.h>
#include <asm/perf_event.h>
#include <asm/tlbflush.h>

#include "ept.h"
#include "vmx_caps.h"
#include "vmx_host.h"
#include "vmx_hw.h"
#include "vmx_insn.h"

/* What is active and what is current on this CPU; by this CPU only. */
static DEFINE_PER_CPU(struct list_head, active_vmcss);
DEFINE_PER_CPU(struct vmx_vcpu *, vmx_current);

static DEFINE_PER_CPU(void *, vmxon_region);

/* CPUs that we have put into VMX operation */
static atomic_t nr_cpus_on;

/**
 * vmx_init_region() - make a page a VMCS without contents, or one for VMXON
 * @region: the page; no CPU holds anything of it
 *
 * An entry with such a VMCS fails.
 *
 * Context: any.
 */
void vmx_init_region(void *region)
{
	clear_page(region);
	*(u32 *)region = vmx_caps.revision;
}

/**
 * vmx_hw_init() - what VMXON needs, for CPUs to come too
 *
 * Context: module load.
 * Return: 0 or -ENOMEM; vmx_hw_exit() is due in any case.
 */
int __init vmx_hw_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		INIT_LIST_HEAD(&per_cpu(active_vmcss, cpu));
		per_cpu(vmxon_region, cpu) = (void *)__get_free_page(GFP_KERNEL);
		if (!per_cpu(vmxon_region, cpu))
			return -ENOMEM;
		vmx_init_region(per_cpu(vmxon_region, cpu));
	}
	return 0;
}

/**
 * vmx_hw_exit() - undo vmx_hw_init()
 *
 * Context: module unload; no CPU is in VMX operation through us.
 */
void vmx_hw_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu(vmxon_region, cpu));
}

static void vmx_is_taken(void)
{
	static DEFINE_RATELIMIT_STATE(once_in_a_while, 5 * HZ, 1);

	if (__ratelimit(&once_in_a_while))
		pr_err("another hypervisor holds VMX; unload kvm_intel, or load it with kvm.enable_virt_at_load=0\n");
}

/**
 * vmx_cpu_enable() - turn VMX operation on
 *
 * The firmware's settings are left alone: the kernel has looked after them.
 *
 * Context: interrupts off, on each CPU.
 * Return: 0; -EBUSY: another hypervisor has it on; -EIO: it does not go on, or this CPU is
 * unlike the others.
 */
int vmx_cpu_enable(void)
{
	u64 region = __pa(this_cpu_read(vmxon_region));

	lockdep_assert_irqs_disabled();
	if (cr4_read_shadow() & X86_CR4_VMXE) {
		vmx_is_taken();
		return -EBUSY;
	}
	if (!vmx_caps_match())
		return -EIO;

	intel_pt_handle_vmx(1);
	cr4_set_bits(X86_CR4_VMXE);
	if (vmxon(region)) {
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
		return -EIO;
	}
	atomic_inc(&nr_cpus_on);
	/* Tables of whoever was here before may be pages of ours now. */
	ept_flush_all();
	return 0;
}

static void clear_here(struct vmx_vcpu *vmx)
{
	if (this_cpu_read(vmx_current) == vmx)
		this_cpu_write(vmx_current, NULL);
	(void)vmclear(vmx->vmcs_pa);
	list_del(&vmx->link);
	vmx->launched = false;
	/* Whoever sees that it is nowhere sees it off the list and cleared. */
	smp_store_release(&vmx->cpu, -1);
}

/**
 * vmx_cpu_disable() - put away all VMCSs, turn VMX operation off
 *
 * Context: interrupts off, on a CPU of vmx_cpu_enable().
 */
void vmx_cpu_disable(void)
{
	struct list_head *active = this_cpu_ptr(&active_vmcss);

	lockdep_assert_irqs_disabled();
	while (!list_empty(active))
		clear_here(list_first_entry(active, struct vmx_vcpu, link));
	(void)vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
	atomic_dec(&nr_cpus_on);
}

/**
 * vmx_is_on() - is any CPU in VMX operation through us?
 *
 * Context: any.
 * Return: whether one is.
 */
bool vmx_is_on(void)
{
	return atomic_read(&nr_cpus_on);
}

/**
 * vmx_emergency_disable() - the machine crashes or restarts without further ado
 *
 * What VMCSs hold goes to memory now, so that it does not later go into the
 * next kernel's, and INIT is let through. vCPUs find out by faults.
 *
 * Context: any, NMI too, interrupts off.
 */
void vmx_emergency_disable(void)
{
	struct vmx_vcpu *vmx;

	if (!(__read_cr4() & X86_CR4_VMXE))
		return;
	list_for_each_entry(vmx, this_cpu_ptr(&active_vmcss), link)
		(void)vmclear(vmx->vmcs_pa);
	(void)vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
}

static void clear_if_here(void *arg)
{
	struct vmx_vcpu *vmx = arg;

	if (vmx->cpu == smp_processor_id())
		clear_here(vmx);
}

/**
 * vmx_clear() - no CPU holds anything of this VMCS any more
 * @vmx: the vCPU
 *
 * Context: interrupts on; nobody else loads the vCPU.
 */
void vmx_clear(struct vmx_vcpu *vmx)
{
	/* Pairs with clear_here(). */
	int cpu = smp_load_acquire(&vmx->cpu);

	/* A CPU that has gone offline since has cleared it itself. */
	if (cpu >= 0)
		(void)smp_call_function_single(cpu, clear_if_here, vmx, 1);
}

static int activate(struct vmx_vcpu *vmx, int cpu)
{
	unsigned long flags;
	int ret;

	vmx_clear(vmx);
	local_irq_save(flags);
	/* A new VMCS must be cleared once, too. */
	ret = vmclear(vmx->vmcs_pa) ?: vmptrld(vmx->vmcs_pa);
	if (!ret) {
		list_add(&vmx->link, this_cpu_ptr(&active_vmcss));
		vmx->cpu = cpu;
	}
	local_irq_restore(flags);
	return ret;
}

/**
 * vmx_fetch() - make a vCPU's VMCS this CPU's current one
 * @vmx: the vCPU, which is not
 *
 * Fetches it from the CPU where it was active last. Another vCPU's branch
 * predictions must not steer this one.
 *
 * Context: preemption off, interrupts on, &struct axvcpu.mutex held.
 * Return: 0, or -EIO: this CPU is not in VMX operation.
 */
int vmx_fetch(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	int ret;

	lockdep_assert_held(&vmx->vcpu.mutex);
	if (vmx->cpu != cpu) {
		ret = activate(vmx, cpu);
		if (ret)
			return ret;
		vmx_host_move(&vmx->host);
	} else {
		ret = vmptrld(vmx->vmcs_pa);
		if (ret)
			return ret;
	}
	this_cpu_write(vmx_current, vmx);
	indirect_branch_prediction_barrier();
	return 0;
}
