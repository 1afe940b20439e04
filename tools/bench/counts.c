// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that cost more on hardware than their number tells, counted by
 * the counting build of the module.
 */
#include <errno.h>
#include <string.h>

#include "bench.h"

#define MODULE		"axvcpu"
#define COUNTING	"axvcpu-count"
#define FILE_OF_COUNTS	"/sys/kernel/debug/axvcpu/counts"

#define ROUNDS		1000

/* "NAME NUMBER" in each line */
static int read_counts(struct counts *counts)
{
	FILE *in = fopen(FILE_OF_COUNTS, "r");
	unsigned int n = 0;

	if (!in)
		return -errno;
	while (n < MAX_COUNTS &&
	       fscanf(in, "%15s %lf", counts->count[n].name, &counts->count[n].value) == 2)
		n++;
	fclose(in);
	counts->nr = n;
	return n ? 0 : -ENODATA;
}

static int count_row(const struct row *row, struct counts *counts)
{
	struct counts before = {};
	struct vm vm = {};
	double cost;
	int err;

	err = vm_open(&vm, &hypervisor_axvcpu, GUEST_DATA + GUEST_DATA_MAX);
	if (!err)
		err = row->batch(&vm, ROUNDS, &cost);
	if (!err)
		err = read_counts(&before);
	if (!err)
		err = row->batch(&vm, ROUNDS, &cost);
	if (!err)
		err = read_counts(counts);
	vm_close(&vm);
	for (unsigned int i = 0; i < counts->nr && !err; i++)
		counts->count[i].value = (counts->count[i].value - before.count[i].value) / ROUNDS;
	return err;
}

/**
 * count_limit() - how many there may be
 * @row: in a round of this
 * @name: of these
 *
 * Return: the limit, 0: none.
 */
unsigned int count_limit(const struct row *row, const char *name)
{
	for (const struct count_limit *l = count_limits; l->row; l++) {
		if (!strcmp(l->row, row->name) && !strcmp(l->count, name))
			return l->limit;
	}
	return 0;
}

static const struct count *find_count(const struct counts *counts, const char *name)
{
	for (unsigned int i = 0; i < counts->nr; i++) {
		if (!strcmp(counts->count[i].name, name))
			return &counts->count[i];
	}
	return NULL;
}

/**
 * counts_are_good() - is nothing over its limit?
 * @row: whose
 * @counts: in a round
 *
 * What comes now and then, as with the host's timer, is let pass; what should
 * have been counted and was not is not.
 *
 * Return: whether so.
 */
bool counts_are_good(const struct row *row, const struct counts *counts)
{
	const struct count *count;

	for (const struct count_limit *l = count_limits; l->row; l++) {
		if (strcmp(l->row, row->name))
			continue;
		count = find_count(counts, l->count);
		if (!count || count->value >= l->limit + 0.1)
			return false;
	}
	return true;
}

/**
 * count_all() - count what an exit takes
 * @results: the results
 * @count: of @results
 *
 * The counting module takes the other one's place meanwhile. Where there is
 * none, nothing is counted.
 */
void count_all(struct result *results, size_t count)
{
	int err;

	if (!module_exists(COUNTING))
		return;
	err = module_unload(MODULE);
	if (!err)
		err = module_load(COUNTING);
	for (size_t i = 0; i < count; i++) {
		struct result *r = &results[i];

		if (r->row->is_exit && !r->error)
			r->error = err ?: count_row(r->row, &r->counts);
	}
	module_unload(MODULE);
	module_load(MODULE);
}
