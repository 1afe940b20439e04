// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the state machine does to its backend, and when the backend fails: only
 * the mock tells, and fails on demand.
 */
#include <string.h>

#include "arch/mock/axvcpu_mock_abi.h"
#include "kselftest_harness.h"

#include "guest.h"

#define CREATED	AXVCPU_STATE_CREATED
#define FREE	AXVCPU_STATE_FREE
#define READY	AXVCPU_STATE_READY
#define INVALID	AXVCPU_STATE_INVALID

FIXTURE(backend) {
	struct guest g;
	struct guest_vcpu v;
};

FIXTURE_SETUP(backend)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_MOCK)
		SKIP(return, "not the mock");
	guest_write_programs(&self->g);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
}

FIXTURE_TEARDOWN(backend)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

#define EXPECT_FAILURE(op_, error_)				\
do {								\
	struct axvcpu_failure f_;				\
								\
	EXPECT_EQ(INVALID, get_state(self->v.fd));		\
	EXPECT_EQ(0, get_failure(self->v.fd, &f_));		\
	EXPECT_EQ(op_, f_.op);					\
	EXPECT_EQ(error_, f_.error);				\
} while (0)

/* Every call into the backend fails in turn: Invalid, its own error, its code. */
TEST_F(backend, backend_failures)
{
	static const struct {
		unsigned int call, op, cmd;
		int state;
	} rows[] = {
		{ AXVCPU_CALL_SET_ENTRY, AXVCPU_OP_SET_ENTRY, AXVCPU_SET_ENTRY, CREATED },
		{ AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_OP_SET_EPT_ROOT, AXVCPU_SET_EPT_ROOT, CREATED },
		{ AXVCPU_CALL_SET_ENTRY, AXVCPU_OP_SETUP, AXVCPU_SETUP, CREATED },
		{ AXVCPU_CALL_SET_EPT_ROOT, AXVCPU_OP_SETUP, AXVCPU_SETUP, CREATED },
		{ AXVCPU_CALL_SETUP, AXVCPU_OP_SETUP, AXVCPU_SETUP, CREATED },
		{ AXVCPU_CALL_BIND, AXVCPU_OP_BIND, AXVCPU_BIND, FREE },
		{ AXVCPU_CALL_RUN, AXVCPU_OP_RUN, AXVCPU_RUN, READY },
		{ AXVCPU_CALL_UNBIND, AXVCPU_OP_UNBIND, AXVCPU_UNBIND, READY },
	};
	static const int errors[] = { EIO, ENODEV, ENOMEM, EINTR };

	for (int i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(errors); i++) {
		const typeof(rows[0]) *row = &rows[i % ARRAY_SIZE(rows)];
		int error = errors[i / ARRAY_SIZE(rows)];
		struct axvcpu_create_vcpu create = { .favor_phys_cpu = -1 };
		struct axvcpu_mock_setup_config config = {
			.fail_call = row->call,
			.fail_error = error,
		};
		struct axvcpu_failure f;
		int err = 0;

		memcpy(&create.config, &config, sizeof(config));
		vcpu_destroy(&self->v);
		self->v.fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &create);
		ASSERT_LE(0, self->v.fd);
		if (row->state >= FREE)
			err = vcpu_setup(&self->g, &self->v, OUTS);
		if (!err && row->state >= READY)
			err = bind_vcpu(self->v.fd, -1);
		ASSERT_EQ(0, err) TH_LOG("row %d", i);

		EXPECT_EQ(-error, good_call(&self->g, &self->v, row->cmd)) TH_LOG("row %d", i);
		EXPECT_FAILURE(row->op, -error);
		EXPECT_EQ(0, get_failure(self->v.fd, &f));
		EXPECT_EQ(row->cmd == AXVCPU_RUN ? AXVCPU_STATE_RUNNING : row->state, f.actual);
		EXPECT_EQ(error, f.arch_code);
		/* And it recovers. */
		EXPECT_EQ(0, reset_vcpu(self->v.fd));
		EXPECT_EQ(CREATED, get_state(self->v.fd));
	}
}

/* Setup is the three calls in their order; a failing one stops the sequence. */
TEST_F(backend, call_log)
{
	static const unsigned int order[] = {
		AXVCPU_CALL_NEW, AXVCPU_CALL_SET_ENTRY, AXVCPU_CALL_SET_EPT_ROOT,
		AXVCPU_CALL_SETUP, AXVCPU_CALL_BIND, AXVCPU_CALL_RUN, AXVCPU_CALL_UNBIND,
		AXVCPU_CALL_RESET, AXVCPU_CALL_SET_ENTRY,
	};
	struct axvcpu_call_entry calls[32];
	struct axvcpu_call_log log = { .entries = (uintptr_t)calls, .count = 32 };

	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	/* A transition from the wrong state does not touch the backend. */
	ASSERT_EQ(-EBADFD, run_vcpu(self->v.fd, 0));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(-EINVAL, vcpu_setup(&self->g, &self->v, 1ULL << 63));

	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_GET_CALL_LOG, &log));
	ASSERT_EQ(ARRAY_SIZE(order), log.count);
	EXPECT_EQ(ARRAY_SIZE(order), log.total);
	for (int i = 0; i < log.count; i++) {
		EXPECT_EQ(order[i], calls[i].call) TH_LOG("call %d", i);
		EXPECT_EQ(i + 1, calls[i].seq);
		EXPECT_EQ(i == log.count - 1 ? -EINVAL : 0, calls[i].result) TH_LOG("call %d", i);
	}
}

TEST_HARNESS_MAIN
