// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host changes memory under a guest that is using it: from the moment that
 * the host's call returns, the guest must not reach the old page any more.
 */
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define RW		(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE)
#define FAST_NS		2000000000ULL	/* how long races are provoked */
#define SLOW_NS		200000000ULL	/* the same where a second takes half a minute */
#define MIN_ROUNDS	5		/* but for so many rounds at least */

/*
 * Away from multiples of many pages, where a small TLB would drop what the
 * host must tell it to drop.
 */
#define RACE_GPA	(GUEST_HOLE + 0x50000)
#define NR_PAGES	8			/* that the strider writes to */
#define MAILBOX		(GUEST_DATA + 0x3000)	/* what the reader read last */
#define ROUNDS_READ	(MAILBOX + 8)		/* how often it did */

/* A thread that keeps a vCPU in RUN, through every fault. */
struct runner {
	pthread_t thread;
	struct guest_vcpu v;
	volatile bool stop;
	volatile unsigned long faults;
	int err;
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	while (!r->stop && !r->err) {
		int err = run_vcpu(r->v.fd, 0);

		if (!err && r->v.run->exit_reason == AXVCPU_EXIT_NESTED_PAGE_FAULT)
			r->faults++;
		else if (err != -EINTR)
			r->err = err ? err : -EPROTO;
	}
	return NULL;
}

FIXTURE(memory_races) {
	struct guest g;
	struct runner runners[2];
	int nr_runners;
	volatile uint64_t *mem;
	int round;
	unsigned long long end;
};

FIXTURE_SETUP(memory_races)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	self->mem = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, map_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE, (void *)self->mem,
				RW));
	self->end = now_ns() + (guest_is_fast(&self->g) ? FAST_NS : SLOW_NS);
}

static bool next_round(FIXTURE_DATA(memory_races) *self)
{
	return self->round++ < MIN_ROUNDS || now_ns() < self->end;
}

/* Ends the threads; 0 if none of them met anything but faults. */
static int stop_runners(FIXTURE_DATA(memory_races) *self)
{
	int err = 0;

	for (; self->nr_runners; self->nr_runners--) {
		struct runner *r = &self->runners[self->nr_runners - 1];

		r->stop = true;
		kick_vcpu(r->v.fd);
		pthread_join(r->thread, NULL);
		err = err ? err : r->err;
		vcpu_destroy(&r->v);
	}
	return err;
}

FIXTURE_TEARDOWN(memory_races)
{
	EXPECT_EQ(0, stop_runners(self));
	guest_destroy(&self->g);
}

static int start_runner(FIXTURE_DATA(memory_races) *self, uint64_t entry)
{
	struct runner *r = &self->runners[self->nr_runners];
	int err = vcpu_start(&self->g, &r->v, self->nr_runners, entry);

	if (!err)
		err = -pthread_create(&r->thread, NULL, runner_main, r);
	self->nr_runners += !err;
	return err;
}

/* Counts up in a word. */
static int start_writer_at(FIXTURE_DATA(memory_races) *self, uint64_t gpa)
{
	struct guest_prog p;
	int again;

	g_begin(&p, &self->g, GUEST_PROG(0));
	g_movi(&p, G0, gpa);
	g_movi(&p, G1, 0);
	again = g_here(&p);
	g_spin(&p);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_jmp(&p, again);
	return start_runner(self, g_end(&p));
}

static int start_writer(FIXTURE_DATA(memory_races) *self)
{
	return start_writer_at(self, RACE_GPA);
}

/* Copies a word of the memory to the mailbox, and counts. */
static int start_reader_at(FIXTURE_DATA(memory_races) *self, uint64_t gpa)
{
	struct guest_prog p;
	int again;

	g_begin(&p, &self->g, GUEST_PROG(0));
	g_movi(&p, G0, gpa);
	g_movi(&p, G2, MAILBOX);
	g_movi(&p, G3, 0);
	g_movi(&p, G4, ROUNDS_READ);
	again = g_here(&p);
	g_spin(&p);
	g_load(&p, G1, G0, 8);
	g_store(&p, G1, G2, 8);
	g_addi(&p, G3, 1);
	g_store(&p, G3, G4, 8);
	g_jmp(&p, again);
	return start_runner(self, g_end(&p));
}

static int start_reader(FIXTURE_DATA(memory_races) *self)
{
	return start_reader_at(self, RACE_GPA);
}

/* Counts up in the first word of each page of the memory. */
static int start_strider(FIXTURE_DATA(memory_races) *self, int n)
{
	struct guest_prog p;
	int again;

	g_begin(&p, &self->g, GUEST_PROG(n));
	g_movi(&p, G1, 0);
	again = g_here(&p);
	g_spin(&p);
	g_addi(&p, G1, 1);
	for (int i = 0; i < NR_PAGES; i++) {
		g_movi(&p, G0, RACE_GPA + i * PAGE + n * 8);
		g_store(&p, G1, G0, 8);
	}
	g_jmp(&p, again);
	return start_runner(self, g_end(&p));
}

/* Counts in the first word of each page of the memory, and in nothing else. */
static int start_adder(FIXTURE_DATA(memory_races) *self)
{
	struct guest_prog p;
	int again;

	g_begin(&p, &self->g, GUEST_PROG(0));
	again = g_here(&p);
	g_spin(&p);
	for (int i = 0; i < NR_PAGES; i++) {
		g_movi(&p, G0, RACE_GPA + i * PAGE);
		g_load(&p, G1, G0, 8);
		g_addi(&p, G1, 1);
		g_store(&p, G1, G0, 8);
	}
	g_jmp(&p, again);
	return start_runner(self, g_end(&p));
}

#define WAIT_UNTIL(condition) do {				\
	unsigned long long end_ = now_ns() + PATIENCE_NS;	\
								\
	while (!(condition) && now_ns() < end_)			\
		sched_yield();					\
	ASSERT_TRUE(condition);					\
} while (0)

/* The guest has been running since, and got no further than its fault. */
#define WAIT_FOR_FAULTS() do {					\
	unsigned long faults_ = self->runners[0].faults;	\
								\
	WAIT_UNTIL(self->runners[0].faults >= faults_ + 2);	\
} while (0)

#define WAIT_FOR_WRITES() do {					\
	uint64_t old_ = *self->mem;				\
								\
	WAIT_UNTIL(*self->mem != old_);				\
} while (0)

TEST_F(memory_races, unmap)
{
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, unmap_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE));
		count = *self->mem;
		WAIT_FOR_FAULTS();
		ASSERT_EQ(count, *self->mem);
		ASSERT_EQ(0, map_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE,
					(void *)self->mem, RW));
	}
}

TEST_F(memory_races, mprotect)
{
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, mprotect((void *)self->mem, PAGE, PROT_READ));
		count = *self->mem;
		WAIT_FOR_FAULTS();
		ASSERT_EQ(count, *self->mem);
		ASSERT_EQ(0, mprotect((void *)self->mem, PAGE, PROT_READ | PROT_WRITE));
	}
}

/* PROTECT: from its return on, the guest does not write any more. */
TEST_F(memory_races, protect)
{
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, protect_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE,
					    AXVCPU_MAP_READ));
		count = *self->mem;
		WAIT_FOR_FAULTS();
		ASSERT_EQ(count, *self->mem);
		ASSERT_EQ(0, protect_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE, RW));
	}
}

/* PROTECT: nor does it execute what it is in the midst of. */
TEST_F(memory_races, protect_from_execution)
{
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, protect_memory(self->g.aspace, 0, self->g.size, RW));
		count = *self->mem;
		WAIT_FOR_FAULTS();
		ASSERT_EQ(count, *self->mem);
		EXPECT_TRUE(self->runners[0].v.run->fault.access & AXVCPU_MAP_EXEC);
		ASSERT_EQ(0, protect_memory(self->g.aspace, 0, self->g.size, AXVCPU_MAP_ALL));
	}
}

/* In each of these ways the word becomes 0, on another page. */
static int renew_by_mmap(void *mem)
{
	return mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == mem ? 0 : -1;
}

static int renew_by_madvise(void *mem)
{
	return madvise(mem, PAGE, MADV_DONTNEED);
}

static int renew_by_mremap(void *mem)
{
	uint8_t *other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);

	other[8] = 1;
	return mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mem) == mem ? 0 : -1;
}

static int renew_by_munmap(void *mem)
{
	return munmap(mem, PAGE) || renew_by_mmap(mem);
}

static int (*const renew[])(void *mem) = {
	renew_by_mmap, renew_by_madvise, renew_by_mremap, renew_by_munmap,
};

TEST_F(memory_races, renewed_pages)
{
	volatile uint64_t *mailbox = (uint64_t *)(self->g.mem + MAILBOX);
	volatile uint64_t *rounds_read = (uint64_t *)(self->g.mem + ROUNDS_READ);

	ASSERT_EQ(0, start_reader(self));
	while (next_round(self)) {
		uint64_t read;

		*self->mem = self->round;
		WAIT_UNTIL(*mailbox == self->round);
		ASSERT_EQ(0, renew[self->round % ARRAY_SIZE(renew)]((void *)self->mem));
		/* The first of two rounds may have begun before. */
		read = *rounds_read;
		WAIT_UNTIL(*rounds_read >= read + 2);
		ASSERT_EQ(0, *mailbox);
	}
}

static void *map_file_page(void *mem, int fd, uint64_t page)
{
	return mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, page * PAGE);
}

/*
 * The old pages live on, so that a guest that still reads one is caught. The
 * second change comes while the guest faults because of the first.
 */
TEST_F(memory_races, another_page_of_a_file)
{
	volatile uint64_t *mailbox = (uint64_t *)(self->g.mem + MAILBOX);
	volatile uint64_t *rounds_read = (uint64_t *)(self->g.mem + ROUNDS_READ);
	int fd = memfd_create("memory_races", MFD_CLOEXEC);
	void *mem = (void *)self->mem;
	uint64_t poison = -1, read;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 3 * PAGE));
	ASSERT_EQ(sizeof(poison), pwrite(fd, &poison, sizeof(poison), 1 * PAGE));
	ASSERT_EQ(mem, map_file_page(mem, fd, 0));
	ASSERT_EQ(0, start_reader(self));
	while (next_round(self)) {
		*self->mem = 1;
		WAIT_UNTIL(*mailbox == 1);
		ASSERT_EQ(mem, map_file_page(mem, fd, 1));
		for (read = 0; read < self->round * 97 % 5000; read++)
			__asm__ volatile("");
		ASSERT_EQ(mem, map_file_page(mem, fd, 2));
		/* The first of two rounds may have begun before. */
		read = *rounds_read;
		WAIT_UNTIL(*rounds_read >= read + 2);
		ASSERT_EQ(0, *mailbox);
		ASSERT_EQ(mem, map_file_page(mem, fd, 0));
		WAIT_UNTIL(*mailbox == 1);
	}
	close(fd);
}

/* After a fork the child has the memory as it was. */
TEST_F(memory_races, fork)
{
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		int status;
		pid_t pid;

		WAIT_FOR_WRITES();
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			uint64_t count = *self->mem;

			sleep_ns(2000000);
			_exit(*self->mem != count);
		}
		WAIT_FOR_WRITES();
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
}

/*
 * MADV_FREE: the guest's next write takes a page back, and reclaim, which
 * MADV_PAGEOUT makes of the others at once, must know of that. A page that is
 * dropped nevertheless begins at 0 again, and does not come so far.
 */
TEST_F(memory_races, freed_pages)
{
	const size_t words = PAGE / sizeof(*self->mem);

	for (int i = 0; i < NR_PAGES; i++)
		self->mem[i * words] = 1ULL << 40;
	ASSERT_EQ(0, start_adder(self));
	while (next_round(self)) {
		uint64_t old[NR_PAGES];

		ASSERT_EQ(0, madvise((void *)self->mem, NR_PAGES * PAGE, MADV_FREE));
		for (int i = 0; i < NR_PAGES; i++)
			old[i] = self->mem[i * words];
		for (int i = 0; i < NR_PAGES; i++) {
			WAIT_UNTIL(self->mem[i * words] != old[i]);
			old[i] = self->mem[i * words];
		}
		ASSERT_EQ(0, madvise((void *)self->mem, NR_PAGES * PAGE, MADV_PAGEOUT));
		for (int i = 0; i < NR_PAGES; i++) {
			ASSERT_LE(old[i], self->mem[i * words]) {
				TH_LOG("page %d", i);
			}
		}
	}
}

/* A thread that brings in pages, each with another number in its first word */
struct pager {
	pthread_t thread;
	int fd;
	void *mem;
	uint64_t number;
	int err;
};

static void *pager_main(void *arg)
{
	struct pager *p = arg;
	uint64_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	struct uffd_msg msg;

	while (!p->err && read(p->fd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)p->mem, .src = (uintptr_t)page, .len = PAGE,
		};

		*page = __atomic_add_fetch(&p->number, 1, __ATOMIC_SEQ_CST);
		p->err = ioctl(p->fd, UFFDIO_COPY, &copy) ? -errno : 0;
	}
	return NULL;
}

/* The pager is the only source: what was dropped is never seen again. */
TEST_F(memory_races, userfaultfd)
{
	volatile uint64_t *mailbox = (uint64_t *)(self->g.mem + MAILBOX);
	volatile uint64_t *rounds_read = (uint64_t *)(self->g.mem + ROUNDS_READ);
	struct pager pager = { .mem = (void *)self->mem };

	pager.fd = open_uffd(pager.mem, PAGE);
	if (pager.fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, pthread_create(&pager.thread, NULL, pager_main, &pager));
	ASSERT_EQ(0, start_reader(self));
	while (next_round(self)) {
		uint64_t number, read;

		number = __atomic_load_n(&pager.number, __ATOMIC_SEQ_CST);
		ASSERT_EQ(0, madvise(pager.mem, PAGE, MADV_DONTNEED));
		read = *rounds_read;
		WAIT_UNTIL(*rounds_read >= read + 2);
		ASSERT_LT(number, *mailbox);
		ASSERT_EQ(__atomic_load_n(&pager.number, __ATOMIC_SEQ_CST), *mailbox);
	}
	ASSERT_EQ(0, stop_runners(self));
	pthread_cancel(pager.thread);
	pthread_join(pager.thread, NULL);
	EXPECT_EQ(0, pager.err);
	close(pager.fd);
}

/* Pages come and go, and nothing that was written is lost. */
TEST_F(memory_races, pageout_of_a_file)
{
	int fd = memfd_create("memory_races", MFD_CLOEXEC);
	void *mem = (void *)self->mem;
	uint64_t last = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ASSERT_EQ(mem, mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0));
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, madvise(mem, PAGE, self->round % 2 ? MADV_PAGEOUT : MADV_DONTNEED));
		ASSERT_EQ(sizeof(count), pread(fd, &count, sizeof(count), 0));
		ASSERT_LE(last, count);
		last = count;
	}
	close(fd);
}

TEST_F(memory_races, truncation)
{
	int fd = memfd_create("memory_races", MFD_CLOEXEC);
	void *mem = (void *)self->mem;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ASSERT_EQ(mem, mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0));
	ASSERT_EQ(0, start_writer(self));
	while (next_round(self)) {
		uint64_t count;

		WAIT_FOR_WRITES();
		ASSERT_EQ(0, ftruncate(fd, 0));
		WAIT_FOR_FAULTS();
		EXPECT_EQ(0, pread(fd, &count, sizeof(count), 0));
		ASSERT_EQ(0, ftruncate(fd, PAGE));
	}
	close(fd);
}

#define HUGE_GPA	(2 * GUEST_HOLE)
#define HUGE_SIZE	(2UL << 20)
#define MARK(page)	(0xbeef0000 + (page))

/* Mapped by one leaf: a fault that must look again looks at the same page. */
TEST_F(memory_races, huge_page)
{
	const unsigned int page = HUGE_SIZE / PAGE * 3 / 4;
	volatile uint64_t *mailbox = (uint64_t *)(self->g.mem + MAILBOX);
	volatile uint64_t *rounds = (uint64_t *)(self->g.mem + ROUNDS_READ);
	uint8_t *area = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *mem = (uint8_t *)(((uintptr_t)area + HUGE_SIZE - 1) & -HUGE_SIZE);

	ASSERT_NE(MAP_FAILED, area);
	madvise(mem, HUGE_SIZE, MADV_HUGEPAGE);
	for (unsigned int i = 0; i < HUGE_SIZE / PAGE; i++)
		*(uint64_t *)(mem + i * PAGE) = MARK(i);
	ASSERT_EQ(0, map_memory(self->g.aspace, HUGE_GPA, HUGE_SIZE, mem, RW));
	ASSERT_EQ(0, start_reader_at(self, HUGE_GPA + page * PAGE));
	WAIT_UNTIL(*rounds);
	self->end = now_ns() + (guest_is_fast(&self->g) ? FAST_NS : SLOW_NS);
	while (next_round(self)) {
		uint64_t before = *rounds;

		for (int i = 0; i < 100; i++)
			mprotect(mem, HUGE_SIZE, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
		ASSERT_EQ(MARK(page), *mailbox);
		WAIT_UNTIL(*rounds != before);
	}
	ASSERT_EQ(0, stop_runners(self));
	munmap(area, 2 * HUGE_SIZE);
}

/*
 * The guest counts in a huge page, which the host splits, by taking one of its
 * pages away, and makes whole again, elsewhere: no count goes to the old place.
 */
TEST_F(memory_races, split_and_collapse)
{
	const unsigned int page = HUGE_SIZE / PAGE * 3 / 4;
	uint8_t *area = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *mem = (uint8_t *)(((uintptr_t)area + HUGE_SIZE - 1) & -HUGE_SIZE);
	volatile uint64_t *count = (uint64_t *)(mem + page * PAGE);
	struct axvcpu_aspace_stats stats;
	uint64_t huge = 0;

	ASSERT_NE(MAP_FAILED, area);
	memset(mem, 0, HUGE_SIZE);
	if (madvise(mem, HUGE_SIZE, MADV_COLLAPSE))
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_memory(self->g.aspace, HUGE_GPA, HUGE_SIZE, mem, RW));
	ASSERT_EQ(0, start_writer_at(self, HUGE_GPA + page * PAGE));
	while (next_round(self)) {
		uint64_t old = *count;

		WAIT_UNTIL(*count != old);
		XIOCTL(self->g.aspace, AXVCPU_GET_ASPACE_STATS, &stats);
		huge += stats.mapped_pages >= HUGE_SIZE / PAGE;
		ASSERT_EQ(0, madvise(mem + PAGE, PAGE, MADV_DONTNEED));
		old = *count;
		WAIT_UNTIL(*count != old);
		mem[PAGE] = 1;
		if (madvise(mem, HUGE_SIZE, MADV_COLLAPSE))
			break;
	}
	EXPECT_LT(0, huge);
	ASSERT_EQ(0, stop_runners(self));
	munmap(area, 2 * HUGE_SIZE);
}

static void *map_hugetlb(void *mem)
{
	return mmap(mem, HUGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (mem ? MAP_FIXED : 0), -1, 0);
}

/* A page of hugetlbfs that the guest reads becomes another one. */
TEST_F(memory_races, hugetlb)
{
	const unsigned int page = HUGE_SIZE / PAGE * 3 / 4;
	volatile uint64_t *mailbox = (uint64_t *)(self->g.mem + MAILBOX);
	volatile uint64_t *rounds_read = (uint64_t *)(self->g.mem + ROUNDS_READ);
	uint8_t *mem;

	if (PAGE != 4096 || write_text("/proc/sys/vm/nr_hugepages", "4"))
		SKIP(return, "no hugetlbfs with pages of this size");
	mem = map_hugetlb(NULL);
	if (mem == MAP_FAILED)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_memory(self->g.aspace, HUGE_GPA, HUGE_SIZE, mem, RW));
	ASSERT_EQ(0, start_reader_at(self, HUGE_GPA + page * PAGE));
	while (next_round(self)) {
		uint64_t read;

		*(uint64_t *)(mem + page * PAGE) = MARK(self->round);
		WAIT_UNTIL(*mailbox == MARK(self->round));
		ASSERT_EQ(mem, map_hugetlb(mem));
		/* The first of two rounds may have begun before. */
		read = *rounds_read;
		WAIT_UNTIL(*rounds_read >= read + 2);
		ASSERT_EQ(0, *mailbox);
	}
	ASSERT_EQ(0, stop_runners(self));
	munmap(mem, HUGE_SIZE);
	write_text("/proc/sys/vm/nr_hugepages", "0");
}

/* What was written is told, sooner or later, and not before it can be read. */
TEST_F(memory_races, dirty_log)
{
	uint64_t seen[NR_PAGES] = {}, bits[NR_PAGES / 64 + 1];

	ASSERT_EQ(0, protect_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE,
				    RW | AXVCPU_MAP_LOG_DIRTY));
	ASSERT_EQ(0, start_strider(self, 0));
	while (next_round(self)) {
		ASSERT_EQ(0, get_dirty(self->g.aspace, RACE_GPA, NR_PAGES * PAGE, bits));
		for (int i = 0; i < NR_PAGES; i++) {
			if (bits[i / 64] >> (i % 64) & 1)
				seen[i] = self->mem[i * PAGE / 8];
		}
	}
	ASSERT_EQ(0, stop_runners(self));
	ASSERT_EQ(0, get_dirty(self->g.aspace, RACE_GPA, NR_PAGES * PAGE, bits));
	for (int i = 0; i < NR_PAGES; i++) {
		if (bits[i / 64] >> (i % 64) & 1)
			continue;
		EXPECT_EQ(seen[i], self->mem[i * PAGE / 8]) {
			TH_LOG("page %d", i);
		}
	}
}

/* One of the host's calls after the other, in an order that changes. */
static int change_something(FIXTURE_DATA(memory_races) *self, unsigned int random)
{
	void *mem = (void *)self->mem + (random >> 4) % NR_PAGES * PAGE;

	switch (random & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		return renew[random & 3](mem);
	case 4:
		return mprotect(mem, PAGE, PROT_READ) ||
		       mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	case 5:
		return unmap_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE) ||
		       map_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE, (void *)self->mem,
				  RW);
	case 6:
		return madvise(mem, PAGE, MADV_FREE);
	default:
		return madvise((void *)self->mem, NR_PAGES * PAGE, MADV_PAGEOUT);
	}
}

TEST_F(memory_races, everything_at_once)
{
	unsigned int random = 1;

	ASSERT_EQ(0, start_strider(self, 0));
	ASSERT_EQ(0, start_strider(self, 1));
	while (next_round(self)) {
		random = random * 1103515245 + 12345;
		ASSERT_EQ(0, change_something(self, random >> 16)) {
			TH_LOG("change %u", random >> 16 & 7);
		}
	}
	for (int i = 0; i < NR_PAGES; i++) {
		uint64_t old = self->mem[i * PAGE / 8];

		WAIT_UNTIL(self->mem[i * PAGE / 8] != old);
	}
}

/* The process is killed at any point of this. */
TEST_F(memory_races, sigkill)
{
	while (next_round(self)) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			unsigned int random = self->round;

			guest_destroy(&self->g);
			if (guest_create(&self->g, 0) ||
			    map_memory(self->g.aspace, RACE_GPA, NR_PAGES * PAGE,
				       (void *)self->mem, RW) ||
			    start_strider(self, 0) || start_strider(self, 1))
				_exit(1);
			for (;; random++) {
				if (change_something(self, random))
					_exit(2);
			}
		}
		sleep_ns(self->round * 1000000);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
}

TEST_HARNESS_MAIN
