// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting RUN to return, and a halted guest to go on: kicks, signals,
 * immediate_exit, events; none may be lost, whenever it comes.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define IRQ_PORT	0x20
#define NR_QUEUED	30	/* signals */

FIXTURE(kick) {
	struct guest g;
	struct guest_vcpu v;
};

FIXTURE_SETUP(kick)
{
	struct guest_prog p;
	int loop, handler;

	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	/* This one takes interrupts, each of which makes an exit. */
	g_begin(&p, &self->g, HALT);
	handler = g_label(&p);
	g_irq_handler(&p, handler);
	g_sti(&p);
	loop = g_here(&p);
	g_halt(&p);
	g_jmp(&p, loop);
	g_place(&p, handler);
	g_addi(&p, G1, 1);
	g_out(&p, IRQ_PORT, G1, 1);
	g_iret(&p);
	g_end(&p);

	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
}

FIXTURE_TEARDOWN(kick)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static int start(FIXTURE_DATA(kick) *self, uint64_t entry)
{
	int err = vcpu_setup(&self->g, &self->v, entry);

	return err ? err : bind_vcpu(self->v.fd, -1);
}

static atomic_int handled;

static void count_signal(int sig)
{
	handled++;
}

static void catch_signal(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = count_signal, .sa_flags = flags };

	handled = 0;
	sigaction(sig, &sa, NULL);
}

TEST_F(kick, immediate_exit)
{
	ASSERT_EQ(0, start(self, LOOP));
	self->v.run->immediate_exit = 1;
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, i % 2 ? AXVCPU_RUN_WAIT : 0));
		EXPECT_EQ(AXVCPU_EXIT_NOTHING, self->v.run->exit_reason);
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	}
	/* It is the VMM's; the kernel does not clear it. */
	EXPECT_EQ(1, self->v.run->immediate_exit);
}

/* A kick before RUN is for this RUN, and for this one only. */
TEST_F(kick, before_run)
{
	ASSERT_EQ(0, start(self, OUTS));
	for (int i = 0; i < 100; i++) {
		for (int j = 0; j <= i % 3; j++) {
			ASSERT_EQ(0, kick_vcpu(self->v.fd));
		}
		ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	}
}

TEST_F(kick, in_states_without_run)
{
	EXPECT_EQ(0, kick_vcpu(self->v.fd));
	ASSERT_EQ(0, start(self, OUTS));
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(0, kick_vcpu(self->v.fd));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	/* RESET forgets it. */
	ASSERT_EQ(0, start(self, OUTS));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(-EBADFD, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(0, kick_vcpu(self->v.fd));
}

static void check_running(struct __test_metadata *_metadata, FIXTURE_DATA(kick) *self,
			  int rounds, int (*stop)(struct vcpu_thread *t))
{
	unsigned long long began = now_ns();
	struct vcpu_thread t;

	for (int i = 0; i < rounds && time_for_another(i, 20, began); i++) {
		ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
		if (i % 2) {
			ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
		}
		if (i % 4 == 3)
			sleep_ns(1000000);
		ASSERT_EQ(-EINTR, stop(&t)) TH_LOG("round %d", i);
		ASSERT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
		EXPECT_EQ(AXVCPU_EXIT_NOTHING, self->v.run->exit_reason);
	}
}

TEST_F(kick, running)
{
	ASSERT_EQ(0, start(self, LOOP));
	check_running(_metadata, self, guest_is_fast(&self->g) ? 400 : 40, thread_stop);
}

static int stop_by_signal(struct vcpu_thread *t)
{
	while (!t->done) {
		pthread_kill(t->thread, SIGUSR1);
		sleep_ns(200000);
	}
	return thread_join(t);
}

TEST_F(kick, running_by_signal)
{
	catch_signal(SIGUSR1, SA_RESTART);	/* RUN is not restarted */
	ASSERT_EQ(0, start(self, LOOP));
	check_running(_metadata, self, guest_is_fast(&self->g) ? 400 : 40, stop_by_signal);
}

/* The statistics tell it while the guest runs, not only when it has exited. */
TEST_F(kick, time_in_the_guest)
{
	unsigned long long began = now_ns();
	struct axvcpu_stats before, after;
	struct vcpu_thread t;

	ASSERT_EQ(0, start(self, LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	ASSERT_EQ(0, get_stats(self->v.fd, &before));
	do {
		sleep_ns(10000000);
		ASSERT_EQ(0, get_stats(self->v.fd, &after));
	} while (after.guest_ns <= before.guest_ns && now_ns() - began < PATIENCE_NS);
	EXPECT_LT(before.guest_ns, after.guest_ns);
	EXPECT_GT(2 * (now_ns() - began), after.guest_ns);
	ASSERT_EQ(-EINTR, thread_stop(&t));
	ASSERT_EQ(0, get_stats(self->v.fd, &after));
	EXPECT_LT(before.guest_ns, after.guest_ns);
	EXPECT_GT(2 * (now_ns() - began), after.guest_ns);
}

/* The memory shows that the guest really went on in between. */
TEST_F(kick, progress)
{
	volatile uint64_t *counter = (uint64_t *)(self->g.mem + GUEST_DATA);
	int rounds = guest_is_fast(&self->g) ? 100 : 20;
	struct vcpu_thread t;
	uint64_t before;

	ASSERT_EQ(0, start(self, COUNT));
	for (int i = 0; i < rounds; i++) {
		before = *counter;
		ASSERT_EQ(0, thread_start(&t, &self->v, 0));
		while (*counter < before + 10)
			sched_yield();
		ASSERT_EQ(-EINTR, thread_stop(&t));
		before = *counter;
		sleep_ns(100000);
		EXPECT_EQ(before, *counter);
	}
}

/* In one thread: the timer's signal is the only way out. */
TEST_F(kick, timer_signal)
{
	struct itimerval it = { .it_value.tv_usec = 5000, .it_interval.tv_usec = 5000 };
	int rounds = guest_is_fast(&self->g) ? 200 : 20;
	unsigned long long then, longest = 0;	/* ns, until a timer of 5 ms ends RUN */

	catch_signal(SIGALRM, 0);
	ASSERT_EQ(0, start(self, LOOP));
	setitimer(ITIMER_REAL, &it, NULL);
	for (int i = 0; i < rounds; i++) {
		then = now_ns();
		ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
		if (now_ns() - then > longest)
			longest = now_ns() - then;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	EXPECT_LE(rounds, handled + 1);
	TH_LOG("the longest took %llu us", longest / 1000);
}

/* CPU time spent in the guest is the thread's. */
TEST_F(kick, cpu_time_signal)
{
	struct itimerval it = { .it_value.tv_usec = 50000 };

	catch_signal(SIGPROF, 0);
	ASSERT_EQ(0, start(self, LOOP));
	setitimer(ITIMER_PROF, &it, NULL);
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(1, atomic_load(&handled));
}

static int child_loop(FIXTURE_DATA(kick) *self)
{
	struct guest_vcpu v;
	struct guest g;

	if (guest_create(&g, 0))
		return 1;
	memcpy(g.mem + OUTS, self->g.mem + OUTS, 4 * GUEST_PROG_SIZE);
	if (vcpu_start(&g, &v, 0, LOOP))
		return 2;
	while (run_vcpu(v.fd, 0) == -EINTR)
		;
	return 3;
}

/* Ctrl-C, and whatever else ends a process, ends one whose guest does not. */
TEST_F(kick, deadly_signals)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGKILL, SIGSEGV };
	int status;

	for (int i = 0; i < ARRAY_SIZE(signals); i++) {
		pid_t pid = fork();

		if (!pid) {
			signal(signals[i], SIG_DFL);
			_exit(child_loop(self));
		}
		sleep_ns(100000000);
		ASSERT_EQ(0, kill(pid, signals[i]));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signals[i])
			TH_LOG("signal %d: status %x", signals[i], status);
	}
}

/* Stopped and continued, as a shell does. */
TEST_F(kick, stop_and_continue)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(child_loop(self));
	sleep_ns(100000000);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status)) TH_LOG("status %x", status);
		ASSERT_EQ(0, kill(pid, SIGCONT));
		sleep_ns(10000000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* An ignored signal is none. */
TEST_F(kick, ignored_signal)
{
	struct vcpu_thread t;

	signal(SIGUSR1, SIG_IGN);
	ASSERT_EQ(0, start(self, LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	for (int i = 0; i < 20; i++) {
		pthread_kill(t.thread, SIGUSR1);
		sleep_ns(1000000);
	}
	EXPECT_FALSE(t.done);
	EXPECT_EQ(-EINTR, thread_stop(&t));
}

struct queue {
	pthread_t to;
	int fd;
};

static void *queue_signals(void *arg)
{
	struct queue *q = arg;

	for (int i = 0; i < NR_QUEUED; i++) {
		pthread_sigqueue(q->to, SIGRTMIN + 1, (union sigval){ .sival_int = i });
		if (i % 3 == 2)
			sleep_ns(1000000);
	}
	/* The last ones may have come just before RUN. */
	kick_vcpu(q->fd);
	return NULL;
}

static atomic_int out_of_order;

static void check_order(int sig, siginfo_t *info, void *context)
{
	out_of_order += info->si_value.sival_int != handled++;
}

/* F01: those that queue come each, in order, and none of them restarts RUN. */
TEST_F(kick, realtime_signals)
{
	struct sigaction sa = { .sa_sigaction = check_order, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct queue q = { .to = pthread_self(), .fd = self->v.fd };
	pthread_t thread;

	sigaction(SIGRTMIN + 1, &sa, NULL);
	handled = 0;
	out_of_order = 0;
	ASSERT_EQ(0, start(self, LOOP));
	ASSERT_EQ(0, pthread_create(&thread, NULL, queue_signals, &q));
	while (handled < NR_QUEUED) {
		ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(NR_QUEUED, atomic_load(&handled));
	EXPECT_EQ(0, atomic_load(&out_of_order));
}

/* A wait that is cut short goes on: the guest is still halted. */
TEST_F(kick, blocked)
{
	struct vcpu_thread t;

	ASSERT_EQ(0, start(self, HALT));
	*greg(&self->v, G1) = 0;
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
		ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
		ASSERT_EQ(-EINTR, thread_stop(&t));
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	}
	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	EXPECT_EQ(-EINTR, stop_by_signal(&t));
	EXPECT_EQ(0, *greg(&self->v, G1));

	/* An event ends it at once. */
	ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x30));
	EXPECT_EQ(0, thread_join(&t));
	EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, self->v.run->exit_reason);
	EXPECT_EQ(1, *greg(&self->v, G1));
}

/* After a cut wait, RUN without WAIT says what the guest is doing. */
TEST_F(kick, blocked_then_not_waiting)
{
	struct vcpu_thread t;

	ASSERT_EQ(0, start(self, HALT));
	ASSERT_EQ(0, thread_start(&t, &self->v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
}

/* The event is there before the halt. */
TEST_F(kick, event_before_halt)
{
	ASSERT_EQ(0, start(self, HALT));
	*greg(&self->v, G1) = 0;
	for (int i = 1; i < 50; i++) {
		ASSERT_EQ(0, inject_irq(self->v.fd, 0x30));
		ASSERT_EQ(0, run_vcpu(self->v.fd, AXVCPU_RUN_WAIT));
		ASSERT_EQ(AXVCPU_EXIT_IO_WRITE, self->v.run->exit_reason);
		ASSERT_EQ(i, *greg(&self->v, G1));
	}
}

/**
 * struct rounds - one thread acts, the other one sees it happen
 * @fd: vCPU
 * @act: what is done in each round
 * @least: rounds to do at least
 * @most: and at most; between the two, for five seconds
 * @done: rounds that the other thread has seen
 * @total: rounds that have been acted
 * @err: of @act, or -ETIME: a round was never seen
 * @stop: the other thread has given up
 */
struct rounds {
	int fd;
	int (*act)(int fd);
	int least;
	int most;
	atomic_int done;
	int total;
	int err;
	atomic_bool stop;
};

static void wait_for_round(struct rounds *r, int i)
{
	unsigned long long end = now_ns() + PATIENCE_NS;

	while (r->done < i && !r->stop) {
		if (now_ns() > end) {
			r->err = -ETIME;
			return;
		}
		sched_yield();
	}
}

/* A last kick ends it. */
static void *act(void *arg)
{
	unsigned long long end = now_ns() + 5000000000ULL;
	struct rounds *r = arg;
	unsigned int x = 1;

	for (int i = 1; i <= r->most && !r->err && !r->stop; i++) {
		if (i > r->least && now_ns() > end)
			break;
		x = x * 1103515245 + 12345;
		for (volatile int j = x >> 16 & 1023; j > 0; j--)
			;
		r->err = r->act(r->fd);
		r->total = i;
		if (!r->err)
			wait_for_round(r, i);
	}
	r->stop = true;
	kick_vcpu(r->fd);
	return NULL;
}

static void rounds_init(FIXTURE_DATA(kick) *self, struct rounds *r, int (*fn)(int fd))
{
	bool fast = guest_is_fast(&self->g);

	memset(r, 0, sizeof(*r));
	r->fd = self->v.fd;
	r->act = fn;
	r->least = fast ? 1000 : 200;
	r->most = fast ? 50000 : 500;
}

static int inject_30(int fd)
{
	return inject_irq(fd, 0x30);
}

/* Injecting against halting: a lost wake-up would hang this. */
TEST_F(kick, wake_ups_are_not_lost)
{
	struct axvcpu_stats stats;
	struct rounds r;
	pthread_t thread;
	int err;

	rounds_init(self, &r, inject_30);
	ASSERT_EQ(0, start(self, HALT));
	*greg(&self->v, G1) = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, act, &r));
	for (;;) {
		err = run_vcpu(self->v.fd, AXVCPU_RUN_WAIT);
		if (err || self->v.run->exit_reason != AXVCPU_EXIT_IO_WRITE)
			break;
		r.done++;
	}
	EXPECT_EQ(-EINTR, err);
	EXPECT_TRUE(atomic_load(&r.stop));
	r.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(r.total, atomic_load(&r.done));
	EXPECT_EQ(r.total, *greg(&self->v, G1));
	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_EQ(r.total, stats.injections);
	TH_LOG("%d rounds", r.total);
}

/* Each kick is one EINTR, wherever RUN is when it comes. */
static void check_kicks(struct __test_metadata *_metadata, FIXTURE_DATA(kick) *self,
			uint64_t entry)
{
	struct rounds r;
	pthread_t thread;
	int err = 0;

	rounds_init(self, &r, kick_vcpu);
	ASSERT_EQ(0, start(self, entry));
	ASSERT_EQ(0, pthread_create(&thread, NULL, act, &r));
	while (!r.stop || !err) {
		err = run_vcpu(self->v.fd, AXVCPU_RUN_WAIT);
		if (err && err != -EINTR)
			break;
		r.done += err == -EINTR;
	}
	EXPECT_EQ(-EINTR, err);
	r.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.err);
	EXPECT_LE(r.total, atomic_load(&r.done));
	EXPECT_GE(r.total + 1, atomic_load(&r.done));
	TH_LOG("%d rounds", r.total);
}

TEST_F(kick, none_is_lost_while_running)
{
	check_kicks(_metadata, self, LOOP);
}

TEST_F(kick, none_is_lost_between_exits)
{
	check_kicks(_metadata, self, OUTS);
}

TEST_F(kick, none_is_lost_while_blocked)
{
	check_kicks(_metadata, self, HALT);
}

TEST_HARNESS_MAIN
