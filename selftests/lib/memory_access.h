/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that reads and writes memory word by word, as a test tells it. */
#ifndef _SELFTESTS_MEMORY_ACCESS_H
#define _SELFTESTS_MEMORY_ACCESS_H

#include <unistd.h>

#include "guest.h"

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define RW		(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE)
#define HUGE_SIZE	0x200000ULL

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/**
 * struct memory_guest - the guest
 * @g: its memory, which is not what is tested
 * @peeker: vCPU 0, which reads
 * @poker: vCPU 1, which writes
 */
struct memory_guest {
	struct guest g;
	struct guest_vcpu peeker;
	struct guest_vcpu poker;
};

int memory_guest_create(struct memory_guest *m);
void memory_guest_destroy(struct memory_guest *m);

/* -EFAULT: the guest's access was a NESTED_PAGE_FAULT exit. */

int access_gpa(struct guest_vcpu *v, uint64_t gpa);
int peek(struct memory_guest *m, uint64_t gpa, uint64_t *value);
int poke(struct memory_guest *m, uint64_t gpa, uint64_t value);

struct axvcpu_aspace_stats aspace_stats(struct memory_guest *m);
struct axvcpu_aspace_stats settled(struct memory_guest *m);
int map_hole(struct memory_guest *m, void *mem, uint64_t size, uint32_t flags);

void *host_memory(uint64_t size, int prot, int flags);
void *private_memory(uint64_t size);
uint8_t *huge_memory(void);

/**
 * MEMORY_FIXTURE() - a fixture that is such a guest, and no more
 * @name: the fixture
 */
#define MEMORY_FIXTURE(name)					\
FIXTURE(name) {							\
	struct memory_guest m;					\
};								\
								\
FIXTURE_SETUP(name)						\
{								\
	ASSERT_EQ(0, memory_guest_create(&self->m));		\
}								\
								\
FIXTURE_TEARDOWN(name)						\
{								\
	memory_guest_destroy(&self->m);				\
}

/** EXPECT_PEEK() - the guest finds a value at an address */
#define EXPECT_PEEK(gpa, expected) do {				\
	uint64_t value_;					\
								\
	EXPECT_EQ(0, peek(&self->m, gpa, &value_));		\
	EXPECT_EQ((uint64_t)(expected), value_);		\
} while (0)

/** EXPECT_NO_PEEK() - the guest can't read there, with some flags in the exit */
#define EXPECT_NO_PEEK(gpa, expected_flags) do {		\
	const struct axvcpu_run *run_ = self->m.peeker.run;	\
	uint64_t value_;					\
								\
	EXPECT_EQ(-EFAULT, peek(&self->m, gpa, &value_));	\
	EXPECT_EQ(AXVCPU_MAP_READ, run_->fault.access);		\
	EXPECT_EQ(expected_flags, run_->fault.flags & AXVCPU_FAULT_BAD_HOST); \
} while (0)

/** EXPECT_NO_POKE() - the guest can't write there, with some flags in the exit */
#define EXPECT_NO_POKE(gpa, expected_flags) do {		\
	const struct axvcpu_run *run_ = self->m.poker.run;	\
								\
	EXPECT_EQ(-EFAULT, poke(&self->m, gpa, 0));		\
	EXPECT_EQ(AXVCPU_MAP_WRITE, run_->fault.access & AXVCPU_MAP_WRITE); \
	EXPECT_EQ(expected_flags, run_->fault.flags & AXVCPU_FAULT_BAD_HOST); \
} while (0)

#endif /* _SELFTESTS_MEMORY_ACCESS_H */
