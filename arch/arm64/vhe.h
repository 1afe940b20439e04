/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arm64 backend's vCPU.
 *
 * The host runs at EL2 with HCR_EL2.{E2H,TGE} = {1,1}. What the host does not
 * use, EL1's registers, the virtual timer, the virtual GIC, is the guest's from
 * its first entry in a section to the section's end. What disturbs the host is
 * switched at each entry and exit with interrupts off. All that the host or KVM
 * could have put there is saved as found and put back.
 */
#ifndef _AXVCPU_VHE_H
#define _AXVCPU_VHE_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/fpsimd.h>
#include <asm/ptrace.h>

#include "axvcpu_arch.h"
#include "entry.h"
#include "vhe_debug.h"
#include "vhe_gic.h"
#include "vhe_host.h"
#include "vhe_irq.h"
#include "vhe_sysregs.h"
#include "vhe_timer.h"
#include "vhe_traps.h"

#define VHE_PSTATE_ALLINT	BIT(13)
#define VHE_PSTATE_IL		BIT(20)
#define VHE_PSTATE_SS		BIT(21)

/* ESR_ELx of a software step: an instruction was stepped, EX is valid */
#define VHE_STEP_ISV		BIT(24)

/* PSTATE that a VMM may give: EL0 or EL1, AArch64 */
#define VHE_PSTATE_MASK		(PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | PSR_DIT_BIT | \
				 PSR_UAO_BIT | PSR_PAN_BIT | PSR_SSBS_BIT | PSR_BTYPE_MASK | \
				 PSR_TCO_BIT | VHE_PSTATE_SS | VHE_PSTATE_IL |			\
				 PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | 0xf)
#define VHE_MODES		(BIT(PSR_MODE_EL0t) | BIT(PSR_MODE_EL1t) | BIT(PSR_MODE_EL1h))
#define VHE_PSTATE_RESET	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

/*
 * struct vhe_vcpu - the backend's vCPU
 *
 * Key to the fields: (c) constant after creation; (m) under &struct axvcpu.mutex,
 * which RUN holds; (s) the same, but what has_event() and the hrtimer read of it
 * is read anywhere with READ_ONCE(), and right while the guest halts; (h) under the
 * mutex, and in the hardware rather than here while @in_hw; (r) written only by the
 * thread inside RUN; (a) atomic, any thread.
 */
struct vhe_vcpu {
	struct axvcpu vcpu;

	u64 mpidr;			/* (c) VMPIDR_EL2 */
	u64 dtb;			/* (c) x0 at the entry */

	/* From SETUP, or the steps before it, to RESET */
	u64 tag;			/* (m) differs for every vCPU and root, see vhe_tlb.h */
	u64 entry;			/* (m) first instruction */
	u64 vttbr;			/* (m) VTTBR_EL2 */
	u64 flags;			/* (m) ``AXVCPU_ARM64_SETUP_*`` */
	bool has_entry;			/* (m) @entry is set */
	bool has_root;			/* (m) @vttbr is set */
	bool is_setup;			/* (m) setup() is done */

	/* A section */
	bool in_hw;			/* (r) the guest's registers are in the hardware */
	bool fp_on;			/* (r) the guest has used its FP registers */
	bool pauth_on;			/* (r) it has its keys */
	bool pauth_used;		/* (m) it has used its keys since RESET */
	struct vhe_traps traps;		/* (r) what its instructions are trapped by */
	struct vhe_host host;		/* (r) host state while @in_hw */

	/* KEEP_STATE copies all of this, so that no part of it is forgotten. */
	struct_group_tagged(vhe_guest, guest,
	/* The last exit, until the next entry */
	u32 exit;			/* (m) ``VHE_EXIT_*`` */
	u64 esr;			/* (r) ESR_EL2: of a synchronous exit or SError */
	u64 far;			/* (r) FAR_EL2: fault address of an abort */
	u64 hpfar;			/* (r) HPFAR_EL2: intermediate physical address of it */
	bool skip_due;			/* (m) its instruction ends when its answer is there */
	bool insn_done;			/* (m) the VMM has done its instruction */
	bool step_due;			/* (m) a step is done, its exception is not taken yet */
	u64 own_step;			/* (m) ISS of the guest's own step that is done, or 0 */

	/* The guest's registers, to RESET; x0 to x30 are in the run page */
	u64 pc;				/* (m) */
	u64 pstate;			/* (m) */
	u64 sp_el0;			/* (m) */
	u64 mdscr;			/* (m) MDSCR_EL1, the bits that the guest can change */
	u64 sys[VHE_NR_SLOTS];		/* (h) see vhe_sysregs.h */
	u64 disr;			/* (h) VDISR_EL2, which is the guest's DISR_EL1; RAS */
	struct user_fpsimd_state fp;	/* (m) */
	struct vhe_gic gic;		/* (h), (s) */
	);
	struct vhe_timer timer;		/* (h), (s) */

	/* Events that are queued */
	unsigned long lines;		/* (a) ``AXVCPU_ARM64_LINE_*`` that are high */
	u64 exception;			/* (a) ESR of one to inject, 0: none */
	u64 serror;			/* (a) ESR of an SError that is not taken, 0: none */
	struct vhe_irq irq;		/* (a) interrupts that wait for list registers */

	u64 attached;			/* (m) 1: there is a debugger, 0: none */
	struct vhe_debug debug;		/* (m) and (r), see there */
};

/* FEAT_NMI: a guest can have PSTATE.ALLINT, though the GIC has no NMIs for it. */
extern bool vhe_has_nmi;

/**
 * to_vhe() - the backend's vCPU
 * @vcpu: the common part of it
 *
 * Context: any.
 * Return: the vCPU.
 */
static inline struct vhe_vcpu *to_vhe(struct axvcpu *vcpu)
{
	return container_of(vcpu, struct vhe_vcpu, vcpu);
}

/**
 * vhe_get_x() - a general-purpose register of the guest's
 * @vhe: the vCPU
 * @n: 0 to 31; x31 reads as zero
 *
 * Context: &struct axvcpu.mutex held.
 * Return: its value, once from the run page.
 */
static inline u64 vhe_get_x(const struct vhe_vcpu *vhe, unsigned int n)
{
	return n < 31 ? READ_ONCE(vhe->vcpu.run->regs.arm64.x[n]) : 0;
}

/**
 * vhe_set_x() - give a general-purpose register of the guest's a value
 * @vhe: the vCPU
 * @n: 0 to 31; what is written to x31 is lost
 * @value: the value
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_set_x(struct vhe_vcpu *vhe, unsigned int n, u64 value)
{
	if (n < 31)
		WRITE_ONCE(vhe->vcpu.run->regs.arm64.x[n], value);
}

/**
 * vhe_insn_is_open() - has the last exit left an instruction that is not done?
 * @vhe: the vCPU; the VMM has not let it go on
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether: of HYPERCALL and CPU_UP it is done, of DEBUG there is none.
 */
static inline bool vhe_insn_is_open(const struct vhe_vcpu *vhe)
{
	return !(BIT(vhe->vcpu.exit_reason) &
		 (BIT(AXVCPU_EXIT_HYPERCALL) | BIT(AXVCPU_EXIT_CPU_UP) | BIT(AXVCPU_EXIT_DEBUG)));
}

/**
 * vhe_vmm_says_done() - does the VMM say that it has done the instruction that exited?
 * @vhe: the vCPU
 * @dirty: &struct axvcpu_run.regs_dirty
 * @pc: what the run page has of the program counter
 *
 * Context: &struct axvcpu.mutex held.
 * Return: whether: by %AXVCPU_REGS_DONE, or by another program counter.
 */
static inline bool vhe_vmm_says_done(const struct vhe_vcpu *vhe, u32 dirty, u64 pc)
{
	return dirty & AXVCPU_REGS_DONE || (dirty & AXVCPU_REGS_PC && pc != vhe->pc);
}

/**
 * vhe_end_insn() - the guest's instruction is done, wherever it goes on
 * @vhe: the vCPU
 *
 * A software step ends with it, and so does a branch's type. Hardware would take the step's
 * exception at the next entry, but would not know of the instruction: see vhe_enter().
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_end_insn(struct vhe_vcpu *vhe)
{
	/* PSTATE.SS is where its shift makes it ISV. */
	vhe->own_step = (vhe->pstate & VHE_PSTATE_SS) * (VHE_STEP_ISV / VHE_PSTATE_SS);
	vhe->pstate &= ~(PSR_BTYPE_MASK | VHE_PSTATE_SS);
	vhe->step_due = true;
}

/**
 * vhe_skip_insn() - the guest goes on behind its instruction
 * @vhe: the vCPU; AArch32 guests are never resumed
 *
 * Context: &struct axvcpu.mutex held.
 */
static inline void vhe_skip_insn(struct vhe_vcpu *vhe)
{
	vhe->pc += 4;
	vhe_end_insn(vhe);
}

/**
 * vhe_user_gic() - does the VMM emulate the whole GIC, its CPU interface too?
 * @vhe: the vCPU
 *
 * Context: any.
 * Return: whether.
 */
static inline bool vhe_user_gic(const struct vhe_vcpu *vhe)
{
	return vhe->flags & AXVCPU_ARM64_SETUP_USER_GIC;
}

/**
 * vhe_mode_ok() - can a guest be there?
 * @pstate: as SPSR_EL2 has it
 *
 * Context: any.
 * Return: whether: EL0 or EL1, AArch64.
 */
static __always_inline bool vhe_mode_ok(u64 pstate)
{
	return VHE_MODES >> (pstate & (PSR_MODE32_BIT | PSR_MODE_MASK)) & 1;
}

/**
 * vhe_pstate_ok() - may a VMM give this PSTATE?
 * @pstate: as SPSR_EL2 has it
 *
 * Context: any.
 * Return: whether: EL0 or EL1, AArch64.
 */
static inline bool vhe_pstate_ok(u64 pstate)
{
	u64 allint = vhe_has_nmi ? VHE_PSTATE_ALLINT : 0;

	return !(pstate & ~(VHE_PSTATE_MASK | allint)) && vhe_mode_ok(pstate);
}

/**
 * vhe_exit_to_vmm() - leave the run loop
 * @vhe: the vCPU; the run page is filled in
 * @reason: why
 *
 * Context: &struct axvcpu.mutex held.
 * Return: %AXVCPU_NEXT_EXIT.
 */
static inline int vhe_exit_to_vmm(struct vhe_vcpu *vhe, enum axvcpu_exit_reason reason)
{
	vhe->vcpu.exit_reason = reason;
	return AXVCPU_NEXT_EXIT;
}

/**
 * vhe_exit_unknown() - leave the run loop for what the backend does not know
 * @vhe: the vCPU
 *
 * Context: &struct axvcpu.mutex held.
 * Return: %AXVCPU_NEXT_EXIT; the VMM has ESR_EL2 and FAR_EL2.
 */
static inline int vhe_exit_unknown(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->unknown.hw_reason = vhe->esr;
	run->unknown.qualification = vhe->far;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_UNKNOWN);
}

#endif /* _AXVCPU_VHE_H */
