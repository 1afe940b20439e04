// SPDX-License-Identifier: GPL-2.0-only
/* Kernel modules come and go: only one hypervisor can have the hardware. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"

static void module_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/modules/%s.ko", name);
}

/**
 * module_exists() - is there a file for it?
 * @name: module
 *
 * Return: whether there is.
 */
bool module_exists(const char *name)
{
	char path[64];

	module_path(path, sizeof(path), name);
	return !access(path, R_OK);
}

/**
 * module_load() - load /modules/@name.ko
 * @name: module
 *
 * Return: 0, also where it is loaded already; or a negative errno.
 */
int module_load(const char *name)
{
	char path[64];
	int fd, err;

	module_path(path, sizeof(path), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST ? -errno : 0;
	close(fd);
	return err;
}

/**
 * module_unload() - unload a module
 * @name: module; its own name has underscores where its file's has others
 *
 * Return: 0 or a negative errno.
 */
int module_unload(const char *name)
{
	char module[32];

	snprintf(module, sizeof(module), "%s", name);
	for (char *c = module; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}
