/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * axvcpu's internal types, and the contract of each function that another
 * file calls.
 *
 * Locks, outermost first:
 *   axvcpu.mutex > mm's mmap_lock > axvcpu_aspace.lock
 *   axvcpu_aspace.ranges_lock > mm's mmap_lock > axvcpu_aspace.lock
 * hw_mutex (axvcpu_percpu.c) stands alone, inside cpus_read_lock().
 */
#ifndef _AXVCPU_ARCH_H
#define _AXVCPU_ARCH_H

#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/linux/axvcpu.h>

#include "axvcpu_addr.h"
#include "axvcpu_s2.h"
#include "axvcpu_table.h"

struct axvcpu;
struct axvcpu_aspace;
struct file;

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
 */
struct axvcpu_fault {
	struct axvcpu_gpa gpa;
	u64 gva;
	u32 access;
	u32 flags;
};

/*
 * struct axvcpu - a vCPU
 *
 * Key to the fields: (c) constant after creation; (m) under @mutex;
 * (s) written under @mutex inside @seq, read by axvcpu_snapshot();
 * (r) written only by the thread inside RUN, which holds @mutex; read
 * anywhere with READ_ONCE(), a stale value is fine; (a) atomic, any thread.
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
	struct axvcpu_history_entry history[AXVCPU_HISTORY_LEN]; /* (s) ring */
	u64 history_len;			/* (s) entries ever written */
	u64 history_seq;			/* (s) of the last entry */
	u64 history_keys[2];			/* (s) of the last two, the one due next first */
	u64 history_turns;			/* (s) times that they came again since, in turn */

	struct axvcpu_aspace *aspace;		/* (m) reference; NULL: none, or raw root */
	u64 arch_code;				/* (m) for the failure record */
	int bound_cpu;				/* (m) -1: not bound */
	bool pinned;				/* (m) to one CPU, by the VMM's wish */
	bool halted;				/* (m) a signal or kick cut a wait short */

	u32 exit_reason;			/* (r) of the last exit */
	bool answer_due;			/* (r) to it, in the run page */
	struct axvcpu_fault fault;		/* (r) */
	int last_cpu;				/* (r) has the hardware state, -1: none */
	u64 tlb_gen;				/* (r) flushed for on @last_cpu */

	int guest_cpu;				/* (r) in the guest or entering it, -1 */
	unsigned long requests;			/* (a) enum axvcpu_request */
	wait_queue_head_t wait;			/* a Blocked vCPU sleeps here */

	struct axvcpu_stats stats;		/* (r) but for the two below */
	atomic64_t injections;			/* (a) */
	atomic64_t kicks;			/* (a) */
	u64 guest_cycles;			/* (r) get_cycles() units, see guest_ns() */
};

/**
 * struct axvcpu_arch_ops - the contract with the hardware
 *
 * Contexts: [P] process context, may sleep. [C] preemption off, interrupts
 * on, the vCPU is this CPU's current one, &struct axvcpu.mutex held (use
 * lockdep_assert_held()). [I] as [C] with interrupts off.
 *
 * Errors are negative errno; in a transition they make the vCPU Invalid, and
 * the op leaves the hardware's word in &struct axvcpu.arch_code.
 */
struct axvcpu_arch_ops {
	/** @name: for people, at most 15 characters */
	const char *name;
	/** @backend: &enum axvcpu_backend */
	u32 backend;
	/** @vcpu_size: bytes of the backend's vCPU, &struct axvcpu first */
	size_t vcpu_size;
	/** @s2: table format; valid after @init */
	const struct axvcpu_s2_format *s2;
	/** @caps: ``AXVCPU_CAP_*`` of the backend; valid after @init; 0 where none */
	u64 (*caps)(void);

	/**
	 * @init: [P] module load: look whether the hardware can, on all
	 * online CPUs. -EOPNOTSUPP after one clear pr_err() line: it can't.
	 * Must not enable anything.
	 */
	int (*init)(void);
	/** @exit: [P] module unload */
	void (*exit)(void);
	/**
	 * @cpu_enable: interrupts off, on each CPU: enter VMX operation or the like.
	 * -EBUSY: another hypervisor holds it.
	 */
	int (*cpu_enable)(void);
	/**
	 * @cpu_disable: interrupts off, on each CPU that @cpu_enable
	 * succeeded on: put away every vCPU whose state this CPU's hardware
	 * holds (VMCLEAR), turn virtualization off. Those vCPUs go on
	 * elsewhere. Also called at suspend, reboot and CPU offline.
	 */
	void (*cpu_disable)(void);
	/**
	 * @enabled: [P] all CPUs have done @cpu_enable (true), or are about to
	 * do @cpu_disable (false). For emergency callbacks. May
	 * be NULL.
	 */
	void (*enabled)(bool on);

	/**
	 * @vcpu_create: [P] allocate all that the vCPU will ever need. @config
	 * is the caller's, copied; refuse fields that must be zero (-EINVAL).
	 * Failing, leave nothing behind.
	 */
	int (*vcpu_create)(struct axvcpu *vcpu, const union axvcpu_create_config *config);
	/** @vcpu_destroy: [P] free it, wherever its hardware state is */
	void (*vcpu_destroy)(struct axvcpu *vcpu);

	/** @set_entry: [C] once before @setup, else -EEXIST; -EINVAL: out of range */
	int (*set_entry)(struct axvcpu *vcpu, struct axvcpu_gpa entry);
	/** @set_ept_root: [C] once before @setup, else -EEXIST; -EINVAL: malformed */
	int (*set_ept_root)(struct axvcpu *vcpu, struct axvcpu_hpa root);
	/** @setup: [C] initial state; -EINVAL without entry and root, or for a bad @config */
	int (*setup)(struct axvcpu *vcpu, const union axvcpu_setup_config *config);
	/** @bind: [C] */
	int (*bind)(struct axvcpu *vcpu);
	/** @unbind: [C] no hardware holds state of the vCPU afterwards */
	int (*unbind)(struct axvcpu *vcpu);
	/** @reset: [C] as after @vcpu_create: no entry, no root, no events; can't fail */
	void (*reset)(struct axvcpu *vcpu);

	/**
	 * @load: [C] start of a section of the run loop, or of register
	 * access: make the vCPU this CPU's. &struct axvcpu.last_cpu tells
	 * where it was (it is updated by the caller afterwards); fetch it
	 * from there. Put the guest's values into what @put restores.
	 */
	int (*load)(struct axvcpu *vcpu);
	/**
	 * @put: [C] end of the section: what the host needs in the kernel's
	 * schedule() and in userspace (syscall MSRs, debug registers, FPU) is
	 * the host's again. The hardware may keep the rest (the VMCS).
	 */
	void (*put)(struct axvcpu *vcpu);
	/**
	 * @complete: [P] start of RUN after an exit with an answer: apply
	 * the answer to &struct axvcpu.exit_reason from the run page. Reads
	 * each field once. The vCPU is not loaded. Runs before
	 * immediate_exit is looked at. (May be deferred by the backend to the
	 * next entry as long as GET_REGS shows it done.)
	 */
	void (*complete)(struct axvcpu *vcpu);
	/**
	 * @enter: [I] forget stale second-stage translations if @flush, put
	 * queued events into the guest, enter it, come back. The host's
	 * state is the host's again, a host NMI has been handled, a host
	 * interrupt is still pending and is taken when the caller lets
	 * interrupts in. -errno: the entry instruction itself failed (not:
	 * invalid guest state, which is an exit). May handle exits on its own
	 * and enter again, until a host interrupt is pending, and not for long
	 * without one; it counts and traces those itself. Without @handle_exit
	 * it handles the last one too, and returns &enum axvcpu_next.
	 */
	int (*enter)(struct axvcpu *vcpu, bool flush);
	/**
	 * @handle_exit: [C] look at the exit, handle what the kernel handles,
	 * fill in the run page otherwise. Returns &enum axvcpu_next or -errno.
	 * May be NULL.
	 */
	int (*handle_exit)(struct axvcpu *vcpu);
	/**
	 * @fault_exit: [P] nothing of the host's stands behind &struct
	 * axvcpu.fault: where the hardware decoded the access, fill in the run
	 * page. Returns &enum axvcpu_exit_reason, NESTED_PAGE_FAULT: the
	 * caller fills it in. May be NULL.
	 */
	int (*fault_exit)(struct axvcpu *vcpu);
	/**
	 * @sync_regs: [C] RUN is about to return to the VMM: write the
	 * program counter and flags to the run page
	 */
	void (*sync_regs)(struct axvcpu *vcpu);
	/**
	 * @has_event: any context: is an event queued that ends a halt? Reads
	 * only what @inject writes and what @handle_exit saved.
	 */
	bool (*has_event)(struct axvcpu *vcpu);
	/**
	 * @inject: any thread, no lock: queue the event. -EINVAL: there is no
	 * such event. -EBUSY: an exception is queued already. The caller kicks.
	 */
	int (*inject)(struct axvcpu *vcpu, const struct axvcpu_inject *event);
	/** @kick_cpu: make @cpu leave the guest if it is in one; preemption off */
	void (*kick_cpu)(int cpu);
	/**
	 * @flush_tlbs: interrupts on, may not sleep: make all CPUs forget what
	 * has been changed in a table, in a guest or not, and wait until no
	 * access uses it any more. Where the hardware can't, NULL: CPUs with
	 * a vCPU of the table are interrupted, and told so by @enter.
	 */
	void (*flush_tlbs)(const struct axvcpu_s2_zap *zap);

	/** @get_reg: [C], loaded; -EINVAL: no such register */
	int (*get_reg)(struct axvcpu *vcpu, u64 id, u64 *value);
	/**
	 * @set_reg: [C], loaded. With @commit false only checks (-EINVAL: no
	 * such register or no such value), with @commit true it can't fail.
	 */
	int (*set_reg)(struct axvcpu *vcpu, u64 id, u64 value, bool commit);
	/**
	 * @set_debug: [P] &struct axvcpu.mutex held: what a debugger wants from
	 * the next entry on; until @reset. -EINVAL: no such breakpoint, or more
	 * than there are. NULL: no debugger.
	 */
	int (*set_debug)(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug);
	/** @cycles_to_ns: any context: get_cycles() units to nanoseconds */
	u64 (*cycles_to_ns)(u64 cycles);
	/** @get_call_log: [P] the mock's only, else NULL */
	int (*get_call_log)(struct axvcpu *vcpu, struct axvcpu_call_log *log);
};

/** axvcpu_arch - the backend that this module was linked with */
extern const struct axvcpu_arch_ops axvcpu_arch;

/*
 * The ops that every RUN calls, as axvcpu_call(op)(...): direct calls where the
 * architecture can have its calls patched, which is done at module load. A
 * retpoline for each would be the larger part of what they cost.
 */
DECLARE_STATIC_CALL(axvcpu_load, *axvcpu_arch.load);
DECLARE_STATIC_CALL(axvcpu_put, *axvcpu_arch.put);
DECLARE_STATIC_CALL(axvcpu_enter, *axvcpu_arch.enter);
DECLARE_STATIC_CALL(axvcpu_sync_regs, *axvcpu_arch.sync_regs);

#define axvcpu_call(op)	static_call(axvcpu_##op)

/* axvcpu_state.c */

/**
 * typedef axvcpu_fn - an operation on a vCPU's hardware
 * @vcpu: the vCPU, &struct axvcpu.mutex held
 * @arg: the caller's
 *
 * Return: 0, or a negative errno that becomes the operation's.
 */
typedef int (*axvcpu_fn)(struct axvcpu *vcpu, void *arg);

void axvcpu_state_init(struct axvcpu *vcpu);
int axvcpu_state_running(struct axvcpu *vcpu);
int axvcpu_state_ran(struct axvcpu *vcpu);
int axvcpu_state_failed(struct axvcpu *vcpu, int error);
int axvcpu_with_state_transition(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
				 enum axvcpu_state to, axvcpu_fn fn, void *arg);
int axvcpu_manipulate_arch_vcpu(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
				enum axvcpu_state to, axvcpu_fn fn, void *arg);
int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_op op, enum axvcpu_state from,
			    enum axvcpu_state to);
void axvcpu_reg_refused(struct axvcpu *vcpu, enum axvcpu_op op, u64 reg, int error);
void axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state);
enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu);
void axvcpu_get_failure(struct axvcpu *vcpu, struct axvcpu_state_info *info);
u32 axvcpu_get_history(struct axvcpu *vcpu, struct axvcpu_history_entry *entries, u32 max);

/* axvcpu_percpu.c */

DECLARE_PER_CPU(struct axvcpu *, axvcpu_current);
DECLARE_PER_CPU(bool, axvcpu_hw_on);

/**
 * axvcpu_get_current() - the vCPU that this CPU operates on
 *
 * Context: preemption off, or the answer is only good for comparing with NULL.
 * Return: the vCPU, or NULL.
 */
static inline struct axvcpu *axvcpu_get_current(void)
{
	return this_cpu_read(axvcpu_current);
}

/**
 * axvcpu_nested() - would an operation started here be inside another one?
 *
 * An operation runs with preemption off, so a thread that finds this CPU's
 * current pointer set is inside it, or interrupts it.
 *
 * Context: any.
 * Return: true when the operation must be refused with -EDEADLK.
 */
static inline bool axvcpu_nested(void)
{
	return axvcpu_get_current() || !in_task();
}

/* axvcpu_with_current_cpu_set() where it is known that nothing is nested */
static __always_inline int __axvcpu_with_current_cpu_set(struct axvcpu *vcpu, axvcpu_fn fn,
							 void *arg)
{
	int ret;

	preempt_disable();
	__this_cpu_write(axvcpu_current, vcpu);
	ret = fn(vcpu, arg);
	__this_cpu_write(axvcpu_current, NULL);
	preempt_enable();
	return ret;
}

/**
 * axvcpu_with_current_cpu_set() - run a function with the vCPU as this CPU's current one
 * @vcpu: the vCPU
 * @fn: called with preemption off
 * @arg: for @fn
 *
 * Context: &struct axvcpu.mutex held.
 * Return: @fn's value, or -EDEADLK when an operation on a vCPU is under way
 * on this CPU already, or when this is no task.
 * Source: AxVCpu::with_current_cpu_set.
 */
static __always_inline int axvcpu_with_current_cpu_set(struct axvcpu *vcpu, axvcpu_fn fn, void *arg)
{
	return axvcpu_nested() ? -EDEADLK : __axvcpu_with_current_cpu_set(vcpu, fn, arg);
}

int axvcpu_percpu_init(void);
void axvcpu_percpu_exit(void);
int axvcpu_hw_get(void);
void axvcpu_hw_put(void);

/* axvcpu_run.c */

void axvcpu_run_init(void);
int axvcpu_load(struct axvcpu *vcpu);
int axvcpu_run(struct axvcpu *vcpu, unsigned long flags);
int axvcpu_run_locked(struct axvcpu *vcpu, unsigned long flags);	/* in KUnit's module */
void axvcpu_poke(struct axvcpu *vcpu);
void axvcpu_kick(struct axvcpu *vcpu);

/* axvcpu_vcpu.c: the operations of a vCPU descriptor */

bool axvcpu_raw_root_enabled(void);
struct axvcpu *axvcpu_vcpu_create(const struct axvcpu_create_vcpu *args,
				  const struct cpumask *cpus);
void axvcpu_vcpu_destroy(struct axvcpu *vcpu);
int axvcpu_setup(struct axvcpu *vcpu, const struct axvcpu_setup *args);
int axvcpu_bind(struct axvcpu *vcpu, const struct axvcpu_bind *args);
int axvcpu_unbind(struct axvcpu *vcpu);
int axvcpu_reset(struct axvcpu *vcpu);
int axvcpu_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry);
int axvcpu_set_ept_root(struct axvcpu *vcpu, const struct axvcpu_set_ept_root *args);
int axvcpu_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count);
int axvcpu_set_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count);
void axvcpu_get_stats(struct axvcpu *vcpu, struct axvcpu_stats *stats);

/* axvcpu_aspace.c */

/* struct axvcpu_aspace - an address space */
struct axvcpu_aspace {
	struct kref ref;		/* the descriptor's, and one for each vCPU set up with it */
	struct mm_struct *mm;		/* whose memory it is; holds the struct, not the memory */
	struct mutex ranges_lock;	/* serialises MAP and UNMAP */

	spinlock_t lock;		/* protects what follows, but loaded_cpus */
	struct rb_root_cached ranges;	/* struct axvcpu_range; changed under both locks */
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
int axvcpu_aspace_fault(struct axvcpu_aspace *aspace, struct axvcpu_fault *fault);
int axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats);

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

/* axvcpu_main.c */

struct axvcpu_aspace *axvcpu_aspace_get_fd(int fd);

/* axvcpu_debugfs.c */

void axvcpu_debugfs_init(void);
void axvcpu_debugfs_exit(void);
void axvcpu_debugfs_add(struct axvcpu *vcpu);
void axvcpu_debugfs_del(struct axvcpu *vcpu);

#endif /* _AXVCPU_ARCH_H */
