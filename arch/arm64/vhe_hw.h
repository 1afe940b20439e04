/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine and its CPUs, see vhe_hw.c */
#ifndef _AXVCPU_VHE_HW_H
#define _AXVCPU_VHE_HW_H

#include <linux/types.h>

int vhe_hw_init(void);
void vhe_hw_exit(void);
void vhe_kick_cpu(int cpu);
int vhe_cpu_enable(void);
void vhe_cpu_disable(void);
u64 vhe_caps(void);
u64 vhe_counter_hz(void);
u64 vhe_cycles_to_ns(u64 cycles);

#endif /* _AXVCPU_VHE_HW_H */
