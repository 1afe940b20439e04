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
#include <asm/vmx.h>

/*
 * VMfail is CF (no current VMCS) or ZF (error number in the VMCS), SDM vol. 3,
 * 31.2: "jbe" takes both.
 */
#define VMX_INSN(insn, operands...)				\
	asm goto("1: " insn "\n\t"				\
		 "jbe %l[fail]\n\t"				\
		 _ASM_EXTABLE(1b, %l[fail])			\
		 : : operands : "cc", "memory" : fail)

/**
 * vmxon() - enter VMX operation
 * @pa: host-physical address of this CPU's VMXON region
 *
 * Context: CR4.VMXE is set.
 * Return: 0 or -EIO.
 */
static inline int vmxon(u64 pa)
{
	VMX_INSN("vmxon %0", "m" (pa));
	return 0;
fail:
	return -EIO;
}

/**
 * vmxoff() - leave VMX operation
 *
 * Return: 0 or -EIO.
 */
static inline int vmxoff(void)
{
	VMX_INSN("vmxoff", "i" (0));
	return 0;
fail:
	return -EIO;
}

/**
 * vmclear() - write a VMCS back to memory; it is no longer active or launched
 * @pa: its host-physical address
 *
 * Return: 0 or -EIO.
 */
static inline int vmclear(u64 pa)
{
	VMX_INSN("vmclear %0", "m" (pa));
	return 0;
fail:
	return -EIO;
}

/**
 * vmptrld() - make a VMCS this CPU's current one
 * @pa: its host-physical address
 *
 * Return: 0 or -EIO.
 */
static inline int vmptrld(u64 pa)
{
	VMX_INSN("vmptrld %0", "m" (pa));
	return 0;
fail:
	return -EIO;
}

/**
 * invept() - forget translations made with second-stage tables
 * @extent: %VMX_EPT_EXTENT_CONTEXT or %VMX_EPT_EXTENT_GLOBAL
 * @eptp: the table's EPT pointer, for one context
 *
 * Return: 0 or -EIO.
 */
static inline int invept(unsigned long extent, u64 eptp)
{
	struct {
		u64 eptp;
		u64 reserved;
	} descriptor = { .eptp = eptp };

	VMX_INSN("invept %0, %1", "m" (descriptor), "r" (extent));
	return 0;
fail:
	return -EIO;
}

/**
 * vmread() - read a field of the current VMCS
 * @field: one that caps_init() has found to exist
 *
 * There is nothing to go wrong with the field, so VMfail is not looked at; out
 * of VMX operation the value is 0.
 *
 * Return: the field, zero-extended.
 */
static __always_inline unsigned long vmread(unsigned long field)
{
	unsigned long value;

	asm volatile("1: vmread %[field], %[value]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_ZERO_REG, %k[value])
		     : [value] "=r" (value) : [field] "r" (field) : "cc");
	return value;
}

/**
 * vmwrite() - write a field of the current VMCS
 * @field: one that caps_init() has found to exist, not read-only
 * @value: its value; bits that the field does not have are ignored
 *
 * As in vmread(), there is nothing to go wrong; out of VMX operation nothing
 * happens, and the entry fails.
 */
static __always_inline void vmwrite(unsigned long field, unsigned long value)
{
	asm volatile("1: vmwrite %[value], %[field]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : [field] "r" (field), [value] "rm" (value) : "cc", "memory");
}

#endif /* _AXVCPU_VMX_INSN_H */
