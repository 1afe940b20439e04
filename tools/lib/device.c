// SPDX-License-Identifier: LGPL-2.1-or-later
/* The device and address spaces. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

int axvcpu_device_open(const char *path, struct axvcpu_device **dev)
{
	struct axvcpu_device *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return failed(CALL_OPEN, -ENOMEM);

	new->fd = open(path ? path : AXVCPU_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (new->fd < 0) {
		err = -errno;
		goto free;
	}
	err = xioctl(new->fd, AXVCPU_GET_INFO, &new->info);
	if (err < 0)
		goto close;
	if (new->info.abi_version < AXVCPU_ABI_VERSION ||
	    new->info.abi_oldest > AXVCPU_ABI_VERSION ||
	    new->info.run_size < sizeof(struct axvcpu_run)) {
		err = -EPROTO;
		goto close;
	}
	new->info.name[sizeof(new->info.name) - 1] = '\0';

	*dev = new;
	return 0;

close:
	close(new->fd);
free:
	free(new);
	return failed(CALL_OPEN, err);
}

void axvcpu_device_close(struct axvcpu_device *dev)
{
	if (!dev)
		return;
	close(dev->fd);
	free(dev);
}

int axvcpu_device_fd(const struct axvcpu_device *dev)
{
	return dev->fd;
}

const struct axvcpu_info *axvcpu_device_info(const struct axvcpu_device *dev)
{
	return &dev->info;
}

int axvcpu_aspace_create(struct axvcpu_device *dev, struct axvcpu_aspace **aspace)
{
	struct axvcpu_create_aspace args = { 0 };
	struct axvcpu_aspace *new = calloc(1, sizeof(*new));

	if (!new)
		return failed(CALL_CREATE_ASPACE, -ENOMEM);

	new->fd = xioctl(dev->fd, AXVCPU_CREATE_ASPACE, &args);
	if (new->fd < 0) {
		int err = new->fd;

		free(new);
		return failed(CALL_CREATE_ASPACE, err);
	}

	*aspace = new;
	return 0;
}

void axvcpu_aspace_close(struct axvcpu_aspace *aspace)
{
	if (!aspace)
		return;
	close(aspace->fd);
	free(aspace);
}

int axvcpu_aspace_fd(const struct axvcpu_aspace *aspace)
{
	return aspace->fd;
}

static int aspace_ioctl(struct axvcpu_aspace *aspace, enum call call, unsigned long cmd, void *arg)
{
	int ret = xioctl(aspace->fd, cmd, arg);

	return ret < 0 ? failed(call, ret) : ret;
}

int axvcpu_aspace_map(struct axvcpu_aspace *aspace, uint64_t gpa, void *addr, uint64_t size,
		      uint32_t flags)
{
	struct axvcpu_map args = {
		.gpa = gpa,
		.size = size,
		.uaddr = (uintptr_t)addr,
		.flags = flags,
	};
	int err = aspace_ioctl(aspace, CALL_MAP, AXVCPU_MAP, &args);

	return err == -EINVAL ? because(err, why_no_map(&args)) : err;
}

int axvcpu_aspace_unmap(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size)
{
	struct axvcpu_unmap args = { .gpa = gpa, .size = size };

	return aspace_ioctl(aspace, CALL_UNMAP, AXVCPU_UNMAP, &args);
}

int axvcpu_aspace_protect(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size,
			  uint32_t flags)
{
	struct axvcpu_protect args = { .gpa = gpa, .size = size, .flags = flags };

	return aspace_ioctl(aspace, CALL_PROTECT, AXVCPU_PROTECT, &args);
}

int axvcpu_aspace_get_dirty(struct axvcpu_aspace *aspace, uint64_t gpa, uint64_t size,
			    uint64_t *bitmap)
{
	struct axvcpu_get_dirty args = {
		.gpa = gpa,
		.size = size,
		.bitmap = (uintptr_t)bitmap,
	};

	return aspace_ioctl(aspace, CALL_GET_DIRTY, AXVCPU_GET_DIRTY, &args);
}

int axvcpu_aspace_get_stats(struct axvcpu_aspace *aspace, struct axvcpu_aspace_stats *stats)
{
	return aspace_ioctl(aspace, CALL_GET_STATE, AXVCPU_GET_ASPACE_STATS, stats);
}
