// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock: a backend without hardware. It keeps the whole contract of struct
 * axvcpu_arch_ops, and complains where the common part does not.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "axvcpu_compat.h"
#include "axvcpu_mock.h"
#include "axvcpu_percpu.h"
#include "axvcpu_state.h"

#ifdef AXVCPU_KUNIT
axvcpu_mock_hook_fn axvcpu_mock_hooks[AXVCPU_MOCK_NR_OPS];
#endif

/**
 * struct mock_cpu - the mock's hardware on one CPU
 * @enabled: between cpu_enable and cpu_disable
 * @loaded: vCPU between load and put
 */
struct mock_cpu {
	bool enabled;
	struct axvcpu_mock *loaded;
};

static DEFINE_PER_CPU(struct mock_cpu, mock_cpus);

/* The contract of [C]: see struct axvcpu_arch_ops. */
static void assert_current(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_preemption_disabled();
	WARN_ON_ONCE(axvcpu_get_current() != vcpu);
}

static bool in_run(const struct axvcpu_mock *mock)
{
	return axvcpu_state(&mock->vcpu) == AXVCPU_STATE_RUNNING;
}

static void assert_loaded(struct axvcpu_mock *mock)
{
	assert_current(&mock->vcpu);
	WARN_ON_ONCE(this_cpu_read(mock_cpus.loaded) != mock);
}

/* --- the call log ----------------------------------------------------------- */

/* Returns the entry's number. */
static u64 log_call(struct axvcpu_mock *mock, enum axvcpu_call call, int result, u64 arg)
{
	struct axvcpu_call_entry *entry;
	unsigned long flags;
	u64 seq;

	raw_spin_lock_irqsave(&mock->log_lock, flags);
	entry = &mock->log[mock->log_total % AXVCPU_MOCK_LOG_LEN];
	seq = ++mock->log_total;
	entry->seq = seq;
	entry->call = call;
	entry->result = result;
	entry->arg = arg;
	raw_spin_unlock_irqrestore(&mock->log_lock, flags);
	return seq;
}

/* A RUN is one call in the log, however often it enters the guest; the last result counts. */
static void log_run(struct axvcpu_mock *mock)
{
	unsigned long flags;

	if (mock->logged_run != mock->vcpu.stats.runs) {
		mock->logged_run = mock->vcpu.stats.runs;
		mock->run_seq = log_call(mock, AXVCPU_CALL_RUN, mock->run_result, 0);
		return;
	}
	raw_spin_lock_irqsave(&mock->log_lock, flags);
	if (mock->log_total - mock->run_seq < AXVCPU_MOCK_LOG_LEN)
		mock->log[(mock->run_seq - 1) % AXVCPU_MOCK_LOG_LEN].result = mock->run_result;
	raw_spin_unlock_irqrestore(&mock->log_lock, flags);
}

/**
 * axvcpu_mock_calls() - the last calls into the backend, oldest first
 * @vcpu: the vCPU
 * @entries: room for @max
 * @max: of more calls the last ones are taken
 * @total: calls ever made
 *
 * Context: any.
 * Return: entries written.
 */
u32 axvcpu_mock_calls(struct axvcpu *vcpu, struct axvcpu_call_entry *entries, u32 max, u64 *total)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	unsigned long flags;
	u32 n, i;

	raw_spin_lock_irqsave(&mock->log_lock, flags);
	*total = mock->log_total;
	n = min3(*total, (u64)max, (u64)AXVCPU_MOCK_LOG_LEN);
	for (i = 0; i < n; i++)
		entries[i] = mock->log[(*total - n + i) % AXVCPU_MOCK_LOG_LEN];
	raw_spin_unlock_irqrestore(&mock->log_lock, flags);
	return n;
}

/* --- failures on demand ----------------------------------------------------- */

static bool config_is_valid(const u64 *raw, unsigned int len)
{
	const struct axvcpu_mock_setup_config *config = (const void *)raw;
	const unsigned int used = sizeof(*config) / sizeof(*raw);

	return !memchr_inv(raw + used, 0, (len - used) * sizeof(*raw)) && !config->reserved &&
	       config->fail_call <= AXVCPU_CALL_SET_REG &&
	       config->fail_call != AXVCPU_CALL_RESET &&
	       config->fail_error <= MAX_ERRNO && !config->fail_call == !config->fail_error;
}

static void set_config(struct axvcpu_mock *mock, const void *raw)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mock->log_lock, flags);
	memcpy(&mock->config, raw, sizeof(mock->config));
	raw_spin_unlock_irqrestore(&mock->log_lock, flags);
}

/* The error that this call was told to fail with, or 0. */
static u32 fail_error(struct axvcpu_mock *mock, enum axvcpu_call call)
{
	lockdep_assert_held(&mock->log_lock);
	if (mock->config.fail_call != call)
		return 0;
	if (!mock->config.fail_after)
		return mock->config.fail_error;
	mock->config.fail_after--;
	return 0;
}

static int injected(struct axvcpu_mock *mock, enum axvcpu_call call)
{
	unsigned long flags;
	u32 error;

	raw_spin_lock_irqsave(&mock->log_lock, flags);
	error = fail_error(mock, call);
	raw_spin_unlock_irqrestore(&mock->log_lock, flags);
	/* INJECT runs without the mutex, and its failure is not a transition's. */
	if (error && call != AXVCPU_CALL_INJECT)
		mock->vcpu.arch_code = error;
	return -(int)error;
}

/* --- module and CPUs -------------------------------------------------------- */

/* When the module was loaded, in both clocks. */
static u64 start_ns, start_cycles;

/* axvcpu_cycles() has no frequency that is known on every architecture. */
static u64 mock_cycles_to_ns(u64 cycles)
{
	u64 ns = ktime_get_ns() - start_ns;
	u64 elapsed = axvcpu_cycles() - start_cycles;

	return elapsed ? mul_u64_u64_div_u64(cycles, ns, elapsed) : 0;
}

static int mock_init(void)
{
	BUILD_BUG_ON(sizeof(struct axvcpu_mock_insn) != 16);
	start_ns = ktime_get_ns();
	start_cycles = axvcpu_cycles();
	axvcpu_mock_kick_init();
	return 0;
}

static void mock_exit(void)
{
	axvcpu_mock_kick_exit();
}

static void mock_kick_cpu(int cpu)
{
	lockdep_assert_preemption_disabled();
	axvcpu_mock_hook(AXVCPU_MOCK_KICK_CPU, NULL, cpu);
	axvcpu_mock_kick(cpu);
}

static int mock_cpu_enable(void)
{
	int ret;

	lockdep_assert_irqs_disabled();
	WARN_ON_ONCE(this_cpu_read(mock_cpus.enabled));
	ret = axvcpu_mock_hook(AXVCPU_MOCK_CPU_ENABLE, NULL, 0);
	if (ret)
		return ret;
	this_cpu_write(mock_cpus.enabled, true);
	return 0;
}

static void mock_cpu_disable(void)
{
	lockdep_assert_irqs_disabled();
	WARN_ON_ONCE(!this_cpu_read(mock_cpus.enabled));
	WARN_ON_ONCE(this_cpu_read(mock_cpus.loaded));
	axvcpu_mock_hook(AXVCPU_MOCK_CPU_DISABLE, NULL, 0);
	this_cpu_write(mock_cpus.enabled, false);
}

static u64 mock_caps(void)
{
	return AXVCPU_CAP_CALL_LOG | AXVCPU_CAP_HW_DIRTY;
}

/* --- the life of a vCPU ----------------------------------------------------- */

static int mock_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	if (!config_is_valid(config->raw, ARRAY_SIZE(config->raw)))
		return -EINVAL;
	ret = axvcpu_mock_hook(AXVCPU_MOCK_VCPU_CREATE, vcpu, 0);
	if (ret)
		return ret;

	raw_spin_lock_init(&mock->log_lock);
	set_config(mock, config->raw);
	mock->create_config = mock->config;
	ret = injected(mock, AXVCPU_CALL_NEW);
	log_call(mock, AXVCPU_CALL_NEW, ret, vcpu->vcpu_id);
	return ret;
}

static void mock_vcpu_destroy(struct axvcpu *vcpu)
{
}

static int mock_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	ret = axvcpu_mock_hook(AXVCPU_MOCK_SET_ENTRY, vcpu, entry.val);
	if (!ret)
		ret = injected(mock, AXVCPU_CALL_SET_ENTRY);
	if (!ret && mock->has_entry)
		ret = -EEXIST;
	if (!ret && (entry.val >> AXVCPU_MOCK_GPA_BITS ||
		     !IS_ALIGNED(entry.val, sizeof(struct axvcpu_mock_insn))))
		ret = -EINVAL;
	if (!ret) {
		mock->entry = entry;
		mock->has_entry = true;
	}
	log_call(mock, AXVCPU_CALL_SET_ENTRY, ret, entry.val);
	return ret;
}

static int mock_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	ret = axvcpu_mock_hook(AXVCPU_MOCK_SET_EPT_ROOT, vcpu, 0);
	if (!ret)
		ret = injected(mock, AXVCPU_CALL_SET_EPT_ROOT);
	if (!ret && mock->has_root)
		ret = -EEXIST;
	if (!ret && (!root.val || !PAGE_ALIGNED(root.val) || !axvcpu_mock_hpa_is_ram(root.val)))
		ret = -EINVAL;
	if (!ret) {
		mock->root = root;
		mock->has_root = true;
	}
	/* The address is the host's secret. */
	log_call(mock, AXVCPU_CALL_SET_EPT_ROOT, ret, 0);
	return ret;
}

static int do_setup(struct axvcpu_mock *mock, const union axvcpu_setup_config *config)
{
	int ret;

	ret = axvcpu_mock_hook(AXVCPU_MOCK_SETUP, &mock->vcpu, 0);
	if (ret)
		return ret;
	if (!config_is_valid(config->raw, ARRAY_SIZE(config->raw)))
		return -EINVAL;
	if (memchr_inv(config->raw, 0, sizeof(config->raw)))
		set_config(mock, config->raw);
	ret = injected(mock, AXVCPU_CALL_SETUP);
	if (ret)
		return ret;
	if (!mock->has_entry || !mock->has_root || mock->is_setup)
		return -EINVAL;

	mock->pc = mock->entry.val;
	mock->flags = 0;
	mock->is_setup = true;
	return 0;
}

static int mock_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	ret = do_setup(mock, config);
	log_call(mock, AXVCPU_CALL_SETUP, ret, 0);
	if (!ret) {
		WRITE_ONCE(vcpu->run->regs_dirty, 0);
		WRITE_ONCE(vcpu->run->regs.raw[AXVCPU_MOCK_PC], mock->pc);
		WRITE_ONCE(vcpu->run->regs.raw[AXVCPU_MOCK_FLAGS], mock->flags);
	}
	return ret;
}

static int mock_bind(struct axvcpu *vcpu)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	ret = axvcpu_mock_hook(AXVCPU_MOCK_BIND, vcpu, 0);
	if (!ret)
		ret = injected(mock, AXVCPU_CALL_BIND);
	if (!ret)
		mock->is_bound = true;
	log_call(mock, AXVCPU_CALL_BIND, ret, smp_processor_id());
	return ret;
}

static int mock_unbind(struct axvcpu *vcpu)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	ret = axvcpu_mock_hook(AXVCPU_MOCK_UNBIND, vcpu, 0);
	if (!ret)
		ret = injected(mock, AXVCPU_CALL_UNBIND);
	if (!ret)
		mock->is_bound = false;
	log_call(mock, AXVCPU_CALL_UNBIND, ret, smp_processor_id());
	return ret;
}

/*
 * What the TLB holds stays: forgetting it is up to @flush of enter. Nothing of the
 * mock is the machine's.
 */
static void mock_reset(struct axvcpu *vcpu, bool keep_machine)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);

	assert_current(vcpu);
	axvcpu_mock_hook(AXVCPU_MOCK_RESET, vcpu, 0);
	mock->has_entry = false;
	mock->has_root = false;
	mock->is_setup = false;
	mock->is_bound = false;
	mock->pc = 0;
	mock->flags = 0;
	mock->has_vector = false;
	mock->can_interrupt = false;
	memset(&mock->exit, 0, sizeof(mock->exit));
	axvcpu_mock_set_queue(mock, &(struct axvcpu_mock_queue){});
	memset(vcpu->run->regs.raw, 0, sizeof(vcpu->run->regs.raw));
	set_config(mock, &mock->create_config);
	log_call(mock, AXVCPU_CALL_RESET, 0, keep_machine);
}

/* --- running ---------------------------------------------------------------- */

static void take_dirty_regs(struct axvcpu_mock *mock)
{
	struct axvcpu_run *run = mock->vcpu.run;
	u32 dirty = READ_ONCE(run->regs_dirty);

	if (!dirty)
		return;
	WRITE_ONCE(run->regs_dirty, 0);
	if (!(dirty & ~AXVCPU_REGS_DONE))
		return;
	mock->pc = READ_ONCE(run->regs.raw[AXVCPU_MOCK_PC]);
	mock->flags = READ_ONCE(run->regs.raw[AXVCPU_MOCK_FLAGS]) & AXVCPU_MOCK_FLAG_IRQ;
}

static int mock_load(struct axvcpu *vcpu)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_current(vcpu);
	WARN_ON_ONCE(this_cpu_read(mock_cpus.loaded));
	ret = axvcpu_mock_hook(AXVCPU_MOCK_LOAD, vcpu, 0);
	if (ret)
		return ret;
	if (WARN_ON_ONCE(!this_cpu_read(mock_cpus.enabled)))
		return -EIO;
	this_cpu_write(mock_cpus.loaded, mock);
	if (in_run(mock))
		take_dirty_regs(mock);
	return 0;
}

static void mock_put(struct axvcpu *vcpu)
{
	assert_loaded(axvcpu_mock(vcpu));
	axvcpu_mock_hook(AXVCPU_MOCK_PUT, vcpu, 0);
	this_cpu_write(mock_cpus.loaded, NULL);
}

static void mock_complete(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	axvcpu_mock_hook(AXVCPU_MOCK_COMPLETE, vcpu, 0);
	axvcpu_mock_complete(axvcpu_mock(vcpu));
}

static int mock_enter(struct axvcpu *vcpu, bool flush)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	assert_loaded(mock);
	lockdep_assert_irqs_disabled();
	WARN_ON_ONCE(!in_run(mock));
	WARN_ON_ONCE(READ_ONCE(vcpu->guest_cpu) != smp_processor_id());

	ret = axvcpu_mock_hook(AXVCPU_MOCK_ENTER, vcpu, flush);
	/* SET_STATE makes a vCPU Ready that is not. */
	if (!ret && (!mock->is_setup || !mock->is_bound))
		ret = -EINVAL;
	if (!ret && mock->logged_run != vcpu->stats.runs)
		ret = injected(mock, AXVCPU_CALL_RUN);
	if (!ret)
		ret = axvcpu_mock_enter(mock, flush);
	mock->run_result = min(ret, 0);
	log_run(mock);
	return mock->run_result;
}

static int mock_handle_exit(struct axvcpu *vcpu)
{
	int ret;

	assert_loaded(axvcpu_mock(vcpu));
	ret = axvcpu_mock_hook(AXVCPU_MOCK_HANDLE_EXIT, vcpu, 0);
	return ret ? ret : axvcpu_mock_handle_exit(axvcpu_mock(vcpu));
}

static void mock_show_queue(struct axvcpu *vcpu)
{
	axvcpu_mock_show_queue(axvcpu_mock(vcpu));
}

static void mock_sync_regs(struct axvcpu *vcpu)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);

	assert_loaded(mock);
	WRITE_ONCE(vcpu->run->regs.raw[AXVCPU_MOCK_PC], mock->pc);
	WRITE_ONCE(vcpu->run->regs.raw[AXVCPU_MOCK_FLAGS], mock->flags);
	axvcpu_mock_show_queue(mock);
}

/* --- events and registers --------------------------------------------------- */

static bool mock_has_event(struct axvcpu *vcpu)
{
	return axvcpu_mock_has_event(axvcpu_mock(vcpu));
}

static bool mock_halt_is_masked(struct axvcpu *vcpu)
{
	return !axvcpu_mock(vcpu)->can_interrupt;
}

static int mock_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret;

	ret = axvcpu_mock_hook(AXVCPU_MOCK_INJECT, vcpu, event->vector);
	if (!ret)
		ret = injected(mock, AXVCPU_CALL_INJECT);
	if (!ret)
		ret = axvcpu_mock_queue(mock, event);
	log_call(mock, AXVCPU_CALL_INJECT, ret, event->vector);
	return ret;
}

static int mock_withdraw(struct axvcpu *vcpu, const struct axvcpu_inject *event)
{
	return axvcpu_mock_withdraw(axvcpu_mock(vcpu), event);
}

static int do_get_reg(struct axvcpu_mock *mock, u64 id, u64 *value)
{
	switch (id) {
	case AXVCPU_MOCK_REG(0) ... AXVCPU_MOCK_REG(15):
		*value = READ_ONCE(mock->vcpu.run->regs.raw[id - AXVCPU_MOCK_REG(0)]);
		return 0;
	case AXVCPU_MOCK_REG_PC:
		*value = mock->pc;
		return 0;
	case AXVCPU_MOCK_REG_FLAGS:
		*value = mock->flags;
		return 0;
	default:
		return -EINVAL;
	}
}

static int mock_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret = 0;
	u32 i;

	assert_loaded(mock);
	for (i = 0; i < count && !ret; i++) {
		ret = injected(mock, AXVCPU_CALL_GET_REG);
		if (!ret)
			ret = do_get_reg(mock, regs[i].id, &regs[i].value);
		log_call(mock, AXVCPU_CALL_GET_REG, ret, regs[i].id);
		if (ret)
			*refused = i;
	}
	return ret;
}

static int check_value(u64 id, u64 value)
{
	switch (id) {
	case AXVCPU_MOCK_REG(0) ... AXVCPU_MOCK_REG(15):
		return 0;
	case AXVCPU_MOCK_REG_PC:
		return IS_ALIGNED(value, sizeof(struct axvcpu_mock_insn)) ? 0 : -EINVAL;
	case AXVCPU_MOCK_REG_FLAGS:
		return value & ~AXVCPU_MOCK_FLAG_IRQ ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* The run page follows, so that regs_dirty does not bring old values back. */
static void set_reg(struct axvcpu_mock *mock, u64 id, u64 value)
{
	WRITE_ONCE(mock->vcpu.run->regs.raw[id - AXVCPU_MOCK_REG(0)], value);
	if (id == AXVCPU_MOCK_REG_PC)
		mock->pc = value;
	else if (id == AXVCPU_MOCK_REG_FLAGS)
		mock->flags = value;
}

/* Each phase is a call of its own in the log, its argument tells the register. */
static int mock_check_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	int ret = 0;
	u32 i;

	assert_loaded(mock);
	for (i = 0; i < count && !ret; i++) {
		ret = injected(mock, AXVCPU_CALL_SET_REG);
		if (!ret)
			ret = check_value(regs[i].id, regs[i].value);
		log_call(mock, AXVCPU_CALL_SET_REG, ret, regs[i].id);
		if (ret)
			*refused = i;
	}
	return ret;
}

static void mock_commit_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	u32 i;

	assert_loaded(mock);
	for (i = 0; i < count; i++) {
		set_reg(mock, regs[i].id, regs[i].value);
		log_call(mock, AXVCPU_CALL_SET_REG, 0, regs[i].id);
	}
}

static u32 mock_list_regs(struct axvcpu *vcpu, u64 *ids, u32 max)
{
	u32 i;

	for (i = 0; i < min_t(u32, max, AXVCPU_MOCK_NR_REGS); i++)
		ids[i] = AXVCPU_MOCK_REG(i);
	return AXVCPU_MOCK_NR_REGS;
}

static size_t mock_kept_size(void)
{
	return sizeof(struct axvcpu_mock_kept);
}

static void mock_keep(struct axvcpu *vcpu, void *to)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	struct axvcpu_mock_kept *kept = to;

	assert_loaded(mock);
	memcpy(kept->regs, vcpu->run->regs.raw, sizeof(kept->regs));
	kept->pc = mock->pc;
	kept->flags = mock->flags;
	kept->vector_pc = mock->vector_pc;
	kept->has_vector = mock->has_vector;
	kept->exit = mock->exit;
	kept->can_interrupt = mock->can_interrupt;
	axvcpu_mock_get_queue(mock, &kept->queue);
}

static void mock_restore(struct axvcpu *vcpu, const void *from, bool time)
{
	struct axvcpu_mock *mock = axvcpu_mock(vcpu);
	const struct axvcpu_mock_kept *kept = from;

	assert_loaded(mock);
	memcpy(vcpu->run->regs.raw, kept->regs, sizeof(kept->regs));
	mock->pc = kept->pc;
	mock->flags = kept->flags;
	mock->vector_pc = kept->vector_pc;
	mock->has_vector = kept->has_vector;
	mock->exit = kept->exit;
	WRITE_ONCE(mock->can_interrupt, kept->can_interrupt);
	axvcpu_mock_set_queue(mock, &kept->queue);
	mock_sync_regs(vcpu);
}

/* By the exit's reason, which is the mock's own */
static const u8 exit_classes[AXVCPU_NR_HW_REASONS] = {
	[AXVCPU_EXIT_EXTERNAL_INTERRUPT] = AXVCPU_CLASS_INTERRUPT,
	[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= AXVCPU_CLASS_MEMORY,
	[AXVCPU_EXIT_HALT]		= AXVCPU_CLASS_HALT,
};

const struct axvcpu_arch_ops axvcpu_arch = {
	.name = "mock",
	.backend = AXVCPU_BACKEND_MOCK,
	.vcpu_size = sizeof(struct axvcpu_mock),
	.s2 = &axvcpu_mock_s2_format,
	.exit_classes = exit_classes,
	.caps = mock_caps,
	.init = mock_init,
	.exit = mock_exit,
	.cpu_enable = mock_cpu_enable,
	.cpu_disable = mock_cpu_disable,
	.vcpu_create = mock_vcpu_create,
	.vcpu_destroy = mock_vcpu_destroy,
	.set_entry = mock_set_entry,
	.set_ept_root = mock_set_ept_root,
	.setup = mock_setup,
	.bind = mock_bind,
	.unbind = mock_unbind,
	.reset = mock_reset,
	.load = mock_load,
	.put = mock_put,
	.complete = mock_complete,
	.enter = mock_enter,
	.handle_exit = mock_handle_exit,
	.sync_regs = mock_sync_regs,
	.show_queue = mock_show_queue,
	.has_event = mock_has_event,
	.halt_is_masked = mock_halt_is_masked,
	.inject = mock_inject,
	.withdraw = mock_withdraw,
	.kick_cpu = mock_kick_cpu,
	.get_regs = mock_get_regs,
	.check_regs = mock_check_regs,
	.commit_regs = mock_commit_regs,
	.list_regs = mock_list_regs,
	.kept_size = mock_kept_size,
	.keep = mock_keep,
	.restore = mock_restore,
	.cycles_to_ns = mock_cycles_to_ns,
	.get_call_log = axvcpu_mock_calls,
};
