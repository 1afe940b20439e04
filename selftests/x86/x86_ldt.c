// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread with an LDT: an exit leaves the CPU without. A module of the test's loads one, as
 * the test kernels have no modify_ldt().
 */
#include <stdio.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define IN_LDT	(0 << 3 | 1 << 2 | 3)	/* selector: the first entry, RPL 3 */

CODE(exits, "xor %eax, %eax; cpuid; xor %eax, %eax; cpuid");

struct selectors {
	uint16_t ldt, ds, es;
};

static struct selectors selectors(void)
{
	struct selectors s;

	asm("sldt %0" : "=m"(s.ldt));
	asm("mov %%ds, %0" : "=m"(s.ds));
	asm("mov %%es, %0" : "=m"(s.es));
	return s;
}

static void load_ds_es(uint16_t ds, uint16_t es)
{
	asm volatile("mov %0, %%ds; mov %1, %%es" : : "r"(ds), "r"(es) : "memory");
}

FIXTURE(x86_ldt) {
	struct x86_code c;
	bool loaded;
};

FIXTURE_SETUP(x86_ldt)
{
	int err = module_load("x86_ldt", "");

	code_none(&self->c);
	if (err == -EOPNOTSUPP)
		SKIP(return, "the kernel isolates its page tables");
	ASSERT_TRUE(!err || err == -EEXIST) TH_LOG("%d", err);
	self->loaded = true;
	ASSERT_EQ(0, code_start(&self->c, 0));
}

FIXTURE_TEARDOWN(x86_ldt)
{
	load_ds_es(0, 0);
	code_destroy(&self->c);
	if (!self->loaded)
		return;
	EXPECT_EQ(0, module_unload("x86_ldt"));
	EXPECT_EQ(0, selectors().ldt);
}

TEST_F(x86_ldt, stays)
{
	static const uint16_t with[][2] = { { 0, 0 }, { IN_LDT, 0 }, { 0, IN_LDT } };
	struct selectors before = selectors(), after;

	ASSERT_NE(0, before.ldt);
	for (int i = 0; i < ARRAY_SIZE(with); i++) {
		load_ds_es(with[i][0], with[i][1]);
		ASSERT_EQ(CODE_DONE, RUN_CODE(&self->c, exits));
		after = selectors();
		EXPECT_EQ(before.ldt, after.ldt);
		EXPECT_EQ(with[i][0], after.ds) TH_LOG("row %d", i);
		EXPECT_EQ(with[i][1], after.es) TH_LOG("row %d", i);
		/* It is there, not only named: loading from it does not fault. */
		load_ds_es(IN_LDT, IN_LDT);
	}
}

TEST_HARNESS_MAIN
