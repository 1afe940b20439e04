/* SPDX-License-Identifier: GPL-2.0-only */
/* The runner's C and assembly: how a handler finds the registers. */
#ifndef ORACLE_RUNNER_H
#define ORACLE_RUNNER_H

#include "oracle.h"

/**
 * struct frame - as the vectors push it
 * @regs: X0 to X30
 * @vector: its offset in the table
 */
struct frame {
	__u64 regs[31];
	__u64 vector;
};

void enter(struct frame *frame);
__attribute__((noreturn)) void end_program(void);
void on_event(struct frame *frame);
void run_all(void);

#endif /* ORACLE_RUNNER_H */
