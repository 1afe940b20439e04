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

#define CPACR_FPEN	(3 << 20)
#define SCTLR_M		1UL
#define SCTLR_PAUTH	(1UL << 31 | 1UL << 30 | 1UL << 27 | 1UL << 13)	/* EnIA, EnIB, EnDA, EnDB */

#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define EC_UNKNOWN	0x00
#define EC_WFX		0x01
#define EC_FP		0x07
#define EC_SVC		0x15
#define EC_SYSREG	0x18
#define EC_DATA_ABORT	0x24	/* and 0x25 */
#define EC_BREAKPOINT	0x30	/* and 0x31 */
#define EC_STEP		0x32	/* and 0x33 */
#define EC_WATCHPOINT	0x34	/* and 0x35 */
#define EC_BRK		0x3c

/* Of each set of four vectors, the second is IRQs'. */
#define VECTOR_KIND	0x180
#define VECTOR_IRQ	0x080

#define SYS_PAN		s3_0_c4_c2_3
#define SYS_UAO		s3_0_c4_c2_4
#define SYS_SSBS	s3_3_c4_c2_6

#define ICC_PMR_EL1	s3_0_c4_c6_0
#define ICC_IAR1_EL1	s3_0_c12_c12_0
#define ICC_EOIR1_EL1	s3_0_c12_c12_1
#define ICC_SGI1R_EL1	s3_0_c12_c11_5
#define NO_INTERRUPT	1020			/* and what follows */
#define SGI_TO_SELF(n)	((__u64)(n) << 24 | 1)

#define WINDOW_ENTRY	((volatile __u64 *)ORACLE_TABLES + (ORACLE_WINDOW >> 12 & 511))
#define WINDOW_AT_FIRST	(ORACLE_WINDOW_PAGE | PAGE | USER | NOX)

static const struct oracle_programs *const programs = (void *)ORACLE_PROGRAMS;
static struct oracle_reports *const reports = (void *)ORACLE_REPORT;

/* The program that runs, and what is reported of it */
static const struct oracle_program *program;
static struct oracle_report *report;

#define STRING(text)	#text
#define EXPANDED(text)	STRING(text)

#define read_sys(reg)								\
({										\
	__u64 __value;								\
										\
	asm volatile("mrs %0, " EXPANDED(reg) : "=r" (__value));		\
	__value;								\
})

#define write_sys(value, reg)							\
({										\
	__u64 __value = (value);						\
										\
	asm volatile("msr " EXPANDED(reg) ", %0" : : "r" (__value) : "memory");	\
})

static inline void isb(void)
{
	asm volatile("isb" : : : "memory");
}

/* --- what happens ------------------------------------------------------------ */

static bool is_irq(__u64 vector)
{
	return (vector & VECTOR_KIND) == VECTOR_IRQ;
}

/* The interrupt, which is over then. The timer's goes with the timer. */
static __u64 take_interrupt(void)
{
	__u64 iar = read_sys(ICC_IAR1_EL1);

	if (iar >= NO_INTERRUPT)
		return iar;
	write_sys(0, cntv_ctl_el0);
	isb();
	write_sys(iar, ICC_EOIR1_EL1);
	return iar;
}

static void take_event(const struct frame *frame)
{
	struct oracle_event *event = &report->event[report->count++];

	event->vector = frame->vector;
	event->esr = read_sys(esr_el1);
	event->elr = read_sys(elr_el1);
	event->spsr = read_sys(spsr_el1);
	event->far = read_sys(far_el1);
	event->sp = read_sys(sp_el0);
	event->iar = is_irq(frame->vector) ? take_interrupt() : 0;
	event->pstate = read_sys(daif) | read_sys(SYS_PAN) | read_sys(SYS_UAO) |
			read_sys(SYS_SSBS);
	for (int i = 0; i < 31; i++)
		event->regs[i] = frame->regs[i];
}

static void skip_instruction(void)
{
	write_sys(read_sys(elr_el1) + 4, elr_el1);
}

/*
 * It goes on: after a step with the next, after a breakpoint without it, behind what can't be
 * done.
 */
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
		skip_instruction();
		return true;
	case EC_UNKNOWN:
	case EC_WFX:
	case EC_FP:
	case EC_SYSREG:
	case EC_DATA_ABORT:
	case EC_DATA_ABORT + 1:
		skip_instruction();
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
	if ((!is_irq(frame->vector) && !goes_on(read_sys(esr_el1))) ||
	    report->count == ORACLE_MAX_EVENTS)
		end_program();
	/* It may have changed the register itself. */
	program_sctlr = read_sys(sctlr_el1) | (program->sctlr & SCTLR_EE);
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

/* The same in every program: keys IA, IB, DA, DB, GA */
static void set_keys(void)
{
	write_sys(0x0123456789abcdef, s3_0_c2_c1_0);
	write_sys(0xfedcba9876543210, s3_0_c2_c1_1);
	write_sys(0x1122334455667788, s3_0_c2_c1_2);
	write_sys(0x8877665544332211, s3_0_c2_c1_3);
	write_sys(0x0f1e2d3c4b5a6978, s3_0_c2_c2_0);
	write_sys(0x78695a4b3c2d1e0f, s3_0_c2_c2_1);
	write_sys(0x13579bdf02468ace, s3_0_c2_c2_2);
	write_sys(0xeca86420fdb97531, s3_0_c2_c2_3);
	write_sys(0x00ff00ff00ff00ff, s3_0_c2_c3_0);
	write_sys(0xff00ff00ff00ff00, s3_0_c2_c3_1);
}

/* What a program finds beside its memory and its registers */
static void set_machine(void)
{
	if (program->flags & ORACLE_USES_DEVICE)
		*(volatile __u32 *)ORACLE_DEVICE = ORACLE_DEVICE_VALUE;
	if (program->sctlr & SCTLR_PAUTH)
		set_keys();
	if (program->flags & ORACLE_IRQ)
		write_sys(SGI_TO_SELF(1), ICC_SGI1R_EL1);
	program_sctlr = RUNNER_SCTLR ^ program->sctlr ^ (program->sctlr & SCTLR_EE ? SCTLR_M : 0);
}

static void set_up(struct frame *frame)
{
	fill_memory();
	set_machine();
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

/* Where programs write; @address is the beginning of a page. */
static void clear(__u64 address, int from, int to)
{
	volatile __u64 *words = (void *)address;

	for (int i = from; i < to; i++)
		words[i] = 0;
}

/* With the MMU off, a program reaches what it does not with it. */
static void clear_unmapped(void)
{
	if (read_sys(sctlr_el1) & SCTLR_M)
		return;
	clear(ORACLE_STACK, 0, 16);
	clear(ORACLE_ABSENT, -8, 16);
	clear(ORACLE_READ_ONLY, -8, 16);
	clear(ORACLE_WINDOW, -8, 16);
}

static void clear_mapped(void)
{
	if (*WINDOW_ENTRY != WINDOW_AT_FIRST) {
		*WINDOW_ENTRY = WINDOW_AT_FIRST;
		asm volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" : : : "memory");
	}
	clear(ORACLE_STACK, -8, 0);
	clear(ORACLE_WINDOW, 0, 16);
}

/* What may have been left to the next program */
static void clean_up(void)
{
	asm volatile(".arch_extension pan\n\tmsr pan, #0" : : : "memory");
	clear_unmapped();
	write_sys(RUNNER_SCTLR, sctlr_el1);
	write_sys(0, mdscr_el1);
	write_sys(0, dbgbcr0_el1);
	write_sys(0, dbgwcr0_el1);
	write_sys(0, cntv_ctl_el0);
	write_sys(CPACR_FPEN, cpacr_el1);
	write_sys(0xff, ICC_PMR_EL1);
	isb();
	clear_mapped();
	while (take_interrupt() < NO_INTERRUPT)
		;
}

static void run(void)
{
	static struct frame frame;

	report->id = program->id;
	report->count = 0;
	set_up(&frame);
	enter(&frame);
	clean_up();
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
