// SPDX-License-Identifier: GPL-2.0-only
/* The table of the backend, and its start and end. */
#include <linux/math64.h>
#include <linux/smp.h>
#include <linux/time64.h>

#include <trace/events/ipi.h>

#include <asm/cpufeature.h>
#include <asm/tsc.h>

#include "../../axvcpu_arch.h"
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
#include "vmx_keep.h"
#include "vmx_msr.h"
#include "vmx_perf.h"
#include "vmx_queue.h"
#include "vmx_regs.h"
#include "vmx_run.h"
#include "vmx_setup.h"
#include "vmx_vcpu.h"

static u64 vmx_capabilities(void)
{
	return ept_caps() | AXVCPU_CAP_DEBUG |
	       (vmx_caps.timer ? AXVCPU_CAP_PREEMPTION_TIMER : 0);
}

/* Guests read the host's TSC, with an offset. */
static u64 vmx_counter_hz(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) ? tsc_khz * 1000ULL : 0;
}

static void vmx_kick_cpu(int cpu)
{
	smp_send_reschedule(cpu);
}

static void vmx_show_queue(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (READ_ONCE(vmx->queued))
		vmx_queue_show(vmx);
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
	vmx_regs_init();
	vmx_exit_init();
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
	.exit_classes	= vmx_exit_classes,
	.caps		= vmx_capabilities,
	.counter_hz	= vmx_counter_hz,
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
	.show_queue	= vmx_show_queue,
	.has_event	= vmx_has_event,
	.halt_is_masked	= vmx_halt_is_masked,
	.inject		= vmx_inject,
	.withdraw	= vmx_withdraw,
	.kick_cpu	= vmx_kick_cpu,
	.get_regs	= vmx_get_regs,
	.check_regs	= vmx_check_regs,
	.commit_regs	= vmx_commit_regs,
	.list_regs	= vmx_list_regs,
	.kept_size	= vmx_kept_size,
	.keep		= vmx_keep,
	.restore	= vmx_restore,
	.set_debug	= vmx_set_debug,
	.cycles_to_ns	= vmx_cycles_to_ns,
};
