/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arm64 backend: its types, and the contract of each function that another
 * of its files calls.
 *
 * The host runs at EL2 with HCR_EL2.{E2H,TGE} = {1,1}. What the host does not
 * use, EL1's registers, the virtual timer, the virtual GIC, is the guest's from
 * its first entry in a section of the run loop to the section's end. What
 * disturbs the host is switched at each entry and exit with interrupts off. All
 * that the host or KVM could have put there is saved as found and put back.
 */
#ifndef _AXVCPU_VHE_H
#define _AXVCPU_VHE_H

#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

#include <asm/fpsimd.h>
#include <asm/kvm_arm.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "axvcpu_arch.h"

/* Kinds of exits: which vector was taken. entry.S returns them. */
#define VHE_EXIT_SYNC		0
#define VHE_EXIT_IRQ		1
#define VHE_EXIT_FIQ		2
#define VHE_EXIT_SERROR		3
/* PSTATE is none that a guest may have: AArch32, or what the VMM made up */
#define VHE_EXIT_BAD_PSTATE	4

#define VHE_PSTATE_IL		BIT(20)
#define VHE_PSTATE_SS		BIT(21)

/* PSTATE that a VMM may give: EL0 or EL1, AArch64 */
#define VHE_PSTATE_MASK		(PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | PSR_DIT_BIT | \
				 PSR_UAO_BIT | PSR_PAN_BIT | PSR_SSBS_BIT | PSR_BTYPE_MASK | \
				 PSR_TCO_BIT | VHE_PSTATE_SS | VHE_PSTATE_IL |			\
				 PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | 0xf)
#define VHE_PSTATE_RESET	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

/* EL1's register by its own name is EL2's here; this is how EL1's is reached. */
#define VHE_EL12(encoding)	((encoding) | sys_reg(0, 5, 0, 0, 0))

/*
 * System registers of the guest. Those of one list are switched together:
 * R(name, the guest's encoding, encoding at EL2 where it is another).
 *
 * VHE_SYSREGS: for the time of a section of the run loop
 */
#define VHE_SYSREGS(R)									\
	R(SCTLR,	sys_reg(3, 0, 1, 0, 0),	 VHE_EL12(sys_reg(3, 0, 1, 0, 0)))	\
	R(CPACR,	sys_reg(3, 0, 1, 0, 2),	 VHE_EL12(sys_reg(3, 0, 1, 0, 2)))	\
	R(TTBR0,	sys_reg(3, 0, 2, 0, 0),	 VHE_EL12(sys_reg(3, 0, 2, 0, 0)))	\
	R(TTBR1,	sys_reg(3, 0, 2, 0, 1),	 VHE_EL12(sys_reg(3, 0, 2, 0, 1)))	\
	R(TCR,		sys_reg(3, 0, 2, 0, 2),	 VHE_EL12(sys_reg(3, 0, 2, 0, 2)))	\
	R(SPSR,		sys_reg(3, 0, 4, 0, 0),	 VHE_EL12(sys_reg(3, 0, 4, 0, 0)))	\
	R(ELR,		sys_reg(3, 0, 4, 0, 1),	 VHE_EL12(sys_reg(3, 0, 4, 0, 1)))	\
	R(AFSR0,	sys_reg(3, 0, 5, 1, 0),	 VHE_EL12(sys_reg(3, 0, 5, 1, 0)))	\
	R(AFSR1,	sys_reg(3, 0, 5, 1, 1),	 VHE_EL12(sys_reg(3, 0, 5, 1, 1)))	\
	R(ESR,		sys_reg(3, 0, 5, 2, 0),	 VHE_EL12(sys_reg(3, 0, 5, 2, 0)))	\
	R(FAR,		sys_reg(3, 0, 6, 0, 0),	 VHE_EL12(sys_reg(3, 0, 6, 0, 0)))	\
	R(PAR,		sys_reg(3, 0, 7, 4, 0),	 sys_reg(3, 0, 7, 4, 0))		\
	R(MAIR,		sys_reg(3, 0, 10, 2, 0), VHE_EL12(sys_reg(3, 0, 10, 2, 0)))	\
	R(AMAIR,	sys_reg(3, 0, 10, 3, 0), VHE_EL12(sys_reg(3, 0, 10, 3, 0)))	\
	R(VBAR,		sys_reg(3, 0, 12, 0, 0), VHE_EL12(sys_reg(3, 0, 12, 0, 0)))	\
	R(CONTEXTIDR,	sys_reg(3, 0, 13, 0, 1), VHE_EL12(sys_reg(3, 0, 13, 0, 1)))	\
	R(TPIDR_EL1,	sys_reg(3, 0, 13, 0, 4), sys_reg(3, 0, 13, 0, 4))		\
	R(CNTKCTL,	sys_reg(3, 0, 14, 1, 0), VHE_EL12(sys_reg(3, 0, 14, 1, 0)))	\
	R(CSSELR,	sys_reg(3, 2, 0, 0, 0),	 sys_reg(3, 2, 0, 0, 0))		\
	R(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2), sys_reg(3, 3, 13, 0, 2))		\
	R(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3), sys_reg(3, 3, 13, 0, 3))		\
	R(SP_EL1,	sys_reg(3, 4, 4, 1, 0),	 sys_reg(3, 4, 4, 1, 0))

/* Pointer authentication: the key that the kernel uses too, by entry.S at each entry */
#define VHE_KERNEL_KEY(R)								\
	R(APIALO,	sys_reg(3, 0, 2, 1, 0))						\
	R(APIAHI,	sys_reg(3, 0, 2, 1, 1))

/* The others, for a section, once the guest has used one */
#define VHE_KEYS(R)									\
	R(APIBLO,	sys_reg(3, 0, 2, 1, 2))						\
	R(APIBHI,	sys_reg(3, 0, 2, 1, 3))						\
	R(APDALO,	sys_reg(3, 0, 2, 2, 0))						\
	R(APDAHI,	sys_reg(3, 0, 2, 2, 1))						\
	R(APDBLO,	sys_reg(3, 0, 2, 2, 2))						\
	R(APDBHI,	sys_reg(3, 0, 2, 2, 3))						\
	R(APGALO,	sys_reg(3, 0, 2, 3, 0))						\
	R(APGAHI,	sys_reg(3, 0, 2, 3, 1))

/* Breakpoints and watchpoints, two of each; at each entry while MDSCR_EL1.MDE is set */
#define VHE_DEBUG(R)									\
	R(DBGBVR0,	sys_reg(2, 0, 0, 0, 4))						\
	R(DBGBVR1,	sys_reg(2, 0, 0, 1, 4))						\
	R(DBGBCR0,	sys_reg(2, 0, 0, 0, 5))						\
	R(DBGBCR1,	sys_reg(2, 0, 0, 1, 5))						\
	R(DBGWVR0,	sys_reg(2, 0, 0, 0, 6))						\
	R(DBGWVR1,	sys_reg(2, 0, 0, 1, 6))						\
	R(DBGWCR0,	sys_reg(2, 0, 0, 0, 7))						\
	R(DBGWCR1,	sys_reg(2, 0, 0, 1, 7))

#define VHE_ALL_SYSREGS(R)	VHE_SYSREGS(R) VHE_KERNEL_KEY(R) VHE_KEYS(R) VHE_DEBUG(R)

/* nTLSMD, LSMAOE, SPAN, EIS, nTWE, nTWI, EOS, CP15BEN, SA0: MMU and caches off */
#define VHE_SCTLR_RESET		0x30c50830ULL

/*
 * EL2's registers that a section of the run loop changes, and others that are
 * not the guest's: H(name, encoding). They are put back as they were found.
 */
#define VHE_HOST_REGS(H)								\
	H(VTTBR,	sys_reg(3, 4, 2, 1, 0))						\
	H(VTCR,		sys_reg(3, 4, 2, 1, 2))						\
	H(VPIDR,	sys_reg(3, 4, 0, 0, 0))						\
	H(VMPIDR,	sys_reg(3, 4, 0, 0, 5))						\
	H(MDCR,		sys_reg(3, 4, 1, 1, 1))						\
	H(CNTHCTL,	sys_reg(3, 4, 14, 1, 0))					\
	H(CNTVOFF,	sys_reg(3, 4, 14, 0, 3))					\
	H(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2))					\
	H(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3))

/* The same where the CPU has FEAT_HCX and FEAT_FGT; 0 for guests: it traps, or does not exist */
#define VHE_OPTIONAL_REGS(H)								\
	H(HCRX,		sys_reg(3, 4, 1, 2, 2),	has_hcx)				\
	H(HFGRTR,	sys_reg(3, 4, 1, 1, 4),	has_fgt)				\
	H(HFGWTR,	sys_reg(3, 4, 1, 1, 5),	has_fgt)

#define VHE_ENUM(name, ...)		VHE_##name,
#define VHE_HOST_ENUM(name, ...)	VHE_HOST_##name,
enum vhe_sysreg {
	VHE_ALL_SYSREGS(VHE_ENUM)
	VHE_NR_SYSREGS,
};

enum vhe_host_reg {
	VHE_HOST_REGS(VHE_HOST_ENUM)
	VHE_OPTIONAL_REGS(VHE_HOST_ENUM)
	VHE_NR_HOST_REGS,
};

#undef VHE_ENUM
#undef VHE_HOST_ENUM

#define VHE_MAX_LRS		16
#define VHE_MAX_APRS		4
#define VHE_NR_INTIDS		(AXVCPU_ARM64_MAX_INTID + 1)
#define VHE_VTIMER_INTID	27

/**
 * struct vhe_gic - the virtual CPU interface, and what waits for it
 * @vmcr: ICH_VMCR_EL2
 * @apr: active priorities, of group 0 and 1
 * @lr: list registers; those in use are in the hardware while it is loaded
 * @used: bits of those that hold, or held at the last look, an interrupt
 * @may_be_active: in the hardware, @apr may be other than 0: the guest can only make
 *	active what was in a list register
 * @timer_lr: the one with the virtual timer's interrupt, -1: none
 * @pending: INTIDs that INJECT queued and that wait for a list register
 * @priority: of each of them
 * @queued: there may be some in @pending; set after them
 */
struct vhe_gic {
	u64 vmcr;
	u64 apr[2][VHE_MAX_APRS];
	u64 lr[VHE_MAX_LRS];
	unsigned long used;
	bool may_be_active;
	int timer_lr;
	DECLARE_BITMAP(pending, VHE_NR_INTIDS);
	u8 priority[VHE_NR_INTIDS];
	bool queued;
};

/**
 * struct vhe_timer - the virtual timer
 * @ctl: CNTV_CTL_EL0, the two bits that can be written
 * @cval: CNTV_CVAL_EL0
 * @voff: CNTVOFF_EL2
 * @high: its interrupt was asserted at the last exit
 * @silent: and the host's is active, although no list register is tied to it:
 *	the VMM has been told, or all of them are in use
 * @armed: @wake was started
 * @wake: while the guest is halted
 */
struct vhe_timer {
	u64 ctl;
	u64 cval;
	u64 voff;
	bool high;
	bool silent;
	bool armed;
	struct hrtimer wake;
};

/**
 * struct vhe_host - what was found, to be put back
 * @regs: see VHE_HOST_REGS and VHE_OPTIONAL_REGS
 * @icc_sre: ICC_SRE_EL2
 * @keys: see VHE_KEYS
 * @debug: see VHE_DEBUG
 * @hcr: HCR_EL2; this and what follows is put back at each exit
 * @cpacr: CPTR_EL2
 * @vbar: VBAR_EL2
 */
struct vhe_host {
	u64 regs[VHE_NR_HOST_REGS];
	u64 icc_sre;
	u64 keys[VHE_DBGBVR0 - VHE_APIBLO];
	u64 debug[VHE_NR_SYSREGS - VHE_DBGBVR0];
	u64 hcr, cpacr, vbar;
};

/**
 * struct vhe_vcpu - a vCPU of this backend
 * @vcpu: the common part
 * @tag: differs for every vCPU and root: whose translations a CPU has
 * @mpidr: VMPIDR_EL2
 * @dtb: x0 at the entry
 * @entry: first instruction
 * @vttbr: VTTBR_EL2
 * @has_entry: @entry is set
 * @has_root: @vttbr is set
 * @is_setup: setup() is done
 * @flags: ``AXVCPU_ARM64_SETUP_*``
 * @in_hw: the guest's registers are in the hardware rather than below
 * @fp_on: the guest has used its FP registers in this section
 * @pauth_on: it has used pointer authentication, and has its keys
 * @flush: forget this CPU's translations before the next entry
 * @skip_due: the last exit's instruction ends when its answer is there
 * @pc: program counter
 * @pstate: PSTATE
 * @sp_el0: stack pointer of EL0
 * @sys: see VHE_SYSREGS
 * @mdscr: MDSCR_EL1, the bits that the guest can change
 * @fp: FP registers
 * @gic: virtual GIC
 * @timer: virtual timer
 * @lines: ``AXVCPU_ARM64_LINE_*`` that are high
 * @exception: ESR of one to inject, 0: none
 * @serror: ESR of an SError that waits until the guest takes it, 0: none
 * @exit: ``VHE_EXIT_*``
 * @esr: syndrome of a synchronous exit or SError
 * @far: fault address of an abort
 * @hpfar: intermediate physical address of it
 * @host: the host's
 */
struct vhe_vcpu {
	struct axvcpu vcpu;
	u64 tag;
	u64 mpidr;
	u64 dtb;
	u64 entry;
	u64 vttbr;
	u64 flags;
	bool has_entry;
	bool has_root;
	bool is_setup;

	bool in_hw;
	bool fp_on;
	bool pauth_on;
	bool flush;
	bool skip_due;

	u64 pc;
	u64 pstate;
	u64 sp_el0;
	u64 sys[VHE_NR_SYSREGS];
	u64 mdscr;
	struct user_fpsimd_state fp;
	struct vhe_gic gic;
	struct vhe_timer timer;

	unsigned long lines;
	u64 exception;
	u64 serror;

	u32 exit;
	u64 esr;
	u64 far;
	u64 hpfar;

	struct vhe_host host;
};

static inline struct vhe_vcpu *to_vhe(struct axvcpu *vcpu)
{
	return container_of(vcpu, struct vhe_vcpu, vcpu);
}

/* x31 reads as zero, and what is written to it is lost. */
static inline u64 vhe_get_x(const struct vhe_vcpu *vhe, unsigned int n)
{
	return n < 31 ? READ_ONCE(vhe->vcpu.run->regs.arm64.x[n]) : 0;
}

static inline void vhe_set_x(struct vhe_vcpu *vhe, unsigned int n, u64 value)
{
	if (n < 31)
		WRITE_ONCE(vhe->vcpu.run->regs.arm64.x[n], value);
}

/* Guests of AArch32 are not gone on with. */
static inline void vhe_skip_insn(struct vhe_vcpu *vhe)
{
	vhe->pc += 4;
	vhe->pstate &= ~(PSR_BTYPE_MASK | VHE_PSTATE_SS);
}

static inline bool vhe_user_gic(const struct vhe_vcpu *vhe)
{
	return vhe->flags & AXVCPU_ARM64_SETUP_USER_GIC;
}

/* Is there something to be put into list registers, or looked for in them? */
static inline bool vhe_gic_has_work(const struct vhe_vcpu *vhe)
{
	return vhe->timer.high || vhe->timer.silent || READ_ONCE(vhe->gic.queued);
}

/* May a VMM give this PSTATE? */
static inline bool vhe_pstate_ok(u64 pstate)
{
	u64 mode = pstate & PSR_MODE_MASK;

	return !(pstate & ~(u64)VHE_PSTATE_MASK) &&
	       (mode == PSR_MODE_EL0t || mode == PSR_MODE_EL1t || mode == PSR_MODE_EL1h);
}

/* entry.S */
u64 vhe_world_switch(struct axvcpu_arm64_gprs *gprs, u64 *sp_el0, u64 mitigation, u64 *key);
bool vhe_take_serror(void);
void vhe_fp_load(const struct user_fpsimd_state *fp);
void vhe_fp_save(struct user_fpsimd_state *fp);
extern char vhe_vectors[];
DECLARE_PER_CPU(u64, vhe_host_vbar);

/* stage2.c */
extern struct axvcpu_s2_format vhe_s2_format;
extern u64 vhe_s2_vtcr;
int vhe_s2_init(void);
int vhe_s2_vttbr(struct axvcpu_hpa root, u64 *vttbr);

/* vhe_tlb.c */
void vhe_tlb_init(void);
void vhe_flush_tlbs(const struct axvcpu_s2_zap *zap);
void vhe_flush_this_cpu(void);

/* vhe_switch.c */
void vhe_switch_init(void);
int vhe_load(struct axvcpu *vcpu);
void vhe_put(struct axvcpu *vcpu);
void vhe_unload_guest(struct vhe_vcpu *vhe);
int vhe_enter(struct axvcpu *vcpu, bool flush);
void vhe_forget_vcpus(void);
void vhe_use_fp(struct vhe_vcpu *vhe);
bool vhe_use_pauth(struct vhe_vcpu *vhe);

/* The guest's registers out of the hardware, if they are there. */
static inline void vhe_save(struct vhe_vcpu *vhe)
{
	if (vhe->in_hw)
		vhe_unload_guest(vhe);
}

/* vhe_spectre.c */
#define VHE_MITIGATE_CLEARBHB	BIT_ULL(63)
#define VHE_MITIGATE_FIRMWARE	BIT_ULL(31)	/* of every function of its */
DECLARE_PER_CPU(u64, vhe_mitigation);
void vhe_spectre_enable(void);
u64 vhe_spectre_features(u32 fn);

/* vhe_exit.c */
int vhe_handle_exit(struct axvcpu *vcpu);
int vhe_fault_exit(struct axvcpu *vcpu);
void vhe_complete(struct axvcpu *vcpu);
int vhe_exit_to_vmm(struct vhe_vcpu *vhe, enum axvcpu_exit_reason reason);
int vhe_halt(struct vhe_vcpu *vhe);
int vhe_hypercall(struct vhe_vcpu *vhe);
void vhe_take_exception(struct vhe_vcpu *vhe, u64 esr);
int vhe_undefined(struct vhe_vcpu *vhe);

/* vhe_psci.c */
int vhe_psci_call(struct vhe_vcpu *vhe);

/* vhe_sysreg.c */
int vhe_handle_sysreg(struct vhe_vcpu *vhe);
bool vhe_id_register(u32 encoding, u64 *value);
bool vhe_sys_value_ok(u32 encoding, u64 value);

/* vhe_gic.c */
void vhe_gic_init(void);
bool vhe_gic_present(void);
void vhe_gic_reset(struct vhe_vcpu *vhe);
void vhe_gic_load(struct vhe_vcpu *vhe);
void vhe_gic_save(struct vhe_vcpu *vhe);
void vhe_gic_enter(struct vhe_vcpu *vhe);
int vhe_gic_queue(struct vhe_vcpu *vhe, u32 intid, u32 priority);
bool vhe_gic_has_event(const struct vhe_vcpu *vhe);
int vhe_gic_get_reg(struct vhe_vcpu *vhe, u64 id, u64 *value);
int vhe_gic_set_reg(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit);

/* vhe_timer.c; what an entry and an exit do is in vhe_timer.h */
extern u32 vhe_timer_intid;
void vhe_timer_init(void);
void vhe_timer_create(struct vhe_vcpu *vhe);
void vhe_timer_destroy(struct vhe_vcpu *vhe);
bool vhe_timer_expired(const struct vhe_vcpu *vhe);
void vhe_timer_sleep(struct vhe_vcpu *vhe);
void vhe_timer_wake(struct vhe_vcpu *vhe);
void vhe_timer_set_active(bool active);
bool vhe_timer_tell(struct vhe_vcpu *vhe);
u64 vhe_timer_now(const struct vhe_vcpu *vhe);

/* vhe_regs.c */
u64 *vhe_sys(struct vhe_vcpu *vhe, u32 encoding);
u64 *vhe_sp(struct vhe_vcpu *vhe);
void vhe_take_regs(struct vhe_vcpu *vhe);
void vhe_sync_regs(struct axvcpu *vcpu);
int vhe_get_reg(struct axvcpu *vcpu, u64 id, u64 *value);
int vhe_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit);

#endif /* _AXVCPU_VHE_H */
