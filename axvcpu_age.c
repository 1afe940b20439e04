// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory ages as the process's own: the host asks whether a page has been used
 * lately before it takes it away.
 *
 * There is one notifier for a process, whatever the number of its address spaces: making
 * one takes every lock of the process's memory.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "axvcpu_age.h"
#include "axvcpu_aspace.h"
#include "axvcpu_zap.h"

/**
 * struct axvcpu_ager - what the host asks
 * @notifier: of the process; the kernel counts references
 * @lock: protects @aspaces; taken under page-table locks, outside of
 *	&struct axvcpu_aspace.lock
 * @aspaces: struct axvcpu_aspace, by ager_link
 */
struct axvcpu_ager {
	struct mmu_notifier notifier;
	rwlock_t lock;
	struct list_head aspaces;
};

static struct axvcpu_ager *ager_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct axvcpu_ager, notifier);
}

/* Under a page-table lock: nothing here sleeps or allocates. */
static int age(struct mmu_notifier *notifier, unsigned long first, unsigned long last,
	       bool clear, bool flush)
{
	struct axvcpu_ager *ager = ager_of(notifier);
	struct axvcpu_aspace *aspace;
	bool young = false;

	read_lock(&ager->lock);
	list_for_each_entry(aspace, &ager->aspaces, ager_link) {
		spin_lock(&aspace->lock);
		young |= axvcpu_zap_age(aspace, first, last, clear, flush);
		spin_unlock(&aspace->lock);
	}
	read_unlock(&ager->lock);
	return young;
}

static int clear_flush_young(struct mmu_notifier *notifier, struct mm_struct *mm,
			     unsigned long start, unsigned long end)
{
	return age(notifier, start, end - 1, true, true);
}

static int clear_young(struct mmu_notifier *notifier, struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	return age(notifier, start, end - 1, true, false);
}

static int test_young(struct mmu_notifier *notifier, struct mm_struct *mm, unsigned long address)
{
	return age(notifier, address, address, false, false);
}

static struct mmu_notifier *alloc_ager(struct mm_struct *mm)
{
	struct axvcpu_ager *ager = kzalloc(sizeof(*ager), GFP_KERNEL_ACCOUNT);

	if (!ager)
		return ERR_PTR(-ENOMEM);
	rwlock_init(&ager->lock);
	INIT_LIST_HEAD(&ager->aspaces);
	return &ager->notifier;
}

static void free_ager(struct mmu_notifier *notifier)
{
	kfree(ager_of(notifier));
}

/* The last one that nobody needs: who makes one VM after the other finds it there. */
static struct mmu_notifier *parked;

static void park(struct mmu_notifier *notifier)
{
	struct mmu_notifier *old = xchg(&parked, notifier);

	if (old)
		mmu_notifier_put(old);
}

static const struct mmu_notifier_ops ager_ops = {
	.clear_flush_young = clear_flush_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.alloc_notifier = alloc_ager,
	.free_notifier = free_ager,
};

/**
 * axvcpu_age_begin() - the host may ask about an address space from now on
 * @aspace: the address space, of the calling process
 *
 * Context: &struct axvcpu_aspace.ranges_lock held, sleeps.
 * Return: 0, -ENOMEM; -EINTR: a signal, with the process's first one.
 */
int axvcpu_age_begin(struct axvcpu_aspace *aspace)
{
	struct mmu_notifier *notifier;

	lockdep_assert_held(&aspace->ranges_lock);
	if (aspace->ager)
		return 0;
	notifier = mmu_notifier_get(&ager_ops, aspace->mm);
	if (IS_ERR(notifier))
		return PTR_ERR(notifier);
	aspace->ager = ager_of(notifier);
	write_lock(&aspace->ager->lock);
	list_add(&aspace->ager_link, &aspace->ager->aspaces);
	write_unlock(&aspace->ager->lock);
	return 0;
}

/**
 * axvcpu_age_end() - the host asks no more
 * @aspace: the address space, which ends
 *
 * Context: any process's, sleeps; the process may be gone.
 */
void axvcpu_age_end(struct axvcpu_aspace *aspace)
{
	struct axvcpu_ager *ager = aspace->ager;

	if (!ager)
		return;
	write_lock(&ager->lock);
	list_del(&aspace->ager_link);
	write_unlock(&ager->lock);
	park(&ager->notifier);
}

/**
 * axvcpu_age_exit() - wait until nothing of this file is called any more
 *
 * Context: module unload; there is no address space.
 */
void axvcpu_age_exit(void)
{
	park(NULL);
	mmu_notifier_synchronize();
}
