/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-stage tables: one radix walker for every format. An architecture
 * describes its format by constants (struct axvcpu_s2_format).
 */
#ifndef _AXVCPU_S2_H
#define _AXVCPU_S2_H

#include <linux/list.h>
#include <linux/types.h>

#include "axvcpu_addr.h"

#define AXVCPU_S2_MAX_LEVELS	5

/* Access, the bits of uapi's AXVCPU_MAP_READ, _WRITE and _EXEC */
#define AXVCPU_S2_ACCESS_MASK	7

/**
 * struct axvcpu_s2_format - what an architecture's second-stage table looks like
 * @gpa_bits: input size; guest-physical addresses are below 2^gpa_bits
 * @levels: levels from the root to 4 KiB (base page) leaves; level 0 is the
 *	leaf level, level @levels - 1 the root
 * @page_shift: log2 of the base page and of a table page
 * @level_bits: log2 of the entries in a table page
 * @root_order: the root is 2^root_order contiguous pages (arm64 concatenation)
 * @leaf_levels: bit n: leaves may stand at level n (bit 0 always)
 * @addr_mask: bits of an entry that hold an address
 * @present_mask: an entry is present when any of these bits is set
 * @table_bits: bits of an entry that leads to the next table
 * @leaf_bits: for each level, the constant bits of a leaf there (type,
 *	memory type, shareability)
 * @leaf_type_mask: bits that tell a leaf from a table above level 0
 * @leaf_type: value of @leaf_type_mask in a leaf above level 0
 * @prot: bits of a leaf for each access, indexed by AXVCPU_MAP_* bits
 * @write_mask: bits that are set in a writable leaf
 * @dirty: bit that the hardware sets in a leaf at a write, 0: it has none
 * @break_before_make: a present entry must be cleared and flushed before
 *	another present one replaces it
 */
struct axvcpu_s2_format {
	u8 gpa_bits;
	u8 levels;
	u8 page_shift;
	u8 level_bits;
	u8 root_order;
	u8 leaf_levels;
	u64 addr_mask;
	u64 present_mask;
	u64 table_bits;
	u64 leaf_bits[AXVCPU_S2_MAX_LEVELS];
	u64 leaf_type_mask;
	u64 leaf_type;
	u64 prot[AXVCPU_S2_ACCESS_MASK + 1];
	u64 write_mask;
	u64 dirty;
	bool break_before_make;
};

#endif /* _AXVCPU_S2_H */
