// SPDX-License-Identifier: GPL-2.0-only
/*
 * KEEP_STATE and RESTORE_STATE: a guest is put back to where it was, and goes on from
 * there as it did the first time.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define STEP_PORT	0x10
#define IRQ_PORT	0x20
#define IN_PORT		0x30
#define FACTOR		0x1357
#define VECTOR		0x58

FIXTURE(keep) {
	struct guest g;
	struct guest_vcpu v;
	struct guest_prog p;
	int handler;
};

FIXTURE_SETUP(keep)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	self->handler = g_begin_with_irqs(&self->p, &self->g);
}

FIXTURE_TEARDOWN(keep)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/* The main program is written; the handler follows: G1 counts, G2 is the vector. */
static int start(FIXTURE_DATA(keep) *self)
{
	return g_start_with_irqs(&self->p, &self->g, &self->v, self->handler, IRQ_PORT);
}

/* G0 += FACTOR, and an exit, for ever */
static void steps(struct guest_prog *p)
{
	int loop = g_here(p);

	g_addi(p, G0, FACTOR);
	g_out(p, STEP_PORT, G0, 4);
	g_jmp(p, loop);
}

#define EXPECT_STEP(n)								\
do {										\
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));		\
	EXPECT_EQ(STEP_PORT, self->v.run->io.port);				\
	EXPECT_EQ((uint64_t)(n) * FACTOR, *greg(&self->v, G0));			\
} while (0)

/* The same registers as before, by GET_REGS of them all. */
static bool is_as_kept(FIXTURE_DATA(keep) *self, const struct axvcpu_reg *kept, int count)
{
	struct axvcpu_reg now[GUEST_MAX_STATE];

	return get_state_of(&self->v, now) == count && !memcmp(kept, now, count * sizeof(*now));
}

TEST_F(keep, again_and_again)
{
	struct axvcpu_reg kept[GUEST_MAX_STATE];
	int count;

	steps(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(-ENOENT, restore_state(&self->v, 0));
	EXPECT_STEP(1);
	EXPECT_STEP(2);
	ASSERT_EQ(0, keep_state(&self->v));
	count = get_state_of(&self->v, kept);
	ASSERT_LT(0, count);
	for (int i = 0; i < 20; i++) {
		for (int n = 0; n < i; n++)
			EXPECT_STEP(3 + n);
		ASSERT_EQ(0, restore_state(&self->v, 0));
		EXPECT_TRUE(is_as_kept(self, kept, count));
		EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, self->v.run->exit_reason);
		EXPECT_EQ(2 * FACTOR, self->v.run->io.data);
	}
	EXPECT_STEP(3);
}

/* Each register for itself is put back, whatever SET_REGS has made of it. */
TEST_F(keep, every_register)
{
	struct axvcpu_reg kept[GUEST_MAX_STATE];
	int count, changed = 0;

	steps(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_STEP(1);
	ASSERT_EQ(0, keep_state(&self->v));
	count = get_state_of(&self->v, kept);
	ASSERT_LT(0, count);
	for (int i = 0; i < count; i++) {
		for (int bit = 0; bit < 64; bit++) {
			if (set_reg(self->v.fd, kept[i].id, kept[i].value ^ 1ULL << bit))
				continue;
			changed++;
			ASSERT_EQ(0, restore_state(&self->v, 0));
			EXPECT_TRUE(is_as_kept(self, kept, count)) {
				TH_LOG("id %#llx bit %d", (unsigned long long)kept[i].id, bit);
			}
			break;
		}
	}
	EXPECT_LE(count - 4, changed);
	EXPECT_STEP(2);
}

/* An exit whose answer is due is so again. */
TEST_F(keep, pending_answer)
{
	g_in(&self->p, IN_PORT, G3, 4);
	g_out(&self->p, GUEST_DONE, G3, 4);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	ASSERT_EQ(0, keep_state(&self->v));
	for (uint64_t answer = 1; answer < 10; answer++) {
		EXPECT_EQ(AXVCPU_EXIT_IO_READ, self->v.run->exit_reason);
		EXPECT_EQ(IN_PORT, self->v.run->io.port);
		self->v.run->io.data = answer;
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(GUEST_DONE, self->v.run->io.port);
		EXPECT_EQ(answer, *greg(&self->v, G3));
		ASSERT_EQ(0, restore_state(&self->v, 0));
	}
}

/* What was queued is queued again; what came later is not. */
TEST_F(keep, queued_events)
{
	g_sti(&self->p);
	steps(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_STEP(1);
	ASSERT_EQ(0, inject_irq(self->v.fd, VECTOR));
	ASSERT_EQ(0, keep_state(&self->v));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(IRQ_PORT, self->v.run->io.port);
		EXPECT_EQ(VECTOR, *greg(&self->v, G2));
		EXPECT_STEP(2);
		ASSERT_EQ(0, inject_irq(self->v.fd, VECTOR + 16));
		ASSERT_EQ(0, restore_state(&self->v, 0));
		EXPECT_EQ(0, *greg(&self->v, G1));
	}
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(VECTOR, *greg(&self->v, G2));
	EXPECT_STEP(2);
	EXPECT_EQ(1, *greg(&self->v, G1));
}

/* In Free and Ready; over UNBIND and BIND; not over RESET. */
TEST_F(keep, states)
{
	steps(&self->p);
	EXPECT_EQ(-EBADFD, keep_state(&self->v));
	EXPECT_EQ(-EBADFD, restore_state(&self->v, 0));
	ASSERT_EQ(0, start(self));
	EXPECT_STEP(1);
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, keep_state(&self->v));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_STEP(2);
	EXPECT_STEP(3);
	ASSERT_EQ(0, restore_state(&self->v, 0));
	EXPECT_STEP(2);
	EXPECT_EQ(-EINVAL, restore_state(&self->v, 2));
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_PROG(0)));
	EXPECT_EQ(-ENOENT, restore_state(&self->v, 0));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_STEP(1);
}

/* A guest that waits for an interrupt waits again. */
TEST_F(keep, halted)
{
	g_sti(&self->p);
	g_halt(&self->p);
	steps(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_HALT));
	ASSERT_EQ(0, keep_state(&self->v));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(AXVCPU_EXIT_HALT, self->v.run->exit_reason);
		EXPECT_STEP(1);
		ASSERT_EQ(0, restore_state(&self->v, 0));
	}
}

/* The guest's counter: it goes on, or goes back by as much as has passed. */
TEST_F(keep, time)
{
	uint64_t id, offset_id, kept, offset, later;

	if (self->g.info.backend == AXVCPU_BACKEND_MOCK)
		SKIP(return, "the mock has no counter");
	id = self->g.info.backend == AXVCPU_BACKEND_VMX ? AXVCPU_X86_REG_MSR(0x10) :
							   AXVCPU_ARM64_REG_SYS(3, 3, 14, 0, 2);
	offset_id = self->g.info.backend == AXVCPU_BACKEND_VMX ? AXVCPU_X86_REG_TSC_OFFSET :
								  AXVCPU_ARM64_REG_CNTVOFF;
	steps(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_STEP(1);
	ASSERT_EQ(0, get_reg(self->v.fd, id, &kept));
	ASSERT_EQ(0, keep_state(&self->v));
	offset = 1ULL << 40;
	do {
		ASSERT_EQ(0, get_reg(self->v.fd, id, &later));
	} while (later - kept < 100000);
	ASSERT_EQ(0, restore_state(&self->v, 0));
	ASSERT_EQ(0, get_reg(self->v.fd, id, &later));
	EXPECT_LE(100000, later - kept);
	/* So far the machine may go on, and no further back than that. */
	ASSERT_EQ(0, set_reg(self->v.fd, offset_id, offset));
	ASSERT_EQ(0, restore_state(&self->v, AXVCPU_RESTORE_TIME));
	ASSERT_EQ(0, get_reg(self->v.fd, id, &later));
	EXPECT_LE(kept, later);
	EXPECT_GT(offset / 2, later - kept);
	/* Without the flag, the offset is what it was. */
	ASSERT_EQ(0, set_reg(self->v.fd, offset_id, offset));
	ASSERT_EQ(0, keep_state(&self->v));
	ASSERT_EQ(0, set_reg(self->v.fd, offset_id, 2 * offset));
	ASSERT_EQ(0, restore_state(&self->v, 0));
	ASSERT_EQ(0, get_reg(self->v.fd, offset_id, &later));
	EXPECT_EQ(offset, later);
}

/* The list: asked for with no room, too little room, enough; loadable in its order. */
TEST_F(keep, list)
{
	struct axvcpu_reg_list args = { 0 };
	uint64_t ids[GUEST_MAX_STATE];
	int count;

	steps(&self->p);
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(-E2BIG, XIOCTL(self->v.fd, AXVCPU_GET_REG_LIST, &args));
	count = args.count;
	ASSERT_LT(0, count);
	args.ids = (uintptr_t)ids;
	args.count = count - 1;
	memset(ids, 0xaa, sizeof(ids));
	EXPECT_EQ(-E2BIG, XIOCTL(self->v.fd, AXVCPU_GET_REG_LIST, &args));
	EXPECT_EQ(count, args.count);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, ids[0]);
	EXPECT_EQ(count, list_regs(self->v.fd, ids, GUEST_MAX_STATE));
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, ids[count]);
	for (int i = 0; i < count; i++) {
		uint64_t value;

		EXPECT_EQ(0, get_reg(self->v.fd, ids[i], &value));
		EXPECT_EQ(0, set_reg(self->v.fd, ids[i], value)) {
			TH_LOG("id %#llx", (unsigned long long)ids[i]);
		}
		for (int j = 0; j < i; j++)
			EXPECT_NE(ids[j], ids[i]);
	}
}

/* What follows on the last one of the list is looked for like any other id. */
TEST_F(keep, no_register_behind_the_last)
{
	struct axvcpu_reg regs[AXVCPU_MAX_REGS];
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = 2 };
	uint64_t ids[GUEST_MAX_STATE], value;
	int count;

	steps(&self->p);
	ASSERT_EQ(0, start(self));
	count = list_regs(self->v.fd, ids, GUEST_MAX_STATE);
	ASSERT_LT(0, count);
	ASSERT_EQ(0, get_reg(self->v.fd, ids[count - 1], &value));
	for (int i = 0; i < AXVCPU_MAX_REGS; i++)
		regs[i] = (struct axvcpu_reg){ .id = ~0ULL };
	regs[0] = (struct axvcpu_reg){ .id = ids[count - 1], .value = value };
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_GET_REGS, &args));
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SET_REGS, &args));
	args.count = AXVCPU_MAX_REGS;
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_GET_REGS, &args));
	EXPECT_EQ(-EINVAL, XIOCTL(self->v.fd, AXVCPU_SET_REGS, &args));
	/* The first follows on the last, and so on, as often as there is room. */
	for (int i = 0; i < AXVCPU_MAX_REGS; i++)
		regs[i].id = ids[i % count];
	EXPECT_EQ(0, XIOCTL(self->v.fd, AXVCPU_GET_REGS, &args));
	for (int i = count; i < AXVCPU_MAX_REGS; i++) {
		if (regs[i].value != regs[i - count].value)
			TH_LOG("id %#llx", regs[i].id);
	}
	EXPECT_EQ(regs[0].value, regs[count].value);
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* No exit was in the page, as the answer had been taken: none comes back. */
TEST_F(keep, between_two_instructions)
{
	struct axvcpu_run *run = self->v.run;
	uint32_t shown;

	g_in(&self->p, IN_PORT, G3, 4);
	steps(&self->p);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_READ));
	run->io.data = 0x99;
	run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	run->immediate_exit = 0;
	shown = run->exit_reason;
	ASSERT_EQ(0, keep_state(&self->v));
	EXPECT_STEP(1);
	EXPECT_EQ(0x99, *greg(&self->v, G3));
	ASSERT_EQ(0, restore_state(&self->v, 0));
	EXPECT_EQ(shown, run->exit_reason);
	EXPECT_NE(AXVCPU_EXIT_IO_READ, run->exit_reason);
	EXPECT_STEP(1);
	EXPECT_EQ(0x99, *greg(&self->v, G3));
}

TEST_HARNESS_MAIN
