// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only an arm64 guest can do: PSCI, system registers, decoded aborts,
 * GICv3 and the virtual timer. The guests are assembled with this program.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#ifdef __aarch64__

#define ENTRY	GUEST_PROG(0)
#define RESULTS	GUEST_DATA

/* A guest's program; it runs where it is put. */
#define PROGRAM(name, code)							\
	asm(".pushsection .rodata\n.globl " #name ", " #name "_end\n"		\
	    ".balign 4096\n" #name ":\n" code "\n" #name "_end:\n.popsection\n");	\
	extern const uint8_t name[], name##_end[]

/* The guest's call for its VMM: x0 = nr. */
#define MEET(nr)	"mov x0, #" #nr "\nhvc #0\n"

/* A table of vectors, its start at a multiple of 2 KiB, where only IRQs are handled. */
#define IRQ_VECTORS(handler)							\
	".balign 2048\nvectors_" handler ":\n.fill 160, 4, 0\nb " handler "\n.fill 351, 4, 0\n"
#define IRQ_SETUP(handler)							\
	"adr x0, vectors_" handler "\nmsr vbar_el1, x0\nmov x0, #0xff\n"	\
	"msr s3_0_c4_c6_0, x0\nmov x0, #1\nmsr s3_0_c12_c12_7, x0\nisb\n"

/* A table of vectors where every exception goes to one place, but with an offset in x12. */
#define ALL_VECTORS(name)							\
	".balign 2048\nvectors_" name ":\n.set n, 0\n.rept 16\n"		\
	"mov x12, #n\nb " name "\n.fill 30, 4, 0\n.set n, n + 0x80\n.endr\n"
#define ALL_SETUP(name)	"adr x0, vectors_" name "\nmsr vbar_el1, x0\nisb\n"

FIXTURE(arm64) {
	struct guest g;
	struct guest_vcpu v;
	struct axvcpu_run *run;
	volatile __u64 *x;
	volatile uint64_t *results;
};

FIXTURE_SETUP(arm64)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VHE)
		SKIP(return, "not on arm64");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	self->run = self->v.run;
	self->x = self->run->regs.arm64.x;
	self->results = (volatile uint64_t *)(self->g.mem + RESULTS);
}

FIXTURE_TEARDOWN(arm64)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static int start_with(FIXTURE_DATA(arm64) *self, uint64_t flags, const uint8_t *code,
		      const uint8_t *end)
{
	struct axvcpu_setup setup;
	int err;

	memcpy(self->g.mem + ENTRY, code, end - code);
	setup_init(&self->g, &setup, ENTRY);
	setup.config.arm64.flags = flags;
	err = XIOCTL(self->v.fd, AXVCPU_SETUP, &setup);
	return err ? err : bind_vcpu(self->v.fd, -1);
}

static int start(FIXTURE_DATA(arm64) *self, const uint8_t *code, const uint8_t *end)
{
	return start_with(self, 0, code, end);
}

static int start_again(FIXTURE_DATA(arm64) *self, uint64_t flags, const uint8_t *code,
		       const uint8_t *end)
{
	int err = unbind_vcpu(self->v.fd);

	if (!err)
		err = reset_vcpu(self->v.fd);
	return err ? err : start_with(self, flags, code, end);
}

/* The exit without the names that other machines have for it. */
static int run(FIXTURE_DATA(arm64) *self, unsigned long flags)
{
	int err;

	do {
		err = xioctl(self->v.fd, AXVCPU_RUN, flags);
	} while (err == -EINTR);
	return err ? err : (int)self->run->exit_reason;
}

#define EXPECT_MEET(number)							\
do {										\
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, AXVCPU_RUN_WAIT));		\
	ASSERT_EQ(number, self->run->hypercall.nr);				\
} while (0)

static uint64_t sys(int op0, int op1, int crn, int crm, int op2)
{
	return AXVCPU_ARM64_REG_SYS(op0, op1, crn, crm, op2);
}

/* --- PSCI -------------------------------------------------------------------- */

PROGRAM(call_program,
	"1:" MEET(0x70)
	"mov x0, x8\n cbnz x10, 2f\n hvc #0\n mov x9, x0\n b 1b\n"
	"2: smc #0\n mov x9, x0\n b 1b\n");

static const struct {
	uint64_t fn;
	int64_t answer;
} psci_answers[] = {
	{ 0x84000000, 0x10001 },	/* PSCI_VERSION: 1.1 */
	{ 0x80000000, 0x10001 },	/* SMCCC_VERSION: 1.1 */
	{ 0x84000006, 2 },		/* MIGRATE_INFO_TYPE: no migration needed */
	{ 0x84000005, -1 },		/* MIGRATE */
	{ 0x84000007, -1 },
	{ 0xc4000000, -1 },		/* there is no 64-bit form */
	{ 0x8400001f, -1 },
};

static void psci_call(FIXTURE_DATA(arm64) *self, uint64_t fn, uint64_t a1, bool smc)
{
	self->x[8] = fn;
	self->x[1] = a1;
	self->x[10] = smc;
}

/* A15, A16 */
TEST_F(arm64, psci_answers)
{
	static const uint32_t present[] = { 0x84000000, 0xc4000001, 0x84000002, 0xc4000003,
					    0xc4000004, 0x84000008, 0x84000009, 0x8400000a };

	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int smc = 0; smc < 2; smc++) {
		for (int i = 0; i < ARRAY_SIZE(psci_answers); i++) {
			psci_call(self, psci_answers[i].fn, 0, smc);
			EXPECT_MEET(0x70);
			EXPECT_EQ(psci_answers[i].answer, (int64_t)self->x[9])
				TH_LOG("function %#lx", psci_answers[i].fn);
		}
		for (int i = 0; i < ARRAY_SIZE(present); i++) {
			psci_call(self, 0x8400000a, present[i], smc);
			EXPECT_MEET(0x70);
			EXPECT_EQ(0, self->x[9]) TH_LOG("function %#x", present[i]);
		}
		psci_call(self, 0x8400000a, 0x84000007, smc);
		EXPECT_MEET(0x70);
		EXPECT_EQ(-1, (int64_t)self->x[9]);
		/* This CPU is on. */
		psci_call(self, 0xc4000004, 0, smc);
		self->x[2] = 0;
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9]);
	}
}

/* A workaround is needed and there, or not needed, or missing; and calling it does no harm. */
TEST_F(arm64, smccc_features)
{
	static const uint32_t workarounds[] = { 0x80008000, 0x80003fff };

	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int i = 0; i < ARRAY_SIZE(workarounds); i++) {
		psci_call(self, 0x80000001, workarounds[i], i);
		EXPECT_MEET(0x70);
		EXPECT_LE(-1, (int64_t)self->x[9]);
		EXPECT_GE(1, (int64_t)self->x[9]);
		psci_call(self, workarounds[i], 0, i);
		EXPECT_MEET(0x70);
		EXPECT_EQ(workarounds[i], self->x[9]);
	}
	psci_call(self, 0x80000001, 0x8000ffff, false);
	EXPECT_MEET(0x70);
	EXPECT_EQ(-1, (int64_t)self->x[9]);
}

/* A15, A16 */
TEST_F(arm64, psci_exits)
{
	ASSERT_EQ(0, start(self, call_program, call_program_end));
	EXPECT_MEET(0x70);
	for (int smc = 0; smc < 2; smc++) {
		psci_call(self, 0xc4000003, 0x1, smc);
		self->x[2] = 0x40000000;
		self->x[3] = 0x123456789abcdefULL;
		ASSERT_EQ(AXVCPU_EXIT_CPU_UP, run(self, 0));
		EXPECT_EQ(1, self->run->cpu_up.target);
		EXPECT_EQ(0x40000000, self->run->cpu_up.entry);
		EXPECT_EQ(0x123456789abcdefULL, self->run->cpu_up.arg);
		self->run->cpu_up.ret = -4;
		EXPECT_MEET(0x70);
		EXPECT_EQ(-4, (int64_t)self->x[9]);
		psci_call(self, 0x84000002, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_CPU_DOWN, run(self, 0));
		EXPECT_MEET(0x70);
		psci_call(self, 0x84000008, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_SYSTEM_DOWN, run(self, 0));
		EXPECT_EQ(AXVCPU_SYSTEM_DOWN_OFF, self->run->system_down.type);
		EXPECT_MEET(0x70);
		psci_call(self, 0x84000009, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_SYSTEM_DOWN, run(self, 0));
		EXPECT_EQ(AXVCPU_SYSTEM_DOWN_RESET, self->run->system_down.type);
		EXPECT_MEET(0x70);
		/* Suspended, it waits. */
		psci_call(self, 0xc4000001, 0, smc);
		ASSERT_EQ(AXVCPU_EXIT_HALT, run(self, 0));
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9]);
	}
	/* Another CPU is the VMM's business; what firmware would do is nobody's. */
	for (int smc = 0; smc < 2; smc++) {
		psci_call(self, 0xc4000004, 5, smc);
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
		EXPECT_EQ(0xc4000004, self->run->hypercall.nr);
		EXPECT_EQ(5, self->run->hypercall.args[0]);
		self->run->hypercall.ret = 1;
		EXPECT_MEET(0x70);
		EXPECT_EQ(1, self->x[9]);
	}
	psci_call(self, 0xc2000001, 0, true);
	EXPECT_MEET(0x70);
	EXPECT_EQ(-1, (int64_t)self->x[9]);
}

/* A14: all arguments, and the guest goes on behind the HVC, not one further. */
PROGRAM(hypercall_program,
	"mov x9, #0\n hvc #0\n add x9, x9, #1\n add x9, x9, #2\n hvc #0\n add x9, x9, #4\n hvc #0\n");

TEST_F(arm64, hypercall)
{
	ASSERT_EQ(0, start(self, hypercall_program, hypercall_program_end));
	for (int i = 0; i <= 6; i++)
		self->x[i] = 0xabcd0000 + i;
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(0xabcd0000, self->run->hypercall.nr);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(0xabcd0001 + i, self->run->hypercall.args[i]);
	EXPECT_EQ(ENTRY + 8, self->run->regs.arm64.pc);
	self->run->hypercall.ret = 0x1234;
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(3, self->x[9]);
	EXPECT_EQ(0x1234, self->run->hypercall.nr);
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(7, self->x[9]);
}

/* A16: an SMC that the calling convention knows nothing of. */
PROGRAM(smc_program, "smc #1\n" MEET(0x70));

TEST_F(arm64, smc_unknown)
{
	ASSERT_EQ(0, start(self, smc_program, smc_program_end));
	ASSERT_EQ(AXVCPU_EXIT_UNKNOWN, run(self, 0));
	EXPECT_EQ(0x17, self->run->unknown.hw_reason >> 26 & 0x3f);
	EXPECT_EQ(ENTRY, self->run->regs.arm64.pc);
}

/* A7: nothing of what was before is there after RESET; x0 is the device tree. */
PROGRAM(dirty_program,
	"mov x0, #0x1230\n msr vbar_el1, x0\n msr tpidr_el1, x0\n msr tpidr_el0, x0\n"
	"msr mair_el1, x0\n mov sp, x0\n msr cntv_cval_el0, x0\n"
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n dup v3.2d, x0\n" MEET(0x70));
PROGRAM(clean_program,
	"mov x20, x0\n mrs x21, sctlr_el1\n mrs x22, vbar_el1\n mrs x23, tpidr_el1\n"
	"mrs x24, tpidr_el0\n mrs x25, mair_el1\n mov x26, sp\n mrs x27, cpacr_el1\n"
	"mrs x28, daif\n mrs x29, currentel\n mrs x19, spsel\n mrs x18, cntv_cval_el0\n"
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
	for (int i = 22; i <= 27; i++) {
		EXPECT_EQ(0, self->x[i]) TH_LOG("x%d", i);
	}
	EXPECT_EQ(0x3c0, self->x[28]);
	EXPECT_EQ(4, self->x[29]);
	EXPECT_EQ(1, self->x[19]);
	EXPECT_EQ(0, self->x[18]);
	EXPECT_EQ(0, self->x[17]);
	close(plain);
}

/* --- system registers -------------------------------------------------------- */

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
	"dup v0.2d, x20\n dup v31.2d, x20\n mov sp, x20\n"
	"1:" MEET(0x70)
	"mov x8, x20\n" EACH(CHECK)
	"mov x0, v0.d[1]\n cmp x0, x20\n b.ne 9f\n mov x0, v31.d[0]\n cmp x0, x20\n b.ne 9f\n"
	"mov x0, sp\n cmp x0, x20\n b.ne 9f\n"
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

PROGRAM(undefined_program,
	"adr x0, 2f\n msr vbar_el1, x0\n isb\n"
	"1: cbz x8, 3f\n sub x8, x8, #1\n cbz x8, 4f\n sub x8, x8, #1\n cbz x8, 5f\n"
	"mrs x0, pmcr_el0\n b 6f\n"
	"3: mrs x0, s3_0_c5_c3_0\n b 6f\n"		/* ERRIDR_EL1 */
	"4: .inst 0x04e0e3e0\n b 6f\n"			/* cntb x0: SVE */
	"5: .inst 0xd5180400\n"
	"6:" MEET(0x71)
	".balign 2048\n2: .fill 128, 4, 0\n"
	"mrs x9, esr_el1\n mrs x11, elr_el1\n" MEET(0x70));

TEST_F(arm64, undefined)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, start(self, undefined_program, undefined_program_end));
		ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 0, 1, 0, 2), 3 << 20 | 3 << 16));
		self->x[8] = i;
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9] >> 26) TH_LOG("case %d", i);
		EXPECT_NE(0, self->x[11]);
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}
	/* What the kernel does not know is the VMM's. */
	ASSERT_EQ(0, start(self, undefined_program, undefined_program_end));
	self->x[8] = 3;
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 3, 9, 12, 0), self->run->sysreg.addr);
	self->run->sysreg.value = 0;
	EXPECT_MEET(0x71);
}

PROGRAM(sgi_program,
	"msr s3_0_c12_c11_5, x8\n msr s3_0_c12_c11_5, x9\n msr s3_0_c12_c11_7, x8\n"
	"msr s3_0_c12_c11_6, x9\n" MEET(0x70));

/* A18: with all its fields; the two of the other security states are the VMM's. */
TEST_F(arm64, send_ipi)
{
	ASSERT_EQ(0, start(self, sgi_program, sgi_program_end));
	/* Aff3 4, RS 2, Aff2 3, INTID 9, Aff1 1, targets 0 and 15 */
	self->x[8] = 4ULL << 48 | 2ULL << 44 | 3ULL << 32 | 9ULL << 24 | 1ULL << 16 | 0x8001;
	ASSERT_EQ(AXVCPU_EXIT_SEND_IPI, run(self, 0));
	EXPECT_EQ(4ULL << 32 | 3 << 16 | 1 << 8 | 32, self->run->ipi.target);
	EXPECT_EQ(0x8001, self->run->ipi.target_aux);
	EXPECT_EQ(9, self->run->ipi.vector);
	EXPECT_EQ(0, self->run->ipi.flags);
	self->x[9] = 1ULL << 40 | 5ULL << 24;
	ASSERT_EQ(AXVCPU_EXIT_SEND_IPI, run(self, 0));
	EXPECT_EQ(AXVCPU_IPI_TO_ALL, self->run->ipi.flags);
	EXPECT_EQ(5, self->run->ipi.vector);
	for (int op2 = 7; op2 > 5; op2--) {
		ASSERT_EQ(AXVCPU_EXIT_SYSREG_WRITE, run(self, 0));
		EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 0, 12, 11, op2), self->run->sysreg.addr);
		EXPECT_EQ(self->x[op2 == 7 ? 8 : 9], self->run->sysreg.value);
	}
	EXPECT_MEET(0x70);
}

/* A17: direction, register, XZR both ways, and an answer that is a fault. */
PROGRAM(sysreg_program,
	ALL_SETUP("sysreg_all")
	"mrs x5, pmcr_el0\n mrs xzr, pmcr_el0\n msr pmcr_el0, x6\n msr pmcr_el0, xzr\n"
	MEET(0x70)
	"mrs x5, pmcr_el0\n" MEET(0x71)
	ALL_VECTORS("sysreg_all") "sysreg_all: mrs x9, esr_el1\n mrs x10, elr_el1\n" MEET(0x72));

TEST_F(arm64, sysreg)
{
	const uint64_t pmcr = AXVCPU_ARM64_SYSREG(3, 3, 9, 12, 0);
	static const struct {
		bool write;
		uint32_t reg;
		uint64_t value;
	} exits[] = {
		{ false, 5, 0 }, { false, 31, 0 },
		{ true, 6, 0x8765432112345678 }, { true, 31, 0 },
	};

	ASSERT_EQ(0, start(self, sysreg_program, sysreg_program_end));
	self->x[6] = 0x8765432112345678;
	for (int i = 0; i < ARRAY_SIZE(exits); i++) {
		ASSERT_EQ(exits[i].write ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ,
			  run(self, 0)) TH_LOG("exit %d", i);
		EXPECT_EQ(pmcr, self->run->sysreg.addr);
		EXPECT_EQ(exits[i].reg, self->run->sysreg.reg);
		EXPECT_EQ(exits[i].value, self->run->sysreg.value);
		self->run->sysreg.value = 0x100 + i;
	}
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x100, self->x[5]);
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	self->run->sysreg.fault = 1;
	EXPECT_MEET(0x72);
	EXPECT_EQ(1 << 25, self->x[9]);
	EXPECT_EQ(0x200, self->x[12]);
	EXPECT_EQ(0x100, self->x[5]);
}

/* A3: what exits and what does not: WFE and the guest's own TLB and cache maintenance don't. */
PROGRAM(trap_program,
	"sevl\n wfe\n tlbi vmalle1\n dsb sy\n ic iallu\n dc csw, xzr\n mrs x1, actlr_el1\n"
	"msr actlr_el1, x20\n mrs x2, actlr_el1\n" MEET(0x70)
	"wfi\n" MEET(0x71));

TEST_F(arm64, traps)
{
	ASSERT_EQ(0, start(self, trap_program, trap_program_end));
	self->x[20] = ~0ULL;
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, self->x[2]);
	ASSERT_EQ(AXVCPU_EXIT_HALT, run(self, 0));
	EXPECT_MEET(0x71);
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
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 2, 2, 2), &value));
	EXPECT_EQ(0x2222, value);
	vcpu_destroy(&other);
}

/* A9, A13: the guest's own debugging: a breakpoint, a watchpoint, a step, BRK. */
PROGRAM(debug_program,
	ALL_SETUP("debug_all")
	"mov x20, #0\n adr x1, 3f\n msr dbgbvr1_el1, x1\n"
	"ldr x1, =0xfff9e7\n msr dbgbcr1_el1, x1\n mrs x21, dbgbcr1_el1\n"
	"adr x1, 9f\n msr dbgwvr0_el1, x1\n ldr x1, =0xff7\n mov x2, #0x1ff7\n"
	"msr dbgwcr0_el1, x2\n mrs x22, dbgwcr0_el1\n"
	"mov x1, #0xa000\n msr mdscr_el1, x1\n mrs x23, mdscr_el1\n isb\n msr daifclr, #8\n"
	MEET(0x70)
	"3: nop\n"
	"adr x1, 9f\n str x1, [x1]\n"
	"brk #5\n"
	"msr daifset, #8\n" MEET(0x71)
	".balign 8\n9: .quad 0\n .ltorg\n"
	/* Each is counted, and stepped over or turned off. */
	ALL_VECTORS("debug_all")
	"debug_all: mrs x9, esr_el1\n lsr x9, x9, #26\n"
	"lsl x20, x20, #8\n orr x20, x20, x9\n"
	"mrs x10, elr_el1\n add x10, x10, #4\n msr elr_el1, x10\n eret\n");

TEST_F(arm64, guest_debugging)
{
	ASSERT_EQ(0, start(self, debug_program, debug_program_end));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x1e7, self->x[21]);
	EXPECT_EQ(0x1ff7, self->x[22]);
	EXPECT_EQ(0xa000, self->x[23]);
	EXPECT_MEET(0x71);
	/* Breakpoint, watchpoint, BRK, all from the same level */
	EXPECT_EQ(0x31353c, self->x[20]);
}

/* A13: with SETUP_DEBUG they are the VMM's. */
PROGRAM(vmm_debug_program,
	"brk #7\n msr daifclr, #8\n nop\n nop\n nop\n" MEET(0x71));

TEST_F(arm64, vmm_debugging)
{
	struct axvcpu_arm64_gprs *regs = &self->run->regs.arm64;

	ASSERT_EQ(0, start_with(self, AXVCPU_ARM64_SETUP_DEBUG, vmm_debug_program,
				vmm_debug_program_end));
	ASSERT_EQ(AXVCPU_EXIT_DEBUG, run(self, 0));
	EXPECT_EQ(0x3c, self->run->exception.vector);
	EXPECT_EQ(7, self->run->exception.error_code & 0xffff);
	EXPECT_EQ(ENTRY, regs->pc);
	/* Three steps */
	ASSERT_EQ(0, set_reg(self->v.fd, sys(2, 0, 0, 2, 2), 1 << 13 | 1));
	regs->pc += 8;
	for (int i = 1; i <= 3; i++) {
		regs->pstate = (regs->pstate & ~(1ULL << 9)) | 1 << 21;
		self->run->regs_dirty = 1;
		ASSERT_EQ(AXVCPU_EXIT_DEBUG, run(self, 0));
		EXPECT_EQ(0x32, self->run->exception.vector);
		EXPECT_EQ(ENTRY + 8 + 4 * i, regs->pc);
	}
	ASSERT_EQ(0, set_reg(self->v.fd, sys(2, 0, 0, 2, 2), 0));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, sys(2, 0, 0, 2, 2), 1 << 14));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, sys(2, 0, 0, 0, 5), 1 << 13));
	EXPECT_MEET(0x71);
}

/* A11: an SError waits until it is unmasked, other exceptions come at once. */
PROGRAM(inject_program,
	ALL_SETUP("inject_all")
	"1: " MEET(0x70) "nop\n cbz x8, 1b\n msr daifclr, #4\n isb\n nop\n msr daifset, #4\n"
	MEET(0x71)
	ALL_VECTORS("inject_all")
	"inject_all: mrs x9, esr_el1\n mov x10, x12\n orr x0, xzr, #0x70\n eret\n");

TEST_F(arm64, exceptions)
{
	struct axvcpu_inject abort = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x2f,
				       .error_code = 0x12, .flags = AXVCPU_INJECT_ERROR_CODE };
	struct axvcpu_inject brk = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x3c };
	uint64_t value;

	ASSERT_EQ(0, start(self, inject_program, inject_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &brk));
	EXPECT_EQ(-EBUSY, XIOCTL(self->v.fd, AXVCPU_INJECT, &brk));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_EXCEPTION, &value));
	EXPECT_EQ(0x3cULL << 26 | 1 << 25, value);
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x3cULL << 26 | 1 << 25, self->x[9]);
	EXPECT_EQ(0x200, self->x[10]);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_EXCEPTION, &value));
	EXPECT_EQ(0, value);

	self->x[10] = 0;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	EXPECT_EQ(-EBUSY, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, self->x[10]);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_SERROR, &value));
	EXPECT_NE(0, value);
	self->x[8] = 1;
	EXPECT_MEET(0x71);
	EXPECT_EQ(0x380, self->x[10]);
	EXPECT_EQ(0x2f, self->x[9] >> 26);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_SERROR, &value));
	EXPECT_EQ(0, value);
}

/* A11: AArch32, which the ID registers deny, ends the guest and nothing else. */
PROGRAM(aarch32_program,
	"mov x0, #0x10\n msr spsr_el1, x0\n adr x0, 1f\n msr elr_el1, x0\n eret\n"
	"1: .inst 0xeafffffe\n");		/* b . */

TEST_F(arm64, aarch32)
{
	ASSERT_EQ(0, start(self, aarch32_program, aarch32_program_end));
	/* Without it, the return is an illegal one, and the guest takes that for ever. */
	alarm(5);
	for (int i = 0; i < 2; i++) {
		int exit = run(self, 0);

		if (exit != AXVCPU_EXIT_FAIL_ENTRY)
			SKIP(return, "no AArch32");
		EXPECT_EQ(0x0e, self->run->fail_entry.hw_reason);
	}
	EXPECT_EQ(0x10, self->run->regs.arm64.pstate & 0x1f);
	alarm(0);
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x10));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x9));
	EXPECT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x3c5));
}

/* A20: the host takes its own interrupts, while the guest never leaves. */
PROGRAM(spin_program, "1: cbz x8, 1b\n" MEET(0x70));

TEST_F(arm64, host_interrupts)
{
	struct vcpu_thread thread;
	struct axvcpu_stats stats;

	ASSERT_EQ(0, start(self, spin_program, spin_program_end));
	ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
	usleep(300000);
	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_LT(3, stats.interrupts);
	EXPECT_EQ(0, stats.exits[AXVCPU_EXIT_EXTERNAL_INTERRUPT]);
	EXPECT_EQ(-EINTR, thread_stop(&thread));
}

/* --- aborts ------------------------------------------------------------------ */

PROGRAM(mmio_program,
	"ldrb w1, [x20]\n ldrsb w2, [x20]\n ldrsb x3, [x20]\n ldrh w4, [x20]\n ldrsh x5, [x20]\n"
	"ldr w6, [x20]\n ldrsw x7, [x20]\n ldr x8, [x20]\n ldr xzr, [x20]\n"
	"strb w21, [x20]\n strh w21, [x20]\n str w21, [x20]\n str x21, [x20]\n str xzr, [x20]\n"
	"ldp x10, x11, [x20]\n" MEET(0x70));

/* A12 */
TEST_F(arm64, mmio)
{
	static const struct {
		unsigned int width, reg, reg_width, sign;
		uint64_t result;
	} reads[] = {
		{ 1, 1, 4, 0, 0x88 },
		{ 1, 2, 4, 1, 0xffffff88 },
		{ 1, 3, 8, 1, 0xffffffffffffff88 },
		{ 2, 4, 4, 0, 0x8788 },
		{ 2, 5, 8, 1, 0xffffffffffff8788 },
		{ 4, 6, 4, 0, 0x85868788 },
		{ 4, 7, 8, 1, 0xffffffff85868788 },
		{ 8, 8, 8, 0, 0x8182838485868788 },
		{ 8, 31, 8, 0, 0 },
	};
	static const unsigned int writes[] = { 1, 2, 4, 8, 8 };
	const uint64_t data = 0x8182838485868788ULL;

	ASSERT_EQ(0, start(self, mmio_program, mmio_program_end));
	self->x[20] = GUEST_HOLE + 0x18;
	self->x[21] = data;
	for (int i = 0; i < ARRAY_SIZE(reads); i++) {
		ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
		EXPECT_EQ(GUEST_HOLE + 0x18, self->run->mmio.gpa);
		EXPECT_EQ(reads[i].width, self->run->mmio.width);
		EXPECT_EQ(reads[i].reg, self->run->mmio.reg);
		EXPECT_EQ(reads[i].reg_width, self->run->mmio.reg_width);
		EXPECT_EQ(reads[i].sign, self->run->mmio.sign_extend);
		self->run->mmio.data = data;
	}
	for (int i = 0; i < ARRAY_SIZE(writes); i++) {
		uint64_t mask = writes[i] == 8 ? ~0ULL : (1ULL << 8 * writes[i]) - 1;

		ASSERT_EQ(AXVCPU_EXIT_MMIO_WRITE, run(self, 0));
		EXPECT_EQ(writes[i], self->run->mmio.width);
		EXPECT_EQ(i == 4 ? 0 : data & mask, self->run->mmio.data);
	}
	for (int i = 0; i < ARRAY_SIZE(reads) - 1; i++) {
		EXPECT_EQ(reads[i].result, self->x[reads[i].reg]) TH_LOG("load %d", i);
	}
	/* Two registers: the hardware does not decode it, nor does the kernel. */
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(GUEST_HOLE + 0x18, self->run->fault.gpa);
	EXPECT_EQ(AXVCPU_MAP_READ, self->run->fault.access);
}

/* Stage 1 on, its second-level table where nothing is. */
PROGRAM(walk_program,
	"ldr x0, =0x200803519\n msr tcr_el1, x0\n"	/* 39 bits, 4 KiB */
	"mov x0, #0xff\n msr mair_el1, x0\n msr ttbr0_el1, x20\n isb\n"
	"mrs x0, sctlr_el1\n orr x0, x0, #1\n msr sctlr_el1, x0\n isb\n"
	"ldr x9, [x21]\n" MEET(0x70) ".ltorg\n");

/* A12 */
TEST_F(arm64, walk_fault)
{
	const uint64_t table = 0x90000, va = 2ULL << 30 | 0x123000;
	volatile uint64_t *l1 = (volatile uint64_t *)(self->g.mem + table);

	l1[0] = 0x701;				/* 1 GiB at 0, as it is */
	l1[2] = GUEST_HOLE | 3;
	ASSERT_EQ(0, start(self, walk_program, walk_program_end));
	self->x[20] = table;
	self->x[21] = va;
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(GUEST_HOLE, self->run->fault.gpa & ~0xfffULL);
	EXPECT_EQ(va, self->run->fault.gva);
	EXPECT_EQ(AXVCPU_FAULT_WALK | AXVCPU_FAULT_GVA_VALID, self->run->fault.flags);
	/* A block instead of the table, and the guest goes on. */
	l1[2] = 0x701;
	*(volatile uint64_t *)(self->g.mem + 0x123000 % self->g.size) = 0;
	ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
	EXPECT_EQ(0x123000, self->run->mmio.gpa);
	self->run->mmio.data = 0x55;
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x55, self->x[9]);
}

/* A12, A13: a store to what can't be written, a fetch from what can't be executed. */
PROGRAM(permission_program,
	"str x8, [x20]\n dc ivac, x20\n dc civac, x20\n" MEET(0x70) "br x21\n");

TEST_F(arm64, permissions)
{
	uint64_t size = sysconf(_SC_PAGESIZE), at = GUEST_HOLE;
	uint8_t *mem = self->g.mem + RESULTS;

	ASSERT_EQ(0, map_memory(self->g.aspace, at, size, mem, AXVCPU_MAP_READ));
	ASSERT_EQ(0, start(self, permission_program, permission_program_end));
	self->x[20] = at + 8;
	self->x[21] = at + 16;
	ASSERT_EQ(AXVCPU_EXIT_MMIO_WRITE, run(self, 0));
	EXPECT_EQ(at + 8, self->run->mmio.gpa);
	/* Cache maintenance of it is no store, but invalidation might be one. */
	for (int exit = run(self, 0); exit != AXVCPU_EXIT_HYPERCALL; exit = run(self, 0)) {
		ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, exit);
		EXPECT_EQ(AXVCPU_MAP_WRITE, self->run->fault.access);
		self->run->regs.arm64.pc += 4;
		self->run->regs_dirty = 1;
	}
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(at + 16, self->run->fault.gpa);
	EXPECT_EQ(AXVCPU_MAP_EXEC, self->run->fault.access);
}

/* A5: one guest's translations are not another's, though all have one VMID. */
PROGRAM(space_program, "1: ldr x9, [x20]\n" MEET(0x70) "b 1b\n");

TEST_F(arm64, two_spaces)
{
	volatile uint64_t *theirs;
	struct guest_vcpu other;
	struct guest g;

	pin_to_cpu(0);
	ASSERT_EQ(0, guest_create(&g, 0));
	memcpy(g.mem + ENTRY, space_program, space_program_end - space_program);
	theirs = (volatile uint64_t *)(g.mem + RESULTS);
	ASSERT_EQ(0, vcpu_start(&g, &other, 0, ENTRY));
	ASSERT_EQ(0, start(self, space_program, space_program_end));
	self->x[20] = RESULTS;
	other.run->regs.arm64.x[20] = RESULTS;
	for (int i = 0; i < 50; i++) {
		*self->results = 1000 + i;
		*theirs = 2000 + i;
		EXPECT_MEET(0x70);
		EXPECT_EQ(1000 + i, self->x[9]);
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		EXPECT_EQ(2000 + i, other.run->regs.arm64.x[9]);
	}
	vcpu_destroy(&other);
	guest_destroy(&g);
}

/* A4, A21: nothing starts beyond what stage 2 translates. */
TEST_F(arm64, limits)
{
	struct axvcpu_setup setup;

	EXPECT_LE(2, self->g.info.max_gpt_levels);
	EXPECT_GE(4, self->g.info.max_gpt_levels);
	setup_init(&self->g, &setup, 1ULL << self->g.info.gpa_bits);
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, ENTRY + 2);
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, ENTRY);
	setup.config.arm64.flags = 1 << 2;
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, (1ULL << self->g.info.gpa_bits) - 4);
	EXPECT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
}

/* --- GIC --------------------------------------------------------------------- */

/* The order in which interrupts came, from x20 on; x21 counts. */
PROGRAM(gic_program,
	IRQ_SETUP("gic_irq")
	"1:" MEET(0x70)
	"msr daifclr, #2\n isb\n nop\n nop\n msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("gic_irq")
	"gic_irq: mrs x1, s3_0_c12_c12_0\n str x1, [x20], #8\n add x21, x21, #1\n"
	"msr s3_0_c12_c12_1, x1\n eret\n");

static int inject(int fd, uint32_t intid, uint32_t priority)
{
	struct axvcpu_inject args = { .vector = intid, .priority = priority };

	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

/* A19: more than there are list registers: none is lost, those of one batch in order. */
TEST_F(arm64, gic_overflow)
{
	enum { N = 24 };
	uint64_t seen = 0;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	for (int i = 0; i < N; i++)
		ASSERT_EQ(0, inject(self->v.fd, 40 + i * 40, (N - i) * 8));
	for (int i = 0; i < 2 * N && self->x[21] < N; i++)
		EXPECT_MEET(0x70);
	EXPECT_EQ(N, self->x[21]);
	for (int i = 0; i < N; i++) {
		uint64_t n = (self->results[i] - 40) / 40;

		ASSERT_GT(N, n);
		seen |= 1ULL << n;
		/* The highest priority of all is among the first. */
		if (!i) {
			EXPECT_EQ(N - 1, n);
		}
	}
	EXPECT_EQ((1ULL << N) - 1, seen);
}

TEST_F(arm64, gic_limits)
{
	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	EXPECT_EQ(0, inject(self->v.fd, 1019, 0xf0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, 1020, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, 32, 0x100));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(3), 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, ~0U, 0));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x70);
	EXPECT_EQ(1, self->x[21]);
	EXPECT_EQ(1019, self->results[0]);
}

/* A pending interrupt moves with the registers. */
TEST_F(arm64, gic_registers)
{
	uint64_t value;

	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	self->x[20] = RESULTS;
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(77), 0x140));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(77), &value));
	EXPECT_EQ(0x140, value);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(1), 1ULL << 62 | 1ULL << 60 |
			     0x30ULL << 48 | 99));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_LR(15), 1ULL << 61));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_GIC_VMCR, &value));
	EXPECT_EQ(2, value & 2);
	EXPECT_MEET(0x70);
	EXPECT_EQ(2, self->x[21]);
	EXPECT_EQ(99, self->results[0]);
	EXPECT_EQ(77, self->results[1]);
}

/* The lines of a VMM that has a GIC of its own; the guest's own acknowledges nothing. */
PROGRAM(line_program,
	"adr x0, vectors_line_irq\n msr vbar_el1, x0\n isb\n"
	"1:" MEET(0x70)
	"msr daifclr, #3\n isb\n nop\n msr daifset, #3\n b 1b\n"
	IRQ_VECTORS("line_irq")
	"line_irq: " MEET(0x72) "eret\n");

TEST_F(arm64, lines)
{
	ASSERT_EQ(0, start(self, line_program, line_program_end));
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
	for (int i = 0; i < 3; i++)
		EXPECT_MEET(0x72);
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_LOWER_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
	EXPECT_MEET(0x70);
}

/* --- timer ------------------------------------------------------------------- */

/* x20: results; x22: ticks of the timer; x23: wait (WFI) or spin */
PROGRAM(timer_program,
	IRQ_SETUP("timer_irq")
	"1:" MEET(0x70)
	"mov x21, #0\n mrs x24, cntvct_el0\n"
	"msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"2: msr daifclr, #2\n cbz x23, 3f\n wfi\n 3: cbz x21, 2b\n"
	"msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("timer_irq")
	"timer_irq: mrs x1, s3_0_c12_c12_0\n mrs x26, cntv_ctl_el0\n mrs x25, cntvct_el0\n"
	"msr cntv_ctl_el0, xzr\n isb\n msr s3_0_c12_c12_1, x1\n mov x21, x1\n eret\n");

TEST_F_TIMEOUT(arm64, timer, 60)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	for (int i = 0; i < 40; i++) {
		uint64_t ticks = hz / 100 * (1 + i % 3);

		self->x[22] = ticks;
		self->x[23] = i & 1;
		EXPECT_MEET(0x70);
		EXPECT_EQ(27, self->x[21]);
		EXPECT_LE(ticks, self->x[25] - self->x[24]);
		EXPECT_EQ(5, self->x[26]);	/* enabled, asserted */
	}
}

/* Without a wait inside RUN it is an exit; the timer is there when RUN comes back. */
TEST_F(arm64, timer_halt_exit)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	self->x[22] = hz / 50;
	self->x[23] = 1;
	ASSERT_EQ(AXVCPU_EXIT_HALT, run(self, 0));
	usleep(40000);
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(27, self->x[21]);
}

TEST_F(arm64, virtual_offset)
{
	uint64_t now, before;

	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	asm volatile("mrs %0, cntvct_el0" : "=r" (before));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, before));
	EXPECT_MEET(0x70);
	self->x[22] = 0;
	EXPECT_MEET(0x70);
	EXPECT_GT(before, self->x[24]);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 3, 14, 0, 2), &now));
	EXPECT_LE(self->x[24], now);
	/* The host's own time goes on. */
	asm volatile("mrs %0, cntvct_el0" : "=r" (now));
	EXPECT_LT(before, now);
}

/* The VMM's own GIC: it is told of the timer, and the CPU interface is its business. */
PROGRAM(user_gic_program,
	"adr x0, vectors_user_irq\n msr vbar_el1, x0\n mrs x9, s3_0_c12_c12_0\n"
	"1:" MEET(0x70)
	"mov x21, #0\n msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"2: msr daifclr, #2\n cbz x23, 3f\n wfi\n 3: cbz x21, 2b\n"
	"msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("user_irq")
	"user_irq: msr cntv_ctl_el0, xzr\n isb\n mov x21, #1\n" MEET(0x72) "eret\n");

TEST_F(arm64, user_gic)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start_with(self, AXVCPU_ARM64_SETUP_USER_GIC, user_gic_program,
				user_gic_program_end));
	EXPECT_EQ(-EOPNOTSUPP, inject(self->v.fd, 40, 0));
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 0, 12, 12, 0), self->run->sysreg.addr);
	self->run->sysreg.value = 1023;
	EXPECT_MEET(0x70);
	EXPECT_EQ(1023, self->x[9]);
	for (int i = 0; i < 10; i++) {
		self->x[22] = hz / 100;
		self->x[23] = i & 1;
		ASSERT_EQ(AXVCPU_EXIT_EXTERNAL_INTERRUPT, run(self, AXVCPU_RUN_WAIT));
		EXPECT_EQ(27, self->run->exception.vector);
		ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
		EXPECT_MEET(0x72);
		ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_LOWER_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
		EXPECT_MEET(0x70);
		EXPECT_EQ(1, self->x[21]);
	}
}

/* --- all of it --------------------------------------------------------------- */

#define STATE(R) EACH(R)							\
	R("contextidr_el1", 3, 0, 13, 0, 1) R("dbgbvr0_el1", 2, 0, 0, 0, 4)	\
	R("dbgwvr1_el1", 2, 0, 0, 1, 6)

/* What is not in STATE; keys are there where the CPU has them, others at least as zero. */
static const uint8_t rest[][5] = {
	{ 3, 0, 1, 0, 0 }, { 3, 0, 1, 0, 2 }, { 3, 0, 2, 0, 2 }, { 3, 0, 4, 0, 0 },
	{ 3, 0, 4, 0, 1 }, { 3, 0, 5, 1, 0 }, { 3, 0, 5, 1, 1 }, { 3, 0, 10, 3, 0 },
	{ 3, 0, 5, 2, 0 }, { 3, 0, 6, 0, 0 },
	{ 3, 0, 7, 4, 0 }, { 3, 0, 12, 0, 0 }, { 3, 0, 14, 1, 0 }, { 3, 2, 0, 0, 0 },
	{ 3, 3, 14, 3, 1 }, { 3, 3, 14, 3, 2 }, { 3, 4, 4, 1, 0 }, { 2, 0, 0, 2, 2 },
	{ 2, 0, 0, 0, 5 }, { 2, 0, 0, 1, 4 }, { 2, 0, 0, 1, 5 }, { 2, 0, 0, 0, 6 },
	{ 2, 0, 0, 0, 7 }, { 2, 0, 0, 1, 7 }, { 3, 0, 2, 1, 0 }, { 3, 0, 2, 1, 1 },
	{ 3, 0, 2, 1, 2 }, { 3, 0, 2, 1, 3 }, { 3, 0, 2, 2, 0 }, { 3, 0, 2, 2, 1 },
	{ 3, 0, 2, 2, 2 }, { 3, 0, 2, 2, 3 }, { 3, 0, 2, 3, 0 }, { 3, 0, 2, 3, 1 },
};

static const uint8_t state[][5] = { STATE(ENCODING) };

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

static int copy_reg(int to, int from, uint64_t id)
{
	uint64_t value;
	int err = get_reg(from, id, &value);

	return err ? err : set_reg(to, id, value);
}

static int copy_regs(int to, int from, uint64_t first, uint64_t last)
{
	int err = 0;

	while (!err && first <= last)
		err = copy_reg(to, from, first++);
	return err;
}

static int copy_sys(int to, int from, const uint8_t (*list)[5], int count)
{
	int err = 0;

	for (int i = 0; i < count && !err; i++)
		err = copy_reg(to, from, sys(list[i][0], list[i][1], list[i][2], list[i][3],
					     list[i][4]));
	return err;
}

/*
 * GET_REGS of everything, SET_REGS into a new vCPU, and the guest goes on: in
 * the handler of one interrupt, with more of them waiting and the timer armed.
 */
TEST_F(arm64, save_and_restore)
{
	static const int order[] = { 41, 77, 27 };
	struct guest_vcpu other;
	uint64_t hz;

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
	ASSERT_EQ(0, copy_reg(other.fd, self->v.fd, AXVCPU_ARM64_REG_PSTATE));
	ASSERT_EQ(0, copy_regs(other.fd, self->v.fd, AXVCPU_ARM64_REG_X(0),
			       AXVCPU_ARM64_REG_PC));
	ASSERT_EQ(0, copy_regs(other.fd, self->v.fd, AXVCPU_ARM64_REG_V_LOW(0),
			       AXVCPU_ARM64_REG_FPCR));
	ASSERT_EQ(0, copy_regs(other.fd, self->v.fd, AXVCPU_ARM64_REG_CNTVOFF,
			       AXVCPU_ARM64_REG_SERROR));
	ASSERT_EQ(0, copy_reg(other.fd, self->v.fd, AXVCPU_ARM64_REG_GIC_VMCR));
	ASSERT_EQ(0, copy_regs(other.fd, self->v.fd, AXVCPU_ARM64_REG_GIC_AP0R(0),
			       AXVCPU_ARM64_REG_GIC_LR(15)));
	ASSERT_EQ(0, copy_regs(other.fd, self->v.fd, AXVCPU_ARM64_REG_GIC_QUEUED(0),
			       AXVCPU_ARM64_REG_GIC_QUEUED(AXVCPU_ARM64_MAX_INTID)));
	ASSERT_EQ(0, copy_sys(other.fd, self->v.fd, state, ARRAY_SIZE(state)));
	ASSERT_EQ(0, copy_sys(other.fd, self->v.fd, rest, ARRAY_SIZE(rest)));
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

#else

TEST(arm64)
{
	SKIP(return, "not on arm64");
}

#endif

TEST_HARNESS_MAIN
