// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual timer. The guest programs CNTV without an exit. Its interrupt
 * goes to a list register that is tied to the host's own INTID 27: as long as
 * the guest handles it, the host's is active, and does not make the guest exit
 * again. While the guest is out, the timer is off: its interrupt is KVM's on
 * the host, whose handler would not know what to do with it.
 */
#include <linux/acpi.h>
#include <linux/clocksource.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <asm/arch_timer.h>

#include "vhe.h"
#include "vhe_ppi.h"
#include "vhe_timer.h"

/* A timer node's interrupts have names, or this order: secure, non-secure, virtual, ... */
#define DT_COMPATIBLE	"arm,armv8-timer"
#define DT_NAME		"virt"
#define DT_INDEX	2

static DEFINE_PER_CPU(bool, ppi_is_on);

/* The host's interrupt for it; without one, the guest's timer has none */
static struct vhe_ppi ppi __ro_after_init = {
	.name = "axvcpu timer",
	.is_on = &ppi_is_on,
};

/* The GIC's number for it: a list register is tied to it */
u32 vhe_timer_intid __ro_after_init;

#ifdef CONFIG_ACPI
static unsigned int __init irq_by_acpi(void)
{
	struct acpi_table_header *table;
	unsigned int irq;

	if (acpi_disabled || ACPI_FAILURE(acpi_get_table(ACPI_SIG_GTDT, 0, &table)))
		return 0;
	if (acpi_gsi_to_irq(((struct acpi_table_gtdt *)table)->virtual_timer_interrupt, &irq))
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
 * vhe_timer_cpu_enable() - the interrupt may come to this CPU
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_timer_cpu_enable(void)
{
	vhe_ppi_enable(&ppi);
}

/**
 * vhe_timer_cpu_disable() - undo vhe_timer_cpu_enable()
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_timer_cpu_disable(void)
{
	vhe_ppi_disable(&ppi);
}

/**
 * vhe_timer_fini() - undo vhe_timer_init()
 *
 * Context: module unload.
 */
void vhe_timer_fini(void)
{
	vhe_ppi_free(&ppi);
}

/**
 * vhe_timer_init() - find the host's interrupt
 *
 * Context: module load.
 * Return: 0; -EOPNOTSUPP: the interrupt can't be kept from coming while the guest
 * handles it, and would come for ever; -ENOMEM.
 */
int __init vhe_timer_init(void)
{
	struct irq_data *data;
	bool active;

	ppi.irq = vhe_ppi_by_device_tree(DT_COMPATIBLE, DT_NAME, DT_INDEX) ?: irq_by_acpi();
	data = irq_get_irq_data(ppi.irq);
	if (!data) {
		pr_warn("no interrupt for the guests' virtual timer\n");
		ppi.irq = 0;
		return 0;
	}
	if (irq_get_irqchip_state(ppi.irq, IRQCHIP_STATE_ACTIVE, &active)) {
		pr_err("the virtual timer's interrupt %u has no active state\n", ppi.irq);
		return -EOPNOTSUPP;
	}
	vhe_timer_intid = irqd_to_hwirq(data);
	return vhe_ppi_request(&ppi);
}

/**
 * vhe_timer_now() - the guest's virtual counter
 * @timer: the timer
 *
 * Context: any.
 * Return: CNTVCT_EL0 as the guest reads it.
 */
u64 vhe_timer_now(const struct vhe_timer *timer)
{
	return __arch_counter_get_cntpct() - READ_ONCE(timer->voff);
}

static bool can_fire(const struct vhe_timer *timer)
{
	return (READ_ONCE(timer->ctl) & CNTV_CTL_WRITABLE) == ARCH_TIMER_CTRL_ENABLE &&
	       vhe_timer_intid;
}

/**
 * vhe_timer_expired() - is the timer's interrupt asserted?
 * @timer: the timer, not in the hardware
 *
 * Context: any.
 * Return: whether, by CNTV_CTL_EL0 and CNTV_CVAL_EL0.
 */
bool vhe_timer_expired(const struct vhe_timer *timer)
{
	return can_fire(timer) && vhe_timer_now(timer) >= READ_ONCE(timer->cval);
}

/* How long it takes to its interrupt, by the host's clock */
static u64 ns_to_expiry(const struct vhe_timer *timer)
{
	u64 now = vhe_timer_now(timer), cval = READ_ONCE(timer->cval);

	return cval <= now ? 0 :
	       mul_u64_u64_div_u64(cval - now, NSEC_PER_SEC, arch_timer_get_cntfrq());
}

static enum hrtimer_restart wake_halted(struct hrtimer *hrtimer)
{
	struct vhe_vcpu *vhe = container_of(hrtimer, struct vhe_vcpu, timer.wake);
	u64 ns = ns_to_expiry(&vhe->timer);

	/* The host's clock is adjusted; it may be ahead of the counter. */
	if (ns && READ_ONCE(vhe->timer.armed)) {
		hrtimer_forward_now(hrtimer, ns_to_ktime(max_t(u64, ns, NSEC_PER_USEC)));
		return HRTIMER_RESTART;
	}
	wake_up_interruptible(&vhe->vcpu.wait);
	return HRTIMER_NORESTART;
}

/**
 * vhe_timer_create() - prepare a new vCPU's timer
 * @vhe: the vCPU
 *
 * Context: process context.
 */
void vhe_timer_create(struct vhe_vcpu *vhe)
{
	hrtimer_init(&vhe->timer.wake, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	vhe->timer.wake.function = wake_halted;
}

/**
 * vhe_timer_destroy() - end a vCPU's timer
 * @timer: the timer
 *
 * Context: process context.
 */
void vhe_timer_destroy(struct vhe_timer *timer)
{
	hrtimer_cancel(&timer->wake);
}

/**
 * vhe_timer_reset() - off; the counter's offset stays
 * @timer: the timer, not in the hardware
 *
 * Context: &struct axvcpu.mutex held, or the vCPU is new.
 */
void vhe_timer_reset(struct vhe_timer *timer)
{
	timer->ctl = 0;
	timer->cval = 0;
	WRITE_ONCE(timer->irq, VHE_TIMER_IRQ_RESET);
	WRITE_ONCE(timer->state, VHE_TIMER_LOW);
}

/**
 * vhe_timer_sleep() - the guest halts: wake it when its timer fires
 * @timer: the timer, not in the hardware
 *
 * Context: preemption off.
 */
void vhe_timer_sleep(struct vhe_timer *timer)
{
	u64 ns;

	if (!can_fire(timer))
		return;
	/* In a century or never: the sum must not wrap. */
	ns = min_t(u64, ns_to_expiry(timer), KTIME_MAX / 2);
	timer->armed = true;
	hrtimer_start(&timer->wake, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS);
}

/**
 * vhe_timer_wake() - the guest does not halt any more
 * @timer: the timer
 *
 * A callback that is under way wakes nobody.
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vhe_timer_wake(struct vhe_timer *timer)
{
	timer->armed = false;
	hrtimer_try_to_cancel(&timer->wake);
}

/**
 * vhe_timer_set_active() - the host's INTID 27 is, or is not, being handled
 * @active: it is: by the guest
 *
 * By GICR_ISACTIVER0 or GICR_ICACTIVER0 of this CPU.
 *
 * Context: preemption off.
 */
void vhe_timer_set_active(bool active)
{
	WARN_ON_ONCE(irq_set_irqchip_state(ppi.irq, IRQCHIP_STATE_ACTIVE, active));
}

/**
 * vhe_timer_tell() - is the VMM to be told of the timer?
 * @vhe: the vCPU, which exited for an interrupt
 *
 * Context: preemption off.
 * Return: whether; the run page is filled in.
 */
bool vhe_timer_tell(struct vhe_vcpu *vhe)
{
	struct vhe_timer *timer = &vhe->timer;

	if (!vhe_user_gic(vhe) || timer->state != VHE_TIMER_HIGH)
		return false;
	WRITE_ONCE(timer->state, VHE_TIMER_SILENT_HIGH);
	vhe_timer_set_active(true);
	memset(&vhe->vcpu.run->exception, 0, sizeof(vhe->vcpu.run->exception));
	vhe->vcpu.run->exception.vector = VHE_VTIMER_INTID;
	return true;
}
