// SPDX-License-Identifier: GPL-2.0-only
/* Events and the instructions around them: shadows, NMIs, halts, and what is due in between. */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define IF		0x200
#define TF		0x100
#define HALTED		(CODE_EXIT + AXVCPU_EXIT_HALT)
#define IO_WRITE	(CODE_EXIT + AXVCPU_EXIT_IO_WRITE)

CODE(nops, "nop; nop; nop");
CODE(sti, "nop; sti; nop; nop");
CODE(sti_out, "sti; out %al, $0x80; nop");
CODE(sti_cpuid, "sti; cpuid; nop");
CODE(sti_hlt, "sti; hlt; nop");
CODE(mov_ss, "mov %ss, %eax; mov %eax, %ss; nop; nop");
CODE(mov_ss_cpuid, "mov %ss, %eax; mov %eax, %ss; cpuid; nop");
CODE(tf_cpuid, "pushf; orl $0x100, (%rsp); popf; cpuid; nop; nop");
CODE(tf_out, "pushf; orl $0x100, (%rsp); popf; out %al, $0x80; nop; nop");
CODE(hlt, "hlt; nop");
CODE(out, "out %al, $0x80; nop");
CODE(vmcall, "vmcall; nop");
CODE(in, "in $0x80, %al; nop");
CODE(mov_cr8, "mov %rax, %cr8; nop; nop");

CODE_FIXTURE(x86_events);

static int inject_nmi(FIXTURE_DATA(x86_events) *self)
{
	return inject_event(self->c.v.fd, AXVCPU_EVENT_NMI, 0);
}

/* E23: an interrupt that waits comes behind the instruction after STI or MOV SS. */
TEST_F(x86_events, shadows)
{
	static const struct {
		const uint8_t *code, *end;
		uint64_t rflags;
		int at;
	} rows[] = {
#define ROW(name, rflags, at) { name, name##_end, rflags, at }
		ROW(nops, IF, 0),
		ROW(sti, 0, 3),
		ROW(sti_cpuid, 0, 3),
		ROW(mov_ss, IF, 0),
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		code_place(&self->c, rows[i].code, rows[i].end - rows[i].code);
		self->run->regs.x86.rflags |= rows[i].rflags;
		ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x70 + i));
		ASSERT_EQ(0x70 + i, code_go_on(&self->c)) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_GPA + rows[i].at, self->c.rip) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	}
	/* The VMM's exit is the instruction in the shadow, which then ends. */
	code_place(&self->c, sti_out, sti_out_end - sti_out);
	ASSERT_EQ(IO_WRITE, code_go_on(&self->c));
	EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x66));
	EXPECT_EQ(0x66, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 3, self->c.rip);
}

/* A shadow that an exit has interrupted is there again. */
TEST_F(x86_events, shadow_by_id)
{
	static const int blocks[] = { 1, 2 };

	for (int i = 0; i < 2; i++) {
		code_place(&self->c, nops, nops_end - nops);
		self->run->regs.x86.rflags |= IF;
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, blocks[i]));
		ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x67));
		EXPECT_EQ(0x67, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + 1, self->c.rip);
	}
	/* An exception does not wait. */
	code_place(&self->c, nops, nops_end - nops);
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, 2));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 6));
	EXPECT_EQ(6, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
}

/* The trap behind an instruction that the kernel or the VMM has carried out */
TEST_F(x86_events, trap_flag)
{
	ASSERT_EQ(1, RUN_CODE(&self->c, tf_cpuid));
	EXPECT_EQ(CODE_GPA + 11, self->c.rip);
	EXPECT_EQ(0x4000, code_reg(&self->c, AXVCPU_X86_REG_DR(6)) & 0x400f);
	ASSERT_EQ(1, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 12, self->c.rip);

	ASSERT_EQ(IO_WRITE, RUN_CODE(&self->c, tf_out));
	ASSERT_EQ(1, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 11, self->c.rip);
}

/*
 * It comes before an interrupt, and an entry that injects one would lose it. So it is
 * with NMIs, but not in Bochs, where their window opens before the trap.
 */
TEST_F(x86_events, trap_flag_and_interrupt)
{
	code_place(&self->c, out, out_end - out);
	self->run->regs.x86.rflags |= IF | TF;
	ASSERT_EQ(IO_WRITE, code_go_on(&self->c));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_INTERRUPT, 0x60));
	ASSERT_EQ(1, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);
	ASSERT_EQ(0x60, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);
	ASSERT_EQ(1, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 3, self->c.rip);
}

/* And ends a HLT. */
TEST_F(x86_events, trap_flag_and_halt)
{
	code_place(&self->c, hlt, hlt_end - hlt);
	self->run->regs.x86.rflags |= TF;
	ASSERT_EQ(1, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 1, self->c.rip);
}

/* Behind an STI, where the VMM has it and keeps it */
TEST_F(x86_events, trap_flag_and_shadow)
{
	for (int deliver = 0; deliver < 2; deliver++) {
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 1 << 1));
		code_place(&self->c, sti + 1, sti_end - sti - 1);
		self->run->regs.x86.rflags |= TF;
		ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_EXCEPTION, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + 1, self->run->regs.x86.rip);
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 0));
		self->run->exception.deliver = deliver;
		ASSERT_EQ(1, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + 2 - deliver, self->c.rip);
	}
}

/* The VMM says that it has done what was done: the next instruction is next. */
TEST_F(x86_events, trap_flag_and_done)
{
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 1 << 1));
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= TF;
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 1, self->run->regs.x86.rip);
	self->run->regs_dirty |= AXVCPU_REGS_DONE;
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->run->regs.x86.rip);
}

/* An exception comes behind a hypercall, whose result is there. */
TEST_F(x86_events, exception_behind_a_hypercall)
{
	struct axvcpu_inject ud = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 6 };

	/* It takes the place of another answer, which is forgotten. */
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_IO_READ, RUN_CODE(&self->c, in));
	ASSERT_EQ(0, XIOCTL(self->c.v.fd, AXVCPU_INJECT, &ud));
	ASSERT_EQ(6, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_HYPERCALL, RUN_CODE(&self->c, vmcall));
	self->run->hypercall.ret = 0x1234;
	ASSERT_EQ(0, XIOCTL(self->c.v.fd, AXVCPU_INJECT, &ud));
	self->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, run_vcpu(self->c.v.fd, 0));
	self->run->immediate_exit = 0;
	EXPECT_EQ(0x1234, self->run->regs.x86.gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(6, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 3, self->c.rip);
}

/* An entry that fails leaves its event in the VMCS. */
TEST_F(x86_events, restored_after_a_failed_entry)
{
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	ASSERT_EQ(0, keep_state(&self->c.v));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_INTERRUPT, 0x60));
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_TR), 0x10000));
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_FAIL_ENTRY, code_go_on(&self->c));
	ASSERT_EQ(0, restore_state(&self->c.v, 0));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* E27: a second NMI waits for the IRET of the first one's handler. */
TEST_F(x86_events, nmi)
{
	code_place(&self->c, nops, nops_end - nops);
	ASSERT_EQ(0, inject_nmi(self));
	ASSERT_EQ(2, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(8, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, inject_nmi(self));
	EXPECT_EQ(1, code_reg(&self->c, AXVCPU_X86_REG_QUEUED_NMI));
	/* The handler's IRET; those that wait are one. */
	ASSERT_EQ(2, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_QUEUED_NMI));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
}

/* Not in the shadow of an STI or MOV SS either */
TEST_F(x86_events, nmi_in_a_shadow)
{
	for (int block = 1; block <= 2; block++) {
		code_place(&self->c, nops, nops_end - nops);
		self->run->regs.x86.rflags |= IF;
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, block));
		ASSERT_EQ(0, inject_nmi(self));
		ASSERT_EQ(2, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + 1, self->c.rip);
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	}
}

/* Exception, then NMI, then interrupts: each in the handler of the one before */
TEST_F(x86_events, order)
{
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x81));
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0xa1));
	ASSERT_EQ(0, inject_nmi(self));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 6));
	ASSERT_EQ(2, code_go_on(&self->c)) TH_LOG("an NMI comes in the handler of #UD");
	ASSERT_EQ(6, code_go_on(&self->c));
	ASSERT_EQ(0xa1, code_go_on(&self->c));
	ASSERT_EQ(0x81, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* CR8 holds back the priorities up to its own. */
TEST_F(x86_events, cr8)
{
	self->run->regs.x86.gpr[AXVCPU_X86_RAX] = 8;
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_cr8));
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x8f));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x90));
	EXPECT_EQ(0x90, code_go_on(&self->c));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	/* Lowered by the guest with interrupts on, behind the instruction */
	code_place(&self->c, mov_cr8, mov_cr8_end - mov_cr8);
	self->run->regs.x86.rflags |= IF;
	self->run->regs.x86.gpr[AXVCPU_X86_RAX] = 7;
	EXPECT_EQ(0x8f, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 4, self->c.rip);
}

/* E02: HLT ends with what the guest can take, and with that only. */
TEST_F(x86_events, halt)
{
	struct vcpu_thread t;

	EXPECT_EQ(HALTED, RUN_CODE(&self->c, sti_hlt));
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x50));
	EXPECT_EQ(0x50, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);

	/* What is queued before the HLT ends it at once. */
	code_place(&self->c, sti_hlt, sti_hlt_end - sti_hlt);
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x51));
	EXPECT_EQ(0x51, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 2, self->c.rip);

	/* A thread that waits, for an NMI although interrupts are off */
	code_place(&self->c, hlt, hlt_end - hlt);
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x52));
	ASSERT_EQ(0, thread_start(&t, &self->c.v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->c.v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, inject_nmi(self));
	ASSERT_EQ(0, thread_join(&t));
	EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, self->run->exit_reason);
	EXPECT_EQ(2, *greg(&self->c.v, G2));
}

/* A halt that only an NMI could end is the VMM's, if it wants to hear of it. */
TEST_F(x86_events, hlt_without_interrupts)
{
	const unsigned int flags = AXVCPU_RUN_WAIT | AXVCPU_RUN_EXIT_HLT_IF0;
	struct vcpu_thread t;

	code_place(&self->c, hlt, hlt_end - hlt);
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x53));
	ASSERT_EQ(0, run_vcpu(self->c.v.fd, flags));
	EXPECT_EQ(AXVCPU_EXIT_HALT, self->run->exit_reason);
	EXPECT_EQ(CODE_GPA + 1, self->run->regs.x86.rip);

	/* One that has begun to wait without the flag */
	code_place(&self->c, hlt, hlt_end - hlt);
	ASSERT_EQ(0, thread_start(&t, &self->c.v, AXVCPU_RUN_WAIT));
	ASSERT_EQ(0, wait_for_state(self->c.v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, kick_vcpu(self->c.v.fd));
	ASSERT_EQ(-EINTR, thread_join(&t));
	ASSERT_EQ(0, run_vcpu(self->c.v.fd, flags));
	EXPECT_EQ(AXVCPU_EXIT_HALT, self->run->exit_reason);

	/* Where an interrupt can end it, it waits. */
	code_place(&self->c, sti_hlt, sti_hlt_end - sti_hlt);
	/* 0x53 is taken first. */
	EXPECT_EQ(0x53, code_go_on(&self->c));
	code_place(&self->c, sti_hlt, sti_hlt_end - sti_hlt);
	ASSERT_EQ(0, thread_start(&t, &self->c.v, flags));
	ASSERT_EQ(0, wait_for_state(self->c.v.fd, AXVCPU_STATE_BLOCKED));
	ASSERT_EQ(0, kick_vcpu(self->c.v.fd));
	EXPECT_EQ(-EINTR, thread_join(&t));
}

/* Every vector that is queued while the guest can't take it comes, once. */
TEST_F(x86_events, none_is_dropped)
{
	bool seen[256] = { false };
	int ret;

	for (int vector = 32; vector < 256; vector++) {
		ASSERT_EQ(0, inject_irq(self->c.v.fd, vector));
		ASSERT_EQ(0, inject_irq(self->c.v.fd, vector));
	}
	ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	for (int vector = 255; vector >= 32; vector--) {
		ret = code_go_on(&self->c);
		ASSERT_EQ(vector, ret);
		ASSERT_FALSE(seen[ret]);
		seen[ret] = true;
		EXPECT_EQ(CODE_GPA, self->c.rip);
	}
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* An exception that is queued waits for the one before it. */
TEST_F(x86_events, one_exception_at_a_time)
{
	code_place(&self->c, out, out_end - out);
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 6));
	EXPECT_EQ(-EBUSY, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 5));
	ASSERT_EQ(6, code_go_on(&self->c));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 5));
	ASSERT_EQ(5, code_go_on(&self->c));
	EXPECT_EQ(-EINVAL, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 13));
	EXPECT_EQ(-EINVAL, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 2));
	EXPECT_EQ(-EINVAL, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, 32));
	EXPECT_EQ(-EINVAL, inject_event(self->c.v.fd, AXVCPU_EVENT_INTERRUPT, 256));
}

TEST_HARNESS_MAIN
