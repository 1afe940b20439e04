// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU's life, and the table of the backend. */
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <trace/events/ipi.h>

#include <asm/tsc.h>

#include "ept.h"
#include "vmx.h"
#include "vmx_buffers.h"
#include "vmx_caps.h"
#include "vmx_cpuid.h"
#include "vmx_debug.h"
#include "vmx_emergency.h"
#include "vmx_event.h"
#include "vmx_exit.h"
#include "vmx_fpu.h"
#include "vmx_host.h"
#include "vmx_hw.h"
#include "vmx_msr.h"
#include "vmx_perf.h"
#include "vmx_regs.h"
#include "vmx_run.h"
#include "vmx_setup.h"

/* VPID 0 is the host's. */
static DEFINE_IDA(vpids);

static int vmx_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int vpid;

	if (memchr_inv(config, 0, sizeof(*config)))
		return -EINVAL;

	vpid = ida_alloc_range(&vpids, 1, VMX_NR_VPIDS - 1, GFP_KERNEL_ACCOUNT);
	if (vpid < 0)
		return -ENOMEM;
	vmx->vpid = vpid;
	vmx->vmcs = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs)
		goto err_vpid;
	vmx_init_region(vmx->vmcs);
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->cpu = -1;
	if (vmx_fpu_create(vmx))
		goto err_vmcs;
	if (vmx_cpuid_create(vmx))
		goto err_fpu;
	return 0;

err_fpu:
	vmx_fpu_destroy(vmx);
err_vmcs:
	free_page((unsigned long)vmx->vmcs);
err_vpid:
	ida_free(&vpids, vpid);
	return -ENOMEM;
}

static void vmx_vcpu_destroy(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_clear(vmx);
	vmx_fpu_destroy(vmx);
	kfree(vmx->cpuid);
	free_page((unsigned long)vmx->vmcs);
	ida_free(&vpids, vmx->vpid);
}

static int vmx_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (vmx->entry_set)
		return -EEXIST;
	if (entry.val >> ept_format.gpa_bits)
		return -EINVAL;
	vmx->entry = entry;
	vmx->entry_set = true;
	return 0;
}

static int vmx_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (vmx->eptp_set)
		return -EEXIST;
	ret = ept_pointer(root, &vmx->eptp);
	if (ret)
		return ret;
	vmx->eptp_set = true;
	return 0;
}

static int vmx_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (!vmx->entry_set || !vmx->eptp_set)
		return -EINVAL;
	return vmx_init_vmcs(vmx, &config->x86);
}

static int vmx_bind(struct axvcpu *vcpu)
{
	return 0;
}

static int vmx_unbind(struct axvcpu *vcpu)
{
	vmx_clear(to_vmx(vcpu));
	return 0;
}

static void vmx_reset(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vmx_clear(vmx);
	/* Whatever is tried with it later, it does not lead to the old memory. */
	vmx_init_region(vmx->vmcs);
	memset_startat(vmx, 0, entry);
	vmx_fpu_reset(vmx);
}

static u64 vmx_capabilities(void)
{
	return ept_caps() | AXVCPU_CAP_DEBUG |
	       (vmx_caps.timer ? AXVCPU_CAP_PREEMPTION_TIMER : 0);
}

static void vmx_kick_cpu(int cpu)
{
	smp_send_reschedule(cpu);
}

static u64 vmx_cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, USEC_PER_SEC, tsc_khz);
}

static void vmx_exit(void)
{
	vmx_emergency_exit();
	vmx_msr_exit();
	vmx_host_exit();
	vmx_buffers_exit();
	vmx_hw_exit();
}

static int __init vmx_init(void)
{
	int ret;

	ret = vmx_caps_init();
	if (ret)
		return ret;
	ept_init();
	ret = vmx_hw_init();
	if (!ret)
		ret = vmx_buffers_init();
	if (!ret)
		ret = vmx_host_init();
	vmx_fpu_init();
	vmx_cpuid_init();
	vmx_perf_init();
	if (!ret)
		ret = vmx_msr_init();
	if (!ret)
		ret = vmx_emergency_init();
	if (ret)
		vmx_exit();
	return ret;
}

const struct axvcpu_arch_ops axvcpu_arch = {
	.name		= "VMX",
	.backend	= AXVCPU_BACKEND_VMX,
	.vcpu_size	= sizeof(struct vmx_vcpu),
	.s2		= &ept_format,
	.caps		= vmx_capabilities,
	.init		= vmx_init,
	.exit		= vmx_exit,
	.cpu_enable	= vmx_cpu_enable,
	.cpu_disable	= vmx_cpu_disable,
	.enabled	= vmx_enabled,
	.vcpu_create	= vmx_vcpu_create,
	.vcpu_destroy	= vmx_vcpu_destroy,
	.set_entry	= vmx_set_entry,
	.set_ept_root	= vmx_set_ept_root,
	.setup		= vmx_setup,
	.bind		= vmx_bind,
	.unbind		= vmx_unbind,
	.reset		= vmx_reset,
	.load		= vmx_load,
	.put		= vmx_put,
	.complete	= vmx_complete,
	.enter		= vmx_enter,
	.sync_regs	= vmx_sync_regs,
	.has_event	= vmx_has_event,
	.inject		= vmx_inject,
	.kick_cpu	= vmx_kick_cpu,
	.get_reg	= vmx_get_reg,
	.set_reg	= vmx_set_reg,
	.set_debug	= vmx_set_debug,
	.cycles_to_ns	= vmx_cycles_to_ns,
};
