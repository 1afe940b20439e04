/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guests written in C share: port I/O, and interrupts of 64-bit mode.
 */
#ifndef GUEST_H
#define GUEST_H

#include "../common/common.h"

#define MEMORY_BASE	0UL

/* axvmm's ports */
#define PORT_CONSOLE	0x3f8
#define PORT_EXIT	0xf4

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* End the guest; the halt is for machines without this port. */
__attribute__((noreturn))
static inline void guest_exit(uint8_t code)
{
	for (;;) {
		outb(PORT_EXIT, code);
		asm volatile("cli; hlt");
	}
}

static inline void console_put(char byte)
{
	outb(PORT_CONSOLE, byte);
}

/*
 * Interrupts are off since the start, and the host's come all the same: should
 * two vCPUs be on one CPU, they take turns. Bochs forgets that at each entry,
 * until the guest says so itself.
 */
static inline void pause(void)
{
	asm volatile("pause; cli" : : : "memory");
}

__attribute__((noreturn))
static inline void stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

#ifdef __x86_64__

/* What the processor pushes: SDM vol. 3, "64-Bit Mode Stack Frame". */
struct interrupt_frame {
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

/* idt.c */

void set_interrupt_gate(unsigned int vector, void *handler);

#endif

#endif /* GUEST_H */
