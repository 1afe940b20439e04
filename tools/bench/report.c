// SPDX-License-Identifier: GPL-2.0-only
/* The table, and the same as JSON. */
#include <string.h>

#include "bench.h"

static double ratio(const struct result *result)
{
	double kvm = figures_median(&result->kvm);

	return kvm ? figures_median(&result->ours) / kvm : 0;
}

static bool measured(const struct result *result)
{
	return !result->error;
}

/* The machine's timers make a figure differ by so much from boot to boot. */
#define TOLERANCE	1.02

static bool within(const struct result *result, double limit)
{
	return ratio(result) <= limit * TOLERANCE;
}

static bool result_is_good(const struct result *result)
{
	if (result->error)
		return false;
	if (result->counts.nr && !counts_are_good(result->row, &result->counts))
		return false;
	if (result->row->limit && figures_median(&result->ours) > result->row->limit)
		return false;
	return within(result, result->row->budget) || within(result, result->row->known);
}

static const char *verdict(const struct result *result)
{
	if (!result_is_good(result))
		return "OVER";
	return within(result, result->row->budget) ? "ok" : "over, known";
}

static void report_head(FILE *out)
{
	fprintf(out, "# %-36s %9s %9s %10s %7s %7s %7s\n", "", "floor", "axvcpu", "KVM", "ratio",
		"budget", "spread");
}

static void report_row(FILE *out, const struct result *result)
{
	const struct row *row = result->row;

	if (!measured(result)) {
		fprintf(out, "# %-36s failed: %s\n", row->about, strerror(-result->error));
		return;
	}
	fprintf(out, "# %-36s %9.1f %9.1f %10.1f %7.3f %7.2f %6.1f%%  %s\n", row->about,
		result->floor, figures_median(&result->ours), figures_median(&result->kvm),
		ratio(result), row->budget, 100 * figures_spread(&result->ours),
		verdict(result));
}

/* What does not come in each round is the host's timer's. */
#define SELDOM	0.1

static void report_counts(FILE *out, const struct result *result)
{
	const struct count *count = result->counts.count;
	const char *about = result->row->about;
	unsigned int limit;

	for (unsigned int i = 0; i < result->counts.nr; i++) {
		limit = count_limit(result->row, count[i].name);
		if (!limit && count[i].value < SELDOM)
			continue;
		if (*about)
			fprintf(out, "# %-36s", about);
		about = "";
		fprintf(out, " %s %.2f", count[i].name, count[i].value);
		if (limit)
			fprintf(out, " (%u)", limit);
	}
	if (!*about)
		fprintf(out, "%s\n", counts_are_good(result->row, &result->counts) ? "" : "  OVER");
}

static void report_tap(FILE *out, const struct result *result, size_t number)
{
	fprintf(out, "%s %zu %s\n", result_is_good(result) ? "ok" : "not ok", number,
		result->row->name);
}

/**
 * report() - the table, for people; with TAP around it for a test
 * @out: where
 * @results: the results
 * @count: of @results
 * @tap: TAP
 *
 * Return: whether everything is within its budget.
 */
bool report(FILE *out, const struct result *results, size_t count, bool tap)
{
	size_t bad = 0;

	if (tap)
		fprintf(out, "TAP version 13\n1..%zu\n", count);
	report_head(out);
	for (size_t i = 0; i < count; i++) {
		report_row(out, &results[i]);
		bad += !result_is_good(&results[i]);
	}
	for (size_t i = 0; i < count; i++)
		report_counts(out, &results[i]);
	for (size_t i = 0; i < count && tap; i++)
		report_tap(out, &results[i], i + 1);
	if (tap)
		fprintf(out, "# Totals: pass:%zu fail:%zu xfail:0 xpass:0 skip:0 error:0\n",
			count - bad, bad);
	return !bad;
}

static void json_counts(FILE *out, const struct result *result)
{
	const struct count *count = result->counts.count;

	for (unsigned int i = 0; i < result->counts.nr; i++)
		fprintf(out, ",\n  {\"name\": \"%s %s\", \"ours\": %.3f, \"budget\": %u}",
			result->row->name, count[i].name, count[i].value,
			count_limit(result->row, count[i].name));
}

/**
 * report_json() - a list of objects
 * @out: where
 * @results: the results
 * @count: of @results
 */
void report_json(FILE *out, const struct result *results, size_t count)
{
	const char *comma = "";

	fputs("[", out);
	for (size_t i = 0; i < count; i++) {
		const struct result *r = &results[i];

		if (!measured(r))
			continue;
		fprintf(out, "%s\n  {\"name\": \"%s\", \"about\": \"%s\", ", comma, r->row->name,
			r->row->about);
		fprintf(out, "\"floor\": %.1f, \"ours\": %.1f, \"kvm\": %.1f, ", r->floor,
			figures_median(&r->ours), figures_median(&r->kvm));
		fprintf(out, "\"ratio\": %.4f, \"budget\": %.2f, \"spread\": %.4f}", ratio(r),
			r->row->budget, figures_spread(&r->ours));
		json_counts(out, r);
		comma = ",";
	}
	fputs("\n]\n", out);
}
