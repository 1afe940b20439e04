// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of KVM's and one of ours take turns on one CPU. Both are the same
 * program: each puts values of its own into every register that it has, has an
 * interrupt active and another one pending, and looks whether that stays so.
 */
#include <sys/auxv.h>

#include "arm64.h"
#include "kvm_guest.h"

#define PORT	KVM_GUEST_PORT
#define TABLE	0x90000		/* what the registers held when they had been written */

/* SGIs, the first one acknowledged, the second one pending; their priorities */
#define ACTIVE		1
#define PENDING		2
#define ACTIVE_PRIORITY	0x80
#define PENDING_PRIORITY	0x40

/*
 * x20: base of this guest's values, in its upper half
 * x21: where to tell; a store is the exit
 * x22: what is changed in SCTLR_EL1; x23: CPACR_EL1
 * x24, x25: base addresses of distributor and redistributor
 * x27: whether there are keys for pointer authentication
 */
#define REGS(R)									\
	R("tpidr_el0") R("tpidrro_el0") R("tpidr_el1") R("ttbr0_el1") R("ttbr1_el1")	\
	R("tcr_el1") R("spsr_el1") R("elr_el1") R("esr_el1") R("far_el1") R("par_el1")	\
	R("vbar_el1") R("mair_el1") R("contextidr_el1") R("sp_el0") R("cntv_cval_el0")	\
	R("dbgbvr0_el1") R("dbgbvr1_el1") R("dbgwvr0_el1") R("dbgwvr1_el1")
/* Where there are any: x27 */
#define KEYS(R)									\
	R("s3_0_c2_c1_0") R("s3_0_c2_c1_1") R("s3_0_c2_c1_2") R("s3_0_c2_c1_3")	\
	R("s3_0_c2_c2_0") R("s3_0_c2_c2_1") R("s3_0_c2_c2_2") R("s3_0_c2_c2_3")	\
	R("s3_0_c2_c3_0") R("s3_0_c2_c3_1")
/* Of which few bits can be chosen; x8 is the value */
#define SMALL(R)								\
	R("csselr_el1", "lsr x8, x20, #28\n")					\
	R("cntkctl_el1", "lsr x8, x20, #26\n")					\
	R("sctlr_el1", "mrs x8, sctlr_el1\n eor x8, x8, x22\n")			\
	R("cpacr_el1", "mov x8, x23\n")						\
	R("mdscr_el1", "mov x8, #0x8000\n orr x8, x8, x20, lsr #17\n")	\
	R("cntv_ctl_el0", "mov x8, #2\n")					\
	R("s3_0_c4_c6_0", "mov x8, #0xff\n")	/* ICC_PMR_EL1 */		\
	R("s3_0_c12_c12_3", "lsr x8, x20, #28\n") /* ICC_BPR1_EL1 */		\
	R("s3_0_c12_c12_7", "mov x8, #1\n")	/* ICC_IGRPEN1_EL1 */
/* That can be read only: MPIDR_EL1, MIDR_EL1, the running priority, pending interrupts */
#define FIXED(R) R("mpidr_el1") R("midr_el1") R("s3_0_c12_c11_3") R("isr_el1")

#define KEEP(name)		"mrs x0, " name "\n str x0, [x9], #8\n"
#define WRITE(name)		"msr " name ", x8\n add x8, x8, #0x800\n" KEEP(name)
#define WRITE_SMALL(name, value) value "msr " name ", x8\n isb\n" KEEP(name)
#define CHECK(name, ...)						\
	"mrs x0, " name "\n ldr x1, [x9], #8\n cmp x0, x1\n b.ne 9f\n"

PROGRAM(twin,
	/* GICD_CTLR, GICR_IGROUPR0, GICR_ISENABLER0, GICR_IPRIORITYR0 */
	"mov w0, #0x12\n str w0, [x24]\n add x1, x25, #0x10000\n"
	"mov w0, #-1\n str w0, [x1, #0x80]\n str w0, [x1, #0x100]\n"
	"mov w0, #0x8000\n movk w0, #0x40, lsl #16\n str w0, [x1, #0x400]\n"
	"mov x9, #0x90000\n" SMALL(WRITE_SMALL)
	/* One SGI is acknowledged, then there is another one. */
	"mov x0, #1\n movk x0, #0x100, lsl #16\n msr s3_0_c12_c11_5, x0\n isb\n"
	"1: mrs x0, s3_0_c12_c12_0\n cmp x0, #1\n b.ne 1b\n"
	"mov x0, #1\n movk x0, #0x200, lsl #16\n msr s3_0_c12_c11_5, x0\n isb\n"
	"2: mrs x0, isr_el1\n tbz x0, #7, 2b\n"
	"mov x8, x20\n" REGS(WRITE) "cbz x27, 5f\n" KEYS(WRITE) "5:\n" FIXED(KEEP)
	"dup v8.2d, x20\n mov sp, x20\n mrs x10, cntvct_el0\n"
	"3: str w20, [x21]\n"
	"mov x1, #0x800\n4: sub x1, x1, #1\n cbnz x1, 4b\n"
	"mov x9, #0x90000\n" SMALL(CHECK) REGS(CHECK)
	"cbz x27, 6f\n" KEYS(CHECK) "6:\n" FIXED(CHECK)
	"mov x0, v8.d[1]\n cmp x0, x20\n b.ne 9f\n mov x0, sp\n cmp x0, x20\n b.ne 9f\n"
	/* Time goes on, and does not jump. */
	"mrs x0, cntvct_el0\n cmp x0, x10\n b.lo 9f\n sub x1, x0, x10\n lsr x1, x1, #40\n"
	"cbnz x1, 9f\n mov x10, x0\n"
	"cbz x26, 3b\n"
	/* To the end: the pending one comes, then the active one ends. */
	"mrs x0, s3_0_c12_c12_0\n cmp x0, #2\n b.ne 9f\n msr s3_0_c12_c12_1, x0\n"
	"mov x0, #1\n msr s3_0_c12_c12_1, x0\n isb\n mrs x0, s3_0_c12_c11_3\n"
	"cmp x0, #0xff\n b.ne 9f\n str w20, [x21]\n"
	"9: str x9, [x21, #8]\n b 9b\n");

FIXTURE(vhe_kvm) {
	struct guest g;
	struct guest_vcpu v;
	struct kvm_guest k;
};

/* The VMM's part of the GIC: SGIs go to the sender. */
static int inject_sgi(struct guest_vcpu *v)
{
	uint32_t intid = v->run->ipi.vector;

	return inject(v->fd, intid, intid == ACTIVE ? ACTIVE_PRIORITY : PENDING_PRIORITY);
}

static int our_turn(struct guest_vcpu *v)
{
	int err;

	for (;;) {
		err = xioctl(v->fd, AXVCPU_RUN, 0);
		if (err == -EINTR)
			continue;
		if (!err && v->run->exit_reason == AXVCPU_EXIT_SEND_IPI)
			err = inject_sgi(v);
		else if (!err && v->run->exit_reason != AXVCPU_EXIT_MMIO_WRITE)
			err = -EPROTO;
		if (err || v->run->mmio.gpa - PORT < 16)
			break;
	}
	if (err || v->run->mmio.gpa == PORT)
		return err;
	fprintf(stderr, "# register %lld\n", ((long long)v->run->mmio.data - TABLE) / 8 - 1);
	return -EPROTO;
}

static int create_ours(FIXTURE_DATA(vhe_kvm) *self)
{
	struct axvcpu_create_vcpu args = { .favor_phys_cpu = -1 };
	struct axvcpu_setup setup;
	int err;

	args.config.arm64.mpidr = 0x102;
	self->v.isa = self->g.isa;
	self->v.fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &args);
	if (self->v.fd < 0)
		return self->v.fd;
	self->v.run = mmap(NULL, self->g.info.run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->v.fd, 0);
	if (self->v.run == MAP_FAILED)
		return -errno;
	memcpy(self->g.mem + ENTRY, twin, twin_end - twin);
	setup_init(&self->g, &setup, ENTRY);
	err = XIOCTL(self->v.fd, AXVCPU_SETUP, &setup);
	if (!err)
		err = set_reg(self->v.fd, AXVCPU_ARM64_REG_CNTVOFF, -(1ULL << 50));
	return err ? err : bind_vcpu(self->v.fd, -1);
}

/* What differs between the twins; of x26, nothing yet. */
static const struct {
	int n;
	uint64_t ours, kvms;
} args[] = {
	{ 20, 0x20000000, 0x40000000 },
	{ 21, PORT, PORT },
	{ 22, 1 << 9, 1 << 14 },		/* UMA, DZE */
	{ 23, 3 << 20, 3 << 20 },
	{ 24, KVM_GUEST_GICD, KVM_GUEST_GICD },
	{ 25, KVM_GUEST_GICR, KVM_GUEST_GICR },
	{ 26, 0, 0 },
};

FIXTURE_SETUP(vhe_kvm)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	pin_to_cpu(1);
	ASSERT_EQ(0, create_ours(self));
	ASSERT_EQ(0, kvm_create(&self->k, ENTRY, twin, twin_end));
	for (int i = 0; i < ARRAY_SIZE(args); i++) {
		self->v.run->regs.arm64.x[args[i].n] = args[i].ours;
		ASSERT_EQ(0, kvm_set_x(&self->k, args[i].n, args[i].kvms));
	}
	self->v.run->regs.arm64.x[27] = getauxval(AT_HWCAP) & HWCAP_PACA;
	ASSERT_EQ(0, kvm_set_x(&self->k, 27, getauxval(AT_HWCAP) & HWCAP_PACA));
}

FIXTURE_TEARDOWN(vhe_kvm)
{
	vcpu_destroy(&self->v);
	kvm_destroy(&self->k);
	guest_destroy(&self->g);
}

/* The twins' values differ, or nothing would be shown. */
TEST_F(vhe_kvm, values)
{
	uint64_t *ours = (uint64_t *)(self->g.mem + TABLE);
	uint64_t *kvms = (uint64_t *)(self->k.mem + TABLE);
	int same = 0;

	ASSERT_EQ(0, our_turn(&self->v));
	ASSERT_EQ(0, kvm_turn(&self->k));
	for (int i = 0; ours[i] || kvms[i]; i++)
		same += ours[i] == kvms[i];
	/* ICC_PMR, ICC_IGRPEN1, CPACR, CNTV_CTL, MIDR, ICC_RPR, ISR */
	EXPECT_EQ(7, same);
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
	self->v.run->regs.arm64.x[26] = 1;
	EXPECT_EQ(0, our_turn(&self->v));
	ASSERT_EQ(0, kvm_set_x(&self->k, 26, 1));
	EXPECT_EQ(0, kvm_turn(&self->k));
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
