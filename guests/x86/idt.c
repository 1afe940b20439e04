// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of a 64-bit guest: its descriptor table. */
#include "guest.h"

#define SELECTOR_CODE	0x08
#define GATE_INTERRUPT	0x8e	/* present, ring 0, interrupts off */

/* SDM vol. 3, "64-Bit Mode IDT" */
struct gate {
	uint16_t offset_15_0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_31_16;
	uint32_t offset_63_32;
	uint32_t reserved;
};

static struct gate idt[256];

void set_interrupt_gate(unsigned int vector, void *handler)
{
	uint64_t offset = (uintptr_t)handler;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = { sizeof(idt) - 1, (uintptr_t)idt };

	idt[vector] = (struct gate){
		.offset_15_0 = offset,
		.selector = SELECTOR_CODE,
		.type = GATE_INTERRUPT,
		.offset_31_16 = offset >> 16,
		.offset_63_32 = offset >> 32,
	};
	asm volatile("lidt %0" : : "m"(descriptor), "m"(idt));
}

static void (*interrupt_handler)(void);

__attribute__((interrupt))
static void on_interrupt(struct interrupt_frame *frame)
{
	(void)frame;
	interrupt_handler();
}

void enable_interrupt(unsigned int vector, void (*handler)(void))
{
	interrupt_handler = handler;
	set_interrupt_gate(vector, on_interrupt);
}

void wait_for_interrupt(void)
{
	/* No interrupt comes between STI and HLT. */
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* axvmm has started all of them. */
int start_others(unsigned long cpus)
{
	(void)cpus;
	return 0;
}
