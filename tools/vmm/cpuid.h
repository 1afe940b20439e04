/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID tells an x86 guest, as far as the command line changes it. */
#ifndef AXVMM_CPUID_H
#define AXVMM_CPUID_H

#include <stdint.h>

#include <libaxvcpu.h>

/**
 * struct cpuid_option - a leaf on the command line
 * @leaf: its number
 * @subleaf: 0 where there are none
 * @given: bit n: @regs[n] is to be changed
 * @regs: EAX, EBX, ECX, EDX
 */
struct cpuid_option {
	uint32_t leaf;
	uint32_t subleaf;
	unsigned int given;
	uint32_t regs[4];
};

/**
 * cpuid_parse_preset() - read the name of a preset
 * @text: the text
 * @preset: where it goes
 *
 * Return: 0 or -EINVAL.
 */
int cpuid_parse_preset(const char *text, enum axvcpu_x86_preset *preset);

/**
 * cpuid_parse() - read "LEAF[.SUBLEAF]:REG=VALUE[,REG=VALUE...]"
 * @text: the text
 * @option: where it goes
 *
 * Return: 0 or -EINVAL.
 */
int cpuid_parse(const char *text, struct cpuid_option *option);

/**
 * cpuid_apply_preset() - choose a vCPU's CPUID
 * @vcpu: the vCPU, Created
 * @preset: which
 * @cpus: vCPUs of the machine; in a PC they are the cores of one package
 *
 * Return: 0 or a negative errno, after a message.
 */
int cpuid_apply_preset(struct axvcpu_vcpu *vcpu, enum axvcpu_x86_preset preset,
		       unsigned int cpus);

/**
 * cpuid_apply() - change a vCPU's CPUID
 * @vcpu: the vCPU, Created
 * @options: what to change
 * @count: how many
 *
 * Return: 0 or a negative errno, after a message.
 */
int cpuid_apply(struct axvcpu_vcpu *vcpu, const struct cpuid_option *options, unsigned int count);

#endif /* AXVMM_CPUID_H */
