/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counting build, make module COUNT=1: instructions that cost more on
 * hardware than their number tells are counted, for make bench. Other builds
 * have nothing of it.
 */
#ifndef _AXVCPU_COUNT_H
#define _AXVCPU_COUNT_H

#include <linux/percpu.h>
#include <linux/types.h>

/* C(name): what is counted */
#define AXVCPU_COUNTED(C)	C(VMREAD) C(VMWRITE) C(INVEPT) C(RDMSR) C(WRMSR)

enum axvcpu_counted {
#define C(name)	AXVCPU_COUNT_##name,
	AXVCPU_COUNTED(C)
#undef C
	AXVCPU_NR_COUNTS,
};

#ifdef AXVCPU_COUNT
DECLARE_PER_CPU(u64[AXVCPU_NR_COUNTS], axvcpu_counts);
#define axvcpu_count(name)	this_cpu_inc(axvcpu_counts[AXVCPU_COUNT_##name])
struct dentry;
void axvcpu_count_init(struct dentry *dir);
#else
#define axvcpu_count(name)	do { } while (0)
#define axvcpu_count_init(dir)	do { } while (0)
#endif

#endif /* _AXVCPU_COUNT_H */
