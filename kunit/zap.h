/* SPDX-License-Identifier: GPL-2.0-only */
/* In axvcpu_zap.c, somebody wants the CPU whenever a test says so, and the test looks then. */
#ifndef _AXVCPU_KUNIT_ZAP_H
#define _AXVCPU_KUNIT_ZAP_H

#include <linux/sched.h>

/** axvcpu_kunit_give_way - called while the lock is dropped; NULL: nobody wants the CPU */
extern void (*axvcpu_kunit_give_way)(void);

#define need_resched()	(READ_ONCE(axvcpu_kunit_give_way) || tif_need_resched())

#undef cond_resched_lock
#define cond_resched_lock(lock)					\
({								\
	spinlock_t *__lock = (lock);				\
								\
	spin_unlock(__lock);					\
	if (READ_ONCE(axvcpu_kunit_give_way))			\
		axvcpu_kunit_give_way();			\
	cond_resched();						\
	spin_lock(__lock);					\
	1;							\
})

#endif /* _AXVCPU_KUNIT_ZAP_H */
