/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract with the hardware: what a backend is to the common part. */
#ifndef _AXVCPU_ARCH_H
#define _AXVCPU_ARCH_H

#include <linux/static_call.h>
#include <linux/types.h>

#include "axvcpu_s2.h"
#include "axvcpu_vcpu.h"

/* So many elements of @get_call_log are asked for at most. */
#define AXVCPU_MAX_CALL_LOG	64U

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
	/**
	 * @exit_classes: &enum axvcpu_exit_class by &struct axvcpu.hw_reason, which the
	 * backend sets at each exit; AXVCPU_NR_HW_REASONS elements
	 */
	const u8 *exit_classes;
	/** @caps: ``AXVCPU_CAP_*`` of the backend; valid after @init; 0 where none */
	u64 (*caps)(void);
	/** @counter_hz: [P] see &struct axvcpu_info.counter_hz; may be NULL */
	u64 (*counter_hz)(void);

	/**
	 * @init: [P] module load: look whether the hardware can, on all
	 * online CPUs. -EOPNOTSUPP after one clear pr_err() line: it can't.
	 * Must not enable anything.
	 */
	int (*init)(void);
	/** @exit: [P] module unload */
	void (*exit)(void);
	/**
	 * @cpu_enable: interrupts off, on a CPU before it loads the first vCPU: enter VMX
	 * operation or the like.
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
	 * @enabled: [P] a first CPU has done @cpu_enable (true), or all that have are about
	 * to do @cpu_disable (false). For emergency callbacks. May be NULL.
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
	/**
	 * @setup: [C], virtualization is on here: initial state; -EINVAL without entry and
	 * root, or for a bad @config
	 */
	int (*setup)(struct axvcpu *vcpu, const union axvcpu_setup_config *config);
	/** @bind: [C] */
	int (*bind)(struct axvcpu *vcpu);
	/** @unbind: [C] no hardware holds state of the vCPU afterwards */
	int (*unbind)(struct axvcpu *vcpu);
	/**
	 * @reset: [C] as after @vcpu_create: no entry, no root, no events; can't fail.
	 * @keep_machine: but for what %AXVCPU_RESET_KEEP_MACHINE names
	 */
	void (*reset)(struct axvcpu *vcpu, bool keep_machine);

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
	 * @complete: [P] start of RUN after an exit that can have an answer: apply
	 * the answer to &struct axvcpu.exit_reason from the run page, or drop it
	 * where the VMM has done the instruction (%AXVCPU_REGS_DONE, another program
	 * counter) or has queued an exception. Reads each field once. The vCPU is not
	 * loaded. Runs before immediate_exit is looked at. (May be deferred by the
	 * backend to the next entry as long as GET_REGS shows it done.)
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
	 * @fault_exit: [P] no range is mapped at &struct
	 * axvcpu.fault: where the hardware decoded the access, fill in the run
	 * page. Returns &enum axvcpu_exit_reason, NESTED_PAGE_FAULT: the
	 * caller fills it in. May be NULL.
	 */
	int (*fault_exit)(struct axvcpu *vcpu);
	/**
	 * @sync_regs: [C] before @put, when the guest was entered or SET_REGS has
	 * changed registers: write the program counter and flags to the run page
	 */
	void (*sync_regs)(struct axvcpu *vcpu);
	/**
	 * @show_queue: [P] &struct axvcpu.mutex held, outside of sections: RUN returns
	 * without @sync_regs. Write what is queued to the run page
	 */
	void (*show_queue)(struct axvcpu *vcpu);
	/**
	 * @has_event: the thread inside RUN, outside of sections or after an exit: is an
	 * event queued that ends a halt? Reads only what @inject writes and what
	 * @handle_exit saved.
	 */
	bool (*has_event)(struct axvcpu *vcpu);
	/**
	 * @halt_is_masked: [P] the guest has halted: has it masked interrupts, so that
	 * only what can't be masked ends the halt? NULL: what is masked ends it too.
	 */
	bool (*halt_is_masked)(struct axvcpu *vcpu);
	/**
	 * @inject: any thread, no lock: queue the event. -EINVAL: there is no
	 * such event. -EBUSY: an exception is queued already. The caller kicks.
	 */
	int (*inject)(struct axvcpu *vcpu, const struct axvcpu_inject *event);
	/**
	 * @withdraw: [P] any thread, no lock: take a queued event back. -EINVAL: there is no
	 * such event. -ENOENT: it is not queued, or the guest has it. -EINTR: a signal.
	 */
	int (*withdraw)(struct axvcpu *vcpu, const struct axvcpu_inject *event);
	/** @kick_cpu: make @cpu leave the guest if it is in one; preemption off */
	void (*kick_cpu)(int cpu);
	/**
	 * @flush_tlbs: interrupts on, may not sleep: make all CPUs forget what
	 * has been changed in a table, in a guest or not, and wait until no
	 * access uses it any more. Where the hardware can't, NULL: CPUs with
	 * a vCPU of the table are interrupted, and told so by @enter.
	 */
	void (*flush_tlbs)(const struct axvcpu_s2_zap *zap);

	/**
	 * @get_regs: [C], loaded: read registers. -EINVAL: there is no such register; its
	 * index goes to @refused.
	 */
	int (*get_regs)(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
	/**
	 * @check_regs: [C], loaded: -EINVAL: there is no such register, or it can't have this
	 * value; its index goes to @refused. May replace the ids before that one by what
	 * @commit_regs finds the registers by.
	 */
	int (*check_regs)(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused);
	/** @commit_regs: [C], loaded: write registers that @check_regs has passed */
	void (*commit_regs)(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count);
	/**
	 * @list_regs: [P] &struct axvcpu.mutex held: the ids of all that makes up the
	 * vCPU, in an order in which SET_REGS may load them, up to @max of them into @ids.
	 * Returns how many there are.
	 */
	u32 (*list_regs)(struct axvcpu *vcpu, u64 *ids, u32 max);
	/** @kept_size: [P] bytes that @keep writes, for any vCPU; valid after @init */
	size_t (*kept_size)(void);
	/**
	 * @keep: [C], loaded: copy all of the vCPU's state, but what belongs to a debugger
	 * and the exit in the run page, to @kept
	 */
	void (*keep)(struct axvcpu *vcpu, void *kept);
	/**
	 * @restore: [C], loaded: put back what @keep has left in @kept, of this very vCPU
	 * since its SETUP. The run page's registers are written. With @time, the counter that
	 * the guest reads goes on from where it was.
	 */
	void (*restore)(struct axvcpu *vcpu, const void *kept, bool time);
	/**
	 * @set_debug: [P] &struct axvcpu.mutex held: what a debugger wants from
	 * the next entry on; until @reset. -EINVAL: no such breakpoint, or more
	 * than there are. NULL: no debugger.
	 */
	int (*set_debug)(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug);
	/** @cycles_to_ns: any context: axvcpu_cycles() units to nanoseconds */
	u64 (*cycles_to_ns)(u64 cycles);
	/**
	 * @get_call_log: [P] the last @max calls of these ops, the oldest first, and how many
	 * there ever were. Returns how many are written. The mock's only, else NULL.
	 */
	u32 (*get_call_log)(struct axvcpu *vcpu, struct axvcpu_call_entry *entries, u32 max,
			    u64 *total);
};

/** axvcpu_arch - the backend that this module was linked with */
extern const struct axvcpu_arch_ops axvcpu_arch;

/*
 * The ops that every RUN calls, by static_call(): direct calls where the
 * architecture can have its calls patched, which is done at module load. A
 * retpoline for each would be the larger part of what they cost.
 */
DECLARE_STATIC_CALL(axvcpu_arch_load, *axvcpu_arch.load);
DECLARE_STATIC_CALL(axvcpu_arch_put, *axvcpu_arch.put);
DECLARE_STATIC_CALL(axvcpu_arch_enter, *axvcpu_arch.enter);
DECLARE_STATIC_CALL(axvcpu_arch_sync_regs, *axvcpu_arch.sync_regs);

#endif /* _AXVCPU_ARCH_H */
