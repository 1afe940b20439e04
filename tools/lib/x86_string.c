// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INS and OUTS: the data of IO_STRING, moved through the guest's page tables
 * (SDM vol. 3, "Paging") and checked against its segments as a CPU does.
 */
#include <stdbool.h>
#include <string.h>

#include "internal.h"

#define PAGE_SIZE	4096ULL
#define ADDRESS		0x000ffffffffff000ULL

#define PTE_PRESENT	(1ULL << 0)
#define PTE_WRITE	(1ULL << 1)
#define PTE_USER	(1ULL << 2)
#define PTE_ACCESSED	(1ULL << 5)
#define PTE_DIRTY	(1ULL << 6)
#define PTE_LEAF	(1ULL << 7)

#define CR0_PE		(1ULL << 0)
#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PSE		(1ULL << 4)
#define CR4_PAE		(1ULL << 5)
#define CR4_SMAP	(1ULL << 21)
#define EFER_LMA	(1ULL << 10)
#define RFLAGS_VM	(1ULL << 17)
#define RFLAGS_AC	(1ULL << 18)

#define VECTOR_SS	12
#define VECTOR_GP	13
#define VECTOR_PF	14

/* What of the guest's state decides how it gets at its memory */
enum { CR0, CR3, CR4, EFER, RFLAGS, CS_ACCESS, SS_ACCESS, BASE, LIMIT, ACCESS, NR_STATE };

struct state {
	struct axvcpu_reg reg[NR_STATE];
};

static int read_state(struct axvcpu_vcpu *vcpu, unsigned int segment, struct state *s)
{
	*s = (struct state){ {
		[CR0]		= { .id = AXVCPU_X86_REG_CR0 },
		[CR3]		= { .id = AXVCPU_X86_REG_CR3 },
		[CR4]		= { .id = AXVCPU_X86_REG_CR4 },
		[EFER]		= { .id = AXVCPU_X86_REG_MSR(0xc0000080) },
		[RFLAGS]	= { .id = AXVCPU_X86_REG_RFLAGS },
		[CS_ACCESS]	= { .id = AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS) },
		[SS_ACCESS]	= { .id = AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_SS) },
		[BASE]		= { .id = AXVCPU_X86_REG_SEG_BASE(segment) },
		[LIMIT]		= { .id = AXVCPU_X86_REG_SEG_LIMIT(segment) },
		[ACCESS]	= { .id = AXVCPU_X86_REG_SEG_ACCESS(segment) },
	} };
	return axvcpu_vcpu_get_regs(vcpu, s->reg, NR_STATE);
}

static bool is_user(const struct state *s)
{
	return (s->reg[SS_ACCESS].value >> 5 & 3) == 3;
}

static bool is_64bit(const struct state *s)
{
	return (s->reg[EFER].value & EFER_LMA) && (s->reg[CS_ACCESS].value & 1 << 13);
}

/* The page's rights are those that all levels grant. */
static bool allows(const struct state *s, uint64_t rights, bool write)
{
	bool smap = (s->reg[CR4].value & CR4_SMAP) && !(s->reg[RFLAGS].value & RFLAGS_AC);

	if (is_user(s)) {
		if (!(rights & PTE_USER))
			return false;
	} else if ((rights & PTE_USER) && smap) {
		return false;
	}
	return !write || (rights & PTE_WRITE) ||
	       (!is_user(s) && !(s->reg[CR0].value & CR0_WP));
}

/* Formats of tables: bits of an index, bytes of an entry, levels */
struct format {
	unsigned int bits, bytes, levels;
};

static struct format format_of(const struct state *s)
{
	if (s->reg[EFER].value & EFER_LMA)
		return (struct format){ 9, 8, 4 };
	if (s->reg[CR4].value & CR4_PAE)
		return (struct format){ 9, 8, 3 };
	return (struct format){ 10, 4, 2 };
}

static bool is_leaf(const struct state *s, const struct format *f, unsigned int level,
		    uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LEAF) || level > 3)
		return false;
	return f->levels > 2 ? f->levels > level : s->reg[CR4].value & CR4_PSE;
}

static uint64_t read_entry(const void *where, unsigned int bytes)
{
	return bytes == 8 ? __atomic_load_n((const uint64_t *)where, __ATOMIC_RELAXED) :
			    __atomic_load_n((const uint32_t *)where, __ATOMIC_RELAXED);
}

/* The low byte of an entry has all bits that a CPU sets. */
static void mark(void *where, uint8_t bits)
{
	__atomic_fetch_or((uint8_t *)where, bits, __ATOMIC_RELAXED);
}

static int page_fault(const struct state *s, bool present, bool write, uint32_t *error_code)
{
	*error_code = present | write << 1 | is_user(s) << 2;
	return VECTOR_PF;
}

/* Returns 0, #PF or a negative errno. */
static int walk(const struct state *s, uint64_t gva, bool write, axvcpu_memory_fn memory,
		void *data, uint64_t *gpa, uint32_t *error_code)
{
	const struct format f = format_of(s);
	uint64_t table = s->reg[CR3].value & (f.levels == 3 ? 0xffffffe0ULL : ADDRESS);
	uint64_t rights = PTE_WRITE | PTE_USER, entry, index, size;
	unsigned int level, shift;
	void *where;

	if (!(s->reg[CR0].value & CR0_PG)) {
		*gpa = (uint32_t)gva;
		return 0;
	}
	if (f.levels == 2)
		table &= 0xfffff000ULL;
	for (level = f.levels;; level--) {
		shift = 12 + (level - 1) * f.bits;
		index = gva >> shift & ((1U << f.bits) - 1);
		where = memory(data, table + index * f.bytes, f.bytes);
		if (!where)
			return -EFAULT;
		entry = read_entry(where, f.bytes);
		if (!(entry & PTE_PRESENT))
			return page_fault(s, false, write, error_code);
		table = entry & ADDRESS;
		/* PAE's top level has no rights, and bits 8:5 are reserved there. */
		if (level == 3 && f.levels == 3)
			continue;
		rights &= entry;
		if (is_leaf(s, &f, level, entry))
			break;
		mark(where, PTE_ACCESSED);
	}
	if (!allows(s, rights, write))
		return page_fault(s, true, write, error_code);
	mark(where, PTE_ACCESSED | (write ? PTE_DIRTY : 0));
	size = 1ULL << shift;
	*gpa = (entry & ADDRESS & ~(size - 1)) | (gva & (size - 1));
	/* PSE-36 */
	if (f.levels == 2 && level == 2)
		*gpa |= (entry >> 13 & 0xff) << 32;
	return 0;
}

int axvcpu_x86_translate(struct axvcpu_vcpu *vcpu, uint64_t gva, bool write,
			 axvcpu_memory_fn memory, void *data, uint64_t *gpa, uint32_t *error_code)
{
	struct state s;
	int err = read_state(vcpu, AXVCPU_X86_SEG_DS, &s);

	return err ? err : walk(&s, gva, write, memory, data, gpa, error_code);
}

/* Segment access rights: SDM vol. 3, table 25-2 */
#define AR_TYPE_CODE		(1 << 3)
#define AR_TYPE_EXPAND_DOWN	(1 << 2)
#define AR_TYPE_WRITE		(1 << 1)	/* code: read */
#define AR_BIG			(1 << 14)
#define AR_UNUSABLE		(1 << 16)

static bool in_segment(const struct state *s, uint32_t offset, uint32_t width)
{
	uint32_t limit = s->reg[LIMIT].value, access = s->reg[ACCESS].value;
	uint64_t last = (uint64_t)offset + width - 1;

	if ((access & (AR_TYPE_CODE | AR_TYPE_EXPAND_DOWN)) == AR_TYPE_EXPAND_DOWN)
		return offset > limit && last <= (access & AR_BIG ? UINT32_MAX : UINT16_MAX);
	return last <= limit;
}

static bool segment_allows(const struct state *s, bool write)
{
	uint32_t access = s->reg[ACCESS].value;

	if (access & AR_UNUSABLE)
		return false;
	if (!(s->reg[CR0].value & CR0_PE) || s->reg[RFLAGS].value & RFLAGS_VM)
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

	if (is_64bit(s)) {
		if ((int64_t)(gva << 16) >> 16 != (int64_t)gva ||
		    (int64_t)(last << 16) >> 16 != (int64_t)last)
			return vector;
		return 0;
	}
	if (!segment_allows(s, write) ||
	    !in_segment(s, (uint32_t)(gva - s->reg[BASE].value), width))
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

/* Some bytes within a page. Returns 0, 1: a fault, or a negative errno. */
static int find(struct transfer *t, uint64_t gva, size_t size, uint8_t **where)
{
	uint32_t error_code = 0;
	uint64_t gpa;
	int ret = walk(&t->s, gva, t->in, t->memory, t->data, &gpa, &error_code);

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
		ret = find(t, t->gva + first, rest, &where[1]);
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
	before = (t->gva - t->s.reg[BASE].value) & mask;
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
		t.gva += run->io_string.flags & AXVCPU_IO_STRING_DOWN ? -step : step;
	}
	run->io_string.done = done;
	return ret < 0 ? ret : 0;
}
