// SPDX-License-Identifier: GPL-2.0-only
/* Aborts of stage 2: faults to be filled, and accesses that the VMM emulates. */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/swab.h>

#include <asm/esr.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_exit_debug.h"
#include "vhe_exit_mmio.h"

/* Data abort, ISS */
#define ISS_ISV		BIT(24)
#define ISS_SAS		GENMASK(23, 22)
#define ISS_SSE		BIT(21)
#define ISS_SRT		GENMASK(20, 16)
#define ISS_SF		BIT(15)
#define ISS_FNV		BIT(10)
#define ISS_CM		BIT(8)
#define ISS_S1PTW	BIT(7)
#define ISS_WNR		BIT(6)

/* Watchpoint, ISS */
#define ISS_DEBUG	0x22	/* DFSC: debug exception */

static int handle_abort(struct vhe_vcpu *vhe, u32 access)
{
	struct axvcpu_fault *fault = &vhe->vcpu.fault;
	u64 type = vhe->esr & ESR_ELx_FSC_TYPE;

	if (type != ESR_ELx_FSC_FAULT && type != ESR_ELx_FSC_PERM)
		return vhe_exit_unknown(vhe);
	if (vhe->hpfar == U64_MAX)
		return AXVCPU_NEXT_ENTER;
	/* A CPU may keep what has less access than the table will have. */
	if (type == ESR_ELx_FSC_PERM)
		vhe->vcpu.tlb_gen = 0;
	*fault = (struct axvcpu_fault){
		.gpa = axvcpu_gpa((vhe->hpfar & GENMASK_ULL(43, 4)) << 8 |
				  (vhe->esr & ISS_S1PTW ? 0 : vhe->far & 0xfff)),
		.gva = vhe->esr & ISS_FNV ? 0 : vhe->far,
		.access = access,
		.flags = (vhe->esr & ISS_FNV ? 0 : AXVCPU_FAULT_GVA_VALID) |
			 (vhe->esr & ISS_S1PTW ? AXVCPU_FAULT_WALK : 0),
		.syndrome = vhe->esr,
	};
	return AXVCPU_NEXT_FAULT;
}

static bool lacks_permission(const struct vhe_vcpu *vhe)
{
	return (vhe->esr & ESR_ELx_FSC_TYPE) == ESR_ELx_FSC_PERM;
}

/*
 * The walk of stage 1 reads, and it writes access flags and dirty state. The syndrome does
 * not say which of the two was refused.
 */
static u32 walk_access(const struct vhe_vcpu *vhe)
{
	return AXVCPU_MAP_READ | (lacks_permission(vhe) ? AXVCPU_MAP_WRITE : 0);
}

/*
 * Cache maintenance, always reported as a write, reads, but DC IVAC is a write: it only
 * lacks permission if it is the latter.
 */
static u32 cache_access(const struct vhe_vcpu *vhe)
{
	return lacks_permission(vhe) ? AXVCPU_MAP_WRITE : AXVCPU_MAP_READ;
}

static unsigned int mmio_width(u64 esr)
{
	return 1U << FIELD_GET(ISS_SAS, esr);
}

/*
 * Watchpoints come behind stage 2, and so never, for an access that the VMM emulates. Here
 * it is, with the syndrome and the address of such an exception, if the access meets one.
 */
static noinline bool meets_watchpoint(struct vhe_vcpu *vhe)
{
	u64 esr = vhe->esr;
	int byte;

	if (!(esr & ISS_ISV))
		return false;
	byte = vhe_debug_watched_byte(vhe, mmio_width(esr), esr & ISS_WNR);
	if (byte < 0)
		return false;
	vhe->far += byte;
	vhe->esr = (u64)ESR_ELx_EC_WATCHPT_LOW << ESR_ELx_EC_SHIFT | ESR_ELx_IL |
		   (esr & ISS_WNR) | ISS_DEBUG;
	return true;
}

static bool has_watchpoints(const struct vhe_vcpu *vhe)
{
	return vhe->mdscr & VHE_MDSCR_MDE || vhe->attached;
}

/**
 * vhe_handle_data_abort() - an access to memory was trapped by stage 2
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_data_abort(struct vhe_vcpu *vhe)
{
	if (vhe->esr & ISS_S1PTW)
		return handle_abort(vhe, walk_access(vhe));
	if (vhe->esr & ISS_CM)
		return handle_abort(vhe, cache_access(vhe));
	if (unlikely(has_watchpoints(vhe)) && meets_watchpoint(vhe))
		return vhe_handle_watchpoint(vhe);
	return handle_abort(vhe, vhe->esr & ISS_WNR ? AXVCPU_MAP_WRITE : AXVCPU_MAP_READ);
}

/**
 * vhe_handle_instruction_abort() - a fetch of instructions was trapped by stage 2
 * @vhe: the vCPU
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_instruction_abort(struct vhe_vcpu *vhe)
{
	return handle_abort(vhe, vhe->esr & ISS_S1PTW ? walk_access(vhe) : AXVCPU_MAP_EXEC);
}

static u64 narrow(u64 value, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return value << shift >> shift;
}

/* Is the guest's data big-endian where it is? */
static bool is_big_endian(const struct vhe_vcpu *vhe)
{
	bool is_el0 = (vhe->pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;

	return vhe->sys[VHE_SCTLR] & (is_el0 ? SCTLR_EL1_E0E : SCTLR_ELx_EE);
}

/* A register's low bytes as a device has them, which is little-endian; and back. */
static u64 device_data(const struct vhe_vcpu *vhe, u64 value, unsigned int bytes)
{
	if (unlikely(is_big_endian(vhe)))
		return swab64(value) >> (64 - 8 * bytes);
	return narrow(value, bytes);
}

/**
 * vhe_fault_exit() - see &struct axvcpu_arch_ops.fault_exit
 * @vcpu: the vCPU
 *
 * Context: process context, &struct axvcpu.mutex held.
 * Return: &enum axvcpu_exit_reason; %AXVCPU_EXIT_NESTED_PAGE_FAULT: the
 * hardware did not decode the access.
 */
int vhe_fault_exit(struct axvcpu *vcpu)
{
	struct vhe_vcpu *vhe = to_vhe(vcpu);
	struct axvcpu_run *run = vcpu->run;
	u64 esr = vhe->esr;

	lockdep_assert_held(&vcpu->mutex);
	if (ESR_ELx_EC(esr) != ESR_ELx_EC_DABT_LOW || !(esr & ISS_ISV) ||
	    esr & (ISS_S1PTW | ISS_CM))
		return AXVCPU_EXIT_NESTED_PAGE_FAULT;
	run->mmio.gpa = vcpu->fault.gpa.val;
	run->mmio.gva = vcpu->fault.gva;
	run->mmio.width = mmio_width(esr);
	run->mmio.reg = FIELD_GET(ISS_SRT, esr);
	run->mmio.reg_width = esr & ISS_SF ? 8 : 4;
	run->mmio.sign_extend = !!(esr & ISS_SSE);
	run->mmio.data = 0;
	if (!(esr & ISS_WNR)) {
		vhe->skip_due = true;
		return AXVCPU_EXIT_MMIO_READ;
	}
	run->mmio.data = device_data(vhe, vhe_get_x(vhe, FIELD_GET(ISS_SRT, esr)),
				     mmio_width(esr));
	vhe_skip_insn(vhe);
	WRITE_ONCE(run->regs.arm64.pc, vhe->pc);
	WRITE_ONCE(run->regs.arm64.pstate, vhe->pstate);
	return AXVCPU_EXIT_MMIO_WRITE;
}

/**
 * vhe_complete_mmio_read() - the guest's load ends with the VMM's answer
 * @vhe: the vCPU, not loaded
 *
 * Context: process context, &struct axvcpu.mutex held.
 */
void vhe_complete_mmio_read(struct vhe_vcpu *vhe)
{
	u64 data = READ_ONCE(vhe->vcpu.run->mmio.data);
	unsigned int width = mmio_width(vhe->esr);

	data = device_data(vhe, data, width);
	if (vhe->esr & ISS_SSE)
		data = sign_extend64(data, 8 * width - 1);
	vhe_set_x(vhe, FIELD_GET(ISS_SRT, vhe->esr), vhe->esr & ISS_SF ? data : (u32)data);
	vhe_skip_insn(vhe);
}
