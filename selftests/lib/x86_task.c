// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task switch carried out (SDM vol. 3, 8.3): of 32-bit tasks that are as they should be,
 * in memory that is mapped one to one.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "x86_task.h"

#define CR0_TS		(1ULL << 3)
#define FLAGS_NT	(1U << 14)
#define DR7_LOCAL	0x155ULL	/* L0 to L3, LE */
#define DESC_BUSY	2		/* in the sixth byte */
#define EVENT_VALID	(1ULL << 31)
#define EVENT_HAS_ERROR	(1ULL << 11)
#define PENDING_BT	(1ULL << 15)

/* A 32-bit TSS; the registers are in the order of their numbers. */
struct tss {
	uint32_t link;
	uint32_t stacks[6];
	uint32_t cr3, eip, eflags, gpr[8];
	uint32_t selector[6];		/* ES, CS, SS, DS, FS, GS */
	uint32_t ldt;
	uint16_t trap, ports;
};

static const unsigned int segments[6] = {
	AXVCPU_X86_SEG_ES, AXVCPU_X86_SEG_CS, AXVCPU_X86_SEG_SS,
	AXVCPU_X86_SEG_DS, AXVCPU_X86_SEG_FS, AXVCPU_X86_SEG_GS,
};

static uint32_t access_of(uint64_t desc)
{
	return (desc >> 40 & 0xff) | (desc >> 52 & 0xf) << 12;
}

static struct axvcpu_x86_segment segment_of(uint16_t selector, uint64_t desc)
{
	struct axvcpu_x86_segment segment = {
		.selector = selector,
		.limit = (desc & 0xffff) | (desc >> 48 & 0xf) << 16,
		.access = access_of(desc) | 1,	/* accessed */
		.base = (desc >> 16 & 0xffffff) | desc >> 56 << 24,
	};

	if (desc >> 55 & 1)
		segment.limit = segment.limit << 12 | 0xfff;
	return segment;
}

static int save(struct axvcpu_vcpu *vcpu, const struct axvcpu_run *run, struct tss *tss)
{
	struct axvcpu_x86_segment segment;
	uint64_t value;
	int ret;

	tss->eip = run->regs.x86.rip + run->task_switch.insn_len;
	tss->eflags = run->regs.x86.rflags;
	if (run->task_switch.source == AXVCPU_TASK_SWITCH_IRET)
		tss->eflags &= ~FLAGS_NT;
	for (unsigned int i = 0; i < 8; i++) {
		ret = axvcpu_vcpu_get_reg(vcpu, AXVCPU_X86_REG_GPR(i), &value);
		if (ret)
			return ret;
		tss->gpr[i] = value;
	}
	for (unsigned int i = 0; i < 6; i++) {
		ret = axvcpu_x86_get_segment(vcpu, segments[i], &segment);
		if (ret)
			return ret;
		tss->selector[i] = (tss->selector[i] & 0xffff0000) | segment.selector;
	}
	return 0;
}

static int load_segments(struct axvcpu_vcpu *vcpu, const struct tss *tss, uint8_t *gdt)
{
	struct axvcpu_x86_segment segment;
	uint64_t desc;
	int ret;

	for (unsigned int i = 0; i < 6; i++) {
		uint16_t selector = tss->selector[i];

		memcpy(&desc, gdt + (selector & ~7), sizeof(desc));
		segment = segment_of(selector, desc);
		ret = axvcpu_x86_set_segment(vcpu, segments[i], &segment);
		if (ret)
			return ret;
		gdt[(selector & ~7) + 5] |= 1;
	}
	return 0;
}

static int load(struct axvcpu_vcpu *vcpu, const struct tss *tss, uint32_t eflags)
{
	struct axvcpu_reg regs[] = {
		{ AXVCPU_X86_REG_CR3, tss->cr3 },
		{ AXVCPU_X86_REG_RIP, tss->eip },
		{ AXVCPU_X86_REG_RFLAGS, eflags },
		{ AXVCPU_X86_REG_CR0, 0 },
		{ AXVCPU_X86_REG_DR(7), 0 },
		{ AXVCPU_X86_REG_EVENT, 0 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 0 },
		{ AXVCPU_X86_REG_PENDING_DEBUG, tss->trap & 1 ? PENDING_BT : 0 },
	};
	struct axvcpu_reg gpr[8];
	int ret;

	ret = axvcpu_vcpu_get_reg(vcpu, AXVCPU_X86_REG_CR0, (uint64_t *)&regs[3].value);
	if (!ret)
		ret = axvcpu_vcpu_get_reg(vcpu, AXVCPU_X86_REG_DR(7), (uint64_t *)&regs[4].value);
	if (ret)
		return ret;
	regs[3].value |= CR0_TS;
	regs[4].value &= ~DR7_LOCAL;
	for (unsigned int i = 0; i < 8; i++)
		gpr[i] = (struct axvcpu_reg){ AXVCPU_X86_REG_GPR(i), tss->gpr[i] };
	ret = axvcpu_vcpu_set_regs(vcpu, regs, sizeof(regs) / sizeof(regs[0]));
	return ret ? ret : axvcpu_vcpu_set_regs(vcpu, gpr, 8);
}

/* What came through the gate had an error code. */
static void push_error(uint64_t event, struct tss *tss, uint8_t *ram)
{
	uint32_t error = event >> 32 & 0xffff;

	if (!(event & EVENT_VALID) || !(event & EVENT_HAS_ERROR))
		return;
	tss->gpr[AXVCPU_X86_RSP] -= sizeof(error);
	memcpy(ram + tss->gpr[AXVCPU_X86_RSP], &error, sizeof(error));
}

/**
 * x86_switch_task() - carry out what the guest has left to its VMM
 * @vcpu: the vCPU, after TASK_SWITCH
 * @run: its run page
 * @ram: the guest's memory
 *
 * Return: 0 or a negative errno.
 */
int x86_switch_task(struct axvcpu_vcpu *vcpu, const struct axvcpu_run *run, uint8_t *ram)
{
	const uint16_t selector = run->task_switch.selector;
	const uint32_t source = run->task_switch.source;
	bool nests = source == AXVCPU_TASK_SWITCH_CALL || source == AXVCPU_TASK_SWITCH_GATE;
	struct axvcpu_x86_segment old, new;
	struct tss *from, *to, next;
	uint64_t gdt, desc;
	int ret;

	ret = axvcpu_vcpu_get_reg(vcpu, AXVCPU_X86_REG_GDTR_BASE, &gdt);
	if (!ret)
		ret = axvcpu_x86_get_segment(vcpu, AXVCPU_X86_SEG_TR, &old);
	if (ret)
		return ret;
	memcpy(&desc, ram + gdt + (selector & ~7), sizeof(desc));
	new = segment_of(selector, desc | (uint64_t)DESC_BUSY << 40);
	from = (struct tss *)(ram + old.base);
	to = (struct tss *)(ram + new.base);

	ret = save(vcpu, run, from);
	if (ret)
		return ret;
	if (!nests)
		ram[gdt + (old.selector & ~7) + 5] &= ~DESC_BUSY;
	else
		to->link = (to->link & 0xffff0000) | old.selector;
	ram[gdt + (selector & ~7) + 5] |= DESC_BUSY;

	next = *to;
	push_error(run->task_switch.event, &next, ram);
	ret = axvcpu_x86_set_segment(vcpu, AXVCPU_X86_SEG_TR, &new);
	if (!ret)
		ret = load_segments(vcpu, &next, ram + gdt);
	return ret ? ret : load(vcpu, &next, next.eflags | (nests ? FLAGS_NT : 0));
}
