/* SPDX-License-Identifier: GPL-2.0-only */
/* The log of pages that a guest has written. */
#ifndef _AXVCPU_LOG_H
#define _AXVCPU_LOG_H

#include <linux/kref.h>
#include <linux/types.h>

struct axvcpu_range;

/**
 * struct axvcpu_log - a bit for each page
 * @ref: one for each range that has a part of it
 * @rcu: for who frees it
 * @bits: set: written; under &struct axvcpu_aspace.lock
 */
struct axvcpu_log {
	struct kref ref;
	struct rcu_head rcu;
	unsigned long bits[];
};

struct axvcpu_log *axvcpu_log_create(u64 pages);
struct axvcpu_log *axvcpu_log_get(struct axvcpu_log *log);
void axvcpu_log_put(struct axvcpu_log *log);
void axvcpu_log_mark(struct axvcpu_range *range, u64 gpa, u64 pages);
void axvcpu_log_take(struct axvcpu_range *range, u64 gpa, u64 pages, unsigned long *bits,
		     u64 first);
void axvcpu_log_put_back(struct axvcpu_range *range, u64 gpa, u64 pages,
			 const unsigned long *bits, u64 first);

#endif /* _AXVCPU_LOG_H */
