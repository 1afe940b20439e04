/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual CPU interface of the GIC, see vhe_gic.c */
#ifndef _AXVCPU_VHE_GIC_H
#define _AXVCPU_VHE_GIC_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

struct vhe_vcpu;

#define VHE_MAX_LRS		16
#define VHE_MAX_APRS		4

/* A list register, ICH_LR<n>_EL2 */
#define LR_INTID		GENMASK_ULL(31, 0)
#define LR_PINTID		GENMASK_ULL(41, 32)
#define LR_PRIORITY		GENMASK_ULL(55, 48)
#define LR_GROUP1		BIT_ULL(60)
#define LR_HW			BIT_ULL(61)
#define LR_PENDING		BIT_ULL(62)
#define LR_ACTIVE		BIT_ULL(63)
#define LR_STATE		(LR_PENDING | LR_ACTIVE)

/**
 * struct vhe_gic - the virtual CPU interface
 * @vmcr: ICH_VMCR_EL2
 * @apr: active priorities, of group 0 and 1
 * @lr: list registers; those in use are in the hardware while it is loaded
 * @used: bits of those that hold, or held at the last look, an interrupt
 * @may_be_active: in the hardware, @apr may be other than 0: the guest can only make
 *	active what was in a list register
 * @wants_room: this entry has the maintenance interrupt on
 */
struct vhe_gic {
	u64 vmcr;
	u64 apr[2][VHE_MAX_APRS];
	u64 lr[VHE_MAX_LRS];
	unsigned long used;
	bool may_be_active;
	bool wants_room;
};

int vhe_gic_init(void);
void vhe_gic_fini(void);
void vhe_gic_cpu_enable(void);
void vhe_gic_cpu_disable(void);
bool vhe_gic_want_room(struct vhe_gic *gic);
void vhe_gic_stop_wanting(struct vhe_gic *gic);
bool vhe_gic_present(void);
void vhe_gic_reset(struct vhe_gic *gic);
void vhe_gic_load(struct vhe_vcpu *vhe);
unsigned long vhe_gic_save(struct vhe_vcpu *vhe);
unsigned long vhe_gic_drop(struct vhe_gic *gic);
int vhe_gic_find(const struct vhe_gic *gic, u32 intid);
int vhe_gic_free(const struct vhe_gic *gic);
int vhe_gic_lowest(const struct vhe_gic *gic, u64 *lr);
void vhe_gic_put(struct vhe_gic *gic, unsigned int n, u64 value);
void vhe_gic_pend(struct vhe_gic *gic, unsigned int n);
void vhe_gic_withdraw(struct vhe_gic *gic, unsigned int n);
bool vhe_gic_unpend(struct vhe_gic *gic, unsigned int n);
bool vhe_gic_has_priority(const struct vhe_gic *gic, unsigned int n, u32 priority);
bool vhe_gic_recall(struct vhe_gic *gic, u32 intid, bool in_hw);
bool vhe_gic_unmasked(const struct vhe_gic *gic, u32 priority);
bool vhe_gic_pending(const struct vhe_gic *gic);
u64 *vhe_gic_reg(struct vhe_gic *gic, u64 id, u64 *bits);
unsigned long vhe_gic_set_lr(struct vhe_gic *gic, unsigned int n, u64 value);

/**
 * vhe_gic_lr() - the list register of an interrupt that the guest has not seen yet
 * @intid: INTID
 * @priority: its priority
 *
 * Context: any.
 * Return: for ICH_LR<n>_EL2.
 */
static inline u64 vhe_gic_lr(u32 intid, u32 priority)
{
	return LR_PENDING | LR_GROUP1 | FIELD_PREP(LR_PRIORITY, priority) | intid;
}

/**
 * vhe_gic_tied() - tie it to one of the host's, active until the guest is done with it
 * @lr: the list register
 * @host_intid: the host's INTID
 *
 * Context: any.
 * Return: for ICH_LR<n>_EL2.
 */
static inline u64 vhe_gic_tied(u64 lr, u32 host_intid)
{
	return lr | LR_HW | FIELD_PREP(LR_PINTID, host_intid);
}

#endif /* _AXVCPU_VHE_GIC_H */
