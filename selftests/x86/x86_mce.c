// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine checks while a guest runs are the host's: its handler takes them as one from
 * userspace, and the guest knows nothing. No emulated CPU raises any: a module changes
 * the exits of other exceptions into theirs, and IA32_MCG_STATUS for the handler.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define PARAMETERS	"/sys/module/x86_mce/parameters/"

/* IA32_MCG_STATUS: SDM vol. 3, 16.3.1.2 */
#define CAN_RESTART	"9"		/* LMCE_S, RIPV */
#define CAN_NOT		"10"		/* LMCE_S, EIPV */

#define IF		0x200
#define NMIS_BLOCKED	8
#define NMI		2
#define UD		6
#define SS		12
#define GP		13
#define VECTOR		0x60
#define EXCEPTION	(CODE_EXIT + AXVCPU_EXIT_EXCEPTION)
#define FAIL_ENTRY	(CODE_EXIT + AXVCPU_EXIT_FAIL_ENTRY)
#define MCE_IN_ENTRY	0x80000029	/* the exit's reason */

CODE(ud, "ud2");
CODE(nops, "nop; nop");

static volatile sig_atomic_t killed;

static void on_sigbus(int sig)
{
	killed++;
}

/* How many machine checks the host has seen */
static long machine_checks(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char line[512];
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		sscanf(line, " MCE: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

FIXTURE(x86_mce) {
	struct x86_code c;
	struct axvcpu_run *run;
	long before;
};

FIXTURE_SETUP(x86_mce)
{
	ASSERT_EQ(0, module_load("x86_mce", ""));
	ASSERT_EQ(0, code_start(&self->c, 0));
	self->run = self->c.v.run;
	self->before = machine_checks();
	ASSERT_LE(0, self->before);
	killed = 0;
	signal(SIGBUS, on_sigbus);
}

FIXTURE_TEARDOWN(x86_mce)
{
	code_destroy(&self->c);
	EXPECT_EQ(0, module_unload("x86_mce"));
}

/* The next exit for one of these exceptions becomes something else. */
static int change(FIXTURE_DATA(x86_mce) *self, uint32_t vectors, const char *what,
		  const char *status)
{
	return set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, vectors) ?:
	       write_text(PARAMETERS "status", status) ?:
	       write_text(PARAMETERS "next", what);
}

#define MACHINE_CHECK	"1"
#define FAILED_ENTRY	"2"

static void set_sp(FIXTURE_DATA(x86_mce) *self, uint64_t sp)
{
	self->run->regs.x86.gpr[AXVCPU_X86_RSP] = sp;
	self->run->regs_dirty |= AXVCPU_REGS_SP;
}

/* The instruction is carried out once more, and its own exception is seen then. */
TEST_F(x86_mce, guest_goes_on)
{
	for (int i = 1; i <= 3; i++) {
		ASSERT_EQ(0, change(self, 1 << UD, MACHINE_CHECK, CAN_RESTART));
		ASSERT_EQ(EXCEPTION, RUN_CODE(&self->c, ud));
		EXPECT_EQ(UD, self->run->exception.vector);
		EXPECT_EQ(CODE_GPA, self->run->regs.x86.rip);
		EXPECT_EQ(self->before + i, machine_checks());
	}
	EXPECT_EQ(0, killed);
}

/* In the kernel it would be the end of the machine; a thread in its guest gets SIGBUS. */
TEST_F(x86_mce, thread_is_killed)
{
	ASSERT_EQ(0, change(self, 1 << UD, MACHINE_CHECK, CAN_NOT));
	ASSERT_EQ(-EINTR, RUN_CODE(&self->c, ud));
	EXPECT_EQ(1, killed);
	EXPECT_EQ(self->before + 1, machine_checks());
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->c.v.fd));
	/* A handler that knows better goes on. */
	ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(UD, self->run->exception.vector);
	self->run->exception.deliver = 1;
	EXPECT_EQ(UD, code_go_on(&self->c));
}

TEST_F(x86_mce, during_an_entry)
{
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, change(self, 1 << UD, FAILED_ENTRY, i ? CAN_NOT : CAN_RESTART));
		ASSERT_EQ(FAIL_ENTRY, RUN_CODE(&self->c, ud));
		EXPECT_EQ(MCE_IN_ENTRY, self->run->fail_entry.hw_reason);
		EXPECT_EQ(0, self->run->fail_entry.reg);
		EXPECT_EQ(self->before + 1 + i, machine_checks());
		EXPECT_EQ(i, killed);
		ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
		EXPECT_EQ(UD, self->run->exception.vector);
	}
}

/* What was being delivered is so again, not lost. */
TEST_F(x86_mce, in_the_delivery_of_an_interrupt)
{
	ASSERT_EQ(0, change(self, 1 << SS, MACHINE_CHECK, CAN_RESTART));
	code_place(&self->c, nops, nops_end - nops);
	self->run->regs.x86.rflags |= IF;
	set_sp(self, 1ULL << 63);
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_INTERRUPT, VECTOR));
	ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(SS, self->run->exception.vector);
	EXPECT_EQ(self->before + 1, machine_checks());
	set_sp(self, CODE_STACK);
	EXPECT_EQ(VECTOR, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA, self->c.rip);
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* An IRET that is to be done again has let no NMI in. */
TEST_F(x86_mce, in_the_iret_of_an_nmi)
{
	volatile uint64_t *frame;

	code_place(&self->c, nops, nops_end - nops);
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_NMI, 0));
	ASSERT_EQ(NMI, code_go_on(&self->c));
	/* CS: the IRET faults. */
	frame = (uint64_t *)(self->c.g.mem + self->run->regs.x86.gpr[AXVCPU_X86_RSP]);
	frame[1] = 0;
	ASSERT_EQ(0, change(self, 1 << GP, MACHINE_CHECK, CAN_RESTART));
	ASSERT_EQ(0, inject_event(self->c.v.fd, AXVCPU_EVENT_NMI, 0));
	ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
	EXPECT_EQ(GP, self->run->exception.vector);
	EXPECT_EQ(self->before + 1, machine_checks());
	EXPECT_EQ(NMIS_BLOCKED, code_reg(&self->c, AXVCPU_X86_REG_INTERRUPTIBILITY));
}

TEST_HARNESS_MAIN
