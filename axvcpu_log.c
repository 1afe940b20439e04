// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of pages that a guest has written. Ranges that were one when the log began have
 * parts of the same one.
 */
#include <linux/bitmap.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>

#include "axvcpu_log.h"
#include "axvcpu_range.h"

/**
 * axvcpu_log_create() - an empty log
 * @pages: how many bits
 *
 * Context: process context, sleeps.
 * Return: the log with one reference, or NULL.
 */
struct axvcpu_log *axvcpu_log_create(u64 pages)
{
	struct axvcpu_log *log = kvzalloc(struct_size(log, bits, BITS_TO_LONGS(pages)),
					  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (log)
		kref_init(&log->ref);
	return log;
}

/**
 * axvcpu_log_get() - take a reference
 * @log: the log, or NULL
 *
 * Context: any.
 * Return: @log.
 */
struct axvcpu_log *axvcpu_log_get(struct axvcpu_log *log)
{
	if (log)
		kref_get(&log->ref);
	return log;
}

/* The last reference may go with a range's, under a spinlock: kvfree() would sleep. */
static void log_release(struct kref *ref)
{
	kvfree_rcu(container_of(ref, struct axvcpu_log, ref), rcu);
}

/**
 * axvcpu_log_put() - give a reference back
 * @log: the log, or NULL; freed with its last reference
 *
 * Context: any.
 */
void axvcpu_log_put(struct axvcpu_log *log)
{
	if (log)
		kref_put(&log->ref, log_release);
}

static u64 log_bit(const struct axvcpu_range *range, u64 gpa)
{
	return range->log_first + PHYS_PFN(gpa - range->node.start);
}

/**
 * axvcpu_log_mark() - pages have been written
 * @range: the range, with a log or without
 * @gpa: the first
 * @pages: how many
 *
 * Context: &struct axvcpu_aspace.lock held.
 */
void axvcpu_log_mark(struct axvcpu_range *range, u64 gpa, u64 pages)
{
	u64 bit = log_bit(range, gpa);

	lockdep_assert_held(&range->aspace->lock);
	/* bitmap_set() counts from there in 32 bits. */
	if (range->log)
		bitmap_set(range->log->bits + BIT_WORD(bit), bit % BITS_PER_LONG, pages);
}

static void move_bits(unsigned long *to, u64 to_bit, const unsigned long *from, u64 from_bit,
		      u64 pages)
{
	const unsigned long *words = from + BIT_WORD(from_bit);
	unsigned int skip = from_bit % BITS_PER_LONG;
	unsigned long bit = skip;

	for_each_set_bit_from(bit, words, skip + pages)
		__set_bit(to_bit + bit - skip, to);
}

/**
 * axvcpu_log_take() - take what the log has of some pages
 * @range: the range, with a log
 * @gpa: the first page
 * @pages: how many
 * @bits: where to set bits
 * @first: the bit of the first page there
 *
 * Context: &struct axvcpu_aspace.lock held.
 */
void axvcpu_log_take(struct axvcpu_range *range, u64 gpa, u64 pages, unsigned long *bits,
		     u64 first)
{
	u64 bit = log_bit(range, gpa);

	lockdep_assert_held(&range->aspace->lock);
	move_bits(bits, first, range->log->bits, bit, pages);
	bitmap_clear(range->log->bits + BIT_WORD(bit), bit % BITS_PER_LONG, pages);
}

/**
 * axvcpu_log_put_back() - what was taken could not be told
 * @range: the range, with a log
 * @gpa: the first page
 * @pages: how many
 * @bits: as axvcpu_log_take() left them
 * @first: the bit of the first page there
 *
 * Context: &struct axvcpu_aspace.lock held.
 */
void axvcpu_log_put_back(struct axvcpu_range *range, u64 gpa, u64 pages,
			 const unsigned long *bits, u64 first)
{
	lockdep_assert_held(&range->aspace->lock);
	move_bits(range->log->bits, log_bit(range, gpa), bits, first, pages);
}
