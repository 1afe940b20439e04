// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU's life. */
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "ept.h"
#include "vmx.h"
#include "vmx_cpuid.h"
#include "vmx_fpu.h"
#include "vmx_hw.h"
#include "vmx_vcpu.h"

/* VPID 0 is the host's. */
static DEFINE_IDA(vpids);

/**
 * vmx_vcpu_create() - all that the vCPU will ever need
 * @vcpu: the vCPU, all 0
 * @config: the caller's
 *
 * Context: process context.
 * Return: 0, -EINVAL: a field of @config is not 0, or -ENOMEM.
 */
int vmx_vcpu_create(struct axvcpu *vcpu, const union axvcpu_create_config *config)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int vpid;

	if (memchr_inv(config, 0, sizeof(*config)))
		return -EINVAL;

	vpid = ida_alloc_range(&vpids, 1, VMX_NR_VPIDS - 1, GFP_KERNEL_ACCOUNT);
	if (vpid < 0)
		return -ENOMEM;
	vmx->vpid = vpid;
	vmx->vmcs = axvcpu_alloc_page(vcpu, GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs)
		goto err_vpid;
	vmx_init_region(vmx->vmcs);
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->cpu = -1;
	if (vmx_fpu_create(vmx))
		goto err_vmcs;
	if (vmx_cpuid_create(vmx))
		goto err_fpu;
	return 0;

err_fpu:
	vmx_fpu_destroy(vmx);
err_vmcs:
	free_page((unsigned long)vmx->vmcs);
err_vpid:
	ida_free(&vpids, vpid);
	return -ENOMEM;
}

/**
 * vmx_vcpu_destroy() - free it
 * @vcpu: the vCPU, which nobody else knows any more
 *
 * Context: process context.
 */
void vmx_vcpu_destroy(struct axvcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_clear(vmx);
	vmx_fpu_destroy(vmx);
	kfree(vmx->cpuid);
	free_page((unsigned long)vmx->vmcs);
	ida_free(&vpids, vmx->vpid);
}

/**
 * vmx_set_entry() - where the guest starts
 * @vcpu: the vCPU
 * @entry: address, below what the second stage has
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, -EEXIST: it has one, or -EINVAL.
 */
int vmx_set_entry(struct axvcpu *vcpu, struct axvcpu_gpa entry)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	if (vmx->entry_set)
		return -EEXIST;
	if (entry.val >> ept_format.gpa_bits)
		return -EINVAL;
	vmx->entry = entry;
	vmx->entry_set = true;
	return 0;
}

/**
 * vmx_set_ept_root() - the second stage's table
 * @vcpu: the vCPU
 * @root: of the table
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0, -EEXIST: it has one, or -EINVAL.
 */
int vmx_set_ept_root(struct axvcpu *vcpu, struct axvcpu_hpa root)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (vmx->eptp_set)
		return -EEXIST;
	ret = ept_pointer(root, &vmx->eptp);
	if (ret)
		return ret;
	vmx->eptp_set = true;
	return 0;
}

/**
 * vmx_bind() - nothing: a section makes the VMCS active where it runs
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0.
 */
int vmx_bind(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	return 0;
}

/**
 * vmx_unbind() - no CPU holds anything of the vCPU any more
 * @vcpu: the vCPU
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 * Return: 0.
 */
int vmx_unbind(struct axvcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	vmx_clear(to_vmx(vcpu));
	return 0;
}

/**
 * vmx_reset() - as after vmx_vcpu_create()
 * @vcpu: the vCPU
 * @keep_machine: but for the CPUID table and the TSC's offset
 *
 * Context: preemption off, &struct axvcpu.mutex held.
 */
void vmx_reset(struct axvcpu *vcpu, bool keep_machine)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	lockdep_assert_held(&vcpu->mutex);
	vmx_clear(vmx);
	/* Whatever is tried with it later, it does not lead to the old memory. */
	vmx_init_region(vmx->vmcs);
	memset_startat(vmx, 0, entry);
	if (!keep_machine) {
		vmx->cpuid_set = false;
		vmx->tsc_offset = 0;
	}
	vmx_fpu_reset(vmx);
}
