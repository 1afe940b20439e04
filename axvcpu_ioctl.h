/* SPDX-License-Identifier: GPL-2.0-only */
/* Ioctls by table: arguments in and out. */
#ifndef _AXVCPU_IOCTL_H
#define _AXVCPU_IOCTL_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>

#include <uapi/linux/axvcpu.h>

struct axvcpu;
struct axvcpu_aspace;

/**
 * union axvcpu_ioctl_arg - an ioctl's argument, in one place of the stack
 *
 * The integer, or the struct behind a pointer: each is named after its ioctl.
 */
union axvcpu_ioctl_arg {
	/* private: */
	unsigned long flags;
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
	struct axvcpu_reg_list reg_list;
	struct axvcpu_inject inject;
	struct axvcpu_stats stats;
	struct axvcpu_history history;
	struct axvcpu_call_log call_log;
	struct axvcpu_set_debug set_debug;
};

enum axvcpu_ioctl_kind { ARG_STRUCT, ARG_FLAGS, ARG_NONE };
enum axvcpu_ioctl_lock { LOCK_NONE, LOCK_IDLE, LOCK_OWN, LOCK_WAIT };

/**
 * struct axvcpu_ioctl - an ioctl: a row of its descriptor's table
 * @cmd: command; its size is the kernel's struct's
 * @kind: what the argument is
 * @flags: what an integer may have
 * @lock: how a vCPU's mutex is taken
 * @busy: states of a vCPU in which it is refused with -EBUSY
 * @bad: states of a vCPU in which it is refused with -EBADFD
 * @device: does it, for the device
 * @aspace: does it, for an address space
 * @vcpu: does it, for a vCPU, with the lock held, but for %LOCK_OWN
 */
struct axvcpu_ioctl {
	unsigned int cmd;
	u32 flags;
	u8 kind;
	u8 lock;
	u8 busy;
	u8 bad;
	union {
		long (*device)(union axvcpu_ioctl_arg *arg);
		long (*aspace)(struct axvcpu_aspace *aspace, union axvcpu_ioctl_arg *arg);
		long (*vcpu)(struct axvcpu *vcpu, union axvcpu_ioctl_arg *arg);
	};
};

/* What is no longer costs less word by word than copy_from_user() and copy_to_user() do. */
#define AXVCPU_SHORT_COPY	32

/**
 * axvcpu_copy_in() - copy from the caller
 * @to: aligned to words
 * @from: the caller's memory
 * @size: in bytes, whole words
 *
 * Context: process context.
 * Return: 0 or -EFAULT, with @to undefined.
 */
static __always_inline int axvcpu_copy_in(void *to, const void __user *from, size_t size)
{
	const u64 __user *user = from;
	u64 *word = to;

	if (size > AXVCPU_SHORT_COPY)
		return copy_from_user(to, from, size) ? -EFAULT : 0;
	if (!user_read_access_begin(from, size))
		return -EFAULT;
	for (; size; size -= sizeof(*word))
		unsafe_get_user(*word++, user++, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * axvcpu_copy_out() - copy to the caller
 * @to: the caller's memory
 * @from: aligned to words
 * @size: in bytes, whole words
 *
 * Context: process context.
 * Return: 0 or -EFAULT; a part may have been written.
 */
static __always_inline int axvcpu_copy_out(void __user *to, const void *from, size_t size)
{
	u64 __user *user = to;
	const u64 *word = from;

	if (size > AXVCPU_SHORT_COPY)
		return copy_to_user(to, from, size) ? -EFAULT : 0;
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	for (; size; size -= sizeof(*word))
		unsafe_put_user(*word++, user++, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * axvcpu_ioctl_find() - the row of a command
 * @table: rows by number
 * @first: number of the first
 * @count: rows
 * @cmd: command, of any size
 *
 * Context: any.
 * Return: the row, or NULL.
 */
static __always_inline const struct axvcpu_ioctl *
axvcpu_ioctl_find(const struct axvcpu_ioctl *table, unsigned int first, unsigned int count,
		  unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd) - first;
	const struct axvcpu_ioctl *ioctl;

	if (_IOC_TYPE(cmd) != AXVCPU_IOC_MAGIC || nr >= count)
		return NULL;
	ioctl = &table[array_index_nospec(nr, count)];
	if (_IOC_DIR(cmd) != _IOC_DIR(ioctl->cmd))
		return NULL;
	if (ioctl->kind != ARG_STRUCT && _IOC_SIZE(cmd))
		return NULL;
	return ioctl;
}

/* All structs are in their first version: the kernel's size is the smallest. */
static __always_inline int axvcpu_ioctl_get_struct(const struct axvcpu_ioctl *ioctl,
						   union axvcpu_ioctl_arg *arg, unsigned int cmd,
						   const void __user *uarg)
{
	size_t ksize = _IOC_SIZE(ioctl->cmd), usize = _IOC_SIZE(cmd);
	int zero;

	if (usize < ksize)
		return -EINVAL;
	if (!(_IOC_DIR(cmd) & _IOC_WRITE)) {
		memset(arg, 0, ksize);
		return 0;
	}
	if (unlikely(usize > ksize)) {
		zero = check_zeroed_user(uarg + ksize, usize - ksize);
		if (zero <= 0)
			return zero ?: -E2BIG;
	}
	return axvcpu_copy_in(arg, uarg, ksize);
}

/**
 * axvcpu_ioctl_get_arg() - copy an ioctl's argument in
 * @ioctl: its row, or NULL
 * @arg: written
 * @cmd: the caller's command
 * @uarg: the caller's argument
 *
 * Context: process context.
 * Return: 0; -ENOTTY: no such ioctl; -EINVAL, -E2BIG, -EFAULT: no such argument.
 */
static __always_inline long axvcpu_ioctl_get_arg(const struct axvcpu_ioctl *ioctl,
						 union axvcpu_ioctl_arg *arg, unsigned int cmd,
						 unsigned long uarg)
{
	if (!ioctl)
		return -ENOTTY;
	if (ioctl->kind == ARG_STRUCT)
		return axvcpu_ioctl_get_struct(ioctl, arg, cmd, (void __user *)uarg);
	arg->flags = uarg;
	return uarg & ~(unsigned long)ioctl->flags ? -EINVAL : 0;
}

/**
 * axvcpu_ioctl_put_arg() - copy an ioctl's argument out
 * @ioctl: its row
 * @arg: the argument
 * @cmd: the caller's command
 * @uarg: the caller's argument
 * @result: the handler's; an error leaves the caller's memory alone, but for E2BIG, with
 *	which a struct may say how much is needed
 *
 * Context: process context.
 * Return: @result, or -EFAULT.
 */
static __always_inline long axvcpu_ioctl_put_arg(const struct axvcpu_ioctl *ioctl,
						 const union axvcpu_ioctl_arg *arg,
						 unsigned int cmd, unsigned long uarg, long result)
{
	size_t ksize = _IOC_SIZE(ioctl->cmd), usize = _IOC_SIZE(cmd);
	void __user *to = (void __user *)uarg;

	if (!(_IOC_DIR(cmd) & _IOC_READ) || (result < 0 && result != -E2BIG))
		return result;
	if (axvcpu_copy_out(to, arg, ksize) || clear_user(to + ksize, usize - ksize))
		return -EFAULT;
	return result;
}

/**
 * axvcpu_ioctl_with_arg() - copy the argument in, call, copy it out
 * @ioctl: the row, or NULL: there is none
 * @arg: where the argument goes
 * @cmd: the caller's command
 * @uarg: the caller's argument
 * @call: the handler's call, an expression
 *
 * Context: process context.
 * Return: @call's value; -ENOTTY, -EINVAL, -E2BIG, -EFAULT.
 */
#define axvcpu_ioctl_with_arg(ioctl, arg, cmd, uarg, call)				\
({											\
	const struct axvcpu_ioctl *__ioctl = (ioctl);					\
	union axvcpu_ioctl_arg *__arg = (arg);						\
	unsigned int __cmd = (cmd);							\
	unsigned long __uarg = (uarg);							\
											\
	axvcpu_ioctl_get_arg(__ioctl, __arg, __cmd, __uarg) ?:				\
		axvcpu_ioctl_put_arg(__ioctl, __arg, __cmd, __uarg, (call));		\
})

/* The command of a row; axvcpu_copy_in() and axvcpu_copy_out() take whole words. */
#define AXVCPU_ROW_CMD(name) \
	(AXVCPU_##name + BUILD_BUG_ON_ZERO(_IOC_SIZE(AXVCPU_##name) % sizeof(u64)))

/* All of a reserved field is zero. */
#define axvcpu_reserved_ok(field)	(!memchr_inv(&(field), 0, sizeof(field)))

/* The kernel's length of a set of CPUs */
static inline size_t axvcpu_cpumask_bytes(void)
{
	return BITS_TO_LONGS(nr_cpu_ids) * sizeof(unsigned long);
}

extern const struct file_operations axvcpu_aspace_fops;
long axvcpu_vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long uarg);

#endif /* _AXVCPU_IOCTL_H */
