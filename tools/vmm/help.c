// SPDX-License-Identifier: GPL-2.0-only
/* What --help and --version print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_codes.h"
#include "help.h"

#define LINE_COLUMNS	79
#define HELP_COLUMN	29

/* Words of a text from column @at on, wrapped; further lines start at @indent. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > indent && at + 1 + len > LINE_COLUMNS) {
			putchar('\n');
			at = 0;
		}
		if (at > indent)
			at += printf(" ");
		at += printf("%*s%.*s", at < indent ? (int)(indent - at) : 0, "", (int)len, text);
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static void print_option(const char *name, const char *arg, const char *help)
{
	int at = printf("  --%s%s%s", name, arg ? "=" : "", arg ? arg : "");

	if (at >= HELP_COLUMN) {
		putchar('\n');
		at = 0;
	}
	print_wrapped(help, at, HELP_COLUMN);
}

static const char *help_of(const struct cmdline *cmd, const struct cmd_option *option)
{
	const char *other = cmd->help ? cmd->help(option, cmd->data) : NULL;

	return other ? other : option->help;
}

void print_help(const struct cmdline *cmd)
{
	printf("Usage: %s [OPTION...]%s%s\n", cmd->name, *cmd->words ? " " : "", cmd->words);
	print_wrapped(cmd->doc, 0, 0);
	putchar('\n');
	for (const struct cmd_option *o = cmd->options; o->name; o++)
		print_option(o->name, o->arg, help_of(cmd, o));
	print_option("help", NULL, "Print this");
	print_option("version", NULL, "Print axvmm's version");
	if (cmd->after) {
		putchar('\n');
		print_wrapped(cmd->after, 0, 0);
	}
}

void print_version(void)
{
	puts("axvmm " AXVMM_VERSION);
}

void end_after_print(void)
{
	exit(fflush(stdout) || ferror(stdout) ? EXIT_OUTPUT : 0);
}
