/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* axvcpu: what is particular to x86. Include <linux/axvcpu.h>, not this. */
#ifndef _UAPI_ASM_X86_AXVCPU_H
#define _UAPI_ASM_X86_AXVCPU_H

#include <linux/types.h>

/**
 * struct axvcpu_x86_create_config - in &struct axvcpu_create_vcpu
 * @reserved: zero
 */
struct axvcpu_x86_create_config {
	__u64 reserved[8];
};

/**
 * enum axvcpu_x86_mode - mode in which the guest starts
 * @AXVCPU_X86_MODE_REAL: 16-bit real mode; the entry is below 1 MiB and
 *	becomes CS = (entry >> 4) & 0xf000, IP = entry & 0xffff
 * @AXVCPU_X86_MODE_PROTECTED: 32-bit protected mode, flat segments, no paging
 * @AXVCPU_X86_MODE_LONG: 64-bit long mode with paging on, flat segments; the
 *	tables at &struct axvcpu_x86_setup_config.cr3 map the entry at its
 *	own address
 */
enum axvcpu_x86_mode {
	AXVCPU_X86_MODE_REAL		= 0,
	AXVCPU_X86_MODE_PROTECTED	= 1,
	AXVCPU_X86_MODE_LONG		= 2,
};

/**
 * struct axvcpu_x86_setup_config - in &struct axvcpu_setup
 * @mode: &enum axvcpu_x86_mode
 * @flags: zero
 * @cr3: guest-physical address of the top page table in long mode, a multiple
 *	of 4096; 0 otherwise
 * @reserved: zero
 *
 * Interrupts are off, the descriptor tables are empty, general-purpose
 * registers are as SET_REGS left them (0 in a new vCPU). Code that a compiler has
 * made can run at once: SSE is on in protected and long mode. Documentation/vmx.rst
 * has all registers.
 */
struct axvcpu_x86_setup_config {
	__u32 mode;
	__u32 flags;
	__u64 cr3;
	__u64 reserved[6];
};

/**
 * struct axvcpu_x86_gprs - registers in the run page
 * @gpr: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15: the order of
 *	instruction encodings (SDM vol. 2, 2.1.5)
 * @rip: instruction pointer
 * @rflags: flags
 */
struct axvcpu_x86_gprs {
	__u64 gpr[16];
	__u64 rip;
	__u64 rflags;
};

/**
 * struct axvcpu_x86_queue - in the run page: what INJECT has queued and the guest has not
 *	taken yet
 * @irqs: bit n % 64 of element n / 64: the external interrupt n
 * @exception: as ``AXVCPU_X86_REG_QUEUED_EXCEPTION`` has it; 0: none
 * @nmi: 1: an NMI
 */
struct axvcpu_x86_queue {
	__u64 irqs[4];
	__u64 exception;
	__u64 nmi;
};

/* Indices into &struct axvcpu_x86_gprs.gpr */
#define AXVCPU_X86_RAX	0
#define AXVCPU_X86_RCX	1
#define AXVCPU_X86_RDX	2
#define AXVCPU_X86_RBX	3
#define AXVCPU_X86_RSP	4
#define AXVCPU_X86_RBP	5
#define AXVCPU_X86_RSI	6
#define AXVCPU_X86_RDI	7
#define AXVCPU_X86_R8	8
#define AXVCPU_X86_R9	9
#define AXVCPU_X86_R10	10
#define AXVCPU_X86_R11	11
#define AXVCPU_X86_R12	12
#define AXVCPU_X86_R13	13
#define AXVCPU_X86_R14	14
#define AXVCPU_X86_R15	15

/*
 * Register ids of GET_REGS and SET_REGS: the class in bits 31:16, the number
 * in bits 15:0 (MSRs: the class in bits 63:32, the number in bits 31:0).
 */
#define AXVCPU_X86_REG_GPR(n)		(0x10000ULL + (n))	/* n: AXVCPU_X86_RAX to _R15 */
#define AXVCPU_X86_REG_RIP		0x10010ULL
#define AXVCPU_X86_REG_RFLAGS		0x10011ULL

#define AXVCPU_X86_REG_CR0		0x20000ULL
#define AXVCPU_X86_REG_CR2		0x20002ULL
#define AXVCPU_X86_REG_CR3		0x20003ULL
#define AXVCPU_X86_REG_CR4		0x20004ULL
#define AXVCPU_X86_REG_CR8		0x20008ULL
#define AXVCPU_X86_REG_XCR0		0x20100ULL
/*
 * n: 0 to 3: what the CPU has loaded of the table at CR3 (SDM vol. 3, 4.4.1). In
 * force with PAE paging outside of long mode; a VMM that sets CR3 sets these too
 */
#define AXVCPU_X86_REG_PDPTE(n)		(0x20200ULL + (n))

/* n: the order of instruction encodings, then LDTR and TR */
#define AXVCPU_X86_SEG_ES		0
#define AXVCPU_X86_SEG_CS		1
#define AXVCPU_X86_SEG_SS		2
#define AXVCPU_X86_SEG_DS		3
#define AXVCPU_X86_SEG_FS		4
#define AXVCPU_X86_SEG_GS		5
#define AXVCPU_X86_SEG_LDTR		6
#define AXVCPU_X86_SEG_TR		7
#define AXVCPU_X86_REG_SEG_SELECTOR(n)	(0x30000ULL + (n))
#define AXVCPU_X86_REG_SEG_BASE(n)	(0x30010ULL + (n))
#define AXVCPU_X86_REG_SEG_LIMIT(n)	(0x30020ULL + (n))	/* in bytes */
#define AXVCPU_X86_REG_SEG_ACCESS(n)	(0x30030ULL + (n))	/* SDM vol. 3, 25.4.1 */

#define AXVCPU_X86_REG_GDTR_BASE	0x40000ULL
#define AXVCPU_X86_REG_GDTR_LIMIT	0x40001ULL
#define AXVCPU_X86_REG_IDTR_BASE	0x40002ULL
#define AXVCPU_X86_REG_IDTR_LIMIT	0x40003ULL

#define AXVCPU_X86_REG_DR(n)		(0x50000ULL + (n))	/* n: 0 to 3, 6, 7 */

/* What the guest's time stamp counter is ahead of the host's; MSR 0x10 is the counter */
#define AXVCPU_X86_REG_TSC_OFFSET	0x60000ULL

/* Between two instructions; formats of the VMCS: SDM vol. 3, 25.4.2 and 25.8.3 */
#define AXVCPU_X86_REG_INTERRUPTIBILITY	0x60001ULL	/* STI, MOV SS, NMI */
#define AXVCPU_X86_REG_PENDING_DEBUG	0x60002ULL
#define AXVCPU_X86_REG_HALTED		0x60003ULL	/* 1: RUN goes on waiting */
/*
 * The event that the guest takes next: interruption information in bits 31:0,
 * error code in 47:32, length of the instruction in 63:48
 */
#define AXVCPU_X86_REG_EVENT		0x60004ULL

/* What INJECT has queued: an exception as above, an NMI, bits of vectors 64 * n and on */
#define AXVCPU_X86_REG_QUEUED_EXCEPTION	0x60005ULL
#define AXVCPU_X86_REG_QUEUED_NMI	0x60006ULL
/* Bit n: exception n of the guest's is an EXCEPTION exit first; not NMI and #MC */
#define AXVCPU_X86_REG_EXCEPTION_EXITS	0x60007ULL
/*
 * Ticks of the TSC that the guest runs until a PREEMPTION_TIMER exit, up to 2^32 - 1;
 * 0: off, as it is after that exit. Only time in the guest counts, what is left is kept
 * over all other exits. The CPU may count in units of up to 2^31 ticks, mostly of 32.
 * Always 0 without AXVCPU_CAP_PREEMPTION_TIMER
 */
#define AXVCPU_X86_REG_PREEMPTION_TIMER	0x60008ULL
#define AXVCPU_X86_REG_QUEUED_IRQS(n)	(0x60010ULL + (n))	/* n: 0 to 3 */

/* x87, MXCSR and XMM: words of 8 bytes of FXSAVE's 64-bit format, n: 0 to 51 */
#define AXVCPU_X86_REG_FXSAVE(n)	(0x70000ULL + (n))
#define AXVCPU_X86_NR_FXSAVE		52

/* The same of XSAVE's other parts, where the CPU has them (SDM vol. 1, 13.5) */
#define AXVCPU_X86_REG_YMM_HIGH(n)	(0x71000ULL + (n))	/* n: 0 to 31; YMM0 is 0 and 1 */
#define AXVCPU_X86_REG_OPMASK(n)	(0x72000ULL + (n))	/* n: 0 to 7 */
#define AXVCPU_X86_REG_ZMM_HIGH(n)	(0x73000ULL + (n))	/* n: 0 to 63; ZMM0 is 0 to 3 */
#define AXVCPU_X86_REG_HI16_ZMM(n)	(0x74000ULL + (n))	/* n: 0 to 127; ZMM16 is 0 to 7 */

/*
 * Read-only, and in no list: IA32_ARCH_CAPABILITIES of the host's CPUs, 0 where there is
 * no such MSR. A guest that reads its own gets the VMM's answer (SYSREG_READ)
 */
#define AXVCPU_X86_REG_HOST_ARCH_CAPABILITIES	0x60020ULL

/*
 * n: the number of an MSR: TSC, EFER, PAT, FS_BASE, GS_BASE, KERNEL_GS_BASE, STAR,
 * LSTAR, CSTAR, SFMASK, TSC_AUX, SYSENTER_*, SPEC_CTRL
 */
#define AXVCPU_X86_REG_MSR(n)		(0x100000000ULL + (n))

/* What an exception's error code can be */
#define AXVCPU_X86_ERROR_CODE_MASK	0x7fffU

/*
 * What CPUID answers to a leaf and a subleaf (0 where it makes no difference):
 * half 0 is EAX and, in bits 63:32, EBX; half 1 is ECX and EDX. A vCPU starts
 * with what _MAX allows and needs no help of the VMM's, but for RDTSCP, RDPID,
 * IBRS and IBPB, STIBP and SSBD, which cost every exit a little. What the guest may
 * set in CR4, EFER, XCR0 and SPEC_CTRL follows from it at SETUP.
 */
#define AXVCPU_X86_REG_CPUID(leaf, subleaf, half) \
	(1ULL << 62 | (__u64)(half) << 48 | (__u64)(subleaf) << 32 | (leaf))
/* Read-only: the bits that may be set there */
#define AXVCPU_X86_REG_CPUID_MAX(leaf, subleaf, half) \
	(1ULL << 61 | AXVCPU_X86_REG_CPUID(leaf, subleaf, half))

#endif /* _UAPI_ASM_X86_AXVCPU_H */
