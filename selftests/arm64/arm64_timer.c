// SPDX-License-Identifier: GPL-2.0-only
/* The virtual timer of an arm64 guest. */
#include <signal.h>
#include <sys/time.h>
#include <sys/timex.h>

#include "arm64.h"

#define NS_PER_SEC	1000000000ULL

/* x20: results; x22: ticks of the timer; x23: wait (WFI) or spin */
PROGRAM(timer_program,
	IRQ_SETUP("timer_irq")
	"1:" MEET(0x70)
	"mov x21, #0\n mrs x24, cntvct_el0\n"
	"msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"2: msr daifclr, #2\n cbz x23, 3f\n wfi\n 3: cbz x21, 2b\n"
	"msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("timer_irq")
	"timer_irq: mrs x1, s3_0_c12_c12_0\n mrs x26, cntv_ctl_el0\n mrs x25, cntvct_el0\n"
	"msr cntv_ctl_el0, xzr\n isb\n msr s3_0_c12_c12_1, x1\n mov x21, x1\n eret\n");

TEST_F(arm64, timer)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	for (int i = 0; i < 40; i++) {
		uint64_t ticks = hz / 100 * (1 + i % 3);

		self->x[22] = ticks;
		self->x[23] = i & 1;
		EXPECT_MEET(0x70);
		EXPECT_EQ(27, self->x[21]);
		EXPECT_LE(ticks, self->x[25] - self->x[24]);
		EXPECT_EQ(5, self->x[26]);	/* enabled, asserted */
	}
}

/* Without a wait inside RUN it is an exit; the timer is there when RUN comes back. */
TEST_F(arm64, timer_halt_exit)
{
	uint64_t hz, ticks;
	int exit;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	/* A guest that loses its CPU may find that its time is up before it can wait. */
	for (ticks = hz / 50;; ticks *= 2) {
		self->x[22] = ticks;
		self->x[23] = 1;
		exit = run(self, 0);
		if (exit != AXVCPU_EXIT_HYPERCALL || ticks > 100 * hz)
			break;
	}
	ASSERT_EQ(AXVCPU_EXIT_HALT, exit);
	sleep_ns(2 * ticks * NS_PER_SEC / hz);
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(27, self->x[21]);
}

TEST_F(arm64, virtual_offset)
{
	uint64_t now, before;

	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	asm volatile("mrs %0, cntvct_el0" : "=r" (before));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, before));
	EXPECT_MEET(0x70);
	self->x[22] = 0;
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 3, 14, 0, 2), &now));
	EXPECT_LE(self->x[24], now);
	/* The host's own time goes on: the guest's began when it was set. */
	asm volatile("mrs %0, cntvct_el0" : "=r" (now));
	EXPECT_LT(before, now);
	EXPECT_GE(now - before, self->x[24]);
}

/* RESET keeps it with the machine, and else forgets it. */
TEST_F(arm64, virtual_offset_over_a_reset)
{
	uint64_t offset;

	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, 12345));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_run(self->v.fd));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, &offset));
	EXPECT_EQ(12345, offset);
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_PROG(0)));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, &offset));
	EXPECT_EQ(12345, offset);
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, &offset));
	EXPECT_EQ(0, offset);
}

/* A11: a level that has fallen before the guest saw it was no interrupt. */
PROGRAM(fallen_program,
	IRQ_SETUP("fallen_irq")
	"mov x21, #0\n msr cntv_cval_el0, xzr\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"1: mrs x0, cntv_ctl_el0\n tbz x0, #2, 1b\n"
	MEET(0x70) MEET(0x71)
	"cbz x23, 2f\n msr cntv_ctl_el0, xzr\n isb\n"
	"2:" MEET(0x72)
	"msr daifclr, #2\n isb\n nop\n nop\n msr daifset, #2\n"
	MEET(0x73)
	"mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n msr daifclr, #2\n isb\n nop\n"
	MEET(0x74)
	IRQ_VECTORS("fallen_irq")
	"fallen_irq: mrs x1, s3_0_c12_c12_0\n msr cntv_ctl_el0, xzr\n isb\n"
	"msr s3_0_c12_c12_1, x1\n add x21, x21, #1\n eret\n");

TEST_F(arm64, timer_level_that_has_fallen)
{
	for (int by_guest = 0; by_guest < 2; by_guest++) {
		ASSERT_EQ(0, start(self, fallen_program, fallen_program_end));
		self->x[23] = by_guest;
		EXPECT_MEET(0x70);
		EXPECT_MEET(0x71);
		if (!by_guest) {
			ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 3, 14, 3, 1), 0));
		}
		EXPECT_MEET(0x72);
		EXPECT_MEET(0x73);
		EXPECT_EQ(0, self->x[21]);
		/* And the next one comes. */
		EXPECT_MEET(0x74);
		EXPECT_EQ(1, self->x[21]);
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}
}

/* A13: the VMM's redistributor masks it, or gives it a priority. */
TEST_F(arm64, timer_and_redistributor)
{
	const uint64_t id = AXVCPU_ARM64_REG_VTIMER_IRQ;
	const struct axvcpu_arm64_irq *irq;
	uint64_t value;

	ASSERT_EQ(0, start(self, fallen_program, fallen_program_end));
	irq = self->run->queue.arm64.irqs;
	ASSERT_EQ(0, get_reg(self->v.fd, id, &value));
	EXPECT_EQ(AXVCPU_ARM64_VTIMER_ENABLED | 0xa0, value);
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, id, 0x200));
	ASSERT_EQ(0, set_reg(self->v.fd, id, AXVCPU_ARM64_VTIMER_ENABLED | 0x40));
	EXPECT_MEET(0x70);
	EXPECT_MEET(0x71);
	EXPECT_EQ(1, self->run->queue.arm64.count);
	EXPECT_EQ(27, irq->intid);
	EXPECT_EQ(0x40, irq->priority);
	/* Masked before the guest has seen it, however late */
	ASSERT_EQ(0, set_reg(self->v.fd, id, 0x40));
	EXPECT_MEET(0x72);
	EXPECT_MEET(0x73);
	EXPECT_EQ(0, self->x[21]);
	EXPECT_EQ(0, self->run->queue.arm64.count);
	ASSERT_EQ(0, set_reg(self->v.fd, id, AXVCPU_ARM64_VTIMER_ENABLED | 0x40));
	EXPECT_MEET(0x74);
	EXPECT_EQ(1, self->x[21]);
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, get_reg(self->v.fd, id, &value));
	EXPECT_EQ(AXVCPU_ARM64_VTIMER_ENABLED | 0xa0, value);
}

static void on_alarm(int sig)
{
}

/* It waits for its timer, until a signal comes, which the timer's interrupt does not. */
static int wait_and_leave(FIXTURE_DATA(arm64) *self, uint64_t ticks)
{
	struct itimerval soon = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = on_alarm };
	int err;

	self->x[22] = ticks;
	self->x[23] = 1;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	err = run_vcpu(self->v.fd, AXVCPU_RUN_WAIT);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	return err;
}

/* Nothing that the VMM does meanwhile costs the guest its timer. */
TEST_F(arm64, timer_and_registers)
{
	uint64_t hz, value, cval, ticks;
	int err;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	/* The signal comes first, unless the machine was away. */
	for (ticks = hz / 2;; ticks *= 2) {
		err = wait_and_leave(self, ticks);
		if (err || ticks > 100 * hz)
			break;
	}
	ASSERT_EQ(-EINTR, err);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, &value));
	ASSERT_EQ(0, run_vcpu(self->v.fd, AXVCPU_RUN_WAIT));
	EXPECT_EQ(27, self->x[21]);
	EXPECT_LE(ticks, self->x[25] - self->x[24]);
	/* From an hour to now */
	ASSERT_EQ(-EINTR, wait_and_leave(self, 3600 * hz));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 3, 14, 0, 2), &value));
	ASSERT_EQ(0, get_reg(self->v.fd, sys(3, 3, 14, 3, 2), &cval));
	EXPECT_LT(value, cval);
	ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 3, 14, 3, 2), value + hz / 10));
	ASSERT_EQ(0, run_vcpu(self->v.fd, AXVCPU_RUN_WAIT));
	EXPECT_EQ(27, self->x[21]);
}

/* The host's clock runs faster than the counter while it is adjusted. */
TEST_F(arm64, timer_by_a_fast_clock)
{
	struct timex fast = { .modes = ADJ_TICK, .tick = 1100000 / sysconf(_SC_CLK_TCK) };
	struct timex right = { .modes = ADJ_TICK, .tick = 1000000 / sysconf(_SC_CLK_TCK) };
	uint64_t hz;
	int err;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start(self, timer_program, timer_program_end));
	EXPECT_MEET(0x70);
	ASSERT_LE(0, adjtimex(&fast));
	self->x[22] = hz;
	self->x[23] = 1;
	err = run_vcpu(self->v.fd, AXVCPU_RUN_WAIT);
	ASSERT_LE(0, adjtimex(&right));
	ASSERT_EQ(0, err);
	EXPECT_EQ(27, self->x[21]);
	EXPECT_LE(hz, self->x[25] - self->x[24]);
}

PROGRAM(counter_program, "1: isb\n mrs x9, cntvct_el0\n mrs x10, cntpct_el0\n" MEET(0x70) "b 1b\n");

/* A8: CNTVOFF is each vCPU's own, also when they take turns on a CPU. */
TEST_F(arm64, offset_of_each_vcpu)
{
	struct guest_vcpu other;

	pin_to_cpu(0);
	ASSERT_EQ(0, start(self, counter_program, counter_program_end));
	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, ENTRY));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, -(1ULL << 50)));
	ASSERT_EQ(0, set_reg(other.fd, AXVCPU_ARM64_REG_CNTVOFF, -(1ULL << 51)));
	for (int i = 0; i < 20; i++) {
		EXPECT_MEET(0x70);
		EXPECT_EQ(1, self->x[9] >> 50);
		/* There is no other time than this for the guest. */
		EXPECT_LE(self->x[9], self->x[10]);
		EXPECT_EQ(1, self->x[10] >> 50);
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		EXPECT_EQ(2, other.run->regs.arm64.x[9] >> 50);
		EXPECT_EQ(2, other.run->regs.arm64.x[10] >> 50);
	}
	vcpu_destroy(&other);
}

PROGRAM(physical_program,
	"msr cntp_cval_el0, x8\n msr cntp_tval_el0, x9\n msr cntp_ctl_el0, x10\n"
	"mrs x11, cntp_ctl_el0\n mrs x12, cntp_tval_el0\n mrs x13, cntp_cval_el0\n" MEET(0x70));

/* A8: the physical timer is the host's: the guest's accesses are the VMM's to answer. */
TEST_F(arm64, physical_timer_exits)
{
	static const struct {
		bool write;
		int op2;
	} accesses[] = { { true, 2 }, { true, 0 }, { true, 1 }, { false, 1 }, { false, 0 },
			 { false, 2 } };
	unsigned long long before;

	ASSERT_EQ(0, start(self, physical_program, physical_program_end));
	for (int i = 0; i < 3; i++)
		self->x[8 + i] = 0x100 + i;
	for (int i = 0; i < ARRAY_SIZE(accesses); i++) {
		ASSERT_EQ(accesses[i].write ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ,
			  run(self, 0)) TH_LOG("access %d", i);
		EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 3, 14, 2, accesses[i].op2),
			  self->run->sysreg.addr);
		if (accesses[i].write) {
			EXPECT_EQ(0x100 + i, self->run->sysreg.value);
		}
		self->run->sysreg.value = 0x200 + i;
		/* The host's goes on. */
		before = now_ns();
		usleep(1000);
		EXPECT_LE(before + 1000000, now_ns());
	}
	EXPECT_MEET(0x70);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0x203 + i, self->x[11 + i]);
}

/* The VMM's own GIC: it is told of the timer, and the CPU interface is its business. */
PROGRAM(user_gic_program,
	"adr x0, vectors_user_irq\n msr vbar_el1, x0\n mrs x9, s3_0_c12_c12_0\n"
	"1:" MEET(0x70)
	"mov x21, #0\n msr cntv_tval_el0, x22\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
	"2: msr daifclr, #2\n cbz x23, 3f\n wfi\n 3: cbz x21, 2b\n"
	"msr daifset, #2\n b 1b\n"
	IRQ_VECTORS("user_irq")
	"user_irq: msr cntv_ctl_el0, xzr\n isb\n mov x21, #1\n" MEET(0x72) "eret\n");

TEST_F(arm64, user_gic)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	ASSERT_EQ(0, start_with(self, AXVCPU_ARM64_SETUP_USER_GIC, user_gic_program,
				user_gic_program_end));
	EXPECT_EQ(-EOPNOTSUPP, inject(self->v.fd, 40, 0));
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 0, 12, 12, 0), self->run->sysreg.addr);
	self->run->sysreg.value = 1023;
	EXPECT_MEET(0x70);
	EXPECT_EQ(1023, self->x[9]);
	for (int i = 0; i < 10; i++) {
		self->x[22] = hz / 100;
		self->x[23] = i & 1;
		ASSERT_EQ(AXVCPU_EXIT_EXTERNAL_INTERRUPT, run(self, AXVCPU_RUN_WAIT));
		EXPECT_EQ(27, self->run->exception.vector);
		ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
		EXPECT_MEET(0x72);
		ASSERT_EQ(0, inject(self->v.fd, AXVCPU_ARM64_LOWER_LINE(AXVCPU_ARM64_LINE_IRQ), 0));
		EXPECT_MEET(0x70);
		EXPECT_EQ(1, self->x[21]);
	}
}

TEST_HARNESS_MAIN
