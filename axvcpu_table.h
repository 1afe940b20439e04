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

/*
 * I(name, arg, lock, busy, bad): ioctl AXVCPU_<name>; 'arg' is its struct, or
 * 'none' (the argument must be 0), or 'flags' (an integer).
 *
 * lock: NONE  the handler takes no lock
 *       IDLE  the vCPU's mutex; EBUSY while another thread is inside RUN
 *       WAIT  the vCPU's mutex; waits for another thread to leave RUN
 * busy: states in which the call is EBUSY, without effect
 * bad:  states in which the call is EBADFD, without effect
 */
#define AXVCPU_VCPU_IOCTLS(I)							\
	I(SETUP,	 struct axvcpu_setup,		WAIT, 0, 0)		\
	I(BIND,		 struct axvcpu_bind,		WAIT, 0, 0)		\
	I(RUN,		 flags,				WAIT, 0, 0)		\
	I(UNBIND,	 none,				WAIT, 0, 0)		\
	I(RESET,	 none,				IDLE, AXVCPU_S_BOUND, AXVCPU_S(CREATED)) \
	I(GET_STATE,	 struct axvcpu_state_info,	NONE, 0, 0)		\
	I(SET_STATE,	 struct axvcpu_set_state,	IDLE, AXVCPU_S_INSIDE_RUN, 0) \
	I(SET_ENTRY,	 struct axvcpu_set_entry,	WAIT, 0, 0)		\
	I(SET_EPT_ROOT,	 struct axvcpu_set_ept_root,	WAIT, 0, 0)		\
	I(GET_VCPU_INFO, struct axvcpu_vcpu_info,	NONE, 0, 0)		\
	I(GET_REGS,	 struct axvcpu_regs,		IDLE, AXVCPU_S_INSIDE_RUN, 0) \
	I(SET_REGS,	 struct axvcpu_regs,		IDLE, AXVCPU_S_INSIDE_RUN, AXVCPU_S(INVALID)) \
	I(INJECT,	 struct axvcpu_inject,		NONE, 0, AXVCPU_S(INVALID)) \
	I(KICK,		 none,				NONE, 0, 0)		\
	I(GET_STATS,	 struct axvcpu_stats,		NONE, 0, 0)		\
	I(GET_HISTORY,	 struct axvcpu_history,		NONE, 0, 0)		\
	I(GET_CALL_LOG,	 struct axvcpu_call_log,	IDLE, AXVCPU_S_INSIDE_RUN, 0)

#endif /* _AXVCPU_TABLE_H */
