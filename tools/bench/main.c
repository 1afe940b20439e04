// SPDX-License-Identifier: GPL-2.0-only
/* axbench's command line; who is measured when. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define BATCHES		5
#define SHORT_BATCHES	3

enum {
	OPT_JSON = 256,
	OPT_SHORT,
	OPT_ONLY,
	OPT_LIST,
	OPT_TAP,
	OPT_SCALE,
};

struct options {
	bool brief;
	bool list;
	bool tap;
	bool scale;
	const char *json;
	const char *only;	/* one hypervisor's name */
	unsigned int count;	/* of the rows that were named; 0: all */
	bool *wanted;
};

struct clock_check clock_check;

static const struct argp_option argp_options[] = {
	{ "short", OPT_SHORT, NULL, 0, "Fewer rounds, and only what make check looks at", 0 },
	{ "json", OPT_JSON, "FILE", 0, "Write the figures to FILE too", 0 },
	{ "only", OPT_ONLY, "NAME", 0, "Measure axvcpu or KVM alone", 0 },
	{ "tap", OPT_TAP, NULL, 0, "Tell the results as kselftest does", 0 },
	{ "scale", OPT_SCALE, NULL, 0, "Measure whether costs grow with what is idle", 0 },
	{ "list", OPT_LIST, NULL, 0, "List the rows", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	size_t i;

	switch (key) {
	case OPT_SHORT:
		options->brief = true;
		return 0;
	case OPT_JSON:
		options->json = arg;
		return 0;
	case OPT_ONLY:
		options->only = arg;
		return 0;
	case OPT_TAP:
		options->tap = true;
		return 0;
	case OPT_SCALE:
		options->scale = true;
		return 0;
	case OPT_LIST:
		options->list = true;
		return 0;
	case ARGP_KEY_ARG:
		for (i = 0; i < nr_rows && strcmp(rows[i].name, arg); i++)
			;
		if (i == nr_rows)
			argp_error(state, "there is no row %s", arg);
		options->wanted[i] = true;
		options->count++;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[ROW...]",
	.doc = "Measure what axvcpu costs, and what KVM costs for the same.\v"
	       "Figures are in ticks of the CPU's counter; on the testbed's machines a tick is an "
	       "instruction. The exit status is 1 when something is over its budget.",
};

static int measure(const struct hypervisor *hv, const struct options *options,
		   const struct row *row, int (*batch)(struct vm *vm, unsigned int rounds,
						       double *cost),
		   struct figures *figures, double *floor)
{
	unsigned int batches = options->brief ? SHORT_BATCHES : BATCHES;
	unsigned int rounds = options->brief ? row->short_rounds : row->rounds;
	struct vm vm = {};
	double cost;
	int err;

	err = vm_open(&vm, hv, GUEST_DATA + GUEST_DATA_MAX);
	if (!err && row->bare)
		hv->close(&vm);
	/* The first one is to warm up. */
	for (unsigned int i = 0; i <= batches && !err; i++) {
		err = batch(&vm, rounds, &cost);
		if (!err && i)
			figures_add(figures, cost);
	}
	if (!err && floor && row->floor)
		err = row->floor(&vm, rounds, floor);
	if (row->bare)
		munmap(vm.mem, vm.size);
	else
		vm_close(&vm);
	return err;
}

static int measure_row(const struct hypervisor *hv, const struct options *options,
		       struct result *r)
{
	const struct row *row = r->row;
	int err;

	if (hv == &hypervisor_kvm)
		return row->of ? 0 : measure(hv, options, row, row->batch, &r->kvm, NULL);
	err = measure(hv, options, row, row->batch, &r->ours, &r->floor);
	if (!err && row->of)
		err = measure(hv, options, row, row->of, &r->kvm, NULL);
	return err;
}

/* One hypervisor after the other: only one can have the hardware. */
static void measure_all(const struct hypervisor *hv, const struct options *options,
			struct result *results, size_t count)
{
	int err;

	if (options->only && strcmp(options->only, hv->name))
		return;
	err = hv->acquire();
	for (size_t i = 0; i < count; i++) {
		struct result *r = &results[i];

		if (!err && !r->error)
			r->error = measure_row(hv, options, r);
		else if (err)
			r->error = err;
	}
	hv->release();
}

static int write_json(const char *path, const struct result *results, size_t count)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return -errno;
	report_json(out, results, count);
	return fclose(out) ? -errno : 0;
}

/* Where there are two CPUs, what needs no more than one is measured elsewhere. */
static bool is_wanted(const struct options *options, size_t row)
{
	bool many = sysconf(_SC_NPROCESSORS_ONLN) > 1;

	return options->count ? options->wanted[row] : many == (rows[row].cpus > 1);
}

int main(int argc, char **argv)
{
	bool wanted[64] = {};
	struct options options = { .wanted = wanted };
	struct result results[64] = {};
	size_t count = 0;
	bool good;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (options.list) {
		for (size_t i = 0; i < nr_rows; i++)
			printf("%-20s %s\n", rows[i].name, rows[i].about);
		return 0;
	}
	for (size_t i = 0; i < nr_rows; i++) {
		if (!is_wanted(&options, i))
			continue;
		results[count++].row = &rows[i];
	}

	check_clock(&clock_check);
	printf("# %.4f ticks an instruction, %.4f a nanosecond\n",
	       clock_check.ticks_per_instruction, clock_check.ticks_per_ns);
	if (options.scale)
		return scale_main(stdout, options.json, options.only, options.tap);
	measure_all(&hypervisor_axvcpu, &options, results, count);
	if (!options.only)
		count_all(results, count);
	measure_all(&hypervisor_kvm, &options, results, count);

	good = report(stdout, results, count, options.tap);
	if (options.json) {
		err = write_json(options.json, results, count);
		if (err) {
			fprintf(stderr, "axbench: %s: %s\n", options.json, strerror(-err));
			return 2;
		}
	}
	return good ? 0 : 1;
}
