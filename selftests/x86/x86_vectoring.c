// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events whose delivery an exit has interrupted: they come again, and an exception
 * that their delivery raises does not cost them.
 */
#include "kselftest_harness.h"

#include "x86_code.h"

#define IF		0x200
#define NMI		2
#define UD		6
#define SS		12
#define GP		13
#define VECTOR		0x60
#define NMIS_BLOCKED	8
#define NO_MEMORY	(CODE_EXIT + AXVCPU_EXIT_NESTED_PAGE_FAULT)
#define EXCEPTION	(CODE_EXIT + AXVCPU_EXIT_EXCEPTION)

CODE(nops, "nop; nop; nop");

CODE_FIXTURE(x86_vectoring);

static void set_sp(FIXTURE_DATA(x86_vectoring) *self, uint64_t sp)
{
	self->run->regs.x86.gpr[AXVCPU_X86_RSP] = sp;
	self->run->regs_dirty |= AXVCPU_REGS_SP;
}

/* The stack is where there is no memory: what is injected gets no further. */
static int inject_without_stack(FIXTURE_DATA(x86_vectoring) *self, uint32_t type, uint32_t vector)
{
	int err;

	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	set_sp(self, GUEST_HOLE + 0x1000);
	err = inject_event(self->c.v.fd, type, vector);
	return err ? err : code_go_on(&self->c);
}

static uint64_t interruptibility(FIXTURE_DATA(x86_vectoring) *self)
{
	return code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY);
}

TEST_F(x86_vectoring, comes_again)
{
	static const struct {
		uint32_t type, vector;
	} rows[] = {
		{ AXVCPU_EVENT_INTERRUPT, VECTOR },
		{ AXVCPU_EVENT_NMI, 0 },
		{ AXVCPU_EVENT_EXCEPTION, UD },
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		bool nmi = rows[i].type == AXVCPU_EVENT_NMI;

		ASSERT_EQ(NO_MEMORY, inject_without_stack(self, rows[i].type, rows[i].vector));
		EXPECT_EQ(GUEST_HOLE, self->run->fault.gpa & -0x1000);
		EXPECT_NE(0, code_reg(&self->c, AXVCPU_X86_REG_EVENT));
		/* It has not been delivered: no handler's IRET would end the blocking. */
		EXPECT_EQ(0, interruptibility(self));
		/* And again, as often as the VMM likes */
		ASSERT_EQ(NO_MEMORY, code_go_on(&self->c));
		set_sp(self, CODE_STACK);
		EXPECT_EQ(nmi ? NMI : rows[i].vector, code_go_on(&self->c)) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_GPA, self->c.rip);
		EXPECT_EQ(CODE_STACK, self->c.rsp);
		EXPECT_EQ(nmi ? NMIS_BLOCKED : 0, interruptibility(self));
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
		EXPECT_EQ(0, interruptibility(self));
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_EVENT));
	}
}

/*
 * An exception of the VMM's comes in the event's handler: with the handler's first exit, or
 * before its first instruction, where an interrupt of the host's has made the guest exit.
 */
TEST_F(x86_vectoring, comes_before_an_exception)
{
	int vector[2];

	ASSERT_EQ(NO_MEMORY, inject_without_stack(self, AXVCPU_EVENT_INTERRUPT, VECTOR));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_EXCEPTION, UD));
	set_sp(self, CODE_STACK);
	for (int i = 0; i < 2; i++) {
		vector[i] = code_go_on(&self->c);
		if (vector[i] == VECTOR)
			EXPECT_EQ(CODE_GPA, self->c.rip);
	}
	EXPECT_TRUE((vector[0] == VECTOR && vector[1] == UD) ||
		    (vector[0] == UD && vector[1] == VECTOR));
	TH_LOG("%d, %d", vector[0], vector[1]);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* The delivery itself raises #SS, which goes by way of the VMM. */
static int inject_with_bad_stack(FIXTURE_DATA(x86_vectoring) *self, uint32_t type, uint32_t vector)
{
	int err;

	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	set_sp(self, 1ULL << 63);
	err = set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 1 << SS) ?:
	      inject_event(self->c.v.fd, type, vector) ?: code_go_on(&self->c);
	if (err != EXCEPTION || self->run->exception.vector != SS)
		return err;
	set_sp(self, CODE_STACK);
	self->run->exception.deliver = 1;
	return code_go_on(&self->c);
}

TEST_F(x86_vectoring, interrupt_gives_way)
{
	ASSERT_EQ(SS, inject_with_bad_stack(self, AXVCPU_EVENT_INTERRUPT, VECTOR));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	ASSERT_EQ(VECTOR, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/*
 * An NMI comes before the first instruction of the exception's handler; in Bochs,
 * which leaves NMIs blocked after their delivery has failed, behind the last.
 */
TEST_F(x86_vectoring, nmi_gives_way)
{
	int first = inject_with_bad_stack(self, AXVCPU_EVENT_NMI, 0);

	ASSERT_TRUE(first == NMI || first == SS);
	ASSERT_EQ(NMI + SS - first, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(0, interruptibility(self));
}

/* An IRET that fails lets no NMI in. */
TEST_F(x86_vectoring, iret_of_an_nmi_faults)
{
	volatile uint64_t *frame;
	uint64_t cs;

	code_place(&self->c, nops, nops_end - nops);
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_NMI, 0));
	ASSERT_EQ(NMI, code_go_on(&self->c));
	EXPECT_EQ(NMIS_BLOCKED, interruptibility(self));
	frame = (uint64_t *)(self->c.g.mem + self->run->regs.x86.gpr[AXVCPU_X86_RSP]);
	cs = frame[1];
	frame[1] = 0;
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 1 << GP));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_NMI, 0));
	ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(GP, self->run->exception.vector);
	EXPECT_EQ(NMIS_BLOCKED, interruptibility(self));
	/* Mended, it ends the blocking, and the second NMI comes. */
	frame[1] = cs;
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 0));
	ASSERT_EQ(NMI, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(0, interruptibility(self));
}

TEST_HARNESS_MAIN
