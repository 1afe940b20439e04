/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the arm64 oracle's three sides agree on: the generator (tools/oracle), which writes
 * programs; the runner, which executes them, bare on the CPU or in a vCPU; and the test,
 * which compares the two reports.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "../reports.h"

/* Where things lie in physical memory; virtual addresses are the same but for the alias. */
#define ORACLE_BASE		0x40000000
#define ORACLE_RUNNER		0x40080000
#define ORACLE_TABLES		0x40090000	/* level 3 of what follows; see also runner.ld */
#define ORACLE_RUNNER_STACK	0x401f0000	/* top */
#define ORACLE_CODE		0x40200000	/* a page that programs can't write */
#define ORACLE_CODE_ALIAS	0x40201000	/* the same page, for the runner */
#define ORACLE_DATA		0x40202000	/* a page; ORACLE_DATA_SIZE of it is compared */
#define ORACLE_DATA_SIZE	0x100
#define ORACLE_STACK		0x40204000	/* top of the programs' */
#define ORACLE_ABSENT		0x40208000	/* not mapped */
#define ORACLE_READ_ONLY	0x40209000
#define ORACLE_WINDOW		0x4020a000	/* programs change how this page is mapped */
#define ORACLE_WINDOW_PAGE	0x4020b000	/* what is there at first */
#define ORACLE_PROGRAMS		0x41000000
#define ORACLE_REPORT		0x43000000
#define ORACLE_RAM		0x08000000	/* bytes */

/*
 * The load register of the board's clock, a PL031: what is written there is read there, and
 * the register behind it reads as 1. The VMM has the same.
 */
#define ORACLE_DEVICE		0x09010008
#define ORACLE_DEVICE_VALUE	0x89abcdef	/* at the beginning */

/* The distributor and the first redistributor of a bare GIC; a vCPU has neither. */
#define ORACLE_GICD		0x08000000
#define ORACLE_GICR		0x080a0000
/* Of SGIs, and of the timer: no two are equal, for then either may come first. */
#define ORACLE_SGI_PRIORITY(n)	(0x50 + 8 * (n))
#define ORACLE_PRIORITY		0xa0

#define ORACLE_MAX_EVENTS	24
#define ORACLE_CODE_WORDS	128
#define ORACLE_END_BRK		0x777		/* BRK's comment that ends a program */
#define ORACLE_DONE		0xc6000001	/* HVC with this in X0: all have run */

/* flags of a program */
#define ORACLE_EL0		(1 << 0)
#define ORACLE_IRQ		(1 << 1)	/* SGI 1 is pending when it begins */
#define ORACLE_USES_DEVICE	(1 << 2)

#ifndef __ASSEMBLER__

#include <linux/types.h>

/**
 * struct oracle_program - a program, and the state that it begins in
 * @id: its number in the generator's list
 * @flags: ``ORACLE_EL0`` and so on
 * @pstate: bits of SPSR_EL1 besides the mode: SS, DAIF, flags
 * @mdscr: MDSCR_EL1: SS, KDE, MDE
 * @bcr: DBGBCR0_EL1
 * @wcr: DBGWCR0_EL1
 * @sctlr: bits of SCTLR_EL1 that are not as the runner has them; with EE it is M that is off
 *	as well, for the tables are little-endian
 * @bvr: DBGBVR0_EL1
 * @wvr: DBGWVR0_EL1
 * @regs: X0 to X30
 * @code: instructions, the BRK that ends it included
 */
struct oracle_program {
	__u32 id;
	__u32 flags;
	__u32 pstate;
	__u32 mdscr;
	__u32 bcr;
	__u32 wcr;
	__u64 sctlr;
	__u64 bvr;
	__u64 wvr;
	__u64 regs[31];
	__u32 code[ORACLE_CODE_WORDS];
};

/**
 * struct oracle_programs - what the runner is given
 * @magic: ORACLE_MAGIC
 * @count: programs
 * @program: the programs
 */
struct oracle_programs {
	__u32 magic;
	__u32 count;
	struct oracle_program program[];
};

/**
 * struct oracle_event - an exception or an interrupt, as its handler found it
 * @vector: offset in the table of vectors
 * @esr: ESR_EL1
 * @elr: ELR_EL1
 * @spsr: SPSR_EL1
 * @far: FAR_EL1
 * @sp: SP_EL0
 * @iar: the interrupt, or 0
 * @pstate: the handler's own DAIF, PAN, UAO and SSBS; not DIT, which QEMU 7.2 clears at an
 *	exception, and the manual does not
 * @regs: X0 to X30
 */
struct oracle_event {
	__u64 vector;
	__u64 esr;
	__u64 elr;
	__u64 spsr;
	__u64 far;
	__u64 sp;
	__u64 iar;
	__u64 pstate;
	__u64 regs[31];
};

/**
 * struct oracle_report - what became of a program
 * @id: of the program
 * @count: events; the last ended it
 * @data: ORACLE_DATA
 * @event: the events
 */
struct oracle_report {
	__u32 id;
	__u32 count;
	unsigned char data[ORACLE_DATA_SIZE];
	struct oracle_event event[];
};

#endif /* __ASSEMBLER__ */

#endif /* ORACLE_H */
