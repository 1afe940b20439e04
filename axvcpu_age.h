/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory ages as the process's own. */
#ifndef _AXVCPU_AGE_H
#define _AXVCPU_AGE_H

struct axvcpu_aspace;

int axvcpu_age_begin(struct axvcpu_aspace *aspace);
void axvcpu_age_end(struct axvcpu_aspace *aspace);
void axvcpu_age_exit(void);

#endif /* _AXVCPU_AGE_H */
