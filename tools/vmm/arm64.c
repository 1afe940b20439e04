// SPDX-License-Identifier: GPL-2.0-only
/* An arm64 guest: how it starts, and axvmm's answers to its exits. */
#include <elf.h>

#include "arm64.h"
#include "array_size.h"
#include "exits.h"
#include "report.h"

/* Memory where boards have it, behind a gigabyte for devices */
#define MEM_BASE		0x40000000ULL
#define DEFAULT_LOAD		(MEM_BASE + 0x100000)

/* The devices: a console, of Arm's PL011 what printing takes, and the end. */
#define UART			0x09000000ULL
#define UART_SIZE		0x1000ULL
#define UART_DR			UART
#define UART_FR			(UART + 0x18)
#define EXIT_REGISTER		0x090f0000ULL

#define FR_NOTHING_TO_DO	0x90	/* transmitter and receiver are empty */

#define SMCCC_NOT_SUPPORTED	(-1)

#define SYSREG_CNTP_CTL		AXVCPU_ARM64_SYSREG(3ULL, 3, 14, 2, 1)

static const char * const modes[] = { "el1", NULL };

static const char * const regs[] = {
	"pc", "sp", "pstate", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
	"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "x30", "esr_el1", "far_el1", "elr_el1",
	"spsr_el1", "vbar_el1", "sctlr_el1", "tcr_el1", "ttbr0_el1", "ttbr1_el1", "mair_el1",
};

/* --- start ------------------------------------------------------------------ */

static int prepare(struct machine *m, struct image *image)
{
	m->usable_mem = m->mem_size;
	return machine_place(m, image, DEFAULT_LOAD);
}

static int setup(struct vm_cpu *cpu, uint64_t entry, uint64_t arg)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(cpu->vcpu);
	struct machine *m = cpu->machine;
	int err;

	err = axvcpu_vcpu_setup_el1(cpu->vcpu, m->aspace, entry);
	if (err)
		return err;
	run->regs.arm64.x[0] = arg;
	run->regs.arm64.x[1] = m->nr_cpus;
	run->regs.arm64.x[2] = m->usable_mem;
	return 0;
}

/* GICv3's convention: sixteen to a cluster, so that an SGI reaches them at once. */
uint64_t arm64_affinity(unsigned int index)
{
	return (index & 0xf) | (uint64_t)(index >> 4) << 8;
}

static void configure(struct vm_cpu *cpu, union axvcpu_create_config *config)
{
	config->arm64.mpidr = arm64_affinity(cpu->index);
}

/* --- exits ------------------------------------------------------------------ */

static int on_mmio_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct vm_cpu *cpu = data;

	(void)vcpu;
	if (run->mmio.gpa == EXIT_REGISTER) {
		exit_code(cpu, run->mmio.data);
		return 1;
	}
	if (run->mmio.gpa - UART >= UART_SIZE) {
		memory_fault(cpu, AXVCPU_MAP_WRITE, run->mmio.gpa, "where it has no memory");
		return 1;
	}
	if (run->mmio.gpa == UART_DR)
		print_byte(cpu, run->mmio.data);
	return 0;
}

static int on_mmio_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	if (run->mmio.gpa - UART >= UART_SIZE) {
		memory_fault(data, AXVCPU_MAP_READ, run->mmio.gpa, "where it has no memory");
		return 1;
	}
	axvcpu_answer_mmio(run, run->mmio.gpa == UART_FR ? FR_NOTHING_TO_DO : 0);
	return 0;
}

static int on_sysreg(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	static const struct fixed_answer there[] = {
		{ SYSREG_CNTP_CTL, 0 },		/* the physical timer is off and stays so */
	};

	(void)vcpu;
	(void)data;
	answer_sysreg(run, there, ARRAY_SIZE(there));
	return 0;
}

static int on_hypercall(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	(void)vcpu;
	if (!psci_hypercall(data, run))
		axvcpu_answer_hypercall(run, SMCCC_NOT_SUPPORTED);
	return 0;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.interrupted = on_interrupted,
	.other = on_other,
	.exit = {
		[AXVCPU_EXIT_HYPERCALL]		= on_hypercall,
		[AXVCPU_EXIT_MMIO_READ]		= on_mmio_read,
		[AXVCPU_EXIT_MMIO_WRITE]	= on_mmio_write,
		[AXVCPU_EXIT_SYSREG_READ]	= on_sysreg,
		[AXVCPU_EXIT_SYSREG_WRITE]	= on_sysreg,
		[AXVCPU_EXIT_NESTED_PAGE_FAULT]	= on_memory_fault,
		[AXVCPU_EXIT_CPU_UP]		= on_cpu_up,
		[AXVCPU_EXIT_CPU_DOWN]		= on_cpu_down,
		[AXVCPU_EXIT_SYSTEM_DOWN]	= on_system_down,
		[AXVCPU_EXIT_FAIL_ENTRY]	= on_fail_entry,
		[AXVCPU_EXIT_SEND_IPI]		= on_send_ipi,
	},
};

const struct guest_arch arm64_arch = {
	.name		= "arm64",
	.backend	= AXVCPU_BACKEND_VHE,
	.elf_machines	= { EM_NONE, EM_AARCH64 },
	.modes		= modes,
	.mem_base	= MEM_BASE,
	.max_vector	= AXVCPU_ARM64_MAX_INTID,
	.run_flags	= AXVCPU_RUN_WAIT,
	.one_starts	= true,
	.pc_name	= "pc",
	.pc		= offsetof(struct axvcpu_arm64_gprs, pc) / sizeof(uint64_t),
	.help_mode	= "Start at el1, which is the only mode",
	.help_load	= "Address for a flat file (default: 0x40100000)",
	.help		= "The guest prints by writing bytes to 0x9000000, as a PL011 has it, and "
			  "ends by PSCI's SYSTEM_OFF or by writing its exit code, 0 to 63, to "
			  "0x90f0000. There is no input: the PL011 never receives a byte. Memory starts at 0x40000000. vCPU 0 starts at the entry with "
			  "0 in X0, the number of vCPUs in X1, and the bytes of memory in X2; it "
			  "starts the others by PSCI's CPU_ON. See axvmm(1) for the other exit "
			  "codes.",
	.prepare	= prepare,
	.configure	= configure,
	.setup		= setup,
	.regs		= regs,
	.nr_regs	= ARRAY_SIZE(regs),
	.handlers	= &handlers,
};
