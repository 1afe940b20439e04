// SPDX-License-Identifier: GPL-2.0-only
/* The clock, figures, and a machine with a guest in it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

#define LOOPS		1000000
#define NS_PER_SEC	1000000000ULL

/* Two instructions a round. */
static void known_loop(uint64_t rounds)
{
#if defined(__x86_64__)
	asm volatile("1: dec %0; jnz 1b" : "+r" (rounds) : : "cc");
#elif defined(__aarch64__)
	asm volatile("1: subs %0, %0, #1; b.ne 1b" : "+r" (rounds) : : "cc");
#endif
}

static uint64_t read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/**
 * check_clock() - look what a tick of the clock is
 * @check: what was found
 *
 * The least of five: in the others the machine had other things to do, too.
 */
void check_clock(struct clock_check *check)
{
	uint64_t began, began_ns, ticks, best = UINT64_MAX;

	began = now();
	began_ns = read_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < 5; i++) {
		ticks = now();
		known_loop(LOOPS);
		ticks = now() - ticks;
		if (ticks < best)
			best = ticks;
	}
	check->ticks_per_ns = (double)(now() - began) / (read_ns(CLOCK_MONOTONIC) - began_ns);
	check->ticks_per_instruction = best / (2.0 * LOOPS);
}

/**
 * process_ticks() - CPU time of this process
 * @check: what check_clock() found
 *
 * Return: in ticks of the clock.
 */
uint64_t process_ticks(const struct clock_check *check)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID) * check->ticks_per_ns;
}

/**
 * figures_add() - take another one in
 * @figures: where; at most %MAX_FIGURES
 * @cost: the figure
 */
void figures_add(struct figures *figures, double cost)
{
	unsigned int n = figures->count++;

	for (; n && figures->cost[n - 1] > cost; n--)
		figures->cost[n] = figures->cost[n - 1];
	figures->cost[n] = cost;
}

/**
 * figures_median() - the one in the middle
 * @figures: the figures
 *
 * Return: the median, 0 of none.
 */
double figures_median(const struct figures *figures)
{
	unsigned int n = figures->count;

	if (!n)
		return 0;
	return (figures->cost[(n - 1) / 2] + figures->cost[n / 2]) / 2;
}

/**
 * figures_spread() - how far they lie apart
 * @figures: the figures
 *
 * Return: greatest less least, as a part of the median.
 */
double figures_spread(const struct figures *figures)
{
	double median = figures_median(figures);

	return median ? (figures->cost[figures->count - 1] - figures->cost[0]) / median : 0;
}

/**
 * touch() - have the host bring memory in
 * @mem: the memory
 * @size: bytes
 */
void touch(uint8_t *mem, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		*(volatile uint8_t *)(mem + at) = 1;
}

/**
 * vm_open() - make a machine
 * @vm: where
 * @hv: whose
 * @size: bytes of memory, of which the guest has what it needs to run
 *
 * Return: 0 or a negative errno; vm_close() is due in any case.
 */
int vm_open(struct vm *vm, const struct hypervisor *hv, size_t size)
{
	int err;

	vm->hv = hv;
	vm->size = size;
	vm->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mem == MAP_FAILED) {
		vm->mem = NULL;
		return -errno;
	}
	memcpy(vm->mem + GUEST_CODE, guest_image, guest_image_end - guest_image);
	err = guest_init_memory(vm->mem);
	return err ?: hv->open(vm);
}

/**
 * vm_close() - end a machine
 * @vm: the machine
 */
void vm_close(struct vm *vm)
{
	if (!vm->mem)
		return;
	vm->hv->close(vm);
	munmap(vm->mem, vm->size);
}
