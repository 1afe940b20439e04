// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU interface of GICv3 (IHI 0069, chapter 6), and the queue in
 * front of its list registers.
 *
 * The list registers stay in the hardware for a section of the run loop; they
 * are looked at when there is something to put into one. KVM owns the
 * maintenance interrupt, so that none is asked for.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/minmax.h>

#include <asm/cpufeature.h>

#include "vhe.h"
#include "vhe_insn.h"

#define ICH_AP_EL2(group, n)	sys_reg(3, 4, 12, 8 + (group), n)
#define ICH_LR_EL2(n)		sys_reg(3, 4, 12, 12 + ((n) >> 3), (n) & 7)
#define ICH_HCR			sys_reg(3, 4, 12, 11, 0)
#define ICH_VTR			sys_reg(3, 4, 12, 11, 1)
#define ICH_ELRSR		sys_reg(3, 4, 12, 11, 5)
#define ICH_VMCR		sys_reg(3, 4, 12, 11, 7)
#define ICC_SRE			sys_reg(3, 4, 12, 9, 5)

#define HCR_EN			BIT(0)
#define HCR_TRAPS		GENMASK(12, 10)		/* all that EL1 has there */
#define SRE_ENABLE		BIT(3)
#define VTR_LIST_REGS		GENMASK(4, 0)
#define VTR_PRE_BITS		GENMASK(28, 26)
#define VMCR_ENG1		BIT(1)
#define VMCR_PMR		GENMASK_ULL(31, 24)

#define LR_INTID		GENMASK_ULL(31, 0)
#define LR_PINTID		GENMASK_ULL(41, 32)
#define LR_PRIORITY		GENMASK_ULL(55, 48)
#define LR_GROUP1		BIT_ULL(60)
#define LR_HW			BIT_ULL(61)
#define LR_PENDING		BIT_ULL(62)
#define LR_ACTIVE		BIT_ULL(63)
#define LR_STATE		(LR_PENDING | LR_ACTIVE)
#define LR_DEFINED		(LR_STATE | LR_GROUP1 | LR_PRIORITY | GENMASK_ULL(15, 0))

/* What Linux gives its interrupts, too */
#define TIMER_PRIORITY		0xa0

static unsigned int nr_lrs __ro_after_init;
static unsigned int nr_aprs __ro_after_init;

/**
 * vhe_gic_init() - look what the CPU interface has
 *
 * Without a GICv3, guests have interrupt lines only.
 *
 * Context: module load.
 */
void __init vhe_gic_init(void)
{
	u64 pfr0 = read_sanitised_ftr_reg(SYS_ID_AA64PFR0_EL1);
	u64 vtr;

	if (!cpuid_feature_extract_unsigned_field(pfr0, 24) ||
	    !(read_sysreg_s(ICC_SRE) & ICC_SRE_EL2_SRE))
		return;
	vtr = read_sysreg_s(ICH_VTR);
	nr_lrs = min_t(unsigned int, FIELD_GET(VTR_LIST_REGS, vtr) + 1, VHE_MAX_LRS);
	/* 32 preemption levels a register */
	nr_aprs = clamp_t(unsigned int, 1U << (FIELD_GET(VTR_PRE_BITS, vtr) + 1) >> 5, 1, 4);
}

/**
 * vhe_gic_present() - do guests have a GICv3 CPU interface?
 *
 * Context: any.
 * Return: whether.
 */
bool vhe_gic_present(void)
{
	return nr_lrs;
}

/* Registers whose number is part of the instruction: f(n), with ICH_LR<n>_EL2 and so on. */
#define LR_CASES(X)	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)	\
			X(13) X(14) X(15)
#define READ_LR(n)	case n: return vhe_read_s(ICH_LR_EL2(n));
#define WRITE_LR(n)	case n: vhe_write_s(value, ICH_LR_EL2(n)); break;

/* Both groups have the same number of them. */
#define APR_CASES(X)	X(0) X(1) X(2) X(3)
#define READ_APR(n)								\
	if (n < nr_aprs) {							\
		gic->apr[0][n] = vhe_read_s(ICH_AP_EL2(0, n));			\
		gic->apr[1][n] = vhe_read_s(ICH_AP_EL2(1, n));			\
	}
#define WRITE_APR(n)								\
	if (n < nr_aprs) {							\
		vhe_write_s(gic->apr[0][n], ICH_AP_EL2(0, n));			\
		vhe_write_s(gic->apr[1][n], ICH_AP_EL2(1, n));			\
		active |= gic->apr[0][n] | gic->apr[1][n];			\
	}

static u64 read_lr(unsigned int n)
{
	switch (n) {
	LR_CASES(READ_LR)
	}
	return 0;
}

static void write_lr(unsigned int n, u64 value)
{
	switch (n) {
	LR_CASES(WRITE_LR)
	}
}

/**
 * vhe_gic_reset() - nothing pending, nothing active, everything masked
 * @vhe: the vCPU, its registers not in the hardware
 *
 * Context: &struct axvcpu.mutex held.
 */
void vhe_gic_reset(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;

	bitmap_zero(gic->pending, VHE_NR_INTIDS);
	gic->queued = false;
	memset(gic->lr, 0, sizeof(gic->lr));
	memset(gic->apr, 0, sizeof(gic->apr));
	gic->vmcr = 0;
	gic->used = 0;
	gic->timer_lr = -1;
}

static noinline void load_lrs(const struct vhe_gic *gic)
{
	unsigned int i;

	for_each_set_bit(i, &gic->used, nr_lrs)
		write_lr(i, gic->lr[i]);
}

/**
 * vhe_gic_load() - into the hardware
 * @vhe: the vCPU
 *
 * Context: interrupts off.
 */
void vhe_gic_load(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;
	u64 active = 0;

	if (unlikely(gic->timer_lr >= 0 || vhe->timer.silent))
		vhe_timer_set_active(true);
	if (!nr_lrs)
		return;
	/* Reads and writes of ICC_SRE_EL1 exit. */
	vhe->host.icc_sre = vhe_read_s(ICC_SRE);
	vhe_write_s(vhe->host.icc_sre & ~SRE_ENABLE, ICC_SRE);
	vhe_write_s(gic->vmcr, ICH_VMCR);
	APR_CASES(WRITE_APR)
	if (gic->used)
		load_lrs(gic);
	gic->may_be_active = active || gic->used;
	vhe_write_s(vhe_user_gic(vhe) ? HCR_TRAPS : HCR_EN, ICH_HCR);
}

/* Those that the guest is done with; used in any order, so that none is forgotten. */
static void drop_done(struct vhe_gic *gic)
{
	unsigned long done = gic->used & vhe_read_s(ICH_ELRSR);
	unsigned int i;

	for_each_set_bit(i, &done, nr_lrs) {
		write_lr(i, 0);
		WRITE_ONCE(gic->lr[i], 0);
	}
	gic->used &= ~done;
	if (gic->timer_lr >= 0 && done & BIT(gic->timer_lr))
		gic->timer_lr = -1;
}

static noinline void save_aprs(struct vhe_gic *gic)
{
	APR_CASES(READ_APR)
}

static noinline void save_lrs(struct vhe_gic *gic)
{
	unsigned int i;

	drop_done(gic);
	for_each_set_bit(i, &gic->used, nr_lrs) {
		WRITE_ONCE(gic->lr[i], read_lr(i));
		write_lr(i, 0);
	}
}

/**
 * vhe_gic_save() - out of the hardware; KVM expects list registers of zero there
 * @vhe: the vCPU
 *
 * Context: preemption off.
 */
void vhe_gic_save(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;

	/* Both change only in vhe_gic_enter() and here. */
	if (unlikely(gic->timer_lr >= 0 || vhe->timer.silent))
		vhe_timer_set_active(false);
	if (!nr_lrs)
		return;
	if (gic->used)
		save_lrs(gic);
	WRITE_ONCE(gic->vmcr, vhe_read_s(ICH_VMCR));
	if (gic->may_be_active)
		save_aprs(gic);
	vhe_write_s(0, ICH_HCR);
	vhe_write_s(vhe->host.icc_sre, ICC_SRE);
}

static u64 lr_value(u32 intid, u32 priority)
{
	return LR_PENDING | LR_GROUP1 | FIELD_PREP(LR_PRIORITY, priority) | intid;
}

static int find_lr(const struct vhe_gic *gic, u32 intid)
{
	unsigned int i;

	for_each_set_bit(i, &gic->used, nr_lrs) {
		if (FIELD_GET(LR_INTID, read_lr(i)) == intid)
			return i;
	}
	return -1;
}

static int free_lr(const struct vhe_gic *gic)
{
	unsigned int i = find_first_zero_bit(&gic->used, nr_lrs);

	return i < nr_lrs ? i : -1;
}

/* The queue's best: the lowest number is the highest priority. */
static int next_pending(const struct vhe_gic *gic)
{
	unsigned int i, best = 256;
	int intid = -1;

	for_each_set_bit(i, gic->pending, VHE_NR_INTIDS) {
		if (READ_ONCE(gic->priority[i]) < best) {
			best = READ_ONCE(gic->priority[i]);
			intid = i;
		}
	}
	return intid;
}

/* One that the guest has not seen yet makes room for one of higher priority. */
static int evict_lr(struct vhe_gic *gic, u32 priority)
{
	unsigned int i, worst = 0;
	u64 lr, lowest = 0;

	for (i = 0; i < nr_lrs; i++) {
		lr = read_lr(i);
		if ((lr & (LR_STATE | LR_HW)) == LR_PENDING &&
		    FIELD_GET(LR_PRIORITY, lr) >= FIELD_GET(LR_PRIORITY, lowest)) {
			lowest = lr;
			worst = i;
		}
	}
	if (FIELD_GET(LR_PRIORITY, lowest) <= priority)
		return -1;
	/* INJECT may have queued it again meanwhile, and its priority counts then. */
	if (!test_and_set_bit(FIELD_GET(LR_INTID, lowest), gic->pending))
		gic->priority[FIELD_GET(LR_INTID, lowest)] = FIELD_GET(LR_PRIORITY, lowest);
	gic->used &= ~BIT(worst);
	return worst;
}

static void put_lr(struct vhe_gic *gic, unsigned int i, u64 value)
{
	write_lr(i, value);
	gic->used |= BIT(i);
	gic->may_be_active = true;
}

/*
 * Returns whether the interrupt left the queue: one that is active becomes
 * pending too, one that is pending already is so.
 */
static bool place(struct vhe_gic *gic, u32 intid)
{
	u32 priority = READ_ONCE(gic->priority[intid]);
	int i = find_lr(gic, intid);

	if (i < 0)
		i = free_lr(gic);
	if (i < 0)
		i = evict_lr(gic, priority);
	if (i < 0)
		return false;
	clear_bit(intid, gic->pending);
	/* The timer's can't be active and pending; its level brings it back. */
	if (i == gic->timer_lr)
		return true;
	put_lr(gic, i, gic->used & BIT(i) ? read_lr(i) | LR_PENDING : lr_value(intid, priority));
	return true;
}

static void place_queued(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;
	int intid;

	/* The flag before the queue; pairs with vhe_gic_queue(). */
	smp_store_mb(gic->queued, false);
	while ((intid = next_pending(gic)) >= 0) {
		if (!place(gic, intid)) {
			WRITE_ONCE(gic->queued, true);
			return;
		}
	}
}

static bool place_timer(struct vhe_gic *gic)
{
	int i = find_lr(gic, VHE_VTIMER_INTID);

	/* One that INJECT brought; the timer is looked at again when it is gone. */
	if (i >= 0)
		return false;
	i = free_lr(gic);
	if (i < 0) {
		i = evict_lr(gic, TIMER_PRIORITY);
		WRITE_ONCE(gic->queued, true);
	}
	if (i < 0)
		return false;
	put_lr(gic, i, lr_value(VHE_VTIMER_INTID, TIMER_PRIORITY) | LR_HW |
		       FIELD_PREP(LR_PINTID, vhe_timer_intid));
	gic->timer_lr = i;
	return true;
}

/*
 * While the timer's interrupt is asserted, the host's is active: by a list
 * register, or for itself, or the guest would exit again at once.
 */
static void update_timer(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;
	struct vhe_timer *timer = &vhe->timer;
	bool silent = timer->silent;

	if (gic->timer_lr >= 0)
		return;
	if (timer->high && nr_lrs && !vhe_user_gic(vhe) && place_timer(gic))
		timer->silent = false;
	else if (!timer->high || !vhe_user_gic(vhe))
		timer->silent = timer->high;
	if (silent != (timer->silent || gic->timer_lr >= 0))
		vhe_timer_set_active(!silent);
}

/**
 * vhe_gic_enter() - put what waits into list registers
 * @vhe: the vCPU, with vhe_gic_has_work()
 *
 * Context: interrupts off.
 */
void vhe_gic_enter(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;

	if (gic->used)
		drop_done(gic);
	update_timer(vhe);
	if (READ_ONCE(gic->queued))
		place_queued(vhe);
}

/**
 * vhe_gic_queue() - pend an interrupt
 * @vhe: the vCPU
 * @intid: INTID
 * @priority: its priority
 *
 * Context: any thread.
 * Return: 0, -EINVAL, or -EOPNOTSUPP: the guest has no virtual GIC.
 */
int vhe_gic_queue(struct vhe_vcpu *vhe, u32 intid, u32 priority)
{
	if (intid > AXVCPU_ARM64_MAX_INTID || priority > 0xff)
		return -EINVAL;
	if (!nr_lrs || vhe_user_gic(vhe))
		return -EOPNOTSUPP;
	WRITE_ONCE(vhe->gic.priority[intid], priority);
	set_bit(intid, vhe->gic.pending);
	/* The queue before the flag; pairs with place_queued(). */
	smp_mb__after_atomic();
	WRITE_ONCE(vhe->gic.queued, true);
	return 0;
}

static bool unmasked(const struct vhe_gic *gic, u32 priority)
{
	u64 vmcr = READ_ONCE(gic->vmcr);

	return vmcr & VMCR_ENG1 && priority < FIELD_GET(VMCR_PMR, vmcr);
}

/**
 * vhe_gic_has_event() - is there an interrupt that ends a halt?
 * @vhe: the vCPU, halted, its registers not in the hardware
 *
 * Context: any.
 * Return: whether.
 */
bool vhe_gic_has_event(const struct vhe_vcpu *vhe)
{
	const struct vhe_gic *gic = &vhe->gic;
	unsigned int i;

	for (i = 0; i < nr_lrs; i++) {
		u64 lr = READ_ONCE(gic->lr[i]);

		if (lr & LR_PENDING && unmasked(gic, FIELD_GET(LR_PRIORITY, lr)))
			return true;
	}
	if (gic->timer_lr < 0 && vhe_timer_expired(vhe) &&
	    (vhe_user_gic(vhe) ? !vhe->timer.silent : unmasked(gic, TIMER_PRIORITY)))
		return true;
	if (READ_ONCE(gic->queued)) {
		for_each_set_bit(i, gic->pending, VHE_NR_INTIDS) {
			if (unmasked(gic, READ_ONCE(gic->priority[i])))
				return true;
		}
	}
	return false;
}

/*
 * Where a register is kept, or NULL. @bits are those that it has on this
 * machine; the link to the host's interrupt is none of the VMM's business.
 */
static u64 *find_reg(struct vhe_gic *gic, u64 id, u64 *bits)
{
	unsigned int n;

	switch (id) {
	case AXVCPU_ARM64_REG_GIC_VMCR:
		*bits = nr_lrs ? U32_MAX : 0;
		return &gic->vmcr;
	case AXVCPU_ARM64_REG_GIC_AP0R(0) ... AXVCPU_ARM64_REG_GIC_AP1R(VHE_MAX_APRS - 1):
		n = id - AXVCPU_ARM64_REG_GIC_AP0R(0);
		*bits = n % VHE_MAX_APRS < nr_aprs ? U32_MAX : 0;
		return &gic->apr[n / VHE_MAX_APRS][n % VHE_MAX_APRS];
	case AXVCPU_ARM64_REG_GIC_LR(0) ... AXVCPU_ARM64_REG_GIC_LR(VHE_MAX_LRS - 1):
		n = id - AXVCPU_ARM64_REG_GIC_LR(0);
		*bits = n < nr_lrs ? LR_DEFINED : 0;
		return &gic->lr[n];
	}
	return NULL;
}

static bool is_queued(u64 id)
{
	return id - AXVCPU_ARM64_REG_GIC_QUEUED(0) < VHE_NR_INTIDS;
}

/**
 * vhe_gic_get_reg() - GET_REGS
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: its value
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_gic_get_reg(struct vhe_vcpu *vhe, u64 id, u64 *value)
{
	struct vhe_gic *gic = &vhe->gic;
	unsigned int intid = id - AXVCPU_ARM64_REG_GIC_QUEUED(0);
	u64 bits, *reg = find_reg(gic, id, &bits);

	if (reg)
		*value = *reg & bits;
	else if (is_queued(id))
		*value = test_bit(intid, gic->pending) ? gic->priority[intid] | 0x100 : 0;
	else
		return -EINVAL;
	return 0;
}

static void set_lr(struct vhe_gic *gic, unsigned int n, u64 value)
{
	unsigned int i;

	/* Two with one INTID are unpredictable: the last one counts. */
	for (i = 0; i < VHE_MAX_LRS; i++) {
		if (i != n && gic->used & BIT(i) && !((gic->lr[i] ^ value) & LR_INTID))
			set_lr(gic, i, 0);
	}
	gic->lr[n] = value;
	__assign_bit(n, &gic->used, value & LR_STATE);
	if (gic->timer_lr == n)
		gic->timer_lr = -1;
	/* The timer's, as it was when it was read: tied to the host's again. */
	if (value & LR_STATE && FIELD_GET(LR_INTID, value) == VHE_VTIMER_INTID &&
	    (value & LR_STATE) != LR_STATE && vhe_timer_intid) {
		gic->lr[n] |= LR_HW | FIELD_PREP(LR_PINTID, vhe_timer_intid);
		gic->timer_lr = n;
	}
}

static void set_queued(struct vhe_vcpu *vhe, unsigned int intid, u64 value)
{
	if (value)
		vhe_gic_queue(vhe, intid, value & 0xff);
	else
		clear_bit(intid, vhe->gic.pending);
}

/**
 * vhe_gic_set_reg() - SET_REGS
 * @vhe: the vCPU, its registers not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @value: the value
 * @commit: false: only check
 *
 * Context: &struct axvcpu.mutex held.
 * Return: 0 or -EINVAL.
 */
int vhe_gic_set_reg(struct vhe_vcpu *vhe, u64 id, u64 value, bool commit)
{
	struct vhe_gic *gic = &vhe->gic;
	u64 bits, *reg = find_reg(gic, id, &bits);
	bool is_lr = id - AXVCPU_ARM64_REG_GIC_LR(0) < VHE_MAX_LRS;

	if (reg ? value & ~bits : !is_queued(id) || (value && (value >> 8 != 1 || !nr_lrs)))
		return -EINVAL;
	if (is_lr && FIELD_GET(LR_INTID, value) > AXVCPU_ARM64_MAX_INTID)
		return -EINVAL;
	if (!commit)
		return 0;
	if (is_lr)
		set_lr(gic, id - AXVCPU_ARM64_REG_GIC_LR(0), value);
	else if (reg)
		*reg = value;
	else
		set_queued(vhe, id - AXVCPU_ARM64_REG_GIC_QUEUED(0), value);
	return 0;
}
