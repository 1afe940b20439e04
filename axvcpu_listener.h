/* SPDX-License-Identifier: GPL-2.0-only */
/* What hears that the host changes a process's memory. */
#ifndef _AXVCPU_LISTENER_H
#define _AXVCPU_LISTENER_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>

struct axvcpu_aspace;
struct axvcpu_range;

/**
 * struct axvcpu_listener - user memory that ranges of an address space share
 * @ref: the address space's, and one for each fault that compares sequences
 * @node: user addresses, in &struct axvcpu_aspace.listeners; no two overlap
 * @notifier: the same addresses
 * @aspace: whose it is
 * @ranges: struct axvcpu_range, each within these addresses
 *
 * All but @ref changes under &struct axvcpu_aspace.ranges_lock; @ranges under
 * &struct axvcpu_aspace.lock too.
 */
struct axvcpu_listener {
	struct kref ref;
	struct interval_tree_node node;
	struct mmu_interval_notifier notifier;
	struct axvcpu_aspace *aspace;
	struct list_head ranges;
};

int axvcpu_listener_join(struct axvcpu_range *range);
void axvcpu_listener_leave(struct axvcpu_range *range);
void axvcpu_listener_put(struct axvcpu_listener *listener);

#endif /* _AXVCPU_LISTENER_H */
