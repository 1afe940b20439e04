/* SPDX-License-Identifier: GPL-2.0-only */
/* What debugfs shows. */
#ifndef _AXVCPU_DEBUGFS_H
#define _AXVCPU_DEBUGFS_H

struct axvcpu;

void axvcpu_debugfs_init(void);
void axvcpu_debugfs_exit(void);
void axvcpu_debugfs_add(struct axvcpu *vcpu);
void axvcpu_debugfs_del(struct axvcpu *vcpu);

#endif /* _AXVCPU_DEBUGFS_H */
