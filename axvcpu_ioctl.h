/* SPDX-License-Identifier: GPL-2.0-only */
/* Ioctls by table: arguments in and out. */
#ifndef _AXVCPU_IOCTL_H
#define _AXVCPU_IOCTL_H

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/types.h>

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
enum axvcpu_ioctl_lock { LOCK_NONE, LOCK_IDLE, LOCK_WAIT };

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
 * @vcpu: does it, for a vCPU, with the lock held
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

const struct axvcpu_ioctl *axvcpu_ioctl_find(const struct axvcpu_ioctl *table, unsigned int first,
					     unsigned int count, unsigned int cmd);
long axvcpu_ioctl_get_arg(const struct axvcpu_ioctl *ioctl, union axvcpu_ioctl_arg *arg,
			  unsigned int cmd, unsigned long uarg);
long axvcpu_ioctl_put_arg(const struct axvcpu_ioctl *ioctl, const union axvcpu_ioctl_arg *arg,
			  unsigned int cmd, unsigned long uarg, long result);

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
