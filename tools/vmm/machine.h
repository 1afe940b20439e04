/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that a guest runs in: memory, vCPUs and their threads. */
#ifndef AXVMM_MACHINE_H
#define AXVMM_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>

#include <libaxvcpu.h>

#include "arch.h"
#include "console.h"
#include "image.h"
#include "options.h"
#include "power.h"

struct machine;

/**
 * struct vm_cpu - a vCPU and its thread
 * @machine: where it belongs
 * @index: its number, from 0
 * @vcpu: the vCPU
 * @thread: runs it
 * @on: it is on; under &struct power.lock
 * @exits: exits so far, for the trace
 */
struct vm_cpu {
	struct machine *machine;
	unsigned int index;
	struct axvcpu_vcpu *vcpu;
	pthread_t thread;
	bool on;
	uint64_t exits;
};

/**
 * struct machine - a machine
 * @opt: the command line
 * @dev: the device
 * @info: what the device is
 * @aspace: the guest's physical memory
 * @mem: the same as this process sees it
 * @mem_size: its bytes
 * @usable_mem: bytes that are the guest's alone, from the memory's start on
 * @mode: mode to start in, as &struct guest_arch.modes has it
 * @entry: first instruction
 * @cr3: x86: page tables for long mode, else 0
 * @cpus: the vCPUs
 * @nr_cpus: those of @cpus that exist
 * @nr_threads: those of @cpus that have a thread
 * @power: which of them are on
 * @end_fd: eventfd, readable when the machine is to end
 * @status: exit status; -1 while the machine runs
 * @console: where the guest prints
 */
struct machine {
	const struct run_options *opt;
	struct axvcpu_device *dev;
	const struct axvcpu_info *info;
	struct axvcpu_aspace *aspace;
	void *mem;
	uint64_t mem_size;
	uint64_t usable_mem;
	int mode;
	uint64_t entry;
	uint64_t cr3;
	struct vm_cpu cpus[MAX_VCPUS];
	unsigned int nr_cpus;
	unsigned int nr_threads;
	struct power power;
	int end_fd;
	atomic_int status;
	struct console console;
};

/**
 * machine_run() - run a guest to its end
 * @opt: the command line
 * @image: the guest
 *
 * Return: axvmm's exit status.
 */
int machine_run(const struct run_options *opt, struct image *image);

/**
 * machine_end() - end the machine, from any thread
 * @m: the machine
 * @status: exit status
 *
 * The first call decides. Who gets true says why on standard error.
 *
 * Return: whether this call was the first.
 */
bool machine_end(struct machine *m, int status);

/**
 * machine_ending() - has machine_end() been called?
 * @m: the machine
 *
 * Return: true if so.
 */
bool machine_ending(struct machine *m);

/**
 * machine_place() - load the guest to memory, and decide where it starts
 * @m: the machine; memory and @usable_mem are there
 * @image: the guest
 * @load: where a flat file goes, if the command line doesn't say it
 *
 * Return: 0 or an exit status, after a message.
 */
int machine_place(struct machine *m, struct image *image, uint64_t load);

/**
 * cpu_make_ready() - take a vCPU from Created to Ready
 * @cpu: the vCPU
 * @entry: first instruction
 * @arg: first argument
 *
 * Return: 0 or a negative errno.
 */
int cpu_make_ready(struct vm_cpu *cpu, uint64_t entry, uint64_t arg);

/**
 * cpu_pc() - where a vCPU stands
 * @cpu: the vCPU, not inside RUN
 *
 * Return: its program counter.
 */
static inline unsigned long long cpu_pc(const struct vm_cpu *cpu)
{
	return axvcpu_vcpu_page(cpu->vcpu)->regs.raw[cpu->machine->opt->arch->pc];
}

#endif /* AXVMM_MACHINE_H */
