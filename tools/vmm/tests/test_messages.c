// SPDX-License-Identifier: GPL-2.0-only
/*
 * What axvmm says to a mistake, and the status that it ends with: axvmm itself,
 * as a process, up to the point where it would need the device.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch.h"
#include "array_size.h"
#include "tap.h"
#include "tests.h"

#define MAX_WORDS	16
#define NOBODY		65534
#define SOME_GROUP	64321

/* What came of a process: both its streams, and its status. */
static struct {
	char text[16384];
	int status;
} outcome;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- files of all kinds, in a directory of their own -------------------------- */

static char dir[] = "/tmp/axvmm-test-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t at, size_t len)
{
	int fd = openat(AT_FDCWD, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		die(name);
	close(fd);
}

static void write_dynamic(void)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
	} f = {
		.e = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
			.e_type = ET_DYN,
			.e_phoff = sizeof(f.e),
			.e_phentsize = sizeof(f.p),
			.e_phnum = 1,
		},
		.p = { .p_type = PT_INTERP },
	};

	f.e.e_machine = NATIVE_ARCH.elf_machines[1];
	write_file("dynamic", &f, 0, sizeof(f));
	f.e.e_machine = EM_S390;
	write_file("other", &f, 0, sizeof(f));
}

static void make_files(void)
{
	if (!mkdtemp(dir) || chmod(dir, 0755) || chdir(dir))
		die(dir);
	write_file("flat", "\xf4\xf4\xf4\xf4", 0, 4);
	write_file("empty", "", 0, 0);
	write_file("bzImage", "HdrS", 0x202, 4);
	write_file("Image", "ARM\x64", 0x38, 4);
	write_file("kernel.gz", "\x1f\x8b\x08", 0, 3);
	write_file("huge", "", 0, 0);
	write_file("secret", "\xf4", 0, 1);
	write_file("device", "", 0, 0);
	write_file("group-device", "", 0, 0);
	write_dynamic();
	if (truncate("huge", (1L << 30) + 1) || mkfifo("fifo", 0644) || mkdir("closed", 0755) ||
	    chmod("secret", 0) || chmod("device", 0) || chmod("group-device", 0660))
		die(dir);
	write_file("closed/flat", "\xf4", 0, 1);
	if (chmod("closed", 0) || chmod("flat", 0444))
		die("closed");
}

static void remove_files(void)
{
	static const char * const names[] = {
		"flat", "empty", "bzImage", "Image", "kernel.gz", "huge", "secret", "device",
		"group-device", "dynamic", "other", "fifo", "closed/flat",
	};

	chmod("closed", 0700);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(names[i]);
	rmdir("closed");
	rmdir(dir);
}

/* --- axvmm ------------------------------------------------------------------ */

/* Root may open anything: be somebody else. */
static void drop_privileges(void)
{
	if (!geteuid() && (setgid(NOBODY) || setuid(NOBODY)))
		_exit(126);
}

/* Split at blanks, in place; '' is an empty word. */
static void split(char *line, char **argv)
{
	char *save, *word = strtok_r(line, " ", &save);
	int argc = 0;

	while (word && argc < MAX_WORDS - 1) {
		if (!strcmp(word, "''"))
			*word = '\0';
		argv[argc++] = word;
		word = strtok_r(NULL, " ", &save);
	}
	argv[argc] = NULL;
}

static void execute(int axvmm, const char *line, int out)
{
	char copy[256], *argv[MAX_WORDS], *envp[] = { NULL };

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, argv);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	drop_privileges();
	fexecve(axvmm, argv, envp);
	_exit(127);
}

static void run_line(int axvmm, const char *line)
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		execute(axvmm, line, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], outcome.text + used, sizeof(outcome.text) - 1 - used)) > 0)
		used += n;
	outcome.text[used] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A command line, the status, and two things that are said. */
struct ending {
	const char *line;
	int status;
	const char *text;
	const char *more;
};

#define GUEST_IS	"a guest is an ELF file linked to fixed addresses, or a flat file"
#define DEVICE		"axvmm info --device "

static const struct ending endings[] = {
	{ "axvmm", 64, "Usage: axvmm COMMAND", "  run FILE" },
	{ "axvmm fly", 64, "no command 'fly'", "'axvmm run FILE' and 'axvmm info'" },
	{ "axvmm --fly", 64, "no command '--fly'", "" },
	{ "axvmm --version", 0, "axvmm 0.", "" },
	{ "axvmm --help", 0, "Usage: axvmm COMMAND", "axvmm(1)" },
	{ "axvmm run --help", 0, "--mem=SIZE", "There is no input" },
	{ "axvmm info --help", 0, "--json", "" },
	{ "axvmm info more", 64, "'more' is one argument too many", "" },
	{ "axvmm info --none", 64, "unrecognized option '--none'", "'axvmm info --help'" },
	{ "axvmm run", 64, "which FILE?", "" },
	{ "axvmm run --mem 64 flat", 64, "--mem can't be '64'", "did you mean 64M?" },
	{ "axvmm run --cpus 0 flat", 64, "--cpus can't be '0'", "from 1 to 64" },
	{ "axvmm run --mode 64 flat", 64, "--mode can't be '64'", "which is no mode; it takes " },

	{ "axvmm run bzImage", 65, "bzImage can't be run: it is a Linux kernel for x86", GUEST_IS },
	{ "axvmm run Image", 65, "Image can't be run: it is a Linux kernel for arm64", GUEST_IS },
	{ "axvmm run kernel.gz", 65, "it is compressed by gzip: unpack it first", GUEST_IS },
	{ "axvmm run dynamic", 65, "it is a program for Linux, dynamically linked", GUEST_IS },
	{ "axvmm run other", 65, "it is a 64-bit ELF file for s390; guests here are ", GUEST_IS },
	{ "axvmm run empty", 65, "it is empty", GUEST_IS },
	{ "axvmm run ''", 64, "the name of the FILE is empty", "" },
	{ "axvmm run none", 66, "none: No such file", "" },
	{ "axvmm run .", 66, ". is a directory", "" },
	{ "axvmm run fifo", 66, "fifo is no regular file", "" },
	{ "axvmm run /dev/null", 66, "/dev/null is no regular file", "" },
	{ "axvmm run huge", 66, "huge has more than 1 GiB", "" },
	{ "axvmm run secret", 66, "secret: Permission denied", "'chmod a+r secret'" },
	{ "axvmm run closed/flat", 66, "closed/flat: Permission denied",
	  "a directory on the way to it may not be searched" },

	{ DEVICE "none", 71, "modprobe axvcpu", "" },
	{ DEVICE "/dev/null", 71, "/dev/null: ", "not an axvcpu device" },
	{ DEVICE "flat", 71, "flat: ", "(EACCES)" },
	{ DEVICE ".", 71, ".: opening the device: ", "(EISDIR)" },
	{ DEVICE "closed/flat", 71, "(EACCES)", "a directory on the way to it" },
	{ DEVICE "device", 71, "(EACCES)\naxvmm: its mode is 0000", "a udev rule, see axvcpu(4)" },
	{ "axvmm run --device device flat", 71, "(EACCES)\naxvmm: its mode is 0000", "udev" },
};

/* Only root can give a file to a group that it is not in. */
static const struct ending root_endings[] = {
	{ DEVICE "group-device", 71, "(EACCES)\naxvmm: group 64321 may open it",
	  "usermod -aG 64321 USER" },
};

static void test_endings(int axvmm, const struct ending *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool right;

		run_line(axvmm, list[i].line);
		right = outcome.status == list[i].status && strstr(outcome.text, list[i].text) &&
			strstr(outcome.text, list[i].more);
		ok(right, "%s: %d", list[i].line, list[i].status);
		if (!right)
			printf("# status %d, and it said: %s# want: %s ... %s\n", outcome.status,
			       outcome.text, list[i].text, list[i].more);
	}
}

void test_messages(const char *path)
{
	int axvmm = open(path, O_RDONLY | O_CLOEXEC);

	if (axvmm < 0)
		die(path);
	make_files();
	test_endings(axvmm, endings, ARRAY_SIZE(endings));
	if (!geteuid() && !chown("group-device", 0, SOME_GROUP))
		test_endings(axvmm, root_endings, ARRAY_SIZE(root_endings));
	remove_files();
	close(axvmm);
}
