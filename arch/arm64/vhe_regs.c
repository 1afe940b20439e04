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
#define CLASS_GPR		1
#define CLASS_FP		2
#define CLASS_VM		3
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

/**
 * vhe_sync_regs() - see &struct axvcpu_arch_ops.sync_regs
 * @vcpu: the vCPU
 *
 * Context: preemption off.
 */
void vhe_sync_regs(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	struct axvcpu_arm64_gprs *regs = &vcpu->run->regs.arm64;

	vhe_save(vhe);
	WRITE_ONCE(regs->sp, *vhe_sp(vhe));
	WRITE_ONCE(regs->pc, vhe->pc);
	WRITE_ONCE(regs->pstate, vhe->pstate);
}

static int get_gpr(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	switch (id) {
	case AXVCPU_ARM64_REG_X(0) ... AXVCPU_ARM64_REG_X(30):
		*value = vhe_get_x(vhe, id - AXVCPU_ARM64_REG_X(0));
		return 0;
	case AXVCPU_ARM64_REG_SP:
		*value = *vhe_sp(vhe);
		return 0;
	case AXVCPU_ARM64_REG_PC:
		*value = vhe->pc;
		return 0;
	case AXVCPU_ARM64_REG_PSTATE:
		*value = vhe->pstate;
		return 0;
	}
	return -EINVAL;
}

/* The run page follows, so that regs_dirty does not bring old values back. */
static int set_gpr(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	struct axvcpu_arm64_gprs *regs = &vhe->vcpu.run->regs.arm64;

	switch (id) {
	case AXVCPU_ARM64_REG_X(0) ... AXVCPU_ARM64_REG_X(30):
		if (commit)
			vhe_set_x(vhe, id - AXVCPU_ARM64_REG_X(0), value);
		return 0;
	case AXVCPU_ARM64_REG_SP:
		if (commit) {
			*vhe_sp(vhe) = value;
			WRITE_ONCE(regs->sp, value);
		}
		return 0;
	case AXVCPU_ARM64_REG_PC:
		if (commit) {
			vhe->pc = value;
			vhe->skip_due = false;
			WRITE_ONCE(regs->pc, value);
		}
		return 0;
	case AXVCPU_ARM64_REG_PSTATE:
		if (!vhe_pstate_ok(value))
			return -EINVAL;
		if (commit) {
			vhe->pstate = value;
			WRITE_ONCE(regs->pstate, value);
			WRITE_ONCE(regs->sp, *vhe_sp(vhe));
		}
		return 0;
	}
	return -EINVAL;
}

static int get_fp(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	unsigned int n = id - AXVCPU_ARM64_REG_V_LOW(0);

	switch (id) {
	case AXVCPU_ARM64_REG_V_LOW(0) ... AXVCPU_ARM64_REG_V_HIGH(31):
		*value = vhe->fp.vregs[n / 2] >> (n % 2 * 64);
		return 0;
	case AXVCPU_ARM64_REG_FPSR:
		*value = vhe->fp.fpsr;
		return 0;
	case AXVCPU_ARM64_REG_FPCR:
		*value = vhe->fp.fpcr;
		return 0;
	}
	return -EINVAL;
}

static void set_half(__uint128_t *reg, unsigned int half, u64 value)
{
	unsigned int shift = half * 64;

	*reg = (*reg & ~((__uint128_t)U64_MAX << shift)) | (__uint128_t)value << shift;
}

static int set_fp(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	unsigned int n = id - AXVCPU_ARM64_REG_V_LOW(0);

	switch (id) {
	case AXVCPU_ARM64_REG_V_LOW(0) ... AXVCPU_ARM64_REG_V_HIGH(31):
		if (commit)
			set_half(&vhe->fp.vregs[n / 2], n % 2, value);
		return 0;
	case AXVCPU_ARM64_REG_FPSR:
	case AXVCPU_ARM64_REG_FPCR:
		if (value >> 32)
			return -EINVAL;
		if (commit && id == AXVCPU_ARM64_REG_FPSR)
			vhe->fp.fpsr = value;
		else if (commit)
			vhe->fp.fpcr = value;
		return 0;
	}
	return -EINVAL;
}

static int get_vm(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	switch (id) {
	case AXVCPU_ARM64_REG_CNTVOFF:
		*value = vhe->timer.voff;
		return 0;
	case AXVCPU_ARM64_REG_LINES:
		*value = READ_ONCE(vhe->lines);
		return 0;
	case AXVCPU_ARM64_REG_EXCEPTION:
		*value = READ_ONCE(vhe->exception);
		return 0;
	case AXVCPU_ARM64_REG_SERROR:
		*value = READ_ONCE(vhe->serror);
		return 0;
	}
	return -EINVAL;
}

static int set_vm(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	switch (id) {
	case AXVCPU_ARM64_REG_CNTVOFF:
		if (commit)
			WRITE_ONCE(vhe->timer.voff, value);
		return 0;
	case AXVCPU_ARM64_REG_LINES:
		if (value & ~(u64)(AXVCPU_ARM64_LINE_IRQ | AXVCPU_ARM64_LINE_FIQ))
			return -EINVAL;
		if (commit)
			WRITE_ONCE(vhe->lines, value);
		return 0;
	case AXVCPU_ARM64_REG_EXCEPTION:
		if (value >> 32 || (value && !(value & ESR_ELx_IL)))
			return -EINVAL;
		if (commit)
			WRITE_ONCE(vhe->exception, value);
		return 0;
	case AXVCPU_ARM64_REG_SERROR:
		if (value && (value >> 32 || ESR_ELx_EC(value) != ESR_ELx_EC_SERROR))
			return -EINVAL;
		if (commit)
			WRITE_ONCE(vhe->serror, value);
		return 0;
	}
	return -EINVAL;
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

static int get_sys(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	u32 encoding = encoding_of(id);
	u64 *reg = vhe_sys(vhe, encoding);

	if (reg) {
		*value = *reg;
		return 0;
	}
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

static int set_sys(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	u32 encoding = encoding_of(id);
	u64 *reg = vhe_sys(vhe, encoding);

	if (!reg || !vhe_sys_value_ok(encoding, value))
		return -EINVAL;
	if (commit)
		WRITE_ONCE(*reg, value);
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

	switch (id >> CLASS_SHIFT) {
	case CLASS_GPR:
		return get_gpr(vhe, id, value);
	case CLASS_FP:
		return get_fp(vhe, id, value);
	case CLASS_VM:
		return get_vm(vhe, id, value);
	case CLASS_GIC:
		return vhe_gic_get_reg(vhe, id, value);
	case CLASS_SYS:
		return get_sys(vhe, id, value);
	}
	return -EINVAL;
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

	switch (id >> CLASS_SHIFT) {
	case CLASS_GPR:
		return set_gpr(vhe, id, value, commit);
	case CLASS_FP:
		return set_fp(vhe, id, value, commit);
	case CLASS_VM:
		return set_vm(vhe, id, value, commit);
	case CLASS_GIC:
		return vhe_gic_set_reg(vhe, id, value, commit);
	case CLASS_SYS:
		return set_sys(vhe, id, value, commit);
	}
	return -EINVAL;
}
