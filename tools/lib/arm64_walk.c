// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's stage 1, walked as its CPU does (Arm ARM, D8, VMSAv8-64). */
#include "internal.h"

#define SYS(op0, op1, crn, crm, op2)	AXVCPU_ARM64_REG_SYS(op0, op1, crn, crm, op2)

#define SCTLR_M		(1ULL << 0)
#define SCTLR_WXN	(1ULL << 19)
#define SCTLR_EE	(1ULL << 25)
#define SCTLR_EPAN	(1ULL << 57)

/* TCR_EL1: what each half of the address space has, the second one's bits further up */
#define TCR_SIZE(tcr, half)	((tcr) >> (16 * (half)) & 0x3f)
#define TCR_EPD(tcr, half)	((tcr) >> (7 + 16 * (half)) & 1)
#define TCR_TG0(tcr)		((tcr) >> 14 & 3)
#define TCR_TG1(tcr)		((tcr) >> 30 & 3)
#define TCR_TBI(tcr, half)	((tcr) >> (37 + (half)) & 1)
#define TCR_HPD(tcr, half)	((tcr) >> (41 + (half)) & 1)
#define TCR_TBID(tcr, half)	((tcr) >> (51 + (half)) & 1)
#define TCR_E0PD(tcr, half)	((tcr) >> (55 + (half)) & 1)
#define TCR_HA			(1ULL << 39)
#define TCR_HD			(1ULL << 40)

#define PTE_VALID	(1ULL << 0)
#define PTE_TABLE	(1ULL << 1)	/* at level 3: a page */
#define PTE_USER	(1ULL << 6)	/* AP[1] */
#define PTE_READONLY	(1ULL << 7)	/* AP[2] */
#define PTE_AF		(1ULL << 10)
#define PTE_DBM		(1ULL << 51)
#define PTE_PXN		(1ULL << 53)
#define PTE_UXN		(1ULL << 54)
#define TABLE_PXN	(1ULL << 59)
#define TABLE_UXN	(1ULL << 60)
#define TABLE_USER_NONE	(1ULL << 61)	/* APTable[0] */
#define TABLE_READONLY	(1ULL << 62)	/* APTable[1] */
#define ADDRESS		0x0000fffffffff000ULL

/* Fault status codes, without the level */
#define FSC_SIZE	0x00
#define FSC_TRANSLATION	0x04
#define FSC_ACCESS_FLAG	0x08
#define FSC_PERMISSION	0x0c

#define PSTATE_EL0	0x0
#define PSTATE_MODE	0xf
#define PSTATE_PAN	(1ULL << 22)

int axvcpu_arm64_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_arm64_paging *p)
{
	struct axvcpu_reg regs[] = {
		{ .id = SYS(3, 0, 1, 0, 0) },		/* SCTLR_EL1 */
		{ .id = SYS(3, 0, 2, 0, 2) },		/* TCR_EL1 */
		{ .id = SYS(3, 0, 2, 0, 0) },		/* TTBR0_EL1 */
		{ .id = SYS(3, 0, 2, 0, 1) },		/* TTBR1_EL1 */
		{ .id = SYS(3, 0, 0, 7, 0) },		/* ID_AA64MMFR0_EL1 */
		{ .id = SYS(3, 0, 0, 7, 1) },		/* ID_AA64MMFR1_EL1 */
		{ .id = AXVCPU_ARM64_REG_PSTATE },
	};
	int err = axvcpu_vcpu_get_regs(vcpu, regs, sizeof(regs) / sizeof(regs[0]));

	if (err)
		return err;
	*p = (struct axvcpu_arm64_paging){
		.sctlr = regs[0].value,
		.tcr = regs[1].value,
		.ttbr = { regs[2].value, regs[3].value },
		.mmfr0 = regs[4].value,
		.mmfr1 = regs[5].value,
		.pstate = regs[6].value,
	};
	return 0;
}

/*
 * An access on its way.
 * @half: 0: below, TTBR0_EL1; 1: above, TTBR1_EL1
 * @granule: log2 of a table's size
 * @level: where the walk is
 * @none: TABLE_* that the levels above have
 */
struct walk {
	const struct axvcpu_arm64_paging *p;
	uint64_t va;
	unsigned int access;
	axvcpu_memory_fn memory;
	void *data;
	unsigned int half, granule, level;
	uint64_t none;
	uint64_t *where;
	uint64_t entry;
};

static int fault(const struct walk *w, uint32_t code, uint32_t *status)
{
	*status = code | w->level;
	return 1;
}

static bool is_el0(const struct walk *w)
{
	return w->access & AXVCPU_ARM64_EL0;
}

static uint64_t swap(const struct walk *w, uint64_t entry)
{
	bool big = w->p->sctlr & SCTLR_EE;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	big = !big;
#endif
	return big ? __builtin_bswap64(entry) : entry;
}

/* log2 of a granule; 0: this CPU lacks it, or it is reserved, which is the smallest there is. */
static unsigned int granule_of(const struct walk *w)
{
	static const unsigned char tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };

	return w->half ? tg1[TCR_TG1(w->p->tcr)] : tg0[TCR_TG0(w->p->tcr)];
}

/* Bits of an intermediate address; those above are an address size fault. */
static unsigned int output_bits(const struct walk *w)
{
	static const unsigned char bits[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int ips = w->p->tcr >> 32 & 7, range = w->p->mmfr0 & 7;

	if (ips > range)
		ips = range;
	return ips > 5 ? 48 : bits[ips];
}

/* The tag is not an address's. Bit 55 tells which half it belongs to. */
static bool ignores_top_byte(const struct walk *w)
{
	bool fetch = w->access & AXVCPU_ARM64_FETCH;

	return TCR_TBI(w->p->tcr, w->half) && !(fetch && TCR_TBID(w->p->tcr, w->half));
}

/* Is the address within what TCR_EL1 has for its half? */
static bool is_in_range(const struct walk *w, unsigned int size_bits)
{
	unsigned int top = ignores_top_byte(w) ? 56 : 64;
	uint64_t mask = (top == 64 ? ~0ULL : (1ULL << top) - 1) & ~((1ULL << size_bits) - 1);

	return (w->va & mask) == (w->half ? mask : 0);
}

/* Returns 0; 1: a fault. */
static int begin(struct walk *w, uint64_t *table, unsigned int *shift, uint32_t *status)
{
	unsigned int size_bits = 64 - TCR_SIZE(w->p->tcr, w->half), stride, bits, levels;

	w->granule = granule_of(w);
	if (!w->granule || size_bits > 48 || size_bits < 25 || !is_in_range(w, size_bits) ||
	    TCR_EPD(w->p->tcr, w->half) || (is_el0(w) && TCR_E0PD(w->p->tcr, w->half)))
		return fault(w, FSC_TRANSLATION, status);
	stride = w->granule - 3;
	levels = (size_bits - w->granule + stride - 1) / stride;
	w->level = 4 - levels;
	*shift = w->granule + stride * (levels - 1);
	bits = size_bits - *shift;
	*table = w->p->ttbr[w->half] & 0xfffffffffffeULL & ~((8ULL << bits) - 1);
	if (*table >> output_bits(w)) {
		w->level = 0;
		return fault(w, FSC_SIZE, status);
	}
	return 0;
}

/* A table, then further down; or a block or page. Returns 0; 1: a fault; -EFAULT. */
static int take_entry(struct walk *w, uint64_t at, unsigned int shift, uint32_t *status)
{
	uint64_t mask = ADDRESS & ~((1ULL << w->granule) - 1);

	w->where = w->memory(w->data, at, sizeof(w->entry));
	if (!w->where)
		return -EFAULT;
	w->entry = swap(w, __atomic_load_n(w->where, __ATOMIC_RELAXED));
	if (!(w->entry & PTE_VALID))
		return fault(w, FSC_TRANSLATION, status);
	if (w->level == 3 || !(w->entry & PTE_TABLE)) {
		/* Blocks stand at level 2, of 4 KiB pages at level 1, too. */
		if (w->level == 3 ? !(w->entry & PTE_TABLE) :
				    w->level < (w->granule == 12 ? 1 : 2))
			return fault(w, FSC_TRANSLATION, status);
		mask &= ~((1ULL << shift) - 1);
	}
	return (w->entry & mask) >> output_bits(w) ? fault(w, FSC_SIZE, status) : 0;
}

static int descend(struct walk *w, unsigned int *shift, uint32_t *status)
{
	uint64_t table, index;
	int ret;

	w->level = 0;
	w->none = 0;
	ret = begin(w, &table, shift, status);
	if (ret)
		return ret;
	index = 64 - TCR_SIZE(w->p->tcr, w->half) - *shift;
	for (;;) {
		index = w->va >> *shift & ((1ULL << index) - 1);
		ret = take_entry(w, table + 8 * index, *shift, status);
		if (ret || w->level == 3 || !(w->entry & PTE_TABLE))
			return ret;
		if (!TCR_HPD(w->p->tcr, w->half))
			w->none |= w->entry;
		table = w->entry & ADDRESS & ~((1ULL << w->granule) - 1);
		index = w->granule - 3;
		*shift -= index;
		w->level++;
	}
}

/* Does PAN keep EL1 from data that is EL0's, or with EPAN from what EL0 executes? */
static bool is_private(const struct walk *w, bool user, bool uxn)
{
	return w->p->pstate & PSTATE_PAN && (user || (w->p->sctlr & SCTLR_EPAN && !uxn));
}

/* Arm ARM, D8.4: direct permissions, and those of the tables above */
static bool is_allowed(const struct walk *w)
{
	bool user = w->entry & PTE_USER && !(w->none & TABLE_USER_NONE);
	bool readonly = w->entry & PTE_READONLY || w->none & TABLE_READONLY;
	bool uxn = w->entry & PTE_UXN || w->none & TABLE_UXN;
	bool pxn = w->entry & PTE_PXN || w->none & TABLE_PXN;
	bool writable;

	/* Hardware makes it writable by a first write. */
	if (w->entry & PTE_READONLY && w->entry & PTE_DBM && w->p->tcr & TCR_HD &&
	    !(w->none & TABLE_READONLY))
		readonly = false;
	writable = !readonly && (!is_el0(w) || user);
	if (w->access & AXVCPU_ARM64_FETCH) {
		/* What EL0 can write, EL1 can't execute. */
		if (is_el0(w) ? uxn : pxn || (user && !readonly))
			return false;
		return !(writable && w->p->sctlr & SCTLR_WXN);
	}
	if (is_el0(w) ? !user : is_private(w, user, uxn))
		return false;
	return !(w->access & AXVCPU_ARM64_WRITE) || writable;
}

/* The access flag and the dirty state. Returns whether all is as the walk has seen it. */
static bool mark(const struct walk *w)
{
	uint64_t entry = w->entry, old = swap(w, w->entry);

	if (w->p->tcr & TCR_HA)
		entry |= PTE_AF;
	if (w->access & AXVCPU_ARM64_WRITE && w->p->tcr & TCR_HD && entry & PTE_DBM)
		entry &= ~PTE_READONLY;
	if (entry == w->entry)
		return true;
	return __atomic_compare_exchange_n(w->where, &old, swap(w, entry), false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

int axvcpu_arm64_walk(const struct axvcpu_arm64_paging *p, uint64_t va, unsigned int access,
		      axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *status)
{
	struct walk w = {
		.p = p, .va = va, .access = access, .memory = memory, .data = data,
		.half = va >> 55 & 1,
	};
	unsigned int shift;
	uint64_t size;
	int ret;

	if (!(p->sctlr & SCTLR_M)) {
		if (va >> 48 && !(TCR_TBI(p->tcr, 0) && !(va << 8 >> 56)))
			return fault(&w, FSC_SIZE, status);
		*gpa = va & 0xffffffffffffULL;
		return 0;
	}
	do {
		ret = descend(&w, &shift, status);
		if (ret)
			return ret;
		if (!(w.entry & PTE_AF) && !(p->tcr & TCR_HA))
			return fault(&w, FSC_ACCESS_FLAG, status);
		if (!is_allowed(&w))
			return fault(&w, FSC_PERMISSION, status);
	} while (!mark(&w));
	size = 1ULL << shift;
	*gpa = (w.entry & ADDRESS & ~(size - 1)) | (va & (size - 1));
	return 0;
}

int axvcpu_arm64_translate(struct axvcpu_vcpu *vcpu, uint64_t va, unsigned int access,
			   axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *status)
{
	struct axvcpu_arm64_paging p;
	int err = axvcpu_arm64_get_paging(vcpu, &p);

	if (err)
		return err;
	if ((p.pstate & PSTATE_MODE) == PSTATE_EL0)
		access |= AXVCPU_ARM64_EL0;
	return axvcpu_arm64_walk(&p, va, access, memory, data, gpa, status);
}
