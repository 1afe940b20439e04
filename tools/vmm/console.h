/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the guest prints: standard output, by lines. */
#ifndef AXVMM_CONSOLE_H
#define AXVMM_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct console - bytes on their way to a descriptor
 * @lock: protects all below
 * @fd: the descriptor
 * @interactive: a terminal: each byte is written at once
 * @buf: bytes not yet written
 * @used: how many
 */
struct console {
	pthread_mutex_t lock;
	int fd;
	bool interactive;
	char buf[512];
	size_t used;
};

/**
 * console_init() - make a console
 * @con: the console
 * @fd: where it prints
 */
void console_init(struct console *con, int fd);

/**
 * console_put() - print a byte
 * @con: the console
 * @byte: the byte
 *
 * Return: 0 or a negative errno.
 */
int console_put(struct console *con, char byte);

/**
 * console_flush() - write what is waiting
 * @con: the console
 *
 * Return: 0 or a negative errno.
 */
int console_flush(struct console *con);

#endif /* AXVMM_CONSOLE_H */
