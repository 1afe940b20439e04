/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of axvmm's test. */
#ifndef AXVMM_TESTS_H
#define AXVMM_TESTS_H

void test_options(void);
void test_images(void);
void test_messages(const char *axvmm);

#endif /* AXVMM_TESTS_H */
