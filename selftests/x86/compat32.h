/* SPDX-License-Identifier: GPL-2.0-only */
/* What compat32.c has of its own on i386. */
#ifndef _SELFTESTS_COMPAT32_X86_H
#define _SELFTESTS_COMPAT32_X86_H

#include <asm/ldt.h>

#define NR_SET_THREAD_AREA	243

#define AT_NULL		0
#define AT_SYSINFO	32	/* the vDSO's way into the kernel */

static unsigned long sysinfo;

static long syscall6(long nr, const long *args)
{
	long ret;

	/* The sixth argument is in EBP, which is nobody else's for so long. */
	asm volatile("push %%ebp\n\t"
		     "mov %1, %%ebp\n\t"
		     "mov 20(%%ebp), %%ebp\n\t"
		     "int $0x80\n\t"
		     "pop %%ebp"
		     : "=a"(ret)
		     : "r"(args), "a"(nr), "b"(args[0]), "c"(args[1]), "d"(args[2]),
		       "S"(args[3]), "D"(args[4])
		     : "memory");
	return ret;
}

static long set_thread_area(struct user_desc *desc)
{
	return syscall6(NR_SET_THREAD_AREA, (const long[]){ (long)desc, 0, 0, 0, 0, 0 });
}

static long getpid(void)
{
	return syscall6(NR_GETPID, (const long[]){ 0, 0, 0, 0, 0, 0 });
}

/* By SYSENTER or SYSCALL, whichever the kernel has chosen. */
static long vdso_getpid(void)
{
	long ret;

	asm volatile("call *%1" : "=a"(ret) : "m"(sysinfo), "a"(NR_GETPID) : "memory");
	return ret;
}

/* A thread's own segment, as a C library has one in GS; FS and ES the same. */
static void test_thread(void)
{
	static unsigned int word = 0x12345678;
	struct user_desc desc = {
		.entry_number = -1,
		.base_addr = (unsigned long)&word,
		.limit = 0xfff,
		.seg_32bit = 1,
	};
	unsigned int value = 0, selector, gs = 0, fs = 0, es = 0;
	long ret;

	if (!check(!set_thread_area(&desc), "set_thread_area"))
		return;
	selector = desc.entry_number << 3 | 3;
	asm volatile("mov %0, %%gs\n\tmov %0, %%fs" : : "r"(selector));
	ret = run_guest();
	asm volatile("mov %%gs, %0" : "=r"(gs));
	asm volatile("mov %%fs, %0" : "=r"(fs));
	asm volatile("mov %%es, %0" : "=r"(es));
	check(!ret && gs == selector && fs == selector && es == 0x2b, "selectors after RUN");
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	check(value == word, "GS leads to the thread's segment");
	value = 0;
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	check(value == word, "FS leads to the thread's segment");
	if (sysinfo)
		check(vdso_getpid() == getpid(), "the vDSO's system call");
}

/* The stack at the start: argc, argv, NULL, environment, NULL, auxiliary vector. */
static void arch_start(const unsigned long *sp)
{
	sp += 1 + sp[0] + 1;
	while (*sp++)
		;
	for (; sp[0] != AT_NULL; sp += 2) {
		if (sp[0] == AT_SYSINFO)
			sysinfo = sp[1];
	}
}

#define START									\
__attribute__((naked, noreturn))						\
void _start(void)								\
{										\
	asm("mov %esp, %eax\n\t"						\
	    "and $-16, %esp\n\t"						\
	    "sub $12, %esp\n\t"							\
	    "push %eax\n\t"							\
	    "call start");							\
}

#endif /* _SELFTESTS_COMPAT32_X86_H */
