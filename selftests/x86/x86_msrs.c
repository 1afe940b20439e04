// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest reads and writes every MSR there is: each access is the VMM's to
 * answer but for those that the guest has of its own, and not one of the host's
 * is another then, perf at work or not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define GP		13
#define INSN_LEN	2		/* of RDMSR and WRMSR */
#define DENIED_EACH	64		/* of so many accesses the VMM lets one fail */
#define NR_ANSWERS	16

/* It writes what it has read. */
CODE(sweep, "1: rdmsr; wrmsr; inc %ecx; cmp %edi, %ecx; jne 1b");

static const struct {
	uint32_t from, to;
} ranges[] = {
	{ 0, 0x2000 },
	{ 0x40000000, 0x40000400 },
	{ 0xc0000000, 0xc0002000 },
	{ 0xc0010000, 0xc0012000 },
};

#define NR_MSRS		(3 * 0x2000 + 0x400)

/* The guest has these of its own (Documentation/vmx.rst, "MSRs"). */
static const struct {
	uint32_t first, last;
} guests_own[] = {
	{ 0x10, 0x10 },				/* TSC */
	{ 0x174, 0x176 },			/* SYSENTER_* */
	{ 0x277, 0x277 },			/* PAT */
	{ 0xc0000080, 0xc0000084 },		/* EFER, STAR, LSTAR, CSTAR, SFMASK */
	{ 0xc0000100, 0xc0000102 },		/* FS, GS, KERNEL_GS base */
};

static bool is_guests_own(uint32_t index)
{
	for (int i = 0; i < ARRAY_SIZE(guests_own); i++) {
		if (index >= guests_own[i].first && index <= guests_own[i].last)
			return true;
	}
	return false;
}

struct snapshot {
	uint64_t value[NR_MSRS];
};

FIXTURE(x86_msrs) {
	struct x86_code c;
	int host;			/* the MSRs of CPU 0 */
	int perf[2];
	struct snapshot *snapshots;
};

FIXTURE_SETUP(x86_msrs)
{
	int err = code_start(&self->c, 0);

	self->host = -1;
	self->perf[0] = -1;
	self->perf[1] = -1;
	if (err == -EOPNOTSUPP)
		SKIP(return, "not x86");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, pin_to_cpu(0));
	self->host = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->host);
	self->snapshots = malloc(3 * sizeof(*self->snapshots));
	ASSERT_NE(NULL, self->snapshots);
}

FIXTURE_TEARDOWN(x86_msrs)
{
	free(self->snapshots);
	for (int i = 0; i < ARRAY_SIZE(self->perf); i++)
		close(self->perf[i]);
	close(self->host);
	code_destroy(&self->c);
}

static uint32_t msr_at(size_t at)
{
	for (int i = 0;; i++) {
		uint32_t n = ranges[i].to - ranges[i].from;

		if (at < n)
			return ranges[i].from + at;
		at -= n;
	}
}

/* An MSR that is not there has a value too. */
static void take_snapshot(FIXTURE_DATA(x86_msrs) *self, struct snapshot *s)
{
	for (size_t i = 0; i < NR_MSRS; i++) {
		s->value[i] = ~0ULL;
		pread(self->host, &s->value[i], sizeof(s->value[i]), msr_at(i));
	}
}

static int count_cycles(uint32_t type, uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP,
	};

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/* One access of the guest's, as the VMM sees it */
struct access {
	int ret;			/* of code_go_on() */
	uint32_t index;
	uint64_t value;
};

static struct access next_access(struct x86_code *c)
{
	struct axvcpu_run *run = c->v.run;
	struct access a = { .ret = code_go_on(c) };

	if (a.ret == GP)		/* It goes on behind the instruction. */
		*(uint64_t *)(c->g.mem + run->regs.x86.gpr[AXVCPU_X86_RSP]) += INSN_LEN;
	a.index = a.ret == GP ? run->regs.x86.gpr[AXVCPU_X86_RCX] : run->sysreg.addr;
	a.value = run->sysreg.value;
	return a;
}

/* What the VMM says to a read */
static uint64_t answer_for(uint32_t index)
{
	return index * 0x9e3779b97f4a7c15ULL;
}

static bool is_denied(uint32_t index)
{
	return index % DENIED_EACH == 7;
}

/* RDMSR and WRMSR of one MSR that is not the guest's; NULL, or what is wrong */
static const char *visit(struct x86_code *c, uint32_t index)
{
	struct axvcpu_run *run = c->v.run;
	struct access a = next_access(c);

	if (a.ret != CODE_EXIT + AXVCPU_EXIT_SYSREG_READ || a.index != index)
		return "no exit for reading";
	run->sysreg.value = answer_for(index);
	run->sysreg.fault = is_denied(index);
	if (is_denied(index)) {
		a = next_access(c);
		if (a.ret != GP || a.index != index)
			return "no #GP for reading";
	}
	a = next_access(c);
	if (a.ret != CODE_EXIT + AXVCPU_EXIT_SYSREG_WRITE || a.index != index)
		return "no exit for writing";
	if (!is_denied(index) && a.value != answer_for(index))
		return "not the value that was read";
	run->sysreg.fault = is_denied(index);
	if (!is_denied(index))
		return NULL;
	a = next_access(c);
	return a.ret != GP || a.index != index ? "no #GP for writing" : NULL;
}

static int sweep_range(struct x86_code *c, uint32_t from, uint32_t to)
{
	volatile __u64 *gpr = c->v.run->regs.x86.gpr;

	code_place(c, sweep, sweep_end - sweep);
	gpr[AXVCPU_X86_RCX] = from;
	gpr[AXVCPU_X86_RDI] = to;
	for (uint32_t index = from; index != to; index++) {
		const char *wrong = is_guests_own(index) ? NULL : visit(c, index);

		if (wrong) {
			fprintf(stderr, "# MSR 0x%x: %s\n", index, wrong);
			return -EPROTO;
		}
	}
	return code_go_on(c);
}

/* Returns how many of the host's have changed, but for those that always do. */
static size_t compare(const struct snapshot *s)
{
	size_t changed = 0, moving = 0;

	for (size_t i = 0; i < NR_MSRS; i++) {
		if (s[0].value[i] != s[1].value[i]) {
			moving++;
		} else if (s[1].value[i] != s[2].value[i]) {
			changed++;
			fprintf(stderr, "# MSR 0x%x: %llx, and then %llx\n", msr_at(i),
				(long long)s[1].value[i], (long long)s[2].value[i]);
		}
	}
	/* Counters and clocks change without us; what is always new can't be compared. */
	fprintf(stderr, "# %d MSRs, %zu change by themselves\n", NR_MSRS, moving);
	return moving < 20 ? changed : NR_MSRS;
}

/* E08; DEBUGCTL, PERF_GLOBAL_CTRL, counters and XSS are in the low range. */
TEST_F(x86_msrs, sweep_under_perf)
{
	self->perf[0] = count_cycles(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 1000000);
	ASSERT_LE(0, self->perf[0]);
	self->perf[1] = count_cycles(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 1000000);
	if (self->perf[1] < 0)
		fprintf(stderr, "# the CPU has no counters: perf in software only\n");
	take_snapshot(self, &self->snapshots[0]);
	take_snapshot(self, &self->snapshots[1]);
	for (int i = 0; i < ARRAY_SIZE(ranges); i++)
		ASSERT_EQ(CODE_DONE, sweep_range(&self->c, ranges[i].from, ranges[i].to));
	take_snapshot(self, &self->snapshots[2]);
	EXPECT_EQ(0, compare(self->snapshots));
}

TEST_HARNESS_MAIN
