/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects, and what the library's files share. */
#ifndef LIBAXVCPU_INTERNAL_H
#define LIBAXVCPU_INTERNAL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <libaxvcpu.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* All of them are constant once they are made. */

struct axvcpu_device {
	int fd;
	struct axvcpu_info info;
};

struct axvcpu_aspace {
	int fd;
};

struct axvcpu_vcpu {
	int fd;
	uint32_t backend;
	uint32_t run_size;
	struct axvcpu_run *run;
};

/**
 * struct axvcpu_text - a text that grows in a buffer, cut where it ends
 * @buf: the buffer
 * @len: its bytes
 * @used: characters that the text has, cut or not
 */
struct axvcpu_text {
	char *buf;
	size_t len;
	size_t used;
};

/**
 * text_add() - add to a text
 * @text: the text
 * @fmt: as printf()
 */
__attribute__((format(printf, 2, 3)))
void text_add(struct axvcpu_text *text, const char *fmt, ...);

/**
 * text_add_error() - add an errno with its name, "Device or resource busy (EBUSY)"
 * @text: the text
 * @error: the errno, of either sign
 */
void text_add_error(struct axvcpu_text *text, int error);

/**
 * xioctl() - ioctl() with the error as the result
 * @fd: descriptor
 * @cmd: command
 * @arg: argument
 *
 * Return: what ioctl() returned, or a negative errno.
 */
static inline int xioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

#endif /* LIBAXVCPU_INTERNAL_H */
