// SPDX-License-Identifier: GPL-2.0-only
/* Command lines by tables: getopt_long(), with messages of our own. */
#include <getopt.h>
#include <stdio.h>

#include "cmdline.h"
#include "exit_codes.h"
#include "help.h"
#include "report.h"

/* getopt_long() gives them back: an option's place in its table comes behind. */
enum {
	KEY_HELP = 'h',
	KEY_VERSION = 'V',
	KEY_FIRST = 256,
};

#define MAX_OPTIONS	32
#define TAKES_BYTES	256

static void make_table(const struct cmdline *cmd, struct option *table)
{
	for (const struct cmd_option *o = cmd->options; o->name; o++) {
		*table++ = (struct option){
			o->name, o->arg ? required_argument : no_argument, NULL,
			KEY_FIRST + (o - cmd->options)
		};
	}
	*table++ = (struct option){ "help", no_argument, NULL, KEY_HELP };
	*table++ = (struct option){ "version", no_argument, NULL, KEY_VERSION };
	*table = (struct option){ 0 };
}

static const char *takes(const struct cmdline *cmd, const struct cmd_option *option, char *buf)
{
	if (option->takes)
		return option->takes;
	cmd->takes(option, cmd->data, buf, TAKES_BYTES);
	return buf;
}

static int take_option(const struct cmdline *cmd, const struct cmd_option *option,
		       const char *value)
{
	const char *why = option->parse(value, cmd->data);
	char buf[TAKES_BYTES];

	if (!why)
		return 0;
	complain("--%s can't be '%s', %s; it takes %s", option->name, value, why,
		 takes(cmd, option, buf));
	return EXIT_USAGE;
}

static int no_value(const struct cmdline *cmd, const struct cmd_option *option)
{
	char buf[TAKES_BYTES];

	complain("--%s has no value; it takes %s", option->name, takes(cmd, option, buf));
	return EXIT_USAGE;
}

/* @key: an option with a value that it should not have, or an unknown letter; 0: neither. */
static int unknown(const struct cmdline *cmd, int key, const char *word)
{
	if (key >= KEY_FIRST || key == KEY_HELP || key == KEY_VERSION)
		complain("'%s' can't be: this option takes no value", word);
	else if (key)
		complain("unrecognized option '-%c': the options of axvmm have two dashes, "
			 "see '%s --help'", key, cmd->name);
	else
		complain("unrecognized option '%s', or the start of several: see '%s --help'", word,
			 cmd->name);
	return EXIT_USAGE;
}

static int take(const struct cmdline *cmd, int key, char **argv)
{
	switch (key) {
	case '?':
		return unknown(cmd, optopt, argv[optind - 1]);
	case ':':
		return no_value(cmd, &cmd->options[optopt - KEY_FIRST]);
	case KEY_HELP:
		print_help(cmd);
		end_after_print();
	case KEY_VERSION:
		print_version();
		end_after_print();
	default:
		return take_option(cmd, &cmd->options[key - KEY_FIRST], optarg);
	}
}

int cmdline_parse(const struct cmdline *cmd, int argc, char **argv)
{
	struct option table[MAX_OPTIONS];
	int key, status;

	make_table(cmd, table);
	opterr = 0;
	optind = 0;	/* from the start, whatever was read before */
	while ((key = getopt_long(argc, argv, ":hV", table, NULL)) != -1) {
		status = take(cmd, key, argv);
		if (status)
			return status;
	}
	for (; optind < argc; optind++) {
		status = cmd->word(argv[optind], cmd->data);
		if (status)
			return status;
	}
	return 0;
}
