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

#include "../tools/lib/include/libaxvcpu.h"
#include "axvcpu_names.h"

#define MEM_SIZE	0x20000UL
#define CODE		0x1000UL
#define TABLES		0x8000UL
#define PORT		0xe9
#define STOP		7

#define DEVICE		0x100000UL	/* where arm64's guest has no memory */

/* mov $'A', %al; out %al, $PORT; in $PORT, %al; hlt: the same in every mode */
static const uint8_t x86_code[] = { 0xb0, 'A', 0xe6, PORT, 0xe4, PORT, 0xf4 };

/* 1: cli; jmp 1b */
static const uint8_t x86_loop[] = { 0xfa, 0xeb, 0xfd };

static const uint32_t arm64_code[] = {
	0x52800820,				/* mov	w0, #'A' */
	0xd2a00201,				/* mov	x1, #DEVICE */
	0x39000020,				/* strb	w0, [x1] */
	0x39400020,				/* ldrb	w0, [x1] */
	0xd503207f,				/* wfi */
};

static const uint32_t arm64_loop[] = { 0x14000000 };	/* b . */

/* What the handlers saw. */
struct seen {
	unsigned int before;
	volatile unsigned int interrupted;
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

static int on_mmio_write(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct seen *seen = data;

	seen->written = run->mmio.data;
	return run->mmio.gpa == DEVICE && run->mmio.width == 1 ? 0 : -EPROTO;
}

static int on_mmio_read(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	/* More than the load is wide */
	axvcpu_answer_mmio(run, 0xffff5a);
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
		[AXVCPU_EXIT_MMIO_WRITE] = on_mmio_write,
		[AXVCPU_EXIT_MMIO_READ] = on_mmio_read,
		[AXVCPU_EXIT_HALT] = on_halt,
	},
};

/* What differs by the backend: the guest, and a register that it leaves 0x5a in. */
static const struct guest_kind {
	uint32_t backend;
	const void *code, *loop;
	size_t code_size, loop_size;
	int (*setup)(struct axvcpu_vcpu *vcpu, struct axvcpu_aspace *aspace, uint64_t entry);
	const char *result, *result_upper, *pc;
	uint64_t result_id, other_id;
	uint32_t read, write;
} kinds[] = {
	{
		AXVCPU_BACKEND_VMX, x86_code, x86_loop, sizeof(x86_code), sizeof(x86_loop),
		axvcpu_vcpu_setup_real, "rax", "RAX", "rip",
		AXVCPU_X86_REG_GPR(AXVCPU_X86_RAX), AXVCPU_X86_REG_GPR(AXVCPU_X86_R15),
		AXVCPU_EXIT_IO_READ, AXVCPU_EXIT_IO_WRITE,
	},
	{
		AXVCPU_BACKEND_VHE, arm64_code, arm64_loop, sizeof(arm64_code), sizeof(arm64_loop),
		axvcpu_vcpu_setup_el1, "x0", "X0", "pc",
		AXVCPU_ARM64_REG_X(0), AXVCPU_ARM64_REG_X(30),
		AXVCPU_EXIT_MMIO_READ, AXVCPU_EXIT_MMIO_WRITE,
	},
};

FIXTURE(lib)
{
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *mem;
	const struct guest_kind *kind;
};

FIXTURE_SETUP(lib)
{
	ASSERT_EQ(axvcpu_device_open(NULL, &self->dev), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].backend == axvcpu_device_info(self->dev)->backend)
			self->kind = &kinds[i];
	}
	ASSERT_NE(self->kind, NULL);
	self->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	ASSERT_NE(self->mem, MAP_FAILED);
	memcpy(self->mem + CODE, self->kind->code, self->kind->code_size);
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

/* The library and the kernel call things by the same names. */
TEST(names_are_the_kernels)
{
#define NAME(value, name) [value] = name,
	static const char *const states[] = { AXVCPU_STATE_NAMES(NAME, NAME) };
	static const char *const ops[] = { AXVCPU_OP_NAMES(NAME, NAME) };
	static const char *const exits[] = { AXVCPU_EXIT_NAMES(NAME, NAME) };
	static const char *const classes[] = { AXVCPU_CLASS_NAMES(NAME, NAME) };
#undef NAME

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		EXPECT_STREQ(axvcpu_state_name(i), states[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_STREQ(axvcpu_op_name(i), ops[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(exits); i++)
		EXPECT_STREQ(axvcpu_exit_name(i), exits[i]);
	EXPECT_STREQ(axvcpu_exit_name(ARRAY_SIZE(exits)), "?");
	for (uint32_t i = 0; i < ARRAY_SIZE(classes); i++)
		EXPECT_STREQ(axvcpu_class_name(i), classes[i]);
	EXPECT_STREQ(axvcpu_class_name(ARRAY_SIZE(classes)), "?");
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
	EXPECT_STREQ(axvcpu_error_text(), "BIND needs Free, the vCPU was Created (EBADFD); "
		     "RESET makes it Created again");
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_INVALID);

	/* What came first is told with what comes later, by whatever call. */
	ASSERT_EQ(axvcpu_vcpu_run(self->vcpu, 0), -EBADFD);
	EXPECT_STREQ(axvcpu_error_text(), "RUN needs Ready, the vCPU was Invalid (EBADFD); "
		     "it became Invalid by: BIND needs Free, the vCPU was Created (EBADFD); "
		     "RESET makes it Created again");
	ASSERT_EQ(axvcpu_vcpu_interrupt(self->vcpu, 40), -EBADFD);
	EXPECT_STREQ(axvcpu_error_text(), "INJECT: the vCPU is Invalid (EBADFD); "
		     "it became Invalid by: BIND needs Free, the vCPU was Created (EBADFD); "
		     "RESET makes it Created again");

	ASSERT_EQ(axvcpu_vcpu_reset(self->vcpu, 0), 0);
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_CREATED);
}

TEST_F(lib, a_refused_register_is_named)
{
	struct axvcpu_inject event = { .type = 99 };

	ASSERT_EQ(axvcpu_vcpu_set_reg(self->vcpu, 5, 0), -EINVAL);
	EXPECT_EQ(0, strncmp(axvcpu_error_text(), "SET_REGS, register 0x5 (", 24))
		TH_LOG("%s", axvcpu_error_text());
	/* An older record explains nothing, if the errno is the same or not. */
	EXPECT_EQ(axvcpu_vcpu_inject(self->vcpu, &event), -EINVAL);
	EXPECT_STREQ(axvcpu_error_text(), "INJECT: there is no such type of event (EINVAL)");
	EXPECT_EQ(axvcpu_vcpu_get_regs(self->vcpu, NULL, 0), -EINVAL);
	EXPECT_EQ(NULL, strstr(axvcpu_error_text(), "0x5")) TH_LOG("%s", axvcpu_error_text());
}

TEST_F(lib, the_argument_at_fault_is_named)
{
	struct axvcpu_setup setup = { .flags = 1U << 31 };

	ASSERT_EQ(axvcpu_aspace_map(self->aspace, 1, self->mem, MEM_SIZE, AXVCPU_MAP_ALL),
		  -EINVAL);
	EXPECT_STREQ(axvcpu_error_text(), "MAP: the guest-physical address is no multiple of the "
		     "page size (EINVAL)");
	ASSERT_EQ(axvcpu_vcpu_setup(self->vcpu, &setup), -EINVAL);
	EXPECT_STREQ(axvcpu_error_text(), "SETUP: there is no such flag (EINVAL)");
	setup = (struct axvcpu_setup){ .aspace_fd = axvcpu_aspace_fd(self->aspace), .entry = CODE,
				       .raw_root = 4096 };
	ASSERT_EQ(axvcpu_vcpu_setup(self->vcpu, &setup), -EINVAL);
	EXPECT_STREQ(axvcpu_error_text(), "SETUP: it takes an address space, or a raw root: "
		     "aspace_fd is -1, or raw_root 0 (EINVAL)");
}

TEST_F(lib, a_refused_descriptor_is_named)
{
	struct axvcpu_setup setup = { .aspace_fd = axvcpu_device_fd(self->dev), .entry = CODE };

	ASSERT_EQ(axvcpu_vcpu_setup(self->vcpu, &setup), -EBADF);
	EXPECT_STREQ(axvcpu_error_text(), "SETUP of a vCPU that was Created: the descriptor given "
		     "is no address space (EBADF); RESET makes it Created again");
}

TEST_F(lib, a_refused_call_changes_nothing)
{
	struct axvcpu_state_info info;
	struct axvcpu_inject event = { .type = 99 };
	uint64_t bits;

	EXPECT_EQ(axvcpu_vcpu_inject(self->vcpu, &event), -EINVAL);
	EXPECT_EQ(axvcpu_aspace_map(self->aspace, 0, self->mem, 4096, AXVCPU_MAP_ALL), -EEXIST);
	EXPECT_EQ(axvcpu_aspace_map(self->aspace, 1, self->mem, 4096, AXVCPU_MAP_ALL), -EINVAL);
	EXPECT_EQ(axvcpu_aspace_unmap(self->aspace, MEM_SIZE, 4096), -ENOENT);
	EXPECT_EQ(axvcpu_aspace_protect(self->aspace, MEM_SIZE, 4096, AXVCPU_MAP_READ), -ENOENT);
	EXPECT_EQ(axvcpu_aspace_get_dirty(self->aspace, MEM_SIZE, 4096, &bits), -ENOENT);
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

/* --- guests ----------------------------------------------------------------- */

/* Run the guest to its halt and look at what came of it. */
static void run_code(struct __test_metadata *_metadata, const struct guest_kind *kind,
		     struct axvcpu_vcpu *vcpu)
{
	struct axvcpu_stats stats;
	struct seen seen = { 0 };
	uint64_t value, mask = kind->backend == AXVCPU_BACKEND_VMX ? 0xff : UINT64_MAX;

	ASSERT_EQ(axvcpu_vcpu_bind(vcpu, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_loop(vcpu, 0, &handlers, &seen), STOP);
	EXPECT_EQ(seen.before, 3);
	EXPECT_EQ(seen.written, 'A');
	/* The first register of the run page, on both. */
	EXPECT_EQ(axvcpu_vcpu_page(vcpu)->regs.raw[0] & mask, 0x5a);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(vcpu, kind->result, &value), 0);
	EXPECT_EQ(value & mask, 0x5a);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(vcpu, kind->pc, &value), 0);
	EXPECT_EQ(value, CODE + kind->code_size);
	EXPECT_EQ(axvcpu_vcpu_get_reg_by_name(vcpu, "none", &value), -ENOENT);

	ASSERT_EQ(axvcpu_vcpu_get_stats(vcpu, &stats), 0);
	EXPECT_EQ(stats.exits[kind->write], 1);
	EXPECT_EQ(stats.exits[kind->read], 1);
	EXPECT_EQ(stats.exits[AXVCPU_EXIT_HALT], 1);
	ASSERT_EQ(axvcpu_vcpu_unbind(vcpu), 0);
}

TEST_F(lib, runs)
{
	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	run_code(_metadata, self->kind, self->vcpu);
}

TEST_F(lib, real)
{
	uint64_t base;

	if (self->kind->backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "real mode is x86's");
	ASSERT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), 0);
	run_code(_metadata, self->kind, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "cs.base", &base), 0);
	EXPECT_EQ(base, 0);
}

TEST_F(lib, protected)
{
	uint64_t limit;

	if (self->kind->backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "protected mode is x86's");
	ASSERT_EQ(axvcpu_vcpu_setup_protected(self->vcpu, self->aspace, CODE), 0);
	run_code(_metadata, self->kind, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "ds.limit", &limit), 0);
	EXPECT_EQ(limit, UINT32_MAX);
}

static uint64_t reg(FIXTURE_DATA(lib) *self, uint64_t id)
{
	uint64_t value = -1;

	axvcpu_vcpu_get_reg(self->vcpu, id, &value);
	return value;
}

/* The first fetch after a reset or an INIT, where there is no firmware */
static bool fetches_at_the_top(FIXTURE_DATA(lib) *self)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(self->vcpu);
	struct axvcpu_x86_segment cs;
	uint32_t leaf[4];

	if (axvcpu_x86_get_segment(self->vcpu, AXVCPU_X86_SEG_CS, &cs) ||
	    axvcpu_x86_get_cpuid(self->vcpu, 1, 0, leaf) ||
	    axvcpu_vcpu_bind(self->vcpu, -1) || axvcpu_vcpu_run(self->vcpu, 0))
		return false;
	return cs.selector == 0xf000 && cs.base == 0xffff0000 && cs.limit == 0xffff &&
	       reg(self, AXVCPU_X86_REG_RIP) == 0xfff0 &&
	       reg(self, AXVCPU_X86_REG_GPR(AXVCPU_X86_RDX)) == leaf[0] &&
	       run->exit_reason == AXVCPU_EXIT_NESTED_PAGE_FAULT &&
	       run->fault.gpa == 0xfffffff0 && run->fault.access == AXVCPU_MAP_EXEC;
}

TEST_F(lib, starts_as_a_processor_does)
{
	struct axvcpu_run *run = axvcpu_vcpu_page(self->vcpu);
	const uint64_t xmm0 = AXVCPU_X86_REG_FXSAVE(20), star = AXVCPU_X86_REG_MSR(0xc0000081);
	const uint64_t efer = AXVCPU_X86_REG_MSR(0xc0000080);
	struct axvcpu_x86_segment segment;

	if (self->kind->backend != AXVCPU_BACKEND_VMX) {
		EXPECT_EQ(axvcpu_vcpu_setup_reset(self->vcpu, self->aspace), -EOPNOTSUPP);
		EXPECT_EQ(axvcpu_vcpu_setup_sipi(self->vcpu, self->aspace, 2), -EOPNOTSUPP);
		return;
	}
	memcpy(self->mem + 0x2000, x86_code, sizeof(x86_code));
	ASSERT_EQ(axvcpu_vcpu_setup_sipi(self->vcpu, self->aspace, 2), 0);
	ASSERT_EQ(axvcpu_x86_get_segment(self->vcpu, AXVCPU_X86_SEG_CS, &segment), 0);
	EXPECT_EQ(segment.selector, 0x200);
	EXPECT_EQ(segment.base, 0x2000);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_RIP), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_run(self->vcpu, 0), 0);
	EXPECT_EQ(run->exit_reason, AXVCPU_EXIT_IO_WRITE);
	EXPECT_EQ(run->regs.x86.rip, 4);

	ASSERT_EQ(axvcpu_vcpu_unbind(self->vcpu), 0);
	ASSERT_EQ(axvcpu_vcpu_reset(self->vcpu, 0), 0);
	ASSERT_EQ(axvcpu_vcpu_setup_reset(self->vcpu, self->aspace), 0);
	EXPECT_TRUE(fetches_at_the_top(self));

	/* INIT keeps what it keeps. */
	ASSERT_EQ(axvcpu_vcpu_unbind(self->vcpu), 0);
	ASSERT_EQ(axvcpu_vcpu_reset(self->vcpu, 0), 0);
	ASSERT_EQ(axvcpu_x86_identity_map(self->mem + TABLES, TABLES, MEM_SIZE - TABLES,
					  MEM_SIZE), 0);
	ASSERT_EQ(axvcpu_vcpu_setup_long(self->vcpu, self->aspace, CODE, TABLES), 0);
	segment = (struct axvcpu_x86_segment){ 0x23, 0xffffffff, 0xc0f3, 0 };
	ASSERT_EQ(axvcpu_x86_set_segment(self->vcpu, AXVCPU_X86_SEG_DS, &segment), 0);
	ASSERT_EQ(axvcpu_vcpu_set_reg(self->vcpu, xmm0, 7), 0);
	ASSERT_EQ(axvcpu_vcpu_set_reg(self->vcpu, star, 0x1234), 0);
	ASSERT_EQ(axvcpu_vcpu_set_reg(self->vcpu, AXVCPU_X86_REG_DR(0), 0x1000), 0);
	ASSERT_EQ(axvcpu_vcpu_set_reg(self->vcpu, AXVCPU_X86_REG_GPR(AXVCPU_X86_RBX), 9), 0);
	ASSERT_EQ(axvcpu_vcpu_interrupt(self->vcpu, 0x40), 0);
	ASSERT_EQ(axvcpu_x86_init(self->vcpu), 0) TH_LOG("%s", axvcpu_error_text());
	EXPECT_EQ(reg(self, xmm0), 7);
	EXPECT_EQ(reg(self, star), 0x1234);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_CR0), 0x10);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_CR4), 0);
	EXPECT_EQ(reg(self, efer), 0);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_DR(0)), 0);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_GPR(AXVCPU_X86_RBX)), 0);
	EXPECT_EQ(reg(self, AXVCPU_X86_REG_QUEUED_IRQS(1)), 0);
	ASSERT_EQ(axvcpu_x86_get_segment(self->vcpu, AXVCPU_X86_SEG_DS, &segment), 0);
	EXPECT_EQ(segment.access, 0x93);
	EXPECT_EQ(axvcpu_x86_get_segment(self->vcpu, AXVCPU_X86_SEG_TR + 1, &segment), -EINVAL);
	EXPECT_TRUE(fetches_at_the_top(self));
}

TEST_F(lib, long_mode_on_the_identity_map)
{
	size_t size = axvcpu_x86_identity_map_size(MEM_SIZE);
	uint64_t efer;

	if (self->kind->backend != AXVCPU_BACKEND_VMX)
		SKIP(return, "long mode is x86's");
	ASSERT_LE(TABLES + size, MEM_SIZE);
	ASSERT_EQ(axvcpu_x86_identity_map(self->mem + TABLES, TABLES, size, MEM_SIZE), 0);
	ASSERT_EQ(axvcpu_vcpu_setup_long(self->vcpu, self->aspace, CODE, TABLES), 0);
	run_code(_metadata, self->kind, self->vcpu);
	ASSERT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, "efer", &efer), 0);
	EXPECT_EQ(efer & 0x500, 0x500);
}

TEST_F(lib, another_architecture_is_refused)
{
	bool x86 = self->kind->backend == AXVCPU_BACKEND_VMX;
	struct axvcpu_state_info info;

	if (x86) {
		EXPECT_EQ(axvcpu_vcpu_setup_el1(self->vcpu, self->aspace, CODE), -EOPNOTSUPP);
	} else {
		EXPECT_EQ(axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE), -EOPNOTSUPP);
		EXPECT_EQ(axvcpu_vcpu_setup_protected(self->vcpu, self->aspace, CODE),
			  -EOPNOTSUPP);
	}
	ASSERT_EQ(axvcpu_vcpu_get_state(self->vcpu, &info), 0);
	EXPECT_EQ(info.state, AXVCPU_STATE_CREATED);
}

TEST_F(lib, registers)
{
	struct axvcpu_reg regs[] = {
		{ self->kind->result_id, 0x1122334455667788 },
		{ self->kind->other_id, 42 },
	};
	uint64_t value;

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_set_regs(self->vcpu, regs, 2), 0);
	regs[0].value = regs[1].value = 0;
	ASSERT_EQ(axvcpu_vcpu_get_regs(self->vcpu, regs, 2), 0);
	EXPECT_EQ(regs[0].value, 0x1122334455667788);
	EXPECT_EQ(regs[1].value, 42);
	ASSERT_EQ(axvcpu_vcpu_set_reg_by_name(self->vcpu, self->kind->result_upper, 7), 0);
	ASSERT_EQ(axvcpu_vcpu_get_reg(self->vcpu, regs[0].id, &value), 0);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(axvcpu_vcpu_set_reg(self->vcpu, ~0ULL, 0), -EINVAL);
	EXPECT_NE(strstr(axvcpu_error_text(), "no such register"), NULL);
}

/* Each name that the library knows is one that the kernel knows, and back. */
TEST_F(lib, cpuid)
{
	uint32_t before[4], regs[4], max[4];

	if (self->kind->backend != AXVCPU_BACKEND_VMX) {
		EXPECT_EQ(axvcpu_x86_get_cpuid(self->vcpu, 1, 0, regs), -EINVAL);
		return;
	}
	ASSERT_EQ(axvcpu_x86_get_cpuid(self->vcpu, 1, 0, before), 0);
	ASSERT_EQ(axvcpu_x86_get_cpuid_max(self->vcpu, 1, 0, max), 0);
	EXPECT_EQ(before[2] & 1U << 31, 1U << 31);		/* a hypervisor is there */
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(before[i] & ~max[i], 0);
	memcpy(regs, before, sizeof(regs));
	regs[0] = 0x306c3;
	regs[2] &= ~(1U << 31);
	ASSERT_EQ(axvcpu_x86_set_cpuid(self->vcpu, 1, 0, regs), 0);
	ASSERT_EQ(axvcpu_x86_get_cpuid(self->vcpu, 1, 0, max), 0);
	EXPECT_EQ(memcmp(regs, max, sizeof(regs)), 0);
	regs[0] = 0;
	regs[2] |= 1 << 5;					/* VMX */
	EXPECT_EQ(axvcpu_x86_set_cpuid(self->vcpu, 1, 0, regs), -EINVAL);
	ASSERT_EQ(axvcpu_x86_get_cpuid(self->vcpu, 1, 0, max), 0);
	EXPECT_EQ(max[0], 0x306c3);
	/* A subleaf that an id has no room for is none, not another leaf's. */
	EXPECT_EQ(axvcpu_x86_get_cpuid(self->vcpu, 4, 0x10000, regs), -EINVAL);
	EXPECT_EQ(axvcpu_x86_get_cpuid_max(self->vcpu, 4, 0x10000, regs), -EINVAL);
	EXPECT_EQ(axvcpu_x86_set_cpuid(self->vcpu, 4, 0x10000, regs), -EINVAL);
}

TEST_F(lib, names_of_registers)
{
	static const char * const arm64[] = {
		"x30", "sp", "pc", "pstate", "v31.high", "fpcr", "cntvoff", "lines", "gic.vmcr",
		"gic.ap1r3", "gic.lr15", "gic.queued1019", "mdscr_el1", "midr_el1", "mpidr_el1",
		"sctlr_el1", "cpacr_el1", "ttbr0_el1", "ttbr1_el1", "tcr_el1", "spsr_el1",
		"elr_el1",
		"sp_el0", "afsr0_el1", "afsr1_el1", "esr_el1", "far_el1", "par_el1", "mair_el1",
		"amair_el1", "vbar_el1", "contextidr_el1", "tpidr_el1", "cntkctl_el1", "csselr_el1",
		"tpidr_el0", "tpidrro_el0", "cntvct_el0", "cntv_ctl_el0", "cntv_cval_el0", "sp_el1",
		"s3_0_c0_c4_0",
	};
	static const char * const x86[] = {
		"r15", "rip", "rflags", "cr0", "cr2", "cr3", "cr4", "gdtr.base", "gdtr.limit",
		"idtr.base", "idtr.limit", "sysenter_cs", "sysenter_esp", "sysenter_eip", "pat",
		"efer", "star", "lstar", "cstar", "sfmask", "fs_base", "gs_base", "kernel_gs_base",
		"es.selector", "cs.base", "ss.limit", "ds.access", "ldtr.base", "tr.selector",
	};
	bool is_x86 = self->kind->backend == AXVCPU_BACKEND_VMX;
	const char *const *names = is_x86 ? x86 : arm64;
	size_t count = is_x86 ? ARRAY_SIZE(x86) : ARRAY_SIZE(arm64);
	uint64_t value;

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	for (size_t i = 0; i < count; i++) {
		EXPECT_EQ(axvcpu_vcpu_get_reg_by_name(self->vcpu, names[i], &value), 0)
			TH_LOG("%s", names[i]);
	}
}

/* Every register of the list has a name, which leads back to it. */
TEST_F(lib, each_listed_register_has_a_name)
{
	bool is_x86 = self->kind->backend == AXVCPU_BACKEND_VMX;
	uint64_t ids[1024], id;
	uint32_t count = 0;
	char name[64];

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	EXPECT_EQ(axvcpu_vcpu_list_regs(self->vcpu, NULL, &count), -E2BIG);
	ASSERT_LE(count, ARRAY_SIZE(ids));
	EXPECT_LT(100, count);
	ASSERT_EQ(axvcpu_vcpu_list_regs(self->vcpu, ids, &count), 0);
	for (uint32_t i = 0; i < count; i++) {
		int used = is_x86 ? axvcpu_x86_reg_name(ids[i], name, sizeof(name)) :
				    axvcpu_arm64_reg_name(ids[i], name, sizeof(name));

		EXPECT_LT(0, used) TH_LOG("%#llx", (unsigned long long)ids[i]);
		EXPECT_EQ(is_x86 ? axvcpu_x86_reg_id(name, &id) : axvcpu_arm64_reg_id(name, &id),
			  0) TH_LOG("%s", name);
		EXPECT_EQ(ids[i], id) TH_LOG("%s", name);
	}
}

/* Saved half-way, loaded into another vCPU, which comes to the same end. */
TEST_F(lib, saved_and_loaded)
{
	struct axvcpu_vcpu *other;
	struct seen seen = { 0 };
	uint64_t buf[4096];
	size_t size = 0;

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_run(self->vcpu, 0), 0);
	ASSERT_EQ(axvcpu_vcpu_page(self->vcpu)->exit_reason, self->kind->write);
	EXPECT_EQ(axvcpu_vcpu_save(self->vcpu, NULL, &size), -E2BIG);
	ASSERT_LE(size, sizeof(buf));
	size -= 1;
	EXPECT_EQ(axvcpu_vcpu_save(self->vcpu, buf, &size), -E2BIG);
	ASSERT_EQ(axvcpu_vcpu_save(self->vcpu, buf, &size), 0);

	ASSERT_EQ(axvcpu_vcpu_create(self->dev, NULL, &other), 0);
	EXPECT_EQ(axvcpu_vcpu_load(other, buf, size), -EBADFD);
	EXPECT_EQ(axvcpu_vcpu_save(other, buf + 2048, &(size_t){ 8192 }), -EBADFD);
	EXPECT_NE(strstr(axvcpu_error_text(), "SETUP it first"), NULL);
	EXPECT_EQ(axvcpu_vcpu_load(other, buf, size - 1), -EINVAL);
	buf[0] ^= 1;
	EXPECT_EQ(axvcpu_vcpu_load(other, buf, size), -EINVAL);
	EXPECT_NE(strstr(axvcpu_error_text(), "axvcpu_vcpu_save()"), NULL);
	buf[0] ^= 1;
	((uint32_t *)buf)[3] ^= 1;
	EXPECT_EQ(axvcpu_vcpu_load(other, buf, size), -EPROTO);
	((uint32_t *)buf)[3] ^= 1;
	ASSERT_EQ(self->kind->setup(other, self->aspace, 0), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(other, -1), 0);
	ASSERT_EQ(axvcpu_vcpu_load(other, buf, size), 0);
	ASSERT_EQ(axvcpu_vcpu_loop(other, 0, &handlers, &seen), STOP);
	EXPECT_EQ(seen.before, 2);
	EXPECT_EQ(axvcpu_vcpu_page(other)->regs.raw[0] & 0xff, 0x5a);
	axvcpu_vcpu_close(other);
}

TEST_F(lib, kept_and_restored)
{
	struct axvcpu_inject event = { .type = AXVCPU_EVENT_INTERRUPT, .vector = 0x40 };
	struct seen seen = { 0 };

	EXPECT_EQ(axvcpu_vcpu_keep_state(self->vcpu), -EBADFD);
	EXPECT_NE(strstr(axvcpu_error_text(), "SETUP it first"), NULL);
	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	EXPECT_EQ(axvcpu_vcpu_restore_state(self->vcpu, 0), -ENOENT);
	EXPECT_NE(strstr(axvcpu_error_text(), "no state is kept"), NULL);
	ASSERT_EQ(axvcpu_vcpu_keep_state(self->vcpu), 0);
	for (int i = 1; i <= 3; i++) {
		ASSERT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &handlers, &seen), STOP);
		EXPECT_EQ(seen.before, 3 * i);
		ASSERT_EQ(axvcpu_vcpu_restore_state(self->vcpu, AXVCPU_RESTORE_TIME), 0);
	}
	EXPECT_EQ(axvcpu_vcpu_withdraw(self->vcpu, &event), -ENOENT);
	EXPECT_NE(strstr(axvcpu_error_text(), "not queued"), NULL);
	ASSERT_EQ(axvcpu_vcpu_inject(self->vcpu, &event), 0);
	EXPECT_EQ(axvcpu_vcpu_withdraw(self->vcpu, &event), 0);
}

TEST_F(lib, an_exit_without_a_handler)
{
	static const struct axvcpu_handlers none;

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &none, NULL), -EOPNOTSUPP);
}

struct kicker {
	struct axvcpu_vcpu *vcpu;
	struct seen *seen;
};

/* Two that come at once are one. */
static void *kick_thrice(void *arg)
{
	struct kicker *k = arg;

	for (unsigned int i = 0; i < 3; i++) {
		axvcpu_vcpu_kick(k->vcpu);
		while (k->seen->interrupted == i)
			usleep(1000);
	}
	return NULL;
}

TEST_F(lib, kicks)
{
	struct axvcpu_handlers quiet = { 0 };
	struct seen seen = { 0 };
	struct kicker kicker = { self->vcpu, &seen };
	pthread_t thread;

	memcpy(self->mem + CODE, self->kind->loop, self->kind->loop_size);
	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
	ASSERT_EQ(axvcpu_vcpu_bind(self->vcpu, -1), 0);

	/* One that came before RUN is not lost. */
	ASSERT_EQ(axvcpu_vcpu_kick(self->vcpu), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &quiet, NULL), -EINTR);

	ASSERT_EQ(pthread_create(&thread, NULL, kick_thrice, &kicker), 0);
	EXPECT_EQ(axvcpu_vcpu_loop(self->vcpu, 0, &handlers, &seen), STOP);
	EXPECT_EQ(seen.interrupted, 3);
	pthread_join(thread, NULL);
}

TEST_F(lib, history)
{
	struct axvcpu_history_entry entries[AXVCPU_HISTORY_LEN];
	int n;

	ASSERT_EQ(self->kind->setup(self->vcpu, self->aspace, CODE), 0);
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
