/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two tables that fix the behaviour: the transitions, and the ioctls of a
 * vCPU. They use nothing but uapi names, so that the module, KUnit and the
 * selftests' oracle are built from the same lines.
 */
#ifndef _AXVCPU_TABLE_H
#define _AXVCPU_TABLE_H

/*
 * T(op, from, to): an operation that finds a vCPU in another state than
 * 'from' fails with EBADFD and makes it Invalid, unless 'op' stands in the
 * ioctl table with that state as one that is refused without effect.
 */
#define AXVCPU_TRANSITIONS(T)						\
	T(SETUP,	CREATED,	FREE)				\
	T(SET_ENTRY,	CREATED,	CREATED)			\
	T(SET_EPT_ROOT,	CREATED,	CREATED)			\
	T(BIND,		FREE,		READY)				\
	T(RUN,		READY,		RUNNING)			\
	T(RUN,		RUNNING,	READY)				\
	T(WAIT,		RUNNING,	BLOCKED)			\
	T(WAKE,		BLOCKED,	READY)				\
	T(UNBIND,	READY,		FREE)				\
	T(RESET,	INVALID,	CREATED)			\
	T(RESET,	FREE,		CREATED)

#define AXVCPU_S(state)		(1U << AXVCPU_STATE_##state)
#define AXVCPU_S_INSIDE_RUN	(AXVCPU_S(RUNNING) | AXVCPU_S(BLOCKED))
#define AXVCPU_S_BOUND		(AXVCPU_S(READY) | AXVCPU_S_INSIDE_RUN)
#define AXVCPU_S_NOT_SET_UP	(AXVCPU_S(INVALID) | AXVCPU_S(CREATED))

#define AXVCPU_RUN_FLAGS	(AXVCPU_RUN_WAIT | AXVCPU_RUN_NOWAIT | AXVCPU_RUN_EXIT_HLT_IF0)

/*
 * I(name, arg, flags, lock, busy, bad, handler): ioctl AXVCPU_<name>
 *
 * arg:  STRUCT a pointer to the struct whose size is in the command
 *       FLAGS  an integer
 *       NONE   the argument must be 0
 * flags: what an integer may have; others are EINVAL
 * lock: NONE  the handler takes no lock
 *       IDLE  the vCPU's mutex; EBUSY while another thread is inside RUN
 *       OWN   as IDLE, by the handler: it reads or writes arrays of the caller's before
 *             or afterwards, which may take as long as userspace wants
 *       WAIT  the vCPU's mutex; waits for another thread to leave RUN
 * busy: states in which the call is EBUSY, without effect
 * bad:  states in which the call is EBADFD, without effect
 * handler: the function of axvcpu_ioctl.c that does it; for the module alone.
 *       RUN has none: it does not go through the table, see axvcpu_vcpu_ioctl()
 */
#define AXVCPU_VCPU_IOCTLS(I)						\
	I(SETUP,	STRUCT,	0, WAIT, 0, 0, ioctl_setup) \
	I(BIND,		STRUCT,	0, WAIT, 0, 0, ioctl_bind) \
	I(RUN,		FLAGS,	AXVCPU_RUN_FLAGS, WAIT, 0, 0, NULL) \
	I(UNBIND,	NONE,	0, WAIT, 0, 0, ioctl_unbind) \
	I(RESET,	FLAGS,	AXVCPU_RESET_KEEP_MACHINE, IDLE, AXVCPU_S_BOUND, \
	  AXVCPU_S(CREATED), ioctl_reset) \
	I(GET_STATE,	STRUCT,	0, NONE, 0, 0, ioctl_get_state) \
	I(SET_STATE,	STRUCT,	0, IDLE, AXVCPU_S_INSIDE_RUN, 0, ioctl_set_state) \
	I(SET_ENTRY,	STRUCT,	0, WAIT, 0, 0, ioctl_set_entry) \
	I(SET_EPT_ROOT,	STRUCT,	0, WAIT, 0, 0, ioctl_set_ept_root) \
	I(GET_VCPU_INFO, STRUCT, 0, NONE, 0, 0, ioctl_get_vcpu_info) \
	I(GET_REGS,	STRUCT,	0, OWN, AXVCPU_S_INSIDE_RUN, 0, ioctl_get_regs) \
	I(SET_REGS,	STRUCT,	0, OWN, AXVCPU_S_INSIDE_RUN, AXVCPU_S(INVALID), ioctl_set_regs) \
	I(INJECT,	STRUCT,	0, NONE, 0, AXVCPU_S(INVALID), ioctl_inject) \
	I(KICK,		NONE,	0, NONE, 0, 0, ioctl_kick) \
	I(GET_STATS,	STRUCT,	0, NONE, 0, 0, ioctl_get_stats) \
	I(GET_HISTORY,	STRUCT,	0, NONE, 0, 0, ioctl_get_history) \
	I(GET_CALL_LOG,	STRUCT,	0, OWN, AXVCPU_S_INSIDE_RUN, 0, ioctl_get_call_log) \
	I(SET_DEBUG,	STRUCT,	0, IDLE, AXVCPU_S_INSIDE_RUN, AXVCPU_S(INVALID), ioctl_set_debug) \
	I(GET_REG_LIST,	STRUCT,	0, OWN, AXVCPU_S_INSIDE_RUN, 0, ioctl_get_reg_list) \
	I(KEEP_STATE,	NONE,	0, IDLE, AXVCPU_S_INSIDE_RUN, AXVCPU_S_NOT_SET_UP, \
	  ioctl_keep_state) \
	I(RESTORE_STATE, FLAGS,	AXVCPU_RESTORE_TIME, IDLE, AXVCPU_S_INSIDE_RUN, \
	  AXVCPU_S_NOT_SET_UP, ioctl_restore_state) \
	I(WITHDRAW,	STRUCT,	0, NONE, 0, AXVCPU_S(INVALID), ioctl_withdraw)

#endif /* _AXVCPU_TABLE_H */
