// SPDX-License-Identifier: GPL-2.0-only
/* See cpuid.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "cpuid.h"
#include "report.h"

static const char *const names[] = { "eax", "ebx", "ecx", "edx" };

static const char *const presets[] = {
	[AXVCPU_X86_PRESET_MINIMAL]	= "minimal",
	[AXVCPU_X86_PRESET_HOST]	= "host",
	[AXVCPU_X86_PRESET_PC]		= "pc",
};

/* A number of 32 bits; the text behind it, or NULL. */
static const char *parse_u32(const char *text, uint32_t *value)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return NULL;
	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || n > UINT32_MAX)
		return NULL;
	*value = n;
	return end;
}

/* "REG=VALUE" */
static const char *parse_reg(const char *text, struct cpuid_option *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(text, names[i], len) || text[len] != '=')
			continue;
		if (option->given & 1U << i)
			return NULL;
		option->given |= 1U << i;
		return parse_u32(text + len + 1, &option->regs[i]);
	}
	return NULL;
}

int cpuid_parse_preset(const char *text, enum axvcpu_x86_preset *preset)
{
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		if (!strcmp(text, presets[i])) {
			*preset = i;
			return 0;
		}
	}
	return -EINVAL;
}

int cpuid_parse(const char *text, struct cpuid_option *option)
{
	*option = (struct cpuid_option){ 0 };
	text = parse_u32(text, &option->leaf);
	if (text && *text == '.')
		text = parse_u32(text + 1, &option->subleaf);
	if (!text || *text != ':')
		return -EINVAL;
	do {
		text = parse_reg(text + 1, option);
	} while (text && *text == ',');
	return text && !*text ? 0 : -EINVAL;
}

int cpuid_apply_preset(struct axvcpu_vcpu *vcpu, enum axvcpu_x86_preset preset, unsigned int cpus)
{
	int err = axvcpu_x86_set_cpuid_preset(vcpu, preset);

	if (!err && preset == AXVCPU_X86_PRESET_PC)
		err = axvcpu_x86_set_cpuid_topology(vcpu, cpus, 1);
	if (err)
		complain("no CPUID of \"%s\": %s", presets[preset], axvcpu_error_text());
	return err;
}

static int apply(struct axvcpu_vcpu *vcpu, const struct cpuid_option *option)
{
	uint32_t regs[4], max[4];
	int err = axvcpu_x86_get_cpuid(vcpu, option->leaf, option->subleaf, regs);

	if (!err)
		err = axvcpu_x86_get_cpuid_max(vcpu, option->leaf, option->subleaf, max);
	if (err) {
		complain("CPUID has no leaf 0x%x.%u", option->leaf, option->subleaf);
		return err;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(option->given & 1U << i))
			continue;
		regs[i] = option->regs[i];
		if (regs[i] & ~max[i]) {
			complain("%s of CPUID's leaf 0x%x.%u can have the bits 0x%x only",
				 names[i], option->leaf, option->subleaf, max[i]);
			return -EINVAL;
		}
	}
	return axvcpu_x86_set_cpuid(vcpu, option->leaf, option->subleaf, regs);
}

int cpuid_apply(struct axvcpu_vcpu *vcpu, const struct cpuid_option *options, unsigned int count)
{
	int err = 0;

	for (unsigned int i = 0; i < count && !err; i++)
		err = apply(vcpu, &options[i]);
	return err;
}
