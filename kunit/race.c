// SPDX-License-Identifier: GPL-2.0-only
/* Many threads on one vCPU. */
#include <linux/delay.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "fixture.h"

#define NR_RACERS	8

/* A loop ends with this many rounds or with its time, but not before a few. */
#define FEW_ROUNDS	5

static bool hunt_on(unsigned long began, u64 round, u64 rounds)
{
	return round < FEW_ROUNDS ||
	       (round < rounds && time_before(jiffies, began + AXVCPU_KUNIT_HUNT));
}

static void hook(enum axvcpu_mock_op_id op, axvcpu_mock_hook_fn fn)
{
	WRITE_ONCE(axvcpu_mock_hooks[op], fn);
}

/* Threads that do the same operation at the same moment. */
static struct {
	struct axvcpu *vcpu;
	enum axvcpu_op op;
	struct wait_queue_head start;
	atomic_t arrived;
	bool go;
	u32 states_seen;
} race;

static void wait_for_all(void)
{
	if (atomic_inc_return(&race.arrived) == NR_RACERS + 1) {
		WRITE_ONCE(race.go, true);
		wake_up_all(&race.start);
	}
	wait_event(race.start, READ_ONCE(race.go));
}

static int racer(void *arg)
{
	wait_for_all();
	return axvcpu_kunit_do(race.vcpu, race.op);
}

/* State and failure always belong together: Invalid has a reason, the others have none yet. */
static int observer(void *arg)
{
	struct axvcpu_state_info info = {};
	int i, impossible = 0;

	wait_for_all();
	for (i = 0; i < 2000; i++) {
		axvcpu_get_failure(race.vcpu, &info);
		race.states_seen |= BIT(info.state) | BIT(axvcpu_state(race.vcpu));
		impossible += (info.state == AXVCPU_STATE_INVALID) != (info.failure.seq > 0);
	}
	return impossible;
}

static unsigned int count_calls(struct kunit *test, struct axvcpu *vcpu, u32 call)
{
	struct axvcpu_call_entry *log = kunit_kcalloc(test, AXVCPU_MOCK_LOG_LEN, sizeof(*log),
						      GFP_KERNEL);
	unsigned int i, n, count = 0;
	u64 total;

	KUNIT_ASSERT_NOT_NULL(test, log);
	n = axvcpu_mock_calls(vcpu, log, AXVCPU_MOCK_LOG_LEN, &total);
	for (i = 0; i < n; i++)
		count += log[i].call == call;
	kunit_kfree(test, log);
	return count;
}

static void one_race(struct kunit *test, enum axvcpu_op op, enum axvcpu_state from,
		     enum axvcpu_state to, u32 call)
{
	struct axvcpu_kunit_thread racers[NR_RACERS], watch;
	unsigned int i, won = 0, lost = 0;
	int ret;

	memset(&race, 0, sizeof(race));
	init_waitqueue_head(&race.start);
	race.op = op;
	race.vcpu = axvcpu_kunit_vcpu(test, from);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&watch, -1, observer, NULL), 0);
	for (i = 0; i < NR_RACERS; i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&racers[i], -1, racer, NULL), 0);
	for (i = 0; i < NR_RACERS; i++) {
		ret = axvcpu_kunit_join(&racers[i]);
		won += !ret;
		lost += ret == -EBADFD;
	}
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&watch), 0);

	KUNIT_EXPECT_EQ(test, won, 1);
	KUNIT_EXPECT_EQ(test, lost, NR_RACERS - 1);
	KUNIT_EXPECT_EQ(test, axvcpu_state(race.vcpu), AXVCPU_STATE_INVALID);
	KUNIT_EXPECT_EQ(test, count_calls(test, race.vcpu, call), 1);
	KUNIT_EXPECT_EQ(test, race.vcpu->failure.seq, NR_RACERS - 1);
	KUNIT_EXPECT_FALSE(test, race.states_seen &
			   ~(BIT(from) | BIT(to) | BIT(AXVCPU_STATE_INVALID)));
}

/* R24, D02: one wins, the others find the state that it left, the backend is called once. */
static void one_wins(struct kunit *test)
{
	unsigned long began = jiffies;
	unsigned int i;

	for (i = 0; hunt_on(began, i, 100); i++) {
		one_race(test, AXVCPU_OP_SETUP, AXVCPU_STATE_CREATED, AXVCPU_STATE_FREE,
			 AXVCPU_CALL_SETUP);
		one_race(test, AXVCPU_OP_BIND, AXVCPU_STATE_FREE, AXVCPU_STATE_READY,
			 AXVCPU_CALL_BIND);
		one_race(test, AXVCPU_OP_UNBIND, AXVCPU_STATE_READY, AXVCPU_STATE_FREE,
			 AXVCPU_CALL_UNBIND);
	}
}

/* D02: RUN and RUN take turns. */
static struct {
	struct axvcpu *vcpu;
	atomic_t inside;
	unsigned int overlaps;
	atomic_t runs;
	unsigned long began;
} turns;

static int count_inside(struct axvcpu *vcpu, u64 arg)
{
	if (atomic_inc_return(&turns.inside) != 1)
		turns.overlaps++;
	ndelay(200);
	atomic_dec(&turns.inside);
	return axvcpu_kunit_guest_exit(vcpu, AXVCPU_EXIT_SHUTDOWN);
}

static int run_many(void *arg)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && hunt_on(turns.began, i, 5000); i++) {
		ret = axvcpu_kunit_run(turns.vcpu, 0);
		atomic_inc(&turns.runs);
	}
	return ret;
}

static void never_two_guests(struct kunit *test)
{
	struct axvcpu_kunit_thread threads[4];
	unsigned int i;

	memset(&turns, 0, sizeof(turns));
	turns.began = jiffies;
	turns.vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	hook(AXVCPU_MOCK_ENTER, count_inside);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&threads[i], -1, run_many, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&threads[i]), 0);
	KUNIT_EXPECT_EQ(test, turns.overlaps, 0);
	KUNIT_EXPECT_EQ(test, turns.vcpu->stats.runs, atomic_read(&turns.runs));
	KUNIT_EXPECT_EQ(test, axvcpu_state(turns.vcpu), AXVCPU_STATE_READY);
}

static const struct axvcpu_mock_insn endless[] = {
	{ .op = MOCK_JMP, .imm = 0 },
};

static int run_thread(void *arg)
{
	return axvcpu_kunit_run(arg, 0);
}

static int unbind_thread(void *arg)
{
	return axvcpu_kunit_do(arg, AXVCPU_OP_UNBIND);
}

static int bind_thread(void *arg)
{
	return axvcpu_kunit_do(arg, AXVCPU_OP_BIND);
}

static bool is_running(void *arg)
{
	return axvcpu_state(arg) == AXVCPU_STATE_RUNNING;
}

static bool sleeps(void *arg)
{
	struct axvcpu_kunit_thread *thread = arg;

	return READ_ONCE(thread->task->__state) & TASK_UNINTERRUPTIBLE;
}

static void against_run(struct kunit *test, int (*fn)(void *arg), int ret, enum axvcpu_state state)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_kunit_thread runner, other;

	axvcpu_kunit_program(endless, ARRAY_SIZE(endless));
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&runner, -1, run_thread, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_running, vcpu));
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&other, -1, fn, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(sleeps, &other));
	/* R61: asking does not wait. R5: the guest runs on. */
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_RUNNING);
	KUNIT_EXPECT_FALSE(test, completion_done(&other.done));
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&runner), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&other), ret);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), state);
}

/* D06, R14: what comes during RUN waits, and finds the state after it. */
static void operations_wait_for_run(struct kunit *test)
{
	against_run(test, unbind_thread, 0, AXVCPU_STATE_FREE);
	against_run(test, bind_thread, -EBADFD, AXVCPU_STATE_INVALID);
}

/* D09: KICK before RUN: it is kept, and taken once. */
static void kick_before_run(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	axvcpu_kick(vcpu);
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, vcpu->stats.entries, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vcpu->kicks), 2);
}

static int kick_once(struct axvcpu *vcpu, u64 arg)
{
	if (!atomic64_read(&vcpu->kicks))
		axvcpu_kick(vcpu);
	return 0;
}

/* D09: KICK after the look at the start of RUN and before the entry. */
static void kick_at_the_entry(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	hook(AXVCPU_MOCK_LOAD, kick_once);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, vcpu->stats.entries, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
}

/* D09: KICK between an exit that the kernel handles and the next entry. */
static void kick_after_a_kernel_exit(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_KERNEL_EXIT },
		{ .op = MOCK_JMP, .imm = 0 },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	hook(AXVCPU_MOCK_HANDLE_EXIT, kick_once);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, vcpu->stats.entries, 1);
}

/* D09: KICK after an exit that is the VMM's: RUN returns the exit, the next one the kick. */
static void kick_after_an_exit(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	hook(AXVCPU_MOCK_HANDLE_EXIT, kick_once);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
}

/*
 * A guest that checks the promise of KICK: once it has returned, either RUN
 * has returned too, or an interrupt is pending for the guest. In a kernel that
 * loses a kick the guest finds neither.
 */
static struct {
	struct axvcpu *vcpu;
	struct wait_queue_head wait;
	bool stop;
	u64 ready;		/* kicks that RUN is started for; written by the kicker */
	u64 loads;		/* sections begun; written by the runner */
	u64 sent;		/* kicks that have returned; written by the kicker */
	u64 taken;		/* EINTRs; written by the runner */
	u64 lost;
	u64 interrupted;
	u64 wrong;
	unsigned int patience;	/* kicks more, should it have met none in the guest */
} kicks;

/*
 * Interrupts are off: not long, so that nobody waits for this CPU, and counted
 * in rounds, as this CPU may be the one that makes the clock advance.
 */
#define IN_GUEST_ROUNDS	5000

static int guest_under_kicks(struct axvcpu *vcpu, u64 arg)
{
	unsigned int i;
	bool returned;

	for (i = 0; i < IN_GUEST_ROUNDS; i++) {
		/* The interrupt of a kick that has returned is visible. */
		returned = smp_load_acquire(&kicks.sent) > kicks.taken;
		if (axvcpu_mock_interrupted()) {
			kicks.interrupted++;
			break;
		}
		if (returned) {
			kicks.lost++;
			break;
		}
		cpu_relax();
	}
	return axvcpu_kunit_guest_exit(vcpu, AXVCPU_EXIT_EXTERNAL_INTERRUPT);
}

static int count_load(struct axvcpu *vcpu, u64 arg)
{
	WRITE_ONCE(kicks.loads, kicks.loads + 1);
	return 0;
}

/* Who waits sleeps: where the CPUs are emulated, who spins keeps the other from running. */
static int run_under_kicks(void *arg)
{
	for (;;) {
		wait_event(kicks.wait, READ_ONCE(kicks.ready) > kicks.taken ||
			   READ_ONCE(kicks.stop));
		if (READ_ONCE(kicks.stop))
			return 0;
		if (axvcpu_kunit_run(kicks.vcpu, 0) != -EINTR)
			kicks.wrong++;
		WRITE_ONCE(kicks.taken, kicks.taken + 1);
		wake_up(&kicks.wait);
	}
}

/* The section begins with the load: from there it is not far to the entry. */
static void wait_for_load(u64 before)
{
	unsigned int i;

	for (i = 0; i < 100000 && READ_ONCE(kicks.loads) == before; i++)
		cpu_relax();
	for (i = get_random_u8(); i; i--)
		cpu_relax();
}

static int kick_many(void *arg)
{
	unsigned long began = jiffies;
	u64 n, loads;
	long left = 1;

	/* On a machine that has other work to do, until it met one in the guest. */
	for (n = 1; left && (hunt_on(began, n, 100000) ||
			     (!READ_ONCE(kicks.interrupted) && kicks.patience--)); n++) {
		loads = READ_ONCE(kicks.loads);
		WRITE_ONCE(kicks.ready, n);
		wake_up(&kicks.wait);
		wait_for_load(loads);
		axvcpu_kick(kicks.vcpu);
		/* The guest that sees it may look for the interrupt. */
		smp_store_release(&kicks.sent, n);
		left = wait_event_timeout(kicks.wait, READ_ONCE(kicks.taken) >= n,
					  AXVCPU_KUNIT_PATIENCE);
	}
	WRITE_ONCE(kicks.stop, true);
	/* Should one be lost after all. */
	if (!left)
		axvcpu_kick(kicks.vcpu);
	wake_up(&kicks.wait);
	return left ? 0 : -ETIMEDOUT;
}

/* D09: up to 10^5 kicks at any moment of the run loop, none lost. */
static void no_kick_is_lost(struct kunit *test)
{
	struct axvcpu_kunit_thread runner, kicker;
	int a = cpumask_first(cpu_online_mask), b = cpumask_last(cpu_online_mask);

	memset(&kicks, 0, sizeof(kicks));
	init_waitqueue_head(&kicks.wait);
	kicks.patience = num_online_cpus() > 1 ? 100000 : 0;
	kicks.vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	hook(AXVCPU_MOCK_LOAD, count_load);
	hook(AXVCPU_MOCK_ENTER, guest_under_kicks);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&runner, a, run_under_kicks, NULL), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&kicker, b, kick_many, NULL), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&kicker), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&runner), 0);
	KUNIT_EXPECT_EQ(test, kicks.lost, 0);
	KUNIT_EXPECT_EQ(test, kicks.wrong, 0);
	KUNIT_EXPECT_GE(test, kicks.taken, kicks.sent);
	/* The test met what it is about: kicks in the guest. */
	if (a != b)
		KUNIT_EXPECT_GT(test, kicks.interrupted, 0);
	kunit_info(test, "%llu kicks, %llu in the guest", kicks.sent, kicks.interrupted);
}

/* A guest that halts, counts its interrupts in r1, and halts again. */
static const struct axvcpu_mock_insn halting[] = {
	{ .op = MOCK_SETVEC, .imm = 0x100 },
	{ .op = MOCK_STI },
	{ .op = MOCK_HALT },
	{ .op = MOCK_JMP, .imm = 0x20 },
};

static const struct axvcpu_mock_insn counting[] = {
	{ .op = MOCK_ADDI, .reg = 1, .imm = 1 },
	{ .op = MOCK_IRET },
};

static struct axvcpu *halting_vcpu(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	axvcpu_kunit_program(halting, ARRAY_SIZE(halting));
	memcpy(axvcpu_kunit_ram(0x100), counting, sizeof(counting));
	return vcpu;
}

static int wait_thread(void *arg)
{
	return axvcpu_kunit_run(arg, AXVCPU_RUN_WAIT);
}

static int wait_until_killed(void *arg)
{
	int ret;

	allow_signal(SIGKILL);
	ret = axvcpu_kunit_run(arg, AXVCPU_RUN_WAIT);
	flush_signals(current);
	return ret;
}

static bool is_blocked(void *arg)
{
	return axvcpu_state(arg) == AXVCPU_STATE_BLOCKED;
}

static struct {
	struct axvcpu *vcpu;
	struct wait_queue_head wait;
	u64 wanted;
	u64 injected;
} wakes;

static bool has_counted(void *arg)
{
	return READ_ONCE(wakes.vcpu->run->regs.raw[1]) >= wakes.wanted;
}

/* R6, R12: Blocked is seen, INJECT ends it and the guest goes on, KICK ends it and RUN returns. */
static void blocked_until_woken(struct kunit *test)
{
	struct axvcpu *vcpu = halting_vcpu(test);
	struct axvcpu_kunit_thread thread;

	wakes.vcpu = vcpu;
	wakes.wanted = 1;
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, -1, wait_thread, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, vcpu));
	/* Not current while it waits: others may use the CPU. */
	KUNIT_EXPECT_EQ(test, vcpu->guest_cpu, -1);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 40), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(has_counted, NULL));
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, vcpu));
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);

	/* The guest is halted still: the next RUN goes on waiting, without an entry. */
	wakes.wanted = vcpu->stats.entries;
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, -1, wait_thread, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->stats.entries, wakes.wanted);
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);

	/* Without the flag it is an exit. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, vcpu->run->exit_reason, AXVCPU_EXIT_HALT);
}

/* A signal ends the wait as well; nothing is Invalid. */
static void killed_while_blocked(struct kunit *test)
{
	struct axvcpu *vcpu = halting_vcpu(test);
	struct axvcpu_kunit_thread thread;

	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, -1, wait_until_killed, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, vcpu));
	send_sig(SIGKILL, thread.task, 1);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, vcpu->failure.seq, 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), 0);
}

static bool waited(struct kunit *test, struct axvcpu *vcpu)
{
	struct axvcpu_history_entry *h;
	unsigned int i, n;
	bool ret = false;

	h = kunit_kcalloc(test, AXVCPU_HISTORY_LEN, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	n = axvcpu_get_history(vcpu, h, AXVCPU_HISTORY_LEN);
	for (i = 0; i < n; i++)
		ret |= h[i].op == AXVCPU_OP_WAIT;
	return ret;
}

static int inject_at_halt(struct axvcpu *vcpu, u64 arg)
{
	if (axvcpu_mock(vcpu)->exit.reason == AXVCPU_EXIT_HALT) {
		if (atomic64_read(&vcpu->injections))
			axvcpu_kick(vcpu);
		else
			axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 40);
	}
	return 0;
}

/* An event between the halt and the wait: there is no wait. */
static void event_at_the_halt(struct kunit *test)
{
	struct axvcpu *vcpu = halting_vcpu(test);

	hook(AXVCPU_MOCK_HANDLE_EXIT, inject_at_halt);
	/* The second halt is cut short by the kick. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, AXVCPU_RUN_WAIT), -EINTR);
	KUNIT_EXPECT_EQ(test, vcpu->run->regs.raw[1], 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vcpu->kicks), 1);
}

/* An interrupt that the guest has switched off does not end its halt. */
static void masked_interrupt_does_not_wake(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_kunit_thread thread;

	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 40), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, -1, wait_thread, vcpu), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, vcpu));
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);
	KUNIT_EXPECT_TRUE(test, waited(test, vcpu));
}

static int wait_unless_masked(void *arg)
{
	return axvcpu_kunit_run(arg, AXVCPU_RUN_WAIT | AXVCPU_RUN_EXIT_HLT_IF0);
}

/* The VMM may have such a halt for itself; one that an interrupt can end waits. */
static void masked_halt_is_an_exit(struct kunit *test)
{
	struct axvcpu *masked = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY), *open;
	struct axvcpu_kunit_thread thread;

	KUNIT_EXPECT_EQ(test, wait_unless_masked(masked), 0);
	KUNIT_EXPECT_EQ(test, masked->run->exit_reason, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_FALSE(test, waited(test, masked));

	open = halting_vcpu(test);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, -1, wait_unless_masked, open), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(is_blocked, open));
	axvcpu_kick(open);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), -EINTR);
}

static int tell_injector(struct axvcpu *vcpu, u64 arg)
{
	wake_up(&wakes.wait);
	return 0;
}

static int inject_many(void *arg)
{
	unsigned long began = jiffies;
	unsigned int delay;
	u64 n;

	for (n = 1; hunt_on(began, n, 100000); n++) {
		wakes.wanted = n;
		for (delay = get_random_u8() * 4; delay; delay--)
			cpu_relax();
		axvcpu_kunit_inject(wakes.vcpu, AXVCPU_EVENT_INTERRUPT, 40);
		wakes.injected = n;
		if (!wait_event_timeout(wakes.wait, has_counted(NULL), AXVCPU_KUNIT_PATIENCE))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Upstream lost them: injections at any moment of halt and wait, each wakes the guest. */
static void no_wake_up_is_lost(struct kunit *test)
{
	struct axvcpu *vcpu = halting_vcpu(test);
	int a = cpumask_first(cpu_online_mask), b = cpumask_last(cpu_online_mask);
	struct axvcpu_kunit_thread runner, injector;

	wakes.vcpu = vcpu;
	init_waitqueue_head(&wakes.wait);
	hook(AXVCPU_MOCK_HANDLE_EXIT, tell_injector);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&runner, a, wait_thread, vcpu), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&injector, b, inject_many, NULL), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&injector), 0);
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&runner), -EINTR);
	KUNIT_EXPECT_EQ(test, vcpu->run->regs.raw[1], wakes.injected);
	KUNIT_EXPECT_TRUE(test, waited(test, vcpu));
	kunit_info(test, "%llu wake-ups", wakes.injected);
}

/* Threads that do anything at any time, each result checked against the table. */
static struct {
	struct axvcpu *vcpu;
	unsigned long began;
	atomic_t wrong;
	atomic_t impossible;
	atomic_t results[AXVCPU_KUNIT_NR_STATES];
	bool stop;
} storm;

static bool in_table(enum axvcpu_op op, enum axvcpu_state from, enum axvcpu_state to)
{
	static const struct {
		u8 op, from, to;
	} rows[] = {
#define T(_op, _from, _to) \
		{ AXVCPU_OP_##_op, AXVCPU_STATE_##_from, AXVCPU_STATE_##_to },
		AXVCPU_TRANSITIONS(T)
#undef T
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].op == op && rows[i].from == from && rows[i].to == to)
			return true;
	return false;
}

/* RUN goes from Ready through Running and back. */
static bool may_lead(enum axvcpu_op op, enum axvcpu_state from, enum axvcpu_state to)
{
	if (op == AXVCPU_OP_RUN)
		return from == AXVCPU_STATE_READY && to == AXVCPU_STATE_READY;
	return in_table(op, from, to);
}

/* Each state was come to: what the test is about, and what a busy machine may take longer for. */
static bool storm_was_everywhere(void)
{
	unsigned int i;

	for (i = 0; i <= AXVCPU_STATE_READY; i++)
		if (!atomic_read(&storm.results[i]))
			return false;
	return true;
}

static int storm_thread(void *arg)
{
	static const enum axvcpu_op ops[] = {
		AXVCPU_OP_SETUP, AXVCPU_OP_BIND, AXVCPU_OP_BIND, AXVCPU_OP_RUN, AXVCPU_OP_RUN,
		AXVCPU_OP_RUN, AXVCPU_OP_UNBIND, AXVCPU_OP_RESET, AXVCPU_OP_RESET,
	};
	enum axvcpu_state before, after;
	unsigned int i;
	int ret;

	for (i = 0; hunt_on(storm.began, i, 20000) || (i < 20000 && !storm_was_everywhere()); i++) {
		enum axvcpu_op op = ops[get_random_u32() % ARRAY_SIZE(ops)];
		bool failed;

		mutex_lock(&storm.vcpu->mutex);
		before = axvcpu_state(storm.vcpu);
		ret = axvcpu_kunit_do_locked(storm.vcpu, op);
		after = axvcpu_state(storm.vcpu);
		mutex_unlock(&storm.vcpu->mutex);

		failed = ret && !(op == AXVCPU_OP_RUN && ret == -EINTR);
		if (failed ? ret != -EBADFD || after != AXVCPU_STATE_INVALID :
			     !may_lead(op, before, after))
			atomic_inc(&storm.wrong);
		atomic_inc(&storm.results[after]);
	}
	return 0;
}

/* What needs no lock, and a look at the state that must always make sense. */
static int storm_onlooker(void *arg)
{
	struct axvcpu_history_entry *h = arg;
	struct axvcpu_state_info info = {};
	unsigned int i, n;

	while (!READ_ONCE(storm.stop)) {
		axvcpu_kick(storm.vcpu);
		axvcpu_kunit_inject(storm.vcpu, AXVCPU_EVENT_INTERRUPT, get_random_u8());
		axvcpu_get_failure(storm.vcpu, &info);
		if (info.state > AXVCPU_STATE_BLOCKED ||
		    (info.failure.seq && info.failure.error != -EBADFD))
			atomic_inc(&storm.impossible);

		/* Each entry is a row of the table, or a failure. */
		n = axvcpu_get_history(storm.vcpu, h, AXVCPU_HISTORY_LEN);
		for (i = 0; i < n; i++)
			if (h[i].error ? h[i].to != AXVCPU_STATE_INVALID :
					 !in_table(h[i].op, h[i].from, h[i].to))
				atomic_inc(&storm.impossible);
		cond_resched();
	}
	return 0;
}

/* D08, D14: random operations of four threads against the model, and two that look on. */
static void storm_of_operations(struct kunit *test)
{
	struct axvcpu_kunit_thread threads[4], onlookers[2];
	struct axvcpu_history_entry *h;
	unsigned int i;

	memset(&storm, 0, sizeof(storm));
	storm.began = jiffies;
	storm.vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	h = kunit_kcalloc(test, 2 * AXVCPU_HISTORY_LEN, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	for (i = 0; i < ARRAY_SIZE(onlookers); i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&onlookers[i], -1, storm_onlooker,
							 h + i * AXVCPU_HISTORY_LEN), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&threads[i], -1, storm_thread, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&threads[i]), 0);
	WRITE_ONCE(storm.stop, true);
	for (i = 0; i < ARRAY_SIZE(onlookers); i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&onlookers[i]), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&storm.wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&storm.impossible), 0);
	for (i = 0; i <= AXVCPU_STATE_READY; i++)
		KUNIT_EXPECT_GT(test, atomic_read(&storm.results[i]), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(one_wins),
	KUNIT_CASE(never_two_guests),
	KUNIT_CASE(operations_wait_for_run),
	KUNIT_CASE(kick_before_run),
	KUNIT_CASE(kick_at_the_entry),
	KUNIT_CASE(kick_after_a_kernel_exit),
	KUNIT_CASE(kick_after_an_exit),
	KUNIT_CASE(no_kick_is_lost),
	KUNIT_CASE(blocked_until_woken),
	KUNIT_CASE(killed_while_blocked),
	KUNIT_CASE(event_at_the_halt),
	KUNIT_CASE(masked_interrupt_does_not_wake),
	KUNIT_CASE(masked_halt_is_an_exit),
	KUNIT_CASE(no_wake_up_is_lost),
	KUNIT_CASE(storm_of_operations),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_race",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
