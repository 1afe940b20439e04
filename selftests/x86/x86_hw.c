// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instructions that fail: a CPU that does not enter VMX operation, one that
 * is thrown out of it, a VMCS that is not there or that the entry refuses. Each
 * says so by its errno, leaves the CPUs as they were, and does not spread. A
 * module of the test's makes it happen, as no program can.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define CR0_NE		(1UL << 5)
#define CR4_VMXE	(1UL << 13)

/* VM-instruction errors: SDM vol. 3, 31.4 */
#define BAD_CONTROLS	7
#define BAD_HOST_STATE	8

FIXTURE(x86_hw) {
	struct guest g;
	struct guest_vcpu v, other;
	int cpus;
};

static int open_cpu(int cpu, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/x86_hw/cpu%d", cpu);
	return open(path, flags | O_CLOEXEC);
}

static int do_on_cpu(int cpu, const char *word)
{
	int fd = open_cpu(cpu, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, word, strlen(word)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Which CPUs have CR4.VMXE, as a mask; -1: can't tell, or one has lost CR0.NE */
static long cpus_with_vmxe(int cpus)
{
	unsigned long cr0, cr4;
	char text[64] = "";
	long mask = 0;

	for (int cpu = 0; cpu < cpus; cpu++) {
		int fd = open_cpu(cpu, O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		if (n <= 0 || sscanf(text, "%lx %lx", &cr0, &cr4) != 2 || !(cr0 & CR0_NE))
			return -1;
		mask |= (long)!!(cr4 & CR4_VMXE) << cpu;
	}
	return mask;
}

FIXTURE_SETUP(x86_hw)
{
	int err = module_load("x86_hw", "");

	ASSERT_TRUE(!err || err == -EEXIST) TH_LOG("%d", err);
	self->v.fd = -1;
	self->other.fd = -1;
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	ASSERT_EQ(0, cpus_with_vmxe(self->cpus));
}

static int start_on(FIXTURE_DATA(x86_hw) *self, struct guest_vcpu *v, int cpu)
{
	int err = pin_to_cpu(cpu);

	if (!err)
		err = vcpu_start(&self->g, v, 0, OUTS);
	return err ? err : run_until(v, AXVCPU_EXIT_IO_WRITE);
}

/* Whatever has been done, the next vCPU runs on each CPU, and then VMX is off. */
FIXTURE_TEARDOWN(x86_hw)
{
	vcpu_destroy(&self->v);
	vcpu_destroy(&self->other);
	EXPECT_EQ(0, cpus_with_vmxe(self->cpus));
	for (int cpu = 0; cpu < self->cpus; cpu++) {
		EXPECT_EQ(0, start_on(self, &self->v, cpu));
		/* And where it does not, VMX is off. */
		EXPECT_EQ(1 << cpu, cpus_with_vmxe(self->cpus));
		vcpu_destroy(&self->v);
	}
	EXPECT_EQ(0, cpus_with_vmxe(self->cpus));
	guest_destroy(&self->g);
	module_unload("x86_hw");
}

/* A CPU can't: no vCPU is made there, and one that runs elsewhere does not run there. */
static void expect_unusable(struct __test_metadata *_metadata, FIXTURE_DATA(x86_hw) *self,
			    int cpu, int err)
{
	int other = (cpu + 1) % self->cpus;

	ASSERT_EQ(0, pin_to_cpu(cpu));
	EXPECT_EQ(err, create_vcpu(self->g.dev, 0)) TH_LOG("CPU %d", cpu);
	if (other == cpu)
		return;
	EXPECT_EQ(0, start_on(self, &self->v, other));
	ASSERT_EQ(0, pin_to_cpu(cpu));
	EXPECT_EQ(-EXDEV, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	ASSERT_EQ(0, pin_to_cpu(other));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	vcpu_destroy(&self->v);
}

/* G04, G05: none is left in VMX operation. */
TEST_F(x86_hw, vmxon_fails)
{
	for (int cpu = 0; cpu < self->cpus; cpu++) {
		ASSERT_EQ(0, do_on_cpu(cpu, "clear_ne"));
		expect_unusable(_metadata, self, cpu, -EIO);
		ASSERT_EQ(0, do_on_cpu(cpu, "set_ne"));
		ASSERT_EQ(0, cpus_with_vmxe(self->cpus));
	}
}

TEST_F(x86_hw, vmx_is_taken)
{
	for (int cpu = 0; cpu < self->cpus; cpu++) {
		ASSERT_EQ(0, do_on_cpu(cpu, "set_vmxe"));
		expect_unusable(_metadata, self, cpu, -EBUSY);
		/* What was not ours stays. */
		EXPECT_EQ(1 << cpu, cpus_with_vmxe(self->cpus));
		ASSERT_EQ(0, do_on_cpu(cpu, "clear_vmxe"));
	}
}

static void expect_failure(struct __test_metadata *_metadata, struct guest_vcpu *v, uint32_t op,
			   uint64_t code)
{
	struct axvcpu_failure f;

	EXPECT_EQ(AXVCPU_STATE_INVALID, get_state(v->fd));
	ASSERT_EQ(0, get_failure(v->fd, &f));
	EXPECT_EQ(op, f.op);
	EXPECT_EQ(-EIO, f.error);
	EXPECT_EQ(code, f.arch_code);
}

/* Without VMX operation, the VMX instructions fault. */
TEST_F(x86_hw, vmptrld_and_vmresume_fault)
{
	int last = self->cpus - 1;
	struct guest_vcpu third;

	ASSERT_EQ(0, start_on(self, &self->v, last));
	ASSERT_EQ(0, start_on(self, &self->other, last));
	ASSERT_EQ(0, do_on_cpu(last, "vmxoff"));
	EXPECT_EQ(-EIO, run_vcpu(self->other.fd, 0));		/* VMRESUME */
	expect_failure(_metadata, &self->other, AXVCPU_OP_RUN, 0);
	EXPECT_EQ(-EIO, run_vcpu(self->v.fd, 0));		/* VMPTRLD */
	expect_failure(_metadata, &self->v, AXVCPU_OP_RUN, 0);
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	EXPECT_EQ(-EIO, vcpu_setup(&self->g, &self->v, OUTS));
	expect_failure(_metadata, &self->v, AXVCPU_OP_SETUP, 0);
	if (last) {
		EXPECT_EQ(0, start_on(self, &third, 0));
		/* It can't go where the others were. */
		ASSERT_EQ(0, pin_to_cpu(last));
		EXPECT_EQ(-EIO, run_vcpu(third.fd, 0));
		vcpu_destroy(&third);
	}
}

/* The same vCPU is good again after RESET. */
static void check_entry(struct __test_metadata *_metadata, FIXTURE_DATA(x86_hw) *self,
			const char *word, uint64_t code)
{
	for (int launched = 0; launched < 2; launched++) {
		uint64_t rip;

		ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
		if (launched) {
			ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		}
		/* Now its VMCS is this CPU's current one. */
		ASSERT_EQ(0, get_reg(self->v.fd, self->g.isa->reg_id(self->g.isa->pc), &rip));
		ASSERT_EQ(0, do_on_cpu(0, word));
		EXPECT_EQ(-EIO, run_vcpu(self->v.fd, 0));
		expect_failure(_metadata, &self->v, AXVCPU_OP_RUN, code);

		ASSERT_EQ(0, reset_vcpu(self->v.fd));
		ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
		ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
		EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		vcpu_destroy(&self->v);
	}
}

TEST_F(x86_hw, controls_are_refused)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	check_entry(_metadata, self, "break_controls", BAD_CONTROLS);
}

TEST_F(x86_hw, host_state_is_refused)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	check_entry(_metadata, self, "break_host_state", BAD_HOST_STATE);
}

/* VMfailInvalid has no error number. */
TEST_F(x86_hw, no_vmcs_is_current)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	check_entry(_metadata, self, "vmclear", 0);
}

TEST_HARNESS_MAIN
