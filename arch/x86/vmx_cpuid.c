// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID tells the guest: the host's answers without what the backend
 * does not carry, made once at load, and a leaf of our own.
 */
#include <linux/kernel.h>

#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "vmx.h"

#define NR_BASIC	0x17
#define NR_EXTENDED	0x09
#define NR_CACHE_LEAVES	8

#define EXTENDED	0x80000000
#define HYPERVISOR	0x40000000

enum { EAX, EBX, ECX, EDX };

struct leaf {
	u32 reg[4];
};

/* Subleaf 0 of each; those of the leaves 4 and 0xb are looked up apart. */
static struct leaf basic[NR_BASIC] __ro_after_init;
static struct leaf extended[NR_EXTENDED] __ro_after_init;
static struct leaf caches[NR_CACHE_LEAVES] __ro_after_init;
static const struct leaf hypervisor = { { HYPERVISOR, 0x43567841, 0x78417570, 0x75704356 } };

#define F(name)	BIT(X86_FEATURE_##name & 31)

/*
 * Without XSAVE and what builds on it, RDTSCP and RDPID, performance
 * monitoring, MCE, MTRR, the APIC, and the speculation controls, whose MSRs
 * are not the guest's.
 */
#define LEAF_1_ECX								\
	(F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(CX16) | F(XMM4_1) | F(XMM4_2) |	\
	 F(MOVBE) | F(POPCNT) | F(AES) | F(RDRAND))
#define LEAF_1_EDX								\
	(F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) |	\
	 F(SEP) | F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(CLFLUSH) | F(MMX) |	\
	 F(FXSR) | F(XMM) | F(XMM2))
#define LEAF_7_EBX								\
	(F(FSGSBASE) | F(BMI1) | F(SMEP) | F(BMI2) | F(ERMS) | F(RDSEED) |	\
	 F(ADX) | F(SMAP) | F(CLFLUSHOPT) | F(CLWB) | F(SHA_NI))
#define LEAF_7_ECX	F(UMIP)
#define LEAF_7_EDX	(F(FSRM) | F(MD_CLEAR))
#define EXT_1_ECX	(F(LAHF_LM) | F(ABM) | F(3DNOWPREFETCH))
#define EXT_1_EDX	(F(SYSCALL) | F(NX) | F(GBPAGES) | F(LM))
#define INVARIANT_TSC	BIT(8)

static struct leaf __init host_leaf(u32 leaf, u32 subleaf)
{
	struct leaf l;

	cpuid_count(leaf, subleaf, &l.reg[EAX], &l.reg[EBX], &l.reg[ECX], &l.reg[EDX]);
	return l;
}

static void __init and_leaf(struct leaf *l, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	l->reg[EAX] &= eax;
	l->reg[EBX] &= ebx;
	l->reg[ECX] &= ecx;
	l->reg[EDX] &= edx;
}

static void __init init_features(void)
{
	bool pcid = vmx_caps.cr4_allowed & X86_CR4_PCIDE;

	/* EBX: line size of CLFLUSH; one logical CPU; the APIC id comes later. */
	and_leaf(&basic[1], ~0U, 0xff00, LEAF_1_ECX | (pcid ? F(PCID) : 0), LEAF_1_EDX);
	basic[1].reg[EBX] |= 1 << 16;
	basic[1].reg[ECX] |= F(HYPERVISOR);
	and_leaf(&basic[7], 0, LEAF_7_EBX | (pcid ? F(INVPCID) : 0), LEAF_7_ECX, LEAF_7_EDX);
	and_leaf(&extended[1], ~0U, 0, EXT_1_ECX, EXT_1_EDX);
	and_leaf(&extended[7], 0, 0, 0, INVARIANT_TSC);
	/* Physical addresses as wide as the second stage's input. */
	extended[8].reg[EAX] = ept_format.gpa_bits | 48 << 8;
	and_leaf(&extended[8], ~0U, 0, 0, 0);
}

/* Not shared with other CPUs, whatever the host's topology is. */
static void __init init_caches(void)
{
	unsigned int i;

	for (i = 0; i < NR_CACHE_LEAVES; i++) {
		caches[i] = host_leaf(4, i);
		caches[i].reg[EAX] &= GENMASK(13, 0);
	}
	basic[4] = caches[0];
}

/**
 * vmx_cpuid_init() - make the table
 *
 * Context: module load, after vmx_caps_init() and ept_init().
 */
void __init vmx_cpuid_init(void)
{
	/* MONITOR, power, performance monitoring, topology, XSAVE and on. */
	static const u32 hidden = BIT(3) | BIT(5) | BIT(6) | BIT(8) | BIT(9) | GENMASK(0x14, 0xa);
	u32 last = min_t(u32, cpuid_eax(0), NR_BASIC - 1);
	u32 last_extended = min_t(u32, cpuid_eax(EXTENDED), EXTENDED + NR_EXTENDED - 1);
	u32 i;

	for (i = 0; i <= last; i++) {
		if (!(hidden & BIT(i)))
			basic[i] = host_leaf(i, 0);
	}
	for (i = 0; EXTENDED + i <= last_extended; i++)
		extended[i] = host_leaf(EXTENDED + i, 0);
	basic[0].reg[EAX] = last;
	extended[0].reg[EAX] = last_extended;
	init_features();
	init_caches();
}

/* Leaves of which subleaves or the vCPU make a difference */
#define SPECIAL		(BIT(1) | BIT(4) | BIT(7) | BIT(0xb))

static struct leaf special(const struct vmx_vcpu *vmx, u32 leaf, u32 subleaf)
{
	struct leaf l = {};

	if (leaf == 1) {
		l = basic[1];
		l.reg[EBX] |= vmx->vcpu.vcpu_id << 24;
	} else if (leaf == 4 && subleaf < NR_CACHE_LEAVES) {
		l = caches[subleaf];
	} else if (leaf == 7 && !subleaf) {
		l = basic[7];
	} else if (leaf == 0xb) {
		/* Each vCPU is a package of one core with one thread. */
		l.reg[EBX] = subleaf < 2;
		l.reg[ECX] = (subleaf & 0xff) | (subleaf < 2 ? (subleaf + 1) << 8 : 0);
		l.reg[EDX] = vmx->vcpu.vcpu_id;
	}
	return l;
}

static struct leaf find(const struct vmx_vcpu *vmx, u32 leaf, u32 subleaf)
{
	if (leaf < NR_BASIC)
		return BIT(leaf) & SPECIAL ? special(vmx, leaf, subleaf) : basic[leaf];
	if (leaf >= EXTENDED && leaf - EXTENDED < NR_EXTENDED)
		return extended[leaf - EXTENDED];
	return leaf == HYPERVISOR ? hypervisor : (struct leaf){};
}

/**
 * vmx_cpuid() - answer a CPUID instruction
 * @vmx: the vCPU; RAX and RCX say what is asked
 *
 * Context: preemption off.
 */
void vmx_cpuid(struct vmx_vcpu *vmx)
{
	u64 *gprs = vmx_gprs(vmx);
	struct leaf l = find(vmx, READ_ONCE(gprs[AXVCPU_X86_RAX]),
			     READ_ONCE(gprs[AXVCPU_X86_RCX]));

	WRITE_ONCE(gprs[AXVCPU_X86_RAX], l.reg[EAX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RBX], l.reg[EBX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RCX], l.reg[ECX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RDX], l.reg[EDX]);
}
