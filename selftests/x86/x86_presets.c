// SPDX-License-Identifier: GPL-2.0-only
/* The library's CPUIDs, and KVM's clock, as a guest sees them. */
#include <cpuid.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "kselftest_harness.h"

#include "x86_code.h"

#define MEM_SIZE	0x20000UL
#define CODE_AT		0x1000UL
#define CLOCK_AT	0x2004UL	/* where the guest wants its clock */
#define TABLES		0x8000UL

#define VCPU_ID		5
#define NS_PER_SEC	1000000000ULL
#define START_NS	(1000 * NS_PER_SEC)
#define SLEEP_NS	20000000L
#define MSR_TSC		0x10
#define MSR_KVM_CLOCK	0x4b564d01
#define APIC_HZ		25000000U

CODE(cpuid, "cpuid; hlt");

/* The guest's side of KVM's clock at RBX: RAX, in nanoseconds */
CODE(read_clock, "mov $0x4b564d01, %ecx; xor %edx, %edx; wrmsr; rdtsc; shl $32, %rdx;"
		 "or %rdx, %rax; sub 8(%rbx), %rax; movsbl 28(%rbx), %ecx; test %ecx, %ecx;"
		 "js 1f; shl %cl, %rax; jmp 2f; 1: neg %ecx; shr %cl, %rax;"
		 "2: mov 24(%rbx), %edx; mul %rdx; shrd $32, %rdx, %rax; add 16(%rbx), %rax; hlt");

enum { EAX, EBX, ECX, EDX };

struct leaf {
	uint32_t reg[4];
};

/* Features by leaf and register, and those that are the topology's */
static const struct {
	uint32_t leaf;
	int reg;
	uint32_t topology;
} features[] = {
	{ 1, ECX, 0 }, { 1, EDX, 1 << 28 }, { 6, EAX, 0 }, { 7, EBX, 0 }, { 7, ECX, 0 },
	{ 7, EDX, 0 }, { 0x80000001, ECX, 1 << 1 }, { 0x80000001, EDX, 0 },
};

#define NR_FEATURES	ARRAY_SIZE(features)

FIXTURE(x86_presets) {
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	struct axvcpu_run *run;
	uint8_t *mem;
	uint32_t before[NR_FEATURES], after[NR_FEATURES];
};

FIXTURE_SETUP(x86_presets)
{
	const struct axvcpu_vcpu_attr attr = { .favor_cpu = -1, .vcpu_id = VCPU_ID };

	self->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, axvcpu_device_open(NULL, &self->dev));
	ASSERT_EQ(0, axvcpu_aspace_create(self->dev, &self->aspace));
	ASSERT_EQ(0, axvcpu_aspace_map(self->aspace, 0, self->mem, MEM_SIZE, AXVCPU_MAP_ALL));
	ASSERT_EQ(0, axvcpu_vcpu_create(self->dev, &attr, &self->vcpu));
	self->run = axvcpu_vcpu_page(self->vcpu);
}

FIXTURE_TEARDOWN(x86_presets)
{
	axvcpu_vcpu_close(self->vcpu);
	axvcpu_aspace_close(self->aspace);
	axvcpu_device_close(self->dev);
}

/* The guest starts, and is asked what it sees. */
static struct leaf ask(FIXTURE_DATA(x86_presets) *self, uint32_t leaf, uint32_t subleaf)
{
	const struct axvcpu_x86_gprs *regs = &self->run->regs.x86;
	struct axvcpu_state_info info;

	if (axvcpu_vcpu_get_state(self->vcpu, &info))
		return (struct leaf){ { ~0U, ~0U, ~0U, ~0U } };
	if (info.state == AXVCPU_STATE_CREATED) {
		memcpy(self->mem + CODE_AT, cpuid, cpuid_end - cpuid);
		if (axvcpu_vcpu_setup_real(self->vcpu, self->aspace, CODE_AT) ||
		    axvcpu_vcpu_bind(self->vcpu, -1))
			return (struct leaf){ { ~0U, ~0U, ~0U, ~0U } };
	}
	self->run->regs.x86.rip = CODE_AT;
	self->run->regs_dirty = AXVCPU_REGS_PC;
	self->run->regs.x86.gpr[AXVCPU_X86_RAX] = leaf;
	self->run->regs.x86.gpr[AXVCPU_X86_RCX] = subleaf;
	if (axvcpu_vcpu_run(self->vcpu, 0) || self->run->exit_reason != AXVCPU_EXIT_HALT)
		return (struct leaf){ { ~0U, ~0U, ~0U, ~0U } };
	return (struct leaf){ {
		regs->gpr[AXVCPU_X86_RAX], regs->gpr[AXVCPU_X86_RBX],
		regs->gpr[AXVCPU_X86_RCX], regs->gpr[AXVCPU_X86_RDX],
	} };
}

static uint32_t feature(FIXTURE_DATA(x86_presets) *self, unsigned int i, bool max)
{
	uint32_t regs[4] = { 0 };

	(max ? axvcpu_x86_get_cpuid_max : axvcpu_x86_get_cpuid)(self->vcpu, features[i].leaf, 0,
								regs);
	return regs[features[i].reg];
}

static int set_preset(FIXTURE_DATA(x86_presets) *self, enum axvcpu_x86_preset preset)
{
	int err;

	for (unsigned int i = 0; i < NR_FEATURES; i++)
		self->before[i] = feature(self, i, false);
	err = axvcpu_x86_set_cpuid_preset(self->vcpu, preset);
	for (unsigned int i = 0; i < NR_FEATURES; i++)
		self->after[i] = feature(self, i, false);
	return err;
}

TEST_F(x86_presets, minimal)
{
	ASSERT_EQ(0, set_preset(self, AXVCPU_X86_PRESET_MINIMAL));
	EXPECT_EQ(0, memcmp(self->before, self->after, sizeof(self->before)));
	EXPECT_EQ(-EINVAL, set_preset(self, AXVCPU_X86_PRESET_PC + 1));
	EXPECT_NE(NULL, strstr(axvcpu_error_text(), "no such preset"));
}

/* What firmware and systems look for is there, and no more than that comes. */
TEST_F(x86_presets, pc)
{
	static const uint32_t added[NR_FEATURES] = {
		1 << 21 | 1 << 24,				/* x2APIC, TSC deadline */
		1 << 7 | 1 << 9 | 1 << 12 | 1 << 14,		/* MCE, APIC, MTRR, MCA */
		1 << 2,						/* ARAT */
	};

	ASSERT_EQ(0, set_preset(self, AXVCPU_X86_PRESET_PC));
	for (unsigned int i = 0; i < NR_FEATURES; i++) {
		EXPECT_EQ(0, self->before[i] & added[i]) TH_LOG("row %u", i);
		EXPECT_EQ(self->before[i] | added[i], self->after[i]) TH_LOG("row %u", i);
		EXPECT_EQ(self->after[i], ask(self, features[i].leaf, 0).reg[features[i].reg])
			TH_LOG("row %u", i);
	}
	EXPECT_EQ(1 << 16 | 1 << 8 | 1 << 5 | 1 << 4, ask(self, 1, 0).reg[EDX] &
		  (1 << 16 | 1 << 8 | 1 << 5 | 1 << 4));	/* PAT, CX8, MSR, TSC */
	EXPECT_EQ(1U << 31, ask(self, 1, 0).reg[ECX] & 1U << 31);	/* a hypervisor */
	EXPECT_EQ(VCPU_ID, ask(self, 1, 0).reg[EBX] >> 24);
	EXPECT_EQ(VCPU_ID, ask(self, 0xb, 0).reg[EDX]);
	EXPECT_LE(6, ask(self, 0, 0).reg[EAX]);
}

/* All that the processor has and a guest may have, and nothing else. */
TEST_F(x86_presets, host)
{
	ASSERT_EQ(0, set_preset(self, AXVCPU_X86_PRESET_HOST));
	for (unsigned int i = 0; i < NR_FEATURES; i++) {
		uint32_t host[4] = { 0 }, shown;

		__get_cpuid_count(features[i].leaf, 0, &host[EAX], &host[EBX], &host[ECX],
				  &host[EDX]);
		shown = host[features[i].reg] & feature(self, i, true) & ~features[i].topology;
		EXPECT_EQ(self->before[i] | shown, self->after[i]) TH_LOG("row %u", i);
		EXPECT_EQ(self->after[i], ask(self, features[i].leaf, 0).reg[features[i].reg])
			TH_LOG("row %u", i);
	}
	/* What it needs of the VMM is what a processor that runs this has in any case. */
	EXPECT_NE(0, self->after[1] & 1 << 9);
	EXPECT_EQ(0, self->after[0] & 1 << 5);
}

TEST_F(x86_presets, topology)
{
	struct leaf l;

	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_topology(self->vcpu, 0, 1));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_topology(self->vcpu, 1, 0));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_topology(self->vcpu, 65537, 1));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_topology(self->vcpu, 1, ~0U));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_topology(self->vcpu, 257, 256));
	EXPECT_EQ(0, axvcpu_x86_set_cpuid_topology(self->vcpu, 256, 256));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_topology(self->vcpu, 3, 2));

	l = ask(self, 1, 0);
	EXPECT_EQ(VCPU_ID, l.reg[EBX] >> 24);
	EXPECT_EQ(8, l.reg[EBX] >> 16 & 0xff);
	EXPECT_NE(0, l.reg[EDX] & 1 << 28);
	l = ask(self, 0xb, 0);
	EXPECT_EQ(0, memcmp(&l, &(struct leaf){ { 1, 2, 1 << 8, VCPU_ID } }, sizeof(l)));
	l = ask(self, 0xb, 1);
	EXPECT_EQ(0, memcmp(&l, &(struct leaf){ { 3, 6, 1 | 2 << 8, VCPU_ID } }, sizeof(l)));
	EXPECT_EQ(0, ask(self, 0xb, 2).reg[EBX]);
	EXPECT_NE(0, ask(self, 4, 0).reg[EAX]);
	for (uint32_t i = 0; i < 4 && (l = ask(self, 4, i)).reg[EAX] & 0x1f; i++) {
		EXPECT_EQ((l.reg[EAX] >> 5 & 7) < 3 ? 1 : 7, l.reg[EAX] >> 14 & 0xfff);
		EXPECT_EQ(3, l.reg[EAX] >> 26);
	}
}

TEST_F(x86_presets, one_processor)
{
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_topology(self->vcpu, 2, 1));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_topology(self->vcpu, 1, 1));
	EXPECT_EQ(1, ask(self, 1, 0).reg[EBX] >> 16 & 0xff);
	EXPECT_EQ(0, ask(self, 1, 0).reg[EDX] & 1 << 28);
	EXPECT_EQ(0, ask(self, 4, 0).reg[EAX] >> 14);
	EXPECT_EQ(0, ask(self, 0xb, 1).reg[EAX]);
}

TEST_F(x86_presets, frequencies)
{
	uint64_t hz = axvcpu_device_info(self->dev)->counter_hz;
	struct leaf l;

	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_tsc(self->vcpu, 999, APIC_HZ));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_tsc(self->vcpu, hz, 999));
	EXPECT_EQ(-EINVAL, axvcpu_x86_set_cpuid_tsc(self->vcpu, 1000ULL << 32, APIC_HZ));
	EXPECT_NE(NULL, strstr(axvcpu_error_text(), "frequency"));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_tsc(self->vcpu, hz, APIC_HZ));

	EXPECT_LE(0x16, ask(self, 0, 0).reg[EAX]);
	l = ask(self, 0x15, 0);
	EXPECT_EQ(APIC_HZ, l.reg[ECX]);
	ASSERT_NE(0, l.reg[EAX]);
	EXPECT_GE(hz / 100000, hz - (uint64_t)APIC_HZ * l.reg[EBX] / l.reg[EAX] + hz / 200000);
	EXPECT_EQ((hz + 500000) / 1000000, ask(self, 0x16, 0).reg[EAX]);
	EXPECT_EQ(0x40000010, ask(self, 0x40000000, 0).reg[EAX]);
	EXPECT_EQ(hz / 1000, ask(self, 0x40000010, 0).reg[EAX]);
	EXPECT_EQ(APIC_HZ / 1000, ask(self, 0x40000010, 0).reg[EBX]);
}

TEST_F(x86_presets, kvms_name)
{
	struct leaf l;

	ASSERT_EQ(0, axvcpu_x86_set_cpuid_kvm(self->vcpu, 1 << 3));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_tsc(self->vcpu, 2 * NS_PER_SEC, APIC_HZ));
	ASSERT_EQ(0, axvcpu_x86_set_cpuid_kvm(self->vcpu, 1 << 3 | 1 << 24));
	l = ask(self, 0x40000000, 0);
	EXPECT_EQ(0, memcmp(&l.reg[EBX], "KVMKVMKVM\0\0\0", 12));
	EXPECT_EQ(0x40000010, l.reg[EAX]);
	EXPECT_EQ(1 << 3 | 1 << 24, ask(self, 0x40000001, 0).reg[EAX]);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* A guest in 64-bit mode that is about to tell where it wants its clock */
static int start_reader(FIXTURE_DATA(x86_presets) *self)
{
	int err;

	memcpy(self->mem + CODE_AT, read_clock, read_clock_end - read_clock);
	err = axvcpu_x86_identity_map(self->mem + TABLES, TABLES, MEM_SIZE - TABLES, MEM_SIZE);
	if (!err)
		err = axvcpu_vcpu_setup_long(self->vcpu, self->aspace, CODE_AT, TABLES);
	if (!err)
		err = axvcpu_vcpu_set_reg(self->vcpu, AXVCPU_X86_REG_TSC_OFFSET, 1ULL << 50);
	if (!err)
		err = axvcpu_vcpu_bind(self->vcpu, -1);
	self->run->regs.x86.gpr[AXVCPU_X86_RAX] = CLOCK_AT | 1;
	self->run->regs.x86.gpr[AXVCPU_X86_RBX] = CLOCK_AT;
	return err ? err : axvcpu_vcpu_run(self->vcpu, 0);
}

TEST_F(x86_presets, kvms_clock)
{
	const struct timespec pause = { .tv_nsec = SLEEP_NS };
	struct axvcpu_x86_clock clock = {
		.tsc_hz = axvcpu_device_info(self->dev)->counter_hz,
		.ns = START_NS,
	};
	uint64_t begin, least, most, ns;

	ASSERT_EQ(0, start_reader(self)) TH_LOG("%s", axvcpu_error_text());
	ASSERT_EQ(AXVCPU_EXIT_SYSREG_WRITE, self->run->exit_reason);
	ASSERT_EQ(MSR_KVM_CLOCK, self->run->sysreg.addr);
	ASSERT_EQ(CLOCK_AT | 1, self->run->sysreg.value);
	begin = now();
	ASSERT_EQ(0, axvcpu_vcpu_get_reg(self->vcpu, AXVCPU_X86_REG_MSR(MSR_TSC), &clock.tsc));
	EXPECT_LT(1ULL << 50, clock.tsc);
	ASSERT_EQ(0, axvcpu_x86_write_kvm_clock(self->mem + CLOCK_AT, &clock));
	axvcpu_answer_sysreg(self->run, 0);
	least = now();
	nanosleep(&pause, NULL);
	least = now() - least;
	ASSERT_EQ(0, axvcpu_vcpu_run(self->vcpu, 0));
	most = now() - begin;
	ASSERT_EQ(AXVCPU_EXIT_HALT, self->run->exit_reason);
	ns = self->run->regs.x86.gpr[AXVCPU_X86_RAX] - START_NS;
	EXPECT_LE(least - least / 50, ns);
	EXPECT_GE(most + most / 50, ns);
}

TEST_HARNESS_MAIN
