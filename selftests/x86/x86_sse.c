// SPDX-License-Identifier: GPL-2.0-only
/*
 * x87 and SSE registers, which every CPU has: of guest and host, and by register
 * ids. The rest of what XSAVE exchanges is x86_avx's.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define LOAD	"fxrstor64 (%rdi)\n\t"
#define STORE	"fxsave64 (%rdi)\n\t"
#define ROUNDS	20

CODE(load, LOAD);
CODE(store, STORE);
CODE(change, "fninit; fld1; fldpi; pcmpeqd %xmm3, %xmm3; stmxcsr (%rdi); "
	     "orl $0x8000, (%rdi); ldmxcsr (%rdi)");

/* SDM vol. 1, 10.5.1: the image of FXSAVE in 64-bit mode */
struct fx {
	uint16_t control;
	uint16_t status;
	uint8_t tags;
	uint8_t reserved;
	uint16_t opcode;
	uint64_t rip;
	uint64_t rdp;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint64_t st[8][2];
	uint64_t xmm[16][2];
	uint64_t unused[12];
} __attribute__((aligned(16)));

static_assert(sizeof(struct fx) == 512, "as FXSAVE has it");

FIXTURE(x86_sse) {
	struct x86_code c;
	uint32_t seed;
};

FIXTURE_SETUP(x86_sse)
{
	int err = code_start(&self->c, 0);

	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, CODE_CR4));
	self->c.v.run->regs.x86.gpr[AXVCPU_X86_RDI] = CODE_DATA;
	self->seed = 0x777;
}

FIXTURE_TEARDOWN(x86_sse)
{
	code_destroy(&self->c);
}

static struct fx *guest_fx(struct x86_code *c)
{
	return (struct fx *)(c->g.mem + CODE_DATA);
}

static uint64_t random_word(uint32_t *seed)
{
	return (uint64_t)rand_r(seed) << 33 ^ rand_r(seed);
}

/* Exceptions are masked, of rounding and precision anything goes. */
static void random_fx(uint32_t *seed, struct fx *fx)
{
	memset(fx, 0, sizeof(*fx));
	fx->control = 0x7f | (rand_r(seed) & 3) << 10 | 0x300;
	fx->tags = rand_r(seed);
	fx->mxcsr = 0x1f80 | (rand_r(seed) & 0xe03f);
	for (int i = 0; i < 8; i++) {
		fx->st[i][0] = random_word(seed);
		fx->st[i][1] = random_word(seed) & 0xffff;
	}
	for (int i = 0; i < 32; i++)
		fx->xmm[i / 2][i % 2] = random_word(seed);
}

static bool same(const struct fx *a, const struct fx *b)
{
	return (a->control & 0xf3f) == (b->control & 0xf3f) && a->tags == b->tags &&
	       a->mxcsr == b->mxcsr && !memcmp(a->st, b->st, sizeof(a->st)) &&
	       !memcmp(a->xmm, b->xmm, sizeof(a->xmm));
}

/* RUN, and nothing else between the loading of @want and the storing of @got */
long run_fx(const struct fx *want, struct fx *got, int fd, unsigned long cmd);

RUN_BETWEEN(run_fx, LOAD, STORE);

/* Returns whether the thread's registers are what they were. */
static bool run_among(struct x86_code *c, uint32_t *seed)
{
	static struct fx host, after, own;
	long err;

	random_fx(seed, &host);
	asm volatile("fxsave64 %0" : "=m"(own));
	err = run_fx(&host, &after, c->v.fd, AXVCPU_RUN);
	asm volatile("fxrstor64 %0" : : "m"(own));
	return !err && c->v.run->io.port == GUEST_DONE && same(&host, &after);
}

/* E12: the guest's registers and the thread's, each with random contents */
TEST_F(x86_sse, guest_and_host)
{
	static struct fx guest;
	struct x86_code *c = &self->c;

	for (int round = 0; round < ROUNDS; round++) {
		random_fx(&self->seed, &guest);
		*guest_fx(c) = guest;
		code_place(c, load, load_end - load);
		ASSERT_TRUE(run_among(c, &self->seed)) TH_LOG("round %d", round);
		for (int i = 0; i < 32; i++)
			ASSERT_EQ(guest.xmm[i / 2][i % 2],
				  code_reg(c, AXVCPU_X86_REG_FXSAVE(20 + i)));
		ASSERT_EQ(guest.mxcsr, (uint32_t)code_reg(c, AXVCPU_X86_REG_FXSAVE(3)));

		memset(guest_fx(c), 0, sizeof(guest));
		code_place(c, store, store_end - store);
		ASSERT_TRUE(run_among(c, &self->seed)) TH_LOG("round %d", round);
		ASSERT_TRUE(same(&guest, guest_fx(c))) TH_LOG("round %d", round);
	}
}

/* What the VMM writes the guest has, and the other way round. */
TEST_F(x86_sse, by_id)
{
	struct x86_code *c = &self->c;
	static struct fx fx;
	const uint64_t *words = (const uint64_t *)&fx;

	random_fx(&self->seed, &fx);
	for (int i = 0; i < AXVCPU_X86_NR_FXSAVE; i++)
		ASSERT_EQ(0, set_reg(c->v.fd, AXVCPU_X86_REG_FXSAVE(i), words[i]));
	ASSERT_EQ(CODE_DONE, RUN_CODE(c, store));
	EXPECT_TRUE(same(&fx, guest_fx(c)));

	ASSERT_EQ(CODE_DONE, RUN_CODE(c, change));
	EXPECT_EQ(0x37f, code_reg(c, AXVCPU_X86_REG_FXSAVE(0)) & 0xffff);
	EXPECT_EQ(~0ULL, code_reg(c, AXVCPU_X86_REG_FXSAVE(20 + 6)));
	EXPECT_EQ(~0ULL, code_reg(c, AXVCPU_X86_REG_FXSAVE(20 + 7)));
	EXPECT_EQ(fx.mxcsr | 0x8000, (uint32_t)code_reg(c, AXVCPU_X86_REG_FXSAVE(3)));
	/* Bits of MXCSR that there are not */
	EXPECT_EQ(-EINVAL, set_reg(c->v.fd, AXVCPU_X86_REG_FXSAVE(3), 1 << 16));
}

TEST_HARNESS_MAIN
