// SPDX-License-Identifier: GPL-2.0-only
/* libaxvcpu against the device: what its tests on the host can't reach. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "../tools/lib/include/axvcpu.h"

#define MEM_SIZE	0x20000UL
#define CODE		0x1000UL
#define TABLES		0x8000UL
#define PORT		0xe9
#define STOP		7

/* mov $'A', %al; out %al, $PORT; in $PORT, %al; hlt: the same in every mode */
static const uint8_t code[] = { 0xb0, 'A', 0xe6, PORT, 0xe4, PORT, 0xf4 };

/* 1: cli; jmp 1b */
static const uint8_t loop[] = { 0xfa, 0xeb, 0xfd };

/* What the handlers saw. */
struct seen {
	unsigned int before;
	unsigned int interrupted;
	uint64_t written;
};

static int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct seen *seen = data;

	seen->before++;
	return 0;
}

static int on_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct seen *seen = data;

	seen->written = run->io.data;
	return run->io.port == PORT && run->io.width == 1 ? 0 : -EPROTO;
}

static int on_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	axvcpu_answer_io(run, 0x5a);
	return 0;
}

static int on_halt(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return STOP;
}

static int on_interrupted(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct seen *seen = data;

	return ++seen->interrupted == 3 ? STOP : 0;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.interrupted = on_interrupted,
	.exit = {
		[AXVCPU_EXIT_IO_WRITE] = on_write,
		[AXVCPU_EXIT_IO_READ] = on_read,
		[AXVCPU_EXIT_HALT] = on_halt,
	},
};

FIXTURE(lib)
{
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *mem;
	char text[256];
	bool x86;
};

FIXTURE_SETUP(lib)
{
	ASSERT_EQ(axvcpu_device_open(NULL, &self->dev), 0);
	self->x86 = axvcpu_device_info(self->dev)->backend == AXVCPU_BACKEND_VMX;
	self->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	ASSERT_NE(self->mem, MAP_FAILED);
	memcpy(self->mem + CODE, code, sizeof(code));
	ASSERT_EQ(axvcpu_aspace_create(self->dev, &self->aspace), 0);
	ASSERT_EQ(axvcpu_aspace_map(self->aspace, 0, self->mem, MEM_SIZE, AXVCPU_MAP_ALL), 0);
	ASSERT_EQ(axvcpu_vcpu_create(self->dev, NULL, &self->vcpu), 0);
}

FIXTURE_TEARDOWN(lib)
{
	/* In the order that leaves the vCPU last. */
	axvcpu_device_close(self->dev);
	axvcpu_aspace_close(self->aspace);
	axvcpu_vcpu_close(self->vcpu);
	munmap(self->mem, MEM_SIZE);
}

TEST_F(lib, info)
{
	const struct axvcpu_info *info = axvcpu_device_info(self->dev);

	EXPECT_EQ(info->abi_version, AXVCPU_ABI_VERSION);
	EXPECT_STRNE(axvcpu_backend_name(info->backend), "?");
	EXPECT_GE(axvcpu_device_fd(self->dev), 0);
	EXPECT_GE(axvcpu_aspace_fd(self->aspace), 0);
	EXPECT_GE(axvcpu_vcpu_fd(self->vcpu), 0);
}

TEST_F(lib, the_failed_transition_is_named)
{
	struct axvcpu_state_info info;

	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), -EBADFD);
	axvcpu_vcpu_strerror(self->vcpu, -EBADFD, self->text, sizeof(self->text));
	EXPECT_STREQ(self->text, "BIND needs Free, the vCPU was Created (EBADFD)");
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_INVALID);

	/* An error that is not the failure's is explained for itself. */
	axvcpu_vcpu_strerror(self->vcpu, -ENOMEM, self->text, sizeof(self->text));
	EXPECT_STREQ(self->text, "Cannot allocate memory (ENOMEM)");

	ASSERT_EQ(axvcpu_vcpu_reset(self->vcpu), 0);
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_CREATED);
}

TEST_F(lib, a_refused_descriptor_is_named)
{
	struct axvcpu_setup setup = { .aspace_fd = axvcpu_device_fd(self->dev), .entry = CODE };

	ASSERT_EQ(axvcpu_vcpu_setup(self->vcpu, &setup), -EBADF);
	axvcpu_vcpu_strerror(self->vcpu, -EBADF, self->text, sizeof(self->text));
	EXPECT_STREQ(self->text, "SETUP of a vCPU that was Created: "
		     "the descriptor given is no address space (EBADF)");
}

TEST_F(lib, a_refused_call_changes_nothing)
{
	struct axvcpu_state_info info;
	struct axvcpu_inject event = { .type = 99 };
	uint64_t bits;

	EXPECT_EQ(axvcpu_vcpu_inject(self->vcpu, &event), -EINVAL);
	EXPECT_EQ(axvcpu_aspace_map(self->aspace, 0, self->mem, 4096, AXVCPU_MAP_ALL), -EEXIST);
	EXPECT_EQ(axvcpu_aspace_map(self->aspace, 1, self->mem, 4096, AXVCPU_MAP_ALL), -EINVAL);
	EXPECT_EQ(axvcpu_aspace_unmap(self->aspace, 4096, 4096), -ENOENT);
	EXPECT_EQ(axvcpu_aspace_protect(self->aspace, 4096, 4096, AXVCPU_MAP_READ), -ENOENT);
	EXPECT_EQ(axvcpu_aspace_get_dirty(self->aspace, 4096, 4096, &bits), -ENOENT);
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_CREATED);
}

TEST_F(lib, cpus)
{
	struct axvcpu_vcpu_attr attr = AXVCPU_VCPU_ATTR_INIT;
	struct axvcpu_vcpu *vcpu = NULL;
	struct axvcpu_vcpu_info info;
	cpu_set_t set, got;

	CPU_ZERO(&set);
	attr.cpus = &set;
	attr.cpus_size = sizeof(set);
	EXPECT_EQ(axvcpu_vcpu_create(self->dev, &attr, &vcpu), -EINVAL);
	EXPECT_EQ(vcpu, NULL);

	CPU_SET(0, &set);
	attr.vm_id = 3;
	attr.vcpu_id = 5;
	attr.favor_cpu = 0;
	ASSERT_EQ(axvcpu_vcpu_create(self->dev, &attr, &vcpu), 0);
	ASSERT_EQ(axvcpu_vcpu_get_info(vcpu, &info, &got, sizeof(got)), 0);
	EXPECT_TRUE(CPU_EQUAL(&set, &got));
	EXPECT_EQ(info.vm_id, 3);
	EXPECT_EQ(info.vcpu_id, 5);
	EXPECT_EQ(info.favor_phys_cpu, 0);
	EXPECT_EQ(info.is_bsp, 0);
	axvcpu_vcpu_close(vcpu);
}

TEST_F(lib, nothing_is_left_open)
{
	int before = dup(0);

	close(before);
	for (int i = 0; i < 100; i++) {
		struct axvcpu_device *dev;
		struct axvcpu_aspace *aspace;
		struct axvcpu_vcpu *vcpu;

		ASSERT_EQ(axvcpu_device_open(NULL, &dev), 0);
		ASSERT_EQ(axvcpu_aspace_create(dev, &aspace), 0);
		ASSERT_EQ(axvcpu_vcpu_create(dev, NULL, &vcpu), 0);
		axvcpu_vcpu_close(vcpu);
		axvcpu_aspace_close(aspace);
		axvcpu_device_close(dev);
	}
	EXPECT_EQ(dup(0), before);
}

/* --- guests of x86 ---------------------------------------------------------- */

/* Run the guest to its HLT and look at what came of it. */
static void run_code(struct __test_metadata *_metadata, struct axvcpu_vcpu *vcpu)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(vcpu);
	struct axvcpu_stats stats;
	struct seen seen = { 0 };
	uint64_t rax;

	ASSERT_EQ(axvcpu_vcpu_bind(vcpu, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_loop(vcpu, 0, &handlers, &seen), STOP);
	EXPECT_EQ(seen.before, 3);
	EXPECT_EQ(seen.written, 'A');
	EXPECT_EQ(run->regs.x86.gpr[AXVCPU_X86_RAX] & 0xff, 0x5a);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(vcpu, "rax", &rax), 0);
	EXPECT_EQ(rax & 0xff, 0x5a);

	ASSERT_EQ(axvcpu_vcpu_get_stats(vcpu, &stats), 0);
	EXPECT_EQ(stats.exits[AXVCPU_EXIT_IO_WRITE], 1);
	EXPECT_EQ(stats.exits[AXVCPU_EXIT_IO_READ], 1);
	EXPECT_EQ(stats.exits[AXVCPU_EXIT_HALT], 1);
	ASSERT_EQ(axvcpu_vcpu_unbind(vcpu), 0);
}

TEST_F(lib, real)
{
	uint64_t rip, base;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	run_code(_metadata, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "rip", &rip), 0);
	EXPECT_EQ(rip, CODE + sizeof(code));
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "cs.base", &base), 0);
	EXPECT_EQ(base, 0);
	EXPECT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "none", &base), -ENOENT);
}

TEST_F(lib, protected)
{
	uint64_t limit;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	ASSERT_EQ(axvcpu_vcpu_setup_protected(self->vcpu, self->aspace, CODE), 0);
	run_code(_metadata, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "ds.limit", &limit), 0);
	EXPECT_EQ(limit, UINT32_MAX);
}

TEST_F(lib, long_mode_on_the_identity_map)
{
	size_t size = axvcpu_x86_identity_map_size(MEM_SIZE);
	uint64_t efer;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	ASSERT_LE(TABLES + size, MEM_SIZE);
	ASSERT_EQ(axvcpu_x86_identity_map(self->mem + TABLES, TABLES, size, MEM_SIZE), 0);
	ASSERT_EQ(axvcpu_vcpu_setup_long(self->vcpu, self->aspace, CODE, TABLES), 0);
	run_code(_metadata, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "efer", &efer), 0);
	EXPECT_EQ(efer & 0x500, 0x500);
}

TEST_F(lib, registers)
{
	struct axvcpu_reg regs[] = {
		{ AXVCPU_X86_REG_GPR(AXVCPU_X86_RBX), 0x1122334455667788 },
		{ AXVCPU_X86_REG_GPR(AXVCPU_X86_R15), 42 },
	};
	uint64_t value;

	if (!self->x86)
		SKIP(return, "no x86 registers on this backend");
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_set_regs(self->vcpu, regs, 2), 0);
	regs[0].value = regs[1].value = 0;
	ASSERT_EQ(axvcpu_vcpu_get_regs(self->vcpu, regs, 2), 0);
	EXPECT_EQ(regs[0].value, 0x1122334455667788);
	EXPECT_EQ(regs[1].value, 42);
	ASSERT_EQ(axvcpu_vcpu_set_reg_by_name(self->vcpu, "RBX", 7), 0);
	ASSERT_EQ(axvcpu_vcpu_get_reg(self->vcpu, regs[0].id, &value), 0);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(axvcpu_vcpu_set_reg(self->vcpu, ~0ULL, 0), -EINVAL);
	axvcpu_strerror(AXVCPU_ATTEMPT_REGS, -EINVAL, self->text, sizeof(self->text));
	EXPECT_NE(strstr(self->text, "no such register"), NULL);
}

TEST_F(lib, an_exit_without_a_handler)
{
	static const struct axvcpu_handlers none;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &none, NULL), -EOPNOTSUPP);
}

static void *kick_thrice(void *arg)
{
	for (int i = 0; i < 3; i++) {
		axvcpu_vcpu_kick(arg);
		usleep(20000);
	}
	return NULL;
}

TEST_F(lib, kicks)
{
	struct axvcpu_handlers quiet = { 0 };
	struct seen seen = { 0 };
	pthread_t thread;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	memcpy(self->mem + CODE, loop, sizeof(loop));
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);

	/* One that came before RUN is not lost. */
	ASSERT_EQ(axvcpu_vcpu_kick(self->vcpu), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &quiet, NULL), -EINTR);

	ASSERT_EQ(pthread_create(&thread, NULL, kick_thrice, self->vcpu), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &handlers, &seen), STOP);
	EXPECT_EQ(seen.interrupted, 3);
	pthread_join(thread, NULL);
}

TEST_F(lib, history)
{
	struct axvcpu_history_entry entries[AXVCPU_HISTORY_LEN];
	int n;

	if (!self->x86)
		SKIP(return, "no x86 guest on this backend");
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_unbind(self->vcpu), 0);
	n = axvcpu_vcpu_get_history(self->vcpu, entries, AXVCPU_HISTORY_LEN);
	ASSERT_GE(n, 3);
	EXPECT_STREQ(axvcpu_op_name(entries[n - 3].op), "SETUP");
	EXPECT_STREQ(axvcpu_op_name(entries[n - 2].op), "BIND");
	EXPECT_STREQ(axvcpu_op_name(entries[n - 1].op), "UNBIND");
	EXPECT_STREQ(axvcpu_state_name(entries[n - 1].to), "Free");
	EXPECT_EQ(axvcpu_vcpu_get_history(self->vcpu, entries, 1), 1);
}

TEST_HARNESS_MAIN
