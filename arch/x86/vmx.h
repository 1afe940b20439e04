/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX backend's vCPU. */
#ifndef _AXVCPU_VMX_H
#define _AXVCPU_VMX_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "../../axvcpu_arch.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_host.h"
#include "vmx_insn.h"
#include "vmx_perf.h"

struct xregs_state;

/* Bits of &struct vmx_vcpu.once: the next entry does it, and it is done */
#define VMX_ONCE_RIP		BIT(0)	/* write &struct vmx_vcpu.rip */
#define VMX_ONCE_RFLAGS		BIT(1)	/* write &struct vmx_vcpu.rflags */
#define VMX_ONCE_TRAPS		BIT(2)	/* &struct vmx_vcpu.traps are due */
#define VMX_ONCE_EVENT		BIT(3)	/* &struct vmx_vcpu.event is due */
#define VMX_ONCE_DEBUG		BIT(4)	/* &struct vmx_vcpu.debug or .exceptions has changed */
#define VMX_ONCE_STEPPED	BIT(5)	/* the debugger is told of a step first */
#define VMX_ONCE_SHUTDOWN	BIT(6)	/* a triple fault, instead of an entry */
#define VMX_ONCE_END_SHADOW	BIT(7)	/* what STI or MOV SS holds off may come */

/* Bits of &struct vmx_vcpu.always: each entry does it, for as long as the bit is set */
#define VMX_ALWAYS_BREAKPOINTS	BIT(0)	/* the guest, or the debugger, has some */
#define VMX_ALWAYS_BUFFERS	BIT(1)	/* the CPU needs it */
#define VMX_ALWAYS_STEPPING	BIT(2)	/* the debugger steps */
#define VMX_ALWAYS_SPEC_CTRL	BIT(3)	/* the guest has IA32_SPEC_CTRL */

/*
 * struct vmx_vcpu - the backend's vCPU
 *
 * Key to the fields: (c) constant after creation; (p) written by the CPU @cpu
 * only, interrupts off; (m) under &struct axvcpu.mutex; (w) written under it,
 * read anywhere, a stale value is fine; (a) atomic, any thread.
 */
struct vmx_vcpu {
	struct axvcpu vcpu;

	/* From creation to the end */
	void *vmcs;			/* (c) */
	u64 vmcs_pa;			/* (c) */
	struct xregs_state *fpu;	/* (c) room for x87, SSE and AVX, when it does not run */
	void *cpuid;			/* (c) room for a table of its own */
	u16 vpid;			/* (c) tag of its translations */

	/* Where the VMCS is */
	struct list_head link;		/* (p) in the CPU's list of active VMCSs */
	int cpu;			/* (p) where the VMCS is active, -1: nowhere */
	bool launched;			/* (p) VMRESUME rather than VMLAUNCH */

	/* The machine's, which RESET may keep */
	bool cpuid_set;			/* (m) @cpuid is in use */
	u64 tsc_offset;			/* (m) SETUP puts it into the VMCS */

	/* RESET makes all of the rest 0. First, what SETUP and CPUID have decided: */
	struct axvcpu_gpa entry;	/* (m) */
	u64 eptp;			/* (m) */
	bool entry_set;			/* (m) */
	bool eptp_set;			/* (m) */
	bool tsc_aux;			/* (m) CPUID shows RDTSCP or RDPID */
	u32 exec2;			/* (m) secondary processor-based controls, by CPUID */
	u64 cr4_allowed;		/* (m) the same */
	u64 efer_allowed;		/* (m) the same */
	u64 xcr0_allowed;		/* (m) the same */
	u64 spec_ctrl_allowed;		/* (m) the same; 0: the guest lacks the MSR */

	/* What the next entry must do */
	u32 once;			/* (m) VMX_ONCE_* */
	unsigned long always;		/* (m) VMX_ALWAYS_*; as wide as @queued, see enter_once() */

	/* What the last exit was, and what its completion needs; its reason is vcpu.hw_reason */
	u32 cached;			/* (m) VMX_ONCE_RIP, _RFLAGS: this exit has read it */

	/* KEEP_STATE copies all of this, so that no part of it is forgotten. */
	struct_group_tagged(vmx_guest, guest,
	/*
	 * Raised by an instruction, or interrupted in its delivery: it goes
	 * into the guest before what is queued.
	 */
	struct vmx_event event;		/* (m) */
	u64 next_rip;			/* (m) behind the instruction that exited */
	bool skip_due;			/* (m) its completion goes on there */
	bool halt_if;			/* (w) RFLAGS.IF of the guest that halted */
	bool halt_nmi_blocked;		/* (w) it was in an NMI's handler */
	u32 insn_traps;			/* (m) DR6: breakpoints that its end meets, or 0 */
	u32 traps;			/* (m) DR6: traps behind what the guest has done */
	u32 io_qualification;		/* (m) of the exit for INS or OUTS that waits */
	u64 io_count;			/* (m) its elements */
	u64 io_mask;			/* (m) what counts of EAX in IN, of addresses else */

	/* The guest's registers that are not the VMCS's, or not always */
	u64 rip;			/* (m) valid when @cached, or to write once */
	u64 rflags;			/* (m) the same */
	u64 cr2;			/* (m) */
	u64 efer;			/* (m) without LMA, which the VMCS has */
	u64 dr[8];			/* (m) debug registers; 4 and 5 don't exist */
	u64 xcr0;			/* (m) */
	u64 xfeatures;			/* (m) all that XCR0 ever had on */
	u64 msrs[VMX_NR_SWITCHED_MSRS];	/* (m) */
	u8 cr8;				/* (w) interrupt priority that the guest blocks */
	bool osxsave;			/* (m) CR4.OSXSAVE */
	bool timer_on;			/* (m) the preemption timer */
	u32 exceptions;			/* (m) that are exits, by the VMM's wish */
	struct vmx_event seen;		/* (m) the exception that the VMM is told of */
	u64 seen_payload;		/* (m) CR2 or DR6 of it */
	);

	/* What of them the CPU has, in a section or stretch */
	u32 msrs_live;			/* (m) bit n: the guest's msrs[n] */
	u64 xcr0_live;			/* (m) 0: the host's */

	/* Controls, as the VMCS has them */
	u32 exec;			/* (m) primary processor-based ones */

	/* What INJECT has queued */
	unsigned long queued;		/* (a) enum vmx_queued */
	DECLARE_BITMAP(irr, 256);	/* (a) external interrupts */
	u64 exception;			/* (a) info, and error code << 32 */

	/* A debugger */
	struct vmx_debug debug;		/* (m) */
	u32 step_mask;			/* (m) of RFLAGS: there is more behind an instruction */
	bool guest_tf;			/* (m) RFLAGS.TF is the guest's own too */

	/* Host state */
	struct vmx_host host;		/* (m) */
	struct vmx_perf perf;		/* (m) */
};

/**
 * to_vmx() - the backend's part of a vCPU
 * @vcpu: the vCPU
 *
 * Context: any.
 * Return: it.
 */
static inline struct vmx_vcpu *to_vmx(struct axvcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, vcpu);
}

/**
 * vmx_gprs() - the general-purpose registers, without RSP, which is the VMCS's
 * @vmx: the vCPU
 *
 * They stand in the run page, where the VMM may change them at any time: access each
 * by READ_ONCE() or WRITE_ONCE().
 *
 * Context: &struct axvcpu.mutex held.
 * Return: an array by ``AXVCPU_X86_*``.
 */
static inline u64 *vmx_gprs(struct vmx_vcpu *vmx)
{
	return vmx->vcpu.run->regs.x86.gpr;
}

/**
 * vmx_read_gpr() - a general-purpose register
 * @vmx: the vCPU, loaded
 * @n: ``AXVCPU_X86_*``
 *
 * Context: preemption off, loaded.
 * Return: all its 64 bits.
 */
static inline u64 vmx_read_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return n == AXVCPU_X86_RSP ? vmread(GUEST_RSP) : READ_ONCE(vmx_gprs(vmx)[n]);
}

/**
 * vmx_write_gpr() - change a general-purpose register
 * @vmx: the vCPU, loaded
 * @n: ``AXVCPU_X86_*``
 * @value: its value
 *
 * Context: preemption off, loaded.
 */
static inline void vmx_write_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n == AXVCPU_X86_RSP)
		vmwrite(GUEST_RSP, value);
	else
		WRITE_ONCE(vmx_gprs(vmx)[n], value);
}

/**
 * vmx_read_edx_eax() - what WRMSR and XSETBV write
 * @vmx: the vCPU
 *
 * Context: &struct axvcpu.mutex held.
 * Return: EDX:EAX.
 */
static inline u64 vmx_read_edx_eax(struct vmx_vcpu *vmx)
{
	return (u32)READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]) |
	       READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX]) << 32;
}

/**
 * vmx_write_edx_eax() - as RDMSR does
 * @vmx: the vCPU
 * @value: for EDX:EAX
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vmx_write_edx_eax(struct vmx_vcpu *vmx, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], (u32)value);
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX], value >> 32);
}

/**
 * vmx_rip() - where the guest is, read from the VMCS once an exit
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off, loaded.
 * Return: RIP.
 */
static inline u64 vmx_rip(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->once) & VMX_ONCE_RIP))
		vmx->rip = vmread(GUEST_RIP);
	vmx->cached |= VMX_ONCE_RIP;
	return vmx->rip;
}

/**
 * vmx_rflags() - its flags, read from the VMCS once an exit
 * @vmx: the vCPU, loaded
 *
 * Context: preemption off, loaded.
 * Return: RFLAGS.
 */
static inline u64 vmx_rflags(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->once) & VMX_ONCE_RFLAGS))
		vmx->rflags = vmread(GUEST_RFLAGS);
	vmx->cached |= VMX_ONCE_RFLAGS;
	return vmx->rflags;
}

/**
 * vmx_set_rf() - the instruction is not done: it is a fault, is executed again, or goes on
 * @vmx: the vCPU
 *
 * A breakpoint on it has been met, and RF keeps it from being met again (SDM vol. 3,
 * 18.3.1.1).
 *
 * Context: &struct axvcpu.mutex held; loaded, or RFLAGS are known.
 */
static inline void vmx_set_rf(struct vmx_vcpu *vmx)
{
	vmx->rflags = vmx_rflags(vmx) | X86_EFLAGS_RF;
	vmx->once |= VMX_ONCE_RFLAGS;
	vmx->insn_traps = 0;
}

/**
 * vmx_add_traps() - a #DB is due behind what the guest has done
 * @vmx: the vCPU
 * @traps: what of DR6 it is for; 0: there is none
 *
 * The next entry adds them to those that the CPU has pending.
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vmx_add_traps(struct vmx_vcpu *vmx, u32 traps)
{
	if (!traps)
		return;
	vmx->traps |= traps;
	vmx->once |= VMX_ONCE_TRAPS;
}

/**
 * vmx_to_vmm() - the VMM is told of an exit
 * @vmx: the vCPU
 * @reason: what of; the run page is filled in
 *
 * Context: &struct axvcpu.mutex held.
 * Return: %AXVCPU_NEXT_EXIT.
 */
static inline int vmx_to_vmm(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason)
{
	vmx->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

#endif /* _AXVCPU_VMX_H */
