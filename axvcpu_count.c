// SPDX-License-Identifier: GPL-2.0-only
/* The counting build's counts, in debugfs. */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "axvcpu_count.h"

DEFINE_PER_CPU(u64[AXVCPU_NR_COUNTS], axvcpu_counts);

static const char *const names[] = {
#define C(name)	#name,
	AXVCPU_COUNTED(C)
#undef C
};

static int counts_show(struct seq_file *m, void *v)
{
	unsigned int i;
	u64 sum;
	int cpu;

	for (i = 0; i < AXVCPU_NR_COUNTS; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += per_cpu(axvcpu_counts[i], cpu);
		seq_printf(m, "%s %llu\n", names[i], sum);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

/**
 * axvcpu_count_init() - make the file "counts"
 * @dir: the module's directory in debugfs
 *
 * Context: module load.
 */
void axvcpu_count_init(struct dentry *dir)
{
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
}
