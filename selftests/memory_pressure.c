// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host is short of memory, or tidies up, while a guest goes over its pages
 * and counts in each: none of what it wrote may be lost, and none may appear in
 * a page of another.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define RW		(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE)
#define GPA		GUEST_HOLE
#define HUGE_SIZE	0x200000
#define NR_PAGES	64
#define ROUNDS_DONE	GUEST_DATA	/* how often the guest was at the end */
#define FAST_NS		2000000000ULL
#define SLOW_NS		300000000ULL	/* where a second takes half a minute */
#define MIN_ROUNDS	5
#define SWAP		"/dev/zram0"

static unsigned long read_number(const char *path, const char *name)
{
	unsigned long value = 0;
	char line[256];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)) &&
		    sscanf(line + strlen(name), " %lu", &value) == 1)
			break;
	}
	if (f)
		fclose(f);
	return value;
}

/* Adds 1 to the first word of @pages pages from GPA on, says so, begins again. */
static void write_walker(struct guest *g, uint64_t pages)
{
	struct guest_prog p;
	int again, next;

	g_begin(&p, g, GUEST_PROG(0));
	g_movi(&p, G3, 0);
	g_movi(&p, G4, ROUNDS_DONE);
	again = g_here(&p);
	g_movi(&p, G0, GPA);
	g_movi(&p, G2, pages);
	next = g_here(&p);
	g_spin(&p);
	g_load(&p, G1, G0, 8);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_addi(&p, G0, PAGE);
	g_addi(&p, G2, -1ULL);
	g_jnz(&p, G2, next);
	g_addi(&p, G3, 1);
	g_store(&p, G3, G4, 8);
	g_jmp(&p, again);
	g_end(&p);
}

FIXTURE(memory_pressure) {
	struct guest g;
	struct guest_vcpu v;
	pthread_t thread;
	volatile bool stop;
	int err;
	volatile uint64_t *rounds;
	uint8_t *mem;
	int round;
	unsigned long long end;
	pid_t tid;		/* of the thread in the guest */
};

static void *run_for_ever(void *arg)
{
	FIXTURE_DATA(memory_pressure) *self = arg;

	self->tid = gettid();
	do {
		self->err = run_vcpu(self->v.fd, 0);
	} while (self->err == -EINTR && !self->stop);
	return NULL;
}

FIXTURE_SETUP(memory_pressure)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	self->rounds = (uint64_t *)(self->g.mem + ROUNDS_DONE);
	self->mem = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, map_memory(self->g.aspace, GPA, NR_PAGES * PAGE, self->mem, RW));
	write_walker(&self->g, NR_PAGES);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, GUEST_PROG(0)));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_for_ever, self));
	self->end = now_ns() + (guest_is_fast(&self->g) ? FAST_NS : SLOW_NS);
}

static bool next_round(FIXTURE_DATA(memory_pressure) *self)
{
	return self->round++ < MIN_ROUNDS || now_ns() < self->end;
}

static bool goes_on(FIXTURE_DATA(memory_pressure) *self)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	uint64_t before = *self->rounds;

	while (*self->rounds < before + 2 && now_ns() < end)
		sched_yield();
	return *self->rounds >= before + 2;
}

/* Every page has been counted in as often as the guest came by. */
FIXTURE_TEARDOWN(memory_pressure)
{
	uint64_t rounds;
	bool behind = false;

	EXPECT_TRUE(goes_on(self));
	self->stop = true;
	kick_vcpu(self->v.fd);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(-EINTR, self->err);
	rounds = *self->rounds;
	for (int i = 0; i < NR_PAGES; i++) {
		uint64_t count = *(uint64_t *)(self->mem + i * PAGE);

		/* Those before the place where it was stopped have one more. */
		EXPECT_TRUE(count == rounds || (count == rounds + 1 && !behind))
			TH_LOG("page %d: %lu of %lu", i, count, rounds);
		behind |= count == rounds;
	}
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* What mkswap does. */
static int make_swap(unsigned int mib)
{
	size_t page = PAGE;
	uint32_t *header = calloc(1, page);
	char size[16];
	int fd, err = 0;

	if (!header)
		return -ENOMEM;
	header[1024 / 4] = 1;						/* version */
	header[1024 / 4 + 1] = (mib << 20) / page - 1;			/* last page */
	memcpy((char *)header + page - 10, "SWAPSPACE2", 10);
	write_text("/sys/block/zram0/reset", "1");
	snprintf(size, sizeof(size), "%uM", mib);
	err = write_text("/sys/block/zram0/disksize", size);
	fd = open(SWAP, O_WRONLY | O_CLOEXEC);
	if (!err && (fd < 0 || write(fd, header, page) != page))
		err = -errno;
	close(fd);
	free(header);
	return err ? err : swapon(SWAP, 0) ? -errno : 0;
}

TEST_F(memory_pressure, swap)
{
	unsigned long used = 0;
	struct sysinfo info;
	int err;

	if (access(SWAP, F_OK))
		SKIP(return, "no " SWAP);
	err = make_swap(16);
	ASSERT_EQ(0, err);
	while (next_round(self)) {
		ASSERT_EQ(0, madvise(self->mem, NR_PAGES * PAGE, MADV_PAGEOUT));
		ASSERT_EQ(0, sysinfo(&info));
		used += info.totalswap - info.freeswap;
		ASSERT_TRUE(goes_on(self));
	}
	EXPECT_LT(0, used);
	EXPECT_EQ(0, swapoff(SWAP));
}

/* A thread that does to its own memory what the guest does to its */
struct user {
	pthread_t thread;
	pid_t tid;
	uint8_t *mem;
	volatile uint64_t rounds;
	volatile bool stop;
};

static void *use_memory(void *arg)
{
	struct user *u = arg;

	u->tid = gettid();
	while (!u->stop) {
		for (int i = 0; i < NR_PAGES; i++)
			++*(volatile uint64_t *)(u->mem + i * PAGE);
		u->rounds++;
	}
	return NULL;
}

/* Pages of a thread that had to be read from swap */
static unsigned long major_faults(pid_t tid)
{
	char path[64], line[512] = "";
	unsigned long faults = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f))
		sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %lu", &faults);
	if (f)
		fclose(f);
	return faults;
}

#define HOG_STEP	128	/* pages between two looks at who uses theirs */
#define HOG_TRIES	8

/* Takes memory no faster than guest and thread come by theirs. */
static bool take_memory(FIXTURE_DATA(memory_pressure) *self, const struct user *u,
			uint8_t *hog, uint64_t size)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	uint64_t thread;

	for (uint64_t i = 0; i < size; i += PAGE) {
		*(uint64_t *)(hog + i) = i;
		if (i / PAGE % HOG_STEP)
			continue;
		thread = u->rounds;
		if (!goes_on(self))
			return false;
		while (u->rounds < thread + 2 && now_ns() < end)
			sched_yield();
	}
	return now_ns() < end;
}

/*
 * C1: memory that nobody uses goes first. What the guest uses is used. Where the machine
 * stops one of the two for as long as a scan takes, the try says nothing about either.
 */
TEST_F(memory_pressure, spares_what_is_used)
{
	struct user user = { .mem = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
	unsigned long guest, thread;
	struct sysinfo info;
	bool spared = false;
	char pages[24];
	uint64_t size;
	uint8_t *hog;

	if (access(SWAP, F_OK))
		SKIP(return, "no " SWAP);
	ASSERT_EQ(0, make_swap(96));
	ASSERT_EQ(0, pthread_create(&user.thread, NULL, use_memory, &user));
	ASSERT_TRUE(goes_on(self));
	/* Most of what is free goes away at once. */
	ASSERT_EQ(0, sysinfo(&info));
	snprintf(pages, sizeof(pages), "%lu", (info.freeram - (32UL << 20)) / HUGE_SIZE);
	ASSERT_EQ(0, write_text("/proc/sys/vm/nr_hugepages", pages));
	ASSERT_EQ(0, sysinfo(&info));
	size = info.freeram + (24 << 20);
	for (int i = 0; i < HOG_TRIES && !spared; i++) {
		hog = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, hog);
		/* Neither's pages count as used because they once were. */
		ASSERT_EQ(0, madvise(self->mem, NR_PAGES * PAGE, MADV_COLD));
		ASSERT_EQ(0, madvise(user.mem, NR_PAGES * PAGE, MADV_COLD));
		guest = major_faults(self->tid);
		thread = major_faults(user.tid);
		EXPECT_TRUE(take_memory(self, &user, hog, size));
		guest = major_faults(self->tid) - guest;
		thread = major_faults(user.tid) - thread;
		ASSERT_EQ(0, sysinfo(&info));
		TH_LOG("%lu MiB were swapped out; major faults: guest %lu, thread %lu",
		       (info.totalswap - info.freeswap) >> 20, guest, thread);
		EXPECT_LT(4 << 20, info.totalswap - info.freeswap);
		spared = guest <= 2 * thread + NR_PAGES / 8;
		munmap(hog, size);
	}
	EXPECT_TRUE(spared);
	user.stop = true;
	pthread_join(user.thread, NULL);
	EXPECT_EQ(0, write_text("/proc/sys/vm/nr_hugepages", "0"));
	EXPECT_EQ(0, swapoff(SWAP));
}

/* Pages of the same content become one, until the guest writes. */
TEST_F(memory_pressure, same_page_merging)
{
	unsigned long long end = now_ns() + PATIENCE_NS;
	uint8_t *same;

	if (access("/sys/kernel/mm/ksm/run", W_OK))
		SKIP(return, "the kernel has no KSM");
	write_text("/sys/kernel/mm/ksm/sleep_millisecs", "0");
	write_text("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	/* In step with the guest's, often enough; and some that stay what they are. */
	same = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, same);
	memset(same, 0x5a, 8 * PAGE);
	ASSERT_EQ(0, madvise(same, 8 * PAGE, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->mem, NR_PAGES * PAGE, MADV_MERGEABLE));
	ASSERT_EQ(0, map_memory(self->g.aspace, 2 * GPA, 8 * PAGE, same, RW));
	ASSERT_EQ(0, write_text("/sys/kernel/mm/ksm/run", "1"));
	while (!read_number("/sys/kernel/mm/ksm/pages_shared", "") && now_ns() < end)
		sched_yield();
	EXPECT_LT(0, read_number("/sys/kernel/mm/ksm/pages_shared", ""));
	while (next_round(self)) {
		ASSERT_TRUE(goes_on(self));
	}
	EXPECT_EQ(0, write_text("/sys/kernel/mm/ksm/run", "2"));
	for (size_t i = 0; i < 8 * PAGE; i++)
		ASSERT_EQ(0x5a, same[i]);
	EXPECT_EQ(0, write_text("/sys/kernel/mm/ksm/run", "0"));
}

TEST_F(memory_pressure, compaction)
{
	if (access("/proc/sys/vm/compact_memory", W_OK))
		SKIP(return, "the kernel does not compact");
	while (next_round(self)) {
		ASSERT_EQ(0, write_text("/proc/sys/vm/compact_memory", "1"));
		ASSERT_TRUE(goes_on(self));
	}
}

/* MADV_FREE: what is written after it stays, whatever reclaim does. */
TEST_F(memory_pressure, reclaim_of_freed_pages)
{
	uint8_t *mem = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, mem);
	while (next_round(self)) {
		memset(mem, 1, NR_PAGES * PAGE);
		ASSERT_EQ(0, madvise(mem, NR_PAGES * PAGE, MADV_FREE));
		for (int i = 0; i < NR_PAGES; i += 2)
			mem[i * PAGE] = 2;
		ASSERT_EQ(0, madvise(mem, NR_PAGES * PAGE, MADV_PAGEOUT));
		for (int i = 0; i < NR_PAGES; i += 2)
			ASSERT_EQ(2, mem[i * PAGE]);
		ASSERT_TRUE(goes_on(self));
	}
}

/* --- none left at all ------------------------------------------------------------ */

#define LEFT_KIB	(32 << 10)	/* of memory, for the guest: it is slower than the host */

/* A guest that takes more memory than the machine has. */
static int take_all(uint64_t size)
{
	struct guest_vcpu v;
	struct guest g;
	void *mem;

	if (write_text("/proc/self/oom_score_adj", "1000") || guest_create(&g, 0))
		return 1;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED || map_memory(g.aspace, GPA, size, mem, RW))
		return 2;
	write_walker(&g, size / PAGE);
	if (vcpu_start(&g, &v, 0, GUEST_PROG(0)))
		return 3;
	while (run_vcpu(v.fd, 0) == -EINTR)
		;
	return 4;
}

FIXTURE(no_memory) {
};

FIXTURE_SETUP(no_memory)
{
}

FIXTURE_TEARDOWN(no_memory)
{
}

TEST_F(no_memory, is_taken_from_the_process)
{
	unsigned long free_before = read_number("/proc/meminfo", "MemAvailable:"), left;
	unsigned long long end;
	struct sysinfo info;
	struct guest_vcpu v;
	struct guest g;
	size_t taken;
	int status;
	void *most;
	pid_t pid;

	ASSERT_EQ(0, sysinfo(&info));
	ASSERT_LT(2 * LEFT_KIB, free_before);
	taken = (free_before - LEFT_KIB) << 10;
	most = mmap(NULL, taken, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, most);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(take_all(2 * info.totalram * info.mem_unit));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) TH_LOG("%#x", status);

	munmap(most, taken);

	/* All of it is back, tables included, and others can have guests. */
	end = now_ns() + PATIENCE_NS;
	do {
		left = read_number("/proc/meminfo", "MemAvailable:");
		sleep_ns(10000000);
	} while (left + free_before / 20 < free_before && now_ns() < end);
	EXPECT_LE(free_before, left + free_before / 20);
	ASSERT_EQ(0, guest_create(&g, 0));
	guest_write_programs(&g);
	ASSERT_EQ(0, vcpu_start(&g, &v, 0, OUTS));
	EXPECT_EQ(0, run_until(&v, AXVCPU_EXIT_IO_WRITE));
	vcpu_destroy(&v);
	guest_destroy(&g);
}

TEST_HARNESS_MAIN
