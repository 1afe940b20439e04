// SPDX-License-Identifier: GPL-2.0-only
/* Stage 2: its format (Arm ARM, D8.2). */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>
#include <asm/kvm_arm.h>
#include <asm/memory.h>

#include "stage2.h"

#define S2_VALID	BIT_ULL(0)
#define S2_TABLE	BIT_ULL(1)	/* at the lowest level: a page */
#define S2_READ		BIT_ULL(6)
#define S2_WRITE		BIT_ULL(7)
#define S2_INNER	(3ULL << 8)
#define S2_AF		BIT_ULL(10)
#define S2_XN		BIT_ULL(54)

/* Memory attributes: write-back for as long as stage 1 agrees, or with FWB in any case */
#define MEMATTR(attr)	((u64)(attr) << 2)
#define WRITE_BACK	MEMATTR(0xf)
#define WRITE_BACK_FWB	MEMATTR(0x6)

#define S2_LEAF		(S2_VALID | S2_AF | S2_INNER)

/* Output addresses; those beyond need LPA2, or 64 KiB pages and LPA. */
#define MAX_PA_BITS	48

struct axvcpu_s2_format vhe_s2_format __ro_after_init = {
	.page_shift	= PAGE_SHIFT,
	.level_bits	= PAGE_SHIFT - 3,
	.leaf_levels	= BIT(0),
	.addr_mask	= GENMASK_ULL(MAX_PA_BITS - 1, PAGE_SHIFT),
	.present_mask	= S2_VALID,
	.table_bits	= S2_VALID | S2_TABLE,
	.leaf_type_mask	= S2_TABLE,
	.leaf_type	= 0,
	.prot = {
		[0]						= S2_XN,
		[AXVCPU_MAP_READ]				= S2_READ | S2_XN,
		[AXVCPU_MAP_WRITE]				= S2_WRITE | S2_XN,
		[AXVCPU_MAP_READ | AXVCPU_MAP_WRITE]		= S2_READ | S2_WRITE | S2_XN,
		[AXVCPU_MAP_EXEC]				= 0,
		[AXVCPU_MAP_READ | AXVCPU_MAP_EXEC]		= S2_READ,
		[AXVCPU_MAP_WRITE | AXVCPU_MAP_EXEC]		= S2_WRITE,
		[AXVCPU_MAP_ALL]				= S2_READ | S2_WRITE,
	},
	.accesses	= AXVCPU_S2_ACCESSES | BIT(AXVCPU_MAP_WRITE) | BIT(AXVCPU_MAP_EXEC) |
			  BIT(AXVCPU_MAP_WRITE | AXVCPU_MAP_EXEC),
	.write_mask	= S2_WRITE,
};

/* VTCR_EL2, the same for all tables */
u64 vhe_s2_vtcr __ro_after_init;

/* What CTR_EL0 asks for: the instruction cache sees nothing of it for itself */
static bool has_fwb __ro_after_init;
static bool has_idc __ro_after_init;
static bool has_dic __ro_after_init;
static size_t dcache_line __ro_after_init;

/* What the kernel does not map for itself, memfd_secret()'s pages say, it can't clean. */
static bool clean_dcache(u64 hpa, u64 size)
{
	unsigned long at = (unsigned long)phys_to_virt(hpa), end = at + size;
	u8 byte;

	if (copy_from_kernel_nofault(&byte, (void *)at, sizeof(byte)))
		return false;
	for (; at < end; at += dcache_line)
		asm volatile("dc civac, %0" : : "r" (at) : "memory");
	return true;
}

/*
 * A guest with its caches off reads memory itself, unless stage 2 makes the
 * access cacheable all the same. What is to be executed must have left the data
 * cache, and the instruction cache must have forgotten what was there before.
 */
static void publish(u64 *leaves, unsigned int count, u64 size)
{
	bool executable = false;
	unsigned int i;

	for (i = 0; i < count; i++) {
		bool exec = leaves[i] && !(leaves[i] & S2_XN);

		if (leaves[i] && (!has_fwb || (exec && !has_idc)) &&
		    !clean_dcache(leaves[i] & vhe_s2_format.addr_mask, size))
			leaves[i] = 0;
		executable |= exec;
	}
	if (!has_fwb || executable)
		dsb(ish);
	if (executable && !has_dic) {
		asm volatile("ic ialluis" : : : "memory");
		dsb(ish);
	}
}

static void __init set_caches(void)
{
	u64 ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);

	dcache_line = 4UL << (ctr >> 16 & 0xf);
	has_idc = ctr & BIT(28);
	has_dic = ctr & BIT(29);
	has_fwb = cpuid_feature_extract_unsigned_field(read_sanitised_ftr_reg(SYS_ID_AA64MMFR2_EL1),
						       40);
	vhe_s2_format.lazy_exec = has_idc && has_dic ? 0 : S2_XN;
	if (!has_fwb || !has_idc || !has_dic)
		vhe_s2_format.publish = publish;
}

/* As many levels as it takes when up to 16 tables side by side are the root. */
static void set_size(unsigned int pa_bits)
{
	struct axvcpu_s2_format *format = &vhe_s2_format;
	unsigned int bits;

	format->gpa_bits = pa_bits;
	format->levels = DIV_ROUND_UP(pa_bits - 4 - PAGE_SHIFT, format->level_bits);
	bits = PAGE_SHIFT + format->levels * format->level_bits;
	format->root_order = pa_bits > bits ? pa_bits - bits : 0;
}

/**
 * vhe_s2_init() - adapt the format to the CPUs
 *
 * Context: module load.
 * Return: 0, or -EOPNOTSUPP: memory lies where stage 2 can't point to, or it
 * has no pages of the host's size.
 */
int __init vhe_s2_init(void)
{
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	unsigned int range = cpuid_feature_extract_unsigned_field(mmfr0, 0);
	unsigned int pa_bits = min(id_aa64mmfr0_parange_to_phys_shift(range), MAX_PA_BITS);
	u64 attr;
	unsigned int level;

	/* 1: not in stage 2; 0: as in stage 1 */
	if (cpuid_feature_extract_unsigned_field(mmfr0, ID_AA64MMFR0_EL1_TGRAN_2_SHIFT) == 1) {
		pr_err("no stage 2 with pages of %lu KiB\n", PAGE_SIZE / SZ_1K);
		return -EOPNOTSUPP;
	}
	if (virt_to_phys(high_memory - 1) >> MAX_PA_BITS) {
		pr_err("memory beyond 2^%u\n", MAX_PA_BITS);
		return -EOPNOTSUPP;
	}
	set_caches();
	set_size(pa_bits);
	attr = has_fwb ? WRITE_BACK_FWB : WRITE_BACK;
	for (level = 0; level < vhe_s2_format.levels; level++)
		vhe_s2_format.leaf_bits[level] = S2_LEAF | attr | (level ? 0 : S2_TABLE);
	/* Blocks of 2 MiB and 1 GiB, 32 MiB, or 512 MiB */
	vhe_s2_format.leaf_levels |= BIT(1) | (PAGE_SHIFT == 12 ? BIT(2) : 0);

	vhe_s2_vtcr = VTCR_EL2_FLAGS | VTCR_EL2_T0SZ(pa_bits) |
		      VTCR_EL2_LVLS_TO_SL0((u64)vhe_s2_format.levels) |
		      (u64)min(range, 5U) << VTCR_EL2_PS_SHIFT;
	return 0;
}

/**
 * vhe_s2_vttbr() - VTTBR_EL2 for a table
 * @root: its root
 * @vttbr: the value
 *
 * Context: any.
 * Return: 0, or -EINVAL: not aligned like a root, or beyond physical memory.
 */
int vhe_s2_vttbr(struct axvcpu_hpa root, u64 *vttbr)
{
	u64 size = PAGE_SIZE << vhe_s2_format.root_order;

	if (!root.val || root.val & (size - 1) || root.val >> vhe_s2_format.gpa_bits)
		return -EINVAL;
	*vttbr = root.val;
	return 0;
}
