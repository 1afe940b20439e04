/* SPDX-License-Identifier: GPL-2.0-only */
/* Turning VMX off when the machine crashes. */
#ifndef _AXVCPU_VMX_EMERGENCY_H
#define _AXVCPU_VMX_EMERGENCY_H

#include <linux/types.h>

void vmx_enabled(bool on);
int vmx_emergency_init(void);
void vmx_emergency_exit(void);

#endif /* _AXVCPU_VMX_EMERGENCY_H */
