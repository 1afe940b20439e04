// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: ranges of a process mirrored into a second-stage table.
 *
 * Nothing is pinned. A range has an interval notifier over the user addresses
 * behind it; the host calls it before it takes a page away or takes away the
 * right to write to it. While a leaf is in the table, the host has therefore
 * not got to the end of such a change: the page is still mapped in the process
 * as the leaf says, and can't be freed or truncated.
 *
 * Locks:
 * - ranges_lock serialises MAP and UNMAP. It is not taken by faults, which may
 *   wait for userspace (userfaultfd).
 * - lock protects the table, and is taken by the notifier, which may not
 *   sleep. It is held over a shootdown: an invalidation that finds nothing in
 *   the table must not return, and let the page be freed, while another one
 *   still waits for a CPU that uses it. Who waits for the lock has interrupts
 *   on, so that the shootdown gets through.
 *
 * The range tree is changed under both locks, and read under either.
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
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "axvcpu_range.h"

#define MAX_RANGES	32768

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

/* Returns when no CPU remembers what @zap took out. */
static void flush_zapped(struct axvcpu_aspace *aspace, struct axvcpu_s2_zap *zap)
{
	lockdep_assert_held(&aspace->lock);
	if (!zap->flush)
		return;
	if (axvcpu_arch.flush_tlbs)
		axvcpu_arch.flush_tlbs(zap);
	else
		interrupt_guests(aspace);
	axvcpu_s2_free_tables(aspace->s2.format, &zap->tables);
	zap->flush = false;
	zap->nr_runs = 0;
}

struct range_zap {
	struct axvcpu_s2_zap s2;
	struct axvcpu_range *range;
};

/*
 * The host does not see the guest's writes in its own page table. As the leaf
 * was still there, the page can't have been truncated: the same as where the
 * host takes over the dirty bit of an entry that it removes.
 */
static void leaf_gone(struct axvcpu_s2_zap *zap, u64 gpa, unsigned int level, u64 leaf)
{
	struct axvcpu_range *range = container_of(zap, struct range_zap, s2)->range;
	const struct axvcpu_s2_format *format = range->aspace->s2.format;
	u64 first;

	if (!axvcpu_s2_may_be_dirty(format, leaf))
		return;
	folio_mark_dirty(page_folio(pfn_to_page(PHYS_PFN(leaf & format->addr_mask))));
	if (!range->dirty)
		return;
	/* bitmap_set() counts from there in 32 bits. */
	first = PHYS_PFN(gpa - range->node.start);
	bitmap_set(range->dirty + BIT_WORD(first), first % BITS_PER_LONG,
		   1U << (level * format->level_bits));
}

/* axvcpu_s2_zap() or _clean(). May drop the lock in between when @may_sleep. */
static void for_leaves(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep,
		       u64 (*fn)(struct axvcpu_s2 *s2, u64 gpa, u64 end,
				 struct axvcpu_s2_zap *zap))
{
	struct range_zap zap = { .s2.gone = leaf_gone, .range = range };
	struct axvcpu_aspace *aspace = range->aspace;

	lockdep_assert_held(&aspace->lock);
	INIT_LIST_HEAD(&zap.s2.tables);
	do {
		gpa = fn(&aspace->s2, gpa, end, &zap.s2);
		if (may_sleep && (need_resched() || spin_needbreak(&aspace->lock))) {
			flush_zapped(aspace, &zap.s2);
			cond_resched_lock(&aspace->lock);
		}
	} while (gpa < end);
	flush_zapped(aspace, &zap.s2);
}

/**
 * axvcpu_range_zap() - take leaves of a range out of the table
 * @range: the range
 * @gpa: where they begin
 * @end: where they end
 * @may_sleep: the lock may be dropped in between
 *
 * When it returns, no CPU remembers any of them.
 *
 * Context: &struct axvcpu_aspace.lock held, interrupts on.
 */
void axvcpu_range_zap(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep)
{
	for_leaves(range, gpa, end, may_sleep, axvcpu_s2_zap);
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *host, unsigned long seq)
{
	struct axvcpu_range *range = container_of(notifier, struct axvcpu_range, notifier);
	struct axvcpu_aspace *aspace = range->aspace;
	unsigned long first = max(host->start, notifier->interval_tree.start);
	unsigned long last = min(host->end - 1, notifier->interval_tree.last);
	u64 gpa = range->node.start + (first - notifier->interval_tree.start);

	spin_lock(&aspace->lock);
	mmu_interval_set_seq(notifier, seq);
	aspace->stats.invalidations++;
	axvcpu_range_zap(range, gpa, gpa + (last - first) + 1,
			 mmu_notifier_range_blockable(host));
	spin_unlock(&aspace->lock);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = invalidate,
};

static void range_release(struct kref *ref)
{
	struct axvcpu_range *range = container_of(ref, struct axvcpu_range, ref);

	kvfree(range->dirty);
	kfree(range);
}

/**
 * axvcpu_range_put() - give a reference back
 * @range: the range; freed with its last reference
 *
 * Context: process context.
 */
void axvcpu_range_put(struct axvcpu_range *range)
{
	kref_put(&range->ref, range_release);
}

static u64 range_pages(const struct axvcpu_range *range)
{
	return PHYS_PFN(range->node.last - range->node.start) + 1;
}

/**
 * axvcpu_range_find() - the first range that has a part of these addresses
 * @aspace: the address space
 * @first: guest-physical address
 * @last: the last one that counts
 *
 * Context: one of the address space's locks held.
 * Return: the range, or NULL.
 */
struct axvcpu_range *axvcpu_range_find(struct axvcpu_aspace *aspace, u64 first, u64 last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&aspace->ranges, first, last);
	return node ? container_of(node, struct axvcpu_range, node) : NULL;
}

/*
 * Faults that hold a reference find it unmapped. The notifier goes last: as
 * long as there are leaves, the host must tell what happens to their pages.
 */
static void range_unmap(struct axvcpu_range *range)
{
	struct axvcpu_aspace *aspace = range->aspace;

	spin_lock(&aspace->lock);
	interval_tree_remove(&range->node, &aspace->ranges);
	WRITE_ONCE(range->unmapped, true);
	aspace->stats.ranges--;
	axvcpu_range_zap(range, range->node.start, range->node.last + 1, true);
	spin_unlock(&aspace->lock);

	mmu_interval_notifier_remove(&range->notifier);
	axvcpu_range_put(range);
}

/**
 * axvcpu_aspace_create() - make an empty address space for this process
 *
 * Context: process context, sleeps.
 * Return: the address space with one reference, or ERR_PTR(-ENOMEM).
 */
struct axvcpu_aspace *axvcpu_aspace_create(void)
{
	struct axvcpu_aspace *aspace = kzalloc(sizeof(*aspace), GFP_KERNEL_ACCOUNT);

	if (!aspace)
		return ERR_PTR(-ENOMEM);
	if (!zalloc_cpumask_var(&aspace->loaded_cpus, GFP_KERNEL_ACCOUNT))
		goto free_aspace;
	if (axvcpu_s2_init(&aspace->s2, axvcpu_arch.s2))
		goto free_cpus;

	kref_init(&aspace->ref);
	mutex_init(&aspace->ranges_lock);
	spin_lock_init(&aspace->lock);
	aspace->ranges = RB_ROOT_CACHED;
	aspace->tlb_gen = 1;
	aspace->mm = current->mm;
	/* A kernel thread has none, and can map nothing. */
	if (aspace->mm)
		mmgrab(aspace->mm);
	return aspace;

free_cpus:
	free_cpumask_var(aspace->loaded_cpus);
free_aspace:
	kfree(aspace);
	return ERR_PTR(-ENOMEM);
}

/**
 * axvcpu_aspace_get() - take a reference
 * @aspace: the address space
 *
 * Context: any; the caller has a reference, or another way to keep it.
 * Return: @aspace.
 */
struct axvcpu_aspace *axvcpu_aspace_get(struct axvcpu_aspace *aspace)
{
	kref_get(&aspace->ref);
	return aspace;
}

static void aspace_release(struct kref *ref)
{
	struct axvcpu_aspace *aspace = container_of(ref, struct axvcpu_aspace, ref);
	struct axvcpu_range *range;

	while ((range = axvcpu_range_find(aspace, 0, ULONG_MAX)))
		range_unmap(range);
	axvcpu_s2_destroy(&aspace->s2);
	if (aspace->mm)
		mmdrop(aspace->mm);
	free_cpumask_var(aspace->loaded_cpus);
	kfree(aspace);
}

/**
 * axvcpu_aspace_put() - give a reference back
 * @aspace: the address space; freed with its last reference
 *
 * Context: process context of any process, sleeps.
 */
void axvcpu_aspace_put(struct axvcpu_aspace *aspace)
{
	kref_put(&aspace->ref, aspace_release);
}

/**
 * axvcpu_aspace_root() - where the hardware starts to walk
 * @aspace: the address space
 *
 * Context: any.
 * Return: host-physical address of the root table.
 */
struct axvcpu_hpa axvcpu_aspace_root(const struct axvcpu_aspace *aspace)
{
	return axvcpu_hpa(virt_to_phys(aspace->s2.root));
}

static int check_flags(u32 flags)
{
	if (flags & ~(AXVCPU_MAP_ALL | AXVCPU_MAP_LOG_DIRTY))
		return -EINVAL;
	return axvcpu_arch.s2->accesses & BIT(flags & AXVCPU_MAP_ALL) ? 0 : -EINVAL;
}

/* The log of written pages, or NULL without. */
static int make_log(u32 flags, u64 pages, unsigned long **log)
{
	*log = NULL;
	if (!(flags & AXVCPU_MAP_LOG_DIRTY))
		return 0;
	*log = kvcalloc(BITS_TO_LONGS(pages), sizeof(**log), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	return *log ? 0 : -ENOMEM;
}

static int check_map(const struct axvcpu_map *map)
{
	u64 gpa_end, user_end;

	if (map->reserved || check_flags(map->flags))
		return -EINVAL;
	if (!map->size || !PAGE_ALIGNED(map->gpa | map->size | map->uaddr))
		return -EINVAL;
	if (check_add_overflow(map->gpa, map->size, &gpa_end) ||
	    check_add_overflow(map->uaddr, map->size, &user_end))
		return -EINVAL;
	if (gpa_end > BIT_ULL(axvcpu_arch.s2->gpa_bits))
		return -EINVAL;
	/* Not access_ok(), which takes tagged addresses: the host reports untagged ones. */
	if (user_end > TASK_SIZE)
		return -EFAULT;
	return 0;
}

/* The notifier is there before the range, as leaves are not without it. */
static int range_map(struct axvcpu_aspace *aspace, struct axvcpu_range *range,
		     const struct axvcpu_map *map)
{
	int ret;

	lockdep_assert_held(&aspace->ranges_lock);
	if (axvcpu_range_find(aspace, map->gpa, map->gpa + map->size - 1))
		return -EEXIST;
	if (aspace->stats.ranges == MAX_RANGES)
		return -ENOSPC;
	ret = mmu_interval_notifier_insert(&range->notifier, aspace->mm, map->uaddr, map->size,
					   &notifier_ops);
	if (ret)
		return ret;

	spin_lock(&aspace->lock);
	interval_tree_insert(&range->node, &aspace->ranges);
	aspace->stats.ranges++;
	spin_unlock(&aspace->lock);
	return 0;
}

/**
 * axvcpu_aspace_map() - the caller's memory becomes the guest's
 * @aspace: the address space
 * @map: the range; all of it is checked here
 *
 * Nothing needs to be mapped at the user address yet.
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL, -EFAULT, -EEXIST, -ENOSPC, -EIO, -ENOMEM as documented
 * for %AXVCPU_MAP; -EINTR: killed, or a signal with the process's first range.
 */
int axvcpu_aspace_map(struct axvcpu_aspace *aspace, const struct axvcpu_map *map)
{
	struct axvcpu_range *range;
	int ret;

	ret = check_map(map);
	if (ret)
		return ret;
	if (!aspace->mm || !axvcpu_aspace_is_ours(aspace))
		return -EIO;

	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return -ENOMEM;
	kref_init(&range->ref);
	range->aspace = aspace;
	range->flags = map->flags;
	range->node.start = map->gpa;
	range->node.last = map->gpa + map->size - 1;

	ret = make_log(map->flags, range_pages(range), &range->dirty);
	if (!ret)
		ret = mutex_lock_killable(&aspace->ranges_lock);
	if (!ret) {
		ret = range_map(aspace, range, map);
		mutex_unlock(&aspace->ranges_lock);
	}
	if (ret)
		axvcpu_range_put(range);
	return ret;
}

/* Exactly the range that was mapped so, with ranges_lock held; or ERR_PTR(), without. */
static struct axvcpu_range *lock_range(struct axvcpu_aspace *aspace, u64 gpa, u64 size)
{
	struct axvcpu_range *range;
	int ret;

	if (!axvcpu_aspace_is_ours(aspace))
		return ERR_PTR(-EIO);
	ret = mutex_lock_killable(&aspace->ranges_lock);
	if (ret)
		return ERR_PTR(ret);
	range = axvcpu_range_find(aspace, gpa, gpa);
	if (range && range->node.start == gpa && range->node.last - range->node.start == size - 1)
		return range;
	mutex_unlock(&aspace->ranges_lock);
	return ERR_PTR(-ENOENT);
}

/**
 * axvcpu_aspace_unmap() - take a range away
 * @aspace: the address space
 * @unmap: exactly a range that was mapped
 *
 * When it returns, no CPU reaches the memory through this range.
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL; -EIO: another process's; -ENOENT: there is no such
 * range; -EINTR: killed.
 */
int axvcpu_aspace_unmap(struct axvcpu_aspace *aspace, const struct axvcpu_unmap *unmap)
{
	struct axvcpu_range *range;

	if (unmap->reserved)
		return -EINVAL;
	range = lock_range(aspace, unmap->gpa, unmap->size);
	if (IS_ERR(range))
		return PTR_ERR(range);
	range_unmap(range);
	mutex_unlock(&aspace->ranges_lock);
	return 0;
}

/* Leaves come back with the new flags; a fault that looked at the old ones finds out. */
static int range_protect(struct axvcpu_range *range, u32 flags)
{
	struct axvcpu_aspace *aspace = range->aspace;
	unsigned long *log;
	int ret;

	ret = make_log(flags & ~range->flags, range_pages(range), &log);
	if (ret)
		return ret;

	spin_lock(&aspace->lock);
	if ((flags ^ range->flags) & AXVCPU_MAP_LOG_DIRTY)
		swap(range->dirty, log);
	WRITE_ONCE(range->flags, flags);
	axvcpu_range_zap(range, range->node.start, range->node.last + 1, true);
	spin_unlock(&aspace->lock);
	kvfree(log);
	return 0;
}

/**
 * axvcpu_aspace_protect() - change what the guest may do with a range
 * @aspace: the address space
 * @protect: exactly a range that was mapped, and its new flags
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL; -EIO: another process's; -ENOENT: there is no such
 * range; -ENOMEM; -EINTR: killed.
 */
int axvcpu_aspace_protect(struct axvcpu_aspace *aspace, const struct axvcpu_protect *protect)
{
	struct axvcpu_range *range;
	int ret;

	if (protect->reserved || check_flags(protect->flags))
		return -EINVAL;
	range = lock_range(aspace, protect->gpa, protect->size);
	if (IS_ERR(range))
		return PTR_ERR(range);
	ret = range_protect(range, protect->flags);
	mutex_unlock(&aspace->ranges_lock);
	return ret;
}

/* Pages of which the log goes to userspace at a time: a page of it. */
#define LOG_PAGES	(PAGE_SIZE * BITS_PER_BYTE)

/* Take @pages bits from the log, with what the leaves have to tell. */
static void take_log(struct axvcpu_range *range, u64 first, u64 pages, unsigned long *bits)
{
	struct axvcpu_aspace *aspace = range->aspace;
	u64 gpa = range->node.start + (first << PAGE_SHIFT);
	unsigned long *log = range->dirty + BIT_WORD(first);

	spin_lock(&aspace->lock);
	for_leaves(range, gpa, gpa + (pages << PAGE_SHIFT), true, axvcpu_s2_clean);
	bitmap_copy(bits, log, pages);
	bitmap_clear(log, 0, pages);
	spin_unlock(&aspace->lock);
}

static void put_back_log(struct axvcpu_range *range, u64 first, u64 pages,
			 const unsigned long *bits)
{
	unsigned long *log = range->dirty + BIT_WORD(first);

	spin_lock(&range->aspace->lock);
	bitmap_or(log, log, bits, pages);
	spin_unlock(&range->aspace->lock);
}

static int range_get_dirty(struct axvcpu_range *range, u64 __user *user)
{
	u64 first, pages, all = range_pages(range);
	unsigned long *bits;
	int ret = 0;

	if (!range->dirty)
		return -EINVAL;
	bits = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	for (first = 0; first < all && !ret; first += pages) {
		pages = min_t(u64, all - first, LOG_PAGES);
		take_log(range, first, pages, bits);
		if (copy_to_user(user + first / 64, bits, DIV_ROUND_UP(pages, 64) * sizeof(u64))) {
			put_back_log(range, first, pages, bits);
			ret = -EFAULT;
		}
	}
	free_page((unsigned long)bits);
	return ret;
}

/**
 * axvcpu_aspace_get_dirty() - tell which pages the guest has written
 * @aspace: the address space
 * @dirty: exactly a range that was mapped, with a log; where the bits go
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL; -EFAULT; -EIO: another process's; -ENOENT: there is no
 * such range; -ENOMEM; -EINTR: killed.
 */
int axvcpu_aspace_get_dirty(struct axvcpu_aspace *aspace, const struct axvcpu_get_dirty *dirty)
{
	struct axvcpu_range *range;
	int ret;

	if (dirty->reserved)
		return -EINVAL;
	range = lock_range(aspace, dirty->gpa, dirty->size);
	if (IS_ERR(range))
		return PTR_ERR(range);
	ret = range_get_dirty(range, u64_to_user_ptr(dirty->bitmap));
	mutex_unlock(&aspace->ranges_lock);
	return ret;
}

/**
 * axvcpu_aspace_get_stats() - read the counters
 * @aspace: the address space
 * @stats: written
 *
 * Context: process context.
 */
void axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats)
{
	spin_lock(&aspace->lock);
	*stats = aspace->stats;
	stats->mapped_pages = aspace->s2.mapped;
	stats->table_pages = aspace->s2.tables;
	spin_unlock(&aspace->lock);
}
