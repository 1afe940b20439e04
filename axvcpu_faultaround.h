/* SPDX-License-Identifier: GPL-2.0-only */
/* How much a fault looks at and brings in. */
#ifndef _AXVCPU_FAULTAROUND_H
#define _AXVCPU_FAULTAROUND_H

#include <linux/types.h>

#include "axvcpu_range.h"

/* Pages that a fault looks at, at most: around the one at hand, and when it pays */
#define AXVCPU_NEAR_PAGES	16
#define AXVCPU_FAR_PAGES	512

/**
 * struct axvcpu_faultaround - what one fault is to do
 * @first: guest-physical address of the first page to look at
 * @pages: how many to look at
 * @absent: the host brings in pages before the look
 * @wanted: how many, from the one at hand on
 */
struct axvcpu_faultaround {
	u64 first;
	unsigned int pages;
	bool absent;
	unsigned int wanted;
};

void axvcpu_faultaround_begin(struct axvcpu_faultaround *around, struct axvcpu_range *range,
			      u64 gpa, bool alone);
void axvcpu_faultaround_missed(struct axvcpu_faultaround *around, struct axvcpu_range *range,
			       u64 gpa);
bool axvcpu_faultaround_end(const struct axvcpu_faultaround *around, struct axvcpu_range *range,
			    unsigned int filled);
void axvcpu_faultaround_far(struct axvcpu_faultaround *around, const struct axvcpu_range *range,
			    u64 gpa);

#endif /* _AXVCPU_FAULTAROUND_H */
