/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of arm64's own have in common: guests as text, assembled with
 * the test, and a vCPU for them.
 */
#ifndef _SELFTESTS_ARM64_H
#define _SELFTESTS_ARM64_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define ENTRY	GUEST_PROG(0)
#define RESULTS	GUEST_DATA

/* A guest's program; it runs where it is put. */
#define PROGRAM(name, code)							\
	asm(".pushsection .rodata\n.globl " #name ", " #name "_end\n"		\
	    ".balign 4096\n" #name ":\n" code "\n" #name "_end:\n.popsection\n");	\
	extern const uint8_t name[], name##_end[]

/* The guest's call for its VMM: x0 = nr. */
#define MEET(nr)	"mov x0, #" #nr "\nhvc #0\n"

/* A table of vectors, its start at a multiple of 2 KiB, where only IRQs are handled. */
#define IRQ_VECTORS(handler)							\
	".balign 2048\nvectors_" handler ":\n.fill 160, 4, 0\nb " handler "\n.fill 351, 4, 0\n"
#define IRQ_SETUP(handler)							\
	"adr x0, vectors_" handler "\nmsr vbar_el1, x0\nmov x0, #0xff\n"	\
	"msr s3_0_c4_c6_0, x0\nmov x0, #1\nmsr s3_0_c12_c12_7, x0\nisb\n"

/* A table of vectors where every exception goes to one place, but with an offset in x12. */
#define ALL_VECTORS(name)							\
	".balign 2048\nvectors_" name ":\n.set n, 0\n.rept 16\n"		\
	"mov x12, #n\nb " name "\n.fill 30, 4, 0\n.set n, n + 0x80\n.endr\n"
#define ALL_SETUP(name)	"adr x0, vectors_" name "\nmsr vbar_el1, x0\nisb\n"

FIXTURE(arm64) {
	struct guest g;
	struct guest_vcpu v;
	struct axvcpu_run *run;
	volatile __u64 *x;
	volatile uint64_t *results;
};

FIXTURE_SETUP(arm64)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VHE)
		SKIP(return, "not on arm64");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	self->run = self->v.run;
	self->x = self->run->regs.arm64.x;
	self->results = (volatile uint64_t *)(self->g.mem + RESULTS);
}

FIXTURE_TEARDOWN(arm64)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static inline int start_with(FIXTURE_DATA(arm64) *self, uint64_t flags, const uint8_t *code,
			     const uint8_t *end)
{
	struct axvcpu_setup setup;
	int err;

	memcpy(self->g.mem + ENTRY, code, end - code);
	setup_init(&self->g, &setup, ENTRY);
	setup.config.arm64.flags = flags;
	err = XIOCTL(self->v.fd, AXVCPU_SETUP, &setup);
	return err ? err : bind_vcpu(self->v.fd, -1);
}

static inline int start(FIXTURE_DATA(arm64) *self, const uint8_t *code, const uint8_t *end)
{
	return start_with(self, 0, code, end);
}

static inline int start_again(FIXTURE_DATA(arm64) *self, uint64_t flags, const uint8_t *code,
			      const uint8_t *end)
{
	int err = unbind_vcpu(self->v.fd);

	if (!err)
		err = reset_vcpu(self->v.fd);
	return err ? err : start_with(self, flags, code, end);
}

/* The exit without the names that other machines have for it. */
static inline int run(FIXTURE_DATA(arm64) *self, unsigned long flags)
{
	int err;

	do {
		err = xioctl(self->v.fd, AXVCPU_RUN, flags);
	} while (err == -EINTR);
	return err ? err : (int)self->run->exit_reason;
}

#define EXPECT_MEET(number)							\
do {										\
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, AXVCPU_RUN_WAIT));		\
	ASSERT_EQ(number, self->run->hypercall.nr);				\
} while (0)

static inline uint64_t sys(int op0, int op1, int crn, int crm, int op2)
{
	return AXVCPU_ARM64_REG_SYS(op0, op1, crn, crm, op2);
}

static inline int inject(int fd, uint32_t intid, uint32_t priority)
{
	struct axvcpu_inject args = { .vector = intid, .priority = priority };

	/* The lines have none. */
	if (intid <= AXVCPU_ARM64_MAX_INTID)
		args.flags = AXVCPU_INJECT_PRIORITY;
	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

#endif /* _SELFTESTS_ARM64_H */
