// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program under the 64-bit kernel: the same structs, the same answers,
 * and its own segments or thread pointer, and way into the kernel, after RUN. It
 * is linked with nothing, as a 32-bit C library need not be there.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/axvcpu.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "../arch/mock/axvcpu_mock_abi.h"

#define SIZE(type, bytes) \
	static_assert(sizeof(struct type) == (bytes), #type)
#define AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define CONST(expression, value) \
	static_assert((unsigned long long)(expression) == (value), #expression)
#include "uapi_layout.h"

/* System calls of 32-bit programs; <asm/unistd.h> has them for what it is compiled for. */
enum {
	NR_EXIT = 1, NR_WRITE = 4, NR_OPEN = 5, NR_GETPID = 20, NR_IOCTL = 54, NR_MMAP2 = 192,
	NR_SCHED_SETAFFINITY = 241,
};

#define MEM_PAGES	32
#define PAGE		4096
#define ENTRY		0x1000
#define PORT		0x3f8
#define VALUE		0x5a

static bool check(bool ok, const char *what);
static long run_guest(void);

#ifdef __arm__
#include "arm64/compat32.h"
#else
#include "x86/compat32.h"
#endif

static long syscall3(long nr, long a, long b, long c)
{
	return syscall6(nr, (const long[]){ a, b, c, 0, 0, 0 });
}

static void *map(long length, int flags, int fd)
{
	long ret = syscall6(NR_MMAP2, (const long[]){ 0, length, PROT_READ | PROT_WRITE, flags,
						      fd, 0 });

	return (unsigned long)ret > -4096UL ? NULL : (void *)ret;
}

static long call(int fd, unsigned int cmd, void *arg)
{
	return syscall3(NR_IOCTL, fd, cmd, (long)arg);
}

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	syscall3(NR_WRITE, 1, (long)text, n);
}

static void say_number(unsigned int n)
{
	char text[12], *at = text + sizeof(text) - 1;

	*at = 0;
	do {
		*--at = '0' + n % 10;
		n /= 10;
	} while (n);
	say(at);
}

static unsigned int passed, failed;

static bool check(bool ok, const char *what)
{
	if (ok)
		passed++;
	else
		failed++;
	say(ok ? "ok " : "not ok ");
	say_number(passed + failed);
	say(" ");
	say(what);
	say("\n");
	return ok;
}

__attribute__((noreturn))
static void end(void)
{
	say("1..");
	say_number(passed + failed);
	say("\n# Totals: pass:");
	say_number(passed);
	say(" fail:");
	say_number(failed);
	say(" xfail:0 xpass:0 skip:0 error:0\n");
	syscall3(NR_EXIT, failed != 0, 0, 0);
	__builtin_unreachable();
}

/* What the next steps need: without it there are none. */
static void need(bool ok, const char *what)
{
	if (!check(ok, what))
		end();
}

static __u64 pointer(const void *p)
{
	return (unsigned long)p;
}

static struct {
	int dev;
	int aspace;
	int vcpu;
	unsigned int backend;
	__u8 *mem;
	struct axvcpu_run *run;
} t;

/* OUT over and over; on arm64, a store to where nothing is */
static const __u8 vmx_code[] = {
	0xba, PORT & 0xff, PORT >> 8,	/* mov $PORT, %dx */
	0xb0, VALUE,			/* mov $VALUE, %al */
	0xee,				/* out %al, %dx */
	0xeb, 0xfd,			/* jmp to the OUT */
};

static const struct axvcpu_mock_insn mock_code[] = {
	{ .op = MOCK_MOVI, .reg = 3, .imm = VALUE },
	{ .op = MOCK_OUT, .width = 1, .reg = 3, .imm = PORT },
	{ .op = MOCK_JMP, .imm = ENTRY + 0x10 },
};

static const __u32 vhe_code[] = {
	0xd2a80000 | 1,			/* movz x1, #0x4000, lsl #16 */
	0xf2800000 | PORT << 5 | 1,	/* movk x1, #PORT */
	0x52800000 | VALUE << 5 | 2,	/* movz w2, #VALUE */
	0x39000022,			/* strb w2, [x1] */
	0x17ffffff,			/* b to the STRB */
};

static const struct {
	const void *code;
	unsigned int size;
	__u64 reg;			/* one that the guest does not use */
	unsigned int exit;
} backends[] = {
	[AXVCPU_BACKEND_MOCK] = { mock_code, sizeof(mock_code), AXVCPU_MOCK_REG(5),
				  AXVCPU_EXIT_IO_WRITE },
	[AXVCPU_BACKEND_VMX] = { vmx_code, sizeof(vmx_code),
				 AXVCPU_X86_REG_GPR(AXVCPU_X86_RBP), AXVCPU_EXIT_IO_WRITE },
	[AXVCPU_BACKEND_VHE] = { vhe_code, sizeof(vhe_code), AXVCPU_ARM64_REG_X(5),
				 AXVCPU_EXIT_MMIO_WRITE },
};

static void write_guest(void)
{
	const __u8 *code = backends[t.backend].code;

	for (unsigned int i = 0; i < backends[t.backend].size; i++)
		((volatile __u8 *)t.mem)[ENTRY + i] = code[i];
}

static void make_guest(void)
{
	struct axvcpu_info info;
	struct axvcpu_create_aspace create_aspace = { 0 };
	__u64 cpus = 1;
	struct axvcpu_create_vcpu create_vcpu = {
		.vm_id = 7,
		.favor_phys_cpu = -1,
		.phys_cpu_set = pointer(&cpus),
		.phys_cpu_set_len = sizeof(cpus),
	};
	struct axvcpu_map memory = { .size = MEM_PAGES * PAGE, .flags = AXVCPU_MAP_ALL };
	struct axvcpu_setup setup = { .entry = ENTRY };
	struct axvcpu_bind bind = { .cpu = 0 };

	t.dev = syscall3(NR_OPEN, (long)"/dev/axvcpu", O_RDWR, 0);
	need(t.dev >= 0, "open");
	need(!call(t.dev, AXVCPU_GET_INFO, &info) && info.abi_version == AXVCPU_ABI_VERSION &&
	     info.run_size >= sizeof(struct axvcpu_run), "GET_INFO");
	t.backend = info.backend;
	need(t.backend < sizeof(backends) / sizeof(backends[0]) && backends[t.backend].code,
	     "a backend that has a guest here");
	t.aspace = call(t.dev, AXVCPU_CREATE_ASPACE, &create_aspace);
	need(t.aspace >= 0, "CREATE_ASPACE");
	t.vcpu = call(t.dev, AXVCPU_CREATE_VCPU, &create_vcpu);
	need(t.vcpu >= 0, "CREATE_VCPU with a set of CPUs");
	t.run = map(PAGE, MAP_SHARED, t.vcpu);
	need(t.run, "mmap of the run page");
	t.mem = map(MEM_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	need(t.mem, "mmap of memory");
	memory.uaddr = pointer(t.mem);
	need(!call(t.aspace, AXVCPU_MAP, &memory), "MAP");
	memory.gpa = 0x1000000;
	memory.uaddr |= 1ULL << 32;
	check(call(t.aspace, AXVCPU_MAP, &memory) < 0, "MAP does not cut off addresses");
	write_guest();
	setup.aspace_fd = t.aspace;
	if (t.backend == AXVCPU_BACKEND_VMX)
		setup.config.x86.mode = AXVCPU_X86_MODE_REAL;
	need(!call(t.vcpu, AXVCPU_SETUP, &setup), "SETUP");
	need(!call(t.vcpu, AXVCPU_BIND, &bind), "BIND");
}

/* RUN takes an integer. */
static long run_guest(void)
{
	return syscall3(NR_IOCTL, t.vcpu, AXVCPU_RUN, 0);
}

/* To an OUT */
static bool run_to_out(void)
{
	if (run_guest() || t.run->exit_reason != backends[t.backend].exit)
		return false;
	if (t.run->exit_reason == AXVCPU_EXIT_MMIO_WRITE)
		return t.run->mmio.gpa == (0x40000000 | PORT) && t.run->mmio.width == 1 &&
		       t.run->mmio.data == VALUE;
	return t.run->io.port == PORT && t.run->io.width == 1 && t.run->io.data == VALUE;
}

static void test_registers(void)
{
	struct axvcpu_reg reg = { .id = backends[t.backend].reg, .value = 0x1122334455667788ULL };
	struct axvcpu_regs regs = { .regs = pointer(&reg), .count = 1 };

	check(!call(t.vcpu, AXVCPU_SET_REGS, &regs), "SET_REGS");
	reg.value = 0;
	check(!call(t.vcpu, AXVCPU_GET_REGS, &regs) && reg.value == 0x1122334455667788ULL,
	      "GET_REGS: 64 bits come back");
	regs.regs |= 1ULL << 40;
	check(call(t.vcpu, AXVCPU_GET_REGS, &regs) == -EFAULT,
	      "GET_REGS does not cut off pointers");
}

static void test_queries(void)
{
	static struct axvcpu_history_entry entries[AXVCPU_HISTORY_LEN];
	static struct axvcpu_stats stats;
	struct axvcpu_history history = {
		.entries = pointer(entries), .count = AXVCPU_HISTORY_LEN,
	};
	struct axvcpu_state_info state;
	__u64 cpus = 0;
	struct axvcpu_vcpu_info info = {
		.phys_cpu_set = pointer(&cpus), .phys_cpu_set_len = sizeof(cpus),
	};

	check(!call(t.vcpu, AXVCPU_GET_STATE, &state) && state.state == AXVCPU_STATE_READY &&
	      !state.failure.seq, "GET_STATE");
	check(!call(t.vcpu, AXVCPU_GET_VCPU_INFO, &info) && info.vm_id == 7 && cpus == 1,
	      "GET_VCPU_INFO");
	check(!call(t.vcpu, AXVCPU_GET_STATS, &stats) &&
	      stats.exits[backends[t.backend].exit] == 2 && stats.kicks == 1 &&
	      stats.injections == 1, "GET_STATS");
	check(!call(t.vcpu, AXVCPU_GET_HISTORY, &history) && history.count >= 4 &&
	      entries[0].op == AXVCPU_OP_SETUP && entries[1].op == AXVCPU_OP_BIND, "GET_HISTORY");
}

static void test_events(void)
{
	struct axvcpu_inject inject = { .type = AXVCPU_EVENT_INTERRUPT, .vector = 0x40 };

	check(!call(t.vcpu, AXVCPU_INJECT, &inject), "INJECT");
	check(!syscall3(NR_IOCTL, t.vcpu, AXVCPU_KICK, 0), "KICK");
	check(run_guest() == -EINTR && t.run->exit_reason == AXVCPU_EXIT_NOTHING,
	      "RUN ends with the kick");
}

__attribute__((used, noreturn))
static void start(const unsigned long *sp)
{
	static const unsigned long first_cpu = 1;

	arch_start(sp);
	say("TAP version 13\n");
	/* As the vCPU, on the first CPU only */
	need(!syscall3(NR_SCHED_SETAFFINITY, 0, sizeof(first_cpu), (long)&first_cpu),
	     "sched_setaffinity");
	make_guest();
	need(run_to_out(), "RUN");
	test_registers();
	test_events();
	check(run_to_out(), "RUN again");
	test_queries();
	test_thread();
	check(call(t.dev, AXVCPU_RUN, NULL) == -ENOTTY, "ENOTTY");
	check(call(t.vcpu, AXVCPU_GET_STATE, NULL) == -EFAULT, "EFAULT");
	end();
}

START
