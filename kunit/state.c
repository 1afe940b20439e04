// SPDX-License-Identifier: GPL-2.0-only
/* The state machine: every transition, every failure, and what is told of it. */
#include <linux/prandom.h>

#include "fixture.h"

/* R1: the numbers are ABI, and those of AxVCpu's VCpuState. */
static_assert(AXVCPU_STATE_INVALID == 0);
static_assert(AXVCPU_STATE_CREATED == 1);
static_assert(AXVCPU_STATE_FREE == 2);
static_assert(AXVCPU_STATE_READY == 3);
static_assert(AXVCPU_STATE_RUNNING == 4);
static_assert(AXVCPU_STATE_BLOCKED == 5);

#define INV	AXVCPU_STATE_INVALID
#define CRE	AXVCPU_STATE_CREATED
#define FRE	AXVCPU_STATE_FREE
#define RDY	AXVCPU_STATE_READY
#define RUN	AXVCPU_STATE_RUNNING
#define BLK	AXVCPU_STATE_BLOCKED

/*
 * The legal transitions once more, written down from the specification and
 * not from the table that the module is built from: R8 to R12, WAIT, WAKE and
 * RESET. Cell [op][from]: bit mask of the states that it may lead to.
 */
static const u8 specified[AXVCPU_KUNIT_NR_OPS][AXVCPU_KUNIT_NR_STATES] = {
	[AXVCPU_OP_SETUP]	 = { [CRE] = BIT(FRE) },
	[AXVCPU_OP_BIND]	 = { [FRE] = BIT(RDY) },
	[AXVCPU_OP_RUN]		 = { [RDY] = BIT(RUN), [RUN] = BIT(RDY) },
	[AXVCPU_OP_UNBIND]	 = { [RDY] = BIT(FRE) },
	[AXVCPU_OP_WAIT]	 = { [RUN] = BIT(BLK) },
	[AXVCPU_OP_WAKE]	 = { [BLK] = BIT(RDY) },
	[AXVCPU_OP_RESET]	 = { [INV] = BIT(CRE), [FRE] = BIT(CRE) },
	[AXVCPU_OP_SET_ENTRY]	 = { [CRE] = BIT(CRE) },
	[AXVCPU_OP_SET_EPT_ROOT] = { [CRE] = BIT(CRE) },
};

/*
 * The state that a whole operation leads to, by the state that it finds: the
 * normative matrix. Invalid: refused with -EBADFD.
 */
static const struct {
	enum axvcpu_op op;
	u8 to[AXVCPU_KUNIT_NR_STATES];
} matrix[] = {
	/*			      Inv  Cre  Fre  Rdy  Run  Blk */
	{ AXVCPU_OP_SETUP,	    { INV, FRE, INV, INV, INV, INV } },
	{ AXVCPU_OP_BIND,	    { INV, INV, RDY, INV, INV, INV } },
	{ AXVCPU_OP_RUN,	    { INV, INV, INV, RDY, INV, INV } },
	{ AXVCPU_OP_UNBIND,	    { INV, INV, INV, FRE, INV, INV } },
	{ AXVCPU_OP_WAIT,	    { INV, INV, INV, INV, BLK, INV } },
	{ AXVCPU_OP_WAKE,	    { INV, INV, INV, INV, INV, RDY } },
	{ AXVCPU_OP_RESET,	    { CRE, INV, CRE, INV, INV, INV } },
	{ AXVCPU_OP_SET_ENTRY,	    { INV, CRE, INV, INV, INV, INV } },
	{ AXVCPU_OP_SET_EPT_ROOT,   { INV, CRE, INV, INV, INV, INV } },
};

static const struct {
	u8 op, from, to;
} rows[] = {
#define T(_op, _from, _to) \
	{ AXVCPU_OP_##_op, AXVCPU_STATE_##_from, AXVCPU_STATE_##_to },
	AXVCPU_TRANSITIONS(T)
#undef T
};

static const struct ioctl_row {
	const char *name, *arg, *lock;
	u8 busy, bad;
	unsigned int cmd;
} ioctls[] = {
#define I(_name, _arg, _flags, _lock, _busy, _bad, _handler) \
	{ #_name, #_arg, #_lock, _busy, _bad, AXVCPU_##_name },
	AXVCPU_VCPU_IOCTLS(I)
#undef I
};

/*
 * What the ioctl layer refuses before a transition starts, and which lock it
 * takes, from the same matrix.
 */
static const struct ioctl_row specified_ioctls[] = {
	{ "SETUP",		"STRUCT", "WAIT" },
	{ "BIND",		"STRUCT", "WAIT" },
	{ "RUN",		"FLAGS",  "WAIT" },
	{ "UNBIND",		"NONE",   "WAIT" },
	{ "RESET",		"FLAGS",  "IDLE", BIT(RDY) | BIT(RUN) | BIT(BLK), BIT(CRE) },
	{ "GET_STATE",		"STRUCT", "NONE" },
	{ "SET_STATE",		"STRUCT", "IDLE", BIT(RUN) | BIT(BLK) },
	{ "SET_ENTRY",		"STRUCT", "WAIT" },
	{ "SET_EPT_ROOT",	"STRUCT", "WAIT" },
	{ "GET_VCPU_INFO",	"STRUCT", "NONE" },
	{ "GET_REGS",		"STRUCT", "OWN", BIT(RUN) | BIT(BLK) },
	{ "SET_REGS",		"STRUCT", "OWN", BIT(RUN) | BIT(BLK), BIT(INV) },
	{ "INJECT",		"STRUCT", "NONE", 0, BIT(INV) },
	{ "KICK",		"NONE",   "NONE" },
	{ "GET_STATS",		"STRUCT", "NONE" },
	{ "GET_HISTORY",	"STRUCT", "NONE" },
	{ "GET_CALL_LOG",	"STRUCT", "OWN", BIT(RUN) | BIT(BLK) },
	{ "SET_DEBUG",		"STRUCT", "IDLE", BIT(RUN) | BIT(BLK), BIT(INV) },
	{ "GET_REG_LIST",	"STRUCT", "OWN", BIT(RUN) | BIT(BLK) },
	{ "KEEP_STATE",		"NONE",   "IDLE", BIT(RUN) | BIT(BLK), BIT(INV) | BIT(CRE) },
	{ "RESTORE_STATE",	"FLAGS",  "IDLE", BIT(RUN) | BIT(BLK), BIT(INV) | BIT(CRE) },
	{ "WITHDRAW",		"STRUCT", "NONE", 0, BIT(INV) },
};

/* R8 to R16: the module's table says what the specification says, no more and no less. */
static void table_is_as_specified(struct kunit *test)
{
	u8 table[AXVCPU_KUNIT_NR_OPS][AXVCPU_KUNIT_NR_STATES] = {};
	unsigned int op, from, i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_FALSE(test, table[rows[i].op][rows[i].from] & BIT(rows[i].to));
		table[rows[i].op][rows[i].from] |= BIT(rows[i].to);
	}
	for (op = 0; op < AXVCPU_KUNIT_NR_OPS; op++)
		for (from = 0; from < AXVCPU_KUNIT_NR_STATES; from++)
			KUNIT_EXPECT_EQ_MSG(test, table[op][from], specified[op][from],
					    "op %u from %u", op, from);
}

/* R61 too: what only looks is refused in no state, and waits for nobody. */
static void ioctl_table_is_as_specified(struct kunit *test)
{
	const struct ioctl_row *want, *have;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(ioctls), ARRAY_SIZE(specified_ioctls));
	for (i = 0; i < ARRAY_SIZE(ioctls); i++) {
		want = &specified_ioctls[i];
		have = &ioctls[i];
		KUNIT_ASSERT_STREQ(test, have->name, want->name);
		KUNIT_EXPECT_STREQ(test, have->arg, want->arg);
		KUNIT_EXPECT_STREQ(test, have->lock, want->lock);
		KUNIT_EXPECT_EQ_MSG(test, have->busy, want->busy, "%s", want->name);
		KUNIT_EXPECT_EQ_MSG(test, have->bad, want->bad, "%s", want->name);
		KUNIT_EXPECT_EQ(test, !_IOC_SIZE(have->cmd), strcmp(want->arg, "STRUCT") != 0);
	}
}

static int count_call(unsigned int *calls)
{
	++*calls;
	return 0;
}

static void force(struct axvcpu *vcpu, enum axvcpu_state state)
{
	lockdep_assert_held(&vcpu->mutex);
	axvcpu_set_state(vcpu, state);
}

/* One cell of with_state_transition(op, from, to) in a vCPU that is in @state. */
static void check_cell(struct kunit *test, struct axvcpu *vcpu, unsigned int op, unsigned int from,
		       unsigned int to, unsigned int state)
{
	bool legal = state == from && specified[op][from] & BIT(to);
	struct axvcpu_state_info before = {}, after = {};
	unsigned int calls = 0;
	int ret;

	mutex_lock(&vcpu->mutex);
	force(vcpu, state);
	axvcpu_get_failure(vcpu, &before);
	ret = axvcpu_with_state_transition(vcpu, op, from, to, count_call(&calls));
	mutex_unlock(&vcpu->mutex);
	axvcpu_get_failure(vcpu, &after);

	/* R17 to R21: exact match, Invalid at once, the function once or not at all. */
	KUNIT_EXPECT_EQ_MSG(test, ret, legal ? 0 : -EBADFD, "op %u %u -> %u in %u", op, from, to,
			    state);
	KUNIT_EXPECT_EQ_MSG(test, after.state, legal ? to : INV, "op %u %u -> %u in %u", op, from,
			    to, state);
	KUNIT_EXPECT_EQ_MSG(test, calls, legal, "op %u %u -> %u in %u", op, from, to, state);

	/* R26: the record tells the states as they were before Invalid. */
	KUNIT_EXPECT_EQ(test, after.failure.seq, before.failure.seq + !legal);
	if (!legal) {
		KUNIT_EXPECT_EQ(test, after.failure.op, op);
		KUNIT_EXPECT_EQ(test, after.failure.expected, from);
		KUNIT_EXPECT_EQ(test, after.failure.actual, state);
		KUNIT_EXPECT_EQ(test, after.failure.error, -EBADFD);
	}
}

/* R13, R14, R17 to R21, R26: every operation from every state to every state in every state. */
static void every_transition(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	unsigned int op, from, to, state;

	for (op = 0; op < AXVCPU_KUNIT_NR_OPS; op++)
		for (from = 0; from < AXVCPU_KUNIT_NR_STATES; from++)
			for (to = 0; to < AXVCPU_KUNIT_NR_STATES; to++)
				for (state = 0; state < AXVCPU_KUNIT_NR_STATES; state++)
					check_cell(test, vcpu, op, from, to, state);
}

/* R39: a transition without work keeps to the same table and calls nothing. */
static void transition_state_calls_nothing(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	unsigned int op, from, to, state;
	int ret;

	for (op = 0; op < AXVCPU_KUNIT_NR_OPS; op++) {
		for (from = 0; from < AXVCPU_KUNIT_NR_STATES; from++) {
			for (to = 0; to < AXVCPU_KUNIT_NR_STATES; to++) {
				for (state = 0; state < AXVCPU_KUNIT_NR_STATES; state++) {
					bool legal = state == from && specified[op][from] & BIT(to);

					mutex_lock(&vcpu->mutex);
					force(vcpu, state);
					ret = axvcpu_transition_state(vcpu, op, from, to);
					mutex_unlock(&vcpu->mutex);
					KUNIT_EXPECT_EQ(test, ret, legal ? 0 : -EBADFD);
					KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), legal ? to : INV);
				}
			}
		}
	}
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW);
}

/* D01, R13 to R16, R46: whole operations, in vCPUs that came to their state as users' do. */
static void every_operation(struct kunit *test)
{
	struct axvcpu_call_entry unused[AXVCPU_MOCK_LOG_LEN / 16];
	struct axvcpu *vcpu;
	unsigned int i, state;
	u64 before, after;
	int ret;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		for (state = 0; state < AXVCPU_KUNIT_NR_STATES; state++) {
			unsigned int to = matrix[i].to[state];
			struct axvcpu_state_info info = {};

			vcpu = axvcpu_kunit_vcpu(test, state);
			axvcpu_mock_calls(vcpu, unused, ARRAY_SIZE(unused), &before);
			ret = axvcpu_kunit_do(vcpu, matrix[i].op);
			axvcpu_mock_calls(vcpu, unused, ARRAY_SIZE(unused), &after);
			axvcpu_get_failure(vcpu, &info);

			KUNIT_EXPECT_EQ_MSG(test, ret, to == INV ? -EBADFD : 0, "op %u in %u",
					    matrix[i].op, state);
			KUNIT_EXPECT_EQ_MSG(test, info.state, to, "op %u in %u", matrix[i].op,
					    state);
			if (to != INV)
				continue;
			/* R19, R36: a refused operation does not reach the backend. */
			KUNIT_EXPECT_EQ_MSG(test, after, before, "op %u in %u", matrix[i].op,
					    state);
			KUNIT_EXPECT_EQ(test, info.failure.op, matrix[i].op);
			KUNIT_EXPECT_EQ(test, info.failure.actual, state);
			KUNIT_EXPECT_EQ(test, info.failure.error, -EBADFD);
		}
	}
}

/* R22, R23; G03: a function's error is the caller's, and nonsense is an error. */
static void function_fails(struct kunit *test)
{
	static const struct {
		int value, ret;
	} cases[] = {
		{ -ENODEV, -ENODEV }, { -EBADFD, -EBADFD }, { -EINTR, -EINTR },
		{ -ENOMEM, -ENOMEM }, { 1, -EIO }, { INT_MAX, -EIO },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_state_info info = {};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		mutex_lock(&vcpu->mutex);
		force(vcpu, FRE);
		ret = axvcpu_with_state_transition(vcpu, AXVCPU_OP_BIND, FRE, RDY,
						   cases[i].value);
		mutex_unlock(&vcpu->mutex);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ(test, ret, cases[i].ret);
		KUNIT_EXPECT_EQ(test, info.state, INV);
		KUNIT_EXPECT_EQ(test, info.failure.seq, i + 1);
		KUNIT_EXPECT_EQ(test, info.failure.op, AXVCPU_OP_BIND);
		KUNIT_EXPECT_EQ(test, info.failure.expected, FRE);
		KUNIT_EXPECT_EQ(test, info.failure.actual, FRE);
		KUNIT_EXPECT_EQ(test, info.failure.error, cases[i].ret);
	}
}

/* R8 to R12, R42, R45, R52 to R56, R62: the whole path, and the backend's calls in order. */
static void happy_path(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_create(test, 0, 0, 0);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
	/* R2 */
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), CRE);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), FRE);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY,
				  AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), RDY);
	/* R4 */
	KUNIT_EXPECT_EQ(test, vcpu->bound_cpu, -1);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), RDY);
	KUNIT_EXPECT_EQ(test, vcpu->run->exit_reason, AXVCPU_EXIT_HALT);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), FRE);
	KUNIT_EXPECT_EQ(test, vcpu->bound_cpu, -1);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY,
				  AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP, AXVCPU_CALL_BIND,
				  AXVCPU_CALL_RUN, AXVCPU_CALL_UNBIND);

	/* R54: any number of times */
	for (i = 0; i < 1000; i++) {
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), 0);
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), 0);
	}
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), FRE);
}

/* The operations of a whole life, as far as they succeed. */
static int live(struct axvcpu *vcpu, enum axvcpu_op *op)
{
	static const enum axvcpu_op life[] = {
		AXVCPU_OP_SETUP, AXVCPU_OP_BIND, AXVCPU_OP_RUN, AXVCPU_OP_UNBIND,
		AXVCPU_OP_BIND, AXVCPU_OP_RUN, AXVCPU_OP_UNBIND,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(life); i++) {
		*op = life[i];
		ret = axvcpu_kunit_do(vcpu, life[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static const u32 life_calls[] = {
	AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY, AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP,
	AXVCPU_CALL_BIND, AXVCPU_CALL_RUN, AXVCPU_CALL_UNBIND,
	AXVCPU_CALL_BIND, AXVCPU_CALL_RUN, AXVCPU_CALL_UNBIND,
};

static enum axvcpu_op op_of_call(u32 call)
{
	switch (call) {
	case AXVCPU_CALL_BIND:
		return AXVCPU_OP_BIND;
	case AXVCPU_CALL_RUN:
		return AXVCPU_OP_RUN;
	case AXVCPU_CALL_UNBIND:
		return AXVCPU_OP_UNBIND;
	default:
		return AXVCPU_OP_SETUP;
	}
}

static unsigned int nth_of_its_kind(unsigned int call)
{
	unsigned int i, n = 0;

	for (i = 0; i < call; i++)
		n += life_calls[i] == life_calls[call];
	return n;
}

/* R43, R44, R57, R58; G03: each call fails, the first and the second of its kind. */
static void failure_at_every_step(struct kunit *test)
{
	struct axvcpu_state_info info = {};
	enum axvcpu_op op = AXVCPU_OP_NONE;
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(life_calls); i++) {
		int error = ENOSPC + i;

		vcpu = axvcpu_kunit_create(test, life_calls[i], error, nth_of_its_kind(i));
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
		KUNIT_EXPECT_EQ(test, live(vcpu, &op), -error);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ_MSG(test, op, op_of_call(life_calls[i]), "call %u", i);
		KUNIT_EXPECT_EQ(test, info.state, INV);
		KUNIT_EXPECT_EQ(test, info.failure.seq, 1);
		KUNIT_EXPECT_EQ(test, info.failure.op, op);
		KUNIT_EXPECT_EQ(test, info.failure.error, -error);
		KUNIT_EXPECT_EQ(test, info.failure.expected, info.failure.actual);
		KUNIT_EXPECT_EQ(test, info.failure.arch_code, error);
		/* R43: what comes later was not called. */
		axvcpu_kunit_expect_calls(test, vcpu, life_calls, i + 1);

		/* R7: Invalid stays Invalid, and the backend hears of nothing. */
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, op), -EBADFD);
		KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);
		axvcpu_kunit_expect_calls(test, vcpu, life_calls, i + 1);
	}
	/* Nothing fails, to show that the failures above were those asked for. */
	vcpu = axvcpu_kunit_create(test, 0, 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
	KUNIT_EXPECT_EQ(test, live(vcpu, &op), 0);
	axvcpu_kunit_expect_calls(test, vcpu, life_calls, ARRAY_SIZE(life_calls));
}

static int positive(struct axvcpu *vcpu, u64 arg)
{
	return 77;
}

/* G03: a backend that returns nonsense is a failure with a proper errno. */
static void backend_returns_nonsense(struct kunit *test)
{
	static const struct {
		enum axvcpu_mock_op_id hook;
		enum axvcpu_op op;
		enum axvcpu_state state;
	} cases[] = {
		{ AXVCPU_MOCK_SET_ENTRY,	AXVCPU_OP_SETUP,	CRE },
		{ AXVCPU_MOCK_SET_EPT_ROOT,	AXVCPU_OP_SETUP,	CRE },
		{ AXVCPU_MOCK_SETUP,		AXVCPU_OP_SETUP,	CRE },
		{ AXVCPU_MOCK_SET_ENTRY,	AXVCPU_OP_SET_ENTRY,	CRE },
		{ AXVCPU_MOCK_SET_EPT_ROOT,	AXVCPU_OP_SET_EPT_ROOT,	CRE },
		{ AXVCPU_MOCK_BIND,		AXVCPU_OP_BIND,		FRE },
		{ AXVCPU_MOCK_LOAD,		AXVCPU_OP_RUN,		RDY },
		{ AXVCPU_MOCK_HANDLE_EXIT,	AXVCPU_OP_RUN,		RDY },
		{ AXVCPU_MOCK_UNBIND,		AXVCPU_OP_UNBIND,	RDY },
	};
	struct axvcpu_state_info info = {};
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vcpu = axvcpu_kunit_vcpu(test, cases[i].state);
		WRITE_ONCE(axvcpu_mock_hooks[cases[i].hook], positive);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_do(vcpu, cases[i].op), -EIO, "case %u", i);
		WRITE_ONCE(axvcpu_mock_hooks[cases[i].hook], NULL);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ_MSG(test, info.state, INV, "case %u", i);
		KUNIT_EXPECT_EQ(test, info.failure.error, -EIO);
	}
}

/* The same where RUN returns at once, and has an answer to complete. */
static void nonsense_with_an_answer(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, RDY);

	vcpu->exit_reason = AXVCPU_EXIT_HYPERCALL;
	vcpu->answer_due = true;
	vcpu->run->immediate_exit = 1;
	WRITE_ONCE(axvcpu_mock_hooks[AXVCPU_MOCK_LOAD], positive);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), -EIO);
	WRITE_ONCE(axvcpu_mock_hooks[AXVCPU_MOCK_LOAD], NULL);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);
	KUNIT_EXPECT_FALSE(test, vcpu->answer_due);
}

/* R27: a vCPU's failure is its own. */
static void failure_does_not_spread(struct kunit *test)
{
	struct axvcpu *bad = axvcpu_kunit_vcpu(test, AXVCPU_STATE_INVALID);
	struct axvcpu *good = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	enum axvcpu_op op;

	KUNIT_EXPECT_EQ(test, live(good, &op), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(good), FRE);
	KUNIT_EXPECT_EQ(test, axvcpu_state(bad), INV);
}

/* R26, R66: three failures that a person can tell apart. */
static void failures_are_told_apart(struct kunit *test)
{
	struct axvcpu_state_info info = {};
	struct axvcpu *vcpu;

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), -EBADFD);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.failure.expected, FRE);
	KUNIT_EXPECT_EQ(test, info.failure.actual, CRE);
	KUNIT_EXPECT_EQ(test, info.failure.error, -EBADFD);
	KUNIT_EXPECT_EQ(test, info.failure.arch_code, 0);

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_setup(vcpu, 1, axvcpu_kunit_root().val), -EINVAL);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.failure.expected, CRE);
	KUNIT_EXPECT_EQ(test, info.failure.actual, CRE);
	KUNIT_EXPECT_EQ(test, info.failure.error, -EINVAL);

	vcpu = axvcpu_kunit_create(test, AXVCPU_CALL_SETUP, EIO, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), -EIO);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.failure.error, -EIO);
	KUNIT_EXPECT_EQ(test, info.failure.arch_code, EIO);

	/* The backend's word belongs to one failure, not to the next. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), -EBADFD);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.failure.seq, 2);
	KUNIT_EXPECT_EQ(test, info.failure.arch_code, 0);
}

/* R59: set_state goes anywhere from anywhere, and is told in the history. */
static void set_state_checks_nothing(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_history_entry *last;
	unsigned int from, to, n;

	last = kunit_kcalloc(test, AXVCPU_HISTORY_LEN, sizeof(*last), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, last);
	for (from = 0; from < AXVCPU_KUNIT_NR_STATES; from++) {
		for (to = 0; to < AXVCPU_KUNIT_NR_STATES; to++) {
			mutex_lock(&vcpu->mutex);
			force(vcpu, from);
			force(vcpu, to);
			mutex_unlock(&vcpu->mutex);
			KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), to);
		}
	}
	mutex_lock(&vcpu->mutex);
	force(vcpu, INV);
	force(vcpu, BLK);
	mutex_unlock(&vcpu->mutex);
	n = axvcpu_get_history(vcpu, last, AXVCPU_HISTORY_LEN);
	KUNIT_ASSERT_GT(test, n, 0);
	KUNIT_EXPECT_EQ(test, last[n - 1].op, AXVCPU_OP_SET_STATE);
	KUNIT_EXPECT_EQ(test, last[n - 1].from, INV);
	KUNIT_EXPECT_EQ(test, last[n - 1].to, BLK);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW);
}

/* Calls that nobody checks do not hide why the vCPU is Invalid; a RESET ends that. */
static void cause_of_invalid(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_state_info info = {};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), -EBADFD);
	for (i = 2; i <= 4; i++) {
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), -EBADFD);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ(test, info.failure.seq, i);
		KUNIT_EXPECT_EQ(test, info.failure.op, AXVCPU_OP_RUN);
		KUNIT_EXPECT_EQ(test, info.failure.actual, INV);
		KUNIT_EXPECT_EQ(test, info.failure.tid, task_pid_vnr(current));
		KUNIT_EXPECT_EQ(test, info.cause.seq, 1);
		KUNIT_EXPECT_EQ(test, info.cause.op, AXVCPU_OP_BIND);
		KUNIT_EXPECT_EQ(test, info.cause.actual, CRE);
		KUNIT_EXPECT_EQ(test, info.cause.tid, task_pid_vnr(current));
	}
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.failure.seq, 4);
	KUNIT_EXPECT_EQ(test, info.cause.seq, 0);
	KUNIT_EXPECT_EQ(test, info.cause.op, AXVCPU_OP_NONE);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), -EBADFD);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.cause.seq, 5);
	KUNIT_EXPECT_EQ(test, info.cause.op, AXVCPU_OP_UNBIND);
}

/* D15: Invalid ends with RESET, and what comes after is a new life. */
static void reset_from_invalid(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_create(test, AXVCPU_CALL_RUN, EIO, 0);
	struct axvcpu_state_info info = {};
	enum axvcpu_op op;
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, live(vcpu, &op), -EIO);
		KUNIT_EXPECT_EQ(test, op, AXVCPU_OP_RUN);
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
		axvcpu_get_failure(vcpu, &info);
		KUNIT_EXPECT_EQ(test, info.state, CRE);
		/* The last failure stays for whoever wants to know. */
		KUNIT_EXPECT_EQ(test, info.failure.seq, i);
		KUNIT_EXPECT_EQ(test, info.failure.error, -EIO);
		KUNIT_EXPECT_EQ(test, vcpu->bound_cpu, -1);
		KUNIT_EXPECT_EQ(test, vcpu->last_cpu, -1);
	}
}

/* RESET leaves nothing behind that the next guest could see. */
static void reset_clears(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);
	struct axvcpu_reg regs[] = {
		{ AXVCPU_MOCK_REG(3), 0x1234 }, { AXVCPU_MOCK_REG_PC, 0x40 },
	};
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_set_regs(vcpu, regs, ARRAY_SIZE(regs));
	mutex_unlock(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_NMI, 0), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_arch.has_event(vcpu));
	axvcpu_kick(vcpu);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
	KUNIT_EXPECT_FALSE(test, axvcpu_arch.has_event(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->requests, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(vcpu->run, 0, sizeof(*vcpu->run)));

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_get_regs(vcpu, regs, ARRAY_SIZE(regs));
	mutex_unlock(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, regs[0].value, 0);
	KUNIT_EXPECT_EQ(test, regs[1].value, 0);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), FRE);
}

static int setup_stepped(struct axvcpu *vcpu)
{
	struct axvcpu_setup args = { .aspace_fd = -1, .flags = AXVCPU_SETUP_STEPPED };
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_setup(vcpu, &args, NULL);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/* R63: step by step the state stays Created, and the log is that of one SETUP. */
static void setup_step_by_step(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_ENTRY), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), CRE);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_EPT_ROOT), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), CRE);
	KUNIT_EXPECT_EQ(test, setup_stepped(vcpu), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), FRE);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY,
				  AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
}

/* R47: each step once; R51: none left out. */
static void steps_out_of_order(struct kunit *test)
{
	struct axvcpu *vcpu;

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_ENTRY), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_ENTRY), -EEXIST);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_EPT_ROOT), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_EPT_ROOT), -EEXIST);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_ENTRY), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), -EEXIST);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, setup_stepped(vcpu), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);

	vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SET_ENTRY), 0);
	KUNIT_EXPECT_EQ(test, setup_stepped(vcpu), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);

	/* After RESET a second entry is the first again. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), 0);
}

/* R48, R50: what the backend judges; each refusal makes Invalid. */
static void entry_and_root_are_judged(struct kunit *test)
{
	u64 gpa_end = BIT_ULL(axvcpu_arch.s2->gpa_bits);
	u64 root = axvcpu_kunit_root().val;
	const struct {
		u64 entry, root;
		int ret;
	} cases[] = {
		{ 0, root, 0 },
		{ 0x10, root, 0 },
		{ gpa_end - 0x10, root, 0 },
		{ 1, root, -EINVAL },
		{ 8, root, -EINVAL },
		{ gpa_end, root, -EINVAL },
		{ U64_MAX & ~0xfULL, root, -EINVAL },
		{ 0, root + 1, -EINVAL },
		{ 0, root + 8, -EINVAL },
		{ 0, root | BIT_ULL(52), -EINVAL },
		{ 0, root | BIT_ULL(63), -EINVAL },
		{ 0, BIT_ULL(51), -EINVAL },
	};
	enum axvcpu_state state;
	struct axvcpu *vcpu;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_setup(vcpu, cases[i].entry, cases[i].root),
				    cases[i].ret, "case %u", i);
		state = AXVCPU_STATE_FREE;
		if (cases[i].ret)
			state = AXVCPU_STATE_INVALID;
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(vcpu), state, "case %u", i);
		if (cases[i].ret)
			continue;
		/* R48 */
		KUNIT_EXPECT_EQ(test, axvcpu_mock(vcpu)->entry.val, cases[i].entry);
		KUNIT_EXPECT_EQ(test, axvcpu_mock(vcpu)->root.val, cases[i].root);
	}
}

/* R50: a configuration that the backend does not know. */
static void config_is_judged(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_setup args = {
		.raw_root = axvcpu_kunit_root().val,
		.aspace_fd = -1,
		.flags = AXVCPU_SETUP_RAW_ROOT,
		.config.raw[7] = 1,
	};
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_setup(vcpu, &args, NULL);
	mutex_unlock(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY,
				  AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP);
}

/* A CPU that is not in the vCPU's set is the transition's fault: Invalid. */
static void bind_outside_of_the_set(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);
	int cpu = cpumask_last(cpu_online_mask);

	cpumask_clear_cpu(cpu, vcpu->cpus);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_bind(vcpu, cpu), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), INV);
	KUNIT_EXPECT_EQ(test, vcpu->bound_cpu, -1);
	AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY,
				  AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_CALL_SETUP);
}

/* A vCPU that follows its thread is bound from anywhere; RUN says where it can't. */
static void bind_to_no_cpu(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);

	cpumask_clear(vcpu->cpus);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_bind(vcpu, -1), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), -EXDEV);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), RDY);
}

/* R68: the constants of AxVCpu::new; G03: a backend that refuses a vCPU. */
static void creation(struct kunit *test)
{
	struct axvcpu *first = axvcpu_kunit_create(test, 0, 0, 0);
	struct axvcpu *second = axvcpu_kunit_create(test, 0, 0, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_EXPECT_EQ(test, first->vm_id, 7);
	KUNIT_EXPECT_EQ(test, first->vcpu_id, 0);
	KUNIT_EXPECT_EQ(test, second->vcpu_id, 1);
	KUNIT_EXPECT_EQ(test, first->favor_cpu, -1);
	KUNIT_EXPECT_EQ(test, first->bound_cpu, -1);
	KUNIT_EXPECT_EQ(test, first->last_cpu, -1);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(first->cpus, cpu_possible_mask));
	KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, AXVCPU_CALL_NEW, ENXIO, 0)),
			-ENXIO);
	KUNIT_EXPECT_EQ(test, PTR_ERR(axvcpu_kunit_create(test, AXVCPU_CALL_SET_REG + 1, EIO, 0)),
			-EINVAL);
}

static void expect_entry(struct kunit *test, const struct axvcpu_history_entry *entry,
			 unsigned int op, unsigned int from, unsigned int to, int error,
			 unsigned int repeat)
{
	KUNIT_EXPECT_EQ(test, entry->op, op);
	KUNIT_EXPECT_EQ(test, entry->from, from);
	KUNIT_EXPECT_EQ(test, entry->to, to);
	KUNIT_EXPECT_EQ(test, entry->error, error);
	KUNIT_EXPECT_EQ(test, entry->repeat, repeat);
	KUNIT_EXPECT_EQ(test, entry->tid, task_pid_vnr(current));
	KUNIT_EXPECT_LT(test, entry->cpu, nr_cpu_ids);
}

/* R65: what happened, in order; a run loop does not wash it out. */
static void history_tells_the_life(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_history_entry *h;
	unsigned int i, n;

	h = kunit_kcalloc(test, AXVCPU_HISTORY_LEN, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RUN), -EBADFD);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);

	n = axvcpu_get_history(vcpu, h, AXVCPU_HISTORY_LEN);
	KUNIT_ASSERT_EQ(test, n, 7);
	expect_entry(test, &h[0], AXVCPU_OP_SETUP, CRE, FRE, 0, 0);
	expect_entry(test, &h[1], AXVCPU_OP_BIND, FRE, RDY, 0, 0);
	expect_entry(test, &h[2], AXVCPU_OP_RUN, RDY, RUN, 0, 99);
	expect_entry(test, &h[3], AXVCPU_OP_RUN, RUN, RDY, 0, 99);
	expect_entry(test, &h[4], AXVCPU_OP_UNBIND, RDY, FRE, 0, 0);
	expect_entry(test, &h[5], AXVCPU_OP_RUN, FRE, INV, -EBADFD, 0);
	expect_entry(test, &h[6], AXVCPU_OP_RESET, INV, CRE, 0, 0);
	for (i = 1; i < n; i++) {
		KUNIT_EXPECT_GT(test, h[i].seq, h[i - 1].seq);
		KUNIT_EXPECT_GE(test, h[i].time_ns, h[i - 1].time_ns);
	}
	/* 2 x 100 runs and 5 more */
	KUNIT_EXPECT_EQ(test, h[6].seq, 205);

	/* Less room: the newest. */
	KUNIT_EXPECT_EQ(test, axvcpu_get_history(vcpu, h, 1), 1);
	expect_entry(test, &h[0], AXVCPU_OP_RESET, INV, CRE, 0, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_get_history(vcpu, h, 0), 0);
}

/* The ring keeps the newest when it runs over. */
static void history_runs_over(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_history_entry *h;
	unsigned int i, n, state;

	h = kunit_kcalloc(test, AXVCPU_HISTORY_LEN, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	/* A cycle of three, which is no alternation. */
	for (i = 1; i <= 3 * AXVCPU_HISTORY_LEN; i++) {
		mutex_lock(&vcpu->mutex);
		force(vcpu, i % 3);
		mutex_unlock(&vcpu->mutex);
	}
	n = axvcpu_get_history(vcpu, h, AXVCPU_HISTORY_LEN);
	KUNIT_ASSERT_EQ(test, n, AXVCPU_HISTORY_LEN);
	for (i = 0; i < n; i++) {
		state = 2 * AXVCPU_HISTORY_LEN + 1 + i;
		KUNIT_EXPECT_EQ(test, h[i].seq, state);
		KUNIT_EXPECT_EQ(test, h[i].to, state % 3);
		KUNIT_EXPECT_EQ(test, h[i].repeat, 0);
	}
}

#define NR_STEPS	1000

/* A step of a walk as a byte: the operation, and the state gone to */
#define STEP(op, to)	((op) << 4 | (to))

/*
 * Read a history as its documentation says: steps, in order, the first one's
 * number in @seq. Returns how many there are.
 */
static unsigned int unfold(const struct axvcpu_history_entry *h, unsigned int n, u8 *steps,
			   u64 *seq)
{
	const struct axvcpu_history_entry *entry;
	unsigned int i, k, count, len = 0;

	/* The oldest one's partner may be gone. */
	i = n > 1 && h[1].seq != h[0].seq + 1;
	*seq = h[i].seq;
	for (; i < n; i += 1 + (count > 1)) {
		count = 1;
		if (i + 1 < n && h[i].repeat && h[i + 1].seq == h[i].seq + 1)
			count = h[i].repeat + h[i + 1].repeat + 2;
		for (k = 0; k < count && len < NR_STEPS; k++) {
			entry = &h[i + k % 2];
			steps[len++] = STEP(entry->op, entry->to);
		}
	}
	return len;
}

/* To @to, by SET_STATE or, where there is one, by an operation that leads there. */
static u8 make_step(struct axvcpu *vcpu, enum axvcpu_state to, bool by_operation)
{
	enum axvcpu_state from = axvcpu_state(vcpu);
	enum axvcpu_op op = AXVCPU_OP_SET_STATE;

	if (by_operation && from == FRE && to == RDY)
		op = AXVCPU_OP_BIND;
	if (by_operation && from == RDY && to == FRE)
		op = AXVCPU_OP_UNBIND;
	mutex_lock(&vcpu->mutex);
	if (op == AXVCPU_OP_SET_STATE)
		force(vcpu, to);
	else
		axvcpu_transition_state(vcpu, op, from, to);
	mutex_unlock(&vcpu->mutex);
	return STEP(op, to);
}

/* What is counted together can be taken apart again. */
static void history_can_be_read(struct kunit *test)
{
	static const u8 states[] = { FRE, RDY, CRE };
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	struct axvcpu_history_entry *h;
	struct rnd_state rnd;
	u8 *walk, *read, to;
	unsigned int i, n;
	u64 seq;

	h = kunit_kcalloc(test, AXVCPU_HISTORY_LEN, sizeof(*h), GFP_KERNEL);
	walk = kunit_kcalloc(test, NR_STEPS + 1, 1, GFP_KERNEL);
	read = kunit_kcalloc(test, NR_STEPS, 1, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, h && walk && read);
	prandom_seed_state(&rnd, 1);
	for (i = 1; i <= NR_STEPS; i++) {
		/* Back to where it came from, now and then or mostly, by turns */
		to = walk[i > 1 ? i - 2 : 0] & 15;
		if (i < 3 || !(prandom_u32_state(&rnd) % (i % 200 < 100 ? 2 : 16)))
			to = states[prandom_u32_state(&rnd) % ARRAY_SIZE(states)];
		walk[i] = make_step(vcpu, to, !(prandom_u32_state(&rnd) % 8));

		n = unfold(h, axvcpu_get_history(vcpu, h, AXVCPU_HISTORY_LEN), read, &seq);
		KUNIT_ASSERT_EQ_MSG(test, seq + n - 1, i, "after %u steps", i);
		KUNIT_ASSERT_EQ_MSG(test, memcmp(read, walk + seq, n), 0, "after %u steps", i);
	}
	/* More is known than there are entries. */
	KUNIT_EXPECT_GT(test, n, AXVCPU_HISTORY_LEN);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(table_is_as_specified),
	KUNIT_CASE(ioctl_table_is_as_specified),
	KUNIT_CASE(every_transition),
	KUNIT_CASE(transition_state_calls_nothing),
	KUNIT_CASE(every_operation),
	KUNIT_CASE(function_fails),
	KUNIT_CASE(happy_path),
	KUNIT_CASE(failure_at_every_step),
	KUNIT_CASE(backend_returns_nonsense),
	KUNIT_CASE(nonsense_with_an_answer),
	KUNIT_CASE(failure_does_not_spread),
	KUNIT_CASE(failures_are_told_apart),
	KUNIT_CASE(set_state_checks_nothing),
	KUNIT_CASE(cause_of_invalid),
	KUNIT_CASE(reset_from_invalid),
	KUNIT_CASE(reset_clears),
	KUNIT_CASE(setup_step_by_step),
	KUNIT_CASE(steps_out_of_order),
	KUNIT_CASE(entry_and_root_are_judged),
	KUNIT_CASE(config_is_judged),
	KUNIT_CASE(bind_outside_of_the_set),
	KUNIT_CASE(bind_to_no_cpu),
	KUNIT_CASE(creation),
	KUNIT_CASE(history_tells_the_life),
	KUNIT_CASE(history_runs_over),
	KUNIT_CASE(history_can_be_read),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_state",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
