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

const uint64_t some_regs[NR_SOME] = {
	AXVCPU_ARM64_REG_PC, AXVCPU_ARM64_REG_PSTATE,
	AXVCPU_ARM64_REG_SYS(3, 4, 4, 1, 0),	/* SP_EL1 */
	AXVCPU_ARM64_REG_SYS(3, 0, 1, 0, 0),	/* SCTLR, CPACR, TTBR0, TTBR1, TCR */
	AXVCPU_ARM64_REG_SYS(3, 0, 1, 0, 2), AXVCPU_ARM64_REG_SYS(3, 0, 2, 0, 0),
	AXVCPU_ARM64_REG_SYS(3, 0, 2, 0, 1), AXVCPU_ARM64_REG_SYS(3, 0, 2, 0, 2),
	AXVCPU_ARM64_REG_SYS(3, 0, 4, 0, 0),	/* SPSR, ELR, ESR, FAR, MAIR, VBAR */
	AXVCPU_ARM64_REG_SYS(3, 0, 4, 0, 1), AXVCPU_ARM64_REG_SYS(3, 0, 5, 2, 0),
	AXVCPU_ARM64_REG_SYS(3, 0, 6, 0, 0), AXVCPU_ARM64_REG_SYS(3, 0, 10, 2, 0),
	AXVCPU_ARM64_REG_SYS(3, 0, 12, 0, 0),
};

#define MAX_KVM_REGS	1024

/* Of the one vCPU that is measured: its registers but for those that can't be written */
static struct {
	uint64_t id;
	uint64_t value[2];
} kvm_regs[MAX_KVM_REGS];
static unsigned int nr_kvm_regs;

static bool is_small(uint64_t id)
{
	return (id & KVM_REG_SIZE_MASK) <= KVM_REG_SIZE_U128;
}

/* Not ID registers, firmware's, caches' */
static bool is_state(uint64_t id)
{
	uint64_t class = id & KVM_REG_ARM_COPROC_MASK;

	if (class == KVM_REG_ARM64_SYSREG)
		return (id & 0xffff) >> 14 != 3 || (id >> 7 & 0x7f) || (id >> 11 & 7);
	return class == KVM_REG_ARM_CORE;
}

static int one_reg(int fd, unsigned int n, bool put)
{
	struct kvm_one_reg reg = { .id = kvm_regs[n].id, .addr = (uintptr_t)kvm_regs[n].value };

	return raw_ioctl(fd, put ? KVM_SET_ONE_REG : KVM_GET_ONE_REG, (unsigned long)&reg);
}

static int list_kvm_regs(int fd)
{
	static struct {
		struct kvm_reg_list head;
		uint64_t ids[MAX_KVM_REGS];
	} list = { .head.n = MAX_KVM_REGS };
	unsigned int n;

	if (ioctl(fd, KVM_GET_REG_LIST, &list))
		return -errno;
	nr_kvm_regs = 1;
	kvm_regs[0].id = CORE_REG(pc);
	for (unsigned int i = 0; i < list.head.n; i++) {
		n = nr_kvm_regs;
		kvm_regs[n].id = list.head.reg[i];
		if (kvm_regs[n].id == CORE_REG(pc) || !is_small(kvm_regs[n].id) ||
		    !is_state(kvm_regs[n].id))
			continue;
		if (!one_reg(fd, n, false) && !one_reg(fd, n, true))
			nr_kvm_regs++;
	}
	return 0;
}

/* There is no call for more than one. */
int kvm_state(struct vm *vm, enum state_part part, bool put)
{
	unsigned int count;
	int err = nr_kvm_regs ? 0 : list_kvm_regs(vm->fd);

	count = part == STATE_ONE ? 1 : part == STATE_SOME ? NR_SOME : nr_kvm_regs;
	for (unsigned int i = 0; i < count && !err; i++)
		err = one_reg(vm->fd, i, put);
	return err;
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
