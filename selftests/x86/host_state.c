// SPDX-License-Identifier: GPL-2.0-only
/*
 * What RUN leaves of the host: guests fill every register that they reach with
 * values of their own, and so does the thread that runs them; each finds its
 * own again.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "host_state.h"

#define NR_GUESTS	2
#define MAX_CPUS	8
#define FSGSBASE	(1 << 1)	/* AT_HWCAP2 */
#define EFER_ON		0x500		/* LME and LMA */
#define DR6_FIXED	0xffff0ff0
#define DR7_FIXED	0x400
#define FXSAVE_XMM	160
#define XSAVE_HEADER	512
#define XSAVE_YMM	576

/* MSRs of the host, next to those that guests have too */
static const uint32_t host_msrs[] = {
	0xc0000103,	/* TSC_AUX */
	0x1b,		/* APIC_BASE */
	0x3a,		/* FEATURE_CONTROL */
	0x1a0,		/* MISC_ENABLE */
	0x1d9,		/* DEBUGCTL */
	0xda0,		/* XSS */
};

#define NR_HOST_MSRS	(ARRAY_SIZE(host_msrs) + GUEST_NR_MSRS)

FIXTURE(host_state) {
	struct guest g;
	struct guest_vcpu v[NR_GUESTS];
	uint64_t at[NR_GUESTS];		/* where the guests' images are */
	int cpus;
	int msr[MAX_CPUS];
	uint32_t seed;
};

/* xorshift: one that a failure can be repeated with */
static uint64_t random64(uint32_t *seed)
{
	uint64_t value = 0;

	for (int i = 0; i < 4; i++) {
		*seed ^= *seed << 13;
		*seed ^= *seed >> 17;
		*seed ^= *seed << 5;
		value = value << 16 | (*seed & 0xffff);
	}
	return value;
}

static uint64_t random_address(uint32_t *seed)
{
	return (int64_t)(random64(seed) << 16) >> 16;
}

static void random_bytes(uint32_t *seed, uint8_t *p, size_t n)
{
	while (n--)
		*p++ = random64(seed);
}

/* Parts of an FXSAVE image that are registers, and where the rest begins. */
static const struct {
	uint16_t from, to;
} fxsave_parts[] = {
	{ 0, 5 }, { 6, 28 },
	{ 32, 42 }, { 48, 58 }, { 64, 74 }, { 80, 90 },
	{ 96, 106 }, { 112, 122 }, { 128, 138 }, { 144, 154 },
	{ FXSAVE_XMM, FXSAVE_XMM + 16 * 16 },
};

/* All exceptions of the x87 are masked, or its next instruction would fault. */
static void random_fxsave(uint32_t *seed, uint8_t *fx)
{
	uint16_t control = 0x37f ^ (random64(seed) & 0xf00);
	uint16_t status = random64(seed) & 0x7f7f, opcode = random64(seed) & 0x7ff;
	uint64_t ip = random64(seed) >> 17, dp = random64(seed) >> 17;
	uint32_t mxcsr = random64(seed) & 0xffff;

	for (int i = 0; i < ARRAY_SIZE(fxsave_parts); i++)
		random_bytes(seed, fx + fxsave_parts[i].from,
			     fxsave_parts[i].to - fxsave_parts[i].from);
	memcpy(fx + 0, &control, 2);
	memcpy(fx + 2, &status, 2);
	memcpy(fx + 6, &opcode, 2);
	memcpy(fx + 8, &ip, 8);
	memcpy(fx + 16, &dp, 8);
	memcpy(fx + 24, &mxcsr, 4);
}

/* The offset of the first byte that differs, or -1. */
static int fxsave_difference(const uint8_t *a, const uint8_t *b)
{
	for (int i = 0; i < ARRAY_SIZE(fxsave_parts); i++) {
		for (int n = fxsave_parts[i].from; n < fxsave_parts[i].to; n++) {
			if (a[n] != b[n])
				return n;
		}
	}
	return -1;
}

/* Selectors that a thread of 64 bits may load, 32-bit code among them */
static uint16_t random_selector(uint32_t *seed)
{
	static const uint16_t selectors[] = { 0, 0x2b, 0x23, 0x7b };

	return selectors[random64(seed) % ARRAY_SIZE(selectors)];
}

static void random_thread(uint32_t *seed, struct thread_state *t)
{
	uint64_t components = 7;

	memset(t, 0, sizeof(*t));
	random_fxsave(seed, t->xsave);
	memcpy(t->xsave + XSAVE_HEADER, &components, sizeof(components));
	random_bytes(seed, t->xsave + XSAVE_YMM, 256);
	/* ID, AC, OF, DF, SF, ZF, AF, PF, CF; NT is not for userspace to keep */
	t->rflags = (random64(seed) & 0x240cd5) | 0x202;
	t->fs_base = random64(seed) >> 17;
	t->gs_base = random64(seed) >> 17;
	for (int i = 0; i < NR_THREAD_SEGS; i++)
		t->seg[i] = random_selector(seed);
}

static uint64_t random_pat(uint32_t *seed)
{
	static const uint8_t types[] = { 0, 1, 4, 5, 6, 7 };
	uint64_t pat = 0;

	for (int i = 0; i < 8; i++)
		pat = pat << 8 | types[random64(seed) % ARRAY_SIZE(types)];
	return pat;
}

/* Breakpoints on data, where no guest goes. */
static uint64_t random_dr7(uint32_t *seed)
{
	return (random64(seed) & 0xffff03ff) | 0x11110000 | DR7_FIXED;
}

/* In the order of guest_msrs */
static void random_msrs(uint32_t *seed, uint64_t *msr)
{
	msr[0] = EFER_ON | (random64(seed) & 0x801);
	msr[1] = random64(seed);
	msr[2] = random_address(seed);
	msr[3] = random_address(seed);
	msr[4] = (uint32_t)random64(seed);
	msr[5] = random_address(seed);
	msr[6] = random_address(seed);
	msr[7] = random_address(seed);
	msr[8] = (uint32_t)random64(seed);
	msr[9] = random_address(seed);
	msr[10] = random_address(seed);
	msr[11] = random_pat(seed);
}

static uint16_t random_data_sel(uint32_t *seed)
{
	return random64(seed) & 1 ? GUEST_DATA_SEL : 0;
}

static void random_guest(uint32_t *seed, struct guest_state *s, uint64_t gdt)
{
	memset(s, 0, sizeof(*s));
	random_fxsave(seed, s->fxsave);
	for (int i = 0; i < 16; i++)
		s->gpr[i] = random64(seed);
	/* All but TF, IF and those of virtual-8086 mode */
	s->rflags = (random64(seed) & 0x247cd5) | 2;
	s->cr2 = random64(seed);
	s->cr8 = random64(seed) & 15;
	for (int i = 0; i < 4; i++)
		s->dr[i] = random64(seed) | 1ULL << 40;
	s->dr[4] = (random64(seed) & 0xe00f) | DR6_FIXED;
	s->dr[5] = random_dr7(seed);
	random_msrs(seed, s->msr);
	s->gdtr.base = gdt;
	s->gdtr.limit = GUEST_GDT_SIZE - 1 + random64(seed) % 0x1000;
	s->idtr.base = random_address(seed);
	s->idtr.limit = random64(seed) % 0x1000;
	for (int i = SEG_DS; i <= SEG_SS; i++)
		s->seg[i] = random_data_sel(seed);
	s->seg[SEG_TR] = GUEST_TSS_SEL;
	s->seg[SEG_LDTR] = random64(seed) & 1 ? GUEST_LDT_SEL : 0;
}

/* Something of the image, where the test sees it, or where the guest does. */
#define IN_IMAGE(self, n, symbol)	((self)->g.mem + (self)->at[n] + ((symbol) - guest_image))
#define GUEST_ADDRESS(self, n, symbol)	((self)->at[n] + ((symbol) - guest_image))

static uint64_t *guest_arg(FIXTURE_DATA(host_state) *self, int n, int arg)
{
	return (uint64_t *)IN_IMAGE(self, n, guest_args) + arg;
}

static struct guest_state *want_of(FIXTURE_DATA(host_state) *self, int n)
{
	return (struct guest_state *)IN_IMAGE(self, n, guest_want);
}

static struct guest_state *got_of(FIXTURE_DATA(host_state) *self, int n)
{
	return (struct guest_state *)IN_IMAGE(self, n, guest_got);
}

static void set_gate(FIXTURE_DATA(host_state) *self, int n, int vector, const uint8_t *handler)
{
	uint64_t *gate = (uint64_t *)IN_IMAGE(self, n, guest_idt) + 2 * vector;
	uint64_t target = GUEST_ADDRESS(self, n, handler);

	gate[0] = (target & 0xffff) | GUEST_CODE_SEL << 16 | 0x8e00ULL << 32 |
		  (target & 0xffff0000) << 32;
	gate[1] = 0;
}

static int start_guest(FIXTURE_DATA(host_state) *self, int n, const uint8_t *entry)
{
	struct table_register *gdtr, *idtr;

	self->at[n] = GUEST_PROG(n);
	memcpy(self->g.mem + self->at[n], guest_image, guest_image_end - guest_image);
	gdtr = (struct table_register *)IN_IMAGE(self, n, guest_gdtr);
	idtr = (struct table_register *)IN_IMAGE(self, n, guest_idtr);
	gdtr->base = GUEST_ADDRESS(self, n, guest_gdt);
	idtr->base = GUEST_ADDRESS(self, n, guest_idt);
	set_gate(self, n, 1, guest_debug);
	return vcpu_start(&self->g, &self->v[n], n, GUEST_ADDRESS(self, n, entry));
}

static int open_msrs(int cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* False: there is no such MSR. */
static bool read_msr(FIXTURE_DATA(host_state) *self, int cpu, uint32_t index, uint64_t *value)
{
	return pread(self->msr[cpu], value, sizeof(*value), index) == sizeof(*value);
}

static void read_host_msrs(FIXTURE_DATA(host_state) *self, int cpu, uint64_t *values)
{
	memset(values, 0, NR_HOST_MSRS * sizeof(*values));
	for (int i = 0; i < GUEST_NR_MSRS; i++)
		read_msr(self, cpu, guest_msrs[i], values++);
	for (int i = 0; i < ARRAY_SIZE(host_msrs); i++)
		read_msr(self, cpu, host_msrs[i], values++);
}

static bool cpu_is_enough(void)
{
	unsigned int a, b, c = 0, d;

	__get_cpuid(1, &a, &b, &c, &d);
	return (c & bit_OSXSAVE) && (c & bit_AVX) && (getauxval(AT_HWCAP2) & FSGSBASE);
}

FIXTURE_SETUP(host_state)
{
	for (int i = 0; i < NR_GUESTS; i++)
		self->v[i].fd = -1;
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
	if (!cpu_is_enough())
		SKIP(return, "no AVX, or no FSGSBASE");
	ASSERT_GT(GUEST_PROG_SIZE, guest_image_end - guest_image);
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ASSERT_GE(MAX_CPUS, self->cpus);
	for (int i = 0; i < self->cpus; i++) {
		self->msr[i] = open_msrs(i);
		ASSERT_LE(0, self->msr[i]);
	}
	self->seed = time(NULL) | 1;
	TH_LOG("seed %u", self->seed);
}

FIXTURE_TEARDOWN(host_state)
{
	for (int i = 0; i < NR_GUESTS; i++)
		vcpu_destroy(&self->v[i]);
	guest_destroy(&self->g);
}

/* RUN to one of the guest's ports, or what came instead. */
static int run_to(struct guest_vcpu *v, uint16_t port)
{
	int err = run_until(v, AXVCPU_EXIT_IO_WRITE);

	if (!err && v->run->io.port != port) {
		fprintf(stderr, "# port 0x%x instead of 0x%x\n", v->run->io.port, port);
		err = -EPROTO;
	}
	return err;
}

static bool same(const char *what, int n, uint64_t want, uint64_t got)
{
	if (want != got)
		fprintf(stderr, "# %s %d: %llx, and then %llx\n", what, n, (long long)want,
			(long long)got);
	return want == got;
}

static bool same_fxsave(const char *whose, const uint8_t *want, const uint8_t *got)
{
	int at = fxsave_difference(want, got);

	if (at >= 0)
		fprintf(stderr, "# %s FXSAVE image differs at %d: %02x, and then %02x\n", whose, at,
			want[at], got[at]);
	return at < 0;
}

static bool same_guest(const struct guest_state *want, const struct guest_state *got)
{
	bool ok = same_fxsave("guest's", want->fxsave, got->fxsave);

	for (int i = 0; i < 16; i++)
		ok &= same("guest's GPR", i, want->gpr[i], got->gpr[i]);
	ok &= same("guest's RFLAGS", 0, want->rflags, got->rflags);
	ok &= same("guest's CR", 2, want->cr2, got->cr2);
	ok &= same("guest's CR", 8, want->cr8, got->cr8);
	for (int i = 0; i < 6; i++)
		ok &= same("guest's debug register", i, want->dr[i], got->dr[i]);
	for (int i = 0; i < GUEST_NR_MSRS; i++)
		ok &= same("guest's MSR", i, want->msr[i], got->msr[i]);
	ok &= same("guest's GDTR base", 0, want->gdtr.base, got->gdtr.base);
	ok &= same("guest's GDTR limit", 0, want->gdtr.limit, got->gdtr.limit);
	ok &= same("guest's IDTR base", 0, want->idtr.base, got->idtr.base);
	ok &= same("guest's IDTR limit", 0, want->idtr.limit, got->idtr.limit);
	for (int i = 0; i < NR_SEGS; i++)
		ok &= same("guest's segment", i, want->seg[i], got->seg[i]);
	return ok;
}

static bool same_thread(const struct thread_state *want, const struct thread_state *got)
{
	bool ok = same_fxsave("thread's", want->xsave, got->xsave);

	for (int i = 0; i < 256; i++)
		ok &= same("thread's YMM byte", i, want->xsave[XSAVE_YMM + i],
			   got->xsave[XSAVE_YMM + i]);
	ok &= same("thread's RFLAGS", 0, want->rflags, got->rflags);
	ok &= same("thread's FS base", 0, want->fs_base, got->fs_base);
	ok &= same("thread's GS base", 0, want->gs_base, got->gs_base);
	for (int i = 0; i < NR_THREAD_SEGS; i++)
		ok &= same("thread's segment", i, want->seg[i], got->seg[i]);
	return ok;
}

/* What SGDT and its like show to userspace, if the CPU lets them. */
struct tables {
	struct table_register gdtr, idtr;
	uint16_t tr, ldtr;
};

static void read_tables(struct tables *t)
{
	memset(t, 0, sizeof(*t));
	asm volatile("sgdt %0" : "=m"(t->gdtr));
	asm volatile("sidt %0" : "=m"(t->idtr));
	asm volatile("str %0" : "=m"(t->tr));
	asm volatile("sldt %0" : "=m"(t->ldtr));
}

static bool same_tables(const struct tables *want, const struct tables *got)
{
	bool ok = same("GDTR base", 0, want->gdtr.base, got->gdtr.base);

	ok &= same("GDTR limit", 0, want->gdtr.limit, got->gdtr.limit);
	ok &= same("IDTR base", 0, want->idtr.base, got->idtr.base);
	ok &= same("IDTR limit", 0, want->idtr.limit, got->idtr.limit);
	ok &= same("TR", 0, want->tr, got->tr);
	return ok & same("LDTR", 0, want->ldtr, got->ldtr);
}

/* One RUN to @port with all registers of the thread filled; what of the host is another then? */
static bool host_is_the_same(FIXTURE_DATA(host_state) *self, int n, int cpu, uint16_t port)
{
	uint64_t before[NR_HOST_MSRS], after[NR_HOST_MSRS];
	static struct thread_state want, got;
	struct axvcpu_run *run = self->v[n].run;
	struct tables tables[2];
	bool ok = true;
	long ret;

	random_thread(&self->seed, &want);
	read_tables(&tables[0]);
	read_host_msrs(self, cpu, before);
	ret = run_with_registers(self->v[n].fd, &want, &got, AXVCPU_RUN);
	read_host_msrs(self, cpu, after);
	read_tables(&tables[1]);

	ok &= same("RUN", 0, 0, ret);
	ok &= same("exit", 0, AXVCPU_EXIT_IO_WRITE, run->exit_reason);
	ok &= same("port", 0, port, run->io.port);
	ok &= same_thread(&want, &got);
	for (int i = 0; i < NR_HOST_MSRS; i++)
		ok &= same("host's MSR", i, before[i], after[i]);
	ok &= same_tables(&tables[0], &tables[1]);
	return ok;
}

/* E09, E10, E12, E13: all registers, over exits and from one CPU to another. */
TEST_F(host_state, registers)
{
	int cpu;

	for (int n = 0; n < NR_GUESTS; n++) {
		ASSERT_EQ(0, start_guest(self, n, guest_registers));
		self->v[n].run->regs_wanted = AXVCPU_REGS_SP;
	}
	/* Both guests have their values when either is looked at. */
	for (int round = 0; round < 40; round++) {
		for (int n = 0; n < NR_GUESTS; n++) {
			cpu = random64(&self->seed) % self->cpus;
			ASSERT_EQ(0, pin_to_cpu(cpu));
			random_guest(&self->seed, want_of(self, n),
				     GUEST_ADDRESS(self, n, guest_gdt));
			ASSERT_TRUE(host_is_the_same(self, n, cpu, PORT_LOADED))
				TH_LOG("round %d, vCPU %d, CPU %d", round, n, cpu);
			for (int i = 0; i < 16; i++)
				EXPECT_EQ(want_of(self, n)->gpr[i],
					  self->v[n].run->regs.x86.gpr[i]);
		}
		for (int n = NR_GUESTS - 1; n >= 0; n--) {
			cpu = random64(&self->seed) % self->cpus;
			ASSERT_EQ(0, pin_to_cpu(cpu));
			ASSERT_TRUE(host_is_the_same(self, n, cpu, PORT_STORED))
				TH_LOG("round %d, vCPU %d, CPU %d", round, n, cpu);
			ASSERT_TRUE(same_guest(want_of(self, n), got_of(self, n)))
				TH_LOG("round %d, vCPU %d, CPU %d", round, n, cpu);
		}
	}
}

struct holder {
	pthread_t thread;
	struct guest_vcpu *v;
	struct thread_state want, got;
	long ret;
	long switches;
};

static void *hold(void *arg)
{
	struct holder *h = arg;
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &before);
	h->ret = run_with_registers(h->v->fd, &h->want, &h->got, AXVCPU_RUN);
	getrusage(RUSAGE_THREAD, &after);
	h->switches = after.ru_nivcsw - before.ru_nivcsw;
	return NULL;
}

/* E12: two guests on one CPU, which the scheduler switches between; an FPU for each of four. */
TEST_F(host_state, fpu_of_threads_that_alternate)
{
	static struct holder holders[NR_GUESTS];

	ASSERT_EQ(0, pin_to_cpu(self->cpus - 1));
	for (int n = 0; n < NR_GUESTS; n++) {
		ASSERT_EQ(0, start_guest(self, n, guest_fpu));
		random_fxsave(&self->seed, want_of(self, n)->fxsave);
		*guest_arg(self, n, 0) = 150000;
		ASSERT_EQ(0, run_to(&self->v[n], PORT_LOADED));
		holders[n].v = &self->v[n];
		random_thread(&self->seed, &holders[n].want);
	}
	for (int n = 0; n < NR_GUESTS; n++)
		ASSERT_EQ(0, pthread_create(&holders[n].thread, NULL, hold, &holders[n]));
	for (int n = 0; n < NR_GUESTS; n++) {
		pthread_join(holders[n].thread, NULL);
		EXPECT_EQ(0, holders[n].ret);
		EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, self->v[n].run->exit_reason);
		EXPECT_EQ(PORT_GOOD, self->v[n].run->io.port);
		EXPECT_TRUE(same_thread(&holders[n].want, &holders[n].got));
		EXPECT_LT(0, holders[n].switches);
	}
}

/* E09: SYSCALL goes where this guest wants it, whoever else had LSTAR meanwhile. */
TEST_F(host_state, system_calls)
{
	for (int n = 0; n < NR_GUESTS; n++) {
		ASSERT_EQ(0, start_guest(self, n, guest_syscall));
		*guest_arg(self, n, 0) = random64(&self->seed);
	}
	for (int round = 0; round < 20; round++) {
		ASSERT_EQ(0, pin_to_cpu(round % self->cpus));
		for (int n = 0; n < NR_GUESTS; n++)
			ASSERT_EQ(0, run_to(&self->v[n], PORT_LOADED));
		ASSERT_EQ(0, pin_to_cpu(round / 2 % self->cpus));
		for (int n = 0; n < NR_GUESTS; n++)
			ASSERT_EQ(0, run_to(&self->v[n], PORT_GOOD));
	}
}

/* Variables of the test, at an address that a guest has too */
#define WATCHED		0x20000000UL
#define NR_WATCHED	4

static volatile uint64_t *const watched = (void *)WATCHED;

static int watch(int n)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched[n],
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t hits_of(int fd)
{
	uint64_t count = ~0ULL;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : ~0ULL;
}

/*
 * E11: both have breakpoints at the same address; each is stopped by its own,
 * at its own accesses only.
 */
TEST_F(host_state, breakpoints)
{
	struct guest_vcpu *v = &self->v[0];
	int fds[NR_WATCHED];

	ASSERT_EQ((void *)WATCHED, mmap((void *)WATCHED, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	ASSERT_EQ(0, map_memory(self->g.aspace, WATCHED, 4096, (void *)WATCHED, AXVCPU_MAP_ALL));
	ASSERT_EQ(0, start_guest(self, 0, guest_watch));
	*guest_arg(self, 0, 0) = (uintptr_t)&watched[1];

	/* First without breakpoints of the host, then with, then without again. */
	for (int phase = 0; phase < 3; phase++) {
		if (phase == 1) {
			for (int i = 0; i < NR_WATCHED; i++) {
				fds[i] = watch(i);
				ASSERT_LE(0, fds[i]);
			}
		}
		for (int round = 0; round < 20; round++) {
			ASSERT_EQ(0, pin_to_cpu(round / 4 % self->cpus));
			/* The guest watches for writes, or not, from its start on. */
			*guest_arg(self, 0, 1) = DR7_FIXED | (round & 1 ? 0x10001 : 0);
			ASSERT_EQ(0, set_reg(v->fd, AXVCPU_X86_REG_RIP,
					     GUEST_ADDRESS(self, 0, guest_watch)));
			ASSERT_EQ(0, run_to(v, PORT_LOADED));
			ASSERT_EQ(0, v->run->io.data);
			for (int i = 0; i < NR_WATCHED; i++)
				watched[i]++;
			ASSERT_EQ(0, run_to(v, PORT_LOADED));
			EXPECT_EQ(round & 1, v->run->io.data);
			for (int i = 0; phase == 1 && i < NR_WATCHED; i++) {
				ASSERT_EQ(round + 1, hits_of(fds[i])) TH_LOG("breakpoint %d", i);
			}
		}
		for (int i = 0; phase == 1 && i < NR_WATCHED; i++)
			close(fds[i]);
	}
	munmap((void *)WATCHED, 4096);
}

static sigjmp_buf out_of_signal;
static volatile sig_atomic_t signal_seen;

static void on_signal(int signo)
{
	signal_seen = signo;
	siglongjmp(out_of_signal, 1);
}

/* OUT to a port: the signal that it gives, or 0. */
static int out_gives(uint16_t port)
{
	signal_seen = 0;
	if (!sigsetjmp(out_of_signal, 1))
		asm volatile("outb %%al, %w0" : : "Nd"(port), "a"(0));
	return signal_seen;
}

/*
 * E10: the TSS has its limit again, behind which the I/O permissions are, and
 * interrupts of software find the IDT.
 */
TEST_F(host_state, tss_and_idt)
{
	struct tables before, after;
	int pid;

	signal(SIGSEGV, on_signal);
	signal(SIGTRAP, on_signal);
	ASSERT_EQ(0, start_guest(self, 0, guest_registers));
	ASSERT_EQ(0, ioperm(0x80, 1, 1));
	for (int round = 0; round < 20; round++) {
		ASSERT_EQ(0, pin_to_cpu(round / 2 % self->cpus));
		random_guest(&self->seed, want_of(self, 0), GUEST_ADDRESS(self, 0, guest_gdt));
		read_tables(&before);
		ASSERT_EQ(0, run_to(&self->v[0], round & 1 ? PORT_STORED : PORT_LOADED));
		read_tables(&after);
		EXPECT_TRUE(same_tables(&before, &after));

		EXPECT_EQ(0, out_gives(0x80));
		EXPECT_EQ(SIGSEGV, out_gives(0x81));
		signal_seen = 0;
		if (!sigsetjmp(out_of_signal, 1))
			asm volatile("int3");
		EXPECT_EQ(SIGTRAP, signal_seen);
		/* getpid(), as 32-bit programs call it */
		asm volatile("int $0x80" : "=a"(pid) : "a"(20)
			     : "memory", "r8", "r9", "r10", "r11");
		EXPECT_EQ(getpid(), pid);
	}
}

TEST_HARNESS_MAIN
