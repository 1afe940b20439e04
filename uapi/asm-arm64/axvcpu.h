/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* axvcpu: what is particular to arm64. Include <linux/axvcpu.h>, not this. */
#ifndef _UAPI_ASM_ARM64_AXVCPU_H
#define _UAPI_ASM_ARM64_AXVCPU_H

#include <linux/types.h>

/**
 * struct axvcpu_arm64_create_config - in &struct axvcpu_create_vcpu
 * @mpidr: affinity that the guest reads from MPIDR_EL1
 * @dtb: guest-physical address of the device tree, in x0 at the entry
 * @reserved: zero
 */
struct axvcpu_arm64_create_config {
	__u64 mpidr;
	__u64 dtb;
	__u64 reserved[6];
};

/**
 * struct axvcpu_arm64_setup_config - in &struct axvcpu_setup
 * @flags: zero
 * @reserved: zero
 */
struct axvcpu_arm64_setup_config {
	__u64 flags;
	__u64 reserved[7];
};

/**
 * struct axvcpu_arm64_gprs - registers in the run page
 * @x: x0 to x30
 * @sp: stack pointer in use, SP_EL0 or SP_EL1 as @pstate says
 * @pc: program counter
 * @pstate: SPSR format
 */
struct axvcpu_arm64_gprs {
	__u64 x[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

#endif /* _UAPI_ASM_ARM64_AXVCPU_H */
