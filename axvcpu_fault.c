// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest asked for and the table has not: found in the memory of the
 * process, and brought in by the host when it is not there.
 *
 * A look at the host's memory is made without the lock, and counts only if no
 * notifier has been called since (Documentation/memory.rst).
 */
#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/userfaultfd_k.h>

#include "axvcpu_compat.h"
#include "axvcpu_faultaround.h"
#include "axvcpu_range.h"
#include "axvcpu_zap.h"

/* What is found is turned into leaves in place. */
static_assert(sizeof(unsigned long) == sizeof(u64));

/**
 * struct fault - what the guest asked for
 * @range: where that is
 * @listener: the range's, when the fault began
 * @gpa: of the page
 * @access: AXVCPU_MAP_*
 * @flags: the range's, when the fault began
 */
struct fault {
	struct axvcpu_range *range;
	struct axvcpu_listener *listener;
	u64 gpa;
	u32 access;
	u32 flags;
};

/* The part of a range that a fault looks at. */
struct window {
	u64 gpa;
	unsigned int level;		/* that the leaves will stand at */
	unsigned int count;
	u32 flags;			/* the range's, before the look */
	struct axvcpu_listener *listener; /* of the range, before the look */
	unsigned long seq;		/* the listener's, before the look */
	bool published;			/* as long as that has not changed */
	unsigned long *pfns;		/* what was found, as HMM has it, then the leaves */
};

/* memfd_secret(): its owner keeps it from everybody else. */
static bool is_secret(const struct vm_area_struct *vma)
{
	return vma->vm_file && file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/* To HMM, a shadow stack is writable memory; but only CALL writes to it. */
static bool is_shadow_stack(const struct vm_area_struct *vma)
{
	return vma->vm_flags & AXVCPU_VM_SHADOW_STACK;
}

static bool may_access(const struct vm_area_struct *vma, bool write)
{
	if (is_secret(vma) || (write && is_shadow_stack(vma)))
		return false;
	return vma->vm_flags & (write ? VM_WRITE : VM_READ);
}

/* Bring in what follows a page, if that takes no wait for a device or a process. */
static void fault_in_ahead(struct vm_area_struct *vma, unsigned long uaddr, unsigned int pages,
			   unsigned int flags)
{
	unsigned long end = min(uaddr + ((unsigned long)pages << PAGE_SHIFT), vma->vm_end);

	if (!vma_is_anonymous(vma) || userfaultfd_armed(vma))
		return;
	/* With these, the lock stays ours. */
	flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT;
	while ((uaddr += PAGE_SIZE) < end) {
		if (handle_mm_fault(vma, uaddr, flags, NULL) & (VM_FAULT_ERROR | VM_FAULT_RETRY))
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
		if (!vma || !may_access(vma, write)) {
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

static void window_init(struct window *window, const struct axvcpu_faultaround *around,
			const struct fault *fault, unsigned long *pfns)
{
	window->gpa = around->first;
	window->level = 0;
	window->count = around->pages;
	window->flags = fault->flags;
	window->listener = fault->listener;
	window->pfns = pfns;
}

static unsigned int window_index(const struct window *window, const struct axvcpu_range *range,
				 u64 gpa)
{
	return (gpa - window->gpa) >>
	       axvcpu_s2_level_shift(range->aspace->s2.format, window->level);
}

/* Take out what HMM has found and the guest must not have. The mmap lock is held. */
static void restrict_found(struct mm_struct *mm, const struct hmm_range *hmm)
{
	struct vm_area_struct *vma = find_vma(mm, hmm->start);

	for (; vma && vma->vm_start < hmm->end; vma = find_vma(mm, vma->vm_end)) {
		unsigned long at = max(vma->vm_start, hmm->start), *pfn;

		if (likely(!is_secret(vma) && !is_shadow_stack(vma)))
			continue;
		for (pfn = hmm->hmm_pfns + PHYS_PFN(at - hmm->start);
		     at < min(vma->vm_end, hmm->end); at += PAGE_SIZE, pfn++)
			*pfn = is_secret(vma) ? HMM_PFN_ERROR : *pfn & ~HMM_PFN_WRITE;
	}
}

/* Look at what the host has now; nothing is brought in. */
static int window_look(struct window *window, struct axvcpu_range *range)
{
	struct mm_struct *mm = range->aspace->mm;
	struct hmm_range hmm = {
		.notifier = &window->listener->notifier,
		.start = axvcpu_range_uaddr(range, window->gpa),
		.hmm_pfns = window->pfns,
	};
	int ret;

	hmm.end = hmm.start + ((unsigned long)window->count << PAGE_SHIFT);
	window->seq = mmu_interval_read_begin(&window->listener->notifier);
	window->published = false;
	hmm.notifier_seq = window->seq;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	ret = hmm_range_fault(&hmm);
	if (!ret)
		restrict_found(mm, &hmm);
	mmap_read_unlock(mm);
	return ret == -EBUSY ? -EAGAIN : ret;
}

/* Those of @pages that come first and may become small leaves; none of them is held. */
static unsigned int take_small(struct page **pages, int nr, unsigned long *pfns)
{
	unsigned int count = 0;
	int i;

	for (i = 0; i < nr; i++) {
		if (count == i && !folio_test_large(page_folio(pages[i])))
			pfns[count++] = page_to_pfn(pages[i]) | HMM_PFN_VALID | HMM_PFN_WRITE;
		put_page(pages[i]);
	}
	return count;
}

static unsigned int look_from(const struct window *window, const struct axvcpu_range *range,
			      u64 gpa, unsigned int count, struct page **pages)
{
	int nr = get_user_pages_fast_only(axvcpu_range_uaddr(range, gpa), count, FOLL_WRITE,
					  pages);

	return take_small(pages, nr, window->pfns);
}

/*
 * As window_look(), but only at small pages that can be written, one after the other:
 * from the window's first or, where these don't reach it, from the page at hand on. HMM
 * would walk the whole window, under the mmap lock. Returns whether the page at hand is
 * there; the window ends where the pages do.
 */
static bool window_look_fast(struct window *window, struct axvcpu_range *range, u64 gpa)
{
	unsigned int at = window_index(window, range, gpa);
	struct page *pages[AXVCPU_NEAR_PAGES];
	unsigned int count;

	if (!(window->flags & AXVCPU_MAP_WRITE) || window->count > AXVCPU_NEAR_PAGES ||
	    current->mm != range->aspace->mm)
		return false;
	window->seq = mmu_interval_read_begin(&window->listener->notifier);
	window->published = false;
	count = look_from(window, range, window->gpa, window->count, pages);
	if (at && count <= at) {
		window->gpa = gpa;
		count = look_from(window, range, gpa, window->count - at, pages);
	}
	window->count = count;
	return count;
}

static void window_make_leaves(struct window *window, const struct axvcpu_range *range,
			       u32 access)
{
	const struct axvcpu_s2_format *format = range->aspace->s2.format;
	u64 rw = axvcpu_s2_leaf_bits(format, window->level, window->flags);
	u64 ro = axvcpu_s2_leaf_bits(format, window->level, window->flags & ~AXVCPU_MAP_WRITE);
	unsigned long *pfn = window->pfns, *end = pfn + window->count;
	u64 lazy = access & AXVCPU_MAP_EXEC ? 0 : format->lazy_exec, pa;

	if (logs_by_fault(range, window->flags) && !(access & AXVCPU_MAP_WRITE))
		rw = ro;
	for (; pfn < end; pfn++) {
		pa = (*pfn & ~HMM_PFN_FLAGS) << PAGE_SHIFT;
		/* Memory may come later that is beyond what a leaf can say. */
		if (*pfn & HMM_PFN_VALID && !(pa & ~format->addr_mask))
			*pfn = pa | (*pfn & HMM_PFN_WRITE ? rw : ro) | lazy;
		else
			*pfn = 0;
	}
}

static int window_map_locked(struct window *window, struct axvcpu_range *range,
			     struct axvcpu_s2_cache *cache)
{
	struct axvcpu_aspace *aspace = range->aspace;
	u64 size = (u64)window->count << axvcpu_s2_level_shift(aspace->s2.format, window->level);
	int ret;

	lockdep_assert_held(&aspace->lock);
	if (range->unmapped || range->flags != window->flags ||
	    range->listener != window->listener)
		return -ESTALE;
	if (mmu_interval_read_retry(&window->listener->notifier, window->seq)) {
		aspace->stats.fault_retries++;
		return -ESTALE;
	}
	if (aspace->s2.format->publish && !window->published)
		aspace->s2.format->publish((u64 *)window->pfns, window->count,
					   size / window->count);
	window->published = true;
	if (unlikely(!range->active))
		axvcpu_range_activate(range);
	for (;;) {
		ret = axvcpu_s2_map(&aspace->s2, cache, axvcpu_gpa(window->gpa), window->level,
				    (const u64 *)window->pfns, window->count);
		if (likely(ret != -EEXIST))
			return ret;
		/* Of another size than the host's pages are now: break before make. */
		axvcpu_zap_range(range, window->gpa, window->gpa + size, false);
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
 * Levels that a leaf may stand at. One that can't be executed does for data: where
 * the guest has executed something, there is a table of small ones, and it stays.
 */
static u8 leaf_levels(const struct window *window, const struct axvcpu_range *range, u64 gpa,
		      u32 access)
{
	struct axvcpu_aspace *aspace = range->aspace;
	const struct axvcpu_s2_format *format = aspace->s2.format;
	unsigned int level;

	if (!(window->flags & AXVCPU_MAP_EXEC) || !format->noexec_levels)
		return format->leaf_levels;
	if (access & AXVCPU_MAP_EXEC || !(window->flags & (AXVCPU_MAP_READ | AXVCPU_MAP_WRITE)))
		return format->leaf_levels & ~format->noexec_levels;
	spin_lock(&aspace->lock);
	axvcpu_s2_lookup(&aspace->s2, axvcpu_gpa(gpa), &level);
	spin_unlock(&aspace->lock);
	return format->leaf_levels & (~format->noexec_levels | GENMASK(level, 0));
}

/*
 * Where the host maps the page by a large entry, so do we, as far as the range
 * and the alignment allow: the window becomes that one leaf. The host splits
 * a large entry only after it has told the notifier.
 */
static void window_enlarge(struct window *window, const struct axvcpu_range *range, u64 gpa,
			   unsigned long pfn, u32 access)
{
	const struct axvcpu_s2_format *format = range->aspace->s2.format;
	unsigned int shift = PAGE_SHIFT + hmm_pfn_to_map_order(pfn);
	u8 levels = leaf_levels(window, range, gpa, access);
	unsigned int level;

	for (level = format->levels - 1; level; level--) {
		u64 size = BIT_ULL(axvcpu_s2_level_shift(format, level));
		u64 first = round_down(gpa, size);

		if (!(levels & BIT(level)) || size > BIT_ULL(shift) ||
		    (axvcpu_range_uaddr(range, gpa) ^ gpa) & (size - 1) ||
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
 * the host is at work there; -EFAULT: no memory of the host's. The next look is
 * at the same pages, whatever has become of them in this one.
 */
static int window_fill(const struct window *pages, struct axvcpu_range *range, u64 gpa,
		       u32 access)
{
	unsigned long want = HMM_PFN_VALID | (access & AXVCPU_MAP_WRITE ? HMM_PFN_WRITE : 0);
	struct window window = *pages;
	unsigned long pfn;
	int ret;

	if (!window_look_fast(&window, range, gpa)) {
		window = *pages;
		ret = window_look(&window, range);
		if (ret)
			return ret;
	}
	pfn = window.pfns[window_index(&window, range, gpa)];
	if (pfn & HMM_PFN_ERROR)
		return -EFAULT;
	if ((pfn & want) != want)
		return -ENOENT;
	if (hmm_pfn_to_map_order(pfn) && !(window.flags & AXVCPU_MAP_LOG_DIRTY))
		window_enlarge(&window, range, gpa, pfn, access);
	ret = window_map(&window, range, access);
	/* The format has refused it. */
	if (ret >= 0 && !window.pfns[window_index(&window, range, gpa)])
		return -EFAULT;
	return ret;
}

/* A fault will come for what this fails to map. */
static void fill_far(const struct fault *fault)
{
	unsigned long *pfns = kmalloc_array(AXVCPU_FAR_PAGES, sizeof(*pfns),
					    GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	struct axvcpu_faultaround around;
	struct window window;

	if (!pfns)
		return;
	axvcpu_faultaround_far(&around, fault->range, fault->gpa);
	window_init(&window, &around, fault, pfns);
	window_fill(&window, fault->range, fault->gpa, AXVCPU_MAP_READ);
	kfree(pfns);
}

/* May a fault look again? */
static int may_retry(const struct fault *fault)
{
	const struct axvcpu_range *range = fault->range;

	if (READ_ONCE(range->unmapped) || READ_ONCE(range->flags) != fault->flags ||
	    READ_ONCE(range->listener) != fault->listener)
		return -EAGAIN;
	return signal_pending(current) ? -EINTR : 0;
}

/* Returns how many pages are new to the table, or a negative errno. */
static int fill_near(const struct fault *fault, struct axvcpu_faultaround *around)
{
	struct axvcpu_range *range = fault->range;
	unsigned long pfns[AXVCPU_NEAR_PAGES];
	struct window window;
	int ret;

	window_init(&window, around, fault, pfns);
	for (;;) {
		if (around->absent) {
			ret = fault_in(range->aspace->mm, axvcpu_range_uaddr(range, fault->gpa),
				       around->wanted, fault->access & AXVCPU_MAP_WRITE);
			if (ret)
				return ret;
		}
		ret = window_fill(&window, range, fault->gpa, fault->access);
		if (ret != -ENOENT && ret != -EAGAIN)
			return ret;
		if (ret == -ENOENT)
			axvcpu_faultaround_missed(around, range, fault->gpa);
		ret = may_retry(fault);
		if (ret)
			return ret;
		cond_resched();
	}
}

static int range_fault(const struct fault *fault)
{
	bool alone = fault->access & AXVCPU_MAP_WRITE && logs_by_fault(fault->range, fault->flags);
	struct axvcpu_faultaround around;
	int ret;

	if (fault->access & ~fault->flags)
		return -EACCES;
	axvcpu_faultaround_begin(&around, fault->range, fault->gpa, alone);
	ret = fill_near(fault, &around);
	if (ret < 0)
		return ret;
	if (axvcpu_faultaround_end(&around, fault->range, ret))
		fill_far(fault);
	return 0;
}

/* What is there at an address, held until put_fault(). */
static bool get_fault(struct axvcpu_aspace *aspace, struct fault *fault)
{
	struct axvcpu_range *range;

	spin_lock(&aspace->lock);
	range = axvcpu_range_find(aspace, fault->gpa, fault->gpa);
	if (range) {
		aspace->stats.faults++;
		kref_get(&range->ref);
		kref_get(&range->listener->ref);
		fault->range = range;
		fault->listener = range->listener;
		fault->flags = range->flags;
	}
	spin_unlock(&aspace->lock);
	return range;
}

static void put_fault(const struct fault *fault)
{
	axvcpu_listener_put(fault->listener);
	axvcpu_range_put(fault->range);
}

/**
 * axvcpu_aspace_fault() - fill the page that the guest asked for
 * @aspace: the address space, the caller's
 * @what: address and access; where a range is there, its flags get
 *	%AXVCPU_FAULT_PROTECTION if it is not for this access, and
 *	%AXVCPU_FAULT_BAD_HOST if there is no memory of the host's for it
 *
 * Pages around it that the host has at hand are filled as well. Several vCPUs
 * do this at the same time; only the writing of the table is serialised.
 *
 * Context: process context, sleeps; may wait for userspace (userfaultfd).
 * Return: 0: the guest may try again; -EFAULT: the fault is the VMM's; -EINTR:
 * a signal is pending; -ENOMEM.
 */
int axvcpu_aspace_fault(struct axvcpu_aspace *aspace, struct axvcpu_fault *what)
{
	struct fault fault = {
		.gpa = round_down(what->gpa.val, PAGE_SIZE),
		.access = what->access,
	};
	int ret;

	if (!get_fault(aspace, &fault))
		return -EFAULT;
	ret = range_fault(&fault);
	put_fault(&fault);
	switch (ret) {
	case -EFAULT:
		what->flags |= AXVCPU_FAULT_BAD_HOST;
		return -EFAULT;
	case -EACCES:
		what->flags |= AXVCPU_FAULT_PROTECTION;
		return -EFAULT;
	case -EAGAIN:
		/* Changed meanwhile: the guest's next try tells what is there now. */
		return 0;
	}
	return ret;
}
