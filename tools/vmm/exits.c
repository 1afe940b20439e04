// SPDX-License-Identifier: GPL-2.0-only
/* Answers to exits that are the same on every architecture. */
#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "exits.h"
#include "report.h"

#define REGS_PER_LINE	4

void print_byte(struct vm_cpu *cpu, uint8_t byte)
{
	int err = console_put(&cpu->machine->console, byte);

	if (err && machine_end(cpu->machine, EXIT_OUTPUT))
		complain("what the guest prints can't be written: %s", strerror(-err));
}

void exit_code(struct vm_cpu *cpu, uint64_t code)
{
	bool told = code <= EXIT_GUEST_MAX;

	if (machine_end(cpu->machine, told ? code : EXIT_GUEST_MAX) && !told)
		complain("the guest's exit code is %llu; the status can only tell up to %u",
			 (unsigned long long)code, EXIT_GUEST_MAX);
}

void answer_sysreg(struct axvcpu_run *run, const struct fixed_answer *answers, size_t count)
{
	axvcpu_fault_sysreg(run);
	for (size_t i = 0; i < count; i++) {
		if (answers[i].addr == run->sysreg.addr)
			axvcpu_answer_sysreg(run, answers[i].value);
	}
}

void memory_fault(struct vm_cpu *cpu, uint32_t access, uint64_t gpa, const char *where)
{
	const struct guest_arch *arch = cpu->machine->opt->arch;
	const char *verb = "read from";

	if (access & AXVCPU_MAP_WRITE)
		verb = "wrote to";
	else if (access & AXVCPU_MAP_EXEC)
		verb = "ran into";
	if (machine_end(cpu->machine, EXIT_MEMORY_FAULT))
		complain("vCPU %u %s 0x%llx, %s (%s 0x%llx)", cpu->index, verb,
			 (unsigned long long)gpa, where, arch->pc_name, cpu_pc(cpu));
}

void print_regs(struct vm_cpu *cpu)
{
	const struct guest_arch *arch = cpu->machine->opt->arch;
	char line[256] = "";
	uint64_t value;
	size_t used = 0;

	for (unsigned int i = 0; i < arch->nr_regs; i++) {
		if (axvcpu_vcpu_get_reg_by_name(cpu->vcpu, arch->regs[i], &value))
			return;
		used += snprintf(line + used, sizeof(line) - used, " %s=0x%llx", arch->regs[i],
				 (unsigned long long)value);
		if (i % REGS_PER_LINE == REGS_PER_LINE - 1 || i == arch->nr_regs - 1) {
			complain(" %s", line);
			used = 0;
		}
	}
}

int on_memory_fault(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	memory_fault(data, run->fault.access, run->fault.gpa,
		     run->fault.flags & AXVCPU_FAULT_BAD_HOST ?
		     "memory that the host can't deliver" : "where it has no memory");
	return 1;
}

int on_fail_entry(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	char text[256];

	(void)run;
	axvcpu_vcpu_exit_text(vcpu, text, sizeof(text));
	if (machine_end(cpu->machine, EXIT_FAIL_ENTRY)) {
		complain("vCPU %u: the hardware refused the guest's state: %s", cpu->index, text);
		print_regs(cpu);
	}
	return 1;
}

int on_other(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	char text[256];

	(void)run;
	axvcpu_vcpu_exit_text(vcpu, text, sizeof(text));
	if (machine_end(cpu->machine, EXIT_UNHANDLED)) {
		complain("vCPU %u: no answer to exit %s", cpu->index, text);
		print_regs(cpu);
	}
	return 1;
}

int on_interrupted(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	(void)run;
	return machine_ending(cpu->machine);
}

int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	(void)run;
	if (cpu->machine->opt->trace)
		report_exit(cpu);
	return machine_ending(cpu->machine);
}
