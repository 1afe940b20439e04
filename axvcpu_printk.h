/* SPDX-License-Identifier: GPL-2.0-only */
/* Kbuild includes this before every file: each line in the kernel's log names the module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
