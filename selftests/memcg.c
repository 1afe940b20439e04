// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel holds for guests is charged to the memory cgroup of who made
 * it: its limit refuses more with ENOMEM, harms nothing, and the charge is
 * given back.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define KLOG_CONSOLE_LEVEL	8	/* SYSLOG_ACTION_CONSOLE_LEVEL */
#define CGROUP		"/tmp/cgroup"
#define GROUP		CGROUP "/guest"
#define STRIDE		0x200000ULL	/* for each of them, a table of the lowest level */
#define NR_TABLES	350	/* up to the end of the first GiB, where the guest can reach */
#define ROOM		(NR_TABLES / 2 * 4096)
#define MAX_VCPUS	2000
#define SLACK		(512 << 10)	/* charged in advance, or not yet given back */

FIXTURE(memcg) {
	struct guest g;
	struct guest_vcpu v;
	int current, max;	/* open before the limit is reached: to open takes memory */
};

static long long charged(FIXTURE_DATA(memcg) *self)
{
	char text[32] = "";

	return pread(self->current, text, sizeof(text) - 1, 0) > 0 ? atoll(text) : -1;
}

/* @room: bytes beyond what is in use, or -1: no limit */
static int limit(FIXTURE_DATA(memcg) *self, long long room)
{
	char text[32] = "max";

	if (room >= 0)
		snprintf(text, sizeof(text), "%lld", charged(self) + room);
	return pwrite(self->max, text, strlen(text), 0) < 0 ? -errno : 0;
}

static int move_to(const char *group)
{
	char path[64], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return write_text(path, pid);
}

FIXTURE_SETUP(memcg)
{
	self->v.fd = -1;
	self->g.dev = -1;
	self->g.aspace = -1;
	self->g.mem = MAP_FAILED;
	mkdir(CGROUP, 0755);
	if ((mount("none", CGROUP, "cgroup2", 0, NULL) && errno != EBUSY) ||
	    write_text(CGROUP "/cgroup.subtree_control", "+memory"))
		SKIP(return, "the kernel has no memory cgroups");
	mkdir(GROUP, 0755);
	ASSERT_EQ(0, move_to(GROUP));
	self->current = open(GROUP "/memory.current", O_RDONLY | O_CLOEXEC);
	self->max = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->current);
	ASSERT_LE(0, self->max);
	/* Nobody there may be killed: the allocation fails. */
	ASSERT_EQ(0, write_text("/proc/self/oom_score_adj", "-1000"));
	ASSERT_EQ(0, guest_create(&self->g, 0));
	memset(self->g.mem + GUEST_DATA, 0, GUEST_MEM_SIZE - GUEST_DATA);
	guest_write_programs(&self->g);
	/* At its limit, a fault of this program's own would be tried for ever. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 4);	/* the OOM killer is long-winded */
}

FIXTURE_TEARDOWN(memcg)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
	close(self->current);
	close(self->max);
	move_to(CGROUP);
	rmdir(GROUP);
	umount(CGROUP);
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 5);
}

/* What is freed is given back some time later. */
static long long charged_at_last(FIXTURE_DATA(memcg) *self, long long below)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	long long bytes;

	do {
		sleep_ns(300000000);
		bytes = charged(self);
	} while (bytes >= below && now_ns() < end);
	return bytes;
}

/* The fault that needs one table too many ends RUN; with more room it is made up for. */
TEST_F(memcg, page_tables)
{
	long page = sysconf(_SC_PAGESIZE);
	struct axvcpu_aspace_stats stats;
	long long before, after;
	struct guest_prog p;
	int loop;

	g_begin(&p, &self->g, GUEST_PROG(4));
	g_movi(&p, G0, GUEST_HOLE);
	g_movi(&p, G1, NR_TABLES);
	loop = g_here(&p);
	g_store(&p, G1, G0, 8);
	g_addi(&p, G0, STRIDE);
	g_addi(&p, G1, -1);
	g_jnz(&p, G1, loop);
	g_out(&p, 0x10, G1, 1);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, g_end(&p)));
	before = charged(self);
	for (int i = 0; i < NR_TABLES; i++) {
		ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE + i * STRIDE, page,
					self->g.mem + GUEST_DATA, AXVCPU_MAP_ALL));
	}
	ASSERT_EQ(0, limit(self, ROOM));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOMEM, run_vcpu(self->v.fd, 0));
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	}
	ASSERT_EQ(0, limit(self, -1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	ASSERT_EQ(0, XIOCTL(self->g.aspace, AXVCPU_GET_ASPACE_STATS, &stats));
	EXPECT_LE(NR_TABLES, stats.table_pages);
	EXPECT_LT(before + NR_TABLES * 4096 - SLACK, charged(self));
	for (int i = 0; i < NR_TABLES; i++) {
		ASSERT_EQ(0, unmap_memory(self->g.aspace, GUEST_HOLE + i * STRIDE, page));
	}
	after = charged_at_last(self, before + SLACK);
	EXPECT_GT(before + SLACK, after);
	TH_LOG("%lld bytes charged before, %lld after", before, after);
}

TEST_F(memcg, vcpus)
{
	struct rlimit files = { MAX_VCPUS + 100, MAX_VCPUS + 100 };
	long long before, full, after;
	static int fds[MAX_VCPUS];
	int n;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, MAX_VCPUS, OUTS));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	before = charged(self);
	ASSERT_EQ(0, limit(self, 1 << 20));
	for (n = 0; n < MAX_VCPUS; n++) {
		fds[n] = create_vcpu(self->g.dev, n);
		if (fds[n] < 0)
			break;
	}
	ASSERT_GT(MAX_VCPUS, n);
	EXPECT_LT(10, n);
	EXPECT_EQ(-ENOMEM, fds[n]);
	full = charged(self);
	EXPECT_LT(before + SLACK, full);
	/* Another one's trouble */
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	for (int i = 0; i < n; i++)
		close(fds[i]);
	ASSERT_EQ(0, limit(self, -1));
	after = charged_at_last(self, before + SLACK);
	EXPECT_GT(before + SLACK, after);
	TH_LOG("%d vCPUs, %lld bytes charged before, %lld with them, %lld after", n, before, full,
	       after);
}

TEST_HARNESS_MAIN
