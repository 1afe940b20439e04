// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole state of an x86 vCPU by register ids: what is written is read
 * back and has its effect, and a vCPU saved between any two instructions goes
 * on in another one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define MAIN_PORT	0x10
#define IRQ_PORT	0x20
#define ROUNDS		30
#define TF		0x100
#define GP_EVENT	(13 | 3 << 8 | 1 << 11 | 1U << 31)	/* #GP, as a VMCS has it */

static uint64_t get(int fd, uint64_t id)
{
	uint64_t value = ~0ULL;

	get_reg(fd, id, &value);
	return value;
}

struct result {
	uint64_t g3, g4, g5;
};

FIXTURE(x86_save) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_vcpu w;
	struct guest_prog p;
	int handler;
	uint64_t entry;
};

/* G0 counts what the main program does, G1 the handler's calls, G2 is the last vector. */
FIXTURE_SETUP(x86_save)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "not x86");
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->w, 1));
	self->handler = g_begin_with_irqs(&self->p, &self->g);
}

FIXTURE_TEARDOWN(x86_save)
{
	vcpu_destroy(&self->w);
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

static int setup(FIXTURE_DATA(x86_save) *self, struct guest_vcpu *v)
{
	int err = vcpu_setup(&self->g, v, self->entry);

	return err ? err : bind_vcpu(v->fd, -1);
}

/* The main program is written; the handler follows. */
static int start(FIXTURE_DATA(x86_save) *self)
{
	struct guest_prog *p = &self->p;

	g_count_irqs(p, self->handler, IRQ_PORT);
	self->entry = g_end(p);
	return setup(self, &self->v);
}

static void outs(struct guest_prog *p)
{
	int loop = g_here(p);

	g_addi(p, G0, 1);
	g_out(p, MAIN_PORT, G0, 1);
	g_jmp(p, loop);
}

#define EXPECT_MAIN(v)								\
do {										\
	ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));			\
	EXPECT_EQ(MAIN_PORT, (v)->run->io.port);				\
} while (0)

#define EXPECT_VECTOR(v, vector)						\
do {										\
	ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));			\
	EXPECT_EQ(IRQ_PORT, (v)->run->io.port);					\
	EXPECT_EQ((uint64_t)(vector), *greg(v, G2));				\
} while (0)

/* The other vCPU takes over where this one is. */
static int move(FIXTURE_DATA(x86_save) *self)
{
	struct axvcpu_reg regs[GUEST_MAX_STATE];
	int count = get_state_of(&self->v, regs);
	int err = count < 0 ? count : setup(self, &self->w);

	return err ? err : set_state_of(&self->w, regs, count);
}

TEST_F(x86_save, reads_what_was_written)
{
	static const struct {
		uint64_t id, value, read;
	} rows[] = {
		{ AXVCPU_X86_REG_CR8, 7, 7 },
		{ AXVCPU_X86_REG_DR(0), 0x1234567890abcdef, 0x1234567890abcdef },
		{ AXVCPU_X86_REG_DR(3), 1, 1 },
		{ AXVCPU_X86_REG_DR(6), 0, 0xffff0ff0 },
		{ AXVCPU_X86_REG_DR(6), 0xffffffff, 0xffffefff },
		{ AXVCPU_X86_REG_DR(7), 0, 0x400 },
		{ AXVCPU_X86_REG_DR(7), 0xffffffff, 0xffff27ff },
		{ AXVCPU_X86_REG_DR(7), 0x400, 0x400 },
		{ AXVCPU_X86_REG_TSC_OFFSET, -5, -5 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 1, 1 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 8, 8 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 0, 0 },
		{ AXVCPU_X86_REG_PENDING_DEBUG, 0x4001, 0x4001 },
		{ AXVCPU_X86_REG_PENDING_DEBUG, 0, 0 },
		{ AXVCPU_X86_REG_HALTED, 1, 1 },
		{ AXVCPU_X86_REG_HALTED, 0, 0 },
		{ AXVCPU_X86_REG_EVENT, GP_EVENT | 0x18ULL << 32, GP_EVENT | 0x18ULL << 32 },
		{ AXVCPU_X86_REG_EVENT, 0x80000400 | 0x80 | 2ULL << 48,
		  0x80000400 | 0x80 | 2ULL << 48 },
		{ AXVCPU_X86_REG_EVENT, 0x80000202, 0x80000202 },
		{ AXVCPU_X86_REG_EVENT, 0x80000030, 0x80000030 },
		{ AXVCPU_X86_REG_EVENT, 0, 0 },
		{ AXVCPU_X86_REG_QUEUED_EXCEPTION, GP_EVENT, GP_EVENT },
		{ AXVCPU_X86_REG_QUEUED_EXCEPTION, 0, 0 },
		{ AXVCPU_X86_REG_QUEUED_NMI, 1, 1 },
		{ AXVCPU_X86_REG_QUEUED_NMI, 0, 0 },
		{ AXVCPU_X86_REG_QUEUED_IRQS(0), 1ULL << 40, 1ULL << 40 },
		{ AXVCPU_X86_REG_QUEUED_IRQS(3), 1, 1 },
		{ AXVCPU_X86_REG_FXSAVE(3), 0x1fa0, 0x1fa0 },
		{ AXVCPU_X86_REG_FXSAVE(51), -1, -1 },
		{ AXVCPU_X86_REG_FXSAVE(0), 0x27f, 0x27f },
	};

	ASSERT_EQ(0, start(self));
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(0, set_reg(self->v.fd, rows[i].id, rows[i].value)) TH_LOG("row %d", i);
		EXPECT_EQ(rows[i].read, get(self->v.fd, rows[i].id)) TH_LOG("row %d", i);
	}
	/* As after reset */
	EXPECT_EQ(0, get(self->v.fd, AXVCPU_X86_REG_FXSAVE(20)));
	EXPECT_EQ(0, get(self->v.fd, AXVCPU_X86_REG_FXSAVE(4)));
}

/* Each has a place of its own. */
TEST_F(x86_save, pdptes)
{
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_PDPTE(i), 0x1000ULL * (i + 1)));
	for (int i = 0; i < 4; i++) {
		uint64_t value;

		ASSERT_EQ(0, get_reg(self->v.fd, AXVCPU_X86_REG_PDPTE(i), &value));
		EXPECT_EQ(0x1000ULL * (i + 1), value);
	}
}

TEST_F(x86_save, refuses_bad_values)
{
	static const struct axvcpu_reg rows[] = {
		{ AXVCPU_X86_REG_CR8, 16 },
		{ AXVCPU_X86_REG_DR(4), 0 },
		{ AXVCPU_X86_REG_DR(5), 0 },
		{ AXVCPU_X86_REG_DR(6), 1ULL << 32 },
		{ AXVCPU_X86_REG_DR(7), 1ULL << 32 },
		{ AXVCPU_X86_REG_DR(8), 0 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 3 },
		{ AXVCPU_X86_REG_INTERRUPTIBILITY, 4 },
		{ AXVCPU_X86_REG_PENDING_DEBUG, 0x10 },
		{ AXVCPU_X86_REG_HALTED, 2 },
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 13 | 3 << 8 },	/* #GP without a code */
		{ AXVCPU_X86_REG_EVENT, GP_EVENT | 0x8000ULL << 32 },
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 32 | 3 << 8 },	/* no exception */
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 3 | 2 << 8 },	/* no NMI */
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 3 | 4 << 8 },	/* INT of no length */
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 3 | 4 << 8 | 16ULL << 48 },
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 1 << 8 },		/* no type */
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 7 << 8 },
		{ AXVCPU_X86_REG_EVENT, 13 | 3 << 8 },			/* not valid, not 0 */
		{ AXVCPU_X86_REG_EVENT, 1U << 31 | 1 << 12 | 0x30 },	/* a reserved bit */
		{ AXVCPU_X86_REG_QUEUED_EXCEPTION, 1 },
		{ AXVCPU_X86_REG_QUEUED_EXCEPTION, 1U << 31 | 2 | 3 << 8 },
		{ AXVCPU_X86_REG_QUEUED_NMI, 2 },
		{ AXVCPU_X86_REG_QUEUED_IRQS(4), 0 },
		{ AXVCPU_X86_REG_FXSAVE(3), 1 << 16 },
		{ AXVCPU_X86_REG_FXSAVE(AXVCPU_X86_NR_FXSAVE), 0 },
	};
	uint64_t event;

	ASSERT_EQ(0, start(self));
	event = get(self->v.fd, AXVCPU_X86_REG_EVENT);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(-EINVAL, set_reg(self->v.fd, rows[i].id, rows[i].value))
			TH_LOG("row %d", i);
	}
	EXPECT_EQ(event, get(self->v.fd, AXVCPU_X86_REG_EVENT));
}

/* RDTSC and WRMSR of the counter, in the guest and from here */
TEST_F(x86_save, has_a_time_of_its_own)
{
	const uint64_t then = 1ULL << 60;
	static const uint8_t rdtsc[] = {
		0x0f, 0x31,			/* rdtsc */
		0x48, 0xc1, 0xe2, 0x20,		/* shl $32, %rdx */
		0x48, 0x09, 0xd0,		/* or %rdx, %rax */
		0x49, 0x89, 0xc3,		/* mov %rax, %r11 */
	};
	static const uint8_t wrmsr[] = {
		0xb9, 0x10, 0, 0, 0,		/* mov $0x10, %ecx */
		0x31, 0xc0,			/* xor %eax, %eax */
		0xba, 0, 0, 0, 0x20,		/* mov $0x20000000, %edx */
		0x0f, 0x30,			/* wrmsr */
	};

	g_emit(&self->p, rdtsc, sizeof(rdtsc));
	g_out(&self->p, MAIN_PORT, G0, 1);
	g_emit(&self->p, wrmsr, sizeof(wrmsr));
	g_emit(&self->p, rdtsc, sizeof(rdtsc));
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_MSR(0x10), then));
	EXPECT_MAIN(&self->v);
	EXPECT_LE(then, *greg(&self->v, G3));
	EXPECT_GT(then + (1ULL << 40), *greg(&self->v, G3));
	EXPECT_LT(*greg(&self->v, G3), get(self->v.fd, AXVCPU_X86_REG_MSR(0x10)));
	EXPECT_MAIN(&self->v);
	EXPECT_LE(1ULL << 61, *greg(&self->v, G3));
	EXPECT_GT((1ULL << 61) + (1ULL << 40), *greg(&self->v, G3));
}

/* The priority that the guest blocks, and what it blocks, go along. */
TEST_F(x86_save, queued_events)
{
	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN(&self->v);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_CR8, 8));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0x45));
	ASSERT_EQ(0, inject_irq(self->v.fd, 0xe1));
	ASSERT_EQ(0, move(self));
	EXPECT_VECTOR(&self->w, 0xe1);
	EXPECT_MAIN(&self->w);
	EXPECT_EQ(8, get(self->w.fd, AXVCPU_X86_REG_CR8));
	ASSERT_EQ(0, set_reg(self->w.fd, AXVCPU_X86_REG_CR8, 0));
	EXPECT_VECTOR(&self->w, 0x45);
	EXPECT_MAIN(&self->w);
}

TEST_F(x86_save, exception_that_is_due)
{
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN(&self->v);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_EVENT, GP_EVENT));
	ASSERT_EQ(0, move(self));
	EXPECT_VECTOR(&self->w, 13);
	EXPECT_EQ(1, *greg(&self->w, G0));
	EXPECT_MAIN(&self->w);
	EXPECT_EQ(0, get(self->w.fd, AXVCPU_X86_REG_EVENT));
}

/* One instruction goes first where an STI or MOV SS came before. */
TEST_F(x86_save, shadow)
{
	g_sti(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN(&self->v);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_INTERRUPTIBILITY, 2));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_QUEUED_IRQS(1), 1));
	ASSERT_EQ(0, move(self));
	EXPECT_EQ(2, get(self->w.fd, AXVCPU_X86_REG_INTERRUPTIBILITY));
	EXPECT_VECTOR(&self->w, 64);
	EXPECT_EQ(0, get(self->w.fd, AXVCPU_X86_REG_INTERRUPTIBILITY));
}

/* A halt that a kick cut short goes on in the other vCPU. */
TEST_F(x86_save, halted)
{
	g_sti(&self->p);
	g_halt(&self->p);
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, kick_vcpu(self->v.fd));
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, AXVCPU_RUN_WAIT));
	EXPECT_EQ(0, get(self->v.fd, AXVCPU_X86_REG_HALTED));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_HALTED, 1));
	ASSERT_EQ(0, move(self));
	ASSERT_EQ(0, run_until(&self->w, AXVCPU_EXIT_HALT));
	EXPECT_EQ(get(self->v.fd, AXVCPU_X86_REG_RIP), self->w.run->regs.x86.rip);
	EXPECT_EQ(0, get(self->w.fd, AXVCPU_X86_REG_HALTED));
	ASSERT_EQ(0, run_until(&self->w, AXVCPU_EXIT_HALT));
	EXPECT_MAIN(&self->w);
}

/* PAE paging by ids alone: the table's entries are the CPU's, and go along. */
TEST_F(x86_save, pae)
{
	static const uint8_t code[] = {
		/* movl $0xdeadbeef, 0x40000000; hlt */
		0xc7, 0x05, 0, 0, 0, 0x40, 0xef, 0xbe, 0xad, 0xde, 0xf4,
		/* movl $0x12345678, 0x40000004; hlt */
		0xc7, 0x05, 4, 0, 0, 0x40, 0x78, 0x56, 0x34, 0x12, 0xf4,
	};
	uint64_t *pd = (uint64_t *)(self->g.mem + 0x5000);
	struct axvcpu_reg regs[GUEST_MAX_STATE];
	struct axvcpu_setup args;
	int count;

	/* A page of 2 MiB at the second GiB, which is the first of memory */
	pd[0] = 0xe3;
	memcpy(self->g.mem + GUEST_DATA, code, sizeof(code));
	setup_init(&self->g, &args, GUEST_DATA);
	memset(&args.config, 0, sizeof(args.config));
	args.config.x86.mode = AXVCPU_X86_MODE_PROTECTED;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &args));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_CR4, 1 << 5));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_CR3, 0x6000));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_PDPTE(0), 0x3001));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_PDPTE(1), 0x5001));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_CR0, 0x80000011));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	EXPECT_EQ(0xdeadbeef, *(uint32_t *)self->g.mem);
	EXPECT_EQ(0x5001, get(self->v.fd, AXVCPU_X86_REG_PDPTE(1)));
	count = get_state_of(&self->v, regs);
	ASSERT_LT(0, count);
	ASSERT_EQ(0, XIOCTL(self->w.fd, AXVCPU_SETUP, &args));
	ASSERT_EQ(0, bind_vcpu(self->w.fd, -1));
	ASSERT_EQ(0, set_state_of(&self->w, regs, count));
	ASSERT_EQ(0, run_until(&self->w, AXVCPU_EXIT_HALT));
	EXPECT_EQ(0x12345678, *(uint32_t *)(self->g.mem + 4));
}

/* A breakpoint on what the guest executes next but one. */
TEST_F(x86_save, breakpoint)
{
	outs(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_MAIN(&self->v);
	EXPECT_MAIN(&self->v);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_DR(2),
			     get(self->v.fd, AXVCPU_X86_REG_RIP)));
	EXPECT_MAIN(&self->v);
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_X86_REG_DR(7), 0x400 | 1 << 4));
	ASSERT_EQ(0, move(self));
	EXPECT_VECTOR(&self->w, 1);
	EXPECT_EQ(4, get(self->w.fd, AXVCPU_X86_REG_DR(6)) & 15);
}

/* A checksum in integer, x87 and SSE registers */
static void checksum(struct guest_prog *p)
{
	static const uint8_t begin[] = {
		0xdb, 0xe3,			/* fninit */
		0xd9, 0xe8,			/* fld1 */
		0x66, 0x0f, 0xef, 0xc0,		/* pxor %xmm0, %xmm0 */
		0x66, 0x0f, 0x76, 0xc9,		/* pcmpeqd %xmm1, %xmm1 */
		0x66, 0x0f, 0x73, 0xd1, 0x21,	/* psrlq $33, %xmm1 */
		0x66, 0x0f, 0x6f, 0xf9,		/* movdqa %xmm1, %xmm7 */
		0x48, 0x31, 0xf6,		/* xor %rsi, %rsi */
		0x31, 0xff,			/* xor %edi, %edi */
	};
	static const uint8_t round[] = {
		0x48, 0x69, 0xf6, 0x0d, 0x66, 0x19, 0x00, /* imul $0x19660d, %rsi, %rsi */
		0x48, 0x81, 0xc6, 0x5f, 0xf3, 0x6e, 0x3c, /* add $0x3c6ef35f, %rsi */
		0x66, 0x48, 0x0f, 0x6e, 0xd6,	/* movq %rsi, %xmm2 */
		0x66, 0x0f, 0xd4, 0xc2,		/* paddq %xmm2, %xmm0 */
		0x66, 0x0f, 0xd4, 0xf9,		/* paddq %xmm1, %xmm7 */
		0xd8, 0xc0,			/* fadd %st(0), %st */
		0xd9, 0xfa,			/* fsqrt */
		0xff, 0xc7,			/* inc %edi */
		0x81, 0xff, ROUNDS & 0xff, ROUNDS >> 8, 0, 0, /* cmp $ROUNDS, %edi */
		0x75, 256 - 41,			/* jne round */
	};
	static const uint8_t end[] = {
		0x66, 0x49, 0x0f, 0x7e, 0xc3,	/* movq %xmm0, %r11 */
		0x66, 0x49, 0x0f, 0x7e, 0xfc,	/* movq %xmm7, %r12 */
		0x49, 0x31, 0xf4,		/* xor %rsi, %r12 */
		0xdd, 0x9c, 0x24, 0, 0xff, 0xff, 0xff,		/* fstpl -256(%rsp) */
		0x4c, 0x8b, 0xac, 0x24, 0, 0xff, 0xff, 0xff,	/* mov -256(%rsp), %r13 */
		0x0f, 0x01, 0xc1,		/* vmcall */
	};

	g_out(p, MAIN_PORT, G0, 1);
	g_emit(p, begin, sizeof(begin));
	g_emit(p, round, sizeof(round));
	/* The handler leaves no port where it was, and a HLT would not wait for its trap. */
	g_emit(p, end, sizeof(end));
}

static struct result result(struct guest_vcpu *v)
{
	return (struct result){ *greg(v, G3), *greg(v, G4), *greg(v, G5) };
}

/* SSE, and a trap behind each instruction; the handler's IRET keeps it up. */
static int start_stepping(FIXTURE_DATA(x86_save) *self, uint64_t flags)
{
	int err = set_reg(self->v.fd, AXVCPU_X86_REG_CR4, 0x620);

	if (!err)
		err = run_until(&self->v, AXVCPU_EXIT_IO_WRITE);
	return err ? err : set_reg(self->v.fd, AXVCPU_X86_REG_RFLAGS, 2 | flags);
}

/* Another instruction of the main program; 1: it has come to its end. */
static int step(struct guest_vcpu *v)
{
	int err = run_vcpu(v->fd, 0);

	if (err)
		return err;
	if (v->run->exit_reason == AXVCPU_EXIT_HYPERCALL)
		return 1;
	return v->run->exit_reason == AXVCPU_EXIT_IO_WRITE && *greg(v, G2) == 1 ? 0 : -EPROTO;
}

static int compute(FIXTURE_DATA(x86_save) *self, struct result *expected)
{
	int err = start(self);

	if (!err)
		err = start_stepping(self, 0);
	if (!err)
		err = run_until(&self->v, AXVCPU_EXIT_HYPERCALL);
	*expected = result(&self->v);
	if (!err)
		err = unbind_vcpu(self->v.fd);
	if (!err)
		err = reset_vcpu(self->v.fd);
	if (!err)
		err = setup(self, &self->v);
	return err ? err : start_stepping(self, TF);
}

/* After each of its instructions, the guest goes on in another vCPU, on another CPU. */
TEST_F(x86_save, goes_on_elsewhere)
{
	struct guest_vcpu *from = &self->v, *to = &self->w, *old;
	struct axvcpu_reg regs[GUEST_MAX_STATE];
	struct result expected, got;
	int moves = 0, count, end, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	checksum(&self->p);
	ASSERT_EQ(0, compute(self, &expected));
	EXPECT_NE(0, expected.g3);
	EXPECT_NE(0, expected.g4);
	EXPECT_NE(0, expected.g5);
	for (;; moves++) {
		end = step(from);
		ASSERT_LE(0, end);
		if (end)
			break;
		count = get_state_of(from, regs);
		ASSERT_LT(0, count);
		ASSERT_EQ(0, unbind_vcpu(from->fd));
		ASSERT_EQ(0, reset_vcpu(from->fd));
		ASSERT_EQ(0, pin_to_cpu(moves % cpus));
		ASSERT_EQ(0, setup(self, to));
		ASSERT_EQ(0, set_state_of(to, regs, count));
		old = from;
		from = to;
		to = old;
	}
	got = result(from);
	EXPECT_LT(10 * ROUNDS, moves);
	EXPECT_EQ(expected.g3, got.g3);
	EXPECT_EQ(expected.g4, got.g4);
	EXPECT_EQ(expected.g5, got.g5);
}

TEST_HARNESS_MAIN
