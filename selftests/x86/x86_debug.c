// SPDX-License-Identifier: GPL-2.0-only
/* SET_DEBUG: steps and breakpoints of a debugger, which the guest does not notice. */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define DEBUG		(CODE_EXIT + AXVCPU_EXIT_DEBUG)
#define BS		0x4000
#define TF		0x100

CODE(steps, "mov $1, %ebx; nop; push %rbx; pop %rbx; cpuid; out %al, $0x80; pushf; pop %rbx; nop");
CODE(loop, "mov $3, %ebx; 1: nop; dec %ebx; jnz 1b");
CODE(stores, "mov %rax, (%rdi); movb $1, 9(%rdi); mov (%rdi), %rbx; mov %rax, (%rdi)");
CODE(int3, "nop; int3; nop");
CODE(nops, "nop; nop; nop");
CODE(set_dr, "mov $0x80001, %eax; mov %rax, %dr0; mov $0x402, %eax; mov %rax, %dr7; nop");
CODE(get_dr, "mov %dr0, %rbx; mov %dr7, %rbp; mov %dr6, %r10");

CODE_FIXTURE(x86_debug);

static int debug(FIXTURE_DATA(x86_debug) *self, uint32_t flags, int slot, uint64_t addr,
		 uint32_t kind, uint32_t len)
{
	struct axvcpu_set_debug args = { .flags = flags };

	args.breakpoints[slot] = (struct axvcpu_breakpoint){ addr, kind, len };
	return XIOCTL(self->c.v.fd, AXVCPU_SET_DEBUG, &args);
}

static int set_flags(FIXTURE_DATA(x86_debug) *self, uint32_t flags)
{
	return debug(self, flags, 0, 0, 0, 0);
}

static bool stopped(FIXTURE_DATA(x86_debug) *self, uint32_t vector, uint64_t payload, uint64_t at)
{
	struct axvcpu_run *run = self->run;
	bool ok = run->exception.vector == vector && run->exception.payload == payload &&
		  run->regs.x86.rip == CODE_GPA + at;

	if (!ok)
		fprintf(stderr, "# vector %u, payload %llx, rip %llx\n", run->exception.vector,
			run->exception.payload, run->regs.x86.rip);
	return ok;
}

/* Each instruction, those that the kernel or the VMM carries out too */
TEST_F(x86_debug, steps)
{
	static const int ends[] = { 5, 6, 7, 8, 10, 12, 13, 14, 15 };

	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
	code_place(&self->c, steps, steps_end - steps);
	for (int i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends[i] == 12) {
			ASSERT_EQ(0, run_until(&self->c.v, AXVCPU_EXIT_IO_WRITE));
			EXPECT_EQ(0x80, self->run->io.port);
		}
		ASSERT_EQ(DEBUG, code_go_on(&self->c));
		EXPECT_TRUE(stopped(self, 1, BS, ends[i]));
		EXPECT_EQ(0, self->run->regs.x86.rflags & TF);
	}
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* The answer to an exit, and what comes in between, are steps too. */
TEST_F(x86_debug, steps_and_answers)
{
	static const uint8_t in[] = { 0xe4, 0x80, 0x90 };

	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
	code_place(&self->c, in, sizeof(in));
	ASSERT_EQ(0, run_until(&self->c.v, AXVCPU_EXIT_IO_READ));
	self->run->io.data = 0x5a;
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, BS, 2));
	EXPECT_EQ(0x5a, self->run->regs.x86.gpr[AXVCPU_X86_RAX] & 0xff);

	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= 0x200;
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x60));
	EXPECT_EQ(0x60, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	/* That was the handler's OUT, and its IRET is the next step. */
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_GT(GUEST_PROG(1), self->run->regs.x86.rip);
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, BS, 0));
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, BS, 1));
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* An instruction in the shadow of STI or MOV SS is a step, and the shadow's end. */
TEST_F(x86_debug, steps_out_of_a_shadow)
{
	for (int block = 1; block <= 2; block++) {
		ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
		code_place(&self->c, nops, nops_end - nops);
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, block));
		ASSERT_EQ(DEBUG, code_go_on(&self->c));
		EXPECT_TRUE(stopped(self, 1, BS, 1));
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
		ASSERT_EQ(0, set_flags(self, 0));
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	}
}

/* A guest that steps itself has its own trap too, behind the debugger's stop. */
TEST_F(x86_debug, steps_of_both)
{
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= TF;
	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, BS, 1));
	EXPECT_EQ(TF, self->run->regs.x86.rflags & TF);
	ASSERT_EQ(0, set_flags(self, 0));
	for (int at = 1; at <= 3; at++) {
		ASSERT_EQ(1, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + at, self->c.rip);
	}
}

/* In front of the instruction, each time that the guest comes there, and once */
TEST_F(x86_debug, breakpoint)
{
	for (int slot = 0; slot < 4; slot++) {
		ASSERT_EQ(0, debug(self, 0, slot, CODE_GPA + 5, AXVCPU_BREAK_EXEC, 1));
		code_place(&self->c, loop, loop_end - loop);
		for (int i = 3; i; i--) {
			ASSERT_EQ(DEBUG, code_go_on(&self->c));
			EXPECT_TRUE(stopped(self, 1, 1 << slot, 5));
			EXPECT_EQ(i, self->run->regs.x86.gpr[AXVCPU_X86_RBX]);
		}
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	}
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, loop));
}

/* Behind the access; reads only where they are asked for */
TEST_F(x86_debug, watchpoint)
{
	self->run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	ASSERT_EQ(0, debug(self, 0, 1, CODE_DATA, AXVCPU_BREAK_WRITE, 8));
	ASSERT_EQ(DEBUG, RUN_CODE(&self->c, stores));
	EXPECT_TRUE(stopped(self, 1, 2, 3));
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, 2, 13));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));

	ASSERT_EQ(0, debug(self, 0, 3, CODE_DATA + 8, AXVCPU_BREAK_ACCESS, 2));
	ASSERT_EQ(DEBUG, RUN_CODE(&self->c, stores));
	EXPECT_TRUE(stopped(self, 1, 8, 7));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));

	ASSERT_EQ(0, debug(self, 0, 0, CODE_DATA, AXVCPU_BREAK_ACCESS, 4));
	ASSERT_EQ(DEBUG, RUN_CODE(&self->c, stores));
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	EXPECT_TRUE(stopped(self, 1, 1, 10));
}

/* The guest's debug registers are its own, and come back into force. */
TEST_F(x86_debug, guests_own_registers)
{
	volatile __u64 *gpr = self->run->regs.x86.gpr;

	ASSERT_EQ(0, debug(self, 0, 0, CODE_GPA + 100, AXVCPU_BREAK_EXEC, 1));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, set_dr));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, get_dr));
	EXPECT_EQ(0x80001, gpr[AXVCPU_X86_RBX]);
	EXPECT_EQ(0x402, gpr[AXVCPU_X86_RBP]);
	EXPECT_EQ(0xffff0ff0, gpr[AXVCPU_X86_R10]);
	/* Its breakpoint is at CODE_GPA + 1. */
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
	ASSERT_EQ(0, set_flags(self, 0));
	EXPECT_EQ(1, RUN_CODE(&self->c, nops));
	EXPECT_EQ(CODE_GPA + 1, self->c.rip);
}

TEST_F(x86_debug, int3)
{
	EXPECT_EQ(3, RUN_CODE(&self->c, int3));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);

	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_SOFT_BREAKPOINTS));
	ASSERT_EQ(DEBUG, RUN_CODE(&self->c, int3));
	EXPECT_TRUE(stopped(self, 3, CODE_GPA + 1, 1));
	/* The same again, unless the debugger puts back what was there. */
	ASSERT_EQ(DEBUG, code_go_on(&self->c));
	self->c.g.mem[CODE_GPA + 1] = 0x90;
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));

	/* One that is the guest's */
	ASSERT_EQ(DEBUG, RUN_CODE(&self->c, int3));
	self->run->exception.deliver = 1;
	EXPECT_EQ(3, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);
}

/* What stands beside BREAK_NONE does not matter, in a slot that the CPU lacks either. */
TEST_F(x86_debug, no_breakpoint)
{
	for (int slot = 0; slot < AXVCPU_NR_BREAKPOINTS; slot++) {
		ASSERT_EQ(0, debug(self, 0, slot, CODE_GPA, AXVCPU_BREAK_NONE, 1));
		ASSERT_EQ(0, debug(self, 0, slot, 3, AXVCPU_BREAK_NONE, ~0U));
	}
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
}

TEST_F(x86_debug, refused)
{
	static const struct {
		int slot;
		uint64_t addr;
		uint32_t kind, len;
	} rows[] = {
		{ 4, 0x1000, AXVCPU_BREAK_EXEC, 1 }, { 15, 0x1000, AXVCPU_BREAK_EXEC, 1 },
		{ 0, 0x1000, 4, 1 }, { 0, 0x1000, ~0U, 1 }, { 0, 0x1000, AXVCPU_BREAK_EXEC, 0 },
		{ 0, 0x1000, AXVCPU_BREAK_EXEC, 2 }, { 0, 0x1000, AXVCPU_BREAK_WRITE, 3 },
		{ 0, 0x1000, AXVCPU_BREAK_WRITE, 16 }, { 0, 0x1000, AXVCPU_BREAK_WRITE, ~0U },
		{ 0, 0x1001, AXVCPU_BREAK_WRITE, 2 }, { 0, 0x1004, AXVCPU_BREAK_ACCESS, 8 },
	};

	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(-EINVAL, debug(self, 0, rows[i].slot, rows[i].addr, rows[i].kind,
					 rows[i].len)) TH_LOG("row %d", i);
	}
	EXPECT_EQ(-EINVAL, set_flags(self, 4));
	/* What was there is there. */
	EXPECT_EQ(DEBUG, RUN_CODE(&self->c, nops));
	/* RESET ends it. */
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
	/* From the start on */
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_flags(self, AXVCPU_DEBUG_STEP));
	EXPECT_EQ(-EPROTO, code_setup(&self->c));
	EXPECT_EQ(AXVCPU_EXIT_DEBUG, self->run->exit_reason);
}

TEST_HARNESS_MAIN
