// SPDX-License-Identifier: GPL-2.0-only
/* See memory_access.h. */
#include <string.h>
#include <sys/mman.h>

#include "memory_access.h"

#define PORT	0x80

static int start(struct memory_guest *m, struct guest_vcpu *v, int id,
		 void (*access)(struct guest_prog *, enum guest_reg, enum guest_reg, int))
{
	struct guest_prog p;
	int again;

	g_begin(&p, &m->g, GUEST_PROG(id));
	again = g_here(&p);
	access(&p, G1, G0, 8);
	g_out(&p, PORT, G1, 1);
	g_jmp(&p, again);
	return vcpu_start(&m->g, v, id, g_end(&p));
}

/**
 * memory_guest_create() - make one; its programs are GUEST_PROG(0) and (1)
 * @m: filled in
 *
 * Return: 0 or a negative errno.
 */
int memory_guest_create(struct memory_guest *m)
{
	int err;

	memset(m, 0, sizeof(*m));
	m->peeker.fd = -1;
	m->poker.fd = -1;
	err = guest_create(&m->g, 0);
	/* G1 = [G0] and [G0] = G1, each followed by an exit. */
	if (!err)
		err = start(m, &m->peeker, 0, g_load);
	return err ? err : start(m, &m->poker, 1, g_store);
}

/** memory_guest_destroy() - end it */
void memory_guest_destroy(struct memory_guest *m)
{
	vcpu_destroy(&m->peeker);
	vcpu_destroy(&m->poker);
	guest_destroy(&m->g);
}

/** access_gpa() - have a vCPU of the one kind or the other go on at an address */
int access_gpa(struct guest_vcpu *v, uint64_t gpa)
{
	int err;

	*greg(v, G0) = gpa;
	do {
		err = run_vcpu(v->fd, 0);
	} while (err == -EINTR);
	if (err)
		return err;
	switch (v->run->exit_reason) {
	case AXVCPU_EXIT_IO_WRITE:
		return 0;
	case AXVCPU_EXIT_NESTED_PAGE_FAULT:
		return v->run->fault.gpa == gpa ? -EFAULT : -EPROTO;
	}
	return -EPROTO;
}

int peek(struct memory_guest *m, uint64_t gpa, uint64_t *value)
{
	int err = access_gpa(&m->peeker, gpa);

	*value = *greg(&m->peeker, G1);
	return err;
}

int poke(struct memory_guest *m, uint64_t gpa, uint64_t value)
{
	*greg(&m->poker, G1) = value;
	return access_gpa(&m->poker, gpa);
}

/** aspace_stats() - the address space's counters */
struct axvcpu_aspace_stats aspace_stats(struct memory_guest *m)
{
	struct axvcpu_aspace_stats stats;

	memset(&stats, 0xff, sizeof(stats));
	ioctl(m->g.aspace, AXVCPU_GET_ASPACE_STATS, &stats);
	return stats;
}

/** settled() - the same, once the guest's own pages are there */
struct axvcpu_aspace_stats settled(struct memory_guest *m)
{
	uint64_t value;

	peek(m, GUEST_HOLE, &value);
	poke(m, GUEST_HOLE, 0);
	return aspace_stats(m);
}

/** map_hole() - MAP at %GUEST_HOLE */
int map_hole(struct memory_guest *m, void *mem, uint64_t size, uint32_t flags)
{
	return map_memory(m->g.aspace, GUEST_HOLE, size, mem, flags);
}

void *host_memory(uint64_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
}

void *private_memory(uint64_t size)
{
	return host_memory(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

/** huge_memory() - two huge pages, or NULL: the machine has none */
uint8_t *huge_memory(void)
{
	uint8_t *mem = private_memory(3 * HUGE_SIZE);

	mem += -(uintptr_t)mem % HUGE_SIZE;
	if (madvise(mem, 2 * HUGE_SIZE, MADV_HUGEPAGE))
		return NULL;
	memset(mem, 0, 2 * HUGE_SIZE);
	return madvise(mem, 2 * HUGE_SIZE, MADV_COLLAPSE) ? NULL : mem;
}
