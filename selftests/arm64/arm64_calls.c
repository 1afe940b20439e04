// SPDX-License-Identifier: GPL-2.0-only
/* HVC and SMC of an arm64 guest: hypercalls, PSCI, and what is neither. */
#include "arm64.h"

PROGRAM(call_program,
	"1:" MEET(0x70)
	"mov x0, x8\n cbnz x10, 2f\n hvc #0\n mov x9, x0\n b 1b\n"
	"2: smc #0\n mov x9, x0\n b 1b\n");

static const struct {
	uint64_t fn;
	int64_t answer;
} psci_answers[] = {
	{ 0x84000000, 0x10001 },	/* PSCI_VERSION: 1.1 */
	{ 0x80000000, 0x10001 },	/* SMCCC_VERSION: 1.1 */
	{ 0x84000006, 2 },		/* MIGRATE_INFO_TYPE: no migration needed */
	{ 0x84000005, -1 },		/* MIGRATE */
	{ 0x84000007, -1 },
	{ 0xc4000000, -1 },		/* there is no 64-bit form */
	{ 0x8400001f, -1 },
};

static void psci_call(FIXTURE_DATA(arm64) *self, uint64_t fn, uint64_t a1, bool smc)
{
	self->x[8] = fn;
	self->x[1] = a1;
	self->x[10] = smc;
}

/* A15, A16 */
TEST_F(arm64, psci_answers)
{
	static const uint32_t present[] = { 0x84000000, 0xc4000001, 0x84000002, 0xc4000003,
					    0xc4000004, 0x84000008, 0x84000009, 0x8400000a };

	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int smc = 0; smc < 2; smc++) {
		for (int i = 0; i < ARRAY_SIZE(psci_answers); i++) {
			psci_call(self, psci_answers[i].fn, 0, smc);
			EXPECT_MEET(0x70);
			EXPECT_EQ(psci_answers[i].answer, (int64_t)self->x[9])
				TH_LOG("function %#lx", psci_answers[i].fn);
		}
		for (int i = 0; i < ARRAY_SIZE(present); i++) {
			psci_call(self, 0x8400000a, present[i], smc);
			EXPECT_MEET(0x70);
			EXPECT_EQ(0, self->x[9]) TH_LOG("function %#x", present[i]);
		}
		psci_call(self, 0x8400000a, 0x84000007, smc);
		EXPECT_MEET(0x70);
		EXPECT_EQ(-1, (int64_t)self->x[9]);
		/* This CPU is on. */
		psci_call(self, 0xc4000004, 0, smc);
		self->x[2] = 0;
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9]);
	}
}

/* A workaround is needed and there, or not needed, or missing; and calling it does no harm. */
TEST_F(arm64, smccc_features)
{
	static const uint32_t workarounds[] = { 0x80008000, 0x80003fff };

	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int i = 0; i < ARRAY_SIZE(workarounds); i++) {
		psci_call(self, 0x80000001, workarounds[i], i);
		EXPECT_MEET(0x70);
		EXPECT_LE(-1, (int64_t)self->x[9]);
		EXPECT_GE(1, (int64_t)self->x[9]);
		psci_call(self, workarounds[i], 0, i);
		EXPECT_MEET(0x70);
		EXPECT_EQ(workarounds[i], self->x[9]);
	}
	psci_call(self, 0x80000001, 0x8000ffff, false);
	EXPECT_MEET(0x70);
	EXPECT_EQ(-1, (int64_t)self->x[9]);
}

/* A15, A16 */
TEST_F(arm64, psci_exits)
{
	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int smc = 0; smc < 2; smc++) {
		psci_call(self, 0xc4000003, 0x1, smc);
		self->x[2] = 0x40000000;
		self->x[3] = 0x123456789abcdefULL;
		ASSERT_EQ(AXVCPU_EXIT_CPU_UP, run(self, 0));
		EXPECT_EQ(1, self->run->cpu_up.target);
		EXPECT_EQ(0x40000000, self->run->cpu_up.entry);
		EXPECT_EQ(0x123456789abcdefULL, self->run->cpu_up.arg);
		self->run->cpu_up.ret = -4;
		EXPECT_MEET(0x70);
		EXPECT_EQ(-4, (int64_t)self->x[9]);
		psci_call(self, 0x84000002, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_CPU_DOWN, run(self, 0));
		EXPECT_MEET(0x70);
		psci_call(self, 0x84000008, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_SYSTEM_DOWN, run(self, 0));
		EXPECT_EQ(AXVCPU_SYSTEM_DOWN_OFF, self->run->system_down.type);
		EXPECT_MEET(0x70);
		psci_call(self, 0x84000009, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_SYSTEM_DOWN, run(self, 0));
		EXPECT_EQ(AXVCPU_SYSTEM_DOWN_RESET, self->run->system_down.type);
		EXPECT_MEET(0x70);
		/* Suspended, it waits. */
		psci_call(self, 0xc4000001, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_HALT, run(self, 0));
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9]);
	}
	/* Another CPU is the VMM's business; what firmware would do is nobody's. */
	for (int smc = 0; smc < 2; smc++) {
		psci_call(self, 0xc4000004, 5, smc);
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
		EXPECT_EQ(0xc4000004, self->run->hypercall.nr);
		EXPECT_EQ(5, self->run->hypercall.args[0]);
		self->run->hypercall.ret = 1;
		EXPECT_MEET(0x70);
		EXPECT_EQ(1, self->x[9]);
	}
	psci_call(self, 0xc2000001, 0, true);
	EXPECT_MEET(0x70);
	EXPECT_EQ(-1, (int64_t)self->x[9]);
}

/* A14: all arguments, and the guest goes on behind the HVC, not one further. */
PROGRAM(hypercall_program,
	"mov x9, #0\n hvc #0\n add x9, x9, #1\n add x9, x9, #2\n hvc #0\n add x9, x9, #4\n hvc #0\n");

TEST_F(arm64, hypercall)
{
	ASSERT_EQ(0, start(self, hypercall_program, hypercall_program_end));
	for (int i = 0; i <= 6; i++)
		self->x[i] = 0xabcd0000 + i;
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(0xabcd0000, self->run->hypercall.nr);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(0xabcd0001 + i, self->run->hypercall.args[i]);
	EXPECT_EQ(ENTRY + 8, self->run->regs.arm64.pc);
	self->run->hypercall.ret = 0x1234;
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(3, self->x[9]);
	EXPECT_EQ(0x1234, self->run->hypercall.nr);
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(7, self->x[9]);
}

/* A16: an SMC that the calling convention knows nothing of. */
PROGRAM(smc_program, "smc #1\n" MEET(0x70));

TEST_F(arm64, smc_unknown)
{
	ASSERT_EQ(0, start(self, smc_program, smc_program_end));
	ASSERT_EQ(AXVCPU_EXIT_UNKNOWN, run(self, 0));
	EXPECT_EQ(0x17, self->run->unknown.hw_reason >> 26 & 0x3f);
	EXPECT_EQ(ENTRY, self->run->regs.arm64.pc);
}

TEST_HARNESS_MAIN
