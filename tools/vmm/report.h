/* SPDX-License-Identifier: GPL-2.0-only */
/* What axvmm says on standard error. */
#ifndef AXVMM_REPORT_H
#define AXVMM_REPORT_H

#include "machine.h"

/**
 * complain() - print a line "axvmm: ..." on standard error, whole
 * @fmt: as printf()
 */
__attribute__((format(printf, 1, 2)))
void complain(const char *fmt, ...);

/**
 * report_exit() - --trace: print an exit
 * @cpu: the vCPU
 */
void report_exit(struct vm_cpu *cpu);

/**
 * report_stats() - --stats: print what the kernel counted
 * @cpu: the vCPU
 */
void report_stats(struct vm_cpu *cpu);

#endif /* AXVMM_REPORT_H */
