// SPDX-License-Identifier: GPL-2.0-only
/* An exception without an interrupt descriptor table: a triple fault. */
#include "guest.h"

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	(void)index;
	(void)cpus;
	(void)memory;
	print("Raising an exception that nothing can handle.\n");
	asm volatile("lidt %0; ud2" : : "m"(none));
	return 1;
}
