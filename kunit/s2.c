// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table walker, over formats of the shapes that hardware has: different
 * page sizes, depths, and roots of several pages.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "axvcpu_s2.h"

#define S2_READ		BIT_ULL(0)
#define S2_WRITE		BIT_ULL(1)
#define S2_EXEC		BIT_ULL(2)
#define S2_LARGE		BIT_ULL(7)
#define S2_DIRTY		BIT_ULL(9)
#define S2_NX		BIT_ULL(10)
#define RO		1	/* access, as an index of prot */
#define RW		3
#define RWX		7

/* Entries as EPT has them; the shape is the parameter. */
#define SHAPE(name_, gpa_bits_, levels_, page_shift_, level_bits_, root_order_) {	\
	.name = name_,									\
	.format = {									\
		.gpa_bits = gpa_bits_,							\
		.levels = levels_,							\
		.page_shift = page_shift_,						\
		.level_bits = level_bits_,						\
		.root_order = root_order_,						\
		.leaf_levels = BIT(0) | BIT(1) | BIT(2),				\
		.addr_mask = GENMASK_ULL(51, 12),				\
		.present_mask = S2_READ | S2_WRITE | S2_EXEC,					\
		.table_bits = S2_READ | S2_WRITE | S2_EXEC,					\
		.leaf_bits = { 6 << 3, 6 << 3 | S2_LARGE, 6 << 3 | S2_LARGE },		\
		.leaf_type_mask = S2_LARGE,						\
		.leaf_type = S2_LARGE,							\
		.prot = {									\
			[RO] = S2_READ,								\
			[RW] = S2_READ | S2_WRITE,						\
			[RWX] = S2_READ | S2_WRITE | S2_EXEC,					\
		},									\
		.write_mask = S2_WRITE,							\
		.dirty = S2_DIRTY,								\
	},										\
}

struct shape {
	const char *name;
	struct axvcpu_s2_format format;
};

static const struct shape shapes[] = {
	SHAPE("EPT, 4 levels", 48, 4, 12, 9, 0),
	SHAPE("EPT, 4 levels, 39 bits used", 39, 4, 12, 9, 0),
	SHAPE("5 levels", 52, 5, 12, 9, 0),
	SHAPE("RISC-V Sv39x4", 41, 3, 12, 9, 2),
	SHAPE("arm64, 4 KiB, 2 concatenated", 40, 3, 12, 9, 1),
	SHAPE("arm64, 4 KiB, 16 concatenated", 43, 3, 12, 9, 4),
	SHAPE("arm64, 16 KiB, 2 concatenated", 48, 3, 14, 11, 1),
	SHAPE("arm64, 64 KiB", 48, 3, 16, 13, 0),
};

KUNIT_ARRAY_PARAM_DESC(shape, shapes, name);

#define PAGES_AT_ONCE	64

/* What a test has: the table, and what the last zap took out. */
struct fixture {
	struct axvcpu_s2 s2;
	struct axvcpu_s2_cache cache;
	struct axvcpu_s2_zap zap;
};

static struct {
	unsigned int leaves;
	unsigned int level;
	u64 gpa;
	u64 last;
} gone;

static void leaf_gone(struct axvcpu_s2_zap *zap, u64 gpa, unsigned int level, u64 leaf)
{
	gone.leaves++;
	gone.level = level;
	gone.gpa = gpa;
	gone.last = leaf;
}

static int s2_test_init(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	struct fixture *f;

	if (shape->format.page_shift < PAGE_SHIFT)
		kunit_skip(test, "the host has larger pages");
	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->zap.gone = leaf_gone;
	INIT_LIST_HEAD(&f->zap.tables);
	return axvcpu_s2_init(&f->s2, &shape->format);
}

static u64 end_of_space(const struct fixture *f)
{
	return BIT_ULL(f->s2.format->gpa_bits);
}

static u64 page_size(const struct fixture *f)
{
	return BIT_ULL(f->s2.format->page_shift);
}

/* Returns how many leaves went. */
static unsigned int zap(struct fixture *f, u64 gpa, u64 end)
{
	gone.leaves = 0;
	f->zap.flush = false;
	f->zap.nr_runs = 0;
	while (gpa < end)
		gpa = axvcpu_s2_zap(&f->s2, gpa, end, &f->zap);
	axvcpu_s2_free_tables(&f->s2, &f->zap.tables);
	return gone.leaves;
}

static void s2_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f || !f->s2.root)
		return;
	zap(f, 0, end_of_space(f));
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 0);
	KUNIT_EXPECT_EQ(test, f->s2.tables, BIT_ULL(f->s2.format->root_order));
	axvcpu_s2_cache_drain(&f->s2, &f->cache);
	KUNIT_EXPECT_EQ(test, f->cache.nr, 0);
	axvcpu_s2_destroy(&f->s2);
}

static u64 leaf(const struct fixture *f, u64 gpa, u32 access)
{
	/* Any address that tells where it belongs; nothing follows it. */
	return (gpa & f->s2.format->addr_mask) | axvcpu_s2_leaf_bits(f->s2.format, 0, access);
}

/* As the owner does it: fill the cache when there is need. */
static int map(struct fixture *f, u64 gpa, unsigned int count, u32 access)
{
	u64 leaves[PAGES_AT_ONCE];
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++)
		leaves[i] = leaf(f, gpa + i * page_size(f), access);
	do {
		ret = axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(gpa), 0, leaves, count);
	} while (ret == -EAGAIN && !axvcpu_s2_cache_fill(&f->s2, &f->cache));
	return ret;
}

static u64 large_size(const struct fixture *f)
{
	return page_size(f) << f->s2.format->level_bits;
}

static int map_at(struct fixture *f, unsigned int level, u64 gpa, u32 access)
{
	u64 leaf = gpa | axvcpu_s2_leaf_bits(f->s2.format, level, access);
	int ret;

	do {
		ret = axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(gpa), level, &leaf, 1);
	} while (ret == -EAGAIN && !axvcpu_s2_cache_fill(&f->s2, &f->cache));
	return ret;
}

static int map_large(struct fixture *f, u64 gpa, u32 access)
{
	return map_at(f, 1, gpa, access);
}

static u64 lookup(const struct fixture *f, u64 gpa)
{
	unsigned int level;

	return axvcpu_s2_lookup(&f->s2, axvcpu_gpa(gpa), &level);
}

/* The entry itself: an independent walk, which creates nothing. */
static u64 *slot(const struct fixture *f, u64 gpa, unsigned int level)
{
	const struct axvcpu_s2_format *format = f->s2.format;
	unsigned int at = format->levels - 1;
	u64 *table = f->s2.root;
	u64 index = gpa >> (format->page_shift + at * format->level_bits);

	for (; at > level; at--) {
		table = phys_to_virt(table[index] & format->addr_mask);
		index = gpa >> (format->page_shift + (at - 1) * format->level_bits);
		index &= BIT_ULL(format->level_bits) - 1;
	}
	return &table[index];
}

static void map_needs_a_full_cache(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 one = leaf(f, 0, RW);
	unsigned int i;

	/* Too few tables: nothing may be done by halves. */
	for (i = 0; i < f->s2.format->levels - 1; i++) {
		KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, &one, 1),
				-EAGAIN);
		KUNIT_EXPECT_EQ(test, f->cache.nr, i);
		KUNIT_EXPECT_EQ(test, f->s2.tables, BIT_ULL(f->s2.format->root_order));
		KUNIT_ASSERT_EQ(test, axvcpu_s2_cache_fill(&f->s2, &f->cache), 0);
		while (f->cache.nr > i + 1)
			free_pages((unsigned long)f->cache.tables[--f->cache.nr],
				   f->s2.format->page_shift - PAGE_SHIFT);
	}
	KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, &one, 1), 1);
	KUNIT_EXPECT_EQ(test, f->cache.nr, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, &one, 1), 0);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1);
}

/* Both sides of where a table of each level ends, and both ends of the space. */
static void maps_at_every_boundary(struct kunit *test)
{
	struct fixture *f = test->priv;
	const struct axvcpu_s2_format *format = f->s2.format;
	u64 gpas[2 * AXVCPU_S2_MAX_LEVELS + 2];
	unsigned int level, i, n = 0;

	gpas[n++] = 0;
	for (level = 1; level < format->levels; level++) {
		u64 boundary = BIT_ULL(format->page_shift + level * format->level_bits);

		if (boundary >= end_of_space(f))
			break;
		gpas[n++] = boundary - page_size(f);
		gpas[n++] = boundary;
	}
	gpas[n++] = end_of_space(f) - page_size(f);

	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, lookup(f, gpas[i]), 0);
		KUNIT_EXPECT_EQ(test, map(f, gpas[i], 1, RW), 1);
	}
	KUNIT_EXPECT_EQ(test, f->s2.mapped, n);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, lookup(f, gpas[i]), leaf(f, gpas[i], RW));
		KUNIT_EXPECT_EQ(test, *slot(f, gpas[i], 0), leaf(f, gpas[i], RW));
	}
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, zap(f, gpas[i], gpas[i] + page_size(f)), 1);
		KUNIT_EXPECT_EQ(test, gone.last, leaf(f, gpas[i], RW));
		KUNIT_EXPECT_EQ(test, lookup(f, gpas[i]), 0);
		KUNIT_EXPECT_EQ(test, f->s2.mapped, n - i - 1);
	}
	KUNIT_EXPECT_EQ(test, f->s2.tables, BIT_ULL(format->root_order));
}

static void leaves_out_what_is_not_given(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 leaves[4] = { 0, leaf(f, page_size(f), RW), 0, leaf(f, 3 * page_size(f), RW) };

	KUNIT_EXPECT_EQ(test, map(f, 2 * page_size(f), 1, RO), 1);
	KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, leaves, 4), 2);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, page_size(f)), leaves[1]);
	KUNIT_EXPECT_EQ(test, lookup(f, 2 * page_size(f)), leaf(f, 2 * page_size(f), RO));
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 3);
}

static void raises_access_and_never_lowers_it(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, map(f, 0, 2, RO), 2);
	KUNIT_EXPECT_EQ(test, map(f, 0, 1, RW), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW));
	KUNIT_EXPECT_EQ(test, lookup(f, page_size(f)), leaf(f, page_size(f), RO));
	/* The hardware's bit must survive what comes after it. */
	*slot(f, 0, 0) |= S2_DIRTY;
	KUNIT_EXPECT_EQ(test, map(f, 0, 2, RO), 0);
	KUNIT_EXPECT_EQ(test, map(f, 0, 2, RW), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW) | S2_DIRTY);
	KUNIT_EXPECT_EQ(test, lookup(f, page_size(f)), leaf(f, page_size(f), RW));
	KUNIT_EXPECT_EQ(test, zap(f, 0, page_size(f)), 1);
	KUNIT_EXPECT_EQ(test, gone.last, leaf(f, 0, RW) | S2_DIRTY);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_may_be_dirty(f->s2.format, gone.last));
}

/* A leaf is executable from the first fetch on, whatever else is asked for later. */
static void executes_from_the_first_fetch_on(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct axvcpu_s2_format format = *f->s2.format;
	const struct axvcpu_s2_format *own = f->s2.format;
	struct axvcpu_gpa second = axvcpu_gpa(page_size(f));
	u64 new;

	format.lazy_exec = S2_NX;
	f->s2.format = &format;
	KUNIT_ASSERT_EQ(test, map(f, 0, 2, RO), 2);
	*slot(f, 0, 0) |= S2_NX | S2_WRITE;
	/* A fetch that finds no right to write */
	KUNIT_EXPECT_EQ(test, map(f, 0, 1, RO), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW));
	/* A write to what has been fetched */
	new = leaf(f, page_size(f), RW) | S2_NX;
	KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, second, 0, &new, 1), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, page_size(f)), leaf(f, page_size(f), RW));
	/* Nothing new */
	new = leaf(f, 0, RO) | S2_NX;
	KUNIT_EXPECT_EQ(test, axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, &new, 1), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW));
	f->s2.format = own;
}

static void tells_when_to_flush(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, zap(f, 0, end_of_space(f)), 0);
	KUNIT_EXPECT_FALSE(test, f->zap.flush);
	KUNIT_EXPECT_EQ(test, map(f, 0, 4, RW), 4);
	KUNIT_EXPECT_EQ(test, zap(f, 4 * page_size(f), end_of_space(f)), 0);
	KUNIT_EXPECT_FALSE(test, f->zap.flush);
	KUNIT_EXPECT_EQ(test, zap(f, page_size(f), 3 * page_size(f)), 2);
	KUNIT_EXPECT_TRUE(test, f->zap.flush);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW));
	KUNIT_EXPECT_EQ(test, lookup(f, page_size(f)), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 3 * page_size(f)), leaf(f, 3 * page_size(f), RW));
}

static void expect_run(struct kunit *test, unsigned int i, u64 gpa, u64 end, unsigned int level)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_GT(test, f->zap.nr_runs, i);
	KUNIT_EXPECT_EQ(test, f->zap.runs[i].gpa, gpa);
	KUNIT_EXPECT_EQ(test, f->zap.runs[i].end, end);
	KUNIT_EXPECT_EQ(test, f->zap.runs[i].shift, axvcpu_s2_level_shift(f->s2.format, level));
}

/* And what: leaves side by side are one thing, until there is no room. */
static void tells_what_to_flush(struct kunit *test)
{
	struct fixture *f = test->priv;
	const u64 page = page_size(f), large = large_size(f);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, map(f, 0, 4, RW), 4);
	KUNIT_EXPECT_EQ(test, map(f, 6 * page, 1, RO), 1);
	KUNIT_EXPECT_EQ(test, map_large(f, large, RW), 1);
	KUNIT_EXPECT_EQ(test, zap(f, page, end_of_space(f)), 5);
	KUNIT_EXPECT_EQ(test, f->zap.nr_runs, 3);
	expect_run(test, 0, page, 4 * page, 0);
	expect_run(test, 1, 6 * page, 7 * page, 0);
	expect_run(test, 2, large, 2 * large, 1);

	for (i = 0; i < AXVCPU_S2_RUNS; i++)
		KUNIT_EXPECT_EQ(test, map(f, 2 * i * page, 1, RW), i ? 1 : 0);
	KUNIT_EXPECT_EQ(test, zap(f, 0, large), AXVCPU_S2_RUNS);
	KUNIT_EXPECT_EQ(test, f->zap.nr_runs, AXVCPU_S2_RUNS);
	expect_run(test, AXVCPU_S2_RUNS - 1, 2 * (AXVCPU_S2_RUNS - 1) * page,
		   (2 * AXVCPU_S2_RUNS - 1) * page, 0);
	for (i = 0; i <= AXVCPU_S2_RUNS + 1; i++)
		KUNIT_EXPECT_EQ(test, map(f, 2 * i * page, 1, RW), 1);
	KUNIT_EXPECT_EQ(test, zap(f, 0, large), AXVCPU_S2_RUNS + 2);
	KUNIT_EXPECT_GT(test, f->zap.nr_runs, AXVCPU_S2_RUNS);
}

/* A table that has no leaf any more, or never got one, is told by an address in it. */
static void tells_of_empty_tables(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 none = 0;
	int ret;

	do {
		ret = axvcpu_s2_map(&f->s2, &f->cache, axvcpu_gpa(0), 0, &none, 1);
	} while (ret == -EAGAIN && !axvcpu_s2_cache_fill(&f->s2, &f->cache));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, zap(f, 0, page_size(f)), 0);
	KUNIT_EXPECT_TRUE(test, f->zap.flush);
	KUNIT_EXPECT_EQ(test, f->zap.nr_runs, 1);
	expect_run(test, 0, 0, page_size(f), 0);
}

/* One call goes through a limited part; what comes back is where to go on. */
static void zap_gives_way(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 table = page_size(f) << f->s2.format->level_bits;
	unsigned int i, n = 100, calls = 0;
	u64 gpa = 0;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, map(f, i * table, 1, RW), 1);
	gone.leaves = 0;
	for (; gpa < n * table; calls++) {
		u64 next = axvcpu_s2_zap(&f->s2, gpa, n * table, &f->zap);

		KUNIT_ASSERT_GT(test, next, gpa);
		gpa = next;
		KUNIT_EXPECT_EQ(test, gone.leaves + f->s2.mapped, n);
	}
	KUNIT_EXPECT_EQ(test, gpa, n * table);
	KUNIT_EXPECT_GT(test, calls, 1);
	KUNIT_EXPECT_EQ(test, gone.leaves, n);
	axvcpu_s2_free_tables(&f->s2, &f->zap.tables);
}

/* A large leaf goes as a whole, and counts as many pages. */
static void zaps_large_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 size = large_size(f);
	u64 large = size | axvcpu_s2_leaf_bits(f->s2.format, 1, RW);

	KUNIT_ASSERT_EQ(test, map(f, 0, 1, RW), 1);
	KUNIT_ASSERT_EQ(test, map_large(f, size, RW), 1);
	KUNIT_EXPECT_EQ(test, map_large(f, size, RW), 0);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1 + size / page_size(f));
	KUNIT_EXPECT_EQ(test, *slot(f, size, 1), large);

	KUNIT_EXPECT_EQ(test, lookup(f, 2 * size - 1), large);
	KUNIT_EXPECT_EQ(test, zap(f, 2 * size, end_of_space(f)), 0);
	KUNIT_EXPECT_EQ(test, zap(f, size + page_size(f), size + 2 * page_size(f)), 1);
	KUNIT_EXPECT_EQ(test, gone.level, 1);
	KUNIT_EXPECT_EQ(test, gone.gpa, size);
	KUNIT_EXPECT_EQ(test, gone.last, large);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RW));
}

/* Leaves of 1 GiB, among those of 2 MiB and pages: what is in the way, and what goes. */
static void has_leaves_of_every_size(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 page = page_size(f), large = large_size(f);
	u64 huge = large << f->s2.format->level_bits;

	KUNIT_ASSERT_EQ(test, map(f, huge - page, 1, RW), 1);
	KUNIT_ASSERT_EQ(test, map_large(f, 2 * huge, RW), 1);
	KUNIT_ASSERT_EQ(test, map_at(f, 2, huge, RO), 1);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1 + large / page + huge / page);
	KUNIT_EXPECT_EQ(test, lookup(f, huge), huge | axvcpu_s2_leaf_bits(f->s2.format, 2, RO));
	KUNIT_EXPECT_EQ(test, lookup(f, 2 * huge - 1), lookup(f, huge));

	KUNIT_EXPECT_EQ(test, map_at(f, 2, 2 * huge, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map_large(f, huge + large, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(f, huge + large, 1, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map_at(f, 2, huge, RW), 0);
	KUNIT_EXPECT_EQ(test, map_large(f, huge + large, RW), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(f->s2.format, lookup(f, huge + large)));

	KUNIT_EXPECT_EQ(test, zap(f, huge + large, huge + large + page), 1);
	KUNIT_EXPECT_EQ(test, gone.level, 2);
	KUNIT_EXPECT_EQ(test, gone.gpa, huge);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1 + large / page);
	KUNIT_EXPECT_EQ(test, map(f, huge + large, 1, RW), 1);
	KUNIT_EXPECT_EQ(test, zap(f, 0, end_of_space(f)), 3);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 0);
}

/* What is in the way of the other size stays until it has been zapped. */
static void sizes_do_not_mix(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 size = large_size(f), pages = size / page_size(f);

	KUNIT_ASSERT_EQ(test, map(f, size, 1, RW), 1);
	KUNIT_EXPECT_EQ(test, map_large(f, size, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, lookup(f, size), leaf(f, size, RW));
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 1);
	KUNIT_EXPECT_EQ(test, zap(f, size, 2 * size), 1);
	KUNIT_EXPECT_EQ(test, map_large(f, size, RO), 1);

	/* Small ones: no more than is there already, or in the way. */
	KUNIT_EXPECT_EQ(test, map(f, size + page_size(f), 1, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map_large(f, size, RW), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(f->s2.format, lookup(f, size)));
	KUNIT_EXPECT_EQ(test, map(f, size + page_size(f), 1, RW), 0);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, pages);
}

/* A large leaf that can't be executed makes way to small ones, whatever else it gives. */
static void large_leaves_may_be_data_only(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct axvcpu_s2_format format = *f->s2.format;
	const struct axvcpu_s2_format *own = f->s2.format;
	u64 size = large_size(f);

	format.noexec_levels = BIT(1);
	f->s2.format = &format;
	KUNIT_ASSERT_EQ(test, map_large(f, size, RWX), 1);
	KUNIT_EXPECT_EQ(test, lookup(f, size) & S2_EXEC, 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_s2_writable(&format, lookup(f, size)));
	KUNIT_EXPECT_EQ(test, map(f, size, 1, RWX), -EEXIST);
	KUNIT_EXPECT_EQ(test, zap(f, size, 2 * size), 1);
	KUNIT_EXPECT_EQ(test, map(f, size, 1, RWX), 1);
	KUNIT_EXPECT_EQ(test, lookup(f, size) & S2_EXEC, S2_EXEC);
	KUNIT_EXPECT_EQ(test, map_at(f, 2, size << format.level_bits, RWX), 1);
	KUNIT_EXPECT_EQ(test, lookup(f, size << format.level_bits) & S2_EXEC, S2_EXEC);
	KUNIT_EXPECT_EQ(test, map(f, size << format.level_bits, 1, RWX), 0);
	f->s2.format = own;
}

/* What may have been written is told once, and stays mapped. */
static void cleans(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 size = large_size(f), page = page_size(f);

	KUNIT_ASSERT_EQ(test, map(f, 0, 4, RW), 4);
	KUNIT_ASSERT_EQ(test, map_large(f, size, RW), 1);
	gone.leaves = 0;
	f->zap.flush = false;
	KUNIT_EXPECT_GE(test, axvcpu_s2_clean(&f->s2, 0, page, &f->zap), page);
	KUNIT_EXPECT_EQ(test, gone.leaves, 0);
	KUNIT_EXPECT_FALSE(test, f->zap.flush);

	*slot(f, 0, 0) |= S2_DIRTY;
	*slot(f, 2 * page, 0) |= S2_DIRTY;
	*slot(f, size, 1) |= S2_DIRTY;
	KUNIT_EXPECT_EQ(test, axvcpu_s2_clean(&f->s2, page, 2 * page, &f->zap), 2 * page);
	KUNIT_EXPECT_EQ(test, gone.leaves, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_s2_clean(&f->s2, 0, 3 * page, &f->zap), 3 * page);
	KUNIT_EXPECT_EQ(test, gone.leaves, 2);
	KUNIT_EXPECT_EQ(test, gone.gpa, 2 * page);
	KUNIT_EXPECT_EQ(test, gone.last, leaf(f, 2 * page, RW) | S2_DIRTY);
	KUNIT_EXPECT_EQ(test, lookup(f, 2 * page), leaf(f, 2 * page, RW));
	KUNIT_EXPECT_EQ(test, axvcpu_s2_clean(&f->s2, size + page, size + 2 * page, &f->zap),
			2 * size);
	KUNIT_EXPECT_EQ(test, gone.leaves, 3);
	KUNIT_EXPECT_EQ(test, gone.level, 1);
	KUNIT_EXPECT_TRUE(test, f->zap.flush);
	KUNIT_EXPECT_EQ(test, f->s2.mapped, 4 + size / page);
}

/* Without dirty bits, the right to write tells, and is what goes. */
static void cleans_by_access(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct axvcpu_s2_format format = *f->s2.format;
	const struct axvcpu_s2_format *own = f->s2.format;

	format.dirty = 0;
	f->s2.format = &format;
	KUNIT_ASSERT_EQ(test, map(f, 0, 2, RW), 2);
	KUNIT_ASSERT_EQ(test, map(f, 2 * page_size(f), 1, RO), 1);
	gone.leaves = 0;
	axvcpu_s2_clean(&f->s2, 0, 3 * page_size(f), &f->zap);
	KUNIT_EXPECT_EQ(test, gone.leaves, 2);
	KUNIT_EXPECT_EQ(test, f->zap.nr_runs, 1);
	expect_run(test, 0, 0, 2 * page_size(f), 0);
	KUNIT_EXPECT_EQ(test, lookup(f, 0), leaf(f, 0, RO));
	KUNIT_EXPECT_EQ(test, map(f, 0, 1, RW), 0);
	axvcpu_s2_clean(&f->s2, 0, 3 * page_size(f), &f->zap);
	KUNIT_EXPECT_EQ(test, gone.leaves, 3);
	f->s2.format = own;
}

#define MODEL_PAGES	512

/* Random operations, and after each the whole table against a plain array. */
static void agrees_with_a_model(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 half = MODEL_PAGES / 2 * page_size(f);
	/* Around the boundary of the two highest tables. */
	u64 base = BIT_ULL(f->s2.format->page_shift +
			   (f->s2.format->levels - 2) * f->s2.format->level_bits) - half;
	u64 *model = kunit_kcalloc(test, MODEL_PAGES, sizeof(*model), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int round, i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&rnd, 1);
	for (round = 0; round < 200; round++) {
		unsigned int first = prandom_u32_state(&rnd) % MODEL_PAGES;
		unsigned int count = 1 + prandom_u32_state(&rnd) % PAGES_AT_ONCE;
		u32 access = prandom_u32_state(&rnd) & 1 ? RW : RO;
		bool in = prandom_u32_state(&rnd) & 1;
		u64 gpa = base + first * page_size(f);
		unsigned int expected = 0, got, mapped = 0;

		/* A call of map is for one table. */
		count = min(count, MODEL_PAGES / 2 - first % (MODEL_PAGES / 2));
		for (i = first; i < first + count; i++) {
			u64 new = in ? leaf(f, base + i * page_size(f), access) : 0;

			expected += !model[i] == in;
			if (!in || !(model[i] & S2_WRITE))
				model[i] = new;
		}
		got = in ? map(f, gpa, count, access) : zap(f, gpa, gpa + count * page_size(f));
		KUNIT_ASSERT_EQ(test, got, expected);
		for (i = 0; i < MODEL_PAGES; i++) {
			KUNIT_ASSERT_EQ(test, lookup(f, base + i * page_size(f)), model[i]);
			mapped += !!model[i];
		}
		KUNIT_ASSERT_EQ(test, f->s2.mapped, mapped);
	}
}

#define CASE(fn)	KUNIT_CASE_PARAM(fn, shape_gen_params)

static struct kunit_case s2_cases[] = {
	CASE(map_needs_a_full_cache),
	CASE(maps_at_every_boundary),
	CASE(leaves_out_what_is_not_given),
	CASE(raises_access_and_never_lowers_it),
	CASE(executes_from_the_first_fetch_on),
	CASE(tells_when_to_flush),
	CASE(tells_what_to_flush),
	CASE(tells_of_empty_tables),
	CASE(zap_gives_way),
	CASE(zaps_large_leaves),
	CASE(has_leaves_of_every_size),
	CASE(sizes_do_not_mix),
	CASE(large_leaves_may_be_data_only),
	CASE(cleans),
	CASE(cleans_by_access),
	CASE(agrees_with_a_model),
	{}
};

static struct kunit_suite s2_suite = {
	.name = "axvcpu_s2",
	.init = s2_test_init,
	.exit = s2_test_exit,
	.test_cases = s2_cases,
};

kunit_test_suites(&s2_suite);
