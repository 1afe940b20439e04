/* SPDX-License-Identifier: GPL-2.0-only */
/* Which vCPUs are on. */
#ifndef AXVMM_POWER_H
#define AXVMM_POWER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;
struct vm_cpu;

/**
 * struct power - who is on
 * @lock: protects @on and &struct vm_cpu.on
 * @change: one was turned on, or the machine ends
 * @on: vCPUs that are on
 */
struct power {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned int on;
};

/**
 * power_init() - all are off
 * @power: the machine's
 */
void power_init(struct power *power);

/**
 * power_start() - turn vCPUs on that are set up
 * @m: the machine
 * @count: how many, from 0 on
 */
void power_start(struct machine *m, unsigned int count);

/**
 * power_on() - turn a vCPU on, as another one asks
 * @cpu: the vCPU
 * @entry: first instruction
 * @arg: the first argument
 *
 * Return: 0; -EALREADY; or a negative errno.
 */
int power_on(struct vm_cpu *cpu, uint64_t entry, uint64_t arg);

/**
 * power_off() - the vCPU has stopped; the last one ends the machine
 * @cpu: the vCPU, in its own thread
 */
void power_off(struct vm_cpu *cpu);

/**
 * power_is_on() - is it?
 * @cpu: the vCPU
 *
 * Return: whether.
 */
bool power_is_on(struct vm_cpu *cpu);

/**
 * power_interrupt() - interrupt a vCPU if it is on
 * @cpu: the vCPU
 * @vector: the interrupt
 */
void power_interrupt(struct vm_cpu *cpu, uint32_t vector);

/**
 * power_wait() - wait until the vCPU is on
 * @cpu: the vCPU, in its own thread
 *
 * Return: true, or false: the machine ends.
 */
bool power_wait(struct vm_cpu *cpu);

/**
 * power_wake() - let waiting threads see that the machine ends
 * @power: the machine's
 */
void power_wake(struct power *power);

#endif /* AXVMM_POWER_H */
