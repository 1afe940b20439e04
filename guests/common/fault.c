// SPDX-License-Identifier: GPL-2.0-only
/* Writes where the guest has no memory, which ends it. */
#include "guest.h"

#define NOWHERE	0x20000000UL

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	(void)index;
	(void)cpus;
	if (NOWHERE - MEMORY_BASE < memory)
		return 1;
	print("Writing to ");
	print_hex(NOWHERE);
	print(".\n");
	*(volatile uint32_t *)NOWHERE = 1;
	print("It was written.\n");
	return 2;
}
