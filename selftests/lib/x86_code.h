/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pieces of x86 code in an otherwise quiet guest: each ends on its own, or in an
 * exception, and the test is told which.
 */
#ifndef _SELFTESTS_X86_CODE_H
#define _SELFTESTS_X86_CODE_H

#include "guest.h"

/** CODE() - assembler code, to be copied to wherever a guest has room for it */
#define CODE(name, text)							\
	extern const uint8_t name[], name##_end[];				\
	asm(".pushsection .rodata\n" #name ":\n\t" text "\n" #name "_end:\n\t.popsection")

/**
 * RUN_BETWEEN() - a function that loads registers, calls RUN, and stores them again
 * @name: long @name(const T *want, T *got, int fd, unsigned long cmd)
 * @load: assembler code, from memory at RDI
 * @store: the same, to memory at RDI
 */
#define RUN_BETWEEN(name, load, store)						\
	asm(".pushsection .text\n" #name ":\n\t"				\
	    load								\
	    "mov %rsi, %r8\n\t"							\
	    "mov %edx, %edi\n\t"						\
	    "mov %rcx, %rsi\n\t"						\
	    "xor %edx, %edx\n\t"						\
	    "mov $16, %eax\n\t"			/* ioctl() */		\
	    "syscall\n\t"							\
	    "mov %r8, %rdi\n\t"							\
	    store								\
	    "ret\n\t.popsection")

#define CODE_GPA	GUEST_DATA		/* where pieces are put */
#define CODE_DATA	(GUEST_DATA + 0x1000)	/* zero at first, the test's and the guest's */
#define CODE_STACK	(GUEST_DATA + 0x8000)	/* RSP at the start of a piece */

#define CODE_CR4	0x620			/* what guests need: PAE, and SSE is on */
#define CODE_CR4_OSXSAVE (1 << 18)

/* What code_run() returns, besides the vector of an exception or interrupt */
#define CODE_DONE	0x100			/* the piece came to its end */
#define CODE_EXIT	0x200			/* + exit reason: the VMM is wanted */

/**
 * struct x86_code - a guest in 64-bit mode with handlers for all vectors
 * @g: its memory
 * @v: vCPU
 * @entry: where its program starts
 * @error_code: after an exception, what the processor pushed before the return
 *	address; only of use for those that have one
 * @rip: after an exception, the return address
 * @rsp: the same, the stack pointer before
 */
struct x86_code {
	struct guest g;
	struct guest_vcpu v;
	uint64_t entry;
	uint64_t error_code;
	uint64_t rip;
	uint64_t rsp;
};

void code_none(struct x86_code *c);
int code_create(struct x86_code *c, uint32_t vcpu_id);
int code_setup(struct x86_code *c);
int code_start(struct x86_code *c, uint32_t vcpu_id);
void code_destroy(struct x86_code *c);
void code_place(struct x86_code *c, const void *code, size_t len);
int code_go_on(struct x86_code *c);
int code_run(struct x86_code *c, const void *code, size_t len);
uint64_t code_reg(struct x86_code *c, uint64_t id);
int code_set_cr4(struct x86_code *c, uint64_t value);
void code_xsetbv_args(struct x86_code *c, uint32_t index, uint64_t value);
int code_xsetbv(struct x86_code *c, uint32_t index, uint64_t value);
int code_set_xcr0(struct x86_code *c, uint64_t value);

/**
 * CODE_FIXTURE() - a fixture that is such a guest, and no more
 * @name: the fixture
 */
#define CODE_FIXTURE(name)					\
FIXTURE(name) {							\
	struct x86_code c;					\
	struct axvcpu_run *run;					\
	volatile __u64 *gpr;					\
};								\
								\
FIXTURE_SETUP(name)						\
{								\
	int err = code_start(&self->c, 0);			\
								\
	if (err == -EOPNOTSUPP)					\
		SKIP(return, "not x86");			\
	ASSERT_EQ(0, err);					\
	self->run = self->c.v.run;				\
	self->gpr = self->run->regs.x86.gpr;			\
}								\
								\
FIXTURE_TEARDOWN(name)						\
{								\
	code_destroy(&self->c);					\
}

/** RUN_CODE() - code_run() of something that CODE() has made */
#define RUN_CODE(c, name)	code_run(c, name, name##_end - (name))

#endif /* _SELFTESTS_X86_CODE_H */
