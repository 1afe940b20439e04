// SPDX-License-Identifier: GPL-2.0-only
/*
 * All vCPUs increment one counter, under a spin lock of their own making. The
 * counter is right only if memory and the lock's exchange are truly shared.
 */
#include "guest.h"

#define ROUNDS	200000UL

static unsigned int lock;
static unsigned long arrived;
static unsigned long finished;
static volatile unsigned long counter;

static void take_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
}

static void drop_lock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* Add one to @sum and wait until all have. */
static void meet(unsigned long *sum, unsigned long cpus)
{
	__atomic_add_fetch(sum, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(sum, __ATOMIC_SEQ_CST) < cpus)
		pause();
}

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	(void)memory;
	if (!index && start_others(cpus)) {
		print("The others don't start.\n");
		return 2;
	}
	meet(&arrived, cpus);
	for (unsigned long n = 0; n < ROUNDS; n++) {
		take_lock();
		counter++;
		drop_lock();
	}
	meet(&finished, cpus);

	if (index)
		stop();
	print_number(cpus);
	print(" vCPUs counted to ");
	print_number(counter);
	print(".\n");
	return counter == cpus * ROUNDS ? 0 : 1;
}
