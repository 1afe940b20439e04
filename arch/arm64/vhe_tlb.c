// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forgetting stage-2 translations (Arm ARM, D8.14).
 *
 * All guests run with VMID 0, which KVM gives to none of its guests. A CPU
 * that has run another vCPU or root of ours forgets all of VMID 0 first.
 *
 * What leaves a table, all CPUs forget by one broadcast. A CPU's walk either
 * reads the leaf before it is taken out, and then the broadcast removes what it
 * made of that, and the DSB waits for accesses that use it; or it reads that
 * there is nothing. So it does not matter which CPUs are in a guest, or about to
 * enter one: none is interrupted. A CPU that is off hears no broadcast, and
 * forgets all at its first entry after vhe_cpu_enable().
 */
#include <linux/bitfield.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/pfn.h>

#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/kvm_arm.h>
#include <asm/pgtable-hwdef.h>
#include <asm/tlbflush.h>

#include "stage2.h"
#include "vhe_insn.h"
#include "vhe_sysregs.h"
#include "vhe_tlb.h"

#define TCR_EL12	VHE_EL12(sys_reg(3, 0, 2, 0, 2))
#define SCTLR_EL12	VHE_EL12(sys_reg(3, 0, 1, 0, 0))

/*
 * Each is a message to all CPUs, and they save the guests their other stage-2 entries
 * only: those that combine both stages go in any case. So not more than what a
 * fault brings in at once is taken out one by one.
 */
#define MAX_TLBIS	16

/* FEAT_TLBIRANGE: (NUM + 1) << (5 * SCALE + 1) pages of the granule TG from BADDR on */
#define RANGE_TG	FIELD_PREP(GENMASK_ULL(47, 46), PAGE_SHIFT / 2 - 5)
#define RANGE_SCALE	GENMASK_ULL(45, 44)
#define RANGE_NUM	GENMASK_ULL(43, 39)
#define RANGE_SCALES	4
#define RANGE_MAX	BIT_ULL(5 * RANGE_SCALES + 1)	/* pages, exclusive */

/* Whose translations this CPU has under VMID 0, see &struct vhe_vcpu.tag */
DEFINE_PER_CPU(u64, vhe_tlb_owner);

static bool has_range __ro_after_init;

/**
 * vhe_tlb_init() - look what the CPUs have
 *
 * Context: module load.
 */
void __init vhe_tlb_init(void)
{
	u64 isar0 = read_sanitised_ftr_reg(SYS_ID_AA64ISAR0_EL1);

	has_range = cpuid_feature_extract_unsigned_field(isar0, 56) >= 2;	/* TLB */
}

#define tlbi(operation...)							\
do {										\
	axvcpu_count(TLBI);							\
	__tlbi(operation);							\
} while (0)

/**
 * struct tlb_context - what is the host's, or KVM's, while EL1&0 is VMID 0's
 * @flags: interrupt flags
 * @hcr: HCR_EL2
 * @vttbr: VTTBR_EL2
 * @vtcr: VTCR_EL2
 * @tcr: TCR_EL1
 * @sctlr: SCTLR_EL1
 */
struct tlb_context {
	unsigned long flags;
	u64 hcr;
	u64 vttbr;
	u64 vtcr;
	u64 tcr;
	u64 sctlr;
};

/*
 * With HCR_EL2.TGE, operations on EL1&0 are on the host's own translations. A CPU
 * that does address translation instructions speculatively could then walk what
 * tables stand in EL1's registers: it finds that there are none for either half.
 */
static void enter_vmid0(struct tlb_context *context)
{
	local_irq_save(context->flags);
	context->vttbr = vhe_read(vttbr_el2);
	context->vtcr = vhe_read(vtcr_el2);
	context->hcr = vhe_read(hcr_el2);
	if (cpus_have_cap(ARM64_WORKAROUND_SPECULATIVE_AT)) {
		context->tcr = vhe_read_s(TCR_EL12);
		context->sctlr = vhe_read_s(SCTLR_EL12);
		vhe_write_s(context->tcr | TCR_EPD0_MASK | TCR_EPD1_MASK, TCR_EL12);
		vhe_write_s(context->sctlr | SCTLR_ELx_M, SCTLR_EL12);
	}
	vhe_write(0, vttbr_el2);
	/* DS in it says how a range is written. */
	vhe_write(vhe_s2_vtcr, vtcr_el2);
	isb();
	vhe_write(context->hcr & ~HCR_TGE, hcr_el2);
	isb();
}

static void leave_vmid0(const struct tlb_context *context)
{
	vhe_write(context->hcr, hcr_el2);
	isb();
	vhe_write(context->vttbr, vttbr_el2);
	vhe_write(context->vtcr, vtcr_el2);
	if (cpus_have_cap(ARM64_WORKAROUND_SPECULATIVE_AT)) {
		isb();
		vhe_write_s(context->tcr, TCR_EL12);
		vhe_write_s(context->sctlr, SCTLR_EL12);
	}
	local_irq_restore(context->flags);
}

static u64 run_leaves(const struct axvcpu_s2_run *run)
{
	return (run->end - run->gpa) >> run->shift;
}

/* Any address in it is good for all of a leaf, and for the tables that lead there. */
static void flush_leaf(u64 gpa)
{
	tlbi(ipas2e1is, gpa >> 12);
}

static void flush_leaves(const struct axvcpu_s2_run *run)
{
	u64 gpa;

	for (gpa = run->gpa; gpa < run->end; gpa += BIT_ULL(run->shift))
		flush_leaf(gpa);
}

static bool is_range(const struct axvcpu_s2_run *run)
{
	return has_range && run->shift == PAGE_SHIFT;
}

/* RIPAS2E1IS; its name is not known to every assembler. */
static void flush_pages(u64 pfn, unsigned int scale, unsigned int num)
{
	u64 range = RANGE_TG | FIELD_PREP(RANGE_SCALE, scale) | FIELD_PREP(RANGE_NUM, num) | pfn;

	axvcpu_count(TLBI);
	asm volatile("sys #4, c8, c0, #2, %0" : : "r" (range));
}

/* Five bits of the number at a time; the lowest one needs an operation of its own. */
static void flush_range(const struct axvcpu_s2_run *run)
{
	u64 pfn = PHYS_PFN(run->gpa), pages = run_leaves(run);
	unsigned int scale, count;

	if (pages & 1)
		flush_leaf(run->gpa);
	pfn += pages & 1;
	for (scale = 0; scale < RANGE_SCALES; scale++) {
		count = pages >> (5 * scale + 1) & 31;
		if (count)
			flush_pages(pfn, scale, count - 1);
		pfn += (u64)count << (5 * scale + 1);
	}
}

/* How many operations the above takes, at most */
static u64 run_tlbis(const struct axvcpu_s2_run *run)
{
	u64 leaves = run_leaves(run);

	return is_range(run) && leaves < RANGE_MAX ? min_t(u64, leaves, 1 + RANGE_SCALES) : leaves;
}

static bool are_few(const struct axvcpu_s2_zap *zap)
{
	unsigned int i;
	u64 tlbis = 0;

	if (zap->nr_runs > AXVCPU_S2_RUNS)
		return false;
	for (i = 0; i < zap->nr_runs; i++)
		tlbis += run_tlbis(&zap->runs[i]);
	return tlbis <= MAX_TLBIS;
}

static void flush_runs(const struct axvcpu_s2_zap *zap)
{
	const struct axvcpu_s2_run *run;

	for (run = zap->runs; run < zap->runs + zap->nr_runs; run++) {
		if (is_range(run))
			flush_range(run);
		else
			flush_leaves(run);
	}
}

/**
 * vhe_flush_tlbs() - see &struct axvcpu_arch_ops.flush_tlbs
 * @zap: what has been changed in a table
 *
 * An entry that combines both stages is found by no intermediate address. They
 * all go, and after the stage-2 entries of which they could be made again.
 *
 * Context: any, but interrupts are on.
 */
void vhe_flush_tlbs(const struct axvcpu_s2_zap *zap)
{
	bool few = are_few(zap);
	struct tlb_context context;

	/* The table's walkers see the change. */
	dsb(ishst);
	enter_vmid0(&context);
	if (few) {
		flush_runs(zap);
		dsb(ish);
		tlbi(vmalle1is);
	} else {
		tlbi(vmalls12e1is);
	}
	dsb(ish);
	/* Some CPUs take the first one for done too early. */
	if (cpus_have_cap(ARM64_WORKAROUND_REPEAT_TLBI)) {
		tlbi(vmalle1is);
		dsb(ish);
	}
	isb();
	leave_vmid0(&context);
}

/**
 * vhe_flush_this_cpu() - this CPU forgets all that it learned with VMID 0
 *
 * Context: interrupts off; VTTBR_EL2 and HCR_EL2 are the guest's.
 */
void vhe_flush_this_cpu(void)
{
	isb();
	tlbi(vmalls12e1);
	dsb(nsh);
	isb();
}
