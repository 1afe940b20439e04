// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVX-512 in the guest, and protection keys, which are not carried: what CPUID
 * shows, what XSETBV takes and what is kept apart are the same parts of XSAVE's.
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define AVX512		0xe7		/* x87, SSE, AVX, and the three parts of AVX-512 */
#define PKRU		(1 << 9)
#define UD		6
#define GP		13
#define CPUID_PKU	(1 << 3)	/* leaf 7, ECX */
#define CPUID_OSPKE	(1 << 4)
#define CR4_PKE		(1 << 22)

#define NR_ZMM		32
#define NR_OPMASK	8

CODE(cpuid, "cpuid");
CODE(xsetbv, "xsetbv");
CODE(rdpkru, "xor %ecx, %ecx; rdpkru");
CODE(wrpkru, "xor %eax, %eax; xor %ecx, %ecx; xor %edx, %edx; wrpkru");

#define EACH_ZMM	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,"\
			"19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
#define EACH_OPMASK	".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n\t"
#define LOAD		EACH_ZMM "vmovdqu64 \\n*64(%rdi), %zmm\\n\n\t.endr\n\t" \
			EACH_OPMASK "kmovq 2048+\\n*8(%rdi), %k\\n\n\t.endr\n\t"
#define STORE		EACH_ZMM "vmovdqu64 %zmm\\n, \\n*64(%rdi)\n\t.endr\n\t" \
			EACH_OPMASK "kmovq %k\\n, 2048+\\n*8(%rdi)\n\t.endr\n\t"

CODE(load, LOAD);
CODE(store, STORE);

struct vectors {
	uint64_t zmm[NR_ZMM][8];
	uint64_t k[NR_OPMASK];
};

/* RUN, and nothing else between the loading of @want and the storing of @got */
long run_vectors(const struct vectors *want, struct vectors *got, int fd, unsigned long cmd);

RUN_BETWEEN(run_vectors, LOAD, STORE "vzeroupper\n\t");

FIXTURE(x86_avx512) {
	struct x86_code c;
	struct guest_vcpu other;
	uint32_t seed;
};

FIXTURE_SETUP(x86_avx512)
{
	int err = code_create(&self->c, 0);

	self->other.fd = -1;
	self->seed = 0x23456;
	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	if ((code_reg(&self->c, AXVCPU_X86_REG_CPUID_MAX(0xd, 0, 0)) & AVX512) != AVX512)
		SKIP(return, "no AVX-512");
}

FIXTURE_TEARDOWN(x86_avx512)
{
	vcpu_destroy(&self->other);
	code_destroy(&self->c);
}

static void random_vectors(uint32_t *seed, struct vectors *v)
{
	uint64_t *word = (uint64_t *)v;

	for (size_t i = 0; i < sizeof(*v) / sizeof(*word); i++)
		word[i] = (uint64_t)rand_r(seed) << 33 ^ rand_r(seed);
}

/* The id of a word of ZMM @n */
static uint64_t zmm_id(unsigned int n, unsigned int word)
{
	if (n >= 16)
		return AXVCPU_X86_REG_HI16_ZMM(8 * (n - 16) + word);
	if (word >= 4)
		return AXVCPU_X86_REG_ZMM_HIGH(4 * n + word - 4);
	if (word >= 2)
		return AXVCPU_X86_REG_YMM_HIGH(2 * n + word - 2);
	return AXVCPU_X86_REG_FXSAVE(20 + 2 * n + word);
}

static bool same_by_id(struct x86_code *c, const struct vectors *v)
{
	bool same = true;

	for (int n = 0; n < NR_ZMM; n++) {
		for (int word = 0; word < 8; word++)
			same &= code_reg(c, zmm_id(n, word)) == v->zmm[n][word];
	}
	for (int n = 0; n < NR_OPMASK; n++)
		same &= code_reg(c, AXVCPU_X86_REG_OPMASK(n)) == v->k[n];
	return same;
}

static struct vectors *guest_vectors(struct x86_code *c)
{
	return (struct vectors *)(c->g.mem + CODE_DATA);
}

/* One of the pieces above, with the thread's registers full of something else. */
static bool run_apart(FIXTURE_DATA(x86_avx512) *self, const uint8_t *code, size_t len)
{
	static struct vectors host, after;
	struct x86_code *c = &self->c;

	random_vectors(&self->seed, &host);
	c->v.run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	code_place(c, code, len);
	return !run_vectors(&host, &after, c->v.fd, AXVCPU_RUN) &&
	       c->v.run->exit_reason == AXVCPU_EXIT_IO_WRITE &&
	       c->v.run->io.port == GUEST_DONE && !memcmp(&host, &after, sizeof(host));
}

#define RUN_APART(self, name)	run_apart(self, name, name##_end - (name))

static void ask(struct x86_code *c, uint32_t leaf, uint32_t subleaf)
{
	c->v.run->regs.x86.gpr[AXVCPU_X86_RAX] = leaf;
	c->v.run->regs.x86.gpr[AXVCPU_X86_RCX] = subleaf;
	RUN_CODE(c, cpuid);
}

/* What CPUID shows can be turned on, nothing else can, and the sizes follow. */
TEST_F(x86_avx512, cpuid_and_xcr0)
{
	static const struct {
		uint64_t xcr0;
		int ret;
		uint32_t size;
	} rows[] = {
		{ 0x07, CODE_DONE, 832 }, { AVX512, CODE_DONE, 2688 },
		{ 0x27, GP, 2688 }, { 0x47, GP, 2688 }, { 0x87, GP, 2688 }, { 0x67, GP, 2688 },
		{ 0xa7, GP, 2688 }, { 0xc7, GP, 2688 }, { 0xe3, GP, 2688 }, { 0xe1, GP, 2688 },
		{ AVX512 | PKRU, GP, 2688 }, { 7 | PKRU, GP, 2688 }, { AVX512 | 3 << 3, GP, 2688 },
		{ AVX512 | 1 << 8, GP, 2688 }, { AVX512 | 3 << 11, GP, 2688 },
		{ AVX512 | 3 << 17, GP, 2688 },
		{ 3, CODE_DONE, 576 },
	};
	struct x86_code *c = &self->c;
	volatile __u64 *gpr = c->v.run->regs.x86.gpr;
	uint64_t now = 1;

	ASSERT_EQ(0, code_setup(c));
	ask(c, 7, 0);
	EXPECT_NE(0, gpr[AXVCPU_X86_RBX] & 1 << 16);
	ask(c, 0xd, 0);
	EXPECT_EQ(AVX512, gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(2688, gpr[AXVCPU_X86_RCX]);
	for (int part = 2; part < 20; part++) {
		ask(c, 0xd, part);
		EXPECT_EQ(!!(AVX512 & 1 << part), !!gpr[AXVCPU_X86_RAX]) TH_LOG("part %d", part);
	}
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].ret, code_set_xcr0(c, rows[i].xcr0)) TH_LOG("row %d", i);
		if (rows[i].ret == CODE_DONE)
			now = rows[i].xcr0;
		EXPECT_EQ(now, code_reg(c, AXVCPU_X86_REG_XCR0)) TH_LOG("row %d", i);
		ask(c, 0xd, 0);
		EXPECT_EQ(rows[i].size, gpr[AXVCPU_X86_RBX]) TH_LOG("row %d", i);
	}
}

/* Without AVX-512 in CPUID there is none. */
TEST_F(x86_avx512, is_hidden)
{
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_CPUID(0xd, 0, 0), 7));
	ASSERT_EQ(0, code_setup(c));
	EXPECT_EQ(GP, code_set_xcr0(c, AVX512));
	EXPECT_EQ(-EINVAL, set_reg(c->v.fd, AXVCPU_X86_REG_XCR0, AVX512));
	ASSERT_EQ(CODE_DONE, code_set_xcr0(c, 7));
	c->v.run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	EXPECT_EQ(UD, RUN_CODE(c, load));
}

/* E12: registers of guest and thread, each with random contents */
TEST_F(x86_avx512, of_guest_and_host)
{
	static struct vectors guest;
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, code_setup(c));
	ASSERT_EQ(CODE_DONE, code_set_xcr0(c, AVX512));
	for (int round = 0; round < 20; round++) {
		random_vectors(&self->seed, &guest);
		*guest_vectors(c) = guest;
		ASSERT_TRUE(RUN_APART(self, load));
		ASSERT_TRUE(same_by_id(c, &guest));
		memset(guest_vectors(c), 0, sizeof(guest));
		ASSERT_TRUE(RUN_APART(self, store));
		ASSERT_EQ(0, memcmp(&guest, guest_vectors(c), sizeof(guest)));
	}
}

/* A guest that turns it on finds nothing of anybody's. */
TEST_F(x86_avx512, starts_empty)
{
	static struct vectors zero;
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, code_setup(c));
	ASSERT_EQ(CODE_DONE, code_set_xcr0(c, 7));
	code_xsetbv_args(c, 0, AVX512);
	ASSERT_TRUE(RUN_APART(self, xsetbv));
	memset(guest_vectors(c), 0xff, sizeof(zero));
	ASSERT_TRUE(RUN_APART(self, store));
	EXPECT_EQ(0, memcmp(&zero, guest_vectors(c), sizeof(zero)));
}

/* Written by id, in a vCPU that has not used them; and what AVX alone leaves of them */
TEST_F(x86_avx512, by_id)
{
	static struct vectors guest;
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, code_setup(c));
	random_vectors(&self->seed, &guest);
	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_CR4, CODE_CR4 | CODE_CR4_OSXSAVE));
	ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_XCR0, AVX512));
	for (int n = 0; n < NR_ZMM; n++) {
		for (int word = 0; word < 8; word++)
			ASSERT_EQ(0, set_reg(c->v.fd, zmm_id(n, word), guest.zmm[n][word]));
	}
	for (int n = 0; n < NR_OPMASK; n++)
		ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_OPMASK(n), guest.k[n]));
	/* They keep their values while XCR0 has them off. */
	ASSERT_EQ(CODE_DONE, code_set_xcr0(c, 7));
	EXPECT_TRUE(same_by_id(c, &guest));
	ASSERT_EQ(CODE_DONE, code_set_xcr0(c, AVX512));
	ASSERT_TRUE(RUN_APART(self, store));
	EXPECT_EQ(0, memcmp(&guest, guest_vectors(c), sizeof(guest)));
}

/* The CPU has protection keys, the guest has not, whatever anybody wants. */
TEST_F(x86_avx512, no_protection_keys)
{
	const uint64_t id = AXVCPU_X86_REG_CPUID(7, 0, 1);
	struct x86_code *c = &self->c;
	unsigned int a, b, features = 0, d;

	__get_cpuid_count(7, 0, &a, &b, &features, &d);
	if (!(features & CPUID_PKU))
		SKIP(return, "a CPU without protection keys");
	EXPECT_EQ(-EINVAL, set_reg(c->v.fd, id, CPUID_PKU));
	EXPECT_EQ(-EINVAL, set_reg(c->v.fd, id, CPUID_OSPKE));
	ASSERT_EQ(0, code_setup(c));
	ask(c, 7, 0);
	EXPECT_EQ(0, c->v.run->regs.x86.gpr[AXVCPU_X86_RCX] & (CPUID_PKU | CPUID_OSPKE));
	EXPECT_EQ(GP, code_set_cr4(c, CODE_CR4 | CR4_PKE));
	EXPECT_EQ(-EINVAL, set_reg(c->v.fd, AXVCPU_X86_REG_CR4, CODE_CR4 | CR4_PKE));
	EXPECT_EQ(UD, RUN_CODE(c, rdpkru));
	EXPECT_EQ(UD, RUN_CODE(c, wrpkru));
	EXPECT_EQ(GP, code_set_xcr0(c, AVX512 | PKRU));
}

TEST_HARNESS_MAIN
