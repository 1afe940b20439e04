// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a processor starts: after a reset, a SIPI, an INIT (SDM vol. 3, 10.4.4 and table 11-1). */
#include "internal.h"

#define REAL_LIMIT	0xffff
#define REAL_CODE	0x9b	/* present, code, readable, accessed */
#define REAL_DATA	0x93	/* present, data, writable, accessed */
#define LDT		0x82
#define BUSY_TSS	0x8b

#define CR0_ET		(1ULL << 4)
#define CR0_CACHES	(3ULL << 29)	/* CD and NW: INIT leaves them */
#define DR6_RESET	0xffff0ff0
#define DR7_RESET	0x400
#define EFER		0xc0000080

#define RESET_SELECTOR	0xf000
#define RESET_BASE	0xffff0000
#define RESET_IP	0xfff0
#define RESET_ENTRY	0xffff0		/* which has the same selector and IP */

#define REGS_PER_SEGMENT	4

static void put_segment(struct axvcpu_reg *regs, unsigned int n,
			const struct axvcpu_x86_segment *segment)
{
	regs[0] = (struct axvcpu_reg){ AXVCPU_X86_REG_SEG_SELECTOR(n), segment->selector };
	regs[1] = (struct axvcpu_reg){ AXVCPU_X86_REG_SEG_BASE(n), segment->base };
	regs[2] = (struct axvcpu_reg){ AXVCPU_X86_REG_SEG_LIMIT(n), segment->limit };
	regs[3] = (struct axvcpu_reg){ AXVCPU_X86_REG_SEG_ACCESS(n), segment->access };
}

int axvcpu_x86_set_segment(struct axvcpu_vcpu *vcpu, unsigned int n,
			   const struct axvcpu_x86_segment *segment)
{
	struct axvcpu_reg regs[REGS_PER_SEGMENT];

	if (n > AXVCPU_X86_SEG_TR)
		return failed(CALL_SET_REGS, -EINVAL);
	put_segment(regs, n, segment);
	return axvcpu_vcpu_set_regs(vcpu, regs, ARRAY_SIZE(regs));
}

int axvcpu_x86_get_segment(struct axvcpu_vcpu *vcpu, unsigned int n,
			   struct axvcpu_x86_segment *segment)
{
	struct axvcpu_reg regs[REGS_PER_SEGMENT];
	int err;

	if (n > AXVCPU_X86_SEG_TR)
		return failed(CALL_GET_REGS, -EINVAL);
	put_segment(regs, n, &(struct axvcpu_x86_segment){ 0 });
	err = axvcpu_vcpu_get_regs(vcpu, regs, ARRAY_SIZE(regs));
	if (!err)
		*segment = (struct axvcpu_x86_segment){
			.selector = regs[0].value,
			.base = regs[1].value,
			.limit = regs[2].value,
			.access = regs[3].value,
		};
	return err;
}

/* EDX tells which processor it is, as CPUID's leaf 1 does in EAX. */
static int signature(struct axvcpu_vcpu *vcpu, uint64_t *value)
{
	uint32_t leaf[4];
	int err = axvcpu_x86_get_cpuid(vcpu, 1, 0, leaf);

	*value = leaf[0];
	return err;
}

static int setup_at(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry,
		    const struct axvcpu_x86_segment *code, uint64_t ip)
{
	struct axvcpu_reg regs[REGS_PER_SEGMENT + 2];
	uint64_t edx;
	int err = axvcpu_vcpu_setup_real(vcpu, aspace, entry);

	if (!err)
		err = signature(vcpu, &edx);
	if (err)
		return err;
	put_segment(regs, AXVCPU_X86_SEG_CS, code);
	regs[4] = (struct axvcpu_reg){ AXVCPU_X86_REG_RIP, ip };
	regs[5] = (struct axvcpu_reg){ AXVCPU_X86_REG_GPR(AXVCPU_X86_RDX), edx };
	return axvcpu_vcpu_set_regs(vcpu, regs, ARRAY_SIZE(regs));
}

int axvcpu_vcpu_setup_reset(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace)
{
	static const struct axvcpu_x86_segment code = {
		RESET_SELECTOR, REAL_LIMIT, REAL_CODE, RESET_BASE
	};

	return setup_at(vcpu, aspace, RESET_ENTRY, &code, RESET_IP);
}

int axvcpu_vcpu_setup_sipi(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint8_t vector)
{
	const struct axvcpu_x86_segment code = {
		vector << 8, REAL_LIMIT, REAL_CODE, (uint64_t)vector << 12
	};

	return setup_at(vcpu, aspace, (uint64_t)vector << 12, &code, 0);
}

/* Everything but CR0, which goes first: EFER can't change with paging on. */
static unsigned int init_state(struct axvcpu_reg *regs, uint64_t edx)
{
	static const uint64_t zeroes[] = {
		AXVCPU_X86_REG_CR2, AXVCPU_X86_REG_CR3, AXVCPU_X86_REG_CR4, AXVCPU_X86_REG_CR8,
		AXVCPU_X86_REG_MSR(EFER), AXVCPU_X86_REG_GDTR_BASE, AXVCPU_X86_REG_IDTR_BASE,
		AXVCPU_X86_REG_DR(0), AXVCPU_X86_REG_DR(1), AXVCPU_X86_REG_DR(2),
		AXVCPU_X86_REG_DR(3), AXVCPU_X86_REG_INTERRUPTIBILITY,
		AXVCPU_X86_REG_PENDING_DEBUG, AXVCPU_X86_REG_HALTED, AXVCPU_X86_REG_EVENT,
		AXVCPU_X86_REG_QUEUED_EXCEPTION, AXVCPU_X86_REG_QUEUED_NMI,
		AXVCPU_X86_REG_QUEUED_IRQS(0), AXVCPU_X86_REG_QUEUED_IRQS(1),
		AXVCPU_X86_REG_QUEUED_IRQS(2), AXVCPU_X86_REG_QUEUED_IRQS(3),
	};
	const struct axvcpu_reg others[] = {
		{ AXVCPU_X86_REG_GDTR_LIMIT, REAL_LIMIT },
		{ AXVCPU_X86_REG_IDTR_LIMIT, REAL_LIMIT },
		{ AXVCPU_X86_REG_DR(6), DR6_RESET }, { AXVCPU_X86_REG_DR(7), DR7_RESET },
		{ AXVCPU_X86_REG_RFLAGS, 2 }, { AXVCPU_X86_REG_RIP, RESET_IP },
		{ AXVCPU_X86_REG_GPR(AXVCPU_X86_RDX), edx },
	};
	static const struct axvcpu_x86_segment segments[] = {
		[AXVCPU_X86_SEG_ES]	= { 0, REAL_LIMIT, REAL_DATA, 0 },
		[AXVCPU_X86_SEG_CS]	= { RESET_SELECTOR, REAL_LIMIT, REAL_CODE, RESET_BASE },
		[AXVCPU_X86_SEG_SS]	= { 0, REAL_LIMIT, REAL_DATA, 0 },
		[AXVCPU_X86_SEG_DS]	= { 0, REAL_LIMIT, REAL_DATA, 0 },
		[AXVCPU_X86_SEG_FS]	= { 0, REAL_LIMIT, REAL_DATA, 0 },
		[AXVCPU_X86_SEG_GS]	= { 0, REAL_LIMIT, REAL_DATA, 0 },
		[AXVCPU_X86_SEG_LDTR]	= { 0, REAL_LIMIT, LDT, 0 },
		[AXVCPU_X86_SEG_TR]	= { 0, REAL_LIMIT, BUSY_TSS, 0 },
	};
	unsigned int count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(zeroes); i++)
		regs[count++] = (struct axvcpu_reg){ zeroes[i], 0 };
	for (unsigned int n = AXVCPU_X86_RAX; n <= AXVCPU_X86_R15; n++)
		regs[count++] = (struct axvcpu_reg){ AXVCPU_X86_REG_GPR(n), 0 };
	for (size_t n = 0; n < ARRAY_SIZE(segments); n++, count += REGS_PER_SEGMENT)
		put_segment(&regs[count], n, &segments[n]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		regs[count++] = others[i];
	return count;
}

int axvcpu_x86_init(struct axvcpu_vcpu *vcpu)
{
	struct axvcpu_reg regs[AXVCPU_MAX_REGS];
	uint64_t cr0, edx;
	int err = axvcpu_vcpu_get_reg(vcpu, AXVCPU_X86_REG_CR0, &cr0);

	if (!err)
		err = signature(vcpu, &edx);
	if (!err)
		err = axvcpu_vcpu_set_reg(vcpu, AXVCPU_X86_REG_CR0, (cr0 & CR0_CACHES) | CR0_ET);
	if (err)
		return err;
	return axvcpu_vcpu_set_regs(vcpu, regs, init_state(regs, edx));
}
