// SPDX-License-Identifier: GPL-2.0-only
/* Opening the device, with a word to who may not. */
#include <errno.h>

#include "denied.h"
#include "device.h"
#include "report.h"

struct axvcpu_device *open_device(const char *path)
{
	struct axvcpu_device *dev;
	int err;

	if (!path)
		path = AXVCPU_DEVICE_PATH;
	err = axvcpu_device_open(path, &dev);
	if (!err)
		return dev;
	complain("%s: %s", path, axvcpu_error_text());
	if (err == -EACCES)
		explain_denied_device(path);
	return NULL;
}
