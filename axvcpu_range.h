/* SPDX-License-Identifier: GPL-2.0-only */
/* A range of guest memory, between axvcpu_aspace.c and axvcpu_fault.c. */
#ifndef AXVCPU_RANGE_H
#define AXVCPU_RANGE_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>

#include "axvcpu_arch.h"

/**
 * struct axvcpu_range - what one %AXVCPU_MAP made
 * @ref: the tree's, and one for each fault that looks at it
 * @node: guest-physical addresses
 * @notifier: user addresses
 * @aspace: whose it is
 * @flags: AXVCPU_MAP_*; written under both locks of the address space
 * @dirty: a bit for each page, with %AXVCPU_MAP_LOG_DIRTY; the bits under
 *	&struct axvcpu_aspace.lock
 * @unmapped: left the tree; under &struct axvcpu_aspace.lock
 * @absent: a hint: at the last fault the host had nothing
 * @ahead: a hint: pages that it brought in then
 * @next: a hint: the address behind the last of them
 */
struct axvcpu_range {
	struct kref ref;
	struct interval_tree_node node;
	struct mmu_interval_notifier notifier;
	struct axvcpu_aspace *aspace;
	u32 flags;
	unsigned long *dirty;
	bool unmapped;
	bool absent;
	u8 ahead;
	u64 next;
};

struct axvcpu_range *axvcpu_range_find(struct axvcpu_aspace *aspace, u64 first, u64 last);
void axvcpu_range_put(struct axvcpu_range *range);
void axvcpu_range_zap(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep);

#endif
