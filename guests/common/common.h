/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest written in C is and may call, on every architecture. Each
 * architecture's guest.h includes this, and has inline:
 *
 *	console_put()		print a byte
 *	pause()			in a loop that waits for another vCPU
 *	stop()			this vCPU has nothing more to do
 *	MEMORY_BASE		address of the first byte of memory
 */
#ifndef COMMON_H
#define COMMON_H

#include <stdint.h>

/*
 * guest_main() - what a guest does; the architecture's start calls it
 * @index: number of this vCPU
 * @cpus: number of vCPUs
 * @memory: bytes of memory, from MEMORY_BASE on
 *
 * Return: the exit code.
 */
int guest_main(unsigned long index, unsigned long cpus, unsigned long memory);

/* print.c */

void print(const char *text);
void print_number(unsigned long number);
void print_hex(unsigned long number);

/* The architecture's own */

/* Have @handler called, with interrupts off, when interrupt @vector comes. */
void enable_interrupt(unsigned int vector, void (*handler)(void));

/* Halt until an interrupt comes, and handle it. None comes in between. */
void wait_for_interrupt(void);

/* Let the vCPUs but this one, 0, enter guest_main(). Return: 0, or not. */
int start_others(unsigned long cpus);

#endif /* COMMON_H */
