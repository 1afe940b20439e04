// SPDX-License-Identifier: GPL-2.0-only
/* Counts ten interrupts of axvmm's timer (--timer), halted in between. */
#include "guest.h"

#define VECTOR	32
#define TICKS	10

static volatile unsigned long ticks;

static void on_tick(void)
{
	ticks++;
}

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	unsigned long seen = 0;

	(void)index;
	(void)cpus;
	(void)memory;
	enable_interrupt(VECTOR, on_tick);
	while (seen < TICKS) {
		wait_for_interrupt();
		/* On a host that is busy, more than one may have come. */
		while (seen < ticks && seen < TICKS) {
			print("tick ");
			print_number(++seen);
			print("\n");
		}
	}
	return 0;
}
