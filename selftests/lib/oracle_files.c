// SPDX-License-Identifier: GPL-2.0-only
/* The oracle's files, and which differences are known. */
#include <fcntl.h>
#include <fnmatch.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oracle_files.h"

#define MAX_LINE	256

static int open_beside(const char *what)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 64];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/oracle-%s", dirname(self), what);
	return open(path, O_RDONLY);
}

/*
 * oracle_load() - read oracle-WHAT-MODE
 */
bool oracle_load(struct oracle_file *file, const char *what, const char *mode)
{
	struct stat stat;
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%s-%s", what, mode);
	fd = open_beside(name);
	if (fd < 0)
		return false;
	if (!fstat(fd, &stat)) {
		file->size = stat.st_size;
		file->data = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
				  fd, 0);
	}
	close(fd);
	return file->data && file->data != MAP_FAILED;
}

/* @list: names with commas between them, or "all" */
static bool is_listed(const char *list, const char *mode)
{
	size_t len = strlen(mode);

	if (!strcmp(list, "all"))
		return true;
	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		if (!strncmp(list, mode, len) && (!list[len] || list[len] == ','))
			return true;
	}
	return false;
}

/*
 * oracle_begin() - read the list, and the names of the programs
 *
 * Returns whether the oracle was asked for, in this mode.
 */
bool oracle_begin(struct oracle_verdict *verdict, const char *mode)
{
	char line[MAX_LINE], modes[64], kind[16];
	int fd = open_beside("known");
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
	struct oracle_known *known;
	struct oracle_file names = {};

	if (!list)
		return false;
	while (verdict->nr_known < ORACLE_MAX_KNOWN && fgets(line, sizeof(line), list)) {
		known = &verdict->known[verdict->nr_known];
		verdict->partial |= !strcmp(line, "# partial\n");
		if (line[0] == '#' ||
		    sscanf(line, "%63s %63s %15s", known->programs, modes, kind) < 3)
			continue;
		known->wrong = !strcmp(kind, "wrong");
		verdict->nr_known += is_listed(modes, mode);
	}
	fclose(list);
	if (oracle_load(&names, "names", mode))
		verdict->names = names.data;
	return verdict->names || !verdict->partial;
}

/*
 * oracle_next() - the next program, whose reports are the same or not
 *
 * Its name goes to @name, of ORACLE_MAX_NAME. Returns whether the difference is to be shown.
 */
bool oracle_next(struct oracle_verdict *verdict, bool same, char *name)
{
	size_t len = strcspn(verdict->names, "\n");

	snprintf(name, ORACLE_MAX_NAME, "%.*s", (int)len, verdict->names);
	verdict->names += len + (verdict->names[len] == '\n');
	if (same)
		return false;
	for (unsigned int i = 0; i < verdict->nr_known; i++) {
		if (fnmatch(verdict->known[i].programs, name, 0))
			continue;
		verdict->wrong += verdict->known[i].wrong;
		verdict->known[i].hits++;
		return false;
	}
	return verdict->differ++ < ORACLE_MAX_SHOWN;
}

/*
 * oracle_end() - say how it went
 *
 * Returns how many differ and are not listed, or are listed and do not differ.
 */
unsigned int oracle_end(struct oracle_verdict *verdict, const char *mode, unsigned int programs,
			unsigned int exits)
{
	unsigned int in_vain = 0;

	for (unsigned int i = 0; i < verdict->nr_known; i++) {
		if (verdict->known[i].hits || verdict->partial)
			continue;
		in_vain++;
		printf("# %s is listed, and nothing of it differs\n", verdict->known[i].programs);
	}
	printf("# %s: %u programs, %u differ, %u are wrong and known; %u exits\n", mode, programs,
	       verdict->differ, verdict->wrong, exits);
	return verdict->differ + in_vain;
}

/*
 * oracle_say_hung() - the program after the first @n does not come to an end
 */
void oracle_say_hung(const struct oracle_verdict *verdict, unsigned int n)
{
	const char *name = verdict->names;

	while (n--)
		name += strcspn(name, "\n") + 1;
	printf("# %.*s: hangs in the vCPU\n", (int)strcspn(name, "\n"), name);
}

/*
 * oracle_show() - a number, if it is not the same on both sides
 */
void oracle_show(const char *what, uint64_t bare, uint64_t vcpu)
{
	if (bare != vcpu)
		printf(" %s %llx|%llx", what, (unsigned long long)bare, (unsigned long long)vcpu);
}
