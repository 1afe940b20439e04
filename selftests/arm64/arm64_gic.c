// SPDX-License-Identifier: GPL-2.0-only
/* The virtual CPU interface of GICv3, the lines, and SGIs. */
#include "arm64.h"

PROGRAM(sgi_program,
	"msr s3_0_c12_c11_5, x8\n msr s3_0_c12_c11_5, x9\n msr s3_0_c12_c11_7, x8\n"
	"msr s3_0_c12_c11_6, x9\n" MEET(0x70));

/* A18: with all its fields; the two of the other security states are the VMM's. */
TEST_F(arm64, send_ipi)
{
	ASSERT_EQ(0, start(self, sgi_program, sgi_program_end));
	/* Aff3 4, RS 2, Aff2 3, INTID 9, Aff1 1, targets 0 and 15 */
	self->x[8] = 4ULL << 48 | 2ULL << 44 | 3ULL << 32 | 9ULL << 24 | 1ULL << 16 | 0x8001;
	ASSERT_EQ(AXVCPU_EXIT_SEND_IPI, run(self, 0));
	EXPECT_EQ(4ULL << 32 | 3 << 16 | 1 << 8 | 32, self->run->ipi.target);
	EXPECT_EQ(0x8001, self->run->ipi.target_aux);
	EXPECT_EQ(9, self->run->ipi.vector);
	EXPECT_EQ(0, self->run->ipi.flags);
	self->x[9] = 1ULL << 40 | 5ULL << 24;
	ASSERT_EQ(AXVCPU_EXIT_SEND_IPI, run(self, 0));
	EXPECT_EQ(AXVCPU_IPI_TO_ALL, self->run->ipi.flags);
	EXPECT_EQ(5, self->run->ipi.vector);
	for (int op2 = 7; op2 > 5; op2--) {
		ASSERT_EQ(AXVCPU_EXIT_SYSREG_WRITE, run(self, 0));
		EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 0, 12, 11, op2), self->run->sysreg.addr);
		EXPECT_EQ(self->x[op2 == 7 ? 8 : 9], self->run->sysreg.value);
	}
	EXPECT_MEET(0x70);
}

/* The order in which interrupts came, from x20 on; x21 counts. */
PROGRAM(gic_program,
	IRQ_SETUP("gic_irq")
	"1:" MEET(0x70)
	"msr daifclr, #2\n isb\n nop\n nop\n msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("gic_irq")
	"gic_irq: mrs x1, s3_0_c12_c12_0\n str x1, [x20], #8\n add x21, x21, #1\n"
	"msr s3_0_c12_c12_1, x1\n eret\n");

/* A19: more than there are list registers: none is lost, those of one batch in order. */
TEST_F(arm64, gic_overflow)
{
	enum { N = 24 };
	uint64_t seen = 0;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	for (int i = 0; i < N; i++)
		ASSERT_EQ(0, inject(self->v.fd, 40 + i * 40, (N - i) * 8));
	for (int i = 0; i < 2 * N && self->x[21] < N; i++)
		EXPECT_MEET(0x70);
	EXPECT_EQ(N, self->x[21]);
	for (int i = 0; i < N; i++) {
		uint64_t n = (self->results[i] - 40) / 40;

		ASSERT_GT(N, n);
		seen |= 1ULL << n;
		/* The highest priority of all is among the first. */
		if (!i) {
			EXPECT_EQ(N - 1, n);
		}
	}
	EXPECT_EQ((1ULL << N) - 1, seen);
}

/* A12: those that wait come as soon as there is room, not with some exit. x21 counts to x22. */
PROGRAM(gic_room_program,
	IRQ_SETUP("room_irq")
	"1:" MEET(0x70)
	"mov x21, #0\n mrs x24, cntvct_el0\n msr daifclr, #2\n"
	"2: cmp x21, x22\n b.ne 2b\n"
	"msr daifset, #2\n mrs x25, cntvct_el0\n b 1b\n"
	IRQ_VECTORS("room_irq")
	"room_irq: mrs x1, s3_0_c12_c12_0\n add x21, x21, #1\n"
	"msr s3_0_c12_c12_1, x1\n eret\n");

/* On the machine whose counter counts instructions, of one CPU: else only that they come. */
TEST_F(arm64, gic_room)
{
	enum { N = 24 };
	bool counts = sysconf(_SC_NPROCESSORS_ONLN) == 1;

	ASSERT_EQ(0, start(self, gic_room_program, gic_room_program_end));
	EXPECT_MEET(0x70);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < N; i++)
			ASSERT_EQ(0, inject(self->v.fd, 40 + i, 0x80));
		self->x[22] = N;
		EXPECT_MEET(0x70);
		EXPECT_EQ(N, self->x[21]);
		if (counts) {
			EXPECT_GT(200000, self->x[25] - self->x[24]);
		}
		TH_LOG("%d interrupts in %llu ticks", N,
		       (unsigned long long)(self->x[25] - self->x[24]));
	}
}

TEST_F(arm64, gic_limits)
{
	struct axvcpu_inject line_with_priority = {
		.vector = AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ),
		.flags = AXVCPU_INJECT_PRIORITY,
	};

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	EXPECT_EQ(0, inject(self->v.fd, 1019, 0xf0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, 1020, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, 32, 0x100));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(3), 0));
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_INJECT, &line_with_priority));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, ~0U, 0));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x70);
	EXPECT_EQ(1, self->x[21]);
	EXPECT_EQ(1019, self->results[0]);
}

/* Without a priority of its own, neither the highest nor one that PMR's reset value stops */
TEST_F(arm64, gic_default_priority)
{
	struct axvcpu_inject args = { .vector = 77 };
	uint64_t value;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &args));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(77), &value));
	EXPECT_EQ(0x1a0, value);
}

/* A pending interrupt moves with the registers. */
TEST_F(arm64, gic_registers)
{
	uint64_t value;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(77), 0x140));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(77), &value));
	EXPECT_EQ(0x140, value);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(1), 1ULL << 62 | 1ULL << 60 |
			     0x30ULL << 48 | 99));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(15), 1ULL << 61));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_VMCR, &value));
	EXPECT_EQ(2, value & 2);
	EXPECT_MEET(0x70);
	EXPECT_EQ(2, self->x[21]);
	EXPECT_EQ(99, self->results[0]);
	EXPECT_EQ(77, self->results[1]);
}

/* Two list registers never have the same interrupt, and an empty one has none, not INTID 0. */
TEST_F(arm64, gic_registers_displace)
{
	const uint64_t sgi0 = 1ULL << 62 | 1ULL << 60 | 0x30ULL << 48;
	uint64_t value;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(0), sgi0));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(1), 0));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(0), &value));
	EXPECT_EQ(sgi0, value);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(1), sgi0));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(0), &value));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(1), &value));
	EXPECT_EQ(sgi0, value);
}

/* Two wait in list registers when RUN begins, another one comes when they are handled. */
PROGRAM(done_program,
	IRQ_SETUP("done_irq")
	"1:" MEET(0x70) "mov x21, #0\n" MEET(0x70)
	"msr daifclr, #2\n 2: cmp x21, #3\n b.ne 2b\n msr daifset, #2\n" MEET(0x71) "b 1b\n"
	IRQ_VECTORS("done_irq")
	"done_irq: mrs x1, s3_0_c12_c12_0\n add x21, x21, #1\n msr s3_0_c12_c12_1, x1\n eret\n");

/* A19: one that has been handled is not there any more, when the registers are read neither. */
TEST_F(arm64, gic_handled_is_gone)
{
	struct vcpu_thread thread;
	uint64_t value;

	ASSERT_EQ(0, start(self, done_program, done_program_end));
	for (int round = 0; round < 5; round++) {
		EXPECT_MEET(0x70);
		ASSERT_EQ(0, inject(self->v.fd, 40, 0x80));
		ASSERT_EQ(0, inject(self->v.fd, 42, 0x80));
		EXPECT_MEET(0x70);
		/* Nobody takes the CPU from it. */
		pin_to_cpu(1);
		ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
		pin_to_cpu(0);
		usleep(20000);
		ASSERT_EQ(0, inject(self->v.fd, 41, 0x80));
		ASSERT_EQ(0, thread_join(&thread));
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
		EXPECT_EQ(0x71, self->run->hypercall.nr);
		for (int i = 0; i < 16; i++) {
			ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(i), &value));
			EXPECT_EQ(0, value) TH_LOG("list register %d", i);
		}
	}
}

/* One copy is in a list register, another one in the queue: both are taken back. */
PROGRAM(masked_program, "1:" MEET(0x70) "b 1b\n");

TEST_F(arm64, gic_withdrawn_twice)
{
	uint64_t value;

	ASSERT_EQ(0, start(self, masked_program, masked_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, inject(self->v.fd, 40, 0x80));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, inject(self->v.fd, 40, 0x80));
	ASSERT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 40));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_INTERRUPT, 40));
	for (int i = 0; i < 16; i++) {
		ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(i), &value));
		EXPECT_EQ(0, value) TH_LOG("list register %d", i);
	}
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(40), &value));
	EXPECT_EQ(0, value);
}

/* The lines of a VMM that has a GIC of its own; the guest's own acknowledges nothing. */
PROGRAM(line_program,
	"adr x0, vectors_line_irq\n msr vbar_el1, x0\n isb\n"
	"1:" MEET(0x70)
	"msr daifclr, #3\n isb\n nop\n msr daifset, #3\n b 1b\n"
	IRQ_VECTORS("line_irq")
	"line_irq: " MEET(0x72) "eret\n");

TEST_F(arm64, lines)
{
	ASSERT_EQ(0, start(self, line_program, line_program_end));
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
	for (int i = 0; i < 3; i++)
		EXPECT_MEET(0x72);
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_LOWER_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
	EXPECT_MEET(0x70);
}

TEST_HARNESS_MAIN
