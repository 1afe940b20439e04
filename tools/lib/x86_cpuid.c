// SPDX-License-Identifier: LGPL-2.1-or-later
/* What CPUID tells the guest: the leaves' registers, out of ids of 64 bits. */
#include "internal.h"

#define HALVES	2

/* Bits of an id for the subleaf; above, it would be another register. */
#define MAX_SUBLEAF	0xffffU

static int get(struct axvcpu_vcpu *vcpu, uint32_t subleaf, uint64_t half0, uint64_t half1,
	       uint32_t *regs)
{
	struct axvcpu_reg halves[HALVES] = { { .id = half0 }, { .id = half1 } };
	int err;

	if (subleaf > MAX_SUBLEAF)
		return failed(CALL_GET_REGS, -EINVAL);
	err = axvcpu_vcpu_get_regs(vcpu, halves, HALVES);
	for (int i = 0; !err && i < HALVES; i++) {
		regs[2 * i] = halves[i].value;
		regs[2 * i + 1] = halves[i].value >> 32;
	}
	return err;
}

int axvcpu_x86_get_cpuid(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			 uint32_t regs[4])
{
	return get(vcpu, subleaf, AXVCPU_X86_REG_CPUID(leaf, subleaf, 0),
		   AXVCPU_X86_REG_CPUID(leaf, subleaf, 1), regs);
}

int axvcpu_x86_get_cpuid_max(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			     uint32_t regs[4])
{
	return get(vcpu, subleaf, AXVCPU_X86_REG_CPUID_MAX(leaf, subleaf, 0),
		   AXVCPU_X86_REG_CPUID_MAX(leaf, subleaf, 1), regs);
}

int axvcpu_x86_set_cpuid(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			 const uint32_t regs[4])
{
	const struct axvcpu_reg halves[HALVES] = {
		{ AXVCPU_X86_REG_CPUID(leaf, subleaf, 0), regs[0] | (uint64_t)regs[1] << 32 },
		{ AXVCPU_X86_REG_CPUID(leaf, subleaf, 1), regs[2] | (uint64_t)regs[3] << 32 },
	};

	if (subleaf > MAX_SUBLEAF)
		return failed(CALL_SET_REGS, -EINVAL);
	return axvcpu_vcpu_set_regs(vcpu, halves, HALVES);
}
