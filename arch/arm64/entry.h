/* SPDX-License-Identifier: GPL-2.0-only */
/* The world switch, see entry.S */
#ifndef _AXVCPU_ENTRY_H
#define _AXVCPU_ENTRY_H

#include <linux/types.h>

struct axvcpu_arm64_gprs;
struct user_fpsimd_state;

/* Kinds of exits: which vector was taken. vhe_world_switch() returns them. */
#define VHE_EXIT_SYNC		0
#define VHE_EXIT_IRQ		1
#define VHE_EXIT_FIQ		2
#define VHE_EXIT_SERROR		3
/* PSTATE is none that a guest may have: AArch32, or what the VMM made up */
#define VHE_EXIT_BAD_PSTATE	4

extern char vhe_vectors[];

u64 vhe_world_switch(struct axvcpu_arm64_gprs *gprs, u64 *sp_el0, u64 mitigation, u64 *key);
bool vhe_take_serror(void);
void vhe_fp_load(const struct user_fpsimd_state *fp);
void vhe_fp_save(struct user_fpsimd_state *fp);

#endif /* _AXVCPU_ENTRY_H */
