// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes an arm64 guest exit, or take an exception: system registers, debugging,
 * errors, AArch32, the host's interrupts.
 */
#include "arm64.h"

PROGRAM(undefined_program,
	"adr x0, 2f\n msr vbar_el1, x0\n isb\n"
	"1: cbz x8, 3f\n sub x8, x8, #1\n cbz x8, 4f\n sub x8, x8, #1\n cbz x8, 5f\n"
	"sub x8, x8, #1\n cbz x8, 7f\n sub x8, x8, #1\n cbz x8, 8f\n"
	"mrs x0, cntp_cval_el0\n b 6f\n"
	"3: mrs x0, s3_0_c5_c3_0\n b 6f\n"		/* ERRIDR_EL1 */
	"4: .inst 0x04e0e3e0\n b 6f\n"			/* cntb x0: SVE */
	"5: .inst 0xd5180400\n b 6f\n"
	"7: mrs x0, pmcr_el0\n b 6f\n"
	"8: mrs x0, s3_1_c0_c0_6\n"			/* SMIDR_EL1 */
	"6:" MEET(0x71)
	".balign 2048\n2: .fill 128, 4, 0\n"
	"mrs x9, esr_el1\n mrs x11, elr_el1\n" MEET(0x70));

TEST_F(arm64, undefined)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, start(self, undefined_program, undefined_program_end));
		ASSERT_EQ(0, set_reg(self->v.fd, sys(3, 0, 1, 0, 2), 3 << 20 | 3 << 16));
		self->x[8] = i;
		EXPECT_MEET(0x70);
		EXPECT_EQ(0, self->x[9] >> 26) TH_LOG("case %d", i);
		EXPECT_NE(0, self->x[11]);
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}
	/* What the kernel does not know is the VMM's. */
	ASSERT_EQ(0, start(self, undefined_program, undefined_program_end));
	self->x[8] = 5;
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	EXPECT_EQ(AXVCPU_ARM64_SYSREG(3, 3, 14, 2, 2), self->run->sysreg.addr);
	self->run->sysreg.value = 0;
	EXPECT_MEET(0x71);
}

/* A17: direction, register, XZR both ways, and an answer that is a fault. */
PROGRAM(sysreg_program,
	ALL_SETUP("sysreg_all")
	"mrs x5, cntp_cval_el0\n mrs xzr, cntp_cval_el0\n"
	"msr cntp_cval_el0, x6\n msr cntp_cval_el0, xzr\n"
	MEET(0x70)
	"mrs x5, cntp_cval_el0\n" MEET(0x71)
	ALL_VECTORS("sysreg_all") "sysreg_all: mrs x9, esr_el1\n mrs x10, elr_el1\n" MEET(0x72));

TEST_F(arm64, sysreg)
{
	const uint64_t timer = AXVCPU_ARM64_SYSREG(3, 3, 14, 2, 2);
	static const struct {
		bool write;
		uint32_t reg;
		uint64_t value;
	} exits[] = {
		{ false, 5, 0 }, { false, 31, 0 },
		{ true, 6, 0x8765432112345678 }, { true, 31, 0 },
	};

	ASSERT_EQ(0, start(self, sysreg_program, sysreg_program_end));
	self->x[6] = 0x8765432112345678;
	for (int i = 0; i < ARRAY_SIZE(exits); i++) {
		ASSERT_EQ(exits[i].write ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ,
			  run(self, 0)) TH_LOG("exit %d", i);
		EXPECT_EQ(timer, self->run->sysreg.addr);
		EXPECT_EQ(exits[i].reg, self->run->sysreg.reg);
		EXPECT_EQ(exits[i].value, self->run->sysreg.value);
		self->run->sysreg.value = 0x100 + i;
	}
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x100, self->x[5]);
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	self->run->sysreg.fault = 1;
	EXPECT_MEET(0x72);
	EXPECT_EQ(1 << 25, self->x[9]);
	EXPECT_EQ(0x200, self->x[12]);
	EXPECT_EQ(0x100, self->x[5]);
}

/* The VMM writes PC, SP and PSTATE at each exit; the answer is a fault all the same. */
PROGRAM(fault_program,
	ALL_SETUP("fault_all")
	"msr daifclr, #15\n mrs x5, cntp_cval_el0\n" MEET(0x70)
	ALL_VECTORS("fault_all") "fault_all: mrs x9, daif\n mrs x10, spsr_el1\n" MEET(0x72));

TEST_F(arm64, fault_with_the_page_written)
{
	ASSERT_EQ(0, start(self, fault_program, fault_program_end));
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_READ, run(self, 0));
	self->run->sysreg.fault = 1;
	self->run->regs.arm64.pstate |= 1 << 30;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_MEET(0x72);
	EXPECT_EQ(0x3c0, self->x[9]);
	EXPECT_EQ(1 << 30 | 5, self->x[10]);
}

/* An exception comes behind a hypercall, whose result is there. */
PROGRAM(result_program,
	ALL_SETUP("result_all") "mov x0, #0x77\n hvc #0\n" MEET(0x70)
	ALL_VECTORS("result_all") "result_all: mov x9, x0\n" MEET(0x72));

TEST_F(arm64, exception_behind_a_hypercall)
{
	struct axvcpu_inject unknown = { .type = AXVCPU_EVENT_EXCEPTION };

	ASSERT_EQ(0, start(self, result_program, result_program_end));
	EXPECT_MEET(0x77);
	self->run->hypercall.ret = 0x1234;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &unknown));
	EXPECT_MEET(0x72);
	EXPECT_EQ(0x1234, self->x[9]);
}

/* What the VMM wrote beside a PSTATE that can't be is there when that is repaired. */
PROGRAM(repair_program, "mov x20, #0\n" MEET(0x70) "mov x20, #1\n" MEET(0x71));

TEST_F(arm64, bad_pstate_repaired)
{
	uint64_t pstate;

	ASSERT_EQ(0, start(self, repair_program, repair_program_end));
	EXPECT_MEET(0x70);
	pstate = self->run->regs.arm64.pstate;
	self->run->regs.arm64.pc += 4;
	self->run->regs.arm64.pstate = 9;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	ASSERT_EQ(AXVCPU_EXIT_FAIL_ENTRY, run(self, 0));
	self->run->regs.arm64.pstate = pstate;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_MEET(0x71);
	EXPECT_EQ(0, self->x[20]);
}

/* A3: what exits and what does not: WFE and the guest's own TLB and cache maintenance don't. */
PROGRAM(trap_program,
	"sevl\n wfe\n tlbi vmalle1\n dsb sy\n ic iallu\n dc csw, xzr\n mrs x1, actlr_el1\n"
	"msr actlr_el1, x20\n mrs x2, actlr_el1\n" MEET(0x70)
	"wfi\n" MEET(0x71));

TEST_F(arm64, traps)
{
	ASSERT_EQ(0, start(self, trap_program, trap_program_end));
	self->x[20] = ~0ULL;
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, self->x[2]);
	ASSERT_EQ(AXVCPU_EXIT_HALT, run(self, 0));
	EXPECT_MEET(0x71);
}

/* A9, A13: the guest's own debugging: a breakpoint, a watchpoint, a step, BRK. */
PROGRAM(debug_program,
	ALL_SETUP("debug_all")
	"mov x20, #0\n adr x1, 3f\n msr dbgbvr1_el1, x1\n"
	"ldr x1, =0xfff9e7\n msr dbgbcr1_el1, x1\n mrs x21, dbgbcr1_el1\n"
	"adr x1, 9f\n msr dbgwvr0_el1, x1\n ldr x1, =0xff7\n mov x2, #0x1ff7\n"
	"msr dbgwcr0_el1, x2\n mrs x22, dbgwcr0_el1\n"
	"mov x1, #0xa000\n msr mdscr_el1, x1\n mrs x23, mdscr_el1\n isb\n msr daifclr, #8\n"
	MEET(0x70)
	"3: nop\n"
	"adr x1, 9f\n str x1, [x1]\n"
	"brk #5\n"
	"msr daifset, #8\n" MEET(0x71)
	".balign 8\n9: .quad 0\n .ltorg\n"
	/* Each is counted, and stepped over or turned off. */
	ALL_VECTORS("debug_all")
	"debug_all: mrs x9, esr_el1\n lsr x9, x9, #26\n"
	"lsl x20, x20, #8\n orr x20, x20, x9\n"
	"mrs x10, elr_el1\n add x10, x10, #4\n msr elr_el1, x10\n eret\n");

TEST_F(arm64, guest_debugging)
{
	ASSERT_EQ(0, start(self, debug_program, debug_program_end));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x1e7, self->x[21]);
	EXPECT_EQ(0x1ff7, self->x[22]);
	EXPECT_EQ(0xa000, self->x[23]);
	EXPECT_MEET(0x71);
	/* Breakpoint, watchpoint, BRK, all from the same level */
	EXPECT_EQ(0x31353c, self->x[20]);
}

/* A11: an SError waits until it is unmasked, other exceptions come at once. */
PROGRAM(inject_program,
	ALL_SETUP("inject_all")
	"1: " MEET(0x70) "nop\n cbz x8, 1b\n msr daifclr, #4\n isb\n nop\n msr daifset, #4\n"
	MEET(0x71)
	ALL_VECTORS("inject_all")
	"inject_all: mrs x9, esr_el1\n mov x10, x12\n orr x0, xzr, #0x70\n eret\n");

TEST_F(arm64, exceptions)
{
	struct axvcpu_inject abort = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x2f,
				       .error_code = 0x12, .flags = AXVCPU_INJECT_ERROR_CODE };
	struct axvcpu_inject brk = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x3c };
	uint64_t value;

	ASSERT_EQ(0, start(self, inject_program, inject_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &brk));
	EXPECT_EQ(-EBUSY, XIOCTL(self->v.fd, AXVCPU_INJECT, &brk));
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_EXCEPTION, &value));
	EXPECT_EQ(0x3cULL << 26 | 1 << 25, value);
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x3cULL << 26 | 1 << 25, self->x[9]);
	EXPECT_EQ(0x200, self->x[10]);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_EXCEPTION, &value));
	EXPECT_EQ(0, value);

	self->x[10] = 0;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	EXPECT_EQ(-EBUSY, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	EXPECT_MEET(0x70);
	EXPECT_EQ(0, self->x[10]);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_SERROR, &value));
	EXPECT_NE(0, value);
	self->x[8] = 1;
	EXPECT_MEET(0x71);
	EXPECT_EQ(0x380, self->x[10]);
	EXPECT_EQ(0x2f, self->x[9] >> 26);
	ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_ARM64_REG_SERROR, &value));
	EXPECT_EQ(0, value);
}

PROGRAM(load_program,
	ALL_SETUP("load_all")
	"mov x1, #0x10000000\n mov x2, #0x77\n adr x3, 1f\n"
	"1: ldr x2, [x1]\n ldr x2, [x1]\n"
	MEET(0x72)
	ALL_VECTORS("load_all")
	"load_all: mrs x9, esr_el1\n mrs x10, elr_el1\n add x4, x10, #4\n msr elr_el1, x4\n eret\n");

/* A18, X13: an exception takes a load's place; then the VMM does the load. */
TEST_F(arm64, load_without_an_answer)
{
	struct axvcpu_inject abort = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x25,
				       .error_code = 0x10, .flags = AXVCPU_INJECT_ERROR_CODE };

	ASSERT_EQ(0, start(self, load_program, load_program_end));
	ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
	self->run->mmio.data = 0xbad;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
	EXPECT_EQ(0x77, self->x[2]);
	EXPECT_EQ(self->x[3], self->x[10]);
	EXPECT_EQ(0x25ULL << 26 | 1 << 25 | 0x10, self->x[9]);
	self->run->mmio.data = 0xbad;
	self->x[2] = 0x600d;
	self->run->regs.arm64.pc += 4;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	EXPECT_MEET(0x72);
	EXPECT_EQ(0x600d, self->x[2]);
}

/* An SError that the guest has masked can be taken back, also after an entry. */
TEST_F(arm64, serror_withdrawn)
{
	struct axvcpu_inject abort = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x2f };

	ASSERT_EQ(0, start(self, inject_program, inject_program_end));
	EXPECT_MEET(0x70);
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, 0x2f));
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	EXPECT_MEET(0x70);
	EXPECT_NE(0, self->run->queue.arm64.serror);
	EXPECT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, 0x2f));
	EXPECT_EQ(-ENOENT, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, 0x2f));
	self->x[10] = 0;
	self->x[8] = 1;
	EXPECT_MEET(0x71);
	EXPECT_EQ(0, self->x[10]);
	EXPECT_EQ(0, self->run->queue.arm64.serror);
}

PROGRAM(serror_program,
	ALL_SETUP("serror")
	MEET(0x70) "msr daifclr, #4\n 1: b 1b\n"
	ALL_VECTORS("serror")
	"serror: mrs x9, esr_el1\n mov x10, x12\n" MEET(0x71));

/* One that comes while the guest runs */
TEST_F(arm64, serror_of_a_running_guest)
{
	struct axvcpu_inject abort = { .type = AXVCPU_EVENT_EXCEPTION, .vector = 0x2f,
				       .error_code = 0x12, .flags = AXVCPU_INJECT_ERROR_CODE };
	struct vcpu_thread t;

	ASSERT_EQ(0, start(self, serror_program, serror_program_end));
	EXPECT_MEET(0x70);
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	EXPECT_EQ(0, wait_for_state(self->v.fd, AXVCPU_STATE_RUNNING));
	usleep(100000);
	EXPECT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &abort));
	ASSERT_EQ(0, thread_join(&t));
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, self->run->exit_reason);
	EXPECT_EQ(0x71, self->run->hypercall.nr);
	EXPECT_EQ(0x380, self->x[10]);
	EXPECT_EQ(0x2f, self->x[9] >> 26);
}

/* A11: AArch32, which the ID registers deny, ends the guest and nothing else. */
PROGRAM(aarch32_program,
	ALL_SETUP("aarch32")
	"mov x0, #0x10\n msr spsr_el1, x0\n adr x0, 1f\n msr elr_el1, x0\n eret\n"
	"1: .inst 0xeafffffe\n"		/* b . */
	ALL_VECTORS("aarch32")
	"aarch32:" MEET(0x71) "b aarch32\n");

TEST_F(arm64, aarch32)
{
	ASSERT_EQ(0, start(self, aarch32_program, aarch32_program_end));
	for (int i = 0; i < 2; i++) {
		int exit = run(self, 0);

		/* Without it, the return is an illegal one. */
		if (exit == AXVCPU_EXIT_HYPERCALL && self->run->hypercall.nr == 0x71)
			SKIP(return, "no AArch32");
		ASSERT_EQ(AXVCPU_EXIT_FAIL_ENTRY, exit);
		EXPECT_EQ(0x0e, self->run->fail_entry.hw_reason);
	}
	EXPECT_EQ(0x10, self->run->regs.arm64.pstate & 0x1f);
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x10));
	EXPECT_EQ(-EINVAL, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x9));
	EXPECT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PSTATE, 0x3c5));
}

/* What no guest can have is refused by id, or, in the run page, at the entry. */
PROGRAM(loop_program, "1: " MEET(0x10) "b 1b\n");

TEST_F(arm64, bad_registers)
{
	static const struct axvcpu_reg bad[] = {
		{ AXVCPU_ARM64_REG_PSTATE, 0x9 },
		{ AXVCPU_ARM64_REG_LINES, 4 },
		{ AXVCPU_ARM64_REG_EXCEPTION, 1 },
		{ AXVCPU_ARM64_REG_FPCR, 1ULL << 32 },
		{ AXVCPU_ARM64_REG_SYS(3, 0, 0, 0, 0), 0 },	/* MIDR_EL1 */
		{ 0x77, 0 },
	};
	struct axvcpu_failure f;

	ASSERT_EQ(0, start(self, loop_program, loop_program_end));
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, set_reg(self->v.fd, bad[i].id, bad[i].value));
		ASSERT_EQ(0, get_failure(self->v.fd, &f));
		EXPECT_EQ(i + 1, f.seq);
		EXPECT_EQ(AXVCPU_OP_SET_REGS, f.op);
		EXPECT_EQ(bad[i].id, f.reg);
	}
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	self->run->regs.arm64.pstate = 0x9;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	ASSERT_EQ(AXVCPU_EXIT_FAIL_ENTRY, run(self, 0));
	EXPECT_EQ(AXVCPU_ARM64_REG_PSTATE, self->run->fail_entry.reg);
	EXPECT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
}

/* A20: the host takes its own interrupts, while the guest never leaves. */
PROGRAM(spin_program, "1: cbz x8, 1b\n" MEET(0x70));

TEST_F(arm64, host_interrupts)
{
	unsigned long long began = now_ns();
	struct vcpu_thread thread;
	struct axvcpu_stats stats;

	ASSERT_EQ(0, start(self, spin_program, spin_program_end));
	ASSERT_EQ(0, thread_start(&thread, &self->v, 0));
	do {
		usleep(10000);
		ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	} while (stats.interrupts <= 3 && now_ns() - began < PATIENCE_NS);
	EXPECT_LT(3, stats.interrupts);
	EXPECT_EQ(0, stats.exits[AXVCPU_EXIT_EXTERNAL_INTERRUPT]);
	EXPECT_EQ(-EINTR, thread_stop(&thread));
}

TEST_HARNESS_MAIN
