// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which registers there are, and where each has its row.
 *
 * GET_REGS and SET_REGS must not pay for a search. Mostly, a register follows on the one
 * before. Otherwise, ids but those of MSRs fall into pages of 4096, of which the beginning
 * is in use: an index has the place of each id there. The few MSRs have a hash table.
 */
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "vmx.h"
#include "vmx_fpu.h"
#include "vmx_regs_find.h"

#define PAGE_BITS	12
/* Powers of two, so that a mask keeps speculation inside */
#define NR_PAGES	128
#define NR_INDEXED	2048
#define MSR_HASH_BITS	7
#define NR_MSR_SLOTS	(1U << MSR_HASH_BITS)

/** vmx_regs - a row for each register, but for the first row */
struct vmx_reg vmx_regs[VMX_MAX_REGS] __ro_after_init;
static unsigned int nr_regs __ro_after_init = 1;

/* What of a page is in use, and where that is in the index */
static struct {
	u16 first;
	u16 count;
} pages[NR_PAGES] __ro_after_init;
static u16 reg_index[NR_INDEXED] __ro_after_init;

/* Where the row of an MSR is, at its hash or in the next slot that is free; 0: none */
static u16 msr_slots[NR_MSR_SLOTS] __ro_after_init;

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

static void __init place_pages(void)
{
	unsigned int i, n = 0;

	for (i = 1; i < nr_regs; i++) {
		u64 id = vmx_regs[i].id;

		if (!is_msr(id))
			pages[page_of(id)].count = max_t(u16, pages[page_of(id)].count,
							 offset_of(id) + 1);
	}
	for (i = 0; i < NR_PAGES; i++) {
		pages[i].first = n;
		n += pages[i].count;
	}
	WARN_ON(n > NR_INDEXED);
}

static unsigned int msr_slot(u64 id)
{
	return hash_32(id, MSR_HASH_BITS);
}

static void __init index_msr(unsigned int n)
{
	unsigned int slot = msr_slot(vmx_regs[n].id);

	while (msr_slots[slot])
		slot = (slot + 1) % NR_MSR_SLOTS;
	msr_slots[slot] = n;
}

static void __init index_reg(unsigned int n)
{
	u64 id = vmx_regs[n].id;

	if (is_msr(id))
		index_msr(n);
	else
		reg_index[(pages[page_of(id)].first + offset_of(id)) % NR_INDEXED] = n;
}

static void __init add_row(const struct vmx_reg *row)
{
	unsigned int i;

	if (WARN_ON(nr_regs + row->count > VMX_MAX_REGS))
		return;
	for (i = 0; i < row->count; i++) {
		struct vmx_reg *reg = &vmx_regs[nr_regs++];

		*reg = *row;
		reg->id += i;
		reg->n += i;
		reg->field += 2 * i;
	}
}

/* In a circle: every id that follows is a register's. */
static void __init link_regs(void)
{
	unsigned int i;

	for (i = 0; i < nr_regs; i++) {
		vmx_regs[i].next = &vmx_regs[i + 1 < nr_regs ? i + 1 : 1];
		vmx_regs[i].next_id = vmx_regs[i].next->id;
	}
}

/**
 * vmx_regs_add() - add registers
 * @rows: their rows
 * @count: how many
 *
 * Those of which guests can't have the state are left out.
 *
 * Context: module load.
 */
void __init vmx_regs_add(const struct vmx_reg *rows, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!(rows[i].xfeatures & ~vmx_xcr0))
			add_row(&rows[i]);
	}
	place_pages();
	memset(reg_index, 0, sizeof(reg_index));
	memset(msr_slots, 0, sizeof(msr_slots));
	for (i = 1; i < nr_regs; i++)
		index_reg(i);
	link_regs();
}

static const struct vmx_reg *find_msr(u64 id)
{
	unsigned int slot = msr_slot(id);

	while (msr_slots[slot] && vmx_regs[msr_slots[slot]].id != id)
		slot = (slot + 1) % NR_MSR_SLOTS;
	return &vmx_regs[msr_slots[slot]];
}

/**
 * vmx_regs_find() - find a register
 * @id: of the register; CPUID is none
 *
 * Context: any.
 * Return: its row, or %VMX_NO_REG.
 */
const struct vmx_reg *vmx_regs_find(u64 id)
{
	unsigned int page = page_of(id) % NR_PAGES, offset = offset_of(id);

	if (unlikely(id >= NR_PAGES << PAGE_BITS))
		return find_msr(id);
	if (unlikely(offset >= pages[page].count))
		return VMX_NO_REG;
	return &vmx_regs[reg_index[(pages[page].first + offset) % NR_INDEXED]];
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
	unsigned int i;
	u32 count = 0;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 1; i < nr_regs; i++) {
		if (vmx_regs[i].flags & VMX_REG_ALIAS)
			continue;
		if (count < max)
			ids[count] = vmx_regs[i].id;
		count++;
	}
	return count;
}
