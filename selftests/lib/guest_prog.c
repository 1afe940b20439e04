// SPDX-License-Identifier: GPL-2.0-only
/* Programs of guests, put together instruction by instruction; see guest.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

static void die(const char *what)
{
	printf("Bail out! guest program: %s\n", what);
	abort();
}

/**
 * g_begin() - start to write a program
 * @p: filled in
 * @g: guest
 * @gpa: where it goes, one of %GUEST_PROG
 */
void g_begin(struct guest_prog *p, struct guest *g, uint64_t gpa)
{
	memset(p, 0, sizeof(*p));
	p->isa = g->isa;
	p->gpa = gpa;
	p->mem = g->mem + gpa;
	if (gpa + GUEST_PROG_SIZE > g->size)
		die("outside memory");
	memset(p->mem, 0, GUEST_PROG_SIZE);
}

/**
 * g_end() - resolve the jumps
 * @p: program
 *
 * Return: the address of its first instruction.
 */
uint64_t g_end(struct guest_prog *p)
{
	for (int i = 0; i < p->nr_fixups; i++) {
		uint64_t target = p->labels[p->fixups[i].label];

		if (!target)
			die("jump to nowhere");
		p->isa->fixup(p, p->fixups[i].at, target);
	}
	return p->gpa;
}

/** g_label() - a new label, to be placed later */
int g_label(struct guest_prog *p)
{
	if (p->nr_labels == GUEST_MAX_LABELS)
		die("too many labels");
	return p->nr_labels++;
}

/** g_place() - the label is here */
void g_place(struct guest_prog *p, int label)
{
	p->labels[label] = p->gpa + p->len;
}

/** g_here() - a new label, here */
int g_here(struct guest_prog *p)
{
	int label = g_label(p);

	g_place(p, label);
	return label;
}

/** g_emit() - add bytes of code */
void g_emit(struct guest_prog *p, const void *bytes, size_t n)
{
	if (p->len + n > GUEST_CODE_SIZE)
		die("too long");
	memcpy(p->mem + p->len, bytes, n);
	p->len += n;
}

/** g_fixup() - what was just emitted ends with the place for a label's address */
void g_fixup(struct guest_prog *p, int label)
{
	if (p->nr_fixups == GUEST_MAX_FIXUPS)
		die("too many jumps");
	p->fixups[p->nr_fixups].at = p->len;
	p->fixups[p->nr_fixups].label = label;
	p->nr_fixups++;
}

/**
 * g_begin_with_irqs() - begin a program that has a handler of interrupts
 * @p: program, from GUEST_PROG(0) on; G0 and G1 are 0
 * @g: guest
 *
 * Return: the handler's label, for g_start_with_irqs().
 */
int g_begin_with_irqs(struct guest_prog *p, struct guest *g)
{
	int handler;

	g_begin(p, g, GUEST_PROG(0));
	handler = g_label(p);
	g_irq_handler(p, handler);
	g_movi(p, G0, 0);
	g_movi(p, G1, 0);
	return handler;
}

/**
 * g_count_irqs() - here is the handler of g_irq_handler(): each call is one more in G1,
 *	and an exit with the vector, which stays in G2
 * @p: program
 * @handler: the label
 * @port: of the exit
 */
void g_count_irqs(struct guest_prog *p, int handler, uint16_t port)
{
	g_place(p, handler);
	g_addi(p, G1, 1);
	g_get_vector(p, G2);
	g_out(p, port, G2, 1);
	g_iret(p);
}

/**
 * g_start_with_irqs() - the main program is written: g_count_irqs() follows, and the vCPU is
 *	Ready
 * @p: program
 * @g: guest
 * @v: vCPU
 * @handler: the label
 * @port: of the handler's exits
 *
 * Return: 0 or a negative errno.
 */
int g_start_with_irqs(struct guest_prog *p, struct guest *g, struct guest_vcpu *v, int handler,
		      uint16_t port)
{
	int err;

	g_count_irqs(p, handler, port);
	err = vcpu_setup(g, v, g_end(p));
	return err ? err : bind_vcpu(v->fd, -1);
}

/** g_loop_forever() - the guest never leaves by itself; interrupts are off */
void g_loop_forever(struct guest_prog *p)
{
	int loop = g_here(p);

	g_spin(p);
	g_jmp(p, loop);
}
