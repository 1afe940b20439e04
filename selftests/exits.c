// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits: each reason made to happen by a guest, with what the run page says
 * about it, and what the guest sees of the answer.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/mock/axvcpu_mock_abi.h"
#include "kselftest_harness.h"

#include "guest.h"

#define PAGE	((uint64_t)sysconf(_SC_PAGESIZE))
#define PORT	0x3f8

FIXTURE(exits) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_prog p;
};

FIXTURE_SETUP(exits)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	g_begin(&self->p, &self->g, GUEST_PROG(0));
}

FIXTURE_TEARDOWN(exits)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

TEST_F(exits, io_write)
{
	static const int widths[] = { 1, 2, 4 };
	static const uint16_t ports[] = { 0, 0x64, 0xcf8, 0xcf9, 0xffff };
	struct axvcpu_run *run = self->v.run;
	uint64_t seq = 0;

	g_movi(&self->p, G0, 0x1122334455667788ULL);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < ARRAY_SIZE(ports); j++)
			g_out(&self->p, ports[j], G0, widths[i]);
	}
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < ARRAY_SIZE(ports); j++) {
			ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
			EXPECT_EQ(ports[j], run->io.port);
			EXPECT_EQ(widths[i], run->io.width);
			EXPECT_EQ(1, run->io.count);
			EXPECT_EQ(0x55667788 & ((1ULL << 8 * widths[i]) - 1), run->io.data);
			EXPECT_LT(seq, run->exit_seq);
			seq = run->exit_seq;
		}
	}
	EXPECT_EQ(0x1122334455667788ULL, *greg(&self->v, G0));
	EXPECT_EQ(0, run_until_done(&self->v));
}

TEST_F(exits, io_read)
{
	static const struct {
		int width;
		uint64_t result;
	} rows[] = {
		/* As x86 does it: narrow values are merged, 32 bits clear the rest. */
		{ 1, 0x11223344556677ffULL },
		{ 2, 0x112233445566ffffULL },
		{ 4, 0x00000000ffffffffULL },
	};
	struct axvcpu_run *run = self->v.run;

	for (int i = 0; i < 3; i++) {
		g_movi(&self->p, G0, 0x1122334455667788ULL);
		g_in(&self->p, PORT + i, G0, rows[i].width);
		g_out(&self->p, 1, G1, 1);
	}
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
		EXPECT_EQ(PORT + i, run->io.port);
		EXPECT_EQ(rows[i].width, run->io.width);
		EXPECT_EQ(1, run->io.count);
		EXPECT_EQ(0, run->io.data);
		run->io.data = ~0ULL;
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(rows[i].result, *greg(&self->v, G0)) TH_LOG("width %d", rows[i].width);
	}
	EXPECT_EQ(0, run_until_done(&self->v));
}

/* Ways in which a VMM says that it has done the instruction that waits for an answer */
enum did { DID_DONE, DID_PC, DID_SET_REGS };

/* An IN that the VMM has done: G0 is the VMM's, whatever it has answered. */
static int did_in(FIXTURE_DATA(exits) *self, enum did how, uint64_t behind)
{
	const struct guest_isa *isa = self->v.isa;
	struct axvcpu_run *run = self->v.run;

	run->io.data = 0xbad;
	*greg(&self->v, G0) = 0x600d;
	if (how == DID_SET_REGS)
		return set_reg(self->v.fd, isa->reg_id(isa->pc), behind);
	run->regs.raw[isa->pc] = behind;
	run->regs_dirty = AXVCPU_REGS_PC | (how == DID_DONE ? AXVCPU_REGS_DONE : 0);
	return 0;
}

TEST_F(exits, vmm_did_the_instruction)
{
	const struct guest_isa *isa = self->v.isa;
	struct axvcpu_run *run = self->v.run;
	uint64_t at[4], value;

	/* The same instructions each time: where one begins, the one before ends. */
	for (int i = 0; i < 4; i++)
		g_in(&self->p, PORT, G0, 4);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
		at[i] = run->regs.raw[isa->pc];
		run->io.data = i;
	}
	ASSERT_EQ(0, run_until_done(&self->v));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_PROG(0)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(GUEST_PROG(0), run->regs.raw[isa->pc]);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
		EXPECT_EQ(at[i], run->regs.raw[isa->pc]);
		EXPECT_EQ(i ? 0x600d : 0, *greg(&self->v, G0) & 0xffff);
		ASSERT_EQ(0, did_in(self, i, at[i + 1]));
		/* A look at a register in between changes nothing. */
		ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->gpr[G1]), &value));
	}
	/* With DONE, the program counter may be where it was: the VMM has jumped there. */
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	EXPECT_EQ(0x600d, *greg(&self->v, G0));
	run->io.data = 0xbad;
	run->regs_dirty = AXVCPU_REGS_DONE;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	EXPECT_EQ(at[3], run->regs.raw[isa->pc]);
	EXPECT_EQ(0x600d, *greg(&self->v, G0));
	/* The program counter as it is, to change flags: the answer counts. */
	run->io.data = 0xcafe;
	run->regs_dirty = AXVCPU_REGS_PC;
	ASSERT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(0xcafe, *greg(&self->v, G0));
}

/* The answer is given by the next RUN, even one that enters nothing. */
TEST_F(exits, answer_without_entry)
{
	const struct guest_isa *isa = self->v.isa;
	uint64_t pc, value;

	g_movi(&self->p, G0, 0);
	g_in(&self->p, PORT, G0, 4);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->pc), &pc));
	EXPECT_EQ(pc, self->v.run->regs.raw[isa->pc]);

	self->v.run->io.data = 0xcafe;
	self->v.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(AXVCPU_EXIT_NOTHING, self->v.run->exit_reason);
	self->v.run->immediate_exit = 0;
	ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->pc), &value));
	EXPECT_LT(pc, value);
	EXPECT_EQ(value, self->v.run->regs.raw[isa->pc]);

	/* What stands there now is no answer any more. */
	self->v.run->io.data = 0xdead;
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(0xcafe, *greg(&self->v, G0));
}

TEST_F(exits, hypercall)
{
	static const uint64_t args[6] = {
		1ULL << 63, 0x2222222222222222ULL, 3, 4, ~0ULL, 0x66,
	};
	struct axvcpu_run *run = self->v.run;

	g_hypercall(&self->p, 0x8000000000000042ULL, args, G3);
	g_hypercall(&self->p, 0, args, G4);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HYPERCALL));
	EXPECT_EQ(0x8000000000000042ULL, run->hypercall.nr);
	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(args[i], run->hypercall.args[i]) TH_LOG("argument %d", i);
	}
	EXPECT_EQ(0, run->hypercall.ret);
	run->hypercall.ret = 0xfedcba9876543210ULL;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HYPERCALL));
	EXPECT_EQ(0, run->hypercall.nr);
	EXPECT_EQ(0xfedcba9876543210ULL, *greg(&self->v, G3));
	run->hypercall.ret = 0;
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(0, *greg(&self->v, G4));
}

/* It has completed: its result is there, whatever exception is queued. */
TEST_F(exits, hypercall_and_exception)
{
	static const uint64_t none[6];
	struct axvcpu_inject event = {
		.type = AXVCPU_EVENT_EXCEPTION,
		.vector = self->g.isa->exceptions[0],
		.flags = AXVCPU_INJECT_ERROR_CODE,
	};
	struct axvcpu_run *run = self->v.run;

	g_hypercall(&self->p, 1, none, G3);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HYPERCALL));
	run->hypercall.ret = 0x1234;
	ASSERT_EQ(0, XIOCTL(self->v.fd, AXVCPU_INJECT, &event));
	run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	run->immediate_exit = 0;
	ASSERT_EQ(0, withdraw_event(self->v.fd, AXVCPU_EVENT_EXCEPTION, event.vector));
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(0x1234, *greg(&self->v, G3));
}

TEST_F(exits, sysreg)
{
	const uint64_t addr = self->g.isa->sysreg;
	struct axvcpu_run *run = self->v.run;

	g_rdsys(&self->p, addr, G1);
	g_movi(&self->p, G2, 0x0123456789abcdefULL);
	g_wrsys(&self->p, addr, G2);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SYSREG_READ));
	EXPECT_EQ(addr, run->sysreg.addr);
	EXPECT_EQ(0, run->sysreg.value);
	EXPECT_EQ(0, run->sysreg.fault);
	run->sysreg.value = 0xfedcba9876543210ULL;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SYSREG_WRITE));
	EXPECT_EQ(0xfedcba9876543210ULL, *greg(&self->v, G1));
	EXPECT_EQ(addr, run->sysreg.addr);
	EXPECT_EQ(0x0123456789abcdefULL, run->sysreg.value);
	EXPECT_EQ(0, run_until_done(&self->v));
}

/* A refused access is an exception in the guest, at the instruction. */
TEST_F(exits, sysreg_fault)
{
	const struct guest_isa *isa = self->g.isa;
	int handler = g_label(&self->p), end = g_label(&self->p);
	uint64_t pc;

	g_irq_handler(&self->p, handler);
	g_movi(&self->p, G1, 7);
	g_rdsys(&self->p, isa->sysreg, G1);
	g_jmp(&self->p, end);
	g_place(&self->p, handler);
	g_get_vector(&self->p, G2);
	g_out(&self->p, PORT, G2, 1);
	g_jmp(&self->p, handler);
	g_place(&self->p, end);

	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SYSREG_READ));
	pc = self->v.run->regs.raw[isa->pc];
	self->v.run->sysreg.fault = 1;
	self->v.run->sysreg.value = 0xdead;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(PORT, self->v.run->io.port);
	EXPECT_EQ(isa->gp_vector, *greg(&self->v, G2));
	EXPECT_EQ(7, *greg(&self->v, G1));
	EXPECT_NE(pc, self->v.run->regs.raw[isa->pc]);
}

/* Without a handler it takes the guest down, and only the guest. */
TEST_F(exits, sysreg_fault_unhandled)
{
	g_wrsys(&self->p, self->g.isa->sysreg, G1);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SYSREG_WRITE));
	self->v.run->sysreg.fault = 1;
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SHUTDOWN));
}

TEST_F(exits, nested_page_fault)
{
	struct axvcpu_run *run = self->v.run;
	uint64_t pc;
	void *page;

	g_movi(&self->p, G0, GUEST_HOLE + 0x128);
	g_load(&self->p, G1, G0, 8);
	g_store(&self->p, G0, G0, 4);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(GUEST_HOLE + 0x128, run->fault.gpa);
	EXPECT_EQ(AXVCPU_MAP_READ, run->fault.access);
	EXPECT_EQ(0, run->fault.flags & (AXVCPU_FAULT_WALK | AXVCPU_FAULT_BAD_HOST |
					 AXVCPU_FAULT_PROTECTION));
	if (run->fault.flags & AXVCPU_FAULT_GVA_VALID) {
		EXPECT_EQ(GUEST_HOLE + 0x128, run->fault.gva);
	}
	pc = run->regs.raw[self->v.isa->pc];

	/* Nothing has changed: the same again, at the same instruction. */
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(pc, run->regs.raw[self->v.isa->pc]);

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	((uint64_t *)page)[0x128 / 8] = 0x600df00d;
	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE, page, AXVCPU_MAP_READ));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(0x600df00d, *greg(&self->v, G1));
	EXPECT_EQ(GUEST_HOLE + 0x128, run->fault.gpa);
	EXPECT_TRUE(run->fault.access & AXVCPU_MAP_WRITE);
	EXPECT_TRUE(run->fault.flags & AXVCPU_FAULT_PROTECTION);
	EXPECT_EQ(0x600df00d, ((uint64_t *)page)[0x128 / 8]);

	ASSERT_EQ(0, unmap_memory(self->g.aspace, GUEST_HOLE, PAGE));
	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE, page,
				AXVCPU_MAP_READ | AXVCPU_MAP_WRITE));
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(GUEST_HOLE + 0x128, ((uint64_t *)page)[0x128 / 8]);
}

/* An instruction that is not there, or in memory without execute. */
TEST_F(exits, fetch_fault)
{
	struct axvcpu_run *run = self->v.run;
	int loop;

	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_HOLE));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(GUEST_HOLE, run->fault.gpa);
	EXPECT_TRUE(run->fault.access & AXVCPU_MAP_EXEC);
	EXPECT_EQ(GUEST_HOLE, run->regs.raw[self->v.isa->pc]);

	loop = g_here(&self->p);
	g_out(&self->p, PORT, G0, 1);
	g_jmp(&self->p, loop);
	g_end(&self->p);
	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE, self->g.mem + GUEST_PROG(0),
				AXVCPU_MAP_READ));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_TRUE(run->fault.access & AXVCPU_MAP_EXEC);
	ASSERT_EQ(0, unmap_memory(self->g.aspace, GUEST_HOLE, PAGE));
	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE, self->g.mem + GUEST_PROG(0),
				AXVCPU_MAP_READ | AXVCPU_MAP_EXEC));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* The range is mapped, but the process has nothing there. */
TEST_F(exits, bad_host_memory)
{
	void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	g_movi(&self->p, G0, GUEST_HOLE);
	g_store(&self->p, G0, G0, 8);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE, page, AXVCPU_MAP_ALL));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(GUEST_HOLE, self->v.run->fault.gpa);
	EXPECT_TRUE(self->v.run->fault.flags & AXVCPU_FAULT_BAD_HOST);
	EXPECT_FALSE(self->v.run->fault.flags & AXVCPU_FAULT_PROTECTION);
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(GUEST_HOLE, *(uint64_t *)page);
}

TEST_F(exits, halt)
{
	for (int i = 0; i < 3; i++)
		g_halt(&self->p);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	}
	EXPECT_EQ(0, run_until_done(&self->v));
}

TEST_F(exits, shutdown)
{
	g_shutdown(&self->p);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_SHUTDOWN));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	/* RESET makes it new. */
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	g_begin(&self->p, &self->g, GUEST_PROG(0));
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until_done(&self->v));
}

TEST_F(exits, unknown)
{
	if (!self->g.isa->unknown)
		SKIP(return, "all that such a guest can do is known");
	g_unknown(&self->p);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_UNKNOWN));
	EXPECT_NE(0, self->v.run->unknown.hw_reason);
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
}

static int break_guest(FIXTURE_DATA(exits) *self)
{
	struct axvcpu_mock_insn insn = { .op = MOCK_FAIL_ENTRY, .imm = 0x21 };

	if (self->g.info.backend == AXVCPU_BACKEND_MOCK) {
		memcpy(self->g.mem + GUEST_PROG(0), &insn, sizeof(insn));
		return 0;
	}
	if (self->g.info.backend == AXVCPU_BACKEND_VHE) {
		/* EL2h */
		self->v.run->regs.arm64.pstate = 9;
		self->v.run->regs_dirty = 1;
		return 0;
	}
	/* A code segment that is none. */
	return set_reg(self->v.fd, AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0x0010);
}

/* The host lives, and so does the next vCPU. */
TEST_F(exits, fail_entry)
{
	struct guest_vcpu other;
	struct guest_prog p;
	int loop;

	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, break_guest(self));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_FAIL_ENTRY));
		EXPECT_NE(0, self->v.run->fail_entry.hw_reason);
		EXPECT_GT(2, self->v.run->fail_entry.cpu);
		EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
		if (self->g.info.backend == AXVCPU_BACKEND_MOCK)
			break;
	}

	g_begin(&p, &self->g, GUEST_PROG(1));
	loop = g_here(&p);
	g_out(&p, PORT, G0, 1);
	g_jmp(&p, loop);
	ASSERT_EQ(0, vcpu_start(&self->g, &other, 1, g_end(&p)));
	EXPECT_EQ(0, run_until(&other, AXVCPU_EXIT_IO_WRITE));
	vcpu_destroy(&other);

	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	g_begin(&self->p, &self->g, GUEST_PROG(0));
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until_done(&self->v));
}

/* What the kernel handles is not seen, but counted. */
TEST_F(exits, kernel_exits)
{
	static const int classes[] = {
		[AXVCPU_BACKEND_MOCK]	= AXVCPU_CLASS_OTHER,
		[AXVCPU_BACKEND_VMX]	= AXVCPU_CLASS_CPUID,
		[AXVCPU_BACKEND_VHE]	= AXVCPU_CLASS_SYSREG,
	};
	struct axvcpu_stats stats;
	uint64_t sum = 0;

	for (int i = 0; i < 50; i++)
		g_kernel_exit(&self->p);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until_done(&self->v));
	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_LE(50, stats.kernel_exits);
	EXPECT_LE(50, stats.handled[classes[self->g.info.backend]]);
	EXPECT_LE(stats.faults, stats.handled[AXVCPU_CLASS_MEMORY]);
	for (int i = 0; i < AXVCPU_NR_CLASSES; i++)
		sum += stats.handled[i];
	EXPECT_EQ(stats.kernel_exits, sum);
	EXPECT_LE(51, stats.entries);
	EXPECT_EQ(1, stats.runs);
	EXPECT_EQ(1, stats.exits[AXVCPU_EXIT_IO_WRITE]);
	EXPECT_LT(0, stats.faults);
}

TEST_F(exits, stats)
{
	struct axvcpu_stats stats;
	const uint64_t none[6] = { 0 };

	for (int i = 0; i < 3; i++)
		g_halt(&self->p);
	g_hypercall(&self->p, 1, none, G0);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	}
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HYPERCALL));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, run_until_done(&self->v));
	}
	kick_vcpu(self->v.fd);
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	inject_irq(self->v.fd, 40);

	ASSERT_EQ(0, get_stats(self->v.fd, &stats));
	EXPECT_EQ(3, stats.exits[AXVCPU_EXIT_HALT]);
	EXPECT_EQ(1, stats.exits[AXVCPU_EXIT_HYPERCALL]);
	EXPECT_EQ(5, stats.exits[AXVCPU_EXIT_IO_WRITE]);
	EXPECT_EQ(10, stats.runs);
	EXPECT_EQ(1, stats.kicks);
	EXPECT_EQ(1, stats.injections);
	EXPECT_LT(0, stats.guest_ns);
	for (int i = 0; i < ARRAY_SIZE(stats.reserved); i++) {
		EXPECT_EQ(0, stats.reserved[i]);
	}
}

TEST_F(exits, registers)
{
	const struct guest_isa *isa = self->g.isa;
	uint64_t value;

	for (int i = 0; i < GUEST_NR_REGS; i++)
		g_addi(&self->p, G0 + i, 1);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	for (int i = 0; i < GUEST_NR_REGS; i++) {
		uint64_t pattern = 0x0101010101010101ULL * (i + 1);

		ASSERT_EQ(0, set_reg(self->v.fd, isa->reg_id(isa->gpr[i]), pattern));
		ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->gpr[i]), &value));
		EXPECT_EQ(pattern, value);
		EXPECT_EQ(pattern, *greg(&self->v, G0 + i));
	}
	/* The same registers, through the page. */
	*greg(&self->v, G1) = ~0ULL;
	EXPECT_EQ(0, run_until_done(&self->v));
	for (int i = 0; i < GUEST_NR_REGS; i++) {
		uint64_t pattern = i == 1 ? 0 : 0x0101010101010101ULL * (i + 1) + 1;

		EXPECT_EQ(pattern, *greg(&self->v, G0 + i)) TH_LOG("register %d", i);
		ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->gpr[i]), &value));
		EXPECT_EQ(pattern, value);
	}
}

/* The program counter counts only when it is said to have changed. */
TEST_F(exits, regs_dirty)
{
	const struct guest_isa *isa = self->g.isa;
	struct axvcpu_run *run = self->v.run;
	struct guest_prog p;
	uint64_t there, value;
	int loop;

	g_begin(&p, &self->g, GUEST_PROG(1));
	loop = g_here(&p);
	g_out(&p, PORT + 1, G0, 1);
	g_jmp(&p, loop);
	there = g_end(&p);

	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	EXPECT_EQ(0, run_until_done(&self->v));
	value = run->regs.raw[isa->pc];
	run->regs.raw[isa->pc] = there;
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(value, run->regs.raw[isa->pc]);

	run->regs.raw[isa->pc] = there;
	run->regs_dirty = 1;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(PORT + 1, run->io.port);
	EXPECT_EQ(0, run->regs_dirty);

	/* By SET_REGS as well, and back. */
	ASSERT_EQ(0, set_reg(self->v.fd, isa->reg_id(isa->pc), value));
	ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->pc), &value));
	EXPECT_EQ(0, run_until_done(&self->v));
}

/* A VMM may carry out the instruction itself and go on behind it. */
TEST_F(exits, emulated_by_the_vmm)
{
	const struct guest_isa *isa = self->g.isa;
	uint64_t value;

	g_movi(&self->p, G0, 1);
	g_in(&self->p, PORT, G0, 4);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	self->v.run->io.data = 0xdead;
	ASSERT_EQ(0, get_reg(self->v.fd, isa->reg_id(isa->pc), &value));
	ASSERT_EQ(0, set_reg(self->v.fd, isa->reg_id(isa->pc), GUEST_PROG(0)));
	/* Once more from the start: the answer was for an instruction given up. */
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	self->v.run->io.data = 0xbeef;
	EXPECT_EQ(0, run_until_done(&self->v));
	EXPECT_EQ(0xbeef, *greg(&self->v, G0));
}

static volatile bool stop_scribbling;

static void *scribble(void *arg)
{
	volatile uint64_t *page = arg;
	const int pc = 16, words = sizeof(struct axvcpu_run) / 8;
	int regs = offsetof(struct axvcpu_run, regs) / 8;
	uint64_t x = 88172645463325252ULL;

	while (!stop_scribbling) {
		for (int i = 1; i < words; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* Else the guest is only lost. */
			if (i < regs || i > regs + pc)
				page[i] = i % 3 ? x : ~0ULL;
		}
	}
	return NULL;
}

/* The page is the process's: what it writes at any time harms it alone. */
TEST_F(exits, hostile_page)
{
	int rounds = guest_is_fast(&self->g) ? 20000 : 1000, ok = 0;
	unsigned long long began = now_ns();
	const uint64_t none[6] = { 0 };
	pthread_t thread;

	g_in(&self->p, PORT, G0, 4);
	g_rdsys(&self->p, self->g.isa->sysreg, G1);
	g_hypercall(&self->p, 1, none, G2);
	ASSERT_EQ(0, vcpu_start_prog(&self->g, &self->v, &self->p));
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, self->v.run));
	/* The other one may have stopped with immediate_exit set, until its CPU comes back. */
	for (int i = 0; (i < rounds && time_for_another(i, 1000, began)) || !ok; i++) {
		int err = run_vcpu(self->v.fd, 0);

		ok += !err;
		ASSERT_TRUE(!err || err == -EINTR) TH_LOG("%d", err);
		if (i % 16 == 15) {
			ASSERT_EQ(0, set_reg(self->v.fd, self->g.isa->reg_id(self->g.isa->pc),
					     GUEST_PROG(0)));
		}
	}
	stop_scribbling = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, ok);
}

TEST_HARNESS_MAIN
