/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole state of a vCPU: kept, and put back. */
#ifndef _AXVCPU_VMX_KEEP_H
#define _AXVCPU_VMX_KEEP_H

#include <linux/types.h>

struct axvcpu;

size_t vmx_kept_size(void);
void vmx_keep(struct axvcpu *vcpu, void *kept);
void vmx_restore(struct axvcpu *vcpu, const void *kept, bool time);

#endif /* _AXVCPU_VMX_KEEP_H */
