/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's harness, without its limits: it would end a test after 30 seconds
 * by the clock, which says more about what else the machine has to do than about
 * the test. A test that hangs is the testbed's business.
 */
#ifndef _SELFTESTS_KSELFTEST_HARNESS_H
#define _SELFTESTS_KSELFTEST_HARNESS_H

#include_next <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	86400	/* seconds */

#endif
