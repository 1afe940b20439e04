/* SPDX-License-Identifier: GPL-2.0-only */
/* A range of guest memory: axvcpu_aspace.c makes it, axvcpu_fault.c fills it. */
#ifndef _AXVCPU_RANGE_H
#define _AXVCPU_RANGE_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>

#include "axvcpu_aspace.h"

/**
 * struct axvcpu_faultaround_hints - what the last faults of a range showed
 * @absent: at the last one the host had nothing
 * @ahead: pages that it brought in then
 * @next: the address behind the last of them
 *
 * Any thread reads and writes them, with READ_ONCE() and WRITE_ONCE(): what they
 * say need not be true.
 */
struct axvcpu_faultaround_hints {
	bool absent;
	u8 ahead;
	u64 next;
};

/**
 * struct axvcpu_range - what one %AXVCPU_MAP made
 * @ref: the tree's, and one for each fault that looks at it
 * @node: guest-physical addresses
 * @notifier: user addresses
 * @aspace: whose it is
 * @flags: AXVCPU_MAP_*; written under both locks of the address space
 * @dirty: a bit for each page, with %AXVCPU_MAP_LOG_DIRTY; the bits under
 *	&struct axvcpu_aspace.lock
 * @unmapped: left the tree; written under &struct axvcpu_aspace.lock
 * @hints: axvcpu_faultaround.c's
 */
struct axvcpu_range {
	struct kref ref;
	struct interval_tree_node node;
	struct mmu_interval_notifier notifier;
	struct axvcpu_aspace *aspace;
	u32 flags;
	unsigned long *dirty;
	bool unmapped;
	struct axvcpu_faultaround_hints hints;
};

struct axvcpu_range *axvcpu_range_find(struct axvcpu_aspace *aspace, u64 first, u64 last);
void axvcpu_range_put(struct axvcpu_range *range);
void axvcpu_range_zap(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep);

#endif /* _AXVCPU_RANGE_H */
