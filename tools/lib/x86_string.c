// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INS and OUTS: the data of IO_STRING, moved through the guest's page tables
 * (SDM vol. 3, "Paging") and checked against its segments as a CPU does.
 */
#include <stdbool.h>
#include <string.h>

#include "internal.h"

#define PAGE_SIZE	4096ULL

#define CR0_PE		(1ULL << 0)
#define RFLAGS_VM	(1ULL << 17)

#define VECTOR_SS	12
#define VECTOR_GP	13

/* The guest's paging, and the segment of the access */
struct state {
	struct axvcpu_x86_paging paging;
	uint64_t base;
	uint32_t limit, access;
};

static int read_state(struct axvcpu_vcpu *vcpu, unsigned int segment, struct state *s)
{
	struct axvcpu_reg regs[] = {
		{ .id = AXVCPU_X86_REG_SEG_BASE(segment) },
		{ .id = AXVCPU_X86_REG_SEG_LIMIT(segment) },
		{ .id = AXVCPU_X86_REG_SEG_ACCESS(segment) },
	};
	int err = x86_get_paging(vcpu, &s->paging, regs, ARRAY_SIZE(regs));

	if (err)
		return err;
	s->base = regs[0].value;
	s->limit = regs[1].value;
	s->access = regs[2].value;
	return 0;
}

/* Segment access rights: SDM vol. 3, table 25-2 */
#define AR_TYPE_CODE		(1 << 3)
#define AR_TYPE_EXPAND_DOWN	(1 << 2)
#define AR_TYPE_WRITE		(1 << 1)	/* code: read */
#define AR_BIG			(1 << 14)
#define AR_UNUSABLE		(1 << 16)

static bool in_segment(const struct state *s, uint32_t offset, uint32_t width)
{
	uint32_t limit = s->limit, access = s->access;
	uint64_t last = (uint64_t)offset + width - 1;

	if ((access & (AR_TYPE_CODE | AR_TYPE_EXPAND_DOWN)) == AR_TYPE_EXPAND_DOWN)
		return offset > limit && last <= (access & AR_BIG ? UINT32_MAX : UINT16_MAX);
	return last <= limit;
}

static bool segment_allows(const struct state *s, bool write)
{
	uint32_t access = s->access;

	if (access & AR_UNUSABLE)
		return false;
	if (!(s->paging.cr0 & CR0_PE) || s->paging.rflags & RFLAGS_VM)
		return true;
	if (write)
		return (access & AR_TYPE_WRITE) && !(access & AR_TYPE_CODE);
	return !(access & AR_TYPE_CODE) || access & AR_TYPE_WRITE;
}

/* Returns 0, or the exception that the segment makes of the access. */
static int check_segment(const struct state *s, unsigned int segment, uint64_t gva,
			 uint32_t width, bool write)
{
	int vector = segment == AXVCPU_X86_SEG_SS ? VECTOR_SS : VECTOR_GP;
	uint64_t last = gva + width - 1;

	if (x86_linear_is_64bit(&s->paging)) {
		if ((int64_t)(gva << 16) >> 16 != (int64_t)gva ||
		    (int64_t)(last << 16) >> 16 != (int64_t)last)
			return vector;
		return 0;
	}
	if (!segment_allows(s, write) ||
	    !in_segment(s, (uint32_t)(gva - s->base), width))
		return vector;
	return 0;
}

/* What a string instruction of the guest's wants, and how far it is */
struct transfer {
	struct state s;
	struct axvcpu_run *run;
	axvcpu_memory_fn memory;
	axvcpu_port_fn port;
	void *data;
	bool in;
	uint32_t width;
	uint64_t gva;
};

static int fault(struct transfer *t, int vector, uint32_t error_code, uint64_t gva)
{
	if (vector < 0)
		return vector;
	t->run->io_string.fault = vector;
	t->run->io_string.error_code = error_code;
	t->run->io_string.fault_address = gva;
	return 1;
}

/* A linear address at some distance: outside of 64-bit mode, they wrap at 4 GiB. */
static uint64_t linear(const struct transfer *t, int64_t distance)
{
	uint64_t gva = t->gva + distance;

	return x86_linear_is_64bit(&t->s.paging) ? gva : (uint32_t)gva;
}

/* Some bytes within a page. Returns 0, 1: a fault, or a negative errno. */
static int find(struct transfer *t, uint64_t gva, size_t size, uint8_t **where)
{
	uint32_t error_code = 0;
	uint64_t gpa;
	int ret = axvcpu_x86_walk(&t->s.paging, gva, t->in ? AXVCPU_X86_WRITE : 0, t->memory,
				  t->data, &gpa, &error_code);

	if (ret)
		return fault(t, ret, error_code, gva);
	*where = t->memory(t->data, gpa, size);
	return *where ? 0 : -EFAULT;
}

/* One element, of which a part is in another page */
static int move_across(struct transfer *t)
{
	size_t first = PAGE_SIZE - t->gva % PAGE_SIZE, rest = t->width - first;
	uint8_t *where[2], bytes[8];
	int ret = find(t, t->gva, first, &where[0]);

	if (!ret)
		ret = find(t, linear(t, first), rest, &where[1]);
	if (ret)
		return ret;
	memcpy(bytes, where[0], first);
	memcpy(bytes + first, where[1], rest);
	t->port(t->data, t->run->io_string.port, t->width, bytes, 1, t->in);
	if (t->in) {
		memcpy(where[0], bytes, first);
		memcpy(where[1], bytes + first, rest);
	}
	return 0;
}

static uint64_t elements_in_page(const struct transfer *t, uint64_t left)
{
	uint64_t room = (PAGE_SIZE - t->gva % PAGE_SIZE) / t->width;

	if (t->run->io_string.flags & AXVCPU_IO_STRING_DOWN)
		return room ? 1 : 0;
	return room < left ? room : left;
}

/* As many elements as are in a page. Returns 0, 1: a fault, or a negative errno. */
static int move(struct transfer *t, uint64_t left, uint64_t *moved)
{
	uint64_t n = elements_in_page(t, left);
	uint32_t width = n ? n * t->width : t->width;
	uint8_t *where;
	int ret;

	*moved = n ? n : 1;
	ret = check_segment(&t->s, t->run->io_string.segment, t->gva, width, t->in);
	if (ret && n > 1) {
		/* The limit is somewhere inside. */
		*moved = n = 1;
		ret = check_segment(&t->s, t->run->io_string.segment, t->gva, t->width, t->in);
	}
	if (ret)
		return fault(t, ret, 0, 0);
	if (!n)
		return move_across(t);
	ret = find(t, t->gva, n * t->width, &where);
	if (!ret)
		t->port(t->data, t->run->io_string.port, t->width, where, n, t->in);
	return ret;
}

/* Offsets wrap at the end of the address size, which is another linear address. */
static bool goes_on(const struct transfer *t, uint64_t step)
{
	uint64_t mask, before, after;

	if (t->run->io_string.address_bits == 64)
		return true;
	mask = (1ULL << t->run->io_string.address_bits) - 1;
	before = (t->gva - t->s.base) & mask;
	after = before + step;
	return t->run->io_string.flags & AXVCPU_IO_STRING_DOWN ? step <= before : after <= mask;
}

int axvcpu_x86_answer_string(struct axvcpu_vcpu *vcpu, axvcpu_memory_fn memory,
			     axvcpu_port_fn port, void *data)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(vcpu);
	uint64_t count = run->io_string.count, done = 0, moved, step;
	struct transfer t = {
		.run = run,
		.memory = memory,
		.port = port,
		.data = data,
		.in = run->io_string.flags & AXVCPU_IO_STRING_IN,
		.width = run->io_string.width,
		.gva = run->io_string.gva,
	};
	int ret = read_state(vcpu, run->io_string.segment, &t.s);

	while (!ret && done < count) {
		ret = move(&t, count - done, &moved);
		if (ret)
			break;
		done += moved;
		step = moved * t.width;
		/* The rest comes with another exit. */
		if (!goes_on(&t, step))
			break;
		t.gva = linear(&t, run->io_string.flags & AXVCPU_IO_STRING_DOWN ? -step : step);
	}
	run->io_string.done = done;
	return ret < 0 ? ret : 0;
}
