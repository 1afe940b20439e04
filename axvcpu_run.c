// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop.
 *
 * A section is the time with preemption off from load to put; inside it the
 * guest is entered again and again. It ends when the VMM, a sleeping fault, a
 * halt, a signal or the scheduler needs the thread.
 */
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/vtime.h>

#include "axvcpu_arch.h"
#include "axvcpu_aspace.h"
#include "axvcpu_compat.h"
#include "axvcpu_percpu.h"
#include "axvcpu_run.h"
#include "axvcpu_state.h"
#include "axvcpu_table.h"
#include "axvcpu_trace.h"

DEFINE_STATIC_CALL_NULL(axvcpu_arch_load, *axvcpu_arch.load);
DEFINE_STATIC_CALL_NULL(axvcpu_arch_put, *axvcpu_arch.put);
DEFINE_STATIC_CALL_NULL(axvcpu_arch_enter, *axvcpu_arch.enter);
DEFINE_STATIC_CALL_NULL(axvcpu_arch_sync_regs, *axvcpu_arch.sync_regs);

/**
 * axvcpu_run_init() - make the calls of the hot ops lead to the backend
 *
 * Context: module load.
 */
void axvcpu_run_init(void)
{
	static_call_update(axvcpu_arch_load, axvcpu_arch.load);
	static_call_update(axvcpu_arch_put, axvcpu_arch.put);
	static_call_update(axvcpu_arch_enter, axvcpu_arch.enter);
	static_call_update(axvcpu_arch_sync_regs, axvcpu_arch.sync_regs);
}

/*
 * What RUN does next, beyond what a backend can ask for: it returns, and the
 * vCPU stays Ready. Each step of RUN returns one of &enum axvcpu_next, this, or a
 * negative errno, which makes the vCPU Invalid; the first that is not
 * %AXVCPU_NEXT_ENTER ends RUN.
 */
#define NEXT_LEAVE	INT_MAX

/**
 * struct run - one RUN call
 * @flags: ``AXVCPU_RUN_*``
 * @error: why there is no exit, with NEXT_LEAVE
 */
struct run {
	unsigned long flags;
	int error;
};

static int leave_with(struct run *run, int error)
{
	run->error = error;
	return NEXT_LEAVE;
}

static bool vmm_wants_out(struct axvcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || READ_ONCE(vcpu->run->immediate_exit);
}

/* The scheduler, signals, task work, what else is done on a thread's way to userspace. */
static bool thread_has_work(void)
{
	return read_thread_flags() & (_TIF_NEED_RESCHED | _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL |
				      _TIF_NOTIFY_RESUME | AXVCPU_TIF_LAZY);
}

/* The request is taken by the RUN that returns for it. */
static int leave_for_vmm(struct axvcpu *vcpu, struct run *run)
{
	clear_bit(AXVCPU_REQ_KICK, &vcpu->requests);
	return leave_with(run, -EINTR);
}

/* Time in the guest counts as such in /proc/stat and for cgroups. */
static void account_guest_exit(void)
{
	if (vtime_accounting_enabled_this_cpu())
		vtime_account_guest_exit();
}

static void account_guest_tick_taken(void)
{
	if (!vtime_accounting_enabled_this_cpu())
		current->flags &= ~PF_VCPU;
}

static __always_inline int enter_guest(struct axvcpu *vcpu, const struct axvcpu_aspace *aspace)
{
	u64 gen = aspace ? axvcpu_aspace_tlb_gen(aspace) : 1;
	bool flush = vcpu->tlb_gen != gen;
	int ret;

	vcpu->tlb_gen = gen;
	vcpu->stats.entries++;
	trace_axvcpu_entry(vcpu);
	vtime_account_guest_enter();
	ret = static_call(axvcpu_arch_enter)(vcpu, flush);
	account_guest_exit();
	return ret;
}

/*
 * Interrupts are off from the look at the requests to the entry: whoever sets
 * one afterwards finds guest_cpu set, and its interrupt makes the guest exit.
 * The barrier pairs with the one in axvcpu_poke(), and with the one of a
 * shootdown, see axvcpu_aspace.c.
 */
static __always_inline bool begin_entry(struct axvcpu *vcpu, int cpu)
{
	local_irq_disable();
	WRITE_ONCE(vcpu->guest_cpu, cpu);
	smp_mb(); /* guest_cpu before the look at the requests */
	return likely(!vmm_wants_out(vcpu) && !thread_has_work());
}

static __always_inline void end_entry(struct axvcpu *vcpu)
{
	WRITE_ONCE(vcpu->guest_cpu, -1);
	local_irq_enable();
}

/*
 * To RCU, a guest is like userspace, but its time looks like the kernel's. Each timer tick
 * comes by here. Backends that handle exits while they have interrupts off come seldom.
 */
static __always_inline void note_quiescent_state(const struct axvcpu *vcpu)
{
	if (axvcpu_arch.handle_exit &&
	    axvcpu_arch.exit_classes[(u8)vcpu->hw_reason] != AXVCPU_CLASS_INTERRUPT)
		return;
	local_irq_disable();
	rcu_note_context_switch(false);
	local_irq_enable();
}

/* Returns &enum axvcpu_next, ENTER: after a pause, somebody has a wish; or a negative errno. */
static __always_inline int enter_often(struct axvcpu *vcpu, const struct axvcpu_aspace *aspace,
				       int cpu)
{
	int ret;

	for (;;) {
		if (!begin_entry(vcpu, cpu)) {
			end_entry(vcpu);
			return AXVCPU_NEXT_ENTER;
		}
		ret = enter_guest(vcpu, aspace);
		end_entry(vcpu);
		account_guest_tick_taken();
		if (axvcpu_arch.handle_exit && likely(ret >= 0))
			ret = axvcpu_arch.handle_exit(vcpu);
		trace_axvcpu_exit(vcpu, ret);
		if (ret != AXVCPU_NEXT_ENTER)
			return ret;
		axvcpu_count_handled(vcpu);
		note_quiescent_state(vcpu);
	}
}

static __always_inline int with_aspace(struct axvcpu *vcpu, int cpu)
{
	struct axvcpu_aspace *aspace = vcpu->aspace;
	int ret;

	vcpu->guest_cycles -= axvcpu_cycles();
	if (!aspace) {
		ret = enter_often(vcpu, NULL, cpu);
	} else {
		axvcpu_aspace_enter_cpu(aspace, cpu);
		ret = enter_often(vcpu, aspace, cpu);
		axvcpu_aspace_leave_cpu(aspace, cpu);
	}
	vcpu->guest_cycles += axvcpu_cycles();
	return ret;
}

static bool may_run_on(const struct axvcpu *vcpu, int cpu)
{
	return vcpu->bound_cpu >= 0 ? cpu == vcpu->bound_cpu : cpumask_test_cpu(cpu, vcpu->cpus);
}

/* Not on a CPU that is going offline or down with the system: -EXDEV leaves it Ready. */
static int not_loaded(struct run *run, int error)
{
	if (error == -EXDEV)
		return leave_with(run, error);
	return error < 0 ? error : -EIO;
}

static __always_inline int run_section(struct axvcpu *vcpu, struct run *run)
{
	int cpu = smp_processor_id();
	int ret;

	if (unlikely(!may_run_on(vcpu, cpu)))
		return leave_with(run, -EXDEV);
	ret = axvcpu_load(vcpu, cpu);
	if (unlikely(ret))
		return not_loaded(run, ret);
	ret = with_aspace(vcpu, cpu);
	static_call(axvcpu_arch_sync_regs)(vcpu);
	static_call(axvcpu_arch_put)(vcpu);
	return ret;
}

static int exit_to_vmm(struct axvcpu *vcpu, enum axvcpu_exit_reason reason)
{
	vcpu->exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

static int report_fault(struct axvcpu *vcpu)
{
	struct axvcpu_run *page = vcpu->run;
	int reason = AXVCPU_EXIT_NESTED_PAGE_FAULT;

	if (axvcpu_arch.fault_exit &&
	    !(vcpu->fault.flags & (AXVCPU_FAULT_BAD_HOST | AXVCPU_FAULT_PROTECTION)))
		reason = axvcpu_arch.fault_exit(vcpu);
	if (reason == AXVCPU_EXIT_NESTED_PAGE_FAULT) {
		page->fault.gpa = vcpu->fault.gpa.val;
		page->fault.gva = vcpu->fault.gva;
		page->fault.access = vcpu->fault.access;
		page->fault.flags = vcpu->fault.flags;
		page->fault.syndrome = vcpu->fault.syndrome;
	}
	return exit_to_vmm(vcpu, reason);
}

/* Memory that is not mapped is for the VMM; want of memory is no one's fault. */
static int fill_fault(struct axvcpu *vcpu, struct run *run)
{
	int ret = vcpu->aspace ? axvcpu_aspace_fault(vcpu->aspace, &vcpu->fault) : -EFAULT;

	trace_axvcpu_fault(vcpu, &vcpu->fault, ret);
	if (ret == -EFAULT)
		return report_fault(vcpu);
	if (ret)
		return leave_with(run, ret);
	vcpu->stats.faults++;
	axvcpu_count_handled(vcpu);
	return AXVCPU_NEXT_ENTER;
}

static bool wait_is_over(struct axvcpu *vcpu)
{
	return axvcpu_arch.has_event(vcpu) || READ_ONCE(vcpu->requests) ||
	       READ_ONCE(vcpu->run->immediate_exit);
}

/*
 * The queueing of an event and the look at the queue can't miss each other:
 * the waiter is on the wait queue before it looks, axvcpu_poke() looks at the
 * wait queue after the event is queued.
 */
static int wait_blocked(struct axvcpu *vcpu)
{
	int ret;

	ret = axvcpu_transition_state(vcpu, AXVCPU_OP_WAIT, AXVCPU_STATE_RUNNING,
				      AXVCPU_STATE_BLOCKED);
	if (ret)
		return ret;
	/* A signal is seen by the next section. */
	(void)wait_event_interruptible(vcpu->wait, wait_is_over(vcpu));
	ret = axvcpu_transition_state(vcpu, AXVCPU_OP_WAKE, AXVCPU_STATE_BLOCKED,
				      AXVCPU_STATE_READY);
	if (ret)
		return ret;
	return axvcpu_transition_state(vcpu, AXVCPU_OP_RUN, AXVCPU_STATE_READY,
				       AXVCPU_STATE_RUNNING);
}

/* Does a halted guest wait in the kernel? */
static bool may_wait(struct axvcpu *vcpu, unsigned long flags)
{
	if (!(flags & AXVCPU_RUN_WAIT))
		return false;
	return !(flags & AXVCPU_RUN_EXIT_HLT_IF0) || !axvcpu_arch.halt_is_masked ||
	       !axvcpu_arch.halt_is_masked(vcpu);
}

/*
 * A wait that a signal or a kick cuts short goes on with the next RUN: the
 * guest is still halted.
 */
static int halt_guest(struct axvcpu *vcpu, struct run *run)
{
	int ret;

	if (!may_wait(vcpu, run->flags)) {
		vcpu->halted = false;
		return exit_to_vmm(vcpu, AXVCPU_EXIT_HALT);
	}
	/* WITHDRAW may take back what ended the wait: then it goes on. */
	do {
		vcpu->halted = true;
		ret = wait_blocked(vcpu);
		if (ret)
			return ret;
		vcpu->halted = !axvcpu_arch.has_event(vcpu);
	} while (vcpu->halted && !vmm_wants_out(vcpu) && !signal_pending(current));
	return vcpu->halted ? leave_for_vmm(vcpu, run) : AXVCPU_NEXT_ENTER;
}

/* Somebody wants the thread: the VMM, a signal, the scheduler. */
static int pause_guest(struct axvcpu *vcpu, struct run *run)
{
	if (vmm_wants_out(vcpu) || axvcpu_thread_work())
		return leave_for_vmm(vcpu, run);
	return AXVCPU_NEXT_ENTER;
}

/* Between two sections: what needs to sleep. */
static noinline int after_section(struct axvcpu *vcpu, struct run *run, int next)
{
	switch (next) {
	case AXVCPU_NEXT_ENTER:
		return pause_guest(vcpu, run);
	case AXVCPU_NEXT_FAULT:
		return fill_fault(vcpu, run);
	case AXVCPU_NEXT_HALT:
		return halt_guest(vcpu, run);
	case NEXT_LEAVE:
		return run->error ? next : -EIO;
	default:
		return next < 0 ? next : -EIO;
	}
}

/*
 * RUN returns and has not come through a section, or not since the last INJECT. What
 * another thread queues from here on is shown by the next one.
 */
static noinline void show_queue(struct axvcpu *vcpu)
{
	WRITE_ONCE(vcpu->queue_changed, false);
	smp_mb(); /* the flag before the queue; INJECT has queued it before the flag */
	axvcpu_arch.show_queue(vcpu);
}

static __always_inline void show_changed_queue(struct axvcpu *vcpu)
{
	if (unlikely(READ_ONCE(vcpu->queue_changed)))
		show_queue(vcpu);
}

static noinline int go_on_waiting(struct axvcpu *vcpu, struct run *run)
{
	int next;

	vcpu->halted = !axvcpu_arch.has_event(vcpu);
	if (!vcpu->halted)
		return AXVCPU_NEXT_ENTER;
	next = halt_guest(vcpu, run);
	if (next == AXVCPU_NEXT_EXIT)
		show_changed_queue(vcpu);
	return next;
}

static __always_inline int run_sections(struct axvcpu *vcpu, struct run *run)
{
	int next;

	do {
		next = __axvcpu_with_current_cpu_set(vcpu, run_section(vcpu, run));
		if (unlikely(next != AXVCPU_NEXT_EXIT))
			next = after_section(vcpu, run, next);
	} while (next == AXVCPU_NEXT_ENTER);
	return next;
}

/* Those that the VMM answers in the run page, and those whose instruction it may do */
static const bool answered[AXVCPU_NR_EXITS] = {
	[AXVCPU_EXIT_UNKNOWN]		= true,
	[AXVCPU_EXIT_HYPERCALL]		= true,
	[AXVCPU_EXIT_MMIO_READ]		= true,
	[AXVCPU_EXIT_SYSREG_READ]	= true,
	[AXVCPU_EXIT_SYSREG_WRITE]	= true,
	[AXVCPU_EXIT_IO_READ]		= true,
	[AXVCPU_EXIT_IO_STRING]		= true,
	[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= true,
	[AXVCPU_EXIT_CPU_UP]		= true,
	[AXVCPU_EXIT_EXCEPTION]		= true,
	[AXVCPU_EXIT_DEBUG]		= true,
	[AXVCPU_EXIT_TASK_SWITCH]	= true,
};

static __always_inline void publish(struct axvcpu *vcpu, const struct run *run)
{
	struct axvcpu_run *page = vcpu->run;

	if (unlikely(run->error)) {
		page->exit_reason = AXVCPU_EXIT_NOTHING;
		show_changed_queue(vcpu);
	} else {
		vcpu->answer_due = answered[vcpu->exit_reason];
		vcpu->stats.exits[vcpu->exit_reason]++;
		page->exit_reason = vcpu->exit_reason;
	}
	page->exit_seq = vcpu->stats.runs;
}

/* As GET_REGS, on any CPU: the guest does not run. */
static int sync_section(struct axvcpu *vcpu, struct run *run)
{
	int ret = axvcpu_load(vcpu, smp_processor_id());

	if (ret)
		return not_loaded(run, ret);
	static_call(axvcpu_arch_sync_regs)(vcpu);
	static_call(axvcpu_arch_put)(vcpu);
	return leave_for_vmm(vcpu, run);
}

static noinline int leave_at_once(struct axvcpu *vcpu, struct run *run, bool answered)
{
	if (answered)
		return axvcpu_with_current_cpu_set(vcpu, sync_section(vcpu, run));
	return leave_for_vmm(vcpu, run);
}

static __always_inline int do_run(struct axvcpu *vcpu, struct run *run)
{
	bool answered = vcpu->answer_due;
	int next;

	vcpu->stats.runs++;
	if (answered) {
		vcpu->answer_due = false;
		axvcpu_arch.complete(vcpu);
	}
	if (unlikely(vmm_wants_out(vcpu)))
		return leave_at_once(vcpu, run, answered);
	if (unlikely(vcpu->halted)) {
		next = go_on_waiting(vcpu, run);
		if (next != AXVCPU_NEXT_ENTER)
			return next;
	}
	return run_sections(vcpu, run);
}

static __always_inline int run_locked(struct axvcpu *vcpu, unsigned long flags)
{
	struct run run = { .flags = flags };
	int ret;

	/* A thread that is not nested now is not so later, on whatever CPU. */
	if (unlikely(axvcpu_nested()))
		return -EDEADLK;
	if (unlikely(vcpu->aspace && !axvcpu_aspace_is_ours(vcpu->aspace)))
		return -EIO;
	ret = axvcpu_state_running(vcpu);
	if (ret)
		return ret;
	ret = do_run(vcpu, &run);
	if (unlikely(ret < 0))
		return axvcpu_state_failed(vcpu, ret);
	publish(vcpu, &run);
	return axvcpu_state_ran(vcpu) ?: run.error;
}

#ifdef AXVCPU_KUNIT
/* axvcpu_run() for who holds the lock */
int axvcpu_run_locked(struct axvcpu *vcpu, unsigned long flags)
{
	return run_locked(vcpu, flags);
}
#endif

static noinline int wait_for_vcpu(struct axvcpu *vcpu, unsigned long flags)
{
	return flags & AXVCPU_RUN_NOWAIT ? -EBUSY : mutex_lock_interruptible(&vcpu->mutex);
}

/**
 * axvcpu_run() - run the guest until the VMM is needed
 * @vcpu: the vCPU
 * @flags: ``AXVCPU_RUN_*``
 *
 * Context: process context; takes &struct axvcpu.mutex.
 * Return: 0: the run page tells why. The vCPU is Ready after -EINTR (signal,
 * kick, immediate_exit), -EXDEV (this CPU is not for this vCPU), -ENOMEM, and
 * unchanged after -EINVAL (no such flag), -EBUSY (AXVCPU_RUN_NOWAIT), -EIO (an
 * address space of another process) and -EDEADLK; it is Invalid after any other.
 * Source: AxVCpu::run.
 */
int axvcpu_run(struct axvcpu *vcpu, unsigned long flags)
{
	int ret;

	if (unlikely(flags & ~(unsigned long)AXVCPU_RUN_FLAGS))
		return -EINVAL;
	if (unlikely(!mutex_trylock(&vcpu->mutex))) {
		ret = wait_for_vcpu(vcpu, flags);
		if (ret)
			return ret;
	}
	ret = run_locked(vcpu, flags);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * axvcpu_poke() - make the run loop look at its requests and events again
 * @vcpu: the vCPU; the caller has made its wish visible, in any store
 *
 * A guest exits, a halted one is woken; if neither is there, the next entry
 * looks anyway. No interrupt is sent in vain.
 *
 * Context: any thread, interrupts on.
 */
void axvcpu_poke(struct axvcpu *vcpu)
{
	int cpu;

	preempt_disable();
	/* The wish before guest_cpu; pairs with begin_entry(). */
	smp_mb();
	cpu = READ_ONCE(vcpu->guest_cpu);
	if (cpu >= 0 && cpu != smp_processor_id() && cpu_online(cpu))
		axvcpu_arch.kick_cpu(cpu);
	preempt_enable();

	if (wq_has_sleeper(&vcpu->wait))
		wake_up_interruptible(&vcpu->wait);
}

/**
 * axvcpu_kick() - make RUN return -EINTR, the one under way or the next
 * @vcpu: the vCPU
 *
 * Context: any thread, interrupts on.
 */
void axvcpu_kick(struct axvcpu *vcpu)
{
	atomic64_inc(&vcpu->kicks);
	trace_axvcpu_kick(vcpu);
	set_bit(AXVCPU_REQ_KICK, &vcpu->requests);
	axvcpu_poke(vcpu);
}
