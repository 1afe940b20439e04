// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which row a register's id has, and which registers there are.
 *
 * GET_REGS and SET_REGS must not pay for a search. Ids but those of MSRs fall into
 * pages of 4096, of which the beginning is in use: an index has a byte for each id
 * there, the number of its row. The few MSRs are looked through.
 */
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "vmx.h"
#include "vmx_fpu.h"
#include "vmx_regs_find.h"

#define PAGE_BITS	12
/* Powers of two, so that a mask keeps speculation inside */
#define NR_PAGES	128
#define NR_INDEXED	2048
#define NR_MSRS		24

/** vmx_reg_rows - rows by number; there is no row 0 */
const struct vmx_reg *vmx_reg_rows[VMX_MAX_REG_ROWS] __ro_after_init;
static unsigned int nr_rows __ro_after_init = 1;

/* What of a page is in use, and where that is in the index */
static struct {
	u16 first;
	u16 count;
} pages[NR_PAGES] __ro_after_init;
static u8 row_index[NR_INDEXED] __ro_after_init;
static unsigned int nr_indexed __ro_after_init;

static struct {
	u32 msr;
	u32 row;
} msrs[NR_MSRS] __ro_after_init;
static unsigned int nr_msrs __ro_after_init;

static bool is_msr(u64 id)
{
	return id >= AXVCPU_X86_REG_MSR(0);
}

static unsigned int page_of(u64 id)
{
	return id >> PAGE_BITS;
}

static unsigned int offset_of(u64 id)
{
	return id & (BIT(PAGE_BITS) - 1);
}

static void __init reserve(const struct vmx_reg *reg)
{
	u16 *count = &pages[page_of(reg->id)].count;

	*count = max_t(u16, *count, offset_of(reg->id) + reg->count);
}

static void __init place_pages(void)
{
	unsigned int i;

	nr_indexed = 0;
	for (i = 0; i < NR_PAGES; i++) {
		pages[i].first = nr_indexed;
		nr_indexed += pages[i].count;
	}
	WARN_ON(nr_indexed > NR_INDEXED);
}

static void __init index_row(unsigned int n)
{
	const struct vmx_reg *reg = vmx_reg_rows[n];
	unsigned int i;

	if (is_msr(reg->id)) {
		msrs[nr_msrs].msr = reg->id;
		msrs[nr_msrs++].row = n;
		return;
	}
	for (i = 0; i < reg->count; i++)
		row_index[(pages[page_of(reg->id)].first + offset_of(reg->id) + i) % NR_INDEXED] =
			n;
}

/**
 * vmx_regs_add() - add registers
 * @rows: their rows, which stay where they are
 * @count: how many
 *
 * Those of which guests can't have the state are left out.
 *
 * Context: module load.
 */
void __init vmx_regs_add(const struct vmx_reg *rows, unsigned int count)
{
	unsigned int i;

	if (WARN_ON(nr_rows + count > VMX_MAX_REG_ROWS))
		return;
	for (i = 0; i < count; i++) {
		if (rows[i].xfeatures & ~vmx_xcr0)
			continue;
		vmx_reg_rows[nr_rows++] = &rows[i];
		if (!is_msr(rows[i].id))
			reserve(&rows[i]);
	}
	place_pages();
	memset(row_index, 0, sizeof(row_index));
	nr_msrs = 0;
	for (i = 1; i < nr_rows; i++)
		index_row(i);
}

static unsigned int find_msr(u64 id)
{
	unsigned int i;

	if (!is_msr(id) || id > AXVCPU_X86_REG_MSR(U32_MAX))
		return 0;
	for (i = 0; i < nr_msrs; i++) {
		if (msrs[i].msr == (u32)id)
			return msrs[i].row;
	}
	return 0;
}

/**
 * vmx_regs_find() - the row of a register
 * @id: of the register; CPUID has none
 *
 * Context: any.
 * Return: its number, or 0: there is no such register.
 */
unsigned int vmx_regs_find(u64 id)
{
	unsigned int page = page_of(id) % NR_PAGES, offset = offset_of(id);

	if (unlikely(id >= NR_PAGES << PAGE_BITS))
		return find_msr(id);
	if (unlikely(offset >= pages[page].count))
		return 0;
	return row_index[(pages[page].first + offset) % NR_INDEXED];
}

/**
 * vmx_list_regs() - see &struct axvcpu_arch_ops.list_regs
 * @vcpu: the vCPU
 * @ids: where they go
 * @max: room there
 *
 * Any order will do for SET_REGS: no register's limits depend on another's value.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: how many there are.
 */
u32 vmx_list_regs(struct axvcpu *vcpu, u64 *ids, u32 max)
{
	unsigned int row, i;
	u32 count = 0;

	for (row = 1; row < nr_rows; row++) {
		const struct vmx_reg *reg = vmx_reg_rows[row];

		if (reg->flags & VMX_REG_ALIAS)
			continue;
		for (i = 0; i < reg->count; i++, count++) {
			if (count < max)
				ids[count] = reg->id + i;
		}
	}
	return count;
}
