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
#define COUNTS		"/sys/kernel/debug/axvcpu/counts"

#define ROUNDS		1000

const char *const count_names[NR_COUNTS] = {
	"VMREAD", "VMWRITE", "INVEPT", "RDMSR", "WRMSR",
};

/* What one round may cost; a row that is not here has no limits. */
static const struct {
	const char *row;
	unsigned int limit[NR_COUNTS];	/* 0: none */
} limits[] = {
	{ "kernel-exit", { 5, 1 } },
	{ "user-exit", { 6, 1 } },
};

static int read_counts(uint64_t *counts)
{
	unsigned long long value;
	char name[16];
	FILE *in = fopen(COUNTS, "r");

	if (!in)
		return -errno;
	while (fscanf(in, "%15s %llu", name, &value) == 2) {
		for (int i = 0; i < NR_COUNTS; i++) {
			if (!strcmp(name, count_names[i]))
				counts[i] = value;
		}
	}
	fclose(in);
	return 0;
}

static int count_row(const struct row *row, double *counts)
{
	uint64_t before[NR_COUNTS] = {}, after[NR_COUNTS] = {};
	struct vm vm = {};
	double cost;
	int err;

	err = vm_open(&vm, &hypervisor_axvcpu, GUEST_DATA + GUEST_DATA_MAX);
	if (!err)
		err = row->batch(&vm, ROUNDS, &cost);
	if (!err)
		err = read_counts(before);
	if (!err)
		err = row->batch(&vm, ROUNDS, &cost);
	if (!err)
		err = read_counts(after);
	vm_close(&vm);
	for (int i = 0; i < NR_COUNTS && !err; i++)
		counts[i] = (double)(after[i] - before[i]) / ROUNDS;
	return err;
}

/**
 * count_limit() - how many there may be
 * @row: in a round of this
 * @count: of these
 *
 * Return: the limit, 0: none.
 */
unsigned int count_limit(const struct row *row, unsigned int count)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (!strcmp(limits[i].row, row->name))
			return limits[i].limit[count];
	}
	return 0;
}

/**
 * count_all() - count what the rows with limits take
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

		if (!count_limit(r->row, COUNT_VMREAD) || r->error)
			continue;
		r->error = err ?: count_row(r->row, r->counts);
		r->counted = !r->error;
	}
	module_unload(MODULE);
	module_load(MODULE);
}
