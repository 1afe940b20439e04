// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock's processor: executes guest programs, and completes the
 * instructions that the VMM answers.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/sched.h>

#include "axvcpu_mock.h"

/* Vectors that the mock raises itself, as an x86 processor does */
#define VECTOR_GP	13

#define EXCEPTION_PENDING	BIT_ULL(63)
#define EXCEPTION_VECTOR(e)	((e) & 0xff)
#define EXCEPTION_CODE(e)	(((e) >> 8) & U32_MAX)

static u64 get_reg(struct axvcpu_mock *mock, unsigned int n)
{
	return READ_ONCE(mock->vcpu.run->regs.raw[n]);
}

static void set_reg(struct axvcpu_mock *mock, unsigned int n, u64 value)
{
	WRITE_ONCE(mock->vcpu.run->regs.raw[n], value);
}

/* An instruction's handler returns true when the guest goes on. */
typedef bool (*insn_fn)(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn);

static bool leave(struct axvcpu_mock *mock, u32 reason, u64 arg)
{
	mock->exit.reason = reason;
	mock->exit.arg = arg;
	return false;
}

/* The instruction has completed at the exit. */
static bool leave_after(struct axvcpu_mock *mock, u32 reason, u64 arg)
{
	mock->pc += sizeof(struct axvcpu_mock_insn);
	return leave(mock, reason, arg);
}

static bool next(struct axvcpu_mock *mock)
{
	mock->pc += sizeof(struct axvcpu_mock_insn);
	return true;
}

static bool leave_for_memory(struct axvcpu_mock *mock, int error)
{
	if (error == -EFAULT)
		return leave(mock, AXVCPU_EXIT_NESTED_PAGE_FAULT, 0);
	return leave(mock, AXVCPU_EXIT_UNKNOWN, AXVCPU_MOCK_HW_MISCONFIG);
}

static bool insn_nop(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return next(mock);
}

static bool insn_halt(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return leave_after(mock, AXVCPU_EXIT_HALT, 0);
}

static u64 width_mask(unsigned int width)
{
	return GENMASK_ULL(width * 8 - 1, 0);
}

static bool insn_out(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->exit.width = insn->width;
	mock->exit.value = get_reg(mock, insn->reg) & width_mask(insn->width);
	return leave_after(mock, AXVCPU_EXIT_IO_WRITE, insn->imm);
}

static bool insn_in(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->exit.width = insn->width;
	mock->exit.reg = insn->reg;
	return leave(mock, AXVCPU_EXIT_IO_READ, insn->imm);
}

static bool insn_hypercall(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->exit.reg = 0;
	return leave_after(mock, AXVCPU_EXIT_HYPERCALL, get_reg(mock, 0));
}

static bool insn_rdsys(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->exit.reg = insn->reg;
	mock->exit.value = 0;
	return leave(mock, AXVCPU_EXIT_SYSREG_READ, insn->imm);
}

static bool insn_wrsys(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->exit.reg = insn->reg;
	mock->exit.value = get_reg(mock, insn->reg);
	return leave(mock, AXVCPU_EXIT_SYSREG_WRITE, insn->imm);
}

static bool insn_load(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	u64 gpa = get_reg(mock, insn->reg2) + insn->imm;
	u64 value = 0;
	int ret;

	ret = axvcpu_mock_access(mock, gpa, &value, insn->width, AXVCPU_MAP_READ);
	if (ret)
		return leave_for_memory(mock, ret);
	set_reg(mock, insn->reg, value);
	return next(mock);
}

static bool insn_store(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	u64 gpa = get_reg(mock, insn->reg2) + insn->imm;
	u64 value = get_reg(mock, insn->reg);
	int ret;

	ret = axvcpu_mock_access(mock, gpa, &value, insn->width, AXVCPU_MAP_WRITE);
	if (ret)
		return leave_for_memory(mock, ret);
	return next(mock);
}

static bool insn_movi(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	set_reg(mock, insn->reg, insn->imm);
	return next(mock);
}

static bool insn_addi(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	set_reg(mock, insn->reg, get_reg(mock, insn->reg) + insn->imm);
	return next(mock);
}

static bool insn_jmp(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->pc = insn->imm;
	return true;
}

static bool insn_jnz(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return get_reg(mock, insn->reg) ? insn_jmp(mock, insn) : next(mock);
}

static bool insn_shutdown(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return leave(mock, AXVCPU_EXIT_SHUTDOWN, 0);
}

static bool insn_unknown(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return leave_after(mock, AXVCPU_EXIT_UNKNOWN, insn->imm);
}

static bool insn_fail_entry(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return leave_after(mock, AXVCPU_EXIT_FAIL_ENTRY, insn->imm);
}

static bool insn_run_error(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->run_result = insn->imm && insn->imm <= MAX_ERRNO ? -(int)insn->imm : -EIO;
	mock->vcpu.arch_code = insn->imm;
	return false;
}

static bool insn_kernel_exit(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	return leave_after(mock, AXVCPU_EXIT_NOTHING, 0);
}

/*
 * Goes to the guest's vector. Without one, an event ends the guest, as a
 * triple fault does.
 */
static bool deliver(struct axvcpu_mock *mock, u64 what)
{
	if (!mock->has_vector)
		return leave(mock, AXVCPU_EXIT_SHUTDOWN, 0);
	set_reg(mock, 14, mock->pc);
	set_reg(mock, 15, what);
	mock->pc = mock->vector_pc;
	mock->flags &= ~AXVCPU_MOCK_FLAG_IRQ;
	return true;
}

/* Puts at most one queued event into the guest. */
static bool take_event(struct axvcpu_mock *mock)
{
	unsigned int vector;
	u64 exception;

	exception = xchg(&mock->queue.exception, 0);
	if (exception) {
		set_reg(mock, 13, EXCEPTION_CODE(exception));
		return deliver(mock, AXVCPU_MOCK_IS_EXCEPTION | EXCEPTION_VECTOR(exception));
	}
	if (test_and_clear_bit(0, &mock->queue.nmi))
		return deliver(mock, AXVCPU_MOCK_IS_NMI);
	if (!(mock->flags & AXVCPU_MOCK_FLAG_IRQ))
		return true;

	/* The highest first, as a local APIC does; WITHDRAW may have it meanwhile. */
	vector = data_race(find_last_bit(mock->queue.irqs, 256));
	if (vector == 256 || !test_and_clear_bit(vector, mock->queue.irqs))
		return true;
	return deliver(mock, vector);
}

/* The interrupt window of real hardware: what was held back is taken now. */
static bool insn_sti(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->flags |= AXVCPU_MOCK_FLAG_IRQ;
	next(mock);
	return take_event(mock);
}

static bool insn_cli(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->flags &= ~AXVCPU_MOCK_FLAG_IRQ;
	return next(mock);
}

static bool insn_setvec(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->vector_pc = insn->imm;
	mock->has_vector = true;
	return next(mock);
}

static bool insn_iret(struct axvcpu_mock *mock, const struct axvcpu_mock_insn *insn)
{
	mock->pc = get_reg(mock, 14);
	mock->flags |= AXVCPU_MOCK_FLAG_IRQ;
	return take_event(mock);
}

/* Bit n: n bytes are a width */
#define WIDTH_PORT	(BIT(1) | BIT(2) | BIT(4))
#define WIDTH_MEMORY	(WIDTH_PORT | BIT(8))

static const struct {
	insn_fn fn;
	u32 widths;
} insns[] = {
	[MOCK_NOP]		= { insn_nop },
	[MOCK_HALT]		= { insn_halt },
	[MOCK_OUT]		= { insn_out, WIDTH_PORT },
	[MOCK_IN]		= { insn_in, WIDTH_PORT },
	[MOCK_HYPERCALL]	= { insn_hypercall },
	[MOCK_RDSYS]		= { insn_rdsys },
	[MOCK_WRSYS]		= { insn_wrsys },
	[MOCK_LOAD]		= { insn_load, WIDTH_MEMORY },
	[MOCK_STORE]		= { insn_store, WIDTH_MEMORY },
	[MOCK_MOVI]		= { insn_movi },
	[MOCK_ADDI]		= { insn_addi },
	[MOCK_JMP]		= { insn_jmp },
	[MOCK_JNZ]		= { insn_jnz },
	[MOCK_SHUTDOWN]		= { insn_shutdown },
	[MOCK_UNKNOWN]		= { insn_unknown },
	[MOCK_FAIL_ENTRY]	= { insn_fail_entry },
	[MOCK_RUN_ERROR]	= { insn_run_error },
	[MOCK_KERNEL_EXIT]	= { insn_kernel_exit },
	[MOCK_STI]		= { insn_sti },
	[MOCK_CLI]		= { insn_cli },
	[MOCK_SETVEC]		= { insn_setvec },
	[MOCK_IRET]		= { insn_iret },
};

static bool is_valid(const struct axvcpu_mock_insn *insn)
{
	if (insn->op >= ARRAY_SIZE(insns) || !insns[insn->op].fn)
		return false;
	if (insns[insn->op].widths &&
	    (insn->width > 8 || !(insns[insn->op].widths & BIT(insn->width))))
		return false;
	return insn->reg < 16 && insn->reg2 < 16 && !insn->reserved;
}

/* Executes one instruction; true: the guest goes on. */
static bool step(struct axvcpu_mock *mock)
{
	struct axvcpu_mock_insn insn;
	int ret;

	if (!IS_ALIGNED(mock->pc, sizeof(insn)))
		return leave(mock, AXVCPU_EXIT_FAIL_ENTRY, AXVCPU_MOCK_HW_BAD_PC);

	ret = axvcpu_mock_access(mock, mock->pc, &insn, sizeof(insn), AXVCPU_MAP_EXEC);
	mock->exit.pc = mock->pc;
	if (ret)
		return leave_for_memory(mock, ret);
	if (!is_valid(&insn))
		return leave(mock, AXVCPU_EXIT_UNKNOWN, AXVCPU_MOCK_HW_BAD_INSN + insn.op);
	return insns[insn.op].fn(mock, &insn);
}

/**
 * axvcpu_mock_enter() - the guest executes
 * @mock: the vCPU
 * @flush: forget translations first
 *
 * Interrupts are off and the mock can't be interrupted, so it looks for the
 * reasons for which an interrupt would come, and leaves after
 * %AXVCPU_MOCK_BUDGET instructions for those that it can't see, a shootdown
 * above all.
 *
 * Context: as @enter of &struct axvcpu_arch_ops.
 * Return: as there.
 */
int axvcpu_mock_enter(struct axvcpu_mock *mock, bool flush)
{
	unsigned int budget = AXVCPU_MOCK_BUDGET;

	if (flush)
		axvcpu_mock_flush(mock);

	mock->run_result = 0;
	if (!take_event(mock))
		return 0;
	while (budget-- && !need_resched() && !axvcpu_mock_interrupted()) {
		if (!step(mock))
			return mock->run_result;
	}
	leave(mock, AXVCPU_EXIT_EXTERNAL_INTERRUPT, 0);
	return 0;
}

/* The exit's own part of the run page. */

static void report_unknown(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	run->unknown.hw_reason = mock->exit.arg;
	run->unknown.qualification = 0;
}

static void report_hypercall(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	unsigned int i;

	run->hypercall.nr = mock->exit.arg;
	for (i = 0; i < ARRAY_SIZE(run->hypercall.args); i++)
		run->hypercall.args[i] = get_reg(mock, i + 1);
	run->hypercall.ret = 0;
}

static void report_sysreg(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	run->sysreg.addr = mock->exit.arg;
	run->sysreg.value = mock->exit.value;
	run->sysreg.reg = mock->exit.reg;
	run->sysreg.fault = 0;
}

static void report_io_read(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	run->io.port = mock->exit.arg;
	run->io.width = mock->exit.width;
	run->io.count = 1;
	run->io.reserved = 0;
	run->io.data = 0;
}

static void report_io_write(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	report_io_read(mock, run);
	run->io.data = mock->exit.value;
}

static void report_fail_entry(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	run->fail_entry.hw_reason = mock->exit.arg;
	run->fail_entry.hw_error = 0;
	run->fail_entry.qualification = 0;
	run->fail_entry.cpu = smp_processor_id();
	run->fail_entry.reserved = 0;
	run->fail_entry.reg = 0;
}

static void (*const reports[])(struct axvcpu_mock *mock, struct axvcpu_run *run) = {
	[AXVCPU_EXIT_UNKNOWN]		= report_unknown,
	[AXVCPU_EXIT_HYPERCALL]		= report_hypercall,
	[AXVCPU_EXIT_SYSREG_READ]	= report_sysreg,
	[AXVCPU_EXIT_SYSREG_WRITE]	= report_sysreg,
	[AXVCPU_EXIT_IO_READ]		= report_io_read,
	[AXVCPU_EXIT_IO_WRITE]		= report_io_write,
	[AXVCPU_EXIT_FAIL_ENTRY]	= report_fail_entry,
};

/**
 * axvcpu_mock_handle_exit() - look at the last exit
 * @mock: the vCPU
 *
 * Context: as @handle_exit of &struct axvcpu_arch_ops.
 * Return: as there.
 */
int axvcpu_mock_handle_exit(struct axvcpu_mock *mock)
{
	struct axvcpu *vcpu = &mock->vcpu;
	u32 reason = mock->exit.reason;

	WRITE_ONCE(vcpu->exit_reason, reason);
	vcpu->hw_reason = reason;
	WRITE_ONCE(mock->can_interrupt, mock->flags & AXVCPU_MOCK_FLAG_IRQ);

	switch (reason) {
	case AXVCPU_EXIT_EXTERNAL_INTERRUPT:
	case AXVCPU_EXIT_NOTHING:
		return AXVCPU_NEXT_ENTER;
	case AXVCPU_EXIT_NESTED_PAGE_FAULT:
		return AXVCPU_NEXT_FAULT;
	case AXVCPU_EXIT_HALT:
		return axvcpu_mock_has_event(mock) ? AXVCPU_NEXT_ENTER : AXVCPU_NEXT_HALT;
	}

	if (reason < ARRAY_SIZE(reports) && reports[reason])
		reports[reason](mock, vcpu->run);
	return AXVCPU_NEXT_EXIT;
}

static void skip(struct axvcpu_mock *mock)
{
	mock->pc = mock->exit.pc + sizeof(struct axvcpu_mock_insn);
}

static void complete_hypercall(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	set_reg(mock, mock->exit.reg, READ_ONCE(run->hypercall.ret));
}

/* 8 and 16 bits are merged into the register, 32 bits are zero-extended. */
static void complete_io_read(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	u64 mask = width_mask(mock->exit.width);
	u64 value = READ_ONCE(run->io.data) & mask;

	if (mock->exit.width < 4)
		value |= get_reg(mock, mock->exit.reg) & ~mask;
	set_reg(mock, mock->exit.reg, value);
	skip(mock);
}

static void complete_sysreg(struct axvcpu_mock *mock, struct axvcpu_run *run)
{
	if (READ_ONCE(run->sysreg.fault)) {
		/* One that is queued already comes first; the instruction then faults again. */
		cmpxchg(&mock->queue.exception, 0, EXCEPTION_PENDING | VECTOR_GP);
		return;
	}
	if (mock->exit.reason == AXVCPU_EXIT_SYSREG_READ)
		set_reg(mock, mock->exit.reg, READ_ONCE(run->sysreg.value));
	skip(mock);
}

static void (*const completions[])(struct axvcpu_mock *mock, struct axvcpu_run *run) = {
	[AXVCPU_EXIT_HYPERCALL]		= complete_hypercall,
	[AXVCPU_EXIT_SYSREG_READ]	= complete_sysreg,
	[AXVCPU_EXIT_SYSREG_WRITE]	= complete_sysreg,
	[AXVCPU_EXIT_IO_READ]		= complete_io_read,
};

static bool vmm_did_insn(const struct axvcpu_mock *mock)
{
	const struct axvcpu_run *run = mock->vcpu.run;
	u32 dirty = READ_ONCE(run->regs_dirty);

	return dirty & AXVCPU_REGS_DONE ||
	       (dirty & AXVCPU_REGS_PC && READ_ONCE(run->regs.raw[AXVCPU_MOCK_PC]) != mock->pc);
}

/**
 * axvcpu_mock_complete() - apply the VMM's answer to the last exit
 * @mock: the vCPU
 *
 * A VMM that moved the program counter away from an instruction that waits
 * for its answer has done it; an exception takes its place.
 *
 * Context: as @complete of &struct axvcpu_arch_ops.
 */
void axvcpu_mock_complete(struct axvcpu_mock *mock)
{
	u32 reason = mock->exit.reason;

	if (reason >= ARRAY_SIZE(completions) || !completions[reason])
		return;
	if (vmm_did_insn(mock))
		return;
	/* A hypercall has completed. */
	if (reason != AXVCPU_EXIT_HYPERCALL &&
	    (mock->pc != mock->exit.pc || READ_ONCE(mock->queue.exception)))
		return;
	completions[reason](mock, mock->vcpu.run);
	/* A VMM that has changed flags alone goes on where the answer leads to. */
	if (READ_ONCE(mock->vcpu.run->regs_dirty) & AXVCPU_REGS_PC)
		WRITE_ONCE(mock->vcpu.run->regs.raw[AXVCPU_MOCK_PC], mock->pc);
}

/**
 * axvcpu_mock_queue() - queue an event for the next entry
 * @mock: the vCPU
 * @event: what INJECT was given
 *
 * Context: any thread.
 * Return: as @inject of &struct axvcpu_arch_ops.
 */
int axvcpu_mock_queue(struct axvcpu_mock *mock, const struct axvcpu_inject *event)
{
	u64 exception = EXCEPTION_PENDING | (u64)event->error_code << 8 | event->vector;

	if (event->priority || event->flags & AXVCPU_INJECT_PRIORITY)
		return -EINVAL;

	switch (event->type) {
	case AXVCPU_EVENT_INTERRUPT:
		if (event->vector > 255 || event->flags || event->error_code)
			return -EINVAL;
		set_bit(event->vector, mock->queue.irqs);
		return 0;
	case AXVCPU_EVENT_EXCEPTION:
		if (event->vector > 31)
			return -EINVAL;
		if (!(event->flags & AXVCPU_INJECT_ERROR_CODE) && event->error_code)
			return -EINVAL;
		return cmpxchg(&mock->queue.exception, 0, exception) ? -EBUSY : 0;
	case AXVCPU_EVENT_NMI:
		if (event->vector || event->flags || event->error_code)
			return -EINVAL;
		set_bit(0, &mock->queue.nmi);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * axvcpu_mock_withdraw() - take a queued event back
 * @mock: the vCPU
 * @event: what WITHDRAW was given
 *
 * Context: any thread.
 * Return: as @withdraw of &struct axvcpu_arch_ops.
 */
int axvcpu_mock_withdraw(struct axvcpu_mock *mock, const struct axvcpu_inject *event)
{
	u64 exception = READ_ONCE(mock->queue.exception);
	bool taken = false;

	switch (event->type) {
	case AXVCPU_EVENT_INTERRUPT:
		if (event->vector > 255)
			return -EINVAL;
		taken = test_and_clear_bit(event->vector, mock->queue.irqs);
		break;
	case AXVCPU_EVENT_EXCEPTION:
		if (event->vector > 31)
			return -EINVAL;
		taken = exception && EXCEPTION_VECTOR(exception) == event->vector &&
			cmpxchg(&mock->queue.exception, exception, 0) == exception;
		break;
	case AXVCPU_EVENT_NMI:
		if (event->vector)
			return -EINVAL;
		taken = test_and_clear_bit(0, &mock->queue.nmi);
		break;
	}
	return taken ? 0 : -ENOENT;
}

/**
 * axvcpu_mock_get_queue() - copy what is queued
 * @mock: the vCPU
 * @queue: the copy
 *
 * Context: any.
 */
void axvcpu_mock_get_queue(const struct axvcpu_mock *mock, struct axvcpu_mock_queue *queue)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queue->irqs); i++)
		queue->irqs[i] = READ_ONCE(mock->queue.irqs[i]);
	queue->exception = READ_ONCE(mock->queue.exception);
	queue->nmi = READ_ONCE(mock->queue.nmi);
}

/**
 * axvcpu_mock_set_queue() - put a copy in place of what is queued
 * @mock: the vCPU
 * @queue: the copy
 *
 * What INJECT queues meanwhile comes before, and is gone, or after.
 *
 * Context: &struct axvcpu.mutex held.
 */
void axvcpu_mock_set_queue(struct axvcpu_mock *mock, const struct axvcpu_mock_queue *queue)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queue->irqs); i++)
		xchg(&mock->queue.irqs[i], queue->irqs[i]);
	xchg(&mock->queue.exception, queue->exception);
	xchg(&mock->queue.nmi, queue->nmi);
}

/**
 * axvcpu_mock_show_queue() - the run page has what is queued
 * @mock: the vCPU
 *
 * Context: &struct axvcpu.mutex held.
 */
void axvcpu_mock_show_queue(struct axvcpu_mock *mock)
{
	struct axvcpu_x86_queue *page = &mock->vcpu.run->queue.x86;
	struct axvcpu_mock_queue queue;

	axvcpu_mock_get_queue(mock, &queue);
	bitmap_to_arr64(page->irqs, queue.irqs, 256);
	page->exception = queue.exception;
	page->nmi = queue.nmi;
}

/**
 * axvcpu_mock_has_event() - would a queued event end a halt?
 * @mock: the vCPU
 *
 * Context: any.
 * Return: whether.
 */
bool axvcpu_mock_has_event(struct axvcpu_mock *mock)
{
	if (READ_ONCE(mock->queue.exception) || READ_ONCE(mock->queue.nmi))
		return true;
	/* INJECT wakes who looked too early. */
	return READ_ONCE(mock->can_interrupt) && !data_race(bitmap_empty(mock->queue.irqs, 256));
}
