/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers to exits that are the same on every architecture. */
#ifndef AXVMM_EXITS_H
#define AXVMM_EXITS_H

#include "machine.h"

/**
 * struct fixed_answer - a register or port that always reads the same
 * @addr: its address
 * @value: what it reads as
 */
struct fixed_answer {
	uint64_t addr;
	uint64_t value;
};

/**
 * print_byte() - what the guest wrote to its console
 * @cpu: the vCPU
 * @byte: the byte
 */
void print_byte(struct vm_cpu *cpu, uint8_t byte);

/**
 * exit_code() - what the guest wrote to end itself
 * @cpu: the vCPU
 * @code: the exit code
 */
void exit_code(struct vm_cpu *cpu, uint64_t code);

/**
 * answer_sysreg() - answer SYSREG_READ or _WRITE; writes vanish
 * @run: the run page
 * @answers: registers that are there; any other fails in the guest
 * @count: elements of @answers
 */
void answer_sysreg(struct axvcpu_run *run, const struct fixed_answer *answers, size_t count);

/**
 * memory_fault() - the guest accessed memory that it doesn't have
 * @cpu: the vCPU
 * @access: ``AXVCPU_MAP_*``
 * @gpa: where
 * @where: in words
 */
void memory_fault(struct vm_cpu *cpu, uint32_t access, uint64_t gpa, const char *where);

/**
 * print_regs() - print the registers of a vCPU that came to grief
 * @cpu: the vCPU, not inside RUN
 */
void print_regs(struct vm_cpu *cpu);

/* Handlers, for the tables; they are &axvcpu_exit_fn with a &struct vm_cpu. */
int on_memory_fault(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_fail_entry(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_other(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_interrupted(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);
int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);

#endif /* AXVMM_EXITS_H */
