// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which registers there are, and where each has its row.
 *
 * GET_REGS and SET_REGS must not pay for a search. Mostly, a register follows on the one
 * before. Otherwise, a hash table has the place of each id.
 */
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "vmx.h"
#include "vmx_fpu.h"
#include "vmx_regs_find.h"

/* Mostly empty, so that an id that is none is found out at once */
#define SLOT_BITS	11
#define NR_SLOTS	BIT(SLOT_BITS)

/** vmx_regs - a row for each register, but for the first row */
struct vmx_reg vmx_regs[VMX_MAX_REGS] __ro_after_init;
static unsigned int nr_regs __ro_after_init = 1;

/* Where the row of an id is: at its hash, or in the next slot that is free; 0: there is none */
static u16 slots[NR_SLOTS] __ro_after_init;

static unsigned int first_slot(u64 id)
{
	return hash_64(id, SLOT_BITS);
}

static unsigned int next_slot(unsigned int slot)
{
	return (slot + 1) % NR_SLOTS;
}

static void __init index_reg(unsigned int n)
{
	unsigned int slot = first_slot(vmx_regs[n].id);

	while (slots[slot])
		slot = next_slot(slot);
	slots[slot] = n;
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
	memset(slots, 0, sizeof(slots));
	for (i = 1; i < nr_regs; i++)
		index_reg(i);
	link_regs();
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
	unsigned int slot = first_slot(id);

	while (slots[slot] && vmx_regs[slots[slot]].id != id)
		slot = next_slot(slot);
	return &vmx_regs[slots[slot]];
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
