// SPDX-License-Identifier: GPL-2.0-only
/* The life of a vCPU, from CREATE_VCPU to the end of its descriptor. */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include <asm/cputype.h>

#include "stage2.h"
#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_event.h"
#include "vhe_gic.h"
#include "vhe_irq.h"
#include "vhe_regs.h"
#include "vhe_sysregs.h"
#include "vhe_timer.h"
#include "vhe_vcpu.h"

static atomic64_t last_tag;

static void new_tag(struct vhe_vcpu *vhe)
{
	vhe->tag = atomic64_inc_return(&last_tag);
}

static void reset_registers(struct vhe_vcpu *vhe)
{
	memset(vhe->vcpu.run->regs.raw, 0, sizeof(vhe->vcpu.run->regs.raw));
	vhe_sysregs_reset(vhe);
	memset(&vhe->fp, 0, sizeof(vhe->fp));
	vhe->pc = 0;
	vhe->pstate = VHE_PSTATE_RESET;
	vhe->sp_el0 = 0;
	vhe->mdscr = 0;
	vhe->flags = 0;
	vhe->exit = VHE_EXIT_IRQ;
	vhe->skip_due = false;
	vhe->pauth_used = false;
	vhe->own_step = 0;
	vhe_debug_reset(vhe);
	vhe_timer_reset(&vhe->timer);
	vhe_event_reset(vhe);
	vhe_irq_reset(&vhe->irq);
	vhe_gic_reset(&vhe->gic);
}

/**
 * vhe_vcpu_create() - see &struct axvcpu_arch_ops.vcpu_create
 * @vcpu: the vCPU
 * @config: the VMM's
 *
 * Context: process context.
 * Return: 0, or -EINVAL: no such MPIDR_EL1, or a reserved field is not 0.
 */
int vhe_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config)
{
	const struct axvcpu_arm64_create_config *arm64 = &config->arm64;
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	if (arm64->mpidr & ~MPIDR_HWID_BITMASK ||
	    memchr_inv(arm64->reserved, 0, sizeof(arm64->reserved)))
		return -EINVAL;
	/* Bit 31 is RES1. */
	vhe->mpidr = arm64->mpidr | BIT(31);
	vhe->dtb = arm64->dtb;
	new_tag(vhe);
	vhe_timer_create(vhe);
	vhe_irq_create(&vhe->irq);
	reset_registers(vhe);
	return 0;
}

/**
 * vhe_vcpu_destroy() - see &struct axvcpu_arch_ops.vcpu_destroy
 * @vcpu: the vCPU
 *
 * Context: process context.
 */
void vhe_vcpu_destroy(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	vhe_irq_destroy(&vhe->irq);
	vhe_timer_destroy(&vhe->timer);
}

/**
 * vhe_set_entry() - see &struct axvcpu_arch_ops.set_entry
 * @vcpu: the vCPU
 * @entry: the guest's first instruction
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, -EEXIST, or -EINVAL: out of range, or no multiple of 4.
 */
int vhe_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (vhe->has_entry)
		return -EEXIST;
	if (entry.val >> vhe_s2_format.gpa_bits || !IS_ALIGNED(entry.val, 4))
		return -EINVAL;
	vhe->entry = entry.val;
	vhe->has_entry = true;
	return 0;
}

/**
 * vhe_set_ept_root() - see &struct axvcpu_arch_ops.set_ept_root
 * @vcpu: the vCPU
 * @root: stage 2's, for VTTBR_EL2
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, -EEXIST, or -EINVAL: it is no root.
 */
int vhe_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (vhe->has_root)
		return -EEXIST;
	ret = vhe_s2_vttbr(root, &vhe->vttbr);
	if (ret)
		return ret;
	new_tag(vhe);
	vhe->has_root = true;
	return 0;
}

#define SETUP_FLAGS	((u64)AXVCPU_ARM64_SETUP_USER_GIC)

/**
 * vhe_setup() - see &struct axvcpu_arch_ops.setup
 * @vcpu: the vCPU
 * @config: the VMM's
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config)
{
	const struct axvcpu_arm64_setup_config *arm64 = &config->arm64;
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (arm64->flags & ~SETUP_FLAGS ||
	    memchr_inv(arm64->reserved, 0, sizeof(arm64->reserved)) ||
	    !vhe->has_entry || !vhe->has_root || vhe->is_setup)
		return -EINVAL;
	vhe->flags = arm64->flags;
	vhe->pc = vhe->entry;
	vhe->pstate = VHE_PSTATE_RESET;
	if (vhe->dtb)
		vhe_set_x(vhe, 0, vhe->dtb);
	vhe->is_setup = true;
	WRITE_ONCE(vcpu->run->regs_dirty, 0);
	vhe_sync_page(vhe);
	return 0;
}

/**
 * vhe_bind() - see &struct axvcpu_arch_ops.bind
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0.
 */
int vhe_bind(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	return 0;
}

/**
 * vhe_unbind() - see &struct axvcpu_arch_ops.unbind
 * @vcpu: the vCPU
 *
 * No CPU holds anything of a vCPU outside of a section.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0.
 */
int vhe_unbind(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	return 0;
}

/**
 * vhe_reset() - see &struct axvcpu_arch_ops.reset
 * @vcpu: the vCPU
 * @keep_machine: the counter's offset stays
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_reset(struct axvcpu *vcpu, bool keep_machine)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vhe_timer_wake(&vhe->timer);
	vhe->has_entry = false;
	vhe->has_root = false;
	vhe->is_setup = false;
	if (!keep_machine)
		vhe->timer.voff = 0;
	reset_registers(vhe);
}
