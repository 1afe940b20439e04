// SPDX-License-Identifier: GPL-2.0-only
/* How much memory the kernel uses, for tests that look for what grows. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/*
 * KASAN keeps freed objects for a while, kmalloc() keeps free ones: neither is
 * in use.
 */
static void shrink_slabs(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[300];
	int fd;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "kmalloc", 7))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)!write(fd, "1", 1);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

/* Free pages that each CPU keeps for itself; MemFree does not count them. */
static long kept_pages(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[128];
	long n, sum = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %ld", &n) == 1)
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

/**
 * kernel_memory() - what the kernel holds for itself: neither free nor a process's
 *
 * It takes a while, so that what is on its way to be free is so.
 *
 * Return: bytes, or -1.
 */
long kernel_memory(void)
{
	static const struct {
		const char *name;
		int sign;
	} rows[] = {
		{ "MemTotal:", 1 }, { "MemFree:", -1 }, { "Buffers:", -1 }, { "Cached:", -1 },
		{ "AnonPages:", -1 }, { "PageTables:", -1 }, { "SReclaimable:", -1 },
	};
	char line[128], name[64];
	long kib, sum = 0;
	FILE *f;

	/* What RCU frees, and closes that are under way */
	sleep_ns(300000000);
	shrink_slabs();
	f = fopen("/proc/meminfo", "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &kib) != 2)
			continue;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (!strcmp(name, rows[i].name))
				sum += rows[i].sign * kib * 1024;
		}
	}
	fclose(f);
	return sum - kept_pages() * sysconf(_SC_PAGESIZE);
}

/**
 * kernel_memory_growth() - how much more the kernel holds than before
 * @before: what kernel_memory() said then
 * @tolerated: bytes that are no reason to look again
 *
 * What is to be freed may have to wait its turn on a busy machine: it has 30 looks for that.
 *
 * Return: bytes.
 */
long kernel_memory_growth(long before, long tolerated)
{
	long growth = LONG_MAX;

	for (int i = 0; i < 30 && growth >= tolerated; i++)
		growth = kernel_memory() - before;
	return growth;
}
