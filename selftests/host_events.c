// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the rest of the kernel does to a process whose thread is in a guest:
 * it is frozen, traced, profiled; the machine sleeps; the clock is set. The
 * guest goes on where it was.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define TRACING		"/sys/kernel/tracing/"
#define CGROUP		"/tmp/cgroup"

static int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, got = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += n;
	buf[got] = '\0';
	close(fd);
	return n < 0 ? -errno : got;
}

static bool advances(volatile uint64_t *counter)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	uint64_t before = *counter;

	while (*counter < before + 10 && now_ns() < end)
		sched_yield();
	return *counter >= before + 10;
}

/* --- in this process: a thread in the guest ------------------------------------ */

FIXTURE(host_events) {
	struct guest g;
	struct guest_vcpu v;
	volatile uint64_t *counter;
	pthread_t thread;
	volatile bool stop;
	int err;
};

/* RUN may return for what was done to the thread, as for any signal. */
static void *run_for_ever(void *arg)
{
	FIXTURE_DATA(host_events) *self = arg;

	while (!self->stop) {
		self->err = run_vcpu(self->v.fd, 0);
		if (self->err && self->err != -EINTR)
			break;
	}
	return NULL;
}

FIXTURE_SETUP(host_events)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	self->counter = (uint64_t *)(self->g.mem + GUEST_DATA);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, COUNT));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_for_ever, self));
	ASSERT_TRUE(advances(self->counter));
}

FIXTURE_TEARDOWN(host_events)
{
	EXPECT_TRUE(advances(self->counter));
	self->stop = true;
	kick_vcpu(self->v.fd);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(-EINTR, self->err);
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* The machine goes to sleep as far as @level, and comes back. */
static int sleep_to(const char *state, const char *level)
{
	int err = write_text("/sys/power/pm_test", level);

	if (!err)
		err = write_text("/sys/power/state", state);
	write_text("/sys/power/pm_test", "none");
	return err;
}

TEST_F(host_events, freezing_of_all_tasks)
{
	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "the kernel has no CONFIG_PM_DEBUG");
	write_text("/sys/module/suspend/parameters/pm_test_delay", "0");
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, sleep_to("freeze", "freezer"));
		ASSERT_TRUE(advances(self->counter));
	}
	ASSERT_EQ(0, sleep_to("freeze", "devices"));
	ASSERT_TRUE(advances(self->counter));
}

static bool can_hibernate(void)
{
	FILE *file = fopen("/sys/power/state", "r");
	char states[64] = "";

	if (!file)
		return false;
	if (!fgets(states, sizeof(states), file))
		states[0] = '\0';
	fclose(file);
	return strstr(states, "disk");
}

/* Other CPUs go, then virtualization goes off and on: what suspend to memory does, too. */
TEST_F(host_events, sleep_of_the_machine)
{
	int err;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "the kernel has no CONFIG_PM_DEBUG");
	if (!can_hibernate())
		SKIP(return, "the kernel can't hibernate");
	err = sleep_to("disk", "core");
	if (err == -EINVAL || err == -ENODEV || err == -EPERM)
		SKIP(return, "the kernel can't hibernate");
	ASSERT_EQ(0, err);
	ASSERT_TRUE(advances(self->counter));
}

static int profile(uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
	};

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

TEST_F(host_events, profile)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct perf_event_mmap_page *ring;
	int fd;

	ASSERT_EQ(0, pin_to_cpu(0));
	fd = profile(PERF_COUNT_SW_CPU_CLOCK, 200000);
	ASSERT_LE(0, fd);
	ring = mmap(NULL, 9 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, ring);
	for (int i = 0; i < 10 || !*(volatile __u64 *)&ring->data_head; i++) {
		ASSERT_TRUE(advances(self->counter));
		sleep_ns(20000000);
	}
	munmap(ring, 9 * page);
	close(fd);
}

/* RUN has been left and begun once more. */
static bool runs_again(int fd)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	struct axvcpu_stats before, now;

	if (get_stats(fd, &before))
		return false;
	do {
		kick_vcpu(fd);
		sleep_ns(1000000);
	} while (!get_stats(fd, &now) && now.runs == before.runs && now_ns() < end);
	return now.runs != before.runs;
}

/* With tracer @name, or events alone. */
static void trace(struct __test_metadata *_metadata, FIXTURE_DATA(host_events) *self,
		  const char *name, const char *expected)
{
	static char buf[1 << 20];

	if (name)
		ASSERT_EQ(0, write_text(TRACING "current_tracer", name));
	ASSERT_EQ(0, write_text(TRACING "buffer_size_kb", "64"));
	ASSERT_EQ(0, write_text(TRACING "events/axvcpu/enable", "1"));
	ASSERT_EQ(0, write_text(TRACING "events/sched/enable", "1"));
	ASSERT_EQ(0, write_text(TRACING "trace", ""));
	ASSERT_EQ(0, write_text(TRACING "tracing_on", "1"));
	for (int i = 0; i < 5; i++) {
		EXPECT_TRUE(advances(self->counter));
		kick_vcpu(self->v.fd);
		sleep_ns(10000000);
		ASSERT_TRUE(runs_again(self->v.fd));
	}
	EXPECT_EQ(0, write_text(TRACING "tracing_on", "0"));
	EXPECT_LT(0, read_file(TRACING "trace", buf, sizeof(buf)));
	EXPECT_NE(NULL, strstr(buf, expected)) TH_LOG("%.2000s", buf);
	EXPECT_EQ(0, write_text(TRACING "events/enable", "0"));
	EXPECT_EQ(0, write_text(TRACING "current_tracer", "nop"));
	write_text(TRACING "trace", "");
	write_text(TRACING "tracing_on", "1");
}

TEST_F(host_events, trace_of_events)
{
	trace(_metadata, self, NULL, "axvcpu_exit");
}

static bool has_tracer(const char *name)
{
	char tracers[256];

	return read_file(TRACING "available_tracers", tracers, sizeof(tracers)) > 0 &&
	       strstr(tracers, name);
}

TEST_F(host_events, trace_of_functions)
{
	if (!has_tracer("function"))
		SKIP(return, "the kernel has no function tracer");
	trace(_metadata, self, "function", "axvcpu_run");
}

TEST_F(host_events, trace_of_calls)
{
	if (!has_tracer("function_graph"))
		SKIP(return, "the kernel has no function graph tracer");
	trace(_metadata, self, "function_graph", "axvcpu_exit");
}

TEST_F(host_events, clock_is_set)
{
	struct timespec now;

	for (int i = 0; i < 6; i++) {
		ASSERT_EQ(0, clock_gettime(CLOCK_REALTIME, &now));
		now.tv_sec += i % 2 ? -86400 : 86400;
		ASSERT_EQ(0, clock_settime(CLOCK_REALTIME, &now));
		ASSERT_TRUE(advances(self->counter));
	}
}

/* Waits for all CPUs by synchronize_rcu(). */
static unsigned long long time_of_grace_periods(int count)
{
	unsigned long long began = now_ns();

	for (int i = 0; i < count; i++) {
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
			return 0;
	}
	return now_ns() - began;
}

static void *spin(void *arg)
{
	volatile bool *stop = arg;

	pin_to_cpu(1);
	while (!*stop)
		;
	return NULL;
}

/* C3: to RCU, a guest is no more in the way than a process. */
TEST_F(host_events, grace_periods)
{
	const int count = 30;
	unsigned long long guest, process;
	bool stop = false;
	pthread_t thread;
	cpu_set_t cpu1;

	/* Where time goes with the guest's instructions, not with this computer's load */
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "time goes on while the emulator waits");
	CPU_ZERO(&cpu1);
	CPU_SET(1, &cpu1);
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, pthread_setaffinity_np(self->thread, sizeof(cpu1), &cpu1));
	ASSERT_TRUE(advances(self->counter));
	guest = time_of_grace_periods(count);
	self->stop = true;
	kick_vcpu(self->v.fd);
	pthread_join(self->thread, NULL);

	ASSERT_EQ(0, pthread_create(&thread, NULL, spin, &stop));
	process = time_of_grace_periods(count);
	*(volatile bool *)&stop = true;
	pthread_join(thread, NULL);
	TH_LOG("%d grace periods: beside a guest %llu us, beside a process %llu us", count,
	       guest / 1000, process / 1000);
	EXPECT_NE(0, process);
	EXPECT_LE(guest, process + process / 10);

	self->stop = false;
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_for_ever, self));
}

TEST_F(host_events, caches_are_dropped)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_text("/proc/sys/vm/drop_caches", "3"));
		ASSERT_EQ(0, write_text("/proc/sys/vm/compact_memory", "1"));
		ASSERT_TRUE(advances(self->counter));
	}
}

/* --- in a child: what is done to another process -------------------------------- */

FIXTURE(child) {
	volatile uint64_t *counter;	/* the guest's, by way of memory that is shared */
	pid_t pid;
};

static void ignore(int sig)
{
}

static int run_in_child(int memory)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct guest_vcpu v;
	struct guest g;
	int err;

	/* Of a step that the debugger did not wait for; it is forced. */
	signal(SIGTRAP, ignore);
	if (guest_create(&g, 0))
		return 1;
	guest_write_programs(&g);
	if (mmap(g.mem + GUEST_DATA, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory,
		 0) == MAP_FAILED || vcpu_start(&g, &v, 0, COUNT))
		return 2;
	do {
		err = run_vcpu(v.fd, 0);
	} while (err == -EINTR);
	return 3;
}

FIXTURE_SETUP(child)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int memory = memfd_create("counter", MFD_CLOEXEC);

	ASSERT_LE(0, memory);
	ASSERT_EQ(0, ftruncate(memory, page));
	self->counter = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->counter);
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid)
		_exit(run_in_child(memory));
	close(memory);
	ASSERT_TRUE(advances(self->counter));
}

FIXTURE_TEARDOWN(child)
{
	int status;

	EXPECT_TRUE(advances(self->counter));
	kill(self->pid, SIGKILL);
	EXPECT_EQ(self->pid, waitpid(self->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) TH_LOG("%#x", status);
}

static bool stands_still(volatile uint64_t *counter)
{
	uint64_t before = *counter;

	sleep_ns(100000000);
	return *counter == before;
}

static bool becomes(const char *path, const char *text)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	char buf[256];

	while (now_ns() < end) {
		if (read_file(path, buf, sizeof(buf)) > 0 && strstr(buf, text))
			return true;
		sleep_ns(1000000);
	}
	return false;
}

TEST_F(child, frozen_by_its_cgroup)
{
	char pid[16];

	mkdir(CGROUP, 0755);
	if (mount("none", CGROUP, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	mkdir(CGROUP "/guest", 0755);
	snprintf(pid, sizeof(pid), "%d", self->pid);
	ASSERT_EQ(0, write_text(CGROUP "/guest/cgroup.procs", pid));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, write_text(CGROUP "/guest/cgroup.freeze", "1"));
		ASSERT_TRUE(becomes(CGROUP "/guest/cgroup.events", "frozen 1"));
		ASSERT_TRUE(stands_still(self->counter));
		ASSERT_EQ(0, write_text(CGROUP "/guest/cgroup.freeze", "0"));
		ASSERT_TRUE(becomes(CGROUP "/guest/cgroup.events", "frozen 0"));
		ASSERT_TRUE(advances(self->counter));
	}
	ASSERT_EQ(0, write_text(CGROUP "/cgroup.procs", pid));
	rmdir(CGROUP "/guest");
	umount(CGROUP);
}

static bool stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

/* Attached in the guest, stopped at every system call, stepped over RUN itself. */
TEST_F(child, traced_by_a_debugger)
{
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->pid, NULL, NULL));
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->pid, NULL, NULL));
		ASSERT_TRUE(stopped(self->pid));
		ASSERT_TRUE(stands_still(self->counter));
		for (int i = 0; i < 20; i++) {
			ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, self->pid, NULL, NULL));
			/* A step may be RUN, which does not end by itself. */
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->pid, NULL, NULL));
			ASSERT_TRUE(stopped(self->pid));
		}
		for (int i = 0; i < 10; i++) {
			ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, self->pid, NULL, NULL));
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->pid, NULL, NULL));
			ASSERT_TRUE(stopped(self->pid));
		}
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->pid, NULL, NULL));
		ASSERT_TRUE(advances(self->counter));
	}
}

TEST_HARNESS_MAIN
