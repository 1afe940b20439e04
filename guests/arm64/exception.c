// SPDX-License-Identifier: GPL-2.0-only
/* An exception with vectors where there is no memory, which ends the guest. */
#include "guest.h"

#define NOWHERE	0x80000000UL

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	(void)index;
	(void)cpus;
	if (memory > NOWHERE - MEMORY_BASE)
		return 1;
	print("Raising an exception that nothing can handle.\n");
	write_sysreg("vbar_el1", NOWHERE);
	asm volatile("udf #0");
	return 2;
}
