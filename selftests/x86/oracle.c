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
#include "../oracle/x86/oracle.h"
#include "kselftest_harness.h"
#include "oracle_files.h"

#define MAX_EXITS	3000000
#define PROGRESS_S	5

#define REPORTS(self)	((const struct oracle_reports *)((self)->ram + ORACLE_REPORT))

#define MSR_APIC_BASE	0x1b
#define MSR_APIC_FIRST	0x800
#define MSR_APIC_LAST	0x8ff
#define MSR_ICR		0x830
#define MSR_TIMER_COUNT	0x838
#define MSR_SELF_IPI	0x83f
#define ICR_NMI		0x400
#define PAGE		0x1000

FIXTURE(oracle) {
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *ram;
	struct oracle_file runner, programs, bare;
	struct oracle_verdict verdict;
	unsigned int exits;
	bool timer;		/* runs, and ends a halt */
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

	snprintf(width, sizeof(width), "%d", variant->width);
	if (!oracle_load(&self->runner, "runner", width) ||
	    !oracle_load(&self->programs, "programs", variant->mode) ||
	    !oracle_load(&self->bare, "bare", variant->mode) ||
	    !oracle_begin(&self->verdict, variant->mode))
		SKIP(return, "no programs");
	self->ram = mmap(NULL, ORACLE_RAM, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->ram);
	memcpy(self->ram + ORACLE_RUNNER, self->runner.data, self->runner.size);
	memcpy(self->ram + ORACLE_PROGRAMS, self->programs.data, self->programs.size);
	ASSERT_EQ(0, axvcpu_device_open(NULL, &self->dev));
	ASSERT_EQ(0, axvcpu_aspace_create(self->dev, &self->aspace));
	ASSERT_EQ(0, axvcpu_aspace_map(self->aspace, 0, self->ram, ORACLE_NOTHING,
				       AXVCPU_MAP_ALL));
	ASSERT_EQ(0, axvcpu_aspace_map(self->aspace, ORACLE_NOTHING + PAGE,
				       self->ram + ORACLE_NOTHING + PAGE,
				       ORACLE_RAM - ORACLE_NOTHING - PAGE, AXVCPU_MAP_ALL));
	ASSERT_EQ(0, axvcpu_vcpu_create(self->dev, NULL, &self->vcpu));
}

FIXTURE_TEARDOWN(oracle)
{
	axvcpu_vcpu_close(self->vcpu);
	axvcpu_aspace_close(self->aspace);
	axvcpu_device_close(self->dev);
}

/* --- what a PC has beside its CPU -------------------------------------------- */

static int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;

	return ++self->exits > MAX_EXITS ? -ELOOP : 0;
}

static void *memory(void *data, uint64_t gpa, size_t size)
{
	FIXTURE_DATA(oracle) *self = data;

	return gpa < ORACLE_RAM && size <= ORACLE_RAM - gpa ? self->ram + gpa : NULL;
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

static int write_apic(FIXTURE_DATA(oracle) *self, struct axvcpu_vcpu *vcpu,
		      const struct axvcpu_run *run)
{
	const struct axvcpu_inject nmi = { .type = AXVCPU_EVENT_NMI };
	uint64_t value = run->sysreg.value;

	switch (run->sysreg.addr) {
	case MSR_ICR:
		return value & ICR_NMI ? axvcpu_vcpu_inject(vcpu, &nmi) : 0;
	case MSR_TIMER_COUNT:
		self->timer = value;
		return 0;
	case MSR_SELF_IPI:
		return axvcpu_vcpu_interrupt(vcpu, value & 0xff);
	default:
		return 0;
	}
}

static int on_msr(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;
	uint32_t msr = run->sysreg.addr;

	if (msr != MSR_APIC_BASE && (msr < MSR_APIC_FIRST || msr > MSR_APIC_LAST)) {
		axvcpu_fault_sysreg(run);
		return 0;
	}
	if (run->exit_reason == AXVCPU_EXIT_SYSREG_WRITE && write_apic(self, vcpu, run))
		return -EIO;
	axvcpu_answer_sysreg(run, 0);
	return 0;
}

/* The timer, which is all that can end a halt */
static int on_halt(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;

	if (!self->timer)
		return -ECANCELED;
	self->timer = false;
	return axvcpu_vcpu_interrupt(vcpu, ORACLE_IRQ_VECTOR);
}

/* As the runner does it for a program that runs bare. */
static int on_vmcall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;

	memcpy(self->ram + ORACLE_DATA_VMCALL, &run->hypercall, ORACLE_VMCALL_SIZE);
	axvcpu_answer_hypercall(run, run->hypercall.nr);
	return 0;
}

/* MOV between the accumulator and (%rdi), where there is no memory */
static int on_nothing(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	FIXTURE_DATA(oracle) *self = data;
	const uint8_t *code = self->ram + run->regs.x86.rip;
	uint64_t *rax = &run->regs.x86.gpr[AXVCPU_X86_RAX];

	if (run->fault.gpa / PAGE != ORACLE_NOTHING / PAGE ||
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

static int on_end(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return -ECANCELED;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.other = on_end,
	.exit = {
		[AXVCPU_EXIT_IO_READ] = on_io,
		[AXVCPU_EXIT_IO_WRITE] = on_io,
		[AXVCPU_EXIT_SYSREG_READ] = on_msr,
		[AXVCPU_EXIT_SYSREG_WRITE] = on_msr,
		[AXVCPU_EXIT_IO_STRING] = on_string,
		[AXVCPU_EXIT_HALT] = on_halt,
		[AXVCPU_EXIT_HYPERCALL] = on_vmcall,
		[AXVCPU_EXIT_NESTED_PAGE_FAULT] = on_nothing,
	},
};

/* --- comparing --------------------------------------------------------------- */

static const char *const reg_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

static void show_event(const struct oracle_event *event)
{
	printf(" (vector %u error %x ip %llx flags %x dr6 %llx)", event->vector, event->error,
	       event->ip, event->flags, event->dr6);
}

static void show_events(const struct oracle_event *bare, const struct oracle_event *vcpu)
{
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
			printf(" |"), show_event(&vcpu->event[i]);
		else
			show_events(&bare->event[i], &vcpu->event[i]);
		if (bare->count != vcpu->count)
			break;
	}
	oracle_show("events", bare->count, vcpu->count);
	oracle_show("dr7", bare->dr7, vcpu->dr7);
	oracle_show("cr0", bare->cr0, vcpu->cr0);
	oracle_show("cr4", bare->cr4, vcpu->cr4);
	oracle_show("poked", bare->poked, vcpu->poked);
	oracle_show("stack", bare->stack, vcpu->stack);
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
	ASSERT_EQ(0, axvcpu_vcpu_setup_real(self->vcpu, self->aspace, ORACLE_RUNNER));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_preset(self->vcpu, AXVCPU_X86_PRESET_HOST));
	ASSERT_EQ(0, axvcpu_vcpu_bind(self->vcpu, -1));
	ASSERT_EQ(1, run_all(self)) {
		axvcpu_vcpu_exit_text(self->vcpu, text, sizeof(text));
		TH_LOG("%s; %s", axvcpu_error_text(), text);
	}
	ASSERT_EQ(ORACLE_MAGIC, vcpus->magic);
	ASSERT_EQ(bares->count, vcpus->count);
	judge_all(self, bares, vcpus);
	EXPECT_EQ(0, oracle_end(&self->verdict, variant->mode, bares->count, self->exits));
}

TEST_HARNESS_MAIN
