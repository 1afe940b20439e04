/* SPDX-License-Identifier: GPL-2.0-only */
/* After "Permission denied": who may, and what can be done. */
#ifndef AXVMM_DENIED_H
#define AXVMM_DENIED_H

/**
 * explain_denied_file() - print who may read a file
 * @path: the file, which open() refused with EACCES
 */
void explain_denied_file(const char *path);

/**
 * explain_denied_device() - print who may open the device
 * @path: the device, which open() refused with EACCES
 */
void explain_denied_device(const char *path);

#endif /* AXVMM_DENIED_H */
