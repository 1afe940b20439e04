// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs on one address space, threads that wander between CPUs, and
 * what belongs to one vCPU staying with it.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define CGROUP		"/tmp/cgroup"
#define NR_VCPUS	4
#define SLOT(i)		(GUEST_DATA + 0x1000 + (i) * 0x100)
#define PATTERN(i)	(0x1111111111111111ULL * ((i) + 1))

FIXTURE(smp) {
	struct guest g;
	struct guest_vcpu v[NR_VCPUS];
	int cpus;
};

/*
 * Each vCPU has a program, and a stack, of its own: it adds its number to its
 * slot in memory, adds 1 to G0, and exits with G1, its pattern, in place.
 */
FIXTURE_SETUP(smp)
{
	struct guest_prog p;
	int loop;

	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ASSERT_EQ(0, guest_create(&self->g, 0));
	for (int i = 0; i < NR_VCPUS; i++) {
		g_begin(&p, &self->g, GUEST_PROG(i));
		g_movi(&p, G0, 0);
		g_movi(&p, G1, PATTERN(i));
		g_movi(&p, G2, SLOT(i));
		loop = g_here(&p);
		g_load(&p, G3, G2, 8);
		g_addi(&p, G3, i + 1);
		g_store(&p, G3, G2, 8);
		g_addi(&p, G0, 1);
		g_out(&p, 0x10 + i, G0, 4);
		g_jmp(&p, loop);
		ASSERT_EQ(0, vcpu_start(&self->g, &self->v[i], i, g_end(&p)));
	}
}

FIXTURE_TEARDOWN(smp)
{
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_destroy(&self->v[i]);
	guest_destroy(&self->g);
}

/* One exit of a vCPU, all of whose registers must be its own. Returns a line. */
static int step(struct guest *g, struct guest_vcpu *v, int i, uint64_t n)
{
	int err = run_vcpu(v->fd, 0);

	if (err)
		return err;
	if (v->run->exit_reason != AXVCPU_EXIT_IO_WRITE || v->run->io.port != 0x10 + i)
		return __LINE__;
	if (*greg(v, G0) != n || v->run->io.data != (uint32_t)n)
		return __LINE__;
	if (*greg(v, G1) != PATTERN(i) || *greg(v, G2) != SLOT(i))
		return __LINE__;
	if (*(volatile uint64_t *)(g->mem + SLOT(i)) != n * (i + 1))
		return __LINE__;
	return 0;
}

/* In turns on one CPU: neither registers nor hardware state are mixed up. */
TEST_F(smp, interleaved)
{
	int rounds = guest_is_fast(&self->g) ? 500 : 200;

	ASSERT_EQ(0, pin_to_cpu(0));
	for (int n = 1; n <= rounds; n++) {
		for (int i = 0; i < NR_VCPUS; i++) {
			ASSERT_EQ(0, step(&self->g, &self->v[i], i, n)) TH_LOG("vCPU %d", i);
		}
	}
}

struct runner {
	struct guest *g;
	struct guest_vcpu *v;
	pthread_t thread;
	int i;
	int first;	/* rounds done before */
	int rounds;
	bool wander;
	int err;
	int migrations;
};

static void *run_many(void *arg)
{
	struct runner *r = arg;
	unsigned int seed = r->i;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu = -1, next;

	for (int n = r->first + 1; n <= r->first + r->rounds && !r->err; n++) {
		if (r->wander) {
			next = rand_r(&seed) % cpus;
			r->err = pin_to_cpu(next);
			r->migrations += cpu >= 0 && next != cpu;
			cpu = next;
		}
		if (!r->err)
			r->err = step(r->g, r->v, r->i, n);
	}
	return NULL;
}

static void run_threads(struct __test_metadata *_metadata, FIXTURE_DATA(smp) *self, int rounds,
			bool wander)
{
	struct runner runners[NR_VCPUS];
	struct axvcpu_stats stats;

	for (int i = 0; i < NR_VCPUS; i++) {
		runners[i] = (struct runner){
			.g = &self->g, .v = &self->v[i], .i = i, .rounds = rounds, .wander = wander,
		};
		ASSERT_EQ(0, pthread_create(&runners[i].thread, NULL, run_many, &runners[i]));
	}
	for (int i = 0; i < NR_VCPUS; i++) {
		pthread_join(runners[i].thread, NULL);
		EXPECT_EQ(0, runners[i].err) TH_LOG("vCPU %d", i);
		ASSERT_EQ(0, get_stats(self->v[i].fd, &stats));
		EXPECT_EQ(rounds, stats.runs);
		/* A thread that was pinned elsewhere took the vCPU along. */
		EXPECT_LE(runners[i].migrations, stats.migrations);
	}
}

TEST_F(smp, in_threads)
{
	run_threads(_metadata, self, guest_is_fast(&self->g) ? 3000 : 300, false);
}

TEST_F(smp, migration)
{
	run_threads(_metadata, self, guest_is_fast(&self->g) ? 1000 : 150, true);
}

static atomic_bool stop_churning;

static void *churn(void *arg)
{
	struct runner *r = arg;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (int i = 0; !stop_churning; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % cpus, &set);
		pthread_setaffinity_np(r->thread, sizeof(set), &set);
		sleep_ns(300000);
	}
	return NULL;
}

/* The thread is moved at any moment, also out of the guest. */
TEST_F(smp, moved_while_running)
{
	int rounds = guest_is_fast(&self->g) ? 5000 : 500;
	struct runner r = { .g = &self->g, .v = &self->v[1], .i = 1, .rounds = rounds };
	pthread_t churner;

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, run_many, &r));
	ASSERT_EQ(0, pthread_create(&churner, NULL, churn, &r));
	pthread_join(r.thread, NULL);
	stop_churning = true;
	pthread_join(churner, NULL);
	EXPECT_EQ(0, r.err);
}

/* A counting guest without exits, whose thread is moved under it. */
TEST_F(smp, moved_in_the_guest)
{
	volatile uint64_t *counter = (uint64_t *)(self->g.mem + GUEST_DATA);
	struct vcpu_thread t;
	struct axvcpu_stats stats;
	struct guest_prog p;
	uint64_t last = 0;
	int loop;

	if (self->cpus < 2)
		SKIP(return, "one CPU");
	g_begin(&p, &self->g, GUEST_PROG(5));
	g_movi(&p, G0, GUEST_DATA);
	g_movi(&p, G1, 0);
	loop = g_here(&p);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_spin(&p);
	g_jmp(&p, loop);
	vcpu_destroy(&self->v[0]);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v[0], 0, g_end(&p)));
	ASSERT_EQ(0, thread_start(&t, &self->v[0], 0));
	for (int i = 0; i < 40; i++) {
		unsigned long long end = now_ns() + PATIENCE_NS;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i % 2, &set);
		ASSERT_EQ(0, pthread_setaffinity_np(t.thread, sizeof(set), &set));
		/* From here on it counts on that CPU. */
		last = *counter;
		while (*counter < last + 5 && now_ns() < end)
			sched_yield();
		ASSERT_LT(last, *counter);
	}
	ASSERT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(*counter, *greg(&self->v[0], G1) - (*greg(&self->v[0], G1) != *counter));
	ASSERT_EQ(0, get_stats(self->v[0].fd, &stats));
	EXPECT_LE(10, stats.migrations);
}

static void *disturb(void *arg)
{
	struct sched_param param = { .sched_priority = 50 };
	atomic_bool *stop = arg;

	if (pthread_setschedparam(pthread_self(), SCHED_RR, &param))
		return "no SCHED_RR";
	while (!*stop) {
		unsigned long long end = now_ns() + 500000;

		while (now_ns() < end)
			;
		sleep_ns(500000);
	}
	return NULL;
}

/* D12: whatever a vCPU is at, somebody more important wants its CPU. */
TEST_F(smp, preempted_all_the_time)
{
	int rounds = guest_is_fast(&self->g) ? 5000 : 500, first = 0;
	unsigned long long began = now_ns();
	struct runner r[2];
	atomic_bool stop = false;
	struct rusage before, after;
	void *problem = NULL;
	pthread_t rival;

	ASSERT_EQ(0, pin_to_cpu(0));	/* and with it what it starts */
	ASSERT_EQ(0, getrusage(RUSAGE_SELF, &before));
	ASSERT_EQ(0, pthread_create(&rival, NULL, disturb, &stop));
	do {
		for (int i = 0; i < 2; i++) {
			r[i] = (struct runner){
				.g = &self->g, .v = &self->v[i], .i = i, .first = first,
				.rounds = rounds,
			};
			ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, run_many, &r[i]));
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(r[i].thread, NULL);
			ASSERT_EQ(0, r[i].err);
		}
		first += rounds;
		ASSERT_EQ(0, getrusage(RUSAGE_SELF, &after));
	} while (after.ru_nivcsw - before.ru_nivcsw <= 10 && now_ns() - began < PATIENCE_NS);
	stop = true;
	pthread_join(rival, &problem);
	EXPECT_EQ(NULL, problem) TH_LOG("%s", (char *)problem);
	EXPECT_LT(before.ru_nivcsw + 10, after.ru_nivcsw);
	TH_LOG("preempted %ld times", after.ru_nivcsw - before.ru_nivcsw);
}

/* One vCPU in the hands of several threads: one at a time. */
TEST_F(smp, shared_by_threads)
{
	int rounds = guest_is_fast(&self->g) ? 1000 : 100;
	struct vcpu_thread t[4];
	uint64_t done = 0;

	for (int n = 0; n < rounds / 4; n++) {
		for (int i = 0; i < 4; i++) {
			ASSERT_EQ(0, thread_start(&t[i], &self->v[2], i == 3 ?
						  AXVCPU_RUN_NOWAIT : 0));
		}
		for (int i = 0; i < 4; i++) {
			int err = thread_join(&t[i]);

			ASSERT_TRUE(!err || (i == 3 && err == -EBUSY)) TH_LOG("%d", err);
			done += !err;
		}
		ASSERT_EQ(done, *greg(&self->v[2], G0));
	}
	EXPECT_EQ(done * 3, *(uint64_t *)(self->g.mem + SLOT(2)));
}

/* The vCPU's set: elsewhere RUN is EXDEV, and nothing has happened. */
TEST_F(smp, phys_cpu_set)
{
	struct axvcpu_vcpu_info info = { 0 };
	struct guest_vcpu v;

	if (self->cpus < 2)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, vcpu_create_on(&self->g, &v, 7, 1 << 1));
	ASSERT_EQ(0, vcpu_setup(&self->g, &v, GUEST_PROG(0)));
	ASSERT_EQ(0, pin_to_cpu(1));
	ASSERT_EQ(0, bind_vcpu(v.fd, -1));
	ASSERT_EQ(0, run_vcpu(v.fd, 0));
	ASSERT_EQ(0, pin_to_cpu(0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EXDEV, run_vcpu(v.fd, 0));
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(v.fd));
	}
	ASSERT_EQ(0, XIOCTL(v.fd, AXVCPU_GET_VCPU_INFO, &info));
	EXPECT_EQ(1, info.last_cpu);
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(0, run_vcpu(v.fd, 0));
	EXPECT_EQ(2, *greg(&v, G0));

	/* Who binds it may be where it can't run. */
	ASSERT_EQ(0, unbind_vcpu(v.fd));
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, bind_vcpu(v.fd, -1));
	EXPECT_EQ(-EXDEV, run_vcpu(v.fd, 0));
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(0, run_vcpu(v.fd, 0));
	EXPECT_EQ(3, *greg(&v, G0));

	/* BIND judges the CPU inside the transition. */
	ASSERT_EQ(0, unbind_vcpu(v.fd));
	EXPECT_EQ(-EINVAL, bind_vcpu(v.fd, 0));
	EXPECT_EQ(AXVCPU_STATE_INVALID, get_state(v.fd));
	vcpu_destroy(&v);
}

TEST_F(smp, bound_to_a_cpu)
{
	struct axvcpu_vcpu_info info = { 0 };
	int last = self->cpus - 1;

	ASSERT_EQ(0, unbind_vcpu(self->v[0].fd));
	ASSERT_EQ(0, XIOCTL(self->v[0].fd, AXVCPU_GET_VCPU_INFO, &info));
	EXPECT_EQ(-1, info.bound_cpu);
	ASSERT_EQ(0, bind_vcpu(self->v[0].fd, last));
	ASSERT_EQ(0, XIOCTL(self->v[0].fd, AXVCPU_GET_VCPU_INFO, &info));
	EXPECT_EQ(last, info.bound_cpu);
	ASSERT_EQ(0, pin_to_cpu(last));
	EXPECT_EQ(0, step(&self->g, &self->v[0], 0, 1));
	if (last) {
		ASSERT_EQ(0, pin_to_cpu(0));
		EXPECT_EQ(-EXDEV, run_vcpu(self->v[0].fd, 0));
		/* Unbound from there all the same. */
	}
	ASSERT_EQ(0, unbind_vcpu(self->v[0].fd));
	ASSERT_EQ(0, bind_vcpu(self->v[0].fd, -1));
	ASSERT_EQ(0, pin_to_cpu(0));
	EXPECT_EQ(0, step(&self->g, &self->v[0], 0, 2));
}

/* F04: the bound CPU is taken out of the process's cpuset, with the thread in the guest. */
TEST_F(smp, cpuset_without_the_bound_cpu)
{
	struct vcpu_thread t;
	char pid[16];

	if (self->cpus < 2)
		SKIP(return, "one CPU");
	mkdir(CGROUP, 0755);
	if (mount("none", CGROUP, "cgroup2", 0, NULL) ||
	    write_text(CGROUP "/cgroup.subtree_control", "+cpuset"))
		SKIP(return, "no cpusets: %s", strerror(errno));
	guest_write_programs(&self->g);
	vcpu_destroy(&self->v[0]);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v[0], 0));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v[0], LOOP));
	ASSERT_EQ(0, bind_vcpu(self->v[0].fd, 1));
	mkdir(CGROUP "/guest", 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_EQ(0, write_text(CGROUP "/guest/cgroup.procs", pid));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_text(CGROUP "/guest/cpuset.cpus", "1"));
		ASSERT_EQ(0, thread_start(&t, &self->v[0], 0));
		ASSERT_EQ(0, wait_for_state(self->v[0].fd, AXVCPU_STATE_RUNNING));
		ASSERT_EQ(0, write_text(CGROUP "/guest/cpuset.cpus", "0"));
		EXPECT_EQ(-EXDEV, thread_join(&t));
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v[0].fd));
	}
	ASSERT_EQ(0, write_text(CGROUP "/cgroup.procs", pid));
	rmdir(CGROUP "/guest");
	umount(CGROUP);
}

/* A store of one vCPU is seen by another one: a ball between two guests. */
TEST_F(smp, shared_memory)
{
	int rounds = guest_is_fast(&self->g) ? 200 : 40;
	struct vcpu_thread t[2];
	struct guest_vcpu v[2];
	struct guest_prog p;

	if (self->cpus < 2)
		SKIP(return, "one CPU");
	for (int i = 0; i < 2; i++) {
		int start, wait;

		/* Wait until [DATA] == i, then [DATA] = !i; G5 counts down. */
		g_begin(&p, &self->g, GUEST_PROG(4 + i));
		g_movi(&p, G0, GUEST_DATA);
		g_movi(&p, G5, rounds);
		start = g_here(&p);
		wait = g_here(&p);
		g_spin(&p);
		g_load(&p, G1, G0, 8);
		g_addi(&p, G1, -(uint64_t)i);
		g_jnz(&p, G1, wait);
		g_movi(&p, G1, !i);
		g_store(&p, G1, G0, 8);
		g_addi(&p, G5, -1);
		g_jnz(&p, G5, start);
		g_out(&p, 0x55, G5, 1);
		ASSERT_EQ(0, vcpu_start(&self->g, &v[i], i, g_end(&p)));
	}
	*(volatile uint64_t *)(self->g.mem + GUEST_DATA) = 0;
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, thread_start(&t[i], &v[i], 0));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, thread_join(&t[i]));
		EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, v[i].run->exit_reason);
		EXPECT_EQ(0x55, v[i].run->io.port);
		vcpu_destroy(&v[i]);
	}
	EXPECT_EQ(0, *(uint64_t *)(self->g.mem + GUEST_DATA));
}

TEST_F(smp, many_vcpus)
{
	int n = guest_is_fast(&self->g) ? 200 : 50;
	struct guest_vcpu *v = calloc(n, sizeof(*v));

	ASSERT_NE(NULL, v);
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, vcpu_start(&self->g, &v[i], i, GUEST_PROG(3)));
	}
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < n; i++) {
			ASSERT_EQ(0, run_until(&v[i], AXVCPU_EXIT_IO_WRITE));
			ASSERT_EQ(round, *greg(&v[i], G0));
		}
	}
	for (int i = 0; i < n; i++)
		vcpu_destroy(&v[i]);
	free(v);
}

TEST_HARNESS_MAIN
