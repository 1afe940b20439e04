/* SPDX-License-Identifier: GPL-2.0-only */
/* Says so, and runs forever: --timeout or Ctrl-C ends it. */
#include "machine.h"

	.text
	.globl	_start
_start:
	movz	x0, #UART >> 16, lsl #16
	adr	x1, text
1:
	ldrb	w2, [x1]
	cbz	w2, .
	strb	w2, [x0]
	add	x1, x1, #1
	b	1b

text:
	.asciz	"Looping.\n"

	.section .note.GNU-stack, "", @progbits
