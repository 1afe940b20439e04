// SPDX-License-Identifier: GPL-2.0-only
/* 32-bit protected mode: shows that it is, and how much memory there is. */
#include "guest.h"

#define CR0_PE	(1UL << 0)
#define CR0_PG	(1UL << 31)

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	unsigned long cr0;

	(void)index;
	(void)cpus;
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	if (!(cr0 & CR0_PE) || (cr0 & CR0_PG)) {
		print("CR0 is ");
		print_hex(cr0);
		print(".\n");
		return 1;
	}

	print("Hello from protected mode, with ");
	print_number(memory >> 20);
	print(" MiB of memory.\n");

	/* The last byte of memory is there. */
	*(volatile uint8_t *)(memory - 1) = 1;
	return 0;
}
