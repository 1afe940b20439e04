// SPDX-License-Identifier: GPL-2.0-only
/*
 * XSAVE and AVX in the guest: XCR0 with the checks that a CPU makes, YMM
 * registers that stay whose they are, and all of it by register ids.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define OSXSAVE		CODE_CR4_OSXSAVE
#define CR4		CODE_CR4
#define UD		6
#define GP		13

CODE(xsetbv, "xsetbv");
CODE(xgetbv, "xor %ecx, %ecx; xgetbv");
CODE(xgetbv_in_use, "mov $1, %ecx; xgetbv");
CODE(xsave, "xsave (%rdi)");
CODE(xrstor, "xrstor (%rdi)");
CODE(xsaves, "xsaves (%rdi)");
CODE(xrstors, "xrstors (%rdi)");
CODE(read_xss, "mov $0xda0, %ecx; rdmsr");
CODE(write_xss, "mov $0xda0, %ecx; mov $1, %eax; xor %edx, %edx; wrmsr");
CODE(wrpkru, "xor %eax, %eax; xor %ecx, %ecx; xor %edx, %edx; wrpkru");
CODE(pke, "mov %cr4, %rax; or $1 << 22, %eax; mov %rax, %cr4");

#define EACH_YMM	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
#define LOAD_YMM	EACH_YMM "vmovdqu \\n*32(%rdi), %ymm\\n\n\t.endr\n\t"
#define STORE_YMM	EACH_YMM "vmovdqu %ymm\\n, \\n*32(%rdi)\n\t.endr\n\t"

CODE(load_ymm, LOAD_YMM);
CODE(store_ymm, STORE_YMM);

struct ymms {
	uint64_t word[16][4];
};

FIXTURE(x86_avx) {
	struct x86_code c;
	struct guest_vcpu other;
	uint64_t host_xcr0;
	uint32_t seed;
};

static uint64_t read_xcr0(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (uint64_t)high << 32;
}

FIXTURE_SETUP(x86_avx)
{
	int err = code_start(&self->c, 0);

	self->other.fd = -1;
	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	if ((code_reg(&self->c, AXVCPU_X86_REG_CPUID_MAX(0xd, 0, 0)) & 7) != 7)
		SKIP(return, "no AVX");
	self->host_xcr0 = read_xcr0();
	self->seed = 0x12345;
}

FIXTURE_TEARDOWN(x86_avx)
{
	vcpu_destroy(&self->other);
	code_destroy(&self->c);
}

static void random_ymms(uint32_t *seed, struct ymms *y)
{
	for (int i = 0; i < 64; i++)
		y->word[i / 4][i % 4] = (uint64_t)rand_r(seed) << 33 ^ rand_r(seed);
}

/* XSAVE's operands: memory in RDI, what of it in EDX:EAX */
static void set_operands(struct x86_code *c)
{
	c->v.run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	c->v.run->regs.x86.gpr[AXVCPU_X86_RAX] = ~0U;
	c->v.run->regs.x86.gpr[AXVCPU_X86_RDX] = ~0U;
}

#define RUN_OPERANDS(c, name)	(set_operands(c), RUN_CODE(c, name))

static struct ymms *guest_ymms(struct x86_code *c)
{
	return (struct ymms *)(c->g.mem + CODE_DATA);
}

static int avx_on(struct x86_code *c)
{
	return code_set_xcr0(c, 7);
}

/* E16: SDM vol. 1, 13.3 */
TEST_F(x86_avx, xsetbv)
{
	static const struct {
		uint32_t index;
		uint64_t value;
		int ret;
	} rows[] = {
		{ 0, 1, CODE_DONE }, { 0, 3, CODE_DONE }, { 0, 7, CODE_DONE }, { 0, 3, CODE_DONE },
		{ 0, 0, GP }, { 0, 2, GP }, { 0, 6, GP }, { 0, 5, GP },
		{ 0, 7 | 1ULL << 63, GP }, { 0, 7 | 1ULL << 32, GP }, { 0, 7 | 1 << 9, GP },
		{ 0, 7 | 3 << 3, GP }, { 0, 7 | 1 << 8, GP }, { 0, 7 | 3 << 17, GP },
		{ 0, 3 | 7 << 5, GP }, { 0, 7 | 1 << 5, GP }, { 0, 7 | 6 << 5, GP },
		{ 1, 7, GP }, { 0xffffffff, 7, GP },
	};
	struct x86_code *c = &self->c;

	EXPECT_EQ(UD, code_xsetbv(c, 0, 7));
	EXPECT_EQ(UD, RUN_CODE(c, xgetbv));
	ASSERT_EQ(CODE_DONE, code_set_cr4(c, CR4 | OSXSAVE));
	EXPECT_EQ(1, code_reg(c, AXVCPU_X86_REG_XCR0));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].ret, code_xsetbv(c, rows[i].index, rows[i].value))
			TH_LOG("row %d", i);
		EXPECT_EQ(self->host_xcr0, read_xcr0());
		EXPECT_EQ(CODE_DONE, RUN_CODE(c, xgetbv));
		EXPECT_EQ(i < 4 ? rows[i].value : 3, c->v.run->regs.x86.gpr[AXVCPU_X86_RAX]);
		EXPECT_EQ(0, c->v.run->regs.x86.gpr[AXVCPU_X86_RDX]);
		EXPECT_EQ(i < 4 ? rows[i].value : 3, code_reg(c, AXVCPU_X86_REG_XCR0));
	}
	/* It keeps its value while the guest can't see it. */
	ASSERT_EQ(CODE_DONE, code_set_cr4(c, CR4));
	EXPECT_EQ(UD, RUN_CODE(c, xgetbv));
	ASSERT_EQ(CODE_DONE, code_set_cr4(c, CR4 | OSXSAVE));
	EXPECT_EQ(CODE_DONE, RUN_CODE(c, xgetbv));
	EXPECT_EQ(3, c->v.run->regs.x86.gpr[AXVCPU_X86_RAX]);
}

TEST_F(x86_avx, xcr0_by_id)
{
	static const uint64_t bad[] = { 0, 2, 5, 7 | 1 << 9, 7 | 1ULL << 63, 7 | 1 << 5 };
	struct x86_code *c = &self->c;

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, set_reg(c->v.fd, AXVCPU_X86_REG_XCR0, bad[i]));
	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_CR4, CR4 | OSXSAVE));
	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_XCR0, 7));
	EXPECT_EQ(CODE_DONE, RUN_CODE(c, xgetbv));
	EXPECT_EQ(7, c->v.run->regs.x86.gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(CODE_DONE, RUN_OPERANDS(c, store_ymm));
}

/* Supervisor state and protection keys don't exist. */
TEST_F(x86_avx, out_of_reach)
{
	struct x86_code *c = &self->c;

	ASSERT_EQ(CODE_DONE, avx_on(c));
	EXPECT_EQ(UD, RUN_OPERANDS(c, xsaves));
	EXPECT_EQ(UD, RUN_OPERANDS(c, xrstors));
	EXPECT_EQ(UD, RUN_CODE(c, wrpkru));
	EXPECT_EQ(GP, RUN_CODE(c, pke));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_READ, RUN_CODE(c, read_xss));
	EXPECT_EQ(0xda0, c->v.run->sysreg.addr);
	EXPECT_EQ(CODE_DONE, code_go_on(c));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_WRITE, RUN_CODE(c, write_xss));
	c->v.run->sysreg.fault = 1;
	EXPECT_EQ(GP, code_go_on(c));
}

/* RUN, and nothing else between the loading of @want and the storing of @got */
long run_ymms(const struct ymms *want, struct ymms *got, int fd, unsigned long cmd);

RUN_BETWEEN(run_ymms, LOAD_YMM, STORE_YMM "vzeroupper\n\t");

static long run_with_ymms(int fd, const struct ymms *want, struct ymms *got)
{
	return run_ymms(want, got, fd, AXVCPU_RUN);
}

/* E12: the guest's YMM registers and the thread's, each with random contents */
TEST_F(x86_avx, ymm_of_guest_and_host)
{
	static struct ymms guest, host, host_after;
	struct x86_code *c = &self->c;

	ASSERT_EQ(CODE_DONE, avx_on(c));
	for (int round = 0; round < 20; round++) {
		random_ymms(&self->seed, &guest);
		random_ymms(&self->seed, &host);
		*guest_ymms(c) = guest;
		set_operands(c);
		code_place(c, load_ymm, load_ymm_end - load_ymm);
		ASSERT_EQ(0, run_with_ymms(c->v.fd, &host, &host_after));
		ASSERT_EQ(GUEST_DONE, c->v.run->io.port);
		ASSERT_EQ(0, memcmp(&host, &host_after, sizeof(host)));
		for (int i = 0; i < 32; i++) {
			ASSERT_EQ(guest.word[i / 2][2 + i % 2],
				  code_reg(c, AXVCPU_X86_REG_YMM_HIGH(i)));
			ASSERT_EQ(guest.word[i / 2][i % 2],
				  code_reg(c, AXVCPU_X86_REG_FXSAVE(20 + i)));
		}

		memset(guest_ymms(c), 0, sizeof(guest));
		random_ymms(&self->seed, &host);
		set_operands(c);
		code_place(c, store_ymm, store_ymm_end - store_ymm);
		ASSERT_EQ(0, run_with_ymms(c->v.fd, &host, &host_after));
		ASSERT_EQ(0, memcmp(&host, &host_after, sizeof(host)));
		ASSERT_EQ(0, memcmp(&guest, guest_ymms(c), sizeof(guest)));
		ASSERT_EQ(self->host_xcr0, read_xcr0());
	}
}

/* A guest without AVX, which turns it on: nothing of anybody's is there. */
TEST_F(x86_avx, starts_empty)
{
	static struct ymms host, got, zero;
	struct x86_code *c = &self->c;

	random_ymms(&self->seed, &host);
	ASSERT_EQ(CODE_DONE, code_set_cr4(c, CR4 | OSXSAVE));
	code_place(c, xsetbv, xsetbv_end - xsetbv);
	code_xsetbv_args(c, 0, 7);
	ASSERT_EQ(0, run_with_ymms(c->v.fd, &host, &got));
	if (code_reg(c, AXVCPU_X86_REG_CPUID(0xd, 1, 0)) & 1 << 2) {
		EXPECT_EQ(CODE_DONE, RUN_CODE(c, xgetbv_in_use));
		EXPECT_EQ(0, c->v.run->regs.x86.gpr[AXVCPU_X86_RAX] & 4);
	}
	set_operands(c);
	code_place(c, store_ymm, store_ymm_end - store_ymm);
	memset(guest_ymms(c), 0xff, sizeof(got));
	ASSERT_EQ(0, run_with_ymms(c->v.fd, &host, &got));
	EXPECT_EQ(0, memcmp(&host, &got, sizeof(host)));
	EXPECT_EQ(0, memcmp(&zero, guest_ymms(c), sizeof(zero)));
}

/* What XCR0 takes away is there again when it comes back. */
TEST_F(x86_avx, survives_being_off)
{
	struct x86_code *c = &self->c;
	struct ymms guest;

	ASSERT_EQ(CODE_DONE, avx_on(c));
	random_ymms(&self->seed, &guest);
	*guest_ymms(c) = guest;
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, load_ymm));
	ASSERT_EQ(CODE_DONE, code_xsetbv(c, 0, 3));
	EXPECT_EQ(UD, RUN_OPERANDS(c, store_ymm));
	ASSERT_EQ(CODE_DONE, code_xsetbv(c, 0, 7));
	memset(guest_ymms(c), 0, sizeof(guest));
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, store_ymm));
	EXPECT_EQ(0, memcmp(&guest, guest_ymms(c), sizeof(guest)));
}

/* The guest's own XSAVE and XRSTOR, and what ids say of it */
TEST_F(x86_avx, xsave_area)
{
	struct x86_code *c = &self->c;
	uint64_t *area = (uint64_t *)(c->g.mem + CODE_DATA);

	ASSERT_EQ(CODE_DONE, avx_on(c));
	for (int i = 0; i < 32; i++)
		ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_YMM_HIGH(i), i * 0x0101010101ULL));
	memset(area, 0, 832);
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, xsave));
	EXPECT_NE(0, area[64] & 4);
	for (int i = 0; i < 32; i++)
		EXPECT_EQ(i * 0x0101010101ULL, area[72 + i]);

	area[64] = 0;
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, xrstor));
	for (int i = 0; i < 32; i++) {
		EXPECT_EQ(0, code_reg(c, AXVCPU_X86_REG_YMM_HIGH(i)));
		EXPECT_EQ(0, code_reg(c, AXVCPU_X86_REG_FXSAVE(20 + i)));
	}
	area[64] = 7;
	area[72 + 5] = 0x5555;
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, xrstor));
	EXPECT_EQ(0x5555, code_reg(c, AXVCPU_X86_REG_YMM_HIGH(5)));
	/* A header that no CPU takes */
	area[64] = 1ULL << 62;
	EXPECT_EQ(GP, RUN_OPERANDS(c, xrstor));
	EXPECT_EQ(0x5555, code_reg(c, AXVCPU_X86_REG_YMM_HIGH(5)));
}

/* The VMM writes it before the guest turns it on: it is kept, too. */
TEST_F(x86_avx, kept_while_off)
{
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_YMM_HIGH(5), 0x1111));
	ASSERT_EQ(0, keep_state(&c->v));
	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_YMM_HIGH(5), 0x2222));
	ASSERT_EQ(0, restore_state(&c->v, 0));
	EXPECT_EQ(0x1111, code_reg(c, AXVCPU_X86_REG_YMM_HIGH(5)));
	ASSERT_EQ(CODE_DONE, avx_on(c));
	EXPECT_EQ(0x1111, code_reg(c, AXVCPU_X86_REG_YMM_HIGH(5)));
}

/* AVX goes along when a guest goes on in another vCPU. */
TEST_F(x86_avx, goes_on_elsewhere)
{
	struct x86_code *c = &self->c;
	struct axvcpu_reg regs[67];
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = ARRAY_SIZE(regs) };
	struct guest_vcpu first = c->v;
	struct ymms guest;

	ASSERT_EQ(CODE_DONE, avx_on(c));
	random_ymms(&self->seed, &guest);
	*guest_ymms(c) = guest;
	ASSERT_EQ(CODE_DONE, RUN_OPERANDS(c, load_ymm));
	memset(guest_ymms(c), 0, sizeof(guest));
	for (int i = 0; i < 32; i++) {
		regs[i].id = AXVCPU_X86_REG_YMM_HIGH(i);
		regs[32 + i].id = AXVCPU_X86_REG_FXSAVE(20 + i);
	}
	regs[64].id = AXVCPU_X86_REG_CR4;
	regs[65].id = AXVCPU_X86_REG_XCR0;
	regs[66].id = AXVCPU_X86_REG_FXSAVE(3);
	ASSERT_EQ(0, XIOCTL(c->v.fd, AXVCPU_GET_REGS, &args));

	ASSERT_EQ(0, vcpu_create(&c->g, &self->other, 1));
	c->v = self->other;
	ASSERT_EQ(0, code_setup(c));
	ASSERT_EQ(0, XIOCTL(c->v.fd, AXVCPU_SET_REGS, &args));
	EXPECT_EQ(CODE_DONE, RUN_OPERANDS(c, store_ymm));
	EXPECT_EQ(0, memcmp(&guest, guest_ymms(c), sizeof(guest)));
	c->v = first;
}

TEST_HARNESS_MAIN
