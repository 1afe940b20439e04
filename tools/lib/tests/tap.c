// SPDX-License-Identifier: GPL-2.0-only
/* TAP output for the host-side tests of the tools. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static unsigned int count;
static unsigned int failed;

void ok(bool right, const char *fmt, ...)
{
	va_list ap;

	if (!count)
		printf("TAP version 13\n");
	count++;
	failed += !right;
	printf("%sok %u ", right ? "" : "not ", count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void is(const char *got, const char *want, const char *name)
{
	bool same = !strcmp(got, want);

	ok(same, "%s", name);
	if (!same)
		printf("#  got: %s\n# want: %s\n", got, want);
}

int tap_finish(void)
{
	printf("1..%u\n", count);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", count - failed,
	       failed);
	return failed ? 1 : 0;
}
