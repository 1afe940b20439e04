// SPDX-License-Identifier: GPL-2.0-only
/* Asks for a reset, which axvmm ends the guest for. */
#include "guest.h"

int guest_main(unsigned long index, unsigned long cpus, unsigned long memory)
{
	(void)index;
	(void)cpus;
	(void)memory;
	print("Asking for a reset.\n");
	hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	return 1;
}
