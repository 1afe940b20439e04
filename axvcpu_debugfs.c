// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: all vCPUs in one file, so that making one costs a list entry and
 * not a directory.
 */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "axvcpu_count.h"
#include "axvcpu_debugfs.h"
#include "axvcpu_names.h"
#include "axvcpu_state.h"
#include "axvcpu_vcpu.h"

/* Protects the list; the vCPUs on it exist, but are not locked. */
static DEFINE_MUTEX(vcpus_mutex);
static LIST_HEAD(vcpus);
static struct dentry *dir;

#define NAME(value, name) [value] = name,
static const char *const state_names[] = { AXVCPU_STATE_NAMES(NAME, NAME) };
static const char *const op_names[] = { AXVCPU_OP_NAMES(NAME, NAME) };
static const char *const exit_names[AXVCPU_NR_EXITS] = { AXVCPU_EXIT_NAMES(NAME, NAME) };
static const char *const class_names[AXVCPU_NR_CLASSES] = { AXVCPU_CLASS_NAMES(NAME, NAME) };
#undef NAME

static void show_stats(struct seq_file *m, const struct axvcpu_stats *stats)
{
	unsigned int i;

	seq_printf(m, "  runs %llu entries %llu guest_ns %llu migrations %llu faults %llu\n",
		   stats->runs, stats->entries, stats->guest_ns, stats->migrations,
		   stats->faults);
	seq_printf(m, "  injections %llu kicks %llu kernel exits %llu interrupts %llu\n",
		   stats->injections, stats->kicks, stats->kernel_exits, stats->interrupts);
	seq_puts(m, "  exits by reason");
	for (i = 0; i < ARRAY_SIZE(stats->exits); i++)
		if (stats->exits[i])
			seq_printf(m, " %s:%llu", exit_names[i], stats->exits[i]);
	seq_puts(m, "\n  kernel exits by class");
	for (i = 0; i < ARRAY_SIZE(stats->handled); i++)
		if (stats->handled[i])
			seq_printf(m, " %s:%llu", class_names[i], stats->handled[i]);
	seq_putc(m, '\n');
}

static void show_failure(struct seq_file *m, const char *which,
			 const struct axvcpu_failure *failure)
{
	if (!failure->seq)
		return;
	seq_printf(m, "  %s %llu: %s expected %s actual %s error %d", which, failure->seq,
		   op_names[failure->op], state_names[failure->expected],
		   state_names[failure->actual], failure->error);
	seq_printf(m, " arch code %#llx reg %#llx tid %d\n", failure->arch_code, failure->reg,
		   failure->tid);
}

static void show_history(struct seq_file *m, struct axvcpu *vcpu)
{
	static struct axvcpu_history_entry entries[AXVCPU_HISTORY_LEN];
	const struct axvcpu_history_entry *e;
	u32 count, i;

	lockdep_assert_held(&vcpus_mutex);
	count = axvcpu_get_history(vcpu, entries, ARRAY_SIZE(entries));
	for (i = 0; i < count; i++) {
		e = &entries[i];
		seq_printf(m, "  #%llu %s %s -> %s error %d tid %d cpu %u time %llu repeat %llu\n",
			   e->seq, op_names[e->op], state_names[e->from], state_names[e->to],
			   e->error, e->tid, e->cpu, e->time_ns, e->repeat);
	}
}

static int vcpus_show(struct seq_file *m, void *v)
{
	struct axvcpu_state_info info;
	struct axvcpu_stats stats;
	struct axvcpu *vcpu;

	mutex_lock(&vcpus_mutex);
	list_for_each_entry(vcpu, &vcpus, link) {
		axvcpu_get_failure(vcpu, &info);
		axvcpu_get_stats(vcpu, &stats);
		seq_printf(m, "vm %u vcpu %u %s bound_cpu %d last_cpu %d\n", vcpu->vm_id,
			   vcpu->vcpu_id, state_names[info.state], READ_ONCE(vcpu->bound_cpu),
			   READ_ONCE(vcpu->last_cpu));
		show_failure(m, "cause", &info.cause);
		show_failure(m, "failure", &info.failure);
		show_stats(m, &stats);
		show_history(m, vcpu);
	}
	mutex_unlock(&vcpus_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

/**
 * axvcpu_debugfs_init() - make the file "vcpus"
 *
 * Context: module load. Without debugfs nothing is lost.
 */
void axvcpu_debugfs_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("vcpus", 0400, dir, NULL, &vcpus_fops);
	axvcpu_count_init(dir);
}

/**
 * axvcpu_debugfs_exit() - remove it
 *
 * Context: module unload.
 */
void axvcpu_debugfs_exit(void)
{
	debugfs_remove_recursive(dir);
}

/**
 * axvcpu_debugfs_add() - show a vCPU
 * @vcpu: complete
 *
 * Context: process context.
 */
void axvcpu_debugfs_add(struct axvcpu *vcpu)
{
	mutex_lock(&vcpus_mutex);
	list_add_tail(&vcpu->link, &vcpus);
	mutex_unlock(&vcpus_mutex);
}

/**
 * axvcpu_debugfs_del() - forget a vCPU
 * @vcpu: still complete
 *
 * Context: process context.
 */
void axvcpu_debugfs_del(struct axvcpu *vcpu)
{
	mutex_lock(&vcpus_mutex);
	list_del(&vcpu->link);
	mutex_unlock(&vcpus_mutex);
}
