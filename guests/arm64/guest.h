/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guests written in C share: axvmm's devices, PSCI, exceptions. */
#ifndef GUEST_H
#define GUEST_H

#include "../common/common.h"
#include "machine.h"

static inline void write8(unsigned long address, uint8_t value)
{
	asm volatile("strb %w0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}

static inline uint32_t read32(unsigned long address)
{
	uint32_t value;

	asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void console_put(char byte)
{
	write8(UART, byte);
}

static inline void pause(void)
{
	asm volatile("yield" : : : "memory");
}

__attribute__((noreturn))
static inline void stop(void)
{
	for (;;)
		asm volatile("wfi");
}

#define read_sysreg(name)						\
({									\
	uint64_t value_;						\
									\
	asm volatile("mrs %0, " name : "=r"(value_) : : "memory");	\
	value_;								\
})

#define write_sysreg(name, value)					\
do {									\
	uint64_t value_ = (uint64_t)(value);				\
									\
	asm volatile("msr " name ", %0\n\tisb" : : "r"(value_) : "memory");	\
} while (0)

/* Calls as SMCCC has them, which leave of X4 to X17 what they like. */
static inline long hvc(unsigned long fn, unsigned long a1, unsigned long a2, unsigned long a3)
{
	register unsigned long x0 asm("x0") = fn;
	register unsigned long x1 asm("x1") = a1;
	register unsigned long x2 asm("x2") = a2;
	register unsigned long x3 asm("x3") = a3;

	asm volatile("hvc #0"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
		     :
		     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		       "x15", "x16", "x17", "memory");
	return x0;
}

static inline long smc(unsigned long fn, unsigned long a1, unsigned long a2, unsigned long a3)
{
	register unsigned long x0 asm("x0") = fn;
	register unsigned long x1 asm("x1") = a1;
	register unsigned long x2 asm("x2") = a2;
	register unsigned long x3 asm("x3") = a3;

	asm volatile("smc #0"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
		     :
		     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		       "x15", "x16", "x17", "memory");
	return x0;
}

/* start.S */

extern char secondary_start[];

/* vectors.S */

extern char vectors[];

/* interrupt.c */

/*
 * What every exception comes to. @elr: where the guest goes on.
 */
void exception_taken(unsigned int vector, uint64_t *elr);

/* Have @handler called at a synchronous exception; the instruction is skipped. */
void set_exception_handler(void (*handler)(uint64_t esr));

#endif /* GUEST_H */
