// SPDX-License-Identifier: GPL-2.0-only
/* Counts ten interrupts of axvmm's timer (--timer), halted in between. */
#include "guest.h"

#define VECTOR	32
#define TICKS	10

static volatile unsigned long ticks;

__attribute__((interrupt))
static void on_tick(struct interrupt_frame *frame)
{
	(void)frame;
	ticks++;
}

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	unsigned long seen = 0;

	(void)index;
	(void)cpus;
	(void)memory;
	set_interrupt_gate(VECTOR, on_tick);
	while (seen < TICKS) {
		/* No interrupt comes between STI and HLT. */
		asm volatile("sti; hlt; cli" : : : "memory");
		if (ticks == seen)
			continue;
		seen = ticks;
		print("tick ");
		print_number(seen);
		print("\n");
	}
	return 0;
}
