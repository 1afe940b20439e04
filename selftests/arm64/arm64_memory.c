// SPDX-License-Identifier: GPL-2.0-only
/* Aborts of an arm64 guest, MMIO, and stage 2. */
#include "arm64.h"

PROGRAM(mmio_program,
	"ldrb w1, [x20]\n ldrsb w2, [x20]\n ldrsb x3, [x20]\n ldrh w4, [x20]\n ldrsh x5, [x20]\n"
	"ldr w6, [x20]\n ldrsw x7, [x20]\n ldr x8, [x20]\n ldr xzr, [x20]\n"
	"strb w21, [x20]\n strh w21, [x20]\n str w21, [x20]\n str x21, [x20]\n str xzr, [x20]\n"
	"ldp x10, x11, [x20]\n" MEET(0x70));

/* A12 */
TEST_F(arm64, mmio)
{
	static const struct {
		unsigned int width, reg, reg_width, sign;
		uint64_t result;
	} reads[] = {
		{ 1, 1, 4, 0, 0x88 },
		{ 1, 2, 4, 1, 0xffffff88 },
		{ 1, 3, 8, 1, 0xffffffffffffff88 },
		{ 2, 4, 4, 0, 0x8788 },
		{ 2, 5, 8, 1, 0xffffffffffff8788 },
		{ 4, 6, 4, 0, 0x85868788 },
		{ 4, 7, 8, 1, 0xffffffff85868788 },
		{ 8, 8, 8, 0, 0x8182838485868788 },
		{ 8, 31, 8, 0, 0 },
	};
	static const unsigned int writes[] = { 1, 2, 4, 8, 8 };
	const uint64_t data = 0x8182838485868788ULL;

	ASSERT_EQ(0, start(self, mmio_program, mmio_program_end));
	self->x[20] = GUEST_HOLE + 0x18;
	self->x[21] = data;
	for (int i = 0; i < ARRAY_SIZE(reads); i++) {
		ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
		EXPECT_EQ(GUEST_HOLE + 0x18, self->run->mmio.gpa);
		EXPECT_EQ(GUEST_HOLE + 0x18, self->run->mmio.gva);
		EXPECT_EQ(reads[i].width, self->run->mmio.width);
		EXPECT_EQ(reads[i].reg, self->run->mmio.reg);
		EXPECT_EQ(reads[i].reg_width, self->run->mmio.reg_width);
		EXPECT_EQ(reads[i].sign, self->run->mmio.sign_extend);
		self->run->mmio.data = data;
	}
	for (int i = 0; i < ARRAY_SIZE(writes); i++) {
		uint64_t mask = writes[i] == 8 ? ~0ULL : (1ULL << 8 * writes[i]) - 1;

		ASSERT_EQ(AXVCPU_EXIT_MMIO_WRITE, run(self, 0));
		EXPECT_EQ(writes[i], self->run->mmio.width);
		EXPECT_EQ(i == 4 ? 0 : data & mask, self->run->mmio.data);
	}
	for (int i = 0; i < ARRAY_SIZE(reads) - 1; i++) {
		EXPECT_EQ(reads[i].result, self->x[reads[i].reg]) TH_LOG("load %d", i);
	}
	/* Two registers: the hardware does not decode it, nor does the kernel. */
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(GUEST_HOLE + 0x18, self->run->fault.gpa);
	EXPECT_EQ(AXVCPU_MAP_READ, self->run->fault.access);
	EXPECT_EQ(AXVCPU_FAULT_GVA_VALID, self->run->fault.flags);
	/* A data abort of EL1's, without ISV */
	EXPECT_EQ(0x24, self->run->fault.syndrome >> 26 & 0x3f);
	EXPECT_EQ(0, self->run->fault.syndrome >> 24 & 1);
}

/* Stage 1 on, its second-level table where nothing is. */
#define WALK									\
	"ldr x0, =0x200803519\n msr tcr_el1, x0\n"	/* 39 bits, 4 KiB */		\
	"mov x0, #0xff\n msr mair_el1, x0\n msr ttbr0_el1, x20\n isb\n"	\
	"mrs x0, sctlr_el1\n orr x0, x0, #1\n msr sctlr_el1, x0\n isb\n"	\
	"ldr x9, [x21]\n" MEET(0x70) ".ltorg\n"

PROGRAM(walk_program, WALK);
PROGRAM(written_walk_program, "str xzr, [x22]\n" WALK);

/* A12 */
TEST_F(arm64, walk_fault)
{
	const uint64_t table = 0x90000, va = 2ULL << 30 | 0x123000;
	volatile uint64_t *l1 = (volatile uint64_t *)(self->g.mem + table);

	l1[0] = 0x701;				/* 1 GiB at 0, as it is */
	l1[2] = GUEST_HOLE | 3;
	ASSERT_EQ(0, start(self, walk_program, walk_program_end));
	self->x[20] = table;
	self->x[21] = va;
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(GUEST_HOLE, self->run->fault.gpa & ~0xfffULL);
	EXPECT_EQ(va, self->run->fault.gva);
	EXPECT_EQ(AXVCPU_FAULT_WALK | AXVCPU_FAULT_GVA_VALID, self->run->fault.flags);
	/* A block instead of the table, and the guest goes on. */
	l1[2] = 0x701;
	*(volatile uint64_t *)(self->g.mem + 0x123000 % self->g.size) = 0;
	ASSERT_EQ(AXVCPU_EXIT_MMIO_READ, run(self, 0));
	EXPECT_EQ(0x123000, self->run->mmio.gpa);
	EXPECT_EQ(va, self->run->mmio.gva);
	self->run->mmio.data = 0x55;
	EXPECT_MEET(0x70);
	EXPECT_EQ(0x55, self->x[9]);
}

/* A table that the guest may write, and has written, but may not read */
TEST_F(arm64, walk_of_an_unreadable_table)
{
	const uint64_t table = 0x90000, va = 2ULL << 30 | 0x123000;
	volatile uint64_t *l1 = (volatile uint64_t *)(self->g.mem + table);

	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, sysconf(_SC_PAGESIZE),
				self->g.mem + RESULTS, AXVCPU_MAP_WRITE));
	l1[0] = 0x701;
	l1[2] = GUEST_HOLE | 3;
	ASSERT_EQ(0, start(self, written_walk_program, written_walk_program_end));
	self->x[20] = table;
	self->x[21] = va;
	self->x[22] = GUEST_HOLE;
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(AXVCPU_FAULT_WALK | AXVCPU_FAULT_GVA_VALID | AXVCPU_FAULT_PROTECTION,
		  self->run->fault.flags);
	EXPECT_TRUE(self->run->fault.access & AXVCPU_MAP_READ);
}

/* A12, A13: a store to what can't be written, a fetch from what can't be executed. */
PROGRAM(permission_program,
	"str x8, [x20]\n dc ivac, x20\n dc civac, x20\n" MEET(0x70) "br x21\n");

TEST_F(arm64, permissions)
{
	uint64_t size = sysconf(_SC_PAGESIZE), at = GUEST_HOLE;
	uint8_t *mem = self->g.mem + RESULTS;
	uint64_t at_store;

	ASSERT_EQ(0, map_memory(self->g.aspace, at, size, mem, AXVCPU_MAP_READ));
	ASSERT_EQ(0, start(self, permission_program, permission_program_end));
	self->x[20] = at + 8;
	self->x[21] = at + 16;
	/* Not MMIO: it says what is wrong, and the guest tries again. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
		EXPECT_EQ(at + 8, self->run->fault.gpa);
		EXPECT_EQ(AXVCPU_MAP_WRITE, self->run->fault.access);
		EXPECT_EQ(AXVCPU_FAULT_GVA_VALID | AXVCPU_FAULT_PROTECTION, self->run->fault.flags);
		EXPECT_EQ(0x24, self->run->fault.syndrome >> 26 & 0x3f);
		EXPECT_EQ(8, self->run->fault.syndrome >> 16 & 0x1f);
	}
	self->x[8] = 0x1234;
	ASSERT_EQ(0, protect_memory(self->g.aspace, at, size, AXVCPU_MAP_READ | AXVCPU_MAP_WRITE));
	at_store = self->run->regs.arm64.pc;
	ASSERT_EQ(AXVCPU_EXIT_HYPERCALL, run(self, 0));
	EXPECT_EQ(0x1234, *(volatile uint64_t *)(mem + 8));
	ASSERT_EQ(0, protect_memory(self->g.aspace, at, size, AXVCPU_MAP_READ));
	ASSERT_EQ(0, set_reg(self->v.fd, AXVCPU_ARM64_REG_PC, at_store + 4));
	/* Cache maintenance of it is no store, but invalidation might be one. */
	for (int exit = run(self, 0); exit != AXVCPU_EXIT_HYPERCALL; exit = run(self, 0)) {
		ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, exit);
		EXPECT_EQ(AXVCPU_MAP_WRITE, self->run->fault.access);
		self->run->regs.arm64.pc += 4;
		self->run->regs_dirty = 1;
	}
	ASSERT_EQ(AXVCPU_EXIT_NESTED_PAGE_FAULT, run(self, 0));
	EXPECT_EQ(at + 16, self->run->fault.gpa);
	EXPECT_EQ(AXVCPU_MAP_EXEC, self->run->fault.access);
}

/* A5: one guest's translations are not another's, though all have one VMID. */
PROGRAM(space_program, "1: ldr x9, [x20]\n" MEET(0x70) "b 1b\n");

TEST_F(arm64, two_spaces)
{
	volatile uint64_t *theirs;
	struct guest_vcpu other;
	struct guest g;

	pin_to_cpu(0);
	ASSERT_EQ(0, guest_create(&g, 0));
	memcpy(g.mem + ENTRY, space_program, space_program_end - space_program);
	theirs = (volatile uint64_t *)(g.mem + RESULTS);
	ASSERT_EQ(0, vcpu_start(&g, &other, 0, ENTRY));
	ASSERT_EQ(0, start(self, space_program, space_program_end));
	self->x[20] = RESULTS;
	other.run->regs.arm64.x[20] = RESULTS;
	for (int i = 0; i < 50; i++) {
		*self->results = 1000 + i;
		*theirs = 2000 + i;
		EXPECT_MEET(0x70);
		EXPECT_EQ(1000 + i, self->x[9]);
		ASSERT_EQ(0, run_vcpu(other.fd, 0));
		EXPECT_EQ(2000 + i, other.run->regs.arm64.x[9]);
	}
	vcpu_destroy(&other);
	guest_destroy(&g);
}

/* A4, A21: nothing starts beyond what stage 2 translates. */
TEST_F(arm64, limits)
{
	struct axvcpu_setup setup;

	EXPECT_LE(2, self->g.info.max_gpt_levels);
	EXPECT_GE(4, self->g.info.max_gpt_levels);
	setup_init(&self->g, &setup, 1ULL << self->g.info.gpa_bits);
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, ENTRY + 2);
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, ENTRY);
	setup.config.arm64.flags = 1 << 2;
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	setup_init(&self->g, &setup, (1ULL << self->g.info.gpa_bits) - 4);
	EXPECT_EQ(0, XIOCTL(self->v.fd, AXVCPU_SETUP, &setup));
}

TEST_HARNESS_MAIN
