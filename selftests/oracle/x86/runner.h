/* SPDX-License-Identifier: GPL-2.0-only */
/* The runner's C and assembly: selectors, and how a handler finds the registers. */
#ifndef ORACLE_RUNNER_H
#define ORACLE_RUNNER_H

#include "oracle.h"

#define SEL_CODE32	0x08
#define SEL_DATA	0x10
#define SEL_CODE16	0x18
#define SEL_DATA16	0x20
#define SEL_CODE64	0x28
#define SEL_USER32	0x33
#define SEL_USER_DATA	0x3b
#define SEL_USER64	0x43
#define SEL_USER16	0x4b
#define SEL_USER_DATA16	0x53
#define SEL_STACK16	0x58
#define SEL_TSS		0x60
#define SEL_USER_STACK16 0x73
#define SEL_TASK	0x90
#define SEL_HIGH	0x80		/* what begins below 4 GiB goes on at 0 */

#define HANDLER_STACK	0x60000		/* with IST, or from ring 3 */
#define NMI_STACK	0x68000

#define NR_STUBS	0x41

#ifndef __ASSEMBLER__

#if BITS == 64
/* As the stubs push it */
struct frame {
	__u64 regs[15];		/* R15 first, RAX last, without RSP */
	__u64 vector, error;
	__u64 ip, cs, flags, sp, ss;
};
#elif BITS == 32
struct frame {
	__u32 handler_ss;		/* of the stack that this is on */
	__u32 gs, fs, es, ds;
	__u32 regs[8];		/* EDI first, EAX last */
	__u32 vector, error;
	__u32 ip, cs, flags;
	__u32 sp, ss;		/* from ring 3 only */
};
#else
struct frame {
	__u32 regs[8];		/* EDI first, EAX last */
	__u32 flags;
	__u16 ip, cs, ss, ds, es, fs, gs, vector;
};
#endif

extern struct frame saved;		/* 16 bits: where the stubs put it */
extern __u8 stubs[];
extern __u8 block_nmis[];
extern __u8 absent_pte[];
extern __u8 gdt[];
extern __u32 tss[];

void run_all(void);
void on_event(struct frame *frame);
void enter(struct frame *frame);
void end_program(void);
__attribute__((noreturn)) void power_off(void);

#endif /* __ASSEMBLER__ */

#endif /* ORACLE_RUNNER_H */
