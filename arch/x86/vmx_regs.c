// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers by id, MSRs that the backend holds among them, and those that
 * travel in the run page.
 */
#include <linux/lockdep.h>
#include <linux/nospec.h>

#include <asm/cpufeature.h>
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

static bool is_efer(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value & ~vmx->efer_allowed);
}

static bool is_spec_ctrl(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value & ~vmx->spec_ctrl_allowed);
}

static bool is_read_only(const struct vmx_vcpu *vmx, u64 value)
{
	return false;
}

static u64 get_arch_capabilities(struct vmx_vcpu *vmx, unsigned int n)
{
	return boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES) ?
	       vmx_rdmsr(MSR_IA32_ARCH_CAPABILITIES) : 0;
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

static void end_exit(struct vmx_vcpu *vmx)
{
	if (!vmx->vcpu.answer_due)
		return;
	vmx->vcpu.answer_due = false;
	vmx_vmm_did_insn(vmx);
}

/* Who moves RIP has done the instruction that exited. */
static void set_rip(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	end_exit(vmx);
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

/*
 * What the CPU remembers of the guest's page tables depends on the register. With a VPID,
 * an entry forgets nothing by itself: SDM vol. 3, 29.4.3.
 */
static void forget_translations(struct vmx_vcpu *vmx)
{
	vmx->vcpu.tlb_gen = 0;
}

static u64 get_cr0(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_cr0();
}

static void set_cr0(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (value != vmx_cr0())
		vmx_set_cr0(vmx, value);
	forget_translations(vmx);
}

static u64 get_cr2(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->cr2;
}

static void set_cr2(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->cr2 = value;
}

static void set_cr3(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmwrite(GUEST_CR3, value);
	forget_translations(vmx);
}

static void set_pdpte(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmwrite(GUEST_PDPTR0 + 2 * n, value);
	forget_translations(vmx);
}

static u64 get_cr4(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_cr4(vmx);
}

static void set_cr4(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (value != vmx_cr4(vmx))
		vmx_set_cr4(vmx, value);
	forget_translations(vmx);
}

static void set_pat(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmwrite(GUEST_IA32_PAT, value);
	forget_translations(vmx);
}

static u64 get_efer(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->efer | (vmx_long_mode_active(vmx) ? EFER_LMA : 0);
}

/*
 * What of the MSRs is in the CPU follows from EFER and their values: it comes out first,
 * and vmx_exit_wrmsr() or the next section brings it in again.
 */
static void set_efer(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	forget_translations(vmx);
	if ((value & ~EFER_LMA) == vmx->efer)
		return;
	vmx_msrs_put(vmx);
	vmx->efer = value & ~EFER_LMA;
	vmx_update_lma(vmx);
}

/* SWAPGS changes one of them without an exit. */
static u64 get_msr(struct vmx_vcpu *vmx, unsigned int n)
{
	if (n == VMX_MSR_KERNEL_GS_BASE && vmx->msrs_live & BIT(n))
		return vmx_rdmsr(MSR_KERNEL_GS_BASE);
	return vmx->msrs[n];
}

static void set_msr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_msrs_put(vmx);
	vmx->msrs[n] = value;
}

#define ALIAS		VMX_REG_ALIAS
#define ONLY		VMX_REG_ONLY

static const struct vmx_reg regs[] = {
#define FIELD(id, field, reserved)	{ id, 1, 0, field, 0, reserved }
/* One after the other, as they are set */
#define SEGMENT(n) \
	FIELD(AXVCPU_X86_REG_SEG_SELECTOR(n), GUEST_ES_SELECTOR + 2 * (n), ONLY(0xffff)), \
	FIELD(AXVCPU_X86_REG_SEG_BASE(n), GUEST_ES_BASE + 2 * (n), 0), \
	FIELD(AXVCPU_X86_REG_SEG_LIMIT(n), GUEST_ES_LIMIT + 2 * (n), ONLY(U32_MAX)), \
	FIELD(AXVCPU_X86_REG_SEG_ACCESS(n), GUEST_ES_AR_BYTES + 2 * (n), ONLY(AR_VALID))
#define MSR_FIELD(msr, field, flags, reserved, valid) \
	{ AXVCPU_X86_REG_MSR(msr), 1, 0, field, flags, reserved, valid }
#define MSR_SLOT(msr, slot, reserved, valid) \
	{ AXVCPU_X86_REG_MSR(msr), 1, VMX_MSR_##slot, 0, 0, reserved, valid, get_msr, set_msr }
	{ AXVCPU_X86_REG_GPR(0), 16, 0, 0, 0, 0, NULL, get_gpr, set_gpr },
	{ AXVCPU_X86_REG_RIP, 1, 0, 0, 0, 0, NULL, get_rip, set_rip },
	{ AXVCPU_X86_REG_RFLAGS, 1, 0, 0, 0, ONLY(RFLAGS_VALID), NULL, get_rflags, set_rflags },
	{ AXVCPU_X86_REG_CR0, 1, 0, 0, 0, ONLY(CR0_VALID), NULL, get_cr0, set_cr0 },
	{ AXVCPU_X86_REG_CR2, 1, 0, 0, 0, 0, NULL, get_cr2, set_cr2 },
	{ AXVCPU_X86_REG_CR3, 1, 0, GUEST_CR3, 0, 0, vmx_cr3_valid, NULL, set_cr3 },
	{ AXVCPU_X86_REG_CR4, 1, 0, 0, 0, 0, vmx_cr4_valid, get_cr4, set_cr4 },
	{ AXVCPU_X86_REG_PDPTE(0), 4, 0, GUEST_PDPTR0, 0, 0, NULL, NULL, set_pdpte },
	SEGMENT(0), SEGMENT(1), SEGMENT(2), SEGMENT(3),
	SEGMENT(4), SEGMENT(5), SEGMENT(6), SEGMENT(7),
	FIELD(AXVCPU_X86_REG_GDTR_BASE, GUEST_GDTR_BASE, 0),
	FIELD(AXVCPU_X86_REG_GDTR_LIMIT, GUEST_GDTR_LIMIT, ONLY(0xffff)),
	FIELD(AXVCPU_X86_REG_IDTR_BASE, GUEST_IDTR_BASE, 0),
	FIELD(AXVCPU_X86_REG_IDTR_LIMIT, GUEST_IDTR_LIMIT, ONLY(0xffff)),
	{ AXVCPU_X86_REG_MSR(MSR_EFER), 1, 0, 0, 0, 0, is_efer, get_efer, set_efer },
	{ AXVCPU_X86_REG_MSR(MSR_IA32_CR_PAT), 1, 0, GUEST_IA32_PAT, 0, 0, is_pat, NULL, set_pat },
	MSR_FIELD(MSR_FS_BASE, GUEST_FS_BASE, ALIAS, 0, is_canonical),
	MSR_FIELD(MSR_GS_BASE, GUEST_GS_BASE, ALIAS, 0, is_canonical),
	MSR_FIELD(MSR_IA32_SYSENTER_CS, GUEST_SYSENTER_CS, 0, ONLY(U32_MAX), NULL),
	MSR_FIELD(MSR_IA32_SYSENTER_ESP, GUEST_SYSENTER_ESP, 0, 0, is_canonical),
	MSR_FIELD(MSR_IA32_SYSENTER_EIP, GUEST_SYSENTER_EIP, 0, 0, is_canonical),
	MSR_SLOT(MSR_STAR, STAR, 0, NULL),
	MSR_SLOT(MSR_LSTAR, LSTAR, 0, is_canonical),
	MSR_SLOT(MSR_CSTAR, CSTAR, 0, is_canonical),
	MSR_SLOT(MSR_SYSCALL_MASK, SFMASK, ONLY(U32_MAX), NULL),
	MSR_SLOT(MSR_KERNEL_GS_BASE, KERNEL_GS_BASE, 0, is_canonical),
	MSR_SLOT(MSR_TSC_AUX, TSC_AUX, ONLY(U32_MAX), NULL),
	MSR_SLOT(MSR_IA32_SPEC_CTRL, SPEC_CTRL, 0, is_spec_ctrl),
	{ AXVCPU_X86_REG_HOST_ARCH_CAPABILITIES, 1, 0, 0, ALIAS, 0, is_read_only,
	  get_arch_capabilities, NULL },
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

static __always_inline u64 read_reg(struct vmx_vcpu *vmx, const struct vmx_reg *reg)
{
	return reg->get ? reg->get(vmx, reg->n) : vmread(reg->field);
}

static bool is_cpuid(u64 id)
{
	return id >= AXVCPU_X86_REG_CPUID(0, 0, 0);
}

/**
 * vmx_get_reg() - a register's value
 * @vcpu: the vCPU, loaded
 * @id: of the register, not of CPUID
 * @value: where it goes
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL: there is no such register.
 */
int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value)
{
	const struct vmx_reg *reg = vmx_regs_find(id);

	lockdep_assert_held(&vcpu->mutex);
	if (reg == VMX_NO_REG)
		return -EINVAL;
	*value = read_reg(to_vmx(vcpu), reg);
	return 0;
}

/**
 * vmx_get_regs() - see &struct axvcpu_arch_ops.get_regs
 * @vcpu: the vCPU, loaded
 * @regs: ids; the values are written
 * @count: elements
 * @refused: index of the one that does not exist
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL.
 */
int vmx_get_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vmx_reg *reg = VMX_NO_REG;
	u32 i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < count; i++) {
		if (likely(vmx_regs_next(&reg, regs[i].id))) {
			regs[i].value = read_reg(vmx, reg);
		} else if (!is_cpuid(regs[i].id) ||
			   vmx_get_cpuid(vmx, regs[i].id, &regs[i].value)) {
			*refused = i;
			return -EINVAL;
		}
	}
	return 0;
}

static bool value_ok(const struct vmx_vcpu *vmx, const struct vmx_reg *reg, u64 value)
{
	return !(value & reg->reserved) && (!reg->valid || reg->valid(vmx, value));
}

/**
 * vmx_check_regs() - see &struct axvcpu_arch_ops.check_regs
 * @vcpu: the vCPU, loaded
 * @regs: ids and values
 * @count: elements
 * @refused: index of the one that does not exist, or can't have its value
 *
 * Values that only make sense together are not checked against each other: an
 * entry with a state that no CPU can be in is FAIL_ENTRY.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, or -EINVAL.
 */
int vmx_check_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count, u32 *refused)
{
	const struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vmx_reg *reg = VMX_NO_REG;
	bool ok;
	u32 i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < count; i++) {
		if (likely(vmx_regs_next(&reg, regs[i].id)))
			ok = value_ok(vmx, reg, regs[i].value);
		else
			ok = is_cpuid(regs[i].id) && !vmx_check_cpuid(regs[i].id, regs[i].value);
		if (unlikely(!ok)) {
			*refused = i;
			return -EINVAL;
		}
	}
	return 0;
}

static __always_inline void write_reg(struct vmx_vcpu *vmx, const struct vmx_reg *reg, u64 value)
{
	if (reg->set)
		reg->set(vmx, reg->n, value);
	else
		vmwrite(reg->field, value);
}

/**
 * vmx_commit_regs() - see &struct axvcpu_arch_ops.commit_regs
 * @vcpu: the vCPU, loaded
 * @regs: passed by vmx_check_regs()
 * @count: elements
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_commit_regs(struct axvcpu *vcpu, const struct axvcpu_reg *regs, u32 count)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vmx_reg *reg = VMX_NO_REG;
	u32 i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < count; i++) {
		if (likely(vmx_regs_next(&reg, regs[i].id)))
			write_reg(vmx, reg, regs[i].value);
		else
			vmx_set_cpuid(vmx, regs[i].id, regs[i].value);
	}
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
	u64 rip = READ_ONCE(run->regs.x86.rip), rflags = READ_ONCE(run->regs.x86.rflags);

	WRITE_ONCE(run->regs_dirty, 0);
	vmx_rip(vmx);
	if (vmx_vmm_says_done(vmx, dirty, rip)) {
		end_exit(vmx);
		rflags &= ~(u64)X86_EFLAGS_RF;
	}
	if (dirty & AXVCPU_REGS_SP)
		vmwrite(GUEST_RSP, READ_ONCE(run->regs.x86.gpr[AXVCPU_X86_RSP]));
	if (dirty & AXVCPU_REGS_PC) {
		write_rip(vmx, rip);
		set_rflags(vmx, 0, rflags);
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
	WRITE_ONCE(run->regs.x86.rip, vmx->rip);
	WRITE_ONCE(run->regs.x86.rflags, vmx->rflags);
	/* At the end, where it is a jump. */
	if (unlikely(READ_ONCE(vmx->queued)))
		vmx_queue_show(vmx);
}
