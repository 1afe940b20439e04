// SPDX-License-Identifier: GPL-2.0-only
/* An x86 guest: how it starts, and axvmm's answers to its exits. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "array_size.h"
#include "exit_codes.h"
#include "exits.h"
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

enum x86_mode {
	MODE_REAL,
	MODE_PROTECTED,
	MODE_LONG,
};

static const char * const modes[] = {
	[MODE_REAL]		= "real",
	[MODE_PROTECTED]	= "protected",
	[MODE_LONG]		= "long",
	NULL
};

/* --- start ------------------------------------------------------------------ */

static int guess_mode(const struct image *image)
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

	if (!size) {
		complain("--mem is %llu bytes, which is more than page tables of long mode can map",
			 (unsigned long long)m->mem_size);
		return EXIT_USAGE;
	}
	if (size >= m->mem_size) {
		complain("--mem is %llu bytes, all of which page tables of long mode would take",
			 (unsigned long long)m->mem_size);
		return EXIT_USAGE;
	}
	m->usable_mem = m->mem_size - size;
	m->cr3 = m->usable_mem;
	axvcpu_x86_identity_map((uint8_t *)m->mem + m->cr3, m->cr3, size, limit);
	return 0;
}

static int prepare(struct machine *m, struct image *image)
{
	uint64_t limit;
	int status;

	m->mode = m->opt->mode != MODE_GUESS ? m->opt->mode : guess_mode(image);
	m->usable_mem = m->mem_size;
	if (m->mode == MODE_LONG) {
		status = place_page_tables(m);
		if (status)
			return status;
	}
	status = machine_place(m, image, m->mode == MODE_REAL ? REAL_LOAD : DEFAULT_LOAD);
	if (status)
		return status;

	limit = m->mode == MODE_REAL ? REAL_LIMIT : PROTECTED_LIMIT;
	if (m->mode != MODE_LONG && m->entry >= limit) {
		complain("the entry 0x%llx is out of reach: in this mode it is below 0x%llx",
			 (unsigned long long)m->entry, (unsigned long long)limit);
		return EXIT_USAGE;
	}
	return 0;
}

static int setup(struct vm_cpu *cpu, uint64_t entry, uint64_t arg)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(cpu->vcpu);
	struct machine *m = cpu->machine;
	int err;

	if (m->mode == MODE_REAL)
		err = axvcpu_vcpu_setup_real(cpu->vcpu, m->aspace, entry);
	else if (m->mode == MODE_PROTECTED)
		err = axvcpu_vcpu_setup_protected(cpu->vcpu, m->aspace, entry);
	else
		err = axvcpu_vcpu_setup_long(cpu->vcpu, m->aspace, entry, m->cr3);
	if (err)
		return err;

	run->regs.x86.gpr[AXVCPU_X86_RDI] = arg;
	run->regs.x86.gpr[AXVCPU_X86_RSI] = m->nr_cpus;
	run->regs.x86.gpr[AXVCPU_X86_RDX] = m->usable_mem;
	return 0;
}

static const char * const regs[] = {
	"rip", "rflags", "rsp", "rbp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
	"r10", "r11", "r12", "r13", "r14", "r15", "efer", "cr0", "cr2", "cr3", "cr4", "gdtr.base",
	"cs.base", "cs.selector", "cs.access", "idtr.base",
};

/* --- exits ------------------------------------------------------------------ */

static int on_io_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	if (run->io.port == PORT_COM1 || run->io.port == PORT_DEBUG)
		print_byte(cpu, run->io.data);
	if (run->io.port != PORT_EXIT)
		return 0;
	exit_code(cpu, run->io.data);
	return 1;
}

static int on_io_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	static const struct fixed_answer ports[] = {
		{ PORT_COM1, 0 },
		{ PORT_COM1_LSR, LSR_TRANSMITTER_EMPTY },
		{ PORT_DEBUG, DEBUG_PORT_PRESENT },
	};

	(void)vcpu;
	(void)data;
	axvcpu_answer_io(run, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if (ports[i].addr == run->io.port)
			axvcpu_answer_io(run, ports[i].value);
	}
	return 0;
}

static void *at_gpa(void *data, uint64_t gpa, size_t size)
{
	struct vm_cpu *cpu = data;
	uint64_t end = cpu->machine->mem_size;

	return gpa < end && size <= end - gpa ? (uint8_t *)cpu->machine->mem + gpa : NULL;
}

static void move_string(void *data, uint16_t port, uint32_t width, void *bytes, size_t count,
			bool in)
{
	uint8_t *byte = bytes;

	if (in) {
		memset(bytes, 0xff, count * width);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (port == PORT_COM1 || port == PORT_DEBUG)
			print_byte(data, byte[i * width]);
	}
}

static int on_io_string(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)run;
	return axvcpu_x86_answer_string(vcpu, at_gpa, move_string, data);
}

/* MSRs that startup code reads on any machine. */
static int on_sysreg(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	static const struct fixed_answer msrs[] = {
		{ 0x17, 0 },		/* IA32_PLATFORM_ID */
		{ 0x8b, 0 },		/* IA32_BIOS_SIGN_ID */
		{ 0xfe, 0 },		/* IA32_MTRRCAP: no MTRRs */
		{ 0x1a0, 1 },		/* IA32_MISC_ENABLE: fast strings */
	};

	(void)vcpu;
	(void)data;
	answer_sysreg(run, msrs, ARRAY_SIZE(msrs));
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

static int on_shutdown(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	if (machine_end(cpu->machine, EXIT_TRIPLE_FAULT)) {
		complain("vCPU %u: triple fault (rip 0x%llx)", cpu->index, run->regs.x86.rip);
		print_regs(cpu);
	}
	return 1;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.interrupted = on_interrupted,
	.other = on_other,
	.exit = {
		[AXVCPU_EXIT_HYPERCALL]		= on_hypercall,
		[AXVCPU_EXIT_SYSREG_READ]	= on_sysreg,
		[AXVCPU_EXIT_SYSREG_WRITE]	= on_sysreg,
		[AXVCPU_EXIT_IO_READ]		= on_io_read,
		[AXVCPU_EXIT_IO_WRITE]		= on_io_write,
		[AXVCPU_EXIT_IO_STRING]		= on_io_string,
		[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= on_memory_fault,
		[AXVCPU_EXIT_HALT]		= on_halt,
		[AXVCPU_EXIT_FAIL_ENTRY]	= on_fail_entry,
		[AXVCPU_EXIT_SHUTDOWN]		= on_shutdown,
	},
};

const struct guest_arch x86_arch = {
	.name		= "x86",
	.backend	= AXVCPU_BACKEND_VMX,
	.elf_machines	= { EM_386, EM_X86_64 },
	.modes		= modes,
	.max_vector	= 255,
	.has_cpuid	= true,
	.pc_name	= "rip",
	.pc		= offsetof(struct axvcpu_x86_gprs, rip) / sizeof(uint64_t),
	.help_mode	= "Start in real, protected or long mode (default: long for 64-bit ELF, "
			  "protected for 32-bit ELF, real for a flat file)",
	.help_load	= "Address for a flat file (default: 0x7c00 in real mode, else 0x100000)",
	.help		= "The guest prints by writing bytes to port 0x3f8 or 0xe9 and ends by "
			  "writing its exit code, 0 to 63, to port 0xf4. There is no input: nothing "
			  "is ever to be read from port 0x3f8. Each vCPU starts at the "
			  "entry with its number in RDI, the number of vCPUs in RSI, and the bytes "
			  "of memory in RDX. See axvmm(1) for the other exit codes.",
	.prepare	= prepare,
	.setup		= setup,
	.regs		= regs,
	.nr_regs	= ARRAY_SIZE(regs),
	.handlers	= &handlers,
};
