/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A range of guest memory: axvcpu_aspace.c makes it, axvcpu_fault.c fills it,
 * axvcpu_zap.c empties it.
 */
#ifndef _AXVCPU_RANGE_H
#define _AXVCPU_RANGE_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "axvcpu_aspace.h"
#include "axvcpu_listener.h"
#include "axvcpu_log.h"

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
 * struct axvcpu_range - a part of guest memory that %AXVCPU_MAP made, or what is left of one
 * @ref: the tree's, and one for each fault that looks at it
 * @node: guest-physical addresses; they never change
 * @user: user addresses; in &struct axvcpu_aspace.active while there may be leaves
 * @aspace: whose it is
 * @listener: hears what happens to its user memory
 * @link: in the listener's list
 * @flags: AXVCPU_MAP_*; written under both locks of the address space
 * @log: with %AXVCPU_MAP_LOG_DIRTY, else NULL; the bits under &struct axvcpu_aspace.lock
 * @log_first: the bit of the first page
 * @active: @user is in the tree
 * @unmapped: left the tree of guest-physical addresses
 * @hints: axvcpu_faultaround.c's
 *
 * Where nothing else is said, fields are written under &struct axvcpu_aspace.lock.
 */
struct axvcpu_range {
	struct kref ref;
	struct interval_tree_node node;
	struct interval_tree_node user;
	struct axvcpu_aspace *aspace;
	struct axvcpu_listener *listener;
	struct list_head link;
	u32 flags;
	struct axvcpu_log *log;
	u64 log_first;
	bool active;
	bool unmapped;
	struct axvcpu_faultaround_hints hints;
};

/**
 * axvcpu_range_pages() - how many pages a range has
 * @range: the range
 *
 * Context: any.
 * Return: their number.
 */
static inline u64 axvcpu_range_pages(const struct axvcpu_range *range)
{
	return PHYS_PFN(range->node.last - range->node.start) + 1;
}

/**
 * axvcpu_range_uaddr() - the user address behind a guest-physical one
 * @range: the range
 * @gpa: an address in it
 *
 * Context: any.
 * Return: the address.
 */
static inline unsigned long axvcpu_range_uaddr(const struct axvcpu_range *range, u64 gpa)
{
	return range->user.start + (gpa - range->node.start);
}

struct axvcpu_range *axvcpu_range_find(struct axvcpu_aspace *aspace, u64 first, u64 last);
void axvcpu_range_put(struct axvcpu_range *range);
void axvcpu_range_activate(struct axvcpu_range *range);
void axvcpu_range_deactivate(struct axvcpu_range *range);

#endif /* _AXVCPU_RANGE_H */
