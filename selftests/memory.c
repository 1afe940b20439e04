// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: what MAP and UNMAP take and refuse, and that the guest sees
 * whatever the process has at a range, whatever the host does to it.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "memory_access.h"

#define PORT		0x80

MEMORY_FIXTURE(memory);

static void *replace_memory(void *mem, uint64_t size)
{
	return mmap(mem, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0);
}

TEST_F(memory, refuses_bad_ranges)
{
	const uint64_t limit = 1ULL << self->m.g.info.gpa_bits, gpa = GUEST_HOLE;
	const uint64_t mem = (uintptr_t)private_memory(4 * PAGE);
	const struct {
		int err;
		struct axvcpu_map map;
	} cases[] = {
		{ -EINVAL, { gpa, 0, mem, RW } },
		{ -EINVAL, { gpa + 1, PAGE, mem, RW } },
		{ -EINVAL, { gpa + PAGE / 2, PAGE, mem, RW } },
		{ -EINVAL, { gpa, PAGE - 1, mem, RW } },
		{ -EINVAL, { gpa, 1, mem, RW } },
		{ -EINVAL, { gpa, PAGE, mem + 8, RW } },
		{ -EINVAL, { gpa, PAGE, mem, 0 } },
		{ -EINVAL, { gpa, PAGE, mem, RW | 16 } },
		{ -EINVAL, { gpa, PAGE, mem, RW | 1U << 31 } },
		{ -EINVAL, { gpa, PAGE, mem, RW, 1 } },
		{ -EINVAL, { limit, PAGE, mem, RW } },
		{ -EINVAL, { limit - PAGE, 2 * PAGE, mem, RW } },
		{ -EINVAL, { -PAGE, PAGE, mem, RW } },
		{ -EINVAL, { -PAGE, 2 * PAGE, mem, RW } },
		{ -EINVAL, { gpa, -PAGE, mem, RW } },
		{ -EINVAL, { PAGE, -PAGE, mem, RW } },
		{ -EINVAL, { gpa, 1ULL << 63, mem, RW } },
		{ -EINVAL, { gpa, 2 * PAGE, -PAGE, RW } },
		{ -EINVAL, { gpa, PAGE, -PAGE, RW } },
		{ -EFAULT, { gpa, PAGE, -2 * PAGE, RW } },
		{ -EFAULT, { gpa, PAGE, 1ULL << 63, RW } },
		{ -EFAULT, { gpa, 1ULL << (self->m.g.info.gpa_bits - 1), 1ULL << 62, RW } },
		{ 0, { limit - PAGE, PAGE, mem, RW } },
		{ 0, { gpa, PAGE, mem, AXVCPU_MAP_READ } },
	};
	const uint64_t ranges = aspace_stats(&self->m).ranges;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].err, XIOCTL(self->m.g.aspace, AXVCPU_MAP, &cases[i].map))
			TH_LOG("case %zu", i);
		EXPECT_EQ(ranges + (i >= ARRAY_SIZE(cases) - 2) + (i == ARRAY_SIZE(cases) - 1),
			  aspace_stats(&self->m).ranges);
	}
}

TEST_F(memory, refuses_overlaps)
{
	uint8_t *mem = private_memory(8 * PAGE);
	const uint64_t gpa = GUEST_HOLE + 8 * PAGE;
	const struct {
		int err;
		int64_t first;
		uint64_t pages;
	} cases[] = {
		{ -EEXIST, 0, 4 }, { -EEXIST, 0, 1 }, { -EEXIST, 3, 1 }, { -EEXIST, 1, 2 },
		{ -EEXIST, -1, 2 }, { -EEXIST, 3, 2 }, { -EEXIST, -1, 6 }, { -EEXIST, -4, 8 },
		{ 0, -1, 1 }, { 0, 4, 1 },
	};

	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, 4 * PAGE, mem, RW));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].err, map_memory(self->m.g.aspace, gpa + cases[i].first * PAGE,
						   cases[i].pages * PAGE, mem, RW))
			TH_LOG("case %zu", i);
	}
}

TEST_F(memory, unmaps_what_is_mapped)
{
	uint8_t *mem = private_memory(4 * PAGE);
	struct axvcpu_unmap args = { GUEST_HOLE, 4 * PAGE, 1 };
	const struct {
		int err;
		uint64_t gpa;
		uint64_t size;
	} cases[] = {
		{ -ENOENT, GUEST_HOLE, 5 * PAGE },
		{ -EINVAL, GUEST_HOLE, 0 },
		{ -EINVAL, GUEST_HOLE, -1 },
		{ -EINVAL, GUEST_HOLE, -PAGE },
		{ -ENOENT, GUEST_HOLE - PAGE, 5 * PAGE },
		{ -EINVAL, GUEST_HOLE + 1, 4 * PAGE },
		{ -ENOENT, 2 * GUEST_HOLE, 4 * PAGE },
		{ -EINVAL, -PAGE, PAGE },
		{ 0, GUEST_HOLE + PAGE, PAGE },
		{ -ENOENT, GUEST_HOLE, 4 * PAGE },
		{ 0, GUEST_HOLE, PAGE },
		{ 0, GUEST_HOLE + 2 * PAGE, 2 * PAGE },
		{ -ENOENT, GUEST_HOLE, 4 * PAGE },
	};

	ASSERT_EQ(0, map_hole(&self->m, mem, 4 * PAGE, RW));
	EXPECT_EQ(-EINVAL, XIOCTL(self->m.g.aspace, AXVCPU_UNMAP, &args));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].err, unmap_memory(self->m.g.aspace, cases[i].gpa, cases[i].size))
			TH_LOG("case %zu", i);
	}
}

TEST_F(memory, is_shared_with_the_process)
{
	uint64_t *mem = private_memory(3 * PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, 3 * PAGE, RW));
	mem[0] = 0x1111;
	EXPECT_PEEK(GUEST_HOLE, 0x1111);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 0x2222));
	EXPECT_EQ(0x2222, mem[0]);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 2 * PAGE + 8, 0x3333));
	EXPECT_EQ(0x3333, mem[2 * PAGE / 8 + 1]);
	EXPECT_PEEK(GUEST_HOLE + 2 * PAGE + 8, 0x3333);
}

/* A read maps the zero page; the write that follows must get a page. */
TEST_F(memory, goes_from_the_zero_page_to_a_page)
{
	uint64_t *mem = private_memory(4 * PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, 4 * PAGE, RW));
	for (int i = 0; i < 4; i++) {
		EXPECT_PEEK(GUEST_HOLE + i * PAGE, 0);
		EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + i * PAGE, i + 1));
		EXPECT_PEEK(GUEST_HOLE + i * PAGE, i + 1);
		EXPECT_EQ(i + 1, mem[i * PAGE / 8]);
	}
}

TEST_F(memory, exits_where_nothing_is_mapped)
{
	uint64_t *mem = private_memory(PAGE);

	EXPECT_NO_PEEK(GUEST_HOLE + 8, 0);
	EXPECT_NO_POKE(GUEST_HOLE + 16, 0);
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	*mem = 5;
	EXPECT_PEEK(GUEST_HOLE, 5);
	EXPECT_NO_PEEK(GUEST_HOLE + PAGE, 0);
	EXPECT_NO_PEEK(GUEST_HOLE - 8, 0);
	ASSERT_EQ(0, unmap_memory(self->m.g.aspace, GUEST_HOLE, PAGE));
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
}

/* What /proc/meminfo has of second-stage tables, in KiB; -1: nothing */
static long second_stage_kib(void)
{
	int refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	FILE *meminfo = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	/* Each CPU keeps some to itself for a while. */
	if (refresh >= 0 && write(refresh, "1", 1) != 1)
		kib = -1;
	close(refresh);
	while (meminfo && fgets(line, sizeof(line), meminfo))
		sscanf(line, "SecPageTables: %ld", &kib);
	if (meminfo)
		fclose(meminfo);
	return kib;
}

#define SPARE_TABLES	4

/* The administrator finds the tables where KVM's are. */
TEST_F(memory, tables_are_counted)
{
	const uint64_t apart = PAGE * PAGE / 8, before = aspace_stats(&self->m).table_pages;
	long kib = second_stage_kib();
	void *mem = private_memory(PAGE);
	uint64_t added;

	if (kib < 0)
		SKIP(return, "the kernel does not count second-stage tables");
	for (uint64_t i = 1; i <= 8; i++) {
		ASSERT_EQ(0, map_memory(self->m.g.aspace, GUEST_HOLE + i * apart, PAGE, mem, RW));
		EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + i * apart, i));
	}
	added = aspace_stats(&self->m).table_pages - before;
	EXPECT_LE(8, added);
	EXPECT_EQ(kib + added * PAGE / 1024, second_stage_kib());
	for (uint64_t i = 1; i <= 8; i++)
		ASSERT_EQ(0, unmap_memory(self->m.g.aspace, GUEST_HOLE + i * apart, PAGE));
	/* Others may have come for the guest's program; some stay for the next fault. */
	added = aspace_stats(&self->m).table_pages - before;
	kib += added * PAGE / 1024;
	EXPECT_LE(kib, second_stage_kib());
	EXPECT_GE(kib + SPARE_TABLES * PAGE / 1024, second_stage_kib());
}

TEST_F(memory, can_be_read_only)
{
	uint64_t *mem = private_memory(PAGE);

	*mem = 7;
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, AXVCPU_MAP_READ));
	EXPECT_PEEK(GUEST_HOLE, 7);
	EXPECT_NO_POKE(GUEST_HOLE, 0);
	EXPECT_PEEK(GUEST_HOLE, 7);
	EXPECT_EQ(7, *mem);
}

TEST_F(memory, follows_mprotect)
{
	uint64_t *mem = private_memory(PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	ASSERT_EQ(0, mprotect(mem, PAGE, PROT_READ));
	EXPECT_PEEK(GUEST_HOLE, 1);
	EXPECT_NO_POKE(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	ASSERT_EQ(0, mprotect(mem, PAGE, PROT_NONE));
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	ASSERT_EQ(0, mprotect(mem, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_PEEK(GUEST_HOLE, 1);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 2));
	EXPECT_EQ(2, *mem);
}

TEST_F(memory, may_come_after_map)
{
	uint64_t *mem = private_memory(2 * PAGE);

	ASSERT_EQ(0, munmap(mem, 2 * PAGE));
	ASSERT_EQ(0, map_hole(&self->m, mem, 2 * PAGE, RW));
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_NO_POKE(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	ASSERT_EQ(mem, replace_memory(mem, PAGE));
	*mem = 3;
	EXPECT_PEEK(GUEST_HOLE, 3);
	EXPECT_NO_PEEK(GUEST_HOLE + PAGE, AXVCPU_FAULT_BAD_HOST);
}

TEST_F(memory, follows_munmap)
{
	uint64_t *mem = private_memory(2 * PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, 2 * PAGE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE, 2));
	ASSERT_EQ(0, munmap(mem, PAGE));
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_PEEK(GUEST_HOLE + PAGE, 2);
	ASSERT_EQ(mem, replace_memory(mem, 2 * PAGE));
	EXPECT_PEEK(GUEST_HOLE, 0);
	EXPECT_PEEK(GUEST_HOLE + PAGE, 0);
}

TEST_F(memory, follows_mremap)
{
	uint64_t *mem = private_memory(PAGE), *elsewhere = private_memory(PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	ASSERT_EQ(0, map_memory(self->m.g.aspace, GUEST_HOLE + PAGE, PAGE, elsewhere, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 9));
	EXPECT_PEEK(GUEST_HOLE + PAGE, 0);
	ASSERT_EQ(elsewhere, mremap(mem, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere));
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_PEEK(GUEST_HOLE + PAGE, 9);
}

TEST_F(memory, follows_madvise_dontneed)
{
	uint64_t *mem = private_memory(2 * PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, 2 * PAGE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE, 2));
	ASSERT_EQ(0, madvise(mem, PAGE, MADV_DONTNEED));
	EXPECT_PEEK(GUEST_HOLE, 0);
	EXPECT_PEEK(GUEST_HOLE + PAGE, 2);
}

/* What the guest alone has written since MADV_FREE must not be thrown away. */
TEST_F(memory, keeps_writes_after_madvise_free)
{
	const int pages = 64;
	uint64_t *mem = private_memory(pages * PAGE);
	int kept = 0, freed = 0;

	ASSERT_EQ(0, madvise(mem, pages * PAGE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, map_hole(&self->m, mem, pages * PAGE, RW));
	for (int i = 0; i < pages; i++)
		mem[i * PAGE / 8] = 1000 + i;
	ASSERT_EQ(0, madvise(mem, pages * PAGE, MADV_FREE));
	for (int i = 0; i < pages; i += 2)
		EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + i * PAGE, 2000 + i));
	ASSERT_EQ(0, madvise(mem, pages * PAGE, MADV_PAGEOUT));
	for (int i = 0; i < pages; i++) {
		if (i % 2)
			freed += !mem[i * PAGE / 8];
		else
			kept += mem[i * PAGE / 8] == 2000 + i;
	}
	EXPECT_EQ(pages / 2, kept);
	TH_LOG("%d of %d pages that nobody wrote were freed", freed, pages / 2);
	EXPECT_PEEK(GUEST_HOLE, 2000);
}

TEST_F(memory, is_copied_on_write_after_fork)
{
	uint64_t *mem = private_memory(PAGE);
	int to_child[2], status;
	pid_t pid;
	char c;

	*mem = 1;
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 2));
	ASSERT_EQ(0, pipe(to_child));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (read(to_child[0], &c, 1) != 1 || *mem != 2)
			_exit(1);
		*mem = 4;
		_exit(*mem != 4);
	}
	EXPECT_PEEK(GUEST_HOLE, 2);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 3));
	EXPECT_EQ(3, *mem);
	ASSERT_EQ(1, write(to_child[1], "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_PEEK(GUEST_HOLE, 3);
	EXPECT_EQ(3, *mem);
}

TEST_F(memory, follows_a_file)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	uint64_t *mem, *other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	other = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_NE(MAP_FAILED, other);
	ASSERT_EQ(0, map_hole(&self->m, mem, 2 * PAGE, RW));

	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE, 2));
	EXPECT_EQ(1, other[0]);
	other[0] = 3;
	EXPECT_PEEK(GUEST_HOLE, 3);

	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	EXPECT_PEEK(GUEST_HOLE, 0);
	EXPECT_PEEK(GUEST_HOLE + PAGE, 2);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	EXPECT_NO_PEEK(GUEST_HOLE + PAGE, AXVCPU_FAULT_BAD_HOST);
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	EXPECT_PEEK(GUEST_HOLE + PAGE, 0);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE, 4));
	EXPECT_EQ(4, other[PAGE / 8]);
	close(fd);
}

/* A private mapping of a file: the guest's write is the process's alone. */
TEST_F(memory, may_be_a_private_file)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	uint64_t *mem, value = 1;

	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(value), write(fd, &value, sizeof(value)));
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	EXPECT_PEEK(GUEST_HOLE, 1);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 2));
	EXPECT_EQ(2, *mem);
	ASSERT_EQ(sizeof(value), pread(fd, &value, sizeof(value), 0));
	EXPECT_EQ(1, value);
	close(fd);
}

/* X24: what a process keeps even from the kernel is not for guests. */
TEST_F(memory, is_not_secret)
{
	int fd = syscall(SYS_memfd_secret, 0);
	uint64_t value = 0x5ec12e7;
	volatile uint64_t *mem;

	if (fd < 0)
		SKIP(return, "no memfd_secret: %s", strerror(errno));
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	*mem = value;
	ASSERT_EQ(0, map_hole(&self->m, (void *)mem, PAGE, RW));
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_NO_POKE(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_EQ(value, *mem);
	munmap((void *)mem, PAGE);
	close(fd);
}

/* Memory that is no memory, or not ours to give away. */
TEST_F(memory, is_never_a_device)
{
	uint8_t *vdso = (uint8_t *)getauxval(AT_SYSINFO_EHDR);
	uint64_t value;

	if (!vdso)
		SKIP(return, "no vdso");
	ASSERT_EQ(0, map_hole(&self->m, vdso - 2 * PAGE, 2 * PAGE, RW));
	EXPECT_NO_PEEK(GUEST_HOLE + PAGE, AXVCPU_FAULT_BAD_HOST);
	EXPECT_NO_POKE(GUEST_HOLE + PAGE, AXVCPU_FAULT_BAD_HOST);
	/* The vdso itself is ordinary pages. */
	ASSERT_EQ(0, map_memory(self->m.g.aspace, 2 * GUEST_HOLE, PAGE, vdso, RW));
	EXPECT_EQ(0, peek(&self->m, 2 * GUEST_HOLE, &value));
	EXPECT_EQ(*(uint64_t *)vdso, value);
	EXPECT_NO_POKE(2 * GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
	/* A run page, whatever becomes of it, is no way into the kernel. */
	ASSERT_EQ(0, map_memory(self->m.g.aspace, 3 * GUEST_HOLE, PAGE,
				(void *)self->m.poker.run, RW));
	value = access_gpa(&self->m.peeker, 3 * GUEST_HOLE);
	EXPECT_TRUE(!value || value == -EFAULT);
}

struct uffd_handler {
	pthread_t thread;
	int fd;
	uint64_t page;
	uint64_t value;
	int err;
};

static void *handle_uffd(void *arg)
{
	struct uffd_handler *h = arg;
	uint64_t *src = private_memory(PAGE);
	struct uffdio_copy copy = { .dst = h->page, .src = (uintptr_t)src, .len = PAGE };
	struct uffd_msg msg;

	*src = h->value;
	h->err = read(h->fd, &msg, sizeof(msg)) != sizeof(msg) ||
		 ioctl(h->fd, UFFDIO_COPY, &copy);
	return NULL;
}

TEST_F(memory, may_come_from_userfaultfd)
{
	uint64_t *mem = private_memory(PAGE);
	struct uffd_handler h = { .page = (uintptr_t)mem, .value = 0x77 };

	h.fd = open_uffd(mem, PAGE);
	if (h.fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	ASSERT_EQ(0, pthread_create(&h.thread, NULL, handle_uffd, &h));
	EXPECT_PEEK(GUEST_HOLE, 0x77);
	pthread_join(h.thread, NULL);
	EXPECT_EQ(0, h.err);
	close(h.fd);
}

/* Uses a vCPU while another thread's call waits for the page of its argument. */
struct meanwhile {
	struct uffd_handler h;
	int vcpu;
	uint64_t id;		/* of a register */
	int err;
};

static void *use_meanwhile(void *arg)
{
	struct meanwhile *m = arg;
	struct axvcpu_reg reg = { m->id };
	struct axvcpu_regs args = { .regs = (uintptr_t)&reg, .count = 1 };
	uint64_t *src = private_memory(PAGE);
	struct uffdio_copy copy = { .dst = m->h.page, .src = (uintptr_t)src, .len = PAGE };
	struct uffd_msg msg;

	*src = m->id;
	if (read(m->h.fd, &msg, sizeof(msg)) == sizeof(msg)) {
		m->err = XIOCTL(m->vcpu, AXVCPU_GET_REGS, &args);
		if (!m->err)
			m->err = XIOCTL(m->vcpu, AXVCPU_SET_REGS, &args);
		if (!m->err)
			m->err = reset_vcpu(m->vcpu);
	}
	m->h.err = ioctl(m->h.fd, UFFDIO_COPY, &copy);
	return NULL;
}

/* C18: what a call reads and writes of its caller's memory holds up no other call. */
TEST_F(memory, callers_hold_up_nobody)
{
	static const unsigned int cmds[] = {
		AXVCPU_GET_REGS, AXVCPU_SET_REGS, AXVCPU_GET_REG_LIST, AXVCPU_GET_CALL_LOG,
	};
	uint64_t *mem = private_memory(PAGE);
	struct meanwhile m = { .h = { .fd = open_uffd(mem, PAGE), .page = (uintptr_t)mem } };
	static uint64_t ids[GUEST_MAX_STATE];
	struct guest_vcpu v;

	if (m.h.fd < 0)
		SKIP(return, "no userfaultfd");
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct axvcpu_regs regs = { .regs = (uintptr_t)mem, .count = 17 };
		struct axvcpu_reg_list list = { .ids = (uintptr_t)mem, .count = 100000 };
		struct axvcpu_call_log log = { .entries = (uintptr_t)mem, .count = 1 };
		void *args[] = { &regs, &regs, &list, &log };
		bool is_log = cmds[i] == AXVCPU_GET_CALL_LOG;

		if (is_log && self->m.g.info.backend != AXVCPU_BACKEND_MOCK)
			continue;
		ASSERT_EQ(0, vcpu_create(&self->m.g, &v, 5));
		ASSERT_EQ(0, vcpu_setup(&self->m.g, &v, 0));
		m.vcpu = v.fd;
		m.err = -ENODATA;
		ASSERT_LT(0, list_regs(v.fd, ids, GUEST_MAX_STATE));
		m.id = ids[0];
		ASSERT_EQ(0, pthread_create(&m.h.thread, NULL, use_meanwhile, &m));
		/* The list is of a vCPU that was reset meanwhile, or not: both will do. */
		ioctl(v.fd, cmds[i], args[i]);
		pthread_join(m.h.thread, NULL);
		EXPECT_EQ(0, m.err) TH_LOG("call %zu", i);
		EXPECT_EQ(0, m.h.err) TH_LOG("call %zu", i);
		vcpu_destroy(&v);
		ASSERT_EQ(0, madvise(mem, PAGE, MADV_DONTNEED));
	}
	close(m.h.fd);
}

static void on_signal(int sig)
{
}

/* The page never comes; a signal must end RUN all the same, and it can go on. */
TEST_F(memory, waits_interruptibly)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint64_t *mem = private_memory(PAGE);
	struct uffd_handler h = { .page = (uintptr_t)mem, .value = 0x78 };
	struct vcpu_thread t;

	h.fd = open_uffd(mem, PAGE);
	if (h.fd < 0)
		SKIP(return, "no userfaultfd");
	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	*greg(&self->m.peeker, G0) = GUEST_HOLE;
	ASSERT_EQ(0, thread_start(&t, &self->m.peeker, 0));
	while (!aspace_stats(&self->m).faults)
		;
	sleep_ns(20000000);
	EXPECT_FALSE(t.done);
	/* Not waited for by anything that the guest's fault holds. */
	EXPECT_EQ(0, map_memory(self->m.g.aspace, 2 * GUEST_HOLE, PAGE, mem, RW));
	EXPECT_EQ(0, unmap_memory(self->m.g.aspace, 2 * GUEST_HOLE, PAGE));
	pthread_kill(t.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, thread_join(&t));

	ASSERT_EQ(0, pthread_create(&h.thread, NULL, handle_uffd, &h));
	EXPECT_PEEK(GUEST_HOLE, 0x78);
	pthread_join(h.thread, NULL);
	close(h.fd);
}

TEST_F(memory, may_be_mapped_twice)
{
	struct guest other;
	struct guest_vcpu v;
	uint64_t *mem = private_memory(PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	ASSERT_EQ(0, map_memory(self->m.g.aspace, 2 * GUEST_HOLE, PAGE, mem, AXVCPU_MAP_READ));
	ASSERT_EQ(0, guest_create(&other, 0));
	ASSERT_EQ(0, map_memory(other.aspace, GUEST_HOLE, PAGE, mem, RW));
	memcpy(other.mem + GUEST_PROG(0), self->m.g.mem + GUEST_PROG(0), GUEST_PROG_SIZE);
	ASSERT_EQ(0, vcpu_start(&other, &v, 2, GUEST_PROG(0)));

	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 6));
	EXPECT_PEEK(2 * GUEST_HOLE, 6);
	EXPECT_EQ(0, access_gpa(&v, GUEST_HOLE));
	EXPECT_EQ(6, *greg(&v, G1));
	ASSERT_EQ(0, madvise(mem, PAGE, MADV_DONTNEED));
	EXPECT_PEEK(2 * GUEST_HOLE, 0);
	EXPECT_PEEK(GUEST_HOLE, 0);
	EXPECT_EQ(0, access_gpa(&v, GUEST_HOLE));
	EXPECT_EQ(0, *greg(&v, G1));
	ASSERT_EQ(0, unmap_memory(self->m.g.aspace, GUEST_HOLE, PAGE));
	EXPECT_PEEK(2 * GUEST_HOLE, 0);
	vcpu_destroy(&v);
	guest_destroy(&other);
}

TEST_F(memory, belongs_to_one_process)
{
	void *mem = private_memory(PAGE);
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (map_hole(&self->m, mem, PAGE, RW) != -EIO)
			_exit(1);
		if (unmap_memory(self->m.g.aspace, 0, self->m.g.size) != -EIO)
			_exit(2);
		if (run_vcpu(self->m.peeker.fd, 0) != -EIO)
			_exit(3);
		_exit(aspace_stats(&self->m).ranges == 1 ? 0 : 4);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
}

/* The last reference goes in a process that never had the memory. */
TEST_F(memory, outlives_its_process)
{
	int go[2], gone[2], status;
	pid_t maker, keeper;
	char c;

	ASSERT_EQ(0, pipe(go) | pipe(gone));
	maker = fork();
	ASSERT_LE(0, maker);
	if (!maker) {
		struct guest g;
		struct guest_vcpu v;

		if (guest_create(&g, 0) || vcpu_create(&g, &v, 0))
			_exit(1);
		memcpy(g.mem + GUEST_PROG(0), self->m.g.mem + GUEST_PROG(0), GUEST_PROG_SIZE);
		if (vcpu_setup(&g, &v, GUEST_PROG(0)) || bind_vcpu(v.fd, -1) ||
		    access_gpa(&v, GUEST_DATA))
			_exit(2);
		keeper = fork();
		if (!keeper) {
			close(gone[1]);
			/* Ends when the maker is gone. */
			if (read(go[0], &c, 1) != 1 || run_vcpu(v.fd, 0) != -EIO)
				_exit(3);
			close(g.aspace);
			close(v.fd);
			_exit(0);
		}
		_exit(keeper < 0);
	}
	close(gone[1]);
	ASSERT_EQ(maker, waitpid(maker, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(1, write(go[1], "x", 1));
	/* All copies of gone[1] are closed: the keeper has ended too. */
	EXPECT_EQ(0, read(gone[0], &c, 1));
}

TEST_F(memory, outlives_its_descriptor)
{
	uint64_t *mem = private_memory(PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	close(self->m.g.aspace);
	self->m.g.aspace = -1;
	close(self->m.g.dev);
	self->m.g.dev = -1;
	*mem = 5;
	EXPECT_PEEK(GUEST_HOLE, 5);
	vcpu_destroy(&self->m.peeker);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 6));
	EXPECT_EQ(6, *mem);
	ASSERT_EQ(0, munmap(mem, PAGE));
	EXPECT_NO_POKE(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
}

TEST_F(memory, protects_what_is_mapped)
{
	const struct {
		uint64_t gpa, size;
		uint32_t flags;
		int err;
	} cases[] = {
		{ GUEST_HOLE, 5 * PAGE, RW, -ENOENT },
		{ GUEST_HOLE + PAGE, 3 * PAGE, RW, 0 },
		{ GUEST_HOLE, 0, RW, -EINVAL },
		{ GUEST_HOLE, 4 * PAGE, 0, -EINVAL },
		{ GUEST_HOLE, 4 * PAGE, RW | 16, -EINVAL },
		{ GUEST_HOLE, 4 * PAGE, RW, 0 },
	};
	uint64_t bits;
	int err;

	ASSERT_EQ(0, map_hole(&self->m, private_memory(4 * PAGE), 4 * PAGE, AXVCPU_MAP_READ));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_NO_POKE(GUEST_HOLE, 0);
		err = protect_memory(self->m.g.aspace, cases[i].gpa, cases[i].size, cases[i].flags);
		EXPECT_EQ(cases[i].err, err) TH_LOG("case %zu", i);
	}
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(-EINVAL, get_dirty(self->m.g.aspace, GUEST_HOLE, 4 * PAGE, &bits));
	EXPECT_EQ(-EINVAL, get_dirty(self->m.g.aspace, GUEST_HOLE, PAGE, &bits));
	EXPECT_EQ(-ENOENT, get_dirty(self->m.g.aspace, GUEST_HOLE, 5 * PAGE, &bits));
}

/* C8: as an ELF loader needs it, and one that logs a part */
TEST_F(memory, goes_by_parts)
{
	const uint64_t size = 64 * PAGE, at = GUEST_HOLE + 16 * PAGE;
	uint64_t *mem = private_memory(size), bits = 0;

	ASSERT_EQ(0, map_hole(&self->m, mem, size, RW));
	for (uint64_t i = 0; i < size; i += PAGE)
		ASSERT_EQ(0, poke(&self->m, GUEST_HOLE + i, i + 1));
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, at, 8 * PAGE, AXVCPU_MAP_READ));
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, at + 4 * PAGE, 12 * PAGE,
				    RW | AXVCPU_MAP_LOG_DIRTY));
	for (uint64_t i = 0; i < size; i += PAGE) {
		bool writable = GUEST_HOLE + i < at || GUEST_HOLE + i >= at + 4 * PAGE;

		EXPECT_PEEK(GUEST_HOLE + i, i + 1);
		if (writable) {
			EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + i, i + 2));
		} else {
			EXPECT_NO_POKE(GUEST_HOLE + i, 0);
		}
	}
	EXPECT_EQ(0, get_dirty(self->m.g.aspace, at + 5 * PAGE, 10 * PAGE, &bits));
	EXPECT_EQ(0x3ff, bits);
	EXPECT_EQ(0, get_dirty(self->m.g.aspace, at + 4 * PAGE, 12 * PAGE, &bits));
	EXPECT_EQ(1 | 1 << 11, bits);
	ASSERT_EQ(0, unmap_memory(self->m.g.aspace, at + 2 * PAGE, 40 * PAGE));
	EXPECT_NO_PEEK(at + 2 * PAGE, 0);
	EXPECT_NO_PEEK(at + 41 * PAGE, 0);
	EXPECT_PEEK(at + 42 * PAGE, 58 * PAGE + 2);
}

/* As many ranges as there can be, whose parts would be more */
TEST_F(memory, parts_have_a_limit)
{
	uint64_t ranges = aspace_stats(&self->m).ranges, at = GUEST_HOLE;
	void *mem = private_memory(4 * PAGE);
	int err = 0;

	if (!guest_is_fast(&self->m.g))
		SKIP(return, "takes too long here");
	ASSERT_EQ(0, map_memory(self->m.g.aspace, at, 4 * PAGE, mem, RW));
	EXPECT_EQ(0, poke(&self->m, at, 5));
	for (ranges++; !err && ranges < 32768; ranges++)
		err = map_memory(self->m.g.aspace, 2 * at + ranges * PAGE, PAGE, mem, RW);
	ASSERT_EQ(0, err);
	EXPECT_EQ(-ENOSPC, unmap_memory(self->m.g.aspace, at + PAGE, PAGE));
	EXPECT_EQ(-ENOSPC, protect_memory(self->m.g.aspace, at, PAGE, AXVCPU_MAP_READ));
	EXPECT_EQ(32768, aspace_stats(&self->m).ranges);
	EXPECT_EQ(0, poke(&self->m, at, 6));
	/* Where one goes, what is left of it has room. */
	EXPECT_EQ(0, unmap_memory(self->m.g.aspace, at, PAGE));
	EXPECT_EQ(0, unmap_memory(self->m.g.aspace, at + 3 * PAGE, PAGE));
	EXPECT_EQ(32768, aspace_stats(&self->m).ranges);
	EXPECT_EQ(0, unmap_memory(self->m.g.aspace, at + PAGE, 2 * PAGE));
}

TEST_F(memory, protects)
{
	uint8_t *mem = private_memory(4 * PAGE);

	ASSERT_EQ(0, map_hole(&self->m, mem, 4 * PAGE, RW));
	for (uint64_t i = 1; i < 3; i++) {
		EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, i));
		ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, 4 * PAGE,
					    AXVCPU_MAP_READ));
		EXPECT_NO_POKE(GUEST_HOLE, 0);
		EXPECT_NO_POKE(GUEST_HOLE + 3 * PAGE, 0);
		EXPECT_PEEK(GUEST_HOLE, i);
		ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, 4 * PAGE, RW));
	}
}

/* The guest has data there, which does not make code of it. */
TEST_F(memory, executes_what_may_be_executed)
{
	struct guest_vcpu *v = &self->m.peeker;
	uint8_t *mem = private_memory(PAGE);
	struct guest_prog p;
	uint64_t entry;

	g_begin(&p, &self->m.g, GUEST_PROG(2));
	g_out(&p, PORT, G1, 1);
	entry = g_end(&p);
	memcpy(mem, self->m.g.mem + GUEST_PROG(2), PAGE);
	entry = GUEST_HOLE + entry % PAGE;
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	EXPECT_PEEK(GUEST_HOLE, *(uint64_t *)mem);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE - 8, 1));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, set_reg(v->fd, v->isa->reg_id(v->isa->pc), entry));
		ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
		EXPECT_EQ(GUEST_HOLE, v->run->fault.gpa & -PAGE);
		EXPECT_TRUE(v->run->fault.access & AXVCPU_MAP_EXEC);
		EXPECT_EQ(0, v->run->fault.flags & AXVCPU_FAULT_BAD_HOST);
		ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, PAGE, AXVCPU_MAP_ALL));
		ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, PAGE, RW));
		EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + PAGE - 8, 1));
	}
}

/* What GET_INFO does not list is refused; with READ, all is there. */
TEST_F(memory, has_the_access_that_is_listed)
{
	const uint32_t listed = self->m.g.info.map_access;
	uint8_t *mem = private_memory(PAGE);

	EXPECT_EQ(0, listed & ~0xfeU);
	EXPECT_EQ(0xaa, listed & 0xaa);
	for (uint32_t access = 0; access < 8; access++) {
		int err = listed >> access & 1 ? 0 : -EINVAL;

		EXPECT_EQ(err, map_hole(&self->m, mem, PAGE, access)) TH_LOG("access %u", access);
		if (!err)
			EXPECT_EQ(0, unmap_memory(self->m.g.aspace, GUEST_HOLE, PAGE));
	}
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, RW));
	for (uint32_t access = 0; access < 8; access++) {
		EXPECT_EQ(listed >> access & 1 ? 0 : -EINVAL,
			  protect_memory(self->m.g.aspace, GUEST_HOLE, PAGE, access));
	}
}

/* A guest that can't read its code executes it. */
TEST_F(memory, executes_without_reading)
{
	struct guest_vcpu *v = &self->m.poker;
	uint8_t *mem = private_memory(PAGE);
	struct guest_prog p;
	uint64_t entry;

	if (!(self->m.g.info.map_access >> AXVCPU_MAP_EXEC & 1))
		SKIP(return, "code is readable");
	g_begin(&p, &self->m.g, GUEST_PROG(2));
	g_out(&p, PORT, G1, 1);
	entry = GUEST_HOLE + g_end(&p) % PAGE;
	memcpy(mem, self->m.g.mem + GUEST_PROG(2), PAGE);
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, AXVCPU_MAP_EXEC));
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
	EXPECT_NO_POKE(GUEST_HOLE, 0);
	ASSERT_EQ(0, set_reg(v->fd, v->isa->reg_id(v->isa->pc), entry));
	ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));
	/* The same with the leaf there */
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, PAGE, AXVCPU_MAP_READ));
	EXPECT_PEEK(GUEST_HOLE, *(uint64_t *)mem);
}

TEST_F(memory, writes_without_reading)
{
	uint8_t *mem = private_memory(PAGE);

	if (!(self->m.g.info.map_access >> AXVCPU_MAP_WRITE & 1))
		SKIP(return, "what can be written can be read");
	ASSERT_EQ(0, map_hole(&self->m, mem, PAGE, AXVCPU_MAP_WRITE));
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 7));
	EXPECT_EQ(7, *(uint64_t *)mem);
	EXPECT_NO_PEEK(GUEST_HOLE, 0);
}

#define LOG_PAGES	200

static int dirty(FIXTURE_DATA(memory) *self, uint64_t *bits)
{
	memset(bits, 0xff, LOG_PAGES / 64 * 8 + 8);
	return get_dirty(self->m.g.aspace, GUEST_HOLE, LOG_PAGES * PAGE, bits);
}

#define EXPECT_DIRTY(b0, b1, b2, b3) do {			\
	uint64_t bits_[LOG_PAGES / 64 + 1];			\
								\
	EXPECT_EQ(0, dirty(self, bits_));			\
	EXPECT_EQ(b0, bits_[0]);				\
	EXPECT_EQ(b1, bits_[1]);				\
	EXPECT_EQ(b2, bits_[2]);				\
	EXPECT_EQ(b3, bits_[3]);				\
} while (0)

TEST_F(memory, logs_writes)
{
	uint8_t *mem = private_memory(LOG_PAGES * PAGE);
	uint64_t bits[LOG_PAGES / 64 + 1], size = LOG_PAGES * PAGE;

	memset(mem, 0, size);
	ASSERT_EQ(0, map_hole(&self->m, mem, size, RW | AXVCPU_MAP_LOG_DIRTY));
	EXPECT_DIRTY(0, 0, 0, 0);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 65 * PAGE, 2));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 199 * PAGE, 3));
	EXPECT_PEEK(GUEST_HOLE + 5 * PAGE, 0);
	/* Not the guest's */
	mem[6 * PAGE] = 1;
	EXPECT_DIRTY(1, 2, 0, 1 << 7);
	EXPECT_DIRTY(0, 0, 0, 0);

	/* Written again, after having been read; and gone meanwhile */
	EXPECT_PEEK(GUEST_HOLE + 65 * PAGE, 2);
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 65 * PAGE, 4));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 66 * PAGE, 4));
	ASSERT_EQ(0, madvise(mem + 66 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_DIRTY(0, 6, 0, 0);

	/* Nobody could be told */
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 2 * PAGE, 5));
	EXPECT_EQ(-EFAULT, get_dirty(self->m.g.aspace, GUEST_HOLE, size, NULL));
	EXPECT_DIRTY(4, 0, 0, 0);

	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, size, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 6));
	EXPECT_EQ(-EINVAL, get_dirty(self->m.g.aspace, GUEST_HOLE, size, bits));
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, size,
				    RW | AXVCPU_MAP_LOG_DIRTY));
	EXPECT_EQ(0, dirty(self, bits));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 7 * PAGE, 7));
	EXPECT_DIRTY(1 << 7, 0, 0, 0);
}

/* Memory that is there is mapped many pages at a time. */
TEST_F(memory, is_filled_ahead)
{
	const uint64_t size = 2 * HUGE_SIZE, gpa = 2 * GUEST_HOLE;
	struct axvcpu_aspace_stats before, after;
	uint8_t *mem = private_memory(size);

	madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 1, size);
	EXPECT_NO_POKE(gpa, 0);
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, size, mem, RW));
	before = aspace_stats(&self->m);
	for (uint64_t at = 0; at < size; at += PAGE)
		ASSERT_EQ(0, poke(&self->m, gpa + at, at));
	after = aspace_stats(&self->m);
	EXPECT_EQ(size / PAGE, after.mapped_pages - before.mapped_pages);
	/* A table of the lowest level at a time, whatever size of page it is for */
	EXPECT_EQ((size + 512 * PAGE - 1) / (512 * PAGE), after.faults - before.faults);
}

/* Memory that is not there is not brought in before it is asked for. */
TEST_F(memory, is_not_brought_in_ahead)
{
	uint64_t size = HUGE_SIZE, touched = 0, gpa = 2 * GUEST_HOLE;
	unsigned char present[HUGE_SIZE / 4096];
	uint8_t *mem = private_memory(size);
	int resident = 0;

	madvise(mem, size, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, size, mem, RW));
	for (uint64_t at = 0; at < size; at += 7 * PAGE, touched++)
		ASSERT_EQ(0, poke(&self->m, gpa + at, at));
	ASSERT_EQ(0, mincore(mem, size, present));
	for (uint64_t i = 0; i < size / PAGE; i++)
		resident += present[i] & 1;
	EXPECT_EQ(touched, resident);
}

/* But for a guest that goes through it page by page, a little. */
TEST_F(memory, is_brought_in_ahead_of_a_sequence)
{
	const uint64_t pages = 64, ahead = 16, gpa = 2 * GUEST_HOLE;
	uint8_t *mem = private_memory(pages * PAGE);
	unsigned char present[64];
	uint64_t faults, resident;

	madvise(mem, pages * PAGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, pages * PAGE, mem, RW));
	settled(&self->m);
	faults = aspace_stats(&self->m).faults;
	for (uint64_t i = 0; i < pages; i++) {
		ASSERT_EQ(0, poke(&self->m, gpa + i * PAGE, i));
		ASSERT_EQ(0, mincore(mem, pages * PAGE, present));
		resident = 0;
		for (uint64_t j = 0; j < pages; j++)
			resident += present[j] & 1;
		EXPECT_GE(i + ahead, resident);
		EXPECT_EQ(i, *(uint64_t *)(mem + i * PAGE));
	}
	EXPECT_GT(pages / 4, aspace_stats(&self->m).faults - faults);
}

TEST_F(memory, gives_table_pages_back)
{
	uint8_t *mem = private_memory(PAGE);
	/* Where a table of its own is needed, whatever the size of pages */
	const uint64_t gpa = 2 * GUEST_HOLE;
	struct axvcpu_aspace_stats before, after;

	EXPECT_NO_PEEK(gpa, 0);
	before = aspace_stats(&self->m);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, PAGE, mem, RW));
		EXPECT_EQ(0, poke(&self->m, gpa, 1));
		after = aspace_stats(&self->m);
		EXPECT_EQ(before.mapped_pages + 1, after.mapped_pages);
		EXPECT_LT(before.table_pages, after.table_pages);
		ASSERT_EQ(0, unmap_memory(self->m.g.aspace, gpa, PAGE));
		after = aspace_stats(&self->m);
		EXPECT_EQ(before.ranges, after.ranges);
		EXPECT_EQ(before.mapped_pages, after.mapped_pages);
		EXPECT_EQ(before.table_pages, after.table_pages);
	}
}

TEST_HARNESS_MAIN
