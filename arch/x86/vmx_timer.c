// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX-preemption timer (SDM vol. 3, 26.5.1): an exit after so much time in the
 * guest. The hardware counts, and keeps what is left at each exit; while it is
 * off, nobody does anything for it.
 */
#include <linux/math.h>
#include <linux/minmax.h>

#include "vmx.h"
#include "vmx_caps.h"
#include "vmx_insn.h"
#include "vmx_timer.h"

/**
 * vmx_set_timer() - start or stop it
 * @vmx: the vCPU, loaded
 * @ticks: of the TSC, from the next entry on; 0: off
 *
 * Context: preemption off.
 */
void vmx_set_timer(struct vmx_vcpu *vmx, u64 ticks)
{
	vmx->timer_on = ticks;
	vmwrite(PIN_BASED_VM_EXEC_CONTROL,
		vmx_caps.pin | (ticks ? PIN_BASED_VMX_PREEMPTION_TIMER : 0));
	vmwrite(VM_EXIT_CONTROLS,
		vmx_caps.exit | (ticks ? VM_EXIT_SAVE_VMX_PREEMPTION_TIMER : 0));
	if (ticks)
		vmwrite(VMX_PREEMPTION_TIMER_VALUE,
			round_up(ticks, 1ULL << vmx_caps.timer_shift) >> vmx_caps.timer_shift);
}

/**
 * vmx_timer() - what is left
 * @vmx: the vCPU, loaded
 *
 * It can come to 0 with another exit; its own is due then.
 *
 * Context: preemption off.
 * Return: ticks of the TSC; 0: off.
 */
u64 vmx_timer(struct vmx_vcpu *vmx)
{
	if (!vmx->timer_on)
		return 0;
	return clamp_val((u64)vmread(VMX_PREEMPTION_TIMER_VALUE) << vmx_caps.timer_shift,
			 1, U32_MAX);
}
