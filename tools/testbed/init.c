// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a test machine.
 *
 * It does what /testbed.conf says, one line at a time, and tells the testbed on
 * the console what happens, in lines that begin with a token which no program
 * can guess:
 *
 *	token TOKEN		what our lines begin with
 *	port N			power off by writing "Shutdown" to an I/O port
 *	loglevel N		what the kernel prints on the console
 *	load NAME [ARG]...	insert /modules/NAME.ko
 *	unload NAME		remove it; it must not be in use
 *	test NAME CMD [ARG]...	run a program, report how it ended
 *	idle SECONDS		tell when a program has had the machine idle for so long
 *	leaks			scan for unreferenced memory, print what is found
 *	dump DIR		print the regular files below, in hexadecimal
 *	window ROWS COLUMNS	the size of the terminal
 *	shell			run a shell on the console
 *
 * While a program runs, a byte on the console may ask for help with it: ^T
 * prints what the kernel is at, ^K kills the program.
 *
 * What a program prints, which may be what a guest's kernel prints, is told from
 * what this kernel prints: each line of the kernel's begins with a time in
 * brackets. Programs write to a terminal of their own, which init reads, and on
 * the console their brackets are another byte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS	64
#define ASK_STATE	0x14	/* ^T */
#define ASK_KILL	0x0b	/* ^K */
#define BRACKET		0x02	/* stands for a program's '[' */

static char token[64] = "?";
static int power_port = -1;
static int idle_limit;		/* seconds; 0: none */
static int signals;
static int output = -1;	/* of the program that runs, to be read */

/* One line to the testbed, in one write, so that nothing gets between. */
__attribute__((format(printf, 1, 2)))
static void tell(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "%s ", token);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, n) != n)
		return;
}

/* A program's output goes to the console; see above. */
static void put(char *data, ssize_t size)
{
	ssize_t n;

	for (ssize_t i = 0; i < size; i++) {
		if (data[i] == '[')
			data[i] = BRACKET;
	}
	for (; size > 0; data += n, size -= n) {
		n = write(STDOUT_FILENO, data, size);
		if (n < 0)
			return;
	}
}

/* Some of what there is of it by now; return false if there is none. */
static bool pass_output(void)
{
	static char data[4096];
	ssize_t n = read(output, data, sizeof(data));

	put(data, n);
	return n > 0;
}

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, got = 0;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	while (got < (ssize_t)size - 1) {
		n = read(fd, buf + got, size - 1 - got);
		if (n <= 0)
			break;
		got += n;
	}
	buf[got] = '\0';
	close(fd);
	return got;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = write(fd, text, strlen(text));
		close(fd);
	}
	return n < 0 ? -errno : 0;
}

/* What the kernel says about its own health. */
static void tell_health(void)
{
	unsigned long tainted = 0;
	char buf[4096], *p;
	int debug_locks = -1;

	if (read_file("/proc/sys/kernel/tainted", buf, sizeof(buf)) > 0)
		tainted = strtoul(buf, NULL, 10);
	if (read_file("/proc/lockdep_stats", buf, sizeof(buf)) > 0) {
		p = strstr(buf, "debug_locks:");
		if (p)
			debug_locks = atoi(p + strlen("debug_locks:"));
	}
	tell("health tainted=%lu debug_locks=%d cpus=%ld", tainted, debug_locks,
	     sysconf(_SC_NPROCESSORS_ONLN));
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void unload(const char *name)
{
	int err = 0;

	if (syscall(SYS_delete_module, name, O_NONBLOCK))
		err = errno;
	tell("unload %s %s", name, err ? strerror(err) : "ok");
}

/* kmemleak ignores what is younger than five seconds. */
static void leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	static char buf[65536];
	struct timespec age = { .tv_sec = 5, .tv_nsec = 500000000 };
	ssize_t n;
	int err;

	if (access(path, W_OK)) {
		tell("leaks none");
		return;
	}
	nanosleep(&age, NULL);
	err = write_file(path, "scan");
	if (err) {
		tell("leaks %s", strerror(-err));
		return;
	}
	n = read_file(path, buf, sizeof(buf));
	put(buf, n);
	tell("leaks %s", n > 0 ? "found" : "ok");
}

/* Most of what coverage leaves are zeros: "%N" stands for N of them. */
static void print_hex(const unsigned char *data, ssize_t size)
{
	ssize_t i = 0, zeros, column = 0;

	while (i < size) {
		for (zeros = 0; i + zeros < size && !data[i + zeros]; zeros++)
			;
		if (zeros > 2)
			column += printf("%%%zd ", zeros);
		else
			column += printf("%02x", data[i]);
		i += zeros > 2 ? zeros : 1;
		if (column > 100 || i == size)
			column = printf("\n") - 1;
	}
}

static int dump_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char data[1 << 20];
	ssize_t size;

	(void)st;
	(void)ftw;
	if (type != FTW_F || !strcmp(path + strlen(path) - 5, "reset"))
		return 0;
	size = read_file(path, data, sizeof(data));
	tell("file %s %zd", path, size);
	if (size > 0)
		print_hex((unsigned char *)data, size);
	return 0;
}

static void dump(const char *dir)
{
	tell("dumped %s", nftw(dir, dump_file, 8, FTW_PHYS) ? "not all" : "ok");
}

/* /dev/console can't be a controlling terminal, the line behind it can. */
static void own_terminal(void)
{
	char name[64], path[80];
	int fd;

	if (read_file("/sys/class/tty/console/active", name, sizeof(name)) <= 0)
		return;
	name[strcspn(name, "\n")] = '\0';
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close(fd);
	ioctl(STDIN_FILENO, TIOCSCTTY, 1);
}

/* No echo, no signals, no translation: the other end is a program. */
static void make_raw(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio))
		return;
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
}

/* A terminal, to whose lines programs and the C library are used; its end for them. */
static int open_output(void)
{
	int unlock = 0, fd;

	output = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (output < 0 || ioctl(output, TIOCSPTLCK, &unlock))
		return -1;
	fd = ioctl(output, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		make_raw(fd);
	return fd;
}

static void close_output(void)
{
	close(output);
	output = -1;
}

/* The program's own session, so that all of it can be killed at once. */
static pid_t start(char **argv, bool interactive)
{
	static const struct rlimit no_core;
	int out = interactive ? -1 : open_output(), fd;
	sigset_t none;
	pid_t pid;

	if (!interactive && out < 0) {
		tell("what? no terminal: %s", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid) {
		if (out >= 0)
			close(out);
		return pid;
	}

	setsid();
	if (interactive) {
		own_terminal();
	} else {
		fd = open("/dev/null", O_RDONLY);
		dup2(fd, STDIN_FILENO);
		close(fd);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	execvp(argv[0], argv);
	printf("%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void sysrq(const char *key)
{
	klogctl(8, NULL, 7);
	write_file("/proc/sysrq-trigger", key);
	klogctl(8, NULL, 5);
}

/* What a test has started ends with it, whatever session it is in. */
static void end_orphans(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Of all CPUs, in hundredths of a second: neither idle nor waiting for a device */
static unsigned long long busy_time(void)
{
	unsigned long long t[8] = { 0 };
	char buf[512];

	if (read_file("/proc/stat", buf, sizeof(buf)) > 0)
		sscanf(buf, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
		       &t[3], &t[4], &t[5], &t[6], &t[7]);
	return t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
}

/*
 * Nothing has come from the program since @since, and the machine has done next to
 * nothing: less than a twentieth of a CPU. It is the kernel that tells this; outside,
 * a machine that waits looks like one that others keep from running.
 */
static void look_for_idleness(long long *since, unsigned long long *busy)
{
	long long passed = now_ms() - *since;

	if (passed < idle_limit * 1000LL)
		return;
	if ((busy_time() - *busy) * 10 * 20 < (unsigned long long)passed)
		tell("idle %lld", passed / 1000);
	*since = now_ms();
	*busy = busy_time();
}

/* Wait for @pid; whatever else ends meanwhile is an orphan of a test's. */
static int wait_for(pid_t pid, bool interactive)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = output, .events = POLLIN },
		{ .fd = interactive ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	int tick = idle_limit && !interactive ? idle_limit * 200 : -1;
	unsigned long long busy = busy_time();
	long long since = now_ms();
	struct signalfd_siginfo si;
	int status;
	pid_t got;
	char ask;

	for (;;) {
		while ((got = waitpid(-1, &status, WNOHANG)) > 0) {
			if (got != pid)
				continue;
			end_orphans();
			return status;
		}
		poll(fds, 3, tick);
		if (fds[1].revents & POLLIN) {
			since = now_ms();
			busy = busy_time();
		} else if (tick > 0) {
			look_for_idleness(&since, &busy);
		}
		if (fds[0].revents & POLLIN)
			(void)!read(signals, &si, sizeof(si));
		/* Nothing more will come if nobody has it open any more. */
		if (fds[1].revents && !pass_output() && fds[1].revents & POLLHUP)
			fds[1].fd = -1;
		if (!(fds[2].revents & POLLIN))
			continue;
		if (read(STDIN_FILENO, &ask, 1) != 1)
			continue;
		if (ask == ASK_STATE) {
			sysrq("w");
			sysrq("l");
		} else if (ask == ASK_KILL) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
	}
}

/*
 * In a child, so that init still answers when loading hangs, as KUnit's suites
 * may, which run in there.
 */
static void load(int argc, char **argv)
{
	char path[256], args[512] = "";
	int i, fd, err, status;
	pid_t pid;

	for (i = 1; i < argc; i++) {
		strncat(args, argv[i], sizeof(args) - strlen(args) - 2);
		strcat(args, " ");
	}
	snprintf(path, sizeof(path), "/modules/%s.ko", argv[0]);
	pid = fork();
	if (!pid) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, args, 0))
			_exit(errno);
		_exit(0);
	}
	status = wait_for(pid, false);
	err = WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
	tell("load %s %s", argv[0], err ? strerror(err) : "ok");
}

static void run(const char *name, char **argv, bool interactive)
{
	long long began = now_ms();
	char how[32];
	int status;
	pid_t pid;

	tell("begin %s", name);
	pid = start(argv, interactive);
	status = pid < 0 ? 126 << 8 : wait_for(pid, interactive);
	if (output >= 0) {
		/* All that could write are gone: this is the rest. */
		while (pass_output())
			;
		close_output();
	}
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal=%d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "exit=%d", WEXITSTATUS(status));
	tcdrain(STDOUT_FILENO);
	tell("end %s %s ms=%lld", name, how, now_ms() - began);
	tell_health();
}

static void shell(void)
{
	static char *argv[] = { "/bin/sh", "-l", NULL };
	struct termios raw, cooked;

	tcgetattr(STDIN_FILENO, &raw);
	cooked = raw;
	cooked.c_iflag |= ICRNL;
	cooked.c_lflag |= ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN;
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	run("shell", argv, true);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void window_size(const char *rows, const char *columns)
{
	struct winsize size = {
		.ws_row = atoi(rows), .ws_col = atoi(columns)
	};

	ioctl(STDIN_FILENO, TIOCSWINSZ, &size);
}

static void power_off(void)
{
	int fd;

	tell("bye");
	tcdrain(STDOUT_FILENO);
	if (power_port >= 0) {
		fd = open("/dev/port", O_WRONLY);
		for (const char *p = "Shutdown"; fd >= 0 && *p; p++)
			(void)!pwrite(fd, p, 1, power_port);
	}
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "devpts", "/dev/pts" },
		{ "tmpfs", "/dev/shm" },
		{ "tmpfs", "/tmp" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		mount("none", mounts[i].where, mounts[i].type, 0, NULL);
	}
}

/* The network of the machine alone */
static void start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (!ioctl(fd, SIOCGIFFLAGS, &request)) {
		request.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

static void raw_console(void)
{
	struct termios tio;

	make_raw(STDIN_FILENO);
	if (tcgetattr(STDIN_FILENO, &tio))
		return;
	tio.c_oflag |= OPOST | ONLCR;
	tcsetattr(STDIN_FILENO, TCSANOW, &tio);
}

static void obey(char *line)
{
	char *argv[MAX_ARGS + 1], *save, *word;
	int argc = 0;

	for (word = strtok_r(line, " ", &save); word && argc < MAX_ARGS;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (!argc)
		return;

	if (!strcmp(argv[0], "leaks"))
		leaks();
	else if (!strcmp(argv[0], "shell"))
		shell();
	else if (argc < 2)
		tell("what? %s", argv[0]);
	else if (!strcmp(argv[0], "token"))
		snprintf(token, sizeof(token), "%s", argv[1]);
	else if (!strcmp(argv[0], "port"))
		power_port = strtol(argv[1], NULL, 0);
	else if (!strcmp(argv[0], "loglevel"))
		klogctl(8, NULL, atoi(argv[1]));
	else if (!strcmp(argv[0], "load"))
		load(argc - 1, argv + 1);
	else if (!strcmp(argv[0], "unload"))
		unload(argv[1]);
	else if (!strcmp(argv[0], "test") && argc > 2)
		run(argv[1], argv + 2, false);
	else if (!strcmp(argv[0], "idle"))
		idle_limit = atoi(argv[1]);
	else if (!strcmp(argv[0], "dump"))
		dump(argv[1]);
	else if (!strcmp(argv[0], "window") && argc > 2)
		window_size(argv[1], argv[2]);
	else
		tell("what? %s", argv[0]);
}

int main(void)
{
	static char conf[65536];
	char *line, *save;
	sigset_t chld;

	mount_all();
	raw_console();
	start_loopback();
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PATH", "/bin:/selftests", 1);
	setenv("HOME", "/", 1);
	setenv("TERM", "linux", 0);

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);

	read_file("/testbed.conf", conf, sizeof(conf));
	/* Nobody else is to know the token. */
	unlink("/testbed.conf");
	for (line = strtok_r(conf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		obey(line);
		if (!strncmp(line, "token", 5))
			tell_health();
	}
	power_off();
}
