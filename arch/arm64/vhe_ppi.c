// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of the host's that each CPU has its own of, and guests cause: the virtual
 * timer's, and the GIC's for maintenance. That they make the guest exit is all that they
 * are for: what asserts them is off before the host takes interrupts.
 *
 * KVM requests them when it is loaded, and enables them for as long as it is in use, which
 * may be never. Without KVM they are ours.
 */
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>

#include "vhe_ppi.h"

static irqreturn_t take(int irq, void *cookie)
{
	return IRQ_HANDLED;
}

/**
 * vhe_ppi_by_device_tree() - find an interrupt of a node
 * @compatible: of the node
 * @name: of the interrupt, for nodes that have names; or NULL
 * @index: of the interrupt, for those that have none
 *
 * Context: process context.
 * Return: the host's number, 0: there is no such interrupt.
 */
unsigned int vhe_ppi_by_device_tree(const char *compatible, const char *name, int index)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, compatible);
	unsigned int irq = 0;
	int named = name ? of_property_match_string(node, "interrupt-names", name) : -EINVAL;

	/* There are no names. */
	if (named == -EINVAL)
		named = index;
	if (node && named >= 0)
		irq = irq_of_parse_and_map(node, named);
	of_node_put(node);
	return irq;
}

/**
 * vhe_ppi_request() - make it ours, or leave it to KVM
 * @ppi: with @irq, @name and @is_on
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int vhe_ppi_request(struct vhe_ppi *ppi)
{
	int ret;

	if (!ppi->irq)
		return 0;
	ret = request_percpu_irq(ppi->irq, take, ppi->name, ppi->is_on);
	ppi->is_ours = !ret;
	return ret == -ENOMEM ? ret : 0;
}

/**
 * vhe_ppi_free() - undo vhe_ppi_request()
 * @ppi: the interrupt, not enabled on any CPU
 *
 * Context: process context.
 */
void vhe_ppi_free(const struct vhe_ppi *ppi)
{
	if (ppi->is_ours)
		free_percpu_irq(ppi->irq, ppi->is_on);
}

/**
 * vhe_ppi_enable() - it may come to this CPU
 * @ppi: the interrupt
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_ppi_enable(const struct vhe_ppi *ppi)
{
	if (!ppi->irq || irq_percpu_is_enabled(ppi->irq))
		return;
	enable_percpu_irq(ppi->irq, IRQ_TYPE_NONE);
	__this_cpu_write(*ppi->is_on, true);
}

/**
 * vhe_ppi_disable() - undo vhe_ppi_enable()
 * @ppi: the interrupt
 *
 * If it is KVM's, that may rely on it by now.
 *
 * Context: interrupts off, on each CPU.
 */
void vhe_ppi_disable(const struct vhe_ppi *ppi)
{
	if (!ppi->irq)
		return;
	if (ppi->is_ours && __this_cpu_read(*ppi->is_on))
		disable_percpu_irq(ppi->irq);
	__this_cpu_write(*ppi->is_on, false);
}
