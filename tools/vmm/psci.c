// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs on and off as PSCI (Arm DEN 0022) has it, the end of the machine, and
 * interrupts from one vCPU to others.
 */
#include <errno.h>

#include "arm64.h"
#include "exit_codes.h"
#include "exits.h"
#include "report.h"

#define PSCI_SUCCESS		0
#define PSCI_INVALID_PARAMETERS	(-2)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_INTERNAL_FAILURE	(-6)
#define PSCI_INVALID_ADDRESS	(-9)

#define AFFINITY_INFO_32	0x84000004U
#define AFFINITY_INFO_64	0xc4000004U
#define AFFINITY_ON		0
#define AFFINITY_OFF		1

/* Of a list of 16 targets, affinity level 0 is the position. */
#define TARGETS			16

static struct vm_cpu *find_cpu(struct machine *m, uint64_t affinity)
{
	for (unsigned int i = 0; i < m->nr_cpus; i++) {
		if (arm64_affinity(i) == affinity)
			return &m->cpus[i];
	}
	return NULL;
}

static int cpu_on(struct machine *m, const struct axvcpu_run *run)
{
	struct vm_cpu *target = find_cpu(m, run->cpu_up.target);
	uint64_t entry = run->cpu_up.entry;

	if (!target)
		return PSCI_INVALID_PARAMETERS;
	if (entry % 4 || entry >> m->info->gpa_bits)
		return PSCI_INVALID_ADDRESS;
	switch (power_on(target, entry, run->cpu_up.arg)) {
	case 0:
		return PSCI_SUCCESS;
	case -EALREADY:
		return PSCI_ALREADY_ON;
	default:
		return PSCI_INTERNAL_FAILURE;
	}
}

int on_cpu_up(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	run->cpu_up.ret = cpu_on(cpu->machine, run);
	return 0;
}

/* Its thread waits until it is turned on again. */
int on_cpu_down(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	(void)run;
	(void)data;
	return 1;
}

int on_system_down(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	bool reset = run->system_down.type == AXVCPU_SYSTEM_DOWN_RESET;

	(void)vcpu;
	if (machine_end(cpu->machine, reset ? EXIT_RESET : 0) && reset)
		complain("vCPU %u: the guest asks for a reset, which axvmm leaves to others",
			 cpu->index);
	return 1;
}

bool psci_hypercall(struct vm_cpu *cpu, struct axvcpu_run *run)
{
	struct vm_cpu *target;

	if (run->hypercall.nr != AFFINITY_INFO_32 && run->hypercall.nr != AFFINITY_INFO_64)
		return false;
	/* Level 0 only, as is usual from PSCI 1.0 on. */
	target = run->hypercall.args[1] ? NULL : find_cpu(cpu->machine, run->hypercall.args[0]);
	if (!target)
		axvcpu_answer_hypercall(run, PSCI_INVALID_PARAMETERS);
	else
		axvcpu_answer_hypercall(run, power_is_on(target) ? AFFINITY_ON : AFFINITY_OFF);
	return true;
}

int on_send_ipi(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	struct machine *m = cpu->machine;

	(void)vcpu;
	for (unsigned int i = 0; i < m->nr_cpus; i++) {
		uint64_t offset = arm64_affinity(i) - run->ipi.target;
		bool hit = offset < TARGETS && run->ipi.target_aux >> offset & 1;

		if (run->ipi.flags & AXVCPU_IPI_TO_ALL ? i != cpu->index : hit)
			power_interrupt(&m->cpus[i], run->ipi.vector);
	}
	return 0;
}
