/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two files about arm64 guests share. */
#ifndef AXVMM_ARM64_H
#define AXVMM_ARM64_H

#include "machine.h"

/**
 * arm64_affinity() - a vCPU's affinity, as MPIDR_EL1 and PSCI have it
 * @index: its number
 *
 * Return: the affinity.
 */
uint64_t arm64_affinity(unsigned int index);

/* psci.c */

/**
 * psci_hypercall() - answer what the kernel does not know of PSCI
 * @cpu: the vCPU
 * @run: its run page, with a HYPERCALL
 *
 * Return: whether it was such a call.
 */
bool psci_hypercall(struct vm_cpu *cpu, struct axvcpu_run *run);

/* Handlers, for the table; they are &axvcpu_exit_fn with a &struct vm_cpu. */
int on_cpu_up(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_cpu_down(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_system_down(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_send_ipi(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);

#endif /* AXVMM_ARM64_H */
