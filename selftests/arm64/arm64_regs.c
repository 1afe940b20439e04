// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of an arm64 guest: what they are after reset, that each vCPU has its own,
 * and that they can be moved into another one.
 */
#include "arm64.h"

/* A6, A7: nothing of what was before is there after RESET; x0 is the device tree. */
PROGRAM(dirty_program,
	"mov x0, #0x1230\n msr vbar_el1, x0\n msr tpidr_el1, x0\n msr tpidr_el0, x0\n"
	"msr mair_el1, x0\n mov sp, x0\n msr cntv_cval_el0, x0\n"
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n dup v3.2d, x0\n" MEET(0x70));
PROGRAM(clean_program,
	"mov x20, x0\n mrs x21, sctlr_el1\n mrs x22, vbar_el1\n mrs x23, tpidr_el1\n"
	"mrs x24, tpidr_el0\n mrs x25, mair_el1\n mov x26, sp\n mrs x27, cpacr_el1\n"
	"mrs x16, mpidr_el1\n mrs x28, daif\n mrs x29, currentel\n mrs x19, spsel\n mrs x18, cntv_cval_el0\n"
	"mov x1, #3 << 20\n msr cpacr_el1, x1\n isb\n mov x17, v3.d[1]\n" MEET(0x70));

TEST_F(arm64, reset)
{
	struct axvcpu_create_vcpu args = { .vcpu_id = 3, .favor_phys_cpu = -1 };
	int plain = self->v.fd;

	args.config.arm64.dtb = 0x45678000;
	args.config.arm64.mpidr = 0x30201;
	self->v.fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &args);
	ASSERT_LE(0, self->v.fd);
	munmap(self->run, sysconf(_SC_PAGESIZE));
	self->v.run = mmap(NULL, self->g.info.run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->v.fd, 0);
	ASSERT_NE(MAP_FAILED, self->v.run);
	self->run = self->v.run;
	self->x = self->run->regs.arm64.x;
	ASSERT_EQ(0, start(self, dirty_program, dirty_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, start_again(self, 0, clean_program, clean_program_end));
	EXPECT_EQ(0x45678000, self->x[0]);
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x45678000, self->x[20]);
	EXPECT_EQ(0x30c50830, self->x[21]);
	EXPECT_EQ(0x80030201, self->x[16]);
	for (int i = 22; i <= 26; i++) {
		EXPECT_EQ(0, self->x[i]) TH_LOG("x%d", i);
	}
	/* CPACR_EL1: FP is on. */
	EXPECT_EQ(3 << 20, self->x[27]);
	EXPECT_EQ(0x3c0, self->x[28]);
	EXPECT_EQ(4, self->x[29]);
	EXPECT_EQ(1, self->x[19]);
	EXPECT_EQ(0, self->x[18]);
	EXPECT_EQ(0, self->x[17]);
	close(plain);
}

PROGRAM(id_program,
	"1:" MEET(0x70)
	"mrs x20, id_aa64pfr0_el1\n mrs x21, id_aa64pfr1_el1\n mrs x22, id_aa64dfr0_el1\n"
	"mrs x23, id_aa64isar1_el1\n mrs x24, id_aa64mmfr0_el1\n mrs x25, id_aa64mmfr1_el1\n"
	"mrs x26, s3_0_c0_c4_4\n mrs x27, mpidr_el1\n mrs x28, midr_el1\n"
	"mrs x19, s3_0_c0_c7_7\n"
	"mrs x18, s3_0_c12_c12_5\n"	/* ICC_SRE_EL1 */
	"b 1b\n");

static const unsigned int parange_bits[16] = { 32, 36, 40, 42, 44, 48, 52 };

/* A3 (TID3), A4, A6 */
TEST_F(arm64, id_registers)
{
	uint64_t value;

	ASSERT_EQ(0, start(self, id_program, id_program_end));
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x11, self->x[20] & 0xffff);		/* EL0, EL1; AArch64; no EL2, EL3 */
	EXPECT_EQ(0, self->x[20] & 0xffffff00f0000000ULL & ~(0xffULL << 56 | 0xfULL << 48));
	EXPECT_EQ(0, self->x[21] & ~0xffULL);		/* no memory tagging, no SME */
	EXPECT_EQ(6, self->x[22] & 0xfff);		/* debug, no PMU */
	/* Pointer authentication: of addresses and generic, or neither */
	EXPECT_EQ(!(self->x[23] & 0xff0), !(self->x[23] & 0xff000000));
	EXPECT_EQ(0, self->x[25] & 0xf0f00);		/* no VHE, no LOR */
	EXPECT_EQ(0, self->x[26]);			/* no SVE */
	EXPECT_EQ(0, self->x[19]);
	EXPECT_EQ(0x80000000, self->x[27]);
	EXPECT_NE(0, self->x[28]);
	EXPECT_EQ(7, self->x[18]);
	/* As many address bits as stage 2 has, rounded to what the field can say. */
	EXPECT_LE(parange_bits[self->x[24] & 0xf], self->g.info.gpa_bits);
	EXPECT_GE(48, self->g.info.gpa_bits);
	/* The VMM sees the same. */
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 4, 0), &value));
	EXPECT_EQ(self->x[20], value);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 0, 0), &value));
	EXPECT_EQ(self->x[28], value);
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, sys(3, 0, 0, 4, 0), value));
}

/* A9, A10: every register differs, in each of two vCPUs that take turns on one CPU. */
#define EACH(R)									\
	R("tpidr_el0", 3, 3, 13, 0, 2) R("tpidrro_el0", 3, 3, 13, 0, 3)		\
	R("tpidr_el1", 3, 0, 13, 0, 4) R("ttbr0_el1", 3, 0, 2, 0, 0)		\
	R("ttbr1_el1", 3, 0, 2, 0, 1) R("elr_el1", 3, 0, 4, 0, 1)		\
	R("far_el1", 3, 0, 6, 0, 0) R("mair_el1", 3, 0, 10, 2, 0)		\
	R("sp_el0", 3, 0, 4, 1, 0)
#define WRITE(name, a, b, c, d, e) "msr " name ", x8\n add x8, x8, #16\n"
#define CHECK(name, a, b, c, d, e)						\
	"mrs x0, " name "\n cmp x0, x8\n b.ne 9f\n add x8, x8, #16\n"
#define ENCODING(name, a, b, c, d, e) { a, b, c, d, e },

PROGRAM(registers_program,
	"mov x8, x20\n" EACH(WRITE)
	"dup v0.2d, x20\n dup v31.2d, x20\n mov sp, x20\n lsr x0, x20, #20\n msr csselr_el1, x0\n"
	"mrs x21, csselr_el1\n"
	"1:" MEET(0x70)
	"mov x8, x20\n" EACH(CHECK)
	"mov x0, v0.d[1]\n cmp x0, x20\n b.ne 9f\n mov x0, v31.d[0]\n cmp x0, x20\n b.ne 9f\n"
	"mov x0, sp\n cmp x0, x20\n b.ne 9f\n"
	"mrs x0, csselr_el1\n cmp x0, x21\n b.ne 9f\n"
	"b 1b\n"
	"9:" MEET(0x71));

static const uint8_t each[][5] = { EACH(ENCODING) };

TEST_F(arm64, registers)
{
	struct guest_vcpu other;
	uint64_t value;

	pin_to_cpu(0);
	ASSERT_EQ(0, start(self, registers_program, registers_program_end));
	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, ENTRY));
	/* CPACR_EL1: FP is on. */
	ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 0, 1, 0, 2), 3 << 20));
	ASSERT_EQ(0, set_reg(other.fd, sys(3, 0, 1, 0, 2), 3 << 20));
	self->x[20] = 0x1230000;
	other.run->regs.arm64.x[20] = 0x4560000;
	for (int i = 0; i < 50; i++) {
		EXPECT_MEET(0x70);
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		ASSERT_EQ(0x70, other.run->hypercall.nr);
	}
	for (int i = 0; i < ARRAY_SIZE(each); i++) {
		const uint8_t *e = each[i];

		ASSERT_EQ(0, get_reg(self->v.fd, sys(e[0], e[1], e[2], e[3], e[4]), &value));
		EXPECT_EQ(0x1230000 + 16 * i, value);
	}
	EXPECT_EQ(0x1230000, self->run->regs.arm64.sp);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_V_HIGH(31), &value));
	EXPECT_EQ(0x1230000, value);

	/* All of it into the other one, which goes on with it. */
	for (int i = 0; i < ARRAY_SIZE(each); i++) {
		const uint8_t *e = each[i];
		uint64_t id = sys(e[0], e[1], e[2], e[3], e[4]);

		ASSERT_EQ(0, get_reg(self->v.fd, id, &value));
		ASSERT_EQ(0, set_reg(other.fd, id, value));
	}
	for (uint64_t id = AXVCPU_ARM64_REG_V_LOW(0); id <= AXVCPU_ARM64_REG_FPCR; id++) {
		ASSERT_EQ(0, get_reg(self->v.fd, id, &value));
		ASSERT_EQ(0, set_reg(other.fd, id, value));
	}
	other.run->regs.arm64.x[20] = 0x1230000;
	ASSERT_EQ(0, set_reg(other.fd, AXVCPU_ARM64_REG_SP, 0x1230000));
	ASSERT_EQ(0, run_vcpu(other.fd, 0));
	EXPECT_EQ(0x70, other.run->hypercall.nr);
	vcpu_destroy(&other);
}

/* A9: keys differ between vCPUs and from the host's, and are there again in each section. */
PROGRAM(pauth_program,
	"mrs x0, sctlr_el1\n orr x0, x0, #0x80000000\n"
	"msr sctlr_el1, x0\n"
	"msr s3_0_c2_c1_0, x20\n msr s3_0_c2_c1_1, x21\n"	/* APIA */
	"msr s3_0_c2_c2_2, x21\n msr s3_0_c2_c3_0, x20\n isb\n"	/* APDB, APGA */
	"1: mov x1, #0x5000\n mov x2, #7\n mov x3, #0x5000\n"
	".arch_extension pauth\n pacia x1, x2\n pacga x4, x3, x2\n" MEET(0x70)
	"mov x5, x1\n autia x5, x2\n mrs x6, s3_0_c2_c1_1\n mrs x7, s3_0_c2_c2_2\n b 1b\n");

TEST_F(arm64, pointer_authentication)
{
	struct guest_vcpu other;
	uint64_t isar1, isar2, value, signed_by[2];
	struct axvcpu_stats stats;

	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 1), &isar1));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 2), &isar2));
	if (!(isar1 & 0xff0) && !(isar2 & 0xf000))
		SKIP(return, "no pointer authentication");
	pin_to_cpu(0);
	ASSERT_EQ(0, start(self, pauth_program, pauth_program_end));
	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, ENTRY));
	self->x[20] = 0x1111;
	self->x[21] = 0x2222;
	other.run->regs.arm64.x[20] = 0x3333;
	other.run->regs.arm64.x[21] = 0x4444;
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, run_vcpu(other.fd, 0));
	signed_by[0] = self->x[1];
	signed_by[1] = other.run->regs.arm64.x[1];
	EXPECT_NE(0x5000, signed_by[0]);
	EXPECT_NE(signed_by[0], signed_by[1]);
	EXPECT_NE(self->x[4], other.run->regs.arm64.x[4]);
	for (int i = 0; i < 20; i++) {
		EXPECT_MEET(0x70);
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		EXPECT_EQ(signed_by[0], self->x[1]);
		EXPECT_EQ(signed_by[1], other.run->regs.arm64.x[1]);
		EXPECT_EQ(0x5000, self->x[5]);
		EXPECT_EQ(0x2222, self->x[6]);
		EXPECT_EQ(0x4444, other.run->regs.arm64.x[7]);
	}
	/* A16: the keys were trapped once, and not in each RUN. */
	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_EQ(1, stats.handled[AXVCPU_CLASS_SYSREG] + stats.handled[AXVCPU_CLASS_FPU]);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 2, 2, 2), &value));
	EXPECT_EQ(0x2222, value);
	vcpu_destroy(&other);
}

#define STATE(R) EACH(R)							\
	R("contextidr_el1", 3, 0, 13, 0, 1) R("dbgbvr0_el1", 2, 0, 0, 0, 4)	\
	R("dbgwvr1_el1", 2, 0, 0, 1, 6)

/* Interrupts that come are told in the handler, where they are active. */
PROGRAM(state_program,
	IRQ_SETUP("state_irq")
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n"
	"mov x8, x20\n" STATE(WRITE)
	"dup v7.2d, x20\n mov sp, x20\n"
	"msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	MEET(0x70)
	"msr daifclr, #2\n 1: cmp x21, #4\n b.ne 1b\n msr daifset, #2\n"
	"add x0, x20, #80\n msr elr_el1, x0\n"		/* lost to interrupts */
	"mov x8, x20\n" STATE(CHECK)
	"mov x0, v7.d[1]\n cmp x0, x20\n b.ne 9f\n mov x0, sp\n cmp x0, x20\n b.ne 9f\n"
	MEET(0x72)
	"9:" MEET(0x73)
	IRQ_VECTORS("state_irq")
	"state_irq: mrs x1, s3_0_c12_c12_0\n cmp x1, #27\n b.ne 2f\n"
	"msr cntv_ctl_el0, xzr\n isb\n 2: add x21, x21, #1\n" MEET(0x71)
	"msr s3_0_c12_c12_1, x1\n eret\n");

/*
 * GET_REGS of everything, SET_REGS into a new vCPU, and the guest goes on: in
 * the handler of one interrupt, with more of them waiting and the timer armed.
 */
TEST_F(arm64, save_and_restore)
{
	static const int order[] = { 41, 77, 27 };
	static struct axvcpu_reg regs[GUEST_MAX_STATE];
	struct guest_vcpu other;
	uint64_t hz;
	int count;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, state_program, state_program_end));
	self->x[20] = 0x1230000;
	self->x[22] = hz / 4;
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, inject(self->v.fd, 40, 0x80));
	EXPECT_MEET(0x71);
	EXPECT_EQ(40, self->x[1]);
	ASSERT_EQ(0, inject(self->v.fd, 77, 0x90));
	ASSERT_EQ(0, inject(self->v.fd, 41, 0x40));

	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, ENTRY));
	count = get_state_of(&self->v, regs);
	ASSERT_LT(0, count);
	ASSERT_EQ(0, set_state_of(&other, regs, count));
	/* The old one never runs again. */
	vcpu_destroy(&self->v);
	self->v = other;
	self->run = other.run;
	self->x = other.run->regs.arm64.x;
	for (int i = 0; i < ARRAY_SIZE(order); i++) {
		EXPECT_MEET(0x71);
		EXPECT_EQ(order[i], self->x[1]);
	}
	EXPECT_MEET(0x72);
}

TEST_HARNESS_MAIN
