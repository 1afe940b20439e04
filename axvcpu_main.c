// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module, the device, and the ioctls: arguments are copied and checked
 * here, locks are taken here, from the tables.
 */

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "axvcpu_arch.h"
#include "axvcpu_compat.h"

/* Fixed-size ioctl structs, in one place of the stack. */
union ioctl_arg {
	struct axvcpu_info info;
	struct axvcpu_create_aspace create_aspace;
	struct axvcpu_create_vcpu create_vcpu;
	struct axvcpu_map map;
	struct axvcpu_unmap unmap;
	struct axvcpu_protect protect;
	struct axvcpu_get_dirty get_dirty;
	struct axvcpu_aspace_stats aspace_stats;
	struct axvcpu_setup setup;
	struct axvcpu_bind bind;
	struct axvcpu_state_info state_info;
	struct axvcpu_set_state set_state;
	struct axvcpu_set_entry set_entry;
	struct axvcpu_set_ept_root set_ept_root;
	struct axvcpu_vcpu_info vcpu_info;
	struct axvcpu_regs regs;
	struct axvcpu_inject inject;
	struct axvcpu_stats stats;
	struct axvcpu_history history;
	struct axvcpu_call_log call_log;
	struct axvcpu_set_debug set_debug;
};

enum ioctl_kind { ARG_NONE, ARG_FLAGS, ARG_STRUCT };
enum ioctl_lock { LOCK_NONE, LOCK_IDLE, LOCK_WAIT };

/**
 * struct ioctl - an ioctl
 * @cmd: command; its size is the kernel's struct's
 * @kind: what the argument is
 * @lock: how a vCPU's mutex is taken
 * @busy: states of a vCPU in which it is refused with -EBUSY
 * @bad: states of a vCPU in which it is refused with -EBADFD
 * @fn: does it; @object is what the descriptor stands for
 */
struct ioctl {
	unsigned int cmd;
	u8 kind;
	u8 lock;
	u8 busy;
	u8 bad;
	long (*fn)(void *object, union ioctl_arg *arg);
};

/* All structs are in their first version: the kernel's size is the smallest. */
static int copy_arg_in(const struct ioctl *ioctl, union ioctl_arg *arg, unsigned int cmd,
		       void __user *uarg)
{
	size_t ksize = _IOC_SIZE(ioctl->cmd), usize = _IOC_SIZE(cmd);

	if (usize < ksize)
		return -EINVAL;
	if (_IOC_DIR(cmd) & _IOC_WRITE)
		return copy_struct_from_user(arg, ksize, uarg, usize);
	memset(arg, 0, ksize);
	return 0;
}

static int copy_arg_out(const struct ioctl *ioctl, const union ioctl_arg *arg, unsigned int cmd,
			void __user *uarg)
{
	size_t ksize = _IOC_SIZE(ioctl->cmd), usize = _IOC_SIZE(cmd);

	if (!(_IOC_DIR(cmd) & _IOC_READ))
		return 0;
	if (copy_to_user(uarg, arg, ksize) || clear_user(uarg + ksize, usize - ksize))
		return -EFAULT;
	return 0;
}

static const struct ioctl *find_ioctl(const struct ioctl *table, unsigned int first,
				      unsigned int count, unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd) - first;
	const struct ioctl *ioctl;

	if (_IOC_TYPE(cmd) != AXVCPU_IOC_MAGIC || nr >= count)
		return NULL;
	ioctl = &table[array_index_nospec(nr, count)];
	if (_IOC_DIR(cmd) != _IOC_DIR(ioctl->cmd))
		return NULL;
	if (ioctl->kind != ARG_STRUCT && _IOC_SIZE(cmd))
		return NULL;
	return ioctl;
}

static int get_arg(const struct ioctl *ioctl, union ioctl_arg *arg, unsigned int cmd,
		   unsigned long uarg)
{
	if (ioctl->kind == ARG_STRUCT)
		return copy_arg_in(ioctl, arg, cmd, (void __user *)uarg);
	return uarg ? -EINVAL : 0;
}

static bool all_zero(const void *p, size_t size)
{
	return !memchr_inv(p, 0, size);
}

#define RESERVED_OK(field)	all_zero(&(field), sizeof(field))

/*
 * The vCPU's mutex. LOCK_IDLE does not wait for a RUN to end; what else holds
 * the mutex lets go soon.
 */
static int lock_vcpu(struct axvcpu *vcpu, enum ioctl_lock lock)
{
	if (lock == LOCK_WAIT)
		return mutex_lock_interruptible(&vcpu->mutex);
	while (!mutex_trylock(&vcpu->mutex)) {
		if (AXVCPU_S_INSIDE_RUN & BIT(axvcpu_state(vcpu)))
			return -EBUSY;
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static int check_state(const struct ioctl *ioctl, const struct axvcpu *vcpu)
{
	unsigned int state = BIT(axvcpu_state(vcpu));

	if (ioctl->busy & state)
		return -EBUSY;
	return ioctl->bad & state ? -EBADFD : 0;
}

/* The vCPU's operations */

static long do_SETUP(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_setup *setup = &arg->setup;

	if (setup->flags & ~(AXVCPU_SETUP_RAW_ROOT | AXVCPU_SETUP_STEPPED))
		return -EINVAL;
	if (!RESERVED_OK(setup->reserved))
		return -EINVAL;
	if ((setup->flags & AXVCPU_SETUP_STEPPED) &&
	    (setup->flags != AXVCPU_SETUP_STEPPED || setup->entry || setup->raw_root ||
	     setup->aspace_fd != -1))
		return -EINVAL;
	return axvcpu_setup(object, setup);
}

static long do_BIND(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_bind *bind = &arg->bind;

	if (bind->flags || bind->reserved)
		return -EINVAL;
	if (bind->cpu < -1 || (bind->cpu >= 0 && bind->cpu >= nr_cpu_ids))
		return -EINVAL;
	return axvcpu_bind(object, bind);
}

static long do_UNBIND(void *object, union ioctl_arg *arg)
{
	return axvcpu_unbind(object);
}

static long do_RESET(void *object, union ioctl_arg *arg)
{
	return axvcpu_reset(object);
}

static long do_GET_STATE(void *object, union ioctl_arg *arg)
{
	axvcpu_get_failure(object, &arg->state_info);
	return 0;
}

static long do_SET_STATE(void *object, union ioctl_arg *arg)
{
	u32 state = arg->set_state.state;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->set_state.reserved || state > AXVCPU_STATE_BLOCKED ||
	    AXVCPU_S_INSIDE_RUN & BIT(state))
		return -EINVAL;
	axvcpu_set_state(object, state);
	return 0;
}

static long do_SET_ENTRY(void *object, union ioctl_arg *arg)
{
	if (arg->set_entry.reserved)
		return -EINVAL;
	return axvcpu_set_entry(object, axvcpu_gpa(arg->set_entry.entry));
}

static long do_SET_EPT_ROOT(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_set_ept_root *root = &arg->set_ept_root;

	if (root->flags & ~AXVCPU_SETUP_RAW_ROOT || root->reserved)
		return -EINVAL;
	return axvcpu_set_ept_root(object, root);
}

static size_t cpumask_bytes(void)
{
	return BITS_TO_LONGS(nr_cpu_ids) * sizeof(unsigned long);
}

static long do_GET_VCPU_INFO(void *object, union ioctl_arg *arg)
{
	struct axvcpu_vcpu_info *info = &arg->vcpu_info;
	struct axvcpu *vcpu = object;
	size_t len = min_t(size_t, info->phys_cpu_set_len, cpumask_bytes());
	void __user *set = u64_to_user_ptr(info->phys_cpu_set);

	if (info->phys_cpu_set_len % sizeof(u64) || !info->phys_cpu_set != !info->phys_cpu_set_len)
		return -EINVAL;
	if (info->phys_cpu_set_len > PAGE_SIZE)
		return -E2BIG;
	if (info->reserved0 || !RESERVED_OK(info->reserved))
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

static struct axvcpu_reg *copy_regs_in(const struct axvcpu_regs *args)
{
	if (args->flags || !args->count)
		return ERR_PTR(-EINVAL);
	if (args->count > AXVCPU_MAX_REGS)
		return ERR_PTR(-E2BIG);
	return memdup_user(u64_to_user_ptr(args->regs), args->count * sizeof(struct axvcpu_reg));
}

static long do_GET_REGS(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_regs *args = &arg->regs;
	struct axvcpu_reg *regs = copy_regs_in(args);
	long ret;

	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = axvcpu_get_regs(object, regs, args->count);
	if (!ret && copy_to_user(u64_to_user_ptr(args->regs), regs, args->count * sizeof(*regs)))
		ret = -EFAULT;
	kfree(regs);
	return ret;
}

static long do_SET_REGS(void *object, union ioctl_arg *arg)
{
	struct axvcpu_reg *regs = copy_regs_in(&arg->regs);
	long ret;

	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = axvcpu_set_regs(object, regs, arg->regs.count);
	kfree(regs);
	return ret;
}

static long do_INJECT(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_inject *event = &arg->inject;

	if (event->type > AXVCPU_EVENT_NMI || event->flags & ~AXVCPU_INJECT_ERROR_CODE ||
	    event->reserved0 || !RESERVED_OK(event->reserved))
		return -EINVAL;
	return axvcpu_inject(object, event);
}

static long do_KICK(void *object, union ioctl_arg *arg)
{
	axvcpu_kick(object);
	return 0;
}

static long do_GET_STATS(void *object, union ioctl_arg *arg)
{
	axvcpu_get_stats(object, &arg->stats);
	return 0;
}

static long do_GET_HISTORY(void *object, union ioctl_arg *arg)
{
	struct axvcpu_history *args = &arg->history;
	struct axvcpu_history_entry *entries;
	long ret = 0;

	if (args->reserved)
		return -EINVAL;
	entries = kcalloc(AXVCPU_HISTORY_LEN, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	args->count = axvcpu_get_history(object, entries, args->count);
	if (copy_to_user(u64_to_user_ptr(args->entries), entries, args->count * sizeof(*entries)))
		ret = -EFAULT;
	kfree(entries);
	return ret;
}

static long do_GET_CALL_LOG(void *object, union ioctl_arg *arg)
{
	if (arg->call_log.reserved)
		return -EINVAL;
	if (!axvcpu_arch.get_call_log)
		return -EOPNOTSUPP;
	return axvcpu_arch.get_call_log(object, &arg->call_log);
}

static long do_SET_DEBUG(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_set_debug *debug = &arg->set_debug;

	if (debug->flags & ~(AXVCPU_DEBUG_STEP | AXVCPU_DEBUG_SOFT_BREAKPOINTS) || debug->reserved)
		return -EINVAL;
	if (!axvcpu_arch.set_debug)
		return -EOPNOTSUPP;
	return axvcpu_arch.set_debug(object, debug);
}

#define VCPU_FIRST	_IOC_NR(AXVCPU_SETUP)

#define FN_STRUCT(name)	do_##name
#define FN_NONE(name)	do_##name
#define FN_FLAGS(name)	NULL		/* RUN: axvcpu_run() */

static const struct ioctl vcpu_ioctls[] = {
#define I(name, arg, lock, busy, bad)				\
	[_IOC_NR(AXVCPU_##name) - VCPU_FIRST] = {			\
		AXVCPU_##name, ARG_##arg, LOCK_##lock, busy, bad, FN_##arg(name) },
	AXVCPU_VCPU_IOCTLS(I)
#undef I
};

static long vcpu_call(const struct ioctl *ioctl, struct axvcpu *vcpu, union ioctl_arg *arg)
{
	long ret;

	if (ioctl->lock != LOCK_NONE) {
		ret = lock_vcpu(vcpu, ioctl->lock);
		if (ret)
			return ret;
	}
	ret = check_state(ioctl, vcpu);
	if (!ret)
		ret = ioctl->fn(vcpu, arg);
	if (ioctl->lock != LOCK_NONE)
		mutex_unlock(&vcpu->mutex);
	return ret;
}

static long vcpu_struct_call(const struct ioctl *ioctl, struct axvcpu *vcpu,
			     unsigned int cmd, unsigned long uarg)
{
	union ioctl_arg arg;
	long ret;

	ret = get_arg(ioctl, &arg, cmd, uarg);
	if (ret)
		return ret;
	ret = vcpu_call(ioctl, vcpu, &arg);
	return ret ?: copy_arg_out(ioctl, &arg, cmd, (void __user *)uarg);
}

static noinline long vcpu_other_ioctl(struct axvcpu *vcpu, unsigned int cmd, unsigned long uarg)
{
	const struct ioctl *ioctl = find_ioctl(vcpu_ioctls, VCPU_FIRST, ARRAY_SIZE(vcpu_ioctls),
					       cmd);

	return ioctl ? vcpu_struct_call(ioctl, vcpu, cmd, uarg) : -ENOTTY;
}

/*
 * What an exit to userspace costs is decided here, too: RUN does not go through
 * the table, and looks after its arguments and lock itself. It has a row there
 * all the same, for the oracle.
 */
static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	if (likely(cmd == AXVCPU_RUN))
		return axvcpu_run(file->private_data, uarg);
	return vcpu_other_ioctl(file->private_data, cmd, uarg);
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct axvcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma_pages(vma) != 1)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	axvcpu_vcpu_destroy(file->private_data);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

/* The address space's operations */

#define ASPACE_CALL(name, fn, member)					\
	static long do_##name(void *object, union ioctl_arg *arg)	\
	{								\
		return fn(object, &arg->member);			\
	}

ASPACE_CALL(MAP, axvcpu_aspace_map, map)
ASPACE_CALL(UNMAP, axvcpu_aspace_unmap, unmap)
ASPACE_CALL(PROTECT, axvcpu_aspace_protect, protect)
ASPACE_CALL(GET_DIRTY, axvcpu_aspace_get_dirty, get_dirty)
ASPACE_CALL(GET_ASPACE_STATS, axvcpu_aspace_get_stats, aspace_stats)

#define ASPACE_FIRST	_IOC_NR(AXVCPU_MAP)

#define PLAIN_IOCTL(first, name) \
	[_IOC_NR(AXVCPU_##name) - (first)] = { AXVCPU_##name, ARG_STRUCT, .fn = do_##name }

static const struct ioctl aspace_ioctls[] = {
	PLAIN_IOCTL(ASPACE_FIRST, MAP),
	PLAIN_IOCTL(ASPACE_FIRST, UNMAP),
	PLAIN_IOCTL(ASPACE_FIRST, GET_ASPACE_STATS),
	PLAIN_IOCTL(ASPACE_FIRST, PROTECT),
	PLAIN_IOCTL(ASPACE_FIRST, GET_DIRTY),
};

static long plain_call(const struct ioctl *ioctl, void *object, unsigned int cmd,
		       unsigned long uarg)
{
	union ioctl_arg arg;
	long ret;

	if (!ioctl)
		return -ENOTTY;
	ret = get_arg(ioctl, &arg, cmd, uarg);
	if (ret)
		return ret;
	ret = ioctl->fn(object, &arg);
	if (ret < 0)
		return ret;
	return copy_arg_out(ioctl, &arg, cmd, (void __user *)uarg) ?: ret;
}

static long aspace_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	return plain_call(find_ioctl(aspace_ioctls, ASPACE_FIRST, ARRAY_SIZE(aspace_ioctls), cmd),
			  file->private_data, cmd, uarg);
}

static int aspace_release(struct inode *inode, struct file *file)
{
	axvcpu_aspace_put(file->private_data);
	return 0;
}

static const struct file_operations aspace_fops = {
	.owner = THIS_MODULE,
	.release = aspace_release,
	.unlocked_ioctl = aspace_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/**
 * axvcpu_aspace_get_fd() - the address space behind a descriptor
 * @fd: descriptor of the calling process
 *
 * Context: process context.
 * Return: the address space with a reference for the caller, or
 * ERR_PTR(-EBADF).
 */
struct axvcpu_aspace *axvcpu_aspace_get_fd(int fd)
{
	struct axvcpu_aspace *aspace = ERR_PTR(-EBADF);
	struct file *file = fget(fd);

	if (!file)
		return aspace;
	if (file->f_op == &aspace_fops)
		aspace = axvcpu_aspace_get(file->private_data);
	fput(file);
	return aspace;
}

/* The device's operations */

/* The descriptor is the last thing: once it is there, close() may come. */
static long install_fd(const char *name, const struct file_operations *fops, void *object)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, object, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long do_GET_INFO(void *object, union ioctl_arg *arg)
{
	const struct axvcpu_s2_format *s2 = axvcpu_arch.s2;
	struct axvcpu_info *info = &arg->info;
	unsigned int level;

	info->abi_version = AXVCPU_ABI_VERSION;
	info->backend = axvcpu_arch.backend;
	info->caps = axvcpu_arch.caps();
	if (axvcpu_raw_root_enabled())
		info->caps |= AXVCPU_CAP_RAW_ROOT;
	info->gpa_bits = s2->gpa_bits;
	info->max_gpt_levels = s2->levels;
	info->run_size = PAGE_SIZE;
	info->max_regs = AXVCPU_MAX_REGS;
	for (level = 0; level < s2->levels; level++)
		if (s2->leaf_levels & BIT(level))
			info->page_sizes |= BIT_ULL(axvcpu_s2_level_shift(s2, level));
	strscpy(info->name, axvcpu_arch.name, sizeof(info->name));
	return 0;
}

static long do_CREATE_ASPACE(void *object, union ioctl_arg *arg)
{
	struct axvcpu_aspace *aspace;
	long fd;

	if (arg->create_aspace.flags || arg->create_aspace.reserved)
		return -EINVAL;
	aspace = axvcpu_aspace_create();
	if (IS_ERR(aspace))
		return PTR_ERR(aspace);
	fd = install_fd("[axvcpu-aspace]", &aspace_fops, aspace);
	if (fd < 0)
		axvcpu_aspace_put(aspace);
	return fd;
}

/* As sched_setaffinity() reads it: bits beyond the kernel's are ignored. */
static int copy_cpus(struct cpumask *cpus, const struct axvcpu_create_vcpu *args)
{
	size_t len = min_t(size_t, args->phys_cpu_set_len, cpumask_bytes());

	if (args->phys_cpu_set_len % sizeof(u64) || !args->phys_cpu_set != !args->phys_cpu_set_len)
		return -EINVAL;
	if (args->phys_cpu_set_len > PAGE_SIZE)
		return -E2BIG;
	if (!len) {
		cpumask_copy(cpus, cpu_possible_mask);
		return 0;
	}
	cpumask_clear(cpus);
	if (copy_from_user(cpumask_bits(cpus), u64_to_user_ptr(args->phys_cpu_set), len))
		return -EFAULT;
	cpumask_and(cpus, cpus, cpu_possible_mask);
	return cpumask_intersects(cpus, cpu_online_mask) ? 0 : -EINVAL;
}

static int check_create_vcpu(struct cpumask *cpus, const struct axvcpu_create_vcpu *args)
{
	int ret;

	if (args->flags || args->reserved0 || !RESERVED_OK(args->reserved))
		return -EINVAL;
	if (args->vcpu_id > AXVCPU_VCPU_ID_MAX)
		return -EINVAL;
	ret = copy_cpus(cpus, args);
	if (ret)
		return ret;
	if (args->favor_phys_cpu == -1)
		return 0;
	if (args->favor_phys_cpu < 0 || args->favor_phys_cpu >= nr_cpu_ids)
		return -EINVAL;
	return cpumask_test_cpu(args->favor_phys_cpu, cpus) ? 0 : -EINVAL;
}

static long do_CREATE_VCPU(void *object, union ioctl_arg *arg)
{
	struct axvcpu *vcpu;
	cpumask_var_t cpus;
	long ret;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	ret = check_create_vcpu(cpus, &arg->create_vcpu);
	if (ret)
		goto out;
	vcpu = axvcpu_vcpu_create(&arg->create_vcpu, cpus);
	if (IS_ERR(vcpu)) {
		ret = PTR_ERR(vcpu);
		goto out;
	}
	ret = install_fd("[axvcpu-vcpu]", &vcpu_fops, vcpu);
	if (ret < 0)
		axvcpu_vcpu_destroy(vcpu);
out:
	free_cpumask_var(cpus);
	return ret;
}

#define DEVICE_FIRST	_IOC_NR(AXVCPU_GET_INFO)

static const struct ioctl device_ioctls[] = {
	PLAIN_IOCTL(DEVICE_FIRST, GET_INFO),
	PLAIN_IOCTL(DEVICE_FIRST, CREATE_ASPACE),
	PLAIN_IOCTL(DEVICE_FIRST, CREATE_VCPU),
};

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	return plain_call(find_ioctl(device_ioctls, DEVICE_FIRST, ARRAY_SIZE(device_ioctls), cmd),
			  NULL, cmd, uarg);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "axvcpu",
	.fops = &device_fops,
	.mode = 0660,
};

static int __init axvcpu_init(void)
{
	int ret;

	ret = axvcpu_arch.init();
	if (ret)
		return ret;
	axvcpu_run_init();
	ret = axvcpu_percpu_init();
	if (ret)
		goto err_arch;
	axvcpu_debugfs_init();
	ret = misc_register(&device);
	if (ret)
		goto err_percpu;
	pr_info("%s backend, %u-bit guest-physical addresses, capabilities %#llx\n",
		axvcpu_arch.name, axvcpu_arch.s2->gpa_bits, axvcpu_arch.caps());
	return 0;

err_percpu:
	axvcpu_debugfs_exit();
	axvcpu_percpu_exit();
err_arch:
	axvcpu_arch.exit();
	return ret;
}
module_init(axvcpu_init);

static void __exit axvcpu_exit(void)
{
	misc_deregister(&device);
	axvcpu_debugfs_exit();
	axvcpu_percpu_exit();
	axvcpu_arch.exit();
}
module_exit(axvcpu_exit);

MODULE_DESCRIPTION("Hardware vCPUs as file descriptors");
MODULE_AUTHOR("The axvcpu developers");
MODULE_LICENSE("GPL");
