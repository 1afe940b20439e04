/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AXVMM_DEVICE_H
#define AXVMM_DEVICE_H

#include <libaxvcpu.h>

/**
 * open_device() - open the device, or say why not
 * @path: the device, NULL: the library's
 *
 * Return: the device; NULL after a message.
 */
struct axvcpu_device *open_device(const char *path);

#endif /* AXVMM_DEVICE_H */
