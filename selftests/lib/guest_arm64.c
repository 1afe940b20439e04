// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests for arm64, at EL1 with the MMU off. x0 to x6 and x9 to x11 are used
 * by the operations themselves, x25 by the vectors.
 */
#include <string.h>

#include "guest.h"

static const uint8_t gprs[] = { 19, 20, 21, 22, 23, 24 };

#define SCRATCH		9
#define SCRATCH2	10
#define VECTOR_REG	25
#define PC		32

/* Ports are memory here, at an address where nothing is. */
#define PORTS		0x7fff0000ULL

#define VECTORS		GUEST_CODE_SIZE	/* from the program's start; a multiple of 2 KiB */
#define VECTOR_SIZE	0x80

/* What g_get_vector() gives for an exception: this and its class */
#define EXCEPTION	0x1000

#define SYSTEM_OFF	0x84000008

#define SYSREG(op0, op1, crn, crm, op2)	AXVCPU_ARM64_SYSREG(op0, op1, crn, crm, op2)
#define ID_AA64PFR0	SYSREG(3, 0, 0, 4, 0)
#define ESR_EL1		SYSREG(3, 0, 5, 2, 0)
#define VBAR_EL1	SYSREG(3, 0, 12, 0, 0)
#define ICC_PMR_EL1	SYSREG(3, 0, 4, 6, 0)
#define ICC_IAR1_EL1	SYSREG(3, 0, 12, 12, 0)
#define ICC_EOIR1_EL1	SYSREG(3, 0, 12, 12, 1)
#define ICC_IGRPEN1_EL1	SYSREG(3, 0, 12, 12, 7)
#define CNTP_CVAL_EL0	SYSREG(3, 3, 14, 2, 2)

static void insn(struct guest_prog *p, uint32_t word)
{
	g_emit(p, &word, sizeof(word));
}

/* MOVZ and three MOVK */
static void mov_imm(struct guest_prog *p, unsigned int reg, uint64_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		insn(p, (i ? 0xf2800000 : 0xd2800000) | i << 21 |
			(value >> 16 * i & 0xffff) << 5 | reg);
}

static void mov(struct guest_prog *p, unsigned int to, unsigned int from)
{
	insn(p, 0xaa0003e0 | from << 16 | to);
}

/* MRS and MSR, out of the register's address in a syndrome */
static uint32_t sysreg_insn(uint32_t opcode, uint64_t addr, unsigned int reg)
{
	return opcode | (addr >> 20 & 1) << 19 | (addr >> 14 & 7) << 16 | (addr >> 10 & 15) << 12 |
	       (addr >> 1 & 15) << 8 | (addr >> 17 & 7) << 5 | reg;
}

static uint32_t mrs(unsigned int reg, uint64_t addr)
{
	return sysreg_insn(0xd5300000, addr, reg);
}

static uint32_t msr(uint64_t addr, unsigned int reg)
{
	return sysreg_insn(0xd5100000, addr, reg);
}

static void set_sysreg(struct guest_prog *p, uint64_t addr, uint64_t value)
{
	mov_imm(p, SCRATCH, value);
	insn(p, msr(addr, SCRATCH));
}

static uint32_t size_bits(int width)
{
	return (uint32_t)__builtin_ctz(width) << 30;
}

/* By index: X0 to X30, SP, PC, PSTATE. */
static uint64_t arm64_reg_id(unsigned int index)
{
	return AXVCPU_ARM64_REG_X(index);
}

static bool is_port(const struct axvcpu_run *run)
{
	return run->mmio.gpa - PORTS <= 0xffff;
}

static void arm64_before_run(struct axvcpu_run *run)
{
	if (run->exit_reason == AXVCPU_EXIT_IO_READ)
		run->mmio.data = run->io.data;
}

static void port_exit(struct axvcpu_run *run, uint32_t reason)
{
	uint64_t port = run->mmio.gpa - PORTS, data = run->mmio.data;
	uint32_t width = run->mmio.width;

	run->io.port = port;
	run->io.width = width;
	run->io.count = 1;
	run->io.reserved = 0;
	run->io.data = data;
	run->exit_reason = reason;
}

/* A guest that can't go on asks for the power to be turned off, see below. */
static void arm64_after_run(struct axvcpu_run *run)
{
	switch (run->exit_reason) {
	case AXVCPU_EXIT_MMIO_READ:
		if (is_port(run))
			port_exit(run, AXVCPU_EXIT_IO_READ);
		break;
	case AXVCPU_EXIT_MMIO_WRITE:
		if (is_port(run))
			port_exit(run, AXVCPU_EXIT_IO_WRITE);
		break;
	case AXVCPU_EXIT_SYSTEM_DOWN:
		run->exit_reason = AXVCPU_EXIT_SHUTDOWN;
		break;
	}
}

static void rename_exit(struct axvcpu_stats *stats, unsigned int from, unsigned int to)
{
	stats->exits[to] += stats->exits[from];
	stats->exits[from] = 0;
}

static void arm64_stats(struct axvcpu_stats *stats)
{
	rename_exit(stats, AXVCPU_EXIT_MMIO_READ, AXVCPU_EXIT_IO_READ);
	rename_exit(stats, AXVCPU_EXIT_MMIO_WRITE, AXVCPU_EXIT_IO_WRITE);
	rename_exit(stats, AXVCPU_EXIT_SYSTEM_DOWN, AXVCPU_EXIT_SHUTDOWN);
}

/* 32 levels, of which 0 is the highest */
static uint32_t arm64_priority(uint32_t vector)
{
	return 0xf8 - vector / 8 * 8;
}

/* VBAR_EL1 is 0 until a program has handlers: an exception ends the guest. */
static void arm64_init_memory(uint8_t *mem)
{
	static const uint32_t power_off[] = {
		0xd2800000 | (SYSTEM_OFF & 0xffff) << 5,		/* movz x0 */
		0xf2a00000 | (SYSTEM_OFF >> 16) << 5,			/* movk x0, lsl #16 */
		0xd4000002,						/* hvc */
	};

	/*
	 * QEMU 7.2 goes on with what it has translated of a page that the host has
	 * since zeroed with DC ZVA; stores, one by one, make it forget.
	 */
	for (volatile uint64_t *at = (uint64_t *)mem; at < (uint64_t *)(mem + GUEST_DATA); at++)
		*at = 0;
	for (unsigned int i = 0; i < 16; i++)
		memcpy(mem + i * VECTOR_SIZE, power_off, sizeof(power_off));
}

static void arm64_setup(union axvcpu_setup_config *config)
{
}

static void arm64_movi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	mov_imm(p, gprs[reg], value);
}

static void arm64_addi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	mov_imm(p, SCRATCH, value);
	insn(p, 0x8b000000 | SCRATCH << 16 | gprs[reg] << 5 | gprs[reg]);
}

/*
 * With an address that is written back, an access is not decoded by the
 * hardware: it is a NESTED_PAGE_FAULT, as on other machines.
 */
static void memory_op(struct guest_prog *p, uint32_t opcode, enum guest_reg reg,
		      enum guest_reg base, int width)
{
	unsigned int at = gprs[base];

	/* The register can't be both. */
	if (reg == base) {
		at = SCRATCH;
		mov(p, at, gprs[base]);
	}
	insn(p, opcode | size_bits(width) | at << 5 | gprs[reg]);
}

static void arm64_load(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	memory_op(p, 0x38400400, reg, base, width);
}

static void arm64_store(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	memory_op(p, 0x38000400, reg, base, width);
}

static void port_op(struct guest_prog *p, uint32_t opcode, uint16_t port, unsigned int reg,
		    int width)
{
	mov_imm(p, SCRATCH, PORTS + port);
	insn(p, opcode | size_bits(width) | SCRATCH << 5 | reg);
}

static void arm64_out(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	port_op(p, 0x39000000, port, gprs[reg], width);
}

static void arm64_in(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	port_op(p, 0x39400000, port, SCRATCH2, width);
	if (width < 4)				/* bfi: as x86 does it */
		insn(p, 0xb3400000 | (8 * width - 1) << 10 | SCRATCH2 << 5 | gprs[reg]);
	else
		mov(p, gprs[reg], SCRATCH2);
}

static void hvc(struct guest_prog *p)
{
	insn(p, 0xd4000002);
}

static void arm64_hypercall(struct guest_prog *p, uint64_t nr, const uint64_t *args,
			    enum guest_reg reg)
{
	mov_imm(p, 0, nr);
	for (int i = 0; i < 6; i++)
		mov_imm(p, 1 + i, args[i]);
	hvc(p);
	mov(p, gprs[reg], 0);
}

static void arm64_rdsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	insn(p, mrs(gprs[reg], addr));
}

static void arm64_wrsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	insn(p, msr(addr, gprs[reg]));
}

static void arm64_halt(struct guest_prog *p)
{
	insn(p, 0xd503207f);
}

static void arm64_jmp(struct guest_prog *p, int label)
{
	insn(p, 0x14000000);
	g_fixup(p, label);
}

static void arm64_jnz(struct guest_prog *p, enum guest_reg reg, int label)
{
	insn(p, 0xb5000000 | gprs[reg]);
	g_fixup(p, label);
}

static void arm64_kernel_exit(struct guest_prog *p)
{
	insn(p, mrs(SCRATCH, ID_AA64PFR0));
}

static void arm64_shutdown(struct guest_prog *p)
{
	mov_imm(p, 0, SYSTEM_OFF);
	hvc(p);
}

/* An SMC that the calling convention has no meaning for. */
static void arm64_unknown(struct guest_prog *p)
{
	insn(p, 0xd4000003 | 1 << 5);
}

static void arm64_cli(struct guest_prog *p)
{
	insn(p, 0xd50342df);
}

static void arm64_spin(struct guest_prog *p)
{
	arm64_cli(p);
}

static void arm64_sti(struct guest_prog *p)
{
	insn(p, 0xd50342ff);
}

/* Synchronous exceptions: x25 = %EXCEPTION + class. Interrupts: x25 = INTID, done with. */
static void make_vector(struct guest_prog *p, unsigned int i, uint64_t target)
{
	uint32_t sync[] = { mrs(VECTOR_REG, ESR_EL1), 0xd35afc00 | VECTOR_REG << 5 | VECTOR_REG,
			    0x91400400 | VECTOR_REG << 5 | VECTOR_REG };
	uint32_t irq[] = { mrs(VECTOR_REG, ICC_IAR1_EL1), msr(ICC_EOIR1_EL1, VECTOR_REG),
			   0xd503201f };
	size_t at = VECTORS + i * VECTOR_SIZE + sizeof(sync);
	uint32_t branch = 0x14000000;

	memcpy(p->mem + at - sizeof(sync), i % 4 ? irq : sync, sizeof(sync));
	memcpy(p->mem + at, &branch, sizeof(branch));
	p->isa->fixup(p, at + sizeof(branch), target);
}

/* All vectors go to one instruction of the program, which goes to the handler. */
static void arm64_irq_handler(struct guest_prog *p, int label)
{
	int over = g_label(p);
	uint64_t common;

	arm64_jmp(p, over);
	common = p->gpa + p->len;
	arm64_jmp(p, label);
	g_place(p, over);

	for (unsigned int i = 0; i < 16; i++)
		make_vector(p, i, common);
	set_sysreg(p, VBAR_EL1, p->gpa + VECTORS);
	set_sysreg(p, ICC_PMR_EL1, 0xff);
	set_sysreg(p, ICC_IGRPEN1_EL1, 1);
	insn(p, 0xd5033fdf);	/* isb */
}

static void arm64_get_vector(struct guest_prog *p, enum guest_reg reg)
{
	mov(p, gprs[reg], VECTOR_REG);
}

static void arm64_iret(struct guest_prog *p)
{
	insn(p, 0xd69f03e0);
}

static void arm64_fixup(struct guest_prog *p, size_t at, uint64_t target)
{
	uint8_t *place = p->mem + at - 4;
	int64_t offset = (int64_t)(target - (p->gpa + at - 4)) / 4;
	uint32_t word;

	memcpy(&word, place, sizeof(word));
	if (word >> 26 == 0x05)			/* B */
		word |= offset & 0x3ffffff;
	else					/* CBNZ */
		word |= (offset & 0x7ffff) << 5;
	memcpy(place, &word, sizeof(word));
}

const struct guest_isa guest_isa_arm64 = {
	.backend	= AXVCPU_BACKEND_VHE,
	.gpr		= { 19, 20, 21, 22, 23, 24 },
	.pc		= PC,
	.irq_reg	= VECTOR_REG,
	.reg_id		= arm64_reg_id,
	.sysreg		= CNTP_CVAL_EL0,
	.gp_vector	= EXCEPTION,
	.before_run	= arm64_before_run,
	.after_run	= arm64_after_run,
	.priority	= arm64_priority,
	.stats		= arm64_stats,
	.no_nmi		= true,
	.masked_wakes	= true,
	.exceptions	= { 0x00, 0x18 },
	.max_vector	= AXVCPU_ARM64_MAX_INTID,
	.max_exception	= AXVCPU_ARM64_MAX_EC,
	.no_reg		= AXVCPU_ARM64_REG_PSTATE + 1,
	.init_memory	= arm64_init_memory,
	.setup		= arm64_setup,
	.movi		= arm64_movi,
	.addi		= arm64_addi,
	.load		= arm64_load,
	.store		= arm64_store,
	.out		= arm64_out,
	.in		= arm64_in,
	.hypercall	= arm64_hypercall,
	.rdsys		= arm64_rdsys,
	.wrsys		= arm64_wrsys,
	.halt		= arm64_halt,
	.jmp		= arm64_jmp,
	.jnz		= arm64_jnz,
	.kernel_exit	= arm64_kernel_exit,
	.shutdown	= arm64_shutdown,
	.unknown	= arm64_unknown,
	.spin		= arm64_spin,
	.sti		= arm64_sti,
	.cli		= arm64_cli,
	.irq_handler	= arm64_irq_handler,
	.get_vector	= arm64_get_vector,
	.iret		= arm64_iret,
	.fixup		= arm64_fixup,
};
