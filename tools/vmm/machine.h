/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that a guest runs in: memory, vCPUs and their threads. */
#ifndef AXVMM_MACHINE_H
#define AXVMM_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>

#include <axvcpu.h>

#include "console.h"
#include "image.h"
#include "options.h"

struct machine;

/**
 * struct vm_cpu - a vCPU and its thread
 * @machine: where it belongs
 * @index: its number, from 0
 * @vcpu: the vCPU
 * @thread: runs it
 * @exits: exits so far, for the trace
 */
struct vm_cpu {
	struct machine *machine;
	unsigned int index;
	struct axvcpu_vcpu *vcpu;
	pthread_t thread;
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
 * @usable_mem: bytes that are the guest's alone, from 0 on
 * @mode: mode to start in, never MODE_GUESS
 * @entry: first instruction
 * @cr3: page tables for long mode, else 0
 * @cpus: the vCPUs
 * @nr_cpus: those of @cpus that exist
 * @nr_threads: those of @cpus that have a thread
 * @running: vCPUs that have not ended
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
	enum guest_mode mode;
	uint64_t entry;
	uint64_t cr3;
	struct vm_cpu cpus[MAX_VCPUS];
	unsigned int nr_cpus;
	unsigned int nr_threads;
	atomic_uint running;
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

/* x86.c */

/**
 * x86_prepare() - decide on mode and addresses, load the guest to memory
 * @m: the machine; memory is there and zero
 * @image: the guest
 *
 * Return: 0 or an exit status, after a message.
 */
int x86_prepare(struct machine *m, struct image *image);

/**
 * x86_setup() - take a vCPU from Created to Free, with the registers that a
 *	guest starts with
 * @cpu: the vCPU
 *
 * Return: 0 or a negative errno.
 */
int x86_setup(struct vm_cpu *cpu);

/**
 * x86_print_regs() - print the registers of a vCPU that came to grief
 * @cpu: the vCPU, not inside RUN
 */
void x86_print_regs(struct vm_cpu *cpu);

/** x86_handlers - axvmm's answers to the exits of an x86 guest */
extern const struct axvcpu_handlers x86_handlers;

#endif /* AXVMM_MACHINE_H */
