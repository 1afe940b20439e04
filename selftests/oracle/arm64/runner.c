// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executes programs one by one and reports what became of each. The same bytes run bare
 * on the CPU and in a vCPU; nothing here may depend on which.
 */
#include <stdbool.h>

#include "runner.h"

#define SPSR_SS		(1 << 21)
#define SPSR_EL1T	4
#define SPSR_DAIF	0x3c0

#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define EC_SVC		0x15
#define EC_BREAKPOINT	0x30	/* and 0x31 */
#define EC_STEP		0x32	/* and 0x33 */
#define EC_WATCHPOINT	0x34	/* and 0x35 */
#define EC_BRK		0x3c

static const struct oracle_programs *const programs = (void *)ORACLE_PROGRAMS;
static struct oracle_reports *const reports = (void *)ORACLE_REPORT;

/* The program that runs, and what is reported of it */
static const struct oracle_program *program;
static struct oracle_report *report;

#define read_sys(reg)							\
({									\
	__u64 __value;						\
									\
	asm volatile("mrs %0, " #reg : "=r" (__value));			\
	__value;							\
})

#define write_sys(value, reg)							\
({										\
	__u64 __value = (value);						\
										\
	asm volatile("msr " #reg ", %0" : : "r" (__value) : "memory");		\
})

static inline void isb(void)
{
	asm volatile("isb" : : : "memory");
}

/* --- what happens ------------------------------------------------------------ */

static void take_event(const struct frame *frame)
{
	struct oracle_event *event = &report->event[report->count++];

	event->vector = frame->vector;
	event->esr = read_sys(esr_el1);
	event->elr = read_sys(elr_el1);
	event->spsr = read_sys(spsr_el1);
	event->far = read_sys(far_el1);
	event->sp = read_sys(sp_el0);
	for (int i = 0; i < 31; i++)
		event->regs[i] = frame->regs[i];
}

/* It goes on: after a step with the next, after a breakpoint without it. */
static bool goes_on(__u64 esr)
{
	switch (ESR_EC(esr)) {
	case EC_STEP:
	case EC_STEP + 1:
		write_sys(read_sys(spsr_el1) | SPSR_SS, spsr_el1);
		return true;
	case EC_BREAKPOINT:
	case EC_BREAKPOINT + 1:
		write_sys(0, dbgbcr0_el1);
		return true;
	case EC_WATCHPOINT:
	case EC_WATCHPOINT + 1:
		write_sys(0, dbgwcr0_el1);
		return true;
	case EC_BRK:
		if ((esr & 0xffff) == ORACLE_END_BRK)
			return false;
		write_sys(read_sys(elr_el1) + 4, elr_el1);
		return true;
	case EC_SVC:
		return true;
	default:
		return false;
	}
}

void on_event(struct frame *frame)
{
	take_event(frame);
	if (!goes_on(read_sys(esr_el1)) || report->count == ORACLE_MAX_EVENTS)
		end_program();
	isb();
}

/* --- a program --------------------------------------------------------------- */

static void fill_memory(void)
{
	volatile unsigned char *data = (void *)ORACLE_DATA;
	volatile __u32 *code = (void *)ORACLE_CODE_ALIAS;

	for (int i = 0; i < ORACLE_DATA_SIZE; i++)
		data[i] = i * 37 + 11;
	for (int i = 0; i < ORACLE_CODE_WORDS; i++)
		code[i] = program->code[i];
	for (int i = 0; i < ORACLE_CODE_WORDS; i++)
		asm volatile("dc cvau, %0" : : "r" (&code[i]) : "memory");
	asm volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

static void set_up(struct frame *frame)
{
	fill_memory();
	for (int i = 0; i < 31; i++)
		frame->regs[i] = program->regs[i];
	write_sys(program->bvr, dbgbvr0_el1);
	write_sys(program->bcr, dbgbcr0_el1);
	write_sys(program->wvr, dbgwvr0_el1);
	write_sys(program->wcr, dbgwcr0_el1);
	write_sys(0, far_el1);
	write_sys(0, esr_el1);
	write_sys(ORACLE_STACK, sp_el0);
	write_sys(ORACLE_CODE, elr_el1);
	write_sys(program->pstate | (program->flags & ORACLE_EL0 ? 0 : SPSR_EL1T), spsr_el1);
	write_sys(program->mdscr, mdscr_el1);
	isb();
}

static void run(void)
{
	static struct frame frame;

	report->id = program->id;
	report->count = 0;
	set_up(&frame);
	enter(&frame);
	write_sys(0, mdscr_el1);
	write_sys(0, dbgbcr0_el1);
	write_sys(0, dbgwcr0_el1);
	isb();
	for (int i = 0; i < ORACLE_DATA_SIZE; i++)
		report->data[i] = ((volatile unsigned char *)ORACLE_DATA)[i];
}

/* --- all of them ------------------------------------------------------------- */

static __u64 call_host(__u64 call, const void *arguments)
{
	register __u64 x0 asm("x0") = call;
	register const void *x1 asm("x1") = arguments;

	asm volatile("hlt #0xf000" : "+r" (x0) : "r" (x1) : "memory");
	return x0;
}

#define SYS_OPEN	1
#define SYS_WRITE	5
#define SYS_EXIT	0x18
#define OPEN_WB		5

/* By semihosting, to QEMU; a vCPU has ended by then. */
static void write_report(void)
{
	static const char name[] = "report";
	__u64 arguments[3] = { (__u64)name, OPEN_WB, sizeof(name) - 1 };
	__u64 file = call_host(SYS_OPEN, arguments);

	arguments[0] = file;
	arguments[1] = (__u64)reports;
	arguments[2] = reports->size;
	call_host(SYS_WRITE, arguments);
	arguments[0] = 0x20026;		/* ADP_Stopped_ApplicationExit */
	arguments[1] = 0;
	call_host(SYS_EXIT, arguments);
}

static void tell_vmm(void)
{
	register __u64 x0 asm("x0") = ORACLE_DONE;

	asm volatile("hvc #0" : "+r" (x0) : : "memory");
}

void run_all(void)
{
	report = (void *)(reports + 1);
	for (__u32 i = 0; i < programs->count; i++) {
		program = &programs->program[i];
		run();
		report = (void *)&report->event[report->count];
	}
	reports->count = programs->count;
	reports->size = (__u64)report - (__u64)reports;
	reports->reserved = 0;
	reports->magic = ORACLE_MAGIC;
	tell_vmm();
	write_report();
}
