// SPDX-License-Identifier: GPL-2.0-only
/* The guest's own debug registers: what MOV to and from them does. */
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define DB		1
#define UD		6
#define GP		13
#define CR4_DE		8
#define DR7_GD		(1 << 13)
#define BD		(1 << 13)

/* In bytes: an assembler may know no DR4 and DR5. */
CODE(to_dr0, ".byte 0x0f, 0x23, 0xc0");		/* mov %rax, %dr0 */
CODE(to_dr4, ".byte 0x0f, 0x23, 0xe0");
CODE(to_dr5, ".byte 0x0f, 0x23, 0xe8");
CODE(to_dr6, ".byte 0x0f, 0x23, 0xf0");
CODE(to_dr7, ".byte 0x0f, 0x23, 0xf8");
CODE(from_dr0, ".byte 0x0f, 0x21, 0xc3");	/* mov %dr0, %rbx */
CODE(from_dr4, ".byte 0x0f, 0x21, 0xe3");
CODE(from_dr5, ".byte 0x0f, 0x21, 0xeb");
CODE(from_dr6, ".byte 0x0f, 0x21, 0xf3");
CODE(from_dr7, ".byte 0x0f, 0x21, 0xfb");

CODE_FIXTURE(x86_dr);

#define WITH_RAX(self, value, name)				\
	((self)->gpr[AXVCPU_X86_RAX] = (value), RUN_CODE(&(self)->c, name))

static uint64_t dr(FIXTURE_DATA(x86_dr) *self, int n)
{
	return code_reg(&self->c, AXVCPU_X86_REG_DR(n));
}

/* SDM vol. 3, 18.2: bits that are always 0 or 1; the upper half of DR6 and DR7 is #GP. */
TEST_F(x86_dr, writes)
{
	static const struct {
		uint64_t value, dr6, dr7;
	} rows[] = {
		{ 0, 0xffff0ff0, 0x400 },
		{ 0xffffdfff, 0xffffcfff, 0xffff0fff & ~(3 << 11) },
	};

	EXPECT_EQ(CODE_DONE, WITH_RAX(self, 0x123456789abcdef0ULL, to_dr0));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr0));
	EXPECT_EQ(0x123456789abcdef0ULL, self->gpr[AXVCPU_X86_RBX]);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(CODE_DONE, WITH_RAX(self, rows[i].value, to_dr6));
		EXPECT_EQ(rows[i].dr6, dr(self, 6)) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr6));
		EXPECT_EQ(rows[i].dr6, self->gpr[AXVCPU_X86_RBX]) TH_LOG("row %d", i);

		for (int bit = 32; bit < 64; bit++) {
			EXPECT_EQ(GP, WITH_RAX(self, 1ULL << bit, to_dr6)) TH_LOG("bit %d", bit);
			EXPECT_EQ(0, self->c.error_code);
			EXPECT_EQ(CODE_GPA, self->c.rip);
			EXPECT_EQ(GP, WITH_RAX(self, 1ULL << bit, to_dr7)) TH_LOG("bit %d", bit);
		}
		EXPECT_EQ(rows[i].dr6, dr(self, 6));
	}
	/* Breakpoints that lie where the guest does not come */
	for (int n = 0; n < 4; n++)
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_DR(n), 0x700000));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(CODE_DONE, WITH_RAX(self, rows[i].value, to_dr7));
		EXPECT_EQ(rows[i].dr7, dr(self, 7)) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr7));
		EXPECT_EQ(rows[i].dr7, self->gpr[AXVCPU_X86_RBX]) TH_LOG("row %d", i);
	}
}

/* DR4 and DR5 are other names of DR6 and DR7, until CR4.DE. */
TEST_F(x86_dr, names)
{
	EXPECT_EQ(CODE_DONE, WITH_RAX(self, 2, to_dr4));
	EXPECT_EQ(0xffff0ff2, dr(self, 6));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr4));
	EXPECT_EQ(0xffff0ff2, self->gpr[AXVCPU_X86_RBX]);
	EXPECT_EQ(CODE_DONE, WITH_RAX(self, 0x300, to_dr5));
	EXPECT_EQ(0x700, dr(self, 7));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr5));
	EXPECT_EQ(0x700, self->gpr[AXVCPU_X86_RBX]);

	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, CODE_CR4 | CR4_DE));
	EXPECT_EQ(UD, WITH_RAX(self, 0, to_dr4));
	EXPECT_EQ(UD, WITH_RAX(self, 0, to_dr5));
	EXPECT_EQ(UD, RUN_CODE(&self->c, from_dr4));
	EXPECT_EQ(UD, RUN_CODE(&self->c, from_dr5));
	EXPECT_EQ(0xffff0ff2, dr(self, 6));
	EXPECT_EQ(0x700, dr(self, 7));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, from_dr7));
}

/* With DR7.GD any access is a #DB in front of it, whose handler has access. */
TEST_F(x86_dr, general_detect)
{
	ASSERT_EQ(CODE_DONE, WITH_RAX(self, DR7_GD, to_dr7));
	EXPECT_EQ(DB, RUN_CODE(&self->c, from_dr0));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(BD, dr(self, 6) & BD);
	EXPECT_EQ(0, dr(self, 7) & DR7_GD);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

TEST_HARNESS_MAIN
