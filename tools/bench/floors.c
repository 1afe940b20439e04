// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each row can't do without, whoever does it. Measured where the kernel
 * does the like of it anyway; counted where it is a matter of the architecture.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

/**
 * floor_ioctl() - a call that is refused at once
 * @vm: axvcpu's
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int floor_ioctl(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began = now();

	for (unsigned int i = 0; i < rounds; i++) {
		if (raw_ioctl(vm->fd, 0, 0) != -ENOTTY)
			return -EPROTO;
	}
	*cost = (double)(now() - began) / rounds;
	return 0;
}

/**
 * floor_switch() - the guest's registers in, the entry, the exit, registers out
 * @vm: not used
 * @rounds: not used
 * @cost: instructions
 *
 * Return: 0.
 */
int floor_switch(struct vm *vm, unsigned int rounds, double *cost)
{
	(void)vm;
	(void)rounds;
	*cost = switch_instructions;
	return 0;
}

/**
 * floor_call_and_switch() - one of each
 * @vm: axvcpu's
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int floor_call_and_switch(struct vm *vm, unsigned int rounds, double *cost)
{
	int err = floor_ioctl(vm, rounds, cost);

	*cost += switch_instructions;
	return err;
}

/**
 * floor_interrupt() - a call that queues, a call that runs
 * @vm: axvcpu's
 * @rounds: how many
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int floor_interrupt(struct vm *vm, unsigned int rounds, double *cost)
{
	int err = floor_ioctl(vm, rounds, cost);

	*cost = 2 * *cost + switch_instructions;
	return err;
}

/**
 * floor_fill() - a store into the table
 * @vm: not used
 * @rounds: not used
 * @cost: 1
 *
 * Return: 0.
 */
int floor_fill(struct vm *vm, unsigned int rounds, double *cost)
{
	(void)vm;
	(void)rounds;
	*cost = 1;
	return 0;
}

/**
 * floor_fresh() - a page of the host's own, brought in with many others
 * @vm: a machine
 * @rounds: pages
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int floor_fresh(struct vm *vm, unsigned int rounds, double *cost)
{
	size_t size = rounds * PAGE;
	uint64_t began;

	if (madvise(vm->mem + GUEST_DATA, size, MADV_DONTNEED))
		return -errno;
	began = now();
	if (madvise(vm->mem + GUEST_DATA, size, MADV_POPULATE_WRITE))
		return -errno;
	*cost = (double)(now() - began) / rounds;
	return 0;
}

/* What a VM has of them: a device, two anonymous files, one page mapped. */
static int descriptors(void)
{
	int device = open("/dev/null", O_RDWR | O_CLOEXEC);
	int aspace = eventfd(0, EFD_CLOEXEC);
	int vcpu = eventfd(0, EFD_CLOEXEC);
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err = device < 0 || aspace < 0 || vcpu < 0 || page == MAP_FAILED ? -errno : 0;

	munmap(page, PAGE);
	close(vcpu);
	close(aspace);
	close(device);
	return err;
}

/**
 * floor_life() - as many descriptors that do nothing
 * @vm: not used
 * @rounds: how many times
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int floor_life(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began = now();
	int err = 0;

	(void)vm;
	for (unsigned int i = 0; i < rounds && !err; i++)
		err = descriptors();
	*cost = (double)(now() - began) / rounds;
	return err;
}
