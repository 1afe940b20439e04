/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU, and the operations on it that make no guest run.
 *
 * Locks, outermost first:
 *   axvcpu.mutex > mm's mmap_lock > axvcpu_aspace.lock
 *   axvcpu_aspace.ranges_lock > mm's mmap_lock > axvcpu_aspace.lock
 * hw_mutex (axvcpu_percpu.c) stands alone, inside cpus_read_lock().
 */
#ifndef _AXVCPU_VCPU_H
#define _AXVCPU_VCPU_H

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/seqlock.h>
#include <linux/topology.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/linux/axvcpu.h>

#include "axvcpu_addr.h"

struct axvcpu_aspace;
struct axvcpu_kept;

/* More than any backend has of them */
#define AXVCPU_NR_HW_REASONS	128

/* Bits of &struct axvcpu.requests */
enum axvcpu_request {
	AXVCPU_REQ_KICK,	/* RUN returns EINTR; sticky until a RUN takes it */
};

/**
 * enum axvcpu_next - what the run loop does after an exit
 * @AXVCPU_NEXT_ENTER: enter again
 * @AXVCPU_NEXT_FAULT: fill &struct axvcpu.fault, then enter again
 * @AXVCPU_NEXT_HALT: the guest halted and has nothing pending
 * @AXVCPU_NEXT_EXIT: &struct axvcpu.exit_reason goes to the VMM, the run page
 *	is filled in
 */
enum axvcpu_next {
	AXVCPU_NEXT_ENTER,
	AXVCPU_NEXT_FAULT,
	AXVCPU_NEXT_HALT,
	AXVCPU_NEXT_EXIT,
};

/**
 * struct axvcpu_fault - a second-stage fault to fill or to report
 * @gpa: address
 * @gva: guest-linear address, with %AXVCPU_FAULT_GVA_VALID
 * @access: ``AXVCPU_MAP_*`` bits that the access needed
 * @flags: ``AXVCPU_FAULT_*``
 * @syndrome: the hardware's word, as &struct axvcpu_run.fault has it
 */
struct axvcpu_fault {
	struct axvcpu_gpa gpa;
	u64 gva;
	u32 access;
	u32 flags;
	u64 syndrome;
};

/*
 * struct axvcpu - a vCPU
 *
 * Key to the fields: (c) constant after creation; (m) under @mutex;
 * (s) written under @mutex inside @seq, read by axvcpu_snapshot();
 * (r) written only by the thread inside RUN, which holds @mutex; read
 * anywhere with READ_ONCE(), a stale value is fine; (n) counters, as (r), but
 * written by plain additions and read inside data_race(); (a) atomic, any thread.
 *
 * The object lives as long as its file: ioctls and the mapping of the run
 * page hold the file.
 *
 * A backend embeds it as the first member of its own struct, see
 * &struct axvcpu_arch_ops.vcpu_size.
 */
struct axvcpu {
	u32 vm_id;				/* (c) */
	u32 vcpu_id;				/* (c) */
	int favor_cpu;				/* (c) -1: none */
	cpumask_var_t cpus;			/* (c) where it may run */
	struct axvcpu_run *run;			/* (c) the run page */
	struct list_head link;			/* in axvcpu_debugfs.c's list */

	/*
	 * Serialises all operations, RUN included: it is held while the guest
	 * runs. Taken interruptibly.
	 */
	struct mutex mutex;

	seqcount_mutex_t seq;
	enum axvcpu_state state;		/* (s) only axvcpu_state.c writes it */
	struct axvcpu_failure failure;		/* (s) */
	struct axvcpu_failure cause;		/* (s) of its being Invalid */
	struct axvcpu_history_entry history[AXVCPU_HISTORY_LEN]; /* (s) ring */
	u64 history_len;			/* (s) entries ever written */
	u64 history_seq;			/* (s) of the last entry */
	u64 history_keys[2];			/* (s) of the last two, the one due next first */
	u64 history_turns;			/* (s) times that they came again since, in turn */

	struct axvcpu_aspace *aspace;		/* (m) reference; NULL: none, or raw root */
	u64 arch_code;				/* (m) for the failure record */
	int bound_cpu;				/* (m) to this CPU alone; -1: to none */
	bool halted;				/* (m) a signal or kick cut a wait short */

	u32 exit_reason;			/* (r) of the last exit */
	u32 hw_reason;				/* (r) in the hardware's words */
	bool answer_due;			/* (r) to it, in the run page */
	struct axvcpu_kept *kept;		/* (m) KEEP_STATE's copy, or NULL */
	struct axvcpu_fault fault;		/* (r) */
	int last_cpu;				/* (r) has the hardware state, -1: none */
	u64 tlb_gen;				/* (r) flushed for on @last_cpu */

	int guest_cpu;				/* (r) in the guest or entering it, -1 */
	unsigned long requests;			/* (a) enum axvcpu_request */
	bool queue_changed;			/* (a) by a call, since the run page shows it */
	wait_queue_head_t wait;			/* a Blocked vCPU sleeps here */

	struct axvcpu_stats stats;		/* (n) but for the two below */
	atomic64_t injections;			/* (a) */
	atomic64_t kicks;			/* (a) */
	u64 guest_cycles;			/* (n) axvcpu_cycles(), see guest_ns() */
	u64 handled[AXVCPU_NR_HW_REASONS];	/* (n) exits that the kernel handled */
};

/**
 * axvcpu_home_node() - where the memory of a vCPU comes from
 * @favor_cpu: where it is meant to run, -1: anywhere
 *
 * Context: any.
 * Return: NUMA node, or %NUMA_NO_NODE.
 */
static inline int axvcpu_home_node(int favor_cpu)
{
	return favor_cpu < 0 ? NUMA_NO_NODE : cpu_to_node(favor_cpu);
}

/**
 * axvcpu_alloc_page() - a page for a vCPU, from where it is meant to run
 * @vcpu: the vCPU
 * @gfp: flags
 *
 * Context: process context.
 * Return: the page, for free_page(), or NULL.
 */
static inline void *axvcpu_alloc_page(const struct axvcpu *vcpu, gfp_t gfp)
{
	int node = axvcpu_home_node(vcpu->favor_cpu);
	/* Without a node, the thread's memory policy counts. */
	struct page *page = node == NUMA_NO_NODE ? alloc_page(gfp) : alloc_pages_node(node, gfp, 0);

	return page ? page_address(page) : NULL;
}

/**
 * axvcpu_count_handled() - the kernel has handled an exit without the VMM
 * @vcpu: the vCPU, with the exit's &struct axvcpu.hw_reason
 *
 * Context: the thread inside RUN.
 */
static __always_inline void axvcpu_count_handled(struct axvcpu *vcpu)
{
	/* Those that the kernel handles are all below AXVCPU_NR_HW_REASONS. */
	vcpu->handled[(u8)vcpu->hw_reason]++;
}

bool axvcpu_raw_root_enabled(void);
struct axvcpu *axvcpu_vcpu_create(const struct axvcpu_create_vcpu *args,
				  const struct cpumask *cpus);
void axvcpu_vcpu_destroy(struct axvcpu *vcpu);
int axvcpu_setup(struct axvcpu *vcpu, const struct axvcpu_setup *args,
		 struct axvcpu_aspace *aspace);
int axvcpu_bind(struct axvcpu *vcpu, const struct axvcpu_bind *args);
int axvcpu_unbind(struct axvcpu *vcpu);
int axvcpu_reset(struct axvcpu *vcpu, unsigned long flags);
int axvcpu_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry);
int axvcpu_set_ept_root(struct axvcpu *vcpu, const struct axvcpu_set_ept_root *args,
			struct axvcpu_aspace *aspace);
int axvcpu_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
int axvcpu_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event);
void axvcpu_get_stats(struct axvcpu *vcpu, struct axvcpu_stats *stats);

#endif /* _AXVCPU_VCPU_H */
