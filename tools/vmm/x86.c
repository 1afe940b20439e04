// SPDX-License-Identifier: GPL-2.0-only
/* An x86 guest: how it starts, and axvmm's answers to its exits. */
#include <errno.h>
#include <string.h>

#include "array_size.h"
#include "exit_codes.h"
#include "machine.h"
#include "report.h"

#define PAGE_SIZE		4096ULL
#define REAL_LIMIT		(1ULL << 20)
#define PROTECTED_LIMIT		(1ULL << 32)
#define REAL_LOAD		0x7c00
#define DEFAULT_LOAD		0x100000
#define IDENTITY_MAP_MIN	(1ULL << 32)

/* The ports that there are. All others read as ones, writes to them vanish. */
#define PORT_DEBUG		0xe9
#define PORT_EXIT		0xf4
#define PORT_COM1		0x3f8
#define PORT_COM1_LSR		(PORT_COM1 + 5)

#define DEBUG_PORT_PRESENT	0xe9	/* as Bochs answers */
#define LSR_TRANSMITTER_EMPTY	0x60	/* holding register and shift register */

/* --- start ------------------------------------------------------------------ */

static enum guest_mode guess_mode(const struct image *image)
{
	if (image->elf_bits == 64)
		return MODE_LONG;
	if (image->elf_bits == 32)
		return MODE_PROTECTED;
	return MODE_REAL;
}

/*
 * Page tables at the top of memory: the first 4 GiB map to themselves, memory
 * or not, so that an access to what isn't there reaches axvmm by its address.
 */
static int place_page_tables(struct machine *m)
{
	uint64_t limit = m->mem_size > IDENTITY_MAP_MIN ? m->mem_size : IDENTITY_MAP_MIN;
	uint64_t size = axvcpu_x86_identity_map_size(limit);

	if (!size || size >= m->mem_size) {
		complain("%llu bytes of memory are too few, or too many, for long mode",
			 (unsigned long long)m->mem_size);
		return EXIT_USAGE;
	}
	m->usable_mem = m->mem_size - size;
	m->cr3 = m->usable_mem;
	axvcpu_x86_identity_map((uint8_t *)m->mem + m->cr3, m->cr3, size, limit);
	return 0;
}

int x86_prepare(struct machine *m, struct image *image)
{
	const struct run_options *opt = m->opt;
	uint64_t limit;
	int status;

	m->mode = opt->mode != MODE_GUESS ? opt->mode : guess_mode(image);
	m->usable_mem = m->mem_size;
	if (m->mode == MODE_LONG) {
		status = place_page_tables(m);
		if (status)
			return status;
	}

	if (opt->has_load && image->elf_bits) {
		complain("--load is for flat files; %s says itself where it goes", opt->file);
		return EXIT_USAGE;
	}
	if (!image->elf_bits) {
		image_place(image, m->mode == MODE_REAL ? REAL_LOAD : DEFAULT_LOAD);
		if (opt->has_load)
			image_place(image, opt->load);
	}
	if (!image_fits(image, m->usable_mem)) {
		complain("%s doesn't fit into %llu bytes of memory (see --mem)", opt->file,
			 (unsigned long long)m->usable_mem);
		return EXIT_BAD_FILE;
	}

	m->entry = opt->has_entry ? opt->entry : image->entry;
	limit = m->mode == MODE_REAL ? REAL_LIMIT : PROTECTED_LIMIT;
	if (m->mode != MODE_LONG && m->entry >= limit) {
		complain("the entry 0x%llx is out of reach: in this mode it is below 0x%llx",
			 (unsigned long long)m->entry, (unsigned long long)limit);
		return EXIT_USAGE;
	}
	image_load(image, m->mem);
	return 0;
}

int x86_setup(struct vm_cpu *cpu)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(cpu->vcpu);
	struct machine *m = cpu->machine;
	int err;

	if (m->mode == MODE_REAL)
		err = axvcpu_vcpu_setup_real(cpu->vcpu, m->aspace, m->entry);
	else if (m->mode == MODE_PROTECTED)
		err = axvcpu_vcpu_setup_protected(cpu->vcpu, m->aspace, m->entry);
	else
		err = axvcpu_vcpu_setup_long(cpu->vcpu, m->aspace, m->entry, m->cr3);
	if (err)
		return err;

	run->regs.x86.gpr[AXVCPU_X86_RDI] = cpu->index;
	run->regs.x86.gpr[AXVCPU_X86_RSI] = m->nr_cpus;
	run->regs.x86.gpr[AXVCPU_X86_RDX] = m->usable_mem;
	return 0;
}

void x86_print_regs(struct vm_cpu *cpu)
{
	static const char * const rows[][4] = {
		{ "rip", "rflags", "rsp", "rbp" },
		{ "rax", "rbx", "rcx", "rdx" },
		{ "rsi", "rdi", "r8", "r9" },
		{ "r10", "r11", "r12", "r13" },
		{ "r14", "r15", "efer", "cr0" },
		{ "cr2", "cr3", "cr4", "gdtr.base" },
		{ "cs.base", "cs.selector", "cs.access", "idtr.base" },
	};
	uint64_t v[4];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const *row = rows[i];

		for (size_t n = 0; n < 4; n++) {
			if (axvcpu_vcpu_get_reg_by_name(cpu->vcpu, row[n], &v[n]))
				return;
		}
		complain("  %s=0x%llx %s=0x%llx %s=0x%llx %s=0x%llx",
			 row[0], (unsigned long long)v[0], row[1], (unsigned long long)v[1],
			 row[2], (unsigned long long)v[2], row[3], (unsigned long long)v[3]);
	}
}

/* --- exits ------------------------------------------------------------------ */

static int on_io_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	struct machine *m = cpu->machine;
	uint64_t value = run->io.data;
	int err;

	(void)vcpu;
	if (run->io.port == PORT_COM1 || run->io.port == PORT_DEBUG) {
		err = console_put(&m->console, value);
		if (err && machine_end(m, EXIT_OUTPUT))
			complain("what the guest prints can't be written: %s", strerror(-err));
		return 0;
	}
	if (run->io.port != PORT_EXIT)
		return 0;

	if (machine_end(m, value <= EXIT_GUEST_MAX ? value : EXIT_GUEST_MAX) &&
	    value > EXIT_GUEST_MAX)
		complain("the guest's exit code is %llu; the status can only tell up to %u",
			 (unsigned long long)value, EXIT_GUEST_MAX);
	return 1;
}

static int on_io_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	static const struct {
		uint32_t port;
		uint64_t value;
	} ports[] = {
		{ PORT_COM1, 0 },
		{ PORT_COM1_LSR, LSR_TRANSMITTER_EMPTY },
		{ PORT_DEBUG, DEBUG_PORT_PRESENT },
	};

	(void)vcpu;
	(void)data;
	axvcpu_answer_io(run, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if (ports[i].port == run->io.port)
			axvcpu_answer_io(run, ports[i].value);
	}
	return 0;
}

/* MSRs that startup code reads on any machine. Writes to them vanish. */
static int on_sysreg(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	static const struct {
		uint64_t addr;
		uint64_t value;
	} msrs[] = {
		{ 0x17, 0 },		/* IA32_PLATFORM_ID */
		{ 0x8b, 0 },		/* IA32_BIOS_SIGN_ID */
		{ 0xfe, 0 },		/* IA32_MTRRCAP: no MTRRs */
		{ 0x1a0, 1 },		/* IA32_MISC_ENABLE: fast strings */
	};

	(void)vcpu;
	(void)data;
	axvcpu_fault_sysreg(run);
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		if (msrs[i].addr == run->sysreg.addr)
			axvcpu_answer_sysreg(run, msrs[i].value);
	}
	return 0;
}

static int on_hypercall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	(void)data;
	axvcpu_answer_hypercall(run, -ENOSYS);
	return 0;
}

/* Without a timer nothing can wake a halted guest: it has ended. */
static int on_halt(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	(void)run;
	(void)data;
	return 1;
}

static int on_memory_fault(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	const char *access = "read from";
	const char *where = "where it has no memory";

	(void)vcpu;
	if (run->fault.access & AXVCPU_MAP_WRITE)
		access = "wrote to";
	else if (run->fault.access & AXVCPU_MAP_EXEC)
		access = "ran into";
	if (run->fault.flags & AXVCPU_FAULT_BAD_HOST)
		where = "memory that the host can't deliver";

	if (machine_end(cpu->machine, EXIT_MEMORY_FAULT))
		complain("vCPU %u %s 0x%llx, %s (RIP 0x%llx)", cpu->index, access, run->fault.gpa,
			 where, run->regs.x86.rip);
	return 1;
}

static int on_fail_entry(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	char text[256];

	(void)vcpu;
	axvcpu_exit_text(run, cpu->machine->info->backend, text, sizeof(text));
	if (machine_end(cpu->machine, EXIT_FAIL_ENTRY)) {
		complain("vCPU %u: the hardware refused the guest's state: %s", cpu->index, text);
		x86_print_regs(cpu);
	}
	return 1;
}

static int on_shutdown(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	if (machine_end(cpu->machine, EXIT_TRIPLE_FAULT)) {
		complain("vCPU %u: triple fault (RIP 0x%llx)", cpu->index, run->regs.x86.rip);
		x86_print_regs(cpu);
	}
	return 1;
}

static int on_other(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;
	char text[256];

	(void)vcpu;
	axvcpu_exit_text(run, cpu->machine->info->backend, text, sizeof(text));
	if (machine_end(cpu->machine, EXIT_UNHANDLED)) {
		complain("vCPU %u: no answer to exit %s", cpu->index, text);
		x86_print_regs(cpu);
	}
	return 1;
}

static int on_interrupted(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	(void)run;
	return machine_ending(cpu->machine);
}

static int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	if (cpu->machine->opt->trace)
		report_exit(cpu, run);
	return machine_ending(cpu->machine);
}

const struct axvcpu_handlers x86_handlers = {
	.before = on_any,
	.interrupted = on_interrupted,
	.other = on_other,
	.exit = {
		[AXVCPU_EXIT_HYPERCALL]		= on_hypercall,
		[AXVCPU_EXIT_SYSREG_READ]	= on_sysreg,
		[AXVCPU_EXIT_SYSREG_WRITE]	= on_sysreg,
		[AXVCPU_EXIT_IO_READ]		= on_io_read,
		[AXVCPU_EXIT_IO_WRITE]		= on_io_write,
		[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= on_memory_fault,
		[AXVCPU_EXIT_HALT]		= on_halt,
		[AXVCPU_EXIT_FAIL_ENTRY]	= on_fail_entry,
		[AXVCPU_EXIT_SHUTDOWN]		= on_shutdown,
	},
};
