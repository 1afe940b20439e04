/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's architecture makes different: a table each, x86.c and arm64.c. */
#ifndef AXVMM_ARCH_H
#define AXVMM_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <libaxvcpu.h>

struct image;
struct machine;
struct vm_cpu;

/**
 * struct guest_arch - an architecture
 * @name: for people
 * @backend: &enum axvcpu_backend
 * @elf_machines: of its ELF files, of 32 and of 64 bits; EM_NONE: there are none
 * @modes: names for --mode, up to a NULL
 * @mem_base: guest-physical address of the memory's first byte
 * @max_vector: largest --timer-vector
 * @run_flags: ``AXVCPU_RUN_*`` of each run
 * @one_starts: vCPU 0 starts, and starts the others; false: all start
 * @has_cpuid: the guest can ask by CPUID
 * @pc_name: what the program counter is called
 * @pc: its index in the run page's raw registers
 * @help_mode: --help, of --mode
 * @help_load: --help, of --load
 * @help: --help, of what the guest finds
 * @prepare: decide on mode and addresses, load the guest to memory, which is
 *	there and zero; return 0 or an exit status, after a message
 * @configure: fill in what a vCPU is created with, or NULL
 * @setup: take a vCPU from Created to Free, to start at an entry with a first
 *	argument, its number but where another vCPU chose it; return 0 or a
 *	negative errno
 * @regs: names of the registers to print when a vCPU came to grief, four a line
 * @nr_regs: elements of @regs
 * @handlers: answers to the exits
 */
struct guest_arch {
	const char *name;
	uint32_t backend;
	uint16_t elf_machines[2];
	const char *const *modes;
	uint64_t mem_base;
	uint32_t max_vector;
	unsigned int run_flags;
	bool one_starts;
	bool has_cpuid;
	const char *pc_name;
	unsigned int pc;
	const char *help_mode;
	const char *help_load;
	const char *help;
	int (*prepare)(struct machine *m, struct image *image);
	void (*configure)(struct vm_cpu *cpu, union axvcpu_create_config *config);
	int (*setup)(struct vm_cpu *cpu, uint64_t entry, uint64_t arg);
	const char *const *regs;
	unsigned int nr_regs;
	const struct axvcpu_handlers *handlers;
};

extern const struct guest_arch x86_arch, arm64_arch;

/** native_arch - the one of this build: the Makefile says which */
extern const struct guest_arch *const native_arch;

#endif /* AXVMM_ARCH_H */
