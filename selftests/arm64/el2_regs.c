// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest leaves of the host's registers at EL2, and of KVM's: a module
 * reads them before and after, on the CPU that the guest ran on.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "arm64.h"
#include "kvm_guest.h"

#define CPU		1
#define MAX_REGS	128
#define FILES		"/sys/kernel/debug/el2_regs"

/* ZEN and SMEN for userspace: the host turns them on when a thread comes to use them */
#define CPTR_EL0	(1ULL << 17 | 1ULL << 25)

/* One INTID a list register, and more */
#define NR_INTERRUPTS	24

struct snapshot {
	int count;
	struct {
		char name[32];
		uint64_t value;
	} reg[MAX_REGS];
};

static FILE *open_regs(int cpu, const char *mode)
{
	char path[64];

	snprintf(path, sizeof(path), FILES "/cpu%d", cpu);
	return fopen(path, mode);
}

/* Returns the number of registers, 0 if there is nobody who tells. */
static int take_snapshot(int cpu, struct snapshot *s)
{
	FILE *file = open_regs(cpu, "re");
	unsigned long long value;

	s->count = 0;
	if (!file)
		return 0;
	while (s->count < MAX_REGS &&
	       fscanf(file, "%31s %llx", s->reg[s->count].name, &value) == 2) {
		if (!strcmp(s->reg[s->count].name, "CPTR_EL2"))
			value &= ~CPTR_EL0;
		s->reg[s->count++].value = value;
	}
	fclose(file);
	return s->count;
}

static int set_register(int cpu, const char *name, uint64_t value)
{
	FILE *file = open_regs(cpu, "we");
	int err;

	if (!file)
		return -errno;
	fprintf(file, "%s %llx", name, (unsigned long long)value);
	err = fclose(file) ? -errno : 0;
	return err;
}

/* The number of registers that changed; they are named on @out. */
static int compare(const struct snapshot *before, const struct snapshot *after, FILE *out)
{
	int differences = before->count != after->count;

	for (int i = 0; i < before->count && i < after->count; i++) {
		if (before->reg[i].value == after->reg[i].value)
			continue;
		differences++;
		if (!out)
			continue;
		fprintf(out, "# %s: %llx before, %llx after\n", before->reg[i].name,
			(unsigned long long)before->reg[i].value,
			(unsigned long long)after->reg[i].value);
	}
	return differences;
}

/* Made to differ from what any guest of ours has, or an earlier one may have left */
static const struct {
	const char *name;
	uint64_t change;
} strangers[] = {
	{ "MDCR_EL2", 1 << 10 },		/* TDOSA */
	{ "CNTHCTL_EL2", 1 << 10 },		/* EL1PCTEN */
	{ "VTTBR_EL2", 0x77000012345000 },
	{ "VTCR_EL2", 0x3f },
	{ "VPIDR_EL2", 0x12345678 },
	{ "VMPIDR_EL2", 0x543 },
	{ "CNTVOFF_EL2", 0x123456789ab },
};

static struct snapshot was, before, after;

static void set_strangers(bool on)
{
	for (int i = 0; i < was.count; i++) {
		for (int j = 0; j < ARRAY_SIZE(strangers); j++) {
			if (!strcmp(was.reg[i].name, strangers[j].name))
				set_register(CPU, was.reg[i].name,
					     was.reg[i].value ^ (on ? strangers[j].change : 0));
		}
	}
}

static int begin(void)
{
	int err = module_load("el2_regs", "");

	pin_to_cpu(CPU);
	if (err && err != -EEXIST)
		return err;
	if (!take_snapshot(CPU, &was))
		return -ENOENT;
	set_strangers(true);
	if (!take_snapshot(CPU, &before))
		return -ENOENT;
	return compare(&was, &before, NULL) == ARRAY_SIZE(strangers) ? 0 : -EIO;
}

/* The module stays until all tests are through: it harms nobody. */
static void end(void)
{
	set_strangers(false);
}

#define EXPECT_UNCHANGED()							\
do {										\
	ASSERT_LT(0, take_snapshot(CPU, &after));				\
	EXPECT_EQ(0, compare(&before, &after, stderr));					\
} while (0)

#define WRITE(name)	"msr " name ", x20\n add x20, x20, #0x800\n"

PROGRAM(registers_program,
	"1:" WRITE("tpidr_el0") WRITE("tpidrro_el0") WRITE("tpidr_el1") WRITE("ttbr0_el1")
	WRITE("ttbr1_el1") WRITE("tcr_el1") WRITE("spsr_el1") WRITE("elr_el1") WRITE("esr_el1")
	WRITE("far_el1") WRITE("par_el1") WRITE("vbar_el1") WRITE("mair_el1")
	WRITE("contextidr_el1") WRITE("sp_el0") WRITE("cntkctl_el1") WRITE("csselr_el1")
	MEET(0x70) "b 1b\n");

/* A2, A9, A10: HCR_EL2, VBAR_EL2, VTTBR_EL2 and the rest are the host's when RUN is back. */
TEST_F(arm64, el2_is_the_hosts_after_a_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, registers_program, registers_program_end));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, 1ULL << 50));
	self->x[20] = 0x10000000;
	for (int i = 0; i < 5; i++) {
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	end();
}

/* x22: until it fires; it is acknowledged, handled, and armed again. */
PROGRAM(timer_program,
	IRQ_SETUP("el2_timer")
	"1: mov x21, #0\n msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	MEET(0x70)
	"msr daifclr, #2\n 2: cbz x21, 2b\n msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("el2_timer")
	"el2_timer: mrs x1, s3_0_c12_c12_0\n" MEET(0x71)
	"msr cntv_ctl_el0, xzr\n isb\n msr s3_0_c12_c12_1, x1\n" MEET(0x72) "mov x21, #1\n eret\n");

/* A8: armed, fired and not taken, taken and not ended */
TEST_F(arm64, timer_is_off_after_a_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	self->x[22] = 0x100000;
	for (int i = 0; i < 5; i++) {
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
		EXPECT_MEET(0x71);
		EXPECT_EQ(27, self->x[1]);
		EXPECT_UNCHANGED();
		EXPECT_MEET(0x72);
		EXPECT_UNCHANGED();
		self->x[22] = 0;
	}
	end();
}

PROGRAM(user_timer_program,
	"msr cntv_tval_el0, xzr\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"1: " MEET(0x70) "b 1b\n");

/* The VMM has been told of the timer, and the guest does not turn it off. */
TEST_F(arm64, told_timer_is_off_after_a_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start_with(self, AXVCPU_ARM64_SETUP_USER_GIC, user_timer_program,
				user_timer_program_end));
	ASSERT_EQ(AXVCPU_EXIT_EXTERNAL_INTERRUPT, run(self, 0));
	EXPECT_UNCHANGED();
	for (int i = 0; i < 5; i++) {
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	end();
}

/* Interrupts are masked by PSTATE: they stay in list registers. */
PROGRAM(gic_program,
	"mov x0, #0xe0\n msr s3_0_c4_c6_0, x0\n mov x0, #1\n msr s3_0_c12_c12_7, x0\n"
	"mov x0, #5\n msr s3_0_c12_c12_3, x0\n mov x0, #2\n msr s3_0_c12_c12_4, x0\n isb\n"
	"1: " MEET(0x70) "cbz x8, 1b\n mrs x9, s3_0_c12_c12_0\n b 1b\n");

/* A19 */
TEST_F(arm64, gic_is_empty_after_a_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, gic_program, gic_program_end));
	EXPECT_MEET(0x70);
	EXPECT_UNCHANGED();
	for (int i = 0; i < NR_INTERRUPTS; i++) {
		ASSERT_EQ(0, inject(self->v.fd, 32 + i, 8 * (NR_INTERRUPTS - i)));
		self->x[8] = i & 1;		/* some become active */
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
	ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_FIQ), 0));
	EXPECT_MEET(0x70);
	EXPECT_UNCHANGED();
	/* The error stays pending, too. */
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT,
			    (&(struct axvcpu_inject){ .type = AXVCPU_EVENT_EXCEPTION,
						     .vector = 0x2f })));
	EXPECT_MEET(0x70);
	EXPECT_UNCHANGED();
	end();
}

static volatile uint64_t watched[2];

static __attribute__((noinline)) void breakpoint(int n)
{
	asm volatile("" : : "r" (n));
}

/* The thread's own, as gdb or perf has them */
static int host_breakpoint(unsigned int type, uintptr_t addr)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = type,
		.bp_addr = addr,
		.bp_len = type == HW_BREAKPOINT_X ? HW_BREAKPOINT_LEN_4 : HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	return fd < 0 ? -errno : fd;
}

static uint64_t hits(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : ~0ULL;
}

/* Breakpoints and watchpoints of the guest; x20: MDSCR_EL1 */
PROGRAM(debug_program,
	"mov x0, #0x5000\n msr dbgbvr0_el1, x0\n msr dbgbvr1_el1, x0\n"
	"msr dbgwvr0_el1, x0\n msr dbgwvr1_el1, x0\n"
	"mov x0, #0x1e7\n msr dbgbcr0_el1, x0\n msr dbgbcr1_el1, x0\n"
	"mov x0, #0x1ff7\n msr dbgwcr0_el1, x0\n msr dbgwcr1_el1, x0\n"
	"1: msr mdscr_el1, x20\n isb\n" MEET(0x70) "b 1b\n");

/* A debugger of the guest's, with all that the CPU has, and none */
static int debug_guest(int fd, bool on)
{
	struct axvcpu_set_debug args = { .flags = on ? AXVCPU_DEBUG_STEP : 0 };

	for (int i = 0; on && i < AXVCPU_NR_BREAKPOINTS; i++) {
		args.breakpoints[i].addr = 0x5000 + 16 * i;
		args.breakpoints[i].kind = i & 1 ? AXVCPU_BREAK_EXEC : AXVCPU_BREAK_ACCESS;
		args.breakpoints[i].len = 4;
		if (XIOCTL(fd, AXVCPU_SET_DEBUG, &args))
			args.breakpoints[i].kind = AXVCPU_BREAK_NONE;
	}
	return XIOCTL(fd, AXVCPU_SET_DEBUG, &args);
}

/* A9: those of the thread are there, and work. */
TEST_F(arm64, breakpoints_are_the_hosts_after_a_run)
{
	int fd[] = {
		host_breakpoint(HW_BREAKPOINT_W, (uintptr_t)&watched[0]),
		host_breakpoint(HW_BREAKPOINT_W, (uintptr_t)&watched[1]),
		host_breakpoint(HW_BREAKPOINT_X, (uintptr_t)breakpoint),
		host_breakpoint(HW_BREAKPOINT_X, (uintptr_t)hits),
	};
	uint64_t count = 0;

	for (int i = 0; i < ARRAY_SIZE(fd); i++)
		ASSERT_LT(0, fd[i]);
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, debug_program, debug_program_end));
	for (int i = 0; i < 12; i++) {
		self->x[20] = i & 1 ? 0xa000 : 0;
		ASSERT_EQ(0, debug_guest(self->v.fd, i >= 6));
		while (run(self, AXVCPU_RUN_WAIT) == AXVCPU_EXIT_DEBUG)
			EXPECT_UNCHANGED();
		ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
		EXPECT_UNCHANGED();
		watched[0] = i;
		watched[1] = i;
		breakpoint(i);
		count = hits(fd[2]);
		EXPECT_EQ(i + 1, hits(fd[0]));
		EXPECT_EQ(i + 1, hits(fd[1]));
		EXPECT_EQ(i + 1, count);
	}
	end();
}

/* All keys, and a pointer is signed: from then on the guest has its own. */
PROGRAM(keys_program,
	"msr s3_0_c2_c1_0, x20\n msr s3_0_c2_c1_1, x20\n msr s3_0_c2_c1_2, x20\n"
	"msr s3_0_c2_c1_3, x20\n msr s3_0_c2_c2_0, x20\n msr s3_0_c2_c2_1, x20\n"
	"msr s3_0_c2_c2_2, x20\n msr s3_0_c2_c2_3, x20\n msr s3_0_c2_c3_0, x20\n"
	"msr s3_0_c2_c3_1, x20\n isb\n"
	"1: mov x1, #0x5000\n .arch_extension pauth\n pacia x1, x2\n" MEET(0x70) "b 1b\n");

TEST_F(arm64, keys_are_the_hosts_after_a_run)
{
	uint64_t isar1, isar2;

	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 1), &isar1));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 0, 0, 6, 2), &isar2));
	if (!(isar1 & 0xff0) && !(isar2 & 0xf000))
		SKIP(return, "no pointer authentication");
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, keys_program, keys_program_end));
	self->x[20] = 0x1234567890abcdef;
	for (int i = 0; i < 5; i++) {
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	end();
}

PROGRAM(fp_program,
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n"
	"1: dup v0.2d, x20\n msr fpcr, xzr\n" MEET(0x70) "b 1b\n");

TEST_F(arm64, traps_of_fp_are_the_hosts_after_a_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, fp_program, fp_program_end));
	for (int i = 0; i < 5; i++) {
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	end();
}

/* An entry that is none, and one that a kick prevents */
TEST_F(arm64, el2_is_the_hosts_after_no_run)
{
	ASSERT_EQ(0, begin());
	ASSERT_EQ(0, start(self, fp_program, fp_program_end));
	ASSERT_EQ(0, kick_vcpu(self->v.fd));
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	EXPECT_UNCHANGED();
	EXPECT_MEET(0x70);
	self->run->regs.arm64.pstate = 0x10;
	self->run->regs_dirty = 1;
	ASSERT_EQ(AXVCPU_EXIT_FAIL_ENTRY, run(self, 0));
	EXPECT_UNCHANGED();
	end();
}

/* --- taken off the CPU anywhere ---------------------------------------------- */

/* Keys, FP, breakpoints, interrupts, and a timer that fires again and again; no exit. */
PROGRAM(busy_program,
	IRQ_SETUP("el2_busy")
	"mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n dup v0.2d, x20\n"
	"mov x20, #0x1234\n msr s3_0_c2_c1_0, x20\n msr s3_0_c2_c1_2, x20\n msr s3_0_c2_c2_0, x20\n"
	"msr s3_0_c2_c2_2, x20\n msr s3_0_c2_c3_0, x20\n"
	"msr tpidr_el0, x20\n msr tpidrro_el0, x20\n"
	"mov x0, #0x8000\n msr mdscr_el1, x0\n"
	"mov x0, #0x4000\n msr cntv_tval_el0, x0\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"msr daifclr, #2\n"
	"1: .arch_extension pauth\n pacia x1, x2\n dup v0.2d, x1\n b 1b\n"
	IRQ_VECTORS("el2_busy")
	"el2_busy: mrs x1, s3_0_c12_c12_0\n mov x0, #0x4000\n msr cntv_tval_el0, x0\n isb\n"
	"msr s3_0_c12_c12_1, x1\n eret\n");

/* In a process of its own, which never ends. */
static void be_busy(void)
{
	FIXTURE_DATA(arm64) own = { 0 };

	if (guest_create(&own.g, 0) || vcpu_create(&own.g, &own.v, 0))
		_exit(1);
	own.run = own.v.run;
	own.x = own.run->regs.arm64.x;
	if (start_with(&own, 0, busy_program, busy_program_end))
		_exit(2);
	for (int i = 0; i < 8; i++)
		inject(own.v.fd, 1000 + i, 0xf0);
	for (;;)
		run(&own, AXVCPU_RUN_WAIT);
}

static pid_t start_busy(void)
{
	pid_t child = fork();

	if (!child)
		be_busy();
	return child;
}

static int runs_on(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set) ? -errno : 0;
}

/* Another thread gets the CPU in the middle of a section. */
TEST_F(arm64, el2_is_the_hosts_between_threads)
{
	pid_t child;

	ASSERT_EQ(0, begin());
	child = start_busy();
	ASSERT_LT(0, child);
	for (int i = 0; i < 40; i++) {
		usleep(10000 + 700 * i);
		EXPECT_UNCHANGED();
	}
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_UNCHANGED();
	end();
}

TEST_F(arm64, el2_is_the_hosts_after_a_kill)
{
	pid_t child;

	ASSERT_EQ(0, begin());
	for (int i = 0; i < 10; i++) {
		child = start_busy();
		ASSERT_LT(0, child);
		/* So that it is running when it dies */
		pin_to_cpu(1 - CPU);
		usleep(50000 + 3000 * i);
		EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
		pin_to_cpu(CPU);
		EXPECT_UNCHANGED();
	}
	end();
}

/* The scheduler moves it away in the middle of a section. */
TEST_F(arm64, el2_is_the_hosts_after_a_move)
{
	pid_t child;

	ASSERT_EQ(0, begin());
	child = start_busy();
	ASSERT_LT(0, child);
	for (int i = 0; i < 20; i++) {
		usleep(20000);
		ASSERT_EQ(0, runs_on(child, 1 - CPU));
		usleep(1000 * i);
		EXPECT_UNCHANGED();
		ASSERT_EQ(0, runs_on(child, CPU));
	}
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	end();
}

/* --- beside KVM -------------------------------------------------------------- */

PROGRAM(kvm_program, "1: str w20, [x21]\n b 1b\n");

/* Whatever KVM has left there is there again. */
TEST_F(arm64, el2_is_kvms_after_a_run)
{
	struct kvm_guest k;

	if (access("/dev/kvm", F_OK))
		SKIP(return, "no KVM");
	ASSERT_EQ(0, begin());
	end();
	ASSERT_EQ(0, kvm_create(&k, ENTRY, kvm_program, kvm_program_end));
	ASSERT_EQ(0, kvm_set_x(&k, 21, KVM_GUEST_PORT));
	ASSERT_EQ(0, start(self, registers_program, registers_program_end));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, kvm_turn(&k));
		ASSERT_LT(0, take_snapshot(CPU, &before));
		EXPECT_MEET(0x70);
		EXPECT_UNCHANGED();
	}
	kvm_destroy(&k);
}

TEST_HARNESS_MAIN
