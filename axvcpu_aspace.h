/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces. */
#ifndef _AXVCPU_ASPACE_H
#define _AXVCPU_ASPACE_H

#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "axvcpu_arch.h"
#include "axvcpu_s2.h"

/* struct axvcpu_aspace - an address space */
struct axvcpu_aspace {
	struct kref ref;		/* the descriptor's, and one for each vCPU set up with it */
	struct mm_struct *mm;		/* whose memory it is; holds the struct, not the memory */
	struct mutex ranges_lock;	/* serialises MAP, UNMAP, PROTECT and GET_DIRTY */

	struct rb_root_cached listeners; /* struct axvcpu_listener; changed under both locks */
	struct axvcpu_ager *ager;	/* with the first range; under ranges_lock */
	struct list_head ager_link;	/* under the ager's lock */

	spinlock_t lock;		/* protects what follows, but loaded_cpus */
	struct rb_root_cached ranges;	/* struct axvcpu_range; changed under both locks */
	struct rb_root_cached active;	/* those that may have leaves, by user address */
	struct axvcpu_s2 s2;
	u64 tlb_gen;			/* read anywhere with READ_ONCE() */
	struct axvcpu_aspace_stats stats; /* but for what s2 counts */

	cpumask_var_t loaded_cpus;	/* atomic */
};

struct axvcpu_aspace *axvcpu_aspace_create(void);
struct axvcpu_aspace *axvcpu_aspace_get(struct axvcpu_aspace *aspace);
void axvcpu_aspace_put(struct axvcpu_aspace *aspace);
struct axvcpu_hpa axvcpu_aspace_root(const struct axvcpu_aspace *aspace);
int axvcpu_aspace_map(struct axvcpu_aspace *aspace, const struct axvcpu_map *map);
int axvcpu_aspace_unmap(struct axvcpu_aspace *aspace, const struct axvcpu_unmap *unmap);
int axvcpu_aspace_protect(struct axvcpu_aspace *aspace, const struct axvcpu_protect *protect);
int axvcpu_aspace_get_dirty(struct axvcpu_aspace *aspace, const struct axvcpu_get_dirty *dirty);
int axvcpu_aspace_fault(struct axvcpu_aspace *aspace, struct axvcpu_fault *what);
void axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats);

/**
 * axvcpu_aspace_is_ours() - does it belong to the calling process?
 * @aspace: the address space
 *
 * Context: process context.
 * Return: whether it does.
 */
static inline bool axvcpu_aspace_is_ours(const struct axvcpu_aspace *aspace)
{
	return aspace->mm == current->mm;
}

/**
 * axvcpu_aspace_enter_cpu() - from now on shootdowns interrupt this CPU
 * @aspace: the address space
 * @cpu: this CPU
 *
 * None do, where the backend makes CPUs forget without.
 *
 * Context: preemption off; no vCPU of this address space is loaded here.
 */
static inline void axvcpu_aspace_enter_cpu(struct axvcpu_aspace *aspace, int cpu)
{
	if (axvcpu_arch.flush_tlbs)
		return;
	cpumask_set_cpu(cpu, aspace->loaded_cpus);
	/* Pairs with flush_zapped()'s: the table is used after this. */
	smp_mb__after_atomic();
}

/**
 * axvcpu_aspace_leave_cpu() - shootdowns need not interrupt this CPU any more
 * @aspace: the address space
 * @cpu: this CPU
 *
 * Context: preemption off, not in the guest.
 */
static inline void axvcpu_aspace_leave_cpu(struct axvcpu_aspace *aspace, int cpu)
{
	if (axvcpu_arch.flush_tlbs)
		return;
	/* All use of the table was before this. */
	smp_mb__before_atomic();
	cpumask_clear_cpu(cpu, aspace->loaded_cpus);
}

/**
 * axvcpu_aspace_tlb_gen() - generation of the table
 * @aspace: the address space
 *
 * A CPU that last flushed for another generation must flush before it enters.
 *
 * Context: any; before an entry with interrupts off, after enter_cpu.
 * Return: the generation, never 0.
 */
static inline u64 axvcpu_aspace_tlb_gen(const struct axvcpu_aspace *aspace)
{
	return READ_ONCE(aspace->tlb_gen);
}

#endif /* _AXVCPU_ASPACE_H */
