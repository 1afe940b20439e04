/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU should do, computed from the tables that the module is built
 * from, but by other code.
 */
#ifndef _SELFTESTS_MODEL_H
#define _SELFTESTS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/axvcpu.h>

#include "axvcpu_table.h"

enum model_lock { MODEL_LOCK_NONE, MODEL_LOCK_IDLE, MODEL_LOCK_OWN, MODEL_LOCK_WAIT };
enum model_arg { MODEL_ARG_NONE, MODEL_ARG_FLAGS, MODEL_ARG_STRUCT };

/**
 * struct model_ioctl - a row of the table of ioctls
 * @name: without AXVCPU_
 * @cmd: command
 * @arg: what its argument is
 * @lock: how it takes the vCPU's mutex
 * @busy: states in which it is EBUSY
 * @bad: states in which it is EBADFD, without effect
 * @op: &enum axvcpu_op, when it is a transition; otherwise AXVCPU_OP_NONE
 */
struct model_ioctl {
	const char *name;
	unsigned int cmd;
	enum model_arg arg;
	enum model_lock lock;
	unsigned int busy;
	unsigned int bad;
	unsigned int op;
};

/**
 * struct model - a vCPU as it should be
 * @state: &enum axvcpu_state
 * @has_call_log: the backend's
 * @has_debug: the same
 * @entry: the backend was given an entry
 * @kept: KEEP_STATE has made a copy
 * @root: the backend was given a root
 * @failure: the last failure
 */
struct model {
	unsigned int state;
	bool has_call_log;
	bool has_debug;
	bool entry;
	bool root;
	bool kept;
	struct axvcpu_failure failure;
};

extern const char *const model_states[];
extern const struct model_ioctl model_ioctls[];
extern const int model_nr_ioctls;

const struct model_ioctl *model_find(unsigned int cmd);
bool model_is_legal(unsigned int op, unsigned int state);
bool model_is_transition(unsigned int op, unsigned int from, unsigned int to);
void model_init(struct model *m, const struct axvcpu_info *info);
int model_apply(struct model *m, const struct model_ioctl *ioctl);

#endif /* _SELFTESTS_MODEL_H */
