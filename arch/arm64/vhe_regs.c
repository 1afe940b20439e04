// SPDX-License-Identifier: GPL-2.0-only
/* The guest's registers as the VMM sees them: run page, GET_REGS, SET_REGS. */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/nospec.h>

#include <asm/esr.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_gic.h"
#include "vhe_irq.h"
#include "vhe_regs.h"
#include "vhe_sysregs.h"

#define CLASS_SHIFT		16
#define CLASS_CORE		1
#define CLASS_FP		2
#define CLASS_OWN		3
#define CLASS_GIC		4
#define CLASS_SYS		0x10000

/* AXVCPU_ARM64_REG_SYS() numbers fields as the instruction does; sys_reg() has them 5 bits up. */
#define ENCODING_SHIFT		5

static u32 encoding_of(u64 id)
{
	return (u16)id << ENCODING_SHIFT;
}

/* Who moves the program counter has done the instruction that exited. */
static void end_exit(struct vhe_vcpu *vhe)
{
	vhe->skip_due = false;
	if (!vhe->vcpu.answer_due)
		return;
	vhe->vcpu.answer_due = false;
	if (vhe_insn_is_open(vhe))
		vhe_end_insn(vhe);
}

static void take_registers(struct vhe_vcpu *vhe, u64 pc)
{
	const struct axvcpu_run *run = vhe->vcpu.run;
	u64 pstate = READ_ONCE(run->regs.arm64.pstate);

	/* Nothing of what the VMM wrote is lost when it repairs PSTATE. */
	if (vhe_pstate_ok(pstate))
		vhe->pstate = pstate;
	else
		vhe->exit = VHE_EXIT_BAD_PSTATE;
	vhe->pc = pc;
	*vhe_sp(vhe) = READ_ONCE(run->regs.arm64.sp);
}

/**
 * vhe_take_page() - the VMM changed stack pointer, program counter or PSTATE, or has done
 *	the instruction
 * @vhe: the vCPU, its registers not in the hardware
 *
 * A PSTATE that a guest can't have makes the next entry fail.
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_take_page(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;
	u32 dirty = READ_ONCE(run->regs_dirty);
	u64 pc = READ_ONCE(run->regs.arm64.pc);

	WRITE_ONCE(run->regs_dirty, 0);
	if (vhe->vcpu.answer_due && vhe_vmm_says_done(vhe, dirty, pc)) {
		vhe->vcpu.answer_due = false;
		vhe->skip_due = false;
		vhe->insn_done = vhe_insn_is_open(vhe);
	}
	if (dirty & AXVCPU_REGS_PC)
		take_registers(vhe, pc);
	if (vhe->insn_done)
		vhe_end_insn(vhe);
	vhe->insn_done = false;
}

/* X0 to X30, SP, PC, PSTATE; or NULL. Most calls are about the first. */
static __always_inline u64 *find_core(struct vhe_vcpu *vhe, u64 id)
{
	if (likely(id <= AXVCPU_ARM64_REG_X(30))) {
		id = array_index_nospec(id - AXVCPU_ARM64_REG_X(0), 31);
		return &vhe->vcpu.run->regs.arm64.x[id];
	}
	switch (id) {
	case AXVCPU_ARM64_REG_SP:
		return vhe_sp(vhe);
	case AXVCPU_ARM64_REG_PC:
		return &vhe->pc;
	case AXVCPU_ARM64_REG_PSTATE:
		return &vhe->pstate;
	}
	return NULL;
}

static int check_core(u64 id, u64 value)
{
	if (likely(id < AXVCPU_ARM64_REG_PSTATE))
		return 0;
	return id == AXVCPU_ARM64_REG_PSTATE && vhe_pstate_ok(value) ? 0 : -EINVAL;
}

static void commit_core(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	WRITE_ONCE(*find_core(vhe, id), value);
	if (unlikely(id == AXVCPU_ARM64_REG_PC))
		end_exit(vhe);
}

/* Half a V register; or NULL */
static u64 *find_v(struct vhe_vcpu *vhe, u64 id)
{
	if (id > AXVCPU_ARM64_REG_V_HIGH(31))
		return NULL;
	id = array_index_nospec(id - AXVCPU_ARM64_REG_V_LOW(0), 64);
	return (u64 *)vhe->fp.vregs + (id ^ IS_ENABLED(CONFIG_CPU_BIG_ENDIAN));
}

static u32 *find_fp_control(struct vhe_vcpu *vhe, u64 id)
{
	if (id == AXVCPU_ARM64_REG_FPSR)
		return &vhe->fp.fpsr;
	return id == AXVCPU_ARM64_REG_FPCR ? &vhe->fp.fpcr : NULL;
}

static int get_fp(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	const u32 *control = find_fp_control(vhe, id);
	const u64 *v = find_v(vhe, id);

	if (!v && !control)
		return -EINVAL;
	*value = v ? *v : *control;
	return 0;
}

/* What is rare is not inlined: its constants would be loaded for all. */
static noinline int check_fp(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	if (find_v(vhe, id))
		return 0;
	return find_fp_control(vhe, id) && !(value >> 32) ? 0 : -EINVAL;
}

static noinline void commit_fp(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	u64 *v = find_v(vhe, id);

	if (v)
		*v = value;
	else
		*find_fp_control(vhe, id) = value;
}

/* What no CPU has as a register; or NULL */
static u64 *find_own(struct vhe_vcpu *vhe, u64 id)
{
	switch (id) {
	case AXVCPU_ARM64_REG_CNTVOFF:
		return &vhe->timer.voff;
	case AXVCPU_ARM64_REG_LINES:
		return (u64 *)&vhe->lines;
	case AXVCPU_ARM64_REG_EXCEPTION:
		return &vhe->exception;
	case AXVCPU_ARM64_REG_SERROR:
		return &vhe->serror;
	case AXVCPU_ARM64_REG_VTIMER_IRQ:
		return &vhe->timer.irq;
	}
	return NULL;
}

static bool own_ok(u64 id, u64 value)
{
	switch (id) {
	case AXVCPU_ARM64_REG_CNTVOFF:
		return true;
	case AXVCPU_ARM64_REG_LINES:
		return !(value & ~(u64)(AXVCPU_ARM64_LINE_IRQ | AXVCPU_ARM64_LINE_FIQ));
	case AXVCPU_ARM64_REG_EXCEPTION:
		return !value || (!(value >> 32) && value & ESR_ELx_IL);
	case AXVCPU_ARM64_REG_SERROR:
		return !value || value >> ESR_ELx_EC_SHIFT == ESR_ELx_EC_SERROR;
	case AXVCPU_ARM64_REG_VTIMER_IRQ:
		return !(value & ~(u64)(AXVCPU_ARM64_VTIMER_ENABLED | VHE_TIMER_PRIORITY));
	}
	return false;
}

static noinline void commit_own(struct vhe_vcpu *vhe, u64 id, u64 value)
{
	WRITE_ONCE(*find_own(vhe, id), value);
	if (id == AXVCPU_ARM64_REG_EXCEPTION || id == AXVCPU_ARM64_REG_SERROR)
		WRITE_ONCE(vhe->irq.show, true);
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

	if (!reg)
		return -EINVAL;
	/* Most are nothing but their value. */
	if (likely(vhe_sysreg_is_kept(reg) && !reg->value)) {
		*value = READ_ONCE(*vhe_sysreg_home(vhe, reg));
		return 0;
	}
	return vhe_sysreg_read(vhe, reg, value) ? 0 : -EINVAL;
}

/* What vhe_check_regs() leaves in the id: where &struct vhe_vcpu has the register */
static int check_sysreg(struct axvcpu_reg *reg)
{
	const struct vhe_sysreg *row = find_sysreg(reg->id);

	if (!row || !vhe_sysreg_is_kept(row) || reg->value & ~row->bits)
		return -EINVAL;
	reg->id = AXVCPU_ARM64_REG_SYS(0, 0, 0, 0, 0) | row->home;
	return 0;
}

static int get_at(const u64 *reg, u64 *value)
{
	if (!reg)
		return -EINVAL;
	*value = READ_ONCE(*reg);
	return 0;
}

static int get_reg(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	switch (id >> CLASS_SHIFT) {
	case CLASS_CORE:
		return get_at(find_core(vhe, id), value);
	case CLASS_FP:
		return get_fp(vhe, id, value);
	case CLASS_OWN:
		return get_at(find_own(vhe, id), value);
	case CLASS_GIC:
		return vhe_irq_get_reg(vhe, id, value);
	case CLASS_SYS:
		return get_sysreg(vhe, id, value);
	default:
		return -EINVAL;
	}
}

/**
 * vhe_get_regs() - see &struct axvcpu_arch_ops.get_regs
 * @vcpu: the vCPU
 * @regs: ids; the values are written
 * @count: elements
 * @refused: index of the one that does not exist
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	u32 i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < count; i++) {
		if (get_reg(to_vhe(vcpu), regs[i].id, &regs[i].value)) {
			*refused = i;
			return -EINVAL;
		}
	}
	return 0;
}

static int check_reg(struct vhe_vcpu *vhe, struct axvcpu_reg *reg)
{
	unsigned long class = reg->id >> CLASS_SHIFT;

	/* Most are of these two. */
	if (class == CLASS_SYS)
		return check_sysreg(reg);
	if (class == CLASS_CORE)
		return check_core(reg->id, reg->value);
	switch (class) {
	case CLASS_FP:
		return check_fp(vhe, reg->id, reg->value);
	case CLASS_OWN:
		return own_ok(reg->id, reg->value) ? 0 : -EINVAL;
	case CLASS_GIC:
		return vhe_irq_check_reg(vhe, reg->id, reg->value);
	default:
		return -EINVAL;
	}
}

/**
 * vhe_check_regs() - see &struct axvcpu_arch_ops.check_regs
 * @vcpu: the vCPU
 * @regs: ids and values
 * @count: elements
 * @refused: index of the one that does not exist, or can't have its value
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_check_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	u32 i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < count; i++) {
		if (check_reg(to_vhe(vcpu), &regs[i])) {
			*refused = i;
			return -EINVAL;
		}
	}
	return 0;
}

static void commit_reg(struct vhe_vcpu *vhe, const struct axvcpu_reg *reg)
{
	unsigned long class = reg->id >> CLASS_SHIFT;

	/* Most are of these two. */
	if (class == CLASS_SYS) {
		WRITE_ONCE(*(u64 *)((void *)vhe + (u16)reg->id), reg->value);
		return;
	}
	if (class == CLASS_CORE) {
		commit_core(vhe, reg->id, reg->value);
		return;
	}
	switch (class) {
	case CLASS_FP:
		commit_fp(vhe, reg->id, reg->value);
		break;
	case CLASS_OWN:
		commit_own(vhe, reg->id, reg->value);
		break;
	case CLASS_GIC:
		vhe_irq_set_reg(vhe, reg->id, reg->value);
		break;
	}
}

/**
 * vhe_commit_regs() - see &struct axvcpu_arch_ops.commit_regs
 * @vcpu: the vCPU
 * @regs: as vhe_check_regs() has left them
 * @count: elements
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_commit_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		commit_reg(to_vhe(vcpu), &regs[i]);
}

/* What is no system register and not the GIC's. SP is SP_EL0 or SP_EL1. */
static const struct {
	u64 first;
	unsigned int count;
} plain_ids[] = {
	{ AXVCPU_ARM64_REG_X(0), 31 },
	{ AXVCPU_ARM64_REG_PC, 2 },
	{ AXVCPU_ARM64_REG_V_LOW(0), 64 },
	{ AXVCPU_ARM64_REG_FPSR, 2 },
	{ AXVCPU_ARM64_REG_CNTVOFF, 5 },
};

/* A list of ids under way */
struct id_list {
	u64 *ids;
	u32 max;
	u32 count;
};

static void add_id(struct id_list *list, u64 id)
{
	if (list->count < list->max)
		list->ids[list->count] = id;
	list->count++;
}

static void add_sysreg(void *list, const struct vhe_sysreg *reg)
{
	if (vhe_sysreg_is_kept(reg))
		add_id(list, AXVCPU_ARM64_REG_SYS(0, 0, 0, 0, 0) | reg->first >> ENCODING_SHIFT);
}

/* First those that every GIC has, then what waits for a list register. */
static void add_gic(struct vhe_vcpu *vhe, struct id_list *list)
{
	u64 id, bits;

	for (id = AXVCPU_ARM64_REG_GIC_VMCR; id < AXVCPU_ARM64_REG_GIC_LR(VHE_MAX_LRS); id++) {
		if (vhe_gic_reg(&vhe->gic, id, &bits) && bits)
			add_id(list, id);
	}
	for (id = 0; id < VHE_NR_INTIDS; id++) {
		if (test_bit(id, vhe->irq.pending))
			add_id(list, AXVCPU_ARM64_REG_GIC_QUEUED(id));
	}
}

/**
 * vhe_list_regs() - see &struct axvcpu_arch_ops.list_regs
 * @vcpu: the vCPU
 * @ids: where they go
 * @max: room there
 *
 * The timer's come before list registers, one of which may be the timer's.
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: how many there are.
 */
u32 vhe_list_regs(struct axvcpu *vcpu, u64 *ids, u32 max)
{
	struct id_list list = { .ids = ids, .max = max };
	unsigned int i, n;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < ARRAY_SIZE(plain_ids); i++) {
		for (n = 0; n < plain_ids[i].count; n++)
			add_id(&list, plain_ids[i].first + n);
	}
	vhe_sysregs_each(add_sysreg, &list);
	add_gic(to_vhe(vcpu), &list);
	return list.count;
}
