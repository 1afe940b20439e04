/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects, and what the library's files share. */
#ifndef LIBAXVCPU_INTERNAL_H
#define LIBAXVCPU_INTERNAL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <libaxvcpu.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* All but "seen" are constant once they are made. */

struct axvcpu_device {
	int fd;
	struct axvcpu_info info;
};

struct axvcpu_aspace {
	int fd;
};

struct axvcpu_vcpu {
	int fd;
	uint32_t backend;
	uint32_t run_size;
	struct axvcpu_run *run;
	atomic_uint_fast64_t seen;	/* seq of the last failure that a call has met */
};

/**
 * struct axvcpu_text - a text that grows in a buffer, cut where it ends
 * @buf: the buffer
 * @len: its bytes
 * @used: characters that the text has, cut or not
 */
struct axvcpu_text {
	char *buf;
	size_t len;
	size_t used;
};

/**
 * text_add() - add to a text
 * @text: the text
 * @fmt: as printf()
 */
__attribute__((format(printf, 2, 3)))
void text_add(struct axvcpu_text *text, const char *fmt, ...);

/**
 * add_failure() - add a record of the kernel's
 * @text: the text
 * @failure: the record
 * @backend: &enum axvcpu_backend, whose registers and codes it names
 */
void add_failure(struct axvcpu_text *text, const struct axvcpu_failure *failure, uint32_t backend);

/* REG_NAME_BYTES - a register's name is shorter */
#define REG_NAME_BYTES	48

/* name_fn - called with each name of a list */
typedef void (*name_fn)(const char *name, void *data);

/**
 * x86_reg_names() - list the registers of x86 that have a name of their own
 * @fn: called with each
 * @data: for @fn
 */
void x86_reg_names(name_fn fn, void *data);

/**
 * arm64_reg_names() - list the registers of arm64 that have a name of their own
 * @fn: called with each
 * @data: for @fn
 */
void arm64_reg_names(name_fn fn, void *data);

/**
 * add_wrong_name() - add that a register's name is wrong, and which may be meant
 * @text: the text
 * @backend: &enum axvcpu_backend, whose register it should be
 * @name: the name
 */
void add_wrong_name(struct axvcpu_text *text, uint32_t backend, const char *name);

/* What failed: a call of the library, or the ioctl in it. */
enum call {
	CALL_OPEN, CALL_CREATE_ASPACE, CALL_CREATE_VCPU, CALL_MAP, CALL_UNMAP, CALL_PROTECT,
	CALL_GET_DIRTY, CALL_SETUP, CALL_BIND, CALL_RUN, CALL_UNBIND, CALL_RESET, CALL_INJECT,
	CALL_WITHDRAW, CALL_KEEP_STATE, CALL_RESTORE_STATE, CALL_LIST_REGS, CALL_SAVE, CALL_LOAD,
	CALL_SET_DEBUG, CALL_GET_REGS, CALL_SET_REGS, CALL_REG_NAME, CALL_GET_STATE,
	CALL_CPUID, CALL_CLOCK, CALL_TABLES, CALL_LOOP, CALL_HANDLER,
};

/**
 * failed() - remember an error for axvcpu_error_text()
 * @call: what failed
 * @error: negative errno
 *
 * Return: @error.
 */
int failed(enum call call, int error);

/**
 * because() - add what of the arguments is wrong, where the errno leaves it open
 * @error: what failed() has just remembered
 * @why: the text, or NULL: nothing is known
 *
 * Return: @error.
 */
int because(int error, const char *why);

/**
 * why_no_map() - what of MAP's arguments is wrong?
 * @map: they, which MAP refused with %-EINVAL
 *
 * Return: a text.
 */
const char *why_no_map(const struct axvcpu_map *map);

/**
 * why_no_event() - what of INJECT's arguments is wrong?
 * @backend: &enum axvcpu_backend
 * @event: they, which INJECT refused with %-EINVAL
 *
 * Return: a text, or NULL.
 */
const char *why_no_event(uint32_t backend, const struct axvcpu_inject *event);

/**
 * why_no_setup() - what of SETUP's arguments is wrong?
 * @backend: &enum axvcpu_backend
 * @setup: they, which SETUP refused with %-EINVAL
 *
 * Return: a text, or NULL.
 */
const char *why_no_setup(uint32_t backend, const struct axvcpu_setup *setup);

/**
 * vcpu_failed() - remember an error of a vCPU's, and the kernel's record of it
 * @vcpu: the vCPU
 * @call: what failed, right before
 * @error: negative errno
 *
 * Return: @error.
 */
int vcpu_failed(struct axvcpu_vcpu *vcpu, enum call call, int error);

/**
 * vcpu_ioctl() - an ioctl of a vCPU
 * @vcpu: the vCPU
 * @call: for axvcpu_error_text()
 * @cmd: command
 * @arg: its argument
 *
 * Return: 0 or a negative errno.
 */
int vcpu_ioctl(struct axvcpu_vcpu *vcpu, enum call call, unsigned long cmd, void *arg);

/**
 * no_register() - remember a name that no register has
 * @backend: &enum axvcpu_backend, whose register it should be
 * @name: the name
 *
 * Return: -ENOENT.
 */
int no_register(uint32_t backend, const char *name);

/**
 * no_handler() - remember an exit that no handler is for
 * @exit_reason: &enum axvcpu_exit_reason
 *
 * Return: -EOPNOTSUPP.
 */
int no_handler(uint32_t exit_reason);

/**
 * handler_failed() - remember a handler's error, unless it is that of a failed call
 * @error: negative errno
 *
 * Return: @error.
 */
int handler_failed(int error);

/**
 * tsc_ratio() - CPUID's leaf 0x15
 * @tsc_hz: frequency of the TSC
 * @apic_hz: of the APIC's timer, 1 kHz or more
 * @regs: where the leaf goes
 */
void tsc_ratio(uint64_t tsc_hz, uint32_t apic_hz, uint32_t regs[4]);

/**
 * xioctl() - ioctl() with the error as the result
 * @fd: descriptor
 * @cmd: command
 * @arg: argument
 *
 * Return: what ioctl() returned, or a negative errno.
 */
static inline int xioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/**
 * struct reg_family - registers whose names have a number in them: "v7.high"
 * @prefix: before the number
 * @suffix: after it
 * @first: id of number 0
 * @step: ids from one to the next
 * @count: how many
 */
struct reg_family {
	const char *prefix;
	const char *suffix;
	uint64_t first;
	unsigned int step;
	unsigned int count;
};

/**
 * family_reg_id() - the id of such a register
 * @families: where it may belong
 * @count: how many
 * @name: its name
 * @id: where the id goes
 *
 * Return: 0, or -ENOENT.
 */
int family_reg_id(const struct reg_family *families, size_t count, const char *name, uint64_t *id);

/**
 * family_reg_name() - the name of such a register
 * @families: where it may belong
 * @count: how many
 * @id: its id
 * @buf: where the name goes
 * @len: bytes of @buf
 *
 * Return: characters of the name, or -ENOENT.
 */
int family_reg_name(const struct reg_family *families, size_t count, uint64_t id, char *buf,
		    size_t len);

/**
 * family_names() - all names of such registers
 * @families: the families
 * @count: how many
 * @fn: called for each name
 * @data: for @fn
 */
void family_names(const struct reg_family *families, size_t count, name_fn fn, void *data);

/* X86_PAGING_MORE - registers that x86_get_paging() can read along */
#define X86_PAGING_MORE	3

/**
 * x86_get_paging() - as axvcpu_x86_get_paging(), with a few registers more
 * @vcpu: the vCPU, not inside RUN
 * @paging: where it goes
 * @more: the registers, or NULL
 * @nr_more: how many
 *
 * Return: 0, or a negative errno of GET_REGS.
 */
int x86_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_x86_paging *paging,
		   struct axvcpu_reg *more, unsigned int nr_more);

/**
 * x86_linear_is_64bit() - does the guest execute 64-bit code?
 * @paging: its state
 *
 * Return: whether; otherwise, linear addresses have 32 bits (SDM vol. 1, 3.3.7).
 */
static inline bool x86_linear_is_64bit(const struct axvcpu_x86_paging *paging)
{
	return paging->efer & 1 << 10 && paging->cs_access & 1 << 13;
}

#endif /* LIBAXVCPU_INTERNAL_H */
