// SPDX-License-Identifier: LGPL-2.1-or-later
/* CPUIDs as a whole: what a guest is shown of the processor, and how many there are. */
#include "internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { EAX, EBX, ECX, EDX };

/* Leaf 1 */
#define ECX_X2APIC	(1U << 21)
#define ECX_DEADLINE	(1U << 24)
#define EDX_MCE		(1U << 7)
#define EDX_APIC	(1U << 9)
#define EDX_MTRR	(1U << 12)
#define EDX_MCA		(1U << 14)
#define EDX_HTT		(1U << 28)
/* Leaf 6 */
#define EAX_ARAT	(1U << 2)
/* Leaf 0x80000001 */
#define ECX_CMP_LEGACY	(1U << 1)

/* Registers of a leaf, or a mask for them */
struct leaf {
	uint32_t leaf;
	uint32_t regs[4];
};

/* What a PC has and a VMM makes: an interrupt controller with a timer, MTRRs, banks of errors. */
static const struct leaf pc[] = {
	{ 1, { [ECX] = ECX_X2APIC | ECX_DEADLINE,
	       [EDX] = EDX_MCE | EDX_APIC | EDX_MTRR | EDX_MCA } },
	{ 6, { [EAX] = EAX_ARAT } },
};

/* Registers that hold features. Whether there are more processors is the topology's. */
static const struct leaf features[] = {
	{ 1, { [ECX] = ~0U, [EDX] = ~EDX_HTT } },
	{ 6, { [EAX] = ~0U } },
	{ 7, { [EBX] = ~0U, [ECX] = ~0U, [EDX] = ~0U } },
	{ 0x80000001, { [ECX] = ~ECX_CMP_LEGACY, [EDX] = ~0U } },
};

static int show(struct axvcpu_vcpu *vcpu, uint32_t leaf, const uint32_t bits[4])
{
	uint32_t regs[4];
	int err = axvcpu_x86_get_cpuid(vcpu, leaf, 0, regs);

	if (err)
		return err;
	for (int i = 0; i < 4; i++)
		regs[i] |= bits[i];
	return axvcpu_x86_set_cpuid(vcpu, leaf, 0, regs);
}

static int show_pc(struct axvcpu_vcpu *vcpu)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pc) && !err; i++)
		err = show(vcpu, pc[i].leaf, pc[i].regs);
	return err;
}

/* What this processor says; on another architecture, and without such a leaf, zero. */
static void ask_host(uint32_t leaf, uint32_t regs[4])
{
	for (int i = 0; i < 4; i++)
		regs[i] = 0;
#if defined(__x86_64__) || defined(__i386__)
	__get_cpuid_count(leaf, 0, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]);
#else
	(void)leaf;
#endif
}

static int show_host(struct axvcpu_vcpu *vcpu)
{
	uint32_t bits[4], max[4];
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features) && !err; i++) {
		ask_host(features[i].leaf, bits);
		err = axvcpu_x86_get_cpuid_max(vcpu, features[i].leaf, 0, max);
		if (err)
			break;
		for (int j = 0; j < 4; j++)
			bits[j] &= max[j] & features[i].regs[j];
		err = show(vcpu, features[i].leaf, bits);
	}
	return err;
}

int axvcpu_x86_set_cpuid_preset(struct axvcpu_vcpu *vcpu, enum axvcpu_x86_preset preset)
{
	switch (preset) {
	case AXVCPU_X86_PRESET_MINIMAL:
		return 0;
	case AXVCPU_X86_PRESET_HOST:
		return show_host(vcpu);
	case AXVCPU_X86_PRESET_PC:
		return show_pc(vcpu);
	}
	return failed(CALL_CPUID, -EINVAL);
}

/* --- topology ----------------------------------------------------------------- */

#define ID_BITS		16	/* of a vCPU's number */
#define NR_CACHES	8

/* Bits of an APIC id that so many take */
static unsigned int id_bits(unsigned int count)
{
	unsigned int bits = 0;

	while (1U << bits < count)
		bits++;
	return bits;
}

static uint32_t at_most(uint32_t value, uint32_t max)
{
	return value < max ? value : max;
}

/* Leaf 1: how many ids a package takes. */
static int set_package(struct axvcpu_vcpu *vcpu, unsigned int ids)
{
	uint32_t regs[4];
	int err = axvcpu_x86_get_cpuid(vcpu, 1, 0, regs);

	if (err)
		return err;
	regs[EBX] = (regs[EBX] & ~0xff0000U) | at_most(ids, 0xff) << 16;
	regs[EDX] = (regs[EDX] & ~EDX_HTT) | (ids > 1 ? EDX_HTT : 0);
	return axvcpu_x86_set_cpuid(vcpu, 1, 0, regs);
}

/* Leaf 4: caches of levels 1 and 2 are a core's, others are the package's. */
static int share_caches(struct axvcpu_vcpu *vcpu, unsigned int core_ids, unsigned int thread_ids)
{
	uint32_t regs[4];
	int err = 0;

	for (uint32_t i = 0; i < NR_CACHES && !err; i++) {
		uint32_t ids;

		err = axvcpu_x86_get_cpuid(vcpu, 4, i, regs);
		if (err || !(regs[EAX] & 0x1f))
			break;
		ids = (regs[EAX] >> 5 & 7) > 2 ? core_ids * thread_ids : thread_ids;
		regs[EAX] = (regs[EAX] & 0x3fff) | at_most(ids - 1, 0xfff) << 14 |
			    at_most(core_ids - 1, 0x3f) << 26;
		err = axvcpu_x86_set_cpuid(vcpu, 4, i, regs);
	}
	return err;
}

int axvcpu_x86_set_cpuid_topology(struct axvcpu_vcpu *vcpu, unsigned int cores,
				  unsigned int threads)
{
	unsigned int thread_bits, core_bits;
	int err;

	if (!cores || !threads || cores > 1U << ID_BITS || threads > 1U << ID_BITS)
		return failed(CALL_CPUID, -EINVAL);
	thread_bits = id_bits(threads);
	core_bits = id_bits(cores);
	if (core_bits + thread_bits > ID_BITS)
		return failed(CALL_CPUID, -EINVAL);
	err = set_package(vcpu, 1U << (core_bits + thread_bits));
	if (!err)
		err = share_caches(vcpu, 1U << core_bits, 1U << thread_bits);
	if (!err)
		err = axvcpu_x86_set_cpuid(vcpu, 0xb, 0, (const uint32_t[]){
			thread_bits, threads, 1 << 8, 0 });
	if (!err)
		err = axvcpu_x86_set_cpuid(vcpu, 0xb, 1, (const uint32_t[]){
			core_bits + thread_bits, cores * threads, 1 | 2 << 8, 0 });
	return err;
}
