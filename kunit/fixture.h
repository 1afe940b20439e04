/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites share. The suites of a subject are in
 * kunit/<subject>.c and register themselves with kunit_test_suites().
 *
 * "R12" in a comment is requirement 12 of the behaviour that the seeds of
 * AxVCpu describe; "D01" is a test of the catalogue.
 */
#ifndef _AXVCPU_KUNIT_FIXTURE_H
#define _AXVCPU_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/completion.h>

#include "axvcpu_percpu.h"
#include "axvcpu_regs.h"
#include "axvcpu_run.h"
#include "axvcpu_state.h"
#include "axvcpu_table.h"
#include "axvcpu_vcpu.h"

#include "arch/mock/axvcpu_mock.h"

/* How long a loop that hunts for a race may take: emulators are slow, and their machines busy. */
#define AXVCPU_KUNIT_HUNT	(2 * HZ)
/* For what must come, on any machine: short of the five minutes that KUnit gives a test. */
#define AXVCPU_KUNIT_PATIENCE	(240 * HZ)

#define AXVCPU_KUNIT_NR_STATES	(AXVCPU_STATE_BLOCKED + 1)
#define AXVCPU_KUNIT_NR_OPS	(AXVCPU_OP_SET_REGS + 1)

/* Guest memory: pages from guest-physical 0 on; programs start at 0. */
#define AXVCPU_KUNIT_RAM_ORDER	3
#define AXVCPU_KUNIT_RAM_PAGES	BIT(AXVCPU_KUNIT_RAM_ORDER)

int axvcpu_kunit_suite_init(struct kunit_suite *suite);
int axvcpu_kunit_init(struct kunit *test);
void axvcpu_kunit_exit(struct kunit *test);

struct axvcpu_hpa axvcpu_kunit_root(void);
u64 *axvcpu_kunit_leaf(unsigned int gfn);
void *axvcpu_kunit_ram(u64 gpa);
void axvcpu_kunit_program(const struct axvcpu_mock_insn *insns, unsigned int count);

struct axvcpu *axvcpu_kunit_create(struct kunit *test, enum axvcpu_call fail_call, int error,
				   unsigned int fail_after);
struct axvcpu *axvcpu_kunit_vcpu(struct kunit *test, enum axvcpu_state state);
int axvcpu_kunit_do(struct axvcpu *vcpu, enum axvcpu_op op);
int axvcpu_kunit_do_locked(struct axvcpu *vcpu, enum axvcpu_op op);
int axvcpu_kunit_setup(struct axvcpu *vcpu, u64 entry, u64 root);
int axvcpu_kunit_bind(struct axvcpu *vcpu, int cpu);
int axvcpu_kunit_keep(struct axvcpu *vcpu);
int axvcpu_kunit_run(struct axvcpu *vcpu, unsigned long flags);
int axvcpu_kunit_inject(struct axvcpu *vcpu, enum axvcpu_event type, u32 vector);
int axvcpu_kunit_guest_exit(struct axvcpu *vcpu, enum axvcpu_exit_reason reason);

void axvcpu_kunit_expect_calls(struct kunit *test, struct axvcpu *vcpu, const u32 *calls,
			       unsigned int count);
#define AXVCPU_KUNIT_EXPECT_CALLS(test, vcpu, ...)				\
	axvcpu_kunit_expect_calls(test, vcpu, (const u32 []){ __VA_ARGS__ },	\
				  ARRAY_SIZE(((const u32 []){ __VA_ARGS__ })))

/**
 * struct axvcpu_kunit_thread - a thread of a test
 * @fn: what it does; its value is that of axvcpu_kunit_join()
 * @arg: for @fn
 * @task: the thread
 * @result: value of @fn
 * @done: @fn has returned
 */
struct axvcpu_kunit_thread {
	int (*fn)(void *arg);
	void *arg;
	struct task_struct *task;
	int result;
	struct completion done;
};

int axvcpu_kunit_start(struct axvcpu_kunit_thread *thread, int cpu, int (*fn)(void *arg),
		       void *arg);
int axvcpu_kunit_join(struct axvcpu_kunit_thread *thread);
bool axvcpu_kunit_wait(bool (*done)(void *arg), void *arg);

#endif /* _AXVCPU_KUNIT_FIXTURE_H */
