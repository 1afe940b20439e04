// SPDX-License-Identifier: GPL-2.0-only
/* What RESET leaves of a vCPU: nothing but what state-machine.rst names. */
#include <linux/err.h>
#include <linux/string.h>

#include "axvcpu_aspace.h"
#include "fixture.h"

/* T1: each line of do_reset() */
static void leaves_nothing(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);
	struct axvcpu_aspace *aspace = axvcpu_aspace_create();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, aspace);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_keep(vcpu), 0);
	vcpu->aspace = axvcpu_aspace_get(aspace);
	vcpu->answer_due = true;
	vcpu->halted = true;
	set_bit(AXVCPU_REQ_KICK, &vcpu->requests);
	vcpu->bound_cpu = 0;
	vcpu->last_cpu = 0;
	memset(vcpu->run, 0xa5, sizeof(*vcpu->run));

	KUNIT_ASSERT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&aspace->ref), 1);
	KUNIT_EXPECT_NULL(test, vcpu->aspace);
	KUNIT_EXPECT_NULL(test, vcpu->kept);
	KUNIT_EXPECT_FALSE(test, vcpu->answer_due);
	KUNIT_EXPECT_FALSE(test, vcpu->halted);
	KUNIT_EXPECT_EQ(test, vcpu->requests, 0);
	KUNIT_EXPECT_EQ(test, vcpu->bound_cpu, -1);
	KUNIT_EXPECT_EQ(test, vcpu->last_cpu, -1);
	KUNIT_EXPECT_NULL(test, memchr_inv(vcpu->run, 0, sizeof(*vcpu->run)));
	axvcpu_aspace_put(aspace);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(leaves_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_reset",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
