// SPDX-License-Identifier: GPL-2.0-only
/* A guest of KVM's on arm64; see kvm_guest.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_guest.h"

static int set_core_reg(struct kvm_guest *k, uint64_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / 4,
		.addr = (uintptr_t)&value,
	};

	return ioctl(k->vcpu, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

/**
 * kvm_set_x() - set x0 to x30
 * @k: guest
 * @n: which
 * @value: its value
 *
 * Return: 0 or a negative errno.
 */
int kvm_set_x(struct kvm_guest *k, int n, uint64_t value)
{
	return set_core_reg(k, offsetof(struct kvm_regs, regs.regs) + 8 * n, value);
}

static int set_gic(struct kvm_guest *k, uint32_t group, uint64_t attr, uint64_t value)
{
	struct kvm_device_attr args = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)&value,
	};

	return ioctl(k->gic, KVM_SET_DEVICE_ATTR, &args) ? -errno : 0;
}

static int create_gic(struct kvm_guest *k)
{
	struct kvm_create_device args = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	int err;

	if (ioctl(k->vm, KVM_CREATE_DEVICE, &args))
		return -errno;
	k->gic = args.fd;
	err = set_gic(k, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, KVM_GUEST_GICD);
	if (!err)
		err = set_gic(k, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			      KVM_GUEST_GICR);
	return err ? err : set_gic(k, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
}

/* With pointer authentication, if the CPU has it. */
static int init_vcpu(struct kvm_guest *k)
{
	struct kvm_vcpu_init init;

	if (ioctl(k->vm, KVM_ARM_PREFERRED_TARGET, &init))
		return -errno;
	if (ioctl(k->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0)
		init.features[0] |= 1 << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
				    1 << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	return ioctl(k->vcpu, KVM_ARM_VCPU_INIT, &init) ? -errno : 0;
}

/**
 * kvm_create() - a guest that is ready to run
 * @k: filled in
 * @entry: where its code goes, and starts
 * @code: the code
 * @end: end of it
 *
 * Return: 0 or a negative errno.
 */
int kvm_create(struct kvm_guest *k, uint64_t entry, const uint8_t *code, const uint8_t *end)
{
	struct kvm_userspace_memory_region region = { .memory_size = KVM_GUEST_SIZE };
	int err;

	k->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (k->kvm < 0)
		return -errno;
	k->vm = ioctl(k->kvm, KVM_CREATE_VM, 0);
	k->mem = mmap(NULL, KVM_GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (k->vm < 0 || k->mem == MAP_FAILED)
		return -errno;
	memcpy(k->mem + entry, code, end - code);
	region.userspace_addr = (uintptr_t)k->mem;
	if (ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return -errno;
	k->vcpu = ioctl(k->vm, KVM_CREATE_VCPU, 0);
	if (k->vcpu < 0)
		return -errno;
	k->run_size = ioctl(k->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	k->run = mmap(NULL, k->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, k->vcpu, 0);
	if (k->run == MAP_FAILED)
		return -errno;
	err = create_gic(k);
	if (!err)
		err = init_vcpu(k);
	return err ? err : set_core_reg(k, offsetof(struct kvm_regs, regs.pc), entry);
}

/**
 * kvm_destroy() - undo kvm_create()
 * @k: guest
 */
void kvm_destroy(struct kvm_guest *k)
{
	munmap(k->run, k->run_size);
	close(k->vcpu);
	close(k->gic);
	close(k->vm);
	close(k->kvm);
	munmap(k->mem, KVM_GUEST_SIZE);
}

/**
 * kvm_turn() - run the guest until it stores to %KVM_GUEST_PORT
 * @k: guest
 *
 * Return: 0; -EPROTO: another exit; or a negative errno.
 */
int kvm_turn(struct kvm_guest *k)
{
	while (ioctl(k->vcpu, KVM_RUN, 0)) {
		if (errno != EINTR)
			return -errno;
	}
	return k->run->exit_reason == KVM_EXIT_MMIO &&
	       k->run->mmio.phys_addr == KVM_GUEST_PORT ? 0 : -EPROTO;
}
