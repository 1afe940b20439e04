// SPDX-License-Identifier: GPL-2.0-only
/* The guest waits for an event: WFI, and PSCI's CPU_SUSPEND. */
#include <linux/bitfield.h>
#include <linux/bits.h>

#include "vhe.h"
#include "vhe_event.h"
#include "vhe_exit_halt.h"
#include "vhe_run.h"
#include "vhe_timer.h"

#define ISS_WFX_TI	GENMASK(1, 0)
#define WFX_WFI		0

/**
 * vhe_halt() - the guest waits for an event
 * @vhe: the vCPU, past the instruction
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_halt(struct vhe_vcpu *vhe)
{
	vhe_save(vhe);
	if (vhe_has_event(&vhe->vcpu))
		return AXVCPU_NEXT_ENTER;
	vhe_timer_sleep(&vhe->timer);
	return AXVCPU_NEXT_HALT;
}

/**
 * vhe_handle_wfx() - WFI, WFIT or WFET was trapped
 * @vhe: the vCPU
 *
 * WFIT and WFET, with their time-out, may end at any time.
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_wfx(struct vhe_vcpu *vhe)
{
	vhe_skip_insn(vhe);
	if (FIELD_GET(ISS_WFX_TI, vhe->esr) != WFX_WFI)
		return AXVCPU_NEXT_ENTER;
	return vhe_halt(vhe);
}
