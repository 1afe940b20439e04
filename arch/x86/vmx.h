/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX backend's types, and what its files call of each other. */
#ifndef _AXVCPU_VMX_H
#define _AXVCPU_VMX_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <asm/debugreg.h>
#include <asm/desc_defs.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "../../axvcpu_arch.h"
#include "vmx_insn.h"

/**
 * struct vmx_caps - what the CPUs can, and the controls that we run with
 * @revision: VMCS revision identifier
 * @pin: pin-based controls
 * @cpu: primary processor-based controls
 * @cpu2: secondary processor-based controls
 * @exit: VM-exit controls
 * @entry: VM-entry controls, but for "IA-32e mode guest"
 * @cr4_allowed: bits of CR4 that a guest may set
 * @ept: IA32_VMX_EPT_VPID_CAP
 * @timer: there is a VMX-preemption timer
 * @timer_shift: which counts when this bit of the TSC changes
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
	u32 timer;
	u32 timer_shift;
};

/*
 * MSRs that the hardware does not switch with the VMCS. The host needs them
 * only outside of the run loop, the guest not always, see vmx_msrs_load().
 */
enum vmx_switched_msr {
	VMX_MSR_STAR,
	VMX_MSR_LSTAR,
	VMX_MSR_CSTAR,
	VMX_MSR_SFMASK,
	VMX_MSR_KERNEL_GS_BASE,
	VMX_MSR_TSC_AUX,
	VMX_NR_SWITCHED_MSRS,
};

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
	u16 error_code;
	u16 insn_len;
};

/* In a register or the run page, AXVCPU_X86_REG_EVENT */
#define VMX_EVENT_CODE	32
#define VMX_EVENT_LEN	48

static inline u64 vmx_event_bits(const struct vmx_event *event)
{
	return event->info | (u64)event->error_code << VMX_EVENT_CODE |
	       (u64)event->insn_len << VMX_EVENT_LEN;
}

/* perf has three at most, on CPUs with EPT. */
#define VMX_NR_PERF_MSRS	4

/**
 * struct vmx_perf - MSRs of the host's counters, see vmx_perf.c
 * @guest: what an entry loads
 * @host: what an exit loads
 * @nr: how many; 0: the counters are for guest and host alike
 */
struct vmx_perf {
	struct vmx_msr_entry guest[VMX_NR_PERF_MSRS];
	struct vmx_msr_entry host[VMX_NR_PERF_MSRS];
	u32 nr;
};

/**
 * struct vmx_debug - what a debugger wants
 * @flags: ``AXVCPU_DEBUG_*``
 * @dr7: its breakpoints, instead of the guest's; 0: none
 * @addr: their addresses
 */
struct vmx_debug {
	u32 flags;
	u64 dr7;
	u64 addr[4];
};

/**
 * struct vmx_host - host state as the VMCS has it, and what put restores
 * @rsp: HOST_RSP
 * @cr3: HOST_CR3
 * @cr4: HOST_CR4
 * @fs_base: HOST_FS_BASE
 * @debugctl: the CPU's IA32_DEBUGCTL
 * @gdt: the CPU's
 * @idt: the same
 * @kernel_gs_base: the thread's MSR_KERNEL_GS_BASE
 * @tsc_aux: the CPU's MSR_TSC_AUX
 * @selectors: not 0: the thread has a selector that is not null
 * @ldt: its LDT
 * @ds: its DS
 * @es: its ES
 * @fs: its FS
 * @gs: its GS
 */
struct vmx_host {
	unsigned long rsp;
	unsigned long cr3;
	unsigned long cr4;
	unsigned long fs_base;
	u32 debugctl;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	u64 kernel_gs_base;
	u64 tsc_aux;
	u16 selectors;
	u16 ldt;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
};

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

/**
 * struct vmx_reg - a register by id, or some that are numbered on from the first
 * @id: of the first
 * @count: how many
 * @n: number of the first, for @get and @set
 * @field: in the VMCS, at steps of 2; or @get and @set
 * @mask: bits that a value may have; 0: any
 * @valid: may it have this value? NULL: any
 * @get: its value
 * @set: change it
 * @xfeatures: parts of XSAVE's that guests must have for it to exist
 *
 * Context: @get and @set have preemption off and the vCPU loaded, and hold
 * &struct axvcpu.mutex.
 */
struct vmx_reg {
	u64 id;
	u32 count;
	u32 n;
	u32 field;
	u64 mask;
	bool (*valid)(const struct vmx_vcpu *vmx, u64 value);
	u64 (*get)(struct vmx_vcpu *vmx, unsigned int n);
	void (*set)(struct vmx_vcpu *vmx, unsigned int n, u64 value);
	u64 xfeatures;
};

#define VMX_NR_STATE_REGS	23

/* The operations, which &struct axvcpu_arch_ops documents, by file */

u64 ept_caps(void);				/* ept.c */
int vmx_cpu_enable(void);			/* vmx_hw.c */
void vmx_cpu_disable(void);
void vmx_enabled(bool on);			/* vmx_emergency.c */
int vmx_get_reg(struct axvcpu *vcpu, u64 id, u64 *value);	/* vmx_regs.c */
int vmx_set_reg(struct axvcpu *vcpu, u64 id, u64 value, bool commit);
void vmx_sync_regs(struct axvcpu *vcpu);
int vmx_load(struct axvcpu *vcpu);		/* vmx_run.c */
void vmx_put(struct axvcpu *vcpu);
int vmx_enter(struct axvcpu *vcpu, bool flush);
void vmx_complete(struct axvcpu *vcpu);	/* vmx_exit.c */
void vmx_set_dr7(struct vmx_vcpu *vmx, u64 value);
int vmx_set_debug(struct axvcpu *vcpu, const struct axvcpu_set_debug *debug); /* vmx_debug.c */

/* vmx_event.c */
int vmx_inject(struct axvcpu *vcpu, const struct axvcpu_inject *event);
bool vmx_exception_valid(u64 exception);
u32 vmx_exception_info(u8 vector);
u32 vmx_event_info(u32 info);
bool vmx_has_event(struct axvcpu *vcpu);

/* vmx_caps.c */
extern struct vmx_caps vmx_caps;
int vmx_caps_init(void);
bool vmx_caps_match(void);

/* ept.c */
extern struct axvcpu_s2_format ept_format;
void ept_init(void);
int ept_pointer(struct axvcpu_hpa root, u64 *eptp);
void ept_flush(u64 eptp);
void ept_flush_all(void);

/* vmx_fpu.c */
int vmx_fpu_init(void);
void vmx_fpu_exit(void);
int vmx_fpu_create(struct vmx_vcpu *vmx);
void vmx_fpu_destroy(struct vmx_vcpu *vmx);
void vmx_fpu_reset(struct vmx_vcpu *vmx);
extern u64 vmx_xcr0;
void vmx_xcr0_changed(struct vmx_vcpu *vmx);
bool vmx_xcr0_valid(const struct vmx_vcpu *vmx, u64 xcr0);
void vmx_set_xcr0(struct vmx_vcpu *vmx, u64 xcr0);
u32 vmx_xsave_size(u64 xcr0);
u32 vmx_xsavec_size(u64 xcr0);
u64 *vmx_xstate(struct vmx_vcpu *vmx, unsigned int part);

/* Those that a guest may have */
#define VMX_XFEATURES	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

/* vmx_l1d.c */
extern bool vmx_flush_l1d;
int vmx_l1d_init(void);
void vmx_l1d_exit(void);
void vmx_l1d_flush(void);

/* vmx_hw.c */
int vmx_hw_init(void);
void vmx_hw_exit(void);
void vmx_init_region(void *region);
int vmx_fetch(struct vmx_vcpu *vmx);

/* The vCPU whose VMCS is current; written by this CPU only. */
DECLARE_PER_CPU(struct vmx_vcpu *, vmx_current);

/**
 * vmx_make_current() - make a vCPU's VMCS this CPU's current one
 * @vmx: the vCPU
 *
 * Context: preemption off, interrupts on, &struct axvcpu.mutex held.
 * Return: 0, or -EIO: this CPU is not in VMX operation.
 */
static __always_inline int vmx_make_current(struct vmx_vcpu *vmx)
{
	return likely(this_cpu_read(vmx_current) == vmx) ? 0 : vmx_fetch(vmx);
}

void vmx_clear(struct vmx_vcpu *vmx);
void vmx_emergency_disable(void);

/* vmx_emergency.c */
int vmx_emergency_init(void);
void vmx_emergency_exit(void);

/* vmx_state.c */
int vmx_init_vmcs(struct vmx_vcpu *vmx, const struct axvcpu_x86_setup_config *config);
void vmx_set_host_cpu(struct vmx_vcpu *vmx);

/* vmx_regs.c */
void vmx_take_regs(struct vmx_vcpu *vmx);
u64 vmx_bad_reg(struct vmx_vcpu *vmx);
void vmx_set_cr4(struct vmx_vcpu *vmx, u64 value);

/* Bits of CR4 whose change exits */
static inline u64 vmx_cr4_owned(const struct vmx_vcpu *vmx)
{
	return ~vmx->cr4_allowed | X86_CR4_OSXSAVE | X86_CR4_MCE;
}

/* vmx_regs_state.c */
extern const struct vmx_reg vmx_state_regs[VMX_NR_STATE_REGS];

/* vmx_timer.c */
void vmx_set_timer(struct vmx_vcpu *vmx, u64 ticks);
u64 vmx_timer(struct vmx_vcpu *vmx);

/* vmx_msr.c */
extern unsigned long *vmx_msr_bitmap;
int vmx_msr_init(void);
void vmx_msr_exit(void);
void vmx_syscall_msrs_load(struct vmx_vcpu *vmx);
void vmx_syscall_msrs_put(struct vmx_vcpu *vmx);
void vmx_tsc_aux_load(struct vmx_vcpu *vmx);
void vmx_update_lma(struct vmx_vcpu *vmx);

/**
 * vmx_msrs_load() - put into the CPU those MSRs that the guest can use now
 * @vmx: the vCPU
 *
 * SYSCALL needs EFER.SCE and SWAPGS 64-bit mode; a change of EFER exits, and
 * RDMSR and WRMSR of them do at all times.
 *
 * Context: preemption off.
 */
static __always_inline void vmx_msrs_load(struct vmx_vcpu *vmx)
{
	u64 base = vmx->msrs[VMX_MSR_KERNEL_GS_BASE];

	if (vmx->efer & EFER_LME) {
		vmx->host.kernel_gs_base = vmx_rdmsr(MSR_KERNEL_GS_BASE);
		if (base != vmx->host.kernel_gs_base)
			vmx_wrmsr(MSR_KERNEL_GS_BASE, base);
		vmx->msrs_live = BIT(VMX_MSR_KERNEL_GS_BASE);
	}
	if (vmx->efer & EFER_SCE)
		vmx_syscall_msrs_load(vmx);
	if (unlikely(vmx->tsc_aux))
		vmx_tsc_aux_load(vmx);
}

/**
 * vmx_msrs_put() - the CPU has the host's MSRs again
 * @vmx: the vCPU
 *
 * Context: preemption off, on the CPU of vmx_msrs_load().
 */
static __always_inline void vmx_msrs_put(struct vmx_vcpu *vmx)
{
	u64 base;

	if (!vmx->msrs_live)
		return;
	if (vmx->msrs_live & BIT(VMX_MSR_KERNEL_GS_BASE)) {
		base = vmx_rdmsr(MSR_KERNEL_GS_BASE);
		vmx->msrs[VMX_MSR_KERNEL_GS_BASE] = base;
		if (base != vmx->host.kernel_gs_base)
			vmx_wrmsr(MSR_KERNEL_GS_BASE, vmx->host.kernel_gs_base);
	}
	if (unlikely(vmx->msrs_live & ~BIT(VMX_MSR_KERNEL_GS_BASE)))
		vmx_syscall_msrs_put(vmx);
	vmx->msrs_live = 0;
}

/* vmx_exit.c */
#define VMX_NR_EXITS	128	/* above all reasons */
extern int (*const vmx_exits[VMX_NR_EXITS])(struct vmx_vcpu *vmx);
int vmx_odd_exit(struct vmx_vcpu *vmx);

/* vmx_debug.c */
void vmx_apply_debug(struct vmx_vcpu *vmx);
void vmx_show_tf(struct vmx_vcpu *vmx);
void vmx_hide_tf(struct vmx_vcpu *vmx);
int vmx_exit_step(struct vmx_vcpu *vmx);
bool vmx_exit_watched(struct vmx_vcpu *vmx, u32 info, int *next);
int vmx_tell_exception(struct vmx_vcpu *vmx, u8 vector, u64 payload);
void vmx_complete_exception(struct vmx_vcpu *vmx);

/*
 * Exceptions that always exit. A guest can make #DB and #AC follow each other
 * without end in their own delivery, where no interrupt gets in (CVE-2015-8104,
 * 5307); a machine check is the host's.
 */
#define VMX_EXCEPTIONS		(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/* entry.S */
extern const char vmx_vmexit[];

/* vmx_cpuid.c */
void vmx_cpuid_init(void);
int vmx_cpuid_create(struct vmx_vcpu *vmx);
void vmx_cpuid_commit(struct vmx_vcpu *vmx);
void vmx_cpuid(struct vmx_vcpu *vmx);
int vmx_get_cpuid(const struct vmx_vcpu *vmx, u64 id, u64 *value);
int vmx_set_cpuid(struct vmx_vcpu *vmx, u64 id, u64 value, bool commit);

/* vmx_perf.c */
DECLARE_STATIC_KEY_FALSE(vmx_has_pmu);
void vmx_perf_init(void);
void vmx_perf_init_vmcs(struct vmx_vcpu *vmx);
void vmx_perf_begin(struct vmx_vcpu *vmx);
void vmx_perf_end(struct vmx_vcpu *vmx);

/* vmx_event.c */
void vmx_raise(struct vmx_vcpu *vmx, u8 vector, u16 error_code);
void vmx_raise_event(struct vmx_vcpu *vmx, struct vmx_event event);
void vmx_take_vectoring(struct vmx_vcpu *vmx);
void vmx_put_events(struct vmx_vcpu *vmx);
void vmx_set_exec(struct vmx_vcpu *vmx, u32 set, u32 clear);

/* CR0 bits that the guest sees but does not get: its caches stay on. */
#define VMX_CR0_OWNED		(X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)

/* Interrupts wait for the instruction behind an STI or MOV SS. */
#define VMX_SHADOW		(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

/* Debug registers: what <asm/debugreg.h> has no names for */
#define VMX_DR6_BD		BIT(13)		/* access detected */
#define VMX_DR6_EVENTS		(DR_TRAP_BITS | VMX_DR6_BD | DR_STEP)
#define VMX_DR7_GD		BIT(13)		/* detect access */
#define VMX_DR7_RESET		0x400UL		/* the bit that is always 1 */
#define VMX_DR7_WRITABLE	0xffff23ffUL
#define VMX_DR7_ENABLED		(DR_GLOBAL_ENABLE_MASK | DR_LOCAL_ENABLE_MASK)

/* DR6 after a #DB for @events */
static inline u64 vmx_dr6(u64 dr6, u64 events)
{
	return (dr6 & ~DR_TRAP_BITS) | DR6_RESERVED | (events & VMX_DR6_EVENTS);
}

#endif /* _AXVCPU_VMX_H */
