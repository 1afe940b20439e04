// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a fault looks at and brings in. Nothing here can make a fault wrong,
 * only slow.
 *
 * A fault looks at the pages around the one at hand, aligned. When all of them
 * turn out to be there, and new to the table, many more are likely to be wanted
 * soon: then it looks at AXVCPU_FAR_PAGES. Neither goes beyond one level-0 table.
 *
 * The host is asked to bring in the page at hand, and no other but where the
 * guest goes through absent memory page by page: then up to AXVCPU_NEAR_PAGES
 * ahead. Where it had to do that last time, only one fault in AXVCPU_NEAR_PAGES
 * looks around.
 */
#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>

#include "axvcpu_faultaround.h"

/* Up to @pages pages of the range, aligned, around an address */
static void look_around(struct axvcpu_faultaround *around, const struct axvcpu_range *range,
			u64 gpa, unsigned int pages)
{
	u64 size = (u64)pages << PAGE_SHIFT;
	u64 first = round_down(gpa, size);
	u64 last = min_t(u64, first + size - 1, range->node.last);

	around->first = max_t(u64, first, range->node.start);
	around->pages = (last + 1 - around->first) >> PAGE_SHIFT;
}

/*
 * How many pages to bring in: one, or more and more for a guest that goes from
 * page to page, but not beyond the aligned window.
 */
static unsigned int pages_ahead(struct axvcpu_range *range, u64 gpa)
{
	struct axvcpu_faultaround_hints *hints = &range->hints;
	unsigned int room = AXVCPU_NEAR_PAGES - (PHYS_PFN(gpa) & (AXVCPU_NEAR_PAGES - 1));
	unsigned int ahead = 1;

	if (READ_ONCE(hints->next) == gpa)
		ahead = min(2 * READ_ONCE(hints->ahead), AXVCPU_NEAR_PAGES);
	WRITE_ONCE(hints->ahead, ahead);
	ahead = min_t(u64, min(ahead, room), PHYS_PFN(range->node.last - gpa) + 1);
	WRITE_ONCE(hints->next, gpa + ahead * PAGE_SIZE);
	return ahead;
}

/**
 * axvcpu_faultaround_begin() - before a fault's first look
 * @around: written
 * @range: the range
 * @gpa: page that the guest asked for
 * @alone: look at that page only
 *
 * Context: any.
 */
void axvcpu_faultaround_begin(struct axvcpu_faultaround *around, struct axvcpu_range *range,
			      u64 gpa, bool alone)
{
	bool absent = READ_ONCE(range->hints.absent);

	around->absent = absent;
	around->wanted = absent && !alone ? pages_ahead(range, gpa) : 1;
	if (alone || (absent && gpa & (AXVCPU_NEAR_PAGES * PAGE_SIZE - 1))) {
		around->first = gpa;
		around->pages = around->wanted;
	} else {
		look_around(around, range, gpa, AXVCPU_NEAR_PAGES);
	}
}

/**
 * axvcpu_faultaround_missed() - the host has nothing at the page at hand
 * @around: the fault's; from now on the host brings pages in
 * @range: the range
 * @gpa: the page
 *
 * Context: any.
 */
void axvcpu_faultaround_missed(struct axvcpu_faultaround *around, struct axvcpu_range *range,
			       u64 gpa)
{
	if (around->absent)
		return;
	around->absent = true;
	WRITE_ONCE(range->hints.ahead, 1);
	WRITE_ONCE(range->hints.next, gpa + PAGE_SIZE);
}

/**
 * axvcpu_faultaround_end() - the page is in the table
 * @around: the fault's
 * @range: the range
 * @filled: pages that are new to the table
 *
 * Context: any.
 * Return: whether a look at axvcpu_faultaround_far() is likely to pay.
 */
bool axvcpu_faultaround_end(const struct axvcpu_faultaround *around, struct axvcpu_range *range,
			    unsigned int filled)
{
	/* With neighbours that nobody had asked for yet, the host is ahead of the guest. */
	WRITE_ONCE(range->hints.absent, around->absent && filled <= around->wanted);
	return filled > around->wanted && filled == around->pages;
}

/**
 * axvcpu_faultaround_far() - look further
 * @around: written
 * @range: the range
 * @gpa: page that the guest asked for
 *
 * Context: any.
 */
void axvcpu_faultaround_far(struct axvcpu_faultaround *around, const struct axvcpu_range *range,
			    u64 gpa)
{
	look_around(around, range, gpa, AXVCPU_FAR_PAGES);
}
