// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives the CPU that it is loaded on an LDT, with one segment of data for userspace: what
 * modify_ldt() does, which a kernel may be without. Such a kernel leaves LDTR alone.
 */
#include <linux/module.h>
#include <linux/smp.h>

#include <asm/desc.h>

/* Present, DPL 3, data, writable, accessed; flat */
static struct desc_struct ldt[] = { GDT_ENTRY_INIT(0xc0f3, 0, 0xfffff) };

static unsigned int cpu;

static void load(void *entries)
{
	native_set_ldt(ldt, (unsigned long)entries);
}

static int __init x86_ldt_init(void)
{
	/* The processor looks for it with the page tables of the user, where it is not. */
	if (boot_cpu_has(X86_FEATURE_PTI))
		return -EOPNOTSUPP;
	cpu = get_cpu();
	load((void *)ARRAY_SIZE(ldt));
	put_cpu();
	return 0;
}
module_init(x86_ldt_init);

static void __exit x86_ldt_exit(void)
{
	smp_call_function_single(cpu, load, NULL, true);
}
module_exit(x86_ldt_exit);

MODULE_DESCRIPTION("Loads an LDT, for a test");
MODULE_LICENSE("GPL");
