// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's memory for a virtual machine: how much less is free while some
 * are there. The pages that their guests touch are the process's, and are there
 * before; all the machines have the same ones.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define TOUCHED		GUEST_DATA_MAX
#define MAX_VMS		8
#define HUGE_PAGE	(2UL << 20)

/* What CPUs keep at hand is free, too: "count: N" of each, in pages. */
static long free_pages(void)
{
	long total = 0, n, kib;
	char line[128];
	FILE *in;

	/* CPUs add up what they counted. */
	in = fopen("/proc/sys/vm/stat_refresh", "r");
	if (in) {
		while (fgets(line, sizeof(line), in))
			;
		fclose(in);
	}
	in = fopen("/proc/meminfo", "r");
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			total += kib * 1024 / sysconf(_SC_PAGESIZE);
	}
	if (in)
		fclose(in);
	in = fopen("/proc/zoneinfo", "r");
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, " count: %ld", &n) == 1)
			total += n;
	}
	if (in)
		fclose(in);
	return total;
}

/* What is freed behind a grace period is free then. */
static void settle(void)
{
	usleep(200000);
}

static int open_and_touch(struct vm *vm, const struct vm *like)
{
	int err;

	*vm = (struct vm){ .hv = like->hv, .mem = like->mem, .size = like->size };
	err = vm->hv->open(vm);
	if (!err)
		err = vm->hv->start(vm, PROGRAM_TOUCH, TOUCHED / PAGE, GUEST_DATA);
	return err ?: vm_run_to_exit(vm);
}

/**
 * measure_memory() - memory of the kernel for a machine
 * @vm: memory, of which the guest touches all
 * @rounds: machines at a time
 * @cost: KiB for one
 *
 * Return: 0 or a negative errno.
 */
int measure_memory(struct vm *vm, unsigned int rounds, double *cost)
{
	struct vm vms[MAX_VMS];
	long before, after;
	unsigned int made;
	int err = 0;

	touch(vm->mem + GUEST_DATA, TOUCHED);
	settle();
	before = free_pages();
	for (made = 0; made < rounds && made < MAX_VMS && !err; made++)
		err = open_and_touch(&vms[made], vm);
	settle();
	after = free_pages();
	*cost = (double)(before - after) * sysconf(_SC_PAGESIZE) / 1024 / made;
	while (made--)
		vm->hv->close(&vms[made]);
	return err;
}

#define NR_HUGE_PAGES	"/proc/sys/vm/nr_hugepages"

/* Those that the machine has anyway stay: 0 or a negative errno. */
static int add_huge_pages(long more)
{
	FILE *file = fopen(NR_HUGE_PAGES, "r+");
	long before = 0, after = 0;
	int err = 0;

	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &before) != 1)
		err = -EIO;
	rewind(file);
	if (!err && fprintf(file, "%ld\n", before + more) < 0)
		err = -EIO;
	rewind(file);
	if (!err && fscanf(file, "%ld", &after) != 1)
		err = -EIO;
	if (!err && after < before + more) {
		rewind(file);
		fprintf(file, "%ld\n", before);
		err = -ENOMEM;
	}
	return fclose(file) ? -errno : err;
}

/**
 * measure_memory_huge() - as measure_memory(), in huge pages
 * @vm: what the guest needs to run
 * @rounds: machines at a time
 * @cost: KiB for one
 *
 * Return: 0 or a negative errno.
 */
int measure_memory_huge(struct vm *vm, unsigned int rounds, double *cost)
{
	long pages = vm->size / HUGE_PAGE;
	struct vm huge = *vm;
	int err;

	err = add_huge_pages(pages);
	if (err)
		return err;
	huge.mem = mmap(NULL, vm->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge.mem == MAP_FAILED) {
		err = -errno;
	} else {
		memcpy(huge.mem, vm->mem, GUEST_DATA);
		err = measure_memory(&huge, rounds, cost);
		munmap(huge.mem, vm->size);
	}
	return add_huge_pages(-pages) ?: err;
}

/* The tables above those of pages, the run page, what the CPU keeps the vCPU in */
static unsigned int pages_of_machine(void)
{
	return 3 + 1 + pages_of_vcpu;
}

/**
 * memory_floor() - what the hardware must have
 * @vm: not used
 * @rounds: not used
 * @cost: KiB: a table of pages for each 2 MiB, three above, a page to tell what
 *	an exit was about, and what the CPU keeps the vCPU in
 *
 * Return: 0.
 */
int memory_floor(struct vm *vm, unsigned int rounds, double *cost)
{
	(void)vm;
	(void)rounds;
	*cost = (double)(TOUCHED / HUGE_PAGE + pages_of_machine()) * PAGE / 1024;
	return 0;
}

/**
 * memory_huge_floor() - the same without tables of pages
 * @vm: not used
 * @rounds: not used
 * @cost: KiB
 *
 * Return: 0.
 */
int memory_huge_floor(struct vm *vm, unsigned int rounds, double *cost)
{
	(void)vm;
	(void)rounds;
	*cost = (double)pages_of_machine() * PAGE / 1024;
	return 0;
}
