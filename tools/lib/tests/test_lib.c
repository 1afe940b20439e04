// SPDX-License-Identifier: GPL-2.0-only
/* What libaxvcpu does without a device: names, texts, page tables, errors. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "tap.h"

#define PAGE_SIZE	4096ULL
#define ADDR_MASK	0x000ffffffffff000ULL

/* --- names ------------------------------------------------------------------ */

static void test_names(void)
{
	is(axvcpu_state_name(AXVCPU_STATE_INVALID), "Invalid", "first state");
	is(axvcpu_state_name(AXVCPU_STATE_BLOCKED), "Blocked", "last state");
	is(axvcpu_state_name(AXVCPU_STATE_BLOCKED + 1), "?", "no state");
	is(axvcpu_op_name(AXVCPU_OP_GET_REGS), "GET_REGS", "last operation");
	is(axvcpu_op_name(UINT32_MAX), "?", "no operation");
	is(axvcpu_exit_name(AXVCPU_EXIT_UNKNOWN), "UNKNOWN", "first exit");
	is(axvcpu_exit_name(AXVCPU_EXIT_TASK_SWITCH), "TASK_SWITCH", "last exit");
	is(axvcpu_exit_name(AXVCPU_EXIT_TASK_SWITCH + 1), "?", "no exit");
	is(axvcpu_class_name(AXVCPU_CLASS_INSTRUCTION), "INSTRUCTION", "last class");
	is(axvcpu_class_name(AXVCPU_CLASS_INSTRUCTION + 1), "?", "no class");
	is(axvcpu_backend_name(0), "?", "backend 0 is none");
	is(axvcpu_backend_name(AXVCPU_BACKEND_VMX), "VMX", "VMX");
	is(axvcpu_vmx_error_text(7), "VM entry with control fields that can't be", "VMX error 7");
	is(axvcpu_vmx_error_text(14), "?", "VMX error 14 is none");
	is(axvcpu_vmx_error_text(UINT64_MAX), "?", "no VMX error");
	is(axvcpu_vmx_reason_name(0x80000021), "invalid guest state", "failed entry's reason");
	is(axvcpu_vmx_reason_name(55), "XSETBV", "reason 55");
	is(axvcpu_vmx_reason_name(0xffff), "?", "no reason");
	is(axvcpu_arm64_class_name(0xffffffff56000000), "SVC", "class by bits 31:26 alone");
	is(axvcpu_arm64_class_name(0x3cU << 26), "BRK", "last class");
	is(axvcpu_arm64_class_name(0x3fU << 26), "?", "no class");
}

/* --- registers -------------------------------------------------------------- */

static const struct {
	const char *name;
	uint64_t id;
} regs[] = {
	{ "rax", AXVCPU_X86_REG_GPR(AXVCPU_X86_RAX) },
	{ "r15", AXVCPU_X86_REG_GPR(AXVCPU_X86_R15) },
	{ "rip", AXVCPU_X86_REG_RIP },
	{ "rflags", AXVCPU_X86_REG_RFLAGS },
	{ "cr0", AXVCPU_X86_REG_CR0 },
	{ "cr4", AXVCPU_X86_REG_CR4 },
	{ "es.selector", AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_ES) },
	{ "cs.base", AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_CS) },
	{ "ldtr.limit", AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_LDTR) },
	{ "tr.access", AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_TR) },
	{ "idtr.limit", AXVCPU_X86_REG_IDTR_LIMIT },
	{ "efer", AXVCPU_X86_REG_MSR(0xc0000080) },
	{ "msr.0x1b", AXVCPU_X86_REG_MSR(0x1b) },
	{ "msr.0xffffffff", AXVCPU_X86_REG_MSR(0xffffffff) },
	{ "pdpte3", AXVCPU_X86_REG_PDPTE(3) },
	{ "queued_irqs.3", AXVCPU_X86_REG_QUEUED_IRQS(3) },
	{ "queued_nmi", AXVCPU_X86_REG_QUEUED_NMI },
	{ "exception_exits", AXVCPU_X86_REG_EXCEPTION_EXITS },
	{ "fxsave.51", AXVCPU_X86_REG_FXSAVE(51) },
	{ "ymm_high.31", AXVCPU_X86_REG_YMM_HIGH(31) },
	{ "k7", AXVCPU_X86_REG_OPMASK(7) },
	{ "zmm_high.63", AXVCPU_X86_REG_ZMM_HIGH(63) },
	{ "hi16_zmm.127", AXVCPU_X86_REG_HI16_ZMM(127) },
	{ "cpuid.0x1.0x0.eax_ebx", AXVCPU_X86_REG_CPUID(1, 0, 0) },
	{ "cpuid_max.0x80000008.0xffff.ecx_edx", AXVCPU_X86_REG_CPUID_MAX(0x80000008, 0xffff, 1) },
};

static const char * const no_regs[] = {
	"", "ra", "raxx", "r16", "cr1", "cs", "cs.", ".base", "xs.base", "cs.bas", "cs.base.", "c.base",
	"k8", "k", "fxsave.52", "fxsave.01", "cpuid", "cpuid.", "cpuid.0x1", "cpuid.0x1.0x0.ebx",
	"cpuid.0x1.0x10000.eax_ebx", "cpuid.1.0.eax_ebx",
	"msr.", "msr.x", "msr.-1", "msr. 1", "msr.0x100000000", "msr.0x10 ",
};

static void test_regs(void)
{
	uint64_t id;
	char name[48];

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		id = 0;
		ok(!axvcpu_x86_reg_id(regs[i].name, &id) && id == regs[i].id, "id of %s",
		   regs[i].name);
		ok(axvcpu_x86_reg_name(regs[i].id, name, sizeof(name)) > 0 &&
		   !strcmp(name, regs[i].name), "name of %s", regs[i].name);
	}
	ok(!axvcpu_x86_reg_id("CS.Base", &id) &&
	   id == AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_CS), "upper case");
	ok(!axvcpu_x86_reg_id("msr.16", &id) && id == AXVCPU_X86_REG_MSR(16), "decimal MSR");
	for (size_t i = 0; i < ARRAY_SIZE(no_regs); i++)
		ok(axvcpu_x86_reg_id(no_regs[i], &id) == -ENOENT, "no register '%s'", no_regs[i]);
	ok(axvcpu_x86_reg_name(0, name, sizeof(name)) == -ENOENT, "no register 0");
	ok(axvcpu_x86_reg_name(AXVCPU_X86_REG_SEG_BASE(8), name, sizeof(name)) == -ENOENT,
	   "no base of segment 8");
	ok(axvcpu_x86_reg_name(AXVCPU_X86_REG_MSR(1ULL << 32), name, sizeof(name)) == -ENOENT,
	   "no MSR above 32 bits");
	ok(axvcpu_x86_reg_name(AXVCPU_X86_REG_RFLAGS, name, 4) == 6 && !strcmp(name, "rfl"),
	   "a name is cut as snprintf() does");
}

/* --- registers of arm64 ----------------------------------------------------- */

static const struct {
	const char *name;
	uint64_t id;
} arm64_regs[] = {
	{ "x0", AXVCPU_ARM64_REG_X(0) },
	{ "x30", AXVCPU_ARM64_REG_X(30) },
	{ "sp", AXVCPU_ARM64_REG_SP },
	{ "pc", AXVCPU_ARM64_REG_PC },
	{ "pstate", AXVCPU_ARM64_REG_PSTATE },
	{ "v0.low", AXVCPU_ARM64_REG_V_LOW(0) },
	{ "v31.high", AXVCPU_ARM64_REG_V_HIGH(31) },
	{ "fpsr", AXVCPU_ARM64_REG_FPSR },
	{ "cntvoff", AXVCPU_ARM64_REG_CNTVOFF },
	{ "serror", AXVCPU_ARM64_REG_SERROR },
	{ "gic.ap0r3", AXVCPU_ARM64_REG_GIC_AP0R(3) },
	{ "gic.ap1r0", AXVCPU_ARM64_REG_GIC_AP1R(0) },
	{ "gic.lr15", AXVCPU_ARM64_REG_GIC_LR(15) },
	{ "gic.queued1019", AXVCPU_ARM64_REG_GIC_QUEUED(1019) },
	{ "vbar_el1", AXVCPU_ARM64_REG_SYS(3, 0, 12, 0, 0) },
	{ "cntv_cval_el0", AXVCPU_ARM64_REG_SYS(3, 3, 14, 3, 2) },
	{ "s3_0_c0_c7_7", AXVCPU_ARM64_REG_SYS(3, 0, 0, 7, 7) },
	{ "s2_7_c15_c15_7", AXVCPU_ARM64_REG_SYS(2, 7, 15, 15, 7) },
};

static const char * const no_arm64_regs[] = {
	"", "x", "x31", "x01", "x-1", "x 1", "x4294967296", "x1.low", "v0", "v32.low", "v0.lo",
	"gic.lr16", "gic.queued1020", "rax", "s3_0_c0_c7", "s3_0_c0_c7_8", "s4_0_c0_c7_7",
	"s3_8_c0_c7_7", "s3_0_c16_c7_7", "s3_0_0_7_7", "s3_0_c0_c7_7_", "s3_0_c0_c07_7",
	"s3_0_c0_c 7_7", "s3_0_c0_c4294967296_7",
};

static void test_arm64_regs(void)
{
	char name[32];
	uint64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(arm64_regs); i++) {
		id = 0;
		ok(!axvcpu_arm64_reg_id(arm64_regs[i].name, &id) && id == arm64_regs[i].id,
		   "id of %s", arm64_regs[i].name);
		ok(axvcpu_arm64_reg_name(arm64_regs[i].id, name, sizeof(name)) > 0 &&
		   !strcmp(name, arm64_regs[i].name), "name of %s", arm64_regs[i].name);
	}
	ok(!axvcpu_arm64_reg_id("TTBR0_EL1", &id) && id == AXVCPU_ARM64_REG_SYS(3, 0, 2, 0, 0),
	   "upper case, by name");
	ok(!axvcpu_arm64_reg_id("S3_0_C2_C0_0", &id) && id == AXVCPU_ARM64_REG_SYS(3, 0, 2, 0, 0),
	   "upper case, by number");
	for (size_t i = 0; i < ARRAY_SIZE(no_arm64_regs); i++)
		ok(axvcpu_arm64_reg_id(no_arm64_regs[i], &id) == -ENOENT,
		   "no register '%s' of arm64", no_arm64_regs[i]);
	ok(axvcpu_arm64_reg_name(0, name, sizeof(name)) == -ENOENT, "no register 0 of arm64");
	ok(axvcpu_arm64_reg_name(AXVCPU_ARM64_REG_V_LOW(33), name, sizeof(name)) == -ENOENT,
	   "nothing behind the last V register");
	ok(axvcpu_arm64_reg_name(AXVCPU_ARM64_REG_GIC_LR(16), name, sizeof(name)) == -ENOENT,
	   "no list register 16");
}

static void test_names_by_backend(void)
{
	struct axvcpu_vcpu vcpu = { .fd = -1, .backend = AXVCPU_BACKEND_VMX };
	uint64_t value;

	ok(axvcpu_vcpu_get_reg_by_name(&vcpu, "rax", &value) == -EBADF &&
	   axvcpu_vcpu_get_reg_by_name(&vcpu, "x0", &value) == -ENOENT, "a vCPU of x86");
	vcpu.backend = AXVCPU_BACKEND_VHE;
	ok(axvcpu_vcpu_set_reg_by_name(&vcpu, "x0", 0) == -EBADF &&
	   axvcpu_vcpu_set_reg_by_name(&vcpu, "rax", 0) == -ENOENT, "a vCPU of arm64");
	vcpu.backend = UINT32_MAX;
	ok(axvcpu_vcpu_get_reg_by_name(&vcpu, "x0", &value) == -ENOENT, "a vCPU of a later kernel");
}

/* A wrong name, and what is said of it */
static const struct {
	uint32_t backend;
	const char *name;
	const char *text;
} wrong_names[] = {
	{ AXVCPU_BACKEND_VMX, "eax", "no register is called 'eax'; did you mean 'rax'? (ENOENT)" },
	{ AXVCPU_BACKEND_VMX, "EFLAGS", "'EFLAGS'; did you mean 'rflags'?" },
	{ AXVCPU_BACKEND_VMX, "cs", "'cs'; did you mean 'cs.selector'?" },
	{ AXVCPU_BACKEND_VMX, "ss.limits", "'ss.limits'; did you mean 'ss.limit'?" },
	{ AXVCPU_BACKEND_VMX, "kernelgs_base", "did you mean 'kernel_gs_base'?" },
	{ AXVCPU_BACKEND_VMX, "ttbr0_el1", "'ttbr0_el1'; axvcpu_x86_reg_id() in libaxvcpu.h" },
	{ AXVCPU_BACKEND_VMX, "", "''; axvcpu_x86_reg_id() in libaxvcpu.h lists the names (" },
	{ AXVCPU_BACKEND_VMX, "r", "'r'; axvcpu_x86_reg_id()" },
	{ AXVCPU_BACKEND_VMX, "a-name-that-is-longer-than-that-of-any-register-there-is",
	  "'a-name-that-is-longer-than-that-of-any-register'; axvcpu_x86_reg_id()" },
	{ AXVCPU_BACKEND_VHE, "ttbr0", "did you mean 'ttbr0_el1'?" },
	{ AXVCPU_BACKEND_VHE, "x31", "'x31'; did you mean 'x1'?" },
	{ AXVCPU_BACKEND_VHE, "v31.hi", "did you mean 'v31.high'?" },
	{ AXVCPU_BACKEND_VHE, "rax", "'rax'; axvcpu_arm64_reg_id() in libaxvcpu.h" },
	{ AXVCPU_BACKEND_MOCK, "r0", "'r0': this backend's registers have no names" },
	{ UINT32_MAX, "r0", "'r0': this backend's registers have no names" },
};

static void test_wrong_names(void)
{
	struct axvcpu_vcpu vcpu = { .fd = -1 };
	const char *text;
	uint64_t value;
	bool right;

	for (size_t i = 0; i < ARRAY_SIZE(wrong_names); i++) {
		vcpu.backend = wrong_names[i].backend;
		right = axvcpu_vcpu_get_reg_by_name(&vcpu, wrong_names[i].name, &value) == -ENOENT;
		text = axvcpu_error_text();
		right = right && strstr(text, wrong_names[i].text) &&
			!strncmp(text, "looking up a register: ", 23);
		ok(right, "a wrong name: %s", wrong_names[i].name);
		if (!right)
			printf("#  got: %s\n# want: %s\n", text, wrong_names[i].text);
	}
}

/* --- page tables ------------------------------------------------------------ */

/* Walk as the processor does, every table within the buffer; ~0: no mapping. */
static uint64_t walk(const uint8_t *mem, uint64_t gpa, size_t size, uint64_t addr)
{
	uint64_t table = gpa, entry;

	for (int shift = 39;; shift -= 9) {
		if (table < gpa || table - gpa > size - PAGE_SIZE)
			return UINT64_MAX;
		memcpy(&entry, mem + (table - gpa) + (addr >> shift & 511) * 8, 8);
		if ((entry & 3) != 3)
			return UINT64_MAX;
		if (shift == 21)
			return entry & 1 << 7 ? (entry & ADDR_MASK) | (addr & ((1 << 21) - 1)) :
				UINT64_MAX;
		table = entry & ADDR_MASK;
	}
}

static void test_map(uint64_t limit, uint64_t gpa)
{
	uint64_t last = (limit + (1 << 21) - 1) & ~((1ULL << 21) - 1);
	size_t size = axvcpu_x86_identity_map_size(limit);
	uint64_t step = limit / 1000 + 4096;
	uint8_t *mem = malloc(size + 1);
	bool right = true;

	mem[size] = 0x5a;
	ok(axvcpu_x86_identity_map(mem, gpa, size - 1, limit) == -ENOSPC, "map of 0x%llx: too small",
	   (unsigned long long)limit);
	ok(!axvcpu_x86_identity_map(mem, gpa, size, limit), "map of 0x%llx",
	   (unsigned long long)limit);
	for (uint64_t addr = 0; addr < limit; addr += step)
		right = right && walk(mem, gpa, size, addr) == addr;
	right = right && walk(mem, gpa, size, limit - 1) == limit - 1;
	right = right && walk(mem, gpa, size, last) == UINT64_MAX;
	ok(right && mem[size] == 0x5a, "map of 0x%llx is the identity, and ends",
	   (unsigned long long)limit);
	free(mem);
}

static void test_identity_map(void)
{
	uint64_t page[512 * 3];

	ok(axvcpu_x86_identity_map_size(0) == 0, "no map of nothing");
	ok(axvcpu_x86_identity_map_size((1ULL << 47) + 1) == 0, "no map above 2^47");
	ok(axvcpu_x86_identity_map_size(1) == 3 * PAGE_SIZE, "smallest map");
	ok(axvcpu_x86_identity_map_size(1ULL << 32) == 6 * PAGE_SIZE, "map of 4 GiB");
	ok(axvcpu_x86_identity_map(page, 8, sizeof(page), 1) == -EINVAL, "address not aligned");
	ok(axvcpu_x86_identity_map(page, 0, sizeof(page), 0) == -EINVAL, "limit 0");
	test_map(1, 0);
	test_map(1ULL << 21, 0x1000);
	test_map(1ULL << 32, 0x7fff000);
	test_map((1ULL << 39) + 1, 1ULL << 40);
}

/* --- texts ------------------------------------------------------------------ */

static const char *text_of(enum call call, int error)
{
	failed(call, error);
	return axvcpu_error_text();
}

static void test_error_text(void)
{
	const char *text;
	char own[64];

	text = text_of(CALL_OPEN, -ENOENT);
	ok(strstr(text, "modprobe axvcpu") && strstr(text, "(ENOENT)"), "no device");
	text = text_of(CALL_OPEN, -EACCES);
	ok(strstr(text, "permission") && strstr(text, "axvcpu(4)") && strstr(text, "(EACCES)"),
	   "no permission");
	ok(strstr(text_of(CALL_OPEN, -EPERM), "container"), "the device is kept from a container");
	text = text_of(CALL_CREATE_VCPU, -EBUSY);
	ok(strstr(text, "another hypervisor") && strstr(text, "(EBUSY)"), "held by another");
	ok(strstr(text_of(CALL_RUN, -EBUSY), "another thread"),
	   "the same number means something else in RUN");
	text = text_of(CALL_MAP, -EINVAL);
	ok(strstr(text, "MAP: ") == text && strstr(text, "flags"), "MAP's flags");
	snprintf(own, sizeof(own), "RUN: %s (ENOMEM)", strerror(ENOMEM));
	is(text_of(CALL_RUN, -ENOMEM), own, "an errno without a meaning of its own");
	ok(strstr(text_of(CALL_RUN, -4095), "(error 4095)"), "no errno");

	no_handler(AXVCPU_EXIT_HALT);
	handler_failed(-EOPNOTSUPP);
	is(axvcpu_error_text(), "there is no handler for the exit HALT", "an exit without a handler");
	failed(CALL_MAP, -EEXIST);
	handler_failed(-EEXIST);
	ok(strstr(axvcpu_error_text(), "MAP: ") == axvcpu_error_text(),
	   "a handler that hands on an error");
	handler_failed(-EPROTO);
	is(axvcpu_error_text(), "a handler of the VMM's: Protocol error (EPROTO)",
	   "a handler's own error");
}

static void test_why(void)
{
	struct axvcpu_map map = { .flags = AXVCPU_MAP_ALL };
	uint64_t page = sysconf(_SC_PAGESIZE);

	is(why_no_map(&map), "the size is 0", "MAP of nothing");
	map.size = page - 1;
	is(why_no_map(&map), "the size is no multiple of the page size", "MAP of less than a page");
	map.uaddr = 1;
	is(why_no_map(&map), "the memory's address is no multiple of the page size",
	   "MAP of memory amid a page");
	map.gpa = 1;
	is(why_no_map(&map), "the guest-physical address is no multiple of the page size",
	   "MAP amid a page");
	map.flags = ~0U;
	is(why_no_map(&map), "there is no such flag", "MAP's flags");
	map = (struct axvcpu_map){ .size = page, .gpa = -page, .flags = AXVCPU_MAP_READ };
	ok(strstr(why_no_map(&map), "gpa_bits"), "MAP beyond the end");
	map.flags = AXVCPU_MAP_WRITE;
	ok(strstr(why_no_map(&map), "AXVCPU_MAP_READ"), "MAP without READ");

	failed(CALL_MAP, -EINVAL);
	because(-EINVAL, "a reason");
	is(axvcpu_error_text(), "MAP: a reason (EINVAL)", "an error with a reason");
	ok(!strstr(text_of(CALL_MAP, -EINVAL), "a reason"), "the next error without it");
}

static void test_why_no_event(void)
{
	static const struct {
		uint32_t backend;
		struct axvcpu_inject event;
		const char *word;
	} tries[] = {
		{ AXVCPU_BACKEND_VMX, { .type = 3 }, "type" },
		{ AXVCPU_BACKEND_VHE, { .flags = 4 }, "flag" },
		{ AXVCPU_BACKEND_VMX, { .vector = 256 }, "255" },
		{ AXVCPU_BACKEND_VMX, { .priority = 1 }, "priority" },
		{ AXVCPU_BACKEND_VMX, { .error_code = 1 }, "only an exception" },
		{ AXVCPU_BACKEND_VMX, { .type = 2, .vector = 2 }, "NMI has no vector" },
		{ AXVCPU_BACKEND_VMX, { .type = 1, .vector = 2 }, "AXVCPU_EVENT_NMI" },
		{ AXVCPU_BACKEND_VMX, { .type = 1, .vector = 15 }, "no exception" },
		{ AXVCPU_BACKEND_VMX, { .type = 1, .vector = 21 }, "no exception" },
		{ AXVCPU_BACKEND_VMX, { .type = 1, .vector = 13 }, "has an error code" },
		{ AXVCPU_BACKEND_VMX, { .type = 1, .vector = 6, .flags = 1 }, "no error code" },
		{ AXVCPU_BACKEND_VMX,
		  { .type = 1, .vector = 13, .error_code = 0x8000, .flags = 1 },
		  "AXVCPU_X86_ERROR_CODE_MASK" },
		{ AXVCPU_BACKEND_VHE, { .type = 2 }, "no NMI" },
		{ AXVCPU_BACKEND_VHE, { .vector = 1020 }, "1019" },
		{ AXVCPU_BACKEND_VHE, { .priority = 1 }, "AXVCPU_INJECT_PRIORITY" },
		{ AXVCPU_BACKEND_VHE, { .error_code = 1 }, "no error code" },
		{ AXVCPU_BACKEND_VHE, { .vector = 0x10000, .flags = 2 }, "line" },
		{ AXVCPU_BACKEND_VHE, { .type = 1, .vector = 0x40 }, "0x3f" },
		{ AXVCPU_BACKEND_VHE, { .type = 1, .priority = 1 }, "priority" },
		{ AXVCPU_BACKEND_VHE, { .type = 1, .error_code = 1 }, "ESR_EL1.ISS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		const char *why = why_no_event(tries[i].backend, &tries[i].event);

		ok(strstr(why, tries[i].word), "why INJECT refused it: %s", why);
	}
}

static void test_why_no_setup(void)
{
	static const struct {
		uint32_t backend;
		struct axvcpu_setup setup;
		const char *word;
	} tries[] = {
		{ AXVCPU_BACKEND_VMX, { .flags = 1U << 31 }, "flag" },
		{ AXVCPU_BACKEND_VHE, { .raw_root = 4096 }, "raw root" },
		{ AXVCPU_BACKEND_VHE, { .entry = 2 }, "multiple of 4" },
		{ AXVCPU_BACKEND_VMX, { .entry = 1 << 20 }, "first MiB" },
		{ AXVCPU_BACKEND_VMX, { .config.x86.cr3 = 4096 }, "without paging" },
		{ AXVCPU_BACKEND_VMX, { .config.x86.mode = 99 }, "mode" },
		{ AXVCPU_BACKEND_VMX, { .entry = 1ULL << 32,
		  .config.x86.mode = AXVCPU_X86_MODE_PROTECTED }, "4 GiB" },
		{ AXVCPU_BACKEND_VMX, { .config.x86 = { .mode = AXVCPU_X86_MODE_LONG, .cr3 = 8 } },
		  "multiple of 4096" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		const char *why = why_no_setup(tries[i].backend, &tries[i].setup);

		ok(strstr(why, tries[i].word), "why SETUP refused it: %s", why);
	}
}

static void test_failures(void)
{
	struct axvcpu_failure f = {
		.seq = 1,
		.op = AXVCPU_OP_BIND,
		.expected = AXVCPU_STATE_FREE,
		.actual = AXVCPU_STATE_CREATED,
		.error = -EBADFD,
	};
	struct axvcpu_vcpu vmx = { .backend = AXVCPU_BACKEND_VMX };
	struct axvcpu_vcpu mock = { .backend = AXVCPU_BACKEND_MOCK };
	char text[256];

	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "BIND needs Free, the vCPU was Created (EBADFD)", "wrong state");

	f.op = AXVCPU_OP_SETUP;
	f.error = -EINVAL;
	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "SETUP of a vCPU that was Created: the entry is out of reach, or the "
	   "configuration has a value that can't be (EINVAL)", "refused by the backend");

	f.op = AXVCPU_OP_RUN;
	f.actual = AXVCPU_STATE_READY;
	f.error = -EIO;
	f.arch_code = 7;
	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "RUN of a vCPU that was Ready: the hardware failed the operation (EIO): "
	   "VM-instruction error 7, VM entry with control fields that can't be", "VMX's word");
	axvcpu_vcpu_failure_text(&mock, &f, text, sizeof(text));
	is(text, "RUN of a vCPU that was Ready: the hardware failed the operation (EIO): code 0x7",
	   "another backend's word");

	f.error = -ENOMEM;
	f.arch_code = 0;
	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "RUN of a vCPU that was Ready: the kernel has no memory left (ENOMEM)", "memory");

	f.op = AXVCPU_OP_SET_REGS;
	f.error = -EINVAL;
	f.reg = AXVCPU_X86_REG_CR4;
	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "SET_REGS, register 0x20004 (cr4): there is no such register, or it can't have "
	   "this value (EINVAL)", "a refused register");
	f.op = AXVCPU_OP_GET_REGS;
	f.reg = 5;
	axvcpu_vcpu_failure_text(&mock, &f, text, sizeof(text));
	is(text, "GET_REGS, register 0x5 (?): there is no such register (EINVAL)",
	   "a register without a name");

	f.op = f.expected = f.actual = UINT32_MAX;
	f.error = -EBADFD;
	axvcpu_vcpu_failure_text(&vmx, &f, text, sizeof(text));
	is(text, "? needs ?, the vCPU was ? (EBADFD)", "numbers of a later kernel");
}

/* A vCPU of a backend's, with this run page */
static const struct axvcpu_vcpu *vcpu_with(struct axvcpu_run *run, uint32_t backend)
{
	static struct axvcpu_vcpu vcpu;

	vcpu.run = run;
	vcpu.backend = backend;
	return &vcpu;
}

static void test_exits(void)
{
	struct axvcpu_run run = { .exit_reason = AXVCPU_EXIT_IO_WRITE };
	char text[256];

	run.io.port = 0x3f8;
	run.io.width = 1;
	run.io.data = 'A';
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "IO_WRITE port=0x3f8 width=1 data=0x41 'A'", "OUT");

	memset(&run, 0, sizeof(run));
	run.exit_reason = AXVCPU_EXIT_NESTED_PAGE_FAULT;
	run.fault.gpa = 0xfee00000;
	run.fault.access = AXVCPU_MAP_READ | AXVCPU_MAP_WRITE;
	run.fault.gva = 0x1000;
	run.fault.flags = AXVCPU_FAULT_GVA_VALID | AXVCPU_FAULT_WALK;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "NESTED_PAGE_FAULT gpa=0xfee00000 access=rw gva=0x1000 page-walk", "fault");

	memset(&run, 0, sizeof(run));
	run.exit_reason = AXVCPU_EXIT_FAIL_ENTRY;
	run.fail_entry.hw_reason = 0x80000021;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "FAIL_ENTRY hw_reason=0x80000021 hw_error=0 qualification=0x0 cpu=0 "
	   "(invalid guest state)", "failed entry");
	run.fail_entry.hw_error = 7;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	ok(strstr(text, "(VM entry with control fields that can't be)"), "failed instruction");

	memset(&run, 0, sizeof(run));
	run.exit_reason = AXVCPU_EXIT_UNKNOWN;
	run.unknown.hw_reason = 55;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "UNKNOWN hw_reason=0x37 qualification=0x0 (XSETBV)", "unknown on VMX");
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_MOCK), text, sizeof(text));
	is(text, "UNKNOWN hw_reason=0x37 qualification=0x0", "unknown elsewhere");

	run.unknown.hw_reason = 0xf2000042;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VHE), text, sizeof(text));
	is(text, "UNKNOWN hw_reason=0xf2000042 qualification=0x0 (BRK)", "unknown on VHE");

	run.exit_reason = AXVCPU_EXIT_SYSREG_READ;
	run.sysreg.addr = AXVCPU_ARM64_SYSREG(3ULL, 3, 14, 2, 1);
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VHE), text, sizeof(text));
	is(text, "SYSREG_READ addr=0x32f804 (s3_3_c14_c2_1)", "a system register of arm64");

	run.exit_reason = AXVCPU_EXIT_FAIL_ENTRY;
	run.fail_entry.hw_reason = 0xe;
	run.fail_entry.hw_error = 0;
	run.fail_entry.qualification = 0;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VHE), text, sizeof(text));
	is(text, "FAIL_ENTRY hw_reason=0xe hw_error=0 qualification=0x0 cpu=0 "
	   "(illegal execution state)", "failed entry on VHE");

	run.exit_reason = UINT32_MAX;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "? (4294967295)", "an exit of a later kernel");

	run.exit_reason = AXVCPU_EXIT_HALT;
	axvcpu_vcpu_exit_text(vcpu_with(&run, AXVCPU_BACKEND_VMX), text, sizeof(text));
	is(text, "HALT", "an exit without fields");
}

/* --- errors ----------------------------------------------------------------- */

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_open(void)
{
	struct axvcpu_device *dev = NULL;
	int before = count_fds();

	ok(axvcpu_device_open("/nonexistent/axvcpu", &dev) == -ENOENT && !dev, "no such file");
	ok(axvcpu_device_open("/dev/null", &dev) == -ENOTTY && !dev, "another device");
	ok(count_fds() == before, "failures leave no descriptor");
	axvcpu_device_close(NULL);
	axvcpu_aspace_close(NULL);
	axvcpu_vcpu_close(NULL);
	ok(true, "closing nothing is fine");
}

/* A vCPU whose descriptor is closed: each RUN fails. */
static int never(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	(void)run;
	*(int *)data += 1;
	return 1;
}

static void test_dead_vcpu(void)
{
	struct axvcpu_handlers handlers = { .before = never, .interrupted = never, .other = never };
	struct axvcpu_run page = { 0 };
	struct axvcpu_vcpu vcpu = { .fd = -1, .run = &page };
	int calls = 0;

	ok(axvcpu_vcpu_loop(&vcpu, 0, &handlers, &calls) == -EBADF && !calls,
	   "the loop ends with RUN's error");
	is(axvcpu_error_text(), "RUN: Bad file descriptor (EBADF)",
	   "text without a state to ask for");
	errno = 77;
	ok(axvcpu_vcpu_kick(&vcpu) == -EBADF && errno == 77, "a kick leaves errno alone");
}

/* --- time ------------------------------------------------------------------- */

/* What Linux makes of leaf 0x15, in its 32 bits; parts in a billion that it is off. */
static uint64_t ratio_error(uint64_t tsc_hz, uint32_t apic_hz)
{
	uint32_t leaf[4] = { 0, 0, 0, 1 }, khz;
	uint64_t hz;

	tsc_ratio(tsc_hz, apic_hz, leaf);
	if (!leaf[0] || !leaf[1] || leaf[2] != apic_hz || leaf[3])
		return UINT64_MAX;
	khz = apic_hz / 1000 * leaf[1] / leaf[0];
	hz = khz * 1000ULL;
	return (hz > tsc_hz ? hz - tsc_hz : tsc_hz - hz) * 1000000000 / tsc_hz;
}

static void test_tsc_ratio(void)
{
	static const struct {
		uint64_t tsc_hz;
		uint32_t apic_hz;
		uint64_t error;
	} rows[] = {
		{ 3000000000, 25000000, 0 },
		{ 2400000000, 1000000000, 0 },
		{ 2593905000, 24000000, 0 },
		{ 2593905000, 25000000, 400 },		/* a kHz */
		{ 3000300000, 25000000, 0 },
		{ 2999998000, 24000000, 6000 },
		{ 3000300000, 1000000000, 233000 },
		{ 5000003000, 38400000, 0 },
		{ 50000000, 1000000000, 0 },
		{ 4294967295000, 4294967295, 1000 },
		{ 2593905000, 1000, 0 },
		{ 1000, 1000, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ok(ratio_error(rows[i].tsc_hz, rows[i].apic_hz) <= rows[i].error,
		   "ratio %llu to %u", (unsigned long long)rows[i].tsc_hz, rows[i].apic_hz);
}

/* A clock where a guest has it, and what it has behind it */
struct guest_clock {
	uint32_t version;
	uint32_t pad;
	uint64_t tsc;
	uint64_t ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t pad2[2];
	uint32_t behind;
};

/* What a guest reads on it */
static uint64_t read_clock(const struct guest_clock *clock, uint64_t tsc)
{
	uint64_t ticks = tsc - clock->tsc;

	ticks = clock->shift < 0 ? ticks >> -clock->shift : ticks << clock->shift;
	return clock->ns + (ticks >> 32) * clock->mul + ((ticks & UINT32_MAX) * clock->mul >> 32);
}

static void test_clock_rates(void)
{
	static const uint64_t rates[] = {
		1, 1000, 19200000, 999999999, 1000000000, 1000000001, 1999999999, 2000000000,
		2000000001, 2593905000, 2999998000, 4294967296, 10000000000, 4294967295000,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct axvcpu_x86_clock clock = { rates[i], 5000, 7000, false };
		struct guest_clock got = { .behind = 0x1234 };
		uint64_t day = rates[i] * 86400, ns, error;

		ok(!axvcpu_x86_write_kvm_clock(&got, &clock) && got.mul >= 1U << 31 &&
		   got.behind == 0x1234, "clock of %llu Hz", (unsigned long long)rates[i]);
		ns = read_clock(&got, 5000 + day) - 7000;
		error = ns > 86400000000000 ? ns - 86400000000000 : 86400000000000 - ns;
		ok(error <= 86400 * 2, "%llu Hz: after a day %llu ns off",
		   (unsigned long long)rates[i], (unsigned long long)error);
	}
}

static void test_clock(void)
{
	struct axvcpu_x86_clock clock = { 2000000000, 1ULL << 60, 42, true };
	struct guest_clock got = { .version = 8, .pad = 1, .flags = 0xff, .pad2 = { 1, 1 } };
	uint32_t wall[4] = { 3, 0, 0, 0x1234 };

	ok(!axvcpu_x86_write_kvm_clock(&got, &clock) && got.version == 10 && !got.pad &&
	   got.tsc == 1ULL << 60 && got.ns == 42 && got.flags == 1 && !got.pad2[0],
	   "fields, and a version that is even again");
	ok(read_clock(&got, clock.tsc) == 42 && read_clock(&got, clock.tsc + 2000) == 1042,
	   "it goes on from there");
	got.version = 7;
	clock.stable = false;
	ok(!axvcpu_x86_write_kvm_clock(&got, &clock) && got.version == 10 && !got.flags,
	   "a first version that is odd");
	got.version = UINT32_MAX;
	ok(!axvcpu_x86_write_kvm_clock(&got, &clock) && got.version == 2, "versions begin again");
	clock.tsc_hz = 0;
	ok(axvcpu_x86_write_kvm_clock(&got, &clock) == -EINVAL && got.version == 2,
	   "no frequency");
	is(axvcpu_error_text(), "writing a clock: the TSC's frequency can't be 0 (EINVAL)",
	   "and its text");
	axvcpu_x86_write_kvm_wall_clock(wall, 1700000000123456789);
	ok(wall[0] == 6 && wall[1] == 1700000000 && wall[2] == 123456789 && wall[3] == 0x1234,
	   "wall clock");
}

int main(void)
{
	is(axvcpu_error_text(), "", "nothing has failed");
	test_names();
	test_regs();
	test_arm64_regs();
	test_names_by_backend();
	test_wrong_names();
	test_identity_map();
	test_error_text();
	test_why();
	test_why_no_event();
	test_why_no_setup();
	test_failures();
	test_exits();
	test_tsc_ratio();
	test_clock_rates();
	test_clock();
	test_open();
	test_dead_vcpu();
	return tap_finish();
}
