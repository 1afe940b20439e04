// SPDX-License-Identifier: GPL-2.0-only
/* What a new guest starts with: controls, its registers. */
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "vmx.h"
#include "vmx_buffers.h"
#include "vmx_caps.h"
#include "vmx_cpuid.h"
#include "vmx_cr.h"
#include "vmx_debug.h"
#include "vmx_host.h"
#include "vmx_hw.h"
#include "vmx_insn.h"
#include "vmx_msr.h"
#include "vmx_perf.h"
#include "vmx_regs.h"
#include "vmx_setup.h"
#include "vmx_timer.h"

/* Access rights, SDM vol. 3, table 25-2 */
#define AR_DATA16	0x93	/* present, data, writable, accessed */
#define AR_CODE16	0x9b	/* present, code, readable, accessed */
#define AR_DATA32	0xc093	/* and 32-bit, limit in pages */
#define AR_CODE32	0xc09b
#define AR_CODE64	0xa09b
#define AR_TSS		0x8b	/* present, busy TSS */
#define AR_LDT		0x82

#define FLAT		0xffffffff
/* Compilers make use of SSE. */
#define CR4_SSE		(X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
#define RESET_PAT	0x0007040600070406ULL

#define GUEST_SEGMENT(field, n)	(GUEST_ES_##field + 2 * (n))

/* What the modes in which a guest may start differ in */
struct mode {
	u64 entry_limit;	/* the entry is below */
	u32 cr0;		/* besides ET */
	u32 cr4;		/* as far as CPUID has it */
	u32 efer;
	u32 code;		/* access rights of CS */
	u32 data;		/* of DS, ES, SS, FS, GS */
	u32 limit;		/* of all of them */
	u32 table_limit;	/* of GDTR and IDTR; real mode has its vectors at 0 */
};

static const struct mode modes[] = {
	[AXVCPU_X86_MODE_REAL] = {
		.entry_limit = 1UL << 20,
		.code = AR_CODE16, .data = AR_DATA16, .limit = 0xffff,
		.table_limit = 0xffff,
	},
	[AXVCPU_X86_MODE_PROTECTED] = {
		.entry_limit = 1UL << 32,
		.cr0 = X86_CR0_PE | X86_CR0_WP, .cr4 = CR4_SSE,
		.code = AR_CODE32, .data = AR_DATA32, .limit = FLAT,
	},
	[AXVCPU_X86_MODE_LONG] = {
		.entry_limit = 1UL << 47,
		.cr0 = X86_CR0_PE | X86_CR0_WP | X86_CR0_PG,
		.cr4 = X86_CR4_PAE | CR4_SSE, .efer = EFER_LME,
		.code = AR_CODE64, .data = AR_DATA32, .limit = FLAT,
	},
};

static void init_controls(struct vmx_vcpu *vmx)
{
	vmx->exec = vmx_caps.cpu;
	vmx_set_timer(vmx, 0);
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmx_caps.cpu);
	vmwrite(SECONDARY_VM_EXEC_CONTROL, vmx->exec2);
	vmwrite(VM_ENTRY_CONTROLS, vmx_caps.entry);

	/* With these, a page fault exits if its bit is set in the bitmap. */
	vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(TSC_OFFSET, vmx->tsc_offset);
	vmwrite(MSR_BITMAP, vmx_msr_bitmap(vmx));
	vmwrite(EPT_POINTER, vmx->eptp);
	vmwrite(VIRTUAL_PROCESSOR_ID, vmx->vpid);
	if (vmx_caps.cpu2 & SECONDARY_EXEC_ENCLS_EXITING)
		vmwrite(ENCLS_EXITING_BITMAP, ~0UL);
	vmwrite(VM_EXIT_MSR_STORE_COUNT, 0);
	vmx_perf_init_vmcs(vmx);
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
	vmwrite(VMCS_LINK_POINTER, ~0UL);
}

static void init_segments(const struct mode *mode, u16 cs)
{
	unsigned int n;

	for (n = AXVCPU_X86_SEG_ES; n <= AXVCPU_X86_SEG_GS; n++) {
		vmwrite(GUEST_SEGMENT(SELECTOR, n), 0);
		vmwrite(GUEST_SEGMENT(BASE, n), 0);
		vmwrite(GUEST_SEGMENT(LIMIT, n), mode->limit);
		vmwrite(GUEST_SEGMENT(AR_BYTES, n), mode->data);
	}
	vmwrite(GUEST_CS_SELECTOR, cs);
	vmwrite(GUEST_CS_BASE, (u32)cs << 4);
	vmwrite(GUEST_CS_AR_BYTES, mode->code);

	vmwrite(GUEST_LDTR_SELECTOR, 0);
	vmwrite(GUEST_LDTR_BASE, 0);
	vmwrite(GUEST_LDTR_LIMIT, 0xffff);
	vmwrite(GUEST_LDTR_AR_BYTES, AR_LDT);
	vmwrite(GUEST_TR_SELECTOR, 0);
	vmwrite(GUEST_TR_BASE, 0);
	vmwrite(GUEST_TR_LIMIT, 0xffff);
	vmwrite(GUEST_TR_AR_BYTES, AR_TSS);

	vmwrite(GUEST_GDTR_BASE, 0);
	vmwrite(GUEST_GDTR_LIMIT, mode->table_limit);
	vmwrite(GUEST_IDTR_BASE, 0);
	vmwrite(GUEST_IDTR_LIMIT, mode->table_limit);
}

static void init_system_registers(struct vmx_vcpu *vmx, const struct mode *mode, u64 cr3)
{
	vmwrite(CR0_GUEST_HOST_MASK, VMX_CR0_OWNED);
	vmwrite(CR0_READ_SHADOW, mode->cr0 | X86_CR0_ET);
	vmwrite(GUEST_CR0, mode->cr0 | X86_CR0_ET | X86_CR0_NE);
	vmwrite(GUEST_CR3, cr3);
	vmwrite(CR4_GUEST_HOST_MASK, vmx_cr4_owned(vmx));
	vmx_set_cr4(vmx, mode->cr4 & vmx->cr4_allowed);

	vmx->efer = mode->efer;
	vmx_update_lma(vmx);
	vmwrite(GUEST_IA32_PAT, RESET_PAT);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	memset(vmx->msrs, 0, sizeof(vmx->msrs));

	memset(vmx->dr, 0, sizeof(vmx->dr));
	vmx->dr[6] = DR6_RESERVED;
	vmx->dr[7] = VMX_DR7_RESET;
	vmwrite(GUEST_DR7, VMX_DR7_RESET);
	vmx->cr2 = 0;
	vmx->cr8 = 0;
}

static void init_instruction_state(struct vmx_vcpu *vmx, u64 rip)
{
	vmx->rip = rip;
	vmx->rflags = X86_EFLAGS_FIXED;
	vmx->once = VMX_ONCE_RIP | VMX_ONCE_RFLAGS | VMX_ONCE_DEBUG;
	vmx->always = (vmx_buffers_matter(vmx) ? VMX_ALWAYS_BUFFERS : 0) |
		      (vmx->spec_ctrl_allowed ? VMX_ALWAYS_SPEC_CTRL : 0);
	vmx->cached = 0;
	vmx->skip_due = false;
	vmwrite(GUEST_RSP, READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RSP]));
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmwrite(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

/* Returns NULL where there is no such mode, or something is not zero that must be. */
static const struct mode *find_mode(const struct axvcpu_x86_setup_config *config)
{
	if (config->mode >= ARRAY_SIZE(modes) || config->flags ||
	    memchr_inv(config->reserved, 0, sizeof(config->reserved)))
		return NULL;
	return &modes[array_index_nospec(config->mode, ARRAY_SIZE(modes))];
}

/* Only long mode starts with paging on, and only where CPUID shows it. */
static bool may_start_with(const struct vmx_vcpu *vmx, const struct mode *mode, u64 cr3)
{
	if (mode->efer & ~vmx->efer_allowed)
		return false;
	return !cr3 || ((mode->cr0 & X86_CR0_PG) && !(cr3 & ~PAGE_MASK) &&
			vmx_cr3_valid(vmx, cr3));
}

/**
 * vmx_setup() - everything that a new guest starts with
 * @vcpu: the vCPU
 * @config: the caller's
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0; -EINVAL: it has no entry or root, there is no such mode, or the entry
 * or cr3 is not one for it; -EIO: this CPU is not in VMX operation.
 */
int vmx_setup(struct axvcpu *vcpu, const union axvcpu_setup_config *config)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct axvcpu_x86_setup_config *x86 = &config->x86;
	u64 entry = vmx->entry.val;
	const struct mode *mode;
	u16 cs = 0;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (!vmx->entry_set || !vmx->eptp_set)
		return -EINVAL;
	vmx_cpuid_commit(vmx);
	mode = find_mode(x86);
	if (!mode || entry >= mode->entry_limit || !may_start_with(vmx, mode, x86->cr3))
		return -EINVAL;

	vmx_clear(vmx);
	ret = vmx_make_current(vmx);
	if (ret)
		return ret;
	if (x86->mode == AXVCPU_X86_MODE_REAL) {
		cs = (entry >> 4) & 0xf000;
		entry &= 0xffff;
	}
	init_controls(vmx);
	vmx_host_init_vmcs(&vmx->host);
	init_segments(mode, cs);
	init_system_registers(vmx, mode, x86->cr3);
	init_instruction_state(vmx, entry);
	WRITE_ONCE(vcpu->run->regs_dirty, 0);
	vmx_sync_regs(vcpu);
	return 0;
}
