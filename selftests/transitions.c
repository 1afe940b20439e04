// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine, seen through ioctls: every operation in every state,
 * against a model made from the same tables.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "model.h"

#define CREATED	AXVCPU_STATE_CREATED
#define FREE	AXVCPU_STATE_FREE
#define READY	AXVCPU_STATE_READY
#define RUNNING	AXVCPU_STATE_RUNNING
#define BLOCKED	AXVCPU_STATE_BLOCKED
#define INVALID	AXVCPU_STATE_INVALID

FIXTURE(transitions) {
	struct guest g;
	struct guest_vcpu v;
	struct model m;
};

FIXTURE_SETUP(transitions)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	model_init(&self->m, &self->g.info);
}

FIXTURE_TEARDOWN(transitions)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* A new vCPU in one of the four states that need no second thread. */
static int reach(FIXTURE_DATA(transitions) *self, int state, uint64_t entry)
{
	int err;

	vcpu_destroy(&self->v);
	err = vcpu_create(&self->g, &self->v, 0);
	model_init(&self->m, &self->g.info);
	if (!err && state == INVALID) {
		run_vcpu(self->v.fd, 0);
		model_apply(&self->m, model_find(AXVCPU_RUN));
	}
	if (!err && state >= FREE) {
		err = vcpu_setup(&self->g, &self->v, entry);
		model_apply(&self->m, model_find(AXVCPU_SETUP));
	}
	if (!err && state >= READY) {
		err = bind_vcpu(self->v.fd, -1);
		model_apply(&self->m, model_find(AXVCPU_BIND));
	}
	if (!err && self->m.state != state)
		err = -EPROTO;
	return err;
}

static bool same_failure(const struct axvcpu_failure *a, const struct axvcpu_failure *b)
{
	if (a->seq != b->seq || a->op != b->op || a->error != b->error || a->actual != b->actual)
		return false;
	/* RESET starts from two states. */
	return a->expected == b->expected || a->op == AXVCPU_OP_RESET;
}

#define EXPECT_MODEL(what)							\
do {										\
	struct axvcpu_failure failure_;						\
										\
	EXPECT_EQ(self->m.state, get_state(self->v.fd)) TH_LOG("after %s", what); \
	EXPECT_EQ(0, get_failure(self->v.fd, &failure_));			\
	EXPECT_TRUE(same_failure(&self->m.failure, &failure_))			\
		TH_LOG("after %s: failure %llu op %u expected %u actual %u error %d", what, \
		       failure_.seq, failure_.op, failure_.expected, failure_.actual, \
		       failure_.error);						\
} while (0)

TEST_F(transitions, path)
{
	EXPECT_EQ(CREATED, get_state(self->v.fd));
	EXPECT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	EXPECT_EQ(FREE, get_state(self->v.fd));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
		ASSERT_EQ(READY, get_state(self->v.fd));
		for (int j = 0; j <= i % 3; j++) {
			ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
			ASSERT_EQ(READY, get_state(self->v.fd));
		}
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(FREE, get_state(self->v.fd));
	}
	EXPECT_EQ(0, reset_vcpu(self->v.fd));
	EXPECT_EQ(CREATED, get_state(self->v.fd));
}

/* Every ioctl in Invalid, Created, Free and Ready. */
TEST_F(transitions, matrix)
{
	for (int state = INVALID; state <= READY; state++) {
		for (int i = 0; i < model_nr_ioctls; i++) {
			const struct model_ioctl *ioctl = &model_ioctls[i];
			char what[64];

			snprintf(what, sizeof(what), "%s in %s", ioctl->name, model_states[state]);
			ASSERT_EQ(0, reach(self, state, OUTS)) TH_LOG("%s", what);
			EXPECT_EQ(model_apply(&self->m, ioctl),
				  good_call(&self->g, &self->v, ioctl->cmd)) TH_LOG("%s", what);
			EXPECT_MODEL(what);
		}
	}
}

static void nothing(int sig)
{
}

/* A call that waits for another thread's RUN is ended by a signal. */
static void interrupt_me_after_ms(int ms)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct itimerval it = { .it_value.tv_usec = ms * 1000, .it_interval.tv_usec = ms * 1000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, ms ? &it : &(struct itimerval){ 0 }, NULL);
}

static int expect_inside_run(const FIXTURE_DATA(transitions) *self,
			     const struct model_ioctl *ioctl, int state)
{
	if (ioctl->lock == MODEL_LOCK_WAIT)
		return -EINTR;
	if (ioctl->busy & 1U << state)
		return -EBUSY;
	if (ioctl->bad & 1U << state)
		return -EBADFD;
	return ioctl->cmd == AXVCPU_WITHDRAW ? -ENOENT : 0;
}

static void matrix_inside_run(struct __test_metadata *_metadata, FIXTURE_DATA(transitions) *self,
			      int state)
{
	struct vcpu_thread t;

	for (int i = 0; i < model_nr_ioctls; i++) {
		const struct model_ioctl *ioctl = &model_ioctls[i];
		bool last_run = ioctl->cmd == AXVCPU_KICK;
		int err;

		ASSERT_EQ(0, reach(self, READY, state == RUNNING ? LOOP : HALT));
		ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
		ASSERT_EQ(0, wait_for_state(self->v.fd, state)) TH_LOG("%s", ioctl->name);

		if (ioctl->lock == MODEL_LOCK_WAIT)
			interrupt_me_after_ms(20);
		err = good_call(&self->g, &self->v, ioctl->cmd);
		interrupt_me_after_ms(0);
		EXPECT_EQ(expect_inside_run(self, ioctl, state), err)
			TH_LOG("%s in %s", ioctl->name, model_states[state]);
		if (!last_run) {
			EXPECT_EQ(state, get_state(self->v.fd)) TH_LOG("%s", ioctl->name);
			EXPECT_FALSE(t.done) TH_LOG("%s", ioctl->name);
		}
		EXPECT_EQ(-EINTR, last_run ? thread_join(&t) : thread_stop(&t))
			TH_LOG("%s in %s", ioctl->name, model_states[state]);
		EXPECT_EQ(READY, get_state(self->v.fd)) TH_LOG("%s", ioctl->name);
	}
}

TEST_F(transitions, matrix_running)
{
	matrix_inside_run(_metadata, self, RUNNING);
}

TEST_F(transitions, matrix_blocked)
{
	matrix_inside_run(_metadata, self, BLOCKED);
}

TEST_F(transitions, second_runner)
{
	struct vcpu_thread t;

	ASSERT_EQ(0, reach(self, READY, LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, RUNNING));
	EXPECT_EQ(-EBUSY, run_vcpu(self->v.fd, AXVCPU_RUN_NOWAIT));
	EXPECT_EQ(RUNNING, get_state(self->v.fd));
	EXPECT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(READY, get_state(self->v.fd));
}

static void *unbind_thread(void *arg)
{
	struct guest_vcpu *v = arg;

	return (void *)(long)unbind_vcpu(v->fd);
}

/* An operation that waited finds the state that RUN leaves. */
TEST_F(transitions, unbind_waits_for_run)
{
	struct vcpu_thread t;
	pthread_t unbinder;
	void *ret;

	ASSERT_EQ(0, reach(self, READY, LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, RUNNING));
	ASSERT_EQ(0, pthread_create(&unbinder, NULL, unbind_thread, &self->v));
	sleep_ns(20000000);
	EXPECT_EQ(RUNNING, get_state(self->v.fd));
	EXPECT_EQ(-EINTR, thread_stop(&t));
	ASSERT_EQ(0, pthread_join(unbinder, &ret));
	EXPECT_EQ(0, (long)ret);
	EXPECT_EQ(FREE, get_state(self->v.fd));
}

/* The record names the state that was found, not the Invalid that replaced it. */
TEST_F(transitions, failure_record)
{
	struct axvcpu_failure f;

	ASSERT_EQ(0, get_failure(self->v.fd, &f));
	EXPECT_EQ(0, f.seq);

	EXPECT_EQ(-EBADFD, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(INVALID, get_state(self->v.fd));
	ASSERT_EQ(0, get_failure(self->v.fd, &f));
	EXPECT_EQ(1, f.seq);
	EXPECT_EQ(AXVCPU_OP_BIND, f.op);
	EXPECT_EQ(FREE, f.expected);
	EXPECT_EQ(CREATED, f.actual);
	EXPECT_EQ(-EBADFD, f.error);
	EXPECT_EQ(0, f.arch_code);

	EXPECT_EQ(-EBADFD, run_vcpu(self->v.fd, 0));
	ASSERT_EQ(0, get_failure(self->v.fd, &f));
	EXPECT_EQ(2, f.seq);
	EXPECT_EQ(AXVCPU_OP_RUN, f.op);
	EXPECT_EQ(READY, f.expected);
	EXPECT_EQ(INVALID, f.actual);

	/* It outlives the recovery. */
	EXPECT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, get_failure(self->v.fd, &f));
	EXPECT_EQ(2, f.seq);
}

static int history(int fd, struct axvcpu_history_entry *entries, unsigned int count)
{
	struct axvcpu_history args = { .entries = (uintptr_t)entries, .count = count };
	int err = XIOCTL(fd, AXVCPU_GET_HISTORY, &args);

	return err ? err : (int)args.count;
}

TEST_F(transitions, history)
{
	static const struct {
		unsigned int op, from, to;
		int error;
	} expected[] = {
		{ AXVCPU_OP_SETUP, CREATED, FREE, 0 },
		{ AXVCPU_OP_BIND, FREE, READY, 0 },
		{ AXVCPU_OP_RUN, READY, RUNNING, 0 },
		{ AXVCPU_OP_RUN, RUNNING, READY, 0 },
		{ AXVCPU_OP_UNBIND, READY, FREE, 0 },
		{ AXVCPU_OP_RUN, FREE, INVALID, -EBADFD },
		{ AXVCPU_OP_RESET, INVALID, CREATED, 0 },
		{ AXVCPU_OP_SET_STATE, CREATED, FREE, 0 },
	};
	struct axvcpu_history_entry h[AXVCPU_HISTORY_LEN];
	uint64_t then = now_ns();
	int n;

	EXPECT_EQ(0, history(self->v.fd, h, AXVCPU_HISTORY_LEN));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(-EBADFD, run_vcpu(self->v.fd, 0));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, set_state(self->v.fd, FREE));

	n = history(self->v.fd, h, AXVCPU_HISTORY_LEN);
	ASSERT_EQ(ARRAY_SIZE(expected), n);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(i + 1, h[i].seq);
		EXPECT_EQ(expected[i].op, h[i].op) TH_LOG("entry %d", i);
		EXPECT_EQ(expected[i].from, h[i].from) TH_LOG("entry %d", i);
		EXPECT_EQ(expected[i].to, h[i].to) TH_LOG("entry %d", i);
		EXPECT_EQ(expected[i].error, h[i].error) TH_LOG("entry %d", i);
		EXPECT_EQ(getpid(), h[i].tid);
		EXPECT_EQ(0, h[i].repeat);
		EXPECT_GE(h[i].time_ns, then);
		then = h[i].time_ns;
	}
	EXPECT_LE(then, now_ns());

	/* Less room: the last ones. */
	n = history(self->v.fd, h, 2);
	ASSERT_EQ(2, n);
	EXPECT_EQ(AXVCPU_OP_RESET, h[0].op);
	EXPECT_EQ(AXVCPU_OP_SET_STATE, h[1].op);
	EXPECT_EQ(0, history(self->v.fd, h, 0));
}

/* A run loop does not wash the rest away, and a long history keeps its end. */
TEST_F(transitions, history_is_bounded)
{
	struct axvcpu_history_entry h[AXVCPU_HISTORY_LEN + 4];
	uint64_t seq;
	int n;

	ASSERT_EQ(0, reach(self, READY, OUTS));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
	}
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	n = history(self->v.fd, h, ARRAY_SIZE(h));
	ASSERT_EQ(5, n);
	EXPECT_EQ(AXVCPU_OP_BIND, h[1].op);
	EXPECT_EQ(AXVCPU_OP_RUN, h[2].op);
	EXPECT_EQ(99, h[2].repeat);
	EXPECT_EQ(RUNNING, h[2].to);
	EXPECT_EQ(99, h[3].repeat);
	EXPECT_EQ(READY, h[3].to);
	EXPECT_EQ(203, h[4].seq);

	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
		ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	}
	n = history(self->v.fd, h, ARRAY_SIZE(h));
	ASSERT_EQ(AXVCPU_HISTORY_LEN, n);
	EXPECT_EQ(203 + 50 * 4, h[n - 1].seq);
	seq = h[0].seq;
	for (int i = 1; i < n; i++) {
		EXPECT_EQ(seq + 1, h[i].seq);
		seq = h[i].seq;
	}
}

TEST_F(transitions, reset_recovers)
{
	uint64_t reg = self->g.isa->reg_id(self->g.isa->gpr[G1]), value;

	ASSERT_EQ(0, reach(self, READY, OUTS));
	ASSERT_EQ(0, set_reg(self->v.fd, reg, 0x1234));
	ASSERT_EQ(-EBADFD, bind_vcpu(self->v.fd, -1));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
		EXPECT_EQ(CREATED, get_state(self->v.fd));
		EXPECT_EQ(0, get_reg(self->v.fd, reg, &value));
		EXPECT_EQ(0, value);
		ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
		ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	}
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	EXPECT_EQ(-EBADFD, reset_vcpu(self->v.fd));
	EXPECT_EQ(CREATED, get_state(self->v.fd));
}

TEST_F(transitions, set_state)
{
	static const int allowed[] = { INVALID, CREATED, FREE, READY, CREATED };

	for (int i = 0; i < ARRAY_SIZE(allowed); i++) {
		EXPECT_EQ(0, set_state(self->v.fd, allowed[i]));
		EXPECT_EQ(allowed[i], get_state(self->v.fd));
	}
	for (int state = RUNNING; state <= BLOCKED + 1; state++) {
		EXPECT_EQ(-EINVAL, set_state(self->v.fd, state));
		EXPECT_EQ(CREATED, get_state(self->v.fd));
	}
}

/* As upstream, it goes round the checks: what was bound is bound still. */
TEST_F(transitions, set_state_undoes_invalid)
{
	ASSERT_EQ(0, reach(self, READY, OUTS));
	ASSERT_EQ(-EBADFD, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(INVALID, get_state(self->v.fd));
	ASSERT_EQ(0, set_state(self->v.fd, READY));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

TEST_F(transitions, set_state_needs_capability)
{
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-EPERM, set_state(self->v.fd, FREE));
	EXPECT_EQ(CREATED, get_state(self->v.fd));
	/* Nothing else does. */
	EXPECT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	EXPECT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(0, seteuid(0));
}

/* A state that the hardware is not in: an error, and no harm to the host. */
TEST_F(transitions, set_state_lies)
{
	ASSERT_EQ(0, set_state(self->v.fd, READY));
	EXPECT_GT(0, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(INVALID, get_state(self->v.fd));
	ASSERT_EQ(0, set_state(self->v.fd, READY));
	unbind_vcpu(self->v.fd);

	ASSERT_EQ(0, reach(self, READY, OUTS));
	ASSERT_EQ(0, set_state(self->v.fd, FREE));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, set_state(self->v.fd, FREE));
	bind_vcpu(self->v.fd, -1);
	ASSERT_EQ(0, set_state(self->v.fd, READY));
	EXPECT_GT(0, run_vcpu(self->v.fd, 0));
}

static int set_entry(int fd, uint64_t entry)
{
	struct axvcpu_set_entry args = { .entry = entry };

	return XIOCTL(fd, AXVCPU_SET_ENTRY, &args);
}

static int set_root(int fd, int aspace)
{
	struct axvcpu_set_ept_root args = { .aspace_fd = aspace };

	return XIOCTL(fd, AXVCPU_SET_EPT_ROOT, &args);
}

static int setup_stepped(FIXTURE_DATA(transitions) *self)
{
	struct axvcpu_setup setup;

	setup_init(&self->g, &setup, 0);
	setup.aspace_fd = -1;
	setup.flags = AXVCPU_SETUP_STEPPED;
	return XIOCTL(self->v.fd, AXVCPU_SETUP, &setup);
}

TEST_F(transitions, stepwise)
{
	ASSERT_EQ(0, set_entry(self->v.fd, OUTS));
	EXPECT_EQ(CREATED, get_state(self->v.fd));
	ASSERT_EQ(0, set_root(self->v.fd, self->g.aspace));
	EXPECT_EQ(CREATED, get_state(self->v.fd));
	ASSERT_EQ(0, setup_stepped(self));
	EXPECT_EQ(FREE, get_state(self->v.fd));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));

	/* In the other order as well. */
	ASSERT_EQ(0, reach(self, CREATED, 0));
	ASSERT_EQ(0, set_root(self->v.fd, self->g.aspace));
	ASSERT_EQ(0, set_entry(self->v.fd, OUTS));
	EXPECT_EQ(0, setup_stepped(self));
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

TEST_F(transitions, stepwise_refused)
{
	ASSERT_EQ(0, set_entry(self->v.fd, OUTS));
	EXPECT_EQ(-EEXIST, set_entry(self->v.fd, OUTS));
	EXPECT_FAILURE(AXVCPU_OP_SET_ENTRY, -EEXIST);

	ASSERT_EQ(0, reach(self, CREATED, 0));
	ASSERT_EQ(0, set_root(self->v.fd, self->g.aspace));
	EXPECT_EQ(-EEXIST, set_root(self->v.fd, self->g.aspace));
	EXPECT_FAILURE(AXVCPU_OP_SET_EPT_ROOT, -EEXIST);

	ASSERT_EQ(0, reach(self, CREATED, 0));
	EXPECT_EQ(-EINVAL, setup_stepped(self));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EINVAL);

	ASSERT_EQ(0, reach(self, CREATED, 0));
	ASSERT_EQ(0, set_entry(self->v.fd, OUTS));
	EXPECT_EQ(-EINVAL, setup_stepped(self));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EINVAL);

	ASSERT_EQ(0, reach(self, CREATED, 0));
	ASSERT_EQ(0, set_root(self->v.fd, self->g.aspace));
	EXPECT_EQ(-EINVAL, setup_stepped(self));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EINVAL);

	/* Both ways at once */
	ASSERT_EQ(0, reach(self, CREATED, 0));
	ASSERT_EQ(0, set_entry(self->v.fd, OUTS));
	EXPECT_EQ(-EEXIST, vcpu_setup(&self->g, &self->v, OUTS));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EEXIST);
}

/* What only the operation itself can find out makes the vCPU Invalid. */
TEST_F(transitions, refusals)
{
	struct axvcpu_setup setup;
	int fds[] = { -1, 1000, self->g.dev, self->v.fd, STDOUT_FILENO };

	for (int i = 0; i < ARRAY_SIZE(fds); i++) {
		ASSERT_EQ(0, reach(self, CREATED, 0));
		setup_init(&self->g, &setup, OUTS);
		setup.aspace_fd = fds[i];
		EXPECT_EQ(-EBADF, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup)) TH_LOG("%d", fds[i]);
		EXPECT_FAILURE(AXVCPU_OP_SETUP, -EBADF);

		ASSERT_EQ(0, reach(self, CREATED, 0));
		EXPECT_EQ(-EBADF, set_root(self->v.fd, fds[i]));
		EXPECT_FAILURE(AXVCPU_OP_SET_EPT_ROOT, -EBADF);
	}

	ASSERT_EQ(0, reach(self, CREATED, 0));
	EXPECT_EQ(-EINVAL, set_entry(self->v.fd, 1ULL << 63));
	EXPECT_FAILURE(AXVCPU_OP_SET_ENTRY, -EINVAL);

	ASSERT_EQ(0, reach(self, CREATED, 0));
	EXPECT_EQ(-EINVAL, vcpu_setup(&self->g, &self->v, 1ULL << self->g.info.gpa_bits));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EINVAL);

	/* The last word of the architecture's part is reserved everywhere. */
	ASSERT_EQ(0, reach(self, CREATED, 0));
	setup_init(&self->g, &setup, OUTS);
	setup.config.raw[7] = 1;
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	EXPECT_FAILURE(AXVCPU_OP_SETUP, -EINVAL);
}

/* A refusal of one vCPU is nothing to another one. */
TEST_F(transitions, failure_does_not_spread)
{
	struct guest_vcpu other;

	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, OUTS));
	ASSERT_EQ(0, reach(self, INVALID, 0));
	EXPECT_EQ(READY, get_state(other.fd));
	EXPECT_EQ(0, run_until(&other, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(0, unbind_vcpu(other.fd));
	vcpu_destroy(&other);
}

/* What tends to lead on, half of the time; anything else otherwise. */
static const struct model_ioctl *choose(const struct model *m)
{
	if (rand() % 2)
		return &model_ioctls[rand() % model_nr_ioctls];
	for (;;) {
		const struct model_ioctl *ioctl = &model_ioctls[rand() % model_nr_ioctls];

		if (ioctl->op && model_is_legal(ioctl->op, m->state))
			return ioctl;
	}
}

/* Random operations, each compared with the model. */
TEST_F(transitions, random)
{
	int rounds = guest_is_fast(&self->g) ? 10000 : 2000;
	unsigned long long began = now_ns();
	unsigned int seed = began;
	int visits[6] = { 0 }, i;

	TH_LOG("seed %u", seed);
	srand(seed);
	for (i = 0; i < rounds && time_for_another(i, 1000, began); i++) {
		const struct model_ioctl *ioctl = choose(&self->m);
		struct model before = self->m;
		char what[80];
		int err;

		snprintf(what, sizeof(what), "round %d, %s in %s", i, ioctl->name,
			 model_states[before.state]);
		err = good_call(&self->g, &self->v, ioctl->cmd);
		/* A kick waits for the next RUN. */
		if (ioctl->cmd == AXVCPU_RUN && err == -EINTR)
			err = good_call(&self->g, &self->v, ioctl->cmd);
		ASSERT_EQ(model_apply(&self->m, ioctl), err) TH_LOG("%s", what);
		EXPECT_MODEL(what);
		if (_metadata->exit_code)
			break;
		visits[self->m.state]++;
	}
	for (int state = INVALID; state <= READY; state++) {
		EXPECT_LT(i / 100, visits[state]) TH_LOG("%s", model_states[state]);
	}
}

TEST_HARNESS_MAIN
