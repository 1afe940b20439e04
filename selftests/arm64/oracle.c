// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs in a vCPU, against what the same programs left when they ran bare on the same
 * CPU. tools/oracle writes the programs, the bare reports and the list of differences that
 * are known; selftests/oracle has the runner.
 */
#include <errno.h>
#include <stdio.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "../oracle/arm64/oracle.h"
#include "kselftest_harness.h"
#include "oracle_run.h"

#define MODE		"el1"

/* The physical timer, which is off: a register that is kept. And how that is turned off. */
#define CNTP_CTL	AXVCPU_ARM64_SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL	AXVCPU_ARM64_SYSREG(3, 3, 14, 2, 2)

/* --- what a board has beside its CPU ----------------------------------------- */

/* Of the clock: what was written to its load register, and to the timer. */
static uint32_t load_register;
static uint64_t timer_compare;

/* No call is known. */
static int on_hypercall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->hypercall.nr == ORACLE_DONE)
		return 1;
	axvcpu_answer_hypercall(run, UINT64_MAX);
	return 0;
}

static int on_sysreg_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->sysreg.addr == CNTP_CVAL)
		axvcpu_answer_sysreg(run, timer_compare);
	else if (run->sysreg.addr == CNTP_CTL)
		axvcpu_answer_sysreg(run, 0);
	else
		axvcpu_fault_sysreg(run);
	return 0;
}

static int on_sysreg_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->sysreg.addr != CNTP_CVAL) {
		axvcpu_fault_sysreg(run);
		return 0;
	}
	timer_compare = run->sysreg.value;
	axvcpu_answer_sysreg(run, 0);
	return 0;
}

static int on_load(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->mmio.gpa != ORACLE_DEVICE)
		return -ENXIO;
	axvcpu_answer_mmio(run, load_register | 1ULL << 32);
	return 0;
}

static int on_store(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->mmio.gpa != ORACLE_DEVICE)
		return -ENXIO;
	load_register = run->mmio.data;
	return 0;
}

/* To itself: there is no other. */
static int on_ipi(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct axvcpu_inject sgi = {
		.type = AXVCPU_EVENT_INTERRUPT,
		.flags = AXVCPU_INJECT_PRIORITY,
		.vector = run->ipi.vector,
		.priority = ORACLE_SGI_PRIORITY(run->ipi.vector),
	};

	if (run->ipi.flags & AXVCPU_IPI_TO_ALL || run->ipi.target || !(run->ipi.target_aux & 1))
		return 0;
	return axvcpu_vcpu_inject(vcpu, &sgi);
}

static const struct axvcpu_handlers handlers = {
	.before = oracle_on_any,
	.other = oracle_on_end,
	.exit = {
		[AXVCPU_EXIT_HYPERCALL] = on_hypercall,
		[AXVCPU_EXIT_SYSREG_READ] = on_sysreg_read,
		[AXVCPU_EXIT_SYSREG_WRITE] = on_sysreg_write,
		[AXVCPU_EXIT_MMIO_READ] = on_load,
		[AXVCPU_EXIT_MMIO_WRITE] = on_store,
		[AXVCPU_EXIT_SEND_IPI] = on_ipi,
	},
};

/* --- comparing --------------------------------------------------------------- */

static void show_event(const void *data)
{
	const struct oracle_event *event = data;

	printf("(vector %llx esr %llx elr %llx spsr %llx far %llx iar %llx)", event->vector,
	       event->esr, event->elr, event->spsr, event->far, event->iar);
}

static void show_events(const void *bare_data, const void *vcpu_data)
{
	const struct oracle_event *bare = bare_data, *vcpu = vcpu_data;
	char name[8];

	oracle_show("vector", bare->vector, vcpu->vector);
	oracle_show("esr", bare->esr, vcpu->esr);
	oracle_show("elr", bare->elr, vcpu->elr);
	oracle_show("spsr", bare->spsr, vcpu->spsr);
	oracle_show("far", bare->far, vcpu->far);
	oracle_show("sp", bare->sp, vcpu->sp);
	oracle_show("iar", bare->iar, vcpu->iar);
	oracle_show("pstate", bare->pstate, vcpu->pstate);
	for (int i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		oracle_show(name, bare->regs[i], vcpu->regs[i]);
	}
}

static void show_rest(const void *bare_data, const void *vcpu_data)
{
	const struct oracle_report *bare = bare_data, *vcpu = vcpu_data;

	oracle_show_bytes("data", bare->data, vcpu->data, ORACLE_DATA_SIZE);
}

static const struct oracle_arch arch = {
	.base = ORACLE_BASE,
	.size = ORACLE_RAM,
	.runner = ORACLE_RUNNER,
	.programs = ORACLE_PROGRAMS,
	.report = ORACLE_REPORT,
	.head_size = sizeof(struct oracle_report),
	.event_size = sizeof(struct oracle_event),
	.run_flags = AXVCPU_RUN_WAIT,
	.handlers = &handlers,
	.show_event = show_event,
	.show_events = show_events,
	.show_rest = show_rest,
};

FIXTURE(oracle) {
	struct oracle oracle;
};

FIXTURE_SETUP(oracle)
{
	int ret = oracle_open(&self->oracle, &arch, MODE, MODE);

	if (ret == -ENOENT)
		SKIP(return, "no programs");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(oracle)
{
	oracle_close(&self->oracle);
}

TEST_F(oracle, agrees)
{
	struct axvcpu_vcpu *vcpu = self->oracle.vcpu;
	char text[160];

	ASSERT_EQ(0, axvcpu_vcpu_setup_el1(vcpu, self->oracle.aspace, ORACLE_RUNNER));
	ASSERT_EQ(0, axvcpu_vcpu_bind(vcpu, -1));
	EXPECT_EQ(1, oracle_run(&self->oracle)) {
		axvcpu_vcpu_exit_text(vcpu, text, sizeof(text));
		TH_LOG("%s; %s", axvcpu_error_text(), text);
	}
	EXPECT_EQ(0, oracle_judge(&self->oracle));
}

TEST_HARNESS_MAIN
