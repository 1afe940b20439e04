// SPDX-License-Identifier: GPL-2.0-only
/* The guest's registers as the VMM sees them: run page, GET_REGS, SET_REGS. */
#include <asm/cputype.h>
#include <asm/esr.h>
#include <asm/sysreg.h>

#include "vhe.h"

/* Encodings, in the order of &enum vhe_sysreg */
#define ENCODING(name, guest, ...)	guest,
static const u32 encodings[] = { VHE_ALL_SYSREGS(ENCODING) };

/* Those that are kept elsewhere */
#define SYS_REG_SP_EL0		sys_reg(3, 0, 4, 1, 0)
#define SYS_REG_MDSCR		sys_reg(2, 0, 0, 2, 2)
#define SYS_REG_MIDR		sys_reg(3, 0, 0, 0, 0)
#define SYS_REG_MPIDR		sys_reg(3, 0, 0, 0, 5)
#define SYS_REG_CNTVCT		sys_reg(3, 3, 14, 0, 2)
#define SYS_REG_CNTV_CTL	sys_reg(3, 3, 14, 3, 1)
#define SYS_REG_CNTV_CVAL	sys_reg(3, 3, 14, 3, 2)

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
 * vhe_sp() - the stack pointer in use
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Return: SP_EL0 or SP_EL1.
 */
u64 *vhe_sp(struct vhe_vcpu *vhe)
{
	return (vhe->pstate & (PSR_MODE32_BIT | PSR_MODE_MASK)) == PSR_MODE_EL1h ?
	       &vhe->sys[VHE_SP_EL1] : &vhe->sp_el0;
}

/**
 * vhe_take_regs() - the VMM changed stack pointer, program counter or PSTATE
 * @vhe: the vCPU, its registers not in the hardware
 *
 * A PSTATE that a guest can't have makes the next entry fail.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_take_regs(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;
	u64 pstate = READ_ONCE(run->regs.arm64.pstate);

	WRITE_ONCE(run->regs_dirty, 0);
	if (!vhe_pstate_ok(pstate)) {
		vhe->exit = VHE_EXIT_BAD_PSTATE;
		return;
	}
	vhe->pstate = pstate;
	vhe->pc = READ_ONCE(run->regs.arm64.pc);
	*vhe_sp(vhe) = READ_ONCE(run->regs.arm64.sp);
}

static void sync_page(struct vhe_vcpu *vhe)
{
	struct axvcpu_arm64_gprs *regs = &vhe->vcpu.run->regs.arm64;

	WRITE_ONCE(regs->sp, *vhe_sp(vhe));
	WRITE_ONCE(regs->pc, vhe->pc);
	WRITE_ONCE(regs->pstate, vhe->pstate);
}

/**
 * vhe_sync_regs() - see &struct axvcpu_arch_ops.sync_regs
 * @vcpu: the vCPU
 *
 * Context: preemption off.
 */
void vhe_sync_regs(struct axvcpu *vcpu)
{
	vhe_save(to_vhe(vcpu));
	sync_page(to_vhe(vcpu));
}

/**
 * vhe_sys() - where a system register is kept
 * @vhe: the vCPU
 * @encoding: sys_reg()
 *
 * Context: &struct axvcpu.mutex held.
 * Return: where, or NULL.
 */
u64 *vhe_sys(struct vhe_vcpu *vhe, u32 encoding)
{
	unsigned int i;

	for (i = 0; i < VHE_NR_SYSREGS; i++) {
		if (encodings[i] == encoding)
			return &vhe->sys[i];
	}
	switch (encoding) {
	case SYS_REG_SP_EL0:
		return &vhe->sp_el0;
	case SYS_REG_MDSCR:
		return &vhe->mdscr;
	case SYS_REG_CNTV_CTL:
		return &vhe->timer.ctl;
	case SYS_REG_CNTV_CVAL:
		return &vhe->timer.cval;
	}
	return NULL;
}

/* Where a register is kept that is nothing but its value, or NULL. */
static u64 *find(struct vhe_vcpu *vhe, u64 id)
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
	return id >> CLASS_SHIFT == CLASS_SYS ? vhe_sys(vhe, encoding_of(id)) : NULL;
}

static u32 *find_fp_control(struct vhe_vcpu *vhe, u64 id)
{
	if (id == AXVCPU_ARM64_REG_FPSR)
		return &vhe->fp.fpsr;
	return id == AXVCPU_ARM64_REG_FPCR ? &vhe->fp.fpcr : NULL;
}

static bool value_ok(u64 id, u64 value)
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
	return id >> CLASS_SHIFT != CLASS_SYS || vhe_sys_value_ok(encoding_of(id), value);
}

/* Those that can be read only */
static int get_constant(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	u32 encoding = encoding_of(id);

	if (id >> CLASS_SHIFT != CLASS_SYS)
		return -EINVAL;
	switch (encoding) {
	case SYS_REG_MIDR:
		*value = read_cpuid_id();
		return 0;
	case SYS_REG_MPIDR:
		*value = vhe->mpidr;
		return 0;
	case SYS_REG_CNTVCT:
		*value = vhe_timer_now(vhe);
		return 0;
	}
	return vhe_id_register(encoding, value) ? 0 : -EINVAL;
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
	u32 *control = find_fp_control(vhe, id);
	u64 *reg = find(vhe, id);

	if (id >> CLASS_SHIFT == CLASS_GIC)
		return vhe_gic_get_reg(vhe, id, value);
	if (!reg && !control)
		return get_constant(vhe, id, value);
	*value = reg ? READ_ONCE(*reg) : *control;
	return 0;
}

/**
 * vhe_set_reg() - see &struct axvcpu_arch_ops.set_reg
 * @vcpu: the vCPU
 * @id: ``AXVCPU_ARM64_REG_*``
 * @value: the value
 * @commit: false: only check
 *
 * The run page follows, so that regs_dirty does not bring old values back.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	u32 *control = find_fp_control(vhe, id);
	u64 *reg = find(vhe, id);

	if (id >> CLASS_SHIFT == CLASS_GIC)
		return vhe_gic_set_reg(vhe, id, value, commit);
	if (control ? value >> 32 : !reg || !value_ok(id, value))
		return -EINVAL;
	if (!commit)
		return 0;
	if (control) {
		*control = value;
		return 0;
	}
	WRITE_ONCE(*reg, value);
	if (id == AXVCPU_ARM64_REG_PC)
		vhe->skip_due = false;
	if (id >= AXVCPU_ARM64_REG_SP && id <= AXVCPU_ARM64_REG_PSTATE)
		sync_page(vhe);
	return 0;
}
