// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which vCPUs are on. A vCPU that is off is Created, and its thread waits here;
 * another vCPU's thread sets it up and turns it on.
 */
#include <errno.h>

#include "machine.h"

void power_init(struct power *power)
{
	pthread_mutex_init(&power->lock, NULL);
	pthread_cond_init(&power->change, NULL);
	power->on = 0;
}

void power_start(struct machine *m, unsigned int count)
{
	pthread_mutex_lock(&m->power.lock);
	for (unsigned int i = 0; i < count; i++)
		m->cpus[i].on = true;
	m->power.on = count;
	pthread_cond_broadcast(&m->power.change);
	pthread_mutex_unlock(&m->power.lock);
}

int power_on(struct vm_cpu *cpu, uint64_t entry, uint64_t arg)
{
	struct power *power = &cpu->machine->power;
	int err = -EALREADY;

	pthread_mutex_lock(&power->lock);
	if (!cpu->on)
		err = cpu_make_ready(cpu, entry, arg);
	if (!err) {
		cpu->on = true;
		power->on++;
		pthread_cond_broadcast(&power->change);
	} else if (err != -EALREADY) {
		axvcpu_vcpu_reset(cpu->vcpu, AXVCPU_RESET_KEEP_MACHINE);
	}
	pthread_mutex_unlock(&power->lock);
	return err;
}

void power_off(struct vm_cpu *cpu)
{
	struct power *power = &cpu->machine->power;
	unsigned int left;

	pthread_mutex_lock(&power->lock);
	axvcpu_vcpu_unbind(cpu->vcpu);
	axvcpu_vcpu_reset(cpu->vcpu, AXVCPU_RESET_KEEP_MACHINE);
	cpu->on = false;
	left = --power->on;
	pthread_mutex_unlock(&power->lock);
	if (!left)
		machine_end(cpu->machine, 0);
}

bool power_is_on(struct vm_cpu *cpu)
{
	struct power *power = &cpu->machine->power;
	bool on;

	pthread_mutex_lock(&power->lock);
	on = cpu->on;
	pthread_mutex_unlock(&power->lock);
	return on;
}

void power_interrupt(struct vm_cpu *cpu, uint32_t vector)
{
	struct power *power = &cpu->machine->power;

	pthread_mutex_lock(&power->lock);
	if (cpu->on)
		axvcpu_vcpu_interrupt(cpu->vcpu, vector);
	pthread_mutex_unlock(&power->lock);
}

bool power_wait(struct vm_cpu *cpu)
{
	struct power *power = &cpu->machine->power;
	bool on;

	pthread_mutex_lock(&power->lock);
	while (!cpu->on && !machine_ending(cpu->machine))
		pthread_cond_wait(&power->change, &power->lock);
	on = cpu->on;
	pthread_mutex_unlock(&power->lock);
	return on;
}

void power_wake(struct power *power)
{
	pthread_mutex_lock(&power->lock);
	pthread_cond_broadcast(&power->change);
	pthread_mutex_unlock(&power->lock);
}
