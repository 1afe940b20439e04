/* SPDX-License-Identifier: GPL-2.0-only */
/* axvmm's arm64 machine, and calls, as assembly reads them too. */
#ifndef MACHINE_H
#define MACHINE_H

#define MEMORY_BASE		0x40000000
#define UART			0x09000000
#define UART_FR			(UART + 0x18)
#define EXIT_REGISTER		0x090f0000

#define PSCI_VERSION		0x84000000
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_CPU_ON		0xc4000003
#define PSCI_AFFINITY_INFO	0xc4000004

#endif /* MACHINE_H */
