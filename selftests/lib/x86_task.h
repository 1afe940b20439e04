/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VMM does at TASK_SWITCH. */
#ifndef X86_TASK_H
#define X86_TASK_H

#include "../../tools/lib/include/libaxvcpu.h"

int x86_switch_task(struct axvcpu_vcpu *vcpu, const struct axvcpu_run *run, uint8_t *ram);

#endif /* X86_TASK_H */
