/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-stage tables: one radix walker for every format. An architecture
 * describes its format by constants (struct axvcpu_s2_format).
 */
#ifndef _AXVCPU_S2_H
#define _AXVCPU_S2_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>

#include <uapi/linux/axvcpu.h>

#include "axvcpu_addr.h"

#define AXVCPU_S2_MAX_LEVELS	5

/* Access, the bits of uapi's AXVCPU_MAP_READ, _WRITE and _EXEC */
#define AXVCPU_S2_ACCESS_MASK	7

/* Every format has these. */
#define AXVCPU_S2_ACCESSES	(BIT(AXVCPU_MAP_READ) |				\
				 BIT(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE) |	\
				 BIT(AXVCPU_MAP_READ | AXVCPU_MAP_EXEC) |	\
				 BIT(AXVCPU_MAP_ALL))

/**
 * struct axvcpu_s2_format - what an architecture's second-stage table looks like
 * @gpa_bits: input size; guest-physical addresses are below 2^gpa_bits
 * @levels: levels from the root to 4 KiB (base page) leaves; level 0 is the
 *	leaf level, level @levels - 1 the root
 * @page_shift: log2 of the base page and of a table page, at least the host's
 * @level_bits: log2 of the entries in a table page
 * @root_order: the root is 2^root_order contiguous pages (arm64 concatenation)
 * @leaf_levels: bit n: leaves may stand at level n (bit 0 always)
 * @noexec_levels: bit n: leaves there can't be executed; where the guest does,
 *	smaller ones take their place
 * @addr_mask: bits of an entry that hold an address
 * @present_mask: an entry is present when any of these bits is set
 * @table_bits: bits of an entry that leads to the next table
 * @leaf_bits: for each level, the constant bits of a leaf there (type,
 *	memory type, shareability)
 * @leaf_type_mask: bits that tell a leaf from a table above level 0
 * @leaf_type: value of @leaf_type_mask in a leaf above level 0
 * @prot: bits of a leaf for each access, indexed by AXVCPU_MAP_* bits; 0 is what
 *	remains of one when a part has to be taken away
 * @accesses: bit n: a range can have the access n, for which @prot has the bits
 * @write_mask: bits that are set in a writable leaf
 * @lazy_exec: bits that deny execution, in every leaf until the guest wants to
 *	execute what it maps; 0: it may at once
 * @publish: told what leaves are about to be put in, under the table's lock,
 *	where caches want it; makes 0 of those that it must refuse; or NULL
 * @dirty: bit that the hardware sets in a leaf at a write, 0: it has none
 * @accessed: bit that the hardware sets in a leaf at any access, 0: it has none
 */
struct axvcpu_s2_format {
	u8 gpa_bits;
	u8 levels;
	u8 page_shift;
	u8 level_bits;
	u8 root_order;
	u8 leaf_levels;
	u8 noexec_levels;
	u64 addr_mask;
	u64 present_mask;
	u64 table_bits;
	u64 leaf_bits[AXVCPU_S2_MAX_LEVELS];
	u64 leaf_type_mask;
	u64 leaf_type;
	u64 prot[AXVCPU_S2_ACCESS_MASK + 1];
	u8 accesses;
	u64 write_mask;
	u64 lazy_exec;
	void (*publish)(u64 *leaves, unsigned int count, u64 size);
	u64 dirty;
	u64 accessed;
};

/**
 * struct axvcpu_s2_cache - table pages to be, allocated where it may sleep
 * @nr: how many there are
 * @wanted: how many axvcpu_s2_map() was in want of
 * @tables: zeroed pages
 */
struct axvcpu_s2_cache {
	unsigned int nr;
	unsigned int wanted;
	u64 *tables[AXVCPU_S2_MAX_LEVELS - 1];
};

/**
 * struct axvcpu_s2 - a second-stage table
 * @format: its format
 * @root: the root table
 * @mapped: base pages that have a leaf
 * @tables: pages of table, the root's included
 * @spare: pages that no longer are one
 *
 * The owner has a lock for it. The hardware reads the table at any time, and
 * sets accessed and dirty bits in it.
 */
struct axvcpu_s2 {
	const struct axvcpu_s2_format *format;
	u64 *root;
	u64 mapped;
	u64 tables;
	struct axvcpu_s2_cache spare;
};

/* Runs that a zap has room for */
#define AXVCPU_S2_RUNS	8

/**
 * struct axvcpu_s2_run - leaves of one size, side by side
 * @gpa: the first one's address
 * @end: behind the last one
 * @shift: log2 of a leaf's size
 */
struct axvcpu_s2_run {
	u64 gpa;
	u64 end;
	u8 shift;
};

/**
 * struct axvcpu_s2_zap - what axvcpu_s2_zap() took out of a table, or
 * axvcpu_s2_clean() made clean
 * @tables: table pages that the hardware may still walk; they go to
 *	axvcpu_s2_free_tables() once every CPU has forgotten them
 * @flush: CPUs may remember something that is no longer in the table
 * @nr_runs: how many @runs; more than %AXVCPU_S2_RUNS: there are others
 * @runs: where that is; a table that goes is told by an address in it
 * @gone: told each leaf that was changed, as it was before, with the bits that
 *	the hardware left in it, and its first address; may not sleep
 */
struct axvcpu_s2_zap {
	struct list_head tables;
	bool flush;
	unsigned int nr_runs;
	struct axvcpu_s2_run runs[AXVCPU_S2_RUNS];
	void (*gone)(struct axvcpu_s2_zap *zap, u64 gpa, unsigned int level, u64 leaf);
};

int axvcpu_s2_init(struct axvcpu_s2 *s2, const struct axvcpu_s2_format *format);
void axvcpu_s2_destroy(struct axvcpu_s2 *s2);
int axvcpu_s2_cache_fill(const struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache);
void axvcpu_s2_cache_drain(const struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache);
int axvcpu_s2_map(struct axvcpu_s2 *s2, struct axvcpu_s2_cache *cache, struct axvcpu_gpa gpa,
		  unsigned int level, const u64 *leaves, unsigned int count);
u64 axvcpu_s2_lookup(const struct axvcpu_s2 *s2, struct axvcpu_gpa gpa, unsigned int *level);
u64 axvcpu_s2_zap(struct axvcpu_s2 *s2, u64 gpa, u64 end, struct axvcpu_s2_zap *zap);
u64 axvcpu_s2_clean(struct axvcpu_s2 *s2, u64 gpa, u64 end, struct axvcpu_s2_zap *zap);
bool axvcpu_s2_young(struct axvcpu_s2 *s2, u64 gpa, u64 end, bool clear);
void axvcpu_s2_free_tables(struct axvcpu_s2 *s2, struct list_head *tables);

/**
 * axvcpu_s2_level_shift() - what a level's entry covers
 * @format: the table's format
 * @level: the level
 *
 * Context: any.
 * Return: log2 of the bytes.
 */
static inline unsigned int axvcpu_s2_level_shift(const struct axvcpu_s2_format *format,
						 unsigned int level)
{
	return format->page_shift + level * format->level_bits;
}

/**
 * axvcpu_s2_leaf_bits() - bits of a leaf besides its address
 * @format: the table's format
 * @level: level that the leaf stands at
 * @access: ``AXVCPU_MAP_*``
 *
 * Context: any.
 * Return: the bits.
 */
static inline u64 axvcpu_s2_leaf_bits(const struct axvcpu_s2_format *format, unsigned int level,
				      u32 access)
{
	if (format->noexec_levels & BIT(level))
		access &= ~AXVCPU_MAP_EXEC;
	return format->leaf_bits[level] | format->prot[access & AXVCPU_S2_ACCESS_MASK];
}

/**
 * axvcpu_s2_writable() - may the guest write through this leaf?
 * @format: the table's format
 * @leaf: the leaf
 *
 * Context: any.
 * Return: whether it may.
 */
static inline bool axvcpu_s2_writable(const struct axvcpu_s2_format *format, u64 leaf)
{
	return (leaf & format->write_mask) == format->write_mask;
}

/**
 * axvcpu_s2_may_be_dirty() - may the guest have written through this leaf?
 * @format: the table's format
 * @leaf: the leaf
 *
 * Context: any.
 * Return: whether it may; exact where the format has a dirty bit.
 */
static inline bool axvcpu_s2_may_be_dirty(const struct axvcpu_s2_format *format, u64 leaf)
{
	return format->dirty ? leaf & format->dirty : axvcpu_s2_writable(format, leaf);
}

#endif /* _AXVCPU_S2_H */
