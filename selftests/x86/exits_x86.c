// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only x86 has: modes, CPUID, registers by id, and the states that no CPU
 * enters.
 */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(exits_x86) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_prog p;
};

FIXTURE_SETUP(exits_x86)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	g_begin(&self->p, &self->g, GUEST_PROG(0));
}

FIXTURE_TEARDOWN(exits_x86)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static uint64_t cpuid_answer(struct guest_vcpu *v, int reg)
{
	return (uint32_t)*greg(v, reg);
}

/* What a guest of ours is told about its CPU. */
TEST_F(exits_x86, cpuid)
{
	static const uint32_t leaves[] = { 1, 0x40000000, 0x80000001, 0 };
	struct guest_prog *p = &self->p;
	const uint8_t store[] = {
		0x0f, 0xa2,			/* cpuid */
		0x49, 0x89, 0xc2,		/* mov %rax, %r10 */
		0x49, 0x89, 0xdb,		/* mov %rbx, %r11 */
		0x49, 0x89, 0xcc,		/* mov %rcx, %r12 */
		0x49, 0x89, 0xd5,		/* mov %rdx, %r13 */
	};
	char signature[13] = { 0 };

	for (int i = 0; i < ARRAY_SIZE(leaves); i++) {
		uint8_t leaf[] = {
			0xb8, leaves[i], leaves[i] >> 8, leaves[i] >> 16, leaves[i] >> 24,
			0x31, 0xc9,		/* xor %ecx, %ecx */
		};

		g_emit(p, leaf, sizeof(leaf));
		g_emit(p, store, sizeof(store));
		g_halt(p);
	}
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_EQ(0, cpuid_answer(&self->v, G4) & 1 << 5) TH_LOG("VMX is shown");
	EXPECT_NE(0, cpuid_answer(&self->v, G4) & 1U << 31) TH_LOG("no hypervisor bit");
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_LE(0x40000000, cpuid_answer(&self->v, G2));
	for (int i = 0; i < 3; i++) {
		uint32_t word = cpuid_answer(&self->v, G3 + i);

		memcpy(signature + 4 * i, &word, 4);
	}
	EXPECT_NE(0, memcmp(signature, "KVMKVMKVM", 9));
	EXPECT_LT(4, strlen(signature)) TH_LOG("hypervisor leaf '%s'", signature);
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_NE(0, cpuid_answer(&self->v, G5) & 1 << 29) TH_LOG("no long mode");
	EXPECT_EQ(0, cpuid_answer(&self->v, G4) & 1 << 2) TH_LOG("SVM is shown");
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_LE(1, cpuid_answer(&self->v, G2));
}

/* 16-bit code at an address that needs a segment. */
TEST_F(exits_x86, real_mode)
{
	static const uint8_t code[] = {
		0x8c, 0xc8,		/* mov %cs, %ax */
		0xba, 0x34, 0x12,	/* mov $0x1234, %dx */
		0xef,			/* out %ax, %dx */
		0xe5, 0x80,		/* in $0x80, %ax */
		0xf4,			/* hlt */
	};
	struct axvcpu_setup setup;

	memcpy(self->g.mem + 0x4abc0, code, sizeof(code));
	setup_init(&self->g, &setup, 0x4abc0);
	memset(&setup.config, 0, sizeof(setup.config));
	setup.config.x86.mode = AXVCPU_X86_MODE_REAL;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(0x1234, self->v.run->io.port);
	EXPECT_EQ(2, self->v.run->io.width);
	EXPECT_EQ(0x4000, self->v.run->io.data);
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	EXPECT_EQ(0x80, self->v.run->io.port);
	self->v.run->io.data = 0xabcd;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_EQ(0xabcd, self->v.run->regs.x86.gpr[AXVCPU_X86_RAX] & 0xffff);
	EXPECT_EQ(0xabc0 + sizeof(code), self->v.run->regs.x86.rip);
}

TEST_F(exits_x86, protected_mode)
{
	static const uint8_t code[] = {
		0xb8, 0x78, 0x56, 0x34, 0x12,	/* mov $0x12345678, %eax */
		0xe7, 0x10,			/* out %eax, $0x10 */
		0x0f, 0x01, 0xc1,		/* vmcall */
		0xf4,				/* hlt */
	};
	struct axvcpu_setup setup;

	memcpy(self->g.mem + GUEST_DATA, code, sizeof(code));
	setup_init(&self->g, &setup, GUEST_DATA);
	memset(&setup.config, 0, sizeof(setup.config));
	setup.config.x86.mode = AXVCPU_X86_MODE_PROTECTED;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(4, self->v.run->io.width);
	EXPECT_EQ(0x12345678, self->v.run->io.data);
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HYPERCALL));
	EXPECT_EQ(0x12345678, self->v.run->hypercall.nr);
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
}

/* Everything that SET_REGS takes comes back, and is the hardware's. */
TEST_F(exits_x86, registers)
{
	static const struct {
		uint64_t id, value;
	} rows[] = {
		{ AXVCPU_X86_REG_CR2, 0xdeadbeef000ULL },
		{ AXVCPU_X86_REG_CR3, 0x1000 },
		{ AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_FS), 0x123456789abcULL },
		{ AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_GS), 0x7fffffffffffULL },
		{ AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_ES), 0x10 },
		{ AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_LDTR), 0xffff },
		{ AXVCPU_X86_REG_GDTR_BASE, 0x5000 },
		{ AXVCPU_X86_REG_GDTR_LIMIT, 0x2f },
		{ AXVCPU_X86_REG_IDTR_BASE, 0x6000 },
		{ AXVCPU_X86_REG_IDTR_LIMIT, 0xfff },
		{ AXVCPU_X86_REG_MSR(0xc0000081), 0x0023001000000000ULL },	/* STAR */
		{ AXVCPU_X86_REG_MSR(0xc0000082), 0xffffffff81000000ULL },	/* LSTAR */
		{ AXVCPU_X86_REG_MSR(0xc0000102), 0xffff888000001000ULL },	/* KERNEL_GS_BASE */
		{ AXVCPU_X86_REG_MSR(0x174), 0x10 },			/* SYSENTER_CS */
		{ AXVCPU_X86_REG_MSR(0x175), 0xffff800000001000ULL },	/* SYSENTER_ESP */
		{ AXVCPU_X86_REG_MSR(0x277), 0x0007040600070406ULL },	/* PAT */
	};
	static const struct {
		uint64_t id, value;
	} bad[] = {
		{ AXVCPU_X86_REG_RFLAGS, 1ULL << 32 },
		{ AXVCPU_X86_REG_CR0, 1ULL << 32 },
		{ AXVCPU_X86_REG_CR4, 1ULL << 63 },
		{ AXVCPU_X86_REG_CR3, 1ULL << 63 },
		{ AXVCPU_X86_REG_MSR(0xc0000080), 1ULL << 40 },
		{ AXVCPU_X86_REG_MSR(0xc0000082), 1ULL << 62 },
		{ AXVCPU_X86_REG_MSR(0x277), 0x0202020202020202ULL },
		{ AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_CS), 1ULL << 32 },
		{ AXVCPU_X86_REG_GDTR_LIMIT, 0x10000 },
	};
	struct axvcpu_failure f;
	uint64_t value, before;

	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!round) {
				ASSERT_EQ(0, set_reg(self->v.fd, rows[i].id, rows[i].value))
					TH_LOG("%llx", (unsigned long long)rows[i].id);
			}
			ASSERT_EQ(0, get_reg(self->v.fd, rows[i].id, &value));
			EXPECT_EQ(rows[i].value, value)
				TH_LOG("%llx", (unsigned long long)rows[i].id);
		}
		EXPECT_EQ(0, run_until_done(&self->v));
	}
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, get_reg(self->v.fd, bad[i].id, &before));
		EXPECT_EQ(-EINVAL, set_reg(self->v.fd, bad[i].id, bad[i].value))
			TH_LOG("%llx", (unsigned long long)bad[i].id);
		ASSERT_EQ(0, get_failure(self->v.fd, &f));
		EXPECT_EQ(AXVCPU_OP_SET_REGS, f.op);
		EXPECT_EQ(bad[i].id, f.reg);
		ASSERT_EQ(0, get_reg(self->v.fd, bad[i].id, &value));
		EXPECT_EQ(before, value);
	}
}

/* Flags of the run page's that no CPU has: the entry fails, the VMM repairs them. */
TEST_F(exits_x86, bad_flags_in_the_page)
{
	static const uint64_t bad[] = { 1 << 3, 1 << 5, 1 << 15, 1 << 22, 1ULL << 32, 1ULL << 63 };
	struct axvcpu_run *run = self->v.run;

	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		run->regs.x86.rip = GUEST_PROG(0);
		run->regs.x86.rflags = bad[i];
		run->regs_dirty = AXVCPU_REGS_PC;
		for (int again = 0; again < 2; again++) {
			ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_FAIL_ENTRY));
			EXPECT_EQ(0x80000021, run->fail_entry.hw_reason);
			EXPECT_EQ(AXVCPU_X86_REG_RFLAGS, run->fail_entry.reg);
			EXPECT_EQ(bad[i] | 2, run->regs.x86.rflags);
		}
		run->regs.x86.rflags = 2;
		run->regs_dirty = AXVCPU_REGS_PC;
		EXPECT_EQ(0, run_until_done(&self->v));
	}
}

/* One invalid state for each group of checks at VM entry, SDM vol. 3, 27.3.1. */
TEST_F(exits_x86, invalid_states)
{
	static const struct {
		const char *what;
		uint64_t id, value;
	} rows[] = {
		{ "CS access", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0x10 },
		{ "TR unusable", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_TR), 0x10000 },
		{ "DS not present", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_DS), 0x13 },
		{ "LDTR not present", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_LDTR), 0x02 },
		{ "GDTR base", AXVCPU_X86_REG_GDTR_BASE, 1ULL << 62 },
		{ "FS base", AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_FS), 1ULL << 62 },
		{ "paging without PAE", AXVCPU_X86_REG_CR4, 0 },
		{ "VM flag in long mode", AXVCPU_X86_REG_RFLAGS, 1 << 17 | 2 },
		{ "paging without protection", AXVCPU_X86_REG_CR0, 0x80000010 },
		{ "CS of 64 and of 32 bits", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0xe09b },
		{ "CS granularity", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0x209b },
		{ "TSS not busy", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_TR), 0x89 },
		{ "TR in the LDT", AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_TR), 4 },
		{ "TSS of a data segment", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_TR), 0x93 },
		{ "TR base", AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_TR), 1ULL << 62 },
		{ "IDTR base", AXVCPU_X86_REG_IDTR_BASE, 1ULL << 62 },
		{ "ES limit", AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_ES), 0xfffff000 },
		{ "STI's shadow, interrupts off", AXVCPU_X86_REG_INTERRUPTIBILITY, 1 },
		{ "external interrupt, interrupts off", AXVCPU_X86_REG_EVENT, 0x80000030 },
	};
	struct guest_prog *p = &self->p;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		g_begin(p, &self->g, GUEST_PROG(0));
		ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
		ASSERT_EQ(0, set_reg(self->v.fd, rows[i].id, rows[i].value))
			TH_LOG("%s", rows[i].what);
		ASSERT_EQ(0, run_vcpu(self->v.fd, 0)) TH_LOG("%s", rows[i].what);
		EXPECT_EQ(AXVCPU_EXIT_FAIL_ENTRY, self->v.run->exit_reason)
			TH_LOG("%s", rows[i].what);
		EXPECT_EQ(0x80000021, self->v.run->fail_entry.hw_reason)
			TH_LOG("%s", rows[i].what);
		EXPECT_EQ(0, self->v.run->fail_entry.reg);
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}
	g_begin(p, &self->g, GUEST_PROG(0));
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until_done(&self->v));
}

TEST_HARNESS_MAIN
