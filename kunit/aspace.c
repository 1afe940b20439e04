// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: the arithmetic of ranges, what a fault fills, and when a
 * shootdown is due. What needs a running guest is in selftests/memory*.c.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page-flags.h>
#include <linux/uaccess.h>

#include "axvcpu_aspace.h"
#include "axvcpu_compat.h"
#include "axvcpu_zap.h"
#include "fault.h"
#include "zap.h"

#define MAX_RANGES	32768
#define FEW		8UL		/* pages of memory that each test has */
#define MANY		1024UL		/* and that one has besides */
#define GPA		0x40000000ULL
#define RO		AXVCPU_MAP_READ
#define RW		(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE)

struct fixture {
	struct axvcpu_aspace *aspace;
	unsigned long mem;
};

/* Also gives the test's thread an mm. */
static unsigned long host_memory(struct kunit *test, unsigned long pages)
{
	return kunit_vm_mmap(test, NULL, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
}

static int aspace_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->mem = host_memory(test, FEW);
	if (!f->mem)
		return -ENOMEM;
	f->aspace = axvcpu_aspace_create();
	if (IS_ERR(f->aspace))
		return PTR_ERR(f->aspace);
	test->priv = f;
	return 0;
}

static void aspace_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f)
		axvcpu_aspace_put(f->aspace);
}

static int map(struct fixture *f, u64 gpa, u64 size, u64 uaddr, u32 flags)
{
	struct axvcpu_map map = { .gpa = gpa, .size = size, .uaddr = uaddr, .flags = flags };

	return axvcpu_aspace_map(f->aspace, &map);
}

static int unmap(struct fixture *f, u64 gpa, u64 size)
{
	struct axvcpu_unmap unmap = { .gpa = gpa, .size = size };

	return axvcpu_aspace_unmap(f->aspace, &unmap);
}

/* Returns the fault's flags in *@flags. */
static int fault(struct fixture *f, u64 gpa, u32 access, u32 *flags)
{
	struct axvcpu_fault fault = { .gpa = axvcpu_gpa(gpa), .access = access };
	int ret = axvcpu_aspace_fault(f->aspace, &fault);

	*flags = fault.flags;
	return ret;
}

static struct axvcpu_aspace_stats stats(struct fixture *f)
{
	struct axvcpu_aspace_stats stats;

	axvcpu_aspace_get_stats(f->aspace, &stats);
	return stats;
}

/* The leaf, by way of the root that the hardware gets. */
static u64 leaf(struct fixture *f, u64 gpa)
{
	struct axvcpu_s2 s2 = {
		.format = axvcpu_arch.s2,
		.root = phys_to_virt(axvcpu_aspace_root(f->aspace).val),
	};
	unsigned int level;

	return axvcpu_s2_lookup(&s2, axvcpu_gpa(gpa), &level);
}

#define EXPECT_FAULT(result, expected_flags, gpa, access) do {	\
	u32 flags_;						\
								\
	KUNIT_EXPECT_EQ(test, fault(f, gpa, access, &flags_), result);	\
	KUNIT_EXPECT_EQ(test, flags_, expected_flags);		\
} while (0)

static void refuses_ranges_that_overflow(struct kunit *test)
{
	struct fixture *f = test->priv;
	const u64 page = PAGE_SIZE, limit = BIT_ULL(axvcpu_arch.s2->gpa_bits), top = -page;
	const struct {
		int err;
		u64 gpa, size, uaddr;
	} cases[] = {
		{ -EINVAL, 0, 0, f->mem },
		{ -EINVAL, limit, 0, f->mem },
		{ -EINVAL, limit, page, f->mem },
		{ -EINVAL, limit - page, 2 * page, f->mem },
		{ -EINVAL, limit - page, top, f->mem },
		{ -EINVAL, page, top, f->mem },
		{ -EINVAL, 2 * page, top, f->mem },
		{ -EINVAL, top, page, f->mem },
		{ -EINVAL, top, top, f->mem },
		{ -EINVAL, 0, limit + page, 0 },
		{ -EINVAL, 0, page, top },
		{ -EINVAL, 0, 2 * page, top },
		{ -EFAULT, 0, page, TASK_SIZE },
		{ -EFAULT, 0, 2 * page, TASK_SIZE - page },
		{ -EFAULT, 0, page, top - page },
		{ -EINVAL, 1, page, f->mem },
		{ -EINVAL, 0, page + 1, f->mem },
		{ -EINVAL, 0, page, f->mem + 1 },
		{ -EINVAL, page / 2, page, f->mem },
		{ 0, 0, page, TASK_SIZE - page },
		{ 0, limit - page, page, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = map(f, cases[i].gpa, cases[i].size, cases[i].uaddr, RW);

		KUNIT_EXPECT_EQ_MSG(test, err, cases[i].err, "case %u", i);
		if (!err)
			KUNIT_EXPECT_EQ(test, unmap(f, cases[i].gpa, cases[i].size), 0);
		KUNIT_EXPECT_EQ(test, stats(f).ranges, 0);
	}
}

#define OVERLAP	5

/* Every range of 5 pages against every other, by the definition of overlap. */
static void refuses_every_overlap(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int first, n, first2, n2;

	for (first = 0; first < OVERLAP; first++) {
		for (n = 1; first + n <= OVERLAP; n++) {
			KUNIT_ASSERT_EQ(test, map(f, GPA + first * PAGE_SIZE, n * PAGE_SIZE,
						  f->mem, RW), 0);
			for (first2 = 0; first2 < OVERLAP; first2++) {
				for (n2 = 1; first2 + n2 <= OVERLAP; n2++) {
					bool overlap = first2 < first + n && first < first2 + n2;
					u64 gpa = GPA + first2 * PAGE_SIZE;
					int err = map(f, gpa, n2 * PAGE_SIZE, f->mem, RW);

					KUNIT_EXPECT_EQ(test, err, overlap ? -EEXIST : 0);
					if (!err)
						unmap(f, gpa, n2 * PAGE_SIZE);
				}
			}
			KUNIT_ASSERT_EQ(test, unmap(f, GPA + first * PAGE_SIZE, n * PAGE_SIZE), 0);
		}
	}
}

static void refuses_bad_flags(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct axvcpu_map reserved = { GPA, PAGE_SIZE, f->mem, RW, 1 };
	struct axvcpu_unmap unmap_reserved = { GPA, PAGE_SIZE, 1 };
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, AXVCPU_MAP_ALL & ~RO), -EINVAL);
	for (bit = 4; bit < 32; bit++)
		KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW | BIT(bit)), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_map(f->aspace, &reserved), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_unmap(f->aspace, &unmap_reserved), -EINVAL);
}

static void has_a_limit_of_ranges(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	if (IS_ENABLED(CONFIG_KASAN))
		kunit_skip(test, "takes minutes with KASAN");
	for (i = 0; i < MAX_RANGES; i++)
		KUNIT_ASSERT_EQ(test, map(f, GPA + i * 2 * PAGE_SIZE, PAGE_SIZE, f->mem, RW), 0);
	KUNIT_EXPECT_EQ(test, map(f, 0, PAGE_SIZE, f->mem, RW), -ENOSPC);
	KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, map(f, 0, PAGE_SIZE, f->mem, RW), 0);
	/* The rest goes with the address space. */
}

static void belongs_to_its_mm(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mm_struct *mm = current->mm;

	KUNIT_EXPECT_TRUE(test, axvcpu_aspace_is_ours(f->aspace));
	current->mm = NULL;
	KUNIT_EXPECT_FALSE(test, axvcpu_aspace_is_ours(f->aspace));
	KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), -EIO);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA, PAGE_SIZE), -EIO);
	current->mm = mm;
	KUNIT_EXPECT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
}

/* What a kernel thread makes has nothing to map, and is of no harm. */
static void may_have_no_mm(struct kunit *test)
{
	struct mm_struct *mm = current->mm;
	struct fixture f = {};

	current->mm = NULL;
	f.aspace = axvcpu_aspace_create();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f.aspace);
	KUNIT_EXPECT_EQ(test, map(&f, GPA, PAGE_SIZE, 0, RW), -EIO);
	KUNIT_EXPECT_EQ(test, unmap(&f, GPA, PAGE_SIZE), -ENOENT);
	current->mm = mm;
	axvcpu_aspace_put(f.aspace);
}

static void faults_fill_or_tell(struct kunit *test)
{
	struct fixture *f = test->priv;

	EXPECT_FAULT(-EFAULT, 0, GPA, AXVCPU_MAP_READ);
	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RO), 0);
	EXPECT_FAULT(-EFAULT, 0, GPA - 1, AXVCPU_MAP_READ);
	EXPECT_FAULT(-EFAULT, 0, GPA + PAGE_SIZE, AXVCPU_MAP_READ);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_PROTECTION, GPA, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_PROTECTION, GPA, AXVCPU_MAP_EXEC);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 0);
	EXPECT_FAULT(0, 0, GPA + PAGE_SIZE - 1, AXVCPU_MAP_READ);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 1);
	/* As when two vCPUs fault on one page. */
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_READ);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 1);
	/* Those outside of any range do not count. */
	KUNIT_EXPECT_EQ(test, stats(f).faults, 4);

	KUNIT_ASSERT_EQ(test, map(f, 2 * GPA, PAGE_SIZE, PAGE_SIZE, RW), 0);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_BAD_HOST, 2 * GPA, AXVCPU_MAP_READ);
}

static void write_faults_raise_access(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 zero;

	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_READ);
	zero = leaf(f, GPA);
	KUNIT_EXPECT_FALSE(test, axvcpu_s2_writable(axvcpu_arch.s2, zero));
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(axvcpu_arch.s2, leaf(f, GPA)));
	KUNIT_EXPECT_NE(test, (leaf(f, GPA) ^ zero) & axvcpu_arch.s2->addr_mask, 0);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 1);
}

/* A range that is aligned with nothing: the fill stays inside it. */
static void fills_around_inside_the_range(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 first = GPA - 3 * PAGE_SIZE;
	unsigned long i, mem = host_memory(test, MANY);

	KUNIT_ASSERT_NE(test, mem, 0);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_EQ(test, put_user(1, (u8 __user *)(mem + i * PAGE_SIZE)), 0);
	KUNIT_ASSERT_EQ(test, map(f, first, (MANY - 7) * PAGE_SIZE, mem + PAGE_SIZE, RW), 0);

	EXPECT_FAULT(0, 0, first + PAGE_SIZE, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 3);
	EXPECT_FAULT(0, 0, GPA + 5 * PAGE_SIZE, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 3 + 512);
	EXPECT_FAULT(0, 0, first + (MANY - 8) * PAGE_SIZE, AXVCPU_MAP_READ);
	KUNIT_EXPECT_EQ(test, leaf(f, first - PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, first + (MANY - 7) * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, MANY - 7);
	for (i = 0; i < MANY - 7; i++) {
		u64 l = leaf(f, first + i * PAGE_SIZE);

		KUNIT_ASSERT_TRUE(test, axvcpu_s2_writable(axvcpu_arch.s2, l));
	}
}

static void follows_the_host(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, map(f, GPA, 4 * PAGE_SIZE, f->mem, RW), 0);
	KUNIT_ASSERT_EQ(test, map(f, 2 * GPA, 4 * PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, GPA + 2 * PAGE_SIZE, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, 2 * GPA, AXVCPU_MAP_READ);
	KUNIT_ASSERT_NE(test, leaf(f, 2 * GPA), 0);

	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, 2 * GPA), 0);
	KUNIT_EXPECT_NE(test, leaf(f, GPA + 2 * PAGE_SIZE), 0);
	/* It is heard once, whatever shows the memory to the guest. */
	KUNIT_EXPECT_EQ(test, stats(f).invalidations, 1);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_BAD_HOST, GPA, AXVCPU_MAP_READ);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA + 2 * PAGE_SIZE), 0);
	/* The other range still listens. */
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).invalidations, 2);
	KUNIT_EXPECT_EQ(test, unmap(f, 2 * GPA, 4 * PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).invalidations, 2);
}

/* A shootdown is due when a leaf goes, and for CPUs that are loaded. */
static void shoots_down_when_due(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 gen = axvcpu_aspace_tlb_gen(f->aspace);
	int cpu, other;

	KUNIT_EXPECT_NE(test, gen, 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen);

	KUNIT_ASSERT_EQ(test, unmap(f, GPA, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen + 1);
	KUNIT_EXPECT_EQ(test, stats(f).shootdowns, 0);

	cpu = get_cpu();
	other = cpumask_any_but(cpu_online_mask, cpu);
	put_cpu();
	axvcpu_aspace_enter_cpu(f->aspace, other < nr_cpu_ids ? other : cpu);
	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
	KUNIT_ASSERT_EQ(test, unmap(f, GPA, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).shootdowns, 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	KUNIT_ASSERT_EQ(test, unmap(f, GPA, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen + 2);
	KUNIT_EXPECT_EQ(test, stats(f).shootdowns, 1);
	axvcpu_aspace_leave_cpu(f->aspace, other < nr_cpu_ids ? other : cpu);
}

/** axvcpu_kunit_give_way - see zap.h */
void (*axvcpu_kunit_give_way)(void);

static struct {
	struct fixture *f;
	u64 gen;
	unsigned int times;
} given_way;

static void look_at_generation(void)
{
	given_way.gen = axvcpu_aspace_tlb_gen(given_way.f->aspace);
	given_way.times++;
}

/* Who finds the lock free and no leaf may rely on it: no CPU remembers one. */
static void flushes_before_it_gives_way(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 gen = axvcpu_aspace_tlb_gen(f->aspace);

	KUNIT_ASSERT_EQ(test, map(f, GPA, PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	given_way = (typeof(given_way)){ .f = f };
	WRITE_ONCE(axvcpu_kunit_give_way, look_at_generation);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA, PAGE_SIZE), 0);
	WRITE_ONCE(axvcpu_kunit_give_way, NULL);
	KUNIT_EXPECT_EQ(test, given_way.times, 1);
	KUNIT_EXPECT_EQ(test, given_way.gen, gen + 1);
}

/* Another event of the same memory, whenever the first one gives way */
static void let_another_event_in(void)
{
	void (*hook)(void) = axvcpu_kunit_give_way;
	struct fixture *f = given_way.f;

	/* Rather than for ever */
	if (++given_way.times > 64)
		hook = NULL;
	WRITE_ONCE(axvcpu_kunit_give_way, NULL);
	spin_lock(&f->aspace->lock);
	axvcpu_zap_user(f->aspace, f->mem, f->mem + PAGE_SIZE - 1, false);
	spin_unlock(&f->aspace->lock);
	WRITE_ONCE(axvcpu_kunit_give_way, hook);
}

/* Each range is done once, also when events take turns, and ranges keep other leaves. */
static void events_get_to_their_end(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 1; i <= 8; i++) {
		KUNIT_ASSERT_EQ(test, map(f, i * GPA, 2 * PAGE_SIZE, f->mem, RW), 0);
		EXPECT_FAULT(0, 0, i * GPA, AXVCPU_MAP_WRITE);
		EXPECT_FAULT(0, 0, i * GPA + PAGE_SIZE, AXVCPU_MAP_WRITE);
	}
	given_way = (typeof(given_way)){ .f = f };
	WRITE_ONCE(axvcpu_kunit_give_way, let_another_event_in);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->mem, PAGE_SIZE), 0);
	WRITE_ONCE(axvcpu_kunit_give_way, NULL);
	KUNIT_EXPECT_EQ(test, given_way.times, 8);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 8);
}

static int protect(struct fixture *f, u64 gpa, u64 size, u32 flags)
{
	struct axvcpu_protect protect = { .gpa = gpa, .size = size, .flags = flags };

	return axvcpu_aspace_protect(f->aspace, &protect);
}

static void changes_what_the_guest_may_do(struct kunit *test)
{
	struct axvcpu_protect reserved = { GPA, 2 * PAGE_SIZE, RO, 1 };
	struct fixture *f = test->priv;
	u64 gen;

	KUNIT_ASSERT_EQ(test, map(f, GPA, 2 * PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, 2 * PAGE_SIZE, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, 2 * PAGE_SIZE, AXVCPU_MAP_WRITE), -EINVAL);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, 2 * PAGE_SIZE, RO | BIT(4)), -EINVAL);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_protect(f->aspace, &reserved), -EINVAL);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, 3 * PAGE_SIZE, RO), -ENOENT);
	KUNIT_EXPECT_EQ(test, protect(f, GPA - PAGE_SIZE, 3 * PAGE_SIZE, RO), -ENOENT);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, 0, RO), -EINVAL);
	KUNIT_EXPECT_EQ(test, protect(f, GPA + 1, PAGE_SIZE, RO), -EINVAL);
	KUNIT_EXPECT_EQ(test, protect(f, GPA, -PAGE_SIZE, RO), -EINVAL);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(axvcpu_arch.s2, leaf(f, GPA)));

	gen = axvcpu_aspace_tlb_gen(f->aspace);
	KUNIT_ASSERT_EQ(test, protect(f, GPA, 2 * PAGE_SIZE, RO), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen + 1);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_PROTECTION, GPA, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_READ);
	KUNIT_EXPECT_FALSE(test, axvcpu_s2_writable(axvcpu_arch.s2, leaf(f, GPA)));

	KUNIT_ASSERT_EQ(test, protect(f, GPA, 2 * PAGE_SIZE, RW), 0);
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(axvcpu_arch.s2, leaf(f, GPA)));
}

/* As the hardware does it. */
static void mark_by_guest(struct fixture *f, u64 gpa, u64 bit)
{
	const struct axvcpu_s2_format *format = axvcpu_arch.s2;
	u64 *table = phys_to_virt(axvcpu_aspace_root(f->aspace).val);
	unsigned int level = format->levels - 1;

	for (;; level--) {
		u64 *entry = table + (gpa >> axvcpu_s2_level_shift(format, level) &
				      (BIT(format->level_bits) - 1));

		if (!level) {
			*entry |= bit;
			return;
		}
		table = phys_to_virt(*entry & format->addr_mask);
	}
}

static void write_by_guest(struct fixture *f, u64 gpa)
{
	mark_by_guest(f, gpa, axvcpu_arch.s2->dirty);
}

static int get_dirty_of(struct fixture *f, u64 gpa, u64 size, u64 uaddr)
{
	struct axvcpu_get_dirty dirty = { .gpa = gpa, .size = size, .bitmap = uaddr };

	return axvcpu_aspace_get_dirty(f->aspace, &dirty);
}

/* C8: any part of what is mapped, over several ranges, all of it or nothing. */
static void takes_parts(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, map(f, GPA, 4 * PAGE_SIZE, f->mem, RW), 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA + 4 * PAGE_SIZE, 4 * PAGE_SIZE, f->mem + 4 * PAGE_SIZE,
				  RW), 0);
	for (i = 0; i < 8; i++)
		EXPECT_FAULT(0, 0, GPA + i * PAGE_SIZE, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA + 7 * PAGE_SIZE, 2 * PAGE_SIZE), -ENOENT);
	KUNIT_EXPECT_EQ(test, stats(f).ranges, 2);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 8);

	KUNIT_ASSERT_EQ(test, protect(f, GPA + 2 * PAGE_SIZE, 4 * PAGE_SIZE, RO), 0);
	KUNIT_EXPECT_EQ(test, stats(f).ranges, 4);
	/* What is at both sides of a cut comes back with a fault. */
	for (i = 0; i < 8; i++) {
		if (i >= 2 && i < 6)
			EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_PROTECTION, GPA + i * PAGE_SIZE,
				     AXVCPU_MAP_WRITE);
		else
			EXPECT_FAULT(0, 0, GPA + i * PAGE_SIZE, AXVCPU_MAP_WRITE);
	}
	KUNIT_ASSERT_EQ(test, unmap(f, GPA + PAGE_SIZE, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).ranges, 4);
	KUNIT_EXPECT_EQ(test, unmap(f, GPA, 8 * PAGE_SIZE), -ENOENT);
	EXPECT_FAULT(-EFAULT, 0, GPA + 2 * PAGE_SIZE, AXVCPU_MAP_READ);
	EXPECT_FAULT(0, 0, GPA + 3 * PAGE_SIZE, AXVCPU_MAP_READ);

	/* All parts hear of their own memory, */
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem + 7 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA + 7 * PAGE_SIZE), 0);
	KUNIT_EXPECT_NE(test, leaf(f, GPA + 6 * PAGE_SIZE), 0);
	/* and no more than that is left. */
	KUNIT_ASSERT_EQ(test, unmap(f, GPA, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, unmap(f, GPA + 3 * PAGE_SIZE, 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).ranges, 0);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 0);
}

/* Address 0 is one as others are. */
static void begins_at_0(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long log = host_memory(test, 1);

	KUNIT_ASSERT_EQ(test, map(f, 0, 2 * PAGE_SIZE, f->mem, RW), 0);
	EXPECT_FAULT(0, 0, 0, AXVCPU_MAP_WRITE);
	KUNIT_ASSERT_EQ(test, protect(f, 0, PAGE_SIZE, RO), 0);
	EXPECT_FAULT(-EFAULT, AXVCPU_FAULT_PROTECTION, 0, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, PAGE_SIZE, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, get_dirty_of(f, 0, PAGE_SIZE, log), -EINVAL);
	KUNIT_ASSERT_EQ(test, unmap(f, 0, PAGE_SIZE), 0);
	EXPECT_FAULT(-EFAULT, 0, 0, AXVCPU_MAP_READ);
}

/* Ranges of user memory that overlaps, in every order: one listener, while there is one. */
static void shares_listeners(struct kunit *test)
{
	static const struct {
		u8 first, pages, listeners;
	} steps[] = {
		{ 0, 2, 1 }, { 4, 2, 2 }, { 1, 1, 2 }, { 1, 4, 1 }, { 0, 8, 1 }, { 6, 2, 1 },
	};
	struct fixture *f = test->priv;
	unsigned int i;
	u64 before;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		KUNIT_ASSERT_EQ(test, map(f, GPA * (i + 1), steps[i].pages * PAGE_SIZE,
					  f->mem + steps[i].first * PAGE_SIZE, RW), 0);
		EXPECT_FAULT(0, 0, GPA * (i + 1), AXVCPU_MAP_WRITE);
		before = stats(f).invalidations;
		KUNIT_ASSERT_EQ(test, vm_mmap(NULL, f->mem, FEW * PAGE_SIZE, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0), f->mem);
		KUNIT_EXPECT_EQ_MSG(test, stats(f).invalidations - before, steps[i].listeners,
				    "step %u", i);
		KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, 0);
	}
	while (i--)
		KUNIT_ASSERT_EQ(test, unmap(f, GPA * (i + 1), steps[i].pages * PAGE_SIZE), 0);
	before = stats(f).invalidations;
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem, FEW * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stats(f).invalidations, before);
}

static bool age(struct fixture *f, unsigned int page, bool clear)
{
	unsigned long uaddr = f->mem + page * PAGE_SIZE;
	bool young;

	spin_lock(&f->aspace->lock);
	young = axvcpu_zap_age(f->aspace, uaddr, uaddr + PAGE_SIZE - 1, clear, clear);
	spin_unlock(&f->aspace->lock);
	return young;
}

/* C1: used by the guest, through whatever range */
static void ages(struct kunit *test)
{
	const u64 accessed = axvcpu_arch.s2->accessed;
	struct fixture *f = test->priv;
	u64 gen;

	KUNIT_ASSERT_EQ(test, map(f, GPA, 4 * PAGE_SIZE, f->mem, RW), 0);
	KUNIT_ASSERT_EQ(test, map(f, 2 * GPA, 4 * PAGE_SIZE, f->mem, RW), 0);
	KUNIT_EXPECT_FALSE(test, age(f, 0, true));
	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, 2 * GPA, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_FALSE(test, age(f, 0, true));

	mark_by_guest(f, 2 * GPA, accessed);
	gen = axvcpu_aspace_tlb_gen(f->aspace);
	KUNIT_EXPECT_TRUE(test, age(f, 0, false));
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen);
	KUNIT_EXPECT_FALSE(test, age(f, 1, true));
	KUNIT_EXPECT_TRUE(test, age(f, 0, true));
	KUNIT_EXPECT_EQ(test, axvcpu_aspace_tlb_gen(f->aspace), gen + 1);
	KUNIT_EXPECT_FALSE(test, age(f, 0, true));
	KUNIT_EXPECT_NE(test, leaf(f, 2 * GPA), 0);
}

static int get_dirty(struct fixture *f, u64 uaddr)
{
	return get_dirty_of(f, GPA, FEW * PAGE_SIZE, uaddr);
}

#define EXPECT_DIRTY(expected) do {							\
	u64 bits_ = ~0ULL;								\
											\
	KUNIT_EXPECT_EQ(test, get_dirty(f, log), 0);					\
	KUNIT_ASSERT_EQ(test, copy_from_user(&bits_, (void __user *)log, 8), 0);	\
	KUNIT_EXPECT_EQ(test, bits_, expected);						\
} while (0)

static void tells_once_what_was_written(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long log = host_memory(test, 1);

	KUNIT_ASSERT_NE(test, log, 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA, FEW * PAGE_SIZE, f->mem, RW), 0);
	KUNIT_EXPECT_EQ(test, get_dirty(f, log), -EINVAL);
	KUNIT_ASSERT_EQ(test, protect(f, GPA, FEW * PAGE_SIZE, RW | AXVCPU_MAP_LOG_DIRTY), 0);
	EXPECT_DIRTY(0);

	EXPECT_FAULT(0, 0, GPA, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, GPA + 5 * PAGE_SIZE, AXVCPU_MAP_WRITE);
	EXPECT_FAULT(0, 0, GPA + 6 * PAGE_SIZE, AXVCPU_MAP_READ);
	write_by_guest(f, GPA);
	write_by_guest(f, GPA + 5 * PAGE_SIZE);
	/* Nothing is lost where the answer can't be stored, */
	KUNIT_EXPECT_EQ(test, get_dirty(f, PAGE_SIZE), -EFAULT);
	EXPECT_DIRTY(BIT(0) | BIT(5));
	EXPECT_DIRTY(0);

	/* nor with a leaf. */
	write_by_guest(f, GPA + 5 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(f->mem + 5 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA + 5 * PAGE_SIZE), 0);
	EXPECT_DIRTY(BIT(5));
}

#define EXPECT_DIRTY_OF(first, pages, expected) do {					\
	u64 bits_ = ~0ULL;								\
											\
	KUNIT_EXPECT_EQ(test, get_dirty_of(f, GPA + (first) * PAGE_SIZE,		\
					   (pages) * PAGE_SIZE, log), 0);		\
	KUNIT_ASSERT_EQ(test, copy_from_user(&bits_, (void __user *)log, 8), 0);	\
	KUNIT_EXPECT_EQ(test, bits_, expected);						\
} while (0)

/* The parts of a range keep what it knew; several ranges' logs make one. */
static void tells_what_was_written_in_parts(struct kunit *test)
{
	const u32 logged = RW | AXVCPU_MAP_LOG_DIRTY;
	struct fixture *f = test->priv;
	unsigned long log = host_memory(test, 1);
	unsigned int i;

	KUNIT_ASSERT_NE(test, log, 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA, 5 * PAGE_SIZE, f->mem, logged), 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA + 5 * PAGE_SIZE, 3 * PAGE_SIZE, f->mem + 5 * PAGE_SIZE,
				  RW), 0);
	for (i = 0; i < FEW; i++) {
		EXPECT_FAULT(0, 0, GPA + i * PAGE_SIZE, AXVCPU_MAP_WRITE);
		if (i % 2)
			write_by_guest(f, GPA + i * PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, get_dirty(f, log), -EINVAL);
	KUNIT_EXPECT_EQ(test, get_dirty_of(f, GPA + 2 * PAGE_SIZE, 7 * PAGE_SIZE, log), -ENOENT);
	KUNIT_ASSERT_EQ(test, protect(f, GPA + 2 * PAGE_SIZE, 6 * PAGE_SIZE, logged), 0);
	/* Of 5 and 7 it was known before they had a log. */
	EXPECT_DIRTY_OF(1, 3, BIT(0) | BIT(2));
	EXPECT_DIRTY_OF(0, 5, 0);
	KUNIT_ASSERT_EQ(test, get_dirty(f, log), 0);

	for (i = 0; i < FEW; i++) {
		EXPECT_FAULT(0, 0, GPA + i * PAGE_SIZE, AXVCPU_MAP_WRITE);
		if (i % 3 == 1)
			write_by_guest(f, GPA + i * PAGE_SIZE);
	}
	/* Cut where the log tells something, and taken back where it can't be stored */
	KUNIT_ASSERT_EQ(test, unmap(f, GPA + 3 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, get_dirty_of(f, GPA + 4 * PAGE_SIZE, 4 * PAGE_SIZE, PAGE_SIZE),
			-EFAULT);
	EXPECT_DIRTY_OF(4, 4, BIT(0) | BIT(3));
	EXPECT_DIRTY_OF(0, 3, BIT(1));
	EXPECT_DIRTY_OF(0, 3, 0);
}

/* The host brings in 1, 2, 4, 8, 16 for a guest that goes from page to page. */
static void brings_in_ahead(struct kunit *test)
{
	static const struct {
		unsigned int page, mapped;
	} steps[] = {
		{ 0, 1 }, { 1, 3 }, { 3, 7 }, { 7, 15 },
		{ 15, 16 },		/* the end of a window */
		{ 16, 32 }, { 32, 48 },
		{ 60, 49 }, { 56, 50 },	/* it goes elsewhere */
	};
	struct fixture *f = test->priv;
	unsigned long mem = host_memory(test, 64);
	unsigned int i;

	KUNIT_ASSERT_NE(test, mem, 0);
	KUNIT_ASSERT_EQ(test, map(f, GPA, 64 * PAGE_SIZE, mem, RW), 0);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		EXPECT_FAULT(0, 0, GPA + steps[i].page * PAGE_SIZE, AXVCPU_MAP_WRITE);
		KUNIT_EXPECT_EQ_MSG(test, stats(f).mapped_pages, steps[i].mapped,
				    "page %u", steps[i].page);
	}
}

/** axvcpu_kunit_stale_looks - so many looks at the host's memory come to nothing */
unsigned int axvcpu_kunit_stale_looks;

/* An aligned huge page of the host's; 0: none is free. */
static unsigned long huge_page(struct kunit *test, u64 size, u64 *hpa)
{
	unsigned long mem = ALIGN(host_memory(test, 2 * size / PAGE_SIZE), size);
	struct page *page;

	if (!mem)
		return 0;
	mmap_write_lock(current->mm);
	vm_flags_set(vma_lookup(current->mm, mem), VM_HUGEPAGE);
	mmap_write_unlock(current->mm);
	if (put_user(1, (u8 __user *)mem) || get_user_pages_fast(mem, 1, 0, &page) != 1)
		return 0;
	*hpa = page_to_phys(page);
	if (!PageTransHuge(page))
		mem = 0;
	put_page(page);
	return mem;
}

/* A large leaf points to the same page, however often the host had to be looked at. */
static void looks_again_at_the_same_page(struct kunit *test)
{
	const struct axvcpu_s2_format *format = axvcpu_arch.s2;
	u64 size = BIT_ULL(axvcpu_s2_level_shift(format, 1));
	struct fixture *f = test->priv;
	unsigned long mem;
	u64 hpa;

	mem = huge_page(test, size, &hpa);
	if (!mem)
		kunit_skip(test, "no huge page is free");
	KUNIT_ASSERT_EQ(test, map(f, GPA, size, mem, RW), 0);
	axvcpu_kunit_stale_looks = 2;
	EXPECT_FAULT(0, 0, GPA + size / 2, AXVCPU_MAP_READ);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_stale_looks, 0);
	KUNIT_EXPECT_EQ(test, leaf(f, GPA) & format->addr_mask, hpa);
	KUNIT_EXPECT_EQ(test, stats(f).mapped_pages, size / PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, stats(f).fault_retries, 2);
}

static struct kunit_case aspace_cases[] = {
	KUNIT_CASE(refuses_ranges_that_overflow),
	KUNIT_CASE(refuses_every_overlap),
	KUNIT_CASE(refuses_bad_flags),
	KUNIT_CASE(has_a_limit_of_ranges),
	KUNIT_CASE(belongs_to_its_mm),
	KUNIT_CASE(may_have_no_mm),
	KUNIT_CASE(faults_fill_or_tell),
	KUNIT_CASE(write_faults_raise_access),
	KUNIT_CASE(fills_around_inside_the_range),
	KUNIT_CASE(follows_the_host),
	KUNIT_CASE(shoots_down_when_due),
	KUNIT_CASE(flushes_before_it_gives_way),
	KUNIT_CASE(events_get_to_their_end),
	KUNIT_CASE(changes_what_the_guest_may_do),
	KUNIT_CASE(takes_parts),
	KUNIT_CASE(begins_at_0),
	KUNIT_CASE(shares_listeners),
	KUNIT_CASE(ages),
	KUNIT_CASE(tells_once_what_was_written),
	KUNIT_CASE(tells_what_was_written_in_parts),
	KUNIT_CASE(brings_in_ahead),
	KUNIT_CASE(looks_again_at_the_same_page),
	{}
};

static struct kunit_suite aspace_suite = {
	.name = "axvcpu_aspace",
	.init = aspace_test_init,
	.exit = aspace_test_exit,
	.test_cases = aspace_cases,
};

kunit_test_suites(&aspace_suite);
