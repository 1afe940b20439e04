// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID tells the guest: a table with a place for each leaf and subleaf
 * there is, which starts as the host's answers without what the backend does
 * not carry. The VMM changes it by register ids, within a table of what may be.
 */
#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/vmx.h>

#include "ept.h"
#include "vmx.h"
#include "vmx_caps.h"
#include "vmx_cpuid.h"
#include "vmx_fpu.h"

#define NR_BASIC	32
#define NR_HYPERVISOR	32	/* 0x40000010 has the TSC's frequency */
#define NR_EXTENDED	32

#define HYPERVISOR	0x40000000
#define EXTENDED	0x80000000

enum { EAX, EBX, ECX, EDX };

struct leaf {
	u32 reg[4];
};

/* Leaves that look at ECX: places of further subleaves behind those of the leaves */
static const struct {
	u8 leaf;
	u8 count;	/* with subleaf 0; above, all is 0 */
} subleaves[] = {
	{ 4, 8 }, { 7, 2 }, { 0xb, 4 }, { 0xd, 8 }, { 0x18, 1 }, { 0x1f, 6 },
};

#define AT_HYPERVISOR	NR_BASIC
#define AT_EXTENDED	(AT_HYPERVISOR + NR_HYPERVISOR)
#define AT_SUBLEAVES	(AT_EXTENDED + NR_EXTENDED)
#define NR_LEAVES	(AT_SUBLEAVES + 7 + 1 + 3 + 7 + 5)

#define HAS_SUBLEAVES	(BIT(4) | BIT(7) | BIT(0xb) | BIT(0xd) | BIT(0x18) | BIT(0x1f))

static struct leaf defaults[NR_LEAVES] __ro_after_init;
static struct leaf allowed[NR_LEAVES] __ro_after_init;

#define F(name)	BIT(X86_FEATURE_##name & 31)

#define AVX512_EBX								\
	(F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512CD) | F(AVX512BW) | F(AVX512VL))
#define AVX512_ECX								\
	(F(AVX512VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) | F(AVX512_BITALG) |	\
	 F(AVX512_VPOPCNTDQ))
#define AVX512_7_1	F(AVX512_BF16)
#define AVX512_EDX	(F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT))

#define SPEC_CTRL_EDX	(F(SPEC_CTRL) | F(INTEL_STIBP) | F(SPEC_CTRL_SSBD))

/*
 * Features: those that need nothing but the CPU, and those that the VMM can
 * make, because what belongs to them exits: MSRs and memory. In neither, and
 * hidden, are performance monitoring, protection keys, MPX, AMX, SGX, CET, what
 * sleeps (MONITOR, UMWAIT), and what is only for hosts.
 */
static const struct {
	u32 leaf;
	u8 subleaf;
	u8 reg;
	u32 native;
	u32 vmm;
} features[] = {
	{
		1, 0, ECX,
		F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) | F(XMM4_1) |
		F(XMM4_2) | F(MOVBE) | F(POPCNT) | F(AES) | F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND),
		F(X2APIC) | F(TSC_DEADLINE_TIMER) | F(HYPERVISOR),
	}, {
		1, 0, EDX,
		F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | F(SEP) |
		F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(CLFLUSH) | F(MMX) | F(FXSR) | F(XMM) |
		F(XMM2),
		F(MCE) | F(APIC) | F(MTRR) | F(MCA) | F(SELFSNOOP) | F(HT),
	}, {
		6, 0, EAX, 0, F(ARAT),
	}, {
		7, 0, EBX,
		F(FSGSBASE) | F(BMI1) | F(AVX2) | F(FDP_EXCPTN_ONLY) | F(SMEP) | F(BMI2) | F(ERMS) |
		F(INVPCID) | F(ZERO_FCS_FDS) | F(RDSEED) | F(ADX) | F(SMAP) | F(CLFLUSHOPT) |
		F(CLWB) | F(SHA_NI) | AVX512_EBX,
		F(TSC_ADJUST),
	}, {
		7, 0, ECX,
		F(UMIP) | F(GFNI) | F(VAES) | F(VPCLMULQDQ) | F(RDPID) | F(MOVDIRI) |
		F(MOVDIR64B) | AVX512_ECX,
	}, {
		7, 0, EDX,
		F(FSRM) | F(MD_CLEAR) | F(SERIALIZE) | AVX512_EDX | SPEC_CTRL_EDX,
		F(ARCH_CAPABILITIES),
	}, {
		7, 1, EAX, F(AVX_VNNI) | AVX512_7_1,
	}, {
		0xd, 0, EAX, VMX_XFEATURES,
	}, {
		0xd, 1, EAX, F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1),
	}, {
		EXTENDED + 1, 0, ECX, F(LAHF_LM) | F(ABM) | F(3DNOWPREFETCH), F(CMP_LEGACY),
	}, {
		EXTENDED + 1, 0, EDX,
		F(SYSCALL) | F(NX) | F(GBPAGES) | F(RDTSCP) | F(LM),
	}, {
		EXTENDED + 7, 0, EDX, BIT(8),	/* invariant TSC */
	},
};

/* Leaves that describe and enable nothing, so that any answer will do */
static const u32 descriptions[] = {
	0, 2, 3, 4, 0x15, 0x16, 0x18, EXTENDED, EXTENDED + 2, EXTENDED + 3, EXTENDED + 4,
	EXTENDED + 5, EXTENDED + 6, EXTENDED + 8,
};

/* Bits of CR4 that the guest may set if CPUID shows the feature */
static const struct {
	u32 cr4;
	u32 leaf;
	u32 reg;
	u32 bit;
} cr4_features[] = {
	{ X86_CR4_MCE, 1, EDX, F(MCE) },
	{ X86_CR4_UMIP, 7, ECX, F(UMIP) },
	{ X86_CR4_FSGSBASE, 7, EBX, F(FSGSBASE) },
	{ X86_CR4_PCIDE, 1, ECX, F(PCID) },
	{ X86_CR4_OSXSAVE, 1, ECX, F(XSAVE) },
	{ X86_CR4_SMEP, 7, EBX, F(SMEP) },
	{ X86_CR4_SMAP, 7, EBX, F(SMAP) },
};

/* The same of EFER */
static const struct {
	u64 efer;
	u32 bit;	/* of leaf 0x80000001, EDX */
} efer_features[] = {
	{ EFER_SCE, F(SYSCALL) },
	{ EFER_LME | EFER_LMA, F(LM) },
	{ EFER_NX, F(NX) },
};

/* Instructions that are #UD if CPUID does not show them, and how */
static const struct {
	u32 leaf;
	u32 reg;
	u32 bit;
	u32 there;	/* the secondary control that enables it */
	u32 exits;	/* the one that makes it exit */
} insn_features[] = {
	{ 1, ECX, F(RDRAND), 0, SECONDARY_EXEC_RDRAND_EXITING },
	{ 7, EBX, F(RDSEED), 0, SECONDARY_EXEC_RDSEED_EXITING },
	{ 7, EBX, F(INVPCID), SECONDARY_EXEC_ENABLE_INVPCID, 0 },
};

/* Where a subleaf stands; -1: nowhere. */
static int find_subleaf(u32 leaf, u32 subleaf)
{
	unsigned int i, at = AT_SUBLEAVES;

	for (i = 0; subleaves[i].leaf != leaf; i++)
		at += subleaves[i].count - 1;
	return subleaf < subleaves[i].count ? at + subleaf - 1 : -1;
}

static __always_inline int find(u32 leaf, u32 subleaf)
{
	if (leaf < NR_BASIC)
		return subleaf && (BIT(leaf) & HAS_SUBLEAVES) ? find_subleaf(leaf, subleaf) : leaf;
	if (leaf - EXTENDED < NR_EXTENDED)
		return AT_EXTENDED + (leaf - EXTENDED);
	if (leaf - HYPERVISOR < NR_HYPERVISOR)
		return AT_HYPERVISOR + (leaf - HYPERVISOR);
	return -1;
}

static struct leaf __init host_leaf(u32 leaf, u32 subleaf)
{
	struct leaf l = {};

	if ((leaf & EXTENDED ? cpuid_eax(EXTENDED) : cpuid_eax(0)) >= leaf)
		cpuid_count(leaf, subleaf, &l.reg[EAX], &l.reg[EBX], &l.reg[ECX], &l.reg[EDX]);
	return l;
}

static void __init init_descriptions(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(descriptions); i++) {
		int at = find(descriptions[i], 0);

		defaults[at] = host_leaf(descriptions[i], 0);
		memset(&allowed[at], 0xff, sizeof(allowed[at]));
	}
	memset(&allowed[AT_HYPERVISOR], 0xff, NR_HYPERVISOR * sizeof(allowed[0]));
	defaults[AT_HYPERVISOR] = (struct leaf){
		{ HYPERVISOR, 0x43567841, 0x78417570, 0x75704356 }	/* AxVCpuAxVCpu */
	};
	defaults[0].reg[EAX] = min_t(u32, defaults[0].reg[EAX], 0x16);
	defaults[AT_EXTENDED].reg[EAX] = min_t(u32, defaults[AT_EXTENDED].reg[EAX], EXTENDED + 8);
}

static void __init init_features(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		u32 reg = features[i].reg, host = host_leaf(features[i].leaf,
							    features[i].subleaf).reg[reg];
		int at = find(features[i].leaf, features[i].subleaf);

		defaults[at].reg[reg] = host & features[i].native;
		allowed[at].reg[reg] = (host & features[i].native) | features[i].vmm;
	}
	/* Family, model and stepping; line size of CLFLUSH; one logical CPU */
	defaults[1].reg[EAX] = host_leaf(1, 0).reg[EAX];
	defaults[1].reg[EBX] = (host_leaf(1, 0).reg[EBX] & 0xff00) | 1 << 16;
	defaults[1].reg[ECX] |= F(HYPERVISOR);
	allowed[1].reg[EAX] = ~0U;
	allowed[1].reg[EBX] = ~0U;
	/* Physical addresses as wide as the second stage's input. */
	defaults[AT_EXTENDED + 8] = (struct leaf){ { ept_format.gpa_bits | 48 << 8 } };
}

/* What a CPU lacks is not shown, whatever its CPUID says. */
static void __init hide_in(u32 leaf, u32 subleaf, u32 reg, u32 bits)
{
	int at = find(leaf, subleaf);

	defaults[at].reg[reg] &= ~bits;
	allowed[at].reg[reg] &= ~bits;
}

static void __init hide(u32 leaf, u32 reg, u32 bits)
{
	hide_in(leaf, 0, reg, bits);
}

static void __init hide_what_is_not_carried(void)
{
	if (!(vmx_caps.cr4_allowed & X86_CR4_PCIDE)) {
		hide(1, ECX, F(PCID));
		hide(7, EBX, F(INVPCID));
	}
	if (!(vmx_caps.cpu2 & SECONDARY_EXEC_ENABLE_RDTSCP)) {
		hide(EXTENDED + 1, EDX, F(RDTSCP));
		hide(7, ECX, F(RDPID));
	}
	hide(0xd, EAX, ~vmx_xcr0);
	if (!vmx_xcr0) {
		hide(1, ECX, F(XSAVE));
		memset(&allowed[find(0xd, 1)], 0, sizeof(allowed[0]));
		memset(&defaults[find(0xd, 1)], 0, sizeof(defaults[0]));
	}
	if (!(vmx_xcr0 & XFEATURE_MASK_YMM)) {
		hide(1, ECX, F(AVX) | F(F16C) | F(FMA));
		hide(7, EBX, F(AVX2));
		hide(7, ECX, F(VAES) | F(VPCLMULQDQ));
		hide_in(7, 1, EAX, F(AVX_VNNI));
	}
	if (!(vmx_xcr0 & XFEATURE_MASK_AVX512)) {
		hide(7, EBX, AVX512_EBX);
		hide(7, ECX, AVX512_ECX);
		hide(7, EDX, AVX512_EDX);
		hide_in(7, 1, EAX, AVX512_7_1);
	}
	/*
	 * RDTSCP costs each section two accesses to TSC_AUX, and speculation control each
	 * entry and exit two to its MSR: for those who ask for them.
	 */
	defaults[AT_EXTENDED + 1].reg[EDX] &= ~F(RDTSCP);
	defaults[7].reg[ECX] &= ~F(RDPID);
	defaults[7].reg[EDX] &= ~SPEC_CTRL_EDX;
}

static void __init init_subleaves(void)
{
	unsigned int i;

	/* Caches are not shared with other CPUs, whatever the host's topology is. */
	for (i = 0; i < 8; i++) {
		struct leaf *l = &defaults[find(4, i)];

		*l = host_leaf(4, i);
		l->reg[EAX] &= GENMASK(13, 0);
		memset(&allowed[find(4, i)], 0xff, sizeof(*l));
	}
	/* The number of the last one */
	defaults[7].reg[EAX] = min_t(u32, host_leaf(7, 0).reg[EAX], 1);
	allowed[7].reg[EAX] = 1;
	for (i = 2; i < 8; i++) {
		if (!(vmx_xcr0 & BIT(i)))
			continue;
		defaults[find(0xd, i)] = host_leaf(0xd, i);
		allowed[find(0xd, i)] = defaults[find(0xd, i)];
	}
	defaults[0xd].reg[ECX] = vmx_xcr0 ? vmx_xsave_size(vmx_xcr0) : 0;
	allowed[0xd].reg[ECX] = ~0U;
	/* Each vCPU is a package of one core with one thread. */
	defaults[0xb] = (struct leaf){ { 0, 1, 1 << 8 } };
	defaults[find(0xb, 1)] = (struct leaf){ { 0, 1, 1 | 2 << 8 } };
	for (i = 0; i < 4; i++)
		memset(&allowed[find(0xb, i)], 0xff, sizeof(allowed[0]));
	for (i = 0; i < 6; i++)
		memset(&allowed[find(0x1f, i)], 0xff, sizeof(allowed[0]));
}

/**
 * vmx_cpuid_init() - make the tables
 *
 * Context: module load, after vmx_caps_init(), ept_init() and vmx_fpu_init().
 */
void __init vmx_cpuid_init(void)
{
	init_descriptions();
	init_features();
	init_subleaves();
	hide_what_is_not_carried();
}

/**
 * vmx_cpuid_create() - room for a vCPU's own table
 * @vmx: the vCPU
 *
 * It is filled in when the VMM changes something.
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int vmx_cpuid_create(struct vmx_vcpu *vmx)
{
	vmx->cpuid = kmalloc_array(NR_LEAVES, sizeof(struct leaf), GFP_KERNEL_ACCOUNT);
	return vmx->cpuid ? 0 : -ENOMEM;
}

static const struct leaf *table_of(const struct vmx_vcpu *vmx)
{
	return vmx->cpuid_set ? vmx->cpuid : defaults;
}

/* Bits that are not the table's, but the vCPU's as it stands */
static void add_dynamic(const struct vmx_vcpu *vmx, u32 leaf, u32 subleaf, struct leaf *l)
{
	u32 id = vmx->vcpu.vcpu_id;

	switch (leaf) {
	case 1:
		l->reg[EBX] = (l->reg[EBX] & GENMASK(23, 0)) | id << 24;
		if (vmx->osxsave)
			l->reg[ECX] |= F(OSXSAVE);
		break;
	case 0xb:
	case 0x1f:
		if (!table_of(vmx)[leaf].reg[EBX])
			break;
		l->reg[ECX] = (l->reg[ECX] & ~0xff) | (subleaf & 0xff);
		l->reg[EDX] = id;
		break;
	case 0xd:
		if (subleaf == 0 && l->reg[EAX])
			l->reg[EBX] = vmx_xsave_size(vmx->xcr0);
		else if (subleaf == 1 && l->reg[EAX] & F(XSAVEC))
			l->reg[EBX] = vmx_xsavec_size(vmx->xcr0);
		break;
	}
}

#define DYNAMIC		(BIT(1) | BIT(0xb) | BIT(0xd) | BIT(0x1f))

/**
 * vmx_cpuid() - answer a CPUID instruction
 * @vmx: the vCPU; RAX and RCX say what is asked
 *
 * Context: preemption off.
 */
void vmx_cpuid(struct vmx_vcpu *vmx)
{
	u64 *gprs = vmx_gprs(vmx);
	u32 leaf = READ_ONCE(gprs[AXVCPU_X86_RAX]), subleaf = READ_ONCE(gprs[AXVCPU_X86_RCX]);
	int at = find(leaf, subleaf);
	struct leaf l = {};

	if (at >= 0)
		l = table_of(vmx)[array_index_nospec(at, NR_LEAVES)];
	if (leaf < NR_BASIC && (BIT(leaf) & DYNAMIC))
		add_dynamic(vmx, leaf, subleaf, &l);

	WRITE_ONCE(gprs[AXVCPU_X86_RAX], l.reg[EAX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RBX], l.reg[EBX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RCX], l.reg[ECX]);
	WRITE_ONCE(gprs[AXVCPU_X86_RDX], l.reg[EDX]);
}

/* The fields of a register id */
#define ID_LEAF		GENMASK_ULL(31, 0)
#define ID_SUBLEAF	GENMASK_ULL(47, 32)
#define ID_HALF		BIT_ULL(48)
#define ID_MAX		BIT_ULL(61)
#define ID_CPUID	BIT_ULL(62)

/* Its place in the table, in halves of a leaf; -1: there is none. */
static int find_id(u64 id)
{
	u32 leaf = FIELD_GET(ID_LEAF, id), subleaf = FIELD_GET(ID_SUBLEAF, id);
	int at;

	if (id & ~(ID_LEAF | ID_SUBLEAF | ID_HALF | ID_MAX | ID_CPUID))
		return -1;
	if (subleaf && (leaf >= NR_BASIC || !(BIT(leaf) & HAS_SUBLEAVES)))
		return -1;
	at = find(leaf, subleaf);
	if (at < 0)
		return -1;
	return array_index_nospec(2 * at + !!(id & ID_HALF), 2 * NR_LEAVES);
}

static u64 get_half(const struct leaf *table, int at)
{
	const u32 *regs = &table[at / 2].reg[2 * (at & 1)];

	return regs[0] | (u64)regs[1] << 32;
}

/**
 * vmx_get_cpuid() - what the table says, or may say
 * @vmx: the vCPU
 * @id: AXVCPU_X86_REG_CPUID() or _CPUID_MAX()
 * @value: where it goes
 *
 * Context: any.
 * Return: 0, -EINVAL: there is no such leaf.
 */
int vmx_get_cpuid(const struct vmx_vcpu *vmx, u64 id, u64 *value)
{
	int at = find_id(id);

	if (at < 0)
		return -EINVAL;
	*value = get_half(id & ID_MAX ? allowed : table_of(vmx), at);
	return 0;
}

/**
 * vmx_check_cpuid() - may the table say this?
 * @id: AXVCPU_X86_REG_CPUID()
 * @value: what it is to say
 *
 * Context: any.
 * Return: 0, -EINVAL: there is no such leaf, or a bit that may not be set.
 */
int vmx_check_cpuid(u64 id, u64 value)
{
	int at = find_id(id);

	return at < 0 || (id & ID_MAX) || (value & ~get_half(allowed, at)) ? -EINVAL : 0;
}

/**
 * vmx_set_cpuid() - change the table
 * @vmx: the vCPU
 * @id: AXVCPU_X86_REG_CPUID(), passed by vmx_check_cpuid()
 * @value: what it says from now on
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_set_cpuid(struct vmx_vcpu *vmx, u64 id, u64 value)
{
	int at = find_id(id);
	struct leaf *table = vmx->cpuid;

	if (!vmx->cpuid_set)
		memcpy(table, defaults, sizeof(defaults));
	vmx->cpuid_set = true;
	table[at / 2].reg[2 * (at & 1)] = value;
	table[at / 2].reg[2 * (at & 1) + 1] = value >> 32;
}

/* SDM vol. 4, table 2-2: bit 1 is not reserved where bit 0 is not, though it may do nothing. */
static u64 spec_ctrl_by(u32 edx)
{
	return (edx & F(SPEC_CTRL) ? SPEC_CTRL_IBRS | SPEC_CTRL_STIBP : 0) |
	       (edx & F(INTEL_STIBP) ? SPEC_CTRL_STIBP : 0) |
	       (edx & F(SPEC_CTRL_SSBD) ? SPEC_CTRL_SSBD : 0);
}

/* The secondary controls */
static u32 exec2_by(const struct leaf *table, bool tsc_aux)
{
	u32 exec2 = vmx_caps.cpu2 & ~(tsc_aux ? 0 : SECONDARY_EXEC_ENABLE_RDTSCP);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(insn_features); i++) {
		bool shown = table[insn_features[i].leaf].reg[insn_features[i].reg] &
			     insn_features[i].bit;

		exec2 &= ~(shown ? insn_features[i].exits : insn_features[i].there);
	}
	return exec2;
}

/**
 * vmx_cpuid_commit() - the guest's limits follow from its table
 * @vmx: the vCPU, being set up
 *
 * Context: &struct axvcpu.mutex held.
 */
void vmx_cpuid_commit(struct vmx_vcpu *vmx)
{
	const struct leaf *table = table_of(vmx);
	size_t i;

	vmx->cr4_allowed = vmx_caps.cr4_allowed;
	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		if (!(table[cr4_features[i].leaf].reg[cr4_features[i].reg] & cr4_features[i].bit))
			vmx->cr4_allowed &= ~(u64)cr4_features[i].cr4;
	}
	vmx->xcr0_allowed = XFEATURE_MASK_FP;
	if (table[1].reg[ECX] & F(XSAVE))
		vmx->xcr0_allowed |= table[0xd].reg[EAX];
	vmx->efer_allowed = 0;
	for (i = 0; i < ARRAY_SIZE(efer_features); i++) {
		if (table[AT_EXTENDED + 1].reg[EDX] & efer_features[i].bit)
			vmx->efer_allowed |= efer_features[i].efer;
	}
	vmx->tsc_aux = (table[AT_EXTENDED + 1].reg[EDX] & F(RDTSCP)) ||
		       (table[7].reg[ECX] & F(RDPID));
	vmx->exec2 = exec2_by(table, vmx->tsc_aux);
	vmx->spec_ctrl_allowed = spec_ctrl_by(table[7].reg[EDX]);
}
