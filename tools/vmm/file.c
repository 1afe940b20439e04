// SPDX-License-Identifier: GPL-2.0-only
/* The guest's file comes into memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "denied.h"
#include "file.h"
#include "report.h"

/* Larger than any guest's file; keeps a mistake from filling memory. */
#define FILE_MAX_GIB	1ULL
#define FILE_MAX_BYTES	(FILE_MAX_GIB << 30)

static void complain_errno(const char *path)
{
	int error = errno;

	complain("%s: %s", path, strerror(error));
	if (error == EACCES)
		explain_denied_file(path);
}

static bool is_file(const char *path, const struct stat *st)
{
	if (S_ISDIR(st->st_mode)) {
		complain("%s is a directory; axvmm run takes the file of a guest", path);
		return false;
	}
	if (!S_ISREG(st->st_mode)) {
		complain("%s is no regular file: copy what it has to one", path);
		return false;
	}
	if ((uint64_t)st->st_size > FILE_MAX_BYTES) {
		complain("%s has more than %llu GiB, which no guest may have", path, FILE_MAX_GIB);
		return false;
	}
	return true;
}

static void *read_bytes(int fd, const char *path, size_t wanted, size_t *size)
{
	uint8_t *data = malloc(wanted + 1);
	ssize_t n = 1;

	*size = 0;
	while (data && n > 0 && *size < wanted) {
		n = read(fd, data + *size, wanted - *size);
		if (n > 0)
			*size += n;
	}
	if (data && n >= 0)
		return data;
	complain_errno(path);
	free(data);
	return NULL;
}

void *read_file(const char *path, size_t *size)
{
	/* To open a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *data = NULL;
	struct stat st;

	if (fd < 0) {
		complain_errno(path);
		return NULL;
	}
	if (fstat(fd, &st))
		complain_errno(path);
	else if (is_file(path, &st))
		data = read_bytes(fd, path, st.st_size, size);
	close(fd);
	return data;
}
