/* SPDX-License-Identifier: GPL-2.0-only */
/* EPT: its format, and forgetting translations. */
#ifndef _AXVCPU_EPT_H
#define _AXVCPU_EPT_H

#include <linux/types.h>

#include "../../axvcpu_arch.h"

extern struct axvcpu_s2_format ept_format;

u64 ept_caps(void);
void ept_init(void);
int ept_pointer(struct axvcpu_hpa root, u64 *eptp);
void ept_flush(u64 eptp);
void ept_flush_all(void);

#endif /* _AXVCPU_EPT_H */
