// SPDX-License-Identifier: GPL-2.0-only
/* One page that the host has comes into the tables: alone, and beside another thread. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* Far enough from each other that no look around one finds the next */
#define STEP	(2UL << 20)

/**
 * measure_fault() - fault of a page that stands alone
 * @vm: the machine
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int measure_fault(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t with, without, gpa, ticks = 0;
	int err = 0;

	for (unsigned int i = 0; i < rounds && !err; i++) {
		gpa = GUEST_DATA + i * STEP % GUEST_DATA_MAX;
		/* Out of the tables, and of the host's; then the host has it again. */
		if (madvise(vm->mem + gpa, PAGE, MADV_DONTNEED))
			return -errno;
		vm->mem[gpa] = 1;
		err = run_program(vm, PROGRAM_TOUCH, 1, gpa, &with);
		if (!err)
			err = run_program(vm, PROGRAM_TOUCH, 1, gpa, &without);
		ticks += with - without;
	}
	*cost = (double)ticks / rounds;
	return err;
}

/* @maps: it maps and unmaps; else it is just busy. */
struct neighbour {
	pthread_t thread;
	bool maps;
	atomic_bool stop;
	atomic_bool begun;
};

static void *keep_busy(void *arg)
{
	struct neighbour *n = arg;
	void *mem;

	while (!atomic_load(&n->stop)) {
		atomic_store(&n->begun, true);
		if (!n->maps)
			continue;
		mem = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
		if (mem != MAP_FAILED)
			munmap(mem, 16 * PAGE);
	}
	return NULL;
}

static int measure_beside(struct vm *vm, unsigned int rounds, bool maps, double *cost)
{
	struct neighbour n = { .maps = maps };
	int err;

	err = -pthread_create(&n.thread, NULL, keep_busy, &n);
	if (err)
		return err;
	while (!atomic_load(&n.begun))
		usleep(1000);
	err = measure_fault(vm, rounds, cost);
	atomic_store(&n.stop, true);
	pthread_join(n.thread, NULL);
	return err;
}

/**
 * measure_fault_mapping() - the same, beside a thread that maps and unmaps elsewhere
 * @vm: the machine
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int measure_fault_mapping(struct vm *vm, unsigned int rounds, double *cost)
{
	return measure_beside(vm, rounds, true, cost);
}

/**
 * measure_fault_busy() - the same, beside a thread that does nothing of the kind
 * @vm: the machine
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int measure_fault_busy(struct vm *vm, unsigned int rounds, double *cost)
{
	return measure_beside(vm, rounds, false, cost);
}
