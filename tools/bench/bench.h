/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * axbench: what axvcpu costs, and what KVM costs for the same, on the same
 * machine, with the same guest, in the same boot.
 */
#ifndef AXBENCH_H
#define AXBENCH_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define PAGE		4096UL

/* Where things are in the guest's memory */
#define GUEST_CODE	0x1000UL	/* the image of guest_*.S */
#define GUEST_TABLES	0x100000UL	/* page tables, where the guest has some */
#define GUEST_DATA	0x200000UL	/* memory to touch */
#define GUEST_DATA_MAX	(64UL << 20)
#define GUEST_PIECES	(GUEST_DATA + GUEST_DATA_MAX)	/* many mappings of a page */
#define GUEST_PIECES_MAX	(48UL << 20)

/**
 * now() - the clock
 *
 * On the machines of the testbed it counts the instructions that were executed,
 * the host's and the guest's: Bochs' TSC does, and the virtual counter of QEMU
 * with -icount shift=0 and a counter of 1 GHz.
 *
 * Return: its ticks.
 */
static inline uint64_t now(void)
{
#if defined(__x86_64__)
	uint32_t low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return low | (uint64_t)high << 32;
#elif defined(__aarch64__)
	uint64_t ticks;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (ticks) : : "memory");
	return ticks;
#endif
}

/**
 * enum program - what the guest does; guest_*.S has them
 * @PROGRAM_EMPTY: as @PROGRAM_KERNEL_EXIT without the exits
 * @PROGRAM_KERNEL_EXIT: @arg0 exits that the kernel answers, then one to userspace
 * @PROGRAM_USER_EXIT: exits to userspace, one after the other
 * @PROGRAM_TOUCH: write to @arg0 pages from @arg1 on, then exit to userspace
 * @PROGRAM_SPIN: count at @arg1, for ever
 * @PROGRAM_INTERRUPTS: exits to userspace with interrupts on; the handler of
 *	interrupt %GUEST_VECTOR exits to userspace too
 * @PROGRAM_SYSREG: reads a system register that is the VMM's, again and again
 * @NR_PROGRAMS: how many there are
 */
enum program {
	PROGRAM_EMPTY,
	PROGRAM_KERNEL_EXIT,
	PROGRAM_USER_EXIT,
	PROGRAM_TOUCH,
	PROGRAM_SPIN,
	PROGRAM_INTERRUPTS,
	PROGRAM_SYSREG,
	NR_PROGRAMS,
};

/**
 * enum state_part - how much of a vCPU's state
 * @STATE_ONE: the program counter
 * @STATE_SOME: %NR_SOME registers, those that a walk of page tables or a debugger wants
 * @STATE_ALL: all registers
 * @STATE_WHOLE: all that makes up the vCPU, by the cheapest calls that there are
 */
enum state_part {
	STATE_ONE,
	STATE_SOME,
	STATE_ALL,
	STATE_WHOLE,
};

#define NR_SOME		14
#define GUEST_VECTOR	0x40
#define KICK_SIGNAL	SIGUSR1

/* The image, and the offsets of the programs in it */
extern const uint8_t guest_image[], guest_image_end[];
extern const uint32_t guest_programs[NR_PROGRAMS];

struct hypervisor;
struct axvcpu_aspace;
struct axvcpu_device;
struct axvcpu_run;
struct axvcpu_setup;
struct axvcpu_vcpu;
struct kvm_run;

/**
 * struct vm - a virtual machine with one vCPU
 * @hv: whose
 * @mem: its memory, at guest-physical address 0
 * @size: of @mem, in bytes
 * @plain: made with as little as the hypervisor lets one: for what a life costs.
 *	KVM's has interrupt controllers, with which it is cheaper to make and to end
 * @fd: descriptor of the vCPU
 * @run_command: the ioctl that runs it
 * @exit_reason: in the run page
 * @user_exit: the reason of the exit that the guest's programs make
 * @answer: to that exit, in the run page
 * @immediate_exit: in the run page
 * @device: axvcpu's
 * @aspace: axvcpu's
 * @vcpu: axvcpu's
 * @kvm_fd: KVM's device
 * @vm_fd: KVM's machine
 * @page: KVM's run page
 * @page_size: of @page, in bytes
 */
struct vm {
	const struct hypervisor *hv;
	uint8_t *mem;
	size_t size;
	bool plain;
	int fd;
	unsigned long run_command;
	volatile uint32_t *exit_reason;
	uint32_t user_exit;
	volatile uint64_t *answer;
	volatile uint8_t *immediate_exit;
	struct axvcpu_device *device;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	int kvm_fd;
	int vm_fd;
	void *page;
	size_t page_size;
};

/**
 * struct hypervisor - one of the two
 * @name: for people
 * @acquire: make it ready for use; 0 or a negative errno
 * @release: let the other one have the hardware
 * @open: the device, an address space with @vm's memory in it, and a vCPU; of
 *	KVM's forms the one that costs it least. 0 or a negative errno
 * @close: end all of it, whatever of it there is
 * @start: the next run starts with a program
 * @map: map more memory, by slots that are numbered from 1
 * @add_vcpu: another vCPU, which has run once: its descriptor, or a negative errno
 * @kick_init: in the thread that will be kicked, %KICK_SIGNAL being blocked
 * @kick: another thread makes its run return
 * @state: read a part of the state (false), or write what was read last
 * @interrupt: queue interrupt %GUEST_VECTOR, or raise the line and lower it again
 */
struct hypervisor {
	const char *name;
	int (*acquire)(void);
	void (*release)(void);
	int (*open)(struct vm *vm);
	void (*close)(struct vm *vm);
	int (*start)(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1);
	int (*map)(struct vm *vm, unsigned int slot, uint64_t gpa, void *mem, size_t size);
	int (*add_vcpu)(struct vm *vm, unsigned int id);
	int (*kick_init)(struct vm *vm);
	int (*kick)(struct vm *vm, pthread_t thread);
	int (*state)(struct vm *vm, enum state_part part, bool put);
	int (*interrupt)(struct vm *vm, bool up);
};

extern const struct hypervisor hypervisor_axvcpu;	/* axvcpu.c */
extern const struct hypervisor hypervisor_kvm;		/* kvm.c */

/* vcpu_*.c: what is particular to an architecture */
extern const char *const kvm_modules[];	/* in the order of loading, then NULL */
extern const uint32_t kvm_user_exit;
extern const uint32_t axvcpu_user_exit;
extern const unsigned int switch_instructions;	/* of a bare entry and exit */
extern const unsigned int pages_of_vcpu;	/* that the CPU wants for one */
extern const uint64_t some_regs[NR_SOME];	/* axvcpu's ids */
int guest_init_memory(uint8_t *mem);
int kvm_init_vm(struct vm *vm);
int kvm_init_vcpu(struct vm *vm);
int kvm_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1);
int kvm_state(struct vm *vm, enum state_part part, bool put);
int kvm_interrupt(struct vm *vm, bool up);
uint64_t *kvm_answer(struct kvm_run *run);
uint64_t *axvcpu_answer(struct axvcpu_run *run);
int axvcpu_interrupt(struct vm *vm, bool up);
void axvcpu_setup_init(const struct vm *vm, struct axvcpu_setup *setup);
int axvcpu_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1);

/**
 * raw_ioctl() - ioctl() without the C library
 * @fd: descriptor
 * @command: ioctl
 * @arg: its argument
 *
 * Return: 0 or more, or a negative errno.
 */
static inline long raw_ioctl(int fd, unsigned long command, unsigned long arg)
{
#if defined(__x86_64__)
	register long ret asm("rax") = SYS_ioctl;

	asm volatile("syscall" : "+r" (ret) : "D" ((long)fd), "S" (command), "d" (arg)
		     : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x0 asm("x0") = fd;
	register long x1 asm("x1") = command;
	register long x2 asm("x2") = arg;
	register long x8 asm("x8") = SYS_ioctl;

	asm volatile("svc #0" : "+r" (x0) : "r" (x1), "r" (x2), "r" (x8) : "memory");
	return x0;
#endif
}

/**
 * vm_run() - run the guest
 * @vm: the machine
 *
 * The same instructions for both hypervisors.
 *
 * Return: 0 or a negative errno.
 */
static inline long vm_run(const struct vm *vm)
{
	return raw_ioctl(vm->fd, vm->run_command, 0);
}

/**
 * vm_run_to_exit() - run until the guest exits to userspace
 * @vm: the machine
 *
 * Return: 0 or a negative errno; -EPROTO: it exited for something else.
 */
static inline long vm_run_to_exit(const struct vm *vm)
{
	long err = vm_run(vm);

	if (!err && *vm->exit_reason != vm->user_exit)
		err = -EPROTO;
	return err;
}

int run_program(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1,
		uint64_t *ticks);
void touch(uint8_t *mem, size_t size);
int vm_open(struct vm *vm, const struct hypervisor *hv, size_t size);
void vm_close(struct vm *vm);

#define MAX_FIGURES	16

/* modules.c */
bool module_exists(const char *name);
int module_load(const char *name);
int module_unload(const char *name);

/**
 * struct figures - costs of one thing, by one hypervisor
 * @count: how many
 * @cost: ticks, sorted
 */
struct figures {
	unsigned int count;
	double cost[MAX_FIGURES];
};

void figures_add(struct figures *figures, double cost);
double figures_median(const struct figures *figures);
double figures_spread(const struct figures *figures);

/**
 * struct clock_check - what a tick of the clock is
 * @ticks_per_instruction: of a loop of known length
 * @ticks_per_ns: of the kernel's clock
 */
struct clock_check {
	double ticks_per_instruction;
	double ticks_per_ns;
};

void check_clock(struct clock_check *check);
uint64_t process_ticks(const struct clock_check *check);

/**
 * struct row - a line of the table
 * @name: for the command line and the JSON
 * @about: for the table
 * @budget: of ours / KVM's
 * @rounds: in a batch
 * @short_rounds: with --short
 * @cpus: that it needs; 0: one
 * @is_exit: exits are counted in it
 * @bare: @batch makes its machines itself
 * @batch: do it @rounds times: ticks for one. 0 or a negative errno
 * @of: what it is compared with, of axvcpu too; NULL: the same of KVM
 * @floor: as @batch: what it can't do without; NULL: not known
 * @limit: of ours, in ticks; 0: none
 * @known: what is known to be over the budget, as Documentation/bench.rst says why:
 *	only more than this fails; 0: nothing is
 */
struct row {
	const char *name;
	const char *about;
	double budget;
	unsigned int rounds;
	unsigned int short_rounds;
	unsigned int cpus;
	bool is_exit;
	bool bare;
	int (*batch)(struct vm *vm, unsigned int rounds, double *cost);
	int (*of)(struct vm *vm, unsigned int rounds, double *cost);
	int (*floor)(struct vm *vm, unsigned int rounds, double *cost);
	unsigned int limit;
	double known;
};

int measure_kick(struct vm *vm, unsigned int rounds, double *cost);	/* kick.c */

/* fault.c */
int measure_fault(struct vm *vm, unsigned int rounds, double *cost);
int measure_fault_mapping(struct vm *vm, unsigned int rounds, double *cost);
int measure_fault_busy(struct vm *vm, unsigned int rounds, double *cost);

int measure_memory(struct vm *vm, unsigned int rounds, double *cost);	/* memory.c */
int measure_memory_huge(struct vm *vm, unsigned int rounds, double *cost);
int memory_floor(struct vm *vm, unsigned int rounds, double *cost);
int memory_huge_floor(struct vm *vm, unsigned int rounds, double *cost);

/* state.c */
int measure_get_one(struct vm *vm, unsigned int rounds, double *cost);
int measure_set_one(struct vm *vm, unsigned int rounds, double *cost);
int measure_get_some(struct vm *vm, unsigned int rounds, double *cost);
int measure_set_some(struct vm *vm, unsigned int rounds, double *cost);
int measure_get_all(struct vm *vm, unsigned int rounds, double *cost);
int measure_set_all(struct vm *vm, unsigned int rounds, double *cost);
int measure_keep_state(struct vm *vm, unsigned int rounds, double *cost);
int measure_restore_state(struct vm *vm, unsigned int rounds, double *cost);

/* floors.c */
int floor_ioctl(struct vm *vm, unsigned int rounds, double *cost);
int floor_switch(struct vm *vm, unsigned int rounds, double *cost);
int floor_call_and_switch(struct vm *vm, unsigned int rounds, double *cost);
int floor_interrupt(struct vm *vm, unsigned int rounds, double *cost);
int floor_fill(struct vm *vm, unsigned int rounds, double *cost);
int floor_fresh(struct vm *vm, unsigned int rounds, double *cost);
int floor_life(struct vm *vm, unsigned int rounds, double *cost);

extern const struct row rows[];
extern const size_t nr_rows;
extern struct clock_check clock_check;

#define MAX_COUNTS	16

/**
 * struct count - what the counting build of the module has counted
 * @name: as it calls it
 * @value: how many in a round
 */
struct count {
	char name[16];
	double value;
};

struct counts {
	unsigned int nr;
	struct count count[MAX_COUNTS];
};

/**
 * struct count_limit - how many there may be
 * @row: in a round of this
 * @count: of these
 * @limit: so many
 */
struct count_limit {
	const char *row;
	const char *count;
	unsigned int limit;
};

/**
 * struct result - a row with its figures
 * @row: the row
 * @ours: axvcpu's
 * @kvm: KVM's, or those of &struct row.of
 * @floor: what both can't do without; 0: not known
 * @counts: of axvcpu, in a round
 * @error: why there are none
 */
struct result {
	const struct row *row;
	struct figures ours;
	struct figures kvm;
	double floor;
	struct counts counts;
	int error;
};

/* counts.c */
extern const struct count_limit count_limits[];	/* vcpu_*.c; to the one without a row */
unsigned int count_limit(const struct row *row, const char *name);
bool counts_are_good(const struct row *row, const struct counts *counts);
void count_all(struct result *results, size_t count);

bool report(FILE *out, const struct result *results, size_t count, bool tap);
void report_json(FILE *out, const struct result *results, size_t count);

int scale_main(FILE *out, const char *json, const char *only, bool tap);	/* scale.c */

#endif /* AXBENCH_H */
