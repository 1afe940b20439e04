// SPDX-License-Identifier: LGPL-2.1-or-later
/* Exits in words. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "internal.h"

void text_add(struct axvcpu_text *text, const char *fmt, ...)
{
	bool room = text->used < text->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? text->buf + text->used : NULL, room ? text->len - text->used : 0, fmt,
		      ap);
	va_end(ap);
	if (n > 0)
		text->used += n;
}

static void add_hypercall(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " nr=0x%llx args=", run->hypercall.nr);
	for (size_t i = 0; i < ARRAY_SIZE(run->hypercall.args); i++)
		text_add(text, "%s0x%llx", i ? "," : "", run->hypercall.args[i]);
}

static void add_mmio(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " gpa=0x%llx width=%u reg=%u", run->mmio.gpa,
		 run->mmio.width, run->mmio.reg);
	if (run->exit_reason == AXVCPU_EXIT_MMIO_WRITE)
		text_add(text, " data=0x%llx", run->mmio.data);
}

static void add_sysreg(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " addr=0x%llx", run->sysreg.addr);
	if (run->exit_reason == AXVCPU_EXIT_SYSREG_WRITE)
		text_add(text, " value=0x%llx", run->sysreg.value);
}

static void add_io_string(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " port=0x%x width=%u count=%llu gva=0x%llx %s", run->io_string.port,
		 run->io_string.width, run->io_string.count, run->io_string.gva,
		 run->io_string.flags & AXVCPU_IO_STRING_IN ? "in" : "out");
}

static void add_io(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " port=0x%x width=%u", run->io.port, run->io.width);
	if (run->io.count > 1)
		text_add(text, " count=%u", run->io.count);
	if (run->exit_reason == AXVCPU_EXIT_IO_READ)
		return;
	text_add(text, " data=0x%llx", run->io.data);
	if (run->io.width == 1 && run->io.data >= ' ' && run->io.data <= '~')
		text_add(text, " '%c'", (char)run->io.data);
}

static void add_fault(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " gpa=0x%llx access=%s%s%s", run->fault.gpa,
		 run->fault.access & AXVCPU_MAP_READ ? "r" : "",
		 run->fault.access & AXVCPU_MAP_WRITE ? "w" : "",
		 run->fault.access & AXVCPU_MAP_EXEC ? "x" : "");
	if (run->fault.flags & AXVCPU_FAULT_GVA_VALID)
		text_add(text, " gva=0x%llx", run->fault.gva);
	if (run->fault.flags & AXVCPU_FAULT_WALK)
		text_add(text, " page-walk");
	if (run->fault.flags & AXVCPU_FAULT_BAD_HOST)
		text_add(text, " no-host-memory");
	if (run->fault.flags & AXVCPU_FAULT_PROTECTION)
		text_add(text, " protected");
}

static void add_cpu_up(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " target=0x%llx entry=0x%llx arg=0x%llx",
		 run->cpu_up.target, run->cpu_up.entry,
		 run->cpu_up.arg);
}

static void add_cpu_down(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " state=0x%llx", run->cpu_down.state);
}

static void add_system_down(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " type=%s",
		 run->system_down.type == AXVCPU_SYSTEM_DOWN_RESET ? "reset" : "off");
}

static void add_fail_entry(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " hw_reason=0x%llx hw_error=%llu qualification=0x%llx cpu=%u",
		 run->fail_entry.hw_reason, run->fail_entry.hw_error,
		 run->fail_entry.qualification, run->fail_entry.cpu);
	if (run->fail_entry.reg)
		text_add(text, " reg=0x%llx", run->fail_entry.reg);
}

static void add_ipi(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " target=0x%llx aux=0x%llx vector=%llu flags=0x%x",
		 run->ipi.target, run->ipi.target_aux,
		 run->ipi.vector, run->ipi.flags);
}

static void add_exception(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " vector=%u error_code=0x%x payload=0x%llx", run->exception.vector,
		 run->exception.error_code, run->exception.payload);
}

static void add_task_switch(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	static const char * const sources[] = {
		[AXVCPU_TASK_SWITCH_CALL]	= "call",
		[AXVCPU_TASK_SWITCH_IRET]	= "iret",
		[AXVCPU_TASK_SWITCH_JMP]	= "jmp",
		[AXVCPU_TASK_SWITCH_GATE]	= "gate",
	};
	uint32_t source = run->task_switch.source;

	text_add(text, " selector=0x%x source=%s event=0x%llx", run->task_switch.selector,
		 source < ARRAY_SIZE(sources) ? sources[source] : "?", run->task_switch.event);
}

static void add_unknown(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	text_add(text, " hw_reason=0x%llx qualification=0x%llx",
		 run->unknown.hw_reason, run->unknown.qualification);
}

static void (*const add_exit[AXVCPU_NR_EXITS])(struct axvcpu_text *text,
						const struct axvcpu_run *run) = {
	[AXVCPU_EXIT_UNKNOWN]		= add_unknown,
	[AXVCPU_EXIT_HYPERCALL]		= add_hypercall,
	[AXVCPU_EXIT_MMIO_READ]		= add_mmio,
	[AXVCPU_EXIT_MMIO_WRITE]	= add_mmio,
	[AXVCPU_EXIT_SYSREG_READ]	= add_sysreg,
	[AXVCPU_EXIT_SYSREG_WRITE]	= add_sysreg,
	[AXVCPU_EXIT_IO_READ]		= add_io,
	[AXVCPU_EXIT_IO_WRITE]		= add_io,
	[AXVCPU_EXIT_IO_STRING]		= add_io_string,
	[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= add_fault,
	[AXVCPU_EXIT_CPU_UP]		= add_cpu_up,
	[AXVCPU_EXIT_CPU_DOWN]		= add_cpu_down,
	[AXVCPU_EXIT_SYSTEM_DOWN]	= add_system_down,
	[AXVCPU_EXIT_FAIL_ENTRY]	= add_fail_entry,
	[AXVCPU_EXIT_SEND_IPI]		= add_ipi,
	[AXVCPU_EXIT_EXCEPTION]		= add_exception,
	[AXVCPU_EXIT_TASK_SWITCH]	= add_task_switch,
};

/* VMX: its number for the exit, or for the instruction that failed, by name. */
static void add_vmx_words(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	if (run->exit_reason == AXVCPU_EXIT_UNKNOWN)
		text_add(text, " (%s)", axvcpu_vmx_reason_name(run->unknown.hw_reason));
	else if (run->exit_reason == AXVCPU_EXIT_FAIL_ENTRY && run->fail_entry.hw_error)
		text_add(text, " (%s)", axvcpu_vmx_error_text(run->fail_entry.hw_error));
	else if (run->exit_reason == AXVCPU_EXIT_FAIL_ENTRY)
		text_add(text, " (%s)", axvcpu_vmx_reason_name(run->fail_entry.hw_reason));
}

/* The register of a syndrome as MRS and MSR name it. */
static void add_arm64_sysreg(struct axvcpu_text *text, uint64_t addr)
{
	char name[32];

	axvcpu_arm64_reg_name(AXVCPU_ARM64_REG_SYS(addr >> 20 & 3, addr >> 14 & 7, addr >> 10 & 15,
						   addr >> 1 & 15, addr >> 17 & 7),
			      name, sizeof(name));
	text_add(text, " (%s)", name);
}

/* VHE: the exception class by name; a failed entry has nothing but a class. */
static void add_vhe_words(struct axvcpu_text *text, const struct axvcpu_run *run)
{
	if (run->exit_reason == AXVCPU_EXIT_UNKNOWN)
		text_add(text, " (%s)", axvcpu_arm64_class_name(run->unknown.hw_reason));
	else if (run->exit_reason == AXVCPU_EXIT_FAIL_ENTRY)
		text_add(text, " (%s)", axvcpu_arm64_class_name(run->fail_entry.hw_reason << 26));
	else if (run->exit_reason == AXVCPU_EXIT_SYSREG_READ ||
		 run->exit_reason == AXVCPU_EXIT_SYSREG_WRITE)
		add_arm64_sysreg(text, run->sysreg.addr);
}

static void (*const add_words[])(struct axvcpu_text *text, const struct axvcpu_run *run) = {
	[AXVCPU_BACKEND_VMX]	= add_vmx_words,
	[AXVCPU_BACKEND_VHE]	= add_vhe_words,
};

int axvcpu_vcpu_exit_text(const struct axvcpu_vcpu *vcpu, char *buf, size_t len)
{
	struct axvcpu_text text = { buf, len, 0 };
	const struct axvcpu_run *run = vcpu->run;

	text_add(&text, "%s", axvcpu_exit_name(run->exit_reason));
	if (run->exit_reason >= AXVCPU_NR_EXITS)
		text_add(&text, " (%u)", run->exit_reason);
	else if (add_exit[run->exit_reason])
		add_exit[run->exit_reason](&text, run);
	if (vcpu->backend < ARRAY_SIZE(add_words) && add_words[vcpu->backend])
		add_words[vcpu->backend](&text, run);
	return text.used;
}
