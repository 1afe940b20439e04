// SPDX-License-Identifier: GPL-2.0-only
/* axvcpu, through its library; the run itself is the plain ioctl. */
#include <errno.h>
#include <unistd.h>

#include <libaxvcpu.h>

#include "bench.h"

static int ax_acquire(void)
{
	return access(AXVCPU_DEVICE_PATH, R_OK | W_OK) ? -errno : 0;
}

static void ax_release(void)
{
}

static int ax_map(struct vm *vm, unsigned int slot, uint64_t gpa, void *mem, size_t size)
{
	(void)slot;
	return axvcpu_aspace_map(vm->aspace, gpa, mem, size, AXVCPU_MAP_ALL);
}

static int setup_and_bind(struct vm *vm, int fd)
{
	struct axvcpu_setup setup = {
		.entry = GUEST_CODE + guest_programs[PROGRAM_USER_EXIT],
		.aspace_fd = axvcpu_aspace_fd(vm->aspace),
	};
	struct axvcpu_bind bind = { .cpu = -1 };

	axvcpu_setup_init(vm, &setup);
	return ioctl(fd, AXVCPU_SETUP, &setup) || ioctl(fd, AXVCPU_BIND, &bind) ? -errno : 0;
}

/* A descriptor, not an object of the library: there may be a thousand of them. */
static int ax_add_vcpu(struct vm *vm, unsigned int id)
{
	struct axvcpu_create_vcpu args = { .vcpu_id = id, .favor_phys_cpu = -1 };
	int fd = ioctl(axvcpu_device_fd(vm->device), AXVCPU_CREATE_VCPU, &args);
	int err;

	if (fd < 0)
		return -errno;
	err = setup_and_bind(vm, fd);
	if (!err)
		err = raw_ioctl(fd, AXVCPU_RUN, 0);
	if (err)
		close(fd);
	return err ?: fd;
}

static int ax_kick_init(struct vm *vm)
{
	(void)vm;
	return 0;
}

static int ax_kick(struct vm *vm, pthread_t thread)
{
	(void)thread;
	return axvcpu_vcpu_kick(vm->vcpu);
}

static int ax_open(struct vm *vm)
{
	struct axvcpu_run *run;
	int err;

	vm->device = NULL;
	vm->aspace = NULL;
	vm->vcpu = NULL;
	err = axvcpu_device_open(NULL, &vm->device);
	if (!err)
		err = axvcpu_aspace_create(vm->device, &vm->aspace);
	if (!err)
		err = ax_map(vm, 0, 0, vm->mem, vm->size);
	if (!err)
		err = axvcpu_vcpu_create(vm->device, NULL, &vm->vcpu);
	if (err)
		return err;
	run = axvcpu_vcpu_page(vm->vcpu);
	vm->fd = axvcpu_vcpu_fd(vm->vcpu);
	vm->run_command = AXVCPU_RUN;
	vm->exit_reason = &run->exit_reason;
	vm->user_exit = axvcpu_user_exit;
	vm->answer = axvcpu_answer(run);
	vm->immediate_exit = &run->immediate_exit;
	return setup_and_bind(vm, vm->fd);
}

static void ax_close(struct vm *vm)
{
	axvcpu_vcpu_close(vm->vcpu);
	axvcpu_aspace_close(vm->aspace);
	axvcpu_device_close(vm->device);
}

#define MAX_REGS	512

/* Of the one vCPU that is measured, what was read last */
static struct axvcpu_reg all_regs[MAX_REGS], few_regs[NR_SOME];
static uint32_t nr_regs;

static int list_regs(struct vm *vm)
{
	uint64_t ids[MAX_REGS];
	int err;

	nr_regs = MAX_REGS;
	err = axvcpu_vcpu_list_regs(vm->vcpu, ids, &nr_regs);
	for (uint32_t i = 0; i < nr_regs && !err; i++)
		all_regs[i].id = ids[i];
	return err;
}

static int regs_call(const struct vm *vm, bool put, struct axvcpu_reg *regs, uint32_t count)
{
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = count };

	return raw_ioctl(vm->fd, put ? AXVCPU_SET_REGS : AXVCPU_GET_REGS, (unsigned long)&args);
}

static int ax_state(struct vm *vm, enum state_part part, bool put)
{
	int err = 0;

	if (part == STATE_WHOLE)
		return raw_ioctl(vm->fd, put ? AXVCPU_RESTORE_STATE : AXVCPU_KEEP_STATE, 0);
	if (part == STATE_ALL) {
		if (!nr_regs)
			err = list_regs(vm);
		return err ?: regs_call(vm, put, all_regs, nr_regs);
	}
	for (int i = 0; i < NR_SOME && !few_regs[i].id; i++)
		few_regs[i].id = some_regs[i];
	return regs_call(vm, put, few_regs, part == STATE_ONE ? 1 : NR_SOME);
}

const struct hypervisor hypervisor_axvcpu = {
	.name		= "axvcpu",
	.acquire	= ax_acquire,
	.release	= ax_release,
	.open		= ax_open,
	.close		= ax_close,
	.start		= axvcpu_start,
	.map		= ax_map,
	.add_vcpu	= ax_add_vcpu,
	.kick_init	= ax_kick_init,
	.kick		= ax_kick,
	.state		= ax_state,
	.interrupt	= axvcpu_interrupt,
};
