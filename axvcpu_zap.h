/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves out of the table, and out of every CPU. */
#ifndef _AXVCPU_ZAP_H
#define _AXVCPU_ZAP_H

#include <linux/types.h>

struct axvcpu_aspace;
struct axvcpu_range;

void axvcpu_zap_range(struct axvcpu_range *range, u64 gpa, u64 end, bool may_sleep);
void axvcpu_zap_clean(struct axvcpu_range *range, u64 gpa, u64 end);
void axvcpu_zap_user(struct axvcpu_aspace *aspace, unsigned long first, unsigned long last,
		     bool may_sleep);
bool axvcpu_zap_age(struct axvcpu_aspace *aspace, unsigned long first, unsigned long last,
		    bool clear, bool flush);

#endif /* _AXVCPU_ZAP_H */
