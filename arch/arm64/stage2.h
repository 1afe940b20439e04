/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2's format, see stage2.c */
#ifndef _AXVCPU_STAGE2_H
#define _AXVCPU_STAGE2_H

#include <linux/types.h>

#include "axvcpu_addr.h"
#include "axvcpu_s2.h"

extern struct axvcpu_s2_format vhe_s2_format;
extern u64 vhe_s2_vtcr;

int vhe_s2_init(void);
int vhe_s2_vttbr(struct axvcpu_hpa root, u64 *vttbr);

#endif /* _AXVCPU_STAGE2_H */
