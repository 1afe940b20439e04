// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do costs grow with what is idle? Many vCPUs, many mappings, and many mappings of one
 * page, beside the ones in use.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define MAX_LEVELS	4
#define NEW		10	/* made at each level, to see what one costs */
#define FAULTS		64
#define EXITS		1000

enum cost {
	COST_CREATE,
	COST_EXIT,
	COST_FAULT,
	COST_LOSS,
	NR_COSTS,
};

/* @growth: what the last level may cost, in parts of the first one's cost; 0: any */
struct cost_kind {
	const char *name;
	double growth;
};

/**
 * struct scale - many of one thing
 * @name: of what
 * @levels: how many of them; the rest is 0
 * @add: one more, with a number from 1; 0 or a negative errno
 * @fault: address of a page that is behind one of @idle, spread by @turn
 * @same_page: it is the same page behind all of them
 * @costs: what is measured
 */
struct scale {
	const char *name;
	unsigned int levels[MAX_LEVELS];
	int (*add)(struct vm *vm, unsigned int number);
	uint64_t (*fault)(unsigned int idle, unsigned int turn);
	bool same_page;
	struct cost_kind costs[NR_COSTS];
};

#define MAX_VCPUS	(1000 + NEW)
#define MAX_PIECES	(10000 + NEW)

static int fds[MAX_VCPUS + 1];
static uint8_t *pieces;

static int add_vcpu(struct vm *vm, unsigned int number)
{
	int fd = vm->hv->add_vcpu(vm, number);

	if (fd < 0)
		return fd;
	fds[number] = fd;
	return 0;
}

/* Neighbours for the guest, not for the process, so that no two become one. */
static uint8_t *piece(unsigned int number)
{
	return pieces + 2 * number * PAGE;
}

static uint64_t piece_gpa(unsigned int number)
{
	return GUEST_PIECES + number * PAGE;
}

static int add_mapping(struct vm *vm, unsigned int number)
{
	return vm->hv->map(vm, number, piece_gpa(number), piece(number), PAGE);
}

/* All of one page */
static int add_alias(struct vm *vm, unsigned int number)
{
	return vm->hv->map(vm, number, piece_gpa(number), piece(1), PAGE);
}

static uint64_t fault_in_data(unsigned int idle, unsigned int turn)
{
	(void)idle;
	return GUEST_DATA + turn * (2UL << 20) % GUEST_DATA_MAX;
}

static uint64_t fault_in_piece(unsigned int idle, unsigned int turn)
{
	return piece_gpa(1 + turn * 7919UL % idle);
}

/*
 * What grows by right: a descriptor's number makes the table of them larger; a
 * mapping is found in a tree, whose height at 10,000 is 13 more than at 1.
 */
static const struct scale scales[] = {
	{
		.name = "vCPUs", .levels = { 1, 10, 100, 1000 },
		.add = add_vcpu, .fault = fault_in_data,
		.costs = { { "create", 1.25 }, { "exit", 1.05 }, { "fault", 1.10 },
			   { "loss", 1.10 } },
	}, {
		.name = "mappings", .levels = { 1, 100, 10000 },
		.add = add_mapping, .fault = fault_in_piece,
		.costs = { { "create", 1.80 }, { "exit", 1.05 }, { "fault", 1.30 },
			   { "loss", 1.30 } },
	}, {
		.name = "aliases", .levels = { 1, 100, 10000 },
		.add = add_alias, .fault = fault_in_piece, .same_page = true,
		.costs = { { "create", 1.80 }, { "exit", 1.05 }, { "fault", 1.50 },
			   { "loss", 1.50 } },
	},
};

#define NR_SCALES	ARRAY_SIZE(scales)

static double costs[2][NR_SCALES][MAX_LEVELS][NR_COSTS];

static uint8_t *behind(const struct vm *vm, const struct scale *scale, uint64_t gpa)
{
	if (scale->fault != fault_in_piece)
		return vm->mem + gpa;
	return piece(scale->same_page ? 1 : (gpa - GUEST_PIECES) / PAGE);
}

/* A page that the host has comes into the tables, and is taken out of them again. */
static int measure_faults(struct vm *vm, const struct scale *scale, unsigned int idle, double *cost)
{
	uint64_t with, without, began, gpa, fault = 0, loss = 0;
	uint8_t *page;
	int err;

	for (unsigned int turn = 0; turn < FAULTS; turn++) {
		gpa = scale->fault(idle, turn);
		page = behind(vm, scale, gpa);
		*page = 1;
		err = run_program(vm, PROGRAM_TOUCH, 1, gpa, &with);
		if (!err)
			err = run_program(vm, PROGRAM_TOUCH, 1, gpa, &without);
		if (err)
			return err;
		fault += with - without;
		began = now();
		if (madvise(page, PAGE, MADV_DONTNEED))
			return -errno;
		loss += now() - began;
	}
	cost[COST_FAULT] = (double)fault / FAULTS;
	cost[COST_LOSS] = (double)loss / FAULTS;
	return 0;
}

static int measure_exits(struct vm *vm, double *cost)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, PROGRAM_USER_EXIT, 0, 0);
	if (!err)
		err = vm_run_to_exit(vm);
	began = now();
	for (unsigned int i = 0; i < EXITS && !err; i++)
		err = vm_run_to_exit(vm);
	*cost = (double)(now() - began) / EXITS;
	return err;
}

static int add_many(struct vm *vm, const struct scale *scale, unsigned int from, unsigned int to,
		    double *cost)
{
	uint64_t began = now();
	int err = 0;

	for (unsigned int n = from; n <= to && !err; n++)
		err = scale->add(vm, n);
	*cost = (double)(now() - began) / (to - from + 1);
	return err;
}

/* The last few of a level tell what one costs; the first level is of one. */
static int measure_level(struct vm *vm, const struct scale *scale, unsigned int *have,
			 unsigned int want, double *cost)
{
	double warm[NR_COSTS];
	int err = 0;

	if (want > *have) {
		err = add_many(vm, scale, *have + 1, want, warm);
		*have = want;
	}
	if (!err)
		err = measure_faults(vm, scale, want, warm);
	if (!err)
		err = measure_faults(vm, scale, want, cost);
	if (!err)
		err = measure_exits(vm, &cost[COST_EXIT]);
	if (!err)
		err = add_many(vm, scale, *have + 1, *have + NEW, &cost[COST_CREATE]);
	*have += NEW;
	return err;
}

static int measure_scale(const struct hypervisor *hv, const struct scale *scale,
			 double (*cost)[NR_COSTS])
{
	unsigned int have = 0;
	struct vm vm = {};
	double warm[NR_COSTS];
	int err;

	memset(fds, 0, sizeof(fds));
	err = vm_open(&vm, hv, GUEST_PIECES);
	if (!err)
		err = measure_exits(&vm, warm);
	for (unsigned int i = 0; i < MAX_LEVELS && scale->levels[i] && !err; i++)
		err = measure_level(&vm, scale, &have, scale->levels[i], cost[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i])
			close(fds[i]);
	}
	vm_close(&vm);
	return err;
}

/* What the last level costs, in parts of what the first one costs */
static double growth(const struct scale *scale, double (*cost)[NR_COSTS], unsigned int kind)
{
	unsigned int last = MAX_LEVELS - 1;

	while (!scale->levels[last])
		last--;
	return cost[0][kind] ? cost[last][kind] / cost[0][kind] : 0;
}

static bool is_good(unsigned int n, unsigned int kind)
{
	double grown = growth(&scales[n], costs[0][n], kind);

	return grown && grown <= scales[n].costs[kind].growth;
}

static void print_costs(FILE *out, unsigned int n, unsigned int who, unsigned int kind)
{
	const struct scale *scale = &scales[n];

	fprintf(out, "# %-8s %-7s", scale->costs[kind].name, who ? "KVM" : "axvcpu");
	for (unsigned int i = 0; i < MAX_LEVELS && scale->levels[i]; i++)
		fprintf(out, " %9.0f", costs[who][n][i][kind]);
	fprintf(out, " %7.2f", growth(scale, costs[who][n], kind));
	if (!who)
		fprintf(out, " %6.2f  %s", scale->costs[kind].growth,
			is_good(n, kind) ? "ok" : "OVER");
	fputs("\n", out);
}

static void print_scale(FILE *out, unsigned int n, bool both)
{
	const struct scale *scale = &scales[n];

	fprintf(out, "# %-16s", scale->name);
	for (unsigned int i = 0; i < MAX_LEVELS && scale->levels[i]; i++)
		fprintf(out, " %9u", scale->levels[i]);
	fprintf(out, "  growth  limit\n");
	for (unsigned int kind = 0; kind < NR_COSTS; kind++) {
		print_costs(out, n, 0, kind);
		if (both)
			print_costs(out, n, 1, kind);
	}
}

static void json_costs(FILE *out, unsigned int n, unsigned int who, unsigned int kind)
{
	fprintf(out, ", \"%s\": [", who ? "kvm" : "ours");
	for (unsigned int i = 0; i < MAX_LEVELS && scales[n].levels[i]; i++)
		fprintf(out, "%s%.1f", i ? ", " : "", costs[who][n][i][kind]);
	fputs("]", out);
}

static int write_json(const char *path)
{
	FILE *out = fopen(path, "w");
	const char *comma = "";

	if (!out)
		return -errno;
	fputs("[", out);
	for (unsigned int at = 0; at < NR_SCALES * NR_COSTS; at++) {
		unsigned int n = at / NR_COSTS, kind = at % NR_COSTS;

		fprintf(out, "%s\n  {\"of\": \"%s\", \"cost\": \"%s\", \"idle\": [", comma,
			scales[n].name, scales[n].costs[kind].name);
		for (unsigned int i = 0; i < MAX_LEVELS && scales[n].levels[i]; i++)
			fprintf(out, "%s%u", i ? ", " : "", scales[n].levels[i]);
		fputs("]", out);
		json_costs(out, n, 0, kind);
		json_costs(out, n, 1, kind);
		fprintf(out, ", \"growth\": %.3f, \"limit\": %.2f}",
			growth(&scales[n], costs[0][n], kind), scales[n].costs[kind].growth);
		comma = ",";
	}
	fputs("\n]\n", out);
	return fclose(out) ? -errno : 0;
}

/* KVM has no limits here: what it can't do is not in the table. */
static int measure_all(const struct hypervisor *hv)
{
	unsigned int who = hv == &hypervisor_kvm;
	int err;

	err = hv->acquire();
	for (unsigned int n = 0; n < NR_SCALES && !err; n++) {
		err = measure_scale(hv, &scales[n], costs[who][n]);
		if (err)
			printf("# %s, %s: %s\n", hv->name, scales[n].name, strerror(-err));
		if (who)
			err = 0;
	}
	hv->release();
	return err;
}

static void report_tap(FILE *out)
{
	unsigned int bad = 0;

	fprintf(out, "TAP version 13\n1..%zu\n", NR_SCALES * NR_COSTS);
	for (unsigned int at = 0; at < NR_SCALES * NR_COSTS; at++) {
		unsigned int n = at / NR_COSTS, kind = at % NR_COSTS;

		fprintf(out, "%s %u %s beside idle %s\n", is_good(n, kind) ? "ok" : "not ok",
			at + 1, scales[n].costs[kind].name, scales[n].name);
		bad += !is_good(n, kind);
	}
	fprintf(out, "# Totals: pass:%zu fail:%u xfail:0 xpass:0 skip:0 error:0\n",
		NR_SCALES * NR_COSTS - bad, bad);
}

/**
 * scale_main() - measure whether costs grow, and tell
 * @out: where
 * @json: file for the figures, or NULL
 * @only: one hypervisor's name, or NULL
 * @tap: tell as kselftest does
 *
 * Return: the exit status.
 */
int scale_main(FILE *out, const char *json, const char *only, bool tap)
{
	const struct rlimit files = { 4096, 4096 };
	bool both = !only, good = true;
	int err;

	setrlimit(RLIMIT_NOFILE, &files);
	pieces = mmap(NULL, 2 * (MAX_PIECES + 1) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	err = pieces == MAP_FAILED ? -errno : measure_all(&hypervisor_axvcpu);
	if (!err && both)
		err = measure_all(&hypervisor_kvm);
	for (unsigned int n = 0; n < NR_SCALES; n++) {
		print_scale(out, n, both);
		for (unsigned int kind = 0; kind < NR_COSTS; kind++)
			good &= is_good(n, kind);
	}
	if (tap)
		report_tap(out);
	if (json && !err)
		err = write_json(json);
	return err ? 2 : !good;
}
