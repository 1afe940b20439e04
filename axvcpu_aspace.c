// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: ranges of a process mirrored into a second-stage table.
 *
 * Nothing is pinned. What the host does to the memory of a range is heard by a listener
 * (axvcpu_listener.c), before it takes a page away or takes away the right to write to it.
 *
 * Locks:
 * - ranges_lock serialises what changes ranges. It is not taken by faults, which may
 *   wait for userspace (userfaultfd).
 * - lock protects the table, and is taken by listeners, which may not sleep. See
 *   axvcpu_zap.c.
 *
 * The range tree is changed under both locks, and read under either.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "axvcpu_age.h"
#include "axvcpu_range.h"
#include "axvcpu_zap.h"

#define MAX_RANGES	32768

static void range_release(struct kref *ref)
{
	struct axvcpu_range *range = container_of(ref, struct axvcpu_range, ref);

	axvcpu_log_put(range->log);
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

/**
 * axvcpu_range_activate() - there may be leaves from now on
 * @range: the range
 *
 * Context: &struct axvcpu_aspace.lock held.
 */
void axvcpu_range_activate(struct axvcpu_range *range)
{
	lockdep_assert_held(&range->aspace->lock);
	if (range->active)
		return;
	range->active = true;
	interval_tree_insert(&range->user, &range->aspace->active);
}

/**
 * axvcpu_range_deactivate() - there are no leaves any more
 * @range: the range
 *
 * Context: &struct axvcpu_aspace.lock held.
 */
void axvcpu_range_deactivate(struct axvcpu_range *range)
{
	lockdep_assert_held(&range->aspace->lock);
	if (!range->active)
		return;
	range->active = false;
	interval_tree_remove(&range->user, &range->aspace->active);
}

/* Faults that hold a reference find it unmapped. The listener goes last. */
static void range_unmap(struct axvcpu_range *range)
{
	struct axvcpu_aspace *aspace = range->aspace;

	spin_lock(&aspace->lock);
	interval_tree_remove(&range->node, &aspace->ranges);
	WRITE_ONCE(range->unmapped, true);
	aspace->stats.ranges--;
	axvcpu_zap_range(range, range->node.start, range->node.last + 1, true);
	axvcpu_range_deactivate(range);
	spin_unlock(&aspace->lock);

	axvcpu_listener_leave(range);
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
	aspace->active = RB_ROOT_CACHED;
	aspace->listeners = RB_ROOT_CACHED;
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
	axvcpu_age_end(aspace);
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

static struct axvcpu_range *range_create(struct axvcpu_aspace *aspace, u64 gpa,
					 unsigned long uaddr, u64 size, u32 flags)
{
	struct axvcpu_range *range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);

	if (!range)
		return NULL;
	kref_init(&range->ref);
	range->aspace = aspace;
	range->flags = flags;
	range->node.start = gpa;
	range->node.last = gpa + size - 1;
	range->user.start = uaddr;
	range->user.last = uaddr + size - 1;
	return range;
}

/* The listener is there before the range, as leaves are not without it. */
static int range_map(struct axvcpu_range *range)
{
	struct axvcpu_aspace *aspace = range->aspace;
	int ret;

	if (axvcpu_range_find(aspace, range->node.start, range->node.last))
		return -EEXIST;
	if (aspace->stats.ranges == MAX_RANGES)
		return -ENOSPC;
	ret = axvcpu_age_begin(aspace) ?: axvcpu_listener_join(range);
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
 * for %AXVCPU_MAP; -EINTR: a signal.
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

	range = range_create(aspace, map->gpa, map->uaddr, map->size, map->flags);
	if (!range)
		return -ENOMEM;
	if (map->flags & AXVCPU_MAP_LOG_DIRTY) {
		range->log = axvcpu_log_create(axvcpu_range_pages(range));
		ret = range->log ? 0 : -ENOMEM;
	}
	if (!ret)
		ret = mutex_lock_interruptible(&aspace->ranges_lock);
	if (!ret) {
		ret = range_map(range);
		mutex_unlock(&aspace->ranges_lock);
	}
	if (ret)
		axvcpu_range_put(range);
	return ret;
}

/* Parts of what was mapped */

/* How many ranges make these addresses up; -ENOENT: there is a hole. */
static int count_ranges(struct axvcpu_aspace *aspace, u64 gpa, u64 last)
{
	struct axvcpu_range *range;
	int count = 0;

	do {
		range = axvcpu_range_find(aspace, gpa, gpa);
		if (!range)
			return -ENOENT;
		count++;
		gpa = range->node.last + 1;
	} while (range->node.last < last);
	return count;
}

static struct axvcpu_range *create_part(const struct axvcpu_range *range, u64 gpa, u64 end)
{
	struct axvcpu_range *part = range_create(range->aspace, gpa, axvcpu_range_uaddr(range, gpa),
						 end - gpa, range->flags);

	if (!part)
		return NULL;
	part->log = axvcpu_log_get(range->log);
	part->log_first = range->log_first + PHYS_PFN(gpa - range->node.start);
	return part;
}

static void insert_part(const struct axvcpu_range *range, struct axvcpu_range *part)
{
	part->listener = range->listener;
	list_add(&part->link, &part->listener->ranges);
	interval_tree_insert(&part->node, &part->aspace->ranges);
	if (range->active)
		axvcpu_range_activate(part);
}

/*
 * Two ranges in the place of one, where @gpa is inside it: the leaves stay. Faults that
 * look at the old one find out.
 */
static int cut(struct axvcpu_aspace *aspace, u64 gpa)
{
	struct axvcpu_range *range = axvcpu_range_find(aspace, gpa, gpa), *low, *high;

	if (!range || range->node.start == gpa)
		return 0;
	low = create_part(range, range->node.start, gpa);
	high = create_part(range, gpa, range->node.last + 1);
	if (!low || !high) {
		if (low)
			axvcpu_range_put(low);
		if (high)
			axvcpu_range_put(high);
		return -ENOMEM;
	}
	spin_lock(&aspace->lock);
	/* A large leaf that both would have a part of */
	axvcpu_zap_range(range, gpa - PAGE_SIZE, gpa + PAGE_SIZE, false);
	interval_tree_remove(&range->node, &aspace->ranges);
	insert_part(range, low);
	insert_part(range, high);
	aspace->stats.ranges++;
	WRITE_ONCE(range->unmapped, true);
	axvcpu_range_deactivate(range);
	list_del(&range->link);
	spin_unlock(&aspace->lock);
	axvcpu_range_put(range);
	return 0;
}

static bool is_inside(struct axvcpu_aspace *aspace, u64 gpa)
{
	const struct axvcpu_range *range = axvcpu_range_find(aspace, gpa, gpa);

	return range && range->node.start != gpa;
}

/*
 * Ranges begin at @gpa and behind @last, which is a part of guest memory without holes;
 * @going: so many of them go then.
 */
static int cut_out(struct axvcpu_aspace *aspace, u64 gpa, u64 last, unsigned int going)
{
	unsigned int cuts = is_inside(aspace, gpa) + is_inside(aspace, last + 1);

	if (aspace->stats.ranges + cuts > MAX_RANGES + going)
		return -ENOSPC;
	return cut(aspace, gpa) ?: cut(aspace, last + 1);
}

/* With ranges_lock held, how many ranges have a part of these addresses; or an errno, without. */
static int lock_part(struct axvcpu_aspace *aspace, u64 gpa, u64 size)
{
	u64 end;
	int ret;

	if (!size || !PAGE_ALIGNED(gpa | size) || check_add_overflow(gpa, size, &end))
		return -EINVAL;
	if (!axvcpu_aspace_is_ours(aspace))
		return -EIO;
	ret = mutex_lock_interruptible(&aspace->ranges_lock);
	if (ret)
		return ret;
	ret = count_ranges(aspace, gpa, end - 1);
	if (ret < 0)
		mutex_unlock(&aspace->ranges_lock);
	return ret;
}

#define for_each_range(range, aspace, gpa, last)					\
	for (u64 next_gpa = (gpa); next_gpa <= (last) &&				\
	     ({ range = axvcpu_range_find(aspace, next_gpa, next_gpa);			\
		next_gpa = range->node.last + 1; true; });)

static bool have_logs(struct axvcpu_aspace *aspace, u64 gpa, u64 last)
{
	struct axvcpu_range *range;

	for_each_range(range, aspace, gpa, last)
		if (!range->log)
			return false;
	return true;
}

/**
 * axvcpu_aspace_unmap() - take memory away
 * @aspace: the address space
 * @unmap: any part of what is mapped, over several ranges
 *
 * When it returns, no CPU reaches the memory through these addresses.
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL; -EIO: another process's; -ENOENT: not all of it is mapped; -ENOSPC:
 * too many ranges would be left; -ENOMEM; -EINTR: a signal. After an error, all of it is
 * still there, but -ENOMEM may leave a range cut in two.
 */
int axvcpu_aspace_unmap(struct axvcpu_aspace *aspace, const struct axvcpu_unmap *unmap)
{
	u64 last = unmap->gpa + unmap->size - 1;
	struct axvcpu_range *range;
	int ret;

	if (unmap->reserved)
		return -EINVAL;
	ret = lock_part(aspace, unmap->gpa, unmap->size);
	if (ret < 0)
		return ret;
	ret = cut_out(aspace, unmap->gpa, last, ret);
	if (!ret)
		while ((range = axvcpu_range_find(aspace, unmap->gpa, last)))
			range_unmap(range);
	mutex_unlock(&aspace->ranges_lock);
	return ret;
}

/* Leaves come back with the new flags; a fault that looked at the old ones finds out. */
static void range_protect(struct axvcpu_range *range, u32 flags, struct axvcpu_log *log,
			  u64 log_first)
{
	struct axvcpu_aspace *aspace = range->aspace;
	struct axvcpu_log *old = NULL;

	spin_lock(&aspace->lock);
	if (!(flags & AXVCPU_MAP_LOG_DIRTY)) {
		swap(range->log, old);
	} else if (!range->log) {
		range->log = axvcpu_log_get(log);
		range->log_first = log_first;
	}
	WRITE_ONCE(range->flags, flags);
	axvcpu_zap_range(range, range->node.start, range->node.last + 1, true);
	spin_unlock(&aspace->lock);
	axvcpu_log_put(old);
}

static int protect_locked(struct axvcpu_aspace *aspace, const struct axvcpu_protect *protect)
{
	u64 last = protect->gpa + protect->size - 1;
	struct axvcpu_log *log = NULL;
	struct axvcpu_range *range;
	int ret;

	/* For all ranges that have none yet */
	if (protect->flags & AXVCPU_MAP_LOG_DIRTY && !have_logs(aspace, protect->gpa, last)) {
		log = axvcpu_log_create(PHYS_PFN(protect->size));
		if (!log)
			return -ENOMEM;
	}
	ret = cut_out(aspace, protect->gpa, last, 0);
	if (!ret)
		for_each_range(range, aspace, protect->gpa, last)
			range_protect(range, protect->flags, log,
				      PHYS_PFN(range->node.start - protect->gpa));
	axvcpu_log_put(log);
	return ret;
}

/**
 * axvcpu_aspace_protect() - change what the guest may do with memory
 * @aspace: the address space
 * @protect: any part of what is mapped, over several ranges, and its new flags
 *
 * Context: process context, sleeps.
 * Return: as axvcpu_aspace_unmap().
 */
int axvcpu_aspace_protect(struct axvcpu_aspace *aspace, const struct axvcpu_protect *protect)
{
	int ret;

	if (protect->reserved || check_flags(protect->flags))
		return -EINVAL;
	ret = lock_part(aspace, protect->gpa, protect->size);
	if (ret < 0)
		return ret;
	ret = protect_locked(aspace, protect);
	mutex_unlock(&aspace->ranges_lock);
	return ret;
}

/* Pages of which the log goes to userspace at a time: a page of it. */
#define LOG_PAGES	(PAGE_SIZE * BITS_PER_BYTE)

/* A part of GET_DIRTY's addresses: @gpa is bit @first of @bits. */
struct log_part {
	u64 gpa;
	u64 pages;
	u64 first;
	unsigned long *bits;
};

/* With what the leaves have to tell */
static void take_log(struct axvcpu_range *range, const struct log_part *part)
{
	spin_lock(&range->aspace->lock);
	axvcpu_zap_clean(range, part->gpa, part->gpa + (part->pages << PAGE_SHIFT));
	axvcpu_log_take(range, part->gpa, part->pages, part->bits, part->first);
	spin_unlock(&range->aspace->lock);
}

static void put_back_log(struct axvcpu_range *range, const struct log_part *part)
{
	spin_lock(&range->aspace->lock);
	axvcpu_log_put_back(range, part->gpa, part->pages, part->bits, part->first);
	spin_unlock(&range->aspace->lock);
}

/* Do something with each range's part of @pages from @gpa on, which are bits from 0 on. */
static void for_log_parts(struct axvcpu_aspace *aspace, u64 gpa, u64 pages, unsigned long *bits,
			  void (*fn)(struct axvcpu_range *range, const struct log_part *part))
{
	u64 end = gpa + (pages << PAGE_SHIFT), at = gpa;

	while (at < end) {
		struct axvcpu_range *range = axvcpu_range_find(aspace, at, at);
		u64 last = min(range->node.last, end - 1);
		struct log_part part = {
			.gpa = at,
			.pages = PHYS_PFN(last + 1 - at),
			.first = PHYS_PFN(at - gpa),
			.bits = bits,
		};

		fn(range, &part);
		at = last + 1;
	}
}

static int get_dirty_locked(struct axvcpu_aspace *aspace, const struct axvcpu_get_dirty *dirty)
{
	u64 first, pages, all = PHYS_PFN(dirty->size);
	u64 __user *user = u64_to_user_ptr(dirty->bitmap);
	unsigned long *bits;
	int ret = 0;

	if (!have_logs(aspace, dirty->gpa, dirty->gpa + dirty->size - 1))
		return -EINVAL;
	bits = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	for (first = 0; first < all && !ret; first += pages) {
		u64 gpa = dirty->gpa + (first << PAGE_SHIFT);

		pages = min_t(u64, all - first, LOG_PAGES);
		bitmap_zero(bits, LOG_PAGES);
		for_log_parts(aspace, gpa, pages, bits, take_log);
		if (copy_to_user(user + first / 64, bits, DIV_ROUND_UP(pages, 64) * sizeof(u64))) {
			for_log_parts(aspace, gpa, pages, bits, put_back_log);
			ret = -EFAULT;
		}
	}
	free_page((unsigned long)bits);
	return ret;
}

/**
 * axvcpu_aspace_get_dirty() - tell which pages the guest has written
 * @aspace: the address space
 * @dirty: any part of what is mapped, over several ranges, with logs; where the bits go
 *
 * Context: process context, sleeps.
 * Return: 0; -EINVAL; -EFAULT; -EIO: another process's; -ENOENT: not all of it is mapped;
 * -ENOMEM; -EINTR: a signal.
 */
int axvcpu_aspace_get_dirty(struct axvcpu_aspace *aspace, const struct axvcpu_get_dirty *dirty)
{
	int ret;

	if (dirty->reserved)
		return -EINVAL;
	ret = lock_part(aspace, dirty->gpa, dirty->size);
	if (ret < 0)
		return ret;
	ret = get_dirty_locked(aspace, dirty);
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
