// SPDX-License-Identifier: GPL-2.0-only
/* Exits for IN, OUT, INS and OUTS. */
#include <linux/bitfield.h>
#include <linux/minmax.h>

#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "vmx_debug.h"
#include "vmx_event.h"
#include "vmx_exit_handlers.h"
#include "vmx_guest_insn.h"
#include "vmx_insn.h"

/* Exit qualification of an I/O instruction, SDM vol. 3, table 28-5 */
#define IO_WIDTH(qualification)	(((qualification) & 7) + 1)
#define IO_IN			BIT(3)
#define IO_STRING		BIT(4)
#define IO_REP			BIT(5)
#define IO_PORT(qualification)	((u16)((qualification) >> 16))

/* By the width as it is in the qualification */
static const u32 io_masks[] = { U8_MAX, U16_MAX, 0, U32_MAX };

/*
 * INS and OUTS: no instruction is decoded, the hardware has done that. The VMM
 * gets at the memory by itself, through the guest's own paging, and says how
 * far it came: nothing of the guest's memory is touched here.
 */

/* VM-exit instruction information for INS and OUTS, SDM vol. 3, table 28-8 */
#define INFO_ADDRESS_SIZE	GENMASK(9, 7)
#define INFO_SEGMENT		GENMASK(17, 15)

/* What counts of RCX, RSI and RDI, by address size */
static const u64 address_masks[] = { U16_MAX, U32_MAX, U64_MAX };

/* What the end of the access meets: on its port, and on an element in memory. */
static noinline void find_breakpoints(struct vmx_vcpu *vmx, u32 qualification)
{
	u32 width = IO_WIDTH(qualification), kinds = BIT(DR_RW_READ), hits = 0;

	if (vmread(GUEST_CR4) & X86_CR4_DE)
		hits = vmx_hit_breakpoints(vmx, BIT(VMX_DR_RW_IO), IO_PORT(qualification), width);
	if (qualification & IO_IN)
		kinds |= BIT(DR_RW_WRITE);
	if (qualification & IO_STRING)
		hits |= vmx_hit_breakpoints(vmx, kinds, vmread(GUEST_LINEAR_ADDRESS), width);
	vmx->insn_traps = hits;
}

static __always_inline void look_for_breakpoints(struct vmx_vcpu *vmx, u32 qualification)
{
	if (unlikely(vmx->always & VMX_ALWAYS_BREAKPOINTS))
		find_breakpoints(vmx, qualification);
}

/* Not inline, nor is IN: they would have OUT save registers that it does not use. */
static noinline int exit_string(struct vmx_vcpu *vmx, u32 qualification)
{
	u32 info = vmread(VMX_INSTRUCTION_INFO), size = FIELD_GET(INFO_ADDRESS_SIZE, info);
	bool shadow = vmread(GUEST_INTERRUPTIBILITY_INFO) & VMX_SHADOW;
	struct axvcpu_run *run = vmx->vcpu.run;
	bool in = qualification & IO_IN;
	u64 count = 1;

	if (size >= ARRAY_SIZE(address_masks))
		return vmx_exit_unknown(vmx);
	vmx->io_mask = address_masks[size];
	vmx->io_qualification = qualification;
	vmx_skip_later(vmx);
	look_for_breakpoints(vmx, qualification);
	if (qualification & IO_REP) {
		count = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]) & vmx->io_mask;
		if (!count) {
			vmx->skip_due = false;
			vmx->insn_traps = 0;
			vmx_go_on(vmx, vmx->next_rip);
			return AXVCPU_NEXT_ENTER;
		}
		/* Traps are due behind each element, and behind the first one what waits for it. */
		if (vmx->rflags & X86_EFLAGS_TF || vmx->always & VMX_ALWAYS_BREAKPOINTS ||
		    (shadow && READ_ONCE(vmx->queued)))
			count = 1;
	}
	vmx->io_count = count;
	run->io_string.port = IO_PORT(qualification);
	run->io_string.width = IO_WIDTH(qualification);
	run->io_string.count = count;
	run->io_string.gva = vmread(GUEST_LINEAR_ADDRESS);
	run->io_string.flags = (in ? AXVCPU_IO_STRING_IN : 0) |
			       (vmx->rflags & X86_EFLAGS_DF ? AXVCPU_IO_STRING_DOWN : 0);
	run->io_string.address_bits = 16 << size;
	run->io_string.segment = in ? AXVCPU_X86_SEG_ES : FIELD_GET(INFO_SEGMENT, info);
	run->io_string.fault = 0;
	run->io_string.done = 0;
	run->io_string.fault_address = 0;
	run->io_string.error_code = 0;
	return vmx_to_vmm(vmx, AXVCPU_EXIT_IO_STRING);
}

/* As an instruction with such an address size writes a register. */
static void advance(struct vmx_vcpu *vmx, unsigned int gpr, u64 by)
{
	u64 *reg = &vmx_gprs(vmx)[gpr];
	u64 old = READ_ONCE(*reg), mask = vmx->io_mask;
	u64 value = (old + by) & mask;

	WRITE_ONCE(*reg, mask == U16_MAX ? (old & ~mask) | value : value);
}

/* What an access to memory can raise; anything else the VMM may say is #GP. */
#define MEMORY_FAULTS	(BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | BIT(X86_TRAP_AC))

static void raise_fault(struct vmx_vcpu *vmx, u32 vector)
{
	struct axvcpu_run *run = vmx->vcpu.run;

	if (vector >= 32 || !(MEMORY_FAULTS & BIT(vector)))
		vector = X86_TRAP_GP;
	if (vector == X86_TRAP_PF)
		vmx->cr2 = READ_ONCE(run->io_string.fault_address);
	vmx_raise(vmx, vector, READ_ONCE(run->io_string.error_code) & AXVCPU_X86_ERROR_CODE_MASK);
}

/* The guest is between two elements, where traps and interrupts come, and RF is 1. */
static void go_on_within(struct vmx_vcpu *vmx)
{
	vmx_go_on(vmx, vmx->rip);
	vmx_set_rf(vmx);
}

/**
 * vmx_complete_string() - INS or OUTS has come as far as the VMM says
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_string(struct vmx_vcpu *vmx)
{
	struct axvcpu_run *run = vmx->vcpu.run;
	u64 done = min(READ_ONCE(run->io_string.done), vmx->io_count);
	u64 bytes = done * IO_WIDTH(vmx->io_qualification);
	bool rep = vmx->io_qualification & IO_REP;
	u32 fault = READ_ONCE(run->io_string.fault);

	if (done) {
		advance(vmx, vmx->io_qualification & IO_IN ? AXVCPU_X86_RDI : AXVCPU_X86_RSI,
			vmx->rflags & X86_EFLAGS_DF ? -bytes : bytes);
		if (rep)
			advance(vmx, AXVCPU_X86_RCX, -done);
	}
	if (done == vmx->io_count &&
	    (!rep || !(READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RCX]) & vmx->io_mask)))
		vmx_go_on(vmx, vmx->next_rip);
	else if (fault)
		raise_fault(vmx, fault);
	else if (done)
		go_on_within(vmx);
}

static noinline int exit_in(struct vmx_vcpu *vmx, u32 qualification)
{
	vmx_skip_later(vmx);
	look_for_breakpoints(vmx, qualification);
	vmx->io_mask = io_masks[qualification & 3];
	vmx->vcpu.run->io.data = 0;
	return vmx_to_vmm(vmx, AXVCPU_EXIT_IO_READ);
}

/**
 * vmx_exit_io() - an access to a port
 * @vmx: the vCPU
 *
 * Context: after an exit, loaded.
 * Return: &enum axvcpu_next.
 */
int vmx_exit_io(struct vmx_vcpu *vmx)
{
	u32 qualification = vmread(EXIT_QUALIFICATION);
	struct axvcpu_run *run = vmx->vcpu.run;
	u64 next;
	u32 rax;

	if (unlikely(qualification & IO_STRING))
		return exit_string(vmx, qualification);
	rax = READ_ONCE(vmx_gprs(vmx)[AXVCPU_X86_RAX]);
	run->io.port = IO_PORT(qualification);
	run->io.width = IO_WIDTH(qualification);
	run->io.count = 1;
	if (qualification & IO_IN)
		return exit_in(vmx, qualification);
	run->io.data = rax & io_masks[qualification & 3];
	next = vmx_fetch_insn(vmx);
	look_for_breakpoints(vmx, qualification);
	vmx_go_on(vmx, next);
	return vmx_to_vmm(vmx, AXVCPU_EXIT_IO_WRITE);
}

/**
 * vmx_complete_in() - IN has the VMM's answer
 * @vmx: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vmx_complete_in(struct vmx_vcpu *vmx)
{
	u64 *rax = &vmx_gprs(vmx)[AXVCPU_X86_RAX];
	u64 mask = vmx->io_mask;
	u64 value = READ_ONCE(vmx->vcpu.run->io.data) & mask;

	/* A write of EAX clears the upper half, one of AX or AL does not. */
	if (mask != U32_MAX)
		value |= READ_ONCE(*rax) & ~mask;
	WRITE_ONCE(*rax, value);
	vmx_go_on(vmx, vmx->next_rip);
}
