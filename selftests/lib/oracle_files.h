/* SPDX-License-Identifier: GPL-2.0-only */
/* What tools/oracle/generate leaves beside the program, and the list of known differences. */
#ifndef SELFTESTS_ORACLE_FILES_H
#define SELFTESTS_ORACLE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_MAX_KNOWN	200
#define ORACLE_MAX_SHOWN	400	/* programs that differ */
#define ORACLE_MAX_NAME		128

/**
 * struct oracle_file - a file in memory
 * @data: its bytes
 * @size: how many
 */
struct oracle_file {
	const void *data;
	size_t size;
};

/**
 * struct oracle_known - what may differ, a line of the list
 * @programs: a pattern of names
 * @wrong: in a vCPU it is wrong; otherwise it is as it should be
 * @hits: programs that differ and match
 */
struct oracle_known {
	char programs[64];
	bool wrong;
	unsigned int hits;
};

/**
 * struct oracle_verdict - how a comparison goes
 * @known: the list's lines that are about this mode
 * @nr_known: how many
 * @names: the next program's name, and those after it, a line each
 * @partial: not all programs are there, and not all that is listed need differ
 * @differ: programs that differ and are not listed
 * @wrong: those that are listed as wrong
 */
struct oracle_verdict {
	struct oracle_known known[ORACLE_MAX_KNOWN];
	unsigned int nr_known;
	const char *names;
	bool partial;
	unsigned int differ;
	unsigned int wrong;
};

bool oracle_load(struct oracle_file *file, const char *what, const char *mode);
bool oracle_begin(struct oracle_verdict *verdict, const char *mode);
bool oracle_next(struct oracle_verdict *verdict, bool same, char *name);
unsigned int oracle_end(struct oracle_verdict *verdict, const char *mode, unsigned int programs,
			unsigned int exits);
void oracle_say_hung(const struct oracle_verdict *verdict, unsigned int n);
void oracle_show(const char *what, uint64_t bare, uint64_t vcpu);

#endif /* SELFTESTS_ORACLE_FILES_H */
