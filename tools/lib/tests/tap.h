/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP output for the host-side tests of the tools. */
#ifndef TOOLS_TAP_H
#define TOOLS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tap {
	unsigned int count;
	unsigned int failed;
};

static struct tap tap;

/* One result; the rest of the arguments is its name, as printf(). */
__attribute__((format(printf, 2, 3)))
static inline void ok(bool right, const char *fmt, ...)
{
	va_list ap;

	tap.count++;
	tap.failed += !right;
	printf("%sok %u ", right ? "" : "not ", tap.count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The same for two strings, which are shown when they differ. */
static inline void is(const char *got, const char *want, const char *name)
{
	bool same = !strcmp(got, want);

	ok(same, "%s", name);
	if (!same)
		printf("#  got: %s\n# want: %s\n", got, want);
}

/* The plan and the totals; what main() returns. */
static inline int tap_finish(void)
{
	printf("1..%u\n", tap.count);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       tap.count - tap.failed, tap.failed);
	return tap.failed ? 1 : 0;
}

#endif /* TOOLS_TAP_H */
