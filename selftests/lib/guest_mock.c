// SPDX-License-Identifier: GPL-2.0-only
/* Guests for the mock: 16-byte instructions, see axvcpu_mock_abi.h. */
#include "arch/mock/axvcpu_mock_abi.h"

#include "guest.h"

/* Hypercalls take registers 0 to 6, exceptions 13 to 15; programs use the others. */
#define FIRST_REG	7
#define R(reg)		(FIRST_REG + (reg))
#define VECTOR		15

static void insn(struct guest_prog *p, uint8_t op, uint8_t width, uint8_t reg, uint8_t reg2,
		 uint64_t imm)
{
	struct axvcpu_mock_insn i = {
		.op = op,
		.width = width,
		.reg = reg,
		.reg2 = reg2,
		.imm = imm,
	};

	g_emit(p, &i, sizeof(i));
}

static uint64_t mock_reg_id(unsigned int index)
{
	return AXVCPU_MOCK_REG(index);
}

static void mock_init_memory(uint8_t *mem)
{
}

static void mock_setup(union axvcpu_setup_config *config)
{
}

static void mock_movi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	insn(p, MOCK_MOVI, 0, R(reg), 0, value);
}

static void mock_addi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	insn(p, MOCK_ADDI, 0, R(reg), 0, value);
}

static void mock_load(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	insn(p, MOCK_LOAD, width, R(reg), R(base), 0);
}

static void mock_store(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	insn(p, MOCK_STORE, width, R(reg), R(base), 0);
}

static void mock_out(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	insn(p, MOCK_OUT, width, R(reg), 0, port);
}

static void mock_in(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	insn(p, MOCK_IN, width, R(reg), 0, port);
}

/* There is no move between registers: the answer travels through memory. */
static void move(struct guest_prog *p, enum guest_reg reg, uint8_t from)
{
	uint64_t scratch = p->gpa + GUEST_CODE_SIZE;

	insn(p, MOCK_MOVI, 0, R(reg), 0, scratch);
	insn(p, MOCK_STORE, 8, from, R(reg), 0);
	insn(p, MOCK_LOAD, 8, R(reg), R(reg), 0);
}

static void mock_hypercall(struct guest_prog *p, uint64_t nr, const uint64_t *args,
			   enum guest_reg reg)
{
	insn(p, MOCK_MOVI, 0, 0, 0, nr);
	for (int i = 0; i < 6; i++)
		insn(p, MOCK_MOVI, 0, i + 1, 0, args[i]);
	insn(p, MOCK_HYPERCALL, 0, 0, 0, 0);
	move(p, reg, 0);
}

static void mock_rdsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	insn(p, MOCK_RDSYS, 0, R(reg), 0, addr);
}

static void mock_wrsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	insn(p, MOCK_WRSYS, 0, R(reg), 0, addr);
}

static void mock_halt(struct guest_prog *p)
{
	insn(p, MOCK_HALT, 0, 0, 0, 0);
}

static void mock_jmp(struct guest_prog *p, int label)
{
	insn(p, MOCK_JMP, 0, 0, 0, 0);
	g_fixup(p, label);
}

static void mock_jnz(struct guest_prog *p, enum guest_reg reg, int label)
{
	insn(p, MOCK_JNZ, 0, R(reg), 0, 0);
	g_fixup(p, label);
}

static void mock_spin(struct guest_prog *p)
{
}

static void mock_kernel_exit(struct guest_prog *p)
{
	insn(p, MOCK_KERNEL_EXIT, 0, 0, 0, 0);
}

static void mock_shutdown(struct guest_prog *p)
{
	insn(p, MOCK_SHUTDOWN, 0, 0, 0, 0);
}

static void mock_unknown(struct guest_prog *p)
{
	insn(p, MOCK_UNKNOWN, 0, 0, 0, 0x1234);
}

static void mock_sti(struct guest_prog *p)
{
	insn(p, MOCK_STI, 0, 0, 0, 0);
}

static void mock_cli(struct guest_prog *p)
{
	insn(p, MOCK_CLI, 0, 0, 0, 0);
}

static void mock_irq_handler(struct guest_prog *p, int label)
{
	insn(p, MOCK_SETVEC, 0, 0, 0, 0);
	g_fixup(p, label);
}

static void mock_get_vector(struct guest_prog *p, enum guest_reg reg)
{
	move(p, reg, VECTOR);
}

static void mock_iret(struct guest_prog *p)
{
	insn(p, MOCK_IRET, 0, 0, 0, 0);
}

static void mock_fixup(struct guest_prog *p, size_t at, uint64_t target)
{
	__builtin_memcpy(p->mem + at - sizeof(target), &target, sizeof(target));
}

const struct guest_isa guest_isa_mock = {
	.backend	= AXVCPU_BACKEND_MOCK,
	.gpr		= { R(G0), R(G1), R(G2), R(G3), R(G4), R(G5) },
	.pc		= 16,
	.irq_reg	= VECTOR,
	.reg_id		= mock_reg_id,
	.sysreg		= 0x123456789abcULL,
	.gp_vector	= AXVCPU_MOCK_IS_EXCEPTION | 13,
	.exceptions	= { 13, 6 },
	.max_vector	= 255,
	.max_exception	= 31,
	.no_reg		= 0x1001f,
	.init_memory	= mock_init_memory,
	.setup		= mock_setup,
	.movi		= mock_movi,
	.addi		= mock_addi,
	.load		= mock_load,
	.store		= mock_store,
	.out		= mock_out,
	.in		= mock_in,
	.hypercall	= mock_hypercall,
	.rdsys		= mock_rdsys,
	.wrsys		= mock_wrsys,
	.halt		= mock_halt,
	.jmp		= mock_jmp,
	.jnz		= mock_jnz,
	.spin		= mock_spin,
	.kernel_exit	= mock_kernel_exit,
	.shutdown	= mock_shutdown,
	.unknown	= mock_unknown,
	.sti		= mock_sti,
	.cli		= mock_cli,
	.irq_handler	= mock_irq_handler,
	.get_vector	= mock_get_vector,
	.iret		= mock_iret,
	.fixup		= mock_fixup,
};
