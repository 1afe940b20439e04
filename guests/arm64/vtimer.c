// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts ten interrupts of the virtual timer, which the guest programs itself,
 * halted in between. None may come too early.
 */
#include "guest.h"

#define VECTOR		27
#define TICKS		10
#define PER_SECOND	100

#define CTL_ENABLE	1

static volatile unsigned long ticks;

static uint64_t now(void)
{
	asm volatile("isb");
	return read_sysreg("cntvct_el0");
}

/* The interrupt is asserted as long as the timer is behind: turn it off. */
static void on_tick(void)
{
	write_sysreg("cntv_ctl_el0", 0);
	ticks++;
}

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	uint64_t period = read_sysreg("cntfrq_el0") / PER_SECOND;

	(void)index;
	(void)cpus;
	(void)memory;
	enable_interrupt(VECTOR, on_tick);
	for (unsigned long n = 1; n <= TICKS; n++) {
		uint64_t due = now() + period;

		write_sysreg("cntv_cval_el0", due);
		write_sysreg("cntv_ctl_el0", CTL_ENABLE);
		while (ticks < n)
			wait_for_interrupt();
		if (now() < due) {
			print("too early\n");
			return 1;
		}
		print("tick ");
		print_number(n);
		print("\n");
	}
	return 0;
}
