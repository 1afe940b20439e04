/* SPDX-License-Identifier: GPL-2.0-only */
/* A flat file, with the MMU off: a greeting, and what PSCI says of itself. */
#include "machine.h"

	.text
	.globl	_start
_start:
	movz	x19, #UART >> 16, lsl #16

	adr	x1, greeting
	bl	print
	mrs	x0, CurrentEL
	ubfx	x0, x0, #2, #2
	bl	print_digit

	adr	x1, version
	bl	print
	movz	x0, #PSCI_VERSION >> 16, lsl #16
	hvc	#0
	mov	x20, x0
	lsr	x0, x20, #16
	bl	print_digit
	adr	x1, point
	bl	print
	and	x0, x20, #0xffff
	bl	print_digit
	adr	x1, end
	bl	print

	movz	x0, #PSCI_SYSTEM_OFF >> 16, lsl #16
	movk	x0, #PSCI_SYSTEM_OFF & 0xffff
	hvc	#0
	b	.

/* Print the string at X1. */
print:
	ldrb	w2, [x1]
	cbz	w2, 1f
	strb	w2, [x19]
	add	x1, x1, #1
	b	print
1:
	ret

/* Print the digit in X0. */
print_digit:
	add	w0, w0, #'0'
	strb	w0, [x19]
	ret

greeting:
	.asciz	"Hello from EL"
version:
	.asciz	".\nPSCI says its version is "
point:
	.asciz	"."
end:
	.asciz	".\n"

	.section .note.GNU-stack, "", @progbits
