/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libaxvcpu: hardware vCPUs from C.
 *
 * Three objects, as in the kernel: the device, an address space, a vCPU. They
 * may be closed in any order. Every function may be called from any thread;
 * the library keeps no state of its own beyond the objects. Functions that can
 * fail return 0 or a negative errno (see the "Errors" of <linux/axvcpu.h>);
 * axvcpu_error_text() says in a sentence what it means.
 */
#ifndef LIBAXVCPU_H
#define LIBAXVCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/axvcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu_device;
struct axvcpu_aspace;
struct axvcpu_vcpu;

/** AXVCPU_DEVICE_PATH - what axvcpu_device_open() opens when it is given NULL */
#define AXVCPU_DEVICE_PATH	"/dev/axvcpu"

/* The device */

/**
 * axvcpu_device_open() - open the device
 * @path: its path, or NULL for %AXVCPU_DEVICE_PATH
 * @dev: where the device goes
 *
 * Return: 0; -ENOENT or -ENXIO without the module; -EACCES without permission;
 * -EPROTO when the kernel's interface is another version; or what open() and
 * %AXVCPU_GET_INFO fail with.
 */
int axvcpu_device_open(const char *path, struct axvcpu_device **dev);

/**
 * axvcpu_device_close() - close the device
 * @dev: the device, or NULL
 *
 * Address spaces and vCPUs made from it stay as they are.
 */
void axvcpu_device_close(struct axvcpu_device *dev);

/**
 * axvcpu_device_fd() - the device's file descriptor
 * @dev: the device
 *
 * Return: the descriptor, which stays the library's.
 */
int axvcpu_device_fd(const struct axvcpu_device *dev);

/**
 * axvcpu_device_info() - what the device is
 * @dev: the device
 *
 * Return: what %AXVCPU_GET_INFO said when the device was opened; valid until
 * it is closed.
 */
const struct axvcpu_info *axvcpu_device_info(const struct axvcpu_device *dev);

/* Address spaces */

/**
 * axvcpu_aspace_create() - make an empty address space
 * @dev: the device
 * @aspace: where it goes
 *
 * It belongs to the calling process.
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_aspace_create(struct axvcpu_device *dev, struct axvcpu_aspace **aspace);

/**
 * axvcpu_aspace_close() - let go of an address space
 * @aspace: the address space, or NULL
 *
 * vCPUs that were set up on it hold it on their own.
 */
void axvcpu_aspace_close(struct axvcpu_aspace *aspace);

/**
 * axvcpu_aspace_fd() - an address space's file descriptor
 * @aspace: the address space
 *
 * Return: the descriptor, which stays the library's.
 */
int axvcpu_aspace_fd(const struct axvcpu_aspace *aspace);

/**
 * axvcpu_aspace_map() - give memory of the process to the guest
 * @aspace: the address space
 * @gpa: guest-physical address
 * @addr: address in the process
 * @size: bytes
 * @flags: ``AXVCPU_MAP_READ``, ``_WRITE``, ``_EXEC``, ``_LOG_DIRTY``
 *
 * Return: 0; -EEXIST when the range overlaps another one; -EINVAL when it is
 * not aligned to pages or not below 2^gpa_bits; -EIO in another process.
 */
int axvcpu_aspace_map(struct axvcpu_aspace *aspace, uint64_t gpa, void *addr, uint64_t size,
		      uint32_t flags);

/**
 * axvcpu_aspace_unmap() - take memory away
 * @aspace: the address space
 * @gpa: where it begins
 * @size: bytes; any part of what is mapped, over several ranges
 *
 * Return: 0; -ENOENT when not all of it is mapped; -EINVAL, -ENOSPC, -ENOMEM. Nothing is
 * done after an error.
 */
int axvcpu_aspace_unmap(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size);

/**
 * axvcpu_aspace_protect() - change what the guest may do with memory
 * @aspace: the address space
 * @gpa: where it begins
 * @size: bytes; any part of what is mapped, over several ranges
 * @flags: as for axvcpu_aspace_map(); when it returns, no vCPU has more access
 *
 * Return: as axvcpu_aspace_unmap(); -EINVAL also for an access that the hardware lacks.
 */
int axvcpu_aspace_protect(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size,
			  uint32_t flags);

/**
 * axvcpu_aspace_get_dirty() - the pages that the guest has written since last asked
 * @aspace: the address space
 * @gpa: where they begin
 * @size: bytes; any part of what is mapped, over several ranges
 * @bitmap: a bit for each page, in as many words as it takes
 *
 * Return: 0; -ENOENT when not all of it is mapped; -EINVAL when a part has no
 * ``AXVCPU_MAP_LOG_DIRTY``.
 */
int axvcpu_aspace_get_dirty(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size,
			    uint64_t *bitmap);

/**
 * axvcpu_aspace_get_stats() - counters of an address space
 * @aspace: the address space
 * @stats: where they go
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats);

/* vCPUs */

/**
 * struct axvcpu_vcpu_attr - what a vCPU is created with
 * @vm_id: a number of the caller's, for traces
 * @vcpu_id: number of the vCPU in its VM; 0 is the bootstrap processor
 * @favor_cpu: CPU on which the vCPU runs best, -1: none
 * @cpus: CPUs on which the vCPU may run, a cpu_set_t of any size; NULL: all
 * @cpus_size: bytes of @cpus, a multiple of 8: sizeof(cpu_set_t) or
 *	CPU_ALLOC_SIZE()
 * @config: the architecture's part, NULL: all zero
 */
struct axvcpu_vcpu_attr {
	uint32_t vm_id;
	uint32_t vcpu_id;
	int favor_cpu;
	const void *cpus;
	size_t cpus_size;
	const union axvcpu_create_config *config;
};

/** AXVCPU_VCPU_ATTR_INIT - vCPU 0 of VM 0, on any CPU */
#define AXVCPU_VCPU_ATTR_INIT	{ .favor_cpu = -1 }

/**
 * axvcpu_vcpu_create() - make a vCPU, Created
 * @dev: the device
 * @attr: what it is to be, NULL: %AXVCPU_VCPU_ATTR_INIT
 * @vcpu: where it goes
 *
 * Return: 0; -EBUSY when another hypervisor holds the hardware; -EINVAL when
 * @attr names no CPU that there is; -EMFILE, -ENOMEM.
 */
int axvcpu_vcpu_create(struct axvcpu_device *dev, const struct axvcpu_vcpu_attr *attr,
		       struct axvcpu_vcpu **vcpu);

/**
 * axvcpu_vcpu_close() - end a vCPU
 * @vcpu: the vCPU, or NULL; no thread may be using it
 */
void axvcpu_vcpu_close(struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_fd() - a vCPU's file descriptor
 * @vcpu: the vCPU
 *
 * Return: the descriptor, which stays the library's.
 */
int axvcpu_vcpu_fd(const struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_page() - a vCPU's run page
 * @vcpu: the vCPU
 *
 * Return: the page; valid until the vCPU is closed. While axvcpu_vcpu_run() is
 * at work in one thread, others should write no more than immediate_exit.
 */
struct axvcpu_run *axvcpu_vcpu_page(const struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_setup_real() - Created to Free, to start in 16-bit real mode
 * @vcpu: the vCPU
 * @aspace: its memory
 * @entry: guest-physical address of the first instruction, below 1 MiB; the
 *	guest finds its bits 19:16 in CS and the rest in IP
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno, and
 * the vCPU is Invalid.
 */
int axvcpu_vcpu_setup_real(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry);

/**
 * axvcpu_vcpu_setup_protected() - Created to Free, to start in 32-bit mode
 * @vcpu: the vCPU
 * @aspace: its memory
 * @entry: guest-physical address of the first instruction, below 4 GiB
 *
 * Segments are flat, paging is off.
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno, and
 * the vCPU is Invalid.
 */
int axvcpu_vcpu_setup_protected(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace,
				uint64_t entry);

/**
 * axvcpu_vcpu_setup_long() - Created to Free, to start in 64-bit mode
 * @vcpu: the vCPU
 * @aspace: its memory
 * @entry: address of the first instruction
 * @cr3: guest-physical address of the top page table, as
 *	axvcpu_x86_identity_map() builds one
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno, and
 * the vCPU is Invalid.
 */
int axvcpu_vcpu_setup_long(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry,
			   uint64_t cr3);

/**
 * axvcpu_vcpu_setup_reset() - Created to Free, as a processor after its reset
 * @vcpu: the vCPU
 * @aspace: its memory; firmware ends at 4 GiB
 *
 * The first instruction is at 0xfffffff0, with the selector 0xf000 in CS; EDX has the
 * processor's signature.
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno.
 */
int axvcpu_vcpu_setup_reset(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace);

/**
 * axvcpu_vcpu_setup_sipi() - Created to Free, as a processor that gets a SIPI
 * @vcpu: the vCPU
 * @aspace: its memory
 * @vector: the SIPI's: CS is @vector << 8, IP 0
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno.
 */
int axvcpu_vcpu_setup_sipi(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint8_t vector);

/**
 * axvcpu_vcpu_setup_el1() - Created to Free, to start at EL1 of arm64
 * @vcpu: the vCPU
 * @aspace: its memory
 * @entry: guest-physical address of the first instruction, a multiple of 4
 *
 * MMU and caches are off, interrupts are masked.
 *
 * Return: 0; -EOPNOTSUPP on another architecture; or another negative errno, and
 * the vCPU is Invalid.
 */
int axvcpu_vcpu_setup_el1(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry);

/**
 * axvcpu_vcpu_setup() - Created to Free, in the kernel's own words
 * @vcpu: the vCPU
 * @args: see &struct axvcpu_setup
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_setup(struct axvcpu_vcpu *vcpu, const struct axvcpu_setup *args);

/**
 * axvcpu_vcpu_bind() - Free to Ready
 * @vcpu: the vCPU
 * @cpu: CPU to stay on, or -1: the vCPU follows the thread that runs it
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_bind(struct axvcpu_vcpu *vcpu, int cpu);

/**
 * axvcpu_vcpu_run() - run the guest until it exits
 * @vcpu: the vCPU
 * @flags: ``AXVCPU_RUN_*``
 *
 * Return: 0 when the run page holds an exit; -EINTR after a signal, a kick or
 * immediate_exit; -EXDEV on a CPU that the vCPU may not run on; or another
 * negative errno.
 */
int axvcpu_vcpu_run(struct axvcpu_vcpu *vcpu, unsigned int flags);

/**
 * axvcpu_vcpu_unbind() - Ready to Free
 * @vcpu: the vCPU
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_unbind(struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_reset() - Invalid or Free to Created
 * @vcpu: the vCPU
 * @flags: 0 or %AXVCPU_RESET_KEEP_MACHINE
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_reset(struct axvcpu_vcpu *vcpu, unsigned int flags);

/**
 * axvcpu_vcpu_inject() - queue an event for the guest, from any thread
 * @vcpu: the vCPU
 * @event: see &struct axvcpu_inject
 *
 * Return: 0; -EBADFD when the vCPU is Invalid; -EINVAL when there is no such
 * event; -EBUSY when an exception is queued already.
 */
int axvcpu_vcpu_inject(struct axvcpu_vcpu *vcpu, const struct axvcpu_inject *event);

/**
 * axvcpu_vcpu_withdraw() - take back an event that is queued, from any thread
 * @vcpu: the vCPU
 * @event: its type and vector; all else 0
 *
 * The run page's queue has it until RUN returns.
 *
 * Return: 0: the guest will not see it; -ENOENT: it is not queued, or the guest has it
 * already; -EINTR on arm64: a signal came first, it may be tried again; -EBADFD when the
 * vCPU is Invalid; -EINVAL when there is no such event.
 */
int axvcpu_vcpu_withdraw(struct axvcpu_vcpu *vcpu, const struct axvcpu_inject *event);

/**
 * axvcpu_vcpu_interrupt() - queue an external interrupt, from any thread
 * @vcpu: the vCPU
 * @vector: x86 vector, arm64 INTID
 *
 * Return: as axvcpu_vcpu_inject().
 */
int axvcpu_vcpu_interrupt(struct axvcpu_vcpu *vcpu, uint32_t vector);

/**
 * axvcpu_vcpu_kick() - make axvcpu_vcpu_run() return -EINTR, from any thread
 * @vcpu: the vCPU
 *
 * A kick is not lost: if the vCPU is not inside RUN, the next RUN takes it.
 * Safe in a signal handler.
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_kick(struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_get_state() - where the vCPU stands, and its last failure
 * @vcpu: the vCPU
 * @info: where it goes
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_get_state(struct axvcpu_vcpu *vcpu, struct axvcpu_state_info *info);

/**
 * axvcpu_vcpu_get_info() - the vCPU's constants
 * @vcpu: the vCPU
 * @info: where they go
 * @cpus: where the set of CPUs goes, a cpu_set_t of any size, or NULL
 * @cpus_size: bytes of @cpus, a multiple of 8
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_get_info(struct axvcpu_vcpu *vcpu, struct axvcpu_vcpu_info *info, void *cpus,
			 size_t cpus_size);

/**
 * axvcpu_vcpu_get_stats() - counters of a vCPU
 * @vcpu: the vCPU
 * @stats: where they go
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_get_stats(struct axvcpu_vcpu *vcpu, struct axvcpu_stats *stats);

/**
 * axvcpu_vcpu_get_history() - the last transitions, oldest first
 * @vcpu: the vCPU
 * @entries: where they go
 * @count: elements of @entries; %AXVCPU_HISTORY_LEN are enough
 *
 * Return: number of elements written, or a negative errno.
 */
int axvcpu_vcpu_get_history(struct axvcpu_vcpu *vcpu, struct axvcpu_history_entry *entries,
			    uint32_t count);

/**
 * axvcpu_vcpu_set_debug() - stop the guest for a debugger
 * @vcpu: the vCPU; not inside RUN (-EBUSY)
 * @debug: when, see &struct axvcpu_set_debug
 *
 * Return: 0; -EINVAL for a breakpoint that can't be; -EOPNOTSUPP without
 * ``AXVCPU_CAP_DEBUG``.
 */
int axvcpu_vcpu_set_debug(struct axvcpu_vcpu *vcpu, const struct axvcpu_set_debug *debug);

/* Registers */

/**
 * axvcpu_vcpu_get_regs() - read registers
 * @vcpu: the vCPU; not inside RUN (-EBUSY)
 * @regs: ids in, values out
 * @count: elements of @regs, up to &struct axvcpu_info.max_regs
 *
 * Return: 0; -EINVAL for an unknown id, and nothing is read.
 */
int axvcpu_vcpu_get_regs(struct axvcpu_vcpu *vcpu, struct axvcpu_reg *regs, uint32_t count);

/**
 * axvcpu_vcpu_set_regs() - write registers, all or none
 * @vcpu: the vCPU; not inside RUN (-EBUSY), not Invalid (-EBADFD)
 * @regs: ids and values
 * @count: elements of @regs, up to &struct axvcpu_info.max_regs
 *
 * Return: 0; -EINVAL for an unknown id or a value that can't be.
 */
int axvcpu_vcpu_set_regs(struct axvcpu_vcpu *vcpu, const struct axvcpu_reg *regs, uint32_t count);

/**
 * axvcpu_vcpu_get_reg() - read one register
 * @vcpu: the vCPU
 * @id: its id
 * @value: where the value goes
 *
 * Return: as axvcpu_vcpu_get_regs().
 */
int axvcpu_vcpu_get_reg(struct axvcpu_vcpu *vcpu, uint64_t id, uint64_t *value);

/**
 * axvcpu_vcpu_set_reg() - write one register
 * @vcpu: the vCPU
 * @id: its id
 * @value: its value
 *
 * Return: as axvcpu_vcpu_set_regs().
 */
int axvcpu_vcpu_set_reg(struct axvcpu_vcpu *vcpu, uint64_t id, uint64_t value);

/**
 * axvcpu_vcpu_list_regs() - the registers that make up the vCPU
 * @vcpu: the vCPU; not inside RUN (-EBUSY)
 * @ids: where the ids go, in an order that can be loaded
 * @count: in: elements of @ids; out: how many registers there are, with -E2BIG too
 *
 * Return: 0; -E2BIG when there are more, and nothing is written to @ids.
 */
int axvcpu_vcpu_list_regs(struct axvcpu_vcpu *vcpu, uint64_t *ids, uint32_t *count);

/* The whole state */

/**
 * axvcpu_vcpu_keep_state() - make a copy of the whole state, in the kernel
 * @vcpu: the vCPU, Free or Ready (-EBADFD); not inside RUN (-EBUSY)
 *
 * It replaces the one before. RESET and the vCPU's end forget it.
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_vcpu_keep_state(struct axvcpu_vcpu *vcpu);

/**
 * axvcpu_vcpu_restore_state() - put that copy back
 * @vcpu: the vCPU, Free or Ready (-EBADFD); not inside RUN (-EBUSY)
 * @flags: 0 or %AXVCPU_RESTORE_TIME
 *
 * The exit in the run page is as it was, too, and an answer to it is due again. What the
 * caller writes there stays: immediate_exit, regs_dirty, regs_wanted. Guest memory is the
 * caller's to put back.
 *
 * Return: 0; -ENOENT when nothing is kept.
 */
int axvcpu_vcpu_restore_state(struct axvcpu_vcpu *vcpu, unsigned int flags);

/**
 * axvcpu_vcpu_save() - save the whole state, to load it into another vCPU
 * @vcpu: the vCPU, Free or Ready (-EBADFD); not inside RUN (-EBUSY)
 * @buf: where it goes, aligned for a ``uint64_t``
 * @size: in: bytes of @buf, may be 0; out: bytes of the state, with -E2BIG too
 *
 * Answer the last exit before, and run once with immediate_exit. An answer that is due is
 * not part of the state, and nothing refuses to save without it: the loaded guest executes
 * the instruction that exited once more. Nor is x86's CPUID table part of it: give both
 * vCPUs the same.
 *
 * Return: 0; -E2BIG when @buf is too small.
 */
int axvcpu_vcpu_save(struct axvcpu_vcpu *vcpu, void *buf, size_t *size);

/**
 * axvcpu_vcpu_load() - load a saved state
 * @vcpu: the vCPU, Free or Ready (-EBADFD), with the same CPUID table as the one that was
 *	saved; not inside RUN (-EBUSY)
 * @buf: the state, which is checked
 * @size: its bytes, all of it
 *
 * The guest goes on from where the other one was; its counter has the same offset from the
 * host's, so that time has gone on, too. To go on at the same time, set the TSC (MSR 0x10) or
 * CNTVOFF afterwards. What is checked is what SET_REGS checks: a changed bit may pass.
 *
 * Any setup function will do before, and the vCPU's number need not be the same. The run page
 * has the registers afterwards, and no exit.
 *
 * Return: 0; -EINVAL when it is no such state, or has a register that this vCPU lacks or
 * can't have with this value; -EPROTO when it is of another backend or version.
 */
int axvcpu_vcpu_load(struct axvcpu_vcpu *vcpu, const void *buf, size_t size);

/**
 * axvcpu_x86_reg_id() - the id of a register of x86, by its name
 * @name: "rax" to "r15", "rip", "rflags"; "cr0", "cr2", "cr3", "cr4";
 *	"cs.selector", "cs.base", "cs.limit", "cs.access", and so for es, ss,
 *	ds, fs, gs, ldtr, tr; "gdtr.base", "gdtr.limit", "idtr.base",
 *	"idtr.limit"; "efer" and other MSRs by name, or as "msr.0xc0000080"; "pdpte0",
 *	"queued_irqs.0", "fxsave.0", "ymm_high.0", "k0", "zmm_high.0", "hi16_zmm.0" and on;
 *	"cpuid.0x1.0x0.eax_ebx" and "_ecx_edx", "cpuid_max.0x1.0x0.eax_ebx" likewise.
 *	Upper and lower case are the same
 * @id: where the id goes
 *
 * Return: 0; -ENOENT when there is no such name.
 */
int axvcpu_x86_reg_id(const char *name, uint64_t *id);

/**
 * axvcpu_x86_reg_name() - the name of a register of x86, by its id
 * @id: its id
 * @buf: where the name goes
 * @len: bytes of @buf
 *
 * Return: characters of the name, as snprintf(); -ENOENT when @id is none.
 */
int axvcpu_x86_reg_name(uint64_t id, char *buf, size_t len);

/**
 * axvcpu_arm64_reg_id() - the id of a register of arm64, by its name
 * @name: "x0" to "x30", "sp", "pc", "pstate"; "v0.low" and "v0.high" to "v31.high",
 *	"fpsr", "fpcr"; system registers as Arm names them ("ttbr0_el1") or numbers them
 *	("s3_0_c2_c0_0"); "cntvoff", "lines"; "gic.vmcr", "gic.ap0r0", "gic.ap1r0",
 *	"gic.lr0", "gic.queued32". Upper and lower case are the same
 * @id: where the id goes
 *
 * Return: 0; -ENOENT when there is no such name.
 */
int axvcpu_arm64_reg_id(const char *name, uint64_t *id);

/**
 * axvcpu_arm64_reg_name() - the name of a register of arm64, by its id
 * @id: its id
 * @buf: where the name goes
 * @len: bytes of @buf
 *
 * Return: characters of the name, as snprintf(); -ENOENT when @id is none.
 */
int axvcpu_arm64_reg_name(uint64_t id, char *buf, size_t len);

/**
 * axvcpu_vcpu_get_reg_by_name() - read one register
 * @vcpu: the vCPU
 * @name: see axvcpu_x86_reg_id() and axvcpu_arm64_reg_id()
 * @value: where the value goes
 *
 * Return: as axvcpu_vcpu_get_regs(); -ENOENT when there is no such name.
 */
int axvcpu_vcpu_get_reg_by_name(struct axvcpu_vcpu *vcpu, const char *name, uint64_t *value);

/**
 * axvcpu_vcpu_set_reg_by_name() - write one register
 * @vcpu: the vCPU
 * @name: see axvcpu_x86_reg_id() and axvcpu_arm64_reg_id()
 * @value: its value
 *
 * Return: as axvcpu_vcpu_set_regs(); -ENOENT when there is no such name.
 */
int axvcpu_vcpu_set_reg_by_name(struct axvcpu_vcpu *vcpu, const char *name, uint64_t value);

/* CPUID of x86 */

/**
 * axvcpu_x86_get_cpuid() - what CPUID tells the guest
 * @vcpu: the vCPU; not inside RUN (-EBUSY)
 * @leaf: EAX of the question
 * @subleaf: ECX; 0 where it makes no difference
 * @regs: where EAX, EBX, ECX and EDX go
 *
 * Bits that follow the vCPU's state (APIC id, OSXSAVE, sizes of leaf 0xd) are
 * not in it.
 *
 * Return: 0; -EINVAL when there is no such leaf, and the guest reads zero.
 */
int axvcpu_x86_get_cpuid(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			 uint32_t regs[4]);

/**
 * axvcpu_x86_get_cpuid_max() - the bits that axvcpu_x86_set_cpuid() may set
 * @vcpu: the vCPU; not inside RUN (-EBUSY)
 * @leaf: EAX of the question
 * @subleaf: ECX; 0 where it makes no difference
 * @regs: where they go, for EAX, EBX, ECX and EDX
 *
 * Return: as axvcpu_x86_get_cpuid().
 */
int axvcpu_x86_get_cpuid_max(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			     uint32_t regs[4]);

/**
 * axvcpu_x86_set_cpuid() - change what CPUID tells the guest
 * @vcpu: the vCPU, Created: what the guest may use follows from it at SETUP
 * @leaf: EAX of the question
 * @subleaf: ECX; 0 where it makes no difference
 * @regs: EAX, EBX, ECX and EDX
 *
 * Return: 0; -EINVAL when there is no such leaf, or a bit may not be set, and
 * nothing is changed.
 */
int axvcpu_x86_set_cpuid(struct axvcpu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			 const uint32_t regs[4]);

/**
 * enum axvcpu_x86_preset - CPUIDs to begin with
 * @AXVCPU_X86_PRESET_MINIMAL: what a new vCPU has: features of the processor that ask
 *	nothing of the VMM
 * @AXVCPU_X86_PRESET_HOST: and all else that the host's CPUID has and a guest may be shown
 * @AXVCPU_X86_PRESET_PC: minimal, and what firmware and operating systems look for in a PC
 *
 * What a VMM has to make for a PC: the local APIC, by MMIO and as an x2APIC, with its
 * timer's TSC deadline mode (MSRs 0x1b, 0x6e0, 0x800 to 0x8ff), MTRRs (0xfe, 0x200 to 0x2ff
 * without PAT's 0x277), machine-check banks, be it none (0x179 to 0x17b). The host's may
 * have TSC_ADJUST (0x3b) and ARCH_CAPABILITIES (0x10a) besides, and has RDTSCP, which costs
 * each run something. What a VMM does without it takes away by axvcpu_x86_set_cpuid().
 */
enum axvcpu_x86_preset {
	AXVCPU_X86_PRESET_MINIMAL,
	AXVCPU_X86_PRESET_HOST,
	AXVCPU_X86_PRESET_PC,
};

/**
 * axvcpu_x86_set_cpuid_preset() - choose a CPUID
 * @vcpu: the vCPU, Created; features are added to those that its table has
 * @preset: which
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_x86_set_cpuid_preset(struct axvcpu_vcpu *vcpu, enum axvcpu_x86_preset preset);

/**
 * axvcpu_x86_set_cpuid_topology() - tell the guest how its vCPUs belong together
 * @vcpu: the vCPU, Created
 * @cores: cores of a package
 * @threads: threads of a core
 *
 * Without it each vCPU is a package. A vCPU's APIC id is its vcpu_id: the thread's number,
 * above it the core's, above it the package's, each in as many bits as it needs. In a
 * package of 3 cores with 2 threads, vCPUs are 0 to 5, in the next one 8 to 13. The threads
 * of a core share the caches of levels 1 and 2.
 *
 * Return: 0; -EINVAL when there is none of them, or an id takes more than 16 bits; or
 * another negative errno.
 */
int axvcpu_x86_set_cpuid_topology(struct axvcpu_vcpu *vcpu, unsigned int cores,
				  unsigned int threads);

/**
 * axvcpu_x86_set_cpuid_tsc() - tell the guest frequencies
 * @vcpu: the vCPU, Created
 * @tsc_hz: the TSC's, &struct axvcpu_info.counter_hz
 * @apic_hz: the APIC timer's, undivided, as the VMM makes it
 *
 * In the leaves 0x15 and 0x16, as processors do, and in 0x40000010, as VMware and others
 * do. What Linux computes from 0x15 is right to 6 ppm where @apic_hz is 25 MHz, to 233 ppm
 * where it is 1 GHz, as it computes with 32 bits.
 *
 * Return: 0; -EINVAL for frequencies below 1 kHz or of more than 2^32 kHz; or another
 * negative errno.
 */
int axvcpu_x86_set_cpuid_tsc(struct axvcpu_vcpu *vcpu, uint64_t tsc_hz, uint32_t apic_hz);

/**
 * axvcpu_x86_set_cpuid_kvm() - give the hypervisor KVM's name
 * @vcpu: the vCPU, Created
 * @features: EAX of leaf 0x40000001: bits ``KVM_FEATURE_*`` of <asm/kvm_para.h>, which the
 *	VMM makes
 *
 * Guests then look for what KVM has: its clock, see axvcpu_x86_write_kvm_clock(), and an
 * x2APIC without interrupt remapping.
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_x86_set_cpuid_kvm(struct axvcpu_vcpu *vcpu, uint32_t features);

/* KVM's clock */

/**
 * struct axvcpu_x86_clock - a clock that a guest computes from its TSC
 * @tsc_hz: the TSC's frequency, &struct axvcpu_info.counter_hz
 * @tsc: the guest's TSC at some moment: what the processor's was, and the vCPU's
 *	%AXVCPU_X86_REG_TSC_OFFSET; or %AXVCPU_X86_REG_MSR(0x10)
 * @ns: what the clock said then, in nanoseconds
 * @stable: all vCPUs have this clock and one TSC offset, so that it runs backwards nowhere
 */
struct axvcpu_x86_clock {
	uint64_t tsc_hz;
	uint64_t tsc;
	uint64_t ns;
	bool stable;
};

/**
 * axvcpu_x86_write_kvm_clock() - write a vCPU's clock to where the guest wants it
 * @dest: 32 bytes of guest memory, aligned to 4
 * @clock: the clock
 *
 * A guest has a vCPU's clock by writing the address to MSR 0x4b564d01, with bit 0 set
 * (``KVM_FEATURE_CLOCKSOURCE2``). Write it then, and again when the TSC's offset changes. The
 * guest may be reading it meanwhile.
 *
 * Return: 0; -EINVAL when the frequency is 0.
 */
int axvcpu_x86_write_kvm_clock(void *dest, const struct axvcpu_x86_clock *clock);

/**
 * axvcpu_x86_write_kvm_wall_clock() - write what time it was when the clock began
 * @dest: 12 bytes of guest memory, aligned to 4
 * @ns: nanoseconds from 1970 to the moment at which the vCPUs' clocks were 0
 *
 * A guest asks for it by writing the address to MSR 0x4b564d00.
 */
void axvcpu_x86_write_kvm_wall_clock(void *dest, uint64_t ns);

/* Exits */

/*
 * axvcpu_memory_fn - the VMM's view of the guest's memory
 * @data: the VMM's
 * @gpa: guest-physical address
 * @size: bytes, all in one page
 *
 * Return: where they stand in the process; NULL: nowhere.
 */
typedef void *(*axvcpu_memory_fn)(void *data, uint64_t gpa, size_t size);

/**
 * typedef axvcpu_port_fn - elements go out of a port, or come in
 * @data: the VMM's
 * @port: the port
 * @width: bytes of an element
 * @bytes: the elements, in the guest's memory
 * @count: how many
 * @in: they are read from the port, and written here
 */
typedef void (*axvcpu_port_fn)(void *data, uint16_t port, uint32_t width, void *bytes,
			       size_t count, bool in);

/* What an access to memory is, beside a read */
#define AXVCPU_X86_WRITE	(1U << 0)
#define AXVCPU_X86_FETCH	(1U << 1)

/**
 * struct axvcpu_x86_paging - what of a vCPU's registers decides how it gets at its memory
 * @cr0: CR0
 * @cr3: CR3
 * @cr4: CR4
 * @efer: EFER
 * @rflags: RFLAGS
 * @pdpte: with PAE paging, the four entries that the CPU has had since MOV to CR3
 * @cs_access: access rights of CS
 * @ss_access: those of SS, whose DPL is the privilege
 * @reserved: bits of an entry in which this CPU's addresses don't reach
 */
struct axvcpu_x86_paging {
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint64_t pdpte[4];
	uint64_t cs_access, ss_access;
	uint64_t reserved;
};

/**
 * struct axvcpu_x86_page_fault - a page fault, for INJECT or an answer
 * @address: for CR2
 * @error_code: its error code
 */
struct axvcpu_x86_page_fault {
	uint64_t address;
	uint32_t error_code;
};

/**
 * axvcpu_x86_get_paging() - read what walks of the guest's page tables need
 * @vcpu: the vCPU, not inside RUN
 * @paging: where it goes; it holds until the guest runs or registers are set
 *
 * Return: 0, or a negative errno of GET_REGS.
 */
int axvcpu_x86_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_x86_paging *paging);

/**
 * axvcpu_x86_walk() - where a linear address leads
 * @paging: the guest's state
 * @gva: linear address
 * @access: ``AXVCPU_X86_WRITE`` and _FETCH; 0: it reads
 * @memory: finds the page tables, in which accessed and dirty bits are set
 * @data: for @memory
 * @gpa: where the guest-physical address goes
 * @error_code: where that of a page fault goes
 *
 * As the CPU walks them (SDM vol. 3, chapter 4): reserved bits, NX, SMEP, SMAP, WP and
 * privilege are looked at, and an entry that changes meanwhile is looked at again.
 * Protection keys are not.
 *
 * Return: 0; 14: it is a page fault; -EFAULT: a page table is not in memory.
 */
int axvcpu_x86_walk(const struct axvcpu_x86_paging *paging, uint64_t gva, unsigned int access,
		    axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *error_code);

/**
 * axvcpu_x86_access() - read, write or fetch at a linear address
 * @paging: the guest's state
 * @gva: linear address
 * @bytes: what is written, or where it goes
 * @size: bytes, which may be in several pages
 * @access: ``AXVCPU_X86_WRITE`` and _FETCH; 0: it reads
 * @memory: the guest's memory
 * @data: for @memory
 * @fault: where a page fault goes
 *
 * Segments are the caller's. With a fault, nothing is written.
 *
 * Return: 0; 14: it is a page fault; -EFAULT: there is no memory.
 */
int axvcpu_x86_access(const struct axvcpu_x86_paging *paging, uint64_t gva, void *bytes,
		      size_t size, unsigned int access, axvcpu_memory_fn memory, void *data,
		      struct axvcpu_x86_page_fault *fault);

/**
 * axvcpu_x86_translate() - where a linear address leads now
 * @vcpu: the vCPU, not inside RUN
 * @gva: linear address
 * @write: the access writes
 * @memory: finds the page tables, in which accessed and dirty bits are set
 * @data: for @memory
 * @gpa: where the guest-physical address goes
 * @error_code: where that of a page fault goes
 *
 * axvcpu_x86_get_paging() and axvcpu_x86_walk() in one; who walks more than once saves the
 * reading of registers.
 *
 * Return: 0; 14: it is a page fault; -EFAULT: a page table is not in memory.
 */
int axvcpu_x86_translate(struct axvcpu_vcpu *vcpu, uint64_t gva, bool write,
			 axvcpu_memory_fn memory, void *data, uint64_t *gpa,
			 uint32_t *error_code);

/* How the guest's stage 1 is walked, as bits */
#define AXVCPU_ARM64_WRITE	1U	/* else it reads */
#define AXVCPU_ARM64_FETCH	2U	/* it fetches an instruction */
#define AXVCPU_ARM64_EL0	4U	/* it is EL0's, or one of EL1's as if it were */

/**
 * struct axvcpu_arm64_paging - what a walk of the guest's stage 1 needs of its registers
 * @sctlr: SCTLR_EL1
 * @tcr: TCR_EL1
 * @ttbr: TTBR0_EL1, TTBR1_EL1
 * @mmfr0: ID_AA64MMFR0_EL1
 * @mmfr1: ID_AA64MMFR1_EL1
 * @pstate: PSTATE
 */
struct axvcpu_arm64_paging {
	uint64_t sctlr, tcr;
	uint64_t ttbr[2];
	uint64_t mmfr0, mmfr1;
	uint64_t pstate;
};

/**
 * axvcpu_arm64_get_paging() - read what walks of the guest's stage 1 need
 * @vcpu: the vCPU, not inside RUN
 * @paging: where it goes; it holds until the guest runs or registers are set
 *
 * Return: 0, or a negative errno of GET_REGS.
 */
int axvcpu_arm64_get_paging(struct axvcpu_vcpu *vcpu, struct axvcpu_arm64_paging *paging);

/**
 * axvcpu_arm64_walk() - where a virtual address leads
 * @paging: the guest's state
 * @va: virtual address
 * @access: ``AXVCPU_ARM64_WRITE``, _FETCH, _EL0; 0: it reads, at EL1
 * @memory: finds the tables, in which access flags and dirty state are set
 * @data: for @memory
 * @gpa: where the guest-physical address goes
 * @status: where the fault status code of a fault goes, as in ESR_EL1
 *
 * As the CPU walks them (Arm ARM, D8): granules of 4, 16 and 64 KiB, permissions of pages and
 * tables, PAN and EPAN, WXN, E0PD, tags, hardware access flags and dirty state. An entry that
 * changes meanwhile is looked at again. Addresses of 52 bits, permission indirection and
 * overlays are not looked at; guests have none.
 *
 * Return: 0; 1: it is a fault; -EFAULT: a table is not in memory.
 */
int axvcpu_arm64_walk(const struct axvcpu_arm64_paging *paging, uint64_t va, unsigned int access,
		      axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *status);

/**
 * axvcpu_arm64_translate() - where a virtual address leads now
 * @vcpu: the vCPU, not inside RUN
 * @va: virtual address
 * @access: see axvcpu_arm64_walk(); _EL0 is added if the guest is there
 * @memory: finds the tables, in which access flags and dirty state are set
 * @data: for @memory
 * @gpa: where the guest-physical address goes
 * @status: where the fault status code of a fault goes
 *
 * Return: 0; 1: it is a fault; -EFAULT: a table is not in memory; a negative errno of GET_REGS.
 */
int axvcpu_arm64_translate(struct axvcpu_vcpu *vcpu, uint64_t va, unsigned int access,
			   axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *status);

/**
 * axvcpu_x86_answer_string() - do what IO_STRING is about
 * @vcpu: the vCPU; its run page holds the exit, and gets the answer
 * @memory: the guest's memory
 * @port: the port
 * @data: for both
 *
 * Moves elements until all are done or one can't be; that is a fault in the
 * guest then.
 *
 * Return: 0; -EFAULT: what is not in memory is what the guest wants, and what
 * stands in front of it is done.
 */
int axvcpu_x86_answer_string(struct axvcpu_vcpu *vcpu, axvcpu_memory_fn memory,
			     axvcpu_port_fn port, void *data);

/**
 * axvcpu_answer_io() - answer IO_READ
 * @run: the run page
 * @data: what the guest's IN reads; the kernel takes as much as it is wide
 */
static inline void axvcpu_answer_io(struct axvcpu_run *run, uint64_t data)
{
	run->io.data = data;
}

/**
 * axvcpu_answer_mmio() - answer MMIO_READ
 * @run: the run page
 * @data: what the guest's load reads; the kernel narrows and extends it
 */
static inline void axvcpu_answer_mmio(struct axvcpu_run *run, uint64_t data)
{
	run->mmio.data = data;
}

/**
 * axvcpu_answer_sysreg() - answer SYSREG_READ, or accept SYSREG_WRITE
 * @run: the run page
 * @value: what the guest reads
 */
static inline void axvcpu_answer_sysreg(struct axvcpu_run *run, uint64_t value)
{
	run->sysreg.value = value;
	run->sysreg.fault = 0;
}

/**
 * axvcpu_fault_sysreg() - let SYSREG_READ or SYSREG_WRITE fail in the guest
 * @run: the run page
 *
 * x86: #GP; arm64: the instruction is undefined.
 */
static inline void axvcpu_fault_sysreg(struct axvcpu_run *run)
{
	run->sysreg.fault = 1;
}

/**
 * axvcpu_answer_hypercall() - answer HYPERCALL
 * @run: the run page
 * @ret: what the guest gets back
 */
static inline void axvcpu_answer_hypercall(struct axvcpu_run *run, uint64_t ret)
{
	run->hypercall.ret = ret;
}

/**
 * typedef axvcpu_exit_fn - what a VMM does at an exit
 * @vcpu: the vCPU
 * @run: its run page; answers go there
 * @data: the VMM's
 *
 * Return: 0: run on; positive: axvcpu_vcpu_loop() returns it; negative errno:
 * axvcpu_vcpu_loop() fails with it.
 */
typedef int (*axvcpu_exit_fn)(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data);

/**
 * struct axvcpu_handlers - a VMM's answers, for axvcpu_vcpu_loop()
 * @before: called at each exit before its handler, for tracing; may be NULL
 * @interrupted: RUN returned -EINTR; NULL: the loop ends with -EINTR
 * @other: exits without a handler in @exit; NULL: the loop ends with -EOPNOTSUPP
 * @exit: by &enum axvcpu_exit_reason
 */
struct axvcpu_handlers {
	axvcpu_exit_fn before;
	axvcpu_exit_fn interrupted;
	axvcpu_exit_fn other;
	axvcpu_exit_fn exit[AXVCPU_NR_EXITS];
};

/**
 * axvcpu_vcpu_loop() - run the guest and call handlers, until one says stop
 * @vcpu: the vCPU, Ready
 * @flags: ``AXVCPU_RUN_*``
 * @handlers: the handlers
 * @data: given to them
 *
 * Return: what a handler returned, when that was not 0; -EINTR and -EOPNOTSUPP as
 * in &struct axvcpu_handlers; or what axvcpu_vcpu_run() failed with.
 */
int axvcpu_vcpu_loop(struct axvcpu_vcpu *vcpu, unsigned int flags,
		     const struct axvcpu_handlers *handlers, void *data);

/* x86 page tables */

/**
 * axvcpu_x86_identity_map_size() - memory that an identity map takes
 * @limit: addresses below are to be mapped
 *
 * Return: bytes, a multiple of 4096; 0 when @limit is 0 or above 2^47.
 */
size_t axvcpu_x86_identity_map_size(uint64_t limit);

/**
 * axvcpu_x86_identity_map() - page tables for long mode
 * @tables: where the process sees the memory for them
 * @tables_gpa: where the guest sees it; a multiple of 4096, and CR3's value
 * @size: bytes there
 * @limit: addresses below are mapped to themselves, in pages of 2 MiB;
 *	readable, writable and executable in ring 0
 *
 * Return: 0; -EINVAL when @tables_gpa is not aligned or @limit is out of range;
 * -ENOSPC when @size is too small, see axvcpu_x86_identity_map_size().
 */
int axvcpu_x86_identity_map(void *tables, uint64_t tables_gpa, size_t size, uint64_t limit);

/**
 * struct axvcpu_x86_segment - a segment register with its hidden part
 * @selector: what MOV reads
 * @limit: in bytes
 * @access: access rights, SDM vol. 3, table 25-2
 * @base: linear address
 */
struct axvcpu_x86_segment {
	uint16_t selector;
	uint32_t limit;
	uint32_t access;
	uint64_t base;
};

/**
 * axvcpu_x86_get_segment() - read a segment register
 * @vcpu: the vCPU
 * @n: ``AXVCPU_X86_SEG_*``
 * @segment: written
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_x86_get_segment(struct axvcpu_vcpu *vcpu, unsigned int n,
			   struct axvcpu_x86_segment *segment);

/**
 * axvcpu_x86_set_segment() - change a segment register
 * @vcpu: the vCPU
 * @n: ``AXVCPU_X86_SEG_*``
 * @segment: its value
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_x86_set_segment(struct axvcpu_vcpu *vcpu, unsigned int n,
			   const struct axvcpu_x86_segment *segment);

/**
 * axvcpu_x86_init() - what an INIT does
 * @vcpu: the vCPU, set up, not running
 *
 * Registers are as after a reset, and what was queued is gone. As on a processor,
 * CD and NW of CR0, the FPU, XCR0, the TSC and the MSRs but EFER keep their values. A
 * processor then waits for a SIPI, the bootstrap processor starts at 0xfffffff0.
 *
 * Return: 0 or a negative errno.
 */
int axvcpu_x86_init(struct axvcpu_vcpu *vcpu);

/* Words for people */

/**
 * axvcpu_error_text() - why this thread's last failed call of the library failed
 *
 * Says what was asked for and what is wrong with it, where it can be known what to
 * do about it, and why a vCPU is Invalid. It uses the kernel's record of a failure only
 * if that is the record of this very call. axvcpu_vcpu_kick(), which may be called from
 * signal handlers, leaves the text as it is.
 *
 * Return: a line without an end, of this thread, until its next call of this
 * function; "" if no call has failed.
 */
const char *axvcpu_error_text(void);

/**
 * axvcpu_vcpu_failure_text() - a failure that the kernel has recorded, in words
 * @vcpu: the vCPU
 * @failure: as axvcpu_vcpu_get_state() delivers it
 * @buf: where the text goes, one line without an end
 * @len: bytes of @buf
 *
 * Return: characters of the text, as snprintf().
 */
int axvcpu_vcpu_failure_text(const struct axvcpu_vcpu *vcpu, const struct axvcpu_failure *failure,
			     char *buf, size_t len);

/**
 * axvcpu_vcpu_exit_text() - the last exit in words, with its fields
 * @vcpu: the vCPU, in whose run page the exit is
 * @buf: where the text goes, one line without an end
 * @len: bytes of @buf
 *
 * Return: characters of the text, as snprintf().
 */
int axvcpu_vcpu_exit_text(const struct axvcpu_vcpu *vcpu, char *buf, size_t len);

/**
 * axvcpu_state_name() - "Invalid", "Created" and so on
 * @state: &enum axvcpu_state
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_state_name(uint32_t state);

/**
 * axvcpu_op_name() - "SETUP", "BIND" and so on
 * @op: &enum axvcpu_op
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_op_name(uint32_t op);

/**
 * axvcpu_class_name() - "CPUID", "MEMORY" and so on
 * @exit_class: &enum axvcpu_exit_class
 *
 * Return: the name, "?" when there is none.
 */
const char *axvcpu_class_name(uint32_t exit_class);

/**
 * axvcpu_exit_name() - "HYPERCALL", "IO_READ" and so on
 * @reason: &enum axvcpu_exit_reason
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_exit_name(uint32_t reason);

/**
 * axvcpu_backend_name() - "VMX" and so on
 * @backend: &enum axvcpu_backend
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_backend_name(uint32_t backend);

/**
 * axvcpu_vmx_error_text() - a VM-instruction error in words
 * @error: its number, SDM vol. 3, "VM Instruction Error Numbers"
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_vmx_error_text(uint64_t error);

/**
 * axvcpu_vmx_reason_name() - a VMX exit reason by name
 * @reason: as the hardware delivers it; only bits 15:0 count
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_vmx_reason_name(uint64_t reason);

/**
 * axvcpu_arm64_class_name() - an exception class of arm64 by name
 * @esr: syndrome register; only bits 31:26, EC, count
 *
 * Return: a constant; "?" for a number that is none.
 */
const char *axvcpu_arm64_class_name(uint64_t esr);

#ifdef __cplusplus
}
#endif

#endif /* LIBAXVCPU_H */
