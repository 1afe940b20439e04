// SPDX-License-Identifier: GPL-2.0-only
/* axvmm: a small virtual machine monitor on axvcpu. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "exit_codes.h"
#include "file.h"
#include "help.h"
#include "image.h"
#include "info.h"
#include "machine.h"
#include "options.h"
#include "report.h"

const struct guest_arch *const native_arch = &NATIVE_ARCH;

static int command_run(int argc, char **argv)
{
	struct run_options opt;
	struct image image;
	const char *why;
	size_t size;
	void *data;
	int status;

	if (parse_run_options(argc, argv, native_arch, &opt))
		return EXIT_USAGE;
	data = read_file(opt.file, &size);
	if (!data)
		return EXIT_NO_FILE;

	why = image_parse(data, size, opt.arch->elf_machines, &image);
	if (why) {
		complain("%s can't be run: %s", opt.file, why);
		complain("a guest is an ELF file linked to fixed addresses, or a flat file of "
			 "machine code; axvmm boots no operating system, see axvmm(1)");
		status = EXIT_BAD_FILE;
	} else {
		status = machine_run(&opt, &image);
	}
	free(data);
	return status;
}

static int command_info(int argc, char **argv)
{
	struct info_options opt;

	if (parse_info_options(argc, argv, &opt))
		return EXIT_USAGE;
	return print_info(&opt);
}

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
} commands[] = {
	{ "run", command_run },
	{ "info", command_info },
};

static const char usage[] =
	"Usage: axvmm COMMAND [ARGUMENT...]\n"
	"Run guests on /dev/axvcpu.\n\n"
	"Commands:\n"
	"  run FILE  run a guest\n"
	"  info      tell what the device is and can do\n\n"
	"'axvmm COMMAND --help' tells more; so does axvmm(1). 'axvmm --version' prints\n"
	"the version.\n";

static void take_option(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		fputs(usage, stdout);
		end_after_print();
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		print_version();
		end_after_print();
	}
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	take_option(argv[1]);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].fn(argc - 1, argv + 1);
	}
	complain("there is no command '%s'; the commands are 'axvmm run FILE' and 'axvmm info'",
		 argv[1]);
	return EXIT_USAGE;
}
