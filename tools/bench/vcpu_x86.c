// SPDX-License-Identifier: GPL-2.0-only
/* What an x86 vCPU is told, and what its guest needs in its memory: 64-bit mode. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include <libaxvcpu.h>

#include "bench.h"

/* What an identity map of the guest's memory takes */
#define MAPPED		(GUEST_PIECES + GUEST_PIECES_MAX)

/*
 * entry.S without mitigations: 15 registers in, 15 out, those of the caller
 * saved, cleared and fetched again, VMRESUME; and the instruction that exits.
 */
const unsigned int switch_instructions = 80;
const unsigned int pages_of_vcpu = 1;		/* the VMCS */

const char *const kvm_modules[] = { "irqbypass", "kvm", "kvm-intel", NULL };

int guest_init_memory(uint8_t *mem)
{
	return axvcpu_x86_identity_map(mem + GUEST_TABLES, GUEST_TABLES, GUEST_DATA - GUEST_TABLES,
				       MAPPED);
}

const uint32_t kvm_user_exit = KVM_EXIT_IO;
const uint32_t axvcpu_user_exit = AXVCPU_EXIT_IO_WRITE;

int kvm_init_vm(struct vm *vm)
{
	return vm->plain && ioctl(vm->vm_fd, KVM_CREATE_IRQCHIP, 0) ? -errno : 0;
}

/* KVM allows 64-bit mode where CPUID shows it. */
static int show_long_mode(int fd)
{
	static const struct kvm_cpuid_entry2 entries[] = {
		{ .function = 0 },
		{ .function = 0x80000000, .eax = 0x80000001 },
		{ .function = 0x80000001, .edx = 1 << 29 },
	};
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + sizeof(entries));
	int err;

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = sizeof(entries) / sizeof(*entries);
	memcpy(cpuid->entries, entries, sizeof(entries));
	err = ioctl(fd, KVM_SET_CPUID2, cpuid) ? -errno : 0;
	free(cpuid);
	return err;
}

static int init_real_mode(int fd, struct kvm_sregs *sregs)
{
	sregs->cs.selector = 0;
	sregs->cs.base = 0;
	return ioctl(fd, KVM_SET_SREGS, sregs) ? -errno : 0;
}

/* As axvcpu's SETUP does it. */
int kvm_init_vcpu(struct vm *vm)
{
	const struct kvm_segment data = {
		.limit = ~0U, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1,
	};
	struct kvm_segment code = data;
	struct kvm_sregs sregs;
	int err;

	if (ioctl(vm->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	if (vm->plain)
		return init_real_mode(vm->fd, &sregs);
	err = show_long_mode(vm->fd);
	if (err)
		return err;
	code.type = 11;
	code.db = 0;
	code.l = 1;
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.cr3 = GUEST_TABLES;
	sregs.cr4 |= 1 << 5;			/* PAE */
	sregs.cr0 |= 1U << 31 | 1;		/* PG, PE */
	sregs.efer |= 1 << 10 | 1 << 8;		/* LMA, LME */
	return ioctl(vm->fd, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

int kvm_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1)
{
	struct kvm_regs regs = {
		.rip = GUEST_CODE + guest_programs[program],
		.rsi = arg0,
		.rdi = arg1,
		.rflags = 2,
	};

	return ioctl(vm->fd, KVM_SET_REGS, &regs) ? -errno : 0;
}

const uint64_t some_regs[NR_SOME] = {
	AXVCPU_X86_REG_RIP, AXVCPU_X86_REG_RFLAGS, AXVCPU_X86_REG_GPR(AXVCPU_X86_RSP),
	AXVCPU_X86_REG_CR0, AXVCPU_X86_REG_CR2, AXVCPU_X86_REG_CR3, AXVCPU_X86_REG_CR4,
	AXVCPU_X86_REG_MSR(0xc0000080), AXVCPU_X86_REG_SEG_SELECTOR(AXVCPU_X86_SEG_CS),
	AXVCPU_X86_REG_SEG_BASE(AXVCPU_X86_SEG_CS), AXVCPU_X86_REG_SEG_LIMIT(AXVCPU_X86_SEG_CS),
	AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS),
	AXVCPU_X86_REG_GDTR_BASE, AXVCPU_X86_REG_GDTR_LIMIT,
};

/* What axvcpu's list has, in KVM's words; of the one vCPU that is measured */
static struct {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_xcrs xcrs;
} kept;

static const uint32_t msrs[] = {
	0x10, 0x174, 0x175, 0x176, 0x277, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000102,
};

static union {
	struct kvm_msrs list;
	uint8_t room[sizeof(struct kvm_msrs) + ARRAY_SIZE(msrs) * sizeof(struct kvm_msr_entry)];
} kept_msrs;

static int kvm_msrs(int fd, bool put)
{
	kept_msrs.list.nmsrs = ARRAY_SIZE(msrs);
	for (size_t i = 0; i < ARRAY_SIZE(msrs) && !put; i++)
		kept_msrs.list.entries[i].index = msrs[i];
	return raw_ioctl(fd, put ? KVM_SET_MSRS : KVM_GET_MSRS, (unsigned long)&kept_msrs) ==
	       ARRAY_SIZE(msrs) ? 0 : -EIO;
}

/* Each part by the calls that have it; the rest of them comes along. */
int kvm_state(struct vm *vm, enum state_part part, bool put)
{
	int err = raw_ioctl(vm->fd, put ? KVM_SET_REGS : KVM_GET_REGS, (unsigned long)&kept.regs);

	if (part == STATE_ONE || err)
		return err;
#define CALL(name, field)								\
	do {										\
		err = raw_ioctl(vm->fd, put ? KVM_SET_##name : KVM_GET_##name,		\
				(unsigned long)&kept.field);				\
		if (err)								\
			return err;							\
	} while (0)
	CALL(SREGS, sregs);
	if (part == STATE_SOME)
		return 0;
	CALL(FPU, fpu);
	CALL(DEBUGREGS, debugregs);
	CALL(VCPU_EVENTS, events);
#undef CALL
	return kvm_msrs(vm->fd, put);
}

/* The guest takes it: there is no line to lower. */
int kvm_interrupt(struct vm *vm, bool up)
{
	struct kvm_interrupt interrupt = { .irq = GUEST_VECTOR };

	return up && ioctl(vm->fd, KVM_INTERRUPT, &interrupt) ? -errno : 0;
}

int axvcpu_interrupt(struct vm *vm, bool up)
{
	return up ? axvcpu_vcpu_interrupt(vm->vcpu, GUEST_VECTOR) : 0;
}

/* An OUT has no answer: the store goes where nobody looks. */
static uint64_t nowhere;

uint64_t *kvm_answer(struct kvm_run *run)
{
	(void)run;
	return &nowhere;
}

uint64_t *axvcpu_answer(struct axvcpu_run *run)
{
	(void)run;
	return &nowhere;
}

const struct count_limit count_limits[] = {
	{ "kernel-exit", "VMREAD", 5 },
	{ "kernel-exit", "VMWRITE", 1 },
	{ "user-exit", "VMREAD", 6 },
	{ "user-exit", "VMWRITE", 1 },
	{ .row = NULL }
};

void axvcpu_setup_init(const struct vm *vm, struct axvcpu_setup *setup)
{
	if (vm->plain)
		return;
	setup->config.x86.mode = AXVCPU_X86_MODE_LONG;
	setup->config.x86.cr3 = GUEST_TABLES;
}

int axvcpu_start(struct vm *vm, enum program program, uint64_t arg0, uint64_t arg1)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(vm->vcpu);

	run->regs.x86.rip = GUEST_CODE + guest_programs[program];
	run->regs.x86.rflags = 2;
	run->regs.x86.gpr[AXVCPU_X86_RSI] = arg0;
	run->regs.x86.gpr[AXVCPU_X86_RDI] = arg1;
	run->regs_dirty = 1;
	return 0;
}
