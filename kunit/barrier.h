/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The KUnit build includes this before axvcpu_run.c: what stands on one side of
 * a memory barrier there, and what on the other, can be told then.
 *
 * Whether a barrier is missing shows in its effects only where the hardware
 * reorders, and then rarely: on x86 a load would have to overtake a store in the
 * nanoseconds that the store needs to reach the cache, and an emulator that runs
 * its CPUs in turn never shows it.
 */
#ifndef _AXVCPU_KUNIT_BARRIER_H
#define _AXVCPU_KUNIT_BARRIER_H

#include <asm/barrier.h>

extern void (*axvcpu_kunit_at_barrier)(void);

void axvcpu_kunit_barrier(void);

#undef smp_mb
#define smp_mb()	axvcpu_kunit_barrier() /* and a barrier, too */

#endif /* _AXVCPU_KUNIT_BARRIER_H */
