/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are no guests but are often taken for one. What a function returns
 * says so, to go on after "FILE can't be run: ".
 */
#ifndef AXVMM_FOREIGN_H
#define AXVMM_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

/**
 * foreign_file() - is a file without an ELF header another known kind of file?
 * @data: the file
 * @size: its bytes
 *
 * Return: what it is; NULL: it may be machine code.
 */
const char *foreign_file(const uint8_t *data, size_t size);

/**
 * foreign_notes() - do the notes of an ELF file tell that it is for Linux?
 * @notes: a segment of type PT_NOTE
 * @size: its bytes
 *
 * Return: what the file is; NULL: they don't tell.
 */
const char *foreign_notes(const uint8_t *notes, size_t size);

#endif /* AXVMM_FOREIGN_H */
