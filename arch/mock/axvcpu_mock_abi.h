/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock's guest: programs of 16-byte instructions in guest memory, fetched
 * through the second-stage table as hardware would, so that mappings, faults
 * and shootdowns are exercised without hardware. Not part of the uapi; the
 * selftests and KUnit include it.
 */
#ifndef _AXVCPU_MOCK_ABI_H
#define _AXVCPU_MOCK_ABI_H

#include <linux/types.h>

/**
 * enum axvcpu_mock_op - &struct axvcpu_mock_insn.op
 * @MOCK_NOP: nothing
 * @MOCK_HALT: halt (HALT exit or Blocked)
 * @MOCK_OUT: IO_WRITE of r[reg], port imm, width
 * @MOCK_IN: IO_READ to r[reg], port imm, width; merged as x86 does
 * @MOCK_HYPERCALL: HYPERCALL nr=r[0], args=r[1..6]; the answer goes to r[0]
 * @MOCK_RDSYS: SYSREG_READ of address imm to r[reg]
 * @MOCK_WRSYS: SYSREG_WRITE of r[reg] to address imm
 * @MOCK_LOAD: r[reg] = memory at gpa r[reg2] + imm, width; NESTED_PAGE_FAULT
 * @MOCK_STORE: memory at gpa r[reg2] + imm = r[reg], width
 * @MOCK_MOVI: r[reg] = imm
 * @MOCK_ADDI: r[reg] += imm
 * @MOCK_JMP: pc = imm
 * @MOCK_JNZ: if r[reg] then pc = imm
 * @MOCK_SHUTDOWN: SHUTDOWN exit
 * @MOCK_UNKNOWN: UNKNOWN exit with hw_reason imm
 * @MOCK_FAIL_ENTRY: FAIL_ENTRY exit with hw_reason imm
 * @MOCK_RUN_ERROR: enter() fails with -imm
 * @MOCK_KERNEL_EXIT: an exit that the kernel handles and enters again (as CPUID)
 * @MOCK_STI: interrupts may be taken
 * @MOCK_CLI: they may not
 * @MOCK_SETVEC: events go to pc imm; taking one puts pc in r[14], the vector
 *	in r[15], and does MOCK_CLI. Exceptions (vector |
 *	%AXVCPU_MOCK_IS_EXCEPTION, the error code in r[13]) and NMIs
 *	(%AXVCPU_MOCK_IS_NMI) are taken in spite of MOCK_CLI. An event before
 *	MOCK_SETVEC is a SHUTDOWN exit
 * @MOCK_IRET: pc = r[14], MOCK_STI
 *
 * Any other op is an UNKNOWN exit with hw_reason 0x100 + op, and so is a field
 * out of range. Ports have no width of 8. A SYSREG access that the VMM answers
 * with a fault is exception 13. A pc that is not a multiple of 16 is a
 * FAIL_ENTRY exit with hw_reason %AXVCPU_MOCK_HW_BAD_PC. A second-stage entry
 * that makes no sense is an UNKNOWN exit with %AXVCPU_MOCK_HW_MISCONFIG.
 */
enum axvcpu_mock_op {
	MOCK_NOP		= 0x10,
	MOCK_HALT		= 0x11,
	MOCK_OUT		= 0x12,
	MOCK_IN			= 0x13,
	MOCK_HYPERCALL		= 0x14,
	MOCK_RDSYS		= 0x15,
	MOCK_WRSYS		= 0x16,
	MOCK_LOAD		= 0x17,
	MOCK_STORE		= 0x18,
	MOCK_MOVI		= 0x19,
	MOCK_ADDI		= 0x1a,
	MOCK_JMP		= 0x1b,
	MOCK_JNZ		= 0x1c,
	MOCK_SHUTDOWN		= 0x1d,
	MOCK_UNKNOWN		= 0x1e,
	MOCK_FAIL_ENTRY		= 0x1f,
	MOCK_RUN_ERROR		= 0x20,
	MOCK_KERNEL_EXIT	= 0x21,
	MOCK_STI		= 0x22,
	MOCK_CLI		= 0x23,
	MOCK_SETVEC		= 0x24,
	MOCK_IRET		= 0x25,
};

/**
 * struct axvcpu_mock_insn - an instruction, little-endian, 16-byte aligned
 * @op: &enum axvcpu_mock_op
 * @width: bytes, 1, 2, 4 or 8
 * @reg: first register, 0 to 15
 * @reg2: second register
 * @reserved: zero
 * @imm: operand
 *
 * Registers: run page, regs.raw[0..15]; regs.raw[16] is the pc, regs.raw[17]
 * the flags (bit 0: interrupts may be taken). That is the x86 layout.
 */
struct axvcpu_mock_insn {
	__u8 op;
	__u8 width;
	__u8 reg;
	__u8 reg2;
	__u32 reserved;
	__u64 imm;
};

/* What r[15] holds besides the vector */
#define AXVCPU_MOCK_IS_EXCEPTION	0x100ULL
#define AXVCPU_MOCK_IS_NMI		0x200ULL

/* The mock's hw_reason */
#define AXVCPU_MOCK_HW_BAD_INSN		0x100ULL	/* plus op */
#define AXVCPU_MOCK_HW_MISCONFIG	0x200ULL
#define AXVCPU_MOCK_HW_BAD_PC		0x201ULL

/* Register ids of GET_REGS and SET_REGS: 0 to 15, pc, flags */
#define AXVCPU_MOCK_REG(n)	(0x900000ULL + (n))
#define AXVCPU_MOCK_REG_PC	AXVCPU_MOCK_REG(16)
#define AXVCPU_MOCK_REG_FLAGS	AXVCPU_MOCK_REG(17)
#define AXVCPU_MOCK_NR_REGS	18

/**
 * struct axvcpu_mock_setup_config - in &union axvcpu_setup_config.raw: what
 *	fails, and how
 * @fail_call: &enum axvcpu_call that fails, not RESET; 0: none
 * @fail_error: positive errno
 * @fail_after: calls of it that still succeed
 * @reserved: zero
 *
 * In &union axvcpu_create_config.raw for calls before setup. The one given to
 * setup takes its place unless it is all zero; RESET brings the first back.
 * The rest of both unions must be zero.
 */
struct axvcpu_mock_setup_config {
	__u32 fail_call;
	__u32 fail_error;
	__u32 fail_after;
	__u32 reserved;
};

#endif /* _AXVCPU_MOCK_ABI_H */
