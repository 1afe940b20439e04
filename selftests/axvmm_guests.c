// SPDX-License-Identifier: GPL-2.0-only
/*
 * axvmm from outside: each example guest with its expected output and status,
 * and what axvmm does with wrong words, bad files, signals and a time limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"

#define GUESTS		"/guests/"
#define MAX_WORDS	32
#define MAX_GUESTS	64
#define LIMIT_MS	60000

/* What came of a program. */
struct outcome {
	char out[65536];
	char err[65536];
	int status;		/* as the shell tells it */
	bool hung;
};

static struct outcome outcome;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static pid_t start(char **argv, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

/* Append what is in @fd to @buf; return false at its end. */
static bool take(int fd, char *buf, size_t size)
{
	size_t used = strlen(buf);
	char drop[256];
	ssize_t n;

	if (used < size - 1)
		n = read(fd, buf + used, size - 1 - used);
	else
		n = read(fd, drop, sizeof(drop));
	if (n > 0 && used < size - 1)
		buf[used + n] = '\0';
	return n > 0;
}

/*
 * Run a program to its end. Its standard output goes to @path, if there is one.
 * With @signo, it gets that signal as soon as it has printed something.
 */
static void run(char **argv, const char *path, int signo)
{
	long long until = now_ms() + LIMIT_MS;
	int out[2], err[2], status;
	struct pollfd fds[2];
	bool sent = false;
	pid_t pid;

	memset(&outcome, 0, sizeof(outcome));
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	if (path) {
		close(out[1]);
		out[1] = open(path, O_WRONLY | O_CLOEXEC);
	}
	pid = start(argv, out[1], err[1]);
	if (pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	close(out[1]);
	close(err[1]);

	fds[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		long long left = until - now_ms();

		if (left <= 0) {
			outcome.hung = true;
			kill(pid, SIGKILL);
			break;
		}
		if (poll(fds, 2, left) <= 0)
			continue;
		if (fds[0].revents && !take(out[0], outcome.out, sizeof(outcome.out)))
			fds[0].fd = -1;
		if (fds[1].revents && !take(err[0], outcome.err, sizeof(outcome.err)))
			fds[1].fd = -1;
		if (signo && !sent && outcome.out[0]) {
			kill(pid, signo);
			sent = true;
		}
	}
	close(out[0]);
	close(err[0]);
	waitpid(pid, &status, 0);
	outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Split at blanks, in place. */
static void split(char *line, char **argv)
{
	char *save, *word = strtok_r(line, " ", &save);
	int argc = 0;

	while (word && argc < MAX_WORDS - 1) {
		argv[argc++] = word;
		word = strtok_r(NULL, " ", &save);
	}
	argv[argc] = NULL;
}

static void run_line(const char *line, const char *path, int signo)
{
	char copy[512], *argv[MAX_WORDS];

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, argv);
	run(argv, path, signo);
}

static void complain(const char *what)
{
	ksft_print_msg("%s; status %d%s, standard output:\n%s", what, outcome.status,
		       outcome.hung ? ", hung" : "", outcome.out);
	ksft_print_msg("standard error:\n%s", outcome.err);
}

/* Status @status, and @text (if any) on standard error? */
static bool ended(int status, const char *text)
{
	if (!outcome.hung && outcome.status == status && (!text || strstr(outcome.err, text)))
		return true;
	ksft_print_msg("expected status %d and \"%s\"\n", status, text ? text : "");
	complain("it was otherwise");
	return false;
}

static bool read_text(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return false;
	n = fread(buf, 1, size - 1, file);
	buf[n] = '\0';
	fclose(file);
	return true;
}

/* --- the guests ------------------------------------------------------------- */

static char lines[MAX_GUESTS][512];
static int nr_lines;

static void read_run_list(void)
{
	FILE *file = fopen(GUESTS "run.list", "re");
	char line[512];

	if (!file)
		ksft_exit_skip("no guests in " GUESTS "\n");
	while (nr_lines < MAX_GUESTS && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#')
			strcpy(lines[nr_lines++], line);
	}
	fclose(file);
}

/* "axvmm run ... /guests/NAME.elf": NAME */
static void guest_name(const char *line, char *name, size_t size)
{
	const char *slash = strrchr(line, '/');
	const char *base = slash ? slash + 1 : line;
	size_t len = strcspn(base, ".");

	if (len >= size)
		len = size - 1;
	memcpy(name, base, len);
	name[len] = '\0';
}

static bool guest_is_right(const char *line, const char *name)
{
	char path[256], want[sizeof(outcome.out)], code[16];

	snprintf(path, sizeof(path), GUESTS "expected/%s.out", name);
	if (!read_text(path, want, sizeof(want)))
		return false;
	snprintf(path, sizeof(path), GUESTS "expected/%s.code", name);
	if (!read_text(path, code, sizeof(code)))
		return false;

	run_line(line, NULL, 0);
	if (!ended(atoi(code), NULL))
		return false;
	if (!strcmp(outcome.out, want))
		return true;
	ksft_print_msg("expected output:\n%s", want);
	complain("it was otherwise");
	return false;
}

/* --- the rest --------------------------------------------------------------- */

/* Command line, status, text on standard error. */
static const struct {
	const char *line;
	int status;
	const char *err;
} endings[] = {
	{ "axvmm", 64, "Usage:" },
	{ "axvmm fly", 64, "no command 'fly'" },
	{ "axvmm run", 64, "which FILE" },
	{ "axvmm run --mem none x", 64, "--mem" },
	{ "axvmm run --mode virtual x", 64, "--mode" },
	{ "axvmm run --cpus 0 x", 64, "--cpus" },
	{ "axvmm run --timer 0 x", 64, "--timer" },
	{ "axvmm run --timer-vector 256 x", 64, "--timer-vector" },
	{ "axvmm run --unknown x", 64, "unrecognized option" },
	{ "axvmm run one two", 64, "one file only" },
	{ "axvmm info more", 64, "Too many arguments" },
	{ "axvmm run /none", 66, "/none: No such file" },
	{ "axvmm run /guests", 66, "is no file" },
	{ "axvmm run /dev/null", 66, "is no file" },
	{ "axvmm run --mem 4097 " GUESTS "real.bin", 64, "multiple of 4096" },
	{ "axvmm run --mem 16K " GUESTS "real.bin", 65, "doesn't fit" },
	{ "axvmm run --mem 1M " GUESTS "sieve.elf", 65, "doesn't fit" },
	{ "axvmm run --load 0x200000 --mode real " GUESTS "loop.bin", 64, "out of reach" },
	{ "axvmm run --load 0x200000 " GUESTS "sieve.elf", 64, "--load is for flat files" },
	{ "axvmm run --device /dev/none " GUESTS "real.bin", 71, "modprobe axvcpu" },
	{ "axvmm run --device /dev/null " GUESTS "real.bin", 71, "not an axvcpu device" },
	{ "axvmm run --cpu 9999 " GUESTS "real.bin", 71, "can't run on CPU 9999" },
	{ "axvmm info --device /dev/none", 71, "modprobe axvcpu" },
	{ "axvmm run " GUESTS "fault.elf", 102, "wrote to 0x40000000" },
	{ "axvmm run " GUESTS "triple.elf", 101, "triple fault" },
	{ "axvmm run --timeout 0.3 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --timeout 0.3 --timer 100 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --cpus 3 --timeout 0.3 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --mode long --cpu 0 " GUESTS "sieve.elf", 0, NULL },
	{ "axvmm run --trace " GUESTS "real.bin", 0, "IO_WRITE port=0x3f8 width=1 data=0x48 'H'" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "SYSREG_READ addr=0x12345678" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "HYPERCALL nr=0x1 " },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "IO_READ port=0x510 width=1" },
	{ "axvmm run --trace " GUESTS "fault.elf", 102, "gpa=0x40000000 access=w" },
	{ "axvmm run --stats --timer 100 " GUESTS "timer.elf", 0, "events injected" },
	{ "axvmm run --stats " GUESTS "real.bin", 0, "IO_WRITE " },
};

static const struct {
	const char *line;
	const char *out;
} sayings[] = {
	{ "axvmm --version", "axvmm " },
	{ "axvmm --help", "axvmm COMMAND --help" },
	{ "axvmm run --help", "--trace" },
	{ "axvmm info --help", "--json" },
	{ "axvmm info", "VMX" },
	{ "axvmm info --json", "\"backend\": \"VMX\"" },
};

/* A guest in an endless loop, which has said on standard output that it is. */
static const struct {
	const char *line;
	int signo;
	int status;
	const char *err;
} signals[] = {
	{ "axvmm run " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
	{ "axvmm run " GUESTS "loop.bin", SIGTERM, 143, "ended by a signal" },
	{ "axvmm run --cpus 2 " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
	{ "axvmm run --timer 100 " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
};

/* Ctrl-C at any moment of axvmm's life ends it, and soon. */
static bool any_moment_will_do(void)
{
	char *argv[] = { "axvmm", "run", GUESTS "loop.bin", NULL };
	const struct timespec step = { .tv_nsec = 1000000 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (int delay = 0; delay < 40; delay++) {
		pid_t pid = start(argv, null, null);
		int status;

		for (int n = 0; n < delay; n++)
			nanosleep(&step, NULL);
		kill(pid, SIGINT);
		/* axvmm ends by itself or, before it takes signals, by the signal. */
		alarm(LIMIT_MS / 1000);
		if (waitpid(pid, &status, 0) != pid)
			return false;
		alarm(0);
		if (WIFEXITED(status) ? WEXITSTATUS(status) != 130 : WTERMSIG(status) != SIGINT) {
			ksft_print_msg("after %d ms: wait status 0x%x\n", delay, status);
			return false;
		}
	}
	close(null);
	return true;
}

int main(void)
{
	char name[128];
	size_t i;

	ksft_print_header();
	read_run_list();
	ksft_set_plan(nr_lines + ARRAY_SIZE(endings) + ARRAY_SIZE(sayings) + ARRAY_SIZE(signals) +
		      2);

	for (int n = 0; n < nr_lines; n++) {
		guest_name(lines[n], name, sizeof(name));
		ksft_test_result(guest_is_right(lines[n], name), "guest %s\n", name);
	}
	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		run_line(endings[i].line, NULL, 0);
		ksft_test_result(ended(endings[i].status, endings[i].err), "%s: %d\n",
				 endings[i].line, endings[i].status);
	}
	for (i = 0; i < ARRAY_SIZE(sayings); i++) {
		run_line(sayings[i].line, NULL, 0);
		ksft_test_result(ended(0, NULL) && strstr(outcome.out, sayings[i].out),
				 "%s: says \"%s\"\n", sayings[i].line, sayings[i].out);
	}
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		run_line(signals[i].line, NULL, signals[i].signo);
		ksft_test_result(ended(signals[i].status, signals[i].err), "%s: signal %d\n",
				 signals[i].line, signals[i].signo);
	}
	run_line("axvmm run " GUESTS "real.bin", "/dev/full", 0);
	ksft_test_result(ended(74, "can't be written"), "output that can't be written: 74\n");
	ksft_test_result(any_moment_will_do(), "Ctrl-C at any moment\n");
	ksft_finished();
}
