/* SPDX-License-Identifier: GPL-2.0-only */
/* L1TF: the L1 data cache before an entry. */
#ifndef _AXVCPU_VMX_L1D_H
#define _AXVCPU_VMX_L1D_H

#include <linux/types.h>

extern bool vmx_flush_l1d;

int vmx_l1d_init(void);
void vmx_l1d_exit(void);
void vmx_l1d_flush(void);

#endif /* _AXVCPU_VMX_L1D_H */
