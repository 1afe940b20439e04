// SPDX-License-Identifier: GPL-2.0-only
/*
 * What perf wants exchanged at entries and exits. No emulated CPU has counters: a module
 * names IA32_TSC_AUX instead, which guest and host can read.
 */
#include <stdio.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define GUEST_VALUE	0x5e1f
#define OWN_VALUE	0x77
#define TSC_AUX		AXVCPU_X86_REG_MSR(0xc0000103)
#define CPUID_RDTSCP	AXVCPU_X86_REG_CPUID(0x80000001, 0, 1)
#define HAS_RDTSCP	(1ULL << (32 + 27))

CODE(rdtscp, "rdtscp");
CODE(exits, "xor %eax, %eax; cpuid; rdtscp; mov %ecx, %ebp; xor %eax, %eax; cpuid; rdtscp; "
	    "out %al, $0x80; rdtscp");

FIXTURE(x86_perf) {
	struct x86_code c;
	volatile __u64 *gpr;
};

static int reload(void)
{
	return module_unload("axvcpu") ?: module_load("axvcpu", "");
}

static int setup_with_rdtscp(struct x86_code *c)
{
	return set_reg(c->v.fd, CPUID_RDTSCP, code_reg(c, CPUID_RDTSCP) | HAS_RDTSCP) ?:
	       code_setup(c);
}

FIXTURE_SETUP(x86_perf)
{
	struct x86_code *c = &self->c;

	ASSERT_EQ(0, module_load("x86_perf", "guest_value=0x5e1f"));
	/* It looks once whether there are counters. */
	ASSERT_EQ(0, reload());
	ASSERT_EQ(0, code_create(c, 0));
	ASSERT_EQ(0, setup_with_rdtscp(c));
	ASSERT_EQ(0, set_reg(c->v.fd, TSC_AUX, OWN_VALUE));
	self->gpr = c->v.run->regs.x86.gpr;
}

FIXTURE_TEARDOWN(x86_perf)
{
	code_destroy(&self->c);
	EXPECT_EQ(0, module_unload("x86_perf"));
	EXPECT_EQ(0, reload());
}

static int set_on(const char *text)
{
	return write_text("/sys/module/x86_perf/parameters/on", text);
}

static unsigned int host_value(void)
{
	unsigned int value;

	asm volatile("rdtscp" : "=c"(value) : : "eax", "edx");
	return value;
}

TEST_F(x86_perf, guests_value_and_hosts)
{
	unsigned int before = host_value();

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_on("0"));
		ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
		EXPECT_EQ(OWN_VALUE, self->gpr[AXVCPU_X86_RCX]);
		EXPECT_EQ(before, host_value());
		ASSERT_EQ(0, set_on("1"));
		ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
		EXPECT_EQ(GUEST_VALUE, self->gpr[AXVCPU_X86_RCX]);
		EXPECT_EQ(before, host_value());
	}
}

/* At each entry, also behind exits that the kernel handles */
TEST_F(x86_perf, every_entry)
{
	ASSERT_EQ(0, set_on("1"));
	ASSERT_EQ(CODE_EXIT + AXVCPU_EXIT_IO_WRITE, RUN_CODE(&self->c, exits));
	EXPECT_EQ(GUEST_VALUE, self->gpr[AXVCPU_X86_RBP]);
	EXPECT_EQ(GUEST_VALUE, self->gpr[AXVCPU_X86_RCX]);
	ASSERT_EQ(0, set_on("0"));
	ASSERT_EQ(CODE_DONE, code_go_on(&self->c));
	EXPECT_EQ(OWN_VALUE, self->gpr[AXVCPU_X86_RCX]);
	/* A vCPU that is set up anew starts without. */
	ASSERT_EQ(0, set_on("1"));
	ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
	ASSERT_EQ(0, unbind_vcpu(self->c.v.fd));
	ASSERT_EQ(0, reset_vcpu(self->c.v.fd));
	ASSERT_EQ(0, set_on("0"));
	ASSERT_EQ(0, setup_with_rdtscp(&self->c));
	ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, rdtscp));
	EXPECT_EQ(0, self->gpr[AXVCPU_X86_RCX]);
}

TEST_HARNESS_MAIN
