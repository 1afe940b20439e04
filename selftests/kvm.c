// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beside KVM: who has virtualization on keeps it, the other one is told, and
 * gets it when the first one is through.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(kvm) {
	int dev;
};

static void unload_kvm(void)
{
	module_unload("kvm_intel");
	module_unload("kvm");
	module_unload("irqbypass");
}

/* kvm.ko; with @at_load, virtualization is on for as long as kvm_intel is loaded. */
static int load_kvm(bool at_load)
{
	int err = module_load("irqbypass", "");

	if (err && err != -EEXIST && err != -ENOENT)
		return err;
	return module_load("kvm", at_load ? "enable_virt_at_load=1" : "enable_virt_at_load=0");
}

FIXTURE_SETUP(kvm)
{
	self->dev = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(kvm)
{
	close(self->dev);
	unload_kvm();
}

static int works(int dev)
{
	int fd = create_vcpu(dev, 0);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int create_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), fd;

	if (kvm < 0)
		return -errno;
	fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (fd < 0)
		fd = -errno;
	close(kvm);
	return fd;
}

/* KVM takes virtualization when its first machine is made. */
TEST_F(kvm, kvm_first)
{
	int vm;

	ASSERT_EQ(0, load_kvm(false));
	ASSERT_EQ(0, module_load("kvm-intel", ""));
	EXPECT_EQ(0, works(self->dev));
	for (int i = 0; i < 3; i++) {
		vm = create_vm();
		ASSERT_LE(0, vm);
		EXPECT_EQ(-EBUSY, works(self->dev));
		EXPECT_EQ(-EBUSY, works(self->dev));
		/* What needs no virtualization works. */
		close(create_aspace(self->dev));
		close(vm);
		EXPECT_EQ(0, works(self->dev));
	}
}

TEST_F(kvm, axvcpu_first)
{
	struct guest_prog p;
	struct guest_vcpu v;
	struct guest g;
	int vm, loop;

	ASSERT_EQ(0, load_kvm(false));
	ASSERT_EQ(0, module_load("kvm-intel", ""));
	ASSERT_EQ(0, guest_create(&g, 0));
	g_begin(&p, &g, GUEST_PROG(0));
	loop = g_here(&p);
	g_out(&p, 0x10, G0, 1);
	g_jmp(&p, loop);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, vcpu_start(&g, &v, 0, i ? GUEST_PROG(0) : g_end(&p)));
		ASSERT_EQ(0, run_until(&v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_GT(0, create_vm());
		ASSERT_EQ(0, run_until(&v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_GT(0, create_vm());
		vcpu_destroy(&v);
		vm = create_vm();
		EXPECT_LE(0, vm);
		close(vm);
	}
	guest_destroy(&g);
}

/* KVM takes it when it is loaded, as it does by default. */
TEST_F(kvm, kvm_loaded_first)
{
	ASSERT_EQ(0, load_kvm(true));
	ASSERT_EQ(0, module_load("kvm-intel", ""));
	EXPECT_EQ(-EBUSY, works(self->dev));
	ASSERT_EQ(0, module_unload("kvm_intel"));
	EXPECT_EQ(0, works(self->dev));
}

TEST_F(kvm, kvm_loaded_second)
{
	int vcpu = create_vcpu(self->dev, 0);

	ASSERT_LE(0, vcpu);
	ASSERT_EQ(0, load_kvm(true));
	EXPECT_GT(0, module_load("kvm-intel", ""));
	EXPECT_EQ(AXVCPU_STATE_CREATED, get_state(vcpu));
	close(vcpu);
	EXPECT_EQ(0, module_load("kvm-intel", ""));
}

/* axvcpu is loaded second; KVM can be unloaded all the same. */
TEST_F(kvm, kvm_is_there_already)
{
	close(self->dev);
	ASSERT_EQ(0, module_unload("axvcpu"));
	ASSERT_EQ(0, load_kvm(false));
	ASSERT_EQ(0, module_load("kvm-intel", ""));
	ASSERT_EQ(0, module_load("axvcpu", ""));
	self->dev = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	EXPECT_EQ(0, works(self->dev));
	EXPECT_EQ(0, module_unload("kvm_intel"));
	EXPECT_EQ(0, module_unload("kvm"));
	EXPECT_EQ(0, works(self->dev));
}

TEST_HARNESS_MAIN
