// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest meets that asks for things axvmm doesn't have: ports read as
 * ones, unknown MSRs fault, hypercalls say so.
 */
#include "guest.h"

#define VECTOR_GP		13
#define PORT_NONE		0x510
#define PORT_LINE_STATUS	0x3fd
#define MSR_NONE		0x12345678
#define MSR_MTRRCAP		0xfe
#define INSN_LEN_RDMSR		2
#define ERR_NOSYS		(-38L)

static volatile unsigned int faults;

/* Only RDMSR faults here: skip it. */
__attribute__((interrupt))
static void on_gp(struct interrupt_frame *frame, unsigned long error)
{
	(void)error;
	faults++;
	frame->rip += INSN_LEN_RDMSR;
}

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t low = 0, high = 0;

	asm volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static long vmcall(unsigned long nr)
{
	long ret;

	asm volatile("vmcall" : "=a"(ret) : "0"(nr) : "memory");
	return ret;
}

static int check(const char *what, int right)
{
	print(what);
	print(right ? ": as it should be\n" : ": WRONG\n");
	return !right;
}

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	int wrong = 0;

	(void)index;
	(void)cpus;
	(void)memory;
	set_interrupt_gate(VECTOR_GP, on_gp);

	wrong += check("port that isn't there", inb(PORT_NONE) == 0xff);
	wrong += check("line status", inb(PORT_LINE_STATUS) == 0x60);
	rdmsr(MSR_NONE);
	wrong += check("MSR that isn't there", faults == 1);
	wrong += check("MSR that is there", rdmsr(MSR_MTRRCAP) == 0 && faults == 1);
	wrong += check("hypercall", vmcall(1) == ERR_NOSYS);
	return wrong;
}
