// SPDX-License-Identifier: GPL-2.0-only
/* A run of the oracle's programs in a vCPU, and the comparison with the bare one. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../oracle/reports.h"
#include "oracle_run.h"

#define MAX_EXITS	3000000
#define PROGRESS_S	5
/* Seconds of the machine's own time are many for a program of a few instructions. */
#define MAX_UNCHANGED	6

/* How struct oracle_report of every architecture begins */
struct report {
	uint32_t id;
	uint32_t count;
};

static const struct oracle_reports *reports_of(const struct oracle *oracle)
{
	return (const void *)oracle->ram + oracle->arch->report - oracle->arch->base;
}

static size_t report_size(const struct oracle *oracle, const struct report *report)
{
	return oracle->arch->head_size + report->count * oracle->arch->event_size;
}

static const struct report *next_report(const struct oracle *oracle, const struct report *report)
{
	return (const void *)report + report_size(oracle, report);
}

/* --- the machine ------------------------------------------------------------- */

static void put(struct oracle *oracle, uint64_t gpa, const struct oracle_file *file)
{
	memcpy(oracle->ram + gpa - oracle->arch->base, file->data, file->size);
}

static int load_files(struct oracle *oracle, const char *runner_name)
{
	struct oracle_file runner = {}, programs = {};

	if (!oracle_begin(&oracle->verdict, oracle->mode))
		return -ENOENT;
	/* Of those that are named alone, a mode may have none. */
	if (!oracle->verdict.names || !oracle_load(&runner, "runner", runner_name) ||
	    !oracle_load(&programs, "programs", oracle->mode) ||
	    !oracle_load(&oracle->bare, "bare", oracle->mode))
		return oracle->verdict.partial ? -ENOENT : -ENODATA;
	oracle->ram = mmap(NULL, oracle->arch->size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (oracle->ram == MAP_FAILED)
		return -errno;
	put(oracle, oracle->arch->runner, &runner);
	put(oracle, oracle->arch->programs, &programs);
	return 0;
}

static int map(struct oracle *oracle, uint64_t from, uint64_t to)
{
	return axvcpu_aspace_map(oracle->aspace, from, oracle->ram + from - oracle->arch->base,
				 to - from, AXVCPU_MAP_ALL);
}

static int map_all(struct oracle *oracle)
{
	const struct oracle_arch *arch = oracle->arch;
	uint64_t end = arch->base + arch->size;

	if (!arch->hole)
		return map(oracle, arch->base, end);
	return map(oracle, arch->base, arch->hole) ?:
	       map(oracle, arch->hole + ORACLE_PAGE, end);
}

static int make_vcpu(struct oracle *oracle)
{
	int ret = axvcpu_device_open(NULL, &oracle->dev);

	if (!ret)
		ret = axvcpu_aspace_create(oracle->dev, &oracle->aspace);
	if (!ret)
		ret = map_all(oracle);
	return ret ?: axvcpu_vcpu_create(oracle->dev, NULL, &oracle->vcpu);
}

/*
 * oracle_open() - a vCPU, whose memory has the runner @runner and the programs of @mode
 *
 * Returns 0; -ENOENT when the oracle was not asked for, or not in this mode; -ENODATA when
 * files are missing; another negative errno.
 */
int oracle_open(struct oracle *oracle, const struct oracle_arch *arch, const char *runner,
		const char *mode)
{
	oracle->arch = arch;
	oracle->mode = mode;
	return load_files(oracle, runner) ?: make_vcpu(oracle);
}

/*
 * oracle_close() - what oracle_open() made goes
 */
void oracle_close(struct oracle *oracle)
{
	axvcpu_vcpu_close(oracle->vcpu);
	axvcpu_aspace_close(oracle->aspace);
	axvcpu_device_close(oracle->dev);
}

/*
 * oracle_on_any() - count an exit; more than can be end the run
 */
int oracle_on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct oracle *oracle = data;

	return ++oracle->exits > MAX_EXITS ? -ELOOP : 0;
}

/*
 * oracle_on_end() - an exit that ends the run
 */
int oracle_on_end(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return -ECANCELED;
}

/* --- a run ------------------------------------------------------------------- */

/* How many programs have ended. */
static unsigned int progress(const struct oracle *oracle)
{
	const struct report *report = (const void *)(reports_of(oracle) + 1);
	unsigned int n = 0;

	while (report->count && report->id == n) {
		report = next_report(oracle, report);
		n++;
	}
	return n;
}

/* Say how far it is. Returns whether it is still where it was many times before. */
static bool hangs(struct oracle *oracle)
{
	unsigned int n = progress(oracle);

	if (n != oracle->ended)
		oracle->unchanged = 0;
	oracle->ended = n;
	fprintf(stderr, "# %u programs, %u exits\n", n, oracle->exits);
	return ++oracle->unchanged > MAX_UNCHANGED;
}

static void on_alarm(int signal)
{
	alarm(PROGRESS_S);
}

/*
 * oracle_run() - run the vCPU, which is bound, until a handler ends it
 *
 * Now and then it says how far it is. Returns what the handler did; -EINTR: a program hangs.
 */
int oracle_run(struct oracle *oracle)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	int ret;

	sigaction(SIGALRM, &action, NULL);
	alarm(PROGRESS_S);
	do {
		ret = axvcpu_vcpu_loop(oracle->vcpu, oracle->arch->run_flags,
				       oracle->arch->handlers, oracle);
	} while (ret == -EINTR && !hangs(oracle));
	alarm(0);
	if (ret == -EINTR)
		oracle_say_hung(&oracle->verdict, oracle->ended);
	return ret;
}

/* --- comparing --------------------------------------------------------------- */

static const void *event_of(const struct oracle *oracle, const struct report *report,
			    unsigned int n)
{
	if (n >= report->count)
		return NULL;
	return (const void *)report + oracle->arch->head_size + n * oracle->arch->event_size;
}

static void show_event(const struct oracle_arch *arch, const void *bare, const void *vcpu)
{
	if (bare && vcpu) {
		arch->show_events(bare, vcpu);
		return;
	}
	printf(bare ? " " : " | ");
	arch->show_event(bare ?: vcpu);
}

/* Where the counts differ, the first event that differs tells all. */
static void show_all_events(const struct oracle *oracle, const struct report *bare,
			    const struct report *vcpu)
{
	size_t size = oracle->arch->event_size;

	for (unsigned int i = 0; i < bare->count || i < vcpu->count; i++) {
		const void *ours = event_of(oracle, bare, i), *theirs = event_of(oracle, vcpu, i);

		if (ours && theirs && !memcmp(ours, theirs, size))
			continue;
		printf(" [%u]", i);
		show_event(oracle->arch, ours, theirs);
		if (bare->count != vcpu->count)
			break;
	}
}

static void show(const struct oracle *oracle, const char *name, const struct report *bare,
		 const struct report *vcpu)
{
	printf("# %s: bare|vCPU:", name);
	show_all_events(oracle, bare, vcpu);
	oracle_show("events", bare->count, vcpu->count);
	oracle->arch->show_rest(bare, vcpu);
	printf("\n");
}

/*
 * oracle_show_bytes() - those of @size that are not the same on both sides
 */
void oracle_show_bytes(const char *what, const void *bare, const void *vcpu, size_t size)
{
	const uint8_t *ours = bare, *theirs = vcpu;

	for (size_t i = 0; i < size; i++) {
		if (ours[i] != theirs[i])
			printf(" %s[%zx] %x|%x", what, i, ours[i], theirs[i]);
	}
}

static void judge(struct oracle *oracle, struct report *bare, const struct report *vcpu)
{
	size_t size = report_size(oracle, bare);
	char name[ORACLE_MAX_NAME];
	bool same;

	if (oracle->arch->correct)
		oracle->arch->correct(oracle, bare);
	same = size == report_size(oracle, vcpu) && !memcmp(bare, vcpu, size);
	if (oracle_next(&oracle->verdict, same, name))
		show(oracle, name, bare, vcpu);
}

/*
 * oracle_judge() - compare all reports that there are, and say how it went
 *
 * Returns what oracle_end() does, or -EPROTO: these are no reports of the same programs.
 */
int oracle_judge(struct oracle *oracle)
{
	const struct oracle_reports *vcpus = reports_of(oracle), *bares = oracle->bare.data;
	struct report *bare = (void *)(bares + 1);
	const struct report *vcpu = (const void *)(vcpus + 1);
	unsigned int count = bares->count;

	if (bares->magic != ORACLE_MAGIC)
		return -EPROTO;
	if (vcpus->magic != ORACLE_MAGIC)
		count = progress(oracle);
	else if (vcpus->count != count)
		return -EPROTO;
	for (unsigned int i = 0; i < count; i++) {
		judge(oracle, bare, vcpu);
		bare = (void *)bare + report_size(oracle, bare);
		vcpu = next_report(oracle, vcpu);
	}
	return oracle_end(&oracle->verdict, oracle->mode, count, oracle->exits);
}
