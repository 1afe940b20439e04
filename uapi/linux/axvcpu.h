/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * axvcpu: hardware vCPUs as file descriptors.
 *
 * Three kinds of descriptor: the device (/dev/axvcpu), an address space and a
 * vCPU. Every ioctl takes either no argument, an integer, or a pointer to one
 * of the structs below. Structs may grow at their end: the kernel takes any
 * size from the first version's on, as copy_struct_from_user() does.
 */
#ifndef _UAPI_LINUX_AXVCPU_H
#define _UAPI_LINUX_AXVCPU_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "../asm-arm64/axvcpu.h"
#include "../asm-x86/axvcpu.h"

/**
 * DOC: Errors
 *
 * What is wrong with a call leaves the vCPU as it was:
 *
 * ============== ==========================================================
 * ``ENOTTY``     no such ioctl on this kind of descriptor, or its direction
 *                bits are wrong
 * ``EFAULT``     a pointer does not lead to memory of the caller
 * ``EINVAL``     an unknown flag, a reserved field that is not zero, a struct
 *                shorter than its first version, a value out of range
 * ``E2BIG``      a struct longer than the kernel's with a tail that is not
 *                zero, or an array longer than the limit; an array that is
 *                too short (GET_REG_LIST)
 * ``EPERM``      the capability that the call needs is missing
 * ``EIO``        the address space belongs to another process (MAP, UNMAP,
 *                RUN), or the hardware of this CPU can't be turned on (CREATE_VCPU)
 * ``EBUSY``      the vCPU is running or blocked in another thread, or the
 *                hardware is held by another hypervisor (CREATE_VCPU)
 * ``EINTR``      RUN: a signal, a kick or immediate_exit: the vCPU stays Ready;
 *                others: a signal while they waited, nothing was done
 * ``EXDEV``      the calling thread is on a CPU that the vCPU may not run
 *                on, or where another hypervisor holds the hardware, or that
 *                goes offline: the vCPU stays as it is
 * ``ESHUTDOWN``  the system is going down (CREATE_VCPU)
 * ``EDEADLK``    a vCPU operation was started inside another one on this CPU
 * ``ENOMEM``     no memory
 * ``EMFILE``     the process has no file descriptor left
 * ``EOPNOTSUPP`` this backend has no such feature
 * ``EEXIST``     the range overlaps one that is mapped (MAP)
 * ``ENOENT``     not all of it is mapped (UNMAP, PROTECT, GET_DIRTY); no such
 *                event is queued (WITHDRAW); no state is kept (RESTORE_STATE)
 * ``ENOSPC``     the address space has 32768 ranges already (MAP), or would
 *                have more (UNMAP, PROTECT)
 * ============== ==========================================================
 *
 * What is wrong with a transition makes the vCPU Invalid:
 *
 * ============== ==========================================================
 * ``EBADFD``     the vCPU was not in the state that the operation starts from
 * ``EINVAL``     the backend refused the entry, the root, the configuration
 *                or the CPU
 * ``EEXIST``     the entry or the root was given a second time
 * ``EBADF``      the address space descriptor is not open, or is no address
 *                space
 * ``EIO``        the hardware failed the operation (see
 *                &struct axvcpu_failure.arch_code)
 * ============== ==========================================================
 */

/**
 * AXVCPU_ABI_VERSION - version of this interface
 *
 * It rises with each change. A program works with a kernel if the version that it
 * was compiled with lies between &struct axvcpu_info.abi_oldest and
 * &struct axvcpu_info.abi_version.
 */
#define AXVCPU_ABI_VERSION	2
/** AXVCPU_ABI_OLDEST - oldest version whose programs work with this one */
#define AXVCPU_ABI_OLDEST	2

/**
 * enum axvcpu_state - where a vCPU stands
 * @AXVCPU_STATE_INVALID: a transition failed; only queries, RESET and close()
 *	are of use
 * @AXVCPU_STATE_CREATED: new, without an entry and an address space
 * @AXVCPU_STATE_FREE: set up, not bound to a CPU
 * @AXVCPU_STATE_READY: bound, may run
 * @AXVCPU_STATE_RUNNING: inside RUN
 * @AXVCPU_STATE_BLOCKED: inside RUN, halted, waiting for an event
 *
 * The numbers are those of AxVCpu's VCpuState.
 */
enum axvcpu_state {
	AXVCPU_STATE_INVALID	= 0,
	AXVCPU_STATE_CREATED	= 1,
	AXVCPU_STATE_FREE	= 2,
	AXVCPU_STATE_READY	= 3,
	AXVCPU_STATE_RUNNING	= 4,
	AXVCPU_STATE_BLOCKED	= 5,
};

/**
 * enum axvcpu_op - operations as they stand in failures and in the history
 * @AXVCPU_OP_NONE: no operation
 * @AXVCPU_OP_CREATE: %AXVCPU_CREATE_VCPU
 * @AXVCPU_OP_SETUP: %AXVCPU_SETUP
 * @AXVCPU_OP_BIND: %AXVCPU_BIND
 * @AXVCPU_OP_RUN: %AXVCPU_RUN
 * @AXVCPU_OP_UNBIND: %AXVCPU_UNBIND
 * @AXVCPU_OP_WAIT: a halted guest starts to wait inside RUN
 * @AXVCPU_OP_WAKE: the wait inside RUN ends
 * @AXVCPU_OP_RESET: %AXVCPU_RESET
 * @AXVCPU_OP_SET_STATE: %AXVCPU_SET_STATE
 * @AXVCPU_OP_SET_ENTRY: %AXVCPU_SET_ENTRY
 * @AXVCPU_OP_SET_EPT_ROOT: %AXVCPU_SET_EPT_ROOT
 * @AXVCPU_OP_SET_REGS: %AXVCPU_SET_REGS
 * @AXVCPU_OP_GET_REGS: %AXVCPU_GET_REGS
 */
enum axvcpu_op {
	AXVCPU_OP_NONE		= 0,
	AXVCPU_OP_CREATE	= 1,
	AXVCPU_OP_SETUP		= 2,
	AXVCPU_OP_BIND		= 3,
	AXVCPU_OP_RUN		= 4,
	AXVCPU_OP_UNBIND	= 5,
	AXVCPU_OP_WAIT		= 6,
	AXVCPU_OP_WAKE		= 7,
	AXVCPU_OP_RESET		= 8,
	AXVCPU_OP_SET_STATE	= 9,
	AXVCPU_OP_SET_ENTRY	= 10,
	AXVCPU_OP_SET_EPT_ROOT	= 11,
	AXVCPU_OP_SET_REGS	= 12,
	AXVCPU_OP_GET_REGS	= 13,
};

/**
 * enum axvcpu_backend - the hardware behind the device
 * @AXVCPU_BACKEND_MOCK: no hardware, for tests
 * @AXVCPU_BACKEND_VMX: Intel VMX with EPT
 * @AXVCPU_BACKEND_VHE: arm64 virtualization host extensions
 */
enum axvcpu_backend {
	AXVCPU_BACKEND_MOCK	= 1,
	AXVCPU_BACKEND_VMX	= 2,
	AXVCPU_BACKEND_VHE	= 3,
};

/* Capabilities, &struct axvcpu_info.caps */
#define AXVCPU_CAP_CALL_LOG	(1ULL << 0)	/* GET_CALL_LOG works */
#define AXVCPU_CAP_RAW_ROOT	(1ULL << 1)	/* SETUP_RAW_ROOT is allowed by the administrator */
#define AXVCPU_CAP_HW_DIRTY	(1ULL << 2)	/* the second stage has dirty bits */
#define AXVCPU_CAP_DEBUG	(1ULL << 3)	/* SET_DEBUG works */
#define AXVCPU_CAP_PREEMPTION_TIMER (1ULL << 4)	/* so does AXVCPU_X86_REG_PREEMPTION_TIMER */

/**
 * struct axvcpu_info - %AXVCPU_GET_INFO, what this device is
 * @abi_version: %AXVCPU_ABI_VERSION of the kernel
 * @backend: &enum axvcpu_backend
 * @caps: ``AXVCPU_CAP_*``
 * @gpa_bits: guest-physical addresses are below 2^gpa_bits
 * @max_gpt_levels: most levels of a second-stage table
 * @run_size: bytes to mmap() from a vCPU descriptor
 * @max_regs: most elements that GET_REGS and SET_REGS take at once
 * @page_sizes: bit n: second-stage leaves of 2^n bytes are in use
 * @name: the backend's name, NUL-terminated
 * @abi_oldest: %AXVCPU_ABI_OLDEST of the kernel
 * @map_access: bit n: a range can be mapped with the access n, a sum of
 *	%AXVCPU_MAP_READ, %AXVCPU_MAP_WRITE and %AXVCPU_MAP_EXEC
 * @counter_hz: frequency of the counter that guests read, in Hz: x86 the TSC, where
 *	its rate is constant; arm64 CNTFRQ_EL0. 0: unknown
 * @reserved: zero
 */
struct axvcpu_info {
	__u32 abi_version;
	__u32 backend;
	__u64 caps;
	__u32 gpa_bits;
	__u32 max_gpt_levels;
	__u32 run_size;
	__u32 max_regs;
	__u64 page_sizes;
	__u8 name[16];
	__u32 abi_oldest;
	__u32 map_access;
	__u64 counter_hz;
	__u64 reserved[2];
};

/**
 * struct axvcpu_create_aspace - %AXVCPU_CREATE_ASPACE, returns a descriptor
 * @flags: zero
 * @reserved: zero
 *
 * The address space belongs to the calling process: MAP, UNMAP and RUN from
 * another one are refused with EIO.
 */
struct axvcpu_create_aspace {
	__u32 flags;
	__u32 reserved;
};

/** AXVCPU_VCPU_ID_MAX - largest &struct axvcpu_create_vcpu.vcpu_id */
#define AXVCPU_VCPU_ID_MAX	65535

/**
 * struct axvcpu_create_vcpu - %AXVCPU_CREATE_VCPU, returns a descriptor
 * @vm_id: a number of the caller's, for traces
 * @vcpu_id: up to %AXVCPU_VCPU_ID_MAX; 0 is the bootstrap processor
 * @favor_phys_cpu: CPU on which the vCPU runs best, or -1; a hint: its run page
 *	and what the hardware uses come from that CPU's NUMA node
 * @flags: zero
 * @phys_cpu_set: user pointer to a bitmap, as in sched_setaffinity(); the
 *	vCPU runs on these CPUs only. 0 with a length of 0: on all
 * @phys_cpu_set_len: bytes of the bitmap, a multiple of 8
 * @reserved0: zero
 * @config: architecture's part
 * @reserved: zero
 */
struct axvcpu_create_vcpu {
	__u32 vm_id;
	__u32 vcpu_id;
	__s32 favor_phys_cpu;
	__u32 flags;
	__u64 phys_cpu_set;
	__u32 phys_cpu_set_len;
	__u32 reserved0;
	union axvcpu_create_config {
		struct axvcpu_x86_create_config x86;
		struct axvcpu_arm64_create_config arm64;
		__u64 raw[8];
	} config;
	__u64 reserved[2];
};

/* &struct axvcpu_map.flags; also the access in a NESTED_PAGE_FAULT exit */
#define AXVCPU_MAP_READ		(1U << 0)
#define AXVCPU_MAP_WRITE	(1U << 1)
#define AXVCPU_MAP_EXEC		(1U << 2)
#define AXVCPU_MAP_ALL		(AXVCPU_MAP_READ | AXVCPU_MAP_WRITE | AXVCPU_MAP_EXEC)
/* Not an access: GET_DIRTY reports which pages of the range the guest has written */
#define AXVCPU_MAP_LOG_DIRTY	(1U << 3)

/**
 * struct axvcpu_map - %AXVCPU_MAP, the caller's memory becomes the guest's
 * @gpa: guest-physical address, a multiple of the page size
 * @size: bytes, a multiple of the page size, not 0
 * @uaddr: address in the calling process, a multiple of the page size
 * @flags: an access that &struct axvcpu_info.map_access has: ``AXVCPU_MAP_READ``,
 *	``_WRITE``, ``_EXEC``, all of them with READ everywhere, some without it where
 *	the hardware can; and, as wanted, ``_LOG_DIRTY``
 * @reserved: zero
 *
 * The range must not overlap another one (EEXIST). Nothing is pinned: the
 * guest sees whatever is mapped at @uaddr at any time, as the process does;
 * where nothing is, the guest's access is an exit.
 */
struct axvcpu_map {
	__u64 gpa;
	__u64 size;
	__u64 uaddr;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct axvcpu_unmap - %AXVCPU_UNMAP
 * @gpa: guest-physical address, a multiple of the page size
 * @size: bytes, a multiple of the page size, not 0
 * @reserved: zero
 *
 * Takes away any part of what is mapped, over several ranges. All of it must be mapped
 * (ENOENT). What is left of a range is a range, and counts as one (ENOSPC). After an
 * error, all of it is still mapped. When it returns, no vCPU reaches the memory through these
 * addresses any more.
 */
struct axvcpu_unmap {
	__u64 gpa;
	__u64 size;
	__u64 reserved;
};

/**
 * struct axvcpu_protect - %AXVCPU_PROTECT, change what the guest may do with memory
 * @gpa: guest-physical address, a multiple of the page size
 * @size: bytes, a multiple of the page size, not 0
 * @flags: as for MAP
 * @reserved: zero
 *
 * For any part of what is mapped, as UNMAP. When it returns, no vCPU has more
 * access than @flags say. A log of written pages starts with
 * ``AXVCPU_MAP_LOG_DIRTY``, and may begin with pages that were written before;
 * it goes on where there is one, and ends without.
 */
struct axvcpu_protect {
	__u64 gpa;
	__u64 size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct axvcpu_get_dirty - %AXVCPU_GET_DIRTY, pages that the guest has written
 * @gpa: guest-physical address, a multiple of the page size
 * @size: bytes, a multiple of the page size, not 0
 * @bitmap: user pointer to a bit for each page (of the host's size), in
 *	little-endian ``__u64``, as many as it takes
 * @reserved: zero
 *
 * Bits are set for the pages that the guest has written since the call before
 * (the first: since the log was started); the log of them is empty afterwards.
 * What the guest writes while the call is under way is told now or next time.
 * After EFAULT, what could not be told is told next time. Writes by the
 * process itself are not recorded. Any part of what is mapped, over several ranges, each
 * of which has a log (EINVAL).
 */
struct axvcpu_get_dirty {
	__u64 gpa;
	__u64 size;
	__u64 bitmap;
	__u64 reserved;
};

/**
 * struct axvcpu_aspace_stats - %AXVCPU_GET_ASPACE_STATS
 * @ranges: ranges mapped now
 * @mapped_pages: 4 KiB (host page size) units that have a leaf now
 * @table_pages: pages of second-stage table in use now
 * @faults: second-stage faults handled by the kernel
 * @fault_retries: faults tried again because the host changed the memory
 * @invalidations: ranges taken back at the host's demand
 * @shootdowns: times that running vCPUs were interrupted to forget leaves; none where
 *	the hardware does without (arm64)
 * @reserved: zero
 */
struct axvcpu_aspace_stats {
	__u64 ranges;
	__u64 mapped_pages;
	__u64 table_pages;
	__u64 faults;
	__u64 fault_retries;
	__u64 invalidations;
	__u64 shootdowns;
	__u64 reserved[5];
};

/* &struct axvcpu_setup.flags */
#define AXVCPU_SETUP_RAW_ROOT	(1U << 0)	/* raw_root instead of aspace_fd */
#define AXVCPU_SETUP_STEPPED	(1U << 1)	/* entry and root were given step by step */

/**
 * struct axvcpu_setup - %AXVCPU_SETUP, Created -> Free
 * @entry: guest-physical address of the first instruction
 * @raw_root: host-physical address of a second-stage root, with
 *	%AXVCPU_SETUP_RAW_ROOT; otherwise 0
 * @aspace_fd: address space; the vCPU holds a reference
 * @flags: ``AXVCPU_SETUP_*``. RAW_ROOT takes CAP_SYS_RAWIO and the module
 *	parameter raw_root=1, and @aspace_fd is -1. With STEPPED, @entry and
 *	@raw_root are 0 and @aspace_fd is -1
 * @config: architecture's part
 * @reserved: zero
 */
struct axvcpu_setup {
	__u64 entry;
	__u64 raw_root;
	__s32 aspace_fd;
	__u32 flags;
	union axvcpu_setup_config {
		struct axvcpu_x86_setup_config x86;
		struct axvcpu_arm64_setup_config arm64;
		__u64 raw[8];
	} config;
	__u64 reserved[2];
};

/**
 * struct axvcpu_set_entry - %AXVCPU_SET_ENTRY, first step of a stepwise setup
 * @entry: as in &struct axvcpu_setup
 * @reserved: zero
 *
 * Allowed while Created; the vCPU stays Created. A refusal makes it Invalid.
 */
struct axvcpu_set_entry {
	__u64 entry;
	__u64 reserved;
};

/**
 * struct axvcpu_set_ept_root - %AXVCPU_SET_EPT_ROOT, second step
 * @raw_root: as in &struct axvcpu_setup
 * @aspace_fd: as in &struct axvcpu_setup
 * @flags: zero or %AXVCPU_SETUP_RAW_ROOT
 * @reserved: zero
 */
struct axvcpu_set_ept_root {
	__u64 raw_root;
	__s32 aspace_fd;
	__u32 flags;
	__u64 reserved;
};

/**
 * struct axvcpu_bind - %AXVCPU_BIND, Free -> Ready
 * @cpu: -1: the vCPU follows the thread that runs it, over all CPUs of its
 *	set. A number: it runs on that CPU only. RUN elsewhere is EXDEV; the thread
 *	that calls BIND may be on any CPU
 * @flags: zero
 * @reserved: zero
 */
struct axvcpu_bind {
	__s32 cpu;
	__u32 flags;
	__u64 reserved;
};

/* Argument of %AXVCPU_RUN, an integer */
#define AXVCPU_RUN_WAIT		(1U << 0)	/* a halted guest waits inside RUN, Blocked */
#define AXVCPU_RUN_NOWAIT	(1U << 1)	/* EBUSY when another thread uses the vCPU */
/* x86, with RUN_WAIT: HLT with RFLAGS.IF = 0 is an exit, as no interrupt can end it */
#define AXVCPU_RUN_EXIT_HLT_IF0	(1U << 2)

/*
 * Argument of %AXVCPU_RESET, an integer: what belongs to the machine, not to a run of it,
 * stays. x86: the CPUID table and the TSC's offset; arm64: CNTVOFF
 */
#define AXVCPU_RESET_KEEP_MACHINE	(1U << 0)

/*
 * Argument of %AXVCPU_RESTORE_STATE, an integer: the counter that the guest reads goes
 * back to where it was, too. Without, time goes on: the TSC's offset and CNTVOFF are what
 * they were
 */
#define AXVCPU_RESTORE_TIME	(1U << 0)

/**
 * struct axvcpu_failure - an operation that failed
 * @seq: counts the failures of this vCPU; 0: there was none
 * @op: &enum axvcpu_op that failed
 * @expected: &enum axvcpu_state that the operation starts from
 * @actual: &enum axvcpu_state that it found, before Invalid replaced it
 * @error: errno that the operation returned, negative
 * @arch_code: the hardware's word (VMX: VM-instruction error); 0: none
 * @reg: id of the register that SET_REGS or GET_REGS refused, the first of those
 *	given; 0: another operation
 * @tid: thread that called, as its own PID namespace numbers it
 * @reserved: zero
 *
 * A refusal by SET_REGS or GET_REGS leaves the vCPU in its state, which is
 * @expected and @actual.
 */
struct axvcpu_failure {
	__u64 seq;
	__u32 op;
	__u32 expected;
	__u32 actual;
	__s32 error;
	__u64 arch_code;
	__u64 reg;
	__s32 tid;
	__u32 reserved;
};

/**
 * struct axvcpu_state_info - %AXVCPU_GET_STATE; never blocks
 * @state: &enum axvcpu_state
 * @reserved0: zero
 * @failure: the last failure; RESET keeps it
 * @cause: the failure that made the vCPU Invalid: RESET forgets it, and those that
 *	follow do not replace it
 * @reserved: zero
 */
struct axvcpu_state_info {
	__u32 state;
	__u32 reserved0;
	struct axvcpu_failure failure;
	struct axvcpu_failure cause;
	__u64 reserved[2];
};

/**
 * struct axvcpu_set_state - %AXVCPU_SET_STATE, needs CAP_SYS_ADMIN
 * @state: &enum axvcpu_state, not Running and not Blocked
 * @reserved: zero
 *
 * Upstream's set_state: no check, no call to the backend. For tests and
 * debugging. EBUSY while another thread is in RUN.
 */
struct axvcpu_set_state {
	__u32 state;
	__u32 reserved;
};

/**
 * struct axvcpu_vcpu_info - %AXVCPU_GET_VCPU_INFO, the vCPU's constants
 * @vm_id: as created
 * @vcpu_id: as created
 * @favor_phys_cpu: as created
 * @bound_cpu: CPU given to BIND; -1: none, or not bound
 * @phys_cpu_set: user pointer for the bitmap, or 0
 * @phys_cpu_set_len: bytes there, a multiple of 8
 * @is_bsp: 1 when @vcpu_id is 0
 * @last_cpu: CPU on which the vCPU ran last, -1: none
 * @reserved0: zero
 * @reserved: zero
 */
struct axvcpu_vcpu_info {
	__u32 vm_id;
	__u32 vcpu_id;
	__s32 favor_phys_cpu;
	__s32 bound_cpu;
	__u64 phys_cpu_set;
	__u32 phys_cpu_set_len;
	__u32 is_bsp;
	__s32 last_cpu;
	__u32 reserved0;
	__u64 reserved[2];
};

/**
 * struct axvcpu_reg - one register
 * @id: ``AXVCPU_X86_REG_*`` or ``AXVCPU_ARM64_REG_*``
 * @value: its value; narrower ones are zero-extended
 */
struct axvcpu_reg {
	__u64 id;
	__u64 value;
};

/** AXVCPU_MAX_REGS - most elements in one &struct axvcpu_regs */
#define AXVCPU_MAX_REGS		1024

/**
 * struct axvcpu_regs - %AXVCPU_GET_REGS and %AXVCPU_SET_REGS
 * @regs: user pointer to an array of &struct axvcpu_reg
 * @count: its elements, up to %AXVCPU_MAX_REGS (E2BIG)
 * @flags: zero
 *
 * EBUSY while another thread runs the vCPU. An unknown id is EINVAL and
 * nothing is written. SET_REGS checks the whole array before it writes the
 * first register; it is refused with EBADFD, without effect, when Invalid.
 * Which id was refused stands in &struct axvcpu_failure.reg.
 */
struct axvcpu_regs {
	__u64 regs;
	__u32 count;
	__u32 flags;
};

/**
 * struct axvcpu_reg_list - %AXVCPU_GET_REG_LIST, the registers that make up the vCPU
 * @ids: user pointer to an array of ``__u64`` for the ids
 * @count: in: its elements; out: registers that there are
 * @reserved: zero
 *
 * With fewer elements than registers the call is E2BIG, @count is written, and the
 * array is not: ask with 0 first. SET_REGS may load them in this order, in as many
 * calls as it takes. Of two ids for the same state the list has one. It lacks what
 * belongs to the machine's configuration (x86: the CPUID table; arm64: ID registers),
 * and on arm64 has ``AXVCPU_ARM64_REG_GIC_QUEUED()`` of those interrupts that are
 * queued now.
 */
struct axvcpu_reg_list {
	__u64 ids;
	__u32 count;
	__u32 reserved;
};

/**
 * enum axvcpu_event - &struct axvcpu_inject.type
 * @AXVCPU_EVENT_INTERRUPT: external interrupt: x86 vector 0 to 255, arm64
 *	INTID. Kept pending until the guest can take it; one that is already
 *	pending is not pended twice, as in any interrupt controller
 * @AXVCPU_EVENT_EXCEPTION: exception, taken at the next entry; EBUSY while there is
 *	one that has not been taken
 * @AXVCPU_EVENT_NMI: non-maskable interrupt; one that is already pending is not
 *	pended twice
 */
enum axvcpu_event {
	AXVCPU_EVENT_INTERRUPT	= 0,
	AXVCPU_EVENT_EXCEPTION	= 1,
	AXVCPU_EVENT_NMI	= 2,
};

/* &struct axvcpu_inject.flags */
#define AXVCPU_INJECT_ERROR_CODE (1U << 0)	/* the exception pushes error_code */
#define AXVCPU_INJECT_PRIORITY	(1U << 1)	/* arm64: the interrupt has this priority */

/**
 * struct axvcpu_inject - %AXVCPU_INJECT, from any thread, in any state but
 *	Invalid (EBADFD)
 * @type: &enum axvcpu_event
 * @vector: x86: the vector; 0 for an NMI. arm64: the INTID or the line; of an
 *	exception its class, ESR_EL1.EC
 * @error_code: with %AXVCPU_INJECT_ERROR_CODE. x86: what #DF, #TS, #NP, #SS, #GP, #PF
 *	and #AC push; they need the flag, and nothing else may have it. arm64:
 *	ESR_EL1.ISS of an exception; without the flag it is 0
 * @flags: ``AXVCPU_INJECT_*``
 * @priority: with %AXVCPU_INJECT_PRIORITY, an INTID's: 0 is the highest, 0xff the
 *	lowest; without, this is zero, and the priority 0xa0
 * @reserved0: zero
 * @reserved: zero
 *
 * Does not take the vCPU's lock; a running guest is interrupted to take the
 * event, a halted one is woken. RUN does not return because of it.
 */
struct axvcpu_inject {
	__u32 type;
	__u32 vector;
	__u32 error_code;
	__u32 flags;
	__u32 priority;
	__u32 reserved0;
	__u64 reserved[2];
};

/**
 * DOC: WITHDRAW
 *
 * %AXVCPU_WITHDRAW takes back what INJECT has queued, from any thread and in any state
 * but Invalid (EBADFD), without the vCPU's lock. Its &struct axvcpu_inject names the
 * event by type and vector; the other fields are zero.
 *
 * 0: the event is taken back, and the guest will not see it; on arm64, a guest that was
 * about to acknowledge it reads INTID 1023 (spurious). ENOENT: it is not queued, or the
 * guest has it already; on x86, what is on its way into a running guest is the guest's. On
 * arm64, the thread inside RUN takes it back where it is in a list register: WITHDRAW
 * waits for that, and is EINTR when a signal comes first: it may be tried again. EINVAL:
 * there is no such event.
 *
 * A halt that the event has ended already stays ended.
 */

/**
 * DOC: KEEP_STATE and RESTORE_STATE
 *
 * KEEP_STATE makes a copy of the vCPU's whole state, which stays in the kernel with the
 * vCPU: registers, FPU, MSRs, what stands between two instructions, queued events, the
 * exit in the run page and whether its answer is due. It replaces the copy before.
 *
 * RESTORE_STATE puts that copy back, as often as wanted, without checks, and writes only
 * what differs. Guest memory is the VMM's to put back. Not part of the copy: what SET_DEBUG
 * asked for, statistics, history, and a kick that no RUN has taken. UNBIND and BIND keep
 * it, RESET forgets it.
 *
 * Both: EBUSY while another thread is inside RUN, EBADFD while Invalid or Created.
 * KEEP_STATE: ENOMEM. RESTORE_STATE: ENOENT: nothing is kept.
 */

/**
 * enum axvcpu_exit_class - exits that the kernel handles without the VMM
 * @AXVCPU_CLASS_OTHER: none of those below
 * @AXVCPU_CLASS_INTERRUPT: the host's interrupts, NMIs, machine checks; a kick or an
 *	injection, too; a breakpoint or another exception of the guest's
 * @AXVCPU_CLASS_MEMORY: a second-stage fault that was filled
 * @AXVCPU_CLASS_WINDOW: the guest can take an event now (x86)
 * @AXVCPU_CLASS_CPUID: CPUID (x86)
 * @AXVCPU_CLASS_SYSREG: x86 control and debug registers, MSRs, XSETBV; arm64 system
 *	registers
 * @AXVCPU_CLASS_HALT: HLT, WFI, WFE, that ended at once
 * @AXVCPU_CLASS_HYPERCALL: HVC, SMC that the kernel answers (arm64)
 * @AXVCPU_CLASS_FPU: first use of FP registers, or of pointer authentication (arm64)
 * @AXVCPU_CLASS_INSTRUCTION: an instruction that does nothing, or that guests lack
 */
enum axvcpu_exit_class {
	AXVCPU_CLASS_OTHER		= 0,
	AXVCPU_CLASS_INTERRUPT		= 1,
	AXVCPU_CLASS_MEMORY		= 2,
	AXVCPU_CLASS_WINDOW		= 3,
	AXVCPU_CLASS_CPUID		= 4,
	AXVCPU_CLASS_SYSREG		= 5,
	AXVCPU_CLASS_HALT		= 6,
	AXVCPU_CLASS_HYPERCALL		= 7,
	AXVCPU_CLASS_FPU		= 8,
	AXVCPU_CLASS_INSTRUCTION	= 9,
};

/** AXVCPU_NR_CLASSES - room for classes in &struct axvcpu_stats */
#define AXVCPU_NR_CLASSES	12

/** AXVCPU_NR_EXITS - room for exit reasons in &struct axvcpu_stats */
#define AXVCPU_NR_EXITS		32

/**
 * struct axvcpu_stats - %AXVCPU_GET_STATS; never blocks
 * @runs: RUN calls that reached the guest or could have
 * @entries: entries into the guest
 * @guest_ns: time in the guest, in nanoseconds; exits that the kernel answers
 *	at once belong to it
 * @migrations: the vCPU came to another CPU
 * @faults: second-stage faults that the kernel filled
 * @injections: events that INJECT queued
 * @kicks: KICK calls
 * @interrupts: exits for the host's own interrupts
 * @kernel_exits: exits handled without the VMM, @interrupts and @faults
 *	included
 * @reserved: zero
 * @exits: exits to the VMM by &enum axvcpu_exit_reason
 * @handled: @kernel_exits by &enum axvcpu_exit_class
 */
struct axvcpu_stats {
	__u64 runs;
	__u64 entries;
	__u64 guest_ns;
	__u64 migrations;
	__u64 faults;
	__u64 injections;
	__u64 kicks;
	__u64 interrupts;
	__u64 kernel_exits;
	__u64 reserved[3];
	__u64 exits[AXVCPU_NR_EXITS];
	__u64 handled[AXVCPU_NR_CLASSES];
};

/**
 * struct axvcpu_history_entry - one transition
 * @seq: number of the transition, from 1
 * @time_ns: CLOCK_MONOTONIC
 * @repeat: times that this transition came again in direct alternation with
 *	another one, as Ready -> Running -> Ready does in a run loop. The other
 *	is the next entry where that has the next @seq, else the one before. The
 *	first of the two came last if it has the larger count
 * @op: &enum axvcpu_op
 * @from: &enum axvcpu_state
 * @to: &enum axvcpu_state
 * @error: 0, or negative errno when @to is Invalid
 * @tid: thread
 * @cpu: CPU
 */
struct axvcpu_history_entry {
	__u64 seq;
	__u64 time_ns;
	__u64 repeat;
	__u32 op;
	__u32 from;
	__u32 to;
	__s32 error;
	__s32 tid;
	__u32 cpu;
};

/** AXVCPU_HISTORY_LEN - transitions that the kernel keeps for each vCPU */
#define AXVCPU_HISTORY_LEN	32

/**
 * struct axvcpu_history - %AXVCPU_GET_HISTORY, oldest first; never blocks
 * @entries: user pointer to an array of &struct axvcpu_history_entry
 * @count: in: its elements; out: those written, at most
 *	%AXVCPU_HISTORY_LEN
 * @reserved: zero
 */
struct axvcpu_history {
	__u64 entries;
	__u32 count;
	__u32 reserved;
};

/**
 * enum axvcpu_call - calls into the backend, in the mock's call log
 * @AXVCPU_CALL_NEW: vcpu_create
 * @AXVCPU_CALL_SET_ENTRY: set_entry
 * @AXVCPU_CALL_SET_EPT_ROOT: set_ept_root
 * @AXVCPU_CALL_SETUP: setup
 * @AXVCPU_CALL_BIND: bind
 * @AXVCPU_CALL_UNBIND: unbind
 * @AXVCPU_CALL_RUN: run
 * @AXVCPU_CALL_RESET: reset
 * @AXVCPU_CALL_INJECT: inject
 * @AXVCPU_CALL_GET_REG: get_reg
 * @AXVCPU_CALL_SET_REG: set_reg
 */
enum axvcpu_call {
	AXVCPU_CALL_NEW		= 1,
	AXVCPU_CALL_SET_ENTRY	= 2,
	AXVCPU_CALL_SET_EPT_ROOT = 3,
	AXVCPU_CALL_SETUP	= 4,
	AXVCPU_CALL_BIND	= 5,
	AXVCPU_CALL_UNBIND	= 6,
	AXVCPU_CALL_RUN		= 7,
	AXVCPU_CALL_RESET	= 8,
	AXVCPU_CALL_INJECT	= 9,
	AXVCPU_CALL_GET_REG	= 10,
	AXVCPU_CALL_SET_REG	= 11,
};

/**
 * struct axvcpu_call_entry - one call into the mock
 * @seq: number of the call, from 1
 * @call: &enum axvcpu_call
 * @result: what it returned
 * @arg: its argument, where it is a number
 */
struct axvcpu_call_entry {
	__u64 seq;
	__u32 call;
	__s32 result;
	__u64 arg;
};

/**
 * struct axvcpu_call_log - %AXVCPU_GET_CALL_LOG, oldest first; EOPNOTSUPP
 *	without %AXVCPU_CAP_CALL_LOG
 * @entries: user pointer to an array of &struct axvcpu_call_entry
 * @count: in: its elements; out: those written
 * @reserved: zero
 * @total: calls since creation; those no longer kept are counted too
 */
struct axvcpu_call_log {
	__u64 entries;
	__u32 count;
	__u32 reserved;
	__u64 total;
};

/* &struct axvcpu_breakpoint.kind */
#define AXVCPU_BREAK_NONE	0
#define AXVCPU_BREAK_EXEC	1
#define AXVCPU_BREAK_WRITE	2
#define AXVCPU_BREAK_ACCESS	3	/* reads and writes */

/**
 * struct axvcpu_breakpoint - where a guest stops
 * @addr: linear, or virtual, address
 * @kind: ``AXVCPU_BREAK_*``
 * @len: bytes
 *
 * x86: @len is 1, 2, 4 or 8, and 1 for %AXVCPU_BREAK_EXEC; @addr is a multiple of it.
 *
 * arm64: @len is 4 for %AXVCPU_BREAK_EXEC, and @addr a multiple of 4. For the others, they
 * are some bytes of one doubleword, or @len is a power of two and @addr a multiple of
 * it. Bits 63:56 of @addr are all as bit 55.
 */
struct axvcpu_breakpoint {
	__u64 addr;
	__u32 kind;
	__u32 len;
};

/* &struct axvcpu_set_debug.flags */
#define AXVCPU_DEBUG_STEP		(1U << 0)	/* after each instruction */
#define AXVCPU_DEBUG_SOFT_BREAKPOINTS	(1U << 1)	/* at INT3, or BRK */

/** AXVCPU_NR_BREAKPOINTS - room in &struct axvcpu_set_debug; a CPU may have less */
#define AXVCPU_NR_BREAKPOINTS		16

/**
 * struct axvcpu_set_debug - %AXVCPU_SET_DEBUG, what a debugger wants
 * @flags: ``AXVCPU_DEBUG_*``
 * @reserved: zero
 * @breakpoints: those whose kind is not %AXVCPU_BREAK_NONE are in force, of the
 *	others nothing else is looked at
 *
 * x86 has the first four; while there are any, the guest's own are not in force. arm64
 * has as many for %AXVCPU_BREAK_EXEC as the CPU has breakpoints, and as many of the
 * other kinds as it has watchpoints; the guest's own breakpoints are not in force
 * while there is one of the former, nor its watchpoints while there is one of the latter.
 *
 * From the next RUN on until RESET: each stop is a DEBUG exit. The RUN that follows does
 * the instruction that the guest stopped at. EOPNOTSUPP where the backend has no
 * debugger, EINVAL for a breakpoint that can't be.
 */
struct axvcpu_set_debug {
	__u32 flags;
	__u32 reserved;
	struct axvcpu_breakpoint breakpoints[AXVCPU_NR_BREAKPOINTS];
};

/**
 * enum axvcpu_exit_reason - why RUN returned 0
 * @AXVCPU_EXIT_UNKNOWN: the hardware's reason is none that the kernel knows;
 *	&struct axvcpu_run.unknown
 * @AXVCPU_EXIT_HYPERCALL: x86 VMCALL, arm64 HVC; &struct axvcpu_run.hypercall
 * @AXVCPU_EXIT_MMIO_READ: decoded load from memory that is not mapped at all (arm64);
 *	&struct axvcpu_run.mmio
 * @AXVCPU_EXIT_MMIO_WRITE: decoded store to memory that is not mapped at all (arm64)
 * @AXVCPU_EXIT_SYSREG_READ: x86 RDMSR, arm64 MRS; &struct axvcpu_run.sysreg
 * @AXVCPU_EXIT_SYSREG_WRITE: x86 WRMSR, arm64 MSR
 * @AXVCPU_EXIT_IO_READ: x86 IN; &struct axvcpu_run.io
 * @AXVCPU_EXIT_IO_WRITE: x86 OUT
 * @AXVCPU_EXIT_EXTERNAL_INTERRUPT: the guest's timer, where the VMM has the
 *	interrupt controller (arm64); the host takes its own interrupts;
 *	&struct axvcpu_run.exception
 * @AXVCPU_EXIT_NESTED_PAGE_FAULT: access to guest-physical memory that is not
 *	mapped, or not for this access; &struct axvcpu_run.fault
 * @AXVCPU_EXIT_HALT: x86 HLT, arm64 WFI; the instruction has completed
 * @AXVCPU_EXIT_CPU_UP: the guest starts another CPU (PSCI CPU_ON);
 *	&struct axvcpu_run.cpu_up
 * @AXVCPU_EXIT_CPU_DOWN: the guest stops this CPU (PSCI CPU_OFF);
 *	&struct axvcpu_run.cpu_down
 * @AXVCPU_EXIT_SYSTEM_DOWN: the guest asks for power-off or reset;
 *	&struct axvcpu_run.system_down
 * @AXVCPU_EXIT_NOTHING: nothing happened; with EINTR
 * @AXVCPU_EXIT_FAIL_ENTRY: the hardware refused the guest's state;
 *	&struct axvcpu_run.fail_entry
 * @AXVCPU_EXIT_SEND_IPI: the guest sends an interrupt to other CPUs (arm64
 *	ICC_SGI1R_EL1); &struct axvcpu_run.ipi
 * @AXVCPU_EXIT_EXCEPTION: an exception that the VMM asked to see;
 *	&struct axvcpu_run.exception
 * @AXVCPU_EXIT_DEBUG: single step or breakpoint of the VMM's debugger;
 *	&struct axvcpu_run.exception
 * @AXVCPU_EXIT_SHUTDOWN: triple fault; the guest can't go on
 * @AXVCPU_EXIT_IO_STRING: x86 INS, OUTS; &struct axvcpu_run.io_string
 * @AXVCPU_EXIT_PREEMPTION_TIMER: the time in the guest that
 *	``AXVCPU_X86_REG_PREEMPTION_TIMER`` was set to is over
 * @AXVCPU_EXIT_TASK_SWITCH: x86: the guest switches to another task;
 *	&struct axvcpu_run.task_switch
 *
 * 1 to 16 are upstream's AxVCpuExitReason in its order.
 */
enum axvcpu_exit_reason {
	AXVCPU_EXIT_UNKNOWN		= 0,
	AXVCPU_EXIT_HYPERCALL		= 1,
	AXVCPU_EXIT_MMIO_READ		= 2,
	AXVCPU_EXIT_MMIO_WRITE		= 3,
	AXVCPU_EXIT_SYSREG_READ		= 4,
	AXVCPU_EXIT_SYSREG_WRITE	= 5,
	AXVCPU_EXIT_IO_READ		= 6,
	AXVCPU_EXIT_IO_WRITE		= 7,
	AXVCPU_EXIT_EXTERNAL_INTERRUPT	= 8,
	AXVCPU_EXIT_NESTED_PAGE_FAULT	= 9,
	AXVCPU_EXIT_HALT		= 10,
	AXVCPU_EXIT_CPU_UP		= 11,
	AXVCPU_EXIT_CPU_DOWN		= 12,
	AXVCPU_EXIT_SYSTEM_DOWN		= 13,
	AXVCPU_EXIT_NOTHING		= 14,
	AXVCPU_EXIT_FAIL_ENTRY		= 15,
	AXVCPU_EXIT_SEND_IPI		= 16,
	AXVCPU_EXIT_EXCEPTION		= 17,
	AXVCPU_EXIT_DEBUG		= 18,
	AXVCPU_EXIT_SHUTDOWN		= 19,
	AXVCPU_EXIT_IO_STRING		= 20,
	AXVCPU_EXIT_PREEMPTION_TIMER	= 21,
	AXVCPU_EXIT_TASK_SWITCH		= 22,
};

/* &struct axvcpu_run.fault.flags */
#define AXVCPU_FAULT_GVA_VALID	(1U << 0)	/* gva holds the guest-linear address */
#define AXVCPU_FAULT_WALK	(1U << 1)	/* the access was to the guest's page tables */
#define AXVCPU_FAULT_BAD_HOST	(1U << 2)	/* the GPA is mapped, but to no memory */
#define AXVCPU_FAULT_PROTECTION	(1U << 3)	/* the GPA is mapped, but not for this access */

/* &struct axvcpu_run.io_string.flags */
#define AXVCPU_IO_STRING_IN	(1U << 0)	/* INS; otherwise OUTS */
#define AXVCPU_IO_STRING_DOWN	(1U << 1)	/* to lower addresses (RFLAGS.DF) */

/* &struct axvcpu_run.task_switch.source, SDM vol. 3, table 28-2 */
#define AXVCPU_TASK_SWITCH_CALL		0
#define AXVCPU_TASK_SWITCH_IRET		1
#define AXVCPU_TASK_SWITCH_JMP		2
#define AXVCPU_TASK_SWITCH_GATE		3	/* a task gate in the IDT */

/* &struct axvcpu_run.system_down.type */
#define AXVCPU_SYSTEM_DOWN_OFF		0
#define AXVCPU_SYSTEM_DOWN_RESET	1

/* &struct axvcpu_run.ipi.flags */
#define AXVCPU_IPI_TO_ALL	(1U << 0)
#define AXVCPU_IPI_TO_SELF	(1U << 1)

/* &struct axvcpu_run.regs_dirty and regs_wanted */
#define AXVCPU_REGS_PC		(1U << 0)	/* program counter and flags; arm64: sp too */
#define AXVCPU_REGS_SP		(1U << 1)	/* x86: RSP */
/* The VMM has done the instruction that exited, whatever the program counter is now */
#define AXVCPU_REGS_DONE	(1U << 2)

/**
 * struct axvcpu_run - the run page, mmap() of a vCPU descriptor at offset 0
 * @immediate_exit: in: not 0: RUN completes the pending answer and returns
 *	EINTR instead of entering the guest
 * @reserved0: zero
 * @exit_reason: out: &enum axvcpu_exit_reason
 * @exit_seq: out: counts the returns of RUN
 * @regs: in and out: the general-purpose registers; RUN takes them from here
 *	and leaves them here. The program counter and the flags are written
 *	at each return; a VMM that changes them says so in regs_dirty. RSP of
 *	x86 is written where regs_wanted asks for it, and taken where
 *	regs_dirty says so
 * @regs_dirty: in: ``AXVCPU_REGS_*`` that RUN takes from @regs too, and whether
 *	the VMM has done the instruction; RUN clears it
 * @regs_wanted: in: %AXVCPU_REGS_SP: RUN writes that one too at its return;
 *	the hardware keeps it elsewhere, which costs
 * @reserved1: zero
 * @reserved3: zero
 * @hypercall: HYPERCALL: ``nr``, ``args``; the answer goes to ``ret``
 * @mmio: MMIO_READ, MMIO_WRITE: ``gpa``, ``width`` in bytes, ``data`` (answer
 *	or value), ``reg``, ``reg_width`` in bytes, ``sign_extend``, ``gva``. The
 *	kernel narrows and extends, and swaps what a guest has big-endian:
 *	``data`` is as a little-endian device has it
 * @sysreg: SYSREG_READ, SYSREG_WRITE: ``addr`` (MSR number, or upstream's
 *	encoding of the arm64 register), ``reg``, ``value`` (answer or value);
 *	answer ``fault`` not 0: the access fails in the guest (#GP, UNDEF)
 * @io: IO_READ, IO_WRITE: ``port``, ``width`` in bytes, ``count``,
 *	``data`` (answer or value)
 * @io_string: IO_STRING: ``port``, ``width`` in bytes, ``flags``
 *	(``AXVCPU_IO_STRING_*``), ``segment`` (``AXVCPU_X86_SEG_*``),
 *	``address_bits`` of the instruction, ``count`` of elements that are
 *	left, ``gva`` (linear address of the first). The VMM moves the data,
 *	through the guest's page tables, and answers ``done``: elements that
 *	it has moved, which the kernel lets the registers follow; less than
 *	all is fine. ``fault`` not 0: behind those, the guest takes this
 *	exception (#PF, #GP, #SS, #AC) with ``error_code``, #PF with
 *	``fault_address`` in CR2
 * @fault: NESTED_PAGE_FAULT: ``gpa``, ``gva``, ``access``
 *	(``AXVCPU_MAP_*``), ``flags`` (``AXVCPU_FAULT_*``), ``syndrome`` (the
 *	hardware's word: x86 exit qualification, SDM vol. 3, table 28-7; arm64
 *	ESR_EL2). Nothing has been done: entered again, the guest tries again
 * @cpu_up: CPU_UP: ``target``, ``entry``, ``arg``; the answer goes to ``ret``
 * @cpu_down: CPU_DOWN: ``state``
 * @system_down: SYSTEM_DOWN: ``type``
 * @fail_entry: FAIL_ENTRY: ``hw_reason``, ``hw_error`` (VMX: VM-instruction
 *	error), ``qualification``, ``cpu``, ``reg`` (id of the register at fault,
 *	where that is known: flags or PSTATE from this page; 0: not known)
 * @ipi: SEND_IPI: ``target``, ``target_aux``, ``vector``, ``flags``
 *	(``AXVCPU_IPI_*``)
 * @exception: EXCEPTION, DEBUG, EXTERNAL_INTERRUPT: ``vector``,
 *	``error_code``, ``payload`` (x86: CR2 of #PF, bits of DR6 of #DB, RIP of
 *	a DEBUG exit for INT3). arm64's DEBUG has the exception class, its ISS, and
 *	of a watchpoint the address that the guest was about to access, else the
 *	program counter. Answer ``deliver`` not 0 (arm64: after a BRK): the guest
 *	takes it after all
 * @task_switch: TASK_SWITCH: ``selector`` of the TSS, ``source``
 *	(``AXVCPU_TASK_SWITCH_*``), ``event`` (what came through a gate, as
 *	%AXVCPU_X86_REG_EVENT has it, with the error code that the new task finds on
 *	its stack; 0: none), ``insn_len`` (of the instruction that does it, 0 where none
 *	does). Nothing has been done; entered again, the guest tries again. A VMM
 *	that carries it out sets all registers that change, and
 *	%AXVCPU_X86_REG_EVENT to 0
 * @unknown: UNKNOWN: ``hw_reason``, ``qualification``
 * @exit_raw: room for exits to come
 * @queue: out: events that are queued, as RUN, SET_REGS or RESTORE_STATE left them. It is
 *	written as long as there are any, and once more when there are none
 *
 * The page is shared with the process at all times. The kernel reads each
 * field once, and believes none.
 */
struct axvcpu_run {
	/* in */
	__u8 immediate_exit;
	__u8 reserved0[7];

	/* out */
	__u32 exit_reason;
	__u32 reserved1;
	__u64 exit_seq;

	/* in and out */
	__u32 regs_dirty;
	__u32 regs_wanted;
	__u64 reserved3[4];

	union {
		struct {
			__u64 nr;
			__u64 args[6];
			__u64 ret;
		} hypercall;
		struct {
			__u64 gpa;
			__u64 data;
			__u32 width;
			__u32 reg;
			__u32 reg_width;
			__u32 sign_extend;
			__u64 gva;
		} mmio;
		struct {
			__u64 addr;
			__u64 value;
			__u32 reg;
			__u32 fault;
		} sysreg;
		struct {
			__u32 port;
			__u32 width;
			__u32 count;
			__u32 reserved;
			__u64 data;
		} io;
		struct {
			__u32 port;
			__u32 width;
			__u32 flags;
			__u32 segment;
			__u64 count;
			__u64 gva;
			__u32 address_bits;
			__u32 fault;
			__u64 done;
			__u64 fault_address;
			__u32 error_code;
			__u32 reserved;
		} io_string;
		struct {
			__u64 gpa;
			__u64 gva;
			__u32 access;
			__u32 flags;
			__u64 syndrome;
		} fault;
		struct {
			__u64 target;
			__u64 entry;
			__u64 arg;
			__u64 ret;
		} cpu_up;
		struct {
			__u64 state;
		} cpu_down;
		struct {
			__u64 type;
		} system_down;
		struct {
			__u64 hw_reason;
			__u64 hw_error;
			__u64 qualification;
			__u32 cpu;
			__u32 reserved;
			__u64 reg;
		} fail_entry;
		struct {
			__u64 target;
			__u64 target_aux;
			__u64 vector;
			__u32 flags;
			__u32 reserved;
		} ipi;
		struct {
			__u32 vector;
			__u32 error_code;
			__u64 payload;
			__u32 deliver;
			__u32 reserved;
		} exception;
		struct {
			__u32 selector;
			__u32 source;
			__u64 event;
			__u32 insn_len;
			__u32 reserved;
		} task_switch;
		struct {
			__u64 hw_reason;
			__u64 qualification;
		} unknown;
		__u64 exit_raw[24];
	};

	union {
		struct axvcpu_x86_gprs x86;
		struct axvcpu_arm64_gprs arm64;
		__u64 raw[64];
	} regs;

	union {
		struct axvcpu_x86_queue x86;
		struct axvcpu_arm64_queue arm64;
		__u64 raw[64];
	} queue;
};

#define AXVCPU_IOC_MAGIC	0xc4

/* On /dev/axvcpu */
#define AXVCPU_GET_INFO		_IOR(AXVCPU_IOC_MAGIC, 0x00, struct axvcpu_info)
#define AXVCPU_CREATE_ASPACE	_IOW(AXVCPU_IOC_MAGIC, 0x01, struct axvcpu_create_aspace)
#define AXVCPU_CREATE_VCPU	_IOW(AXVCPU_IOC_MAGIC, 0x02, struct axvcpu_create_vcpu)

/* On an address space */
#define AXVCPU_MAP		_IOW(AXVCPU_IOC_MAGIC, 0x10, struct axvcpu_map)
#define AXVCPU_UNMAP		_IOW(AXVCPU_IOC_MAGIC, 0x11, struct axvcpu_unmap)
#define AXVCPU_GET_ASPACE_STATS	_IOR(AXVCPU_IOC_MAGIC, 0x12, struct axvcpu_aspace_stats)
#define AXVCPU_PROTECT		_IOW(AXVCPU_IOC_MAGIC, 0x13, struct axvcpu_protect)
#define AXVCPU_GET_DIRTY	_IOW(AXVCPU_IOC_MAGIC, 0x14, struct axvcpu_get_dirty)

/* On a vCPU */
#define AXVCPU_SETUP		_IOW(AXVCPU_IOC_MAGIC, 0x20, struct axvcpu_setup)
#define AXVCPU_BIND		_IOW(AXVCPU_IOC_MAGIC, 0x21, struct axvcpu_bind)
#define AXVCPU_RUN		_IO(AXVCPU_IOC_MAGIC, 0x22)
#define AXVCPU_UNBIND		_IO(AXVCPU_IOC_MAGIC, 0x23)
#define AXVCPU_RESET		_IO(AXVCPU_IOC_MAGIC, 0x24)
#define AXVCPU_GET_STATE	_IOR(AXVCPU_IOC_MAGIC, 0x25, struct axvcpu_state_info)
#define AXVCPU_SET_STATE	_IOW(AXVCPU_IOC_MAGIC, 0x26, struct axvcpu_set_state)
#define AXVCPU_SET_ENTRY	_IOW(AXVCPU_IOC_MAGIC, 0x27, struct axvcpu_set_entry)
#define AXVCPU_SET_EPT_ROOT	_IOW(AXVCPU_IOC_MAGIC, 0x28, struct axvcpu_set_ept_root)
#define AXVCPU_GET_VCPU_INFO	_IOWR(AXVCPU_IOC_MAGIC, 0x29, struct axvcpu_vcpu_info)
#define AXVCPU_GET_REGS		_IOW(AXVCPU_IOC_MAGIC, 0x2a, struct axvcpu_regs)
#define AXVCPU_SET_REGS		_IOW(AXVCPU_IOC_MAGIC, 0x2b, struct axvcpu_regs)
#define AXVCPU_INJECT		_IOW(AXVCPU_IOC_MAGIC, 0x2c, struct axvcpu_inject)
#define AXVCPU_KICK		_IO(AXVCPU_IOC_MAGIC, 0x2d)
#define AXVCPU_GET_STATS	_IOR(AXVCPU_IOC_MAGIC, 0x2e, struct axvcpu_stats)
#define AXVCPU_GET_HISTORY	_IOWR(AXVCPU_IOC_MAGIC, 0x2f, struct axvcpu_history)
#define AXVCPU_GET_CALL_LOG	_IOWR(AXVCPU_IOC_MAGIC, 0x30, struct axvcpu_call_log)
#define AXVCPU_SET_DEBUG	_IOW(AXVCPU_IOC_MAGIC, 0x31, struct axvcpu_set_debug)
#define AXVCPU_GET_REG_LIST	_IOWR(AXVCPU_IOC_MAGIC, 0x32, struct axvcpu_reg_list)
#define AXVCPU_KEEP_STATE	_IO(AXVCPU_IOC_MAGIC, 0x33)
#define AXVCPU_RESTORE_STATE	_IO(AXVCPU_IOC_MAGIC, 0x34)
#define AXVCPU_WITHDRAW		_IOW(AXVCPU_IOC_MAGIC, 0x35, struct axvcpu_inject)

#endif /* _UAPI_LINUX_AXVCPU_H */
