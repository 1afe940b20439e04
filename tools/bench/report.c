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
	return !result->error && !result->skipped;
}

/**
 * result_is_good() - is it within its budget?
 * @result: the result
 *
 * Return: whether it is; what was skipped is.
 */
bool result_is_good(const struct result *result)
{
	if (result->error)
		return false;
	return result->skipped || !result->row->budget || ratio(result) <= result->row->budget;
}

/**
 * report_head() - the table's heading
 * @out: where
 */
void report_head(FILE *out)
{
	fprintf(out, "%-38s %10s %10s %7s %7s %8s\n", "", "axvcpu", "KVM", "ratio", "budget",
		"spread");
}

/**
 * report_row() - a line of the table
 * @out: where
 * @result: the row's
 */
void report_row(FILE *out, const struct result *result)
{
	const struct row *row = result->row;

	if (!measured(result)) {
		fprintf(out, "%-38s %s%s\n", row->about, result->skipped ? "skipped: " : "failed: ",
			result->skipped ?: strerror(-result->error));
		return;
	}
	fprintf(out, "%-38s %10.1f %10.1f %7.3f", row->about, figures_median(&result->ours),
		figures_median(&result->kvm), ratio(result));
	if (row->budget)
		fprintf(out, " %7.2f %7.1f%%  %s\n", row->budget,
			100 * figures_spread(&result->ours), result_is_good(result) ? "ok" : "OVER");
	else
		fprintf(out, " %7s %7.1f%%\n", "", 100 * figures_spread(&result->ours));
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
		fprintf(out, "%s\n  {\"name\": \"%s\", \"ours\": %.1f, \"kvm\": %.1f, "
			"\"ratio\": %.4f, \"budget\": %.2f, \"spread\": %.4f}", comma,
			r->row->name, figures_median(&r->ours), figures_median(&r->kvm), ratio(r),
			r->row->budget, figures_spread(&r->ours));
		comma = ",";
	}
	fputs("\n]\n", out);
}
