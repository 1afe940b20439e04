/* SPDX-License-Identifier: GPL-2.0-only */
/* The mock backend's own types, and what KUnit sees and changes of it. */
#ifndef _AXVCPU_MOCK_H
#define _AXVCPU_MOCK_H

#include <linux/bitmap.h>
#include <linux/spinlock.h>

#include "axvcpu_arch.h"
#include "axvcpu_mock_abi.h"

#define AXVCPU_MOCK_LOG_LEN	AXVCPU_MAX_CALL_LOG
#define AXVCPU_MOCK_TLB_LEN	64
#define AXVCPU_MOCK_GPA_BITS	48
#define AXVCPU_MOCK_HPA_BITS	52

/* Instructions until a host interrupt surely has to be looked for */
#define AXVCPU_MOCK_BUDGET	512

/* Indices into &struct axvcpu_run.regs.raw */
#define AXVCPU_MOCK_PC		16
#define AXVCPU_MOCK_FLAGS	17

#define AXVCPU_MOCK_FLAG_IRQ	BIT_ULL(0)

/**
 * struct axvcpu_mock_tlb_entry - a cached second-stage translation
 * @gfn: guest page number
 * @hpa: host-physical address of the page
 * @access: ``AXVCPU_MAP_*``; 0: the entry is empty
 * @dirty: the leaf's dirty bit is known to be set
 */
struct axvcpu_mock_tlb_entry {
	u64 gfn;
	u64 hpa;
	u32 access;
	bool dirty;
};

/**
 * struct axvcpu_mock_exit - what made the guest leave
 * @reason: &enum axvcpu_exit_reason. EXTERNAL_INTERRUPT and NOTHING are
 *	handled in the kernel
 * @reg: register that takes the answer
 * @width: bytes of a port access
 * @arg: port, system register, raw hardware reason
 * @value: value written
 * @pc: program counter of the instruction
 */
struct axvcpu_mock_exit {
	u32 reason;
	u8 reg;
	u8 width;
	u64 arg;
	u64 value;
	u64 pc;
};

/**
 * struct axvcpu_mock_queue - what INJECT has queued
 * @irqs: pending interrupts
 * @exception: pending exception, 0: none
 * @nmi: an NMI is pending
 */
struct axvcpu_mock_queue {
	DECLARE_BITMAP(irqs, 256);
	u64 exception;
	unsigned long nmi;
};

/**
 * struct axvcpu_mock_kept - the state of a vCPU that KEEP_STATE copies
 * @regs: the run page's
 * @pc: as in &struct axvcpu_mock, like all below
 * @flags:
 * @vector_pc:
 * @has_vector:
 * @exit:
 * @can_interrupt:
 * @queue:
 */
struct axvcpu_mock_kept {
	u64 regs[AXVCPU_MOCK_NR_REGS];
	u64 pc;
	u64 flags;
	u64 vector_pc;
	bool has_vector;
	struct axvcpu_mock_exit exit;
	bool can_interrupt;
	struct axvcpu_mock_queue queue;
};

/**
 * struct axvcpu_mock - the mock's vCPU
 * @vcpu: the common part
 * @entry: from set_entry
 * @root: from set_ept_root
 * @has_entry: @entry was given
 * @has_root: @root was given
 * @is_setup: setup was done
 * @is_bound: between bind and unbind
 * @run_result: how the last entry of this RUN ended
 * @logged_run: the RUN that the log has, by &struct axvcpu_stats.runs
 * @run_seq: where the log has it
 * @pc: program counter
 * @flags: ``AXVCPU_MOCK_FLAG_*``
 * @vector_pc: where events go
 * @has_vector: @vector_pc was given
 * @exit: the last exit
 * @tlb: what the hardware remembers of the second stage
 * @can_interrupt: interrupts may be taken, as of the last exit
 * @queue: any thread puts something in or takes it out, without a lock
 * @create_config: which call fails, until setup
 * @config: which call fails, and how
 * @log_lock: protects @config, @log and @log_total; inject has no other lock
 * @log: ring of the last calls
 * @log_total: calls ever made
 */
struct axvcpu_mock {
	struct axvcpu vcpu;

	struct axvcpu_gpa entry;
	struct axvcpu_hpa root;
	bool has_entry;
	bool has_root;
	bool is_setup;
	bool is_bound;
	int run_result;
	u64 logged_run;
	u64 run_seq;

	u64 pc;
	u64 flags;
	u64 vector_pc;
	bool has_vector;
	struct axvcpu_mock_exit exit;
	struct axvcpu_mock_tlb_entry tlb[AXVCPU_MOCK_TLB_LEN];

	bool can_interrupt;
	struct axvcpu_mock_queue queue;

	struct axvcpu_mock_setup_config create_config;
	struct axvcpu_mock_setup_config config;

	raw_spinlock_t log_lock;
	struct axvcpu_call_entry log[AXVCPU_MOCK_LOG_LEN];
	u64 log_total;
};

static inline struct axvcpu_mock *axvcpu_mock(const struct axvcpu *vcpu)
{
	return container_of(vcpu, struct axvcpu_mock, vcpu);
}

/* mock.c */
u32 axvcpu_mock_calls(struct axvcpu *vcpu, struct axvcpu_call_entry *entries, u32 max, u64 *total);

/* mock_kick.c */
void axvcpu_mock_kick_init(void);
void axvcpu_mock_kick_exit(void);
void axvcpu_mock_kick(int cpu);
bool axvcpu_mock_interrupted(void);

/* mock_guest.c */
int axvcpu_mock_enter(struct axvcpu_mock *mock, bool flush);
int axvcpu_mock_handle_exit(struct axvcpu_mock *mock);
void axvcpu_mock_complete(struct axvcpu_mock *mock);
int axvcpu_mock_queue(struct axvcpu_mock *mock, const struct axvcpu_inject *event);
int axvcpu_mock_withdraw(struct axvcpu_mock *mock, const struct axvcpu_inject *event);
void axvcpu_mock_get_queue(const struct axvcpu_mock *mock, struct axvcpu_mock_queue *queue);
void axvcpu_mock_set_queue(struct axvcpu_mock *mock, const struct axvcpu_mock_queue *queue);
void axvcpu_mock_show_queue(struct axvcpu_mock *mock);
bool axvcpu_mock_has_event(struct axvcpu_mock *mock);

/* mock_s2.c */
extern const struct axvcpu_s2_format axvcpu_mock_s2_format;
bool axvcpu_mock_hpa_is_ram(u64 hpa);
void axvcpu_mock_flush(struct axvcpu_mock *mock);
int axvcpu_mock_access(struct axvcpu_mock *mock, u64 gpa, void *buf, u32 len, u32 access);

/**
 * enum axvcpu_mock_op_id - ops of &struct axvcpu_arch_ops that KUnit may hook
 * @AXVCPU_MOCK_CPU_ENABLE: cpu_enable
 * @AXVCPU_MOCK_CPU_DISABLE: cpu_disable; the hook's value does not count
 * @AXVCPU_MOCK_VCPU_CREATE: vcpu_create
 * @AXVCPU_MOCK_SET_ENTRY: set_entry; arg: the entry
 * @AXVCPU_MOCK_SET_EPT_ROOT: set_ept_root
 * @AXVCPU_MOCK_SETUP: setup
 * @AXVCPU_MOCK_BIND: bind
 * @AXVCPU_MOCK_UNBIND: unbind
 * @AXVCPU_MOCK_RESET: reset; the hook's value does not count
 * @AXVCPU_MOCK_LOAD: load
 * @AXVCPU_MOCK_PUT: put; the hook's value does not count
 * @AXVCPU_MOCK_COMPLETE: complete; the hook's value does not count
 * @AXVCPU_MOCK_ENTER: enter; arg: flush. The guest in KUnit's words: the hook
 *	sets &struct axvcpu_mock.exit and returns %AXVCPU_MOCK_DONE
 * @AXVCPU_MOCK_HANDLE_EXIT: handle_exit
 * @AXVCPU_MOCK_INJECT: inject; arg: the vector
 * @AXVCPU_MOCK_KICK_CPU: kick_cpu; no vCPU; arg: the CPU; the hook's value
 *	does not count
 * @AXVCPU_MOCK_NR_OPS: number of the above
 */
enum axvcpu_mock_op_id {
	AXVCPU_MOCK_CPU_ENABLE,
	AXVCPU_MOCK_CPU_DISABLE,
	AXVCPU_MOCK_VCPU_CREATE,
	AXVCPU_MOCK_SET_ENTRY,
	AXVCPU_MOCK_SET_EPT_ROOT,
	AXVCPU_MOCK_SETUP,
	AXVCPU_MOCK_BIND,
	AXVCPU_MOCK_UNBIND,
	AXVCPU_MOCK_RESET,
	AXVCPU_MOCK_LOAD,
	AXVCPU_MOCK_PUT,
	AXVCPU_MOCK_COMPLETE,
	AXVCPU_MOCK_ENTER,
	AXVCPU_MOCK_HANDLE_EXIT,
	AXVCPU_MOCK_INJECT,
	AXVCPU_MOCK_KICK_CPU,
	AXVCPU_MOCK_NR_OPS,
};

/* What the hook of enter returns when the guest is done */
#define AXVCPU_MOCK_DONE	1

#ifdef AXVCPU_KUNIT
/**
 * typedef axvcpu_mock_hook_fn - what KUnit does at the start of an op
 * @vcpu: the vCPU, if the op has one
 * @arg: see &enum axvcpu_mock_op_id
 *
 * Context: the op's.
 * Return: 0: the op goes on; other values are returned in its place.
 */
typedef int (*axvcpu_mock_hook_fn)(struct axvcpu *vcpu, u64 arg);

extern axvcpu_mock_hook_fn axvcpu_mock_hooks[AXVCPU_MOCK_NR_OPS];

static inline int axvcpu_mock_hook(enum axvcpu_mock_op_id op, struct axvcpu *vcpu, u64 arg)
{
	axvcpu_mock_hook_fn hook = READ_ONCE(axvcpu_mock_hooks[op]);

	return hook ? hook(vcpu, arg) : 0;
}
#else
static inline int axvcpu_mock_hook(enum axvcpu_mock_op_id op, struct axvcpu *vcpu, u64 arg)
{
	return 0;
}
#endif

#endif /* _AXVCPU_MOCK_H */
