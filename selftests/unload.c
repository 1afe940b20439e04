// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module stays while anything of it is in use, and goes when nothing is.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

/* Of loading and unloading; the first ones fill what the kernel keeps at hand. */
#define CYCLES		100
#define CYCLES_MOCK	30
#define WARM_UP		20

FIXTURE(unload) {
	struct guest g;
	struct guest_vcpu v;
	const char *module;
};

static int begin(FIXTURE_DATA(unload) *self)
{
	int err;

	err = guest_create(&self->g, 0);
	if (err)
		return err;
	guest_write_programs(&self->g);
	err = vcpu_start(&self->g, &self->v, 0, OUTS);
	return err ? err : run_until(&self->v, AXVCPU_EXIT_IO_WRITE);
}

static void end(FIXTURE_DATA(unload) *self)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

FIXTURE_SETUP(unload)
{
	/* A test that ran into its time limit cleans nothing up. */
	if (access(GUEST_DEVICE, F_OK) && module_load("axvcpu_mock", ""))
		module_load("axvcpu", "");
	ASSERT_EQ(0, begin(self));
	self->module = self->g.info.backend == AXVCPU_BACKEND_MOCK ? "axvcpu_mock" : "axvcpu";
}

FIXTURE_TEARDOWN(unload)
{
	end(self);
	/* For whatever comes next, when this test left it unloaded. */
	module_load(self->module, "");
}

/* One kind of reference at a time is enough to hold it. */
TEST_F(unload, refused_while_used)
{
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));
	close(self->g.aspace);
	self->g.aspace = -1;
	close(self->g.dev);
	self->g.dev = -1;
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));		/* vCPU and page */
	vcpu_unmap_page(&self->v);
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));		/* vCPU */
	EXPECT_EQ(0, run_vcpu(self->v.fd, 0));
	end(self);

	ASSERT_EQ(0, begin(self));
	vcpu_destroy(&self->v);
	close(self->g.dev);
	self->g.dev = -1;
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));		/* address space */
	end(self);

	ASSERT_EQ(0, begin(self));
	vcpu_destroy(&self->v);
	close(self->g.aspace);
	self->g.aspace = -1;
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));		/* device */
	end(self);

	ASSERT_EQ(0, begin(self));
	close(self->v.fd);
	self->v.fd = -1;
	guest_destroy(&self->g);
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));		/* page */
	self->v.run->regs.raw[0] = 1;
	end(self);
	EXPECT_EQ(0, module_unload(self->module));
	EXPECT_EQ(-1, access(GUEST_DEVICE, F_OK));
}

TEST_F(unload, refused_while_running)
{
	struct vcpu_thread t;
	int copy;

	ASSERT_EQ(0, set_reg(self->v.fd, self->g.isa->reg_id(self->g.isa->pc), LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	copy = dup(self->v.fd);
	close(self->v.fd);
	close(self->g.aspace);
	self->g.aspace = -1;
	close(self->g.dev);
	self->g.dev = -1;
	EXPECT_EQ(-EWOULDBLOCK, module_unload(self->module));
	EXPECT_EQ(0, kick_vcpu(copy));
	EXPECT_EQ(-EINTR, thread_join(&t));
	self->v.fd = copy;
	end(self);
	EXPECT_EQ(0, module_unload(self->module));
}

/* A round now and then has a guest in it; the rest is the module alone. */
static int cycle(FIXTURE_DATA(unload) *self, int round)
{
	bool guest = round % 10 == 0;
	int err;

	err = module_unload(self->module) ?: module_load(self->module, "");
	if (!err && guest) {
		err = begin(self);
		end(self);
	}
	return err;
}

/* How much more memory the kernel holds after so many cycles */
static long growth_of(struct __test_metadata *_metadata, FIXTURE_DATA(unload) *self, int cycles,
		      long tolerated)
{
	long before = kernel_memory(), growth;

	EXPECT_LT(0, before);
	for (int i = 0; i < cycles; i++) {
		EXPECT_EQ(0, cycle(self, i)) TH_LOG("cycle %d", i);
	}
	growth = kernel_memory_growth(before, tolerated);
	TH_LOG("%ld bytes more after %d cycles", growth, cycles);
	return growth;
}

/*
 * Not even a page of each cycle is left behind, and no CPU in VMX operation: what the
 * kernel itself comes to hold, it does not hold anew each time. Where kmemleak is, it
 * tells; KASAN keeps much of what is free.
 */
TEST_F(unload, cycles)
{
	int cycles = (guest_is_fast(&self->g) ? CYCLES_MOCK : CYCLES) - WARM_UP;
	bool exact = access("/sys/kernel/debug/kmemleak", F_OK);
	long limit = exact ? cycles * sysconf(_SC_PAGESIZE) / 2 : LONG_MAX, growth;

	end(self);
	EXPECT_EQ(0, module_unload(self->module));
	EXPECT_EQ(-ENOENT, module_unload(self->module));
	ASSERT_EQ(0, module_load(self->module, ""));
	EXPECT_EQ(-EEXIST, module_load(self->module, ""));
	for (int i = 0; i < WARM_UP; i++) {
		ASSERT_EQ(0, cycle(self, i));
	}
	growth = growth_of(_metadata, self, cycles, limit);
	for (int i = 0; i < 2 && growth >= limit; i++)
		growth = growth_of(_metadata, self, cycles, limit);
	EXPECT_GT(limit, growth);
	ASSERT_EQ(0, begin(self));
}

/* Memory that a guest used outlives the module, as any memory does. */
TEST_F(unload, memory_stays)
{
	uint8_t *mem = self->g.mem;
	size_t size = self->g.size;

	self->g.mem = MAP_FAILED;
	end(self);
	ASSERT_EQ(0, module_unload(self->module));
	memset(mem, 0x33, size);
	EXPECT_EQ(0, madvise(mem, size, MADV_DONTNEED));
	EXPECT_EQ(0, mem[OUTS]);
	EXPECT_EQ(0, munmap(mem, size));
}

TEST_HARNESS_MAIN
