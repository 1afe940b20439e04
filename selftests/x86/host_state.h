/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What host_state.c and its assembler code share: where the registers of a
 * guest and of a thread stand in memory.
 */
#ifndef _SELFTESTS_HOST_STATE_H
#define _SELFTESTS_HOST_STATE_H

/* The ports on which the guest says how far it is */
#define PORT_LOADED	0x10	/* it has the registers that it was given */
#define PORT_STORED	0x11	/* it has written down those that it has */
#define PORT_GOOD	0x12	/* it did what the test is about */
#define PORT_BAD	0x13	/* it did not */

#define GUEST_CODE_SEL	0x08
#define GUEST_DATA_SEL	0x10
#define GUEST_LDT_SEL	0x18
#define GUEST_TSS_SEL	0x28
#define GUEST_GDT_SIZE	0x38
#define GUEST_NR_GATES	16

#define GUEST_NR_MSRS	12

/* Offsets into struct guest_state */
#define GS_FXSAVE	0
#define GS_GPR		512
#define GS_RFLAGS	640
#define GS_CR2		648
#define GS_CR8		656
#define GS_DR		664
#define GS_MSR		712
#define GS_GDTR		816
#define GS_IDTR		832
#define GS_SEG		842
#define GS_SIZE		864

/* Offsets into struct thread_state */
#define TS_XSAVE	0
#define TS_RFLAGS	1024
#define TS_FS_BASE	1032
#define TS_GS_BASE	1040
#define TS_SEG		1048
#define TS_SIZE		1088

#ifndef __ASSEMBLER__
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of instruction encodings */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* Of struct guest_state.seg; the first four of struct thread_state.seg too */
enum { SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, SEG_TR, SEG_LDTR, NR_SEGS };
#define NR_THREAD_SEGS	4

/* What LGDT and LIDT read, SGDT and SIDT write */
struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* A guest's registers */
struct guest_state {
	uint8_t fxsave[512];
	uint64_t gpr[16];
	uint64_t rflags;
	uint64_t cr2;
	uint64_t cr8;
	uint64_t dr[6];			/* 0 to 3, 6, 7 */
	uint64_t msr[GUEST_NR_MSRS];	/* guest_msrs */
	struct table_register gdtr __attribute__((aligned(16)));
	struct table_register idtr __attribute__((aligned(16)));
	uint16_t seg[NR_SEGS];
} __attribute__((aligned(16)));

/* A thread's registers that RUN must not change */
struct thread_state {
	uint8_t xsave[1024];		/* x87, SSE, AVX */
	uint64_t rflags;
	uint64_t fs_base;
	uint64_t gs_base;
	uint16_t seg[NR_THREAD_SEGS];
} __attribute__((aligned(64)));

#define AT(type, field, offset) \
	static_assert(offsetof(struct type, field) == (offset), #type "." #field)
AT(guest_state, gpr, GS_GPR);
AT(guest_state, rflags, GS_RFLAGS);
AT(guest_state, cr2, GS_CR2);
AT(guest_state, cr8, GS_CR8);
AT(guest_state, dr, GS_DR);
AT(guest_state, msr, GS_MSR);
AT(guest_state, gdtr, GS_GDTR);
AT(guest_state, idtr, GS_IDTR);
AT(guest_state, seg, GS_SEG);
AT(thread_state, rflags, TS_RFLAGS);
AT(thread_state, fs_base, TS_FS_BASE);
AT(thread_state, gs_base, TS_GS_BASE);
AT(thread_state, seg, TS_SEG);
static_assert(sizeof(struct guest_state) == GS_SIZE, "guest_state");
static_assert(sizeof(struct thread_state) == TS_SIZE, "thread_state");

/*
 * The guest's code and data, which is copied into its memory: it does not
 * matter where to. Its entries, and what of its data the test reads and writes.
 */
extern const uint8_t guest_image[], guest_image_end[];
extern const uint8_t guest_registers[], guest_fpu[], guest_syscall[], guest_watch[];
extern const uint8_t guest_want[], guest_got[], guest_args[];
extern const uint8_t guest_gdt[], guest_gdtr[], guest_idt[], guest_idtr[];
extern const uint8_t guest_debug[];
extern const uint32_t guest_msrs[GUEST_NR_MSRS];

/*
 * RUN from a thread with certain registers. Nothing else happens between the
 * loading of @want and the storing of @got. Returns what the kernel does.
 */
long run_with_registers(int fd, const struct thread_state *want, struct thread_state *got,
			unsigned int cmd);
#endif /* __ASSEMBLER__ */

#endif /* _SELFTESTS_HOST_STATE_H */
