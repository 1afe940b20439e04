// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests for x86, in 64-bit mode. RAX, RCX, RDX, RSI, RDI, R8 and R9 are used
 * by the operations themselves, R15 by the interrupt entries, RSP is the
 * program's own stack once it has handlers.
 */
#include <string.h>

#include "guest.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

static const uint8_t gprs[] = { RBX, RBP, R10, R11, R12, R13 };

#define PML4		0x1000	/* the tables map the first GiB at its own address */
#define PDPT		0x2000
#define PD		0x3000
#define NULL_IDTR	0x4000	/* ten zero bytes: a table without a gate */

/* In a program that has handlers, from the program's start */
#define IDT		(GUEST_CODE_SIZE + 0x0000)
#define STUBS		(GUEST_CODE_SIZE + 0x1000)
#define STUB_SIZE	16
#define GDT		(GUEST_CODE_SIZE + 0x2000)
#define GDTR		(GDT + 0x40)
#define IDTR		(GDT + 0x50)
#define STACK_TOP	GUEST_PROG_SIZE

#define CODE_SEL	0x08
#define DATA_SEL	0x10
#define CODE_DESC	0x00af9b000000ffffULL	/* 64-bit code, present, DPL 0 */
#define DATA_DESC	0x00cf93000000ffffULL

/* Vectors on which the processor pushes an error code: SDM vol. 3, table 6-1 */
#define HAS_ERROR_CODE	0x00227d00U

#define EMIT(p, ...)						\
do {								\
	const uint8_t bytes_[] = { __VA_ARGS__ };		\
								\
	g_emit(p, bytes_, sizeof(bytes_));			\
} while (0)

#define REX(w, reg, rm)	(0x40 | (w) << 3 | ((reg) >> 3) << 2 | ((rm) >> 3))
#define MODRM(mod, reg, rm)	((mod) << 6 | ((reg) & 7) << 3 | ((rm) & 7))

static void imm32(struct guest_prog *p, uint32_t value)
{
	g_emit(p, &value, sizeof(value));
}

static void mov_imm(struct guest_prog *p, uint8_t reg, uint64_t value)
{
	EMIT(p, REX(1, 0, reg), 0xb8 | (reg & 7));
	g_emit(p, &value, sizeof(value));
}

static void mov(struct guest_prog *p, uint8_t to, uint8_t from)
{
	EMIT(p, REX(1, from, to), 0x89, MODRM(3, from, to));
}

/* [base] without displacement, whatever the base register. */
static void mem_operand(struct guest_prog *p, uint8_t reg, uint8_t base)
{
	EMIT(p, MODRM(1, reg, base));
	if ((base & 7) == RSP)
		EMIT(p, 0x24);
	EMIT(p, 0);
}

/* 0F 01 /ext with an absolute address: LGDT, LIDT. */
static void system_op(struct guest_prog *p, uint8_t ext, uint32_t addr)
{
	EMIT(p, 0x0f, 0x01, MODRM(0, ext, 4), 0x25);
	imm32(p, addr);
}

static uint64_t x86_reg_id(unsigned int index)
{
	if (index < 16)
		return AXVCPU_X86_REG_GPR(index);
	return index == 16 ? AXVCPU_X86_REG_RIP : AXVCPU_X86_REG_RFLAGS;
}

/* Accessed and dirty bits are set, so that a walk writes nothing. */
static void x86_init_memory(uint8_t *mem)
{
	uint64_t *pd = (uint64_t *)(mem + PD);

	*(uint64_t *)(mem + PML4) = PDPT | 0x23;
	*(uint64_t *)(mem + PDPT) = PD | 0x23;
	/* The second GiB, where the CPU has pages of this size */
	*(uint64_t *)(mem + PDPT + 8) = 1 << 30 | 0xe3;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0xe3;
}

static void x86_setup(union axvcpu_setup_config *config)
{
	config->x86.mode = AXVCPU_X86_MODE_LONG;
	config->x86.cr3 = PML4;
}

static void x86_movi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	mov_imm(p, gprs[reg], value);
}

static void x86_addi(struct guest_prog *p, enum guest_reg reg, uint64_t value)
{
	mov_imm(p, RAX, value);
	EMIT(p, REX(1, RAX, gprs[reg]), 0x01, MODRM(3, RAX, gprs[reg]));
}

static void x86_load(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	uint8_t to = gprs[reg], from = gprs[base];

	EMIT(p, REX(width == 8, to, from));
	if (width == 1)
		EMIT(p, 0x0f, 0xb6);
	else if (width == 2)
		EMIT(p, 0x0f, 0xb7);
	else
		EMIT(p, 0x8b);
	mem_operand(p, to, from);
}

static void x86_store(struct guest_prog *p, enum guest_reg reg, enum guest_reg base, int width)
{
	uint8_t from = gprs[reg], to = gprs[base];

	if (width == 2)
		EMIT(p, 0x66);
	EMIT(p, REX(width == 8, from, to), width == 1 ? 0x88 : 0x89);
	mem_operand(p, from, to);
}

static void port_op(struct guest_prog *p, uint8_t opcode, uint16_t port, int width)
{
	EMIT(p, 0xba);
	imm32(p, port);
	if (width == 2)
		EMIT(p, 0x66);
	EMIT(p, opcode | (width > 1));
}

static void x86_out(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	mov(p, RAX, gprs[reg]);
	port_op(p, 0xee, port, width);
}

static void x86_in(struct guest_prog *p, uint16_t port, enum guest_reg reg, int width)
{
	mov(p, RAX, gprs[reg]);
	port_op(p, 0xec, port, width);
	mov(p, gprs[reg], RAX);
}

static void x86_hypercall(struct guest_prog *p, uint64_t nr, const uint64_t *args,
			  enum guest_reg reg)
{
	static const uint8_t regs[6] = { RDI, RSI, RDX, RCX, R8, R9 };

	mov_imm(p, RAX, nr);
	for (int i = 0; i < 6; i++)
		mov_imm(p, regs[i], args[i]);
	EMIT(p, 0x0f, 0x01, 0xc1);
	mov(p, gprs[reg], RAX);
}

static void x86_rdsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	mov_imm(p, RCX, addr);
	EMIT(p, 0x0f, 0x32);
	EMIT(p, 0x48, 0xc1, 0xe2, 0x20);	/* shl $32, %rdx */
	EMIT(p, 0x48, 0x09, 0xd0);		/* or %rdx, %rax */
	mov(p, gprs[reg], RAX);
}

static void x86_wrsys(struct guest_prog *p, uint64_t addr, enum guest_reg reg)
{
	mov(p, RAX, gprs[reg]);
	mov(p, RDX, RAX);
	EMIT(p, 0x48, 0xc1, 0xea, 0x20);	/* shr $32, %rdx */
	mov_imm(p, RCX, addr);
	EMIT(p, 0x0f, 0x30);
}

static void x86_halt(struct guest_prog *p)
{
	EMIT(p, 0xf4);
}

static void x86_jmp(struct guest_prog *p, int label)
{
	EMIT(p, 0xe9, 0, 0, 0, 0);
	g_fixup(p, label);
}

static void x86_jnz(struct guest_prog *p, enum guest_reg reg, int label)
{
	EMIT(p, REX(1, gprs[reg], gprs[reg]), 0x85, MODRM(3, gprs[reg], gprs[reg]));
	EMIT(p, 0x0f, 0x85, 0, 0, 0, 0);
	g_fixup(p, label);
}

static void x86_spin(struct guest_prog *p)
{
	EMIT(p, 0xfa);
}

/* CPUID writes RBX, which is one of ours. */
static void x86_kernel_exit(struct guest_prog *p)
{
	mov(p, R8, RBX);
	mov_imm(p, RAX, 0);
	EMIT(p, 0x0f, 0xa2);
	mov(p, RBX, R8);
}

static void x86_shutdown(struct guest_prog *p)
{
	system_op(p, 3, NULL_IDTR);
	EMIT(p, 0x0f, 0x0b);
}

/* String I/O, which no backend takes apart. */
static void x86_sti(struct guest_prog *p)
{
	EMIT(p, 0xfb, 0x90);
}

static void x86_cli(struct guest_prog *p)
{
	EMIT(p, 0xfa);
}

static void set_gate(uint8_t *mem, unsigned int vector, uint64_t target)
{
	uint64_t *gate = (uint64_t *)(mem + IDT + vector * 16);

	gate[0] = (target & 0xffff) | CODE_SEL << 16 | 0x8e00ULL << 32 |
		  (target & 0xffff0000) << 32;
	gate[1] = target >> 32;
}

/* A stub for each vector: drop the error code, R15 = vector, go to the handler. */
static void make_stub(struct guest_prog *p, unsigned int vector)
{
	uint8_t *stub = p->mem + STUBS + vector * STUB_SIZE;

	if (vector < 32 && HAS_ERROR_CODE & 1U << vector) {
		memcpy(stub, (uint8_t[]){ 0x48, 0x83, 0xc4, 0x08 }, 4);
		stub += 4;
	}
	memcpy(stub, (uint8_t[]){ 0x41, 0xbf, vector, 0, 0, 0, 0xe9 }, 7);
	set_gate(p->mem, vector, p->gpa + STUBS + vector * STUB_SIZE);
}

static void make_tables(struct guest_prog *p)
{
	uint64_t *gdt = (uint64_t *)(p->mem + GDT);
	uint16_t limits[] = { 3 * 8 - 1, 256 * 16 - 1 };
	uint64_t bases[] = { p->gpa + GDT, p->gpa + IDT };

	gdt[CODE_SEL / 8] = CODE_DESC;
	gdt[DATA_SEL / 8] = DATA_DESC;
	for (int i = 0; i < 2; i++) {
		uint8_t *reg = p->mem + (i ? IDTR : GDTR);

		memcpy(reg, &limits[i], sizeof(limits[i]));
		memcpy(reg + 2, &bases[i], sizeof(bases[i]));
	}
	for (unsigned int i = 0; i < 256; i++)
		make_stub(p, i);
}

static void load_tables(struct guest_prog *p)
{
	system_op(p, 2, p->gpa + GDTR);
	system_op(p, 3, p->gpa + IDTR);
	mov_imm(p, RSP, p->gpa + STACK_TOP);
	EMIT(p, 0xb8, DATA_SEL, 0, 0, 0);
	EMIT(p, 0x8e, 0xd0);				/* mov %eax, %ss */
	EMIT(p, 0x6a, CODE_SEL);			/* push */
	EMIT(p, 0x48, 0x8d, 0x05, 3, 0, 0, 0);		/* lea behind the lretq, %rax */
	EMIT(p, 0x50, 0x48, 0xcb);			/* push %rax; lretq */
}

/* All stubs go to one instruction of the program, which goes to the handler. */
static void x86_irq_handler(struct guest_prog *p, int label)
{
	int over = g_label(p);
	uint64_t common;

	x86_jmp(p, over);
	common = p->gpa + p->len;
	x86_jmp(p, label);
	g_place(p, over);

	make_tables(p);
	for (unsigned int i = 0; i < 256; i++) {
		bool drop = i < 32 && HAS_ERROR_CODE & 1U << i;
		size_t at = STUBS + i * STUB_SIZE + (drop ? 4 : 0) + 11;

		p->isa->fixup(p, at, common);
	}
	load_tables(p);
}

static void x86_get_vector(struct guest_prog *p, enum guest_reg reg)
{
	mov(p, gprs[reg], R15);
}

static void x86_iret(struct guest_prog *p)
{
	EMIT(p, 0x48, 0xcf);
}

static void x86_fixup(struct guest_prog *p, size_t at, uint64_t target)
{
	uint32_t rel = target - (p->gpa + at);

	memcpy(p->mem + at - sizeof(rel), &rel, sizeof(rel));
}

const struct guest_isa guest_isa_x86 = {
	.backend	= AXVCPU_BACKEND_VMX,
	.gpr		= { RBX, RBP, R10, R11, R12, R13 },
	.pc		= 16,
	.irq_reg	= R15,
	.reg_id		= x86_reg_id,
	.sysreg		= 0x1a0,	/* IA32_MISC_ENABLE */
	.gp_vector	= 13,
	.exceptions	= { 13, 6 },
	.max_vector	= 255,
	.max_exception	= 31,
	.no_reg		= 0x1001f,
	.init_memory	= x86_init_memory,
	.setup		= x86_setup,
	.movi		= x86_movi,
	.addi		= x86_addi,
	.load		= x86_load,
	.store		= x86_store,
	.out		= x86_out,
	.in		= x86_in,
	.hypercall	= x86_hypercall,
	.rdsys		= x86_rdsys,
	.wrsys		= x86_wrsys,
	.halt		= x86_halt,
	.jmp		= x86_jmp,
	.jnz		= x86_jnz,
	.spin		= x86_spin,
	.kernel_exit	= x86_kernel_exit,
	.shutdown	= x86_shutdown,
	.sti		= x86_sti,
	.cli		= x86_cli,
	.irq_handler	= x86_irq_handler,
	.get_vector	= x86_get_vector,
	.iret		= x86_iret,
	.fixup		= x86_fixup,
};
