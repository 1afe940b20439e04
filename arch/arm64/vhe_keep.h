/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole state of a vCPU: kept, and put back, see vhe_keep.c */
#ifndef _AXVCPU_VHE_KEEP_H
#define _AXVCPU_VHE_KEEP_H

#include <linux/types.h>

struct axvcpu;

size_t vhe_kept_size(void);
void vhe_keep(struct axvcpu *vcpu, void *kept);
void vhe_restore(struct axvcpu *vcpu, const void *kept, bool time);

#endif /* _AXVCPU_VHE_KEEP_H */
