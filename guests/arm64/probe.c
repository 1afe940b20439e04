// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest meets that asks for things axvmm doesn't have: registers of the
 * console read as zero, unknown system registers are undefined, calls say that
 * they are not supported.
 */
#include "guest.h"

#define UART_NONE		(UART + 0x800)
#define UART_EMPTY		0x90
#define EC_UNKNOWN		0
#define SMCCC_NONE		0xc600ff00
#define NOT_SUPPORTED		(-1)
#define INVALID_PARAMETERS	(-2)
#define ICC_SGI1R_EL1		"s3_0_c12_c11_5"
#define TO_VCPU_0		1
#define VECTOR_SGI		0

static volatile unsigned int faults;
static volatile unsigned int interrupts;

static void on_exception(uint64_t esr)
{
	if (esr >> 26 == EC_UNKNOWN)
		faults++;
}

static void on_interrupt(void)
{
	interrupts++;
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
	set_exception_handler(on_exception);

	wrong += check("register of the console that isn't there", read32(UART_NONE) == 0);
	wrong += check("flags of the console", read32(UART_FR) == UART_EMPTY);
	read_sysreg("pmccntr_el0");
	wrong += check("system register that isn't there", faults == 1);
	wrong += check("system register that is there",
		       read_sysreg("cntp_ctl_el0") == 0 && faults == 1);
	wrong += check("HVC", hvc(SMCCC_NONE, 0, 0, 0) == NOT_SUPPORTED);
	wrong += check("SMC", smc(SMCCC_NONE, 0, 0, 0) == NOT_SUPPORTED);
	wrong += check("vCPU that isn't there",
		       hvc(PSCI_AFFINITY_INFO, 1, 0, 0) == INVALID_PARAMETERS &&
		       hvc(PSCI_CPU_ON, 1, MEMORY_BASE, 0) == INVALID_PARAMETERS);

	enable_interrupt(VECTOR_SGI, on_interrupt);
	write_sysreg(ICC_SGI1R_EL1, (uint64_t)VECTOR_SGI << 24 | TO_VCPU_0);
	wait_for_interrupt();
	wrong += check("interrupt to itself", interrupts == 1);
	return wrong;
}
