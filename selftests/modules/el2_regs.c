// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands in a CPU's registers at EL2, for a test that compares: reading
 * debugfs's el2_regs/cpu<n> tells them, "NAME VALUE" a line; the same written
 * sets one of those that the host has no use for while no guest runs.
 *
 * Those are left out that the host changes all the time, and those of EL1 that
 * KVM loads anew before it looks at them.
 */
#include <linux/debugfs.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

#define DT_VIRTUAL_TIMER	2	/* of a timer node's interrupts */
#define NR_LRS			16
#define ICH_LR(n)		sys_reg(3, 4, 12, 12 + ((n) >> 3), (n) & 7)

/* What a CPU may lack */
enum has { ALWAYS, HCX, FGT, RAS, GIC, ADDRESS_AUTH, GENERIC_AUTH, MORE_DEBUG, NR_HAS };

/* R(name, what it is part of, encoding) */
#define REGS(R)									\
	R(HCR_EL2,	 ALWAYS, sys_reg(3, 4, 1, 1, 0))			\
	R(CPTR_EL2,	 ALWAYS, sys_reg(3, 4, 1, 1, 2))			\
	R(HSTR_EL2,	 ALWAYS, sys_reg(3, 4, 1, 1, 3))			\
	R(VBAR_EL2,	 ALWAYS, sys_reg(3, 4, 12, 0, 0))			\
	R(SCTLR_EL2,	 ALWAYS, sys_reg(3, 4, 1, 0, 0))			\
	R(TCR_EL2,	 ALWAYS, sys_reg(3, 4, 2, 0, 2))			\
	R(TTBR0_EL2,	 ALWAYS, sys_reg(3, 4, 2, 0, 0))			\
	R(TTBR1_EL2,	 ALWAYS, sys_reg(3, 4, 2, 0, 1))			\
	R(MAIR_EL2,	 ALWAYS, sys_reg(3, 4, 10, 2, 0))			\
	R(TPIDR_EL2,	 ALWAYS, sys_reg(3, 4, 13, 0, 2))			\
	R(CONTEXTIDR_EL2, ALWAYS, sys_reg(3, 4, 13, 0, 1))			\
	R(TPIDR_EL0,	 ALWAYS, sys_reg(3, 3, 13, 0, 2))			\
	R(TPIDRRO_EL0,	 ALWAYS, sys_reg(3, 3, 13, 0, 3))			\
	R(SP_EL0,	 ALWAYS, sys_reg(3, 0, 4, 1, 0))			\
	R(MDSCR_EL1,	 ALWAYS, sys_reg(2, 0, 0, 2, 2))			\
	R(DBGBCR0_EL1,	 ALWAYS, sys_reg(2, 0, 0, 0, 5))			\
	R(DBGBCR1_EL1,	 ALWAYS, sys_reg(2, 0, 0, 1, 5))			\
	R(DBGWCR0_EL1,	 ALWAYS, sys_reg(2, 0, 0, 0, 7))			\
	R(DBGWCR1_EL1,	 ALWAYS, sys_reg(2, 0, 0, 1, 7))			\
	R(DBGBVR5_EL1,	 MORE_DEBUG, sys_reg(2, 0, 0, 5, 4))			\
	R(DBGBCR5_EL1,	 MORE_DEBUG, sys_reg(2, 0, 0, 5, 5))			\
	R(DBGWVR3_EL1,	 MORE_DEBUG, sys_reg(2, 0, 0, 3, 6))			\
	R(DBGWCR3_EL1,	 MORE_DEBUG, sys_reg(2, 0, 0, 3, 7))			\
	R(CNTV_CTL_EL02, ALWAYS, sys_reg(3, 5, 14, 3, 1))			\
	R(CNTP_CTL_EL02, ALWAYS, sys_reg(3, 5, 14, 2, 1))			\
	R(CNTP_CVAL_EL02, ALWAYS, sys_reg(3, 5, 14, 2, 2))			\
	R(HCRX_EL2,	 HCX,	 sys_reg(3, 4, 1, 2, 2))			\
	R(HFGRTR_EL2,	 FGT,	 sys_reg(3, 4, 1, 1, 4))			\
	R(HFGWTR_EL2,	 FGT,	 sys_reg(3, 4, 1, 1, 5))			\
	R(HFGITR_EL2,	 FGT,	 sys_reg(3, 4, 1, 1, 6))			\
	R(HDFGRTR_EL2,	 FGT,	 sys_reg(3, 4, 3, 1, 4))			\
	R(HDFGWTR_EL2,	 FGT,	 sys_reg(3, 4, 3, 1, 5))			\
	R(DISR_EL1,	 RAS,	 sys_reg(3, 0, 12, 1, 1))			\
	R(ICH_HCR_EL2,	 GIC,	 sys_reg(3, 4, 12, 11, 0))			\
	R(ICC_SRE_EL2,	 GIC,	 sys_reg(3, 4, 12, 9, 5))			\
	R(ICC_PMR_EL1,	 GIC,	 sys_reg(3, 0, 4, 6, 0))			\
	R(ICC_BPR1_EL1,	 GIC,	 sys_reg(3, 0, 12, 12, 3))			\
	R(ICC_CTLR_EL1,	 GIC,	 sys_reg(3, 0, 12, 12, 4))			\
	R(ICC_IGRPEN1_EL1, GIC,	 sys_reg(3, 0, 12, 12, 7))			\
	R(APIALO_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 1, 0))			\
	R(APIAHI_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 1, 1))			\
	R(APIBLO_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 1, 2))			\
	R(APIBHI_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 1, 3))			\
	R(APDALO_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 2, 0))			\
	R(APDAHI_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 2, 1))			\
	R(APDBLO_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 2, 2))			\
	R(APDBHI_EL1,	 ADDRESS_AUTH, sys_reg(3, 0, 2, 2, 3))			\
	R(APGALO_EL1,	 GENERIC_AUTH, sys_reg(3, 0, 2, 3, 0))			\
	R(APGAHI_EL1,	 GENERIC_AUTH, sys_reg(3, 0, 2, 3, 1))			\
	UNUSED_REGS(R)

/* Without a meaning for the host, or with bits that have none, so that they can be set */
#define UNUSED_REGS(R)								\
	R(MDCR_EL2,	 ALWAYS, sys_reg(3, 4, 1, 1, 1))			\
	R(CNTHCTL_EL2,	 ALWAYS, sys_reg(3, 4, 14, 1, 0))			\
	R(VTTBR_EL2,	 ALWAYS, sys_reg(3, 4, 2, 1, 0))			\
	R(VTCR_EL2,	 ALWAYS, sys_reg(3, 4, 2, 1, 2))			\
	R(VPIDR_EL2,	 ALWAYS, sys_reg(3, 4, 0, 0, 0))			\
	R(VMPIDR_EL2,	 ALWAYS, sys_reg(3, 4, 0, 0, 5))			\
	R(CNTVOFF_EL2,	 ALWAYS, sys_reg(3, 4, 14, 0, 3))			\
	R(DBGBVR0_EL1,	 ALWAYS, sys_reg(2, 0, 0, 0, 4))			\
	R(DBGBVR1_EL1,	 ALWAYS, sys_reg(2, 0, 0, 1, 4))			\
	R(DBGWVR0_EL1,	 ALWAYS, sys_reg(2, 0, 0, 0, 6))			\
	R(DBGWVR1_EL1,	 ALWAYS, sys_reg(2, 0, 0, 1, 6))

#define LRS(L)		L(0) L(1) L(2) L(3) L(4) L(5) L(6) L(7) L(8) L(9) L(10) L(11) L(12)	\
			L(13) L(14) L(15)

#define ENUM(name, part, encoding)	REG_##name,
#define NAME(name, part, encoding)	[REG_##name] = #name,
#define PART(name, part, encoding)	[REG_##name] = part,

enum { REGS(ENUM) NR_REGS };

static const char * const names[] = { REGS(NAME) };
static const enum has parts[] = { REGS(PART) };

static bool has[NR_HAS] __ro_after_init;
static unsigned int nr_lrs __ro_after_init;
static unsigned int vtimer __ro_after_init;	/* the virtual timer's interrupt */
static struct dentry *directory;

struct snapshot {
	u64 reg[NR_REGS];
	u64 lr[NR_LRS];
	bool vtimer_active;
};

#define READ_REG(name, part, encoding)						\
	if (has[part])								\
		s->reg[REG_##name] = read_sysreg_s(encoding);
#define READ_LR(n)								\
	if ((n) < nr_lrs)							\
		s->lr[n] = read_sysreg_s(ICH_LR(n));

static void take_snapshot(void *data)
{
	struct snapshot *s = data;

	REGS(READ_REG)
	LRS(READ_LR)
	if (vtimer)
		irq_get_irqchip_state(vtimer, IRQCHIP_STATE_ACTIVE, &s->vtimer_active);
}

static int el2_regs_show(struct seq_file *file, void *unused)
{
	struct snapshot s = {};
	int i, err;

	err = smp_call_function_single((long)file->private, take_snapshot, &s, true);
	if (err)
		return err;
	for (i = 0; i < NR_REGS; i++) {
		if (has[parts[i]])
			seq_printf(file, "%s %llx\n", names[i], s.reg[i]);
	}
	for (i = 0; i < nr_lrs; i++)
		seq_printf(file, "ICH_LR%d_EL2 %llx\n", i, s.lr[i]);
	seq_printf(file, "vtimer_active %d\n", s.vtimer_active);
	return 0;
}

static int el2_regs_open(struct inode *inode, struct file *file)
{
	return single_open(file, el2_regs_show, inode->i_private);
}

struct change {
	int reg;
	u64 value;
};

#define WRITE_REG(name, part, encoding)						\
	case REG_##name:							\
		write_sysreg_s(change->value, encoding);			\
		break;

static void make_change(void *data)
{
	const struct change *change = data;

	switch (change->reg) {
	UNUSED_REGS(WRITE_REG)
	}
	isb();
}

static ssize_t el2_regs_write(struct file *file, const char __user *from, size_t count,
			      loff_t *pos)
{
	long cpu = (long)file_inode(file)->i_private;
	struct change change;
	char text[64], name[32];
	int err;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;
	text[count] = '\0';
	if (sscanf(text, "%31s %llx", name, &change.value) != 2)
		return -EINVAL;
	change.reg = match_string(names, NR_REGS, name);
	if (change.reg < REG_MDCR_EL2)
		return -EINVAL;
	err = smp_call_function_single(cpu, make_change, &change, true);
	return err ?: count;
}

static const struct file_operations el2_regs_fops = {
	.owner = THIS_MODULE,
	.open = el2_regs_open,
	.read = seq_read,
	.write = el2_regs_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static bool __init has_field(u32 reg, unsigned int shift)
{
	return cpuid_feature_extract_unsigned_field(read_sanitised_ftr_reg(reg), shift);
}

static void __init look_what_is_there(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "arm,armv8-timer");
	u64 dfr0;

	has[ALWAYS] = true;
	has[HCX] = has_field(SYS_ID_AA64MMFR1_EL1, 40);
	has[FGT] = has_field(SYS_ID_AA64MMFR0_EL1, 56);
	has[RAS] = has_field(SYS_ID_AA64PFR0_EL1, 28);
	has[GIC] = has_field(SYS_ID_AA64PFR0_EL1, 24);
	has[ADDRESS_AUTH] = system_supports_address_auth();
	has[GENERIC_AUTH] = system_supports_generic_auth();
	dfr0 = read_sanitised_ftr_reg(SYS_ID_AA64DFR0_EL1);
	has[MORE_DEBUG] = (dfr0 >> 12 & 0xf) >= 5 && (dfr0 >> 20 & 0xf) >= 3;
	if (has[GIC])			/* ICH_VTR_EL2.ListRegs */
		nr_lrs = (read_sysreg_s(sys_reg(3, 4, 12, 11, 1)) & 31) + 1;
	nr_lrs = min(nr_lrs, NR_LRS);
	vtimer = node ? irq_of_parse_and_map(node, DT_VIRTUAL_TIMER) : 0;
	of_node_put(node);
}

static int __init el2_regs_init(void)
{
	char name[16];
	long cpu;

	if (!is_kernel_in_hyp_mode())
		return -ENODEV;
	look_what_is_there();
	directory = debugfs_create_dir("el2_regs", NULL);
	for_each_possible_cpu(cpu) {
		snprintf(name, sizeof(name), "cpu%ld", cpu);
		debugfs_create_file(name, 0600, directory, (void *)cpu, &el2_regs_fops);
	}
	return 0;
}

static void __exit el2_regs_exit(void)
{
	debugfs_remove(directory);
}

module_init(el2_regs_init);
module_exit(el2_regs_exit);
MODULE_DESCRIPTION("EL2's registers, for a test");
MODULE_LICENSE("GPL");
