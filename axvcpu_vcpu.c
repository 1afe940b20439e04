// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU: made, set up, bound, looked at, ended. */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "axvcpu_arch.h"
#include "axvcpu_aspace.h"
#include "axvcpu_compat.h"
#include "axvcpu_percpu.h"
#include "axvcpu_regs.h"
#include "axvcpu_run.h"
#include "axvcpu_state.h"
#include "axvcpu_trace.h"
#include "axvcpu_vcpu.h"

static bool raw_root;
module_param(raw_root, bool, 0444);
MODULE_PARM_DESC(raw_root, "Allow AXVCPU_SETUP_RAW_ROOT, which hands out all of memory (default: off)");

static bool raw_root_allowed(void)
{
	return raw_root && capable(CAP_SYS_RAWIO) && !security_locked_down(LOCKDOWN_DEV_MEM);
}

/**
 * axvcpu_raw_root_enabled() - did the administrator allow raw roots?
 *
 * Return: the module parameter.
 */
bool axvcpu_raw_root_enabled(void)
{
	return raw_root;
}

static int vcpu_init(struct axvcpu *vcpu, const struct axvcpu_create_vcpu *args,
		     const struct cpumask *cpus)
{
	vcpu->favor_cpu = args->favor_phys_cpu;
	vcpu->run = axvcpu_alloc_page(vcpu, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vcpu->run)
		return -ENOMEM;
	if (!alloc_cpumask_var(&vcpu->cpus, GFP_KERNEL_ACCOUNT)) {
		free_page((unsigned long)vcpu->run);
		return -ENOMEM;
	}
	cpumask_copy(vcpu->cpus, cpus);
	vcpu->vm_id = args->vm_id;
	vcpu->vcpu_id = args->vcpu_id;
	vcpu->bound_cpu = -1;
	vcpu->last_cpu = -1;
	vcpu->guest_cpu = -1;
	init_waitqueue_head(&vcpu->wait);
	axvcpu_state_init(vcpu);
	return 0;
}

static void vcpu_free(struct axvcpu *vcpu)
{
	free_cpumask_var(vcpu->cpus);
	free_page((unsigned long)vcpu->run);
	mutex_destroy(&vcpu->mutex);
	kfree(vcpu);
}

/**
 * axvcpu_vcpu_create() - a new vCPU, Created
 * @args: checked
 * @cpus: CPUs that it may run on
 *
 * Turns virtualization on when it is the first one.
 *
 * Context: process context.
 * Return: the vCPU, or ERR_PTR(): -EBUSY, -ENOMEM, -EINVAL.
 * Source: AxVCpu::new.
 */
struct axvcpu *axvcpu_vcpu_create(const struct axvcpu_create_vcpu *args, const struct cpumask *cpus)
{
	struct axvcpu *vcpu;
	int ret;

	vcpu = kzalloc_node(axvcpu_arch.vcpu_size, GFP_KERNEL_ACCOUNT,
			    axvcpu_home_node(args->favor_phys_cpu));
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	ret = vcpu_init(vcpu, args, cpus);
	if (ret) {
		kfree(vcpu);
		return ERR_PTR(ret);
	}
	ret = axvcpu_hw_get();
	if (ret)
		goto err_free;
	ret = axvcpu_arch.vcpu_create(vcpu, &args->config);
	if (ret)
		goto err_hw;
	return vcpu;

err_hw:
	axvcpu_hw_put();
err_free:
	vcpu_free(vcpu);
	return ERR_PTR(ret);
}

/**
 * axvcpu_vcpu_destroy() - end a vCPU, in whatever state
 * @vcpu: nobody else uses it any more
 *
 * Context: process context, of any process.
 */
void axvcpu_vcpu_destroy(struct axvcpu *vcpu)
{
	axvcpu_forget_state(vcpu);
	axvcpu_arch.vcpu_destroy(vcpu);
	if (vcpu->aspace)
		axvcpu_aspace_put(vcpu->aspace);
	axvcpu_hw_put();
	vcpu_free(vcpu);
}

/* What is wrong with the call, not with the transition */
static int check_raw_root(u32 flags, u64 hpa, s32 aspace_fd)
{
	if (flags & AXVCPU_SETUP_RAW_ROOT) {
		if (aspace_fd != -1)
			return -EINVAL;
		return raw_root_allowed() ? 0 : -EPERM;
	}
	return hpa ? -EINVAL : 0;
}

/* The vCPU gets a reference of its own. */
static int arch_set_root(struct axvcpu *vcpu, struct axvcpu_aspace *aspace, u64 raw_root)
{
	int ret;

	if (!aspace)
		return axvcpu_arch.set_ept_root(vcpu, axvcpu_hpa(raw_root));
	ret = axvcpu_arch.set_ept_root(vcpu, axvcpu_aspace_root(aspace));
	if (!ret)
		vcpu->aspace = axvcpu_aspace_get(aspace);
	return ret;
}

static int arch_setup(struct axvcpu *vcpu, const struct axvcpu_setup *args,
		      struct axvcpu_aspace *aspace)
{
	int ret;

	if (!(args->flags & AXVCPU_SETUP_STEPPED)) {
		ret = axvcpu_arch.set_entry(vcpu, axvcpu_gpa(args->entry));
		if (ret)
			return ret;
		ret = arch_set_root(vcpu, aspace, args->raw_root);
		if (ret)
			return ret;
	}
	return axvcpu_hw_ready() ?: axvcpu_arch.setup(vcpu, &args->config);
}

static int do_setup(struct axvcpu *vcpu, const struct axvcpu_setup *args,
		    struct axvcpu_aspace *aspace)
{
	if (IS_ERR(aspace))
		return PTR_ERR(aspace);
	return axvcpu_with_current_cpu_set(vcpu, arch_setup(vcpu, args, aspace));
}

/**
 * axvcpu_setup() - entry, root and initial state: Created -> Free
 * @vcpu: the vCPU
 * @args: flags and reserved fields checked
 * @aspace: the address space behind its descriptor, or ERR_PTR(): what is wrong
 *	with that; NULL with %AXVCPU_SETUP_RAW_ROOT and %AXVCPU_SETUP_STEPPED
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0 or a negative errno; -EPERM and -EINVAL for a raw root that is
 * not allowed leave the vCPU alone.
 * Source: AxVCpu::setup.
 */
int axvcpu_setup(struct axvcpu *vcpu, const struct axvcpu_setup *args,
		 struct axvcpu_aspace *aspace)
{
	int ret;

	if (axvcpu_nested())
		return -EDEADLK;
	if (!(args->flags & AXVCPU_SETUP_STEPPED)) {
		ret = check_raw_root(args->flags, args->raw_root, args->aspace_fd);
		if (ret)
			return ret;
	}
	return axvcpu_with_state_transition(vcpu, AXVCPU_OP_SETUP, AXVCPU_STATE_CREATED,
					    AXVCPU_STATE_FREE, do_setup(vcpu, args, aspace));
}

/**
 * axvcpu_set_entry() - first step of a stepwise setup
 * @vcpu: the vCPU
 * @entry: guest-physical address of the first instruction
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0 or a negative errno.
 */
int axvcpu_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	return axvcpu_manipulate_arch_vcpu(vcpu, AXVCPU_OP_SET_ENTRY, AXVCPU_STATE_CREATED,
					   AXVCPU_STATE_CREATED,
					   axvcpu_arch.set_entry(vcpu, entry));
}

static int do_set_ept_root(struct axvcpu *vcpu, const struct axvcpu_set_ept_root *args,
			   struct axvcpu_aspace *aspace)
{
	if (IS_ERR(aspace))
		return PTR_ERR(aspace);
	return axvcpu_with_current_cpu_set(vcpu, arch_set_root(vcpu, aspace, args->raw_root));
}

/**
 * axvcpu_set_ept_root() - second step of a stepwise setup
 * @vcpu: the vCPU
 * @args: flags and reserved fields checked
 * @aspace: as for axvcpu_setup()
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0 or a negative errno, as axvcpu_setup().
 */
int axvcpu_set_ept_root(struct axvcpu *vcpu, const struct axvcpu_set_ept_root *args,
			struct axvcpu_aspace *aspace)
{
	int ret;

	if (axvcpu_nested())
		return -EDEADLK;
	ret = check_raw_root(args->flags, args->raw_root, args->aspace_fd);
	if (ret)
		return ret;
	return axvcpu_with_state_transition(vcpu, AXVCPU_OP_SET_EPT_ROOT, AXVCPU_STATE_CREATED,
					    AXVCPU_STATE_CREATED,
					    do_set_ept_root(vcpu, args, aspace));
}

static int arch_bind(struct axvcpu *vcpu, const struct axvcpu_bind *args)
{
	int ret;

	if (args->cpu >= 0 && !cpumask_test_cpu(args->cpu, vcpu->cpus))
		return -EINVAL;
	ret = axvcpu_arch.bind(vcpu);
	if (ret)
		return ret;
	WRITE_ONCE(vcpu->bound_cpu, args->cpu);
	return 0;
}

/**
 * axvcpu_bind() - Free -> Ready
 * @vcpu: the vCPU
 * @args: flags and reserved fields checked; cpu is -1 or a possible CPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0 or a negative errno; -EINVAL: the CPU is not in the vCPU's set.
 * Source: AxVCpu::bind.
 */
int axvcpu_bind(struct axvcpu *vcpu, const struct axvcpu_bind *args)
{
	return axvcpu_manipulate_arch_vcpu(vcpu, AXVCPU_OP_BIND, AXVCPU_STATE_FREE,
					   AXVCPU_STATE_READY, arch_bind(vcpu, args));
}

static int arch_unbind(struct axvcpu *vcpu)
{
	int ret = axvcpu_arch.unbind(vcpu);

	WRITE_ONCE(vcpu->bound_cpu, -1);
	WRITE_ONCE(vcpu->last_cpu, -1);
	return ret;
}

/**
 * axvcpu_unbind() - Ready -> Free
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0 or a negative errno.
 * Source: AxVCpu::unbind.
 */
int axvcpu_unbind(struct axvcpu *vcpu)
{
	return axvcpu_manipulate_arch_vcpu(vcpu, AXVCPU_OP_UNBIND, AXVCPU_STATE_READY,
					   AXVCPU_STATE_FREE, arch_unbind(vcpu));
}

static int arch_reset(struct axvcpu *vcpu, bool keep_machine)
{
	axvcpu_arch.reset(vcpu, keep_machine);
	return 0;
}

static int do_reset(struct axvcpu *vcpu, bool keep_machine)
{
	int ret = axvcpu_with_current_cpu_set(vcpu, arch_reset(vcpu, keep_machine));

	if (ret)
		return ret;
	if (vcpu->aspace)
		axvcpu_aspace_put(vcpu->aspace);
	vcpu->aspace = NULL;
	axvcpu_forget_state(vcpu);
	vcpu->answer_due = false;
	vcpu->halted = false;
	clear_bit(AXVCPU_REQ_KICK, &vcpu->requests);
	WRITE_ONCE(vcpu->bound_cpu, -1);
	WRITE_ONCE(vcpu->last_cpu, -1);
	memset(vcpu->run, 0, sizeof(*vcpu->run));
	return 0;
}

/**
 * axvcpu_reset() - Invalid or Free -> Created
 * @vcpu: the vCPU, in one of these states
 * @flags: ``AXVCPU_RESET_*``, checked
 *
 * Events, answers and registers are gone; statistics, the last failure and
 * the history stay.
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: 0, or -EDEADLK when nested.
 */
int axvcpu_reset(struct axvcpu *vcpu, unsigned long flags)
{
	if (axvcpu_nested())
		return -EDEADLK;
	return axvcpu_with_state_transition(vcpu, AXVCPU_OP_RESET, vcpu->state,
					    AXVCPU_STATE_CREATED,
					    do_reset(vcpu, flags & AXVCPU_RESET_KEEP_MACHINE));
}

/**
 * axvcpu_inject() - queue an event and see to it that the guest takes it
 * @vcpu: the vCPU
 * @event: flags and reserved fields checked
 *
 * Context: any thread; takes no lock.
 * Return: 0, or -EINVAL: there is no such event, -EBUSY: an exception is
 * queued already.
 * Source: AxVCpu::inject_interrupt.
 */
int axvcpu_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	int ret = axvcpu_arch.inject(vcpu, event);

	trace_axvcpu_inject(vcpu, event, ret);
	if (ret)
		return ret;
	atomic64_inc(&vcpu->injections);
	WRITE_ONCE(vcpu->queue_changed, true);
	axvcpu_poke(vcpu);
	return 0;
}

/**
 * axvcpu_withdraw() - take back an event that INJECT has queued
 * @vcpu: the vCPU
 * @event: its type and vector; all else is checked to be zero
 *
 * Context: any thread; may sleep, takes no lock for long.
 * Return: 0; -EINVAL: there is no such event; -ENOENT: it is not queued, or the guest has
 * it already; -EINTR: a signal.
 */
int axvcpu_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	int ret = axvcpu_arch.withdraw(vcpu, event);

	if (!ret)
		WRITE_ONCE(vcpu->queue_changed, true);
	return ret;
}

/* While the vCPU is in a section, when that began is taken off: the rest is negative. */
static u64 guest_ns(const struct axvcpu *vcpu)
{
	/* Read once, as its sign tells what it is. */
	u64 cycles = data_race(READ_ONCE(vcpu->guest_cycles));

	if ((s64)cycles < 0)
		cycles += axvcpu_cycles();
	/* CPUs' counters may be a little apart. */
	return axvcpu_arch.cycles_to_ns(max_t(s64, cycles, 0));
}

/**
 * axvcpu_get_stats() - statistics
 * @vcpu: the vCPU
 * @stats: written
 *
 * Context: any; figures of a running vCPU may be of slightly different moments.
 */
void axvcpu_get_stats(struct axvcpu *vcpu, struct axvcpu_stats *stats)
{
	unsigned int i;
	u64 handled;

	/* The thread inside RUN goes on counting, by additions that cost every exit the least. */
	data_race(memcpy(stats, &vcpu->stats, sizeof(*stats)));
	for (i = 0; i < AXVCPU_NR_HW_REASONS; i++) {
		/* As above. */
		handled = data_race(READ_ONCE(vcpu->handled[i]));
		stats->handled[axvcpu_arch.exit_classes[i]] += handled;
		stats->kernel_exits += handled;
	}
	stats->guest_ns = guest_ns(vcpu);
	stats->injections = atomic64_read(&vcpu->injections);
	stats->kicks = atomic64_read(&vcpu->kicks);
}
