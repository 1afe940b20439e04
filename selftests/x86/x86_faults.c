// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions: those that the VMM wants to see, and faults in the delivery of events. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define EXCEPTION	(CODE_EXIT + AXVCPU_EXIT_EXCEPTION)
#define FAULT		(CODE_EXIT + AXVCPU_EXIT_NESTED_PAGE_FAULT)

CODE(de, "xor %ecx, %ecx; mov $1, %eax; xor %edx, %edx; div %ecx");
CODE(int3, "int3; nop");
CODE(ud, "ud2");
CODE(ts_fp, "mov %cr0, %rax; or $8, %eax; mov %rax, %cr0; fld1");
CODE(gp, "mov $0x7777777777777777, %rax; mov (%rax), %rax");
CODE(np_ds, "mov $0x18, %eax; mov %eax, %ds");
CODE(pf_write, "mov $0x5555000, %eax; shl $12, %rax; mov %rax, (%rax)");
CODE(icebp, ".byte 0xf1; nop");
CODE(int_80, "int $0x80; nop");
CODE(nop, "nop; nop");
CODE(lidt, "lidt (%rdi); ud2");

FIXTURE(x86_faults) {
	struct x86_code c;
	struct axvcpu_run *run;
	uint8_t *page;
};

FIXTURE_SETUP(x86_faults)
{
	int err = code_start(&self->c, 0);

	self->page = MAP_FAILED;
	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	self->run = self->c.v.run;
}

FIXTURE_TEARDOWN(x86_faults)
{
	code_destroy(&self->c);
}

static int watch(FIXTURE_DATA(x86_faults) *self, uint32_t vectors)
{
	return set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, vectors);
}

/* Each is an exit, the same again, and in the end the guest's. */
TEST_F(x86_faults, seen_by_the_vmm)
{
	static const struct {
		const uint8_t *code, *end;
		int vector;
		uint32_t error_code;
		uint64_t payload;
		int at, behind;		/* RIP of the exit, and what the handler returns to */
	} rows[] = {
#define ROW(name, ...) { name, name##_end, __VA_ARGS__ }
		ROW(de, 0, 0, 0, 9, 9),
		ROW(int3, 3, 0, 0, 0, 1),
		ROW(ud, 6, 0, 0, 0, 0),
		ROW(gp, 13, 0, 0, 10, 10),
		ROW(np_ds, 13, 0x18, 0, 5, 5),
		ROW(pf_write, 14, 2, 0x5555000000ULL, 9, 9),
		ROW(icebp, 1, 0, 0, 0, 1),
		ROW(ts_fp, 7, 0, 0, 9, 9),
	};
	uint64_t cr2;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, watch(self, 1U << rows[i].vector));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR2, 0x1234));
		ASSERT_EQ(EXCEPTION, code_run(&self->c, rows[i].code, rows[i].end - rows[i].code))
			TH_LOG("row %d", i);
		for (int again = 0; again < 2; again++) {
			EXPECT_EQ(rows[i].vector, self->run->exception.vector);
			EXPECT_EQ(rows[i].error_code, self->run->exception.error_code);
			EXPECT_EQ(rows[i].payload, self->run->exception.payload)
				TH_LOG("row %d", i);
			EXPECT_EQ(CODE_GPA + rows[i].at, self->run->regs.x86.rip);
			EXPECT_EQ(0x1234, code_reg(&self->c, AXVCPU_X86_REG_CR2));
			if (!again)
				ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
		}
		self->run->exception.deliver = 1;
		EXPECT_EQ(rows[i].vector, code_go_on(&self->c)) TH_LOG("row %d", i);
		if (rows[i].vector == 13 || rows[i].vector == 14)
			EXPECT_EQ(rows[i].error_code, self->c.error_code);
		EXPECT_EQ(CODE_GPA + rows[i].behind, self->c.rip) TH_LOG("row %d", i);
		cr2 = code_reg(&self->c, AXVCPU_X86_REG_CR2);
		EXPECT_EQ(rows[i].vector == 14 ? rows[i].payload : 0x1234, cr2);
		/* Others are not seen. */
		ASSERT_EQ(0, watch(self, ~(1U << rows[i].vector | 1 << 2 | 1 << 18) & 0x1fffff));
		EXPECT_EQ(rows[i].vector,
			  code_run(&self->c, rows[i].code, rows[i].end - rows[i].code));
	}
	ASSERT_EQ(0, watch(self, 0));
	EXPECT_EQ(6, RUN_CODE(&self->c, ud));
	EXPECT_EQ(-EINVAL, watch(self, 1 << 2));
	EXPECT_EQ(-EINVAL, watch(self, 1 << 18));
	EXPECT_EQ(-EINVAL, watch(self, 1 << 21));
	EXPECT_EQ(-EINVAL, watch(self, 1U << 31));
}

/*
 * X14: where EPT marks what it uses, the walk of a guest's page table is a write, even
 * when there is nothing left to mark.
 */
TEST_F(x86_faults, walk_of_a_table_that_cant_be_written)
{
	uint64_t table = code_reg(&self->c, AXVCPU_X86_REG_CR3) & -4096ULL;
	const uint32_t flags = AXVCPU_FAULT_GVA_VALID | AXVCPU_FAULT_WALK |
			       AXVCPU_FAULT_PROTECTION;

	ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, nop));
	ASSERT_EQ(0, protect_memory(self->c.g.aspace, table, 4096,
				    AXVCPU_MAP_READ | AXVCPU_MAP_EXEC));
	if (!(self->c.g.info.caps & AXVCPU_CAP_HW_DIRTY)) {
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nop));
		return;
	}
	EXPECT_EQ(FAULT, RUN_CODE(&self->c, nop));
	for (int again = 0; again < 2; again++) {
		EXPECT_EQ(table, self->run->fault.gpa & -4096ULL);
		EXPECT_EQ(flags, self->run->fault.flags);
		EXPECT_TRUE(self->run->fault.access & AXVCPU_MAP_WRITE);
		EXPECT_EQ(CODE_GPA, self->run->regs.x86.rip);
		if (!again) {
			ASSERT_EQ(FAULT, code_go_on(&self->c));
		}
	}
	ASSERT_EQ(0, protect_memory(self->c.g.aspace, table, 4096, AXVCPU_MAP_ALL));
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* X12: an event that a failed entry was to deliver is the VMM's to take back. */
TEST_F(x86_faults, event_of_a_failed_entry)
{
	const uint64_t cs = AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS);
	const uint64_t interrupt = 1ULL << 31 | 0x40;
	int fd = self->c.v.fd;
	uint64_t access;

	for (int injected = 0; injected < 2; injected++) {
		ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, nop));
		access = code_reg(&self->c, cs);
		ASSERT_EQ(0, set_reg(fd, AXVCPU_X86_REG_RIP, CODE_GPA));
		ASSERT_EQ(0, set_reg(fd, cs, 0x93));
		if (injected) {
			ASSERT_EQ(0, inject_event(fd, AXVCPU_EVENT_EXCEPTION, 6));
		} else {
			ASSERT_EQ(0, set_reg(fd, AXVCPU_X86_REG_EVENT, interrupt));
		}
		ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_FAIL_ENTRY, code_go_on(&self->c));
		EXPECT_NE(0, code_reg(&self->c, AXVCPU_X86_REG_EVENT));
		ASSERT_EQ(0, set_reg(fd, AXVCPU_X86_REG_EVENT, 0));
		ASSERT_EQ(0, set_reg(fd, cs, access));
		EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
	}
}

/* The VMM may do the instruction's work, and go on behind it. */
TEST_F(x86_faults, carried_out_by_the_vmm)
{
	ASSERT_EQ(0, watch(self, 1 << 6));
	ASSERT_EQ(EXCEPTION, RUN_CODE(&self->c, ud));
	self->run->regs.x86.rip += 2;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_EQ(CODE_DONE, code_go_on(&self->c));
}

/* So are exceptions that hardware would not raise by itself. */
TEST_F(x86_faults, raised_by_the_kernel)
{
	static const struct {
		const char *name;
		uint8_t code[4];
		int len, vector;
		uint64_t payload;
	} rows[] = {
		{ "rdpmc", { 0x0f, 0x33 }, 2, 13, 0 },
		{ "mov to cr8", { 0x44, 0x0f, 0x22, 0xc0 }, 4, 13, 0 },
		{ "mov to cr4", { 0x0f, 0x22, 0xe0 }, 3, 13, 0 },
		{ "wrmsr of EFER", { 0x0f, 0x30 }, 2, 13, 0 },
		{ "monitor", { 0x0f, 0x01, 0xc8 }, 3, 6, 0 },
		{ "vmxon", { 0xf3, 0x0f, 0xc7, 0x37 }, 4, 6, 0 },
		{ "mov from dr0, guarded", { 0x0f, 0x21, 0xc0 }, 3, 1, 1 << 13 },
	};

	self->run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t dr7 = rows[i].vector == 1 ? 0x2400 : 0x400;

		ASSERT_EQ(0, watch(self, 1U << rows[i].vector));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_DR(7), dr7));
		self->run->regs.x86.gpr[AXVCPU_X86_RAX] = ~0ULL;
		self->run->regs.x86.gpr[AXVCPU_X86_RCX] = 0xc0000080;
		ASSERT_EQ(EXCEPTION, code_run(&self->c, rows[i].code, rows[i].len))
			TH_LOG("%s", rows[i].name);
		EXPECT_EQ(rows[i].vector, self->run->exception.vector);
		EXPECT_EQ(0, self->run->exception.error_code);
		EXPECT_EQ(rows[i].payload, self->run->exception.payload);
		EXPECT_EQ(CODE_GPA, self->run->regs.x86.rip);
		EXPECT_EQ(dr7, code_reg(&self->c, AXVCPU_X86_REG_DR(7)));
		ASSERT_EQ(EXCEPTION, code_go_on(&self->c)) TH_LOG("%s", rows[i].name);
		self->run->exception.deliver = 1;
		EXPECT_EQ(rows[i].vector, code_go_on(&self->c)) TH_LOG("%s", rows[i].name);
		EXPECT_EQ(CODE_GPA, self->c.rip);
		EXPECT_EQ(0x400, code_reg(&self->c, AXVCPU_X86_REG_DR(7)));
		EXPECT_EQ(rows[i].payload, code_reg(&self->c, AXVCPU_X86_REG_DR(6)) & 1 << 13);
		ASSERT_EQ(0, watch(self, 0));
	}
	/* The VMM's own answer is no news to it. */
	ASSERT_EQ(0, watch(self, 1 << 13));
	self->run->regs.x86.gpr[AXVCPU_X86_RCX] = 0x1234;
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_WRITE,
		  code_run(&self->c, rows[3].code, rows[3].len));
	self->run->sysreg.fault = 1;
	EXPECT_EQ(13, code_go_on(&self->c));
}

static int load_idt(FIXTURE_DATA(x86_faults) *self, uint64_t base, uint16_t limit)
{
	int err = set_reg(self->c.v.fd, AXVCPU_X86_REG_IDTR_BASE, base);

	return err ? err : set_reg(self->c.v.fd, AXVCPU_X86_REG_IDTR_LIMIT, limit);
}

/*
 * E21, SDM vol. 3, table 6-5: #GP in the delivery of #GP is #DF, and in the
 * delivery of that the end, whether the VMM looks on or the hardware does it alone.
 */
TEST_F(x86_faults, double_fault)
{
	uint64_t idt = code_reg(&self->c, AXVCPU_X86_REG_IDTR_BASE);

	for (int watched = 0; watched < 2; watched++) {
		ASSERT_EQ(0, watch(self, watched ? 1 << 13 : 0));
		/* A table without the gate of #GP */
		ASSERT_EQ(0, load_idt(self, idt, 13 * 16 - 1));
		if (watched) {
			ASSERT_EQ(EXCEPTION, RUN_CODE(&self->c, gp));
			self->run->exception.deliver = 1;
			ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
			EXPECT_EQ(13, self->run->exception.vector);
			EXPECT_EQ(13 * 8 + 2 + 1, self->run->exception.error_code | 1);
			self->run->exception.deliver = 1;
			EXPECT_EQ(8, code_go_on(&self->c));
		} else {
			EXPECT_EQ(8, RUN_CODE(&self->c, gp));
		}
		EXPECT_EQ(0, self->c.error_code);
		EXPECT_EQ(CODE_GPA + 10, self->c.rip);
	}
	/* #GP in the delivery of #PF, whose gate is behind the table's end */
	for (int watched = 0; watched < 2; watched++) {
		ASSERT_EQ(0, watch(self, watched ? 1 << 13 | 1 << 14 : 0));
		ASSERT_EQ(0, load_idt(self, idt, 14 * 16 - 1));
		code_place(&self->c, pf_write, pf_write_end - pf_write);
		for (int vector = 14; watched && vector >= 13; vector--) {
			ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
			EXPECT_EQ(vector, self->run->exception.vector);
			self->run->exception.deliver = 1;
		}
		EXPECT_EQ(8, code_go_on(&self->c));
		EXPECT_EQ(CODE_GPA + 9, self->c.rip);
		EXPECT_EQ(0x5555000000, code_reg(&self->c, AXVCPU_X86_REG_CR2));
	}
	ASSERT_EQ(0, watch(self, 1 << 13));
	/* And without that of #DF */
	ASSERT_EQ(0, load_idt(self, idt, 8 * 16 - 1));
	ASSERT_EQ(EXCEPTION, RUN_CODE(&self->c, gp));
	for (int i = 0; i < 2; i++) {
		self->run->exception.deliver = 1;
		ASSERT_EQ(EXCEPTION, code_go_on(&self->c));
	}
	self->run->exception.deliver = 1;
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SHUTDOWN, code_go_on(&self->c));
	ASSERT_EQ(0, load_idt(self, idt, 16 * 256 - 1));
	ASSERT_EQ(0, watch(self, 0));
	EXPECT_EQ(6, RUN_CODE(&self->c, ud));
}

static int inject(FIXTURE_DATA(x86_faults) *self, uint32_t type, uint32_t vector, uint32_t code,
		  uint32_t flags)
{
	struct axvcpu_inject args = {
		.type = type, .vector = vector, .error_code = code, .flags = flags,
	};

	return XIOCTL(self->c.v.fd, AXVCPU_INJECT, &args);
}

/* Events whose delivery is interrupted: of INJECT, and of the guest's own */
static const struct delivery {
	int vector, type;		/* enum axvcpu_event; -1: not injected */
	uint32_t code, flags;
	const uint8_t *piece, *end;
	int behind;			/* what the handler returns to */
} deliveries[] = {
	{ 0x41, AXVCPU_EVENT_INTERRUPT, 0, 0, nop, nop_end, 0 },
	{ 13, AXVCPU_EVENT_EXCEPTION, 0x28, AXVCPU_INJECT_ERROR_CODE, nop, nop_end, 0 },
	{ 6, AXVCPU_EVENT_EXCEPTION, 0, 0, nop, nop_end, 0 },
	{ 2, AXVCPU_EVENT_NMI, 0, 0, nop, nop_end, 0 },
	{ 0x80, -1, 0, 0, int_80, int_80_end, 2 },
	{ 3, -1, 0, 0, int3, int3_end, 1 },
	{ 1, -1, 0, 0, icebp, icebp_end, 1 },
	{ 6, -1, 0, 0, ud, ud_end, 0 },
	{ 13, -1, 0x18, AXVCPU_INJECT_ERROR_CODE, np_ds, np_ds_end, 5 },
};

static int begin_delivery(FIXTURE_DATA(x86_faults) *self, const struct delivery *d)
{
	code_place(&self->c, d->piece, d->end - d->piece);
	self->run->regs.x86.rflags |= 0x200;
	return d->type < 0 ? 0 :
	       inject(self, d->type, d->vector == 2 ? 0 : d->vector, d->code, d->flags);
}

static int make_page(FIXTURE_DATA(x86_faults) *self)
{
	self->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return self->page == MAP_FAILED ? -ENOMEM : 0;
}

/* E22: the gate is in memory that is not there yet; the event comes when it is. */
TEST_F(x86_faults, idt_is_not_there)
{
	uint64_t idt = code_reg(&self->c, AXVCPU_X86_REG_IDTR_BASE);

	ASSERT_EQ(0, make_page(self));
	memcpy(self->page, self->c.g.mem + idt, 4096);
	ASSERT_EQ(0, load_idt(self, GUEST_HOLE, 4095));
	for (int i = 0; i < ARRAY_SIZE(deliveries); i++) {
		const struct delivery *d = &deliveries[i];

		ASSERT_EQ(0, begin_delivery(self, d));
		for (int again = 0; again < 3; again++) {
			ASSERT_EQ(FAULT, code_go_on(&self->c)) TH_LOG("row %d", i);
			EXPECT_EQ(GUEST_HOLE + d->vector * 16, self->run->fault.gpa);
			EXPECT_EQ(d->vector, code_reg(&self->c, AXVCPU_X86_REG_EVENT) & 0xff);
		}
		ASSERT_EQ(0, map_memory(self->c.g.aspace, GUEST_HOLE, 4096, self->page,
					AXVCPU_MAP_READ));
		EXPECT_EQ(d->vector, code_go_on(&self->c)) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_GPA + d->behind, self->c.rip) TH_LOG("row %d", i);
		if (d->flags)
			EXPECT_EQ(d->code, self->c.error_code);
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_EVENT));
		/* Once: IRET goes on with the piece, which raises a fault of its own again. */
		EXPECT_EQ(d->piece == ud || d->piece == np_ds ? d->vector : CODE_DONE,
			  code_go_on(&self->c));
		ASSERT_EQ(0, unmap_memory(self->c.g.aspace, GUEST_HOLE, 4096));
	}
}

/* E22: the same with the stack, which the frame is written to */
TEST_F(x86_faults, stack_is_not_there)
{
	const uint64_t top = 0x800;
	const uint64_t *frame;

	ASSERT_EQ(0, make_page(self));
	frame = (const uint64_t *)(self->page + top) - 5;
	for (int i = 0; i < ARRAY_SIZE(deliveries); i++) {
		const struct delivery *d = &deliveries[i];

		memset(self->page, 0, 4096);
		ASSERT_EQ(0, begin_delivery(self, d));
		self->run->regs.x86.gpr[AXVCPU_X86_RSP] = GUEST_HOLE + top;
		for (int again = 0; again < 3; again++) {
			ASSERT_EQ(FAULT, code_go_on(&self->c)) TH_LOG("row %d", i);
			EXPECT_EQ(GUEST_HOLE, self->run->fault.gpa & ~0xfffULL);
			EXPECT_TRUE(self->run->fault.access & AXVCPU_MAP_WRITE);
			EXPECT_EQ(d->vector, code_reg(&self->c, AXVCPU_X86_REG_EVENT) & 0xff);
		}
		ASSERT_EQ(0, map_memory(self->c.g.aspace, GUEST_HOLE, 4096, self->page,
					AXVCPU_MAP_ALL));
		/* Not code_go_on(): the frame is not where it looks. */
		ASSERT_EQ(0, run_until(&self->c.v, AXVCPU_EXIT_IO_WRITE)) TH_LOG("row %d", i);
		EXPECT_EQ(d->vector, *greg(&self->c.v, G2) & 0xff) TH_LOG("row %d", i);
		EXPECT_EQ(CODE_GPA + d->behind, frame[0]) TH_LOG("row %d", i);
		if (d->flags)
			EXPECT_EQ(d->code, frame[-1]);
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_EVENT));
		ASSERT_EQ(0, unmap_memory(self->c.g.aspace, GUEST_HOLE, 4096));
	}
}

TEST_HARNESS_MAIN
