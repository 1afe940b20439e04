// SPDX-License-Identifier: LGPL-2.1-or-later
/* Page tables for long mode: SDM vol. 3, "4-Level Paging". */
#include <string.h>

#include "internal.h"

#define PAGE_SIZE	4096ULL
#define PER_TABLE	512ULL
#define LEAF_SHIFT	21	/* 2 MiB */
#define PD_SHIFT	30	/* one page directory's reach */
#define PDPT_SHIFT	39
#define LIMIT_MAX	(1ULL << 47)	/* above it addresses are not canonical */

#define PTE_PRESENT	(1ULL << 0)
#define PTE_WRITE	(1ULL << 1)
#define PTE_ACCESSED	(1ULL << 5)
#define PTE_DIRTY	(1ULL << 6)
#define PTE_LEAF	(1ULL << 7)

#define TABLE_BITS	(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define LEAF_BITS	(TABLE_BITS | PTE_DIRTY | PTE_LEAF)

static uint64_t units(uint64_t limit, unsigned int shift)
{
	return (limit + (1ULL << shift) - 1) >> shift;
}

size_t axvcpu_x86_identity_map_size(uint64_t limit)
{
	if (!limit || limit > LIMIT_MAX)
		return 0;
	return (1 + units(limit, PDPT_SHIFT) + units(limit, PD_SHIFT)) * PAGE_SIZE;
}

/*
 * Fill @count entries of consecutive tables: entry n leads to @addr plus n
 * times @step.
 */
static void fill(uint64_t *entry, uint64_t count, uint64_t addr, uint64_t step, uint64_t bits)
{
	for (uint64_t n = 0; n < count; n++)
		entry[n] = (addr + n * step) | bits;
}

int axvcpu_x86_identity_map(void *tables, uint64_t tables_gpa, size_t size, uint64_t limit)
{
	size_t need = axvcpu_x86_identity_map_size(limit);
	uint64_t pdpts = units(limit, PDPT_SHIFT);
	uint64_t pds = units(limit, PD_SHIFT);
	uint64_t *pml4 = tables;
	uint64_t *pdpt = pml4 + PER_TABLE;
	uint64_t *pd = pdpt + pdpts * PER_TABLE;

	if (!need || tables_gpa % PAGE_SIZE)
		return failed(CALL_TABLES, -EINVAL);
	if (size < need)
		return failed(CALL_TABLES, -ENOSPC);

	/* One PML4, then all PDPTs, then all page directories, each in order. */
	memset(tables, 0, need);
	fill(pml4, pdpts, tables_gpa + PAGE_SIZE, PAGE_SIZE, TABLE_BITS);
	fill(pdpt, pds, tables_gpa + (1 + pdpts) * PAGE_SIZE, PAGE_SIZE, TABLE_BITS);
	fill(pd, units(limit, LEAF_SHIFT), 0, 1ULL << LEAF_SHIFT, LEAF_BITS);
	return 0;
}
