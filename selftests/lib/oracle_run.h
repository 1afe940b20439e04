/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of the oracle's programs in a vCPU, and the comparison with the bare one: all that is
 * the same for every architecture.
 */
#ifndef SELFTESTS_ORACLE_RUN_H
#define SELFTESTS_ORACLE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "oracle_files.h"

#define ORACLE_PAGE	0x1000

struct oracle;

/**
 * struct oracle_arch - what is the architecture's
 * @base: guest-physical address of the memory
 * @size: its size
 * @hole: guest-physical address of a page in it that is left out; 0: none
 * @runner: guest-physical address of the runner
 * @programs: of the programs
 * @report: of what the runner leaves, struct oracle_reports
 * @head_size: of struct oracle_report, without its events
 * @event_size: of struct oracle_event
 * @run_flags: ``AXVCPU_RUN_*``
 * @correct: put right what of a bare report contradicts the manual; NULL: nothing does
 * @handlers: the machine beside the CPU; its functions are given the struct oracle
 * @show_event: print an event that only one side has
 * @show_events: print what differs between two events
 * @show_rest: print what differs between two reports besides
 */
struct oracle_arch {
	uint64_t base;
	uint64_t size;
	uint64_t hole;
	uint64_t runner;
	uint64_t programs;
	uint64_t report;
	size_t head_size;
	size_t event_size;
	unsigned int run_flags;
	void (*correct)(const struct oracle *oracle, void *bare);
	const struct axvcpu_handlers *handlers;
	void (*show_event)(const void *event);
	void (*show_events)(const void *bare, const void *vcpu);
	void (*show_rest)(const void *bare, const void *vcpu);
};

/**
 * struct oracle - a run
 * @arch: the architecture's part
 * @mode: of the programs, a part of their files' names
 * @dev: the device
 * @aspace: the guest's memory
 * @vcpu: the vCPU, Created at first
 * @ram: the same memory here
 * @bare: what the programs left bare
 * @verdict: how the comparison goes
 * @exits: to the VMM, so far
 * @ended: programs that had ended when it was last looked at
 * @unchanged: how often that was as before
 */
struct oracle {
	const struct oracle_arch *arch;
	const char *mode;
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *ram;
	struct oracle_file bare;
	struct oracle_verdict verdict;
	unsigned int exits;
	unsigned int ended, unchanged;
};

int oracle_open(struct oracle *oracle, const struct oracle_arch *arch, const char *runner,
		const char *mode);
void oracle_close(struct oracle *oracle);
int oracle_run(struct oracle *oracle);
int oracle_judge(struct oracle *oracle);
void oracle_show_bytes(const char *what, const void *bare, const void *vcpu, size_t size);

/* For &struct axvcpu_handlers: before each exit's own, and of those that can't be */
int oracle_on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int oracle_on_end(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);

#endif /* SELFTESTS_ORACLE_RUN_H */
