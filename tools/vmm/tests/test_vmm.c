// SPDX-License-Identifier: GPL-2.0-only
/* axvmm's test, as far as it takes no device. The argument is axvmm. */
#include <stdio.h>

#include "tap.h"
#include "tests.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s AXVMM\n", argv[0]);
		return 2;
	}
	test_options();
	test_images();
	test_messages(argv[1]);
	return tap_finish();
}
