// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of KVM's and one of ours take turns on one CPU. Each keeps its own
 * values in the registers that the host does not use and checks them.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define ENTRY	GUEST_PROG(0)
#define PORT	0x20000000ULL
#define SIZE	0x100000

/* x20: base of this guest's values; x21: where to tell; a store is the exit. */
#define REGS(R)									\
	R("tpidr_el0") R("tpidrro_el0") R("tpidr_el1") R("ttbr0_el1") R("ttbr1_el1")	\
	R("vbar_el1") R("mair_el1") R("contextidr_el1") R("sp_el0")
#define WRITE(name)	"msr " name ", x8\n add x8, x8, #0x800\n"
#define CHECK(name)	"mrs x0, " name "\n cmp x0, x8\n b.ne 9f\n add x8, x8, #0x800\n"

asm(".pushsection .rodata\n.globl twin, twin_end\n.balign 4096\ntwin:\n"
    "mov x0, #3 << 20\n msr cpacr_el1, x0\n isb\n"
    "mov x8, x20\n" REGS(WRITE)
    "dup v8.2d, x20\n mov sp, x20\n"
    "msr cntv_cval_el0, x20\n mov x0, #2\n msr cntv_ctl_el0, x0\n"
    "1: mov x1, #0x1000\n2: sub x1, x1, #1\n cbnz x1, 2b\n"
    "mov x8, x20\n" REGS(CHECK)
    "mov x0, v8.d[1]\n cmp x0, x20\n b.ne 9f\n mov x0, sp\n cmp x0, x20\n b.ne 9f\n"
    "mrs x0, cntv_cval_el0\n cmp x0, x20\n b.ne 9f\n"
    "mrs x0, cntv_ctl_el0\n cmp x0, #2\n b.ne 9f\n"
    "str w20, [x21]\n b 1b\n"
    "9: str w8, [x21, #8]\n b 9b\n"
    "twin_end:\n.popsection\n");
extern const uint8_t twin[], twin_end[];

struct kvm_guest {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	uint8_t *mem;
};

static int kvm_set_reg(struct kvm_guest *k, uint64_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / 4,
		.addr = (uintptr_t)&value,
	};

	return ioctl(k->vcpu, KVM_SET_ONE_REG, &reg);
}

static int kvm_create(struct kvm_guest *k, uint64_t values)
{
	struct kvm_userspace_memory_region region = { .memory_size = SIZE };
	struct kvm_vcpu_init init;
	int size;

	k->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (k->kvm < 0)
		return -errno;
	k->vm = ioctl(k->kvm, KVM_CREATE_VM, 0);
	k->mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(k->mem + ENTRY, twin, twin_end - twin);
	region.userspace_addr = (uintptr_t)k->mem;
	if (k->vm < 0 || ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return -errno;
	k->vcpu = ioctl(k->vm, KVM_CREATE_VCPU, 0);
	if (k->vcpu < 0 || ioctl(k->vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(k->vcpu, KVM_ARM_VCPU_INIT, &init))
		return -errno;
	size = ioctl(k->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	k->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, k->vcpu, 0);
	if (kvm_set_reg(k, offsetof(struct kvm_regs, regs.pc), ENTRY) ||
	    kvm_set_reg(k, offsetof(struct kvm_regs, regs.regs[20]), values) ||
	    kvm_set_reg(k, offsetof(struct kvm_regs, regs.regs[21]), PORT))
		return -errno;
	return 0;
}

/* 0: the guest found all its values. */
static int kvm_turn(struct kvm_guest *k)
{
	while (ioctl(k->vcpu, KVM_RUN, 0)) {
		if (errno != EINTR)
			return -errno;
	}
	return k->run->exit_reason == KVM_EXIT_MMIO && k->run->mmio.phys_addr == PORT ?
	       0 : -EPROTO;
}

static int our_turn(struct guest_vcpu *v)
{
	int err;

	do {
		err = xioctl(v->fd, AXVCPU_RUN, 0);
	} while (err == -EINTR);
	if (err)
		return err;
	return v->run->exit_reason == AXVCPU_EXIT_MMIO_WRITE && v->run->mmio.gpa == PORT ?
	       0 : -EPROTO;
}

FIXTURE(vhe_kvm) {
	struct guest g;
	struct guest_vcpu v;
	struct kvm_guest k;
};

FIXTURE_SETUP(vhe_kvm)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	if (self->g.info.backend != AXVCPU_BACKEND_VHE)
		SKIP(return, "not on arm64");
	pin_to_cpu(1);
	memcpy(self->g.mem + ENTRY, twin, twin_end - twin);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, ENTRY));
	self->v.run->regs.arm64.x[20] = 0x10000000;
	self->v.run->regs.arm64.x[21] = PORT;
	ASSERT_EQ(0, kvm_create(&self->k, 0x20000000));
}

FIXTURE_TEARDOWN(vhe_kvm)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

TEST_F(vhe_kvm, alternate)
{
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(0, our_turn(&self->v)) TH_LOG("turn %d", i);
		ASSERT_EQ(0, kvm_turn(&self->k)) TH_LOG("turn %d", i);
		if (i % 7 == 0) {
			ASSERT_EQ(0, kvm_turn(&self->k)) TH_LOG("turn %d", i);
		}
		if (i % 5 == 0) {
			ASSERT_EQ(0, our_turn(&self->v)) TH_LOG("turn %d", i);
		}
	}
}

static volatile bool stop;

static void *kvm_thread(void *arg)
{
	struct kvm_guest *k = arg;
	long err = 0;

	while (!stop && !err)
		err = kvm_turn(k);
	return (void *)err;
}

/* The scheduler takes the CPU from one and gives it to the other, anywhere. */
TEST_F(vhe_kvm, preempt)
{
	unsigned long long end = now_ns() + 2000000000ULL;
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, pthread_create(&thread, NULL, kvm_thread, &self->k));
	while (now_ns() < end) {
		ASSERT_EQ(0, our_turn(&self->v));
	}
	stop = true;
	pthread_join(thread, &err);
	EXPECT_EQ(0, (long)err);
}

TEST_HARNESS_MAIN
