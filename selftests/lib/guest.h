/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small guests, written once for every backend, and the few calls that each
 * test makes to get one running. Everything goes through raw ioctls: what is
 * tested is the kernel, not a library.
 */
#ifndef _SELFTESTS_GUEST_H
#define _SELFTESTS_GUEST_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/axvcpu.h>

#define GUEST_DEVICE		"/dev/axvcpu"

#define GUEST_MEM_SIZE		0x100000	/* default size of the guest's memory */
#define GUEST_PROG_SIZE		0x8000		/* a program with its tables and its stack */
#define GUEST_CODE_SIZE		0x4000		/* the code in it */
#define GUEST_PROG(n)		(0x10000 + (n) * GUEST_PROG_SIZE) /* where programs may stand */
#define GUEST_NR_PROGS		8
#define GUEST_MAX_STATE		512		/* registers of a vCPU */

/* Programs that many tests have, see guest_write_programs() */
#define OUTS			GUEST_PROG(0)	/* an exit each time it is run */
#define LOOP			GUEST_PROG(1)	/* no exit */
#define HALT			GUEST_PROG(2)	/* halts, interrupts off */
#define COUNT			GUEST_PROG(3)	/* counts in memory, for ever */

#define GUEST_DONE		0x99	/* port on which a guest says that it came to its end */

#define GUEST_DATA		0x80000		/* from here on memory is the test's */
#define GUEST_HOLE		0x10000000	/* guest-physical, reachable, never mapped */

/*
 * For what must come, however slow and busy the machine is: this tells what hangs,
 * and measures nothing.
 */
#define PATIENCE_NS		600000000000ULL

/*
 * enum guest_reg - the registers that programs use
 *
 * They survive every operation below; the machine's other registers do not.
 */
enum guest_reg {
	G0, G1, G2, G3, G4, G5,
	GUEST_NR_REGS,
};

struct guest_prog;

/*
 * struct guest_isa - how one backend's guests are written
 * @backend: &enum axvcpu_backend
 * @gpr: index in the run page's raw registers, of G0 to G5
 * @pc: index of the program counter
 * @irq_reg: index of the register that tells an interrupt handler the vector
 * @reg_id: id of the register with such an index, for GET_REGS and SET_REGS
 * @sysreg: the address of a system register that the kernel leaves to the VMM
 * @gp_vector: what g_get_vector() gives when a system register access failed
 * @before_run: translate the VMM's answer in the run page, or NULL
 * @after_run: translate an exit that has another name here, or NULL
 * @priority: of an interrupt, so that a higher vector goes first; NULL: the
 *	hardware does that
 * @stats: as @after_run for the statistics, or NULL
 * @no_nmi: it has no non-maskable interrupts
 * @masked_wakes: an interrupt ends a halt also when it can't be taken
 * @exceptions: two that can be injected; the first has an error code, and is
 *	what @gp_vector tells
 * @max_vector: the last one that INJECT takes as an interrupt, before some that
 *	it does not take
 * @max_exception: the same, of exceptions
 * @no_reg: an id near those of registers, which is none
 * @init_memory: fill in what every guest needs, at the start of its memory
 * @setup: the architecture's part of SETUP
 * @begin: the first instructions of a program
 * @unknown: NULL: there is no way
 * @others: one for each operation below
 */
struct guest_isa {
	uint32_t backend;
	uint8_t gpr[GUEST_NR_REGS];
	uint8_t pc;
	uint8_t irq_reg;
	uint64_t (*reg_id)(unsigned int index);
	uint64_t sysreg;
	uint64_t gp_vector;

	void (*before_run)(struct axvcpu_run *run);
	void (*after_run)(struct axvcpu_run *run);
	uint32_t (*priority)(uint32_t vector);
	void (*stats)(struct axvcpu_stats *stats);
	bool no_nmi;
	bool masked_wakes;
	uint32_t exceptions[2];
	uint32_t max_vector;
	uint32_t max_exception;
	uint64_t no_reg;
	void (*init_memory)(uint8_t *mem);
	void (*setup)(union axvcpu_setup_config *config);

	void (*movi)(struct guest_prog *p, enum guest_reg reg, uint64_t value);
	void (*addi)(struct guest_prog *p, enum guest_reg reg, uint64_t value);
	void (*load)(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width);
	void (*store)(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width);
	void (*out)(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width);
	void (*in)(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width);
	void (*hypercall)(struct guest_prog *p, uint64_t nr, const uint64_t *args,
			  enum guest_reg reg);
	void (*rdsys)(struct guest_prog *p, uint64_t addr, enum guest_reg reg);
	void (*wrsys)(struct guest_prog *p, uint64_t addr, enum guest_reg reg);
	void (*halt)(struct guest_prog *p);
	void (*jmp)(struct guest_prog *p, int label);
	void (*jnz)(struct guest_prog *p, enum guest_reg reg, int label);
	void (*spin)(struct guest_prog *p);
	void (*kernel_exit)(struct guest_prog *p);
	void (*shutdown)(struct guest_prog *p);
	void (*unknown)(struct guest_prog *p);
	void (*sti)(struct guest_prog *p);
	void (*cli)(struct guest_prog *p);
	void (*irq_handler)(struct guest_prog *p, int label);
	void (*get_vector)(struct guest_prog *p, enum guest_reg reg);
	void (*iret)(struct guest_prog *p);
	void (*fixup)(struct guest_prog *p, size_t at, uint64_t target);
};

extern const struct guest_isa guest_isa_mock;
extern const struct guest_isa guest_isa_x86;
extern const struct guest_isa guest_isa_arm64;

#define GUEST_MAX_LABELS	32
#define GUEST_MAX_FIXUPS	64

/**
 * struct guest_prog - a program that is being written
 * @isa: the backend's
 * @mem: the guest's memory from the program's first byte on
 * @gpa: guest-physical address of that byte
 * @len: bytes of code so far
 * @nr_labels: labels so far
 * @labels: their places; 0: not placed yet
 * @nr_fixups: jumps so far
 * @fixups: the places of their targets in the code, and the labels
 */
struct guest_prog {
	const struct guest_isa *isa;
	uint8_t *mem;
	uint64_t gpa;
	size_t len;
	int nr_labels;
	uint64_t labels[GUEST_MAX_LABELS];
	int nr_fixups;
	struct {
		size_t at;
		int label;
	} fixups[GUEST_MAX_FIXUPS];
};

/**
 * struct guest - an address space with memory
 * @dev: the device
 * @aspace: the address space
 * @info: the device's
 * @isa: how guests are written for it
 * @mem: the memory, mapped with all access at guest-physical 0
 * @size: its size
 */
struct guest {
	int dev;
	int aspace;
	struct axvcpu_info info;
	const struct guest_isa *isa;
	uint8_t *mem;
	size_t size;
};

/**
 * struct guest_vcpu - a vCPU
 * @fd: its descriptor
 * @run: its run page
 * @isa: how guests are written for it
 */
struct guest_vcpu {
	int fd;
	struct axvcpu_run *run;
	const struct guest_isa *isa;
};

/* Each of these returns 0 or more, or a negative errno. */

int guest_open(struct guest *g);
int guest_create(struct guest *g, size_t size);
void guest_destroy(struct guest *g);
void guest_write_programs(struct guest *g);

int vcpu_create(struct guest *g, struct guest_vcpu *v, uint32_t id);
int vcpu_create_on(struct guest *g, struct guest_vcpu *v, uint32_t id, uint64_t cpus);
int vcpu_setup(struct guest *g, struct guest_vcpu *v, uint64_t entry);
int vcpu_start(struct guest *g, struct guest_vcpu *v, uint32_t id, uint64_t entry);
int vcpu_start_prog(struct guest *g, struct guest_vcpu *v, struct guest_prog *p);
void vcpu_unmap_page(struct guest_vcpu *v);
void vcpu_destroy(struct guest_vcpu *v);

/* The same ioctls on plain descriptors, for tests that need no run page. */

int create_aspace(int dev);
int create_vcpu(int dev, uint32_t id);
int map_memory(int aspace, uint64_t gpa, uint64_t size, void *mem, uint32_t flags);
int protect_memory(int aspace, uint64_t gpa, uint64_t size, uint32_t flags);
int get_dirty(int aspace, uint64_t gpa, uint64_t size, uint64_t *bitmap);
int unmap_memory(int aspace, uint64_t gpa, uint64_t size);
void setup_init(struct guest *g, struct axvcpu_setup *setup, uint64_t entry);
int bind_vcpu(int fd, int cpu);
int unbind_vcpu(int fd);
int reset_vcpu(int fd);
/** reset_run() - RESET, but the machine stays */
int reset_run(int fd);
int run_vcpu(int fd, unsigned long flags);
int kick_vcpu(int fd);
int inject_event(int fd, uint32_t type, uint32_t vector);
int inject_irq(int fd, uint32_t vector);
int get_state(int fd);
int get_failure(int fd, struct axvcpu_failure *failure);
int set_state(int fd, uint32_t state);
int get_reg(int fd, uint64_t id, uint64_t *value);
int set_reg(int fd, uint64_t id, uint64_t value);
int list_regs(int fd, uint64_t *ids, uint32_t count);
int keep_state(struct guest_vcpu *v);
int restore_state(struct guest_vcpu *v, unsigned long flags);
int withdraw_event(int fd, uint32_t type, uint32_t vector);
int get_state_of(struct guest_vcpu *v, struct axvcpu_reg *regs);
int set_state_of(struct guest_vcpu *v, const struct axvcpu_reg *regs, int count);
int get_stats(int fd, struct axvcpu_stats *stats);

int module_load(const char *name, const char *args);
int module_unload(const char *name);

/**
 * xioctl() - ioctl() that returns a negative errno
 * @fd: descriptor
 * @cmd: command
 * @arg: pointer or integer
 *
 * Return: what ioctl() returned, or a negative errno.
 */
static inline int xioctl(int fd, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/** XIOCTL() - the same for a pointer */
#define XIOCTL(fd, cmd, ptr)	xioctl(fd, cmd, (unsigned long)(ptr))

/* Writing a program. What does not fit ends the test program at once. */

void g_begin(struct guest_prog *p, struct guest *g, uint64_t gpa);
uint64_t g_end(struct guest_prog *p);
int g_label(struct guest_prog *p);
void g_place(struct guest_prog *p, int label);
int g_here(struct guest_prog *p);
void g_emit(struct guest_prog *p, const void *bytes, size_t n);
void g_fixup(struct guest_prog *p, int label);

#define G_OP(name, params, args)				\
static inline void g_##name params				\
{								\
	p->isa->name args;					\
}

/** g_movi() - reg = value */
G_OP(movi, (struct guest_prog *p, enum guest_reg reg, uint64_t value), (p, reg, value))
/** g_addi() - reg += value */
G_OP(addi, (struct guest_prog *p, enum guest_reg reg, uint64_t value), (p, reg, value))
/** g_load() - reg = memory at base, zero-extended */
G_OP(load, (struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width),
     (p, reg, base, width))
/** g_store() - memory at base = reg */
G_OP(store, (struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width),
     (p, reg, base, width))
/** g_out() - IO_WRITE exit */
G_OP(out, (struct guest_prog *p, uint16_t port, enum guest_reg reg, int width),
     (p, port, reg, width))
/** g_in() - IO_READ exit */
G_OP(in, (struct guest_prog *p, uint16_t port, enum guest_reg reg, int width),
     (p, port, reg, width))
/** g_hypercall() - HYPERCALL exit; the answer goes to reg */
G_OP(hypercall, (struct guest_prog *p, uint64_t nr, const uint64_t *args, enum guest_reg reg),
     (p, nr, args, reg))
/** g_rdsys() - SYSREG_READ exit */
G_OP(rdsys, (struct guest_prog *p, uint64_t addr, enum guest_reg reg), (p, addr, reg))
/** g_wrsys() - SYSREG_WRITE exit */
G_OP(wrsys, (struct guest_prog *p, uint64_t addr, enum guest_reg reg), (p, addr, reg))
/** g_halt() - HALT exit, or Blocked */
G_OP(halt, (struct guest_prog *p), (p))
/** g_jmp() - go to a label */
G_OP(jmp, (struct guest_prog *p, int label), (p, label))
/** g_jnz() - go to a label if reg is not 0 */
G_OP(jnz, (struct guest_prog *p, enum guest_reg reg, int label), (p, reg, label))
/*
 * g_spin() - in a loop without exits, with interrupts off
 *
 * Bochs forgets at each VM entry that the host's interrupts come all the same,
 * until the guest turns its own off again.
 */
G_OP(spin, (struct guest_prog *p), (p))
/** g_kernel_exit() - an exit that the kernel handles */
G_OP(kernel_exit, (struct guest_prog *p), (p))
/** g_shutdown() - SHUTDOWN exit */
G_OP(shutdown, (struct guest_prog *p), (p))
/** g_unknown() - UNKNOWN exit */
G_OP(unknown, (struct guest_prog *p), (p))
/** g_sti() - interrupts may be taken */
G_OP(sti, (struct guest_prog *p), (p))
/** g_cli() - interrupts may not be taken */
G_OP(cli, (struct guest_prog *p), (p))
/** g_irq_handler() - from here on interrupts and exceptions go to a label, interrupts off */
G_OP(irq_handler, (struct guest_prog *p, int label), (p, label))
/** g_get_vector() - reg = vector, in the handler */
G_OP(get_vector, (struct guest_prog *p, enum guest_reg reg), (p, reg))
/** g_iret() - the end of a handler */
G_OP(iret, (struct guest_prog *p), (p))

int g_begin_with_irqs(struct guest_prog *p, struct guest *g);
void g_count_irqs(struct guest_prog *p, int handler, uint16_t port);
int g_start_with_irqs(struct guest_prog *p, struct guest *g, struct guest_vcpu *v, int handler,
		      uint16_t port);
void g_loop_forever(struct guest_prog *p);

/**
 * greg() - a register in the run page
 * @v: vCPU, not in RUN
 * @reg: register
 *
 * Return: where it stands.
 */
static inline volatile __u64 *greg(struct guest_vcpu *v, enum guest_reg reg)
{
	return &v->run->regs.raw[v->isa->gpr[reg]];
}

/**
 * guest_is_fast() - is there time for many rounds?
 * @g: guest
 *
 * The mock runs in an emulator that translates; the machines that have
 * virtualization hardware are interpreted, and about 20 times slower.
 *
 * Return: whether it is the former.
 */
static inline bool guest_is_fast(const struct guest *g)
{
	return g->info.backend == AXVCPU_BACKEND_MOCK;
}

/**
 * struct vcpu_thread - a thread that is inside RUN
 * @thread: the thread; it blocks all signals but SIGUSR1
 * @v: the vCPU
 * @flags: of RUN
 * @err: what RUN returned
 * @done: it has returned
 */
struct vcpu_thread {
	pthread_t thread;
	struct guest_vcpu *v;
	unsigned long flags;
	int err;
	volatile bool done;
};

int thread_start(struct vcpu_thread *t, struct guest_vcpu *v, unsigned long flags);
int thread_join(struct vcpu_thread *t);
int thread_stop(struct vcpu_thread *t);
int wait_for_state(int fd, int state);

/** union guest_arg - the argument of any ioctl, and room behind it */
union guest_arg {
	struct axvcpu_create_vcpu create_vcpu;
	struct axvcpu_map map;
	struct axvcpu_unmap unmap;
	struct axvcpu_protect protect;
	struct axvcpu_get_dirty get_dirty;
	struct axvcpu_setup setup;
	struct axvcpu_bind bind;
	struct axvcpu_set_state set_state;
	struct axvcpu_set_entry set_entry;
	struct axvcpu_set_ept_root set_ept_root;
	struct axvcpu_vcpu_info vcpu_info;
	struct axvcpu_regs regs;
	struct axvcpu_reg_list reg_list;
	struct axvcpu_inject inject;
	struct axvcpu_stats stats;
	struct axvcpu_history history;
	struct axvcpu_call_log call_log;
	struct axvcpu_set_debug set_debug;
	uint8_t bytes[16384];
};

void good_arg(struct guest *g, unsigned int cmd, union guest_arg *arg);
int good_call(struct guest *g, struct guest_vcpu *v, unsigned int cmd);
int run_until(struct guest_vcpu *v, uint32_t reason);
int run_until_done(struct guest_vcpu *v);
bool time_for_another(int round, int least, unsigned long long began);
int pin_to_cpu(int cpu);
int write_text(const char *path, const char *text);
int open_uffd(void *mem, uint64_t size);
unsigned long long now_ns(void);
void sleep_ns(unsigned long long ns);
long kernel_memory(void);
long kernel_memory_growth(long before, long tolerated);

#endif /* _SELFTESTS_GUEST_H */
