// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions, and interrupts by the CPU interface of GICv3. */
#include "guest.h"

/* Vectors of EL1 that uses SP_EL1 */
#define VECTOR_SYNC		4
#define VECTOR_IRQ		5

#define ICC_PMR_EL1		"s3_0_c4_c6_0"
#define ICC_IAR1_EL1		"s3_0_c12_c12_0"
#define ICC_EOIR1_EL1		"s3_0_c12_c12_1"
#define ICC_IGRPEN1_EL1		"s3_0_c12_c12_7"

#define ALL_PRIORITIES		0xff
#define STATUS_UNEXPECTED	3
#define INSN_LEN		4

static void (*exception_handler)(uint64_t esr);
static void (*interrupt_handler)(void);
static unsigned int enabled_vector;

__attribute__((noreturn))
static void unexpected(const char *what, uint64_t number)
{
	print("Unexpected ");
	print(what);
	print(" ");
	print_hex(number);
	print(".\n");
	write8(EXIT_REGISTER, STATUS_UNEXPECTED);
	stop();
}

static void take_interrupt(void)
{
	uint64_t intid = read_sysreg(ICC_IAR1_EL1);

	if (intid != enabled_vector)
		unexpected("interrupt", intid);
	interrupt_handler();
	write_sysreg(ICC_EOIR1_EL1, intid);
}

void exception_taken(unsigned int vector, uint64_t *elr)
{
	uint64_t esr = read_sysreg("esr_el1");

	if (vector == VECTOR_IRQ) {
		take_interrupt();
	} else if (vector == VECTOR_SYNC && exception_handler) {
		exception_handler(esr);
		*elr += INSN_LEN;
	} else {
		unexpected("exception", esr);
	}
}

void set_exception_handler(void (*handler)(uint64_t esr))
{
	exception_handler = handler;
	write_sysreg("vbar_el1", vectors);
}

void enable_interrupt(unsigned int vector, void (*handler)(void))
{
	interrupt_handler = handler;
	enabled_vector = vector;
	write_sysreg("vbar_el1", vectors);
	write_sysreg(ICC_PMR_EL1, ALL_PRIORITIES);
	write_sysreg(ICC_IGRPEN1_EL1, 1);
}

/* WFI ends for an interrupt that is masked, so that none is missed. */
void wait_for_interrupt(void)
{
	asm volatile("wfi\n\t"
		     "msr daifclr, #2\n\t"
		     "isb\n\t"
		     "msr daifset, #2" : : : "memory");
}

int start_others(unsigned long cpus)
{
	for (unsigned long n = 1; n < cpus; n++) {
		if (hvc(PSCI_CPU_ON, n, (unsigned long)secondary_start, n))
			return 1;
	}
	return 0;
}
