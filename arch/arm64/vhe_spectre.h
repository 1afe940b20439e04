/* SPDX-License-Identifier: GPL-2.0-only */
/* Mitigations after an exit, see vhe_spectre.c */
#ifndef _AXVCPU_VHE_SPECTRE_H
#define _AXVCPU_VHE_SPECTRE_H

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/types.h>

#define VHE_MITIGATE_CLEARBHB	BIT_ULL(63)
#define VHE_MITIGATE_FIRMWARE	BIT_ULL(31)	/* of every function of its */

DECLARE_PER_CPU(u64, vhe_mitigation);

void vhe_spectre_enable(void);
u64 vhe_spectre_features(u32 fn);

#endif /* _AXVCPU_VHE_SPECTRE_H */
