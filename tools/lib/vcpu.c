// SPDX-License-Identifier: LGPL-2.1-or-later
/* vCPUs: their life, their operations, and the loop around RUN. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

int vcpu_ioctl(struct axvcpu_vcpu *vcpu, enum call call, unsigned long cmd, void *arg)
{
	int ret = xioctl(vcpu->fd, cmd, arg);

	return ret < 0 ? vcpu_failed(vcpu, call, ret) : ret;
}

static int setup(struct axvcpu_vcpu *vcpu, struct axvcpu_setup *args)
{
	int err = vcpu_ioctl(vcpu, CALL_SETUP, AXVCPU_SETUP, args);

	return err == -EINVAL ? because(err, why_no_setup(vcpu->backend, args)) : err;
}

int axvcpu_vcpu_create(struct axvcpu_device *dev, const struct axvcpu_vcpu_attr *attr,
		       struct axvcpu_vcpu **vcpu)
{
	static const struct axvcpu_vcpu_attr any = AXVCPU_VCPU_ATTR_INIT;
	struct axvcpu_create_vcpu args = { 0 };
	struct axvcpu_vcpu *new;
	int err;

	if (!attr)
		attr = &any;
	args.vm_id = attr->vm_id;
	args.vcpu_id = attr->vcpu_id;
	args.favor_phys_cpu = attr->favor_cpu;
	if (attr->cpus) {
		if (attr->cpus_size > UINT32_MAX)
			return failed(CALL_CREATE_VCPU, -EINVAL);
		args.phys_cpu_set = (uintptr_t)attr->cpus;
		args.phys_cpu_set_len = attr->cpus_size;
	}
	if (attr->config)
		args.config = *attr->config;

	new = calloc(1, sizeof(*new));
	if (!new)
		return failed(CALL_CREATE_VCPU, -ENOMEM);
	new->backend = dev->info.backend;
	new->run_size = dev->info.run_size;

	new->fd = xioctl(dev->fd, AXVCPU_CREATE_VCPU, &args);
	if (new->fd < 0) {
		err = new->fd;
		goto free;
	}
	new->run = mmap(NULL, new->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, new->fd, 0);
	if (new->run == MAP_FAILED) {
		err = -errno;
		goto close;
	}

	*vcpu = new;
	return 0;

close:
	close(new->fd);
free:
	free(new);
	failed(CALL_CREATE_VCPU, err);
	if (err == -EINVAL && attr->vcpu_id > AXVCPU_VCPU_ID_MAX)
		because(err, "the vCPU's id is above 65535");
	return err;
}

void axvcpu_vcpu_close(struct axvcpu_vcpu *vcpu)
{
	if (!vcpu)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	free(vcpu);
}

int axvcpu_vcpu_fd(const struct axvcpu_vcpu *vcpu)
{
	return vcpu->fd;
}

struct axvcpu_run *axvcpu_vcpu_page(const struct axvcpu_vcpu *vcpu)
{
	return vcpu->run;
}

int axvcpu_vcpu_setup(struct axvcpu_vcpu *vcpu, const struct axvcpu_setup *args)
{
	struct axvcpu_setup copy = *args;

	return setup(vcpu, &copy);
}

static int setup_x86(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry,
		     uint32_t mode, uint64_t cr3)
{
	struct axvcpu_setup args = {
		.entry = entry,
		.aspace_fd = aspace->fd,
		.config.x86 = { .mode = mode, .cr3 = cr3 },
	};

	if (vcpu->backend == AXVCPU_BACKEND_VHE)
		return failed(CALL_SETUP, -EOPNOTSUPP);
	return setup(vcpu, &args);
}

int axvcpu_vcpu_setup_real(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry)
{
	return setup_x86(vcpu, aspace, entry, AXVCPU_X86_MODE_REAL, 0);
}

int axvcpu_vcpu_setup_protected(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace,
				uint64_t entry)
{
	return setup_x86(vcpu, aspace, entry, AXVCPU_X86_MODE_PROTECTED, 0);
}

int axvcpu_vcpu_setup_long(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry,
			   uint64_t cr3)
{
	return setup_x86(vcpu, aspace, entry, AXVCPU_X86_MODE_LONG, cr3);
}

int axvcpu_vcpu_setup_el1(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry)
{
	struct axvcpu_setup args = { .entry = entry, .aspace_fd = aspace->fd };

	if (vcpu->backend == AXVCPU_BACKEND_VMX)
		return failed(CALL_SETUP, -EOPNOTSUPP);
	return setup(vcpu, &args);
}

int axvcpu_vcpu_bind(struct axvcpu_vcpu *vcpu, int cpu)
{
	struct axvcpu_bind args = { .cpu = cpu };

	return vcpu_ioctl(vcpu, CALL_BIND, AXVCPU_BIND, &args);
}

int axvcpu_vcpu_run(struct axvcpu_vcpu *vcpu, unsigned int flags)
{
	int ret = ioctl(vcpu->fd, AXVCPU_RUN, (unsigned long)flags);

	return ret < 0 ? vcpu_failed(vcpu, CALL_RUN, -errno) : ret;
}

int axvcpu_vcpu_unbind(struct axvcpu_vcpu *vcpu)
{
	return vcpu_ioctl(vcpu, CALL_UNBIND, AXVCPU_UNBIND, NULL);
}

int axvcpu_vcpu_reset(struct axvcpu_vcpu *vcpu, unsigned int flags)
{
	return vcpu_ioctl(vcpu, CALL_RESET, AXVCPU_RESET, (void *)(uintptr_t)flags);
}

int axvcpu_vcpu_inject(struct axvcpu_vcpu *vcpu, const struct axvcpu_inject *event)
{
	struct axvcpu_inject copy = *event;
	int err = vcpu_ioctl(vcpu, CALL_INJECT, AXVCPU_INJECT, &copy);

	return err == -EINVAL ? because(err, why_no_event(vcpu->backend, event)) : err;
}

int axvcpu_vcpu_withdraw(struct axvcpu_vcpu *vcpu, const struct axvcpu_inject *event)
{
	struct axvcpu_inject copy = *event;

	return vcpu_ioctl(vcpu, CALL_WITHDRAW, AXVCPU_WITHDRAW, &copy);
}

int axvcpu_vcpu_interrupt(struct axvcpu_vcpu *vcpu, uint32_t vector)
{
	struct axvcpu_inject args = { .type = AXVCPU_EVENT_INTERRUPT, .vector = vector };

	return axvcpu_vcpu_inject(vcpu, &args);
}

int axvcpu_vcpu_kick(struct axvcpu_vcpu *vcpu)
{
	int saved = errno;
	int ret = xioctl(vcpu->fd, AXVCPU_KICK, NULL);

	errno = saved;
	return ret;
}

int axvcpu_vcpu_get_state(struct axvcpu_vcpu *vcpu, struct axvcpu_state_info *info)
{
	return vcpu_ioctl(vcpu, CALL_GET_STATE, AXVCPU_GET_STATE, info);
}

int axvcpu_vcpu_get_info(struct axvcpu_vcpu *vcpu, struct axvcpu_vcpu_info *info, void *cpus,
			 size_t cpus_size)
{
	struct axvcpu_vcpu_info args = { 0 };
	int err;

	if (cpus) {
		if (cpus_size > UINT32_MAX)
			return failed(CALL_GET_STATE, -EINVAL);
		args.phys_cpu_set = (uintptr_t)cpus;
		args.phys_cpu_set_len = cpus_size;
	}
	err = vcpu_ioctl(vcpu, CALL_GET_STATE, AXVCPU_GET_VCPU_INFO, &args);
	if (!err)
		*info = args;
	return err;
}

int axvcpu_vcpu_get_stats(struct axvcpu_vcpu *vcpu, struct axvcpu_stats *stats)
{
	return vcpu_ioctl(vcpu, CALL_GET_STATE, AXVCPU_GET_STATS, stats);
}

int axvcpu_vcpu_get_history(struct axvcpu_vcpu *vcpu, struct axvcpu_history_entry *entries,
			    uint32_t count)
{
	struct axvcpu_history args = { .entries = (uintptr_t)entries, .count = count };
	int err = vcpu_ioctl(vcpu, CALL_GET_STATE, AXVCPU_GET_HISTORY, &args);

	return err < 0 ? err : (int)args.count;
}

int axvcpu_vcpu_get_regs(struct axvcpu_vcpu *vcpu, struct axvcpu_reg *regs, uint32_t count)
{
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = count };

	return vcpu_ioctl(vcpu, CALL_GET_REGS, AXVCPU_GET_REGS, &args);
}

int axvcpu_vcpu_set_regs(struct axvcpu_vcpu *vcpu, const struct axvcpu_reg *regs, uint32_t count)
{
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = count };

	return vcpu_ioctl(vcpu, CALL_SET_REGS, AXVCPU_SET_REGS, &args);
}

int axvcpu_vcpu_set_debug(struct axvcpu_vcpu *vcpu, const struct axvcpu_set_debug *debug)
{
	struct axvcpu_set_debug copy = *debug;

	return vcpu_ioctl(vcpu, CALL_SET_DEBUG, AXVCPU_SET_DEBUG, &copy);
}

int axvcpu_vcpu_get_reg(struct axvcpu_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct axvcpu_reg reg = { .id = id };
	int err = axvcpu_vcpu_get_regs(vcpu, &reg, 1);

	if (!err)
		*value = reg.value;
	return err;
}

int axvcpu_vcpu_set_reg(struct axvcpu_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct axvcpu_reg reg = { .id = id, .value = value };

	return axvcpu_vcpu_set_regs(vcpu, &reg, 1);
}

static int handle_exit(struct axvcpu_vcpu *vcpu, const struct axvcpu_handlers *handlers,
		       void *data)
{
	struct axvcpu_run *run = vcpu->run;
	axvcpu_exit_fn fn = NULL;
	int ret;

	if (handlers->before) {
		ret = handlers->before(vcpu, run, data);
		if (ret)
			return ret;
	}
	if (run->exit_reason < ARRAY_SIZE(handlers->exit))
		fn = handlers->exit[run->exit_reason];
	if (!fn)
		fn = handlers->other;
	return fn ? fn(vcpu, run, data) : no_handler(run->exit_reason);
}

int axvcpu_vcpu_loop(struct axvcpu_vcpu *vcpu, unsigned int flags,
		     const struct axvcpu_handlers *handlers, void *data)
{
	int ret;

	do {
		ret = axvcpu_vcpu_run(vcpu, flags);
		if (!ret)
			ret = handle_exit(vcpu, handlers, data);
		else if (ret == -EINTR && handlers->interrupted)
			ret = handlers->interrupted(vcpu, vcpu->run, data);
		else
			return ret;
	} while (!ret);
	return ret < 0 ? handler_failed(ret) : ret;
}
