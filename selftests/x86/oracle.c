// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs in a vCPU, against what the same programs left when they ran bare on the same
 * CPU. tools/oracle writes the programs, the bare reports and the list of differences that
 * are known; selftests/oracle has the runner.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "../oracle/x86/oracle.h"
#include "kselftest_harness.h"
#include "oracle_run.h"
#include "x86_task.h"

#define MSR_APIC_BASE	0x1b
#define MSR_APIC_FIRST	0x800
#define MSR_APIC_LAST	0x8ff
#define MSR_ICR		0x830
#define MSR_TIMER_COUNT	0x838
#define MSR_SELF_IPI	0x83f
#define ICR_NMI		0x400
#define CPUID_MCE	(1U << 7)	/* of leaf 1, EDX */

#define X86_RF		0x10000
#define DR6_BD		(1U << 13)

/* A PC with a timer, which ends a halt */
struct pc {
	struct oracle oracle;
	bool timer;
};

/* --- what a PC has beside its CPU -------------------------------------------- */

static void *memory(void *data, uint64_t gpa, size_t size)
{
	struct pc *pc = data;

	return gpa < ORACLE_RAM && size <= ORACLE_RAM - gpa ? pc->oracle.ram + gpa : NULL;
}

/* Nothing answers there. */
static void port(void *data, uint16_t number, uint32_t width, void *bytes, size_t count, bool in)
{
	if (in)
		memset(bytes, 0xff, width * count);
}

static int on_io(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	if (run->io.port == ORACLE_DONE_PORT)
		return 1;
	axvcpu_answer_io(run, UINT64_MAX);
	return 0;
}

static int on_string(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return axvcpu_x86_answer_string(vcpu, memory, port, data);
}

static int write_apic(struct pc *pc, struct axvcpu_vcpu *vcpu,
		      const struct axvcpu_run *run)
{
	const struct axvcpu_inject nmi = { .type = AXVCPU_EVENT_NMI };
	uint64_t value = run->sysreg.value;

	switch (run->sysreg.addr) {
	case MSR_ICR:
		return value & ICR_NMI ? axvcpu_vcpu_inject(vcpu, &nmi) : 0;
	case MSR_TIMER_COUNT:
		pc->timer = value;
		return 0;
	case MSR_SELF_IPI:
		return axvcpu_vcpu_interrupt(vcpu, value & 0xff);
	default:
		return 0;
	}
}

static int on_msr(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct pc *pc = data;
	uint32_t msr = run->sysreg.addr;

	if (msr != MSR_APIC_BASE && (msr < MSR_APIC_FIRST || msr > MSR_APIC_LAST)) {
		axvcpu_fault_sysreg(run);
		return 0;
	}
	if (run->exit_reason == AXVCPU_EXIT_SYSREG_WRITE && write_apic(pc, vcpu, run))
		return -EIO;
	axvcpu_answer_sysreg(run, 0);
	return 0;
}

/* The timer, which is all that can end a halt */
static int on_halt(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct pc *pc = data;

	if (!pc->timer)
		return -ECANCELED;
	pc->timer = false;
	return axvcpu_vcpu_interrupt(vcpu, ORACLE_IRQ_VECTOR);
}

/* As the runner does it for a program that runs bare. */
static int on_vmcall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct pc *pc = data;

	memcpy(pc->oracle.ram + ORACLE_DATA_VMCALL, &run->hypercall, ORACLE_VMCALL_SIZE);
	axvcpu_answer_hypercall(run, run->hypercall.nr);
	return 0;
}

/* MOV between the accumulator and (%rdi), where there is no memory */
static int on_nothing(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	const struct pc *pc = data;
	const uint8_t *code = pc->oracle.ram + run->regs.x86.rip;
	__u64 *rax = &run->regs.x86.gpr[AXVCPU_X86_RAX];

	if (run->fault.gpa / ORACLE_PAGE != ORACLE_NOTHING / ORACLE_PAGE ||
	    run->regs.x86.rip >= ORACLE_RAM - 2 || code[1] != 0x07)
		return -ECANCELED;
	if (code[0] == 0x8a)
		*rax |= 0xff;
	else if (code[0] == 0x8b)
		*rax = 0xffffffff;
	else if (code[0] != 0x88 && code[0] != 0x89)
		return -ECANCELED;
	run->regs.x86.rip += 2;
	run->regs_dirty = AXVCPU_REGS_PC;
	return 0;
}

static int on_task_switch(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	const struct pc *pc = data;

	return x86_switch_task(vcpu, run, pc->oracle.ram);
}

static const struct axvcpu_handlers handlers = {
	.before = oracle_on_any,
	.other = oracle_on_end,
	.exit = {
		[AXVCPU_EXIT_IO_READ] = on_io,
		[AXVCPU_EXIT_IO_WRITE] = on_io,
		[AXVCPU_EXIT_SYSREG_READ] = on_msr,
		[AXVCPU_EXIT_SYSREG_WRITE] = on_msr,
		[AXVCPU_EXIT_IO_STRING] = on_string,
		[AXVCPU_EXIT_HALT] = on_halt,
		[AXVCPU_EXIT_HYPERCALL] = on_vmcall,
		[AXVCPU_EXIT_NESTED_PAGE_FAULT] = on_nothing,
		[AXVCPU_EXIT_TASK_SWITCH] = on_task_switch,
	},
};

/* --- comparing --------------------------------------------------------------- */

static const char *const reg_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

static void show_event(const void *data)
{
	const struct oracle_event *event = data;

	printf(" (vector %u error %x ip %llx flags %x dr6 %llx)", event->vector, event->error,
	       event->ip, event->flags, event->dr6);
}

static void show_events(const void *ours, const void *theirs)
{
	const struct oracle_event *bare = ours, *vcpu = theirs;

	oracle_show("vector", bare->vector, vcpu->vector);
	oracle_show("error", bare->error, vcpu->error);
	oracle_show("ip", bare->ip, vcpu->ip);
	oracle_show("flags", bare->flags, vcpu->flags);
	oracle_show("cs", bare->cs, vcpu->cs);
	oracle_show("ss", bare->ss, vcpu->ss);
	oracle_show("ds", bare->ds, vcpu->ds);
	oracle_show("es", bare->es, vcpu->es);
	oracle_show("fs", bare->fs, vcpu->fs);
	oracle_show("gs", bare->gs, vcpu->gs);
	oracle_show("dr6", bare->dr6, vcpu->dr6);
	oracle_show("cr2", bare->cr2, vcpu->cr2);
	for (int i = 0; i < 16; i++)
		oracle_show(reg_names[i], bare->regs[i], vcpu->regs[i]);
}

static void show_rest(const void *bare, const void *vcpu)
{
	const struct oracle_report *ours = bare, *theirs = vcpu;

	oracle_show("dr7", ours->dr7, theirs->dr7);
	oracle_show("cr0", ours->cr0, theirs->cr0);
	oracle_show("cr4", ours->cr4, theirs->cr4);
	oracle_show("poked", ours->poked, theirs->poked);
	oracle_show("stack", ours->stack, theirs->stack);
	oracle_show_bytes("data", ours->data, theirs->data, ORACLE_DATA_SIZE);
}

/* Is an instruction a repeated INS or OUTS? */
static bool is_repeated_io(const uint8_t *code, const uint8_t *end)
{
	bool repeated = false;

	for (; code < end; code++) {
		if (*code == 0xf3)
			repeated = true;
		else if (*code != 0x66 && *code != 0x67)
			return repeated && (*code & 0xfc) == 0x6c;
	}
	return false;
}

/* Its elements: what the program begins with, or what a MOV to ECX in front of it says */
static uint32_t elements(const struct oracle_program *program, uint64_t at)
{
	uint32_t count = program->regs[AXVCPU_X86_RCX];

	if (at >= 5 && program->code[at - 5] == 0xb9)
		memcpy(&count, program->code + at - 4, sizeof(count));
	return count;
}

/* Is the guest between two elements of one? */
static bool is_within_io(const struct oracle_programs *programs,
			 const struct oracle_program *program, const struct oracle_event *event)
{
	uint64_t at = event->ip - (programs->mode < ORACLE_PROT32 ? 0 : ORACLE_CODE);

	return at < ORACLE_CODE_SIZE &&
	       is_repeated_io(program->code + at, program->code + ORACLE_CODE_SIZE) &&
	       (uint32_t)event->regs[AXVCPU_X86_RCX] != elements(program, at);
}

/*
 * Bochs' faults in the bare run: RF is 0 in the frames of traps and interrupts between two
 * elements, and of the general-detect fault (SDM vol. 3, 18.3.1.1). Real mode's frames have
 * no RF.
 */
static void correct(const struct oracle *oracle, void *bare)
{
	const struct oracle_programs *programs = (void *)(oracle->ram + ORACLE_PROGRAMS);
	struct oracle_report *report = bare;
	struct oracle_event *event;

	if (programs->mode == ORACLE_REAL)
		return;
	for (event = report->event; event < report->event + report->count; event++) {
		bool detected = event->vector == 1 && event->dr6 & DR6_BD;

		if (detected || is_within_io(programs, &programs->program[report->id], event))
			event->flags |= X86_RF;
	}
}

static const struct oracle_arch arch = {
	.size = ORACLE_RAM,
	.hole = ORACLE_NOTHING,
	.runner = ORACLE_RUNNER,
	.programs = ORACLE_PROGRAMS,
	.report = ORACLE_REPORT,
	.head_size = sizeof(struct oracle_report),
	.event_size = sizeof(struct oracle_event),
	.correct = correct,
	.handlers = &handlers,
	.show_event = show_event,
	.show_events = show_events,
	.show_rest = show_rest,
};

/* --- the test ---------------------------------------------------------------- */

FIXTURE(oracle) {
	struct pc pc;
};

FIXTURE_VARIANT(oracle) {
	const char *mode;
	int width;
};

FIXTURE_VARIANT_ADD(oracle, real) {
	.mode = "real",
	.width = 16,
};

FIXTURE_VARIANT_ADD(oracle, prot16) {
	.mode = "prot16",
	.width = 32,
};

FIXTURE_VARIANT_ADD(oracle, prot32) {
	.mode = "prot32",
	.width = 32,
};

FIXTURE_VARIANT_ADD(oracle, pae) {
	.mode = "pae",
	.width = 32,
};

FIXTURE_VARIANT_ADD(oracle, compat) {
	.mode = "compat",
	.width = 64,
};

FIXTURE_VARIANT_ADD(oracle, long) {
	.mode = "long",
	.width = 64,
};

FIXTURE_SETUP(oracle)
{
	char width[8];
	int ret;

	snprintf(width, sizeof(width), "%d", variant->width);
	ret = oracle_open(&self->pc.oracle, &arch, width, variant->mode);
	if (ret == -ENOENT)
		SKIP(return, "no programs");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(oracle)
{
	oracle_close(&self->pc.oracle);
}

/* A PC has it, and no preset that shows all that the CPU has. */
static int show_mce(struct axvcpu_vcpu *vcpu)
{
	uint32_t regs[4];
	int ret = axvcpu_x86_get_cpuid(vcpu, 1, 0, regs);

	if (ret)
		return ret;
	regs[3] |= CPUID_MCE;
	return axvcpu_x86_set_cpuid(vcpu, 1, 0, regs);
}

TEST_F(oracle, agrees)
{
	struct oracle *oracle = &self->pc.oracle;
	char text[160];

	ASSERT_EQ(0, axvcpu_x86_set_cpuid_preset(oracle->vcpu, AXVCPU_X86_PRESET_HOST));
	ASSERT_EQ(0, show_mce(oracle->vcpu));
	ASSERT_EQ(0, axvcpu_vcpu_setup_real(oracle->vcpu, oracle->aspace, ORACLE_RUNNER));
	ASSERT_EQ(0, axvcpu_vcpu_bind(oracle->vcpu, -1));
	EXPECT_EQ(1, oracle_run(oracle)) {
		axvcpu_vcpu_exit_text(oracle->vcpu, text, sizeof(text));
		TH_LOG("%s; %s", axvcpu_error_text(), text);
	}
	EXPECT_EQ(0, oracle_judge(oracle));
}

TEST_HARNESS_MAIN
