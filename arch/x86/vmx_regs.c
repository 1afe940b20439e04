// SPDX-License-Identifier: GPL-2.0-only
/* Registers by id, and those that travel in the run page. */
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "vmx.h"

#define RFLAGS_VALID								\
	(X86_EFLAGS_CF | X86_EFLAGS_FIXED | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
	 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF |	\
	 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT |	\
	 X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF |	\
	 X86_EFLAGS_VIP | X86_EFLAGS_ID)

#define CR0_VALID							\
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET |	\
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD |	\
	 X86_CR0_PG)

/* Ids are (class << 4 | n), where a class is sixteen ids. */
#define REG_CLASS(id)	((id) >> 4)
#define REG_N(id)	((id) & 0xf)

static u64 get_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return READ_ONCE(vmx_gprs(vmx)[n]);
}

static void set_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[n], value);
}

/* RIP and RFLAGS */
static u64 get_insn(struct vmx_vcpu *vmx, unsigned int n)
{
	return n ? vmx_rflags(vmx) : vmx_rip(vmx);
}

static bool valid_insn(unsigned int n, u64 value)
{
	return !n || !(value & ~RFLAGS_VALID);
}

static void set_insn(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n) {
		vmx->rflags = value | X86_EFLAGS_FIXED;
		vmx->todo |= VMX_TODO_RFLAGS;
	} else {
		vmx->rip = value;
		vmx->todo |= VMX_TODO_RIP;
		vmx->skip_due = false;
	}
}

static u64 get_cr(struct vmx_vcpu *vmx, unsigned int n)
{
	switch (n) {
	case 0:
		return (vmread(GUEST_CR0) & ~VMX_CR0_OWNED) |
		       (vmread(CR0_READ_SHADOW) & VMX_CR0_OWNED);
	case 2:
		return vmx->cr2;
	case 3:
		return vmread(GUEST_CR3);
	default:
		return vmread(GUEST_CR4) & vmx_caps.cr4_allowed;
	}
}

static bool valid_cr(unsigned int n, u64 value)
{
	switch (n) {
	case 0:
		return !(value & ~CR0_VALID);
	case 3:
		return !(value >> ept_format.gpa_bits);
	case 4:
		return !(value & ~vmx_caps.cr4_allowed);
	default:
		return n == 2;
	}
}

static void set_cr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	switch (n) {
	case 0:
		vmwrite(CR0_READ_SHADOW, value);
		vmwrite(GUEST_CR0, (value & ~VMX_CR0_OWNED) | X86_CR0_ET | X86_CR0_NE);
		vmx_update_lma(vmx);
		break;
	case 2:
		vmx->cr2 = value;
		break;
	case 3:
		vmwrite(GUEST_CR3, value);
		break;
	case 4:
		vmwrite(GUEST_CR4, value | X86_CR4_VMXE | (cr4_read_shadow() & X86_CR4_MCE));
		break;
	}
}

/* Registers that are fields of the VMCS, at steps of 2 */
struct field_class {
	u32 field;	/* of the first */
	u32 count;
	u64 valid;	/* bits that a value may have */
};

static const struct field_class segment_classes[] = {
	{ GUEST_ES_SELECTOR,	8, 0xffff },
	{ GUEST_ES_BASE,	8, ~0ULL },
	{ GUEST_ES_LIMIT,	8, 0xffffffff },
	{ GUEST_ES_AR_BYTES,	8, ~(u64)(u32)VMX_AR_RESERVD_MASK & 0xffffffff },
};

static const struct field_class table_classes[] = {
	{ GUEST_GDTR_BASE,	1, ~0ULL },
	{ GUEST_GDTR_LIMIT,	1, 0xffff },
	{ GUEST_IDTR_BASE,	1, ~0ULL },
	{ GUEST_IDTR_LIMIT,	1, 0xffff },
};

static const struct field_class *find_field(u64 id, u32 *field)
{
	const struct field_class *class = NULL;
	u64 n = 0;

	if (id >= AXVCPU_X86_REG_SEG_SELECTOR(0) && id < AXVCPU_X86_REG_SEG_ACCESS(16)) {
		class = &segment_classes[REG_CLASS(id - AXVCPU_X86_REG_SEG_SELECTOR(0))];
		n = REG_N(id);
	} else if (id >= AXVCPU_X86_REG_GDTR_BASE && id <= AXVCPU_X86_REG_IDTR_LIMIT) {
		class = &table_classes[id - AXVCPU_X86_REG_GDTR_BASE];
	}
	if (!class || n >= class->count)
		return NULL;
	*field = class->field + 2 * n;
	return class;
}

/* Registers that are reached by functions, numbered by n */
struct reg_class {
	u64 first;
	u32 count;
	u64 (*get)(struct vmx_vcpu *vmx, unsigned int n);
	bool (*valid)(unsigned int n, u64 value);	/* NULL: any value */
	void (*set)(struct vmx_vcpu *vmx, unsigned int n, u64 value);
};

static const struct reg_class reg_classes[] = {
	{ AXVCPU_X86_REG_GPR(0), 16, get_gpr, NULL, set_gpr },
	{ AXVCPU_X86_REG_RIP, 2, get_insn, valid_insn, set_insn },
	{ AXVCPU_X86_REG_CR0, 1, get_cr, valid_cr, set_cr },
	{ AXVCPU_X86_REG_CR2, 3, get_cr, valid_cr, set_cr },
};

static const struct reg_class *find_class(u64 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reg_classes); i++) {
		if (id >= reg_classes[i].first && id - reg_classes[i].first < reg_classes[i].count)
			return &reg_classes[i];
	}
	return NULL;
}

static bool is_msr(u64 id)
{
	return id >> 32 == 1 && vmx_msr_known(id);
}

int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value)
{
	const struct reg_class *class = find_class(id);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 field;

	if (class)
		*value = class->get(vmx, REG_N(id));
	else if (find_field(id, &field))
		*value = vmread(field);
	else if (is_msr(id))
		*value = vmx_msr_get(vmx, id);
	else
		return -EINVAL;
	return 0;
}

/*
 * Values that only make sense together are not checked against each other: an
 * entry with a state that no CPU can be in is FAIL_ENTRY.
 */
int vmx_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit)
{
	const struct reg_class *class = find_class(id);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct field_class *fields;
	u32 field;

	if (class) {
		if (class->valid && !class->valid(REG_N(id), value))
			return -EINVAL;
		if (commit)
			class->set(vmx, REG_N(id), value);
		return 0;
	}
	fields = find_field(id, &field);
	if (fields) {
		if (value & ~fields->valid)
			return -EINVAL;
		if (commit)
			vmwrite(field, value);
		return 0;
	}
	if (!is_msr(id) || !vmx_msr_valid(id, value))
		return -EINVAL;
	if (commit)
		vmx_msr_set(vmx, id, value);
	return 0;
}

/**
 * vmx_take_regs() - take RIP and RFLAGS from the run page, where the VMM
 * changed them
 * @vmx: the vCPU
 *
 * Flags that no CPU has are left out: this is the VMM's page, and RUN has no
 * error for it.
 *
 * Context: preemption off, loaded.
 */
void vmx_take_regs(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	WRITE_ONCE(run->regs_dirty, 0);
	set_insn(vmx, 0, READ_ONCE(run->regs.x86.rip));
	set_insn(vmx, 1, READ_ONCE(run->regs.x86.rflags) & RFLAGS_VALID);
}

void vmx_sync_regs(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct axvcpu_x86_gprs *regs = &vcpu->run->regs.x86;

	vmx->rsp = vmread(GUEST_RSP);
	WRITE_ONCE(regs->gpr[AXVCPU_X86_RSP], vmx->rsp);
	WRITE_ONCE(regs->rip, vmx_rip(vmx));
	WRITE_ONCE(regs->rflags, vmx_rflags(vmx));
}
