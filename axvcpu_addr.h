/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest- and host-physical addresses as types of their own, so that one can't
 * be given for the other.
 */
#ifndef _AXVCPU_ADDR_H
#define _AXVCPU_ADDR_H

#include <linux/types.h>

/**
 * struct axvcpu_gpa - guest-physical address
 * @val: the address
 */
struct axvcpu_gpa {
	u64 val;
};

/**
 * struct axvcpu_hpa - host-physical address
 * @val: the address
 */
struct axvcpu_hpa {
	u64 val;
};

static inline struct axvcpu_gpa axvcpu_gpa(u64 val)
{
	return (struct axvcpu_gpa){ val };
}

static inline struct axvcpu_hpa axvcpu_hpa(u64 val)
{
	return (struct axvcpu_hpa){ val };
}

#endif /* _AXVCPU_ADDR_H */
