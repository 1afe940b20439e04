/* SPDX-License-Identifier: GPL-2.0-only */
/* The status that axvmm ends with. Documented in axvmm(1). */
#ifndef AXVMM_EXIT_CODES_H
#define AXVMM_EXIT_CODES_H

/**
 * enum exit_code - axvmm's exit status
 * @EXIT_GUEST_MAX: 0 to this are the guest's own, by the exit port
 * @EXIT_USAGE: the command line is wrong
 * @EXIT_BAD_FILE: the guest's file is malformed or doesn't fit
 * @EXIT_NO_FILE: the guest's file can't be read
 * @EXIT_INTERNAL: axvmm itself failed (no memory, no thread)
 * @EXIT_DEVICE: /dev/axvcpu is missing or refused something
 * @EXIT_OUTPUT: what the guest printed can't be written
 * @EXIT_TRIPLE_FAULT: the guest shut down by a triple fault
 * @EXIT_MEMORY_FAULT: the guest accessed memory that it doesn't have
 * @EXIT_FAIL_ENTRY: the hardware refused the guest's state
 * @EXIT_UNHANDLED: an exit that axvmm has no answer for
 * @EXIT_RESET: the guest asked for a reset
 * @EXIT_TIMEOUT: --timeout passed, as with timeout(1)
 * @EXIT_SIGNAL: plus the signal's number, as shells have it
 */
enum exit_code {
	EXIT_GUEST_MAX		= 63,
	EXIT_USAGE		= 64,
	EXIT_BAD_FILE		= 65,
	EXIT_NO_FILE		= 66,
	EXIT_INTERNAL		= 70,
	EXIT_DEVICE		= 71,
	EXIT_OUTPUT		= 74,
	EXIT_TRIPLE_FAULT	= 101,
	EXIT_MEMORY_FAULT	= 102,
	EXIT_FAIL_ENTRY		= 103,
	EXIT_UNHANDLED		= 104,
	EXIT_RESET		= 105,
	EXIT_TIMEOUT		= 124,
	EXIT_SIGNAL		= 128,
};

#endif /* AXVMM_EXIT_CODES_H */
