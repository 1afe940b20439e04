// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: exits and their answers, events, registers, where a vCPU runs. */
#include <linux/sched.h>

#include "fixture.h"

static void hook(enum axvcpu_mock_op_id op, axvcpu_mock_hook_fn fn)
{
	WRITE_ONCE(axvcpu_mock_hooks[op], fn);
}

static u64 get_reg(struct kunit *test, struct axvcpu *vcpu, u64 id)
{
	struct axvcpu_reg reg = { .id = id };
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_get_regs(vcpu, &reg, 1);
	mutex_unlock(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, ret, 0);
	return reg.value;
}

static int set_regs(struct axvcpu *vcpu, struct axvcpu_reg *regs, u32 count)
{
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_set_regs(vcpu, regs, count);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static u64 gpr(struct axvcpu *vcpu, unsigned int n)
{
	return READ_ONCE(vcpu->run->regs.raw[n]);
}

/* RUN that ends with an exit: 0 and Ready. R11, R56. */
static struct axvcpu_run *run_to(struct kunit *test, struct axvcpu *vcpu,
				 enum axvcpu_exit_reason reason)
{
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
	KUNIT_EXPECT_EQ(test, vcpu->run->exit_reason, reason);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	return vcpu->run;
}

/* Port reads merge 8 and 16 bits into the register and extend 32 bits with zeros. */
static void port_read(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_IN, .width = 1, .reg = 2, .imm = 0x60 },
		{ .op = MOCK_IN, .width = 2, .reg = 2, .imm = 0x61 },
		{ .op = MOCK_IN, .width = 4, .reg = 2, .imm = 0x62 },
		{ .op = MOCK_HALT },
	};
	static const u64 after[] = {
		0x11223344556677eeULL, 0x112233445566ddeeULL, 0xbbccddeeULL,
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;
	unsigned int i;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run->regs.raw[2] = 0x1122334455667788ULL;
	run_to(test, vcpu, AXVCPU_EXIT_IO_READ);
	for (i = 0; i < ARRAY_SIZE(after); i++) {
		KUNIT_EXPECT_EQ(test, run->io.port, 0x60 + i);
		KUNIT_EXPECT_EQ(test, run->io.width, insns[i].width);
		KUNIT_EXPECT_EQ(test, run->io.count, 1);
		/* The instruction is not behind before it is answered. */
		KUNIT_EXPECT_EQ(test, run->regs.raw[AXVCPU_MOCK_PC], i * sizeof(insns[0]));
		run->io.data = 0xffffffaabbccddeeULL;
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), 0);
		KUNIT_EXPECT_EQ(test, gpr(vcpu, 2), after[i]);
	}
	KUNIT_EXPECT_EQ(test, run->exit_reason, AXVCPU_EXIT_HALT);
}

static void port_write(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_MOVI, .reg = 5, .imm = 0x1122334455667788ULL },
		{ .op = MOCK_OUT, .width = 2, .reg = 5, .imm = 0x3f8 },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run = run_to(test, vcpu, AXVCPU_EXIT_IO_WRITE);
	KUNIT_EXPECT_EQ(test, run->io.port, 0x3f8);
	KUNIT_EXPECT_EQ(test, run->io.width, 2);
	KUNIT_EXPECT_EQ(test, run->io.data, 0x7788);
	KUNIT_EXPECT_EQ(test, run->regs.raw[AXVCPU_MOCK_PC], 2 * sizeof(insns[0]));
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
}

static void hypercall(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_HYPERCALL },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;
	unsigned int i;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	for (i = 0; i < 7; i++)
		run->regs.raw[i] = 100 + i;
	run_to(test, vcpu, AXVCPU_EXIT_HYPERCALL);
	KUNIT_EXPECT_EQ(test, run->hypercall.nr, 100);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, run->hypercall.args[i], 101 + i);
	run->hypercall.ret = -1;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), U64_MAX);
}

static void system_registers(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_SETVEC, .imm = 0x100 },
		{ .op = MOCK_RDSYS, .reg = 3, .imm = 0xc0000080 },
		{ .op = MOCK_WRSYS, .reg = 3, .imm = 0x10 },
		{ .op = MOCK_RDSYS, .reg = 4, .imm = 0xdead },
	};
	static const struct axvcpu_mock_insn handler[] = { { .op = MOCK_HALT } };
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	memcpy(axvcpu_kunit_ram(0x100), handler, sizeof(handler));
	run = run_to(test, vcpu, AXVCPU_EXIT_SYSREG_READ);
	KUNIT_EXPECT_EQ(test, run->sysreg.addr, 0xc0000080);
	KUNIT_EXPECT_EQ(test, run->sysreg.reg, 3);
	run->sysreg.value = 0xd01;
	run_to(test, vcpu, AXVCPU_EXIT_SYSREG_WRITE);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 3), 0xd01);
	KUNIT_EXPECT_EQ(test, run->sysreg.addr, 0x10);
	KUNIT_EXPECT_EQ(test, run->sysreg.value, 0xd01);
	run_to(test, vcpu, AXVCPU_EXIT_SYSREG_READ);
	/* An access that fails in the guest is a fault there, at the instruction. */
	run->sysreg.value = 0x5555;
	run->sysreg.fault = 1;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 4), 0);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 14), 3 * sizeof(insns[0]));
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 15), AXVCPU_MOCK_IS_EXCEPTION | 13);
}

/* A VMM that moves the program counter gives the pending instruction up. */
static void moved_away_from_the_answer(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_IN, .width = 1, .reg = 2, .imm = 0x60 },
		{ .op = MOCK_SHUTDOWN },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_reg pc = { AXVCPU_MOCK_REG_PC, 2 * sizeof(insns[0]) };

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run_to(test, vcpu, AXVCPU_EXIT_IO_READ);
	vcpu->run->io.data = 0x77;
	KUNIT_EXPECT_EQ(test, set_regs(vcpu, &pc, 1), 0);
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 2), 0);
}

static void other_exits(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_KERNEL_EXIT },
		{ .op = MOCK_UNKNOWN, .imm = 0x1234 },
		{ .op = MOCK_FAIL_ENTRY, .imm = 0x80000021 },
		{ .op = 0x77 },
	};
	static const struct axvcpu_mock_insn shutdown[] = { { .op = MOCK_SHUTDOWN } };
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run = run_to(test, vcpu, AXVCPU_EXIT_UNKNOWN);
	KUNIT_EXPECT_EQ(test, run->unknown.hw_reason, 0x1234);
	run_to(test, vcpu, AXVCPU_EXIT_FAIL_ENTRY);
	KUNIT_EXPECT_EQ(test, run->fail_entry.hw_reason, 0x80000021);
	run_to(test, vcpu, AXVCPU_EXIT_UNKNOWN);
	KUNIT_EXPECT_EQ(test, run->unknown.hw_reason, AXVCPU_MOCK_HW_BAD_INSN + 0x77);
	memcpy(axvcpu_kunit_ram(3 * sizeof(insns[0])), shutdown, sizeof(shutdown));
	run_to(test, vcpu, AXVCPU_EXIT_SHUTDOWN);
	/* Its own exits are the VMM's, the rest the kernel's. */
	KUNIT_EXPECT_EQ(test, vcpu->stats.exits[AXVCPU_EXIT_UNKNOWN], 2);
	KUNIT_EXPECT_EQ(test, vcpu->stats.exits[AXVCPU_EXIT_FAIL_ENTRY], 1);
	KUNIT_EXPECT_EQ(test, vcpu->stats.exits[AXVCPU_EXIT_SHUTDOWN], 1);
	KUNIT_EXPECT_EQ(test, vcpu->stats.exits[AXVCPU_EXIT_NOTHING], 0);
	/* MOCK_KERNEL_EXIT's reason is NOTHING, in the mock's words */
	KUNIT_EXPECT_GE(test, vcpu->handled[AXVCPU_EXIT_NOTHING], 1);
}

/* R57: the entry instruction itself fails: Invalid, with the hardware's word. */
static void entry_fails(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_RUN_ERROR, .imm = ENXIO },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_state_info info = {};

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -ENXIO);
	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.state, AXVCPU_STATE_INVALID);
	KUNIT_EXPECT_EQ(test, info.failure.op, AXVCPU_OP_RUN);
	KUNIT_EXPECT_EQ(test, info.failure.expected, AXVCPU_STATE_RUNNING);
	KUNIT_EXPECT_EQ(test, info.failure.actual, AXVCPU_STATE_RUNNING);
	KUNIT_EXPECT_EQ(test, info.failure.error, -ENXIO);
	KUNIT_EXPECT_EQ(test, info.failure.arch_code, ENXIO);
	KUNIT_EXPECT_EQ(test, vcpu->guest_cpu, -1);
}

/* R48: the first fetch is at the entry, through the root. */
static void starts_at_the_entry(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_MOVI, .reg = 7, .imm = 0x77 },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);

	memcpy(axvcpu_kunit_ram(0x2340), insns, sizeof(insns));
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_setup(vcpu, 0x2340, axvcpu_kunit_root().val), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_bind(vcpu, -1), 0);
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 7), 0x77);
	KUNIT_EXPECT_EQ(test, vcpu->run->regs.raw[AXVCPU_MOCK_PC], 0x2360);
}

static const struct axvcpu_mock_insn touch[] = {
	{ .op = MOCK_LOAD, .width = 8, .reg = 1, .reg2 = 8 },
	{ .op = MOCK_STORE, .width = 8, .reg = 1, .reg2 = 9 },
	{ .op = MOCK_HALT },
	{ .op = MOCK_JMP, .imm = 0 },
};

static void expect_fault(struct kunit *test, struct axvcpu *vcpu, u64 gpa, u32 access)
{
	struct axvcpu_run *run = run_to(test, vcpu, AXVCPU_EXIT_NESTED_PAGE_FAULT);

	KUNIT_EXPECT_EQ(test, run->fault.gpa, gpa);
	KUNIT_EXPECT_EQ(test, run->fault.access, access);
	KUNIT_EXPECT_EQ(test, run->fault.flags, 0);
}

/* Faults tell address and access; when they are mended the instruction starts again. */
static void second_stage_faults(struct kunit *test)
{
	const struct axvcpu_s2_format *s2 = axvcpu_arch.s2;
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	u64 leaf = *axvcpu_kunit_leaf(2);
	struct axvcpu_run *run = vcpu->run;

	axvcpu_kunit_program(touch, ARRAY_SIZE(touch));
	*(u64 *)axvcpu_kunit_ram(2 * PAGE_SIZE) = 0xfeed;
	*axvcpu_kunit_leaf(2) = 0;
	run->regs.raw[8] = 2 * PAGE_SIZE;
	run->regs.raw[9] = 2 * PAGE_SIZE + 8;
	expect_fault(test, vcpu, 2 * PAGE_SIZE, AXVCPU_MAP_READ);
	*axvcpu_kunit_leaf(2) = (leaf & ~s2->write_mask);
	expect_fault(test, vcpu, 2 * PAGE_SIZE + 8, AXVCPU_MAP_WRITE);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 1), 0xfeed);
	KUNIT_EXPECT_FALSE(test, *axvcpu_kunit_leaf(2) & s2->dirty);
	*axvcpu_kunit_leaf(2) = leaf;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, *(u64 *)axvcpu_kunit_ram(2 * PAGE_SIZE + 8), 0xfeed);
	KUNIT_EXPECT_TRUE(test, *axvcpu_kunit_leaf(2) & s2->dirty);

	/* Outside of all guest-physical memory; over the end of a page. */
	run->regs.raw[8] = BIT_ULL(s2->gpa_bits);
	expect_fault(test, vcpu, BIT_ULL(s2->gpa_bits), AXVCPU_MAP_READ);
	run->regs.raw[8] = 3 * PAGE_SIZE - 4;
	*axvcpu_kunit_leaf(3) = 0;
	expect_fault(test, vcpu, 3 * PAGE_SIZE, AXVCPU_MAP_READ);

	/* An entry that hardware would call a misconfiguration. */
	run->regs.raw[8] = 4 * PAGE_SIZE;
	*axvcpu_kunit_leaf(4) = (*axvcpu_kunit_leaf(4) & ~s2->prot[AXVCPU_MAP_ALL]) |
		s2->write_mask;
	run->regs.raw[8] = 0;
	run->regs.raw[9] = 4 * PAGE_SIZE;
	run_to(test, vcpu, AXVCPU_EXIT_UNKNOWN);
	KUNIT_EXPECT_EQ(test, run->unknown.hw_reason, AXVCPU_MOCK_HW_MISCONFIG);
}

/* Code that may not be executed is a fault for execution. */
static void fetch_fault(struct kunit *test)
{
	const struct axvcpu_s2_format *s2 = axvcpu_arch.s2;
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	u64 leaf = *axvcpu_kunit_leaf(0);

	*axvcpu_kunit_leaf(0) = (leaf & ~s2->prot[AXVCPU_MAP_ALL]) | s2->prot[AXVCPU_MAP_READ];
	expect_fault(test, vcpu, 0, AXVCPU_MAP_EXEC);
	*axvcpu_kunit_leaf(0) = leaf;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
}

/* immediate_exit: the answer is applied, the guest is not entered. */
static void immediate_exit_completes(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_IN, .width = 4, .reg = 2, .imm = 0x60 },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;
	u64 entries;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run_to(test, vcpu, AXVCPU_EXIT_IO_READ);
	entries = vcpu->stats.entries;
	run->io.data = 0xabcd;
	run->immediate_exit = 1;
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, run->exit_reason, AXVCPU_EXIT_NOTHING);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, vcpu->stats.entries, entries);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG(2)), 0xabcd);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG_PC), sizeof(insns[0]));
	/* The answer is applied once. */
	run->regs.raw[2] = 0x1;
	run->immediate_exit = 0;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 2), 0x1);
}

/* An answer counts for the exit that it belongs to, however RUN ends. */
static void answer_is_applied_once(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_HYPERCALL },
		{ .op = MOCK_HALT },
		{ .op = MOCK_JMP, .imm = 0x10 },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run_to(test, vcpu, AXVCPU_EXIT_HYPERCALL);
	run->hypercall.ret = 5;
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), 5);
	run->hypercall.ret = 9;
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), 5);
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), 5);
}

/* The record tells which one was refused; the vCPU stays as it was. */
static void expect_refused(struct kunit *test, struct axvcpu *vcpu, u64 seq, enum axvcpu_op op,
			   u64 reg)
{
	struct axvcpu_state_info info = {};

	axvcpu_get_failure(vcpu, &info);
	KUNIT_EXPECT_EQ(test, info.state, AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, info.failure.seq, seq);
	KUNIT_EXPECT_EQ(test, info.failure.op, op);
	KUNIT_EXPECT_EQ(test, info.failure.expected, AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, info.failure.actual, AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, info.failure.error, -EINVAL);
	KUNIT_EXPECT_EQ(test, info.failure.reg, reg);
}

static void registers_all_or_none(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_reg regs[] = {
		{ AXVCPU_MOCK_REG(0), 1 }, { AXVCPU_MOCK_REG(15), 2 },
		{ AXVCPU_MOCK_REG_PC, 0x40 }, { AXVCPU_MOCK_REG_FLAGS, 1 },
	};
	struct axvcpu_reg bad[] = {
		{ AXVCPU_MOCK_REG(0), 0x99 }, { AXVCPU_MOCK_REG_PC, 0x41 },
	};
	int ret;

	KUNIT_EXPECT_EQ(test, set_regs(vcpu, regs, ARRAY_SIZE(regs)), 0);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG(0)), 1);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG(15)), 2);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG_PC), 0x40);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG_FLAGS), 1);

	KUNIT_EXPECT_EQ(test, set_regs(vcpu, bad, ARRAY_SIZE(bad)), -EINVAL);
	expect_refused(test, vcpu, 1, AXVCPU_OP_SET_REGS, bad[1].id);
	bad[1].id = AXVCPU_MOCK_REG(18);
	KUNIT_EXPECT_EQ(test, set_regs(vcpu, bad, ARRAY_SIZE(bad)), -EINVAL);
	expect_refused(test, vcpu, 2, AXVCPU_OP_SET_REGS, bad[1].id);
	KUNIT_EXPECT_EQ(test, get_reg(test, vcpu, AXVCPU_MOCK_REG(0)), 1);

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_get_regs(vcpu, &bad[1], 1);
	mutex_unlock(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	expect_refused(test, vcpu, 3, AXVCPU_OP_GET_REGS, bad[1].id);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
}

/* The program counter comes from the run page only when the VMM says so. */
static void dirty_registers(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_HALT },
		{ .op = MOCK_SHUTDOWN },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	run->regs.raw[AXVCPU_MOCK_PC] = 2 * sizeof(insns[0]);
	run_to(test, vcpu, AXVCPU_EXIT_SHUTDOWN);
	KUNIT_EXPECT_EQ(test, run->regs.raw[AXVCPU_MOCK_PC], sizeof(insns[0]));
	run->regs.raw[AXVCPU_MOCK_PC] = 2 * sizeof(insns[0]);
	run->regs_dirty = 1;
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, run->regs_dirty, 0);
}

static const struct axvcpu_mock_insn event_loop[] = {
	{ .op = MOCK_SETVEC, .imm = 0x100 },
	{ .op = MOCK_OUT, .width = 1, .imm = 0x80 },
	{ .op = MOCK_STI },
	{ .op = MOCK_OUT, .width = 1, .imm = 0x81 },
	{ .op = MOCK_HALT },
	{ .op = MOCK_JMP, .imm = 0x40 },
};

static const struct axvcpu_mock_insn event_handler[] = {
	{ .op = MOCK_OUT, .width = 1, .imm = 0x90 },
	{ .op = MOCK_ADDI, .reg = 1, .imm = 1 },
	{ .op = MOCK_IRET },
};

static struct axvcpu *vcpu_with_events(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	axvcpu_kunit_program(event_loop, ARRAY_SIZE(event_loop));
	memcpy(axvcpu_kunit_ram(0x100), event_handler, sizeof(event_handler));
	return vcpu;
}

static void run_to_port(struct kunit *test, struct axvcpu *vcpu, u32 port)
{
	struct axvcpu_run *run = run_to(test, vcpu, AXVCPU_EXIT_IO_WRITE);

	KUNIT_EXPECT_EQ(test, run->io.port, port);
}

/* Interrupts wait until the guest can take them, the highest first, each once. */
static void interrupts_wait_for_the_window(struct kunit *test)
{
	struct axvcpu *vcpu = vcpu_with_events(test);

	run_to_port(test, vcpu, 0x80);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 33), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 255), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_INTERRUPT, 33), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vcpu->injections), 3);
	run_to_port(test, vcpu, 0x90);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 15), 255);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 14), 3 * sizeof(event_loop[0]));
	run_to_port(test, vcpu, 0x90);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 15), 33);
	run_to_port(test, vcpu, 0x81);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 1), 2);
}

/* Exceptions and NMIs do not wait; there is one exception at a time. */
static void exceptions_and_nmis(struct kunit *test)
{
	struct axvcpu_inject page_fault = {
		.type = AXVCPU_EVENT_EXCEPTION,
		.vector = 14,
		.error_code = 0xdeadbeef,
		.flags = AXVCPU_INJECT_ERROR_CODE,
	};
	struct axvcpu *vcpu = vcpu_with_events(test);

	run_to_port(test, vcpu, 0x80);
	KUNIT_EXPECT_EQ(test, axvcpu_inject(vcpu, &page_fault), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_inject(vcpu, &page_fault), -EBUSY);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_NMI, 0), 0);
	run_to_port(test, vcpu, 0x90);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 15), AXVCPU_MOCK_IS_EXCEPTION | 14);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 13), 0xdeadbeef);
	run_to_port(test, vcpu, 0x90);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 15), AXVCPU_MOCK_IS_NMI);
	KUNIT_EXPECT_EQ(test, axvcpu_inject(vcpu, &page_fault), 0);
}

static void events_are_judged(struct kunit *test)
{
	static const struct axvcpu_inject cases[] = {
		{ .type = AXVCPU_EVENT_INTERRUPT, .vector = 256 },
		{ .type = AXVCPU_EVENT_INTERRUPT, .vector = U32_MAX },
		{ .type = AXVCPU_EVENT_INTERRUPT, .vector = 32, .priority = 1 },
		{ .type = AXVCPU_EVENT_INTERRUPT, .vector = 32, .flags = AXVCPU_INJECT_PRIORITY },
		{ .type = AXVCPU_EVENT_EXCEPTION, .vector = 14, .flags = AXVCPU_INJECT_PRIORITY },
		{ .type = AXVCPU_EVENT_INTERRUPT, .vector = 32, .error_code = 1 },
		{ .type = AXVCPU_EVENT_EXCEPTION, .vector = 32 },
		{ .type = AXVCPU_EVENT_EXCEPTION, .vector = 14, .error_code = 1 },
		{ .type = AXVCPU_EVENT_NMI, .vector = 2 },
		{ .type = AXVCPU_EVENT_NMI + 1 },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_CREATED);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_inject(vcpu, &cases[i]), -EINVAL, "case %u", i);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vcpu->injections), 0);
	KUNIT_EXPECT_FALSE(test, axvcpu_arch.has_event(vcpu));
	/* Queued in any state, for the guest to come. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_inject(vcpu, AXVCPU_EVENT_NMI, 0), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_arch.has_event(vcpu));
}

/* What the loop told the hardware to forget. */
static struct {
	unsigned int entries;
	bool flush[8];
} flushes;

static int note_flush(struct axvcpu *vcpu, u64 flush)
{
	if (flushes.entries < ARRAY_SIZE(flushes.flush))
		flushes.flush[flushes.entries] = flush;
	flushes.entries++;
	return axvcpu_kunit_guest_exit(vcpu, AXVCPU_EXIT_SHUTDOWN);
}

static int run_thread(void *arg)
{
	return axvcpu_kunit_run(arg, 0);
}

static int run_on(struct kunit *test, struct axvcpu *vcpu, int cpu)
{
	struct axvcpu_kunit_thread thread;

	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, cpu, run_thread, vcpu), 0);
	return axvcpu_kunit_join(&thread);
}

static int other_cpu(struct kunit *test)
{
	int cpu = cpumask_last(cpu_online_mask);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	return cpu;
}

/* A vCPU that comes to a CPU may not trust what that CPU remembers of it. */
static void flush_where_it_was_not(struct kunit *test)
{
	int a = cpumask_first(cpu_online_mask), b = other_cpu(test);
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	const int cpus[] = { a, a, b, b, a };
	const bool expected[] = { true, false, true, false, true };
	unsigned int i;

	memset(&flushes, 0, sizeof(flushes));
	hook(AXVCPU_MOCK_ENTER, note_flush);
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		KUNIT_EXPECT_EQ(test, run_on(test, vcpu, cpus[i]), 0);
		KUNIT_EXPECT_EQ(test, vcpu->last_cpu, cpus[i]);
		KUNIT_EXPECT_EQ_MSG(test, flushes.flush[i], expected[i], "entry %u", i);
	}
	KUNIT_EXPECT_EQ(test, flushes.entries, ARRAY_SIZE(cpus));
	KUNIT_EXPECT_EQ(test, vcpu->stats.migrations, 2);

	/* A new life, perhaps with another root. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_UNBIND), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_RESET), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_SETUP), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_do(vcpu, AXVCPU_OP_BIND), 0);
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, a), 0);
	KUNIT_EXPECT_TRUE(test, flushes.flush[5]);
}

/* Register access on another CPU is such a move too. */
static int get_regs_thread(void *arg)
{
	struct axvcpu_reg reg = { .id = AXVCPU_MOCK_REG_PC };
	struct axvcpu *vcpu = arg;
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_get_regs(vcpu, &reg, 1);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static void register_access_moves(struct kunit *test)
{
	int a = cpumask_first(cpu_online_mask), b = other_cpu(test);
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_kunit_thread thread;

	memset(&flushes, 0, sizeof(flushes));
	hook(AXVCPU_MOCK_ENTER, note_flush);
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, a), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&thread, b, get_regs_thread, vcpu), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&thread), 0);
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, a), 0);
	KUNIT_EXPECT_TRUE(test, flushes.flush[1]);
}

/*
 * The mock remembers translations until it is told to forget, as hardware
 * does: a shootdown that is left out would be seen.
 */
static void stale_translations_are_seen(struct kunit *test)
{
	int a = cpumask_first(cpu_online_mask), b = other_cpu(test);
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_run *run = vcpu->run;

	axvcpu_kunit_program(touch, ARRAY_SIZE(touch));
	*(u64 *)axvcpu_kunit_ram(2 * PAGE_SIZE) = 0x2222;
	*(u64 *)axvcpu_kunit_ram(3 * PAGE_SIZE) = 0x3333;
	run->regs.raw[8] = 2 * PAGE_SIZE;
	run->regs.raw[9] = 4 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, a), 0);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 1), 0x2222);
	*axvcpu_kunit_leaf(2) = *axvcpu_kunit_leaf(3);
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, a), 0);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 1), 0x2222);
	KUNIT_EXPECT_EQ(test, run_on(test, vcpu, b), 0);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 1), 0x3333);
}

/* D05: a CPU that is not for this vCPU is no error of the vCPU. */
static void foreign_cpu(struct kunit *test)
{
	int a = cpumask_first(cpu_online_mask), b = other_cpu(test);
	struct axvcpu *pinned = axvcpu_kunit_vcpu(test, AXVCPU_STATE_FREE);
	struct axvcpu *confined = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_state_info info = {};

	KUNIT_ASSERT_EQ(test, axvcpu_kunit_bind(pinned, b), 0);
	KUNIT_EXPECT_EQ(test, run_on(test, pinned, a), -EXDEV);
	axvcpu_get_failure(pinned, &info);
	KUNIT_EXPECT_EQ(test, info.state, AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, info.failure.seq, 0);
	KUNIT_EXPECT_EQ(test, pinned->stats.entries, 0);
	KUNIT_EXPECT_EQ(test, run_on(test, pinned, b), 0);

	cpumask_copy(confined->cpus, cpumask_of(b));
	KUNIT_EXPECT_EQ(test, run_on(test, confined, a), -EXDEV);
	KUNIT_EXPECT_EQ(test, run_on(test, confined, b), 0);
}

static int load_without_hardware(struct axvcpu *vcpu, u64 arg)
{
	return __this_cpu_read(axvcpu_hw_on) ? 0 : -EIO;
}

/* RUN on a CPU that has virtualization off, as at shutdown. */
static int run_without_hardware(void *arg)
{
	int ret;

	axvcpu_percpu_go_down();
	ret = axvcpu_kunit_run(arg, 0);
	axvcpu_percpu_stay_up();
	return ret;
}

/* Neither the guest nor a kick that comes first makes the vCPU Invalid there. */
static void cpu_without_hardware(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_HYPERCALL },
		{ .op = MOCK_HALT },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);

	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	hook(AXVCPU_MOCK_LOAD, load_without_hardware);
	KUNIT_EXPECT_EQ(test, run_without_hardware(vcpu), -EXDEV);
	run_to(test, vcpu, AXVCPU_EXIT_HYPERCALL);
	vcpu->run->hypercall.ret = 5;
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, run_without_hardware(vcpu), -EXDEV);
	KUNIT_EXPECT_EQ(test, axvcpu_state(vcpu), AXVCPU_STATE_READY);
	/* The kick is still there, the answer is not lost. */
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	run_to(test, vcpu, AXVCPU_EXIT_HALT);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), 5);
}

static int no_load(struct axvcpu *vcpu, u64 arg)
{
	return -EIO;
}

static int restore_state(struct axvcpu *vcpu)
{
	int ret;

	mutex_lock(&vcpu->mutex);
	ret = axvcpu_restore_state(vcpu, 0);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/* A copy that was not made can't be put back, and one from before is still good. */
static void keep_fails(struct kunit *test)
{
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	unsigned int i;

	hook(AXVCPU_MOCK_LOAD, no_load);
	/* Of so many, the scan for leaks finds one: a stale pointer may hide the last. */
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, axvcpu_kunit_keep(vcpu), -EIO);
	hook(AXVCPU_MOCK_LOAD, NULL);
	KUNIT_EXPECT_EQ(test, restore_state(vcpu), -ENOENT);

	WRITE_ONCE(vcpu->run->regs.raw[0], 7);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_keep(vcpu), 0);
	WRITE_ONCE(vcpu->run->regs.raw[0], 8);
	hook(AXVCPU_MOCK_LOAD, no_load);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_keep(vcpu), -EIO);
	KUNIT_EXPECT_EQ(test, restore_state(vcpu), -EIO);
	hook(AXVCPU_MOCK_LOAD, NULL);
	KUNIT_EXPECT_EQ(test, restore_state(vcpu), 0);
	KUNIT_EXPECT_EQ(test, gpr(vcpu, 0), 7);
}

/* The figures that GET_STATS shows. */
static void statistics(struct kunit *test)
{
	static const struct axvcpu_mock_insn insns[] = {
		{ .op = MOCK_KERNEL_EXIT },
		{ .op = MOCK_HALT },
		{ .op = MOCK_JMP, .imm = 0 },
	};
	struct axvcpu *vcpu = axvcpu_kunit_vcpu(test, AXVCPU_STATE_READY);
	struct axvcpu_stats *stats;
	unsigned int i;

	stats = kunit_kzalloc(test, sizeof(*stats), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stats);
	axvcpu_kunit_program(insns, ARRAY_SIZE(insns));
	for (i = 0; i < 10; i++)
		run_to(test, vcpu, AXVCPU_EXIT_HALT);
	axvcpu_kick(vcpu);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_run(vcpu, 0), -EINTR);
	axvcpu_get_stats(vcpu, stats);
	KUNIT_EXPECT_EQ(test, stats->runs, 11);
	KUNIT_EXPECT_GE(test, stats->entries, 20);
	KUNIT_EXPECT_GE(test, stats->kernel_exits, 10);
	KUNIT_EXPECT_EQ(test, stats->kicks, 1);
	KUNIT_EXPECT_EQ(test, stats->exits[AXVCPU_EXIT_HALT], 10);
	KUNIT_EXPECT_GT(test, stats->guest_ns, 0);
	KUNIT_EXPECT_EQ(test, vcpu->run->exit_seq, 11);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(port_read),
	KUNIT_CASE(port_write),
	KUNIT_CASE(hypercall),
	KUNIT_CASE(system_registers),
	KUNIT_CASE(moved_away_from_the_answer),
	KUNIT_CASE(other_exits),
	KUNIT_CASE(entry_fails),
	KUNIT_CASE(starts_at_the_entry),
	KUNIT_CASE(second_stage_faults),
	KUNIT_CASE(fetch_fault),
	KUNIT_CASE(immediate_exit_completes),
	KUNIT_CASE(answer_is_applied_once),
	KUNIT_CASE(registers_all_or_none),
	KUNIT_CASE(dirty_registers),
	KUNIT_CASE(interrupts_wait_for_the_window),
	KUNIT_CASE(exceptions_and_nmis),
	KUNIT_CASE(events_are_judged),
	KUNIT_CASE(flush_where_it_was_not),
	KUNIT_CASE(register_access_moves),
	KUNIT_CASE(stale_translations_are_seen),
	KUNIT_CASE(foreign_cpu),
	KUNIT_CASE(cpu_without_hardware),
	KUNIT_CASE(keep_fails),
	KUNIT_CASE(statistics),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_run",
	.suite_init = axvcpu_kunit_suite_init,
	.init = axvcpu_kunit_init,
	.exit = axvcpu_kunit_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
