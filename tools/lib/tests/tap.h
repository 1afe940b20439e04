/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP output for the host-side tests of the tools: one document a program. */
#ifndef TOOLS_TAP_H
#define TOOLS_TAP_H

#include <stdbool.h>

/**
 * ok() - one result
 * @right: whether it is as it should be
 * @fmt: its name, as printf()
 */
__attribute__((format(printf, 2, 3)))
void ok(bool right, const char *fmt, ...);

/**
 * is() - the same for two strings, which are shown when they differ
 * @got: what came
 * @want: what should have come
 * @name: the result's name
 */
void is(const char *got, const char *want, const char *name);

/**
 * tap_finish() - print the plan and the totals
 *
 * Return: what main() returns.
 */
int tap_finish(void);

#endif /* TOOLS_TAP_H */
