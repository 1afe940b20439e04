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

/* C(name): what is counted, x86's and arm64's; SYSREG: MRS and MSR together */
#define AXVCPU_COUNTED(C)						\
	C(VMREAD) C(VMWRITE) C(INVEPT) C(RDMSR) C(WRMSR)		\
	C(SYSREG) C(TLBI)

enum axvcpu_counted {
#define C(name)	AXVCPU_COUNT_##name,
	AXVCPU_COUNTED(C)
#undef C
	AXVCPU_NR_COUNTS,
};

#ifdef AXVCPU_COUNT
DECLARE_PER_CPU(u64[AXVCPU_NR_COUNTS], axvcpu_counts);
#define axvcpu_count_many(name, n)	this_cpu_add(axvcpu_counts[AXVCPU_COUNT_##name], n)
struct dentry;
void axvcpu_count_init(struct dentry *dir);
#else
#define axvcpu_count_many(name, n)	do { } while (0)
#define axvcpu_count_init(dir)	do { } while (0)
#endif

#define axvcpu_count(name)	axvcpu_count_many(name, 1)

#endif /* _AXVCPU_COUNT_H */
