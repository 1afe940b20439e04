// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest tries and does not get: instructions, ports and control bits that
 * are the host's. (MSRs: x86_msrs.c; registers: host_state.c.)
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define UD		6
#define GP		13

CODE(mov_to_cr0, "mov %rax, %cr0; nop");
CODE(mov_from_cr0, "mov %cr0, %rax");
CODE(mov_to_cr3, "mov %rax, %cr3; nop");
CODE(mov_to_cr4, "mov %rax, %cr4; nop");
CODE(mov_from_cr4, "mov %cr4, %rax");
CODE(mov_to_cr8, "mov %rax, %cr8; nop");
CODE(mov_from_cr8, "mov %cr8, %rax");
CODE(lmsw, "lmsw %ax");
CODE(smsw, "xor %eax, %eax; smsw %eax");
CODE(clts, "clts");
CODE(out_sweep, "xor %edx, %edx; 1: mov %dl, %al; out %al, %dx; inc %dx; jnz 1b");
CODE(in_sweep, "xor %edx, %edx; 1: in %dx, %eax; inc %dx; jnz 1b");
CODE(self_modifying, "lea 1f(%rip), %rdi; movb $0xb3, (%rdi); 1: mov $7, %al; mov $0, %ecx;"
		     "mov $200, %edx; 2: movb %dl, 3f + 1(%rip); 3: mov $0, %al; dec %edx; jnz 2b");
CODE(wbinvd, "wbinvd; invd");
CODE(pauses, "pause; rep nop");
CODE(nops, "nop; nop");

CODE_FIXTURE(x86_isolation);

/* E16, E17: virtualization of either vendor, and what is a host's or a monitor's */
TEST_F(x86_isolation, instructions)
{
	static const struct {
		const char *name;
		uint8_t code[8];
		size_t len;
		int ret;
	} rows[] = {
#define ROW(name, ret, ...) \
	{ name, { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), ret }
		ROW("vmxon", UD, 0xf3, 0x0f, 0xc7, 0x37),
		ROW("vmxoff", UD, 0x0f, 0x01, 0xc4),
		ROW("vmclear", UD, 0x66, 0x0f, 0xc7, 0x37),
		ROW("vmptrld", UD, 0x0f, 0xc7, 0x37),
		ROW("vmptrst", UD, 0x0f, 0xc7, 0x3f),
		ROW("vmread", UD, 0x0f, 0x78, 0xc0),
		ROW("vmwrite", UD, 0x0f, 0x79, 0xc0),
		ROW("vmlaunch", UD, 0x0f, 0x01, 0xc2),
		ROW("vmresume", UD, 0x0f, 0x01, 0xc3),
		ROW("invept", UD, 0x66, 0x0f, 0x38, 0x80, 0x07),
		ROW("invvpid", UD, 0x66, 0x0f, 0x38, 0x81, 0x07),
		ROW("vmfunc", UD, 0x0f, 0x01, 0xd4),
		ROW("getsec", UD, 0x0f, 0x37),
		ROW("monitor", UD, 0x0f, 0x01, 0xc8),
		ROW("mwait", UD, 0x0f, 0x01, 0xc9),
		ROW("encls", UD, 0x0f, 0x01, 0xcf),
		ROW("rsm", UD, 0x0f, 0xaa),
		ROW("xsetbv", UD, 0x0f, 0x01, 0xd1),
		ROW("rdtscp", UD, 0x0f, 0x01, 0xf9),
		ROW("vmrun", UD, 0x0f, 0x01, 0xd8),
		ROW("vmmcall", UD, 0x0f, 0x01, 0xd9),
		ROW("vmload", UD, 0x0f, 0x01, 0xda),
		ROW("vmsave", UD, 0x0f, 0x01, 0xdb),
		ROW("stgi", UD, 0x0f, 0x01, 0xdc),
		ROW("clgi", UD, 0x0f, 0x01, 0xdd),
		ROW("skinit", UD, 0x0f, 0x01, 0xde),
		ROW("invlpga", UD, 0x0f, 0x01, 0xdf),
		ROW("rdpmc", GP, 0x0f, 0x33),
		ROW("ud2", UD, 0x0f, 0x0b),
	};

	self->gpr[AXVCPU_X86_RDI] = CODE_DATA;
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		self->gpr[AXVCPU_X86_RAX] = 0;
		self->gpr[AXVCPU_X86_RCX] = 0;
		EXPECT_EQ(rows[i].ret, code_run(&self->c, rows[i].code, rows[i].len))
			TH_LOG("%s", rows[i].name);
		EXPECT_EQ(CODE_GPA, self->c.rip);
	}
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, wbinvd));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, pauses));
}

static int with_rax(FIXTURE_DATA(x86_isolation) *self, uint64_t value, const uint8_t *code,
		    const uint8_t *end)
{
	self->gpr[AXVCPU_X86_RAX] = value;
	return code_run(&self->c, code, end - code);
}

#define WITH_RAX(self, value, name)	with_rax(self, value, name, name##_end)

/* SDM vol. 2, MOV to control registers, in 64-bit mode */
TEST_F(x86_isolation, cr0)
{
	const uint64_t base = 0x80000011, cd = 1 << 30, nw = 1 << 29, ne = 1 << 5;
	const struct {
		uint64_t value;
		int ret;
	} rows[] = {
		{ base, CODE_DONE },
		{ base | ne, CODE_DONE },
		{ base | cd, CODE_DONE },
		{ base | cd | nw, CODE_DONE },
		{ base | nw, GP },
		{ base | 1ULL << 32, GP },
		{ base & ~0x80000000ULL, GP },		/* paging off */
		{ base & ~1ULL, GP },			/* paging without protection */
		{ (base | cd) & ~1ULL, GP },
		{ (base | cd) & ~0x80000000ULL, GP },
		{ base | 1 << 16 | 1 << 18, CODE_DONE },	/* WP, AM */
		{ base, CODE_DONE },
	};
	uint64_t now = base;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].ret, WITH_RAX(self, rows[i].value, mov_to_cr0))
			TH_LOG("row %d", i);
		if (rows[i].ret == CODE_DONE)
			now = rows[i].value;
		else
			EXPECT_EQ(CODE_GPA, self->c.rip);
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr0));
		EXPECT_EQ(now, self->gpr[AXVCPU_X86_RAX]) TH_LOG("row %d", i);
		EXPECT_EQ(now, code_reg(&self->c, AXVCPU_X86_REG_CR0)) TH_LOG("row %d", i);
	}
	/* By their own instructions: TS, and PE which LMSW can't clear */
	EXPECT_EQ(CODE_DONE, WITH_RAX(self, 0x8, lmsw));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, smsw));
	EXPECT_EQ(base | 8, self->gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, clts));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr0));
	EXPECT_EQ(base, self->gpr[AXVCPU_X86_RAX]);
}

TEST_F(x86_isolation, cr3_cr4_cr8)
{
	static const struct {
		uint64_t value;
		int ret;
	} cr4s[] = {
		{ 0x20, CODE_DONE },
		{ 0x20 | 1 << 13, GP },			/* VMXE */
		{ 0x20 | 1 << 14, GP },			/* SMXE */
		{ 0x20 | 1 << 12, GP },			/* LA57 */
		{ 0x20 | 1 << 22, GP },			/* PKE */
		{ 0x20 | 1 << 23, GP },			/* CET */
		{ 0x20 | 1ULL << 32, GP },
		{ 0, GP },				/* long mode without PAE */
		{ 1 << 18, GP },			/* the same with OSXSAVE */
		{ 0x20 | 1 << 6, GP },			/* MCE: CPUID has none */
		{ 0x20 | 1 << 18, CODE_DONE },
		{ 0x20 | 1 << 7 | 3 << 9, CODE_DONE },
		{ 0x20, CODE_DONE },
	};
	uint64_t now = 0x20, cr3 = code_reg(&self->c, AXVCPU_X86_REG_CR3);

	for (int i = 0; i < ARRAY_SIZE(cr4s); i++) {
		EXPECT_EQ(cr4s[i].ret, WITH_RAX(self, cr4s[i].value, mov_to_cr4))
			TH_LOG("row %d", i);
		if (cr4s[i].ret == CODE_DONE)
			now = cr4s[i].value;
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr4));
		EXPECT_EQ(now, self->gpr[AXVCPU_X86_RAX]) TH_LOG("row %d", i);
		EXPECT_EQ(now, code_reg(&self->c, AXVCPU_X86_REG_CR4)) TH_LOG("row %d", i);
	}
	EXPECT_EQ(GP, WITH_RAX(self, cr3 | 1ULL << 60, mov_to_cr3));
	EXPECT_EQ(CODE_DONE, WITH_RAX(self, cr3, mov_to_cr3));
	EXPECT_EQ(GP, WITH_RAX(self, 16, mov_to_cr8));
	EXPECT_EQ(GP, WITH_RAX(self, 1ULL << 63, mov_to_cr8));
	EXPECT_EQ(CODE_DONE, WITH_RAX(self, 15, mov_to_cr8));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr8));
	EXPECT_EQ(15, self->gpr[AXVCPU_X86_RAX]);
}

/* E18: not one port is the host's, 0x64, 0xcf9 and the CMOS among them. */
TEST_F(x86_isolation, ports)
{
	struct axvcpu_run *run = self->c.v.run;

	code_place(&self->c, out_sweep, out_sweep_end - out_sweep);
	for (int port = 0; port < 0x10000; port++) {
		ASSERT_EQ(0, run_vcpu(self->c.v.fd, 0));
		ASSERT_EQ(AXVCPU_EXIT_IO_WRITE, run->exit_reason);
		ASSERT_EQ(port, run->io.port);
		ASSERT_EQ(port & 0xff, run->io.data);
	}
	ASSERT_EQ(CODE_DONE, code_go_on(&self->c));
	code_place(&self->c, in_sweep, in_sweep_end - in_sweep);
	for (int port = 0; port < 0x10000; port++) {
		ASSERT_EQ(0, run_vcpu(self->c.v.fd, 0));
		ASSERT_EQ(AXVCPU_EXIT_IO_READ, run->exit_reason);
		ASSERT_EQ(port, run->io.port);
		ASSERT_EQ(4, run->io.width);
		run->io.data = port * 3;
	}
	ASSERT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(0xffff * 3, self->gpr[AXVCPU_X86_RAX]);
}

/* E20: code that changes itself: the opcode in front of it, and an operand 200 times */
TEST_F(x86_isolation, self_modifying)
{
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, self_modifying));
	EXPECT_EQ(1, self->gpr[AXVCPU_X86_RAX] & 0xff);
	EXPECT_EQ(7, self->gpr[AXVCPU_X86_RBX] & 0xff);
}

/* E28: page tables in memory that is not there */
TEST_F(x86_isolation, page_tables_are_not_there)
{
	code_place(&self->c, nops, nops_end - nops);
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR3, GUEST_HOLE));
	ASSERT_EQ(0, run_vcpu(self->c.v.fd, 0));
	EXPECT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, self->c.v.run->exit_reason);
	EXPECT_EQ(GUEST_HOLE, self->c.v.run->fault.gpa & ~0xfffULL);
	EXPECT_TRUE(self->c.v.run->fault.flags & AXVCPU_FAULT_WALK);
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR3, 0x1000));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
}

TEST_HARNESS_MAIN
