// SPDX-License-Identifier: GPL-2.0-only
/* SET_DEBUG on arm64: steps and breakpoints of a debugger, which the guest does not notice. */
#include <stdio.h>
#include <sys/syscall.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "arm64.h"

#define STEP		AXVCPU_DEBUG_STEP
#define SOFT		AXVCPU_DEBUG_SOFT_BREAKPOINTS

/* Exception classes */
#define EC_SVC		0x15
#define EC_BREAKPOINT	0x30
#define EC_STEP		0x32
#define EC_WATCHPOINT	0x34
#define EC_BRK		0x3c

#define SCTLR_A		0x30c50832	/* as after RESET, and accesses must be aligned */
#define PSTATE_SS	(1ULL << 21)
#define PSTATE_I	(1ULL << 7)

#define MDSCR		sys(2, 0, 0, 2, 2)
#define MDSCR_SS	(1 << 0)
#define MDSCR_KDE	(1 << 13)
#define MDSCR_MDE	(1 << 15)

/* Where programs of EL0 and watchpoints have data */
#define DATA		(GUEST_DATA + 0x10000)
#define LOG_SIZE	0x4000

static struct axvcpu_breakpoint breakpoint(uint64_t addr, uint32_t kind, uint32_t len)
{
	struct axvcpu_breakpoint b = { addr, kind, len };

	return b;
}

static int set_debug(int fd, uint32_t flags, int slot, uint64_t addr, uint32_t kind, uint32_t len)
{
	struct axvcpu_set_debug args = { .flags = flags };

	args.breakpoints[slot] = breakpoint(addr, kind, len);
	return XIOCTL(fd, AXVCPU_SET_DEBUG, &args);
}

static int set_flags(FIXTURE_DATA(arm64) *self, uint32_t flags)
{
	return set_debug(self->v.fd, flags, 0, 0, 0, 0);
}

static int break_at(FIXTURE_DATA(arm64) *self, uint32_t flags, uint64_t at)
{
	return set_debug(self->v.fd, flags, 0, ENTRY + at, AXVCPU_BREAK_EXEC, 4);
}

static int watch(FIXTURE_DATA(arm64) *self, uint64_t addr, uint32_t kind, uint32_t len)
{
	return set_debug(self->v.fd, 0, 0, addr, kind, len);
}

static bool stopped(FIXTURE_DATA(arm64) *self, uint32_t class, uint64_t at, uint64_t payload)
{
	struct axvcpu_run *run = self->run;
	bool ok = run->exception.vector == class && run->exception.payload == payload &&
		  run->regs.arm64.pc == ENTRY + at && !run->exception.deliver &&
		  (class == EC_BRK || (run->exception.error_code & 0x3f) == 0x22);

	if (!ok)
		fprintf(stderr, "# class %x, ISS %x, payload %llx, pc %llx\n",
			run->exception.vector, run->exception.error_code, run->exception.payload,
			run->regs.arm64.pc);
	return ok;
}

#define EXPECT_STOP_FOR(class, at, payload)					\
do {										\
	ASSERT_EQ(AXVCPU_EXIT_DEBUG, run(self, 0)) TH_LOG("in front of %#x", (int)(at)); \
	EXPECT_TRUE(stopped(self, class, at, payload)) TH_LOG("at %#x", (int)(at)); \
} while (0)
#define EXPECT_STOP(class, at)	EXPECT_STOP_FOR(class, at, ENTRY + (at))
#define EXPECT_STEP(at)		EXPECT_STOP(EC_STEP, at)
#define EXPECT_EXIT(reason)	ASSERT_EQ(AXVCPU_EXIT_##reason, run(self, 0))

/* A vCPU at the start of a program, as new */
static int again(FIXTURE_DATA(arm64) *self, const uint8_t *code, const uint8_t *end)
{
	memset((void *)self->results, 0, LOG_SIZE);
	if (get_state(self->v.fd) == AXVCPU_STATE_READY)
		return start_again(self, 0, code, end);
	return start(self, code, end);
}

/* --- steps ------------------------------------------------------------------- */

/* QEMU does not wait, and traps nothing, while it steps. */
#define EXPECT_STEP_OF_WFI(at)							\
do {										\
	if (run(self, 0) == AXVCPU_EXIT_HALT)					\
		EXPECT_STEP(at);						\
	ASSERT_EQ(AXVCPU_EXIT_DEBUG, self->run->exit_reason);			\
	EXPECT_TRUE(stopped(self, EC_STEP, at, ENTRY + (at)));			\
} while (0)

/* What the CPU does itself, what the kernel does, and what the VMM does */
PROGRAM(steps_program,
	"mov x1, #1\n"			/* 0 */
	"ldr x2, [x20]\n"		/* 4: MMIO_READ */
	"str x1, [x20]\n"		/* 8: MMIO_WRITE */
	"mrs x3, id_aa64pfr0_el1\n"	/* c */
	"mrs x4, cntp_cval_el0\n"		/* 10: SYSREG_READ */
	"wfi\n"				/* 14: HALT, see below */
	"mov x0, #0x70\n"		/* 18 */
	"hvc #0\n"			/* 1c: HYPERCALL */
	"hvc #0\n"			/* 20: CPU_SUSPEND: HALT */
	"fmov d0, x1\n"			/* 24: the first use of FP */
	"ldr x5, [x21]\n"		/* 28: the first of a page */
	"b 1f\n nop\n"			/* 2c */
	"1: msr daifclr, #8\n"		/* 34 */
	"ldp x6, x7, [x20]\n"		/* 38: NESTED_PAGE_FAULT */
	"smc #1\n"			/* 3c: UNKNOWN */
	"nop\n" MEET(0x71));		/* 40 */

TEST_F(arm64, steps)
{
	ASSERT_EQ(0, again(self, steps_program, steps_program_end));
	ASSERT_EQ(0, set_flags(self, STEP));
	self->x[20] = GUEST_HOLE;
	self->x[21] = DATA + 0x20000;
	EXPECT_STEP(0x4);
	EXPECT_EXIT(MMIO_READ);
	self->run->mmio.data = 0x1234;
	EXPECT_STEP(0x8);
	EXPECT_EQ(0x1234, self->x[2]);
	EXPECT_EXIT(MMIO_WRITE);
	EXPECT_STEP(0xc);
	EXPECT_STEP(0x10);
	EXPECT_NE(0, self->x[3]);
	EXPECT_EXIT(SYSREG_READ);
	self->run->sysreg.value = 0x5678;
	EXPECT_STEP(0x14);
	EXPECT_EQ(0x5678, self->x[4]);
	EXPECT_STEP_OF_WFI(0x18);
	EXPECT_STEP(0x1c);
	EXPECT_EXIT(HYPERCALL);
	self->run->hypercall.ret = 0x84000001;
	EXPECT_STEP(0x20);
	EXPECT_EXIT(HALT);
	EXPECT_STEP(0x24);
	EXPECT_EQ(0, self->x[0]);
	EXPECT_STEP(0x28);
	EXPECT_STEP(0x2c);
	EXPECT_STEP(0x34);
	EXPECT_STEP(0x38);
	/* The VMM carries out the instruction, and moves the program counter. */
	EXPECT_EXIT(NESTED_PAGE_FAULT);
	self->run->regs.arm64.pc += 4;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_STEP(0x3c);
	EXPECT_EXIT(UNKNOWN);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY + 0x40));
	EXPECT_STEP(0x40);
	EXPECT_EQ(0, self->run->regs.arm64.pstate & PSTATE_SS);
	/* A debugger that moves it wants the instruction there to be done. */
	self->run->regs.arm64.pc = ENTRY;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_STEP(0x4);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY + 0x2c));
	EXPECT_STEP(0x34);
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EXIT(NESTED_PAGE_FAULT);
}

/* Asked for anew at each stop, as some debuggers do */
TEST_F(arm64, steps_that_are_asked_for_again)
{
	static const uint32_t exits[] = {
		AXVCPU_EXIT_DEBUG, AXVCPU_EXIT_MMIO_READ, AXVCPU_EXIT_DEBUG,
		AXVCPU_EXIT_MMIO_WRITE, AXVCPU_EXIT_DEBUG, AXVCPU_EXIT_DEBUG,
		AXVCPU_EXIT_SYSREG_READ, AXVCPU_EXIT_DEBUG,
	};

	ASSERT_EQ(0, again(self, steps_program, steps_program_end));
	self->x[20] = GUEST_HOLE;
	for (int i = 0; i < ARRAY_SIZE(exits); i++) {
		ASSERT_EQ(0, set_flags(self, STEP));
		ASSERT_EQ(exits[i], run(self, 0)) TH_LOG("exit %d", i);
	}
	EXPECT_EQ(ENTRY + 0x14, self->run->regs.arm64.pc);
	/* What was done before it came is no step. */
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EXIT(HALT);
	ASSERT_EQ(0, set_flags(self, STEP));
	EXPECT_STEP(0x1c);
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EXIT(HYPERCALL);
	ASSERT_EQ(0, set_flags(self, STEP));
	self->run->hypercall.ret = 0x84000000;
	EXPECT_STEP(0x24);
}

PROGRAM(keys_program,
	"msr s3_0_c2_c1_0, x20\n"
	".arch_extension pauth\n pacia x1, x2\n nop\n" MEET(0x70));

TEST_F(arm64, steps_to_keys)
{
	uint64_t isar1, isar2;

	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 1), &isar1));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 2), &isar2));
	if (!(isar1 & 0xff0) && !(isar2 & 0xf000))
		SKIP(return, "no pointer authentication");
	for (int at = 0; at <= 4; at += 4) {
		ASSERT_EQ(0, again(self, keys_program, keys_program_end));
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY + at));
		ASSERT_EQ(0, set_flags(self, STEP));
		EXPECT_STEP(at + 4);
		EXPECT_STEP(at + 8);
	}
}

/* Of each kind of exception: to the vector's first instruction, and back */
PROGRAM(vectors_program,
	ALL_SETUP("debug_vectors")	/* 0, 4, 8 */
	"svc #1\n"			/* c */
	".inst 0\n"			/* 10: undefined, for the hardware */
	"mrs x1, s3_0_c5_c3_0\n"	/* 14: undefined, for the kernel */
	"brk #3\n"			/* 18 */
	"adr x0, 1f\n msr elr_el1, x0\n mov x0, #0x3c0\n msr spsr_el1, x0\n eret\n" /* 1c */
	"1: svc #2\n"			/* 30: at EL0 */
	".inst 0\n"
	"brk #4\n"
	"ldr x1, [x20]\n"		/* 3c: not aligned */
	"svc #0x99\n"
	ALL_VECTORS("debug_vectors")
	"debug_vectors: mrs x9, esr_el1\n mrs x10, spsr_el1\n mrs x11, elr_el1\n"
	"lsr x13, x9, #26\n cmp x13, #0x15\n b.eq 2f\n add x11, x11, #4\n msr elr_el1, x11\n"
	"2: and x13, x9, #0xffff\n cmp x13, #0x99\n b.eq 3f\n eret\n 3:" MEET(0x70));

TEST_F(arm64, steps_into_exceptions_and_back)
{
	static const struct {
		uint32_t at, class, vector, behind;
	} rows[] = {
		{ 0x0c, EC_SVC, 0x200, 0x10 }, { 0x10, 0, 0x200, 0x14 },
		{ 0x14, 0, 0x200, 0x18 }, { 0x18, EC_BRK, 0x200, 0x1c },
		{ 0x30, EC_SVC, 0x400, 0x34 }, { 0x34, 0, 0x400, 0x38 },
		{ 0x38, EC_BRK, 0x400, 0x3c }, { 0x3c, 0x24, 0x400, 0x40 },
	};
	struct axvcpu_arm64_gprs *regs = &self->run->regs.arm64;
	uint64_t value, before;

	ASSERT_EQ(0, again(self, vectors_program, vectors_program_end));
	self->x[20] = DATA + 1;
	ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 0, 1, 0, 0), SCTLR_A));
	ASSERT_EQ(0, set_flags(self, STEP));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		while (regs->pc != ENTRY + rows[i].at)
			EXPECT_EXIT(DEBUG);
		before = regs->pstate;
		EXPECT_STEP(0x800 + rows[i].vector);
		ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 5, 2, 0), &value));
		EXPECT_EQ(rows[i].class, value >> 26) TH_LOG("at %#x", rows[i].at);
		ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 1), &value));
		EXPECT_EQ(ENTRY + rows[i].at + 4 * (rows[i].class == EC_SVC), value);
		ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 0), &value));
		EXPECT_EQ(before, value) TH_LOG("SPSR_EL1 at %#x", rows[i].at);
		/* ERET is a step too. */
		while (regs->pc >= ENTRY + 0x800)
			EXPECT_EXIT(DEBUG);
		EXPECT_TRUE(stopped(self, EC_STEP, rows[i].behind, ENTRY + rows[i].behind));
		EXPECT_EQ(before & 0xf, regs->pstate & 0xf);
	}
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_MEET(0x70);
}

/* The vector's first instruction is undefined: the next step comes to where it was. */
PROGRAM(bad_vectors_program,
	ALL_SETUP("bad_vectors") ".inst 0\n"
	".balign 2048\nvectors_bad_vectors: .fill 512, 4, 0\n");

#define ALLINT	(1 << 13)	/* of CPUs with FEAT_NMI, at each exception */

TEST_F(arm64, steps_in_bad_vectors)
{
	uint64_t elr = ENTRY + 0xc, value;

	ASSERT_EQ(0, again(self, bad_vectors_program, bad_vectors_program_end));
	ASSERT_EQ(0, set_flags(self, STEP));
	for (int at = 4; at <= 0xc; at += 4)
		EXPECT_STEP(at);
	for (int i = 0; i < 3; i++) {
		EXPECT_STEP(0x800 + 0x200);
		ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 1), &value));
		EXPECT_EQ(elr, value);
		ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 0), &value));
		EXPECT_EQ(0x3c5, value & ~ALLINT);
		elr = ENTRY + 0x800 + 0x200;
	}
}

/* An interrupt is a step into its handler; one that is masked is none. */
PROGRAM(interrupt_program,
	IRQ_SETUP("debug_irq")		/* 0 to 1c */
	"nop\n nop\n"			/* 1c, 20 */
	"msr daifclr, #2\n nop\n nop\n"	/* 24 */
	MEET(0x70)
	IRQ_VECTORS("debug_irq")
	"debug_irq: mrs x1, s3_0_c12_c12_0\n mrs x9, spsr_el1\n msr s3_0_c12_c12_1, x1\n eret\n");

TEST_F(arm64, steps_and_interrupts)
{
	struct axvcpu_arm64_gprs *regs = &self->run->regs.arm64;
	uint64_t behind, value;

	ASSERT_EQ(0, again(self, interrupt_program, interrupt_program_end));
	ASSERT_EQ(0, set_flags(self, STEP));
	while (regs->pc != ENTRY + 0x20)
		EXPECT_EXIT(DEBUG);
	ASSERT_EQ(0, inject(self->v.fd, 40, 0x80));
	EXPECT_STEP(0x24);
	/* In front of one of the next two instructions */
	while (regs->pc < ENTRY + 0x800)
		EXPECT_EXIT(DEBUG);
	EXPECT_EQ(ENTRY + 0x800 + 0x280, regs->pc);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 1), &behind));
	EXPECT_LE(ENTRY + 0x28, behind);
	EXPECT_GE(ENTRY + 0x2c, behind);
	while (regs->pc >= ENTRY + 0x800)
		EXPECT_EXIT(DEBUG);
	EXPECT_EQ(behind, regs->pc);
	EXPECT_EQ(40, self->x[1]);
	EXPECT_EQ(0, self->x[9] & (PSTATE_SS | PSTATE_I));
	/* An exception that INJECT brings */
	ASSERT_EQ(0, inject_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, 0));
	EXPECT_STEP(0x800 + 0x200);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 4, 0, 1), &value));
	EXPECT_EQ(behind, value);
}

/* --- breakpoints ------------------------------------------------------------- */

PROGRAM(loop_program,
	"mov x1, #3\n"			/* 0 */
	"1: nop\n"			/* 4 */
	"subs x1, x1, #1\n"		/* 8 */
	"b.ne 1b\n"			/* c */
	MEET(0x70));

/* In front of the instruction, each time that the guest comes there, and once */
TEST_F(arm64, breakpoint)
{
	for (int slot = 0; slot < AXVCPU_NR_BREAKPOINTS; slot++) {
		ASSERT_EQ(0, again(self, loop_program, loop_program_end));
		ASSERT_EQ(0, set_debug(self->v.fd, 0, slot, ENTRY + 4, AXVCPU_BREAK_EXEC, 4));
		for (int i = 3; i; i--) {
			EXPECT_STOP(EC_BREAKPOINT, 4);
			EXPECT_EQ(i, self->x[1]);
		}
		EXPECT_MEET(0x70);
	}
	/* Off in the middle, and on: at once, as the guest is there */
	ASSERT_EQ(0, again(self, loop_program, loop_program_end));
	ASSERT_EQ(0, break_at(self, 0, 4));
	EXPECT_STOP(EC_BREAKPOINT, 4);
	ASSERT_EQ(0, set_flags(self, 0));
	ASSERT_EQ(0, break_at(self, 0, 4));
	EXPECT_STOP(EC_BREAKPOINT, 4);
	/* Another one beside it does not bring it again. */
	ASSERT_EQ(0, set_debug(self->v.fd, 0, 3, ENTRY + 4, AXVCPU_BREAK_EXEC, 4));
	EXPECT_STOP(EC_BREAKPOINT, 4);
	EXPECT_EQ(2, self->x[1]);
	/* The VMM moves the guest away and back: it comes there anew. */
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY));
	EXPECT_STOP(EC_BREAKPOINT, 4);
	EXPECT_EQ(3, self->x[1]);
	/* To another one: it is not that which it stopped at. */
	ASSERT_EQ(0, break_at(self, 0, 8));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY + 8));
	EXPECT_STOP(EC_BREAKPOINT, 8);
	EXPECT_EQ(3, self->x[1]);
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_MEET(0x70);
}

/* With steps: the guest comes to it, and stops for it, and goes on by a step. */
TEST_F(arm64, breakpoint_and_steps)
{
	ASSERT_EQ(0, again(self, loop_program, loop_program_end));
	ASSERT_EQ(0, break_at(self, STEP, 4));
	for (int i = 3; i; i--) {
		EXPECT_STEP(0x4);
		EXPECT_STOP(EC_BREAKPOINT, 0x4);
		EXPECT_STEP(0x8);
		EXPECT_STEP(0xc);
	}
	EXPECT_STEP(0x10);
}

/* At EL0, too, and in front of what leads to EL1 */
TEST_F(arm64, breakpoint_at_el0)
{
	ASSERT_EQ(0, again(self, vectors_program, vectors_program_end));
	self->x[20] = DATA;
	for (int at = 0x30; at < 0x40; at += 4) {
		ASSERT_EQ(0, break_at(self, 0, at));
		EXPECT_STOP(EC_BREAKPOINT, at);
		EXPECT_EQ(0, self->run->regs.arm64.pstate & 0xf);
	}
	ASSERT_EQ(0, watch(self, DATA, AXVCPU_BREAK_ACCESS, 4));
	EXPECT_STOP_FOR(EC_WATCHPOINT, 0x3c, DATA);
	EXPECT_EQ(0, self->run->regs.arm64.pstate & 0xf);
	EXPECT_MEET(0x70);
}

/* On all instructions, whoever does them: each stops once. */
PROGRAM(self_program, "b .\n");

TEST_F(arm64, breakpoint_anywhere)
{
	static const struct {
		uint32_t at, exit, next;
	} rows[] = {
		{ 0x4, AXVCPU_EXIT_MMIO_READ }, { 0x8, AXVCPU_EXIT_MMIO_WRITE },
		{ 0x10, AXVCPU_EXIT_SYSREG_READ }, { 0x20, AXVCPU_EXIT_HALT },
		{ 0x1c, AXVCPU_EXIT_HYPERCALL }, { 0x38, AXVCPU_EXIT_NESTED_PAGE_FAULT },
		{ 0xc, AXVCPU_EXIT_SYSREG_READ }, { 0x24, AXVCPU_EXIT_NESTED_PAGE_FAULT },
		{ 0x28, AXVCPU_EXIT_NESTED_PAGE_FAULT },
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, again(self, steps_program, steps_program_end));
		self->x[0] = rows[i].exit == AXVCPU_EXIT_HALT ? 0x84000001 : 0x70;
		self->x[20] = GUEST_HOLE;
		self->x[21] = DATA + 0x30000;
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY + rows[i].at));
		ASSERT_EQ(0, break_at(self, 0, rows[i].at));
		EXPECT_STOP(EC_BREAKPOINT, rows[i].at);
		ASSERT_EQ(rows[i].exit, run(self, 0)) TH_LOG("at %#x", rows[i].at);
		if (rows[i].exit == AXVCPU_EXIT_NESTED_PAGE_FAULT)
			continue;
		ASSERT_NE(AXVCPU_EXIT_DEBUG, run(self, 0)) TH_LOG("behind %#x", rows[i].at);
	}
	/* One that branches to itself stops each time. */
	ASSERT_EQ(0, again(self, self_program, self_program_end));
	ASSERT_EQ(0, break_at(self, 0, 0));
	for (int i = 0; i < 3; i++)
		EXPECT_STOP(EC_BREAKPOINT, 0);
}

/* As many as the CPU has, of each kind, and all of them work. */
PROGRAM(many_program,
	".rept 16\n nop\n .endr\n"
	".set n, 0\n .rept 16\n str x1, [x20, #(n * 8)]\n .set n, n + 1\n .endr\n" MEET(0x70));

TEST_F(arm64, as_many_as_there_are)
{
	struct axvcpu_set_debug args = {};
	int nr[2] = {}, i;

	ASSERT_EQ(0, again(self, many_program, many_program_end));
	self->x[20] = DATA;
	for (i = 0; i < AXVCPU_NR_BREAKPOINTS; i++) {
		args.breakpoints[i] = breakpoint(ENTRY + 4 * i, AXVCPU_BREAK_EXEC, 4);
		if (XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args))
			break;
		nr[0]++;
	}
	args.breakpoints[nr[0] % AXVCPU_NR_BREAKPOINTS].kind = 0;
	for (i = nr[0]; i < AXVCPU_NR_BREAKPOINTS; i++) {
		args.breakpoints[i] = breakpoint(DATA + 8 * nr[1], AXVCPU_BREAK_WRITE, 8);
		if (XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args)) {
			args.breakpoints[i].kind = 0;
			break;
		}
		nr[1]++;
	}
	TH_LOG("%d breakpoints, %d watchpoints", nr[0], nr[1]);
	EXPECT_LE(2, nr[0]);
	EXPECT_LE(2, nr[1]);
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args));
	for (i = 0; i < nr[0]; i++)
		EXPECT_STOP(EC_BREAKPOINT, 4 * i);
	for (i = 0; i < nr[1]; i++)
		EXPECT_STOP_FOR(EC_WATCHPOINT, 0x40 + 4 * i, DATA + 8 * i);
	EXPECT_MEET(0x70);
}

/* --- watchpoints ------------------------------------------------------------- */

PROGRAM(access_program,
	"strb w1, [x20]\n strb w1, [x20]\n ldrb w2, [x20]\n ldrb w2, [x20]\n"
	"mov x19, #0x70\n" MEET(0x70));

/* Does the guest stop for a store, and for a load, of a byte, once, and before it is done? */
static int accesses(FIXTURE_DATA(arm64) *self, uint64_t addr)
{
	int stops = 0;

	if (set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, ENTRY))
		return -1;
	self->x[20] = addr;
	self->g.mem[addr] = 0;
	while (run(self, 0) == AXVCPU_EXIT_DEBUG) {
		unsigned int at = self->run->regs.arm64.pc - ENTRY;
		bool is_store = at < 8;

		if (!stopped(self, EC_WATCHPOINT, at, addr) || at > 0xc ||
		    stops & 1 << at / 4 || self->g.mem[addr] != (at ? 0x77 : 0))
			return -2;
		/* WnR */
		if (is_store != !!(self->run->exception.error_code & 1 << 6))
			return -3;
		stops |= 1 << at / 4;
	}
	return self->run->exit_reason == AXVCPU_EXIT_HYPERCALL ? stops : -4;
}

/* Each byte of a doubleword, and the ones around it */
TEST_F(arm64, watchpoint)
{
	ASSERT_EQ(0, again(self, access_program, access_program_end));
	self->x[1] = 0x77;
	for (unsigned int first = 0; first < 8; first++) {
		for (unsigned int len = 1; len <= 8; len++) {
			bool write = (first + len) & 1;
			uint32_t kind = write ? AXVCPU_BREAK_WRITE : AXVCPU_BREAK_ACCESS;
			int hits = write ? 0x3 : 0xf;

			if (first + len > 8) {
				EXPECT_EQ(-EINVAL, watch(self, DATA + first, kind, len));
				continue;
			}
			ASSERT_EQ(0, watch(self, DATA + first, kind, len));
			EXPECT_EQ(hits, accesses(self, DATA + first));
			EXPECT_EQ(hits, accesses(self, DATA + first + len - 1));
			EXPECT_EQ(0, accesses(self, DATA + first - 1));
			EXPECT_EQ(0, accesses(self, DATA + first + len));
		}
	}
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EQ(0, accesses(self, DATA));
}

TEST_F(arm64, watchpoint_on_a_block)
{
	ASSERT_EQ(0, again(self, access_program, access_program_end));
	self->x[1] = 0x77;
	for (uint32_t len = 16; len <= 0x8000; len *= 2) {
		ASSERT_EQ(0, watch(self, DATA + len, AXVCPU_BREAK_ACCESS, len));
		EXPECT_EQ(0, accesses(self, DATA + len - 1));
		EXPECT_EQ(0, accesses(self, DATA + 2 * len));
		EXPECT_EQ(0xf, accesses(self, DATA + len));
		EXPECT_EQ(0xf, accesses(self, DATA + 2 * len - 1));
		EXPECT_EQ(-EINVAL, watch(self, DATA + 8, AXVCPU_BREAK_ACCESS, len));
	}
	/* Half of all that has no sign */
	ASSERT_EQ(0, watch(self, 0, AXVCPU_BREAK_WRITE, 1U << 31));
	EXPECT_EQ(0x3, accesses(self, DATA));
	ASSERT_EQ(0, watch(self, 1ULL << 31, AXVCPU_BREAK_WRITE, 1U << 31));
	EXPECT_EQ(0, accesses(self, DATA));
}

/* One instruction with both: a stop for each */
TEST_F(arm64, breakpoint_and_watchpoint)
{
	struct axvcpu_set_debug args = {
		.breakpoints = {
			{ DATA, AXVCPU_BREAK_ACCESS, 4 }, { ENTRY + 4, AXVCPU_BREAK_EXEC, 4 },
		},
	};

	ASSERT_EQ(0, again(self, access_program, access_program_end));
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args));
	self->x[20] = DATA + 2;
	EXPECT_STOP_FOR(EC_WATCHPOINT, 0, DATA + 2);
	EXPECT_STOP(EC_BREAKPOINT, 4);
	EXPECT_STOP_FOR(EC_WATCHPOINT, 4, DATA + 2);
	EXPECT_STOP_FOR(EC_WATCHPOINT, 8, DATA + 2);
	args.flags = STEP;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args));
	EXPECT_STEP(0xc);
	EXPECT_STOP_FOR(EC_WATCHPOINT, 0xc, DATA + 2);
	EXPECT_STEP(0x10);
}

/* --- BRK --------------------------------------------------------------------- */

PROGRAM(brk_program,
	ALL_SETUP("debug_brk") "nop\n"	/* 0 to 10 */
	"brk #0x1234\n"			/* 10 */
	"nop\n" MEET(0x70)
	ALL_VECTORS("debug_brk")
	"debug_brk: mrs x9, esr_el1\n mrs x10, spsr_el1\n mrs x11, elr_el1\n"
	"add x13, x11, #4\n msr elr_el1, x13\n eret\n");

#define EXPECT_GUESTS_BRK()							\
do {										\
	EXPECT_MEET(0x70);							\
	EXPECT_EQ(0xf2001234, self->x[9]);					\
	EXPECT_EQ(0x3c5, self->x[10]);						\
	EXPECT_EQ(ENTRY + 0x10, self->x[11]);					\
	EXPECT_EQ(0x200, self->x[12]);						\
	self->x[9] = 0;								\
} while (0)

TEST_F(arm64, brk)
{
	const uint32_t nop = 0xd503201f;

	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, set_flags(self, SOFT));
	EXPECT_STOP(EC_BRK, 0x10);
	EXPECT_EQ(0x1234, self->run->exception.error_code & 0xffff);
	/* The same again, unless the debugger puts back what was there. */
	EXPECT_STOP(EC_BRK, 0x10);
	memcpy(self->g.mem + ENTRY + 0x10, &nop, sizeof(nop));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, self->x[9]);

	/* One that is the guest's */
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, set_flags(self, SOFT));
	EXPECT_STOP(EC_BRK, 0x10);
	self->run->exception.deliver = 1;
	EXPECT_GUESTS_BRK();
}

/* Without the flag it is the guest's, whatever else the debugger does. */
TEST_F(arm64, brk_of_the_guest)
{
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	EXPECT_GUESTS_BRK();
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, break_at(self, 0, 0x100));
	EXPECT_GUESTS_BRK();
	/* A breakpoint on it comes first. */
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, break_at(self, 0, 0x10));
	EXPECT_STOP(EC_BREAKPOINT, 0x10);
	EXPECT_GUESTS_BRK();
	/* With SOFT, too */
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, break_at(self, SOFT, 0x10));
	EXPECT_STOP(EC_BREAKPOINT, 0x10);
	EXPECT_STOP(EC_BRK, 0x10);
	/* Steps to it, and into the handler */
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, set_flags(self, STEP));
	for (int at = 4; at <= 0x10; at += 4)
		EXPECT_STEP(at);
	EXPECT_STEP(0x800 + 0x200);
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_GUESTS_BRK();
	/* The flag is for BRK alone. */
	ASSERT_EQ(0, again(self, brk_program, brk_program_end));
	ASSERT_EQ(0, set_flags(self, STEP | SOFT));
	for (int at = 4; at <= 0x10; at += 4)
		EXPECT_STEP(at);
	EXPECT_STOP(EC_BRK, 0x10);
	self->run->exception.deliver = 1;
	EXPECT_STEP(0x800 + 0x200);
}

/* --- the guest's own debugging ----------------------------------------------- */

/*
 * A guest with a debugger of its own, at EL1 and at EL0. Each exception is a row of four
 * in its log, x28: ESR, ELR, SPSR, and MDSCR with the vector, or FAR of a watchpoint. BRK,
 * breakpoints and watchpoints are skipped by the handler. Of each run of its own steps there
 * are x26, or it ends with SVC #0x55. None steps over what sets PSTATE.D: behind that, QEMU
 * takes the exception all the same.
 */
PROGRAM(own_program,
	ALL_SETUP("own")
	"mov x27, x26\n"
	"adr x1, 1f\n msr dbgbvr0_el1, x1\n adr x1, 2f\n msr dbgbvr1_el1, x1\n mov x1, #0x1e7\n"
	"msr dbgbcr0_el1, x1\n msr dbgbcr1_el1, x1\n"
	"msr dbgwvr1_el1, x20\n mov x1, #0x1ff7\n msr dbgwcr1_el1, x1\n"
	/* EL1: all are masked by KDE, then by PSTATE.D, then they are not. */
	"mov x1, #0x8001\n msr mdscr_el1, x1\n isb\n msr daifclr, #8\n bl 1f\n"
	"msr daifset, #8\n bl 1f\n"
	"mov x1, #0xa000\n msr mdscr_el1, x1\n isb\n bl 1f\n"
	"msr daifclr, #8\n bl 1f\n"
	/* EL1 steps itself: by PSTATE.D, and by ERET. */
	"msr daifset, #8\n mov x1, #0xa001\n msr mdscr_el1, x1\n isb\n nop\n"
	"msr daifclr, #8\n nop\n nop\n bl 1f\n nop\n svc #0x55\n msr daifset, #8\n nop\n"
	"mov x27, x26\n mov x1, #0xa001\n msr mdscr_el1, x1\n isb\n"
	"adr x1, 5f\n msr elr_el1, x1\n mov x1, #0x1c5\n movk x1, #0x20, lsl #16\n"
	"msr spsr_el1, x1\n eret\n"
	"nop\n 5: nop\n svc #1\n nop\n .inst 0\n nop\n brk #9\n nop\n svc #0x55\n msr daifset, #8\n"
	/* EL0, with steps of its own and without */
	"mov x1, #0x8000\n msr mdscr_el1, x1\n isb\n adr x1, 2f\n msr elr_el1, x1\n"
	"mov x1, #0x3c0\n msr spsr_el1, x1\n eret\n"
	"6: mov x27, x26\n mov x1, #0x8001\n msr mdscr_el1, x1\n isb\n"
	"adr x1, 2f\n msr elr_el1, x1\n mov x1, #0x3c0\n movk x1, #0x20, lsl #16\n"
	"msr spsr_el1, x1\n eret\n"
	"7:" MEET(0x70)
	/* A breakpoint, a watchpoint, BRK, undefined; without return */
	"1: nop\n ldr x2, [x20]\n str x2, [x20]\n .inst 0\n ret\n"
	"2: nop\n nop\n str x2, [x20]\n brk #7\n svc #2\n .inst 0\n ldr x2, [x21]\n"
	"nop\n nop\n nop\n"
	"svc #0x99\n"
	ALL_VECTORS("own")
	"own: mrs x9, esr_el1\n mrs x10, elr_el1\n mrs x11, spsr_el1\n mrs x13, mdscr_el1\n"
	"orr x13, x13, x12, lsl #32\n lsr x14, x9, #27\n cmp x14, #0x1a\n b.ne 10f\n"
	"mrs x13, far_el1\n 10: stp x9, x10, [x28], #16\n stp x11, x13, [x28], #16\n"
	"lsr x13, x9, #26\n cmp x13, #0x15\n b.eq 3f\n bic x13, x13, #1\n cmp x13, #0x32\n"
	"b.eq 4f\n"
	"add x10, x10, #4\n msr elr_el1, x10\n eret\n"
	"3: and x13, x9, #0xffff\n cmp x13, #0x99\n b.eq 8f\n cmp x13, #0x55\n b.eq 9f\n eret\n"
	/* A step: another one, or no more */
	"4: sub x27, x27, #1\n cbz x27, 9f\n orr x11, x11, #0x200000\n msr spsr_el1, x11\n eret\n"
	"9: mrs x13, mdscr_el1\n bic x13, x13, #1\n msr mdscr_el1, x13\n isb\n eret\n"
	/* The end of EL0, the first time and the second */
	"8: add x25, x25, #1\n mov x1, #0x3c5\n msr spsr_el1, x1\n cmp x25, #2\n adr x1, 6b\n"
	"adr x2, 7b\n csel x1, x1, x2, ne\n msr elr_el1, x1\n eret\n");

static int start_own(FIXTURE_DATA(arm64) *self)
{
	int err = again(self, own_program, own_program_end);

	self->x[20] = DATA;
	self->x[21] = DATA + 1;
	self->x[26] = 12;
	self->x[28] = RESULTS;
	return err ? err : set_reg(self->v.fd, sys(3, 0, 1, 0, 0), SCTLR_A);
}

static uint64_t log_entry(FIXTURE_DATA(arm64) *self, unsigned int i)
{
	return self->results[i];
}

static void print_log(FIXTURE_DATA(arm64) *self, const uint64_t *want, unsigned int words)
{
	for (unsigned int i = 0; i + 4 <= words; i += 4) {
		for (unsigned int j = 0; j < 4; j++) {
			if (want[i + j] == log_entry(self, i + j))
				continue;
			fprintf(stderr, "# exception %u, word %u: %llx, without a debugger %llx\n",
				i / 4, j, (unsigned long long)log_entry(self, i + j),
				(unsigned long long)want[i + j]);
			return;
		}
	}
}

#define LOG_WORDS	(LOG_SIZE / 8)
#define MANY		10000	/* stops, more than there can be */

/* What the hardware alone does is right: a debugger changes nothing of it. */
TEST_F(arm64, own_debugging_is_the_same)
{
	static const struct {
		uint32_t flags;
	} ways[] = {
		{ STEP }, { SOFT }, { STEP | SOFT },
	};
	static uint64_t want[LOG_WORDS];
	uint64_t end, steps = 0, breaks = 0, watches = 0;
	int stops;

	ASSERT_EQ(0, start_own(self));
	EXPECT_MEET(0x70);
	end = self->x[28];
	ASSERT_GT(RESULTS + LOG_SIZE, end);
	for (unsigned int i = 0; i < LOG_WORDS; i++) {
		want[i] = self->results[i];
		if (i % 4)
			continue;
		breaks += want[i] >> 27 == EC_BREAKPOINT / 2;
		steps += want[i] >> 27 == EC_STEP / 2;
		watches += want[i] >> 27 == EC_WATCHPOINT / 2;
	}
	TH_LOG("%d exceptions, breakpoints %d, steps %d, watchpoints %d",
	       (int)(end - RESULTS) / 32, (int)breaks, (int)steps, (int)watches);
	EXPECT_LE(4, breaks);
	EXPECT_LE(16, steps);
	EXPECT_LE(4, watches);

	for (int i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_EQ(0, start_own(self));
		ASSERT_EQ(0, set_flags(self, ways[i].flags));
		for (stops = 0; stops < MANY && run(self, 0) == AXVCPU_EXIT_DEBUG; stops++) {
			EXPECT_TRUE(self->run->exception.vector == EC_STEP ||
				    self->run->exception.vector == EC_BRK);
			self->run->exception.deliver = 1;
		}
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
		TH_LOG("flags %u: %d stops", ways[i].flags, stops);
		EXPECT_EQ(end, self->x[28]);
		print_log(self, want, LOG_WORDS);
		EXPECT_EQ(0, memcmp(want, (void *)self->results, LOG_SIZE));
	}
}

/* On and off between any two of its instructions */
TEST_F(arm64, attached_and_detached_anywhere)
{
	static uint64_t want[LOG_WORDS];
	uint64_t end;

	ASSERT_EQ(0, start_own(self));
	EXPECT_MEET(0x70);
	end = self->x[28];
	memcpy(want, (void *)self->results, LOG_SIZE);
	for (int n = 1; n < 60; n++) {
		int stops = 0;

		ASSERT_EQ(0, start_own(self));
		ASSERT_EQ(0, set_flags(self, STEP));
		while (stops < 7 * n && run(self, 0) == AXVCPU_EXIT_DEBUG)
			stops++;
		if (stops < 7 * n)
			break;
		ASSERT_EQ(0, set_flags(self, n & 1 ? 0 : SOFT));
		while (stops++ < MANY && run(self, 0) == AXVCPU_EXIT_DEBUG)
			self->run->exception.deliver = 1;
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
		EXPECT_EQ(end, self->x[28]) TH_LOG("detached after %d steps", 7 * n);
		print_log(self, want, LOG_WORDS);
	}
}

PROGRAM(registers_program,
	"mov x1, #0x5000\n msr dbgbvr0_el1, x1\n mov x1, #0x1e7\n msr dbgbcr0_el1, x1\n"
	"mov x1, #0x6000\n msr dbgwvr1_el1, x1\n mov x1, #0x1ff7\n msr dbgwcr1_el1, x1\n"
	"mov x1, #0xa000\n msr mdscr_el1, x1\n isb\n"
	"1: mrs x2, mdscr_el1\n mrs x3, dbgbvr0_el1\n mrs x4, dbgbcr0_el1\n"
	"mrs x5, dbgwvr1_el1\n mrs x6, dbgwcr1_el1\n mrs x7, dbgbcr1_el1\n" MEET(0x70) "b 1b\n");

TEST_F(arm64, own_registers_are_kept)
{
	uint64_t value;

	ASSERT_EQ(0, again(self, registers_program, registers_program_end));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, break_at(self, i & 1 ? STEP : SOFT, 0x200));
		while (run(self, 0) == AXVCPU_EXIT_DEBUG)
			;
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
		EXPECT_EQ(MDSCR_MDE | MDSCR_KDE, self->x[2]);
		EXPECT_EQ(0x5000, self->x[3]);
		EXPECT_EQ(0x1e7, self->x[4]);
		EXPECT_EQ(0x6000, self->x[5]);
		EXPECT_EQ(0x1ff7, self->x[6]);
		EXPECT_EQ(0, self->x[7]);
		ASSERT_EQ(0, get_reg(self->v.fd, MDSCR, &value));
		EXPECT_EQ(MDSCR_MDE | MDSCR_KDE, value);
	}
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, MDSCR, 1 << 14));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, sys(2, 0, 0, 0, 5), 1 << 13));
}

/* Of each kind, the debugger's are in force instead of the guest's, and then the guest's again. */
PROGRAM(both_program,
	ALL_SETUP("debug_both")
	"adr x1, 1f\n msr dbgbvr1_el1, x1\n mov x1, #0x1e7\n msr dbgbcr1_el1, x1\n"
	"msr dbgwvr0_el1, x20\n mov x1, #0x1ff7\n msr dbgwcr0_el1, x1\n"
	"mov x1, #0xa000\n msr mdscr_el1, x1\n isb\n msr daifclr, #8\n" MEET(0x70)
	"2: mov x14, #0\n 1: nop\n str x1, [x20]\n" MEET(0x71) "b 2b\n"
	ALL_VECTORS("debug_both")
	"debug_both: mrs x9, esr_el1\n lsr x9, x9, #26\n lsl x14, x14, #8\n orr x14, x14, x9\n"
	"mrs x9, elr_el1\n add x9, x9, #4\n msr elr_el1, x9\n eret\n");

TEST_F(arm64, own_breakpoints_come_back)
{
	ASSERT_EQ(0, again(self, both_program, both_program_end));
	self->x[20] = DATA;
	EXPECT_MEET(0x70);
	for (int i = 0; i < 2; i++) {
		EXPECT_MEET(0x71);
		EXPECT_EQ(0x3135, self->x[14]);
		ASSERT_EQ(0, break_at(self, 0, 0x200));
		EXPECT_MEET(0x71);
		EXPECT_EQ(0x35, self->x[14]);
		/* It has turned them off: hardware has them on for the debugger's. */
		ASSERT_EQ(0, set_reg(self->v.fd, MDSCR, MDSCR_KDE));
		EXPECT_MEET(0x71);
		EXPECT_EQ(0, self->x[14]);
		ASSERT_EQ(0, set_reg(self->v.fd, MDSCR, MDSCR_KDE | MDSCR_MDE));
		ASSERT_EQ(0, watch(self, DATA + 0x100, AXVCPU_BREAK_WRITE, 8));
		EXPECT_MEET(0x71);
		EXPECT_EQ(0x31, self->x[14]);
		ASSERT_EQ(0, watch(self, DATA, AXVCPU_BREAK_WRITE, 8));
		ASSERT_EQ(AXVCPU_EXIT_DEBUG, run(self, 0));
		EXPECT_EQ(EC_WATCHPOINT, self->run->exception.vector);
		EXPECT_MEET(0x71);
		EXPECT_EQ(0x31, self->x[14]);
		ASSERT_EQ(0, set_flags(self, SOFT));
		EXPECT_MEET(0x71);
		EXPECT_EQ(0x3135, self->x[14]);
		ASSERT_EQ(0, set_flags(self, 0));
	}
}

/* --- whose it is ------------------------------------------------------------- */

TEST_F(arm64, reset_forgets)
{
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, again(self, loop_program, loop_program_end));
		ASSERT_EQ(0, break_at(self, STEP | SOFT, 4));
		EXPECT_STEP(4);
		if (i) {
			EXPECT_STOP(EC_BREAKPOINT, 4);
		}
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, i ? reset_run(self->v.fd) : reset_vcpu(self->v.fd));
		ASSERT_EQ(0, start(self, loop_program, loop_program_end));
		EXPECT_MEET(0x70);
	}
	/* It is not part of a start: it may come before it. */
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, set_flags(self, STEP));
	ASSERT_EQ(0, start(self, loop_program, loop_program_end));
	EXPECT_STEP(4);
}

/* Two vCPUs take turns on a CPU, with a debugger each, or none. */
TEST_F(arm64, two_vcpus)
{
	struct guest_vcpu other;

	pin_to_cpu(0);
	ASSERT_EQ(0, again(self, loop_program, loop_program_end));
	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, ENTRY));
	ASSERT_EQ(0, set_flags(self, STEP));
	EXPECT_STEP(4);
	ASSERT_EQ(0, run_vcpu(other.fd, 0));
	EXPECT_EQ(AXVCPU_EXIT_HYPERCALL, other.run->exit_reason);
	vcpu_destroy(&other);

	ASSERT_EQ(0, vcpu_start(&self->g, &other, 2, ENTRY));
	ASSERT_EQ(0, set_debug(other.fd, 0, 0, ENTRY + 8, AXVCPU_BREAK_EXEC, 4));
	EXPECT_STEP(8);
	for (int i = 3; i; i--) {
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		ASSERT_EQ(AXVCPU_EXIT_DEBUG, other.run->exit_reason);
		EXPECT_EQ(ENTRY + 8, other.run->regs.arm64.pc);
		EXPECT_EQ(i, other.run->regs.arm64.x[1]);
		EXPECT_EXIT(DEBUG);
		EXPECT_EQ(EC_STEP, self->run->exception.vector);
	}
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_MEET(0x70);
	vcpu_destroy(&other);
}

PROGRAM(spin_program, "1: add x1, x1, #1\n b 1b\n");

/* Not while another thread is inside RUN; after a kick it is. */
TEST_F(arm64, running)
{
	struct vcpu_thread thread;

	ASSERT_EQ(0, again(self, spin_program, spin_program_end));
	ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
	EXPECT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	EXPECT_EQ(-EBUSY, set_flags(self, STEP));
	EXPECT_EQ(-EINTR, thread_stop(&thread));
	ASSERT_EQ(0, set_flags(self, STEP));
	for (int i = 0; i < 20; i++) {
		uint64_t pc = self->run->regs.arm64.pc, x1 = self->x[1];

		EXPECT_STEP(pc == ENTRY ? 4 : 0);
		EXPECT_EQ(x1 + (pc == ENTRY), self->x[1]);
	}
	/* It spins, and is kicked, with a breakpoint that it does not come to. */
	ASSERT_EQ(0, break_at(self, 0, 0x100));
	ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
	EXPECT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	usleep(50000);
	EXPECT_EQ(-EINTR, thread_stop(&thread));
}

TEST_F(arm64, refused)
{
	static const struct axvcpu_breakpoint rows[] = {
		{ ENTRY, AXVCPU_BREAK_EXEC, 0 }, { ENTRY, AXVCPU_BREAK_EXEC, 1 },
		{ ENTRY, AXVCPU_BREAK_EXEC, 2 }, { ENTRY, AXVCPU_BREAK_EXEC, 8 },
		{ ENTRY + 1, AXVCPU_BREAK_EXEC, 4 }, { ENTRY + 2, AXVCPU_BREAK_EXEC, 4 },
		{ ENTRY, 4, 4 }, { ENTRY, ~0U, 4 }, { ENTRY, 1U << 31 | AXVCPU_BREAK_EXEC, 4 },
		{ DATA, AXVCPU_BREAK_WRITE, 0 }, { DATA, AXVCPU_BREAK_WRITE, 9 },
		{ DATA, AXVCPU_BREAK_WRITE, 12 }, { DATA, AXVCPU_BREAK_WRITE, 24 },
		{ DATA + 7, AXVCPU_BREAK_WRITE, 2 }, { DATA + 1, AXVCPU_BREAK_ACCESS, 8 },
		{ DATA + 8, AXVCPU_BREAK_ACCESS, 16 }, { DATA, AXVCPU_BREAK_ACCESS, ~0U },
		{ DATA + 0x1000, AXVCPU_BREAK_WRITE, 1U << 31 },
		{ 1ULL << 55, AXVCPU_BREAK_EXEC, 4 }, { 1ULL << 56, AXVCPU_BREAK_WRITE, 8 },
		{ 0xaa00000000000000, AXVCPU_BREAK_WRITE, 8 },
	};
	struct axvcpu_set_debug args = {};

	ASSERT_EQ(0, again(self, loop_program, loop_program_end));
	/* What is refused changes nothing. */
	ASSERT_EQ(0, break_at(self, 0, 8));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(-EINVAL, set_debug(self->v.fd, 0, i % AXVCPU_NR_BREAKPOINTS, rows[i].addr,
					     rows[i].kind, rows[i].len)) TH_LOG("row %d", i);
	}
	for (int kind = AXVCPU_BREAK_EXEC; kind <= AXVCPU_BREAK_ACCESS; kind++) {
		for (int i = 0; i < AXVCPU_NR_BREAKPOINTS; i++)
			args.breakpoints[i] = breakpoint(DATA + 8 * i, kind, 4);
		EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SET_DEBUG, &args));
	}
	EXPECT_STOP(EC_BREAKPOINT, 8);
	/* What stands beside BREAK_NONE does not matter. */
	for (int i = 0; i < AXVCPU_NR_BREAKPOINTS; i++)
		ASSERT_EQ(0, set_debug(self->v.fd, 0, i, 3, AXVCPU_BREAK_NONE, ~0U));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, set_debug(self->v.fd, 0, 0, -8ULL << 40, AXVCPU_BREAK_WRITE, 8));
	EXPECT_NE(0, self->g.info.caps & AXVCPU_CAP_DEBUG);
}

/* --- the host's own ---------------------------------------------------------- */

static int host_watchpoint(volatile uint64_t *at)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_RW,
		.bp_addr = (uintptr_t)at,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	return fd < 0 ? -errno : fd;
}

/* At EL0: it uses all that the thread that runs it watches. */
PROGRAM(touch_program,
	ALL_SETUP("touch")
	"msr mdscr_el1, x22\n isb\n"
	"1: adr x1, 2f\n msr elr_el1, x1\n mov x1, #0x3c0\n msr spsr_el1, x1\n eret\n"
	"2: ldr x2, [x20]\n ldr x2, [x20, #8]\n ldr x2, [x20, #16]\n ldr x2, [x20, #24]\n svc #0\n"
	ALL_VECTORS("touch")
	"touch: mrs x9, esr_el1\n lsr x9, x9, #26\n" MEET(0x70) "b 1b\n");

/* A guest meets none of the host's watchpoints, whatever either side has. */
TEST_F(arm64, hosts_watchpoints_are_not_the_guests)
{
	/* The guest's address is the thread's. */
	volatile uint64_t *watched = mmap((void *)DATA, 0x10000, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint64_t count;
	int fd[4], i, n;

	ASSERT_EQ((void *)DATA, (void *)watched);
	for (n = 0; n < 4; n++) {
		fd[n] = host_watchpoint(watched + n);
		if (fd[n] < 0)
			break;
	}
	ASSERT_LE(2, n);
	ASSERT_EQ(0, again(self, touch_program, touch_program_end));
	self->x[20] = DATA;
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, set_reg(self->v.fd, MDSCR, i & 1 ? MDSCR_MDE : 0));
		self->x[22] = i & 1 ? MDSCR_MDE : 0;
		if (i & 2) {
			ASSERT_EQ(0, watch(self, DATA + 0x100, AXVCPU_BREAK_WRITE, 8));
		} else {
			ASSERT_EQ(0, set_flags(self, i & 4 ? SOFT : 0));
		}
		EXPECT_MEET(0x70);
		EXPECT_EQ(EC_SVC, self->x[9]) TH_LOG("round %d", i);
		for (int k = 0; k < n; k++)
			watched[k] = i;
	}
	for (int k = 0; k < n; k++) {
		ASSERT_EQ(sizeof(count), read(fd[k], &count, sizeof(count)));
		EXPECT_EQ(i, count);
		close(fd[k]);
	}
	munmap((void *)DATA, 0x10000);
}

TEST_HARNESS_MAIN
