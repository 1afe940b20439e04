// SPDX-License-Identifier: GPL-2.0-only
/* What is measured. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/axvcpu.h>

#include "bench.h"

/**
 * run_program() - a program that makes one exit to userspace, at its end
 * @vm: the machine
 * @program: which
 * @arg0: its first argument
 * @arg1: its second argument
 * @ticks: what it took
 *
 * Return: 0 or a negative errno.
 */
int run_program(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1,
		uint64_t *ticks)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, program, arg0, arg1);
	if (err)
		return err;
	began = now();
	err = vm_run_to_exit(vm);
	*ticks = now() - began;
	return err;
}

/* The same loop without the exits is taken off. */
static int kernel_exit(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t with, without;
	int err;

	err = run_program(vm, PROGRAM_KERNEL_EXIT, rounds, 0, &with);
	if (!err)
		err = run_program(vm, PROGRAM_EMPTY, rounds, 0, &without);
	if (!err)
		*cost = (double)(with - without) / rounds;
	return err;
}

static int user_exit(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, PROGRAM_USER_EXIT, 0, 0);
	if (!err)
		err = vm_run_to_exit(vm);
	if (err)
		return err;
	began = now();
	for (unsigned int i = 0; i < rounds; i++) {
		*vm->answer = i;
		err = vm_run_to_exit(vm);
		if (err)
			return err;
	}
	*cost = (double)(now() - began) / rounds;
	return 0;
}

/* axvcpu alone: KVM makes a fault of an MSR that it does not know. */
static int sysreg_exit(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, PROGRAM_SYSREG, 0, 0);
	if (!err)
		err = vm_run(vm);
	began = now();
	for (unsigned int i = 0; i < rounds && !err; i++)
		err = vm_run(vm) ?: *vm->exit_reason == AXVCPU_EXIT_SYSREG_READ ? 0 : -EPROTO;
	*cost = (double)(now() - began) / rounds;
	return err;
}

static int immediate_exit(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, PROGRAM_USER_EXIT, 0, 0);
	if (!err)
		err = vm_run_to_exit(vm);
	if (err)
		return err;
	*vm->immediate_exit = 1;
	vm_run(vm);
	began = now();
	for (unsigned int i = 0; i < rounds; i++) {
		if (vm_run(vm) != -EINTR) {
			err = -EPROTO;
			break;
		}
	}
	*cost = (double)(now() - began) / rounds;
	*vm->immediate_exit = 0;
	return err;
}

/* The guest touches pages that it has not touched before. */
static int fill(struct vm *vm, unsigned int pages, bool fresh, double *cost)
{
	uint64_t with, without;
	size_t size = pages * PAGE;
	uint8_t *mem = vm->mem + GUEST_DATA;
	int err;

	/* Whatever the tables have of it, this takes out. */
	if (madvise(mem, size, MADV_DONTNEED))
		return -errno;
	if (!fresh)
		touch(mem, size);
	err = run_program(vm, PROGRAM_TOUCH, pages, GUEST_DATA, &with);
	if (!err)
		err = run_program(vm, PROGRAM_TOUCH, pages, GUEST_DATA, &without);
	if (!err)
		*cost = (double)(with - without) / pages;
	return err;
}

static int fill_present(struct vm *vm, unsigned int rounds, double *cost)
{
	return fill(vm, rounds, false, cost);
}

static int fill_fresh(struct vm *vm, unsigned int rounds, double *cost)
{
	return fill(vm, rounds, true, cost);
}

static int live_once(const struct hypervisor *hv, uint8_t *mem, size_t size)
{
	struct vm vm = { .hv = hv, .mem = mem, .size = size, .plain = true };
	int err;

	err = hv->open(&vm);
	if (!err)
		err = hv->start(&vm, PROGRAM_USER_EXIT, 0, 0);
	if (!err)
		err = vm_run_to_exit(&vm);
	hv->close(&vm);
	return err;
}

/* Memory, and what the guest needs in it, are there before. */
static int life(struct vm *vm, unsigned int rounds, bool wall, double *cost)
{
	uint64_t began = wall ? now() : process_ticks(&clock_check), ended;
	int err = 0;

	for (unsigned int i = 0; i < rounds && !err; i++)
		err = live_once(vm->hv, vm->mem, vm->size);
	ended = wall ? now() : process_ticks(&clock_check);
	*cost = (double)(ended - began) / rounds;
	return err;
}

static int life_cpu(struct vm *vm, unsigned int rounds, double *cost)
{
	return life(vm, rounds, false, cost);
}

static int life_wall(struct vm *vm, unsigned int rounds, double *cost)
{
	return life(vm, rounds, true, cost);
}

/* From the call that queues it to the exit that the handler makes. */
static int interrupt(struct vm *vm, unsigned int rounds, double *cost)
{
	uint64_t began, ticks = 0;
	int err;

	err = vm->hv->start(vm, PROGRAM_INTERRUPTS, 0, 0);
	if (!err)
		err = vm_run_to_exit(vm);
	for (unsigned int i = 0; i < rounds && !err; i++) {
		began = now();
		err = vm->hv->interrupt(vm, true);
		if (!err)
			err = vm_run_to_exit(vm);
		ticks += now() - began;
		/* The handler returns, and the program goes on. */
		if (!err)
			err = vm->hv->interrupt(vm, false);
		if (!err)
			err = vm_run_to_exit(vm);
	}
	*cost = (double)ticks / rounds;
	return err;
}

#ifdef __aarch64__
#define IS_VHE	1
#else
#define IS_VHE	0
#endif
#define EITHER(vmx, vhe)	(IS_VHE ? (vhe) : (vmx))

const struct row rows[] = {
	{ "kernel-exit", "exit handled in the kernel", 0.33, 10000, 2000,
	  .is_exit = true, .batch = kernel_exit, .floor = floor_switch },
	{ "user-exit", "exit to userspace and back", 0.33, 10000, 2000,
	  .is_exit = true, .batch = user_exit, .floor = floor_call_and_switch },
	{ "sysreg-exit", "unknown system register, of an exit", 1.12, 10000, 2000,
	  .is_exit = true, .batch = sysreg_exit, .of = user_exit },
	{ "immediate-exit", "RUN that returns at once", EITHER(0.50, 0.25), 10000, 2000,
	  .batch = immediate_exit, .floor = floor_ioctl },
	{ "fill-present", "fill of a page, host memory present", 0.05, 4096, 1024,
	  .batch = fill_present, .floor = floor_fill },
	{ "fill-fresh", "fill of a page, host memory fresh", 0.60, 4096, 1024,
	  .batch = fill_fresh, .floor = floor_fresh },
	{ "fault", "fault of one page, host memory present", 1.00, 320, 64,
	  .batch = measure_fault },
	{ "fault-beside", "the same beside mmap(), of that beside a loop", 1.10, 320, 64,
	  .cpus = 2, .batch = measure_fault_mapping, .of = measure_fault_busy },
	{ "life-cpu", "life of a VM, CPU time", EITHER(0.12, 0.20), 100, 20,
	  .bare = true, .batch = life_cpu, .floor = floor_life },
	{ "life-wall", "life of a VM, wall time", EITHER(0.05, 0.20), 20, 5,
	  .bare = true, .batch = life_wall, .floor = floor_life },
	{ "interrupt", "injected interrupt to its handler", 0.50, 10000, 2000,
	  .batch = interrupt, .floor = floor_interrupt },
	{ "get-one", "a register, read", 1.00, 10000, 500, .batch = measure_get_one },
	{ "set-one", "a register, written", 1.00, 10000, 500, .batch = measure_set_one },
	{ "get-some", "14 registers, read", 1.00, 5000, 200, .batch = measure_get_some },
	{ "set-some", "14 registers, written", 1.00, 5000, 200, .batch = measure_set_some },
	{ "get-all", "all registers, read", 1.00, 200, 20, .batch = measure_get_all },
	{ "set-all", "all registers, written", 1.00, 200, 20, .batch = measure_set_all },
	{ "keep-state", "the whole state, kept", 1.00, 5000, 200, .batch = measure_keep_state },
	{ "restore-state", "the whole state, put back", 1.00, 5000, 200,
	  .limit = EITHER(2000, 0), .batch = measure_restore_state },
	{ "kick", "kick by a thread to RUN's return", 0.60, EITHER(1000, 50), EITHER(200, 20),
	  .cpus = 2, .batch = measure_kick },
	{ "memory", "kernel memory, 64 MiB touched, KiB", 0.50, 2, 1,
	  .bare = true, .batch = measure_memory, .floor = memory_floor,
	  .known = EITHER(0, 0.84) },
	{ "memory-huge", "the same, in huge pages, KiB", 0.50, 2, 1,
	  .bare = true, .batch = measure_memory_huge, .floor = memory_huge_floor },
};

const size_t nr_rows = ARRAY_SIZE(rows);
