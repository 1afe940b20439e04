// SPDX-License-Identifier: GPL-2.0-only
/* E14: modes in odd orders, and what the guest's own rings let it do. */
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"

#include "x86_code.h"

#define UD		6
#define GP		13
#define EXCEPTION	(CODE_EXIT + AXVCPU_EXIT_EXCEPTION)

#define GDT		0x4800
#define PAE_PD		0x5000
#define PDPT		0x6000
#define OLD_PD		0x7000
#define CODE32_SEL	0x18
#define ALIAS		0x40000000	/* in PAE and 32-bit paging: the first pages again */

#define LME		0x100
#define LMA		0x400
#define EFER		0xc0000080

/* An address in a piece that knows where it is put */
#define AT(name, label)	"(" #label " - " #name " + 0x80000)"

/*
 * 64-bit mode, compatibility mode, out of long mode with LME still on, back into it, out
 * again with LME off, PAE paging, 32-bit paging, none, long mode. On the way EFER is put
 * down at %rdi, and what the paging of the time shows at ALIAS behind it. Where
 * something is #GP, the VMM goes on behind its 3 bytes.
 */
CODE(modes, "\n"
	"push $0x18\n push $" AT(modes, 1f) "\n lretq\n"
	".code32\n"
	"1: mov %cr0, %eax\n btr $31, %eax\n mov %eax, %cr0\n"
	"mov $0xc0000080, %ecx\n rdmsr\n mov %eax, (%edi)\n"		/* LME alone */
	"mov %cr4, %eax\n btr $5, %eax\n mov %eax, %cr4\n"
	"mov %cr0, %eax\n bts $31, %eax\n modes_no_pae: mov %eax, %cr0\n"	/* #GP */
	"mov %cr4, %eax\n bts $5, %eax\n mov %eax, %cr4\n"
	"mov %cr0, %eax\n bts $31, %eax\n mov %eax, %cr0\n"		/* long again */
	"rdmsr\n mov %eax, 4(%edi)\n"
	"mov %cr4, %eax\n btr $5, %eax\n modes_pae_off: mov %eax, %cr4\n"	/* #GP */
	"mov %cr0, %eax\n btr $31, %eax\n mov %eax, %cr0\n"
	"btr $0, %eax\n bts $31, %eax\n modes_no_pe: mov %eax, %cr0\n"	/* #GP */
	"rdmsr\n and $~0x100, %eax\n wrmsr\n"
	"mov $0x6000, %eax\n mov %eax, %cr3\n"
	"mov %cr0, %eax\n bts $31, %eax\n mov %eax, %cr0\n"		/* PAE */
	"rdmsr\n mov %eax, 8(%edi)\n"
	"mov 0x40000000(%edi), %eax\n mov %eax, 12(%edi)\n"
	"mov %cr0, %eax\n btr $31, %eax\n mov %eax, %cr0\n"
	"mov %cr4, %eax\n btr $5, %eax\n bts $4, %eax\n mov %eax, %cr4\n"
	"mov $0x7000, %eax\n mov %eax, %cr3\n"
	"mov %cr0, %eax\n bts $31, %eax\n mov %eax, %cr0\n"		/* 32-bit */
	"mov 0x40000004(%edi), %eax\n mov %eax, 16(%edi)\n"
	/* PAE under way, but these are no PDPTEs: #GP */
	"mov %cr4, %eax\n bts $5, %eax\n modes_no_pdpte: mov %eax, %cr4\n"
	"mov %cr0, %eax\n btr $31, %eax\n mov %eax, %cr0\n"
	"mov %cr4, %eax\n btr $4, %eax\n bts $5, %eax\n mov %eax, %cr4\n"
	"mov $0x1000, %eax\n mov %eax, %cr3\n"
	"rdmsr\n or $0x100, %eax\n wrmsr\n"
	"mov %cr0, %eax\n bts $31, %eax\n mov %eax, %cr0\n"
	"rdmsr\n mov %eax, 20(%edi)\n"
	"ljmp $8, $" AT(modes, 2f) "\n"
	".code64\n2: nop");
/* Where its #GPs are */
#define PLACE(name)	extern const uint8_t name[]
PLACE(modes_no_pae);
PLACE(modes_pae_off);
PLACE(modes_no_pe);
PLACE(modes_no_pdpte);

CODE(nops, "nop; nop");

CODE_FIXTURE(x86_modes);

static void make_tables(FIXTURE_DATA(x86_modes) *self)
{
	uint8_t *mem = self->c.g.mem;
	uint64_t *gdt = (uint64_t *)(mem + GDT), *pdpt = (uint64_t *)(mem + PDPT);
	uint32_t *pd = (uint32_t *)(mem + OLD_PD);

	gdt[1] = 0x00af9b000000ffff;		/* code of 64, data, code of 32 bits */
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = 0x00cf9b000000ffff;
	*(uint64_t *)(mem + PAE_PD) = 0xe3;
	pdpt[0] = 0x3001;
	pdpt[1] = PAE_PD | 1;
	pd[0] = 0xe3;
	pd[ALIAS >> 22] = 0xe3;
}

/* A #GP that the VMM sees, where the guest has no table of gates for the mode */
static int skip_gp(FIXTURE_DATA(x86_modes) *self, const uint8_t *where)
{
	if (code_go_on(&self->c) != EXCEPTION || self->run->exception.vector != GP ||
	    self->run->regs.x86.rip != CODE_GPA + (uint64_t)(where - modes))
		return -EPROTO;
	self->run->regs.x86.rip += 3;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	return 0;
}

/* As vmx.rst has it: real, protected, long */
static const struct {
	uint64_t id;
	uint64_t values[3];
} starts[] = {
#define R(name)		AXVCPU_X86_REG_##name
#define SAME(value)	{ value, value, value }
#define DATA(n)								\
	{ R(SEG_SELECTOR(n)), SAME(0) }, { R(SEG_BASE(n)), SAME(0) },	\
	{ R(SEG_LIMIT(n)), { 0xffff, 0xffffffff, 0xffffffff } },	\
	{ R(SEG_ACCESS(n)), { 0x93, 0xc093, 0xc093 } }
	{ R(CR0), { 0x10, 0x10011, 0x80010011 } }, { R(CR2), SAME(0) },
	{ R(CR3), { 0, 0, 0x1000 } }, { R(CR4), { 0, 0x600, 0x620 } }, { R(CR8), SAME(0) },
	{ R(MSR(EFER)), { 0, 0, LME | LMA } }, { R(RFLAGS), SAME(2) },
	{ R(RIP), { 0x2345, 0x12345, 0x12345 } }, { R(XCR0), SAME(1) },
	{ R(SEG_SELECTOR(AXVCPU_X86_SEG_CS)), { 0x1000, 0, 0 } },
	{ R(SEG_BASE(AXVCPU_X86_SEG_CS)), { 0x10000, 0, 0 } },
	{ R(SEG_LIMIT(AXVCPU_X86_SEG_CS)), { 0xffff, 0xffffffff, 0xffffffff } },
	{ R(SEG_ACCESS(AXVCPU_X86_SEG_CS)), { 0x9b, 0xc09b, 0xa09b } },
	DATA(AXVCPU_X86_SEG_DS), DATA(AXVCPU_X86_SEG_ES), DATA(AXVCPU_X86_SEG_SS),
	DATA(AXVCPU_X86_SEG_FS), DATA(AXVCPU_X86_SEG_GS),
	{ R(SEG_SELECTOR(AXVCPU_X86_SEG_LDTR)), SAME(0) },
	{ R(SEG_BASE(AXVCPU_X86_SEG_LDTR)), SAME(0) },
	{ R(SEG_LIMIT(AXVCPU_X86_SEG_LDTR)), SAME(0xffff) },
	{ R(SEG_ACCESS(AXVCPU_X86_SEG_LDTR)), SAME(0x82) },
	{ R(SEG_SELECTOR(AXVCPU_X86_SEG_TR)), SAME(0) },
	{ R(SEG_BASE(AXVCPU_X86_SEG_TR)), SAME(0) },
	{ R(SEG_LIMIT(AXVCPU_X86_SEG_TR)), SAME(0xffff) },
	{ R(SEG_ACCESS(AXVCPU_X86_SEG_TR)), SAME(0x8b) },
	{ R(GDTR_BASE), SAME(0) }, { R(GDTR_LIMIT), { 0xffff, 0, 0 } },
	{ R(IDTR_BASE), SAME(0) }, { R(IDTR_LIMIT), { 0xffff, 0, 0 } },
	{ R(DR(0)), SAME(0) }, { R(DR(3)), SAME(0) }, { R(DR(6)), SAME(0xffff0ff0) },
	{ R(DR(7)), SAME(0x400) }, { R(MSR(0x277)), SAME(0x0007040600070406) },
	{ R(MSR(0xc0000082)), SAME(0) }, { R(MSR(0x174)), SAME(0) },
	{ R(FXSAVE(0)), SAME(0x37f) }, { R(FXSAVE(3)), SAME(0x1f80) }, { R(FXSAVE(20)), SAME(0) },
#undef DATA
#undef SAME
#undef R
};

TEST_F(x86_modes, starting_state)
{
	struct axvcpu_setup args;

	for (uint32_t mode = AXVCPU_X86_MODE_REAL; mode <= AXVCPU_X86_MODE_LONG; mode++) {
		struct guest_vcpu v;

		ASSERT_EQ(0, vcpu_create(&self->c.g, &v, 9));
		setup_init(&self->c.g, &args, 0x12345);
		args.config.x86.mode = mode;
		args.config.x86.cr3 = mode == AXVCPU_X86_MODE_LONG ? 0x1000 : 0;
		ASSERT_EQ(0, XIOCTL(v.fd, AXVCPU_SETUP, &args));
		for (int i = 0; i < ARRAY_SIZE(starts); i++) {
			uint64_t value = 0;

			EXPECT_EQ(0, get_reg(v.fd, starts[i].id, &value));
			EXPECT_EQ(starts[i].values[mode], value)
				TH_LOG("mode %u, register %llx", mode,
				       (unsigned long long)starts[i].id);
		}
		vcpu_destroy(&v);
	}
}

TEST_F(x86_modes, in_odd_order)
{
	const uint32_t *told = (const uint32_t *)(self->c.g.mem + CODE_DATA);
	uint64_t base = code_reg(&self->c, AXVCPU_X86_REG_GDTR_BASE);

	make_tables(self);
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_GDTR_BASE, GDT));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_GDTR_LIMIT, 4 * 8 - 1));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 1 << GP));
		memset(self->c.g.mem + CODE_DATA, 0, 32);
		self->gpr[AXVCPU_X86_RDI] = CODE_DATA;
		code_place(&self->c, modes, modes_end - modes);
		ASSERT_EQ(0, skip_gp(self, modes_no_pae));
		EXPECT_EQ(0x10011, code_reg(&self->c, AXVCPU_X86_REG_CR0));
		ASSERT_EQ(0, skip_gp(self, modes_pae_off));
		EXPECT_EQ(LME | LMA, code_reg(&self->c, AXVCPU_X86_REG_MSR(EFER)));
		ASSERT_EQ(0, skip_gp(self, modes_no_pe));
		ASSERT_EQ(0, skip_gp(self, modes_no_pdpte));
		ASSERT_EQ(CODE_DONE, code_go_on(&self->c))
			TH_LOG("at %llx", self->run->regs.x86.rip);
		EXPECT_EQ(LME, told[0]);
		EXPECT_EQ(LME | LMA, told[1]);
		EXPECT_EQ(0, told[2]);
		EXPECT_EQ(LME, told[3]);
		EXPECT_EQ(LME | LMA, told[4]);
		EXPECT_EQ(LME | LMA, told[5]);
		EXPECT_EQ(0x80010011, code_reg(&self->c, AXVCPU_X86_REG_CR0));
		EXPECT_EQ(0x620, code_reg(&self->c, AXVCPU_X86_REG_CR4));
		/* It has its gates again. */
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_EXCEPTION_EXITS, 0));
		ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_GDTR_BASE, base));
		EXPECT_EQ(CODE_DONE, RUN_CODE(&self->c, nops));
	}
}

/* All of memory is ring 3's too; a TSS at 0 has ring 0's stack, and no bits for ports. */
static int let_ring3_in(FIXTURE_DATA(x86_modes) *self)
{
	uint8_t *mem = self->c.g.mem;

	for (int table = 0x1000; table <= 0x3000; table += 0x1000)
		*(uint64_t *)(mem + table) |= 4;
	*(uint64_t *)(mem + 4) = CODE_STACK - 0x1000;
	*(uint16_t *)(mem + 102) = 0xffff;
	return set_reg(self->c.v.fd, AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_TR), 103);
}

static int run_in_ring3(FIXTURE_DATA(x86_modes) *self, const uint8_t *code, size_t len)
{
	static const struct axvcpu_reg ring3[] = {
		{ AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_CS), 0x2b },
		{ AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0xa0fb },
		{ AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_SS), 0x33 },
		{ AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_SS), 0xffffffff },
		{ AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_SS), 0xc0f3 },
	};

	for (int i = 0; i < ARRAY_SIZE(ring3); i++) {
		if (set_reg(self->c.v.fd, ring3[i].id, ring3[i].value))
			return -EIO;
	}
	return code_run(&self->c, code, len);
}

/* The faults of privilege come before exits: nothing reaches the kernel or the VMM. */
TEST_F(x86_modes, ring3)
{
	static const struct {
		const char *name;
		uint8_t code[8];
		size_t len;
		int ret;
	} rows[] = {
#define ROW(name, ret, ...) \
	{ name, { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), ret }
		ROW("xsetbv", GP, 0x0f, 0x01, 0xd1),
		ROW("hlt", GP, 0xf4),
		ROW("rdpmc", GP, 0x0f, 0x33),
		ROW("invd", GP, 0x0f, 0x08),
		ROW("wbinvd", GP, 0x0f, 0x09),
		ROW("rdmsr", GP, 0x0f, 0x32),
		ROW("wrmsr", GP, 0x0f, 0x30),
		ROW("mov to cr0", GP, 0x0f, 0x22, 0xc0),
		ROW("mov from cr0", GP, 0x0f, 0x20, 0xc0),
		ROW("mov to cr3", GP, 0x0f, 0x22, 0xd8),
		ROW("mov to cr4", GP, 0x0f, 0x22, 0xe0),
		ROW("mov to cr8", GP, 0x44, 0x0f, 0x22, 0xc0),
		ROW("mov from cr8", GP, 0x44, 0x0f, 0x20, 0xc0),
		ROW("mov to dr7", GP, 0x0f, 0x23, 0xf8),
		ROW("mov from dr0", GP, 0x0f, 0x21, 0xc0),
		ROW("clts", GP, 0x0f, 0x06),
		ROW("lmsw", GP, 0x0f, 0x01, 0xf0),
		ROW("lgdt", GP, 0x0f, 0x01, 0x17),
		ROW("invlpg", GP, 0x0f, 0x01, 0x3f),
		ROW("cli", GP, 0xfa),
		ROW("in", GP, 0xe4, 0x10),
		ROW("out", GP, 0xe6, 0x10),
		ROW("outsb", GP, 0x6e),
		ROW("monitor", UD, 0x0f, 0x01, 0xc8),
		ROW("mwait", UD, 0x0f, 0x01, 0xc9),
		ROW("int 0x70", GP, 0xcd, 0x70),	/* a gate of ring 0's */
	};
	static const uint8_t vmcall[] = { 0x0f, 0x01, 0xc1 };
	/* smsw %ebx; xor %eax, %eax; cpuid; ud2 */
	static const uint8_t smsw_cpuid[] = {
		0x0f, 0x01, 0xe3, 0x31, 0xc0, 0x0f, 0xa2, 0x0f, 0x0b,
	};
	struct axvcpu_stats before, after;
	uint64_t xcr0 = code_reg(&self->c, AXVCPU_X86_REG_XCR0);

	ASSERT_EQ(0, let_ring3_in(self));
	/* Otherwise XSETBV is #UD. */
	ASSERT_EQ(0, set_reg(self->c.v.fd, AXVCPU_X86_REG_CR4, 0x40020));
	ASSERT_EQ(0, get_stats(self->c.v.fd, &before));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		self->gpr[AXVCPU_X86_RAX] = 3;
		self->gpr[AXVCPU_X86_RCX] = 0;
		self->gpr[AXVCPU_X86_RDX] = 0;
		self->gpr[AXVCPU_X86_RSI] = CODE_DATA;
		self->gpr[AXVCPU_X86_RDI] = CODE_DATA;
		EXPECT_EQ(rows[i].ret, run_in_ring3(self, rows[i].code, rows[i].len))
			TH_LOG("%s", rows[i].name);
		EXPECT_EQ(CODE_GPA, self->c.rip) TH_LOG("%s", rows[i].name);
	}
	ASSERT_EQ(0, get_stats(self->c.v.fd, &after));
	EXPECT_EQ(before.exits[AXVCPU_EXIT_IO_WRITE] + ARRAY_SIZE(rows),
		  after.exits[AXVCPU_EXIT_IO_WRITE]) TH_LOG("the handler's only");
	EXPECT_EQ(xcr0, code_reg(&self->c, AXVCPU_X86_REG_XCR0));

	/* What is everybody's: VMCALL, SMSW, CPUID */
	EXPECT_EQ(CODE_EXIT + AXVCPU_EXIT_HYPERCALL, run_in_ring3(self, vmcall, sizeof(vmcall)));
	EXPECT_EQ(UD, run_in_ring3(self, smsw_cpuid, sizeof(smsw_cpuid)));
	EXPECT_EQ(CODE_GPA + 7, self->c.rip);
}

TEST_HARNESS_MAIN
