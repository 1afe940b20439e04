// SPDX-License-Identifier: GPL-2.0-only
/* Printing on axvmm's console. */
#include "guest.h"

void print(const char *text)
{
	while (*text)
		console_put(*text++);
}

static void print_in_base(unsigned long number, unsigned int base)
{
	char digits[3 * sizeof(number)];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	while (n)
		console_put(digits[--n]);
}

void print_number(unsigned long number)
{
	print_in_base(number, 10);
}

void print_hex(unsigned long number)
{
	print("0x");
	print_in_base(number, 16);
}
