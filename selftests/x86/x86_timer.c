// SPDX-License-Identifier: GPL-2.0-only
/* The preemption timer: an exit after so many ticks in the guest, whatever it does. */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define TIMER		(CODE_EXIT + AXVCPU_EXIT_PREEMPTION_TIMER)
#define HALTED		(CODE_EXIT + AXVCPU_EXIT_HALT)
#define IO_WRITE	(CODE_EXIT + AXVCPU_EXIT_IO_WRITE)
#define TICKS		200000ULL
#define PAGE_TABLE	0x9000
#define REG		AXVCPU_X86_REG_PREEMPTION_TIMER

CODE(nops, "nop; nop");
CODE(spin, "1: inc %rbx; jmp 1b");
CODE(spin_exits, "1: inc %rbp; cpuid; jmp 1b");
CODE(spin_out, "1: mov $100, %ecx; 2: dec %ecx; jnz 2b; out %al, $0x80; jmp 1b");
CODE(hlt, "hlt; nop");

FIXTURE(x86_timer) {
	struct x86_code c;
	struct axvcpu_run *run;
	volatile __u64 *gpr;
};

FIXTURE_SETUP(x86_timer)
{
	int err = code_start(&self->c, 0);

	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	if (!(self->c.g.info.caps & AXVCPU_CAP_PREEMPTION_TIMER)) {
		EXPECT_EQ(0, set_reg(self->c.v.fd, REG, 0));
		EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, REG, 1));
		SKIP(return, "no preemption timer");
	}
	self->run = self->c.v.run;
	self->gpr = self->run->regs.x86.gpr;
}

FIXTURE_TEARDOWN(x86_timer)
{
	code_destroy(&self->c);
}

static int arm(FIXTURE_DATA(x86_timer) *self, uint64_t ticks)
{
	return set_reg(self->c.v.fd, REG, ticks);
}

static uint64_t left(FIXTURE_DATA(x86_timer) *self)
{
	return code_reg(&self->c, REG);
}

static uint64_t guest_tsc(FIXTURE_DATA(x86_timer) *self)
{
	return code_reg(&self->c, AXVCPU_X86_REG_MSR(0x10));
}

/* Interrupts on or off, with exits that the kernel handles or none */
TEST_F(x86_timer, ends_a_loop)
{
	static const struct {
		const uint8_t *code, *end;
		uint64_t rflags;
	} rows[] = {
		{ spin, spin_end, 0x202 }, { spin, spin_end, 2 },
		{ spin_exits, spin_exits_end, 0x202 },
	};
	uint64_t tsc;

	EXPECT_EQ(0, left(self));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		code_place(&self->c, rows[i].code, rows[i].end - rows[i].code);
		self->run->regs.x86.rflags = rows[i].rflags;
		self->gpr[AXVCPU_X86_RBX] = 0;
		self->gpr[AXVCPU_X86_RBP] = 0;
		ASSERT_EQ(0, arm(self, TICKS));
		tsc = guest_tsc(self);
		ASSERT_EQ(TIMER, code_go_on(&self->c)) TH_LOG("row %d", i);
		EXPECT_LE(TICKS, guest_tsc(self) - tsc);
		/* Not at once, and it does not go on by itself. */
		EXPECT_LT(100, self->gpr[rows[i].code == spin ? AXVCPU_X86_RBX : AXVCPU_X86_RBP]);
		EXPECT_EQ(0, left(self));
	}
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
}

/* What is left is kept over exits to the VMM, and the VMM's time does not count. */
TEST_F(x86_timer, what_is_left)
{
	uint64_t before = TICKS, now, began;
	int exits = 0, ret;

	code_place(&self->c, spin_out, spin_out_end - spin_out);
	ASSERT_EQ(0, arm(self, TICKS));
	EXPECT_LE(TICKS, left(self));
	EXPECT_GT(TICKS + 4096, left(self));
	while ((ret = code_go_on(&self->c)) == IO_WRITE) {
		now = left(self);
		ASSERT_LT(0, now);
		ASSERT_GE(before, now);
		/* More than all that is left, were it to count */
		for (began = guest_tsc(self); !exits && guest_tsc(self) - began < TICKS;)
			;
		ASSERT_EQ(now, left(self));
		before = now;
		exits++;
	}
	ASSERT_EQ(TIMER, ret);
	EXPECT_LT(10, exits);
	EXPECT_GT(TICKS / 100, exits);
	EXPECT_EQ(0, left(self));
	EXPECT_EQ(IO_WRITE, code_go_on(&self->c));
}

/* It can be stopped, and started again from what is left. */
TEST_F(x86_timer, stopped)
{
	uint64_t kept;

	code_place(&self->c, spin_out, spin_out_end - spin_out);
	ASSERT_EQ(0, arm(self, 1000000));
	ASSERT_EQ(IO_WRITE, code_go_on(&self->c));
	kept = left(self);
	ASSERT_EQ(0, arm(self, 0));
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(IO_WRITE, code_go_on(&self->c));
	EXPECT_EQ(0, left(self));
	ASSERT_EQ(0, arm(self, kept));
	EXPECT_LE(kept, left(self));
	ASSERT_EQ(IO_WRITE, code_go_on(&self->c));
	EXPECT_LT(0, left(self));
	/* RESET ends it. */
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(0, left(self));
}

/* An event is not lost to it, and a halt is not time in the guest. */
TEST_F(x86_timer, events_and_halts)
{
	for (int ticks = 1; ticks < 4000; ticks += 173) {
		int timers = 0, irqs = 0, ret;

		code_place(&self->c, nops, nops_end - nops);
		self->run->regs.x86.rflags |= 0x200;
		ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x61));
		ASSERT_EQ(0, arm(self, ticks));
		while ((ret = code_go_on(&self->c)) != CODE_DONE) {
			ASSERT_TRUE(ret == TIMER || ret == 0x61) TH_LOG("%x", ret);
			timers += ret == TIMER;
			irqs += ret == 0x61;
			ASSERT_GE(1, timers);
		}
		EXPECT_EQ(1, irqs) TH_LOG("%d ticks", ticks);
		ASSERT_EQ(0, arm(self, 0));
	}
	ASSERT_EQ(0, arm(self, TICKS));
	ASSERT_EQ(HALTED, RUN_CODE(&self->c, hlt));
	EXPECT_LT(TICKS / 2, left(self));
}

TEST_F(x86_timer, refused)
{
	static const uint64_t bad[] = { 1ULL << 32, ~0ULL };
	struct axvcpu_failure f;

	ASSERT_EQ(0, arm(self, 0xffffffff));
	EXPECT_EQ(0xffffffff, left(self));
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, arm(self, bad[i]));
		ASSERT_EQ(0, get_failure(self->c.v.fd, &f));
		EXPECT_EQ(REG, f.reg);
		EXPECT_EQ(0xffffffff, left(self));
	}
}

/*
 * E28: every entry of the one page table leads to the page table, which is
 * the guest's code, data, stack and IDT. Nobody knows what it does; it ends when it is
 * told to, and the vCPU is as good as before.
 */
TEST_F(x86_timer, page_table_of_itself)
{
	uint64_t cr3 = code_reg(&self->c, AXVCPU_X86_REG_CR3);
	uint64_t *table = (uint64_t *)(self->c.g.mem + PAGE_TABLE);
	int ends = 0, ret;

	for (int al = 0; al < 4; al++) {
		for (int i = 0; i < 512; i++)
			table[i] = PAGE_TABLE | 0x67;
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR3, PAGE_TABLE));
		for (int i = 0; i < 16; i++)
			self->gpr[i] = al;
		self->run->regs.x86.rip = CODE_GPA;
		self->run->regs.x86.rflags = 2;
		self->run->regs_dirty = AXVCPU_REGS_PC | AXVCPU_REGS_SP;
		for (int round = 0; round < 20; round++) {
			ASSERT_EQ(0, arm(self, TICKS));
			ret = run_vcpu(self->c.v.fd, 0);
			ASSERT_EQ(0, ret);
			ends += self->run->exit_reason == AXVCPU_EXIT_PREEMPTION_TIMER;
			if (self->run->exit_reason != AXVCPU_EXIT_PREEMPTION_TIMER)
				break;
		}
		ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
		ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
		ASSERT_EQ(0, code_setup(&self->c));
		EXPECT_EQ(cr3, code_reg(&self->c, AXVCPU_X86_REG_CR3));
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
	}
	EXPECT_LE(20, ends);
}

TEST_HARNESS_MAIN
