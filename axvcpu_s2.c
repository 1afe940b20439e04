// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second-stage radix table: one walker for every format.
 *
 * An entry is written at once, with WRITE_ONCE() or an exchange: the hardware
 * walks the table without a lock and may set accessed and dirty bits at any
 * time. An entry is taken out by an exchange, so that no dirty bit is lost.
 *
 * A table page counts its present entries in page->private. One that becomes
 * empty leaves the table at once, and is freed when no CPU can be walking it.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#include "axvcpu_s2.h"

/*
 * Entries that one call of axvcpu_s2_zap() looks at, of whatever level, so that its
 * caller can give way: 64 MiB of 4 KiB pages.
 */
#define ZAP_ENTRIES	16384

/* Entries of a table at this level: the root may be several pages. */
static u64 level_entries(const struct axvcpu_s2_format *format, unsigned int level)
{
	unsigned int bits = format->level_bits;

	if (level == format->levels - 1)
		bits += format->root_order;
	return BIT_ULL(bits);
}

static unsigned int entry_index(const struct axvcpu_s2_format *format, u64 gpa, unsigned int level)
{
	return (gpa >> axvcpu_s2_level_shift(format, level)) & (level_entries(format, level) - 1);
}

static bool entry_present(const struct axvcpu_s2_format *format, u64 entry)
{
	return entry & format->present_mask;
}

static bool entry_is_leaf(const struct axvcpu_s2_format *format, u64 entry, unsigned int level)
{
	if (!level)
		return true;
	return format->leaf_levels & BIT(level) &&
	       (entry & format->leaf_type_mask) == format->leaf_type;
}

static u64 *entry_table(const struct axvcpu_s2_format *format, u64 entry)
{
	return phys_to_virt(entry & format->addr_mask);
}

static unsigned int table_order(const struct axvcpu_s2_format *format)
{
	return format->page_shift - PAGE_SHIFT;
}

/* SecPageTables of /proc/meminfo and of a memory cgroup */
static void table_account(const u64 *table, int pages)
{
	mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, pages);
}

static u64 *table_alloc(unsigned int order)
{
	u64 *table = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, order);

	if (table)
		table_account(table, BIT(order));
	return table;
}

static void table_free(u64 *table, unsigned int order)
{
	table_account(table, -(int)BIT(order));
	free_pages((unsigned long)table, order);
}

static void table_count(u64 *table, long entries)
{
	struct page *page = virt_to_page(table);

	set_page_private(page, page_private(page) + entries);
}

/* The way from the root to an address. */
struct s2_path {
	unsigned int level;			/* the lowest that there is a table for */
	u64 *tables[AXVCPU_S2_MAX_LEVELS];	/* valid from that level up */
};

/* Returns the entry that the way ends at: not present, or a leaf. */
static u64 walk(const struct axvcpu_s2 *s2, u64 gpa, struct s2_path *path)
{
	const struct axvcpu_s2_format *format = s2->format;
	unsigned int level = format->levels - 1;
	u64 *table = s2->root;
	u64 entry;

	for (;; level--) {
		path->tables[level] = table;
		entry = READ_ONCE(table[entry_index(format, gpa, level)]);
		if (!entry_present(format, entry) || entry_is_leaf(format, entry, level))
			break;
		table = entry_table(format, entry);
	}
	path->level = level;
	return entry;
}

/**
 * axvcpu_s2_init() - make an empty table
 * @s2: the table
 * @format: its format
 *
 * Context: process context, sleeps.
 * Return: 0 or -ENOMEM.
 */
int axvcpu_s2_init(struct axvcpu_s2 *s2, const struct axvcpu_s2_format *format)
{
	*s2 = (struct axvcpu_s2){
		.format = format,
		.root = table_alloc(table_order(format) + format->root_order),
		.tables = BIT_ULL(format->root_order),
	};
	return s2->root ? 0 : -ENOMEM;
}

/**
 * axvcpu_s2_destroy() - free a table that is empty and that no CPU uses
 * @s2: the table, after all of it has been zapped
 *
 * Context: any, but interrupts are on.
 */
void axvcpu_s2_destroy(struct axvcpu_s2 *s2)
{
	WARN_ON_ONCE(s2->mapped);
	axvcpu_s2_cache_drain(s2, &s2->spare);
	table_free(s2->root, table_order(s2->format) + s2->format->root_order);
}

/**
 * axvcpu_s2_cache_fill() - allocate what a call of axvcpu_s2_map() was short of
 * @s2: the table
 * @cache: as axvcpu_s2_map() left it
 *
 * Context: process context, sleeps.
 * Return: 0, or -ENOMEM; axvcpu_s2_cache_drain() is due in both cases.
 */
int axvcpu_s2_cache_fill(const struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache)
{
	while (cache->nr < cache->wanted) {
		u64 *table = table_alloc(table_order(s2->format));

		if (!table)
			return -ENOMEM;
		cache->tables[cache->nr++] = table;
	}
	return 0;
}

/**
 * axvcpu_s2_cache_drain() - free what axvcpu_s2_map() had no use for
 * @s2: the table
 * @cache: empty afterwards
 *
 * Context: any, but interrupts are on.
 */
void axvcpu_s2_cache_drain(const struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache)
{
	while (cache->nr)
		table_free(cache->tables[--cache->nr], table_order(s2->format));
}

/* Extend @path down to @level by tables from the cache. */
static void add_tables(struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache, u64 gpa,
		       unsigned int level, struct s2_path *path)
{
	const struct axvcpu_s2_format *format = s2->format;

	while (path->level > level) {
		u64 *parent = path->tables[path->level];
		u64 *table = cache->tables[--cache->nr];

		/* A walker that sees the table sees that it is zero. */
		smp_store_release(&parent[entry_index(format, gpa, path->level)],
				  virt_to_phys(table) | format->table_bits);
		table_count(parent, 1);
		path->tables[--path->level] = table;
		s2->tables++;
	}
}

/* A page that was a table, and is empty again, is a table at once. */
static void take_spare(struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache)
{
	while (cache->nr < cache->wanted && s2->spare.nr)
		cache->tables[cache->nr++] = s2->spare.tables[--s2->spare.nr];
}

/* Is there no access that smaller leaves in its place might add? */
static bool gives_all(const struct axvcpu_s2_format *format, u64 leaf, unsigned int level)
{
	return axvcpu_s2_writable(format, leaf) && !(leaf & format->lazy_exec) &&
	       !(format->noexec_levels & BIT(level));
}

/**
 * axvcpu_s2_map() - put in leaves that stand side by side
 * @s2: the table, its lock held
 * @cache: table pages to use up
 * @gpa: address of the first leaf, aligned to its size
 * @level: where the leaves stand: one of &struct axvcpu_s2_format.leaf_levels
 * @leaves: complete leaves; where there is 0, the table stays as it is
 * @count: how many; all of them stand in one table
 *
 * A leaf that is there already is replaced only by one that can be written, or
 * executed, while it can't: that the memory behind it is the same is the caller's duty,
 * who zaps what changes. More access needs no flush: the stale entry makes a
 * fault, which also drops it. What a larger leaf maps already stays as it is, unless
 * it can't be executed there.
 *
 * Context: may not sleep.
 * Return: how many leaves were not there before. Nothing was done after
 * -EAGAIN: the cache must be filled first; -EEXIST: leaves of another size are
 * in the way, and must be zapped first.
 */
int axvcpu_s2_map(struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache, struct axvcpu_gpa gpa,
		  unsigned int level, const u64 *leaves, unsigned int count)
{
	const u64 present = s2->format->present_mask, write = s2->format->write_mask;
	const u64 lazy = s2->format->lazy_exec;
	unsigned int i, added = 0;
	struct s2_path path;
	u64 *entry, end;

	end = walk(s2, gpa.val, &path);
	if (unlikely(path.level < level))
		return -EEXIST;
	if (path.level > level) {
		if (unlikely(entry_present(s2->format, end)))
			return gives_all(s2->format, end, path.level) ? 0 : -EEXIST;
		cache->wanted = path.level - level;
		take_spare(s2, cache);
		if (cache->nr < cache->wanted)
			return -EAGAIN;
		add_tables(s2, cache, gpa.val, level, &path);
	}

	entry = &path.tables[level][entry_index(s2->format, gpa.val, level)];
	for (i = 0; i < count; i++, entry++) {
		u64 leaf = leaves[i];
		u64 old = READ_ONCE(*entry);

		if (!leaf)
			continue;
		if (!(old & present))
			added++;
		else if (!(leaf & ~old & write) && !(old & ~leaf & lazy))
			continue;
		else
			leaf = (leaf | (old & (write | s2->format->dirty))) & ~(~old & lazy);
		WRITE_ONCE(*entry, leaf);
	}
	table_count(path.tables[level], added);
	s2->mapped += (u64)added << (level * s2->format->level_bits);
	return added;
}

/**
 * axvcpu_s2_lookup() - find what is mapped at an address
 * @s2: the table
 * @gpa: the address
 * @level: the level at which the walk ended
 *
 * Context: the table's lock held.
 * Return: the leaf, or an entry that is not present.
 */
u64 axvcpu_s2_lookup(const struct axvcpu_s2 *s2, struct axvcpu_gpa gpa, unsigned int *level)
{
	struct s2_path path;
	u64 entry = walk(s2, gpa.val, &path);

	*level = path.level;
	return entry;
}

static void note_change(struct axvcpu_s2_zap *zap, u64 gpa, unsigned int shift)
{
	struct axvcpu_s2_run *last;

	zap->flush = true;
	if (zap->nr_runs > AXVCPU_S2_RUNS)
		return;
	if (zap->nr_runs) {
		last = &zap->runs[zap->nr_runs - 1];
		if (last->end == gpa && last->shift == shift) {
			last->end += BIT_ULL(shift);
			return;
		}
	}
	if (zap->nr_runs < AXVCPU_S2_RUNS)
		zap->runs[zap->nr_runs] = (struct axvcpu_s2_run){
			.gpa = gpa, .end = gpa + BIT_ULL(shift), .shift = shift,
		};
	zap->nr_runs++;
}

/*
 * Take tables that are empty out of the table, from the bottom up. Unless they lost
 * their last leaf just now, nothing tells yet that they go.
 */
static void detach_empty(struct axvcpu_s2 *s2, u64 gpa, struct s2_path *path,
			 struct axvcpu_s2_zap *zap, bool told)
{
	unsigned int level = path->level;

	for (; level < s2->format->levels - 1; level++) {
		struct page *page = virt_to_page(path->tables[level]);
		u64 *parent = path->tables[level + 1];

		if (page_private(page))
			break;
		WRITE_ONCE(parent[entry_index(s2->format, gpa, level + 1)], 0);
		table_count(parent, -1);
		list_add(&page->lru, &zap->tables);
		if (!told)
			note_change(zap, gpa, s2->format->page_shift);
		told = true;
		s2->tables--;
	}
}

/* Entries side by side in one table, which nothing but leaves stands among. */
struct s2_span {
	struct s2_path path;
	unsigned int shift;	/* log2 of what an entry covers */
	u64 gpa;		/* of the first entry */
	u64 *first;
	u64 *end;
};

static void span_init(const struct axvcpu_s2 *s2, u64 gpa, u64 end, struct s2_span *span)
{
	const struct axvcpu_s2_format *format = s2->format;
	unsigned int level, idx;
	u64 count = 1;

	walk(s2, gpa, &span->path);
	level = span->path.level;
	idx = entry_index(format, gpa, level);
	span->shift = axvcpu_s2_level_shift(format, level);
	span->gpa = round_down(gpa, BIT_ULL(span->shift));
	/* Only level 0 is sure to hold nothing but leaves. */
	if (!level)
		count = min(level_entries(format, 0) - idx, ((end - 1 - gpa) >> span->shift) + 1);
	span->first = &span->path.tables[level][idx];
	span->end = span->first + count;
}

static u64 span_end(const struct s2_span *span)
{
	return span->gpa + ((u64)(span->end - span->first) << span->shift);
}

static unsigned int zap_span(struct axvcpu_s2 *s2, const struct s2_span *span,
			     struct axvcpu_s2_zap *zap)
{
	unsigned int gone = 0;
	u64 gpa = span->gpa;
	u64 *entry;

	for (entry = span->first; entry < span->end; entry++, gpa += BIT_ULL(span->shift)) {
		if (!entry_present(s2->format, READ_ONCE(*entry)))
			continue;
		zap->gone(zap, gpa, span->path.level, xchg(entry, 0));
		note_change(zap, gpa, span->shift);
		gone++;
	}
	return gone;
}

/**
 * axvcpu_s2_zap() - take leaves out of a table
 * @s2: the table, its lock held
 * @gpa: where to start
 * @end: where to end, exclusive
 * @zap: @gone given, the list initialised; collects over several calls
 *
 * A large leaf goes as a whole, also when it is partly outside. The caller
 * must make every CPU forget before it drops the table's lock for good: who
 * finds nothing to zap relies on it.
 *
 * Context: may not sleep.
 * Return: where to go on; @end or more: done.
 */
u64 axvcpu_s2_zap(struct axvcpu_s2 *s2, u64 gpa, u64 end, struct axvcpu_s2_zap *zap)
{
	unsigned int looked = 0;

	while (gpa < end && looked < ZAP_ENTRIES) {
		struct s2_span span;
		unsigned int gone;

		span_init(s2, gpa, end, &span);
		looked += span.end - span.first;
		gone = zap_span(s2, &span, zap);
		if (gone) {
			table_count(span.path.tables[span.path.level], -(long)gone);
			s2->mapped -= (u64)gone << (span.path.level * s2->format->level_bits);
		}
		detach_empty(s2, gpa, &span.path, zap, gone);
		gpa = span_end(&span);
	}
	return gpa;
}

/**
 * axvcpu_s2_clean() - make leaves tell of the guest's next write
 * @s2: the table, its lock held
 * @gpa: where to start
 * @end: where to end, exclusive
 * @zap: as for axvcpu_s2_zap(); @gone is told the leaves that may be dirty
 *
 * They lose the dirty bit, or the right to write where there is no such bit.
 * The caller must make every CPU forget, as after axvcpu_s2_zap().
 *
 * Context: may not sleep.
 * Return: where to go on; @end or more: done.
 */
u64 axvcpu_s2_clean(struct axvcpu_s2 *s2, u64 gpa, u64 end, struct axvcpu_s2_zap *zap)
{
	const u64 clean = s2->format->dirty ?: s2->format->write_mask;
	unsigned int looked = 0;

	while (gpa < end && looked < ZAP_ENTRIES) {
		struct s2_span span;
		u64 *entry;

		span_init(s2, gpa, end, &span);
		looked += span.end - span.first;
		gpa = span.gpa;
		for (entry = span.first; entry < span.end; entry++, gpa += BIT_ULL(span.shift)) {
			u64 leaf = READ_ONCE(*entry);

			if (!entry_present(s2->format, leaf) ||
			    !axvcpu_s2_may_be_dirty(s2->format, leaf))
				continue;
			/* The hardware may set another bit meanwhile. */
			while (!try_cmpxchg64(entry, &leaf, leaf & ~clean))
				cpu_relax();
			zap->gone(zap, gpa, span.path.level, leaf);
			note_change(zap, gpa, span.shift);
		}
	}
	return gpa;
}

/**
 * axvcpu_s2_young() - have any leaves been used?
 * @s2: the table, its lock held
 * @gpa: where to start
 * @end: where to end, exclusive
 * @clear: take back the hardware's marks
 *
 * Where the format has no such mark, a leaf counts as used.
 *
 * Context: may not sleep.
 * Return: whether one has.
 */
bool axvcpu_s2_young(struct axvcpu_s2 *s2, u64 gpa, u64 end, bool clear)
{
	const u64 accessed = s2->format->accessed;
	bool young = false;

	while (gpa < end) {
		struct s2_span span;
		u64 *entry;

		span_init(s2, gpa, end, &span);
		gpa = span_end(&span);
		for (entry = span.first; entry < span.end; entry++) {
			u64 leaf = READ_ONCE(*entry);

			if (!entry_present(s2->format, leaf) || (accessed && !(leaf & accessed)))
				continue;
			young = true;
			/* The hardware may set another bit meanwhile. */
			while (clear && !try_cmpxchg64(entry, &leaf, leaf & ~accessed))
				cpu_relax();
		}
	}
	return young;
}

/**
 * axvcpu_s2_free_tables() - free the table pages that axvcpu_s2_zap() took out
 * @s2: the table, its lock held; keeps as many of them as a fault may want
 * @tables: the list; empty afterwards
 *
 * Context: any, but interrupts are on; no CPU walks them any more.
 */
void axvcpu_s2_free_tables(struct axvcpu_s2 *s2, struct list_head *tables)
{
	struct axvcpu_s2_cache *spare = &s2->spare;
	struct page *page, *next;

	list_for_each_entry_safe(page, next, tables, lru) {
		list_del(&page->lru);
		if (spare->nr < ARRAY_SIZE(spare->tables))
			spare->tables[spare->nr++] = page_address(page);
		else
			table_free(page_address(page), table_order(s2->format));
	}
}
