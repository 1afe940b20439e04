// SPDX-License-Identifier: GPL-2.0-only
/* What a vCPU should do; see model.h. */
#include <errno.h>
#include <string.h>

#include "model.h"

static const struct transition {
	const char *name;
	unsigned int op, from, to;
} transitions[] = {
#define T(op, from, to) \
	{ #op, AXVCPU_OP_##op, AXVCPU_STATE_##from, AXVCPU_STATE_##to },
	AXVCPU_TRANSITIONS(T)
#undef T
};

#define NR_TRANSITIONS	(sizeof(transitions) / sizeof(transitions[0]))

/* Names of ioctls that are not transitions; the others have an AXVCPU_OP_ too. */
enum {
	OP_SETUP = AXVCPU_OP_SETUP,
	OP_BIND = AXVCPU_OP_BIND,
	OP_RUN = AXVCPU_OP_RUN,
	OP_UNBIND = AXVCPU_OP_UNBIND,
	OP_RESET = AXVCPU_OP_RESET,
	OP_SET_ENTRY = AXVCPU_OP_SET_ENTRY,
	OP_SET_EPT_ROOT = AXVCPU_OP_SET_EPT_ROOT,
	OP_GET_STATE = 0,
	OP_SET_STATE = 0,
	OP_GET_VCPU_INFO = 0,
	OP_GET_REGS = 0,
	OP_SET_REGS = 0,
	OP_INJECT = 0,
	OP_KICK = 0,
	OP_GET_STATS = 0,
	OP_GET_HISTORY = 0,
	OP_GET_CALL_LOG = 0,
	OP_SET_DEBUG = 0,
	OP_GET_REG_LIST = 0,
	OP_KEEP_STATE = 0,
	OP_RESTORE_STATE = 0,
	OP_WITHDRAW = 0,
};

const struct model_ioctl model_ioctls[] = {
#define I(name, arg, flags, lock, busy, bad, handler) \
	{ #name, AXVCPU_##name, MODEL_ARG_##arg, MODEL_LOCK_##lock, busy, bad, OP_##name },
	AXVCPU_VCPU_IOCTLS(I)
#undef I
};

const int model_nr_ioctls = sizeof(model_ioctls) / sizeof(model_ioctls[0]);

const char *const model_states[] = {
	"Invalid", "Created", "Free", "Ready", "Running", "Blocked",
};

/** model_find() - the row of an ioctl */
const struct model_ioctl *model_find(unsigned int cmd)
{
	for (int i = 0; i < model_nr_ioctls; i++) {
		if (model_ioctls[i].cmd == cmd)
			return &model_ioctls[i];
	}
	return NULL;
}

static const struct transition *find_transition(unsigned int op, unsigned int from)
{
	for (size_t i = 0; i < NR_TRANSITIONS; i++) {
		if (transitions[i].op == op && transitions[i].from == from)
			return &transitions[i];
	}
	return NULL;
}

/** model_is_legal() - may this operation start from this state? */
bool model_is_legal(unsigned int op, unsigned int state)
{
	return find_transition(op, state);
}

/** model_is_transition() - is this a row of the table? */
bool model_is_transition(unsigned int op, unsigned int from, unsigned int to)
{
	for (size_t i = 0; i < NR_TRANSITIONS; i++) {
		if (transitions[i].op == op && transitions[i].from == from &&
		    transitions[i].to == to)
			return true;
	}
	return false;
}

/* The state that the operation starts from, as its first row says. */
static unsigned int expected_state(unsigned int op)
{
	for (size_t i = 0; i < NR_TRANSITIONS; i++) {
		if (transitions[i].op == op)
			return transitions[i].from;
	}
	return AXVCPU_STATE_INVALID;
}

/** model_init() - a new vCPU */
void model_init(struct model *m, const struct axvcpu_info *info)
{
	memset(m, 0, sizeof(*m));
	m->state = AXVCPU_STATE_CREATED;
	m->has_call_log = info->caps & AXVCPU_CAP_CALL_LOG;
	m->has_debug = info->caps & AXVCPU_CAP_DEBUG;
}

static int fail(struct model *m, unsigned int op, int error)
{
	m->failure.seq++;
	m->failure.op = op;
	m->failure.expected = expected_state(op);
	m->failure.actual = m->state;
	m->failure.error = error;
	m->state = AXVCPU_STATE_INVALID;
	return error;
}

/* What the backend says: an entry and a root are taken once. */
static int backend(struct model *m, unsigned int op)
{
	if (op == AXVCPU_OP_SET_ENTRY || op == AXVCPU_OP_SETUP) {
		if (m->entry)
			return -EEXIST;
		m->entry = true;
	}
	if (op == AXVCPU_OP_SET_EPT_ROOT || op == AXVCPU_OP_SETUP) {
		if (m->root)
			return -EEXIST;
		m->root = true;
	}
	if (op == AXVCPU_OP_RESET) {
		m->kept = false;
		m->entry = false;
		m->root = false;
	}
	return 0;
}

/**
 * model_apply() - what an ioctl with good arguments does to a vCPU that no
 *	other thread uses
 * @m: vCPU
 * @ioctl: row of the table; SET_STATE sets Invalid, RUN ends with an exit, WITHDRAW is of
 *	an event that is not queued
 *
 * Return: what the ioctl returns.
 */
int model_apply(struct model *m, const struct model_ioctl *ioctl)
{
	const struct transition *t;
	int err;

	if (ioctl->busy & 1U << m->state)
		return -EBUSY;
	if (ioctl->bad & 1U << m->state)
		return -EBADFD;
	if (ioctl->cmd == AXVCPU_SET_STATE)
		m->state = AXVCPU_STATE_INVALID;
	if (ioctl->cmd == AXVCPU_GET_CALL_LOG && !m->has_call_log)
		return -EOPNOTSUPP;
	if (ioctl->cmd == AXVCPU_SET_DEBUG && !m->has_debug)
		return -EOPNOTSUPP;
	if (ioctl->cmd == AXVCPU_KEEP_STATE)
		m->kept = true;
	if ((ioctl->cmd == AXVCPU_RESTORE_STATE && !m->kept) || ioctl->cmd == AXVCPU_WITHDRAW)
		return -ENOENT;
	if (!ioctl->op)
		return 0;

	t = find_transition(ioctl->op, m->state);
	if (!t)
		return fail(m, ioctl->op, -EBADFD);
	err = backend(m, ioctl->op);
	if (err)
		return fail(m, ioctl->op, err);
	/* RUN comes back from Running. */
	if (t->to != AXVCPU_STATE_RUNNING)
		m->state = t->to;
	return 0;
}
