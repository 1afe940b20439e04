// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers of x86 by name. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

static const struct {
	const char *name;
	uint64_t id;
} regs[] = {
	{ "rax", AXVCPU_X86_REG_GPR(AXVCPU_X86_RAX) },
	{ "rcx", AXVCPU_X86_REG_GPR(AXVCPU_X86_RCX) },
	{ "rdx", AXVCPU_X86_REG_GPR(AXVCPU_X86_RDX) },
	{ "rbx", AXVCPU_X86_REG_GPR(AXVCPU_X86_RBX) },
	{ "rsp", AXVCPU_X86_REG_GPR(AXVCPU_X86_RSP) },
	{ "rbp", AXVCPU_X86_REG_GPR(AXVCPU_X86_RBP) },
	{ "rsi", AXVCPU_X86_REG_GPR(AXVCPU_X86_RSI) },
	{ "rdi", AXVCPU_X86_REG_GPR(AXVCPU_X86_RDI) },
	{ "r8", AXVCPU_X86_REG_GPR(AXVCPU_X86_R8) },
	{ "r9", AXVCPU_X86_REG_GPR(AXVCPU_X86_R9) },
	{ "r10", AXVCPU_X86_REG_GPR(AXVCPU_X86_R10) },
	{ "r11", AXVCPU_X86_REG_GPR(AXVCPU_X86_R11) },
	{ "r12", AXVCPU_X86_REG_GPR(AXVCPU_X86_R12) },
	{ "r13", AXVCPU_X86_REG_GPR(AXVCPU_X86_R13) },
	{ "r14", AXVCPU_X86_REG_GPR(AXVCPU_X86_R14) },
	{ "r15", AXVCPU_X86_REG_GPR(AXVCPU_X86_R15) },
	{ "rip", AXVCPU_X86_REG_RIP },
	{ "rflags", AXVCPU_X86_REG_RFLAGS },
	{ "cr0", AXVCPU_X86_REG_CR0 },
	{ "cr2", AXVCPU_X86_REG_CR2 },
	{ "cr3", AXVCPU_X86_REG_CR3 },
	{ "cr4", AXVCPU_X86_REG_CR4 },
	{ "cr8", AXVCPU_X86_REG_CR8 },
	{ "xcr0", AXVCPU_X86_REG_XCR0 },
	{ "dr0", AXVCPU_X86_REG_DR(0) },
	{ "dr1", AXVCPU_X86_REG_DR(1) },
	{ "dr2", AXVCPU_X86_REG_DR(2) },
	{ "dr3", AXVCPU_X86_REG_DR(3) },
	{ "dr6", AXVCPU_X86_REG_DR(6) },
	{ "dr7", AXVCPU_X86_REG_DR(7) },
	{ "gdtr.base", AXVCPU_X86_REG_GDTR_BASE },
	{ "gdtr.limit", AXVCPU_X86_REG_GDTR_LIMIT },
	{ "idtr.base", AXVCPU_X86_REG_IDTR_BASE },
	{ "idtr.limit", AXVCPU_X86_REG_IDTR_LIMIT },
	{ "tsc", AXVCPU_X86_REG_MSR(0x10) },
	{ "tsc_offset", AXVCPU_X86_REG_TSC_OFFSET },
	{ "interruptibility", AXVCPU_X86_REG_INTERRUPTIBILITY },
	{ "pending_debug", AXVCPU_X86_REG_PENDING_DEBUG },
	{ "halted", AXVCPU_X86_REG_HALTED },
	{ "event", AXVCPU_X86_REG_EVENT },
	{ "preemption_timer", AXVCPU_X86_REG_PREEMPTION_TIMER },
	{ "queued_exception", AXVCPU_X86_REG_QUEUED_EXCEPTION },
	{ "queued_nmi", AXVCPU_X86_REG_QUEUED_NMI },
	{ "exception_exits", AXVCPU_X86_REG_EXCEPTION_EXITS },
	{ "sysenter_cs", AXVCPU_X86_REG_MSR(0x174) },
	{ "sysenter_esp", AXVCPU_X86_REG_MSR(0x175) },
	{ "sysenter_eip", AXVCPU_X86_REG_MSR(0x176) },
	{ "pat", AXVCPU_X86_REG_MSR(0x277) },
	{ "efer", AXVCPU_X86_REG_MSR(0xc0000080) },
	{ "star", AXVCPU_X86_REG_MSR(0xc0000081) },
	{ "lstar", AXVCPU_X86_REG_MSR(0xc0000082) },
	{ "cstar", AXVCPU_X86_REG_MSR(0xc0000083) },
	{ "sfmask", AXVCPU_X86_REG_MSR(0xc0000084) },
	{ "fs_base", AXVCPU_X86_REG_MSR(0xc0000100) },
	{ "gs_base", AXVCPU_X86_REG_MSR(0xc0000101) },
	{ "kernel_gs_base", AXVCPU_X86_REG_MSR(0xc0000102) },
	{ "tsc_aux", AXVCPU_X86_REG_MSR(0xc0000103) },
};

/* By the number that ids have for them. */
static const char * const segments[] = {
	[AXVCPU_X86_SEG_ES]	= "es",
	[AXVCPU_X86_SEG_CS]	= "cs",
	[AXVCPU_X86_SEG_SS]	= "ss",
	[AXVCPU_X86_SEG_DS]	= "ds",
	[AXVCPU_X86_SEG_FS]	= "fs",
	[AXVCPU_X86_SEG_GS]	= "gs",
	[AXVCPU_X86_SEG_LDTR]	= "ldtr",
	[AXVCPU_X86_SEG_TR]	= "tr",
};

/* What a segment has; ids are those of segment 0. */
static const struct {
	const char *name;
	uint64_t id;
} segment_parts[] = {
	{ "selector", AXVCPU_X86_REG_SEG_SELECTOR(0) },
	{ "base", AXVCPU_X86_REG_SEG_BASE(0) },
	{ "limit", AXVCPU_X86_REG_SEG_LIMIT(0) },
	{ "access", AXVCPU_X86_REG_SEG_ACCESS(0) },
};

/* Names with a number in them. Wide registers' ids have 64 bits each. */
static const struct reg_family families[] = {
	{ "pdpte", "", AXVCPU_X86_REG_PDPTE(0), 1, 4 },
	{ "queued_irqs.", "", AXVCPU_X86_REG_QUEUED_IRQS(0), 1, 4 },
	{ "fxsave.", "", AXVCPU_X86_REG_FXSAVE(0), 1, AXVCPU_X86_NR_FXSAVE },
	{ "ymm_high.", "", AXVCPU_X86_REG_YMM_HIGH(0), 1, 32 },
	{ "k", "", AXVCPU_X86_REG_OPMASK(0), 1, 8 },
	{ "zmm_high.", "", AXVCPU_X86_REG_ZMM_HIGH(0), 1, 64 },
	{ "hi16_zmm.", "", AXVCPU_X86_REG_HI16_ZMM(0), 1, 128 },
};

static const char msr_prefix[] = "msr.";

/* CPUID's: "cpuid.0x7.0x0.eax_ebx", "cpuid_max.0x7.0x0.ecx_edx" */
static const char *const halves[] = { "eax_ebx", "ecx_edx" };

static bool is_cpuid(uint64_t id)
{
	return id >> 62 == 1 && !(id >> 49 & 0xfff);
}

static int cpuid_name(uint64_t id, char *buf, size_t len)
{
	return snprintf(buf, len, "cpuid%s.0x%x.0x%x.%s", id >> 61 & 1 ? "_max" : "",
			(uint32_t)id, (unsigned int)(id >> 32 & 0xffff), halves[id >> 48 & 1]);
}

/* The id whose name reads as @name */
static int cpuid_id(const char *name, uint64_t *id)
{
	bool max = !strncasecmp(name, "cpuid_max.", strlen("cpuid_max."));
	unsigned int leaf, subleaf;
	char text[REG_NAME_BYTES];

	if (sscanf(name, "%*[^.].0x%x.0x%x", &leaf, &subleaf) != 2)
		return -ENOENT;
	for (unsigned int half = 0; half < ARRAY_SIZE(halves); half++) {
		uint64_t try = max ? AXVCPU_X86_REG_CPUID_MAX(leaf, subleaf & 0xffff, half) :
				     AXVCPU_X86_REG_CPUID(leaf, subleaf & 0xffff, half);

		cpuid_name(try, text, sizeof(text));
		if (!strcasecmp(name, text)) {
			*id = try;
			return 0;
		}
	}
	return -ENOENT;
}

static int segment_id(const char *name, uint64_t *id)
{
	const char *dot = strchr(name, '.');
	size_t len = dot ? dot - name : 0;

	for (size_t n = 0; dot && n < ARRAY_SIZE(segments); n++) {
		if (len != strlen(segments[n]) || strncasecmp(name, segments[n], len))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(segment_parts); i++) {
			if (!strcasecmp(dot + 1, segment_parts[i].name)) {
				*id = segment_parts[i].id + n;
				return 0;
			}
		}
	}
	return -ENOENT;
}

static bool is_msr(uint64_t id)
{
	return id >= AXVCPU_X86_REG_MSR(0) && id <= AXVCPU_X86_REG_MSR(UINT32_MAX);
}

static int msr_id(const char *number, uint64_t *id)
{
	unsigned long long n;
	char *end;

	/* strtoull() would take a sign and spaces too. */
	if (!isdigit((unsigned char)number[0]))
		return -ENOENT;
	n = strtoull(number, &end, 0);
	if (*end || n > UINT32_MAX)
		return -ENOENT;
	*id = AXVCPU_X86_REG_MSR(n);
	return 0;
}

int axvcpu_x86_reg_id(const char *name, uint64_t *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		if (!strcasecmp(name, regs[i].name)) {
			*id = regs[i].id;
			return 0;
		}
	}
	if (!strncasecmp(name, msr_prefix, strlen(msr_prefix)))
		return msr_id(name + strlen(msr_prefix), id);
	if (!strncasecmp(name, "cpuid", strlen("cpuid")))
		return cpuid_id(name, id);
	if (!family_reg_id(families, ARRAY_SIZE(families), name, id))
		return 0;
	return segment_id(name, id);
}

int axvcpu_x86_reg_name(uint64_t id, char *buf, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		if (regs[i].id == id)
			return snprintf(buf, len, "%s", regs[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(segment_parts); i++) {
		uint64_t n = id - segment_parts[i].id;

		if (n < ARRAY_SIZE(segments))
			return snprintf(buf, len, "%s.%s", segments[n], segment_parts[i].name);
	}
	if (is_msr(id))
		return snprintf(buf, len, "%s0x%x", msr_prefix, (uint32_t)id);
	if (is_cpuid(id))
		return cpuid_name(id, buf, len);
	return family_reg_name(families, ARRAY_SIZE(families), id, buf, len);
}

void x86_reg_names(name_fn fn, void *data)
{
	char name[REG_NAME_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		fn(regs[i].name, data);
	for (size_t n = 0; n < ARRAY_SIZE(segments); n++) {
		for (size_t i = 0; i < ARRAY_SIZE(segment_parts); i++) {
			snprintf(name, sizeof(name), "%s.%s", segments[n], segment_parts[i].name);
			fn(name, data);
		}
	}
	family_names(families, ARRAY_SIZE(families), fn, data);
}
