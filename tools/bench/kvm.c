// SPDX-License-Identifier: GPL-2.0-only
/* KVM, driven by nothing but its ioctls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static void kvm_release(void)
{
	int n = 0;

	while (kvm_modules[n])
		n++;
	while (n--)
		module_unload(kvm_modules[n]);
}

/* As it is loaded by default: VMX is on from then on, and not a machine's cost. */
static int kvm_acquire(void)
{
	int err;

	for (int n = 0; kvm_modules[n]; n++) {
		err = module_load(kvm_modules[n]);
		if (err)
			return err;
	}
	return access("/dev/kvm", R_OK | W_OK) ? -errno : 0;
}

static int kvm_map(struct vm *vm, unsigned int slot, uint64_t gpa, void *mem, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

static int kvm_add_vcpu(struct vm *vm, unsigned int id)
{
	int fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)id);

	return fd < 0 ? -errno : fd;
}

/*
 * Of what VMMs do, this ends the run first: the signal is let in while it lasts,
 * and there is no handler that has to run.
 */
static int kvm_kick_init(struct vm *vm)
{
	struct kvm_signal_mask *mask = calloc(1, sizeof(*mask) + sizeof(uint64_t));
	int err;

	if (!mask)
		return -ENOMEM;
	mask->len = sizeof(uint64_t);
	err = ioctl(vm->fd, KVM_SET_SIGNAL_MASK, mask) ? -errno : 0;
	free(mask);
	return err;
}

static int kvm_kick(struct vm *vm, pthread_t thread)
{
	(void)vm;
	return -pthread_kill(thread, KICK_SIGNAL);
}

static int kvm_open(struct vm *vm)
{
	int size, err;

	vm->vm_fd = -1;
	vm->fd = -1;
	vm->page = MAP_FAILED;
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return -errno;
	vm->vm_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0)
		return -errno;
	err = kvm_init_vm(vm);
	if (!err)
		err = kvm_map(vm, 0, 0, vm->mem, vm->size);
	if (err)
		return err;
	vm->fd = kvm_add_vcpu(vm, 0);
	if (vm->fd < 0)
		return vm->fd;
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < 0)
		return -errno;
	vm->page_size = size;
	vm->page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->fd, 0);
	if (vm->page == MAP_FAILED)
		return -errno;
	vm->run_command = KVM_RUN;
	vm->exit_reason = &((struct kvm_run *)vm->page)->exit_reason;
	vm->user_exit = kvm_user_exit;
	vm->answer = kvm_answer(vm->page);
	vm->immediate_exit = &((struct kvm_run *)vm->page)->immediate_exit;
	return kvm_init_vcpu(vm);
}

static void kvm_close(struct vm *vm)
{
	if (vm->page != MAP_FAILED)
		munmap(vm->page, vm->page_size);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->vm_fd >= 0)
		close(vm->vm_fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
}

const struct hypervisor hypervisor_kvm = {
	.name		= "KVM",
	.acquire	= kvm_acquire,
	.release	= kvm_release,
	.open		= kvm_open,
	.close		= kvm_close,
	.start		= kvm_start,
	.map		= kvm_map,
	.add_vcpu	= kvm_add_vcpu,
	.kick_init	= kvm_kick_init,
	.kick		= kvm_kick,
	.state		= kvm_state,
	.interrupt	= kvm_interrupt,
};
