// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of vCPUs and address spaces, by table: arguments are checked here, locks
 * are taken here, the descriptor of an address space is recognised here.
 */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "axvcpu_arch.h"
#include "axvcpu_aspace.h"
#include "axvcpu_ioctl.h"
#include "axvcpu_regs.h"
#include "axvcpu_run.h"
#include "axvcpu_state.h"
#include "axvcpu_table.h"
#include "axvcpu_vcpu.h"

/* The address space's operations */

static long ioctl_map(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_aspace_map(aspace, &arg->map);
}

static long ioctl_unmap(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_aspace_unmap(aspace, &arg->unmap);
}

static long ioctl_protect(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_aspace_protect(aspace, &arg->protect);
}

static long ioctl_get_dirty(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_aspace_get_dirty(aspace, &arg->get_dirty);
}

static long ioctl_get_aspace_stats(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg)
{
	axvcpu_aspace_get_stats(aspace, &arg->aspace_stats);
	return 0;
}

#define ASPACE_FIRST	_IOC_NR(AXVCPU_MAP)

static const struct axvcpu_ioctl aspace_ioctls[] = {
#define I(name, handler) \
	[_IOC_NR(AXVCPU_##name) - ASPACE_FIRST] = { AXVCPU_ROW_CMD(name), .aspace = handler }
	I(MAP,			ioctl_map),
	I(UNMAP,		ioctl_unmap),
	I(GET_ASPACE_STATS,	ioctl_get_aspace_stats),
	I(PROTECT,		ioctl_protect),
	I(GET_DIRTY,		ioctl_get_dirty),
#undef I
};

static long aspace_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	const struct axvcpu_ioctl *ioctl = axvcpu_ioctl_find(aspace_ioctls, ASPACE_FIRST,
							     ARRAY_SIZE(aspace_ioctls), cmd);
	union axvcpu_ioctl_arg arg __uninitialized;

	return axvcpu_ioctl_with_arg(ioctl, &arg, cmd, uarg,
				     ioctl->aspace(file->private_data, &arg));
}

static int aspace_release(struct inode *inode, struct file *file)
{
	axvcpu_aspace_put(file->private_data);
	return 0;
}

/* The descriptor of an address space is a capability: SETUP knows it by these. */
const struct file_operations axvcpu_aspace_fops = {
	.owner = THIS_MODULE,
	.release = aspace_release,
	.unlocked_ioctl = aspace_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* The vCPU's operations */

static int lock_idle(struct axvcpu *vcpu)
{
	while (!mutex_trylock(&vcpu->mutex)) {
		if (AXVCPU_S_INSIDE_RUN & BIT(axvcpu_state(vcpu)))
			return -EBUSY;
		if (signal_pending(current))
			return -EINTR;
		/* What else holds the mutex lets go soon: it never waits for a process. */
		schedule_timeout_interruptible(1);
	}
	return 0;
}

static int check_state(const struct axvcpu *vcpu, u8 busy, u8 bad)
{
	unsigned int state = BIT(axvcpu_state(vcpu));

	if (busy & state)
		return -EBUSY;
	return bad & state ? -EBADFD : 0;
}

/* The states of each row, for those whose handlers take the lock */
enum {
#define I(name, arg, flags, lock, busy, bad, handler) BUSY_##name = (busy), BAD_##name = (bad),
	AXVCPU_VCPU_IOCTLS(I)
#undef I
};

/* LOCK_OWN: the part of a handler that does not touch the caller's memory */
#define with_idle_vcpu(vcpu, name, call)						\
({											\
	struct axvcpu *__idle = (vcpu);							\
	long __idle_ret = lock_idle(__idle);						\
											\
	if (!__idle_ret) {								\
		__idle_ret = check_state(__idle, BUSY_##name, BAD_##name) ?: (call);	\
		mutex_unlock(&__idle->mutex);						\
	}										\
	__idle_ret;									\
})

/*
 * The address space behind a descriptor, with a reference, or ERR_PTR(-EBADF): it
 * is judged inside the transition, where a wrong one makes the vCPU Invalid.
 * NULL: a raw root, or none.
 */
static struct axvcpu_aspace *get_aspace(u32 flags, int fd)
{
	struct axvcpu_aspace *aspace = ERR_PTR(-EBADF);
	struct file *file;

	if (flags & (AXVCPU_SETUP_RAW_ROOT | AXVCPU_SETUP_STEPPED))
		return NULL;
	file = fget(fd);
	if (!file)
		return aspace;
	if (file->f_op == &axvcpu_aspace_fops)
		aspace = axvcpu_aspace_get(file->private_data);
	fput(file);
	return aspace;
}

static void put_aspace(struct axvcpu_aspace *aspace)
{
	if (!IS_ERR_OR_NULL(aspace))
		axvcpu_aspace_put(aspace);
}

static long ioctl_setup(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_setup *setup = &arg->setup;
	struct axvcpu_aspace *aspace;
	long ret;

	if (setup->flags & ~(AXVCPU_SETUP_RAW_ROOT | AXVCPU_SETUP_STEPPED))
		return -EINVAL;
	if (!axvcpu_reserved_ok(setup->reserved))
		return -EINVAL;
	if ((setup->flags & AXVCPU_SETUP_STEPPED) &&
	    (setup->flags != AXVCPU_SETUP_STEPPED || setup->entry || setup->raw_root ||
	     setup->aspace_fd != -1))
		return -EINVAL;
	aspace = get_aspace(setup->flags, setup->aspace_fd);
	ret = axvcpu_setup(vcpu, setup, aspace);
	put_aspace(aspace);
	return ret;
}

static long ioctl_bind(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_bind *bind = &arg->bind;

	if (bind->flags || bind->reserved)
		return -EINVAL;
	if (bind->cpu < -1 || (bind->cpu >= 0 && bind->cpu >= nr_cpu_ids))
		return -EINVAL;
	return axvcpu_bind(vcpu, bind);
}

static long ioctl_unbind(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_unbind(vcpu);
}

static long ioctl_reset(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_reset(vcpu, arg->flags);
}

static long ioctl_get_state(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	axvcpu_get_failure(vcpu, &arg->state_info);
	return 0;
}

static long ioctl_set_state(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	u32 state = arg->set_state.state;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->set_state.reserved || state > AXVCPU_STATE_BLOCKED ||
	    AXVCPU_S_INSIDE_RUN & BIT(state))
		return -EINVAL;
	axvcpu_set_state(vcpu, state);
	return 0;
}

static long ioctl_set_entry(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	if (arg->set_entry.reserved)
		return -EINVAL;
	return axvcpu_set_entry(vcpu, axvcpu_gpa(arg->set_entry.entry));
}

static long ioctl_set_ept_root(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_set_ept_root *root = &arg->set_ept_root;
	struct axvcpu_aspace *aspace;
	long ret;

	if (root->flags & ~AXVCPU_SETUP_RAW_ROOT || root->reserved)
		return -EINVAL;
	aspace = get_aspace(root->flags, root->aspace_fd);
	ret = axvcpu_set_ept_root(vcpu, root, aspace);
	put_aspace(aspace);
	return ret;
}

static long ioctl_get_vcpu_info(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_vcpu_info *info = &arg->vcpu_info;
	size_t len = min_t(size_t, info->phys_cpu_set_len, axvcpu_cpumask_bytes());
	void __user *set = u64_to_user_ptr(info->phys_cpu_set);

	if (info->phys_cpu_set_len % sizeof(u64) || !info->phys_cpu_set != !info->phys_cpu_set_len)
		return -EINVAL;
	if (info->phys_cpu_set_len > PAGE_SIZE)
		return -E2BIG;
	if (info->reserved0 || !axvcpu_reserved_ok(info->reserved))
		return -EINVAL;
	if (len && (copy_to_user(set, cpumask_bits(vcpu->cpus), len) ||
		    clear_user(set + len, info->phys_cpu_set_len - len)))
		return -EFAULT;
	info->vm_id = vcpu->vm_id;
	info->vcpu_id = vcpu->vcpu_id;
	info->favor_phys_cpu = vcpu->favor_cpu;
	info->bound_cpu = READ_ONCE(vcpu->bound_cpu);
	info->is_bsp = !vcpu->vcpu_id;
	info->last_cpu = READ_ONCE(vcpu->last_cpu);
	return 0;
}

/* So many need no memory of their own. */
#define FEW_REGS	16

/* Returns @few, memory to be freed by free_regs(), or ERR_PTR(). */
static struct axvcpu_reg *copy_regs_in(const struct axvcpu_regs *args, struct axvcpu_reg *few)
{
	const void __user *from = u64_to_user_ptr(args->regs);

	if (args->flags || !args->count)
		return ERR_PTR(-EINVAL);
	if (args->count > AXVCPU_MAX_REGS)
		return ERR_PTR(-E2BIG);
	if (args->count > FEW_REGS)
		return vmemdup_user(from, args->count * sizeof(*few));
	return copy_from_user(few, from, args->count * sizeof(*few)) ? ERR_PTR(-EFAULT) : few;
}

static void free_regs(struct axvcpu_reg *regs, const struct axvcpu_reg *few)
{
	if (regs != few)
		kvfree(regs);
}

static noinline long get_regs(struct axvcpu *vcpu, const struct axvcpu_regs *args)
{
	struct axvcpu_reg few[FEW_REGS] __uninitialized, *regs = copy_regs_in(args, few);
	long ret;

	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = with_idle_vcpu(vcpu, GET_REGS, axvcpu_get_regs(vcpu, regs, args->count));
	if (!ret && copy_to_user(u64_to_user_ptr(args->regs), regs, args->count * sizeof(*regs)))
		ret = -EFAULT;
	free_regs(regs, few);
	return ret;
}

/* One alone has a short way: what it costs is the call. */
static bool is_one_reg(const struct axvcpu_regs *args)
{
	return args->count == 1 && !args->flags;
}

static long ioctl_get_regs(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_reg __user *user = u64_to_user_ptr(arg->regs.regs);
	struct axvcpu_reg reg;
	long ret;

	if (!is_one_reg(&arg->regs))
		return get_regs(vcpu, &arg->regs);
	if (get_user(reg.id, &user->id))
		return -EFAULT;
	ret = with_idle_vcpu(vcpu, GET_REGS, axvcpu_get_regs(vcpu, &reg, 1));
	return ret ?: put_user(reg.value, &user->value);
}

static noinline long set_regs(struct axvcpu *vcpu, const struct axvcpu_regs *args)
{
	struct axvcpu_reg few[FEW_REGS] __uninitialized, *regs = copy_regs_in(args, few);
	long ret;

	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = with_idle_vcpu(vcpu, SET_REGS, axvcpu_set_regs(vcpu, regs, args->count));
	free_regs(regs, few);
	return ret;
}

static __always_inline int copy_reg_in(struct axvcpu_reg *reg, const struct axvcpu_reg __user *user)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(reg->id, &user->id, fault);
	unsafe_get_user(reg->value, &user->value, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static long ioctl_set_regs(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_reg reg;

	if (!is_one_reg(&arg->regs))
		return set_regs(vcpu, &arg->regs);
	if (copy_reg_in(&reg, u64_to_user_ptr(arg->regs.regs)))
		return -EFAULT;
	return with_idle_vcpu(vcpu, SET_REGS, axvcpu_set_regs(vcpu, &reg, 1));
}

/* The ids are to be freed, whatever comes. */
static long list_regs(struct axvcpu *vcpu, struct axvcpu_reg_list *args, u64 **ids)
{
	u32 room = args->count, size = 0;

	/* INJECT may queue more at any time. That is no error where the caller has room for it. */
	while ((args->count = axvcpu_arch.list_regs(vcpu, *ids, size)) > size) {
		kvfree(*ids);
		*ids = NULL;
		if (args->count > room)
			return -E2BIG;
		size = args->count;
		*ids = kvmalloc_array(size, sizeof(**ids), GFP_KERNEL);
		if (!*ids)
			return -ENOMEM;
	}
	return 0;
}

static long ioctl_get_reg_list(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_reg_list *args = &arg->reg_list;
	u64 *ids = NULL;
	long ret;

	if (args->reserved)
		return -EINVAL;
	ret = with_idle_vcpu(vcpu, GET_REG_LIST, list_regs(vcpu, args, &ids));
	if (!ret && copy_to_user(u64_to_user_ptr(args->ids), ids, args->count * sizeof(*ids)))
		ret = -EFAULT;
	kvfree(ids);
	return ret;
}

static long ioctl_keep_state(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_keep_state(vcpu);
}

static long ioctl_restore_state(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	return axvcpu_restore_state(vcpu, arg->flags);
}

#define INJECT_FLAGS	(AXVCPU_INJECT_ERROR_CODE | AXVCPU_INJECT_PRIORITY)

static long ioctl_inject(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_inject *event = &arg->inject;

	if (event->type > AXVCPU_EVENT_NMI || event->flags & ~INJECT_FLAGS ||
	    event->reserved0 || !axvcpu_reserved_ok(event->reserved))
		return -EINVAL;
	return axvcpu_inject(vcpu, event);
}

static long ioctl_withdraw(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_inject *event = &arg->inject;

	if (event->type > AXVCPU_EVENT_NMI || event->error_code || event->flags ||
	    event->priority || event->reserved0 || !axvcpu_reserved_ok(event->reserved))
		return -EINVAL;
	return axvcpu_withdraw(vcpu, event);
}

static long ioctl_kick(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	axvcpu_kick(vcpu);
	return 0;
}

static long ioctl_get_stats(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	axvcpu_get_stats(vcpu, &arg->stats);
	return 0;
}

static long ioctl_get_history(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_history *args = &arg->history;
	struct axvcpu_history_entry *entries;
	long ret = 0;

	if (args->reserved)
		return -EINVAL;
	entries = kcalloc(AXVCPU_HISTORY_LEN, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	args->count = axvcpu_get_history(vcpu, entries, args->count);
	if (copy_to_user(u64_to_user_ptr(args->entries), entries, args->count * sizeof(*entries)))
		ret = -EFAULT;
	kfree(entries);
	return ret;
}

static long get_call_log(struct axvcpu *vcpu, struct axvcpu_call_log *log,
			 struct axvcpu_call_entry *entries)
{
	log->count = axvcpu_arch.get_call_log(vcpu, entries, log->count, &log->total);
	return 0;
}

static long ioctl_get_call_log(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_call_log *log = &arg->call_log;
	struct axvcpu_call_entry *entries;
	long ret;

	if (log->reserved)
		return -EINVAL;
	if (!axvcpu_arch.get_call_log)
		return -EOPNOTSUPP;
	log->count = min(log->count, AXVCPU_MAX_CALL_LOG);
	entries = kcalloc(log->count, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	ret = with_idle_vcpu(vcpu, GET_CALL_LOG, get_call_log(vcpu, log, entries));
	if (!ret && copy_to_user(u64_to_user_ptr(log->entries), entries,
				 log->count * sizeof(*entries)))
		ret = -EFAULT;
	kfree(entries);
	return ret;
}

static long ioctl_set_debug(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_set_debug *debug = &arg->set_debug;

	if (debug->flags & ~(AXVCPU_DEBUG_STEP | AXVCPU_DEBUG_SOFT_BREAKPOINTS) || debug->reserved)
		return -EINVAL;
	if (!axvcpu_arch.set_debug)
		return -EOPNOTSUPP;
	return axvcpu_arch.set_debug(vcpu, debug);
}

#define VCPU_FIRST	_IOC_NR(AXVCPU_SETUP)

static const struct axvcpu_ioctl vcpu_ioctls[] = {
#define I(name, arg, flags, lock, busy, bad, handler)			\
	[_IOC_NR(AXVCPU_##name) - VCPU_FIRST] = {			\
		AXVCPU_ROW_CMD(name), flags, ARG_##arg, LOCK_##lock, busy, bad, .vcpu = handler },
	AXVCPU_VCPU_IOCTLS(I)
#undef I
};

static int lock_vcpu(struct axvcpu *vcpu, enum axvcpu_ioctl_lock lock)
{
	return lock == LOCK_WAIT ? mutex_lock_interruptible(&vcpu->mutex) : lock_idle(vcpu);
}

static long vcpu_call(const struct axvcpu_ioctl *ioctl, struct axvcpu *vcpu,
		      union axvcpu_ioctl_arg *arg)
{
	long ret;

	if (ioctl->lock == LOCK_OWN) {
		ret = ioctl->vcpu(vcpu, arg);
		/* What is wrong with the arguments comes second. */
		return likely(!ret) ? 0 : check_state(vcpu, ioctl->busy, ioctl->bad) ?: ret;
	}
	if (ioctl->lock != LOCK_NONE) {
		ret = lock_vcpu(vcpu, ioctl->lock);
		if (ret)
			return ret;
	}
	ret = check_state(vcpu, ioctl->busy, ioctl->bad) ?: ioctl->vcpu(vcpu, arg);
	if (ioctl->lock != LOCK_NONE)
		mutex_unlock(&vcpu->mutex);
	return ret;
}

static noinline long vcpu_other_ioctl(struct axvcpu *vcpu, unsigned int cmd, unsigned long uarg)
{
	const struct axvcpu_ioctl *ioctl = axvcpu_ioctl_find(vcpu_ioctls, VCPU_FIRST,
							     ARRAY_SIZE(vcpu_ioctls), cmd);
	union axvcpu_ioctl_arg arg __uninitialized;

	return axvcpu_ioctl_with_arg(ioctl, &arg, cmd, uarg, vcpu_call(ioctl, vcpu, &arg));
}

/**
 * axvcpu_vcpu_ioctl() - the ioctls of a vCPU's descriptor
 * @file: the descriptor's
 * @cmd: command
 * @uarg: argument
 *
 * What an exit to userspace costs is decided here, too: RUN does not go through
 * the table, and looks after its arguments and lock itself. It has a row there
 * all the same, for the oracle.
 *
 * Context: process context.
 * Return: as uapi documents for each command.
 */
long axvcpu_vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	if (likely(cmd == AXVCPU_RUN))
		return axvcpu_run(file->private_data, uarg);
	return vcpu_other_ioctl(file->private_data, cmd, uarg);
}
