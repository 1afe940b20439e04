/* SPDX-License-Identifier: GPL-2.0-only */
/* What the runner leaves, whatever the architecture. */
#ifndef ORACLE_REPORTS_H
#define ORACLE_REPORTS_H

#define ORACLE_MAGIC		0x6c63726f

#ifndef __ASSEMBLER__

#include <linux/types.h>

/**
 * struct oracle_reports - what the runner leaves
 * @magic: ORACLE_MAGIC, when it is complete
 * @count: reports
 * @size: of them all, in bytes, this header included
 * @reserved: 0
 */
struct oracle_reports {
	__u32 magic;
	__u32 count;
	__u32 size;
	__u32 reserved;
};

#endif /* __ASSEMBLER__ */

#endif /* ORACLE_REPORTS_H */
