// SPDX-License-Identifier: GPL-2.0-only
/* EPT: its format, and forgetting translations (SDM vol. 3, 29.3 and 29.4). */
#include <linux/bits.h>
#include <linux/cpu.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>

#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "ept.h"
#include "vmx_caps.h"
#include "vmx_insn.h"

static int nx_huge_pages = -1;
module_param(nx_huge_pages, int, 0444);
MODULE_PARM_DESC(nx_huge_pages,
		 "Split huge pages where a guest executes, against iTLB multihit (0: no, 1: yes, default -1: where the CPU needs it)");

#define EPT_LEAF	BIT_ULL(7)

/*
 * Write-back whatever the guest's PAT says: guest memory is ordinary memory
 * of the host, which has it write-back too.
 */
#define EPT_MEMORY	((6ULL << VMX_EPT_MT_EPTE_SHIFT) | VMX_EPT_IPAT_BIT)

#define R	VMX_EPT_READABLE_MASK
#define W	VMX_EPT_WRITABLE_MASK
#define X	VMX_EPT_EXECUTABLE_MASK

/** ept_format - for axvcpu_s2.c; constant after ept_init() */
struct axvcpu_s2_format ept_format __ro_after_init = {
	.levels		= 4,
	.page_shift	= 12,
	.level_bits	= 9,
	.leaf_levels	= BIT(0),
	.addr_mask	= GENMASK_ULL(51, 12),
	.present_mask	= R | W | X,
	.table_bits	= R | W | X,
	.leaf_bits	= { EPT_MEMORY, EPT_MEMORY | EPT_LEAF, EPT_MEMORY | EPT_LEAF },
	.leaf_type_mask	= EPT_LEAF,
	.leaf_type	= EPT_LEAF,
	/* W without R is a misconfiguration. */
	.prot = {
		[AXVCPU_MAP_READ]				= R,
		[AXVCPU_MAP_READ | AXVCPU_MAP_WRITE]		= R | W,
		[AXVCPU_MAP_EXEC]				= X,
		[AXVCPU_MAP_READ | AXVCPU_MAP_EXEC]		= R | X,
		[AXVCPU_MAP_ALL]				= R | W | X,
	},
	.accesses	= AXVCPU_S2_ACCESSES,
	.write_mask	= W,
};

/**
 * ept_init() - adapt the format to the CPUs
 *
 * Context: module load, after vmx_caps_init().
 */
void __init ept_init(void)
{
	ept_format.gpa_bits = min_t(u8, boot_cpu_data.x86_phys_bits, 48);
	if (vmx_caps.ept & VMX_EPT_2MB_PAGE_BIT)
		ept_format.leaf_levels |= BIT(1);
	if (vmx_caps.ept & VMX_EPT_1GB_PAGE_BIT)
		ept_format.leaf_levels |= BIT(2);
	/* A guest that executes pages while their size changes stops such a machine. */
	if (nx_huge_pages > 0 || (nx_huge_pages < 0 && !cpu_mitigations_off() &&
				  boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT)))
		ept_format.noexec_levels = ept_format.leaf_levels & ~BIT(0);
	if (vmx_caps.ept & VMX_EPT_EXECUTE_ONLY_BIT)
		ept_format.accesses |= BIT(AXVCPU_MAP_EXEC);
	ept_format.dirty = vmx_caps.ept & VMX_EPT_AD_BIT ? VMX_EPT_DIRTY_BIT : 0;
	ept_format.accessed = vmx_caps.ept & VMX_EPT_AD_BIT ? VMX_EPT_ACCESS_BIT : 0;
}

/**
 * ept_caps() - what the CPUs' EPT can that not all can
 *
 * Context: any, after vmx_caps_init().
 * Return: ``AXVCPU_CAP_*``.
 */
u64 ept_caps(void)
{
	return vmx_caps.ept & VMX_EPT_AD_BIT ? AXVCPU_CAP_HW_DIRTY : 0;
}

/**
 * ept_pointer() - the EPT pointer of a table
 * @root: its root
 * @eptp: EPT pointer, for the VMCS and INVEPT
 *
 * Context: any.
 * Return: 0, or -EINVAL: no page, or beyond physical memory's addresses.
 */
int ept_pointer(struct axvcpu_hpa root, u64 *eptp)
{
	if (!root.val || (root.val & ~PAGE_MASK) || root.val >> boot_cpu_data.x86_phys_bits)
		return -EINVAL;
	*eptp = root.val | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
		(vmx_caps.ept & VMX_EPT_AD_BIT ? VMX_EPTP_AD_ENABLE_BIT : 0);
	return 0;
}

/**
 * ept_flush() - this CPU forgets all that it learned from a table
 * @eptp: the table's EPT pointer
 *
 * With EPT, the CPU remembers guest-physical translations and combined ones,
 * both by EPT pointer: INVEPT takes them for every VPID, INVVPID is not
 * needed. It faults after a crash only, and then the entry fails too.
 *
 * Context: preemption off, in VMX operation.
 */
void ept_flush(u64 eptp)
{
	axvcpu_count(INVEPT);
	if (vmx_caps.ept & VMX_EPT_EXTENT_CONTEXT_BIT)
		(void)invept(VMX_EPT_EXTENT_CONTEXT, (struct invept_descriptor){ eptp });
	else
		ept_flush_all();
}

/**
 * ept_flush_all() - this CPU forgets what it learned from any table
 *
 * Context: preemption off, in VMX operation.
 */
void ept_flush_all(void)
{
	(void)invept(VMX_EPT_EXTENT_GLOBAL, (struct invept_descriptor){});
}
