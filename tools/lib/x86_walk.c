// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's paging, walked as its CPU does (SDM vol. 3, chapter 4). */
/* There is one on x86. */
#if __has_include("cpuid.h")
#include <cpuid.h>
#endif

#include <string.h>

#include "internal.h"

#define PAGE_SIZE	4096ULL

#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PSE		(1ULL << 4)
#define CR4_PAE		(1ULL << 5)
#define CR4_LA57	(1ULL << 12)
#define CR4_SMEP	(1ULL << 20)
#define CR4_SMAP	(1ULL << 21)
#define EFER_LMA	(1ULL << 10)
#define EFER_NXE	(1ULL << 11)
#define RFLAGS_AC	(1ULL << 18)

#define PTE_PRESENT	(1ULL << 0)
#define PTE_WRITE	(1ULL << 1)
#define PTE_USER	(1ULL << 2)
#define PTE_ACCESSED	(1ULL << 5)
#define PTE_DIRTY	(1ULL << 6)
#define PTE_LEAF	(1ULL << 7)
#define PTE_NX		(1ULL << 63)
#define ADDRESS		0x000ffffffffff000ULL

#define ERROR_PRESENT	(1U << 0)
#define ERROR_WRITE	(1U << 1)
#define ERROR_USER	(1U << 2)
#define ERROR_RESERVED	(1U << 3)
#define ERROR_FETCH	(1U << 4)

#define VECTOR_PF	14
#define MAX_LEVELS	5

/* Bits of an address that this CPU has; those above are reserved in its guests, too. */
static unsigned int address_bits(void)
{
#if __has_include("cpuid.h")
	unsigned int eax, ebx, ecx, edx;

	if (__get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx))
		return eax & 0xff;
	return 36;
#else
	return 52;
#endif
}

#define NR_REGS		11

int x86_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_x86_paging *p,
		   struct axvcpu_reg *more, unsigned int nr_more)
{
	struct axvcpu_reg regs[NR_REGS + X86_PAGING_MORE] = {
		{ .id = AXVCPU_X86_REG_CR0 },
		{ .id = AXVCPU_X86_REG_CR3 },
		{ .id = AXVCPU_X86_REG_CR4 },
		{ .id = AXVCPU_X86_REG_MSR(0xc0000080) },
		{ .id = AXVCPU_X86_REG_RFLAGS },
		{ .id = AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS) },
		{ .id = AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_SS) },
		{ .id = AXVCPU_X86_REG_PDPTE(0) },
		{ .id = AXVCPU_X86_REG_PDPTE(1) },
		{ .id = AXVCPU_X86_REG_PDPTE(2) },
		{ .id = AXVCPU_X86_REG_PDPTE(3) },
	};
	unsigned int i;
	int err;

	for (i = 0; i < nr_more; i++)
		regs[NR_REGS + i] = more[i];
	err = axvcpu_vcpu_get_regs(vcpu, regs, NR_REGS + nr_more);
	if (err)
		return err;
	for (i = 0; i < nr_more; i++)
		more[i] = regs[NR_REGS + i];
	*p = (struct axvcpu_x86_paging){
		.cr0 = regs[0].value,
		.cr3 = regs[1].value,
		.cr4 = regs[2].value,
		.efer = regs[3].value,
		.rflags = regs[4].value,
		.cs_access = regs[5].value,
		.ss_access = regs[6].value,
		.pdpte = { regs[7].value, regs[8].value, regs[9].value, regs[10].value },
		.reserved = ADDRESS & ~((1ULL << address_bits()) - 1),
	};
	return 0;
}

int axvcpu_x86_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_x86_paging *paging)
{
	return x86_get_paging(vcpu, paging, NULL, 0);
}

static bool is_user(const struct axvcpu_x86_paging *p)
{
	return (p->ss_access >> 5 & 3) == 3;
}

/* Formats of tables: bits of an index, bytes of an entry, levels */
struct format {
	unsigned int bits, bytes, levels;
};

static struct format format_of(const struct axvcpu_x86_paging *p)
{
	if (p->efer & EFER_LMA)
		return (struct format){ 9, 8, p->cr4 & CR4_LA57 ? 5 : 4 };
	if (p->cr4 & CR4_PAE)
		return (struct format){ 9, 8, 3 };
	return (struct format){ 10, 4, 2 };
}

/*
 * An access on its way: entries in the order of the walk, with the values that they had.
 * Those that the CPU has in registers are not among them.
 */
struct walk {
	const struct axvcpu_x86_paging *p;
	struct format f;
	unsigned int access;
	axvcpu_memory_fn memory;
	void *data;
	void *where[MAX_LEVELS];
	uint64_t entry[MAX_LEVELS];
	unsigned int count;
	uint64_t rights;	/* PTE_WRITE, PTE_USER: what all levels grant; PTE_NX: one has it */
	unsigned int shift;	/* bits of an address within the page */
};

static int page_fault(const struct walk *w, uint32_t why, uint32_t *error_code)
{
	*error_code = why;
	if (w->access & AXVCPU_X86_WRITE)
		*error_code |= ERROR_WRITE;
	if (is_user(w->p))
		*error_code |= ERROR_USER;
	if (w->access & AXVCPU_X86_FETCH && (w->p->efer & EFER_NXE || w->p->cr4 & CR4_SMEP))
		*error_code |= ERROR_FETCH;
	return VECTOR_PF;
}

static bool is_leaf(const struct walk *w, unsigned int level, uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LEAF) || level > 3)
		return false;
	return w->f.levels > 2 || w->p->cr4 & CR4_PSE;
}

/* SDM vol. 3, tables 4-5 to 4-20 */
static uint64_t reserved_bits(const struct walk *w, unsigned int level, uint64_t entry)
{
	bool leaf = is_leaf(w, level, entry);
	uint64_t reserved = w->p->reserved;

	if (w->f.bytes == 4)		/* PSE-36: an address of 40 bits */
		return leaf && level > 1 ? 1ULL << 21 | (reserved >> 32 << 13 & 0x1fe000) : 0;
	if (!(w->p->efer & EFER_NXE))
		reserved |= PTE_NX;
	if (w->f.levels == 3)
		reserved |= 0x7ffULL << 52;
	if (level > 3)
		reserved |= PTE_LEAF;
	if (leaf && level > 1)
		reserved |= (1ULL << (12 + (level - 1) * 9)) - (1ULL << 13);
	return reserved;
}

static uint64_t read_entry(const void *where, unsigned int bytes)
{
	return bytes == 8 ? __atomic_load_n((const uint64_t *)where, __ATOMIC_RELAXED) :
			    __atomic_load_n((const uint32_t *)where, __ATOMIC_RELAXED);
}

/* An entry of a table in memory. Returns 0, #PF or -EFAULT. */
static int take_entry(struct walk *w, unsigned int level, uint64_t at, uint32_t *error_code)
{
	uint64_t entry;
	void *where = w->memory(w->data, at, w->f.bytes);

	if (!where)
		return -EFAULT;
	entry = read_entry(where, w->f.bytes);
	if (!(entry & PTE_PRESENT))
		return page_fault(w, 0, error_code);
	if (entry & reserved_bits(w, level, entry))
		return page_fault(w, ERROR_PRESENT | ERROR_RESERVED, error_code);
	w->where[w->count] = where;
	w->entry[w->count++] = entry;
	w->rights = (w->rights & entry & (PTE_WRITE | PTE_USER)) | ((w->rights | entry) & PTE_NX);
	return 0;
}

/* The table that the walk begins with, and its level. Returns 0, or #PF. */
static int first_table(const struct walk *w, uint64_t gva, uint64_t *table, unsigned int *level,
		       uint32_t *error_code)
{
	*level = w->f.levels;
	*table = w->p->cr3 & (w->f.bytes == 8 ? ADDRESS : 0xfffff000ULL);
	if (w->f.levels != 3)
		return 0;
	/* The CPU has the top level in registers; it has no rights. */
	*level = 2;
	*table = w->p->pdpte[gva >> 30 & 3];
	if (!(*table & PTE_PRESENT))
		return page_fault(w, 0, error_code);
	*table &= ADDRESS;
	return 0;
}

/* Down to the page. Returns 0, #PF or -EFAULT. */
static int descend(struct walk *w, uint64_t gva, uint32_t *error_code)
{
	unsigned int level;
	uint64_t table, index;
	int ret;

	w->count = 0;
	w->rights = PTE_WRITE | PTE_USER;
	ret = first_table(w, gva, &table, &level, error_code);
	for (; !ret; level--) {
		w->shift = 12 + (level - 1) * w->f.bits;
		index = gva >> w->shift & ((1U << w->f.bits) - 1);
		ret = take_entry(w, level, table + index * w->f.bytes, error_code);
		if (ret || is_leaf(w, level, w->entry[w->count - 1]))
			break;
		table = w->entry[w->count - 1] & ADDRESS;
	}
	return ret;
}

/* SDM vol. 3, 4.6.1 */
static bool allows_data(const struct walk *w)
{
	const struct axvcpu_x86_paging *p = w->p;
	bool smap = p->cr4 & CR4_SMAP && !(p->rflags & RFLAGS_AC);

	if (is_user(p) ? !(w->rights & PTE_USER) : w->rights & PTE_USER && smap)
		return false;
	return !(w->access & AXVCPU_X86_WRITE) || w->rights & PTE_WRITE ||
	       (!is_user(p) && !(p->cr0 & CR0_WP));
}

static bool allows_fetch(const struct walk *w)
{
	if (w->rights & PTE_NX)
		return false;
	return is_user(w->p) ? w->rights & PTE_USER :
			       !(w->rights & PTE_USER && w->p->cr4 & CR4_SMEP);
}

/* Returns whether the entry was still what the walk has seen. */
static bool set_bits(void *where, unsigned int bytes, uint64_t entry, uint64_t bits)
{
	uint32_t narrow = entry;

	if ((entry & bits) == bits)
		return true;
	if (bytes == 8)
		return __atomic_compare_exchange_n((uint64_t *)where, &entry, entry | bits, false,
						   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((uint32_t *)where, &narrow, narrow | bits, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Accessed, and dirty. Returns whether all is still as the walk has seen it. */
static bool mark(const struct walk *w)
{
	uint64_t bits = PTE_ACCESSED;

	for (unsigned int i = 0; i < w->count; i++) {
		if (i == w->count - 1 && w->access & AXVCPU_X86_WRITE)
			bits |= PTE_DIRTY;
		if (!set_bits(w->where[i], w->f.bytes, w->entry[i], bits))
			return false;
	}
	return true;
}

static uint64_t address(const struct walk *w, uint64_t gva)
{
	uint64_t entry = w->entry[w->count - 1], size = 1ULL << w->shift;
	uint64_t gpa = (entry & ADDRESS & ~(size - 1)) | (gva & (size - 1));

	/* PSE-36 */
	if (w->f.bytes == 4 && w->shift > 12)
		gpa |= (entry >> 13 & 0xff) << 32;
	return gpa;
}

int axvcpu_x86_walk(const struct axvcpu_x86_paging *p, uint64_t gva, unsigned int access,
		    axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *error_code)
{
	struct walk w = {
		.p = p,
		.f = format_of(p),
		.access = access,
		.memory = memory,
		.data = data,
	};
	int ret;

	if (!x86_linear_is_64bit(p))
		gva = (uint32_t)gva;
	if (!(p->cr0 & CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	/* A guest that changes an entry meanwhile is walked anew, as by a CPU. */
	do {
		ret = descend(&w, gva, error_code);
		if (ret)
			return ret;
		if (!(access & AXVCPU_X86_FETCH ? allows_fetch(&w) : allows_data(&w)))
			return page_fault(&w, ERROR_PRESENT, error_code);
	} while (!mark(&w));
	*gpa = address(&w, gva);
	return 0;
}

int axvcpu_x86_translate(struct axvcpu_vcpu *vcpu, uint64_t gva, bool write,
			 axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *error_code)
{
	struct axvcpu_x86_paging paging;
	int err = axvcpu_x86_get_paging(vcpu, &paging);

	return err ? err : axvcpu_x86_walk(&paging, gva, write ? AXVCPU_X86_WRITE : 0, memory,
					   data, gpa, error_code);
}

/* What of an access is in the first of its pages */
static size_t in_page(uint64_t gva, size_t size)
{
	size_t room = PAGE_SIZE - gva % PAGE_SIZE;

	return size < room ? size : room;
}

/* A part of an access, which is in one page. Returns 0, #PF or -EFAULT. */
static int find(const struct axvcpu_x86_paging *p, uint64_t gva, size_t size, unsigned int access,
		axvcpu_memory_fn memory, void *data, uint8_t **where,
		struct axvcpu_x86_page_fault *fault)
{
	uint64_t gpa;
	int ret;

	fault->address = x86_linear_is_64bit(p) ? gva : (uint32_t)gva;
	ret = axvcpu_x86_walk(p, gva, access, memory, data, &gpa, &fault->error_code);
	if (ret)
		return ret;
	*where = memory(data, gpa, size);
	return *where ? 0 : -EFAULT;
}

int axvcpu_x86_access(const struct axvcpu_x86_paging *p, uint64_t gva, void *bytes, size_t size,
		      unsigned int access, axvcpu_memory_fn memory, void *data,
		      struct axvcpu_x86_page_fault *fault)
{
	uint8_t *where;
	size_t at, part;
	int ret;

	/* A fault in a later page leaves the earlier ones as they are. */
	for (at = 0; at < size; at += part) {
		part = in_page(gva + at, size - at);
		ret = find(p, gva + at, part, access, memory, data, &where, fault);
		if (ret)
			return ret;
	}
	for (at = 0; at < size; at += part) {
		part = in_page(gva + at, size - at);
		ret = find(p, gva + at, part, access, memory, data, &where, fault);
		if (ret)
			return ret;
		if (access & AXVCPU_X86_WRITE)
			memcpy(where, (uint8_t *)bytes + at, part);
		else
			memcpy((uint8_t *)bytes + at, where, part);
	}
	return 0;
}
