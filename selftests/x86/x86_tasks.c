// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task switches, which hardware leaves to the VMM: by CALL, JMP and IRET to a TSS,
 * and through task gates in the IDT (E21).
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define GDT		0x5000
#define IDT		0x6000
#define CODE		GUEST_DATA
#define NEXT		(GUEST_DATA + 0x100)

#define TSS_SEL		0x18
#define GATE_SEL	0x20		/* a task gate for it, in the GDT */
#define BUSY_SEL	0x28
#define IRQ		0x70

FIXTURE(x86_tasks) {
	struct guest g;
	struct guest_vcpu v;
	struct axvcpu_run *run;
};

static const uint64_t gdt[] = {
	0,
	0x00cf9b000000ffff,		/* code, 32 bits */
	0x00cf93000000ffff,		/* data */
	0x0000890070000067,		/* TSS, at 0x7000 */
	0x0000850000180000,		/* task gate, for TSS_SEL */
	0x00008b0071000067,		/* TSS, busy */
};

/* 32-bit protected mode, where every vector is a task gate */
FIXTURE_SETUP(x86_tasks)
{
	static const uint8_t next[] = { 0xe6, GUEST_DONE, 0xf4 };	/* out; hlt */
	uint64_t *idt;

	self->v.fd = -1;
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	self->run = self->v.run;
	memcpy(self->g.mem + GDT, gdt, sizeof(gdt));
	idt = (uint64_t *)(self->g.mem + IDT);
	for (int i = 0; i < 256; i++)
		idt[i] = gdt[GATE_SEL / 8];
	memcpy(self->g.mem + NEXT, next, sizeof(next));
	/* The link to the task before, of the one that TR is at */
	*(uint16_t *)self->g.mem = BUSY_SEL;
}

FIXTURE_TEARDOWN(x86_tasks)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static int start(FIXTURE_DATA(x86_tasks) *self, const uint8_t *code, size_t len, uint64_t rflags)
{
	const struct axvcpu_reg regs[] = {
		{ AXVCPU_X86_REG_GDTR_BASE, GDT },
		{ AXVCPU_X86_REG_GDTR_LIMIT, sizeof(gdt) - 1 },
		{ AXVCPU_X86_REG_IDTR_BASE, IDT },
		{ AXVCPU_X86_REG_IDTR_LIMIT, 256 * 8 - 1 },
		{ AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_CS), 8 },
		{ AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_SS), 16 },
		{ AXVCPU_X86_REG_GPR(AXVCPU_X86_RSP), GUEST_DATA + 0x8000 },
		{ AXVCPU_X86_REG_RFLAGS, 2 | rflags },
	};
	struct axvcpu_setup setup;
	int err;

	memcpy(self->g.mem + CODE, code, len);
	setup_init(&self->g, &setup, CODE);
	memset(&setup.config, 0, sizeof(setup.config));
	setup.config.x86.mode = AXVCPU_X86_MODE_PROTECTED;
	err = XIOCTL(self->v.fd, AXVCPU_SETUP, &setup);
	if (!err)
		err = bind_vcpu(self->v.fd, -1);
	for (int i = 0; i < ARRAY_SIZE(regs) && !err; i++)
		err = set_reg(self->v.fd, regs[i].id, regs[i].value);
	return err;
}

static int stop(FIXTURE_DATA(x86_tasks) *self)
{
	int err = unbind_vcpu(self->v.fd);

	return err ? err : reset_vcpu(self->v.fd);
}

static const struct row {
	const char *name;
	uint8_t code[8];
	int len;
	uint64_t rflags;
	int injected;			/* enum axvcpu_event, or -1 */
	uint32_t at, source, selector;	/* of the exit; its RIP */
	uint64_t event;
	uint32_t insn_len;
} rows[] = {
	{ "jmp", { 0xea, 0, 0, 0, 0, TSS_SEL, 0 }, 7, 0, -1,
	  0, AXVCPU_TASK_SWITCH_JMP, TSS_SEL, 0, 7 },
	{ "call", { 0x9a, 0, 0, 0, 0, TSS_SEL, 0 }, 7, 0, -1,
	  0, AXVCPU_TASK_SWITCH_CALL, TSS_SEL, 0, 7 },
	{ "jmp by a gate", { 0xea, 0, 0, 0, 0, GATE_SEL, 0 }, 7, 0, -1,
	  0, AXVCPU_TASK_SWITCH_JMP, TSS_SEL, 0, 7 },
	{ "iret", { 0xcf }, 1, 1 << 14 /* NT */, -1,
	  0, AXVCPU_TASK_SWITCH_IRET, BUSY_SEL, 0, 1 },
	{ "int", { 0xcd, 0x55 }, 2, 0, -1,
	  0, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000455 | 2ULL << 48, 2 },
	{ "int3", { 0xcc }, 1, 0, -1,
	  0, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000603 | 1ULL << 48, 1 },
	{ "#UD", { 0x0f, 0x0b }, 2, 0, -1,
	  0, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000306, 0 },
	{ "#GP", { 0x66, 0xb8, 0x60, 0, 0x8e, 0xd8 }, 6, 0, -1,	/* mov $0x60, %ax; mov %eax, %ds */
	  4, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000b0d | 0x60ULL << 32, 0 },
	{ "interrupt", { 0x90 }, 1, 0x200, AXVCPU_EVENT_INTERRUPT,
	  0, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000000 | IRQ, 0 },
	{ "NMI", { 0x90 }, 1, 0, AXVCPU_EVENT_NMI,
	  0, AXVCPU_TASK_SWITCH_GATE, TSS_SEL, 0x80000202, 0 },
};

static void expect_exit(struct __test_metadata *_metadata, FIXTURE_DATA(x86_tasks) *self,
			const struct row *row)
{
	struct axvcpu_run *run = self->run;
	uint64_t event = ~0ULL;

	ASSERT_EQ(0, run_vcpu(self->v.fd, 0)) TH_LOG("%s", row->name);
	ASSERT_EQ(AXVCPU_EXIT_TASK_SWITCH, run->exit_reason) TH_LOG("%s", row->name);
	EXPECT_EQ(row->source, run->task_switch.source) TH_LOG("%s", row->name);
	EXPECT_EQ(row->selector, run->task_switch.selector) TH_LOG("%s", row->name);
	EXPECT_EQ(row->event, run->task_switch.event) TH_LOG("%s", row->name);
	EXPECT_EQ(row->insn_len, run->task_switch.insn_len) TH_LOG("%s", row->name);
	EXPECT_EQ(CODE + row->at, run->regs.x86.rip) TH_LOG("%s", row->name);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_X86_REG_EVENT, &event));
	EXPECT_EQ(row->event, event) TH_LOG("%s", row->name);
}

/* Told each time that the guest tries; nothing has happened until the VMM does it. */
TEST_F(x86_tasks, exits)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		ASSERT_EQ(0, start(self, row->code, row->len, row->rflags));
		if (row->injected >= 0) {
			ASSERT_EQ(0, inject_event(self->v.fd, row->injected,
						  row->injected == AXVCPU_EVENT_NMI ? 0 : IRQ));
		}
		for (int again = 0; again < 3; again++)
			expect_exit(_metadata, self, row);

		/* The VMM puts the guest somewhere else; what came through a gate is done. */
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_RIP, NEXT));
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_RFLAGS, 2));
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_EVENT, 0));
		EXPECT_EQ(0, run_until_done(&self->v)) TH_LOG("%s", row->name);
		ASSERT_EQ(0, stop(self));
	}
}

TEST_HARNESS_MAIN
