// SPDX-License-Identifier: GPL-2.0-only
/*
 * HVC and SMC: PSCI 1.1 (DEN 0022), the part of SMCCC (DEN 0028) by which it is
 * found, and hypercalls of the VMM's.
 */
#include <linux/arm-smccc.h>
#include <linux/bits.h>
#include <linux/string.h>

#include <asm/cputype.h>
#include <uapi/linux/psci.h>

#include "vhe.h"
#include "vhe_exit_halt.h"
#include "vhe_exit_psci.h"
#include "vhe_spectre.h"

#define ISS_IMM16	GENMASK(15, 0)

/* Function identifiers: fast calls of the standard service, numbers 0 to 31 */
#define FN_MASK		0xbfffffe0U
#define FN_PSCI		PSCI_0_2_FN_BASE
#define FN_NUMBER	0x1fU
#define FN_64BIT	BIT(30)

/* What the kernel does not answer is the VMM's. */
static int hypercall(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	/* From the page into the page: nothing here depends on the values. */
	run->hypercall.nr = vhe_get_x(vhe, 0);
	memcpy(run->hypercall.args, &run->regs.arm64.x[1], sizeof(run->hypercall.args));
	run->hypercall.ret = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_HYPERCALL);
}

static int answer(struct vhe_vcpu *vhe, u64 value)
{
	vhe_set_x(vhe, 0, value);
	return AXVCPU_NEXT_ENTER;
}

/* Both kinds of state are a standby: the guest comes back behind the call. */
static int cpu_suspend(struct vhe_vcpu *vhe)
{
	vhe_set_x(vhe, 0, PSCI_RET_SUCCESS);
	return vhe_halt(vhe);
}

static int cpu_off(struct vhe_vcpu *vhe)
{
	vhe->vcpu.run->cpu_down.state = 0;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_CPU_DOWN);
}

static int cpu_on(struct vhe_vcpu *vhe)
{
	struct axvcpu_run *run = vhe->vcpu.run;

	run->cpu_up.target = vhe_get_x(vhe, 1);
	run->cpu_up.entry = vhe_get_x(vhe, 2);
	run->cpu_up.arg = vhe_get_x(vhe, 3);
	run->cpu_up.ret = PSCI_RET_INTERNAL_FAILURE;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_CPU_UP);
}

/* The caller is on; of the others, the VMM knows. */
static int affinity_info(struct vhe_vcpu *vhe)
{
	if (vhe_get_x(vhe, 1) != (vhe->mpidr & MPIDR_HWID_BITMASK))
		return hypercall(vhe);
	return answer(vhe, vhe_get_x(vhe, 2) <= 3 ? PSCI_0_2_AFFINITY_LEVEL_ON :
						    PSCI_RET_INVALID_PARAMS);
}

static int system_down(struct vhe_vcpu *vhe, u64 type)
{
	vhe->vcpu.run->system_down.type = type;
	return vhe_exit_to_vmm(vhe, AXVCPU_EXIT_SYSTEM_DOWN);
}

static int system_off(struct vhe_vcpu *vhe)
{
	return system_down(vhe, AXVCPU_SYSTEM_DOWN_OFF);
}

static int system_reset(struct vhe_vcpu *vhe)
{
	return system_down(vhe, AXVCPU_SYSTEM_DOWN_RESET);
}

/* Type 0 is the architectural warm reset; vendors' types start at bit 31. */
static int system_reset2(struct vhe_vcpu *vhe)
{
	if (vhe_get_x(vhe, 1))
		return answer(vhe, PSCI_RET_INVALID_PARAMS);
	return system_reset(vhe);
}

static int psci_features(struct vhe_vcpu *vhe);

/**
 * struct psci_call - a function
 * @call: what it does; NULL: it answers @answer
 * @answer: in x0
 * @flags: FN_64BIT: it has a 64-bit form too
 */
struct psci_call {
	int (*call)(struct vhe_vcpu *vhe);
	u32 answer;
	u32 flags;
};

static const struct psci_call calls[FN_NUMBER + 1] = {
	[0x00] = { .answer = PSCI_VERSION(1, 1) },
	[0x01] = { cpu_suspend, .flags = FN_64BIT },
	[0x02] = { cpu_off },
	[0x03] = { cpu_on, .flags = FN_64BIT },
	[0x04] = { affinity_info, .flags = FN_64BIT },
	[0x06] = { .answer = PSCI_0_2_TOS_MP },
	[0x08] = { system_off },
	[0x09] = { system_reset },
	[0x0a] = { psci_features },
	[0x12] = { system_reset2, .flags = FN_64BIT },
};

static const struct psci_call *find_call(u32 fn)
{
	const struct psci_call *call = &calls[fn & FN_NUMBER];

	if ((fn & FN_MASK) != FN_PSCI || (!call->call && !call->answer) ||
	    fn & FN_64BIT & ~call->flags)
		return NULL;
	return call;
}

static int psci_features(struct vhe_vcpu *vhe)
{
	u32 fn = vhe_get_x(vhe, 1);

	return answer(vhe, fn == ARM_SMCCC_VERSION_FUNC_ID || find_call(fn) ?
			   PSCI_RET_SUCCESS : PSCI_RET_NOT_SUPPORTED);
}

/* A 32-bit call has 32-bit arguments. */
static void narrow_arguments(struct vhe_vcpu *vhe)
{
	unsigned int i;

	for (i = 1; i <= 3; i++)
		vhe_set_x(vhe, i, (u32)vhe_get_x(vhe, i));
}

/*
 * HVC or SMC, if it is PSCI's or asks for what SMCCC has; the instruction is
 * behind. Returns &enum axvcpu_next, or -1: it is for someone else.
 */
static int psci_call(struct vhe_vcpu *vhe)
{
	const struct psci_call *call;
	u32 fn = vhe_get_x(vhe, 0);

	switch (fn) {
	case ARM_SMCCC_VERSION_FUNC_ID:
		return answer(vhe, ARM_SMCCC_VERSION_1_1);
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		return answer(vhe, vhe_spectre_features(vhe_get_x(vhe, 1)));
	case ARM_SMCCC_ARCH_WORKAROUND_1:
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		/* The exit has done it. */
		return AXVCPU_NEXT_ENTER;
	}
	if ((fn & FN_MASK) != FN_PSCI)
		return -1;
	call = find_call(fn);
	if (!call)
		return answer(vhe, PSCI_RET_NOT_SUPPORTED);
	if (!call->call)
		return answer(vhe, call->answer);
	if (!(fn & FN_64BIT))
		narrow_arguments(vhe);
	return call->call(vhe);
}

/**
 * vhe_handle_hvc() - HVC was trapped
 * @vhe: the vCPU, past the instruction
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_hvc(struct vhe_vcpu *vhe)
{
	int next = psci_call(vhe);

	return next >= 0 ? next : hypercall(vhe);
}

/**
 * vhe_handle_smc() - SMC was trapped
 * @vhe: the vCPU
 *
 * Firmware is the host's: what PSCI does not answer does not exist.
 *
 * Context: preemption off.
 * Return: &enum axvcpu_next.
 */
int vhe_handle_smc(struct vhe_vcpu *vhe)
{
	int next;

	if (vhe->esr & ISS_IMM16)
		return vhe_exit_unknown(vhe);
	/* Firmware would come back behind the instruction that was stepped. */
	vhe->pstate &= ~VHE_PSTATE_SS;
	vhe_skip_insn(vhe);
	next = psci_call(vhe);
	if (next >= 0)
		return next;
	vhe_set_x(vhe, 0, SMCCC_RET_NOT_SUPPORTED);
	return AXVCPU_NEXT_ENTER;
}
