/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's file comes into memory. */
#ifndef AXVMM_FILE_H
#define AXVMM_FILE_H

#include <stddef.h>

/**
 * read_file() - read a regular file
 * @path: where it is
 * @size: where its bytes are counted
 *
 * Return: its bytes, for free(); NULL after a message.
 */
void *read_file(const char *path, size_t *size);

#endif /* AXVMM_FILE_H */
