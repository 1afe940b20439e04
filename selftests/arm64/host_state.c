// SPDX-License-Identifier: GPL-2.0-only
/*
 * What RUN leaves of the thread on arm64: guests fill every register that they
 * reach, and so do the thread that runs them and those that it shares the CPU
 * with; each finds its own again. EL2's registers are el2_regs' business.
 */
#include <assert.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include <asm/hwcap.h>

#include "arm64.h"

#define NR_GPRS		31
#define NR_VREGS	32
#define MAX_VECTOR	256	/* bytes of the widest SVE register */

/* Offsets into struct thread_state */
#define TS_V		0
#define TS_X		512
#define TS_TPIDR	760
#define TS_NZCV		768
#define TS_FPCR		776
#define TS_FPSR		784

struct thread_state {
	uint64_t v[NR_VREGS][2];
	uint64_t x[NR_GPRS];
	uint64_t tpidr;
	uint64_t nzcv;
	uint64_t fpcr;
	uint64_t fpsr;
};

#define AT(field, offset) \
	static_assert(offsetof(struct thread_state, field) == (offset), #field)
AT(v, TS_V);
AT(x, TS_X);
AT(tpidr, TS_TPIDR);
AT(nzcv, TS_NZCV);
AT(fpcr, TS_FPCR);
AT(fpsr, TS_FPSR);

/*
 * ioctl(fd, cmd, arg) with the registers of @want but X0 to X3 and X8; what
 * they are then goes to @got. Returns what the kernel does.
 */
long run_with_registers(int fd, unsigned long cmd, unsigned long arg,
			const struct thread_state *want, struct thread_state *got);

#define STR_(x)	#x
#define STR(x)	STR_(x)
#define V_REGS(op, base)							\
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, " \
	"22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n " op " q\\n, [" base ", #\\n * 16]\n .endr\n"

asm(".pushsection .text\n.globl run_with_registers\n.balign 16\nrun_with_registers:\n"
    "stp x29, x30, [sp, #-272]!\n stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n"
    "stp x23, x24, [sp, #48]\n stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n"
    "stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n stp d12, d13, [sp, #128]\n"
    "stp d14, d15, [sp, #144]\n str x4, [sp, #160]\n"
    "mrs x5, tpidr_el0\n mrs x6, fpcr\n stp x5, x6, [sp, #168]\n"
    V_REGS("ldr", "x3")
    "ldr x5, [x3, #" STR(TS_FPCR) "]\n msr fpcr, x5\n"
    "ldr x5, [x3, #" STR(TS_FPSR) "]\n msr fpsr, x5\n"
    "ldr x5, [x3, #" STR(TS_NZCV) "]\n msr nzcv, x5\n"
    "ldr x5, [x3, #" STR(TS_TPIDR) "]\n msr tpidr_el0, x5\n"
    ".irp n, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, "
    "27, 28, 29, 30\n ldr x\\n, [x3, #" STR(TS_X) " + \\n * 8]\n .endr\n"
    "mov x8, #29\n svc #0\n"
    "str x16, [sp, #184]\n ldr x16, [sp, #160]\n"
    ".irp n, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, "
    "27, 28, 29, 30\n str x\\n, [x16, #" STR(TS_X) " + \\n * 8]\n .endr\n"
    "ldr x5, [sp, #184]\n str x5, [x16, #" STR(TS_X) " + 16 * 8]\n"
    "mrs x5, nzcv\n str x5, [x16, #" STR(TS_NZCV) "]\n"
    "mrs x5, tpidr_el0\n str x5, [x16, #" STR(TS_TPIDR) "]\n"
    "mrs x5, fpcr\n str x5, [x16, #" STR(TS_FPCR) "]\n"
    "mrs x5, fpsr\n str x5, [x16, #" STR(TS_FPSR) "]\n"
    V_REGS("str", "x16")
    "ldp x5, x6, [sp, #168]\n msr tpidr_el0, x5\n msr fpcr, x6\n"
    "ldp d14, d15, [sp, #144]\n ldp d12, d13, [sp, #128]\n ldp d10, d11, [sp, #112]\n"
    "ldp d8, d9, [sp, #96]\n ldp x27, x28, [sp, #80]\n ldp x25, x26, [sp, #64]\n"
    "ldp x23, x24, [sp, #48]\n ldp x21, x22, [sp, #32]\n ldp x19, x20, [sp, #16]\n"
    "ldp x29, x30, [sp], #272\n ret\n.popsection\n");

static uint64_t seed;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void random_thread(struct thread_state *t)
{
	uint64_t *words = (uint64_t *)t;

	for (size_t i = 0; i < sizeof(*t) / 8; i++)
		words[i] = random64();
	t->nzcv &= 0xf0000000;
	t->fpcr &= 0x07c00000;		/* AHP, DN, FZ, RMode */
	t->fpsr &= 0x0800009f;
	/* What the call itself takes */
	for (int n = 0; n < 4; n++)
		t->x[n] = 0;
	t->x[8] = 0;
}

/* All that the guest has, and never the same */
PROGRAM(fill_program,
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n"
	"1: .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
	"22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n dup v\\n\\().2d, x20\n .endr\n"
	"msr fpcr, x21\n msr fpsr, x22\n msr tpidr_el0, x20\n msr tpidrro_el0, x20\n"
	"msr sp_el0, x20\n mov sp, x20\n"
	".irp n, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 23, 24, 25, 26, 27, "
	"28, 29, 30\n add x\\n, x20, #\\n\n .endr\n"
	"add x20, x20, #0x100\n cbz x19, 2f\n wfi\n 2:" MEET(0x70) "b 1b\n");

/* Exits to us, waits inside RUN, and kicks, which end RUN before the guest has run */
TEST_F(arm64, thread_registers)
{
	struct thread_state want, got = { 0 };
	long ret;

	seed = now_ns() | 1;
	TH_LOG("seed %#lx", seed);
	ASSERT_EQ(0, start(self, fill_program, fill_program_end));
	self->x[20] = seed;
	self->x[21] = 3 << 22;
	self->x[22] = 0x1f;
	for (int i = 0; i < 60; i++) {
		random_thread(&want);
		self->x[19] = i % 4 == 1;
		if (i % 4 == 2) {
			ASSERT_EQ(0, kick_vcpu(self->v.fd));
		}
		ret = run_with_registers(self->v.fd, AXVCPU_RUN, 0, &want, &got);
		EXPECT_EQ(i % 4 == 2 ? -EINTR : 0, ret) TH_LOG("round %d", i);
		for (int n = 4; n < NR_GPRS; n++) {
			if (n != 8) {
				EXPECT_EQ(want.x[n], got.x[n]) TH_LOG("x%d", n);
			}
		}
		for (int n = 0; n < NR_VREGS; n++) {
			EXPECT_EQ(want.v[n][0], got.v[n][0]) TH_LOG("v%d", n);
			EXPECT_EQ(want.v[n][1], got.v[n][1]) TH_LOG("v%d, upper half", n);
		}
		EXPECT_EQ(want.tpidr, got.tpidr);
		EXPECT_EQ(want.nzcv, got.nzcv);
		EXPECT_EQ(want.fpcr, got.fpcr);
		EXPECT_EQ(want.fpsr, got.fpsr);
	}
}

struct signatures {
	uint64_t ia, ib, da, db, ga;
};

/* A pointer signed with each of the thread's keys */
static struct signatures sign(void)
{
	uint64_t p = 0x12345678;
	struct signatures s = { p, p, p, p, p };

	asm(".arch_extension pauth\n"
	    "pacia %0, %5\n pacib %1, %5\n pacda %2, %5\n pacdb %3, %5\n pacga %4, %4, %5\n"
	    : "+r"(s.ia), "+r"(s.ib), "+r"(s.da), "+r"(s.db), "+r"(s.ga) : "r"(7ULL));
	return s;
}

PROGRAM(keys_program,
	".irp k, 1_0, 1_1, 1_2, 1_3, 2_0, 2_1, 2_2, 2_3, 3_0, 3_1\n"
	"msr s3_0_c2_c\\k, x20\n .endr\n isb\n"
	"1: mov x1, #0x5000\n .arch_extension pauth\n pacia x1, x2\n pacdb x1, x2\n" MEET(0x70)
	"b 1b\n");

TEST_F(arm64, thread_keys)
{
	struct signatures before, after;

	if (!(getauxval(AT_HWCAP) & HWCAP_PACA))
		SKIP(return, "no pointer authentication");
	ASSERT_EQ(0, start(self, keys_program, keys_program_end));
	self->x[20] = 0x1234567890abcdef;
	before = sign();
	EXPECT_NE(0x12345678, before.ia);
	for (int i = 0; i < 10; i++) {
		EXPECT_MEET(0x70);
		after = sign();
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	}
}

static uint64_t counter(void)
{
	uint64_t value;

	asm volatile("isb\n mrs %0, cntvct_el0" : "=r" (value));
	return value;
}

/* The guest's time is another one; what programs read of the CPU is not the guest's. */
TEST_F(arm64, time_and_identity)
{
	uint64_t dczid, ctr, midr, mpidr, value, before;

	asm volatile("mrs %0, dczid_el0" : "=r" (dczid));
	asm volatile("mrs %0, ctr_el0" : "=r" (ctr));
	asm volatile("mrs %0, midr_el1" : "=r" (midr));
	asm volatile("mrs %0, mpidr_el1" : "=r" (mpidr));
	ASSERT_EQ(0, start(self, fill_program, fill_program_end));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, 1ULL << 40));
	for (int i = 0; i < 20; i++) {
		before = counter();
		EXPECT_MEET(0x70);
		value = counter();
		EXPECT_LT(before, value);
		EXPECT_GT(before + (1ULL << 36), value);
		asm volatile("mrs %0, dczid_el0" : "=r" (value));
		EXPECT_EQ(dczid, value);
		asm volatile("mrs %0, ctr_el0" : "=r" (value));
		EXPECT_EQ(ctr, value);
		asm volatile("mrs %0, midr_el1" : "=r" (value));
		EXPECT_EQ(midr, value);
		asm volatile("mrs %0, mpidr_el1" : "=r" (value));
		EXPECT_EQ(mpidr, value);
	}
}

static volatile bool stop;

/* Whole vector registers, which are nobody else's for as long as there is no system call */
static void *vector_thread(void *arg)
{
	static uint8_t want[MAX_VECTOR], got[2][MAX_VECTOR];
	long bad = 0;

	for (int i = 0; i < MAX_VECTOR; i++)
		want[i] = 3 * i + 1;
	while (!stop) {
		memset(got, 0, sizeof(got));
		asm volatile(".arch_extension sve\n"
			     "ldr z3, [%0]\n ldr z31, [%0]\n"
			     "mov x9, #0x40000\n 1: subs x9, x9, #1\n b.ne 1b\n"
			     "str z3, [%1]\n str z31, [%2]\n"
			     : : "r"(want), "r"(got[0]), "r"(got[1])
			     : "x9", "cc", "memory", "v3", "v31");
		/* As much of them as there is */
		for (int n = 0; n < 2; n++)
			bad += memcmp(want, got[n], *(int *)arg) != 0;
	}
	return (void *)bad;
}

/* Of another thread on the same CPU, taken from it at any time */
TEST_F(arm64, vectors_of_another_thread)
{
	unsigned long long end = now_ns() + 1500000000ULL;
	pthread_t thread;
	int bytes = 16;
	void *bad;

	if (!(getauxval(AT_HWCAP) & HWCAP_SVE))
		SKIP(return, "no SVE");
	asm(".arch_extension sve\n cntb %x0" : "=r"(bytes));
	EXPECT_LT(16, bytes);
	pin_to_cpu(0);
	ASSERT_EQ(0, start(self, fill_program, fill_program_end));
	ASSERT_EQ(0, pthread_create(&thread, NULL, vector_thread, &bytes));
	while (now_ns() < end)
		EXPECT_MEET(0x70);
	stop = true;
	pthread_join(thread, &bad);
	EXPECT_EQ(0, (long)bad);
}

TEST_HARNESS_MAIN
