// SPDX-License-Identifier: GPL-2.0-only
/* See x86_code.h. */
#include <string.h>
#include <sys/mman.h>

#include "x86_code.h"

#define HANDLER_PORT	0x20

/* In bytes: this file is built for every architecture. */
static const uint8_t mov_to_cr4[] = { 0x0f, 0x22, 0xe0 };	/* mov %rax, %cr4 */
static const uint8_t xsetbv[] = { 0x0f, 0x01, 0xd1 };
static const uint8_t done[] = { 0xe6, GUEST_DONE, 0xf4 };	/* out %al, $GUEST_DONE; hlt */

/** code_none() - no guest: nothing for code_destroy() to do */
void code_none(struct x86_code *c)
{
	*c = (struct x86_code){
		.g = { .dev = -1, .aspace = -1, .mem = MAP_FAILED },
		.v.fd = -1,
	};
}

/**
 * code_create() - a guest, not set up yet
 * @c: filled in
 * @vcpu_id: of its vCPU
 *
 * Return: 0, -EOPNOTSUPP: not on x86, or a negative errno.
 */
int code_create(struct x86_code *c, uint32_t vcpu_id)
{
	struct guest_prog p;
	int handler, err;

	code_none(c);
	err = guest_create(&c->g, 0);
	if (err)
		return err;
	if (c->g.info.backend != AXVCPU_BACKEND_VMX)
		return -EOPNOTSUPP;
	g_begin(&p, &c->g, GUEST_PROG(0));
	handler = g_label(&p);
	g_irq_handler(&p, handler);
	g_out(&p, GUEST_DONE, G0, 1);
	g_place(&p, handler);
	g_get_vector(&p, G2);
	g_out(&p, HANDLER_PORT, G2, 1);
	g_iret(&p);
	c->entry = g_end(&p);
	return vcpu_create(&c->g, &c->v, vcpu_id);
}

/**
 * code_setup() - from Created to where pieces can be run
 * @c: guest
 *
 * Return: 0 or a negative errno.
 */
int code_setup(struct x86_code *c)
{
	int err = vcpu_setup(&c->g, &c->v, c->entry);

	if (!err)
		err = bind_vcpu(c->v.fd, -1);
	c->v.run->regs_wanted = AXVCPU_REGS_SP;
	return err ? err : run_until(&c->v, AXVCPU_EXIT_IO_WRITE);
}

/**
 * code_start() - code_create() and code_setup()
 * @c: filled in
 * @vcpu_id: of its vCPU
 *
 * The page of code has a leaf then: Bochs takes a fault of EPT's for an instruction
 * behind which a trap is due.
 *
 * Return: as code_create().
 */
int code_start(struct x86_code *c, uint32_t vcpu_id)
{
	static const uint8_t nop[] = { 0x90 };
	int err = code_create(c, vcpu_id) ?: code_setup(c);

	if (err)
		return err;
	return code_run(c, nop, sizeof(nop)) == CODE_DONE ? 0 : -EPROTO;
}

/** code_destroy() - end it */
void code_destroy(struct x86_code *c)
{
	vcpu_destroy(&c->v);
	guest_destroy(&c->g);
}

/** code_place() - the guest is at the start of a piece, interrupts off */
void code_place(struct x86_code *c, const void *code, size_t len)
{
	uint8_t *mem = c->g.mem + CODE_GPA;
	struct axvcpu_run *run = c->v.run;

	memcpy(mem, code, len);
	memcpy(mem + len, done, sizeof(done));
	run->regs.x86.rip = CODE_GPA;
	run->regs.x86.rflags = 2;
	run->regs.x86.gpr[AXVCPU_X86_RSP] = CODE_STACK;
	run->regs_dirty = AXVCPU_REGS_PC | AXVCPU_REGS_SP;
}

static int handled(struct x86_code *c)
{
	uint64_t sp = c->v.run->regs.x86.gpr[AXVCPU_X86_RSP];
	const uint64_t *frame;

	if (sp < 8 || sp + 40 > c->g.size)
		return -EPROTO;
	frame = (const uint64_t *)(c->g.mem + sp);
	c->error_code = frame[-1];
	c->rip = frame[0];
	c->rsp = frame[3];
	return *greg(&c->v, G2) & 0xff;
}

/**
 * code_go_on() - run the piece on after an exit or an exception
 * @c: guest
 *
 * Return: as code_run().
 */
int code_go_on(struct x86_code *c)
{
	struct axvcpu_run *run = c->v.run;
	int err = run_vcpu(c->v.fd, 0);

	if (err)
		return err;
	if (run->exit_reason != AXVCPU_EXIT_IO_WRITE)
		return CODE_EXIT + run->exit_reason;
	if (run->io.port == HANDLER_PORT)
		return handled(c);
	return run->io.port == GUEST_DONE ? CODE_DONE : CODE_EXIT + run->exit_reason;
}

/**
 * code_run() - run a piece
 * @c: guest
 * @code: position-independent; GPRs are as the run page has them
 * @len: bytes
 *
 * Return: %CODE_DONE, the vector of what the guest took instead, %CODE_EXIT +
 * exit reason, or a negative errno.
 */
int code_run(struct x86_code *c, const void *code, size_t len)
{
	code_place(c, code, len);
	return code_go_on(c);
}

/** code_reg() - a register; ~0: there is none */
uint64_t code_reg(struct x86_code *c, uint64_t id)
{
	uint64_t value = ~0ULL;

	get_reg(c->v.fd, id, &value);
	return value;
}

/**
 * code_set_cr4() - the guest writes CR4
 * @c: guest
 * @value: what it writes
 *
 * Return: as code_run().
 */
int code_set_cr4(struct x86_code *c, uint64_t value)
{
	c->v.run->regs.x86.gpr[AXVCPU_X86_RAX] = value;
	return code_run(c, mov_to_cr4, sizeof(mov_to_cr4));
}

/** code_xsetbv_args() - what XSETBV takes */
void code_xsetbv_args(struct x86_code *c, uint32_t index, uint64_t value)
{
	volatile __u64 *gpr = c->v.run->regs.x86.gpr;

	gpr[AXVCPU_X86_RAX] = (uint32_t)value;
	gpr[AXVCPU_X86_RCX] = index;
	gpr[AXVCPU_X86_RDX] = value >> 32;
}

/**
 * code_xsetbv() - the guest writes an XCR
 * @c: guest
 * @index: 0 for XCR0
 * @value: what it writes
 *
 * Return: as code_run().
 */
int code_xsetbv(struct x86_code *c, uint32_t index, uint64_t value)
{
	code_xsetbv_args(c, index, value);
	return code_run(c, xsetbv, sizeof(xsetbv));
}

/**
 * code_set_xcr0() - the guest turns OSXSAVE on, and writes XCR0
 * @c: guest
 * @value: what it writes
 *
 * Return: as code_run().
 */
int code_set_xcr0(struct x86_code *c, uint64_t value)
{
	int ret = code_set_cr4(c, CODE_CR4 | CODE_CR4_OSXSAVE);

	return ret == CODE_DONE ? code_xsetbv(c, 0, value) : ret;
}
