/* SPDX-License-Identifier: GPL-2.0-only */
/* The runner's C and assembly: how a handler finds the registers. */
#ifndef ORACLE_RUNNER_H
#define ORACLE_RUNNER_H

#include "oracle.h"

/* SCTLR_EL1 of the runner: M, C, I, SA, SA0; UCT, UCI and the like as at reset */
#define RUNNER_SCTLR	0x30d0199d
#define SCTLR_EE	(1 << 25)

/* Descriptors of pages */
#define PAGE		0x703		/* inner shareable, accessed */
#define NOX		0x0060000000000000	/* UXN, PXN */
#define USER		0x40
#define READ_ONLY	0x80

#ifndef __ASSEMBLER__

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

/* SCTLR_EL1 as a program is entered with it; enter() and the way back from on_event() */
extern __u64 program_sctlr;

#endif /* __ASSEMBLER__ */

#endif /* ORACLE_RUNNER_H */
