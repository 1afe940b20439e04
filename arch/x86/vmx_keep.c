// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole state of a vCPU, kept and put back. The CPU or SET_REGS has made it, so
 * nothing is checked; a VMWRITE costs more than a VMREAD on most CPUs, so only what
 * differs is written.
 */
#include <linux/lockdep.h>
#include <linux/string.h>

#include <asm/fpu/types.h>
#include <asm/msr.h>

#include "vmx.h"
#include "vmx_caps.h"
#include "vmx_event.h"
#include "vmx_fpu.h"
#include "vmx_insn.h"
#include "vmx_keep.h"
#include "vmx_msr.h"
#include "vmx_queue.h"
#include "vmx_regs.h"

#define SEGMENT(name)									\
	GUEST_##name##_SELECTOR, GUEST_##name##_BASE, GUEST_##name##_LIMIT,		\
	GUEST_##name##_AR_BYTES

/*
 * What the guest or SET_REGS changes in the VMCS, but for RIP, RFLAGS and DR7, which
 * the next entry writes; the last is there where the CPU has the timer.
 */
static const u32 fields[] = {
	GUEST_RSP, GUEST_CR0, CR0_READ_SHADOW, GUEST_CR3, GUEST_CR4, CR4_READ_SHADOW,
	GUEST_PDPTR0, GUEST_PDPTR1, GUEST_PDPTR2, GUEST_PDPTR3,
	SEGMENT(ES), SEGMENT(CS), SEGMENT(SS), SEGMENT(DS), SEGMENT(FS), SEGMENT(GS),
	SEGMENT(LDTR), SEGMENT(TR),
	GUEST_GDTR_BASE, GUEST_GDTR_LIMIT, GUEST_IDTR_BASE, GUEST_IDTR_LIMIT,
	GUEST_IA32_PAT, GUEST_IA32_EFER,
	GUEST_SYSENTER_CS, GUEST_SYSENTER_ESP, GUEST_SYSENTER_EIP,
	GUEST_INTERRUPTIBILITY_INFO, GUEST_PENDING_DBG_EXCEPTIONS,
	PIN_BASED_VM_EXEC_CONTROL, VM_EXIT_CONTROLS, VM_ENTRY_CONTROLS,
	VMX_PREEMPTION_TIMER_VALUE,
};

/**
 * struct vmx_kept - a copy of a vCPU's state
 * @fields: of the VMCS
 * @gpr: general-purpose registers; RSP is in the VMCS
 * @guest: what &struct vmx_vcpu has of the guest
 * @once: what was due at the next entry
 * @queue: events that INJECT had queued
 * @tsc: what the guest read
 * @tsc_offset: with which offset
 * @fpu: XSAVE's area, as far as the guest used it
 */
struct vmx_kept {
	u64 fields[ARRAY_SIZE(fields)];
	u64 gpr[16];
	struct vmx_guest guest;
	u32 once;
	struct vmx_queue queue;
	u64 tsc;
	u64 tsc_offset;
	u8 fpu[] __aligned(8);
};

/**
 * vmx_kept_size() - see &struct axvcpu_arch_ops.kept_size
 *
 * Context: any.
 * Return: bytes.
 */
size_t vmx_kept_size(void)
{
	return sizeof(struct vmx_kept) + vmx_xsave_size(vmx_xcr0);
}

static unsigned int nr_fields(void)
{
	return ARRAY_SIZE(fields) - (vmx_caps.timer ? 0 : 1);
}

/* What the guest had on, and what the VMM has looked at or written, see vmx_xstate() */
static u64 fpu_parts(u64 xfeatures, const struct xregs_state *fpu)
{
	return xfeatures | fpu->header.xfeatures;
}

/**
 * vmx_keep() - see &struct axvcpu_arch_ops.keep
 * @vcpu: the vCPU, loaded
 * @to: where the copy goes
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_keep(struct axvcpu *vcpu, void *to)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmx_kept *kept = to;
	unsigned int i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < nr_fields(); i++)
		kept->fields[i] = vmread(fields[i]);
	vmx_rip(vmx);
	vmx_rflags(vmx);
	memcpy(kept->gpr, vmx_gprs(vmx), sizeof(kept->gpr));
	/* SWAPGS changes one of the MSRs without an exit. The next section loads them. */
	vmx_msrs_put(vmx);
	kept->guest = vmx->guest;
	kept->once = vmx->once & ~VMX_ONCE_STEPPED;
	vmx_queue_keep(vmx, &kept->queue);
	kept->tsc_offset = vmx->tsc_offset;
	kept->tsc = rdtsc() + vmx->tsc_offset;
	memcpy(kept->fpu, vmx->fpu, vmx_xsave_size(fpu_parts(vmx->xfeatures, vmx->fpu)));
}

static void restore_fields(const struct vmx_kept *kept)
{
	unsigned int i;

	for (i = 0; i < nr_fields(); i++) {
		if (vmread(fields[i]) != kept->fields[i])
			vmwrite(fields[i], kept->fields[i]);
	}
}

static void restore_time(struct vmx_vcpu *vmx, u64 offset)
{
	if (offset == vmx->tsc_offset)
		return;
	vmx->tsc_offset = offset;
	vmwrite(TSC_OFFSET, offset);
}

/**
 * vmx_restore() - see &struct axvcpu_arch_ops.restore
 * @vcpu: the vCPU, loaded
 * @from: the copy
 * @time: the TSC goes on from where it was, too
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_restore(struct axvcpu *vcpu, const void *from, bool time)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vmx_kept *kept = from;
	u32 stepped = vmx->once & VMX_ONCE_STEPPED;

	lockdep_assert_held(&vcpu->mutex);
	restore_fields(kept);
	memcpy(vmx_gprs(vmx), kept->gpr, sizeof(kept->gpr));
	vmx_msrs_put(vmx);
	vmx->guest = kept->guest;
	/* DR7 and the exceptions that exit are a debugger's, too: the entry puts them together. */
	vmx->once = kept->once | stepped | VMX_ONCE_RIP | VMX_ONCE_RFLAGS | VMX_ONCE_DEBUG;
	vmx_queue_restore(vmx, &kept->queue);
	restore_time(vmx, time ? kept->tsc - rdtsc() : kept->tsc_offset);
	memcpy(vmx->fpu, kept->fpu,
	       vmx_xsave_size(fpu_parts(kept->guest.xfeatures, (void *)kept->fpu)));
	vmx_sync_regs(vcpu);
}
