/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX backend's types, and what its files call of each other. */
#ifndef _AXVCPU_VMX_H
#define _AXVCPU_VMX_H

#include <linux/list.h>
#include <linux/types.h>

#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "../../axvcpu.h"
#include "vmx_insn.h"

/**
 * struct vmx_caps - what the CPUs can, and the controls that we run with
 * @revision: VMCS revision identifier
 * @pin: pin-based controls
 * @cpu: primary processor-based controls
 * @cpu2: secondary processor-based controls
 * @exit: VM-exit controls
 * @entry: VM-entry controls, but for "IA-32e mode guest"
 * @cr4_allowed: bits of CR4 that the guest may set
 * @ept: IA32_VMX_EPT_VPID_CAP
 */
struct vmx_caps {
	u32 revision;
	u32 pin;
	u32 cpu;
	u32 cpu2;
	u32 exit;
	u32 entry;
	u64 cr4_allowed;
	u64 ept;
};

/*
 * MSRs that the hardware does not switch with the VMCS, and that the host
 * needs only outside of the run loop. The guest's are in the CPU only while
 * it can use them.
 */
enum vmx_switched_msr {
	VMX_MSR_STAR,
	VMX_MSR_LSTAR,
	VMX_MSR_CSTAR,
	VMX_MSR_SFMASK,
	VMX_NR_SYSCALL_MSRS,
	VMX_MSR_KERNEL_GS_BASE = VMX_NR_SYSCALL_MSRS,
	VMX_NR_SWITCHED_MSRS,
};

/* Debug registers: what <asm/debugreg.h> has no names for */
#define VMX_DR6_BD		BIT(13)		/* access detected */
#define VMX_DR6_EVENTS		(DR_TRAP_BITS | VMX_DR6_BD | DR_STEP)
#define VMX_DR7_GD		BIT(13)		/* detect access */
#define VMX_DR7_RESET		0x400UL		/* the bit that is always 1 */
#define VMX_DR7_WRITABLE	0xffff23ffUL

/* Bits of &struct vmx_vcpu.dirty: what the next entry writes to the VMCS */
#define VMX_DIRTY_RIP		(1U << 0)
#define VMX_DIRTY_RFLAGS	(1U << 1)
#define VMX_DIRTY_STEP		(1U << 2)	/* a single-step trap is due */

/* Bits of &struct vmx_vcpu.cached: what this exit has read from the VMCS */
#define VMX_CACHED_RIP		(1U << 0)
#define VMX_CACHED_RFLAGS	(1U << 1)

/* Bits of &struct vmx_vcpu.queued */
enum vmx_queued {
	VMX_QUEUED_IRQ,		/* there may be a bit in &struct vmx_vcpu.irr */
	VMX_QUEUED_NMI,
	VMX_QUEUED_EXCEPTION,	/* in &struct vmx_vcpu.exception */
};

/**
 * struct vmx_event - an event in VM-entry format
 * @info: interruption information; 0: none
 * @error_code: where @info says that there is one
 * @insn_len: of the instruction that raised it, for software events
 */
struct vmx_event {
	u32 info;
	u32 error_code;
	u32 insn_len;
};

/**
 * struct vmx_host - host state as the VMCS has it, or to restore in put
 * @rsp: HOST_RSP
 * @cr3: HOST_CR3
 * @cr4: HOST_CR4
 * @fs_base: HOST_FS_BASE
 * @kernel_gs_base: the thread's MSR_KERNEL_GS_BASE
 * @ldt: selector
 * @ds: selector
 * @es: selector
 * @fs: selector
 * @gs: selector
 */
struct vmx_host {
	unsigned long rsp;
	unsigned long cr3;
	unsigned long cr4;
	unsigned long fs_base;
	u64 kernel_gs_base;
	u16 ldt;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
};

/**
 * struct vmx_vcpu - the backend's vCPU
 *
 * Key to the fields: (c) constant after creation; (m) under &struct
 * axvcpu.mutex; (p) by the CPU @cpu only, interrupts off; (a) atomic, any
 * thread.
 *
 * @vcpu: must be first, see &struct axvcpu_arch_ops.vcpu_size
 * @vmcs: (c) the VMCS
 * @vmcs_pa: (c) its address
 * @fpu: (c) the guest's FPU state
 * @vpid: (c) tag of its translations
 * @link: (p) in the CPU's list of active VMCSs
 * @cpu: (p) where the VMCS is active, -1: nowhere
 * @launched: (p) VMRESUME rather than VMLAUNCH
 * @entry: (m) where it starts
 * @eptp: (m) EPT pointer
 * @entry_set: (m) @entry was given
 * @eptp_set: (m) @eptp was given
 * @host: (m) host state
 * @exit_reason: (m) of the last exit
 * @dirty: (m) ``VMX_DIRTY_*``
 * @cached: (m) ``VMX_CACHED_*``
 * @rip: (m) valid when cached or dirty
 * @rflags: (m) valid when cached or dirty
 * @rsp: (m) GUEST_RSP as last read or written here
 * @next_rip: (m) behind the instruction that exited
 * @skip_due: (m) its completion goes on at @next_rip
 * @io_width: (m) bytes of the IN that waits for its answer
 * @exec: (m) primary processor-based controls as in the VMCS
 * @cr2: (m) the guest's
 * @cr8: (m) the guest's, the interrupt priority that it blocks
 * @dr: (m) the guest's DR0 to DR3
 * @dr6: (m) the guest's
 * @dr7: (m) the guest's
 * @efer: (m) the guest's, without LMA, which the hardware keeps in the VMCS
 * @msrs: (m) the guest's, by &enum vmx_switched_msr
 * @msrs_live: (m) bit n: the CPU has the guest's @msrs[n]
 * @irr: (a) external interrupts that are pending
 * @queued: (a) &enum vmx_queued
 * @exception: (a) the exception that INJECT queued
 * @event: (m) goes into the guest at the next entry before anything queued:
 *	raised by an instruction, or interrupted in its delivery
 * @halt_if: (m) RFLAGS.IF of the guest that halted
 */
struct vmx_vcpu {
	struct axvcpu vcpu;

	void *vmcs;
	u64 vmcs_pa;
	struct fpu_guest fpu;
	u16 vpid;

	struct list_head link;
	int cpu;
	bool launched;

	struct axvcpu_gpa entry;
	u64 eptp;
	bool entry_set;
	bool eptp_set;

	struct vmx_host host;
	u32 exit_reason;
	u32 dirty;
	u32 cached;
	u64 rip;
	u64 rflags;
	u64 rsp;
	u64 next_rip;
	bool skip_due;
	u8 io_width;
	u32 exec;
	u64 cr2;
	u8 cr8;
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	u64 efer;
	u64 msrs[VMX_NR_SWITCHED_MSRS];
	u32 msrs_live;

	DECLARE_BITMAP(irr, 256);
	unsigned long queued;
	u64 exception;
	struct vmx_event event;
	bool halt_if;
};

static inline struct vmx_vcpu *to_vmx(struct axvcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, vcpu);
}

/* The guest's general-purpose register n; RSP is the VMCS's inside RUN. */
static inline u64 *vmx_gpr(struct vmx_vcpu *vmx, unsigned int n)
{
	return &vmx->vcpu.run->regs.x86.gpr[n];
}

/* Read a field once an exit. */
static inline u64 vmx_rip(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->dirty) & VMX_CACHED_RIP)) {
		vmx->rip = vmread(GUEST_RIP);
		vmx->cached |= VMX_CACHED_RIP;
	}
	return vmx->rip;
}

static inline u64 vmx_rflags(struct vmx_vcpu *vmx)
{
	if (!((vmx->cached | vmx->dirty) & VMX_CACHED_RFLAGS)) {
		vmx->rflags = vmread(GUEST_RFLAGS);
		vmx->cached |= VMX_CACHED_RFLAGS;
	}
	return vmx->rflags;
}

/* vmx_caps.c */

extern struct vmx_caps vmx_caps;

int vmx_caps_init(void);
bool vmx_caps_match(void);

/* vmx_hw.c */

int vmx_hw_init(void);
void vmx_hw_exit(void);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);
void vmx_enabled(bool on);
void *vmx_alloc_vmcs(void);
int vmx_make_current(struct vmx_vcpu *vmx);
void vmx_clear(struct vmx_vcpu *vmx);

/* ept.c */

extern struct axvcpu_s2_format ept_format;

void ept_init(void);
u64 ept_caps(void);
int ept_pointer(struct axvcpu_hpa root, u64 *eptp);
void ept_flush(u64 eptp);
void ept_flush_all(void);

/* vmx_state.c */

int vmx_init_vmcs(struct vmx_vcpu *vmx, const struct axvcpu_x86_setup_config *config);
void vmx_set_host_cpu(struct vmx_vcpu *vmx);

/* vmx_regs.c */

int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value);
int vmx_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit);
void vmx_take_regs(struct vmx_vcpu *vmx);
void vmx_sync_regs(struct axvcpu *vcpu);

/* CR0 bits that the guest sees but does not get: its caches stay on. */
#define VMX_CR0_OWNED		(X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)

/* vmx_msr.c */

extern unsigned long *vmx_msr_bitmap;

int vmx_msr_init(void);
void vmx_msr_exit(void);
bool vmx_msr_known(u32 index);
u64 vmx_msr_get(struct vmx_vcpu *vmx, u32 index);
bool vmx_msr_valid(struct vmx_vcpu *vmx, u32 index, u64 value);
void vmx_msr_set(struct vmx_vcpu *vmx, u32 index, u64 value);
void vmx_msrs_load(struct vmx_vcpu *vmx);
void vmx_msrs_put(struct vmx_vcpu *vmx);
void vmx_update_lma(struct vmx_vcpu *vmx);

/* vmx_run.c */

bool vmx_world_switch(u64 *gpr, unsigned long *host_rsp, bool launched);
extern const char vmx_vmexit[];

int vmx_run_init(void);
void vmx_run_exit(void);
int vmx_load(struct axvcpu *vcpu);
void vmx_put(struct axvcpu *vcpu);
void vmx_fpu_begin(struct axvcpu *vcpu);
void vmx_fpu_end(struct axvcpu *vcpu);
int vmx_enter(struct axvcpu *vcpu, bool flush);

/* vmx_exit.c */

int vmx_handle_exit(struct axvcpu *vcpu);
void vmx_complete(struct axvcpu *vcpu);

/* vmx_cpuid.c */

void vmx_cpuid_init(void);
void vmx_cpuid(struct vmx_vcpu *vmx);

/* vmx_event.c */

int vmx_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
bool vmx_has_event(struct axvcpu *vcpu);
void vmx_raise(struct vmx_vcpu *vmx, u8 vector, bool has_error_code, u32 error_code);
void vmx_take_vectoring(struct vmx_vcpu *vmx);
void vmx_put_events(struct vmx_vcpu *vmx);
void vmx_clear_events(struct vmx_vcpu *vmx);
void vmx_set_exec(struct vmx_vcpu *vmx, u32 set, u32 clear);

#endif /* _AXVCPU_VMX_H */
