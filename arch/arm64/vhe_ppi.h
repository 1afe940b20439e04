/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of the host's that each CPU has its own of, and guests cause; see vhe_ppi.c */
#ifndef _AXVCPU_VHE_PPI_H
#define _AXVCPU_VHE_PPI_H

#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct vhe_ppi - a private peripheral interrupt
 * @irq: the host's number; 0: there is none
 * @name: in /proc/interrupts, where it is ours
 * @is_ours: we have requested it; else KVM has, with a handler of its own
 * @is_on: we have enabled it on this CPU; its cookie, too
 */
struct vhe_ppi {
	unsigned int irq;
	const char *name;
	bool is_ours;
	bool __percpu *is_on;
};

unsigned int vhe_ppi_by_device_tree(const char *compatible, const char *name, int index);
int vhe_ppi_request(struct vhe_ppi *ppi);
void vhe_ppi_free(const struct vhe_ppi *ppi);
void vhe_ppi_enable(const struct vhe_ppi *ppi);
void vhe_ppi_disable(const struct vhe_ppi *ppi);

#endif /* _AXVCPU_VHE_PPI_H */
