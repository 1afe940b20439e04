/* SPDX-License-Identifier: GPL-2.0-only */
/* What entry.S has: the world switch, which vmx_run.c calls with its own conventions. */
#ifndef _AXVCPU_ENTRY_H
#define _AXVCPU_ENTRY_H

/* Where an exit comes to: HOST_RIP */
extern const char vmx_vmexit[];

#endif /* _AXVCPU_ENTRY_H */
