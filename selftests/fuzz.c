// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls with random arguments, for whatever nobody thought of. What
 * fails is seen by the kernel's own checks; here, only that each error is a
 * documented one. An argument of the program is the seed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define NR_FDS	12
#define SCRATCH	0x40000
#define MEM_PAGES	256		/* of the guests' memory */
#define PAGE	((uint64_t)sysconf(_SC_PAGESIZE))

static unsigned int fixed_seed;

FIXTURE(fuzz) {
	struct guest g;
	int fds[NR_FDS];
	uint8_t *scratch;
	uint64_t x;
};

static const unsigned int cmds[] = {
	AXVCPU_GET_INFO, AXVCPU_CREATE_ASPACE, AXVCPU_CREATE_VCPU, AXVCPU_MAP, AXVCPU_UNMAP,
	AXVCPU_PROTECT, AXVCPU_GET_DIRTY,
	AXVCPU_GET_ASPACE_STATS, AXVCPU_SETUP, AXVCPU_BIND, AXVCPU_RUN, AXVCPU_RUN, AXVCPU_RUN,
	AXVCPU_UNBIND, AXVCPU_RESET, AXVCPU_RESET, AXVCPU_GET_STATE, AXVCPU_SET_STATE,
	AXVCPU_SET_ENTRY, AXVCPU_SET_EPT_ROOT, AXVCPU_GET_VCPU_INFO, AXVCPU_GET_REGS,
	AXVCPU_SET_REGS, AXVCPU_INJECT, AXVCPU_KICK, AXVCPU_GET_STATS, AXVCPU_GET_HISTORY,
	AXVCPU_GET_CALL_LOG, AXVCPU_SET_DEBUG, AXVCPU_GET_REG_LIST, AXVCPU_KEEP_STATE,
	AXVCPU_RESTORE_STATE, AXVCPU_RESTORE_STATE, AXVCPU_WITHDRAW,
};

static const int documented[] = {
	0, ENOTTY, EFAULT, EINVAL, E2BIG, EPERM, EIO, EBUSY, EINTR, EXDEV, EDEADLK, ENOMEM,
	EMFILE, EOPNOTSUPP, EBADFD, EEXIST, EBADF, ENOENT, ENOSPC,
};

static void nothing(int sig)
{
}

/* An exit of each kind; then the memory is disturbed. */
static void write_program(struct guest *g)
{
	const uint64_t none[6] = { 0 };
	struct guest_prog p;
	int loop;

	g_begin(&p, g, GUEST_PROG(0));
	loop = g_here(&p);
	g_out(&p, 0x10, G0, 1);
	g_in(&p, 0x20, G1, 4);
	g_halt(&p);
	g_hypercall(&p, 1, none, G2);
	g_rdsys(&p, g->isa->sysreg, G3);
	g_wrsys(&p, g->isa->sysreg, G3);
	g_movi(&p, G4, GUEST_DATA);
	g_store(&p, G3, G4, 8);
	g_kernel_exit(&p);
	g_sti(&p);
	g_cli(&p);
	g_jmp(&p, loop);
	g_end(&p);
}

FIXTURE_SETUP(fuzz)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct itimerval it = { .it_value.tv_usec = 2000, .it_interval.tv_usec = 2000 };

	ASSERT_EQ(0, guest_create(&self->g, MEM_PAGES * PAGE));
	for (int i = 0; i < NR_FDS; i++)
		self->fds[i] = -1;
	write_program(&self->g);
	self->scratch = mmap(NULL, SCRATCH, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->scratch);
	ASSERT_EQ(0, mprotect(self->scratch + SCRATCH - PAGE, PAGE, PROT_NONE));
	/* Some of the guests never exit. */
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

FIXTURE_TEARDOWN(fuzz)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	guest_destroy(&self->g);
}

static uint64_t next(FIXTURE_DATA(fuzz) *self)
{
	self->x ^= self->x << 13;
	self->x ^= self->x >> 7;
	self->x ^= self->x << 17;
	return self->x >> 16;
}

static unsigned int below(FIXTURE_DATA(fuzz) *self, unsigned int n)
{
	return next(self) % n;
}

static int any_fd(FIXTURE_DATA(fuzz) *self)
{
	switch (below(self, 16)) {
	case 0:
		return self->g.dev;
	case 1:
		return self->g.aspace;
	case 2:
		return -1;
	default:
		return self->fds[below(self, NR_FDS)];
	}
}

/* Mostly one on which the call means something: vCPUs at even places. */
static int fd_for(FIXTURE_DATA(fuzz) *self, unsigned int cmd)
{
	if (!below(self, 8))
		return any_fd(self);
	if (_IOC_NR(cmd) < _IOC_NR(AXVCPU_MAP))
		return self->g.dev;
	if (_IOC_NR(cmd) >= _IOC_NR(AXVCPU_SETUP))
		return self->fds[below(self, NR_FDS / 2) * 2];
	return below(self, 2) ? self->g.aspace : self->fds[below(self, NR_FDS / 2) * 2 + 1];
}

static void keep(FIXTURE_DATA(fuzz) *self, int fd, bool aspace)
{
	int i = below(self, NR_FDS / 2) * 2 + aspace;

	if (self->fds[i] >= 0)
		close(self->fds[i]);
	self->fds[i] = fd;
}

/* A pointer that the kernel may write to without harm to this program. */
static uint64_t pointer(FIXTURE_DATA(fuzz) *self)
{
	static const uint64_t bad[] = { 0, 8, 0xffff888000000000, 0x8000000000000000, ~0ULL };

	if (below(self, 4))
		return (uintptr_t)self->scratch + below(self, SCRATCH);
	return bad[below(self, 5)];
}

static void mutate(FIXTURE_DATA(fuzz) *self, uint8_t *bytes, size_t size)
{
	static const uint64_t special[] = {
		0, 1, ~0ULL, 1ULL << 31, 1ULL << 32, 1ULL << 63, 4095, 4096, 0x7fffffff,
	};

	for (int n = below(self, 4); n > 0 && size; n--) {
		size_t at = below(self, size), len = 1 << below(self, 4);
		uint64_t value = below(self, 2) ? special[below(self, 9)] : next(self);

		if (below(self, 3))
			bytes[at] ^= 1 << below(self, 8);
		else
			memcpy(bytes + at, &value, at + len > size ? size - at : len);
	}
}

/* Where a page of the guests' memory is, with 16 others behind it */
static uint64_t any_page(FIXTURE_DATA(fuzz) *self)
{
	return below(self, MEM_PAGES - 16) * PAGE;
}

/* What the kernel follows stays where it does no harm. */
static void tame(FIXTURE_DATA(fuzz) *self, unsigned int cmd, union guest_arg *arg)
{
	switch (cmd) {
	case AXVCPU_CREATE_VCPU:
		arg->create_vcpu.phys_cpu_set = below(self, 2) ? pointer(self) : 0;
		break;
	case AXVCPU_MAP:
		/* The guests run whatever they find, and write wherever it says. */
		arg->map.uaddr = (uintptr_t)self->g.mem + any_page(self);
		if (arg->map.size > 16 * PAGE)
			arg->map.size = PAGE;
		if (below(self, 2))
			arg->map.gpa = below(self, 1024) * PAGE;
		break;
	case AXVCPU_UNMAP:
		if (below(self, 2))
			arg->unmap.gpa = below(self, 1024) * PAGE;
		break;
	case AXVCPU_PROTECT:
		if (below(self, 2))
			arg->protect.gpa = below(self, 1024) * PAGE;
		break;
	case AXVCPU_GET_DIRTY:
		arg->get_dirty.bitmap = pointer(self);
		if (below(self, 2))
			arg->get_dirty.gpa = below(self, 1024) * PAGE;
		break;
	case AXVCPU_SETUP:
		if (below(self, 2))
			arg->setup.aspace_fd = any_fd(self);
		break;
	case AXVCPU_GET_VCPU_INFO:
		arg->vcpu_info.phys_cpu_set = below(self, 2) ? pointer(self) : 0;
		break;
	case AXVCPU_GET_REGS:
	case AXVCPU_SET_REGS:
		arg->regs.regs = pointer(self);
		break;
	case AXVCPU_GET_HISTORY:
		arg->history.entries = pointer(self);
		break;
	case AXVCPU_GET_CALL_LOG:
		arg->call_log.entries = pointer(self);
		break;
	case AXVCPU_GET_REG_LIST:
		arg->reg_list.ids = pointer(self);
		break;
	}
}

static bool is_documented(int err)
{
	for (int i = 0; i < ARRAY_SIZE(documented); i++) {
		if (err == documented[i])
			return true;
	}
	return false;
}

static unsigned int any_cmd(FIXTURE_DATA(fuzz) *self)
{
	unsigned int cmd = cmds[below(self, ARRAY_SIZE(cmds))];

	if (!below(self, 10))
		cmd ^= 1U << below(self, 32);
	if (!below(self, 10))
		cmd = _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), below(self, 4096));
	return cmd;
}

static int one_call(FIXTURE_DATA(fuzz) *self, unsigned int cmd)
{
	union guest_arg *arg = (union guest_arg *)self->scratch;
	unsigned long where = (unsigned long)arg;
	int fd = fd_for(self, cmd);

	good_arg(&self->g, cmd, arg);
	if (below(self, 3))
		mutate(self, arg->bytes, _IOC_SIZE(cmd) ? _IOC_SIZE(cmd) : 64);
	tame(self, cmd, arg);
	if (!_IOC_SIZE(cmd))
		where = below(self, 8) ? below(self, 4) : next(self);
	else if (!below(self, 16))
		where = pointer(self);
	return xioctl(fd, cmd, where);
}

/* The process meddles with the memory under the guests. */
static void disturb(FIXTURE_DATA(fuzz) *self)
{
	uint8_t *page = self->g.mem + any_page(self);

	switch (below(self, 4)) {
	case 0:
		madvise(page, PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(page, PAGE, PROT_READ);
		break;
	case 2:
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		break;
	case 3:
		if (!mprotect(page, PAGE, PROT_READ | PROT_WRITE))
			memset(page, 0x10 + below(self, 0x16), 64);
		break;
	}
}

TEST_F(fuzz, random_calls)
{
	int rounds = guest_is_fast(&self->g) ? 100000 : 10000, least = rounds / 5;
	unsigned long long end = now_ns() + (guest_is_fast(&self->g) ? 60 : 20) * 1000000000ULL;
	unsigned int seed = fixed_seed ? fixed_seed : now_ns() | 1;
	int counts[2] = { 0 };

	TH_LOG("seed %u", seed);
	self->x = seed * 0x9e3779b97f4a7c15ULL;
	for (int i = 0; i < rounds && (i < least || now_ns() < end); i++) {
		unsigned int cmd = any_cmd(self);
		int ret = one_call(self, cmd);

		ASSERT_TRUE(ret >= 0 || is_documented(-ret))
			TH_LOG("call %d: %x: %d", i, cmd, ret);
		counts[ret < 0]++;
		if (ret > 0)
			keep(self, ret, _IOC_NR(cmd) == _IOC_NR(AXVCPU_CREATE_ASPACE));
		if (!below(self, 50))
			disturb(self);
	}
	TH_LOG("%d calls succeeded, %d failed", counts[0], counts[1]);
	EXPECT_LT(least / 20, counts[0]);
	EXPECT_LT(least / 20, counts[1]);
}

int main(int argc, char **argv)
{
	if (argc == 2 && *argv[1] >= '0' && *argv[1] <= '9') {
		fixed_seed = strtoul(argv[1], NULL, 0);
		argc = 1;
	}
	return test_harness_run(argc, argv);
}
