// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit's instruction leaves behind when somebody else has done it: the
 * shadow of the STI or MOV SS before it ends with it, and a single-step trap is
 * due behind it. The interrupt's or trap's return address tells.
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PORT		0x10	/* of the instructions that are looked at */
#define MAIN_PORT	0x20
#define HANDLER_PORT	0x30
#define VECTOR		64
#define TRAP_DB		1
#define TRAP_UD		6
#define EFER		0xc0000080
#define NO_MSR		0x1234
#define MOV_SS_SHADOW	2
#define DR6_BS		(1 << 14)

/* Instructions that exit, and to where: an exit reason, or 0: the kernel */
static const struct insn {
	const char *name;
	uint8_t bytes[8];
	int size;
	uint32_t ecx;
	uint32_t reason;
	enum { BY_ANSWER, BY_PC, BY_DONE, BY_SET_REGS } how;	/* the VMM completes it */
} insns[] = {
	{ "CPUID", { 0x0f, 0xa2 }, 2, 0, 0 },
	{ "WBINVD", { 0x0f, 0x09 }, 2, 0, 0 },
	{ "RDMSR of EFER", { 0x0f, 0x32 }, 2, EFER, 0 },
	{ "MOV from CR8", { 0x44, 0x0f, 0x20, 0xc0 }, 4, 0, 0 },
	{ "MOV from DR0", { 0x0f, 0x21, 0xc0 }, 3, 0, 0 },
	{ "OUT", { 0xe6, PORT }, 2, 0, AXVCPU_EXIT_IO_WRITE },
	{ "IN", { 0xe4, PORT }, 2, 0, AXVCPU_EXIT_IO_READ },
	{ "VMCALL", { 0x0f, 0x01, 0xc1 }, 3, 0, AXVCPU_EXIT_HYPERCALL },
	{ "RDMSR", { 0x0f, 0x32 }, 2, NO_MSR, AXVCPU_EXIT_SYSREG_READ },
	{ "WRMSR", { 0x0f, 0x30 }, 2, NO_MSR, AXVCPU_EXIT_SYSREG_WRITE },
	{ "IN that the VMM does", { 0xe4, PORT }, 2, 0, AXVCPU_EXIT_IO_READ, BY_PC },
	{ "IN that it says it has done", { 0xe4, PORT }, 2, 0, AXVCPU_EXIT_IO_READ, BY_DONE },
	{ "IN that it is past", { 0xe4, PORT }, 2, 0, AXVCPU_EXIT_IO_READ, BY_SET_REGS },
	/* mov GUEST_HOLE, %al */
	{ "a load that the VMM does", { 0x8a, 0x04, 0x25, 0, 0, 0, 0x10 }, 7, 0,
	  AXVCPU_EXIT_NESTED_PAGE_FAULT, BY_PC },
	{ "a load that it has done", { 0x8a, 0x04, 0x25, 0, 0, 0, 0x10 }, 7, 0,
	  AXVCPU_EXIT_NESTED_PAGE_FAULT, BY_DONE },
	{ "a load that it is past", { 0x8a, 0x04, 0x25, 0, 0, 0, 0x10 }, 7, 0,
	  AXVCPU_EXIT_NESTED_PAGE_FAULT, BY_SET_REGS },
};

FIXTURE(x86_skip) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_prog p;
	int handler;
	uint64_t next;		/* behind the instruction */
};

FIXTURE_SETUP(x86_skip)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
}

FIXTURE_TEARDOWN(x86_skip)
{
	guest_destroy(&self->g);
}

static void emit(FIXTURE_DATA(x86_skip) *self, const void *bytes, size_t size)
{
	g_emit(&self->p, bytes, size);
}

#define EMIT(self, ...)	emit(self, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

#define STI		0xfb
#define NOP		0x90

/* Interrupts are off; what the instruction needs is in place. */
static void begin(FIXTURE_DATA(x86_skip) *self, const struct insn *insn)
{
	uint32_t ecx = insn->ecx;

	g_begin(&self->p, &self->g, GUEST_PROG(0));
	self->handler = g_label(&self->p);
	g_irq_handler(&self->p, self->handler);
	EMIT(self, 0x8c, 0xd6);			/* mov %ss, %esi */
	EMIT(self, 0xb9, ecx, ecx >> 8, ecx >> 16, ecx >> 24);	/* mov $ecx, %ecx */
	EMIT(self, 0x31, 0xc0);			/* xor %eax, %eax */
}

/* The instruction, others behind it, and the handler: G0 is where it will return to. */
static int start(FIXTURE_DATA(x86_skip) *self, const struct insn *insn, int id)
{
	int err;

	emit(self, insn->bytes, insn->size);
	self->next = self->p.gpa + self->p.len;
	EMIT(self, NOP, NOP, NOP, NOP);
	g_out(&self->p, MAIN_PORT, G0, 4);
	g_loop_forever(&self->p);

	g_place(&self->p, self->handler);
	EMIT(self, 0x48, 0x8b, 0x1c, 0x24);	/* mov (%rsp), %rbx */
	g_get_vector(&self->p, G1);
	g_out(&self->p, HANDLER_PORT, G0, 4);
	g_iret(&self->p);
	err = vcpu_create(&self->g, &self->v, id);
	return err ? err : vcpu_start_prog(&self->g, &self->v, &self->p);
}

/* The VMM does it, in one of the ways in which it can say so. */
static int do_insn(FIXTURE_DATA(x86_skip) *self, const struct insn *insn)
{
	struct axvcpu_run *run = self->v.run;

	if (insn->how == BY_ANSWER)
		return 0;
	if (insn->how == BY_SET_REGS)
		return set_reg(self->v.fd, AXVCPU_X86_REG_RIP, self->next);
	run->regs.x86.rip = self->next;
	run->regs_dirty = AXVCPU_REGS_PC | (insn->how == BY_DONE ? AXVCPU_REGS_DONE : 0);
	return 0;
}

/* To the exit that the VMM answers, if that is who does. */
static int run_to_insn(FIXTURE_DATA(x86_skip) *self, const struct insn *insn)
{
	int err = insn->reason ? run_until(&self->v, insn->reason) : 0;

	if (insn->reason == AXVCPU_EXIT_IO_WRITE && !err && self->v.run->io.port != PORT)
		err = -EPROTO;
	return err ? err : do_insn(self, insn);
}

static int run_to_port(FIXTURE_DATA(x86_skip) *self, int port)
{
	int err = run_until(&self->v, AXVCPU_EXIT_IO_WRITE);

	return err ? err : self->v.run->io.port == port ? 0 : -EPROTO;
}

#define EXPECT_HANDLER(vector, rip)						\
do {										\
	EXPECT_EQ(0, run_to_port(self, HANDLER_PORT)) TH_LOG("%s", insn->name);	\
	EXPECT_EQ(vector, *greg(&self->v, G1)) TH_LOG("%s", insn->name);	\
	EXPECT_EQ(rip, *greg(&self->v, G0)) TH_LOG("%s", insn->name);		\
} while (0)

/* An interrupt that waits for STI comes behind the instruction after it. */
TEST_F(x86_skip, sti)
{
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn *insn = &insns[i];

		begin(self, insn);
		EMIT(self, STI);
		ASSERT_EQ(0, start(self, insn, i));
		ASSERT_EQ(0, inject_irq(self->v.fd, VECTOR));
		ASSERT_EQ(0, run_to_insn(self, insn)) TH_LOG("%s", insn->name);
		EXPECT_HANDLER(VECTOR, self->next);
		EXPECT_EQ(0, run_to_port(self, MAIN_PORT));
		vcpu_destroy(&self->v);
	}
}

/* One that comes while the VMM has the instruction goes in at once. */
static void inject_at_exit(struct __test_metadata *_metadata, FIXTURE_DATA(x86_skip) *self,
			   const void *before, size_t size)
{
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn *insn = &insns[i];

		if (!insn->reason)
			continue;
		begin(self, insn);
		emit(self, before, size);
		ASSERT_EQ(0, start(self, insn, i));
		ASSERT_EQ(0, run_to_insn(self, insn)) TH_LOG("%s", insn->name);
		ASSERT_EQ(0, inject_irq(self->v.fd, VECTOR));
		EXPECT_HANDLER(VECTOR, self->next);
		EXPECT_EQ(0, run_to_port(self, MAIN_PORT));
		vcpu_destroy(&self->v);
	}
}

TEST_F(x86_skip, sti_then_injected)
{
	const uint8_t before[] = { STI };

	inject_at_exit(_metadata, self, before, sizeof(before));
}

TEST_F(x86_skip, mov_ss_then_injected)
{
	const uint8_t before[] = { STI, NOP, 0x8e, 0xd6 /* mov %esi, %ss */ };

	inject_at_exit(_metadata, self, before, sizeof(before));
}

/* The shadow is there and so is the interrupt: as if it had come behind MOV SS. */
TEST_F(x86_skip, mov_ss)
{
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn *insn = &insns[i];
		uint64_t shadow;

		begin(self, insn);
		EMIT(self, STI, 0xe6, MAIN_PORT);	/* out %al, $MAIN_PORT */
		ASSERT_EQ(0, start(self, insn, i));
		ASSERT_EQ(0, run_to_port(self, MAIN_PORT));
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, MOV_SS_SHADOW));
		ASSERT_EQ(0, inject_irq(self->v.fd, VECTOR));
		ASSERT_EQ(0, run_to_insn(self, insn)) TH_LOG("%s", insn->name);
		EXPECT_HANDLER(VECTOR, self->next);
		ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, &shadow));
		EXPECT_EQ(0, shadow);
		vcpu_destroy(&self->v);
	}
}

/* It takes the place of the instruction, and of the answer. */
TEST_F(x86_skip, injected_exception)
{
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn *insn = &insns[i];
		struct axvcpu_inject ud = { .type = AXVCPU_EVENT_EXCEPTION, .vector = TRAP_UD };

		if (insn->how != BY_ANSWER || !insn->reason ||
		    insn->reason == AXVCPU_EXIT_IO_WRITE || insn->reason == AXVCPU_EXIT_HYPERCALL)
			continue;
		begin(self, insn);
		ASSERT_EQ(0, start(self, insn, i));
		ASSERT_EQ(0, run_to_insn(self, insn)) TH_LOG("%s", insn->name);
		ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &ud));
		EXPECT_HANDLER(TRAP_UD, self->next - insn->size);
		vcpu_destroy(&self->v);
	}
}

/* The trap comes behind the instruction, once, and behind the next one again. */
static void single_step(struct __test_metadata *_metadata, FIXTURE_DATA(x86_skip) *self,
			const void *before, size_t size)
{
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		const struct insn *insn = &insns[i];
		uint64_t dr6;

		begin(self, insn);
		emit(self, before, size);
		ASSERT_EQ(0, start(self, insn, i));
		ASSERT_EQ(0, run_to_insn(self, insn)) TH_LOG("%s", insn->name);
		EXPECT_HANDLER(TRAP_DB, self->next);
		ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_X86_REG_DR(6), &dr6));
		EXPECT_NE(0, dr6 & DR6_BS) TH_LOG("%s", insn->name);
		EXPECT_HANDLER(TRAP_DB, self->next + 1);
		EXPECT_HANDLER(TRAP_DB, self->next + 2);
		vcpu_destroy(&self->v);
	}
}

TEST_F(x86_skip, single_step)
{
	/* pushf; orq $0x100, (%rsp); popf */
	const uint8_t before[] = { 0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d };

	single_step(_metadata, self, before, sizeof(before));
}

/* MOV SS holds its own trap back; the one behind the instruction comes. */
TEST_F(x86_skip, single_step_behind_mov_ss)
{
	/* The same; mov %esi, %ss */
	const uint8_t before[] = { 0x9c, 0x48, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x8e, 0xd6 };

	single_step(_metadata, self, before, sizeof(before));
}

TEST_HARNESS_MAIN
