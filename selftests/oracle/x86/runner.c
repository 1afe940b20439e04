// SPDX-License-Identifier: GPL-2.0-only
/*
 * Executes programs one by one and reports what became of each. The same bytes run bare
 * on the CPU and in a vCPU; nothing here may depend on which.
 */
#include <stdbool.h>

#include "runner.h"

#define X86_TF		0x100
#define X86_RF		0x10000
#define CR0_CACHE	0x60000000U	/* CD, NW: a PC leaves them set */
#define DR6_INIT	0xffff0ff0U
#define DR7_INIT	0x400U

#define MSR_APIC_BASE	0x1b
#define APIC_ON		0xfee00d00U	/* x2APIC, of the bootstrap processor */
#define MSR_EOI		0x80b
#define MSR_SVR		0x80f
#define MSR_ICR		0x830
#define MSR_LVT_TIMER	0x832
#define MSR_TIMER_COUNT	0x838
#define MSR_TIMER_DIV	0x83e
#define MSR_SELF_IPI	0x83f
#define ICR_NMI_TO_SELF	0x4400	/* by the id of this CPU, 0 */
#define TIMER_DIV_1	0xb
#define TIMER_TICKS	20000	/* more than any program takes until it halts */

#define NMI_VECTOR	2
#define UD_VECTOR	6

/* The program that runs; NULL between two */
static struct oracle_report *report;
static __u32 cr4_base;
/* What the entry was that is changed for the program */
static __u64 saved_entry;

#define GETTER(reg)							\
static inline unsigned long get_##reg(void)				\
{									\
	unsigned long value;						\
									\
	asm volatile("mov %%" #reg ", %0" : "=r" (value));		\
	return value;							\
}

#define SETTER(reg)							\
static inline void set_##reg(unsigned long value)			\
{									\
	asm volatile("mov %0, %%" #reg : : "r" (value) : "memory");	\
}

GETTER(cr0)
GETTER(cr2)
GETTER(cr3)
GETTER(cr4)
GETTER(dr6)
GETTER(dr7)
GETTER(ds)
GETTER(es)
GETTER(fs)
GETTER(gs)
SETTER(cr0)
SETTER(cr2)
SETTER(cr3)
SETTER(cr4)
SETTER(dr0)
SETTER(dr1)
SETTER(dr2)
SETTER(dr3)
SETTER(dr6)
SETTER(dr7)

static inline void wrmsr(__u32 msr, __u32 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" (value), "d" (0) : "memory");
}

static inline void out8(__u16 port, __u8 value)
{
	asm volatile("outb %0, %1" : : "a" (value), "d" (port));
}

static inline __u8 in8(__u16 port)
{
	__u8 value;

	asm volatile("inb %1, %0" : "=a" (value) : "d" (port));
	return value;
}

static inline void out16(__u16 port, __u16 value)
{
	asm volatile("outw %0, %1" : : "a" (value), "d" (port));
}

static inline void out32(__u16 port, __u32 value)
{
	asm volatile("outl %0, %1" : : "a" (value), "d" (port));
}

/* In a register: as a number, 16-bit code would have half of it. */
static inline __u8 *byte_at(unsigned long address)
{
	asm("" : "+r" (address));
	return (void *)address;
}

static inline const struct oracle_programs *programs(void)
{
	return (void *)byte_at(ORACLE_PROGRAMS);
}

static inline struct oracle_reports *reports(void)
{
	return (void *)byte_at(ORACLE_REPORT);
}

/* --- what happens ------------------------------------------------------------ */

#if BITS == 64
static void take_frame(struct oracle_event *event, const struct frame *frame)
{
	/* RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8 ... were pushed in this order. */
	for (int i = 0; i < 15; i++)
		event->regs[i < 4 ? i : i + 1] = frame->regs[14 - i];
	event->sp = frame->sp;
	event->ss = frame->ss;
	event->ds = get_ds();
	event->es = get_es();
	event->fs = get_fs();
	event->gs = get_gs();
	event->error = frame->error;
}
#else
static void take_frame(struct oracle_event *event, const struct frame *frame)
{
#if BITS == 32
	bool user = frame->cs & 3;
#endif

	for (int i = 0; i < 8; i++)
		event->regs[i] = frame->regs[7 - i];
	event->ds = frame->ds;
	event->es = frame->es;
	event->fs = frame->fs;
	event->gs = frame->gs;
#if BITS == 32
	event->sp = user ? frame->sp : (unsigned long)&frame->sp;
	event->ss = user ? frame->ss : frame->handler_ss;
	event->error = frame->error;
#else
	event->sp = frame->regs[3];
	event->ss = frame->ss;
#endif
}
#endif

static bool ends(const struct oracle_event *event)
{
	return report->count == ORACLE_MAX_EVENTS || event->vector == ORACLE_END_VECTOR ||
	       (event->vector > 3 && event->vector < 32);
}

/* --- gates ------------------------------------------------------------------- */

#if BITS == 16
static void set_gate(unsigned int n, unsigned long target)
{
	*(volatile __u32 *)byte_at(4 * n) = target;
}

static void set_program_gate(unsigned int n, __u32 offset)
{
	set_gate(n, (ORACLE_CODE >> 4) << 16 | offset);
}
#elif BITS == 32
static void set_selector_gate(unsigned int n, unsigned long target, __u32 selector)
{
	volatile __u32 *gate = (void *)byte_at(0x58000 + 8 * n);

	gate[0] = selector << 16 | (target & 0xffff);
	gate[1] = (target & 0xffff0000) | 0xee00;
}

static void set_gate(unsigned int n, unsigned long target)
{
	set_selector_gate(n, target, SEL_CODE32);
}

static void set_program_gate(unsigned int n, __u32 offset)
{
	if (programs()->mode == ORACLE_PROT16)
		set_selector_gate(n, offset, SEL_CODE16);
	else
		set_selector_gate(n, ORACLE_CODE + offset, SEL_CODE32);
}
#else
static void set_ist_gate(unsigned int n, unsigned long target, __u32 ist)
{
	volatile __u32 *gate = (void *)byte_at(0x58000 + 16 * n);

	gate[0] = SEL_CODE64 << 16 | (target & 0xffff);
	gate[1] = (target & 0xffff0000) | 0xee00 | ist;
	gate[2] = 0;
	gate[3] = 0;
}

static void set_gate(unsigned int n, unsigned long target)
{
	set_ist_gate(n, target, n == NMI_VECTOR ? 2 : 1);
}

/* On the program's own stack: another NMI must leave its frame alone. */
static void set_program_gate(unsigned int n, __u32 offset)
{
	set_ist_gate(n, ORACLE_CODE + offset, 0);
}
#endif

static void set_stub_gate(unsigned int n)
{
	set_gate(n, (unsigned long)stubs + 16 * n);
}

/* --- events ------------------------------------------------------------------ */

/* It would hit again: what is done for an instruction breakpoint. */
static bool hit_insn_breakpoint(__u32 dr6)
{
	__u32 dr7 = get_dr7();

	for (int n = 0; n < 4; n++) {
		if (dr6 >> n & 1 && !(dr7 >> (16 + 4 * n) & 3) && dr7 >> 2 * n & 3)
			return true;
	}
	return false;
}

static bool is_vmcall(const struct frame *frame)
{
	const __u8 *code = byte_at(frame->ip);

	if (programs()->mode < ORACLE_PROT32)
		code = byte_at(ORACLE_CODE + frame->ip);
	return frame->vector == UD_VECTOR && code[0] == 0x0f && code[1] == 0x01 &&
	       code[2] == 0xc1;
}

/* What a VMM would be told, which a vCPU has: without one it is undefined. */
static void vmcall(struct frame *frame)
{
	volatile __u64 *to = (volatile __u64 *)byte_at(ORACLE_DATA_VMCALL);
	struct oracle_event event = {};
	__u64 mask = frame->cs == SEL_CODE64 || frame->cs == SEL_USER64 ? ~0ULL : 0xffffffff;
	static const __u8 args[] = { 0, 7, 6, 2, 1, 8, 9 };

	take_frame(&event, frame);
	for (unsigned int i = 0; i < sizeof(args); i++)
		to[i] = event.regs[args[i]] & mask;
	frame->regs[sizeof(frame->regs) / sizeof(frame->regs[0]) - 1] = to[0];
	frame->ip += 3;
	frame->flags &= ~X86_RF;
}

void on_event(struct frame *frame)
{
	struct oracle_event *event;

	if (frame->vector == ORACLE_IRQ_VECTOR)
		wrmsr(MSR_EOI, 0);
	if (!report) {
		if (frame->vector == ORACLE_IRQ_VECTOR || frame->vector == NMI_VECTOR)
			return;
		/* The runner's own: a program has broken it. There will be no report. */
		out32(ORACLE_DONE_PORT, frame->vector);
		power_off();
	}
	if (is_vmcall(frame)) {
		vmcall(frame);
		return;
	}
	event = &report->event[report->count++];
	take_frame(event, frame);
	event->vector = frame->vector;
	event->ip = frame->ip;
	event->cs = frame->cs;
	event->flags = frame->flags;
	event->regs[4] = event->sp;
	event->dr6 = get_dr6();
	event->cr2 = programs()->mode >= ORACLE_PAE ? get_cr2() : 0;
	if (frame->vector == 1) {
		set_dr6(DR6_INIT);
		if (hit_insn_breakpoint(event->dr6))
			frame->flags |= X86_RF;
	}
	/* A program handles none but the first NMI. */
	set_stub_gate(NMI_VECTOR);
	if (ends(event)) {
		/* The frame stays on the stack, which is compared, and Bochs has RF wrong. */
		frame->flags &= ~X86_RF;
		report = 0;
		end_program();
	}
}

/* --- another task ------------------------------------------------------------ */

#if BITS == 32
#define TSS_WORDS	26
#define TSS_ESP0	1
#define TSS_SS0		2
#define TSS_CR3		7
#define TSS_EIP		8
#define TSS_EFLAGS	9
#define TSS_EAX		10
#define TSS_ESP		14
#define TSS_ES		18
#define TSS_CS		19
#define TSS_GS		23
#define TSS_PORTS	25
#define TASK_GATE	0xe500

static volatile __u32 *task(void)
{
	return (volatile __u32 *)byte_at(ORACLE_TASK);
}

static void set_up_task(void)
{
	volatile __u32 *gate = (void *)byte_at(0x58000 + 8 * ORACLE_TASK_VECTOR);
	volatile __u32 *to = task();

	for (unsigned int i = 0; i < TSS_WORDS; i++) {
		to[i] = 0;
		if (i >= TSS_EAX && i < TSS_EAX + 8)
			to[i] = 0x7a5c0000 + i;
		if (i >= TSS_ES && i <= TSS_GS)
			to[i] = i == TSS_CS ? SEL_CODE32 : SEL_DATA;
		if (i > TSS_CR3)
			tss[i] = i == TSS_PORTS ? 0x680000 : 0;
	}
	to[TSS_ESP0] = HANDLER_STACK;
	to[TSS_SS0] = SEL_DATA;
	to[TSS_CR3] = programs()->mode == ORACLE_PAE ? get_cr3() : 0;
	tss[TSS_CR3] = to[TSS_CR3];
	to[TSS_EIP] = ORACLE_TASK_CODE;
	to[TSS_EFLAGS] = 2;
	to[TSS_ESP] = ORACLE_STACK - 0x100;
	to[TSS_PORTS] = 0x680000;
	gate[0] = SEL_TASK << 16;
	gate[1] = TASK_GATE;
}

/* What a switch has left in both, and which of them are busy */
static __u64 sum_tasks(void)
{
	__u64 sum = gdt[SEL_TSS + 5] * 256 + gdt[SEL_TASK + 5];

	for (unsigned int i = 0; i < TSS_WORDS; i++)
		sum = sum * 31 + (tss[i] ^ i) + 17 * (__u64)task()[i];
	return sum;
}

/* The runner's own again */
static void clean_up_task(void)
{
	gdt[SEL_TASK + 5] &= ~2;
	gdt[SEL_TSS + 5] &= ~2;
	asm volatile("ltr %%ax" : : "a" (SEL_TSS) : "memory");
	set_stub_gate(ORACLE_TASK_VECTOR);
}
#else
static void set_up_task(void)
{
}

static __u64 sum_tasks(void)
{
	return 0;
}

static void clean_up_task(void)
{
}
#endif

/* --- a program --------------------------------------------------------------- */

static void fill_memory(const struct oracle_program *program)
{
	__u8 *data = byte_at(ORACLE_DATA), *code = byte_at(ORACLE_CODE);
	__u8 *stack = byte_at(ORACLE_STACK - ORACLE_STACK_SIZE);
	unsigned int i;

	for (i = 0; i < ORACLE_DATA_SIZE; i++)
		data[i] = i * 37 + 11;
	data[0x80] = programs()->mode == ORACLE_REAL ? 0 : SEL_DATA;
	data[0x81] = 0;
	if (programs()->mode == ORACLE_PROT16)
		data[0x80] = SEL_STACK16;
	for (i = 0; i < ORACLE_STACK_SIZE; i++)
		stack[i] = 0;
	for (i = 0; i < ORACLE_CODE_SIZE; i++)
		code[i] = program->code[i];
}

static __u64 sum_stack(void)
{
	const __u8 *stack = byte_at(ORACLE_STACK - ORACLE_STACK_SIZE);
	__u64 sum = 0;

	for (unsigned int i = 0; i < ORACLE_STACK_SIZE; i++) {
		if (stack[i])
			sum = sum * 31 + stack[i] + i;
	}
	return sum;
}

#if BITS == 64
static void begin(const struct oracle_program *program)
{
	static struct frame frame;
	bool user = program->flags & ORACLE_RING3, wide = programs()->mode == ORACLE_LONG;

	for (int i = 0; i < 15; i++)
		frame.regs[14 - i] = program->regs[i < 4 ? i : i + 1];
	frame.ip = ORACLE_CODE;
	frame.cs = wide ? (user ? SEL_USER64 : SEL_CODE64) : (user ? SEL_USER32 : SEL_CODE32);
	frame.flags = program->eflags | 2;
	frame.sp = ORACLE_STACK;
	frame.ss = user ? SEL_USER_DATA : SEL_DATA;
	asm volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\tmov %0, %%gs"
		     : : "r" (user ? SEL_USER_DATA : SEL_DATA));
	enter(&frame);
}
#elif BITS == 32
static void begin(const struct oracle_program *program)
{
	bool user = program->flags & ORACLE_RING3, narrow = programs()->mode == ORACLE_PROT16;
	/* IRET in the same ring leaves the stack pointer where it is then. */
	struct frame *frame = (void *)(ORACLE_STACK - __builtin_offsetof(struct frame, sp));

	if (user)
		frame = (void *)(HANDLER_STACK - sizeof(*frame));
	for (int i = 0; i < 8; i++)
		frame->regs[7 - i] = program->regs[i];
	frame->ds = narrow ? (user ? SEL_USER_DATA16 : SEL_DATA16) :
			     (user ? SEL_USER_DATA : SEL_DATA);
	frame->es = frame->ds;
	frame->fs = frame->ds;
	frame->gs = frame->ds;
	frame->ip = narrow ? 0 : ORACLE_CODE;
	frame->cs = narrow ? (user ? SEL_USER16 : SEL_CODE16) :
			     (user ? SEL_USER32 : SEL_CODE32);
	frame->flags = program->eflags | 2;
	frame->handler_ss = narrow && !user ? SEL_STACK16 : SEL_DATA;
	if (user) {
		frame->sp = ORACLE_STACK;
		frame->ss = narrow ? SEL_USER_STACK16 : SEL_USER_DATA;
	}
	enter(frame);
}
#else
static void begin(const struct oracle_program *program)
{
	for (int i = 0; i < 8; i++)
		saved.regs[7 - i] = program->regs[i];
	saved.regs[3] = ORACLE_STACK;
	saved.ip = 0;
	saved.cs = ORACLE_CODE >> 4;
	saved.ss = 0;
	saved.ds = ORACLE_DATA >> 4;
	saved.es = saved.ds;
	saved.fs = saved.ds;
	saved.gs = saved.ds;
	saved.flags = program->eflags | 2;
	enter(&saved);
}
#endif

/* An interrupt that it has not taken. */
static void drain(void)
{
	asm volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

static volatile __u64 *poked(const struct oracle_program *program)
{
	return (volatile __u64 *)byte_at(program->poke_at);
}

/* With an NMI that waits for the IRET into the program. */
static void raise_nmi(const struct oracle_program *program)
{
	set_gate(NMI_VECTOR, (unsigned long)block_nmis);
	wrmsr(MSR_ICR, ICR_NMI_TO_SELF);
	if (program->nmi_handler)
		set_program_gate(NMI_VECTOR, program->nmi_handler);
	else
		set_stub_gate(NMI_VECTOR);
	wrmsr(MSR_ICR, ICR_NMI_TO_SELF);
}

static void start_timer(void)
{
	wrmsr(MSR_TIMER_DIV, TIMER_DIV_1);
	wrmsr(MSR_LVT_TIMER, ORACLE_IRQ_VECTOR);
	wrmsr(MSR_TIMER_COUNT, TIMER_TICKS);
}

static void set_up(const struct oracle_program *program)
{
	fill_memory(program);
	set_cr4(cr4_base | program->cr4);
	set_dr0(program->dr[0]);
	set_dr1(program->dr[1]);
	set_dr2(program->dr[2]);
	set_dr3(program->dr[3]);
	set_dr6(DR6_INIT);
	if (programs()->mode >= ORACLE_PAE)
		set_cr2(0);
	if (program->flags & ORACLE_TASKS)
		set_up_task();
	if (program->flags & ORACLE_IRQ)
		wrmsr(MSR_SELF_IPI, ORACLE_IRQ_VECTOR);
	if (program->flags & ORACLE_TIMER)
		start_timer();
	if (program->flags & ORACLE_NMI)
		raise_nmi(program);
	if (program->poke_at) {
		saved_entry = *poked(program);
		*poked(program) = program->poke;
	}
	set_dr7(DR7_INIT | program->dr7);
}

/* What has been of use to the program alone */
static void clean_up(const struct oracle_program *program)
{
	if (program->poke_at) {
		*poked(program) = saved_entry;
		set_cr3(get_cr3());
	}
	if (program->flags & ORACLE_TASKS)
		clean_up_task();
	if (program->flags & ORACLE_TIMER)
		wrmsr(MSR_TIMER_COUNT, 0);
	if (program->flags & (ORACLE_IRQ | ORACLE_TIMER))
		drain();
}

static void run(const struct oracle_program *program, __u32 cr0)
{
	struct oracle_report *this = report;

	this->id = program->id;
	this->count = 0;
	this->reserved = 0;
	begin(program);
	this->dr7 = get_dr7();
	set_dr7(DR7_INIT);
	this->cr0 = get_cr0();
	this->cr4 = get_cr4();
	set_cr0(cr0);
	this->poked = program->poke_at ? *poked(program) : 0;
	this->stack = sum_stack();
	if (program->flags & ORACLE_TASKS)
		this->stack += sum_tasks();
	for (unsigned int i = 0; i < ORACLE_DATA_SIZE; i++)
		this->data[i] = *byte_at(ORACLE_DATA + i);
	clean_up(program);
}

/* --- all of them ------------------------------------------------------------- */

static void install_stubs(void)
{
	for (unsigned int n = 0; n < NR_STUBS; n++)
		set_stub_gate(n);
}

#define ATA_DATA	0x1f0
#define ATA_COUNT	0x1f2
#define ATA_LBA		0x1f3	/* and the next two */
#define ATA_DRIVE	0x1f6
#define ATA_COMMAND	0x1f7	/* and status */
#define ATA_BUSY	0x80
#define ATA_DRQ		0x08
#define ATA_WRITE	0x30
#define SECTOR_WORDS	256

static void write_sector(__u32 sector, const __u16 *words)
{
	out8(ATA_COUNT, 1);
	out8(ATA_LBA, sector);
	out8(ATA_LBA + 1, sector >> 8);
	out8(ATA_LBA + 2, sector >> 16);
	out8(ATA_DRIVE, 0xe0);
	out8(ATA_COMMAND, ATA_WRITE);
	while ((in8(ATA_COMMAND) & (ATA_BUSY | ATA_DRQ)) != ATA_DRQ)
		;
	for (unsigned int i = 0; i < SECTOR_WORDS; i++)
		out16(ATA_DATA, words[i]);
	while (in8(ATA_COMMAND) & ATA_BUSY)
		;
}

/* To a PC's disk; a vCPU has ended by then. */
static void write_report(void)
{
	__u32 sectors = (reports()->size + 511) / 512;

	for (__u32 i = 0; i < sectors; i++)
		write_sector(ORACLE_REPORT_SECTOR + i, (void *)byte_at(ORACLE_REPORT + 512 * i));
}

void run_all(void)
{
	__u8 *next = (__u8 *)(reports() + 1);
	__u32 cr0 = get_cr0() & ~CR0_CACHE;

	set_cr0(cr0);
	cr4_base = get_cr4();
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	wrmsr(MSR_APIC_BASE, APIC_ON & ~0x400);
	wrmsr(MSR_APIC_BASE, APIC_ON);
	wrmsr(MSR_SVR, 0x1ff);
	install_stubs();
	for (__u32 i = 0; i < programs()->count; i++) {
		struct oracle_report *this = (void *)next;

		set_up(&programs()->program[i]);
		report = this;
		run(&programs()->program[i], cr0);
		next += sizeof(*this) + this->count * sizeof(this->event[0]);
	}
	reports()->count = programs()->count;
	reports()->size = next - (__u8 *)reports();
	reports()->reserved = 0;
	reports()->magic = ORACLE_MAGIC;
	out32(ORACLE_DONE_PORT, reports()->count);
	write_report();
}
