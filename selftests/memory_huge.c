// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory in huge pages of the host: one leaf for each, as long as it is one. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "memory_access.h"

#define GIB		0x40000000ULL

#ifndef MAP_HUGE_1GB
#define MAP_HUGE_1GB	(30 << 26)
#endif

MEMORY_FIXTURE(memory_huge);

TEST_F(memory_huge, may_be_transparent_huge_pages)
{
	uint64_t gpa = 2 * GUEST_HOLE, faults;
	struct axvcpu_aspace_stats small;
	uint8_t *mem = huge_memory();

	if (!mem)
		SKIP(return, "no huge page is free");
	small = settled(&self->m);
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, 2 * HUGE_SIZE, mem, RW));
	EXPECT_EQ(0, poke(&self->m, gpa, 1));
	faults = aspace_stats(&self->m).faults;
	EXPECT_EQ(0, poke(&self->m, gpa + HUGE_SIZE - 8, 2));
	/* One leaf, and one fault for all of it */
	EXPECT_EQ(faults, aspace_stats(&self->m).faults);
	EXPECT_EQ(small.mapped_pages + HUGE_SIZE / PAGE, aspace_stats(&self->m).mapped_pages);
	EXPECT_EQ(small.table_pages, aspace_stats(&self->m).table_pages);
	EXPECT_EQ(0, poke(&self->m, gpa + HUGE_SIZE, 3));
	EXPECT_EQ(2, *(uint64_t *)(mem + HUGE_SIZE - 8));
	/* The host splits both: what is left comes back as small ones. */
	ASSERT_EQ(0, madvise(mem + HUGE_SIZE - PAGE, 2 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(small.mapped_pages, aspace_stats(&self->m).mapped_pages);
	EXPECT_PEEK(gpa, 1);
	EXPECT_PEEK(gpa + HUGE_SIZE - 8, 0);
	EXPECT_PEEK(gpa + HUGE_SIZE, 0);
	ASSERT_EQ(0, mprotect(mem, PAGE, PROT_READ));
	EXPECT_NO_POKE(gpa, AXVCPU_FAULT_BAD_HOST);
	EXPECT_PEEK(gpa, 1);
}

/* Where a huge page does not lie as the guest sees it, small leaves do. */
TEST_F(memory_huge, maps_huge_pages_out_of_line)
{
	uint64_t tables = settled(&self->m).table_pages, gpa = 2 * GUEST_HOLE + PAGE;
	uint8_t *mem = huge_memory();

	if (!mem)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, HUGE_SIZE, mem, RW));
	EXPECT_EQ(0, poke(&self->m, gpa + 8 * PAGE, 1));
	EXPECT_LT(tables, aspace_stats(&self->m).table_pages);
	EXPECT_EQ(1, *(uint64_t *)(mem + 8 * PAGE));
	EXPECT_EQ(0, poke(&self->m, gpa + HUGE_SIZE - 8, 2));
	EXPECT_EQ(2, *(uint64_t *)(mem + HUGE_SIZE - 8));
}

/* Small leaves that are there make way when the host's page has become a huge one. */
TEST_F(memory_huge, follows_the_collapse_into_huge_pages)
{
	uint64_t before = settled(&self->m).mapped_pages, gpa = 2 * GUEST_HOLE;
	uint8_t *mem = huge_memory();

	if (!mem)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, madvise(mem, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, HUGE_SIZE, mem, RW));
	EXPECT_EQ(0, poke(&self->m, gpa, 1));
	EXPECT_EQ(0, poke(&self->m, gpa + HUGE_SIZE - 8, 2));
	ASSERT_EQ(0, madvise(mem, HUGE_SIZE, MADV_COLLAPSE));
	EXPECT_EQ(before, aspace_stats(&self->m).mapped_pages);
	EXPECT_PEEK(gpa + HUGE_SIZE - 8, 2);
	EXPECT_EQ(before + HUGE_SIZE / PAGE, aspace_stats(&self->m).mapped_pages);
	EXPECT_PEEK(gpa, 1);
}

TEST_F(memory_huge, may_be_hugetlbfs)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY | O_CLOEXEC);
	uint64_t before = settled(&self->m).mapped_pages;
	uint8_t *mem;

	if (PAGE != 4096 || fd < 0 || write(fd, "2", 1) != 1)
		SKIP(return, "no hugetlbfs with pages of this size");
	close(fd);
	mem = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_hole(&self->m, mem, HUGE_SIZE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + HUGE_SIZE - 8, 1));
	EXPECT_EQ(before + HUGE_SIZE / PAGE, aspace_stats(&self->m).mapped_pages);
	EXPECT_EQ(1, *(uint64_t *)(mem + HUGE_SIZE - 8));
	EXPECT_PEEK(GUEST_HOLE, 0);
	ASSERT_EQ(0, munmap(mem, HUGE_SIZE));
	EXPECT_EQ(before, aspace_stats(&self->m).mapped_pages);
	EXPECT_NO_PEEK(GUEST_HOLE, AXVCPU_FAULT_BAD_HOST);
}

/* One leaf, unless the VMM wants to know of small pages. */
TEST_F(memory_huge, may_be_hugetlbfs_of_1_gib)
{
	const uint64_t gpa = GIB, middle = gpa + GIB / 2;
	struct axvcpu_aspace_stats small = settled(&self->m);
	uint64_t faults;
	uint8_t *mem;

	mem = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_1GB, -1, 0);
	if (mem == MAP_FAILED)
		SKIP(return, "no page of 1 GiB is free");
	ASSERT_EQ(0, map_memory(self->m.g.aspace, gpa, GIB, mem, RW));
	EXPECT_EQ(0, poke(&self->m, gpa, 1));
	faults = aspace_stats(&self->m).faults;
	EXPECT_EQ(0, poke(&self->m, middle, 2));
	EXPECT_EQ(0, poke(&self->m, gpa + GIB - 8, 3));
	EXPECT_EQ(faults, aspace_stats(&self->m).faults);
	EXPECT_EQ(small.mapped_pages + GIB / PAGE, aspace_stats(&self->m).mapped_pages);
	EXPECT_EQ(small.table_pages, aspace_stats(&self->m).table_pages);
	EXPECT_EQ(2, *(uint64_t *)(mem + GIB / 2));

	/* A log is of small pages. */
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, gpa, GIB, RW | AXVCPU_MAP_LOG_DIRTY));
	EXPECT_PEEK(gpa, 1);
	EXPECT_PEEK(gpa + GIB - 8, 3);
	EXPECT_EQ(0, poke(&self->m, middle - 8, 4));
	EXPECT_EQ(4, *(uint64_t *)(mem + GIB / 2 - 8));
	EXPECT_GT(small.mapped_pages + GIB / PAGE, aspace_stats(&self->m).mapped_pages);
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, gpa, GIB, AXVCPU_MAP_READ));
	EXPECT_NO_POKE(middle, 0);
	EXPECT_PEEK(middle, 2);
	EXPECT_EQ(small.mapped_pages + GIB / PAGE, aspace_stats(&self->m).mapped_pages);

	ASSERT_EQ(0, munmap(mem, GIB));
	EXPECT_EQ(small.mapped_pages, aspace_stats(&self->m).mapped_pages);
	EXPECT_NO_PEEK(gpa, AXVCPU_FAULT_BAD_HOST);
}

/* A log tells of small pages also where the host has huge ones. */
TEST_F(memory_huge, logs_writes_to_huge_pages)
{
	uint64_t bits[HUGE_SIZE / 4096 / 64], before = settled(&self->m).mapped_pages;
	uint8_t *mem = huge_memory();

	if (!mem)
		SKIP(return, "no huge page is free");
	ASSERT_EQ(0, map_hole(&self->m, mem, HUGE_SIZE, RW));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE, 1));
	EXPECT_EQ(before + HUGE_SIZE / PAGE, aspace_stats(&self->m).mapped_pages);
	ASSERT_EQ(0, protect_memory(self->m.g.aspace, GUEST_HOLE, HUGE_SIZE,
				    RW | AXVCPU_MAP_LOG_DIRTY));
	EXPECT_EQ(0, get_dirty(self->m.g.aspace, GUEST_HOLE, HUGE_SIZE, bits));
	EXPECT_EQ(0, poke(&self->m, GUEST_HOLE + 70 * PAGE, 2));
	EXPECT_EQ(0, get_dirty(self->m.g.aspace, GUEST_HOLE, HUGE_SIZE, bits));
	EXPECT_EQ(0, bits[0]);
	EXPECT_EQ(1 << 6, bits[1]);
	EXPECT_EQ(1, *(uint64_t *)mem);
}

TEST_HARNESS_MAIN
