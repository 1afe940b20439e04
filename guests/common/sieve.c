// SPDX-License-Identifier: GPL-2.0-only
/*
 * The primes below a million by Eratosthenes' sieve. There are 78498, and their
 * sum is 37550402023.
 */
#include "guest.h"

#define LIMIT	1000000UL

static uint8_t composite[LIMIT];

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	unsigned long count = 0, sum = 0;

	(void)index;
	(void)cpus;
	(void)memory;
	for (unsigned long n = 2; n < LIMIT; n++) {
		if (composite[n])
			continue;
		count++;
		sum += n;
		for (unsigned long m = n * n; m < LIMIT; m += n)
			composite[m] = 1;
	}

	print_number(count);
	print(" primes below ");
	print_number(LIMIT);
	print(", their sum is ");
	print_number(sum);
	print(".\n");
	return 0;
}
