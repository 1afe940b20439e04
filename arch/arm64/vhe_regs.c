// SPDX-License-Identifier: GPL-2.0-only
/* The guest's registers as the VMM sees them: run page, GET_REGS, SET_REGS. */
#include <linux/compiler.h>
#include <linux/lockdep.h>

#include <asm/esr.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_irq.h"
#include "vhe_regs.h"
#include "vhe_sysregs.h"

#define CLASS_SHIFT		16
#define CLASS_GIC		4
#define CLASS_SYS		0x10000

/* AXVCPU_ARM64_REG_SYS() numbers fields as the instruction does; sys_reg() has them 5 bits up. */
static u32 encoding_of(u64 id)
{
	u32 bits = id;

	return sys_reg(bits >> 14 & 3, bits >> 11 & 7, bits >> 7 & 15, bits >> 3 & 15, bits & 7);
}

/**
 * vhe_take_page() - the VMM changed stack pointer, program counter or PSTATE
 * @vhe: the vCPU, its registers not in the hardware
 *
 * A PSTATE that a guest can't have makes the next entry fail.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_take_page(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;
	u64 pstate = READ_ONCE(run->regs.arm64.pstate);

	WRITE_ONCE(run->regs_dirty, 0);
	if (!vhe_pstate_ok(pstate)) {
		vhe->exit = VHE_EXIT_BAD_PSTATE;
		return;
	}
	vhe->pstate = pstate;
	vhe_set_pc(vhe, READ_ONCE(run->regs.arm64.pc));
	*vhe_sp(vhe) = READ_ONCE(run->regs.arm64.sp);
}

/* Where a register is kept that is nothing but its value, or NULL. */
static u64 *find_plain(struct vhe_vcpu *vhe, u64 id)
{
	switch (id) {
	case AXVCPU_ARM64_REG_X(0) ... AXVCPU_ARM64_REG_X(30):
		return &vhe->vcpu.run->regs.arm64.x[id - AXVCPU_ARM64_REG_X(0)];
	case AXVCPU_ARM64_REG_SP:
		return vhe_sp(vhe);
	case AXVCPU_ARM64_REG_PC:
		return &vhe->pc;
	case AXVCPU_ARM64_REG_PSTATE:
		return &vhe->pstate;
	case AXVCPU_ARM64_REG_V_LOW(0) ... AXVCPU_ARM64_REG_V_HIGH(31):
		id -= AXVCPU_ARM64_REG_V_LOW(0);
		return (u64 *)vhe->fp.vregs + (id ^ IS_ENABLED(CONFIG_CPU_BIG_ENDIAN));
	case AXVCPU_ARM64_REG_CNTVOFF:
		return &vhe->timer.voff;
	case AXVCPU_ARM64_REG_LINES:
		return (u64 *)&vhe->lines;
	case AXVCPU_ARM64_REG_EXCEPTION:
		return &vhe->exception;
	case AXVCPU_ARM64_REG_SERROR:
		return &vhe->serror;
	}
	return NULL;
}

static u32 *find_fp_control(struct vhe_vcpu *vhe, u64 id)
{
	if (id == AXVCPU_ARM64_REG_FPSR)
		return &vhe->fp.fpsr;
	return id == AXVCPU_ARM64_REG_FPCR ? &vhe->fp.fpcr : NULL;
}

static bool plain_value_ok(u64 id, u64 value)
{
	switch (id) {
	case AXVCPU_ARM64_REG_PSTATE:
		return vhe_pstate_ok(value);
	case AXVCPU_ARM64_REG_LINES:
		return !(value & ~(u64)(AXVCPU_ARM64_LINE_IRQ | AXVCPU_ARM64_LINE_FIQ));
	case AXVCPU_ARM64_REG_EXCEPTION:
		return !value || (!(value >> 32) && value & ESR_ELx_IL);
	case AXVCPU_ARM64_REG_SERROR:
		return !value || value >> ESR_ELx_EC_SHIFT == ESR_ELx_EC_SERROR;
	}
	return true;
}

/* A system register that the VMM may know, or NULL */
static const struct vhe_sysreg *find_sysreg(u64 id)
{
	const struct vhe_sysreg *reg = vhe_sysreg_find(encoding_of(id));

	return reg && reg->home != VHE_HOME_NOWHERE ? reg : NULL;
}

static int get_sysreg(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	const struct vhe_sysreg *reg = find_sysreg(id);

	return reg && vhe_sysreg_read(vhe, reg, value) ? 0 : -EINVAL;
}

static int set_sysreg(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	const struct vhe_sysreg *reg = find_sysreg(id);

	if (!reg || !vhe_sysreg_is_kept(reg) || value & ~reg->bits)
		return -EINVAL;
	if (commit)
		vhe_sysreg_write(vhe, reg, value);
	return 0;
}

static int get_plain(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	const u32 *control = find_fp_control(vhe, id);
	const u64 *reg = find_plain(vhe, id);

	if (!reg && !control)
		return -EINVAL;
	*value = reg ? READ_ONCE(*reg) : *control;
	return 0;
}

/* The run page follows, so that regs_dirty does not bring old values back. */
static int set_plain(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	u32 *control = find_fp_control(vhe, id);
	u64 *reg = find_plain(vhe, id);

	if (control ? value >> 32 : !reg || !plain_value_ok(id, value))
		return -EINVAL;
	if (!commit)
		return 0;
	if (control) {
		*control = value;
		return 0;
	}
	if (id == AXVCPU_ARM64_REG_PC)
		vhe_set_pc(vhe, value);
	WRITE_ONCE(*reg, value);
	if (id == AXVCPU_ARM64_REG_PC)
		vhe->skip_due = false;
	if (id >= AXVCPU_ARM64_REG_SP && id <= AXVCPU_ARM64_REG_PSTATE)
		vhe_sync_page(vhe);
	return 0;
}

/**
 * vhe_get_reg() - see &struct axvcpu_arch_ops.get_reg
 * @vcpu: the vCPU
 * @id: ``AXVCPU_ARM64_REG_*``
 * @value: its value
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_get_reg(struct axvcpu *vcpu, u64 id, u64 *value)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	switch (id >> CLASS_SHIFT) {
	case CLASS_GIC:
		return vhe_irq_get_reg(vhe, id, value);
	case CLASS_SYS:
		return get_sysreg(vhe, id, value);
	default:
		return get_plain(vhe, id, value);
	}
}

/**
 * vhe_set_reg() - see &struct axvcpu_arch_ops.set_reg
 * @vcpu: the vCPU
 * @id: ``AXVCPU_ARM64_REG_*``
 * @value: the value
 * @commit: false: only check
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	switch (id >> CLASS_SHIFT) {
	case CLASS_GIC:
		return vhe_irq_set_reg(vhe, id, value, commit);
	case CLASS_SYS:
		return set_sysreg(vhe, id, value, commit);
	default:
		return set_plain(vhe, id, value, commit);
	}
}
