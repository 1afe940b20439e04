// SPDX-License-Identifier: GPL-2.0-only
/* What axvmm says on standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define LINE_MAX_BYTES	512

/* One write for each line, so that lines of several threads don't mix. */
static void print_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t used = strlen(prefix);
	int n;

	memcpy(line, prefix, used);
	n = vsnprintf(line + used, sizeof(line) - used - 1, fmt, ap);
	if (n < 0)
		return;
	used += n;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("axvmm: ", fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 1, 2)))
static void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("", fmt, ap);
	va_end(ap);
}

void report_exit(struct vm_cpu *cpu)
{
	char text[LINE_MAX_BYTES / 2];

	axvcpu_vcpu_exit_text(cpu->vcpu, text, sizeof(text));
	cpu->exits++;
	print("vcpu%u %llu %s=0x%llx %s", cpu->index, (unsigned long long)cpu->exits,
	      cpu->machine->opt->arch->pc_name, cpu_pc(cpu), text);
}

void report_stats(struct vm_cpu *cpu)
{
	struct axvcpu_stats stats;

	if (axvcpu_vcpu_get_stats(cpu->vcpu, &stats)) {
		complain("vCPU %u: no statistics: %s", cpu->index, axvcpu_error_text());
		return;
	}
	print("vcpu%u: %llu runs, %llu entries, %llu us in the guest", cpu->index, stats.runs,
	      stats.entries, stats.guest_ns / 1000);
	for (uint32_t reason = 0; reason < AXVCPU_NR_EXITS; reason++) {
		if (stats.exits[reason])
			print("  %-24s %12llu", axvcpu_exit_name(reason), stats.exits[reason]);
	}
	print("  %-24s %12llu", "handled by the kernel", stats.kernel_exits);
	print("    %-22s %12llu", "host interrupts", stats.interrupts);
	print("    %-22s %12llu", "memory filled in", stats.faults);
	print("  %-24s %12llu", "events injected", stats.injections);
	print("  %-24s %12llu", "kicks", stats.kicks);
	print("  %-24s %12llu", "moves to another CPU", stats.migrations);
}
