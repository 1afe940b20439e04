// SPDX-License-Identifier: GPL-2.0-only
/* What an arm64 vCPU is told: EL1, MMU off. */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>

#include <libaxvcpu.h>

#include "bench.h"

#define PSTATE_EL1H	0x3c5	/* interrupts masked */

#define CORE_REG(field)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |	\
			 offsetof(struct kvm_regs, regs.field) / sizeof(uint32_t))

/*
 * 31 registers in and out by pairs, those of the caller saved and fetched, ELR,
 * SPSR, HCR, VBAR, ESR; ERET; and the instruction that exits.
 */
const unsigned int switch_instructions = 70;
const unsigned int pages_of_vcpu;

/* KVM is part of the kernel. */
const char *const kvm_modules[] = { NULL };
const uint32_t kvm_user_exit = KVM_EXIT_MMIO;
const uint32_t axvcpu_user_exit = AXVCPU_EXIT_MMIO_READ;

int guest_init_memory(uint8_t *mem)
{
	(void)mem;
	return 0;
}

int kvm_init_vm(struct vm *vm)
{
	(void)vm;
	return 0;
}

int kvm_init_vcpu(struct vm *vm)
{
	struct kvm_vcpu_init init;

	if (ioctl(vm->vm_fd, KVM_ARM_PREFERRED_TARGET, &init))
		return -errno;
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	return ioctl(vm->fd, KVM_ARM_VCPU_INIT, &init) ? -errno : 0;
}

static int set_reg(int fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(fd, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

int kvm_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1)
{
	int err;

	err = set_reg(vm->fd, CORE_REG(regs[0]), arg0);
	if (!err)
		err = set_reg(vm->fd, CORE_REG(regs[1]), arg1);
	if (!err)
		err = set_reg(vm->fd, CORE_REG(pstate), PSTATE_EL1H);
	return err ?: set_reg(vm->fd, CORE_REG(pc), GUEST_CODE + guest_programs[program]);
}

/* The line of a CPU that has no interrupt controller. */
int kvm_interrupt(struct vm *vm, bool up)
{
	struct kvm_irq_level level = {
		.irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT | KVM_ARM_IRQ_CPU_IRQ,
		.level = up,
	};

	return ioctl(vm->vm_fd, KVM_IRQ_LINE, &level) ? -errno : 0;
}

int axvcpu_interrupt(struct vm *vm, bool up)
{
	return axvcpu_vcpu_interrupt(vm->vcpu, up ? AXVCPU_ARM64_RAISE_LINE(AXVCPU_ARM64_LINE_IRQ) :
						    AXVCPU_ARM64_LOWER_LINE(AXVCPU_ARM64_LINE_IRQ));
}

uint64_t *kvm_answer(struct kvm_run *run)
{
	return (uint64_t *)run->mmio.data;
}

uint64_t *axvcpu_answer(struct axvcpu_run *run)
{
	return (uint64_t *)&run->mmio.data;
}

const struct count_limit count_limits[] = {
	{ "kernel-exit", "SYSREG", 30 },
	{ .row = NULL }
};

void axvcpu_setup_init(const struct vm *vm, struct axvcpu_setup *setup)
{
	(void)vm;
	(void)setup;
}

int axvcpu_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(vm->vcpu);

	run->regs.arm64.x[0] = arg0;
	run->regs.arm64.x[1] = arg1;
	run->regs.arm64.pc = GUEST_CODE + guest_programs[program];
	run->regs.arm64.pstate = PSTATE_EL1H;
	run->regs_dirty = 1;
	return 0;
}
