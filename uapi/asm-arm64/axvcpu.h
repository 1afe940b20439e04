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

/* &struct axvcpu_arm64_setup_config.flags */
#define AXVCPU_ARM64_SETUP_USER_GIC	(1ULL << 1)	/* the VMM has the whole GIC */

/**
 * struct axvcpu_arm64_setup_config - in &struct axvcpu_setup
 * @flags: ``AXVCPU_ARM64_SETUP_*``
 * @reserved: zero
 *
 * With USER_GIC, the guest's accesses to the GIC's CPU interface are exits like
 * those to any register that the kernel does not know, interrupts are the lines
 * that INJECT raises and lowers, and when the virtual timer asserts its own
 * it is %AXVCPU_EXIT_EXTERNAL_INTERRUPT with the INTID in &struct
 * axvcpu_run.exception.vector. It is told again after an exit has shown it low.
 *
 * The guest starts at EL1 with SP_EL1, MMU and caches off, interrupts masked.
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
 *
 * @sp counts among those that RUN takes only with &struct
 * axvcpu_run.regs_dirty, as @pc and @pstate do.
 */
struct axvcpu_arm64_gprs {
	__u64 x[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

/* &struct axvcpu_arm64_irq.state */
#define AXVCPU_ARM64_IRQ_PENDING	(1U << 0)
#define AXVCPU_ARM64_IRQ_ACTIVE		(1U << 1)	/* acknowledged, and not ended yet */
#define AXVCPU_ARM64_IRQ_WAITS		(1U << 2)	/* pending, for a list register */

/**
 * struct axvcpu_arm64_irq - an interrupt of &struct axvcpu_arm64_queue
 * @intid: INTID
 * @state: ``AXVCPU_ARM64_IRQ_*``
 * @priority: its priority
 * @reserved: zero
 */
struct axvcpu_arm64_irq {
	__u32 intid;
	__u8 state;
	__u8 priority;
	__u16 reserved;
};

#define AXVCPU_ARM64_QUEUE_LEN		32

/**
 * struct axvcpu_arm64_queue - in the run page: what INJECT has queued and the guest is not
 *	done with yet; the virtual timer's interrupt, too
 * @count: interrupts that there are; @irqs has the first %AXVCPU_ARM64_QUEUE_LEN
 * @reserved: zero
 * @exception: as %AXVCPU_ARM64_REG_EXCEPTION has it
 * @serror: as %AXVCPU_ARM64_REG_SERROR has it
 * @irqs: the interrupts, in no order; one that is active and waits has two elements
 */
struct axvcpu_arm64_queue {
	__u32 count;
	__u32 reserved;
	__u64 exception;
	__u64 serror;
	struct axvcpu_arm64_irq irqs[AXVCPU_ARM64_QUEUE_LEN];
};

/*
 * Register ids of GET_REGS and SET_REGS: the class in bits 31:16, the number
 * in bits 15:0 (system registers: the class in bits 63:32).
 */
#define AXVCPU_ARM64_REG_X(n)		(0x10000ULL + (n))	/* n: 0 to 30 */
#define AXVCPU_ARM64_REG_SP		0x1001fULL		/* as in the run page */
#define AXVCPU_ARM64_REG_PC		0x10020ULL
#define AXVCPU_ARM64_REG_PSTATE		0x10021ULL

#define AXVCPU_ARM64_REG_V_LOW(n)	(0x20000ULL + 2 * (n))	/* bits 63:0 of V0 to V31 */
#define AXVCPU_ARM64_REG_V_HIGH(n)	(0x20001ULL + 2 * (n))	/* bits 127:64 */
#define AXVCPU_ARM64_REG_FPSR		0x20040ULL
#define AXVCPU_ARM64_REG_FPCR		0x20041ULL

#define AXVCPU_ARM64_REG_CNTVOFF	0x30000ULL	/* physical counter - virtual counter */
#define AXVCPU_ARM64_REG_LINES		0x30001ULL	/* AXVCPU_ARM64_LINE_* that are high */
#define AXVCPU_ARM64_REG_EXCEPTION	0x30002ULL	/* INJECT's, not taken yet; 0: none */
#define AXVCPU_ARM64_REG_SERROR		0x30003ULL	/* the same for an SError */
/*
 * What the VMM's redistributor has for the virtual timer's interrupt, INTID 27: its
 * priority in bits 7:0, and whether it is enabled. After RESET it is, with priority 0xa0
 */
#define AXVCPU_ARM64_REG_VTIMER_IRQ	0x30004ULL
#define AXVCPU_ARM64_VTIMER_ENABLED	(1U << 8)

/* The virtual GIC: list registers and their companions, GICv3 formats */
#define AXVCPU_ARM64_REG_GIC_VMCR	0x40000ULL
#define AXVCPU_ARM64_REG_GIC_AP0R(n)	(0x40008ULL + (n))	/* n: 0 to 3 */
#define AXVCPU_ARM64_REG_GIC_AP1R(n)	(0x4000cULL + (n))
#define AXVCPU_ARM64_REG_GIC_LR(n)	(0x40010ULL + (n))	/* n: 0 to 15 */
/* n: INTID that waits for a list register: its priority + 0x100, or 0 */
#define AXVCPU_ARM64_REG_GIC_QUEUED(n)	(0x41000ULL + (n))

/* The operands of MRS and MSR; ID registers can be read only */
#define AXVCPU_ARM64_REG_SYS(op0, op1, crn, crm, op2)			\
	(0x100000000ULL | (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/*
 * &struct axvcpu_run.sysreg.addr of a register; as it stands in a syndrome,
 * ESR_EL2.ISS, without the direction and the general-purpose register.
 */
#define AXVCPU_ARM64_SYSREG(op0, op1, crn, crm, op2)			\
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)

/* &struct axvcpu_inject.vector of interrupts: an INTID, or a line */
#define AXVCPU_ARM64_MAX_INTID		1019
#define AXVCPU_ARM64_RAISE_LINE(n)	(0x10000 + (n))	/* n: AXVCPU_ARM64_LINE_* */
#define AXVCPU_ARM64_LOWER_LINE(n)	(0x10100 + (n))

/* The processor's interrupt inputs, for a VMM that has an interrupt controller of its own */
#define AXVCPU_ARM64_LINE_IRQ		1
#define AXVCPU_ARM64_LINE_FIQ		2

/*
 * Exceptions: &struct axvcpu_inject.vector is the exception class, error_code
 * the ISS, as ESR_EL1 has them. Class 0x2f is an SError, which waits until the
 * guest has PSTATE.A clear.
 */
#define AXVCPU_ARM64_MAX_EC		0x3f

#endif /* _UAPI_ASM_ARM64_AXVCPU_H */
