// SPDX-License-Identifier: GPL-2.0-only
/* axvmm: a small virtual machine monitor on axvcpu. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array_size.h"
#include "exit_codes.h"
#include "image.h"
#include "info.h"
#include "machine.h"
#include "options.h"
#include "report.h"

/* Larger than any guest's file; keeps a device or a mistake from filling memory. */
#define FILE_MAX_BYTES	(1ULL << 30)

const char *argp_program_version = "axvmm " AXVMM_VERSION;
const struct guest_arch *const native_arch = &NATIVE_ARCH;

/* Return: the file's bytes, or NULL after a message. */
static void *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	struct stat st;
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st))
		goto fail;
	if (!S_ISREG(st.st_mode)) {
		complain("%s is no file", path);
		goto close;
	}
	if ((uint64_t)st.st_size > FILE_MAX_BYTES) {
		complain("%s is larger than any guest", path);
		goto close;
	}
	data = malloc(st.st_size + 1);
	if (!data)
		goto fail;
	while (used < (size_t)st.st_size) {
		n = read(fd, data + used, st.st_size - used);
		if (n <= 0)
			break;
		used += n;
	}
	if (n < 0)
		goto fail;
	close(fd);
	*size = used;
	return data;

fail:
	complain("%s: %s", path, strerror(errno));
close:
	free(data);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int command_run(int argc, char **argv)
{
	struct run_options opt;
	struct image image;
	const char *why;
	size_t size;
	void *data;
	int status;

	if (parse_run_options(argc, argv, native_arch, &opt, 0))
		return EXIT_USAGE;
	data = read_file(opt.file, &size);
	if (!data)
		return EXIT_NO_FILE;

	why = image_parse(data, size, opt.arch->elf_machines, &image);
	if (why) {
		complain("%s can't be run: %s", opt.file, why);
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

	if (parse_info_options(argc, argv, &opt, 0))
		return EXIT_USAGE;
	return print_info(&opt);
}

static const struct command {
	const char *name;
	char *full_name;
	int (*fn)(int argc, char **argv);
} commands[] = {
	{ "run", "axvmm run", command_run },
	{ "info", "axvmm info", command_info },
};

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	const struct command **command = state->input;

	if (key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(arg, commands[i].name)) {
			/* The rest is the command's: stop here. */
			*command = &commands[i];
			state->next = state->argc;
			return 0;
		}
	}
	argp_error(state, "there is no command '%s'", arg);
	return EINVAL;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_command,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Run guests on /dev/axvcpu.\v"
		       "Commands:\n"
		       "  run FILE  run a guest\n"
		       "  info      tell what the device is and can do\n\n"
		       "'axvmm COMMAND --help' tells more; so does axvmm(1).",
	};
	const struct command *command = NULL;
	int first = 1;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
	while (strcmp(argv[first], command->name))
		first++;
	argv[first] = command->full_name;
	return command->fn(argc - first, argv + first);
}
