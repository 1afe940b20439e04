// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listeners hear that the host is about to change a process's memory.
 *
 * The host waits for a listener before it changes a page. A listener covers the user
 * memory of a range from before the range's first leaf until after its last one, so no
 * leaf outlives the change. Ranges that share user memory share a listener, which hears
 * an event once.
 *
 * The host calls the listeners of an event one after the other. The first one removes
 * every leaf that maps the changed memory, other listeners' ranges included, and
 * interrupts CPUs once. Each of the others must still run: until it does, a fault that
 * looked at the old memory can put a leaf back.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "axvcpu_range.h"
#include "axvcpu_zap.h"

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *host, unsigned long seq)
{
	struct axvcpu_listener *listener = container_of(notifier, struct axvcpu_listener, notifier);
	struct axvcpu_aspace *aspace = listener->aspace;

	spin_lock(&aspace->lock);
	mmu_interval_set_seq(notifier, seq);
	aspace->stats.invalidations++;
	axvcpu_zap_user(aspace, host->start, host->end - 1, mmu_notifier_range_blockable(host));
	spin_unlock(&aspace->lock);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = invalidate,
};

static void listener_release(struct kref *ref)
{
	kfree(container_of(ref, struct axvcpu_listener, ref));
}

/**
 * axvcpu_listener_put() - give a reference back
 * @listener: the listener; freed with its last reference
 *
 * Context: any.
 */
void axvcpu_listener_put(struct axvcpu_listener *listener)
{
	kref_put(&listener->ref, listener_release);
}

static struct axvcpu_listener *listener_find(struct axvcpu_aspace *aspace, unsigned long first,
					     unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&aspace->listeners, first, last);
	return node ? container_of(node, struct axvcpu_listener, node) : NULL;
}

/* Hears already, but is in no tree. */
static struct axvcpu_listener *listener_create(struct axvcpu_aspace *aspace, unsigned long first,
					       unsigned long last)
{
	struct axvcpu_listener *listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!listener)
		return ERR_PTR(-ENOMEM);
	kref_init(&listener->ref);
	INIT_LIST_HEAD(&listener->ranges);
	listener->aspace = aspace;
	listener->node.start = first;
	listener->node.last = last;
	ret = mmu_interval_notifier_insert(&listener->notifier, aspace->mm, first,
					   last - first + 1, &notifier_ops);
	if (!ret)
		return listener;
	kfree(listener);
	return ERR_PTR(ret);
}

/* Faults that have looked with it find out that their ranges have another one. */
static void listener_end(struct axvcpu_listener *listener)
{
	mmu_interval_notifier_remove(&listener->notifier);
	axvcpu_listener_put(listener);
}

static void hand_over(struct axvcpu_listener *from, struct axvcpu_listener *to)
{
	struct axvcpu_range *range;

	list_for_each_entry(range, &from->ranges, link)
		WRITE_ONCE(range->listener, to);
	list_splice_init(&from->ranges, &to->ranges);
	interval_tree_remove(&from->node, &from->aspace->listeners);
}

/* One in the place of all that overlap these addresses */
static struct axvcpu_listener *listener_merge(struct axvcpu_aspace *aspace, unsigned long first,
					      unsigned long last)
{
	struct axvcpu_listener *old, *next, *new;
	struct interval_tree_node *node;
	LIST_HEAD(gone);

	for (node = interval_tree_iter_first(&aspace->listeners, first, last); node;
	     node = interval_tree_iter_next(node, first, last)) {
		first = min(first, node->start);
		last = max(last, node->last);
	}
	new = listener_create(aspace, first, last);
	if (IS_ERR(new))
		return new;

	spin_lock(&aspace->lock);
	while ((old = listener_find(aspace, first, last))) {
		hand_over(old, new);
		list_add(&old->ranges, &gone);
	}
	interval_tree_insert(&new->node, &aspace->listeners);
	spin_unlock(&aspace->lock);
	list_for_each_entry_safe(old, next, &gone, ranges)
		listener_end(old);
	return new;
}

/**
 * axvcpu_listener_join() - hear what happens to a range's user memory
 * @range: the range, which has no leaves yet
 *
 * Context: &struct axvcpu_aspace.ranges_lock held, sleeps.
 * Return: 0, -ENOMEM; -EINTR: a signal, with the process's first one.
 */
int axvcpu_listener_join(struct axvcpu_range *range)
{
	unsigned long first = range->user.start, last = range->user.last;
	struct axvcpu_aspace *aspace = range->aspace;
	struct axvcpu_listener *listener = listener_find(aspace, first, last);

	lockdep_assert_held(&aspace->ranges_lock);
	if (!listener || listener->node.start > first || listener->node.last < last)
		listener = listener_merge(aspace, first, last);
	if (IS_ERR(listener))
		return PTR_ERR(listener);
	spin_lock(&aspace->lock);
	range->listener = listener;
	list_add(&range->link, &listener->ranges);
	spin_unlock(&aspace->lock);
	return 0;
}

/**
 * axvcpu_listener_leave() - a range goes
 * @range: the range, which has no leaves any more and gets none
 *
 * Context: &struct axvcpu_aspace.ranges_lock held or the last reference to it gone, sleeps.
 */
void axvcpu_listener_leave(struct axvcpu_range *range)
{
	struct axvcpu_listener *listener = range->listener;
	struct axvcpu_aspace *aspace = range->aspace;
	bool last;

	spin_lock(&aspace->lock);
	list_del(&range->link);
	last = list_empty(&listener->ranges);
	if (last)
		interval_tree_remove(&listener->node, &aspace->listeners);
	spin_unlock(&aspace->lock);
	if (last)
		listener_end(listener);
}
