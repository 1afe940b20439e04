/* SPDX-License-Identifier: GPL-2.0-only */
/* axvmm's command lines. */
#ifndef AXVMM_OPTIONS_H
#define AXVMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "cpuid.h"

#define MAX_VCPUS	64
#define MAX_CPUIDS	32

/** MODE_GUESS - no --mode was given */
#define MODE_GUESS	(-1)

/**
 * struct run_options - command line of axvmm run
 * @arch: the guest's architecture
 * @file: the guest
 * @device: the device, NULL: the library's
 * @mode: mode to start in, index in &struct guest_arch.modes, or %MODE_GUESS
 * @mem: bytes of guest memory
 * @load: address for a flat file, if @has_load
 * @entry: address of the first instruction, if @has_entry
 * @has_load: --load was given
 * @has_entry: --entry was given
 * @cpus: number of vCPUs
 * @pins: host CPUs that the vCPUs stay on, in turn
 * @nr_pins: elements of @pins, 0: vCPUs move freely
 * @preset: what CPUID tells the guest, but for @cpuids
 * @cpuids: leaves to change in it
 * @nr_cpuids: elements of @cpuids
 * @trace: print each exit
 * @stats: print statistics at the end
 * @timer_hz: interrupts a second, 0: none
 * @timer_vector: their vector
 * @timeout_ns: time limit, 0: none
 */
struct run_options {
	const struct guest_arch *arch;
	const char *file;
	const char *device;
	int mode;
	uint64_t mem;
	uint64_t load;
	uint64_t entry;
	bool has_load;
	bool has_entry;
	unsigned int cpus;
	int pins[MAX_VCPUS];
	unsigned int nr_pins;
	enum axvcpu_x86_preset preset;
	struct cpuid_option cpuids[MAX_CPUIDS];
	unsigned int nr_cpuids;
	bool trace;
	bool stats;
	uint32_t timer_hz;
	uint32_t timer_vector;
	uint64_t timeout_ns;
};

/**
 * struct info_options - command line of axvmm info
 * @device: the device, NULL: the library's
 * @json: print JSON
 */
struct info_options {
	const char *device;
	bool json;
};

/**
 * parse_run_options() - read the command line of axvmm run
 * @argc: its words
 * @argv: the first is the name for messages
 * @arch: the architecture, whose modes and help there are
 * @opt: where the options go
 *
 * Return: 0, or %EXIT_USAGE after a message; --help ends the process.
 */
int parse_run_options(int argc, char **argv, const struct guest_arch *arch,
		      struct run_options *opt);

/**
 * parse_info_options() - read the command line of axvmm info
 * @argc: its words
 * @argv: the first is the name for messages
 * @opt: where the options go
 *
 * Return: as parse_run_options().
 */
int parse_info_options(int argc, char **argv, struct info_options *opt);

#endif /* AXVMM_OPTIONS_H */
