// SPDX-License-Identifier: LGPL-2.1-or-later
/* A register's name that is wrong, and the right one that is most like it. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

static const struct {
	void (*list)(name_fn fn, void *data);
	const char *lookup;
} registers[] = {
	[AXVCPU_BACKEND_VMX]	= { x86_reg_names, "axvcpu_x86_reg_id" },
	[AXVCPU_BACKEND_VHE]	= { arm64_reg_names, "axvcpu_arm64_reg_id" },
};

/**
 * struct search - the name that is nearest so far
 * @wanted: the wrong name
 * @nearest: the right one, "" at first
 * @distance: letters that make the difference; the next has to have less
 */
struct search {
	const char *wanted;
	char nearest[REG_NAME_BYTES];
	size_t distance;
};

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to insert, leave out and change that make @a of @b (Levenshtein's). */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[REG_NAME_BYTES], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
				       diagonal + !same(a[i], b[j - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

/*
 * A name that is cut off is as near as one with one letter wrong, and nearer if
 * what is missing begins with a dot: "cs", of "cs.base".
 */
static size_t distance(const char *wanted, const char *name)
{
	size_t len = strlen(wanted);

	if (len > 1 && !strncasecmp(wanted, name, len))
		return name[len] == '.' ? 0 : 1;
	return edit_distance(wanted, name);
}

static void compare(const char *name, void *data)
{
	struct search *s = data;
	size_t d = distance(s->wanted, name);

	if (d >= s->distance)
		return;
	s->distance = d;
	snprintf(s->nearest, sizeof(s->nearest), "%s", name);
}

void add_wrong_name(struct axvcpu_text *text, uint32_t backend, const char *name)
{
	/* A third of the letters may be wrong, beyond which a guess is none. */
	struct search s = { .wanted = name, .distance = (strlen(name) + 1) / 3 + 1 };

	text_add(text, "no register is called '%s'", name);
	if (backend >= ARRAY_SIZE(registers) || !registers[backend].list) {
		text_add(text, ": this backend's registers have no names (ENOENT)");
		return;
	}
	registers[backend].list(compare, &s);
	if (s.nearest[0])
		text_add(text, "; did you mean '%s'? (ENOENT)", s.nearest);
	else
		text_add(text, "; %s() in libaxvcpu.h lists the names (ENOENT)",
			 registers[backend].lookup);
}
