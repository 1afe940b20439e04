// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads on the same vCPUs. What comes out can't be foretold, but it
 * must be consistent: one winner where there can be one only, a history
 * without a gap, and each return value one that some order explains.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "model.h"

#define NR_THREADS	4

FIXTURE(stress) {
	struct guest g;
	struct guest_vcpu v;
	bool fast;
};

FIXTURE_SETUP(stress)
{
	struct guest_prog p;
	int loop;

	ASSERT_EQ(0, guest_create(&self->g, 0));
	self->fast = guest_is_fast(&self->g);
	g_begin(&p, &self->g, OUTS);
	g_movi(&p, G0, 0);
	loop = g_here(&p);
	g_addi(&p, G0, 1);
	g_out(&p, 0x10, G0, 1);
	g_jmp(&p, loop);
	g_end(&p);

	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
}

FIXTURE_TEARDOWN(stress)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

struct racer {
	struct guest *g;
	struct guest_vcpu *v;
	pthread_barrier_t *start;
	pthread_t thread;
	unsigned int cmd;
	int err;
};

static void *race_once(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(r->start);
	r->err = good_call(r->g, r->v, r->cmd);
	return NULL;
}

/* All threads make the same call at once. Returns how many succeeded. */
static int race(FIXTURE_DATA(stress) *self, unsigned int cmd, int *errors)
{
	struct racer racers[NR_THREADS];
	pthread_barrier_t start;
	int won = 0;

	pthread_barrier_init(&start, NULL, NR_THREADS);
	for (int i = 0; i < NR_THREADS; i++) {
		racers[i] = (struct racer){
			.g = &self->g, .v = &self->v, .start = &start, .cmd = cmd,
		};
		if (pthread_create(&racers[i].thread, NULL, race_once, &racers[i]))
			return -1;
	}
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		won += !racers[i].err;
		errors[i] = racers[i].err;
	}
	pthread_barrier_destroy(&start);
	return won;
}

/* One wins; the others find the vCPU where it put it, and make it Invalid. */
TEST_F(stress, one_winner)
{
	static const unsigned int cmds[] = { AXVCPU_SETUP, AXVCPU_BIND, AXVCPU_UNBIND };
	int rounds = self->fast ? 100 : 6, errors[NR_THREADS];
	unsigned long long began = now_ns();

	for (int i = 0; i < rounds && time_for_another(i, 5, began); i++) {
		for (int j = 0; j < ARRAY_SIZE(cmds); j++) {
			vcpu_destroy(&self->v);
			ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
			if (j > 0) {
				ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
			}
			if (j > 1) {
				ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
			}
			EXPECT_EQ(1, race(self, cmds[j], errors));
			for (int k = 0; k < NR_THREADS; k++) {
				EXPECT_TRUE(!errors[k] || errors[k] == -EBADFD)
					TH_LOG("%d", errors[k]);
			}
			EXPECT_EQ(AXVCPU_STATE_INVALID, get_state(self->v.fd));
		}
	}
}

/* RUNs queue up: each of them is a whole one. */
TEST_F(stress, runs_take_turns)
{
	int rounds = self->fast ? 200 : 8, errors[NR_THREADS];
	unsigned long long began = now_ns();

	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	for (int i = 1; i <= rounds && time_for_another(i, 10, began); i++) {
		ASSERT_EQ(NR_THREADS, race(self, AXVCPU_RUN, errors));
		ASSERT_EQ(NR_THREADS * i, *greg(&self->v, G0));
	}
}

static atomic_bool stop;

static void *close_soon(void *arg)
{
	int fd = *(int *)arg;

	for (volatile int i = rand() % 2000; i > 0; i--)
		;
	close(fd);
	return NULL;
}

/* close() while another thread is inside a call on the same descriptor. */
TEST_F(stress, close_during_calls)
{
	static const unsigned int cmds[] = {
		AXVCPU_SETUP, AXVCPU_BIND, AXVCPU_GET_STATE, AXVCPU_GET_REGS, AXVCPU_RUN,
		AXVCPU_GET_HISTORY, AXVCPU_INJECT, AXVCPU_KICK,
	};
	int rounds = self->fast ? 800 : 30;
	unsigned long long began = now_ns();
	pthread_t closer;

	for (int i = 0; i < rounds && time_for_another(i, 16, began); i++) {
		vcpu_destroy(&self->v);
		ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
		if (i & 1) {
			ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
		}
		if (i & 2 && i & 1) {
			ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
		}
		ASSERT_EQ(0, pthread_create(&closer, NULL, close_soon, &self->v.fd));
		for (int j = 0; j < ARRAY_SIZE(cmds); j++) {
			unsigned int cmd = cmds[(i + j) % ARRAY_SIZE(cmds)];

			if (good_call(&self->g, &self->v, cmd) == -EBADF)
				break;
		}
		pthread_join(closer, NULL);
		self->v.fd = -1;
	}
}

struct worker {
	struct guest *g;
	struct guest_vcpu *v;
	pthread_t thread;
	unsigned int seed;
	long calls;
	long good;
	int err;
	const char *what;
};

/* What a call may return when others are at work on the same vCPU. */
static bool is_explained(const struct model_ioctl *ioctl, int err)
{
	if (!err)
		return true;
	if (err == -EBADFD)
		return ioctl->op || ioctl->bad;
	if (err == -EBUSY)
		return ioctl->busy || ioctl->cmd == AXVCPU_INJECT;
	if (err == -EINTR)
		return ioctl->lock == MODEL_LOCK_WAIT || ioctl->cmd == AXVCPU_RUN;
	if (err == -EEXIST)
		return ioctl->op == AXVCPU_OP_SETUP || ioctl->op == AXVCPU_OP_SET_ENTRY ||
		       ioctl->op == AXVCPU_OP_SET_EPT_ROOT;
	if (err == -ENOENT)
		return ioctl->cmd == AXVCPU_WITHDRAW || ioctl->cmd == AXVCPU_RESTORE_STATE;
	return err == -EOPNOTSUPP &&
	       (ioctl->cmd == AXVCPU_GET_CALL_LOG || ioctl->cmd == AXVCPU_SET_DEBUG);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop && !w->err) {
		const struct model_ioctl *ioctl = &model_ioctls[rand_r(&w->seed) % model_nr_ioctls];
		int state, err;

		/* It goes round the rules that are looked at here. */
		if (ioctl->cmd == AXVCPU_SET_STATE)
			continue;
		/* Invalid is where all roads lead to. */
		if (rand_r(&w->seed) % 2 && get_state(w->v->fd) == AXVCPU_STATE_INVALID)
			ioctl = model_find(AXVCPU_RESET);
		err = good_call(w->g, w->v, ioctl->cmd);
		w->calls++;
		w->good += !err;
		state = get_state(w->v->fd);
		if (!is_explained(ioctl, err) || state < AXVCPU_STATE_INVALID ||
		    state > AXVCPU_STATE_BLOCKED) {
			w->what = ioctl->name;
			w->err = err ? err : -EPROTO;
		}
	}
	return NULL;
}

/* Each transition starts where the one before it ended, and is in the table. */
static void check_history(struct __test_metadata *_metadata, int fd)
{
	struct axvcpu_history_entry h[AXVCPU_HISTORY_LEN];
	struct axvcpu_history args = { .entries = (uintptr_t)h, .count = AXVCPU_HISTORY_LEN };

	ASSERT_EQ(0, XIOCTL(fd, AXVCPU_GET_HISTORY, &args));
	for (unsigned int i = 0; i < args.count; i++) {
		const struct axvcpu_history_entry *e = &h[i], *prev = i ? &h[i - 1] : NULL;
		bool legal = e->error ? e->to == AXVCPU_STATE_INVALID :
				model_is_transition(e->op, e->from, e->to);

		EXPECT_TRUE(legal) TH_LOG("op %u from %s to %s, error %d", e->op,
					  model_states[e->from], model_states[e->to], e->error);
		if (!prev)
			continue;
		EXPECT_LT(prev->seq, e->seq);
		/* The first of two that alternate may have come last; of entry 1, it is gone. */
		if (i > 1 && h[i - 2].seq + 1 == prev->seq && h[i - 2].repeat > prev->repeat)
			prev = &h[i - 2];
		else if (i == 1 && prev->seq + 1 != e->seq)
			continue;
		EXPECT_EQ(prev->to, e->from) TH_LOG("entry %u: %s after %s", i,
						    model_states[e->from], model_states[prev->to]);
	}
}

static void *look(void *arg)
{
	struct worker *w = arg;
	struct axvcpu_state_info info;
	uint64_t seq = 0;

	while (!stop && !w->err) {
		w->err = XIOCTL(w->v->fd, AXVCPU_GET_STATE, &info);
		w->calls++;
		/* State and failure are of one moment. */
		if (info.failure.seq < seq || (info.failure.seq && info.failure.error >= 0) ||
		    info.state > AXVCPU_STATE_BLOCKED)
			w->err = -EPROTO;
		seq = info.failure.seq;
	}
	return NULL;
}

static bool all_have_called(struct worker *workers)
{
	for (int i = 0; i <= NR_THREADS; i++) {
		if (*(volatile long *)&workers[i].calls <= 10 && !workers[i].err)
			return false;
	}
	return true;
}

static void everybody(struct __test_metadata *_metadata, FIXTURE_DATA(stress) *self,
		      unsigned long long ns)
{
	unsigned int seed = now_ns();
	struct worker workers[NR_THREADS + 1];
	unsigned long long end = now_ns() + ns;

	TH_LOG("seed %u", seed);
	for (int i = 0; i <= NR_THREADS; i++) {
		workers[i] = (struct worker){ .g = &self->g, .v = &self->v, .seed = seed + i };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, i < NR_THREADS ? work : look,
					    &workers[i]));
	}
	while (now_ns() < end || !all_have_called(workers)) {
		sleep_ns(10000000);
		/* One of them may be in a guest without end. */
		kick_vcpu(self->v.fd);
		check_history(_metadata, self->v.fd);
	}
	stop = true;
	for (int i = 0; i <= NR_THREADS; i++) {
		/* The last calls may be RUN, and RESET, which forgets a kick. */
		while (pthread_tryjoin_np(workers[i].thread, NULL)) {
			self->v.run->immediate_exit = 1;
			kick_vcpu(self->v.fd);
			sleep_ns(1000000);
		}
		EXPECT_EQ(0, workers[i].err) TH_LOG("%s after %ld calls", workers[i].what,
						    workers[i].calls);
		EXPECT_LT(10, workers[i].calls);
	}
	check_history(_metadata, self->v.fd);
	self->v.run->immediate_exit = 0;
	stop = false;
}

TEST_F(stress, everybody_with_exits)
{
	everybody(_metadata, self, self->fast ? 5000000000ULL : 500000000ULL);
}

TEST_F(stress, everybody_without_exits)
{
	struct guest_prog p;

	/* The program that good_call() starts. */
	g_begin(&p, &self->g, OUTS);
	g_loop_forever(&p);
	g_end(&p);
	everybody(_metadata, self, self->fast ? 5000000000ULL : 500000000ULL);
}

/* Counters never go back, whenever they are looked at. */
static void *look_at_counters(void *arg)
{
	struct axvcpu_vcpu_info info = { 0 };
	struct axvcpu_stats stats, last = { 0 };
	struct worker *w = arg;

	while (!stop && !w->err) {
		w->err = XIOCTL(w->v->fd, AXVCPU_GET_STATS, &stats) ?:
			 XIOCTL(w->v->fd, AXVCPU_GET_VCPU_INFO, &info);
		if (stats.runs < last.runs || stats.entries < last.entries ||
		    stats.exits[AXVCPU_EXIT_IO_WRITE] < last.exits[AXVCPU_EXIT_IO_WRITE] ||
		    stats.kernel_exits < last.kernel_exits || (int64_t)stats.guest_ns < 0)
			w->err = -EPROTO;
		last = stats;
		w->calls++;
	}
	return NULL;
}

/* RUN counts and moves while others look. */
TEST_F(stress, looked_at_while_it_runs)
{
	struct worker workers[2];
	unsigned long long end;
	int runs = 0;

	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	for (int i = 0; i < 2; i++) {
		workers[i] = (struct worker){ .v = &self->v };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, look_at_counters,
					    &workers[i]));
	}
	end = now_ns() + (self->fast ? 3000000000ULL : 300000000ULL);
	while (now_ns() < end || !*(volatile long *)&workers[0].calls ||
	       !*(volatile long *)&workers[1].calls) {
		ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
		runs++;
	}
	stop = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].err) TH_LOG("after %ld calls", workers[i].calls);
	}
	stop = false;
	EXPECT_LT(0, runs);
}

static void *map_and_unmap(void *arg)
{
	long page = sysconf(_SC_PAGESIZE);
	struct worker *w = arg;

	while (!stop && !w->err) {
		uint64_t gpa = GUEST_HOLE + rand_r(&w->seed) % 8 * page;
		int err = rand_r(&w->seed) % 2 ?
			map_memory(w->g->aspace, gpa, page, w->g->mem, AXVCPU_MAP_ALL) :
			unmap_memory(w->g->aspace, gpa, page);

		w->calls++;
		if (err && err != -EEXIST && err != -ENOENT)
			w->err = err;
	}
	return NULL;
}

/* The address space changes under a guest that runs through it. */
TEST_F(stress, map_under_guests)
{
	unsigned long long end;
	struct worker workers[3];
	struct guest_prog p;
	int loop, exits = 0, faults = 0;

	g_begin(&p, &self->g, OUTS);
	loop = g_here(&p);
	for (int i = 0; i < 8; i++) {
		g_movi(&p, G0, GUEST_HOLE + i * 4096 + 0x800);
		g_store(&p, G0, G0, 8);
	}
	g_out(&p, 0x10, G0, 1);
	g_jmp(&p, loop);
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, g_end(&p)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	for (int i = 0; i < 3; i++) {
		workers[i] = (struct worker){ .g = &self->g, .seed = i };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, map_and_unmap, &workers[i]));
	}
	end = now_ns() + (self->fast ? 5000000000ULL : 500000000ULL);
	while (now_ns() < end) {
		ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
		if (self->v.run->exit_reason == AXVCPU_EXIT_NESTED_PAGE_FAULT) {
			faults++;
			EXPECT_EQ(GUEST_HOLE, self->v.run->fault.gpa & ~0x7fffULL);
			/* Past it, or the guest waits for chance. */
			map_memory(self->g.aspace, self->v.run->fault.gpa & ~0xfffULL, 4096,
				   self->g.mem, AXVCPU_MAP_ALL);
		} else {
			ASSERT_EQ(AXVCPU_EXIT_IO_WRITE, self->v.run->exit_reason);
			exits++;
		}
	}
	stop = true;
	for (int i = 0; i < 3; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].err);
	}
	EXPECT_LT(0, faults + exits);
	TH_LOG("%d faults, %d exits", faults, exits);
}

TEST_HARNESS_MAIN
