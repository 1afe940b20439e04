// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go offline and come back while there are vCPUs: what was on them
 * goes on elsewhere.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define CPU1	"/sys/devices/system/cpu/cpu1/online"

FIXTURE(hotplug) {
	struct guest g;
	struct guest_vcpu v;
	int rounds;
};

static int set_online(bool on)
{
	int fd = open(CPU1, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, on ? "1" : "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

FIXTURE_SETUP(hotplug)
{
	struct guest_prog p;
	int loop;

	if (access(CPU1, W_OK))
		SKIP(return, "CPU 1 can't be taken offline here");
	set_online(true);
	ASSERT_EQ(0, guest_create(&self->g, 0));
	self->rounds = guest_is_fast(&self->g) ? 10 : 3;
	guest_write_programs(&self->g);
	g_begin(&p, &self->g, OUTS);
	g_movi(&p, G0, 0);
	loop = g_here(&p);
	g_addi(&p, G0, 1);
	g_out(&p, 0x10, G0, 1);
	g_jmp(&p, loop);
	g_end(&p);
}

FIXTURE_TEARDOWN(hotplug)
{
	set_online(true);
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* The CPU that holds the vCPU's hardware state goes. */
TEST_F(hotplug, idle)
{
	unsigned long long began = now_ns();
	uint64_t n = 0;

	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
	for (int i = 0; i < self->rounds && time_for_another(i, 2, began); i++) {
		ASSERT_EQ(0, pin_to_cpu(1));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(++n, *greg(&self->v, G0));
		ASSERT_EQ(0, pin_to_cpu(0));
		ASSERT_EQ(0, set_online(false));
		if (i % 2) {
			ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
			ASSERT_EQ(++n, *greg(&self->v, G0));
		}
		ASSERT_EQ(0, set_online(true));
	}
}

/* F06: what the CPU knew of the guest's memory is not what there is when it is back. */
TEST_F(hotplug, memory_changes_meanwhile)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *at = self->g.mem + GUEST_DATA;
	struct guest_prog p;
	int loop;

	g_begin(&p, &self->g, GUEST_PROG(4));
	g_movi(&p, G1, GUEST_DATA);
	loop = g_here(&p);
	g_load(&p, G0, G1, 8);
	g_out(&p, 0x10, G0, 4);
	g_jmp(&p, loop);
	*(uint64_t *)at = 0;
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, g_end(&p)));
	for (int i = 0; i < self->rounds; i++) {
		ASSERT_EQ(0, pin_to_cpu(1));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(i, self->v.run->io.data);
		ASSERT_EQ(0, pin_to_cpu(0));
		ASSERT_EQ(0, set_online(false));
		ASSERT_EQ(at, mmap(at, page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		*(uint64_t *)at = i + 1;
		ASSERT_EQ(0, set_online(true));
	}
}

TEST_F(hotplug, bound)
{
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, OUTS));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, 1));
	ASSERT_EQ(0, pin_to_cpu(1));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, set_online(false));
	EXPECT_EQ(-EXDEV, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	ASSERT_EQ(0, set_online(true));
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(2, *greg(&self->v, G0));
	/* Unbound while its CPU is away. */
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, set_online(false));
	EXPECT_EQ(0, unbind_vcpu(self->v.fd));
	EXPECT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(3, *greg(&self->v, G0));
}

TEST_F(hotplug, running)
{
	volatile uint64_t *counter = (uint64_t *)(self->g.mem + GUEST_DATA);
	unsigned long long began = now_ns();
	struct vcpu_thread t;
	cpu_set_t set;

	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, COUNT));
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	for (int i = 0; i < self->rounds && time_for_another(i, 2, began); i++) {
		unsigned long long end = now_ns() + PATIENCE_NS;
		uint64_t before;

		CPU_ZERO(&set);
		CPU_SET(1, &set);
		ASSERT_EQ(0, pthread_setaffinity_np(t.thread, sizeof(set), &set));
		before = *counter;
		while (*counter < before + 10 && now_ns() < end)
			sched_yield();
		ASSERT_EQ(0, set_online(false));
		before = *counter;
		while (*counter < before + 10 && now_ns() < end)
			sched_yield();
		EXPECT_LT(before, *counter);
		EXPECT_FALSE(t.done);
		ASSERT_EQ(0, set_online(true));
	}
	EXPECT_EQ(-EINTR, thread_stop(&t));
}

/* Created while a CPU is away, the vCPU runs on it when it is back. */
TEST_F(hotplug, created_meanwhile)
{
	struct axvcpu_create_vcpu args = { .favor_phys_cpu = -1 };
	uint64_t only_cpu1 = 2;

	ASSERT_EQ(0, set_online(false));
	args.phys_cpu_set = (uintptr_t)&only_cpu1;
	args.phys_cpu_set_len = sizeof(only_cpu1);
	EXPECT_EQ(-EINVAL, XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &args));

	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	ASSERT_EQ(0, set_online(true));
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(2, *greg(&self->v, G0));
}

/* The last vCPU goes while a CPU is away: it comes back without virtualization. */
TEST_F(hotplug, destroyed_meanwhile)
{
	unsigned long long began = now_ns();

	for (int i = 0; i < self->rounds && time_for_another(i, 2, began); i++) {
		ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
		ASSERT_EQ(0, pin_to_cpu(1));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		ASSERT_EQ(0, pin_to_cpu(0));
		ASSERT_EQ(0, set_online(false));
		vcpu_destroy(&self->v);
		ASSERT_EQ(0, set_online(true));
	}
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

static atomic_bool stop_cycling;

static void *cycle(void *arg)
{
	while (!stop_cycling) {
		set_online(false);
		set_online(true);
	}
	return NULL;
}

/* First and last vCPUs come and go while CPUs do. */
TEST_F(hotplug, race_with_create)
{
	int rounds = guest_is_fast(&self->g) ? 200 : 6;
	unsigned long long began = now_ns();
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, cycle, NULL));
	for (int i = 0; i < rounds && time_for_another(i, 5, began); i++) {
		int err = vcpu_start(&self->g, &self->v, 0, OUTS);

		EXPECT_EQ(0, err);
		if (!err) {
			EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		}
		vcpu_destroy(&self->v);
	}
	stop_cycling = true;
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
