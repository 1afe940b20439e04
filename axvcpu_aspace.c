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
 */
#include <linux/hmm.h>
#include <linux/interval_tree.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/userfaultfd_k.h>

#include "axvcpu.h"

#define MAX_RANGES	32768

/*
 * Pages that a fault looks at around the one at hand, aligned. When all of
 * them turn out to be there, and new to the table, many more are likely to be
 * wanted soon: then it looks at FAR_PAGES. Neither goes beyond one level-0
 * table. The host is asked to bring in the page at hand, and no other but where
 * the guest goes through absent memory page by page: then up to NEAR_PAGES
 * ahead. Where it had to do that last time, only one fault in NEAR_PAGES looks around.
 */
#define NEAR_PAGES	16
#define FAR_PAGES	512

/* What comes from HMM is turned into leaves in place. */
static_assert(sizeof(unsigned long) == sizeof(u64));

/* One MAP. */
struct axvcpu_range {
	struct kref ref;		/* the tree's, and one for each fault that looks at it */
	struct interval_tree_node node;	/* guest-physical addresses */
	struct mmu_interval_notifier notifier; /* user addresses */
	struct axvcpu_aspace *aspace;
	u32 flags;			/* AXVCPU_MAP_*; written under both locks */
	unsigned long *dirty;		/* a bit for each page, with LOG_DIRTY; bits under lock */
	bool unmapped;			/* left the tree; under axvcpu_aspace.lock */
	/* Hints: at the last fault the host had nothing, and brought in so much */
	bool absent;
	u8 ahead;			/* pages */
	u64 next;			/* behind the last one */
};

/* The part of a range that a fault looks at. */
struct window {
	u64 gpa;
	unsigned int level;		/* that the leaves will stand at */
	unsigned int count;
	u32 flags;			/* the range's, before the look */
	unsigned long seq;		/* the notifier's, before the look */
	unsigned long *pfns;		/* what HMM found, then the leaves */
};

static void do_nothing(void *unused)
{
}

/* Returns when no CPU remembers what @zap took out. */
static void flush_zapped(struct axvcpu_aspace *aspace, struct axvcpu_s2_zap *zap)
{
	lockdep_assert_held(&aspace->lock);
	if (!zap->flush)
		return;
	WRITE_ONCE(aspace->tlb_gen, aspace->tlb_gen + 1);
	/* Pairs with enter_cpu's. */
	smp_mb();
	if (!cpumask_empty(aspace->loaded_cpus)) {
		preempt_disable();
		smp_call_function_many(aspace->loaded_cpus, do_nothing, NULL, true);
		preempt_enable();
		aspace->stats.shootdowns++;
	}
	axvcpu_s2_free_tables(aspace->s2.format, &zap->tables);
	zap->flush = false;
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

	if (!axvcpu_s2_may_be_dirty(format, leaf))
		return;
	folio_mark_dirty(page_folio(pfn_to_page(PHYS_PFN(leaf & format->addr_mask))));
	if (range->dirty)
		bitmap_set(range->dirty, PHYS_PFN(gpa - range->node.start),
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
	for_leaves(range, gpa, gpa + (last - first) + 1, mmu_notifier_range_blockable(host),
		   axvcpu_s2_zap);
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

static u64 range_pages(const struct axvcpu_range *range)
{
	return PHYS_PFN(range->node.last - range->node.start) + 1;
}

static struct axvcpu_range *range_find(struct axvcpu_aspace *aspace, u64 first, u64 last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&aspace->ranges, first, last);
	return node ? container_of(node, struct axvcpu_range, node) : NULL;
}

/*
 * Faults that hold a reference find it unmapped. The notifier goes last: as
 * long as there are leaves, the host must tell what happens to their pages.
 */
static int range_unmap(struct axvcpu_range *range, const void *unused)
{
	struct axvcpu_aspace *aspace = range->aspace;

	spin_lock(&aspace->lock);
	interval_tree_remove(&range->node, &aspace->ranges);
	range->unmapped = true;
	aspace->stats.ranges--;
	for_leaves(range, range->node.start, range->node.last + 1, true, axvcpu_s2_zap);
	spin_unlock(&aspace->lock);

	mmu_interval_notifier_remove(&range->notifier);
	kref_put(&range->ref, range_release);
	return 0;
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

	while ((range = range_find(aspace, 0, ULONG_MAX)))
		range_unmap(range, NULL);
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
	if (flags & ~(AXVCPU_MAP_ALL | AXVCPU_MAP_LOG_DIRTY) || !(flags & AXVCPU_MAP_READ))
		return -EINVAL;
	return 0;
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
	if (range_find(aspace, map->gpa, map->gpa + map->size - 1))
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
 * for %AXVCPU_MAP; -EINTR: killed.
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
		kref_put(&range->ref, range_release);
	return ret;
}

/* Call @fn with exactly the range that was mapped so, and ranges_lock held. */
static int with_range(struct axvcpu_aspace *aspace, u64 gpa, u64 size,
		      int (*fn)(struct axvcpu_range *range, const void *arg), const void *arg)
{
	struct axvcpu_range *range;
	int ret;

	if (!axvcpu_aspace_is_ours(aspace))
		return -EIO;
	ret = mutex_lock_killable(&aspace->ranges_lock);
	if (ret)
		return ret;
	range = range_find(aspace, gpa, gpa);
	if (range && range->node.start == gpa && range->node.last - range->node.start == size - 1)
		ret = fn(range, arg);
	else
		ret = -ENOENT;
	mutex_unlock(&aspace->ranges_lock);
	return ret;
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
	if (unmap->reserved)
		return -EINVAL;
	return with_range(aspace, unmap->gpa, unmap->size, range_unmap, NULL);
}

/* Leaves come back with the new flags; a fault that looked at the old ones finds out. */
static int range_protect(struct axvcpu_range *range, const void *arg)
{
	u32 flags = ((const struct axvcpu_protect *)arg)->flags;
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
	for_leaves(range, range->node.start, range->node.last + 1, true, axvcpu_s2_zap);
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
	if (protect->reserved || check_flags(protect->flags))
		return -EINVAL;
	return with_range(aspace, protect->gpa, protect->size, range_protect, protect);
}

/* Pages of which the log goes to userspace at a time: a page of it. */
#define LOG_PAGES	(PAGE_SIZE * BITS_PER_BYTE)

/* Take @pages bits from the log, with what the leaves have to tell. */
static void take_log(struct axvcpu_range *range, u64 first, u64 pages, unsigned long *bits)
{
	struct axvcpu_aspace *aspace = range->aspace;
	u64 gpa = range->node.start + (first << PAGE_SHIFT);

	spin_lock(&aspace->lock);
	for_leaves(range, gpa, gpa + (pages << PAGE_SHIFT), true, axvcpu_s2_clean);
	bitmap_copy(bits, range->dirty + BIT_WORD(first), pages);
	bitmap_clear(range->dirty, first, pages);
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

static int range_get_dirty(struct axvcpu_range *range, const void *arg)
{
	u64 __user *user = u64_to_user_ptr(((const struct axvcpu_get_dirty *)arg)->bitmap);
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
	if (dirty->reserved)
		return -EINVAL;
	return with_range(aspace, dirty->gpa, dirty->size, range_get_dirty, dirty);
}

static unsigned long range_uaddr(const struct axvcpu_range *range, u64 gpa)
{
	return range->notifier.interval_tree.start + (gpa - range->node.start);
}

/* Bring in what follows a page, if that takes no wait for a device or a process. */
static void fault_in_ahead(struct vm_area_struct *vma, unsigned long uaddr, unsigned int pages,
			   unsigned int flags)
{
	unsigned long end = min(uaddr + ((unsigned long)pages << PAGE_SHIFT), vma->vm_end);

	if (!vma_is_anonymous(vma) || userfaultfd_armed(vma))
		return;
	while ((uaddr += PAGE_SIZE) < end) {
		if (handle_mm_fault(vma, uaddr, flags, NULL) & VM_FAULT_ERROR)
			break;
	}
}

/* Make the host bring in pages, the first as an access of the process itself would. */
static int fault_in(struct mm_struct *mm, unsigned long uaddr, unsigned int pages, bool write)
{
	unsigned int flags = FAULT_FLAG_DEFAULT | (write ? FAULT_FLAG_WRITE : 0);
	struct vm_area_struct *vma;
	vm_fault_t fault;

	for (;;) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		vma = vma_lookup(mm, uaddr);
		if (!vma || !(vma->vm_flags & (write ? VM_WRITE : VM_READ))) {
			mmap_read_unlock(mm);
			return -EFAULT;
		}
		fault = handle_mm_fault(vma, uaddr, flags, NULL);
		/* The lock is dropped already in these two cases. */
		if (fault & VM_FAULT_COMPLETED)
			return 0;
		if (!(fault & VM_FAULT_RETRY))
			break;
		if (signal_pending(current))
			return -EINTR;
		flags |= FAULT_FLAG_TRIED;
	}
	if (pages > 1 && !(fault & VM_FAULT_ERROR))
		fault_in_ahead(vma, uaddr, pages, flags & FAULT_FLAG_WRITE);
	mmap_read_unlock(mm);
	return fault & VM_FAULT_ERROR ? vm_fault_to_errno(fault, 0) : 0;
}

/*
 * Where a log is kept without dirty bits, a leaf that can be written counts as
 * dirty: only a write makes one, and one alone.
 */
static bool logs_by_fault(const struct axvcpu_range *range, u32 flags)
{
	return flags & AXVCPU_MAP_LOG_DIRTY && !range->aspace->s2.format->dirty;
}

/* Place a window of up to @pages pages, aligned, around an address. */
static void window_init(struct window *window, const struct axvcpu_range *range, u64 gpa,
			unsigned int pages, unsigned long *pfns)
{
	u64 size = (u64)pages << PAGE_SHIFT;
	u64 first = round_down(gpa, size);
	u64 last = min_t(u64, first + size - 1, range->node.last);

	window->gpa = max_t(u64, first, range->node.start);
	window->level = 0;
	window->count = (last + 1 - window->gpa) >> PAGE_SHIFT;
	window->pfns = pfns;
}

static void window_narrow(struct window *window, u64 gpa, unsigned int pages)
{
	window->gpa = gpa;
	window->count = pages;
}

/* Look at what the host has now; nothing is brought in. */
static int window_look(struct window *window, struct axvcpu_range *range)
{
	struct mm_struct *mm = range->aspace->mm;
	struct hmm_range hmm = {
		.notifier = &range->notifier,
		.start = range_uaddr(range, window->gpa),
		.hmm_pfns = window->pfns,
	};
	int ret;

	hmm.end = hmm.start + ((unsigned long)window->count << PAGE_SHIFT);
	window->seq = mmu_interval_read_begin(&range->notifier);
	hmm.notifier_seq = window->seq;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	ret = hmm_range_fault(&hmm);
	mmap_read_unlock(mm);
	return ret == -EBUSY ? -EAGAIN : ret;
}

static void window_make_leaves(struct window *window, const struct axvcpu_range *range,
			       u32 access)
{
	const struct axvcpu_s2_format *format = range->aspace->s2.format;
	u64 rw = axvcpu_s2_leaf_bits(format, window->level, window->flags);
	u64 ro = axvcpu_s2_leaf_bits(format, window->level, window->flags & ~AXVCPU_MAP_WRITE);
	unsigned long *pfn = window->pfns, *end = pfn + window->count;
	u64 lazy = access & AXVCPU_MAP_EXEC ? 0 : format->lazy_exec;

	if (logs_by_fault(range, window->flags) && !(access & AXVCPU_MAP_WRITE))
		rw = ro;
	for (; pfn < end; pfn++) {
		if (*pfn & HMM_PFN_VALID)
			*pfn = (*pfn & ~HMM_PFN_FLAGS) << PAGE_SHIFT |
			       (*pfn & HMM_PFN_WRITE ? rw : ro) | lazy;
		else
			*pfn = 0;
	}
}

static int window_map_locked(const struct window *window, struct axvcpu_range *range,
			     struct axvcpu_s2_cache *cache)
{
	struct axvcpu_aspace *aspace = range->aspace;
	u64 size = (u64)window->count << axvcpu_s2_level_shift(aspace->s2.format, window->level);
	int ret;

	lockdep_assert_held(&aspace->lock);
	if (range->unmapped || range->flags != window->flags)
		return -ESTALE;
	if (mmu_interval_read_retry(&range->notifier, window->seq)) {
		aspace->stats.fault_retries++;
		return -ESTALE;
	}
	if (aspace->s2.format->publish)
		aspace->s2.format->publish((const u64 *)window->pfns, window->count,
					   size / window->count);
	for (;;) {
		ret = axvcpu_s2_map(&aspace->s2, cache, axvcpu_gpa(window->gpa), window->level,
				    (const u64 *)window->pfns, window->count);
		if (likely(ret != -EEXIST))
			return ret;
		/* Of another size than the host's pages are now: break before make. */
		for_leaves(range, window->gpa, window->gpa + size, false, axvcpu_s2_zap);
	}
}

/*
 * Put what window_look() found into the table, unless the host has changed it
 * since. Returns how many pages are new to the table; -EAGAIN: look again.
 */
static int window_map(struct window *window, struct axvcpu_range *range, u32 access)
{
	struct axvcpu_aspace *aspace = range->aspace;
	struct axvcpu_s2_cache cache = {};
	int ret;

	window_make_leaves(window, range, access);
	for (;;) {
		spin_lock(&aspace->lock);
		ret = window_map_locked(window, range, &cache);
		spin_unlock(&aspace->lock);
		if (ret != -EAGAIN)
			break;
		ret = axvcpu_s2_cache_fill(&aspace->s2, &cache);
		if (ret)
			break;
	}
	axvcpu_s2_cache_drain(&aspace->s2, &cache);
	return ret == -ESTALE ? -EAGAIN : ret;
}

/*
 * Where the host maps the page by a large entry, so do we, as far as the range
 * and the alignment allow: the window becomes that one leaf. The host splits
 * a large entry only after it has told the notifier.
 */
static void window_enlarge(struct window *window, const struct axvcpu_range *range, u64 gpa,
			   unsigned long pfn)
{
	const struct axvcpu_s2_format *format = range->aspace->s2.format;
	unsigned int shift = PAGE_SHIFT + hmm_pfn_to_map_order(pfn);
	unsigned int level;

	for (level = format->levels - 1; level; level--) {
		u64 size = BIT_ULL(axvcpu_s2_level_shift(format, level));
		u64 first = round_down(gpa, size);

		if (!(format->leaf_levels & BIT(level)) || size > BIT_ULL(shift) ||
		    (range_uaddr(range, gpa) ^ gpa) & (size - 1) ||
		    first < range->node.start || first + size - 1 > range->node.last)
			continue;
		window->gpa = first;
		window->level = level;
		window->count = 1;
		window->pfns[0] = pfn - PHYS_PFN(gpa - first);
		return;
	}
}

/*
 * Look at a window and map what is there. Returns how many pages are new to
 * the table; -ENOENT: the host must bring in the page at hand first; -EAGAIN:
 * the host is at work there; -EFAULT: no memory of the host's.
 */
static int window_fill(struct window *window, struct axvcpu_range *range, u64 gpa, u32 access)
{
	unsigned long want = HMM_PFN_VALID | (access & AXVCPU_MAP_WRITE ? HMM_PFN_WRITE : 0);
	unsigned long pfn;
	int ret;

	ret = window_look(window, range);
	if (ret)
		return ret;
	pfn = window->pfns[(gpa - window->gpa) >> PAGE_SHIFT];
	if (pfn & HMM_PFN_ERROR)
		return -EFAULT;
	if ((pfn & want) != want)
		return -ENOENT;
	if (hmm_pfn_to_map_order(pfn) && !(window->flags & AXVCPU_MAP_LOG_DIRTY))
		window_enlarge(window, range, gpa, pfn);
	return window_map(window, range, access);
}

/* A fault will come for what this fails to map. */
static void fill_far(struct axvcpu_range *range, u64 gpa, u32 flags)
{
	unsigned long *pfns = kmalloc_array(FAR_PAGES, sizeof(*pfns),
					    GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	struct window window;

	if (!pfns)
		return;
	window_init(&window, range, gpa, FAR_PAGES, pfns);
	window.flags = flags;
	window_fill(&window, range, gpa, AXVCPU_MAP_READ);
	kfree(pfns);
}

/*
 * How many pages to bring in: one, or more and more for a guest that goes from
 * page to page, but not beyond the aligned window.
 */
static unsigned int pages_ahead(struct axvcpu_range *range, u64 gpa)
{
	unsigned int room = NEAR_PAGES - (PHYS_PFN(gpa) & (NEAR_PAGES - 1));
	unsigned int ahead = 1;

	if (READ_ONCE(range->next) == gpa)
		ahead = min(2 * READ_ONCE(range->ahead), NEAR_PAGES);
	WRITE_ONCE(range->ahead, ahead);
	ahead = min_t(u64, min(ahead, room), PHYS_PFN(range->node.last - gpa) + 1);
	WRITE_ONCE(range->next, gpa + ahead * PAGE_SIZE);
	return ahead;
}

static int range_fault(struct axvcpu_range *range, u64 gpa, u32 access)
{
	u32 flags = READ_ONCE(range->flags);
	bool absent = READ_ONCE(range->absent);
	unsigned int wanted = 1;
	unsigned long pfns[NEAR_PAGES];
	struct window window;
	int ret;

	if (access & ~flags)
		return -EACCES;
	window_init(&window, range, gpa, NEAR_PAGES, pfns);
	window.flags = flags;
	if (access & AXVCPU_MAP_WRITE && logs_by_fault(range, flags))
		window_narrow(&window, gpa, 1);
	else if (absent)
		wanted = pages_ahead(range, gpa);
	if (absent && gpa & (NEAR_PAGES * PAGE_SIZE - 1))
		window_narrow(&window, gpa, wanted);
	for (;;) {
		if (absent) {
			ret = fault_in(range->aspace->mm, range_uaddr(range, gpa), wanted,
				       access & AXVCPU_MAP_WRITE);
			if (ret)
				return ret;
		}
		ret = window_fill(&window, range, gpa, access);
		if (ret >= 0)
			break;
		if (ret != -ENOENT && ret != -EAGAIN)
			return ret;
		if (ret == -ENOENT && !absent) {
			absent = true;
			WRITE_ONCE(range->ahead, 1);
			WRITE_ONCE(range->next, gpa + PAGE_SIZE);
		}
		if (READ_ONCE(range->unmapped) || READ_ONCE(range->flags) != flags)
			return -EAGAIN;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}

	/* With neighbours that nobody had asked for yet, the host is ahead of the guest. */
	WRITE_ONCE(range->absent, absent && ret <= wanted);
	if (ret > wanted && ret == window.count)
		fill_far(range, gpa, flags);
	return 0;
}

/**
 * axvcpu_aspace_fault() - fill the page that the guest asked for
 * @aspace: the address space, the caller's
 * @fault: address and access; %AXVCPU_FAULT_BAD_HOST is added to its flags
 *	where a range is there, but no memory of the host's for it
 *
 * Pages around it that the host has at hand are filled as well. Several vCPUs
 * do this at the same time; only the writing of the table is serialised.
 *
 * Context: process context, sleeps; may wait for userspace (userfaultfd).
 * Return: 0: the guest may try again; -EFAULT: the fault is the VMM's; -EINTR:
 * a signal is pending; -ENOMEM.
 */
int axvcpu_aspace_fault(struct axvcpu_aspace *aspace, struct axvcpu_fault *fault)
{
	u64 gpa = round_down(fault->gpa.val, PAGE_SIZE);
	struct axvcpu_range *range;
	int ret;

	spin_lock(&aspace->lock);
	range = range_find(aspace, gpa, gpa);
	if (range) {
		aspace->stats.faults++;
		kref_get(&range->ref);
	}
	spin_unlock(&aspace->lock);
	if (!range)
		return -EFAULT;

	ret = range_fault(range, gpa, fault->access);
	if (ret == -EFAULT)
		fault->flags |= AXVCPU_FAULT_BAD_HOST;
	else if (ret == -EACCES)
		ret = -EFAULT;
	else if (ret == -EAGAIN)
		/* Changed meanwhile: the guest's next try tells what is there now. */
		ret = 0;
	kref_put(&range->ref, range_release);
	return ret;
}

/**
 * axvcpu_aspace_get_stats() - read the counters
 * @aspace: the address space
 * @stats: written
 *
 * Context: process context.
 * Return: 0.
 */
int axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats)
{
	spin_lock(&aspace->lock);
	*stats = aspace->stats;
	stats->mapped_pages = aspace->s2.mapped;
	stats->table_pages = aspace->s2.tables;
	spin_unlock(&aspace->lock);
	return 0;
}
