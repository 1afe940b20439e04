// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs in a vCPU, against what the same programs left when they ran bare on the same
 * CPU. tools/oracle writes the programs, the bare reports and the list of differences that
 * are known; selftests/oracle has the runner.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "../oracle/arm64/oracle.h"
#include "kselftest_harness.h"
#include "oracle_files.h"

#define MODE	"el1"
#define MAX_EXITS	3000000
#define PROGRESS_S	5

#define REPORTS(self)	((const struct oracle_reports *)((self)->ram + ORACLE_REPORT - ORACLE_BASE))

FIXTURE(oracle) {
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *ram;
	struct oracle_file runner, programs, bare;
	struct oracle_verdict verdict;
	unsigned int exits;
};

FIXTURE_SETUP(oracle)
{
	if (!oracle_load(&self->runner, "runner", MODE) ||
	    !oracle_load(&self->programs, "programs", MODE) ||
	    !oracle_load(&self->bare, "bare", MODE) || !oracle_begin(&self->verdict, MODE))
		SKIP(return, "no programs");
	self->ram = mmap(NULL, ORACLE_RAM, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->ram);
	memcpy(self->ram + ORACLE_RUNNER - ORACLE_BASE, self->runner.data, self->runner.size);
	memcpy(self->ram + ORACLE_PROGRAMS - ORACLE_BASE, self->programs.data,
	       self->programs.size);
	ASSERT_EQ(0, axvcpu_device_open(NULL, &self->dev));
	ASSERT_EQ(0, axvcpu_aspace_create(self->dev, &self->aspace));
	ASSERT_EQ(0, axvcpu_aspace_map(self->aspace, ORACLE_BASE, self->ram, ORACLE_RAM,
				       AXVCPU_MAP_ALL));
	ASSERT_EQ(0, axvcpu_vcpu_create(self->dev, NULL, &self->vcpu));
}

FIXTURE_TEARDOWN(oracle)
{
	axvcpu_vcpu_close(self->vcpu);
	axvcpu_aspace_close(self->aspace);
	axvcpu_device_close(self->dev);
}

/* --- what a machine has beside its CPU --------------------------------------- */

static int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;

	return ++self->exits > MAX_EXITS ? -ELOOP : 0;
}

/* No call is known. */
static int on_hypercall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->hypercall.nr == ORACLE_DONE)
		return 1;
	run->hypercall.ret = UINT64_MAX;
	return 0;
}

static int on_sysreg(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	axvcpu_fault_sysreg(run);
	return 0;
}

static int on_end(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return -ECANCELED;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.other = on_end,
	.exit = {
		[AXVCPU_EXIT_HYPERCALL] = on_hypercall,
		[AXVCPU_EXIT_SYSREG_READ] = on_sysreg,
		[AXVCPU_EXIT_SYSREG_WRITE] = on_sysreg,
	},
};

/* --- comparing --------------------------------------------------------------- */

static void show_event(const struct oracle_event *event)
{
	printf(" (vector %llx esr %llx elr %llx spsr %llx far %llx)", event->vector, event->esr,
	       event->elr, event->spsr, event->far);
}

static void show_events(const struct oracle_event *bare, const struct oracle_event *vcpu)
{
	char name[8];

	oracle_show("vector", bare->vector, vcpu->vector);
	oracle_show("esr", bare->esr, vcpu->esr);
	oracle_show("elr", bare->elr, vcpu->elr);
	oracle_show("spsr", bare->spsr, vcpu->spsr);
	oracle_show("far", bare->far, vcpu->far);
	oracle_show("sp", bare->sp, vcpu->sp);
	for (int i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		oracle_show(name, bare->regs[i], vcpu->regs[i]);
	}
}

static void show(const char *name, const struct oracle_report *bare,
		 const struct oracle_report *vcpu)
{
	printf("# %s: bare|vCPU:", name);
	for (unsigned int i = 0; i < bare->count || i < vcpu->count; i++) {
		if (i < bare->count && i < vcpu->count &&
		    !memcmp(&bare->event[i], &vcpu->event[i], sizeof(bare->event[i])))
			continue;
		printf(" [%u]", i);
		if (i >= vcpu->count)
			show_event(&bare->event[i]);
		else if (i >= bare->count)
			show_event(&vcpu->event[i]);
		else
			show_events(&bare->event[i], &vcpu->event[i]);
		if (bare->count != vcpu->count)
			break;
	}
	oracle_show("events", bare->count, vcpu->count);
	for (unsigned int i = 0; i < ORACLE_DATA_SIZE; i++) {
		if (bare->data[i] != vcpu->data[i])
			printf(" data[%x] %x|%x", i, bare->data[i], vcpu->data[i]);
	}
	printf("\n");
}

static size_t report_size(const struct oracle_report *report)
{
	return sizeof(*report) + report->count * sizeof(report->event[0]);
}

static void judge_all(FIXTURE_DATA(oracle) *self, const struct oracle_reports *bares,
		      const struct oracle_reports *vcpus)
{
	const struct oracle_report *bare = (void *)(bares + 1), *vcpu = (void *)(vcpus + 1);
	char name[ORACLE_MAX_NAME];
	bool same;

	for (unsigned int i = 0; i < bares->count; i++) {
		same = report_size(bare) == report_size(vcpu) &&
		       !memcmp(bare, vcpu, report_size(bare));
		if (oracle_next(&self->verdict, same, name))
			show(name, bare, vcpu);
		bare = (void *)bare + report_size(bare);
		vcpu = (void *)vcpu + report_size(vcpu);
	}
}

/* How many programs have ended. */
static unsigned int progress(FIXTURE_DATA(oracle) *self)
{
	const struct oracle_report *report = (void *)(REPORTS(self) + 1);
	unsigned int n = 0;

	while (report->count && report->id == n) {
		report = (void *)report + report_size(report);
		n++;
	}
	return n;
}

static void on_alarm(int signal)
{
	alarm(PROGRESS_S);
}

/* The whole run; now and then it says how far it is. */
static int run_all(FIXTURE_DATA(oracle) *self)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	int ret;

	sigaction(SIGALRM, &action, NULL);
	alarm(PROGRESS_S);
	while ((ret = axvcpu_vcpu_loop(self->vcpu, 0, &handlers, self)) == -EINTR)
		fprintf(stderr, "# %u programs, %u exits\n", progress(self), self->exits);
	alarm(0);
	return ret;
}

TEST_F(oracle, agrees)
{
	const struct oracle_reports *vcpus = REPORTS(self);
	const struct oracle_reports *bares = self->bare.data;
	char text[160];

	ASSERT_EQ(ORACLE_MAGIC, bares->magic);
	ASSERT_EQ(0, axvcpu_vcpu_setup_el1(self->vcpu, self->aspace, ORACLE_RUNNER));
	ASSERT_EQ(0, axvcpu_vcpu_bind(self->vcpu, -1));
	ASSERT_EQ(1, run_all(self)) {
		axvcpu_vcpu_exit_text(self->vcpu, text, sizeof(text));
		TH_LOG("%s; %s", axvcpu_error_text(), text);
	}
	ASSERT_EQ(ORACLE_MAGIC, vcpus->magic);
	ASSERT_EQ(bares->count, vcpus->count);
	judge_all(self, bares, vcpus);
	EXPECT_EQ(0, oracle_end(&self->verdict, MODE, bares->count, self->exits));
}

TEST_HARNESS_MAIN
