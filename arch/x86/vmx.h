/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX backend's vCPU. */
#ifndef _AXVCPU_VMX_H
#define _AXVCPU_VMX_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/types.h>

#include <asm/vmx.h>

#include "../../axvcpu_arch.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_host.h"
#include "vmx_insn.h"
#include "vmx_perf.h"

struct xregs_state;

/* Bits of &struct vmx_vcpu.todo, before the next entry */
#define VMX_TODO_RIP		BIT(0)	/* write &struct vmx_vcpu.rip */
#define VMX_TODO_RFLAGS		BIT(1)	/* write &struct vmx_vcpu.rflags */
#define VMX_TODO_STEP		BIT(2)	/* a single-step trap is due */
#define VMX_TODO_EVENT		BIT(3)	/* &struct vmx_vcpu.event is due */
#define VMX_TODO_BREAKPOINTS	BIT(4)	/* always, while the guest has some */
#define VMX_TODO_BUFFERS	BIT(5)	/* always, where the CPU needs it */
#define VMX_TODO_DEBUG		BIT(6)	/* &struct vmx_vcpu.debug or .exceptions has changed */
#define VMX_TODO_STEPPED	BIT(7)	/* the debugger is told of a step first */
#define VMX_TODO_SHUTDOWN	BIT(8)	/* a triple fault, instead of an entry */
#define VMX_TODO_STEPPING	BIT(9)	/* always, while the debugger steps */

/*
 * struct vmx_vcpu - the backend's vCPU
 *
 * Key to the fields: (c) constant after creation; (p) written by the CPU @cpu
 * only, interrupts off; (a) atomic, any thread; all others under &struct
 * axvcpu.mutex.
 */
struct vmx_vcpu {
	struct axvcpu vcpu;

	void *vmcs;			/* (c) */
	u64 vmcs_pa;			/* (c) */
	struct xregs_state *fpu;	/* (c) x87, SSE and AVX, when it does not run */
	void *cpuid;			/* (c) room for a table of its own */
	u16 vpid;			/* (c) tag of its translations */

	struct list_head link;		/* (p) in the CPU's list of active VMCSs */
	int cpu;			/* (p) where the VMCS is active, -1: nowhere */
	bool launched;			/* (p) VMRESUME rather than VMLAUNCH */

	/* From here on, RESET makes all 0. */
	struct axvcpu_gpa entry;
	u64 eptp;
	bool entry_set;
	bool eptp_set;

	struct vmx_host host;
	u32 exit_reason;		/* of the last exit */
	u32 todo;			/* VMX_TODO_* */
	u32 cached;			/* VMX_TODO_RIP, _RFLAGS: this exit has read it */
	u32 exec;			/* primary processor-based controls */
	u64 rip;			/* valid when cached or to do */
	u64 rflags;			/* the same */
	u64 next_rip;			/* behind the instruction that exited */
	bool skip_due;			/* its completion goes on there */
	u64 io_mask;			/* what counts of EAX in IN, of addresses in INS, OUTS */
	u64 io_count;			/* elements of the INS or OUTS that waits */
	u32 io_qualification;		/* of its exit */
	u8 cr8;				/* interrupt priority that the guest blocks */
	bool halt_if;			/* RFLAGS.IF of the guest that halted */
	u64 cr2;
	u64 dr[8];			/* debug registers; 4 and 5 don't exist */
	u64 efer;			/* without LMA, which the VMCS has */
	bool cpuid_set;			/* @cpuid is in use */
	bool osxsave;			/* CR4.OSXSAVE */
	bool tsc_aux;			/* CPUID shows RDTSCP or RDPID */
	u64 cr4_allowed;		/* by CPUID */
	u64 xcr0_allowed;		/* the same */
	u64 xcr0;
	u64 xcr0_live;			/* in the CPU; 0: the host's */
	u64 xfeatures;			/* all that XCR0 ever had on */
	u64 msrs[VMX_NR_SWITCHED_MSRS];
	u32 msrs_live;			/* bit n: the CPU has the guest's msrs[n] */

	/*
	 * Raised by an instruction, or interrupted in its delivery: it goes
	 * into the guest before what is queued.
	 */
	struct vmx_event event;

	struct vmx_perf perf;
	struct vmx_debug debug;
	u32 exceptions;			/* that are exits, by the VMM's wish */
	bool timer_on;			/* the preemption timer */
	u32 step_mask;			/* of RFLAGS: behind an instruction there is more to do */
	bool guest_tf;			/* RFLAGS.TF is the guest's own too */
	struct vmx_event seen;		/* the exception that the VMM is told of */
	u64 seen_payload;		/* CR2 or DR6 of it */

	DECLARE_BITMAP(irr, 256);	/* (a) external interrupts */
	unsigned long queued;		/* (a) enum vmx_queued */
	u64 exception;			/* (a) info, and error code << 32 */
};

static inline struct vmx_vcpu *to_vmx(struct axvcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, vcpu);
}

/* The general-purpose registers, without RSP, which is the VMCS's. */
static inline u64 *vmx_gprs(struct vmx_vcpu *vmx)
{
	return vmx->vcpu.run->regs.x86.gpr;
}

static inline u64 vmx_read_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return n == AXVCPU_X86_RSP ? vmread(GUEST_RSP) : READ_ONCE(vmx_gprs(vmx)[n]);
}

static inline void vmx_write_gpr(struct vmx_vcpu *vmx, unsigned int n, u64 value)
{
	if (n == AXVCPU_X86_RSP)
		vmwrite(GUEST_RSP, value);
	else
		WRITE_ONCE(vmx_gprs(vmx)[n], value);
}

static inline u64 vmx_read_edx_eax(struct vmx_vcpu *vmx)
{
	return (u32)READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]) |
	       READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX]) << 32;
}

static inline void vmx_write_edx_eax(struct vmx_vcpu *vmx, u64 value)
{
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX], (u32)value);
	WRITE_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RDX], value >> 32);
}

static inline u64 vmx_rip(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->todo) & VMX_TODO_RIP))
		vmx->rip = vmread(GUEST_RIP);
	vmx->cached |= VMX_TODO_RIP;
	return vmx->rip;
}

static inline u64 vmx_rflags(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->todo) & VMX_TODO_RFLAGS))
		vmx->rflags = vmread(GUEST_RFLAGS);
	vmx->cached |= VMX_TODO_RFLAGS;
	return vmx->rflags;
}

/* An exit that the VMM is told of */
static inline int vmx_to_vmm(struct vmx_vcpu *vmx, enum axvcpu_exit_reason reason)
{
	vmx->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

#endif /* _AXVCPU_VMX_H */
