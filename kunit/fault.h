/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The KUnit build includes this before axvcpu_fault.c: a test can have the host
 * change its memory between a look at it and what comes of the look.
 */
#ifndef _AXVCPU_KUNIT_FAULT_H
#define _AXVCPU_KUNIT_FAULT_H

#include <linux/mmu_notifier.h>

extern unsigned int axvcpu_kunit_stale_looks;

static inline bool axvcpu_kunit_read_retry(struct mmu_interval_notifier *notifier,
					   unsigned long seq)
{
	if (!axvcpu_kunit_stale_looks)
		return mmu_interval_read_retry(notifier, seq);
	axvcpu_kunit_stale_looks--;
	return true;
}

#define mmu_interval_read_retry	axvcpu_kunit_read_retry

#endif /* _AXVCPU_KUNIT_FAULT_H */
