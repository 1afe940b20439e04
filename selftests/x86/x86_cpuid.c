// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: what the guest is told, what the VMM may change in it, what follows from it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define CPUID(leaf, subleaf, half)	AXVCPU_X86_REG_CPUID(leaf, subleaf, half)
#define CPUID_MAX(leaf, subleaf, half)	AXVCPU_X86_REG_CPUID_MAX(leaf, subleaf, half)
#define HIGH(bit)			(1ULL << (32 + (bit)))

CODE(cpuid, "cpuid");
CODE(mov_from_cr4, "mov %cr4, %rax");
CODE(rdtsc, "rdtsc");
CODE(rdtscp, "rdtscp");
CODE(rdrand, "rdrand %eax");
CODE(rdseed, "rdseed %eax");
CODE(invpcid, "mov $2, %eax; invpcid (%rsp), %rax");
/* Not at the beginning, where another piece begins: who moves RIP there has done it. */
CODE(read_msr, "nop; rdmsr");
CODE(write_msr, "nop; wrmsr; rdmsr");
CODE(write_msr_alone, "nop; wrmsr");
CODE(write_tsc_aux, "mov $0xc0000103, %ecx; xor %edx, %edx; wrmsr; rdtscp");

/* CR4 of a guest in 64-bit mode, and bits */
#define PAE		(1 << 5)
#define MCE		(1 << 6)
#define UMIP		(1 << 11)
#define OSXSAVE		(1 << 18)
#define SMEP		(1 << 20)

enum { EAX, EBX, ECX, EDX };

struct leaf {
	uint32_t reg[4];
};

FIXTURE(x86_cpuid) {
	struct x86_code c;
};

FIXTURE_SETUP(x86_cpuid)
{
	int err = code_create(&self->c, 3);

	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(x86_cpuid)
{
	code_destroy(&self->c);
}

static struct leaf ask(struct x86_code *c, uint32_t leaf, uint32_t subleaf)
{
	volatile __u64 *gpr = c->v.run->regs.x86.gpr;
	struct leaf l = { { 0 } };

	gpr[AXVCPU_X86_RAX] = leaf | 0xdeadULL << 32;
	gpr[AXVCPU_X86_RCX] = subleaf | 0xbeefULL << 32;
	if (RUN_CODE(c, cpuid) != CODE_DONE)
		return l;
	/* The upper halves are cleared. */
	for (int i = 0; i < 4; i++) {
		static const int order[] = {
			AXVCPU_X86_RAX, AXVCPU_X86_RBX, AXVCPU_X86_RCX, AXVCPU_X86_RDX,
		};

		if (gpr[order[i]] >> 32)
			return (struct leaf){ { ~0U, ~0U, ~0U, ~0U } };
		l.reg[i] = gpr[order[i]];
	}
	return l;
}

static struct leaf table(struct x86_code *c, uint32_t leaf, uint32_t subleaf)
{
	uint64_t low = code_reg(c, CPUID(leaf, subleaf, 0));
	uint64_t high = code_reg(c, CPUID(leaf, subleaf, 1));

	return (struct leaf){ { low, low >> 32, high, high >> 32 } };
}

static const struct {
	uint32_t first, last;
} leaves[] = { { 0, 0x1f }, { 0x40000000, 0x4000001f }, { 0x80000000, 0x8000001f } };

/* Every leaf: the guest is told what the table says, and that is within what may be. */
TEST_F(x86_cpuid, tells_what_the_table_says)
{
	static const struct {
		uint32_t leaf;
		int reg;
		uint32_t dynamic;
	} dynamic[] = {
		{ 1, EBX, 0xff000000 },		/* APIC id */
		{ 1, ECX, 1 << 27 },		/* OSXSAVE */
		{ 0xb, EDX, ~0U },
		{ 0xd, EBX, ~0U },
	};
	int shown = 0;

	ASSERT_EQ(0, code_setup(&self->c));
	for (int i = 0; i < ARRAY_SIZE(leaves); i++) {
		for (uint32_t n = leaves[i].first; n <= leaves[i].last; n++) {
			struct leaf got = ask(&self->c, n, 0), want = table(&self->c, n, 0);

			for (int j = 0; j < ARRAY_SIZE(dynamic); j++) {
				if (dynamic[j].leaf == n)
					got.reg[dynamic[j].reg] &= ~dynamic[j].dynamic;
				if (dynamic[j].leaf == n)
					want.reg[dynamic[j].reg] &= ~dynamic[j].dynamic;
			}
			EXPECT_EQ(0, memcmp(&got, &want, sizeof(got))) TH_LOG("leaf 0x%x", n);
			shown += !!want.reg[EAX];
			for (int half = 0; half < 2; half++) {
				uint64_t value = code_reg(&self->c, CPUID(n, 0, half));
				uint64_t max = code_reg(&self->c, CPUID_MAX(n, 0, half));

				EXPECT_EQ(0, value & ~max) TH_LOG("leaf 0x%x", n);
			}
		}
	}
	EXPECT_LT(8, shown);
	/* There are no more. Of a leaf with subleaves, one that is not there is 0. */
	EXPECT_LE(ask(&self->c, 7, 0).reg[EAX], 1);
	for (uint32_t n = ask(&self->c, 7, 0).reg[EAX] + 1; n < 4; n++) {
		struct leaf got = ask(&self->c, 7, n), zero = { { 0 } };

		EXPECT_EQ(0, memcmp(&got, &zero, sizeof(got))) TH_LOG("leaf 7, subleaf %u", n);
	}
	EXPECT_EQ(0, ask(&self->c, 4, 0xff).reg[EAX]);
	EXPECT_EQ(0, ask(&self->c, 0x20, 0).reg[EAX]);
	EXPECT_EQ(0, ask(&self->c, 0x40000020, 0).reg[EAX]);
	EXPECT_EQ(0, ask(&self->c, 0x80000020, 0).reg[EAX]);
	EXPECT_EQ(0, ask(&self->c, 0xffffffff, 0).reg[EAX]);
}

/* E15: what no guest may be shown, whatever the VMM wants */
TEST_F(x86_cpuid, refuses_what_is_not_carried)
{
	static const struct axvcpu_reg rows[] = {
		{ CPUID(1, 0, 1), 1 << 5 },		/* VMX */
		{ CPUID(1, 0, 1), 1 << 6 },		/* SMX */
		{ CPUID(1, 0, 1), 1 << 3 },		/* MONITOR */
		{ CPUID(1, 0, 1), 1 << 27 },		/* OSXSAVE is CR4's */
		{ CPUID(1, 0, 1), HIGH(21) },		/* debug store */
		{ CPUID(5, 0, 0), 1 },			/* MONITOR */
		{ CPUID(6, 0, 0), 1 << 1 },		/* turbo */
		{ CPUID(7, 0, 0), HIGH(2) },		/* SGX */
		{ CPUID(7, 0, 0), HIGH(14) },		/* MPX */
		{ CPUID(7, 0, 1), 1 << 3 },		/* protection keys */
		{ CPUID(7, 0, 1), 1 << 4 },		/* OSPKE */
		{ CPUID(7, 0, 1), 1 << 7 },		/* shadow stacks */
		{ CPUID(7, 0, 1), 1 << 16 },		/* LA57 */
		{ CPUID(0xa, 0, 0), 2 },		/* performance monitoring */
		{ CPUID(0xd, 0, 0), 1 << 9 },		/* PKRU's state */
		{ CPUID(0xd, 1, 0), 1 << 3 },		/* XSAVES */
		{ CPUID(0xd, 1, 1), 1 << 8 },		/* XSS */
		{ CPUID(0x12, 0, 0), 1 },
		{ CPUID(0x14, 0, 0), 1 },
		{ CPUID(0x80000001, 0, 1), 1 << 2 },	/* SVM */
		{ CPUID(0x8000000a, 0, 0), 1 },
		{ CPUID(0x80000007, 0, 0), 1 },
		/* No such leaf, or id */
		{ CPUID(0x20, 0, 0), 0 },
		{ CPUID(0x40000020, 0, 0), 0 },
		{ CPUID(0x80000020, 0, 0), 0 },
		{ CPUID(0xffffffff, 0, 0), 0 },
		{ CPUID(1, 1, 0), 0 },
		{ CPUID(4, 8, 0), 0 },
		{ CPUID(7, 2, 0), 0 },
		{ CPUID(7, 1, 0), 1 << 21 },		/* AMX */
		{ CPUID(7, 1, 1), HIGH(18) },		/* CET */
		{ CPUID(0xb, 4, 0), 0 },
		{ CPUID(0xd, 0xffff, 0), 0 },
		{ CPUID(1, 0, 2), 0 },
		{ CPUID(1, 0, 0) | 1ULL << 63, 0 },
		{ CPUID(1, 0, 0) | 1ULL << 60, 0 },
		{ CPUID_MAX(0, 0, 0), 0 },
	};
	struct axvcpu_reg good_and_bad[] = {
		{ CPUID(0x40000001, 0, 0), 0x1234 },
		{ CPUID(1, 0, 1), 1 << 5 },
	};
	struct axvcpu_regs args = { .regs = (uintptr_t)good_and_bad, .count = 2 };
	struct leaf before[2] = { table(&self->c, 1, 0), table(&self->c, 7, 0) };
	struct leaf after[2];
	uint64_t value;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, rows[i].id, rows[i].value))
			TH_LOG("row %d", i);
	}
	EXPECT_EQ(-EINVAL, get_reg(self->c.v.fd, CPUID(0x20, 0, 0), &value));
	EXPECT_EQ(-EINVAL, get_reg(self->c.v.fd, CPUID(4, 8, 1), &value));
	EXPECT_EQ(-EINVAL, XIOCTL(self->c.v.fd, AXVCPU_SET_REGS, &args));
	EXPECT_EQ(0, code_reg(&self->c, CPUID(0x40000001, 0, 0)));
	after[0] = table(&self->c, 1, 0);
	after[1] = table(&self->c, 7, 0);
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	/* Nor is any of it there by itself. */
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!get_reg(self->c.v.fd, rows[i].id, &value) && rows[i].value) {
			EXPECT_EQ(0, value & rows[i].value) TH_LOG("row %d", i);
		}
	}
}

TEST_F(x86_cpuid, is_the_vmms)
{
	static const struct axvcpu_reg rows[] = {
		{ CPUID(0x40000000, 0, 0), 0x40000001 | 0x11111111ULL << 32 },
		{ CPUID(0x40000000, 0, 1), 0x22222222 | 0x33333333ULL << 32 },
		{ CPUID(0x40000001, 0, 0), 0xfeedULL << 32 },
		{ CPUID(0x4000001f, 0, 1), 0x77 },
		{ CPUID(0x80000002, 0, 0), 0x6d787661ULL },
		{ CPUID(4, 2, 1), 0x3ff },
		{ CPUID(4, 7, 1), 0x47 },
		{ CPUID(0xb, 1, 0), 0xb1ULL << 32 },
		{ CPUID(0xb, 3, 0), 0xb3ULL << 32 },
		{ CPUID(0x1f, 1, 0), 4ULL << 32 },
	};
	/* An interrupt controller of the VMM's, as it may offer */
	const uint64_t apic = HIGH(9) | 1 << 21 | 1 << 24;
	uint64_t features = code_reg(&self->c, CPUID(1, 0, 1));
	struct leaf l;

	ASSERT_NE(0, features & 1 << 20);		/* SSE4.2 */
	ASSERT_EQ(0, features & apic);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, set_reg(self->c.v.fd, rows[i].id, rows[i].value)) TH_LOG("row %d", i);
		EXPECT_EQ(rows[i].value, code_reg(&self->c, rows[i].id));
	}
	/* None took another's place. */
	for (int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(rows[i].value, code_reg(&self->c, rows[i].id));
	features = (features & ~(1ULL << 20) & ~(1ULL << 31)) | apic;
	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(1, 0, 1), features));
	ASSERT_EQ(0, code_setup(&self->c));

	l = ask(&self->c, 1, 0);
	EXPECT_EQ((uint32_t)features, l.reg[ECX]);
	EXPECT_EQ(features >> 32, l.reg[EDX]);
	l = ask(&self->c, 0x40000000, 5);		/* has no subleaves */
	EXPECT_EQ(0x40000001, l.reg[EAX]);
	EXPECT_EQ(0x11111111, l.reg[EBX]);
	EXPECT_EQ(0x22222222, l.reg[ECX]);
	EXPECT_EQ(0x33333333, l.reg[EDX]);
	EXPECT_EQ(0xfeed, ask(&self->c, 0x40000001, 0).reg[EBX]);
	EXPECT_EQ(0x77, ask(&self->c, 0x4000001f, 0).reg[ECX]);
	EXPECT_EQ(0x6d787661, ask(&self->c, 0x80000002, 0).reg[EAX]);
	EXPECT_EQ(0x3ff, ask(&self->c, 4, 2).reg[ECX]);
	EXPECT_EQ(4, ask(&self->c, 0x1f, 1).reg[EBX]);

	/* RESET keeps it with the machine. */
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_run(self->c.v.fd));
	EXPECT_NE(0, code_reg(&self->c, CPUID(0x40000001, 0, 0)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(0xfeed, ask(&self->c, 0x40000001, 0).reg[EBX]);
	EXPECT_EQ((uint32_t)features, ask(&self->c, 1, 0).reg[ECX]);

	/* Else it makes it new. */
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	EXPECT_EQ(0, code_reg(&self->c, CPUID(0x40000001, 0, 0)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_NE(0, ask(&self->c, 1, 0).reg[ECX] & 1 << 20);
	EXPECT_EQ(0, ask(&self->c, 0x40000001, 0).reg[EBX]);
}

/* The TSC's offset is the machine's too. */
TEST_F(x86_cpuid, tsc_over_a_reset)
{
	const uint64_t offset = 1ULL << 60;

	ASSERT_EQ(0, code_setup(&self->c));
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_TSC_OFFSET, offset));
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_run(self->c.v.fd));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(offset, code_reg(&self->c, AXVCPU_X86_REG_TSC_OFFSET));
	EXPECT_LE(offset, code_reg(&self->c, AXVCPU_X86_REG_MSR(0x10)));
	ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtsc));
	EXPECT_LE(offset >> 32, self->c.v.run->regs.x86.gpr[AXVCPU_X86_RDX]);
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_TSC_OFFSET));
	EXPECT_GT(offset, code_reg(&self->c, AXVCPU_X86_REG_MSR(0x10)));
}

/* Bits that are the vCPU's own, or follow its registers */
TEST_F(x86_cpuid, dynamic_bits)
{
	bool has_xsave = code_reg(&self->c, CPUID(1, 0, 1)) & 1ULL << 26;

	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(1, 0, 0), 0x99ULL << 56 | 0x306c3));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(3, ask(&self->c, 1, 0).reg[EBX] >> 24);
	EXPECT_EQ(0x306c3, ask(&self->c, 1, 0).reg[EAX]);
	for (int subleaf = 0; subleaf < 6; subleaf++) {
		struct leaf l = ask(&self->c, 0xb, subleaf);

		EXPECT_EQ(3, l.reg[EDX]);
		EXPECT_EQ(subleaf, l.reg[ECX] & 0xff);
		EXPECT_EQ(subleaf < 2, l.reg[EBX]);
	}
	EXPECT_EQ(0, ask(&self->c, 0x1f, 0).reg[EDX]);

	EXPECT_EQ(0, ask(&self->c, 1, 0).reg[ECX] & 1 << 27);
	if (!has_xsave) {
		EXPECT_EQ(13, code_set_cr4(&self->c, PAE | OSXSAVE));
		EXPECT_EQ(0, ask(&self->c, 0xd, 0).reg[EBX]);
		return;
	}
	EXPECT_EQ(576, ask(&self->c, 0xd, 0).reg[EBX]);
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, PAE | OSXSAVE));
	EXPECT_NE(0, ask(&self->c, 1, 0).reg[ECX] & 1 << 27);
	ASSERT_EQ(CODE_DONE, code_xsetbv(&self->c, 0, 7));
	EXPECT_EQ(832, ask(&self->c, 0xd, 0).reg[EBX]);
	ASSERT_EQ(CODE_DONE, code_xsetbv(&self->c, 0, 1));
	EXPECT_EQ(576, ask(&self->c, 0xd, 0).reg[EBX]);
	EXPECT_LE(832, ask(&self->c, 0xd, 0).reg[ECX]);
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, PAE));
	EXPECT_EQ(0, ask(&self->c, 1, 0).reg[ECX] & 1 << 27);
}

/* What is hidden can't be turned on. */
TEST_F(x86_cpuid, limits_cr4_and_xcr0)
{
	uint64_t xcr0 = code_reg(&self->c, CPUID(0xd, 0, 0));
	uint64_t ebx = code_reg(&self->c, CPUID(7, 0, 0));

	if ((xcr0 & 7) != 7 || !(ebx & HIGH(7)))
		SKIP(return, "no AVX, or no SMEP");
	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(0xd, 0, 0), xcr0 & ~4ULL));
	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(7, 0, 0), ebx & ~HIGH(7)));	/* SMEP */
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(13, code_set_cr4(&self->c, PAE | SMEP));
	EXPECT_EQ(0, self->c.error_code);
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, PAE | OSXSAVE));
	EXPECT_EQ(13, code_xsetbv(&self->c, 0, 7));
	EXPECT_EQ(CODE_DONE, code_xsetbv(&self->c, 0, 3));
	EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR4, PAE | SMEP));
	EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, AXVCPU_X86_REG_XCR0, 7));

	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(1, 0, 1),
			     code_reg(&self->c, CPUID(1, 0, 1)) & ~(1ULL << 26)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(13, code_set_cr4(&self->c, PAE | OSXSAVE));
	EXPECT_EQ(CODE_DONE, code_set_cr4(&self->c, PAE | SMEP));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr4));
	EXPECT_EQ(PAE | SMEP, self->c.v.run->regs.x86.gpr[AXVCPU_X86_RAX]);
}

static int run_msr(struct x86_code *c, const uint8_t *code, size_t size, uint32_t index,
		   uint64_t value)
{
	volatile __u64 *gpr = c->v.run->regs.x86.gpr;

	gpr[AXVCPU_X86_RCX] = index;
	gpr[AXVCPU_X86_RAX] = (uint32_t)value;
	gpr[AXVCPU_X86_RDX] = value >> 32;
	return code_run(c, code, size);
}

#define RUN_MSR(c, code, index, value)	run_msr(c, code, code##_end - (code), index, value)

#define EFER		0xc0000080
#define EFER_SCE	(1 << 0)
#define EFER_LME	(1 << 8)
#define EFER_NXE	(1 << 11)

/* X15: what is hidden is not there. */
TEST_F(x86_cpuid, limits_efer)
{
	const uint64_t id = CPUID(0x80000001, 0, 1), features = code_reg(&self->c, id);
	static const struct {
		unsigned int bit;
		uint32_t efer;
	} rows[] = { { 20, EFER_NXE }, { 11, EFER_SCE } };

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t shown = EFER_LME | EFER_NXE | EFER_SCE;
		const uint64_t hidden = shown & ~rows[i].efer;

		ASSERT_NE(0, features & HIGH(rows[i].bit));
		ASSERT_EQ(0, set_reg(self->c.v.fd, id, features & ~HIGH(rows[i].bit)));
		ASSERT_EQ(0, code_setup(&self->c));
		EXPECT_EQ(13, RUN_MSR(&self->c, write_msr, EFER, shown));
		EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr, EFER, hidden));
		EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(EFER), shown));
		EXPECT_EQ(0, code_reg(&self->c, AXVCPU_X86_REG_MSR(EFER)) & rows[i].efer);
		ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
		ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	}
	/* Nor can a guest start in long mode. */
	ASSERT_EQ(0, set_reg(self->c.v.fd, id, features & ~HIGH(29)));
	EXPECT_EQ(-EINVAL, code_setup(&self->c));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_reg(self->c.v.fd, id, features));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr, EFER, EFER_LME | EFER_NXE | EFER_SCE));
}

TEST_F(x86_cpuid, hides_instructions)
{
	static const struct {
		const char *name;
		uint64_t id;
		uint64_t bit;
		const uint8_t *code, *end;
	} rows[] = {
		{ "RDRAND", CPUID(1, 0, 1), 1 << 30, rdrand, rdrand_end },
		{ "RDSEED", CPUID(7, 0, 0), HIGH(18), rdseed, rdseed_end },
		{ "INVPCID", CPUID(7, 0, 0), HIGH(10), invpcid, invpcid_end },
	};
	int seen = 0;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = code_reg(&self->c, rows[i].id);

		ASSERT_EQ(0, code_setup(&self->c));
		EXPECT_EQ(value & rows[i].bit ? CODE_DONE : 6,
			  code_run(&self->c, rows[i].code, rows[i].end - rows[i].code))
			TH_LOG("%s", rows[i].name);
		seen += !!(value & rows[i].bit);
		ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
		ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
		ASSERT_EQ(0, set_reg(self->c.v.fd, rows[i].id, value & ~rows[i].bit));
		ASSERT_EQ(0, code_setup(&self->c));
		EXPECT_EQ(6, code_run(&self->c, rows[i].code, rows[i].end - rows[i].code))
			TH_LOG("%s, hidden", rows[i].name);
		ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
		ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	}
	TH_LOG("%d instructions to hide", seen);
}

#define SPEC_CTRL	0x48
#define PRED_CMD	0x49
#define ARCH_CAPS	0x10a

static uint64_t read_host_msr(uint32_t index)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	uint64_t value = ~0ULL;

	if (fd < 0 || pread(fd, &value, sizeof(value), index) != sizeof(value))
		value = ~0ULL;
	close(fd);
	return value;
}

/* X27: MSRs of speculation control are the VMM's to answer, unless CPUID shows them. */
TEST_F(x86_cpuid, speculation_control)
{
	const uint64_t id = CPUID(7, 0, 1), features = code_reg(&self->c, id);
	const uint64_t max = code_reg(&self->c, CPUID_MAX(7, 0, 1));
	volatile __u64 *gpr = self->c.v.run->regs.x86.gpr;
	uint64_t before;

	EXPECT_EQ(0, features & (HIGH(26) | HIGH(27) | HIGH(31)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_READ, RUN_MSR(&self->c, read_msr, SPEC_CTRL, 0));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_WRITE,
		  RUN_MSR(&self->c, write_msr_alone, PRED_CMD, 1));
	EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(SPEC_CTRL), 1));
	if (!(max & HIGH(26)))
		SKIP(return, "no SPEC_CTRL");

	ASSERT_EQ(0, pin_to_cpu(0));
	before = read_host_msr(SPEC_CTRL);
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_reg(self->c.v.fd, id, features | HIGH(26)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, read_msr, SPEC_CTRL, ~0ULL));
	EXPECT_EQ(0, gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr, SPEC_CTRL, 1));
	EXPECT_EQ(1, gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(0, gpr[AXVCPU_X86_RDX]);
	EXPECT_EQ(1, code_reg(&self->c, AXVCPU_X86_REG_MSR(SPEC_CTRL)));
	EXPECT_EQ(before, read_host_msr(SPEC_CTRL));
	/* SSBD is another bit of CPUID's. */
	EXPECT_EQ(13, RUN_MSR(&self->c, write_msr, SPEC_CTRL, 1 << 2));
	EXPECT_EQ(13, RUN_MSR(&self->c, write_msr, SPEC_CTRL, 1ULL << 32));
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(SPEC_CTRL), 2));
	EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(SPEC_CTRL), 4));
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, read_msr, SPEC_CTRL, 0));
	EXPECT_EQ(2, gpr[AXVCPU_X86_RAX]);
	/* A command is written, and reads as a fault. */
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr_alone, PRED_CMD, 1));
	EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr_alone, PRED_CMD, 0));
	EXPECT_EQ(13, RUN_MSR(&self->c, write_msr_alone, PRED_CMD, 2));
	EXPECT_EQ(13, RUN_MSR(&self->c, read_msr, PRED_CMD, 0));

	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_reg(self->c.v.fd, id, features | (max & HIGH(31))));
	ASSERT_EQ(0, code_setup(&self->c));
	if (max & HIGH(31)) {
		EXPECT_EQ(CODE_DONE, RUN_MSR(&self->c, write_msr, SPEC_CTRL, 4));
		EXPECT_EQ(4, gpr[AXVCPU_X86_RAX]);
		EXPECT_EQ(13, RUN_MSR(&self->c, write_msr, SPEC_CTRL, 1));
	}
	EXPECT_EQ(before, read_host_msr(SPEC_CTRL));
}

/* The host's can be read, the guest's are the VMM's to say. */
TEST_F(x86_cpuid, arch_capabilities)
{
	const uint64_t id = AXVCPU_X86_REG_HOST_ARCH_CAPABILITIES;
	uint64_t host = read_host_msr(ARCH_CAPS);

	EXPECT_EQ(host == ~0ULL ? 0 : host, code_reg(&self->c, id));
	EXPECT_EQ(-EINVAL, set_reg(self->c.v.fd, id, 0));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_READ, RUN_MSR(&self->c, read_msr, ARCH_CAPS, 0));
}

/* Machine checks that a VMM has are the guest's to allow. */
TEST_F(x86_cpuid, machine_checks)
{
	const uint64_t features = code_reg(&self->c, CPUID(1, 0, 1)), mce = HIGH(7) | HIGH(14);

	ASSERT_EQ(mce, code_reg(&self->c, CPUID_MAX(1, 0, 1)) & mce);
	ASSERT_EQ(0, set_reg(self->c.v.fd, CPUID(1, 0, 1), features | mce));
	ASSERT_EQ(0, code_setup(&self->c));
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, CODE_CR4 | MCE));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr4));
	EXPECT_EQ(CODE_CR4 | MCE, self->c.v.run->regs.x86.gpr[AXVCPU_X86_RAX]);
	EXPECT_EQ(CODE_CR4 | MCE, code_reg(&self->c, AXVCPU_X86_REG_CR4));
	ASSERT_EQ(CODE_DONE, code_set_cr4(&self->c, CODE_CR4));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, mov_from_cr4));
	EXPECT_EQ(CODE_CR4, self->c.v.run->regs.x86.gpr[AXVCPU_X86_RAX]);

	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(13, code_set_cr4(&self->c, CODE_CR4 | MCE));
}

/* RDTSCP is there for those who ask for it, and TSC_AUX is the guest's own. */
TEST_F(x86_cpuid, rdtscp)
{
	volatile __u64 *gpr = self->c.v.run->regs.x86.gpr;
	uint64_t id = CPUID(0x80000001, 0, 1), value = code_reg(&self->c, id);
	unsigned int before, after;

	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(6, RUN_CODE(&self->c, rdtscp));
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_SYSREG_WRITE, RUN_CODE(&self->c, write_tsc_aux));
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	if (!(code_reg(&self->c, CPUID_MAX(0x80000001, 0, 1)) & HIGH(27)))
		SKIP(return, "no RDTSCP");

	asm volatile("rdtscp" : "=c"(before) : : "eax", "edx");
	ASSERT_EQ(0, set_reg(self->c.v.fd, id, value | HIGH(27)));
	ASSERT_EQ(0, code_setup(&self->c));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
	EXPECT_EQ(0, gpr[AXVCPU_X86_RCX]);
	gpr[AXVCPU_X86_RAX] = 0x1a2b3c4d;
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, write_tsc_aux));
	EXPECT_EQ(0x1a2b3c4d, gpr[AXVCPU_X86_RCX]);
	EXPECT_EQ(0x1a2b3c4d, code_reg(&self->c, AXVCPU_X86_REG_MSR(0xc0000103)));
	asm volatile("rdtscp" : "=c"(after) : : "eax", "edx");
	EXPECT_EQ(before, after);
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_MSR(0xc0000103), 5));
	EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
	EXPECT_EQ(5, gpr[AXVCPU_X86_RCX]);
}

TEST_HARNESS_MAIN
