// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves out of the table, and out of every CPU.
 *
 * The address space's lock is held over a shootdown: who finds nothing in the table must
 * not return, and let the page be freed, while another one still waits for a CPU that uses
 * it. Who waits for the lock has interrupts on, so that the shootdown gets through.
 *
 * Shootdown: a CPU is in loaded_cpus while a vCPU is loaded there, and it
 * compares tlb_gen before each entry.
 *
 *   shootdown                          entry
 *   change the table                   set the CPU in loaded_cpus
 *   tlb_gen++                          smp_mb (enter_cpu, and before the entry)
 *   smp_mb                             read tlb_gen, flush if it changed
 *   interrupt loaded_cpus, wait        use the table
 *
 * Either the shootdown sees the CPU, whose guest exits and flushes before it
 * is entered again, or the CPU sees the new tlb_gen.
 *
 * Where the backend can make all CPUs forget at once, there is none of this: what
 * it did not reach was read from the table after the change.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "axvcpu_range.h"
#include "axvcpu_zap.h"

static void do_nothing(void *unused)
{
}

/* The guests of this table exit, and flush before they are entered again. */
static void interrupt_guests(struct axvcpu_aspace *aspace)
{
	WRITE_ONCE(aspace->tlb_gen, aspace->tlb_gen + 1);
	/* Pairs with enter_cpu's. */
	smp_mb();
	/* CPUs come and go meanwhile: one that is not seen here flushes before its entry. */
	if (data_race(cpumask_empty(aspace->loaded_cpus)))
		return;
	preempt_disable();
	smp_call_function_many(aspace->loaded_cpus, do_nothing, NULL, true);
	preempt_enable();
	aspace->stats.shootdowns++;
}

/**
 * struct zap - what has been taken out so far
 * @s2: the table's part
 * @aspace: the address space
 * @range: whose leaves are at hand
 */
struct zap {
	struct axvcpu_s2_zap s2;
	struct axvcpu_aspace *aspace;
	struct axvcpu_range *range;
};

/* Returns when no CPU remembers what @zap took out. */
static void flush_zapped(struct zap *zap)
{
	lockdep_assert_held(&zap->aspace->lock);
	if (!zap->s2.flush)
		return;
	if (axvcpu_arch.flush_tlbs)
		axvcpu_arch.flush_tlbs(&zap->s2);
	else
		interrupt_guests(zap->aspace);
	axvcpu_s2_free_tables(&zap->aspace->s2, &zap->s2.tables);
	zap->s2.flush = false;
	zap->s2.nr_runs = 0;
}

/*
 * The host does not see the guest's writes in its own page table. As the leaf
 * was still there, the page can't have been truncated: the same as where the
 * host takes over the dirty bit of an entry that it removes.
 */
static void leaf_gone(struct axvcpu_s2_zap *s2, u64 gpa, unsigned int level, u64 leaf)
{
	struct zap *zap = container_of(s2, struct zap, s2);
	const struct axvcpu_s2_format *format = zap->aspace->s2.format;

	if (!axvcpu_s2_may_be_dirty(format, leaf))
		return;
	folio_mark_dirty(page_folio(pfn_to_page(PHYS_PFN(leaf & format->addr_mask))));
	axvcpu_log_mark(zap->range, gpa, 1ULL << (level * format->level_bits));
}

static void zap_init(struct zap *zap, struct axvcpu_aspace *aspace)
{
	*zap = (struct zap){ .s2.gone = leaf_gone, .aspace = aspace };
	INIT_LIST_HEAD(&zap->s2.tables);
}

/* Returns whether the lock was dropped meanwhile. */
static bool give_way(struct zap *zap)
{
	if (!need_resched() && !spin_needbreak(&zap->aspace->lock))
		return false;
	flush_zapped(zap);
	return cond_resched_lock(&zap->aspace->lock);
}

/*
 * axvcpu_s2_zap() or _clean(). May drop the lock in between when @may_sleep: the caller
 * holds the range. Whoever has deactivated it meanwhile has done the rest. Returns whether
 * the lock was dropped.
 */
static bool for_leaves(struct zap *zap, u64 gpa, u64 end, bool may_sleep,
		       u64 (*fn)(struct axvcpu_s2 *s2, u64 gpa, u64 end,
				 struct axvcpu_s2_zap *zap))
{
	bool dropped = false;

	do {
		gpa = fn(&zap->aspace->s2, gpa, end, &zap->s2);
		if (may_sleep)
			dropped |= give_way(zap);
	} while (gpa < end && zap->range->active);
	return dropped;
}

static void change_leaves(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep,
			  u64 (*fn)(struct axvcpu_s2 *s2, u64 gpa, u64 end,
				    struct axvcpu_s2_zap *zap))
{
	struct zap zap;

	if (!range->active)
		return;
	zap_init(&zap, range->aspace);
	zap.range = range;
	for_leaves(&zap, gpa, end, may_sleep, fn);
	flush_zapped(&zap);
}

/**
 * axvcpu_zap_range() - take leaves of a range out of the table
 * @range: the range
 * @gpa: where they begin
 * @end: where they end
 * @may_sleep: the lock may be dropped in between
 *
 * When it returns, no CPU remembers any of them.
 *
 * Context: &struct axvcpu_aspace.lock held, interrupts on.
 */
void axvcpu_zap_range(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep)
{
	change_leaves(range, gpa, end, may_sleep, axvcpu_s2_zap);
}

/**
 * axvcpu_zap_clean() - make leaves of a range tell of the guest's next write
 * @range: the range, with a log, which gets what they have to tell now
 * @gpa: where they begin
 * @end: where they end
 *
 * Context: &struct axvcpu_aspace.lock held, interrupts on; may drop it in between.
 */
void axvcpu_zap_clean(struct axvcpu_range *range, u64 gpa, u64 end)
{
	change_leaves(range, gpa, end, true, axvcpu_s2_clean);
}

static struct axvcpu_range *range_of(struct interval_tree_node *user)
{
	return user ? container_of(user, struct axvcpu_range, user) : NULL;
}

static struct axvcpu_range *first_active(struct axvcpu_aspace *aspace, unsigned long first,
					 unsigned long last)
{
	return range_of(interval_tree_iter_first(&aspace->active, first, last));
}

static struct axvcpu_range *next_active(struct axvcpu_range *range, unsigned long first,
					unsigned long last)
{
	return range_of(interval_tree_iter_next(&range->user, first, last));
}

/* The part of a range that shows user memory from @first to @last */
static void part_of(const struct axvcpu_range *range, unsigned long first, unsigned long last,
		    u64 *gpa, u64 *end)
{
	first = max(first, range->user.start);
	last = min(last, range->user.last);
	*gpa = range->node.start + (first - range->user.start);
	*end = *gpa + (last - first) + 1;
}

/**
 * axvcpu_zap_user() - take out whatever shows some user memory to the guest
 * @aspace: the address space
 * @first: user address
 * @last: the last one that counts
 * @may_sleep: the lock may be dropped in between
 *
 * However many ranges that are, CPUs are interrupted once. When it returns, none remembers
 * any of it.
 *
 * Context: &struct axvcpu_aspace.lock held, interrupts on.
 */
void axvcpu_zap_user(struct axvcpu_aspace *aspace, unsigned long first, unsigned long last,
		     bool may_sleep)
{
	struct axvcpu_range *range, *next;
	struct zap zap;
	bool dropped;
	u64 gpa, end;

	zap_init(&zap, aspace);
	for (range = first_active(aspace, first, last); range; range = next) {
		part_of(range, first, last, &gpa, &end);
		zap.range = range;
		kref_get(&range->ref);
		dropped = for_leaves(&zap, gpa, end, may_sleep, axvcpu_s2_zap);
		/* A range that has left the tree meanwhile leads to no other. */
		next = range->active ? next_active(range, first, last) :
				       first_active(aspace, first, last);
		if (!dropped && end - gpa == axvcpu_range_pages(range) << PAGE_SHIFT)
			axvcpu_range_deactivate(range);
		axvcpu_range_put(range);
	}
	flush_zapped(&zap);
}

/**
 * axvcpu_zap_age() - has the guest used some user memory lately?
 * @aspace: the address space
 * @first: user address
 * @last: the last one that counts
 * @clear: it starts anew
 * @flush: CPUs tell of its next use at once; otherwise they may remember it for a while
 *
 * Where the hardware does not mark what it uses, what is there counts as used, and goes.
 *
 * Context: &struct axvcpu_aspace.lock held, interrupts on; does not sleep.
 * Return: whether it has.
 */
bool axvcpu_zap_age(struct axvcpu_aspace *aspace, unsigned long first, unsigned long last,
		    bool clear, bool flush)
{
	struct axvcpu_range *range = first_active(aspace, first, last);
	bool marks = aspace->s2.format->accessed, young = false;
	struct zap zap;
	u64 gpa, end;

	zap_init(&zap, aspace);
	for (; range; range = next_active(range, first, last)) {
		part_of(range, first, last, &gpa, &end);
		if (!axvcpu_s2_young(&aspace->s2, gpa, end, marks && clear))
			continue;
		young = true;
		zap.range = range;
		if (clear && !marks)
			for_leaves(&zap, gpa, end, false, axvcpu_s2_zap);
	}
	zap.s2.flush |= young && clear && flush;
	/* In many places, perhaps. */
	if (marks)
		zap.s2.nr_runs = AXVCPU_S2_RUNS + 1;
	flush_zapped(&zap);
	return young;
}
