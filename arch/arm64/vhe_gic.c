// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU interface of GICv3 (IHI 0069, chapter 6): what its registers
 * hold, and how it comes into the hardware and out. What goes into a list
 * register, and when, is vhe_irq.c's.
 *
 * The list registers stay in the hardware for a section; they are looked at when
 * there is something to put into one. While something waits for one, the maintenance
 * interrupt makes the guest exit as soon as most are empty.
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include <asm/cpufeature.h>

#include "vhe.h"
#include "vhe_gic.h"
#include "vhe_insn.h"
#include "vhe_ppi.h"

#define ICH_AP_EL2(group, n)	sys_reg(3, 4, 12, 8 + (group), n)
#define ICH_LR_EL2(n)		sys_reg(3, 4, 12, 12 + ((n) >> 3), (n) & 7)
#define ICH_HCR			sys_reg(3, 4, 12, 11, 0)
#define ICH_VTR			sys_reg(3, 4, 12, 11, 1)
#define ICH_ELRSR		sys_reg(3, 4, 12, 11, 5)
#define ICH_VMCR		sys_reg(3, 4, 12, 11, 7)
#define ICC_SRE			sys_reg(3, 4, 12, 9, 5)

#define HCR_EN			BIT(0)
#define HCR_UIE			BIT(1)			/* none is in use, or one */
#define HCR_TRAPS		GENMASK(12, 10)		/* all that EL1 has there */
#define SRE_ENABLE		BIT(3)
#define VTR_LIST_REGS		GENMASK(4, 0)
#define VTR_PRE_BITS		GENMASK(28, 26)
#define VMCR_ENG1		BIT(1)
#define VMCR_PMR		GENMASK_ULL(31, 24)

#define LR_DEFINED		(LR_STATE | LR_GROUP1 | LR_PRIORITY | GENMASK_ULL(15, 0))

static unsigned int nr_lrs __ro_after_init;
static unsigned int nr_aprs __ro_after_init;

static DEFINE_PER_CPU(bool, ppi_is_on);

/* Of maintenance: the only one of a GIC's node */
static struct vhe_ppi ppi __ro_after_init = {
	.name = "axvcpu GIC",
	.is_on = &ppi_is_on,
};

#ifdef CONFIG_ACPI
/* The first CPU's, which is all CPUs' */
static unsigned int __init irq_by_acpi(void)
{
	const struct acpi_madt_generic_interrupt *gicc = NULL;
	const struct acpi_subtable_header *entry;
	struct acpi_table_header *table;
	unsigned int irq = 0;
	unsigned long end;

	if (acpi_disabled || ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &table)))
		return 0;
	end = (unsigned long)table + table->length;
	entry = (void *)((struct acpi_table_madt *)table + 1);
	while ((unsigned long)(entry + 1) <= end && entry->length && !gicc) {
		if (entry->type == ACPI_MADT_TYPE_GENERIC_INTERRUPT)
			gicc = (const void *)entry;
		entry = (const void *)entry + entry->length;
	}
	if (gicc && gicc->vgic_interrupt && acpi_gsi_to_irq(gicc->vgic_interrupt, &irq))
		irq = 0;
	acpi_put_table(table);
	return irq;
}
#else
static unsigned int __init irq_by_acpi(void)
{
	return 0;
}
#endif

/**
 * vhe_gic_init() - look what the CPU interface has
 *
 * Without a GICv3, guests have interrupt lines only.
 *
 * Context: module load.
 * Return: 0 or -ENOMEM.
 */
int __init vhe_gic_init(void)
{
	u64 pfr0 = read_sanitised_ftr_reg(SYS_ID_AA64PFR0_EL1);
	u64 vtr;

	if (!cpuid_feature_extract_unsigned_field(pfr0, 24) ||
	    !(read_sysreg_s(ICC_SRE) & ICC_SRE_EL2_SRE))
		return 0;
	vtr = read_sysreg_s(ICH_VTR);
	nr_lrs = min_t(unsigned int, FIELD_GET(VTR_LIST_REGS, vtr) + 1, VHE_MAX_LRS);
	/* 32 preemption levels a register */
	nr_aprs = clamp_t(unsigned int, 1U << (FIELD_GET(VTR_PRE_BITS, vtr) + 1) >> 5, 1, 4);
	ppi.irq = vhe_ppi_by_device_tree("arm,gic-v3", NULL, 0) ?: irq_by_acpi();
	return vhe_ppi_request(&ppi);
}

/**
 * vhe_gic_fini() - undo vhe_gic_init()
 *
 * Context: module unload.
 */
void vhe_gic_fini(void)
{
	vhe_ppi_free(&ppi);
}

/**
 * vhe_gic_cpu_enable() - the maintenance interrupt may come to this CPU
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_gic_cpu_enable(void)
{
	vhe_ppi_enable(&ppi);
}

/**
 * vhe_gic_cpu_disable() - undo vhe_gic_cpu_enable()
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_gic_cpu_disable(void)
{
	vhe_ppi_disable(&ppi);
}

/**
 * vhe_gic_want_room() - the guest is to exit when most list registers are empty
 * @gic: the CPU interface, in the hardware
 *
 * Context: interrupts off, before an entry; vhe_gic_stop_wanting() is due.
 * Return: whether it will; false: there is no interrupt for it.
 */
bool vhe_gic_want_room(struct vhe_gic *gic)
{
	/* Of one, at most one is in use at all times. */
	if (!ppi.irq || nr_lrs == 1)
		return false;
	vhe_write_s(HCR_EN | HCR_UIE, ICH_HCR);
	gic->wants_room = true;
	return true;
}

/**
 * vhe_gic_stop_wanting() - the host does not get the interrupt
 * @gic: the CPU interface, in the hardware
 *
 * Context: interrupts off, after the exit.
 */
void vhe_gic_stop_wanting(struct vhe_gic *gic)
{
	vhe_write_s(HCR_EN, ICH_HCR);
	gic->wants_room = false;
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
 * @gic: the CPU interface, not in the hardware
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_gic_reset(struct vhe_gic *gic)
{
	memset(gic->lr, 0, sizeof(gic->lr));
	memset(gic->apr, 0, sizeof(gic->apr));
	gic->vmcr = 0;
	gic->used = 0;
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
 * ICH_VMCR_EL2, ICH_AP0R<n>_EL2, ICH_AP1R<n>_EL2, ICH_LR<n>_EL2, and ICH_HCR_EL2.
 *
 * Context: interrupts off.
 */
void vhe_gic_load(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;
	u64 active = 0;

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

/**
 * vhe_gic_drop() - look which interrupts the guest is done with
 * @gic: the CPU interface, in the hardware
 *
 * List registers are used in any order, so that none is forgotten.
 *
 * Context: preemption off.
 * Return: a bit for each list register that is empty since, by ICH_ELRSR_EL2.
 */
unsigned long vhe_gic_drop(struct vhe_gic *gic)
{
	unsigned long done;
	unsigned int i;

	if (!gic->used)
		return 0;
	done = gic->used & vhe_read_s(ICH_ELRSR);
	for_each_set_bit(i, &done, nr_lrs) {
		write_lr(i, 0);
		WRITE_ONCE(gic->lr[i], 0);
	}
	gic->used &= ~done;
	return done;
}

static noinline void save_aprs(struct vhe_gic *gic)
{
	APR_CASES(READ_APR)
}

static noinline unsigned long save_lrs(struct vhe_gic *gic)
{
	unsigned long done = vhe_gic_drop(gic);
	unsigned int i;

	for_each_set_bit(i, &gic->used, nr_lrs) {
		WRITE_ONCE(gic->lr[i], read_lr(i));
		write_lr(i, 0);
	}
	return done;
}

/**
 * vhe_gic_save() - out of the hardware; KVM expects list registers of zero there
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: as vhe_gic_drop().
 */
unsigned long vhe_gic_save(struct vhe_vcpu *vhe)
{
	struct vhe_gic *gic = &vhe->gic;
	unsigned long done = 0;

	if (!nr_lrs)
		return 0;
	if (gic->used)
		done = save_lrs(gic);
	WRITE_ONCE(gic->vmcr, vhe_read_s(ICH_VMCR));
	if (gic->may_be_active)
		save_aprs(gic);
	vhe_write_s(0, ICH_HCR);
	vhe_write_s(vhe->host.icc_sre, ICC_SRE);
	return done;
}

/* --- list registers in the hardware ------------------------------------------ */

/**
 * vhe_gic_find() - which list register has an interrupt?
 * @gic: the CPU interface, in the hardware
 * @intid: INTID
 *
 * Context: preemption off.
 * Return: its number, or -1.
 */
int vhe_gic_find(const struct vhe_gic *gic, u32 intid)
{
	unsigned int i;

	for_each_set_bit(i, &gic->used, nr_lrs) {
		if (FIELD_GET(LR_INTID, read_lr(i)) == intid)
			return i;
	}
	return -1;
}

/**
 * vhe_gic_free() - a list register that is not in use
 * @gic: the CPU interface
 *
 * Context: preemption off.
 * Return: its number, or -1.
 */
int vhe_gic_free(const struct vhe_gic *gic)
{
	unsigned int i = find_first_zero_bit(&gic->used, nr_lrs);

	return i < nr_lrs ? i : -1;
}

/**
 * vhe_gic_lowest() - the interrupt of the lowest priority that the guest has not seen
 * @gic: the CPU interface, in the hardware, all list registers in use
 * @lr: its list register
 *
 * One that is tied to the host's is none of them.
 *
 * Context: preemption off.
 * Return: the number of its list register, or -1: the guest has seen them all.
 */
int vhe_gic_lowest(const struct vhe_gic *gic, u64 *lr)
{
	int i, worst = -1;
	u64 value;

	*lr = 0;
	for (i = 0; i < nr_lrs; i++) {
		value = read_lr(i);
		if ((value & (LR_STATE | LR_HW)) == LR_PENDING &&
		    FIELD_GET(LR_PRIORITY, value) >= FIELD_GET(LR_PRIORITY, *lr)) {
			*lr = value;
			worst = i;
		}
	}
	return worst;
}

/**
 * vhe_gic_put() - an interrupt into a list register
 * @gic: the CPU interface, in the hardware
 * @n: number of the list register
 * @value: see vhe_gic_lr() and vhe_gic_tied()
 *
 * Context: preemption off.
 */
void vhe_gic_put(struct vhe_gic *gic, unsigned int n, u64 value)
{
	write_lr(n, value);
	gic->used |= BIT(n);
	gic->may_be_active = true;
}

/**
 * vhe_gic_pend() - what is in a list register is pending, or active and pending
 * @gic: the CPU interface, in the hardware
 * @n: number of the list register, which is in use
 *
 * Context: preemption off.
 */
void vhe_gic_pend(struct vhe_gic *gic, unsigned int n)
{
	write_lr(n, read_lr(n) | LR_PENDING);
}

/**
 * vhe_gic_withdraw() - give a list register to another interrupt
 * @gic: the CPU interface, in the hardware
 * @n: number of the list register; vhe_gic_put() follows
 *
 * Context: preemption off.
 */
void vhe_gic_withdraw(struct vhe_gic *gic, unsigned int n)
{
	gic->used &= ~BIT(n);
}

/**
 * vhe_gic_unpend() - empty a list register, unless the guest has seen what is in it
 * @gic: the CPU interface, in the hardware
 * @n: number of the list register, which is in use
 *
 * Context: preemption off.
 * Return: whether it is empty now.
 */
bool vhe_gic_unpend(struct vhe_gic *gic, unsigned int n)
{
	if ((read_lr(n) & LR_STATE) != LR_PENDING)
		return false;
	write_lr(n, 0);
	WRITE_ONCE(gic->lr[n], 0);
	gic->used &= ~BIT(n);
	return true;
}

/**
 * vhe_gic_has_priority() - is that the priority of what is in a list register?
 * @gic: the CPU interface, in the hardware
 * @n: number of the list register
 * @priority: a priority
 *
 * Context: preemption off.
 * Return: whether it is.
 */
bool vhe_gic_has_priority(const struct vhe_gic *gic, unsigned int n, u32 priority)
{
	return FIELD_GET(LR_PRIORITY, read_lr(n)) == priority;
}

/**
 * vhe_gic_recall() - take back an interrupt that the guest has not seen
 * @gic: the CPU interface
 * @intid: INTID
 * @in_hw: it is in the hardware
 *
 * One that is tied to the host's is not the VMM's. One that is active stays so.
 *
 * Context: preemption off, or &struct axvcpu.mutex held and not @in_hw.
 * Return: whether it was pending in a list register.
 */
bool vhe_gic_recall(struct vhe_gic *gic, u32 intid, bool in_hw)
{
	unsigned int i;
	u64 lr;

	for_each_set_bit(i, &gic->used, nr_lrs) {
		lr = in_hw ? read_lr(i) : gic->lr[i];
		if (FIELD_GET(LR_INTID, lr) != intid || (lr & (LR_PENDING | LR_HW)) != LR_PENDING)
			continue;
		lr &= ~LR_PENDING;
		if (!(lr & LR_STATE)) {
			lr = 0;
			gic->used &= ~BIT(i);
		}
		WRITE_ONCE(gic->lr[i], lr);
		if (in_hw)
			write_lr(i, lr);
		return true;
	}
	return false;
}

/* --- what is saved ----------------------------------------------------------- */

/**
 * vhe_gic_unmasked() - does the guest let interrupts of a priority in?
 * @gic: the CPU interface, not in the hardware
 * @priority: the priority
 *
 * Context: any.
 * Return: whether, by ICC_IGRPEN1_EL1 and ICC_PMR_EL1.
 */
bool vhe_gic_unmasked(const struct vhe_gic *gic, u32 priority)
{
	u64 vmcr = READ_ONCE(gic->vmcr);

	return vmcr & VMCR_ENG1 && priority < FIELD_GET(VMCR_PMR, vmcr);
}

/**
 * vhe_gic_pending() - is an interrupt in a list register that the guest lets in?
 * @gic: the CPU interface, not in the hardware
 *
 * Context: any.
 * Return: whether.
 */
bool vhe_gic_pending(const struct vhe_gic *gic)
{
	unsigned int i;

	for (i = 0; i < nr_lrs; i++) {
		u64 lr = READ_ONCE(gic->lr[i]);

		if (lr & LR_PENDING && vhe_gic_unmasked(gic, FIELD_GET(LR_PRIORITY, lr)))
			return true;
	}
	return false;
}

/**
 * vhe_gic_reg() - where a register is kept
 * @gic: the CPU interface, not in the hardware
 * @id: ``AXVCPU_ARM64_REG_GIC_*``
 * @bits: those that it has on this machine; the link of a list register to the
 *	host's interrupt is none of the VMM's business
 *
 * Context: &struct axvcpu.mutex held.
 * Return: where, or NULL.
 */
u64 *vhe_gic_reg(struct vhe_gic *gic, u64 id, u64 *bits)
{
	unsigned int n;

	switch (id) {
	case AXVCPU_ARM64_REG_GIC_VMCR:
		*bits = nr_lrs ? U32_MAX : 0;
		return &gic->vmcr;
	case AXVCPU_ARM64_REG_GIC_AP0R(0) ... AXVCPU_ARM64_REG_GIC_AP1R(VHE_MAX_APRS - 1):
		n = array_index_nospec(id - AXVCPU_ARM64_REG_GIC_AP0R(0), 2 * VHE_MAX_APRS);
		*bits = n % VHE_MAX_APRS < nr_aprs ? U32_MAX : 0;
		return &gic->apr[n / VHE_MAX_APRS][n % VHE_MAX_APRS];
	case AXVCPU_ARM64_REG_GIC_LR(0) ... AXVCPU_ARM64_REG_GIC_LR(VHE_MAX_LRS - 1):
		n = array_index_nospec(id - AXVCPU_ARM64_REG_GIC_LR(0), VHE_MAX_LRS);
		*bits = n < nr_lrs ? LR_DEFINED : 0;
		return &gic->lr[n];
	}
	return NULL;
}

/**
 * vhe_gic_set_lr() - a list register as the VMM has it
 * @gic: the CPU interface, not in the hardware
 * @n: its number
 * @value: its value
 *
 * Two with one INTID are unpredictable: the last one counts. An empty one has none.
 *
 * Context: &struct axvcpu.mutex held.
 * Return: a bit for each list register that lost what it had.
 */
unsigned long vhe_gic_set_lr(struct vhe_gic *gic, unsigned int n, u64 value)
{
	unsigned long gone = BIT(n);
	unsigned int i;

	for_each_set_bit(i, &gic->used, VHE_MAX_LRS) {
		if (value & LR_STATE && !((gic->lr[i] ^ value) & LR_INTID))
			gone |= BIT(i);
	}
	for_each_set_bit(i, &gone, VHE_MAX_LRS)
		gic->lr[i] = 0;
	gic->used &= ~gone;
	gic->lr[n] = value;
	__assign_bit(n, &gic->used, value & LR_STATE);
	return gone;
}
