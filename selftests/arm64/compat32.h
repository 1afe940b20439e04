/* SPDX-License-Identifier: GPL-2.0-only */
/* What compat32.c has of its own on 32-bit Arm. */
#ifndef _SELFTESTS_COMPAT32_ARM_H
#define _SELFTESTS_COMPAT32_ARM_H

#include <stddef.h>

#define NR_SET_TLS	0xf0005

/* The compiler calls it. */
__attribute__((used))
void *memset(void *p, int c, size_t n)
{
	for (volatile char *at = p; n--; at++)
		*at = c;
	return p;
}

static long syscall6(long nr, const long *args)
{
	register long r7 asm("r7") = nr;
	register long r0 asm("r0") = args[0];
	register long r1 asm("r1") = args[1];
	register long r2 asm("r2") = args[2];
	register long r3 asm("r3") = args[3];
	register long r4 asm("r4") = args[4];
	register long r5 asm("r5") = args[5];

	asm volatile("svc #0"
		     : "+r"(r0)
		     : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r7)
		     : "memory");
	return r0;
}

static unsigned long thread_pointer(void)
{
	unsigned long value;

	asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(value));
	return value;
}

/* What a C library has in TPIDRURO, and anybody in TPIDRURW: the guest's has the same registers. */
static void test_thread(void)
{
	unsigned long value = 0;
	double number = 1.25;
	long ret;

	if (!check(!syscall6(NR_SET_TLS, (const long[]){ 0x12345678, 0, 0, 0, 0, 0 }), "set_tls"))
		return;
	asm volatile("mcr p15, 0, %0, c13, c0, 2" : : "r"(0x87654321));
	asm volatile("vmov d15, %Q0, %R0" : : "r"(number) : "d15");
	ret = run_guest();
	asm volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(value));
	check(!ret && thread_pointer() == 0x12345678 && value == 0x87654321,
	      "thread pointers after RUN");
	asm volatile("vmov %Q0, %R0, d15" : "=r"(number));
	check(number == 1.25, "floating point registers after RUN");
}

static void arch_start(const unsigned long *sp)
{
}

#define START									\
__attribute__((naked, noreturn))						\
void _start(void)								\
{										\
	asm("mov r0, sp\n\t"							\
	    "bic sp, sp, #7\n\t"						\
	    "bl start");							\
}

#endif /* _SELFTESTS_COMPAT32_ARM_H */
