/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs forever: --timeout or Ctrl-C ends it. */
	.code16
	.globl	_start
_start:
	jmp	_start

	.section .note.GNU-stack, "", @progbits
