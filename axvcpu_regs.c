// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's registers by id, and the whole of its state: kept, and put back. */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "axvcpu_arch.h"
#include "axvcpu_percpu.h"
#include "axvcpu_regs.h"
#include "axvcpu_run.h"
#include "axvcpu_state.h"

static int write_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	int ret = axvcpu_arch.check_regs(vcpu, regs, count, refused);

	if (ret)
		return ret;
	axvcpu_arch.commit_regs(vcpu, regs, count);
	/* The run page does not lag behind. */
	static_call(axvcpu_arch_sync_regs)(vcpu);
	return 0;
}

/* With preemption off: the backend has the vCPU's registers at hand. */
#define with_loaded(vcpu, call)						\
({									\
	struct axvcpu *__loaded = (vcpu);				\
	int __loaded_ret = axvcpu_load(__loaded, smp_processor_id());	\
									\
	if (!__loaded_ret) {						\
		__loaded_ret = (call);					\
		static_call(axvcpu_arch_put)(__loaded);			\
	}								\
	__loaded_ret;							\
})

/**
 * axvcpu_get_regs() - read registers
 * @vcpu: the vCPU, not inside RUN
 * @regs: ids; the values are written
 * @count: elements
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, -EINVAL: no such register, -EDEADLK: nested.
 */
int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count)
{
	u32 refused = count;
	int ret;

	ret = axvcpu_with_current_cpu_set(vcpu,
					  with_loaded(vcpu,
						      axvcpu_arch.get_regs(vcpu, regs, count,
									   &refused)));
	if (refused < count)
		axvcpu_reg_refused(vcpu, AXVCPU_OP_GET_REGS, regs[refused].id, ret);
	return ret;
}

/**
 * axvcpu_set_regs() - write registers, all or none
 * @vcpu: the vCPU, not inside RUN
 * @regs: ids and values; the ids are overwritten
 * @count: elements
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, -EINVAL: no such register or value, -EDEADLK: nested.
 * Source: AxVCpu::set_gpr.
 */
int axvcpu_set_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count)
{
	u32 refused = count;
	int ret;

	ret = axvcpu_with_current_cpu_set(vcpu,
					  with_loaded(vcpu, write_regs(vcpu, regs, count,
								       &refused)));
	if (refused < count)
		axvcpu_reg_refused(vcpu, AXVCPU_OP_SET_REGS, regs[refused].id, ret);
	return ret;
}

/**
 * struct axvcpu_kept - a copy of a vCPU's whole state
 * @exit_reason: of the last exit
 * @shown_reason: what the run page said of it
 * @answer_due: the VMM had not answered it
 * @halted: the guest was halted
 * @fault: the fault of the last exit
 * @exit: the rest of what the run page said
 * @arch: the backend's
 */
struct axvcpu_kept {
	u32 exit_reason;
	u32 shown_reason;
	bool answer_due;
	bool halted;
	struct axvcpu_fault fault;
	u64 exit[ARRAY_SIZE(((struct axvcpu_run *)NULL)->exit_raw)];
	u8 arch[] __aligned(8);
};

static int keep(struct axvcpu *vcpu, struct axvcpu_kept *kept)
{
	kept->exit_reason = vcpu->exit_reason;
	kept->shown_reason = READ_ONCE(vcpu->run->exit_reason);
	kept->answer_due = vcpu->answer_due;
	kept->halted = vcpu->halted;
	kept->fault = vcpu->fault;
	memcpy(kept->exit, vcpu->run->exit_raw, sizeof(kept->exit));
	axvcpu_arch.keep(vcpu, kept->arch);
	return 0;
}

/**
 * axvcpu_keep_state() - make a copy of the whole state, in place of the one before
 * @vcpu: the vCPU, Free or Ready
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, -ENOMEM, -EDEADLK: nested.
 */
int axvcpu_keep_state(struct axvcpu *vcpu)
{
	struct axvcpu_kept *kept = vcpu->kept;
	int ret;

	if (!kept)
		kept = kvmalloc(struct_size(kept, arch, axvcpu_arch.kept_size()),
				GFP_KERNEL_ACCOUNT);
	if (!kept)
		return -ENOMEM;
	ret = axvcpu_with_current_cpu_set(vcpu, with_loaded(vcpu, keep(vcpu, kept)));
	/* A copy that was never made must not be put back. One from before still holds. */
	if (ret && !vcpu->kept)
		kvfree(kept);
	else
		vcpu->kept = kept;
	return ret;
}

static int restore(struct axvcpu *vcpu, const struct axvcpu_kept *kept, bool time)
{
	struct axvcpu_run *run = vcpu->run;

	vcpu->exit_reason = kept->exit_reason;
	vcpu->answer_due = kept->answer_due;
	vcpu->halted = kept->halted;
	vcpu->fault = kept->fault;
	WRITE_ONCE(run->exit_reason, kept->shown_reason);
	memcpy(run->exit_raw, kept->exit, sizeof(kept->exit));
	axvcpu_arch.restore(vcpu, kept->arch, time);
	/* The guest's page tables may be others, too: nothing of them is remembered. */
	vcpu->tlb_gen = 0;
	return 0;
}

/**
 * axvcpu_restore_state() - put the copy back
 * @vcpu: the vCPU, Free or Ready
 * @flags: ``AXVCPU_RESTORE_*``, checked
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, -ENOENT: there is no copy, -EDEADLK: nested.
 */
int axvcpu_restore_state(struct axvcpu *vcpu, unsigned long flags)
{
	if (!vcpu->kept)
		return -ENOENT;
	return axvcpu_with_current_cpu_set(vcpu,
					   with_loaded(vcpu, restore(vcpu, vcpu->kept, flags &
								     AXVCPU_RESTORE_TIME)));
}

/**
 * axvcpu_forget_state() - the copy is no more
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held, or nobody else knows the vCPU.
 */
void axvcpu_forget_state(struct axvcpu *vcpu)
{
	kvfree(vcpu->kept);
	vcpu->kept = NULL;
}
