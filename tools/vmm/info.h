/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AXVMM_INFO_H
#define AXVMM_INFO_H

#include "options.h"

/**
 * print_info() - axvmm info
 * @opt: the command line
 *
 * Return: axvmm's exit status.
 */
int print_info(const struct info_options *opt);

#endif /* AXVMM_INFO_H */
