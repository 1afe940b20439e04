// SPDX-License-Identifier: GPL-2.0-only
/* Undefined instructions, and accesses to system registers: by the table of vhe_sysregs.h. */
#include <linux/bitfield.h>
#include <linux/bits.h>

#include <asm/esr.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_event.h"
#include "vhe_exit_sysreg.h"
#include "vhe_run.h"
#include "vhe_sysregs.h"

/* ICC_SGI1R_EL1 */
#define SGI_TARGETS	GENMASK_ULL(15, 0)
#define SGI_AFF1	GENMASK_ULL(23, 16)
#define SGI_INTID	GENMASK_ULL(27, 24)
#define SGI_AFF2	GENMASK_ULL(39, 32)
#define SGI_IRM		BIT_ULL(40)
#define SGI_RS		GENMASK_ULL(47, 44)
#define SGI_AFF3	GENMASK_ULL(55, 48)

/**
 * vhe_undefined() - the guest's instruction is undefined
 * @vhe: the vCPU
 *
 * Context: &struct axvcpu.mutex held; preemption off, or the vCPU is not loaded.
 * Return: %AXVCPU_NEXT_ENTER.
 */
int vhe_undefined(struct vhe_vcpu *vhe)
{
	vhe_save(vhe);
	vhe_take_exception(vhe, ESR_ELx_IL);
	return AXVCPU_NEXT_ENTER;
}

/**
 * vhe_handle_pauth() - an instruction of pointer authentication was trapped
 * @vhe: the vCPU
 *
 * The keys' own traps and those of the instructions: once in a section
 *
 * Context: preemption off.
 * Return: %AXVCPU_NEXT_ENTER.
 */
int vhe_handle_pauth(struct vhe_vcpu *vhe)
{
	return vhe_use_pauth(vhe) ? AXVCPU_NEXT_ENTER : vhe_undefined(vhe);
}

static int done(struct vhe_vcpu *vhe)
{
	vhe_skip_insn(vhe);
	return AXVCPU_NEXT_ENTER;
}

static int undefined(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	return vhe_undefined(vhe);
}

static int use_keys(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	return vhe_handle_pauth(vhe);
}

static int read_value(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	u64 value;

	if (!vhe_sysreg_read(vhe, reg, &value))
		return vhe_undefined(vhe);
	vhe_set_x(vhe, rt, value);
	return done(vhe);
}

static int write_value(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	vhe_sysreg_write(vhe, reg, vhe_get_x(vhe, rt) & reg->bits);
	return done(vhe);
}

static int write_ignored(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	return done(vhe);
}

static int ask_vmm(struct vhe_vcpu *vhe, unsigned int rt, enum axvcpu_exit_reason reason)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->sysreg.addr = vhe->esr & ESR_ELx_SYS64_ISS_SYS_MASK;
	run->sysreg.reg = rt;
	run->sysreg.value = reason == AXVCPU_EXIT_SYSREG_READ ? 0 : vhe_get_x(vhe, rt);
	run->sysreg.fault = 0;
	vhe->skip_due = true;
	return vhe_exit_to_vmm(vhe, reason);
}

static int read_vmm(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	return ask_vmm(vhe, rt, AXVCPU_EXIT_SYSREG_READ);
}

static int write_vmm(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	return ask_vmm(vhe, rt, AXVCPU_EXIT_SYSREG_WRITE);
}

/* The target is an affinity whose level 0 is the first of the 16 in the list. */
static int send_ipi(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt)
{
	u64 value = vhe_get_x(vhe, rt);
	struct axvcpu_run *run = vhe->vcpu.run;

	vhe_skip_insn(vhe);
	run->ipi.target = FIELD_GET(SGI_AFF3, value) << 32 | FIELD_GET(SGI_AFF2, value) << 16 |
			  FIELD_GET(SGI_AFF1, value) << 8 | FIELD_GET(SGI_RS, value) << 4;
	run->ipi.target_aux = FIELD_GET(SGI_TARGETS, value);
	run->ipi.vector = FIELD_GET(SGI_INTID, value);
	run->ipi.flags = value & SGI_IRM ? AXVCPU_IPI_TO_ALL : 0;
	run->ipi.reserved = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_SEND_IPI);
}

/**
 * struct access - what the guest's accesses to a register do
 * @read: MRS
 * @write: MSR or SYS
 */
struct access {
	int (*read)(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt);
	int (*write)(struct vhe_vcpu *vhe, const struct vhe_sysreg *reg, unsigned int rt);
};

static const struct access accesses[] = {
	[VHE_ACCESS_VMM]	= { read_vmm, write_vmm },
	[VHE_ACCESS_KEPT]	= { read_value, write_value },
	[VHE_ACCESS_RO]		= { read_value, undefined },
	[VHE_ACCESS_WI]		= { undefined, write_ignored },
	[VHE_ACCESS_RAZ_WI]	= { read_value, write_ignored },
	[VHE_ACCESS_KEYS]	= { use_keys, use_keys },
	[VHE_ACCESS_SGI]	= { read_vmm, send_ipi },
	[VHE_ACCESS_DENIED]	= { undefined, undefined },
};

/**
 * vhe_handle_sysreg() - MRS, MSR or SYS was trapped
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_sysreg(struct vhe_vcpu *vhe)
{
	const struct vhe_sysreg *reg = vhe_sysreg_find(esr_sys64_to_sysreg(vhe->esr));
	const struct access *access = &accesses[reg ? reg->access : VHE_ACCESS_VMM];
	unsigned int rt = ESR_ELx_SYS64_ISS_RT(vhe->esr);

	if (vhe->esr & ESR_ELx_SYS64_ISS_DIR_READ)
		return access->read(vhe, reg, rt);
	return access->write(vhe, reg, rt);
}

/**
 * vhe_complete_sysreg() - the guest's access ends with the VMM's answer
 * @vhe: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vhe_complete_sysreg(struct vhe_vcpu *vhe)
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
