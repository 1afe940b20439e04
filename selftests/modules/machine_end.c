// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the machine up for a while after all hooks for its end have been called. */
#include <linux/delay.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/reboot.h>

#define WINDOW_MS	100

static int widen_window(struct notifier_block *nb, unsigned long action, void *data)
{
	msleep(WINDOW_MS);
	return NOTIFY_DONE;
}

static struct notifier_block last = {
	.notifier_call = widen_window,
	.priority = INT_MIN,
};

static int __init machine_end_init(void)
{
	return register_reboot_notifier(&last);
}
module_init(machine_end_init);

static void __exit machine_end_exit(void)
{
	unregister_reboot_notifier(&last);
}
module_exit(machine_end_exit);

MODULE_DESCRIPTION("Widens the window between the end's hooks and the end");
MODULE_LICENSE("GPL");
