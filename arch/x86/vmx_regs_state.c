// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers by id that are no field of the VMCS, or not at all times: debug
 * registers, time, what stands between two instructions, events, FP.
 */
#include <linux/bitops.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_caps.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_fpu.h"
#include "vmx_insn.h"
#include "vmx_queue.h"
#include "vmx_regs_state.h"
#include "vmx_timer.h"

static bool is_32bit(const struct vmx_vcpu *vmx, u64 value)
{
	return !(value >> 32);
}

static u64 get_cr8(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->cr8;
}

static void set_cr8(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->cr8 = value;
}

static u64 get_dr(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->dr[n];
}

static u64 get_tsc(struct vmx_vcpu *vmx, unsigned int n)
{
	return rdtsc() + vmx->tsc_offset;
}

static u64 get_tsc_offset(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->tsc_offset;
}

static void set_tsc_offset(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->tsc_offset = value;
	vmwrite(TSC_OFFSET, value);
}

static void set_tsc(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	set_tsc_offset(vmx, n, value - rdtsc());
}

/* No instruction leaves both of the shadows. */
static bool is_interruptibility(const struct vmx_vcpu *vmx, u64 value)
{
	return (value & VMX_SHADOW) != VMX_SHADOW;
}

static u64 get_interruptibility(struct vmx_vcpu *vmx, unsigned int n)
{
	u32 value = vmread(GUEST_INTERRUPTIBILITY_INFO);

	return vmx->once & VMX_ONCE_END_SHADOW ? value & ~VMX_SHADOW : value;
}

static void set_interruptibility(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->once &= ~VMX_ONCE_END_SHADOW;
	WRITE_ONCE(vmx->halt_nmi_blocked, value & GUEST_INTR_STATE_NMI);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, value);
}

static u64 get_pending_debug(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_pending_debug(vmx);
}

static void set_pending_debug(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->once &= ~VMX_ONCE_TRAPS;
	vmx->traps = 0;
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, value);
}

static u64 get_halted(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->vcpu.halted;
}

static void set_halted(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->vcpu.halted = value;
}

/* SDM vol. 3, 27.2.1.3: what an entry would not take */
static bool is_event(const struct vmx_vcpu *vmx, u64 value)
{
	u32 info = value, type = info & INTR_INFO_INTR_TYPE_MASK;
	u16 code = value >> VMX_EVENT_CODE, len = value >> VMX_EVENT_LEN;

	switch (type) {
	case INTR_TYPE_HARD_EXCEPTION:
		return !len && vmx_exception_valid(info | (u64)code << 32);
	case INTR_TYPE_NMI_INTR:
		return !code && !len && info == (2 | type | INTR_INFO_VALID_MASK);
	case INTR_TYPE_EXT_INTR:
		if (!value)
			return true;
		len = 1;
		fallthrough;
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
	case INTR_TYPE_SOFT_EXCEPTION:
		return !code && len && len <= 15 && info & INTR_INFO_VALID_MASK &&
		       !(info & ~(INTR_INFO_VALID_MASK | type | INTR_INFO_VECTOR_MASK));
	default:
		return false;
	}
}

static u64 get_event(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_event_bits(&vmx->event);
}

static void set_event(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->event = (struct vmx_event){ value, value >> VMX_EVENT_CODE, value >> VMX_EVENT_LEN };
	vmx->once |= VMX_ONCE_EVENT;
}

static bool is_exception(const struct vmx_vcpu *vmx, u64 value)
{
	return !value || vmx_exception_valid(value);
}

static u64 get_exception(struct vmx_vcpu *vmx, unsigned int n)
{
	return READ_ONCE(vmx->exception);
}

static void set_exception(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_set_queued_exception(vmx, value);
}

/* All but those that are the host's */
#define EXCEPTION_EXITS	(GENMASK(X86_TRAP_VE, 0) & ~(BIT(X86_TRAP_NMI) | BIT(X86_TRAP_MC)))

static u64 get_exception_exits(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->exceptions;
}

static void set_exception_exits(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx->exceptions = value;
	vmx->once |= VMX_ONCE_DEBUG;
}

static u64 get_nmi(struct vmx_vcpu *vmx, unsigned int n)
{
	return test_bit(VMX_QUEUED_NMI, &vmx->queued);
}

static void set_nmi(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	assign_bit(VMX_QUEUED_NMI, &vmx->queued, value);
}

static u64 get_irqs(struct vmx_vcpu *vmx, unsigned int n)
{
	return READ_ONCE(vmx->irr[n]);
}

static bool is_timer(const struct vmx_vcpu *vmx, u64 value)
{
	return !value || (vmx_caps.timer && value <= U32_MAX);
}

static u64 get_timer(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_timer(vmx);
}

static void set_timer(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_set_timer(vmx, value);
}

static u64 get_fxsave(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_fxsave(vmx)[n];
}

static void set_fxsave(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_fxsave(vmx)[n] = value;
}

static u64 get_xcr0(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx->xcr0;
}

static void set_xcr0(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_set_xcr0(vmx, value);
}

/* @n: the number of the part in bits 15:8, of the word below */
static u64 get_xstate(struct vmx_vcpu *vmx, unsigned int n)
{
	return vmx_xstate(vmx, n >> 8)[n & 0xff];
}

static void set_xstate(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	vmx_xstate(vmx, n >> 8)[n & 0xff] = value;
}

#define MXCSR_WORD	(offsetof(struct fxregs_state, mxcsr) / sizeof(u64))

/* DAZ is there wherever VMX is. The upper half is a mask, which nothing reads. */
static bool is_mxcsr(const struct vmx_vcpu *vmx, u64 value)
{
	return !((u32)value >> 16);
}

#define ONLY	VMX_REG_ONLY

const struct vmx_reg vmx_state_regs[VMX_NR_STATE_REGS] = {
	{ AXVCPU_X86_REG_CR8, 1, 0, 0, 0, ONLY(0xf), NULL, get_cr8, set_cr8 },
	{ AXVCPU_X86_REG_DR(0), 4, 0, 0, 0, 0, NULL, get_dr, vmx_set_dr },
	{ AXVCPU_X86_REG_DR(6), 1, 6, 0, 0, 0, is_32bit, get_dr, vmx_set_dr },
	{ AXVCPU_X86_REG_DR(7), 1, 7, 0, 0, 0, is_32bit, get_dr, vmx_set_dr },
	{ AXVCPU_X86_REG_MSR(MSR_IA32_TSC), 1, 0, 0, VMX_REG_ALIAS, 0, NULL, get_tsc, set_tsc },
	{ AXVCPU_X86_REG_TSC_OFFSET, 1, 0, 0, 0, 0, NULL, get_tsc_offset, set_tsc_offset },
	{ AXVCPU_X86_REG_INTERRUPTIBILITY, 1, 0, 0, 0, ONLY(VMX_SHADOW | GUEST_INTR_STATE_NMI),
	  is_interruptibility, get_interruptibility, set_interruptibility },
	{ AXVCPU_X86_REG_PENDING_DEBUG, 1, 0, 0, 0, ONLY(DR_TRAP_BITS | BIT(12) | DR_STEP),
	  NULL, get_pending_debug, set_pending_debug },
	{ AXVCPU_X86_REG_HALTED, 1, 0, 0, 0, ONLY(1), NULL, get_halted, set_halted },
	{ AXVCPU_X86_REG_EVENT, 1, 0, 0, 0, 0, is_event, get_event, set_event },
	{ AXVCPU_X86_REG_QUEUED_EXCEPTION, 1, 0, 0, 0, 0, is_exception,
	  get_exception, set_exception },
	{ AXVCPU_X86_REG_EXCEPTION_EXITS, 1, 0, 0, 0, ONLY(EXCEPTION_EXITS), NULL,
	  get_exception_exits, set_exception_exits },
	{ AXVCPU_X86_REG_QUEUED_NMI, 1, 0, 0, 0, ONLY(1), NULL, get_nmi, set_nmi },
	{ AXVCPU_X86_REG_PREEMPTION_TIMER, 1, 0, 0, 0, 0, is_timer, get_timer, set_timer },
	{ AXVCPU_X86_REG_QUEUED_IRQS(0), 4, 0, 0, 0, 0, NULL, get_irqs, vmx_set_queued_irqs },
	{ AXVCPU_X86_REG_FXSAVE(0), MXCSR_WORD, 0, 0, 0, 0, NULL, get_fxsave, set_fxsave },
	{ AXVCPU_X86_REG_FXSAVE(MXCSR_WORD), 1, MXCSR_WORD, 0, 0, 0, is_mxcsr,
	  get_fxsave, set_fxsave },
	{ AXVCPU_X86_REG_FXSAVE(MXCSR_WORD + 1), AXVCPU_X86_NR_FXSAVE - MXCSR_WORD - 1,
	  MXCSR_WORD + 1, 0, 0, 0, NULL, get_fxsave, set_fxsave },
	{ AXVCPU_X86_REG_XCR0, 1, 0, 0, 0, 0, vmx_xcr0_valid, get_xcr0, set_xcr0 },
#define XSTATE(id, words, part) \
	{ id, words, (part) << 8, 0, 0, 0, NULL, get_xstate, set_xstate, BIT(part) }
	XSTATE(AXVCPU_X86_REG_YMM_HIGH(0), 32, XFEATURE_YMM),
	XSTATE(AXVCPU_X86_REG_OPMASK(0), 8, XFEATURE_OPMASK),
	XSTATE(AXVCPU_X86_REG_ZMM_HIGH(0), 64, XFEATURE_ZMM_Hi256),
	XSTATE(AXVCPU_X86_REG_HI16_ZMM(0), 128, XFEATURE_Hi16_ZMM),
};
