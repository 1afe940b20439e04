/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines by tables: options, messages, help. */
#ifndef AXVMM_CMDLINE_H
#define AXVMM_CMDLINE_H

#include <stddef.h>

/**
 * struct cmd_option - an option
 * @name: its name, without the dashes; NULL: the table ends
 * @arg: what the help calls its value; NULL: it has none
 * @help: what it is for
 * @takes: its value in words, for messages; NULL: &struct cmdline.takes tells
 * @parse: take the value, or NULL, which goes to @data; return NULL, or what is
 *	wrong with the value, to go on after "'VALUE', "
 */
struct cmd_option {
	const char *name;
	const char *arg;
	const char *help;
	const char *takes;
	const char *(*parse)(const char *value, void *data);
};

/**
 * struct cmdline - a command
 * @name: its name, as it is called
 * @words: what it takes beside options, for the help; "" for nothing
 * @doc: what it does, for the help
 * @after: more, for the help's end, or NULL
 * @options: its options
 * @help: another text for an option's help, or NULL; may itself be NULL
 * @takes: write an option's @takes, where its table has none; may be NULL
 * @word: take a word that is no option; return 0 or an exit status, after a
 *	message
 * @data: for the functions
 */
struct cmdline {
	const char *name;
	const char *words;
	const char *doc;
	const char *after;
	const struct cmd_option *options;
	const char *(*help)(const struct cmd_option *option, void *data);
	void (*takes)(const struct cmd_option *option, void *data, char *buf, size_t size);
	int (*word)(const char *word, void *data);
	void *data;
};

/**
 * cmdline_parse() - read a command line
 * @cmd: the command
 * @argc: words
 * @argv: the words; the first is the command itself. They are put in order
 *
 * With --help or --version, the process ends here.
 *
 * Return: 0, or %EXIT_USAGE after a message.
 */
int cmdline_parse(const struct cmdline *cmd, int argc, char **argv);

#endif /* AXVMM_CMDLINE_H */
