/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel's configuration has because gcc made it; see clang-kbuild. */
#undef CONFIG_USE_X86_SEG_SUPPORT
