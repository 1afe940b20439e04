/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions, each wrapped once. All of them fault with #UD when
 * this CPU is not in VMX operation, which a crash or an emergency reboot can
 * bring about at any time: the fault is an error, not an oops.
 */
#ifndef _AXVCPU_VMX_INSN_H
#define _AXVCPU_VMX_INSN_H

#include <linux/errno.h>
#include <linux/types.h>

#include <asm/asm.h>
#include <asm/extable_fixup_types.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "../../axvcpu_count.h"

/* Addresses are host-physical, of a page. */
struct invept_descriptor {
	u64 eptp;
	u64 reserved;
};

/*
 * A function that does one instruction and returns 0, or -EIO if it fails:
 * VMfail is CF or ZF (SDM vol. 3, 31.2), and "jbe" takes both.
 */
#define VMX_INSN(prototype, insn, operands...)			\
static inline int prototype					\
{								\
	asm goto("1: " insn "\n\t"				\
		 "jbe %l[fail]\n\t"				\
		 _ASM_EXTABLE(1b, %l[fail])			\
		 : : operands : "cc", "memory" : fail);		\
	return 0;						\
fail:								\
	return -EIO;						\
}

VMX_INSN(vmxon(u64 pa), "vmxon %0", "m" (pa))
VMX_INSN(vmxoff(void), "vmxoff", "i" (0))
VMX_INSN(vmclear(u64 pa), "vmclear %0", "m" (pa))
VMX_INSN(vmptrld(u64 pa), "vmptrld %0", "m" (pa))
VMX_INSN(invept(unsigned long extent, struct invept_descriptor descriptor),
	 "invept %0, %1", "m" (descriptor), "r" (extent))

/**
 * vmread() - read a field of the current VMCS
 * @field: one that every CPU with our controls has
 *
 * So there is nothing to go wrong, and VMfail is not looked at.
 *
 * Return: the field, zero-extended; out of VMX operation 0.
 */
static __always_inline unsigned long vmread(unsigned long field)
{
	unsigned long value;

	axvcpu_count(VMREAD);
	asm volatile("1: vmread %[field], %[value]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_ZERO_REG, %k[value])
		     : [value] "=r" (value) : [field] "r" (field) : "cc");
	return value;
}

/**
 * vmread_if_current() - read a field where there may be no VMCS any more
 * @field: one that every CPU with our controls has
 *
 * Return: the field, or 0 without a current VMCS.
 */
static inline unsigned long vmread_if_current(unsigned long field)
{
	unsigned long value = 0;

	asm volatile("1: vmread %[field], %[value]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [value] "+r" (value) : [field] "r" (field) : "cc");
	return value;
}

/**
 * vmwrite() - write a field of the current VMCS
 * @field: one that every CPU with our controls has, not read-only
 * @value: its value
 *
 * Out of VMX operation nothing happens, and the entry will fail.
 */
static __always_inline void vmwrite(unsigned long field, unsigned long value)
{
	axvcpu_count(VMWRITE);
	asm volatile("1: vmwrite %[value], %[field]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : [field] "r" (field), [value] "rm" (value) : "cc", "memory");
}

/**
 * vmx_rdmsr() - read an MSR that is there
 * @msr: its number
 *
 * Return: its value.
 */
static __always_inline u64 vmx_rdmsr(u32 msr)
{
	axvcpu_count(RDMSR);
	return __rdmsr(msr);
}

/**
 * vmx_wrmsr() - write an MSR that is there
 * @msr: its number
 * @value: one that it takes
 */
static __always_inline void vmx_wrmsr(u32 msr, u64 value)
{
	axvcpu_count(WRMSR);
	native_wrmsrl(msr, value);
}

#endif /* _AXVCPU_VMX_INSN_H */
