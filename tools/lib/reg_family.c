// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers whose names have a number in them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

static int name_of(const struct reg_family *f, uint64_t number, char *buf, size_t len)
{
	return snprintf(buf, len, "%s%llu%s", f->prefix, (unsigned long long)number, f->suffix);
}

/* The name that reads as @name is it: no sign, no leading zero. */
static int find(const struct reg_family *f, const char *name, uint64_t *id)
{
	size_t len = strlen(f->prefix);
	char text[REG_NAME_BYTES];
	unsigned long number;

	if (strncasecmp(name, f->prefix, len) || !isdigit((unsigned char)name[len]))
		return -ENOENT;
	number = strtoul(name + len, NULL, 10);
	name_of(f, number, text, sizeof(text));
	if (number >= f->count || strcasecmp(name, text))
		return -ENOENT;
	*id = f->first + number * f->step;
	return 0;
}

int family_reg_id(const struct reg_family *families, size_t count, const char *name, uint64_t *id)
{
	for (size_t i = 0; i < count; i++) {
		if (!find(&families[i], name, id))
			return 0;
	}
	return -ENOENT;
}

int family_reg_name(const struct reg_family *families, size_t count, uint64_t id, char *buf,
		    size_t len)
{
	for (size_t i = 0; i < count; i++) {
		const struct reg_family *f = &families[i];
		uint64_t offset = id - f->first;

		if (!(offset % f->step) && offset / f->step < f->count)
			return name_of(f, offset / f->step, buf, len);
	}
	return -ENOENT;
}

void family_names(const struct reg_family *families, size_t count, name_fn fn, void *data)
{
	char name[REG_NAME_BYTES];

	for (size_t i = 0; i < count; i++) {
		for (unsigned int n = 0; n < families[i].count; n++) {
			name_of(&families[i], n, name, sizeof(name));
			fn(name, data);
		}
	}
}
