// SPDX-License-Identifier: GPL-2.0-only
/*
 * INS and OUTS: what the exit says, how the registers follow the VMM's answer,
 * and the library's part, which gets at the memory through the guest's paging.
 */
#include <stdio.h>
#include <string.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "kselftest_harness.h"

#include "x86_code.h"

#define PORT		0x1f0
#define STRING		(CODE_EXIT + AXVCPU_EXIT_IO_STRING)
#define TF		0x100
#define DF		0x400

CODE(rep_outsb, "mov $0x1f0, %edx; rep outsb");
CODE(rep_outsw, "mov $0x1f0, %edx; rep outsw");
CODE(rep_outsl, "mov $0x1f0, %edx; rep outsl");
CODE(rep_insb, "mov $0x1f0, %edx; rep insb");
CODE(rep_insw, "mov $0x1f0, %edx; rep insw");
CODE(rep_insl, "mov $0x1f0, %edx; rep insl");
CODE(down_insw, "mov $0x1f0, %edx; std; rep insw");
CODE(outsb, "mov $0x1f0, %edx; outsb");
CODE(insl, "mov $0x1f0, %edx; insl");
CODE(gs_outsb, "mov $0x1f0, %edx; rep outsb %gs:(%rsi), %dx");
CODE(rep_outsb_32, "mov $0x1f0, %edx; rep outsb (%esi), %dx");
CODE(real_outsb, ".code16; mov $0x1f0, %dx; rep outsb; hlt; .code64");
CODE(real_insb, ".code16; mov $0x1f0, %dx; rep insb; hlt; .code64");

FIXTURE(x86_strings) {
	struct x86_code c;
	volatile __u64 *gpr;
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *mem;
	uint8_t sent[0x4000];
	size_t nr_sent;
	uint8_t next;
	unsigned int calls;
};

FIXTURE_SETUP(x86_strings)
{
	int err = code_start(&self->c, 0);

	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	self->gpr = self->c.v.run->regs.x86.gpr;
}

FIXTURE_TEARDOWN(x86_strings)
{
	code_destroy(&self->c);
}

static void set_operands(FIXTURE_DATA(x86_strings) *self, uint64_t addr, uint64_t count)
{
	self->gpr[AXVCPU_X86_RSI] = addr;
	self->gpr[AXVCPU_X86_RDI] = addr;
	self->gpr[AXVCPU_X86_RCX] = count;
}

/* E19: the exit, for all widths and both directions */
TEST_F(x86_strings, exits)
{
	const struct {
		const uint8_t *code, *end;
		uint32_t width, flags, bits;
		bool rep;
	} rows[] = {
#define ROW(name, width, flags, bits, rep) { name, name##_end, width, flags, bits, rep }
		ROW(rep_outsb, 1, 0, 64, true),
		ROW(rep_outsw, 2, 0, 64, true),
		ROW(rep_outsl, 4, 0, 64, true),
		ROW(rep_insb, 1, AXVCPU_IO_STRING_IN, 64, true),
		ROW(rep_insw, 2, AXVCPU_IO_STRING_IN, 64, true),
		ROW(rep_insl, 4, AXVCPU_IO_STRING_IN, 64, true),
		ROW(down_insw, 2, AXVCPU_IO_STRING_IN | AXVCPU_IO_STRING_DOWN, 64, true),
		ROW(rep_outsb_32, 1, 0, 32, true),
		ROW(outsb, 1, 0, 64, false),
		ROW(insl, 4, AXVCPU_IO_STRING_IN, 64, false),
	};
	struct axvcpu_run *run = self->c.v.run;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		bool in = rows[i].flags & AXVCPU_IO_STRING_IN;
		int pointer = in ? AXVCPU_X86_RDI : AXVCPU_X86_RSI;
		int64_t step = rows[i].width;
		uint64_t rip;

		if (rows[i].flags & AXVCPU_IO_STRING_DOWN)
			step = -step;
		set_operands(self, CODE_DATA + 0x100, 1000);
		ASSERT_EQ(STRING, code_run(&self->c, rows[i].code, rows[i].end - rows[i].code))
			TH_LOG("row %d", i);
		rip = run->regs.x86.rip;
		EXPECT_EQ(PORT, run->io_string.port);
		EXPECT_EQ(rows[i].width, run->io_string.width);
		EXPECT_EQ(rows[i].flags, run->io_string.flags);
		EXPECT_EQ(rows[i].bits, run->io_string.address_bits);
		EXPECT_EQ(rows[i].rep ? 1000 : 1, run->io_string.count);
		EXPECT_EQ(CODE_DATA + 0x100, run->io_string.gva);
		EXPECT_EQ(in ? AXVCPU_X86_SEG_ES : AXVCPU_X86_SEG_DS, run->io_string.segment);
		EXPECT_EQ(0, run->io_string.done);

		/* Nothing done: the same again. */
		ASSERT_EQ(STRING, code_go_on(&self->c));
		EXPECT_EQ(rip, run->regs.x86.rip);
		EXPECT_EQ(1000, self->gpr[AXVCPU_X86_RCX]);
		if (rows[i].rep) {
			run->io_string.done = 300;
			ASSERT_EQ(STRING, code_go_on(&self->c));
			EXPECT_EQ(700, run->io_string.count);
			EXPECT_EQ(CODE_DATA + 0x100 + 300 * step, run->io_string.gva);
			EXPECT_EQ(700, self->gpr[AXVCPU_X86_RCX]);
			EXPECT_EQ(run->io_string.gva, self->gpr[pointer]);
			EXPECT_EQ(rip, run->regs.x86.rip);
		}
		/* More than all is all. */
		run->io_string.done = ~0ULL;
		ASSERT_EQ(CODE_DONE, code_go_on(&self->c));
		EXPECT_EQ(rows[i].rep ? 0 : 1000, self->gpr[AXVCPU_X86_RCX]);
		EXPECT_EQ(CODE_DATA + 0x100 + (rows[i].rep ? 1000 : 1) * step, self->gpr[pointer]);
	}
	/* Nothing to do */
	set_operands(self, CODE_DATA, 0);
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, rep_outsb));
	set_operands(self, CODE_DATA, 1ULL << 32);
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, rep_outsb_32));
}

TEST_F(x86_strings, segment_base)
{
	struct axvcpu_run *run = self->c.v.run;

	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(0xc0000101), 0x123000));
	set_operands(self, 0x456, 1);
	ASSERT_EQ(STRING, RUN_CODE(&self->c, gs_outsb));
	EXPECT_EQ(0x123456, run->io_string.gva);
	EXPECT_EQ(AXVCPU_X86_SEG_GS, run->io_string.segment);
}

/* Registers as an instruction of 32 bits writes them */
TEST_F(x86_strings, address_size)
{
	set_operands(self, 0xabcdef0000000000ULL | (CODE_DATA + 8), 0x1234567800000003ULL);
	ASSERT_EQ(STRING, RUN_CODE(&self->c, rep_outsb_32));
	EXPECT_EQ(3, self->c.v.run->io_string.count);
	EXPECT_EQ(CODE_DATA + 8, self->c.v.run->io_string.gva);
	self->c.v.run->io_string.done = 3;
	ASSERT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(0, self->gpr[AXVCPU_X86_RCX]);
	EXPECT_EQ(CODE_DATA + 11, self->gpr[AXVCPU_X86_RSI]);
}

/* Whatever the VMM answers, the guest takes a fault that such an access has. */
TEST_F(x86_strings, faults)
{
	static const struct {
		uint32_t fault, error_code;
		int vector;
	} rows[] = {
		{ 14, 6, 14 }, { 13, 0, 13 }, { 12, 0x18, 12 }, { 3, 0, 13 }, { 2, 0, 13 },
		{ ~0U, 0, 13 }, { 32, 0, 13 }, { 0x100 + 14, 0, 13 },
	};
	struct axvcpu_run *run = self->c.v.run;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		set_operands(self, CODE_DATA, 10);
		ASSERT_EQ(STRING, RUN_CODE(&self->c, rep_insl));
		run->io_string.done = 4;
		run->io_string.fault = rows[i].fault;
		run->io_string.error_code = rows[i].error_code | 0xffff8000;
		run->io_string.fault_address = 0xcafe000;
		EXPECT_EQ(rows[i].vector, code_go_on(&self->c));
		EXPECT_EQ(rows[i].error_code, self->c.error_code);
		EXPECT_EQ(6, self->gpr[AXVCPU_X86_RCX]);
		EXPECT_EQ(CODE_DATA + 16, self->gpr[AXVCPU_X86_RDI]);
		EXPECT_EQ(CODE_GPA + 5, self->c.rip);
	}
	EXPECT_EQ(0xcafe000, code_reg(&self->c, AXVCPU_X86_REG_CR2));
}

/* A single step is one element, with its trap. */
TEST_F(x86_strings, trap_flag)
{
	struct axvcpu_run *run = self->c.v.run;

	/* Bochs takes a fault of EPT's for an instruction behind which a trap is due. */
	ASSERT_EQ(CODE_DONE, code_run(&self->c, "", 0));
	set_operands(self, CODE_DATA, 3);
	self->gpr[AXVCPU_X86_RDX] = PORT;
	code_place(&self->c, rep_outsb + 5, rep_outsb_end - rep_outsb - 5);
	run->regs.x86.rflags |= TF;
	for (int i = 3; i; i--) {
		ASSERT_EQ(STRING, code_go_on(&self->c));
		EXPECT_EQ(1, run->io_string.count);
		EXPECT_EQ(i, self->gpr[AXVCPU_X86_RCX]);
		run->io_string.done = 1;
		ASSERT_EQ(1, code_go_on(&self->c));
		EXPECT_EQ(i > 1 ? CODE_GPA : CODE_GPA + 2, self->c.rip);
	}
}

/* An interrupt comes between two parts. */
TEST_F(x86_strings, interrupted)
{
	set_operands(self, CODE_DATA, 8);
	code_place(&self->c, rep_insb, rep_insb_end - rep_insb);
	self->c.v.run->regs.x86.rflags |= 0x200;
	ASSERT_EQ(STRING, code_go_on(&self->c));
	ASSERT_EQ(0, inject_irq(self->c.v.fd, 0x55));
	self->c.v.run->io_string.done = 5;
	EXPECT_EQ(0x55, code_go_on(&self->c));
	EXPECT_EQ(CODE_GPA + 5, self->c.rip);
	ASSERT_EQ(STRING, code_go_on(&self->c));
	EXPECT_EQ(3, self->c.v.run->io_string.count);
}

/* The library: memory and port of a VMM */

static void *memory(void *data, uint64_t gpa, size_t size)
{
	FIXTURE_DATA(x86_strings) *self = data;

	return gpa < GUEST_MEM_SIZE && size <= GUEST_MEM_SIZE - gpa ? self->mem + gpa : NULL;
}

static void port(void *data, uint16_t number, uint32_t width, void *bytes, size_t count, bool in)
{
	FIXTURE_DATA(x86_strings) *self = data;
	uint8_t *byte = bytes;

	self->calls++;
	for (size_t i = 0; i < count * width; i++) {
		if (in)
			byte[i] = self->next++;
		else if (self->nr_sent < sizeof(self->sent))
			self->sent[self->nr_sent++] = byte[i];
	}
}

#define RFLAGS_FIXED	2
#define PML4		0x1000
#define PT		0x6000		/* maps the 2 MiB at VIRTUAL, page by page */
#define VIRTUAL		0x40000000ULL
#define PAGES(n)	(0x90000 + (n) * 0x2000)	/* not next to each other */

/* A vCPU of the library's on this guest's memory, in long mode with pages of 4 KiB */
static int library_start(FIXTURE_DATA(x86_strings) *self, const uint8_t *code, size_t len)
{
	uint64_t *pdpt = (uint64_t *)(self->c.g.mem + 0x2000);
	uint64_t *pd = (uint64_t *)(self->c.g.mem + 0x5000);
	uint64_t *pt = (uint64_t *)(self->c.g.mem + PT);
	int err = axvcpu_device_open(NULL, &self->dev);

	self->mem = self->c.g.mem;
	pdpt[1] = 0x5000 | 0x23;
	pd[0] = PT | 0x23;
	for (int i = 0; i < 4; i++)
		pt[i] = PAGES(i) | 3;
	memcpy(self->mem + CODE_GPA, code, len);
	self->mem[CODE_GPA + len] = 0xf4;
	if (!err)
		err = axvcpu_aspace_create(self->dev, &self->aspace);
	if (!err)
		err = axvcpu_aspace_map(self->aspace, 0, self->mem, GUEST_MEM_SIZE, AXVCPU_MAP_ALL);
	if (!err)
		err = axvcpu_vcpu_create(self->dev, NULL, &self->vcpu);
	if (!err)
		err = axvcpu_vcpu_setup_long(self->vcpu, self->aspace, CODE_GPA, PML4);
	if (!err)
		err = axvcpu_vcpu_bind(self->vcpu, -1);
	self->gpr = axvcpu_vcpu_page(self->vcpu)->regs.x86.gpr;
	return err;
}

static void library_stop(FIXTURE_DATA(x86_strings) *self)
{
	axvcpu_vcpu_close(self->vcpu);
	axvcpu_aspace_close(self->aspace);
	axvcpu_device_close(self->dev);
}

/* To the next exit but IO_STRING, which the library answers; returns the reason. */
static int library_run(FIXTURE_DATA(x86_strings) *self)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(self->vcpu);
	int err;

	do {
		err = axvcpu_vcpu_run(self->vcpu, 0);
		if (!err && run->exit_reason == AXVCPU_EXIT_IO_STRING) {
			err = axvcpu_x86_answer_string(self->vcpu, memory, port, self);
			if (!err)
				continue;
		}
		return err ? err : (int)run->exit_reason;
	} while (1);
}

#define LIBRARY_START(self, name)	library_start(self, name, name##_end - (name))

/* Out of three pages, from and to their middles, by few calls */
TEST_F(x86_strings, library_out)
{
	ASSERT_EQ(0, LIBRARY_START(self, rep_outsb));
	for (int i = 0; i < 3 * 0x1000; i++)
		self->mem[PAGES(i / 0x1000) + i % 0x1000] = i * 7 + i / 0x1000;
	set_operands(self, VIRTUAL + 0x800, 0x2000);
	EXPECT_EQ(AXVCPU_EXIT_HALT, library_run(self));
	EXPECT_EQ(0x2000, self->nr_sent);
	EXPECT_EQ(3, self->calls);
	for (int i = 0x800; i < 0x2800; i++)
		ASSERT_EQ((uint8_t)(i * 7 + i / 0x1000), self->sent[i - 0x800]);
	EXPECT_EQ(0, self->gpr[AXVCPU_X86_RCX]);
	EXPECT_EQ(VIRTUAL + 0x2800, self->gpr[AXVCPU_X86_RSI]);
	library_stop(self);
}

/* Elements across the border of two pages; pages are dirty and accessed then. */
TEST_F(x86_strings, library_in)
{
	uint64_t *pt = (uint64_t *)(self->c.g.mem + PT);
	uint8_t byte = 0;

	ASSERT_EQ(0, LIBRARY_START(self, rep_insl));
	set_operands(self, VIRTUAL + 0xffa, 1025);
	EXPECT_EQ(AXVCPU_EXIT_HALT, library_run(self));
	for (int i = 0xffa; i < 0xffa + 4 * 1025; i++)
		ASSERT_EQ(byte++, self->mem[PAGES(i / 0x1000) + i % 0x1000]);
	EXPECT_EQ(0x60, pt[0] & 0x60);
	EXPECT_EQ(0x60, pt[1] & 0x60);
	EXPECT_EQ(0, pt[3] & 0x60);
	library_stop(self);
}

TEST_F(x86_strings, library_down)
{
	ASSERT_EQ(0, LIBRARY_START(self, down_insw));
	set_operands(self, VIRTUAL + 0x1003, 5);
	EXPECT_EQ(AXVCPU_EXIT_HALT, library_run(self));
	for (int i = 0; i < 10; i++) {
		int at = 0x1003 - i / 2 * 2 + i % 2;

		EXPECT_EQ(i, self->mem[PAGES(at / 0x1000) + at % 0x1000]) TH_LOG("%d", at);
	}
	EXPECT_EQ(VIRTUAL + 0x1003 - 10, self->gpr[AXVCPU_X86_RDI]);
	library_stop(self);
}

/* Page faults: behind what could be moved, with the right error code */
TEST_F(x86_strings, library_faults)
{
	uint64_t *pt = (uint64_t *)(self->c.g.mem + PT);
	struct axvcpu_x86_page_fault fault;
	struct axvcpu_x86_paging paging;
	char bytes[] = "xyzt", back[2];
	uint64_t gpa, cr2;
	uint32_t code;

	ASSERT_EQ(0, LIBRARY_START(self, rep_insb));
	pt[1] = 0;
	set_operands(self, VIRTUAL + 0xff0, 0x20);
	/* Without an IDT the fault is the end. */
	EXPECT_EQ(AXVCPU_EXIT_SHUTDOWN, library_run(self));
	EXPECT_EQ(0x10, self->gpr[AXVCPU_X86_RCX]);
	ASSERT_EQ(0, axvcpu_vcpu_get_reg_by_name(self->vcpu, "cr2", &cr2));
	EXPECT_EQ(VIRTUAL + 0x1000, cr2);

	EXPECT_EQ(14, axvcpu_x86_translate(self->vcpu, VIRTUAL + 0x1234, true, memory, self, &gpa,
					   &code));
	EXPECT_EQ(2, code);
	EXPECT_EQ(14, axvcpu_x86_translate(self->vcpu, VIRTUAL + 0x1234, false, memory, self, &gpa,
					   &code));
	EXPECT_EQ(0, code);
	EXPECT_EQ(0, axvcpu_x86_translate(self->vcpu, VIRTUAL + 0x2345, true, memory, self, &gpa,
					  &code));
	EXPECT_EQ(PAGES(2) + 0x345, gpa);
	EXPECT_EQ(0, axvcpu_x86_translate(self->vcpu, 0x12345, false, memory, self, &gpa, &code));
	EXPECT_EQ(0x12345, gpa);
	ASSERT_EQ(0, axvcpu_x86_get_paging(self->vcpu, &paging));
	EXPECT_EQ(0, axvcpu_x86_access(&paging, VIRTUAL + 0x2ffe, bytes, 2, AXVCPU_X86_WRITE,
				       memory, self, &fault));
	EXPECT_EQ(0, memcmp("xy", self->mem + PAGES(2) + 0xffe, 2));
	/* Across the page that is absent: nothing is written. */
	EXPECT_EQ(14, axvcpu_x86_access(&paging, VIRTUAL + 0xffe, bytes, 4, AXVCPU_X86_WRITE,
					memory, self, &fault));
	EXPECT_EQ(VIRTUAL + 0x1000, fault.address);
	EXPECT_EQ(2, fault.error_code);
	EXPECT_NE(0, memcmp("xy", self->mem + PAGES(0) + 0xffe, 2));
	EXPECT_EQ(0, axvcpu_x86_access(&paging, VIRTUAL + 0x2ffe, back, 2, 0, memory, self,
				       &fault));
	EXPECT_EQ(0, memcmp("xy", back, 2));
	/* Read-only pages count with CR0.WP. */
	pt[2] &= ~2ULL;
	ASSERT_EQ(0, axvcpu_vcpu_set_reg_by_name(self->vcpu, "cr0", 0x80000001));
	EXPECT_EQ(0, axvcpu_x86_translate(self->vcpu, VIRTUAL + 0x2345, true, memory, self, &gpa,
					  &code));
	ASSERT_EQ(0, axvcpu_vcpu_set_reg_by_name(self->vcpu, "cr0", 0x80010001));
	EXPECT_EQ(14, axvcpu_x86_translate(self->vcpu, VIRTUAL + 0x2345, true, memory, self, &gpa,
					   &code));
	EXPECT_EQ(3, code);
	/* Tables that are nowhere */
	pt[2] = 0;
	((uint64_t *)(self->mem + 0x5000))[0] = 0x30000003;
	EXPECT_EQ(-EFAULT, axvcpu_x86_translate(self->vcpu, VIRTUAL, false, memory, self, &gpa,
						&code));
	library_stop(self);
}

static int real_start(FIXTURE_DATA(x86_strings) *self, const uint8_t *code, size_t len)
{
	int err = axvcpu_device_open(NULL, &self->dev);

	self->mem = self->c.g.mem;
	memcpy(self->mem + 0x7c00, code, len);
	if (!err)
		err = axvcpu_aspace_create(self->dev, &self->aspace);
	if (!err)
		err = axvcpu_aspace_map(self->aspace, 0, self->mem, GUEST_MEM_SIZE, AXVCPU_MAP_ALL);
	if (!err)
		err = axvcpu_vcpu_create(self->dev, NULL, &self->vcpu);
	if (!err)
		err = axvcpu_vcpu_setup_real(self->vcpu, self->aspace, 0x7c00);
	if (!err)
		err = axvcpu_vcpu_bind(self->vcpu, -1);
	self->gpr = axvcpu_vcpu_page(self->vcpu)->regs.x86.gpr;
	return err;
}

/* 16-bit addresses wrap inside of the segment, and only these bits of registers change. */
TEST_F(x86_strings, real_mode)
{
	ASSERT_EQ(0, real_start(self, real_outsb, real_outsb_end - real_outsb));
	ASSERT_EQ(0, axvcpu_vcpu_set_reg_by_name(self->vcpu, "ds.base", 0x80000));
	for (int i = 0; i < 16; i++) {
		self->mem[0x8fff8 + i] = i < 8 ? i : 0xee;
		self->mem[0x80000 + i] = 8 + i;
	}
	set_operands(self, 0xaaaa0000fff8ULL, 0xbbbb00000010ULL);
	EXPECT_EQ(AXVCPU_EXIT_HALT, library_run(self));
	EXPECT_EQ(16, self->nr_sent);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(i, self->sent[i]);
	EXPECT_EQ(0xaaaa00000008ULL, self->gpr[AXVCPU_X86_RSI]);
	EXPECT_EQ(0xbbbb00000000ULL, self->gpr[AXVCPU_X86_RCX]);
	library_stop(self);
}

/* A segment that ends early: #GP, which leads to the vector's place in real mode */
TEST_F(x86_strings, segment_limit)
{
	ASSERT_EQ(0, real_start(self, real_insb, real_insb_end - real_insb));
	ASSERT_EQ(0, axvcpu_vcpu_set_reg_by_name(self->vcpu, "es.base", 0x80000));
	ASSERT_EQ(0, axvcpu_vcpu_set_reg_by_name(self->vcpu, "es.limit", 0x12));
	memcpy(self->mem + 4 * 13, (uint16_t[]){ 0x7d00, 0 }, 4);
	self->mem[0x7d00] = 0xf4;
	set_operands(self, 0x10, 5);
	EXPECT_EQ(AXVCPU_EXIT_HALT, library_run(self));
	EXPECT_EQ(0x7d01, axvcpu_vcpu_page(self->vcpu)->regs.x86.rip);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(i < 3 ? i : 0, self->mem[0x80010 + i]);
	EXPECT_EQ(2, self->gpr[AXVCPU_X86_RCX]);
	EXPECT_EQ(0x13, self->gpr[AXVCPU_X86_RDI]);
	library_stop(self);
}

TEST_HARNESS_MAIN
