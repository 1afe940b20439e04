/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the oracle's three sides agree on: the generator (tools/oracle), which writes
 * programs; the runner, which executes them, bare on the CPU or in a vCPU; and the test,
 * which compares the two reports.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "../reports.h"

/* Where things lie in physical memory; the real mode's segments are these by 16. */
#define ORACLE_RUNNER		0x8000
#define ORACLE_RUNNER_STACK	0x7000		/* tops of stacks */
#define ORACLE_STACK		0x7800
#define ORACLE_STACK_SIZE	0x800
#define ORACLE_CODE		0x20000		/* of the program that runs */
#define ORACLE_DATA		0x30000
#define ORACLE_DATA_SIZE	0x100		/* of it is compared */
#define ORACLE_TASK		0x50000		/* the TSS of another task */
#define ORACLE_ABSENT		0x3f000		/* a page that is not present, with paging */
#define ORACLE_NOTHING		0xde000		/* a page without memory; all of it reads as 1s */
#define ORACLE_PROGRAMS		0x100000
#define ORACLE_REPORT		0x2000000
#define ORACLE_RAM		0x4000000

/* A selector of the stack's stands here, for MOV SS from memory. */
#define ORACLE_DATA_SS		(ORACLE_DATA + 0x80)

/* Where the arguments of VMCALL go: RAX, RDI, RSI, RDX, RCX, R8, R9 */
#define ORACLE_DATA_VMCALL	(ORACLE_DATA + 0x90)
#define ORACLE_VMCALL_SIZE	56

#define ORACLE_END_VECTOR	0x30		/* INT 0x30 ends a program */
#define ORACLE_IRQ_VECTOR	0x40
#define ORACLE_DONE_PORT	0x5f0		/* nothing there in a PC */
#define ORACLE_REPORT_SECTOR	0		/* of the PC's disk */

#define ORACLE_MAX_EVENTS	16
#define ORACLE_CODE_SIZE	96

/* enum oracle_mode: where programs run */
#define ORACLE_REAL		0
#define ORACLE_PROT16		1
#define ORACLE_PROT32		2
#define ORACLE_PAE		3
#define ORACLE_COMPAT		4
#define ORACLE_LONG		5

/* flags of a program */
#define ORACLE_RING3		(1 << 0)
#define ORACLE_IRQ		(1 << 1)	/* is pending when it begins */
#define ORACLE_NMI		(1 << 2)	/* the same */
#define ORACLE_TIMER		(1 << 3)	/* raises ORACLE_IRQ_VECTOR, much later */
#define ORACLE_TASKS		(1 << 4)	/* 32 bits: there is another task */

#define ORACLE_TASK_VECTOR	0x21		/* leads to it through a task gate */
#define ORACLE_TASK_CODE	(ORACLE_CODE + 0x40) /* where it begins */

#ifndef __ASSEMBLER__

#include <linux/types.h>

/**
 * struct oracle_program - a program, and the state that it begins in
 * @id: its number in the generator's list
 * @flags: ``ORACLE_RING3`` and so on
 * @eflags: bits to set besides bit 1
 * @cr4: bits to set besides the mode's
 * @dr7: DR7
 * @nmi_handler: where in @code the first NMI is handled; 0: it is an event as others are
 * @dr: DR0 to DR3
 * @poke_at: physical address of an entry in the runner's page tables, or 0
 * @poke: its value meanwhile
 * @regs: RAX, RCX, RDX, RBX, RSP (the runner's), RBP, RSI, RDI, R8 to R15
 * @code: bytes, the INT that ends it included
 */
struct oracle_program {
	__u32 id;
	__u32 flags;
	__u32 eflags;
	__u32 cr4;
	__u32 dr7;
	__u32 nmi_handler;
	__u64 dr[4];
	__u64 poke_at;
	__u64 poke;
	__u64 regs[16];
	__u8 code[ORACLE_CODE_SIZE];
};

/**
 * struct oracle_programs - what the runner is given
 * @magic: ORACLE_MAGIC
 * @mode: ``ORACLE_REAL`` and so on
 * @count: programs
 * @reserved: 0
 * @program: the programs
 */
struct oracle_programs {
	__u32 magic;
	__u32 mode;
	__u32 count;
	__u32 reserved;
	struct oracle_program program[];
};

/**
 * struct oracle_event - an exception or an interrupt, as its handler found it
 * @vector: vector
 * @error: error code, or 0
 * @ip: the frame's; with the other modes' registers in the low bits
 * @sp: the frame's, or where the stack pointer was
 * @flags: the frame's
 * @cs: the frame's
 * @ss: the frame's, or what SS was
 * @ds: DS, and so on
 * @es: ES
 * @fs: FS
 * @gs: GS
 * @dr6: DR6; written to its initial value after that
 * @cr2: CR2, with paging
 * @regs: general-purpose registers; RSP is @sp
 */
struct oracle_event {
	__u32 vector;
	__u32 error;
	__u64 ip;
	__u64 sp;
	__u32 flags;
	__u16 cs, ss, ds, es, fs, gs;
	__u64 dr6;
	__u64 cr2;
	__u64 regs[16];
};

/**
 * struct oracle_report - what became of a program
 * @id: of the program
 * @count: events; the last ended it
 * @dr7: at its end
 * @reserved: 0
 * @cr0: at its end
 * @cr4: at its end
 * @poked: what the entry is at its end that was changed for it
 * @data: ORACLE_DATA
 * @stack: a sum of the stack's bytes and where they are
 * @event: the events
 */
struct oracle_report {
	__u32 id;
	__u32 count;
	__u32 dr7;
	__u32 reserved;
	__u64 cr0;
	__u64 cr4;
	__u64 poked;
	__u64 stack;
	__u8 data[ORACLE_DATA_SIZE];
	struct oracle_event event[];
};

#endif /* __ASSEMBLER__ */

#endif /* ORACLE_H */
