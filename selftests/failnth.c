// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation and every user access of every call fails once: the call
 * says so by a documented errno, the vCPU is as it was, and the same call
 * without the fault succeeds. Needs CONFIG_FAULT_INJECTION.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define MAX_NTH		500	/* no call has as many points of failure */
#define MAX_NTH_LOAD	20000	/* nor has loading */
#define LAST_OF_LOAD	60

FIXTURE(failnth) {
	struct guest g;
	struct guest_vcpu v;
	int nth;
};

static bool set_knob(const char *fault, const char *knob, const char *value)
{
	char path[128];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault, knob);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, value, strlen(value)) == strlen(value);
	close(fd);
	return ok;
}

FIXTURE_SETUP(failnth)
{
	self->v.fd = -1;
	self->g.dev = -1;
	self->g.aspace = -1;
	self->g.mem = MAP_FAILED;
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0)
		SKIP(return, "this kernel has no fault injection");
	/* Also allocations that may sleep, which are nearly all; no noise. */
	ASSERT_TRUE(set_knob("failslab", "ignore-gfp-wait", "N"));
	ASSERT_TRUE(set_knob("fail_page_alloc", "ignore-gfp-wait", "N"));
	ASSERT_TRUE(set_knob("fail_page_alloc", "ignore-gfp-highmem", "N"));
	ASSERT_TRUE(set_knob("fail_page_alloc", "min-order", "0"));
	ASSERT_TRUE(set_knob("failslab", "verbose", "0"));
	ASSERT_TRUE(set_knob("fail_page_alloc", "verbose", "0"));
	set_knob("fail_usercopy", "verbose", "0");

	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
}

FIXTURE_TEARDOWN(failnth)
{
	close(self->nth);
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static void arm(int fd, int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", nth);

	(void)!pwrite(fd, text, n, 0);
}

/* How many points of failure were left to go? 0: the fault has happened. */
static int disarm(int fd)
{
	char text[16] = "";

	(void)!pread(fd, text, sizeof(text) - 1, 0);
	arm(fd, 0);
	return atoi(text);
}

/* What a failed allocation, or a failed copy, may be reported as. */
static bool is_documented(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

struct row {
	const char *name;
	unsigned int cmd;	/* 0: another call */
	int state;		/* the vCPU's before */
	int (*call)(FIXTURE_DATA(failnth) *self);
};

static int call_open(FIXTURE_DATA(failnth) *self)
{
	int fd = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int call_mmap(FIXTURE_DATA(failnth) *self)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->v.fd, 0);

	if (page == MAP_FAILED)
		return -errno;
	munmap(page, 4096);
	return 0;
}

static int call_create_aspace(FIXTURE_DATA(failnth) *self)
{
	int fd = create_aspace(self->g.dev);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int call_create_vcpu(FIXTURE_DATA(failnth) *self)
{
	uint64_t set = 1;
	struct axvcpu_create_vcpu args = {
		.favor_phys_cpu = -1,
		.phys_cpu_set = (uintptr_t)&set,
		.phys_cpu_set_len = sizeof(set),
	};
	int fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &args);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int call_get_info(FIXTURE_DATA(failnth) *self)
{
	struct axvcpu_info info;

	return XIOCTL(self->g.dev, AXVCPU_GET_INFO, &info);
}

static int call_map(FIXTURE_DATA(failnth) *self)
{
	return map_memory(self->g.aspace, GUEST_HOLE, 4096, self->g.mem, AXVCPU_MAP_READ);
}

static int call_unmap(FIXTURE_DATA(failnth) *self)
{
	return unmap_memory(self->g.aspace, GUEST_HOLE, 4096);
}

static int call_protect(FIXTURE_DATA(failnth) *self)
{
	return protect_memory(self->g.aspace, GUEST_HOLE, 4096,
			      AXVCPU_MAP_READ | AXVCPU_MAP_LOG_DIRTY);
}

static int call_get_dirty(FIXTURE_DATA(failnth) *self)
{
	uint64_t bitmap;

	return get_dirty(self->g.aspace, GUEST_HOLE, 4096, &bitmap);
}

static int call_aspace_stats(FIXTURE_DATA(failnth) *self)
{
	struct axvcpu_aspace_stats stats;

	return XIOCTL(self->g.aspace, AXVCPU_GET_ASPACE_STATS, &stats);
}

static const struct row rows[] = {
	{ "open", 0, AXVCPU_STATE_CREATED, call_open },
	{ "mmap", 0, AXVCPU_STATE_CREATED, call_mmap },
	{ "GET_INFO", 0, AXVCPU_STATE_CREATED, call_get_info },
	{ "CREATE_ASPACE", 0, AXVCPU_STATE_CREATED, call_create_aspace },
	{ "CREATE_VCPU", 0, AXVCPU_STATE_CREATED, call_create_vcpu },
	{ "MAP", AXVCPU_MAP, AXVCPU_STATE_CREATED, call_map },
	{ "UNMAP", AXVCPU_UNMAP, AXVCPU_STATE_CREATED, call_unmap },
	{ "PROTECT", AXVCPU_PROTECT, AXVCPU_STATE_CREATED, call_protect },
	{ "GET_DIRTY", AXVCPU_GET_DIRTY, AXVCPU_STATE_CREATED, call_get_dirty },
	{ "GET_ASPACE_STATS", 0, AXVCPU_STATE_CREATED, call_aspace_stats },
	{ "SETUP", AXVCPU_SETUP, AXVCPU_STATE_CREATED },
	{ "SET_ENTRY", AXVCPU_SET_ENTRY, AXVCPU_STATE_CREATED },
	{ "SET_EPT_ROOT", AXVCPU_SET_EPT_ROOT, AXVCPU_STATE_CREATED },
	{ "BIND", AXVCPU_BIND, AXVCPU_STATE_FREE },
	{ "RUN", AXVCPU_RUN, AXVCPU_STATE_READY },
	{ "UNBIND", AXVCPU_UNBIND, AXVCPU_STATE_READY },
	{ "RESET", AXVCPU_RESET, AXVCPU_STATE_FREE },
	{ "SET_STATE", AXVCPU_SET_STATE, AXVCPU_STATE_FREE },
	{ "GET_STATE", AXVCPU_GET_STATE, AXVCPU_STATE_READY },
	{ "GET_VCPU_INFO", AXVCPU_GET_VCPU_INFO, AXVCPU_STATE_READY },
	{ "GET_REGS", AXVCPU_GET_REGS, AXVCPU_STATE_READY },
	{ "SET_REGS", AXVCPU_SET_REGS, AXVCPU_STATE_READY },
	{ "INJECT", AXVCPU_INJECT, AXVCPU_STATE_READY },
	{ "KICK", AXVCPU_KICK, AXVCPU_STATE_READY },
	{ "GET_STATS", AXVCPU_GET_STATS, AXVCPU_STATE_READY },
	{ "GET_HISTORY", AXVCPU_GET_HISTORY, AXVCPU_STATE_READY },
	{ "GET_CALL_LOG", AXVCPU_GET_CALL_LOG, AXVCPU_STATE_READY },
	{ "SET_DEBUG", AXVCPU_SET_DEBUG, AXVCPU_STATE_READY },
	{ "GET_REG_LIST", AXVCPU_GET_REG_LIST, AXVCPU_STATE_READY },
	{ "KEEP_STATE", AXVCPU_KEEP_STATE, AXVCPU_STATE_READY },
	{ "RESTORE_STATE", AXVCPU_RESTORE_STATE, AXVCPU_STATE_READY },
	{ "WITHDRAW", AXVCPU_WITHDRAW, AXVCPU_STATE_READY },
};

/* Everything new, so that the call has all its work to do. */
static int prepare(FIXTURE_DATA(failnth) *self, const struct row *row)
{
	int err;

	vcpu_destroy(&self->v);
	if (self->g.aspace >= 0)
		close(self->g.aspace);
	self->g.aspace = create_aspace(self->g.dev);
	err = map_memory(self->g.aspace, 0, self->g.size, self->g.mem, AXVCPU_MAP_ALL);
	if (!err && (row->cmd == AXVCPU_UNMAP || row->cmd == AXVCPU_PROTECT))
		err = map_memory(self->g.aspace, GUEST_HOLE, 4096, self->g.mem, AXVCPU_MAP_READ);
	if (!err && row->cmd == AXVCPU_GET_DIRTY)
		err = map_memory(self->g.aspace, GUEST_HOLE, 4096, self->g.mem,
				 AXVCPU_MAP_READ | AXVCPU_MAP_LOG_DIRTY);
	if (!err)
		err = vcpu_create(&self->g, &self->v, 0);
	if (!err && row->state >= AXVCPU_STATE_FREE)
		err = vcpu_setup(&self->g, &self->v, OUTS);
	if (!err && row->state >= AXVCPU_STATE_READY)
		err = bind_vcpu(self->v.fd, -1);
	return err;
}

static int do_call(FIXTURE_DATA(failnth) *self, const struct row *row)
{
	int err = row->call ? row->call(self) : good_call(&self->g, &self->v, row->cmd);

	/* Then it has been copied in, and that is where it can fail. */
	if ((row->cmd == AXVCPU_SET_DEBUG && !(self->g.info.caps & AXVCPU_CAP_DEBUG)) ||
	    (row->cmd == AXVCPU_GET_CALL_LOG && !(self->g.info.caps & AXVCPU_CAP_CALL_LOG)))
		return err == -EOPNOTSUPP ? 0 : err ? err : -EPROTO;
	/* The copy of KEEP_STATE, the event that INJECT queued: there is none. */
	if (row->cmd == AXVCPU_RESTORE_STATE || row->cmd == AXVCPU_WITHDRAW)
		return err == -ENOENT ? 0 : err ? err : -EPROTO;
	return err;
}

/*
 * A row, with the nth fault in it. Returns whether there was such a fault. Some
 * faults do no harm, as that of a page which is then taken from elsewhere; the
 * call may succeed in spite of them.
 */
static bool check_nth(struct __test_metadata *_metadata, FIXTURE_DATA(failnth) *self,
		      const struct row *row, int nth)
{
	struct axvcpu_failure f;
	bool hit;
	int err;

	arm(self->nth, nth);
	err = do_call(self, row);
	hit = !disarm(self->nth);
	if (!hit) {
		EXPECT_EQ(0, err) TH_LOG("%s", row->name);
		return false;
	}
	if (!err)
		return true;
	EXPECT_TRUE(is_documented(err)) TH_LOG("%s, fault %d: %d", row->name, nth, err);
	EXPECT_EQ(row->state, get_state(self->v.fd)) TH_LOG("%s, fault %d", row->name, nth);
	EXPECT_EQ(0, get_failure(self->v.fd, &f));
	EXPECT_EQ(0, f.seq) TH_LOG("%s, fault %d", row->name, nth);
	/* The loss of a result does not undo what was done. */
	EXPECT_EQ(0, do_call(self, row)) TH_LOG("%s, after fault %d", row->name, nth);
	return true;
}

TEST_F(failnth, every_call)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		int nth;

		for (nth = 1; nth < MAX_NTH; nth++) {
			ASSERT_EQ(0, prepare(self, &rows[i])) TH_LOG("%s", rows[i].name);
			if (!check_nth(_metadata, self, &rows[i], nth))
				break;
		}
		EXPECT_GT(MAX_NTH, nth) TH_LOG("%s has no end", rows[i].name);
		TH_LOG("%s: %d points of failure", rows[i].name, nth - 1);
	}
}

/*
 * A load with a fault leaves nothing behind: what comes after it finds all names
 * free. Most points of failure are the kernel's, before it calls the module; this
 * is about those that come last.
 */
TEST_F(failnth, loading)
{
	const char *module = guest_is_fast(&self->g) ? "axvcpu_mock" : "axvcpu";
	int failures = 0, tried = 0, points;

	guest_destroy(&self->g);
	ASSERT_EQ(0, module_unload(module));
	arm(self->nth, MAX_NTH_LOAD);
	ASSERT_EQ(0, module_load(module, ""));
	points = MAX_NTH_LOAD - disarm(self->nth);
	ASSERT_EQ(0, module_unload(module));
	ASSERT_LT(LAST_OF_LOAD, points);
	ASSERT_GT(MAX_NTH_LOAD, points);

	/* A load may have fewer than another one, as caches fill. */
	for (int nth = points; tried < LAST_OF_LOAD && nth; nth--) {
		bool hit;
		int err;

		arm(self->nth, nth);
		err = module_load(module, "");
		hit = !disarm(self->nth);
		tried += hit;
		failures += !!err;
		EXPECT_TRUE(!err || (hit && is_documented(err))) TH_LOG("fault %d: %d", nth, err);
		EXPECT_EQ(err ? -ENOENT : 0, module_unload(module)) TH_LOG("fault %d", nth);
		EXPECT_NE(0, access(GUEST_DEVICE, F_OK)) TH_LOG("fault %d", nth);
	}
	EXPECT_LT(0, failures);
	TH_LOG("%d points of failure, %d of the last %d fatal", points, failures, LAST_OF_LOAD);
	ASSERT_EQ(0, module_load(module, ""));
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

TEST_HARNESS_MAIN
