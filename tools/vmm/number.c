// SPDX-License-Identifier: GPL-2.0-only
/* Numbers on the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "array_size.h"
#include "number.h"

#define SECONDS_MAX	(365ULL * 24 * 3600)
#define NS_PER_SEC	1000000000ULL

static const char empty[] = "which is empty";
static const char negative[] = "which is negative";
static const char no_number[] = "which is no number";
static const char not_whole[] = "which is no whole number";
static const char too_small[] = "which is too small";
static const char too_large[] = "which is too large";
static const char no_unit[] = "whose unit is unknown";

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

static const char *why_no_number(const char *text)
{
	if (!text[0])
		return empty;
	return text[0] == '-' && is_digit(text[1]) ? negative : no_number;
}

const char *parse_number(const char *text, uint64_t *value, char **end)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	unsigned long long n;

	if (!is_digit(text[0]))
		return why_no_number(text);
	/* Not base 0: a leading zero does not mean octal here. */
	errno = 0;
	n = strtoull(text, end, hex ? 16 : 10);
	if (errno)
		return too_large;
	*value = n;
	return NULL;
}

const char *parse_in_range(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *why;
	uint64_t n;
	char *end;

	why = parse_number(text, &n, &end);
	if (why)
		return why;
	if (*end)
		return not_whole;
	if (n < min || n > max)
		return n < min ? too_small : too_large;
	*value = n;
	return NULL;
}

const char *parse_size(const char *text, uint64_t *value)
{
	static const struct {
		const char *suffix;
		unsigned int shift;
	} units[] = {
		{ "", 0 }, { "K", 10 }, { "M", 20 }, { "G", 30 }, { "T", 40 },
	};
	const char *why;
	uint64_t n;
	char *end;

	why = parse_number(text, &n, &end);
	if (why)
		return why;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(end, units[i].suffix))
			continue;
		if (!n || n > UINT64_MAX >> units[i].shift)
			return n ? too_large : too_small;
		*value = n << units[i].shift;
		return NULL;
	}
	return no_unit;
}

const char *parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t whole, part = 0, unit = NS_PER_SEC;
	const char *why;
	char *end;

	why = parse_number(text, &whole, &end);
	if (why)
		return why;
	if (whole > SECONDS_MAX)
		return too_large;
	if (*end == '.') {
		for (end++; is_digit(*end) && unit > 1; end++) {
			unit /= 10;
			part += (*end - '0') * unit;
		}
	}
	if (*end)
		return is_digit(*end) ? "which has more than nine digits behind the point" :
			no_unit;
	if (whole + part == 0)
		return too_small;
	*ns = whole * NS_PER_SEC + part;
	return NULL;
}
