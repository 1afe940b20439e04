// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers by id, MSRs that the backend holds among them, and those that
 * travel in the run page.
 */
#include <linux/lockdep.h>
#include <linux/nospec.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "vmx.h"
#include "vmx_cpuid.h"
#include "vmx_cr.h"
#include "vmx_fpu.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"
#include "vmx_msr.h"
#include "vmx_queue.h"
#include "vmx_regs.h"
#include "vmx_regs_find.h"
#include "vmx_regs_state.h"

#define RFLAGS_VALID								\
	(X86_EFLAGS_CF | X86_EFLAGS_FIXED | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
	 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF |	\
	 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT |	\
	 X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF |	\
	 X86_EFLAGS_VIP | X86_EFLAGS_ID)
#define CR0_VALID								\
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET |	\
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD |	\
	 X86_CR0_PG)
#define EFER_VALID	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)
#define AR_VALID	((u32)~VMX_AR_RESERVD_MASK)

static bool is_canonical(const struct vmx_vcpu *vmx, u64 value)
{
	return (u64)((s64)(value << 16) >> 16) == value;
}

/* Each byte is a memory type: UC, WC, WT, WP, WB or UC-. */
static bool is_pat(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value & 0xf8f8f8f8f8f8f8f8ULL) &&
	       !((value >> 1) & ~(value >> 2) & 0x0101010101010101ULL);
}

static u64 get_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_read_gpr(vmx, n);
}

static void set_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[n], value);
	if (n == AXVCPU_X86_RSP)
		vmwrite(GUEST_RSP, value);
}

static u64 get_rip(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_rip(vmx);
}

static void write_rip(struct vmx_vcpu *vmx, u64 value)
{
	vmx->rip = value;
	vmx->once |= VMX_ONCE_RIP;
}

/* Who moves RIP has done the instruction that exited. */
static void set_rip(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (vmx->vcpu.answer_due) {
		vmx->vcpu.answer_due = false;
		vmx_vmm_did_insn(vmx);
	}
	write_rip(vmx, value);
}

static u64 get_rflags(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_rflags(vmx);
}

static void set_rflags(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->rflags = value | X86_EFLAGS_FIXED;
	vmx->once |= VMX_ONCE_RFLAGS;
	WRITE_ONCE(vmx->halt_if, value & X86_EFLAGS_IF);
}

static u64 get_cr0(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_cr0();
}

static void set_cr0(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_set_cr0(vmx, value);
}

static u64 get_cr2(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->cr2;
}

static void set_cr2(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->cr2 = value;
}

static u64 get_cr4(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_cr4(vmx);
}

static void set_cr4(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_set_cr4(vmx, value);
}

static u64 get_efer(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->efer | (vmx_long_mode_active(vmx) ? EFER_LMA : 0);
}

/* What is in the CPU of the MSRs may be another choice afterwards. */
static void set_efer(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_msrs_put(vmx);
	vmx->efer = value & ~EFER_LMA;
	vmx_update_lma(vmx);
	vmx_msrs_load(vmx);
}

/* SWAPGS changes one of them without an exit, so all are looked at in memory. */
static u64 get_msr(struct vmx_vcpu *vmx, unsigned int n)
{
	vmx_msrs_put(vmx);
	vmx_msrs_load(vmx);
	return vmx->msrs[n];
}

static void set_msr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_msrs_put(vmx);
	vmx->msrs[n] = value;
	vmx_msrs_load(vmx);
}

#define TRANSLATION	VMX_REG_TRANSLATION
#define ALIAS		VMX_REG_ALIAS

static const struct vmx_reg regs[] = {
#define FIELDS(id, count, field, mask)	{ id, count, 0, field, 0, mask }
#define MSR_FIELD(msr, field, flags, mask, valid) \
	{ AXVCPU_X86_REG_MSR(msr), 1, 0, field, flags, mask, valid }
#define MSR_SLOT(msr, slot, mask, valid) \
	{ AXVCPU_X86_REG_MSR(msr), 1, VMX_MSR_##slot, 0, 0, mask, valid, get_msr, set_msr }
	{ AXVCPU_X86_REG_GPR(0), 16, 0, 0, 0, 0, NULL, get_gpr, set_gpr },
	{ AXVCPU_X86_REG_RIP, 1, 0, 0, 0, 0, NULL, get_rip, set_rip },
	{ AXVCPU_X86_REG_RFLAGS, 1, 0, 0, 0, RFLAGS_VALID, NULL, get_rflags, set_rflags },
	{ AXVCPU_X86_REG_CR0, 1, 0, 0, TRANSLATION, CR0_VALID, NULL, get_cr0, set_cr0 },
	{ AXVCPU_X86_REG_CR2, 1, 0, 0, 0, 0, NULL, get_cr2, set_cr2 },
	{ AXVCPU_X86_REG_CR3, 1, 0, GUEST_CR3, TRANSLATION, 0, vmx_cr3_valid },
	{ AXVCPU_X86_REG_CR4, 1, 0, 0, TRANSLATION, 0, vmx_cr4_valid, get_cr4, set_cr4 },
	{ AXVCPU_X86_REG_PDPTE(0), 4, 0, GUEST_PDPTR0, TRANSLATION },
	FIELDS(AXVCPU_X86_REG_SEG_SELECTOR(0), 8, GUEST_ES_SELECTOR, 0xffff),
	FIELDS(AXVCPU_X86_REG_SEG_BASE(0), 8, GUEST_ES_BASE, 0),
	FIELDS(AXVCPU_X86_REG_SEG_LIMIT(0), 8, GUEST_ES_LIMIT, U32_MAX),
	FIELDS(AXVCPU_X86_REG_SEG_ACCESS(0), 8, GUEST_ES_AR_BYTES, AR_VALID),
	FIELDS(AXVCPU_X86_REG_GDTR_BASE, 1, GUEST_GDTR_BASE, 0),
	FIELDS(AXVCPU_X86_REG_GDTR_LIMIT, 1, GUEST_GDTR_LIMIT, 0xffff),
	FIELDS(AXVCPU_X86_REG_IDTR_BASE, 1, GUEST_IDTR_BASE, 0),
	FIELDS(AXVCPU_X86_REG_IDTR_LIMIT, 1, GUEST_IDTR_LIMIT, 0xffff),
	{ AXVCPU_X86_REG_MSR(MSR_EFER), 1, 0, 0, TRANSLATION, EFER_VALID, NULL, get_efer, set_efer },
	MSR_FIELD(MSR_IA32_CR_PAT, GUEST_IA32_PAT, TRANSLATION, 0, is_pat),
	MSR_FIELD(MSR_FS_BASE, GUEST_FS_BASE, ALIAS, 0, is_canonical),
	MSR_FIELD(MSR_GS_BASE, GUEST_GS_BASE, ALIAS, 0, is_canonical),
	MSR_FIELD(MSR_IA32_SYSENTER_CS, GUEST_SYSENTER_CS, 0, U32_MAX, NULL),
	MSR_FIELD(MSR_IA32_SYSENTER_ESP, GUEST_SYSENTER_ESP, 0, 0, is_canonical),
	MSR_FIELD(MSR_IA32_SYSENTER_EIP, GUEST_SYSENTER_EIP, 0, 0, is_canonical),
	MSR_SLOT(MSR_STAR, STAR, 0, NULL),
	MSR_SLOT(MSR_LSTAR, LSTAR, 0, is_canonical),
	MSR_SLOT(MSR_CSTAR, CSTAR, 0, is_canonical),
	MSR_SLOT(MSR_SYSCALL_MASK, SFMASK, U32_MAX, NULL),
	MSR_SLOT(MSR_KERNEL_GS_BASE, KERNEL_GS_BASE, 0, is_canonical),
	MSR_SLOT(MSR_TSC_AUX, TSC_AUX, U32_MAX, NULL),
};

/**
 * vmx_regs_init() - find all registers by their ids
 *
 * Context: module load, after vmx_fpu_init().
 */
void __init vmx_regs_init(void)
{
	vmx_regs_add(regs, ARRAY_SIZE(regs));
	vmx_regs_add(vmx_state_regs, VMX_NR_STATE_REGS);
}

/**
 * vmx_get_reg() - a register's value
 * @vcpu: the vCPU, loaded
 * @id: of the register
 * @value: where it goes
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL: there is no such register.
 */
int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value)
{
	const struct vmx_reg *reg;
	unsigned int n;

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(id >= AXVCPU_X86_REG_CPUID(0, 0, 0)))
		return vmx_get_cpuid(to_vmx(vcpu), id, value);
	reg = vmx_regs_row(vmx_regs_find(id));
	if (unlikely(!reg))
		return -EINVAL;
	n = reg->n + array_index_nospec(id - reg->id, reg->count);
	*value = reg->get ? reg->get(to_vmx(vcpu), n) : vmread(reg->field + 2 * n);
	return 0;
}

/* What vmx_check_reg() leaves in an id: the row, and the register's number in it */
#define FOUND(row, n)		((u64)(row) << 32 | (n))
#define FOUND_ROW(id)		((id) >> 32)

/**
 * vmx_check_reg() - may a register have a value?
 * @vcpu: the vCPU, loaded
 * @reg: id and value
 *
 * Values that only make sense together are not checked against each other: an
 * entry with a state that no CPU can be in is FAIL_ENTRY.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL: there is no such register, or it can't have this value.
 */
int vmx_check_reg(struct axvcpu *vcpu, struct axvcpu_reg *reg)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vmx_reg *row;
	unsigned int found;
	u64 value = reg->value;

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(reg->id >= AXVCPU_X86_REG_CPUID(0, 0, 0)))
		return vmx_check_cpuid(reg->id, value);
	found = vmx_regs_find(reg->id);
	row = vmx_regs_row(found);
	if (!row || (row->mask && (value & ~row->mask)) || (row->valid && !row->valid(vmx, value)))
		return -EINVAL;
	reg->id = FOUND(found, row->n + array_index_nospec(reg->id - row->id, row->count));
	return 0;
}

/**
 * vmx_commit_reg() - change a register
 * @vcpu: the vCPU, loaded
 * @reg: as vmx_check_reg() has left it
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_commit_reg(struct axvcpu *vcpu, const struct axvcpu_reg *reg)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned int n = reg->id;
	const struct vmx_reg *row;

	if (unlikely(reg->id >= AXVCPU_X86_REG_CPUID(0, 0, 0))) {
		vmx_set_cpuid(vmx, reg->id, reg->value);
		return;
	}
	row = vmx_regs_row(FOUND_ROW(reg->id));
	if (row->set)
		row->set(vmx, n, reg->value);
	else
		vmwrite(row->field + 2 * n, reg->value);
	/* With a VPID, an entry forgets nothing by itself: SDM vol. 3, 29.4.3. */
	if (row->flags & VMX_REG_TRANSLATION)
		vcpu->tlb_gen = 0;
}

/**
 * vmx_take_regs() - take from the run page what the VMM changed
 * @vmx: the vCPU
 *
 * With flags that no CPU has, the entry fails.
 *
 * Context: preemption off, loaded.
 */
void vmx_take_regs(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;
	u32 dirty = READ_ONCE(run->regs_dirty);

	WRITE_ONCE(run->regs_dirty, 0);
	if (dirty & AXVCPU_REGS_SP)
		vmwrite(GUEST_RSP, READ_ONCE(run->regs.x86.gpr[AXVCPU_X86_RSP]));
	if (dirty & AXVCPU_REGS_PC) {
		write_rip(vmx, READ_ONCE(run->regs.x86.rip));
		set_rflags(vmx, 0, READ_ONCE(run->regs.x86.rflags));
	}
}

/**
 * vmx_bad_reg() - which register is at fault that an entry failed?
 * @vmx: the vCPU, after a failed entry
 *
 * Only of flags from the run page it can be told: SET_REGS takes no such value, and
 * others are not wrong by themselves.
 *
 * Context: preemption off, loaded.
 * Return: its id, or 0.
 */
u64 vmx_bad_reg(struct vmx_vcpu *vmx)
{
	return vmx_rflags(vmx) & ~RFLAGS_VALID ? AXVCPU_X86_REG_RFLAGS : 0;
}

/**
 * vmx_sync_regs() - the run page has RIP and RFLAGS, and RSP where the VMM wants it
 * @vcpu: the vCPU, loaded
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_sync_regs(struct axvcpu *vcpu)
{
	struct axvcpu_run *run = vcpu->run;
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 known = vmx->cached | vmx->once;

	lockdep_assert_held(&vcpu->mutex);
	if (unlikely(READ_ONCE(run->regs_wanted) & AXVCPU_REGS_SP))
		WRITE_ONCE(run->regs.x86.gpr[AXVCPU_X86_RSP], vmread(GUEST_RSP));
	if (unlikely(~known & (VMX_ONCE_RIP | VMX_ONCE_RFLAGS))) {
		vmx_rip(vmx);
		vmx_rflags(vmx);
	}
	if (unlikely(READ_ONCE(vmx->queued)))
		vmx_queue_show(vmx);
	WRITE_ONCE(run->regs.x86.rip, vmx->rip);
	WRITE_ONCE(run->regs.x86.rflags, vmx->rflags);
}
