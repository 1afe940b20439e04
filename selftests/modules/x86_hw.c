// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does to a CPU what a firmware, a crash or another hypervisor might, so that the VMX
 * instructions of axvcpu fail: debugfs's x86_hw/cpu<n> takes one of the words below, and
 * tells the CPU's CR0 and CR4.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/vmx.h>

/* VMXON faults without it: SDM vol. 3, 24.8. */
static void clear_ne(void)
{
	native_write_cr0(native_read_cr0() & ~X86_CR0_NE);
}

static void set_ne(void)
{
	native_write_cr0(native_read_cr0() | X86_CR0_NE);
}

static void clear_vmxe(void)
{
	cr4_clear_bits(X86_CR4_VMXE);
}

static void set_vmxe(void)
{
	cr4_set_bits(X86_CR4_VMXE);
}

static void vmxoff(void)
{
	asm volatile("vmxoff" : : : "cc", "memory");
}

/* Whichever VMCS is current, none is after this. */
static void vmclear(void)
{
	u64 pa;

	asm volatile("vmptrst %0" : "=m" (pa) : : "cc");
	asm volatile("vmclear %0" : : "m" (pa) : "cc", "memory");
}

static void vmwrite(unsigned long field, unsigned long value)
{
	asm volatile("vmwrite %1, %0" : : "r" (field), "r" (value) : "cc", "memory");
}

/* Of the current VMCS: controls that no CPU allows, then a host state that none does */
static void break_controls(void)
{
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, 0);
}

static void break_host_state(void)
{
	vmwrite(HOST_CR0, 0);
}

static const struct {
	const char *word;
	void (*act)(void);
} actions[] = {
	{ "clear_ne", clear_ne },
	{ "set_ne", set_ne },
	{ "clear_vmxe", clear_vmxe },
	{ "set_vmxe", set_vmxe },
	{ "vmxoff", vmxoff },
	{ "vmclear", vmclear },
	{ "break_controls", break_controls },
	{ "break_host_state", break_host_state },
};

static struct dentry *dir;

static void act_here(void *act)
{
	((void (*)(void))act)();
}

static ssize_t act_on_cpu(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	long cpu = (long)file_inode(file)->i_private;
	char word[32];
	ssize_t ret;
	size_t i;

	ret = simple_write_to_buffer(word, sizeof(word) - 1, pos, buf, len);
	if (ret < 0)
		return ret;
	word[ret] = '\0';
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (sysfs_streq(word, actions[i].word))
			return smp_call_function_single(cpu, act_here, actions[i].act, 1) ?: len;
	}
	return -EINVAL;
}

static void read_here(void *values)
{
	unsigned long *crs = values;

	crs[0] = native_read_cr0();
	crs[1] = native_read_cr4();
}

static ssize_t read_cpu(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	long cpu = (long)file_inode(file)->i_private;
	unsigned long crs[2];
	char text[64];
	int ret;

	ret = smp_call_function_single(cpu, read_here, crs, 1);
	if (ret)
		return ret;
	ret = scnprintf(text, sizeof(text), "%lx %lx\n", crs[0], crs[1]);
	return simple_read_from_buffer(buf, len, pos, text, ret);
}

static const struct file_operations cpu_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= read_cpu,
	.write	= act_on_cpu,
	.llseek	= default_llseek,
};

static int __init x86_hw_init(void)
{
	char name[16];
	long cpu;

	dir = debugfs_create_dir("x86_hw", NULL);
	for_each_possible_cpu(cpu) {
		scnprintf(name, sizeof(name), "cpu%ld", cpu);
		debugfs_create_file(name, 0600, dir, (void *)cpu, &cpu_fops);
	}
	return 0;
}
module_init(x86_hw_init);

static void __exit x86_hw_exit(void)
{
	debugfs_remove(dir);
}
module_exit(x86_hw_exit);

MODULE_DESCRIPTION("Makes VMX instructions fail, for a test");
MODULE_LICENSE("GPL");
