/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AXVMM_ARRAY_SIZE_H
#define AXVMM_ARRAY_SIZE_H

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* AXVMM_ARRAY_SIZE_H */
