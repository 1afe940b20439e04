// SPDX-License-Identifier: GPL-2.0-only
/* Debug exceptions, which come to EL2 while there is a debugger: its own, and the guest's. */
#include <asm/esr.h>

#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_event.h"
#include "vhe_exit_debug.h"
#include "vhe_run.h"

static int stop(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;
	bool is_watch = ESR_ELx_EC(vhe->esr) == ESR_ELx_EC_WATCHPT_LOW;

	run->exception.vector = ESR_ELx_EC(vhe->esr);
	run->exception.error_code = vhe->esr & ESR_ELx_ISS_MASK;
	run->exception.payload = is_watch ? vhe->far : vhe->pc;
	run->exception.deliver = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_DEBUG);
}

/* EL1 takes it. */
static int pass_on(struct vhe_vcpu *vhe)
{
	vhe_save(vhe);
	if (ESR_ELx_EC(vhe->esr) == ESR_ELx_EC_WATCHPT_LOW)
		vhe->sys[VHE_FAR] = vhe->far;
	vhe_take_exception(vhe, vhe_debug_syndrome(vhe, vhe->esr));
	return AXVCPU_NEXT_ENTER;
}

/* It may be the end of the guest's own step, too. */
static void take_own_step(struct vhe_vcpu *vhe)
{
	u64 esr = vhe_debug_own_step(vhe);

	if (!esr)
		return;
	vhe_save(vhe);
	vhe_take_exception(vhe, esr);
}

/**
 * vhe_handle_step() - a software step was done
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_step(struct vhe_vcpu *vhe)
{
	if (vhe->debug.wish.flags & AXVCPU_DEBUG_STEP)
		return stop(vhe);
	take_own_step(vhe);
	return AXVCPU_NEXT_ENTER;
}

/* What EL1 would not take here, with its own PSTATE.D, is passed over. */
static int handle_address(struct vhe_vcpu *vhe, enum vhe_debug_kind kind)
{
	bool is_debuggers = vhe->debug.wish.count[kind];

	if (!is_debuggers && vhe_debug_is_guests(vhe, vhe->pstate))
		return pass_on(vhe);
	vhe_debug_step_over(vhe, kind);
	return is_debuggers ? stop(vhe) : AXVCPU_NEXT_ENTER;
}

/**
 * vhe_handle_breakpoint() - the guest came to a breakpoint
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_breakpoint(struct vhe_vcpu *vhe)
{
	return handle_address(vhe, VHE_BREAKPOINTS);
}

/**
 * vhe_handle_watchpoint() - the guest came to an access to a watchpoint
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_watchpoint(struct vhe_vcpu *vhe)
{
	return handle_address(vhe, VHE_WATCHPOINTS);
}

/**
 * vhe_handle_brk() - the guest came to a BRK
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_brk(struct vhe_vcpu *vhe)
{
	return vhe->debug.wish.flags & AXVCPU_DEBUG_SOFT_BREAKPOINTS ? stop(vhe) : pass_on(vhe);
}

/**
 * vhe_complete_debug() - the guest goes on after a stop
 * @vhe: the vCPU, not loaded
 *
 * Its own step is done as well, or the VMM has found a BRK to be the guest's own.
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vhe_complete_debug(struct vhe_vcpu *vhe)
{
	unsigned int class = ESR_ELx_EC(vhe->esr);

	if (class == ESR_ELx_EC_SOFTSTP_LOW)
		take_own_step(vhe);
	else if (class == ESR_ELx_EC_BRK64 && READ_ONCE(vhe->vcpu.run->exception.deliver))
		pass_on(vhe);
}
