/* SPDX-License-Identifier: GPL-2.0-only */
/* What --help and --version print. */
#ifndef AXVMM_HELP_H
#define AXVMM_HELP_H

#include "cmdline.h"

/**
 * print_help() - print a command's help on standard output
 * @cmd: the command
 */
void print_help(const struct cmdline *cmd);

/** print_version() - print axvmm's version on standard output */
void print_version(void);

/**
 * end_after_print() - end the process after printing
 *
 * The status tells whether all of it could be written.
 */
__attribute__((noreturn))
void end_after_print(void);

#endif /* AXVMM_HELP_H */
